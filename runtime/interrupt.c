// SPDX-License-Identifier: MIT
//
// interrupt.c: errors that come to a goroutine from outside: Ctrl-C, a host that cancels, a deadlock the host survives.
//
// What:       lungo_interrupt only notes what is wanted and wakes the monitor, so it may be called anywhere, also in a
//             signal handler. The monitor stops the world and marks the goroutines meant (G.intr). One that runs, or
//             that will, raises the error at its next safepoint. One that waits is taken out of the queue it waits in,
//             its wait is *called off*, and it runs again to raise the error in place of the continuation.
// Invariants: a wait is called off only in G_WAITING with the world stopped: then its waiter is in a queue and no waker
//             has won it, so no value, lock or unit that was handed over is ever lost. A goroutine already woken
//             finishes what it waited for and gets the error at its next safepoint.
//             A goroutine that parks with an interrupt pending asks the monitor to look again (interrupt_again): so
//             the error reaches it however it slipped past the safepoints.
//             Before the monitor runs there is one goroutine, and it cannot wait but in a sleep, which starts the
//             monitor. Waits whose object cannot be asked to forget a waiter are left alone; the interrupt stays
//             pending.
// Locking:    none, but that of rt->lock for the stop.
// See also:   stw.c, sysmon.c, lungo.h. Tests: tests/unit/interrupt_test.c, tests/pty.
#include "sched_int.h"
#include "chan.h"
#include "call.h"
#include "dbg.h"
#include "lungo.h"
#include "meta.h"
#include "rwmutex.h"
#include "sync.h"
#include <errno.h>

_Static_assert(LUNGO_RAISE == INTR_RAISE && LUNGO_END == INTR_END, "what a host asks for is what G.intr holds");
_Static_assert(LUNGO_EXITED == STATUS_GOEXIT, "lungo_run returns it");

// ---- asking ------------------------------------------------------------------------------------------------------

// A request is one word: the goroutine's number and what to do to it. Never 0.
#define REQ(id, how) ((uint64_t)(id) << 8 | (how))
#define REQ_ID(r) ((int64_t)((r) >> 8))
#define REQ_HOW(r) ((uint32_t)((r)&0xFF))

void interrupt_again(Runtime *rt) {
  atomic_store(&rt->intr_wanted, true);
  sysmon_wake(rt);
}

// Async-signal-safe.
static bool post(Runtime *rt, uint64_t req) {
  for (int i = 0; i < INTR_REQUESTS; i++) {
    uint64_t old = 0;
    if (atomic_compare_exchange_strong(&rt->intr_req[i], &old, req) || old == req) {
      interrupt_again(rt);
      return true;
    }
  }
  return false;
}

LUA_API int lungo_interrupt(lua_State *L, long long id, int how) {
  Runtime *rt = L->gl->rt;
  if (id < 0 || (how != LUNGO_RAISE && how != LUNGO_END)) return -EINVAL;
  if (atomic_load(&rt->started)) return post(rt, REQ(id, (uint32_t)how)) ? 0 : -EAGAIN;
  if (id > 1) return 0;
  atomic_fetch_or(&rt->g1->intr, (uint32_t)how); // no monitor, no other goroutine
  m_poll(rt->m0, POLL_INTERRUPT);
  futex_wake(&rt->g1->intr, 1);
  // A sleep may have begun meanwhile, if this is another thread of the host's: it has not seen the bits, and did not
  // see rt->started before they were set.
  if (atomic_load(&rt->started)) interrupt_again(rt);
  return 0;
}

void interrupt_deadlock_locked(Runtime *rt) { post(rt, REQ(1, INTR_DEADLOCK)); }

void interrupt_clear(Runtime *rt) {
  for (int i = 0; i < INTR_REQUESTS; i++) {
    uint64_t req = atomic_load(&rt->intr_req[i]);
    if (req != 0 && REQ_ID(req) == 1) atomic_compare_exchange_strong(&rt->intr_req[i], &req, 0);
  }
  atomic_store(&rt->g1->intr, 0);
}

// ---- calling a wait off ------------------------------------------------------------------------------------------

static int raise_instead(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  interrupt_raise(L);
  return 0;
}

bool calloff_gently(G *g) {
  if (g->reason == WAIT_COND) { // it locks its mutex first
    waiters_ready(NULL, cond_calloff(&g->w));
    g->reason = WAIT_NONE;
    return true;
  }
  if (g->reason == WAIT_SEMAPHORE && g->w.index == 1) { // with a context: as if that had ended
    waiters_ready(NULL, sem_calloff(&g->w));
    g_ready(NULL, g);
    return true;
  }
  return false;
}

