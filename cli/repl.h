// SPDX-License-Identifier: MIT
//
// repl.h: the prompt. What its files share.
//
// What:       repl.c reads, runs and prints; repl_line.c edits a line, with the history of repl_history.c and the
//             completion of repl_complete.c; repl_term.c owns the terminal: who may write to it when, and its signals;
//             repl_typed.c keeps what is typed until it is read;
//             repl_value.c shows values; repl_command.c has the commands that begin with a colon, repl_help.c the
//             manual.
// Invariants: all but the drainer thread of repl_term.c happens on the host's own thread, between two calls of
//             lungo_run or in a function that lungo_run calls. Whatever may raise, park or run Lua code goes through
//             repl_call or repl_eval, so that Ctrl-C reaches it and no error crosses foreign frames.
//             Waiting (for input, for the terminal) happens in blocking regions: goroutines go on.
// See also:   lungo.h, docs/manual.md "The prompt". Tests: tests/pty.
#ifndef LUNGO_CLI_REPL_H
#define LUNGO_CLI_REPL_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <lungo.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- repl.c ----
void repl_run(lua_State *L); // until the end of input or :quit. L between two calls
// Calls f with the light userdata arg as a run of its own. False: it raised an error, which is reported.
bool repl_call(lua_State *L, lua_CFunction f, void *arg);
typedef enum EvalResult { EVAL_OK, EVAL_FAILED } EvalResult;
// Runs the function on top of the stack and pops it. EVAL_OK: its results are on the stack above `base`, the height
// without the function. EVAL_FAILED: the error is reported, nothing is left.
EvalResult repl_eval(lua_State *L);
// Compiles text: as expressions if they are that, else as statements. True: the function is on the stack. False, with
// nothing on the stack: *incomplete if more lines could complete it, else (or if incomplete is NULL) the error is
// reported.
bool repl_compile(lua_State *L, const char *text, const char *chunkname, bool *incomplete);
void repl_print(lua_State *L, int base); // the values above base, which are popped
void repl_complain(const char *msg);     // an error message, on stderr

// ---- repl_term.c ----
typedef enum Color {
  COLOR_NONE,
  COLOR_ERROR,
  COLOR_STRING,
  COLOR_NUMBER,
  COLOR_WORD,
  COLOR_KEY,
  COLOR_DIM,
  COLOR_BOLD
} Color;
typedef enum TermKind {
  TERM_NONE,  // input or output is no terminal: all is as in lua
  TERM_PLAIN, // a terminal, but no editing
  TERM_EDIT
} TermKind;
TermKind term_kind(void);
void term_open(lua_State *L, TermKind kind); // signals, and for TERM_EDIT the redirection of output
void term_ready(void);                       // the prompt can take Ctrl-C from now on; since term_open it was held back
void term_close(void);
int term_columns(void);
const char *term_color(Color c); // sequence that begins the colour (COLOR_NONE: ends it); "" without colours
void term_write(lua_State *L, const char *text, size_t len); // to standard output, as one piece, others go on meanwhile

// While a line is edited, whatever anybody writes to standard output or error goes to a pipe, whose contents the editor
// shows above the line.
void term_grab(lua_State *L);
void term_release(lua_State *L);
int term_fd(void); // the terminal itself
FILE *term_file(void);
typedef struct TermEvent {
  bool key; // a byte of input: `byte`; or the end: `eof`
  bool eof;
  unsigned char byte;
  bool interrupt, stopped, quit; // Ctrl-C, Ctrl-Z, Ctrl-\, as keys or as signals
  bool resized;                  // window size
  const char *output;            // what others wrote, valid until term_shown; NULL: nothing
  size_t outputlen;
} TermEvent;
void term_wait(lua_State *L, TermEvent *e); // blocks, others go on meanwhile, until there is at least one event
void term_shown(void);                      // the output of the event is on the screen
void term_stop(void);                       // Ctrl-Z: until the shell continues us

// Ctrl-C interrupts goroutine 1 between term_begin, which is called in the run (lungo_run forgets what came before),
// and term_end. Else it is pending, until term_interrupted or the next event takes it.
bool term_begin(void);       // true: one is pending
bool term_end(void);         // true: there was one
void term_interrupt(void);   // as if Ctrl-C were typed. For handlers too
bool term_interrupted(void); // one was pending
bool term_cut_short(void);   // one has come since the last call, or since the run began: no wait for input now

// ---- repl_typed.c ----
FILE *typed_open(lua_State *L);     // once, on a terminal; returns the stream that io.stdin reads from now on
void typed_edit(void (*raw)(void)); // the editor reads from now on; raw sets the terminal's mode for that
void typed_run(void);               // a line runs from now on; the mode is set already
void typed_forget(void);            // Ctrl-C: what is in the queue. For handlers too
typedef enum TypedKey { TYPED_NOTHING, TYPED_KEY, TYPED_INTERRUPT, TYPED_STOP, TYPED_QUIT, TYPED_END } TypedKey;
TypedKey typed_next(unsigned char *byte); // does not wait
bool typed_ahead(void);                   // there is something to be had from typed_next
int typed_fd(void);                       // to wait for more

// ---- repl_line.c ----
typedef enum LineResult {
  LINE_OK,
  LINE_EOF,
  LINE_INTERRUPT, // Ctrl-C on an empty line
  LINE_DISCARDED  // Ctrl-C on another
} LineResult;
bool line_open(lua_State *L, TermKind kind); // false: no editing (TERM_EDIT only)
void line_close(void);
LineResult line_read(lua_State *L, const char *prompt, char **text); // *text: malloc'ed, without newline
void line_remember(const char *text);                                // into the history

// ---- repl_history.c ----
// The file of old entries, one a line, with newlines as \n and backslashes as \\. Failures are silent: no history then.
void history_file_load(void (*add)(const char *entry, void *arg), void *arg);
void history_file_add(const char *entry);

// ---- repl_complete.c ----
typedef struct Completions {
  char **v; // malloc'ed, sorted, each what replaces the `len` bytes before the cursor
  size_t n, cap;
  size_t len;
} Completions;
void complete(lua_State *L, const char *before, Completions *out); // before: the line up to the cursor
void completions_add(Completions *c, const char *text);
void completions_free(Completions *c);

// ---- repl_value.c ----
// The values at stack indexes from to to, one a line, as people read them. Call it inside a run. Returns malloc'ed
// text.
char *value_text(lua_State *L, int from, int to, size_t *len);

// ---- repl_command.c, repl_help.c ----
bool command_run(lua_State *L, const char *line); // ":name args"; false: end the session
void command_names(Completions *out, const char *prefix);
void example_names(Completions *out, const char *prefix);
void help_show(lua_State *L, const char *topic);
void help_fill(FILE *f, const char *text, int indent); // words, on lines that fit; the cursor is in column indent
void help_names(Completions *out, const char *prefix);

#endif
