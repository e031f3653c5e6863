// SPDX-License-Identifier: MIT
//
// leaks.c: goroutines that nothing can ever wake: runtime.leaks and the report at exit.
//
// What:       a goroutine that waits for an object (channel, mutex, ...) goes on only if another goroutine does
//             something with that object, for which it must be able to reach it. So the collector marks once without
//             the stacks of goroutines that wait (*suspects*). Tracing an object in a queue of which a suspect waits
//             *reaches* the suspect: its stack is scanned from then on, which may reach objects others wait for, and so
//             on. There are no rounds: marking is the fixpoint, done by all workers, in time linear in what is
//             reachable. Suspects that were not reached when marking ends leak. Roots are: the registry and with it
//             globals and loaded modules; goroutines that run, can run, sleep, or are in the system; armed timers;
//             objects whose finalizers will run. Weak references are none.
// Invariants: the waiters of a parked goroutine are in the queues of all objects that can wake it, so parking notes
//             nothing for us; one that waits for nothing (a nil channel, a select without cases) is in no queue.
//             Every kind of object with a WaitQ traces it by waitq_trace. A WaitReason that is not listed in
//             waits_for_object (sleep, IO) is taken for live: the clock or the system wakes.
//             A suspect's states are hidden (gc.h) until it is reached, so its thread object, which the registry (main)
//             or a table by goroutine may hold, does not count: only debug.getlocal gets at a value through it. All
//             suspects are reached in the end: nothing is freed that they use, and they can be woken as ever. G.reached
//             is set once in a pass, by the worker that then marks what G holds.
// Locking:    the world is stopped.
// See also:   vm/gc.h (gc_leakpass), waitq.h (waitq_trace), report.c. Tests: tests/runtime/leaks_*.lua,
// tests/cli/leaks.sh.
#include "sched_int.h"
#include "call.h"
#include "gc.h"
#include "lungo.h"
#include "waitq.h"
#include <lauxlib.h>

// ---- while marking -----------------------------------------------------------------------------------------

static bool waits_for_object(const G *g) {
  switch (g->reason) {
  case WAIT_CHAN_SEND:
  case WAIT_CHAN_RECV:
  case WAIT_CHAN_SEND_NIL:
  case WAIT_CHAN_RECV_NIL:
  case WAIT_SELECT:
  case WAIT_SELECT_NONE:
  case WAIT_MUTEX:
  case WAIT_RW_LOCK:
  case WAIT_RW_RLOCK:
  case WAIT_WAITGROUP:
  case WAIT_COND:
  case WAIT_ONCE:
  case WAIT_SEMAPHORE: return true;
  default: return false;
  }
}

bool leaks_ishidden(const G *g) { return !atomic_load_explicit(&g->reached, memory_order_relaxed); }

void leaks_reach(struct Marker *m, G *g) {
  if (!leaks_ishidden(g) || atomic_exchange_explicit(&g->reached, true, memory_order_relaxed)) return;
  for (lua_State *L = g->cur; L != NULL; L = L->from) gc_reveal(m, &thread_of(L)->hdr);
  g_mark(g, m);
}

void waitq_reach(struct Marker *m, const WaitQ *q) {
  for (const Waiter *w = q->head; w != NULL; w = w->next) leaks_reach(m, w->g);
}

// ---- the collector's leak pass ---------------------------------------------------------------------------------

typedef struct Search {
  Runtime *rt;
  const G *leaver; // ends the program: what only its stack holds is as good as gone. NULL: nobody does
  struct Marker *m;
  GCensus leaked;
  bool nomem;
  void (*then)(struct Search *s); // with `leaked` in the order of their numbers, before anybody is revealed
  GInfo *info;                    // of each leaked one
  size_t ninfo;
} Search;

static void hide_suspect(G *g, void *arg) {
  Search *s = arg;
  bool suspect = g == s->leaver || (g_status(g) == G_WAITING && !g->is_system && waits_for_object(g));
  atomic_store_explicit(&g->reached, !suspect, memory_order_relaxed);
  for (lua_State *L = suspect ? g->cur : NULL; L != NULL; L = L->from) gc_hide(s->m, &thread_of(L)->hdr);
}

