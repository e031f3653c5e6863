// SPDX-License-Identifier: MIT
//
// baselib.c: the basic functions that must differ from the package's: those that call Lua (so that they cost no C
// stack and a goroutine can park inside them), those the loop knows by address, and `print`, which writes a line whole.
//
// What:       luaopen_base of the package fills the table first; the functions here replace its entries.
// See also:   vm/call.h (vm_callk, vm_pcallk), vm/interp.h (vm_next, vm_ipairsaux). Tests: tests/vm, tests/stdlib.
#include "call.h"
#include "interp.h"
#include "seam.h"
#include "state.h"
#include "lungolib.h"
#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

// One fwrite per line: the stream's own lock then keeps lines of parallel goroutines apart.
static void write_line(lua_State *L, const char *s, size_t n) {
  Ctx *ctx = L->ctx;
  if (lib_hostoutput(L, stdout, s, n)) return;
  rt_block_enter(ctx);
  fwrite(s, 1, n, stdout);
  fflush(stdout);
  rt_block_leave(ctx);
}

static int b_print(lua_State *L) {
  int n = lua_gettop(L);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (int i = 1; i <= n; i++) {
    if (i > 1) luaL_addchar(&b, '\t');
    luaL_tolstring(L, i, NULL);
    luaL_addvalue(&b);
  }
  luaL_addchar(&b, '\n');
  luaL_pushresult(&b);
  size_t len;
  const char *s = lua_tolstring(L, -1, &len);
  write_line(L, s, len);
  return 0;
}

// `base` values at the bottom of the frame are the call's own; what stands above are results, or the error value.
static int pcall_done(lua_State *L, int status, lua_KContext base) {
  if (likely(status == LUA_OK || status == LUA_YIELD)) return lua_gettop(L) - (int)base;
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int b_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1); // stays as first result
  return vm_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, pcall_done);
}

static int b_xpcall(lua_State *L) {
  int n = lua_gettop(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2); // f, handler, true, f, arguments
  return vm_pcallk(L, n - 2, LUA_MULTRET, 2, 2, pcall_done);
}

static int dofile_done(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  return lua_gettop(L) - 1;
}

static int b_dofile(lua_State *L) {
  const char *name = luaL_optstring(L, 1, NULL);
  lua_settop(L, 1);
  if (luaL_loadfile(L, name) != LUA_OK) return lua_error(L);
  return vm_callk(L, 0, LUA_MULTRET, 0, dofile_done);
}

static int pairs_done(lua_State *L, int status, lua_KContext ctx) {
  (void)L;
  (void)status;
  (void)ctx;
  return 3;
}

static int b_pairs(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") == LUA_TNIL) {
    lua_pushcfunction(L, vm_next);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
  }
  lua_pushvalue(L, 1);
  return vm_callk(L, 1, 3, 0, pairs_done);
}

static int b_ipairs(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushcfunction(L, vm_ipairsaux);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

// Hot in programs with objects: a fresh table has no metatable, so no protection to ask for.
static int b_setmetatable(lua_State *L) {
  int t = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, t == LUA_TNIL || t == LUA_TTABLE, 2, "nil or table");
  const Table *obj = v_table(L->ci->func + 1);
  if (atomic_load_explicit(&obj->meta, memory_order_relaxed) != NULL &&
      luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
    return luaL_error(L, "cannot change a protected metatable");
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

int lungo_openbase(lua_State *L) {
  static const luaL_Reg funcs[] = {{"print", b_print},
                                   {"pcall", b_pcall},
                                   {"xpcall", b_xpcall},
                                   {"dofile", b_dofile},
                                   {"next", vm_next},
                                   {"pairs", b_pairs},
                                   {"ipairs", b_ipairs},
                                   {"setmetatable", b_setmetatable},
                                   {"tonumber", lungo_tonumber},
                                   {NULL, NULL}};
  luaopen_base(L);
  luaL_setfuncs(L, funcs, 0);
  lib_addquick(L, LUA_GNAME);
  return 1;
}
