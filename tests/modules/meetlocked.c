// SPDX-License-Identifier: MIT
//
// meetlocked.c: the same function in a module that does not say so: nobody ever meets there.
#include "meeting.h"

int luaopen_meetlocked(lua_State *L) {
  lua_pushcfunction(L, meet);
  return 1;
}
