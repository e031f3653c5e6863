// SPDX-License-Identifier: MIT
//
// embed_test.c: runtimes made by lungo_new: runs and their results, errors, values, output and panic handlers, several
// runtimes, sandbox, shutting down from every state.
#include "lungo.h"
#include <lauxlib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

static double now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static lungo_Runtime *open_runtime(const lungo_Options *o) {
  char err[200] = "";
  lungo_Runtime *rt = lungo_new(o, err, sizeof err);
  if (rt == NULL) fprintf(stderr, "lungo_new: %s\n", err);
  CHECK(rt != NULL);
  return rt;
}

static lungo_Task *run(lungo_Runtime *rt, const char *code, int status) {
  lungo_Job job = {.code = code, .name = "=test"};
  lungo_Task *t = lungo_start(rt, &job);
  CHECK(t != NULL);
  int r = lungo_wait(t, 20);
  if (r != status) fprintf(stderr, "%s: status %d: %s\n", code, r, lungo_error(t));
  CHECK(r == status);
  return t;
}

static void test_results(void) {
  lungo_Runtime *rt = open_runtime(NULL);
  lungo_Task *t =
      run(rt, "local c = chan() go(function() c:send(6 * 7) end) return c:recv(), 1.5, 'a\\0b', true, nil", 0);
  CHECK(lungo_nresults(t) == 5 && lungo_result(t, 0)->u.i == 42 && lungo_result(t, 1)->u.n == 1.5);
  CHECK(lungo_result(t, 2)->u.s.len == 3 && memcmp(lungo_result(t, 2)->u.s.data, "a\0b", 4) == 0);
  CHECK(lungo_result(t, 3)->u.b == 1 && lungo_result(t, 4)->type == LUNGO_TNIL);
  CHECK(lungo_result(t, 5)->type == LUNGO_TNIL && lungo_result(t, -1)->type == LUNGO_TNIL);
  lungo_release(t);
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

static int add(lua_State *L) {
  int *sum = lua_touserdata(L, 1);
  *sum += (int)luaL_checkinteger(L, 2);
  lua_pushinteger(L, *sum);
  return 1;
}

static void test_jobs(void) {
  lungo_Runtime *rt = open_runtime(NULL);
  lungo_release(run(rt, "m = {twice = function(x) return 2 * x end}", 0));
  lungo_Value arg = lungo_integer(21);
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.global = "m.twice", .nargs = 1, .args = &arg});
  CHECK(lungo_wait(t, -1) == LUNGO_OK && lungo_result(t, 0)->u.i == 42);
  lungo_release(t);
  t = run(rt, "return m.twice, {1, 2}", 0);
  lungo_Ref *f = lungo_ref_retain(lungo_result(t, 0)->u.ref);
  lungo_release(t);
  t = lungo_start(rt, &(lungo_Job){.function = f, .nargs = 1, .args = &arg});
  CHECK(lungo_wait(t, -1) == LUNGO_OK && lungo_result(t, 0)->u.i == 42);
  lungo_release(t);
  int sum = 1;
  t = lungo_start(rt, &(lungo_Job){.cfunction = add, .cud = &sum, .nargs = 1, .args = &arg});
  CHECK(lungo_wait(t, -1) == LUNGO_OK && sum == 22);
  lungo_release(t);
  t = lungo_start(rt, &(lungo_Job){.file = "/nonexistent/x.lua"});
  CHECK(lungo_wait(t, -1) == LUNGO_ERROR && strstr(lungo_error(t), "cannot open /nonexistent/x.lua") != NULL);
  lungo_release(t);
  CHECK(lungo_start(rt, &(lungo_Job){0}) == NULL);
  t = run(rt, "local function f() error('oops') end f()", LUNGO_ERROR);
  CHECK(strncmp(lungo_error(t), "test:1: oops\nstack traceback:\n", 29) == 0 && strstr(lungo_error(t), "in local 'f'"));
  lungo_release(t);
  lungo_release(run(rt, "x = = 1", LUNGO_ERROR));
  lungo_release(run(rt, "runtime.goexit()", LUNGO_OK));
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
  lungo_ref_release(f); // after its runtime
}

static char output[200], panics[2000];

static void on_output(void *ud, const char *text, size_t len) {
  CHECK(ud == output);
  strncat(output, text, len);
}

static void on_panic(void *ud, const char *text) {
  (void)ud;
  strncat(panics, text, sizeof panics - strlen(panics) - 1);
}

static int setup(lua_State *L) {
  CHECK(lungo_runtime(L) != NULL && lungo_userdata(lungo_runtime(L)) == lua_touserdata(L, 1));
  lua_pushinteger(L, 7);
  lua_setglobal(L, "host_number");
  return 0;
}

