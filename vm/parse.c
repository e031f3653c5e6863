// SPDX-License-Identifier: MIT
//
// parse.c: the grammar of Lua 5.4 and lungo's forms: tokens -> tree (ast.h).
//
// What:       recursive descent, one function for each rule, in three parts: expressions, statements, lungo's own
//             statements. Operators are read by precedence climbing. Names are resolved on the way (resolve.c).
//             Arithmetic on numeric constants is done here, because `local x <const> = 2^10` makes x a constant.
// lungo:      every form begins where plain Lua can only report an error, so plain programs keep their meaning:
//             - `go`, `defer` start their statement if a name or `function` comes next, `select` if `case`, `else` or
//               `end` does; anywhere else they are names.
//             - an arrow where an operand must come receives; after the channel expression that begins a statement, on
//               the same line, it sends; between operands it is less-than and minus. An arrow that begins a line
//               begins a statement, unless plain Lua would read on: it could not in a statement that has one of
//               lungo's forms already (Parser.is_lungo), so `ch <- 1` or `v = <-ch` may stand above a line `<-done`.
//             - `case` is a word only at the start of a statement that stands directly in a select's clause.
// Invariants: Compiler.depth counts the recursion, so that no input can overflow the C stack. Chains that grow to the
//             left (a+b+c, f().x.y) are read by loops and may be deeper than that in the tree.
//             Lines are those that Lua reports: of the operator for arithmetic, of the last operand's end for
//             comparisons, of the first token of the called expression for calls.
// Callers:    compile_load. See also: lex.c, resolve.c, codegen.c. Tests: tests/vm/parse_*.lua.
#include "lgassert.h"
#include "meta.h"
#include "resolve.h"

typedef struct Parser {
  Compiler *c;
  Lexer lx;
  Names ns;
  String *go, *defer, *select, *case_; // the contextual words
  String *self;
  bool is_lungo; // the current statement has one of lungo's forms before the current token
  int nopen;     // brackets open in it, and keywords that ask for another (`if` for `then`): it cannot end here
} Parser;

static Expr *expression(Parser *p);
static void statement(Parser *p);
static bool is_clause(Parser *p);

// ---- tokens ---------------------------------------------------------------------------------------

static ALWAYS_INLINE int kind(const Parser *p) { return p->lx.t.kind; }
static ALWAYS_INLINE int line(const Parser *p) { return p->lx.t.line; }
static ALWAYS_INLINE void next(Parser *p) { lex_next(&p->lx); }

static bool accept(Parser *p, int k) {
  if (kind(p) != k) return false;
  next(p);
  return true;
}

static _Noreturn void error_expected(Parser *p, int k) { lex_error(&p->lx, "%s expected", lex_kindtext(&p->lx, k)); }

static void expect(Parser *p, int k) {
  if (!accept(p, k)) error_expected(p, k);
}

// The token that closes what `opener` began at a line.
static void expect_close(Parser *p, int k, int opener, int openline) {
  if (likely(accept(p, k))) return;
  if (openline == line(p)) error_expected(p, k);
  const char *what = lex_kindtext(&p->lx, k);
  lex_error(&p->lx, "%s expected (to close %s at line %d)", what, lex_kindtext(&p->lx, opener), openline);
}

static String *expect_name(Parser *p) {
  if (kind(p) != T_NAME) error_expected(p, T_NAME);
  String *s = p->lx.t.s;
  next(p);
  return s;
}

static bool at_word(const Parser *p, const String *word) { return kind(p) == T_NAME && p->lx.t.s == word; }
static bool at_arrow(const Parser *p) { return kind(p) == '<' && p->lx.t.tight_minus; }

static void skip_arrow(Parser *p) {
  p->is_lungo = true;
  next(p);
  next(p);
}

static void enter(Parser *p) {
  if (unlikely(++p->c->depth + p->c->L->nCcalls >= MAX_CCALLS)) dbg_runerror(p->c->L, "C stack overflow");
}

static void leave(Parser *p) { p->c->depth--; }

// ---- nodes ----------------------------------------------------------------------------------------

static Expr *new_expr(Parser *p, ExprKind k, int at) {
  Expr *e = arena_alloc(p->c, sizeof(Expr));
  e->kind = k;
  e->line = e->endline = at;
  return e;
}

// Ends an expression whose last token was just read.
static Expr *finish(Parser *p, Expr *e) {
  e->endline = p->lx.lastline;
  return e;
}

static void list_add(Parser *p, ExprList *l, int *cap, Expr *e) {
  l->v = arena_grow(p->c, l->v, l->n, cap, sizeof(Expr *));
  l->v[l->n++] = e;
}

static ExprList list_of(Parser *p, Expr *e) {
  ExprList l = {0};
  int cap = 0;
  list_add(p, &l, &cap, e);
  return l;
}

