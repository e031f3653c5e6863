// SPDX-License-Identifier: MIT
//
// sync.c: the waiting objects beside channels: mutex, wait group, once, condition, semaphore. (rwmutex.c: read-write
// mutex.)
//
// What:       each has a state word for the case that nobody waits (one compare-and-swap) and, for the other case, a
//             Lock with a queue of waiters.
//             Mutex: Go's two modes. Normally unlock wakes the first waiter, who competes with newcomers: a newcomer
//             runs already and takes the lock without a switch, which is what makes a contended mutex fast. A waiter
//             that has lost for a millisecond is handed the lock by unlock itself, so that nobody starves.
// Invariants: a waiting bit or count in a state word changes only under lk, and is set exactly while the queue is not
//             empty; a release that finds it set does its work under lk. So no wake-up is lost.
// Locking:    one object's lk at a time; g_ready only after it is released.
// See also:   sync.h, waitq.h; stdlib/synclib.c gives these to Lua. Tests: tests/runtime/sync_*.lua.

#include "sync.h"
#include "chan.h"
#include "rwmutex.h"

#define load(p) atomic_load_explicit(p, memory_order_relaxed)
#define cas(p, old, new) atomic_compare_exchange_weak_explicit(p, old, new, memory_order_acq_rel, memory_order_relaxed)

// ---- Mutex -------------------------------------------------------------------------------------------------

#define STARVING_NS INT64_C(1000000)

// When the holder runs on another processor right now, its critical section is likely shorter than a park. With few
// looks, some microseconds apart, it locks and unlocks a hundred times meanwhile (bench/conc/mutex.lua on two
// processors: three times faster). Twenty microseconds at most.
#define SPIN_LOOKS 8
#define SPIN_PAUSES 240

static bool spin(lua_State *L, Mutex *m) {
  if (!patience_try(L, &m->patience)) return false;
  for (int look = 0; look < SPIN_LOOKS; look++) {
    patience_pause(SPIN_PAUSES);
    if (!mutex_trylock(m)) continue;
    patience_paid(&m->patience);
    return true;
  }
  return false;
}

// Takes the mutex or joins the queue. `woken`: we were in the queue and hold MUTEX_WOKEN; we go to its front again.
// waiter->v carries the time at which the waiting began, index 1 asks unlock for a hand-over.
static bool mutex_enqueue(lua_State *L, Mutex *m, bool woken) {
  Waiter *w = &L->g->w;
  lock(&m->lk);
  uint32_t s = load(&m->state), clear = woken ? MUTEX_WOKEN : 0;
  for (;;) {
    bool locked = s & MUTEX_LOCKED;
    if (cas(&m->state, &s, (s | (locked ? MUTEX_WAITERS : MUTEX_LOCKED)) & ~clear)) {
      if (locked) break;
      unlock(&m->lk);
      if (unlikely(race_on)) rt_race_acquire(m);
      v_setnil(&w->v);
      return true;
    }
  }
  L->g->wanted = m;
  if (woken) {
    int64_t since = w->v.i;
    waiter_of(L->g)->index = timer_clock(L) - since > STARVING_NS;
    waitq_pushfront(&m->q, w, m);
  } else {
    waitq_push(&m->q, waiter_of(L->g), m);
    v_setint(&w->v, timer_clock(L));
  }
  return false;
}

bool mutex_begin_slow(lua_State *L, Mutex *m) { return mutex_trylock(m) || spin(L, m) || mutex_enqueue(L, m, false); }

bool mutex_again(lua_State *L, Mutex *m) {
  if (L->g->w.ok) { // handed over
    v_setnil(&L->g->w.v);
    return true;
  }
  return mutex_enqueue(L, m, true);
}

// Under lk: takes out the waiter to wake, and moves the state on. NULL with *ok false: the mutex is not locked.
static Waiter *mutex_release_locked(Mutex *m, bool *ok) {
  uint32_t s = load(&m->state), to;
  Waiter *w;
  do {
    *ok = s & MUTEX_LOCKED;
    w = (s & MUTEX_WOKEN) ? NULL : m->q.head;
    if (!*ok) return NULL;
    uint32_t rest = w == NULL ? s & (MUTEX_WAITERS | MUTEX_WOKEN) : w->next ? MUTEX_WAITERS : 0;
    to = w == NULL ? rest : rest | (w->index ? MUTEX_LOCKED : MUTEX_WOKEN);
  } while (!cas(&m->state, &s, to));
  if (w) {
    waitq_remove(&m->q, w);
    w->ok = w->index != 0;
  }
  return w;
}

