// SPDX-License-Identifier: MIT
//
// ast.h: the syntax tree, with names already resolved. parse.c builds it (scopes in resolve.c), codegen.c reads it.
//
// What:       parse.c resolves names while it parses (so that errors carry Lua's line numbers), but code can only
//             be generated once it is known which locals are captured by inner functions: hence the tree.
// Invariants: all nodes and names live in the Compiler's arena, or are interned strings anchored in its constants
//             table; nothing here outlives compile(). When codegen runs, VarInfo.captured and .assigned are final.
// Callers:    one goroutine compiles one chunk; nothing is shared.
#ifndef LUNGO_VM_AST_H
#define LUNGO_VM_AST_H

#include "value.h"

typedef struct String String;
typedef struct Expr Expr;
typedef struct Stat Stat;
typedef struct Func Func;
typedef struct Block Block;
typedef struct VarInfo VarInfo;

typedef enum VarKind { VAR_REGULAR, VAR_CONST, VAR_TBC, VAR_CTC } VarKind; // CTC: compile-time constant

struct VarInfo {
  String *name; // interned
  Func *func;   // the function that declares it
  VarKind kind;
  bool captured; // some inner function (or a defer/go closure) uses it: lives in a Cell
  bool assigned; // assigned after its declaration
  bool is_param;
  int line;    // of the declaration
  Value ctc;   // VAR_CTC: nil, boolean, number or string constant; occupies no register
  int reg;     // codegen: its register
  int startpc; // codegen: debug information
  int uses;    // parser: times its own function names it inside a loop that does not declare it; 0 is always right
  int cellreg; // codegen: captured: register of its cell (see codegen.c, "Captured locals")
};

// How a function reaches a variable that is not its own local.
typedef struct UpvalInfo {
  String *name;
  VarInfo *var; // the local it is in the end (NULL for the main chunk's _ENV)
  bool instack; // captured from the enclosing function's register (else from its upvalue `index`)
  int index;    // enclosing function's upvalue index when !instack
  VarKind kind;
} UpvalInfo;

typedef enum ExprKind {
  E_NIL,
  E_TRUE,
  E_FALSE,
  E_INT,
  E_FLOAT,
  E_STRING,
  E_VARARG,
  E_FUNCTION,
  E_LOCAL,  // var (a local of this very function; or a VAR_CTC, then of any enclosing function too)
  E_UPVAL,  // index: upvalue number of the current function
  E_GLOBAL, // _ENV.name: obj is the E_LOCAL/E_UPVAL expression of _ENV, key the E_STRING of the name
  E_INDEX,  // obj[key]
  E_CALL,   // fn(args)
  E_METHOD, // obj:name(args)
  E_BINOP,  // op, a, b (arithmetic, bitwise, concat, comparison)
  E_AND,
  E_OR,    // a, b
  E_UNOP,  // op, a
  E_TABLE, // items
  E_PAREN, // a: cuts multiple values to one; no other meaning
  E_RECV   // <-a : one value (or two, where the parser says so)
} ExprKind;

// LUA_OP* of lua.h name arithmetic; these continue after LUA_OPBNOT.
enum { BOP_CONCAT = 20, BOP_EQ, BOP_NE, BOP_LT, BOP_LE, BOP_GT, BOP_GE, UOP_NOT, UOP_LEN };

typedef struct TableItem {
  Expr *key; // NULL: positional
  Expr *value;
  int line;
} TableItem;

typedef struct ExprList {
  Expr **v;
  int n;
} ExprList;

struct Expr {
  ExprKind kind;
  int line;    // line of the token that errors of this expression name (operator, '(' of a call as in luaK_fixline,
               // name...)
  int endline; // last line of the expression
  bool folded; // codegen: constant folding was tried
  union {
    int64_t i;
    double n;
    String *s;
    Func *func;
    VarInfo *var;
    int index;
    struct {
      Expr *obj, *key;
    } ix;
    struct {
      Expr *fn;
      ExprList args;
      String *method;
      int nameline;
    } call; // method and its line only for E_METHOD (then fn is the object)
    struct {
      int op;
      Expr *a, *b;
    } bin; // E_BINOP, E_AND, E_OR, E_UNOP, E_PAREN, E_RECV use a
    struct {
      TableItem *v;
      int n;
      int narray;
    } tab;
  };
};

