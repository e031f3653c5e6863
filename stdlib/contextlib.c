// SPDX-License-Identifier: MIT
//
// contextlib.c: the `context` library: telling a tree of goroutines to stop, with deadlines and values on the way.
//
// What:       a context is the background, or has a parent and is one of two kinds: one that can be cancelled owns a
//             node of the tree in runtime/context.c; one that carries a value does not, and answers all else as the
//             nearest node above. The background owns a node that nobody cancels; contexts made from it have no parent
//             node, so that they share no lock.
// Invariants: contexts are published when made, with their parents, keys and values; nothing in them changes but the
//             node. `near` points into the memory of this object or of an ancestor, which `parent` keeps alive.
//             A done channel refers to its context: who waits on it keeps it, and its deadline, alive.
// See also:   spec "context". Tests: tests/stdlib/context_*.lua.
#include "call.h"
#include "gc.h"
#include "lungolib.h"
#include <math.h>

enum { CONTEXT_BACKGROUND, CONTEXT_CANCELLABLE, CONTEXT_VALUE };

typedef struct ContextObj {
  ObjHead head;
  uint8_t what;     // CONTEXT_BACKGROUND...
  Userdata *parent; // NULL: background
  Context *near;    // the nearest node at or above
} ContextObj;       // CONTEXT_VALUE: user value 0 is the key, 1 the value

typedef struct NodeObj { // CONTEXT_BACKGROUND, CONTEXT_CANCELLABLE
  ContextObj o;
  Context node;
  Timer timer[]; // one, if it has a deadline of its own
} NodeObj;

static void trace(struct Marker *m, void *mem) {
  ContextObj *o = mem;
  if (o->parent) gc_mark_obj(m, &o->parent->hdr);
  if (o->what != CONTEXT_VALUE && o->near) context_trace(m, &((NodeObj *)mem)->node);
}
static const ObjKind context_kind = {"context", trace};

static ContextObj *check_context(lua_State *L, int arg) { return obj_check(L, arg, &context_kind); }
Context *lib_checkcontext(lua_State *L, int arg) { return check_context(L, arg)->near; }

static int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? (b > 0 ? INT64_MAX : INT64_MIN) : sum;
}

// ---- making ----------------------------------------------------------------------------------------------------

static const char background_key = 0; // its address is the key in the registry

// The context all others come from.
void lib_pushbackground(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &background_key); }

static void make_background(lua_State *L) {
  NodeObj *n = obj_new(L, &context_kind, sizeof(NodeObj), 0);
  Userdata *u = v_ud(L->top - 1);
  n->o.what = CONTEXT_BACKGROUND;
  context_init(&n->node, &u->hdr, NULL, NULL, INT64_MAX, INFINITY);
  n->node.root = true;
  n->o.near = &n->node;
  share_obj(L, &u->hdr);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &background_key);
}

// Pushes a context below argument `arg`, to be cancelled or expire at `when` (INT64_MAX: never), which is `wall` by the
// clock on the wall. An earlier deadline above holds for it too, and needs no second timer.
static NodeObj *push_node(lua_State *L, int arg, int64_t when, double wall) {
  Userdata *parent = obj_checkud(L, arg, &context_kind);
  Context *near = ((ContextObj *)ud_mem(parent))->near, *up = near->root ? NULL : near;
  bool own = when < near->when;
  NodeObj *n = obj_new(L, &context_kind, sizeof(NodeObj) + (own ? sizeof(Timer) : 0), 0);
  Userdata *u = v_ud(L->top - 1);
  n->o.what = CONTEXT_CANCELLABLE;
  n->o.parent = parent;
  context_init(&n->node, &u->hdr, up, own ? n->timer : NULL, own ? when : near->when, own ? wall : near->wall);
  n->o.near = &n->node;
  share_obj(L, &u->hdr);
  context_start(L, &n->node);
  return n;
}

Context *lib_newcontext(lua_State *L, int arg) { return &push_node(L, arg, INT64_MAX, INFINITY)->node; }

// ---- cancelling --------------------------------------------------------------------------------------------------

// Upvalue 1 of the function that runs: the context.
static Context *cancel_target(lua_State *L) {
  Value u;
  bits_decode(&u, slot_load(&v_ccl(L->ci->func)->upv[0]));
  return &((NodeObj *)ud_mem(v_ud(&u)))->node;
}

