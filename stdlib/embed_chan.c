// SPDX-License-Identifier: MIT
//
// embed_chan.c: channels for host threads.
//
// What:       an operation is a request to the courier, which tries it at once. If it would block, the courier starts a
//             goroutine that selects between the channel and a timer, and the host's thread waits for its verdict. So a
//             host's operation is served in the order and by the rules of any goroutine's.
//             A *watched* handle (lungo_chan_fd, lungo_chan_notify) has a goroutine, the pump, that receives ahead into
//             a queue in C memory, from which the host takes without asking anybody.
// Invariants: an operation (ChanOp) has two owners, the host's thread and the runtime; whoever is last frees it. The
//             runtime completes it exactly once, if only because it ends (abandon). A host that gave up waiting for a
//             verdict, as the runtime is stuck, never looks again; a value received then is lost.
//             The queue, its state and the descriptor change under Hub.lk. The descriptor is readable exactly while the
//             queue is not empty or the pump is at its end.
// See also:   embed.h, runtime/hub.h. Tests: tests/unit/embed_chan_test.c.
#include "embed.h"
#include "call.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define AHEAD 64 // values a pump keeps ready
#define AHEAD_BYTES                                                                                                    \
  ((size_t)1 << 20) // and bytes of strings, but for the last: a script must not fill the host's memory
#define VERDICT_NS INT64_C(100000000) // beyond its time an operation's verdict is waited for so long

typedef struct Watch {
  lungo_Value queue[AHEAD]; // a ring
  uint32_t head, count;
  size_t bytes;         // of the strings in the queue
  int end;              // LUNGO_CLOSED or LUNGO_DEAD: what comes after the last value
  _Atomic uint32_t seq; // changes with each event; lungo_recv sleeps on it
  G *pump;              // waits for room
  int fd;               // -1: none
  void (*notify)(void *ud);
  void *ud;
} Watch;

struct lungo_Chan {
  _Atomic int refs;
  lungo_Ref *ref;
  Watch *_Atomic watch; // set once, under the hub's lock
};

// ---- handles ------------------------------------------------------------------------------------------------------

lungo_Chan *chan_handle(lua_State *L, int idx) {
  int dirs;
  Value *v = L->ci->func + lua_absindex(L, idx);
  if (chan_of(v, &dirs) == NULL) return NULL;
  lungo_Ref *r = ref_new(L, idx);
  lungo_Chan *ch = calloc(1, sizeof *ch);
  if (ch == NULL) {
    lungo_ref_release(r);
    call_memerror(L);
  }
  atomic_init(&ch->refs, 1);
  ch->ref = r;
  return ch;
}

void chan_push(lua_State *L, const lungo_Chan *ch) {
  if (ch == NULL) luaL_error(L, "channel expected, got NULL");
  ref_push(L, ch->ref);
}

LUA_API void lungo_pushchan(lua_State *L, lungo_Chan *ch) { chan_push(L, ch); }

LUA_API lungo_Chan *lungo_tochan(lua_State *L, int idx) {
  return lua_type(L, idx) == LUA_TUSERDATA ? chan_handle(L, idx) : NULL;
}

LUA_API lungo_Chan *lungo_chan_retain(lungo_Chan *ch) {
  atomic_fetch_add(&ch->refs, 1);
  return ch;
}

static void watch_free(Watch *w) {
  if (w == NULL) return;
  for (; w->count > 0; w->count--, w->head = (w->head + 1) % AHEAD) lungo_clear(&w->queue[w->head]);
  if (w->fd >= 0) close(w->fd);
  free(w);
}

LUA_API void lungo_chan_release(lungo_Chan *ch) {
  if (ch == NULL || atomic_fetch_sub(&ch->refs, 1) != 1) return;
  watch_free(ch->watch);
  lungo_ref_release(ch->ref);
  free(ch);
}

// ---- one operation ----------------------------------------------------------------------------------------------

enum OpKind { OP_MAKE, OP_SEND_TO, OP_RECV_FROM, OP_CLOSE_IT, OP_PUMP };

typedef struct ChanOp {
  Req req;
  _Atomic int refs;
  _Atomic bool completed;
  _Atomic uint32_t done; // the host sleeps on it
  enum OpKind kind;
  int result;
  lungo_Chan *ch;
  lungo_Value v;   // to send, or received
  int64_t timeout; // ns; NS_FOREVER
  int capacity;    // OP_MAKE
} ChanOp;

