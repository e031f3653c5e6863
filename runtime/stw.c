// SPDX-License-Identifier: MIT
//
// stw.c: stopping the world, and letting the stopped workers help.
//
// What:       the stopper takes all idle Ps and all Ps whose threads are in blocking regions, asks the workers of the
//             others (POLL_STW) and waits until each has stopped: at a safepoint, keeping its P in P_GCSTOP and
//             sleeping on rt->stwevent (stw_wait); or between two goroutines, giving its P back (sched.c:
//             stop_for_world). While stopped, workers at safepoints and, if Ps were idle, idle threads too, take part
//             in rt_stw_parallel. *Frozen*: after lungo_run the host thread keeps the world stopped; a collection in
//             that time is nested.
// Invariants: stopping, stopper, stopwait, stopseq change under rt->lock. A P counts as stopped exactly once: by the
//             stopper, or by stop_count of whoever gives it up. A P in transit counts as running: the worker that gets
//             it sees rt->stopping before it runs a goroutine, or is asked again: the stopper repeats its request, so
//             that a request to a worker that just lost or got its P is not lost.
//             While the world is stopped no P leaves P_GCSTOP but by start_world.
// See also:   gc.c (the main user), block.c, docs of Go's stopTheWorldWithSema for the idea.
#include "sched_int.h"
#include "gc.h"
#include "lockstep.h"
#include "seam.h"
#include "trace.h"
#include <sched.h>

#define REPOKE_NS 100000
#define BIG_HEAP ((size_t)64 << 20) // a single goroutine with such a heap gets threads that help to mark

// ---- counting --------------------------------------------------------------------------------------

void stop_count(Runtime *rt) {
  assert_held(&rt->lock);
  if (atomic_fetch_sub(&rt->stopwait, 1) != 1) return;
  atomic_store(&rt->stopnote, 1);
  futex_wake(&rt->stopnote, 1);
}

// Its thread is in a blocking region: the P is ours if the swap succeeds.
static bool take_blocked_locked(Runtime *rt, P *p, PStatus to) {
  if (!p_swapstatus(p, P_SYSCALL, to)) return false;
  atomic_store(&p->m, NULL);
  stat_add(p->syscalltick, 1);
  rt->nblocked++;
  return true;
}

void stw_blockenter(Runtime *rt, P *p) {
  sched_lock(rt);
  if (rt_stopping(rt) && take_blocked_locked(rt, p, P_GCSTOP)) stop_count(rt);
  sched_unlock(rt);
}

// ---- stopping -----------------------------------------------------------------------------------------

static void poke_running_locked(Runtime *rt, const M *self) {
  for (int i = 0; i < atomic_load(&rt->nprocs); i++) {
    P *p = rt->allp[i];
    M *m = atomic_load(&p->m);
    if (m != NULL && m != self && p_status(p) == P_RUNNING) m_poll(m, POLL_STW);
  }
}

static void begin_stop_locked(Runtime *rt, M *self, StopKind kind) {
  int wait = atomic_load(&rt->nprocs) - (self != NULL);
  rt->stopkind = kind;
  rt->stopper = self;
  rt->stopbegan = kind == STOP_OTHER ? trace_begin() : 0; // of collections the collector tells (rt_gcphases)
  atomic_store(&rt->stopnote, 0);
  atomic_store(&rt->stopping, true); // before we look at statuses: block.c
  if (rt->idlep != NULL) lockstep_busy_locked(rt);
  while (rt->idlep != NULL) {
    P *p = rt->idlep;
    rt->idlep = p->idlelink;
    p_setstatus(p, P_GCSTOP);
    wait--;
  }
  atomic_store(&rt->npidle, 0);
  for (int i = 0; i < atomic_load(&rt->nprocs); i++)
    if (take_blocked_locked(rt, rt->allp[i], P_GCSTOP)) wait--;
  atomic_store(&rt->stopwait, wait);
  poke_running_locked(rt, self);
}

// Until all have stopped, or it is `deadline`.
static void wait_stopped(Runtime *rt, const M *self, int64_t deadline) {
  for (int i = 0; i < 200 && atomic_load(&rt->stopwait) > 0; i++) cpu_relax();
  while (atomic_load(&rt->stopwait) > 0) {
    int64_t now = mono_ns();
    if (now >= deadline) return;
    futex_wait(&rt->stopnote, 0, now + REPOKE_NS);
    sched_lock(rt);
    if (atomic_load(&rt->stopwait) > 0) poke_running_locked(rt, self);
    sched_unlock(rt);
  }
}

