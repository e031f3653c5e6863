// SPDX-License-Identifier: MIT
//
// api_access_test.c: indices, reading and pushing values, operators, tables and metatables, userdata.
// Protects: vm/api.c, vm/api_data.c, vm/meta.c, vm/num.c.
#include "api_fixture.h"
#include <math.h>

static int none(lua_State *L) {
  (void)L;
  return 0;
}

static void test_types(lua_State *L) {
  lua_settop(L, 0);
  lua_pushnil(L);
  lua_pushboolean(L, 2);
  lua_pushlightuserdata(L, &nchecks);
  lua_pushinteger(L, 7);
  lua_pushnumber(L, 0.5);
  lua_pushliteral(L, "str");
  lua_newtable(L);
  lua_pushcfunction(L, none);
  lua_newuserdatauv(L, 5, 0);
  lua_newthread(L);
  static const int types[] = {LUA_TNONE,   LUA_TNIL,   LUA_TBOOLEAN,  LUA_TLIGHTUSERDATA, LUA_TNUMBER, LUA_TNUMBER,
                              LUA_TSTRING, LUA_TTABLE, LUA_TFUNCTION, LUA_TUSERDATA,      LUA_TTHREAD, LUA_TNONE};
  static const char *const names[] = {"no value", "nil",   "boolean",  "userdata", "number", "number",
                                      "string",   "table", "function", "userdata", "thread", "no value"};
  static const size_t lens[] = {0, 0, 0, 0, 0, 0, 3, 0, 0, 5, 0, 0};
  for (int i = 1; i <= 11; i++) {
    CHECK(lua_type(L, i) == types[i] && same(luaL_typename(L, i), names[i]));
    CHECK(lua_rawlen(L, i) == lens[i]);
    CHECK(lua_isnone(L, i) == (i == 11) && lua_isnil(L, i) == (i == 1) && lua_isnoneornil(L, i) == (i == 1 || i == 11));
    CHECK(lua_toboolean(L, i) == (i > 1 && i < 11));
    CHECK(lua_isnumber(L, i) == (i == 4 || i == 5) && lua_isinteger(L, i) == (i == 4));
    CHECK(lua_isstring(L, i) == (i >= 4 && i <= 6) && lua_iscfunction(L, i) == (i == 8));
    CHECK(lua_isuserdata(L, i) == (i == 3 || i == 9) && lua_islightuserdata(L, i) == (i == 3));
    CHECK((lua_touserdata(L, i) != NULL) == (i == 3 || i == 9) && (lua_tothread(L, i) != NULL) == (i == 10));
    CHECK((lua_tocfunction(L, i) != NULL) == (i == 8));
    CHECK((lua_topointer(L, i) != NULL) == (i == 3 || (i >= 6 && i <= 10)));
  }
  CHECK(lua_topointer(L, 3) == &nchecks && lua_topointer(L, 9) == lua_touserdata(L, 9));
  CHECK(lua_topointer(L, 10) == lua_tothread(L, 10));
  for (int i = 1; i <= 10; i++) {
    int isnum = 5;
    lua_tointegerx(L, i, &isnum);
    CHECK(isnum == (i == 4));
    lua_tonumberx(L, i, &isnum);
    CHECK(isnum == (i == 4 || i == 5));
  }
  lua_settop(L, 0);
}

