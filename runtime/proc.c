// SPDX-License-Identifier: MIT
//
// proc.c: worker threads and processors: who holds which P, who sleeps, who is woken.
//
// What:       threads are started when a P needs one and none is idle; they are never ended before rt_free. An idle
//             thread sleeps on its note in rt->idlem. A P changes hands in three ways: through rt->idlep; by
//             m_give_locked to a thread that waits for one; or out of P_SYSCALL by compare-and-swap (block.c, sysmon.c,
//             stw.c).
// Invariants: note and nextp are set together under rt->lock, so a note that is seen set is never about the past.
//             Whoever takes a P out of rt->idlep wakes sysmon if that slept: somebody is going to run.
//             When the last P becomes idle, rt_checkdead_locked looks whether anything can ever happen again.
// See also:   sched.c, park.c, host.c (M0), sysmon.c.
#include "sched_int.h"
#include "hint.h"
#include "lockstep.h"
#include "seam.h"
#include "trace.h"
#include "lungo.h"
#include <errno.h>
#include <signal.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

// Deep enough for MAX_CCALLS nested levels of the interpreter and of the library's matchers. Only touched pages cost.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WORKER_STACK ((size_t)8 << 20)
#else
#define WORKER_STACK ((size_t)1 << 20)
#endif

_Thread_local M *m_current;

void m_setcurrent(M *m) { m_current = m; }

Ctx *rt_current(Global *gl) {
  M *m = m_current;
  if (gl != NULL && (m == NULL || m->rt != gl->rt)) m = gl->rt->m0;
  return m != NULL ? &m->ctx : NULL;
}

Ctx *rt_enter_slow(Ctx *ctx) {
  M *was = m_current, *m = m_of(ctx);
  if (was != NULL && !was->is_host) return NULL;
  m_current = m;
  // Only if its frames lie below us is it sure to be there when we leave; its host may close it meanwhile else.
  return was != NULL && was->ctx.nlevels > 1 ? &was->ctx : NULL;
}

void rt_leave_slow(Ctx *around) { m_current = m_of(around); }

// ---- notes -------------------------------------------------------------------------------------------

// Until the note is set (and takes it back) or the time is over (false).
bool note_sleep(M *m, int64_t deadline) {
  while (atomic_load_explicit(&m->note, memory_order_acquire) == 0) {
    if (!futex_wait(&m->note, 0, deadline)) return false;
    if (unlikely(atomic_load(&m->rt->quit_wanted))) rt_quit_poll(m);
  }
  atomic_store_explicit(&m->note, 0, memory_order_relaxed);
  return true;
}

void m_wake(M *m) { futex_wake(&m->note, 1); }

void m_give_locked(M *m, P *p) {
  assert_held(&m->rt->lock);
  lg_assert(m->nextp == NULL);
  m->nextp = p;
  atomic_store_explicit(&m->note, 1, memory_order_release);
}

void m_wakeall(Runtime *rt) {
  for (M *m = atomic_load(&rt->allm); m != NULL; m = m->allnext) {
    atomic_store(&m->note, 1);
    m_wake(m);
  }
}

// ---- processors --------------------------------------------------------------------------------------

P *p_new(Runtime *rt, int id) {
  P *p = NULL;
  if (posix_memalign((void **)&p, CACHE_LINE, sizeof *p) != 0) return NULL;
  memset(p, 0, sizeof *p);
  p->id = id;
  p->rng = rng_seed(rt->seed, (uint64_t)id);
  atomic_store(&p->overtick, UINT32_MAX); // no slice is over, and the monitor has seen none
  p->mon_schedtick = UINT32_MAX;
  atomic_store(&p->timer0, NS_FOREVER);
  return p;
}

void p_free(Runtime *rt, P *p) {
  if (p->cache != NULL) cache_free(rt->gl->heap, p->cache);
  timers_free(p);
  trace_freep(p);
  free(p);
}

// An idle P is in rt->idlep only if it has a cache or one can be made: without memory it stays idle.
P *pidle_get_locked(Runtime *rt) {
  P *p = rt->idlep;
  assert_held(&rt->lock);
  if (p == NULL) return NULL;
  if (unlikely(p->cache == NULL) && (p->cache = cache_new(rt->gl->heap)) == NULL) return NULL;
  rt->idlep = p->idlelink;
  p->idlelink = NULL;
  lockstep_busy_locked(rt);
  atomic_fetch_sub(&rt->npidle, 1);
  if (atomic_load(&rt->monasleep)) sysmon_wake(rt);
  return p;
}

