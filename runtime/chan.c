// SPDX-License-Identifier: MIT
//
// chan.c: channels, the queues through which goroutines hand each other Lua values.
//
// What:       a ring of `cap` values plus two FIFO lists of Waiters (senders, receivers). A sender that finds a
//             receiver waiting hands the value straight to it; the ring is skipped. A receiver that finds the ring
//             full takes the oldest value and moves the first waiting sender's into the ring. A ring with many places
//             is *wide*: while nobody waits, values go through its ends (ring_ends.h) without the channel's lock.
//             A channel is a userdata; ring and all are its memory, so that one object is all there is to collect.
// Invariants: a non-empty ring means no receiver waits; a ring with room means no sender waits (but for waiters of a
//             select that another channel has won: they are dropped when met). A closed channel has no waiters at
//             all. Values are marked shared before they enter. chan_check() asserts all four.
//             The waiter inside G carries a plain operation: its v is nil unless the goroutine waits or was just
//             woken, so that the collector may mark it at any time. index is 1 for a send.
// Callers:    a running G that holds a P (a timer for chan_offer). Never with another Chan locked (select.c is the
//             one exception: it locks several, in address order).
// Locking:    c->lk guards every field that changes; of a wide ring too, as chan_lock takes hold of its ends.
//             g_ready() is called only after it is released.
// See also:   select.c, waitq.h, docs/architecture.md "Channels". Tests: tests/runtime/chan_*.lua.

#include "chan.h"
#include "debugvars.h"
#include "func.h"
#include "gc.h"
#include "meta.h"
#include "share.h"
#include <lauxlib.h>
#include <stdarg.h>

const char *const elem_names[ELEM_COUNT] = {NULL,    "boolean",  "number",   "integer", "float", "string",
                                            "table", "function", "userdata", "thread",  "chan"};

// For each element type the tags it admits.
#define T(tag) (1u << TAG_##tag)
static const uint32_t elem_tags[ELEM_COUNT] = {
    [ELEM_ANY] = ~0u,
    [ELEM_BOOLEAN] = T(FALSE) | T(TRUE),
    [ELEM_NUMBER] = T(INT) | T(FLOAT),
    [ELEM_INTEGER] = T(INT),
    [ELEM_FLOAT] = T(FLOAT),
    [ELEM_STRING] = T(STRING),
    [ELEM_TABLE] = T(TABLE),
    [ELEM_FUNCTION] = T(LCL) | T(CCL) | T(LCF),
    [ELEM_USERDATA] = T(USERDATA) | T(LIGHTUD),
    [ELEM_THREAD] = T(THREAD),
    [ELEM_CHAN] = T(USERDATA),
};
#undef T

// ---- making and marking ------------------------------------------------------------------------------

// World stopped: the place of the oldest value, and how many there are.
static uint32_t ring_state(Chan *c, uint32_t *count) {
  bool open = c->wide && !c->shut;
  RingEnds *r = ends_of(c);
  *count = open ? ends_count(&r->send, &r->recv, memory_order_relaxed) : c->count;
  return open ? r->recv.at : c->head;
}

void chan_trace(struct Marker *m, void *mem) {
  Chan *c = mem;
  uint32_t count, i = ring_state(c, &count);
  for (; count > 0; count--, i = ring_next(c, i)) gc_mark_value(m, ring_of(c) + i);
  gc_mark_obj(m, c->keeps);
  waitq_trace(m, &c->recvq);
  waitq_trace(m, &c->sendq);
}

void chan_trace_recvonly(struct Marker *m, void *mem) { chan_trace(m, mem); }

void chanview_trace(struct Marker *m, void *mem) { gc_mark_obj(m, &((ChanView *)mem)->chan->hdr); }

// From so many places on a ring is wide: with fewer the ends meet too often (20 places: 1.3 times slower).
// LUNGODEBUG=widering=N changes it.
#define WIDE_MIN 64

static uint32_t wide_min(void) {
  static _Atomic uint32_t min; // 0: not asked yet
  uint32_t n = atomic_load_explicit(&min, memory_order_relaxed);
  if (unlikely(n == 0)) {
    int wanted = debug_var("widering");
    n = wanted > 0 ? (uint32_t)wanted : WIDE_MIN;
    atomic_store_explicit(&min, n, memory_order_relaxed);
  }
  return n;
}

// The race detector follows values through the places of a ring under one lock.
static bool is_wide(uint32_t cap) { return cap > 0 && cap >= wide_min() && !race_on; }

