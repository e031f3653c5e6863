// SPDX-License-Identifier: MIT
//
// interp_slow.c: what instructions do when their fast path in interp.c does not apply.
//
// What:       lookups through metatables, arithmetic and comparison of mixed operands, concatenation, preparation of
//             loops and vararg functions, channel instructions, and op_finish, which completes an instruction whose
//             metamethod was called as a frame.
// Invariants: nothing here calls Lua: a metamethod is pushed as a frame above ci->top. So the stack moves only where a
//             frame is pushed (or the stack grown), after which no pointer into it is used.
//             L->top is ci->top and pc is saved on entry (see interp_int.h), so that errors find the right line.
// See also:   interp.c, interp_int.h, interp_api.c.
#include "interp_int.h"
#include "dbg.h"
#include "func.h"
#include "lgassert.h"
#include "meta.h"
#include "method.h"
#include "seam.h"
#include "share.h"
#include "str.h"
#include "table.h"
#include <lauxlib.h>
#include <math.h>

#define MAX_META_LOOP 2000

// ---- calling metamethods ---------------------------------------------------------------------------

// The values are copied before anything moves; EXTRA_STACK gives room for four.
static bool push_meta(lua_State *L, const Value *f, const Value *a, const Value *b, int nresults) {
  Value *top = L->top;
  v_copy(&top[0], f);
  v_copy(&top[1], a);
  v_copy(&top[2], b);
  L->top = top + 3;
  call_push(L, top, nresults, CI_META);
  return true;
}

static bool push_meta3(lua_State *L, const Value *f, const Value *a, const Value *b, const Value *c) {
  Value *top = L->top;
  v_copy(&top[0], f);
  v_copy(&top[1], a);
  v_copy(&top[2], b);
  v_copy(&top[3], c);
  L->top = top + 4;
  call_push(L, top, 0, CI_META);
  return true;
}

bool binary_meta(lua_State *L, const Value *a, const Value *b, enum Tm e, Value *out) {
  return meta_get(L, a, e, out) || meta_get(L, b, e, out);
}

// ---- indexing --------------------------------------------------------------------------------------

static ALWAYS_INLINE Table *metatable(const Table *t) {
  return atomic_load_explicit(&((Table *)t)->meta, memory_order_acquire);
}

static ALWAYS_INLINE bool raw_find(lua_State *L, const Table *t, const Value *key, Hint *hint, Value *out) {
  return hint != NULL ? table_getfield(L, t, v_str(key), hint, out) : table_get(L, t, key, out);
}

// `o` itself is what an error message can name; the values that __index leads to cannot be named.
bool index_find(lua_State *L, const Value *o, const Value *key, Hint *hint, Value *obj, Value *out) {
  v_copy(obj, o);
  for (int loop = 0; loop < MAX_META_LOOP; loop++) {
    Value tm;
    if (likely(v_istable(obj))) {
      if (raw_find(L, v_table(obj), key, hint, out)) return true;
      if (!meta_fast(L, metatable(v_table(obj)), TM_INDEX, &tm)) return true; // *out is nil
    } else if (!meta_get(L, obj, TM_INDEX, &tm)) {
      dbg_indexerror(L, loop == 0 ? o : obj, key);
    }
    if (v_isfunction(&tm)) {
      v_copy(out, &tm);
      return false;
    }
    v_copy(obj, &tm);
  }
  dbg_runerror(L, "'__index' chain too long; possible loop");
}

static bool store_existing(lua_State *L, Table *t, const Value *key, Hint *hint, const Value *v) {
  return hint != NULL ? table_setfield_existing(L, t, v_str(key), hint, v) : table_set_existing(L, t, key, v);
}

bool index_store(lua_State *L, const Value *o, const Value *key, Hint *hint, const Value *v, Value *obj, Value *fn) {
  v_copy(obj, o);
  for (int loop = 0; loop < MAX_META_LOOP; loop++) {
    if (likely(v_istable(obj))) {
      Table *t = v_table(obj), *mt = metatable(t);
      if ((mt != NULL || hint != NULL) && store_existing(L, t, key, hint, v)) return true; // with hint: it is renewed
      if (!meta_fast(L, mt, TM_NEWINDEX, fn)) {
        table_set(L, t, key, v);
        return true;
      }
    } else if (!meta_get(L, obj, TM_NEWINDEX, fn)) {
      dbg_indexerror(L, loop == 0 ? o : obj, key);
    }
    if (v_isfunction(fn)) return false;
    v_copy(obj, fn);
  }
  dbg_runerror(L, "'__newindex' chain too long; possible loop");
}

