// SPDX-License-Identifier: MIT
//
// resolve.c: which variable a name means, which label a goto means.
//
// What:       three stacks that grow and shrink with the parser's blocks: variables, visible labels, pending gotos. One
//             pass suffices: a name must be declared before its use; a goto may come before its label, so it waits in
//             `pending`, moves to the outer block when its own closes, and is an error when its function does.
// Invariants: names are unique objects within one compilation (compile_str), so they are compared by address.
//             Names.vars[fs->first .. +fs->nactive) are the variables of a function in scope, innermost last; a loop's
//             hidden registers are among them under a name no program can write, so that Lua's limit of 200 holds.
//             VarInfo.captured and .assigned are complete when the function that declares the variable is closed.
//             A name keeps its meaning within one function body, so an upvalue is found again by its name.
// Callers:    parse.c. Errors are raised in the order and at the lines at which Lua 5.4 raises them.
// See also:   ast.h. Tests: tests/vm/resolve_*.lua.
#include "resolve.h"

#define MAX_LOCALS 200
#define MAX_UPVALUES 255

static Compiler *compiler(Names *ns) { return ns->lx->c; }

void names_init(Names *ns, Lexer *lx) {
  *ns = (Names){.lx = lx};
  ns->env = compile_str(lx->c, "_ENV", 4);
  ns->hidden.name = compile_str(lx->c, "(for state)", 11);
}

static void check_limit(Names *ns, const FuncScope *fs, int n, int limit, const char *what) {
  if (likely(n <= limit)) return;
  int line = fs->func->line;
  if (line == 0) lex_error(ns->lx, "too many %s (limit is %d) in main function", what, limit);
  lex_error(ns->lx, "too many %s (limit is %d) in function at line %d", what, limit, line);
}

// ---- variables ------------------------------------------------------------------------------------

static void push_var(Names *ns, VarInfo *v) {
  check_limit(ns, ns->fs, ns->nvars + 1 - ns->fs->first, MAX_LOCALS, "local variables");
  ns->vars = arena_grow(compiler(ns), ns->vars, ns->nvars, &ns->cap_vars, sizeof(VarInfo *));
  ns->vars[ns->nvars++] = v;
}

VarInfo *var_declare(Names *ns, String *name) {
  VarInfo *v = arena_alloc(compiler(ns), sizeof(VarInfo));
  v->name = name;
  v->func = ns->fs->func;
  v->line = ns->lx->lastline;
  push_var(ns, v);
  return v;
}

void var_declare_hidden(Names *ns, int n) {
  while (n-- > 0) push_var(ns, &ns->hidden);
}

void var_activate(Names *ns, int n) {
  FuncScope *fs = ns->fs;
  Scope *sc = fs->scope;
  while (n-- > 0) {
    VarInfo *v = ns->vars[fs->first + fs->nactive++];
    if (v == &ns->hidden) continue;
    Block *b = sc->block;
    b->vars = arena_grow(compiler(ns), b->vars, b->nvars, &sc->cap_vars, sizeof(VarInfo *));
    b->vars[b->nvars++] = v;
  }
}

static VarInfo *find_local(Names *ns, FuncScope *fs, const String *name) {
  for (int i = fs->nactive - 1; i >= 0; i--) {
    VarInfo *v = ns->vars[fs->first + i];
    if (v->name == name) return v;
  }
  return NULL;
}

static int add_upvalue(Names *ns, FuncScope *fs, UpvalInfo up) {
  Func *f = fs->func;
  check_limit(ns, fs, f->nupvals + 1, MAX_UPVALUES, "upvalues");
  f->upvals = arena_grow(compiler(ns), f->upvals, f->nupvals, &f->cap_upvals, sizeof(UpvalInfo));
  f->upvals[f->nupvals] = up;
  return f->nupvals++;
}

