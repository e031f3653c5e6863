// SPDX-License-Identifier: MIT
//
// chanlib.c: the global `chan`, and the methods of channels.
//
// What:       `chan` is a table: calling it makes a channel, chan.type asks for the type of one. A channel and its
//             send-only and receive-only views share one metatable; each method asks through what it was called.
// See also:   runtime/chan.h, which does the work; spec "Channels". Tests: tests/runtime/chan_*.lua.
#include "lungolib.h"
#include "call.h"
#include "gc.h"
#include "method.h"
#include "quick.h"

#define CHAN_META "chan"

// The channel at argument 1; `wanted` is what the caller will do with it (0: anything goes).
static Chan *check_chan(lua_State *L, int wanted) {
  int dirs = 0;
  const Value *v = lib_arg(L, 1);
  Chan *c = likely(v < L->top) ? chan_of(v, &dirs) : NULL;
  if (unlikely(!c)) luaL_typeerror(L, 1, "chan");
  if (unlikely((dirs & wanted) != wanted)) chan_wrongdir(L, wanted);
  return c;
}

// ---- making ---------------------------------------------------------------------------------------------

static void push_ud(lua_State *L, Userdata *u) {
  v_setobj(L->top, TAG_USERDATA, u);
  L->top++;
  luaL_setmetatable(L, CHAN_META);
  gc_check(L);
}

Chan *lib_pushchan(lua_State *L, ElemType elem, uint32_t cap) {
  luaL_checkstack(L, 2, NULL);
  Userdata *u = chan_new(L, elem, cap);
  push_ud(L, u);
  return ud_mem(u);
}

Userdata *lib_pushview(lua_State *L, Chan *c, int dirs) {
  luaL_checkstack(L, 2, NULL);
  Userdata *u = chan_newview(L, c, dirs);
  push_ud(L, u);
  return u;
}

static ElemType check_elem(lua_State *L, int arg) {
  const char *name = lua_tostring(L, arg);
  for (int e = ELEM_ANY + 1; e < ELEM_COUNT; e++)
    if (strcmp(name, elem_names[e]) == 0) return (ElemType)e;
  luaL_argerror(L, arg, lua_pushfstring(L, "unknown type '%s'", name));
  return ELEM_ANY;
}

// chan([type,] [capacity]). The table `chan` itself, first argument of its __call, goes away so that errors count
// arguments as the caller does.
static int chan_call(lua_State *L) {
  lua_remove(L, 1);
  ElemType elem = ELEM_ANY;
  int arg = 1;
  if (lua_type(L, 1) == LUA_TSTRING) elem = check_elem(L, arg++);
  lua_Integer cap = luaL_optinteger(L, arg, 0);
  luaL_argcheck(L, 0 <= cap && cap <= CHAN_MAXCAP, arg, "capacity out of range");
  lib_pushchan(L, elem, (uint32_t)cap);
  return 1;
}

static int view(lua_State *L, int dirs) {
  int has = 0;
  Chan *c = check_chan(L, dirs);
  chan_of(lib_arg(L, 1), &has);
  if (has == dirs) { // there is nothing to take away
    lua_settop(L, 1);
    return 1;
  }
  lib_pushview(L, c, dirs);
  return 1;
}

static int ch_sender(lua_State *L) { return view(L, CHAN_CANSEND); }
static int ch_receiver(lua_State *L) { return view(L, CHAN_CANRECV); }

// ---- send and receive --------------------------------------------------------------------------------------

static int send_done(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  chan_end_send(L);
  return 0;
}

// The value to send at argument 2; none counts as nil, which is refused.
static const Value *check_value(lua_State *L, Chan *c) {
  if (unlikely(lua_gettop(L) < 2)) lua_settop(L, 2);
  const Value *v = lib_arg(L, 2);
  chan_checkvalue(L, c, v);
  return v;
}

static int ch_send(lua_State *L) {
  Chan *c = check_chan(L, CHAN_CANSEND);
  if (chan_begin_send(L, c, check_value(L, c))) return 0;
  return g_parkc(L, WAIT_CHAN_SEND, &c->lk, 0, send_done);
}

static int push_received(lua_State *L, const Value *v, bool ok) {
  lib_push(L, v);
  lua_pushboolean(L, ok);
  return 2;
}

static int recv_done(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  Value v;
  bool ok;
  chan_end_recv(L, &v, &ok);
  return push_received(L, &v, ok);
}

static int ch_recv(lua_State *L) { // also __call
  Chan *c = check_chan(L, CHAN_CANRECV);
  Value v;
  bool ok;
  if (chan_begin_recv(L, c, &v, &ok)) return push_received(L, &v, ok);
  return g_parkc(L, WAIT_CHAN_RECV, &c->lk, 0, recv_done);
}

