// SPDX-License-Identifier: MIT
//
// rwmutex.c: the read-write mutex. Readers on different processors need not meet.
//
// What:       a state word says whether a writer has it and counts the readers; who has to wait is in one of two queues
//             under a Lock. Newcomers queue behind a waiting writer; when a writer leaves, all waiting readers go
//             first, then the next writer: so neither side starves. The lock is always handed over. Readers that change
//             one word from several processors pass its cache line to and fro, which takes several times as long as all
//             else they do (bench/conc/rlock.lua). So where readers meet, the mutex is *spread*: it gets a block of
//             slots, a cache line for each processor, and a reader is counted in the slot of the processor that it runs
//             on; the state word is then only read. Who needs the exact number (a writer above all) *gathers*: closes
//             the slots, one by one, and takes what they counted along into the state word. What a spread cost is known
//             when a writer ends it: one that was short makes the mutex wait for twice as many meetings before the
//             next, so that one which is written often stays as it is.
// Invariants: a waiting writer or reader sets RW_QUEUED; that bit changes only under lk and is set exactly while
//             a queue is not empty; a release that finds it set does its work under lk. So no wake-up is lost.
//             *A slot is open (a count) or closed, and itself says whether it counts*: a reader changes it by
//             compare-and-swap from an open value, the closer takes that value away in one step. So a reader that has
//             changed its slot is counted, however old its idea of the state word is, and needs no second look.
//             *While a slot is open RW_SPREAD is set; with RW_SPREAD no writer has the lock and nobody waits.* For this
//             the bit is set before the first slot is opened and cleared after the last is closed, all under lk, and
//             a writer gets the lock only by a state word without the bit. (Slots first, then the bit, would let a
//             writer in between them: MUT_SLOTS_FIRST in tests/verify/rwmutex.pml.)
//             *The number of readers is the sum of the state word's count and those of the slots*; no part of it is
//             negative, but a part says nothing about who: goroutines move between rlock and runlock, and locks have no
//             owner. So runlock may take one from any part, and only a sum made by gathering can show that there is
//             no reader. Without RW_SPREAD the state word alone is exact: one step clears the bit and adds the slots.
// Memory:     the block belongs to the Lua heap, is made when first needed and is marked by whoever has the mutex. If
//             there is no memory for it, the mutex stays as it is. A block too small for a grown gomaxprocs is replaced
//             while closed; a reader that still looks at the old one finds it closed for ever, and passes no safepoint
//             before it stops looking.
// Order:      a writer comes after all readers: their changes of slots are releases, closing acquires. A reader comes
//             after the writers before it: the opener has acquired the last one's unlock with the state word, opening
//             is a release, and the reader's change of the slot acquires.
// Locking:    lk; g_ready only after it is released.
// See also:   rwmutex.h, sync.c; stdlib/synclib.c. Tests: tests/runtime/sync_rwmutex.lua, tests/runtime/rwmutex_*.lua,
//             tests/cli/rwspread.sh, tests/unit/rwmutex_test.c; model: tests/verify/rwmutex.pml.

#include "rwmutex.h"
#include "chan.h"
#include "debugvars.h"
#include "heap.h"
#include "sched_int.h"

#define load(p) atomic_load_explicit(p, memory_order_relaxed)
#define store(p, v) atomic_store_explicit(p, v, memory_order_relaxed)
#define cas(p, old, new) atomic_compare_exchange_weak_explicit(p, old, new, memory_order_acq_rel, memory_order_acquire)

// ---- the race detector -----------------------------------------------------------------------------------------

// It sees two objects: a writer's unlock is released to `rw`, a reader's to `readers`. Writers acquire both, readers
// only the first. g: who waits and was admitted; NULL: the caller.
static void race_enter(RWMutex *rw, G *g, bool writer) {
  const void *objs[] = {rw, &rw->readers};
  for (int i = 0; i <= writer; i++) {
    if (g != NULL)
      race_acquire_for(g, objs[i]);
    else
      rt_race_acquire(objs[i]);
  }
}

// ---- slots -----------------------------------------------------------------------------------------------------

// Meetings before a mutex is spread, twice as many for each step of `backoff`. A spread and its end cost about as much
// as WORTH_MEETINGS meetings; it was worth it when it lasted for WORTH_NS, in which readers would have met more often.
#define WORTH_MEETINGS 16u
#define WORTH_NS INT64_C(5000)
#define BACKOFF_MAX 9

