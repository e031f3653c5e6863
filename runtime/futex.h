// SPDX-License-Identifier: MIT
//
// futex.h: sleeping on a 32-bit word. Linux futexes; elsewhere a small table of condition variables, picked by address.
//
// Invariants: wakers change the word first and call futex_wake then; a sleeper that saw the old value either finds the
//             new one at once or is woken. Spurious returns are allowed: callers loop.
#ifndef LUNGO_RUNTIME_FUTEX_H
#define LUNGO_RUNTIME_FUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define NS_FOREVER INT64_MAX

// Sleeps while *word == expected, until woken or until monotonic time `deadline` (ns). False: the time is over.
bool futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline);
void futex_wake(_Atomic uint32_t *word, int n); // n < 0: all. Safe in a signal handler (Linux).

// A hint to the processor inside a spin loop.
static inline void cpu_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
