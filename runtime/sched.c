// SPDX-License-Identifier: MIT
//
// sched.c: goroutines from birth to death, and the loop in which a worker chooses what to run next.
//
// What:       m_run: find_work, m_execute, again. find_work looks, in this order: timers of its P that are due, every
//             61st time, or if its first is the courier, the global queue (or goroutines that ready each other could
//             starve it for ever), runnext and the local ring, the global queue, other Ps' rings; then it gives its P
//             back and sleeps.
//             runnext inherits the time slice of who filled it. When the monitor has found the slice used up
//             (P.overtick), it goes to the back of the global queue instead, so that no chain of goroutines keeps a P
//             for ever. A worker that looks through other Ps is *spinning*. At most half as many spin as Ps are busy;
//             whoever makes work runnable wakes one more worker only if nobody spins; a spinner that finds work wakes
//             the next before it runs it. So wake-ups are never lost and threads are not woken in herds.
// Invariants: *lost wake-ups*: a producer first publishes the G (a sequentially consistent store) and then looks
//             whether somebody spins and whether a P is idle. A spinner first says that it spins no more (and that its
//             P is idle) and then looks at all queues again. So one of them sees the other.
//             A G that ended is dead before its block is in a free list; ids are never reused.
// See also:   proc.c (threads, idle Ps), park.c, runq.c. Go's runtime/proc.go is where the design comes from.
#include "sched_int.h"
#include "call.h"
#include "func.h"
#include "group.h"
#include "happens.h"
#include "hub.h"
#include "gc.h"
#include "lockstep.h"
#include "lungo.h"
#include "meta.h"
#include "seam.h"
#include "share.h"
#include "str.h"
#include "sync.h"
#include "trace.h"

#define GLOBQ_EVERY 61
#define ID_BATCH 16
#define KEEP_STACK 1024 // a dead goroutine's stack of more values is not kept

// A goroutine and its state must stay below 800 bytes: G, Thread (224), a CallInfo (80), a small stack (200).
_Static_assert(sizeof(G) <= 256, "size of a goroutine's control block");

const char *const wait_reason_text[WAIT_COUNT] = {
    [WAIT_NONE] = "runnable",
    [WAIT_CHAN_SEND] = "chan send",
    [WAIT_CHAN_RECV] = "chan receive",
    [WAIT_CHAN_SEND_NIL] = "chan send (nil chan)",
    [WAIT_CHAN_RECV_NIL] = "chan receive (nil chan)",
    [WAIT_SELECT] = "select",
    [WAIT_SELECT_NONE] = "select (no cases)",
    [WAIT_SLEEP] = "sleep",
    [WAIT_MUTEX] = "sync.Mutex.Lock",
    [WAIT_RW_LOCK] = "sync.RWMutex.Lock",
    [WAIT_RW_RLOCK] = "sync.RWMutex.RLock",
    [WAIT_WAITGROUP] = "sync.WaitGroup.Wait",
    [WAIT_COND] = "sync.Cond.Wait",
    [WAIT_ONCE] = "sync.Once",
    [WAIT_SEMAPHORE] = "sync.Semaphore",
    [WAIT_IO] = "IO wait",
    [WAIT_FINALIZERS] = "finalizer wait",
    [WAIT_MODULE] = "C module lock",
    [WAIT_MODULE_BACK] = "C module lock",
    [WAIT_HOST] = "host",
};

#ifdef LUNGO_DEBUG
bool g_arrowexists(GStatus from, GStatus to) {
  switch (from) {
  case G_IDLE:
  case G_DEAD: return to == G_RUNNABLE || to == G_RUNNING;
  case G_RUNNABLE: return to == G_RUNNING;
  case G_RUNNING: return to == G_RUNNABLE || to == G_WAITING || to == G_SYSCALL || to == G_DEAD;
  case G_SYSCALL: return to == G_RUNNING || to == G_RUNNABLE;
  case G_WAITING: return to == G_RUNNABLE || to == G_RUNNING || to == G_DEAD;
  }
  return false;
}
#endif

// ---- queues ----------------------------------------------------------------------------------------

static void globn_update(Runtime *rt) { atomic_store_explicit(&rt->globn, rt->globq.n, memory_order_seq_cst); }

void globq_put_locked(Runtime *rt, G *g) {
  assert_held(&rt->lock);
  glist_push(&rt->globq, g);
  globn_update(rt);
}

