// SPDX-License-Identifier: MIT
//
// codegen_expr.c: code for expressions and conditions.
//
// What:       a value is computed straight into the register where it is wanted (expr_to); a local is used where it
//             stands (expr_any); a condition becomes compare-and-jump (expr_jump) and a boolean only where one is asked
//             for. Constant operators are folded in the tree first (expr_fold).
// Invariants: the target of expr_to is either fs->free, and then may serve as scratch on the way, or a local, which is
//             written last, because the expression may still read it.
//             Operands are evaluated from left to right, but for locals, which the instruction that uses them reads:
//             so in Lua, where they are registers. One in a cell must be fetched from there, and if the other operand
//             may assign it (a call, or a metamethod), then after that has been evaluated: expr_before, expr_after.
//             Left-deep trees (a+b+c..., a.b.c..., x and y and ...) can be a million levels deep, as the parser
//             builds them in a loop: their spines are walked in loops here too. All other depth is bounded by it.
// Lines:      Lua emits the load of a name, constant or index only when the token after it is known, and with the line
//             of the last token read. Programs see this in error messages and line hooks. The places where that token
//             is known (operator, comma, closing bracket) move the line of such an operand there: expr_settle.
// Callers:    codegen.c.
// See also:   opcodes.h. Tests: tests/vm/expr_*.lua.
#include "codegen_int.h"
#include "meta.h"
#include <limits.h>
#include <math.h>

#define MAX_K16 65535 // constants that a 16-bit field can name
#define MAX_GETI 255  // as in Lua, whose messages call the field "integer index" up to here
#define LISTBATCH 50  // table items between two SETLIST

static bool is_arith(const Expr *e) { return e->kind == E_BINOP && e->bin.op <= LUA_OPSHR; }
static bool is_concat(const Expr *e) { return e->kind == E_BINOP && e->bin.op == BOP_CONCAT; }
static bool is_compare(const Expr *e) { return e->kind == E_BINOP && e->bin.op >= BOP_EQ; }
static bool is_not(const Expr *e) { return e->kind == E_UNOP && e->bin.op == UOP_NOT; }
static bool is_logic(const Expr *e) { return e->kind == E_AND || e->kind == E_OR; }
static bool is_const(const Expr *e) { return e->kind <= E_STRING; }
static bool is_numeral(const Expr *e) { return e->kind == E_INT || e->kind == E_FLOAT; }
static bool is_call(const Expr *e) { return e->kind == E_CALL || e->kind == E_METHOD; }

bool expr_is_multi(const Expr *e) { return is_call(e) || e->kind == E_VARARG; }

static bool const_istrue(const Expr *e) { return e->kind != E_NIL && e->kind != E_FALSE; }

static Expr *strip_parens(Expr *e) {
  while (e->kind == E_PAREN) e = e->bin.a;
  return e;
}

// ---- spines ---------------------------------------------------------------------------------------

// The nodes of a left spine, outermost first.
typedef struct Spine {
  Expr *few[8];
  Expr **v;
  int n, cap;
} Spine;

static void spine_add(FuncState *fs, Spine *s, Expr *e) {
  if (s->n < 8) {
    s->v = s->few;
  } else {
    if (s->n == 8) {
      s->v = NULL;
      s->cap = 0;
      for (int i = 0; i < 8; i++) {
        s->v = arena_grow(fs->c, s->v, i, &s->cap, sizeof(Expr *));
        s->v[i] = s->few[i];
      }
    }
    s->v = arena_grow(fs->c, s->v, s->n, &s->cap, sizeof(Expr *));
  }
  s->v[s->n++] = e;
}

// The spine from e down through left operands for which `same` holds.
static void spine_binary(FuncState *fs, Spine *s, Expr *e, bool (*same)(const Expr *)) {
  s->n = 0;
  for (; same(e); e = e->bin.a) spine_add(fs, s, e);
}

// ---- constants ------------------------------------------------------------------------------------

static void const_value(const Expr *e, Value *v) {
  switch (e->kind) {
  case E_NIL: v_setnil(v); break;
  case E_TRUE: v_setbool(v, true); break;
  case E_FALSE: v_setbool(v, false); break;
  case E_INT: v_setint(v, e->i); break;
  case E_FLOAT: v_setfloat(v, e->n); break;
  default: v_setobj(v, TAG_STRING, e->s); break;
  }
}

static void become_const(Expr *e, const Value *v) {
  e->line = e->endline;
  switch (v->tag) {
  case TAG_NIL: e->kind = E_NIL; break;
  case TAG_TRUE: e->kind = E_TRUE; break;
  case TAG_FALSE: e->kind = E_FALSE; break;
  case TAG_INT:
    e->kind = E_INT;
    e->i = v->i;
    break;
  case TAG_FLOAT:
    e->kind = E_FLOAT;
    e->n = v->n;
    break;
  default:
    e->kind = E_STRING;
    e->s = v_str(v);
    break;
  }
}

