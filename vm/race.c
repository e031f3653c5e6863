// SPDX-License-Identifier: MIT
//
// race.c: what variables an operation of Lua reads and writes, for the race detector.
//
// What:       repeats the lookup that the operation is about to do, along __index and __newindex as far as they are
//             tables, and tells the key of each table it looks at. An assignment that adds or removes a key changes
//             the set of keys, too, and the length if the key is a positive integer.
// Not told:   metatables (which one a table has, and their events), user values, what the libraries keep in the
//             registry. `require` is safe for several goroutines: package.loaded is an object to synchronize on, as
//             who finds a module there finds it complete.
// Invariants: two keys that are equal in Lua are one variable: floats with integer values are integers, strings count
//             by content. Two strings of one table with the same 64 bits of hash would be one, too: that is unlikely
//             enough.
// See also:   race.h, table.c (the lookups proper).
#include "race.h"
#include "meta.h"
#include "str.h"
#include "table.h"
#include <lauxlib.h>

bool race_on;

#define MAX_CHAIN 100 // tables along __index; longer chains are errors or nearly so

// ---- variables -----------------------------------------------------------------------------------

// FNV-1a of a sample, beside the table's own hash, which is seeded and has 32 bits.
static uint64_t text_hash(Global *gl, String *s) {
  uint64_t h = UINT64_C(0xCBF29CE484222325) ^ s->len;
  size_t step = s->len / 64 + 1;
  for (size_t i = 0; i < s->len; i += step) h = (h ^ (uint8_t)s->data[i]) * UINT64_C(0x100000001B3);
  return h ^ (uint64_t)str_hash(gl, s) << 32;
}

static void name_number(RaceVar *var, const Value *key) {
  var->kind = v_encode_fast(key, &var->key) ? RACE_KEY : RACE_BIGKEY;
  if (var->kind == RACE_BIGKEY) var->key = key->u;
}

// False: no key of any table (nil, NaN).
static bool name_key(Global *gl, RaceVar *var, const Value *key) {
  Value k;
  v_copy(&k, key);
  switch (k.tag) {
  case TAG_NIL: return false;
  case TAG_STRING:
    var->kind = RACE_STRKEY;
    var->key = text_hash(gl, v_str(&k));
    return true;
  case TAG_FLOAT:
    if (k.n != k.n) return false;
    if (value_float2int(k.n, &k.i)) k.tag = TAG_INT;
    name_number(var, &k);
    return true;
  default:
    name_number(var, &k);
    if (k.tag > TAG_STRING) var->kind = RACE_OBJKEY;
    return true;
  }
}

static void tell(lua_State *L, const Table *t, RaceKind kind, RaceOp op) {
  RaceVar var = {.obj = &t->hdr, .kind = kind};
  rt_race_access(L, &var, op, NULL);
}

// ---- tables of the libraries' own ----------------------------------------------------------------

static bool is_registry(lua_State *L, const Table *t) { return t == v_table(&L->gl->registry); }

static bool is_loaded(lua_State *L, const Table *t) {
  static _Atomic(const Table *) loaded; // found once
  const Table *l = atomic_load_explicit(&loaded, memory_order_relaxed);
  if (unlikely(l == NULL)) {
    Value v;
    uint32_t hash;
    String *name = str_find(L->gl, LUA_LOADED_TABLE, strlen(LUA_LOADED_TABLE), &hash);
    if (name == NULL || !table_getstr(L, v_table(&L->gl->registry), name, &v) || !v_istable(&v)) return false;
    l = v_table(&v);
    atomic_store_explicit(&loaded, l, memory_order_relaxed);
  }
  return t == l;
}

// Whether accesses of t are told.
static bool is_watched(lua_State *L, const Table *t, RaceOp op) {
  if (!obj_isshared(t) || is_registry(L, t)) return false;
  if (likely(!is_loaded(L, t))) return true;
  if (op == RACE_READ)
    rt_race_acquire(t);
  else
    rt_race_release(t);
  return false;
}

