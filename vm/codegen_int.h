// SPDX-License-Identifier: MIT
//
// codegen_int.h: what codegen.c (statements, functions, emission) and codegen_expr.c (expressions) share.
#ifndef LUNGO_VM_CODEGEN_INT_H
#define LUNGO_VM_CODEGEN_INT_H

#include "compile.h"
#include "lgassert.h"
#include "str.h"

// Forward jumps that wait for their target are chained through their J fields; a list is the pc of the newest.
#define NO_JUMP (-1)

struct Goto { // gotos that wait for a Label
  int jumps;
};

// A range of code with registers of its own: a block of the source, or the hidden registers of a `for`.
typedef struct CodeScope {
  struct CodeScope *prev;
  const Block *block;  // NULL: none of the source
  int firstreg;        // first register of the scope
  int firstloc;        // first of its entries in FuncState.loc
  int tbc_lo, tbc_hi;  // lowest and highest register with a to-be-closed variable, -1: none so far
  bool is_loop;        // `break` ends here
  bool closes_at_exit; // loop whose exit closes everything from tbc_lo on, so that a break need not
  int breaks;          // jumps to the loop's exit
} CodeScope;

typedef struct FuncState {
  Compiler *c;
  Func *f;
  struct FuncState *prev; // enclosing function
  CodeScope *scope;
  int free; // first free register
  int maxstack;
  int lastline; // line of the last token of the statement before, for jumps that belong to no expression
  int target;   // the last pc that a jump may lead to
  Instr *code;  // arrays of the function under way, in the arena
  int32_t *lines;
  Value *k;
  Proto **p;
  LocVar *loc;
  int ncode, nk, np, nloc;
  int cap_code, cap_lines, cap_k, cap_p, cap_loc;
  int *kslots; // hash of the constants: index + 1, 0 free; open addressing
  int nkslots; // power of two, at least 2 * nk
} FuncState;

// ---- emission and registers (codegen.c) -----------------------------------------------------------
int cg_emit(FuncState *fs, Instr i, int line);                          // returns its pc
void cg_jump(FuncState *fs, int op, int a, int b, int line, int *list); // appends to the list
void cg_patch_here(FuncState *fs, int list);          // the jumps of the list lead to the next instruction
void cg_nil(FuncState *fs, int reg, int n, int line); // n registers become nil
int cg_reserve(FuncState *fs, int n);                 // n registers at fs->free; returns the first
void cg_touch(FuncState *fs, int reg);                // reg is used, so the frame must have it
int cg_const(FuncState *fs, const Value *v);          // index of the constant
int cg_closure(FuncState *fs, Func *f);               // generates the inner function; returns its index

// ---- expressions (codegen_expr.c) -----------------------------------------------------------------
// Everywhere: temporaries come from fs->free up and are released on return, except where a result stays reserved.
void expr_fold(FuncState *fs, Expr *e);           // constants (and foldable operators) become constant nodes
void expr_to(FuncState *fs, Expr *e, int target); // target: fs->free, or the register of a local
int expr_any(FuncState *fs, Expr *e);             // a local's own register, or a reserved temporary
// The same for an instruction of that line, which is the one that reads a local, also one that has to be fetched first.
int expr_operand(FuncState *fs, Expr *e, int line);
int expr_next(FuncState *fs, Expr *e);         // into the next register, which stays reserved
int expr_rk(FuncState *fs, Expr *e, int line); // RK operand of an instruction of that line
bool expr_incell(const Expr *e);               // a local (of this function) in a cell
// The object of obj[key] (folded): its register, or -1 if it is to be read after the key, as a local is that lies in a
// cell, and as upvalues are.
int expr_object(FuncState *fs, Expr *obj, Expr *key, int line);
int expr_after(FuncState *fs, Expr *e, int reg,
               int line);                 // reg, or if that is -1 the register into which e is read now
bool expr_is_multi(const Expr *e);        // call or `...`
bool expr_istrue(FuncState *fs, Expr *e); // a constant other than nil and false
// `want` values in consecutive registers, which stay reserved; surplus expressions are evaluated and dropped.
int explist_adjust(FuncState *fs, const ExprList *l, int want, int line);
// All values of the list in registers from fs->free on, not reserved on return; the count, or -1 if the last is open.
int explist_open(FuncState *fs, const ExprList *l);
// A call or method call: op is OP_CALL (nres results, -1: all), OP_TAILCALL, OP_GO or OP_DEFER. Returns its register.
int expr_call(FuncState *fs, Expr *e, int op, int nres);
// Jumps if the truth of e is `when`. `line`: of a jump that tests a plain value.
void expr_jump(FuncState *fs, Expr *e, bool when, int *list, int line);
// Whether key is a name for the field instructions, and its constant index.
bool expr_fieldkey(FuncState *fs, Expr *key, int *k);
static inline bool var_in_cell(const VarInfo *v) { return v->captured && v->cellreg == v->reg; }

#endif
