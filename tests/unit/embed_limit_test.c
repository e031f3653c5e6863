// SPDX-License-Identifier: MIT
//
// embed_limit_test.c: hostile scripts under limits: each is stopped soon after its limit, and the runtime goes on.
// Usage: embed_limit_test [rounds]   (with rounds: prints for each script the worst delay, by the clock, and as far as
// it can be due to work done; the difference is the load of the machine)
#include "lungo.h"
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

static double clock_of(clockid_t id) {
  struct timespec ts;
  clock_gettime(id, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static double now(void) { return clock_of(CLOCK_MONOTONIC); }
static double cpu(void) { return clock_of(CLOCK_PROCESS_CPUTIME_ID); }

#define LIMIT 0.02 // seconds a script may take

static const char *const hostile[] = {
    "while true do end",
    "repeat until false",
    "for i = 1, math.huge do end",
    "::top:: goto top",
    "local function f() return f() end f()",
    "local function f() pcall(f) return f() end f()",
    "while true do pcall(error) end",
    "local function f() while true do pcall(f) end end f()",
    "while true do pcall(function() while true do end end) end",
    "while true do xpcall(function() while true do end end, function() while true do end end) end",
    "while true do coroutine.wrap(function() pcall(function() while true do end end) end)() end",
    "local function f() coroutine.wrap(f)() end while true do pcall(f) end",
    "while true do local ok = pcall(coroutine.close, coroutine.create(print)) end",
    "local t = {} while true do t[#t + 1] = {} end",
    "local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end",
    "local s = 'x' while true do pcall(function() s = s .. s end) end",
    "local s = 'x' while true do pcall(string.rep, s, 1 << 40) end",
    "while true do local s = ('x'):rep(1 << 20) end",
    "while true do go(function() while true do end end) end",
    "local function f() go(f) go(f) end f()",
    "while true do pcall(go, function() chan():recv() end) end",
    "local function f() time.afterfunc(0, f) end f() chan():recv()",
    "for i = 1, 100 do time.afterfunc(0.001, function() while true do end end) end chan():recv()",
    "local function f(...) return f(1, ...) end while true do pcall(f) end",
    "local function f() return 1 + f() end while true do pcall(f) end",
    "local t = setmetatable({}, {}) getmetatable(t).__index = t while true do pcall(function() return t.x end) end",
    "local t = setmetatable({}, {__index = function(t, k) return t[k] end}) while true do pcall(function() return t.x "
    "end) end",
    "string.find(('a'):rep(40), ('a-'):rep(40) .. 'b')",
    "pcall(string.find, ('a'):rep(3000), ('.-'):rep(30) .. 'b') while true do pcall(string.find, ('a'):rep(30), "
    "('a-'):rep(30) .. 'b') end",
    "string.match(('a'):rep(100), '(a*)*(a*)*(.-)(.-)(.-)(.-)(.-)(.-)(.-)b')",
    "string.gsub(('a'):rep(100000), '.-.-.-.-b', '')",
    "for _ in string.gmatch(('a'):rep(100000), '.-.-.-.-b') do end",
    "while true do string.gsub(('a'):rep(1000), '.', function() return 'b' end) end",
    "while true do pcall(string.gsub, 'aaaa', '.', function() while true do end end) end",
    "table.sort({3, 2, 1, 5, 4}, function(a, b) while true do end end)",
    "while true do pcall(table.sort, {3, 2, 1, 5, 4}, function(a, b) while true do end end) end",
    "table.move({}, 1, 1 << 60, 2)",
    "pcall(table.concat, setmetatable({}, {__len = function() return 1 << 60 end, __index = function() return '' "
    "end}))",
    "table.unpack(setmetatable({}, {__index = function() while true do end end}), 1, 100)",
    "load(function() return ' ' end)",
    "load(function() while true do end end)",
    "while true do load(('x = 1 '):rep(10000)) end",
    "local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
    "defer(function() while true do end end) local _ <close> = defer(function() while true do end end) error('x')",
    "local function f() local x <close> = setmetatable({}, {__close = f}) end while true do f() end",
    "while true do setmetatable({}, {__gc = function() while true do end end}) end",
    "local function f() setmetatable({}, {__gc = f}) end f() while true do collectgarbage() end",
    "setmetatable({}, {__gc = function() while true do end end}) collectgarbage() while true do end",
    "while true do pcall(setmetatable({}, {__call = function(self) return self() end})) end",
    "local c = chan(1) while true do c:send(1) c:recv() end",
    "local a, b = chan(), chan() go(function() for v in a do b:send(v) end end) while true do a:send(1) b:recv() end",
    "while true do select{default = true} end",
    "while true do time.sleep(0) end",
    "local m = sync.mutex() m:lock() m:lock()",
    "local m = sync.mutex() for i = 1, 50 do go(function() while true do m:lock() pcall(m.unlock, m) end end) end "
    "chan():recv()",
    "chan():recv()",
    "for i = 1, 1000 do go(function() chan():recv() end) end select{}",
    "time.sleep(1000)",
    "local t = {} for i = 1, 1000 do t[i] = i end while true do for k in pairs(t) do t[k] = nil t[k] = 1 end end",
    "while true do tostring(setmetatable({}, {__tostring = function() while true do end end})) end",
    "print(setmetatable({}, {__tostring = function() while true do end end}))",
    "while true do utf8.char(utf8.codepoint(('x'):rep(1000), 1, -1)) end",
    "while true do math.random() end",
    "while true do string.format('%99d', 1) end",
    "local s = ('x'):rep(1 << 22) while true do s:reverse():upper():find('y', 1, true) end",
    "while true do setmetatable({}, {__gc = function() pcall(function() while true do end end) end}) end",
    "local t = {} for i = 1, 1e5 do t[i] = i % 7 .. '' end while true do table.concat(t) end",
    "local t = {} for i = 1, 1e5 do t[i] = i * 7919 % 100003 end while true do table.sort(t, function(a, b) return a < "
    "b end) table.sort(t, function(a, b) return a > b end) end",
    "local t = {} for i = 1, 3e5 do t[i] = i * 7919 % 300007 end while true do table.sort(t) table.sort(t, math.ult) "
    "end",
    "while true do load('return ' .. ('{'):rep(150) .. ('}'):rep(150)) load(('a=b '):rep(1 << 18)) end",
    "while true do pcall(load, ('('):rep(1 << 20)) load('x = ' .. ('1 + '):rep(1 << 16) .. '1') end",
    "local s = ('x'):rep(1 << 20) while true do string.format(('%s'):rep(20), s, s, s, s, s, s, s, s, s, s, s, s, s, "
    "s, s, "
    "s, s, s, s, s) end",
    "local s = ('a'):rep(1 << 22) while true do s:find(('a'):rep(1 << 20) .. 'b', 1, true) end",
    "local s = ('a'):rep(1 << 22) while true do s:gsub('%a+', '%0') s:gsub('a', 'b') s:gsub('a', {}) end",
    "string.find(('('):rep(1 << 20), ('%b()'):rep(20))",
    "string.pack(('i8'):rep(1 << 20), 1)",
    "while true do pcall(string.pack, ('z'):rep(1 << 16), '') end",
    "local t = table.pack(table.unpack({}, 1, 1e5)) while true do select('#', table.unpack(t, 1, 1e5)) end",
    "local co = {} while true do local function f() pcall(coroutine.yield) while true do end end co[#co + 1] = "
    "coroutine.create(f) pcall(coroutine.resume, co[#co]) pcall(coroutine.close, co[#co]) end",
    "local function chain(n) if n == 0 then while true do end end local f = coroutine.wrap(function() pcall(chain, n - "
    "1) "
    "while true do end end) while true do pcall(f) end end chain(100)",
    "while true do local s = 0 for i, v in ipairs(setmetatable({}, {__index = function(_, i) return i end})) do s = s "
    "+ "
    "v end end",
    "while true do next({}) rawlen({}) end",
    "local a = {} for i = 1, 1 << 20 do a[i] = i end while true do table.move(a, 1, #a, 2) table.insert(a, 1, 1) end",
    "while true do tostring(2 ^ 53):rep(1000):byte(1, -1) end",
    "while true do utf8.len(utf8.char(0x10ffff):rep(1 << 18)) end",
    "sync.once()(function() while true do end end)",
    "local p = sync.pool(function() while true do end end) p:get()",
    "local m = sync.map() m:store(1, 1) m:range(function() while true do end end)",
};

static void discard(void *ud, const char *text, size_t len) {
  (void)ud;
  (void)text;
  (void)len;
}

static void ignore(void *ud, const char *text) {
  (void)ud;
  (void)text;
}

static lungo_Runtime *open_runtime(int procs) {
  lungo_Options o;
  char err[200] = "";
  lungo_defaults(&o);
  o.processors = procs;
  o.memory = 64 << 20;
  o.libs = LUNGO_LIB_SAFE;
  o.flags = LUNGO_SANDBOX;
  o.time = LIMIT;
  o.goroutines = 10000;
  o.finalizer_time = 0.02;
  o.output = discard;
  o.panic = ignore;
  lungo_Runtime *rt = lungo_new(&o, err, sizeof err);
  if (rt == NULL) fprintf(stderr, "%s\n", err);
  CHECK(rt != NULL);
  return rt;
}

// The host goes on: an honest run is served.
static void check_alive(lungo_Runtime *rt, const char *after) {
  lungo_Task *t = NULL;
  for (int i = 0; i < 100; i++) { // memory of the last run may still have to be collected
    t = lungo_start(rt,
                    &(lungo_Job){.code = "local c = chan() go(function() c:send(1) end) return c:recv()", .time = 5});
    CHECK(t != NULL);
    int r = lungo_wait(t, 20);
    if (r == LUNGO_OK) break;
    if (r != LUNGO_ERROR) fprintf(stderr, "after %s: %d %s\n", after, r, lungo_error(t));
    CHECK(r == LUNGO_ERROR && i < 99);
    lungo_release(t);
  }
  lungo_release(t);
}

typedef struct Late {
  double wall; // seconds from the limit to the end
  double work; // of this, what the process can have worked: the rest is the machine's, busy with others
} Late;

static Late one(lungo_Runtime *rt, int procs, const char *code) {
  double begin = now(), begin_cpu = cpu();
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = code});
  CHECK(t != NULL);
  int r = lungo_wait(t, 20);
  Late late = {.wall = now() - begin - LIMIT, .work = (cpu() - begin_cpu) / procs - LIMIT};
  // On a busy machine a copy of many megabytes may outlast the patience for C functions; but it ends, too.
  bool ended = r == LUNGO_LIMIT || r == LUNGO_OK || r == LUNGO_ERROR || r == LUNGO_STUCK;
  if (!ended) fprintf(stderr, "%s: %d %s\n", code, r, lungo_error(t));
  CHECK(ended && lungo_cancelall(rt, 20) == LUNGO_OK);
  lungo_release(t);
  return late;
}

