// SPDX-License-Identifier: MIT
//
// interp_api.c: Lua's operators as functions, for the C API and the libraries.
//
// What:       the same lookups and fallbacks as the instructions (interp_slow.c), but metamethods are called by nesting
//             a level. Operands may point into the stack: they are copied before anything is called.
// Callers:    C functions; the running goroutine. The results of calls are not yieldable, as in Lua.
// See also:   interp_int.h, api.c.
#include "interp_int.h"
#include "dbg.h"
#include "meta.h"
#include "str.h"
#include "table.h"

void interp_gettable(lua_State *L, const Value *o, const Value *k, Value *res) {
  Value key, obj, out;
  v_copy(&key, k);
  if (index_find(L, o, &key, NULL, &obj, &out)) {
    v_copy(res, &out);
  } else {
    vm_calltm_res(L, &out, &obj, &key, res);
  }
}

void interp_settable(lua_State *L, const Value *o, const Value *k, const Value *v) {
  Value obj, fn;
  if (index_store(L, o, k, NULL, v, &obj, &fn)) return;
  Value key, val, *top = L->top;
  v_copy(&key, k);
  v_copy(&val, v);
  v_copy(&top[0], &fn);
  v_copy(&top[1], &obj);
  v_copy(&top[2], &key);
  v_copy(&top[3], &val);
  L->top = top + 4;
  vm_call(L, top, 0);
}

void interp_arith(lua_State *L, int op, const Value *a, const Value *b, Value *res) {
  Value tm;
  if (meta_rawarith(L, op, a, b, res)) return;
  if (!binary_meta(L, a, b, meta_arithevent(op), &tm)) arith_error(L, op, a, b);
  vm_calltm_res(L, &tm, a, b, res);
}

// The values are joined from the right, as the instruction does; a metamethod's result takes the place of its operands.
void interp_concat(lua_State *L, int n) {
  if (n == 0) {
    v_setobj(L->top, TAG_STRING, str_intern(L, "", 0));
    L->top++;
    return;
  }
  while (n > 1) {
    int left = concat_tail(L, L->top - n, n);
    if (left == n) {
      Value tm, *a = L->top - 2, *b = L->top - 1;
      if (!binary_meta(L, a, b, TM_CONCAT, &tm)) dbg_concaterror(L, a, b);
      vm_calltm_res(L, &tm, a, b, a);
      left = n - 1;
    }
    L->top -= n - left;
    n = left;
  }
}

void interp_len(lua_State *L, const Value *o, Value *res) {
  Value tm;
  if (v_isstring(o)) {
    v_setint(res, (int64_t)v_str(o)->len);
  } else if (meta_get(L, o, TM_LEN, &tm)) {
    vm_calltm_res(L, &tm, o, o, res);
  } else if (v_istable(o)) {
    v_setint(res, table_len(L, v_table(o)));
  } else {
    dbg_typeerror(L, o, "get length of");
  }
}

bool interp_equal(lua_State *L, const Value *a, const Value *b) {
  Value tm, res;
  if (value_rawequal(a, b)) return true;
  if (!equal_meta(L, a, b, &tm)) return false;
  vm_calltm_res(L, &tm, a, b, &res);
  return !v_isfalsy(&res);
}

static bool order_by_meta(lua_State *L, const Value *a, const Value *b, enum Tm e) {
  Value tm, res;
  if (!binary_meta(L, a, b, e, &tm)) dbg_ordererror(L, a, b);
  vm_calltm_res(L, &tm, a, b, &res);
  return !v_isfalsy(&res);
}

bool interp_less(lua_State *L, const Value *a, const Value *b) {
  int r = raw_less(a, b);
  return r >= 0 ? r != 0 : order_by_meta(L, a, b, TM_LT);
}

bool interp_lesseq(lua_State *L, const Value *a, const Value *b) {
  Value tm;
  int r = raw_lesseq(a, b);
  if (r >= 0) return r != 0;
  if (!binary_meta(L, a, b, TM_LE, &tm) && binary_meta(L, b, a, TM_LT, &tm)) return !order_by_meta(L, b, a, TM_LT);
  return order_by_meta(L, a, b, TM_LE);
}

bool interp_tostring(lua_State *L, Value *v) {
  if (v_isstring(v)) return true;
  if (!v_isnumber(v)) return false;
  char buf[VALUE_NUMBUF];
  size_t n = value_num2str(v, buf, sizeof buf);
  v_setobj(v, TAG_STRING, str_new(L, buf, n));
  return true;
}
