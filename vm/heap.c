// SPDX-License-Identifier: MIT
//
// heap.c: the allocator under the collector.
//
// What:       memory comes from the system in chunks of 4 MB (aligned). The first 64 KB unit of a chunk is its header:
//             mark bits of the whole chunk, then a Span for each unit. The other 63 units form spans of one or four
//             units that serve one size class, or hold one large object. An object that fits into no chunk gets a
//             chunk of its own.
//             A processor's Cache has one current span for each class and in it a *run*: adjoining free elements,
//             handed out by moving a pointer. So the usual allocation is an addition, a comparison and one store for
//             the header.
//             There is no free list and no allocation bitmap: the mark bits of the last collection *are* the map of
//             free memory (clear bit at an element's start = free), until the next collection clears them. Objects
//             made since lie behind the cache's position in a span that nobody else allocates from.
//             The sweep therefore only counts mark bits: 512 bytes for each 64 KB, a millisecond or so for a
//             gigabyte. It is done at once and in parallel while the world is stopped; a lazy sweep would buy nothing.
// Invariants: mark bits of free units are all clear. The elements of a span belong to caches (those before Span.pos),
// or
//             it is in the partial list of its class, or both; or it is used up until the next sweep. No element is
//             handed out twice between two sweeps. Allocation never collects: it sets POLL_GC on the worker that
//             crosses the threshold.
// Reserve:    *when memory is refused, allocation still succeeds until the next safepoint*, where a collection then
//             runs. For that the heap always holds something back: free units of its chunks (RESERVE_UNITS, or
//             RESERVE_EACH for every processor, since all may be on their way to a safepoint), and, if a
//             host's allocator is asked, a block of it. A refusal opens the reserve (what is held back serves as any
//             other memory, and `pressed` asks for a collection); the end of each collection fills it again. Only if
//             fewer than RESERVE_LEAST units are free, a refusal is passed on, as LUA_ERRMEM: next to nothing is left
//             then. Who catches that error gets another block of the host's allocator to work with until the next
//             safepoint, for he may have let go of what filled the memory. So a collection for each span happens at
//             most as often as there are units in the reserve.
// Locking:    Heap.lock guards chunks, spans outside caches and the partial lists; it is taken once for a span or a
//             large object. Caches are touched by the worker that holds the P; their counters are relaxed atomics
//             because heap_bytes of another worker reads them. A host's allocator (lua_newstate) is asked for
//             permission under the lock, so it may be single-threaded.
// Tuning:     runs are cut at RUN_BYTES so that what counts as used is close to what is; a span that is nearly full
//             is left alone until the next sweep, because finding its few holes costs more than they are worth.
// See also:   gc.c. Tests: tests/unit/heap_test.c.
#include "heap.h"
#include "call.h"
#include "gc_int.h"
#include "lgassert.h"
#include "spin.h"
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define HEAP_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEAP_ASAN 1
#endif
#endif
#ifdef HEAP_ASAN
#include <sanitizer/asan_interface.h>
#define poison(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define poison(p, n) ((void)(p), (void)(n))
#define unpoison(p, n) ((void)(p), (void)(n))
#endif

#define UNIT ((size_t)64 << 10)
#define UNITS (HEAP_CHUNK / UNIT)
#define UNIT_GRANULES (UNIT / HEAP_GRANULE)
#define UNIT_WORDS (UNIT_GRANULES / 64)
#define BIG_UNITS 4 // units of a span of the large classes, so that little is left over at its end
#define RUN_BYTES 4096
#define FLUSH_BYTES ((size_t)16 << 10)
#define PART_BYTES ((size_t)8 << 10)
#define RESERVE_UNITS 16
#define RESERVE_EACH 4
#define RESERVE_LEAST 8
#define RESERVE_BLOCK ((size_t)512 << 10) // of the host's allocator, for so many units
#define RESERVE_GRACE ((size_t)128 << 10)
#define PAGE ((size_t)4096)

// ---- size classes ----------------------------------------------------------------------------------

// Multiples of 16 up to 256, then steps of about an eighth, later a fifth. 16 + 16 * 2^n (hash blocks) fit exactly up
// to 4112; the classes above 8 KB are what divides 256 KB well.
static const uint32_t class_size[] = {
    16,   32,   48,   64,   80,   96,   112,  128,  144,  160,  176,   192,   208,   224,   240,   256,   272,   304,
    336,  368,  400,  448,  496,  528,  592,  656,  736,  816,  912,   1040,  1184,  1360,  1552,  1808,  2064,  2336,
    2720, 3120, 3632, 4112, 4672, 5456, 6544, 7280, 8448, 9696, 10912, 13104, 17472, 20160, 23824, 29120, 37440,
    16, // CLASS_CELL
};
#define NCLASSES ((int)(sizeof class_size / sizeof class_size[0]))
// Cells are written at every turn of a loop, the functions of their size are only read: mixed in one cache line, a
// goroutine's counter would stall the other goroutines that call the function beside it. So cells have their own spans.
#define CLASS_CELL (NCLASSES - 1)
#define MAX_SMALL 37440
#define FINE_MAX 1040
#define FIRST_BIG 8448 // smallest class whose spans have BIG_UNITS

static uint8_t fine_class[FINE_MAX / 16 + 1];     // by size in granules, rounded up
static uint8_t coarse_class[MAX_SMALL / 256 + 1]; // by size / 256: first class that may fit

