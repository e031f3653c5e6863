// SPDX-License-Identifier: MIT
//
// runq.c: the bounded lock-free run queue of a P. See runq.h.
//
// How it is safe: the producer fills a slot and then publishes it with a release store of tail; a consumer that sees
// that tail (acquire) sees the slot and the G behind it. A consumer reads the slot first and claims it by moving head
// (release) with compare-and-swap; the producer reads head (acquire) before it reuses a slot, so a claimed slot has
// been read. A failed claim throws away what it read. The store of tail and the exchange of next are sequentially
// consistent because the caller goes on to look for idle Ps, while a worker that goes idle first says so and looks at
// queues then.
#include "runq.h"

#define RING_MASK (RUNQ_SIZE - 1)

static inline G *ring_load(Runq *q, uint32_t i) {
  return atomic_load_explicit(&q->ring[i & RING_MASK], memory_order_relaxed);
}
static inline void ring_store(Runq *q, uint32_t i, G *g) {
  atomic_store_explicit(&q->ring[i & RING_MASK], g, memory_order_relaxed);
}

bool runq_put(Runq *q, G *g) {
  uint32_t h = atomic_load_explicit(&q->head, memory_order_acquire); // pairs with the claims
  uint32_t t = atomic_load_explicit(&q->tail, memory_order_relaxed);
  if (t - h >= RUNQ_SIZE) return false;
  ring_store(q, t, g);
  atomic_store_explicit(&q->tail, t + 1, memory_order_seq_cst);
  return true;
}

G *runq_setnext(Runq *q, G *g) { return atomic_exchange_explicit(&q->next, g, memory_order_seq_cst); }

G *runq_get(Runq *q, bool *inherit) {
  // Only the owner fills next, so if it is empty it stays so; if not, a thief may be faster.
  if (runq_peeknext(q) != NULL) {
    G *g = atomic_exchange_explicit(&q->next, NULL, memory_order_acq_rel);
    if (g != NULL) {
      *inherit = true;
      return g;
    }
  }
  *inherit = false;
  uint32_t h = atomic_load_explicit(&q->head, memory_order_acquire);
  for (;;) {
    uint32_t t = atomic_load_explicit(&q->tail, memory_order_relaxed);
    if (t == h) return NULL;
    G *g = ring_load(q, h);
    if (atomic_compare_exchange_weak_explicit(&q->head, &h, h + 1, memory_order_acq_rel, memory_order_acquire))
      return g;
  }
}

void runq_takehalf(Runq *q, GList *out) {
  G *batch[RUNQ_SIZE / 2];
  uint32_t h = atomic_load_explicit(&q->head, memory_order_acquire);
  uint32_t n = (atomic_load_explicit(&q->tail, memory_order_relaxed) - h) / 2;
  if (n < RUNQ_SIZE / 2) return; // no longer full
  for (uint32_t i = 0; i < n; i++) batch[i] = ring_load(q, h + i);
  if (!atomic_compare_exchange_strong_explicit(&q->head, &h, h + n, memory_order_acq_rel, memory_order_relaxed)) return;
  for (uint32_t i = 0; i < n; i++) glist_push(out, batch[i]);
}

G *runq_steal(Runq *dst, Runq *src) {
  uint32_t t = atomic_load_explicit(&dst->tail, memory_order_relaxed);
  for (;;) {
    uint32_t h = atomic_load_explicit(&src->head, memory_order_acquire);
    uint32_t st = atomic_load_explicit(&src->tail, memory_order_acquire); // pairs with runq_put
    uint32_t n = st - h;
    n -= n / 2;
    if (n == 0) return NULL;
    if (n > RUNQ_SIZE / 2) continue; // head and tail are from different moments
    for (uint32_t i = 0; i < n; i++) ring_store(dst, t + i, ring_load(src, h + i));
    if (!atomic_compare_exchange_strong_explicit(&src->head, &h, h + n, memory_order_acq_rel, memory_order_relaxed))
      continue;
    if (n > 1) atomic_store_explicit(&dst->tail, t + n - 1, memory_order_seq_cst);
    return ring_load(dst, t + n - 1);
  }
}

bool runq_stealnext(Runq *src, G *g) {
  return atomic_compare_exchange_strong_explicit(&src->next, &g, NULL, memory_order_acq_rel, memory_order_relaxed);
}

bool runq_isempty(Runq *q) {
  // The owner may kick a G from next into the ring between our loads: an unchanged tail tells that it did not.
  for (;;) {
    uint32_t h = atomic_load_explicit(&q->head, memory_order_seq_cst);
    uint32_t t = atomic_load_explicit(&q->tail, memory_order_seq_cst);
    G *next = atomic_load_explicit(&q->next, memory_order_seq_cst);
    if (t == atomic_load_explicit(&q->tail, memory_order_seq_cst)) return h == t && next == NULL;
  }
}
