// SPDX-License-Identifier: MIT
//
// runq_test.c: the lock-free run queue. One owner puts and gets, thieves steal; every G must come out exactly once.
// Built under the thread sanitizer too.
#include "runq.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))
#define NG 4096
#define ROUNDS 60
#define THIEVES 3

static Runq q;
static G *gs;
static _Atomic int taken[NG];
static _Atomic int ntaken;
static _Atomic bool stop;

static void take(G *g) {
  atomic_fetch_add(&taken[g - gs], 1);
  atomic_fetch_add(&ntaken, 1);
}

static void drain(Runq *own) {
  bool inherit;
  for (G *g; (g = runq_get(own, &inherit)) != NULL;) take(g);
}

static void *thief(void *arg) {
  Runq *own = arg;
  while (!atomic_load(&stop)) {
    G *g = runq_steal(own, &q);
    if (g != NULL) {
      take(g);
      drain(own);
    } else if ((g = runq_peeknext(&q)) != NULL && runq_stealnext(&q, g)) {
      take(g);
    }
  }
  return NULL;
}

// As sched.c does it: next, else the ring, else half of it elsewhere.
static void put(G *g, GList *overflow) {
  G *old = runq_setnext(&q, g);
  while (old != NULL && !runq_put(&q, old)) {
    GList half = {0};
    runq_takehalf(&q, &half);
    if (half.n == 0) continue;
    glist_push(&half, old);
    glist_append(overflow, &half);
    old = NULL;
  }
}

static void test_parallel(void) {
  pthread_t t[THIEVES];
  Runq *own = calloc(THIEVES, sizeof *own);
  for (int i = 0; i < THIEVES; i++) CHECK(pthread_create(&t[i], NULL, thief, &own[i]) == 0);
  for (int round = 1; round <= ROUNDS; round++) {
    GList overflow = {0};
    bool inherit;
    for (int i = 0; i < NG; i++) {
      put(&gs[i], &overflow);
      G *g = i % 3 == 0 ? runq_get(&q, &inherit) : NULL;
      if (g != NULL) take(g);
    }
    drain(&q);
    for (G *g; (g = glist_pop(&overflow)) != NULL;) take(g);
    while (atomic_load(&ntaken) < round * NG) {
    }
    for (int i = 0; i < NG; i++) CHECK(taken[i] == round);
  }
  atomic_store(&stop, true);
  for (int i = 0; i < THIEVES; i++) pthread_join(t[i], NULL);
  CHECK(runq_isempty(&q));
  free(own);
}

static void test_order(void) {
  bool inherit;
  CHECK(runq_isempty(&q));
  for (int i = 0; i < RUNQ_SIZE; i++) CHECK(runq_put(&q, &gs[i]));
  CHECK(!runq_put(&q, &gs[0]) && runq_len(&q) == RUNQ_SIZE);
  CHECK(runq_setnext(&q, &gs[1000]) == NULL && runq_setnext(&q, &gs[1001]) == &gs[1000]);
  CHECK(runq_get(&q, &inherit) == &gs[1001] && inherit);
  GList half = {0};
  runq_takehalf(&q, &half);
  CHECK(half.n == RUNQ_SIZE / 2 && glist_pop(&half) == &gs[0]);
  CHECK(runq_get(&q, &inherit) == &gs[RUNQ_SIZE / 2] && !inherit);
  Runq other = {0};
  CHECK(runq_steal(&other, &q) == &gs[RUNQ_SIZE / 2 + 64] && runq_len(&other) == 63);
  while (runq_get(&q, &inherit) != NULL) {
  }
  CHECK(runq_isempty(&q) && !runq_isempty(&other));
}

int main(void) {
  gs = calloc(NG, sizeof *gs);
  CHECK(gs != NULL);
  test_order();
  test_parallel();
  free(gs);
  puts("runq ok");
  return 0;
}
