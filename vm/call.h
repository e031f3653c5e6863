// SPDX-License-Identifier: MIT
//
// call.h: stacks, frames, calls, protected calls, errors, coroutine resume and yield, to-be-closed variables.
//
// What:       a Lua call, pcall, resume, yield, metamethod or iterator call made by Lua code costs no C stack: it is a
//             frame that says (CallInfo.status, u.c.k) what to do on return and on error; interp_run walks them.
//             A C function that wants to call Lua without nesting *returns* vm_callk/vm_pcallk/...: the loop makes the
//             call and then calls the continuation k. lua_callk and friends nest an interp_run.
// Errors:     call_throw longjmps to ctx->errjmp: always the innermost interp_run (each is armed), which unwinds frames
//             to the nearest CI_PCALL frame above its CI_FRESH base, through coroutines it resumed itself (they die),
//             and otherwise passes the error on to the C caller (lua_pcallk, lua_resume, the goroutine's end).
#ifndef LUNGO_VM_CALL_H
#define LUNGO_VM_CALL_H

#include "seam.h"
#include "state.h"

// ---- stack ----
#define stack_save(L, p) ((char *)(p) - (char *)(L)->stack)
#define stack_restore(L, off) ((Value *)((char *)(L)->stack + (off)))
void stack_grow(lua_State *L, int n);    // room for n more values, or `stack overflow`
bool stack_trygrow(lua_State *L, int n); // false instead of raising
bool stack_tryroom(lua_State *L, int n); // the same at a safepoint: may collect
static ALWAYS_INLINE void stack_ensure(lua_State *L, int n) {
  if (unlikely(L->stack_last - L->top <= n)) stack_grow(L, n);
}
void stack_shrink(lua_State *L);   // collector, world stopped: halve a mostly empty stack
CallInfo *ci_extend(lua_State *L); // next frame: L->ci->next, allocated when missing

// ---- errors ----
_Noreturn void call_throw(lua_State *L, int status); // error value on top of L's stack
void call_seterrorobj(lua_State *L, int status, Value *at);
_Noreturn void call_memerror(lua_State *L);

// ---- what C functions return to have the loop act for them ----
// Return values of lua_CFunctions >= 0 are result counts. These negative ones are commands to interp_run:
#define VM_CALL (-1000)  // a call was set up by vm_callk / vm_pcallk / vm_resume
#define VM_PARK (-1001)  // the goroutine is parked (seam.h); k is called when it runs again
#define VM_YIELD (-1002) // coroutine yield set up by vm_yieldk
// function and nargs arguments on top. When it has returned, the loop calls k(L, LUA_OK or LUA_YIELD.., kctx), with
// results on top of what was below the function (as lua_callk's continuation). Use: `return vm_callk(L, 1, 0, ctx, k);`
int vm_callk(lua_State *L, int nargs, int nresults, lua_KContext kctx, lua_KFunction k);
// The same, protected: on error k gets the status and the error value on top instead of results.
int vm_pcallk(lua_State *L, int nargs, int nresults, int msgh, lua_KContext kctx, lua_KFunction k);
// Resume coroutine co with nargs arguments on top of L. k gets LUA_OK/LUA_YIELD with co's values moved to L's top,
// or an error status with the error value there. "cannot resume ..." comes the same way (LUA_ERRRUN).
int vm_resume(lua_State *L, lua_State *co, int nargs, lua_KContext kctx, lua_KFunction k);

// Yield nresults values on top of L to the resumer, without longjmp: `return vm_yieldk(L, n, kctx, k);`. k may be NULL:
// then the values given to resume are the C function's results. Raises as lua_yieldk.
int vm_yieldk(lua_State *L, int nresults, lua_KContext kctx, lua_KFunction k);

// Pushes the frame that calls func with the arguments up to L->top; the loop enters it. Resolves __call. flags:
// CI_FRESH, CI_META or CI_FROMC. May move the stack; raises `attempt to call ...`, `stack overflow`.
CallInfo *call_push(lua_State *L, Value *func, int nresults, unsigned flags);
// func itself, or the function that its __call leads to, inserted before it as one more argument. May move the stack.
Value *call_callable(lua_State *L, Value *func);
// The worker that runs L: L->ctx, or the calling thread's when L is a state that nobody runs.
Ctx *call_ctx(lua_State *L);
// Runs f(L, ud) and catches errors: L is back in its frame with the error value on top of wherever it was raised,
// nothing closed yet. Yields and goexit pass through.
int call_try(lua_State *L, void (*f)(lua_State *, void *), void *ud);
// The same, but f cannot yield, and goexit is caught, too: for who has something to release and throws it on then.
int call_tryall(lua_State *L, void (*f)(lua_State *, void *), void *ud);
// Counts one more C level: `C stack overflow`, or LUA_ERRERR when that error is being handled.
void call_cstack_slow(lua_State *L);
// A message handler's or other index as stack position (no pseudo-indices).
static inline Value *call_index(lua_State *L, int idx) { return idx > 0 ? L->ci->func + idx : L->top + idx; }
// Gives back the extra room that handling a stack overflow used, once the stack is low again.
void stack_unoverflow(lua_State *L);

