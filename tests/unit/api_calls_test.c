// SPDX-License-Identifier: MIT
//
// api_calls_test.c: calls, protected calls, errors, continuations, coroutines, to-be-closed variables.
// Protects: vm/call.c, vm/coro.c, vm/tbc.c, vm/interp.c (C frames).
#include "api_fixture.h"
#include <setjmp.h>

// ---- calls and errors ----------------------------------------------------------------------------------

static int sum(lua_State *L) {
  lua_Integer n = 0;
  for (int i = 1; i <= lua_gettop(L); i++) n += luaL_checkinteger(L, i);
  lua_pushinteger(L, n);
  lua_pushinteger(L, lua_gettop(L) - 1);
  return 2;
}

static int throw_top(lua_State *L) { return lua_error(L); }

static int handler(lua_State *L) {
  lua_pushfstring(L, "<%s>", luaL_tolstring(L, 1, NULL));
  return 1;
}

static int bad_handler(lua_State *L) { return luaL_error(L, "again"); }

static void test_calls(lua_State *L) {
  lua_pushcfunction(L, sum);
  for (int i = 1; i <= 4; i++) lua_pushinteger(L, i);
  lua_call(L, 4, 1);
  TOP(L, 1);
  CHECK(lua_tointeger(L, 1) == 10);
  lua_pushcfunction(L, sum);
  lua_call(L, 0, LUA_MULTRET);
  TOP(L, 3);
  lua_pushcfunction(L, sum);
  lua_call(L, 0, 5);
  TOP(L, 8);
  CHECK(lua_isnil(L, 8) && lua_tointeger(L, 5) == 0);
  lua_settop(L, 0);
  lua_pushcfunction(L, sum);
  lua_pushboolean(L, 1);
  CHECK(lua_pcall(L, 1, 3, 0) == LUA_ERRRUN && is(L, -1, "bad argument #1 to '?' (number expected, got boolean)"));
  TOP(L, 1);
  lua_settop(L, 0);
  // error values of all kinds come through, with what was below untouched
  lua_pushliteral(L, "below");
  lua_pushcfunction(L, throw_top);
  lua_pushlightuserdata(L, L);
  CHECK(lua_pcall(L, 1, 0, 0) == LUA_ERRRUN && lua_touserdata(L, -1) == L);
  TOP(L, 2);
  lua_pushcfunction(L, throw_top);
  lua_pushnil(L);
  CHECK(lua_pcall(L, 1, 0, 0) == LUA_ERRRUN && lua_isnil(L, -1));
  lua_settop(L, 0);
  // message handlers
  lua_pushcfunction(L, handler);
  lua_pushcfunction(L, throw_top);
  lua_pushinteger(L, 5);
  CHECK(lua_pcall(L, 1, 0, 1) == LUA_ERRRUN && is(L, -1, "<5>"));
  TOP(L, 2);
  lua_pushnil(L);
  CHECK(lua_pcall(L, 0, 0, 1) == LUA_ERRRUN && is(L, -1, "<attempt to call a nil value>"));
  lua_settop(L, 0);
  lua_pushcfunction(L, bad_handler);
  lua_pushcfunction(L, throw_top);
  lua_pushinteger(L, 5);
  CHECK(lua_pcall(L, 1, 0, -3) == LUA_ERRERR);
  lua_settop(L, 0);
  CHECK(runs(L, "local function f() return f() + 1 end f()", 0) == LUA_ERRRUN &&
        strstr(lua_tostring(L, -1), "stack overflow"));
  CHECK(runs(L, "x = = 1", 0) == LUA_ERRSYNTAX);
  lua_settop(L, 0);
}

static int nest(lua_State *L) { // C calls on the C stack, until Lua says no
  lua_pushcfunction(L, nest);
  lua_call(L, 0, 0);
  return 0;
}

static jmp_buf panic_jump;
static int on_panic(lua_State *L) {
  CHECK(is(L, -1, "loose"));
  longjmp(panic_jump, 1);
}