__attribute__((constructor)) static void class_init(void) {
  for (int g = 0, c = 0; g <= FINE_MAX / 16; g++) {
    if ((uint32_t)g * 16 > class_size[c]) c++;
    fine_class[g] = (uint8_t)c;
  }
  for (int i = 0, c = 0; i <= MAX_SMALL / 256; i++) {
    while ((uint32_t)i * 256 > class_size[c]) c++;
    coarse_class[i] = (uint8_t)c;
  }
}

static ALWAYS_INLINE int class_of(size_t size) {
  if (likely(size <= FINE_MAX)) return fine_class[(size + 15) / 16];
  int c = coarse_class[size / 256];
  while (class_size[c] < size) c++;
  return c;
}

static uint32_t class_units(int cls) { return class_size[cls] >= FIRST_BIG ? BIG_UNITS : 1; }

// ---- structures ------------------------------------------------------------------------------------

enum SpanState { SPAN_NONE, SPAN_SMALL, SPAN_LARGE }; // NONE: free, or not the first unit of a span

typedef struct Span {
  struct Span *next; // in the partial list
  void *token;       // block of the host's allocator that stands for this memory, if it is asked
  uint8_t state;
  uint8_t units;
  uint8_t cls;
  uint32_t nelem;
  uint32_t live; // marked elements at the last sweep; 0: all elements are free
  uint32_t pos;  // small: elements before this one belong to caches until the next sweep
  size_t bytes;  // large: bytes that count as used
} Span;

typedef struct Chunk {
  _Atomic uint64_t mark[HEAP_CHUNK / HEAP_GRANULE / 64]; // first: heap_markword depends on it
  Span span[UNITS];
  uint64_t freemap; // bit u: unit u is free
  size_t mapped;    // bytes to unmap
  bool huge;        // holds one object, at unit 1
} Chunk;
_Static_assert(sizeof(Chunk) <= UNIT, "the chunk header fits the first unit");
#define ALL_FREE (~UINT64_C(1))

struct Heap {
  Global *gl;
  _Atomic uint8_t lock; // spin lock: what it guards takes under a microsecond, rarely an mmap
  Chunk **chunk;        // all chunks, oldest first
  size_t nchunks, capchunks;
  size_t firstfree; // no ordinary chunk below this index has a free unit
  size_t nfree;     // free units of ordinary chunks
  size_t held;      // so many of them are the reserve; 0: it is open
  void *block;      // the reserve in the host's allocator, or NULL
  size_t block_bytes;
  void *grace;             // RESERVE_GRACE bytes of it that are for who has caught LUA_ERRMEM, or NULL
  size_t mapped, maplimit; // bytes of chunks; LUNGODEBUG=heaplimit: no more than that many
  Span *partial[sizeof class_size / sizeof class_size[0]]; // by class: spans with free elements
  Cache *caches;
  size_t ncaches;
  unsigned stress;         // LUNGODEBUG=gcstress=N: every N-th allocation asks for a collection; 0: none does
  _Atomic unsigned nalloc; // allocations, counted only for that
  bool single;             // runs of one element, so that each allocation comes by bump_refill
  _Atomic long failin;     // LUNGODEBUG=failalloc: so many allocations until one is refused; 0: none any more
  _Atomic int nfails;      // LUNGODEBUG=failallocs: how many in a row are
  int refuse;              // LUNGODEBUG=refuse: every n-th allocation is refused if a collection may help; 0: none
  _Atomic bool pressed;    // memory was refused since the last collection
  _Atomic size_t ceiling;  // bytes that would have been in use when memory was refused last; SIZE_MAX: never
  _Atomic size_t used;     // bytes in use, without what caches have not reported yet
  _Atomic size_t threshold;
};

typedef struct Bump {
  char *_Atomic cur, *_Atomic end; // the run
  Span *span;
  uint32_t pos, stop; // the cache's elements of the span behind the run
  uint32_t esize;
} Bump;

struct Cache {
  Bump bump[sizeof class_size / sizeof class_size[0]];
  _Atomic size_t unreported; // bytes of runs taken since the last report to Heap.used
  int accepted;              // LUNGODEBUG=refuse: allocations since the last one that was refused
  Heap *heap;
  Cache *next, *prev;
};

static ALWAYS_INLINE char *bump_cur(Bump *b) { return atomic_load_explicit(&b->cur, memory_order_relaxed); }
static ALWAYS_INLINE char *bump_end(Bump *b) { return atomic_load_explicit(&b->end, memory_order_relaxed); }
static ALWAYS_INLINE void bump_setcur(Bump *b, char *p) { atomic_store_explicit(&b->cur, p, memory_order_relaxed); }
static ALWAYS_INLINE void bump_setend(Bump *b, char *p) { atomic_store_explicit(&b->end, p, memory_order_relaxed); }

static Chunk *chunk_of(const void *p) { return (Chunk *)((uintptr_t)p & ~(HEAP_CHUNK - 1)); }
static char *span_mem(Span *s) {
  Chunk *c = chunk_of(s);
  return (char *)c + (size_t)(s - c->span) * UNIT;
}
static _Atomic uint64_t *span_marks(Span *s) {
  Chunk *c = chunk_of(s);
  return c->mark + (size_t)(s - c->span) * UNIT_WORDS;
}

// ---- marks as the map of free elements -------------------------------------------------------------

static ALWAYS_INLINE bool granule_marked(_Atomic uint64_t *marks, size_t g) {
  return atomic_load_explicit(&marks[g / 64], memory_order_relaxed) >> (g % 64) & 1;
}

