// SPDX-License-Identifier: MIT
//
// dbg.c: debug information: lines, frames, locals, hooks.
//
// What:       lua_getstack, lua_getinfo, lua_getlocal, lua_sethook and their kin, and the calls of hooks.
// Invariants: frames of a state that another goroutine runs at this moment are not looked at: they change. lua_getstack
//             says that there is no such level.
//             The registers of captured locals hold cells, and some temporaries hold other objects that Lua code must
//             not see (TAG_INTERNAL): lua_getlocal gives the cell's value, or nil, and lua_setlocal respects them.
//             The instructions that set a call up before its first line (VARARGPREP, NEWCELL of parameters) have no
//             line as far as programs can see.
// Locking:    none. Hook settings may be changed by another worker or a signal handler: each field is one atomic word,
//             and the function is looked at again after the mask.
// See also:   dbg_names.c, dbg.h.
#include "dbg.h"
#include "api_int.h"
#include "call.h"
#include "cmodule.h"
#include "dbg_int.h"
#include "func.h"
#include "gc.h"
#include "interp.h"
#include "seam.h"
#include "share.h"
#include "str.h"
#include "table.h"

// ---- lines and sources -----------------------------------------------------------------------------

int dbg_line(const Proto *p, int pc) {
  if (p->lines == NULL) return -1;
  return p->lines[pc < 0 ? 0 : pc];
}

int dbg_currentline(CallInfo *ci) {
  const Proto *p = ci_proto(ci);
  return dbg_line(p, ci_pcrel(ci, p));
}

// Number of instructions before the first that belongs to the source.
static int prologue_len(const Proto *p) {
  int pc = p->is_vararg && INSTR_OP(p->code[0]) == OP_VARARGPREP;
  while (pc < p->ncode && INSTR_OP(p->code[pc]) == OP_NEWCELL && INSTR_A(p->code[pc]) < p->nparams) pc++;
  return pc;
}

static char *put(char *out, const char *s, size_t n) {
  memcpy(out, s, n);
  return out + n;
}

// [string "first line of it..."], in LUA_IDSIZE bytes.
static void chunkid_text(char *out, const char *source, size_t len) {
  size_t room = LUA_IDSIZE - sizeof "[string \"...\"]";
  const char *nl = memchr(source, '\n', len);
  out = put(out, "[string \"", 9);
  if (nl == NULL && len < room) {
    out = put(out, source, len);
  } else {
    if (nl != NULL) len = (size_t)(nl - source);
    out = put(out, source, len < room ? len : room);
    out = put(out, "...", 3);
  }
  put(out, "\"]", 3);
}

const char *dbg_chunkid(char *out, const char *source, size_t srclen) {
  size_t room = LUA_IDSIZE - 1;
  if (*source != '=' && *source != '@') {
    chunkid_text(out, source, srclen);
    return out;
  }
  const char *name = source + 1;
  size_t len = srclen - 1;
  if (len <= room) {
    *put(out, name, len) = '\0';
  } else if (*source == '=') { // a given name keeps its start, a file name its end
    *put(out, name, room) = '\0';
  } else {
    *put(put(out, "...", 3), name + len - (room - 3), room - 3) = '\0';
  }
  return out;
}

// ---- frames ----------------------------------------------------------------------------------------

bool dbg_getstack(lua_State *L, int level, lua_Debug *ar) {
  CallInfo *ci = L->ci;
  if (level < 0) return false;
  for (; level > 0 && ci != &L->base_ci; ci = ci->prev) level--;
  if (ci == &L->base_ci || ci == NULL) return false;
  ar->i_ci = ci;
  return true;
}

// Whether another goroutine than the caller's runs L at this moment. (One that is held is so by the caller.)
static bool runs_elsewhere(lua_State *L) {
  if (atomic_load_explicit(&L->running, memory_order_acquire) != CORO_RUNS) return false;
  const Ctx *ctx = rt_current(L->gl);
  return ctx != NULL && ctx->L != NULL && ctx->L != L && !coro_waitsfor(L, ctx->L);
}

// One that does not run now may be resumed before the caller looks at the level: debug_call (stdlib/openlibs.c) holds
// it meanwhile.
LUA_API int lua_getstack(lua_State *L, int level, lua_Debug *ar) {
  return !runs_elsewhere(L) && dbg_getstack(L, level, ar);
}

// Extra argument -n (1 is the first) of a vararg function; they lie right below its function.
static const char *find_vararg(CallInfo *ci, int n, Value **pos) {
  if (!ci_proto(ci)->is_vararg || n < -ci->u.l.nextra) return NULL;
  *pos = ci->func - ci->u.l.nextra - (n + 1);
  return "(vararg)";
}

