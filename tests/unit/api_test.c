// SPDX-License-Identifier: MIT
//
// api_test.c: the functions of lua.h, called from C, on the VM alone (linked with seam_stub.c and the package's
// lauxlib.o). Prints `ok N` (checks passed); stops at the first failure with status 1.
// Protects: vm/api.c, api_data.c, api_func.c, dbg.c, dbg_names.c, meta.c, state.c.
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int nchecks;

static void check(int ok, const char *what, int line) {
  nchecks++;
  if (ok) return;
  printf("not ok: line %d: %s\n", line, what);
  exit(1);
}
#define CHECK(c) check((c), #c, __LINE__)
#define TOP(L, n) CHECK(lua_gettop(L) == (n))

static int is(lua_State *L, int idx, const char *s) {
  const char *t = lua_tostring(L, idx);
  if (t == NULL || strcmp(t, s) != 0) printf("# got %s\n", t != NULL ? t : "(null)");
  return t != NULL && strcmp(t, s) == 0;
}

static void test_stack(lua_State *L) {
  lua_settop(L, 0);
  for (int i = 1; i <= 5; i++) lua_pushinteger(L, i);
  lua_rotate(L, 2, 1); // 1 5 2 3 4
  CHECK(lua_tointeger(L, 2) == 5 && lua_tointeger(L, 5) == 4);
  lua_rotate(L, 2, -1);
  CHECK(lua_tointeger(L, 2) == 2 && lua_tointeger(L, 5) == 5);
  lua_rotate(L, 1, 5);
  CHECK(lua_tointeger(L, 1) == 1);
  lua_insert(L, 1); // 5 1 2 3 4
  CHECK(lua_tointeger(L, 1) == 5);
  lua_remove(L, 1);
  TOP(L, 4);
  lua_pushliteral(L, "x");
  lua_replace(L, 2);
  CHECK(is(L, 2, "x"));
  lua_copy(L, 1, 4);
  CHECK(lua_tointeger(L, -1) == 1);
  CHECK(lua_absindex(L, -1) == 4 && lua_absindex(L, 3) == 3 && lua_absindex(L, LUA_REGISTRYINDEX) == LUA_REGISTRYINDEX);
  CHECK(lua_type(L, 9) == LUA_TNONE && lua_isnone(L, 9) && lua_isnoneornil(L, 9));
  lua_settop(L, 6);
  CHECK(lua_isnil(L, 6) && !lua_isnone(L, 6));
  lua_settop(L, -3);
  TOP(L, 4);
  CHECK(lua_checkstack(L, 5000));
  CHECK(!lua_checkstack(L, 2000000));
  for (int i = 0; i < 5000; i++) lua_pushinteger(L, i);
  CHECK(lua_tointeger(L, 4 + 5000) == 4999 && lua_tointeger(L, 4) == 1);
  lua_settop(L, 0);
}

