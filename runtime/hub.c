// SPDX-License-Identifier: MIT
//
// hub.c: the queue through which host threads ask, and the courier that does what they ask.
//
// What:       the courier is a goroutine that runs requests in order and parks when there are none. It counts as a
//             system goroutine: no deadlock report, no dump, no limit concerns it.
// Invariants: h->parked is true exactly while the courier waits (or is about to) and nobody has woken it; who sets it
//             false must ready it. The courier looks at the queue and sets parked under one hold of the lock, so that
//             no request is overlooked.
//             hub_detach is called when no worker runs any more.
// See also:   hub.h, group.c, host.c.
#include "hub.h"
#include "call.h"
#include "gc.h"
#include "sched_int.h"
#include "waitq.h"

// ---- making and freeing ----------------------------------------------------------------------------------------

Hub *hub_new(void) {
  Hub *h = calloc(1, sizeof *h);
  if (h == NULL) return NULL;
  atomic_init(&h->refs, 1);
  h->tail = &h->head;
  atomic_init(&h->deadline, NS_FOREVER);
  atomic_init(&h->close_by, NS_FOREVER);
  atomic_init(&h->fin_by, NS_FOREVER);
  return h;
}

void hub_ref(Hub *h) { atomic_fetch_add(&h->refs, 1); }

void hub_unref(Hub *h) {
  if (atomic_fetch_sub(&h->refs, 1) == 1) free(h);
}

void hub_attach(Hub *h, Runtime *rt) {
  hub_ref(h);
  h->rt = rt;
  __atomic_store_n(&rt->hub, h, __ATOMIC_RELEASE);
}

static void drop_requests(Hub *h) {
  lock(&h->lk);
  Req *r = h->head;
  h->head = NULL;
  h->tail = &h->head;
  unlock(&h->lk);
  while (r != NULL) {
    Req *next = r->next;
    r->failed(r, LUNGO_DEAD, NULL);
    r = next;
  }
}

void hub_detach(Runtime *rt) {
  Hub *h = rt->hub;
  if (h == NULL) return;
  lock(&h->lk);
  h->rt = NULL;
  h->closing = true;
  h->parked = false;
  unlock(&h->lk);
  drop_requests(h);
  group_gone(h, false);
}

void hub_release(Runtime *rt) {
  Hub *h = rt->hub;
  if (h == NULL) return;
  final_release(h);
  group_gone(h, true);
  hub_unref(h);
}

// Two goroutines of a lua_newstate universe may ask for the first time at once.
Hub *hub_of(lua_State *L) {
  Runtime *rt = L->gl->rt;
  Hub *h = __atomic_load_n(&rt->hub, __ATOMIC_ACQUIRE), *none = NULL;
  if (h != NULL) return h;
  h = hub_new();
  if (h == NULL) call_memerror(L);
  h->rt = rt;
  if (__atomic_compare_exchange_n(&rt->hub, &none, h, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return h;
  free(h);
  return none;
}

// ---- waking --------------------------------------------------------------------------------------------------------

// The calling thread's worker if it holds a processor of this runtime.
static Ctx *own_ctx(Runtime *rt) {
  M *m = m_current;
  return m != NULL && m->rt == rt && m->p != NULL ? &m->ctx : NULL;
}

void hub_ready(Hub *h, G *g) {
  assert_held(&h->lk);
  g_ready(own_ctx(h->rt), g);
}

void hub_wake_locked(Hub *h) {
  if (!h->parked || h->rt == NULL) return;
  h->parked = false;
  h->courier->w.obj = NULL;
  g_readyfirst(h->rt, h->courier);
}

bool hub_post(Hub *h, Req *r) {
  r->next = NULL;
  lock(&h->lk);
  bool ok = h->L != NULL && !h->closing && h->rt != NULL;
  if (ok) {
    *h->tail = r;
    h->tail = &r->next;
    hub_wake_locked(h);
  }
  unlock(&h->lk);
  return ok;
}

// ---- what the runtime reports --------------------------------------------------------------------------------------

void hub_cancelall(Hub *h) {
  for (;;) {
    Group *found = NULL;
    lock(&h->lk);
    for (Group *gr = h->groups; gr != NULL && found == NULL; gr = gr->next)
      if (!gr->internal && atomic_load(&gr->kill) == 0 && group_tryref(gr)) found = gr;
    unlock(&h->lk);
    if (found == NULL) return;
    group_kill(found, LUNGO_CANCELLED, 1);
    group_unref(found);
  }
}

// The error of a run's first goroutine is its result. Of others: the host's handler, or the usual report without end.
bool hub_failed(lua_State *L, G *g) {
  Hub *h = L->gl->rt->hub;
  Group *gr = g->group;
  if (gr != NULL && (gr->first == g || atomic_load(&gr->kill) > 0)) return true;
  if (h->L == NULL) return false;
  if (h->opt.panic != NULL) {
    char *text = error_text(L, g, true);
    h->opt.panic(h->opt.ud, text != NULL ? text : "not enough memory");
    free(text);
  } else {
    panic_report(L, g);
  }
  if (h->opt.flags & LUNGO_FAILALL) hub_cancelall(h);
  return true;
}

// ---- the courier ------------------------------------------------------------------------------------------------

static void run_protected(lua_State *L, void *ud) {
  Req *r = ud;
  r->run(L, r);
}

static void run_request(lua_State *L, Req *r) {
  int status = vm_rawprotected(L, run_protected, r);
  if (status != LUA_OK) r->failed(r, status, lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "error");
  lua_settop(L, 0);
}

static Req *take_locked(Hub *h) {
  Req *r = h->head;
  if (r == NULL) return NULL;
  h->head = r->next;
  if (h->head == NULL) h->tail = &h->head;
  return r;
}

static int courier_loop(lua_State *L, int status, lua_KContext kctx) {
  Hub *h = L->gl->rt->hub;
  (void)status;
  (void)kctx;
  for (;;) {
    if (atomic_load(&L->ctx->poll) & (POLL_STW | POLL_GC)) rt_safepoint(L, false);
    lock(&h->lk);
    bool reap = h->reap;
    Req *r = reap ? NULL : take_locked(h);
    h->reap = false;
    if (!reap && r == NULL) {
      h->parked = true;
      waiter_of(L->g)->obj = h;
      return g_parkc(L, WAIT_HOST, &h->lk, 0, courier_loop);
    }
    unlock(&h->lk);
    if (reap) group_reap(L);
    if (r != NULL) run_request(L, r);
  }
}

static int courier_main(lua_State *L) {
  atomic_store(&L->gl->rt->hub->courier, L->g);
  return courier_loop(L, LUA_OK, 0);
}

bool hub_startcourier(lua_State *L) {
  Value fn = {.f = courier_main, .tag = TAG_LCF};
  return g_go_system(L->ctx, &fn) != NULL;
}
