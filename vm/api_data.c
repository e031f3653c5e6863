// SPDX-License-Identifier: MIT
//
// api_data.c: lua.h, second part: tables, metatables, userdata, operators.
//
// What:       each access first tries the plain case (a table that has the key, or has no metatable) and leaves the
//             rest to interp_gettable / interp_settable, which may call metamethods.
// Invariants: results of calls are received in a C local and copied to the stack afterwards: the call may move it.
//             Sharing what is stored into shared objects is table.c's work, or share_into's right here.
//             Under --race each access is told before it is done (race.h).
// See also:   api.c, table.h, share.h, interp.h.
#include "api_int.h"
#include "func.h"
#include "gc.h"
#include "interp.h"
#include "meta.h"
#include "race.h"
#include "share.h"
#include "str.h"
#include "table.h"

static ALWAYS_INLINE int pushed_type(lua_State *L) {
  api_incrtop(L);
  return v_type(L->top - 1);
}

static ALWAYS_INLINE Table *table_at(lua_State *L, int idx) {
  const Value *o = api_index(L, idx);
  lg_assert(v_istable(o));
  return v_table(o);
}

static ALWAYS_INLINE Table *table_metaof(Table *t) { return atomic_load_explicit(&t->meta, memory_order_acquire); }

#define RACE(tell) (unlikely(race_on) ? (tell) : (void)0)

static ALWAYS_INLINE void globals(lua_State *L, Value *out) {
  table_getint(L, v_table(&L->gl->registry), LUA_RIDX_GLOBALS, out);
}

// ---- get -------------------------------------------------------------------------------------------

// Pushes t[k] the slow way.
static NOINLINE int push_indexed(lua_State *L, const Value *t, const Value *k) {
  Value res;
  api_own(L);
  interp_gettable(L, t, k, &res);
  v_copy(L->top, &res);
  return pushed_type(L);
}

static ALWAYS_INLINE int push_field(lua_State *L, const Value *t, const char *name) {
  api_own(L);
  String *key = str_internz(L, name);
  RACE(race_indexstr(L, t, key));
  if (likely(v_istable(t)) && (table_getstr(L, v_table(t), key, L->top) || table_metaof(v_table(t)) == NULL)) {
    return pushed_type(L);
  }
  Value k;
  v_setobj(&k, TAG_STRING, key);
  return push_indexed(L, t, &k);
}

LUA_API int lua_getfield(lua_State *L, int idx, const char *k) { return push_field(L, api_index(L, idx), k); }

LUA_API int lua_getglobal(lua_State *L, const char *name) {
  Value g;
  globals(L, &g);
  return push_field(L, &g, name);
}

LUA_API int lua_gettable(lua_State *L, int idx) {
  const Value *t = api_index(L, idx);
  Value res;
  RACE(race_index(L, t, L->top - 1));
  if (!(likely(v_istable(t)) && (table_get(L, v_table(t), L->top - 1, &res) || table_metaof(v_table(t)) == NULL))) {
    api_own(L);
    interp_gettable(L, t, L->top - 1, &res);
  }
  v_copy(L->top - 1, &res);
  return v_type(L->top - 1);
}

LUA_API int lua_geti(lua_State *L, int idx, lua_Integer n) {
  api_poll(L);
  const Value *t = api_index(L, idx);
  RACE(race_indexint(L, t, n));
  if (likely(v_istable(t)) && (table_getint(L, v_table(t), n, L->top) || table_metaof(v_table(t)) == NULL)) {
    return pushed_type(L);
  }
  Value k;
  v_setint(&k, n);
  return push_indexed(L, t, &k);
}

LUA_API int lua_rawget(lua_State *L, int idx) {
  Value res;
  RACE(race_rawget(L, table_at(L, idx), L->top - 1));
  table_get(L, table_at(L, idx), L->top - 1, &res);
  v_copy(L->top - 1, &res);
  return v_type(&res);
}

LUA_API int lua_rawgeti(lua_State *L, int idx, lua_Integer n) {
  table_getint(L, table_at(L, idx), n, L->top);
  RACE(race_rawindexint(L, table_at(L, idx), n, NULL));
  return pushed_type(L);
}

LUA_API int lua_rawgetp(lua_State *L, int idx, const void *p) {
  Value k;
  v_setobj(&k, TAG_LIGHTUD, (void *)p);
  table_get(L, table_at(L, idx), &k, L->top);
  return pushed_type(L);
}