static void op_unref(ChanOp *op) {
  if (atomic_fetch_sub(&op->refs, 1) != 1) return;
  lungo_clear(&op->v);
  if (op->ch != NULL) lungo_chan_release(op->ch);
  free(op);
}

static void op_complete(ChanOp *op, int result) {
  if (atomic_exchange(&op->completed, true)) return;
  op->result = result;
  host_signal(&op->done);
  op_unref(op);
}

static void op_abandon(void *owner, int status) {
  ChanOp *op = owner; // with a reference
  (void)status;
  op_complete(op, LUNGO_DEAD);
  op_unref(op);
}

static int status_of(int status, const char *msg) {
  if (msg == NULL) return LUNGO_DEAD;
  if (status == LUA_ERRMEM) return LUNGO_NOMEM;
  return strstr(msg, "closed channel") != NULL ? LUNGO_CLOSED : LUNGO_ERROR;
}

static void op_failed(Req *req, int status, const char *msg) { op_complete((ChanOp *)req, status_of(status, msg)); }

// The channel of a value on top, which can do what is wanted.
static Chan *channel_at(lua_State *L, int idx, int wanted) {
  int dirs = 0;
  Chan *c = chan_of(L->ci->func + idx, &dirs);
  if (c == NULL || (dirs & wanted) != wanted) luaL_error(L, "wrong direction");
  return c;
}

static void received(lua_State *L, ChanOp *op, const Value *v, bool ok) {
  if (!ok) {
    op_complete(op, LUNGO_CLOSED);
    return;
  }
  lib_push(L, v);
  lungo_get(L, -1, &op->v);
  op_complete(op, LUNGO_OK);
}

// ---- a goroutine that waits in the host's place: 1 the operation, 2 channel, 3 value, 4 timer's channel, 5 nil ------

static int op_finish(lua_State *L, ChanOp *op, int chosen, const Value res[2]) {
  if (chosen == 1)
    op_complete(op, LUNGO_TIMEOUT);
  else if (op->kind == OP_SEND_TO)
    op_complete(op, LUNGO_OK);
  else
    received(L, op, &res[0], !v_isfalsy(&res[1]));
  return 0;
}

static int op_woken(lua_State *L, int status, lua_KContext unused) {
  Value res[2];
  int chosen;
  (void)status;
  (void)unused;
  select_end(L, &chosen, res);
  return op_finish(L, lua_touserdata(L, 1), chosen, res);
}

static int op_main(lua_State *L) {
  ChanOp *op = lua_touserdata(L, 1);
  uint8_t dirs[2] = {op->kind == OP_SEND_TO, 0};
  SelectLocks locks;
  Value res[2];
  int chosen, n = 1;
  if (op->timeout != NS_FOREVER) {
    lib_pushafter(L, op->timeout);
    lua_pushnil(L);
    n = 2;
  }
  if (select_begin(L, lib_arg(L, 2), dirs, n, false, &chosen, res, &locks)) return op_finish(L, op, chosen, res);
  return g_parkc_fn(L, locks.why, select_unlock, &locks, 0, op_woken);
}

static void op_ended(lua_State *L, G *g, void *arg, int status) {
  ChanOp *op = g->group->owner;
  (void)arg;
  if (!group_disown(g->group)) return;
  const char *msg =
      status == LUA_OK || status == STATUS_GOEXIT || lua_type(L, -1) != LUA_TSTRING ? NULL : lua_tostring(L, -1);
  op_complete(op, status_of(status, msg)); // if it has not said so itself
  op_unref(op);
}

// The channel at 1 and the value at 2 of the courier's stack.
static void op_wait(lua_State *L, ChanOp *op) {
  Group *gr = group_new(L->gl->rt->hub, true, 0, 0, false, op, &op->refs, op_abandon);
  if (gr == NULL) call_memerror(L);
  lua_pushcfunction(L, op_main);
  lua_pushlightuserdata(L, op);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  atomic_fetch_add(&op->refs, 1); // the goroutine's, given back by op_ended
  g_go_group(L, 3, gr, op_ended);
  group_unref(gr);
}

