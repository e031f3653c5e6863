// SPDX-License-Identifier: MIT
//
// interp.h: the interpreter loop.
#ifndef LUNGO_VM_INTERP_H
#define LUNGO_VM_INTERP_H

#include "call.h"

// One interpreter invocation on the C stack.
// Invariant: a level that is not armed has no frame that handles errors or resumes a coroutine (the loop leaves with
// RUN_ARM before it enters the first one, and call_inner arms a level that begins with one), and nothing in it can
// yield. So an error in it is one of the level below.
typedef enum LevelKind {
  LEVEL_CALL,   // vm_call: runs one CI_FRESH frame of `home`
  LEVEL_RESUME, // lua_resume: runs coroutine `home` until it ends or yields
  LEVEL_GO      // vm_run_goroutine: runs a goroutine; home is the state without `from`
} LevelKind;

typedef struct Level {
  LongJmp jmp;
  LevelKind kind;
  lua_State *home;
  lua_State *outer;      // ctx->L before; differs from home when C code calls functions in a state it has not resumed
  CallInfo *bound;       // frames of home above this one belong to the level
  int nlevels;           // ctx->nlevels while this level is the innermost
  uint16_t nny, nCcalls; // of home, to restore after an error
  bool armed;            // errors longjmp to jmp
  int returned;          // >= 0: the C function of L->ci has been called, and has returned so many values
} Level;

// Not an initializer, which would clear the jmp_buf too.
static inline void level_init(Level *lv, LevelKind kind, lua_State *home, lua_State *outer, CallInfo *bound) {
  lv->kind = kind;
  lv->home = home;
  lv->outer = outer;
  lv->bound = bound;
  lv->nny = lv->nCcalls = 0;
  lv->armed = false;
  lv->returned = -1;
}

static inline bool level_ishome(const Level *lv, const lua_State *L) {
  return lv->kind == LEVEL_GO ? L->from == NULL : L == lv->home;
}

// Runs ctx->L from its current frame, whose state says how to go on (see `enter` in interp.c), until the level's frame
// or state ends (LUA_OK), its coroutine yields (LUA_YIELD), the goroutine parks (RUN_PARKED) or has died of an error
// (the status). RUN_ARM: the level must be armed, then run again. Errors longjmp to the level, or the one below if it
// is not armed. Only call.c calls it.
#define RUN_ARM (-2)
int interp_run(Ctx *ctx, Level *lv);
int interp_run_race(Ctx *ctx, Level *lv); // the same under --race (interp_race.c)

// Arms lv (initialized; nny and nCcalls are set), runs it, and returns what interp_run returned (call.c).
int level_run(Ctx *ctx, Level *lv);
// Coroutine co stops (coro.c): LUA_YIELD with co->ci->u2.nyield values on top, LUA_OK with its results, or an error
// status with the value on top. The values go to the state that resumed it, which is ctx->L again on return and whose
// CI_RESUME frame says the status.
void coro_leave(Ctx *ctx, lua_State *co, int status);

// Lua's `next` and the iterator of `ipairs`, which the loop knows and short-cuts. stdlib registers them.
int vm_next(lua_State *L);
int vm_ipairsaux(lua_State *L);

// Operators with metamethods for the C API (may nest interp_run). Raise the usual errors.
void interp_gettable(lua_State *L, const Value *o, const Value *k, Value *res);
void interp_settable(lua_State *L, const Value *o, const Value *k, const Value *v);
void interp_arith(lua_State *L, int op, const Value *a, const Value *b, Value *res);
void interp_concat(lua_State *L, int n); // n values on top -> one
void interp_len(lua_State *L, const Value *o, Value *res);
bool interp_equal(lua_State *L, const Value *a, const Value *b);
bool interp_less(lua_State *L, const Value *a, const Value *b);
bool interp_lesseq(lua_State *L, const Value *a, const Value *b);
bool interp_tostring(lua_State *L, Value *v); // number -> string in place; false if neither

#endif
