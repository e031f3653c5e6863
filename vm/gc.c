// SPDX-License-Identifier: MIT
//
// gc.c: the collector's cycle: when to collect, in what order, and collectgarbage.
//
// What:       a full stop-the-world mark and sweep; both run on all workers that stopped. A cycle:
//               stop      rt_stw_begin: every worker is at a safepoint, its live values on stacks
//               clear     the old mark bits, which served as the map of free memory (heap.c)
//               mark      roots, then everything reachable (gc_mark.c), loops' pinned blocks, ephemerons (gc_weak.c)
//               weak      entries with dead values go; dead objects with finalizers are queued and marked again with
//                         all they need (gc_final.c); entries with dead keys go; interned strings nobody uses go
//               sweep     counts what is marked, returns empty memory; sets the next threshold
//               go on     then finalizers run
//             A cycle that looks for goroutines that leak (gc_leakpass) marks twice; see leak_phase.
// When:       an allocation that takes the heap over the threshold sets POLL_GC on its worker (heap.c); that worker's
//             next safepoint collects, if the heap is still over. The threshold is what was live times `pause` percent
//             (200: twice), but some megabytes more than live at least, so that small programs do not collect all
//             the time.
//             When memory is refused, allocation goes on with the heap's reserve and the next safepoint collects; who
//             asks for much (blocks of tables, long strings, stacks, userdata) is at a safepoint, collects before it
//             raises an error (gc_rescue), and tries again. Catching `not enough memory` is a safepoint too.
//             *Garbage is never the reason of an error*: the last try of a request takes place behind a collection
//             with the world still stopped, where no other goroutine can take what was freed for it.
//             LUNGODEBUG=gcstress=N collects at the first safepoint after every N-th allocation.
// collectgarbage: "step" does no partial work: it counts up to the size of the heap and then collects, so that the
//             number of steps in a cycle is about what it is in Lua. "generational" and "incremental" are remembered.
// LUNGODEBUG=gctrace=1 prints a line for each cycle on stderr:
//               gc 7 @1.250s: 24.1 -> 11.9 MB, next 23.8 MB, pause 8.31 ms (stop 0.02, mark 7.90, weak 0.1, sweep 0.3)
//             the heap in use before and after, the next threshold, and the time from asking to the end.
// See also:   gc.h, seam.h. Tests: tests/unit/gc_test.c, tests/vm/gc_goroutines.lua.
#include "call.h"
#include "gc_int.h"
#include "method.h"
#include "race.h"
#include "seam.h"
#include "str.h"
#include <errno.h>
#include <time.h>

#define MIN_GROWTH ((size_t)4 << 20) // for each worker (up to MAX_GROWTHS) that may allocate meanwhile
#define MAX_GROWTHS 8
#define LEAST_GROWTH ((size_t)64 << 10)    // in any case, or each allocation would collect
#define LIMITED_GROWTH ((size_t)256 << 10) // when the host counts memory and may refuse it
#define PARALLEL_BYTES ((size_t)32 << 20)  // from this much live memory on, clearing and sweeping are shared out
#define DEFAULT_PAUSE 200
#define DEFAULT_STEPMUL 100
#define DEFAULT_STEPSIZE 13 // log2 of the bytes of a basic step

static uint64_t now_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int gc_new(Global *gl) {
  struct GcState *gc = calloc(1, sizeof *gc);
  if (gc == NULL || !marking_new_spare(gc)) {
    free(gc);
    return -ENOMEM;
  }
  final_init(&gc->fin);
  gc->trace = gc_debugswitch("gctrace") != 0;
  gc->born_ns = now_ns();
  atomic_init(&gc->pause, DEFAULT_PAUSE);
  atomic_init(&gc->stepmul, DEFAULT_STEPMUL);
  atomic_init(&gc->stepsize, DEFAULT_STEPSIZE);
  atomic_init(&gc->threshold, MIN_GROWTH);
  heap_set_threshold(gl->heap, MIN_GROWTH);
  gl->gc = gc;
  return 0;
}

void gc_free(Global *gl) {
  final_free(&gl->gc->fin);
  free(gl->gc->spare);
  free(gl->gc);
  gl->gc = NULL;
}

// ---- one cycle -----------------------------------------------------------------------------------------

