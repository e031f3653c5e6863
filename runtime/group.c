// SPDX-License-Identifier: MIT
//
// group.c: the goroutines of a host's run: counting them, limiting them, ending them.
//
// What:       group_kill marks and asks every worker to look. Running goroutines find out at their next safepoint,
//             those that are runnable when they are continued (m_execute), and those that wait are taken out of their
//             wait queues by group_reap, with the world stopped: then no lock of any wait queue is held and nobody is
//             in the middle of waking anybody, so that a waiter can simply be unlinked.
//             The clock is sysmon's: hub_tick raises levels whose time has come, and as long as an ended group has
//             goroutines it repeats the request every few milliseconds, for those that parked in between.
//             That deferred calls have had their time, or that a goroutine is stuck in C, is told by time, but not by
//             time alone: on a machine so busy that their threads get no turn, the courier, on a thread as any other,
//             can stop the world rarely, too, and that is counted.
// Invariants: a goroutine that is told to end continues nowhere but in its deferred calls: the error is raised before
//             the operation it waited in can return. If it was woken before it was told, so that it was given what it
//             waited for (a lock, a semaphore's units, a condition's signal), it gives that back first (sync_giveback):
//             goroutines of other runs may wait for it. A value it was sent, or that was taken from it, is gone.
// See also:   group.h, hub.c, sched.c (m_execute, g_end).
#include "hub.h"
#include "call.h"
#include "chan.h"
#include "group.h"
#include "sched_int.h"
#include <lauxlib.h>

#define NOBODY (-1)               // id of no group
#define AGAIN_NS INT64_C(5000000) // how often the goroutines of an ended group are asked again

// ---- making and freeing -----------------------------------------------------------------------------------------

bool group_tryref(Group *gr) {
  int n = atomic_load(&gr->refs);
  while (n > 0)
    if (atomic_compare_exchange_weak(&gr->refs, &n, n + 1)) return true;
  return false;
}

void hub_earlier_locked(Hub *h, int64_t when) {
  if (when >= atomic_load(&h->deadline)) return;
  atomic_store(&h->deadline, when);
  if (h->rt != NULL && atomic_load(&h->rt->mon_until) > when) sysmon_wake(h->rt);
}

Group *group_new(Hub *h, bool internal, int64_t instr, int maxlive, bool limited, void *owner, _Atomic int *ownerrefs,
                 void (*abandon)(void *, int)) {
  Group *gr = calloc(1, sizeof *gr);
  if (gr == NULL) return NULL;
  gr->hub = h;
  hub_ref(h);
  gr->internal = internal;
  atomic_init(&gr->refs, 1);
  gr->counted = instr > 0;
  atomic_init(&gr->instr, instr);
  gr->maxlive = maxlive > 0 ? maxlive : 0;
  gr->deadline = NS_FOREVER;
  gr->owner = owner;
  gr->ownerrefs = ownerrefs;
  gr->abandon = abandon;
  lock(&h->lk);
  gr->id = limited ? ++h->nextid : 0;
  gr->next = h->groups;
  if (h->groups != NULL) h->groups->prev = gr;
  h->groups = gr;
  unlock(&h->lk);
  return gr;
}

void group_arm(Group *gr, int64_t ns) {
  if (ns <= 0) return;
  int64_t now = mono_ns();
  gr->ns = ns;
  lock(&gr->hub->lk);
  gr->deadline = ns < NS_FOREVER - now ? now + ns : NS_FOREVER;
  hub_earlier_locked(gr->hub, gr->deadline);
  unlock(&gr->hub->lk);
}

static void unlink_locked(Group *gr) {
  Hub *h = gr->hub;
  if (gr->prev != NULL)
    gr->prev->next = gr->next;
  else
    h->groups = gr->next;
  if (gr->next != NULL) gr->next->prev = gr->prev;
}

static void drop_refs(Group *gr, int n) {
  Hub *h = gr->hub;
  if (atomic_fetch_sub(&gr->refs, n) != n) return;
  lock(&h->lk);
  unlink_locked(gr);
  final_gone_locked(gr);
  unlock(&h->lk);
  free(gr);
  hub_unref(h);
}

