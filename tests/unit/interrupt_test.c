// SPDX-License-Identifier: MIT
//
// interrupt_test.c: lungo_interrupt in every state a goroutine can be in, deadlocks under LUNGO_KEEP, and the functions
// of lungo.h that look into a running program. Protects: runtime/interrupt.c, stdlib/inspect.c.
#include "lungo.h"
#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

static const char *text; // of the present case, for messages
static atomic_bool over;
static int how;
static long long target;

// An interrupt asked for before the run has begun is forgotten: so it is repeated until the run is over.
static void *interrupter(void *L) {
  while (usleep(1000), !atomic_load(&over)) lungo_interrupt(L, target, how);
  return NULL;
}

static int run(lua_State *L, const char *code) {
  text = code;
  lua_settop(L, 0);
  if (luaL_loadbuffer(L, code, strlen(code), "=case") != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    exit(1);
  }
  return lungo_run(L, 0, 0, LUNGO_KEEP);
}

static void expect(lua_State *L, int status, const char *message) {
  const char *got = status == LUA_OK ? "no error" : lua_tostring(L, -1);
  if (status == LUA_ERRRUN && got != NULL && strstr(got, message) != NULL) return;
  fprintf(stderr, "%s\nstatus %d: %s\nexpected: %s\n", text, status, got != NULL ? got : "(no string)", message);
  exit(1);
}

static int run_interrupted(lua_State *L, const char *code, long long id, int kind) {
  pthread_t t;
  atomic_store(&over, false);
  how = kind;
  target = id;
  CHECK(pthread_create(&t, NULL, interrupter, L) == 0);
  int status = run(L, code);
  atomic_store(&over, true);
  pthread_join(t, NULL);
  return status;
}

static void run_ok(lua_State *L, const char *code) {
  int status = run(L, code);
  if (status == LUA_OK) return;
  fprintf(stderr, "%s\nstatus %d: %s\n", code, status, lua_tostring(L, -1));
  exit(1);
}

#define NESTED(wait) "local t = {3, 1, 2} table.sort(t, function(a, b) " wait " return a < b end)"

// What is there before, how a goroutine waits for ever, and what shows that the object has forgotten it. The ticker
// keeps the program from being dead.
static const char *const waits[][3] = {
    {"", "while true do end", ""},
    {"", "local function f() return f() end f()", ""},
    {"C = chan()", "C:recv()", "go(function() C:send(1) end) assert(C:recv() == 1)"},
    {"C = chan()", "C:send(7)", "go(function() C:send(1) end) assert(C:recv() == 1 and #C == 0)"},
    {"C = chan()", "local x = <-C", "go(function() C:send(1) end) assert(C:recv() == 1)"},
    {"C = chan()", "C <- 7", "go(function() C:send(1) end) assert(C:recv() == 1)"},
    {"C = chan(1) C <- 5", "C <- 7", "assert(C:recv() == 5 and select('#', C:tryrecv()) == 3 and #C == 0)"},
    {"C = chan()", "for v in C do end", "go(function() C:send(1) end) assert(C:recv() == 1)"},
    {"", "local n local x = <-n", ""},
    {"A, B = chan(), chan()", "select case <-A then case B <- 3 then end",
     "assert(not A:trysend(1)) assert(select(3, B:tryrecv()) == false)"},
    {"A, B = chan(), chan()", "select{{recv = A}, {send = B, value = 3}}",
     "assert(not A:trysend(1)) assert(select(3, B:tryrecv()) == false)"},
    {"", "select end", ""},
    {"", "time.sleep(3600)", ""},
    {"", NESTED("time.sleep(3600)"), ""},
    {"", NESTED("<-chan()"), ""},
    {"", NESTED("select{}"), ""},
    {"M = sync.mutex() M:lock()", "M:lock()", "M:unlock() assert(M:trylock()) M:unlock()"},
    {"M = sync.rwmutex() M:rlock()", "M:lock()",
     "assert(M:tryrlock()) M:runlock() M:runlock() assert(M:trylock()) M:unlock()"},
    {"M = sync.rwmutex() M:lock()", "M:rlock()", "M:unlock() assert(M:trylock())"},
    {"W = sync.waitgroup() W:add(2)", "W:wait()", "W:done() W:done() W:wait()"},
    {"O = sync.once()", "O(function() O(print) end)", "O(error)"},
    {"S = sync.semaphore(2) S:acquire()", "S:acquire(2)",
     "assert(S:tryacquire()) S:release(2) assert(S:tryacquire(2))"},
    {"M = sync.mutex() K = sync.cond(M)", "local _ <close> = M:lock() while true do K:wait() end",
     "local _ <close> = M:lock() go(function() M:lock() K:signal() M:unlock() end) K:wait()"},
    {"C = chan()", "coroutine.wrap(function() C:recv() end)()", "go(function() C:send(1) end) assert(C:recv() == 1)"},
};