static void test_numbers(lua_State *L) {
  static const struct {
    const char *s;
    int isnum, isint;
    double n;
  } t[] = {{"10", 1, 1, 10},
           {" 0x1p4 ", 1, 1, 16},
           {"1e", 0, 0, 0},
           {"", 0, 0, 0},
           {" ", 0, 0, 0},
           {"0x", 0, 0, 0},
           {"1 1", 0, 0, 0},
           {"-7", 1, 1, -7},
           {"1e1", 1, 1, 10},
           {"1.5", 1, 0, 1.5},
           {"0x.8", 1, 0, 0.5},
           {"inf", 0, 0, 0},
           {"nan", 0, 0, 0},
           {"- 1", 0, 0, 0},
           {"1e400", 1, 0, HUGE_VAL},
           {"9223372036854775808", 1, 0, 9223372036854775808.0},
           {"0xffffffffffffffffff", 1, 1, -1},
           {"\t5\n", 1, 1, 5}};
  for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
    int isnum, isint;
    lua_pushstring(L, t[i].s);
    double n = lua_tonumberx(L, -1, &isnum);
    CHECK(isnum == t[i].isnum && n == (isnum ? t[i].n : 0) && lua_isnumber(L, -1) == isnum);
    lua_tointegerx(L, -1, &isint);
    CHECK(isint == t[i].isint);
    size_t size = lua_stringtonumber(L, t[i].s);
    CHECK(size == (isnum ? strlen(t[i].s) + 1 : 0));
    lua_settop(L, 0);
  }
  static const struct {
    double n;
    const char *s;
  } f[] = {{1, "1.0"},
           {-0.0, "-0.0"},
           {0.1, "0.1"},
           {1e15, "1e+15"},
           {123456789012345.0, "1.2345678901234e+14"},
           {1e100, "1e+100"},
           {HUGE_VAL, "inf"},
           {-HUGE_VAL, "-inf"},
           {3.14159265358979, "3.1415926535898"}};
  for (size_t i = 0; i < sizeof f / sizeof *f; i++) {
    lua_pushnumber(L, f[i].n);
    CHECK(is(L, -1, f[i].s));
  }
  lua_pushinteger(L, LUA_MININTEGER);
  CHECK(is(L, -1, "-9223372036854775808"));
  lua_settop(L, 0);
}

static void test_fstring(lua_State *L) {
  CHECK(same(lua_pushfstring(L, "%s %d %I %f %c %% %U", "s", -3, (LUAI_UACINT)LUA_MAXINTEGER, 2.0, 65, 0x20ACL),
             "s -3 9223372036854775807 2.0 A % \xE2\x82\xAC"));
  CHECK(same(lua_pushfstring(L, "%s", (char *)NULL), "(null)") && same(lua_pushfstring(L, ""), ""));
  const char *p = lua_pushfstring(L, "%p", (void *)L);
  char buf[64];
  snprintf(buf, sizeof buf, "%p", (void *)L);
  CHECK(same(p, buf));
  char big[1000];
  memset(big, 'b', 999);
  big[999] = '\0';
  CHECK(strlen(lua_pushfstring(L, "%s%s%d", big, big, 1)) == 1999);
  CHECK(same(lua_pushfstring(L, "%U|%U|%U", 0x7fL, 0x7ffL, 0x10ffffL), "\x7f|\xdf\xbf|\xf4\x8f\xbf\xbf"));
  lua_settop(L, 0);
}

static int bad_fstring(lua_State *L) {
  lua_pushfstring(L, "%y");
  return 0;
}

static void test_arith(lua_State *L) {
  static const int ops[] = {LUA_OPADD, LUA_OPSUB, LUA_OPMUL, LUA_OPMOD, LUA_OPPOW, LUA_OPDIV, LUA_OPIDIV};
  static const double res[] = {9.5, 5.5, 15, 1.5, 56.25, 3.75, 3};
  for (int i = 0; i < 7; i++) {
    lua_pushnumber(L, 7.5);
    lua_pushliteral(L, "2"); // strings are converted
    lua_arith(L, ops[i]);
    TOP(L, 1);
    CHECK(lua_tonumber(L, 1) == res[i]);
    lua_settop(L, 0);
  }
  lua_pushinteger(L, LUA_MAXINTEGER);
  lua_pushinteger(L, 1);
  lua_arith(L, LUA_OPADD); // wraps
  CHECK(lua_tointeger(L, 1) == LUA_MININTEGER);
  lua_pushinteger(L, -1);
  lua_arith(L, LUA_OPIDIV);
  CHECK(lua_tointeger(L, 1) == LUA_MININTEGER);
  lua_pushinteger(L, 64);
  lua_arith(L, LUA_OPSHL);
  CHECK(lua_tointeger(L, 1) == 0);
  lua_settop(L, 0);
  lua_pushnumber(L, 3.0);
  lua_arith(L, LUA_OPBNOT);
  CHECK(lua_isinteger(L, 1) && lua_tointeger(L, 1) == -4);
  lua_arith(L, LUA_OPUNM);
  CHECK(lua_tointeger(L, 1) == 4);
  lua_settop(L, 0);
}

