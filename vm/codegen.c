// SPDX-License-Identifier: MIT
//
// codegen.c: from the syntax tree of a function to its prototype: emission, registers, variables, statements.
//
// What:       one pass over the resolved tree, one FuncState per function. Code, lines, constants and debug names grow
//             in the Compiler's arena and are copied into heap blocks once, when the function is complete.
// Registers:  a stack. Locals take the lowest ones in the order of their declaration, temporaries come above.
// Captured locals: the register of a captured variable holds its cell, made by NEWCELL where the variable is
//             declared, so every round of a loop gets a fresh one. A captured constant, or a local function, that is
//             never assigned again and that its own function uses in a loop has both: the value in its register, read
//             as cheaply as any local (such a loop gains 17 %), and the cell in a hidden register above
//             (VarInfo.cellreg), which only CLOSURE captures from. The price: debug.setupvalue on the closure does not
//             change what the loop sees; so plain variables are left out, where programs do that. To-be-closed
//             variables always have both, since TBC and CLOSE work on the plain value.
// Invariants: those of opcodes.h; opcodes_check verifies what can be verified (debug builds).
//             Leaving the scope of a to-be-closed variable, also by break or goto, runs CLOSE. So at a return outside
//             all such scopes nothing is pending but deferred calls.
//             Every function ends with a return, so a jump may lead to the pc after the last statement.
// Callers:    compile_load. Nothing here is a safepoint: unanchored prototypes are safe.
// See also:   codegen_expr.c, opcodes.h, ast.h. Tests: tests/vm/.
#include "codegen_int.h"
#include "func.h"
#include "heap.h"
#include "seam.h"

#define MAX_SHADOWED 100 // registers in use from which on a captured variable gets no second register without need

// ---- emission -------------------------------------------------------------------------------------

int cg_emit(FuncState *fs, Instr i, int line) {
  Compiler *c = fs->c;
  rt_checkend(c->L);
  fs->code = arena_grow(c, fs->code, fs->ncode, &fs->cap_code, sizeof(Instr));
  fs->lines = arena_grow(c, fs->lines, fs->ncode, &fs->cap_lines, sizeof(int32_t));
  fs->code[fs->ncode] = i;
  fs->lines[fs->ncode] = line;
  return fs->ncode++;
}

static void set_jump(FuncState *fs, int pc, int offset) {
  fs->code[pc] = (fs->code[pc] & UINT64_C(0xFFFFFFFF)) | (Instr)(uint32_t)offset << 32;
}

void cg_jump(FuncState *fs, int op, int a, int b, int line, int *list) {
  *list = cg_emit(fs, MK_ABJ(op, a, b, *list), line);
}

void cg_patch_here(FuncState *fs, int list) {
  if (list != NO_JUMP) fs->target = fs->ncode;
  while (list != NO_JUMP) {
    int next = INSTR_J(fs->code[list]);
    set_jump(fs, list, fs->ncode - (list + 1));
    list = next;
  }
}

// Where a jump back will lead.
static int jump_target(FuncState *fs) { return fs->target = fs->ncode; }

// `live`: registers that mean something at the target.
static void emit_loop(FuncState *fs, int target, int live, int line) {
  cg_emit(fs, MK_ABJ(OP_LOOP, live, 0, target - (fs->ncode + 1)), line);
}

static void emit_reg(FuncState *fs, int op, int reg, int line) { cg_emit(fs, MK_ABCX(op, reg, 0, 0, 0), line); }

void cg_touch(FuncState *fs, int reg) {
  if (reg < fs->maxstack) return;
  if (reg >= MAX_REGS) {
    int line = fs->ncode > 0 ? fs->lines[fs->ncode - 1] : fs->f->line;
    compile_error(fs->c, line, NULL, "function or expression needs too many registers");
  }
  fs->maxstack = reg + 1;
}

int cg_reserve(FuncState *fs, int n) {
  int first = fs->free;
  if (n > 0) cg_touch(fs, first + n - 1);
  fs->free += n;
  return first;
}

// Joined to a LOADNIL right before that sets adjoining registers, as Lua does.
void cg_nil(FuncState *fs, int reg, int n, int line) {
  Instr *before = fs->ncode > fs->target ? &fs->code[fs->ncode - 1] : NULL;
  if (before != NULL && INSTR_OP(*before) == OP_LOADNIL) {
    int first = INSTR_A(*before), end = first + (int)INSTR_B(*before) + 1;
    if (reg <= end && first <= reg + n) {
      if (reg < first) first = reg;
      if (reg + n > end) end = reg + n;
      *before = MK_ABCX(OP_LOADNIL, first, end - first - 1, 0, 0);
      return;
    }
  }
  cg_emit(fs, MK_ABCX(OP_LOADNIL, reg, n - 1, 0, 0), line);
}

