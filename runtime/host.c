// SPDX-License-Identifier: MIT
//
// host.c: the scheduler as a host program sees it: making and freeing a Runtime, lungo_run, the number of processors.
//
// What:       the thread that calls lua_newstate becomes M0, holding P0 and running goroutine 1, for ever: between two
//             calls of the host, goroutine 1 counts as running C code. Outside of lungo_run M0 is not in the scheduler
//             (nlevels is 1, insched false): whatever parks makes the thread wait, with its P handed on.
//             lungo_run puts M0 into the scheduler until goroutine 1 has ended. With LUNGO_PANIC M0 runs whatever there
//             is, and is called back (host_notify); else goroutine 1 is locked to M0, so that nothing else's C
//             frames can ever lie on the host's stack.
// Invariants: lungo_run returns with a P held, goroutine 1 running again, and, if there are other threads, the world
//             stopped (frozen) until the host waits or starts something.
//             rt_free frees nothing that a thread in a blocking region may still use: then it abandons the universe
//             to them (orphaned), or for good if the host's allocator may not outlive lua_close.
// See also:   lungo.h, stw.c, proc.c.
#include "sched_int.h"
#include "call.h"
#include "cmodule.h"
#include "debugvars.h"
#include "hub.h"
#include "lockstep.h"
#include "lungo.h"
#include "rwmutex.h"
#include "seam.h"
#include "share.h"
#include "trace.h"
#include <errno.h>
#include <lauxlib.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#define ATTACH_POLL_US 200              // between looks for a free P: the goroutines that hold them were told to end
#define SLEEPER_NS INT64_C(100000000)   // what woken threads are waited for, should the machine be busy
#define LAST_STOP_NS INT64_C(100000000) // what a goroutine that computes in C is waited for, at least

Runtime *rt_of(Global *gl) { return gl->rt; }

// ---- how many processors ---------------------------------------------------------------------------------

static int affinity_cpus(void) {
#ifdef __linux__
  unsigned long set[MAX_PROCS / (8 * sizeof(long))];
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof set, set), n = 0;
  for (long i = 0; i < bytes / (long)sizeof *set; i++) n += __builtin_popcountl(set[i]);
  if (n > 0) return (int)n;
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int)online : 1;
}

