// SPDX-License-Identifier: MIT
//
// lock.c: the slow halves of the runtime's lock, and sleeping on a word.
//
// What:       a lock is a three-state futex mutex (0 free, 1 held, 2 held with sleepers). It spins for some
//             microseconds first, as critical sections are a few dozen instructions, but not on one CPU, where the
//             holder cannot make progress while we spin.
// See also:   lock.h, lockrank.h, futex.h.
#include "futex.h"
#include "lockrank.h"
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>

bool futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline) {
  struct timespec ts, *tp = NULL;
  if (deadline != NS_FOREVER) {
    if (deadline < 0) deadline = 0;
    ts.tv_sec = (time_t)(deadline / 1000000000);
    ts.tv_nsec = (long)(deadline % 1000000000);
    tp = &ts;
  }
  // WAIT_BITSET takes an absolute CLOCK_MONOTONIC time; plain WAIT a relative one, which drifts on every interruption.
  long r = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, tp, NULL, FUTEX_BITSET_MATCH_ANY);
#ifdef __SANITIZE_THREAD__
  // The thread sanitizer keeps a signal back until the thread enters a call it knows; a futex is none.
  if (r == -1 && errno == EINTR) usleep(0);
#endif
  return !(r == -1 && errno == ETIMEDOUT);
}

void futex_wake(_Atomic uint32_t *word, int n) {
  int saved = errno;
  syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, n < 0 ? INT_MAX : n, NULL, NULL, 0);
  errno = saved;
}
#else
#include <pthread.h>

static struct Bucket {
  pthread_mutex_t mu;
  pthread_cond_t cond;
} buckets[16] = {[0 ... 15] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER}};

static struct Bucket *bucket_of(_Atomic uint32_t *word) { return &buckets[((uintptr_t)word >> 6) & 15]; }

static int64_t clock_ns(clockid_t clock) {
  struct timespec ts;
  clock_gettime(clock, &ts);
  return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

bool futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline) {
  struct Bucket *b = bucket_of(word);
  int r = 0;
  pthread_mutex_lock(&b->mu);
  if (atomic_load(word) == expected) {
    if (deadline == NS_FOREVER) {
      r = pthread_cond_wait(&b->cond, &b->mu);
    } else { // condition variables count wall clock time here
      int64_t at = clock_ns(CLOCK_REALTIME) + (deadline - clock_ns(CLOCK_MONOTONIC));
      struct timespec ts = {(time_t)(at / 1000000000), (long)(at % 1000000000)};
      r = pthread_cond_timedwait(&b->cond, &b->mu, &ts);
    }
  }
  pthread_mutex_unlock(&b->mu);
  return r != ETIMEDOUT;
}

void futex_wake(_Atomic uint32_t *word, int n) {
  (void)n; // sleepers of other words share the bucket: wake them all
  struct Bucket *b = bucket_of(word);
  pthread_mutex_lock(&b->mu);
  pthread_cond_broadcast(&b->cond);
  pthread_mutex_unlock(&b->mu);
}
#endif

// Looks rarely: each look takes the cache line from the holder, and whoever has it alone for a microsecond locks and
// unlocks dozens of times at full speed (several goroutines at one buffered channel on two processors: 173 -> 57 ns a
// value).
#define LOOKS 4
#define PAUSES 60

// Looks before sleeping: none on a single CPU.
static int spin_limit(void) {
  static _Atomic int limit = -1;
  int n = atomic_load_explicit(&limit, memory_order_relaxed);
  if (n < 0) {
    n = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? LOOKS : 0;
    atomic_store_explicit(&limit, n, memory_order_relaxed);
  }
  return n;
}

void lock_slow(Lock *l) {
  for (int i = spin_limit(); i > 0; i--) {
    for (int k = 0; k < PAUSES; k++) cpu_relax();
    if (atomic_load_explicit(&l->state, memory_order_relaxed) == 0 && lock_try(l)) return;
  }
  // From here on we take it as 2 ("somebody sleeps"), as we cannot know whether we were the last sleeper.
  while (atomic_exchange_explicit(&l->state, 2, memory_order_acquire) != 0) futex_wait(&l->state, 2, NS_FOREVER);
}

void unlock_slow(Lock *l) { futex_wake(&l->state, 1); }

#ifdef LUNGO_DEBUG
#define MAX_HELD 8
static _Thread_local enum LockRank held[MAX_HELD];
static _Thread_local int nheld;

void lockrank_push(enum LockRank rank) {
  if (nheld > 0 && held[nheld - 1] >= rank) lg_fatal("lock order violated");
  if (nheld == MAX_HELD) lg_fatal("too many locks held");
  held[nheld++] = rank;
}

// Locks may be released in any order.
void lockrank_pop(enum LockRank rank) {
  int i = nheld - 1;
  while (i >= 0 && held[i] != rank) i--;
  if (i < 0) lg_fatal("unlock of a lock not held by this thread");
  for (; i < nheld - 1; i++) held[i] = held[i + 1];
  nheld--;
}
#endif
