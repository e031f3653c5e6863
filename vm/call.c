// SPDX-License-Identifier: MIT
//
// call.c: stacks, frames, errors, protected calls, and the levels of the interpreter on the C stack.
//
// What:       a *level* is one interp_run on the C stack with a jump buffer armed. Within a level nothing recurses:
//             calls, pcalls, coroutine switches are frames (CallInfo) that say how to go on, so after an error or a
//             yield it is enough to put the frames in order and to enter the loop again: land() does that.
//
//             Frames of C functions, by what the loop does when it gets to them again:
//               CI_CALLK    the call that vm_callk or vm_pcallk started is over: k continues
//               CI_PCALL    (with CI_CALLK) an error inside stops here
//               CI_RESUME   the coroutine it resumed has yielded or ended: u2.nres is the status, k continues
//               CI_PARKED   parked its goroutine, or yielded: k continues, or u2.nres values on top are its results
//               CI_CLOSING  an error has arrived: close what is pending above, a call at a time; then k gets the status
//               CI_BASE     (alone) start the function on top with u2.nres arguments
//             While a frame has CI_CLOSING, the two topmost values of the stack are the status (an integer) and the
//             error.
// Invariants: ctx->errjmp is always the innermost armed level or call_try. An error is dealt with by the innermost
//             level that has a handler for it above its own boundary; outer ones get it re-thrown with all frames still
//             in place. Whatever longjmp skips is repaired from what the level noted when it began: nlevels, nny,
//             nCcalls. A level that a yield has left behind (lua_callk with continuation) leaves no trace: its CI_FRESH
//             frames become CI_FROMC, so that the loop of the resumer goes on with them.
// Callers:    the worker that runs L.
// See also:   interp.c (the loop), coro.c, tbc.c, call.h.
#include "call.h"
#include "cmodule.h"
#include "dbg.h"
#include "gc.h"
#include "heap.h"
#include "interp.h"
#include "lgassert.h"
#include "meta.h"
#include "race.h"
#include "seam.h"
#include "str.h"

// ---- the stack -------------------------------------------------------------------------------------

#define STACK_ERROR (LUAI_MAXSTACK + 200) // size while an overflow is being handled

static int stack_size(const lua_State *L) { return (int)(L->stack_last - L->stack); }

static void stack_rebase(lua_State *L, Value *ns, int newsize) {
  ptrdiff_t delta = (char *)ns - (char *)L->stack;
  for (CallInfo *ci = L->ci; ci != NULL; ci = ci->prev) {
    ci->func = (Value *)((char *)ci->func + delta);
    ci->top = (Value *)((char *)ci->top + delta);
  }
  L->top = (Value *)((char *)L->top + delta);
  L->stack = ns;
  L->stack_last = ns + newsize;
}

static bool stack_resize(lua_State *L, Ctx *ctx, int newsize) {
  Value *old = L->stack, *ns = heap_trymem(ctx, ((size_t)newsize + EXTRA_STACK) * sizeof(Value));
  if (ns == NULL) return false;
  int oldsize = stack_size(L), keep = oldsize < newsize ? oldsize : newsize;
  memcpy(ns, old, ((size_t)keep + EXTRA_STACK) * sizeof(Value));
  for (int i = keep + EXTRA_STACK; i < newsize + EXTRA_STACK; i++) v_setnil(&ns[i]);
  stack_rebase(L, ns, newsize);
  return true;
}

// The size to grow to for n more values; 0: none is left.
static int stack_newsize(const lua_State *L, int n) {
  int size = stack_size(L), needed = (int)(L->top - L->stack) + n + 1;
  if (size > LUAI_MAXSTACK || n > LUAI_MAXSTACK || needed > LUAI_MAXSTACK) return 0;
  int want = size > LUAI_MAXSTACK / 2 ? LUAI_MAXSTACK : 2 * size;
  return want < needed ? needed : want;
}

static bool try_size(lua_State *L, void *newsize) { return stack_resize(L, L->ctx, *(int *)newsize); }

static void stack_setsize(lua_State *L, int newsize) {
  if (!try_size(L, &newsize) && !gc_rescue(L, try_size, &newsize)) call_memerror(L);
}

// The room beyond the limit is for the message handler and __close methods; who exhausts that too gets LUA_ERRERR.
static COLD void stack_overflow(lua_State *L) {
  if (stack_size(L) > LUAI_MAXSTACK) {
    v_setobj(L->top++, TAG_STRING, L->gl->errerrmsg);
    call_throw(L, LUA_ERRERR);
  }
  stack_setsize(L, STACK_ERROR);
  dbg_runerror(L, "stack overflow");
}