static int add(lua_State *L) {
  lua_arith(L, LUA_OPADD);
  return 1;
}
static int mod(lua_State *L) {
  lua_arith(L, LUA_OPMOD);
  return 1;
}
static int band(lua_State *L) {
  lua_arith(L, LUA_OPBAND);
  return 1;
}
static int less(lua_State *L) {
  lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
  return 1;
}
static int concat(lua_State *L) {
  lua_concat(L, lua_gettop(L));
  return 1;
}
static int length(lua_State *L) {
  lua_len(L, 1);
  return 1;
}
static int index_it(lua_State *L) {
  lua_getfield(L, 1, "f");
  return 1;
}
static int set_it(lua_State *L) {
  lua_pushinteger(L, 1);
  lua_setfield(L, 1, "f");
  return 0;
}
static int next_it(lua_State *L) {
  lua_next(L, 1);
  return 0;
}
static int set_key(lua_State *L) {
  lua_settable(L, 1);
  return 0;
}
static int raw_set(lua_State *L) {
  lua_rawset(L, 1);
  return 0;
}

static void test_errors(lua_State *L) {
  lua_settop(L, 0);
  CHECK(fails(L, bad_fstring, "invalid option '%y' to 'lua_pushfstring'"));
  lua_newtable(L);
  lua_pushinteger(L, 1);
  CHECK(fails(L, add, "attempt to perform arithmetic on a table value"));
  lua_pushinteger(L, 1);
  lua_pushinteger(L, 0);
  CHECK(fails(L, mod, "attempt to perform 'n%0'"));
  lua_pushinteger(L, 1);
  lua_pushnumber(L, 1.5);
  CHECK(fails(L, band, "number has no integer representation"));
  lua_pushliteral(L, "a");
  lua_pushinteger(L, 1);
  CHECK(fails(L, band, "attempt to perform bitwise operation on a string value"));
  lua_pushinteger(L, 1);
  lua_pushliteral(L, "1");
  CHECK(fails(L, less, "attempt to compare number with string"));
  lua_newtable(L);
  lua_newtable(L);
  CHECK(fails(L, less, "attempt to compare two table values"));
  lua_pushliteral(L, "a");
  lua_pushnil(L);
  CHECK(fails(L, concat, "attempt to concatenate a nil value"));
  lua_pushboolean(L, 1);
  CHECK(fails(L, length, "attempt to get length of a boolean value"));
  lua_pushnil(L);
  CHECK(fails(L, index_it, "attempt to index a nil value"));
  lua_pushinteger(L, 4);
  CHECK(fails(L, set_it, "attempt to index a number value"));
  lua_newtable(L);
  lua_pushliteral(L, "nokey");
  CHECK(fails(L, next_it, "invalid key to 'next'"));
  lua_newtable(L);
  lua_pushnil(L);
  lua_pushinteger(L, 1);
  CHECK(fails(L, set_key, "table index is nil"));
  lua_newtable(L);
  lua_pushnumber(L, (double)NAN);
  lua_pushinteger(L, 1);
  CHECK(fails(L, raw_set, "table index is NaN"));
}

static void test_compare(lua_State *L) {
  lua_pushinteger(L, 1);
  lua_pushnumber(L, 1.0);
  lua_pushnumber(L, (double)NAN);
  lua_pushliteral(L, "a");
  lua_pushliteral(L, "b");
  lua_pushinteger(L, LUA_MAXINTEGER);
  lua_pushnumber(L, 9223372036854775808.0);
  CHECK(lua_compare(L, 1, 2, LUA_OPEQ) && lua_rawequal(L, 1, 2) && lua_compare(L, 1, 2, LUA_OPLE));
  CHECK(!lua_compare(L, 3, 3, LUA_OPEQ) && !lua_compare(L, 3, 3, LUA_OPLE) && !lua_rawequal(L, 3, 3));
  CHECK(lua_compare(L, 4, 5, LUA_OPLT) && !lua_compare(L, 5, 4, LUA_OPLE) && !lua_compare(L, 4, 1, LUA_OPEQ));
  CHECK(lua_compare(L, 6, 7, LUA_OPLT) && !lua_compare(L, 6, 7, LUA_OPEQ) && !lua_rawequal(L, 6, 7));
  CHECK(!lua_compare(L, 1, 30, LUA_OPEQ) && !lua_compare(L, 30, 31, LUA_OPLT) && !lua_rawequal(L, 30, 31));
  lua_settop(L, 0);
}

