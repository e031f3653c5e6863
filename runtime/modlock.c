// SPDX-License-Identifier: MIT
//
// modlock.c: the lock under which the code of a C module runs.
//
// What:       the runtime's mutex (sync.h). A goroutine that is about to enter a function of a module parks like in any
//             other wait; one that comes back to C frames of a module keeps its thread, which waits without a P.
// Invariants: who holds one runs, or can run: it waits for nothing but a P (vm/cmodule.h). So these waits need no part
//             in finding deadlocks.
//             Who waits to enter may be taken out of the queue (WAIT_MODULE: interrupt.c, group.c), and gives the lock
//             back if it got it first. Who waits to come back may not (WAIT_MODULE_BACK): nothing is raised between a
//             module's frames.
// See also:   vm/cmodule.h, sync.c, park.c.
#include "sched_int.h"
#include "cmodule.h"
#include "group.h"
#include "seam.h"
#include "sync.h"
#include <stdlib.h>

void *rt_modlock_new(void) { return calloc(1, sizeof(Mutex)); }

void rt_modlock_free(void *lock) { free(lock); }

bool rt_modlock_try(void *lock) { return mutex_trylock(lock); }

bool rt_modlock_begin(lua_State *L, void *lock) { return mutex_begin(L, lock); }

bool rt_modlock_again(lua_State *L, void *lock) { return mutex_again(L, lock); }

int rt_modlock_park(lua_State *L, void *lock, lua_KContext kctx, lua_KFunction k) {
  return g_parkc(L, WAIT_MODULE, &((Mutex *)lock)->lk, kctx, k);
}

void rt_modlock_wait(lua_State *L, void *lock) {
  Mutex *m = lock;
  if (mutex_begin(L, m)) return;
  do g_park_thread(L, WAIT_MODULE_BACK, &m->lk);
  while (!mutex_again(L, m));
}

// The host's thread, which may have left the world stopped with the holder at a safepoint: the wait sets it going.
void rt_modlock_close(lua_State *L, void *lock) {
  M *m = m_of(L->ctx);
  bool frozen = m->rt->frozen;
  if (rt_modlock_try(lock)) return;
  end_patience(m->rt, true);
  rt_modlock_wait(L, lock);
  if (frozen && !m->rt->frozen) rt_freeze(m);
  end_patience(m->rt, false);
}

// ---- goroutines to be ended that wait to enter ----------------------------------------------------------------------
// The others are taken out of their queues with the world stopped (group.c). But it is a goroutine inside a module that
// may keep the world from stopping, for as long as it computes; so who waits for just that does without. Here we come
// from the lock to those who wait, not the other way round, and its queue is ours while we hold it.

struct Leaving {
  Runtime *rt;
  GList woken;
};

static void leave_one(Waiter *w, struct Leaving *l) {
  G *g = w->g;
  uint32_t level = g->reason == WAIT_MODULE ? g_killlevel(l->rt, g) : 0;
  if (level == 0 || (level == 1 && g->killseen)) return;
  mutex_calloff(w);
  g->reason = WAIT_NONE;
  glist_push(&l->woken, g);
}

static void leave_lock(void *modlock, void *arg) {
  Mutex *m = modlock;
  lock(&m->lk);
  for (Waiter *w = m->q.head, *next; w != NULL; w = next) {
    next = w->next;
    leave_one(w, arg);
  }
  unlock(&m->lk);
}

void modlock_reap(M *m) {
  struct Leaving l = {.rt = m->rt};
  cmodule_eachlock(m->rt->gl, leave_lock, &l);
  for (G *g; (g = glist_pop(&l.woken)) != NULL;) g_ready(&m->ctx, g);
}

void rt_modlock_unlock(Ctx *ctx, void *lock) { mutex_unlock(ctx, lock); }