void globq_put(Runtime *rt, G *g) {
  sched_lock(rt);
  globq_put_locked(rt, g);
  sched_unlock(rt);
}

// Before everybody else: for the courier, which runs seldom and shortly, and whom hosts wait for: above all for the end
// of runs whose goroutines fill the queues.
void globq_putfirst(Runtime *rt, G *g) {
  GList l = {0};
  glist_push(&l, g);
  sched_lock(rt);
  glist_append(&l, &rt->globq);
  rt->globq = l;
  globn_update(rt);
  atomic_store_explicit(&rt->globfirst, true, memory_order_relaxed);
  sched_unlock(rt);
}

// A fair share for m's P, at most `max` (0: as many as are sensible): the first is returned, the others queued locally.
static G *globq_get_locked(M *m, uint32_t max) {
  Runtime *rt = m->rt;
  uint32_t n = rt->globq.n / (uint32_t)atomic_load(&rt->nprocs) + 1;
  if (n > rt->globq.n) n = rt->globq.n;
  if (n > RUNQ_SIZE / 2) n = RUNQ_SIZE / 2;
  if (max > 0 && n > max) n = max;
  if (n == 0) return NULL;
  G *first = glist_pop(&rt->globq);
  atomic_store_explicit(&rt->globfirst, false, memory_order_relaxed);
  while (--n > 0) {
    G *g = rt->globq.head;
    if (runq_len(&m->p->runq) >= RUNQ_SIZE) break;
    glist_pop(&rt->globq);
    runq_put(&m->p->runq, g);
  }
  globn_update(rt);
  return first;
}

static G *globq_get(M *m, uint32_t max) {
  if (atomic_load_explicit(&m->rt->globn, memory_order_relaxed) == 0) return NULL;
  sched_lock(m->rt);
  G *g = globq_get_locked(m, max);
  sched_unlock(m->rt);
  return g;
}

void runq_ready(M *m, G *g, bool next) {
  P *p = m->p;
  if (next) {
    g = runq_setnext(&p->runq, g);
    if (g == NULL) return;
  }
  while (!runq_put(&p->runq, g)) {
    GList half = {0};
    runq_takehalf(&p->runq, &half);
    if (half.n == 0) continue; // a thief made room
    glist_push(&half, g);
    sched_lock(m->rt);
    glist_append(&m->rt->globq, &half);
    globn_update(m->rt);
    sched_unlock(m->rt);
    return;
  }
}

void p_drainqueues(Runtime *rt, P *p) {
  bool inherit;
  G *g;
  assert_held(&rt->lock);
  while ((g = runq_get(&p->runq, &inherit)) != NULL) glist_push(&rt->globq, g);
  globn_update(rt);
  lock_ranked(&rt->glock, RANK_ALLG);
  glist_append(&rt->gfree, &p->gfree);
  unlock_ranked(&rt->glock, RANK_ALLG);
}

// ---- G blocks ----------------------------------------------------------------------------------------
// Dead ones are kept in front-first order, so that the one whose memory is warmest is used first.

static void gfree_push(GList *l, G *g) {
  g->schednext = l->head;
  if (l->head == NULL) l->tail = g;
  l->head = g;
  l->n++;
}

// 64 new blocks into p's list. False: no memory.
static bool slab_new(Runtime *rt, P *p) {
  GSlab *s = NULL;
  if (posix_memalign((void **)&s, CACHE_LINE, sizeof *s) != 0) return false;
  memset(s, 0, sizeof *s);
  for (int i = SLAB_GS - 1; i >= 0; i--) {
    v_setnil(&s->g[i].w.v);
    gfree_push(&p->gfree, &s->g[i]);
  }
  lock_ranked(&rt->glock, RANK_ALLG);
  s->next = rt->slabs;
  rt->slabs = s;
  unlock_ranked(&rt->glock, RANK_ALLG);
  return true;
}

void slab_free(GSlab *s) {
  for (int i = 0; i < SLAB_GS; i++) {
    free(s->g[i].sel);
    free(s->g[i].sleeper);
    free(s->g[i].trace);
    free(s->g[i].in_trace);
  }
  free(s);
}

static void gfree_refill(Runtime *rt, P *p) {
  lock_ranked(&rt->glock, RANK_ALLG);
  while (p->gfree.n < GFREE_LOCAL / 2) {
    G *g = glist_pop(&rt->gfree);
    if (g == NULL) break;
    gfree_push(&p->gfree, g);
  }
  unlock_ranked(&rt->glock, RANK_ALLG);
}