// CPUs that a container's quota amounts to, rounded up; 0 if there is none.
static int quota_cpus(void) {
  long quota = -1, period = 0;
  FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
  if (f != NULL) {
    if (fscanf(f, "%ld %ld", &quota, &period) != 2) quota = -1; // "max": no limit
    fclose(f);
  } else if ((f = fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r")) != NULL) {
    if (fscanf(f, "%ld", &quota) != 1) quota = -1;
    fclose(f);
    if ((f = fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r")) != NULL) {
      if (fscanf(f, "%ld", &period) != 1) period = 0;
      fclose(f);
    }
  }
  return quota > 0 && period > 0 ? (int)((quota + period - 1) / period) : 0;
}

int rt_numcpu(void) {
  int n = affinity_cpus(), quota = quota_cpus();
  if (quota > 0 && quota < n) n = quota;
  return n > MAX_PROCS ? MAX_PROCS : n;
}

static int default_procs(void) {
  const char *s = getenv("LUNGOMAXPROCS");
  long n = s != NULL ? strtol(s, NULL, 10) : 0;
  if (n <= 0) return rt_numcpu();
  return n > MAX_PROCS ? MAX_PROCS : (int)n;
}

// Takes the P from the worker that stopped holding it: that looks for another when it goes on (stw_wait). Until then it
// is one of those that will come back for a P, or it might look as if nothing could ever run again.
static void dispossess_locked(Runtime *rt, P *p) {
  M *holder = atomic_load(&p->m);
  assert_held(&rt->lock);
  if (holder == NULL) return;
  if (trace_ison() && holder->g != NULL) trace_state(holder->g, G_RUNNING, G_RUNNABLE);
  holder->p = NULL;
  holder->ctx.cache = NULL;
  rt->nblocked++;
}

// The caller's P is about to be abolished: it takes P0.
static void move_to_p0_locked(M *m) {
  P *p0 = m->rt->allp[0], *mine = m->p;
  dispossess_locked(m->rt, p0);
  atomic_store(&mine->m, NULL);
  p_setstatus(mine, P_GCSTOP);
  atomic_store(&p0->m, m);
  p_setstatus(p0, P_RUNNING);
  m_setp(m, p0);
  if (trace_ison()) trace_state(m->g, G_RUNNING, G_RUNNING);
}

static void abolish_locked(Runtime *rt, P *p) {
  dispossess_locked(rt, p);
  p_drainqueues(rt, p);
  atomic_store(&p->m, NULL);
  p_setstatus(p, P_DEAD);
}

// World stopped.
static void resize(M *m, int n) {
  Runtime *rt = m->rt;
  int old = atomic_load(&rt->nprocs);
  for (int i = atomic_load(&rt->nallp); i < n; i++) {
    if ((rt->allp[i] = p_new(rt, i)) == NULL) {
      n = i; // no memory: as many as there are
      break;
    }
    p_setstatus(rt->allp[i], P_DEAD);
    atomic_store(&rt->nallp, i + 1);
  }
  sched_lock(rt);
  if (m->p->id >= n) move_to_p0_locked(m);
  for (int i = n; i < old; i++) abolish_locked(rt, rt->allp[i]);
  for (int i = old; i < n; i++) p_setstatus(rt->allp[i], P_GCSTOP);
  atomic_store(&rt->nprocs, n);
  sched_unlock(rt);
}

int rt_gomaxprocs(lua_State *L, int n) {
  M *m = m_of(L->ctx);
  Runtime *rt = m->rt;
  bool started = atomic_load_explicit(&rt->started, memory_order_relaxed);
  int old = started ? atomic_load_explicit(&rt->nprocs, memory_order_relaxed) : rt->wantprocs;
  if (n > MAX_PROCS) n = MAX_PROCS;
  if (n < 1 || n == old) return old;
  if (!started) {
    rt->wantprocs = n;
    lockstep_decide(rt);
    return old;
  }
  bool frozen = rt->frozen;
  if (!frozen) stop_world(m, STOP_OTHER);
  old = atomic_load(&rt->nprocs);
  if (n > 1) lockstep_end(rt);
  resize(m, n);
  if (!frozen) start_world(m);
  return old;
}

LUA_API int lungo_maxprocs(lua_State *L, int n) { return rt_gomaxprocs(L, n); }

// ---- small services -------------------------------------------------------------------------------------------

void rt_stats(Runtime *rt, struct SchedStats *out) {
  *out = (struct SchedStats){.handoffs = stat_get(rt->nhandoffs)};
  for (int i = 0; i < atomic_load(&rt->nallp); i++) {
    P *p = rt->allp[i];
    out->steals += stat_get(p->nsteals);
    out->preemptions += stat_get(p->npreempts);
    out->parks += stat_get(p->nparks);
    out->gos += stat_get(p->ngos);
    out->spins += stat_get(p->nspins);
  }
}

void rt_setseed(lua_State *L, uint64_t seed) {
  Runtime *rt = L->gl->rt;
  rt->seed = seed;
  for (int i = 0; i < atomic_load(&rt->nallp); i++) rt->allp[i]->rng = rng_seed(seed, (uint64_t)i);
  L->ctx->rng = m_of(L->ctx)->p->rng;
  rt->seeded = true;
  lockstep_decide(rt);
}

LUA_API void lungo_setseed(lua_State *L, unsigned long long seed) {
  if (L == NULL)
    vm_setseed(seed);
  else
    rt_setseed(L, seed);
}

LUA_API void lungo_blocking(lua_State *L, void (*f)(void *), void *arg) {
  Ctx *ctx = L->ctx;
  Module *held = cmodule_letgo(ctx);
  rt_block_enter(ctx);
  f(arg);
  rt_block_leave(ctx);
  if (held != NULL) cmodule_retake(ctx, held);
}

LUA_API void lungo_modulesafe(lua_State *L) { cmodule_setsafe(L); }

void rt_lockosthread(lua_State *L) {
  M *m = m_of(L->ctx);
  m->g->nlocked++;
  m->lockedg = m->g;
  m->g->lockedm = m;
}

// The thread's frames in C may hold what the host must not lose, so nothing is raised in it here.
LUA_API void lungo_leave(lua_State *L) { rt_block_enter(L->ctx); }

LUA_API void lungo_enter(lua_State *L) { rt_block_leave(L->ctx); }

// ---- a runtime without a thread of the host (lungo_new) ------------------------------------------------------------
// Goroutine 1 is in a blocking region from lungo_new to lungo_free; its P is the workers'.

bool host_detach(lua_State *L) {
  M *m = m_of(L->ctx);
  Runtime *rt = m->rt;
  P *p = m->p;
  rt->seeded = false; // hosts have deadlines in true time
  lockstep_decide(rt);
  if (rt_start(rt, m) != 0) return false;
  share_universe(L);
  rt->runflags = LUNGO_KEEP;
  rt->g1->is_system = true;
  stat_add(p->ngo, -1);
  rt_block_enter(&m->ctx);
  block_giveup(m, p);
  m_setcurrent(NULL);
  return true;
}

bool host_attach(Runtime *rt, int64_t deadline) {
  M *m = rt->m0;
  m_setcurrent(m);
  for (;;) {
    sched_lock(rt);
    P *p = rt_stopping(rt) ? NULL : pidle_get_locked(rt);
    if (p != NULL) rt->nblocked--;
    sched_unlock(rt);
    if (p != NULL) {
      p_acquire(m, p);
      g_setstatus(m->g, G_SYSCALL, G_RUNNING);
      stat_add(m->syscalls, 1);
      m->oldp = NULL;
      return true;
    }
    if (mono_ns() >= deadline) {
      m_setcurrent(NULL);
      return false;
    }
    usleep(ATTACH_POLL_US);
  }
}

// Whether nobody is inside a C function, to come back from it later: then finalizers can run (and modules be locked for
// them) without waiting for anybody.
bool host_alone(Runtime *rt, int64_t deadline) {
  for (;;) {
    sched_lock(rt);
    bool blocked = rt->nblocked > 0;
    sched_unlock(rt);
    int64_t left = deadline - mono_ns();
    if (!blocked) {
      if (!stop_world_within(rt->m0, left > LAST_STOP_NS ? left : LAST_STOP_NS)) return false;
      start_world(rt->m0);
      return true;
    }
    if (left <= 0) return false;
    usleep(ATTACH_POLL_US);
  }
}

// Goroutine 1 stays with the host's thread where lungo_run wants it so.
void rt_unlockosthread(lua_State *L) {
  M *m = m_of(L->ctx);
  if (m->g->nlocked == 0 || --m->g->nlocked > 0) return;
  if (m->lockedg != m->g || (m->g->is_main && m->insched && !(m->rt->runflags & LUNGO_PANIC))) return;
  m->lockedg = NULL;
  m->g->lockedm = NULL;
}

int rt_goexitc(lua_State *L) {
  lua_pushnil(L);
  call_throw(L, STATUS_GOEXIT);
}

#define WATCH_NS INT64_C(5000000) // how long M0 may be in one blocking region before the process ends without it

// ---- lungo_run -----------------------------------------------------------------------------------------------------

// M0 is not at hand to return from lungo_run: gives it our P as soon as it sleeps without one; or, if it stays in one
// blocking region for a while, ends the process in its place. We keep our P until then: goroutine 1 has ended, so
// nothing else is worth running, and M0 may need the P to go on.
static bool give_to_host(M *m) {
  Runtime *rt = m->rt;
  M *m0 = rt->m0;
  sched_lock(rt);
  MWhere where = (MWhere)atomic_load(&m0->where);
  if (where == M_BUSY || m0->nextp != NULL) {
    sched_unlock(rt);
    return false;
  }
  if (where == M_IDLE) m_unidle_locked(m0);
  m_give_locked(m0, p_release(m));
  sched_unlock(rt);
  m_wake(m0);
  idle_until_p(m);
  return true;
}

static _Noreturn void end_for_host(M *m) {
  begin_endcall(m, m->rt->g1);
  leaks_at_exit(m->rt->g1->L);
  process_exit(EXIT_SUCCESS);
}

static void watch_host(M *m) {
  Runtime *rt = m->rt;
  uint32_t seen = 0, zero = 0;
  while (atomic_load(&rt->main_claim) == 0) {
    if (rt_stopping(rt)) {
      stop_for_world(m);
      continue;
    }
    if (give_to_host(m)) return;
    futex_wait(&rt->main_claim, 0, mono_ns() + WATCH_NS);
    uint32_t now = atomic_load(&rt->m0->syscalls);
    bool stuck = (now & 1) != 0 && now == seen && atomic_load(&rt->m0->where) == M_BUSY;
    if (stuck && atomic_compare_exchange_strong(&rt->main_claim, &zero, 2)) end_for_host(m);
    seen = now;
    zero = 0;
  }
}

#define END_PATIENCE_NS INT64_C(500000000)

// C code has no safepoints: a goroutine that blocks in a module's code would keep us from stopping the world for ever.
void end_patience(Runtime *rt, bool on) {
  if (rt->runflags & LUNGO_LAST || atomic_load(&rt->exiting))
    atomic_store(&rt->exit_at, on ? mono_ns() + END_PATIENCE_NS : NS_FOREVER);
}

void host_notify(M *m) {
  m_poll(m->rt->m0, POLL_PREEMPT);
  if (!give_to_host(m)) watch_host(m);
}

static void claim_run(Runtime *rt) {
  uint32_t zero = 0;
  if (!atomic_compare_exchange_strong(&rt->main_claim, &zero, 1))
    for (;;) pause(); // a worker is ending the process
  futex_wake(&rt->main_claim, -1);
}

// Goroutine 1 from its start to its end. setjmp has a function of its own: no local changes after it.
static void run_main(M *m, G *g, int nargs) {
  if (setjmp(m->quit) == 0) {
    m_execute(m, g, nargs);
    m_run(m);
  }
}

static void enter_scheduler(M *m, G *g, int flags) {
  Runtime *rt = m->rt;
  if (rt->frozen) rt_unfreeze(m);
  rt->runflags = flags;
  interrupt_clear(rt);
  if (flags & LUNGO_KEEP) rt_start(rt, m); // an interrupt needs the monitor; without memory for it there is none
  atomic_store(&rt->main_done, false);
  atomic_store(&rt->main_claim, 0);
  if (flags & (LUNGO_PANIC | LUNGO_KEEP)) rt_signals(rt);
  if (!(flags & LUNGO_PANIC)) {
    g->lockedm = m;
    m->lockedg = g;
  }
  g->started = false;
  g_setstatus(g, G_RUNNING, G_RUNNABLE);
  m->ctx.nlevels = 0;
  m->ctx.errjmp = NULL;
}

static void leave_scheduler(M *m, G *g, lua_State *L) {
  claim_run(m->rt);
  if (g->lockedm == m) {
    g->lockedm = NULL;
    m->lockedg = NULL;
  }
  g->cur = L;
  g->m = m;
  m->g = g;
  m->insched = false;
  L->ctx = &m->ctx;
  m->ctx.L = L;
  m->ctx.nlevels = 1;
  m->ctx.errjmp = NULL;
  atomic_store_explicit(&L->status, LUA_OK, memory_order_relaxed);
  atomic_store_explicit(&L->running, CORO_RUNS, memory_order_relaxed);
  g_setstatus(g, G_WAITING, G_RUNNING);
  if (atomic_load(&m->rt->started)) rt_freeze(m);
  end_patience(m->rt, false);
}

// Results or the error value to where lua_pcall leaves them: at `base`, where the function was.
static void place_results(lua_State *L, int base, int nresults, int status) {
  if (status != LUA_OK) {
    lua_rotate(L, base, 1);
    lua_settop(L, base);
  } else if (nresults >= 0) {
    lua_settop(L, base - 1 + nresults);
  }
}

static int script_done(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  return lua_gettop(L);
}

int rt_script(lua_State *L) { return vm_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, script_done); }

LUA_API int lungo_run(lua_State *L, int nargs, int nresults, int flags) {
  Runtime *rt = L->gl->rt;
  M *m = rt->m0, *outer = m_current;
  G *g = rt->g1;
  int base = lua_gettop(L) - nargs;
  if (L != L->gl->mainL || m->ctx.nlevels != 1 || m->insched) {
    lua_settop(L, base - 1);
    lua_pushliteral(L, "lungo_run called inside a running state");
    return LUA_ERRRUN;
  }
  m_setcurrent(m);
  if ((flags & LUNGO_PANIC) && lua_checkstack(L, 1)) {
    lua_pushcfunction(L, rt_script);
    lua_insert(L, base);
    nargs++;
  }
  L->base_ci.func = L->stack + base - 1; // what lies below is the host's: an error unwinds to the base frame
  enter_scheduler(m, g, flags);
  run_main(m, g, nargs);
  leave_scheduler(m, g, L);
  L->base_ci.func = L->stack;
  m_setcurrent(outer);
  place_results(L, base, nresults, rt->main_status);
  return rt->main_status;
}

// ---- ending from inside: os.exit, and lua_close by a goroutine
// -------------------------------------------------------

_Noreturn void rt_exit(lua_State *L, int status, bool close) {
  Runtime *rt = L->gl->rt;
  leaks_at_exit(L);
  if (close) {
    rt_close_claim(L->gl);
    atomic_store(&rt->exit_status, status);
    atomic_store(&rt->exiting, true);
    lua_close(L);
  }
  process_exit(status);
}

bool rt_close_inside(Global *gl) {
  const M *m = m_of(rt_current(gl));
  return m->insched || m->ctx.nlevels > 1;
}

void rt_close_claim(Global *gl) {
  M *m = m_of(rt_current(gl)), *first = NULL;
  if (!atomic_compare_exchange_strong(&gl->rt->closer, &first, m) && first != m) m_stayaway(m);
}

// Wherever goroutine 1 is, it stays there. In a queue, or when it is readied, it is dropped (m_start_locked_g); the
// thread that runs it, or that its C frames lie on, is at a safepoint, in a blocking region or waiting, and comes back
// from none of them (m_isover).
void rt_close_alone(lua_State *L) {
  M *m = m_of(L->ctx);
  Runtime *rt = m->rt;
  end_patience(rt, true);
  if (!rt->frozen) rt_freeze(m);
  end_patience(rt, false);
  if (m->g == rt->g1) return;
  sched_lock(rt);
  rt->g1->nested = true;
  rt->g1->wirem = NULL;
  atomic_store(&rt->no_main, true);
  sched_unlock(rt);
}

// ---- making and freeing ---------------------------------------------------------------------------------------------

static Runtime *runtime_alloc(void) {
  Runtime *rt = NULL;
  if (posix_memalign((void **)&rt, CACHE_LINE, sizeof *rt) != 0) return NULL;
  memset(rt, 0, sizeof *rt);
  atomic_store(&rt->sleep_until, NS_FOREVER);
  atomic_store(&rt->mon_until, NS_FOREVER);
  atomic_store(&rt->exit_at, NS_FOREVER);
  atomic_store(&rt->nprocs, 1);
  rt->wantprocs = default_procs();
  rt->nextid = 1;
  rt->schedyield = debug_var("schedyield");
  rw_debug();
  return rt;
}

static void runtime_release(Runtime *rt) {
  hub_release(rt);
  for (int i = 0; i < atomic_load(&rt->nallp); i++) p_free(rt, rt->allp[i]);
  for (M *m = atomic_load(&rt->allm), *next; m != NULL; m = next) {
    next = m->allnext;
    free(m);
  }
  for (GSlab *s = rt->slabs, *next; s != NULL; s = next) {
    next = s->next;
    slab_free(s);
  }
  free(rt);
}

// Goroutine 1 runs on M0 from the beginning, in the host's C code.
static void adopt_main(M *m, G *g, lua_State *L) {
  g->L = g->cur = L;
  g->id = g_nextid(m);
  g->is_main = true;
  g->started = true;
  g->m = m;
  g_setstatus(g, G_IDLE, G_RUNNING);
  stat_add(m->p->ngo, 1);
  m->g = g;
  m->is_host = true;
  m->ctx.L = L;
  m->ctx.nlevels = 1;
  L->g = g;
  L->ctx = &m->ctx;
}

int rt_new(lua_State *L) {
  Runtime *rt = runtime_alloc();
  if (rt == NULL) return -ENOMEM;
  rt->gl = L->gl;
  rt->seeded = vm_getseed(&rt->seed);
  if (!rt->seeded) rt->seed = (uint64_t)debug_var("seed");
  if (rt->seed == 0 && !rt->seeded) rt->seed = L->gl->seed ^ (uint64_t)mono_ns() << 20;
  P *p = rt->allp[0] = p_new(rt, 0);
  if (p == NULL) goto fail;
  atomic_store(&rt->nallp, 1);
  if ((p->cache = cache_new(L->gl->heap)) == NULL) goto fail;
  if ((rt->m0 = m_new(rt)) == NULL) goto fail;
  p_acquire(rt->m0, p);
  if ((rt->g1 = g_alloc(rt->m0)) == NULL) goto fail;
  adopt_main(rt->m0, rt->g1, L);
  lockstep_decide(rt);
  L->gl->rt = rt;
  rt_leave(rt_enter(&rt->m0->ctx));
  return 0;
fail:
  runtime_release(rt);
  return -ENOMEM;
}

static void wake_sleeper(G *g, void *arg) {
  int *n = arg;
  *n += sleeper_wake(g);
}

// All threads of ours but those in blocking regions end: at their safepoints, or where they sleep. Returns how many of
// the latter there are. `stuck` more do not come to a safepoint.
static int end_threads(Runtime *rt, int stuck) {
  int sleepers = 0;
  g_each(rt, wake_sleeper, &sleepers);
  int64_t patience = sleepers > 0 ? mono_ns() + SLEEPER_NS : 0; // they come back from a blocking region
  sched_lock(rt);
  atomic_store(&rt->dying, true);
  atomic_fetch_add(&rt->stwevent, 1);
  sched_unlock(rt);
  futex_wake(&rt->stwevent, -1);
  m_wakeall(rt);
  sysmon_wake(rt);
  for (;;) {
    sched_lock(rt);
    int n = atomic_load(&rt->nthreads);
    bool away = n <= rt->nblocked + stuck && (n == 0 || patience == 0 || mono_ns() >= patience);
    if (n > 0 && away && rt->detached) rt->orphaned = true; // the last of them frees all (rt_threadends)
    sched_unlock(rt);
    if (away) return n;
    futex_wait((_Atomic uint32_t *)&rt->nthreads, (uint32_t)n, mono_ns() + SLICE_NS);
  }
}

// A thread of ours is about to end, and touches nothing afterwards.
void rt_threadends(Runtime *rt) {
  sched_lock(rt);
  int n = atomic_fetch_sub(&rt->nthreads, 1) - 1;
  bool last = n == 0 && rt->orphaned;
  futex_wake((_Atomic uint32_t *)&rt->nthreads, -1); // under the lock: rt is freed by who takes it after us
  sched_unlock(rt);
  if (!last) return;
  Global *gl = rt->gl;
  runtime_release(rt);
  vm_freeorphan(gl);
}

static int64_t last_stop(Runtime *rt) {
  int64_t least = mono_ns() + LAST_STOP_NS, deadline = atomic_load(&rt->hub->close_by);
  return deadline != NS_FOREVER && deadline > least ? deadline : least;
}

bool rt_free(lua_State *L) {
  Global *gl = L->gl;
  Runtime *rt = gl->rt;
  M *m = rt->m0;
  rt_nosignals(rt);
  trace_close(rt);
  if (m_current == m) m_setcurrent(NULL);
  if (atomic_load(&rt->started)) {
    int stuck = 0;
    if (rt->detached)
      stuck = stop_world_for_good(rt, last_stop(rt));
    else if (!rt->frozen)
      rt_freeze(m);
    hub_detach(rt);
    if (end_threads(rt, stuck) > 0)
      return false; // they come back one day, to find rt->dying, and use our memory till then
  }
  hub_detach(rt);
  runtime_release(rt);
  return true;
}
