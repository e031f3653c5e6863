// SPDX-License-Identifier: MIT
//
// failing.c: a module whose objects cannot be finalized without an error.
#include <lauxlib.h>

static int fail(lua_State *L) { return luaL_error(L, "boom"); }

static int object(lua_State *L) {
  lua_newuserdatauv(L, 8, 0);
  lua_newtable(L);
  lua_pushcfunction(L, fail);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  return 1;
}

static int answer(lua_State *L) {
  lua_pushinteger(L, 42);
  return 1;
}

int luaopen_failing(lua_State *L) {
  static const luaL_Reg fns[] = {{"object", object}, {"answer", answer}, {NULL, NULL}};
  luaL_newlib(L, fns);
  return 1;
}