// ---- constants ------------------------------------------------------------------------------------

// Strings of one compilation are unique objects, so tag and payload bits identify a constant.
static uint64_t const_bits(const Value *v) { return v->tag <= TAG_TRUE && v->tag != TAG_FLOAT ? 0 : v->u; }

static int *const_slot(FuncState *fs, const Value *v) {
  uint64_t h = (const_bits(v) + v->tag) * UINT64_C(0x9E3779B97F4A7C15);
  for (unsigned i = (unsigned)(h >> 32);; i++) {
    int *slot = &fs->kslots[i & (unsigned)(fs->nkslots - 1)];
    if (*slot == 0) return slot;
    const Value *k = &fs->k[*slot - 1];
    if (k->tag == v->tag && const_bits(k) == const_bits(v)) return slot;
  }
}

static void grow_kslots(FuncState *fs) {
  fs->nkslots = fs->nkslots == 0 ? 16 : fs->nkslots * 2;
  fs->kslots = arena_alloc(fs->c, (size_t)fs->nkslots * sizeof(int));
  for (int i = 0; i < fs->nk; i++) *const_slot(fs, &fs->k[i]) = i + 1;
}

int cg_const(FuncState *fs, const Value *v) {
  if (2 * fs->nk >= fs->nkslots) grow_kslots(fs);
  int *slot = const_slot(fs, v);
  if (*slot == 0) {
    fs->k = arena_grow(fs->c, fs->k, fs->nk, &fs->cap_k, sizeof(Value));
    v_copy(&fs->k[fs->nk], v);
    *slot = ++fs->nk;
  }
  return *slot - 1;
}

// ---- scopes and variables -------------------------------------------------------------------------

static void enter_scope(FuncState *fs, CodeScope *sc, const Block *b) {
  *sc = (CodeScope){.prev = fs->scope,
                    .block = b,
                    .firstreg = fs->free,
                    .firstloc = fs->nloc,
                    .tbc_lo = -1,
                    .tbc_hi = -1,
                    .breaks = NO_JUMP};
  fs->scope = sc;
}

// Breaks lead to the end of the scope, before its CLOSE. The return of the function closes what its body declares.
static void leave_scope(FuncState *fs, int line) {
  CodeScope *sc = fs->scope;
  cg_patch_here(fs, sc->breaks);
  if (sc->tbc_lo >= 0 && sc->prev != NULL) emit_reg(fs, OP_CLOSE, sc->tbc_lo, line);
  for (int i = sc->firstloc; i < fs->nloc; i++) {
    if (fs->loc[i].endpc < 0) fs->loc[i].endpc = fs->ncode;
  }
  fs->scope = sc->prev;
  fs->free = sc->firstreg;
}

static void name_register(FuncState *fs, String *name, int reg) {
  fs->loc = arena_grow(fs->c, fs->loc, fs->nloc, &fs->cap_loc, sizeof(LocVar));
  fs->loc[fs->nloc++] = (LocVar){.name = name, .startpc = fs->ncode, .endpc = -1, .reg = reg};
}

static void name_hidden(FuncState *fs, int base, int n) {
  String *name = compile_str(fs->c, "(for state)", 11);
  for (int i = 0; i < n; i++) name_register(fs, name, base + i);
}

static bool wants_shadow(const FuncState *fs, const VarInfo *v, bool constant) {
  return v->kind == VAR_TBC || (constant && !v->assigned && v->uses > 0 && fs->free < MAX_SHADOWED);
}

// Makes the cells of those of n variables that are captured; their values are in their registers.
static void make_cells(FuncState *fs, VarInfo **vars, int n, int line) {
  for (int i = 0; i < n; i++) {
    VarInfo *v = vars[i];
    if (!v->captured) continue;
    v->cellreg = v->reg;
    if (wants_shadow(fs, v, v->kind == VAR_CONST)) {
      v->cellreg = cg_reserve(fs, 1);
      cg_emit(fs, MK_ABCX(OP_MOVE, v->cellreg, v->reg, 0, 0), line);
    }
    emit_reg(fs, OP_NEWCELL, v->cellreg, line);
  }
}

static void mark_tbc(FuncState *fs, int reg) {
  CodeScope *sc = fs->scope;
  if (sc->tbc_lo < 0) sc->tbc_lo = reg;
  sc->tbc_hi = reg;
}

