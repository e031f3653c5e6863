// SPDX-License-Identifier: MIT
//
// embed_async.c: C functions that Lua calls and another thread completes (lungo_async, lungo_await).
//
// What:       the goroutine parks like on a channel, so that neither a thread nor a processor waits; lungo_complete
//             puts the values into plain memory and readies it.
// Invariants: an Async has two owners: who completes it, and a userdata on the C function's stack (the anchor), which
//             the collector finalizes: so it is freed also if the goroutine was ended while it waited. Its fields, and
//             Waiter.obj of the goroutine that waits for it, are guarded by Hub.lk.
// See also:   runtime/hub.h, group.c (WAIT_HOST). Tests: tests/unit/embed_async_test.c.
#include "embed.h"
#include "call.h"
#include <stdlib.h>
#include <string.h>

#define ANCHOR "lungo.async"

struct lungo_Async {
  _Atomic int refs;
  Hub *hub;
  G *g; // waits
  bool done;
  char *error; // NULL: values
  lungo_Value *values;
  int n;
};

static void async_unref(lungo_Async *a) {
  if (a == NULL || atomic_fetch_sub(&a->refs, 1) != 1) return;
  values_free(a->values, a->n);
  free(a->error);
  hub_unref(a->hub);
  free(a);
}

static int anchor_gc(lua_State *L) {
  lungo_Async **box = lua_touserdata(L, 1);
  async_unref(*box);
  *box = NULL;
  return 0;
}

LUA_API lungo_Async *lungo_async(lua_State *L) {
  Hub *h = hub_of(L);
  luaL_checkstack(L, 3, NULL);
  lungo_Async **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  if (luaL_newmetatable(L, ANCHOR)) {
    lua_pushcfunction(L, anchor_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  lungo_Async *a = calloc(1, sizeof *a);
  if (a == NULL) call_memerror(L);
  atomic_init(&a->refs, 2);
  a->hub = h;
  hub_ref(h);
  return *box = a;
}

// ---- waiting ----------------------------------------------------------------------------------------------------

static int async_results(lua_State *L, lungo_Async *a) {
  if (a->error != NULL) {
    luaL_where(L, 1);
    lua_pushstring(L, a->error);
    lua_concat(L, 2);
    return lua_error(L);
  }
  luaL_checkstack(L, a->n, "too many results");
  for (int i = 0; i < a->n; i++) lungo_push(L, &a->values[i]);
  return a->n;
}

static int async_woken(lua_State *L, int status, lua_KContext a) {
  (void)status;
  return async_results(L, (lungo_Async *)a);
}

LUA_API int lungo_await(lua_State *L, lungo_Async *a) {
  Hub *h = a->hub;
  lock(&h->lk);
  if (a->done) {
    unlock(&h->lk);
    return async_results(L, a);
  }
  a->g = L->g;
  waiter_of(L->g)->obj = a;
  atomic_fetch_add(&h->rt->nhost, 1);
  return g_parkc(L, WAIT_HOST, &h->lk, (lua_KContext)a, async_woken);
}

// ---- completing: any thread -------------------------------------------------------------------------------------

static void finish(lungo_Async *a, char *error, lungo_Value *values, int n) {
  Hub *h = a->hub;
  lock(&h->lk);
  a->error = error;
  a->values = values;
  a->n = n;
  a->done = true;
  if (a->g != NULL && h->rt != NULL) {
    atomic_fetch_sub(&h->rt->nhost, 1);
    if (a->g->w.obj == a) { // else it was ended meanwhile
      a->g->w.obj = NULL;
      hub_ready(h, a->g);
    }
  }
  unlock(&h->lk);
  async_unref(a);
}

LUA_API void lungo_complete(lungo_Async *a, int n, const lungo_Value *v) {
  lungo_Value *copy = values_copy(n, v);
  if (n > 0 && copy == NULL)
    lungo_fail(a, "not enough memory");
  else
    finish(a, NULL, copy, n > 0 ? n : 0);
}

LUA_API void lungo_fail(lungo_Async *a, const char *message) {
  static const char none[] = "not enough memory";
  char *text = strdup(message);
  if (text == NULL && (text = malloc(sizeof none)) != NULL) memcpy(text, none, sizeof none);
  finish(a, text, NULL, 0);
}