Userdata *chan_new(lua_State *L, ElemType elem, uint32_t cap) {
  bool wide = is_wide(cap);
  size_t ends = wide ? CACHE_LINE + sizeof(RingEnds) : 0;
  Userdata *u = ud_new(L, sizeof(Chan) + ends + (size_t)cap * sizeof(Value), 0);
  Chan *c = ud_mem(u);
  memset(c, 0, sizeof *c + ends); // not the ring: only values that were put there are ever looked at
  c->wide = c->shut = wide;
  c->calm = CALM;
  c->elem = (uint8_t)elem;
  c->cap = cap;
  chan_settle(c);
  u->hdr.aux = 1;
  u->trace = chan_trace;
  return u;
}

Userdata *chan_newview(lua_State *L, Chan *c, int dirs) {
  Userdata *ud = chan_ud(c);
  Userdata *u = ud_new(L, sizeof(ChanView), 0);
  ChanView *view = ud_mem(u);
  view->chan = ud;
  view->dirs = (uint8_t)dirs;
  u->hdr.aux = 1;
  u->trace = chanview_trace;
  // The view refers to the channel in a way share_value does not follow: so the channel is published at once.
  share_obj(L, &ud->hdr);
  return u;
}

// ---- the ends of a wide ring -----------------------------------------------------------------------------

void chan_settle_wide(Chan *c) {
  bool shut = c->closed || c->recvq.head != NULL || c->sendq.head != NULL || c->calm < CALM;
  if (!c->shut)
    ends_release(ends_of(c), shut, c->cap, c->head, c->count);
  else if (!shut)
    ends_open(ends_of(c), c->cap, c->head, c->count);
  c->shut = shut;
}

// The other side may be filling (emptying) the ring right now.
#define END_PAUSES 60

static NOINLINE bool put_patiently(lua_State *L, Chan *c, const Value *v) {
  RingEnd *e = &ends_of(c)->send;
  if (end_isshut(e) || !patience_try(L, &e->patience)) return false;
  patience_pause(END_PAUSES);
  if (!chan_quickput(c, v)) return false;
  patience_paid(&e->patience);
  return true;
}

static NOINLINE bool take_patiently(lua_State *L, Chan *c, Value *v) {
  RingEnd *e = &ends_of(c)->recv;
  if (end_isshut(e) || !patience_try(L, &e->patience)) return false;
  patience_pause(END_PAUSES);
  if (!chan_quicktake(c, v)) return false;
  patience_paid(&e->patience);
  return true;
}

#ifdef LUNGO_DEBUG
static bool is_stale(const Waiter *w) {
  return w->is_select && atomic_load_explicit(&w->g->selectdone, memory_order_relaxed) != 0;
}

static bool all_stale(const WaitQ *q) {
  for (const Waiter *w = q->head; w; w = w->next)
    if (!is_stale(w)) return false;
  return true;
}

void chan_check(Chan *c) {
  lg_assert(c->count <= c->cap);
  lg_assert(c->cap == 0 || c->head < c->cap);
  lg_assert(c->count == 0 || all_stale(&c->recvq));
  lg_assert(c->count == c->cap || all_stale(&c->sendq));
  lg_assert(!c->closed || (c->recvq.head == NULL && c->sendq.head == NULL));
  for (uint32_t n = c->count, i = c->head; n > 0; n--, i = ring_next(c, i))
    lg_assert(ring_of(c)[i].tag != TAG_NIL && (ring_of(c)[i].tag <= TAG_STRING || obj_isshared(ring_of(c)[i].o)));
}
#endif

// ---- errors --------------------------------------------------------------------------------------------

// luaL_error asks for the caller of a C function; an instruction is itself the place (and may use no stack for it).
void chan_error(lua_State *L, const char *fmt, ...) {
  char msg[256];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(msg, sizeof msg, fmt, ap);
  va_end(ap);
  if (ci_isLua(L->ci)) dbg_runerror(L, "%s", msg);
  luaL_error(L, "%s", msg);
  __builtin_unreachable();
}

void chan_wrongdir(lua_State *L, int wanted) {
  if (wanted == CHAN_CANSEND) chan_error(L, "cannot send on a receive-only channel");
  chan_error(L, "cannot receive from a send-only channel");
}

static const char *value_name(lua_State *L, ElemType elem, const Value *v) {
  if (elem == ELEM_INTEGER && v_isfloat(v)) return "float";
  if (elem == ELEM_FLOAT && v_isint(v)) return "integer";
  return meta_typename(L, v);
}