void lib_cancelcontext(lua_State *L, Context *c, const Value *cause) {
  if (context_err(c) != CONTEXT_LIVE) return;
  share_value(L, cause);
  context_cancel(L->ctx, c, CONTEXT_CANCELED, v_encode(L, cause));
}

static int cancel(lua_State *L) {
  context_cancel(L->ctx, cancel_target(L), CONTEXT_CANCELED, SLOT_NIL);
  return 0;
}

static int cancel_cause(lua_State *L) {
  Context *c = cancel_target(L);
  lua_settop(L, 1);
  lib_cancelcontext(L, c, lib_arg(L, 1));
  return 0;
}

// The new context is on top: pushes the function that cancels it.
static int push_cancel(lua_State *L, lua_CFunction f) {
  luaL_checkstack(L, 1, NULL);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, f, 1);
  return 2;
}

static int c_withcancel(lua_State *L) {
  push_node(L, 1, INT64_MAX, INFINITY);
  return push_cancel(L, cancel);
}

static int c_withcancelcause(lua_State *L) {
  push_node(L, 1, INT64_MAX, INFINITY);
  return push_cancel(L, cancel_cause);
}

static int c_withtimeout(lua_State *L) {
  check_context(L, 1);
  int64_t ns = time_checkduration(L, 2);
  double d = lua_tonumber(L, 2);
  push_node(L, 1, d < 0 ? INT64_MIN : saturating_add(timer_clock(L), ns), lib_wallclock() + d);
  return push_cancel(L, cancel);
}

// From a point of the clock on the wall to one of the monotonic clock, as it looks now.
static int64_t monotonic_of(lua_State *L, double wall) {
  double ns = nearbyint((wall - lib_wallclock()) * 1e9);
  if (ns >= 0x1p63) return INT64_MAX;
  return ns <= -0x1p63 ? INT64_MIN : saturating_add(timer_clock(L), (int64_t)ns);
}

static int c_withdeadline(lua_State *L) {
  check_context(L, 1);
  double wall = luaL_checknumber(L, 2);
  luaL_argcheck(L, wall == wall, 2, "deadline is NaN");
  push_node(L, 1, monotonic_of(L, wall), wall);
  return push_cancel(L, cancel);
}

// ---- values ------------------------------------------------------------------------------------------------------

static int c_withvalue(lua_State *L) {
  Userdata *parent = obj_checkud(L, 1, &context_kind);
  lua_settop(L, 3);
  const Value *key = lib_arg(L, 2);
  luaL_argcheck(L, !v_isnil(key), 2, "key is nil");
  luaL_argcheck(L, !v_isfloat(key) || key->n == key->n, 2, "key is NaN");
  ContextObj *o = obj_new(L, &context_kind, sizeof(ContextObj), 2);
  Userdata *u = v_ud(L->top - 1);
  o->what = CONTEXT_VALUE;
  o->parent = parent;
  o->near = ((ContextObj *)ud_mem(parent))->near;
  obj_setuv(L, u, 0, lib_arg(L, 2));
  obj_setuv(L, u, 1, lib_arg(L, 3));
  share_obj(L, &u->hdr);
  return 1;
}

static int ctx_value(lua_State *L) {
  Userdata *u = obj_checkud(L, 1, &context_kind);
  luaL_checkany(L, 2);
  for (; u; u = ((ContextObj *)ud_mem(u))->parent) {
    if (((ContextObj *)ud_mem(u))->what != CONTEXT_VALUE) continue;
    Value key;
    bits_decode(&key, slot_load(&u->uv[0]));
    if (!value_rawequal(&key, lib_arg(L, 2))) continue;
    obj_pushuv(L, u, 1);
    return 1;
  }
  lua_pushnil(L);
  return 1;
}

// ---- questions ---------------------------------------------------------------------------------------------------

void lib_pushcontexterr(lua_State *L, Context *c) {
  ContextErr err = context_err(c);
  if (err == CONTEXT_LIVE)
    lua_pushnil(L);
  else
    lua_pushstring(L, context_errtext(err));
}

static int ctx_err(lua_State *L) {
  lib_pushcontexterr(L, check_context(L, 1)->near);
  return 1;
}