static Expr *string_expr(Parser *p, String *s) {
  Expr *e = new_expr(p, E_STRING, p->lx.lastline);
  e->s = s;
  return e;
}

// A new statement at the end of the current block.
static Stat *new_stat(Parser *p, StatKind k, int at) {
  Scope *sc = p->ns.fs->scope;
  Block *b = sc->block;
  Stat *s = arena_alloc(p->c, sizeof(Stat));
  s->kind = k;
  s->line = at;
  b->v = arena_grow(p->c, b->v, b->n, &sc->cap_stats, sizeof(Stat *));
  b->v[b->n++] = s;
  return s;
}

// ---- constants ------------------------------------------------------------------------------------

// The value of a constant expression; codegen makes no difference between a constant's name and its value.
static bool constant_of(const Expr *e, Value *v) {
  while (e->kind == E_PAREN) e = e->bin.a;
  switch (e->kind) {
  case E_NIL: v_setnil(v); return true;
  case E_TRUE: v_setbool(v, true); return true;
  case E_FALSE: v_setbool(v, false); return true;
  case E_INT: v_setint(v, e->i); return true;
  case E_FLOAT: v_setfloat(v, e->n); return true;
  case E_STRING: v_setobj(v, TAG_STRING, e->s); return true;
  case E_LOCAL:
    if (e->var->kind != VAR_CTC) return false;
    v_copy(v, &e->var->ctc);
    return true;
  default: return false;
  }
}

// Whether op on these numbers can raise no error.
static bool is_foldable(int op, const Value *a, const Value *b) {
  int64_t i;
  switch (op) {
  case LUA_OPBAND:
  case LUA_OPBOR:
  case LUA_OPBXOR:
  case LUA_OPSHL:
  case LUA_OPSHR:
  case LUA_OPBNOT: return value_tointeger_nostr(a, &i) && value_tointeger_nostr(b, &i);
  case LUA_OPDIV:
  case LUA_OPIDIV:
  case LUA_OPMOD: return v_isint(b) ? b->i != 0 : b->n != 0;
  default: return op <= LUA_OPBNOT;
  }
}

// Replaces e by its value if that is known. NaN and zero stay computed: a constant table that compares values could
// not keep 0.0 and -0.0 apart.
static Expr *fold(Parser *p, Expr *e) {
  Value a, b, r;
  const Expr *second = e->kind == E_UNOP ? e->bin.a : e->bin.b;
  if (!constant_of(e->bin.a, &a)) return e;
  if (e->bin.op == UOP_NOT) {
    e->kind = v_isfalsy(&a) ? E_TRUE : E_FALSE;
    e->line = e->endline;
    return e;
  }
  if (!v_isnumber(&a) || !constant_of(second, &b) || !v_isnumber(&b)) return e;
  if (!is_foldable(e->bin.op, &a, &b) || !meta_rawarith(p->c->L, e->bin.op, &a, &b, &r)) return e;
  if (v_isint(&r)) {
    e->kind = E_INT;
    e->i = r.i;
  } else if (r.n == r.n && r.n != 0) {
    e->kind = E_FLOAT;
    e->n = r.n;
  }
  expr_settle(e, e->endline);
  return e;
}

// ---- blocks ---------------------------------------------------------------------------------------

// Whether the current token ends a block. `until` ends the statements but not the scope: with_until says which is
// asked.
static bool block_ends(Parser *p, bool with_until) {
  switch (kind(p)) {
  case T_ELSE:
  case T_ELSEIF:
  case T_END:
  case T_EOS: return true;
  case T_UNTIL: return with_until;
  case T_NAME: return is_clause(p);
  default: return false;
  }
}

static void statements(Parser *p) {
  while (!block_ends(p, true)) {
    bool last = kind(p) == T_RETURN;
    statement(p);
    if (last) break;
  }
  p->ns.fs->scope->block->endline = line(p);
}

static Block *new_block(Parser *p, bool is_loop) {
  Block *b = arena_alloc(p->c, sizeof(Block));
  b->is_loop = is_loop;
  b->line = p->lx.lastline;
  return b;
}

static Block *block(Parser *p, bool is_loop) {
  Scope sc;
  Block *b = new_block(p, is_loop);
  scope_open(&p->ns, &sc, b);
  statements(p);
  scope_close(&p->ns);
  return b;
}

// ---- functions ------------------------------------------------------------------------------------

static void parameters(Parser *p, Func *f) {
  int n = f->nparams;
  if (kind(p) != ')') {
    do {
      if (kind(p) == T_NAME) {
        var_declare(&p->ns, expect_name(p))->is_param = true;
        n++;
      } else if (accept(p, T_DOTS)) {
        f->is_vararg = true;
      } else {
        lex_error(&p->lx, "<name> or '...' expected");
      }
    } while (!f->is_vararg && accept(p, ','));
  }
  var_activate(&p->ns, n - f->nparams);
  f->nparams = n;
  scope_header_done(&p->ns);
}