// The dead G that g_take will return, or NULL without memory. Until then it stays in the list, so that an error while
// its state is made loses nothing.
static G *g_peekfree(M *m) {
  P *p = m->p;
  if (unlikely(p->gfree.head == NULL)) {
    gfree_refill(m->rt, p);
    if (p->gfree.head == NULL && !slab_new(m->rt, p)) return NULL;
  }
  return p->gfree.head;
}

G *g_alloc(M *m) {
  G *g = g_peekfree(m);
  return g == NULL ? NULL : glist_pop(&m->p->gfree);
}

// Half of p's dead goroutines to all.
static void gfree_spill(Runtime *rt, P *p) {
  lock_ranked(&rt->glock, RANK_ALLG);
  while (p->gfree.n > GFREE_LOCAL / 2) gfree_push(&rt->gfree, glist_pop(&p->gfree));
  unlock_ranked(&rt->glock, RANK_ALLG);
}

// Whether the state of an ended goroutine can serve the next one. thread_reset_stack makes it fresh.
static bool state_reusable(lua_State *L) {
  uint8_t flags = atomic_load_explicit(&thread_of(L)->hdr.flags, memory_order_relaxed);
  return !(flags & OF_PINNED) && L->stack_last - L->stack <= KEEP_STACK;
}

void g_free(M *m, G *g) {
  if (unlikely(race_on)) race_end(g);
  bool reusable = state_reusable(g->L);
  thread_reset_stack(g->L); // also for those who still hold it: it is a dead coroutine now
  if (!reusable) g->L = NULL;
  g->cur = g->L;
  g->created_srcobj = NULL;
  g->onend = NULL;
  g->onend_arg = NULL;
  g_setstatus(g, G_RUNNING, G_DEAD);
  gfree_push(&m->p->gfree, g);
  if (m->p->gfree.n > GFREE_LOCAL) gfree_spill(m->rt, m->p);
}

int64_t g_nextid(M *m) {
  P *p = m->p;
  if (p->idnext == p->idend) {
    lock_ranked(&m->rt->glock, RANK_ALLG);
    p->idnext = m->rt->nextid;
    p->idend = m->rt->nextid += ID_BATCH;
    unlock_ranked(&m->rt->glock, RANK_ALLG);
  }
  return p->idnext++;
}

// World stopped, or the process is about to end.
void g_each(Runtime *rt, void (*fn)(G *g, void *arg), void *arg) {
  for (GSlab *s = rt->slabs; s != NULL; s = s->next) {
    for (int i = 0; i < SLAB_GS; i++) {
      GStatus st = g_status(&s->g[i]);
      if (st != G_IDLE && st != G_DEAD) fn(&s->g[i], arg);
    }
  }
}

// ---- birth -------------------------------------------------------------------------------------------

// Stack values that calling v with nargs arguments takes, counted from the base of an empty stack.
static int stack_need(const Value *v, int nargs) {
  if (v->tag != TAG_LCL) return nargs + LUA_MINSTACK + 2;
  const Proto *p = v_lcl(v)->p;
  return nargs + p->maxstack + (p->is_vararg ? p->nparams + 1 : 0) + 3;
}

typedef struct Prepared {
  int need;
  G *g;
} Prepared;

static bool try_prepare(lua_State *L, void *arg) {
  Prepared *pr = arg;
  M *m = m_of(L->ctx);
  G *g = pr->g = g_peekfree(m);
  if (g == NULL || (g->L == NULL && (g->L = thread_try_small(L, pr->need)) == NULL)) return false;
  g->L->ctx = &m->ctx;
  return g->L->stack_last - g->L->top >= pr->need || stack_trygrow(g->L, pr->need);
}

// The state for the next goroutine of this P, with room for `need` values; in a free list until g_alloc takes it.
// Raises LUA_ERRMEM.
static G *g_prepare(lua_State *L, int need) {
  Prepared pr = {.need = need};
  if (!try_prepare(L, &pr) && !gc_rescue(L, try_prepare, &pr)) call_memerror(L);
  return pr.g;
}