static void test_convert(lua_State *L) {
  int isnum;
  lua_pushinteger(L, 10);
  lua_pushnumber(L, 3.0);
  lua_pushnumber(L, 3.5);
  lua_pushliteral(L, " 0x10 ");
  lua_pushliteral(L, "1e1");
  lua_pushliteral(L, "abc");
  lua_pushboolean(L, 0);
  lua_pushnil(L);
  CHECK(lua_isinteger(L, 1) && !lua_isinteger(L, 2) && lua_isnumber(L, 4) && !lua_isnumber(L, 6));
  CHECK(lua_tonumber(L, 1) == 10.0 && lua_tonumber(L, 4) == 16.0 && lua_tonumber(L, 5) == 10.0);
  CHECK(lua_tointegerx(L, 2, &isnum) == 3 && isnum);
  CHECK(lua_tointegerx(L, 3, &isnum) == 0 && !isnum);
  CHECK(lua_tointegerx(L, 4, &isnum) == 16 && isnum);
  CHECK(lua_tointegerx(L, 5, &isnum) == 10 && isnum);
  CHECK(lua_tonumberx(L, 6, &isnum) == 0 && !isnum);
  CHECK(lua_tonumberx(L, 20, &isnum) == 0 && !isnum);
  CHECK(lua_isstring(L, 1) && lua_isstring(L, 6) && !lua_isstring(L, 7));
  CHECK(lua_toboolean(L, 1) && !lua_toboolean(L, 7) && !lua_toboolean(L, 8) && !lua_toboolean(L, 30));
  size_t len = 1;
  CHECK(lua_tolstring(L, 7, &len) == NULL && len == 0);
  CHECK(is(L, 2, "3.0") && lua_type(L, 2) == LUA_TSTRING && is(L, 1, "10") && is(L, 3, "3.5"));
  CHECK(lua_rawlen(L, 6) == 3);
  CHECK(lua_stringtonumber(L, "0x7fffffffffffffff") == 19 && lua_tointeger(L, -1) == LUA_MAXINTEGER);
  CHECK(lua_stringtonumber(L, "1 2") == 0);
  CHECK(strcmp(lua_typename(L, LUA_TNONE), "no value") == 0 && strcmp(luaL_typename(L, 7), "boolean") == 0);
  CHECK(is(L, (lua_pushfstring(L, "%s|%d|%%|%f|%c|%I", "a", 7, 1.5, 'z', (LUAI_UACINT)9), -1), "a|7|%|1.5|z|9"));
  CHECK(lua_pushstring(L, NULL) == NULL && lua_isnil(L, -1));
  lua_pushlstring(L, "a\0b", 3);
  CHECK(lua_rawlen(L, -1) == 3 && memcmp(lua_tolstring(L, -1, &len), "a\0b", 4) == 0 && len == 3);
  lua_pushlstring(L, NULL, 0);
  CHECK(is(L, -1, ""));
  // integers and pointers of more than 48 bits survive where values are stored
  lua_newtable(L);
  lua_pushinteger(L, LUA_MININTEGER);
  lua_rawseti(L, -2, 1);
  lua_rawgeti(L, -1, 1);
  CHECK(lua_tointeger(L, -1) == LUA_MININTEGER);
  lua_settop(L, 0);
}

static int get_upvalues(lua_State *L) {
  CHECK(lua_tointeger(L, lua_upvalueindex(1)) == 11);
  CHECK(is(L, lua_upvalueindex(2), "two"));
  CHECK(lua_type(L, lua_upvalueindex(3)) == LUA_TNONE);
  lua_pushinteger(L, 12);
  lua_replace(L, lua_upvalueindex(1));
  CHECK(is(L, lua_upvalueindex(1), "12") && lua_type(L, lua_upvalueindex(1)) == LUA_TSTRING);
  lua_pushvalue(L, lua_upvalueindex(2));
  return 1;
}

static void test_closures(lua_State *L) {
  lua_pushinteger(L, 11);
  lua_pushliteral(L, "two");
  lua_pushcclosure(L, get_upvalues, 2);
  CHECK(lua_iscfunction(L, 1) && lua_tocfunction(L, 1) == get_upvalues && lua_isfunction(L, 1));
  lua_pushvalue(L, 1);
  lua_call(L, 0, 1);
  CHECK(is(L, -1, "two"));
  CHECK(strcmp(lua_getupvalue(L, 1, 1), "") == 0 && is(L, -1, "12"));
  CHECK(lua_getupvalue(L, 1, 3) == NULL && lua_upvalueid(L, 1, 1) != NULL && lua_upvalueid(L, 1, 3) == NULL);
  lua_pushboolean(L, 1);
  CHECK(strcmp(lua_setupvalue(L, 1, 2), "") == 0 && lua_getupvalue(L, 1, 2) != NULL && lua_toboolean(L, -1));
  lua_settop(L, 0);
  CHECK(luaL_dostring(L, "local a, b = 1, 2; return function() return a end, function() return b end") == LUA_OK);
  CHECK(strcmp(lua_getupvalue(L, 1, 1), "a") == 0 && lua_tointeger(L, -1) == 1);
  CHECK(lua_upvalueid(L, 1, 1) != lua_upvalueid(L, 2, 1));
  lua_upvaluejoin(L, 1, 1, 2, 1);
  CHECK(lua_upvalueid(L, 1, 1) == lua_upvalueid(L, 2, 1));
  lua_pushvalue(L, 1);
  lua_call(L, 0, 1);
  CHECK(lua_tointeger(L, -1) == 2);
  lua_settop(L, 0);
}