bool mutex_unlock_slow(Ctx *ctx, Mutex *m) {
  uint32_t s = load(&m->state);
  while ((s & MUTEX_LOCKED) && ((s & MUTEX_WOKEN) || !(s & MUTEX_WAITERS)))
    if (cas(&m->state, &s, s & ~MUTEX_LOCKED)) return true;
  bool ok;
  lock(&m->lk);
  Waiter *w = mutex_release_locked(m, &ok);
  unlock(&m->lk);
  if (w) g_ready(ctx, w->g);
  return ok;
}

// ---- WaitGroup -------------------------------------------------------------------------------------------------

#define WG_COUNT(s) ((int64_t)((s) >> 32))
#define WG_WAITERS(s) ((uint32_t)(s))

// Under lk everything that looks at waiters is still; reaching zero takes them all out.
static bool wg_finish(Ctx *ctx, WaitGroup *wg, int64_t d) {
  Waiter *list = NULL, **end = &list, *w;
  lock(&wg->lk);
  uint64_t s = load(&wg->state);
  int64_t n;
  do {
    n = WG_COUNT(s) + d;
    if (n < 0 || n > INT32_MAX) {
      unlock(&wg->lk);
      return false;
    }
  } while (!cas(&wg->state, &s, (uint64_t)n << 32 | (n == 0 ? 0 : WG_WAITERS(s))));
  for (; n == 0 && (w = wg->q.head) != NULL; end = &w->next) {
    waitq_remove(&wg->q, w);
    *end = w;
    if (unlikely(race_on)) race_acquire_for(w->g, wg);
  }
  unlock(&wg->lk);
  waiters_ready(ctx, list);
  return true;
}

bool wg_add(Ctx *ctx, WaitGroup *wg, int64_t d) {
  if (d < -INT32_MAX || d > INT32_MAX) return false;
  if (unlikely(race_on) && d < 0) rt_race_release(wg);
  uint64_t s = load(&wg->state);
  for (;;) {
    int64_t n = WG_COUNT(s) + d;
    if (n < 0 || n > INT32_MAX) return false;
    if (n == 0 && WG_WAITERS(s)) return wg_finish(ctx, wg, d);
    if (cas(&wg->state, &s, (uint64_t)n << 32 | WG_WAITERS(s))) return true;
  }
}

static bool wg_nowait(WaitGroup *wg) {
  if (unlikely(race_on)) rt_race_acquire(wg);
  return true;
}

bool wg_begin_wait(lua_State *L, WaitGroup *wg) {
  if (WG_COUNT(atomic_load_explicit(&wg->state, memory_order_acquire)) == 0) return wg_nowait(wg);
  lock(&wg->lk);
  uint64_t s = atomic_load_explicit(&wg->state, memory_order_acquire);
  do {
    if (WG_COUNT(s) == 0) {
      unlock(&wg->lk);
      return wg_nowait(wg);
    }
  } while (!cas(&wg->state, &s, s + 1));
  waitq_push(&wg->q, waiter_of(L->g), wg);
  return false;
}

// ---- Once -------------------------------------------------------------------------------------------------------

bool once_begin(lua_State *L, Once *o, bool *mine) {
  *mine = false;
  if (once_isdone(o)) return true;
  lock(&o->lk);
  uint32_t s = load(&o->state);
  if (unlikely(race_on) && s == ONCE_DONE) rt_race_acquire(o);
  if (s == ONCE_RUNNING) {
    waitq_push(&o->q, waiter_of(L->g), o);
    return false;
  }
  if (s == ONCE_NEW) {
    *mine = true;
    o->runner = L;
    atomic_store_explicit(&o->state, ONCE_RUNNING, memory_order_relaxed);
  }
  unlock(&o->lk);
  return true;
}

void once_finish(Ctx *ctx, Once *o) {
  if (unlikely(race_on)) rt_race_release(o);
  lock(&o->lk);
  Waiter *list = o->q.head;
  for (Waiter *w = list; w; w = w->next) w->obj = NULL;
  o->q = (WaitQ){NULL, NULL};
  o->runner = NULL;
  atomic_store_explicit(&o->state, ONCE_DONE, memory_order_release); // pairs with once_isdone
  unlock(&o->lk);
  waiters_ready(ctx, list);
}

// ---- Cond --------------------------------------------------------------------------------------------------------

static bool ticket_before(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }

uint32_t cond_ticket(Cond *c) {
  lock(&c->lk);
  uint32_t t = c->next++;
  unlock(&c->lk);
  return t;
}

uint32_t cond_signals(Cond *c) {
  lock(&c->lk);
  uint32_t n = c->nsignals;
  unlock(&c->lk);
  return n;
}

static void cond_enqueue_locked(lua_State *L, Cond *c, uint32_t ticket) {
  Waiter *w = waiter_of(L->g);
  w->index = ticket;
  waitq_push(&c->q, w, c);
  L->g->wanted = c;
}