static int ctx_cause(lua_State *L) {
  Context *c = check_context(L, 1)->near;
  Value v = {.tag = TAG_NIL};
  if (context_err(c) != CONTEXT_LIVE) bits_decode(&v, slot_load(&c->cause));
  if (v_isnil(&v))
    lib_pushcontexterr(L, c);
  else
    lib_push(L, &v);
  return 1;
}

static int ctx_deadline(lua_State *L) {
  Context *c = check_context(L, 1)->near;
  if (c->when == INT64_MAX)
    luaL_pushfail(L);
  else
    lua_pushnumber(L, c->wall);
  return 1;
}

// Several goroutines may make one at the same time: the first to install his wins.
static Userdata *make_done(lua_State *L, Context *c) {
  Chan *ch = lib_pushchan(L, ELEM_ANY, 0);
  ch->keeps = c->owner;
  Userdata *view = lib_pushview(L, ch, CHAN_CANRECV);
  share_obj(L, &view->hdr);
  return context_setdone(c, view);
}

static int ctx_done(lua_State *L) {
  Context *c = check_context(L, 1)->near;
  Userdata *done = atomic_load_explicit(&c->done, memory_order_acquire);
  Value v;
  luaL_checkstack(L, 4, NULL);
  v_setobj(&v, TAG_USERDATA, done ? done : make_done(L, c));
  lib_push(L, &v);
  return 1;
}

// ---- tostring: how it was made, background first -----------------------------------------------------------------

#define SHOWN 16 // levels; of a longer chain the innermost

static void add_level(lua_State *L, luaL_Buffer *b, Userdata *u) {
  ContextObj *o = ud_mem(u);
  Value key;
  if (o->what == CONTEXT_BACKGROUND) {
    luaL_addstring(b, "context.background");
  } else if (o->what == CONTEXT_CANCELLABLE) {
    luaL_addstring(b, ((NodeObj *)o)->node.timer ? ".withdeadline" : ".withcancel");
  } else {
    bits_decode(&key, slot_load(&u->uv[0]));
    luaL_addstring(b, ".withvalue(");
    lib_push(L, &key);
    if (!v_isnumber(&key) && !v_isstring(&key)) {
      lua_pushstring(L, luaL_typename(L, -1));
      lua_remove(L, -2);
    }
    luaL_addvalue(b);
    luaL_addchar(b, ')');
  }
}

static void add_state(lua_State *L, luaL_Buffer *b, Context *c) {
  char left[64];
  ContextErr err = context_err(c);
  if (err != CONTEXT_LIVE) {
    lua_pushfstring(L, " (%s)", context_errtext(err));
  } else if (c->when != INT64_MAX) {
    lua_pushfstring(L, " (%s left)", (lib_formatduration(left, c->when - timer_clock(L)), left));
  } else {
    return;
  }
  luaL_addvalue(b);
}

static int ctx_tostring(lua_State *L) {
  Userdata *level[SHOWN], *u = obj_checkud(L, 1, &context_kind);
  Context *near = ((ContextObj *)ud_mem(u))->near;
  int n = 0;
  luaL_Buffer b;
  for (; u && n < SHOWN; u = ((ContextObj *)ud_mem(u))->parent) level[n++] = u;
  luaL_buffinit(L, &b);
  if (u) luaL_addstring(&b, "context...");
  while (n > 0) add_level(L, &b, level[--n]);
  add_state(L, &b, near);
  luaL_pushresult(&b);
  return 1;
}

// ---- opening -----------------------------------------------------------------------------------------------------

static int c_background(lua_State *L) {
  lib_pushbackground(L);
  return 1;
}

int lungo_opencontext(lua_State *L) {
  static const luaL_Reg methods[] = {{"done", ctx_done},         {"err", ctx_err},     {"cause", ctx_cause},
                                     {"deadline", ctx_deadline}, {"value", ctx_value}, {NULL, NULL}};
  static const luaL_Reg metas[] = {{"__tostring", ctx_tostring}, {NULL, NULL}};
  static const luaL_Reg funcs[] = {{"background", c_background},
                                   {"withcancel", c_withcancel},
                                   {"withcancelcause", c_withcancelcause},
                                   {"withtimeout", c_withtimeout},
                                   {"withdeadline", c_withdeadline},
                                   {"withvalue", c_withvalue},
                                   {NULL, NULL}};
  obj_class(L, &context_kind, methods, metas);
  make_background(L);
  luaL_newlib(L, funcs);
  return 1;
}