static bool stop_world_begin(M *m, StopKind kind) {
  Runtime *rt = m->rt;
  for (;;) {
    sched_lock(rt);
    if (!rt_stopping(rt)) break;
    StopKind other = rt->stopkind;
    sched_unlock(rt);
    stw_wait(m);
    if (kind == STOP_GC && other == STOP_GC) return false;
  }
  if (m->g != NULL && m->ctx.L != NULL) m->g->cur = m->ctx.L;
  begin_stop_locked(rt, m, kind);
  sched_unlock(rt);
  return true;
}

bool stop_world(M *m, StopKind kind) {
  if (!stop_world_begin(m, kind)) return false;
  wait_stopped(m->rt, m, NS_FOREVER);
  return true;
}

// A stop that is given up leaves those alone that have not stopped: they find rt->stopping false when they look.
bool stop_world_within(M *m, int64_t ns) {
  stop_world_begin(m, STOP_OTHER);
  wait_stopped(m->rt, m, mono_ns() + ns);
  sched_lock(m->rt);
  bool stopped = atomic_load(&m->rt->stopwait) == 0;
  sched_unlock(m->rt);
  if (!stopped) start_world(m);
  return stopped;
}

// The end of a runtime: nobody goes on after this stop. Returns how many Ps have not stopped by the deadline.
int stop_world_for_good(Runtime *rt, int64_t deadline) {
  M *self = rt->m0->p != NULL ? rt->m0 : NULL;
  if (self != NULL) {
    stop_world_begin(self, STOP_OTHER);
  } else {
    for (;; sched_yield()) {
      sched_lock(rt);
      if (!rt_stopping(rt) || mono_ns() >= deadline) break;
      sched_unlock(rt);
    }
    if (!rt_stopping(rt)) begin_stop_locked(rt, NULL, STOP_OTHER);
    sched_unlock(rt);
  }
  wait_stopped(rt, self, deadline);
  return atomic_load(&rt->stopwait);
}

void stop_world_monitor(Runtime *rt, int64_t timeout_ns) {
  int64_t deadline = mono_ns() + timeout_ns;
  for (;;) {
    sched_lock(rt);
    if (!rt_stopping(rt)) break;
    sched_unlock(rt); // a collection is under way, or the host froze us
    if (mono_ns() >= deadline) return;

    sched_yield();
  }
  begin_stop_locked(rt, NULL, STOP_OTHER);
  sched_unlock(rt);
  wait_stopped(rt, NULL, deadline);
}

bool try_stop_world_monitor(Runtime *rt) {
  sched_lock(rt);
  bool mine = !rt_stopping(rt) && !atomic_load(&rt->dying);
  if (mine) begin_stop_locked(rt, NULL, STOP_OTHER);
  sched_unlock(rt);
  if (mine) wait_stopped(rt, NULL, NS_FOREVER);
  return mine;
}

// ---- going on --------------------------------------------------------------------------------------------

// Ps that stopped with their worker run on; others become idle, but those with goroutines in their queue are returned.
static P *release_stopped_locked(Runtime *rt, const P *own) {
  P *busy = NULL;
  for (int i = atomic_load(&rt->nprocs) - 1; i >= 0; i--) {
    P *p = rt->allp[i];
    if (p == own || p_status(p) != P_GCSTOP) continue; // the second: a stop that was given up (stop_world_within)
    if (atomic_load(&p->m) != NULL) {
      p_setstatus(p, P_RUNNING);
      continue;
    }
    p_setstatus(p, P_IDLE);
    if (runq_isempty(&p->runq)) {
      pidle_put_locked(rt, p);
    } else {
      p->idlelink = busy;
      busy = p;
    }
  }
  return busy;
}

static void restart(Runtime *rt, const P *own) {
  if (rt->stopbegan != 0) trace_end(NULL, SPAN_WORLD, rt->stopbegan);
  sched_lock(rt);
  P *busy = release_stopped_locked(rt, own);
  rt->stopper = NULL;
  rt->stopkind = STOP_NONE;
  atomic_store(&rt->stopping, false);
  atomic_fetch_add(&rt->stopseq, 1);
  atomic_fetch_add(&rt->stwevent, 1);
  bool more = rt->globq.n > 0 || timers_earliest(rt, NULL) != NS_FOREVER;
  sched_unlock(rt);
  futex_wake(&rt->stwevent, -1);
  while (busy != NULL) {
    P *p = busy;
    busy = p->idlelink;
    p->idlelink = NULL;
    m_start(rt, p, false);
  }
  if (more) p_wake(rt);
}

void start_world(M *m) { restart(m->rt, m->p); }
void start_world_monitor(Runtime *rt) { restart(rt, NULL); }

void rt_freeze(M *m) {
  stop_world(m, STOP_OTHER);
  m->rt->frozen = true;
}

void rt_unfreeze(M *m) {
  m->rt->frozen = false;
  start_world(m);
}

// ---- jobs ---------------------------------------------------------------------------------------------------