static uint32_t max_run(const Heap *h, uint32_t esize) {
  if (unlikely(h->single)) return 1;
  uint32_t n = RUN_BYTES / esize;
  return n > 0 ? n : 1;
}

// Makes the next free elements behind b->pos the run. Returns its bytes, 0 at the end of the cache's part of the span.
static size_t next_run(Heap *h, Bump *b) {
  Span *s = b->span;
  if (s == NULL) return 0;
  uint32_t k = b->esize / HEAP_GRANULE, n = b->stop, i = b->pos, first, max = max_run(h, b->esize);
  if (s->live == 0) {
    first = i;
    i = n - i < max ? n : i + max;
  } else {
    _Atomic uint64_t *marks = span_marks(s);
    while (i < n && granule_marked(marks, (size_t)i * k)) i++;
    first = i;
    while (i < n && i - first < max && !granule_marked(marks, (size_t)i * k)) i++;
  }
  b->pos = i;
  if (i == first) return 0;
  char *mem = span_mem(s);
  size_t bytes = (size_t)(i - first) * b->esize;
  bump_setend(b, mem + (size_t)i * b->esize);
  bump_setcur(b, mem + (size_t)first * b->esize);
  unpoison(bump_cur(b), bytes);
  return bytes;
}

// ---- memory from the system ------------------------------------------------------------------------

// Reserved properly (no MAP_NORESERVE): a request that the system cannot fulfil must fail here, not when it is used.
static Chunk *map_aligned(size_t bytes) {
  size_t all = bytes + HEAP_CHUNK;
  char *p = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return NULL;
  char *a = (char *)(((uintptr_t)p + HEAP_CHUNK - 1) & ~(HEAP_CHUNK - 1));
  if (a > p) munmap(p, (size_t)(a - p));
  if (a + bytes < p + all) munmap(a + bytes, (size_t)(p + all - (a + bytes)));
  return (Chunk *)a;
}

static bool chunk_register_locked(Heap *h, Chunk *c) {
  if (h->nchunks == h->capchunks) {
    size_t cap = h->capchunks ? h->capchunks * 2 : 16;
    Chunk **v = realloc(h->chunk, cap * sizeof *v);
    if (v == NULL) return false;
    h->chunk = v;
    h->capchunks = cap;
  }
  h->chunk[h->nchunks++] = c;
  return true;
}

static Chunk *chunk_new_locked(Heap *h, size_t bytes, bool huge) {
  Chunk *c = bytes <= h->maplimit - h->mapped ? map_aligned(bytes) : NULL;
  if (c == NULL) return NULL;
  // A small program touches a page here and there; huge pages would make it ten times as big.
  if (h->nchunks == 0) madvise(c, bytes, MADV_NOHUGEPAGE);
  c->mapped = bytes;
  c->huge = huge;
  c->freemap = huge ? 0 : ALL_FREE;
  if (!chunk_register_locked(h, c)) {
    munmap(c, bytes);
    return NULL;
  }
  h->mapped += bytes;
  if (!huge) h->nfree += UNITS - 1;
  return c;
}

// c is no longer in h->chunk.
static void chunk_unmap(Heap *h, Chunk *c) {
  h->mapped -= c->mapped;
  h->nfree -= (size_t)__builtin_popcountll(c->freemap);
  unpoison(c, c->mapped); // the addresses may come back to somebody else
  munmap(c, c->mapped);
}

// ---- the host's allocator --------------------------------------------------------------------------

// One without user data has nothing to count in and is not asked (luaL_newstate's).
bool heap_is_limited(const Heap *h) { return __atomic_load_n(&h->gl->alloc_ud, __ATOMIC_ACQUIRE) != NULL; }

static void *host_alloc_locked(Heap *h, void *p, size_t osize, size_t nsize) {
  void *ud = __atomic_load_n(&h->gl->alloc_ud, __ATOMIC_ACQUIRE);
  return __atomic_load_n(&h->gl->frealloc, __ATOMIC_ACQUIRE)(ud, p, osize, nsize);
}

static void press(Heap *h) { atomic_store_explicit(&h->pressed, true, memory_order_relaxed); }

// Gives the block of the reserve back to the host. False: it is gone already.
static bool block_drop_locked(Heap *h) {
  if (h->block == NULL) return false;
  host_alloc_locked(h, h->block, h->block_bytes, 0);
  h->block = NULL;
  press(h);
  return true;
}

static void grace_drop_locked(Heap *h) {
  if (h->grace != NULL) host_alloc_locked(h, h->grace, RESERVE_GRACE, 0);
  h->grace = NULL;
}

static void *host_realloc_locked(Heap *h, void *p, size_t osize, size_t nsize) {
  void *r = host_alloc_locked(h, p, osize, nsize);
  if (unlikely(r == NULL && nsize > 0) && block_drop_locked(h)) r = host_alloc_locked(h, p, osize, nsize);
  return r;
}

static bool token_get_locked(Heap *h, size_t bytes, void **token) {
  *token = NULL;
  if (likely(!heap_is_limited(h))) return true;
  *token = host_realloc_locked(h, NULL, HEAP_TOKEN, bytes);
  return *token != NULL;
}

static void token_put_locked(Heap *h, void *token, size_t bytes) {
  if (token != NULL) host_alloc_locked(h, token, bytes, 0);
}

