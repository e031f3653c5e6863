// SPDX-License-Identifier: MIT
//
// quicklib.c: quick halves (quick.h) of the functions of Lua's library that programs call in their inner loops.
//
// What:       each does what the manual says for the usual arguments: values of the right types, in range, without
//             metamethods. Everything else, errors above all, is left to the function itself, which lib_addquick finds
//             by its name in the library that was just opened: nobody can have put another one there yet.
// Invariants: those of quick.h. Results may overwrite the arguments they come from: read first.
// See also:   vm/quick.h. Tests: tests/vm/quick_calls.lua, which compares each with its function.
#include "interp.h"
#include "lungolib.h"
#include "meta.h"
#include "quick.h"
#include "str.h"
#include "table.h"
#include <lualib.h>
#include <math.h>
#include <string.h>

// The metatable of a value may change what rawlen and friends would find: then it is no case for a quick half.
static Table *plain_table(const Value *v) {
  if (unlikely(!v_istable(v))) return NULL;
  Table *t = v_table(v);
  return likely(atomic_load_explicit(&t->meta, memory_order_acquire) == NULL) ? t : NULL;
}

// ---- basic functions -----------------------------------------------------------------------------------------

static int q_type(lua_State *L, Value *res, const Value *arg, int nargs) {
  if (unlikely(nargs < 1)) return QUICK_DECLINED;
  v_setobj(res, TAG_STRING, str_newz(L, meta_basicname(v_type(arg))));
  return 1;
}

static int q_rawget(lua_State *L, Value *res, const Value *arg, int nargs) {
  if (unlikely(nargs != 2 || !v_istable(arg))) return QUICK_DECLINED;
  table_get(L, v_table(arg), arg + 1, res);
  return 1;
}

static int q_rawequal(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  if (unlikely(nargs != 2)) return QUICK_DECLINED;
  v_setbool(res, value_rawequal(arg, arg + 1));
  return 1;
}

static int q_rawlen(lua_State *L, Value *res, const Value *arg, int nargs) {
  if (unlikely(nargs != 1)) return QUICK_DECLINED;
  if (v_istable(arg))
    v_setint(res, table_len(L, v_table(arg)));
  else if (v_isstring(arg))
    v_setint(res, (int64_t)v_str(arg)->len);
  else
    return QUICK_DECLINED;
  return 1;
}

static int q_getmetatable(lua_State *L, Value *res, const Value *arg, int nargs) {
  Value v;
  if (unlikely(nargs != 1)) return QUICK_DECLINED;
  Table *mt = meta_of(L->gl, arg);
  if (mt == NULL) {
    v_setnil(res);
    return 1;
  }
  if (unlikely(meta_fast(L, mt, TM_METATABLE, &v))) return QUICK_DECLINED;
  v_setobj(res, TAG_TABLE, mt);
  return 1;
}

static int q_tostring(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  if (nargs != 1 || !v_isstring(arg)) return QUICK_DECLINED;
  v_copy(res, arg);
  return 1;
}

static int q_tonumber(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  if (unlikely(nargs != 1)) return QUICK_DECLINED;
  if (v_isstring(arg)) {
    const String *s = v_str(arg);
    Value v;
    if (value_str2number(s->data, &v) != s->len + 1) return QUICK_DECLINED;
    v_copy(res, &v);
    return 1;
  }
  if (unlikely(!v_isnumber(arg))) return QUICK_DECLINED;
  v_copy(res, arg);
  return 1;
}

static int q_assert(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  if (unlikely(nargs < 1 || v_isfalsy(arg))) return QUICK_DECLINED;
  for (int i = 0; i < nargs; i++) v_copy(&res[i], &arg[i]);
  return nargs;
}

static int q_ipairs(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  if (unlikely(nargs != 1)) return QUICK_DECLINED;
  v_copy(res + 1, arg);
  res->f = vm_ipairsaux;
  res->tag = TAG_LCF;
  v_setint(res + 2, 0);
  return 3;
}

// ---- math ------------------------------------------------------------------------------------------------------

static int q_floor(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  int64_t i;
  if (unlikely(nargs != 1)) return QUICK_DECLINED;
  if (v_isfloat(arg)) {
    if (unlikely(!value_floorint(arg[0].n, &i))) return QUICK_DECLINED;
    v_setint(res, i);
    return 1;
  }
  if (unlikely(!v_isint(arg))) return QUICK_DECLINED;
  v_copy(res, arg);
  return 1;
}

static int q_ceil(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  int64_t i;
  if (unlikely(nargs != 1)) return QUICK_DECLINED;
  if (v_isfloat(arg)) {
    if (unlikely(!value_ceilint(arg[0].n, &i))) return QUICK_DECLINED;
    v_setint(res, i);
    return 1;
  }
  if (unlikely(!v_isint(arg))) return QUICK_DECLINED;
  v_copy(res, arg);
  return 1;
}

static int q_abs(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  if (unlikely(nargs != 1)) return QUICK_DECLINED;
  if (v_isfloat(arg))
    v_setfloat(res, fabs(arg[0].n));
  else if (likely(v_isint(arg)))
    v_setint(res, arg[0].i < 0 ? (int64_t)(0u - arg[0].u) : arg[0].i);
  else
    return QUICK_DECLINED;
  return 1;
}

