// SPDX-License-Identifier: MIT
//
// opcodes.c: names of the instructions, a readable listing, and a checker of code.
//
// What:       opcodes_print is for people (LUNGODEBUG=dis=1) and tests. opcodes_check knows what each operand must be;
//             the code generator's output passes it (asserted in debug builds), and no binary chunk is accepted without
//             it. Names and formats come from LG_OPCODES; only what an operand means beyond its format is said here.
// See also:   opcodes.h, dump.c. Tests: tests/vm/opcodes_*.lua.
#include "compile.h"
#include "str.h"
#include <inttypes.h>
#include <stdio.h>

const char *const opcode_names[OP_COUNT] = {
#define X(name, format) #name,
    LG_OPCODES(X)
#undef X
};

// ---- listing --------------------------------------------------------------------------------------

enum Format { F_NONE, F_A, F_AB, F_AC, F_ABX, F_ABC, F_ABCX, F_ABJ, F_AJ, F_J };

static const uint8_t formats[OP_COUNT] = {
#define X(name, format) F_##format,
    LG_OPCODES(X)
#undef X
};

static void print_const(FILE *out, const Value *k) {
  char buf[VALUE_NUMBUF];
  switch (k->tag) {
  case TAG_NIL: fputs("nil", out); break;
  case TAG_TRUE: fputs("true", out); break;
  case TAG_FALSE: fputs("false", out); break;
  case TAG_STRING: fprintf(out, "\"%.40s\"%s", v_str(k)->data, v_str(k)->len > 40 ? "..." : ""); break;
  default:
    value_num2str(k, buf, sizeof(buf));
    fputs(buf, out);
    break;
  }
}

// The constant that instruction i names, -1 if none.
static int const_operand(Instr i) {
  int op = INSTR_OP(i);
  if (op == OP_LOADK) return INSTR_J(i);
  if (op == OP_GETTABUP || op == OP_GETFIELD || (op >= OP_SELF && op <= OP_SELFCALLI) ||
      (op >= OP_ADDK && op <= OP_SHRK))
    return INSTR_C(i);
  if (op == OP_SETTABUP || op == OP_SETFIELD || op == OP_JEQK || op == OP_JNEK) return INSTR_B(i);
  return -1;
}

static bool has_rk(int op) {
  return op == OP_SETTABUP || op == OP_SETTABLE || op == OP_SETI || op == OP_SETFIELD || op == OP_SEND;
}

static bool is_jump(int op) {
  return (op >= OP_JMP && op <= OP_JNGEI) || op == OP_FORPREP || op == OP_FORLOOP || op == OP_TFORPREP ||
         op == OP_TFORLOOP || op == OP_SELCASE;
}

static void print_operands(FILE *out, Instr i) {
  unsigned a = INSTR_A(i), b = INSTR_B(i), c = INSTR_C(i), x = INSTR_X(i);
  int j = INSTR_J(i);
  switch (formats[INSTR_OP(i)]) {
  case F_A: fprintf(out, "%u", a); break;
  case F_AB: fprintf(out, "%u %u", a, b); break;
  case F_AC: fprintf(out, "%u %u", a, c); break;
  case F_ABX: fprintf(out, "%u %u %u", a, b, x); break;
  case F_ABC: fprintf(out, x != 0 ? "%u %u %u x%u" : "%u %u %u", a, b, c, x); break;
  case F_ABCX: fprintf(out, "%u %u %u", a, b, c); break; // X is a hint
  case F_ABJ: fprintf(out, "%u %u %d", a, b, j); break;
  case F_AJ: fprintf(out, "%u %d", a, j); break;
  case F_J: fprintf(out, "%d", j); break;
  default: break;
  }
}

static void print_instr(FILE *out, const Proto *p, int pc) {
  Instr i = p->code[pc];
  int op = INSTR_OP(i), k = const_operand(i);
  fprintf(out, "\t%d\t[%d]\t%-10s\t", pc, p->lines != NULL ? (int)p->lines[pc] : -1, opcode_names[op]);
  print_operands(out, i);
  if (k >= 0) {
    fputs("\t; ", out);
    print_const(out, &p->k[k]);
  }
  if (has_rk(op) && INSTR_C(i) >= RK_CONST) {
    fputs("\t; ", out);
    print_const(out, &p->k[INSTR_C(i) - RK_CONST]);
  }
  if (is_jump(op)) fprintf(out, "\t; to %d", pc + 1 + INSTR_J(i));
  fputc('\n', out);
}

