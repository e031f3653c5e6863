// SPDX-License-Identifier: MIT
//
// meta.c: metamethod lookup, type names, raw arithmetic.
//
// Invariants: an absence bit is set only while the table certainly lacks the event: in an unshared table because no one
//             else can add it meanwhile, in a shared one under the table's lock, which every writer of a new key holds
//             (and clears the bits). The bit is an optimization only: a reader that sees it late looks the key up.
// Locking:    the table's lock byte, around one lookup; nothing is allocated or called inside.
// See also:   meta.h, table.c.
#include "meta.h"
#include "lgassert.h"
#include "share.h"
#include "str.h"
#include <math.h>

static const char *const event_names[TM_COUNT] = {[TM_INDEX] = "__index",
                                                  [TM_NEWINDEX] = "__newindex",
                                                  [TM_GC] = "__gc",
                                                  [TM_MODE] = "__mode",
                                                  [TM_LEN] = "__len",
                                                  [TM_EQ] = "__eq",
                                                  [TM_LT] = "__lt",
                                                  [TM_LE] = "__le",
                                                  [TM_CALL] = "__call",
                                                  [TM_CLOSE] = "__close",
                                                  [TM_CONCAT] = "__concat",
                                                  [TM_UNM] = "__unm",
                                                  [TM_BNOT] = "__bnot",
                                                  [TM_ADD] = "__add",
                                                  [TM_SUB] = "__sub",
                                                  [TM_MUL] = "__mul",
                                                  [TM_MOD] = "__mod",
                                                  [TM_POW] = "__pow",
                                                  [TM_DIV] = "__div",
                                                  [TM_IDIV] = "__idiv",
                                                  [TM_BAND] = "__band",
                                                  [TM_BOR] = "__bor",
                                                  [TM_BXOR] = "__bxor",
                                                  [TM_SHL] = "__shl",
                                                  [TM_SHR] = "__shr",
                                                  [TM_NAME] = "__name",
                                                  [TM_TOSTRING] = "__tostring",
                                                  [TM_PAIRS] = "__pairs",
                                                  [TM_METATABLE] = "__metatable"};
_Static_assert(TM_COUNT <= 32, "one bit per event");
_Static_assert(TM_SHR - TM_ADD == LUA_OPSHR - LUA_OPADD, "events in the order of LUA_OP*");

void meta_init(lua_State *L) {
  for (int e = 0; e < TM_COUNT; e++) {
    String *s = str_intern(L, event_names[e], strlen(event_names[e]));
    atomic_fetch_or_explicit(&s->hdr.flags, OF_FIXED, memory_order_relaxed);
    L->gl->tmname[e] = s;
  }
}

static void remember_absent(lua_State *L, Table *mt, enum Tm e) {
  Value v;
  if (!obj_isshared(mt)) {
    uint32_t bits = atomic_load_explicit(&mt->hdr.aux32, memory_order_relaxed);
    atomic_store_explicit(&mt->hdr.aux32, bits | 1u << e, memory_order_relaxed);
    return;
  }
  table_lock(mt);
  if (!table_getstr(L, mt, L->gl->tmname[e], &v)) {
    atomic_fetch_or_explicit(&mt->hdr.aux32, 1u << e, memory_order_release); // pairs with the acquire in meta_fast
  }
  table_unlock(mt);
}

NOINLINE bool meta_lookup_slow(lua_State *L, Table *mt, enum Tm e, Value *out) {
  if (table_getstr(L, mt, L->gl->tmname[e], out)) return true;
  remember_absent(L, mt, e);
  return false;
}

Table *meta_of(Global *gl, const Value *v) {
  switch (v->tag) {
  case TAG_TABLE: return atomic_load_explicit(&v_table(v)->meta, memory_order_acquire);
  case TAG_USERDATA: return atomic_load_explicit(&v_ud(v)->meta, memory_order_acquire);
  default: {
    int t = v_type(v);
    lg_assert(t >= 0);
    return atomic_load_explicit(&gl->mt[t], memory_order_acquire);
  }
  }
}

