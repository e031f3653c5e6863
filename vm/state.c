// SPDX-License-Identifier: MIT
//
// state.c: making and closing a Lua universe (Global), and the lua.h functions that belong to it as a whole.
//
// What:       lua_newstate builds bottom up: Global from the host's allocator; heap, collector, string table; the main
//             state; the runtime, which installs a worker context for the calling OS thread; and then, in protected
//             mode because all of it allocates, event names, messages, registry. Each failure undoes what stands.
//             The main state is an ordinary heap object (fixed), so that the collector meets nothing special. But
//             allocation needs a processor's cache, and the runtime makes the first processor for a state that
//             exists: new_main therefore borrows a cache of its own for this one object and its stack.
// Invariants: a Global that lua_newstate has returned is complete. warnf, panic and frealloc may be changed by any
//             worker at any time; each is one word, read and written atomically.
// See also:   state.h, seam.h (rt_new, rt_free), gc.h.
#include "api_int.h"
#include "call.h"
#include "cmodule.h"
#include "func.h"
#include "gc.h"
#include "heap.h"
#include "meta.h"
#include "method.h"
#include "seam.h"
#include "share.h"
#include "str.h"
#include "table.h"
#include <time.h>

#define MAIN_STACK (2 * LUA_MINSTACK)
#define REGISTRY_FIELDS 48 // what the libraries put there, so that it seldom grows (and then by little) later

// ---- the main state --------------------------------------------------------------------------------

// Asked for by the host: of the universes made from then on.
static bool seed_isset;
static uint64_t seed_set;

void vm_setseed(uint64_t seed) {
  seed_set = seed;
  seed_isset = true;
}

bool vm_getseed(uint64_t *seed) {
  if (seed_isset) *seed = seed_set;
  return seed_isset;
}

// Different in every process and universe, so that nobody can prepare colliding keys, unless it was asked for.
static uint32_t make_seed(const Global *gl) {
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  uint64_t x = (uint64_t)ts.tv_nsec ^ (uint64_t)ts.tv_sec << 30;
  x ^= (uintptr_t)gl ^ (uint64_t)(uintptr_t)&lua_newstate << 7; // addresses are randomized by the system
  if (seed_isset) x = seed_set;
  x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
  return (uint32_t)(x >> 32) | 1;
}

static void init_stack(lua_State *L, Value *stack) {
  for (int i = 0; i < MAIN_STACK + EXTRA_STACK; i++) v_setnil(&stack[i]);
  CallInfo *ci = &L->base_ci;
  L->stack = stack;
  L->stack_last = stack + MAIN_STACK;
  L->top = stack + 1;
  L->ci = ci;
  ci->func = stack;
  ci->top = L->top + LUA_MINSTACK;
  ci->status = CI_C | CI_BASE;
}

static lua_State *new_main(Global *gl) {
  Cache *cache = cache_new(gl->heap);
  if (cache == NULL) return NULL;
  Ctx boot = {.cache = cache, .gl = gl};
  Thread *t = heap_trynew(&boot, OBJ_THREAD, sizeof(Thread));
  Value *stack = heap_trymem(&boot, (MAIN_STACK + EXTRA_STACK) * sizeof(Value));
  cache_free(gl->heap, cache);
  if (t == NULL || stack == NULL) return NULL;
  memset((char *)t + sizeof(Obj), 0, sizeof *t - sizeof(Obj));
  atomic_fetch_or_explicit(&t->hdr.flags, OF_FIXED, memory_order_relaxed);
  lua_State *L = &t->L;
  L->gl = gl;
  L->allowhook = 1;
  L->nny = 1; // the main state never yields
  L->oldpc = -1;
  v_setnil(&L->scratch[0]);
  v_setnil(&L->scratch[1]);
  atomic_store_explicit(&L->running, CORO_RUNS, memory_order_relaxed);
  init_stack(L, stack);
  return L;
}

// ---- universe --------------------------------------------------------------------------------------

