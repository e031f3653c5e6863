// SPDX-License-Identifier: MIT
//
// dump_minutes_test.c: how long a goroutine has been in its state, in dumps: told from one minute on. The clock is not
// waited for: the moment it began to wait is moved back.
// Protects: runtime/report.c.
#include "lungo.h"
#include "sched_int.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(c) ((c) ? (void)0 : (printf("%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

static void age(G *g, void *arg) {
  if (g_status(g) == G_WAITING && !g->is_main && !g->is_system) g->since = mono_ns() - *(int64_t *)arg;
}

// set_age(seconds): so long, all others have been waiting.
static int set_age(lua_State *L) {
  M *m = m_of(L->ctx);
  int64_t ns = luaL_checkinteger(L, 1) * INT64_C(1000000000);
  stop_world(m, STOP_OTHER);
  g_each(m->rt, age, &ns);
  start_world(m);
  return 0;
}

static const char code[] = "local c, d, mu = chan(), chan(), sync.mutex()\n"
                           "mu:lock()\n"
                           "go c:recv() go mu:lock() go(function() select case <-d then case d <- 1 then end end)\n"
                           "repeat runtime.gosched() until not runtime.stack(true):find 'runnable'\n"
                           "local function states(age)\n"
                           "  set_age(age)\n"
                           "  local t = {}\n"
                           "  for s in runtime.stack(true):gmatch 'goroutine %d+ %[(.-)%]:' do t[#t + 1] = s end\n"
                           "  table.sort(t)\n"
                           "  return table.concat(t, '; ')\n"
                           "end\n"
                           "return states(50), states(61), states(125), states(100 * 60)\n";

static const char *const expected[] = {
    "chan receive; running; select; sync.Mutex.Lock",
    "chan receive, 1 minutes; running; select, 1 minutes; sync.Mutex.Lock, 1 minutes",
    "chan receive, 2 minutes; running; select, 2 minutes; sync.Mutex.Lock, 2 minutes",
    "chan receive, 100 minutes; running; select, 100 minutes; sync.Mutex.Lock, 100 minutes",
};

int main(void) {
  lua_State *L = luaL_newstate();
  CHECK(L != NULL);
  lungo_openlibs(L);
  lua_register(L, "set_age", set_age);
  CHECK(luaL_loadstring(L, code) == LUA_OK);
  if (lungo_run(L, 0, 4, 0) != LUA_OK) {
    printf("%s\n", lua_tostring(L, -1));
    return 1;
  }
  for (int i = 0; i < 4; i++) {
    const char *got = lua_tostring(L, i - 4);
    if (strcmp(got, expected[i]) == 0) continue;
    printf("got      %s\nexpected %s\n", got, expected[i]);
    return 1;
  }
  lua_close(L);
  return 0;
}