// Numbers read as strings through upvalue indices: each becomes a string where it is, and all of them stay valid.
enum { NUPS = 20 };
static int read_upvalues(lua_State *L) {
  const char *s[NUPS + 1];
  char want[64];
  for (int i = 1; i <= NUPS; i++) s[i] = lua_tostring(L, lua_upvalueindex(i));
  lua_gc(L, LUA_GCCOLLECT);
  for (int i = 0; i < 1000; i++) lua_pushfstring(L, "rubbish %d to take freed memory", i), lua_pop(L, 1);
  for (int i = 1; i <= NUPS; i++) {
    snprintf(want, sizeof want, "%lld", (i % 2 ? 1LL << 60 : 0) + i);
    CHECK(same(s[i], want) && lua_type(L, lua_upvalueindex(i)) == LUA_TSTRING);
  }
  CHECK(lua_type(L, lua_upvalueindex(NUPS + 1)) == LUA_TNONE && lua_type(L, lua_upvalueindex(255)) == LUA_TNONE);
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_copy(L, -1, lua_upvalueindex(4));
  return 1;
}

static void test_upvalues(lua_State *L) {
  CHECK(lua_checkstack(L, 300));
  for (int i = 1; i <= NUPS; i++) lua_pushinteger(L, (i % 2 ? 1LL << 60 : 0) + i);
  lua_pushcclosure(L, read_upvalues, NUPS);
  lua_pushvalue(L, 1);
  lua_call(L, 0, 1);
  CHECK(is(L, 2, "1152921504606846979") && lua_getupvalue(L, 1, 4) != NULL && lua_rawequal(L, 2, 3));
  lua_settop(L, 0);
  for (int i = 0; i < 255; i++) lua_pushinteger(L, i);
  lua_pushcclosure(L, none, 255);
  CHECK(lua_getupvalue(L, 1, 255) != NULL && lua_tointeger(L, -1) == 254 && lua_getupvalue(L, 1, 256) == NULL);
  lua_settop(L, 0);
}

static void test_stack(lua_State *L) {
  for (int i = 1; i <= 3; i++) lua_pushinteger(L, i);
  lua_pushvalue(L, -3);
  CHECK(lua_tointeger(L, 4) == 1);
  lua_rotate(L, 1, 2); // 1 2 3 1 -> 3 1 1 2
  CHECK(lua_tointeger(L, 1) == 3 && lua_tointeger(L, 4) == 2);
  lua_rotate(L, -2, -1); // 3 1 2 1
  CHECK(lua_tointeger(L, 3) == 2 && lua_tointeger(L, 4) == 1);
  lua_rotate(L, 2, 0);
  lua_copy(L, 1, -1);
  CHECK(lua_tointeger(L, 4) == 3);
  lua_settop(L, -2);
  TOP(L, 3);
  lua_settop(L, 10);
  CHECK(lua_isnil(L, 10) && lua_absindex(L, -10) == 1 && lua_absindex(L, lua_upvalueindex(1)) == lua_upvalueindex(1));
  CHECK(lua_checkstack(L, 900000) && !lua_checkstack(L, 1000000) && lua_checkstack(L, 0));
  lua_settop(L, 0);
}

