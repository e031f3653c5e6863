// SPDX-License-Identifier: MIT
//
// cmodule.h: C modules written for one thread: which functions are theirs, and the lock under which they run.
//
// What:       a module is a shared object that was loaded after the first lua_newstate of the process (`require`,
//             package.loadlib). All of its code that we call (functions, metamethods, finalizers, continuations, hooks,
//             the warning function) runs under one lock, its own, unless it has said lungo_modulesafe.
//             Code that was there before (the program, its libraries, ours, the standard library) is the host's, and
//             runs without.
// Invariants: *Ctx.module is the module whose lock this worker's goroutine holds.* It is not NULL only while code of
//             that module is the innermost code of the goroutine, or an API function that this code called.
//             So a goroutine holds at most one module lock, never waits for anything in Lua while it holds one, and
//             never waits for one while it holds another: no order of locks is needed, and none can deadlock.
//             interp_run runs with none: who calls a function from C or resumes a coroutine from C (call_nested,
//             level_run) lets go of the lock and takes it again afterwards; errors that pass through leave it to their
//             catcher (land: none is held; call_try: the one held before).
//             A collection inside an API function keeps it: who holds a lock may stop at a safepoint, as who waits for
//             one has given its processor away and counts as stopped.
// Cost:       none for other functions. A function of a module is always a C closure whose C function is the trampoline
//             cmodule_call, so the interpreter's call path knows nothing of modules.
// See also:   cmodule.c, call.c (levels), runtime/modlock.c (the lock), docs/manual.md "C modules".
#ifndef LUNGO_VM_CMODULE_H
#define LUNGO_VM_CMODULE_H

#include "state.h"

typedef struct Module Module;
struct Marker;

// What a closure of a module has behind its upvalues (Obj.aux is CCL_MODULE).
#define CCL_MODULE 1
typedef struct ModuleFn {
  lua_CFunction f;
  Module *module;
  CClosure *next; // the module's other functions without upvalues (Module.fns)
} ModuleFn;

static inline bool ccl_ismodule(const CClosure *c) { return c->hdr.aux == CCL_MODULE; }
static inline ModuleFn *ccl_modulefn(CClosure *c) {
  return (ModuleFn *)&c->upv[atomic_load_explicit(&c->hdr.aux32, memory_order_relaxed)];
}
// The C function of a closure as the program knows it.
static inline lua_CFunction ccl_function(CClosure *c) { return ccl_ismodule(c) ? ccl_modulefn(c)->f : c->f; }

// Once for each universe; the first call of the process takes note of what is loaded.
void cmodule_init(void);
void cmodule_free(Global *gl);
// lua_close begins: waits until nobody is inside a module; from then on only the calling worker can be.
void cmodule_close(lua_State *L);
// f for the lock of each module. Any goroutine; a module that comes meanwhile may be missed.
void cmodule_eachlock(Global *gl, void (*f)(void *lock, void *arg), void *arg);
void cmodule_markroots(Global *gl, struct Marker *m);

// Where this copy of lungo is loaded: the one comparison that functions of the program and its libraries cost.
extern struct CodeSpan { uintptr_t start, len; } cmodule_own;
static inline bool code_isours(lua_CFunction f) { return (uintptr_t)f - cmodule_own.start < cmodule_own.len; }

// f is not ours. If it belongs to a module: pushes its closure over the n values on top, which are popped, and returns
// true. May raise out of memory. Functions without upvalues are equal whenever they are the same.
bool cmodule_pushclosure(lua_State *L, lua_CFunction f, int n);

// Frame ci belongs to a function of a module: calls its continuation with this status.
int cmodule_continue(lua_State *L, CallInfo *ci, int status);
// Calls a hook. May raise out of memory, and what the hook raises.
void cmodule_hook(lua_State *L, lua_Hook hook, lua_Debug *ar);
// A warning function is being set: finds its module now, so that later calls need no memory. May raise.
void cmodule_expect(lua_State *L, lua_WarnFunction f);
void cmodule_warn(Ctx *ctx, lua_WarnFunction f, void *ud, const char *msg, int tocont);

// The module of the running C function needs no lock from now on.
void cmodule_setsafe(lua_State *L);

// Lets go of the lock held, if any; returns the module, or NULL.
Module *cmodule_letgo(Ctx *ctx);
// Back in code of module m (NULL: none): its lock is held, and no other. May wait, without its processor; what runs on
// this worker (ctx->L) is as at a safepoint. Never raises.
void cmodule_retake(Ctx *ctx, Module *m);

#endif