static bool is_zero(const Value *v) { return v->tag == TAG_INT ? v->i == 0 : v->n == 0; }

// Lua's rules: no folding where an error, a NaN or a zero of unclear sign would come out.
static void fold_arith(FuncState *fs, Expr *e, int op, const Expr *a, const Expr *b) {
  if (!is_numeral(a) || !is_numeral(b)) return;
  Value x, y, res;
  const_value(a, &x);
  const_value(b, &y);
  if ((op == LUA_OPDIV || op == LUA_OPIDIV || op == LUA_OPMOD) && is_zero(&y)) return;
  if (!meta_rawarith(fs->c->L, op, &x, &y, &res)) return;
  if (res.tag == TAG_FLOAT && (isnan(res.n) || res.n == 0)) return;
  become_const(e, &res);
}

static bool is_unfolded_arith(const Expr *e) { return is_arith(e) && !e->folded; }

static void fold_spine(FuncState *fs, Expr *top) {
  Spine s;
  spine_binary(fs, &s, top, is_unfolded_arith);
  expr_fold(fs, s.v[s.n - 1]->bin.a);
  for (int i = s.n - 1; i >= 0; i--) {
    Expr *e = s.v[i];
    e->folded = true;
    expr_fold(fs, e->bin.b);
    fold_arith(fs, e, e->bin.op, e->bin.a, e->bin.b);
  }
}

static void fold_unary(FuncState *fs, Expr *e) {
  Expr *a = e->bin.a;
  if (e->bin.op == UOP_LEN) return;
  expr_fold(fs, a);
  if (e->bin.op != UOP_NOT) {
    fold_arith(fs, e, e->bin.op, a, a);
  } else if (is_const(a)) {
    e->kind = a->kind == E_NIL || a->kind == E_FALSE ? E_TRUE : E_FALSE;
  }
}

static bool is_unfolded_logic(const Expr *e) { return is_logic(e) && !e->folded; }

// `x and e`, where x is a constant that counts as true, is e, and so is `x or e` with one that counts as false.
static void fold_logic(FuncState *fs, Expr *top) {
  Spine s;
  spine_binary(fs, &s, top, is_unfolded_logic);
  for (int i = s.n - 1; i >= 0; i--) {
    Expr *e = s.v[i], *a = e->bin.a;
    expr_fold(fs, a);
    if (is_const(a) && const_istrue(a) == (e->kind == E_AND)) {
      e->kind = E_PAREN;
      e->bin.a = e->bin.b;
      expr_fold(fs, e);
    }
    e->folded = true;
  }
}

void expr_fold(FuncState *fs, Expr *e) {
  if (e->folded) return;
  if (is_arith(e)) {
    fold_spine(fs, e);
    return;
  }
  if (is_logic(e)) {
    fold_logic(fs, e);
    return;
  }
  e->folded = true;
  if (e->kind == E_LOCAL && e->var->kind == VAR_CTC) {
    become_const(e, &e->var->ctc);
  } else if (e->kind == E_UNOP) {
    fold_unary(fs, e);
  } else if (e->kind == E_PAREN) {
    expr_fold(fs, e->bin.a);
    if (is_const(e->bin.a)) {
      Value v;
      const_value(e->bin.a, &v);
      become_const(e, &v);
    }
  }
}

bool expr_istrue(FuncState *fs, Expr *e) {
  expr_fold(fs, e);
  return is_const(e) && const_istrue(e);
}

static void load_const(FuncState *fs, const Expr *e, int target) {
  Instr i;
  Value v;
  switch (e->kind) {
  case E_NIL: cg_nil(fs, target, 1, e->line); return;
  case E_TRUE: i = MK_ABCX(OP_LOADTRUE, target, 0, 0, 0); break;
  case E_FALSE: i = MK_ABCX(OP_LOADFALSE, target, 0, 0, 0); break;
  default:
    if (e->kind == E_INT && e->i >= INT32_MIN && e->i <= INT32_MAX) {
      i = MK_ABJ(OP_LOADI, target, 0, e->i);
    } else if (e->kind == E_FLOAT && e->n >= INT32_MIN && e->n <= INT32_MAX && e->n == (int32_t)e->n &&
               !signbit(e->n) == !(e->n < 0)) {
      i = MK_ABJ(OP_LOADF, target, 0, (int32_t)e->n);
    } else {
      const_value(e, &v);
      i = MK_ABJ(OP_LOADK, target, 0, cg_const(fs, &v));
    }
  }
  cg_emit(fs, i, e->line);
}

// e, folded, as a constant that a 16-bit field can name.
static bool const_k16(FuncState *fs, const Expr *e, int *k) {
  if (!is_const(e)) return false;
  Value v;
  const_value(e, &v);
  *k = cg_const(fs, &v);
  return *k <= MAX_K16;
}

bool expr_fieldkey(FuncState *fs, Expr *key, int *k) {
  expr_fold(fs, key);
  return key->kind == E_STRING && str_isinterned(key->s) && const_k16(fs, key, k);
}

