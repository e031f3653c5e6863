// SPDX-License-Identifier: MIT
//
// spin.c: waiting for a spin lock. See spin.h.
#include "spin.h"

int sched_yield(void); // of <sched.h>, a name that runtime/sched.h hides when both are on the include path

#define SPINS 100 // about a microsecond; then the holder was probably descheduled

static void cpu_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// Waits on a plain load, so that the cache line stays shared until the lock looks free.
COLD void spin_wait(_Atomic uint8_t *lock) {
  int round = 0;
  do {
    while (atomic_load_explicit(lock, memory_order_relaxed)) {
      if (++round < SPINS) {
        cpu_relax();
      } else {
        sched_yield();
      }
    }
  } while (atomic_exchange_explicit(lock, 1, memory_order_acquire));
}
