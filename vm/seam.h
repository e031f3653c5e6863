// SPDX-License-Identifier: MIT
//
// seam.h: all that the VM asks of the runtime. Declared here, filled in by runtime/ (and by a single-goroutine stub
// in tests/unit/seam_stub.c, which proves that vm/ links alone).
//
// The parking rule: a rt_* function that parks (returns RT_PARK) has already published the goroutine to whoever will
// wake it. From that moment another worker may run it. So the VM saves everything (ci->u.l.pc, L->top) *before* the
// call, and after RT_PARK touches neither L, nor its frames, nor its G: interp_run returns at once.
// When the goroutine runs again, interp_run continues it: for a parked instruction it calls rt_finish; for a parked C
// function (CI_PARKED) it calls the frame's continuation k.
// In a nested interp_run (ctx->nlevels > 1: a C function below us on the C stack) rt_* functions never return RT_PARK:
// they block the worker, hand its P to another one, and return RT_DONE with the result in place.
#ifndef LUNGO_VM_SEAM_H
#define LUNGO_VM_SEAM_H

#include "state.h"

enum { RT_DONE = 0, RT_PARK = 1 };

// The seed of all that is random in the universes that this process makes from now on: hashes, and what the runtime
// chooses. vm_getseed: false if none was set.
void vm_setseed(uint64_t seed);
bool vm_getseed(uint64_t *seed);

// Per-universe set-up and tear-down, called by lua_newstate / lua_close. rt_new makes one P, an M for the calling
// OS thread (ctx installed in L->ctx and in thread-local storage), and goroutine 1 for L. 0 or -errno.
int rt_new(lua_State *L);
// rt_free returns false if threads still use the universe: then it must not be freed now.
bool rt_free(lua_State *L);
// The other way round: the last of those threads frees it.
void vm_freeorphan(Global *gl);
// lua_close begins. claim: the calling worker is the one that closes; does not return if another one is. inside: the
// caller is a goroutine, so that frames lie under it, and under others. alone: after it no other goroutine runs unless
// the caller waits, and the main goroutine not even then.
void rt_close_claim(Global *gl);
bool rt_close_inside(Global *gl);
void rt_close_alone(lua_State *L);

// The calling OS thread's context in universe gl: of the worker that it is there, or else of the host's thread, as
// which any thread may act, one at a time. gl = NULL: in whatever universe the thread is a worker, NULL if in none.
Ctx *rt_current(Global *gl);
// The thread begins to act in a universe, as ctx: for a host's thread with several, rt_current(NULL) is the one whose
// code runs. leave gets what enter returned: what runs around it on this thread, NULL if nothing does. A worker stays
// what it is, whatever other universe it visits.
Ctx *rt_enter_slow(Ctx *ctx);
void rt_leave_slow(Ctx *around);
extern _Thread_local struct M *m_current; // the worker that this thread is (runtime/sched.h); a Ctx is its first member
static ALWAYS_INLINE Ctx *rt_enter(Ctx *ctx) { return likely((Ctx *)m_current == ctx) ? NULL : rt_enter_slow(ctx); }
static ALWAYS_INLINE void rt_leave(Ctx *around) {
  if (unlikely(around != NULL)) rt_leave_slow(around);
}

// Slow half of every safepoint: ctx->poll was not 0. Roots of ctx->L are saved. May stop for a collection, run one,
// raise an interrupt error, or preempt. RT_PARK: the goroutine was preempted (see the parking rule); only when
// can_park is true, otherwise the worker itself yields (nested level) and RT_DONE comes back.
int rt_safepoint(lua_State *L, bool can_park);

// Between safepoints, for code that may take long (copies of many megabytes, compilation): raises in ctx->L if the
// goroutine that runs has been ended from outside. Nothing else happens: no collection, nobody else runs. So the caller
// must be able to bear an error, as one for want of memory, and no more.
void rt_end_slow(lua_State *L);
static ALWAYS_INLINE void rt_checkend(lua_State *L) {
  if (unlikely(L->ctx != NULL && atomic_load_explicit(&L->ctx->poll, memory_order_relaxed) & POLL_KILL)) rt_end_slow(L);
}

