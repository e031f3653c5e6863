// SPDX-License-Identifier: MIT
//
// report.c: what is printed when a program dies: panics, deadlocks, SIGQUIT; and runtime.stack.
//
// What:       tracebacks have the layout of Lua's, but are written without allocating from the Lua heap or touching the
// stack
//             they show: in a deadlock no worker has a processor, and other goroutines' stacks are not ours.
//             Panics and dumps need no memory: they go to the file descriptor by way of a buffer on the C stack. What
//             malloc refuses is made up for by a spare text (traceback of a panic), or cut (very long messages).
// Invariants: whoever reads another goroutine's frames has stopped the world, or knows that nothing can run any more.
//             Only the first thread that reports ends the process; others wait for that.
// See also:   host.c (exit status), docs/manual.md "Errors". Tests: tests/cli/panic_*.
#include "sched_int.h"
#include "happens.h"
#include "hint.h"
#include "call.h"
#include "dbg.h"
#include "lungo.h"
#include "seam.h"
#include "table.h"
#include <errno.h>
#include <lauxlib.h>
#include <stdarg.h>
#include <unistd.h>

#define HEAD_LEVELS 10 // as Lua: of a deep stack the first ten and the last eleven levels are shown
#define TAIL_LEVELS 11

// ---- text output: to a file descriptor, or into malloc'ed memory if fd is -1 -------------------------------

typedef struct Out {
  int fd;
  bool color; // a terminal that has colours, and a user who has nothing against them (NO_COLOR)
  char *text;
  size_t len, cap;
  char small[2048];
} Out;

static bool has_colors(int fd) {
  const char *name = getenv("TERM"), *no = getenv("NO_COLOR");
  if (fd < 0 || name == NULL || *name == '\0' || strcmp(name, "dumb") == 0) return false;
  return (no == NULL || *no == '\0') && isatty(fd);
}

static void out_init(Out *o, int fd) {
  o->fd = fd;
  o->color = has_colors(fd);
  o->text = o->small;
  o->len = 0;
  o->cap = sizeof o->small;
}

static void out_flush(Out *o) {
  for (size_t done = 0; done < o->len;) {
    ssize_t n = write(o->fd, o->text + done, o->len - done);
    if (n < 0 && errno != EINTR) break;
    if (n > 0) done += (size_t)n;
  }
  o->len = 0;
}

// Room for n bytes more. Without memory the text ends here.
static bool out_room(Out *o, size_t n) {
  if (o->cap - o->len > n) return true;
  if (o->fd >= 0) {
    out_flush(o);
    return o->cap > n;
  }
  size_t cap = 2 * (o->cap + n);
  char *text = o->text == o->small ? malloc(cap) : realloc(o->text, cap);
  if (text == NULL) return o->cap = o->len, false;
  if (o->text == o->small) memcpy(text, o->small, o->len);
  o->text = text;
  o->cap = cap;
  return true;
}

static void out_write(Out *o, const char *s, size_t n) {
  if (o->fd >= 0 && n >= o->cap) {
    out_flush(o);
    for (; n > o->cap / 2; s += o->cap / 2, n -= o->cap / 2) out_write(o, s, o->cap / 2);
  }
  if (!out_room(o, n)) return;
  memcpy(o->text + o->len, s, n);
  o->len += n;
}

__attribute__((format(printf, 2, 3))) static void out_printf(Out *o, const char *fmt, ...) {
  char buf[512];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(buf, sizeof buf, fmt, ap);
  va_end(ap);
  if (n > 0) out_write(o, buf, (size_t)n < sizeof buf ? (size_t)n : sizeof buf - 1);
}

#define RED "\033[1;31m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"
static void out_color(Out *o, const char *sequence) {
  if (o->color) out_write(o, sequence, strlen(sequence));
}

static void out_free(Out *o) {
  if (o->text != o->small) free(o->text);
}

// ---- tracebacks ----------------------------------------------------------------------------------------------

// The string key under which t holds v (v == NULL: any table with key `name`), or NULL.
static String *find_key(lua_State *L, Table *t, const Value *v, const char *name, Value *val) {
  Value at = {.tag = TAG_NIL}, key;
  while (table_next(L, t, &at, &key, val) > 0) {
    v_copy(&at, &key);
    if (!v_isstring(&key)) continue;
    if (v != NULL ? value_rawequal(v, val) : strcmp(v_str(&key)->data, name) == 0 && v_istable(val)) return v_str(&key);
  }
  return NULL;
}

