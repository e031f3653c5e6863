// SPDX-License-Identifier: MIT
//
// gc_test.c: the collector through lua.h: what lives, what dies, weak tables, finalizers, big and deep structures,
// traced userdata, coroutines, a host that limits memory. Protects: vm/gc.c, gc_mark.c, gc_weak.c, gc_final.c.
#include "gc_int.h"
#include "func.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

static int nchecks;
static void check(int ok, const char *what, int line) {
  if (ok) return;
  printf("not ok: gc_test.c:%d: %s\n", line, what);
  exit(1);
}
#define CHECK(c) (nchecks++, check((c), #c, __LINE__))

static size_t used, limit = SIZE_MAX;
static void *limited_alloc(void *ud, void *p, size_t osize, size_t n) {
  (void)ud;
  size_t old = p != NULL ? osize : 0;
  if (n == 0) {
    used -= old;
    free(p);
    return NULL;
  }
  if (used - old + n > limit) return NULL;
  void *q = realloc(p, n);
  if (q != NULL) used += n - old;
  return q;
}

static char warning[200];
static void keep_warning(void *ud, const char *msg, int more) {
  (void)ud, (void)more;
  strncat(warning, msg, sizeof warning - strlen(warning) - 1);
}

static lua_State *open_universe(void) {
  lua_State *L = lua_newstate(limited_alloc, &used);
  CHECK(L != NULL);
  luaL_openlibs(L);
  lua_setwarnf(L, keep_warning, NULL);
  return L;
}

static void run(lua_State *L, const char *name, const char *code) {
  nchecks++;
  if (luaL_loadbuffer(L, code, strlen(code), name) == LUA_OK && lua_pcall(L, 0, 0, 0) == LUA_OK) return;
  printf("not ok: gc_test.c: %s\n", lua_tostring(L, -1));
  exit(1);
}

static const char weak_code[] =
    "local k, n = {}, 0\n"
    "local v = setmetatable({{}, k, 's' .. 1, 2.5, x = {}, y = k, [k] = {}, [{}] = k}, {__mode = 'v'})\n"
    "collectgarbage()\n"
    "assert(v[1] == nil and v[2] == k and v[3] == 's1' and v[4] == 2.5 and v.x == nil and v.y == k and v[k] == nil)\n"
    "for _ in pairs(v) do n = n + 1 end  assert(n == 5)\n"
    "local w = setmetatable({[{}] = 1, [k] = {}, s = {}, [1 << 60] = 1}, {__mode = 'k'})\n"
    "collectgarbage()  n = 0\n"
    "for _ in pairs(w) do n = n + 1 end  assert(n == 3 and w[k] and w.s and w[1 << 60] == 1)\n"
    "local a = setmetatable({[{}] = k, [k] = {}, [1] = k, [2] = {}, s = 't', b = 1 << 60}, {__mode = 'kv'})\n"
    "collectgarbage()  n = 0\n"
    "for _ in pairs(a) do n = n + 1 end  assert(n == 3 and a[1] == k and a.s == 't' and a.b == 1 << 60)\n";

static const char ephemeron_code[] =
    "local e, first, N = setmetatable({}, {__mode = 'k'}), {}, 3000\n"
    "local k = first\n"
    "for i = 1, N do local nk = {}; e[k] = nk; k = nk end\n" // a chain
    "local other = setmetatable({}, {__mode = 'k'})\n"
    "for i = 1, 100 do local a, b = {}, {}; e[a], other[b], other[a] = b, a, {} end\n" // cycles over two tables
    "collectgarbage()  k = first\n"
    "for i = 1, N do k = assert(e[k]) end\n"
    "local n = 0  for _ in pairs(e) do n = n + 1 end  assert(n == N)\n"
    "assert(next(other) == nil)\n"
    "first, k = nil  collectgarbage()  assert(next(e) == nil)\n";

// A loop over a weak table while it is collected.
static const char pin_code[] =
    "local t = setmetatable({}, {__mode = 'v'})\n"
    "for i = 1, 100 do t['k' .. i] = {} end\n"
    "local n = 0\n"
    "for k, v in pairs(t) do n = n + 1  v = nil  collectgarbage() end\n"
    "assert(n <= 2, n)\n"
    "collectgarbage()  assert(next(t) == nil)\n"
    "t = {}  for i = 1, 100 do t['k' .. i] = i end\n"
    "n = 0  for k, v in pairs(t) do n = n + 1  t[k] = nil  t = nil or t  collectgarbage() end  assert(n == 100)\n"
    "t = {}  for i = 1, 100 do t[{}] = i end\n"
    "for k in next, t do t[k] = nil  collectgarbage() end  assert(next(t) == nil)\n";