NOINLINE void stack_grow(lua_State *L, int n) {
  int newsize = stack_newsize(L, n);
  if (newsize == 0) stack_overflow(L);
  stack_setsize(L, newsize);
}

bool stack_trygrow(lua_State *L, int n) {
  if (likely(L->stack_last - L->top > n)) return true;
  int newsize = stack_newsize(L, n);
  return newsize != 0 && stack_resize(L, L->ctx, newsize);
}

static bool try_room(lua_State *L, void *n) { return stack_trygrow(L, *(int *)n); }

bool stack_tryroom(lua_State *L, int n) {
  return likely(stack_trygrow(L, n)) || (stack_newsize(L, n) != 0 && gc_rescue(L, try_room, &n));
}

static int stack_inuse(const lua_State *L) {
  const Value *lim = L->top;
  for (const CallInfo *ci = L->ci; ci != NULL; ci = ci->prev) {
    if (ci->top > lim) lim = ci->top;
  }
  return (int)(lim - L->stack) + 1;
}

void stack_shrink(lua_State *L) {
  int inuse = stack_inuse(L), size = stack_size(L), half = size / 2;
  if (size > LUAI_MAXSTACK || half < STACK_MIN || inuse + EXTRA_STACK > half / 2) return;
  stack_resize(L, rt_current(L->gl), half);
}

void stack_unoverflow(lua_State *L) {
  if (likely(stack_size(L) <= LUAI_MAXSTACK)) return;
  int inuse = stack_inuse(L), want = 2 * inuse + LUA_MINSTACK;
  // Also when the error was caught near the limit: nobody would come by later, and the next overflow would pass for
  // one inside a message handler.
  if (inuse <= LUAI_MAXSTACK) stack_resize(L, L->ctx, want < LUAI_MAXSTACK ? want : LUAI_MAXSTACK);
}

static bool try_frame(lua_State *L, void *arg) {
  return (*(CallInfo **)arg = heap_trymem(L->ctx, sizeof(CallInfo))) != NULL;
}

NOINLINE CallInfo *ci_extend(lua_State *L) {
  CallInfo *ci = L->ci->next;
  if (ci != NULL) return ci;
  if (unlikely(!try_frame(L, &ci) && !gc_rescue(L, try_frame, &ci))) call_memerror(L);
  ci->next = NULL;
  ci->prev = L->ci;
  ci->status = 0;
  return L->ci->next = ci;
}

// ---- errors ----------------------------------------------------------------------------------------

static ALWAYS_INLINE bool is_running(lua_State *L, const Ctx *ctx) { // ctx: L->ctx
  return ctx != NULL && atomic_load_explicit(&L->running, memory_order_relaxed) && ctx->L == L;
}

static ALWAYS_INLINE Ctx *ctx_of(lua_State *L) { return likely(is_running(L, L->ctx)) ? L->ctx : rt_current(L->gl); }

NOINLINE Ctx *call_ctx(lua_State *L) { return ctx_of(L); }

static _Noreturn void no_handler(lua_State *L) {
  lua_CFunction panic = __atomic_load_n(&L->gl->panic, __ATOMIC_ACQUIRE);
  if (panic != NULL) panic(L);
  abort();
}

// An error in a state that does not run (C code pushed something onto it) is one of the state that does.
COLD void call_throw(lua_State *L, int status) {
  Ctx *ctx = call_ctx(L);
  lua_State *R = ctx->L;
  if (R != L && R != NULL) {
    v_copy(R->top++, L->top - 1);
    L->top--;
  }
  if (ctx->errjmp == NULL) no_handler(R != NULL ? R : L);
  ctx->errjmp->status = status;
  longjmp(ctx->errjmp->buf, 1);
}

COLD void call_memerror(lua_State *L) {
  heap_press(call_ctx(L));
  v_setobj(L->top++, TAG_STRING, L->gl->memerrmsg);
  call_throw(L, LUA_ERRMEM);
}

void call_seterrorobj(lua_State *L, int status, Value *at) {
  switch (status) {
  case LUA_ERRMEM: v_setobj(at, TAG_STRING, L->gl->memerrmsg); break;
  case LUA_ERRERR: v_setobj(at, TAG_STRING, L->gl->errerrmsg); break;
  case STATUS_GOEXIT: v_setnil(at); break;
  default: v_copy(at, L->top - 1); break;
  }
  L->top = at + 1;
}

