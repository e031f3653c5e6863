// SPDX-License-Identifier: MIT
//
// share.c: giving objects away: sets the shared bit on everything reachable from one.
//
// What:       a breadth-first walk. The work list doubles as the record of all bits set, so that running out of memory
//             can take them back: the graph is still private then, nobody has seen them.
// Invariants: all bits are set before the caller publishes the reference; in what order does not matter until then.
//             A set bit means that everything reachable has it too, so the walk stops there. The one exception is the
//             stack of a thread that is running: it belongs to the goroutine that runs it, which calls share_stack when
//             it stops.
// Callers:    the goroutine that owns the graph.
// See also:   share.h.
#include "share.h"
#include "call.h"
#include "lgassert.h"
#include <stdlib.h>

#define SMALL 64 // most graphs are small: no malloc for them

typedef struct Work {
  Obj **v;
  size_t n, cap;
  bool failed; // out of memory: the walk is to be undone
  Obj *small[SMALL];
} Work;

static void work_init(Work *w) {
  w->v = w->small;
  w->n = 0;
  w->cap = SMALL;
  w->failed = false;
}

static bool work_grow(Work *w) {
  Obj **v = malloc(w->cap * 2 * sizeof *v);
  if (v == NULL) return false;
  memcpy(v, w->v, w->n * sizeof *v);
  if (w->v != w->small) free(w->v);
  w->v = v;
  w->cap *= 2;
  return true;
}

static void work_push(Work *w, Obj *o) {
  if (w->failed || (w->n == w->cap && !work_grow(w))) {
    w->failed = true;
    return;
  }
  atomic_fetch_or_explicit(&o->flags, OF_SHARED, memory_order_relaxed);
  w->v[w->n++] = o;
}

// ---- what objects refer to -------------------------------------------------------------------------

static void visit_obj(Work *w, Obj *o) {
  if (o == NULL || obj_isshared(o)) return;
  switch (o->type) {
  case OBJ_STRING:
  case OBJ_BOX:
  case OBJ_PROTO:
  case OBJ_MEM: return; // immutable, or owned by an object that is visited itself
  default: work_push(w, o);
  }
}

static void visit_slot(Work *w, const Slot *s) {
  uint64_t b = slot_load(s);
  uint32_t tag = bits_tag(b);
  if (tag > TAG_STRING && tag != TAG_BOX) visit_obj(w, (Obj *)(intptr_t)bits_payload(b));
}

static void visit_slots(Work *w, const Slot *s, size_t n) {
  for (size_t i = 0; i < n; i++) visit_slot(w, &s[i]);
}

static void visit_value(Work *w, const Value *v) {
  if (v->tag > TAG_STRING) visit_obj(w, v->o);
}

static void visit_hash(Work *w, const HBlock *h) {
  for (uint32_t i = 0; i <= h->mask; i++) {
    if (bits_isnil(slot_load(&h->node[i].val))) continue;
    visit_slot(w, &h->node[i].key);
    visit_slot(w, &h->node[i].val);
  }
}

static void visit_table(Work *w, Table *t) {
  const ABlock *a = atomic_load_explicit(&t->arr, memory_order_relaxed);
  Table *mt = atomic_load_explicit(&t->meta, memory_order_relaxed);
  visit_slots(w, a->v, a->size);
  visit_hash(w, atomic_load_explicit(&t->hash, memory_order_relaxed));
  if (mt != NULL) visit_obj(w, &mt->hdr);
}

static void visit_lcl(Work *w, LClosure *c) {
  uint32_t n = atomic_load_explicit(&c->hdr.aux32, memory_order_relaxed);
  for (uint32_t i = 0; i < n; i++) visit_obj(w, (Obj *)atomic_load_explicit(&c->upv[i], memory_order_relaxed));
}

static void visit_userdata(Work *w, Userdata *u) {
  Table *mt = atomic_load_explicit(&u->meta, memory_order_relaxed);
  visit_slots(w, u->uv, u->nuv);
  if (mt != NULL) visit_obj(w, &mt->hdr);
}

static void visit_tbc(Work *w, const Tbc *e) {
  for (; e != NULL; e = e->prev) {
    if (e->hdr.aux == 0) continue; // a variable: its value is in the stack
    for (uint32_t i = 0; i <= e->nargs; i++) visit_value(w, &e->v[i]);
  }
}

// A frame that stopped in the middle of Lua code has live registers above top.
static void visit_stack(Work *w, lua_State *co) {
  if (co->stack == NULL) return;
  const Value *end = co->top;
  if (ci_isLua(co->ci) && co->ci->top > end) end = co->ci->top;
  for (const Value *v = co->stack; v < end; v++) visit_value(w, v);
  visit_tbc(w, co->tbc);
}

static void visit_thread(Work *w, Thread *th) {
  if (!atomic_load_explicit(&th->L.running, memory_order_relaxed)) visit_stack(w, &th->L);
}

static void visit_contents(Work *w, Obj *o) {
  switch (o->type) {
  case OBJ_TABLE: visit_table(w, (Table *)o); break;
  case OBJ_LCL: visit_lcl(w, (LClosure *)o); break;
  case OBJ_CCL: visit_slots(w, ((CClosure *)o)->upv, atomic_load_explicit(&o->aux32, memory_order_relaxed)); break;
  case OBJ_USERDATA: visit_userdata(w, (Userdata *)o); break;
  case OBJ_THREAD: visit_thread(w, (Thread *)o); break;
  case OBJ_CELL: visit_slot(w, &((Cell *)o)->v); break;
  case OBJ_ABLOCK: visit_slots(w, ((ABlock *)o)->v, ((ABlock *)o)->size); break;
  case OBJ_HBLOCK: visit_hash(w, (HBlock *)o); break; // walked by a loop
  case OBJ_TBC: visit_tbc(w, (Tbc *)o); break;
  default: lg_fatal("share: unknown kind of object");
  }
}

// ---- the walk --------------------------------------------------------------------------------------

static void work_undo(Work *w) {
  for (size_t i = 0; i < w->n; i++)
    atomic_fetch_and_explicit(&w->v[i]->flags, (uint8_t)~OF_SHARED, memory_order_relaxed);
}

static void work_run(lua_State *L, Work *w) {
  for (size_t i = 0; i < w->n && !w->failed; i++) visit_contents(w, w->v[i]);
  if (w->failed) work_undo(w);
  if (w->v != w->small) free(w->v);
  if (w->failed) call_memerror(L);
}

void share_slow(lua_State *L, Obj *o) {
  Work w;
  work_init(&w);
  visit_obj(&w, o);
  work_run(L, &w);
}

void share_stack(lua_State *L, lua_State *co) {
  Work w;
  work_init(&w);
  visit_stack(&w, co);
  work_run(L, &w);
}

void share_universe(lua_State *L) {
  Global *gl = L->gl;
  Work w;
  if (atomic_load_explicit(&gl->multi, memory_order_acquire)) return;
  work_init(&w);
  visit_value(&w, &gl->registry);
  visit_obj(&w, &thread_of(gl->mainL)->hdr);
  for (int i = 0; i < LUA_NUMTYPES; i++) visit_obj(&w, (Obj *)atomic_load_explicit(&gl->mt[i], memory_order_relaxed));
  work_run(L, &w);
  atomic_store_explicit(&gl->multi, true, memory_order_release);
}
