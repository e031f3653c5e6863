// SPDX-License-Identifier: MIT
//
// timer.c: timers: a 4-ary heap per P, the clock, and durations.
//
// What:       a timer stays with the P on which it was armed first, so one lock guards all about it, and several
//             goroutines may start and stop the same timer. Whoever holds any P may run the timers of any other: its
//             own at each scheduling step, others' when it steals, all when it is asked to give way. An idle worker
//             sleeps until the earliest one (sched.c); sysmon looks after timers when no P is idle.
// Invariants: heap[i].when <= heap[4i+1..4i+4].when; heap[i].t->idx == i; timer0 is heap[0].when or NS_FOREVER.
//             The key is in the heap entry, so sifting touches a Timer only to store its index.
//             At most one worker fires timers of a heap at a time (p->firing). While fire runs, the lock is free and a
//             periodic timer is already armed again. After its fire nothing of the timer is touched.
// Locking:    p->timerlock. See lockrank.h.
// See also:   sched.h (struct Timer). Tests: tests/unit/timer_test.c.
#include "sched_int.h"
#include "call.h"
#include "gc.h"
#include "happens.h"
#include "lockstep.h"
#include "meta.h"
#include "trace.h"
#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <sched.h>
#include <time.h>

#define BATCH 256
#define MIN_HEAP 64 // entries; a smaller heap is not worth shrinking

int64_t mono_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t timer_clock(lua_State *L) { return rt_clock(L->gl->rt); }

int64_t time_checkduration(lua_State *L, int arg) {
  int isint;
  lua_Integer s = lua_tointegerx(L, arg, &isint);
  if (isint && lua_type(L, arg) == LUA_TNUMBER) {
    if (s <= 0) return 0;
    return s > INT64_MAX / 1000000000 ? INT64_MAX : s * 1000000000;
  }
  lua_Number n = luaL_checknumber(L, arg);
  luaL_argcheck(L, n == n, arg, "duration is NaN");
  if (n <= 0) return 0;
  n = round(n * 1e9);
  return n >= 9223372036854775808.0 ? INT64_MAX : (int64_t)n;
}

// ---- the heap ----------------------------------------------------------------------------------------

static void place(P *p, uint32_t i, TimerEntry e) {
  p->heap[i] = e;
  e.t->idx = (int)i;
}

static void sift_up(P *p, uint32_t i) {
  TimerEntry e = p->heap[i];
  while (i > 0) {
    uint32_t up = (i - 1) / 4;
    if (p->heap[up].when <= e.when) break;
    place(p, i, p->heap[up]);
    i = up;
  }
  place(p, i, e);
}

static void sift_down(P *p, uint32_t i) {
  uint32_t n = atomic_load_explicit(&p->ntimers, memory_order_relaxed);
  TimerEntry e = p->heap[i];
  for (;;) {
    uint32_t first = 4 * i + 1, best = i;
    int64_t when = e.when;
    for (uint32_t c = first; c < first + 4 && c < n; c++) {
      if (p->heap[c].when >= when) continue;
      when = p->heap[c].when;
      best = c;
    }
    if (best == i) break;
    place(p, i, p->heap[best]);
    i = best;
  }
  place(p, i, e);
}

static void publish_first(P *p) {
  uint32_t n = atomic_load_explicit(&p->ntimers, memory_order_relaxed);
  int64_t first = n == 0 ? NS_FOREVER : p->heap[0].when;
  if (first != atomic_load_explicit(&p->timer0, memory_order_relaxed))
    atomic_store_explicit(&p->timer0, first, memory_order_seq_cst); // pairs with become_sleeper_locked
}

static void heap_remove(P *p, uint32_t i) {
  uint32_t n = atomic_load_explicit(&p->ntimers, memory_order_relaxed) - 1;
  p->heap[i].t->idx = -1;
  atomic_store_explicit(&p->ntimers, n, memory_order_relaxed);
  if (i == n) return;
  int64_t old = p->heap[i].when;
  place(p, i, p->heap[n]);
  if (p->heap[i].when < old)
    sift_up(p, i);
  else
    sift_down(p, i);
}

