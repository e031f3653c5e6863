// SPDX-License-Identifier: MIT
//
// sync.h: mutex, wait group, once, condition and semaphore, as C objects. See sync.c.
//
// `begin` and `again` functions return true when the operation is done. False: the goroutine's waiter is queued and
// the object's lk is held: the caller parks with it (g_park or g_parkc), and when the goroutine runs again calls
// `again` where there is one; where there is none, being woken means that the operation is done.
// All objects are valid when all zero, but for the semaphore's size. They must outlive their waiters: the waiting
// goroutine has the object on its stack.
#ifndef LUNGO_RUNTIME_SYNC_H
#define LUNGO_RUNTIME_SYNC_H

#include "context.h"
#include "patience.h"
#include "waitq.h"

typedef struct Mutex {
  _Atomic uint32_t state; // MUTEX_* bits
  Lock lk;                // guards q, and every change of MUTEX_WAITERS
  WaitQ q;
  Patience patience;
} Mutex;
#define MUTEX_LOCKED 1u
#define MUTEX_WAITERS 2u // q is not empty
#define MUTEX_WOKEN 4u   // a waiter was woken and has not tried yet: unlock need not wake another

bool mutex_begin_slow(lua_State *L, Mutex *m);
bool mutex_again(lua_State *L, Mutex *m);
bool mutex_unlock_slow(Ctx *ctx, Mutex *m);
static inline bool mutex_trylock(Mutex *m) {
  uint32_t s = atomic_load_explicit(&m->state, memory_order_relaxed);
  while (!(s & MUTEX_LOCKED))
    if (atomic_compare_exchange_weak_explicit(&m->state, &s, s | MUTEX_LOCKED, memory_order_acquire,
                                              memory_order_relaxed)) {
      if (unlikely(race_on)) rt_race_acquire(m);
      return true;
    }
  return false;
}
// Of a mutex that nobody wants, without a look before. For quick halves: tells the race detector nothing.
static ALWAYS_INLINE bool mutex_quicklock(Mutex *m) {
  uint32_t zero = 0;
  return likely(atomic_compare_exchange_strong_explicit(&m->state, &zero, MUTEX_LOCKED, memory_order_acquire,
                                                        memory_order_relaxed));
}
static ALWAYS_INLINE bool mutex_quickunlock(Mutex *m) {
  uint32_t one = MUTEX_LOCKED;
  return likely(
      atomic_compare_exchange_strong_explicit(&m->state, &one, 0, memory_order_release, memory_order_relaxed));
}
static inline bool mutex_begin(lua_State *L, Mutex *m) {
  uint32_t zero = 0;
  if (unlikely(!atomic_compare_exchange_strong_explicit(&m->state, &zero, MUTEX_LOCKED, memory_order_acquire,
                                                        memory_order_relaxed)))
    return mutex_begin_slow(L, m);
  if (unlikely(race_on)) rt_race_acquire(m);
  return true;
}
// False: it was not locked.
static inline bool mutex_unlock(Ctx *ctx, Mutex *m) {
  uint32_t one = MUTEX_LOCKED;
  if (unlikely(race_on)) rt_race_release(m);
  return likely(
             atomic_compare_exchange_strong_explicit(&m->state, &one, 0, memory_order_release, memory_order_relaxed)) ||
         mutex_unlock_slow(ctx, m);
}
static inline bool mutex_islocked(Mutex *m) {
  return atomic_load_explicit(&m->state, memory_order_relaxed) & MUTEX_LOCKED;
}

typedef struct WaitGroup {
  _Atomic uint64_t state; // counter in the high half, number of waiters in the low half
  Lock lk;                // guards q, changes of the number of waiters, and reaching zero while somebody waits
  WaitQ q;
} WaitGroup;
bool wg_add(Ctx *ctx, WaitGroup *wg, int64_t d); // false: the counter would leave 0 .. 2^31-1; nothing was changed
bool wg_begin_wait(lua_State *L, WaitGroup *wg);
static inline bool wg_isidle(WaitGroup *wg) { return atomic_load_explicit(&wg->state, memory_order_acquire) == 0; }