static void test_tables(lua_State *L) {
  lua_createtable(L, 3, 2);
  lua_pushliteral(L, "v");
  lua_setfield(L, 1, "k");
  CHECK(lua_getfield(L, 1, "k") == LUA_TSTRING && is(L, -1, "v"));
  CHECK(lua_getfield(L, 1, "none") == LUA_TNIL);
  for (int i = 1; i <= 100; i++) {
    lua_pushinteger(L, i * i);
    lua_seti(L, 1, i);
  }
  CHECK(lua_geti(L, 1, 50) == LUA_TNUMBER && lua_tointeger(L, -1) == 2500 && lua_rawlen(L, 1) == 100);
  CHECK(luaL_len(L, 1) == 100);
  lua_pushliteral(L, "k");
  CHECK(lua_gettable(L, 1) == LUA_TSTRING);
  lua_pushnumber(L, 2.0);
  CHECK(lua_rawget(L, 1) == LUA_TNUMBER && lua_tointeger(L, -1) == 4);
  static int anchor;
  lua_pushboolean(L, 1);
  lua_rawsetp(L, 1, &anchor);
  CHECK(lua_rawgetp(L, 1, &anchor) == LUA_TBOOLEAN);
  int n = 0;
  lua_Integer sum = 0;
  for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1), n++) {
    if (lua_isinteger(L, -2)) sum += lua_tointeger(L, -2);
  }
  CHECK(n == 102 && sum == 5050);
  lua_pushinteger(L, 1);
  lua_setglobal(L, "glob");
  CHECK(lua_getglobal(L, "glob") == LUA_TNUMBER && lua_getglobal(L, "nosuch") == LUA_TNIL);
  lua_settop(L, 0);
}

static void test_meta(lua_State *L) {
  CHECK(luaL_dostring(L, "return setmetatable({}, {__index = function(t, k) return k .. '!' end, __len = function() "
                         "return 7 end, __newindex = function(t, k, v) rawset(t, k, v * 2) end, __add = function() "
                         "return 'sum' end, __lt = function() return true end, __eq = function() return true end, "
                         "__concat = function(a, b) return 'cat' end, __name = 'My'})") == LUA_OK);
  CHECK(lua_getfield(L, 1, "f") == LUA_TSTRING && is(L, -1, "f!"));
  lua_pushinteger(L, 21);
  lua_setfield(L, 1, "x");
  CHECK(lua_getfield(L, 1, "x") == LUA_TNUMBER && lua_tointeger(L, -1) == 42);
  CHECK(luaL_len(L, 1) == 7 && lua_rawlen(L, 1) == 0);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 1);
  lua_arith(L, LUA_OPADD);
  CHECK(is(L, -1, "sum"));
  lua_newtable(L);
  lua_getmetatable(L, 1);
  lua_setmetatable(L, -2);
  CHECK(lua_compare(L, 1, -1, LUA_OPEQ) && lua_compare(L, 1, -1, LUA_OPLT) && !lua_rawequal(L, 1, -1));
  CHECK(!lua_compare(L, 1, 40, LUA_OPEQ));
  lua_pushvalue(L, 1);
  lua_pushliteral(L, "s");
  lua_concat(L, 2);
  CHECK(is(L, -1, "cat"));
  lua_settop(L, 0);
  lua_pushnumber(L, 1.5);
  lua_newtable(L);
  lua_setmetatable(L, 1); // all numbers
  CHECK(lua_getmetatable(L, 1));
  lua_pushnil(L);
  lua_setmetatable(L, 1);
  CHECK(!lua_getmetatable(L, 1));
  lua_settop(L, 0);
}

