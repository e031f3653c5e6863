// SPDX-License-Identifier: MIT
//
// heap_test.c: the allocator alone: size classes, reuse after sweeps, large and huge objects, accounting, hosts that
// refuse memory, several threads with a cache each.
// Protects: vm/heap.c.
#include "gc_int.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static int nchecks;
static void check(int ok, const char *what, int line) {
  if (ok) return;
  printf("not ok: heap_test.c:%d: %s\n", line, what);
  exit(1);
}
#define CHECK(c) (nchecks++, check((c), #c, __LINE__))

static size_t host_bytes, host_limit;

static void *host_alloc(void *ud, void *p, size_t osize, size_t n) {
  (void)ud;
  size_t old = p != NULL ? osize : 0;
  if (n == 0) {
    host_bytes -= old;
    free(p);
    return NULL;
  }
  if (host_bytes - old + n > host_limit) return NULL;
  void *q = realloc(p, n);
  if (q != NULL) host_bytes += n - old;
  return q;
}

typedef struct World {
  Global *gl;
  Heap *h;
  Ctx ctx;
} World;

static void world_open(World *w, void *ud) {
  memset(w, 0, sizeof *w);
  w->gl = calloc(1, sizeof *w->gl);
  w->gl->frealloc = host_alloc;
  w->gl->alloc_ud = ud;
  w->h = w->gl->heap = heap_new(w->gl);
  w->ctx.cache = cache_new(w->h);
  w->ctx.gl = w->gl;
}

static void world_close(World *w) {
  cache_free(w->h, w->ctx.cache);
  heap_free(w->h);
  free(w->gl);
}

static void *new_obj(World *w, size_t size) {
  Obj *o = heap_trynew(&w->ctx, OBJ_STRING, size);
  CHECK(o != NULL && o->type == OBJ_STRING && o->flags == 0 && ((uintptr_t)o & 15) == 0);
  return o;
}

static void mark(Obj *o) {
  uint64_t bit;
  _Atomic uint64_t *word = heap_markword(o, &bit);
  atomic_fetch_or(word, bit);
}

// A collection that keeps the n given objects.
static size_t fake_gc(World *w, Obj **keep, size_t n) {
  _Atomic size_t cursor = 0;
  heap_flush_caches(w->h);
  heap_clear_marks(w->h, &cursor);
  for (size_t i = 0; i < n; i++) mark(keep[i]);
  atomic_store(&cursor, 0);
  heap_sweep_part(w->h, &cursor);
  size_t live = heap_sweep_finish(w->h);
  for (size_t i = 0; i < n; i++) CHECK(heap_ismarked(keep[i]));
  return live;
}

static void fill(Obj *o, size_t size, uint8_t seed) { memset((char *)o + 8, seed, size - 8); }
static bool is_filled(const Obj *o, size_t size, uint8_t seed) {
  const uint8_t *p = (const uint8_t *)o;
  for (size_t i = 8; i < size; i++)
    if (p[i] != seed) return false;
  return true;
}

static void test_sizes(void) {
  World w;
  world_open(&w, NULL);
  for (size_t size = 16; size < 70000; size += size < 2000 ? 1 : 97) {
    size_t good = heap_goodsize(size);
    CHECK(good >= size && good % 16 == 0 && heap_goodsize(good) == good);
    CHECK(good <= size + 15 || good <= size + size / 3 + 16 || size > 37440);
    char *a = new_obj(&w, size), *b = new_obj(&w, size);
    memset(a + 8, 1, good - 8);
    memset(b + 8, 2, good - 8);
    CHECK(a[8] == 1 && a[good - 1] == 1);
    CHECK(heap_owns(w.h, a) && heap_owns(w.h, a + good - 1));
  }
  for (size_t n = 1; n <= 256; n *= 2) CHECK(heap_goodsize(16 + 16 * n) == 16 + 16 * n);
  world_close(&w);
}

