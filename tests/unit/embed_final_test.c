// SPDX-License-Identifier: MIT
//
// embed_final_test.c: what a run's script leaves to be finalized has the run's limits, and hurts nobody else.
#include "lungo.h"
#include <lauxlib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

#define LIMIT 0.02
#define PATIENCE                                                                                                       \
  60 // seconds: then it will never be. Ten thousand finalizers with their own time each would take longer

static atomic_int closed, ran, refused;

static int close_resource(lua_State *L) {
  (void)L;
  atomic_fetch_add(&closed, 1);
  return 0;
}

static int new_resource(lua_State *L) {
  lua_newuserdatauv(L, 8, 0);
  luaL_setmetatable(L, "resource");
  return 1;
}

static int note_ran(lua_State *L) {
  (void)L;
  atomic_fetch_add(&ran, 1);
  return 0;
}

// (ok, message) of a pcall.
static int note_refused(lua_State *L) {
  const char *msg = lua_tostring(L, 2);
  if (!lua_toboolean(L, 1) && msg != NULL && strstr(msg, "is over") != NULL) atomic_fetch_add(&refused, 1);
  return 0;
}

// A host may use a thread that it never resumes.
static int register_elsewhere(lua_State *L) {
  lua_State *co = lua_newthread(L);
  lua_newtable(co);
  lua_newtable(co);
  lua_pushcfunction(co, note_ran);
  lua_setfield(co, -2, "__gc");
  lua_setmetatable(co, -2);
  return 0;
}

static int setup(lua_State *L) {
  lua_register(L, "elsewhere", register_elsewhere);
  luaL_newmetatable(L, "resource");
  lua_pushcfunction(L, close_resource);
  lua_setfield(L, -2, "__gc");
  lua_register(L, "resource", new_resource);
  lua_register(L, "ran", note_ran);
  lua_register(L, "refused", note_refused);
  return 0;
}

static lungo_Runtime *open_runtime(int procs, double time, double finalizer_time) {
  lungo_Options o;
  lungo_defaults(&o);
  o.processors = procs;
  o.memory = 64 << 20;
  o.libs = LUNGO_LIB_SAFE;
  o.flags = LUNGO_SANDBOX;
  o.time = time;
  o.finalizer_time = finalizer_time;
  o.setup = setup;
  lungo_Runtime *rt = lungo_new(&o, NULL, 0);
  CHECK(rt != NULL);
  return rt;
}

static int run_within(lungo_Runtime *rt, const char *code, double time, double patience) {
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = code, .name = "=run", .time = time});
  CHECK(t != NULL);
  int r = lungo_wait(t, patience);
  if (r == LUNGO_ERROR || r == LUNGO_TIMEOUT) fprintf(stderr, "%s: %d %s\n", code, r, lungo_error(t));
  lungo_release(t);
  return r;
}

static int run(lungo_Runtime *rt, const char *code, double time) { return run_within(rt, code, time, PATIENCE); }

// A run without limits, whose own finalizer must get its turn.
static void check_served(lungo_Runtime *rt) {
  atomic_store(&ran, 0);
  CHECK(run(rt,
            "local c = chan(1) local function leave() setmetatable({}, {__gc = function() c:send(1) ran() end}) end "
            "leave() local over, got = time.after(50) repeat collectgarbage() select{{recv = c, function() got = true "
            "end}, "
            "{recv = over, function() error('late') end}, default = function() end} until got",
            -1) == LUNGO_OK);
  CHECK(atomic_load(&ran) == 1);
}

#define ENDLESS "__gc = function() while true do end end"

static void test_many(int procs) {
  static const char *const leave[] = {
      "for i = 1, 10000 do setmetatable({}, {" ENDLESS "}) end ",
      "for i = 1, 10000 do setmetatable({}, {__gc = function() pcall(function() while true do end end) end}) end ",
      "local mt mt = {__gc = function(o) setmetatable(o, mt) while true do end end} setmetatable({}, mt) ",
      "for i = 1, 10000 do setmetatable({}, {__gc = coroutine.wrap(function() while true do end end)}) end ",
      "for i = 1, 10000 do setmetatable({}, {__gc = function() chan():recv() end}) end ",
  };
  static const struct {
    double time, finalizer_time;
    const char *then;
    int status;
  } ways[] = {
      {LIMIT, LIMIT, "while true do collectgarbage() local t = {} for i = 1, 1000 do t[i] = {} end end", LUNGO_LIMIT},
      {LIMIT, 0, "while true do local t = {} for i = 1, 1000 do t[i] = {} end end", LUNGO_LIMIT},
      {0, LIMIT, "", LUNGO_OK}, // ended by itself
      {0.5, 0, "", LUNGO_OK},
  };
  for (size_t i = 0; i < sizeof leave / sizeof *leave; i++)
    for (size_t j = 0; j < sizeof ways / sizeof *ways; j++) {
      char code[1000];
      lungo_Runtime *rt = open_runtime(procs, ways[j].time, ways[j].finalizer_time);
      snprintf(code, sizeof code, "%s%s", leave[i], ways[j].then);
      int r = run(rt, code, 0);
      CHECK(r == ways[j].status || r == LUNGO_LIMIT); // on a busy machine
      check_served(rt);
      CHECK(lungo_free(rt, 0.1) == LUNGO_OK);
    }
}