// From the parameters' parenthesis to `end`.
static Expr *function_body(Parser *p, bool is_method, int at) {
  FuncScope fs;
  Scope sc;
  Expr *e = new_expr(p, E_FUNCTION, at);
  Func *f = e->func = arena_alloc(p->c, sizeof(Func));
  f->line = at;
  func_open(&p->ns, &fs, f, &sc);
  expect(p, '(');
  if (is_method) {
    var_declare(&p->ns, p->self)->is_param = true;
    var_activate(&p->ns, 1);
    f->nparams = 1;
  }
  parameters(p, f);
  expect(p, ')');
  statements(p);
  f->endline = line(p);
  expect_close(p, T_END, T_FUNCTION, at);
  func_close(&p->ns);
  return finish(p, e);
}

// ---- expressions ----------------------------------------------------------------------------------

static ExprList expressions(Parser *p) {
  ExprList l = {0};
  int cap = 0;
  list_add(p, &l, &cap, expression(p));
  while (accept(p, ',')) {
    expr_settle(l.v[l.n - 1], p->lx.lastline);
    list_add(p, &l, &cap, expression(p));
  }
  return l;
}

// An expression inside brackets, or before a keyword that must follow.
static Expr *inner_expression(Parser *p) {
  p->nopen++;
  Expr *e = expression(p);
  p->nopen--;
  return e;
}

static ExprList inner_expressions(Parser *p) {
  p->nopen++;
  ExprList l = expressions(p);
  p->nopen--;
  return l;
}

static Expr *bracket_key(Parser *p) {
  next(p);
  Expr *key = inner_expression(p);
  expect(p, ']');
  return key;
}

static Expr *name_key(Parser *p) {
  String *name = expect_name(p);
  return string_expr(p, name);
}

static TableItem table_item(Parser *p) {
  TableItem item = {0};
  if (kind(p) == '[')
    item.key = bracket_key(p);
  else if (kind(p) == T_NAME && lex_peek(&p->lx)->kind == '=')
    item.key = name_key(p);
  if (item.key != NULL) expect(p, '=');
  item.value = inner_expression(p);
  item.line = p->lx.lastline;
  return item;
}

static Expr *table_constructor(Parser *p) {
  int at = line(p), cap = 0;
  Expr *e = new_expr(p, E_TABLE, at);
  expect(p, '{');
  while (kind(p) != '}') {
    e->tab.v = arena_grow(p->c, e->tab.v, e->tab.n, &cap, sizeof(TableItem));
    TableItem item = table_item(p);
    if (item.key == NULL) e->tab.narray++;
    e->tab.v[e->tab.n++] = item;
    if (!accept(p, ',') && !accept(p, ';')) break;
    if (item.key == NULL) expr_settle(item.value, p->lx.lastline);
  }
  expect_close(p, '}', '{', at);
  return finish(p, e);
}

static ExprList arguments(Parser *p, int at) {
  ExprList l = {0};
  switch (kind(p)) {
  case '(':
    next(p);
    if (kind(p) != ')') l = inner_expressions(p);
    expect_close(p, ')', '(', at);
    return l;
  case '{': return list_of(p, table_constructor(p));
  case T_STRING: {
    String *s = p->lx.t.s;
    next(p);
    return list_of(p, string_expr(p, s));
  }
  default: lex_error(&p->lx, "function arguments expected");
  }
}

// method: the name just read, or NULL.
static Expr *call(Parser *p, Expr *fn, String *method, int at) {
  Expr *e = new_expr(p, method ? E_METHOD : E_CALL, at);
  e->call.fn = fn;
  e->call.method = method;
  e->call.nameline = p->lx.lastline;
  e->call.args = arguments(p, at);
  return finish(p, e);
}

static Expr *index_of(Parser *p, Expr *obj, Expr *key) {
  Expr *e = new_expr(p, E_INDEX, p->lx.lastline);
  e->ix.obj = obj;
  e->ix.key = key;
  return e;
}

static Expr *variable(Parser *p) {
  String *name = expect_name(p);
  Expr *e = new_expr(p, E_NIL, p->lx.lastline);
  name_resolve(&p->ns, name, e);
  return e;
}

static Expr *parenthesis(Parser *p) {
  int at = line(p);
  Expr *e = new_expr(p, E_PAREN, at);
  next(p);
  e->bin.a = inner_expression(p);
  expect_close(p, ')', '(', at);
  return finish(p, e);
}

static Expr *primary(Parser *p) {
  if (kind(p) == T_NAME) return variable(p);
  if (kind(p) == '(') return parenthesis(p);
  lex_error(&p->lx, "unexpected symbol");
}

