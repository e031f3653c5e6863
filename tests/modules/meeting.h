// SPDX-License-Identifier: MIT
//
// meeting.h: meet(n, ms) -> whether n threads were inside it at once within that time.
#ifndef LUNGO_TESTS_MEETING_H
#define LUNGO_TESTS_MEETING_H

#include <lauxlib.h>
#include <stdatomic.h>
#include <time.h>

static int meet(lua_State *L) {
  static _Atomic lua_Integer arrived;
  lua_Integer n = luaL_checkinteger(L, 1), ms = luaL_checkinteger(L, 2);
  lua_Integer group = atomic_fetch_add(&arrived, 1) / n;
  const struct timespec pause = {0, 1000000};
  while (ms-- > 0 && atomic_load(&arrived) < (group + 1) * n) nanosleep(&pause, NULL);
  lua_pushboolean(L, atomic_load(&arrived) >= (group + 1) * n);
  return 1;
}

#endif
