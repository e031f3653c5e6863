// SPDX-License-Identifier: MIT
//
// onethread.c: a C module written for one thread, which uses everything through which module code can be reached:
// functions, errors, callbacks, continuations, coroutines, metamethods, finalizers, a reader, a hook, a warning
// function. Wherever it is reached it changes its counter (section.h), and it never calls Lua in the middle of that.
#include "section.h"
#include <string.h>
#include <time.h>

static int add(lua_State *L) {
  slowly_add("add", luaL_checkinteger(L, 1));
  return 0;
}

static int count(lua_State *L) {
  lua_pushinteger(L, counter);
  return 1;
}

// Raises with the lock held, straight out of C.
static int fail(lua_State *L) {
  slowly_add("fail", 1);
  return luaL_error(L, "%s", luaL_checkstring(L, 1));
}

// A section in which API functions allocate: a collection there must not let anybody else in.
static int allocate(lua_State *L) {
  enter("allocate");
  long long old = counter;
  for (int i = 0; i < 20; i++) {
    lua_newtable(L);
    lua_pushfstring(L, "key %d", i);
    lua_pushinteger(L, i);
    lua_settable(L, -3);
    lua_pop(L, 1);
  }
  counter = old + 1;
  leave();
  return 0;
}

// ---- callbacks ---------------------------------------------------------------------------------------

// each(n, f): f(1) ... f(n), a change of the counter before and after each.
static int each(lua_State *L) {
  lua_Integer n = luaL_checkinteger(L, 1);
  for (lua_Integer i = 1; i <= n; i++) {
    slowly_add("each, before", 1);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, i);
    lua_call(L, 1, 0);
    slowly_add("each, after", 1);
  }
  return 0;
}