static void test_operators(lua_State *L) {
  static const struct {
    int op;
    lua_Number a, b, res;
  } t[] = {{LUA_OPADD, 1, 2, 3},     {LUA_OPSUB, 1, 2, -1},  {LUA_OPMUL, 3, 4, 12},   {LUA_OPMOD, -5, 3, 1},
           {LUA_OPPOW, 2, 10, 1024}, {LUA_OPDIV, 7, 2, 3.5}, {LUA_OPIDIV, -7, 2, -4}, {LUA_OPBAND, 6, 3, 2},
           {LUA_OPBOR, 6, 3, 7},     {LUA_OPBXOR, 6, 3, 5},  {LUA_OPSHL, 1, 4, 16},   {LUA_OPSHR, 16, 4, 1}};
  for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
    for (int as_int = 0; as_int < 2; as_int++) {
      if (as_int) {
        lua_pushinteger(L, (lua_Integer)t[i].a);
        lua_pushinteger(L, (lua_Integer)t[i].b);
      } else {
        lua_pushnumber(L, t[i].a);
        lua_pushnumber(L, t[i].b);
      }
      lua_arith(L, t[i].op);
      CHECK(lua_tonumber(L, -1) == t[i].res);
    }
  }
  lua_pushinteger(L, 5);
  lua_arith(L, LUA_OPUNM);
  CHECK(lua_tointeger(L, -1) == -5);
  lua_arith(L, LUA_OPBNOT);
  CHECK(lua_tointeger(L, -1) == 4);
  lua_settop(L, 0);
  lua_concat(L, 0);
  CHECK(is(L, -1, ""));
  lua_pushinteger(L, 1);
  lua_pushliteral(L, "-");
  lua_pushnumber(L, 2.0);
  lua_concat(L, 3);
  CHECK(is(L, -1, "1-2.0"));
  lua_pushinteger(L, 1);
  lua_pushnumber(L, 1.0);
  CHECK(lua_rawequal(L, -1, -2) && lua_compare(L, -1, -2, LUA_OPLE) && !lua_compare(L, -1, -2, LUA_OPLT));
  lua_settop(L, 0);
}

static void test_userdata(lua_State *L) {
  char *p = lua_newuserdatauv(L, 100, 2);
  memset(p, 7, 100);
  CHECK(lua_touserdata(L, 1) == p && lua_rawlen(L, 1) == 100 && lua_topointer(L, 1) == p && ((size_t)p & 7) == 0);
  CHECK(lua_getiuservalue(L, 1, 1) == LUA_TNIL && lua_getiuservalue(L, 1, 3) == LUA_TNONE && lua_isnil(L, -1));
  lua_pushliteral(L, "uv");
  CHECK(lua_setiuservalue(L, 1, 2) == 1 && lua_getiuservalue(L, 1, 2) == LUA_TSTRING);
  lua_pushnil(L);
  CHECK(lua_setiuservalue(L, 1, 3) == 0);
  CHECK(luaL_newmetatable(L, "test.ud"));
  lua_setmetatable(L, 1);
  CHECK(luaL_testudata(L, 1, "test.ud") == p);
  lua_pushlightuserdata(L, p);
  CHECK(lua_islightuserdata(L, -1) && lua_isuserdata(L, -1) && lua_touserdata(L, -1) == p);
  lua_settop(L, 0);
}

static int huge_userdata(lua_State *L) {
  lua_newuserdatauv(L, ~(size_t)0 - 10, 0);
  return 0;
}

