// SPDX-License-Identifier: MIT
//
// oom_test.c: whatever allocation is refused, the program gets `not enough memory` or notices nothing, and goes on.
//
// What:       LUNGODEBUG=failalloc refuses the n-th allocation of a state, for n = 1, 2, 3, ... until a script is
//             through without meeting it: once (whoever is at a safepoint collects, tries again and succeeds, so this
//             is a collection at each such place), and twice in a row (the error is raised). Afterwards the same
//             script must succeed, and lua_close must find everything.
// Protects:   stdlib/synclib.c, errgroup.c and contextlib.c (what memory refused in the middle must not upset),
//             vm/heap.c (reserve, refusal), vm/gc.c (gc_rescue), and every place that allocates.
#include "gc_int.h"
#include "lungo.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

static long nchecks;

static void check(int ok, const char *what, const char *script, int n) {
  nchecks++;
  if (ok) return;
  printf("not ok: %s, allocation %d, script: %s\n", what, n, script);
  exit(1);
}

static const char *const scripts[] = {
    "local t = {} for i = 1, 40 do t[i] = i t[-i] = 1 << 60 t['k' .. i] = {i} t[i + 0.5] = -(1 << 60) end assert(#t == "
    "40)",
    "local t = {1, 2, 3, {4}, a = {}, [1.5] = 'x'} for k, v in pairs(t) do assert(v) end assert(next(t))",
    "local s = '' for i = 1, 20 do s = s .. i .. 'x' .. 1.5 end assert(#s == 111, #s)",
    "local s = ('ab'):rep(30000) .. 'c' assert(#s:upper() == 60001 and #s:gsub('a', 'xy') == 90001)",
    "local t = {} for i = 1, 300 do t[i] = 'item' .. i end table.sort(t) assert(#table.concat(t, ',') == 2291)",
    "local f = {} for i = 1, 10 do local j = i f[i] = function(...) j = j + 1 return j, ... end end assert(f[3](1, 2) "
    "== 4)",
    "local function d(n) if n > 0 then return 1 + d(n - 1) end return 0 end assert(d(200) == 200)",
    "local c = coroutine.wrap(function(a) local b = coroutine.yield(a .. 'x') return b .. 'y' end) assert(c('1') == "
    "'1x' "
    "and c('2') == '2y')",
    "assert(load('local a <const>, b <close> = 1 return function() return a, b, {x = 1, 2, 3}, \"s\" .. a end'))",
    "local f = assert(load(string.dump(assert(load('local a = ... return function() return a .. 1, 3.5, {a} end'))), "
    "'x', 'b')) "
    "assert(f(5)() == '51')",
    "local ok, e = pcall(error, {code = 1}) assert(not ok and (type(e) == 'string' or e.code == 1)) if type(e) == "
    "'string' "
    "then error(e, 0) end",
    "assert(select('#', table.unpack({}, 1, 100)) == 100) local function v(...) return select('#', ...), {...} end "
    "assert(v(table.unpack({}, 1, 300)) == 300)",
    "local mt = {__index = function(t, k) return k .. '!' end, __gc = function() end, __close = function() end} "
    "local o = setmetatable({}, mt) do local x <close> = o end assert(o.foo == 'foo!')",
    "assert(string.format('%5d %q %s %g', 3, 'a\\n', {} ~= nil, 1.5) and tostring({}) and tostring(1.25) and "
    "os.date())",
    "local w = setmetatable({}, {__mode = 'k'}) for i = 1, 50 do w[{}] = {i} end for k, v in pairs(w) do assert(v[1]) "
    "end",
    "local ok = xpcall(function() local x = nil + 1 end, debug.traceback)",
    "local ch = chan(2) ch:send('a') ch:send({}) assert(ch:recv() == 'a' and #ch == 1) ch:close()",
    // A goroutine may die of it, so nobody waits for what it would have sent.
    "local ch, wg = chan(5), sync.waitgroup() for i = 1, 5 do wg:go(function() ch:send({i}) end) end wg:wait() "
    "while select(3, ch:tryrecv()) do end go(function(...) return {...} end, 1, {}) runtime.gosched()",
    "local a, b = chan(1), chan(1) b:send('b') for i = 1, 2 do local i, v = select {{recv = b}, {send = a, value = "
    "{}}} "
    "assert(i == 1 or i == 2) end go(function() select {{recv = b}, {recv = a}, default = true} end) runtime.gosched()",
    // Whatever fails in starting a goroutine, groups count as before: a unit lost would have wait or go block for ever.
    "local wg = sync.waitgroup() local ok, e = pcall(function() wg:go(function() end) end) wg:wait() assert(ok, e)",
    "local g = sync.errgroup() g:setlimit(1) local ok, e = pcall(function() g:go(function() end) end) g:wait() "
    "g:go(function() end) g:wait() assert(ok, e)",
    "local p, cancel = context.withcancel(context.background()) local c local ok, e = pcall(function() "
    "c = context.withtimeout(p, 60) c:done() end) cancel() assert(ok, e) assert(c:err() == 'context canceled')",
    "local m = sync.map() for i = 1, 30 do m:store(i, {i}) end for k, v in pairs(m) do assert(v[1] == k) end",
    "local mu, o, p = sync.mutex(), sync.once(), sync.pool(function() return {} end) do local _ <close> = mu:lock() "
    "end "
    "o(function() return {} end) for i = 1, 20 do p:put({}) end assert(p:get())",
    // What is to be given back at the end of a block is, even if that cannot be noted.
    "local rw, failed = sync.rwmutex() local function f() local _ <close> = rw:lock() end local function g() "
    "rw:rlock() "
    "defer rw:runlock() end for i = 1, 9 do for _, h in ipairs {f, g} do local ok, e = pcall(h) failed = failed or "
    "not ok and e assert(rw:trylock(), 'locked for ever') rw:unlock() end end if failed then error(failed, 0) end",
    "time.sleep(0.0001) local t = time.after(0.0001) t:recv() local tm = time.timer(100) tm:stop()",
    "local v = atomic.value({}) v:store({1}) assert(v:load()[1] == 1 and runtime.stack(true) and runtime.memstats())",
};