static void test_handlers(void) {
  lungo_Options o;
  lungo_defaults(&o);
  o.output = on_output;
  o.panic = on_panic;
  o.ud = output;
  o.setup = setup;
  o.flags = LUNGO_FAILALL;
  lungo_Runtime *rt = open_runtime(&o);
  lungo_release(run(rt, "print('a', host_number) io.write('b', 1) io.stdout:write('c')", LUNGO_OK));
  CHECK(strcmp(output, "a\t7\nb1c") == 0);
  lungo_Task *waits = lungo_start(rt, &(lungo_Job){.code = "chan():recv()"});
  lungo_release(run(rt, "go(function() error('from a goroutine', 0) end)", LUNGO_OK));
  CHECK(lungo_wait(waits, 20) == LUNGO_CANCELLED);
  CHECK(strncmp(panics, "panic: from a goroutine\n\ngoroutine ", 35) == 0);
  lungo_release(waits);
  lungo_release(run(rt, "return 1", LUNGO_OK));
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
  o.setup = add; // ud is no number: raises
  char err[100];
  CHECK(lungo_new(&o, err, sizeof err) == NULL && strstr(err, "number expected") != NULL);
}

static void test_sandbox(void) {
  lungo_Options o;
  lungo_defaults(&o);
  o.libs = LUNGO_LIB_SAFE;
  o.flags = LUNGO_SANDBOX;
  lungo_Runtime *rt = open_runtime(&o);
  lungo_release(run(rt, "assert(not io and not os and not require and not debug and not dofile and not loadfile)", 0));
  lungo_release(run(
      rt, "mine = 1 assert(mine == 1 and rawget(_G, 'mine') == nil) function f() return mine end assert(f() == 1)", 0));
  lungo_release(run(rt, "assert(mine == nil)", 0));
  static const char *const attempts[] = {"string.rep = nil",
                                         "_G.x = 1",
                                         "rawset(string, 'rep', nil)",
                                         "table.insert(table, 1)",
                                         "setmetatable(_G, {})",
                                         "getmetatable('').__index = nil",
                                         "_G._G = 1",
                                         "chan.x = 1",
                                         "math.pi = 3",
                                         "rawset(_G, 1, 2)",
                                         "local e = load('x = 1') e()",
                                         "getmetatable(chan()).__index.send = nil",
                                         "table.sort(table.move({3, 2, 1}, 1, 3, 1, string))"};
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
    lungo_Task *t = run(rt, attempts[i], LUNGO_ERROR);
    if (strstr(lungo_error(t), "read-only") == NULL) fprintf(stderr, "%s: %s\n", attempts[i], lungo_error(t));
    CHECK(strstr(lungo_error(t), "attempt to modify a read-only table") != NULL);
    lungo_release(t);
  }
  lungo_release(run(rt, "assert(not string.dump and load('\\27Lua') == nil and ('x'):rep(3) == 'xxx')", 0));
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

static void test_cancel(void) {
  lungo_Options o;
  lungo_defaults(&o);
  o.processors = 2;
  lungo_Runtime *rt = open_runtime(&o);
  static const char *const ways[] = {
      "while true do end",
      "chan():recv()",
      "chan():send(1)",
      "local c, d = chan(), chan() select{{recv = c}, {recv = d}}",
      "time.sleep(100)",
      "local m = sync.mutex() m:lock() m:lock()",
      "local m = sync.rwmutex() m:lock() m:rlock()",
      "local m = sync.rwmutex() m:rlock() m:lock()",
      "local w = sync.waitgroup() w:add(1) w:wait()",
      "local c = sync.cond(sync.mutex()) c",
      "sync.semaphore(1):acquire(1) local s = sync.semaphore(1) s:acquire() s:acquire()",
      "while true do pcall(function() while true do end end) end",
      "while true do coroutine.wrap(function() while true do pcall(chan().recv, chan()) end end)() end",
      "local c = chan() table.sort({3, 2, 1}, function() c:recv() end)",
      "select{}",
      "while true do pcall(coroutine.wrap(function() pcall(error) while true do end end)) end",
      "local o = sync.once() go(function() o(function() chan():recv() end) end) time.sleep(0.01) o(print)"};
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    lungo_Task *t =
        lungo_start(rt, &(lungo_Job){.code = i == 9 ? "local m = sync.mutex() m:lock() sync.cond(m):wait()" : ways[i]});
    CHECK(lungo_wait(t, 0.005) == LUNGO_TIMEOUT);
    double begin = now();
    lungo_cancel(t);
    int r = lungo_wait(t, 10);
    if (r != LUNGO_CANCELLED) fprintf(stderr, "%s: %d %s\n", ways[i], r, lungo_error(t));
    CHECK(r == LUNGO_CANCELLED && now() - begin < 2);
    lungo_release(t);
  }
  // Deferred calls run, and none of what they block in for ever holds the end up.
  lungo_release(run(rt,
                    "ran = {} function defers() local _ <close> = defer(function() ran.a = 1 chan():recv() ran.b = 1 "
                    "end) ran.begun = 1 while true do end end",
                    0));
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.global = "defers"});
  lungo_release(run(rt, "while not ran.begun do runtime.gosched() end", 0));
  lungo_cancel(t);
  CHECK(lungo_wait(t, 10) == LUNGO_CANCELLED);
  lungo_release(t);
  lungo_release(run(rt, "assert(ran.a and not ran.b)", 0));
  for (int i = 0; i < 20; i++)
    lungo_release(lungo_start(
        rt, &(lungo_Job){
                .code = "for i = 1, 20 do go(function() while true do time.sleep(0.001) end end) end chan():recv()"}));
  usleep(10000);
  CHECK(lungo_cancelall(rt, 10) == LUNGO_OK);
  t = run(rt, "return runtime.numgoroutine()", 0);
  CHECK(lungo_result(t, 0)->u.i == 1);
  lungo_release(t);
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

