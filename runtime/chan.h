// SPDX-License-Identifier: MIT
//
// chan.h: channels as the rest of the runtime and the library see them. See chan.c.
#ifndef LUNGO_RUNTIME_CHAN_H
#define LUNGO_RUNTIME_CHAN_H

#include "happens.h"
#include "ring_ends.h"
#include "waitq.h"

// Element type of a typed channel.
typedef enum ElemType {
  ELEM_ANY,
  ELEM_BOOLEAN,
  ELEM_NUMBER,
  ELEM_INTEGER,
  ELEM_FLOAT,
  ELEM_STRING,
  ELEM_TABLE,
  ELEM_FUNCTION,
  ELEM_USERDATA,
  ELEM_THREAD,
  ELEM_CHAN,
  ELEM_COUNT
} ElemType;
extern const char *const elem_names[ELEM_COUNT]; // elem_names[ELEM_ANY] is NULL

typedef struct Chan { // the memory of a userdata whose trace is chan_trace or chan_trace_recvonly
  Lock lk;            // guards everything below but cap, elem, wide, keeps (constant)
  bool closed;
  uint8_t elem;   // ElemType
  bool wide;      // the ring has ends of its own (ring_ends.h)
  bool shut;      // of a wide one: the ends are out of use, head and count hold
  uint32_t cap;   // values the ring can hold
  uint32_t head;  // index of the oldest value
  uint32_t count; // values in the ring
  uint32_t calm;  // of a wide one: operations under the lock since a select had it, CALM at most
  WaitQ recvq, sendq;
  Obj *keeps; // marked with the channel: the timer that sends on it, the context that closes it; or NULL
} Chan;       // the ring follows, for a wide channel after its ends

typedef struct ChanView { // the memory of a userdata whose trace is chanview_trace
  Userdata *chan;
  uint8_t dirs; // CHAN_CANSEND or CHAN_CANRECV
} ChanView;

#define CHAN_CANSEND 1
#define CHAN_CANRECV 2
#define CHAN_MAXCAP (1u << 28)

void chan_trace(struct Marker *m, void *mem);
void chan_trace_recvonly(struct Marker *m, void *mem); // of one that programs can only receive from
void chanview_trace(struct Marker *m, void *mem);

static inline Userdata *chan_ud(Chan *c) { return (Userdata *)((char *)c - ud_headsize(0)); }

// The channel behind a value and what may be done with it through this value; NULL if it is no channel.
static ALWAYS_INLINE Chan *chan_of(const Value *v, int *dirs) {
  if (unlikely(v->tag != TAG_USERDATA)) return NULL;
  Userdata *u = v_ud(v);
  if (likely(u->trace == chan_trace)) {
    *dirs = CHAN_CANSEND | CHAN_CANRECV;
    return (Chan *)ud_mem(u);
  }
  if (u->trace == chan_trace_recvonly) {
    *dirs = CHAN_CANRECV;
    return (Chan *)ud_mem(u);
  }
  if (u->trace != chanview_trace) return NULL;
  ChanView *view = (ChanView *)ud_mem(u);
  *dirs = view->dirs;
  return (Chan *)ud_mem(view->chan);
}

// New channel or view as a userdata without metatable; the caller puts it on a stack at once. May raise out of memory.
Userdata *chan_new(lua_State *L, ElemType elem, uint32_t cap);
Userdata *chan_newview(lua_State *L, Chan *c, int dirs);

