// SPDX-License-Identifier: MIT
//
// ring_ends.h: the two ends of a wide ring, so that who puts in and who takes out do not meet.
//
// What:       a ring that holds many values has a place for senders and one for receivers, each with a lock and on a
//             cache line of its own. While nobody waits, a value goes in under the lock of the one end and comes out
//             under that of the other; how far the other end is, an end asks only when all it knew of is used up.
//             (bench/conc/oneway.lua with a buffer of 1000.)
// Invariants: an end is changed by who holds its lock. Both ends are *shut*, or none; they are shut and opened by who
//             holds the lock of the channel and of both ends (chan_settle says when). While they are shut, nothing goes
//             through them: head and count of the channel hold, and its lock guards them. While they are open, the
//             ring's state is in the ends only. n counts the values that went through an end, modulo 2^32, and begins
//             anew when the ends are opened: in the ring are send.n - recv.n. left <= what may be put (taken) at that
//             moment, as the other end can only make it more. n is written (release) after the place was filled or
//             emptied; the other end reads it (acquire) before it uses the place.
// Locking:    the channel's lock, then send.lk, then recv.lk; who holds an end for a value holds nothing else.
// Callers:    chan.h. Tests: tests/unit/ring_ends_test.c, tests/cli/wide_rings.sh; model: tests/verify/ends.pml.
#ifndef LUNGO_RUNTIME_RING_ENDS_H
#define LUNGO_RUNTIME_RING_ENDS_H

#include "lock.h"
#include "object.h"
#include "patience.h"

#define CACHE_LINE 64

typedef struct RingEnd {
  Lock lk;
  _Atomic bool shut;
  uint32_t left;      // values that may go through without a look at the other end; 0 while shut
  uint32_t at;        // the place of the next one
  _Atomic uint32_t n; // values that went through
  Patience patience;  // of those who find nothing to take, or no room
  char pad[CACHE_LINE - 6 * sizeof(uint32_t)];
} RingEnd;

typedef struct RingEnds {
  RingEnd send, recv; // the ring follows
} RingEnds;
_Static_assert(sizeof(RingEnds) == 2 * CACHE_LINE, "one line each");

static ALWAYS_INLINE bool end_isshut(RingEnd *e) { return atomic_load_explicit(&e->shut, memory_order_relaxed); }

// One value went through e.
static ALWAYS_INLINE void end_pass(RingEnd *e, uint32_t cap) {
  e->left--;
  e->at = e->at + 1 == cap ? 0 : e->at + 1;
  atomic_store_explicit(&e->n, atomic_load_explicit(&e->n, memory_order_relaxed) + 1, memory_order_release);
}

static inline uint32_t ends_count(const RingEnd *send, const RingEnd *recv, memory_order order) {
  return atomic_load_explicit(&send->n, order) - atomic_load_explicit(&recv->n, order);
}

// False: shut, or full; nothing was done.
static ALWAYS_INLINE bool ends_put(RingEnds *r, Value *ring, uint32_t cap, const Value *v) {
  RingEnd *e = &r->send;
  lock(&e->lk);
  if (unlikely(e->left == 0) && !end_isshut(e)) e->left = cap - ends_count(e, &r->recv, memory_order_acquire);
  bool can = e->left > 0;
  if (likely(can)) {
    v_copy(&ring[e->at], v);
    end_pass(e, cap);
  }
  unlock(&e->lk);
  return can;
}

// False: shut, or empty; nothing was done.
static ALWAYS_INLINE bool ends_take(RingEnds *r, const Value *ring, uint32_t cap, Value *v) {
  RingEnd *e = &r->recv;
  lock(&e->lk);
  if (unlikely(e->left == 0) && !end_isshut(e)) e->left = ends_count(&r->send, e, memory_order_acquire);
  bool can = e->left > 0;
  if (likely(can)) {
    v_copy(v, &ring[e->at]);
    end_pass(e, cap);
  }
  unlock(&e->lk);
  return can;
}

// Holds open ends: both stay locked. The oldest value is at *head, *count there are.
static inline void ends_hold(RingEnds *r, uint32_t *head, uint32_t *count) {
  lock(&r->send.lk);
  lock(&r->recv.lk);
  *head = r->recv.at;
  *count = ends_count(&r->send, &r->recv, memory_order_relaxed);
}

static inline void end_set(RingEnd *e, bool shut, uint32_t left, uint32_t at, uint32_t n) {
  atomic_store_explicit(&e->shut, shut, memory_order_relaxed);
  e->left = shut ? 0 : left;
  e->at = at;
  atomic_store_explicit(&e->n, n, memory_order_relaxed);
}

// Lets go of ends that are held: from now on they are shut, or open with the state given.
static inline void ends_release(RingEnds *r, bool shut, uint32_t cap, uint32_t head, uint32_t count) {
  uint64_t end = (uint64_t)head + count;
  end_set(&r->send, shut, cap - count, (uint32_t)(end >= cap ? end - cap : end), count);
  end_set(&r->recv, shut, count, head, 0);
  unlock(&r->recv.lk);
  unlock(&r->send.lk);
}

// Opens ends that are shut.
static inline void ends_open(RingEnds *r, uint32_t cap, uint32_t head, uint32_t count) {
  lock(&r->send.lk);
  lock(&r->recv.lk);
  ends_release(r, false, cap, head, count);
}

#endif