static atomic_int gone, come_back, came_back;

static void stay_away(void *unused) {
  (void)unused;
  atomic_fetch_add(&gone, 1);
  while (!atomic_load(&come_back)) usleep(1000);
  atomic_fetch_add(&came_back, 1);
}

static int sleep_in_c(lua_State *L) {
  (void)L;
  stay_away(NULL);
  return 0;
}

static int block_in_c(lua_State *L) {
  lungo_blocking(L, stay_away, NULL);
  return 0;
}

static int c_setup(lua_State *L) {
  lua_register(L, "csleep", sleep_in_c);
  lua_register(L, "cblock", block_in_c);
  return 0;
}

static void test_free(int procs) {
  static const char *const ways[] = {
      "while true do end",
      "chan():recv()",
      "while true do go(function() end) end",
      "local function f() go(f) go(f) end f()",
      "setmetatable({}, {__gc = function() while true do end end}) collectgarbage() while true do end",
      "x = setmetatable({}, {__gc = function() while true do end end})",
      "x = setmetatable({}, {__gc = function() chan():recv() end})",
      "local function f() setmetatable({}, {__gc = f}) end f() while true do collectgarbage() end",
      "for i = 1, 100 do go(function() time.sleep(i) end) end",
      "table.sort({3, 2, 1}, function() time.sleep(100) end)",
      "time.tick(0.0001) time.afterfunc(0.001, function() while true do end end)"};
  lungo_Options o;
  lungo_defaults(&o);
  o.processors = procs;
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    lungo_Runtime *rt = open_runtime(&o);
    lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = ways[i]});
    usleep(3000);
    double begin = now();
    int r = lungo_free(rt, 0.2);
    if (r != LUNGO_OK || now() - begin > 2) fprintf(stderr, "%s: %d, %.3f s\n", ways[i], r, now() - begin);
    CHECK(r == LUNGO_OK && now() - begin < 3);
    r = lungo_wait(t, 0);
    CHECK(r == LUNGO_CANCELLED || r == LUNGO_OK);
    lungo_release(t);
  }
  o.setup = c_setup; // those who are in C: freed when they return
  for (int i = 0; i < 2; i++) {
    lungo_Runtime *rt = open_runtime(&o);
    lungo_Task *t = lungo_start(rt, &(lungo_Job){.global = i ? "csleep" : "cblock"});
    for (int before = atomic_exchange(&gone, 0); before == 0; before = atomic_exchange(&gone, 0)) usleep(1000);
    double begin = now();
    CHECK(lungo_free(rt, 0.02) == LUNGO_STUCK && now() - begin < 10);
    CHECK(lungo_wait(t, 0) == LUNGO_CANCELLED);
    lungo_release(t);
  }
}

static void *one_runtime(void *arg) {
  for (int i = 0; i < 5; i++) {
    lungo_Runtime *rt = open_runtime(NULL);
    lungo_release(run(rt,
                      "local wg = sync.waitgroup() for i = 1, 20 do wg:go(function() local t = {} for k = 1, 50 do "
                      "t[k] = {} end end) end wg:wait()",
                      0));
    CHECK(lungo_free(rt, 5) == LUNGO_OK);
  }
  return arg;
}

static void test_several(void) {
  pthread_t th[4];
  for (int i = 0; i < 4; i++) pthread_create(&th[i], NULL, one_runtime, NULL);
  for (int i = 0; i < 4; i++) pthread_join(th[i], NULL);
}

static void test_cycles(int n) {
  double begin = now();
  for (int i = 0; i < n; i++) CHECK(lungo_free(open_runtime(NULL), 1) == LUNGO_OK);
  if (n > 1000) printf("%d cycles, %.0f us each\n", n, (now() - begin) / n * 1e6);
}

int main(int argc, char **argv) {
  if (argc > 1) {
    test_cycles(atoi(argv[1]));
    return 0;
  }
  test_results();
  test_jobs();
  test_handlers();
  test_sandbox();
  test_cancel();
  for (int procs = 1; procs < 4; procs++) test_free(procs);
  atomic_store(&come_back, 1);
  while (atomic_load(&came_back) < 6) usleep(1000);
  usleep(50000); // what was left to the last thread is freed
  test_several();
  test_cycles(20);
  puts("embed ok");
  return 0;
}
