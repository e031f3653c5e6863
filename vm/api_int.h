// SPDX-License-Identifier: MIT
//
// api_int.h: what the api_*.c files share: decoding stack indices, pushing, and owning a state.
//
// Invariants: a pointer from api_index is good until the next push, call or upvalue access (two upvalues at a time).
//             Whoever allocates, calls or raises through a lua_State has made it usable first (api_own).
#ifndef LUNGO_VM_API_INT_H
#define LUNGO_VM_API_INT_H

#include "lgassert.h"
#include "state.h"

extern const Value api_none; // what an index beyond the top stands for: nil, told apart by its address

Value *api_pseudo(lua_State *L, int idx); // registry and upvalues; api_none when there is no such upvalue
void api_adopt(lua_State *L);

static ALWAYS_INLINE Value *api_index(lua_State *L, int idx) {
  if (idx > 0) {
    Value *o = L->ci->func + idx;
    return likely(o < L->top) ? o : (Value *)&api_none;
  }
  if (likely(idx > LUA_REGISTRYINDEX)) {
    lg_assert(idx != 0 && -idx <= L->top - (L->ci->func + 1));
    return L->top + idx;
  }
  if (idx == LUA_REGISTRYINDEX) return &L->gl->registry;
  return api_pseudo(L, idx);
}

// A valid index that is no pseudo-index.
static ALWAYS_INLINE Value *api_stackindex(lua_State *L, int idx) { return idx > 0 ? L->ci->func + idx : L->top + idx; }

static ALWAYS_INLINE void api_incrtop(lua_State *L) {
  L->top++;
  lg_assert(L->top <= (ci_isLua(L->ci) ? L->stack_last + EXTRA_STACK : L->ci->top)); // Lua: an instruction's error
}

// C code may push on, or call in, a state that does not run (lua_newthread's, or a suspended or normal coroutine). Its
// ctx is then NULL or a worker it ran on once, whose allocation cache is not ours: point it at this worker.
static ALWAYS_INLINE void api_own(lua_State *L) {
  if (unlikely(!atomic_load_explicit(&L->running, memory_order_relaxed) || L->ctx->L != L)) api_adopt(L);
}

// The elements of a table are what long loops in C functions ask for: there, too, somebody may want the worker.
static ALWAYS_INLINE void api_poll(lua_State *L) {
  Ctx *ctx = L->ctx;
  if (unlikely(ctx != NULL && atomic_load_explicit(&ctx->poll, memory_order_relaxed) != 0) && ctx->L == L) {
    void gc_check_slow(lua_State *);
    gc_check_slow(L);
  }
}

#endif
