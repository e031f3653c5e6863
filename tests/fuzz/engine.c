// SPDX-License-Identifier: MIT
//
// engine.c: one Lua for the fuzz targets; see engine.h. Uses public functions only: it is also linked against stock
// Lua.
#include "engine.h"
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY ((size_t)16 << 20)
#define RUNS_OF_A_STATE 1000
#define RESULT_MAX 4000

void lungo_openlibs(lua_State *L); // stock_openlibs (same.c) in the stock engine

static lua_State *state;
static int runs;
static size_t used;
static char text[RESULT_MAX + 1];

static void *limited(void *ud, void *p, size_t osize, size_t nsize) {
  (void)ud;
  if (p == NULL) osize = 0;
  if (nsize > osize && used + (nsize - osize) > MEMORY) return NULL;
  void *q = NULL;
  if (nsize == 0) {
    free(p);
  } else if ((q = realloc(p, nsize)) == NULL) {
    return NULL;
  }
  used += nsize - osize;
  return q;
}

// What could leave the process, wait, or look at the machine. Not `require`: it would find files.
static const char *const forbidden[] = {
    "os",   "io",   "debug", "package", "require", "dofile", "loadfile", "collectgarbage", "go",  "runtime",
    "time", "chan", "sync",  "print",   "context", "atomic", "warn",     "defer",          "load"};

static void open_state(void) {
  state = lua_newstate(limited, NULL);
  if (state == NULL) abort();
  lungo_openlibs(state);
  for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
    lua_pushnil(state);
    lua_setglobal(state, forbidden[i]);
  }
}

void *engine_state(void) {
  if (state != NULL && ++runs >= RUNS_OF_A_STATE) {
    lua_close(state);
    state = NULL;
    runs = 0;
  }
  if (state == NULL) open_state();
  lua_settop(state, 0);
  return state;
}

// ---- results as text ------------------------------------------------------------------------------

static size_t len;

static void add(const char *s, size_t n) {
  if (n > RESULT_MAX - len) n = RESULT_MAX - len;
  memcpy(text + len, s, n);
  len += n;
  text[len] = '\0';
}

static int is_hexdigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// The bytes, without what may differ: digits of addresses, the sign of a NaN.
static void add_string(const char *s, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (s[i] == '\0') {
      add("\\0", 2);
    } else if (n - i >= 4 && memcmp(s + i, "-nan", 4) == 0) {
      continue;
    } else if (n - i >= 8 && memcmp(s + i, "0x", 2) == 0 && is_hexdigit(s[i + 7])) {
      add("ADDRESS", 7);
      for (i += 2; i < n && is_hexdigit(s[i]);) i++;
      i--;
    } else {
      add(s + i, 1);
    }
  }
}

static void add_value(lua_State *L, int index) {
  char buf[64];
  size_t n;
  const char *s;
  switch (lua_type(L, index)) {
  case LUA_TSTRING:
    s = lua_tolstring(L, index, &n);
    add("'", 1);
    add_string(s, n);
    add("'", 1);
    break;
  case LUA_TNUMBER:
    if (lua_isinteger(L, index)) {
      snprintf(buf, sizeof buf, "%lld", (long long)lua_tointeger(L, index));
    } else {
      snprintf(buf, sizeof buf, "f%.17g", lua_tonumber(L, index));
    }
    add_string(buf, strlen(buf));
    break;
  case LUA_TBOOLEAN: add(lua_toboolean(L, index) ? "true" : "false", lua_toboolean(L, index) ? 4 : 5); break;
  default:
    s = lua_typename(L, lua_type(L, index));
    add(s, strlen(s));
    break;
  }
  add(" ", 1);
}

static int meets_limit(lua_State *L, int status) {
  const char *m = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  return status == LUA_ERRMEM || strstr(m, "(limit)") != NULL || strstr(m, "overflow") != NULL ||
         strstr(m, "not enough memory") != NULL || strstr(m, "resulting string too large") != NULL;
}

static const char *result(lua_State *L, int status) {
  len = 0;
  text[0] = '\0';
  if (status != LUA_OK && meets_limit(L, status)) return ENGINE_LIMIT;
  add(status == LUA_OK ? "results: " : "error: ", status == LUA_OK ? 9 : 7);
  for (int i = 1; i <= lua_gettop(L); i++) add_value(L, i);
  lua_settop(L, 0);
  if (strstr(text, "overflow") != NULL || strstr(text, ENGINE_LIMIT) != NULL ||
      strstr(text, "not enough memory") != NULL) {
    return ENGINE_LIMIT; // a program caught it
  }
  return text;
}

// ---- what targets do ------------------------------------------------------------------------------

static int load(lua_State *L, const char *s, size_t n) { return luaL_loadbufferx(L, s, n, "=s", "t"); }

const char *engine_load(const char *s, size_t n) {
  lua_State *L = engine_state();
  int status = load(L, s, n);
  if (status == LUA_OK) return NULL;
  return result(L, status);
}

static int spent;

static void out_of_budget(lua_State *L, lua_Debug *ar) {
  (void)ar;
  spent = 1;
  luaL_error(L, ENGINE_LIMIT);
}

