// SPDX-License-Identifier: MIT
//
// repl.c: the prompt: read a statement, run it, show its values, again.
//
// What:       each statement is a run of its own (lungo_run with LUNGO_KEEP): goroutine 1 exists for the time of the
//             statement, while the goroutines it started live on, also while the prompt waits. So what goes wrong, be
//             it an error, a deadlock, Ctrl-C or runtime.goexit, ends a statement and never the session.
//             Without a terminal everything is as in lua: prompts on standard output, values through print.
// Invariants: between two statements the Lua stack is empty.
// See also:   repl.h.
#include "repl.h"

static TermKind kind;

// ---- running -----------------------------------------------------------------------------------------------------

static void paint(FILE *f, Color c, const char *s, size_t len) {
  const char *on = term_color(c);
  fputs(on, f);
  fwrite(s, 1, len, f);
  if (*on != '\0') fputs(term_color(COLOR_NONE), f);
}

#define HINT "hint: "

// The message stands out from the traceback that follows it, and a hint does after that.
void repl_complain(const char *msg) {
  const char *end = msg + strlen(msg), *trace = strstr(msg, "\nstack traceback:\n");
  const char *hint = trace != NULL ? strstr(trace, "\n" HINT) : end;
  if (trace == NULL) trace = end;
  if (hint == NULL) hint = end;
  fflush(stdout);
  paint(stderr, COLOR_ERROR, msg, (size_t)(trace - msg));
  if (trace < end) paint(stderr, COLOR_DIM, trace, (size_t)(hint - trace));
  fputs(hint, stderr);
  putc('\n', stderr);
  fflush(stderr);
}

// Pops the error value of a run.
static void report(lua_State *L, int status) {
  if (status == LUNGO_EXITED)
    repl_complain("(goroutine ended)");
  else
    repl_complain(lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "(error object is no string)");
  lua_pop(L, 1);
}

// *interrupted: Ctrl-C was typed meanwhile. What is run must call term_begin.
static int start(lua_State *L, int nargs, int nresults, bool *interrupted) {
  int status = lungo_run(L, nargs, nresults, LUNGO_KEEP);
  *interrupted = term_end();
  return status;
}

// The terminal's echo has left ^C on the line.
static void end_echo(bool interrupted) {
  if (interrupted && kind != TERM_NONE) putchar('\n');
}

// What a line is made of begins with this: a Ctrl-C that came before the run had begun was meant for the line.
static int begin(lua_State *L) {
  if (!term_begin()) return 0;
  end_echo(term_interrupted());
  lua_pushliteral(L, "interrupted!");
  return lua_error(L);
}

typedef struct Call {
  lua_CFunction f;
  void *arg;
} Call;

static int begin_call(lua_State *L) {
  const Call *c = lua_touserdata(L, 1);
  term_begin(); // what is pending stays so
  lua_pushlightuserdata(L, c->arg);
  lua_replace(L, 1);
  return c->f(L);
}

bool repl_call(lua_State *L, lua_CFunction f, void *arg) {
  Call c = {f, arg};
  lua_pushcfunction(L, begin_call);
  lua_pushlightuserdata(L, &c);
  bool interrupted;
  int status = start(L, 1, 0, &interrupted);
  if (status != LUA_OK)
    report(L, status);
  else if (interrupted)
    term_interrupt(); // it was over already: meant for what comes now
  return status == LUA_OK;
}

// The frames of the xpcall under every statement say nothing to the user.
static void cut_traceback(lua_State *L) {
  static const char tail[] = "\n\t[C]: in function 'xpcall'\n\tlungo:1: in function <lungo:1>";
  size_t len, n = sizeof tail - 1;
  const char *s = lua_tolstring(L, -1, &len);
  if (len >= n && memcmp(s + len - n, tail, n) == 0) {
    lua_pushlstring(L, s, len - n);
    lua_remove(L, -2);
  }
}

static int message_handler(lua_State *L) {
  const char *msg = lua_tostring(L, 1);
  if (msg == NULL) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    msg = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  char hint[256];
  bool hinted = lungo_hint(L, msg, hint, sizeof hint);
  luaL_traceback(L, L, msg, 1);
  cut_traceback(L);
  if (hinted) lua_pushfstring(L, "%s\n" HINT "%s", lua_tostring(L, -1), hint);
  return 1;
}