_Atomic bool rw_eager;

void rw_debug(void) { store(&rw_eager, debug_var("rwspread") != 0); }

static RWSlots *slots_new(Ctx *ctx, uint32_t n) {
  char *mem = heap_trymem(ctx, sizeof(RWSlots) + n * sizeof(RWSlot) + CACHE_LINE);
  if (mem == NULL) return NULL;
  RWSlots *s = (RWSlots *)(((uintptr_t)mem + CACHE_LINE - 1) & ~(uintptr_t)(CACHE_LINE - 1));
  s->mask = n - 1;
  s->mem = mem;
  for (uint32_t i = 0; i < n; i++) atomic_init(&s->slot[i].n, RW_CLOSED);
  return s;
}

// False: it is closed.
static inline bool slot_enter(_Atomic int64_t *slot) {
  int64_t n = load(slot);
  while (n >= 0)
    if (cas(slot, &n, n + 1)) return true;
  return false;
}

// False: it is closed, or counts nobody.
static inline bool slot_leave(_Atomic int64_t *slot) {
  int64_t n = load(slot);
  while (n > 0)
    if (cas(slot, &n, n - 1)) return true;
  return false;
}

#define SLOTS_MAX 64 // 4 KB: with more processors than that, two or more share a slot and still seldom meet

static uint32_t slots_wanted(Ctx *ctx) {
  uint32_t n = 2, procs = (uint32_t)load(&m_of(ctx)->rt->nprocs);
  while (n < procs && n < SLOTS_MAX) n *= 2;
  return n;
}

static void open_slots_locked(RWMutex *rw) {
  uint64_t s = load(&rw->state);
  do {
    if (s & (RW_WRITER | RW_QUEUED)) return;
  } while (!cas(&rw->state, &s, s | RW_SPREAD));
  RWSlots *slots = load(&rw->slots);
  for (uint32_t i = 0; i <= slots->mask; i++) atomic_store_explicit(&slots->slot[i].n, 0, memory_order_release);
  slots->since = mono_ns();
}

static bool has_room(RWMutex *rw, uint32_t n) {
  RWSlots *s = atomic_load_explicit(&rw->slots, memory_order_acquire);
  return s != NULL && s->mask + 1 >= n;
}

static NOINLINE void spread(Ctx *ctx, RWMutex *rw) {
  uint32_t n = slots_wanted(ctx);
  RWSlots *more = has_room(rw, n) ? NULL : slots_new(ctx, n);
  lock(&rw->lk);
  store(&rw->met, 0);
  if (!(load(&rw->state) & RW_SPREAD)) {
    if (more != NULL && !has_room(rw, n)) atomic_store_explicit(&rw->slots, more, memory_order_release);
    if (load(&rw->slots) != NULL) open_slots_locked(rw);
  }
  unlock(&rw->lk);
}

// A reader has come in by the state word and has met another one there.
static void met(Ctx *ctx, RWMutex *rw) {
  unsigned n = load(&rw->met) + 1u;
  store(&rw->met, (uint16_t)n);
  if (load(&rw_eager) || (n >= WORTH_MEETINGS << load(&rw->backoff) && load(&m_of(ctx)->rt->nprocs) > 1))
    spread(ctx, rw);
}

// Under lk: closes the slots; afterwards the state word counts all readers, and no slot is opened before lk is
// released.
static void gather_locked(RWMutex *rw) {
  if (!(load(&rw->state) & RW_SPREAD)) return;
  RWSlots *slots = load(&rw->slots);
  int64_t sum = 0;
  for (uint32_t i = 0; i <= slots->mask; i++)
    sum += atomic_exchange_explicit(&slots->slot[i].n, RW_CLOSED, memory_order_acq_rel);
  store(&rw->met, 0);
  atomic_fetch_add_explicit(&rw->state, (uint64_t)sum - RW_SPREAD, memory_order_acq_rel);
}