// Twenty more levels than the limit are there for handling the error.
COLD void call_cstack_slow(lua_State *L) {
  if (L->nCcalls == MAX_CCALLS) dbg_runerror(L, "C stack overflow");
  if (L->nCcalls < MAX_CCALLS / 10 * 11) return;
  v_setobj(L->top++, TAG_STRING, L->gl->errerrmsg);
  call_throw(L, LUA_ERRERR);
}

LUA_API int lua_error(lua_State *L) {
  const Value *v = L->top - 1;
  if (v_isstring(v) && str_eq(v_str(v), L->gl->memerrmsg)) call_memerror(L); // as lauxlib's buffers raise it
  dbg_errormsg(L);
}

// ---- frames ----------------------------------------------------------------------------------------

static ALWAYS_INLINE CallInfo *ci_next(lua_State *L) {
  CallInfo *ci = L->ci->next;
  return likely(ci != NULL) ? ci : ci_extend(L);
}

// func is no function: put its __call before it, as the function of which it is the first argument.
static COLD Value *insert_callmeta(lua_State *L, Value *func) {
  Value tm;
  ptrdiff_t off = stack_save(L, func);
  stack_ensure(L, 1);
  func = stack_restore(L, off);
  if (!meta_get(L, func, TM_CALL, &tm)) dbg_callerror(L, func);
  for (Value *p = L->top; p > func; p--) v_copy(p, p - 1);
  L->top++;
  v_copy(func, &tm);
  return func;
}

NOINLINE Value *call_callable(lua_State *L, Value *func) {
  for (int n = 0; !v_isfunction(func); n++) {
    if (n > META_CALLCHAIN) dbg_runerror(L, "stack overflow");
    func = insert_callmeta(L, func);
  }
  return func;
}

static ALWAYS_INLINE CallInfo *push_lua(lua_State *L, Value *func, int nresults, unsigned flags) {
  const Proto *p = v_lcl(func)->p;
  int nargs = (int)(L->top - func) - 1;
  if (unlikely(L->stack_last - func <= p->maxstack + 1)) {
    ptrdiff_t off = stack_save(L, func);
    stack_grow(L, p->maxstack + 1);
    func = stack_restore(L, off);
  }
  CallInfo *ci = ci_next(L);
  for (; nargs < p->nparams; nargs++) v_setnil(&func[1 + nargs]);
  ci->func = func;
  ci->top = func + 1 + p->maxstack;
  ci->u.l.pc = p->code;
  ci->u.l.nextra = nargs;
  ci->nresults = (int16_t)nresults;
  ci->status = (uint16_t)flags;
  return L->ci = ci;
}

static ALWAYS_INLINE CallInfo *push_c(lua_State *L, Value *func, int nresults, unsigned flags) {
  ptrdiff_t off = stack_save(L, func);
  stack_ensure(L, LUA_MINSTACK);
  CallInfo *ci = ci_next(L);
  ci->func = stack_restore(L, off);
  ci->top = L->top + LUA_MINSTACK;
  ci->nresults = (int16_t)nresults;
  ci->status = (uint16_t)(CI_C | flags);
  return L->ci = ci;
}

CallInfo *call_push(lua_State *L, Value *func, int nresults, unsigned flags) {
  if (unlikely(!v_isfunction(func))) func = call_callable(L, func);
  return func->tag == TAG_LCL ? push_lua(L, func, nresults, flags) : push_c(L, func, nresults, flags);
}

// ---- levels ----------------------------------------------------------------------------------------

// The frame that stops an error of this status in L above `bound`, or NULL.
static CallInfo *find_handler(lua_State *L, const CallInfo *bound, int status) {
  if (status == STATUS_GOEXIT) return NULL;
  for (CallInfo *ci = L->ci; ci != bound; ci = ci->prev) {
    if (ci->status & CI_PCALL) return ci;
  }
  return NULL;
}

// L goes on at frame ci, which has caught the error on top of the stack, with closing what is pending above it.
static void unwind_to(lua_State *L, CallInfo *ci, int status) {
  Value err = {.tag = TAG_NIL};
  if (status != STATUS_GOEXIT) v_copy(&err, L->top - 1);
  L->ci = ci;
  ci->status |= CI_CLOSING;
  if (!(ci->status & CI_BASE)) L->allowhook = ci->u.c.errfunc & 1;
  Value *low = ci->status & CI_BASE ? ci->func + 1 : stack_restore(L, ci->u2.funcidx);
  Value *at = tbc_pending(L, low) ? tbc_safepos(L) : low;
  v_setint(&at[0], status);
  v_copy(&at[1], &err);
  L->top = at + 2;
}