// o[key] where __index is a table, if anything: fields and methods of objects.
static ALWAYS_INLINE bool find_member(lua_State *L, const Value *o, String *key, Hint *hint, Value *out) {
  if (v_istable(o)) return table_getmember(L, v_table(o), key, hint, out);
  Table *mt = meta_of(L->gl, o);
  return mt != NULL && table_getmethod(L, mt, key, hint, out);
}

NOINLINE bool op_index(lua_State *L, CallInfo *ci, const Value *o, const Value *key, Hint *hint, unsigned a) {
  Value obj, out;
  if (hint != NULL && likely(find_member(L, o, v_str(key), hint, &out))) {
    v_copy(&ci->func[1 + a], &out);
    return false;
  }
  if (unlikely(!index_find(L, o, key, hint, &obj, &out))) return push_meta(L, &out, &obj, key, 1);
  v_copy(&ci->func[1 + a], &out);
  return false;
}

// Index of a method call.
NOINLINE bool op_self(lua_State *L, CallInfo *ci, const Value *o, const Value *key, Hint *hint, unsigned a) {
  Table *mt = v_istable(o) ? NULL : meta_of(L->gl, o);
  Value fn;
  uint16_t at = mt != NULL ? method_remember(L, mt, v_str(key), &fn) : 0;
  if (at == 0) return op_index(L, ci, o, key, hint, a);
  atomic_store_explicit(hint, at, memory_order_relaxed);
  v_copy(&ci->func[1 + a], &fn);
  return false;
}

NOINLINE bool op_setindex(lua_State *L, const Value *o, const Value *key, Hint *hint, const Value *v) {
  Value obj, fn;
  if (likely(index_store(L, o, key, hint, v, &obj, &fn))) return false;
  return push_meta3(L, &fn, &obj, key, v);
}

// ---- arithmetic ------------------------------------------------------------------------------------

static bool is_bitwise(int op) { return (op >= LUA_OPBAND && op <= LUA_OPSHR) || op == LUA_OPBNOT; }

COLD void arith_error(lua_State *L, int op, const Value *a, const Value *b) {
  if (!is_bitwise(op)) dbg_opinterror(L, a, b, "perform arithmetic on");
  if (v_isnumber(a) && v_isnumber(b)) dbg_tointerror(L, a, b);
  dbg_opinterror(L, a, b, "perform bitwise operation on");
}

static bool arith(lua_State *L, int op, const Value *a, const Value *b, Value *res) {
  Value tm;
  if (meta_rawarith(L, op, a, b, res)) return false;
  if (!binary_meta(L, a, b, meta_arithevent(op), &tm)) arith_error(L, op, a, b);
  return push_meta(L, &tm, a, b, 1);
}

static const uint8_t arith_ops[] = {LUA_OPADD,  LUA_OPSUB,  LUA_OPMUL, LUA_OPMOD,  LUA_OPPOW, LUA_OPDIV,
                                    LUA_OPIDIV, LUA_OPBAND, LUA_OPBOR, LUA_OPBXOR, LUA_OPSHL, LUA_OPSHR};
_Static_assert(OP_SHR - OP_ADD + 1 == sizeof arith_ops && OP_SHRK - OP_ADDK + 1 == sizeof arith_ops, "arith_ops");

// The immediate form stands for three shapes in the source: x + c, x - (-c) and c + x.
static bool arith_imm(lua_State *L, const Value *b, Instr i, Value *res) {
  Value imm;
  unsigned shape = INSTR_X(i);
  v_setint(&imm, shape == 1 ? -(int64_t)INSTR_SC(i) : INSTR_SC(i));
  if (shape == 2) return arith(L, LUA_OPADD, &imm, b, res);
  return arith(L, shape == 1 ? LUA_OPSUB : LUA_OPADD, b, &imm, res);
}