// Who started it and where, for dumps: the innermost Lua frame of L, if it is near.
static void set_creator(G *g, lua_State *L) {
  CallInfo *ci = L->ci;
  g->created_by = L->g != NULL ? L->g->id : 0;
  g->created_line = -1;
  if (!ci_isLua(ci)) ci = ci->prev;
  if (ci == NULL || !ci_isLua(ci) || ci->func->tag != TAG_LCL) return;
  const Proto *p = v_lcl(ci->func)->p;
  if (p->source == NULL) return;
  g->created_srcobj = p->source;
  if (p->lines != NULL) g->created_line = p->lines[ci->u.l.pc - p->code - 1];
}

// A goroutine that will call v[0] with v[1..n-1] (published values). Not runnable yet. Raises LUA_ERRMEM in L.
static G *g_make(M *m, lua_State *L, const Value *v, int n) {
  G *g = g_prepare(L, stack_need(v, n - 1));
  g_alloc(m);
  lua_State *L1 = g->L;
  for (int i = 0; i < n; i++) v_copy(L1->top++, &v[i]);
  L1->g = g;
  L1->from = NULL;
  atomic_store_explicit(&L1->running, CORO_RUNS, memory_order_relaxed);
  g->cur = L1;
  g->id = g_nextid(m);
  g->started = g->nested = g->is_main = g->is_system = g->killseen = false;
  g->group = NULL;
  g->reason = WAIT_NONE;
  g->m = g->wirem = g->lockedm = NULL;
  atomic_store_explicit(&g->intr, 0, memory_order_relaxed);
  g->nlocked = 0;
  return g;
}

// Who starts very many goroutines gives way to them after each BURST. They would get their turn anyway, but then each
// would come to control blocks and stacks that have left the cache, and a dead one's would not be there for the next:
// 200,000 at once take a seventh of the time on one processor (bench/conc/spawn.lua), and memory for BURST.
static void burst_step(M *m) {
  if (unlikely(++m->p->burst == BURST) && m->g != NULL) m_poll(m, POLL_PREEMPT);
}

static void g_launch(M *m, G *g, bool counted) {
  P *p = m->p;
  if (unlikely(race_on)) race_go(g, !counted); // finalizers are started where a collection happened to end
  g->is_system = !counted;
  if (counted) stat_add(p->ngo, 1);
  stat_add(p->ngos, 1);
  g_setstatus(g, g_status(g), G_RUNNABLE);
  runq_ready(m, g, !m->infire);
  p_wake(m->rt);
  burst_step(m);
}

// The first goroutine or timer: processors, monitor; and the values that every goroutine can reach become shared.
static void go_parallel(M *m, lua_State *L) {
  int r = rt_start(m->rt, m);
  if (r != 0) dbg_runerror(L, "cannot start a thread: %s", strerror(-r));
  if (!atomic_load_explicit(&L->gl->multi, memory_order_relaxed)) share_universe(L);
  if (m->rt->frozen && !L->gl->closing) rt_unfreeze(m);
}

G *g_go(lua_State *L, int nargs, void (*onend)(lua_State *, G *, void *, int), void *arg) {
  M *m = m_of(L->ctx);
  Value *fn = L->top - nargs - 1;
  if (!meta_iscallable(L, fn)) dbg_callerror(L, fn);
  if (unlikely(!atomic_load_explicit(&L->gl->multi, memory_order_relaxed) || m->rt->frozen)) go_parallel(m, L);
  for (int i = 0; i <= nargs; i++) share_value(L, &fn[i]);
  Group *gr = L->g->group;
  if (unlikely(gr != NULL || L->g->is_system)) group_admit(L, gr);
  G *g = g_make(m, L, fn, nargs + 1);
  if (unlikely(gr != NULL)) {
    group_join(gr, g);
    if (L->g == gr->hub->courier) gr->first = g;
  }
  set_creator(g, L);
  g->onend = onend;
  g->onend_arg = arg;
  L->top = fn;
  g_launch(m, g, true);
  return g;
}

struct GoArgs {
  int nargs;
  void (*onend)(lua_State *, G *, void *, int);
  G *g;
};

static void go_protected(lua_State *L, void *ud) {
  struct GoArgs *a = ud;
  a->g = g_go(L, a->nargs, a->onend, NULL);
}

// The courier starts a host's run: it lends itself to the group for that moment.
G *g_go_group(lua_State *L, int nargs, Group *gr, void (*onend)(lua_State *, G *, void *, int)) {
  G *self = L->g;
  self->group = gr;
  struct GoArgs a = {nargs, onend, NULL};
  int status = call_try(L, go_protected, &a);
  self->group = NULL;
  if (status != LUA_OK) call_throw(L, status);
  return a.g;
}