static void test_limits(lua_State *L) {
  lua_pushcfunction(L, nest);
  CHECK(lua_pcall(L, 0, 0, 0) == LUA_ERRRUN &&
        same(lua_tostring(L, -1), "C stack overflow") == (strstr(lua_tostring(L, -1), "C stack overflow") != NULL));
  lua_settop(L, 0);
  lua_State *P = luaL_newstate();
  CHECK(lua_atpanic(P, on_panic) != NULL && lua_atpanic(P, on_panic) == on_panic);
  if (setjmp(panic_jump) == 0) {
    lua_pushliteral(P, "loose");
    lua_error(P);
  }
  CHECK(is(P, -1, "loose"));
  lua_close(P);
}

// ---- continuations -----------------------------------------------------------------------------------------

static int after_call(lua_State *L, int status, lua_KContext ctx) {
  lua_pushinteger(L, status);
  lua_pushinteger(L, (lua_Integer)ctx);
  return lua_gettop(L);
}
static int with_callk(lua_State *L) { // f(...): calls it so that it may yield
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 42, after_call);
  return after_call(L, LUA_OK, 42);
}
static int with_pcallk(lua_State *L) {
  int status = lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 43, after_call);
  return after_call(L, status, 43);
}
static int plain_call(lua_State *L) {
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}
static int after_yield(lua_State *L, int status, lua_KContext ctx) {
  CHECK(status == LUA_YIELD);
  lua_Integer n = (lua_Integer)ctx;
  if (n >= 3) {
    lua_pushliteral(L, "end");
    return 1;
  }
  lua_settop(L, 0);
  lua_pushinteger(L, n);
  return lua_yieldk(L, 1, (lua_KContext)(n + 1), after_yield);
}
static int with_yieldk(lua_State *L) { return after_yield(L, LUA_YIELD, 0); }
static int plain_yield(lua_State *L) { return lua_yield(L, lua_gettop(L)); }

static void test_continuations(lua_State *L) {
  lua_register(L, "callk", with_callk);
  lua_register(L, "pcallk", with_pcallk);
  lua_register(L, "ccall", plain_call);
  lua_register(L, "yieldk", with_yieldk);
  lua_register(L, "cyield", plain_yield);
  CHECK(runs(L,
             "local function r(...) return table.concat({...}, ' ') end\n"
             "assert(r(callk(function(a) return a end, 1)) == '1 0 42')\n"
             "local co = coroutine.wrap(callk)\n"
             "assert(co(function(a) return a, coroutine.yield('y') end, 1) == 'y')\n"
             "assert(r(co('z')) == '1 z 1 42')\n" // LUA_YIELD
             "assert(r(pcallk(function() return 5 end)) == '5 0 43')\n"
             "assert(r(pcallk(error, 'e')) == 'e 2 43')\n"
             "co = coroutine.wrap(pcallk)\n"
             "assert(co(function() return coroutine.yield(1) end) == 1 and r(co(2)) == '2 1 43')\n"
             "co = coroutine.wrap(pcallk)\n"
             "assert(co(function() error(coroutine.yield(1), 0) end) == 1 and r(co('boom')) == 'boom 2 43')\n"
             "co = coroutine.wrap(yieldk)\n"
             "assert(co() == 0 and co() == 1 and co() == 2 and co() == 'end')\n"
             "co = coroutine.wrap(cyield)\n"
             "assert(r(co(1, 2, 3)) == '1 2 3' and r(co('a', 'b')) == 'a b')\n"
             "local ok, e = pcall(coroutine.wrap(ccall), coroutine.yield)\n"
             "assert(not ok and e == 'attempt to yield across a C-call boundary', e)\n"
             "ok, e = pcall(coroutine.yield) assert(not ok and e == 'attempt to yield from outside a coroutine')\n"
             "co = coroutine.wrap(function(...) return pcallk(pcallk, callk, cyield, ...) end)\n"
             "assert(r(co(7)) == '7' and r(co(8)) == '8 1 42 1 43 1 43')",
             0) == LUA_OK ||
        is(L, -1, ""));
  lua_settop(L, 0);
}