NOINLINE bool op_arith(lua_State *L, CallInfo *ci, Instr i) {
  Value *base = ci->func + 1, *ra = base + INSTR_A(i);
  const Value *b = base + INSTR_B(i);
  int op = INSTR_OP(i);
  if (op == OP_ADDI) return arith_imm(L, b, i, ra);
  if (op < OP_ADDK) return arith(L, arith_ops[op - OP_ADD], b, base + INSTR_C(i), ra);
  const Value *kc = &v_lcl(ci->func)->p->k[INSTR_C(i)];
  op = arith_ops[op - OP_ADDK];
  return INSTR_X(i) == 1 ? arith(L, op, kc, b, ra) : arith(L, op, b, kc, ra);
}

NOINLINE bool op_unary(lua_State *L, CallInfo *ci, Instr i) {
  Value *base = ci->func + 1, *b = base + INSTR_B(i);
  return arith(L, INSTR_OP(i) == OP_UNM ? LUA_OPUNM : LUA_OPBNOT, b, b, base + INSTR_A(i));
}

NOINLINE bool op_len(lua_State *L, CallInfo *ci, Instr i) {
  Value *base = ci->func + 1, *b = base + INSTR_B(i), tm;
  if (v_isstring(b)) {
    v_setint(base + INSTR_A(i), (int64_t)v_str(b)->len);
    return false;
  }
  if (!meta_get(L, b, TM_LEN, &tm)) {
    if (!v_istable(b)) dbg_typeerror(L, b, "get length of");
    v_setint(base + INSTR_A(i), table_len(L, v_table(b)));
    return false;
  }
  return push_meta(L, &tm, b, b, 1);
}

// ---- comparison ------------------------------------------------------------------------------------

// Mixed comparisons are exact: the float is rounded to the integer that decides, instead of the integer to a float.
static bool int_less_float(int64_t i, double f) {
  int64_t c;
  return value_ceilint(f, &c) ? i < c : f > 0; // NaN: false
}

static bool int_lesseq_float(int64_t i, double f) {
  int64_t c;
  return value_floorint(f, &c) ? i <= c : f > 0;
}

static bool float_less_int(double f, int64_t i) {
  int64_t c;
  return value_floorint(f, &c) ? c < i : f < 0;
}

static bool float_lesseq_int(double f, int64_t i) {
  int64_t c;
  return value_ceilint(f, &c) ? c <= i : f < 0;
}

int raw_less(const Value *a, const Value *b) {
  if (v_isnumber(a) && v_isnumber(b)) {
    if (v_isint(a)) return v_isint(b) ? a->i < b->i : int_less_float(a->i, b->n);
    return v_isint(b) ? float_less_int(a->n, b->i) : a->n < b->n;
  }
  return v_isstring(a) && v_isstring(b) ? str_cmp(v_str(a), v_str(b)) < 0 : -1;
}

int raw_lesseq(const Value *a, const Value *b) {
  if (v_isnumber(a) && v_isnumber(b)) {
    if (v_isint(a)) return v_isint(b) ? a->i <= b->i : int_lesseq_float(a->i, b->n);
    return v_isint(b) ? float_lesseq_int(a->n, b->i) : a->n <= b->n;
  }
  return v_isstring(a) && v_isstring(b) ? str_cmp(v_str(a), v_str(b)) <= 0 : -1;
}

static int order_meta(lua_State *L, const Value *a, const Value *b, enum Tm e) {
  Value tm;
  if (!binary_meta(L, a, b, e, &tm)) dbg_ordererror(L, a, b);
  push_meta(L, &tm, a, b, 1);
  return OP_PUSHED;
}

NOINLINE int op_less(lua_State *L, const Value *a, const Value *b) {
  int r = raw_less(a, b);
  return r >= 0 ? r : order_meta(L, a, b, TM_LT);
}

// Without __le, __lt decides by not (b < a): Lua 5.4 as it is usually built (LUA_COMPAT_LT_LE) has kept that.
NOINLINE int op_lesseq(lua_State *L, const Value *a, const Value *b) {
  Value tm;
  int r = raw_lesseq(a, b);
  if (r >= 0) return r;
  if (binary_meta(L, a, b, TM_LE, &tm) || !binary_meta(L, b, a, TM_LT, &tm)) return order_meta(L, a, b, TM_LE);
  L->ci->status |= CI_LEQ;
  push_meta(L, &tm, b, a, 1);
  return OP_PUSHED;
}