// What survives keeps its contents, what does not is handed out again, nothing twice.
static void test_reuse(void) {
  enum { N = 20000 };
  static Obj *obj[N];
  static size_t size[N];
  World w;
  world_open(&w, NULL);
  size_t n = 0;
  srand(7);
  for (int round = 0; round < 30; round++) {
    for (; n < N; n++) {
      size[n] = 16 + (size_t)(rand() % 100 == 0 ? rand() % 60000 : rand() % 300);
      obj[n] = new_obj(&w, size[n]);
      fill(obj[n], size[n], (uint8_t)(uintptr_t)(n * 31 + size[n]));
      ((uint8_t *)obj[n])[3] = (uint8_t)(n * 31 + size[n]); // aux: remembers the seed
    }
    size_t kept = 0, bytes = 0;
    for (size_t i = 0; i < N; i++) {
      CHECK(is_filled(obj[i], size[i], obj[i]->aux));
      if (rand() % 3 != 0) continue;
      obj[kept] = obj[i];
      size[kept++] = size[i];
      bytes += heap_goodsize(size[i]);
    }
    n = kept;
    CHECK(fake_gc(&w, obj, n) == bytes);
    CHECK(heap_bytes(w.gl) == bytes);
  }
  CHECK(fake_gc(&w, NULL, 0) == 0);
  world_close(&w);
}

// Cells (written all the time) and what is only read never lie in one cache line, in whatever order they are made.
static void test_cells_apart(void) {
  World w;
  world_open(&w, NULL);
  lua_State L = {0};
  L.ctx = &w.ctx;
  L.gl = w.gl;
  for (int i = 0; i < 10000; i++) {
    uintptr_t before = (uintptr_t)new_obj(&w, 16), cell = (uintptr_t)heap_new_cell(&L),
              after = (uintptr_t)new_obj(&w, 16);
    CHECK(((Obj *)cell)->type == OBJ_CELL && before / 64 != cell / 64 && after / 64 != cell / 64);
  }
  world_close(&w);
}

static void test_accounting(void) {
  World w;
  world_open(&w, NULL);
  size_t sum = 0;
  for (int i = 0; i < 5000; i++) {
    size_t size = 16 + (size_t)(i * 37 % 5000);
    new_obj(&w, size);
    sum += heap_goodsize(size);
    CHECK(heap_bytes(w.gl) == sum);
  }
  CHECK(w.ctx.poll == 0);
  heap_set_threshold(w.h, sum + 100000);
  while (w.ctx.poll == 0) new_obj(&w, 64), sum += 64;
  CHECK(w.ctx.poll == POLL_GC && heap_wants_gc(w.h));
  CHECK(heap_bytes(w.gl) == sum);
  fake_gc(&w, NULL, 0);
  CHECK(!heap_wants_gc(w.h));
  // A cache that goes away takes nothing along.
  new_obj(&w, 100);
  cache_free(w.h, w.ctx.cache);
  CHECK(heap_bytes(w.gl) == heap_goodsize(100));
  w.ctx.cache = cache_new(w.h);
  world_close(&w);
}