static const char final_code[] =
    "collectgarbage('stop')  local log = {}\n"
    "local function new(x) return setmetatable({x}, {__gc = function(o) log[#log + 1] = o[1] end}) end\n"
    "for i = 1, 5 do new(i) end\n"
    "collectgarbage()  assert(table.concat(log, ' ') == '5 4 3 2 1')\n"
    "collectgarbage()  assert(#log == 5)\n"
    // resurrection: everything it refers to is whole; values of weak tables go before, keys after
    "local byvalue, bykey = setmetatable({}, {__mode = 'v'}), setmetatable({}, {__mode = 'k'})\n"
    "local saved, seen\n"
    "do local o = {part = {1, 2, 3}}\n"
    "  byvalue[1], bykey[o] = o, 'note'\n"
    "  setmetatable(o, {__gc = function(x) saved = x; seen = {byvalue[1], bykey[x]} end}) end\n"
    "collectgarbage()  assert(saved.part[3] == 3 and seen[1] == nil and seen[2] == 'note')\n"
    "saved = nil  collectgarbage()  assert(saved == nil and next(bykey) == nil)\n"
    // registered again by setmetatable
    "local n, mt = 0  mt = {__gc = function(o) n = n + 1; setmetatable(o, mt) end}\n"
    "setmetatable({}, mt)  for i = 1, 3 do collectgarbage() end  assert(n == 3)  mt.__gc = nil\n"
    // inside of one the collector cannot be called
    "local res  setmetatable({}, {__gc = function() res = {collectgarbage('count'), collectgarbage()} end})\n"
    "collectgarbage()  assert(res[1] == nil and not res[2])\n"
    // automatic collections run them too, in the middle of Lua code
    "collectgarbage('restart')\n"
    "local done  setmetatable({}, {__gc = function(o) local a, b, c = 1, 2, 3; done = a + b + c end})\n"
    "local x, y = 'x', 'y'  repeat local t = {x, y} until done  assert(x == 'x' and y == 'y')\n";

static const char big_code[] =
    "local a, h = {}, {}\n"
    "for i = 1, 50000 do a[i] = {i}; h['k' .. i] = {i}; h[{}] = i end\n"
    "local l  for i = 1, 300000 do l = {next = l, i} end\n"
    "local deep = {}  local d = deep  for i = 1, 100000 do d[1] = {}; d = d[1] end\n"
    "local f = function() return 0 end  for i = 1, 10000 do local g = f; f = function() return g end end\n"
    "collectgarbage()\n"
    "for i = 1, 50000 do assert(a[i][1] == i and h['k' .. i][1] == i) end\n"
    "for i = 300000, 1, -1 do assert(l[1] == i); l = l.next end\n"
    "for i = 1, 100000 do deep = assert(deep[1]) end\n"
    "for i = 1, 10000 do f = f() end  assert(f() == 0)\n"
    "local before = collectgarbage 'count'  a, h, f = nil  collectgarbage()\n"
    "assert(collectgarbage 'count' < before - 10000)\n";

static const char stack_code[] =
    "local w = setmetatable({}, {__mode = 'k'})\n"
    "local function deep(n) if n == 0 then coroutine.yield() return 0 end return 1 + deep(n - 1) end\n"
    "local co = coroutine.wrap(function(...) local keep = {}; w[keep] = 1; local d = deep(20000)\n"
    "  coroutine.yield(d) local k = keep; coroutine.yield(w[k], ...) return 'end' end)\n"
    "local arg = {}  co(arg)\n"
    "for i = 1, 5 do collectgarbage() end  assert(co() == 20000)\n"
    "for i = 1, 5 do collectgarbage() end\n" // the stack shrinks
    "local x, y = co()  assert(x == 1 and y == arg and co() == 'end')\n"
    "x, y, arg = nil  collectgarbage()  assert(next(w) == nil)\n"
    // what a call has left above the top is garbage
    "; (function() local a, b, c = {}, {}, {}; w[a], w[b], w[c] = 1, 1, 1 end)()\n"
    "collectgarbage()  assert(next(w) == nil)\n";