static _Noreturn void rethrow(Level *lv, Ctx *ctx, int status) {
  ctx->errjmp = lv->jmp.prev;
  ctx->nlevels = lv->nlevels - 1;
  lua_State *L = ctx->L;
  if (lv->outer != lv->home && lv->outer != NULL) { // home was not resumed, only borrowed
    ctx->L = lv->outer;
    if (L->from == lv->outer) L->from = NULL;
    v_copy(lv->outer->top++, L->top - 1);
    L = lv->outer;
  }
  call_throw(L, status);
}

// Frames of levels that a yield leaves behind on the C stack.
static void adopt_frames(lua_State *co) {
  for (CallInfo *ci = co->ci; ci != &co->base_ci; ci = ci->prev) {
    if (!(ci->status & CI_FRESH)) continue;
    ci->status = (uint16_t)((ci->status & ~CI_FRESH) | CI_FROMC);
    ci->prev->status |= CI_YIELDED;
  }
}

// An error or yield has arrived at level lv by longjmp. True: the loop goes on from the frames; false: the level ends
// with *result.
static NOINLINE bool land(Level *lv, Ctx *ctx, int *result) {
  int status = lv->jmp.status;
  lua_State *L = ctx->L;
  ctx->nlevels = lv->nlevels;
  ctx->errjmp = &lv->jmp;
  cmodule_letgo(ctx); // held if the error was raised by code of a module
  bool home = level_ishome(lv, L);
  if (status == LUA_YIELD) {
    if (home && lv->kind == LEVEL_CALL) rethrow(lv, ctx, status);
    adopt_frames(L);
    *result = LUA_YIELD;
    if (!home) coro_leave(ctx, L, LUA_YIELD);
    return !home;
  }
  L->nny = home ? lv->nny : 0;
  L->nCcalls = home ? lv->nCcalls : (uint16_t)(L->from->nCcalls + 1);
  CallInfo *h = find_handler(L, home && lv->kind == LEVEL_CALL ? lv->bound : &L->base_ci, status);
  if (h == NULL && home && lv->kind == LEVEL_CALL) rethrow(lv, ctx, status);
  if (h == NULL && home && lv->kind == LEVEL_GO && status != STATUS_GOEXIT) rt_uncaught(L);
  if (h == NULL && (status == STATUS_GOEXIT || (home && lv->kind == LEVEL_GO))) h = &L->base_ci;
  if (h != NULL) {
    unwind_to(L, h, status);
    return true;
  }
  *result = status; // a coroutine dies; its frames stay for a traceback
  if (!home) coro_leave(ctx, L, status);
  return !home;
}

static ALWAYS_INLINE int run_loop(Ctx *ctx, Level *lv) {
  return unlikely(race_on) ? interp_run_race(ctx, lv) : interp_run(ctx, lv);
}

static int run_armed(Ctx *ctx, Level *lv) {
  int result;
  lv->jmp.prev = ctx->errjmp;
  ctx->errjmp = &lv->jmp;
  lv->armed = true;
  if (_setjmp(lv->jmp.buf) == 0 || land(lv, ctx, &result)) result = run_loop(ctx, lv);
  ctx->errjmp = lv->jmp.prev;
  return result;
}

// Code of a module starts the level (or, in call_unlocked, makes the call): others may be in the module until that is
// over. An error that goes on through here leaves the lock alone: its catcher knows what he held.
static NOINLINE int level_run_unlocked(Ctx *ctx, Level *lv) {
  Module *held = cmodule_letgo(ctx);
  int result = level_run(ctx, lv);
  cmodule_retake(ctx, held);
  return result;
}

int level_run(Ctx *ctx, Level *lv) {
  if (unlikely(ctx->module != NULL)) return level_run_unlocked(ctx, lv);
  lv->nlevels = ctx->nlevels += 1;
  int result = run_armed(ctx, lv);
  ctx->nlevels = lv->nlevels - 1;
  return result;
}

int vm_run_goroutine(Ctx *ctx, lua_State *L, int nargs) {
  Level lv;
  level_init(&lv, LEVEL_GO, NULL, NULL, NULL);
  lv.nny = 1;
  if (nargs >= 0) {
    L->from = NULL;
    L->nny = 1;
    L->nCcalls = 0;
    L->npcalls = 0;
    L->base_ci.u2.nres = nargs;
    atomic_store_explicit(&L->running, CORO_RUNS, memory_order_relaxed);
    ctx->L = L;
  }
  ctx->L->ctx = ctx;
  return level_run(ctx, &lv);
}

