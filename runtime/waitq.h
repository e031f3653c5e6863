// SPDX-License-Identifier: MIT
//
// waitq.h: a FIFO list of Waiters: the goroutines that wait on one object.
//
// Invariants: the lock of the object guards the list and the links, `obj` and `is_select` of the waiters in it.
//             `obj` is not NULL exactly while the waiter is in a list, so that a select can ask each of its waiters
//             whether a waker has already taken it out.
// Callers:    chan.c, select.c, sync.c, and whoever else parks goroutines on an object.
#ifndef LUNGO_RUNTIME_WAITQ_H
#define LUNGO_RUNTIME_WAITQ_H

#include "gc.h"
#include "lgassert.h"
#include "sched.h"

typedef struct WaitQ {
  Waiter *head, *tail;
} WaitQ;

static inline void waitq_push(WaitQ *q, Waiter *w, void *obj) {
  w->obj = obj;
  w->next = NULL;
  w->prev = q->tail;
  if (q->tail)
    q->tail->next = w;
  else
    q->head = w;
  q->tail = w;
}

static inline void waitq_pushfront(WaitQ *q, Waiter *w, void *obj) {
  w->obj = obj;
  w->prev = NULL;
  w->next = q->head;
  if (q->head)
    q->head->prev = w;
  else
    q->tail = w;
  q->head = w;
}

static inline void waitq_remove(WaitQ *q, Waiter *w) {
  lg_assert(w->obj != NULL);
  if (w->prev)
    w->prev->next = w->next;
  else
    q->head = w->next;
  if (w->next)
    w->next->prev = w->prev;
  else
    q->tail = w->prev;
  w->prev = w->next = NULL;
  w->obj = NULL;
}

// The goroutine's own waiter, ready to be queued. `v` is nil, or what the caller puts there.
static inline Waiter *waiter_of(G *g) {
  Waiter *w = &g->w;
  lg_assert(w->obj == NULL);
  w->g = g;
  w->ok = false;
  w->is_select = false;
  w->index = 0;
  return w;
}

// A waker claims w's goroutine: always for a plain waiter; of the waiters of a select only the first to ask wins, and
// the goroutine reads from selectdone which of them it was. The acquire half pairs with the store in select.c that
// opens a new round; the release half is for the goroutine, which also synchronizes through g_ready.
static inline bool waiter_win(Waiter *w) {
  if (likely(!w->is_select)) return true;
  uint32_t zero = 0;
  return atomic_compare_exchange_strong_explicit(&w->g->selectdone, &zero, (uint32_t)(w - w->g->sel) + 1,
                                                 memory_order_acq_rel, memory_order_relaxed);
}

// Takes out the first waiter that can still be won, and wins it. Losers met on the way leave the list for good.
static inline Waiter *waitq_popwin(WaitQ *q) {
  Waiter *w;
  while ((w = q->head) != NULL) {
    waitq_remove(q, w);
    if (waiter_win(w)) return w;
  }
  return NULL;
}

// Whether somebody waits who was not yet won by another object (a guess: he may be won the next moment).
static inline bool waitq_haslive(WaitQ *q) {
  Waiter *w;
  while ((w = q->head) != NULL) {
    if (!w->is_select || atomic_load_explicit(&w->g->selectdone, memory_order_relaxed) == 0) return true;
    waitq_remove(q, w);
  }
  return false;
}

// Readies a list linked by `next` (taken out under the lock, which is released by now).
static inline void waiters_ready(Ctx *ctx, Waiter *list) {
  while (list) {
    Waiter *next = list->next; // before g_ready: from then on the waiter belongs to its goroutine
    list->next = NULL;
    g_ready(ctx, list->g);
    list = next;
  }
}

// For the trace function of an object with a queue: in a leak pass, who reaches the object may wake those who wait.
void waitq_reach(struct Marker *m, const WaitQ *q); // leaks.c
void leaks_reach(struct Marker *m, G *g);           // the same for one goroutine; only in a leak pass
static inline void waitq_trace(struct Marker *m, const WaitQ *q) {
  if (unlikely(gc_isleakpass(m))) waitq_reach(m, q);
}

#endif
