// SPDX-License-Identifier: MIT
//
// embed_value.c: values between Lua and host threads, and handles of Lua objects.
//
// What:       lungo_Value is plain C: what Lua copies is copied, strings into memory of their own, and objects are
//             handles. Each direction is one function, lungo_push and lungo_get, that runs in a goroutine.
// Invariants: a lungo_Value that we hand out owns what it points to; one that the host hands in owns nothing.
//             The last release of a handle asks the courier to forget the object; with the runtime gone, it only frees.
// See also:   embed.h. Tests: tests/unit/embed_test.c.
#include "embed.h"
#include "call.h"
#include <stdlib.h>
#include <string.h>

// ---- waiting ------------------------------------------------------------------------------------------------------

int64_t host_ns(double seconds) {
  if (!(seconds > 0)) return 0; // also what is no number
  return seconds < 9e9 ? (int64_t)(seconds * 1e9) : INT64_C(9000000000000000000);
}

int64_t host_deadline(double seconds) {
  if (seconds < 0 || seconds > 9e9) return NS_FOREVER;
  return mono_ns() + host_ns(seconds);
}

bool host_wait(_Atomic uint32_t *word, int64_t deadline) {
  while (atomic_load_explicit(word, memory_order_acquire) == 0)
    if (!futex_wait(word, 0, deadline)) return atomic_load_explicit(word, memory_order_acquire) != 0;
  return true;
}

void host_signal(_Atomic uint32_t *word) {
  atomic_store_explicit(word, 1, memory_order_release);
  futex_wake(word, -1);
}

// ---- handles ----------------------------------------------------------------------------------------------------

static void forget(lua_State *L, Req *req) {
  lungo_Ref *r = (lungo_Ref *)req;
  lua_getfield(L, LUA_REGISTRYINDEX, REFS);
  lua_pushnil(L);
  lua_rawseti(L, -2, r->id);
  hub_unref(r->hub);
  free(r);
}

static void forget_failed(Req *req, int status, const char *msg) {
  lungo_Ref *r = (lungo_Ref *)req;
  (void)status;
  (void)msg;
  hub_unref(r->hub);
  free(r);
}

lungo_Ref *ref_new(lua_State *L, int idx) {
  Hub *h = hub_of(L);
  if (h->L == NULL) luaL_error(L, "only a runtime made by lungo_new can keep objects for its host");
  int64_t id = atomic_fetch_add(&h->nextref, 1) + 1;
  luaL_checkstack(L, 3, NULL);
  idx = lua_absindex(L, idx);
  lua_getfield(L, LUA_REGISTRYINDEX, REFS);
  lua_pushvalue(L, idx);
  lua_rawseti(L, -2, id);
  lungo_Ref *r = calloc(1, sizeof *r);
  if (r == NULL) {
    lua_pushnil(L);
    lua_rawseti(L, -2, id);
    call_memerror(L);
  }
  lua_pop(L, 1);
  r->req.run = forget;
  r->req.failed = forget_failed;
  atomic_init(&r->refs, 1);
  r->id = id;
  r->hub = h;
  hub_ref(h);
  return r;
}

void ref_push(lua_State *L, const lungo_Ref *r) {
  luaL_checkstack(L, 2, NULL);
  if (r == NULL || r->hub != L->gl->rt->hub) luaL_error(L, "a handle of another runtime");
  lua_getfield(L, LUA_REGISTRYINDEX, REFS);
  lua_rawgeti(L, -1, r->id);
  lua_remove(L, -2);
}

LUA_API lungo_Ref *lungo_ref_retain(lungo_Ref *r) {
  atomic_fetch_add(&r->refs, 1);
  return r;
}

LUA_API void lungo_ref_release(lungo_Ref *r) {
  if (r == NULL || atomic_fetch_sub(&r->refs, 1) != 1) return;
  if (!hub_post(r->hub, &r->req)) forget_failed(&r->req, LUNGO_DEAD, NULL);
}

// ---- host memory ---------------------------------------------------------------------------------------------------

LUA_API lungo_Value lungo_nil(void) {
  lungo_Value v = {LUNGO_TNIL, {0}};
  return v;
}

LUA_API lungo_Value lungo_boolean(int b) {
  lungo_Value v = {.type = LUNGO_TBOOLEAN, .u.b = b != 0};
  return v;
}

LUA_API lungo_Value lungo_integer(lua_Integer i) {
  lungo_Value v = {.type = LUNGO_TINTEGER, .u.i = i};
  return v;
}

LUA_API lungo_Value lungo_number(lua_Number n) {
  lungo_Value v = {.type = LUNGO_TNUMBER, .u.n = n};
  return v;
}