void rt_go(lua_State *L, int nargs) { g_go(L, nargs, NULL, NULL); }

struct MakeArgs {
  const Value *fn;
  G *g;
};

static void make_protected(lua_State *L, void *ud) {
  struct MakeArgs *a = ud;
  a->g = g_make(m_of(L->ctx), L, a->fn, 1);
}

// Where no goroutine runs there is no state to raise an error in: one is made on the C stack for the occasion.
static G *g_make_bare(Ctx *ctx, const Value *fn) {
  Value stack[LUA_MINSTACK + EXTRA_STACK];
  lua_State L = {
      .stack = stack, .top = stack + 1, .stack_last = stack + LUA_MINSTACK, .ctx = ctx, .gl = ctx->gl, .nogc = 1};
  lua_State *saved = ctx->L;
  struct MakeArgs a = {fn, NULL};
  for (int i = 0; i < LUA_MINSTACK + EXTRA_STACK; i++) v_setnil(&stack[i]);
  L.base_ci = (CallInfo){.func = stack, .top = stack + LUA_MINSTACK, .status = CI_C | CI_BASE};
  L.ci = &L.base_ci;
  ctx->L = &L;
  int status = vm_rawprotected(&L, make_protected, &a);
  ctx->L = saved;
  return status == LUA_OK ? a.g : NULL;
}

static G *go_bare(Ctx *ctx, const Value *fn, bool counted, Group *gr) {
  M *m = m_of(ctx);
  G *g = g_make_bare(ctx, fn);
  if (g == NULL) return NULL;
  g->created_by = 0;
  if (gr != NULL) group_join(gr, g);
  g_launch(m, g, counted);
  return g;
}

G *g_go_value(Ctx *ctx, const Value *fn, int64_t group) {
  Group *gr;
  if (!group_byid(m_of(ctx)->rt, group, &gr)) return NULL;
  G *g = gr == NULL || group_room(gr) ? go_bare(ctx, fn, true, gr) : NULL;
  if (gr != NULL) group_unref(gr);
  return g;
}

G *g_go_system(Ctx *ctx, const Value *fn) { return go_bare(ctx, fn, false, NULL); }

// ---- running and ending -----------------------------------------------------------------------------------

// The goroutine's end is a place where Lua may be called (onend, __tostring of an error), but nothing may park.
void begin_endcall(M *m, G *g) {
  m->g = g;
  g->L->ctx = &m->ctx;
  m->ctx.L = g->L;
  m->ctx.nlevels = 1;
}

static void end_endcall(M *m) {
  m->g = NULL;
  m->ctx.L = NULL;
  m->ctx.nlevels = 0;
}

// Goroutine 1 ended on this worker. Its thread is told; the state is kept for lungo_run's results.
static void main_ended(M *m, G *g, int status) {
  Runtime *rt = m->rt;
  if (status == STATUS_GOEXIT && rt->runflags & LUNGO_PANIC) {
    if (g->lockedm != NULL) g->lockedm->lockedg = NULL;
    g->lockedm = NULL;
    stat_add(m->p->ngo, -1);
    g_setstatus(g, G_RUNNING, G_DEAD);
    sched_lock(rt);
    rt->main_goexit = true;
    sched_unlock(rt);
    return;
  }
  if (status != LUA_OK && rt->runflags & LUNGO_PANIC) {
    begin_endcall(m, g);
    rt_panic(g->L, status);
  }
  g->reason = WAIT_NONE;
  g_setstatus(g, G_RUNNING, G_WAITING);
  rt->main_status = status;
  end_patience(rt, true); // before M0 can know, which ends it
  atomic_store(&rt->main_done, true);
  if (!m->is_host) host_notify(m);
}