static void set_fault(int n, int fails) {
  char buf[64];
  snprintf(buf, sizeof buf, "failalloc=%d,failallocs=%d", n, fails);
  setenv("LUNGODEBUG", buf, 1);
}

static int protected_main(lua_State *L) {
  const char *script = lua_touserdata(L, 1);
  lungo_openlibs(L);
  if (luaL_loadstring(L, script) != LUA_OK) lua_error(L);
  lua_call(L, 0, 0);
  return 0;
}

static int run(lua_State *L, const char *script) {
  lua_settop(L, 0);
  lua_pushcfunction(L, protected_main);
  lua_pushlightuserdata(L, (void *)script);
  return lungo_run(L, 1, 0, LUNGO_KEEP);
}

static void test_script(const char *script, int fails, int step) {
  for (int n = 1;; n += step) {
    set_fault(n, fails);
    lua_State *L = luaL_newstate();
    if (L == NULL) continue; // refused while the state was built
    lua_gc(L, LUA_GCSTOP);
    if (run(L, script) != LUA_OK) {
      const char *msg = lua_tostring(L, -1);
      int clean = msg != NULL && (strstr(msg, "not enough memory") != NULL || strstr(msg, "too many results") != NULL);
      check(clean, msg, script, n); // the other one: lua_checkstack does not say why it fails
    }
    bool over = heap_faults_pending(L->gl->heap);
    if (!over) {
      int status = run(L, script);
      if (status != LUA_OK) status = run(L, script); // it met the second refusal
      check(status == LUA_OK, status != LUA_OK ? lua_tostring(L, -1) : "", script, n);
    }
    lua_close(L);
    if (over) break;
  }
}

int main(void) {
  int part = getenv("OOM_ALL") != NULL ? 1 : 7;
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    test_script(scripts[i], 1, part);
    test_script(scripts[i], 2, part);
  }
  printf("ok: oom_test, %ld checks\n", nchecks);
  return 0;
}
