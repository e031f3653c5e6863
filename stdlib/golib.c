// SPDX-License-Identifier: MIT
//
// golib.c: the function forms of `go`, `defer` and `select`.
//
// What:       go(f, ...) starts a goroutine. defer(f, ...) returns a to-be-closed value that makes the call. select is
//             Lua's select(n, ...) and, with one table as sole argument, the choice among channels.
// Invariants: select{...} reads its table before anything else: cases and handlers lie on the stack from then on, so
//             others may change the table meanwhile, and the channels stay alive while the goroutine waits.
// See also:   runtime/select.c; spec "Goroutines", "Select". Tests: tests/runtime/select_*.lua, defer_*.lua.
#include "lungolib.h"
#include "quick.h"
#include "call.h"
#include "func.h"

static int g_gofunc(lua_State *L) {
  lib_checkcallable(L, 1);
  g_go(L, lua_gettop(L) - 1, NULL, NULL);
  return 0;
}

// ---- defer -------------------------------------------------------------------------------------------------

static const ObjKind defer_kind = {"defer", NULL}; // user value 0: the function; then its arguments

static int g_defer(lua_State *L) {
  lib_checkcallable(L, 1);
  int n = lua_gettop(L);
  obj_new(L, &defer_kind, sizeof(ObjHead), n);
  Userdata *u = v_ud(L->top - 1);
  for (int i = 0; i < n; i++) slot_store(&u->uv[i], v_encode(L, lib_arg(L, i + 1))); // u is not shared yet
  return 1;
}

static int defer_done(lua_State *L, int status, lua_KContext ctx) {
  (void)L;
  (void)status;
  (void)ctx;
  return 0;
}

static int defer_close(lua_State *L) {
  Userdata *u = obj_checkud(L, 1, &defer_kind);
  luaL_checkstack(L, (int)u->nuv, "too many arguments");
  for (uint32_t i = 0; i < u->nuv; i++) obj_pushuv(L, u, (int)i);
  return vm_callk(L, (int)u->nuv - 1, 0, 0, defer_done);
}

// ---- select over channels ------------------------------------------------------------------------------------

// Stack of select{...}: 1 the table, 2 the default, 3 room for the directions when there are many cases; then for n
// cases 2n values (channel, value to send) and n handlers.
#define SEL_DEFAULT 2
#define SEL_CASES 4
#define SEL_FEW 32

// Pushes channel and value of case number i, whose table is at `t`. Returns whether it sends.
static bool push_case(lua_State *L, int t, int i) {
  int dirs = 0;
  lua_getfield(L, t, "recv");
  lua_getfield(L, t, "send");
  bool recv = !lua_isnil(L, -2), send = !lua_isnil(L, -1);
  if (recv && send) luaL_error(L, "bad case #%d in 'select' (both 'recv' and 'send')", i);
  if (!send)
    lua_pop(L, 1);
  else
    lua_remove(L, -2);
  if ((recv || send) && !chan_of(L->top - 1, &dirs))
    luaL_error(L, "bad case #%d in 'select' (chan expected in field '%s', got %s)", i, send ? "send" : "recv",
               luaL_typename(L, -1));
  if (send)
    lua_getfield(L, t, "value");
  else
    lua_pushnil(L);
  return send;
}

static void push_cases(lua_State *L, int n, uint8_t *dirs) {
  luaL_checkstack(L, 3 * n + 8, "too many cases");
  for (int i = 1; i <= n; i++) {
    if (lua_geti(L, 1, i) != LUA_TTABLE)
      luaL_error(L, "bad case #%d in 'select' (table expected, got %s)", i, luaL_typename(L, -1));
    int t = lua_gettop(L);
    dirs[i - 1] = push_case(L, t, i);
    lua_remove(L, t);
  }
  for (int i = 1; i <= n; i++) {
    lua_geti(L, 1, i);
    if (lua_istable(L, -1))
      lua_geti(L, -1, 1);
    else
      lua_pushnil(L); // the table changed under our hands: the case as it was read has no handler
    lua_remove(L, -2);
    if (!lua_isnil(L, -1) && !lib_iscallable(L, lua_gettop(L)))
      luaL_error(L, "bad case #%d in 'select' (function expected as handler, got %s)", i, luaL_typename(L, -1));
  }
}

