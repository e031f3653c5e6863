// SPDX-License-Identifier: MIT
//
// api_aux_test.c: loading and dumping, the collector's options, warnings, debug information, and the auxiliary library.
// Protects: vm/compile.c, vm/dump.c, vm/gc.c (gc_control), vm/dbg.c, vm/state.c, and what lauxlib needs of lua.h.
#include "api_fixture.h"
#include <errno.h>
#include <unistd.h>

// ---- load and dump ------------------------------------------------------------------------------------------

typedef struct Pieces {
  const char *s;
  size_t len, piece; // bytes at a time
  int fail;          // raise an error after the first piece
} Pieces;

static const char *read_piece(lua_State *L, void *ud, size_t *size) {
  Pieces *p = ud;
  if (p->fail && p->fail++ > 1) luaL_error(L, "reader broke");
  const char *s = p->s;
  *size = p->len < p->piece ? p->len : p->piece;
  p->s += *size;
  p->len -= *size;
  return *size > 0 ? s : NULL;
}

typedef struct Sink {
  char *mem;
  size_t len;
  int left; // calls until it refuses; negative: never
} Sink;

static int write_piece(lua_State *L, const void *p, size_t size, void *ud) {
  Sink *s = ud;
  (void)L;
  if (s->left == 0) return 77;
  if (s->left > 0) s->left--;
  s->mem = realloc(s->mem, s->len + size);
  memcpy(s->mem + s->len, p, size);
  s->len += size;
  return 0;
}

static void test_load(lua_State *L) {
  const char *src = "local a, b = ... local function f() return a end return f() + b, [==[long]==]";
  for (size_t piece = 1; piece < 100; piece += 9) {
    Pieces p = {src, strlen(src), piece, 0};
    CHECK(lua_load(L, read_piece, &p, "=chunk", NULL) == LUA_OK);
    Sink s = {NULL, 0, -1};
    CHECK(lua_dump(L, write_piece, &s, piece % 2) == 0 && s.len > 20 && memcmp(s.mem, LUA_SIGNATURE, 4) == 0);
    p = (Pieces){s.mem, s.len, piece, 0};
    CHECK(lua_load(L, read_piece, &p, "bin", "t") == LUA_ERRSYNTAX);
    CHECK(is(L, -1, "attempt to load a binary chunk (mode is 't')"));
    p = (Pieces){s.mem, s.len, piece, 0};
    CHECK(lua_load(L, read_piece, &p, "bin", "b") == LUA_OK);
    lua_pushinteger(L, 1);
    lua_pushinteger(L, 2);
    CHECK(lua_pcall(L, 2, 2, 0) == LUA_OK && lua_tointeger(L, -2) == 3 && is(L, -1, "long"));
    p = (Pieces){s.mem, s.len - 5, piece, 0};
    CHECK(lua_load(L, read_piece, &p, "bin", "b") == LUA_ERRSYNTAX && strstr(lua_tostring(L, -1), "truncated") != NULL);
    free(s.mem);
    lua_settop(L, 1);
    s = (Sink){NULL, 0, 0};
    CHECK(lua_dump(L, write_piece, &s, 0) == 77);
    free(s.mem);
    p = (Pieces){src, strlen(src), 5, 1};
    CHECK(lua_load(L, read_piece, &p, "=chunk", NULL) == LUA_ERRRUN && is(L, -1, "reader broke"));
    lua_settop(L, 0);
  }
  Pieces none = {"", 0, 1, 0};
  CHECK(lua_load(L, read_piece, &none, NULL, NULL) == LUA_OK && lua_pcall(L, 0, 0, 0) == LUA_OK);
  none = (Pieces){"x =", 3, 1, 0};
  CHECK(lua_load(L, read_piece, &none, NULL, NULL) == LUA_ERRSYNTAX &&
        strstr(lua_tostring(L, -1), "[string \"?\"]:1:"));
  CHECK(luaL_loadstring(L, "goto nowhere") == LUA_ERRSYNTAX &&
        luaL_loadbufferx(L, "return 1", 8, "=x", "b") == LUA_ERRSYNTAX);
  CHECK(is(L, -1, "attempt to load a text chunk (mode is 'b')"));
  lua_settop(L, 0);
}

