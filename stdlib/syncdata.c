// SPDX-License-Identifier: MIT
//
// syncdata.c: sync.pool and sync.map, containers made for several goroutines.
//
// What:       a pool is a stack of values under a Lock, of which the collector takes what was of no use. A map is a
//             shared table: loads take no lock; what reads and writes in one step is done by map_step, one step at a
//             time.
// See also:   synclib.c (the rest of `sync`); spec "sync". Tests: tests/runtime/sync_pool_map.lua.
#include "call.h"
#include "gc.h"
#include "heap.h"
#include "lungolib.h"
#include "quick.h"
#include "table.h"

static int return_all(lua_State *L, int status, lua_KContext base) {
  (void)status;
  return lua_gettop(L) - (int)base;
}

// ---- sync.pool --------------------------------------------------------------------------------------------------
// A free list of values; the last one put comes out first, its memory being warm. So those at the bottom that no get
// has come down to since the last collection were too many, and the next one does not mark them: a pool that filled up
// once does not hold that memory for ever, and one in use keeps what it needs. User value 0 is `new` or nil.

typedef struct PoolObj {
  ObjHead head;
  Lock lk; // guards everything below
  uint32_t n, cap;
  uint32_t low; // the smallest n since the last collection
  Value *v;     // heap_mem block, published values; NULL: cap is 0
  GcAfter after;
} PoolObj;

// World stopped: forgets what pool_trace left out.
static void pool_forget(GcAfter *a) {
  PoolObj *p = (PoolObj *)((char *)a - offsetof(PoolObj, after));
  p->n -= p->low;
  if (p->low) memmove(p->v, p->v + p->low, p->n * sizeof(Value));
  p->low = p->n;
  if (p->n > 0) return;
  p->v = NULL;
  p->cap = 0;
}

static void pool_trace(struct Marker *m, void *mem) {
  PoolObj *p = mem;
  if (!p->v) return;
  bool again = gc_isagain(m); // then pool_forget was here already, and `low` means nothing yet
  gc_mark_obj(m, heap_mem_obj(p->v));
  for (uint32_t i = again ? 0 : p->low; i < p->n; i++) gc_mark_value(m, &p->v[i]);
  if (!again) gc_mark_after(m, &p->after, pool_forget);
}
static const ObjKind pool_kind = {"sync.pool", pool_trace};

static int pool_new(lua_State *L) {
  lua_settop(L, 1);
  if (!lua_isnil(L, 1)) lib_checkcallable(L, 1);
  obj_new(L, &pool_kind, sizeof(PoolObj), 1);
  obj_setuv(L, v_ud(L->top - 1), 0, lib_arg(L, 1));
  return 1;
}

static int pool_get(lua_State *L) {
  Userdata *u = obj_checkud(L, 1, &pool_kind);
  PoolObj *p = ud_mem(u);
  Value v = {.tag = TAG_NIL};
  lock(&p->lk);
  if (p->n > 0) v_copy(&v, &p->v[--p->n]);
  if (p->n < p->low) p->low = p->n;
  unlock(&p->lk);
  if (unlikely(race_on)) rt_race_acquire(p);
  if (!v_isnil(&v)) {
    lib_push(L, &v);
    return 1;
  }
  lua_settop(L, 1);
  obj_pushuv(L, u, 0);
  return lua_isnil(L, 2) ? 1 : vm_callk(L, 0, 1, 1, return_all);
}

static bool pool_tryput(PoolObj *p, const Value *v, uint32_t *cap) {
  lock(&p->lk);
  bool room = p->n < p->cap;
  if (room) v_copy(&p->v[p->n++], v);
  *cap = p->cap;
  unlock(&p->lk);
  return room;
}

// The new block is made without the lock; if another goroutine grew the pool meanwhile, ours becomes garbage.
static void pool_grow(lua_State *L, PoolObj *p, uint32_t cap) {
  uint32_t newcap = cap ? 2 * cap : 8;
  Value *v = heap_mem(L, newcap * sizeof(Value));
  lock(&p->lk);
  if (p->cap == cap) {
    if (p->n) memcpy(v, p->v, p->n * sizeof(Value));
    p->v = v;
    p->cap = newcap;
  }
  unlock(&p->lk);
}

static int pool_put(lua_State *L) {
  PoolObj *p = obj_check(L, 1, &pool_kind);
  lua_settop(L, 2);
  const Value *v = lib_arg(L, 2);
  uint32_t cap;
  if (v_isnil(v)) return 0;
  share_value(L, v);
  if (unlikely(race_on)) rt_race_release(p);
  while (!pool_tryput(p, v, &cap)) pool_grow(L, p, cap);
  return 0;
}