int expr_rk(FuncState *fs, Expr *e, int line) {
  int k;
  expr_fold(fs, e);
  if (const_k16(fs, e, &k) && k <= MAX_RKINDEX) return RK_CONST + k;
  return expr_operand(fs, e, line);
}

// ---- the order of operands -------------------------------------------------------------------------

// Whether evaluating e (folded) may run other code.
static bool acts(const Expr *e) {
  while (e->kind == E_PAREN) e = e->bin.a;
  return !is_const(e) && e->kind != E_LOCAL && e->kind != E_UPVAL && e->kind != E_FUNCTION && e->kind != E_VARARG;
}

bool expr_incell(const Expr *e) {
  while (e->kind == E_PAREN) e = e->bin.a;
  return e->kind == E_LOCAL && var_in_cell(e->var);
}

int expr_operand(FuncState *fs, Expr *e, int line) {
  expr_fold(fs, e);
  if (expr_incell(e)) expr_settle(strip_parens(e), line);
  return expr_any(fs, e);
}

// The first operand e of an instruction with another one, `rest`: its register, or -1 if e must be read after rest.
static int expr_before(FuncState *fs, Expr *e, Expr *rest, int line) {
  expr_fold(fs, e);
  expr_fold(fs, rest);
  return expr_incell(e) && acts(rest) ? -1 : expr_operand(fs, e, line);
}

int expr_after(FuncState *fs, Expr *e, int reg, int line) {
  if (reg >= 0) return reg;
  e = strip_parens(e);
  expr_settle(e, line);
  return expr_next(fs, e);
}

// ---- arithmetic -----------------------------------------------------------------------------------

static bool commutes(int op) {
  return op == LUA_OPADD || op == LUA_OPMUL || op == LUA_OPBAND || op == LUA_OPBOR || op == LUA_OPBXOR;
}

static bool is_bitwise(int op) { return op >= LUA_OPBAND && op <= LUA_OPSHR; }

// ADDI for x + n, x - n and n + x.
static bool arith_imm(FuncState *fs, const Expr *e, int target, int left, const Expr *num, bool flipped) {
  int op = e->bin.op;
  if (num->kind != E_INT || (op != LUA_OPADD && op != LUA_OPSUB)) return false;
  if (num->i < -INT16_MAX || num->i > INT16_MAX) return false;
  int16_t n = (int16_t)(op == LUA_OPADD ? num->i : -num->i);
  int x = op == LUA_OPSUB ? 1 : flipped ? 2 : 0;
  cg_emit(fs, MK_ABCX(OP_ADDI, target, left, (uint16_t)n, x), e->line);
  return true;
}

// e with one operand in register `reg` and the numeral `num` as the other (the left one if flipped).
static bool arith_const(FuncState *fs, const Expr *e, int target, int reg, const Expr *num, bool flipped) {
  int k;
  if (!is_numeral(num) || (is_bitwise(e->bin.op) && num->kind != E_INT)) return false;
  if (arith_imm(fs, e, target, reg, num, flipped)) return true;
  if (!const_k16(fs, num, &k)) return false;
  cg_emit(fs, MK_ABCX(OP_ADDK + e->bin.op, target, reg, k, flipped), e->line);
  return true;
}

// left: register of the left operand, -1 if it is to be evaluated.
static void arith_node(FuncState *fs, Expr *e, int left, int target) {
  Expr *a = e->bin.a, *b = e->bin.b;
  if (left < 0) {
    expr_settle(a, e->line);
    if (is_numeral(a) && commutes(e->bin.op) && !is_const(b)) {
      int right = expr_operand(fs, b, e->line);
      if (arith_const(fs, e, target, right, a, true)) return;
      left = cg_reserve(fs, 1);
      load_const(fs, a, left);
      cg_emit(fs, MK_ABCX(OP_ADD + e->bin.op, target, left, right, 0), e->line);
      return;
    }
    left = expr_before(fs, a, b, e->line);
  }
  if (arith_const(fs, e, target, left, b, false)) return;
  int right = expr_operand(fs, b, e->line);
  left = expr_after(fs, a, left, e->line);
  cg_emit(fs, MK_ABCX(OP_ADD + e->bin.op, target, left, right, 0), e->line);
}

static void arith_to(FuncState *fs, Expr *top, int target) {
  Spine s;
  int base = fs->free, left = -1;
  spine_binary(fs, &s, top, is_arith);
  for (int i = s.n - 1; i >= 0; i--) {
    arith_node(fs, s.v[i], left, i == 0 ? target : base);
    fs->free = base;
    if (i > 0) left = cg_reserve(fs, 1);
  }
  fs->free = base;
}

static void concat_to(FuncState *fs, Expr *e, int target) {
  int base = fs->free, n = 1;
  for (;; e = e->bin.b, n++) {
    expr_settle(e->bin.a, e->line);
    expr_next(fs, e->bin.a);
    if (!is_concat(e->bin.b)) break;
  }
  expr_next(fs, e->bin.b);
  cg_emit(fs, MK_ABCX(OP_CONCAT, target, base, n + 1, 0), e->line);
  fs->free = base;
}

