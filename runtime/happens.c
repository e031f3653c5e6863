// SPDX-License-Identifier: MIT
//
// happens.c: the race detector's clocks: what happened before what.
//
// What:       two accesses of one variable, at least one of which writes, race if neither *happens before* the other:
// if
//             no chain of program order and synchronization leads from one to the other. That does not depend on
//             whether they met this time, so a race is found with one processor as well, in every run that gets to both
//             lines.
//
//             Each goroutine counts its own time; its Clock says up to what time of each other one everything happened
//             before its present. Synchronization moves clocks: *release* merges the caller's clock into the object's,
//             *acquire* merges the object's into the caller's. After a release the goroutine's own time goes on by one,
//             so that what it does then is not covered. shadow.c keeps the epochs of the last accesses of each
//             variable and asks racer_knows.
//
//             The edges, and where they are told:
//               go statement -> first instruction           g_launch (race_go)
//               who readies -> who waited                    g_ready (race_wake): hand-overs, signals, ends of waits
//               unbuffered send <-> receive                  chan.h (race_meet)
//               k-th send -> k-th receive -> (k+cap)-th send chan.h (race_pass through the place in the ring)
//               close -> receive that sees it, or the error  chan.h, chan.c
//                        of a send or of another close
//               unlock -> lock, done -> wait, signal -> wait,
//               end of once -> return, release -> acquire    sync.h, sync.c
//               cancel -> err, cause, done                   context.h, context.c
//               atomic, sync.map, sync.pool operations       stdlib/atomiclib.c, syncdata.c
//               start of a timer -> what it does             timer.c (race_fire)
//               yield -> resume in another goroutine         vm/coro.c
//               setmetatable with __gc -> the finalizer      vm/gc_final.c
//               end of require -> require                    vm/race.c
//             Not edges: time.sleep, runtime.gosched, print, io, the end of a goroutine.
// Invariants: a goroutine's Racer is touched by its own worker, or, while it waits and before it is readied, by who
// will
//             ready it or holds the lock of the object it waits on: what orders those orders the touches, so Racers
//             have no lock. Releases come before the operation that others may see, acquires after it: an edge may be
//             told in vain, but never be missing.
// Slots:      clocks would grow with every goroutine ever started, so slots are used again: at once by a goroutine
// whose
//             creator knows all that the last one did, which makes the two as good as one; else only when MANY_FREE are
//             waiting, the oldest first (then a race between the old and the new goroutine is missed). The epochs of a
//             slot only grow.
// Locking:    slots_lock, the stripes of objects and the buckets of racers are leaves; no other lock is taken under
// one. See also:   happens.h, shadow.c, races.c, docs/architecture.md "Data races". Tests: tests/cli/race_*.sh.
#include "race_int.h"
#include "gc.h"
#include "heap.h"
#include "sched_int.h"

void *race_alloc(void *old, size_t size) {
  void *p = realloc(old, size);
  if (p == NULL) lg_fatal("race detector: not enough memory");
  return p;
}

static inline size_t hash_address(const void *p, unsigned bits) {
  return (size_t)(((uintptr_t)p >> 3) * UINT64_C(0x9E3779B97F4A7C15) >> (64 - bits));
}

// ---- clocks ----------------------------------------------------------------------------------------------------

static uint32_t clock_find(const Clock *c, uint32_t slot) { // the first entry of this slot or a later one
  uint32_t low = 0, high = c->n;
  while (low < high) {
    uint32_t mid = (low + high) / 2;
    if (epoch_slot(c->e[mid]) < slot)
      low = mid + 1;
    else
      high = mid;
  }
  return low;
}

static void clock_reserve(Clock *c, uint32_t n) {
  if (n <= c->cap) return;
  c->cap = n < 4 ? 4 : n + n / 2;
  c->e = race_alloc(c->e, c->cap * sizeof *c->e);
}

static void clock_raise(Clock *c, Epoch e) {
  uint32_t i = clock_find(c, epoch_slot(e));
  if (i < c->n && epoch_slot(c->e[i]) == epoch_slot(e)) {
    if (c->e[i] < e) c->e[i] = e;
    return;
  }
  clock_reserve(c, c->n + 1);
  memmove(&c->e[i + 1], &c->e[i], (c->n - i) * sizeof *c->e);
  c->e[i] = e;
  c->n++;
}

