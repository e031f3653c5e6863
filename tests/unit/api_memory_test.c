// SPDX-License-Identifier: MIT
//
// api_memory_test.c: lua_newstate with an allocator of the host: its limit holds, each of its refusals becomes a clean
// error, everything comes back at lua_close; and states on several threads, or turn by turn on one.
// Protects: vm/heap.c (host's allocator, reserve), vm/state.c, runtime/host.c.
#include "api_fixture.h"
#include <pthread.h>

typedef struct Host {
  size_t bytes, limit, peak;
  long blocks, calls, refuse_at; // the call from which on it refuses, `refuse_n` times
  long refuse_n;
} Host;

static void *host_alloc(void *ud, void *p, size_t osize, size_t nsize) {
  Host *h = ud;
  if (p == NULL) osize = 0;
  if (nsize == 0) {
    h->bytes -= osize;
    h->blocks -= p != NULL;
    free(p);
    return NULL;
  }
  if (nsize > osize) {
    long n = ++h->calls;
    if (h->bytes - osize + nsize > h->limit) return NULL;
    if (h->refuse_at > 0 && n >= h->refuse_at && n < h->refuse_at + h->refuse_n) return NULL;
  }
  void *r = realloc(p, nsize);
  h->bytes += nsize - osize;
  h->blocks += p == NULL;
  if (h->bytes > h->peak) h->peak = h->bytes;
  return r;
}

static int work(lua_State *L) {
  luaL_openlibs(L);
  lua_newuserdatauv(L, 100000, 3);
  for (int i = 0; i < 50; i++) {
    lua_pushfstring(L, "key %d", i);
    lua_setfield(L, LUA_REGISTRYINDEX, lua_tostring(L, -1));
  }
  int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  luaL_unref(L, LUA_REGISTRYINDEX, ref);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (int i = 0; i < 30000; i++) luaL_addlstring(&b, "0123456789", 10);
  luaL_pushresult(&b);
  CHECK(lua_rawlen(L, -1) == 300000);
  lua_newthread(L);
  if (luaL_dostring(L, "local t = {} for i = 1, 20000 do t[i] = {i} end local s = ('x'):rep(100000):upper() "
                       "local c = coroutine.wrap(function() coroutine.yield(s .. 'y') end) return #c() + #t, "
                       "load(string.dump(function() return t end))") != LUA_OK)
    lua_error(L);
  CHECK(lua_tointeger(L, -2) == 120001);
  return 0;
}

// Refuses at the n-th call, `times` times, for n = 1, 2, ... until the work is done without.
static void test_refusals(long times) {
  long step = 1;
  for (long n = 1;; n += step) {
    Host h = {.limit = (size_t)-1, .refuse_at = n, .refuse_n = times};
    lua_State *L = lua_newstate(host_alloc, &h);
    if (L != NULL) {
      lua_pushcfunction(L, work);
      int status = lua_pcall(L, 0, 0, 0);
      CHECK(status == LUA_OK || (status == LUA_ERRMEM && is(L, -1, "not enough memory")) ||
            is(L, -1, "not enough memory"));
      lua_close(L);
    }
    CHECK(h.bytes == 0 && h.blocks == 0);
    if (h.calls < n) break;
    step = n < 300 ? 1 : n / 8; // Lua asks for each object
  }
}

static int hoard(lua_State *L) {
  CHECK(luaL_dostring(L, "local t = {} while true do t[#t + 1] = {#t, tostring(#t)} end") != LUA_OK);
  return lua_error(L);
}
static int libs(lua_State *L) {
  luaL_openlibs(L);
  return 0;
}

static void test_limit(void) {
  Host h = {.limit = 10u << 20};
  lua_State *L = lua_newstate(host_alloc, &h);
  lua_pushcfunction(L, libs);
  CHECK(L != NULL && lua_pcall(L, 0, 0, 0) == LUA_OK);
  for (int i = 0; i < 5; i++) {
    lua_pushcfunction(L, hoard);
    CHECK(lua_pcall(L, 0, 0, 0) == LUA_ERRMEM && is(L, -1, "not enough memory"));
    lua_settop(L, 0);
    CHECK(runs(L, "local t = {} for i = 1, 30000 do t[i] = {} end return #t", 1) == LUA_OK &&
          lua_tointeger(L, -1) == 30000);
    lua_settop(L, 0);
  }
  CHECK(h.peak <= h.limit && h.peak > h.limit / 2);
  // ten times the limit, as garbage, is no problem
  CHECK(runs(L, "for i = 1, 1000000 do local t = {i, i} end for i = 1, 50 do local s = ('x'):rep(2000000 + i) end",
             0) == LUA_OK);
  void *ud;
  CHECK(lua_getallocf(L, &ud) == host_alloc && ud == &h);
  lua_close(L);
  CHECK(h.bytes == 0 && h.blocks == 0);
}