bool meta_get(lua_State *L, const Value *v, enum Tm e, Value *out) { return meta_fast(L, meta_of(L->gl, v), e, out); }

bool meta_iscallable(lua_State *L, const Value *v) {
  Value call;
  for (int n = 0; !v_isfunction(v); n++, v = &call)
    if (n > META_CALLCHAIN || !meta_get(L, v, TM_CALL, &call)) return false;
  return true;
}

const char meta_names[LUA_NUMTYPES + 1][META_NAMESIZE] = {"no value", "nil",   "boolean",  "userdata", "number",
                                                          "string",   "table", "function", "userdata", "thread"};

const char *meta_typename(lua_State *L, const Value *v) {
  Value name;
  if ((v->tag == TAG_TABLE || v->tag == TAG_USERDATA) && meta_get(L, v, TM_NAME, &name) && v_isstring(&name)) {
    return v_str(&name)->data;
  }
  return meta_basicname(v_type(v));
}

// ---- arithmetic ------------------------------------------------------------------------------------

enum Tm meta_arithevent(int op) {
  if (op <= LUA_OPSHR) return (enum Tm)(TM_ADD + op);
  return op == LUA_OPUNM ? TM_UNM : TM_BNOT;
}

static int64_t int_arith(lua_State *L, int op, int64_t a, int64_t b) {
  uint64_t x = (uint64_t)a, y = (uint64_t)b;
  switch (op) {
  case LUA_OPADD: return (int64_t)(x + y);
  case LUA_OPSUB: return (int64_t)(x - y);
  case LUA_OPMUL: return (int64_t)(x * y);
  case LUA_OPMOD:
    if (b == 0) dbg_runerror(L, "attempt to perform 'n%%0'");
    return int_mod(a, b);
  case LUA_OPIDIV:
    if (b == 0) dbg_runerror(L, "attempt to divide by zero");
    return int_idiv(a, b);
  case LUA_OPBAND: return (int64_t)(x & y);
  case LUA_OPBOR: return (int64_t)(x | y);
  case LUA_OPBXOR: return (int64_t)(x ^ y);
  case LUA_OPSHL: return int_shl(a, b);
  case LUA_OPSHR: return int_shl(a, (int64_t)(0 - y));
  case LUA_OPUNM: return (int64_t)(0 - x);
  default: return (int64_t)~x;
  }
}

static double float_arith(int op, double a, double b) {
  switch (op) {
  case LUA_OPADD: return a + b;
  case LUA_OPSUB: return a - b;
  case LUA_OPMUL: return a * b;
  case LUA_OPDIV: return a / b;
  case LUA_OPPOW: return b == 2 ? a * a : pow(a, b);
  case LUA_OPIDIV: return floor(a / b);
  case LUA_OPMOD: return float_mod(a, b);
  default: return -a;
  }
}

static bool is_bitwise(int op) { return (op >= LUA_OPBAND && op <= LUA_OPSHR) || op == LUA_OPBNOT; }

// Strings never count as numbers here: their arithmetic is the string library's metamethods.
bool meta_rawarith(lua_State *L, int op, const Value *a, const Value *b, Value *res) {
  int64_t i, j;
  if (is_bitwise(op)) {
    if (!value_tointeger_nostr(a, &i) || !value_tointeger_nostr(b, &j)) return false;
    v_setint(res, int_arith(L, op, i, j));
    return true;
  }
  if (!v_isnumber(a) || !v_isnumber(b)) return false;
  if (v_isint(a) && v_isint(b) && op != LUA_OPDIV && op != LUA_OPPOW) {
    v_setint(res, int_arith(L, op, a->i, b->i));
    return true;
  }
  double x = v_isint(a) ? (double)a->i : a->n, y = v_isint(b) ? (double)b->i : b->n;
  v_setfloat(res, float_arith(op, x, y));
  return true;
}
