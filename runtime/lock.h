// SPDX-License-Identifier: MIT
//
// lock.h: the small lock of the runtime: spins briefly, then sleeps on a futex (condition variable elsewhere).
//
// Invariants: never held across a safepoint, an allocation from the Lua heap, a Lua error or a callback. Lock order is
//             lockrank.h's; debug builds check it.
#ifndef LUNGO_RUNTIME_LOCK_H
#define LUNGO_RUNTIME_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Lock {
  _Atomic uint32_t state; // 0 free, 1 held, 2 held and somebody sleeps
} Lock;

void lock_slow(Lock *l);
void unlock_slow(Lock *l);

static inline bool lock_try(Lock *l) {
  uint32_t zero = 0;
  return atomic_compare_exchange_strong_explicit(&l->state, &zero, 1, memory_order_acquire, memory_order_relaxed);
}
static inline void lock(Lock *l) {
  if (!lock_try(l)) lock_slow(l);
}
static inline void unlock(Lock *l) {
  if (atomic_exchange_explicit(&l->state, 0, memory_order_release) == 2) unlock_slow(l);
}

#endif