static void g_end(M *m, G *g, int status) {
  g->cur = g->L;
  g->m = NULL;
  if (g->is_main) {
    main_ended(m, g, status);
    return;
  }
  bool failed = status != LUA_OK && status != STATUS_GOEXIT;
  if (unlikely(g->is_system)) final_ended(m->rt, g, status);
  if (g->onend != NULL || failed) {
    begin_endcall(m, g);
    if (g->onend != NULL) g->onend(g->L, g, g->onend_arg, status);
    if (failed && !(m->rt->hub != NULL && hub_failed(g->L, g))) {
      if (!(m->rt->runflags & LUNGO_KEEP)) rt_panic(g->L, status);
      panic_report(g->L, g);
    }
    end_endcall(m);
  }
  if (g->lockedm != NULL) g->lockedm->lockedg = NULL;
  g->lockedm = NULL;
  if (!g->is_system) stat_add(m->p->ngo, -1);
  if (unlikely(g->group != NULL)) group_leave(g->group, g);
  g->group = NULL;
  if (unlikely(status != LUA_OK)) text_drop(m->rt, g);
  g_free(m, g);
}

// It is told to end where it stopped, before the operation that it stopped in can have a result.
static int end_goroutine(Ctx *ctx, G *g) {
  g->killseen = true;
  sync_giveback(ctx, g);
  return vm_end_goroutine(ctx);
}

void m_execute(M *m, G *g, int nargs) {
  Ctx *ctx = &m->ctx;
  g_setstatus(g, G_RUNNABLE, G_RUNNING);
  g->m = m;
  m->g = g;
  for (lua_State *s = g->cur; s != NULL; s = s->from) s->ctx = ctx; // it may have come from another worker
  uint32_t kill = unlikely(m->rt->hub != NULL) ? g_killlevel(m->rt, g) : 0;
  if (unlikely(kill > 0)) m_poll(m, POLL_KILL);
  if (unlikely(kill > 0) && !g->started) {
    m->g = NULL;
    g_end(m, g, STATUS_GOEXIT);
    return;
  }
  if (!g->started) {
    g->started = true;
    if (nargs < 0) nargs = (int)(g->L->top - g->L->base_ci.func) - 2;
  }
  if (unlikely(atomic_load_explicit(&g->intr, memory_order_relaxed) != 0)) m_poll(m, POLL_INTERRUPT);
  ctx->L = g->cur;
  m->insched = true;
  int status =
      unlikely(kill == 2 || (kill == 1 && !g->killseen)) ? end_goroutine(ctx, g) : vm_run_goroutine(ctx, g->L, nargs);
  m->insched = false;
  m->g = NULL;
  ctx->L = NULL;
  if (status != RUN_PARKED) g_end(m, g, status);
}

// ---- looking for work ----------------------------------------------------------------------------------------

// The goroutine that was asked to give way may have ended or parked before its next safepoint: each of a chain of
// goroutines that start one another may. And if it does give way, what it readied comes before it all the same.
void slice_end(M *m) {
  G *g = runq_peeknext(&m->p->runq);
  if (g != NULL && runq_stealnext(&m->p->runq, g)) globq_put(m->rt, g);
}

static G *find_local(M *m, bool *inherit) {
  P *p = m->p;
  int64_t first = atomic_load_explicit(&p->timer0, memory_order_relaxed);
  *inherit = false;
  if (unlikely(first != NS_FOREVER)) {
    int64_t now = rt_clock(m->rt);
    if (first <= now) timers_run(m, p, now);
  }
  G *g = NULL;
  if (unlikely(slice_isover(p))) slice_end(m);
  // Not at the first choice of all: a main goroutine that gives way would get the turn it just gave away.
  bool first_there = unlikely(atomic_load_explicit(&m->rt->globfirst, memory_order_relaxed));
  if (first_there || stat_get(p->schedtick) % GLOBQ_EVERY == GLOBQ_EVERY - 1) g = globq_get(m, 1);
  if (g == NULL) g = runq_get(&p->runq, inherit);
  if (g == NULL) g = globq_get(m, 0);
  return g;
}

static void note_steal(M *m, const P *victim) {
  stat_add(m->p->nsteals, 1);
  if (trace_ison()) trace_instant(m->p, INSTANT_STEAL, victim->id);
}

// runnext of a running P is about to be run by it, and moving it would separate goroutines that talk to each other. So
// it is taken only if that P runs one and the same goroutine for some microseconds.
static G *steal_next(M *m, P *victim) {
  G *g = runq_peeknext(&victim->runq);
  if (g == NULL) return NULL;
  if (p_status(victim) == P_RUNNING) {
    uint64_t parks = stat_get(victim->nparks);
    for (int i = 0; i < 100; i++) cpu_relax();
    if (parks != stat_get(victim->nparks) || g != runq_peeknext(&victim->runq)) return NULL;
  }
  if (!runq_stealnext(&victim->runq, g)) return NULL;
  atomic_store_explicit(&victim->streak, 0, memory_order_relaxed); // see worth_waking
  note_steal(m, victim);
  return g;
}