// Names a function as a field of a loaded module, as Lua does: 'string.rep', and 'print' for what is in _G.
static bool put_modulename(Out *o, lua_State *L, const lua_Debug *ar) {
  const Value *f = ar->i_ci->func;
  Value loaded, at = {.tag = TAG_NIL}, key, module, val;
  if (find_key(L, v_table(&L->gl->registry), NULL, LUA_LOADED_TABLE, &loaded) == NULL) return false;
  while (table_next(L, v_table(&loaded), &at, &key, &module) > 0) {
    v_copy(&at, &key);
    if (!v_isstring(&key) || !v_istable(&module)) continue;
    const String *name = find_key(L, v_table(&module), f, NULL, &val);
    if (name == NULL) continue;
    bool global = strcmp(v_str(&key)->data, LUA_GNAME) == 0;
    out_printf(o, "function '%s%s%s'", global ? "" : v_str(&key)->data, global ? "" : ".", name->data);
    return true;
  }
  return false;
}

static void put_function(Out *o, lua_State *L, const lua_Debug *ar) {
  if (put_modulename(o, L, ar)) return;
  if (*ar->namewhat != '\0' && strcmp(ar->namewhat, "global") == 0)
    out_printf(o, "function '%s'", ar->name);
  else if (*ar->namewhat != '\0')
    out_printf(o, "%s '%s'", ar->namewhat, ar->name);
  else if (*ar->what == 'm')
    out_printf(o, "main chunk");
  else if (*ar->what != 'C')
    out_printf(o, "function <%s:%d>", ar->short_src, ar->linedefined);
  else
    out_printf(o, "?");
}

static void put_level(Out *o, lua_State *L, lua_Debug *ar) {
  lua_getinfo(L, "Slnt", ar);
  if (ar->currentline <= 0)
    out_printf(o, "\t%s: in ", ar->short_src);
  else
    out_printf(o, "\t%s:%d: in ", ar->short_src, ar->currentline);
  put_function(o, L, ar);
  out_write(o, "\n", 1);
  if (ar->istailcall) out_printf(o, "\t(...tail calls...)\n");
}

// Go has nothing below main, so this is not shown.
static bool is_script(const CallInfo *ci) { return ci->func->tag == TAG_LCF && ci->func->f == rt_script; }

static int count_levels(lua_State *L) {
  int n = 0;
  for (const CallInfo *ci = L->ci; ci != NULL && ci != &L->base_ci && !is_script(ci); ci = ci->prev) n++;
  return n;
}

static void put_traceback(Out *o, lua_State *L) {
  int n = count_levels(L), skip = n - HEAD_LEVELS - TAIL_LEVELS;
  lua_Debug ar;
  for (int level = 0; dbg_getstack(L, level, &ar); level++) { // not lua_getstack: others' stacks too
    if (skip > 0 && level == HEAD_LEVELS) {
      out_printf(o, "\t...\t(skipping %d levels)\n", skip);
      level += skip - 1;
      continue;
    }
    if (is_script(ar.i_ci)) break;
    put_level(o, L, &ar);
  }
}

// From the innermost coroutine out to the goroutine's base.
static void put_goroutine_frames(Out *o, lua_State *L) {
  for (; L != NULL; L = L->from) put_traceback(o, L);
}

static const char *state_text(G *g) {
  switch (g_status(g)) {
  case G_RUNNING: return "running";
  case G_SYSCALL: return g->reason == WAIT_SLEEP ? "sleep" : "syscall";
  case G_WAITING: return wait_reason_text[g->reason];
  default: return "runnable";
  }
}

static int64_t waited_ns(G *g, int64_t now) {
  return g_status(g) == G_WAITING && g->since != 0 && now > g->since ? now - g->since : 0;
}

static void put_state(Out *o, G *g, int64_t now, const char *note) {
  out_color(o, BOLD);
  out_printf(o, "goroutine %lld [%s%s", (long long)g->id, state_text(g), note);
  int64_t minutes = waited_ns(g, now) / INT64_C(60000000000);
  if (minutes >= 1) out_printf(o, ", %lld minutes", (long long)minutes);
  if (g->lockedm != NULL && !g->is_main) out_printf(o, ", locked to thread");
  out_printf(o, "]:");
  out_color(o, PLAIN);
  out_write(o, "\n", 1);
}