// protect(f): its results, or nil and the error.
static int protect(lua_State *L) {
  slowly_add("protect, before", 1);
  int status = lua_pcall(L, 0, LUA_MULTRET, 0);
  slowly_add("protect, after", 1);
  if (status == LUA_OK) return lua_gettop(L);
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

// operate(a, b): through all API functions that may call metamethods.
static int operate(lua_State *L) {
  slowly_add("operate", 1);
  lua_settop(L, 2);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_arith(L, LUA_OPADD);
  slowly_add("operate: arith", 1);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_concat(L, 2);
  slowly_add("operate: concat", 1);
  int less = lua_compare(L, 1, 2, LUA_OPLT);
  slowly_add("operate: compare", 1);
  lua_getfield(L, 1, "field");
  slowly_add("operate: getfield", 1);
  lua_pushinteger(L, 1);
  lua_setfield(L, 1, "field");
  slowly_add("operate: setfield", 1);
  lua_len(L, 1);
  slowly_add("operate: len", 1);
  luaL_tolstring(L, 1, NULL);
  slowly_add("operate: tostring", 1);
  lua_pushboolean(L, less);
  return 1;
}

// borrow(f, x): calls f(x) in a state of its own that nobody resumes.
static int borrow(lua_State *L) {
  slowly_add("borrow, before", 1);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_xmove(L, co, 2);
  lua_call(co, 1, 1);
  slowly_add("borrow, after", 1);
  lua_xmove(co, L, 1);
  return 1;
}

// drive(f): runs f as a coroutine to its end; how often it yielded.
static int drive(lua_State *L) {
  int n = 0, nres, status;
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  while ((status = lua_resume(co, L, 0, &nres)) == LUA_YIELD) {
    slowly_add("drive", 1);
    lua_pop(co, nres);
    n++;
  }
  if (status != LUA_OK) {
    lua_xmove(co, L, 1);
    return lua_error(L);
  }
  lua_pushinteger(L, n);
  return 1;
}

static const char *read_piece(lua_State *L, void *arg, size_t *size) {
  const char **piece = arg, *s = *piece;
  (void)L;
  slowly_add("reader", 1);
  *piece = NULL;
  *size = s != NULL ? strlen(s) : 0;
  return s;
}

// compile(text): lua_load with a reader, which is called twice.
static int compile(lua_State *L) {
  const char *s = luaL_checkstring(L, 1);
  if (lua_load(L, read_piece, &s, "=piece", NULL) != LUA_OK) return lua_error(L);
  return 1;
}

// ---- continuations -----------------------------------------------------------------------------------

static int callk_done(lua_State *L, int status, lua_KContext n) {
  (void)status;
  slowly_add("callk, after", 1);
  lua_pushinteger(L, n);
  return 1;
}

static int callk(lua_State *L) {
  slowly_add("callk, before", 1);
  lua_settop(L, 1);
  lua_callk(L, 0, 0, 42, callk_done);
  return callk_done(L, LUA_OK, 41);
}

static int pcallk_done(lua_State *L, int status, lua_KContext unused) {
  (void)unused;
  slowly_add("pcallk, after", 1);
  lua_pushboolean(L, status == LUA_OK || status == LUA_YIELD);
  lua_insert(L, 1);
  return lua_gettop(L);
}

static int pcallk(lua_State *L) {
  slowly_add("pcallk, before", 1);
  lua_settop(L, 1);
  return pcallk_done(L, lua_pcallk(L, 0, LUA_MULTRET, 0, 0, pcallk_done), 0);
}

static int yieldk_done(lua_State *L, int status, lua_KContext n) {
  (void)status;
  slowly_add("yieldk", 1);
  lua_settop(L, 0);
  return n > 0 ? lua_yieldk(L, 0, n - 1, yieldk_done) : 0;
}

// yieldk(n): yields n times.
static int yieldk(lua_State *L) { return yieldk_done(L, LUA_YIELD, luaL_checkinteger(L, 1)); }

// ---- objects -----------------------------------------------------------------------------------------

static long long ncollected;

static int obj_gc(lua_State *L) {
  (void)L;
  slowly_add("gc", 1);
  ncollected++;
  return 0;
}

static int obj_result(lua_State *L) {
  slowly_add("metamethod", 1);
  lua_pushinteger(L, 7);
  return 1;
}

static int obj_tostring(lua_State *L) {
  slowly_add("tostring", 1);
  lua_pushliteral(L, "object");
  return 1;
}

static int object(lua_State *L) {
  lua_newuserdatauv(L, 8, 0);
  luaL_setmetatable(L, "onethread");
  return 1;
}

static int collected(lua_State *L) {
  lua_pushinteger(L, ncollected);
  return 1;
}

static int next_step(lua_State *L) {
  slowly_add("iterator", 1);
  lua_Integer i = luaL_checkinteger(L, 2);
  if (i >= lua_tointeger(L, lua_upvalueindex(1))) return 0;
  lua_pushinteger(L, i + 1);
  return 1;
}

// steps(n): an iterator (a closure with an upvalue) that counts to n.
static int steps(lua_State *L) {
  lua_settop(L, 1);
  lua_pushcclosure(L, next_step, 1);
  lua_pushnil(L);
  lua_pushinteger(L, 0);
  return 3;
}

// same(): the function `add`, pushed anew each time.
static int same(lua_State *L) {
  lua_pushcfunction(L, add);
  lua_pushboolean(L, lua_tocfunction(L, -1) == add);
  return 2;
}

// ---- hooks, warnings, waiting ------------------------------------------------------------------------

static void on_count(lua_State *L, lua_Debug *ar) {
  (void)L;
  (void)ar;
  slowly_add("hook", 1);
}

static int hook(lua_State *L) {
  int n = (int)luaL_optinteger(L, 1, 0);
  lua_sethook(L, on_count, n > 0 ? LUA_MASKCOUNT : 0, n);
  return 0;
}

static void on_warning(void *ud, const char *msg, int tocont) {
  (void)ud;
  (void)msg;
  (void)tocont;
  slowly_add("warning", 1);
}

static int warnings(lua_State *L) {
  lua_setwarnf(L, on_warning, NULL);
  return 0;
}

// A warning from the middle of this module's own code, and then back in it.
static int warn(lua_State *L) {
  lua_warning(L, "warn", 0);
  slowly_add("warn", 1);
  return 0;
}

// sleep(ms): in the system, with the processor and the lock.
static int sleep_ms(lua_State *L) {
  enter("sleep");
  long ms = (long)luaL_checkinteger(L, 1);
  struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&ts, NULL);
  leave();
  return 0;
}

int luaopen_onethread(lua_State *L) {
  static const luaL_Reg funcs[] = {
      {"add", add},         {"count", count},     {"fail", fail},     {"allocate", allocate}, {"each", each},
      {"protect", protect}, {"operate", operate}, {"borrow", borrow}, {"drive", drive},       {"compile", compile},
      {"callk", callk},     {"pcallk", pcallk},   {"yieldk", yieldk}, {"object", object},     {"collected", collected},
      {"steps", steps},     {"same", same},       {"hook", hook},     {"warnings", warnings}, {"warn", warn},
      {"sleep", sleep_ms},  {NULL, NULL}};
  static const luaL_Reg metas[] = {{"__gc", obj_gc},
                                   {"__index", obj_result},
                                   {"__newindex", obj_result},
                                   {"__add", obj_result},
                                   {"__concat", obj_result},
                                   {"__lt", obj_result},
                                   {"__len", obj_result},
                                   {"__call", obj_result},
                                   {"__close", obj_result},
                                   {"__tostring", obj_tostring},
                                   {NULL, NULL}};
  luaL_newmetatable(L, "onethread");
  luaL_setfuncs(L, metas, 0);
  lua_pop(L, 1);
  luaL_newlib(L, funcs);
  return 1;
}