LUA_API void lua_createtable(lua_State *L, int narr, int nrec) {
  api_own(L);
  Table *t = table_new(L, narr > 0 ? (uint32_t)narr : 0, nrec > 0 ? (uint32_t)nrec : 0);
  v_setobj(L->top, TAG_TABLE, t);
  api_incrtop(L);
  gc_check(L);
}

LUA_API int lua_next(lua_State *L, int idx) {
  Table *t = table_at(L, idx);
  Value k;
  v_copy(&k, L->top - 1);
  api_own(L);
  if (table_next(L, t, &k, L->top - 1, L->top)) {
    api_incrtop(L);
    RACE(race_next(L, t, L->top - 2));
    return 1;
  }
  RACE(race_next(L, t, NULL));
  L->top--;
  return 0;
}

// ---- set -------------------------------------------------------------------------------------------

// t[name] = value on top; pops it.
static ALWAYS_INLINE void set_field(lua_State *L, const Value *t, const char *name) {
  api_own(L);
  String *key = str_internz(L, name);
  RACE(race_setindexstr(L, t, key, L->top - 1));
  if (likely(v_istable(t)) && table_metaof(v_table(t)) == NULL) {
    table_setstr(L, v_table(t), key, L->top - 1);
  } else {
    Value k;
    v_setobj(&k, TAG_STRING, key);
    interp_settable(L, t, &k, L->top - 1);
  }
  L->top--;
}

LUA_API void lua_setfield(lua_State *L, int idx, const char *k) { set_field(L, api_index(L, idx), k); }

LUA_API void lua_setglobal(lua_State *L, const char *name) {
  Value g;
  globals(L, &g);
  set_field(L, &g, name);
}

LUA_API void lua_settable(lua_State *L, int idx) {
  const Value *t = api_index(L, idx);
  api_own(L);
  RACE(race_setindex(L, t, L->top - 2, L->top - 1));
  if (likely(v_istable(t)) && table_metaof(v_table(t)) == NULL) {
    table_set(L, v_table(t), L->top - 2, L->top - 1);
  } else {
    interp_settable(L, t, L->top - 2, L->top - 1);
  }
  L->top -= 2;
}

LUA_API void lua_seti(lua_State *L, int idx, lua_Integer n) {
  api_poll(L);
  const Value *t = api_index(L, idx);
  api_own(L);
  RACE(race_setindexint(L, t, n, L->top - 1));
  if (likely(v_istable(t)) && table_metaof(v_table(t)) == NULL) {
    table_setint(L, v_table(t), n, L->top - 1);
  } else {
    Value k;
    v_setint(&k, n);
    interp_settable(L, t, &k, L->top - 1);
  }
  L->top--;
}

LUA_API void lua_rawset(lua_State *L, int idx) {
  api_own(L);
  RACE(race_rawset(L, table_at(L, idx), L->top - 2, L->top - 1));
  table_set(L, table_at(L, idx), L->top - 2, L->top - 1);
  L->top -= 2;
}

LUA_API void lua_rawseti(lua_State *L, int idx, lua_Integer n) {
  api_own(L);
  RACE(race_rawindexint(L, table_at(L, idx), n, L->top - 1));
  table_setint(L, table_at(L, idx), n, L->top - 1);
  L->top--;
}

LUA_API void lua_rawsetp(lua_State *L, int idx, const void *p) {
  Value k;
  v_setobj(&k, TAG_LIGHTUD, (void *)p);
  api_own(L);
  table_set(L, table_at(L, idx), &k, L->top - 1);
  L->top--;
}

// ---- metatables and userdata -----------------------------------------------------------------------

LUA_API int lua_getmetatable(lua_State *L, int idx) {
  Table *mt = meta_of(L->gl, api_index(L, idx));
  if (mt == NULL) return 0;
  v_setobj(L->top, TAG_TABLE, mt);
  api_incrtop(L);
  return 1;
}

static void set_basicmeta(lua_State *L, int type, Table *mt) {
  Global *gl = L->gl;
  if (mt != NULL && atomic_load_explicit(&gl->multi, memory_order_relaxed)) share_obj(L, &mt->hdr);
  atomic_store_explicit(&gl->mt[type], mt, memory_order_release); // pairs with the acquire in meta_of
}

static void set_udmeta(lua_State *L, Userdata *u, Table *mt) {
  if (mt != NULL && obj_isshared(u)) share_obj(L, &mt->hdr);
  atomic_store_explicit(&u->meta, mt, memory_order_release); // pairs with the acquire in meta_of
}

