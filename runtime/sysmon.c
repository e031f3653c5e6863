// SPDX-License-Identifier: MIT
//
// sysmon.c: the system monitor, a thread without a P that looks after the others; and SIGQUIT.
//
// What:       it naps 20 µs while there is something to do, up to 10 ms otherwise, never past the next timer, and
//             without end while all Ps are idle. After each nap it
//               - takes the P of a thread that has been in one blocking region for a whole nap, if somebody wants it;
//               - asks a goroutine that has been running for 10 ms to give way, and says that nobody inherits its slice
//                 (P.overtick);
//               - sees to timers that are due but that nobody ran, because all Ps are busy;
//               - wakes a worker if a P is idle while goroutines queue up elsewhere (see worth_waking in park.c).
// Invariants: it never touches a Lua object. It reads Ps without locks: what it saw may be stale, and each of its acts
//             is harmless if it was not needed.
// See also:   block.c, timer.c, park.c.
#include "sched_int.h"
#include "debugvars.h"
#include "hub.h"
#include "lockstep.h"
#include "trace.h"
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define NAP_MIN INT64_C(20000)
#define NAP_MAX INT64_C(10000000)

void sysmon_wake(Runtime *rt) {
  atomic_store(&rt->monnote, 1);
  futex_wake(&rt->monnote, 1);
}

// ---- blocking regions and time slices -----------------------------------------------------------------

// Goroutines are queued somewhere: a P more would help.
static bool backlog(Runtime *rt) {
  if (atomic_load(&rt->globn) > 0) return true;
  for (int i = 0; i < atomic_load(&rt->nprocs); i++)
    if (!runq_isempty(&rt->allp[i]->runq)) return true;
  return false;
}

static bool retake_blocked(Runtime *rt, P *p) {
  sched_lock(rt);
  bool taken = !rt_stopping(rt) && p_swapstatus(p, P_SYSCALL, P_IDLE);
  if (taken) {
    atomic_store(&p->m, NULL);
    stat_add(p->syscalltick, 1);
    rt->nblocked++;
  }
  sched_unlock(rt);
  if (taken) p_handoff(rt, p);
  return taken;
}

// Its thread blocks. The same region as at the last look, so it is at least a nap old.
static bool check_blocked(Runtime *rt, P *p, int64_t now) {
  uint32_t tick = stat_get(p->syscalltick);
  if (tick != p->mon_syscalltick) {
    p->mon_syscalltick = tick;
    p->mon_syscallwhen = now;
    return false;
  }
  if (lockstep_ison(rt) && now - p->mon_syscallwhen < LOCKSTEP_BLOCKED_NS) return false;
  bool wanted = now - p->mon_syscallwhen >= SLICE_NS || atomic_load(&p->timer0) <= now || backlog(rt);
  return wanted && retake_blocked(rt, p);
}

// A goroutine, and those that inherited its slice. Time in a stopped world counts: where collections follow each other
// there is hardly any other.
static void check_running(P *p, int64_t now) {
  uint32_t tick = stat_get(p->schedtick);
  if (tick != p->mon_schedtick) {
    p->mon_schedtick = tick;
    p->mon_schedwhen = now;
  } else if (now - p->mon_schedwhen >= SLICE_NS) {
    slice_setover(p, tick);
    M *m = atomic_load(&p->m);
    if (m != NULL) m_poll(m, POLL_PREEMPT);
  }
}

static bool check_processors(Runtime *rt, int64_t now) {
  bool acted = false;
  for (int i = 0; i < atomic_load(&rt->nprocs); i++) {
    P *p = rt->allp[i];
    PStatus st = p_status(p);
    if (st == P_SYSCALL && check_blocked(rt, p, now)) acted = true;
    if (!lockstep_ison(rt) && (st == P_RUNNING || st == P_SYSCALL || st == P_GCSTOP)) check_running(p, now);
  }
  return acted;
}

// ---- timers and idle processors ---------------------------------------------------------------------------

static void poke_somebody(Runtime *rt, P *whose) {
  M *m = p_status(whose) == P_RUNNING ? atomic_load(&whose->m) : NULL;
  for (int i = 0; m == NULL && i < atomic_load(&rt->nprocs); i++)
    if (p_status(rt->allp[i]) == P_RUNNING) m = atomic_load(&rt->allp[i]->m);
  if (m != NULL) m_poll(m, POLL_PREEMPT);
}

static bool idle_worker_watches(Runtime *rt) {
  return atomic_load(&rt->npidle) > 0 && atomic_load(&rt->sleep_until) != NS_FOREVER;
}

// An idle worker that sleeps for the timer gets a millisecond to do it itself.
static bool check_timers(Runtime *rt, int64_t now) {
  P *whose = NULL;
  int64_t first = timers_earliest(rt, &whose);
  if (lockstep_ison(rt)) {
    if (atomic_load(&rt->npidle) == 0) return false;
    now = rt_clock(rt);
  }
  if (first > now - (idle_worker_watches(rt) ? 1000000 : 0)) return false;
  if (atomic_load(&rt->npidle) > 0)
    p_wake(rt);
  else
    poke_somebody(rt, whose);
  return true;
}

static bool check_idle(Runtime *rt) {
  if (atomic_load(&rt->npidle) == 0 || atomic_load(&rt->nspinning) > 0 || !backlog(rt)) return false;
  p_wake(rt);
  return true;
}

// ---- LUNGODEBUG=schedtrace=MS --------------------------------------------------------------------------------