typedef struct Cycle {
  Marking mk;
  _Atomic size_t cursor;
  size_t before, live;
  uint64_t asked, stopped, marked, weak, end; // when each phase was over
  const LeakPass *leaks;                      // NULL: not wanted
  GcAttempt *again;                           // gc_rescue's, or NULL
  void *again_arg;
  bool again_ok;
} Cycle;

static void clear_part(void *arg, int worker) {
  Cycle *c = arg;
  (void)worker;
  heap_clear_marks(c->mk.gl->heap, &c->cursor);
}

static void sweep_part(void *arg, int worker) {
  Cycle *c = arg;
  (void)worker;
  heap_sweep_part(c->mk.gl->heap, &c->cursor);
}

static void on_all_workers(Cycle *c, void (*fn)(void *, int)) {
  atomic_store_explicit(&c->cursor, 0, memory_order_relaxed);
  if (c->mk.nmarkers > 1 && c->before >= PARALLEL_BYTES)
    rt_stw_parallel(c->mk.L, fn, c);
  else
    fn(c, 0);
}

static void mark_everything(Marking *mk) {
  marking_drain(mk);
  weak_pins(mk);
  weak_converge(mk);
}

// What follows when all that is in use is marked.
static void weak_phase(Cycle *c) {
  Marking *mk = &c->mk;
  c->marked = now_ns();
  weak_clear_values(mk);
  if (unlikely(race_on)) rt_race_sweep(mk->gl); // before finalizers' objects come back: nobody else has them
  final_separate(mk);
  final_mark_pending(mk);
  mark_everything(mk);
  weak_clear_keys(mk);
  weak_clear_values(mk);
  strtab_sweep(mk->gl);
  methods_clear(mk->gl);
  marking_after(mk);
  rt_aftermark(mk->gl);
  c->weak = now_ns();
}

static void mark_phase(Cycle *c, const lua_State *asker) {
  Marking *mk = &c->mk;
  marking_roots(mk);
  gc_mark_obj(&mk->m[0], &thread_of((lua_State *)asker)->hdr);
  mark_everything(mk);
}

// Marks all once more, in an order that shows what is reachable only from goroutines that cannot run. By now the dead
// objects whose finalizers will run are in their queue, which is a root. In the end the same objects are marked as
// before, so the rest of the cycle takes place as if this were the only marking.
static void leak_phase(Cycle *c, const lua_State *asker) {
  Marking *mk = &c->mk;
  on_all_workers(c, sweep_part); // counts: clearing passes over spans of which nothing is known to be in use
  on_all_workers(c, clear_part);
  marking_again(mk);
  mk->leakpass = true;
  c->leaks->hide(&mk->m[0], c->leaks->arg);
  mark_phase(c, asker);
  c->leaks->found(&mk->m[0], c->leaks->arg);
  mk->leakpass = false;
  mark_everything(mk);
}

static size_t min_growth(const Global *gl, int workers) {
  if (heap_is_limited(gl->heap)) return LIMITED_GROWTH;
  return MIN_GROWTH * (size_t)(workers < MAX_GROWTHS ? workers : MAX_GROWTHS);
}

// Where memory was refused once, collections begin half way to there: what is not in the heap needs some too.
static size_t next_threshold(const Global *gl, size_t live, int workers) {
  size_t pause = (size_t)atomic_load_explicit(&gl->gc->pause, memory_order_relaxed);
  size_t least = min_growth(gl, workers), ceiling = heap_ceiling(gl->heap);
  if (least < live / 8) least = live / 8;
  size_t growth = pause > 100 ? live / 100 * (pause - 100) : 0;
  if (growth < least) growth = least;
  if (ceiling != SIZE_MAX && ceiling >= live && growth > (ceiling - live) / 2) growth = (ceiling - live) / 2;
  return live + (growth > LEAST_GROWTH ? growth : LEAST_GROWTH);
}

// A heap that swings (crowds of goroutines that come and go) is not collected more often at its low points: the
// threshold falls by half at a time.
static size_t smooth(const Global *gl, size_t threshold) {
  size_t last = atomic_load_explicit(&gl->gc->threshold, memory_order_relaxed) / 2;
  return threshold > last || heap_is_limited(gl->heap) ? threshold : last;
}

