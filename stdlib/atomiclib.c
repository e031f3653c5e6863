// SPDX-License-Identifier: MIT
//
// atomiclib.c: the `atomic` library: integers, booleans and values with sequentially consistent operations.
//
// What:       atomic.int and atomic.bool are C11 atomics in a userdata. atomic.value is the user value of one: a Slot,
//             on which exchange and compare-and-swap work as on any 64-bit word.
// Invariants: a value is published before it is stored (obj_setuv, or share_value here). A loop that compares decoded
//             values may hold the bits of an object that was just replaced: it stays valid until the next safepoint,
//             and there is none inside.
// See also:   spec "atomic". Tests: tests/runtime/atomic_*.lua.
#include "lungolib.h"
#include "quick.h"

// For the race detector: what came before the operation is given away with what it stores, what others gave away is
// seen with what it loads. Around an operation that does both: edge_store, then edge_load.
static inline void edge_store(const void *p) {
  if (unlikely(race_on)) rt_race_release(p);
}
static inline void edge_load(const void *p) {
  if (unlikely(race_on)) rt_race_acquire(p);
}

// ---- atomic.int ---------------------------------------------------------------------------------------------

typedef struct IntObj {
  ObjHead head;
  char pad[64];
  _Atomic int64_t v;
} IntObj;
static const ObjKind int_kind = {"atomic.int", NULL};

static _Atomic int64_t *check_int(lua_State *L) { return &((IntObj *)obj_check(L, 1, &int_kind))->v; }

// In place of the object, whose slot every call has.
static int push_int(lua_State *L, int64_t v) {
  L->top = L->ci->func + 2;
  v_setint(L->top - 1, v);
  return 1;
}

static int int_new(lua_State *L) {
  lua_Integer v = luaL_optinteger(L, 1, 0);
  IntObj *o = obj_new(L, &int_kind, sizeof(IntObj), 0);
  atomic_store(&o->v, v);
  return 1;
}

static int push_loaded(lua_State *L, const void *p, int64_t v) {
  edge_load(p);
  return push_int(L, v);
}

static int int_load(lua_State *L) {
  _Atomic int64_t *p = check_int(L);
  return push_loaded(L, p, atomic_load(p));
}

// Argument 2 of an operation that stores.
static int64_t arg_tostore(lua_State *L, const void *p) {
  int64_t v = lib_checkinteger(L, 2);
  edge_store(p);
  return v;
}

static int int_store(lua_State *L) {
  _Atomic int64_t *p = check_int(L);
  atomic_store(p, arg_tostore(L, p));
  return 0;
}

static int int_add(lua_State *L) { // the new value; wraps around
  _Atomic int64_t *p = check_int(L);
  int64_t d = arg_tostore(L, p);
  return push_loaded(L, p, (int64_t)((uint64_t)atomic_fetch_add(p, d) + (uint64_t)d));
}

static int int_swap(lua_State *L) {
  _Atomic int64_t *p = check_int(L);
  return push_loaded(L, p, atomic_exchange(p, arg_tostore(L, p)));
}

static int int_cas(lua_State *L) {
  _Atomic int64_t *p = check_int(L);
  int64_t old = lib_checkinteger(L, 2), to = lib_checkinteger(L, 3);
  edge_store(p);
  lua_pushboolean(L, atomic_compare_exchange_strong(p, &old, to));
  edge_load(p);
  return 1;
}

static int int_band(lua_State *L) {
  _Atomic int64_t *p = check_int(L);
  return push_loaded(L, p, atomic_fetch_and(p, arg_tostore(L, p)));
}

static int int_bor(lua_State *L) {
  _Atomic int64_t *p = check_int(L);
  return push_loaded(L, p, atomic_fetch_or(p, arg_tostore(L, p)));
}

// Their quick halves: an object of the kind and integers, of the right number.
static _Atomic int64_t *quick_int(const Value *arg, int nargs, int want) {
  IntObj *o = nargs == want ? obj_memat(arg, &int_kind, 0) : NULL;
  for (int a = 1; a < want; a++)
    if (!v_isint(arg + a)) return NULL;
  return likely(o != NULL) ? &o->v : NULL;
}

static int int_load_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  _Atomic int64_t *p = quick_int(arg, nargs, 1);
  if (unlikely(p == NULL)) return QUICK_DECLINED;
  v_setint(res, atomic_load(p));
  return 1;
}

static int int_store_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  (void)res;
  _Atomic int64_t *p = quick_int(arg, nargs, 2);
  if (unlikely(p == NULL)) return QUICK_DECLINED;
  atomic_store(p, arg[1].i);
  return 0;
}

static int int_add_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  _Atomic int64_t *p = quick_int(arg, nargs, 2);
  if (unlikely(p == NULL)) return QUICK_DECLINED;
  v_setint(res, (int64_t)((uint64_t)atomic_fetch_add(p, arg[1].i) + arg[1].u));
  return 1;
}

static int int_swap_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  _Atomic int64_t *p = quick_int(arg, nargs, 2);
  if (unlikely(p == NULL)) return QUICK_DECLINED;
  v_setint(res, atomic_exchange(p, arg[1].i));
  return 1;
}

static int int_cas_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  _Atomic int64_t *p = quick_int(arg, nargs, 3);
  if (unlikely(p == NULL)) return QUICK_DECLINED;
  int64_t old = arg[1].i;
  v_setbool(res, atomic_compare_exchange_strong(p, &old, arg[2].i));
  return 1;
}