// ---- comparisons ----------------------------------------------------------------------------------

static bool is_imm16(const Expr *e) { return e->kind == E_INT && e->i >= INT16_MIN && e->i <= INT16_MAX; }

static void equal_jump(FuncState *fs, Expr *e, int left, bool when, int *list) {
  Expr *a = e->bin.a, *b = e->bin.b;
  int k, line = b->endline;
  if (e->bin.op == BOP_NE) when = !when;
  if (left < 0 && is_const(a) && !is_const(b)) {
    Expr *t = a;
    a = b;
    b = t;
  }
  if (left < 0) left = expr_before(fs, a, b, line);
  if (const_k16(fs, b, &k)) {
    cg_jump(fs, when ? OP_JEQK : OP_JNEK, left, k, line, list);
    return;
  }
  int right = expr_operand(fs, b, line);
  left = expr_after(fs, a, left, line);
  cg_jump(fs, when ? OP_JEQ : OP_JNE, left, right, line, list);
}

// Each operator's instruction with an immediate on the right, and on the left. The next opcode is its negation.
static const uint8_t order_right[] = {OP_JLTI, OP_JLEI, OP_JGTI, OP_JGEI};
static const uint8_t order_left[] = {OP_JGTI, OP_JGEI, OP_JLTI, OP_JLEI};
_Static_assert(OP_JNLTI == OP_JLTI + 1 && OP_JNLEI == OP_JLEI + 1 && OP_JNGTI == OP_JGTI + 1 &&
                   OP_JNGEI == OP_JGEI + 1 && OP_JNLT == OP_JLT + 1 && OP_JNLE == OP_JLE + 1,
               "a negated jump follows its jump");

static void order_jump(FuncState *fs, Expr *e, int left, bool when, int *list) {
  Expr *a = e->bin.a, *b = e->bin.b;
  int op = e->bin.op, negate = when ? 0 : 1, line = b->endline;
  if (left < 0 && is_imm16(a) && !is_const(b)) {
    int reg = expr_operand(fs, b, line);
    cg_jump(fs, order_left[op - BOP_LT] + negate, reg, (uint16_t)a->i, line, list);
    return;
  }
  if (left < 0) left = expr_before(fs, a, b, line);
  if (is_imm16(b)) {
    cg_jump(fs, order_right[op - BOP_LT] + negate, left, (uint16_t)b->i, line, list);
    return;
  }
  int right = expr_operand(fs, b, line);
  left = expr_after(fs, a, left, line);
  int jump = (op == BOP_LT || op == BOP_GT ? OP_JLT : OP_JLE) + negate;
  if (op == BOP_GT || op == BOP_GE) {
    cg_jump(fs, jump, right, left, line, list);
  } else {
    cg_jump(fs, jump, left, right, line, list);
  }
}

static void compare_jump(FuncState *fs, Expr *e, int left, bool when, int *list) {
  int base = fs->free;
  expr_fold(fs, e->bin.a);
  expr_fold(fs, e->bin.b);
  if (left < 0) expr_settle(e->bin.a, e->line);
  if (e->bin.op <= BOP_NE) {
    equal_jump(fs, e, left, when, list);
  } else {
    order_jump(fs, e, left, when, list);
  }
  fs->free = base;
}

// Code that arrives here has taken no jump; `falses` are the jumps for false.
static void load_bool(FuncState *fs, int target, int falses, int line) {
  int end = NO_JUMP;
  cg_emit(fs, MK_ABCX(OP_LOADTRUE, target, 0, 0, 0), line);
  cg_jump(fs, OP_JMP, 0, 0, line, &end);
  cg_patch_here(fs, falses);
  cg_emit(fs, MK_ABCX(OP_LOADFALSE, target, 0, 0, 0), line);
  cg_patch_here(fs, end);
}

// a < b < c < ...: all but the outermost comparison; the register of the result, reserved, or -1 if there is one only.
static int compare_spine(FuncState *fs, Expr *top) {
  if (!is_compare(top->bin.a)) return -1;
  Spine s;
  int base = fs->free, left = -1;
  spine_binary(fs, &s, top->bin.a, is_compare);
  for (int i = s.n - 1; i >= 0; i--) {
    int falses = NO_JUMP;
    compare_jump(fs, s.v[i], left, false, &falses);
    fs->free = base;
    left = cg_reserve(fs, 1);
    load_bool(fs, left, falses, s.v[i]->endline);
  }
  return left;
}

// ---- conditions -----------------------------------------------------------------------------------

static bool is_and(const Expr *e) { return e->kind == E_AND; }
static bool is_or(const Expr *e) { return e->kind == E_OR; }

// The operands of a spine of one operator, in order: 0 .. s->n; the operator after operand i is node n-1-i.
static Expr *operand(const Spine *s, int i) { return i == 0 ? s->v[s->n - 1]->bin.a : s->v[s->n - i]->bin.b; }

