// SPDX-License-Identifier: MIT
//
// patience.h: whether to wait for another processor actively before parking.
//
// What:       worth it when the other side runs on another processor right now: what it is about to do is likely
//             shorter than a park. An object keeps a count of those who waited in vain. After VAIN_MAX in a row the
//             other side sleeps, or waits for a processor itself, and of each further VAIN_ROUND only the first
//             VAIN_MAX try. Whoever waits looks rarely: each look takes a cache line from the other side, which left
//             alone for a microsecond does dozens of steps at full speed.
// Invariants: none: the count is a guess that may lose updates.
#ifndef LUNGO_RUNTIME_PATIENCE_H
#define LUNGO_RUNTIME_PATIENCE_H

#include "futex.h"
#include "sched.h"

#define VAIN_MAX 4
#define VAIN_ROUND 64

typedef struct Patience {
  _Atomic uint8_t vain;
} Patience;

// Whether to try. Counts the try as one in vain until patience_paid.
static inline bool patience_try(lua_State *L, Patience *p) {
  uint8_t vain = atomic_load_explicit(&p->vain, memory_order_relaxed);
  if (rt_gomaxprocs(L, 0) < 2) return false;
  atomic_store_explicit(&p->vain, (uint8_t)((vain + 1) % VAIN_ROUND), memory_order_relaxed);
  return vain < VAIN_MAX;
}

static inline void patience_paid(Patience *p) { atomic_store_explicit(&p->vain, 0, memory_order_relaxed); }

static inline void patience_pause(int n) {
  for (int i = 0; i < n; i++) cpu_relax();
}

#endif