static void test_tables(lua_State *L) {
  lua_createtable(L, 10, 10);
  lua_pushinteger(L, 1);
  lua_setfield(L, 1, "");
  lua_pushinteger(L, 2);
  lua_seti(L, 1, LUA_MININTEGER);
  lua_pushnumber(L, 3.0);
  lua_pushinteger(L, 3);
  lua_settable(L, 1); // a float key with an integer value is that integer
  CHECK(lua_geti(L, 1, 3) == LUA_TNUMBER && lua_rawgeti(L, 1, LUA_MININTEGER) == LUA_TNUMBER);
  CHECK(lua_getfield(L, 1, "") == LUA_TNUMBER && lua_rawgetp(L, 1, L) == LUA_TNIL);
  lua_settop(L, 1);
  lua_newtable(L);
  CHECK(lua_setmetatable(L, 1) == 1 && lua_getmetatable(L, 1) == 1);
  lua_pushcfunction(L, index_it);
  lua_setfield(L, 2, "__index"); // f of the key: strings have an __index
  lua_pushnil(L);
  CHECK(lua_setmetatable(L, 1) == 1 && lua_getmetatable(L, 1) == 0);
  TOP(L, 2);
  lua_settop(L, 0);
  lua_pushglobaltable(L);
  lua_pushinteger(L, 5);
  lua_setglobal(L, "g");
  CHECK(lua_getfield(L, 1, "g") == LUA_TNUMBER && lua_getglobal(L, "g") == LUA_TNUMBER &&
        lua_getglobal(L, "h") == LUA_TNIL);
  lua_settop(L, 0);
  CHECK(runs(L,
             "return setmetatable({}, {__index = function(t, k) return k end, __newindex = function(t, k, v) "
             "rawset(t, 'set', k) end, __len = function() return 'long' end})",
             1) == LUA_OK);
  CHECK(lua_geti(L, 1, 9) == LUA_TNUMBER && lua_rawgeti(L, 1, 9) == LUA_TNIL && lua_getfield(L, 1, "q") == LUA_TSTRING);
  lua_pushinteger(L, 1);
  lua_seti(L, 1, 77);
  CHECK(lua_getfield(L, 1, "set") == LUA_TNUMBER && lua_tointeger(L, -1) == 77);
  lua_len(L, 1);
  CHECK(is(L, -1, "long"));
  lua_pushinteger(L, 8);
  lua_rawsetp(L, 1, &nchecks);
  CHECK(lua_rawgetp(L, 1, &nchecks) == LUA_TNUMBER);
  lua_settop(L, 0);
}

static void test_next_while_changing(lua_State *L) {
  lua_newtable(L);
  for (int i = 0; i < 100; i++) {
    lua_pushfstring(L, "k%d", i);
    lua_pushinteger(L, i);
    lua_rawset(L, 1);
  }
  int n = 0;
  for (lua_pushnil(L); lua_next(L, 1); n++) { // assigning to existing fields, nil too, is allowed
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    if (n % 2)
      lua_pushnil(L);
    else
      lua_pushboolean(L, 1);
    lua_rawset(L, 1);
  }
  CHECK(n == 100);
  TOP(L, 1);
  lua_settop(L, 0);
}

static void test_userdata(lua_State *L) {
  static const size_t sizes[] = {0, 1, 7, 8, 100, 5000, 100000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (int nuv = 0; nuv <= 10; nuv += 5) {
      char *p = lua_newuserdatauv(L, sizes[i], nuv);
      memset(p, 0x5a, sizes[i]);
      CHECK(lua_rawlen(L, 1) == sizes[i] && lua_touserdata(L, 1) == p && ((size_t)p & 7) == 0);
      for (int u = 1; u <= nuv; u++) {
        CHECK(lua_getiuservalue(L, 1, u) == LUA_TNIL);
        lua_pushinteger(L, u);
        CHECK(lua_setiuservalue(L, 1, u) == 1 && lua_getiuservalue(L, 1, u) == LUA_TNUMBER);
      }
      CHECK(lua_getiuservalue(L, 1, 0) == LUA_TNONE && lua_getiuservalue(L, 1, nuv + 1) == LUA_TNONE);
      lua_pushnil(L);
      CHECK(lua_setiuservalue(L, 1, nuv + 1) == 0);
      lua_pushnil(L);
      CHECK(lua_setiuservalue(L, 1, -1) == 0);
      lua_settop(L, 0);
    }
  }
}

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  test_types(L);
  test_numbers(L);
  test_fstring(L);
  test_arith(L);
  test_errors(L);
  test_compare(L);
  test_upvalues(L);
  test_stack(L);
  test_tables(L);
  test_next_while_changing(L);
  test_userdata(L);
  lua_close(L);
  return passed("api_access_test");
}
