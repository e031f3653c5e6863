// SPDX-License-Identifier: MIT
//
// park.c: stopping a goroutine until somebody readies it, and giving way.
//
// What:       two ways to stop. *Flat*: the goroutine is nothing but its lua_State; the interpreter loop returns
//             RUN_PARKED to m_execute and the worker goes on with another goroutine. *Nested*: C frames of the
//             goroutine lie on this thread's stack (table.sort calling back, a host's lua_pcall), so the thread itself
//             waits; its P goes to another worker (m_blockg), and the goroutine continues on this thread only: a worker
//             that finds it in a queue hands its P over (m_start_locked_g).
// Invariants: everything about the goroutine is written before the unlock that lets wakers see it. After that unlock a
//             flat parker touches only its own M and P.
//             g->nested implies that g->wirem waits in m_waitp or is about to: its note is a semaphore, so being
//             handed a P early is fine.
// See also:   sched.h (the contract), chan.c and sync.c (callers), proc.c.
#include "sched_int.h"
#include "call.h"
#include "cmodule.h"
#include "gc.h"
#include "group.h"
#include "happens.h"
#include "lockstep.h"
#include "meta.h"
#include "seam.h"
#include "sync.h"
#include "trace.h"
#include <time.h>

// ---- who may leave its worker -------------------------------------------------------------------------------

static inline bool can_flat(const M *m) { return m->insched && m->ctx.nlevels == 1; }

// When it began to wait, for dumps: milliseconds are enough, and the coarse clock costs a quarter of the exact one.
static inline int64_t coarse_ns(void) {
#ifdef CLOCK_MONOTONIC_COARSE
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
  return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
#else
  return mono_ns();
#endif
}

// ---- ready ------------------------------------------------------------------------------------------------------

// A cheap clock for "just now"; only differences on one worker count.
static inline uint64_t cycles(void) {
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t t;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
  return t << 6;
#else
  return 0;
#endif
}

#define SOON_CYCLES 30000 // some 10 microseconds
#define STREAK 8

// Whether readying into an empty queue should wake another worker. Goroutines that talk in turns park right after they
// readied the other, so the other runs here sooner than a woken thread could look around, and waking one for each of
// their steps would cost more than the steps. After STREAK such turns in a row we wake nobody, but for every 64th;
// should the pattern change, the system monitor finds the goroutine that waits (sysmon.c: idle_help).
static bool worth_waking(P *p) {
  uint64_t now = cycles();
  uint32_t streak = now - p->readytime < SOON_CYCLES ? stat_get(p->streak) + 1 : 0;
  p->readytime = now;
  atomic_store_explicit(&p->streak, streak, memory_order_relaxed);
  return streak < STREAK || streak % 64 == 0;
}

void g_ready(Ctx *ctx, G *g) {
  M *m = m_of(ctx);
  if (unlikely(race_on)) race_wake(g);
  g_setstatus(g, G_WAITING, G_RUNNABLE);
  if (unlikely(m == NULL || m->p == NULL)) {
    Runtime *rt = g->L->gl->rt;
    globq_put(rt, g);
    p_wake(rt);
    return;
  }
  P *p = m->p;
  if (m->infire) { // what timers ready runs in the order of the timers, not the last one first
    runq_ready(m, g, false);
    p_wake(m->rt);
    return;
  }
  bool alone = runq_len(&p->runq) == 0 && runq_peeknext(&p->runq) == NULL;
  runq_ready(m, g, true);
  if (atomic_load(&m->rt->npidle) > 0 && (!alone || worth_waking(p))) p_wake(m->rt);
}

void g_readyfirst(Runtime *rt, G *g) {
  if (unlikely(race_on)) race_wake(g);
  g_setstatus(g, G_WAITING, G_RUNNABLE);
  globq_putfirst(rt, g);
  p_wake(rt);
}

// ---- park ------------------------------------------------------------------------------------------------------

// Another goroutine's frames lie on the thread of lungo_run, which must return: they are left for good. P held.
static _Noreturn void bail_out(M *m, G *g) {
  cmodule_letgo(&m->ctx);
  sched_lock(m->rt);
  g->nested = true;
  g->wirem = NULL; // whoever finds it in a queue drops it (m_start_locked_g)
  P *extra = m->nextp;
  m->nextp = NULL;
  atomic_store(&m->note, 0);
  sched_unlock(m->rt);
  if (extra != NULL) p_handoff(m->rt, extra);
  if (atomic_load(&m->syscalls) & 1) atomic_fetch_add(&m->syscalls, 1);
  m->g = NULL;
  longjmp(m->quit, 1);
}

