// SPDX-License-Identifier: MIT
//
// object.c: what all libraries of lungo's own need: objects with a kind, and checks of arguments.
//
// See also:   stdlib.h.
#include "lungolib.h"
#include "func.h"
#include "gc.h"
#include "lgassert.h"
#include "meta.h"

void obj_trace(struct Marker *m, void *mem) {
  const ObjKind *kind = ((ObjHead *)mem)->kind;
  if (kind->trace) kind->trace(m, mem);
}

void obj_class(lua_State *L, const ObjKind *kind, const luaL_Reg *methods, const luaL_Reg *metas) {
  luaL_newmetatable(L, kind->name);
  if (metas) luaL_setfuncs(L, metas, 0);
  if (methods) {
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
  }
  share_value(L, L->top - 1); // objects are made to be given to others; and methods of shared classes are remembered
  lua_pop(L, 1);
}

void *obj_new(lua_State *L, const ObjKind *kind, size_t size, int nuv) {
  luaL_checkstack(L, 2, NULL);
  Userdata *u = ud_new(L, size, nuv);
  void *mem = ud_mem(u);
  memset(mem, 0, size);
  ((ObjHead *)mem)->kind = kind;
  u->hdr.aux = 1;
  atomic_store_explicit(&u->hdr.aux32, obj_kindmark(kind), memory_order_relaxed);
  u->trace = obj_trace;
  v_setobj(L->top, TAG_USERDATA, u);
  L->top++;
  luaL_setmetatable(L, kind->name);
  gc_check(L);
  return mem;
}

bool lib_iscallable(lua_State *L, int arg) {
  const Value *v = lib_arg(L, arg);
  return v < L->top && meta_iscallable(L, v);
}

void lib_checkcallable(lua_State *L, int arg) {
  if (!lib_iscallable(L, arg)) luaL_typeerror(L, arg, "function");
}

void lib_push(lua_State *L, const Value *v) {
  lg_assert(L->top < L->ci->top);
  v_copy(L->top, v);
  L->top++;
}