static void test_large(void) {
  World w;
  world_open(&w, NULL);
  Obj *keep[8];
  size_t sizes[8] = {40000, 65536, 65537, 300000, 4000000, 4128768, 4200000, 50u << 20};
  for (int i = 0; i < 8; i++) {
    keep[i] = new_obj(&w, sizes[i]);
    fill(keep[i], sizes[i], (uint8_t)(i + 1));
    new_obj(&w, sizes[i]); // dies
  }
  lua_State L = {.gl = w.gl, .ctx = &w.ctx};
  for (int round = 0; round < 3; round++) {
    size_t live = fake_gc(&w, keep, 8), sum = 0;
    for (int i = 0; i < 8; i++) sum += heap_goodsize(sizes[i]);
    CHECK(live == sum && heap_bytes(w.gl) == sum);
    heap_trim(w.h, 0);
    for (int i = 0; i < 8; i++) CHECK(is_filled(keep[i], sizes[i], (uint8_t)(i + 1)));
    Obj *big = new_obj(&w, 9u << 20), *mid = new_obj(&w, 1u << 20), *small = new_obj(&w, 64);
    heap_release(&L, big);
    heap_release(&L, mid);
    heap_release(&L, small); // only a hint
    Obj *again = new_obj(&w, 1u << 20);
    CHECK(again == mid);
  }
  for (int i = 7; i >= 0; i--) heap_release(&L, keep[i]);
  fake_gc(&w, NULL, 0);
  CHECK(heap_bytes(w.gl) == 0);
  CHECK(heap_trynew(&w.ctx, OBJ_MEM, (size_t)PTRDIFF_MAX) == NULL);
  CHECK(heap_trymem(&w.ctx, SIZE_MAX - 8) == NULL);
  CHECK(heap_trymem(&w.ctx, (size_t)1 << 46) == NULL); // more than the system has
  world_close(&w);
}

// Memory without end must not be mapped when the live heap stays small.
static void test_steady(void) {
  World w;
  world_open(&w, NULL);
  Obj *first = NULL;
  uintptr_t lo = UINTPTR_MAX, hi = 0;
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < 20000; i++) {
      Obj *o = new_obj(&w, 48 + (size_t)(i % 7) * 16);
      if (first == NULL) first = o;
      if ((uintptr_t)o < lo) lo = (uintptr_t)o;
      if ((uintptr_t)o > hi) hi = (uintptr_t)o;
    }
    fake_gc(&w, &first, 1);
  }
  CHECK(hi - lo < 3 * HEAP_CHUNK);
  world_close(&w);
}

static void test_refusal(void) {
  World w;
  host_limit = 1 << 20;
  host_bytes = 0;
  world_open(&w, &host_bytes);
  Obj *kept = new_obj(&w, 5000), *o;
  size_t n = 0;
  while ((o = heap_trynew(&w.ctx, OBJ_MEM, 100)) != NULL) n++;
  CHECK(n > 5000 && n < (1 << 20) / 100 && w.ctx.poll == POLL_GC && heap_wants_gc(w.h));
  CHECK(heap_trynew(&w.ctx, OBJ_MEM, 100000) == NULL && heap_trynew(&w.ctx, OBJ_MEM, 10u << 20) == NULL);
  fake_gc(&w, &kept, 1);
  CHECK(host_bytes < 100000 + (128 << 10) && !heap_wants_gc(w.h)); // with what is kept for who catches the error
  host_limit = 100u << 20;
  CHECK(heap_trynew(&w.ctx, OBJ_MEM, 10u << 20) != NULL && heap_trynew(&w.ctx, OBJ_MEM, 200000) != NULL);
  CHECK(host_bytes > (10u << 20) + 200000);
  world_close(&w);
  CHECK(host_bytes == 0);
}

// ---- several threads -----------------------------------------------------------------------------------

enum { THREADS = 4, OBJS = 1500, ROUNDS = 10 };

typedef struct Job {
  World *w;
  Ctx ctx;
  unsigned seed;
  Obj *obj[OBJS];
  size_t size[OBJS];
  size_t n;
  _Atomic size_t *cursor;
  pthread_barrier_t *barrier;
} Job;

static unsigned next_random(Job *j) { return j->seed = j->seed * 1103515245u + 12345u, j->seed >> 8; }

static void job_allocate(Job *j) {
  for (; j->n < OBJS; j->n++) {
    size_t size = 24 + next_random(j) % (next_random(j) % 200 == 0 ? 200000 : 400);
    Obj *o = heap_trynew(&j->ctx, OBJ_MEM, size);
    check(o != NULL && !heap_ismarked(o), "an unmarked object", __LINE__);
    o->aux = (uint8_t)next_random(j);
    fill(o, size, o->aux);
    j->obj[j->n] = o;
    j->size[j->n] = size;
    for (int k = 0; k < 20; k++) heap_trynew(&j->ctx, OBJ_MEM, 16 + next_random(j) % 300); // garbage
    if (next_random(j) % 64 == 0) heap_bytes(j->w->gl);
  }
}