// ---- several states --------------------------------------------------------------------------------------------

static lua_Integer number(lua_State *L, const char *code) {
  CHECK(runs(L, code, 1) == LUA_OK);
  lua_Integer n = lua_tointeger(L, -1);
  lua_settop(L, 0);
  return n;
}

static void *one_state(void *arg) {
  Host h = {.limit = 64u << 20};
  lua_State *L = lua_newstate(host_alloc, &h);
  luaL_openlibs(L);
  lua_pushinteger(L, *(int *)arg);
  lua_setglobal(L, "id");
  for (int i = 0; i < 20; i++)
    CHECK(number(L, "local t = {} for i = 1, 2000 do t[i] = 'k' .. i .. id end table.sort(t) n = (n or 0) + #t "
                    "return coroutine.wrap(function() return id end)()") == *(int *)arg);
  CHECK(number(L, "return n") == 40000);
  lua_close(L);
  CHECK(h.bytes == 0 && h.blocks == 0);
  return NULL;
}

static void test_threads(void) {
  enum { N = 4 };
  pthread_t t[N];
  int id[N];
  for (int i = 0; i < N; i++) {
    id[i] = i;
    CHECK(pthread_create(&t[i], NULL, one_state, &id[i]) == 0);
  }
  for (int i = 0; i < N; i++) pthread_join(t[i], NULL);
}

static int call_other(lua_State *L) {
  lua_State *other = lua_touserdata(L, 1);
  lua_pushinteger(L, number(other, "x = x + 1 return coroutine.wrap(function() return x end)()"));
  return 1;
}

// States turn by turn on one thread, one inside the other, and coroutines of one that outlive another state.
static void test_interleaved(void) {
  lua_State *A = luaL_newstate(), *B = luaL_newstate();
  luaL_openlibs(A);
  luaL_openlibs(B);
  lua_State *coA = lua_newthread(A);
  CHECK(luaL_loadstring(coA, "local a = ... while true do a = coroutine.yield(a + 1) end") == LUA_OK);
  number(B, "x = 0 return x");
  for (int i = 1; i <= 10; i++) {
    int n;
    lua_pushinteger(coA, i);
    CHECK(lua_resume(coA, A, 1, &n) == LUA_YIELD && lua_tointeger(coA, -1) == i + 1);
    lua_pop(coA, 1);
    lua_pushcfunction(A, call_other);
    lua_pushlightuserdata(A, B);
    CHECK(lua_pcall(A, 1, 1, 0) == LUA_OK && lua_tointeger(A, -1) == i);
    lua_pop(A, 1);
    lua_gc(i % 2 ? A : B, LUA_GCCOLLECT);
  }
  lua_close(B);
  lua_pushfstring(coA, "%d", 5);
  int n;
  CHECK(lua_resume(coA, A, 1, &n) == LUA_YIELD && lua_tointeger(coA, -1) == 6);
  lua_close(A);
}

// A state that one thread makes may be used by another one afterwards.
static void *use_state(void *L) {
  CHECK(number(L, "return #table.concat({('x'):rep(1000), select(2, coroutine.resume(coroutine.create(function() "
                  "return 'co' end)))})") == 1002);
  return NULL;
}
static void test_handed_over(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  pthread_t t;
  CHECK(pthread_create(&t, NULL, use_state, L) == 0);
  pthread_join(t, NULL);
  use_state(L);
  lua_close(L);
}

int main(void) {
  test_refusals(1);
  test_refusals(3);
  test_refusals(1000000);
  test_limit();
  test_threads();
  test_interleaved();
  test_handed_over();
  return passed("api_memory_test");
}