// One-step operations. `begin` returns true when the operation is done. False: the goroutine's waiter is queued and
// c->lk held; the caller must park with it (g_park, g_parkc) and call `end` when the goroutine runs again.
// Sends raise `send on closed channel`. A value to send went through chan_checkvalue.
bool chan_begin_send(lua_State *L, Chan *c, const Value *v);
void chan_end_send(lua_State *L);
bool chan_begin_recv(lua_State *L, Chan *c, Value *v, bool *ok);
void chan_end_recv(lua_State *L, Value *v, bool *ok);
// Never block. trysend raises on a closed channel; false: nobody can take the value, nothing to receive.
bool chan_trysend(lua_State *L, Chan *c, const Value *v);
bool chan_tryrecv(lua_State *L, Chan *c, Value *v, bool *ok);
// Sends if that needs no waiting and is no error; false: nothing was done. For quick halves: raises nothing.
bool chan_sendnow(lua_State *L, Chan *c, const Value *v);
// Send from a timer: no goroutine runs here. A closed or full channel drops the value (a plain, shared one).
void chan_offer(Ctx *ctx, Chan *c, const Value *v);
// Throws away what is queued; true if there was something. For timers, whose channels nobody else sends on.
bool chan_drain(Chan *c);
// False: it was closed already. Wakes all waiters.
bool chan_close(lua_State *L, Chan *c);
// The same for who holds a lock above RANK_OBJ: those to wake are appended to a list for waiters_ready.
bool chan_close_collect(Chan *c, Waiter ***end);
uint32_t chan_len(Chan *c);

// Raises unless v may be sent on c (nil, wrong type); publishes v.
void chan_checkvalue(lua_State *L, const Chan *c, const Value *v);
// Raise with the position of the code that asked for the operation, be it an instruction or a library function. The
// text is cut at 255 bytes.
_Noreturn void chan_error(lua_State *L, const char *fmt, ...);
_Noreturn void chan_wrongdir(lua_State *L, int wanted); // CHAN_CANSEND or CHAN_CANRECV
// Parks a C function forever (nil channel, select without a ready-able case).
int chan_parkforever(lua_State *L, WaitReason why, lua_KFunction k);

static ALWAYS_INLINE RingEnds *ends_of(Chan *c) {
  return (RingEnds *)(((uintptr_t)(c + 1) + CACHE_LINE - 1) & ~(uintptr_t)(CACHE_LINE - 1));
}

static ALWAYS_INLINE Value *ring_of(Chan *c) { return c->wide ? (Value *)(ends_of(c) + 1) : (Value *)(c + 1); }

// The usual case of a wide channel. False: nothing was done, and the lock is needed.
static ALWAYS_INLINE bool chan_quickput(Chan *c, const Value *v) {
  return c->wide && ends_put(ends_of(c), ring_of(c), c->cap, v);
}
static ALWAYS_INLINE bool chan_quicktake(Chan *c, Value *v) {
  return c->wide && ends_take(ends_of(c), ring_of(c), c->cap, v);
}

// With the lock comes the state of the ring: while it is held, the ends of a wide one are shut or held.
static ALWAYS_INLINE void chan_lock(Chan *c) {
  lock(&c->lk);
  if (c->wide && !c->shut) ends_hold(ends_of(c), &c->head, &c->count);
}
// A select needs the lock: it would pay for taking hold of the ends each time. So they stay shut for so many
// operations.
#ifdef LUNGO_DEBUG
#define CALM 2 // that tests see them open and shut often
#else
#define CALM 64
#endif
// While somebody waits, the channel is closed, or a select had it lately, the ends are shut; else they are open. (Not
// at once where a wait is called off: the next operation opens them.) To be called before c->lk is released.
void chan_settle_wide(Chan *c);
static ALWAYS_INLINE void chan_settle(Chan *c) {
  if (!c->wide) return;
  if (c->shut && c->calm < CALM)
    c->calm++;
  else
    chan_settle_wide(c);
}
static ALWAYS_INLINE void chan_unlock(Chan *c) {
  chan_settle(c);
  unlock(&c->lk);
}

// ---- the operations under the lock: shared by chan.c and select.c -----------------------------------
// *wake is the goroutine to ready after the last unlock, or NULL.

static ALWAYS_INLINE uint32_t ring_next(const Chan *c, uint32_t i) { return i + 1 == c->cap ? 0 : i + 1; }