static void sweep_phase(Cycle *c) {
  Global *gl = c->mk.gl;
  struct GcState *gc = gl->gc;
  on_all_workers(c, sweep_part);
  c->live = heap_sweep_finish(gl->heap);
  size_t threshold = next_threshold(gl, c->live, c->mk.nmarkers);
  heap_trim(gl->heap, threshold - c->live);
  threshold = smooth(gl, threshold);
  atomic_store_explicit(&gc->live, c->live, memory_order_relaxed);
  atomic_store_explicit(&gc->threshold, threshold, memory_order_relaxed);
  heap_set_threshold(gl->heap, atomic_load_explicit(&gc->stopped, memory_order_relaxed) ? SIZE_MAX : threshold);
}

// The state that runs on the worker of `asker`, which C code may use the API on without running it.
static lua_State *running(lua_State *asker) {
  lua_State *L = asker->ctx->L;
  return L != NULL ? L : asker;
}

// New, smaller blocks for stacks that were big once. Allocates, so after the sweep. Not for states that C code uses
// without having resumed them (`from` is set, or they asked): it may hold pointers into their stacks.
static void shrink_stacks(Marking *mk, const lua_State *asker) {
  for (int i = 0; i < mk->nmarkers; i++) {
    const BlockList *l = &mk->m[i].shrink;
    for (size_t j = 0; j < l->n; j++) {
      lua_State *L = &((Thread *)l->v[j])->L;
      if (L != asker && L != mk->L && L->from == NULL) stack_shrink(L);
    }
  }
}

static void account_cycle(struct GcState *gc, const Cycle *c) {
  uint64_t pause = c->end - c->asked;
  atomic_fetch_add_explicit(&gc->ncycles, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&gc->pause_total_ns, pause, memory_order_relaxed);
  atomic_store_explicit(&gc->pause_last_ns, pause, memory_order_relaxed);
  if (pause > atomic_load_explicit(&gc->pause_max_ns, memory_order_relaxed))
    atomic_store_explicit(&gc->pause_max_ns, pause, memory_order_relaxed);
}

static double ms(uint64_t from, uint64_t to) { return (double)(to - from) / 1e6; }
static double mb(size_t bytes) { return (double)bytes / (1 << 20); }

static void print_trace(const struct GcState *gc, const Cycle *c) {
  fprintf(stderr,
          "gc %llu @%.3fs: %.1f -> %.1f MB, next %.1f MB, "
          "pause %.2f ms (stop %.2f, mark %.2f, weak %.2f, sweep %.2f)\n",
          (unsigned long long)atomic_load_explicit(&gc->ncycles, memory_order_relaxed),
          (double)(c->asked - gc->born_ns) / 1e9, mb(c->before), mb(c->live),
          mb(atomic_load_explicit(&gc->threshold, memory_order_relaxed)), ms(c->asked, c->end),
          ms(c->asked, c->stopped), ms(c->stopped, c->marked), ms(c->marked, c->weak), ms(c->weak, c->end));
}

// The world is stopped. L runs on this worker, `asker` is the state whose API call or loop led here.
static void run_cycle(lua_State *L, const lua_State *asker, Cycle *c) {
  Global *gl = L->gl;
  c->before = heap_bytes(gl);
  heap_flush_caches(gl->heap);
  on_all_workers(c, clear_part);
  mark_phase(c, asker);
  weak_phase(c);
  if (c->leaks != NULL) {
    leak_phase(c, asker);
    weak_phase(c);
  }
  sweep_phase(c);
  shrink_stacks(&c->mk, asker);
  heap_fill_reserve(gl->heap);
  if (c->again != NULL) {
    heap_trim(gl->heap, 0);
    c->again_ok = c->again((lua_State *)asker, c->again_arg);
  }
  c->end = now_ns();
  account_cycle(gl->gc, c);
  rt_gcphases(gl, (uint64_t[5]){c->asked, c->stopped, c->marked, c->weak, c->end});
}

// False: nothing was collected, because somebody else did meanwhile or there is no memory even to mark.
static bool collect_as(lua_State *asker, Cycle *c, bool *nomem) {
  lua_State *L = running(asker);
  c->asked = now_ns();
  if (!rt_stw_begin(L)) return false;
  c->stopped = now_ns();
  bool ok = marking_init(&c->mk, L->gl, L, rt_stw_workers(L));
  if (ok) run_cycle(L, asker, c);
  rt_stw_end(L);
  *nomem = !ok;
  if (!ok) return false;
  marking_free(&c->mk);
  if (L->gl->gc->trace) print_trace(L->gl->gc, c);
  return true;
}