// "file:line"; empty if not known.
static void creator_place(const G *g, char *buf, size_t size) {
  char src[LUA_IDSIZE];
  buf[0] = '\0';
  if (g->created_srcobj == NULL) return;
  dbg_chunkid(src, g->created_srcobj->data, g->created_srcobj->len);
  snprintf(buf, size, "%s:%d", src, g->created_line);
}

static void put_creator(Out *o, const G *g) {
  char place[LUA_IDSIZE + 16];
  if (g->created_by == 0) return;
  creator_place(g, place, sizeof place);
  out_printf(o, "created by goroutine %lld%s%s\n", (long long)g->created_by, place[0] ? " at " : "", place);
}

// `note` follows the state.
static void put_goroutine(Out *o, G *g, int64_t now, const char *note) {
  put_state(o, g, now, note);
  put_goroutine_frames(o, g->cur);
  put_creator(o, g);
}

// ---- all goroutines --------------------------------------------------------------------------------------------

void census_add(GCensus *l, G *g) {
  g->listnext = l->first;
  l->first = g;
  l->n++;
}

static G *merge(G *a, G *b) {
  G *first, **end = &first;
  while (a != NULL && b != NULL) {
    G **least = a->id < b->id ? &a : &b;
    *end = *least;
    end = &(*least)->listnext;
    *least = *end;
  }
  *end = a != NULL ? a : b;
  return first;
}

// The n elements from g on, the last of which ends the list.
static G *sorted(G *g, size_t n) {
  if (n < 2) return g;
  G *last = g, *rest;
  for (size_t i = 1; i < n / 2; i++) last = last->listnext;
  rest = last->listnext;
  last->listnext = NULL;
  return merge(sorted(g, n / 2), sorted(rest, n - n / 2));
}

void census_sort(GCensus *l) { l->first = sorted(l->first, l->n); }

static void collect(G *g, void *arg) {
  if (!g->is_system) census_add(arg, g);
}

static void put_goroutines(Out *o, const GCensus *l, const char *note) {
  int64_t now = mono_ns();
  for (G *g = l->first; g != NULL; g = g->listnext) {
    if (g != l->first) out_write(o, "\n", 1);
    put_goroutine(o, g, now, note);
  }
}

static void put_all(Out *o, Runtime *rt) {
  GCensus l = {0};
  g_each(rt, collect, &l);
  census_sort(&l);
  put_goroutines(o, &l, "");
}

// ---- ending the process ---------------------------------------------------------------------------------------------

static void claim_end(void) {
  static atomic_flag ending = ATOMIC_FLAG_INIT;
  if (!atomic_flag_test_and_set(&ending)) return;
  for (;;) pause(); // somebody else is ending the process
}

// A thread may be stuck in stdio with stdout locked: then its buffer is lost, rather than that we hang.
static void flush_stdout(void) {
  if (ftrylockfile(stdout) != 0) return;
  fflush(stdout);
  funlockfile(stdout);
}

static void flush_stderr(void) {
  if (ftrylockfile(stderr) != 0) return;
  fflush(stderr);
  funlockfile(stderr);
}

_Noreturn void process_exit(int status) {
  claim_end();
  exit(race_status(status));
}

static void put_head(Out *o, const char *head) {
  out_color(o, RED);
  out_printf(o, "%s", head);
  out_color(o, PLAIN);
  out_write(o, "\n\n", 2);
}

static void put_hint(Out *o, const char *hint) { out_printf(o, "\nhint: %s\n", hint); }

_Noreturn void dump_exit(Runtime *rt, const char *head) {
  Out o;
  char hint[HINT_MAX];
  claim_end();
  flush_stdout();
  flush_stderr();
  out_init(&o, STDERR_FILENO);
  put_head(&o, head);
  put_all(&o, rt);
  if (strcmp(head, "fatal error: " ALL_ASLEEP) == 0 && hint_deadlock(rt, hint, sizeof hint)) put_hint(&o, hint);
  out_flush(&o);
  exit(2);
}

static void put_raw(G *g, void *arg) { put_goroutine(arg, g, 0, ""); }

void dump_raw(Runtime *rt, const char *head) {
  Out o;
  out_init(&o, STDERR_FILENO);
  put_head(&o, head);
  g_each(rt, put_raw, &o);
  out_flush(&o);
}

_Noreturn void rt_fatal(Runtime *rt, const char *msg) {
  char head[256];
  if (m_current != NULL && m_current->rt == rt && m_current->p != NULL) stop_world(m_current, STOP_OTHER);
  snprintf(head, sizeof head, "fatal error: %s", msg);
  dump_exit(rt, head);
}

