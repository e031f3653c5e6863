// SPDX-License-Identifier: MIT
//
// runtimelib.c: the `runtime` library: asking and steering the scheduler and the collector.
//
// See also:   runtime/sched.h, vm/gc.h; spec "runtime". Tests: tests/runtime/runtime_*.lua.
#include "gc.h"
#include "heap.h"
#include "lungo.h"
#include "lungolib.h"

static int r_gomaxprocs(lua_State *L) {
  lua_Integer n = luaL_optinteger(L, 1, 0);
  lua_pushinteger(L, rt_gomaxprocs(L, n < 1 ? 0 : n > INT32_MAX ? INT32_MAX : (int)n));
  return 1;
}

static int r_numcpu(lua_State *L) {
  lua_pushinteger(L, rt_numcpu());
  return 1;
}

static int r_numgoroutine(lua_State *L) {
  lua_pushinteger(L, rt_numgoroutine(rt_of(L->gl)));
  return 1;
}

static int r_gosched(lua_State *L) { return g_yieldc(L, 0, NULL); }

static int r_goexit(lua_State *L) { return rt_goexitc(L); }

static int r_goid(lua_State *L) {
  lua_pushinteger(L, L->g->id);
  return 1;
}

static int r_stack(lua_State *L) {
  rt_pushdump(L, lua_toboolean(L, 1));
  return 1;
}

static int r_leaks(lua_State *L) {
  rt_pushleaks(L);
  return 1;
}

static int r_gc(lua_State *L) {
  lua_gc(L, LUA_GCCOLLECT);
  return 0;
}

static void set_int(lua_State *L, const char *name, uint64_t n) {
  lua_pushinteger(L, (lua_Integer)n);
  lua_setfield(L, -2, name);
}

static void set_seconds(lua_State *L, const char *name, uint64_t ns) {
  lua_pushnumber(L, (lua_Number)ns * 1e-9);
  lua_setfield(L, -2, name);
}

static int r_memstats(lua_State *L) {
  struct GcStats s;
  gc_stats(L->gl, &s);
  size_t alloc = heap_bytes(L->gl);
  lua_createtable(L, 0, 7);
  set_int(L, "alloc", alloc);        // bytes in use, garbage since the last collection included
  set_int(L, "live", s.live);        // bytes the last collection found alive
  set_int(L, "nextgc", s.threshold); // the next one comes when alloc reaches this
  set_int(L, "numgc", s.ncycles);
  set_seconds(L, "pausetotal", s.pause_total_ns);
  set_seconds(L, "pausemax", s.pause_max_ns);
  set_seconds(L, "pauselast", s.pause_last_ns);
  return 1;
}

static int r_stats(lua_State *L) {
  struct SchedStats s;
  rt_stats(rt_of(L->gl), &s);
  lua_createtable(L, 0, 6);
  set_int(L, "steals", s.steals);
  set_int(L, "handoffs", s.handoffs);
  set_int(L, "preemptions", s.preemptions);
  set_int(L, "parks", s.parks);
  set_int(L, "gos", s.gos);
  set_int(L, "spins", s.spins);
  return 1;
}

static int r_lockosthread(lua_State *L) {
  rt_lockosthread(L);
  return 0;
}

static int r_unlockosthread(lua_State *L) {
  rt_unlockosthread(L);
  return 0;
}

int lungo_openruntime(lua_State *L) {
  static const luaL_Reg funcs[] = {{"gomaxprocs", r_gomaxprocs},
                                   {"numcpu", r_numcpu},
                                   {"numgoroutine", r_numgoroutine},
                                   {"gosched", r_gosched},
                                   {"goexit", r_goexit},
                                   {"goid", r_goid},
                                   {"stack", r_stack},
                                   {"leaks", r_leaks},
                                   {"gc", r_gc},
                                   {"memstats", r_memstats},
                                   {"stats", r_stats},
                                   {"lockosthread", r_lockosthread},
                                   {"unlockosthread", r_unlockosthread},
                                   {NULL, NULL}};
  luaL_newlib(L, funcs);
  lua_pushliteral(L, "lungo " LUNGO_VERSION);
  lua_setfield(L, -2, "version");
  return 1;
}