static int fails(lua_State *L, const char *code, const char *msg) {
  lua_settop(L, 0);
  if (luaL_loadbuffer(L, code, strlen(code), "=t") != LUA_OK) return is(L, -1, msg);
  return lua_pcall(L, 0, 0, 0) == LUA_ERRRUN && is(L, -1, msg);
}

static void test_errors(lua_State *L) {
  lua_pushcfunction(L, huge_userdata);
  CHECK(lua_pcall(L, 0, 0, 0) != LUA_OK && is(L, -1, "memory allocation error: block too big"));
  CHECK(fails(L, "local a = {}; a.b.c = 1", "t:1: attempt to index a nil value (field 'b')"));
  CHECK(fails(L, "x.y = 1", "t:1: attempt to index a nil value (global 'x')"));
  CHECK(fails(L, "local x; x.y = 1", "t:1: attempt to index a nil value (local 'x')"));
  CHECK(fails(L, "local x; local function f() return x.y end f()", "t:1: attempt to index a nil value (upvalue 'x')"));
  CHECK(fails(L, "local x; local function f() return x end x.y = 1", "t:1: attempt to index a nil value (local 'x')"));
  CHECK(fails(L, "local _ENV = 5; return x", "t:1: attempt to index a number value (local '_ENV')"));
  CHECK(fails(L, "local s = {}; s:foo()", "t:1: attempt to call a nil value (method 'foo')"));
  CHECK(fails(L, "nosuch()", "t:1: attempt to call a nil value (global 'nosuch')"));
  CHECK(fails(L, "local t = {} return t[1]()", "t:1: attempt to call a nil value (field 'integer index')"));
  CHECK(fails(L, "('x')()", "t:1: attempt to call a string value (constant 'x')"));
  CHECK(fails(L, "for k in 5 do end", "t:1: attempt to call a number value (for iterator 'for iterator')"));
  CHECK(fails(L, "for i = 'a', 2 do end", "t:1: bad 'for' initial value (number expected, got string)"));
  CHECK(fails(L, "return 1 + {}", "t:1: attempt to perform arithmetic on a table value"));
  CHECK(fails(L, "local t = {} return t.x + 1", "t:1: attempt to perform arithmetic on a nil value (field 'x')"));
  CHECK(fails(L, "local a = 2.5 return a | 1", "t:1: number (local 'a') has no integer representation"));
  CHECK(fails(L, "local a return a .. 'x'", "t:1: attempt to concatenate a nil value (local 'a')"));
  CHECK(fails(L, "return {} < {}", "t:1: attempt to compare two table values"));
  CHECK(fails(L, "return 1 < 'x'", "t:1: attempt to compare number with string"));
  CHECK(fails(L, "local a, b = 5, 0 return a % b", "t:1: attempt to perform 'n%0'"));
  CHECK(fails(L, "local a, b = 5, 0 return a // b", "t:1: attempt to divide by zero"));
  CHECK(fails(L, "local t = setmetatable({}, {__add = 5}) return t + 1",
              "t:1: attempt to call a number value (metamethod 'add')"));
  CHECK(fails(L, "local a, b = 1, {} return (a and b).x.y", "t:1: attempt to index a nil value (field 'x')"));
  lua_settop(L, 0);
}

static const char *once(lua_State *L, void *ud, size_t *n) {
  (void)L;
  const char **p = ud, *s = *p;
  *p = NULL;
  *n = s != NULL ? strlen(s) : 0;
  return s;
}

static int dump_to_buffer(lua_State *L, const void *p, size_t n, void *ud) {
  (void)L;
  luaL_addlstring(ud, p, n);
  return 0;
}

