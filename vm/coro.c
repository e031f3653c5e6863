// SPDX-License-Identifier: MIT
//
// coro.c: coroutines: resume, yield, status, closing.
//
// What:       a resume made by vm_resume changes ctx->L and returns to the loop, which goes on in the coroutine;
//             coro_leave is the way back. lua_resume (for C code) nests a level instead.
// Invariants: whoever runs a coroutine has won its `running` flag (0 -> 1, acquire) and gives it back (release) in
//             coro_release, after the last touch of it. In between it owns stack and frames, also while the
//             coroutine itself waits for one that it resumed.
//             A coroutine that yielded has as its innermost frame a C function with CI_PARKED, or a Lua function with
//             CI_YIELDED (yield from a hook).
//             A shared coroutine's stack becomes reachable for all when it stops: share_stack comes before the release.
// See also:   call.c, interp.c, share.h.
#include "dbg.h"
#include "interp.h"
#include "lgassert.h"
#include "meta.h"
#include "race.h"
#include "seam.h"
#include "share.h"
#include "str.h"

// ---- owning ----------------------------------------------------------------------------------------

static bool claim_as(lua_State *co, uint8_t what) {
  uint8_t zero = 0;
  if (!atomic_compare_exchange_strong_explicit(&co->running, &zero, what, memory_order_acquire, memory_order_relaxed))
    return false;
  if (unlikely(race_on) && obj_isshared(thread_of(co))) rt_race_acquire(thread_of(co));
  return true;
}

static bool coro_claim(lua_State *co) { return claim_as(co, CORO_RUNS); }

static void coro_unclaim(lua_State *co) {
  if (unlikely(race_on) && obj_isshared(thread_of(co))) rt_race_release(thread_of(co));
  atomic_store_explicit(&co->running, 0, memory_order_release);
}

static void coro_release(lua_State *L, lua_State *co) {
  if (unlikely(obj_isshared(thread_of(co)))) share_stack(L, co);
  co->from = NULL;
  coro_unclaim(co);
}

bool coro_hold(lua_State *L, lua_State *co) {
  if (!claim_as(co, CORO_HELD)) return false;
  co->g = L->g;
  co->ctx = L->ctx;
  return true;
}

void coro_letgo(lua_State *co) { coro_unclaim(co); }

bool coro_waitsfor(const lua_State *co, const lua_State *L) {
  const lua_State *up = L->from;
  while (up != NULL && up != co) up = up->from;
  return up == co;
}

static void set_status(lua_State *co, int status) {
  atomic_store_explicit(&co->status, (uint8_t)status, memory_order_relaxed);
}

static int get_status(const lua_State *co) {
  return atomic_load_explicit(&((lua_State *)co)->status, memory_order_relaxed);
}

// ---- starting and stopping -------------------------------------------------------------------------

// Why claimed co cannot be resumed with nargs arguments that lie on its stack already; NULL if it can.
static const char *resume_obstacle(const lua_State *co, int nargs, int ncalls) {
  switch (get_status(co)) {
  case LUA_YIELD: break;
  case LUA_OK:
    if (co->ci != &co->base_ci) return "cannot resume non-suspended coroutine";
    if (co->top - (co->ci->func + 1) == nargs) return "cannot resume dead coroutine"; // no function
    break;
  default: return "cannot resume dead coroutine";
  }
  return ncalls >= MAX_CCALLS ? "C stack overflow" : NULL;
}

// From here on co runs on this worker; its frame takes the nargs values on top.
static void coro_enter(Ctx *ctx, lua_State *from, lua_State *co, int nargs) {
  CallInfo *ci = co->ci;
  co->from = from;
  co->ctx = ctx;
  if (from != NULL) co->g = from->g;
  if (get_status(co) == LUA_OK) co->npcalls = 0;
  co->nCcalls = from != NULL ? (uint16_t)(from->nCcalls + 1) : 0;
  co->nny = 0;
  if (ci_isLua(ci)) {
    co->top -= nargs; // it yielded inside a hook, which has no use for them
  } else {
    ci->u2.nres = nargs;
  }
  set_status(co, LUA_OK);
  ctx->L = co;
}

