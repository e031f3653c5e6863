// SPDX-License-Identifier: MIT
//
// cmodule.c: telling the functions of C modules from the program's own, and calling them under their module's lock.
//
// What:       a function is a module's by the address of its code. What the process had loaded when the first universe
//             was made is the host's; any other object becomes a Module of the universe when one of its functions is
//             pushed for the first time. Code that lies in no object (made at run time) counts as one module more.
//             A universe's modules are its own, as is everything else: a module that is loaded in two universes at once
//             is on its own there, as it is with Lua's states in two threads.
// Invariants: Global.modules only grows while the universe lives, at its head, under Global.modlock; so it is read
//             without a lock. The same goes for the chains of a module's functions, which are roots: a function
//             without upvalues must be the same object each time it is pushed.
//             lua_close takes the locks of all modules and keeps them, so nobody is in the middle of a module when the
//             last finalizers run on its worker (Global.closer), which goes into all of them without locking.
// Locking:    Global.modlock, for a few instructions; the modules' own locks are the runtime's (seam.h).
// See also:   cmodule.h. Tests: tests/modules/.
#include "cmodule.h"
#include "call.h"
#include "gc.h"
#include "heap.h"
#include "lgassert.h"
#include "seam.h"
#include "spin.h"
#include <link.h>
#include <pthread.h>

#define MODULE_BUCKETS 64

struct Module {
  Module *next;
  uintptr_t start, len; // both 0: code in no object
  void *lock;           // the runtime's
  _Atomic bool safe;    // it said so: needs no lock. Never taken back
  _Atomic(CClosure *) fns[MODULE_BUCKETS];
};

struct CodeSpan cmodule_own;

// ---- what is loaded ------------------------------------------------------------------------------------

static struct CodeSpan *host_spans; // never changes after the first cmodule_init; kept for good
static size_t nhost_spans;

static struct CodeSpan span_of(const struct dl_phdr_info *info) {
  uintptr_t lo = UINTPTR_MAX, hi = 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *p = &info->dlpi_phdr[i];
    if (p->p_type != PT_LOAD) continue;
    uintptr_t start = info->dlpi_addr + p->p_vaddr, end = start + p->p_memsz;
    if (start < lo) lo = start;
    if (end > hi) hi = end;
  }
  return hi > lo ? (struct CodeSpan){lo, hi - lo} : (struct CodeSpan){0, 0};
}

static bool span_has(const struct CodeSpan *s, uintptr_t addr) { return addr - s->start < s->len; }

// Out of memory: the objects left out count as modules, which is safe.
static int note_object(struct dl_phdr_info *info, size_t size, void *arg) {
  (void)size;
  (void)arg;
  struct CodeSpan s = span_of(info);
  if (span_has(&s, (uintptr_t)&cmodule_init)) cmodule_own = s;
  struct CodeSpan *more = realloc(host_spans, (nhost_spans + 1) * sizeof *more);
  if (more == NULL) return 1;
  host_spans = more;
  host_spans[nhost_spans++] = s;
  return 0;
}

static void note_objects(void) { dl_iterate_phdr(note_object, NULL); }

void cmodule_init(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, note_objects);
}

static bool is_host(uintptr_t addr) {
  for (size_t i = 0; i < nhost_spans; i++)
    if (span_has(&host_spans[i], addr)) return true;
  return false;
}

struct FindObject {
  uintptr_t addr;
  struct CodeSpan found;
};

static int find_object(struct dl_phdr_info *info, size_t size, void *arg) {
  (void)size;
  struct FindObject *q = arg;
  struct CodeSpan s = span_of(info);
  if (!span_has(&s, q->addr)) return 0;
  q->found = s;
  return 1;
}

// ---- modules of a universe -----------------------------------------------------------------------------

static Module *modules_of(Global *gl) { return atomic_load_explicit(&gl->modules, memory_order_acquire); }

// The module that has this code already; NULL: none, or it is the host's.
static Module *module_known(Global *gl, uintptr_t addr) {
  for (Module *m = modules_of(gl); m != NULL; m = m->next)
    if (addr - m->start < m->len) return m;
  return NULL;
}

static Module *module_new(struct CodeSpan s) {
  Module *m = calloc(1, sizeof *m);
  if (m == NULL) return NULL;
  m->lock = rt_modlock_new();
  if (m->lock == NULL) {
    free(m);
    return NULL;
  }
  m->start = s.start;
  m->len = s.len;
  return m;
}

static void module_delete(Module *m) {
  rt_modlock_free(m->lock);
  free(m);
}

