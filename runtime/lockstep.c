// SPDX-License-Identifier: MIT
//
// lockstep.c: scheduling that depends on the program and a seed alone (`--seed N`, with one processor).
//
// What:       three things make two runs of a program differ even on one P: time slices and timers, which go by the
//             clock; threads, which come back from the system when they like; and random choices. In lockstep
//               - a time slice is a number of safepoints, drawn at random (POLL_PREEMPT stays set, as with
//                 LUNGODEBUG=schedyield), so that each seed has interleavings of its own;
//               - timers go by a clock that counts what was done: turns, slices, and, when all wait, the time to the
//                 next timer, which is really waited for. So it is a clock like the other for who sleeps, and timers
//                 become due at the same point of the program in each run;
//               - the monitor takes the P of a thread in a blocking region only after a second: until then the others
//                 wait with it, and go on in the same order whether the disk was fast or slow;
//               - random choices come from a state that goes with the P, not with the thread (P.rng).
// Invariants: rt->clock is changed by who holds the P, or, while it is idle, under rt->lock. It never goes back.
//             While the P is idle the time is mono_ns() - rt->ahead, but never later than the first timer: what fires
//             finds the time it was set for.
// Not here:   time.now and time.monotonic tell the true time, and what comes from outside comes when it comes. With
// more
//             processors lockstep ends for good.
// Locking:    none of its own.
// See also:   park.c (preempt), timer.c, sched.c (go_idle), sysmon.c. Tests: tests/cli/seed.sh.
#include "lockstep.h"
#include "debugvars.h"

int64_t lockstep_clock(Runtime *rt) {
  int64_t clock = stat_get(rt->clock);
  if (atomic_load(&rt->npidle) == 0) return clock;
  int64_t idle = mono_ns() - stat_get(rt->ahead);
  return idle > clock ? idle : clock;
}

static void poll_always(Runtime *rt) {
  for (M *m = atomic_load(&rt->allm); m != NULL; m = m->allnext) m_poll(m, POLL_PREEMPT);
}

void lockstep_decide(Runtime *rt) {
  bool on = rt->seeded && rt->wantprocs == 1;
  if (atomic_load(&rt->started) || on == lockstep_ison(rt)) return;
  atomic_store(&rt->lockstep, on);
  if (!on) {
    rt->schedyield = debug_var("schedyield");
    return;
  }
  atomic_store(&rt->clock, mono_ns());
  if (rt->schedyield == 0) rt->schedyield = LOCKSTEP_SLICE;
  poll_always(rt);
}

void lockstep_end(Runtime *rt) {
  if (!lockstep_ison(rt)) return;
  int64_t shift = mono_ns() - stat_get(rt->clock);
  atomic_store(&rt->lockstep, false);
  rt->seeded = false;
  rt->schedyield = debug_var("schedyield");
  timers_shift(rt, shift);
}

void lockstep_idle_locked(Runtime *rt) {
  assert_held(&rt->lock);
  if (lockstep_ison(rt)) atomic_store(&rt->ahead, mono_ns() - stat_get(rt->clock));
}

void lockstep_busy_locked(Runtime *rt) {
  assert_held(&rt->lock);
  if (!lockstep_ison(rt)) return;
  int64_t now = mono_ns() - stat_get(rt->ahead), first = timers_earliest(rt, NULL);
  if (now > first) now = first;
  if (now > stat_get(rt->clock)) atomic_store(&rt->clock, now);
}

int64_t lockstep_deadline(Runtime *rt, int64_t when) {
  return when == NS_FOREVER || !lockstep_ison(rt) ? when : when + stat_get(rt->ahead);
}