// ---- uncaught errors
// --------------------------------------------------------------------------------------------------

static void put_protected(lua_State *L, void *out) { put_goroutine_frames(out, L); }

// The text of the error object at index 1.
static int put_message(lua_State *L) {
  Out *o = lua_touserdata(L, 2);
  size_t len;
  if (lua_isstring(L, 1) || (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)) {
    const char *s = lua_tolstring(L, lua_gettop(L) == 2 ? 1 : -1, &len);
    out_write(o, s, len);
  } else {
    out_printf(o, "(error object is a %s value)", luaL_typename(L, 1));
  }
  return 0;
}

// Appends the text of the error value on top, which is left there. If its __tostring raises, that error is what
// remains to be told, as in `lua`.
static void put_error(Out *o, lua_State *L) {
  lua_pushcfunction(L, put_message);
  lua_pushvalue(L, -2);
  lua_pushlightuserdata(L, o);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK) return;
  size_t len;
  const char *s = lua_tolstring(L, -1, &len);
  if (s != NULL)
    out_write(o, s, len);
  else
    out_printf(o, "(error object is a %s value)", luaL_typename(L, -1));
  lua_pop(L, 1);
}

// What is told of a dying goroutine waits for its deferred calls, in memory of its own or, for lack of it, in the
// spare.
static char *text_keep(Runtime *rt, Out *o) {
  char *text = strndup(o->text, o->len);
  if (text == NULL && !atomic_exchange(&rt->sparetext.taken, true)) {
    size_t n = o->len < sizeof rt->sparetext.text ? o->len : sizeof rt->sparetext.text - 1;
    text = memcpy(rt->sparetext.text, o->text, n);
    text[n] = '\0';
  }
  out_free(o);
  return text;
}

static void text_free(Runtime *rt, char **text) {
  if (*text == rt->sparetext.text)
    atomic_store(&rt->sparetext.taken, false);
  else
    free(*text);
  *text = NULL;
}

void text_drop(Runtime *rt, G *g) {
  text_free(rt, &g->trace);
  text_free(rt, &g->message);
}

// The frames are still there: later they are gone, when deferred calls have run. Protected, as others may change the
// tables in which we look up names.
void rt_uncaught(lua_State *L) {
  G *g = L->g;
  Out o;
  if (g->is_main && !(L->gl->rt->runflags & LUNGO_PANIC)) return; // lungo_run returns the error
  out_init(&o, -1);
  ptrdiff_t top = stack_save(L, L->top);
  vm_rawprotected(L, put_protected, &o);
  L->top = stack_restore(L, top);
  text_drop(L->gl->rt, g);
  g->trace = text_keep(L->gl->rt, &o);
  if (lua_isstring(L, -1) || !stack_trygrow(L, LUA_MINSTACK)) return;
  out_init(&o, -1);
  put_error(&o, L);
  g->message = text_keep(L->gl->rt, &o);
}

static void put_report(Out *o, lua_State *L, G *g, bool panic) {
  if (panic) out_printf(o, "panic: ");
  if (g->message != NULL)
    out_write(o, g->message, strlen(g->message));
  else
    put_error(o, L);
  if (panic)
    out_printf(o, "\n\ngoroutine %lld [running]:\n", (long long)g->id);
  else if (g->trace != NULL)
    out_printf(o, "\nstack traceback:\n");
  if (g->trace != NULL) out_write(o, g->trace, strlen(g->trace));
  if (panic) put_creator(o, g);
}

char *error_text(lua_State *L, G *g, bool panic) {
  Out o;
  out_init(&o, -1);
  put_report(&o, L, g, panic);
  while (!panic && o.len > 0 && o.text[o.len - 1] == '\n') o.len--;
  char *text = strndup(o.text, o.len);
  out_free(&o);
  return text;
}

// The message comes first: to find it may run code that prints.
void panic_report(lua_State *L, G *g) {
  Out message, o;
  char hint[HINT_MAX];
  out_init(&message, -1);
  if (g->message != NULL)
    out_write(&message, g->message, strlen(g->message));
  else
    put_error(&message, L);
  flush_stdout();
  flush_stderr();
  out_init(&o, STDERR_FILENO);
  out_color(&o, RED);
  out_write(&o, "panic: ", 7);
  out_write(&o, message.text, message.len);
  out_color(&o, PLAIN);
  out_write(&o, "\n\n", 2);
  out_color(&o, BOLD);
  out_printf(&o, "goroutine %lld [running]:", (long long)g->id);
  out_color(&o, PLAIN);
  out_write(&o, "\n", 1);
  if (g->trace != NULL) out_write(&o, g->trace, strlen(g->trace));
  put_creator(&o, g);
  if (g->message == NULL && hint_name(L, message.text, message.len, hint, sizeof hint)) put_hint(&o, hint);
  out_flush(&o);
  out_free(&message);
}