// Brings n variables into scope whose values are in the registers from base on, already reserved.
static void declare_vars(FuncState *fs, VarInfo **vars, int n, int base, int line) {
  for (int i = 0; i < n; i++) vars[i]->reg = base + i;
  make_cells(fs, vars, n, line);
  for (int i = 0; i < n; i++) {
    vars[i]->startpc = fs->ncode;
    name_register(fs, vars[i]->name, vars[i]->reg);
  }
  for (int i = 0; i < n; i++) {
    if (vars[i]->kind != VAR_TBC) continue;
    mark_tbc(fs, vars[i]->reg);
    emit_reg(fs, OP_TBC, vars[i]->reg, line);
  }
}

// Closes the variables of the scopes inside `outer` before a jump out of them.
static void close_upto(FuncState *fs, const CodeScope *outer, int line) {
  int level = -1;
  for (const CodeScope *sc = fs->scope; sc != outer; sc = sc->prev) {
    if (sc->tbc_lo >= 0) level = sc->tbc_lo;
  }
  if (level >= 0) emit_reg(fs, OP_CLOSE, level, line);
}

static bool has_tbc_upto(const FuncState *fs, const CodeScope *outer) {
  for (const CodeScope *sc = fs->scope; sc != outer; sc = sc->prev) {
    if (sc->tbc_lo >= 0) return true;
  }
  return false;
}

// ---- statements: variables ------------------------------------------------------------------------

static void block(FuncState *fs, const Block *b);

static void set_lastline(FuncState *fs, int line) {
  if (line > 0) fs->lastline = line;
}

static int list_endline(const ExprList *l, int line) { return l->n > 0 ? l->v[l->n - 1]->endline : line; }

static void stat_local(FuncState *fs, const Stat *s) {
  int nvars = s->local.nvars;
  ExprList exprs = s->local.exprs;
  if (nvars > 0 && s->local.vars[nvars - 1]->kind == VAR_CTC) {
    nvars--;
    exprs.n--;
  }
  int line = list_endline(&exprs, s->line);
  int base = explist_adjust(fs, &exprs, nvars, line);
  declare_vars(fs, s->local.vars, nvars, base, line);
  fs->lastline = line;
}

// The closure may refer to its own variable, so the cell comes first.
static void stat_localfunc(FuncState *fs, const Stat *s) {
  VarInfo *v = s->local.vars[0];
  Expr *f = s->local.exprs.v[0];
  v->reg = cg_reserve(fs, 1);
  if (!v->captured) {
    expr_to(fs, f, v->reg);
  } else {
    v->cellreg = wants_shadow(fs, v, true) ? cg_reserve(fs, 1) : v->reg;
    cg_nil(fs, v->cellreg, 1, f->endline);
    emit_reg(fs, OP_NEWCELL, v->cellreg, f->endline);
    int closure = v->cellreg == v->reg ? fs->free : v->reg;
    expr_to(fs, f, closure);
    cg_emit(fs, MK_ABCX(OP_SETCELL, v->cellreg, closure, 0, 0), f->endline);
  }
  v->startpc = fs->ncode;
  name_register(fs, v->name, v->reg);
  fs->lastline = f->endline;
}

// ---- statements: assignment -----------------------------------------------------------------------

typedef struct Target {
  enum { T_LOCAL, T_CELL, T_UPVAL, T_TABUP, T_FIELD, T_INT, T_TABLE } kind;
  int a, b; // operands of the store
  // Variables that are a or b, read when the store takes place; NULL: a or b is another thing. A local in a cell has
  // yet to be fetched: a or b is -1.
  Expr *obj, *key;
} Target;

static int target_operand(FuncState *fs, Expr *e, Expr **var) {
  expr_fold(fs, e);
  while (e->kind == E_PAREN) e = e->bin.a;
  if (e->kind == E_LOCAL) *var = e;
  return expr_incell(e) ? -1 : expr_any(fs, e);
}

static Target indexed_target(FuncState *fs, const Expr *e) {
  Expr *obj = e->ix.obj, *key = e->ix.key;
  Target t = {.kind = T_FIELD};
  bool field = expr_fieldkey(fs, key, &t.b), upval = obj->kind == E_UPVAL;
  if (field && upval) return (Target){.kind = T_TABUP, .a = obj->index, .b = t.b, .obj = obj};
  t.a = upval ? expr_object(fs, obj, key, e->line) : target_operand(fs, obj, &t.obj);
  if (field) return t;
  if (key->kind == E_INT && key->i >= 0 && key->i <= UINT16_MAX) {
    t.kind = T_INT;
    t.b = (int)key->i;
  } else {
    t.kind = T_TABLE;
    t.b = target_operand(fs, key, &t.key);
  }
  if (upval) t.a = expr_after(fs, obj, t.a, e->line);
  return t;
}

static bool same_variable(const Expr *e, const Expr *var) {
  if (e == NULL || e->kind != var->kind) return false;
  return e->kind == E_LOCAL ? e->var == var->var : e->index == var->index;
}