// Indexes and calls that follow e, which began at a line.
static Expr *suffixes(Parser *p, Expr *e, int at) {
  for (;;) {
    switch (kind(p)) {
    case '.': {
      next(p);
      Expr *key = name_key(p);
      e = index_of(p, e, key);
      break;
    }
    case '[': {
      Expr *key = bracket_key(p);
      e = index_of(p, e, key);
      break;
    }
    case ':': {
      next(p);
      String *method = expect_name(p);
      e = call(p, e, method, at);
      break;
    }
    case '(':
    case '{':
    case T_STRING: e = call(p, e, NULL, at); break;
    default: return e;
    }
  }
}

static Expr *suffixed(Parser *p) {
  int at = line(p);
  Expr *e = primary(p);
  return suffixes(p, e, at);
}

// At an arrow: <-operand.
static Expr *receive(Parser *p) {
  Expr *e = new_expr(p, E_RECV, line(p));
  enter(p);
  skip_arrow(p);
  e->bin.a = at_arrow(p) ? receive(p) : suffixed(p);
  leave(p);
  return finish(p, e);
}

static Expr *literal(Parser *p, ExprKind k) {
  Expr *e = new_expr(p, k, k == E_VARARG ? p->lx.lastline : line(p)); // as Lua emits `...` before it reads on
  if (k == E_INT)
    e->i = p->lx.t.i;
  else if (k == E_FLOAT)
    e->n = p->lx.t.n;
  else if (k == E_STRING)
    e->s = p->lx.t.s;
  next(p);
  return e;
}

static Expr *simple(Parser *p) {
  switch (kind(p)) {
  case T_INT: return literal(p, E_INT);
  case T_FLOAT: return literal(p, E_FLOAT);
  case T_STRING: return literal(p, E_STRING);
  case T_NIL: return literal(p, E_NIL);
  case T_TRUE: return literal(p, E_TRUE);
  case T_FALSE: return literal(p, E_FALSE);
  case T_DOTS:
    if (!p->ns.fs->func->is_vararg) lex_error(&p->lx, "cannot use '...' outside a vararg function");
    return literal(p, E_VARARG);
  case '{': return table_constructor(p);
  case T_FUNCTION: next(p); return function_body(p, false, line(p));
  case '<':
    if (at_arrow(p)) return receive(p);
    return suffixed(p);
  default: return suffixed(p);
  }
}

// ---- operators ------------------------------------------------------------------------------------

typedef struct BinaryOp {
  ExprKind kind;
  int op;
  int left, right; // binding power towards each side; right below left: associates to the right
} BinaryOp;

#define UNARY_POWER 12

static const BinaryOp *binary_op(int token) {
#define OP(K, OPER, L, R)                                                                                              \
  {                                                                                                                    \
    static const BinaryOp b = {K, OPER, L, R};                                                                         \
    return &b;                                                                                                         \
  }
  switch (token) {
  case T_OR: OP(E_OR, 0, 1, 1)
  case T_AND: OP(E_AND, 0, 2, 2)
  case T_EQ: OP(E_BINOP, BOP_EQ, 3, 3)
  case T_NE: OP(E_BINOP, BOP_NE, 3, 3)
  case '<': OP(E_BINOP, BOP_LT, 3, 3)
  case T_LE: OP(E_BINOP, BOP_LE, 3, 3)
  case '>': OP(E_BINOP, BOP_GT, 3, 3)
  case T_GE: OP(E_BINOP, BOP_GE, 3, 3)
  case '|': OP(E_BINOP, LUA_OPBOR, 4, 4)
  case '~': OP(E_BINOP, LUA_OPBXOR, 5, 5)
  case '&': OP(E_BINOP, LUA_OPBAND, 6, 6)
  case T_SHL: OP(E_BINOP, LUA_OPSHL, 7, 7)
  case T_SHR: OP(E_BINOP, LUA_OPSHR, 7, 7)
  case T_CONCAT: OP(E_BINOP, BOP_CONCAT, 9, 8)
  case '+': OP(E_BINOP, LUA_OPADD, 10, 10)
  case '-': OP(E_BINOP, LUA_OPSUB, 10, 10)
  case '*': OP(E_BINOP, LUA_OPMUL, 11, 11)
  case '/': OP(E_BINOP, LUA_OPDIV, 11, 11)
  case T_IDIV: OP(E_BINOP, LUA_OPIDIV, 11, 11)
  case '%': OP(E_BINOP, LUA_OPMOD, 11, 11)
  case '^': OP(E_BINOP, LUA_OPPOW, 14, 13)
  default: return NULL;
  }
#undef OP
}