static bool is_chan(const Value *v) {
  int dirs;
  return chan_of(v, &dirs) != NULL;
}

static COLD void refuse_value(lua_State *L, const Chan *c, const Value *v) {
  if (v_isnil(v)) chan_error(L, "cannot send nil on a channel");
  const char *name = value_name(L, c->elem, v), *article = strchr("aeiou", name[0]) ? "an" : "a";
  chan_error(L, "cannot send %s %s value on a chan %s", article, name, elem_names[c->elem]);
}

static ALWAYS_INLINE bool admits(const Chan *c, const Value *v) {
  return likely((elem_tags[c->elem] >> v->tag & 1) && !v_isnil(v) && (c->elem != ELEM_CHAN || is_chan(v)));
}

static ALWAYS_INLINE void check_value(lua_State *L, const Chan *c, const Value *v) {
  if (!admits(c, v)) refuse_value(L, c, v);
  share_value(L, v);
}

void chan_checkvalue(lua_State *L, const Chan *c, const Value *v) { check_value(L, c, v); }

static COLD void error_closed(lua_State *L) { chan_error(L, "send on closed channel"); }

// ---- one-step operations -------------------------------------------------------------------------------

bool chan_begin_send(lua_State *L, Chan *c, const Value *v) {
  if (c->wide && (chan_quickput(c, v) || put_patiently(L, c, v))) return true;
  G *wake = NULL;
  chan_lock(c);
  if (chan_send_locked(c, v, &wake)) {
    chan_check(c);
    chan_unlock(c);
    if (wake) g_ready(L->ctx, wake);
    return true;
  }
  if (unlikely(c->closed)) {
    chan_unlock(c);
    error_closed(L);
  }
  Waiter *w = waiter_of(L->g);
  w->index = 1;
  v_copy(&w->v, v);
  waitq_push(&c->sendq, w, c);
  chan_check(c);
  chan_settle(c);
  return false;
}

void chan_end_send(lua_State *L) {
  Waiter *w = &L->g->w;
  v_setnil(&w->v);
  if (unlikely(!w->ok)) error_closed(L);
}

bool chan_begin_recv(lua_State *L, Chan *c, Value *v, bool *ok) {
  if (c->wide && (chan_quicktake(c, v) || take_patiently(L, c, v))) return *ok = true;
  G *wake = NULL;
  chan_lock(c);
  if (chan_recv_locked(c, v, ok, &wake)) {
    chan_check(c);
    chan_unlock(c);
    if (wake) g_ready(L->ctx, wake);
    return true;
  }
  Waiter *w = waiter_of(L->g);
  v_setnil(&w->v);
  waitq_push(&c->recvq, w, c);
  chan_check(c);
  chan_settle(c);
  return false;
}

void chan_end_recv(lua_State *L, Value *v, bool *ok) {
  Waiter *w = &L->g->w;
  v_copy(v, &w->v); // nil when close woke us
  *ok = w->ok;
  v_setnil(&w->v);
}

static bool send_now(lua_State *L, Chan *c, const Value *v, bool *closed) {
  *closed = false;
  if (chan_quickput(c, v)) return true;
  G *wake = NULL;
  chan_lock(c);
  bool done = chan_send_locked(c, v, &wake);
  *closed = c->closed;
  chan_check(c);
  chan_unlock(c);
  if (wake) g_ready(L->ctx, wake);
  return done;
}

bool chan_trysend(lua_State *L, Chan *c, const Value *v) {
  bool closed, done = send_now(L, c, v, &closed);
  if (closed) error_closed(L);
  return done;
}

bool chan_sendnow(lua_State *L, Chan *c, const Value *v) {
  bool closed;
  if (!admits(c, v)) return false;
  share_value(L, v);
  return send_now(L, c, v, &closed);
}

bool chan_tryrecv(lua_State *L, Chan *c, Value *v, bool *ok) {
  if (chan_quicktake(c, v)) return *ok = true;
  G *wake = NULL;
  chan_lock(c);
  bool done = chan_recv_locked(c, v, ok, &wake);
  chan_check(c);
  chan_unlock(c);
  if (wake) g_ready(L->ctx, wake);
  return done;
}

void chan_offer(Ctx *ctx, Chan *c, const Value *v) {
  G *wake = NULL;
  chan_lock(c);
  chan_send_locked(c, v, &wake);
  chan_check(c);
  chan_unlock(c);
  if (wake) g_ready(ctx, wake);
}

