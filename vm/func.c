// SPDX-License-Identifier: MIT
//
// func.c: making cells, closures, prototypes, userdata and coroutine states.
//
// Invariants: an object is complete before it is returned. Whoever makes one is at a safepoint (gc_new_obj), or has set
//             L->nogc; an object that is not complete yet is not held across another allocation that may collect.
//             A stack block is filled with nil before it is used: the collector may look at all of it.
// See also:   func.h, object.h, state.h, state.c (the main state).
#include "func.h"
#include "call.h"
#include "gc.h"
#include "heap.h"
#include "lgassert.h"

static bool try_cell(lua_State *L, void *arg) { return (*(Cell **)arg = heap_new_cell(L)) != NULL; }

static COLD Cell *rescue_cell(lua_State *L) {
  Cell *c;
  if (!gc_rescue(L, try_cell, &c)) call_memerror(L);
  return c;
}

Cell *cell_new(lua_State *L, const Value *v) {
  Cell *c = heap_new_cell(L);
  if (unlikely(c == NULL)) c = rescue_cell(L);
  slot_store(&c->v, v_encode(L, v));
  return c;
}

LClosure *lcl_new(lua_State *L, Proto *p) {
  uint32_t n = (uint32_t)p->nupvals;
  LClosure *c = gc_new_obj(L, OBJ_LCL, sizeof(LClosure) + n * sizeof c->upv[0]);
  atomic_store_explicit(&c->hdr.aux32, n, memory_order_relaxed);
  c->p = p;
  for (uint32_t i = 0; i < n; i++) atomic_store_explicit(&c->upv[i], NULL, memory_order_relaxed);
  return c;
}

LClosure *lcl_new_withcells(lua_State *L, Proto *p) {
  LClosure *c = lcl_new(L, p);
  Value nil;
  v_setnil(&nil);
  for (int i = 0; i < p->nupvals; i++) atomic_store_explicit(&c->upv[i], cell_new(L, &nil), memory_order_relaxed);
  return c;
}

CClosure *ccl_new(lua_State *L, lua_CFunction f, int nup) {
  CClosure *c = gc_new_obj(L, OBJ_CCL, sizeof(CClosure) + (size_t)nup * sizeof(Slot));
  atomic_store_explicit(&c->hdr.aux32, (uint32_t)nup, memory_order_relaxed);
  c->f = f;
  for (int i = 0; i < nup; i++) slot_store(&c->upv[i], SLOT_NIL);
  return c;
}

Proto *proto_new(lua_State *L) {
  Proto *p = heap_new_obj(L, OBJ_PROTO, sizeof(Proto));
  memset((char *)p + sizeof(Obj), 0, sizeof(Proto) - sizeof(Obj));
  return p;
}

Userdata *ud_new(lua_State *L, size_t len, int nuv) {
  size_t head = ud_headsize((uint32_t)nuv);
  if (unlikely(len > (size_t)PTRDIFF_MAX - head)) call_memerror(L);
  Userdata *u = gc_new_obj(L, OBJ_USERDATA, head + len);
  atomic_store_explicit(&u->meta, NULL, memory_order_relaxed);
  u->len = len;
  u->trace = NULL;
  u->nuv = (uint32_t)nuv;
  for (int i = 0; i < nuv; i++) slot_store(&u->uv[i], SLOT_NIL);
  return u;
}

// ---- coroutine states ------------------------------------------------------------------------------

// An empty stack with its base frame, which may use `room` values.
static void base_frame(lua_State *L, int room) {
  CallInfo *ci = &L->base_ci;
  v_setnil(L->stack);
  L->top = L->stack + 1;
  L->ci = ci;
  L->tbc = NULL;
  L->errfunc = 0;
  ci->func = L->stack;
  ci->top = L->stack_last - L->top < room ? L->stack_last : L->top + room;
  ci->prev = NULL;
  ci->u.c.k = NULL;
  ci->u.c.kctx = 0;
  ci->u.c.errfunc = 0;
  ci->nresults = 0;
  ci->status = CI_C | CI_BASE;
}

typedef struct NewState {
  int nstack;
  Value *stack;
  Thread *t;
} NewState;

static bool try_state(lua_State *L, void *arg) {
  NewState *n = arg;
  n->stack = heap_trymem(L->ctx, (size_t)(n->nstack + EXTRA_STACK) * sizeof(Value));
  n->t = heap_trynew(L->ctx, OBJ_THREAD, sizeof(Thread));
  return n->stack != NULL && n->t != NULL;
}

static lua_State *state_init(const lua_State *L, const NewState *n, int room) {
  Thread *t = n->t;
  lua_State *co = &t->L;
  memset((char *)t + sizeof(Obj), 0, sizeof(Thread) - sizeof(Obj));
  t->extraspace = __atomic_load_n(&thread_of(L->gl->mainL)->extraspace, __ATOMIC_RELAXED);
  co->gl = L->gl;
  co->allowhook = 1;
  co->oldpc = -1;
  v_setnil(&co->scratch[0]);
  v_setnil(&co->scratch[1]);
  co->stack = n->stack;
  co->stack_last = co->stack + n->nstack;
  for (Value *v = co->stack; v < co->stack_last + EXTRA_STACK; v++) v_setnil(v);
  base_frame(co, room);
  return co;
}

lua_State *thread_new(lua_State *L) {
  NewState n = {.nstack = STACK_MIN};
  if (unlikely(!try_state(L, &n) && !gc_rescue(L, try_state, &n))) call_memerror(L);
  lua_State *co = state_init(L, &n, LUA_MINSTACK);
  co->hookmask = L->hookmask;
  co->basehookcount = co->hookcount = L->basehookcount;
  co->hook = L->hook;
  return co;
}

// The base of a goroutine cannot yield.
lua_State *thread_try_small(lua_State *L, int nstack) {
  NewState n = {.nstack = 1 + nstack};
  if (unlikely(!try_state(L, &n))) return NULL;
  lua_State *co = state_init(L, &n, nstack);
  co->nny = 1;
  return co;
}

// The stack block stays (the scheduler reuses only states with a small one), and one call frame, which is all that most
// goroutines need. What lies in the block is as good as what a call that has returned leaves above the top: the next
// collection forgets it (gc_mark.c: clear_unused).
void thread_reset_stack(lua_State *L) {
  CallInfo *ci = L->base_ci.next;
  lg_assert(L->stack != NULL);
  if (ci != NULL) ci->next = NULL;
  L->hook = NULL;
  L->hookmask = 0;
  L->nogc = 0;
  L->allowhook = 1;
  L->nCcalls = 0;
  L->npcalls = 0;
  L->nny = 1;
  L->oldpc = -1;
  L->from = NULL;
  v_setnil(&L->scratch[0]);
  v_setnil(&L->scratch[1]);
  atomic_store_explicit(&L->status, LUA_OK, memory_order_relaxed);
  base_frame(L, (int)(L->stack_last - L->stack) - 1);
  atomic_store_explicit(&L->running, 0, memory_order_release); // pairs with coro_claim: Lua code may hold it
}

// ---- prototypes ------------------------------------------------------------------------------------

const char *proto_locname(const Proto *p, int reg, int pc) {
  for (int i = p->nlocvars - 1; i >= 0; i--) { // a later declaration in the same register is the inner one
    const LocVar *lv = &p->locvars[i];
    if (lv->reg == reg && lv->startpc <= pc && pc < lv->endpc) return lv->name->data;
  }
  return NULL;
}