// ---- atomic.bool ----------------------------------------------------------------------------------------------

typedef struct BoolObj {
  ObjHead head;
  atomic_bool v;
} BoolObj;
static const ObjKind bool_kind = {"atomic.bool", NULL};

static atomic_bool *check_bool(lua_State *L) { return &((BoolObj *)obj_check(L, 1, &bool_kind))->v; }

static bool arg_bool(lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TBOOLEAN);
  return lua_toboolean(L, arg);
}

static int bool_new(lua_State *L) {
  bool v = !lua_isnoneornil(L, 1) && arg_bool(L, 1);
  BoolObj *o = obj_new(L, &bool_kind, sizeof(BoolObj), 0);
  atomic_store(&o->v, v);
  return 1;
}

static int bool_load(lua_State *L) {
  atomic_bool *p = check_bool(L);
  lua_pushboolean(L, atomic_load(p));
  edge_load(p);
  return 1;
}

static int bool_store(lua_State *L) {
  atomic_bool *p = check_bool(L);
  bool v = arg_bool(L, 2);
  edge_store(p);
  atomic_store(p, v);
  return 0;
}

static int bool_swap(lua_State *L) {
  atomic_bool *p = check_bool(L);
  bool v = arg_bool(L, 2);
  edge_store(p);
  lua_pushboolean(L, atomic_exchange(p, v));
  edge_load(p);
  return 1;
}

static int bool_cas(lua_State *L) {
  atomic_bool *p = check_bool(L);
  bool old = arg_bool(L, 2), to = arg_bool(L, 3);
  edge_store(p);
  lua_pushboolean(L, atomic_compare_exchange_strong(p, &old, to));
  edge_load(p);
  return 1;
}

// ---- atomic.value ---------------------------------------------------------------------------------------------

static const ObjKind value_kind = {"atomic.value", NULL};

static Slot *check_value(lua_State *L) { return &obj_checkud(L, 1, &value_kind)->uv[0]; }

// The bits of argument `arg` (none is nil), published.
static uint64_t arg_bits(lua_State *L, int arg) {
  const Value *v = lib_arg(L, arg);
  share_value(L, v);
  return v_encode(L, v);
}

static int push_bits(lua_State *L, uint64_t bits) {
  Value v;
  bits_decode(&v, bits);
  lib_push(L, &v);
  return 1;
}

static int value_new(lua_State *L) {
  lua_settop(L, 1);
  obj_new(L, &value_kind, sizeof(ObjHead), 1);
  obj_setuv(L, v_ud(L->top - 1), 0, lib_arg(L, 1));
  return 1;
}

static int value_load(lua_State *L) {
  Slot *s = check_value(L);
  uint64_t bits = atomic_load(&s->bits);
  edge_load(s);
  return push_bits(L, bits);
}

static int value_store(lua_State *L) {
  Slot *s = check_value(L);
  lua_settop(L, 2);
  uint64_t to = arg_bits(L, 2);
  edge_store(s);
  atomic_store(&s->bits, to);
  return 0;
}

static int value_swap(lua_State *L) {
  Slot *s = check_value(L);
  lua_settop(L, 2);
  uint64_t to = arg_bits(L, 2);
  edge_store(s);
  uint64_t old = atomic_exchange(&s->bits, to);
  edge_load(s);
  return push_bits(L, old);
}

// Compares as rawequal does: two equal strings or boxed integers need not have the same bits.
static int value_cas(lua_State *L) {
  Slot *s = check_value(L);
  lua_settop(L, 3);
  uint64_t to = arg_bits(L, 3), cur = atomic_load(&s->bits);
  Value v;
  bool done = false;
  edge_store(s);
  do {
    bits_decode(&v, cur);
  } while (value_rawequal(&v, lib_arg(L, 2)) && !(done = atomic_compare_exchange_weak(&s->bits, &cur, to)));
  edge_load(s);
  lua_pushboolean(L, done);
  return 1;
}

int lungo_openatomic(lua_State *L) {
  static const luaL_Reg int_m[] = {{"load", int_load}, {"store", int_store}, {"add", int_add},
                                   {"swap", int_swap}, {"cas", int_cas},     {"compareandswap", int_cas},
                                   {"band", int_band}, {"bor", int_bor},     {NULL, NULL}};
  static const luaL_Reg bool_m[] = {{"load", bool_load}, {"store", bool_store},        {"swap", bool_swap},
                                    {"cas", bool_cas},   {"compareandswap", bool_cas}, {NULL, NULL}};
  static const luaL_Reg value_m[] = {{"load", value_load}, {"store", value_store},        {"swap", value_swap},
                                     {"cas", value_cas},   {"compareandswap", value_cas}, {NULL, NULL}};
  static const luaL_Reg funcs[] = {{"int", int_new}, {"bool", bool_new}, {"value", value_new}, {NULL, NULL}};
  quick_add(int_load, int_load_quick);
  quick_add(int_store, int_store_quick);
  quick_add(int_add, int_add_quick);
  quick_add(int_swap, int_swap_quick);
  quick_add(int_cas, int_cas_quick);
  obj_class(L, &int_kind, int_m, NULL);
  obj_class(L, &bool_kind, bool_m, NULL);
  obj_class(L, &value_kind, value_m, NULL);
  luaL_newlib(L, funcs);
  return 1;
}