#define XPCALL "lungo.repl.xpcall" // in the registry: the global may be changed

// As xpcall of Lua, not as a C function that calls back: then goroutine 1 can wait without its thread.
static int make_xpcall(lua_State *L) {
  static const char code[] = "local xpcall, begin = ... return function(...) begin() return xpcall(...) end";
  luaL_loadbuffer(L, code, sizeof code - 1, "=lungo");
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, LUA_GNAME);
  lua_getfield(L, -1, "xpcall");
  lua_replace(L, -3);
  lua_pop(L, 1);
  lua_pushcfunction(L, begin);
  lua_call(L, 2, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, XPCALL);
  return 0;
}

EvalResult repl_eval(lua_State *L) {
  int base = lua_gettop(L);
  lua_checkstack(L, LUA_MINSTACK);
  lua_getfield(L, LUA_REGISTRYINDEX, XPCALL);
  lua_insert(L, base);
  lua_pushcfunction(L, message_handler);
  bool interrupted;
  int status = start(L, 2, LUA_MULTRET, &interrupted);
  end_echo(interrupted);
  if (status == LUA_OK && !lua_toboolean(L, base)) {
    lua_remove(L, base);
    lua_settop(L, base);
    status = LUA_ERRRUN;
  }
  if (status != LUA_OK) {
    report(L, status);
    return EVAL_FAILED;
  }
  lua_remove(L, base);
  return EVAL_OK;
}

// ---- compiling -----------------------------------------------------------------------------------------------------

typedef struct Source {
  const char *text, *name;
  bool incomplete;
} Source;

static bool is_incomplete(lua_State *L, int status) {
  size_t len;
  if (status != LUA_ERRSYNTAX) return false;
  const char *msg = lua_tolstring(L, -1, &len);
  return len >= 5 && strcmp(msg + len - 5, "<eof>") == 0;
}

