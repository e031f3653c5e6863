// SPDX-License-Identifier: MIT
//
// api_fixture.h: what the api_*_test.c files share. They use lua.h and lauxlib.h only, and so are linked with the
// package's liblua5.4 too (tests/cli/api_against_stock.sh): whatever they expect is what Lua does.
#ifndef LUNGO_TESTS_API_FIXTURE_H
#define LUNGO_TESTS_API_FIXTURE_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int nchecks;

static inline void check_at(int ok, const char *what, int line) {
  __atomic_fetch_add(&nchecks, 1, __ATOMIC_RELAXED);
  if (ok) return;
  printf("not ok: line %d: %s\n", line, what);
  fflush(stdout);
  exit(1);
}
#define CHECK(c) check_at((c), #c, __LINE__)
#define TOP(L, n) CHECK(lua_gettop(L) == (n))

static inline int same(const char *got, const char *want) {
  int ok = got != NULL && strcmp(got, want) == 0;
  if (!ok) printf("# got '%s'\n", got != NULL ? got : "(null)");
  return ok;
}

static inline int is(lua_State *L, int idx, const char *want) { return same(lua_tostring(L, idx), want); }

// Runs a chunk; its results stay. Returns the status.
static inline int runs(lua_State *L, const char *code, int nres) {
  if (luaL_loadbufferx(L, code, strlen(code), "=t", "t") != LUA_OK) return LUA_ERRSYNTAX;
  return lua_pcall(L, 0, nres, 0);
}

// Calls f with the values that are on the stack, which it takes, and wants the error.
static inline int fails(lua_State *L, lua_CFunction f, const char *msg) {
  lua_pushcfunction(L, f);
  lua_insert(L, 1);
  int status = lua_pcall(L, lua_gettop(L) - 1, 0, 0);
  int ok = status == LUA_ERRRUN && is(L, -1, msg);
  lua_settop(L, 0);
  return ok;
}

static inline int passed(const char *name) {
  printf("ok: %s, %d checks\n", name, nchecks);
  return 0;
}

#endif
