// SPDX-License-Identifier: MIT
//
// select.c: waiting on several channels at once.
//
// What:       evaluate and check all cases; lock all channels in address order; poll (pass 1): choose uniformly among
//             the cases that are ready and do it; if none is and there is no default, enqueue a Waiter per case
//             (pass 2) and park; when woken, take the losing waiters out again (pass 3).
// Invariants: G.sel holds the waiters of one select at a time, one per case (those of nil channels stay unused).
//             selectdone is 0 from before the first waiter is queued until one waker wins by compare-and-swap, and
//             then 1 + the index of the winning waiter; only the winner writes to that waiter and readies G.
//             Pass 3 takes the lock of every channel once: the worker that parked us may still be unlocking them, and
//             reads the list of channels from memory that the next select reuses. (The winner's it has unlocked: that
//             is how the waker came in. Nothing depends on taking it again; telling it apart would only add a case.)
//             The channels stay alive meanwhile: the registers (or stack slots) of the cases hold them.
// Locking:    the only code that holds several channel locks at once; address order makes that safe.
// See also:   chan.c, waitq.h. Tests: tests/runtime/select_*.lua.

#include "chan.h"
#include "call.h"
#include "meta.h"

// ---- scratch memory: kept with G for reuse, so that a select allocates nothing ------------------------------

// One block: waiters, then the channel of each case, then the distinct channels in locking order, then case numbers.
static Chan **sel_chans(const G *g) { return (Chan **)(g->sel + g->selcap); }
static Chan **sel_order(const G *g) { return sel_chans(g) + g->selcap; }
static uint32_t *sel_cases(const G *g) { return (uint32_t *)(sel_order(g) + g->selcap); }

static void reserve(lua_State *L, G *g, uint32_t n) {
  if (likely(n <= g->selcap && g->sel)) return;
  uint32_t cap = n < 4 ? 4 : n;
  lg_assert(g->nsel == 0);
  free(g->sel);
  g->selcap = 0;
  g->sel = malloc(cap * (sizeof(Waiter) + 2 * sizeof(Chan *) + sizeof(uint32_t)));
  if (!g->sel) call_memerror(L);
  g->selcap = cap;
}

// ---- before any lock: what channels, in what order ------------------------------------------------------------

static Chan *check_case(lua_State *L, const Value *base, bool send) {
  int dirs = 0;
  if (send && v_isnil(&base[1])) chan_error(L, "cannot send nil on a channel");
  Chan *c = chan_of(&base[0], &dirs);
  if (!c) {
    if (!v_isnil(&base[0])) dbg_typeerror(L, &base[0], send ? "send on" : "receive from");
    return NULL;
  }
  if (!(dirs & (send ? CHAN_CANSEND : CHAN_CANRECV))) chan_wrongdir(L, send ? CHAN_CANSEND : CHAN_CANRECV);
  if (send) chan_checkvalue(L, c, &base[1]);
  return c;
}

static int by_address(const void *a, const void *b) {
  uintptr_t x = (uintptr_t) * (Chan *const *)a, y = (uintptr_t) * (Chan *const *)b;
  return (x > y) - (x < y);
}

// Selects are small: insertion beats qsort's calls up to a few dozen cases.
static void sort_chans(Chan **v, uint32_t n) {
  if (n > 32) {
    qsort(v, n, sizeof *v, by_address);
    return;
  }
  for (uint32_t i = 1; i < n; i++) {
    Chan *c = v[i];
    uint32_t j = i;
    for (; j > 0 && (uintptr_t)v[j - 1] > (uintptr_t)c; j--) v[j] = v[j - 1];
    v[j] = c;
  }
}

// Fills order with the distinct channels of the cases, sorted. Returns how many there are. repeated: not all cases had
// one of their own.
static uint32_t lock_order(Chan **order, Chan *const *chans, uint32_t n, bool *repeated) {
  uint32_t m = 0, k = 0;
  for (uint32_t i = 0; i < n; i++)
    if (chans[i]) order[m++] = chans[i];
  sort_chans(order, m);
  for (uint32_t i = 0; i < m; i++)
    if (i == 0 || order[i] != order[k - 1]) order[k++] = order[i];
  *repeated = k < m;
  return k;
}

static void lock_all(const SelectLocks *locks) {
  for (uint32_t i = 0; i < locks->n; i++) {
    chan_lock(locks->order[i]);
    locks->order[i]->calm = 0;
  }
}

// Also runs after the goroutine's status is `waiting`: after the last unlock neither it nor its memory is ours.
void select_unlock(void *arg) {
  const SelectLocks *locks = arg; // on the parking worker's C stack
  Chan **order = locks->order;
  for (uint32_t i = 0, n = locks->n; i < n; i++) {
    chan_check(order[i]);
    chan_unlock(order[i]);
  }
}

// ---- pass 1: poll -----------------------------------------------------------------------------------------------

static inline uint64_t next_random(Ctx *ctx) {
  uint64_t x = ctx->rng;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  ctx->rng = x;
  return x;
}

static bool is_ready(Chan *c, bool send) {
  if (c->closed) return true;
  if (send) return c->count < c->cap || waitq_haslive(&c->recvq);
  return c->count > 0 || waitq_haslive(&c->sendq);
}

// One of the ready cases, each with the same probability: the k-th one found replaces the choice with chance 1/k.
static int choose(Ctx *ctx, Chan *const *chans, const uint8_t *dirs, int n) {
  int chosen = -1;
  uint64_t found = 0;
  for (int i = 0; i < n; i++) {
    if (!chans[i] || !is_ready(chans[i], dirs[i])) continue;
    if (++found == 1 || (next_random(ctx) >> 16) % found == 0) chosen = i;
  }
  return chosen;
}