// Finds name from fs outwards: sets *v to a local of fs or a constant of any function, or *up to the index of an
// upvalue of fs (made in all functions between). False: it is global.
static bool find_name(Names *ns, FuncScope *fs, String *name, VarInfo **v, int *up) {
  if (fs == NULL) return false;
  *v = find_local(ns, fs, name);
  if (*v != NULL) return true;
  for (int i = 0; i < fs->func->nupvals; i++) {
    if (fs->func->upvals[i].name == name) {
      *up = i;
      return true;
    }
  }
  int outer_up = 0;
  if (!find_name(ns, fs->outer, name, v, &outer_up)) return false;
  UpvalInfo desc = {.name = name};
  if (*v == NULL) {
    const UpvalInfo *outer = &fs->outer->func->upvals[outer_up];
    desc.var = outer->var;
    desc.kind = outer->kind;
    desc.index = outer_up;
  } else if ((*v)->kind != VAR_CTC) {
    (*v)->captured = true;
    desc.var = *v;
    desc.kind = (*v)->kind;
    desc.instack = true;
  } else {
    return true; // a constant needs no upvalue
  }
  *v = NULL;
  *up = add_upvalue(ns, fs, desc);
  return true;
}

static bool resolve_variable(Names *ns, String *name, Expr *e) {
  VarInfo *v = NULL;
  int up = 0;
  if (!find_name(ns, ns->fs, name, &v, &up)) return false;
  if (v != NULL) {
    e->kind = E_LOCAL;
    e->var = v;
    v->uses++;
  } else {
    e->kind = E_UPVAL;
    e->index = up;
  }
  return true;
}

static Expr *subexpression(Names *ns, const Expr *of, ExprKind kind) {
  Expr *e = arena_alloc(compiler(ns), sizeof(Expr));
  e->kind = kind;
  e->line = of->line;
  e->endline = of->endline;
  return e;
}

void name_resolve(Names *ns, String *name, Expr *e) {
  if (resolve_variable(ns, name, e)) return;
  e->kind = E_GLOBAL;
  e->ix.key = subexpression(ns, e, E_STRING);
  e->ix.key->s = name;
  e->ix.obj = subexpression(ns, e, E_NIL);
  resolve_variable(ns, ns->env, e->ix.obj); // always found: the main function has it as an upvalue
}

void name_assign(Names *ns, const Expr *e) {
  VarInfo *v;
  const String *name;
  VarKind kind;
  if (e->kind == E_LOCAL) {
    v = e->var;
    name = v->name;
    kind = v->kind;
  } else if (e->kind == E_UPVAL) {
    const UpvalInfo *up = &ns->fs->func->upvals[e->index];
    v = up->var;
    name = up->name;
    kind = up->kind;
  } else {
    return;
  }
  if (kind != VAR_REGULAR) lex_semerror(ns->lx, "attempt to assign to const variable '%s'", name->data);
  if (v != NULL) v->assigned = true; // NULL: the chunk's own _ENV
}

// ---- labels and gotos -----------------------------------------------------------------------------

static Label *find_label(Names *ns, const String *name) {
  for (int i = ns->fs->nlabels; i < ns->nlabels; i++) {
    if (ns->labels[i].label->name == name) return ns->labels[i].label;
  }
  return NULL;
}

void label_check_repeated(Names *ns, const String *name) {
  const Label *l = find_label(ns, name);
  if (l != NULL) lex_semerror(ns->lx, "label '%s' already defined on line %d", name->data, l->line);
}

static void add_pending(Names *ns, Stat *s, String *name, int line) {
  ns->pending = arena_grow(compiler(ns), ns->pending, ns->npending, &ns->cap_pending, sizeof(Pending));
  ns->pending[ns->npending++] = (Pending){.stat = s, .name = name, .line = line, .nactive = ns->fs->nactive};
}

void goto_add(Names *ns, Stat *s, String *name, int line) {
  s->jump.from = ns->fs->scope->block;
  s->jump.label = find_label(ns, name);
  if (s->jump.label == NULL) add_pending(ns, s, name, line);
}