static bool must_bail(M *m, G *g) { return m->is_host && m->insched && !g->is_main && atomic_load(&m->rt->main_done); }

void m_blockg(M *m, G *g) {
  if (m->rt->frozen) rt_unfreeze(m);
  if (must_bail(m, g)) bail_out(m, g);
  p_handoff(m->rt, p_release(m));
  m_waitp(m, M_NESTED);
  m_regain(m, g);
}

void m_regain(M *m, G *g) {
  if (must_bail(m, g)) bail_out(m, g);
  g->wirem = NULL;
  g->nested = false;
  g->m = m;
  g_setstatus(g, G_RUNNABLE, G_RUNNING);
  if (unlikely(atomic_load_explicit(&g->intr, memory_order_relaxed) != 0)) m_poll(m, POLL_INTERRUPT);
}

static inline void park_fill(M *m, lua_State *L, WaitReason why) {
  G *g = m->g;
  lg_assert(g == L->g && m->ctx.L == L);
  g->cur = L;
  g->reason = (uint8_t)why;
  g->since = coarse_ns();
  stat_add(m->p->nparks, 1);
  if (unlikely(atomic_load_explicit(&g->intr, memory_order_relaxed) != 0)) interrupt_again(m->rt);
}

static int park_nested(M *m, lua_State *L, WaitReason why, void (*unlockall)(void *), void *arg) {
  G *g = m->g;
  park_fill(m, L, why);
  g->nested = true;
  g->wirem = m;
  g_setstatus(g, G_RUNNING, G_WAITING);
  unlockall(arg);
  m_blockg(m, g);
  if (why == WAIT_MODULE_BACK) return RT_DONE; // nothing is raised between frames of a module
  if (unlikely(m->rt->hub != NULL && g_mustend(m, g))) {
    sync_giveback(&m->ctx, g);
    g_raisekill(L);
  }
  if (unlikely(atomic_load_explicit(&g->intr, memory_order_relaxed) & INTR_PARKED)) interrupt_raise(L);
  return RT_DONE;
}

static void unlock_one(void *lk) { unlock(lk); }

int g_park(lua_State *L, WaitReason why, Lock *lk) {
  M *m = m_of(L->ctx);
  if (unlikely(!can_flat(m))) return park_nested(m, L, why, unlock_one, lk);
  park_fill(m, L, why);
  L->ci->status |= CI_PARKED;
  m->g->m = NULL;
  g_setstatus(m->g, G_RUNNING, G_WAITING);
  unlock(lk);
  return RT_PARK;
}

void g_park_thread(lua_State *L, WaitReason why, Lock *lk) { park_nested(m_of(L->ctx), L, why, unlock_one, lk); }

int g_park_fn(lua_State *L, WaitReason why, void (*unlockall)(void *arg), void *arg) {
  M *m = m_of(L->ctx);
  if (unlikely(!can_flat(m))) return park_nested(m, L, why, unlockall, arg);
  park_fill(m, L, why);
  L->ci->status |= CI_PARKED;
  m->g->m = NULL;
  g_setstatus(m->g, G_RUNNING, G_WAITING);
  unlockall(arg);
  return RT_PARK;
}

// The frame's continuation must be in place before the unlock.
static void set_continuation(lua_State *L, lua_KContext kctx, lua_KFunction k) {
  L->ci->u.c.k = k;
  L->ci->u.c.kctx = kctx;
}

int g_parkc(lua_State *L, WaitReason why, Lock *lk, lua_KContext kctx, lua_KFunction k) {
  set_continuation(L, kctx, k);
  return g_park(L, why, lk) == RT_PARK ? VM_PARK : k(L, LUA_YIELD, kctx);
}

int g_parkc_fn(lua_State *L, WaitReason why, void (*unlockall)(void *arg), void *arg, lua_KContext kctx,
               lua_KFunction k) {
  set_continuation(L, kctx, k);
  return g_park_fn(L, why, unlockall, arg) == RT_PARK ? VM_PARK : k(L, LUA_YIELD, kctx);
}