_Noreturn void rt_panic(lua_State *L, int status) {
  (void)status;
  lua_checkstack(L, LUA_MINSTACK);
  panic_report(L, L->g);
  process_exit(2);
}

// ---- runtime.stack --------------------------------------------------------------------------------------------------

void rt_pushdump(lua_State *L, bool all) {
  M *m = m_of(L->ctx);
  Out o;
  out_init(&o, -1);
  if (all) {
    bool was_frozen = m->rt->frozen;
    if (!was_frozen) stop_world(m, STOP_OTHER);
    L->g->cur = L;
    put_all(&o, m->rt);
    if (!was_frozen) start_world(m);
  } else {
    L->g->cur = L;
    put_goroutine(&o, L->g, 0, "");
  }
  lua_pushlstring(L, o.text, o.len);
  out_free(&o);
}

// ---- goroutines that leak (leaks.c) -----------------------------------------------------------------------------

void report_leaks(const GCensus *leaked) {
  Out o;
  size_t n = leaked->n;
  flush_stdout();
  flush_stderr();
  out_init(&o, STDERR_FILENO);
  out_printf(&o, "WARNING: %zu goroutine%s leaked: nothing can wake %s\n\n", n, n == 1 ? "" : "s",
             n == 1 ? "it" : "them");
  put_goroutines(&o, leaked, " (leaked)");
  out_flush(&o);
}

bool report_describe(G *g, GInfo *out) {
  Out o;
  out_init(&o, -1);
  put_goroutine_frames(&o, g->cur);
  size_t len = o.len > 0 ? o.len - 1 : 0; // without the last newline
  *out = (GInfo){.id = g->id, .waited = waited_ns(g, mono_ns()), .created_by = g->created_by, .state = state_text(g)};
  creator_place(g, out->created, sizeof out->created);
  if ((out->frames = malloc(len + 1)) != NULL) {
    memcpy(out->frames, o.text, len);
    out->frames[len] = '\0';
  }
  out_free(&o);
  return out->frames != NULL;
}

// ---- lungo_goroutines -----------------------------------------------------------------------------------------------

// "file:line" of the innermost Lua function; empty if there is none.
static void innermost(lua_State *L, char *buf, size_t size) {
  lua_Debug ar;
  buf[0] = '\0';
  for (; L != NULL; L = L->from)
    for (int level = 0; dbg_getstack(L, level, &ar); level++)
      if (lua_getinfo(L, "Sl", &ar) && ar.currentline > 0) {
        snprintf(buf, size, "%s:%d", ar.short_src, ar.currentline);
        return;
      }
}

static void describe(G *g, int64_t now, lungo_Goroutine *out) {
  char src[LUA_IDSIZE];
  *out = (lungo_Goroutine){.id = g->id, .created_by = g->created_by};
  bool waits = g_status(g) == G_WAITING || (g_status(g) == G_SYSCALL && g->reason == WAIT_SLEEP);
  if (waits && g->since > 0 && now > g->since) out->waiting = (double)(now - g->since) / 1e9;
  snprintf(out->state, sizeof out->state, "%s", state_text(g));
  innermost(g->cur, out->where, sizeof out->where);
  if (g->created_srcobj == NULL) return;
  dbg_chunkid(src, g->created_srcobj->data, g->created_srcobj->len);
  snprintf(out->created_where, sizeof out->created_where, "%s:%d", src, g->created_line);
}

LUA_API size_t lungo_goroutines(lua_State *L, lungo_Goroutine *list, size_t n) {
  M *m = m_of(L->ctx);
  GCensus all = {0};
  bool was_frozen = m->rt->frozen;
  int64_t now = mono_ns();
  size_t i = 0;
  if (!was_frozen) stop_world(m, STOP_OTHER);
  L->g->cur = L;
  g_each(m->rt, collect, &all);
  census_sort(&all);
  for (G *g = all.first; g != NULL && i < n; g = g->listnext) describe(g, now, &list[i++]);
  if (!was_frozen) start_world(m);
  return all.n;
}
