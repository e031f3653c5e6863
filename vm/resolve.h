// SPDX-License-Identifier: MIT
//
// resolve.h: scopes, names, gotos and labels while a chunk is parsed. For parse.c only.
#ifndef LUNGO_VM_RESOLVE_H
#define LUNGO_VM_RESOLVE_H

#include "lex.h"
#include "lgassert.h"

typedef struct Scope {
  struct Scope *outer; // of the same function
  Block *block;
  int cap_stats, cap_vars;
  int nactive;           // active variables of the function when the scope was opened
  int label_level;       // what a label at the scope's end counts as active: nactive, and loop variables or parameters
  int nlabels, npending; // sizes of the label and goto lists when it was opened
  bool is_select;        // a clause's own block: `case` at the start of a statement ends it
} Scope;

typedef struct FuncScope {
  struct FuncScope *outer;
  Func *func;
  Scope *scope; // innermost
  int first;    // where the function's variables begin in Names.vars
  int nactive;  // how many of them are in scope; later ones are declared, but not in scope yet
  int nlabels;  // where its labels begin in Names.labels
} FuncScope;

typedef struct Pending { // a goto whose label was not seen yet, or a break outside loops
  Stat *stat;            // NULL for a break
  String *name;
  int line;
  int nactive;
} Pending;

typedef struct Visible { // a label of an enclosing block
  Label *label;
  int nactive; // active variables at the label, constants included
} Visible;

typedef struct Names {
  Lexer *lx;
  FuncScope *fs;  // innermost function
  VarInfo **vars; // variables of all functions under way
  Visible *labels;
  Pending *pending;
  int nvars, cap_vars, nlabels, cap_labels, npending, cap_pending;
  String *env;    // "_ENV"
  VarInfo hidden; // stands for each of the registers that a for loop keeps for itself
} Names;

void names_init(Names *ns, Lexer *lx);

// Functions and blocks. The FuncScope and Scope are the caller's (on its C stack).
void func_open(Names *ns, FuncScope *fs, Func *f, Scope *body);
void func_close(Names *ns);
void scope_open(Names *ns, Scope *sc, Block *b);
void scope_close(Names *ns);
void scope_header_done(Names *ns); // loop variables or parameters are active: the block proper begins

// Variables: declared first, in scope only once var_activate counts them in (in order).
VarInfo *var_declare(Names *ns, String *name);
void var_declare_hidden(Names *ns, int n);
void var_activate(Names *ns, int n);
// Fills e with what `name` means here: E_LOCAL, E_UPVAL or E_GLOBAL.
void name_resolve(Names *ns, String *name, Expr *e);
// e is an assignment target: error if it is a constant; notes the assignment otherwise.
void name_assign(Names *ns, const Expr *e);

void goto_add(Names *ns, Stat *s, String *name, int line);
void break_add(Names *ns, int line);
void label_check_repeated(Names *ns, const String *name);
// `last`: only void statements follow in the block, so its locals count as out of scope.
Label *label_add(Names *ns, String *name, int line, bool last);

#endif
