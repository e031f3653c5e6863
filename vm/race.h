// SPDX-License-Identifier: MIT
//
// race.h: what the VM tells the race detector (`lungo --race`): which variables a goroutine reads and writes.
//
// What:       race.c turns an operation (an index, an assignment, a step of `next`) into accesses of *variables*: a
//             captured local, a key of a table, a table's length, its set of keys. The rt_race_* functions are part of
//             the seam: runtime/race.c decides whether two accesses race.
// Invariants: only accesses of shared objects (share.h) are told. An unshared object is one goroutine's, and all that
//             this goroutine did to it comes before the store, send or `go` that publishes it: if that is ordered
//             before another goroutine's access so is the rest, and if it is not, that store is the race to report.
//             race_on is set before the first state is made and never changes. Who does not run under --race pays for
//             it nothing in the interpreter loop (which is compiled twice, interp_race.c) and one predictable branch in
//             functions of the C API.
// Callers:    the running goroutine, with pc and top saved, before it does what it tells. Nothing here allocates in the
//             Lua heap, raises or parks.
// See also:   race.c, interp_race.c, runtime/race.h, docs/architecture.md "Data races".
#ifndef LUNGO_VM_RACE_H
#define LUNGO_VM_RACE_H

#include "state.h"

extern bool race_on;

typedef enum RaceKind {
  RACE_CELL,   // a captured local
  RACE_KEY,    // of a table; key: the bits of its Slot
  RACE_OBJKEY, // the same, and the bits are an object's, whose death ends the variable
  RACE_BIGKEY, // an integer or light pointer that fits into no Slot; key: its payload
  RACE_STRKEY, // key: a hash of its text
  RACE_LENGTH, // the border of a table, as # sees it
  RACE_KEYS    // the set of keys, as `next` sees it
} RaceKind;

typedef struct RaceVar {
  const Obj *obj; // a Cell or a Table
  uint64_t key;
  RaceKind kind;
} RaceVar;

// RACE_CHANGE: of a length or a set of keys, by adding or removing a key. Two of them do not race with each other, as
// the keys are variables of their own; with a RACE_READ they do.
typedef enum RaceOp { RACE_READ, RACE_WRITE, RACE_CHANGE } RaceOp;

// ---- operations (race.c) -------------------------------------------------------------------------

void race_cell(lua_State *L, const Cell *c, RaceOp op);
// o[key] and o[key] = v, with tables as __index and __newindex followed. Values that are no tables are left alone.
void race_index(lua_State *L, const Value *o, const Value *key);
void race_setindex(lua_State *L, const Value *o, const Value *key, const Value *v);
void race_rawget(lua_State *L, const Table *t, const Value *key);
void race_rawset(lua_State *L, const Table *t, const Value *key, const Value *v);
// The same for keys that the caller has not as a Value.
void race_indexint(lua_State *L, const Value *o, int64_t key);
void race_setindexint(lua_State *L, const Value *o, int64_t key, const Value *v);
void race_rawindexint(lua_State *L, const Table *t, int64_t key, const Value *v); // v: to set; NULL: get
void race_indexstr(lua_State *L, const Value *o, String *key);
void race_setindexstr(lua_State *L, const Value *o, String *key, const Value *v);
void race_length(lua_State *L, const Value *o); // #o, if that looks at the table itself
void race_rawlength(lua_State *L, const Table *t);
// A step of `next` or of a loop over t: key is the key found, NULL at the end.
void race_next(lua_State *L, const Table *t, const Value *key);

// ---- the seam ------------------------------------------------------------------------------------

void rt_race_access(lua_State *L, const RaceVar *var, RaceOp op, const Value *key);
// What the running goroutine did so far happens before what others do after they acquire the same object.
void rt_race_release(const void *obj);
void rt_race_acquire(const void *obj);
void rt_race_forget(const void *obj); // before its memory, which is not the Lua heap's, is freed
// World stopped, all that is in use is marked: what is not can race no more.
void rt_race_sweep(Global *gl);

#endif