// The same because of a writer: learns whether it was worth it.
static void gather_for_writer_locked(RWMutex *rw) {
  if (!(load(&rw->state) & RW_SPREAD)) return;
  uint8_t b = load(&rw->backoff);
  if (mono_ns() - load(&rw->slots)->since >= WORTH_NS)
    store(&rw->backoff, 0);
  else if (b < BACKOFF_MAX)
    store(&rw->backoff, b + 1);
  gather_locked(rw);
}

// A reader is certainly there, at the moment of the look. False says nothing.
static bool sees_reader(RWMutex *rw) {
  RWSlots *slots = atomic_load_explicit(&rw->slots, memory_order_acquire);
  if (load(&rw->state) & RW_READERS) return true;
  for (uint32_t i = 0; i <= slots->mask; i++)
    if (load(&slots->slot[i].n) > 0) return true;
  return false;
}

bool rw_isrlocked(RWMutex *rw) {
  uint64_t s = atomic_load_explicit(&rw->state, memory_order_acquire);
  if ((s & RW_READERS) || !(s & RW_SPREAD)) return s & RW_READERS;
  if (sees_reader(rw)) return true;
  lock(&rw->lk);
  gather_locked(rw);
  s = load(&rw->state);
  unlock(&rw->lk);
  return s & RW_READERS;
}

// ---- coming in ---------------------------------------------------------------------------------------------------

// The usual case failed: readers met (or rw_eager wants it so), unless the state word shows another reason.
bool rw_tryrlock_again(Ctx *ctx, RWMutex *rw) {
  uint64_t s = atomic_load_explicit(&rw->state, memory_order_acquire);
  bool alone = s & (RW_WRITER | RW_QUEUED | RW_SPREAD);
  if ((s & RW_SPREAD) && slot_enter(rw_slot(ctx, rw))) return true;
  while (!(s & (RW_WRITER | RW_QUEUED))) {
    if (cas(&rw->state, &s, s + 1)) {
      if (!alone) met(ctx, rw);
      return true;
    }
    alone = false;
  }
  return false;
}

bool rw_tryrlock(Ctx *ctx, RWMutex *rw) {
  bool in = rw_quickrlock(ctx, rw) || rw_tryrlock_again(ctx, rw);
  if (unlikely(race_on) && in) race_enter(rw, NULL, false);
  return in;
}

static bool trylock_spread(RWMutex *rw) {
  if (sees_reader(rw)) return false;
  uint64_t zero = 0;
  lock(&rw->lk);
  gather_for_writer_locked(rw);
  bool in = atomic_compare_exchange_strong(&rw->state, &zero, RW_WRITER);
  unlock(&rw->lk);
  return in;
}

bool rw_trylock(RWMutex *rw) {
  uint64_t s = 0;
  bool in =
      atomic_compare_exchange_strong_explicit(&rw->state, &s, RW_WRITER, memory_order_acquire, memory_order_acquire) ||
      ((s & RW_SPREAD) && trylock_spread(rw));
  if (unlikely(race_on) && in) race_enter(rw, NULL, true);
  return in;
}

static bool enqueue(lua_State *L, RWMutex *rw, bool writer) {
  lock(&rw->lk);
  if (writer) gather_for_writer_locked(rw);
  uint64_t s = load(&rw->state);
  for (;;) {
    bool admitted = writer ? s == 0 : !(s & (RW_WRITER | RW_QUEUED));
    if (cas(&rw->state, &s, !admitted ? s | RW_QUEUED : writer ? RW_WRITER : s + 1)) {
      if (!admitted) break;
      unlock(&rw->lk);
      if (unlikely(race_on)) race_enter(rw, NULL, writer);
      return true;
    }
  }
  lg_assert(!(s & RW_SPREAD));
  waitq_push(writer ? &rw->writers : &rw->readers, waiter_of(L->g), rw);
  L->g->wanted = rw;
  return false;
}

bool rw_begin_rlock(lua_State *L, RWMutex *rw) { return rw_tryrlock(L->ctx, rw) || enqueue(L, rw, false); }
bool rw_begin_lock(lua_State *L, RWMutex *rw) { return rw_trylock(rw) || enqueue(L, rw, true); }

// ---- leaving -------------------------------------------------------------------------------------------------------