// Returns the function, or nil and the message. Expressions first: so that values are shown.
static int compile_protected(lua_State *L) {
  begin(L);
  Source *s = lua_touserdata(L, 1);
  bool equals = s->text[0] == '='; // an expression, as in older Luas
  const char *text = lua_pushfstring(L, "return %s", s->text + equals);
  int status = luaL_loadbuffer(L, text, strlen(text), s->name);
  if (status == LUA_OK) return 1;
  s->incomplete = is_incomplete(L, status);
  if (!equals) {
    lua_settop(L, 1);
    status = luaL_loadbuffer(L, s->text, strlen(s->text), s->name);
    if (status == LUA_OK) return 1;
    s->incomplete |= is_incomplete(L, status);
  }
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

bool repl_compile(lua_State *L, const char *text, const char *name, bool *incomplete) {
  Source s = {text, name, false};
  lua_pushcfunction(L, compile_protected);
  lua_pushlightuserdata(L, &s);
  bool interrupted;
  int status = start(L, 1, 2, &interrupted);
  if (interrupted && status == LUA_OK) term_interrupt(); // not in time
  if (incomplete != NULL) *incomplete = false;
  if (status != LUA_OK) {
    report(L, status);
    return false;
  }
  if (lua_isfunction(L, -2)) {
    lua_pop(L, 1);
    return true;
  }
  if (incomplete != NULL && s.incomplete)
    *incomplete = true;
  else
    repl_complain(lua_tostring(L, -1));
  lua_pop(L, 2);
  return false;
}

// ---- showing values ---------------------------------------------------------------------------------------------

static int print_protected(lua_State *L) {
  begin(L);
  int n = lua_gettop(L);
  lua_getglobal(L, "print");
  lua_insert(L, 1);
  if (lua_pcall(L, n, 0, 0) != LUA_OK)
    repl_complain(lua_pushfstring(L, "error calling 'print' (%s)", lua_tostring(L, -1)));
  return 0;
}

static int show_protected(lua_State *L) {
  begin(L);
  size_t len = 0;
  char *text = value_text(L, 1, lua_gettop(L), &len);
  if (text != NULL) term_write(L, text, len);
  free(text);
  return 0;
}

void repl_print(lua_State *L, int base) {
  int n = lua_gettop(L) - base;
  if (n <= 0) return;
  if (!lua_checkstack(L, LUA_MINSTACK)) {
    lua_settop(L, base);
    repl_complain("too many results to print");
    return;
  }
  lua_pushcfunction(L, kind == TERM_NONE ? print_protected : show_protected);
  lua_insert(L, base + 1);
  bool interrupted;
  int status = start(L, n, 0, &interrupted);
  if (status == LUA_OK) {
    if (interrupted) term_interrupt(); // all was shown: meant for the prompt that comes now
    return;
  }
  end_echo(interrupted);
  report(L, status);
}

// ---- reading ----------------------------------------------------------------------------------------------------

typedef struct Prompt {
  bool first;
  char *text; // malloc'ed
} Prompt;

static int get_prompt(lua_State *L) {
  Prompt *p = lua_touserdata(L, 1);
  if (lua_getglobal(L, p->first ? "_PROMPT" : "_PROMPT2") == LUA_TNIL) return 0;
  p->text = strdup(luaL_tolstring(L, -1, NULL));
  return 0;
}

static LineResult read_prompted(lua_State *L, bool first, char **line) {
  Prompt p = {.first = first};
  repl_call(L, get_prompt, &p);
  LineResult r = line_read(L, p.text != NULL ? p.text : first ? "> " : ">> ", line);
  free(p.text);
  return r;
}

// text and another line; frees both. NULL: no memory.
static char *join(char *text, char *line) {
  char *both = NULL;
  if (asprintf(&both, "%s\n%s", text, line) < 0) both = NULL;
  free(text);
  free(line);
  return both;
}

// Compiles *text, with more lines as long as it is incomplete. True: the function is on the stack. False: there is
// nothing to run; *how says how the last line ended.
static bool complete_statement(lua_State *L, char **text, LineResult *how) {
  bool incomplete;
  for (;;) {
    char *line;
    if (repl_compile(L, *text, "=stdin", &incomplete)) return true;
    if (!incomplete) return false;
    *how = read_prompted(L, false, &line);
    if (*how == LINE_INTERRUPT) *how = LINE_DISCARDED;
    if (*how == LINE_EOF) repl_compile(L, *text, "=stdin", NULL);
    if (*how != LINE_OK) return false;
    if ((*text = join(*text, line)) == NULL) return false;
  }
}

static void run_statement(lua_State *L, char **text, LineResult *how) {
  bool ready = complete_statement(L, text, how);
  if (*text != NULL) line_remember(*text); // before it runs: it may end the process
  if (ready && repl_eval(L) == EVAL_OK) repl_print(L, 0);
}

static bool is_blank(const char *s) { return s[strspn(s, " \t\r\n")] == '\0'; }

// ":name", but not the label "::name::".
static bool is_command(const char *s) { return s[0] == ':' && s[1] != ':'; }

// One statement or command. False: the session ends.
static bool step(lua_State *L, LineResult *how) {
  char *text;
  *how = read_prompted(L, true, &text);
  if (*how != LINE_OK) return *how != LINE_EOF;
  bool go_on = true;
  if (is_command(text)) {
    line_remember(text);
    go_on = command_run(L, text);
  } else if (!is_blank(text)) {
    run_statement(L, &text, how);
  }
  free(text);
  lua_settop(L, 0);
  return go_on;
}

static void welcome(void) {
  if (kind == TERM_NONE) return;
  printf(":help shows what there is, Ctrl-D ends\n");
}

void repl_run(lua_State *L) {
  kind = term_kind();
  term_open(L, kind);
  if (!line_open(L, kind)) line_close();
  lua_settop(L, 0);
  welcome();
  LineResult how = LINE_OK, last = LINE_OK;
  bool go_on = repl_call(L, make_xpcall, NULL);
  term_ready();
  for (; go_on && step(L, &how); last = how) {
    if (how != LINE_INTERRUPT) continue;
    if (last == LINE_INTERRUPT) break;
    if (kind != TERM_NONE) puts("(Ctrl-C again, or Ctrl-D, ends the session)");
  }
  line_close();
  term_close();
  if (kind != TERM_EDIT) putchar('\n');
  fflush(stdout);
}