static int unary_op(int token) {
  switch (token) {
  case T_NOT: return UOP_NOT;
  case '#': return UOP_LEN;
  case '-': return LUA_OPUNM;
  case '~': return LUA_OPBNOT;
  default: return -1;
  }
}

static bool is_comparison(const BinaryOp *op) { return op->op >= BOP_EQ && op->op <= BOP_GE; }

// An arrow that is no operator, because it begins a statement.
static bool at_receive_statement(const Parser *p) {
  return at_arrow(p) && p->lx.t.newline && p->is_lungo && p->nopen == 0;
}

// An operand and all operators after it that bind tighter than `power`.
static Expr *subexpression(Parser *p, int power) {
  enter(p);
  Expr *e;
  int unary = unary_op(kind(p));
  if (unary >= 0) {
    e = new_expr(p, E_UNOP, line(p));
    next(p);
    e->bin.op = unary;
    e->bin.a = subexpression(p, UNARY_POWER);
    e = fold(p, finish(p, e));
  } else {
    e = simple(p);
  }
  for (const BinaryOp *op; (op = binary_op(kind(p))) != NULL && op->left > power;) {
    if (at_receive_statement(p)) break;
    Expr *whole = new_expr(p, op->kind, line(p));
    next(p);
    whole->bin.op = op->op;
    whole->bin.a = e;
    whole->bin.b = subexpression(p, op->right);
    e = finish(p, whole);
    if (is_comparison(op))
      e->line = e->endline;
    else if (op->kind == E_BINOP)
      e = fold(p, e);
  }
  leave(p);
  return e;
}

static Expr *expression(Parser *p) { return subexpression(p, 0); }

// ---- plain statements -----------------------------------------------------------------------------

static void if_statement(Parser *p, int at) {
  Stat *s = new_stat(p, S_IF, at);
  int cap_conds = 0, cap_blocks = 0;
  do {
    next(p); // `if` or `elseif`
    int n = s->cond.n;
    s->cond.conds = arena_grow(p->c, s->cond.conds, n, &cap_conds, sizeof(Expr *));
    s->cond.blocks = arena_grow(p->c, s->cond.blocks, n, &cap_blocks, sizeof(Block *));
    s->cond.conds[n] = inner_expression(p);
    expect(p, T_THEN);
    s->cond.blocks[n] = block(p, false);
    s->cond.n++;
  } while (kind(p) == T_ELSEIF);
  if (accept(p, T_ELSE)) s->cond.orelse = block(p, false);
  expect_close(p, T_END, T_IF, at);
}

static void while_statement(Parser *p, int at) {
  Stat *s = new_stat(p, S_WHILE, at);
  next(p);
  s->loop.cond = inner_expression(p);
  expect(p, T_DO);
  s->loop.body = block(p, true);
  expect_close(p, T_END, T_WHILE, at);
}

static void do_statement(Parser *p, int at) {
  Stat *s = new_stat(p, S_DO, at);
  next(p);
  s->loop.body = block(p, false);
  expect_close(p, T_END, T_DO, at);
}

static void repeat_statement(Parser *p, int at) {
  Scope sc;
  Stat *s = new_stat(p, S_REPEAT, at);
  next(p);
  s->loop.body = new_block(p, true);
  scope_open(&p->ns, &sc, s->loop.body);
  statements(p);
  expect_close(p, T_UNTIL, T_REPEAT, at);
  s->loop.cond = expression(p); // sees the body's locals
  scope_close(&p->ns);
}

// From `do` on; nhidden registers and nvars variables are declared.
static Block *for_body(Parser *p, int nhidden, int nvars) {
  Scope sc;
  expect(p, T_DO);
  Block *b = new_block(p, true);
  scope_open(&p->ns, &sc, b);
  var_activate(&p->ns, nhidden + nvars);
  scope_header_done(&p->ns);
  statements(p);
  scope_close(&p->ns);
  return b;
}

static void for_numeric(Parser *p, String *name, int at) {
  Stat *s = new_stat(p, S_FORNUM, at);
  var_declare_hidden(&p->ns, 3);
  s->fornum.var = var_declare(&p->ns, name);
  expect(p, '=');
  s->fornum.init = inner_expression(p);
  expect(p, ',');
  s->fornum.limit = inner_expression(p);
  if (accept(p, ',')) s->fornum.step = inner_expression(p);
  s->fornum.body = for_body(p, 3, 1);
}

static void for_generic(Parser *p, String *name, int at) {
  Stat *s = new_stat(p, S_FORIN, at);
  VarInfo **vars = NULL;
  int n = 0, cap = 0;
  var_declare_hidden(&p->ns, 4);
  for (;;) {
    vars = arena_grow(p->c, vars, n, &cap, sizeof(VarInfo *));
    vars[n++] = var_declare(&p->ns, name);
    if (!accept(p, ',')) break;
    name = expect_name(p);
  }
  expect(p, T_IN);
  s->line = line(p); // where Lua says the iterator is called
  s->forin.vars = vars;
  s->forin.nvars = n;
  s->forin.exprs = inner_expressions(p);
  p->ns.fs->func->has_tbc = true;
  s->forin.body = for_body(p, 4, n);
  s->forin.body->has_tbc = true;
}