static void copy_table(lua_State *L, int from, int depth) {
  lua_newtable(L);
  int copy = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, from) != 0) {
    lua_pushvalue(L, copy + 1); // key value key
    if (depth > 0 && lua_istable(L, copy + 2)) {
      copy_table(L, copy + 2, depth - 1);
    } else {
      lua_pushvalue(L, copy + 2);
    }
    lua_settable(L, copy);
    lua_settop(L, copy + 1);
  }
}

// Globals and library tables of the program's own, so that no run changes the next.
static void push_environment(lua_State *L) {
  lua_pushglobaltable(L);
  copy_table(L, lua_gettop(L), 1);
  lua_remove(L, -2);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "_G");
}

const char *engine_run(const char *s, size_t n) {
  lua_State *L = engine_state();
  int status = load(L, s, n);
  if (status != LUA_OK) return result(L, status);
  push_environment(L);
  if (lua_setupvalue(L, 1, 1) == NULL) abort();
  spent = 0;
  lua_sethook(L, out_of_budget, LUA_MASKCOUNT, ENGINE_BUDGET);
  status = lua_pcall(L, 0, LUA_MULTRET, 0);
  lua_sethook(L, NULL, 0, 0);
  const char *r = result(L, status);
  return spent ? ENGINE_LIMIT : r;
}

// An argument: a byte that says its type, then its bytes.
static const uint8_t *push_argument(lua_State *L, const uint8_t *s, const uint8_t *end) {
  uint64_t u = 0;
  size_t n = (size_t)(end - s) - 1;
  int type = *s++;
  switch (type % 8) {
  case 0:
    n = n < 8 ? n : 8;
    memcpy(&u, s, n);
    lua_pushinteger(L, (lua_Integer)u);
    return s + n;
  case 1: {
    double d;
    n = n < 8 ? n : 8;
    memcpy(&u, s, n);
    memcpy(&d, &u, sizeof d);
    lua_pushnumber(L, d);
    return s + n;
  }
  case 2: lua_pushinteger(L, type / 8 - 16); return s;
  case 3: lua_pushboolean(L, type & 8); return s;
  case 4: lua_pushnumber(L, (type / 8 - 16) / 2.0); return s;
  case 5:
    if (type & 8) {
      lua_newtable(L);
    } else {
      lua_pushnil(L);
    }
    return s;
  default: {
    size_t want = (size_t)type / 8 * 2 + (type & 1);
    n = n < want ? n : want;
    lua_pushlstring(L, (const char *)s, n);
    return s + n;
  }
  }
}

// The first argument is a string: all up to a zero byte. Patterns take exponential time, so at most four repetitions.
static int first_is_tame(const char *name, const uint8_t *s, size_t n) {
  int repetitions = 0;
  if (strcmp(name, "format") == 0 || strcmp(name, "pack") == 0 || strcmp(name, "unpack") == 0) return 1;
  for (size_t i = 0; i < n; i++) repetitions += s[i] != 0 && strchr("*+-?", s[i]) != NULL;
  return repetitions <= 4;
}

static int with_pattern(const char *name) {
  return strcmp(name, "find") == 0 || strcmp(name, "match") == 0 || strcmp(name, "gsub") == 0;
}

// Stock Lua takes a step for each of the 2^60 repetitions of nothing.
static int is_endless(lua_State *L, const char *name) {
  return strcmp(name, "rep") == 0 && lua_rawlen(L, 2) == 0 && lua_rawlen(L, 4) == 0 && lua_tonumber(L, 3) > 1e6;
}

const char *engine_string(const char *name, const uint8_t *s, size_t n) {
  const uint8_t *end = s + n, *zero = memchr(s, 0, n);
  size_t first = zero != NULL ? (size_t)(zero - s) : n;
  lua_State *L = engine_state();
  if (!first_is_tame(name, s, first)) return ENGINE_LIMIT;
  lua_getglobal(L, "string");
  lua_getfield(L, -1, name);
  lua_remove(L, 1);
  lua_pushlstring(L, (const char *)s, first);
  if (zero != NULL) s = zero + 1;
  if (zero == NULL) s = end;
  if (with_pattern(name)) { // subject, pattern, ...
    if (s == end) return ENGINE_LIMIT;
    s = push_argument(L, s, end);
    lua_insert(L, 2);
  }
  while (s < end && lua_gettop(L) < 10) s = push_argument(L, s, end);
  if (is_endless(L, name)) return ENGINE_LIMIT;
  return result(L, lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0));
}

const char *engine_number(const uint8_t *s, size_t n) {
  char buf[300];
  lua_State *L = engine_state();
  if (n >= sizeof buf) n = sizeof buf - 1;
  for (size_t i = 0; i < n; i++) buf[i] = s[i] != 0 ? (char)s[i] : ' ';
  buf[n] = '\0';
  size_t size = lua_stringtonumber(L, buf);
  lua_pushinteger(L, (lua_Integer)size);
  if (size != 0) {
    lua_pushvalue(L, 1);
    lua_tolstring(L, -1, NULL); // what it is as a string
    if (lua_isnumber(L, -1)) {  // not "inf"
      lua_pushvalue(L, -1);
      lua_arith(L, LUA_OPUNM);
    }
  }
  return result(L, LUA_OK);
}