static void hide_suspects(struct Marker *m, void *arg) {
  Search *s = arg;
  s->m = m;
  g_each(s->rt, hide_suspect, s);
}

static void note_leaked(G *g, void *arg) {
  Search *s = arg;
  if (leaks_ishidden(g) && g != s->leaver) census_add(&s->leaked, g);
}

static void reveal(G *g, void *m) { leaks_reach(m, g); }

static void marked_rest(struct Marker *m, void *arg) {
  Search *s = arg;
  g_each(s->rt, note_leaked, s);
  census_sort(&s->leaked);
  s->then(s);
  g_each(s->rt, reveal, m);
}

// False: out of memory.
static bool find_leaks(lua_State *L, Search *s) {
  LeakPass pass = {hide_suspects, marked_rest, s};
  M *m = m_of(L->ctx);
  s->rt = m->rt;
  m->g->cur = m->ctx.L != NULL ? m->ctx.L : L;
  return gc_leakpass(L, &pass) && !s->nomem;
}

// ---- runtime.leaks ---------------------------------------------------------------------------------------------

// They may go on (or end) as soon as the world does: what the list says of them is copied before.
static void describe_all(Search *s) {
  if (s->leaked.n > 0 && (s->info = calloc(s->leaked.n, sizeof *s->info)) == NULL) s->nomem = true;
  for (G *g = s->leaked.first; g != NULL && !s->nomem; g = g->listnext) {
    s->nomem = !report_describe(g, &s->info[s->ninfo]);
    s->ninfo += !s->nomem;
  }
}

static void set_string(lua_State *L, const char *field, const char *s) {
  lua_pushstring(L, s);
  lua_setfield(L, -2, field);
}

static void set_integer(lua_State *L, const char *field, int64_t n) {
  lua_pushinteger(L, n);
  lua_setfield(L, -2, field);
}

static void push_info(lua_State *L, const GInfo *info) {
  lua_createtable(L, 0, 6);
  set_integer(L, "id", info->id);
  set_string(L, "state", info->state);
  lua_pushnumber(L, (lua_Number)info->waited * 1e-9);
  lua_setfield(L, -2, "waited");
  set_string(L, "traceback", info->frames);
  if (info->created_by != 0) set_integer(L, "creator", info->created_by);
  if (info->created[0] != '\0') set_string(L, "created", info->created);
}

static int push_list(lua_State *L) {
  const Search *s = lua_touserdata(L, 1);
  lua_createtable(L, (int)s->ninfo, 0);
  for (size_t i = 0; i < s->ninfo; i++) {
    push_info(L, &s->info[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

void rt_pushleaks(lua_State *L) {
  Search s = {.then = describe_all};
  luaL_checkstack(L, 2, NULL);
  bool ok = find_leaks(L, &s);
  int status = LUA_OK;
  if (ok) {
    lua_pushcfunction(L, push_list);
    lua_pushlightuserdata(L, &s);
    status = lua_pcall(L, 1, 1, 0);
  }
  for (size_t i = 0; i < s.ninfo; i++) free(s.info[i].frames);
  free(s.info);
  if (!ok) call_memerror(L);
  if (status != LUA_OK) lua_error(L);
}

// ---- at exit ---------------------------------------------------------------------------------------------------

static void print_all(Search *s) {
  s->ninfo = s->leaked.n;
  if (s->leaked.n > 0) report_leaks(&s->leaked);
}

LUA_API int lungo_leaks(lua_State *L) {
  Search s = {.then = print_all, .leaver = m_of(L->ctx)->g};
  return find_leaks(L, &s) ? (int)s.ninfo : -1;
}

void leaks_at_exit(lua_State *L) {
  if (L->gl->rt->runflags & LUNGO_LEAKS) lungo_leaks(L);
}