static bool leave_queue(Runtime *rt, G *g, Waiter **woken) {
  switch ((WaitReason)g->reason) {
  case WAIT_CHAN_SEND:
  case WAIT_CHAN_RECV: chan_calloff(g); return true;
  case WAIT_CHAN_SEND_NIL:
  case WAIT_CHAN_RECV_NIL:
  case WAIT_SELECT_NONE: return true;
  case WAIT_SELECT: select_calloff(g); return true;
  case WAIT_SLEEP: return timer_stop(rt, g->sleeper);
  case WAIT_MUTEX: mutex_calloff(&g->w); return true;
  case WAIT_MODULE: mutex_calloff(&g->w); return true;
  case WAIT_RW_LOCK: *woken = rw_calloff(&g->w, true); return true;
  case WAIT_RW_RLOCK: *woken = rw_calloff(&g->w, false); return true;
  case WAIT_WAITGROUP: wg_calloff(&g->w); return true;
  case WAIT_ONCE: once_calloff(&g->w); return true;
  case WAIT_SEMAPHORE: *woken = sem_calloff(&g->w); return true;
  default: return false;
  }
}

bool calloff(Runtime *rt, G *g, Waiter **woken) {
  if (!leave_queue(rt, g, woken)) return false;
  g->reason = WAIT_NONE; // it was given nothing
  return true;
}

static void call_off(Runtime *rt, G *g) {
  Waiter *woken = NULL;
  if (calloff_gently(g) || !calloff(rt, g, &woken)) return;
  atomic_fetch_or(&g->intr, INTR_PARKED);
  CallInfo *ci = g->cur->ci;
  if (!g->nested && !ci_isLua(ci)) ci->u.c.k = raise_instead;
  g_ready(NULL, g);
  waiters_ready(NULL, woken);
}

// ---- serving -----------------------------------------------------------------------------------------------------

static bool is_meant(const G *g, int64_t id) { return id == 0 ? !g->is_system : g->id == id; }

struct Requests {
  Runtime *rt;
  int n;
  uint64_t req[INTR_REQUESTS];
};

static void mark(G *g, void *arg) {
  const struct Requests *r = arg;
  uint32_t bits = 0;
  if (g->is_main && atomic_load(&r->rt->main_done)) return; // the host's code: there is nothing to interrupt
  for (int i = 0; i < r->n; i++)
    if (is_meant(g, REQ_ID(r->req[i]))) bits |= REQ_HOW(r->req[i]);
  if (bits == 0) return;
  atomic_fetch_or(&g->intr, bits);
  if (g->m != NULL) m_poll(g->m, POLL_INTERRUPT); // runs, or is in a blocking region
  futex_wake(&g->intr, 1);                        // park.c: sleep_nested
}

static void act(G *g, void *arg) {
  const struct Requests *r = arg;
  if (g->is_main && atomic_load(&r->rt->main_done)) return;
  if (atomic_load(&g->intr) != 0 && g_status(g) == G_WAITING) call_off(r->rt, g);
}

// A deadlock that was seen before the stop: is it one still?
static bool still_dead(Runtime *rt) {
  sched_lock(rt);
  bool dead = rt_isquiet_locked(rt) && g_status(rt->g1) == G_WAITING;
  sched_unlock(rt);
  return dead;
}

static void take_requests(Runtime *rt, struct Requests *r) {
  for (int i = 0; i < INTR_REQUESTS; i++) {
    uint64_t req = atomic_exchange(&rt->intr_req[i], 0);
    if (req == 0 || (REQ_HOW(req) == INTR_DEADLOCK && !still_dead(rt))) continue;
    r->req[r->n++] = req;
  }
}

// If the world is stopped already (a collection, or the host runs), the next look will do.
void interrupt_serve(Runtime *rt) {
  struct Requests r = {.rt = rt};
  if (!try_stop_world_monitor(rt)) return;
  atomic_store(&rt->intr_wanted, false);
  take_requests(rt, &r);
  g_each(rt, mark, &r);
  g_each(rt, act, &r);
  start_world_monitor(rt);
}

// ---- raising -----------------------------------------------------------------------------------------------------

void interrupt_raise(lua_State *L) {
  uint32_t why = atomic_exchange(&L->g->intr, 0);
  if (why & INTR_END) {
    lua_pushnil(L);
    call_throw(L, STATUS_GOEXIT);
  }
  if (why & INTR_DEADLOCK) chan_error(L, "all goroutines are asleep - deadlock!");
  if (why & INTR_RAISE) chan_error(L, "interrupted!");
}

void rt_calledoff(lua_State *L) { interrupt_raise(L); }