static const char *find_local(lua_State *L, CallInfo *ci, int n, Value **pos) {
  Value *base = ci->func + 1;
  const char *name = NULL;
  if (ci_isLua(ci)) {
    if (n < 0) return find_vararg(ci, n, pos);
    int pc = ci_pcrel(ci, ci_proto(ci));
    name = proto_locname(ci_proto(ci), n - 1, pc < 0 ? 0 : pc);
  }
  if (name == NULL) {
    const Value *limit = ci == L->ci ? L->top : ci->next->func;
    if (n <= 0 || limit - base < n) return NULL;
    name = ci_isLua(ci) ? "(temporary)" : "(C temporary)";
  }
  *pos = base + (n - 1);
  return name;
}

static Cell *cell_in(const Value *reg) {
  return reg->tag == TAG_INTERNAL && reg->o->type == OBJ_CELL ? (Cell *)reg->o : NULL;
}

// While the loop itself walks a table (op_iterstep), the iterator's register holds a position and the control
// variable's a block; a program sees `next` and the last key there, which is in the first variable unless that was
// assigned.
static Value *walk_of(Value *pos) {
  if (pos->tag == TAG_EMPTY) return pos;
  return pos->tag == TAG_INTERNAL && cell_in(pos) == NULL && pos[-2].tag == TAG_EMPTY ? pos - 2 : NULL;
}

static void get_register(Value *pos, Value *out) {
  Value *walk = walk_of(pos);
  if (likely(pos->tag != TAG_INTERNAL && walk == NULL)) {
    v_copy(out, pos);
  } else if (walk == pos) {
    out->f = vm_next;
    out->tag = TAG_LCF;
  } else if (walk != NULL || cell_in(pos) != NULL) {
    const Cell *cell = cell_in(walk != NULL ? &walk[4] : pos);
    if (cell != NULL)
      cell_get((Cell *)cell, out);
    else
      v_copy(out, &walk[4]);
  } else {
    v_setnil(out);
  }
}

void dbg_endwalk(Value *walk) {
  Value last;
  if (walk[2].tag == TAG_INTERNAL) {
    get_register(&walk[2], &last);
    v_copy(&walk[2], &last);
  }
  get_register(walk, &last);
  v_copy(walk, &last);
}

LUA_API const char *lua_getlocal(lua_State *L, const lua_Debug *ar, int n) {
  if (ar == NULL) { // parameters of the function on top
    const Value *f = L->top - 1;
    return f->tag == TAG_LCL ? proto_locname(v_lcl(f)->p, n - 1, 0) : NULL;
  }
  Value *pos = NULL;
  const char *name = find_local(L, ar->i_ci, n, &pos);
  if (name == NULL) return NULL;
  get_register(pos, L->top);
  api_incrtop(L);
  return name;
}

LUA_API const char *lua_setlocal(lua_State *L, const lua_Debug *ar, int n) {
  Value *pos = NULL;
  const char *name = find_local(L, ar->i_ci, n, &pos);
  if (name == NULL) return NULL;
  Value *walk = pos[-1].tag == TAG_EMPTY ? pos - 1 : walk_of(pos);
  if (unlikely(walk != NULL)) dbg_endwalk(walk);
  if (likely(pos->tag != TAG_INTERNAL)) {
    v_copy(pos, L->top - 1);
  } else if (cell_in(pos) != NULL) {
    api_own(L);
    cell_set(L, cell_in(pos), L->top - 1);
  }
  L->top--;
  return name;
}

// ---- lua_getinfo -----------------------------------------------------------------------------------

static void info_source(lua_Debug *ar, const Proto *p) {
  if (p == NULL) {
    ar->source = "=[C]";
    ar->what = "C";
    ar->linedefined = ar->lastlinedefined = -1;
  } else {
    ar->source = p->source != NULL ? p->source->data : "=?";
    ar->linedefined = p->line;
    ar->lastlinedefined = p->endline;
    ar->what = p->line == 0 ? "main" : "Lua";
  }
  ar->srclen = p != NULL && p->source != NULL ? p->source->len : strlen(ar->source);
  dbg_chunkid(ar->short_src, ar->source, ar->srclen);
}

static void info_upvalues(lua_Debug *ar, const Value *f, const Proto *p) {
  bool closure = f->tag == TAG_LCL || f->tag == TAG_CCL;
  ar->nups = closure ? (unsigned char)atomic_load_explicit(&f->o->aux32, memory_order_relaxed) : 0;
  ar->isvararg = p == NULL || p->is_vararg;
  ar->nparams = p != NULL ? p->nparams : 0;
}

static void info_name(lua_State *L, lua_Debug *ar, CallInfo *ci) {
  ar->name = NULL;
  ar->namewhat = NULL;
  if (ci != NULL && !(ci->status & CI_TAIL) && ci->prev != NULL) ar->namewhat = dbg_callname(L, ci->prev, &ar->name);
  if (ar->namewhat == NULL) {
    ar->namewhat = "";
    ar->name = NULL;
  }
}

