// SPDX-License-Identifier: MIT
//
// states_test.c: several states in one thread, and in one another: each blocking call gives away the processor of the
// state that makes it, and a worker that visits another state stays its own state's worker.
// Protects: runtime/proc.c (rt_enter), vm/call.c, stdlib/iolib.c.
#include "lungo.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

static void run(lua_State *L, const char *code) {
  if (luaL_dostring(L, code) == LUA_OK) return;
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(!"no error");
}

static lua_State *open_state(void) {
  lua_State *L = luaL_newstate();
  CHECK(L != NULL);
  luaL_openlibs(L);
  return L;
}

// Only a goroutine can write what this one reads; with one processor it needs the reader's. It is back from the system
// before the files are closed: lua_close leaves streams alone while a thread is there (stdlib/ioclose.c), as a leak.
static void read_own_pipe(lua_State *L) {
  int fd[2];
  char code[400];
  CHECK(pipe(fd) == 0);
  snprintf(code, sizeof code,
           "local r, w = assert(io.open('/dev/fd/%d')), assert(io.open('/dev/fd/%d', 'w'))\n"
           "local done = chan()\n"
           "go(function() w:write('hello\\n') w:flush() done <- true end)\n"
           "assert(r:read('l') == 'hello' and <-done) r:close() w:close()",
           fd[0], fd[1]);
  run(L, code);
  close(fd[0]);
  close(fd[1]);
}

static void test_side_by_side(void) {
  lua_State *a = open_state(), *b = open_state(), *c = open_state();
  read_own_pipe(a);
  read_own_pipe(b);
  lua_close(c);
  read_own_pipe(a);
  lua_close(b);
  read_own_pipe(a);
  lua_close(a);
}

static int other_fails(lua_State *L) {
  lua_State *other = open_state();
  CHECK(luaL_dostring(other, "error('x')"));
  CHECK(!luaL_dostring(other, "return 6 * 7") && lua_tointeger(other, -1) == 42);
  lua_close(other);
  read_own_pipe(L);
  return 0;
}

static void test_inside(void) {
  lua_State *a = open_state();
  lua_register(a, "f", other_fails);
  run(a, "f()");
  run(a, "pcall(error) f() io.write('') f()");
  lua_close(a);
}

// Called by goroutines, on workers.
static int visit(lua_State *L) {
  lua_State *other = open_state();
  lua_pushinteger(other, luaL_checkinteger(L, 1));
  lua_setglobal(other, "n");
  run(other, "local t = {} for i = 1, 100 do t[i] = {n} end collectgarbage() n = #t + n io.stdout:write('')");
  lua_getglobal(other, "n");
  lua_Integer n = lua_tointeger(other, -1);
  CHECK(luaL_dostring(other, "error({})"));
  luaL_Buffer buf; // allocates as this worker again
  luaL_buffinit(L, &buf);
  for (int i = 0; i < 1000; i++) luaL_addstring(&buf, "0123456789");
  luaL_pushresult(&buf);
  lua_close(other);
  lua_newtable(L);
  lua_pushinteger(L, n);
  return 1;
}

static int visit_runtime(lua_State *L) {
  lungo_Runtime *rt = lungo_new(NULL, NULL, 0);
  CHECK(rt != NULL);
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = "return 7"});
  CHECK(t != NULL);
  while (lungo_status(t) == LUNGO_TIMEOUT) usleep(100);
  CHECK(lungo_result(t, 0)->u.i == 7);
  lungo_release(t);
  CHECK(lungo_free(rt, 5) == LUNGO_OK);
  lua_pushboolean(L, 1);
  return 1;
}

static void test_workers_visit(void) {
  lua_State *a = open_state();
  lungo_maxprocs(a, 4);
  lua_register(a, "visit", visit);
  lua_register(a, "visitruntime", visit_runtime);
  luaL_loadstring(a,
                  "local wg = sync.waitgroup()\n"
                  "for i = 1, 40 do wg:go(function()\n"
                  "  for j = 1, 5 do assert(visit(i) == i + 100) local t = {} for k = 1, 1000 do t[k] = {k} end end\n"
                  "  if i % 8 == 0 then assert(visitruntime()) end\n"
                  "end) end\n"
                  "wg:wait() collectgarbage()");
  int status = lungo_run(a, 0, 0, 0);
  if (status != LUA_OK) fprintf(stderr, "%s\n", lua_tostring(a, -1));
  CHECK(status == LUA_OK);
  lua_close(a);
}

int main(void) {
  alarm(60);
  setenv("LUNGOMAXPROCS", "1", 1);
  test_side_by_side();
  test_inside();
  test_workers_visit();
  puts("states ok");
  return 0;
}