void group_unref(Group *gr) { drop_refs(gr, 1); }

bool group_disown(Group *gr) {
  lock(&gr->hub->lk);
  bool mine = !gr->disowned;
  gr->disowned = gr->told = true;
  unlock(&gr->hub->lk);
  return mine;
}

// Takes the reference of a goroutine that will not end any more.
static Group *next_owned(Hub *h) {
  lock(&h->lk);
  Group *gr = h->groups;
  while (gr != NULL && (gr->disowned || atomic_load(&gr->live) == 0 || !group_tryref(gr))) gr = gr->next;
  if (gr != NULL) gr->disowned = gr->told = true;
  unlock(&h->lk);
  return gr;
}

static Group *next_live(Hub *h, int *n) {
  lock(&h->lk);
  Group *gr = h->groups;
  while (gr != NULL && atomic_load(&gr->live) == 0) gr = gr->next;
  if (gr != NULL) *n = atomic_exchange(&gr->live, 0);
  unlock(&h->lk);
  return gr;
}

void group_gone(Hub *h, bool freeing) {
  int n;
  Group *gr;
  while (!freeing && (gr = next_owned(h)) != NULL) {
    gr->abandon(gr->owner, LUNGO_DEAD);
    group_unref(gr);
  }
  while (freeing && (gr = next_live(h, &n)) != NULL) drop_refs(gr, n);
}

// ---- joining and leaving ------------------------------------------------------------------------------------------

static void count_hook(lua_State *L, lua_Debug *ar) {
  Group *gr = L->g->group;
  (void)ar;
  if (gr == NULL || atomic_fetch_sub_explicit(&gr->instr, INSTR_STEP, memory_order_relaxed) > INSTR_STEP) return;
  group_kill(gr, LUNGO_LIMIT, 1);
  g_checkkill(m_of(L->ctx), L);
}

static _Noreturn void raise_goexit(lua_State *L) {
  v_setnil(L->top++);
  call_throw(L, STATUS_GOEXIT);
}

// Two that start one at once may exceed the limit by one.
bool group_room(Group *gr) {
  if (gr->maxlive == 0 || atomic_load(&gr->live) < gr->maxlive) return true;
  group_kill(gr, LUNGO_LIMIT, 1);
  return false;
}

void group_admit(lua_State *L, Group *gr) {
  if (gr == NULL) {
    if (final_isbereft(L->g)) luaL_error(L, "the run that this finalizer belongs to is over");
    return;
  }
  if (group_room(gr)) return;
  L->g->killseen = true;
  raise_goexit(L);
}

void group_join(Group *gr, G *g) {
  atomic_fetch_add(&gr->live, 1);
  if (!gr->internal) atomic_fetch_add(&gr->hub->nlive, 1);
  atomic_fetch_add(&gr->refs, 1);
  g->group = gr;
  if (gr->counted) lua_sethook(g->L, count_hook, LUA_MASKCOUNT, INSTR_STEP);
}

static void less_live(Hub *h) {
  if (atomic_fetch_sub(&h->nlive, 1) == 1) futex_wake(&h->nlive, -1);
}

void hub_expect(Hub *h) { atomic_fetch_add(&h->nlive, 1); }

void hub_expected(Hub *h) { less_live(h); }

void group_leave(Group *gr, const G *g) {
  Hub *h = gr->hub;
  G *self = (G *)g;
  atomic_compare_exchange_strong(&gr->first, &self, NULL);
  if (atomic_fetch_sub(&gr->live, 1) == 1) final_alone(gr);
  if (!gr->internal) less_live(h);
  group_unref(gr);
}

int64_t group_idof(const G *g) {
  if (g == NULL || g->group == NULL) return g != NULL && final_isbereft(g) ? NOBODY : 0;
  return g->group->id;
}

bool group_byid(Runtime *rt, int64_t id, Group **out) {
  Hub *h = rt->hub;
  *out = NULL;
  if (id == 0) return true;
  lock(&h->lk);
  for (Group *gr = h->groups; gr != NULL && *out == NULL; gr = gr->next)
    if (gr->id == id && atomic_load(&gr->kill) == 0 && group_tryref(gr)) *out = gr;
  unlock(&h->lk);
  return *out != NULL;
}