// Without the sign that says what it is the name of.
static const char *source_name(const char *s) { return *s == '=' || *s == '@' ? s + 1 : s; }

void opcodes_print(void *file, const Proto *p, bool recursive) {
  FILE *out = file;
  fprintf(out, "function <%s:%d,%d> %d instructions, %d%s params, %d registers, %d upvalues, %d constants\n",
          p->source != NULL ? source_name(p->source->data) : "?", p->line, p->endline, p->ncode, p->nparams,
          p->is_vararg ? "+" : "", p->maxstack, p->nupvals, p->nk);
  for (int pc = 0; pc < p->ncode; pc++) print_instr(out, p, pc);
  for (int n = 0; n < p->nlocvars; n++) {
    const LocVar *v = &p->locvars[n];
    fprintf(out, "\tlocal %s\tr%d\t%d..%d\n", v->name != NULL ? v->name->data : "?", v->reg, v->startpc, v->endpc);
  }
  for (int n = 0; n < p->nupvals; n++) {
    const UpvalDesc *u = &p->upvals[n];
    fprintf(out, "\tupvalue %s\t%s %d\n", u->name != NULL ? u->name->data : "?", u->instack ? "register" : "upvalue",
            u->index);
  }
  for (int n = 0; recursive && n < p->np; n++) opcodes_print(out, p->p[n], true);
}

// ---- checking -------------------------------------------------------------------------------------

#define NEED(cond, msg)                                                                                                \
  do {                                                                                                                 \
    if (!(cond)) return msg;                                                                                           \
  } while (0)

static bool reg_ok(const Proto *p, int64_t r) { return r < p->maxstack; }
static bool number_ok(const Proto *p, int k) { return k < p->nk && v_isnumber(&p->k[k]); }
static bool name_ok(const Proto *p, int k) {
  return k < p->nk && v_isstring(&p->k[k]) && str_isinterned(v_str(&p->k[k]));
}
static bool rk_ok(const Proto *p, int c) { return c < RK_CONST ? reg_ok(p, c) : c - RK_CONST < p->nk; }

static bool is_open_producer(Instr i) {
  int op = INSTR_OP(i);
  return op == OP_TAILCALL || ((op == OP_CALL || op == OP_VARARG) && INSTR_C(i) == 0);
}

static bool is_open_consumer(Instr i) {
  int op = INSTR_OP(i);
  return (op == OP_CALL || op == OP_TAILCALL || op == OP_RETURN || op == OP_SETLIST || op == OP_GO || op == OP_DEFER) &&
         INSTR_B(i) == 0;
}

static const char *check_jump(const Proto *p, int pc) {
  int op = INSTR_OP(p->code[pc]), j = INSTR_J(p->code[pc]);
  bool backward = op == OP_LOOP || op == OP_FORLOOP || op == OP_TFORLOOP;
  int64_t target = (int64_t)pc + 1 + j;
  NEED(target >= 0 && target < p->ncode, "jump out of bounds");
  NEED(backward ? j < 0 : j >= 0, "jump in the wrong direction");
  if (op == OP_FORPREP) {
    Instr loop = p->code[target - 1];
    NEED(INSTR_OP(loop) == OP_FORLOOP && INSTR_A(loop) == INSTR_A(p->code[pc]), "FORPREP without FORLOOP");
  } else if (op == OP_TFORPREP) {
    Instr call = p->code[target];
    NEED(INSTR_OP(call) == OP_TFORCALL && INSTR_A(call) == INSTR_A(p->code[pc]), "TFORPREP without TFORCALL");
  }
  return NULL;
}

static const char *check_select(const Proto *p, int pc) {
  Instr i = p->code[pc];
  int ncases = INSTR_B(i) + (INSTR_C(i) != 0);
  NEED(INSTR_C(i) <= 1 && pc + ncases < p->ncode, "SELECT without cases");
  for (int n = 1; n <= ncases; n++) NEED(INSTR_OP(p->code[pc + n]) == OP_SELCASE, "SELECT without cases");
  return NULL;
}