static G *steal_from(M *m, P *victim, bool last) {
  G *g;
  if (last) {
    int64_t first = atomic_load_explicit(&victim->timer0, memory_order_relaxed), now;
    if (first != NS_FOREVER && first <= (now = mono_ns())) {
      bool inherit;
      timers_run(m, victim, now);
      if ((g = runq_get(&m->p->runq, &inherit)) != NULL) return g;
    }
  }
  if (victim == m->p) return NULL;
  if ((g = runq_steal(&m->p->runq, &victim->runq)) != NULL) {
    note_steal(m, victim);
    return g;
  }
  return last ? steal_next(m, victim) : NULL;
}

// All Ps ever made: those above gomaxprocs may still have timers.
static G *steal_work(M *m) {
  Runtime *rt = m->rt;
  uint32_t n = (uint32_t)atomic_load_explicit(&rt->nallp, memory_order_acquire);
  for (int pass = 0; pass < 4; pass++) {
    uint32_t start = (uint32_t)(rng_next(&m->ctx.rng) >> 32) % n;
    for (uint32_t i = 0; i < n; i++) {
      if (rt_stopping(rt)) return NULL;
      G *g = steal_from(m, rt->allp[(start + i) % n], pass == 3);
      if (g != NULL) return g;
    }
  }
  return NULL;
}

// With one P there are no others to look through, but for timers of those that were abolished.
static G *find_orphans(M *m) {
  Runtime *rt = m->rt;
  bool inherit;
  if (atomic_load_explicit(&rt->nprocs, memory_order_relaxed) > 1) return NULL;
  if (atomic_load_explicit(&rt->nallp, memory_order_relaxed) == 1) return NULL;
  timers_rundue(m);
  return runq_get(&m->p->runq, &inherit);
}

static void spin_begin(M *m) {
  m->spinning = true;
  atomic_fetch_add(&m->rt->nspinning, 1);
  stat_add(m->p->nspins, 1);
}

static void spin_end(M *m) {
  m->spinning = false;
  atomic_fetch_sub(&m->rt->nspinning, 1);
}

static bool may_spin(M *m) {
  Runtime *rt = m->rt;
  int procs = atomic_load_explicit(&rt->nprocs, memory_order_relaxed);
  if (procs == 1) return false;
  if (m->spinning) return true;
  return 2 * atomic_load(&rt->nspinning) < procs - atomic_load(&rt->npidle);
}

// Takes an idle P if there is one, spinning from then on.
static bool rejoin(M *m) {
  sched_lock(m->rt);
  P *p = rt_stopping(m->rt) ? NULL : pidle_get_locked(m->rt);
  sched_unlock(m->rt);
  if (p == NULL) return false;
  p_acquire(m, p);
  spin_begin(m);
  return true;
}

// The second half of "no lost wake-ups": our P is idle and we spin no more, so look once more.
static bool recheck(M *m) {
  Runtime *rt = m->rt;
  int n = atomic_load(&rt->nprocs);
  for (int i = 0; i < n; i++)
    if (!runq_isempty(&rt->allp[i]->runq)) return rejoin(m);
  return atomic_load(&rt->globn) > 0 && rejoin(m);
}

// When this idle worker must wake up for a timer; NS_FOREVER if another one does. Publishes it first and looks again,
// as timer.c looks at sleep_until after it inserted.
static int64_t become_sleeper_locked(M *m) {
  Runtime *rt = m->rt;
  int64_t until = NS_FOREVER;
  if (atomic_load(&rt->npidle) == 0 || rt_stopping(rt)) return until; // no P to run them with: sysmon's business
  for (;;) {
    int64_t first = timers_earliest(rt, NULL);
    if (first >= atomic_load(&rt->sleep_until)) return until;
    rt->sleeper = m;
    atomic_store(&rt->sleep_until, first);
    until = first;
  }
}

// No P: sleeps in the idle list until given one, or until a timer is due and a P is free.
void idle_until_p(M *m) {
  Runtime *rt = m->rt;
  for (;;) {
    sched_lock(rt);
    if (rt->dying) {
      sched_unlock(rt);
      m_quit(m);
    }
    if (m_sleepidle(m, lockstep_deadline(rt, become_sleeper_locked(m)))) return;
    if (rejoin(m)) return;
  }
}