static int heap_insert(P *p, Timer *t) {
  uint32_t n = atomic_load_explicit(&p->ntimers, memory_order_relaxed);
  if (n == p->captimers) {
    uint32_t cap = n == 0 ? 16 : 2 * n;
    TimerEntry *heap = realloc(p->heap, cap * sizeof *heap);
    if (heap == NULL) return -ENOMEM;
    p->heap = heap;
    p->captimers = cap;
  }
  p->heap[n] = (TimerEntry){t->when, t};
  atomic_store_explicit(&p->ntimers, n + 1, memory_order_relaxed);
  sift_up(p, n);
  return 0;
}

// ---- arming and stopping -------------------------------------------------------------------------------

void timer_init(Timer *t, void (*fire)(Ctx *, Timer *, int64_t), void *arg, Obj *owner) {
  *t = (Timer){.fire = fire, .arg = arg, .owner = owner, .idx = -1};
}

P *timer_lock(M *m, Timer *t) {
  P *p = __atomic_load_n(&t->p, __ATOMIC_ACQUIRE);
  if (p == NULL) {
    P *mine = m->p;
    p = __atomic_compare_exchange_n(&t->p, &p, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ? mine : p;
  }
  lock_ranked(&p->timerlock, RANK_TIMERS);
  return p;
}

int timer_insert_locked(Runtime *rt, P *p, Timer *t, int64_t when, int64_t period) {
  (void)rt;
  assert_held(&p->timerlock);
  if (t->idx >= 0) heap_remove(p, (uint32_t)t->idx);
  t->when = when;
  t->period = period;
  int r = heap_insert(p, t);
  publish_first(p);
  return r;
}

// The P we hold looks at its timers at each step, and a worker that goes idle looks at all. What remains is a goroutine
// that computes for long: sysmon must not oversleep.
void timer_poke(Runtime *rt, int64_t when) {
  if (lockstep_ison(rt)) return; // it cannot be due before that goroutine's slice is over
  int64_t until = atomic_load(&rt->mon_until);
  if (until != NS_FOREVER && until - 100000 > when) sysmon_wake(rt);
}

void timer_start(lua_State *L, Timer *t, int64_t when, int64_t period) {
  M *m = m_of(L->ctx);
  int r = rt_start(m->rt, m); // beside a loop without end nobody else would look at the clock
  if (r != 0) dbg_runerror(L, "cannot start a thread: %s", strerror(-r));
  if (unlikely(race_on)) rt_race_release(t);
  P *p = timer_lock(m, t);
  r = timer_insert_locked(m->rt, p, t, when, period);
  unlock_ranked(&p->timerlock, RANK_TIMERS);
  if (r != 0) call_memerror(L);
  timer_poke(m->rt, when);
}

static bool disarm_locked(P *p, Timer *t) {
  if (t->idx < 0) return false;
  heap_remove(p, (uint32_t)t->idx);
  publish_first(p);
  return true;
}

bool timer_stop_nowait(Timer *t) {
  P *p = __atomic_load_n(&t->p, __ATOMIC_ACQUIRE);
  if (p == NULL) return false;
  lock_ranked(&p->timerlock, RANK_TIMERS);
  bool armed = disarm_locked(p, t);
  unlock_ranked(&p->timerlock, RANK_TIMERS);
  return armed;
}

bool timer_stop(Runtime *rt, Timer *t) {
  P *p = __atomic_load_n(&t->p, __ATOMIC_ACQUIRE);
  (void)rt;
  if (p == NULL) return false;
  lock_ranked(&p->timerlock, RANK_TIMERS);
  bool armed = disarm_locked(p, t);
  while (p->firing_timer == t && p->firing != m_current) { // a few microseconds at most: fire never waits
    unlock_ranked(&p->timerlock, RANK_TIMERS);
    sched_yield();
    lock_ranked(&p->timerlock, RANK_TIMERS);
  }
  unlock_ranked(&p->timerlock, RANK_TIMERS);
  return armed;
}

// ---- running ---------------------------------------------------------------------------------------------

// Takes the first one out, or arms it for its next period after now: a ticker skips what it missed.
static Timer *take_first(P *p, int64_t now) {
  Timer *t = p->heap[0].t;
  if (t->period > 0) {
    t->when += t->period * (1 + (now - t->when) / t->period);
    p->heap[0].when = t->when;
    sift_down(p, 0);
  } else {
    heap_remove(p, 0);
  }
  publish_first(p);
  return t;
}

static bool first_due(P *p, int64_t now) {
  return atomic_load_explicit(&p->ntimers, memory_order_relaxed) > 0 && p->heap[0].when <= now;
}

// At most BATCH at a time: what they make runnable is to run too, and the world to stop, before a million have fired.
// The rest is still due when the worker looks for work next.
int64_t timers_run(M *m, P *p, int64_t now) {
  lock_ranked(&p->timerlock, RANK_TIMERS);
  if (p->firing == NULL) {
    p->firing = m;
    for (int i = 0; i < BATCH && first_due(p, now); i++) {
      Timer *t = p->firing_timer = take_first(p, now);
      void (*fire)(Ctx *, Timer *, int64_t) = t->fire;
      unlock_ranked(&p->timerlock, RANK_TIMERS);
      int64_t began = trace_begin();
      m->infire = true;
      if (unlikely(race_on)) race_fire(t);
      fire(&m->ctx, t, now);
      m->infire = false;
      if (began != 0) trace_end(m->p, SPAN_TIMER, began);
      lock_ranked(&p->timerlock, RANK_TIMERS);
      p->firing_timer = NULL;
    }
    p->firing = NULL;
  }
  int64_t next = atomic_load(&p->timer0);
  unlock_ranked(&p->timerlock, RANK_TIMERS);
  return next;
}

int64_t timers_earliest(Runtime *rt, P **whose) {
  int64_t first = NS_FOREVER;
  int n = atomic_load_explicit(&rt->nallp, memory_order_acquire);
  for (int i = 0; i < n; i++) {
    int64_t when = atomic_load(&rt->allp[i]->timer0);
    if (when >= first) continue;
    first = when;
    if (whose != NULL) *whose = rt->allp[i];
  }
  return first;
}

// Of all Ps: one whose worker is away, or that was abolished, cannot see to its own.
void timers_rundue_slow(M *m) {
  P *whose = NULL;
  int64_t first = timers_earliest(m->rt, &whose);
  if (first == NS_FOREVER) return;
  for (int64_t now = rt_clock(m->rt); first <= now; first = timers_earliest(m->rt, &whose))
    if (timers_run(m, whose, now) <= now) return; // another worker is at it
}

void timers_shift(Runtime *rt, int64_t ns) {
  for (int i = 0; i < atomic_load(&rt->nallp); i++) {
    P *p = rt->allp[i];
    for (uint32_t k = 0; k < atomic_load(&p->ntimers); k++) p->heap[k].t->when = p->heap[k].when += ns;
    publish_first(p);
  }
}

// ---- the collector: world stopped, so nobody holds a timerlock --------------------------------------------------

// Owners that nobody else refers to are left to timers_aftermark. In a leak pass that is over, and whoever waits for
// what an armed timer will send has hope.
void timers_markroots(Runtime *rt, struct Marker *mk) {
  bool all = gc_isleakpass(mk);
  for (int i = 0; i < atomic_load(&rt->nallp); i++) {
    P *p = rt->allp[i];
    for (uint32_t k = 0; k < atomic_load(&p->ntimers); k++)
      if (all || p->heap[k].t->keep) gc_mark_obj(mk, p->heap[k].t->owner);
  }
}

static bool forgotten(const Timer *t) { return !t->keep && t->owner != NULL && !heap_ismarked(t->owner); }

// Gives back the memory of a heap that is mostly empty now.
static void shrink(P *p) {
  uint32_t n = atomic_load(&p->ntimers), cap = p->captimers / 2;
  if (cap < MIN_HEAP || n > cap / 2) return;
  TimerEntry *heap = realloc(p->heap, cap * sizeof *heap);
  if (heap == NULL) return;
  p->heap = heap;
  p->captimers = cap;
}

void timers_aftermark(Runtime *rt) {
  for (int i = 0; i < atomic_load(&rt->nallp); i++) {
    P *p = rt->allp[i];
    uint32_t n = atomic_load(&p->ntimers), live = 0;
    for (uint32_t k = 0; k < n; k++) {
      TimerEntry e = p->heap[k];
      if (forgotten(e.t))
        e.t->idx = -1;
      else
        place(p, live++, e);
    }
    if (live < n) {
      atomic_store(&p->ntimers, live);
      for (uint32_t k = live / 4 + 1; k-- > 0;)
        if (k < live) sift_down(p, k);
      publish_first(p);
    }
    shrink(p);
  }
}

void timers_free(P *p) { free(p->heap); }