int vm_end_goroutine(Ctx *ctx) {
  Level lv;
  lua_State *L = ctx->L;
  int result;
  level_init(&lv, LEVEL_GO, NULL, NULL, NULL);
  lv.nny = 1;
  L->ctx = ctx;
  lv.jmp.prev = ctx->errjmp;
  ctx->errjmp = &lv.jmp;
  lv.armed = true;
  lv.nlevels = ctx->nlevels += 1;
  if (_setjmp(lv.jmp.buf) == 0) {
    v_setnil(L->top++);
    call_throw(L, STATUS_GOEXIT);
  }
  if (land(&lv, ctx, &result)) result = run_loop(ctx, &lv);
  ctx->errjmp = lv.jmp.prev;
  ctx->nlevels = lv.nlevels - 1;
  return result;
}

// ---- calls from C ----------------------------------------------------------------------------------

// Calls the C function of frame ci. True: it has returned and its frame is gone. False: the loop must go on; what the
// function has returned, if it was called, is in *returned. VM_CALL: a protected call or a resumed coroutine is on top.
static ALWAYS_INLINE bool call_c(lua_State *L, CallInfo *ci, int *returned) {
  if (unlikely(L->hookmask)) return false;
  int n = call_cfunction(ci->func)(L), want = ci->nresults;
  if (unlikely(n < 0 || L->hookmask != 0 || ci->status != (CI_C | CI_FRESH))) {
    *returned = n;
    return false;
  }
  L->ci = ci->prev;
  call_results(L, ci->func, L->top - n, n, want);
  if (want >= 0) L->top = ci->func + want;
  return true;
}

// Runs frame ci of L in a level that is not armed. What only an armed one needs is noted when it comes to that: by then
// everything is as it was. returned: of call_c.
static ALWAYS_INLINE void run_unarmed(lua_State *L, Ctx *ctx, CallInfo *ci, int returned) {
  Level lv;
  lv.kind = LEVEL_CALL;
  lv.home = L;
  lv.armed = false;
  lv.returned = returned;
  lg_assert(returned >= -1 || returned == VM_CALL);
  if (likely(returned != VM_CALL && run_loop(ctx, &lv) != RUN_ARM)) return;
  lv.outer = L;
  lv.bound = ci->prev;
  lv.nny = L->nny;
  lv.nCcalls = L->nCcalls;
  lv.nlevels = ctx->nlevels;
  run_armed(ctx, &lv);
}

// A call by the running state on top of a level, as a sort's comparison is: it cannot yield, so the level below takes
// its errors until something in it must be armed.
static ALWAYS_INLINE void call_inner(lua_State *L, Ctx *ctx, Value *func, int nresults) {
  if (unlikely(++L->nCcalls >= MAX_CCALLS)) call_cstack_slow(L);
  if (unlikely(!v_isfunction(func))) func = call_callable(L, func);
  if (func->tag == TAG_LCL) {
    CallInfo *ci = push_lua(L, func, nresults, CI_FRESH);
    ctx->nlevels++;
    run_unarmed(L, ctx, ci, -1);
  } else {
    int returned = -1;
    CallInfo *ci = push_c(L, func, nresults, CI_FRESH);
    ctx->nlevels++;
    if (!call_c(L, ci, &returned)) run_unarmed(L, ctx, ci, returned);
  }
  ctx->nlevels--;
  L->nCcalls--;
}

// Any other call that nests a level: with a continuation, in a state that nobody has resumed (as C code does with
// lua_newthread), or from a host thread outside of any level, which then must not look like a level whose goroutine can
// leave its worker.
static NOINLINE void call_outer(lua_State *L, Ctx *ctx, Value *func, int nresults) {
  Level lv;
  level_init(&lv, LEVEL_CALL, L, ctx->L, L->ci);
  bool borrowed = lv.outer != L, outermost = ctx->nlevels == 0;
  if (unlikely(++L->nCcalls >= MAX_CCALLS)) call_cstack_slow(L);
  lv.nny = L->nny;
  lv.nCcalls = L->nCcalls;
  L->ctx = ctx;
  call_push(L, func, nresults, CI_FRESH);
  ctx->L = L;
  if (unlikely(borrowed) && L->from == NULL) {
    L->from = lv.outer;
    if (lv.outer != NULL) __atomic_store_n(&L->g, lv.outer->g, __ATOMIC_RELAXED); // what waits in it is us
  }
  ctx->nlevels += outermost;
  Ctx *around = rt_enter(ctx);
  level_run(ctx, &lv);
  rt_leave(around);
  ctx->nlevels -= outermost;
  if (unlikely(borrowed) && L->from == lv.outer) L->from = NULL;
  ctx->L = lv.outer != NULL ? lv.outer : L;
  L->nCcalls--;
}