// The world is being stopped: our P counts as stopped, and we sleep with the idle.
void stop_for_world(M *m) {
  Runtime *rt = m->rt;
  if (m->spinning) spin_end(m);
  sched_lock(rt);
  if (!rt_stopping(rt)) {
    sched_unlock(rt);
    return;
  }
  p_setstatus(p_release(m), P_GCSTOP);
  stop_count(rt);
  sched_unlock(rt);
  idle_until_p(m);
}

// Nothing to run anywhere. On return m has a P again.
static G *go_idle(M *m) {
  Runtime *rt = m->rt;
  sched_lock(rt);
  if (rt_stopping(rt) || rt->dying) {
    sched_unlock(rt);
    return NULL;
  }
  G *g = globq_get_locked(m, 0);
  if (g != NULL) {
    sched_unlock(rt);
    return g;
  }
  pidle_put_locked(rt, p_release(m));
  if (atomic_load(&rt->npidle) == atomic_load(&rt->nprocs)) rt_checkdead_locked(rt);
  sched_unlock(rt);
  if (m->spinning) {
    spin_end(m);
    if (recheck(m)) return NULL;
  }
  idle_until_p(m);
  return NULL;
}

static bool main_over(M *m) { return m->is_host && atomic_load(&m->rt->main_done); }

// The next goroutine. NULL: this is M0 and main has ended. A P is held on return.
static G *find_work(M *m, bool *inherit) {
  Runtime *rt = m->rt;
  for (;;) {
    // Before the look at main_done: who sets that asks for preemption afterwards.
    if (unlikely(atomic_load_explicit(&m->ctx.poll, memory_order_relaxed) & POLL_PREEMPT) && rt->schedyield == 0)
      atomic_fetch_and(&m->ctx.poll, ~POLL_PREEMPT);
    if (unlikely(atomic_load_explicit(&rt->dying, memory_order_relaxed))) m_quit(m);
    if (unlikely(main_over(m))) return NULL;
    if (unlikely(rt_stopping(rt))) {
      stop_for_world(m);
      continue;
    }
    if (unlikely(atomic_load_explicit(&rt->fin_wanted, memory_order_relaxed))) final_maybe(m);
    if (unlikely(atomic_load_explicit(&rt->quit_wanted, memory_order_relaxed))) rt_quit_poll(m);
    G *g = find_local(m, inherit);
    if (g == NULL && may_spin(m)) {
      if (!m->spinning) spin_begin(m);
      g = steal_work(m);
    }
    if (g == NULL) g = find_orphans(m);
    if (g == NULL) g = go_idle(m);
    if (g != NULL) return g;
  }
}

// A spinner found work: somebody else should go on looking, as there may be more.
static void found_work(M *m) {
  spin_end(m);
  p_wake(m->rt);
}

// lockosthread: this thread runs m->lockedg only. Waits until another worker found it runnable and gives us a P.
static void wait_for_lockedg(M *m) {
  if (m->spinning) spin_end(m);
  p_handoff(m->rt, p_release(m));
  m_waitp(m, M_LOCKED);
}

static void begin_turn(P *p) {
  stat_add(p->schedtick, 1);
  p->burst = 0;
}

void m_run(M *m) {
  for (;;) {
    G *g;
    bool inherit = false;
    if (trace_ison()) trace_drain(m);
    if (unlikely(m->lockedg != NULL)) {
      if (main_over(m)) return;
      wait_for_lockedg(m);
      if (main_over(m)) return;
      if ((g = m->lockedg) == NULL) continue;
      if (g_status(g) != G_RUNNABLE) continue; // woken for another reason
    } else {
      g = find_work(m, &inherit);
      if (g == NULL) {
        if (m->spinning) spin_end(m);
        return;
      }
      if (m->spinning) found_work(m);
      M *bound = g->nested ? g->wirem : g->lockedm;
      if (unlikely(bound != NULL ? bound != m : g->nested)) {
        stat_add(m->p->schedtick, 1); // it is started here, too: else every turn of this P might be the global queue's
        if (m_start_locked_g(m, g)) idle_until_p(m);
        continue;
      }
    }
    if (!inherit) begin_turn(m->p);
    lockstep_add(m->rt, LOCKSTEP_STEP_NS);
    m_execute(m, g, -1);
  }
}