static void op_try(lua_State *L, ChanOp *op) {
  bool send = op->kind == OP_SEND_TO, ok;
  Value v = {.tag = TAG_NIL};
  chan_push(L, op->ch);
  Chan *c = channel_at(L, 1, send ? CHAN_CANSEND : CHAN_CANRECV);
  lungo_push(L, &op->v);
  if (send) {
    chan_checkvalue(L, c, L->top - 1);
    if (chan_trysend(L, c, L->top - 1)) {
      op_complete(op, LUNGO_OK);
      return;
    }
  } else if (chan_tryrecv(L, c, &v, &ok)) {
    received(L, op, &v, ok);
    return;
  }
  if (op->timeout == 0)
    op_complete(op, LUNGO_TIMEOUT);
  else
    op_wait(L, op);
}

static void op_close(lua_State *L, ChanOp *op) {
  chan_push(L, op->ch);
  op_complete(op, chan_close(L, channel_at(L, 1, CHAN_CANSEND)) ? LUNGO_OK : LUNGO_CLOSED);
}

static void op_make(lua_State *L, ChanOp *op) {
  lib_pushchan(L, ELEM_ANY, (uint32_t)op->capacity);
  op->ch = chan_handle(L, -1);
  op_complete(op, LUNGO_OK);
}

static void op_pump(lua_State *L, ChanOp *op);

static void op_run(lua_State *L, Req *req) {
  ChanOp *op = (ChanOp *)req;
  switch (op->kind) {
  case OP_MAKE: op_make(L, op); break;
  case OP_CLOSE_IT: op_close(L, op); break;
  case OP_PUMP: op_pump(L, op); break;
  default: op_try(L, op); break;
  }
}

// ---- the host's side --------------------------------------------------------------------------------------------

static ChanOp *op_new(lungo_Chan *ch, enum OpKind kind) {
  ChanOp *op = calloc(1, sizeof *op);
  if (op == NULL) return NULL;
  op->req.run = op_run;
  op->req.failed = op_failed;
  op->kind = kind;
  op->ch = ch != NULL ? lungo_chan_retain(ch) : NULL;
  atomic_init(&op->refs, 2);
  return op;
}

// Asks and waits. Takes over the host's reference: the caller may look at op until op_unref.
static int op_ask(Hub *h, ChanOp *op) {
  int64_t deadline = NS_FOREVER;
  if (op->timeout < NS_FOREVER - VERDICT_NS) deadline = mono_ns() + op->timeout;
  if (deadline != NS_FOREVER) deadline = deadline < NS_FOREVER - VERDICT_NS ? deadline + VERDICT_NS : NS_FOREVER;
  if (!hub_post(h, &op->req)) {
    op_unref(op); // the runtime's
    return LUNGO_DEAD;
  }
  return host_wait(&op->done, deadline) ? op->result : LUNGO_TIMEOUT;
}

static int64_t nanoseconds(double seconds) {
  return seconds < 0 || seconds > 9e9 ? NS_FOREVER : (int64_t)(seconds * 1e9);
}

LUA_API lungo_Chan *lungo_chan(lungo_Runtime *rt, int capacity) {
  ChanOp *op = capacity >= 0 ? op_new(NULL, OP_MAKE) : NULL;
  if (op == NULL) return NULL;
  op->capacity = capacity;
  op->timeout = NS_FOREVER;
  lungo_Chan *ch = op_ask(rt, op) == LUNGO_OK ? lungo_chan_retain(op->ch) : NULL;
  op_unref(op);
  return ch;
}

LUA_API int lungo_send(lungo_Chan *ch, const lungo_Value *v, double timeout) {
  ChanOp *op = op_new(ch, OP_SEND_TO);
  if (op == NULL) return LUNGO_NOMEM;
  op->timeout = nanoseconds(timeout);
  int r = LUNGO_NOMEM;
  if (value_copy(&op->v, v))
    r = op_ask(ch->ref->hub, op);
  else
    op_unref(op);
  op_unref(op);
  return r;
}

LUA_API int lungo_close(lungo_Chan *ch) {
  ChanOp *op = op_new(ch, OP_CLOSE_IT);
  if (op == NULL) return LUNGO_NOMEM;
  op->timeout = NS_FOREVER;
  int r = op_ask(ch->ref->hub, op);
  op_unref(op);
  return r;
}

static int recv_ahead(lungo_Chan *ch, Watch *w, lungo_Value *v, int64_t deadline);