// collectgarbage runs the caller's finalizers, not another run's, which would take its time.
static void test_others(int procs) {
  lungo_Runtime *rt = open_runtime(procs, 0, 0);
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = "for i = 1, 100 do setmetatable({}, {" ENDLESS "}) end "
                                                       "chan():recv()"});
  CHECK(t != NULL && lungo_wait(t, 0.001) == LUNGO_TIMEOUT);
  CHECK(run(rt, "for i = 1, 20 do collectgarbage() end", 20) == LUNGO_OK);
  lungo_cancel(t);
  lungo_release(t);
  check_served(rt);
  CHECK(lungo_free(rt, 0.1) == LUNGO_OK);
}

// What a finalizer starts is the run's; when that is gone, nothing. (The run is told before its goroutine is gone, and
// on a busy machine the finalizer may have had its time before it could begin: so it is tried more than once.)
static void test_start(int procs) {
  lungo_Runtime *rt = open_runtime(procs, LIMIT, LIMIT);
  atomic_store(&refused, 0);
  for (int i = 0; i < 1000 && atomic_load(&refused) == 0; i++) {
    CHECK(run(rt, "setmetatable({}, {__gc = function() refused(pcall(go, function() end)) end})", 5) == LUNGO_OK);
    check_served(rt);
  }
  CHECK(atomic_load(&refused) > 0);
  CHECK(run(rt,
            "setmetatable({}, {__gc = function() go(function() while true do end end) end}) collectgarbage() "
            "while true do end",
            0) == LUNGO_LIMIT);
  CHECK(lungo_cancelall(rt, PATIENCE) == LUNGO_OK);
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

// Userdata are C code's: they are finalized, whatever became of the script.
static void test_userdata(int procs) {
  lungo_Runtime *rt = open_runtime(procs, LIMIT, LIMIT);
  atomic_store(&closed, 0);
  CHECK(run(rt,
            "for i = 1, 100 do resource() end for i = 1, 100 do setmetatable({}, {" ENDLESS "}) end while true do end",
            0) == LUNGO_LIMIT);
  check_served(rt);
  CHECK(lungo_free(rt, 5) == LUNGO_OK);
  CHECK(atomic_load(&closed) == 100);
}

static void test_elsewhere(int procs) {
  lungo_Runtime *rt = open_runtime(procs, 0, 0);
  atomic_store(&ran, 0);
  CHECK(run(rt, "elsewhere()", -1) == LUNGO_OK);
  for (int i = 0; i < 1000 && atomic_load(&ran) == 0; i++)
    CHECK(run(rt, "collectgarbage() time.sleep(0.001)", -1) == LUNGO_OK);
  CHECK(atomic_load(&ran) == 1);
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

// What was dropped may come back with another object that is finalized, and be registered again.
static void test_revived(int procs) {
  lungo_Options o;
  lungo_defaults(&o);
  o.processors = procs;
  o.setup = setup;
  lungo_Runtime *rt = lungo_new(&o, NULL, 0);
  CHECK(rt != NULL);
  CHECK(run(rt, "_G.dropped = setmetatable({}, {__gc = function() end}) while true do end", LIMIT) == LUNGO_LIMIT);
  atomic_store(&ran, 0);
  CHECK(run(rt,
            "while not back do local o = setmetatable({}, {__gc = function(o) back = o.dropped end}) "
            "o.dropped = dropped dropped = nil o = nil repeat collectgarbage() time.sleep(0.001) until back end "
            "setmetatable(back, {__gc = function() ran() _G.over = true end}) back = nil "
            "repeat collectgarbage() time.sleep(0.001) until over",
            -1) == LUNGO_OK);
  CHECK(atomic_load(&ran) == 1);
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

// Finalizers that find no memory are not the last ones.
static void test_memory(int procs) {
  lungo_Runtime *rt = open_runtime(procs, 0, 0);
  run_within(
      rt,
      "local t, keep = {}, {} for i = 1, 20 do t[i] = setmetatable({}, {__gc = function() "
      "string.rep('x', (i % 10 + 1) * 300000) end}) end pcall(function() while true do keep = {keep} end end) t = nil "
      "for i = 1, 20 do pcall(collectgarbage) pcall(time.sleep, 0.001) end",
      -1, 10 * PATIENCE); // forty collections of a full heap, under a sanitizer two seconds each
  check_served(rt);
  CHECK(lungo_free(rt, 5) == LUNGO_OK);
}

int main(void) {
  for (int procs = 1; procs <= 2; procs++) {
    test_many(procs);
    test_others(procs);
    test_start(procs);
    test_userdata(procs);
    test_elsewhere(procs);
    test_revived(procs);
    test_memory(procs);
  }
  puts("embed final ok");
  return 0;
}
