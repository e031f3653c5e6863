// SPDX-License-Identifier: MIT
//
// block.c: blocking regions: a goroutine waits in the system while its processor may go to another worker.
//
// What:       enter leaves the P behind in P_SYSCALL. Nothing else happens if the system answers soon: leave swaps it
//             back to P_RUNNING. Meanwhile sysmon (after 20 µs, if there is other work) or a stop of the world may swap
//             it away; then leave finds an idle P, or queues its goroutine and sleeps until a worker hands its P over,
//             as C frames of the goroutine are on this thread's stack.
// Invariants: whoever swaps P_SYSCALL to something else owns the P. A thread that comes back may thus also take a P
//             that meanwhile served another thread and is in *its* blocking region: the two threads are then both
//             without the P they began with, or one is; rt->nblocked counts how many threads are without, not which.
//             enter stores the status and then looks at rt->stopping; stop_world writes rt->stopping and then looks at
//             the status (all sequentially consistent): so a P that blocks is always counted as stopped by one of them.
// See also:   seam.h, sysmon.c (retake), stw.c.
#include "sched_int.h"
#include "seam.h"
#include <errno.h>

void rt_block_enter(Ctx *ctx) {
  M *m = m_of(ctx);
  P *p = m->p;
  G *g = m->g;
  if (unlikely(m->rt->frozen)) {
    if (m->rt->gl->closing) { // the last finalizers: the world stays stopped, and the P here
      m->oldp = NULL;
      return;
    }
    rt_unfreeze(m);
    p = m->p;
  }
  g->cur = ctx->L;
  g_setstatus(g, G_RUNNING, G_SYSCALL);
  m->oldp = p;
  p->rng = m->ctx.rng;
  m->p = NULL;
  ctx->cache = NULL;
  stat_add(m->syscalls, 1);
  stat_add(p->syscalltick, 1);
  if (!atomic_load_explicit(&m->rt->started, memory_order_relaxed)) { // nobody else is there to take it
    p_setstatus(p, P_SYSCALL);
    return;
  }
  atomic_store_explicit(&p->status, P_SYSCALL, memory_order_seq_cst);
  if (unlikely(atomic_load_explicit(&m->rt->stopping, memory_order_seq_cst))) stw_blockenter(m->rt, p);
}

bool rt_threadsaway(Global *gl) {
  Runtime *rt = gl->rt;
  sched_lock(rt);
  bool away = rt->nblocked > 0;
  for (int i = 0; i < atomic_load(&rt->nallp); i++) away |= p_status(rt->allp[i]) == P_SYSCALL;
  sched_unlock(rt);
  return away;
}

void rt_block_leave(Ctx *ctx) {
  int saved = errno;
  M *m = m_of(ctx);
  P *p = m->oldp;
  if (unlikely(p == NULL)) return;
  if (likely(p_swapstatus(p, P_SYSCALL, P_RUNNING))) {
    atomic_store_explicit(&p->m, m, memory_order_release); // it may have been another's: see above
    m_setp(m, p);
    ctx->rng = p->rng;
    g_setstatus(m->g, G_SYSCALL, G_RUNNING);
    if (m_isover(m)) m_stayaway(m);
  } else {
    m_reacquire(m, m->g);
  }
  stat_add(m->syscalls, 1);
  m->oldp = NULL;
  errno = saved;
}

void block_giveup(M *m, P *p) {
  Runtime *rt = m->rt;
  sched_lock(rt);
  bool taken = !rt_stopping(rt) && p_swapstatus(p, P_SYSCALL, P_IDLE);
  if (taken) {
    atomic_store(&p->m, NULL);
    rt->nblocked++;
  }
  sched_unlock(rt);
  if (taken) p_handoff(rt, p);
}
