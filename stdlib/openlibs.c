// SPDX-License-Identifier: MIT
//
// openlibs.c: opens every library of a lungo program: Lua's (from the package's archive, or ours where baselib.c and
// corolib.c replace them) and lungo's own, which `require` finds too.
#include "lungo.h"
#include "lungolib.h"
#include <lualib.h>

void lungo_openlibs(lua_State *L) {
  static const luaL_Reg libs[] = {
      {LUA_GNAME, lungo_openbase},      {LUA_LOADLIBNAME, luaopen_package}, {LUA_COLIBNAME, lungo_opencoroutine},
      {LUA_TABLIBNAME, luaopen_table},  {LUA_IOLIBNAME, lungo_openio},      {LUA_OSLIBNAME, luaopen_os},
      {LUA_STRLIBNAME, luaopen_string}, {LUA_MATHLIBNAME, luaopen_math},    {LUA_UTF8LIBNAME, luaopen_utf8},
      {LUA_DBLIBNAME, luaopen_debug},   {"chan", lungo_openchan},           {"sync", lungo_opensync},
      {"atomic", lungo_openatomic},     {"time", lungo_opentime},           {"runtime", lungo_openruntime}};
  for (size_t i = 0; i < sizeof libs / sizeof *libs; i++) {
    luaL_requiref(L, libs[i].name, libs[i].func, 1);
    lua_pop(L, 1);
  }
  lungo_opengo(L);
}

// A host written for Lua opens everything by this name, and so gets goroutines.
void luaL_openlibs(lua_State *L) { lungo_openlibs(L); }