static void logic_jump(FuncState *fs, Expr *e, bool when, int *list, int line) {
  Spine s;
  bool stops = e->kind == E_OR; // the truth of an operand that decides the whole
  int skip = NO_JUMP;
  spine_binary(fs, &s, e, stops ? is_or : is_and);
  for (int i = 0; i < s.n; i++) {
    expr_jump(fs, operand(&s, i), stops, when == stops ? list : &skip, s.v[s.n - 1 - i]->line);
  }
  expr_jump(fs, operand(&s, s.n), when, list, line);
  cg_patch_here(fs, skip);
}

void expr_jump(FuncState *fs, Expr *e, bool when, int *list, int line) {
  int base = fs->free;
  for (expr_fold(fs, e); e->kind == E_PAREN || is_not(e); expr_fold(fs, e)) {
    if (is_not(e)) when = !when;
    e = e->bin.a;
  }
  if (is_const(e)) {
    bool truth = const_istrue(e);
    if (truth == when) {
      expr_settle(e, line);
      expr_next(fs, e); // only so that line hooks see the condition, as in Lua
      cg_jump(fs, OP_JMP, 0, 0, line, list);
    }
  } else if (is_logic(e)) {
    logic_jump(fs, e, when, list, line);
  } else if (is_compare(e)) {
    compare_jump(fs, e, compare_spine(fs, e), when, list);
  } else {
    expr_settle(e, line);
    cg_jump(fs, when ? OP_JT : OP_JF, expr_any(fs, e), 0, line, list);
  }
  fs->free = base;
}

// A condition as a boolean. In a fresh register it is assumed true before the test, which saves a jump.
static void bool_to(FuncState *fs, Expr *e, int target) {
  int list = NO_JUMP, line = e->endline;
  if (target != fs->free) {
    expr_jump(fs, e, false, &list, line);
    load_bool(fs, target, list, line);
    return;
  }
  cg_reserve(fs, 1);
  cg_emit(fs, MK_ABCX(OP_LOADTRUE, target, 0, 0, 0), e->line);
  expr_jump(fs, e, true, &list, line);
  cg_emit(fs, MK_ABCX(OP_LOADFALSE, target, 0, 0, 0), line);
  cg_patch_here(fs, list);
  fs->free = target;
}

static void value_jump(FuncState *fs, Expr *e, int target, bool when, int *list, int line);

static void logic_value_jump(FuncState *fs, Expr *e, int target, bool when, int *list, int line) {
  Spine s;
  bool stops = e->kind == E_OR;
  int skip = NO_JUMP;
  spine_binary(fs, &s, e, stops ? is_or : is_and);
  for (int i = 0; i < s.n; i++) {
    int opline = s.v[s.n - 1 - i]->line;
    if (when == stops) {
      value_jump(fs, operand(&s, i), target, when, list, opline);
    } else {
      expr_jump(fs, operand(&s, i), stops, &skip, opline);
    }
  }
  value_jump(fs, operand(&s, s.n), target, when, list, line);
  cg_patch_here(fs, skip);
}

// If the truth of e is `when`: target = e, and jumps. Otherwise goes on; then the target's value does not matter,
// unless it is a local, which is left alone.
static void value_jump(FuncState *fs, Expr *e, int target, bool when, int *list, int line) {
  int base = fs->free;
  expr_fold(fs, e);
  e = strip_parens(e);
  if (is_const(e)) {
    bool truth = const_istrue(e);
    if (truth != when) return;
    load_const(fs, e, target);
    cg_jump(fs, OP_JMP, 0, 0, line, list);
  } else if (is_logic(e)) {
    logic_value_jump(fs, e, target, when, list, line);
  } else if (is_compare(e) || is_not(e)) {
    int skip = NO_JUMP;
    expr_jump(fs, e, !when, &skip, line);
    cg_emit(fs, MK_ABCX(when ? OP_LOADTRUE : OP_LOADFALSE, target, 0, 0, 0), line);
    cg_jump(fs, OP_JMP, 0, 0, line, list);
    cg_patch_here(fs, skip);
  } else {
    expr_settle(e, line);
    int reg = expr_any(fs, e);
    if (reg == target) {
      cg_jump(fs, when ? OP_JT : OP_JF, reg, 0, line, list);
    } else {
      cg_jump(fs, when ? OP_JTSET : OP_JFSET, target, reg, line, list);
    }
  }
  fs->free = base;
}

static void logic_to(FuncState *fs, Expr *e, int target) {
  Spine s;
  int end = NO_JUMP;
  spine_binary(fs, &s, e, e->kind == E_OR ? is_or : is_and);
  for (int i = 0; i < s.n; i++) {
    value_jump(fs, operand(&s, i), target, e->kind == E_OR, &end, s.v[s.n - 1 - i]->line);
  }
  expr_to(fs, operand(&s, s.n), target);
  cg_patch_here(fs, end);
}

