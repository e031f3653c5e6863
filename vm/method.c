// SPDX-License-Identifier: MIT
//
// method.c: remembering methods, and forgetting them. See method.h.
#include "method.h"
#include "quick.h"
#include "spin.h"
#include "table.h"

static bool find_method(lua_State *L, Table *mt, String *key, Table **index, Value *fn) {
  Value t;
  if (!table_getstr(L, mt, L->gl->tmname[TM_INDEX], &t) || !v_istable(&t)) return false;
  *index = v_table(&t);
  return table_getstr(L, *index, key, fn);
}

// From now on its writers tell.
static void make_class(Table *t) {
  table_lock(t);
  atomic_fetch_or_explicit(&t->hdr.flags, OF_CLASS, memory_order_relaxed);
  table_unlock(t);
}

// The look-up that counts is the one after make_class. (__index may have become another table by then.)
static bool find_watched(lua_State *L, Table *mt, String *key, Table *index, Value *fn) {
  Table *again;
  make_class(mt);
  make_class(index);
  return find_method(L, mt, key, &again, fn) && again == index;
}

// Looks first without the lock: who can remember nothing must not meet the others here.
uint16_t method_remember(lua_State *L, Table *mt, String *key, Value *fn) {
  struct Methods *ms = &L->gl->methods;
  Table *index;
  if (atomic_load_explicit(&ms->last, memory_order_relaxed) == METHOD_MAX - 1) return 0;
  if (!obj_isshared(mt) || !find_method(L, mt, key, &index, fn) || !obj_isshared(index)) return 0;
  spin_lock(&ms->lock);
  unsigned at = atomic_load_explicit(&ms->last, memory_order_relaxed) + 1;
  atomic_store_explicit(&ms->live, true, memory_order_relaxed);
  if (at < METHOD_MAX && find_watched(L, mt, key, index, fn)) {
    Method *m = &ms->v[at];
    m->key = key;
    m->fn = *fn;
    m->run = quick_half(fn);
    atomic_store_explicit(&m->mt, mt, memory_order_release);
    atomic_store_explicit(&ms->last, at, memory_order_relaxed);
  } else {
    at = 0;
  }
  spin_unlock(&ms->lock);
  return (uint16_t)(at * sizeof(Method));
}

static bool calls_receive(lua_State *L, Table *mt) {
  Value fn;
  return table_getstr(L, mt, L->gl->tmname[TM_CALL], &fn) && fn.tag == TAG_LCF && fn.f == L->gl->methods.receive;
}

// As in method_remember: first without the lock.
bool method_findreceive(lua_State *L, Table *mt) {
  struct Methods *ms = &L->gl->methods;
  if (mt == NULL || !obj_isshared(mt) || !calls_receive(L, mt)) return false;
  spin_lock(&ms->lock);
  atomic_store_explicit(&ms->live, true, memory_order_relaxed);
  make_class(mt);
  bool is = calls_receive(L, mt);
  if (is) atomic_store_explicit(&ms->receives, mt, memory_order_release);
  spin_unlock(&ms->lock);
  return is;
}

void method_setreceive(lua_State *L, lua_CFunction f) { L->gl->methods.receive = f; }

_Static_assert(METHOD_MAX * sizeof(Method) <= 1 << 16, "hints have 16 bits");

void methods_init(Global *gl) {
  for (int i = 0; i < METHOD_MAX; i++) atomic_init(&gl->methods.v[i].mt, METHOD_STRUCK);
}

void methods_strike(Global *gl) {
  struct Methods *ms = &gl->methods;
  if (!atomic_load_explicit(&ms->live, memory_order_acquire)) return; // another writer has struck all out before
  spin_lock(&ms->lock);
  unsigned last = atomic_load_explicit(&ms->last, memory_order_relaxed);
  for (unsigned i = 1; i <= last; i++) atomic_store_explicit(&ms->v[i].mt, METHOD_STRUCK, memory_order_release);
  atomic_store_explicit(&ms->receives, NULL, memory_order_release);
  atomic_store_explicit(&ms->live, false, memory_order_release);
  spin_unlock(&ms->lock);
}

void methods_clear(Global *gl) {
  methods_strike(gl);
  atomic_store_explicit(&gl->methods.last, 0, memory_order_relaxed);
}