// R[A] op immediate; a > b and a >= b are b < a and b <= a.
NOINLINE int op_compareimm(lua_State *L, CallInfo *ci, Instr i) {
  Value imm;
  const Value *a = ci->func + 1 + INSTR_A(i);
  v_setint(&imm, INSTR_SB(i));
  switch (INSTR_OP(i)) {
  case OP_JLTI:
  case OP_JNLTI: return op_less(L, a, &imm);
  case OP_JLEI:
  case OP_JNLEI: return op_lesseq(L, a, &imm);
  case OP_JGTI:
  case OP_JNGTI: return op_less(L, &imm, a);
  default: return op_lesseq(L, &imm, a);
  }
}

bool equal_meta(lua_State *L, const Value *a, const Value *b, Value *out) {
  if (a->tag != b->tag || (a->tag != TAG_TABLE && a->tag != TAG_USERDATA)) return false;
  return binary_meta(L, a, b, TM_EQ, out);
}

NOINLINE int op_equal(lua_State *L, const Value *a, const Value *b) {
  Value tm;
  if (value_rawequal(a, b)) return 1;
  if (!equal_meta(L, a, b, &tm)) return 0;
  push_meta(L, &tm, a, b, 1);
  return OP_PUSHED;
}

// ---- concatenation ---------------------------------------------------------------------------------

#define CONCAT_NUMS 8 // numbers formatted on the C stack; more become strings first

typedef struct Piece {
  const char *s;
  size_t len;
} Piece;

typedef struct Numbers {
  int n;
  char buf[CONCAT_NUMS][VALUE_NUMBUF];
} Numbers;

static bool is_text(const Value *v) { return v_isstring(v) || v_isnumber(v); }

static Piece piece_of(lua_State *L, Value *v, Numbers *nums) {
  if (!v_isstring(v)) {
    char local[VALUE_NUMBUF], *buf = nums->n < CONCAT_NUMS ? nums->buf[nums->n] : local;
    size_t len = value_num2str(v, buf, VALUE_NUMBUF);
    if (nums->n++ < CONCAT_NUMS) return (Piece){buf, len};
    v_setobj(v, TAG_STRING, str_new(L, buf, len));
  }
  return (Piece){v_str(v)->data, v_str(v)->len};
}

static String *join_long(lua_State *L, const Piece *pieces, int n, size_t total) {
  String *s = str_alloc_gc(L, total);
  char *out = s->data;
  for (int i = 0; i < n; i++) {
    str_copy(L, out, pieces[i].s, pieces[i].len);
    out += pieces[i].len;
  }
  return s;
}

#define BLOCK 16 // bytes that may be read at a piece, and written at a string's data, whatever its length

// The result may be a key that a table has: then it is that very string, and every look-up compares addresses.
static String *join_short(lua_State *L, const Piece *pieces, int n, size_t total) {
  char local[STR_MAXINTERN + BLOCK], *out = local;
  memset(local, 0, BLOCK);
  for (int i = 0; i < n; i++) {
    if (likely(pieces[i].len <= BLOCK)) {
      memcpy(out, pieces[i].s, BLOCK);
    } else {
      memcpy(out, pieces[i].s, pieces[i].len);
    }
    out += pieces[i].len;
  }
  uint32_t hash;
  String *s = str_find(L->gl, local, total, &hash);
  if (s != NULL) return s;
  s = str_alloc_gc(L, total);
  if (likely(total < BLOCK)) {
    memcpy(s->data, local, BLOCK);
  } else {
    memcpy(s->data, local, total);
  }
  s->data[total] = '\0';
  atomic_store_explicit(&s->hdr.aux32, hash, memory_order_relaxed);
  return s;
}