static void rounds(int n, double most) {
  for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
    Late worst = {-1, -1};
    int over = 0, ours = 0;
    for (int k = 0; k < n; k++) {
      static lungo_Runtime *rt[3];
      int procs = 1 + k % 2;
      if (rt[procs] == NULL) rt[procs] = open_runtime(procs);
      Late late = one(rt[procs], procs, hostile[i]);
      if (late.wall > worst.wall) worst.wall = late.wall;
      if (late.work > worst.work) worst.work = late.work;
      over += late.wall > 0.05;
      ours += late.work > 0.05;
      if (k >= n - 2) {
        check_alive(rt[procs], hostile[i]);
        if (n > 2) continue;
      }
      if (k >= n - 2 && i + 1 == sizeof hostile / sizeof *hostile) {
        CHECK(lungo_free(rt[procs], 1) == LUNGO_OK);
        rt[procs] = NULL;
      }
    }
    if (n > 2)
      printf("%6.1f ms worst, %3d of %d late; of work %6.1f ms, %3d: %s\n", worst.wall * 1e3, over, n, worst.work * 1e3,
             ours, hostile[i]);
    fflush(stdout);
    if (worst.wall > most) fprintf(stderr, "%s: stopped %.1f ms late\n", hostile[i], worst.wall * 1e3);
    CHECK(worst.wall <= most);
  }
}

