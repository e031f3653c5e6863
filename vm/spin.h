// SPDX-License-Identifier: MIT
//
// spin.h: the one-byte spin lock of shared tables, userdata and shards of the string table.
//
// Invariants: held for a few dozen instructions, or one rehash; never across a safepoint, an allocation from the Lua
//             heap, an error or a callback. Not reentrant. The holder may be descheduled by the system, so a waiter
//             soon gives up its time slice.
#ifndef LUNGO_VM_SPIN_H
#define LUNGO_VM_SPIN_H

#include "value.h"

void spin_wait(_Atomic uint8_t *lock); // slow half: returns holding the lock

static ALWAYS_INLINE void spin_lock(_Atomic uint8_t *lock) {
  if (unlikely(atomic_exchange_explicit(lock, 1, memory_order_acquire))) spin_wait(lock);
}
static ALWAYS_INLINE void spin_unlock(_Atomic uint8_t *lock) { atomic_store_explicit(lock, 0, memory_order_release); }

#endif