static bool collect(lua_State *asker) {
  Cycle c = {.leaks = NULL};
  bool nomem;
  return collect_as(asker, &c, &nomem);
}

// ---- who asks for a cycle -----------------------------------------------------------------------------------

static void finalize_after(lua_State *L) {
  Global *gl = L->gl;
  if (!gc_finalizers_pending(gl)) return;
  if (atomic_load_explicit(&gl->multi, memory_order_acquire))
    rt_finalizers_ready(gl);
  else if (!final_is_inside(L))
    gc_run_finalizers(L, -1);
}

static bool is_due(Global *gl) {
  if (atomic_load_explicit(&gl->gc->closing, memory_order_relaxed)) return false;
  if (heap_is_pressed(gl->heap)) return true;
  return !atomic_load_explicit(&gl->gc->stopped, memory_order_relaxed) && heap_wants_gc(gl->heap);
}

void gc_step(lua_State *L) {
  struct GcState *gc = L->gl->gc;
  atomic_fetch_and_explicit(&L->ctx->poll, ~POLL_GC, memory_order_relaxed);
  bool owed = atomic_exchange_explicit(&gc->owed, false, memory_order_relaxed);
  if ((is_due(L->gl) && collect(L)) || owed) finalize_after(running(L));
}

bool gc_mayrescue(Global *gl) {
  return gl->gc != NULL && !atomic_load_explicit(&gl->gc->closing, memory_order_relaxed);
}

// Others may ask at the same time, and one collection may do for all. But after somebody else's the world has gone on:
// that a try fails then proves nothing.
COLD bool gc_rescue(lua_State *L, GcAttempt *again, void *arg) {
  struct GcState *gc = L->gl->gc;
  Cycle c = {.again = again, .again_arg = arg};
  bool nomem = false;
  if (L->nogc > 0 || running(L)->nogc > 0 || atomic_load_explicit(&gc->closing, memory_order_relaxed)) return false;
  while (!collect_as(L, &c, &nomem)) {
    if (nomem) return false;
    if (again(L, arg)) return true;
  }
  atomic_store_explicit(&gc->owed, true, memory_order_relaxed);
  atomic_fetch_or_explicit(&L->ctx->poll, POLL_GC, memory_order_relaxed);
  return c.again_ok;
}

typedef struct NewObj {
  uint8_t type;
  size_t size;
  void *p;
} NewObj;

static bool try_obj(lua_State *L, void *arg) {
  NewObj *n = arg;
  return (n->p = heap_trynew(L->ctx, n->type, n->size)) != NULL;
}

void *gc_new_obj(lua_State *L, uint8_t type, size_t size) {
  NewObj n = {.type = type, .size = size};
  if (unlikely(!try_obj(L, &n) && !gc_rescue(L, try_obj, &n))) call_memerror(L);
  return n.p;
}

// Another worker's collection that began after we asked does as well as ours.
void gc_full(lua_State *L, bool finalizers) {
  struct GcState *gc = L->gl->gc;
  uint64_t before = atomic_load_explicit(&gc->ncycles, memory_order_relaxed);
  for (int tries = 0; tries < 100 && !collect(L); tries++)
    if (atomic_load_explicit(&gc->ncycles, memory_order_relaxed) != before) break;
  if (finalizers && !final_is_inside(running(L))) gc_run_finalizers(running(L), -1);
}

bool gc_leakpass(lua_State *L, const LeakPass *pass) {
  bool nomem = false;
  for (;;) {
    Cycle c = {.leaks = pass};
    if (collect_as(L, &c, &nomem)) break;
    if (nomem) return false;
  }
  finalize_after(running(L));
  return true;
}

COLD void gc_check_slow(lua_State *L) {
  uint32_t poll = atomic_load_explicit(&L->ctx->poll, memory_order_relaxed);
  if (poll & POLL_GC) gc_step(L);
  if (poll & (POLL_STW | POLL_KILL)) rt_safepoint(running(L), false);
}

COLD void gc_caught(lua_State *L) {
  gc_check(L);
  if (heap_press_again(L->gl->heap)) atomic_fetch_or_explicit(&L->ctx->poll, POLL_GC, memory_order_relaxed);
}

