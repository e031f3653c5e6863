// SPDX-License-Identifier: MIT
//
// repl_line.c: one line of input: edited with libedit on a terminal, else plainly read.
//
// What:       libedit is loaded when the first line is to be edited: linked, it would cost every script its start-up
//             time. Characters reach it through get_char, which waits in a blocking region and serves what else
//             happens meanwhile: output of goroutines is shown above the line, Ctrl-C ends the line, the window may
//             change. A bracketed paste is read to its end at once, so that its later lines are not echoed by the
//             terminal while the first one runs.
// Invariants: no Lua error and no longjmp crosses libedit's frames: completion runs as a run of its own (repl_call).
//             The thread has the user's locale (of characters only) while libedit runs, and the C locale otherwise:
//             Lua's string functions must not change because of the prompt.
// See also:   repl_term.c (events), repl_complete.c.
#include "repl.h"
#include <dlfcn.h>
#include <errno.h>
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>
#include <limits.h>
#include <wchar.h>

// ---- libedit ------------------------------------------------------------------------------------------------------

static struct {
  EditLine *(*init)(const char *, FILE *, FILE *, FILE *);
  void (*end)(EditLine *);
  int (*set)(EditLine *, int, ...);
  int (*wset)(EditLine *, int, ...);
  const wchar_t *(*wgets)(EditLine *, int *);
  const LineInfoW *(*wline)(EditLine *);
  int (*winsertstr)(EditLine *, const wchar_t *);
  int (*source)(EditLine *, const char *);
  void (*resize)(EditLine *);
  HistoryW *(*hinit)(void);
  void (*hend)(HistoryW *);
  int (*hist)(HistoryW *, HistEventW *, int, ...);
} lib;

static bool load_library(void) {
  static const struct {
    const char *name;
    void *where;
  } names[] = {{"el_init", &lib.init},
               {"el_end", &lib.end},
               {"el_set", &lib.set},
               {"el_wset", &lib.wset},
               {"el_wgets", &lib.wgets},
               {"el_wline", &lib.wline},
               {"el_winsertstr", &lib.winsertstr},
               {"el_source", &lib.source},
               {"el_resize", &lib.resize},
               {"history_winit", &lib.hinit},
               {"history_wend", &lib.hend},
               {"history_w", &lib.hist}};
  void *so = dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL);
  if (so == NULL) return false;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    void *f = dlsym(so, names[i].name);
    if (f == NULL) return false;
    memcpy(names[i].where, &f, sizeof f); // a function pointer, which C does not convert to
  }
  return true;
}

static struct Editor {
  EditLine *el;
  HistoryW *history;
  locale_t locale;
  lua_State *L;
  FILE *in; // what is read where nothing is edited
  wchar_t *prompt;
  char *pasted;        // bytes of a bracketed paste, or of a key, to be read before the terminal
  size_t npasted, pos; // how many there are; which is next
  LineResult end;      // how the line ends, if it is not by Enter
} ed;

// ---- the screen ----------------------------------------------------------------------------------------------------

static int char_width(wchar_t c) {
  int w = wcwidth(c);
  return w >= 0 ? w : c < 32 || c == 127 ? 2 : 8; // libedit shows ^X, or \U+1234
}

// Rows between the first one of the prompt and the one the cursor is in.
static int cursor_row(void) {
  const LineInfoW *li = lib.wline(ed.el);
  int cols = term_columns(), row = 0, col = 0;
  for (const wchar_t *part = ed.prompt, *end = part + wcslen(part);; part = li->buffer, end = li->cursor) {
    for (const wchar_t *p = part; p < end; p++) {
      int w = *p == L'\n' ? cols - col : char_width(*p);
      if (col + w > cols && *p != L'\n') col = 0, row++;
      col += w;
      if (col >= cols) col -= cols, row++;
    }
    if (end == li->cursor) return row;
  }
}

static void erase_line(void) {
  int row = cursor_row();
  FILE *f = term_file();
  if (row > 0) fprintf(f, "\033[%dA", row);
  fputs("\r\033[J", f);
}

static void redraw(void) { lib.set(ed.el, EL_REFRESH); }

// Above the line that is being edited. An unfinished line is finished, as the prompt needs a line of its own.
static void show_above(const char *text, size_t len) {
  FILE *f = term_file();
  erase_line();
  fwrite(text, 1, len, f);
  if (text[len - 1] != '\n') putc('\n', f);
  redraw();
  fflush(f);
}

// ---- characters -------------------------------------------------------------------------------------------------

static void raw_mode(void) { lib.set(ed.el, EL_PREP_TERM, 1); }