// Does a ready case. -1: none is. A case looks ready while the waiter on its other side is being won by a select on a
// channel that we do not hold; then the attempt has dropped that waiter and we look again.
static int poll_cases(lua_State *L, Chan *const *chans, const Value *base, const uint8_t *dirs, int n, Value *v,
                      bool *ok, G **wake) {
  for (;;) {
    int i = choose(L->ctx, chans, dirs, n);
    if (i < 0) return -1;
    *ok = true;
    if (!dirs[i]) {
      if (chan_recv_locked(chans[i], v, ok, wake)) return i;
    } else if (chan_send_locked(chans[i], &base[2 * i + 1], wake)) {
      v_setnil(v);
      return i;
    } else if (chans[i]->closed) {
      *ok = false;
      return i;
    }
  }
}

// ---- pass 2: enqueue ----------------------------------------------------------------------------------------------

static void enqueue_case(Waiter *w, G *g, Chan *c, const Value *v, bool send) {
  w->g = g;
  w->obj = NULL;
  w->ok = false;
  w->is_select = true;
  w->index = send;
  v_setnil(&w->v);
  if (!c) return;
  if (send) v_copy(&w->v, v);
  waitq_push(send ? &c->sendq : &c->recvq, w, c);
}

// Every order of the cases with the same probability.
static void shuffle(Ctx *ctx, uint32_t *cases, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    uint32_t j = (uint32_t)((next_random(ctx) >> 16) % (i + 1));
    cases[i] = cases[j];
    cases[j] = i;
  }
}

// repeated: several cases are about one channel. The partner that comes takes the first in the queue, so their order is
// the choice among them.
static void enqueue(Ctx *ctx, G *g, Chan *const *chans, const Value *base, const uint8_t *dirs, int n, bool repeated) {
  uint32_t *cases = sel_cases(g);
  atomic_store_explicit(&g->selectdone, 0, memory_order_relaxed); // published by the unlock of each channel
  if (unlikely(repeated)) shuffle(ctx, cases, (uint32_t)n);
  for (int k = 0; k < n; k++) {
    int i = unlikely(repeated) ? (int)cases[k] : k;
    enqueue_case(&g->sel[i], g, chans[i], &base[2 * i + 1], dirs[i]);
  }
  g->nsel = (uint32_t)n;
}

bool select_begin(lua_State *L, const Value *base, const uint8_t *dirs, int n, bool has_default, int *chosen,
                  Value res[2], SelectLocks *locks) {
  G *g = L->g, *wake = NULL;
  bool ok = false, repeated;
  reserve(L, g, (uint32_t)n);
  Chan **chans = sel_chans(g);
  for (int i = 0; i < n; i++) chans[i] = check_case(L, &base[2 * i], dirs[i]);
  *locks = (SelectLocks){sel_order(g), lock_order(sel_order(g), chans, (uint32_t)n, &repeated), WAIT_SELECT};
  lock_all(locks);
  int i = poll_cases(L, chans, base, dirs, n, &res[0], &ok, &wake);
  if (i < 0 && !has_default) {
    if (n == 0)
      locks->why = WAIT_SELECT_NONE;
    else
      enqueue(L->ctx, g, chans, base, dirs, n, repeated);
    return false;
  }
  select_unlock(locks);
  if (wake) g_ready(L->ctx, wake);
  if (i < 0) {
    v_setnil(&res[0]);
    ok = false;
  } else if (dirs[i] && !ok) {
    chan_error(L, "send on closed channel");
  }
  *chosen = i < 0 ? n : i;
  v_setbool(&res[1], ok);
  return true;
}

// ---- pass 3: dequeue ------------------------------------------------------------------------------------------------

static void dequeue(G *g) {
  Chan **chans = sel_chans(g);
  for (uint32_t i = 0; i < g->nsel; i++) {
    Waiter *w = &g->sel[i];
    Chan *c = chans[i];
    if (!c) continue;
    chan_lock(c);
    if (w->obj) waitq_remove(w->index ? &c->sendq : &c->recvq, w);
    chan_check(c);
    chan_unlock(c);
    v_setnil(&w->v);
  }
  g->nsel = 0;
}

void select_leave(G *g) { dequeue(g); }

void select_end(lua_State *L, int *chosen, Value res[2]) {
  G *g = L->g;
  uint32_t won = atomic_load_explicit(&g->selectdone, memory_order_acquire) - 1;
  lg_assert(won < g->nsel);
  Waiter *w = &g->sel[won];
  bool ok = w->ok, send = w->index;
  if (send)
    v_setnil(&res[0]);
  else
    v_copy(&res[0], &w->v);
  v_setbool(&res[1], ok);
  *chosen = (int)won;
  dequeue(g);
  if (send && !ok) chan_error(L, "send on closed channel");
}

int rt_select(lua_State *L, const Value *base, const uint8_t *dirs, int n, bool has_default, int *chosen,
              Value res[2]) {
  SelectLocks locks;
  if (select_begin(L, base, dirs, n, has_default, chosen, res, &locks)) return RT_DONE;
  if (g_park_fn(L, locks.why, select_unlock, &locks) == RT_PARK) return RT_PARK;
  select_end(L, chosen, res);
  return RT_DONE;
}

void select_calloff(G *g) {
  for (uint32_t i = 0; i < g->nsel; i++) {
    Waiter *w = &g->sel[i];
    Chan *c = w->obj;
    if (c) waitq_remove(w->index ? &c->sendq : &c->recvq, w);
    v_setnil(&w->v);
  }
  g->nsel = 0;
}
