// SPDX-License-Identifier: MIT
//
// lockrank.h: the order in which the locks of the runtime may be taken. A thread that holds a lock may take only locks
// that stand further down. Debug builds check it for every lock taken through lock_ranked.
//
// What:       RANK_CONTEXT   a context (several of one tree, ancestors first)
//             RANK_OBJ       a channel, mutex, wait group... (select takes several of them, in address order)
//             RANK_TIMERS    P.timerlock. Never held while a timer fires.
//             RANK_SCHED     Runtime.lock: idle lists, global queue, stop-the-world state
//             RANK_ALLG      Runtime.glock: slabs of Gs and the shared list of dead ones
//             RANK_HEAP      locks inside the allocator (cache_new is called under RANK_SCHED)
//             RANK_TRACEBUF  TraceBuf.lock: the events of a P. Anything may change the state of a goroutine.
//             RANK_TRACEFILE the trace's file
// Not here:   the locks of C modules (vm/cmodule.h), which are held while Lua's API runs: whoever takes one holds no
//             other lock at all, and any of these may be taken under it. The race detector's locks (happens.c,
//             shadow.c, races.c) are leaves below all of these.
// Invariants: g_ready may be called with nothing above RANK_SCHED held, that is: with no lock at all, by convention.
#ifndef LUNGO_RUNTIME_LOCKRANK_H
#define LUNGO_RUNTIME_LOCKRANK_H

#include "lgassert.h"
#include "lock.h"

enum LockRank {
  RANK_CONTEXT = 1,
  RANK_OBJ,
  RANK_TIMERS,
  RANK_SCHED,
  RANK_ALLG,
  RANK_HEAP,
  RANK_TRACEBUF,
  RANK_TRACEFILE
};

#ifdef LUNGO_DEBUG
void lockrank_push(enum LockRank rank);
void lockrank_pop(enum LockRank rank);
#else
static inline void lockrank_push(enum LockRank rank) { (void)rank; }
static inline void lockrank_pop(enum LockRank rank) { (void)rank; }
#endif

static inline void lock_ranked(Lock *l, enum LockRank rank) {
  lockrank_push(rank);
  lock(l);
}
static inline void unlock_ranked(Lock *l, enum LockRank rank) {
  lockrank_pop(rank);
  unlock(l);
}
static inline bool lock_isheld(Lock *l) { return atomic_load_explicit(&l->state, memory_order_relaxed) != 0; }
#define assert_held(l) lg_assert(lock_isheld(l))

#endif
