// SPDX-License-Identifier: MIT
//
// rescue_share_test.c: a table can become shared while it grows.
//
// What:       a collection gives what a dead object refers to away to the goroutine of finalizers. When it takes place
//             because a table found no memory to grow, that table may be among it: what is being stored must be shared,
//             too, and stored under the lock.
// Protects:   vm/table.c (insert_unshared).
#include "call.h"
#include "lungo.h"
#include "table.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#define TABLES 2000

static int given; // tables that were given away while they grew

static Table *table_at(lua_State *L, int idx) { return (Table *)lua_topointer(L, idx); }

// insert(t, key, value): t[key] = value.
static int insert(lua_State *L) {
  lua_settop(L, 3);
  bool before = obj_isshared(table_at(L, 1));
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_rawset(L, 1);
  if (!obj_isshared(table_at(L, 1))) return 0;
  if (lua_istable(L, 2) && !obj_isshared(table_at(L, 2))) luaL_error(L, "a shared table got a key that is not");
  if (!obj_isshared(table_at(L, 3))) luaL_error(L, "a shared table got a value that is not");
  given += !before;
  return 0;
}

static const char script[] =
    "local insert, tables = ... "
    "go(function() end) "
    "local function doomed() local t = {} setmetatable({t}, {__gc = function() end}) return t end "
    "for i = 1, tables do "
    "  local t = doomed() for j = 1, 9 do insert(t, j, {}) end "
    "  local t = doomed() for j = 1, 9 do insert(t, 'k' .. j, {}) end "
    "  local t = doomed() for j = 1, 9 do insert(t, {}, {}) end "
    "end";

int main(void) {
  setenv("LUNGODEBUG", "refuse=8", 1);
  lua_State *L = luaL_newstate();
  lungo_openlibs(L);
  if (luaL_loadstring(L, script) != LUA_OK) return 1;
  lua_pushcfunction(L, insert);
  lua_pushinteger(L, TABLES);
  int status = lungo_run(L, 2, 0, 0);
  if (status != LUA_OK || given == 0) {
    printf("not ok: %s\n", status != LUA_OK ? lua_tostring(L, -1) : "no table was given away while it grew");
    return 1;
  }
  lua_close(L);
  printf("ok: rescue_share_test, %d tables\n", given);
  return 0;
}
