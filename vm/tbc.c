// SPDX-License-Identifier: MIT
//
// tbc.c: to-be-closed variables and deferred calls.
//
// What:       one list per lua_State, newest first. A variable's entry says which register; a deferred call's holds
//             function and arguments, and belongs to the frame whose base is its level. The loop takes entries off and
//             calls them as frames (OP_CLOSE, OP_RETURN, error unwinding); the functions here with _c and _protected do
//             it from C.
// Invariants: along the list from newest to oldest, levels never rise within the variables, nor from one frame to the
//             next; so an error value put right above the newest entry's registers (tbc_safepos) destroys nothing that
//             is needed. An entry is unlinked before its call: an error in it does not run it again. Where there is
//             no memory for an entry, its call takes place at once: none is left out.
// Callers:    the worker that runs L.
// See also:   call.h, state.h (Tbc).
#include "dbg.h"
#include "func.h"
#include "heap.h"
#include "interp.h"
#include "lgassert.h"
#include "meta.h"

enum { TBC_VAR = 0, TBC_DEFER = 1 };

// ---- making entries --------------------------------------------------------------------------------

// NULL: there is no memory.
static Tbc *tbc_trynew(lua_State *L, int kind, const Value *level, uint32_t nvalues) {
  Tbc *e = heap_trynew_here(L->ctx, OBJ_TBC, sizeof(Tbc) + nvalues * sizeof(Value));
  if (unlikely(e == NULL)) return NULL;
  e->hdr.aux = (uint8_t)kind;
  e->level = stack_save(L, level);
  e->nargs = nvalues > 0 ? nvalues - 1 : 0;
  e->shape = (uint32_t)(L->ci->top - L->stack);
  e->prev = L->tbc;
  return e;
}

static const char *name_of(lua_State *L, const Value *reg) {
  const CallInfo *ci = L->ci;
  if (!ci_isLua(ci)) return "(C temporary)";
  const Proto *p = v_lcl(ci->func)->p;
  const char *name = proto_locname(p, (int)(reg - (ci->func + 1)), ci_pcrel(ci, p));
  return name != NULL ? name : "?";
}

static int push_close(lua_State *L, const Value *var, const Value *err);

// What cannot be noted for later takes place at once, before the error that ends the block: the program has taken
// already (a lock, a file) what this is to give back.
static COLD void close_at_once(lua_State *L, const Value *var) {
  Value err;
  v_setobj(&err, TAG_STRING, L->gl->memerrmsg);
  if (ci_isLua(L->ci) && L->top < L->ci->top) L->top = L->ci->top;
  int nargs = push_close(L, var, &err);
  vm_call(L, L->top - (nargs + 1), 0);
  call_memerror(L);
}

static COLD void call_at_once(lua_State *L, const Value *func, int nargs) {
  ptrdiff_t at = stack_save(L, func);
  if (ci_isLua(L->ci) && L->top < L->ci->top) L->top = L->ci->top;
  stack_ensure(L, nargs + 1);
  for (int i = 0; i <= nargs; i++) v_copy(L->top++, stack_restore(L, at) + i);
  vm_call(L, L->top - (nargs + 1), 0);
  call_memerror(L);
}

void tbc_new_var(lua_State *L, Value *reg) {
  Value tm;
  if (v_isfalsy(reg)) return;
  if (!meta_get(L, reg, TM_CLOSE, &tm)) {
    dbg_runerror(L, "variable '%s' got a non-closable value", name_of(L, reg));
  }
  Tbc *e = tbc_trynew(L, TBC_VAR, reg, 0);
  if (unlikely(e == NULL)) close_at_once(L, reg);
  L->tbc = e;
}

void tbc_new_defer(lua_State *L, Value *func, int nargs) {
  if (!meta_iscallable(L, func)) dbg_callerror(L, func);
  Tbc *e = tbc_trynew(L, TBC_DEFER, L->ci->func + 1, (uint32_t)nargs + 1);
  if (unlikely(e == NULL)) call_at_once(L, func, nargs);
  for (int i = 0; i <= nargs; i++) v_copy(&e->v[i], &func[i]);
  L->tbc = e;
}

// ---- taking entries --------------------------------------------------------------------------------

Value *tbc_safepos(lua_State *L) {
  const Tbc *e = L->tbc;
  return e->hdr.aux == TBC_VAR ? stack_restore(L, e->level) + 1 : L->stack + e->shape;
}