// A method call that may be one instruction is followed by the instructions it stands for.
static const char *check_selfcall(const Proto *p, int pc) {
  Instr i = p->code[pc];
  bool loads = INSTR_OP(i) == OP_SELFCALLI;
  NEED(pc + 1 + loads < p->ncode, "SELFCALL without its call");
  Instr load = p->code[pc + 1], call = p->code[pc + 1 + loads];
  NEED(!loads || (INSTR_OP(load) == OP_LOADI && INSTR_A(load) == INSTR_A(i) + 2), "SELFCALL without its argument");
  NEED(INSTR_OP(call) == OP_CALL && INSTR_A(call) == INSTR_A(i) && INSTR_B(call) == 2 + loads,
       "SELFCALL without its call");
  return NULL;
}

static const char *check_upselfcall(const Proto *p, int pc) {
  int a = INSTR_A(p->code[pc]);
  NEED(pc + 1 < p->ncode, "UPSELFCALL without SELFCALL");
  Instr self = p->code[pc + 1];
  NEED(INSTR_OP(self) == OP_SELFCALL && INSTR_A(self) == a && INSTR_B(self) == a, "UPSELFCALL without SELFCALL");
  return NULL;
}

static const char *check_closure(const Proto *p, int index) {
  NEED(index >= 0 && index < p->np, "inner function out of bounds");
  const Proto *inner = p->p[index];
  for (int n = 0; n < inner->nupvals; n++) {
    const UpvalDesc *u = &inner->upvals[n];
    NEED(u->instack ? reg_ok(p, u->index) : u->index < p->nupvals, "captured variable out of bounds");
  }
  return NULL;
}

// The last register that instruction i uses from A on: for those that use a range.
static int64_t last_of_range(Instr i) {
  int64_t a = INSTR_A(i), b = INSTR_B(i), c = INSTR_C(i);
  switch (INSTR_OP(i)) {
  case OP_LOADNIL: return a + b;
  case OP_SELF:
  case OP_SELFCALL:
  case OP_SELFCALLI: // the instructions after it check the rest
  case OP_RECV2: return a + 1;
  case OP_CALL: return b - 1 > c - 2 ? a + (b > 0 ? b - 1 : 0) : a + c - 2;
  case OP_TAILCALL:
  case OP_GO:
  case OP_DEFER: return b > 0 ? a + b - 1 : a;
  case OP_RETURN: return b > 1 ? a + b - 2 : 0; // nothing returned: A means nothing
  case OP_FORPREP:
  case OP_FORLOOP:
  case OP_TFORPREP: return a + 3;
  case OP_TFORLOOP: return b > 1 ? a + 3 + b : a + 4;
  case OP_TFORCALL: return c > 3 ? a + 3 + c : a + 6;
  case OP_SETLIST: return a + b;
  case OP_VARARG: return c > 1 ? a + c - 2 : a;
  case OP_SELECT: return b > 0 ? a + 2 * b - 1 : a + 1;
  case OP_SETTABUP:
  case OP_SELCASE:
  case OP_VARARGPREP: return 0; // A is no register
  case OP_RETURN0:
  case OP_JMP: return 0;
  case OP_LOOP: return a > 0 ? a - 1 : 0; // the last that means something
  default: return a;
  }
}

static bool b_is_register(int op) {
  switch (op) {
  case OP_MOVE:
  case OP_GETCELL:
  case OP_SETCELL:
  case OP_GETTABLE:
  case OP_GETI:
  case OP_GETFIELD:
  case OP_SETTABLE:
  case OP_SELF:
  case OP_SELFCALL:
  case OP_SELFCALLI:
  case OP_UNM:
  case OP_BNOT:
  case OP_NOT:
  case OP_LEN:
  case OP_JTSET:
  case OP_JFSET:
  case OP_JEQ:
  case OP_JNE:
  case OP_JLT:
  case OP_JNLT:
  case OP_JLE:
  case OP_JNLE:
  case OP_RECV:
  case OP_RECV2: return true;
  default: return op >= OP_ADD && op <= OP_ADDI;
  }
}