static NOINLINE void call_unlocked(lua_State *L, Ctx *ctx, Value *func, int nresults);

static void call_nested(lua_State *L, Value *func, int nresults) {
  Ctx *ctx = ctx_of(L);
  if (unlikely(ctx->module != NULL)) {
    call_unlocked(L, ctx, func, nresults);
  } else if (likely(ctx->L == L && ctx->nlevels != 0 && L->nny != 0)) {
    call_inner(L, ctx, func, nresults);
  } else {
    call_outer(L, ctx, func, nresults);
  }
}

static NOINLINE void call_unlocked(lua_State *L, Ctx *ctx, Value *func, int nresults) {
  Module *held = cmodule_letgo(ctx);
  call_nested(L, func, nresults);
  cmodule_retake(ctx, held);
}

static NOINLINE void call_noyield_slow(lua_State *L, Value *func, int nresults) {
  L->nny++;
  call_nested(L, func, nresults);
  L->nny--;
}

// Whether a call by L that cannot yield is one for call_inner. Where nothing can yield anyway, it need not be said
// again.
static ALWAYS_INLINE bool is_inner(lua_State *L, Ctx *ctx) { // ctx: L->ctx
  return L->nny != 0 && is_running(L, ctx) && ctx->module == NULL && ctx->nlevels != 0;
}

static ALWAYS_INLINE void call_noyield(lua_State *L, Value *func, int nresults) {
  Ctx *ctx = L->ctx;
  if (likely(is_inner(L, ctx))) {
    call_inner(L, ctx, func, nresults);
  } else {
    call_noyield_slow(L, func, nresults);
  }
}

void vm_call(lua_State *L, Value *func, int nresults) { call_noyield(L, func, nresults); }

struct Call {
  ptrdiff_t func;
  int nresults;
};

static void call_with_yield(lua_State *L, void *ud) {
  struct Call *c = ud;
  call_nested(L, stack_restore(L, c->func), c->nresults);
}

static void call_without_yield(lua_State *L, void *ud) {
  struct Call *c = ud;
  call_noyield(L, stack_restore(L, c->func), c->nresults);
}

static int try_with(lua_State *L, void (*f)(lua_State *, void *), void *ud, bool all) {
  Ctx *ctx = ctx_of(L);
  lua_State *outer = ctx->L, *from = L->from;
  CallInfo *ci = L->ci;
  uint16_t nny = L->nny, nCcalls = L->nCcalls;
  int npcalls = L->npcalls;
  uint8_t allowhook = L->allowhook;
  int nlevels = ctx->nlevels;
  Module *held = ctx->module;
  LongJmp j; // not an initializer: that would clear the jmp_buf too
  Ctx *around = rt_enter(ctx);
  j.prev = ctx->errjmp;
  j.status = LUA_OK;
  ctx->errjmp = &j;
  L->ctx = ctx;
  ctx->L = L;
  ctx->nlevels += nlevels == 0 ? 2 : 1; // f is on the C stack: nothing inside can park without its worker
  if (_setjmp(j.buf) == 0) f(L, ud);
  rt_leave(around);
  ctx->errjmp = j.prev;
  ctx->nlevels = nlevels;
  if (j.status == LUA_OK) {
    ctx->L = outer != NULL ? outer : L;
    return LUA_OK;
  }
  if (j.status == LUA_YIELD || (j.status == STATUS_GOEXIT && j.prev != NULL && !all)) call_throw(L, j.status);
  ctx->L = outer != NULL ? outer : L;
  L->from = from;
  L->ci = ci;
  L->nny = nny;
  L->nCcalls = nCcalls;
  L->npcalls = npcalls;
  L->allowhook = allowhook;
  cmodule_retake(ctx, held); // where the error came from, it was let go
  return j.status;
}

int call_try(lua_State *L, void (*f)(lua_State *, void *), void *ud) { return try_with(L, f, ud, false); }

int call_tryall(lua_State *L, void (*f)(lua_State *, void *), void *ud) {
  L->nny++;
  int status = try_with(L, f, ud, true);
  L->nny--;
  return status;
}

// The state as it must be after a protected call that failed: closed down to `oldtop`, the error value there.
static COLD int close_failed(lua_State *L, ptrdiff_t oldtop, int status) {
  status = tbc_close_protected(L, oldtop, status);
  call_seterrorobj(L, status, stack_restore(L, oldtop));
  stack_unoverflow(L);
  return status;
}