// Targets are assigned from the last to the first. So those before the target `var`, a variable, that use it as table
// or key get a copy of what it is now.
static void copy_conflicts(FuncState *fs, Target *t, int n, Expr *var) {
  int copy = -1;
  for (int i = 0; i < n; i++) {
    bool obj = same_variable(t[i].obj, var), key = same_variable(t[i].key, var);
    if (!obj && !key) continue;
    if (copy < 0) copy = expr_next(fs, var);
    if (t[i].kind == T_TABUP) t[i].kind = T_FIELD;
    if (obj) t[i] = (Target){.kind = t[i].kind, .a = copy, .b = t[i].b, .key = t[i].key};
    if (key) t[i] = (Target){.kind = t[i].kind, .a = t[i].a, .b = copy, .obj = t[i].obj};
  }
}

// t[0..n-1] are the targets before e.
static void make_target(FuncState *fs, Target *t, int n, Expr *e) {
  if (e->kind != E_LOCAL && e->kind != E_UPVAL) {
    t[n] = indexed_target(fs, e);
    return;
  }
  copy_conflicts(fs, t, n, e);
  if (e->kind == E_UPVAL) {
    t[n] = (Target){.kind = T_UPVAL, .a = e->index};
  } else {
    t[n] = (Target){.kind = var_in_cell(e->var) ? T_CELL : T_LOCAL, .a = e->var->reg};
  }
}

static void store_indexed(FuncState *fs, const Target *t, int value, int line) {
  static const uint8_t ops[] = {
      [T_TABUP] = OP_SETTABUP, [T_FIELD] = OP_SETFIELD, [T_INT] = OP_SETI, [T_TABLE] = OP_SETTABLE};
  int base = fs->free;
  int a = expr_after(fs, t->obj, t->a, line), b = expr_after(fs, t->key, t->b, line);
  cg_emit(fs, MK_ABCX(ops[t->kind], a, b, value, 0), line);
  fs->free = base;
}

// target = value, where value is an RK operand for indexed targets and a register for variables.
static void store(FuncState *fs, const Target *t, int value, int line) {
  switch (t->kind) {
  case T_LOCAL:
    if (t->a != value) cg_emit(fs, MK_ABCX(OP_MOVE, t->a, value, 0, 0), line);
    break;
  case T_CELL: cg_emit(fs, MK_ABCX(OP_SETCELL, t->a, value, 0, 0), line); break;
  case T_UPVAL: cg_emit(fs, MK_ABCX(OP_SETUPVAL, value, t->a, 0, 0), line); break;
  default: store_indexed(fs, t, value, line); break;
  }
}

static void store_expr(FuncState *fs, const Target *t, Expr *e, int line) {
  int base = fs->free;
  if (t->kind == T_LOCAL) {
    expr_to(fs, e, t->a);
  } else {
    store(fs, t, t->kind <= T_UPVAL ? expr_operand(fs, e, line) : expr_rk(fs, e, line), line);
  }
  fs->free = base;
}

// All operands but variables are evaluated from left to right, then the targets are assigned from right to left, as in
// Lua.
static void stat_assign(FuncState *fs, const Stat *s) {
  const ExprList *targets = &s->assign.targets;
  ExprList exprs = s->assign.exprs;
  int base = fs->free, n = targets->n;
  int line = list_endline(&exprs, s->line);
  Target one, *t = n == 1 ? &one : arena_alloc(fs->c, (size_t)n * sizeof(Target));
  for (int i = 0; i < n; i++) make_target(fs, t, i, targets->v[i]);
  bool direct = exprs.n == n; // the last value need not pass through a temporary
  if (direct) exprs.n--;
  int values = direct && n == 1 ? 0 : explist_adjust(fs, &exprs, direct ? n - 1 : n, line);
  if (direct) store_expr(fs, &t[n - 1], exprs.v[n - 1], line);
  for (int i = direct ? n - 2 : n - 1; i >= 0; i--) store(fs, &t[i], values + i, line);
  fs->free = base;
  fs->lastline = line;
}

// ---- statements: control --------------------------------------------------------------------------

static CodeScope *innermost_loop(const FuncState *fs) {
  CodeScope *sc = fs->scope;
  while (!sc->is_loop) sc = sc->prev;
  return sc;
}

static CodeScope *scope_of(const FuncState *fs, const Block *b) {
  CodeScope *sc = fs->scope;
  while (sc->block != b) sc = sc->prev;
  return sc;
}

static int *label_jumps(FuncState *fs, Label *l) {
  if (l->pending == NULL) {
    l->pending = arena_alloc(fs->c, sizeof(struct Goto));
    l->pending->jumps = NO_JUMP;
  }
  return &l->pending->jumps;
}