static const char *check_operands(const Proto *p, Instr i) {
  int op = INSTR_OP(i), a = INSTR_A(i), b = INSTR_B(i), c = INSTR_C(i);
  NEED(reg_ok(p, last_of_range(i)), "register out of bounds");
  NEED(!b_is_register(op) || reg_ok(p, b), "register out of bounds");
  NEED(!has_rk(op) || rk_ok(p, c), "constant or register out of bounds");
  NEED(op < OP_ADDK || op > OP_SHRK || number_ok(p, c), "operand is no numeric constant");
  if ((op >= OP_ADD && op <= OP_SHR) || op == OP_GETTABLE) NEED(reg_ok(p, c), "register out of bounds");
  switch (op) {
  case OP_LOADK: NEED(INSTR_J(i) >= 0 && INSTR_J(i) < p->nk, "constant out of bounds"); break;
  case OP_JEQK:
  case OP_JNEK: NEED(b < p->nk, "constant out of bounds"); break;
  case OP_GETUPVAL:
  case OP_UPSELFCALL:
  case OP_SETUPVAL: NEED(b < p->nupvals, "upvalue out of bounds"); break;
  case OP_GETTABUP: NEED(b < p->nupvals && name_ok(p, c), "upvalue or name out of bounds"); break;
  case OP_SETTABUP: NEED(a < p->nupvals && name_ok(p, b), "upvalue or name out of bounds"); break;
  case OP_GETFIELD:
  case OP_SELF:
  case OP_SELFCALL:
  case OP_SELFCALLI: NEED(name_ok(p, c), "field name is no interned string"); break;
  case OP_SETFIELD: NEED(name_ok(p, b), "field name is no interned string"); break;
  case OP_NEWTABLE: NEED(b <= 32 && INSTR_J(i) >= 0, "bad table size"); break;
  case OP_SETLIST: NEED(INSTR_J(i) >= 0, "bad list offset"); break;
  case OP_CONCAT: NEED(c >= 1 && reg_ok(p, (int64_t)b + c - 1), "register out of bounds"); break;
  case OP_CLOSURE: return check_closure(p, INSTR_J(i));
  default: break;
  }
  return NULL;
}

static const char *check_instr(const Proto *p, int pc) {
  Instr i = p->code[pc];
  int op = INSTR_OP(i);
  NEED(op < OP_COUNT, "unknown instruction");
  const char *msg = check_operands(p, i);
  if (msg == NULL && is_jump(op)) msg = check_jump(p, pc);
  if (msg == NULL && op == OP_SELECT) msg = check_select(p, pc);
  if (msg == NULL && op == OP_UPSELFCALL) msg = check_upselfcall(p, pc);
  if (msg == NULL && (op == OP_SELFCALL || op == OP_SELFCALLI)) msg = check_selfcall(p, pc);
  if (msg != NULL) return msg;
  NEED((op == OP_VARARGPREP) == (pc == 0 && p->is_vararg), "misplaced VARARGPREP");
  NEED(op != OP_VARARG || p->is_vararg, "misplaced VARARG");
  NEED(op != OP_TFORCALL || INSTR_OP(p->code[pc + 1]) == OP_TFORLOOP, "TFORCALL without TFORLOOP");
  NEED(is_open_consumer(i) == (pc > 0 && is_open_producer(p->code[pc - 1])), "open list without its producer");
  return NULL;
}

const char *opcodes_check(const Proto *p) {
  NEED(p->maxstack <= MAX_REGS && p->nparams <= p->maxstack, "bad frame size");
  NEED(p->ncode > 0, "no code");
  int last = INSTR_OP(p->code[p->ncode - 1]);
  NEED(last == OP_RETURN || last == OP_RETURN0 || last == OP_RETURN1, "function without end");
  for (int pc = 0; pc < p->ncode; pc++) {
    const char *msg = check_instr(p, pc);
    if (msg != NULL) return msg;
  }
  for (int n = 0; n < p->nlocvars; n++) NEED(reg_ok(p, p->locvars[n].reg), "variable out of bounds");
  return NULL;
}