// Moves the n values on top of co to `to`, or a message if there is no room.
static int move_values(lua_State *to, lua_State *co, int n) {
  bool room = stack_tryroom(to, n + LUA_MINSTACK); // may collect: they are on the stack of co still
  co->top -= n;
  if (unlikely(!room)) {
    v_setobj(to->top++, TAG_STRING, str_newz(to, "too many results to resume"));
    return LUA_ERRRUN;
  }
  for (int i = 0; i < n; i++) v_copy(&to->top[i], &co->top[i]);
  to->top += n;
  return LUA_OK;
}

// What stays on the stack of a coroutine that died of an error is its frames and the error value, for debug.traceback
// and for lua_resetthread. If that cannot even be shared, nothing of it stays.
static void coro_die(lua_State *co, int status) {
  set_status(co, status);
  if (status == LUA_ERRMEM && obj_isshared(thread_of(co))) {
    co->ci = &co->base_ci;
    co->tbc = NULL;
    v_setobj(co->ci->func + 1, TAG_STRING, co->gl->memerrmsg);
    co->top = co->ci->func + 2;
  }
  if (co->ci->top < co->top) co->ci->top = co->top;
}

void coro_leave(Ctx *ctx, lua_State *co, int status) {
  lua_State *from = co->from;
  if (status == LUA_YIELD || status == LUA_OK) {
    int n = status == LUA_YIELD ? co->ci->u2.nyield : (int)(co->top - (co->ci->func + 1));
    set_status(co, status);
    from->ctx = ctx;
    int moved = move_values(from, co, n);
    if (unlikely(moved != LUA_OK)) status = moved;
  } else {
    coro_die(co, status);
    from->ctx = ctx;
    v_copy(from->top++, co->top - 1);
  }
  coro_release(co, co);
  ctx->L = from;
  if (status == STATUS_GOEXIT) return; // which goes on in `from`: that may be closing co instead of having resumed it
  lg_assert(from->ci->status & CI_RESUME);
  from->ci->u2.nres = status;
}

// ---- commands of C functions -----------------------------------------------------------------------

static int resume_failed(lua_State *L, int nargs, const char *msg, lua_KContext kctx, lua_KFunction k) {
  L->top -= nargs;
  v_setobj(L->top, TAG_STRING, str_newz(L, msg));
  L->top++;
  return k(L, LUA_ERRRUN, kctx);
}

int vm_resume(lua_State *L, lua_State *co, int nargs, lua_KContext kctx, lua_KFunction k) {
  Ctx *ctx = L->ctx;
  if (!coro_claim(co)) return resume_failed(L, nargs, "cannot resume non-suspended coroutine", kctx, k);
  const char *why = resume_obstacle(co, 0, L->nCcalls + 1);
  co->ctx = ctx;
  if (why == NULL && !stack_tryroom(co, nargs + 1)) why = "too many arguments to resume";
  if (why != NULL) {
    coro_unclaim(co);
    return resume_failed(L, nargs, why, kctx, k);
  }
  CallInfo *ci = L->ci;
  ci->u.c.k = k;
  ci->u.c.kctx = kctx;
  ci->status |= CI_RESUME;
  L->top -= nargs;
  for (int i = 0; i < nargs; i++) v_copy(&co->top[i], &L->top[i]);
  co->top += nargs;
  coro_enter(ctx, L, co, nargs);
  return VM_CALL;
}

static void check_yieldable(lua_State *L) {
  if (likely(L->nny == 0)) return;
  dbg_runerror(L, L->from == NULL ? "attempt to yield from outside a coroutine"
                                  : "attempt to yield across a C-call boundary");
}

int vm_yieldk(lua_State *L, int nresults, lua_KContext kctx, lua_KFunction k) {
  CallInfo *ci = L->ci;
  check_yieldable(L);
  ci->u.c.k = k;
  ci->u.c.kctx = kctx;
  ci->u2.nyield = nresults;
  ci->status |= CI_PARKED;
  return VM_YIELD;
}

// Yields at once, as its contract says that it does not return, except in a hook: there the loop yields when the hook
// has returned and the status says so.
LUA_API int lua_yieldk(lua_State *L, int nresults, lua_KContext ctx, lua_KFunction k) {
  CallInfo *ci = L->ci;
  check_yieldable(L);
  set_status(L, LUA_YIELD);
  if (ci_isLua(ci)) {
    L->top -= nresults;
    return 0;
  }
  vm_yieldk(L, nresults, ctx, k);
  call_throw(L, LUA_YIELD);
}

// ---- lua.h -----------------------------------------------------------------------------------------