static void write_file(const char *name, const char *text, size_t len) {
  FILE *f = fopen(name, "wb");
  CHECK(f != NULL && fwrite(text, 1, len, f) == len && fclose(f) == 0);
}

static void test_loadfile(lua_State *L) {
  char name[] = "/tmp/api_aux_XXXXXX";
  int fd = mkstemp(name);
  CHECK(fd >= 0 && close(fd) == 0);
  static const char *const ok[] = {"return 7", "#!/usr/bin/lua\nreturn 7", "\xEF\xBB\xBFreturn 7",
                                   "\xEF\xBB\xBF# x\nreturn 7", "# only a comment\nreturn 7"};
  for (size_t i = 0; i < sizeof ok / sizeof *ok; i++) {
    write_file(name, ok[i], strlen(ok[i]));
    CHECK(luaL_dofile(L, name) == LUA_OK && lua_tointeger(L, -1) == 7);
  }
  write_file(name, "#\nx = = 2", 9);
  CHECK(luaL_loadfile(L, name) == LUA_ERRSYNTAX &&
        strstr(lua_tostring(L, -1), ":2: unexpected symbol near '='") != NULL);
  Sink s = {NULL, 0, -1};
  CHECK(luaL_loadstring(L, "return 8") == LUA_OK && lua_dump(L, write_piece, &s, 1) == 0);
  write_file(name, s.mem, s.len);
  free(s.mem);
  CHECK(luaL_dofile(L, name) == LUA_OK && lua_tointeger(L, -1) == 8);
  CHECK(luaL_loadfilex(L, name, "t") == LUA_ERRSYNTAX);
  remove(name);
  lua_settop(L, 0);
  CHECK(luaL_loadfile(L, name) == LUA_ERRFILE && strstr(lua_tostring(L, -1), "cannot open") != NULL);
  TOP(L, 1);
  lua_settop(L, 0);
}

// ---- collector and warnings ------------------------------------------------------------------------------------

static void test_gc(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  CHECK(lua_gc(L, LUA_GCISRUNNING) == 1 && lua_gc(L, LUA_GCSTOP) == 0 && lua_gc(L, LUA_GCISRUNNING) == 0);
  CHECK(lua_gc(L, LUA_GCRESTART) == 0 && lua_gc(L, LUA_GCISRUNNING) == 1 && lua_gc(L, LUA_GCCOLLECT) == 0);
  CHECK(lua_gc(L, LUA_GCCOUNT) > 0 && lua_gc(L, LUA_GCCOUNTB) >= 0 && lua_gc(L, LUA_GCCOUNTB) < 1024);
  CHECK(lua_gc(L, LUA_GCGEN, 0, 0) == LUA_GCINC && lua_gc(L, LUA_GCGEN, 20, 100) == LUA_GCGEN);
  CHECK(lua_gc(L, LUA_GCINC, 0, 0, 0) == LUA_GCGEN && lua_gc(L, LUA_GCINC, 200, 100, 13) == LUA_GCINC);
  CHECK(lua_gc(L, LUA_GCSETPAUSE, 400) == 200 && lua_gc(L, LUA_GCSETPAUSE, 200) == 400);
  CHECK(lua_gc(L, LUA_GCSETSTEPMUL, 400) == 100 && lua_gc(L, LUA_GCSETSTEPMUL, 100) == 400);
  CHECK(lua_gc(L, 1000) == -1 && lua_gc(L, -1) == -1);
  int steps = 0;
  while (!lua_gc(L, LUA_GCSTEP, 1) && steps < 100000) steps++;
  CHECK(steps < 100000 && lua_gc(L, LUA_GCSTEP, 1 << 20) == 1);
  CHECK(
      runs(L,
           "assert(collectgarbage('incremental') == 'incremental' and collectgarbage('generational') == 'incremental')"
           "assert(collectgarbage('incremental') == 'generational' and collectgarbage() == 0)"
           "assert(collectgarbage('isrunning') and math.type(collectgarbage('count')) == 'float')"
           "assert(collectgarbage('step', 1 << 20) == true and not pcall(collectgarbage, 'none'))"
           "assert(collectgarbage('stop') == 0 and not collectgarbage('isrunning') and collectgarbage('restart') == 0)"
           "local x = setmetatable({}, {__gc = function() f = collectgarbage() == nil end}) x = nil collectgarbage()"
           "assert(f == true, tostring(f))",
           0) == LUA_OK ||
      is(L, -1, ""));
  lua_close(L);
}