static bool same_span(const Module *m, const struct CodeSpan *s) { return m->start == s->start && m->len == s->len; }

// Adds m, or returns the one that another goroutine has just added.
static Module *module_add(Global *gl, Module *m, const struct CodeSpan *s) {
  spin_lock(&gl->modlock);
  Module *known = atomic_load_explicit(&gl->modules, memory_order_relaxed);
  m->next = known;
  while (known != NULL && !same_span(known, s)) known = known->next;
  if (known == NULL) atomic_store_explicit(&gl->modules, m, memory_order_release); // pairs with modules_of
  spin_unlock(&gl->modlock);
  if (known == NULL) return m;
  module_delete(m);
  return known;
}

// The module that code at addr belongs to; NULL: the host's. Raises out of memory.
static Module *module_find(lua_State *L, uintptr_t addr) {
  Global *gl = L->gl;
  Module *m = module_known(gl, addr);
  if (m != NULL || is_host(addr)) return m;
  struct FindObject q = {.addr = addr};
  dl_iterate_phdr(find_object, &q);
  m = module_new(q.found);
  if (m == NULL) call_memerror(L);
  return module_add(gl, m, &q.found);
}

void cmodule_free(Global *gl) {
  for (Module *m = modules_of(gl), *next; m != NULL; m = next) {
    next = m->next;
    module_delete(m);
  }
}

void cmodule_markroots(Global *gl, struct Marker *mk) {
  for (Module *m = modules_of(gl); m != NULL; m = m->next) {
    for (int b = 0; b < MODULE_BUCKETS; b++) {
      CClosure *c = atomic_load_explicit(&m->fns[b], memory_order_relaxed);
      for (; c != NULL; c = ccl_modulefn(c)->next) gc_mark_obj(mk, &c->hdr);
    }
  }
}

// ---- holding the lock ----------------------------------------------------------------------------------

static bool is_closer(Ctx *ctx) { return atomic_load_explicit(&ctx->gl->closer, memory_order_relaxed) == ctx; }

void cmodule_eachlock(Global *gl, void (*f)(void *lock, void *arg), void *arg) {
  for (Module *m = modules_of(gl); m != NULL; m = m->next) f(m->lock, arg);
}

void cmodule_close(lua_State *L) {
  cmodule_letgo(L->ctx);
  for (Module *m = modules_of(L->gl); m != NULL; m = m->next) rt_modlock_close(L, m->lock);
  atomic_store_explicit(&L->gl->closer, L->ctx, memory_order_relaxed);
}

Module *cmodule_letgo(Ctx *ctx) {
  Module *m = ctx->module;
  if (m == NULL) return NULL;
  ctx->module = NULL;
  rt_modlock_unlock(ctx, m->lock);
  return m;
}

void cmodule_retake(Ctx *ctx, Module *m) {
  if (ctx->module == m) return;
  cmodule_letgo(ctx);
  if (m == NULL || atomic_load_explicit(&m->safe, memory_order_relaxed)) return;
  if (!rt_modlock_try(m->lock)) {
    if (is_closer(ctx)) return;
    rt_modlock_wait(ctx->L, m->lock);
  }
  ctx->module = m;
}

// ---- calling -------------------------------------------------------------------------------------------

// The lock is held, if there is need of one. The function runs on this worker to its end: what it calls nests.
static int call_and_letgo(lua_State *L, lua_CFunction f) {
  Ctx *ctx = L->ctx;
  int n = f(L);
  cmodule_letgo(ctx);
  return n;
}

// The goroutine was parked for the lock of the function that it is about to enter.
static int cmodule_entered(lua_State *L, int status, lua_KContext kctx) {
  (void)status;
  Module *m = (Module *)kctx;
  if (!rt_modlock_again(L, m->lock)) return rt_modlock_park(L, m->lock, kctx, cmodule_entered);
  L->ctx->module = m;
  return call_and_letgo(L, ccl_modulefn(v_ccl(L->ci->func))->f);
}

// The lua_CFunction of every closure that belongs to a module.
static int cmodule_call(lua_State *L) {
  const ModuleFn *fn = ccl_modulefn(v_ccl(L->ci->func));
  Module *m = fn->module;
  if (atomic_load_explicit(&m->safe, memory_order_relaxed)) return fn->f(L);
  lg_assert(L->ctx->module == NULL);
  if (!rt_modlock_try(m->lock)) {
    if (is_closer(L->ctx)) return fn->f(L);
    if (!rt_modlock_begin(L, m->lock)) return rt_modlock_park(L, m->lock, (lua_KContext)m, cmodule_entered);
  }
  L->ctx->module = m;
  return call_and_letgo(L, fn->f);
}

