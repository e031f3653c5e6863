// SPDX-License-Identifier: MIT
//
// seam_stub.c: a runtime with one worker and one goroutine: proves that vm/ needs no more than seam.h, and lets it be
// tested alone.
//
// What:       one Ctx and one allocation cache for each universe; the world is always stopped for its only worker.
//             Nothing can park, so channel instructions are errors, as is `go`.
// See also:   vm/seam.h, vm_alone.c.
#include "seam.h"
#include "call.h"
#include "gc.h"
#include "heap.h"
#include "meta.h"
#include "race.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct Runtime {
  Ctx ctx;
  struct Runtime *prev; // of an older universe on this thread
};

static _Thread_local struct Runtime *current;

int rt_new(lua_State *L) {
  struct Runtime *rt = calloc(1, sizeof *rt);
  if (rt == NULL) return -ENOMEM;
  rt->ctx.cache = cache_new(L->gl->heap);
  if (rt->ctx.cache == NULL) {
    free(rt);
    return -ENOMEM;
  }
  rt->ctx.gl = L->gl;
  rt->ctx.L = L;
  rt->ctx.rng = 88172645463325252u;
  rt->prev = current;
  L->gl->rt = rt;
  L->ctx = &rt->ctx;
  current = rt;
  return 0;
}

void rt_close_claim(Global *gl) { (void)gl; }

bool rt_close_inside(Global *gl) {
  (void)gl;
  return false;
}

bool rt_threadsaway(Global *gl) {
  (void)gl;
  return false;
}

void rt_close_alone(lua_State *L) { (void)L; }

bool rt_free(lua_State *L) {
  struct Runtime *rt = L->gl->rt, **link = &current;
  while (*link != NULL && *link != rt) link = &(*link)->prev;
  if (*link == rt) *link = rt->prev;
  cache_free(L->gl->heap, rt->ctx.cache);
  free(rt);
  return true;
}

Ctx *rt_current(Global *gl) {
  (void)gl;
  return current != NULL ? &current->ctx : NULL;
}

_Thread_local struct M *m_current;

Ctx *rt_enter_slow(Ctx *ctx) {
  (void)ctx;
  return NULL;
}

void rt_leave_slow(Ctx *around) { (void)around; }

void rt_end_slow(lua_State *L) { (void)L; }

int rt_safepoint(lua_State *L, bool can_park) {
  (void)can_park;
  uint32_t bits = atomic_exchange_explicit(&L->ctx->poll, 0, memory_order_acquire);
  if (bits & POLL_GC) gc_step(L);
  return RT_DONE;
}

// ---- the world -------------------------------------------------------------------------------------

bool rt_stw_begin(lua_State *L) {
  (void)L;
  return true;
}

void rt_stw_end(lua_State *L) { (void)L; }

void rt_stw_parallel(lua_State *L, void (*fn)(void *arg, int worker), void *arg) {
  (void)L;
  fn(arg, 0);
}

int rt_stw_workers(lua_State *L) {
  (void)L;
  return 1;
}

void rt_aftermark(Global *gl) { (void)gl; } // no timers here
void rt_markroots(Global *gl, struct Marker *m) {
  gc_mark_obj(m, &thread_of(gl->mainL)->hdr);
  for (lua_State *L = gl->rt->ctx.L; L != NULL; L = L->from) gc_mark_obj(m, &thread_of(L)->hdr);
}

void rt_finalizers_ready(Global *gl) { (void)gl; }

bool rt_estate(lua_State *L, Estate **out) {
  (void)L;
  *out = NULL;
  return true;
}

void rt_estate_drop(Estate *e) { (void)e; }

bool rt_estate_isover(const Estate *e) {
  (void)e;
  return false;
}

bool rt_estate_may(const lua_State *L, const Estate *e) {
  (void)L;
  (void)e;
  return true;
}

bool rt_finalizer_begin(lua_State *L, Estate *e) {
  (void)L;
  (void)e;
  return true;
}

void rt_finalizer_end(lua_State *L) { (void)L; }

void rt_gcphases(Global *gl, const uint64_t times[5]) {
  (void)gl;
  (void)times;
}

// One goroutine never waits for itself.
void *rt_modlock_new(void) { return calloc(1, 1); }
void rt_modlock_free(void *lock) { free(lock); }
bool rt_modlock_try(void *lock) {
  (void)lock;
  return true;
}
bool rt_modlock_begin(lua_State *L, void *lock) {
  (void)L;
  (void)lock;
  return true;
}
bool rt_modlock_again(lua_State *L, void *lock) { return rt_modlock_begin(L, lock); }
int rt_modlock_park(lua_State *L, void *lock, lua_KContext kctx, lua_KFunction k) {
  (void)lock;
  return k(L, LUA_YIELD, kctx);
}
void rt_modlock_wait(lua_State *L, void *lock) {
  (void)L;
  (void)lock;
}
void rt_modlock_close(lua_State *L, void *lock) { rt_modlock_wait(L, lock); }
void rt_modlock_unlock(Ctx *ctx, void *lock) {
  (void)ctx;
  (void)lock;
}

void rt_block_enter(Ctx *ctx) { (void)ctx; }
void rt_block_leave(Ctx *ctx) { (void)ctx; }

// ---- what takes a runtime --------------------------------------------------------------------------

static _Noreturn void no_runtime(lua_State *L) { dbg_runerror(L, "no goroutines without the runtime"); }

void rt_go(lua_State *L, int nargs) {
  (void)nargs;
  no_runtime(L);
}

int rt_send(lua_State *L, const Value *ch, const Value *v) {
  (void)ch;
  (void)v;
  no_runtime(L);
}

int rt_recv(lua_State *L, const Value *ch, Value res[2]) {
  (void)ch;
  (void)res;
  no_runtime(L);
}

int rt_select(lua_State *L, const Value *base, const uint8_t *dirs, int n, bool has_default, int *chosen,
              Value res[2]) {
  (void)base;
  (void)dirs;
  (void)n;
  (void)has_default;
  (void)chosen;
  (void)res;
  no_runtime(L);
}

void rt_finish(lua_State *L, int *chosen, Value res[2]) {
  (void)chosen;
  (void)res;
  no_runtime(L);
}

void rt_uncaught(lua_State *L) { (void)L; }

void rt_panic(lua_State *L, int status) {
  (void)L;
  fprintf(stderr, "panic: status %d\n", status);
  abort();
}

void rt_race_access(lua_State *L, const RaceVar *var, RaceOp op, const Value *key) {
  (void)L;
  (void)var;
  (void)op;
  (void)key;
}

void rt_race_release(const void *obj) { (void)obj; }
void rt_race_acquire(const void *obj) { (void)obj; }
void rt_race_forget(const void *obj) { (void)obj; }
void rt_race_sweep(Global *gl) { (void)gl; }
