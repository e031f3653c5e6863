// SPDX-License-Identifier: MIT
//
// dbg_names.c: names of variables and functions, found in the bytecode, and the error messages that use them.
//
// What:       nothing is recorded at run time about where a value came from. When an error needs a name for register
//             r at pc, the code is read from the start of the function up to pc to find the instruction that put the
//             value there; if that is a load from a variable, field, constant or upvalue, its operand is the name. Code
//             that some forward jump passes over is not certain to have run, so a register set there has no name.
//             Of a captured local the register holds a cell, and GETCELL fetches its value into a temporary: the
//             name is that of the cell's register.
// Invariants: messages are Lua 5.4.4's, letter for letter. Every error function leaves through dbg_errormsg.
// Callers:    interpreter and library functions of the VM, with ci->u.l.pc saved.
// See also:   opcodes.h, dbg.c.
#include "dbg_int.h"
#include "call.h"
#include "dbg.h"
#include "func.h"
#include "meta.h"
#include "str.h"

// ---- which instruction set a register --------------------------------------------------------------

static bool is_between(int x, int first, int last) { return x >= first && x <= last; }

// Conditional jumps that only test: JT, JF, and the comparisons.
static bool is_testjump(int op) { return op == OP_JT || op == OP_JF || is_between(op, OP_JEQ, OP_JNGEI); }

// Whether instruction i may write register r.
static bool writes_reg(Instr i, int r) {
  int op = INSTR_OP(i), a = INSTR_A(i);
  if (is_testjump(op)) return false;
  switch (op) {
  case OP_SETUPVAL:
  case OP_NEWCELL:
  case OP_SETCELL:
  case OP_SETTABUP:
  case OP_SETTABLE:
  case OP_SETI:
  case OP_SETFIELD:
  case OP_CLOSE:
  case OP_TBC:
  case OP_JMP:
  case OP_LOOP:
  case OP_RETURN:
  case OP_RETURN0:
  case OP_RETURN1:
  case OP_TFORPREP:
  case OP_SETLIST:
  case OP_VARARGPREP:
  case OP_GO:
  case OP_DEFER:
  case OP_SEND:
  case OP_SELCASE: return false;
  case OP_LOADNIL: return is_between(r, a, a + INSTR_B(i));
  case OP_SELF:
  case OP_SELFCALL:
  case OP_SELFCALLI:
  case OP_RECV2:
  case OP_SELECT: return is_between(r, a, a + 1);
  case OP_FORPREP:
  case OP_FORLOOP: return is_between(r, a, a + 3);
  case OP_TFORCALL: return r >= a + 4;
  case OP_TFORLOOP: return r == a + 2;
  case OP_CALL:
  case OP_TAILCALL: return r >= a;
  case OP_CONCAT: return r == a || r >= INSTR_B(i);
  case OP_VARARG: return INSTR_C(i) == 0 ? r >= a : is_between(r, a, a + INSTR_C(i) - 2);
  default: return r == a;
  }
}

int dbg_jumptarget(const Proto *p, int pc) {
  Instr i = p->code[pc];
  int op = INSTR_OP(i);
  bool jumps = is_testjump(op) || op == OP_JMP || op == OP_JTSET || op == OP_JFSET || op == OP_SELCASE;
  return jumps ? pc + 1 + INSTR_J(i) : 0;
}

// The instruction that gave register r the value it has at `lastpc`, or -1 when that depends on the way taken.
static int find_setter(const Proto *p, int lastpc, int r) {
  int setter = -1, certain_from = 0; // code before certain_from is jumped over by something
  for (int pc = 0; pc < lastpc; pc++) {
    int target = dbg_jumptarget(p, pc);
    if (target <= lastpc && target > certain_from) certain_from = target;
    if (writes_reg(p->code[pc], r)) setter = pc < certain_from ? -1 : pc;
  }
  return setter;
}

// ---- names -----------------------------------------------------------------------------------------

static const char *reg_name(const Proto *p, int pc, int r, const char **name);

static const char *upval_name(const Proto *p, int n) {
  const String *s = p->upvals[n].name;
  return s != NULL ? s->data : "?";
}

static const char *const_name(const Proto *p, int k) { return v_isstring(&p->k[k]) ? v_str(&p->k[k])->data : "?"; }

// The name of a key in register r: only a constant counts.
static const char *key_name(const Proto *p, int pc, int r) {
  const char *name;
  const char *kind = reg_name(p, pc, r, &name);
  return kind != NULL && *kind == 'c' ? name : "?";
}

static const char *field_kind(const char *table) {
  return table != NULL && strcmp(table, "_ENV") == 0 ? "global" : "field";
}

static const char *field_kind_of(const Proto *p, int pc, int r) {
  const char *table = NULL;
  reg_name(p, pc, r, &table);
  return field_kind(table);
}