bool cond_begin_wait(lua_State *L, Cond *c, uint32_t ticket) {
  lock(&c->lk);
  if (ticket_before(ticket, c->served)) { // the signal came before we did
    unlock(&c->lk);
    if (unlikely(race_on)) rt_race_acquire(c);
    return true;
  }
  cond_enqueue_locked(L, c, ticket);
  return false;
}

bool cond_begin_wait_since(lua_State *L, Cond *c, uint32_t seen) {
  lock(&c->lk);
  if (c->nsignals != seen) {
    unlock(&c->lk);
    if (unlikely(race_on)) rt_race_acquire(c);
    return true;
  }
  cond_enqueue_locked(L, c, c->next++);
  return false;
}

// The ticket served may belong to somebody who is still on his way into the queue: he will see it there.
void cond_signal(Ctx *ctx, Cond *c) {
  Waiter *w = NULL;
  if (unlikely(race_on)) rt_race_release(c);
  lock(&c->lk);
  c->nsignals++;
  if (c->served != c->next) {
    uint32_t t = c->served++;
    for (w = c->q.head; w && w->index != t; w = w->next) continue;
    if (w) waitq_remove(&c->q, w);
  }
  unlock(&c->lk);
  if (w) g_ready(ctx, w->g);
}

void cond_broadcast(Ctx *ctx, Cond *c) {
  if (unlikely(race_on)) rt_race_release(c);
  lock(&c->lk);
  c->nsignals++;
  c->served = c->next;
  Waiter *list = c->q.head;
  for (Waiter *w = list; w; w = w->next) w->obj = NULL;
  c->q = (WaitQ){NULL, NULL};
  unlock(&c->lk);
  waiters_ready(ctx, list);
}

// ---- Semaphore ------------------------------------------------------------------------------------------------------

static bool sem_take_locked(Semaphore *s, int64_t k) {
  if (s->q.head || k > s->size - s->used) return false;
  s->used += k;
  if (unlikely(race_on)) rt_race_acquire(s);
  return true;
}

// More than there ever will be: such a request waits apart, so that it does not hold up those behind it.
static WaitQ *sem_queue(Semaphore *s, int64_t k) { return k > s->size ? &s->never : &s->q; }

static void sem_enqueue_locked(lua_State *L, Semaphore *s, int64_t k) {
  Waiter *w = waiter_of(L->g);
  v_setint(&w->v, k);
  waitq_push(sem_queue(s, k), w, s);
  L->g->wanted = s;
  L->g->units = k;
}

// Lets in from the front those that fit, appending them to the list.
static void sem_admit_locked(Semaphore *s, Waiter ***end) {
  Waiter *w;
  while ((w = s->q.head) != NULL && w->v.i <= s->size - s->used) {
    s->used += w->v.i;
    waitq_remove(&s->q, w);
    v_setnil(&w->v);
    w->ok = true;
    if (unlikely(race_on)) race_acquire_for(w->g, s);
    **end = w;
    *end = &w->next;
  }
}

bool sem_tryacquire(Semaphore *s, int64_t k) {
  lock(&s->lk);
  bool ok = sem_take_locked(s, k);
  unlock(&s->lk);
  return ok;
}

bool sem_begin_acquire(lua_State *L, Semaphore *s, int64_t k) {
  lock(&s->lk);
  if (sem_take_locked(s, k)) {
    unlock(&s->lk);
    return true;
  }
  sem_enqueue_locked(L, s, k);
  return false;
}

// The context was cancelled while w waited, or just after it was let in: then it is not in the queue any more.
static void sem_canceled(ContextHook *hook, Waiter ***end) {
  SemWait *sw = (SemWait *)hook;
  Semaphore *s = sw->s;
  Waiter *w = sw->w;
  lock(&s->lk);
  if (w->obj == s) {
    waitq_remove(sem_queue(s, w->v.i), w);
    v_setnil(&w->v);
    **end = w; // ok is false
    *end = &w->next;
    sem_admit_locked(s, end); // it may have been first, and too big
  }
  unlock(&s->lk);
}

SemResult sem_begin_acquire_context(lua_State *L, Semaphore *s, int64_t k, Context *c, SemWait *sw) {
  lock(&c->lk);
  if (context_err(c) != CONTEXT_LIVE) {
    unlock(&c->lk);
    return SEM_CANCELED;
  }
  lock(&s->lk);
  bool taken = sem_take_locked(s, k);
  if (taken) {
    unlock(&s->lk);
  } else {
    *sw = (SemWait){.hook = {.fn = sem_canceled, .g = L->g}, .s = s, .context = c, .w = &L->g->w};
    sem_enqueue_locked(L, s, k);
    L->g->wanted = sw;
    L->g->w.index = 1; // its continuation must run, to take the hook out again (interrupt.c)
    context_hook_locked(c, &sw->hook);
  }
  unlock(&c->lk);
  return taken ? SEM_ACQUIRED : SEM_WAIT;
}