LUA_API int lungo_recv(lungo_Chan *ch, lungo_Value *v, double timeout) {
  *v = lungo_nil();
  Watch *w = atomic_load_explicit(&ch->watch, memory_order_acquire);
  if (w != NULL) return recv_ahead(ch, w, v, timeout == 0 ? 0 : host_deadline(timeout));
  ChanOp *op = op_new(ch, OP_RECV_FROM);
  if (op == NULL) return LUNGO_NOMEM;
  op->timeout = nanoseconds(timeout);
  int r = op_ask(ch->ref->hub, op);
  if (r == LUNGO_OK) {
    *v = op->v;
    op->v = lungo_nil();
  }
  op_unref(op);
  return r;
}

// ---- watched channels -------------------------------------------------------------------------------------------

static void announce(Watch *w) {
  uint64_t one = 1;
  if (w->fd >= 0 && write(w->fd, &one, sizeof one) < 0) return; // it is readable already
  if (w->notify != NULL) w->notify(w->ud);
}

static void silence(Watch *w) {
  uint64_t n;
  if (w->fd >= 0 && read(w->fd, &n, sizeof n) < 0) return;
}

static void event_locked(Watch *w) {
  atomic_fetch_add(&w->seq, 1);
  futex_wake(&w->seq, -1);
}

static void watch_end(void *owner, int status) {
  lungo_Chan *ch = owner;
  Hub *h = ch->ref->hub;
  lock(&h->lk);
  Watch *w = ch->watch;
  bool news = w->end == 0;
  if (news) {
    w->end = status == LUNGO_CLOSED ? LUNGO_CLOSED : LUNGO_DEAD;
    event_locked(w);
    if (w->count == 0) announce(w);
  }
  unlock(&h->lk);
}

static size_t bytes_of(const lungo_Value *v) { return v->type == LUNGO_TSTRING ? v->u.s.len : 0; }

// False: no room; the caller parks, the hub's lock is held.
static bool put_ahead(lungo_Chan *ch, lungo_Value *v) {
  Hub *h = ch->ref->hub;
  Watch *w = ch->watch;
  lock(&h->lk);
  w->queue[(w->head + w->count) % AHEAD] = *v;
  w->bytes += bytes_of(v);
  event_locked(w);
  if (w->count++ == 0) announce(w);
  if (w->count == AHEAD || w->bytes >= AHEAD_BYTES) return false;
  unlock(&h->lk);
  return true;
}

enum { PUMP_START, PUMP_RECV, PUMP_ROOM };

static int pump(lua_State *L, int status, lua_KContext stage);

static int pump_end(lungo_Chan *ch) {
  watch_end(ch, LUNGO_CLOSED);
  return 0;
}

// v goes into the queue. True: there is room for more. False: the goroutine is to park, with the hub's lock held.
static bool pump_put(lua_State *L, lungo_Chan *ch, const Value *v) {
  lungo_Value val;
  lib_push(L, v);
  lungo_get(L, -1, &val);
  lua_settop(L, 2);
  if (put_ahead(ch, &val)) return true;
  waiter_of(L->g)->obj = ch;
  ch->watch->pump = L->g;
  return false;
}

// 1 the handle, 2 the channel.
static int pump(lua_State *L, int status, lua_KContext stage) {
  lungo_Chan *ch = lua_touserdata(L, 1);
  Value v;
  bool ok = true, have = stage == PUMP_RECV;
  (void)status;
  if (have) chan_end_recv(L, &v, &ok);
  for (;;) {
    Chan *c = channel_at(L, 2, CHAN_CANRECV);
    if (!have && !chan_begin_recv(L, c, &v, &ok)) return g_parkc(L, WAIT_CHAN_RECV, &c->lk, PUMP_RECV, pump);
    have = false;
    if (!ok) return pump_end(ch);
    if (!pump_put(L, ch, &v)) return g_parkc(L, WAIT_HOST, &ch->ref->hub->lk, PUMP_ROOM, pump);
    if (atomic_load(&L->ctx->poll) != 0) rt_safepoint(L, false);
  }
}

static int pump_main(lua_State *L) { return pump(L, LUA_OK, PUMP_START); }

static void pump_ended(lua_State *L, G *g, void *arg, int status) {
  lungo_Chan *ch = g->group->owner;
  (void)L;
  (void)arg;
  (void)status;
  if (!group_disown(g->group)) return;
  watch_end(ch, LUNGO_DEAD); // unless it has ended well
  lungo_chan_release(ch);
}