static void info_transfer(lua_Debug *ar, const CallInfo *ci) {
  bool has = ci != NULL && (ci->status & CI_TRAN);
  ar->ftransfer = has ? ci->u2.transfer.ftransfer : 0;
  ar->ntransfer = has ? ci->u2.transfer.ntransfer : 0;
}

// One option letter; false if it is none.
static bool info_option(lua_State *L, char what, lua_Debug *ar, const Value *f, CallInfo *ci) {
  const Proto *p = f->tag == TAG_LCL ? v_lcl(f)->p : NULL;
  switch (what) {
  case 'S': info_source(ar, p); return true;
  case 'l': ar->currentline = ci != NULL && ci_isLua(ci) ? dbg_currentline(ci) : -1; return true;
  case 'u': info_upvalues(ar, f, p); return true;
  case 't': ar->istailcall = ci != NULL && (ci->status & CI_TAIL); return true;
  case 'n': info_name(L, ar, ci); return true;
  case 'r': info_transfer(ar, ci); return true;
  case 'L':
  case 'f': return true; // pushed afterwards, in this order: f, L
  default: return false;
  }
}

// Pushes the set of lines that have code, or nil for a C function.
static void push_activelines(lua_State *L, const Value *f) {
  if (f->tag != TAG_LCL) {
    lua_pushnil(L);
    return;
  }
  api_own(L);
  const Proto *p = v_lcl(f)->p;
  Table *t = table_new(L, 0, 0);
  Value yes;
  v_setbool(&yes, true);
  v_setobj(L->top, TAG_TABLE, t);
  api_incrtop(L);
  if (p->lines == NULL) return;
  for (int pc = prologue_len(p); pc < p->ncode; pc++) table_setint(L, t, p->lines[pc], &yes);
}

LUA_API int lua_getinfo(lua_State *L, const char *what, lua_Debug *ar) {
  CallInfo *ci = NULL;
  Value f;
  if (*what == '>') {
    what++;
    v_copy(&f, --L->top);
  } else {
    ci = ar->i_ci;
    v_copy(&f, ci->func);
  }
  lg_assert(v_isfunction(&f));
  int ok = 1;
  for (const char *w = what; *w != '\0'; w++) ok &= info_option(L, *w, ar, &f, ci);
  if (strchr(what, 'f') != NULL) {
    v_copy(L->top, &f);
    api_incrtop(L);
  }
  if (strchr(what, 'L') != NULL) push_activelines(L, &f);
  return ok;
}

// ---- hooks -----------------------------------------------------------------------------------------

static lua_Hook hook_of(const lua_State *L) { return __atomic_load_n(&L->hook, __ATOMIC_RELAXED); }
static int mask_of(const lua_State *L) { return __atomic_load_n(&L->hookmask, __ATOMIC_ACQUIRE); }

static void reset_hookcount(lua_State *L) { L->hookcount = __atomic_load_n(&L->basehookcount, __ATOMIC_RELAXED); }

// May be called by a signal handler and for a state that another worker runs: the poll bit makes that one look.
LUA_API void lua_sethook(lua_State *L, lua_Hook func, int mask, int count) {
  if (func == NULL || mask == 0) {
    mask = 0;
    func = NULL;
  }
  __atomic_store_n(&L->hook, func, __ATOMIC_RELAXED);
  __atomic_store_n(&L->basehookcount, count, __ATOMIC_RELAXED);
  __atomic_store_n(&L->hookcount, count, __ATOMIC_RELAXED);
  __atomic_store_n(&L->hookmask, (uint8_t)mask, __ATOMIC_RELEASE); // pairs with mask_of
  Ctx *ctx = __atomic_load_n(&L->ctx, __ATOMIC_RELAXED);
  if (mask != 0 && ctx != NULL && atomic_load_explicit(&L->running, memory_order_relaxed)) {
    atomic_fetch_or_explicit(&ctx->poll, POLL_HOOK, memory_order_release);
  }
}

LUA_API lua_Hook lua_gethook(lua_State *L) { return hook_of(L); }

LUA_API int lua_gethookmask(lua_State *L) { return mask_of(L); }

LUA_API int lua_gethookcount(lua_State *L) { return __atomic_load_n(&L->basehookcount, __ATOMIC_RELAXED); }