// ---- names, fields and calls ----------------------------------------------------------------------

int expr_object(FuncState *fs, Expr *obj, Expr *key, int line) {
  return obj->kind == E_UPVAL && acts(key) ? -1 : expr_before(fs, obj, key, line);
}

// target = obj[key]. `reg`: register of the object, -1 if it is to be evaluated.
static void index_to(FuncState *fs, Expr *e, int reg, int target) {
  Expr *obj = e->ix.obj, *key = e->ix.key;
  int base = fs->free, k;
  bool field = expr_fieldkey(fs, key, &k);
  if (reg < 0 && field && obj->kind == E_UPVAL) {
    cg_emit(fs, MK_ABCX(OP_GETTABUP, target, obj->index, k, 0), e->line);
    return;
  }
  if (reg < 0) reg = expr_object(fs, obj, key, e->line);
  if (field) {
    cg_emit(fs, MK_ABCX(OP_GETFIELD, target, reg, k, 0), e->line);
  } else if (key->kind == E_INT && key->i >= 0 && key->i <= MAX_GETI) {
    cg_emit(fs, MK_ABCX(OP_GETI, target, reg, key->i, 0), e->line);
  } else {
    int keyreg = expr_operand(fs, key, e->line);
    reg = expr_after(fs, obj, reg, e->line);
    cg_emit(fs, MK_ABCX(OP_GETTABLE, target, reg, keyreg, 0), e->line);
  }
  fs->free = base;
}

// The function of obj:name at `base` and the object after it. A name that no field instruction can hold takes a detour.
static void self_to(FuncState *fs, Expr *e, int obj, int base) {
  int line = e->call.nameline, k;
  Expr key = {.kind = E_STRING, .line = line, .endline = line, .s = e->call.method};
  if (expr_fieldkey(fs, &key, &k)) {
    cg_emit(fs, MK_ABCX(OP_SELF, base, obj, k, 0), line);
    return;
  }
  cg_touch(fs, base + 2);
  cg_emit(fs, MK_ABCX(OP_MOVE, base + 1, obj, 0, 0), line);
  load_const(fs, &key, base + 2);
  cg_emit(fs, MK_ABCX(OP_GETTABLE, base, base + 1, base + 2, 0), line);
}

// The function (and object) is at `base`; arguments go behind it. The B operand of the call.
static int push_args(FuncState *fs, Expr *e) {
  const ExprList *args = &e->call.args;
  int fixed = e->kind == E_METHOD ? 2 : 1;
  if (args->n > 0) expr_settle(args->v[args->n - 1], e->endline);
  int n = explist_open(fs, args);
  return n < 0 ? 0 : n + fixed;
}

static void set_op(Instr *i, int op) { *i = (*i & ~(Instr)0xFF) | (Instr)op; }

// A method call is about to be emitted whose arguments were loaded by the code from `args` on: its SELF may do it all
// if there is nothing else than an integer constant to load; and so may the GETUPVAL of the object before it.
static void fuse_self(FuncState *fs, int args, int base) {
  int n = fs->ncode - args;
  Instr *self = &fs->code[args - 1];
  bool fits = n == 0 || (n == 1 && INSTR_OP(fs->code[args]) == OP_LOADI && INSTR_A(fs->code[args]) == base + 2);
  if (INSTR_OP(*self) != OP_SELF || !fits) return;
  set_op(self, n == 0 ? OP_SELFCALL : OP_SELFCALLI);
  if (n != 0 || args < 2 || INSTR_B(*self) != INSTR_A(*self)) return;
  Instr *get = self - 1;
  if (INSTR_OP(*get) == OP_GETUPVAL && INSTR_A(*get) == INSTR_A(*self)) set_op(get, OP_UPSELFCALL);
}

static void call_node(FuncState *fs, Expr *e, int obj, int base, int op, int nres) {
  fs->free = base;
  if (e->kind == E_METHOD) {
    cg_touch(fs, base + 1);
    self_to(fs, e, obj, base);
  }
  cg_reserve(fs, e->kind == E_METHOD ? 2 : 1);
  int args = fs->ncode, b = push_args(fs, e);
  if (e->kind == E_METHOD && op == OP_CALL) fuse_self(fs, args, base);
  cg_emit(fs, MK_ABCX(op, base, b, op == OP_CALL ? nres + 1 : 0, 0), e->line);
  fs->free = base;
}

static bool is_suffixed(const Expr *e) { return e->kind == E_INDEX || is_call(e); }

