// SPDX-License-Identifier: MIT
//
// openlibs.c: opens every library of a lungo program: Lua's (from the package's archive, or ours where baselib.c and
// corolib.c replace them) and lungo's own, which `require` finds too.
#include "lungo.h"
#include "call.h"
#include "lungolib.h"
#include <lualib.h>

// The debug library looks at stacks, and pushes on them: from the first look to the last nobody may resume the
// coroutine. So it is held; or it waits for the caller, and stays so; or another goroutine runs it, and then the
// library gets a coroutine without levels in its place. (Whether it still runs must not be asked again at every step:
// it may have stopped in between, and be resumed under the library's hands.)
struct DebugCall {
  lua_CFunction f;
  int nres;
};

static void debug_protected(lua_State *L, void *ud) {
  struct DebugCall *c = ud;
  c->nres = c->f(L);
}

static int debug_call(lua_State *L) {
  struct DebugCall c = {lua_tocfunction(L, lua_upvalueindex(1)), 0};
  lua_State *co = lua_tothread(L, 1);
  if (co == NULL || co == L || coro_waitsfor(co, L)) return c.f(L);
  if (!coro_hold(L, co)) {
    if (lua_toboolean(L, lua_upvalueindex(2)))
      return luaL_error(L, "cannot hook a coroutine that another goroutine runs");
    lua_newthread(L);
    lua_replace(L, 1);
    return c.f(L);
  }
  int status = vm_rawprotected(L, debug_protected, &c);
  coro_letgo(co);
  return status == LUA_OK ? c.nres : lua_error(L);
}

static int open_debug(lua_State *L) {
  static const struct {
    const char *name;
    bool hooks; // needs the coroutine itself, not just its levels
  } fs[] = {{"getinfo", false}, {"getlocal", false}, {"setlocal", false},
            {"gethook", true},  {"sethook", true},   {"traceback", false}};
  luaopen_debug(L);
  for (size_t i = 0; i < sizeof fs / sizeof *fs; i++) {
    lua_getfield(L, -1, fs[i].name);
    lua_pushboolean(L, fs[i].hooks);
    lua_pushcclosure(L, debug_call, 2);
    lua_setfield(L, -2, fs[i].name);
  }
  return 1;
}

static int open_math(lua_State *L) {
  luaopen_math(L);
  lib_addquick(L, LUA_MATHLIBNAME);
  return 1;
}

static int open_table(lua_State *L) {
  luaopen_table(L);
  lib_addquick(L, LUA_TABLIBNAME);
  return 1;
}

// lauxlib makes the metatable of its buffers' boxes when it needs the first one. If memory is refused in the middle of
// that, the metatable stays without its methods, and no buffer works ever after. So it is made here, where an error
// means that there are no libraries at all; half of one from such an attempt is removed first.
static void prepare_buffers(lua_State *L) {
  luaL_Buffer b;
  int top = lua_gettop(L);
  if (luaL_getmetatable(L, "_UBOX*") == LUA_TTABLE && lua_getfield(L, -1, "__close") == LUA_TNIL) {
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "_UBOX*");
  }
  luaL_buffinitsize(L, &b, LUAL_BUFFERSIZE + 1);
  luaL_pushresultsize(&b, 0);
  lua_settop(L, top);
}

void lib_openlibs(lua_State *L, unsigned libs) {
  static const struct {
    const char *name;
    lua_CFunction open;
    unsigned flag;
  } all[] = {{LUA_GNAME, lungo_openbase, LUNGO_LIB_BASE},
             {LUA_LOADLIBNAME, luaopen_package, LUNGO_LIB_PACKAGE},
             {LUA_COLIBNAME, lungo_opencoroutine, LUNGO_LIB_COROUTINE},
             {LUA_TABLIBNAME, open_table, LUNGO_LIB_TABLE},
             {LUA_IOLIBNAME, lungo_openio, LUNGO_LIB_IO},
             {LUA_OSLIBNAME, lungo_openos, LUNGO_LIB_OS},
             {LUA_STRLIBNAME, lungo_openstring, LUNGO_LIB_STRING},
             {LUA_MATHLIBNAME, open_math, LUNGO_LIB_MATH},
             {LUA_UTF8LIBNAME, lungo_openutf8, LUNGO_LIB_UTF8},
             {LUA_DBLIBNAME, open_debug, LUNGO_LIB_DEBUG},
             {"chan", lungo_openchan, LUNGO_LIB_GO},
             {"sync", lungo_opensync, LUNGO_LIB_GO},
             {"atomic", lungo_openatomic, LUNGO_LIB_GO},
             {"time", lungo_opentime, LUNGO_LIB_GO},
             {"runtime", lungo_openruntime, LUNGO_LIB_RUNTIME},
             {"context", lungo_opencontext, LUNGO_LIB_GO}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (!(libs & all[i].flag)) continue;
    luaL_requiref(L, all[i].name, all[i].open, 1);
    lua_pop(L, 1);
  }
  if (libs & LUNGO_LIB_GO) lungo_opengo(L);
  prepare_buffers(L);
}

void lungo_openlibs(lua_State *L) { lib_openlibs(L, LUNGO_LIB_ALL); }

// A host written for Lua opens everything by this name, and so gets goroutines.
void luaL_openlibs(lua_State *L) { lungo_openlibs(L); }