static void test_load(lua_State *L) {
  const char *src = "return ...";
  CHECK(lua_load(L, once, &src, "=x", "t") == LUA_OK && strcmp(lua_getupvalue(L, -1, 1), "_ENV") == 0);
  lua_pushglobaltable(L);
  CHECK(lua_rawequal(L, -1, -2));
  lua_settop(L, 1);
  lua_pushinteger(L, 9);
  lua_call(L, 1, 1);
  CHECK(lua_tointeger(L, -1) == 9);
  lua_settop(L, 0);
  CHECK(luaL_loadstring(L, "x = = 1") == LUA_ERRSYNTAX &&
        is(L, -1, "[string \"x = = 1\"]:1: unexpected symbol near '='"));
  TOP(L, 1);
  lua_settop(L, 0);
  CHECK(luaL_loadstring(L, "local a, b = ... return a * b") == LUA_OK);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  lua_pushvalue(L, 1);
  CHECK(lua_dump(L, dump_to_buffer, &b, 0) == 0);
  lua_pop(L, 1);
  luaL_pushresult(&b);
  size_t n;
  const char *bin = lua_tolstring(L, -1, &n);
  CHECK(luaL_loadbufferx(L, bin, n, "b", "t") == LUA_ERRSYNTAX);
  lua_pop(L, 1);
  CHECK(luaL_loadbufferx(L, bin, n, "b", "b") == LUA_OK);
  lua_pushinteger(L, 6);
  lua_pushinteger(L, 7);
  lua_call(L, 2, 1);
  CHECK(lua_tointeger(L, -1) == 42);
  lua_pushcfunction(L, get_upvalues);
  CHECK(lua_dump(L, dump_to_buffer, &b, 0) == 1);
  lua_settop(L, 0);
}

static int inspect(lua_State *L) {
  lua_Debug ar;
  CHECK(lua_getstack(L, 0, &ar) && lua_getinfo(L, "nSlutf", &ar));
  CHECK(strcmp(ar.what, "C") == 0 && strcmp(ar.name, "inspect") == 0 && strcmp(ar.namewhat, "global") == 0);
  CHECK(ar.currentline == -1 && lua_tocfunction(L, -1) == inspect);
  CHECK(lua_getstack(L, 1, &ar) && lua_getinfo(L, "nSlut", &ar));
  CHECK(strcmp(ar.what, "Lua") == 0 && strcmp(ar.name, "f") == 0 && strcmp(ar.namewhat, "local") == 0);
  CHECK(ar.currentline == 3 && ar.linedefined == 1 && ar.lastlinedefined == 4 && strcmp(ar.short_src, "chunk") == 0);
  CHECK(ar.nparams == 2 && ar.isvararg && ar.nups == 1 && !ar.istailcall);
  CHECK(strcmp(lua_getlocal(L, &ar, 1), "a") == 0 && lua_tointeger(L, -1) == 1);
  CHECK(strcmp(lua_getlocal(L, &ar, 3), "c") == 0 && lua_tointeger(L, -1) == 5); // captured
  CHECK(strcmp(lua_getlocal(L, &ar, -2), "(vararg)") == 0 && lua_tointeger(L, -1) == 4);
  CHECK(lua_getlocal(L, &ar, -3) == NULL);
  lua_pushinteger(L, 50);
  CHECK(strcmp(lua_setlocal(L, &ar, 3), "c") == 0);
  lua_pushinteger(L, 20);
  CHECK(strcmp(lua_setlocal(L, &ar, 2), "b") == 0);
  CHECK(!lua_getstack(L, 10, &ar) && !lua_getstack(L, -1, &ar));
  return 0;
}

static void test_debug(lua_State *L) {
  lua_register(L, "inspect", inspect);
  const char *src = "local function f(a, b, ...)\n local c = 5; local g = function() return c end\n inspect()\n "
                    "return b + g() end\nlocal r = f(1, 2, 3, 4)\nreturn r, f";
  CHECK(luaL_loadbuffer(L, src, strlen(src), "@chunk") == LUA_OK);
  CHECK(lua_pcall(L, 0, 2, 0) == LUA_OK && lua_tointeger(L, -2) == 70);
  CHECK(strcmp(lua_getlocal(L, NULL, 2), "b") == 0 && lua_getlocal(L, NULL, 3) == NULL);
  lua_Debug ar;
  CHECK(lua_getinfo(L, ">SL", &ar) && ar.linedefined == 1);
  for (int i = 0; i <= 5; i++) CHECK((lua_rawgeti(L, 2, i) == LUA_TBOOLEAN) == (i >= 2 && i <= 4));
  lua_settop(L, 0);
  lua_pushcfunction(L, inspect);
  CHECK(!lua_getinfo(L, ">Sx", &ar) && strcmp(ar.short_src, "[C]") == 0);
  lua_settop(L, 0);
}

