// SPDX-License-Identifier: MIT
//
// table.h: tables: lock-free reads, writes that lock only shared tables.
//
// Invariants: array and hash part are blocks replaced whole; a replaced block stays valid until the reader's next
//             safepoint (collections stop the world). An integer key k is in the array part iff 1 <= k <= size, else
//             in the hash part; when keys move to a new array block, the new block is published before they leave the
//             hash part, and a reader that misses in the hash looks again if the array block changed meanwhile.
//             Writers of a shared table hold its lock byte, never across a safepoint, an allocation or a callback:
//             values are encoded, shared and blocks allocated before the lock is taken (then re-checked under it).
// All functions are raw (no metamethods), thread safe unless said otherwise.
#ifndef LUNGO_VM_TABLE_H
#define LUNGO_VM_TABLE_H

#include "share.h"
#include "str.h"

extern ABlock table_noarray; // size 0, OF_FIXED
extern HBlock table_nohash;  // one empty node, OF_FIXED

Table *table_new(lua_State *L, uint32_t narray, uint32_t nhash);

// Each get returns whether a non-nil value was found; *out is nil otherwise.
bool table_get(lua_State *L, const Table *t, const Value *k, Value *out);
bool table_getint_slow(lua_State *L, const Table *t, int64_t k, Value *out); // not in the array part
bool table_getstr(lua_State *L, const Table *t, String *k, Value *out);      // any string
// With an interned key and the instruction's hint; updates *hint. The whole slow path of GETFIELD and friends.
bool table_getfield(lua_State *L, const Table *t, String *k, _Atomic uint16_t *hint, Value *out);

// t[k] with `__index` tables followed, as objects and classes need it. False: more than that is needed (an __index
// function, a long chain), *out is undefined; true: *out is the value, nil if it is nowhere.
bool table_getmember(lua_State *L, const Table *t, String *k, _Atomic uint16_t *hint, Value *out);

// The same for a value that is no table (a userdata, a string) and has the metatable mt.
bool table_getmethod(lua_State *L, Table *mt, String *k, _Atomic uint16_t *hint, Value *out);

static ALWAYS_INLINE bool table_getint(lua_State *L, const Table *t, int64_t k, Value *out) {
  const ABlock *a = atomic_load_explicit(&t->arr, memory_order_acquire);
  if (likely((uint64_t)k - 1u < a->size)) {
    bits_decode(out, slot_load(&a->v[k - 1]));
    return !v_isnil(out);
  }
  return table_getint_slow(L, t, k, out);
}

// Raw set; nil removes. Raises `table index is nil`, `table index is NaN`, `table overflow`, out of memory.
void table_set(lua_State *L, Table *t, const Value *k, const Value *v);
void table_setint(lua_State *L, Table *t, int64_t k, const Value *v);
void table_setstr(lua_State *L, Table *t, String *k, const Value *v);
// Store only if the key is present with a non-nil value (the case in which __newindex does not matter). Returns
// whether it stored. The fast half of SETFIELD/SETTABLE: `if (!table_setfield_existing(...)) metamethod or table_set`.
bool table_set_existing(lua_State *L, Table *t, const Value *k, const Value *v);
bool table_setint_existing(lua_State *L, Table *t, int64_t k, const Value *v);
bool table_setfield_existing(lua_State *L, Table *t, String *k, _Atomic uint16_t *hint, const Value *v);

int64_t table_len(lua_State *L, Table *t);                                  // a border, as #t
void table_resize(lua_State *L, Table *t, uint32_t narray, uint32_t nhash); // at least; existing entries stay
// Writes v[0..n-1] to t[first..]: SETLIST.
void table_setlist(lua_State *L, Table *t, int64_t first, const Value *v, uint32_t n);
// Copy of the counts, for debugging and lua_rawlen.

// Iteration: the key after k (nil: the first). Returns 1, or 0 at the end; raises `invalid key to 'next'`.
int table_next(lua_State *L, Table *t, const Value *k, Value *key, Value *val);

// Loop iteration for `for k, v in pairs(t)` / next: an iterator that survives any concurrent change. *pin starts as
// NULL and is then the hash block walked (the caller keeps it marked: TAG_INTERNAL register); *pos starts at 0.
// Each entry that nobody touches is visited exactly once; a changed one at most once per key. False at the end.
bool table_iter(lua_State *L, Table *t, Obj **pin, uint64_t *pos, Value *key, Value *val);

// From now on every change of t raises `attempt to modify a read-only table`. Only tables whose last change happened
// before, in the same goroutine. Raises LUA_ERRMEM.
void table_freeze(lua_State *L, Table *t);
bool table_isfrozen(const Table *t);
void table_setmeta(lua_State *L, Table *t, Table *mt); // mt may be NULL; shares mt if needed
// Locks, for code that must do several steps as one on a shared table. Unshared: no-ops.
void table_lock(Table *t);
void table_unlock(Table *t);
// Debug builds and stress: aborts with a message when an invariant is broken.
void table_check(const Table *t);

#endif
