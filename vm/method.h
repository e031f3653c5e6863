// SPDX-License-Identifier: MIT
//
// method.h: methods of shared classes, found by one comparison.
//
// What:       mutex:lock, ch:send, file:write: the way from a userdata over its metatable and __index to the function
//             is seven loads, each waiting for the one before. Who has gone that way remembers (metatable, name) ->
//             function in a list of the universe; the SELF instruction keeps the place in its hint and compares both.
//             (bench/conc/uncontended.lua.) In the same way TFORCALL remembers that calling a value receives from a
//             channel, and then receives itself.
// Invariants: *an entry that names a metatable is true*: the name's value in the table that is the metatable's __index
//             is that function; the metatable that `receives` names has the __call of channels. Only shared tables are
//             remembered. They get OF_CLASS, under their lock, before the value is looked up; who writes to a shared
//             table sees that flag under the same lock, and then strikes out all entries before going on
//             (methods_strike). So whoever knows of the write never finds the old function.
//             No entry ever names NULL: a value without a metatable hits none.
//             Between two collections an entry is written once and at most struck out: a reader, who takes no lock and
//             passes no safepoint, may find it struck out, but never mixed from two.
//             The collector empties the list, for entries keep nothing alive.
//             `live` is set before the tables get OF_CLASS: a writer that finds it false comes before the look-up, or
//             after another writer, who struck all out before he wrote it (release; read with acquire: so this writer
//             knows of that, too, and whoever learns from him).
// Locking:    gl->methods.lock guards all writing; a table's lock may be taken inside it, not the other way round.
// See also:   interp.c (SELF, TFORCALL), table.c. Tests: tests/vm/method_cache.lua, tests/runtime/chan_for.lua.
#ifndef LUNGO_VM_METHOD_H
#define LUNGO_VM_METHOD_H

#include "state.h"

// The hint (the offset in the list) for the method `key` of values whose metatable is mt, which is remembered; 0: it
// cannot be. *fn is the method.
uint16_t method_remember(lua_State *L, Table *mt, String *key, Value *fn);
// Whether calling a value of metatable mt receives from it, mt's __call being the function of method_setreceive. Once
// it was true, the answer is remembered (method_receives) like a method.
bool method_findreceive(lua_State *L, Table *mt);
static ALWAYS_INLINE bool method_receives(const Global *gl, const Table *mt) {
  return mt != NULL && mt == atomic_load_explicit(&gl->methods.receives, memory_order_acquire);
}
// f is the __call of channels (L's universe; before it has goroutines).
void method_setreceive(lua_State *L, lua_CFunction f);
// Shared table t, which has OF_CLASS, was written to. No lock held.
void methods_strike(Global *gl);
// World stopped.
void methods_clear(Global *gl);
void methods_init(Global *gl);

// What is remembered of method `key`, or NULL.
static ALWAYS_INLINE const Method *method_hinted(const Global *gl, const Table *mt, const String *key, unsigned hint) {
  const Method *m = (const Method *)((const char *)gl->methods.v + (hint & (METHOD_MAX - 1) * sizeof(Method)));
  bool hit = atomic_load_explicit(&((Method *)m)->mt, memory_order_acquire) == mt && m->key == key;
  return hit ? m : NULL;
}

#endif