// Old clocks know the same slots from the first on: those are raised without looking for their partners
// (bench/conc/primes.lua, with clocks of a thousand entries: twice as fast). Returns how many there were.
static uint32_t clock_raise_aligned(Clock *dst, const Clock *src) {
  uint32_t n = dst->n < src->n ? dst->n : src->n, i = 0;
  for (; i + 8 <= n; i += 8) {
    Epoch differ = 0;
    for (uint32_t k = i; k < i + 8; k++) differ |= dst->e[k] ^ src->e[k];
    if (differ >> EPOCH_CLOCK_BITS != 0) break;
    for (uint32_t k = i; k < i + 8; k++) dst->e[k] = dst->e[k] < src->e[k] ? src->e[k] : dst->e[k];
  }
  return i;
}

// Raises the entries of slots that dst has too; returns how many it has not.
static uint32_t clock_raise_common(Clock *dst, const Clock *src) {
  uint32_t fresh = 0, aligned = clock_raise_aligned(dst, src);
  for (uint32_t i = aligned, j = aligned; j < src->n; j++) {
    while (i < dst->n && epoch_slot(dst->e[i]) < epoch_slot(src->e[j])) i++;
    if (i == dst->n || epoch_slot(dst->e[i]) != epoch_slot(src->e[j]))
      fresh++;
    else if (dst->e[i] < src->e[j])
      dst->e[i] = src->e[j];
  }
  return fresh;
}

static void clock_copy(Clock *dst, const Clock *src) { // dst is empty
  if (src->n == 0) return;
  clock_reserve(dst, src->n);
  memcpy(dst->e, src->e, src->n * sizeof *src->e);
  dst->n = src->n;
}

static void clock_join(Clock *dst, const Clock *src) {
  if (dst->n == 0) {
    clock_copy(dst, src);
    return;
  }
  uint32_t fresh = clock_raise_common(dst, src);
  if (fresh == 0) return;
  clock_reserve(dst, dst->n + fresh);
  uint32_t to = dst->n + fresh, i = dst->n, j = src->n; // from the back, so that nothing is overwritten
  dst->n = to;
  while (j > 0) {
    if (i > 0 && epoch_slot(dst->e[i - 1]) >= epoch_slot(src->e[j - 1])) {
      if (epoch_slot(dst->e[i - 1]) == epoch_slot(src->e[j - 1])) j--;
      dst->e[--to] = dst->e[--i];
    } else {
      dst->e[--to] = src->e[--j];
    }
  }
}

// ---- slots and lives -----------------------------------------------------------------------------------------

#define MANY_FREE 8192
#define LOOK_FREE 64     // free slots that are tried for one whose last life the creator knows
#define KEEP_LIVES 4096u // of one slot

typedef struct SlotInfo {
  Life *life; // the oldest first
  uint32_t n, cap;
} SlotInfo;

static Lock slots_lock; // guards what follows
static SlotInfo *slots; // [0] is not used
static uint32_t nslots = 1, capslots;
static Epoch *freed; // last epochs of free slots, freed[first_freed .. nfreed-1], the oldest first
static uint32_t first_freed, nfreed, capfreed;

bool racer_knows(const Racer *r, Epoch e) {
  if (racer_owns(r, e)) return true;
  uint32_t i = clock_find(&r->clock, epoch_slot(e));
  return i < r->clock.n && epoch_slot(r->clock.e[i]) == epoch_slot(e) && r->clock.e[i] >= e;
}

// A free slot's next epoch, or 0.
static Epoch reuse_locked(const Racer *creator) {
  uint32_t n = nfreed - first_freed, i = first_freed, end = first_freed + (n < LOOK_FREE ? n : LOOK_FREE);
  while (i < end && !(creator != NULL && racer_knows(creator, freed[i]))) i++;
  if (i == end) {
    if (n < MANY_FREE && nslots <= EPOCH_MAXSLOT) return 0;
    if (n == 0) lg_fatal("race detector: too many goroutines at once");
    i = first_freed;
  }
  Epoch last = freed[i];
  freed[i] = freed[first_freed++];
  return last + 1;
}

static Epoch fresh_locked(void) {
  if (nslots >= capslots) {
    uint32_t cap = capslots == 0 ? 64 : 2 * capslots;
    slots = race_alloc(slots, cap * sizeof *slots);
    memset(slots + capslots, 0, (cap - capslots) * sizeof *slots);
    capslots = cap;
  }
  return (Epoch)nslots++ << EPOCH_CLOCK_BITS | 1;
}