static void stat_break(FuncState *fs, const Stat *s) {
  CodeScope *loop = innermost_loop(fs);
  if (!loop->closes_at_exit) close_upto(fs, loop, s->line);
  cg_jump(fs, OP_JMP, 0, 0, s->line, &loop->breaks);
  fs->lastline = s->line;
}

// Backwards, variables declared after the label end too, also those of the label's own block.
static void goto_back(FuncState *fs, const Label *l, int line) {
  bool closes = false;
  for (const CodeScope *sc = fs->scope;; sc = sc->prev) {
    if (sc->tbc_hi >= l->reg) closes = true;
    if (sc->block == l->block) break;
  }
  if (closes) emit_reg(fs, OP_CLOSE, l->reg, line);
  emit_loop(fs, l->pc - 1, l->reg, line);
}

static void stat_goto(FuncState *fs, const Stat *s) {
  Label *l = s->jump.label;
  if (l->pc > 0) {
    goto_back(fs, l, s->line);
  } else {
    close_upto(fs, scope_of(fs, l->block), s->line);
    cg_jump(fs, OP_JMP, 0, 0, s->line, label_jumps(fs, l));
  }
  fs->lastline = s->line;
}

static void stat_label(FuncState *fs, const Stat *s) {
  Label *l = s->jump.label;
  l->pc = jump_target(fs) + 1;
  l->reg = fs->free;
  fs->lastline = s->line;
  if (l->pending != NULL) cg_patch_here(fs, l->pending->jumps);
}

// A block that only jumps forward, without closing anything: the list its jump belongs to. Then the condition before it
// can jump itself (but a line hook has to see a goto that has a line of its own).
static int *block_is_jump(FuncState *fs, const Block *b, int line) {
  if (b->n != 1) return NULL;
  const Stat *s = b->v[0];
  if (s->kind == S_BREAK) {
    CodeScope *loop = innermost_loop(fs);
    return loop->closes_at_exit || !has_tbc_upto(fs, loop) ? &loop->breaks : NULL;
  }
  if (s->kind != S_GOTO || s->line != line || s->jump.label->pc > 0) return NULL;
  return has_tbc_upto(fs, scope_of(fs, s->jump.label->block)) ? NULL : label_jumps(fs, s->jump.label);
}

static void stat_if(FuncState *fs, const Stat *s) {
  int end = NO_JUMP;
  for (int i = 0; i < s->cond.n; i++) {
    Expr *cond = s->cond.conds[i];
    const Block *then = s->cond.blocks[i];
    int line = then->line > 0 ? then->line : cond->endline;
    int *jump = block_is_jump(fs, then, line);
    if (jump != NULL) {
      expr_jump(fs, cond, true, jump, line);
      set_lastline(fs, then->endline);
      continue;
    }
    int next = NO_JUMP;
    expr_jump(fs, cond, false, &next, line);
    block(fs, then);
    if (i < s->cond.n - 1 || s->cond.orelse != NULL) cg_jump(fs, OP_JMP, 0, 0, fs->lastline, &end);
    cg_patch_here(fs, next);
    set_lastline(fs, then->endline);
  }
  if (s->cond.orelse != NULL) {
    block(fs, s->cond.orelse);
    set_lastline(fs, s->cond.orelse->endline);
  }
  cg_patch_here(fs, end);
}

static void stat_while(FuncState *fs, const Stat *s) {
  CodeScope loop;
  int top = jump_target(fs);
  enter_scope(fs, &loop, NULL);
  loop.is_loop = true;
  expr_jump(fs, s->loop.cond, false, &loop.breaks, s->loop.cond->endline);
  fs->lastline = s->loop.cond->endline;
  block(fs, s->loop.body);
  emit_loop(fs, top, loop.firstreg, fs->lastline);
  set_lastline(fs, s->loop.body->endline);
  leave_scope(fs, fs->lastline);
}

static void statements(FuncState *fs, const Block *b);

// The condition sees the body's variables, and is evaluated before they are closed, whatever it says.
static void stat_repeat(FuncState *fs, const Stat *s) {
  CodeScope loop, body;
  Expr *cond = s->loop.cond;
  int top = jump_target(fs), done = NO_JUMP;
  enter_scope(fs, &loop, NULL);
  loop.is_loop = true;
  enter_scope(fs, &body, s->loop.body);
  set_lastline(fs, s->loop.body->line);
  statements(fs, s->loop.body);
  if (!expr_istrue(fs, cond)) {
    expr_jump(fs, cond, true, &done, cond->endline);
    if (body.tbc_lo >= 0) emit_reg(fs, OP_CLOSE, body.tbc_lo, cond->endline);
    emit_loop(fs, top, loop.firstreg, cond->endline);
    cg_patch_here(fs, done);
  }
  leave_scope(fs, cond->endline);
  fs->lastline = cond->endline;
  leave_scope(fs, cond->endline);
}