static void for_statement(Parser *p, int at) {
  next(p);
  String *name = expect_name(p);
  if (kind(p) == '=')
    for_numeric(p, name, at);
  else if (kind(p) == ',' || kind(p) == T_IN)
    for_generic(p, name, at);
  else
    lex_error(&p->lx, "'=' or 'in' expected");
  expect_close(p, T_END, T_FOR, at);
}

static void function_statement(Parser *p, int at) {
  Stat *s = new_stat(p, S_ASSIGN, at);
  bool is_method = false;
  next(p);
  Expr *target = variable(p);
  while (!is_method && (kind(p) == '.' || kind(p) == ':')) {
    is_method = kind(p) == ':';
    next(p);
    Expr *key = name_key(p);
    target = index_of(p, target, key);
  }
  Expr *f = function_body(p, is_method, at);
  f->endline = at; // the definition happens at its first line
  name_assign(&p->ns, target);
  s->assign.targets = list_of(p, target);
  s->assign.exprs = list_of(p, f);
}

static void local_function(Parser *p, int at) {
  Stat *s = new_stat(p, S_LOCALFUNC, at);
  String *name = expect_name(p);
  s->local.vars = arena_alloc(p->c, sizeof(VarInfo *));
  s->local.vars[0] = var_declare(&p->ns, name);
  s->local.nvars = 1;
  var_activate(&p->ns, 1);
  s->local.exprs = list_of(p, function_body(p, false, line(p)));
}

static VarKind attribute(Parser *p) {
  // `local x` and on the next line `<-c`: no attribute begins with '-'.
  if (at_arrow(p) && p->lx.t.newline) return VAR_REGULAR;
  if (!accept(p, '<')) return VAR_REGULAR;
  const String *name = expect_name(p);
  expect(p, '>');
  if (strcmp(name->data, "const") == 0) return VAR_CONST;
  if (strcmp(name->data, "close") == 0) return VAR_TBC;
  lex_semerror(&p->lx, "unknown attribute '%s'", name->data);
}

// The names and attributes of a local statement; whether one is to be closed.
static bool local_names(Parser *p, Stat *s) {
  bool has_tbc = false;
  int cap = 0;
  do {
    String *name = expect_name(p);
    VarInfo *v = var_declare(&p->ns, name);
    v->kind = attribute(p);
    if (v->kind == VAR_TBC) {
      if (has_tbc) lex_semerror(&p->lx, "multiple to-be-closed variables in local list");
      has_tbc = true;
    }
    s->local.vars = arena_grow(p->c, s->local.vars, s->local.nvars, &cap, sizeof(VarInfo *));
    s->local.vars[s->local.nvars++] = v;
  } while (accept(p, ','));
  return has_tbc;
}

static void local_statement(Parser *p, int at) {
  Stat *s = new_stat(p, S_LOCAL, at);
  bool has_tbc = local_names(p, s);
  if (accept(p, '=')) s->local.exprs = expressions(p);
  int n = s->local.nvars;
  VarInfo *last = s->local.vars[n - 1];
  if (last->kind == VAR_CONST && s->local.exprs.n == n && constant_of(s->local.exprs.v[n - 1], &last->ctc)) {
    last->kind = VAR_CTC;
  }
  var_activate(&p->ns, n);
  if (has_tbc) {
    p->ns.fs->scope->block->has_tbc = true;
    p->ns.fs->func->has_tbc = true;
  }
}

// `::name::`. Void statements behind it are read first: if they end the block, so does the label.
static void label_statement(Parser *p, int at) {
  next(p);
  String *name = expect_name(p);
  expect(p, T_DBCOLON);
  while (kind(p) == ';' || kind(p) == T_DBCOLON) statement(p);
  label_check_repeated(&p->ns, name);
  bool last = block_ends(p, false);
  Stat *s = new_stat(p, S_LABEL, at);
  s->jump.label = label_add(&p->ns, name, at, last);
  s->jump.from = s->jump.label->block;
}

static void goto_statement(Parser *p, int at) {
  next(p);
  int nameline = line(p);
  String *name = expect_name(p);
  goto_add(&p->ns, new_stat(p, S_GOTO, at), name, nameline);
}

static void break_statement(Parser *p, int at) {
  Stat *s = new_stat(p, S_BREAK, at);
  next(p);
  s->jump.from = p->ns.fs->scope->block;
  break_add(&p->ns, at);
}