// Kind and name of what instruction pc loaded.
static const char *loaded_name(const Proto *p, int pc, const char **name) {
  Instr i = p->code[pc];
  int b = INSTR_B(i);
  switch (INSTR_OP(i)) {
  case OP_MOVE: return b < INSTR_A(i) ? reg_name(p, pc, b, name) : NULL;
  case OP_GETCELL: return (*name = proto_locname(p, b, pc)) != NULL ? "local" : NULL;
  case OP_UPSELFCALL:
  case OP_GETUPVAL: *name = upval_name(p, b); return "upvalue";
  case OP_GETTABUP: *name = const_name(p, INSTR_C(i)); return field_kind(upval_name(p, b));
  case OP_GETFIELD: *name = const_name(p, INSTR_C(i)); return field_kind_of(p, pc, b);
  case OP_GETTABLE: *name = key_name(p, pc, INSTR_C(i)); return field_kind_of(p, pc, b);
  case OP_GETI: *name = "integer index"; return "field";
  case OP_SELF:
  case OP_SELFCALL:
  case OP_SELFCALLI: *name = const_name(p, INSTR_C(i)); return "method";
  case OP_LOADK:
    if (!v_isstring(&p->k[INSTR_J(i)])) return NULL;
    *name = const_name(p, INSTR_J(i));
    return "constant";
  default: return NULL;
  }
}

static const char *reg_name(const Proto *p, int pc, int r, const char **name) {
  *name = proto_locname(p, r, pc);
  if (*name != NULL) return "local";
  int setter = find_setter(p, pc, r);
  return setter < 0 ? NULL : loaded_name(p, setter, name);
}

// The event through which an instruction may call a metamethod, or -1.
static int instr_event(Instr i) {
  int op = INSTR_OP(i);
  switch (op) {
  case OP_SELF:
  case OP_SELFCALL:
  case OP_SELFCALLI:
  case OP_GETTABUP:
  case OP_GETTABLE:
  case OP_GETI:
  case OP_GETFIELD: return TM_INDEX;
  case OP_SETTABUP:
  case OP_SETTABLE:
  case OP_SETI:
  case OP_SETFIELD: return TM_NEWINDEX;
  case OP_UNM: return TM_UNM;
  case OP_BNOT: return TM_BNOT;
  case OP_LEN: return TM_LEN;
  case OP_CONCAT: return TM_CONCAT;
  case OP_ADDI: return INSTR_X(i) == 1 ? TM_SUB : TM_ADD;
  case OP_JEQ:
  case OP_JNE: return TM_EQ;
  case OP_JLT:
  case OP_JNLT:
  case OP_JLTI:
  case OP_JNLTI:
  case OP_JGTI:
  case OP_JNGTI: return TM_LT;
  case OP_JLE:
  case OP_JNLE:
  case OP_JLEI:
  case OP_JNLEI:
  case OP_JGEI:
  case OP_JNGEI: return TM_LE;
  case OP_CLOSE:
  case OP_RETURN: return TM_CLOSE;
  default: break;
  }
  static const uint8_t arith[] = {TM_ADD,  TM_SUB,  TM_MUL, TM_MOD,  TM_POW, TM_DIV,
                                  TM_IDIV, TM_BAND, TM_BOR, TM_BXOR, TM_SHL, TM_SHR};
  if (is_between(op, OP_ADD, OP_SHR)) return arith[op - OP_ADD];
  if (is_between(op, OP_ADDK, OP_SHRK)) return arith[op - OP_ADDK];
  return -1;
}

const char *dbg_calledname(lua_State *L, const Proto *p, int pc, const char **name) {
  Instr i = p->code[pc];
  switch (INSTR_OP(i)) {
  case OP_CALL:
  case OP_TAILCALL:
  case OP_GO:
  case OP_DEFER: return reg_name(p, pc, INSTR_A(i), name);
  case OP_TFORCALL: return *name = "for iterator";
  default: break;
  }
  int e = instr_event(i);
  if (e < 0) return NULL;
  *name = L->gl->tmname[e]->data + 2;
  return "metamethod";
}

const char *dbg_callname(lua_State *L, CallInfo *ci, const char **name) {
  if (ci->status & CI_HOOK) {
    *name = "?";
    return "hook";
  }
  if (ci->status & CI_FIN) {
    *name = "__gc";
    return "metamethod";
  }
  if (!ci_isLua(ci)) return NULL;
  const Proto *p = ci_proto(ci);
  int pc = ci_pcrel(ci, p);
  return pc >= 0 ? dbg_calledname(L, p, pc, name) : NULL;
}

// ---- describing a value ----------------------------------------------------------------------------

static int reg_of(const CallInfo *ci, const Value *o) {
  uintptr_t base = (uintptr_t)(ci->func + 1), x = (uintptr_t)o;
  return x >= base && x < (uintptr_t)ci->top ? (int)((x - base) / sizeof(Value)) : -1;
}