void pidle_put_locked(Runtime *rt, P *p) {
  assert_held(&rt->lock);
  lg_assert(p_status(p) == P_IDLE && atomic_load(&p->m) == NULL);
  p->idlelink = rt->idlep;
  rt->idlep = p;
  lockstep_idle_locked(rt);
  atomic_fetch_add(&rt->npidle, 1);
}

void p_acquire(M *m, P *p) {
  lg_assert(m->p == NULL && p_status(p) == P_IDLE);
  atomic_store_explicit(&p->m, m, memory_order_relaxed);
  m_setp(m, p);
  m->ctx.rng = p->rng;
  p_setstatus(p, P_RUNNING);
}

P *p_release(M *m) {
  P *p = m->p;
  lg_assert(p != NULL && p_status(p) == P_RUNNING && atomic_load(&p->m) == m);
  p->rng = m->ctx.rng;
  m->p = NULL;
  m->ctx.cache = NULL;
  atomic_store_explicit(&p->m, NULL, memory_order_relaxed);
  p_setstatus(p, P_IDLE);
  return p;
}

void p_wake(Runtime *rt) {
  int zero = 0;
  if (atomic_load(&rt->npidle) == 0 || atomic_load(&rt->nspinning) != 0) return;
  if (atomic_compare_exchange_strong(&rt->nspinning, &zero, 1)) m_start(rt, NULL, true);
}

// Work that only its queues or the global one know of.
static bool has_work(Runtime *rt, P *p) { return !runq_isempty(&p->runq) || atomic_load(&rt->globn) > 0; }

// All others are busy and nobody looks around: p's next worker should.
static bool should_spin(Runtime *rt) {
  int zero = 0;
  if (atomic_load(&rt->nprocs) == 1 || atomic_load(&rt->npidle) != 0 || atomic_load(&rt->nspinning) != 0) return false;
  return atomic_compare_exchange_strong(&rt->nspinning, &zero, 1);
}

void p_handoff(Runtime *rt, P *p) {
  atomic_fetch_add_explicit(&rt->nhandoffs, 1, memory_order_relaxed);
  if (trace_ison()) trace_instant(p, INSTANT_HANDOFF, p->id);
  if (has_work(rt, p)) {
    m_start(rt, p, false);
    return;
  }
  if (should_spin(rt)) {
    m_start(rt, p, true);
    return;
  }
  sched_lock(rt);
  if (rt_stopping(rt)) {
    p_setstatus(p, P_GCSTOP);
    stop_count(rt);
  } else if (rt->globq.n > 0 || atomic_load(&p->timer0) < atomic_load(&rt->sleep_until)) {
    sched_unlock(rt); // somebody must wait for its timers
    m_start(rt, p, false);
    return;
  } else {
    pidle_put_locked(rt, p);
    if (atomic_load(&rt->npidle) == atomic_load(&rt->nprocs)) rt_checkdead_locked(rt);
  }
  sched_unlock(rt);
}

// ---- threads -----------------------------------------------------------------------------------------------

_Noreturn void m_quit(M *m) { longjmp(m->quit, 2); }

uint64_t rng_seed(uint64_t seed, uint64_t stream) {
  uint64_t z = seed + (stream + 1) * UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  z ^= z >> 31;
  return z != 0 ? z : 1;
}

M *m_new(Runtime *rt) {
  M *m = NULL;
  if (posix_memalign((void **)&m, CACHE_LINE, sizeof *m) != 0) return NULL;
  memset(m, 0, sizeof *m);
  m->rt = rt;
  m->ctx.gl = rt->gl;
  sched_lock(rt);
  m->id = rt->nextmid++;
  sched_unlock(rt);
  if (rt->schedyield > 0) atomic_store(&m->ctx.poll, POLL_PREEMPT);
  M *first = atomic_load(&rt->allm);
  do m->allnext = first;
  while (!atomic_compare_exchange_weak(&rt->allm, &first, m));
  return m;
}

static void *m_main(void *arg) {
  M *m = arg;
  Runtime *rt = m->rt;
  m_setcurrent(m);
#ifdef __linux__
  prctl(PR_SET_NAME, "lungo-worker");
  prctl(PR_SET_TIMERSLACK, 1000); // ns: timers are to be exact
#endif
  if (setjmp(m->quit) == 0) {
    if (m->helper) {
      stw_help(m);
      idle_until_p(m);
    } else {
      m_waitp(m, M_IDLE);
    }
    m_run(m);
  }
  m_setcurrent(NULL);
  rt_threadends(rt);
  return NULL;
}