static String *fixed_message(lua_State *L, const char *text) {
  String *s = str_intern(L, text, strlen(text));
  atomic_fetch_or_explicit(&s->hdr.flags, OF_FIXED, memory_order_relaxed);
  return s;
}

static void build_protected(lua_State *L, void *ud) {
  (void)ud;
  Global *gl = L->gl;
  Value v;
  gl->memerrmsg = fixed_message(L, "not enough memory");
  gl->errerrmsg = fixed_message(L, "error in error handling");
  meta_init(L);
  Table *registry = table_new(L, LUA_RIDX_LAST, REGISTRY_FIELDS);
  v_setobj(&gl->registry, TAG_TABLE, registry);
  v_setthread(&v, L);
  table_setint(L, registry, LUA_RIDX_MAINTHREAD, &v);
  v_setobj(&v, TAG_TABLE, table_new(L, 0, 0));
  table_setint(L, registry, LUA_RIDX_GLOBALS, &v);
}

// Frees whatever parts there are, the runtime first: it holds caches of the heap.
static bool free_universe(Global *gl, bool has_rt) {
  if (has_rt && !rt_free(gl->mainL)) return false; // a thread in a system call still refers to it all
  cmodule_free(gl);
  if (gl->strtab != NULL) strtab_free(gl);
  if (gl->gc != NULL) gc_free(gl);
  if (gl->heap != NULL) heap_free(gl->heap);
  gl->frealloc(gl->alloc_ud, gl, sizeof *gl, 0);
  return true;
}

void vm_freeorphan(Global *gl) { free_universe(gl, false); }

// Up to the point where the worker context stands.
static bool build_base(Global *gl) {
  gl->heap = heap_new(gl);
  if (gl->heap == NULL || gc_new(gl) != 0 || strtab_new(gl) != 0) return false;
  gl->mainL = new_main(gl);
  return gl->mainL != NULL;
}

LUA_API lua_State *lua_newstate(lua_Alloc f, void *ud) {
  cmodule_init();
  Global *gl = f(ud, NULL, LUA_TTHREAD, sizeof *gl);
  if (gl == NULL) return NULL;
  memset(gl, 0, sizeof *gl);
  methods_init(gl);
  gl->frealloc = f;
  gl->alloc_ud = ud;
  gl->seed = make_seed(gl);
  v_setnil(&gl->registry);
  bool has_rt = build_base(gl) && rt_new(gl->mainL) == 0;
  if (!has_rt || vm_rawprotected(gl->mainL, build_protected, NULL) != LUA_OK) {
    free_universe(gl, has_rt);
    return NULL;
  }
  return gl->mainL;
}

// A goroutine ends the universe it runs in (os.exit). One worker does, once: what the main goroutine left open is
// closed and every finalizer runs, on the stack of the caller, whichever state that is; the others have stopped where
// they are. Nothing is freed, as frames of the caller and of others are still there: the process is about to end. An
// error, or runtime.goexit, ends a finalizer but does not leave this function (errjmp).
static void close_inside(lua_State *L) {
  Ctx *ctx = L->ctx;
  Global *gl = L->gl;
  rt_close_claim(gl);
  if (!gl->closing) { // else a finalizer, called by us, calls us
    cmodule_close(L);
    gl->closing = true;
    rt_close_alone(L);
  }
  LongJmp *errjmp = ctx->errjmp;
  ctx->errjmp = NULL;
  tbc_close_other(L, gl->mainL);
  gc_close(L);
  ctx->errjmp = errjmp;
}

// What the main function left open is closed, every finalizer runs.
static void close_objects(lua_State *L) {
  api_own(L);
  L->ctx->L = L;
  cmodule_close(L);
  L->gl->closing = true;
  L->ci = &L->base_ci;
  L->errfunc = 0;
  L->nCcalls = 0;
  L->npcalls = 0;
  L->nny = 1;
  L->allowhook = 1;
  atomic_store_explicit(&L->status, LUA_OK, memory_order_relaxed);
  tbc_close_c(L, stack_save(L, L->stack + 1), LUA_OK, true);
  L->top = L->stack + 1;
  gc_close(L);
}