static void record_life_locked(Epoch first, int64_t id, const Site *created) {
  SlotInfo *s = &slots[epoch_slot(first)];
  if (s->n == KEEP_LIVES) {
    memmove(s->life, s->life + KEEP_LIVES / 2, KEEP_LIVES / 2 * sizeof *s->life);
    s->n -= KEEP_LIVES / 2;
  }
  if (s->n == s->cap) {
    s->cap = s->cap == 0 ? 1 : 2 * s->cap;
    s->life = race_alloc(s->life, s->cap * sizeof *s->life);
  }
  s->life[s->n++] = (Life){.first = first, .id = id, .created = created};
}

static Epoch slot_take(const Racer *creator, int64_t id, const Site *created) {
  lock(&slots_lock);
  Epoch e = reuse_locked(creator);
  if (e == 0) e = fresh_locked();
  record_life_locked(e, id, created);
  unlock(&slots_lock);
  return e;
}

static void slot_free(Epoch last) {
  lock(&slots_lock);
  SlotInfo *s = &slots[epoch_slot(last)];
  s->life[s->n - 1].over = true;
  if (nfreed == capfreed && first_freed > capfreed / 2) {
    memmove(freed, freed + first_freed, (nfreed - first_freed) * sizeof *freed);
    nfreed -= first_freed;
    first_freed = 0;
  } else if (nfreed == capfreed) {
    capfreed = capfreed == 0 ? 64 : 2 * capfreed;
    freed = race_alloc(freed, capfreed * sizeof *freed);
  }
  freed[nfreed++] = last;
  unlock(&slots_lock);
}

Life life_at(Epoch e) {
  lock(&slots_lock);
  const SlotInfo *s = &slots[epoch_slot(e)];
  uint32_t i = s->n - 1;
  while (i > 0 && s->life[i].first > e) i--;
  Life life = s->life[i];
  unlock(&slots_lock);
  return life;
}

// ---- goroutines ------------------------------------------------------------------------------------------------

#define RACER_BITS 12
static struct RacerBucket {
  Lock lk;
  Racer *first;
} racers[1 << RACER_BITS];

// The one looked up last. Ids are never reused, so it cannot be mistaken for that of a later goroutine.
static _Thread_local struct {
  int64_t id;
  Racer *r;
} recent;

static Racer *racer_add(const G *g, const Racer *creator, const Site *created) {
  struct RacerBucket *b = &racers[hash_address(g, RACER_BITS)];
  Racer *r = race_alloc(NULL, sizeof *r);
  *r = (Racer){.g = g, .epoch = slot_take(creator, g->id, created)};
  if (creator != NULL) clock_join(&r->clock, &creator->clock);
  if (creator != NULL && creator->epoch != 0) clock_raise(&r->clock, creator->epoch);
  lock(&b->lk);
  r->next = b->first;
  b->first = r;
  unlock(&b->lk);
  return r;
}

// That of the main goroutine is made here, when it is first asked for.
static Racer *racer_of(const G *g) {
  if (likely(recent.id == g->id)) return recent.r;
  struct RacerBucket *b = &racers[hash_address(g, RACER_BITS)];
  lock(&b->lk);
  Racer *r = b->first;
  while (r != NULL && r->g != g) r = r->next;
  unlock(&b->lk);
  if (r == NULL) r = racer_add(g, NULL, NULL);
  recent.id = g->id;
  recent.r = r;
  return r;
}

static _Thread_local Racer firing; // the timer that fires on this worker

Racer *racer_self(void) {
  const M *m = m_current;
  if (m == NULL) return NULL;
  if (m->infire) return &firing;
  return m->g != NULL ? racer_of(m->g) : NULL;
}

static void racer_tick(Racer *r) {
  if (r->epoch != 0) r->epoch++;
}

// r's past and present into c.
static void racer_into(Racer *r, Clock *c) {
  clock_join(c, &r->clock);
  if (r->epoch != 0) clock_raise(c, r->epoch);
  racer_tick(r);
}