// Joins v[0..n-1], all strings or numbers, into v[0]. A string joined to nothing but empty ones stays itself.
static void join(lua_State *L, Value *v, int n) {
  Piece pieces[MAX_REGS + 6];
  Numbers nums;
  size_t total = 0;
  int last = 0, nonempty = 0;
  nums.n = 0;
  for (int i = 0; i < n; i++) {
    pieces[i] = piece_of(L, &v[i], &nums);
    if (pieces[i].len == 0) continue;
    if (unlikely(pieces[i].len >= (size_t)PTRDIFF_MAX - total)) dbg_runerror(L, "string length overflow");
    total += pieces[i].len;
    last = i;
    nonempty++;
  }
  if (nonempty <= 1 && v_isstring(&v[last])) {
    v_copy(&v[0], &v[last]);
    return;
  }
  String *s = total <= STR_MAXINTERN ? join_short(L, pieces, n, total) : join_long(L, pieces, n, total);
  v_setobj(&v[0], TAG_STRING, s);
}

int concat_tail(lua_State *L, Value *v, int n) {
  int first = n;
  while (first > 0 && n - first < MAX_REGS && is_text(&v[first - 1])) first--;
  if (n - first < 2) return n;
  join(L, v + first, n - first);
  return first + 1;
}

// Values R[B] .. R[B+n-1] are left to be joined.
static bool concat_rest(lua_State *L, CallInfo *ci, Instr i, int n) {
  Value *v = ci->func + 1 + INSTR_B(i);
  while (n > 1) {
    int left = concat_tail(L, v, n);
    if (left < n) {
      n = left;
      continue;
    }
    Value tm;
    if (!binary_meta(L, &v[n - 2], &v[n - 1], TM_CONCAT, &tm)) dbg_concaterror(L, &v[n - 2], &v[n - 1]);
    ci->u2.nres = n;
    return push_meta(L, &tm, &v[n - 2], &v[n - 1], 1);
  }
  v_copy(ci->func + 1 + INSTR_A(i), v);
  return false;
}

NOINLINE bool op_concat(lua_State *L, CallInfo *ci, Instr i) { return concat_rest(L, ci, i, INSTR_C(i)); }

// ---- loops -----------------------------------------------------------------------------------------

// A limit beyond the integers is cut to the nearest one; as in Lua, NaN counts as below. False: no iteration.
static bool for_limit(lua_State *L, const Value *init, Value *limit, int64_t step) {
  Value num;
  int64_t lim;
  if (!value_tonumber(limit, &num)) dbg_forerror(L, limit, "limit");
  if (v_isint(&num)) {
    lim = num.i;
  } else if (!(step < 0 ? value_ceilint(num.n, &lim) : value_floorint(num.n, &lim))) {
    if ((num.n > 0) != (step > 0)) return false;
    lim = step > 0 ? INT64_MAX : INT64_MIN;
  }
  v_setint(limit, lim);
  return step > 0 ? init->i <= lim : init->i >= lim;
}

// The number of steps is computed before the loop, in unsigned arithmetic, so that the index cannot overflow.
static bool forprep_int(lua_State *L, Value *ra) {
  int64_t step = ra[2].i;
  if (step == 0) dbg_runerror(L, "'for' step is zero");
  if (!for_limit(L, &ra[0], &ra[1], step)) return true;
  uint64_t init = (uint64_t)ra[0].i, limit = (uint64_t)ra[1].i;
  ra[1].u = step > 0 ? (limit - init) / (uint64_t)step : (init - limit) / ((uint64_t)(-(step + 1)) + 1u);
  v_copy(&ra[3], &ra[0]);
  return false;
}

static double for_float(lua_State *L, const Value *v, const char *what) {
  double n;
  if (!value_todouble(v, &n)) dbg_forerror(L, v, what);
  return n;
}

NOINLINE bool op_forprep(lua_State *L, Value *ra) {
  if (v_isint(&ra[0]) && v_isint(&ra[2])) return forprep_int(L, ra);
  double limit = for_float(L, &ra[1], "limit"), step = for_float(L, &ra[2], "step"),
         init = for_float(L, &ra[0], "initial value");
  if (step == 0) dbg_runerror(L, "'for' step is zero");
  if (step > 0 ? limit < init : init < limit) return true; // not with a NaN: then the body runs once, as in Lua
  v_setfloat(&ra[0], init);
  v_setfloat(&ra[1], limit);
  v_setfloat(&ra[2], step);
  v_setfloat(&ra[3], init);
  return false;
}