static void suspend(void) {
  erase_line();
  fflush(term_file());
  lib.set(ed.el, EL_PREP_TERM, 0);
  term_stop();
  typed_edit(raw_mode);
  lib.resize(ed.el);
  redraw();
}

// As the terminal does it: to all of the process group. The runtime prints its goroutines and ends the process.
static void quit(void) {
  erase_line();
  fflush(term_file());
  kill(0, SIGQUIT);
}

// The next byte of input. False: the line ends here (end of input, or Ctrl-C).
static bool next_byte(unsigned char *byte) {
  if (ed.pos < ed.npasted) {
    *byte = (unsigned char)ed.pasted[ed.pos++];
    return true;
  }
  for (;;) {
    TermEvent e;
    fflush(term_file());
    uselocale(LC_GLOBAL_LOCALE);
    term_wait(ed.L, &e);
    uselocale(ed.locale);
    if (e.resized) lib.resize(ed.el);
    if (e.output != NULL) {
      show_above(e.output, e.outputlen);
      term_shown();
    }
    if (e.stopped) suspend();
    if (e.quit) quit();
    if (e.interrupt) {
      const LineInfoW *li = lib.wline(ed.el);
      ed.end = li->lastchar == li->buffer ? LINE_INTERRUPT : LINE_DISCARDED;
      ed.pos = ed.npasted;
      return false;
    }
    *byte = e.byte;
    if (e.key) return true;
    if (e.eof) return false;
  }
}

// One character in UTF-8 or whatever the locale has. Bytes that are no character are dropped.
static int get_char(EditLine *el, wchar_t *c) {
  mbstate_t state = {0};
  (void)el;
  for (;;) {
    unsigned char byte;
    if (!next_byte(&byte)) return 0;
    size_t n = mbrtowc(c, (const char *)&byte, 1, &state);
    if (n == (size_t)-1) memset(&state, 0, sizeof state);
    if (n == 1 || n == 0) return 1;
  }
}

// ---- paste ------------------------------------------------------------------------------------------------------

#define PASTE_END "\033[201~"

// The terminal says that what follows was pasted: all of it is read now. Line ends arrive as carriage returns.
static unsigned char paste(EditLine *el, int ch) {
  size_t n = 0, cap = 0, end = strlen(PASTE_END);
  char *text = NULL;
  unsigned char byte;
  (void)el;
  (void)ch;
  for (;;) {
    char *more = n < cap ? text : realloc(text, cap = 2 * cap + 256);
    if (more == NULL || !next_byte(&byte)) { // no memory, or the line has ended in the middle: as if nothing was pasted
      if (more == NULL) ed.end = LINE_DISCARDED;
      free(more != NULL ? more : text);
      return CC_EOF;
    }
    text = more;
    text[n++] = (char)byte;
    if (n >= end && memcmp(text + n - end, PASTE_END, end) == 0) {
      n -= end;
      break;
    }
  }
  free(ed.pasted);
  ed.pasted = text;
  ed.npasted = n;
  ed.pos = 0;
  return CC_NORM;
}

// ---- completion -------------------------------------------------------------------------------------------------

static char *narrow(const wchar_t *s, size_t len) {
  char *text = malloc(len * MB_LEN_MAX + 1), *p = text;
  mbstate_t state = {0};
  if (text == NULL) return NULL;
  for (size_t i = 0; i < len; i++) {
    size_t n = wcrtomb(p, s[i], &state);
    if (n != (size_t)-1) p += n;
  }
  *p = '\0';
  return text;
}

static wchar_t *widen(const char *s) {
  size_t len = strlen(s), n = 0;
  wchar_t *text = malloc((len + 1) * sizeof *text);
  mbstate_t state = {0};
  for (size_t i = 0; text != NULL && i < len;) {
    size_t k = mbrtowc(&text[n], s + i, len - i, &state);
    if (k == (size_t)-1 || k == (size_t)-2) { // no character: shown as what it is not
      memset(&state, 0, sizeof state);
      text[n] = L'?';
      k = 1;
    }
    n++;
    i += k > 0 ? k : 1;
  }
  if (text != NULL) text[n] = L'\0';
  return text;
}

static bool insert(const char *s) {
  wchar_t *w = widen(s);
  bool ok = w != NULL && *w != L'\0' && lib.winsertstr(ed.el, w) == 0;
  free(w);
  return ok;
}

static size_t common_prefix(const Completions *c) {
  size_t len = strlen(c->v[0]);
  for (size_t i = 1; i < c->n; i++) {
    size_t k = 0;
    while (k < len && c->v[0][k] == c->v[i][k]) k++;
    len = k;
  }
  while (len > 0 && ((unsigned char)c->v[0][len] & 0xC0) == 0x80) len--; // not in the middle of a character
  return len;
}

