// SPDX-License-Identifier: MIT
//
// final.c: the goroutine that runs finalizers, and what time they have.
//
// What:       one system goroutine at a time runs them, and ends when none is left. (In a program with a single
//             goroutine the collector runs them itself, as Lua does: it should not become a threaded one because a file
//             was collected.)
//             In a host's runtime each may have a time limit (Hub.fin_ns). A table's finalizer was written by a run's
//             script, and that run's end is its end, too. So all tables that a run registered make up its *Estate*:
//               the run goes on       each finalizer has the limit of one
//               it was ended          all have the time that its deferred calls have, GROUP_GRACE_NS
//               it ended by itself    all together have the limit of one, or, without such a limit, as much time as the
//                                     run had
//             Then the estate is over: the collector drops its tables (vm/gc_final.c), so that a script that leaves ten
//             thousand finalizers that never end costs no more than one that leaves one.
//             What a finalizer starts, goroutines and timers, belongs to the run. Where that is gone, so that its
//             limits are nobody's any more, it can start nothing (final_isbereft).
// Invariants: Hub.fin_estate is set exactly while a finalizer of an estate runs in the goroutine of finalizers; it and
//             that goroutine's G.group have a reference each. A run does not count that goroutine among its own.
//             An estate lives as long as its group or one of its objects; it does not keep the group.
// Locking:    the hub's lock guards an estate's fields, but for `until`, which only shrinks, and the count.
// See also:   group.c (kill_locked, hub_tick), vm/gc_final.c. Tests: tests/unit/embed_final_test.c.
#include "call.h"
#include "gc.h"
#include "hub.h"
#include "sched_int.h"
#include <stdlib.h>

struct Estate {
  _Atomic int refs;
  Group *gr; // NULL: it is gone
  bool limited;
  int64_t left;          // what is left of its time when the run has ended by itself
  _Atomic int64_t until; // when the estate is over; NS_FOREVER: that is not known
};

// ---- estates ------------------------------------------------------------------------------------------------------

void rt_estate_drop(Estate *e) {
  if (e != NULL && atomic_fetch_sub(&e->refs, 1) == 1) free(e);
}

static bool is_finalizing(const Hub *h, const G *g) { return g->is_system && !g->is_main && g != h->courier; }

static void end_by(Estate *e, int64_t when) {
  if (when < atomic_load(&e->until)) atomic_store(&e->until, when);
}

static void estate_init(Estate *e, Group *gr) {
  Hub *h = gr->hub;
  atomic_init(&e->refs, 1);
  e->gr = gr;
  e->limited = gr->id != 0;
  e->left = h->fin_ns > 0 ? h->fin_ns : gr->ns > 0 ? gr->ns : NS_FOREVER;
  uint32_t kill = atomic_load(&gr->kill);
  atomic_init(&e->until, kill == 0 ? NS_FOREVER : kill == 1 ? gr->patient_until : 0);
}

static Estate *estate_of(Group *gr) {
  Estate *e = atomic_load_explicit(&gr->estate, memory_order_acquire);
  if (likely(e != NULL)) return e;
  lock(&gr->hub->lk);
  e = atomic_load(&gr->estate);
  if (e == NULL && (e = malloc(sizeof *e)) != NULL) {
    estate_init(e, gr);
    atomic_store_explicit(&gr->estate, e, memory_order_release);
  }
  unlock(&gr->hub->lk);
  return e;
}

// A finalizer may register its object again, which then belongs to the same estate.
bool rt_estate(lua_State *L, Estate **out) {
  Hub *h = L->gl->rt->hub;
  *out = NULL;
  if (likely(h == NULL)) return true;
  Ctx *ctx = rt_current(L->gl); // L may be a thread that nobody runs
  const G *g = ctx != NULL ? m_of(ctx)->g : NULL;
  if (g == NULL) return true;
  if (is_finalizing(h, g)) {
    *out = h->fin_estate;
  } else {
    if (g->group == NULL) return true;
    if ((*out = estate_of(g->group)) == NULL) return false;
  }
  if (*out != NULL) atomic_fetch_add(&(*out)->refs, 1);
  return true;
}

bool rt_estate_isover(const Estate *e) {
  if (e == NULL) return false;
  int64_t until = atomic_load_explicit(&e->until, memory_order_relaxed);
  return until != NS_FOREVER && until <= mono_ns();
}

// An estate's group is in place as long as a goroutine of it asks.
bool rt_estate_may(const lua_State *L, const Estate *e) {
  if (e == NULL || L->g->is_system) return true;
  return L->g->group != NULL && L->g->group == __atomic_load_n(&e->gr, __ATOMIC_RELAXED);
}

// If it is one of e's that runs, it has to end by then.
static void hurry_locked(Hub *h, const Estate *e, int64_t by) {
  if (h->fin_estate != e || atomic_load(&h->fin_by) <= by) return;
  atomic_store(&h->fin_by, by);
  hub_earlier_locked(h, by);
}

void final_kill_locked(Hub *h, Group *gr, int64_t now) {
  Estate *e = atomic_load(&gr->estate);
  assert_held(&h->lk);
  if (e == NULL) return;
  end_by(e, now + GROUP_GRACE_NS);
  hurry_locked(h, e, atomic_load(&e->until));
}

void final_alone(Group *gr) {
  Hub *h = gr->hub;
  Estate *e = atomic_load(&gr->estate);
  if (e == NULL) return;
  lock(&h->lk);
  if (e->left != NS_FOREVER) {
    if (h->fin_estate == e) h->fin_began = mono_ns();
    hurry_locked(h, e, mono_ns() + e->left);
  }
  unlock(&h->lk);
}