// Under lk, with nobody inside and RW_QUEUED set (so nobody can enter meanwhile): lets the next ones in and returns
// them as a list linked by `next`.
static Waiter *admit_locked(RWMutex *rw, bool readers_first) {
  Waiter *list = NULL, **end = &list, *w;
  uint64_t in = 0;
  if (readers_first || !rw->writers.head) {
    for (; (w = rw->readers.head) != NULL; end = &w->next, in++) {
      waitq_remove(&rw->readers, w);
      *end = w;
    }
  }
  if (in == 0 && (w = rw->writers.head) != NULL) {
    waitq_remove(&rw->writers, w);
    if (unlikely(race_on)) race_enter(rw, w->g, true); // readers come after the writer who readies them
    list = w;
    in = RW_WRITER;
  }
  if (rw->readers.head || rw->writers.head) in |= RW_QUEUED;
  atomic_store_explicit(&rw->state, in, memory_order_release);
  return list;
}

static void hand_over(Ctx *ctx, RWMutex *rw, bool readers_first) {
  lock(&rw->lk);
  Waiter *list = admit_locked(rw, readers_first);
  unlock(&rw->lk);
  waiters_ready(ctx, list);
}

bool rw_unlock(Ctx *ctx, RWMutex *rw) {
  uint64_t s = load(&rw->state);
  if (unlikely(race_on)) rt_race_release(rw);
  do {
    if (!(s & RW_WRITER)) return false;
  } while (!cas(&rw->state, &s, s & RW_QUEUED));
  if (s & RW_QUEUED) hand_over(ctx, rw, true);
  return true;
}

// Neither the caller's slot nor the state word counted anybody: the lock was taken on another processor, or not at all.
static bool leave_elsewhere(Ctx *ctx, RWMutex *rw) {
  RWSlots *slots = atomic_load_explicit(&rw->slots, memory_order_acquire);
  for (uint32_t i = 0; i <= slots->mask; i++)
    if (slot_leave(&slots->slot[i].n)) return true;
  lock(&rw->lk);
  gather_locked(rw);
  uint64_t s = load(&rw->state);
  while ((s & RW_READERS) && !cas(&rw->state, &s, s - 1)) continue;
  unlock(&rw->lk);
  if (s == (RW_QUEUED | 1)) hand_over(ctx, rw, false);
  return s & RW_READERS;
}

bool rw_runlock_again(Ctx *ctx, RWMutex *rw) {
  uint64_t s = atomic_load_explicit(&rw->state, memory_order_acquire);
  if ((s & RW_SPREAD) && slot_leave(rw_slot(ctx, rw))) return true;
  while (s & RW_READERS) {
    if (!cas(&rw->state, &s, s - 1)) continue;
    if (s == (RW_QUEUED | 1)) hand_over(ctx, rw, false);
    return true;
  }
  return (s & RW_SPREAD) && leave_elsewhere(ctx, rw);
}

bool rw_runlock(Ctx *ctx, RWMutex *rw) {
  if (unlikely(race_on)) rt_race_release(&rw->readers);
  return rw_quickrunlock(ctx, rw) || rw_runlock_again(ctx, rw);
}

// ---- from outside --------------------------------------------------------------------------------------------------

void rw_trace(struct Marker *m, RWMutex *rw) {
  RWSlots *slots = load(&rw->slots);
  waitq_trace(m, &rw->readers);
  waitq_trace(m, &rw->writers);
  if (slots != NULL) gc_mark_obj(m, heap_mem_obj(slots->mem));
}

// A writer that leaves may have been all that kept readers waiting. (As somebody waits, the mutex is not spread.)
Waiter *rw_calloff(Waiter *w, bool writer) {
  RWMutex *rw = w->obj;
  waitq_remove(writer ? &rw->writers : &rw->readers, w);
  uint64_t s = load(&rw->state), in = s & RW_READERS;
  lg_assert(!(s & RW_SPREAD));
  Waiter *list = NULL, **end = &list;
  for (Waiter *r; !(s & RW_WRITER) && !rw->writers.head && (r = rw->readers.head) != NULL; end = &r->next, in++) {
    waitq_remove(&rw->readers, r);
    if (unlikely(race_on)) race_enter(rw, r->g, false);
    *end = r;
  }
  if (rw->readers.head || rw->writers.head) in |= RW_QUEUED;
  atomic_store_explicit(&rw->state, in | (s & RW_WRITER), memory_order_release);
  return list;
}