// A break outside loops is reported when its function ends, like a goto without label, as Lua does.
void break_add(Names *ns, int line) {
  for (const Scope *sc = ns->fs->scope; sc != NULL; sc = sc->outer) {
    if (sc->block->is_loop) return;
  }
  add_pending(ns, NULL, NULL, line);
}

// Of the function's first n active variables, those that a register holds under a name.
static int count_registers(const Names *ns, int n) {
  int count = 0;
  for (int i = 0; i < n; i++) {
    const VarInfo *v = ns->vars[ns->fs->first + i];
    if (v != &ns->hidden && v->kind != VAR_CTC) count++;
  }
  return count;
}

// Points the gotos of the current block that wait for `l` to it.
static void settle_pending(Names *ns, const Visible *l) {
  int kept = ns->fs->scope->npending;
  for (int i = kept; i < ns->npending; i++) {
    Pending *p = &ns->pending[i];
    if (p->name != l->label->name) {
      ns->pending[kept++] = *p;
      continue;
    }
    if (p->nactive < l->nactive) {
      const VarInfo *v = ns->vars[ns->fs->first + p->nactive];
      lex_semerror(ns->lx, "<goto %s> at line %d jumps into the scope of local '%s'", p->name->data, p->line,
                   v->name->data);
    }
    p->stat->jump.label = l->label;
  }
  ns->npending = kept;
}

Label *label_add(Names *ns, String *name, int line, bool last) {
  Scope *sc = ns->fs->scope;
  int nactive = last ? sc->label_level : ns->fs->nactive;
  Label *l = arena_alloc(compiler(ns), sizeof(Label));
  l->name = name;
  l->line = line;
  l->block = sc->block;
  l->nactive = count_registers(ns, nactive);
  ns->labels = arena_grow(compiler(ns), ns->labels, ns->nlabels, &ns->cap_labels, sizeof(Visible));
  ns->labels[ns->nlabels] = (Visible){.label = l, .nactive = nactive};
  settle_pending(ns, &ns->labels[ns->nlabels++]);
  return l;
}

static _Noreturn void unresolved(Names *ns, const Pending *p) {
  if (p->stat == NULL) lex_semerror(ns->lx, "break outside loop at line %d", p->line);
  lex_semerror(ns->lx, "no visible label '%s' for <goto> at line %d", p->name->data, p->line);
}

// ---- blocks and functions -------------------------------------------------------------------------

void scope_open(Names *ns, Scope *sc, Block *b) {
  FuncScope *fs = ns->fs;
  *sc = (Scope){.outer = fs->scope,
                .block = b,
                .nactive = fs->nactive,
                .label_level = fs->nactive,
                .nlabels = ns->nlabels,
                .npending = ns->npending};
  b->parent = sc->outer ? sc->outer->block : NULL;
  fs->scope = sc;
}

void scope_header_done(Names *ns) { ns->fs->scope->label_level = ns->fs->nactive; }

void scope_close(Names *ns) {
  FuncScope *fs = ns->fs;
  Scope *sc = fs->scope;
  lg_assert(ns->nvars == fs->first + fs->nactive);
  ns->nvars = fs->first + sc->nactive;
  fs->nactive = sc->nactive;
  ns->nlabels = sc->nlabels;
  fs->scope = sc->outer;
  if (fs->scope == NULL) {
    if (sc->npending < ns->npending) unresolved(ns, &ns->pending[sc->npending]);
    return;
  }
  for (int i = sc->npending; i < ns->npending; i++) ns->pending[i].nactive = sc->nactive;
}

void func_open(Names *ns, FuncScope *fs, Func *f, Scope *body) {
  *fs = (FuncScope){.outer = ns->fs, .func = f, .first = ns->nvars, .nlabels = ns->nlabels};
  f->parent = ns->fs ? ns->fs->func : NULL;
  ns->fs = fs;
  f->body = arena_alloc(compiler(ns), sizeof(Block));
  scope_open(ns, body, f->body);
}

void func_close(Names *ns) {
  scope_close(ns);
  ns->fs = ns->fs->outer;
}