// coroutine.close: like lua_resetthread, but the error value is moved to the top of L before any other goroutine can
// get at co. CORO_BUSY, nothing pushed: co runs, or is closed by somebody else, or is `normal`.
#define CORO_BUSY (-1)
int coro_close(lua_State *L, lua_State *co);
// Keeps others from resuming co, which does not run, while its stack is looked at. False: it runs, or is held already.
bool coro_hold(lua_State *L, lua_State *co);
void coro_letgo(lua_State *co);
// Whether co waits for L, which runs on this worker, because it resumed L, or what resumed L, and so on. Such a co
// stays as it is until L returns; any other coroutine with its running flag set belongs to another worker.
bool coro_waitsfor(const lua_State *co, const lua_State *L);

static ALWAYS_INLINE lua_CFunction call_cfunction(const Value *f) { return f->tag == TAG_LCF ? f->f : v_ccl(f)->f; }

// A chain of functions that each add a result to those of the next copies all of them at each return, up to billions in
// all, without a safepoint. The error is the caller's: L->ci is its frame by now.
#define MANY_RESULTS 256

// n results at src go to dst as the caller wants them; L->top is set if it wants all.
static ALWAYS_INLINE void call_results(lua_State *L, Value *dst, const Value *src, int n, int want) {
  switch (want) {
  case 0: return;
  case 1:
    if (likely(n > 0)) {
      v_copy(dst, src);
    } else {
      v_setnil(dst);
    }
    return;
  case LUA_MULTRET:
    if (unlikely(n > MANY_RESULTS)) rt_checkend(L);
    for (int i = 0; i < n; i++) v_copy(&dst[i], &src[i]);
    L->top = dst + n;
    return;
  default: {
    int i = 0;
    for (; i < n && i < want; i++) v_copy(&dst[i], &src[i]);
    for (; i < want; i++) v_setnil(&dst[i]);
    return;
  }
  }
}

// ---- calls from C ----
void vm_call(lua_State *L, Value *func, int nresults); // nests an interp_run; yield not possible inside
// Calls f(L, ud) with a handler armed; returns the status, L restored to `oldtop` with the error value there on error.
int vm_rawprotected(lua_State *L, void (*f)(lua_State *, void *), void *ud);
// Calls metamethod f(a, b) for API functions, result in *res.
void vm_calltm_res(lua_State *L, const Value *f, const Value *a, const Value *b, Value *res);

// ---- goroutines and hosts ----
// Runs state L until it ends, parks or must give way. Entry for the scheduler (nlevels is 0 -> 1) with ctx->L set.
// Arguments for the first run: function and arguments on the stack as lua_resume takes them.
// STATUS_GOEXIT: ended by runtime.goexit: thrown with call_throw, stopped by no pcall; deferred calls have run.
// LUA_OK: ended, results on the stack; RUN_PARKED: do not touch L; else error status with the value on top.
#define RUN_PARKED (-1)
#define STATUS_GOEXIT 64
// To continue a parked goroutine: nargs = -1 and ctx->L its innermost coroutine (where it parked). A Lua frame parked
// in an instruction has CI_PARKED set (rt_finish completes it); a preempted one has not and simply goes on.
int vm_run_goroutine(Ctx *ctx, lua_State *L, int nargs);
// Continues a parked or preempted goroutine (ctx->L its innermost coroutine) with goexit's error.
int vm_end_goroutine(Ctx *ctx);

// lua_close for lungo_free. objects: the caller holds a processor, so that what is open is closed and finalizers run.
// False: threads are still inside; they free it.
bool vm_close(lua_State *L, bool objects);

// ---- to-be-closed ----
void tbc_new_var(lua_State *L, Value *reg); // raises `variable 'x' got a non-closable value`
void tbc_new_defer(lua_State *L, Value *func, int nargs);
static ALWAYS_INLINE bool tbc_pending(lua_State *L, const Value *base) {
  return L->tbc != NULL && L->tbc->level >= stack_save(L, base);
}
// Unlinks the newest entry and pushes its function and arguments; err (may be NULL, may point into the stack) is the
// error under way. Returns the number of arguments.
int tbc_take(lua_State *L, const Value *err);
// The same for the newest variable at or above level, leaving defers in place. -1: there is none.
int tbc_take_var(lua_State *L, ptrdiff_t level);
// Where an error value may lie while the pending entries are closed: above all registers they need.
Value *tbc_safepos(lua_State *L);
// Closes all entries at or above level, each protected; errors replace status and the error value on top.
int tbc_close_protected(lua_State *L, ptrdiff_t level, int status);
// Closes everything at or above level from C (lua_settop, lua_closeslot, lua_closethread, error paths of C levels).
// status: LUA_OK or the error under way (its value is passed to the methods and may be replaced). May nest interp_run.
int tbc_close_c(lua_State *L, ptrdiff_t level, int status, bool defers_too);
// Closes all that is pending in another state, which never runs again (or in L itself), on top of L's stack. Only
// lua_close does.
void tbc_close_other(lua_State *L, lua_State *of);

#endif