void *heap_hostalloc(Heap *h, void *p, size_t osize, size_t nsize) {
  if (!heap_is_limited(h)) return host_alloc_locked(h, p, osize, nsize); // malloc's: safe without the lock
  spin_lock(&h->lock);
  void *r = host_realloc_locked(h, p, osize, nsize);
  spin_unlock(&h->lock);
  return r;
}

// ---- spans --------------------------------------------------------------------------------------------------------

// The first of n adjoining free units, or -1. n < 64.
static int find_units(uint64_t freemap, uint32_t n) {
  uint64_t m = freemap;
  for (uint32_t have = 1; have < n && m != 0;) { // bit u of m: `have` free units start at u
    uint32_t step = have < n - have ? have : n - have;
    m &= m >> step;
    have += step;
  }
  return m != 0 ? __builtin_ctzll(m) : -1;
}

static uint64_t units_mask(int first, uint32_t n) { return ((UINT64_C(1) << n) - 1) << first; }

static Span *take_units(Heap *h, Chunk *c, uint32_t n) {
  int u = find_units(c->freemap, n);
  if (u < 0) return NULL;
  c->freemap &= ~units_mask(u, n);
  h->nfree -= n;
  Span *s = &c->span[u];
  s->units = (uint8_t)n;
  s->live = 0;
  return s;
}

static Span *search_chunks_locked(Heap *h, uint32_t n) {
  bool only_full = true;
  for (size_t i = h->firstfree; i < h->nchunks; i++) {
    Span *s = take_units(h, h->chunk[i], n);
    if (s != NULL) return s;
    if (only_full && h->chunk[i]->freemap == 0)
      h->firstfree = i + 1;
    else
      only_full = false;
  }
  return NULL;
}

static Span *find_span_locked(Heap *h, uint32_t n) {
  if (likely(h->nfree >= h->held + n)) {
    Span *s = search_chunks_locked(h, n);
    if (s != NULL) return s;
  }
  Chunk *c = chunk_new_locked(h, HEAP_CHUNK, false);
  if (c != NULL) return take_units(h, c, n);
  if (h->held == 0) return NULL;
  h->held = 0;
  press(h);
  return search_chunks_locked(h, n);
}

static Span *span_new_locked(Heap *h, uint32_t n) {
  void *token;
  if (!token_get_locked(h, n * UNIT, &token)) return NULL;
  Span *s = find_span_locked(h, n);
  if (s == NULL)
    token_put_locked(h, token, n * UNIT);
  else
    s->token = token;
  return s;
}

static void span_free_locked(Heap *h, Span *s) {
  Chunk *c = chunk_of(s);
  token_put_locked(h, s->token, s->units * UNIT);
  s->token = NULL;
  s->state = SPAN_NONE;
  c->freemap |= units_mask((int)(s - c->span), s->units);
  h->nfree += s->units;
}

static Span *small_span_locked(Heap *h, int cls) {
  Span *s = h->partial[cls];
  if (s != NULL) return s;
  if ((s = span_new_locked(h, class_units(cls))) == NULL) return NULL;
  s->state = SPAN_SMALL;
  s->cls = (uint8_t)cls;
  s->nelem = (uint32_t)(s->units * UNIT / class_size[cls]);
  s->pos = 0;
  s->next = NULL;
  h->partial[cls] = s;
  return s;
}

// Elements for one cache, free ones among them, of a partly used span if there is one. Where memory is limited the
// caches share a span, each having PART_BYTES at a time, or a small heap would be full of what processors have in hand.
static bool take_part(Heap *h, Bump *b, int cls) {
  spin_lock(&h->lock);
  Span *s = b->span = small_span_locked(h, cls);
  if (s != NULL) {
    uint32_t part = heap_is_limited(h) ? (uint32_t)(PART_BYTES / class_size[cls]) + 1 : s->nelem;
    b->esize = class_size[cls];
    b->pos = s->pos;
    s->pos = b->stop = s->nelem - s->pos > part ? s->pos + part : s->nelem;
    if (s->pos == s->nelem) h->partial[cls] = s->next;
  }
  spin_unlock(&h->lock);
  return s != NULL;
}

// ---- accounting ------------------------------------------------------------------------------------

static void want_gc(Ctx *ctx) { atomic_fetch_or_explicit(&ctx->poll, POLL_GC, memory_order_relaxed); }

static bool stress_due(Heap *h) {
  return h->stress != 0 && atomic_fetch_add_explicit(&h->nalloc, 1, memory_order_relaxed) % h->stress == 0;
}

static void account(Heap *h, Ctx *ctx, size_t bytes) {
  size_t used = atomic_fetch_add_explicit(&h->used, bytes, memory_order_relaxed) + bytes;
  if (used >= atomic_load_explicit(&h->threshold, memory_order_relaxed) || unlikely(stress_due(h))) want_gc(ctx);
}

static void *refused(Heap *h, Ctx *ctx, size_t bytes) {
  size_t used = atomic_load_explicit(&h->used, memory_order_relaxed);
  press(h);
  atomic_store_explicit(&h->ceiling, used + bytes, memory_order_relaxed);
  want_gc(ctx);
  return NULL;
}

void heap_press(Ctx *ctx) {
  press(ctx->gl->heap);
  want_gc(ctx);
}

static size_t cache_unreported(Cache *c) { return atomic_load_explicit(&c->unreported, memory_order_relaxed); }