LUA_API int lua_setmetatable(lua_State *L, int idx) {
  const Value *o = api_index(L, idx);
  Value *arg = L->top - 1, gc;
  Table *mt = v_isnil(arg) ? NULL : v_table(arg);
  lg_assert(v_isnil(arg) || v_istable(arg));
  api_own(L);
  if (o->tag == TAG_TABLE) {
    table_setmeta(L, v_table(o), mt);
    if (unlikely(meta_fast(L, mt, TM_GC, &gc))) gc_register_finalizer(L, o->o, mt);
  } else if (o->tag == TAG_USERDATA) {
    set_udmeta(L, v_ud(o), mt);
    if (meta_fast(L, mt, TM_GC, &gc)) gc_register_finalizer(L, o->o, mt);
  } else {
    set_basicmeta(L, v_type(o), mt);
  }
  L->top--;
  return 1;
}

LUA_API void *lua_newuserdatauv(lua_State *L, size_t sz, int nuvalue) {
  lg_assert(nuvalue >= 0 && nuvalue < USHRT_MAX);
  api_own(L);
  if (unlikely(sz > (size_t)LUA_MAXINTEGER - ud_headsize((uint32_t)nuvalue))) {
    dbg_runerror(L, "memory allocation error: block too big");
  }
  Userdata *u = ud_new(L, sz, nuvalue);
  v_setobj(L->top, TAG_USERDATA, u);
  api_incrtop(L);
  gc_check(L);
  return ud_mem(u);
}

LUA_API int lua_getiuservalue(lua_State *L, int idx, int n) {
  Userdata *u = v_ud(api_index(L, idx));
  if ((unsigned)n - 1u >= u->nuv) {
    lua_pushnil(L);
    return LUA_TNONE;
  }
  bits_decode(L->top, slot_load(&u->uv[n - 1]));
  return pushed_type(L);
}

LUA_API int lua_setiuservalue(lua_State *L, int idx, int n) {
  Userdata *u = v_ud(api_index(L, idx));
  bool ok = (unsigned)n - 1u < u->nuv;
  if (ok) {
    api_own(L);
    share_into(L, u, L->top - 1);
    slot_store(&u->uv[n - 1], v_encode(L, L->top - 1));
  }
  L->top--;
  return ok;
}

// ---- operators -------------------------------------------------------------------------------------

LUA_API int lua_rawequal(lua_State *L, int idx1, int idx2) {
  const Value *a = api_index(L, idx1), *b = api_index(L, idx2);
  return a != &api_none && b != &api_none && value_rawequal(a, b);
}

LUA_API int lua_compare(lua_State *L, int idx1, int idx2, int op) {
  const Value *a = api_index(L, idx1), *b = api_index(L, idx2);
  if (v_isint(a) && v_isint(b)) return op == LUA_OPLT ? a->i < b->i : op == LUA_OPLE ? a->i <= b->i : a->i == b->i;
  if (a == &api_none || b == &api_none) return 0;
  api_own(L);
  switch (op) {
  case LUA_OPEQ: return interp_equal(L, a, b);
  case LUA_OPLT: return interp_less(L, a, b);
  case LUA_OPLE: return interp_lesseq(L, a, b);
  default: lg_assert(!"operator of lua_compare"); return 0;
  }
}

LUA_API void lua_arith(lua_State *L, int op) {
  Value res;
  api_own(L);
  if (op == LUA_OPUNM || op == LUA_OPBNOT) { // the operand stands for both
    v_copy(L->top, L->top - 1);
    api_incrtop(L);
  }
  if (!meta_rawarith(L, op, L->top - 2, L->top - 1, &res)) interp_arith(L, op, L->top - 2, L->top - 1, &res);
  L->top--;
  v_copy(L->top - 1, &res);
}

LUA_API void lua_concat(lua_State *L, int n) {
  api_own(L);
  if (n == 0) {
    v_setobj(L->top, TAG_STRING, str_intern(L, "", 0));
    api_incrtop(L);
  } else if (n > 1) {
    interp_concat(L, n);
  }
  gc_check(L);
}

LUA_API void lua_len(lua_State *L, int idx) {
  const Value *o = api_index(L, idx);
  Value res;
  api_own(L);
  RACE(race_length(L, o));
  if (likely(v_istable(o)) && table_metaof(v_table(o)) == NULL) {
    v_setint(&res, table_len(L, v_table(o)));
  } else {
    interp_len(L, o, &res);
  }
  v_copy(L->top, &res);
  api_incrtop(L);
}