// ---- operations ----------------------------------------------------------------------------------

void race_cell(lua_State *L, const Cell *c, RaceOp op) {
  RaceVar var = {.obj = &c->hdr, .kind = RACE_CELL};
  if (obj_isshared(c)) rt_race_access(L, &var, op, NULL);
}

void race_rawget(lua_State *L, const Table *t, const Value *key) {
  RaceVar var = {.obj = &t->hdr};
  if (is_watched(L, t, RACE_READ) && name_key(L->gl, &var, key)) rt_race_access(L, &var, RACE_READ, key);
}

static bool is_position(const Value *key) {
  int64_t i = 0;
  if (v_isint(key)) i = key->i;
  if (v_isfloat(key)) value_float2int(key->n, &i);
  return i > 0;
}

void race_rawset(lua_State *L, const Table *t, const Value *key, const Value *v) {
  RaceVar var = {.obj = &t->hdr};
  Value old;
  if (!is_watched(L, t, RACE_WRITE) || !name_key(L->gl, &var, key)) return;
  bool had = table_get(L, t, key, &old);
  rt_race_access(L, &var, RACE_WRITE, key);
  if (had != v_isnil(v)) return;
  tell(L, t, RACE_KEYS, RACE_CHANGE);
  if (is_position(key)) tell(L, t, RACE_LENGTH, RACE_CHANGE);
}

static Table *metatable(const Table *t) { return atomic_load_explicit(&((Table *)t)->meta, memory_order_acquire); }

void race_index(lua_State *L, const Value *o, const Value *key) {
  Value at, old;
  v_copy(&at, o);
  for (int i = 0; i < MAX_CHAIN && v_istable(&at); i++) {
    const Table *t = v_table(&at);
    race_rawget(L, t, key);
    if (table_get(L, t, key, &old) || !meta_fast(L, metatable(t), TM_INDEX, &at)) return;
  }
}

void race_setindex(lua_State *L, const Value *o, const Value *key, const Value *v) {
  Value at, old, next;
  v_copy(&at, o);
  for (int i = 0; i < MAX_CHAIN && v_istable(&at); i++) {
    const Table *t = v_table(&at);
    if (table_get(L, t, key, &old) || !meta_fast(L, metatable(t), TM_NEWINDEX, &next)) {
      race_rawset(L, t, key, v);
      return;
    }
    race_rawget(L, t, key);
    v_copy(&at, &next);
  }
}

void race_indexint(lua_State *L, const Value *o, int64_t key) {
  Value k;
  v_setint(&k, key);
  race_index(L, o, &k);
}

void race_setindexint(lua_State *L, const Value *o, int64_t key, const Value *v) {
  Value k;
  v_setint(&k, key);
  race_setindex(L, o, &k, v);
}

void race_rawindexint(lua_State *L, const Table *t, int64_t key, const Value *v) {
  Value k;
  v_setint(&k, key);
  if (v == NULL)
    race_rawget(L, t, &k);
  else
    race_rawset(L, t, &k, v);
}

void race_indexstr(lua_State *L, const Value *o, String *key) {
  Value k;
  v_setobj(&k, TAG_STRING, key);
  race_index(L, o, &k);
}

void race_setindexstr(lua_State *L, const Value *o, String *key, const Value *v) {
  Value k;
  v_setobj(&k, TAG_STRING, key);
  race_setindex(L, o, &k, v);
}

void race_rawlength(lua_State *L, const Table *t) {
  if (is_watched(L, t, RACE_READ)) tell(L, t, RACE_LENGTH, RACE_READ);
}

void race_length(lua_State *L, const Value *o) {
  Value tm;
  if (v_istable(o) && !meta_fast(L, metatable(v_table(o)), TM_LEN, &tm)) race_rawlength(L, v_table(o));
}

void race_next(lua_State *L, const Table *t, const Value *key) {
  if (!is_watched(L, t, RACE_READ)) return;
  tell(L, t, RACE_KEYS, RACE_READ);
  if (key != NULL) race_rawget(L, t, key);
}
