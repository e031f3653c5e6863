// SPDX-License-Identifier: MIT
//
// roots.c: what the collector asks the runtime: roots, timers that nobody refers to any more.
//
// Invariants: the world is stopped, so each live G's `cur` says where it is: set when it parked, blocked or stopped.
//             A value handed to a goroutine that has not run since is only in its waiter; waiters are nil otherwise.
//             In a leak pass (leaks.c) goroutines that wait for an object are no roots, and all armed timers are.
//             Dead Gs that a P keeps hold on to their states; those in the shared list lose them here, so that memory
//             of a burst of goroutines comes back.
// See also:   seam.h, gc_mark.c, leaks.c.
#include "sched_int.h"
#include "gc.h"
#include "happens.h"
#include "seam.h"

void g_mark(G *g, struct Marker *mk) {
  gc_mark_obj(mk, &thread_of(g->L)->hdr);
  for (lua_State *L = g->cur; L != NULL; L = L->from) gc_mark_obj(mk, &thread_of(L)->hdr);
  gc_mark_value(mk, &g->w.v);
  for (uint32_t i = 0; i < g->nsel; i++) gc_mark_value(mk, &g->sel[i].v);
  if (g->created_srcobj != NULL) gc_mark_obj(mk, &g->created_srcobj->hdr);
  if (g->onend_arg != NULL) gc_mark_obj(mk, g->onend_arg);
}

static void mark_root(G *g, void *mk) {
  if (!gc_isleakpass(mk) || !leaks_ishidden(g)) g_mark(g, mk);
}

static void mark_kept(P *p, Marker *mk) {
  for (G *g = p->gfree.head; g != NULL; g = g->schednext)
    if (g->L != NULL) gc_mark_obj(mk, &thread_of(g->L)->hdr);
}

void rt_markroots(Global *gl, struct Marker *m) {
  Runtime *rt = gl->rt;
  g_each(rt, mark_root, m);
  for (int i = 0; i < atomic_load(&rt->nallp); i++) mark_kept(rt->allp[i], m);
  for (G *g = rt->gfree.head; g != NULL; g = g->schednext) g->L = g->cur = NULL;
  timers_markroots(rt, m);
  if (unlikely(race_on)) race_markroots(m);
}

void rt_aftermark(Global *gl) { timers_aftermark(gl->rt); }
