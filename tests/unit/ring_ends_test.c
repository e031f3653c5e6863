// SPDX-License-Identifier: MIT
//
// ring_ends_test.c: the ends of a ring between two threads, also where their counters wrap around, and while a third
// thread takes hold of them, shuts and opens them.
#include "ring_ends.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

#define CAP 7
#define VALUES 200000

static _Alignas(CACHE_LINE) RingEnds ends;
static Value ring[CAP];
static _Atomic bool over;

static void *sender(void *arg) {
  for (int64_t i = 0; i < VALUES; i++) {
    Value v;
    v_setint(&v, i);
    while (!ends_put(&ends, ring, CAP, &v)) sched_yield();
  }
  return arg;
}

static void *receiver(void *arg) {
  for (int64_t i = 0; i < VALUES; i++) {
    Value v;
    while (!ends_take(&ends, ring, CAP, &v)) sched_yield();
    CHECK(v_isint(&v) && v.i == i);
  }
  return arg;
}

static void *disturber(void *arg) {
  uint32_t head, count;
  while (!over) {
    ends_hold(&ends, &head, &count);
    CHECK(head < CAP && count <= CAP);
    ends_release(&ends, true, CAP, head, count);
    sched_yield();
    ends_open(&ends, CAP, head, count);
    sched_yield();
  }
  return arg;
}

static void pass_all(bool disturbed) {
  pthread_t s, r, d;
  over = false;
  CHECK(pthread_create(&s, NULL, sender, NULL) == 0 && pthread_create(&r, NULL, receiver, NULL) == 0);
  if (disturbed) CHECK(pthread_create(&d, NULL, disturber, NULL) == 0);
  pthread_join(s, NULL);
  pthread_join(r, NULL);
  over = true;
  if (disturbed) pthread_join(d, NULL);
  CHECK(ends_count(&ends.send, &ends.recv, memory_order_relaxed) == 0);
}

static void start_at(uint32_t n) {
  atomic_store(&ends.send.n, n);
  atomic_store(&ends.recv.n, n);
}

static void test_one(void) {
  Value v;
  v_setint(&v, 1);
  CHECK(!ends_take(&ends, ring, CAP, &v));
  for (int i = 0; i < CAP; i++) CHECK(ends_put(&ends, ring, CAP, &v));
  CHECK(!ends_put(&ends, ring, CAP, &v));
  for (int i = 0; i < CAP; i++) CHECK(ends_take(&ends, ring, CAP, &v));
  CHECK(!ends_take(&ends, ring, CAP, &v));
}

int main(void) {
  ends_open(&ends, CAP, 0, 0);
  for (uint32_t n = UINT32_MAX - 2 * CAP; n != 2 * CAP; n++) {
    start_at(n);
    test_one();
  }
  start_at(UINT32_MAX - VALUES / 2);
  pass_all(false);
  ends_open(&ends, CAP, CAP - 1, 0);
  pass_all(true);
  return 0;
}
