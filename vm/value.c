// SPDX-License-Identifier: MIT
//
// value.c: what values mean as numbers: exact conversions between integers and floats, equality, and boxes.
//
// Invariants: conversions to integer are exact or fail; nothing rounds unless its name says so (floor, ceil).
//             A Box is written once, before its address is stored in a Slot, and never again.
// See also:   num.c (numerals and their text), value.h.
#include "value.h"
#include "heap.h"
#include "object.h"
#include "str.h"
#include <math.h>

const int8_t value_types[16] = {
    [TAG_FLOAT] = LUA_TNUMBER,      [TAG_NIL] = LUA_TNIL,       [TAG_FALSE] = LUA_TBOOLEAN,
    [TAG_TRUE] = LUA_TBOOLEAN,      [TAG_INT] = LUA_TNUMBER,    [TAG_LIGHTUD] = LUA_TLIGHTUSERDATA,
    [TAG_LCF] = LUA_TFUNCTION,      [TAG_EMPTY] = LUA_TNIL,     [TAG_STRING] = LUA_TSTRING,
    [TAG_TABLE] = LUA_TTABLE,       [TAG_LCL] = LUA_TFUNCTION,  [TAG_CCL] = LUA_TFUNCTION,
    [TAG_USERDATA] = LUA_TUSERDATA, [TAG_THREAD] = LUA_TTHREAD, [TAG_BOX] = LUA_TNIL,
    [TAG_INTERNAL] = LUA_TNIL,
};

uint64_t value_encode_slow(lua_State *L, const Value *v) {
  Box *box = heap_new_obj(L, OBJ_BOX, sizeof(Box));
  box->hdr.aux = (uint8_t)v->tag;
  box->u = v->u;
  return SLOT_TAGGED(TAG_BOX, (uintptr_t)box);
}

// Both bounds are powers of two, so the comparison itself does not round; NaN fails it.
static bool fits_int64(double n) { return n >= -0x1p63 && n < 0x1p63; }

bool value_float2int(double n, int64_t *out) {
  if (!fits_int64(n)) return false;
  int64_t i = (int64_t)n;
  if ((double)i != n) return false;
  *out = i;
  return true;
}

bool value_floorint(double n, int64_t *out) {
  n = floor(n);
  if (!fits_int64(n)) return false;
  *out = (int64_t)n;
  return true;
}

bool value_ceilint(double n, int64_t *out) {
  n = ceil(n);
  if (!fits_int64(n)) return false;
  *out = (int64_t)n;
  return true;
}

bool value_tointeger_nostr(const Value *v, int64_t *out) {
  if (v_isint(v)) {
    *out = v->i;
    return true;
  }
  return v_isfloat(v) && value_float2int(v->n, out);
}

bool value_tonumber(const Value *v, Value *out) {
  if (v_isnumber(v)) {
    v_copy(out, v);
    return true;
  }
  // A numeral must span the whole string: an embedded zero ends it early.
  return v_isstring(v) && value_str2number(v_str(v)->data, out) == v_str(v)->len + 1;
}

bool value_tointeger(const Value *v, int64_t *out) {
  Value n;
  if (!v_isstring(v)) return value_tointeger_nostr(v, out);
  return value_tonumber(v, &n) && value_tointeger_nostr(&n, out);
}

bool value_todouble(const Value *v, double *out) {
  Value n;
  if (!value_tonumber(v, &n)) return false;
  *out = v_isfloat(&n) ? n.n : (double)n.i;
  return true;
}

bool value_rawequal(const Value *a, const Value *b) {
  int64_t i;
  if (a->tag != b->tag) {
    if (v_isint(a) && v_isfloat(b)) return value_float2int(b->n, &i) && i == a->i;
    if (v_isfloat(a) && v_isint(b)) return value_float2int(a->n, &i) && i == b->i;
    return false;
  }
  switch (a->tag) {
  case TAG_NIL:
  case TAG_FALSE:
  case TAG_TRUE: return true;
  case TAG_FLOAT: return a->n == b->n;
  case TAG_STRING: return str_eq(v_str(a), v_str(b));
  default: return a->u == b->u;
  }
}

// The result has the sign of the divisor; fmod gives it that of the dividend.
double float_mod(double a, double b) {
  double r = fmod(a, b);
  if (r > 0 ? b < 0 : (r < 0 && b > 0)) r += b;
  return r;
}
