// SPDX-License-Identifier: MIT
//
// runq.h: queues of runnable goroutines: the bounded lock-free ring each P has, and the plain list behind a lock.
//
// What:       Runq: one producer (the worker that holds the P), any number of consumers. `next` is a slot in front of
//             the ring: what the running goroutine readied last, which runs next and inherits the time slice, so that
//             two goroutines that talk to each other are not separated by everybody else in the queue.
//             GList: a FIFO linked through G.schednext, guarded by whoever owns it.
// Invariants: 0 <= tail - head <= RUNQ_SIZE (unsigned wrap-around). tail is written by the owner only; head by
//             compare-and-swap. A slot between head and tail holds a G; it is read before the swap that claims it.
// See also:   sched.c; tests/unit/runq_test.c.
#ifndef LUNGO_RUNTIME_RUNQ_H
#define LUNGO_RUNTIME_RUNQ_H

#include "sched.h"

#define RUNQ_SIZE 256

typedef struct Runq {
  _Atomic uint32_t head;
  _Atomic uint32_t tail;
  _Atomic(G *) next;
  _Atomic(G *) ring[RUNQ_SIZE];
} Runq;

typedef struct GList {
  G *head, *tail;
  uint32_t n;
} GList;

// Owner only. False: the ring is full.
bool runq_put(Runq *q, G *g);
// Owner only. Makes g the next to run; returns the one it displaced, or NULL.
G *runq_setnext(Runq *q, G *g);
// Owner only. The next G, or NULL. *inherit: it came from `next` and shares the time slice.
G *runq_get(Runq *q, bool *inherit);
// Owner only. Takes half of a full ring, oldest first, as a list. Empty if a thief made room meanwhile.
void runq_takehalf(Runq *q, GList *out);
// The owner of dst takes half of src: the last of them is returned, the others go into dst (which is empty). `next` of
// src is left alone.
G *runq_steal(Runq *dst, Runq *src);
// Takes `g`, seen before as src's next. False: it is gone.
bool runq_stealnext(Runq *src, G *g);
static inline G *runq_peeknext(Runq *q) { return atomic_load_explicit(&q->next, memory_order_relaxed); }
// Anyone. A snapshot: true only if both were empty at one moment.
bool runq_isempty(Runq *q);
static inline uint32_t runq_len(Runq *q) {
  return atomic_load_explicit(&q->tail, memory_order_relaxed) - atomic_load_explicit(&q->head, memory_order_relaxed);
}

static inline void glist_push(GList *l, G *g) {
  g->schednext = NULL;
  if (l->tail != NULL)
    l->tail->schednext = g;
  else
    l->head = g;
  l->tail = g;
  l->n++;
}
static inline G *glist_pop(GList *l) {
  G *g = l->head;
  if (g == NULL) return NULL;
  l->head = g->schednext;
  if (l->head == NULL) l->tail = NULL;
  l->n--;
  g->schednext = NULL;
  return g;
}
// Moves all of src behind dst.
static inline void glist_append(GList *dst, GList *src) {
  if (src->head == NULL) return;
  if (dst->tail != NULL)
    dst->tail->schednext = src->head;
  else
    dst->head = src->head;
  dst->tail = src->tail;
  dst->n += src->n;
  *src = (GList){0};
}

#endif
