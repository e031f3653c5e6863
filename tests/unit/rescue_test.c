// SPDX-License-Identifier: MIT
//
// rescue_test.c: before a request for memory fails for good, it is tried behind a collection with the world stopped.
//
// What:       four goroutines, on four processors, ask for what is never there, all at the same time, beside one that
//             makes garbage. Each must be refused only after a try at which no other goroutine could run.
// Protects:   vm/gc.c (gc_rescue: what was freed for one goroutine is not taken by another).
#include "gc.h"
#include "lungo.h"
#include "sched_int.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 50

typedef struct Try {
  bool stopped; // the world was, at the last try
  bool grant;   // what the last try answers
} Try;

static bool try_it(lua_State *L, void *arg) {
  Try *t = arg;
  t->stopped = rt_stopping(L->gl->rt) && atomic_load(&L->gl->rt->stopwait) == 0;
  return t->grant && t->stopped;
}

static int ask(lua_State *L) {
  for (int i = 0; i < ROUNDS; i++) {
    Try never = {.grant = false}, once = {.grant = true};
    if (gc_rescue(L, try_it, &never)) return luaL_error(L, "it has what nobody gave");
    if (!never.stopped) return luaL_error(L, "the world ran at the last try");
    if (!gc_rescue(L, try_it, &once)) return luaL_error(L, "refused what was there");
    gc_check(L);
  }
  return 0;
}

static const char script[] = "local ask = ... "
                             "local wg, over = sync.waitgroup(), atomic.bool(false) "
                             "go(function() while not over:load() do local s = {('x'):rep(1000)} end end) "
                             "for i = 1, 4 do wg:go(ask) end "
                             "wg:wait() over:store(true)";

int main(void) {
  setenv("LUNGOMAXPROCS", "4", 1);
  lua_State *L = luaL_newstate();
  lungo_openlibs(L);
  if (luaL_loadstring(L, script) != LUA_OK) return 1;
  lua_pushcfunction(L, ask);
  int status = lungo_run(L, 1, 0, 0);
  if (status != LUA_OK) {
    printf("not ok: %s\n", lua_tostring(L, -1));
    return 1;
  }
  lua_close(L);
  printf("ok: rescue_test\n");
  return 0;
}