static void test_every_wait(lua_State *L) {
  run_ok(L, "hope = time.ticker(3600)");
  for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
    run_ok(L, waits[i][0]);
    expect(L, run_interrupted(L, waits[i][1], 1, LUNGO_RAISE), "interrupted!");
    run_ok(L, waits[i][2]);
    run_ok(L, waits[i][0]);
    CHECK(run_interrupted(L, waits[i][1], 1, LUNGO_END) == LUNGO_EXITED);
    run_ok(L, waits[i][2]);
  }
}

static void test_catchable(lua_State *L) {
  run_ok(L, "x = setmetatable({}, {__close = function() closed = 1 end})");
  CHECK(run_interrupted(L, "while true do pcall(function() while true do end end) end", 1, LUNGO_END) == LUNGO_EXITED);
  do { // once more if the interrupt came before the variable was there
    CHECK(run_interrupted(L, "local x <close> = x while true do end", 1, LUNGO_END) == LUNGO_EXITED);
    lua_getglobal(L, "closed");
  } while (lua_isnil(L, -1));
  CHECK(run(L, "pcall(runtime.goexit) error('not reached')") == LUNGO_EXITED);
  CHECK(run(L, "return pcall(runtime.goexit)") == LUNGO_EXITED);
}

// The wait, until another goroutine has seen that it waits.
static void interrupt_until_noticed(lua_State *L, const char *code, int by) {
  lua_Integer noticed;
  do {
    expect(L, run_interrupted(L, code, 1, LUNGO_RAISE), "interrupted!");
    lua_getglobal(L, "NOTICED");
    noticed = lua_tointeger(L, -1);
  } while (noticed != by);
}

// Waiters behind the one that leaves go on if only it kept them.
static void test_others_go_on(lua_State *L) {
  run_ok(L, "hope = time.ticker(3600) M, DONE = sync.rwmutex(), chan() M:rlock() "
            "go(function() while M:tryrlock() do M:runlock() end NOTICED = 1 M:rlock() DONE <- true end)");
  interrupt_until_noticed(L, "M:lock()", 1);
  run_ok(L, "if M:trylock() then error('locked') end");
  run_ok(L, "S, DONE2 = sync.semaphore(2), chan() S:acquire() "
            "go(function() while S:tryacquire() do S:release() runtime.gosched() end NOTICED = 2 S:acquire() DONE2 <- "
            "true end)");
  interrupt_until_noticed(L, "S:acquire(2)", 2);
  run_ok(L, "local out = time.after(60) select case <-DONE then case <-out then error('DONE') end "
            "select case <-DONE2 then case <-out then error('DONE2') end");
}

static void test_deadlocks(lua_State *L) {
  static const char *const dead[] = {
      "<-chan()",
      "chan():recv()",
      "local c = chan() c <- 1",
      "select{}",
      "select end",
      "local n local x = <-n",
      "local m = sync.mutex() m:lock() m:lock()",
      "local w = sync.waitgroup() w:add() w:wait()",
      "go(function() select{} end) <-chan()",
      NESTED("<-chan()"),
      "local m = sync.mutex() local c = sync.cond(m) m:lock() while true do c:wait() end",
  };
  for (size_t i = 0; i < sizeof dead / sizeof *dead; i++)
    expect(L, run(L, dead[i]), "all goroutines are asleep - deadlock!");
  run_ok(L, "local c = chan() go(function() time.sleep(0.01) c <- 1 end) assert(<-c == 1)");
  run_ok(L, "<-time.after(0.01)");
  run_ok(L, "local ok, e = pcall(function() <-chan() end) assert(not ok and e:find('deadlock'))");
}

