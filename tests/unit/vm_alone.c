// SPDX-License-Identifier: MIT
//
// vm_alone.c: vm/ links and runs without runtime/, stdlib/ and scheduler, on the stub of the seam (seam_stub.c).
// Protects: the direction of dependencies; whatever vm/ asks of the runtime is in seam.h.
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

static const char program[] =
    "local t, s = {}, 0\n"
    "for i = 1, 10000 do t[i] = { i, tostring(i) } end\n"
    "for i, v in ipairs(t) do s = s + v[1] + #v[2] end\n"
    "local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end)\n"
    "local ok, e = pcall(error, { code = 7 })\n"
    "t = nil collectgarbage()\n"
    "return s, co(1), co(21), e.code, string.format('%5.1f', 2.25), select('#', table.unpack({}, 1, 3))";

static int check(lua_State *L, int index, const char *want) {
  const char *got = luaL_tolstring(L, index, NULL);
  int bad = strcmp(got, want) != 0;
  if (bad) fprintf(stderr, "result %d is %s, not %s\n", index, got, want);
  lua_pop(L, 1);
  return bad;
}

int main(void) {
  static const luaL_Reg libs[] = {{LUA_GNAME, luaopen_base},
                                  {LUA_COLIBNAME, luaopen_coroutine},
                                  {LUA_TABLIBNAME, luaopen_table},
                                  {LUA_STRLIBNAME, luaopen_string}};
  static const char *const want[] = {"50043894", "2", "42", "7", "  2.2", "3"};
  lua_State *L = luaL_newstate();
  if (L == NULL) return 1;
  for (size_t i = 0; i < sizeof libs / sizeof *libs; i++) {
    luaL_requiref(L, libs[i].name, libs[i].func, 1);
    lua_pop(L, 1);
  }
  if (luaL_dostring(L, program) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    return 1;
  }
  int bad = lua_gettop(L) != 6;
  for (int i = 0; i < 6; i++) bad |= check(L, i + 1, want[i]);
  lua_close(L);
  return bad;
}