void race_go(G *g, bool alone) {
  Racer *self = alone ? NULL : racer_self();
  lua_State *L = self != NULL && self->epoch != 0 ? m_current->ctx.L : NULL;
  racer_add(g, self, L != NULL ? site_here(L) : NULL);
  if (self != NULL) racer_tick(self);
}

void race_end(G *g) {
  struct RacerBucket *b = &racers[hash_address(g, RACER_BITS)];
  lock(&b->lk);
  Racer **link = &b->first;
  while (*link != NULL && (*link)->g != g) link = &(*link)->next;
  Racer *r = *link;
  if (r != NULL) *link = r->next;
  unlock(&b->lk);
  if (r == NULL) return;
  slot_free(r->epoch);
  free(r->clock.e);
  free(r);
  recent.id = 0;
}

void race_wake(G *g) {
  Racer *self = racer_self();
  if (self != NULL && self->g != g) racer_into(self, &racer_of(g)->clock);
}

void race_meet(G *g) {
  Racer *self = racer_self(), *other = racer_of(g);
  if (self == NULL) return;
  racer_into(other, &self->clock);
  racer_into(self, &other->clock);
}

// ---- objects to synchronize on ---------------------------------------------------------------------------------

typedef struct Sync {
  struct Sync *next;
  const void *at;
  const Obj *owner; // heap object that `at` is part of; NULL: none, it lives as long as the runtime
  Clock clock;
} Sync;

#define SYNC_BITS 14
static struct SyncBucket {
  Lock lk;
  Sync *first;
} syncs[1 << SYNC_BITS];

static struct SyncBucket *sync_bucket(const void *at) { return &syncs[hash_address(at, SYNC_BITS)]; }

static Sync *sync_find_locked(struct SyncBucket *b, const void *at) {
  Sync *s = b->first;
  while (s != NULL && s->at != at) s = s->next;
  return s;
}

static Sync *sync_get_locked(struct SyncBucket *b, const void *at) {
  Sync *s = sync_find_locked(b, at);
  if (s != NULL) return s;
  s = race_alloc(NULL, sizeof *s);
  *s = (Sync){.next = b->first, .at = at, .owner = heap_objectof(m_current->rt->gl->heap, at)};
  return b->first = s;
}

static void sync_drop(Sync **link) {
  Sync *s = *link;
  *link = s->next;
  free(s->clock.e);
  free(s);
}

static void acquire(Racer *r, const void *at) {
  struct SyncBucket *b = sync_bucket(at);
  lock(&b->lk);
  const Sync *s = sync_find_locked(b, at);
  if (s != NULL) clock_join(&r->clock, &s->clock);
  unlock(&b->lk);
}

static void release(Racer *r, const void *at) {
  struct SyncBucket *b = sync_bucket(at);
  lock(&b->lk);
  racer_into(r, &sync_get_locked(b, at)->clock);
  unlock(&b->lk);
}

void rt_race_acquire(const void *obj) {
  Racer *self = racer_self();
  if (self != NULL) acquire(self, obj);
}

void rt_race_release(const void *obj) {
  Racer *self = racer_self();
  if (self != NULL) release(self, obj);
}

void rt_race_forget(const void *obj) {
  struct SyncBucket *b = sync_bucket(obj);
  lock(&b->lk);
  Sync **link = &b->first, *s;
  while ((s = *link) != NULL && s->at != obj) link = &s->next;
  if (s != NULL) sync_drop(link);
  unlock(&b->lk);
}

void race_acquire_for(G *g, const void *obj) { acquire(racer_of(g), obj); }

void race_pass(G *g, const void *place) {
  Racer *r = g != NULL ? racer_of(g) : racer_self();
  if (r == NULL || m_current == NULL) return;
  acquire(r, place);
  release(r, place);
}

void race_fire(Timer *t) {
  firing.clock.n = 0;
  acquire(&firing, t);
}

// World stopped.
static void sync_sweep(struct SyncBucket *b) {
  for (Sync **link = &b->first, *s; (s = *link) != NULL;) {
    if (s->owner == NULL || heap_ismarked(s->owner))
      link = &s->next;
    else
      sync_drop(link);
  }
}

void rt_race_sweep(Global *gl) {
  (void)gl;
  for (size_t i = 0; i < sizeof syncs / sizeof syncs[0]; i++) sync_sweep(&syncs[i]);
  shadow_sweep();
}

void race_markroots(struct Marker *m) { sites_mark(m); }