// ---- coroutines ------------------------------------------------------------------------------------------------

static int resumed_in_c(lua_State *L) { return lua_yield(L, lua_gettop(L)); }

static void test_coroutines(lua_State *L) {
  int n = -1;
  lua_State *co = lua_newthread(L);
  CHECK(lua_status(co) == LUA_OK && lua_gettop(co) == 0 && !lua_isyieldable(L));
  CHECK(luaL_loadstring(co, "local a, b = ... local c = coroutine.yield(a + b, 'y') return c, 1, 2") == LUA_OK);
  lua_pushinteger(co, 3);
  lua_pushinteger(co, 4);
  CHECK(lua_resume(co, L, 2, &n) == LUA_YIELD && n == 2 && lua_status(co) == LUA_YIELD);
  CHECK(lua_tointeger(co, -2) == 7 && is(co, -1, "y") && lua_isyieldable(co));
  lua_pop(co, n);
  lua_pushliteral(co, "c");
  CHECK(lua_resume(co, L, 1, &n) == LUA_OK && n == 3 && is(co, -3, "c") && lua_status(co) == LUA_OK);
  lua_settop(co, 0);
  CHECK(lua_resume(co, L, 0, &n) == LUA_ERRRUN && is(co, -1, "cannot resume dead coroutine"));
  lua_settop(co, 0);
  // usable again for another function
  lua_pushcfunction(co, resumed_in_c);
  lua_pushinteger(co, 9);
  CHECK(lua_resume(co, NULL, 1, &n) == LUA_YIELD && n == 1 && lua_tointeger(co, -1) == 9);
  lua_pop(co, 1);
  CHECK(lua_resume(co, NULL, 0, &n) == LUA_OK && n == 0);
  // an error leaves the coroutine dead, its stack for a traceback, and lua_resetthread makes it new
  CHECK(luaL_loadstring(co, "local function inner() error({}) end inner()") == LUA_OK);
  CHECK(lua_resume(co, L, 0, &n) == LUA_ERRRUN && lua_istable(co, -1) && lua_status(co) == LUA_ERRRUN);
  luaL_traceback(L, co, "tb", 0);
  CHECK(strstr(lua_tostring(L, -1), "in upvalue 'inner'") != NULL ||
        strstr(lua_tostring(L, -1), "in local 'inner'") != NULL);
  CHECK(lua_resume(co, L, 0, &n) == LUA_ERRRUN && is(co, -1, "cannot resume dead coroutine"));
  CHECK(lua_resetthread(co) == LUA_ERRRUN);
  CHECK(lua_gettop(co) == 1 && lua_status(co) == LUA_OK);
  lua_settop(co, 0);
  CHECK(lua_resetthread(co) == LUA_OK && lua_gettop(co) == 0);
  // closing a suspended one runs its to-be-closed variables
  CHECK(luaL_loadstring(co, "local x <close> = setmetatable({}, {__close = function(_, e) closed = tostring(e) end}) "
                            "coroutine.yield()") == LUA_OK);
  CHECK(lua_resume(co, L, 0, &n) == LUA_YIELD);
  CHECK(lua_resetthread(co) == LUA_OK && lua_gettop(co) == 0 && lua_getglobal(L, "closed") == LUA_TSTRING &&
        is(L, -1, "nil"));
  CHECK(luaL_loadstring(co, "local x <close> = setmetatable({}, {__close = function(_, e) error('in close', 0) end}) "
                            "coroutine.yield()") == LUA_OK);
  CHECK(lua_resume(co, L, 0, &n) == LUA_YIELD && lua_resetthread(co) == LUA_ERRRUN && is(co, -1, "in close"));
  lua_settop(L, 0);
  // values move between states
  co = lua_newthread(L);
  for (int i = 1; i <= 5; i++) lua_pushinteger(L, i);
  lua_xmove(L, co, 3);
  CHECK(lua_gettop(L) == 3 && lua_gettop(co) == 3 && lua_tointeger(co, 1) == 3 && lua_tointeger(co, 3) == 5);
  lua_xmove(co, co, 2);
  CHECK(lua_gettop(co) == 3 && lua_pushthread(co) == 0 && lua_tothread(co, -1) == co);
  lua_settop(L, 0);
}