// Ours are cmodule_entered, which sees to the lock itself, and those that need none. Continuations of modules are rare,
// so that the thread may wait for the lock.
int cmodule_continue(lua_State *L, CallInfo *ci, int status) {
  lua_KFunction k = ci->u.c.k;
  if ((uintptr_t)k - cmodule_own.start < cmodule_own.len) return k(L, status, ci->u.c.kctx);
  Ctx *ctx = L->ctx;
  cmodule_retake(ctx, ccl_modulefn(v_ccl(ci->func))->module);
  int n = k(L, status, ci->u.c.kctx);
  cmodule_letgo(ctx);
  return n;
}

void cmodule_hook(lua_State *L, lua_Hook hook, lua_Debug *ar) {
  Ctx *ctx = L->ctx;
  uintptr_t code = (uintptr_t)hook;
  if (code - cmodule_own.start >= cmodule_own.len) cmodule_retake(ctx, module_find(L, code));
  hook(L, ar);
  cmodule_letgo(ctx);
}

void cmodule_expect(lua_State *L, lua_WarnFunction f) {
  uintptr_t code = (uintptr_t)f;
  if (f != NULL && code - cmodule_own.start >= cmodule_own.len) module_find(L, code);
}

// May be called by code of any module, or by a finalizer's caller inside an API function.
void cmodule_warn(Ctx *ctx, lua_WarnFunction f, void *ud, const char *msg, int tocont) {
  Module *held = ctx->module;
  cmodule_retake(ctx, module_known(ctx->gl, (uintptr_t)f));
  f(ud, msg, tocont);
  cmodule_retake(ctx, held);
}

// ---- making functions ----------------------------------------------------------------------------------

static CClosure *closure_new(lua_State *L, lua_CFunction f, int nup, Module *m) {
  CClosure *c = heap_new_obj(L, OBJ_CCL, sizeof(CClosure) + (size_t)nup * sizeof(Slot) + sizeof(ModuleFn));
  atomic_store_explicit(&c->hdr.aux32, (uint32_t)nup, memory_order_relaxed);
  c->hdr.aux = CCL_MODULE;
  c->f = cmodule_call;
  *ccl_modulefn(c) = (ModuleFn){f, m, NULL};
  return c;
}

static CClosure *chain_find(CClosure *c, lua_CFunction f) {
  while (c != NULL && ccl_modulefn(c)->f != f) c = ccl_modulefn(c)->next;
  return c;
}

// The one closure of f without upvalues. It refers to nothing, so it may be shared from the start.
static CClosure *closure_intern(lua_State *L, lua_CFunction f, Module *m) {
  _Atomic(CClosure *) *bucket = &m->fns[((uintptr_t)f >> 4) % MODULE_BUCKETS];
  CClosure *c = chain_find(atomic_load_explicit(bucket, memory_order_acquire), f);
  if (c != NULL) return c;
  CClosure *mine = closure_new(L, f, 0, m);
  atomic_fetch_or_explicit(&mine->hdr.flags, OF_SHARED, memory_order_relaxed);
  spin_lock(&L->gl->modlock);
  CClosure *head = atomic_load_explicit(bucket, memory_order_relaxed);
  c = chain_find(head, f);
  if (c == NULL) {
    ccl_modulefn(mine)->next = head;
    atomic_store_explicit(bucket, mine, memory_order_release); // pairs with the load above
    c = mine;
  }
  spin_unlock(&L->gl->modlock);
  return c;
}

bool cmodule_pushclosure(lua_State *L, lua_CFunction f, int n) {
  Module *m = f != NULL ? module_find(L, (uintptr_t)f) : NULL;
  if (m == NULL) return false;
  CClosure *c = n == 0 ? closure_intern(L, f, m) : closure_new(L, f, n, m);
  const Value *from = L->top - n;
  for (int i = 0; i < n; i++) slot_store(&c->upv[i], v_encode(L, from + i));
  L->top -= n;
  v_setobj(L->top++, TAG_CCL, c);
  return true;
}

void cmodule_setsafe(lua_State *L) {
  const Value *f = L->ci->func;
  if (f->tag != TAG_CCL || !ccl_ismodule(v_ccl(f))) return;
  atomic_store_explicit(&ccl_modulefn(v_ccl(f))->module->safe, true, memory_order_relaxed);
}