typedef struct Once {
  _Atomic uint32_t state; // ONCE_*
  Lock lk;                // guards q and changes of state
  WaitQ q;
  const lua_State *runner; // while running: a coroutine may go on in another goroutine
} Once;
enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE };
static inline bool once_isdone(Once *o) {
  if (atomic_load_explicit(&o->state, memory_order_acquire) != ONCE_DONE) return false;
  if (unlikely(race_on)) rt_race_acquire(o);
  return true;
}
// True with *mine set: the caller runs the function and then calls once_finish. True otherwise: it is done.
bool once_begin(lua_State *L, Once *o, bool *mine);
void once_finish(Ctx *ctx, Once *o);

typedef struct Cond {
  Lock lk;               // guards everything
  uint32_t next, served; // tickets: the next to give out; all before `served` are notified (they may wrap around)
  uint32_t nsignals;     // how often signal and broadcast were called (wraps around)
  WaitQ q;               // those that wait already, by ticket (Waiter.index)
} Cond;
// A waiter takes a ticket *before* it unlocks the mutex, so that no signal after that is missed, and waits with it.
// Every ticket must be waited with: a signal for one that is not is lost.
uint32_t cond_ticket(Cond *c);
bool cond_begin_wait(lua_State *L, Cond *c, uint32_t ticket);
// For who may never come to wait, because unlocking is a call of Lua code: notes the number of signals before it, and
// is notified at once if there was one since.
uint32_t cond_signals(Cond *c);
bool cond_begin_wait_since(lua_State *L, Cond *c, uint32_t seen);
void cond_signal(Ctx *ctx, Cond *c);
void cond_broadcast(Ctx *ctx, Cond *c);

typedef struct Semaphore {
  Lock lk; // guards everything
  int64_t size, used;
  WaitQ q;     // first come, first served: a big request is not overtaken by small ones
  WaitQ never; // those that want more than size: only a context's end wakes them
} Semaphore;
bool sem_begin_acquire(lua_State *L, Semaphore *s, int64_t k);
bool sem_tryacquire(Semaphore *s, int64_t k);
bool sem_release(Ctx *ctx, Semaphore *s, int64_t k); // false: more than was acquired
bool sem_resize(Semaphore *s, int64_t size);         // false: somebody holds units or waits; nothing was changed

// Acquiring until a context is cancelled. SEM_WAIT: as `begin` returning false, with s->lk held; sw then lives until
// the goroutine has called sem_end_acquire_context, which says whether it got the units. A context cancelled before
// either counts, whatever is free.
typedef struct SemWait {
  ContextHook hook;
  Semaphore *s;
  Context *context;
  Waiter *w;
} SemWait;
typedef enum SemResult { SEM_ACQUIRED, SEM_CANCELED, SEM_WAIT } SemResult;
SemResult sem_begin_acquire_context(lua_State *L, Semaphore *s, int64_t k, Context *c, SemWait *sw);
bool sem_end_acquire_context(lua_State *L, Semaphore *s, int64_t k, Context *c, SemWait *sw);

// g was woken from its wait but must end in place of going on: what it was given goes back, to those who wait for it.
// By the worker that runs g, no lock held. Nothing is given back for a wait that was called off.
void sync_giveback(Ctx *ctx, G *g);

// World stopped: waiter w leaves the queue it is in without having got what it waits for (interrupt.c). Returns the
// waiters, linked by `next`, that must be readied because of it (cond: w itself among them).
void mutex_calloff(Waiter *w);
void wg_calloff(Waiter *w);
void once_calloff(Waiter *w);
Waiter *cond_calloff(Waiter *w);
Waiter *sem_calloff(Waiter *w);

#endif