static void cache_count(Cache *c, Ctx *ctx, size_t bytes) {
  size_t n = cache_unreported(c) + bytes;
  if (n >= FLUSH_BYTES || c->heap->stress != 0) {
    account(c->heap, ctx, n);
    n = 0;
  }
  atomic_store_explicit(&c->unreported, n, memory_order_relaxed);
}

// Bytes of c's runs that are not handed out yet. Exact for the worker that holds c, an estimate for others.
static size_t cache_unused(Cache *c) {
  size_t n = 0;
  for (int i = 0; i < NCLASSES; i++) {
    ptrdiff_t rest = bump_end(&c->bump[i]) - bump_cur(&c->bump[i]);
    if (rest > 0 && rest <= (ptrdiff_t)(BIG_UNITS * UNIT)) n += (size_t)rest;
  }
  return n;
}

size_t heap_bytes(Global *gl) {
  Heap *h = gl->heap;
  spin_lock(&h->lock);
  size_t n = atomic_load_explicit(&h->used, memory_order_relaxed), unused = 0;
  for (Cache *c = h->caches; c != NULL; c = c->next) {
    n += cache_unreported(c);
    unused += cache_unused(c);
  }
  spin_unlock(&h->lock);
  return n > unused ? n - unused : 0;
}

void heap_set_threshold(Heap *h, size_t bytes) { atomic_store_explicit(&h->threshold, bytes, memory_order_relaxed); }

bool heap_wants_gc(Heap *h) {
  return h->stress != 0 || atomic_load_explicit(&h->pressed, memory_order_relaxed) ||
         atomic_load_explicit(&h->used, memory_order_relaxed) >=
             atomic_load_explicit(&h->threshold, memory_order_relaxed);
}

bool heap_is_pressed(Heap *h) { return atomic_load_explicit(&h->pressed, memory_order_relaxed); }

size_t heap_ceiling(Heap *h) {
  size_t c = atomic_load_explicit(&h->ceiling, memory_order_relaxed);
  if (c >= atomic_load_explicit(&h->used, memory_order_relaxed)) return c;
  atomic_store_explicit(&h->ceiling, SIZE_MAX, memory_order_relaxed); // more is in use now: the limit is gone
  return SIZE_MAX;
}

// ---- allocation ------------------------------------------------------------------------------------

static ALWAYS_INLINE void *new_header(void *p, uint8_t type) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  uint64_t hdr = type; // one store for all fields
  memcpy(p, &hdr, sizeof hdr);
#else
  memset(p, 0, sizeof(Obj));
  *(uint8_t *)p = type;
#endif
  return p;
}

// LUNGODEBUG=refuse: whether whoever asks now gets nothing, and must collect (gc_rescue).
static COLD bool refuses_now(Heap *h, Ctx *ctx) {
  if (h->refuse == 0 || ++ctx->cache->accepted < h->refuse || ctx->L == NULL || ctx->L->nogc > 0) return false;
  ctx->cache->accepted = 0;
  return gc_mayrescue(h->gl);
}

// Fault injection.
static COLD bool fails_now(Heap *h, Ctx *ctx) {
  if (unlikely(refuses_now(h, ctx))) return true;
  if (atomic_load_explicit(&h->failin, memory_order_relaxed) <= 0) return false;
  if (atomic_fetch_sub_explicit(&h->failin, 1, memory_order_relaxed) > 1) return false;
  if (atomic_fetch_sub_explicit(&h->nfails, 1, memory_order_relaxed) > 1)
    atomic_fetch_add_explicit(&h->failin, 1, memory_order_relaxed);
  return true;
}

bool heap_faults_pending(Heap *h) { return atomic_load_explicit(&h->failin, memory_order_relaxed) > 0; }

static NOINLINE char *bump_refill(Ctx *ctx, int cls) {
  Cache *c = ctx->cache;
  Heap *h = c->heap;
  Bump *b = &c->bump[cls];
  if (unlikely(h->single) && fails_now(h, ctx)) return refused(h, ctx, class_size[cls]);
  size_t got = next_run(h, b);
  while (got == 0) {
    if (!take_part(h, b, cls)) return refused(h, ctx, class_units(cls) * UNIT);
    if (unlikely(heap_is_pressed(h))) want_gc(ctx);
    got = next_run(h, b);
  }
  cache_count(c, ctx, got);
  char *p = bump_cur(b);
  bump_setcur(b, p + b->esize);
  return p;
}

static Span *large_span_locked(Heap *h, size_t bytes) {
  size_t units = (bytes + UNIT - 1) / UNIT;
  if (units < UNITS) return span_new_locked(h, (uint32_t)units);
  void *token;
  if (!token_get_locked(h, bytes, &token)) return NULL;
  Chunk *c = chunk_new_locked(h, UNIT + bytes, true);
  if (c == NULL) {
    token_put_locked(h, token, bytes);
    return NULL;
  }
  c->span[1].token = token;
  return &c->span[1];
}

static size_t large_bytes(size_t size) { return (size + PAGE - 1) & ~(PAGE - 1); }

static NOINLINE void *large_new(Ctx *ctx, size_t size) {
  Heap *h = ctx->cache->heap;
  if (size > PTRDIFF_MAX - 2 * HEAP_CHUNK) return NULL;
  size_t bytes = large_bytes(size);
  if (unlikely(h->single) && fails_now(h, ctx)) return refused(h, ctx, bytes);
  spin_lock(&h->lock);
  Span *s = large_span_locked(h, bytes);
  if (s != NULL) {
    s->state = SPAN_LARGE;
    s->bytes = bytes;
  }
  spin_unlock(&h->lock);
  if (s == NULL) return refused(h, ctx, bytes);
  if (unlikely(heap_is_pressed(h))) want_gc(ctx);
  account(h, ctx, bytes);
  unpoison(span_mem(s), bytes);
  return span_mem(s);
}

