// SPDX-License-Identifier: MIT
//
// rwmutex.h: the read-write mutex, as a C object. See rwmutex.c; what `begin` functions return: sync.h.
//
// Valid when all zero. Its owner marks its slots (rw_trace), and outlives its waiters.
// Callers hold a P (but for rw_calloff), whose slot they may use.
#ifndef LUNGO_RUNTIME_RWMUTEX_H
#define LUNGO_RUNTIME_RWMUTEX_H

#include "waitq.h"

typedef struct RWSlot {
  _Alignas(64) _Atomic int64_t n; // number of readers, or RW_CLOSED
} RWSlot;
#define RW_CLOSED (-1)

typedef struct RWSlots {
  uint32_t mask; // number of slots - 1
  void *mem;     // heap_trymem's memory, in which this lies aligned
  int64_t since; // when they were opened, monotonic ns; the mutex's lk
  RWSlot slot[];
} RWSlots;

typedef struct RWMutex {
  _Atomic uint64_t state;   // RW_* bits, and the number of the readers that are not counted in slots
  _Atomic(RWSlots *) slots; // NULL until it is spread for the first time; lk guards changes
  Lock lk;                  // guards the queues, every change of RW_QUEUED and RW_SPREAD, opening and closing slots
  _Atomic uint16_t met;     // readers that met another since the last change of RW_SPREAD; some are lost
  _Atomic uint8_t backoff;  // how often in a row spreading was not worth it; lk guards changes
  WaitQ readers, writers;
} RWMutex;
#define RW_WRITER (UINT64_C(1) << 62) // a writer has it
#define RW_QUEUED (UINT64_C(1) << 61) // somebody waits: newcomers join the queue
#define RW_SPREAD (UINT64_C(1) << 60) // slots may be open; never together with the two above
#define RW_READERS (RW_SPREAD - 1)

#define rw_cas(p, old, new)                                                                                            \
  atomic_compare_exchange_strong_explicit(p, old, new, memory_order_acq_rel, memory_order_acquire)

bool rw_begin_lock(lua_State *L, RWMutex *rw);
bool rw_begin_rlock(lua_State *L, RWMutex *rw);
bool rw_trylock(RWMutex *rw);
bool rw_tryrlock(Ctx *ctx, RWMutex *rw);
bool rw_unlock(Ctx *ctx, RWMutex *rw);  // false: no writer has it
bool rw_runlock(Ctx *ctx, RWMutex *rw); // false: no reader has it
bool rw_isrlocked(RWMutex *rw);
static inline bool rw_iswlocked(RWMutex *rw) {
  return atomic_load_explicit(&rw->state, memory_order_relaxed) & RW_WRITER;
}

// The slot of the processor that runs the caller. Processors beyond the block's size share slots.
static ALWAYS_INLINE _Atomic int64_t *rw_slot(Ctx *ctx, RWMutex *rw) {
  RWSlots *s = atomic_load_explicit(&rw->slots, memory_order_acquire);
  return &s->slot[ctx->proc & s->mask].n;
}

// The usual cases, one compare-and-swap with nothing around it that could be left out: for quick halves, which tell the
// race detector nothing. False: nothing was done; `again` does what there is to do then.
extern _Atomic bool rw_eager; // LUNGODEBUG=rwspread: spread at every chance, whether readers meet or not
static ALWAYS_INLINE bool rw_quickrlock(Ctx *ctx, RWMutex *rw) {
  uint64_t s = atomic_load_explicit(&rw->state, memory_order_acquire); // and then rw->slots, which came before the bit
  if (s & RW_SPREAD) {
    _Atomic int64_t *slot = rw_slot(ctx, rw);
    int64_t n = atomic_load_explicit(slot, memory_order_relaxed);
    return likely(n >= 0) && likely(rw_cas(slot, &n, n + 1));
  }
  return likely(s < RW_READERS) && likely(!atomic_load_explicit(&rw_eager, memory_order_relaxed)) &&
         likely(rw_cas(&rw->state, &s, s + 1));
}
static ALWAYS_INLINE bool rw_quickrunlock(Ctx *ctx, RWMutex *rw) {
  uint64_t s = atomic_load_explicit(&rw->state, memory_order_acquire);
  if (s & RW_SPREAD) {
    _Atomic int64_t *slot = rw_slot(ctx, rw);
    int64_t n = atomic_load_explicit(slot, memory_order_relaxed);
    return likely(n > 0) && likely(rw_cas(slot, &n, n - 1));
  }
  return likely(s - 1 < RW_READERS) && likely(rw_cas(&rw->state, &s, s - 1));
}
bool rw_tryrlock_again(Ctx *ctx, RWMutex *rw);
bool rw_runlock_again(Ctx *ctx, RWMutex *rw);

void rw_trace(struct Marker *m, RWMutex *rw);
// As sync.h's `calloff`s.
Waiter *rw_calloff(Waiter *w, bool writer);
// Reads LUNGODEBUG=rwspread, when a universe is made.
void rw_debug(void);

#endif