// A value that has lost its metamethod meanwhile is an error of the call: a nil is pushed as function.
static int push_close(lua_State *L, const Value *var, const Value *err) {
  Value e = {.tag = TAG_NIL}, v;
  if (err != NULL) v_copy(&e, err);
  v_copy(&v, var); // it may lie in the stack, which moves
  stack_ensure(L, 3);
  Value *top = L->top;
  meta_get(L, &v, TM_CLOSE, &top[0]);
  v_copy(&top[1], &v);
  v_copy(&top[2], &e);
  L->top = top + 3;
  return 2;
}

static int push_deferred(lua_State *L, const Tbc *e) {
  int n = (int)e->nargs + 1;
  stack_ensure(L, n);
  for (int i = 0; i < n; i++) v_copy(&L->top[i], &e->v[i]);
  L->top += n;
  return n - 1;
}

int tbc_take(lua_State *L, const Value *err) {
  const Tbc *e = L->tbc;
  L->tbc = e->prev;
  return e->hdr.aux == TBC_VAR ? push_close(L, stack_restore(L, e->level), err) : push_deferred(L, e);
}

int tbc_take_var(lua_State *L, ptrdiff_t level) {
  Tbc **link = &L->tbc;
  while (*link != NULL && (*link)->hdr.aux == TBC_DEFER) link = &(*link)->prev;
  Tbc *e = *link;
  if (e == NULL || e->level < level) return -1;
  *link = e->prev;
  return push_close(L, stack_restore(L, e->level), NULL);
}

// ---- closing from C --------------------------------------------------------------------------------

struct CloseCall {
  bool has_err;
};

static void close_newest(lua_State *L, void *ud) {
  const struct CloseCall *c = ud;
  int nargs = tbc_take(L, c->has_err ? L->top - 1 : NULL);
  vm_call(L, L->top - (nargs + 1), 0);
}

int tbc_close_protected(lua_State *L, ptrdiff_t level, int status) {
  while (tbc_pending(L, stack_restore(L, level))) {
    struct CloseCall c = {.has_err = status != LUA_OK};
    if (c.has_err) call_seterrorobj(L, status, tbc_safepos(L));
    int raised = call_try(L, close_newest, &c);
    if (raised != LUA_OK) status = raised;
  }
  return status;
}

struct CloseOther {
  lua_State *of;
  const Value *err;
};

static void close_newest_of(lua_State *L, void *ud) {
  const struct CloseOther *c = ud;
  const Tbc *e = c->of->tbc;
  c->of->tbc = e->prev;
  int nargs = e->hdr.aux == TBC_VAR ? push_close(L, stack_restore(c->of, e->level), c->err) : push_deferred(L, e);
  vm_call(L, L->top - (nargs + 1), 0);
}

// The error of one is the argument of the next, as ever; it is kept at L's present top.
void tbc_close_other(lua_State *L, lua_State *of) {
  int status = LUA_OK;
  ptrdiff_t at = stack_save(L, L->top);
  while (of->tbc != NULL) {
    if (status != LUA_OK) call_seterrorobj(L, status, stack_restore(L, at));
    struct CloseOther c = {of, status != LUA_OK ? L->top - 1 : NULL};
    int raised = call_try(L, close_newest_of, &c);
    if (raised != LUA_OK) status = raised;
    if (status == LUA_OK) L->top = stack_restore(L, at);
  }
  L->top = stack_restore(L, at);
}

int tbc_close_c(lua_State *L, ptrdiff_t level, int status, bool defers_too) {
  if (status != LUA_OK || defers_too) return tbc_close_protected(L, level, status);
  for (;;) {
    int nargs = tbc_take_var(L, level);
    if (nargs < 0) return LUA_OK;
    vm_call(L, L->top - (nargs + 1), 0);
  }
}

LUA_API void lua_toclose(lua_State *L, int idx) {
  tbc_new_var(L, call_index(L, idx));
  L->ci->status |= CI_CTBC;
}

LUA_API void lua_closeslot(lua_State *L, int idx) {
  ptrdiff_t level = stack_save(L, call_index(L, idx));
  tbc_close_c(L, level, LUA_OK, false);
  v_setnil(stack_restore(L, level));
}