// The body of a `for`, with its variables in the registers from base on.
static void for_body(FuncState *fs, const Block *b, VarInfo **vars, int nvars, int base, int line) {
  CodeScope sc;
  enter_scope(fs, &sc, b);
  cg_reserve(fs, nvars);
  declare_vars(fs, vars, nvars, base, line);
  statements(fs, b);
  leave_scope(fs, fs->lastline);
}

static void load_step(FuncState *fs, Expr *step, int line) {
  if (step != NULL) {
    expr_next(fs, step);
  } else {
    cg_emit(fs, MK_ABJ(OP_LOADI, cg_reserve(fs, 1), 0, 1), line);
  }
}

static void stat_fornum(FuncState *fs, const Stat *s) {
  CodeScope loop;
  const Block *body = s->fornum.body;
  VarInfo *var = s->fornum.var;
  int skip = NO_JUMP, line = body->line > 0 ? body->line : s->line;
  enter_scope(fs, &loop, NULL);
  loop.is_loop = true;
  int base = expr_next(fs, s->fornum.init);
  expr_next(fs, s->fornum.limit);
  load_step(fs, s->fornum.step, line);
  name_hidden(fs, base, 3);
  cg_jump(fs, OP_FORPREP, base, 0, line, &skip);
  int top = jump_target(fs);
  fs->lastline = line;
  for_body(fs, body, &var, 1, base + 3, line);
  cg_emit(fs, MK_ABJ(OP_FORLOOP, base, 0, top - (fs->ncode + 1)), s->line);
  cg_patch_here(fs, skip);
  set_lastline(fs, body->endline);
  leave_scope(fs, fs->lastline);
}

// A call needs room for the iterator and its two arguments above the hidden registers, few as the variables may be.
static void stat_forin(FuncState *fs, const Stat *s) {
  CodeScope loop;
  const Block *body = s->forin.body;
  int line = s->line, nvars = s->forin.nvars, call = NO_JUMP;
  int doline = body->line > 0 ? body->line : line;
  enter_scope(fs, &loop, NULL);
  loop.is_loop = loop.closes_at_exit = true;
  int base = explist_adjust(fs, &s->forin.exprs, 4, line);
  mark_tbc(fs, base + 3);
  name_hidden(fs, base, 4);
  cg_touch(fs, base + 6);
  cg_jump(fs, OP_TFORPREP, base, 0, doline, &call);
  int top = jump_target(fs);
  fs->lastline = doline;
  for_body(fs, body, s->forin.vars, nvars, base + 4, doline);
  cg_patch_here(fs, call);
  cg_emit(fs, MK_ABCX(OP_TFORCALL, base, 0, nvars, 0), line);
  cg_emit(fs, MK_ABJ(OP_TFORLOOP, base, nvars, top - (fs->ncode + 1)), line);
  set_lastline(fs, body->endline);
  leave_scope(fs, fs->lastline);
}

// ---- statements: return, goroutines, channels -----------------------------------------------------

static bool may_close(const Func *f) { return f->has_tbc || f->has_defer; }

// n < 0: up to top.
static void emit_return(FuncState *fs, int first, int n, int line) {
  const Func *f = fs->f;
  bool plain = !f->is_vararg && !may_close(f);
  if (plain && n == 0) {
    cg_emit(fs, MK_ABCX(OP_RETURN0, 0, 0, 0, 0), line);
  } else if (plain && n == 1) {
    emit_reg(fs, OP_RETURN1, first, line);
  } else {
    bool closes = f->has_defer || has_tbc_upto(fs, NULL);
    cg_emit(fs, MK_ABCX(OP_RETURN, first, n < 0 ? 0 : n + 1, 0, closes), line);
  }
}

static bool is_tailcall(const FuncState *fs, const ExprList *l) {
  return l->n == 1 && (l->v[0]->kind == E_CALL || l->v[0]->kind == E_METHOD) && !fs->f->has_defer &&
         !has_tbc_upto(fs, NULL);
}

static void stat_return(FuncState *fs, const Stat *s) {
  const ExprList *l = &s->ret.exprs;
  int base = fs->free, line = list_endline(l, s->line);
  if (is_tailcall(fs, l)) {
    emit_return(fs, expr_call(fs, l->v[0], OP_TAILCALL, -1), -1, line);
  } else if (l->n == 1 && !expr_is_multi(l->v[0])) {
    emit_return(fs, expr_operand(fs, l->v[0], line), 1, line);
  } else {
    emit_return(fs, base, explist_open(fs, l), line);
  }
  fs->free = base;
  fs->lastline = line;
}