// After `return` in a select's clause: the next clause, or a variable named `case` to return? The clause if plain Lua
// would find an error, or if the word begins a line.
static bool clause_follows_return(Parser *p) {
  if (!is_clause(p) || p->lx.t.newline) return true;
  const Token *ahead = lex_peek(&p->lx);
  return ahead->kind == T_NAME || (ahead->kind == '<' && ahead->tight_minus);
}

static void return_statement(Parser *p, int at) {
  Stat *s = new_stat(p, S_RETURN, at);
  next(p);
  bool bare = kind(p) == ';' || (block_ends(p, true) && clause_follows_return(p));
  if (!bare) s->ret.exprs = expressions(p);
  accept(p, ';');
}

static bool is_assignable(const Expr *e) {
  return e->kind == E_LOCAL || e->kind == E_UPVAL || e->kind == E_GLOBAL || e->kind == E_INDEX;
}

// The first target was read. Each further one counts as a level, as in Lua, which bounds their number.
static void assignment(Parser *p, Expr *target, int at) {
  Stat *s = new_stat(p, S_ASSIGN, at);
  int cap = 0, depth = p->c->depth;
  for (;;) {
    if (!is_assignable(target)) lex_error(&p->lx, "syntax error");
    name_assign(&p->ns, target);
    list_add(p, &s->assign.targets, &cap, target);
    if (!accept(p, ',')) break;
    target = suffixed(p);
    enter(p);
  }
  expect(p, '=');
  s->assign.exprs = expressions(p);
  p->c->depth = depth;
}

static void send_statement(Parser *p, Expr *chan) {
  Stat *s = new_stat(p, S_SEND, line(p));
  skip_arrow(p);
  s->send.chan = chan;
  s->send.value = expression(p);
}

static bool is_call(const Expr *e) { return e->kind == E_CALL || e->kind == E_METHOD; }
static bool at_send(const Parser *p) { return at_arrow(p) && !p->lx.t.newline; }

static void expression_statement(Parser *p, int at) {
  Expr *e = suffixed(p);
  if (kind(p) == '=' || kind(p) == ',') {
    assignment(p, e, at);
  } else if (at_send(p)) {
    send_statement(p, e);
  } else {
    if (!is_call(e)) lex_error(&p->lx, "syntax error");
    new_stat(p, S_CALL, at)->expr.e = e;
  }
}

// ---- lungo's statements ---------------------------------------------------------------------------

static void receive_statement(Parser *p, int at) {
  Stat *s = new_stat(p, S_RECV, at);
  s->expr.e = receive(p);
}

// `go call` or `defer call`.
static void spawn_statement(Parser *p, StatKind k, const char *word, int at) {
  p->is_lungo = true;
  next(p);
  int start = line(p);
  Expr *e;
  if (accept(p, T_FUNCTION)) {
    e = function_body(p, false, line(p));
    e = suffixes(p, e, start);
  } else {
    e = suffixed(p);
  }
  if (!is_call(e)) lex_error(&p->lx, "expression in %s must be function call", word);
  new_stat(p, k, at)->expr.e = e;
  if (k == S_DEFER) p->ns.fs->func->has_defer = true;
}

// Whether the current token is the word `case` beginning a statement directly in a select's clause.
static bool is_clause(Parser *p) { return at_word(p, p->case_) && p->ns.fs->scope->is_select; }

static void clause_body(Parser *p, SelCase *sc, String *const names[2], int nnames) {
  Scope scope;
  sc->block = new_block(p, false);
  scope_open(&p->ns, &scope, sc->block);
  scope.is_select = true;
  for (int i = 0; i < nnames; i++) sc->vars[i] = var_declare(&p->ns, names[i]);
  var_activate(&p->ns, nnames);
  scope_header_done(&p->ns);
  statements(p);
  scope_close(&p->ns);
}

// At the name behind `case`: whether variables come (else a channel expression).
static bool at_case_names(Parser *p) {
  if (kind(p) != T_NAME) return false;
  int ahead = lex_peek(&p->lx)->kind;
  return ahead == '=' || ahead == ',';
}

static void expect_arrow(Parser *p, bool ok) {
  if (!ok) lex_error(&p->lx, "'<-' expected");
  skip_arrow(p);
}

// `case [v[, ok] =] <-expr then ...` or `case expr <- expr then ...`.
static void select_case(Parser *p, SelCase *sc) {
  String *names[2] = {NULL, NULL};
  int nnames = 0;
  sc->line = line(p);
  next(p);
  if (at_case_names(p)) {
    names[nnames++] = expect_name(p);
    if (accept(p, ',')) names[nnames++] = expect_name(p);
    expect(p, '=');
    if (!at_arrow(p)) expect_arrow(p, false);
  }
  if (at_arrow(p)) {
    sc->kind = SEL_RECV;
    sc->chan = receive(p)->bin.a;
  } else {
    sc->kind = SEL_SEND;
    sc->chan = suffixed(p);
    expect_arrow(p, at_send(p));
    sc->value = inner_expression(p);
  }
  expect(p, T_THEN);
  clause_body(p, sc, names, nnames);
}