// ---- ending ---------------------------------------------------------------------------------------------------------

void hub_poll_locked(Hub *h) {
  if (h->rt == NULL) return;
  // Who need not end gives way, as the courier may wait for a processor.
  for (M *m = atomic_load(&h->rt->allm); m != NULL; m = m->allnext) m_poll(m, POLL_KILL | POLL_PREEMPT);
}

static void kill_locked(Group *gr, uint32_t level) {
  Hub *h = gr->hub;
  int64_t now = mono_ns();
  gr->deadline = now + AGAIN_NS;
  if (atomic_load(&gr->kill) < level) {
    atomic_store(&gr->kill, level);
    gr->patient_until = now + (level == 1 ? GROUP_GRACE_NS : GROUP_STUCK_NS);
    gr->patient_reaps = atomic_load(&h->reaps) + (level == 1 ? GROUP_GRACE_REAPS : GROUP_STUCK_REAPS);
    if (atomic_load(&gr->live) > 0) final_kill_locked(h, gr, now); // else it had ended by itself
  }
  hub_earlier_locked(h, gr->deadline);
  hub_poll_locked(h);
  if (atomic_load(&gr->live) == 0) return;
  h->reap = true;
  hub_wake_locked(h);
}

void group_kill(Group *gr, int why, uint32_t level) {
  int none = 0;
  lock(&gr->hub->lk);
  if (atomic_load(&gr->kill) < level) {
    atomic_compare_exchange_strong(&gr->why, &none, why);
    kill_locked(gr, level);
  }
  unlock(&gr->hub->lk);
}

uint32_t g_killlevel(Runtime *rt, G *g) {
  Hub *h = rt->hub;
  if (h == NULL) return 0;
  if (g->is_system && !g->is_main && g != h->courier) // finalizers have a clock of their own: all or nothing
    return atomic_load(&h->fin_kill) || atomic_load(&h->killall) || (g->group && atomic_load(&g->group->kill) == 2) ? 2
                                                                                                                    : 0;
  if (g->group != NULL) {
    uint32_t k = atomic_load(&g->group->kill);
    if (k > 0) return k;
  }
  if (g->is_main) return mono_ns() >= atomic_load(&h->close_by) ? 2 : 0; // the last finalizers
  return g->is_system ? 0 : atomic_load(&h->killall);
}

bool g_mustend(M *m, G *g) {
  uint32_t level = g_killlevel(m->rt, g);
  if (level == 0 || (level == 1 && g->killseen)) return false;
  g->killseen = true;
  if (level == 2) m_poll(m, POLL_KILL); // at the next safepoint again
  return true;
}

void g_raisekill(lua_State *L) { raise_goexit(L); }

void g_checkkill(M *m, lua_State *L) {
  if (g_mustend(m, m->g)) raise_goexit(L);
}

// L may be a state that does not run, which a C function works on.
void rt_end_slow(lua_State *L) {
  M *m = m_of(rt_current(L->gl));
  if (m->p == NULL || m->g == NULL || m->ctx.L == NULL) return;
  atomic_fetch_and(&m->ctx.poll, ~POLL_KILL);
  g_checkkill(m, m->ctx.L);
}

// ---- those that wait: world stopped ------------------------------------------------------------------------------

// An asynchronous function's completion (embed_async.c) is guarded by the hub's lock, which the reaper holds.
static bool leave_host(G *g) {
  bool waits = g->w.obj != NULL;
  g->w.obj = NULL;
  return waits;
}

struct Reap {
  Runtime *rt;
  GList firsts, woken; // of each run the one that the host hears of, and the rest, of which there may be very many
};

