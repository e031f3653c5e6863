// SPDX-License-Identifier: MIT
//
// meetsafe.c: a module that says it is safe, so that several threads are in it at once. Loads into Lua 5.4 too.
#include "lungo.h"
#include "meeting.h"

__attribute__((weak)) void lungo_modulesafe(lua_State *L);

int luaopen_meetsafe(lua_State *L) {
  if (lungo_modulesafe) lungo_modulesafe(L);
  lua_pushcfunction(L, meet);
  return 1;
}