// A chain of indices and calls. An outermost call is made as `op`, with results from fs->free on; an outermost index
// goes to target.
static void suffix_to(FuncState *fs, Expr *top, int target, int op, int nres) {
  Spine s = {.n = 0};
  int base = fs->free, reg = -1;
  Expr *e = top;
  for (; is_suffixed(e); e = e->kind == E_INDEX ? e->ix.obj : e->call.fn) {
    spine_add(fs, &s, e);
    if (e->kind == E_METHOD) expr_settle(e->call.fn, e->call.nameline);
  }
  Expr *first = s.v[s.n - 1];
  if (first->kind == E_CALL) {
    reg = expr_next(fs, e);
  } else if (first->kind == E_METHOD) {
    reg = expr_any(fs, e);
  }
  for (int i = s.n - 1; i >= 0; i--) {
    Expr *node = s.v[i];
    if (node->kind == E_INDEX) {
      index_to(fs, node, reg, i == 0 ? target : base);
    } else if (i == 0) {
      call_node(fs, node, reg, base, op, nres);
    } else {
      call_node(fs, node, reg, base, OP_CALL, 1);
    }
    fs->free = base;
    if (i > 0) reg = cg_reserve(fs, 1);
  }
  fs->free = base;
}

int expr_call(FuncState *fs, Expr *e, int op, int nres) {
  suffix_to(fs, e, fs->free, op, nres);
  return fs->free;
}

static void move_to(FuncState *fs, int from, int target, int line) {
  if (from != target) cg_emit(fs, MK_ABCX(OP_MOVE, target, from, 0, 0), line);
}

static void local_to(FuncState *fs, const Expr *e, int target) {
  if (var_in_cell(e->var)) {
    cg_emit(fs, MK_ABCX(OP_GETCELL, target, e->var->reg, 0, 0), e->line);
  } else {
    move_to(fs, e->var->reg, target, e->line);
  }
}

// ---- lists and tables -----------------------------------------------------------------------------

// `n` values of a call or `...` in registers from fs->free on (n < 0: all).
static void multi_values(FuncState *fs, Expr *e, int n) {
  if (is_call(e)) {
    expr_call(fs, e, OP_CALL, n);
  } else {
    cg_touch(fs, fs->free);
    cg_emit(fs, MK_ABCX(OP_VARARG, fs->free, 0, n + 1, 0), e->line);
  }
}

int explist_open(FuncState *fs, const ExprList *l) {
  int base = fs->free, n = l->n;
  for (int i = 0; i < l->n; i++) {
    if (i == l->n - 1 && expr_is_multi(l->v[i])) {
      multi_values(fs, l->v[i], -1);
      n = -1;
    } else {
      expr_next(fs, l->v[i]);
    }
  }
  fs->free = base;
  return n;
}

static void fill_nil(FuncState *fs, int n, int line) {
  if (n <= 0) return;
  cg_nil(fs, cg_reserve(fs, n), n, line);
}

// The last expression of a list, from which `want` values are still needed (none or less: dropped).
static void adjust_last(FuncState *fs, Expr *e, int want, bool alone, int line) {
  int base = fs->free;
  if (expr_is_multi(e)) {
    if (want < 0) want = 0;
    multi_values(fs, e, want);
    cg_reserve(fs, want);
  } else if (e->kind == E_RECV && alone && want == 2) {
    int ch = expr_any(fs, e->bin.a);
    fs->free = base;
    cg_reserve(fs, 2);
    cg_emit(fs, MK_ABCX(OP_RECV2, base, ch, 0, 0), e->line);
  } else {
    expr_next(fs, e);
    if (want <= 0) fs->free = base;
    fill_nil(fs, want - 1, line);
  }
}

int explist_adjust(FuncState *fs, const ExprList *l, int want, int line) {
  int base = fs->free;
  if (l->n == 0) fill_nil(fs, want, line);
  for (int i = 0; i < l->n; i++) {
    if (i == l->n - 1) {
      adjust_last(fs, l->v[i], want - i, l->n == 1, line);
    } else {
      int reg = expr_next(fs, l->v[i]);
      if (i >= want) fs->free = reg;
    }
  }
  return base;
}

static int ceil_log2(unsigned n) {
  int log = 0;
  while ((1u << log) < n) log++;
  return log;
}

static void table_field(FuncState *fs, int t, const TableItem *item) {
  int base = fs->free, line = item->value->endline, k;
  if (expr_fieldkey(fs, item->key, &k)) {
    int v = expr_rk(fs, item->value, line);
    cg_emit(fs, MK_ABCX(OP_SETFIELD, t, k, v, 0), line);
  } else if (item->key->kind == E_INT && item->key->i >= 0 && item->key->i <= MAX_K16) {
    int v = expr_rk(fs, item->value, line);
    cg_emit(fs, MK_ABCX(OP_SETI, t, item->key->i, v, 0), line);
  } else {
    int key = expr_before(fs, item->key, item->value, line);
    int v = expr_rk(fs, item->value, line);
    key = expr_after(fs, item->key, key, line);
    cg_emit(fs, MK_ABCX(OP_SETTABLE, t, key, v, 0), line);
  }
  fs->free = base;
}

