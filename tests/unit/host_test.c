// SPDX-License-Identifier: MIT
//
// host_test.c: the scheduler as embedding programs use it: lungo_run with and without other goroutines, blocking calls
// outside of it, several universes, closing with goroutines in every state.
#include "lungo.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

static lua_State *open_state(void) {
  lua_State *L = luaL_newstate();
  CHECK(L != NULL);
  lungo_openlibs(L);
  return L;
}

static void load(lua_State *L, const char *code) {
  if (luaL_loadstring(L, code) == LUA_OK) return;
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  exit(1);
}

static void run(lua_State *L, const char *code, int flags) {
  load(L, code);
  int status = lungo_run(L, 0, 0, flags);
  if (status == LUA_OK) return;
  fprintf(stderr, "%s: %s\n", code, lua_tostring(L, -1));
  exit(1);
}

static lua_Integer number(lua_State *L, const char *name) {
  lua_getglobal(L, name);
  lua_Integer n = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return n;
}

static void test_results(void) {
  lua_State *L = open_state();
  lua_pushliteral(L, "below");
  load(L, "local a, b = ... return a + b, a * b, 'x'");
  lua_pushinteger(L, 3);
  lua_pushinteger(L, 4);
  CHECK(lungo_run(L, 2, LUA_MULTRET, 0) == LUA_OK);
  CHECK(lua_gettop(L) == 4 && lua_tointeger(L, 2) == 7 && lua_tointeger(L, 3) == 12);
  lua_settop(L, 1);
  load(L, "return 1, 2, 3");
  CHECK(lungo_run(L, 0, 1, 0) == LUA_OK && lua_gettop(L) == 2 && lua_tointeger(L, 2) == 1);
  lua_settop(L, 1);
  load(L, "local function f() error('oops', 0) end f()");
  CHECK(lungo_run(L, 0, 5, 0) == LUA_ERRRUN);
  CHECK(lua_gettop(L) == 2 && strcmp(lua_tostring(L, 2), "oops") == 0 && strcmp(lua_tostring(L, 1), "below") == 0);
  lua_settop(L, 1);
  load(L, "return coroutine.isyieldable(), select(2, coroutine.running())");
  CHECK(lungo_run(L, 0, 2, 0) == LUA_OK && !lua_toboolean(L, 2) && lua_toboolean(L, 3));
  lua_close(L);
}

// Between two runs nothing else moves; in the next one it goes on.
static void test_frozen(int flags) {
  lua_State *L = open_state();
  lungo_maxprocs(L, 3);
  run(L, "n = 0 go(function() while true do n = n + 1 end end) repeat time.sleep(0.001) until n > 0", flags);
  lua_Integer a = number(L, "n");
  usleep(20000);
  CHECK(a > 0 && number(L, "n") == a);
  lua_gc(L, LUA_GCCOLLECT, 0);
  run(L, "local a = n repeat time.sleep(0.001) until n > a", flags); // however busy the machine is
  lua_close(L);
}

static void sleep_a_bit(void *arg) { usleep(*(useconds_t *)arg); }

// A host that waits lets the others run.
static void test_blocking(int procs) {
  lua_State *L = open_state();
  useconds_t us = 30000;
  lungo_maxprocs(L, procs);
  run(L, "n = 0 go(function() while true do n = n + 1 time.sleep(0.001) end end)", 0);
  lua_Integer a = number(L, "n");
  for (int i = 0; i < 1000 && number(L, "n") == a; i++) lungo_blocking(L, sleep_a_bit, &us); // on a busy machine: again
  CHECK(number(L, "n") > a);
  lua_close(L);
}

// Outside of lungo_run the thread waits where main parks.
static void test_pcall(int procs) {
  lua_State *L = open_state();
  lungo_maxprocs(L, procs);
  for (int i = 0; i < 50; i++) {
    load(L, "local c, d = chan(), chan() go(function() for i = 1, 20 do c:send(i) end c:close() end)"
            "local s = 0 for v in c do s = s + v end time.sleep(0.0001) runtime.gosched() return s");
    CHECK(lua_pcall(L, 0, 1, 0) == LUA_OK && lua_tointeger(L, -1) == 210);
    lua_settop(L, 0);
  }
  lua_close(L);
}

static void test_universes(void) {
  lua_State *L[4];
  for (int i = 0; i < 4; i++) L[i] = open_state();
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < 4; i++)
      run(L[i],
          "local wg = sync.waitgroup() for i = 1, 100 do wg:go(function() local t = {} for k = 1, 100 do t[k] = {} end"
          " end) end wg:wait() collectgarbage()",
          0);
  for (int i = 0; i < 4; i++) lua_close(L[i]);
}

// Closed while goroutines compute, wait, sleep, wait below C functions, are locked to threads.
static void test_close(int flags, int procs) {
  lua_State *L = open_state();
  lungo_maxprocs(L, procs);
  run(L,
      "c = chan() for i = 1, 3 do"
      " go(function() while true do end end)"
      " go(function() local _ = c:recv() end)"
      " go(function() time.sleep(100) end)"
      " go(function() table.sort({1, 2, 3}, function(a, b) c:recv() return a < b end) end)"
      " go(function() runtime.lockosthread() c:recv() end)"
      " end go(function() while true do runtime.gosched() end end) time.sleep(0.03)",
      flags);
  lua_close(L);
}

static void test_keep(void) {
  lua_State *L = open_state();
  FILE *saved = stderr;
  int old = dup(2);
  CHECK(freopen("/dev/null", "w", stderr) != NULL);
  run(L, "go(function() error('reported') end) time.sleep(0.01) ok = 1", LUNGO_KEEP);
  dup2(old, 2);
  stderr = saved;
  CHECK(number(L, "ok") == 1);
  lua_close(L);
}

// Main ends on another thread while this one runs somebody else.
static void test_main_elsewhere(void) {
  for (int i = 0; i < 30; i++) {
    lua_State *L = open_state();
    lungo_maxprocs(L, 2 + i % 2);
    run(L,
        "local c = chan() go(function() local x = 0 while true do x = x + 1 end end)"
        "go(function() table.sort({3, 2, 1}, function(a, b) time.sleep(0.002) return a < b end) chan():recv() end)"
        "for i = 1, 20 do go(function() c:send(i) end) end for i = 1, 20 do c:recv() end time.sleep(0.001)",
        LUNGO_PANIC);
    lua_close(L);
  }
}

// A function that waits, called in a state that nobody resumes.
static int borrow(lua_State *L) {
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_call(co, 0, 1);
  lua_xmove(co, L, 1);
  return 1;
}

static void test_borrowed(void) {
  lua_State *L = open_state();
  lua_register(L, "borrow", borrow);
  run(L,
      "local mu, r, n = sync.mutex(), chan(10), 0\n"
      "mu:lock()\n"
      "local function wait(i) mu:lock() mu:unlock() return i end\n"
      "for i = 1, 10 do go(function() r:send(borrow(function() return wait(i) end)) end) end\n"
      "time.sleep(0.01)\n"
      "mu:unlock()\n"
      "for i = 1, 10 do n = n + r:recv() end\n"
      "assert(n == 55)",
      0);
  lua_close(L);
}

int main(void) {
  test_results();
  test_borrowed();
  for (int flags = 0; flags < 2; flags++) test_frozen(flags);
  for (int procs = 1; procs < 4; procs++) {
    test_blocking(procs);
    test_pcall(procs);
    test_close(0, procs);
    test_close(LUNGO_PANIC, procs);
  }
  test_universes();
  test_keep();
  test_main_elsewhere();
  puts("host ok");
  return 0;
}