// Takes part if a job is open and not all its numbers are given out.
static void job_join(Runtime *rt) {
  StwJob *j = &rt->job;
  uint32_t s = atomic_load(&j->state);
  do {
    if (!(s & JOB_OPEN)) return;
  } while (!atomic_compare_exchange_weak(&j->state, &s, s + 1));
  uint32_t index = atomic_fetch_add(&j->nextindex, 1);
  if (index < (uint32_t)atomic_load(&rt->nprocs)) j->fn(j->arg, (int)index);
  if (atomic_fetch_sub(&j->state, 1) == 1) { // closed, and we were the last inside
    atomic_store(&rt->jobnote, 1);
    futex_wake(&rt->jobnote, 1);
  }
}

void stw_help(M *m) { job_join(m->rt); }

// Sleeps until the stop numbered seq is over, but for jobs.
static void wait_restart(Runtime *rt, uint32_t seq) {
  for (;;) {
    uint32_t event = atomic_load(&rt->stwevent);
    if (atomic_load(&rt->stopseq) != seq || atomic_load(&rt->dying)) return;
    job_join(rt);
    futex_wait(&rt->stwevent, event, NS_FOREVER);
  }
}

void stw_wait(M *m) {
  Runtime *rt = m->rt;
  atomic_fetch_and(&m->ctx.poll, ~POLL_STW);
  if (m->g != NULL && m->ctx.L != NULL) m->g->cur = m->ctx.L;
  sched_lock(rt);
  if (!rt_stopping(rt) || rt->stopper == m) {
    sched_unlock(rt);
    return;
  }
  uint32_t seq = atomic_load(&rt->stopseq);
  const P *p = m->p;
  int64_t began = trace_begin();
  p_setstatus(m->p, P_GCSTOP);
  stop_count(rt);
  sched_unlock(rt);
  wait_restart(rt, seq);
  if (began != 0 && m->p == p) trace_end(p, SPAN_STOPPED, began);
  if (m->p == NULL) m_reacquire(m, m->g); // there are fewer processors now
  if (atomic_load(&rt->dying)) m_quit(m);
  if (m_isover(m)) m_stayaway(m);
}

// Idle threads for Ps that nobody holds, started if there are none yet.
static void call_helpers(Runtime *rt) {
  int wanted = atomic_load(&rt->nprocs) - 1;
  for (int i = 0; i < atomic_load(&rt->nprocs); i++)
    if (rt->allp[i] != rt->stopper->p && atomic_load(&rt->allp[i]->m) != NULL) wanted--;
  for (; wanted > 0; wanted--) {
    sched_lock(rt);
    M *m = m_takeidle_locked(rt);
    if (m != NULL) {
      m->helper = true;
      atomic_store(&m->note, 1);
    }
    sched_unlock(rt);
    if (m != NULL) {
      m_wake(m);
    } else {
      if (heap_bytes(rt->gl) < BIG_HEAP || atomic_load(&rt->nthreads) > atomic_load(&rt->nprocs)) return;
      if ((m = m_new(rt)) == NULL) return;
      m->helper = true;
      if (!m_spawn(m)) return;
    }
  }
}

void rt_stw_parallel(lua_State *L, void (*fn)(void *arg, int worker), void *arg) {
  Runtime *rt = L->gl->rt;
  StwJob *j = &rt->job;
  if (atomic_load(&rt->nprocs) == 1) {
    fn(arg, 0);
    return;
  }
  j->fn = fn;
  j->arg = arg;
  atomic_store(&j->nextindex, 1);
  atomic_store(&rt->jobnote, 0);
  atomic_store(&j->state, JOB_OPEN);
  atomic_fetch_add(&rt->stwevent, 1);
  futex_wake(&rt->stwevent, -1);
  call_helpers(rt);
  fn(arg, 0);
  uint32_t inside = atomic_fetch_and(&j->state, ~JOB_OPEN) & ~JOB_OPEN;
  if (inside == 0) return;
  while (atomic_load(&rt->jobnote) == 0) futex_wait(&rt->jobnote, 0, NS_FOREVER);
}

// ---- what the collector calls (seam.h) ----------------------------------------------------------------------------

int rt_stw_workers(lua_State *L) { return atomic_load(&L->gl->rt->nprocs); }

bool rt_stw_begin(lua_State *L) {
  M *m = m_of(L->ctx);
  Runtime *rt = m->rt;
  if (rt->frozen) return true; // only the host's thread runs, and it is the stopper
  if (!atomic_load_explicit(&rt->started, memory_order_relaxed) && rt->wantprocs > 1 && heap_bytes(rt->gl) > BIG_HEAP)
    rt_start(rt, m); // if that fails, we mark alone
  return stop_world(m, STOP_GC);
}

void rt_stw_end(lua_State *L) {
  M *m = m_of(L->ctx);
  if (!m->rt->frozen) start_world(m);
}