// ---- sync.map ---------------------------------------------------------------------------------------------------
// A shared table (user value 0): loads go straight to it and take no lock; what reads and writes in one step holds lk.
// A table may have to allocate, so a step runs protected: the lock is released before an error goes on.

typedef struct MapObj {
  ObjHead head;
  Lock lk;               // one step at a time
  _Atomic int64_t count; // keys present; changed under lk
} MapObj;
static const ObjKind map_kind = {"sync.map", NULL};

typedef struct MapStep {
  MapObj *map;
  Table *t;
  const Value *key, *val, *expect; // expect: write only if the old value equals it; NULL: always
  bool onlyabsent;                 // write only if there was none
  Value old;
  bool wrote;
} MapStep;

static Table *map_table(const Userdata *u) {
  Value t;
  bits_decode(&t, slot_load(&u->uv[0]));
  return v_table(&t);
}

void lib_pushmap(lua_State *L) {
  obj_new(L, &map_kind, sizeof(MapObj), 1);
  Userdata *u = v_ud(L->top - 1);
  lua_newtable(L);
  obj_setuv(L, u, 0, L->top - 1);
  lua_pop(L, 1);
}

static int map_new(lua_State *L) {
  lib_pushmap(L);
  return 1;
}

static void map_apply(lua_State *L, void *ud) {
  MapStep *s = ud;
  bool had = table_get(L, s->t, s->key, &s->old), has = !v_isnil(s->val);
  if (s->expect ? !value_rawequal(&s->old, s->expect) : s->onlyabsent && had) return;
  if (had || has) table_set(L, s->t, s->key, s->val);
  atomic_fetch_add_explicit(&s->map->count, has - had, memory_order_relaxed);
  s->wrote = true;
}

// Key, val and expect are on the stack, which keeps them alive.
static void do_step(lua_State *L, Userdata *map, MapStep *s) {
  s->map = ud_mem(map);
  s->t = map_table(map);
  if (v_isnil(s->key)) luaL_error(L, "table index is nil");
  share_value(L, s->key);
  share_value(L, s->val);
  if (unlikely(race_on)) rt_race_release(map);
  lock(&s->map->lk);
  L->nogc++; // a collection would wait for those who wait for the lock
  int status = vm_rawprotected(L, map_apply, s);
  L->nogc--;
  if (unlikely(race_on)) rt_race_acquire(map);
  unlock(&s->map->lk);
  if (status != LUA_OK) lua_error(L);
}

// The step of a method: the map is argument 1, the key argument 2.
static void map_step(lua_State *L, MapStep *s) {
  s->key = lib_arg(L, 2);
  do_step(L, obj_checkud(L, 1, &map_kind), s);
}

bool lib_mapcas(lua_State *L, Userdata *map, const Value *key, const Value *expect, const Value *val, Value *old) {
  MapStep s = {.key = key, .val = val, .expect = expect};
  do_step(L, map, &s);
  v_copy(old, &s.old);
  return s.wrote;
}

static const Value nil_value = {.tag = TAG_NIL};

static int push_old(lua_State *L, const MapStep *s) {
  lib_push(L, &s->old);
  lua_pushboolean(L, !v_isnil(&s->old));
  return 2;
}

static int map_load(lua_State *L) {
  Userdata *u = obj_checkud(L, 1, &map_kind);
  if (unlikely(L->top != L->ci->func + 3)) lua_settop(L, 2);
  table_get(L, map_table(u), lib_arg(L, 2), L->top - 2); // in place of the map
  if (unlikely(race_on)) rt_race_acquire(u);
  L->top--;
  return 1;
}

static int map_load_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  Userdata *u = nargs == 2 ? obj_ud(arg, &map_kind) : NULL;
  if (unlikely(u == NULL)) return QUICK_DECLINED;
  table_get(L, map_table(u), arg + 1, res);
  return 1;
}

// A method's arguments, the map included: missing ones become nil, but the map.
static void take_args(lua_State *L, int n) {
  obj_checkud(L, 1, &map_kind);
  lua_settop(L, n);
}

static int map_store(lua_State *L) {
  take_args(L, 3);
  map_step(L, &(MapStep){.val = lib_arg(L, 3)});
  return 0;
}

static int map_loadorstore(lua_State *L) {
  take_args(L, 3);
  MapStep s = {.val = lib_arg(L, 3), .onlyabsent = true};
  map_step(L, &s);
  lib_push(L, s.wrote ? s.val : &s.old);
  lua_pushboolean(L, !s.wrote);
  return 2;
}

static int map_loadanddelete(lua_State *L) {
  take_args(L, 2);
  MapStep s = {.val = &nil_value};
  map_step(L, &s);
  return push_old(L, &s);
}