static int call_protected(lua_State *L, void (*f)(lua_State *, void *), void *ud, ptrdiff_t oldtop, ptrdiff_t handler) {
  ptrdiff_t errfunc = L->errfunc;
  L->errfunc = handler;
  int status = try_with(L, f, ud, false);
  if (unlikely(status != LUA_OK)) status = close_failed(L, oldtop, status);
  L->errfunc = errfunc;
  return status;
}

int vm_rawprotected(lua_State *L, void (*f)(lua_State *, void *), void *ud) {
  L->nny++;
  int status = call_protected(L, f, ud, stack_save(L, L->top), L->errfunc);
  L->nny--;
  return status;
}

static void adjust_top(lua_State *L, int nresults) {
  if (nresults <= LUA_MULTRET && L->ci->top < L->top) L->ci->top = L->top;
}

static void set_continuation(CallInfo *ci, lua_KContext kctx, lua_KFunction k, unsigned flags) {
  ci->u.c.k = k;
  ci->u.c.kctx = kctx;
  ci->status |= (uint16_t)flags;
}

static void set_protection(lua_State *L, CallInfo *ci, const Value *func, ptrdiff_t handler) {
  ci->u.c.errfunc = L->errfunc | (L->allowhook != 0);
  ci->u2.funcidx = (int)stack_save(L, func);
  L->errfunc = handler;
  L->npcalls++;
}

LUA_API void lua_callk(lua_State *L, int nargs, int nresults, lua_KContext ctx, lua_KFunction k) {
  Value *func = L->top - (nargs + 1);
  if (k != NULL && L->nny == 0) {
    CallInfo *ci = L->ci;
    set_continuation(ci, ctx, k, CI_CALLK);
    call_nested(L, func, nresults);
    ci->status &= (uint16_t)~CI_CALLK;
  } else {
    call_noyield(L, func, nresults);
  }
  adjust_top(L, nresults);
}

// With a continuation the frame is marked as a handler for the time after a yield; until then errors are caught here.
static int pcall_with_yield(lua_State *L, struct Call *c, ptrdiff_t handler, lua_KContext kctx, lua_KFunction k) {
  CallInfo *ci = L->ci;
  ptrdiff_t errfunc = L->errfunc;
  set_protection(L, ci, stack_restore(L, c->func), handler);
  set_continuation(ci, kctx, k, CI_CALLK | CI_PCALL);
  int status = call_protected(L, call_with_yield, c, c->func, handler);
  ci->status &= (uint16_t) ~(CI_CALLK | CI_PCALL);
  L->errfunc = errfunc;
  L->npcalls--;
  return status;
}

// With a continuation, from a host's state, or under a module's lock.
static NOINLINE int pcall_any(lua_State *L, int nargs, int nresults, int msgh, lua_KContext kctx, lua_KFunction k) {
  ptrdiff_t handler = msgh == 0 ? 0 : stack_save(L, call_index(L, msgh));
  struct Call c = {stack_save(L, L->top - (nargs + 1)), nresults};
  int status = k != NULL && L->nny == 0 ? pcall_with_yield(L, &c, handler, kctx, k)
                                        : call_protected(L, call_without_yield, &c, c.func, handler);
  if (unlikely(status == LUA_ERRMEM)) gc_caught(L);
  adjust_top(L, nresults);
  return status;
}

// What pcall_inner puts back after an error; state and context are the same after it. (In an order in which the
// compiler does not copy two small fields at once: such a load waits for the two stores before it.)
typedef struct Before {
  ptrdiff_t errfunc;
  CallInfo *ci;
  uint16_t nny;
  int npcalls;
  uint16_t nCcalls;
  int nlevels;
  uint8_t allowhook;
} Before;

static COLD int pcall_inner_failed(lua_State *L, Ctx *ctx, const Before *before, const LongJmp *j, ptrdiff_t base) {
  ctx->nlevels = before->nlevels;
  if (j->status == LUA_YIELD || (j->status == STATUS_GOEXIT && j->prev != NULL)) call_throw(L, j->status);
  cmodule_letgo(ctx); // held if the error was raised by code of a module; we held none (is_inner)
  ctx->L = L;
  L->ci = before->ci;
  L->nny = before->nny;
  L->nCcalls = before->nCcalls;
  L->npcalls = before->npcalls;
  L->allowhook = before->allowhook;
  int status = close_failed(L, base, j->status);
  if (status == LUA_ERRMEM) gc_caught(L);
  return status;
}