static _Noreturn void error_unclosed_select(Parser *p, int at) {
  if (at == line(p)) error_expected(p, T_END);
  const char *end = lex_kindtext(&p->lx, T_END);
  lex_error(&p->lx, "%s expected (to close 'select' at line %d)", end, at);
}

static void select_statement(Parser *p, int at) {
  Stat *s = new_stat(p, S_SELECT, at);
  SelCase *cases = NULL;
  p->is_lungo = true;
  int n = 0, cap = 0;
  next(p);
  while (at_word(p, p->case_)) {
    cases = arena_grow(p->c, cases, n, &cap, sizeof(SelCase));
    select_case(p, &cases[n++]);
  }
  if (kind(p) == T_ELSE) {
    cases = arena_grow(p->c, cases, n, &cap, sizeof(SelCase));
    cases[n] = (SelCase){.kind = SEL_DEFAULT, .line = line(p)};
    next(p);
    clause_body(p, &cases[n++], NULL, 0);
    s->select.has_default = true;
  }
  s->select.cases = cases;
  s->select.n = n;
  if (!accept(p, T_END)) error_unclosed_select(p, at);
}

// At a name that begins a statement: handles it if it is one of lungo's words in its role.
static bool contextual_statement(Parser *p, int at) {
  const String *word = p->lx.t.s;
  if (word != p->go && word != p->defer && word != p->select) return false;
  const Token *ahead = lex_peek(&p->lx);
  if (word == p->select) {
    bool is_case = ahead->kind == T_NAME && ahead->s == p->case_;
    if (!is_case && ahead->kind != T_ELSE && ahead->kind != T_END) return false;
    select_statement(p, at);
    return true;
  }
  if (ahead->kind != T_NAME && ahead->kind != T_FUNCTION) return false;
  if (word == p->go)
    spawn_statement(p, S_GO, "go", at);
  else
    spawn_statement(p, S_DEFER, "defer", at);
  return true;
}

// ---- statements -----------------------------------------------------------------------------------

static void local_any(Parser *p, int at) {
  next(p);
  if (accept(p, T_FUNCTION))
    local_function(p, at);
  else
    local_statement(p, at);
}

static void other_statement(Parser *p, int at) {
  if (kind(p) == T_NAME && contextual_statement(p, at)) return;
  if (at_arrow(p))
    receive_statement(p, at);
  else
    expression_statement(p, at);
}

static void statement(Parser *p) {
  int at = line(p), nopen = p->nopen;
  bool is_lungo = p->is_lungo;
  p->is_lungo = false;
  p->nopen = 0;
  enter(p);
  switch (kind(p)) {
  case ';': next(p); break;
  case T_IF: if_statement(p, at); break;
  case T_WHILE: while_statement(p, at); break;
  case T_DO: do_statement(p, at); break;
  case T_FOR: for_statement(p, at); break;
  case T_REPEAT: repeat_statement(p, at); break;
  case T_FUNCTION: function_statement(p, at); break;
  case T_LOCAL: local_any(p, at); break;
  case T_DBCOLON: label_statement(p, at); break;
  case T_RETURN: return_statement(p, at); break;
  case T_BREAK: break_statement(p, at); break;
  case T_GOTO: goto_statement(p, at); break;
  default: other_statement(p, at); break;
  }
  leave(p);
  p->is_lungo |= is_lungo; // a function's body is part of the statement around it
  p->nopen = nopen;
}

Func *parse_chunk(Compiler *c, Zio *z, int firstchar) {
  Parser parser = {.c = c}, *p = &parser;
  FuncScope fs;
  Scope sc;
  lex_init(&p->lx, c, z, firstchar);
  names_init(&p->ns, &p->lx);
  p->go = compile_str(c, "go", 2);
  p->defer = compile_str(c, "defer", 5);
  p->select = compile_str(c, "select", 6);
  p->case_ = compile_str(c, "case", 4);
  p->self = compile_str(c, "self", 4);
  Func *f = arena_alloc(c, sizeof(Func));
  f->is_vararg = true;
  f->upvals = arena_grow(c, NULL, 0, &f->cap_upvals, sizeof(UpvalInfo));
  f->upvals[f->nupvals++] = (UpvalInfo){.name = p->ns.env, .instack = true};
  func_open(&p->ns, &fs, f, &sc);
  next(p);
  statements(p);
  if (kind(p) != T_EOS) error_expected(p, T_EOS);
  f->endline = f->body->endline = p->lx.lastline;
  func_close(&p->ns);
  return f;
}