static ALWAYS_INLINE Value *ring_end(Chan *c) { // the place behind the newest value
  uint64_t at = (uint64_t)c->head + c->count;
  return ring_of(c) + (at >= c->cap ? at - c->cap : at);
}

static ALWAYS_INLINE void ring_put(Chan *c, const Value *v) {
  v_copy(ring_end(c), v);
  c->count++;
}

static ALWAYS_INLINE void ring_take(Chan *c, Value *v) {
  v_copy(v, ring_of(c) + c->head);
  c->head = ring_next(c, c->head);
  c->count--;
}

// For the race detector: the caller hands its value to receiver g, which waits. With a ring it is as if the value went
// through the next place of it.
static inline void chan_race_handover(Chan *c, G *g) {
  if (c->cap == 0) {
    race_meet(g);
    return;
  }
  race_pass(NULL, ring_of(c) + c->head);
  race_pass(g, ring_of(c) + c->head);
  c->head = ring_next(c, c->head);
}

// False: it would block (or the channel is closed: ask c->closed).
static ALWAYS_INLINE bool chan_send_locked(Chan *c, const Value *v, G **wake) {
  if (unlikely(c->closed)) {
    if (unlikely(race_on)) rt_race_acquire(c);
    return false;
  }
  Waiter *w = waitq_popwin(&c->recvq);
  if (w) {
    v_copy(&w->v, v);
    w->ok = true;
    *wake = w->g;
    if (unlikely(race_on)) chan_race_handover(c, w->g);
    return true;
  }
  if (c->count == c->cap) return false;
  if (unlikely(race_on)) race_pass(NULL, ring_end(c));
  ring_put(c, v);
  return true;
}

// A closed and drained channel gives nil, false.
static ALWAYS_INLINE bool chan_recv_locked(Chan *c, Value *v, bool *ok, G **wake) {
  if (c->count > 0) {
    if (unlikely(race_on)) race_pass(NULL, ring_of(c) + c->head);
    ring_take(c, v);
    Waiter *w = waitq_popwin(&c->sendq);
    if (w) { // the ring was full: the first sender's value takes the place that became free
      if (unlikely(race_on)) race_pass(w->g, ring_end(c));
      ring_put(c, &w->v);
      w->ok = true;
      *wake = w->g;
    }
    *ok = true;
    return true;
  }
  Waiter *w = waitq_popwin(&c->sendq);
  if (w) {
    v_copy(v, &w->v);
    w->ok = true;
    *wake = w->g;
    *ok = true;
    if (unlikely(race_on)) race_meet(w->g);
    return true;
  }
  v_setnil(v);
  *ok = false;
  if (unlikely(race_on) && c->closed) rt_race_acquire(c);
  return c->closed;
}

// World stopped: the waiting goroutine g leaves the queue of its channel, or of all channels of its select, with
// nothing sent or received.
void chan_calloff(G *g);
void select_calloff(G *g);
// g was woken from a select, but is to end before it goes on: leaves the queues of the other cases.
void select_leave(G *g);

#ifdef LUNGO_DEBUG
void chan_check(Chan *c); // asserts the invariants of chan.c; c->lk is held
#else
static inline void chan_check(Chan *c) { (void)c; }
#endif

// ---- select (select.c) ------------------------------------------------------------------------------

// What begin leaves for the park: the locks that are still held.
typedef struct SelectLocks {
  Chan **order;
  uint32_t n;
  WaitReason why;
} SelectLocks;

// Cases as in rt_select. True: done. False: queued on all channels, all locked: the caller parks with
// g_park_fn/g_parkc_fn(L, locks->why, select_unlock, locks) and calls select_end when the goroutine runs again.
bool select_begin(lua_State *L, const Value *base, const uint8_t *dirs, int n, bool has_default, int *chosen,
                  Value res[2], SelectLocks *locks);
void select_unlock(void *locks);
void select_end(lua_State *L, int *chosen, Value res[2]);

#endif