static void job_check_and_drop(Job *j) {
  size_t kept = 0;
  for (size_t i = 0; i < j->n; i++) {
    check(is_filled(j->obj[i], j->size[i], j->obj[i]->aux), "contents", __LINE__);
    if (next_random(j) % 2) continue;
    j->obj[kept] = j->obj[i];
    j->size[kept++] = j->size[i];
  }
  j->n = kept;
}

// Allocates freely; then all stop and take part in a collection, as in rt_stw_parallel.
static void *job_main(void *arg) {
  Job *j = arg;
  for (int round = 0; round < ROUNDS; round++) {
    job_allocate(j);
    job_check_and_drop(j);
    if (pthread_barrier_wait(j->barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
      heap_flush_caches(j->w->h);
      atomic_store(&j->cursor[0], 0);
      atomic_store(&j->cursor[1], 0);
    }
    pthread_barrier_wait(j->barrier);
    heap_clear_marks(j->w->h, &j->cursor[0]);
    pthread_barrier_wait(j->barrier);
    for (size_t i = 0; i < j->n; i++) mark(j->obj[i]);
    pthread_barrier_wait(j->barrier);
    heap_sweep_part(j->w->h, &j->cursor[1]);
    if (pthread_barrier_wait(j->barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
      heap_sweep_finish(j->w->h);
      heap_trim(j->w->h, 1 << 20);
    }
    pthread_barrier_wait(j->barrier);
  }
  job_check_and_drop(j);
  return NULL;
}

// When memory is refused each of many processors may still need a few spans before its safepoint.
#define PROCS 12
static void test_reserve(void) {
  World w;
  Ctx ctx[PROCS];
  setenv("LUNGODEBUG", "heaplimit=8", 1);
  world_open(&w, NULL);
  for (int i = 0; i < PROCS; i++) ctx[i] = (Ctx){.cache = cache_new(w.h), .gl = w.gl};
  for (int i = 0; !heap_is_pressed(w.h); i++) {
    CHECK(i < 1000);
    new_obj(&w, 60000);
  }
  for (int i = 0; i < PROCS; i++)
    for (size_t size = 100; size <= 300; size += 100) CHECK(heap_trynew(&ctx[i], OBJ_STRING, size) != NULL);
  for (int i = 0; i < PROCS; i++) cache_free(w.h, ctx[i].cache);
  world_close(&w);
  unsetenv("LUNGODEBUG");
}

static void test_threads(void) {
  static Job job[THREADS];
  World w;
  pthread_t thread[THREADS];
  pthread_barrier_t barrier;
  _Atomic size_t cursor[2] = {0, 0};
  world_open(&w, NULL);
  pthread_barrier_init(&barrier, NULL, THREADS);
  for (int i = 0; i < THREADS; i++) {
    job[i] = (Job){.w = &w, .seed = (unsigned)i * 77 + 1, .cursor = cursor, .barrier = &barrier};
    job[i].ctx.cache = cache_new(w.h);
    pthread_create(&thread[i], NULL, job_main, &job[i]);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(thread[i], NULL);
    cache_free(w.h, job[i].ctx.cache);
  }
  CHECK(heap_bytes(w.gl) > 0);
  pthread_barrier_destroy(&barrier);
  world_close(&w);
}

int main(void) {
  test_sizes();
  test_reuse();
  test_cells_apart();
  test_accounting();
  test_large();
  test_steady();
  test_refusal();
  test_reserve();
  test_threads();
  printf("ok: heap_test, %d checks\n", nchecks);
  return 0;
}
