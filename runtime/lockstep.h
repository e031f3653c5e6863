// SPDX-License-Identifier: MIT
//
// lockstep.h: scheduling that depends on the program and a seed alone, not on the clock or the machine (`--seed N`).
#ifndef LUNGO_RUNTIME_LOCKSTEP_H
#define LUNGO_RUNTIME_LOCKSTEP_H

#include "sched_int.h"

#define LOCKSTEP_SLICE 10000                    // safepoints in a time slice, on average
#define LOCKSTEP_SLICE_NS 100000                // what such a slice counts for
#define LOCKSTEP_STEP_NS 1000                   // and a goroutine's turn, or a gosched that finds nobody else
#define LOCKSTEP_BLOCKED_NS INT64_C(1000000000) // who is in the system that long lets the others go on

static inline bool lockstep_ison(Runtime *rt) {
  return unlikely(atomic_load_explicit(&rt->lockstep, memory_order_relaxed));
}
int64_t lockstep_clock(Runtime *rt);
// The time that timers go by, and whatever else decides what runs.
static inline int64_t rt_clock(Runtime *rt) { return lockstep_ison(rt) ? lockstep_clock(rt) : mono_ns(); }
// Only who holds the P calls it.
static inline void lockstep_add(Runtime *rt, int64_t ns) {
  if (lockstep_ison(rt)) stat_add(rt->clock, ns);
}
void lockstep_decide(Runtime *rt);      // before rt_start: the seed or the number of processors has changed
void lockstep_end(Runtime *rt);         // world stopped: from now on things take their course
void lockstep_idle_locked(Runtime *rt); // the P becomes idle; rt->lock held
void lockstep_busy_locked(Runtime *rt); // and is no longer
int64_t lockstep_deadline(Runtime *rt, int64_t when); // of timers' time, as monotonic time

#endif