static void stat_send(FuncState *fs, const Stat *s) {
  int base = fs->free;
  int ch = expr_any(fs, s->send.chan);
  int value = expr_rk(fs, s->send.value, s->line);
  cg_emit(fs, MK_ABCX(OP_SEND, ch, 0, value, 0), s->line);
  fs->free = base;
  fs->lastline = s->send.value->endline;
}

static void stat_recv(FuncState *fs, const Stat *s) {
  int base = fs->free;
  expr_any(fs, s->expr.e);
  fs->free = base;
  fs->lastline = s->expr.e->endline;
}

static void stat_call(FuncState *fs, const Stat *s, int op) {
  expr_call(fs, s->expr.e, op, 0);
  fs->lastline = s->expr.e->endline;
}

// Pairs of registers, channel and value; SELECT leaves what a case receives in the first pair.
static int select_operands(FuncState *fs, const Stat *s) {
  int base = fs->free, n = 0;
  for (int i = 0; i < s->select.n; i++) {
    const SelCase *c = &s->select.cases[i];
    if (c->kind == SEL_DEFAULT) continue;
    expr_next(fs, c->chan);
    if (c->kind == SEL_SEND) {
      expr_next(fs, c->value);
    } else {
      cg_reserve(fs, 1);
    }
    n++;
  }
  if (n == 0) cg_touch(fs, base + 1);
  fs->free = base;
  return n;
}

static void select_clause(FuncState *fs, const SelCase *c) {
  CodeScope sc;
  int nvars = c->kind != SEL_RECV || c->vars[0] == NULL ? 0 : c->vars[1] == NULL ? 1 : 2;
  enter_scope(fs, &sc, c->block);
  fs->lastline = c->line;
  int base = cg_reserve(fs, nvars);
  declare_vars(fs, (VarInfo **)c->vars, nvars, base, c->line);
  statements(fs, c->block);
  leave_scope(fs, fs->lastline);
}

static void stat_select(FuncState *fs, const Stat *s) {
  int base = fs->free, end = NO_JUMP, ncases = s->select.n;
  int n = select_operands(fs, s);
  cg_emit(fs, MK_ABCX(OP_SELECT, base, n, s->select.has_default, 0), s->line);
  int table = fs->ncode;
  for (int i = 0; i < ncases; i++) {
    const SelCase *c = &s->select.cases[i];
    cg_emit(fs, MK_ABJ(OP_SELCASE, c->kind == SEL_SEND, 0, 0), c->line);
  }
  for (int i = 0; i < ncases; i++) {
    const SelCase *c = &s->select.cases[i];
    set_jump(fs, table + i, fs->ncode - (table + i + 1));
    select_clause(fs, c);
    if (i < ncases - 1) cg_jump(fs, OP_JMP, 0, 0, fs->lastline, &end);
    set_lastline(fs, c->block->endline);
  }
  cg_patch_here(fs, end);
}

// ---- blocks and functions -------------------------------------------------------------------------

static void statement(FuncState *fs, const Stat *s) {
  switch (s->kind) {
  case S_LOCAL: stat_local(fs, s); break;
  case S_LOCALFUNC: stat_localfunc(fs, s); break;
  case S_ASSIGN: stat_assign(fs, s); break;
  case S_CALL: stat_call(fs, s, OP_CALL); break;
  case S_DO:
    block(fs, s->loop.body);
    set_lastline(fs, s->loop.body->endline);
    break;
  case S_WHILE: stat_while(fs, s); break;
  case S_REPEAT: stat_repeat(fs, s); break;
  case S_IF: stat_if(fs, s); break;
  case S_FORNUM: stat_fornum(fs, s); break;
  case S_FORIN: stat_forin(fs, s); break;
  case S_RETURN: stat_return(fs, s); break;
  case S_BREAK: stat_break(fs, s); break;
  case S_GOTO: stat_goto(fs, s); break;
  case S_LABEL: stat_label(fs, s); break;
  case S_GO: stat_call(fs, s, OP_GO); break;
  case S_DEFER: stat_call(fs, s, OP_DEFER); break;
  case S_SEND: stat_send(fs, s); break;
  case S_RECV: stat_recv(fs, s); break;
  case S_SELECT: stat_select(fs, s); break;
  }
}

static void statements(FuncState *fs, const Block *b) {
  for (int i = 0; i < b->n; i++) statement(fs, b->v[i]);
}

static void block(FuncState *fs, const Block *b) {
  CodeScope sc;
  enter_scope(fs, &sc, b);
  set_lastline(fs, b->line);
  statements(fs, b);
  leave_scope(fs, fs->lastline);
}

static bool is_forward_jump(int op) { return op == OP_JMP || (op >= OP_JT && op <= OP_JNGEI); }