static void test_instructions(void) {
  lungo_Runtime *rt = open_runtime(1);
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = "while true do pcall(function() while true do end end) end",
                                               .time = -1,
                                               .instructions = 1000000});
  CHECK(lungo_wait(t, 20) == LUNGO_LIMIT);
  lungo_release(t);
  t = lungo_start(rt, &(lungo_Job){.code = "for i = 1, 1000 do coroutine.wrap(function() go(function() for i = 1, "
                                           "10000 do end end) end)() end chan():recv()",
                                   .time = -1,
                                   .instructions = 1000000});
  CHECK(lungo_wait(t, 20) == LUNGO_LIMIT);
  lungo_release(t);
  t = lungo_start(rt, &(lungo_Job){.code = "for i = 1, 100000 do end return 1", .time = -1, .instructions = 1000000});
  CHECK(lungo_wait(t, 20) == LUNGO_OK);
  lungo_release(t);
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

static void test_goroutines(void) {
  lungo_Runtime *rt = open_runtime(2);
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = "for i = 1, 99 do go(function() chan():recv() end) end return 1",
                                               .time = -1,
                                               .goroutines = 100});
  CHECK(lungo_wait(t, 20) == LUNGO_OK);
  lungo_cancel(t);
  lungo_release(t);
  t = lungo_start(rt, &(lungo_Job){.code = "for i = 1, 100 do pcall(go, function() chan():recv() end) end return 1",
                                   .time = -1,
                                   .goroutines = 100});
  CHECK(lungo_wait(t, 20) == LUNGO_LIMIT);
  lungo_release(t);
  CHECK(lungo_cancelall(rt, 5) == LUNGO_OK);
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

static void test_memory(void) {
  lungo_Runtime *rt = open_runtime(2);
  lungo_Task *t = lungo_start(
      rt, &(lungo_Job){.code = "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end", .time = -1});
  CHECK(lungo_wait(t, 60) == LUNGO_ERROR && strstr(lungo_error(t), "not enough memory") != NULL);
  lungo_release(t);
  check_alive(rt, "memory");
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

int main(int argc, char **argv) {
  if (argc > 1) {
    rounds(atoi(argv[1]), 1e9);
    return 0;
  }
  test_instructions();
  test_goroutines();
  test_memory();
  rounds(2, 10); // how late exactly depends on how busy the machine is
  puts("embed limit ok");
  return 0;
}