#define LIST_MAX 200

static void list_completions(const Completions *c) {
  size_t width = 0, n = c->n < LIST_MAX ? c->n : LIST_MAX;
  char *text = NULL;
  size_t len;
  FILE *f = open_memstream(&text, &len);
  if (f == NULL) return;
  for (size_t i = 0; i < n; i++)
    if (strlen(c->v[i]) > width) width = strlen(c->v[i]);
  size_t columns = (size_t)term_columns() / (width + 2);
  if (columns == 0) columns = 1;
  size_t rows = (n + columns - 1) / columns;
  for (size_t r = 0; r < rows; r++) {
    for (size_t i = r; i < n; i += rows) fprintf(f, "%-*s", i + rows < n ? (int)width + 2 : 0, c->v[i]);
    putc('\n', f);
  }
  if (n < c->n) fprintf(f, "... and %zu more\n", c->n - n);
  fclose(f);
  show_above(text, len);
  free(text);
}

// Tab: at the start of a line, or pasted, it is white space.
static unsigned char complete_word(EditLine *el, int ch) {
  const LineInfoW *li = lib.wline(el);
  const wchar_t *p = li->buffer;
  (void)ch;
  while (p < li->cursor && (*p == L' ' || *p == L'\t' || *p == L'\n')) p++;
  if (p == li->cursor || ed.pos < ed.npasted || typed_ahead()) return insert("  ") ? CC_REFRESH : CC_ERROR;
  Completions c = {0};
  char *before = narrow(li->buffer, (size_t)(li->cursor - li->buffer));
  if (before == NULL) return CC_ERROR;
  uselocale(LC_GLOBAL_LOCALE);
  complete(ed.L, before, &c);
  uselocale(ed.locale);
  free(before);
  size_t prefix = c.n == 0 ? 0 : common_prefix(&c);
  unsigned char result = CC_ERROR;
  if (c.n > 0 && (prefix > c.len || c.n == 1)) {
    c.v[0][prefix] = '\0';
    result = insert(c.v[0] + c.len) ? CC_REFRESH : CC_NORM;
  } else if (c.n > 0) {
    list_completions(&c);
    result = CC_NORM;
  }
  completions_free(&c);
  return result;
}

// ---- beginning and end ------------------------------------------------------------------------------------------

static wchar_t *get_prompt(EditLine *el) {
  (void)el;
  return ed.prompt;
}

static void add_history(const char *entry, void *arg) {
  HistEventW ev;
  wchar_t *w = widen(entry);
  (void)arg;
  if (w != NULL) lib.hist(ed.history, &ev, H_ENTER, w);
  free(w);
}

static void bind(const char *key, const char *command) { lib.set(ed.el, EL_BIND, key, command, NULL); }

static void bind_keys(void) {
  static const char *const keys[][2] = {
      {"^I", "lungo-complete"},     {"\\e[200~", "lungo-paste"},   {"^R", "em-inc-search-prev"},
      {"^S", "em-inc-search-next"}, {"^W", "ed-delete-prev-word"}, {"\\e[3~", "ed-delete-next-char"},
      {"\\e[H", "ed-move-to-beg"},  {"\\e[1~", "ed-move-to-beg"},  {"\\eOH", "ed-move-to-beg"},
      {"\\e[F", "ed-move-to-end"},  {"\\e[4~", "ed-move-to-end"},  {"\\eOF", "ed-move-to-end"},
      {"\\e[1;5C", "em-next-word"}, {"\\e[1;5D", "ed-prev-word"}};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) bind(keys[i][0], keys[i][1]);
}

// The user's locale; where none is set a terminal of today still speaks UTF-8.
static locale_t user_locale(void) {
  locale_t l = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
  if (l != (locale_t)0 && strcmp(nl_langinfo_l(CODESET, l), "ANSI_X3.4-1968") != 0) return l;
  locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  return utf8 != (locale_t)0 ? utf8 : l;
}