static char events[4096];

static void log_event(lua_State *L, lua_Debug *ar) {
  static const char *const names[] = {"call", "ret", "line", "count", "tail"};
  char buf[64];
  lua_getinfo(L, "r", ar);
  snprintf(buf, sizeof buf, "%s %d %d %d;", names[ar->event], ar->currentline, ar->ftransfer, ar->ntransfer);
  if (strlen(events) + strlen(buf) < sizeof events) strcat(events, buf);
}

static void test_hooks(lua_State *L) {
  CHECK(luaL_loadstring(L, "local function f(a, ...)\n local b = a\n return b\n end\n for i = 1, 2 do\n f(i)\n end") ==
        LUA_OK);
  lua_sethook(L, log_event, LUA_MASKLINE, 0);
  CHECK(lua_gethook(L) == log_event && lua_gethookmask(L) == LUA_MASKLINE && lua_gethookcount(L) == 0);
  lua_call(L, 0, 0);
  lua_sethook(L, NULL, 0, 0);
  const char *lines = "line 4 0 0;line 5 0 0;line 6 0 0;line 2 0 0;line 3 0 0;line 5 0 0;line 6 0 0;line 2 0 0;"
                      "line 3 0 0;line 5 0 0;line 7 0 0;";
  if (strcmp(events, lines) != 0) printf("# %s\n", events);
  CHECK(strcmp(events, lines) == 0);
  events[0] = '\0';
  CHECK(luaL_loadstring(L, "local function f(a, ...) return a, 8 end f(1, 2)") == LUA_OK);
  lua_sethook(L, log_event, LUA_MASKCALL | LUA_MASKRET, 0);
  lua_call(L, 0, 0);
  lua_sethook(L, NULL, 0, 0);
  const char *calls = "call -1 0 0;call -1 1 1;ret -1 2 2;ret -1 0 0;";
  if (strcmp(events, calls) != 0) printf("# %s\n", events);
  CHECK(strcmp(events, calls) == 0);
  events[0] = '\0';
  CHECK(luaL_loadstring(L, "for i = 1, 100 do end") == LUA_OK);
  lua_sethook(L, log_event, LUA_MASKCOUNT, 50);
  lua_call(L, 0, 0);
  lua_sethook(L, NULL, 0, 0);
  CHECK(strncmp(events, "count -1 0 0;", 13) == 0);
  lua_settop(L, 0);
}