// Quick halves: what would wait, or is an error, is left to the function.
static Chan *quick_chan(const Value *arg, int nargs, int wanted) {
  int dirs = 0;
  Chan *c = nargs > 0 ? chan_of(&arg[0], &dirs) : NULL;
  return (dirs & wanted) == wanted ? c : NULL;
}

static int ch_send_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)res;
  Chan *c = quick_chan(arg, nargs, CHAN_CANSEND);
  return c != NULL && nargs > 1 && chan_sendnow(L, c, &arg[1]) ? 0 : QUICK_DECLINED;
}

static int ch_recv_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  Value v;
  bool ok;
  Chan *c = quick_chan(arg, nargs, CHAN_CANRECV);
  if (c == NULL || !chan_tryrecv(L, c, &v, &ok)) return QUICK_DECLINED;
  v_copy(&res[0], &v);
  v_setbool(&res[1], ok);
  return 2;
}

static int ch_trysend(lua_State *L) {
  Chan *c = check_chan(L, CHAN_CANSEND);
  lua_pushboolean(L, chan_trysend(L, c, check_value(L, c)));
  return 1;
}

static int ch_tryrecv(lua_State *L) {
  Chan *c = check_chan(L, CHAN_CANRECV);
  Value v;
  bool ok, ready = chan_tryrecv(L, c, &v, &ok);
  push_received(L, &v, ok);
  lua_pushboolean(L, ready);
  return 3;
}

// ---- close ---------------------------------------------------------------------------------------------------

static bool close_it(lua_State *L) {
  int dirs = 0;
  Chan *c = check_chan(L, 0);
  chan_of(lib_arg(L, 1), &dirs);
  if (!(dirs & CHAN_CANSEND)) chan_error(L, "cannot close a receive-only channel");
  return chan_close(L, c);
}

static int ch_close(lua_State *L) {
  if (!close_it(L)) chan_error(L, "close of closed channel");
  return 0;
}

static int ch_closemeta(lua_State *L) { // silent if closed already
  close_it(L);
  return 0;
}

// ---- questions -------------------------------------------------------------------------------------------------

static int ch_len(lua_State *L) {
  lua_pushinteger(L, chan_len(check_chan(L, 0)));
  return 1;
}

static int ch_cap(lua_State *L) {
  lua_pushinteger(L, check_chan(L, 0)->cap);
  return 1;
}

static int ch_eq(lua_State *L) {
  int dirs;
  Chan *a = chan_of(lib_arg(L, 1), &dirs), *b = chan_of(lib_arg(L, 2), &dirs);
  lua_pushboolean(L, a != NULL && a == b);
  return 1;
}

static const char *push_typename(lua_State *L, const Chan *c, int dirs) {
  const char *arrow = dirs == CHAN_CANSEND ? "chan<-" : dirs == CHAN_CANRECV ? "<-chan" : "chan";
  if (c->elem == ELEM_ANY) return lua_pushstring(L, arrow);
  return lua_pushfstring(L, "%s %s", arrow, elem_names[c->elem]);
}

static int ch_tostring(lua_State *L) {
  int dirs = 0;
  Chan *c = check_chan(L, 0);
  chan_of(lib_arg(L, 1), &dirs);
  lua_pushfstring(L, "%s: %p", push_typename(L, c, dirs), (void *)c);
  return 1;
}

static int chan_type(lua_State *L) {
  int dirs;
  luaL_checkany(L, 1);
  Chan *c = chan_of(lib_arg(L, 1), &dirs);
  if (c)
    push_typename(L, c, dirs);
  else
    luaL_pushfail(L);
  return 1;
}

int lungo_openchan(lua_State *L) {
  static const luaL_Reg methods[] = {{"send", ch_send},       {"recv", ch_recv},         {"trysend", ch_trysend},
                                     {"tryrecv", ch_tryrecv}, {"close", ch_close},       {"cap", ch_cap},
                                     {"sender", ch_sender},   {"receiver", ch_receiver}, {NULL, NULL}};
  static const luaL_Reg metas[] = {{"__call", ch_recv}, {"__len", ch_len},           {"__close", ch_closemeta},
                                   {"__eq", ch_eq},     {"__tostring", ch_tostring}, {NULL, NULL}};
  static const ObjKind kind = {CHAN_META, NULL};
  obj_class(L, &kind, methods, metas);
  method_setreceive(L, ch_recv);
  quick_add(ch_send, ch_send_quick);
  quick_add(ch_recv, ch_recv_quick);
  lua_newtable(L);
  lua_pushcfunction(L, chan_type);
  lua_setfield(L, -2, "type");
  lua_newtable(L);
  lua_pushcfunction(L, chan_call);
  lua_setfield(L, -2, "__call");
  lua_setmetatable(L, -2);
  return 1;
}