static int q_sqrt(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  if (unlikely(nargs != 1 || !v_isnumber(arg))) return QUICK_DECLINED;
  v_setfloat(res, sqrt(v_isint(arg) ? (double)arg[0].i : arg[0].n));
  return 1;
}

// Two numbers of one type; of NaNs and of equals the first stays, as the functions have it.
static int q_max(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  const Value *a = arg, *b = arg + 1;
  if (unlikely(nargs != 2 || a->tag != b->tag || !v_isnumber(a))) return QUICK_DECLINED;
  v_copy(res, (v_isint(a) ? a->i < b->i : a->n < b->n) ? b : a);
  return 1;
}

static int q_min(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  const Value *a = arg, *b = arg + 1;
  if (unlikely(nargs != 2 || a->tag != b->tag || !v_isnumber(a))) return QUICK_DECLINED;
  v_copy(res, (v_isint(a) ? b->i < a->i : b->n < a->n) ? b : a);
  return 1;
}

// ---- string ------------------------------------------------------------------------------------------------------

static int q_len(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  if (unlikely(nargs != 1 || !v_isstring(arg))) return QUICK_DECLINED;
  v_setint(res, (int64_t)v_str(arg)->len);
  return 1;
}

static int q_byte(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  if (unlikely(nargs < 1 || nargs > 2 || !v_isstring(arg))) return QUICK_DECLINED;
  const String *s = v_str(arg);
  if (unlikely(nargs == 2 && !v_isint(arg + 1))) return QUICK_DECLINED;
  uint64_t at = nargs == 2 ? arg[1].u - 1 : 0;
  if (unlikely(at >= s->len)) return QUICK_DECLINED; // from the end, or outside
  v_setint(res, (unsigned char)s->data[at]);
  return 1;
}

#define SUB_MAX 40 // longer ones take longer than the call around them

static int q_sub(lua_State *L, Value *res, const Value *arg, int nargs) {
  if (unlikely(nargs != 3 || !v_isstring(arg) || !v_isint(arg + 1) || !v_isint(arg + 2))) return QUICK_DECLINED;
  const String *s = v_str(arg);
  int64_t from = arg[1].i, to = arg[2].i;
  if (unlikely(from < 1 || to < from || to - from >= SUB_MAX || (uint64_t)to > s->len)) return QUICK_DECLINED;
  v_setobj(res, TAG_STRING, str_new(L, s->data + from - 1, (size_t)(to - from + 1)));
  return 1;
}

// ---- table ---------------------------------------------------------------------------------------------------------

static int q_insert(lua_State *L, Value *res, const Value *arg, int nargs) { // appends
  (void)res;
  Table *t = nargs == 2 ? plain_table(arg) : NULL;
  if (unlikely(t == NULL)) return QUICK_DECLINED;
  int64_t n = table_len(L, t);
  if (unlikely(n == INT64_MAX)) return QUICK_DECLINED;
  table_setint(L, t, n + 1, arg + 1);
  return 0;
}

static int q_remove(lua_State *L, Value *res, const Value *arg, int nargs) { // the last
  Table *t = nargs == 1 ? plain_table(arg) : NULL;
  if (unlikely(t == NULL)) return QUICK_DECLINED;
  int64_t n = table_len(L, t);
  Value last, nil;
  if (unlikely(n == 0) || unlikely(!table_getint(L, t, n, &last))) return QUICK_DECLINED;
  v_setnil(&nil);
  table_setint(L, t, n, &nil);
  v_copy(res, &last);
  return 1;
}

// ---- registration
// ----------------------------------------------------------------------------------------------------

void lib_addquick(lua_State *L, const char *lib) {
  static const struct {
    const char *lib, *name;
    QuickFn run;
  } all[] = {{LUA_GNAME, "type", q_type},          {LUA_GNAME, "rawget", q_rawget},
             {LUA_GNAME, "rawequal", q_rawequal},  {LUA_GNAME, "rawlen", q_rawlen},
             {LUA_GNAME, "tostring", q_tostring},  {LUA_GNAME, "getmetatable", q_getmetatable},
             {LUA_GNAME, "tonumber", q_tonumber},  {LUA_GNAME, "assert", q_assert},
             {LUA_GNAME, "ipairs", q_ipairs},      {LUA_MATHLIBNAME, "floor", q_floor},
             {LUA_MATHLIBNAME, "ceil", q_ceil},    {LUA_MATHLIBNAME, "abs", q_abs},
             {LUA_MATHLIBNAME, "sqrt", q_sqrt},    {LUA_MATHLIBNAME, "max", q_max},
             {LUA_MATHLIBNAME, "min", q_min},      {LUA_STRLIBNAME, "len", q_len},
             {LUA_STRLIBNAME, "byte", q_byte},     {LUA_STRLIBNAME, "sub", q_sub},
             {LUA_TABLIBNAME, "insert", q_insert}, {LUA_TABLIBNAME, "remove", q_remove}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (strcmp(all[i].lib, lib) != 0) continue;
    lua_getfield(L, -1, all[i].name);
    quick_add(lua_tocfunction(L, -1), all[i].run);
    lua_pop(L, 1);
  }
}