// ---- giving way ----------------------------------------------------------------------------------------------------

static bool others_wait(M *m) {
  P *p = m->p;
  return runq_len(&p->runq) > 0 || runq_peeknext(&p->runq) != NULL ||
         atomic_load_explicit(&m->rt->globn, memory_order_relaxed) > 0;
}

// One processor and an empty global queue: the back of the own queue is behind everybody, and needs no lock
// (bench/conc/gosched.lua: two thirds of the time).
static bool own_is_all(M *m) {
  return atomic_load_explicit(&m->rt->nprocs, memory_order_relaxed) == 1 &&
         atomic_load_explicit(&m->rt->globn, memory_order_relaxed) == 0;
}

// To the back of the global queue: behind everybody, on all processors; `near`: to the back of the own one, if it has
// room. `flat`: returns RT_PARK.
int yield_now(lua_State *L, bool flat, bool near) {
  M *m = m_of(L->ctx);
  G *g = m->g;
  g->cur = L;
  g->reason = WAIT_NONE;
  if (flat)
    g->m = NULL;
  else {
    g->nested = true;
    g->wirem = m;
  }
  g_setstatus(g, G_RUNNING, G_RUNNABLE);
  if (unlikely(slice_isover(m->p))) slice_end(m);
  // From here on, if flat, another worker may run it.
  if (!(near || own_is_all(m)) || !runq_put(&m->p->runq, g)) globq_put(m->rt, g);
  if (flat) return RT_PARK;
  m_blockg(m, g);
  if (unlikely(m->rt->hub != NULL)) g_checkkill(m, L);
  return RT_DONE;
}

int g_yieldc(lua_State *L, lua_KContext kctx, lua_KFunction k) {
  M *m = m_of(L->ctx);
  lockstep_add(m->rt, LOCKSTEP_STEP_NS);
  timers_rundue(m);
  if (others_wait(m)) {
    bool flat = can_flat(m);
    set_continuation(L, kctx, k);
    if (flat) L->ci->status |= CI_PARKED;
    L->ci->u2.nres = 0;
    if (yield_now(L, flat, false) == RT_PARK) return VM_PARK;
  }
  return k != NULL ? k(L, LUA_YIELD, kctx) : 0;
}

// ---- the slow half of safepoints ----------------------------------------------------------------------------------

// LUNGODEBUG=schedyield=N: the request to give way never goes away and is granted at random, every N-th time on
// average.
static bool stress_yield(M *m) {
  P *p = m->p;
  if (p->nyield > 0 && --p->nyield > 0) return false;
  p->nyield = 1 + (uint32_t)(rng_next(&m->ctx.rng) % (2 * (uint64_t)m->rt->schedyield));
  lockstep_add(m->rt, LOCKSTEP_SLICE_NS);
  return true;
}

// The goroutine has started BURST others. A nested one goes on: its thread would have to wait.
static int burst_over(M *m, lua_State *L, bool flat) {
  m->p->burst = 0;
  return flat && others_wait(m) ? yield_now(L, true, true) : RT_DONE;
}

// The goroutine ran its time or has started many others, or a timer is due, or M0 is wanted back by lungo_run.
static int preempt(M *m, lua_State *L, bool can_park) {
  Runtime *rt = m->rt;
  bool wanted = rt->schedyield == 0 || stress_yield(m);
  if (rt->schedyield == 0) atomic_fetch_and(&m->ctx.poll, ~POLL_PREEMPT);
  bool host_wanted = must_bail(m, m->g);
  bool burst = !host_wanted && m->p->burst >= BURST;
  if (lockstep_ison(rt) && !wanted && !host_wanted && !burst) return RT_DONE; // time has not moved
  timers_rundue(m);
  if (burst) return burst_over(m, L, can_park && can_flat(m));
  if (!host_wanted && !(wanted && others_wait(m))) return RT_DONE;
  stat_add(m->p->npreempts, 1);
  if (trace_ison()) trace_instant(m->p, INSTANT_PREEMPT, m->g->id);
  if (rt->schedyield != 0) slice_setover(m->p, stat_get(m->p->schedtick));
  return yield_now(L, can_park && can_flat(m), false);
}