bool line_open(lua_State *L, TermKind kind) {
  ed.L = L;
  ed.in = kind == TERM_NONE ? stdin : typed_open(L);
  if (kind != TERM_EDIT || !load_library()) return kind != TERM_EDIT;
  if ((ed.locale = user_locale()) == (locale_t)0) return false;
  uselocale(ed.locale);
  HistEventW ev;
  ed.history = lib.hinit();
  ed.el = ed.history == NULL ? NULL : lib.init("lungo", stdin, term_file(), term_file());
  if (ed.el != NULL) {
    lib.hist(ed.history, &ev, H_SETSIZE, 10000);
    lib.hist(ed.history, &ev, H_SETUNIQUE, 1);
    lib.wset(ed.el, EL_HIST, lib.hist, ed.history);
    lib.wset(ed.el, EL_PROMPT, get_prompt);
    lib.wset(ed.el, EL_GETCFN, get_char);
    lib.set(ed.el, EL_EDITOR, "emacs");
    lib.set(ed.el, EL_ADDFN, "lungo-complete", "complete a name", complete_word);
    lib.set(ed.el, EL_ADDFN, "lungo-paste", "read what is pasted", paste);
    bind_keys();
    lib.set(ed.el, EL_SETTY, "-d", "-isig", NULL); // repl_typed.c
    lib.set(ed.el, EL_SETTY, "-x", "reprint=", NULL);
    lib.source(ed.el, NULL); // ~/.editrc has the last word
    history_file_load(add_history, NULL);
  }
  uselocale(LC_GLOBAL_LOCALE);
  return ed.el != NULL;
}

void line_close(void) {
  if (ed.el != NULL) lib.end(ed.el);
  if (ed.history != NULL) lib.hend(ed.history);
  if (ed.locale != (locale_t)0) freelocale(ed.locale);
  free(ed.pasted);
  ed = (struct Editor){.in = ed.in, .L = ed.L};
}

void line_remember(const char *text) {
  if (ed.el == NULL) return;
  uselocale(ed.locale);
  add_history(text, NULL);
  uselocale(LC_GLOBAL_LOCALE);
  history_file_add(text);
}

// ---- reading ----------------------------------------------------------------------------------------------------

// The prompt needs a line of its own, for the editor counts columns from its start. Where the cursor is nobody knows:
// as many blanks as the window is wide end on the same line if it was at its start, and on the next one if not.
static void start_line(void) { fprintf(term_file(), "%*s\r\033[K", term_columns(), ""); }

static LineResult read_edited(char **text) {
  int n = 0;
  ed.end = LINE_EOF;
  term_grab(ed.L);
  uselocale(ed.locale);
  typed_edit(raw_mode); // before the prompt appears: what is typed from then on must not be echoed twice
  start_line();
  fputs("\033[?2004h", term_file());
  const wchar_t *line = lib.wgets(ed.el, &n);
  typed_run();
  fputs("\033[?2004l", term_file());
  LineResult r = ed.end != LINE_EOF || line == NULL || n <= 0 ? ed.end : LINE_OK;
  if (r != LINE_OK) fputs(r == LINE_EOF ? "\n" : "^C\n", term_file());
  fflush(term_file());
  if (r == LINE_OK) {
    size_t len = (size_t)n;
    if (line[len - 1] == L'\n' || line[len - 1] == L'\r') len--;
    *text = narrow(line, len);
    if (*text == NULL) r = LINE_EOF;
  }
  uselocale(LC_GLOBAL_LOCALE);
  term_release(ed.L);
  return r;
}

typedef struct Plain {
  const char *prompt;
  bool echoed; // by the terminal; else we do it, so that the output reads like a session
  char *text;
  size_t cap;
  ssize_t len;
  bool interrupted;
} Plain;

static void read_plainly(void *arg) {
  Plain *p = arg;
  fputs(p->prompt, stdout);
  fflush(stdout);
  do {
    p->interrupted = term_interrupted();
    clearerr(ed.in);
    p->len = p->interrupted ? -1 : getline(&p->text, &p->cap, ed.in);
  } while (p->len < 0 && errno == EINTR && !p->interrupted);
  if (p->len < 0 || p->echoed) return;
  fwrite(p->text, 1, (size_t)p->len, stdout);
  if (p->text[p->len - 1] != '\n') putchar('\n');
}

static LineResult read_line(lua_State *L, const char *prompt, char **text) {
  Plain p = {.prompt = prompt, .echoed = ed.in != stdin};
  lungo_blocking(L, read_plainly, &p);
  if (p.len < 0) {
    free(p.text);
    return p.interrupted ? LINE_INTERRUPT : LINE_EOF;
  }
  if (p.len > 0 && p.text[p.len - 1] == '\n') p.text[p.len - 1] = '\0';
  *text = p.text;
  return LINE_OK;
}

LineResult line_read(lua_State *L, const char *prompt, char **text) {
  *text = NULL;
  if (ed.el == NULL) return read_line(L, prompt, text);
  uselocale(ed.locale);
  ed.prompt = widen(prompt);
  uselocale(LC_GLOBAL_LOCALE);
  if (ed.prompt == NULL) return LINE_EOF;
  LineResult r = read_edited(text);
  free(ed.prompt);
  ed.prompt = NULL;
  return r;
}
