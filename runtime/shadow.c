// SPDX-License-Identifier: MIT
//
// shadow.c: the race detector's shadow memory: who accessed each variable last.
//
// What:       for each variable of a shared object that was accessed, the last write and the reads since, as epochs
// with
//             the place in the program. A write remembers only itself: what it is ordered after can race with nothing
//             that it does not race with itself, and what it is not ordered after is reported. Of reads only those are
//             kept that are not ordered before a later one; most variables have one (FastTrack's observation, by
//             C. Flanagan and S. N. Freund). Changes of a length or set of keys do not race with each other: they are
//             kept as reads are, in the place of the write.
// Invariants: an access that is kept was made by the goroutine that had the epoch then; the same epoch is never kept
//             twice on a side. Variables of objects, or with keys, that the collector finds dead are dropped
//             (shadow_sweep), before their addresses can mean something else.
// Locking:    the table is divided into stripes, each with a lock that guards its buckets. A lock is held for one
//             access; only the lock of the interned places (races.c) is taken under it. Reports are made after.
// See also:   happens.c (clocks), races.c (reports), vm/race.c (which variables).
#include "race_int.h"
#include "heap.h"
#include "sched_int.h"

typedef struct Side {
  uint32_t n, cap; // n accesses: the first in `one`, the others in more[0 .. n-2]
  Access one;
  Access *more;
} Side;

typedef struct Shadow {
  struct Shadow *next;
  RaceVar var;
  Side writes, reads;
} Shadow;

#define BUCKET_BITS 20
#define STRIPE_BITS 10
#define BUCKETS_EACH (1u << (BUCKET_BITS - STRIPE_BITS))

typedef struct Stripe {
  Lock lk;
  size_t n;         // variables
  Shadow **buckets; // BUCKETS_EACH of them, made with the first variable
} Stripe;

static Stripe stripes[1 << STRIPE_BITS];

// ---- sides -----------------------------------------------------------------------------------------------------

static Access *side_at(Side *s, uint32_t i) { return i == 0 ? &s->one : &s->more[i - 1]; }

static const Access *side_stranger(Side *s, const Racer *r) {
  for (uint32_t i = 0; i < s->n; i++)
    if (!racer_knows(r, side_at(s, i)->at)) return side_at(s, i);
  return NULL;
}

static bool side_has(Side *s, Epoch at) {
  for (uint32_t i = 0; i < s->n; i++)
    if (side_at(s, i)->at == at) return true;
  return false;
}

static void side_clear(Side *s) {
  free(s->more);
  *s = (Side){.n = 0};
}

// In the place of those that r knows.
static void side_add(Side *s, const Racer *r, const Site *site) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < s->n; i++)
    if (!racer_knows(r, side_at(s, i)->at)) *side_at(s, kept++) = *side_at(s, i);
  if (kept > s->cap) {
    s->cap = 2 * kept;
    s->more = race_alloc(s->more, s->cap * sizeof *s->more);
  }
  *side_at(s, kept) = (Access){r->epoch, site};
  s->n = kept + 1;
}

// ---- the table -------------------------------------------------------------------------------------------------

static bool same_var(const RaceVar *a, const RaceVar *b) {
  return a->obj == b->obj && a->key == b->key && a->kind == b->kind;
}

// Sixteen neighbouring keys of a table, or objects, have neighbouring buckets: they are often used one after the other.
static uint64_t var_hash(const RaceVar *v) {
  uintptr_t o = (uintptr_t)v->obj >> 4;
  uint64_t h = (o >> 4) * UINT64_C(0x9E3779B97F4A7C15) + v->kind;
  h = (h ^ h >> 32 ^ v->key >> 4) * UINT64_C(0xD6E8FEB86659FD93);
  h = (h ^ h >> 32) * UINT64_C(0xD6E8FEB86659FD93);
  return h >> 32 << 4 | ((o ^ v->key) & 15);
}

static Shadow *shadow_get_locked(Stripe *s, const RaceVar *var, uint64_t hash) {
  if (unlikely(s->buckets == NULL)) {
    s->buckets = race_alloc(NULL, BUCKETS_EACH * sizeof *s->buckets);
    memset(s->buckets, 0, BUCKETS_EACH * sizeof *s->buckets);
  }
  Shadow **b = &s->buckets[hash & (BUCKETS_EACH - 1)], *x = *b;
  while (x != NULL && !same_var(&x->var, var)) x = x->next;
  if (x != NULL) return x;
  x = race_alloc(NULL, sizeof *x);
  *x = (Shadow){.next = *b, .var = *var};
  s->n++;
  return *b = x;
}