// The items of a constructor into the table in register t. Positional ones gather in the registers after it.
// Returns how many there are, a final open list not counted.
static int table_items(FuncState *fs, Expr *e, int t) {
  int stored = 0, pending = 0, n = e->tab.n;
  for (int i = 0; i < n; i++) {
    const TableItem *item = &e->tab.v[i];
    if (pending == LISTBATCH) {
      cg_emit(fs, MK_ABJ(OP_SETLIST, t, pending, stored), item->line);
      stored += pending;
      pending = 0;
      fs->free = t + 1;
    }
    if (item->key != NULL) {
      table_field(fs, t, item);
    } else if (i == n - 1 && expr_is_multi(item->value)) {
      multi_values(fs, item->value, -1);
      cg_emit(fs, MK_ABJ(OP_SETLIST, t, 0, stored), e->endline);
      return stored + pending;
    } else {
      if (i == n - 1) expr_settle(item->value, e->endline);
      expr_next(fs, item->value);
      pending++;
    }
  }
  if (pending > 0) cg_emit(fs, MK_ABJ(OP_SETLIST, t, pending, stored), e->endline);
  return stored + pending;
}

static void table_to(FuncState *fs, Expr *e, int target) {
  int t = e->tab.n == 0 ? target : fs->free, hash = 0;
  int pc = cg_emit(fs, MK_ABJ(OP_NEWTABLE, t, 0, 0), e->line);
  if (e->tab.n == 0) return;
  cg_reserve(fs, 1);
  for (int i = 0; i < e->tab.n; i++) hash += e->tab.v[i].key != NULL;
  int array = table_items(fs, e, t);
  fs->code[pc] = MK_ABJ(OP_NEWTABLE, t, hash == 0 ? 0 : ceil_log2((unsigned)hash) + 1, array);
  fs->free = t;
  move_to(fs, t, target, e->endline);
}

// ---- expressions ----------------------------------------------------------------------------------

static void unary_to(FuncState *fs, Expr *e, int target) {
  static const uint8_t ops[] = {[LUA_OPUNM] = OP_UNM, [LUA_OPBNOT] = OP_BNOT, [UOP_NOT] = OP_NOT, [UOP_LEN] = OP_LEN};
  int base = fs->free;
  Expr *a = e->bin.a;
  if (is_not(e)) {
    const Expr *inner = strip_parens(a);
    if (is_compare(inner) || is_logic(inner) || is_not(inner)) {
      bool_to(fs, e, target);
      return;
    }
  }
  int line = is_not(e) ? a->endline : e->line;
  cg_emit(fs, MK_ABCX(ops[e->bin.op], target, expr_operand(fs, a, line), 0, 0), line);
  fs->free = base;
}

static void binary_to(FuncState *fs, Expr *e, int target) {
  if (is_arith(e)) {
    arith_to(fs, e, target);
  } else if (is_concat(e)) {
    concat_to(fs, e, target);
  } else {
    bool_to(fs, e, target);
  }
}

static void recv_to(FuncState *fs, Expr *e, int target) {
  int base = fs->free;
  int ch = expr_any(fs, e->bin.a);
  cg_emit(fs, MK_ABCX(OP_RECV, target, ch, 0, 0), e->line);
  fs->free = base;
}

void expr_to(FuncState *fs, Expr *e, int target) {
  expr_fold(fs, e);
  e = strip_parens(e);
  cg_touch(fs, target);
  switch (e->kind) {
  case E_NIL:
  case E_TRUE:
  case E_FALSE:
  case E_INT:
  case E_FLOAT:
  case E_STRING: load_const(fs, e, target); break;
  case E_VARARG: cg_emit(fs, MK_ABCX(OP_VARARG, target, 0, 2, 0), e->line); break;
  case E_FUNCTION: {
    int index = cg_closure(fs, e->func);
    cg_emit(fs, MK_ABJ(OP_CLOSURE, target, 0, index), e->func->endline);
    break;
  }
  case E_LOCAL: local_to(fs, e, target); break;
  case E_UPVAL: cg_emit(fs, MK_ABCX(OP_GETUPVAL, target, e->index, 0, 0), e->line); break;
  case E_GLOBAL: index_to(fs, e, -1, target); break;
  case E_INDEX: suffix_to(fs, e, target, OP_CALL, 1); break;
  case E_CALL:
  case E_METHOD: move_to(fs, expr_call(fs, e, OP_CALL, 1), target, e->line); break;
  case E_BINOP: binary_to(fs, e, target); break;
  case E_AND:
  case E_OR: logic_to(fs, e, target); break;
  case E_UNOP: unary_to(fs, e, target); break;
  case E_TABLE: table_to(fs, e, target); break;
  case E_RECV: recv_to(fs, e, target); break;
  case E_PAREN: break; // stripped
  }
}

int expr_next(FuncState *fs, Expr *e) {
  int reg = fs->free;
  expr_to(fs, e, reg);
  return cg_reserve(fs, 1);
}

int expr_any(FuncState *fs, Expr *e) {
  expr_fold(fs, e);
  const Expr *inner = strip_parens(e);
  if (inner->kind == E_LOCAL && !var_in_cell(inner->var)) return inner->var->reg;
  return expr_next(fs, e);
}
