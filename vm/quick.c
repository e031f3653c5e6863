// SPDX-License-Identifier: MIT
//
// quick.c: the list of quick halves. See quick.h.
//
// Locking:    list_lock orders those who add; who finds takes no lock.
#include "quick.h"
#include "race.h"
#include "lgassert.h"
#include "spin.h"

Quick quick_list[QUICK_MAX];
static _Atomic uint8_t list_lock;

void quick_add(lua_CFunction f, QuickFn run) {
  if (unlikely(race_on)) return; // they tell no accesses, and not all of them edges
  spin_lock(&list_lock);
  if (quick_find(f) == QUICK_NONE) {
    int i = QUICK_NONE + 1;
    while (i < QUICK_MAX && atomic_load_explicit(&quick_list[i].f, memory_order_relaxed) != NULL) i++;
    lg_assert(i < QUICK_MAX);
    if (i < QUICK_MAX) {
      quick_list[i].run = run;
      atomic_store_explicit(&quick_list[i].f, f, memory_order_release);
    }
  }
  spin_unlock(&list_lock);
}

uint16_t quick_find(lua_CFunction f) {
  for (int i = QUICK_NONE + 1; i < QUICK_MAX; i++) {
    lua_CFunction at = atomic_load_explicit(&quick_list[i].f, memory_order_acquire);
    if (at == f) return (uint16_t)i;
    if (at == NULL) break;
  }
  return QUICK_NONE;
}

static int decline(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  (void)res;
  (void)arg;
  (void)nargs;
  return QUICK_DECLINED;
}

QuickFn quick_half(const Value *fn) {
  unsigned at = fn->tag == TAG_LCF ? quick_find(fn->f) : QUICK_NONE;
  return at != QUICK_NONE ? quick_list[at].run : decline;
}