static void test_threads(lua_State *L) {
  CHECK(lua_pushthread(L) == 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  CHECK(lua_tothread(L, -1) == L && lua_rawequal(L, 1, 2) && lua_topointer(L, 1) == (void *)L);
  *(void **)lua_getextraspace(L) = &events;
  lua_State *co = lua_newthread(L);
  CHECK(*(void **)lua_getextraspace(co) == &events && lua_gettop(co) == 0 && lua_status(co) == LUA_OK);
  lua_pushliteral(L, "moved");
  lua_xmove(L, co, 1);
  CHECK(is(co, 1, "moved") && lua_gettop(co) == 1);
  lua_pushfstring(co, "%d", 5); // a state that does not run
  CHECK(is(co, 2, "5") && lua_pushthread(co) == 0);
  lua_settop(co, 0);
  CHECK(luaL_loadstring(co, "local a = coroutine.yield(1) error(a)") == LUA_OK);
  int nres;
  CHECK(lua_resume(co, L, 0, &nres) == LUA_YIELD && nres == 1);
  lua_Debug ar;
  CHECK(lua_getstack(co, 1, &ar) && lua_getinfo(co, "l", &ar) && ar.currentline == 1);
  lua_pop(co, 1);
  lua_pushliteral(co, "oops");
  CHECK(lua_resume(co, L, 1, &nres) == LUA_ERRRUN && strstr(lua_tostring(co, -1), "oops") != NULL);
  lua_settop(L, 0);
}

static int gc_calls;
static int count_gc(lua_State *L) {
  (void)L;
  gc_calls++;
  return 0;
}

static void test_gc(lua_State *L) {
  CHECK(lua_gc(L, LUA_GCISRUNNING) == 1);
  lua_gc(L, LUA_GCSTOP);
  CHECK(lua_gc(L, LUA_GCISRUNNING) == 0);
  lua_gc(L, LUA_GCRESTART);
  lua_newuserdatauv(L, 8, 0);
  lua_newtable(L);
  lua_pushcfunction(L, count_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_gc(L, LUA_GCCOLLECT);
  CHECK(gc_calls == 0);
  lua_settop(L, 0);
  lua_gc(L, LUA_GCCOLLECT);
  CHECK(gc_calls == 1 && lua_gc(L, LUA_GCCOUNT) > 0 && lua_gc(L, 99) == -1);
  for (int i = 0; i < 200000; i++) {
    lua_pushfstring(L, "garbage %d", i);
    lua_pop(L, 1);
  }
  CHECK(lua_gc(L, LUA_GCCOUNT) < 20000);
  int prev = lua_gc(L, LUA_GCGEN, 0, 0);
  CHECK(prev == LUA_GCINC || prev == LUA_GCGEN);
  lua_gc(L, LUA_GCINC, 0, 0, 0);
}

static void collect_warning(void *ud, const char *msg, int tocont) {
  (void)tocont;
  strcat(ud, msg);
}

static void test_misc(lua_State *L) {
  char warned[64] = "";
  CHECK(lua_version(L) == 504 && lua_setcstacklimit(L, 1000) == 200);
  lua_setwarnf(L, collect_warning, warned);
  lua_warning(L, "a", 1);
  lua_warning(L, "b", 0);
  CHECK(strcmp(warned, "ab") == 0);
  lua_setwarnf(L, NULL, NULL);
  lua_warning(L, "c", 0);
  void *ud;
  lua_Alloc f = lua_getallocf(L, &ud);
  CHECK(f != NULL);
  lua_setallocf(L, f, ud);
  lua_CFunction old = lua_atpanic(L, count_gc);
  CHECK(lua_atpanic(L, old) == count_gc);
}

static void *limited_alloc(void *ud, void *p, size_t osize, size_t nsize) {
  int *left = ud;
  (void)osize;
  if (nsize == 0) {
    free(p);
    return NULL;
  }
  return (*left)-- > 0 ? realloc(p, nsize) : NULL;
}

static void test_newstate(void) {
  for (int n = 0; n < 40; n++) {
    int left = n;
    lua_State *L = lua_newstate(limited_alloc, &left);
    CHECK(n > 0 || L == NULL);
    if (L != NULL) lua_close(L);
  }
}

int main(void) {
  test_newstate();
  lua_State *L = luaL_newstate();
  CHECK(L != NULL);
  luaL_openlibs(L);
  test_stack(L);
  test_convert(L);
  test_closures(L);
  test_tables(L);
  test_meta(L);
  test_operators(L);
  test_userdata(L);
  test_errors(L);
  test_load(L);
  test_debug(L);
  test_hooks(L);
  test_threads(L);
  test_gc(L);
  test_misc(L);
  lua_newuserdatauv(L, 8, 0);
  lua_newtable(L);
  lua_pushcfunction(L, count_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  int before = gc_calls;
  lua_close(L);
  CHECK(gc_calls == before + 1);
  printf("ok %d\n", nchecks);
  return 0;
}