static int handler_done(lua_State *L, int status, lua_KContext base) {
  (void)status;
  return lua_gettop(L) - (int)base;
}

// Case `chosen` of n ran (n: the default). Its handler's results come back, or the index, value and ok.
static int select_finish(lua_State *L, int n, int chosen, bool send, const Value res[2]) {
  int base = lua_gettop(L), handler = chosen == n ? SEL_DEFAULT : SEL_CASES + 2 * n + chosen;
  bool values = chosen < n && !send;
  bool call = lib_iscallable(L, handler);
  if (call)
    lua_pushvalue(L, handler);
  else
    lua_pushinteger(L, chosen == n ? 0 : chosen + 1);
  if (values) {
    lib_push(L, &res[0]);
    lib_push(L, &res[1]);
  }
  if (call) return vm_callk(L, values ? 2 : 0, LUA_MULTRET, base, handler_done);
  return lua_gettop(L) - base;
}

static int select_woken(lua_State *L, int status, lua_KContext n) {
  (void)status;
  Value res[2];
  int chosen;
  bool send = L->g->sel[atomic_load_explicit(&L->g->selectdone, memory_order_relaxed) - 1].index;
  select_end(L, &chosen, res);
  return select_finish(L, (int)n, chosen, send, res);
}

static int select_table(lua_State *L) {
  uint8_t few[SEL_FEW], *dirs = few;
  Value res[2];
  int chosen;
  SelectLocks locks;
  lua_Integer len = luaL_len(L, 1);
  if (len > LUAI_MAXSTACK / 4) luaL_error(L, "too many cases");
  int n = len < 0 ? 0 : (int)len;
  lua_getfield(L, 1, "default");
  if (!lua_isnoneornil(L, SEL_DEFAULT) && !lua_isboolean(L, SEL_DEFAULT) && !lib_iscallable(L, SEL_DEFAULT))
    luaL_error(L, "bad field 'default' in 'select' (boolean or function expected, got %s)",
               luaL_typename(L, SEL_DEFAULT));
  if (n > SEL_FEW)
    dirs = lua_newuserdatauv(L, (size_t)n, 0);
  else
    lua_pushnil(L);
  push_cases(L, n, dirs);
  bool has_default = lua_toboolean(L, SEL_DEFAULT);
  if (select_begin(L, lib_arg(L, SEL_CASES), dirs, n, has_default, &chosen, res, &locks))
    return select_finish(L, n, chosen, chosen < n && dirs[chosen], res);
  return g_parkc_fn(L, locks.why, select_unlock, &locks, n, select_woken);
}

static int g_select(lua_State *L) {
  int n = lua_gettop(L);
  if (n == 1 && lua_istable(L, 1)) return select_table(L);
  if (lua_type(L, 1) == LUA_TSTRING && *lua_tostring(L, 1) == '#') {
    lua_pushinteger(L, n - 1);
    return 1;
  }
  lua_Integer i = luaL_checkinteger(L, 1);
  if (i < 0)
    i = n + i;
  else if (i > n)
    i = n;
  luaL_argcheck(L, 1 <= i, 1, "index out of range");
  return n - (int)i;
}

static int select_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  if (unlikely(nargs < 1)) return QUICK_DECLINED;
  const Value *n = arg;
  if (v_isstring(n) && v_str(n)->len == 1 && v_str(n)->data[0] == '#') {
    v_setint(res, nargs - 1);
    return 1;
  }
  if (!v_isint(n) || n->i < 1) return QUICK_DECLINED;
  if (n->i >= nargs) return 0;
  int skip = (int)n->i, count = nargs - skip;
  for (int i = 0; i < count; i++) v_copy(&res[i], &arg[i + skip]);
  return count;
}

int lungo_opengo(lua_State *L) {
  static const luaL_Reg metas[] = {{"__close", defer_close}, {NULL, NULL}};
  obj_class(L, &defer_kind, NULL, metas);
  quick_add(g_select, select_quick);
  lua_register(L, "go", g_gofunc);
  lua_register(L, "defer", g_defer);
  lua_register(L, "select", g_select);
  return 0;
}