void final_gone_locked(Group *gr) {
  assert_held(&gr->hub->lk);
  Estate *e = atomic_load(&gr->estate);
  if (e != NULL) __atomic_store_n(&e->gr, NULL, __ATOMIC_RELAXED);
  rt_estate_drop(e);
}

// ---- the time of one finalizer ----------------------------------------------------------------------------------

// When a finalizer of e that begins now has to end.
static int64_t last_moment(const Hub *h, const Estate *e, bool running, int64_t now) {
  int64_t by = h->fin_ns > 0 ? now + h->fin_ns : NS_FOREVER;
  if (e == NULL) return by;
  int64_t until = atomic_load(&e->until), own = running || e->left == NS_FOREVER ? NS_FOREVER : now + e->left;
  if (until < by) by = until;
  return own < by ? own : by;
}

// The goroutine of finalizers acts for the run, if there is one still.
static bool begin_locked(Hub *h, G *g, Estate *e) {
  int64_t now = mono_ns();
  bool there = e != NULL && e->gr != NULL && group_tryref(e->gr);
  int64_t by = last_moment(h, e, there && atomic_load(&e->gr->live) > 0, now);
  g->group = h->fin_group = there ? e->gr : NULL;
  h->fin_bereft = e != NULL && !there && e->limited;
  h->fin_estate = e;
  h->fin_began = now;
  atomic_store(&h->fin_kill, false);
  atomic_store(&h->fin_by, by);
  if (by > now && by != NS_FOREVER) hub_earlier_locked(h, by);
  return by > now;
}

static void end_finalizer(Hub *h, G *g) {
  Group *gr = h->fin_group;
  Estate *e = h->fin_estate;
  lock(&h->lk);
  h->fin_estate = NULL;
  h->fin_group = NULL;
  atomic_store(&h->fin_by, NS_FOREVER);
  atomic_store(&h->fin_kill, false);
  if (e != NULL && e->left != NS_FOREVER && (gr == NULL || atomic_load(&gr->live) == 0)) {
    e->left -= mono_ns() - h->fin_began;
    if (e->left <= 0) end_by(e, 0);
  }
  unlock(&h->lk);
  h->fin_bereft = false;
  g->group = NULL;
  if (gr != NULL) group_unref(gr);
  rt_estate_drop(e);
}

bool final_isbereft(const G *g) {
  if (likely(!g->is_system)) return false;
  Hub *h = g->L->gl->rt->hub;
  return h != NULL && is_finalizing(h, g) && h->fin_bereft;
}

// Any other goroutine runs its own, in its own time; goroutine 1 those that are left when the runtime is freed, but for
// runs that were ended before.
bool rt_finalizer_begin(lua_State *L, Estate *e) {
  Hub *h = L->gl->rt->hub;
  if (h == NULL || (e == NULL && h->fin_ns == 0)) return true;
  if (!is_finalizing(h, L->g)) {
    bool may = e == NULL || !(L->g->is_main ? atomic_load(&e->until) != NS_FOREVER : rt_estate_isover(e));
    rt_estate_drop(e);
    return may;
  }
  lock(&h->lk);
  bool may = begin_locked(h, L->g, e);
  unlock(&h->lk);
  if (!may) end_finalizer(h, L->g);
  return may;
}

void rt_finalizer_end(lua_State *L) {
  Hub *h = L->gl->rt->hub;
  if (h != NULL && is_finalizing(h, L->g) && (h->fin_ns > 0 || h->fin_estate != NULL)) end_finalizer(h, L->g);
}

// Its goroutine stood still in the middle of one.
void final_release(Hub *h) {
  Estate *e = h->fin_estate;
  if (h->fin_group != NULL) group_unref(h->fin_group);
  h->fin_estate = NULL;
  h->fin_group = NULL;
  rt_estate_drop(e);
}

// ---- their goroutine ----------------------------------------------------------------------------------------------

static int fin_main(lua_State *L) {
  Runtime *rt = L->gl->rt;
  do {
    gc_run_finalizers(L, -1);
    atomic_store(&rt->fin_running, false);
    // Whoever queued more before that store saw us running and started nobody.
  } while (gc_finalizers_pending(L->gl) && !atomic_exchange(&rt->fin_running, true));
  return 0;
}

void rt_finalizers_ready(Global *gl) {
  atomic_store(&gl->rt->fin_wanted, true);
  m_poll(m_of(rt_current(gl)), POLL_PREEMPT); // to the slow half of the next safepoint
}

void final_maybe(M *m) {
  Runtime *rt = m->rt;
  atomic_store(&rt->fin_wanted, false);
  if (rt->hub != NULL && atomic_load(&rt->hub->killall) > 0) return; // lungo_free runs what is left
  if (atomic_exchange(&rt->fin_running, true)) return;
  Value fn = {.f = fin_main, .tag = TAG_LCF};
  if (g_go_system(&m->ctx, &fn) != NULL) return;
  atomic_store(&rt->fin_running, false); // no memory: the next collection asks again
}

// A finalizer that took too long or called runtime.goexit, or an error outside of its protected call, ends the
// goroutine: the others go on in a new one.
void final_ended(Runtime *rt, G *g, int status) {
  Hub *h = rt->hub;
  if (status == LUA_OK || (h != NULL && !is_finalizing(h, g))) return;
  if (h != NULL) end_finalizer(h, g);
  atomic_store(&rt->fin_running, false);
  if (gc_finalizers_pending(rt->gl)) atomic_store(&rt->fin_wanted, true);
}