static ALWAYS_INLINE void *small_new(Ctx *ctx, uint8_t type, int cls) {
  Bump *b = &ctx->cache->bump[cls];
  char *p = bump_cur(b);
  if (likely(bump_end(b) > p)) { // a run is a whole number of elements
    bump_setcur(b, p + b->esize);
    return new_header(p, type);
  }
  p = bump_refill(ctx, cls);
  return likely(p != NULL) ? new_header(p, type) : NULL;
}

void *heap_trynew(Ctx *ctx, uint8_t type, size_t size) {
  if (unlikely(size > MAX_SMALL)) {
    void *p = large_new(ctx, size);
    return p != NULL ? new_header(p, type) : NULL;
  }
  return small_new(ctx, type, class_of(size));
}

// What LUNGODEBUG=refuse refuses is there at the second try.
void *heap_trynew_here(Ctx *ctx, uint8_t type, size_t size) {
  void *p = heap_trynew(ctx, type, size);
  if (unlikely(p == NULL) && ctx->cache->heap->refuse != 0) p = heap_trynew(ctx, type, size);
  return p;
}

void *heap_new_obj(lua_State *L, uint8_t type, size_t size) {
  void *p = heap_trynew_here(L->ctx, type, size);
  if (unlikely(p == NULL)) call_memerror(L);
  return p;
}

Cell *heap_new_cell(lua_State *L) {
  _Static_assert(sizeof(Cell) == 16, "a cell is one element of CLASS_CELL");
  return small_new(L->ctx, OBJ_CELL, CLASS_CELL);
}

void *heap_trymem(Ctx *ctx, size_t size) {
  if (unlikely(size > PTRDIFF_MAX)) return NULL;
  char *p = heap_trynew(ctx, OBJ_MEM, size + 16);
  return likely(p != NULL) ? p + 16 : NULL;
}

void *heap_mem(lua_State *L, size_t size) {
  void *p = heap_trymem(L->ctx, size);
  if (unlikely(p == NULL) && L->ctx->cache->heap->refuse != 0) p = heap_trymem(L->ctx, size);
  if (unlikely(p == NULL)) call_memerror(L);
  return p;
}

size_t heap_goodsize(size_t size) { return size <= MAX_SMALL ? class_size[class_of(size)] : large_bytes(size); }

// A huge chunk goes back to the system, and its place in h->chunk is closed.
static void huge_free_locked(Heap *h, Chunk *c) {
  token_put_locked(h, c->span[1].token, c->span[1].bytes);
  size_t i = 0;
  while (h->chunk[i] != c) i++;
  memmove(&h->chunk[i], &h->chunk[i + 1], (h->nchunks - i - 1) * sizeof *h->chunk);
  h->nchunks--;
  if (h->firstfree > i) h->firstfree--;
  chunk_unmap(h, c);
}

void heap_release(lua_State *L, Obj *o) {
  Heap *h = L->gl->heap;
  Chunk *c = chunk_of(o);
  size_t u = ((uintptr_t)o & (HEAP_CHUNK - 1)) / UNIT;
  Span *s = &c->span[u];
  if (s->state != SPAN_LARGE) return;
  lg_assert((char *)o == span_mem(s));
  uint64_t bit;
  _Atomic uint64_t *w = heap_markword(o, &bit); // nobody else writes this word: it belongs to this span alone
  atomic_store_explicit(w, 0, memory_order_relaxed);
  atomic_fetch_sub_explicit(&h->used, s->bytes, memory_order_relaxed);
  spin_lock(&h->lock);
  if (c->huge) {
    huge_free_locked(h, c);
  } else {
    poison(o, s->bytes);
    span_free_locked(h, s);
    for (size_t i = 0; i < h->firstfree; i++)
      if (h->chunk[i] == c) h->firstfree = i;
  }
  spin_unlock(&h->lock);
}

// ---- the collector's side --------------------------------------------------------------------------

static void cache_drop(Cache *c) {
  for (int i = 0; i < NCLASSES; i++) {
    Bump *b = &c->bump[i];
    bump_setcur(b, NULL);
    bump_setend(b, NULL);
    b->span = NULL;
  }
  atomic_store_explicit(&c->unreported, 0, memory_order_relaxed);
}

void heap_flush_caches(Heap *h) {
  for (Cache *c = h->caches; c != NULL; c = c->next) cache_drop(c);
  memset(h->partial, 0, sizeof h->partial);
}

// The next chunk to work on, or NULL.
static Chunk *claim(Heap *h, _Atomic size_t *cursor) {
  size_t i = atomic_fetch_add_explicit(cursor, 1, memory_order_relaxed);
  return i < h->nchunks ? h->chunk[i] : NULL;
}

static size_t span_words(const Span *s) { return s->state == SPAN_LARGE ? 1 : s->units * UNIT_WORDS; }