static char warned[256];
static void on_warn(void *ud, const char *msg, int tocont) {
  CHECK(ud == warned);
  strcat(warned, msg);
  if (!tocont) strcat(warned, "|");
}

static void test_warnings(lua_State *L) {
  lua_setwarnf(L, on_warn, warned);
  lua_warning(L, "a", 1);
  lua_warning(L, "b", 0);
  CHECK(runs(L, "warn('x', 'y') warn('@on')", 0) == LUA_OK && same(warned, "ab|xy|@on|"));
  warned[0] = '\0';
  CHECK(runs(L, "setmetatable({}, {__gc = function() error('oops', 0) end})", 0) == LUA_OK);
  lua_gc(L, LUA_GCCOLLECT);
  CHECK(same(warned, "error in __gc (oops)|") || same(warned, "error in __gc|") || strstr(warned, "oops") != NULL);
  lua_setwarnf(L, NULL, NULL);
  lua_warning(L, "nobody", 0);
  lua_settop(L, 0);
}

// ---- the auxiliary library ---------------------------------------------------------------------------------------

static int check_args(lua_State *L) {
  static const char *const opts[] = {"one", "two", NULL};
  lua_pushinteger(L, luaL_checkinteger(L, 1));
  lua_pushnumber(L, luaL_optnumber(L, 2, 2.5));
  lua_pushstring(L, luaL_optstring(L, 3, "def"));
  lua_pushinteger(L, luaL_checkoption(L, 4, "two", opts));
  luaL_argcheck(L, lua_tointeger(L, 1) > 0, 1, "must be positive");
  luaL_checkany(L, 5);
  luaL_checktype(L, 5, LUA_TTABLE);
  luaL_checkstack(L, 10, "no room");
  return 4;
}

static void test_args(lua_State *L) {
  lua_register(L, "check", check_args);
  CHECK(runs(L,
             "local a, b, c, d = check(1, nil, nil, nil, {}) assert(a == 1 and b == 2.5 and c == 'def' and d == 1)\n"
             "local function e(...) local ok, m = pcall(check, ...) assert(not ok) return m end\n"
             "assert(e() == \"bad argument #1 to 'check' (number expected, got no value)\" or e():find'number "
             "expected, got no value')\n"
             "assert(e(1.5):find'number has no integer representation')\n"
             "assert(e(1, 'x'):find'number expected, got string')\n"
             "assert(e(1, 1, {}):find'string expected, got table')\n"
             "assert(e(1, 1, 's', 'three'):find\"invalid option 'three'\")\n"
             "assert(e(-1, 1, 's', 'one', {}):find'must be positive')\n"
             "assert(e(1, 1, 's', 'one', 1):find'table expected, got number')\n"
             "assert(e(setmetatable({}, {__name = 'My'})):find'number expected, got My')",
             0) == LUA_OK ||
        is(L, -1, ""));
  lua_settop(L, 0);
}

static void test_buffers(lua_State *L) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (int i = 0; i < 5000; i++) {
    luaL_addchar(&b, 'a');
    luaL_addstring(&b, "bc");
    lua_pushinteger(L, i % 10);
    luaL_addvalue(&b);
  }
  luaL_buffsub(&b, 1);
  CHECK(luaL_bufflen(&b) == 19999);
  luaL_addgsub(&b, "x.y.z", ".", "--");
  luaL_pushresult(&b);
  size_t len;
  const char *s = lua_tolstring(L, -1, &len);
  CHECK(len == 20006 && memcmp(s, "abc0abc1", 8) == 0 && same(s + 19999, "x--y--z"));
  char *p = luaL_buffinitsize(L, &b, 100000);
  memset(p, 'q', 100000);
  luaL_pushresultsize(&b, 99999);
  CHECK(lua_rawlen(L, -1) == 99999);
  luaL_buffinit(L, &b);
  luaL_pushresult(&b);
  CHECK(is(L, -1, ""));
  CHECK(same(luaL_gsub(L, "aXbX", "X", "yy"), "ayybyy"));
  lua_settop(L, 0);
}

