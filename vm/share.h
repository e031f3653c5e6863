// SPDX-License-Identifier: MIT
//
// share.h: the shared bit.
//
// Invariant:  an object whose OF_SHARED bit is off can be reached from one goroutine only. So an unshared table is
//             read and written without locks or fences, and an unshared object may be given away only through
//             share_value, which sets the bit on it and on everything it reaches *before* the reference is stored
//             where another goroutine could find it.
// When:       stores into a shared table, cell, C closure upvalue, user value, metatable slot; channel sends; `go`;
//             the registry once Global.multi is set; finalizers; the stack of a coroutine that is itself shared, when
//             it stops running (yield, end).
// Strings, boxes, light values and prototypes are immutable and need no bit.
#ifndef LUNGO_VM_SHARE_H
#define LUNGO_VM_SHARE_H

#include "object.h"
#include "state.h"

// Marks everything reachable from o. May raise LUA_ERRMEM (its work list is malloc'ed); then the bits set so far have
// been taken back, which is safe because nothing was published yet.
void share_slow(lua_State *L, Obj *o);
// Called when the first `go` (or afterfunc, host thread...) happens: registry, type metatables, main state, then
// Global.multi = true. Idempotent.
void share_universe(lua_State *L);
// The live part of a coroutine's stack, when it stops running and the coroutine is shared.
void share_stack(lua_State *L, lua_State *co);

static ALWAYS_INLINE void share_obj(lua_State *L, Obj *o) {
  if (!obj_isshared(o)) share_slow(L, o);
}
static ALWAYS_INLINE void share_value(lua_State *L, const Value *v) {
  if (v->tag > TAG_STRING && !obj_isshared(v->o)) share_slow(L, v->o);
}
// To be called before storing v into container: does nothing unless the container is shared.
static ALWAYS_INLINE void share_into(lua_State *L, const void *container, const Value *v) {
  if (unlikely(obj_isshared(container))) share_value(L, v);
}

static ALWAYS_INLINE void cell_get(const Cell *c, Value *v) { bits_decode(v, slot_load(&c->v)); }
static ALWAYS_INLINE void cell_set(lua_State *L, Cell *c, const Value *v) {
  share_into(L, c, v);
  slot_store(&c->v, v_encode(L, v));
}

#endif