void heap_clear_marks(Heap *h, _Atomic size_t *cursor) {
  for (Chunk *c; (c = claim(h, cursor)) != NULL;) {
    for (size_t u = 1; u < UNITS; u++) {
      Span *s = &c->span[u];
      if (s->state == SPAN_NONE || (s->state == SPAN_SMALL && s->live == 0)) continue; // nothing set there
      _Atomic uint64_t *w = span_marks(s);
      for (size_t i = 0; i < span_words(s); i++) atomic_store_explicit(&w[i], 0, memory_order_relaxed);
    }
  }
}

#ifdef HEAP_ASAN
static void poison_dead(Span *s) {
  _Atomic uint64_t *marks = span_marks(s);
  char *mem = span_mem(s);
  size_t esize = class_size[s->cls];
  for (size_t i = 0; i < s->nelem; i++)
    if (!granule_marked(marks, i * esize / HEAP_GRANULE)) poison(mem + i * esize, esize);
}
#else
static void poison_dead(Span *s) { (void)s; }
#endif

void heap_sweep_part(Heap *h, _Atomic size_t *cursor) {
  for (Chunk *c; (c = claim(h, cursor)) != NULL;) {
    for (size_t u = 1; u < UNITS; u++) {
      Span *s = &c->span[u];
      if (s->state == SPAN_NONE) continue;
      _Atomic uint64_t *w = span_marks(s);
      uint32_t live = 0;
      for (size_t i = 0; i < span_words(s); i++)
        live += (uint32_t)__builtin_popcountll(atomic_load_explicit(&w[i], memory_order_relaxed));
      s->live = live;
      if (s->state == SPAN_SMALL)
        poison_dead(s);
      else if (live == 0 && !c->huge)
        poison(span_mem(s), s->bytes);
    }
  }
}

// Whether too few elements are free for the span to be worth looking at.
static bool nearly_full(const Span *s) { return s->nelem - s->live <= s->nelem / 32; }

// What becomes of one span; returns its live bytes.
static size_t span_settle(Heap *h, Span *s, Span **tail[]) {
  if (s->live == 0) {
    span_free_locked(h, s);
    return 0;
  }
  if (s->state == SPAN_LARGE) return s->bytes;
  if (!nearly_full(s)) {
    s->pos = 0;
    *tail[s->cls] = s;
    tail[s->cls] = &s->next;
    s->next = NULL;
  }
  return (size_t)s->live * class_size[s->cls];
}

size_t heap_sweep_finish(Heap *h) {
  Span **tail[sizeof class_size / sizeof class_size[0]];
  size_t live = 0, kept = 0;
  for (int i = 0; i < NCLASSES; i++) {
    h->partial[i] = NULL;
    tail[i] = &h->partial[i];
  }
  spin_lock(&h->lock);
  for (size_t i = 0; i < h->nchunks; i++) {
    Chunk *c = h->chunk[i];
    if (c->huge && c->span[1].live == 0) {
      token_put_locked(h, c->span[1].token, c->span[1].bytes);
      chunk_unmap(h, c);
      continue;
    }
    for (size_t u = 1; u < UNITS; u++)
      if (c->span[u].state != SPAN_NONE) live += span_settle(h, &c->span[u], tail);
    h->chunk[kept++] = c;
  }
  h->nchunks = kept;
  h->firstfree = 0;
  spin_unlock(&h->lock);
  atomic_store_explicit(&h->used, live, memory_order_relaxed);
  atomic_store_explicit(&h->pressed, false, memory_order_relaxed);
  return live;
}

static size_t reserve_units(const Heap *h) {
  size_t n = h->ncaches * RESERVE_EACH;
  if (n < RESERVE_UNITS) return RESERVE_UNITS;
  return n < UNITS - 1 ? n : UNITS - 1;
}

// The host's block: all of it, or half, and so on, or none.
static void fill_block_locked(Heap *h) {
  if (!heap_is_limited(h)) return;
  if (h->grace == NULL) h->grace = host_alloc_locked(h, NULL, 0, RESERVE_GRACE);
  if (h->block != NULL) return;
  size_t want = reserve_units(h) * (RESERVE_BLOCK / RESERVE_UNITS);
  for (h->block_bytes = want; h->block_bytes >= RESERVE_BLOCK / 2; h->block_bytes /= 2)
    if ((h->block = host_alloc_locked(h, NULL, 0, h->block_bytes)) != NULL) return;
}

static void hold_units_locked(Heap *h) {
  size_t want = reserve_units(h);
  if (h->nfree < want) chunk_new_locked(h, HEAP_CHUNK, false);
  h->held = h->nfree < want ? h->nfree : want;
  if (h->held < RESERVE_LEAST) h->held = 0;
}

void heap_fill_reserve(Heap *h) {
  spin_lock(&h->lock);
  hold_units_locked(h);
  fill_block_locked(h);
  spin_unlock(&h->lock);
}

bool heap_press_again(Heap *h) {
  spin_lock(&h->lock);
  size_t want = reserve_units(h);
  bool full = heap_is_limited(h) ? h->block != NULL && h->block_bytes >= want * (RESERVE_BLOCK / RESERVE_UNITS)
                                 : h->held >= want;
  if (!full) grace_drop_locked(h);
  spin_unlock(&h->lock);
  if (!full) press(h);
  return !full;
}

void heap_trim(Heap *h, size_t keep) {
  spin_lock(&h->lock);
  size_t reserve = reserve_units(h) * UNIT;
  if (keep < reserve) keep = reserve;
  size_t kept = 0, have = 0;
  for (size_t i = 0; i < h->nchunks; i++) {
    Chunk *c = h->chunk[i];
    if (i > 0 && c->freemap == ALL_FREE && have >= keep) {
      chunk_unmap(h, c);
      continue;
    }
    if (!c->huge) have += (size_t)__builtin_popcountll(c->freemap) * UNIT;
    h->chunk[kept++] = c;
  }
  h->nchunks = kept;
  spin_unlock(&h->lock);
}