// Moves the line of an operand whose code Lua emits only after the next token (codegen_expr.c, "Lines").
static inline void expr_settle(Expr *e, int line) {
  if (e->kind <= E_STRING || (e->kind >= E_LOCAL && e->kind <= E_INDEX)) e->line = line;
}

typedef enum StatKind {
  S_LOCAL,     // vars, exprs (attribs in VarInfo.kind); S_LOCALFUNC is separate
  S_LOCALFUNC, // vars[0], exprs.v[0] (E_FUNCTION)
  S_ASSIGN,    // targets, exprs; `function a.b:c()` becomes this too
  S_CALL,      // exprs.v[0] is E_CALL or E_METHOD
  S_DO,
  S_WHILE,
  S_REPEAT,
  S_IF,
  S_FORNUM,
  S_FORIN,
  S_RETURN, // exprs
  S_BREAK,  // label target like goto (target block end)
  S_GOTO,
  S_LABEL,
  S_GO,    // exprs.v[0] is the E_CALL or E_METHOD to start
  S_DEFER, // exprs.v[0] is the E_CALL or E_METHOD to run at function end
  S_SEND,  // a <- b
  S_RECV,  // <-a as a statement
  S_SELECT
} StatKind;

typedef struct Label {
  String *name;
  int line;
  Block *block;     // block that holds the label
  int nactive;      // number of active (register) locals at the label, counted over the whole function; see resolve.c
  bool needs_close; // codegen: some goto leaves the scope of a tbc variable on its way here
  int pc;           // codegen: its position + 1, 0 while not reached
  int reg;          // codegen: first register that is free at the label
  struct Goto *pending; // codegen: forward jumps to patch
} Label;

typedef struct SelCase {
  enum { SEL_RECV, SEL_SEND, SEL_DEFAULT } kind;
  Expr *chan, *value; // value: SEL_SEND only
  VarInfo *vars[2];   // SEL_RECV: declared locals of the block (NULL if absent)
  Block *block;
  int line;
} SelCase;

struct Block {
  Stat **v;
  int n;
  VarInfo **vars; // locals declared directly in the block, in order (CTCs included)
  int nvars;
  Block *parent; // enclosing block of the same function, NULL at the function's body
  bool has_tbc;  // a tbc variable is declared directly in the block (or it is a generic for's hidden one)
  bool is_loop;
  int line;    // line of the opening token (`then`, `else`, `do`, `repeat`), 0 if not known
  int endline; // line of the closing token
};

struct Stat {
  StatKind kind;
  int line;
  union {
    // If the last variable is a VAR_CTC, the last expression is its constant, and neither gets code.
    struct {
      VarInfo **vars;
      int nvars;
      ExprList exprs;
    } local;
    struct {
      ExprList targets, exprs;
    } assign;
    struct {
      Expr *e;
    } expr; // S_CALL, S_GO, S_DEFER: the call; S_RECV: the E_RECV expression
    struct {
      Expr *chan, *value;
    } send;
    struct {
      Expr *cond;
      Block *body;
    } loop; // S_WHILE, S_REPEAT (cond sees the body's locals), S_DO (no cond)
    struct {
      Expr **conds;
      Block **blocks;
      int n;
      Block *orelse;
    } cond; // S_IF
    struct {
      VarInfo *var;
      Expr *init, *limit, *step;
      Block *body;
    } fornum; // var is body->vars[0]
    struct {
      VarInfo **vars;
      int nvars;
      ExprList exprs;
      Block *body;
    } forin; // vars are the first of body->vars
    struct {
      ExprList exprs;
    } ret;
    struct {
      Label *label;
      Block *from;
    } jump; // S_GOTO (resolved), S_LABEL; S_BREAK: label NULL, see `from`
    struct {
      SelCase *cases;
      int n;
      bool has_default;
    } select; // default last; n counts it
  };
};

struct Func {
  Func *parent;
  Block *body; // parameters are the first of body->vars
  int nparams;
  bool is_vararg;
  bool has_tbc;   // declares a to-be-closed variable or a generic for somewhere
  bool has_defer; // contains a defer statement
  UpvalInfo *upvals;
  int nupvals, cap_upvals;
  int line, endline; // 0 and last line for the main chunk
};

#endif
