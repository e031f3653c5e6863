// SPDX-License-Identifier: MIT
//
// another.c: a second module written for one thread: it has a lock of its own, and waits in a blocking region.
#include "section.h"
#include "lungo.h"
#include <time.h>

static int count(lua_State *L) {
  lua_pushinteger(L, counter);
  return 1;
}

// call(f, ...): f's results; the counter is one more before and after.
static int call(lua_State *L) {
  slowly_add("call, before", 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  slowly_add("call, after", 1);
  return lua_gettop(L);
}

static void nap(void *arg) { nanosleep(arg, NULL); }

// sleep(ms): gives its processor and its lock away meanwhile.
static int sleep_ms(lua_State *L) {
  long ms = (long)luaL_checkinteger(L, 1);
  struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
  slowly_add("sleep, before", 1);
  lungo_blocking(L, nap, &ts);
  slowly_add("sleep, after", 1);
  return 0;
}

int luaopen_another(lua_State *L) {
  static const luaL_Reg funcs[] = {{"call", call}, {"count", count}, {"sleep", sleep_ms}, {NULL, NULL}};
  luaL_newlib(L, funcs);
  return 1;
}