static void shadow_free(Shadow *x) {
  free(x->writes.more);
  free(x->reads.more);
  free(x);
}

static _Atomic uint32_t nsweeps; // changes while the world is stopped

static bool is_dead(const RaceVar *v) {
  if (!heap_ismarked(v->obj)) return true;
  return v->kind == RACE_OBJKEY && !heap_ismarked((const Obj *)(intptr_t)bits_payload(v->key));
}

static void stripe_sweep(Stripe *s) {
  for (size_t i = 0; i < BUCKETS_EACH && s->n > 0; i++) {
    for (Shadow **link = &s->buckets[i], *x; (x = *link) != NULL;) {
      if (!is_dead(&x->var)) {
        link = &x->next;
        continue;
      }
      *link = x->next;
      s->n--;
      shadow_free(x);
    }
  }
}

void shadow_sweep(void) {
  atomic_fetch_add_explicit(&nsweeps, 1, memory_order_relaxed);
  for (size_t i = 0; i < sizeof stripes / sizeof stripes[0]; i++) stripe_sweep(&stripes[i]);
}

// ---- accesses --------------------------------------------------------------------------------------------------

typedef struct Conflict {
  Access with;
  RaceOp op;
} Conflict;

static bool conflicts(Side *side, RaceOp op, const Racer *r, Conflict *out) {
  const Access *a = side_stranger(side, r);
  if (a != NULL) *out = (Conflict){*a, op};
  return a != NULL;
}

// A read by who wrote last in the same epoch adds nothing: whatever races with it races with the write.
static bool read_locked(lua_State *L, Shadow *x, const Racer *r, Conflict *out) {
  if (side_has(&x->reads, r->epoch) || side_has(&x->writes, r->epoch)) return false;
  bool found = conflicts(&x->writes, RACE_WRITE, r, out);
  side_add(&x->reads, r, site_here(L));
  return found;
}

static bool write_locked(lua_State *L, Shadow *x, const Racer *r, Conflict *out) {
  if (x->writes.n == 1 && x->writes.one.at == r->epoch && x->reads.n == 0) return false;
  bool found = conflicts(&x->writes, RACE_WRITE, r, out) || conflicts(&x->reads, RACE_READ, r, out);
  side_clear(&x->writes);
  side_clear(&x->reads);
  side_add(&x->writes, r, site_here(L));
  return found;
}

static bool change_locked(lua_State *L, Shadow *x, const Racer *r, Conflict *out) {
  if (side_has(&x->writes, r->epoch)) return false;
  bool found = conflicts(&x->reads, RACE_READ, r, out);
  side_add(&x->writes, r, site_here(L));
  return found;
}

// What this worker told last, by hash: the same again in the same epoch adds nothing. (If somebody else has written
// meanwhile, that was not ordered after the access, and was reported.) Half of the time of loops over a shared table.
typedef struct Recent {
  RaceVar var;
  RaceOp op;
  uint32_t sweeps; // what it names may be another object after the next
  Epoch at;
} Recent;
#define RECENT 256
static _Thread_local Recent recent[RECENT];

static bool is_recent(const Recent *c, const RaceVar *var, RaceOp op, Epoch now, uint32_t sweeps) {
  return c->at == now && c->sweeps == sweeps && same_var(&c->var, var) &&
         (c->op == op || (c->op == RACE_WRITE && op == RACE_READ));
}

void rt_race_access(lua_State *L, const RaceVar *var, RaceOp op, const Value *key) {
  const Racer *r = racer_self();
  if (r == NULL || r->epoch == 0 || L->gl->closing) return;
  uint64_t hash = var_hash(var);
  uint32_t sweeps = atomic_load_explicit(&nsweeps, memory_order_relaxed);
  Recent *known = &recent[hash & (RECENT - 1)];
  if (is_recent(known, var, op, r->epoch, sweeps)) return;
  *known = (Recent){*var, op, sweeps, r->epoch};
  Stripe *s = &stripes[hash >> (BUCKET_BITS - STRIPE_BITS) & ((1u << STRIPE_BITS) - 1)];
  Conflict c;
  lock(&s->lk);
  Shadow *x = shadow_get_locked(s, var, hash);
  bool found = op == RACE_READ    ? read_locked(L, x, r, &c)
               : op == RACE_WRITE ? write_locked(L, x, r, &c)
                                  : change_locked(L, x, r, &c);
  unlock(&s->lk);
  if (unlikely(found)) race_report(L, r, var, key, op, &c.with, c.op);
}