// Stop the world: returns when no other worker runs Lua or touches the heap. Other workers that stopped take part in
// rt_stw_parallel. False: another collection ran while we waited (nothing is stopped now). May only be called at a
// safepoint.
bool rt_stw_begin(lua_State *L);
void rt_stw_end(lua_State *L);
// Run fn(arg, worker_index) on this worker and on every stopped one that takes part; returns when all have returned.
void rt_stw_parallel(lua_State *L, void (*fn)(void *arg, int worker), void *arg);
// The phases of a collection that was just made, for the trace: monotonic ns when it was wanted, the world had stopped,
// marking was over, weak tables were done, sweeping was.
void rt_gcphases(Global *gl, const uint64_t times[5]);
int rt_stw_workers(lua_State *L); // upper bound of worker indexes + 1
// World stopped: enumerate roots held by the runtime: every live goroutine's lua_States, waiters' values, timers.
void rt_markroots(Global *gl, struct Marker *m);
// World stopped, marking over (finalizers' objects included), mark bits still there: timers whose owner is unmarked are
// stopped.
void rt_aftermark(Global *gl);

// Goroutines. func and nargs arguments are on top of L's stack and are popped. Raises if func is not callable.
void rt_go(lua_State *L, int nargs);

// Channel instructions. ch is any value: nil parks forever; not a channel: an error that names the operation.
// The value is published by the callee. rt_recv stores value and ok into res[0], res[1] when RT_DONE.
int rt_send(lua_State *L, const Value *ch, const Value *v);
int rt_recv(lua_State *L, const Value *ch, Value res[2]);
// Select: cases i = 0..n-1 at base[2i] (channel) and base[2i+1] (value to send); dirs[i] = 1: send.
// RT_DONE: *chosen is the case (n: default), res[] value and ok of a receive.
int rt_select(lua_State *L, const Value *base, const uint8_t *dirs, int n, bool has_default, int *chosen, Value res[2]);
// After a park: result of the operation the goroutine parked in. Raises `send on closed channel` and the like.
// Fills res (receive) and *chosen (select).
void rt_finish(lua_State *L, int *chosen, Value res[2]);

// Whether threads are in blocking regions, or on their way out of them, without a P.
bool rt_threadsaway(Global *gl);
// Blocking region: between enter and leave this thread may block in the system and must not touch Lua; its P may be
// given to another worker. leave waits for a P. Cheap when nothing is contended. Keeps errno.
void rt_block_enter(Ctx *ctx);
void rt_block_leave(Ctx *ctx);

// The lock of a C module (cmodule.h): made once, NULL if there is no memory. begin: takes it or queues the goroutine;
// if it returns false, `return rt_modlock_park(L, lock, kctx, k)`, and k asks `again` in the same way. For who is
// called by the loop. wait takes it while the thread waits, its P handed on: what runs is ctx->L == L. None raises.
void *rt_modlock_new(void);
void rt_modlock_free(void *lock);
bool rt_modlock_try(void *lock);
bool rt_modlock_begin(lua_State *L, void *lock);
bool rt_modlock_again(lua_State *L, void *lock);
int rt_modlock_park(lua_State *L, void *lock, lua_KContext kctx, lua_KFunction k);
void rt_modlock_wait(lua_State *L, void *lock);
void rt_modlock_close(lua_State *L, void *lock); // wait, by lua_close: if the world was stopped, it is again
void rt_modlock_unlock(Ctx *ctx, void *lock);

// Finalizers are waiting (gc.c queued them): run them in a goroutine of their own soon.
void rt_finalizers_ready(Global *gl);

// What a run that a host started (lungo_start) leaves to be finalized: its time limit and its end concern that, too.
typedef struct Estate Estate;
// Of L's goroutine, kept for the caller; NULL: it belongs to no run. False: no memory.
bool rt_estate(lua_State *L, Estate **out);
void rt_estate_drop(Estate *e); // NULL is allowed
// Its finalizers have had their time: no more of them is run. NULL is allowed. Any thread.
bool rt_estate_isover(const Estate *e);
// Whether L's goroutine may run e's finalizers: one run has no time for those of others.
bool rt_estate_may(const lua_State *L, const Estate *e);
// A finalizer begins, if true is returned, and ends. begin takes the caller's reference. If an error that nothing
// catches leaves the finalizer, the runtime sees to `end`.
bool rt_finalizer_begin(lua_State *L, Estate *e);
void rt_finalizer_end(lua_State *L);

// An error found no handler in its goroutine. Called by the VM with the frames still intact (L innermost, error value
// on top) before deferred calls run: the runtime keeps the traceback for rt_panic. May be called again when a deferred
// call raises another error.
void rt_uncaught(lua_State *L);

// Uncaught error at the base of a goroutine other than one under lua_pcall: reports and ends the process.
_Noreturn void rt_panic(lua_State *L, int status);

#endif