// Signals go to the host's own threads: workers block all but those that report faults of their own.
static int spawn_blocked(pthread_attr_t *attr, void *(*f)(void *), void *arg) {
  sigset_t all, old;
  pthread_t t;
  sigfillset(&all);
  sigdelset(&all, SIGSEGV);
  sigdelset(&all, SIGBUS);
  sigdelset(&all, SIGFPE);
  sigdelset(&all, SIGILL);
  sigdelset(&all, SIGABRT);
  sigdelset(&all, SIGPROF);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int r = pthread_create(&t, attr, f, arg);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return r;
}

int thread_start(Runtime *rt, void *(*f)(void *), void *arg) {
  pthread_attr_t attr;
  if (pthread_attr_init(&attr) != 0) return -ENOMEM;
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attr, WORKER_STACK);
  atomic_fetch_add(&rt->nthreads, 1);
  int r = spawn_blocked(&attr, f, arg);
  if (r != 0) atomic_fetch_sub(&rt->nthreads, 1);
  pthread_attr_destroy(&attr);
  return -r;
}

bool m_spawn(M *m) { return thread_start(m->rt, m_main, m) == 0; }

// ---- idle threads -------------------------------------------------------------------------------------------

static void idle_push_locked(M *m) {
  Runtime *rt = m->rt;
  m->idleprev = NULL;
  m->idlenext = rt->idlem;
  if (rt->idlem != NULL) rt->idlem->idleprev = m;
  rt->idlem = m;
  atomic_store(&m->where, M_IDLE);
}

void m_unidle_locked(M *m) {
  Runtime *rt = m->rt;
  if (m->idleprev != NULL)
    m->idleprev->idlenext = m->idlenext;
  else
    rt->idlem = m->idlenext;
  if (m->idlenext != NULL) m->idlenext->idleprev = m->idleprev;
  m->idlenext = m->idleprev = NULL;
  atomic_store(&m->where, M_BUSY);
  if (rt->sleeper == m) {
    rt->sleeper = NULL;
    atomic_store(&rt->sleep_until, NS_FOREVER);
  }
}

// The one that slept last is the warmest; the one that waits for a timer is the last choice.
M *m_takeidle_locked(Runtime *rt) {
  M *m = rt->idlem;
  assert_held(&rt->lock);
  if (m == NULL) return NULL;
  if (m == rt->sleeper && m->idlenext != NULL) m = m->idlenext;
  m_unidle_locked(m);
  return m;
}

bool m_sleepidle(M *m, int64_t until) {
  Runtime *rt = m->rt;
  assert_held(&rt->lock);
  idle_push_locked(m);
  sched_unlock(rt);
  note_sleep(m, until);
  sched_lock(rt);
  if (atomic_load(&m->where) == M_IDLE) m_unidle_locked(m); // nobody took us out
  P *p = m->nextp;
  bool help = m->helper;
  m->nextp = NULL;
  m->helper = false;
  atomic_store(&m->note, 0);
  sched_unlock(rt);
  if (help) stw_help(m);
  if (unlikely(atomic_load(&rt->dying))) m_quit(m);
  if (p != NULL) p_acquire(m, p);
  return p != NULL;
}

void m_waitp(M *m, MWhere where) {
  Runtime *rt = m->rt;
  for (;;) {
    sched_lock(rt);
    if (rt->dying) {
      sched_unlock(rt);
      m_quit(m);
    }
    P *p = m->nextp;
    m->nextp = NULL;
    atomic_store(&m->note, 0);
    atomic_store(&m->where, p != NULL ? M_BUSY : where);
    sched_unlock(rt);
    if (p != NULL) {
      p_acquire(m, p);
      return;
    }
    note_sleep(m, NS_FOREVER);
  }
}

void m_stayaway(M *m) {
  if (trace_ison() && m->g != NULL) trace_state(m->g, G_RUNNING, G_RUNNABLE);
  for (;;) {
    if (m->p != NULL) p_handoff(m->rt, p_release(m));
    m_waitp(m, M_NESTED);
  }
}

void m_reacquire(M *m, G *g) {
  Runtime *rt = m->rt;
  GStatus from = g_status(g); // G_SYSCALL, or G_RUNNING if its P was abolished (rt_gomaxprocs)
  sched_lock(rt);
  rt->nblocked--; // first: rt_free counts those that are still away
  if (rt->dying || m_isover(m)) {
    sched_unlock(rt);
    m_stayaway(m);
  }
  P *p = rt_stopping(rt) ? NULL : pidle_get_locked(rt);
  if (p != NULL) {
    sched_unlock(rt);
    p_acquire(m, p);
    if (from == G_SYSCALL)
      g_setstatus(g, G_SYSCALL, G_RUNNING);
    else if (trace_ison())
      trace_state(g, G_RUNNABLE, G_RUNNING); // see dispossess_locked
    return;
  }
  g->nested = true;
  g->wirem = m;
  g_setstatus(g, from, G_RUNNABLE);
  globq_put_locked(rt, g);
  sched_unlock(rt);
  m_waitp(m, M_NESTED); // all Ps are in use: each looks at the global queue before it becomes idle
  m_regain(m, g);
}

