// SPDX-License-Identifier: MIT
//
// meta.h: metamethod lookup and the out-of-line halves of operators.
//
// Invariants: bit e of Table.aux32 (e < 32) says that the table has no entry for event e. For an unshared table it is
//             plain; for a shared one it is set and cleared under the table's lock, so a stale reader can never hide
//             a new metamethod for good. table.c clears all bits when it adds a string key.
#ifndef LUNGO_VM_META_H
#define LUNGO_VM_META_H

#include "table.h"

void meta_init(lua_State *L); // interns the event names (OF_FIXED)
bool meta_lookup_slow(lua_State *L, Table *mt, enum Tm e, Value *out);
// The metamethod e in metatable mt (may be NULL). False: none (and *out nil).
static ALWAYS_INLINE bool meta_fast(lua_State *L, Table *mt, enum Tm e, Value *out) {
  if (mt == NULL || (atomic_load_explicit(&mt->hdr.aux32, memory_order_acquire) & (1u << e))) {
    v_setnil(out);
    return false;
  }
  return meta_lookup_slow(L, mt, e, out);
}
Table *meta_of(Global *gl, const Value *v); // metatable of any value, or NULL
bool meta_get(lua_State *L, const Value *v, enum Tm e, Value *out);
// Whether a call of v comes to a function: __call may be another callable value, and so on. Stock Lua follows a chain
// until the arguments that it adds fill the stack, in a time that is the square of that; here it may have this length.
#define META_CALLCHAIN 10000
bool meta_iscallable(lua_State *L, const Value *v);
const char *meta_typename(lua_State *L, const Value *v); // with __name, as luaL_typename in error messages
// Names of the basic types from LUA_TNONE on, as lua_typename. One block, so that lua_pushstring can tell them.
#define META_NAMESIZE 9
extern const char meta_names[LUA_NUMTYPES + 1][META_NAMESIZE];
static inline const char *meta_basicname(int type) { return meta_names[type + 1]; }

// Raw arithmetic on two numbers (bitwise: with integer values; strings never count): op is LUA_OP*. False when the
// operands do not fit (then metamethods or an error). Raises only `attempt to divide by zero` and the one for `n%0`.
bool meta_rawarith(lua_State *L, int op, const Value *a, const Value *b, Value *res);
enum Tm meta_arithevent(int op); // LUA_OP* -> TM_*

// ---- errors with variable names (dbg.c) ------------------------------------------------------------
// These find the name from the current instruction of L->ci when it is a Lua frame: `a`/`o` must point into its
// registers or be an upvalue / constant of it for that; other pointers give messages without a name.
_Noreturn void dbg_typeerror(lua_State *L, const Value *o, const char *op);  // attempt to OP a T value (…)
_Noreturn void dbg_callerror(lua_State *L, const Value *o);                  // attempt to call a T value (…)
_Noreturn void dbg_forerror(lua_State *L, const Value *o, const char *what); // 'for' %s must be a number
_Noreturn void dbg_opinterror(lua_State *L, const Value *a, const Value *b, const char *msg);
_Noreturn void dbg_tointerror(lua_State *L, const Value *a, const Value *b); // number (…) has no integer representation
_Noreturn void dbg_concaterror(lua_State *L, const Value *a, const Value *b);
_Noreturn void dbg_ordererror(lua_State *L, const Value *a, const Value *b);   // attempt to compare …
_Noreturn void dbg_indexerror(lua_State *L, const Value *o, const Value *key); // attempt to index a T value (…)
_Noreturn void dbg_runerror(lua_State *L, const char *fmt, ...);               // adds file:line: when in Lua code
_Noreturn void dbg_errormsg(lua_State *L); // value on top; calls the message handler

#endif