// Ends the universe from whatever state of it.
LUA_API void lua_close(lua_State *L) {
  Global *gl = L->gl;
  if (rt_close_inside(gl)) {
    close_inside(rt_current(gl)->L);
    return;
  }
  rt_close_claim(gl);
  close_objects(gl->mainL);
  free_universe(gl, true);
}

bool vm_close(lua_State *L, bool objects) {
  Global *gl = L->gl;
  rt_close_claim(gl);
  gl->closing = true;
  if (objects) close_objects(L);
  return free_universe(gl, true);
}

lua_Alloc lungo_boxallocf(lua_State *L, void **ud); // only the renamed symbol refers to it

// ---- the rest --------------------------------------------------------------------------------------

LUA_API lua_State *lua_newthread(lua_State *L) {
  api_own(L);
  lua_State *co = thread_new(L);
  co->oldpc = -1;
  thread_of(co)->extraspace = __atomic_load_n(&thread_of(L->gl->mainL)->extraspace, __ATOMIC_RELAXED);
  v_setthread(L->top, co);
  api_incrtop(L);
  gc_check(L);
  return co;
}

LUA_API lua_CFunction lua_atpanic(lua_State *L, lua_CFunction panicf) {
  return __atomic_exchange_n(&L->gl->panic, panicf, __ATOMIC_ACQ_REL);
}

LUA_API lua_Number lua_version(lua_State *L) {
  (void)L;
  return LUA_VERSION_NUM;
}

LUA_API lua_Alloc lua_getallocf(lua_State *L, void **ud) {
  if (ud != NULL) *ud = __atomic_load_n(&L->gl->alloc_ud, __ATOMIC_ACQUIRE);
  return __atomic_load_n(&L->gl->frealloc, __ATOMIC_ACQUIRE);
}

// What lauxlib's buffers (luaL_Buffer) get from `lua_getallocf` (scripts/blocking.syms): they ask the host's allocator
// for the memory itself. Here the request is one call at a time, whatever the goroutine, and collects before it fails.
typedef struct BoxRequest {
  void *p;
  size_t osize, nsize;
  void *r;
} BoxRequest;

static bool try_box(lua_State *L, void *arg) {
  BoxRequest *b = arg;
  b->r = heap_hostalloc(L->gl->heap, b->p, b->osize, b->nsize);
  return b->r != NULL;
}

static void *box_alloc(void *ud, void *p, size_t osize, size_t nsize) {
  lua_State *L = ud;
  BoxRequest b = {.p = p, .osize = osize, .nsize = nsize};
  if (unlikely(!try_box(L, &b)) && nsize > 0) gc_rescue(L, try_box, &b);
  return b.r;
}

lua_Alloc lungo_boxallocf(lua_State *L, void **ud) {
  api_own(L);
  *ud = L;
  return box_alloc;
}

LUA_API void lua_setallocf(lua_State *L, lua_Alloc f, void *ud) {
  __atomic_store_n(&L->gl->alloc_ud, ud, __ATOMIC_RELEASE);
  __atomic_store_n(&L->gl->frealloc, f, __ATOMIC_RELEASE);
}

LUA_API void lua_setwarnf(lua_State *L, lua_WarnFunction f, void *ud) {
  cmodule_expect(L, f);
  __atomic_store_n(&L->gl->warn_ud, ud, __ATOMIC_RELEASE);
  __atomic_store_n(&L->gl->warnf, f, __ATOMIC_RELEASE);
}

LUA_API void lua_warning(lua_State *L, const char *msg, int tocont) {
  lua_WarnFunction f = __atomic_load_n(&L->gl->warnf, __ATOMIC_ACQUIRE);
  if (f != NULL) cmodule_warn(call_ctx(L), f, __atomic_load_n(&L->gl->warn_ud, __ATOMIC_ACQUIRE), msg, tocont);
}

// The limit is fixed; programs only learn it.
LUA_API int lua_setcstacklimit(lua_State *L, unsigned int limit) {
  (void)L;
  (void)limit;
  return MAX_CCALLS;
}