int rt_safepoint(lua_State *L, bool can_park) {
  Ctx *ctx = L->ctx;
  M *m = m_of(ctx);
  uint32_t poll = atomic_load_explicit(&ctx->poll, memory_order_acquire);
  m->g->cur = L;
  if (unlikely(atomic_load_explicit(&m->rt->quit_wanted, memory_order_relaxed))) rt_quit_poll(m);
  if (poll & POLL_STW) {
    stw_wait(m);
    poll |= atomic_load_explicit(&ctx->poll, memory_order_acquire) & POLL_INTERRUPT; // it may be why we stopped
  }
  if (poll & POLL_GC) {
    atomic_fetch_and(&ctx->poll, ~POLL_GC);
    gc_step(L);
  }
  if (unlikely(atomic_load_explicit(&m->rt->fin_wanted, memory_order_relaxed))) final_maybe(m);
  if (poll & POLL_HOOK) atomic_fetch_and(&ctx->poll, ~POLL_HOOK); // the caller looks at L->hookmask again
  if (unlikely(poll & POLL_KILL)) {
    atomic_fetch_and(&ctx->poll, ~POLL_KILL);
    g_checkkill(m, L);
  }
  if (poll & POLL_INTERRUPT) {
    atomic_fetch_and(&ctx->poll, ~POLL_INTERRUPT);
    interrupt_raise(L);
  }
  return poll & POLL_PREEMPT ? preempt(m, L, can_park) : RT_DONE;
}

// ---- sleep ------------------------------------------------------------------------------------------------------

static void sleep_over(Ctx *ctx, Timer *t, int64_t now) {
  (void)now;
  g_ready(ctx, t->arg);
}

static Timer *sleeper_of(lua_State *L, G *g) {
  if (g->sleeper == NULL) {
    g->sleeper = malloc(sizeof *g->sleeper);
    if (g->sleeper == NULL) call_memerror(L);
    timer_init(g->sleeper, sleep_over, g, NULL);
  }
  return g->sleeper;
}

// The thread waits anyway, so the system's clock may wake it: no timer.
static void sleep_nested(M *m, int64_t until) {
  _Atomic uint32_t *intr = &m->g->intr; // an interrupt ends the sleep
  m->g->reason = WAIT_SLEEP;
  m->g->since = coarse_ns();
  atomic_store(&m->sleeps, true);
  rt_block_enter(&m->ctx);
  while (atomic_load(intr) == 0 && futex_wait(intr, 0, until) && mono_ns() < until) {
  }
  rt_block_leave(&m->ctx);
  atomic_store(&m->sleeps, false);
  m->g->reason = WAIT_NONE;
}

bool sleeper_wake(G *g) {
  if (g_status(g) != G_SYSCALL || g->m == NULL || !atomic_load(&g->m->sleeps)) return false;
  atomic_fetch_or(&g->intr, INTR_WAKE);
  futex_wake(&g->intr, 1);
  return true;
}

int g_sleepc(lua_State *L, int64_t ns, lua_KContext kctx, lua_KFunction k) {
  M *m = m_of(L->ctx);
  if (ns <= 0) return g_yieldc(L, kctx, k);
  int64_t now = rt_clock(m->rt), until = ns > INT64_MAX - 1 - now ? INT64_MAX - 1 : now + ns;
  if (!can_flat(m) && !lockstep_ison(m->rt)) {
    sleep_nested(m, until);
    if (unlikely(atomic_load(&m->g->intr) != 0)) interrupt_raise(L); // now: there may be no safepoint to come
    if (unlikely(m->rt->hub != NULL)) g_checkkill(m, L);
    return k(L, LUA_YIELD, kctx);
  }
  rt_start(m->rt, m); // only the monitor can call off a sleep (interrupt.c); without memory for it nothing can
  Timer *t = sleeper_of(L, m->g);
  P *p = timer_lock(m, t);
  if (timer_insert_locked(m->rt, p, t, until, 0) != 0) {
    unlock_ranked(&p->timerlock, RANK_TIMERS);
    call_memerror(L);
  }
  timer_poke(m->rt, until);
  set_continuation(L, kctx, k);
  lockrank_pop(RANK_TIMERS); // g_park does the unlock itself
  return g_park(L, WAIT_SLEEP, &p->timerlock) == RT_PARK ? VM_PARK : k(L, LUA_YIELD, kctx);
}