// A jump to a jump goes to the end of the chain at once. An unconditional one may become the loop's backward jump.
static void thread_jumps(FuncState *fs) {
  for (int pc = fs->ncode - 1; pc >= 0; pc--) { // backwards: the target is final then
    int op = INSTR_OP(fs->code[pc]);
    if (!is_forward_jump(op)) continue;
    int target = pc + 1 + INSTR_J(fs->code[pc]);
    if (INSTR_OP(fs->code[target]) == OP_JMP) target += 1 + INSTR_J(fs->code[target]);
    if (op == OP_JMP && INSTR_OP(fs->code[target]) == OP_LOOP) {
      int live = INSTR_A(fs->code[target]);
      target += 1 + INSTR_J(fs->code[target]);
      if (target <= pc) fs->code[pc] = MK_ABJ(OP_LOOP, live, 0, 0);
    }
    set_jump(fs, pc, target - (pc + 1));
  }
}

static void *copy_array(lua_State *L, const void *from, int n, size_t size) {
  if (n == 0) return NULL;
  void *to = heap_mem(L, (size_t)n * size);
  memcpy(to, from, (size_t)n * size);
  return to;
}

static void copy_upvals(lua_State *L, Proto *p, const Func *f) {
  if (f->nupvals == 0) return;
  p->upvals = heap_mem(L, (size_t)f->nupvals * sizeof(UpvalDesc));
  for (int i = 0; i < f->nupvals; i++) {
    const UpvalInfo *u = &f->upvals[i];
    int index = !u->instack ? u->index : u->var != NULL ? u->var->cellreg : 0; // NULL: the main function's _ENV
    p->upvals[i] =
        (UpvalDesc){.name = u->name, .instack = u->instack, .kind = (uint8_t)u->kind, .index = (uint16_t)index};
  }
  p->nupvals = f->nupvals;
}

static Proto *make_proto(FuncState *fs) {
  lua_State *L = fs->c->L;
  const Func *f = fs->f;
  Proto *p = proto_new(L);
  p->nparams = (uint8_t)f->nparams;
  p->is_vararg = f->is_vararg;
  p->maxstack = (uint8_t)(fs->maxstack < 2 ? 2 : fs->maxstack);
  p->may_close = may_close(f);
  p->line = f->line;
  p->endline = fs->prev == NULL ? 0 : f->endline;
  p->source = fs->c->source;
  p->code = copy_array(L, fs->code, fs->ncode, sizeof(Instr));
  p->lines = copy_array(L, fs->lines, fs->ncode, sizeof(int32_t));
  p->k = copy_array(L, fs->k, fs->nk, sizeof(Value));
  p->p = copy_array(L, fs->p, fs->np, sizeof(Proto *));
  p->locvars = copy_array(L, fs->loc, fs->nloc, sizeof(LocVar));
  p->ncode = fs->ncode;
  p->nk = fs->nk;
  p->np = fs->np;
  p->nlocvars = fs->nloc;
  copy_upvals(L, p, f);
  lg_assert(opcodes_check(p) == NULL);
  return p;
}

// What happens before the first statement has no line of its own: line hooks must not see it.
static void prologue(FuncState *fs) {
  Func *f = fs->f;
  VarInfo **params = f->body->vars;
  if (f->is_vararg) emit_reg(fs, OP_VARARGPREP, f->nparams, f->line > 0 ? f->line : 1);
  cg_reserve(fs, f->nparams);
  for (int i = 0; i < f->nparams; i++) {
    params[i]->reg = i;
    params[i]->startpc = 0;
    name_register(fs, params[i]->name, i);
    fs->loc[i].startpc = 0;
  }
  make_cells(fs, params, f->nparams, f->line);
}

static Proto *function(Compiler *c, FuncState *prev, Func *f) {
  FuncState fs = {.c = c, .f = f, .prev = prev, .lastline = f->line};
  CodeScope body;
  enter_scope(&fs, &body, f->body);
  prologue(&fs);
  int first = fs.ncode;
  statements(&fs, f->body);
  emit_return(&fs, 0, 0, f->endline);
  for (int pc = f->is_vararg ? 1 : 0; pc < first; pc++) fs.lines[pc] = fs.lines[first];
  leave_scope(&fs, f->endline);
  thread_jumps(&fs);
  return make_proto(&fs);
}

int cg_closure(FuncState *fs, Func *f) {
  Proto *p = function(fs->c, fs, f);
  fs->p = arena_grow(fs->c, fs->p, fs->np, &fs->cap_p, sizeof(Proto *));
  fs->p[fs->np] = p;
  return fs->np++;
}

Proto *codegen_chunk(Compiler *c, Func *f) { return function(c, NULL, f); }