static void test_registry(lua_State *L) {
  int r[10];
  lua_newtable(L);
  for (int i = 0; i < 10; i++) {
    lua_pushinteger(L, i * 11);
    r[i] = luaL_ref(L, 1);
  }
  for (int i = 0; i < 10; i++) CHECK(lua_rawgeti(L, 1, r[i]) == LUA_TNUMBER && lua_tointeger(L, -1) == i * 11);
  luaL_unref(L, 1, r[4]);
  lua_pushboolean(L, 1);
  CHECK(luaL_ref(L, 1) == r[4]);
  lua_pushnil(L);
  CHECK(luaL_ref(L, 1) == LUA_REFNIL && lua_rawgeti(L, 1, LUA_REFNIL) == LUA_TNIL);
  luaL_unref(L, 1, LUA_NOREF);
  luaL_unref(L, 1, LUA_REFNIL);
  lua_settop(L, 0);
  CHECK(luaL_newmetatable(L, "T1") == 1 && luaL_newmetatable(L, "T1") == 0 && lua_rawequal(L, 1, 2));
  CHECK(lua_getfield(L, 1, "__name") == LUA_TSTRING && luaL_getmetatable(L, "T2") == LUA_TNIL);
  void *p = lua_newuserdatauv(L, 4, 0);
  luaL_setmetatable(L, "T1");
  CHECK(luaL_testudata(L, -1, "T1") == p && luaL_testudata(L, -1, "T2") == NULL && luaL_testudata(L, 1, "T1") == NULL);
  CHECK(luaL_getmetafield(L, -1, "__name") == LUA_TSTRING && luaL_getmetafield(L, -2, "none") == LUA_TNIL);
  CHECK(strncmp(luaL_tolstring(L, -2, NULL), "T1: 0x", 6) == 0);
  lua_settop(L, 0);
  lua_newtable(L);
  CHECK(luaL_getsubtable(L, 1, "sub") == 0 && luaL_getsubtable(L, 1, "sub") == 1 && lua_rawequal(L, 2, 3));
  lua_settop(L, 0);
  luaL_checkversion(L);
  CHECK(lua_version(L) == 504);
  CHECK(luaL_fileresult(L, 1, NULL) == 1 && lua_toboolean(L, -1));
  errno = ENOENT;
  CHECK(luaL_fileresult(L, 0, "name") == 3 && lua_tointeger(L, -1) == ENOENT &&
        strncmp(lua_tostring(L, -2), "name: ", 6) == 0);
  errno = 0;
  CHECK(luaL_execresult(L, 0x100) == 3 && lua_tointeger(L, -1) == 1 && is(L, -2, "exit"));
  lua_settop(L, 0);
}

static void test_tolstring(lua_State *L) {
  CHECK(runs(L, "return setmetatable({}, {__tostring = function() return 'custom' end}), 1, 1.0, true, nil, 's'", 6) ==
        LUA_OK);
  static const char *const want[] = {"custom", "1", "1.0", "true", "nil", "s"};
  for (int i = 1; i <= 6; i++) {
    CHECK(same(luaL_tolstring(L, i, NULL), want[i - 1]));
    lua_pop(L, 1);
  }
  CHECK(lua_type(L, 2) == LUA_TNUMBER); // unchanged
  CHECK(luaL_callmeta(L, 1, "__tostring") == 1 && luaL_callmeta(L, 2, "__tostring") == 0);
  lua_settop(L, 0);
}

// ---- debug information -------------------------------------------------------------------------------------------

static int where(lua_State *L) {
  luaL_where(L, 1);
  luaL_traceback(L, L, "msg", 1);
  return 2;
}

