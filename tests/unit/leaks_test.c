// SPDX-License-Identifier: MIT
//
// leaks_test.c: goroutines that leak, as a host program asks for them: references of C code count, stopped goroutines
// are looked at between two runs.
#include "lungo.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(c) ((c) ? (void)0 : (printf("%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

static const char settle[] = "function settle()\n"
                             "  repeat runtime.gosched()\n"
                             "  until select(2, runtime.stack(true):gsub('goroutine %d+ %[run', '')) == 1\n"
                             "end";

static void run(lua_State *L, const char *code, int nresults) {
  if (luaL_loadstring(L, code) == LUA_OK && lungo_run(L, 0, nresults, 0) == LUA_OK) return;
  printf("%s: %s\n", code, lua_tostring(L, -1));
  exit(1);
}

static lua_State *open_state(void) {
  lua_State *L = luaL_newstate();
  CHECK(L != NULL);
  lungo_openlibs(L);
  run(L, settle, 0);
  return L;
}

// How many runtime.leaks says there are.
static int leaks(lua_State *L) {
  run(L, "settle() return #runtime.leaks()", 1);
  int n = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return n;
}

static void test_references(void) {
  lua_State *L = open_state();
  CHECK(lungo_leaks(L) == 0 && leaks(L) == 0);
  run(L, "local c = chan() go(function() c:recv() end) return c", 1);
  CHECK(leaks(L) == 0); // on the host's stack, which is goroutine 1's
  int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  CHECK(leaks(L) == 0 && lungo_leaks(L) == 0);
  lua_State *co = lua_newthread(L);
  lua_rawgeti(co, LUA_REGISTRYINDEX, ref);
  luaL_unref(L, LUA_REGISTRYINDEX, ref);
  CHECK(leaks(L) == 0);       // on the stack of a state that the host keeps
  CHECK(lungo_leaks(L) == 1); // which only the stack of the goroutine that ends keeps
  lua_pop(L, 1);
  CHECK(leaks(L) == 1 && lungo_leaks(L) == 1);
  lua_close(L);
}

static int c_leaks(lua_State *L) {
  lua_pushinteger(L, lungo_leaks(L));
  return 1;
}

static void test_inside(void) {
  lua_State *L = open_state();
  lua_register(L, "leaks_now", c_leaks);
  run(L,
      "local c = chan() go(function() c:recv() end) settle()\n"
      "local n = coroutine.wrap(function() return leaks_now() end)()\n"
      "assert(#runtime.leaks() == 0)\n"
      "return n, c",
      1);
  CHECK(lua_tointeger(L, -1) == 1);
  lua_close(L);
}

static void test_many(void) {
  lua_State *L = open_state();
  run(L, "for i = 1, 2000 do go(function() chan():recv() end) end", 0);
  CHECK(leaks(L) == 2000);
  for (int i = 0; i < 3; i++) CHECK(leaks(L) == 2000);
  run(L, "assert(runtime.numgoroutine() == 2001) collectgarbage() collectgarbage()", 0);
  lua_close(L);
}

int main(void) {
  CHECK(freopen("/dev/null", "w", stderr) != NULL); // the reports; what fails is printed on stdout
  test_references();
  test_inside();
  test_many();
  return 0;
}