static void wait_a_little(void *arg) {
  (void)arg;
  usleep(1000);
}

// All goroutines but goroutine 1, which is the host's code now.
static void test_all(lua_State *L) {
  run_ok(L, "N = 0 for i = 1, 50 do go(function() local d <close> = defer(function() N = N + 1 end) select{} end) end "
            "go(function() while true do end end) go(function() pcall(chan().recv, chan()) while true do end end)");
  CHECK(lungo_interrupt(L, 0, LUNGO_END) == 0);
  lungo_Goroutine g[3];
  while (lungo_goroutines(L, g, 3) > 1) lungo_blocking(L, wait_a_little, NULL);
  CHECK(g[0].id == 1);
  CHECK(lungo_interrupt(L, -1, LUNGO_END) == -EINVAL && lungo_interrupt(L, 1, 3) == -EINVAL);
  CHECK(lungo_interrupt(L, 1000000, LUNGO_END) == 0);
}

static void test_goroutines(lua_State *L) {
  run_ok(L, "C = chan()\ngo(function()\n  C:recv() end)\nruntime.gosched()");
  lungo_Goroutine g[4];
  do {
    lungo_blocking(L, wait_a_little, NULL);
    CHECK(lungo_goroutines(L, g, 4) == 2);
  } while (strcmp(g[1].state, "chan receive") != 0);
  CHECK(g[1].id > 1 && g[1].created_by == 1);
  CHECK(strcmp(g[1].where, "case:3") == 0 && strcmp(g[1].created_where, "case:2") == 0);
  lua_getglobal(L, "C");
  lungo_Chaninfo c;
  CHECK(lungo_chaninfo(L, -1, &c) == 1 && c.type == NULL && c.cap == 0 && c.len == 0 && c.receivers == 1);
  CHECK(!c.closed && c.senders == 0 && c.cansend && c.canrecv);
  run_ok(L, "C:close() D = chan('string', 3):sender() D <- 'x'");
  lua_getglobal(L, "D");
  CHECK(lungo_chaninfo(L, -1, &c) == 1 && strcmp(c.type, "string") == 0 && c.cap == 3 && c.len == 1 && !c.canrecv);
  run_ok(L, "E = chan(1000) E <- 1 E <- 2");
  lua_getglobal(L, "E");
  CHECK(lungo_chaninfo(L, -1, &c) == 1 && c.cap == 1000 && c.len == 2);
  CHECK(lungo_chaninfo(L, 99, &c) == 0);
  char hint[64];
  CHECK(lungo_hint(L, "x:1: attempt to call a nil value (global 'prnt')", hint, sizeof hint) == 1);
  CHECK(strcmp(hint, "did you mean 'print'?") == 0);
  CHECK(lungo_hint(L, "x:1: attempt to call a nil value (global 'unlikely')", hint, sizeof hint) == 0);
  luaL_loadstring(L, "return function(a) return a + 1 end");
  CHECK(lungo_disassemble(L, -1) == 1 && strstr(lua_tostring(L, -1), "RETURN") != NULL);
  lua_pushcfunction(L, luaopen_base);
  CHECK(lungo_disassemble(L, -1) == 0 && lungo_disassemble(L, 1) == 0);
}

// Each in a state of its own, as some leave goroutines and tickers behind.
int main(void) {
  static void (*const tests[])(lua_State *) = {test_every_wait, test_catchable, test_others_go_on,
                                               test_deadlocks,  test_all,       test_goroutines};
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
    lua_State *L = luaL_newstate();
    CHECK(L != NULL);
    lungo_openlibs(L);
    tests[i](L);
    lua_close(L);
  }
  return 0;
}