// In this mode R[A] is TAG_EMPTY with the position, and R[A+2] the pinned block (or nil before the first step). The
// table may have been replaced by debug.setlocal: another table ends the walk soon, anything else at once.
NOINLINE bool op_iterstep(lua_State *L, Value *ra, int nresults) {
  if (unlikely(!v_istable(&ra[1]))) return false;
  Obj *pin = ra[2].tag == TAG_INTERNAL ? ra[2].o : NULL;
  uint64_t pos = ra[0].u;
  bool more = table_iter(L, v_table(&ra[1]), &pin, &pos, &ra[4], &ra[5]);
  ra[0].u = pos;
  if (pin != NULL) v_setobj(&ra[2], TAG_INTERNAL, pin);
  for (int i = 2; i < nresults; i++) v_setnil(&ra[4 + i]);
  return more;
}

// ---- functions -------------------------------------------------------------------------------------

NOINLINE void op_closure(lua_State *L, CallInfo *ci, Value *ra, Proto *p) {
  LClosure *ncl = lcl_new(L, p), *cl = v_lcl(ci->func);
  const Value *base = ci->func + 1;
  for (int i = 0; i < p->nupvals; i++) {
    const UpvalDesc *d = &p->upvals[i];
    Cell *c = d->instack ? (Cell *)base[d->index].o : atomic_load_explicit(&cl->upv[d->index], memory_order_acquire);
    atomic_store_explicit(&ncl->upv[i], c, memory_order_relaxed);
  }
  v_setobj(ra, TAG_LCL, ncl);
}

// The frame moves up over the extra arguments: function and fixed parameters are copied above them.
NOINLINE void op_varargprep(lua_State *L, CallInfo *ci, int nfixed) {
  int nargs = ci->u.l.nextra, maxstack = v_lcl(ci->func)->p->maxstack;
  L->top = ci->func + 1 + nargs;
  stack_ensure(L, maxstack + 1);
  Value *old = ci->func, *func = L->top;
  v_copy(func, old);
  for (int i = 1; i <= nfixed; i++) {
    v_copy(&func[i], &old[i]);
    v_setnil(&old[i]);
  }
  ci->func = func;
  ci->top = func + 1 + maxstack;
  ci->u.l.nextra = nargs - nfixed;
  ci->status |= CI_VARARG;
  L->top = ci->top;
}

// ---- channels --------------------------------------------------------------------------------------

static void put_selected(CallInfo *ci, const Instr *pc, Instr i, int chosen, const Value res[2]) {
  Value *ra = ci->func + 1 + INSTR_A(i);
  ci->u.l.pc = pc + chosen;
  if (INSTR_A(instr_fetch(pc + chosen)) != 0 || chosen >= INSTR_B(i)) return; // a send, or the default
  v_copy(&ra[0], &res[0]);
  v_copy(&ra[1], &res[1]);
}

int op_select(lua_State *L, CallInfo *ci, const Instr *pc, Instr i) {
  uint8_t dirs[MAX_REGS];
  Value res[2] = {{.tag = TAG_NIL}, {.tag = TAG_NIL}};
  int n = INSTR_B(i), chosen = 0;
  lg_assert(n <= MAX_REGS);
  for (int c = 0; c < n; c++) dirs[c] = INSTR_A(instr_fetch(pc + c));
  int r = rt_select(L, ci->func + 1 + INSTR_A(i), dirs, n, INSTR_C(i) != 0, &chosen, res);
  if (r == RT_DONE) put_selected(ci, pc, i, chosen, res);
  return r;
}

static void put_received(Value *ra, int nresults, const Value res[2]) {
  for (int c = 0; c < nresults; c++) {
    if (c < 2)
      v_copy(&ra[4 + c], &res[c]);
    else
      v_setnil(&ra[4 + c]);
  }
}

int op_forreceive(lua_State *L, Value *ra, int nresults) {
  Table *mt = atomic_load_explicit(&v_ud(ra)->meta, memory_order_acquire);
  if (unlikely(!method_receives(L->gl, mt)) && !method_findreceive(L, mt)) return OP_NORECEIVE;
  Value res[2];
  ptrdiff_t at = stack_save(L, ra);
  if (rt_recv(L, ra, res) == RT_PARK) return RT_PARK;
  put_received(stack_restore(L, at), nresults, res);
  return RT_DONE;
}