static void watch_abandon(void *owner, int status) {
  watch_end(owner, status);
  lungo_chan_release(owner);
}

// On the courier. The pump keeps the handle.
static void op_pump(lua_State *L, ChanOp *op) {
  chan_push(L, op->ch);
  channel_at(L, 1, CHAN_CANRECV);
  Group *gr = group_new(L->gl->rt->hub, true, 0, 0, false, op->ch, &op->ch->refs, watch_abandon);
  if (gr == NULL) call_memerror(L);
  lua_pushcfunction(L, pump_main);
  lua_pushlightuserdata(L, op->ch);
  lua_pushvalue(L, 1);
  lungo_chan_retain(op->ch);
  g_go_group(L, 2, gr, pump_ended);
  group_unref(gr);
  op_complete(op, LUNGO_OK);
}

static void wake_pump_locked(Hub *h, lungo_Chan *ch, Watch *w) {
  G *g = w->pump;
  if (g == NULL || w->count > AHEAD / 2 || w->bytes > AHEAD_BYTES / 2 || h->rt == NULL) return;
  w->pump = NULL;
  if (g->w.obj != ch) return; // it was ended meanwhile
  g->w.obj = NULL;
  hub_ready(h, g);
}

static int take_locked(lungo_Chan *ch, Watch *w, lungo_Value *v) {
  if (w->count == 0) return w->end != 0 ? w->end : LUNGO_TIMEOUT;
  *v = w->queue[w->head];
  w->head = (w->head + 1) % AHEAD;
  w->bytes -= bytes_of(v);
  if (--w->count == 0 && w->end == 0) silence(w);
  wake_pump_locked(ch->ref->hub, ch, w);
  return LUNGO_OK;
}

// deadline 0: does not wait.
static int recv_ahead(lungo_Chan *ch, Watch *w, lungo_Value *v, int64_t deadline) {
  Hub *h = ch->ref->hub;
  for (;;) {
    uint32_t seq = atomic_load(&w->seq);
    lock(&h->lk);
    int r = take_locked(ch, w, v);
    unlock(&h->lk);
    if (r != LUNGO_TIMEOUT || deadline == 0) return r;
    if (!futex_wait(&w->seq, seq, deadline)) deadline = 0; // one more look
  }
}

// Gives the handle its queue, and the pump that fills it. An error number, or 0.
static int watch_start(lungo_Chan *ch) {
  Hub *h = ch->ref->hub;
  Watch *w = calloc(1, sizeof *w), *none = NULL;
  ChanOp *op = op_new(ch, OP_PUMP);
  if (w == NULL || op == NULL) {
    free(w);
    free(op);
    return ENOMEM;
  }
  w->fd = -1;
  op->timeout = NS_FOREVER;
  if (!atomic_compare_exchange_strong(&ch->watch, &none, w)) { // another thread was faster
    free(w);
    op_unref(op);
    op_unref(op);
    return 0;
  }
  int r = op_ask(h, op);
  op_unref(op);
  if (r != LUNGO_OK) watch_end(ch, r == LUNGO_CLOSED ? LUNGO_CLOSED : LUNGO_DEAD);
  return r == LUNGO_ERROR ? EINVAL : 0;
}

LUA_API int lungo_chan_fd(lungo_Chan *ch) {
  Hub *h = ch->ref->hub;
  if (ch->watch == NULL && (errno = watch_start(ch)) != 0) return -1;
  Watch *w = ch->watch;
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return -1;
  lock(&h->lk);
  if (w->fd >= 0) {
    close(fd);
  } else {
    w->fd = fd;
    if (w->count > 0 || w->end != 0) announce(w);
  }
  fd = w->fd;
  unlock(&h->lk);
  return fd;
}

LUA_API int lungo_chan_notify(lungo_Chan *ch, void (*notify)(void *ud), void *ud) {
  Hub *h = ch->ref->hub;
  if (ch->watch == NULL && watch_start(ch) != 0) return LUNGO_ERROR;
  Watch *w = ch->watch;
  lock(&h->lk);
  w->notify = notify;
  w->ud = ud;
  bool ready = w->count > 0 || w->end != 0;
  unlock(&h->lk);
  if (ready) notify(ud);
  return LUNGO_OK;
}
