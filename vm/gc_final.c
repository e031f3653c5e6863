// SPDX-License-Identifier: MIT
//
// gc_final.c: finalizers (__gc).
//
// What:       setmetatable registers an object once (OF_FINALIZER) in a list that grows at its head without a lock.
//             When a collection finds a registered object unmarked, it moves the object to the queue of pending ones
//             and marks it again: it lives until its finalizer has run. The queue is in reverse order of registration.
//             With one goroutine finalizers run at the end of the safepoint that collected, as in Lua; with several,
//             in a goroutine of their own (rt_finalizers_ready), or in the caller of collectgarbage.
//             In a host's runtime, a table belongs to the run that registered it (Estate in seam.h): once that has been
//             ended and has had its time, its tables are dropped instead. Userdata are made by C code, which may hold
//             something in them that has to be given back: they belong to no run.
// Invariants: an object leaves the queue with OF_FINALIZER cleared: to be finalized again, it must be registered again.
//             Once there are several goroutines, whatever is queued is shared: its finalizer may run in another
//             goroutine than those who used what it refers to. That is done here with the world stopped, because
//             the owner of an unshared object must not be in the middle of using it.
//             A finalizer is called with hooks off, cannot yield to a coroutine, and its errors are warnings.
// Locking:    FinState.lock for the queue, a few instructions.
// See also:   gc.c (the order of a cycle). Tests: tests/unit/gc_test.c, tests/vm/gc_goroutines.lua.
#include "call.h"
#include "gc_int.h"
#include "meta.h"
#include "race.h"
#include "seam.h"
#include "share.h"
#include "spin.h"

void final_init(FinState *f) {
  memset(f, 0, sizeof *f);
  f->tail = &f->head;
}

static void free_node(FinNode *n) {
  rt_estate_drop(n->estate);
  free(n);
}

static void free_nodes(FinNode *n) {
  while (n != NULL) {
    FinNode *next = n->next;
    free_node(n);
    n = next;
  }
}

void final_free(FinState *f) {
  free_nodes(atomic_load_explicit(&f->registered, memory_order_relaxed));
  free_nodes(f->head);
}

// ---- registering ---------------------------------------------------------------------------------------

static FinNode *new_node(lua_State *L, Obj *o) {
  FinNode *n = malloc(sizeof *n);
  if (n == NULL) return NULL;
  *n = (FinNode){.o = o};
  if (o->type == OBJ_USERDATA || rt_estate(L, &n->estate)) return n;
  free(n);
  return NULL;
}

void gc_register_finalizer(lua_State *L, Obj *o, Table *mt) {
  struct GcState *gc = L->gl->gc;
  Value tm;
  if (atomic_load_explicit(&o->flags, memory_order_relaxed) & OF_FINALIZER) return;
  if (atomic_load_explicit(&gc->closing, memory_order_relaxed) || !meta_fast(L, mt, TM_GC, &tm)) return;
  FinNode *n = new_node(L, o);
  if (n == NULL) call_memerror(L);
  if (atomic_fetch_or_explicit(&o->flags, OF_FINALIZER, memory_order_relaxed) & OF_FINALIZER) {
    free_node(n); // another goroutine was faster
    return;
  }
  if (unlikely(race_on)) rt_race_release(n);
  n->next = atomic_load_explicit(&gc->fin.registered, memory_order_relaxed);
  while (!atomic_compare_exchange_weak_explicit(&gc->fin.registered, &n->next, n, memory_order_release,
                                                memory_order_relaxed)) {
  }
}

// ---- in the collector, world stopped ------------------------------------------------------------------------

static void enqueue(FinState *f, FinNode *n) {
  n->next = NULL;
  *f->tail = n;
  f->tail = &n->next;
  atomic_fetch_add_explicit(&f->npending, 1, memory_order_relaxed);
}

static void share_protected(lua_State *L, void *ud) { share_obj(L, ud); }

// A Lua frame's registers reach up to ci->top: what is pushed at a safepoint goes above them. Returns the old top.
static ptrdiff_t raise_top(lua_State *L) {
  ptrdiff_t top = stack_save(L, L->top);
  if (ci_isLua(L->ci) && L->top < L->ci->top) L->top = L->ci->top;
  return top;
}

// Whether o may go to whatever goroutine runs finalizers.
static bool may_finalize(lua_State *L, Obj *o) {
  if (!atomic_load_explicit(&L->gl->multi, memory_order_relaxed) || obj_isshared(o)) return true;
  ptrdiff_t top = raise_top(L);
  bool ok = vm_rawprotected(L, share_protected, o) == LUA_OK;
  L->top = stack_restore(L, top); // without the error value, if any
  return ok;
}

void final_separate(Marking *mk) {
  FinState *f = &mk->gl->gc->fin;
  FinNode *n = atomic_load_explicit(&f->registered, memory_order_relaxed), *kept = NULL, **keep = &kept;
  while (n != NULL) {
    FinNode *next = n->next;
    bool dead = !heap_ismarked(n->o);
    if (dead && rt_estate_isover(n->estate)) {
      if (unlikely(race_on)) rt_race_forget(n);
      atomic_fetch_and_explicit(&n->o->flags, (uint8_t)~OF_FINALIZER, memory_order_relaxed); // it may be revived
      free_node(n);
    } else if (dead && may_finalize(mk->L, n->o)) {
      enqueue(f, n);
    } else {
      gc_mark_obj(&mk->m[0], n->o); // out of memory above: it lives until the next cycle
      *keep = n;
      keep = &n->next;
    }
    n = next;
  }
  *keep = NULL;
  atomic_store_explicit(&f->registered, kept, memory_order_relaxed);
}

