// SPDX-License-Identifier: MIT
//
// api_func.c: lua.h, third part: upvalues of functions, lua_load, lua_dump, lua_gc.
//
// Locking:    none. Upvalues are slots of shared cells or closures, written by slot_store after sharing what is stored.
// See also:   api.c, compile.h, gc.h.
#include "api_int.h"
#include "call.h"
#include "compile.h"
#include "gc.h"
#include "share.h"
#include "table.h"

// ---- upvalues --------------------------------------------------------------------------------------

static Cell *cell_at(const LClosure *f, int n) {
  return atomic_load_explicit(&((LClosure *)f)->upv[n - 1], memory_order_acquire);
}

// Name of upvalue n of function f, and where it is; NULL if there is none.
static ALWAYS_INLINE const char *upvalue_find(const Value *f, int n, Slot **slot, Obj **owner) {
  if (f->tag == TAG_CCL) {
    CClosure *cl = v_ccl(f);
    if ((unsigned)n - 1u >= atomic_load_explicit(&cl->hdr.aux32, memory_order_relaxed)) return NULL;
    *slot = &cl->upv[n - 1];
    *owner = &cl->hdr;
    return "";
  }
  if (f->tag != TAG_LCL) return NULL;
  const Proto *p = v_lcl(f)->p;
  if ((unsigned)n - 1u >= (unsigned)p->nupvals) return NULL;
  Cell *c = cell_at(v_lcl(f), n);
  *slot = &c->v;
  *owner = &c->hdr;
  const String *name = p->upvals[n - 1].name;
  return name != NULL ? name->data : "(no name)";
}

static ALWAYS_INLINE const char *push_upvalue(lua_State *L, const Value *f, int n) {
  Slot *slot;
  Obj *owner;
  const char *name = upvalue_find(f, n, &slot, &owner);
  if (unlikely(name == NULL)) return NULL;
  Value *top = L->top;
  bits_decode(top, slot_load(slot));
  lg_assert(top < L->ci->top);
  L->top = top + 1;
  return name;
}

// Apart, so that lua_getupvalue calls nothing and saves no register.
static NOINLINE const char *push_pseudo_upvalue(lua_State *L, int funcindex, int n) {
  return push_upvalue(L, api_pseudo(L, funcindex), n);
}

LUA_API const char *lua_getupvalue(lua_State *L, int funcindex, int n) {
  if (unlikely(funcindex <= LUA_REGISTRYINDEX)) return push_pseudo_upvalue(L, funcindex, n);
  return push_upvalue(L, api_index(L, funcindex), n);
}

LUA_API const char *lua_setupvalue(lua_State *L, int funcindex, int n) {
  Slot *slot;
  Obj *owner;
  const char *name = upvalue_find(api_index(L, funcindex), n, &slot, &owner);
  if (name != NULL) {
    api_own(L);
    share_into(L, owner, L->top - 1);
    slot_store(slot, v_encode(L, L->top - 1));
    L->top--;
  }
  return name;
}

// A cell stands for its variable: two closures share the variable iff they hold the same cell.
LUA_API void *lua_upvalueid(lua_State *L, int fidx, int n) {
  Slot *slot;
  Obj *owner;
  const Value *f = api_index(L, fidx);
  if (upvalue_find(f, n, &slot, &owner) == NULL) return NULL;
  return f->tag == TAG_LCL ? (void *)owner : (void *)slot;
}

LUA_API void lua_upvaluejoin(lua_State *L, int fidx1, int n1, int fidx2, int n2) {
  LClosure *f1 = v_lcl(api_index(L, fidx1));
  Cell *c = cell_at(v_lcl(api_index(L, fidx2)), n2);
  lg_assert(n1 >= 1 && n1 <= f1->p->nupvals && n2 >= 1);
  if (obj_isshared(f1)) {
    api_own(L);
    share_obj(L, &c->hdr);
  }
  atomic_store_explicit(&f1->upv[n1 - 1], c, memory_order_release);
}

// ---- load and dump ---------------------------------------------------------------------------------

struct LoadArgs {
  Zio z;
  const char *name, *mode;
};

static void load_protected(lua_State *L, void *ud) {
  struct LoadArgs *a = ud;
  compile_load(L, &a->z, a->name, a->mode);
}

// The first upvalue of a main function is _ENV.
static void set_env(lua_State *L, LClosure *f) {
  if (f->p->nupvals < 1) return;
  Value g;
  table_getint(L, v_table(&L->gl->registry), LUA_RIDX_GLOBALS, &g);
  cell_set(L, cell_at(f, 1), &g);
}

LUA_API int lua_load(lua_State *L, lua_Reader reader, void *dt, const char *chunkname, const char *mode) {
  struct LoadArgs a = {.z = {.L = L, .reader = reader, .data = dt}, .mode = mode};
  a.name = chunkname != NULL ? chunkname : "?";
  api_own(L);
  uint8_t nogc = L->nogc;
  L->nogc = 1;                                         // the compiler's objects hang together late
  int status = vm_rawprotected(L, load_protected, &a); // a reader cannot yield across the parser
  L->nogc = nogc;
  if (status == LUA_OK) set_env(L, v_lcl(L->top - 1));
  gc_check(L);
  return status;
}

LUA_API int lua_dump(lua_State *L, lua_Writer writer, void *data, int strip) {
  const Value *f = L->top - 1;
  if (f->tag != TAG_LCL) return 1;
  api_own(L);
  return dump_proto(L, v_lcl(f)->p, writer, data, strip != 0);
}

// ---- collector -------------------------------------------------------------------------------------

LUA_API int lua_gc(lua_State *L, int what, ...) {
  static const uint8_t nparams[] = {
      [LUA_GCSTEP] = 1, [LUA_GCSETPAUSE] = 1, [LUA_GCSETSTEPMUL] = 1, [LUA_GCGEN] = 2, [LUA_GCINC] = 3};
  int p[3] = {0, 0, 0};
  va_list ap;
  if (what < 0 || what >= (int)sizeof nparams) return -1;
  va_start(ap, what);
  for (int i = 0; i < nparams[what]; i++) p[i] = va_arg(ap, int);
  va_end(ap);
  api_own(L);
  return gc_control(L, what, p[0], p[1], p[2]);
}