// The upvalue indexed by the current instruction, if o is a copy of its value.
static const char *indexed_upvalue(const CallInfo *ci, int pc, const Value *o, const char **name) {
  const LClosure *cl = v_lcl(ci->func);
  Instr i = cl->p->code[pc];
  int n;
  switch (INSTR_OP(i)) {
  case OP_GETTABUP: n = INSTR_B(i); break;
  case OP_SETTABUP: n = INSTR_A(i); break;
  default: return NULL;
  }
  Value v;
  bits_decode(&v, slot_load(&atomic_load_explicit(&((LClosure *)cl)->upv[n], memory_order_acquire)->v));
  if (v.tag != o->tag || (v.tag != TAG_NIL && v.u != o->u)) return NULL;
  *name = upval_name(cl->p, n);
  return "upvalue";
}

static const char *describe(lua_State *L, const char *kind, const char *name) {
  return kind == NULL ? "" : str_fmt(L, " (%s '%s')", kind, name)->data;
}

// " (kind 'name')" of value o in the running Lua function, or "".
static const char *var_info(lua_State *L, const Value *o) {
  CallInfo *ci = L->ci;
  const char *name = NULL;
  if (!ci_isLua(ci)) return "";
  const Proto *p = ci_proto(ci);
  int pc = ci_pcrel(ci, p);
  if (pc < 0) return "";
  int r = reg_of(ci, o);
  const char *kind = r >= 0 ? reg_name(p, pc, r, &name) : indexed_upvalue(ci, pc, o, &name);
  return describe(L, kind, name);
}

// ---- errors ----------------------------------------------------------------------------------------

static _Noreturn void type_error(lua_State *L, const Value *o, const char *op, const char *info) {
  dbg_runerror(L, "attempt to %s a %s value%s", op, meta_typename(L, o), info);
}

COLD void dbg_typeerror(lua_State *L, const Value *o, const char *op) { type_error(L, o, op, var_info(L, o)); }

COLD void dbg_indexerror(lua_State *L, const Value *o, const Value *key) {
  (void)key; // Lua 5.4.4 does not name it
  dbg_typeerror(L, o, "index");
}

// The calling instruction tells best what was called (an iterator, a metamethod); else it is a value like any other.
COLD void dbg_callerror(lua_State *L, const Value *o) {
  const char *name = NULL;
  const char *kind = dbg_callname(L, L->ci, &name);
  type_error(L, o, "call", kind != NULL ? describe(L, kind, name) : var_info(L, o));
}

COLD void dbg_forerror(lua_State *L, const Value *o, const char *what) {
  dbg_runerror(L, "bad 'for' %s (number expected, got %s)", what, meta_typename(L, o));
}

COLD void dbg_opinterror(lua_State *L, const Value *a, const Value *b, const char *msg) {
  dbg_typeerror(L, v_isnumber(a) ? b : a, msg);
}

COLD void dbg_tointerror(lua_State *L, const Value *a, const Value *b) {
  int64_t i;
  const Value *bad = value_tointeger_nostr(a, &i) ? b : a;
  dbg_runerror(L, "number%s has no integer representation", var_info(L, bad));
}

COLD void dbg_concaterror(lua_State *L, const Value *a, const Value *b) {
  dbg_typeerror(L, v_isstring(a) || v_isnumber(a) ? b : a, "concatenate");
}

COLD void dbg_ordererror(lua_State *L, const Value *a, const Value *b) {
  const char *t1 = meta_typename(L, a), *t2 = meta_typename(L, b);
  if (strcmp(t1, t2) == 0) dbg_runerror(L, "attempt to compare two %s values", t1);
  dbg_runerror(L, "attempt to compare %s with %s", t1, t2);
}

String *dbg_addinfo(lua_State *L, const char *msg, String *src, int line) {
  char buf[LUA_IDSIZE] = "?";
  if (src != NULL) dbg_chunkid(buf, src->data, src->len);
  String *s = str_fmt(L, "%s:%d: %s", buf, line, msg);
  v_setobj(L->top++, TAG_STRING, s);
  return s;
}

// The registers of a Lua frame stay visible to the message handler: the message goes above them.
COLD void dbg_runerror(lua_State *L, const char *fmt, ...) {
  CallInfo *ci = L->ci;
  va_list ap;
  va_start(ap, fmt);
  String *msg = str_vfmt(L, fmt, ap);
  va_end(ap);
  if (ci_isLua(ci)) {
    if (L->top < ci->top) L->top = ci->top;
    dbg_addinfo(L, msg->data, ci_proto(ci)->source, dbg_currentline(ci));
  } else {
    v_setobj(L->top++, TAG_STRING, msg);
  }
  dbg_errormsg(L);
}

// The handler gets the error value and its result replaces it. Two values of EXTRA_STACK are used at most.
COLD void dbg_errormsg(lua_State *L) {
  if (L->errfunc != 0) {
    const Value *handler = stack_restore(L, L->errfunc);
    v_copy(L->top, L->top - 1);
    v_copy(L->top - 1, handler);
    L->top++;
    vm_call(L, L->top - 2, 1);
  }
  call_throw(L, LUA_ERRRUN);
}