void final_mark_pending(Marking *mk) {
  for (FinNode *n = mk->gl->gc->fin.head; n != NULL; n = n->next) gc_mark_obj(&mk->m[0], n->o);
}

// ---- running --------------------------------------------------------------------------------------------------

bool gc_finalizers_pending(Global *gl) { return atomic_load_explicit(&gl->gc->fin.npending, memory_order_relaxed) > 0; }

static bool ci_chain_has_fin(const lua_State *L) {
  for (const CallInfo *ci = L->ci; ci != NULL; ci = ci->prev)
    if (ci->status & CI_FIN) return true;
  return false;
}

bool final_is_inside(lua_State *L) {
  if (atomic_load_explicit(&L->gl->gc->fin.nrunning, memory_order_relaxed) == 0) return false;
  for (; L != NULL; L = L->from)
    if (ci_chain_has_fin(L)) return true;
  return false;
}

// The next object, pushed onto L's stack at once: nothing else refers to it. *estate is the caller's.
static bool dequeue(lua_State *L, FinState *f, Estate **estate) {
  if (atomic_load_explicit(&f->npending, memory_order_relaxed) == 0) return false;
  spin_lock(&f->lock);
  FinNode *n = f->head;
  bool others = n != NULL && !rt_estate_may(L, n->estate);
  if (others) n = NULL;
  if (n != NULL) {
    f->head = n->next;
    if (f->head == NULL) f->tail = &f->head;
    atomic_fetch_sub_explicit(&f->npending, 1, memory_order_relaxed);
  }
  spin_unlock(&f->lock);
  if (others) rt_finalizers_ready(L->gl);
  if (n == NULL) return false;
  atomic_fetch_and_explicit(&n->o->flags, (uint8_t)~OF_FINALIZER, memory_order_relaxed);
  v_setobj(L->top++, n->o->type, n->o);
  if (unlikely(race_on)) {
    rt_race_acquire(n); // as gc_register_finalizer released it
    rt_race_forget(n);
  }
  *estate = n->estate;
  n->estate = NULL;
  free_node(n);
  return true;
}

static void warn_error(lua_State *L) {
  const Value *err = L->top - 1;
  const char *msg = v_isstring(err) ? v_str(err)->data : "error object is not a string";
  lua_warning(L, "error in __gc (", 1);
  lua_warning(L, msg, 1);
  lua_warning(L, ")", 0);
}

// The object is on top; pops it.
static void call_finalizer(lua_State *L) {
  Value tm, *obj = L->top - 1;
  if (!meta_get(L, obj, TM_GC, &tm)) {
    L->top--;
    return;
  }
  v_copy(obj + 1, obj);
  v_copy(obj, &tm);
  L->top = obj + 2;
  CallInfo *ci = L->ci;
  uint8_t allowhook = L->allowhook;
  L->allowhook = 0;
  ci->status |= CI_FIN;
  int status = lua_pcallk(L, 1, 0, 0, 0, NULL);
  ci->status &= (uint16_t)~CI_FIN;
  L->allowhook = allowhook;
  if (status == LUA_OK) return;
  warn_error(L);
  L->top--;
}

// The object is on top; pops it. Many that are dropped would be long without a safepoint; while the universe closes
// nothing catches what one may raise.
static void finalize(lua_State *L, Estate *estate) {
  if (rt_finalizer_begin(L, estate)) {
    call_finalizer(L);
    rt_finalizer_end(L);
    return;
  }
  L->top--;
  if (!atomic_load_explicit(&L->gl->gc->closing, memory_order_relaxed) &&
      atomic_load_explicit(&L->ctx->poll, memory_order_relaxed) & (POLL_STW | POLL_KILL | POLL_PREEMPT))
    rt_safepoint(L, false);
}

// "All" are those that wait now: a finalizer that makes more work for the collector must not keep us here for ever.
int gc_run_finalizers(lua_State *L, int n) {
  FinState *f = &L->gl->gc->fin;
  size_t max = n >= 0 ? (size_t)n : atomic_load_explicit(&f->npending, memory_order_relaxed);
  ptrdiff_t top = raise_top(L);
  size_t ran = 0;
  Estate *estate;
  atomic_fetch_add_explicit(&f->nrunning, 1, memory_order_relaxed);
  while (ran < max && stack_trygrow(L, LUA_MINSTACK) && dequeue(L, f, &estate)) {
    finalize(L, estate);
    ran++;
  }
  atomic_fetch_sub_explicit(&f->nrunning, 1, memory_order_relaxed);
  L->top = stack_restore(L, top);
  return (int)ran;
}

// ---- closing --------------------------------------------------------------------------------------------------

static void enqueue_all(FinState *f) {
  FinNode *n = atomic_exchange_explicit(&f->registered, NULL, memory_order_acquire);
  while (n != NULL) {
    FinNode *next = n->next;
    enqueue(f, n);
    n = next;
  }
}

// What finalizers register while the universe closes is ignored (gc->closing), as Lua does.
void gc_close(lua_State *L) {
  struct GcState *gc = L->gl->gc;
  atomic_store_explicit(&gc->closing, true, memory_order_relaxed);
  spin_lock(&gc->fin.lock);
  enqueue_all(&gc->fin);
  spin_unlock(&gc->fin.lock);
  gc_run_finalizers(L, -1);
}