// Calls the hook with the frame's registers protected and room for a C function. The frame's top, and u2 (used for
// other things outside of hooks), are as before when it returns.
void dbg_hook(lua_State *L, int event, int line, int ftransfer, int ntransfer) {
  lua_Hook hook = hook_of(L);
  if (hook == NULL || !L->allowhook) return;
  CallInfo *ci = L->ci;
  ptrdiff_t top = stack_save(L, L->top), ci_top = stack_save(L, ci->top);
  uint16_t marks = CI_HOOK;
  __typeof__(ci->u2) u2 = ci->u2;
  lua_Debug ar = {.event = event, .currentline = line, .i_ci = ci};
  if (ntransfer != 0) {
    marks |= CI_TRAN;
    ci->u2.transfer.ftransfer = (uint16_t)ftransfer;
    ci->u2.transfer.ntransfer = (uint16_t)ntransfer;
  }
  if (ci_isLua(ci) && L->top < ci->top) L->top = ci->top;
  stack_ensure(L, LUA_MINSTACK);
  if (ci->top < L->top + LUA_MINSTACK) ci->top = L->top + LUA_MINSTACK;
  L->allowhook = 0;
  ci->status |= marks;
  cmodule_hook(L, hook, &ar);
  L->allowhook = 1;
  ci->top = stack_restore(L, ci_top);
  L->top = stack_restore(L, top);
  ci->status &= (uint16_t)~marks;
  ci->u2 = u2;
}

// Before a Lua function's first line, which is the current one for the hook: the pc counts as the one behind the first
// instruction that belongs to the source.
static void hook_luacall(lua_State *L, CallInfo *ci, int event) {
  const Proto *p = ci_proto(ci);
  ptrdiff_t at = ci->u.l.pc - p->code;
  ci->u.l.pc = p->code + prologue_len(p) + 1;
  dbg_hook(L, event, -1, 1, p->nparams);
  ci->u.l.pc = p->code + at;
}

void dbg_hookcall(lua_State *L, CallInfo *ci) {
  if (mask_of(L) & LUA_MASKCALL) {
    int event = ci->status & CI_TAIL ? LUA_HOOKTAILCALL : LUA_HOOKCALL;
    if (ci_isLua(ci)) {
      hook_luacall(L, ci, event);
    } else {
      dbg_hook(L, event, -1, 1, (int)(L->top - (ci->func + 1)));
    }
  }
  L->oldpc = -1; // after the hook, which may be a Lua function: its return sets oldpc
}

// Return of a function with nres results on top. The caller goes on in the middle of its line: no new line there.
void dbg_hookret(lua_State *L, CallInfo *ci, int nres) {
  if (mask_of(L) & LUA_MASKRET) {
    ptrdiff_t first = L->top - nres - ci->func; // as lua_getlocal counts
    dbg_hook(L, LUA_HOOKRET, -1, (int)first, nres);
  }
  const CallInfo *caller = ci->prev;
  if (caller != NULL && ci_isLua(caller)) L->oldpc = ci_pcrel(caller, ci_proto(caller));
}

// Instructions that Lua has not, or does in one go with the one before, are no step for a program that watches: a
// cell's birth, the first test of a generic `for`, what comes after each call of a CLOSE or RETURN, and a loop's jump
// back where Lua's own jump would have gone to the loop's top at once.
static bool is_hidden(const lua_State *L, const Proto *p, int pc) {
  int old = L->oldpc, op = INSTR_OP(p->code[pc]);
  if (op == OP_NEWCELL) return true;
  if (old < 0 || old >= p->ncode) return false;
  switch (op) {
  case OP_TFORCALL: return INSTR_OP(p->code[old]) == OP_TFORPREP;
  case OP_CLOSE:
  case OP_RETURN: return old == pc;
  case OP_LOOP: return dbg_jumptarget(p, old) == pc && old + 1 < pc;
  default: return false;
  }
}

static bool is_newline(const lua_State *L, const Proto *p, int pc) {
  int old = L->oldpc;
  if (old < 0 || old >= p->ncode || pc <= old) return true; // entry, or a jump back
  return p->lines != NULL && p->lines[old] != p->lines[pc];
}

// Before instruction *pc of the running Lua function, while a hook is set.
void dbg_traceexec(lua_State *L, const Instr *pc) {
  CallInfo *ci = L->ci;
  const Proto *p = ci_proto(ci);
  int mask = mask_of(L), npc = (int)(pc - p->code);
  if (!(mask & (LUA_MASKLINE | LUA_MASKCOUNT)) || npc < prologue_len(p)) return;
  ci->u.l.pc = pc + 1;
  if ((mask & LUA_MASKCOUNT) && --L->hookcount == 0) {
    reset_hookcount(L);
    dbg_hook(L, LUA_HOOKCOUNT, -1, 0, 0);
  }
  if (mask & LUA_MASKLINE) {
    if (!is_hidden(L, p, npc) && is_newline(L, p, npc)) dbg_hook(L, LUA_HOOKLINE, dbg_line(p, npc), 0, 0);
    if (INSTR_OP(*pc) != OP_NEWCELL) L->oldpc = npc; // after the hook, whose own instructions are traced too
  }
}
