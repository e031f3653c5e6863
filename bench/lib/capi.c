// SPDX-License-Identifier: MIT
//
// capi.c: the functions of lua.h called from C in loops: `name nanoseconds` for each (CPU time per call, best of
// three).
//
// Built twice by bench/run.sh: against liblungo.a and against the package's liblua5.4, from the same source.
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static const char *want = "";

// setup leaves what the loop needs on the stack; body runs n times and keeps the stack as it is.
#define BENCH(name, n, setup, body)                                                                                    \
  static void name(lua_State *L) {                                                                                     \
    double best = 1e9;                                                                                                 \
    if (strstr(#name, want) == NULL) return;                                                                           \
    setup;                                                                                                             \
    for (int round = 0; round < 3; round++) {                                                                          \
      double t0 = cpu();                                                                                               \
      for (int i = 0; i < (n); i++) {                                                                                  \
        body;                                                                                                          \
      }                                                                                                                \
      double t = cpu() - t0;                                                                                           \
      if (t < best) best = t;                                                                                          \
    }                                                                                                                  \
    lua_settop(L, 0);                                                                                                  \
    printf("%s %.2f\n", #name, best / (n)*1e9);                                                                        \
  }

static int c_id(lua_State *L) {
  luaL_checkinteger(L, 1);
  return 1;
}
static volatile lua_Integer sink;

BENCH(pushinteger_settop, 10000000, , lua_pushinteger(L, i); lua_settop(L, -2))
BENCH(tointegerx, 10000000, lua_pushinteger(L, 7), sink = lua_tointegerx(L, 1, NULL))
BENCH(type_isnumber, 10000000, lua_pushinteger(L, 7), sink = lua_type(L, 1) + lua_isnumber(L, 1))
BENCH(pushvalue_pop, 10000000, lua_pushinteger(L, 7), lua_pushvalue(L, 1); lua_pop(L, 1))
BENCH(pushstring, 3000000, , lua_pushstring(L, "hello"); lua_pop(L, 1))
BENCH(pushlstring_long, 2000000, , lua_pushlstring(L, "0123456789012345678901234567890123456789012345678901", 52);
      lua_pop(L, 1))
BENCH(pushliteral_field, 3000000, lua_newtable(L), lua_pushliteral(L, "key"); lua_pushinteger(L, i); lua_rawset(L, 1))
BENCH(pushfstring, 500000, , lua_pushfstring(L, "%s-%d", "abc", i); lua_pop(L, 1))
BENCH(tolstring, 10000000, lua_pushliteral(L, "hello"), sink += (lua_Integer)(size_t)lua_tolstring(L, 1, NULL))
BENCH(tolstring_number, 1000000, , lua_pushinteger(L, i); lua_tolstring(L, -1, NULL); lua_pop(L, 1))
BENCH(setfield, 5000000, lua_newtable(L), lua_pushinteger(L, i); lua_setfield(L, 1, "key"))
BENCH(getfield, 5000000, lua_newtable(L); lua_pushinteger(L, 1); lua_setfield(L, 1, "key"), lua_getfield(L, 1, "key");
      lua_pop(L, 1))
BENCH(getglobal, 5000000, , lua_getglobal(L, "print"); lua_pop(L, 1))
BENCH(rawseti, 5000000, lua_newtable(L), lua_pushinteger(L, i); lua_rawseti(L, 1, i % 100 + 1))
BENCH(rawgeti, 5000000, lua_newtable(L); lua_pushinteger(L, 1); lua_rawseti(L, 1, 1), lua_rawgeti(L, 1, 1);
      lua_pop(L, 1))
BENCH(geti_seti, 5000000, lua_newtable(L), lua_pushinteger(L, i); lua_seti(L, 1, 1); lua_geti(L, 1, 1); lua_pop(L, 1))
BENCH(rawgetp_rawsetp, 3000000, lua_newtable(L), lua_pushinteger(L, i); lua_rawsetp(L, 1, want);
      lua_rawgetp(L, 1, want); lua_pop(L, 1))
BENCH(
    next, 50000, lua_newtable(L); for (int j = 1; j <= 50; j++) {
      lua_pushfstring(L, "k%d", j);
      lua_pushinteger(L, j);
      lua_rawset(L, 1);
    },
                                  lua_pushnil(L);
    while (lua_next(L, 1)) lua_pop(L, 1))
BENCH(newtable, 2000000, , lua_newtable(L); lua_pop(L, 1))
BENCH(createtable_fields, 1000000, , lua_createtable(L, 0, 2); lua_pushinteger(L, i); lua_setfield(L, -2, "x");
      lua_pushinteger(L, i); lua_setfield(L, -2, "y"); lua_pop(L, 1))
BENCH(newuserdata, 2000000, , lua_newuserdatauv(L, 16, 1); lua_pop(L, 1))
BENCH(newuserdata_metatable, 2000000, luaL_newmetatable(L, "Bench"), lua_newuserdatauv(L, 16, 0);
      luaL_setmetatable(L, "Bench"); lua_pop(L, 1))
BENCH(checkudata, 5000000, luaL_newmetatable(L, "Bench"); lua_newuserdatauv(L, 16, 0);
      luaL_setmetatable(L, "Bench"), luaL_checkudata(L, 2, "Bench"))
BENCH(pushcclosure, 2000000, , lua_pushinteger(L, 1); lua_pushcclosure(L, c_id, 1); lua_pop(L, 1))
BENCH(call_c, 5000000, lua_pushcfunction(L, c_id), lua_pushvalue(L, 1); lua_pushinteger(L, i); lua_call(L, 1, 1);
      lua_pop(L, 1))
BENCH(call_lua, 5000000, luaL_loadstring(L, "return ..."); lua_settop(L, 1);
      luaL_dostring(L, "return function(x) return x end"); lua_replace(L, 1), lua_pushvalue(L, 1);
      lua_pushinteger(L, i); lua_call(L, 1, 1); lua_pop(L, 1))
BENCH(pcall_lua, 3000000, luaL_dostring(L, "return function(x) return x end"), lua_pushvalue(L, 1);
      lua_pushinteger(L, i); lua_pcall(L, 1, 1, 0); lua_pop(L, 1))
BENCH(pcall_error, 300000, luaL_dostring(L, "return function() error('x', 0) end"), lua_pushvalue(L, 1);
      lua_pcall(L, 0, 0, 0); lua_pop(L, 1))
BENCH(resume_yield, 2000000, lua_State *co = lua_newthread(L);
      luaL_loadstring(co, "while true do coroutine.yield(1) end"), int nres; lua_resume(co, L, 0, &nres);
      lua_pop(co, nres))
BENCH(arith, 5000000, , lua_pushinteger(L, i); lua_pushinteger(L, 3); lua_arith(L, LUA_OPADD); lua_pop(L, 1))
BENCH(compare, 10000000, lua_pushinteger(L, 1); lua_pushinteger(L, 2), sink += lua_compare(L, 1, 2, LUA_OPLT))
BENCH(rawequal_strings, 10000000, lua_pushliteral(L, "abc"); lua_pushliteral(L, "abc"), sink += lua_rawequal(L, 1, 2))
BENCH(concat, 1000000, , lua_pushliteral(L, "abc"); lua_pushinteger(L, i); lua_concat(L, 2); lua_pop(L, 1))
BENCH(
    len, 5000000, lua_newtable(L); for (int j = 1; j <= 10; j++) {
      lua_pushinteger(L, j);
      lua_rawseti(L, 1, j);
    },
                                   sink += luaL_len(L, 1))
BENCH(insert_rotate, 5000000, for (int j = 0; j < 6; j++) lua_pushinteger(L, j), lua_rotate(L, 2, 1))
BENCH(ref_unref, 2000000, , lua_pushinteger(L, i); luaL_unref(L, LUA_REGISTRYINDEX, luaL_ref(L, LUA_REGISTRYINDEX)))
BENCH(buffer, 500000, , luaL_Buffer b; luaL_buffinit(L, &b);
      for (int j = 0; j < 20; j++) luaL_addlstring(&b, "abcdefgh", 8); luaL_pushresult(&b); lua_pop(L, 1))
BENCH(upvalue, 5000000, lua_pushinteger(L, 1); lua_pushcclosure(L, c_id, 1), lua_getupvalue(L, 1, 1); lua_pop(L, 1))
BENCH(checkstack, 10000000, , sink += lua_checkstack(L, 10))
BENCH(tolstring_meta, 1000000, lua_pushinteger(L, 12), luaL_tolstring(L, 1, NULL); lua_pop(L, 1))

int main(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  if (argc > 1) want = argv[1];
  void (*const all[])(lua_State *) = {pushinteger_settop,
                                      tointegerx,
                                      type_isnumber,
                                      pushvalue_pop,
                                      pushstring,
                                      pushlstring_long,
                                      pushliteral_field,
                                      pushfstring,
                                      tolstring,
                                      tolstring_number,
                                      setfield,
                                      getfield,
                                      getglobal,
                                      rawseti,
                                      rawgeti,
                                      geti_seti,
                                      rawgetp_rawsetp,
                                      next,
                                      newtable,
                                      createtable_fields,
                                      newuserdata,
                                      newuserdata_metatable,
                                      checkudata,
                                      pushcclosure,
                                      call_c,
                                      call_lua,
                                      pcall_lua,
                                      pcall_error,
                                      resume_yield,
                                      arith,
                                      compare,
                                      rawequal_strings,
                                      concat,
                                      len,
                                      insert_rotate,
                                      ref_unref,
                                      buffer,
                                      upvalue,
                                      checkstack,
                                      tolstring_meta};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) all[i](L);
  lua_close(L);
  return 0;
}