void heap_each_marked(Heap *h, void (*fn)(void *arg, Obj *o), void *arg) {
  for (size_t i = 0; i < h->nchunks; i++) {
    Chunk *c = h->chunk[i];
    for (size_t u = 1; u < UNITS; u++) {
      Span *s = &c->span[u];
      if (s->state == SPAN_NONE) continue;
      _Atomic uint64_t *w = span_marks(s);
      for (size_t g = 0; g < span_words(s) * 64; g++)
        if (granule_marked(w, g)) fn(arg, (Obj *)(span_mem(s) + g * HEAP_GRANULE));
    }
  }
}

// The chunk in which p lies behind the header, or NULL.
static Chunk *find_chunk(Heap *h, const void *p) {
  Chunk *found = NULL;
  spin_lock(&h->lock);
  for (size_t i = 0; i < h->nchunks && found == NULL; i++) {
    const char *c = (const char *)h->chunk[i];
    if ((const char *)p >= c + UNIT && (const char *)p < c + h->chunk[i]->mapped) found = h->chunk[i];
  }
  spin_unlock(&h->lock);
  return found;
}

bool heap_owns(Heap *h, const void *p) { return find_chunk(h, p) != NULL; }

const Obj *heap_objectof(Heap *h, const void *p) {
  Chunk *c = find_chunk(h, p);
  if (c == NULL) return NULL;
  if (c->huge) return (Obj *)((char *)c + UNIT);
  size_t unit = ((uintptr_t)p - (uintptr_t)c) / UNIT;
  while (unit > 1 && c->span[unit].state == SPAN_NONE) unit--;
  Span *s = &c->span[unit];
  size_t size = s->state == SPAN_SMALL ? class_size[s->cls] : SIZE_MAX;
  return (Obj *)(span_mem(s) + ((uintptr_t)p - (uintptr_t)span_mem(s)) / size * size);
}

// ---- making and freeing ----------------------------------------------------------------------------

Heap *heap_new(Global *gl) {
  Heap *h = calloc(1, sizeof *h);
  if (h == NULL) return NULL;
  h->gl = gl;
  int failin = gc_debugswitch("failalloc"), nfails = gc_debugswitch("failallocs");
  int stress = gc_debugswitch("gcstress");
  h->stress = stress > 0 ? (unsigned)stress : 0;
  h->refuse = gc_debugswitch("refuse");
  h->single = stress > 0 || failin > 0 || h->refuse > 0;
  atomic_store_explicit(&h->failin, failin > 0 ? failin : 0, memory_order_relaxed);
  atomic_store_explicit(&h->nfails, nfails > 0 ? nfails : 1, memory_order_relaxed);
  h->maplimit = (size_t)gc_debugswitch("heaplimit") << 20;
  if (h->maplimit == 0) h->maplimit = SIZE_MAX;
  atomic_store_explicit(&h->threshold, SIZE_MAX, memory_order_relaxed);
  atomic_store_explicit(&h->ceiling, SIZE_MAX, memory_order_relaxed);
  heap_fill_reserve(h);
  return h;
}

static void free_tokens(Heap *h, Chunk *c) {
  for (size_t u = 1; u < UNITS; u++) {
    Span *s = &c->span[u];
    if (s->state != SPAN_NONE) token_put_locked(h, s->token, c->huge ? s->bytes : s->units * UNIT);
  }
}

void heap_free(Heap *h) {
  block_drop_locked(h);
  grace_drop_locked(h);
  for (size_t i = 0; i < h->nchunks; i++) {
    free_tokens(h, h->chunk[i]);
    chunk_unmap(h, h->chunk[i]);
  }
  free(h->chunk);
  free(h);
}

Cache *cache_new(Heap *h) {
  Cache *c = calloc(1, sizeof *c);
  if (c == NULL) return NULL;
  c->heap = h;
  spin_lock(&h->lock);
  c->next = h->caches;
  if (c->next != NULL) c->next->prev = c;
  h->caches = c;
  h->ncaches++;
  if (h->held > 0) hold_units_locked(h); // else the next collection fills it
  spin_unlock(&h->lock);
  return c;
}

// What is left of its spans stays unused until the next sweep finds it.
void cache_free(Heap *h, Cache *c) {
  spin_lock(&h->lock);
  if (c->next != NULL) c->next->prev = c->prev;
  if (c->prev != NULL)
    c->prev->next = c->next;
  else
    h->caches = c->next;
  h->ncaches--;
  spin_unlock(&h->lock);
  size_t used = cache_unreported(c), unused = cache_unused(c); // more may be unused than is unreported
  atomic_fetch_add_explicit(&h->used, used - unused, memory_order_relaxed);
  free(c);
}

int gc_debugswitch(const char *name) {
  const char *s = getenv("LUNGODEBUG");
  size_t n = strlen(name);
  for (; s != NULL && *s != '\0'; s += strcspn(s, ","), s += *s == ',') {
    if (strncmp(s, name, n) != 0) continue;
    if (s[n] == '=') return atoi(s + n + 1);
    if (s[n] == '\0' || s[n] == ',') return 1;
  }
  return 0;
}