static void test_debug(lua_State *L) {
  lua_register(L, "where", where);
  lua_Debug ar;
  const char *src = "local function f()\n local a, b = where()\n return a, b\nend\nreturn f()";
  CHECK(luaL_loadbuffer(L, src, strlen(src), "@file.lua") == LUA_OK);
  CHECK(lua_pcall(L, 0, 2, 0) == LUA_OK && is(L, 1, "file.lua:2: "));
  CHECK(is(L, 2, "msg\nstack traceback:\n\tfile.lua:2: in function <file.lua:1>\n\t(...tail calls...)"));
  lua_settop(L, 0);
  CHECK(luaL_loadstring(L, "local x, y = ... \n local z = x \n return function(a, b, ...) return z, a end") == LUA_OK);
  lua_pushvalue(L, 1);
  CHECK(lua_getinfo(L, ">Snu", &ar) == 1 && same(ar.what, "main") && ar.isvararg == 1 && ar.nparams == 0 &&
        ar.nups == 1);
  CHECK(same(ar.namewhat, "") && ar.name == NULL && ar.linedefined == 0);
  lua_call(L, 0, 1);
  lua_pushvalue(L, 1);
  CHECK(lua_getinfo(L, ">Sutl", &ar) == 1 && same(ar.what, "Lua") && ar.nparams == 2 && ar.isvararg == 1 &&
        ar.nups == 1);
  CHECK(ar.linedefined == 3 && ar.lastlinedefined == 3 && ar.currentline == -1 && ar.istailcall == 0 && ar.srclen > 0);
  CHECK(same(lua_getlocal(L, NULL, 1), "a") && lua_getlocal(L, NULL, 3) == NULL);
  CHECK(same(lua_getupvalue(L, 1, 1), "z") && lua_getupvalue(L, 1, 2) == NULL);
  lua_settop(L, 1);
  lua_pushvalue(L, 1);
  CHECK(lua_getinfo(L, ">f", &ar) == 1 && lua_rawequal(L, 1, -1));
  lua_pushvalue(L, 1);
  CHECK(lua_getinfo(L, ">L", &ar) == 1 && lua_istable(L, -1) && lua_rawgeti(L, -1, 3) == LUA_TBOOLEAN);
  lua_pushvalue(L, 1);
  CHECK(lua_getinfo(L, ">X", &ar) == 0);
  CHECK(lua_getstack(L, 0, &ar) == 0 || lua_gettop(L) >= 0);
  lua_settop(L, 0);
}

static int depth_hook;
static void count_calls(lua_State *L, lua_Debug *ar) {
  CHECK(lua_getinfo(L, "nSl", ar) == 1);
  depth_hook++;
}
static void yield_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_yield(L, 0);
}

static void test_hooks(lua_State *L) {
  CHECK(lua_gethook(L) == NULL && lua_gethookmask(L) == 0);
  lua_sethook(L, count_calls, LUA_MASKCALL | LUA_MASKRET, 0);
  CHECK(lua_gethook(L) == count_calls && lua_gethookmask(L) == (LUA_MASKCALL | LUA_MASKRET));
  depth_hook = 0;
  CHECK(runs(L, "local function f() end f() f()", 0) == LUA_OK && depth_hook >= 6);
  lua_sethook(L, NULL, LUA_MASKLINE, 0);
  CHECK(lua_gethook(L) == NULL && lua_gethookmask(L) == 0);
  lua_State *co = lua_newthread(L);
  CHECK(luaL_loadstring(co, "local a = 1\na = a + 1\nreturn a") == LUA_OK);
  lua_sethook(co, yield_hook, LUA_MASKLINE, 0);
  int n, yields = 0;
  while (lua_resume(co, L, 0, &n) == LUA_YIELD) yields++;
  CHECK(yields == 3 && lua_tointeger(co, -1) == 2);
  lua_settop(L, 0);
}

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  test_load(L);
  test_loadfile(L);
  test_gc();
  test_warnings(L);
  test_args(L);
  test_buffers(L);
  test_registry(L);
  test_tolstring(L);
  test_debug(L);
  test_hooks(L);
  lua_close(L);
  return passed("api_aux_test");
}