// ---- collectgarbage --------------------------------------------------------------------------------------------

// Lua keeps these parameters in a byte, divided by four; programs can see that.
static int set_param(_Atomic int *param, int v) {
  return atomic_exchange_explicit(param, (uint8_t)(v / 4) * 4, memory_order_relaxed);
}

static int control_step(lua_State *L, int kbytes) {
  struct GcState *gc = L->gl->gc;
  if (atomic_load_explicit(&gc->generational, memory_order_relaxed)) {
    gc_full(L, true); // a young collection, which ends no cycle
    return 0;
  }
  int mul = atomic_load_explicit(&gc->stepmul, memory_order_relaxed);
  size_t bytes = kbytes > 0 ? (size_t)kbytes * 1024 : 0;
  if (kbytes == 0) bytes = (size_t)1 << atomic_load_explicit(&gc->stepsize, memory_order_relaxed); // a basic step
  bytes = bytes * (size_t)(mul > 0 ? mul : 1) / 100;
  if (atomic_fetch_add_explicit(&gc->stepped, bytes, memory_order_relaxed) + bytes < heap_bytes(L->gl)) return 0;
  atomic_store_explicit(&gc->stepped, 0, memory_order_relaxed);
  gc_full(L, true);
  return 1;
}

static int control_mode(struct GcState *gc, bool generational) {
  return atomic_exchange_explicit(&gc->generational, generational, memory_order_relaxed) ? LUA_GCGEN : LUA_GCINC;
}

static void control_stop(Global *gl, bool stop) {
  atomic_store_explicit(&gl->gc->stopped, stop, memory_order_relaxed);
  heap_set_threshold(gl->heap, stop ? SIZE_MAX : heap_bytes(gl)); // restarted: a cycle is due
}

static void control_incremental(struct GcState *gc, int pause, int stepmul, int stepsize) {
  if (pause != 0) set_param(&gc->pause, pause);
  if (stepmul != 0) set_param(&gc->stepmul, stepmul);
  if (stepsize == 0) return;
  if (stepsize < DEFAULT_STEPSIZE) stepsize = DEFAULT_STEPSIZE; // Lua's smallest step is about as big: a whole object
  atomic_store_explicit(&gc->stepsize, stepsize < 40 ? stepsize : 40, memory_order_relaxed);
}

int gc_control(lua_State *L, int what, int a, int b, int c) {
  Global *gl = L->gl;
  struct GcState *gc = gl->gc;
  if (final_is_inside(running(L))) return -1; // as in Lua: the collector cannot be called from a finalizer
  switch (what) {
  case LUA_GCSTOP: control_stop(gl, true); return 0;
  case LUA_GCRESTART: control_stop(gl, false); return 0;
  case LUA_GCCOLLECT: gc_full(L, true); return 0;
  case LUA_GCCOUNT: return (int)(heap_bytes(gl) >> 10);
  case LUA_GCCOUNTB: return (int)(heap_bytes(gl) & 1023);
  case LUA_GCSTEP: return control_step(L, a);
  case LUA_GCSETPAUSE: return set_param(&gc->pause, a);
  case LUA_GCSETSTEPMUL: return set_param(&gc->stepmul, a);
  case LUA_GCISRUNNING: return !atomic_load_explicit(&gc->stopped, memory_order_relaxed);
  case LUA_GCGEN: return control_mode(gc, true);
  case LUA_GCINC: control_incremental(gc, a, b, c); return control_mode(gc, false);
  default: return -1;
  }
}

void gc_stats(Global *gl, struct GcStats *out) {
  const struct GcState *gc = gl->gc;
  out->ncycles = atomic_load_explicit(&gc->ncycles, memory_order_relaxed);
  out->pause_total_ns = atomic_load_explicit(&gc->pause_total_ns, memory_order_relaxed);
  out->pause_max_ns = atomic_load_explicit(&gc->pause_max_ns, memory_order_relaxed);
  out->pause_last_ns = atomic_load_explicit(&gc->pause_last_ns, memory_order_relaxed);
  out->live = atomic_load_explicit(&gc->live, memory_order_relaxed);
  out->threshold = atomic_load_explicit(&gc->threshold, memory_order_relaxed);
}