LUA_API int lua_isyieldable(lua_State *L) { return L->nny == 0; }

LUA_API int lua_status(lua_State *L) { return get_status(L); }

static int resume_error(lua_State *co, const char *msg, int nargs, int *nresults) {
  co->top -= nargs;
  v_setobj(co->top, TAG_STRING, str_newz(co, msg));
  co->top++;
  *nresults = 1;
  return LUA_ERRRUN;
}

// How many values the level left on co's stack. The error value is there twice: the caller takes one, and
// lua_resetthread may want the other.
static int resume_results(lua_State *co, int status) {
  switch (status) {
  case LUA_OK: return (int)(co->top - (co->ci->func + 1));
  case LUA_YIELD: return co->ci->u2.nyield;
  default:
    v_copy(co->top, co->top - 1);
    co->top++;
    coro_die(co, status);
    return 1;
  }
}

// co may be the main state itself, when a host runs its script that way.
LUA_API int lua_resume(lua_State *co, lua_State *from, int nargs, int *nresults) {
  Ctx *ctx = rt_current(co->gl);
  lua_State *outer = ctx->L;
  bool self = outer == NULL || outer == co;
  (void)from; // who runs on this worker resumes it, whatever the caller says
  if (!self && !coro_claim(co)) {
    // Unless it is one of our own chain, another worker's: its stack is not to be touched.
    if (!coro_waitsfor(co, outer)) return *nresults = 0, LUA_ERRRUN;
    return resume_error(co, "cannot resume non-suspended coroutine", nargs, nresults);
  }
  co->ctx = ctx;
  const char *why = resume_obstacle(co, nargs, self ? 0 : outer->nCcalls + 1);
  if (why != NULL) {
    if (!self) coro_unclaim(co);
    return resume_error(co, why, nargs, nresults);
  }
  Level lv;
  level_init(&lv, LEVEL_RESUME, co, outer, &co->base_ci);
  bool outermost = ctx->nlevels == 0;
  coro_enter(ctx, self ? NULL : outer, co, nargs);
  lv.nCcalls = co->nCcalls;
  ctx->nlevels += outermost;
  int status = level_run(ctx, &lv);
  ctx->nlevels -= outermost;
  ctx->L = self ? co : outer;
  if (status != STATUS_GOEXIT) set_status(co, status);
  *nresults = resume_results(co, status);
  if (!self) coro_release(outer, co);
  if (status == STATUS_GOEXIT && !self) {
    v_setnil(outer->top++);
    call_throw(outer, status);
  }
  return status;
}

// Closes what a suspended or dead coroutine has left open and makes it an empty, dead one. The error it died of, or one
// raised now, is its result. co is claimed; outer is what runs on this worker (co itself when a host does that).
static int close_claimed(Ctx *ctx, lua_State *outer, lua_State *co) {
  bool self = outer == co;
  int status = get_status(co);
  if (status == LUA_YIELD) status = LUA_OK;
  co->ctx = ctx;
  co->ci = &co->base_ci;
  co->ci->status = CI_C | CI_BASE;
  set_status(co, LUA_OK);
  if (!self) {
    co->from = outer;
    co->g = outer->g;
    co->nCcalls = outer->nCcalls;
  }
  ctx->L = co;
  status = tbc_close_protected(co, stack_save(co, co->stack + 1), status);
  ctx->L = outer;
  if (status != LUA_OK) {
    call_seterrorobj(co, status, co->stack + 1);
  } else {
    co->top = co->stack + 1;
  }
  co->ci->top = co->stack + 1 + LUA_MINSTACK;
  stack_unoverflow(co);
  return status;
}

// Another goroutine's running coroutine is refused, with nothing pushed.
LUA_API int lua_resetthread(lua_State *co) {
  Ctx *ctx = rt_current(co->gl);
  lua_State *outer = ctx->L;
  if (outer == NULL || outer == co) return close_claimed(ctx, co, co);
  if (!coro_claim(co)) return LUA_ERRRUN;
  int status = close_claimed(ctx, outer, co);
  coro_release(outer, co);
  return status;
}

int coro_close(lua_State *L, lua_State *co) {
  if (!coro_claim(co)) return CORO_BUSY;
  int status = close_claimed(L->ctx, L, co);
  if (status != LUA_OK) lua_xmove(co, L, 1);
  coro_release(L, co);
  return status;
}