// A coroutine that C code resumes and abandons in the middle is collected with all it holds.
static int count;
static int count_gc(lua_State *L) {
  (void)L;
  count++;
  return 0;
}
static void test_abandoned(lua_State *L) {
  lua_register(L, "count_gc", count_gc);
  int n;
  count = 0;
  for (int i = 0; i < 20; i++) {
    lua_State *co = lua_newthread(L);
    luaL_loadstring(co, "local t = setmetatable({}, {__gc = count_gc}) coroutine.yield() return t");
    CHECK(lua_resume(co, L, 0, &n) == LUA_YIELD);
    lua_settop(L, 0);
  }
  lua_gc(L, LUA_GCCOLLECT);
  CHECK(count == 20);
}

// ---- to-be-closed -----------------------------------------------------------------------------------------------

static char closed[64];
static int closer(lua_State *L) {
  lua_getiuservalue(L, 1, 1);
  strcat(closed, lua_tostring(L, -1));
  if (!lua_isnil(L, 2)) strcat(closed, "!");
  return 0;
}
static void push_closable(lua_State *L, const char *name) {
  lua_newuserdatauv(L, 0, 1);
  lua_pushstring(L, name);
  lua_setiuservalue(L, -2, 1);
  lua_newtable(L);
  lua_pushcfunction(L, closer);
  lua_setfield(L, -2, "__close");
  lua_setmetatable(L, -2);
}
static int closes(lua_State *L) {
  closed[0] = '\0';
  push_closable(L, "a"); // 1
  lua_toclose(L, -1);
  push_closable(L, "b"); // 2
  lua_toclose(L, 2);
  push_closable(L, "c"); // 3
  lua_toclose(L, -1);
  lua_closeslot(L, 3);
  CHECK(same(closed, "c") && lua_gettop(L) == 3 && !lua_toboolean(L, 3));
  lua_pushinteger(L, 1);
  lua_settop(L, 1); // pops b
  CHECK(same(closed, "cb"));
  lua_pushnil(L);
  lua_toclose(L, -1); // nil and false need no method
  lua_pop(L, 1);
  push_closable(L, "d");
  lua_toclose(L, -1);
  lua_pushliteral(L, "result");
  return 1; // closes d and a
}
static int closes_on_error(lua_State *L) {
  closed[0] = '\0';
  push_closable(L, "a");
  lua_toclose(L, -1);
  push_closable(L, "b");
  lua_toclose(L, -1);
  return luaL_error(L, "boom");
}
static int not_closable(lua_State *L) {
  lua_newtable(L);
  lua_toclose(L, -1);
  return 0;
}

static void test_closing(lua_State *L) {
  lua_pushcfunction(L, closes);
  lua_call(L, 0, 1);
  CHECK(is(L, -1, "result") && same(closed, "cbda"));
  lua_pushcfunction(L, closes_on_error);
  CHECK(lua_pcall(L, 0, 0, 0) == LUA_ERRRUN && is(L, -1, "boom") && same(closed, "b!a!"));
  lua_settop(L, 0);
  CHECK(fails(L, not_closable, "variable '(C temporary)' got a non-closable value"));
  closed[0] = '\0';
  lua_State *C = luaL_newstate(); // lua_close closes what the main function left open
  push_closable(C, "m");
  lua_toclose(C, -1);
  lua_close(C);
  CHECK(same(closed, "m"));
}

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  test_calls(L);
  test_limits(L);
  test_continuations(L);
  test_coroutines(L);
  test_abandoned(L);
  test_closing(L);
  lua_close(L);
  return passed("api_calls_test");
}
