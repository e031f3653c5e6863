// SPDX-License-Identifier: MIT
//
// A host written for Lua 5.4, which knows nothing of lungo: it only links with it. Its scripts have goroutines.
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  int status = luaL_dostring(L, "if not go then return 'plain Lua' end "
                                "local c = chan() go(function() c:send('goroutines') end) return (c:recv())");
  printf("%s\n", lua_tostring(L, -1));
  lua_close(L);
  return status;
}
