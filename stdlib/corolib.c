// SPDX-License-Identifier: MIT
//
// corolib.c: the `coroutine` library. Lua's own functions, made of the commands of vm/call.h, so that resume, wrap and
// yield cost no C stack and a goroutine may park inside a coroutine.
//
// Invariants: who resumes or closes a coroutine owns it by winning lua_State.running (vm/call.h); a loser gets
//             `cannot resume non-suspended coroutine`, whichever goroutine it runs in.
// See also:   vm/call.h, docs/manual.md "Coroutines". Tests: tests/vm/coroutine_*.lua.
#include "call.h"
#include "lungolib.h"
#include "state.h"
#include <lauxlib.h>

static lua_State *check_co(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  if (!co) luaL_typeerror(L, 1, "thread");
  return co;
}

static int co_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

// Results (or the error value) stand above the coroutine, which makes room for the status.
static int resume_done(lua_State *L, int status, lua_KContext unused) {
  (void)unused;
  lua_pushboolean(L, status == LUA_OK || status == LUA_YIELD);
  lua_replace(L, 1);
  return lua_gettop(L);
}

static int co_resume(lua_State *L) {
  lua_State *co = check_co(L);
  return vm_resume(L, co, lua_gettop(L) - 1, 0, resume_done);
}

// An error inside a wrapped coroutine goes on in its caller, with the position of the call before a string message.
// A coroutine that died of it is closed first: its pending to-be-closed variables may replace the error.
static int wrap_done(lua_State *L, int status, lua_KContext unused) {
  (void)unused;
  if (likely(status == LUA_OK || status == LUA_YIELD)) return lua_gettop(L);
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int costatus = lua_status(co);
  if (costatus != LUA_OK && costatus != LUA_YIELD) coro_close(L, co); // its result, if any, is the error now
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int wrap_call(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  return vm_resume(L, co, lua_gettop(L), 0, wrap_done);
}

static int co_wrap(lua_State *L) {
  co_create(L);
  lua_pushcclosure(L, wrap_call, 1);
  return 1;
}

static int co_yield (lua_State *L) { return vm_yieldk(L, lua_gettop(L), 0, NULL); }

// A coroutine that another goroutine runs is `normal`, as one that has resumed another: alive, not suspended.
static const char *status_name(lua_State *L, lua_State *co) {
  if (L == co) return "running";
  if (atomic_load_explicit(&co->running, memory_order_acquire)) return "normal";
  switch (lua_status(co)) {
  case LUA_YIELD: return "suspended";
  case LUA_OK: {
    lua_Debug ar;
    if (lua_getstack(co, 0, &ar)) return "normal";
    return lua_gettop(co) == 0 ? "dead" : "suspended";
  }
  default: return "dead";
  }
}

static int co_status(lua_State *L) {
  lua_pushstring(L, status_name(L, check_co(L)));
  return 1;
}

static int co_isyieldable(lua_State *L) {
  lua_State *co = lua_isnone(L, 1) ? L : check_co(L);
  lua_pushboolean(L, lua_isyieldable(co));
  return 1;
}

static int co_running(lua_State *L) {
  int ismain = lua_pushthread(L);
  lua_pushboolean(L, ismain);
  return 2;
}

static int co_close(lua_State *L) {
  lua_State *co = check_co(L);
  const char *status = status_name(L, co);
  lua_settop(L, 1);
  if (strcmp(status, "dead") != 0 && strcmp(status, "suspended") != 0)
    return luaL_error(L, "cannot close a %s coroutine", status);
  int result = coro_close(L, co);
  if (result == CORO_BUSY) return luaL_error(L, "cannot close a %s coroutine", status_name(L, co));
  lua_pushboolean(L, result == LUA_OK);
  lua_insert(L, 2);
  return lua_gettop(L) - 1;
}

int lungo_opencoroutine(lua_State *L) {
  static const luaL_Reg funcs[] = {{"create", co_create},           {"resume", co_resume}, {"running", co_running},
                                   {"status", co_status},           {"wrap", co_wrap},     {"yield", co_yield },
                                   {"isyieldable", co_isyieldable}, {"close", co_close},   {NULL, NULL}};
  luaL_newlib(L, funcs);
  return 1;
}