void op_unpark(lua_State *L, CallInfo *ci) {
  Value res[2] = {{.tag = TAG_NIL}, {.tag = TAG_NIL}};
  int chosen = 0;
  const Instr *pc = ci->u.l.pc;
  Instr i = instr_fetch(pc - 1);
  ci->status &= (uint16_t)~CI_PARKED;
  rt_finish(L, &chosen, res);
  Value *ra = ci->func + 1 + INSTR_A(i);
  switch (INSTR_OP(i)) {
  case OP_RECV2: v_copy(&ra[1], &res[1]); // fall through
  case OP_RECV: v_copy(&ra[0], &res[0]); break;
  case OP_TFORCALL: put_received(ra, INSTR_C(i), res); break;
  case OP_SELECT: put_selected(ci, pc, i, chosen, res); break;
  default: break;
  }
}

// ---- closing ---------------------------------------------------------------------------------------

bool op_close(lua_State *L, CallInfo *ci, unsigned a) {
  int nargs = tbc_take_var(L, stack_save(L, ci->func + 1 + a));
  if (nargs < 0) return false;
  call_push(L, L->top - (nargs + 1), 0, CI_META);
  return true;
}

bool op_closereturn(lua_State *L, CallInfo *ci, Value *ra, int n) {
  if (!tbc_pending(L, ci->func + 1)) {
    ci->status &= (uint16_t)~CI_CLOSING;
    return false;
  }
  ci->u2.nres = n;
  ci->status |= CI_CLOSING;
  L->top = ra + n > ci->top ? ra + n : ci->top;
  int nargs = tbc_take(L, NULL);
  call_push(L, L->top - (nargs + 1), 0, CI_META);
  return true;
}

// ---- after a metamethod ----------------------------------------------------------------------------

static void finish_jump(CallInfo *ci, Instr i, bool cond) {
  if (ci->status & CI_LEQ) {
    ci->status &= (uint16_t)~CI_LEQ;
    cond = !cond;
  }
  switch (INSTR_OP(i)) {
  case OP_JNE:
  case OP_JNLT:
  case OP_JNLE:
  case OP_JNLTI:
  case OP_JNLEI:
  case OP_JNGTI:
  case OP_JNGEI: cond = !cond; break;
  default: break;
  }
  if (cond) ci->u.l.pc += INSTR_J(i);
}

static enum Finish finish_concat(lua_State *L, CallInfo *ci, Instr i, const Value *res) {
  int n = ci->u2.nres;
  v_copy(ci->func + 1 + INSTR_B(i) + n - 2, res);
  L->top = ci->top;
  return concat_rest(L, ci, i, n - 1) ? FINISH_PUSHED : FINISH_NEXT;
}

enum Finish op_finish(lua_State *L, CallInfo *ci) {
  Instr i = instr_fetch(ci->u.l.pc - 1);
  const Value *res = L->top - 1;
  switch (INSTR_OP(i)) {
  case OP_JEQ:
  case OP_JNE:
  case OP_JLT:
  case OP_JNLT:
  case OP_JLE:
  case OP_JNLE:
  case OP_JLTI:
  case OP_JNLTI:
  case OP_JLEI:
  case OP_JNLEI:
  case OP_JGTI:
  case OP_JNGTI:
  case OP_JGEI:
  case OP_JNGEI: finish_jump(ci, i, !v_isfalsy(res)); break;
  case OP_SETTABUP:
  case OP_SETTABLE:
  case OP_SETI:
  case OP_SETFIELD: break;
  case OP_CONCAT: return finish_concat(L, ci, i, res);
  case OP_CLOSE:
  case OP_RETURN: ci->u.l.pc--; break; // again, for the next entry
  case OP_TAILCALL: return FINISH_RETURN;
  default: v_copy(ci->func + 1 + INSTR_A(i), res); break;
  }
  return FINISH_NEXT;
}

// ---- iterators the loop knows ----------------------------------------------------------------------

int vm_next(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (lua_next(L, 1)) return 2;
  lua_pushnil(L);
  return 1;
}

int vm_ipairsaux(lua_State *L) {
  lua_Integer i = luaL_checkinteger(L, 2);
  i = luaL_intop(+, i, 1);
  lua_pushinteger(L, i);
  return lua_geti(L, 1, i) == LUA_TNIL ? 1 : 2;
}