static int map_delete(lua_State *L) {
  take_args(L, 2);
  map_step(L, &(MapStep){.val = &nil_value});
  return 0;
}

static int map_swap(lua_State *L) {
  take_args(L, 3);
  MapStep s = {.val = lib_arg(L, 3)};
  map_step(L, &s);
  return push_old(L, &s);
}

static int map_cas(lua_State *L) {
  take_args(L, 4);
  MapStep s = {.val = lib_arg(L, 4), .expect = lib_arg(L, 3)};
  map_step(L, &s);
  lua_pushboolean(L, s.wrote);
  return 1;
}

static int map_len(lua_State *L) {
  MapObj *map = obj_check(L, 1, &map_kind);
  lua_pushinteger(L, atomic_load_explicit(&map->count, memory_order_relaxed));
  return 1;
}

// Iteration walks the keys there were at its start, and skips those that are gone by then: so it ends whatever others
// do, and sees no key twice. Pushes the list of keys. The list may be big, so `pin` is rooted while it grows.
static void push_keys(lua_State *L, Userdata *map) {
  Table *t = map_table(map);
  Obj *pin = NULL;
  uint64_t pos = 0;
  int64_t n = 0;
  Value k, v;
  lua_newtable(L);
  lua_pushnil(L);
  Table *keys = v_table(L->top - 2);
  while (table_iter(L, t, &pin, &pos, &k, &v)) {
    v_setobj(L->top - 1, TAG_INTERNAL, pin);
    table_setint(L, keys, ++n, &k);
  }
  lua_pop(L, 1);
}

// Pushes the next key that is still there and its value; `i` is the number of keys tried before. 0: no more.
static lua_Integer push_next(lua_State *L, Userdata *map, int keys, lua_Integer i) {
  Table *t = map_table(map), *list = v_table(lib_arg(L, keys));
  Value k, v;
  while (table_getint(L, list, ++i, &k)) {
    if (!table_get(L, t, &k, &v)) continue;
    if (unlikely(race_on)) rt_race_acquire(map);
    lib_push(L, &k);
    lib_push(L, &v);
    return i;
  }
  return 0;
}

// Stack: map, function, keys, and the last call's result.
static int map_rangestep(lua_State *L, int status, lua_KContext i) {
  (void)status;
  if (lua_gettop(L) == 4 && lua_isboolean(L, 4) && !lua_toboolean(L, 4)) return 0;
  lua_settop(L, 3);
  lua_pushvalue(L, 2);
  i = push_next(L, obj_checkud(L, 1, &map_kind), 3, i);
  return i == 0 ? 0 : vm_callk(L, 2, 1, i, map_rangestep);
}

static int map_range(lua_State *L) {
  Userdata *u = obj_checkud(L, 1, &map_kind);
  lib_checkcallable(L, 2);
  lua_settop(L, 2);
  push_keys(L, u);
  return map_rangestep(L, LUA_OK, 0);
}

// Iterator of pairs(map): upvalues are the map, the keys, and how many were tried.
static int map_next(lua_State *L) {
  lua_settop(L, 0);
  for (int i = 1; i <= 3; i++) lua_pushvalue(L, lua_upvalueindex(i));
  lua_Integer i = push_next(L, obj_checkud(L, 1, &map_kind), 2, lua_tointeger(L, 3));
  if (i == 0) return 0;
  lua_pushinteger(L, i);
  lua_replace(L, lua_upvalueindex(3));
  return 2;
}

static int map_pairs(lua_State *L) {
  Userdata *u = obj_checkud(L, 1, &map_kind);
  lua_settop(L, 1);
  push_keys(L, u);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, map_next, 3);
  return 1;
}

void lungo_opensyncdata(lua_State *L) {
  static const luaL_Reg funcs[] = {{"pool", pool_new}, {"map", map_new}, {NULL, NULL}};
  static const luaL_Reg pool_m[] = {{"get", pool_get}, {"put", pool_put}, {NULL, NULL}};
  static const luaL_Reg map_m[] = {{"load", map_load},
                                   {"store", map_store},
                                   {"loadorstore", map_loadorstore},
                                   {"loadanddelete", map_loadanddelete},
                                   {"delete", map_delete},
                                   {"swap", map_swap},
                                   {"compareandswap", map_cas},
                                   {"range", map_range},
                                   {NULL, NULL}};
  static const luaL_Reg map_mt[] = {{"__len", map_len}, {"__pairs", map_pairs}, {NULL, NULL}};
  quick_add(map_load, map_load_quick);
  obj_class(L, &pool_kind, pool_m, NULL);
  obj_class(L, &map_kind, map_m, map_mt);
  luaL_setfuncs(L, funcs, 0);
}