bool chan_drain(Chan *c) {
  chan_lock(c);
  bool any = c->count > 0;
  lg_assert(c->sendq.head == NULL); // a waiting sender would have to be let in now
  c->head = c->count = 0;
  chan_unlock(c);
  return any;
}

uint32_t chan_len(Chan *c) {
  chan_lock(c);
  uint32_t n = c->count;
  chan_unlock(c);
  return n;
}

// Moves all waiters that can be won from q to the end of a list linked by `next`.
static Waiter **take_all(WaitQ *q, Waiter **end) {
  Waiter *w;
  while ((w = waitq_popwin(q)) != NULL) {
    w->ok = false;
    *end = w;
    end = &w->next;
  }
  return end;
}

bool chan_close_collect(Chan *c, Waiter ***end) {
  chan_lock(c);
  bool first = !c->closed;
  if (unlikely(race_on)) (first ? rt_race_release : rt_race_acquire)(c);
  c->closed = true;
  if (first) *end = take_all(&c->sendq, take_all(&c->recvq, *end));
  chan_check(c);
  chan_unlock(c);
  return first;
}

bool chan_close(lua_State *L, Chan *c) {
  Waiter *list = NULL, **end = &list;
  if (!chan_close_collect(c, &end)) return false;
  waiters_ready(L->ctx, list);
  return true;
}

// ---- what the interpreter calls (seam.h) -----------------------------------------------------------------

static void unlock_nothing(void *arg) { (void)arg; }

int chan_parkforever(lua_State *L, WaitReason why, lua_KFunction k) {
  return g_parkc_fn(L, why, unlock_nothing, NULL, 0, k);
}

// Not a channel that can do `wanted`: parks forever for nil, raises otherwise.
static COLD int refuse_chan(lua_State *L, const Value *ch, Chan *c, int wanted) {
  if (c) chan_wrongdir(L, wanted);
  bool send = wanted == CHAN_CANSEND;
  if (!v_isnil(ch)) dbg_typeerror(L, ch, send ? "send on" : "receive from");
  L->g->w.index = send;
  return g_park_fn(L, send ? WAIT_CHAN_SEND_NIL : WAIT_CHAN_RECV_NIL, unlock_nothing, NULL);
}

int rt_send(lua_State *L, const Value *ch, const Value *v) {
  int dirs = 0;
  Chan *c = chan_of(ch, &dirs);
  if (unlikely(!(dirs & CHAN_CANSEND))) {
    if (v_isnil(ch) && v_isnil(v)) chan_error(L, "cannot send nil on a channel");
    return refuse_chan(L, ch, c, CHAN_CANSEND);
  }
  check_value(L, c, v);
  if (chan_begin_send(L, c, v)) return RT_DONE;
  if (g_park(L, WAIT_CHAN_SEND, &c->lk) == RT_PARK) return RT_PARK;
  chan_end_send(L);
  return RT_DONE;
}

int rt_recv(lua_State *L, const Value *ch, Value res[2]) {
  int dirs = 0;
  bool ok;
  Chan *c = chan_of(ch, &dirs);
  if (unlikely(!(dirs & CHAN_CANRECV))) return refuse_chan(L, ch, c, CHAN_CANRECV);
  if (!chan_begin_recv(L, c, &res[0], &ok)) {
    if (g_park(L, WAIT_CHAN_RECV, &c->lk) == RT_PARK) return RT_PARK;
    chan_end_recv(L, &res[0], &ok);
  }
  v_setbool(&res[1], ok);
  return RT_DONE;
}

void rt_finish(lua_State *L, int *chosen, Value res[2]) {
  G *g = L->g;
  bool ok;
  if (unlikely(atomic_load_explicit(&g->intr, memory_order_relaxed) & INTR_PARKED)) rt_calledoff(L);
  if (g->nsel > 0) {
    select_end(L, chosen, res);
  } else if (g->w.index == 1) {
    chan_end_send(L);
  } else {
    chan_end_recv(L, &res[0], &ok);
    v_setbool(&res[1], ok);
  }
}

// ---- calling a wait off (interrupt.c) --------------------------------------------------------------------------

void chan_calloff(G *g) {
  Waiter *w = &g->w;
  Chan *c = w->obj;
  waitq_remove(w->index == 1 ? &c->sendq : &c->recvq, w);
  v_setnil(&w->v);
}