static const char control_code[] =
    "assert(collectgarbage('isrunning'))  collectgarbage('stop')  assert(not collectgarbage('isrunning'))\n"
    "local done  setmetatable({}, {__gc = function() done = true end})\n"
    "for i = 1, 200000 do local t = {i} end  assert(not done)\n"
    "collectgarbage('restart')  repeat local t = {} until done\n"
    "local mode = collectgarbage('incremental')\n"
    "assert(collectgarbage('generational') == 'incremental' and collectgarbage('incremental') == 'generational')\n"
    "assert(collectgarbage('setpause', 150) == 200 and collectgarbage('setpause', 200) == 148)\n"
    "collectgarbage()  local t = {}  for i = 1, 20000 do t[i] = {} end  collectgarbage()\n"
    "local function steps(n) local i = 0 repeat i = i + 1 until collectgarbage('step', n) return i end\n"
    "local s = steps(10)  assert(s > 10 and steps(5) > s and steps(1000000) == 1)\n"
    "local c = collectgarbage('count')  local x = {}  assert(collectgarbage('count') > c)\n";

static void test_programs(void) {
  lua_State *L = open_universe();
  run(L, "=weak", weak_code);
  run(L, "=ephemeron", ephemeron_code);
  run(L, "=pin", pin_code);
  run(L, "=final", final_code);
  run(L, "=big", big_code);
  run(L, "=stack", stack_code);
  run(L, "=control", control_code);
  run(L, "=error", "setmetatable({}, {__gc = function() error('@oops', 0) end})  collectgarbage()");
  CHECK(strcmp(warning, "error in __gc (@oops)") == 0);
  run(L, "=closing",
      "X = ''  for i = 1, 3 do local mt = {__gc = function() warn('closing' .. i) end}\n"
      "_G['x' .. i] = setmetatable({}, mt) end");
  warning[0] = '\0';
  lua_close(L);
  CHECK(strcmp(warning, "closing3closing2closing1") == 0);
  CHECK(used == 0);
}

// ---- a userdata that refers to objects from its own memory -------------------------------------------------

static void trace_one(struct Marker *m, void *mem) { gc_mark_value(m, mem); }

static void test_trace(void) {
  lua_State *L = open_universe();
  run(L, "=w", "w = setmetatable({}, {__mode = 'v'})");
  Value *v = lua_newuserdatauv(L, sizeof(Value), 0);
  v_setnil(v);
  v_ud(L->top - 1)->trace = trace_one;
  lua_newtable(L);
  v_copy(v, L->top - 1);
  lua_getglobal(L, "w");
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, 1);
  lua_pop(L, 2);
  lua_gc(L, LUA_GCCOLLECT);
  run(L, "=w", "assert(w[1])");
  lua_pop(L, 1);
  lua_gc(L, LUA_GCCOLLECT);
  run(L, "=w", "assert(not w[1])");
  struct GcStats st;
  gc_stats(L->gl, &st);
  CHECK(st.ncycles >= 2 && st.live > 0 && st.threshold > st.live && st.pause_total_ns >= st.pause_max_ns);
  lua_close(L);
}

// ---- limits ----------------------------------------------------------------------------------------------------

static void test_limit(void) {
  lua_State *L = open_universe();
  limit = used + (8u << 20);
  run(L, "=limit",
      "local ok, msg = pcall(function() local t = {} for i = 1, math.huge do t[i] = {i} end end)\n"
      "assert(not ok and msg == 'not enough memory', msg)\n"
      "collectgarbage()\n"
      "ok, msg = pcall(string.rep, 'x', 20 << 20)  assert(not ok and msg == 'not enough memory', msg)\n"
      "for i = 1, 200 do local s = string.rep('x', 1 << 20) end\n" // garbage is found in time
      "local t = {}  for i = 1, 1000 do t[i] = {i} end  return #t");
  limit = SIZE_MAX;
  lua_close(L);
  CHECK(used == 0);
}

int main(void) {
  test_programs();
  test_trace();
  test_limit();
  printf("ok: gc_test, %d checks\n", nchecks);
  return 0;
}