static void trace(Runtime *rt, int64_t now) {
  static const char letters[] = "IRSGD";
  char line[512];
  int nallp = atomic_load(&rt->nallp), n = 0, at;
  at = snprintf(line, sizeof line, "sched %.3fs: procs=%d idle=%d spinning=%d threads=%d blocked=%d global=%u [",
                (double)now / 1e9, atomic_load(&rt->nprocs), atomic_load(&rt->npidle), atomic_load(&rt->nspinning),
                atomic_load(&rt->nthreads), rt->nblocked, atomic_load(&rt->globn));
  for (; n < nallp && at < (int)sizeof line - 24; n++) {
    P *p = rt->allp[n];
    at += snprintf(line + at, sizeof line - (size_t)at, "%s%c%u", n > 0 ? " " : "", letters[p_status(p)],
                   runq_len(&p->runq) + (runq_peeknext(&p->runq) != NULL));
  }
  fprintf(stderr, "%s]\n", line);
}

// ---- the thread ------------------------------------------------------------------------------------------------

static void nap(Runtime *rt, int64_t until) {
  atomic_store(&rt->mon_until, until);
  while (atomic_load(&rt->monnote) == 0 && futex_wait(&rt->monnote, 0, until)) {
  }
  atomic_store(&rt->mon_until, NS_FOREVER);
  atomic_store(&rt->monnote, 0);
}

// All Ps idle: until somebody takes one, or a run has had its time. True if it slept. Not with an interrupt to be
// served that found the world stopped: who made that stop wakes nobody at its end.
static bool sleep_while_idle(Runtime *rt, int64_t limits) {
  sched_lock(rt);
  bool idle = atomic_load(&rt->npidle) == atomic_load(&rt->nprocs) && !rt->dying && !atomic_load(&rt->intr_wanted);
  atomic_store(&rt->monasleep, idle);
  sched_unlock(rt);
  if (!idle) return false;
  nap(rt, limits);
  atomic_store(&rt->monasleep, false);
  return true;
}

// When to look again: after `delay`, but not after the next timer if that is our business.
static int64_t next_look(Runtime *rt, int64_t delay) {
  int64_t now = mono_ns(), until = now + delay;
  if (idle_worker_watches(rt) || lockstep_ison(rt)) return until;
  int64_t first = timers_earliest(rt, NULL);
  if (first >= until) return until;
  return first > now + NAP_MIN ? first : now + NAP_MIN;
}

static void look_around(Runtime *rt) {
  int64_t delay = NAP_MIN, traced = 0;
  int64_t limits = NS_FOREVER;
  int quiet = 0;
  while (!atomic_load(&rt->dying)) {
    if (quiet > 50 && delay < NAP_MAX) delay = delay * 2 < NAP_MAX ? delay * 2 : NAP_MAX;
    limits = hub_tick(rt, mono_ns());
    if (sleep_while_idle(rt, limits)) {
      quiet = 0;
    } else {
      int64_t next = next_look(rt, delay);
      nap(rt, next < limits ? next : limits);
    }
    if (quiet == 0) delay = NAP_MIN;
    if (atomic_load(&rt->quit_wanted)) {
      stop_world_monitor(rt, 1000000000);
      dump_exit(rt, "SIGQUIT: quit");
    }
    trace_killpoll();
    int64_t now = mono_ns();
    if (now >= atomic_load_explicit(&rt->exit_at, memory_order_relaxed)) process_exit(atomic_load(&rt->exit_status));
    bool acted = check_processors(rt, now);
    if (rt_stopping(rt)) {
      quiet++;
      continue;
    }
    if (atomic_load(&rt->intr_wanted)) interrupt_serve(rt);
    acted |= check_timers(rt, now);
    acted |= check_idle(rt);
    quiet = acted ? 0 : quiet + 1;
    if (rt->schedtrace > 0 && now - traced >= rt->schedtrace * INT64_C(1000000)) trace(rt, traced = now);
  }
}

static void *sysmon_main(void *arg) {
  Runtime *rt = arg;
#ifdef __linux__
  prctl(PR_SET_NAME, "lungo-sysmon");
  prctl(PR_SET_TIMERSLACK, 1000);
#endif
  look_around(rt);
  rt_threadends(rt);
  return NULL;
}

int sysmon_start(Runtime *rt) {
  rt->schedtrace = debug_var("schedtrace");
  return thread_start(rt, sysmon_main, rt);
}

// ---- SIGQUIT -----------------------------------------------------------------------------------------------------
// Interrupted system calls are not restarted: the process is about to end. The handler only asks. With a monitor, that
// stops the world and prints. Without one there is one thread: at its next safepoint, or on the spot if it waits in the
// system (then its Lua state is at rest and nobody else is there).

static _Atomic(Runtime *) quit_rt;

static void on_quit(int sig) {
  Runtime *rt = atomic_load(&quit_rt);
  (void)sig;
  if (rt == NULL) return;
  atomic_store(&rt->quit_wanted, true);
  if (atomic_load(&rt->started)) {
    sysmon_wake(rt);
  } else if (p_status(rt->allp[0]) == P_SYSCALL) {
    dump_raw(rt, "SIGQUIT: quit");
    _exit(2);
  } else {
    m_poll(rt->m0, POLL_PREEMPT);
  }
}

void rt_signals(Runtime *rt) {
  struct sigaction old, act = {.sa_handler = on_quit};
  if (atomic_exchange(&quit_rt, rt) != NULL) return;
  sigemptyset(&act.sa_mask);
  if (sigaction(SIGQUIT, NULL, &old) != 0) return;
  // Shells ignore it for what they start in the background; a handler of the host's is left alone.
  if (old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN) sigaction(SIGQUIT, &act, NULL);
}

void rt_nosignals(Runtime *rt) {
  Runtime *mine = rt;
  atomic_compare_exchange_strong(&quit_rt, &mine, NULL);
}

void rt_quit_poll(M *m) {
  if (!atomic_load(&m->rt->started)) dump_exit(m->rt, "SIGQUIT: quit");
}