bool sem_end_acquire_context(lua_State *L, Semaphore *s, int64_t k, Context *c, SemWait *sw) {
  context_unhook(c, &sw->hook);
  if (!L->g->w.ok) return false;
  if (context_err(c) == CONTEXT_LIVE) return true;
  sem_release(L->ctx, s, k);
  return false;
}

bool sem_release(Ctx *ctx, Semaphore *s, int64_t k) {
  Waiter *list = NULL, **end = &list;
  if (unlikely(race_on)) rt_race_release(s);
  lock(&s->lk);
  bool ok = k <= s->used;
  if (ok) {
    s->used -= k;
    sem_admit_locked(s, &end);
  }
  unlock(&s->lk);
  waiters_ready(ctx, list);
  return ok;
}

bool sem_resize(Semaphore *s, int64_t size) {
  lock(&s->lk);
  bool idle = s->used == 0 && !s->q.head && !s->never.head;
  if (idle) s->size = size;
  unlock(&s->lk);
  return idle;
}

// ---- giving back (group.c) -----------------------------------------------------------------------------------------

// A woken waiter that will not try: lets the next one do so.
static void mutex_giveup(Ctx *ctx, Mutex *m) {
  Waiter *w;
  uint32_t s, to;
  lock(&m->lk);
  s = load(&m->state);
  do {
    w = (s & MUTEX_LOCKED) ? NULL : m->q.head; // while it is locked, unlock will see to them
    to = w == NULL ? s & ~MUTEX_WOKEN : (w->next ? MUTEX_WAITERS : 0) | MUTEX_WOKEN;
  } while (!cas(&m->state, &s, to));
  if (w) {
    waitq_remove(&m->q, w);
    w->ok = false;
  }
  unlock(&m->lk);
  if (w) g_ready(ctx, w->g);
}

static void mutex_giveback(Ctx *ctx, G *g) {
  v_setnil(&g->w.v);
  if (g->w.ok)
    mutex_unlock(ctx, g->wanted);
  else
    mutex_giveup(ctx, g->wanted);
}

static void sem_giveback(Ctx *ctx, G *g) {
  Semaphore *s = g->wanted;
  if (g->w.index == 1) {
    SemWait *sw = g->wanted;
    context_unhook(sw->context, &sw->hook);
    s = sw->s;
  }
  if (g->w.ok) sem_release(ctx, s, g->units);
}

void sync_giveback(Ctx *ctx, G *g) {
  WaitReason why = (WaitReason)g->reason;
  g->reason = WAIT_NONE;
  switch (why) {
  case WAIT_MUTEX:
  case WAIT_MODULE: mutex_giveback(ctx, g); break;
  case WAIT_RW_LOCK: rw_unlock(ctx, g->wanted); break;
  case WAIT_RW_RLOCK: rw_runlock(ctx, g->wanted); break;
  case WAIT_COND: cond_signal(ctx, g->wanted); break;
  case WAIT_SEMAPHORE: sem_giveback(ctx, g); break;
  case WAIT_SELECT: select_leave(g); break;
  default: break;
  }
  v_setnil(&g->w.v); // what it was sent
}

// ---- calling a wait off (interrupt.c) ----------------------------------------------------------------------------
// The world is stopped, so no lock is needed: nobody is inside one. Each returns who may go on because w left.

void mutex_calloff(Waiter *w) {
  Mutex *m = w->obj;
  waitq_remove(&m->q, w);
  if (!m->q.head) atomic_fetch_and(&m->state, ~MUTEX_WAITERS);
  v_setnil(&w->v);
}

void wg_calloff(Waiter *w) {
  WaitGroup *wg = w->obj;
  waitq_remove(&wg->q, w);
  atomic_fetch_sub(&wg->state, 1);
}

void once_calloff(Waiter *w) { waitq_remove(&((Once *)w->obj)->q, w); }

// It is woken as by a signal, to lock its mutex again before the error is raised. All who came before are woken too,
// which users of a condition must expect: a ticket missing among those to be served would swallow a signal.
Waiter *cond_calloff(Waiter *w) {
  Cond *c = w->obj;
  Waiter *list = NULL, **end = &list;
  uint32_t ticket = w->index;
  for (Waiter *next, *x = c->q.head; x; x = next) {
    next = x->next;
    if (ticket_before(ticket, x->index)) continue;
    waitq_remove(&c->q, x);
    *end = x;
    end = &x->next;
  }
  if (!ticket_before(ticket, c->served)) c->served = ticket + 1;
  return list;
}

Waiter *sem_calloff(Waiter *w) {
  Semaphore *s = w->obj;
  Waiter *list = NULL, **end = &list;
  waitq_remove(sem_queue(s, w->v.i), w);
  v_setnil(&w->v);
  sem_admit_locked(s, &end);
  return list;
}
