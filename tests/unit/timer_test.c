// SPDX-License-Identifier: MIT
//
// timer_test.c: the timer heap against a plain array, and a million timers.
#include "sched_int.h"
#include <stdio.h>
#include <stdlib.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))
#define N 3000
#define MANY 1000000

static Runtime rt;
static M m;
static int64_t last_fired;
static int fired;
static uint64_t rng = 88172645463325252u;

static void fire(Ctx *ctx, Timer *t, int64_t now) {
  CHECK(ctx == &m.ctx);
  CHECK(t->period > 0 || t->when <= now);
  if (t->period == 0) {
    CHECK(t->when >= last_fired); // in order
    last_fired = t->when;
  }
  fired++;
}

static void check_heap(P *p) {
  uint32_t n = atomic_load(&p->ntimers);
  for (uint32_t i = 0; i < n; i++) {
    CHECK(p->heap[i].t->idx == (int)i && p->heap[i].when == p->heap[i].t->when);
    CHECK(i == 0 || p->heap[(i - 1) / 4].when <= p->heap[i].when);
  }
  CHECK(atomic_load(&p->timer0) == (n == 0 ? NS_FOREVER : p->heap[0].when));
}

static void start(Timer *t, int64_t when, int64_t period) {
  P *p = timer_lock(&m, t);
  CHECK(timer_insert_locked(&rt, p, t, when, period) == 0);
  unlock_ranked(&p->timerlock, RANK_TIMERS);
}

static void run_due(P *p, int64_t now) {
  while (timers_run(&m, p, now) <= now) {
  }
}

static void test_random(P *p) {
  static Timer t[N];
  for (int i = 0; i < N; i++) timer_init(&t[i], fire, NULL, NULL);
  for (int round = 0; round < 40000; round++) {
    Timer *x = &t[rng_next(&rng) % N];
    bool armed = x->idx >= 0;
    if (rng_next(&rng) % 3 != 0)
      start(x, 1 + (int64_t)(rng_next(&rng) % 100000), 0);
    else
      CHECK(timer_stop(&rt, x) == armed && x->idx == -1);
    if (round % 1000 == 0) check_heap(p);
  }
  int armed = 0, due = 0;
  for (int i = 0; i < N; i++) {
    armed += t[i].idx >= 0;
    due += t[i].idx >= 0 && t[i].when <= 50000;
  }
  run_due(p, 50000);
  CHECK(fired == due && (int)atomic_load(&p->ntimers) == armed - due);
  check_heap(p);
  run_due(p, 100000);
  CHECK(fired == armed && atomic_load(&p->ntimers) == 0);
}

static void test_periodic(P *p) {
  Timer t;
  timer_init(&t, fire, NULL, NULL);
  start(&t, 100, 10);
  fired = 0;
  timers_run(&m, p, 99);
  CHECK(fired == 0);
  CHECK(timers_run(&m, p, 135) == 140 && fired == 1); // what was missed is skipped
  CHECK(timer_stop(&rt, &t) && !timer_stop(&rt, &t));
  check_heap(p);
}

static void test_many(P *p) {
  Timer *t = calloc(MANY, sizeof *t);
  CHECK(t != NULL);
  int64_t begin = mono_ns();
  for (int i = 0; i < MANY; i++) {
    timer_init(&t[i], fire, NULL, NULL);
    start(&t[i], 1 + (int64_t)(rng_next(&rng) % 1000000000), 0);
  }
  int64_t mid = mono_ns();
  fired = 0;
  last_fired = 0;
  timers_run(&m, p, INT64_MAX - 1);
  CHECK(fired > 0 && fired < MANY / 100); // a batch, then others have their turn
  run_due(p, INT64_MAX - 1);
  CHECK(fired == MANY);
  printf("1000000 timers: start %lld ns each, fire %lld ns each\n", (long long)(mid - begin) / MANY,
         (long long)(mono_ns() - mid) / MANY);
  free(t);
  uint32_t cap = p->captimers;
  for (int i = 0; i < 30; i++) timers_aftermark(&rt);
  CHECK(cap >= MANY && p->captimers < 1000); // the collector gives the memory back
}

int main(void) {
  P *p = p_new(&rt, 0);
  CHECK(p != NULL);
  rt.allp[0] = p;
  atomic_store(&rt.nallp, 1);
  atomic_store(&rt.mon_until, NS_FOREVER);
  m.rt = &rt;
  p_acquire(&m, p);
  m_setcurrent(&m);
  test_random(p);
  test_periodic(p);
  test_many(p);
  timers_free(p);
  free(p);
  puts("timer ok");
  return 0;
}