// A protected call that is one for call_inner.
static int pcall_inner(lua_State *L, Ctx *ctx, int nargs, int nresults, int msgh) {
  LongJmp j;
  Value *func = L->top - (nargs + 1);
  ptrdiff_t base = stack_save(L, func);
  Before before = {L->errfunc, L->ci, L->nny, L->npcalls, L->nCcalls, ctx->nlevels, L->allowhook};
  Ctx *around = rt_enter(ctx);
  j.prev = ctx->errjmp;
  j.status = LUA_OK;
  ctx->errjmp = &j;
  L->errfunc = msgh == 0 ? 0 : stack_save(L, call_index(L, msgh));
  if (_setjmp(j.buf) == 0) call_inner(L, ctx, func, nresults);
  rt_leave(around);
  ctx->errjmp = j.prev;
  if (unlikely(j.status != LUA_OK)) j.status = pcall_inner_failed(L, ctx, &before, &j, base);
  L->errfunc = before.errfunc;
  adjust_top(L, nresults);
  return j.status;
}

LUA_API int lua_pcallk(lua_State *L, int nargs, int nresults, int msgh, lua_KContext ctx, lua_KFunction k) {
  if (likely(is_inner(L, L->ctx))) return pcall_inner(L, L->ctx, nargs, nresults, msgh);
  return pcall_any(L, nargs, nresults, msgh, ctx, k);
}

void vm_calltm_res(lua_State *L, const Value *f, const Value *a, const Value *b, Value *res) {
  Value x, y, *func = L->top;
  bool on_stack = (uintptr_t)res - (uintptr_t)L->stack < (uintptr_t)(L->stack_last + EXTRA_STACK) - (uintptr_t)L->stack;
  ptrdiff_t where = on_stack ? stack_save(L, res) : 0;
  v_copy(&x, a); // they may lie in the stack, which moves
  v_copy(&y, b);
  v_copy(&func[0], f);
  v_copy(&func[1], &x);
  v_copy(&func[2], &y);
  L->top = func + 3;
  vm_call(L, func, 1);
  L->top--;
  v_copy(on_stack ? stack_restore(L, where) : res, L->top);
}

// ---- calls by the loop on behalf of a C function ---------------------------------------------------

int vm_callk(lua_State *L, int nargs, int nresults, lua_KContext kctx, lua_KFunction k) {
  set_continuation(L->ci, kctx, k, CI_CALLK);
  call_push(L, L->top - (nargs + 1), nresults, CI_FROMC);
  return VM_CALL;
}

// Whether call_push needs neither memory nor a metamethod.
static bool push_issafe(const lua_State *L, const Value *func) {
  int need = func->tag == TAG_LCL ? v_lcl(func)->p->maxstack + 1 : LUA_MINSTACK;
  return v_isfunction(func) && L->npcalls <= MAX_PCALLS && L->ci->next != NULL && L->stack_last - L->top > need;
}

static void push_protected(lua_State *L, void *ud) {
  struct Call *c = ud;
  if (unlikely(L->npcalls > MAX_PCALLS)) dbg_runerror(L, "C stack overflow");
  call_push(L, stack_restore(L, c->func), c->nresults, CI_FROMC);
}

// The call has failed before it began: the continuation gets the error on top.
static COLD int pcall_failed(lua_State *L, int status) {
  CallInfo *ci = L->ci;
  Value *low = stack_restore(L, ci->u2.funcidx);
  v_copy(low, L->top - 1);
  L->top = low + 1;
  ci->status &= (uint16_t) ~(CI_CALLK | CI_PCALL);
  L->errfunc = ci->u.c.errfunc & ~(ptrdiff_t)1;
  L->npcalls--;
  stack_unoverflow(L);
  stack_ensure(L, LUA_MINSTACK);
  if (ci->top < L->top + LUA_MINSTACK) ci->top = L->top + LUA_MINSTACK;
  return ci->u.c.k(L, status, ci->u.c.kctx);
}

// A value that cannot be called is an error inside the protected call, and so is one call too many. The level may not
// be armed yet (call_inner), and then nobody but us would catch it there.
int vm_pcallk(lua_State *L, int nargs, int nresults, int msgh, lua_KContext kctx, lua_KFunction k) {
  Value *func = L->top - (nargs + 1);
  set_protection(L, L->ci, func, msgh == 0 ? 0 : stack_save(L, call_index(L, msgh)));
  set_continuation(L->ci, kctx, k, CI_CALLK | CI_PCALL);
  if (likely(push_issafe(L, func))) {
    call_push(L, func, nresults, CI_FROMC);
    return VM_CALL;
  }
  struct Call c = {stack_save(L, func), nresults};
  int status = call_try(L, push_protected, &c);
  return likely(status == LUA_OK) ? VM_CALL : pcall_failed(L, status);
}