// Gives p to a thread that is started for it; without memory for one it becomes idle.
static void start_new(Runtime *rt, P *p, bool spinning) {
  M *m = m_new(rt);
  if (m != NULL) {
    m->spinning = spinning;
    sched_lock(rt);
    m_give_locked(m, p);
    sched_unlock(rt);
    if (m_spawn(m)) return;
    sched_lock(rt);
    m->nextp = NULL;
    sched_unlock(rt);
  }
  if (spinning) atomic_fetch_sub(&rt->nspinning, 1);
  sched_lock(rt);
  pidle_put_locked(rt, p);
  sched_unlock(rt);
}

// p == NULL: any idle one, if there is. spinning: the caller has counted it in rt->nspinning.
void m_start(Runtime *rt, P *p, bool spinning) {
  sched_lock(rt);
  if (p == NULL && (rt_stopping(rt) || (p = pidle_get_locked(rt)) == NULL)) {
    sched_unlock(rt);
    if (spinning) atomic_fetch_sub(&rt->nspinning, 1);
    return;
  }
  M *m = m_takeidle_locked(rt);
  if (m == NULL) {
    sched_unlock(rt);
    start_new(rt, p, spinning);
    return;
  }
  m->spinning = spinning;
  m_give_locked(m, p);
  sched_unlock(rt);
  m_wake(m);
}

// g was found in a queue but belongs to another thread. An abandoned one (no thread any more: park.c) is dropped.
bool m_start_locked_g(M *m, G *g) {
  Runtime *rt = m->rt;
  sched_lock(rt);
  M *t = g->nested ? g->wirem : g->lockedm;
  if (t == NULL || t->nextp != NULL) { // the second: M0 was just called back to lungo_run
    if (!g->nested) globq_put_locked(rt, g);
    sched_unlock(rt);
    return false;
  }
  m_give_locked(t, p_release(m));
  sched_unlock(rt);
  m_wake(t);
  return true;
}

// ---- the end of hope -----------------------------------------------------------------------------------------

int rt_numgoroutine(Runtime *rt) {
  int64_t n = 0;
  for (int i = 0; i < atomic_load(&rt->nallp); i++) n += stat_get(rt->allp[i]->ngo);
  return n < 0 ? 0 : (int)n;
}

// No worker runs. Nothing will ever happen if no thread is in a blocking region, no queue has a goroutine, no timer is
// armed: everything else that readies goroutines is a goroutine.
bool rt_isquiet_locked(Runtime *rt) {
  assert_held(&rt->lock);
  if (rt->nblocked > 0 || atomic_load(&rt->nhost) > 0 || rt->globq.n > 0) return false;
  for (int i = 0; i < atomic_load(&rt->nallp); i++) {
    P *p = rt->allp[i];
    if (!runq_isempty(&p->runq) || atomic_load(&p->ntimers) > 0 || atomic_load(&p->m) != NULL) return false;
  }
  return true;
}

// All Ps are idle.
void rt_checkdead_locked(Runtime *rt) {
  assert_held(&rt->lock);
  if (rt_stopping(rt) || rt->dying || !rt_isquiet_locked(rt)) return;
  if (atomic_load(&rt->main_done) && !rt->gl->closing) return;
  if (rt->runflags & LUNGO_KEEP) {
    interrupt_deadlock_locked(rt);
    return;
  }
  bool none = rt->main_goexit && rt_numgoroutine(rt) == 0;
  sched_unlock(rt);
  rt_fatal(rt, none ? "no goroutines (main called runtime.goexit) - deadlock!" : ALL_ASLEEP);
}

// ---- start ---------------------------------------------------------------------------------------------------

int rt_start(Runtime *rt, M *m) {
  if (atomic_load_explicit(&rt->started, memory_order_relaxed)) return 0;
  lg_assert(m->is_host && m->p == rt->allp[0]);
  (void)m;
  for (int i = atomic_load(&rt->nallp); i < rt->wantprocs; i++) {
    if ((rt->allp[i] = p_new(rt, i)) == NULL) return -ENOMEM;
    atomic_store(&rt->nallp, i + 1);
  }
  int r = sysmon_start(rt);
  if (r != 0) return r;
  sched_lock(rt);
  atomic_store(&rt->nprocs, rt->wantprocs);
  for (int i = rt->wantprocs - 1; i > 0; i--) pidle_put_locked(rt, rt->allp[i]);
  sched_unlock(rt);
  atomic_store(&rt->started, true);
  return 0;
}