LUA_API lungo_Value lungo_lstring(const char *s, size_t len) {
  lungo_Value v = {.type = LUNGO_TSTRING, .u.s = {s, len}};
  return v;
}

LUA_API lungo_Value lungo_string(const char *s) { return s != NULL ? lungo_lstring(s, strlen(s)) : lungo_nil(); }

LUA_API lungo_Value lungo_pointer(void *p) {
  lungo_Value v = {.type = LUNGO_TPOINTER, .u.p = p};
  return v;
}

LUA_API lungo_Value lungo_channel(lungo_Chan *ch) {
  lungo_Value v = {.type = LUNGO_TCHAN, .u.chan = ch};
  return v;
}

LUA_API lungo_Value lungo_object(lungo_Ref *ref) {
  lungo_Value v = {.type = LUNGO_TREF, .u.ref = ref};
  return v;
}

static char *copy_bytes(const char *s, size_t n) {
  char *p = malloc(n + 1);
  if (p == NULL) return NULL;
  if (n > 0) memcpy(p, s, n);
  p[n] = '\0';
  return p;
}

bool value_copy(lungo_Value *to, const lungo_Value *from) {
  *to = *from;
  switch (from->type) {
  case LUNGO_TSTRING:
    to->u.s.data = copy_bytes(from->u.s.data, from->u.s.len);
    if (to->u.s.data != NULL) return true;
    *to = lungo_nil();
    return false;
  case LUNGO_TCHAN: lungo_chan_retain(to->u.chan); return true;
  case LUNGO_TREF: lungo_ref_retain(to->u.ref); return true;
  default: return true;
  }
}

LUA_API void lungo_clear(lungo_Value *v) {
  switch (v->type) {
  case LUNGO_TSTRING: free((char *)v->u.s.data); break;
  case LUNGO_TCHAN: lungo_chan_release(v->u.chan); break;
  case LUNGO_TREF: lungo_ref_release(v->u.ref); break;
  default: break;
  }
  *v = lungo_nil();
}

void values_free(lungo_Value *v, int n) {
  for (int i = 0; i < n; i++) lungo_clear(&v[i]);
  free(v);
}

lungo_Value *values_copy(int n, const lungo_Value *v) {
  lungo_Value *copy = n > 0 ? calloc((size_t)n, sizeof *copy) : NULL;
  for (int i = 0; copy != NULL && i < n; i++) {
    if (value_copy(&copy[i], &v[i])) continue;
    values_free(copy, n);
    return NULL;
  }
  return copy;
}

// ---- Lua's memory ---------------------------------------------------------------------------------------------------

LUA_API void lungo_push(lua_State *L, const lungo_Value *v) {
  luaL_checkstack(L, 2, NULL);
  switch (v->type) {
  case LUNGO_TBOOLEAN: lua_pushboolean(L, v->u.b); break;
  case LUNGO_TINTEGER: lua_pushinteger(L, v->u.i); break;
  case LUNGO_TNUMBER: lua_pushnumber(L, v->u.n); break;
  case LUNGO_TSTRING: lua_pushlstring(L, v->u.s.data, v->u.s.len); break;
  case LUNGO_TPOINTER: lua_pushlightuserdata(L, v->u.p); break;
  case LUNGO_TCHAN: chan_push(L, v->u.chan); break;
  case LUNGO_TREF: ref_push(L, v->u.ref); break;
  default: lua_pushnil(L); break;
  }
}

static lungo_Value get_string(lua_State *L, int idx) {
  size_t len;
  const char *s = lua_tolstring(L, idx, &len);
  char *copy = copy_bytes(s, len);
  if (copy == NULL) call_memerror(L);
  return lungo_lstring(copy, len);
}

LUA_API void lungo_get(lua_State *L, int idx, lungo_Value *v) {
  lungo_Chan *ch;
  *v = lungo_nil();
  switch (lua_type(L, idx)) {
  case LUA_TNONE:
  case LUA_TNIL: break;
  case LUA_TBOOLEAN: *v = lungo_boolean(lua_toboolean(L, idx)); break;
  case LUA_TNUMBER:
    *v = lua_isinteger(L, idx) ? lungo_integer(lua_tointeger(L, idx)) : lungo_number(lua_tonumber(L, idx));
    break;
  case LUA_TSTRING: *v = get_string(L, idx); break;
  case LUA_TLIGHTUSERDATA: *v = lungo_pointer(lua_touserdata(L, idx)); break;
  case LUA_TUSERDATA:
    if ((ch = chan_handle(L, idx)) != NULL) {
      *v = lungo_channel(ch);
      break;
    } // fall through
  default: *v = lungo_object(ref_new(L, idx)); break;
  }
}