static void reap_one(G *g, void *arg) {
  struct Reap *r = arg;
  GStatus status = g_status(g);
  if ((status != G_WAITING && status != G_SYSCALL) || g == r->rt->hub->courier) return;
  uint32_t level = g_killlevel(r->rt, g);
  if (level == 0 || (level == 1 && g->killseen)) return;
  if (status == G_SYSCALL) {
    sleeper_wake(g);
    return;
  }
  Waiter *others = NULL;
  if (g->reason == WAIT_HOST ? !leave_host(g) : calloff_gently(g) || !calloff(r->rt, g, &others)) return;
  v_setnil(&g->w.v);
  glist_push(g->group != NULL && atomic_load(&g->group->first) == g ? &r->firsts : &r->woken, g);
  waiters_ready(NULL, others);
}

// On the courier. The world may not stop, if a C function keeps a processor: then hub_tick asks again.
void group_reap(lua_State *L) {
  M *m = m_of(L->ctx);
  Hub *h = m->rt->hub;
  struct Reap r = {.rt = m->rt};
  modlock_reap(m);
  if (!stop_world_within(m, AGAIN_NS)) return;
  atomic_fetch_add(&h->reaps, 1);
  lock(&h->lk);
  g_each(m->rt, reap_one, &r);
  unlock(&h->lk);
  start_world(m);
  for (G *g; (g = glist_pop(&r.firsts)) != NULL;) g_readyfirst(m->rt, g);
  for (G *g; (g = glist_pop(&r.woken)) != NULL;) g_ready(&m->ctx, g);
}

// ---- the clock ------------------------------------------------------------------------------------------------------

static bool patience_over(const Group *gr, int64_t now) {
  if (now < gr->patient_until) return false;
  return (int32_t)(atomic_load(&gr->hub->reaps) - gr->patient_reaps) >= 0 || now - gr->patient_until >= GROUP_DEAF_NS;
}

// One group's next step at `now`. Returns what is to be told to the host, or NULL.
static Group *step_locked(Group *gr, int64_t now) {
  uint32_t level = atomic_load(&gr->kill);
  int none = 0;
  if (now < gr->deadline) return NULL;
  if (level > 0 && atomic_load(&gr->live) == 0) {
    gr->deadline = NS_FOREVER;
    return NULL;
  }
  if (level == 0) atomic_compare_exchange_strong(&gr->why, &none, LUNGO_LIMIT);
  bool over = level > 0 && patience_over(gr, now);
  kill_locked(gr, level == 0 || (level == 1 && !over) ? 1 : 2);
  if (level < 2 || gr->told || !over || !group_tryref(gr)) return NULL;
  gr->told = true;
  atomic_fetch_add(gr->ownerrefs, 1);
  return gr;
}

static int64_t runtime_step_locked(Hub *h, int64_t now) {
  int64_t next = NS_FOREVER, fin = atomic_load(&h->fin_by), close = atomic_load(&h->close_by);
  if (fin <= now) atomic_store(&h->fin_kill, true);
  if (atomic_load(&h->killall) > 0 || fin <= now || close <= now) {
    hub_poll_locked(h);
    h->reap = true;
    hub_wake_locked(h);
    next = now + AGAIN_NS;
  }
  if (fin > now && fin < next) next = fin;
  if (close > now && close < next) next = close;
  return next;
}

int64_t hub_tick(Runtime *rt, int64_t now) {
  Hub *h = __atomic_load_n(&rt->hub, __ATOMIC_ACQUIRE);
  if (h == NULL) return NS_FOREVER;
  int64_t next = atomic_load(&h->deadline);
  if (now < next) return next;
  Group *late;
  do {
    late = NULL;
    lock(&h->lk);
    atomic_store(&h->deadline, NS_FOREVER);
    next = runtime_step_locked(h, now);
    for (Group *gr = h->groups; gr != NULL && late == NULL; gr = gr->next) late = step_locked(gr, now);
    for (Group *gr = h->groups; gr != NULL; gr = gr->next)
      if (gr->deadline < next) next = gr->deadline;
    if (next < atomic_load(&h->deadline)) atomic_store(&h->deadline, next);
    unlock(&h->lk);
    if (late != NULL) {
      late->abandon(late->owner, LUNGO_STUCK);
      group_unref(late);
    }
  } while (late != NULL);
  return next;
}
