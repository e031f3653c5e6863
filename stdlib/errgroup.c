// SPDX-License-Identifier: MIT
//
// errgroup.c: sync.errgroup: goroutines that work on parts of one task, of which the first to fail stops the others.
//
// What:       a wait group, a semaphore for the limit, and a context that the first error cancels with the error as its
//             cause. Each goroutine runs `run`, which calls the user's function protected and looks at what came of it.
// Invariants: `failed` goes from GROUP_FINE to GROUP_FAILING by the one goroutine that may write the error, and from
//             there to GROUP_FAILED when it is written. That happens before the goroutine is counted down, so wait
//             finds it complete.
//             A goroutine that took a unit of the limit gives it back at its end, however it ends (ended_limited).
// See also:   runtime/sync.h, contextlib.c; spec "sync". Tests: tests/stdlib/errgroup_*.lua.
#include "call.h"
#include "lungolib.h"
#include "sync.h"

enum { GROUP_FINE, GROUP_FAILING, GROUP_FAILED };

typedef struct GroupObj {
  ObjHead head;
  WaitGroup wg;
  Semaphore limit;
  atomic_bool limited;
  _Atomic uint8_t failed;
  Context *context; // user value 1 keeps it
} GroupObj;         // user values: 0 the error, 1 the context
static void trace(struct Marker *m, void *mem) {
  const GroupObj *g = mem;
  waitq_trace(m, &g->limit.q);
  waitq_trace(m, &g->wg.q);
}
static const ObjKind group_kind = {"sync.errgroup", trace};

static GroupObj *check_group(lua_State *L) { return obj_check(L, 1, &group_kind); }

static int group_new(lua_State *L) {
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lib_pushbackground(L);
    lua_replace(L, 1);
  }
  GroupObj *g = obj_new(L, &group_kind, sizeof(GroupObj), 2);
  Context *c = lib_newcontext(L, 1);
  obj_setuv(L, v_ud(lib_arg(L, 2)), 1, lib_arg(L, 3));
  g->context = c;
  return 2;
}

// ---- the goroutines ------------------------------------------------------------------------------------------------

static void fail(lua_State *L, Userdata *u, const Value *err) {
  GroupObj *g = ud_mem(u);
  uint8_t fine = GROUP_FINE;
  share_value(L, err);
  uint64_t bits = v_encode(L, err);
  if (!atomic_compare_exchange_strong(&g->failed, &fine, GROUP_FAILING)) return;
  slot_store(&u->uv[0], bits);
  atomic_store(&g->failed, GROUP_FAILED);
  context_cancel(L->ctx, g->context, CONTEXT_CANCELED, bits);
}

// Stack: group, then the function's results or the error.
static int ran(lua_State *L, int status, lua_KContext ctx) {
  (void)ctx;
  Userdata *u = obj_checkud(L, 1, &group_kind);
  if (status != LUA_OK && status != LUA_YIELD)
    fail(L, u, L->top - 1);
  else if (lua_isnil(L, 2) && !lua_isnoneornil(L, 3))
    fail(L, u, lib_arg(L, 3));
  return 0;
}

static int run(lua_State *L) { return vm_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, ran); }

// At the end of a goroutine no Lua code is left that an error could be raised in; neither step fails.
static void ended(lua_State *L, G *g, void *arg, int status) {
  (void)g;
  (void)status;
  wg_add(L->ctx, &((GroupObj *)ud_mem(arg))->wg, -1);
}

static void ended_limited(lua_State *L, G *g, void *arg, int status) {
  sem_release(L->ctx, &((GroupObj *)ud_mem(arg))->limit, 1);
  ended(L, g, arg, status);
}

static void start_limited(lua_State *L, void *u) { g_go(L, lua_gettop(L) - 1, ended_limited, u); }
static void start_unlimited(lua_State *L, void *u) { g_go(L, lua_gettop(L) - 1, ended, u); }

// Stack: group, function, arguments.
static int start(lua_State *L, int status, lua_KContext limited) {
  Userdata *u = obj_checkud(L, 1, &group_kind);
  GroupObj *g = ud_mem(u);
  bool counted = wg_add(L->ctx, &g->wg, 1);
  luaL_checkstack(L, 1, NULL);
  lua_pushcfunction(L, run);
  lua_insert(L, 1);
  if (counted) {
    status = vm_rawprotected(L, limited ? start_limited : start_unlimited, u);
    if (status == LUA_OK) return 0;
    wg_add(L->ctx, &g->wg, -1);
  }
  if (limited) sem_release(L->ctx, &g->limit, 1);
  return counted ? lua_error(L) : luaL_error(L, "too many goroutines in the group");
}

static int group_go(lua_State *L) {
  GroupObj *g = check_group(L);
  lib_checkcallable(L, 2);
  luaL_checkstack(L, 4, NULL);
  if (!atomic_load(&g->limited)) return start(L, LUA_OK, false);
  if (sem_begin_acquire(L, &g->limit, 1)) return start(L, LUA_OK, true);
  return g_parkc(L, WAIT_SEMAPHORE, &g->limit.lk, true, start);
}

static int group_setlimit(lua_State *L) {
  GroupObj *g = check_group(L);
  lua_Integer n = luaL_checkinteger(L, 2);
  if (!wg_isidle(&g->wg) || !sem_resize(&g->limit, n < 0 ? 0 : n))
    luaL_error(L, "limit of an errgroup changed while its goroutines run");
  atomic_store(&g->limited, n >= 0);
  return 0;
}

// ---- wait ----------------------------------------------------------------------------------------------------------

static int waited(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  Userdata *u = obj_checkud(L, 1, &group_kind);
  GroupObj *g = ud_mem(u);
  lua_settop(L, 1);
  bool failed = atomic_load(&g->failed) == GROUP_FAILED;
  context_cancel(L->ctx, g->context, CONTEXT_CANCELED, SLOT_NIL); // without effect if an error did
  if (failed)
    luaL_pushfail(L);
  else
    lua_pushboolean(L, 1);
  if (failed) obj_pushuv(L, u, 0);
  return failed ? 2 : 1;
}

static int group_wait(lua_State *L) {
  GroupObj *g = check_group(L);
  if (wg_begin_wait(L, &g->wg)) return waited(L, LUA_OK, 0);
  return g_parkc(L, WAIT_WAITGROUP, &g->wg.lk, 0, waited);
}

void lungo_openerrgroup(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"go", group_go}, {"setlimit", group_setlimit}, {"wait", group_wait}, {NULL, NULL}};
  static const luaL_Reg funcs[] = {{"errgroup", group_new}, {NULL, NULL}};
  obj_class(L, &group_kind, methods, NULL);
  luaL_setfuncs(L, funcs, 0);
}
