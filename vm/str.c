// SPDX-License-Identifier: MIT
//
// str.c: strings: making, hashing, comparing, and the table of interned ones.
//
// What:       a string made at run time is a plain object that nobody else knows. Names and constants of compiled code,
//             and every short string that becomes a table key, are *interned*: unique in the universe, so that equal
//             means same address. The table of interned strings is cut into shards by hash; each has its own lock
//             byte and its own array, so goroutines meet only when they intern similar hashes at the same moment.
//             To look for a string takes no lock: so `..` looks whether there is a short result already, because keys
//             are often made that way, and then compare by address in every table.
// Invariants: two interned strings with equal content are the same object. The table is weak: strtab_sweep drops what
//             the collector did not mark, with the world stopped, so nobody can find a string that is being freed.
//             An interned string stays interned for life. A hash is never 0 once computed.
//             A replaced array of a shard is freed by the next sweep, when nobody can be probing it.
// Locking:    a shard's lock guards writing to it. It is never held while allocating from the heap or raising.
// See also:   table.c (relies on short keys being interned), spin.h. Tests: tests/unit/str_test.c.
#include "str.h"
#include "call.h"
#include "gc.h"
#include "heap.h"
#include "lgassert.h"
#include "meta.h"
#include "seam.h"
#include "spin.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

// ---- hash ----------------------------------------------------------------------------------------

#define HASH_K0 UINT64_C(0x9E3779B97F4A7C15)
#define HASH_K1 UINT64_C(0xE7037ED1A0B428DB)

// Both halves of the product, folded: every input bit reaches every output bit.
static inline uint64_t mix(uint64_t a, uint64_t b) {
  unsigned __int128 p = (unsigned __int128)a * b;
  return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t load64(const char *s) {
  uint64_t w;
  memcpy(&w, s, 8);
  return w;
}

static inline uint64_t load32(const char *s) {
  uint32_t w;
  memcpy(&w, s, 4);
  return w;
}

// 1 to 7 bytes: each is in the result, some twice.
static inline uint64_t load_tail(const char *s, size_t n) {
  if (n >= 4) return load32(s) | load32(s + n - 4) << 32;
  return (uint8_t)s[0] | (uint64_t)(uint8_t)s[n / 2] << 8 | (uint64_t)(uint8_t)s[n - 1] << 16;
}

static uint32_t hash_bytes(uint32_t seed, const char *s, size_t n) {
  uint64_t h = mix(seed ^ HASH_K0, n ^ HASH_K1);
  for (; n >= 16; s += 16, n -= 16) h = mix(load64(s) ^ HASH_K1, load64(s + 8) ^ h);
  uint64_t a = 0, b = 0;
  if (n >= 8) {
    a = load64(s);
    b = load64(s + n - 8); // overlaps a: cheaper than a loop over the rest
  } else if (n > 0) {
    a = load_tail(s, n);
  }
  h = mix(a ^ HASH_K0, b ^ h);
  h = mix(h, HASH_K1);
  uint32_t r = (uint32_t)(h ^ h >> 32);
  return r != 0 ? r : 1;
}

uint32_t str_hash_slow(Global *gl, String *s) {
  uint32_t h = hash_bytes(gl->seed, s->data, s->len);
  atomic_store_explicit(&s->hdr.aux32, h, memory_order_relaxed); // idempotent: racers store the same
  return h;
}

// ---- comparison ----------------------------------------------------------------------------------

bool str_eq_slow(const String *a, const String *b) {
  if (a->len != b->len) return false;
  uint32_t ha = atomic_load_explicit(&a->hdr.aux32, memory_order_relaxed);
  uint32_t hb = atomic_load_explicit(&b->hdr.aux32, memory_order_relaxed);
  if (ha != 0 && hb != 0 && ha != hb) return false;
  return memcmp(a->data, b->data, a->len) == 0;
}

// strcoll stops at a zero byte, so strings are compared chunk by chunk between zeros.
int str_cmp(const String *a, const String *b) {
  const char *s = a->data, *t = b->data;
  size_t ns = a->len, nt = b->len;
  for (;;) {
    int c = strcoll(s, t);
    if (c != 0) return c;
    size_t chunk = strlen(s);
    if (chunk == nt) return chunk == ns ? 0 : 1; // b ends here
    if (chunk == ns) return -1;
    chunk++; // past the zero in both
    s += chunk, ns -= chunk;
    t += chunk, nt -= chunk;
  }
}

// ---- making strings ------------------------------------------------------------------------------

static ALWAYS_INLINE size_t string_size(lua_State *L, size_t n) {
  if (unlikely(n >= (size_t)PTRDIFF_MAX - sizeof(String))) call_memerror(L);
  return sizeof(String) + n + 1;
}

static ALWAYS_INLINE String *init_string(String *s, size_t n) {
  s->hdr.aux = 0;
  atomic_store_explicit(&s->hdr.aux32, 0, memory_order_relaxed);
  s->len = n;
  s->data[n] = '\0';
  return s;
}

String *str_alloc(lua_State *L, size_t n) { return init_string(heap_new_obj(L, OBJ_STRING, string_size(L, n)), n); }

String *str_alloc_gc(lua_State *L, size_t n) { return init_string(gc_new_obj(L, OBJ_STRING, string_size(L, n)), n); }

#define COPY_PIECE ((size_t)1 << 20) // takes a fraction of a millisecond, even into memory that was never touched

void str_copy(lua_State *L, char *to, const char *s, size_t n) {
  for (; unlikely(n > COPY_PIECE); to += COPY_PIECE, s += COPY_PIECE, n -= COPY_PIECE) {
    memcpy(to, s, COPY_PIECE);
    rt_checkend(L);
  }
  if (n > 0) memcpy(to, s, n);
}

String *str_new(lua_State *L, const char *s, size_t n) {
  String *str = str_alloc(L, n);
  str_copy(L, str->data, s, n);
  return str;
}

// ---- interning -----------------------------------------------------------------------------------

#define NSHARDS 64
#define SHARD_MIN 32
#define SHARD_OF(h) ((h) >> 26) // the low bits index inside the shard
#define NCACHE 256

typedef struct Entry {
  _Atomic(String *) s; // NULL: never used here; DROPPED: was swept, probing goes on
  _Atomic uint32_t hash;
} Entry;

// At most 3/4 of the entries are in use, so that probing ends. A replaced array stays until the next sweep, because a
// goroutine that looks for a string may still probe it.
typedef struct Entries {
  struct Entries *replaced;
  uint32_t mask;
  Entry v[];
} Entries;

typedef struct Shard {
  _Atomic(Entries *) e __attribute__((aligned(64))); // read by all: not in the line that writers of a shard fight for
  _Atomic uint8_t lock __attribute__((aligned(64)));
  uint32_t used; // entries that are not NULL
} Shard;

typedef struct StrTab {
  Shard shard[NSHARDS];
  // Short strings lately made of C strings, by address of the C string. Any worker reads and writes it at any time: an
  // entry is only a guess, verified by content. Cleared by strtab_sweep.
  _Atomic(String *) cache[NCACHE][2];
} StrTab;

static String dropped;
#define DROPPED (&dropped)

static Entries *entries_new(uint32_t size) {
  Entries *e = calloc(1, sizeof *e + size * sizeof e->v[0]);
  if (e != NULL) e->mask = size - 1;
  return e;
}

static Entries *entries_of(const Shard *sh) { return atomic_load_explicit(&((Shard *)sh)->e, memory_order_acquire); }

int strtab_new(Global *gl) {
  void *mem;
  if (posix_memalign(&mem, 64, sizeof(StrTab)) != 0) return -ENOMEM;
  StrTab *st = memset(mem, 0, sizeof(StrTab));
  gl->strtab = st;
  for (int i = 0; i < NSHARDS; i++) {
    Entries *e = entries_new(SHARD_MIN);
    atomic_store_explicit(&st->shard[i].e, e, memory_order_release);
    if (e == NULL) {
      strtab_free(gl);
      return -ENOMEM;
    }
  }
  return 0;
}

static void free_replaced(Entries *e) {
  while (e->replaced != NULL) {
    Entries *r = e->replaced;
    e->replaced = r->replaced;
    free(r);
  }
}

void strtab_free(Global *gl) {
  if (gl->strtab == NULL) return;
  for (int i = 0; i < NSHARDS; i++) {
    Entries *e = entries_of(&gl->strtab->shard[i]);
    if (e != NULL) free_replaced(e);
    free(e);
  }
  free(gl->strtab);
  gl->strtab = NULL;
}

static String *entry_string(const Entry *e) {
  return atomic_load_explicit(&((Entry *)e)->s, memory_order_acquire); // pairs with entries_put
}
static uint32_t entry_hash(const Entry *e) { return atomic_load_explicit(&((Entry *)e)->hash, memory_order_relaxed); }

// Without the shard's lock this may miss a string that is being put in, and no other.
static String *entries_find(const Entries *es, uint32_t hash, const char *s, size_t n) {
  String *have;
  for (uint32_t i = hash & es->mask; (have = entry_string(&es->v[i])) != NULL; i = (i + 1) & es->mask) {
    if (entry_hash(&es->v[i]) == hash && have != DROPPED && have->len == n && memcmp(have->data, s, n) == 0)
      return have;
  }
  return NULL;
}

// Returns whether it took an unused entry.
static bool entries_put(Entries *es, String *s, uint32_t hash) {
  uint32_t i = hash & es->mask;
  String *have;
  while ((have = entry_string(&es->v[i])) != NULL && have != DROPPED) i = (i + 1) & es->mask;
  atomic_store_explicit(&es->v[i].hash, hash, memory_order_relaxed);
  atomic_store_explicit(&es->v[i].s, s, memory_order_release);
  return have == NULL;
}

// Room for one more. Doubles unless dropped entries fill the array.
static bool shard_reserve_locked(Shard *sh) {
  Entries *old = entries_of(sh);
  uint32_t size = old->mask + 1, live = 0;
  if (sh->used < size / 4 * 3) return true;
  for (uint32_t i = 0; i < size; i++) live += entry_string(&old->v[i]) != NULL && entry_string(&old->v[i]) != DROPPED;
  Entries *es = entries_new(live > size / 2 ? size * 2 : size);
  if (es == NULL) return sh->used < size - 1; // fuller than is good, but a probe still ends
  sh->used = 0;
  for (uint32_t i = 0; i < size; i++) {
    String *s = entry_string(&old->v[i]);
    if (s != NULL && s != DROPPED) sh->used += entries_put(es, s, entry_hash(&old->v[i]));
  }
  es->replaced = old;
  atomic_store_explicit(&sh->e, es, memory_order_release);
  return true;
}

// The interned twin of s, which becomes s itself if there is none yet. s is short and its hash known.
static String *intern_object(lua_State *L, String *s) {
  uint32_t hash = str_hash(L->gl, s);
  Shard *sh = &L->gl->strtab->shard[SHARD_OF(hash)];
  spin_lock(&sh->lock);
  String *found = entries_find(entries_of(sh), hash, s->data, s->len);
  bool room = found != NULL || shard_reserve_locked(sh);
  if (found == NULL && room) {
    atomic_fetch_or_explicit(&s->hdr.flags, OF_INTERNED, memory_order_relaxed);
    sh->used += entries_put(entries_of(sh), s, hash);
    found = s;
  }
  spin_unlock(&sh->lock);
  if (unlikely(!room)) call_memerror(L);
  return found;
}

String *str_tointerned(lua_State *L, String *s) {
  if (str_isinterned(s) || s->len > STR_MAXINTERN) return s;
  return intern_object(L, s);
}

String *str_find(Global *gl, const char *s, size_t n, uint32_t *hash) {
  *hash = hash_bytes(gl->seed, s, n);
  return entries_find(entries_of(&gl->strtab->shard[SHARD_OF(*hash)]), *hash, s, n);
}

String *str_intern(lua_State *L, const char *s, size_t n) {
  if (n > STR_MAXINTERN) return str_new(L, s, n);
  uint32_t hash;
  String *str = str_find(L->gl, s, n, &hash);
  if (str != NULL) return str;
  str = str_new(L, s, n);
  atomic_store_explicit(&str->hdr.aux32, hash, memory_order_relaxed);
  return intern_object(L, str);
}

// ---- C strings, by address ---------------------------------------------------------------------------

typedef _Atomic(String *) CacheEntry;

static ALWAYS_INLINE CacheEntry *cache_line(Global *gl, const char *s) {
  return gl->strtab->cache[((uintptr_t)s ^ (uintptr_t)s >> 8) % NCACHE];
}

// What comes a second time from the same address is likely a literal, and becomes interned.
static ALWAYS_INLINE String *cache_find(lua_State *L, CacheEntry *line, const char *s) {
  for (int i = 0; i < 2; i++) {
    String *c = atomic_load_explicit(&line[i], memory_order_acquire); // pairs with the release below
    if (c == NULL || strcmp(c->data, s) != 0) continue;
    if (unlikely(!str_isinterned(c))) {
      c = str_tointerned(L, c);
      atomic_store_explicit(&line[i], c, memory_order_release);
    }
    return c;
  }
  return NULL;
}

static void cache_put(CacheEntry *line, String *s) {
  if (s->len > STR_MAXINTERN) return;
  String *first = atomic_load_explicit(&line[0], memory_order_acquire);
  atomic_store_explicit(&line[1], first, memory_order_release);
  atomic_store_explicit(&line[0], s, memory_order_release);
}

static NOINLINE String *internz_slow(lua_State *L, const char *s) {
  CacheEntry *line = cache_line(L->gl, s);
  String *str = cache_find(L, line, s);
  if (str != NULL) return str;
  str = str_intern(L, s, strlen(s));
  cache_put(line, str);
  return str;
}

String *str_internz(lua_State *L, const char *s) {
  String *c = atomic_load_explicit(&cache_line(L->gl, s)[0], memory_order_acquire); // pairs with cache_put's release
  if (likely(c != NULL && str_isinterned(c) && strcmp(c->data, s) == 0)) return c;
  return internz_slow(L, s);
}

String *str_newz(lua_State *L, const char *s) {
  CacheEntry *line = cache_line(L->gl, s);
  String *str = cache_find(L, line, s);
  if (str != NULL) return str;
  size_t n = strlen(s);
  if (n > STR_MAXINTERN) {
    str = str_alloc_gc(L, n);
    return memcpy(str->data, s, n), str;
  }
  str = str_new(L, s, n);
  cache_put(line, str);
  return str;
}

// Fixed strings are kept by marking them here: no root needs to know them (they refer to nothing).
static bool keep_string(String *s) {
  if (heap_ismarked(&s->hdr)) return true;
  if (!(atomic_load_explicit(&s->hdr.flags, memory_order_relaxed) & OF_FIXED)) return false;
  uint64_t bit;
  _Atomic uint64_t *word = heap_markword(&s->hdr, &bit);
  atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
  return true;
}

// Backwards, so that a run of dropped entries before an unused one becomes unused too.
static void shard_sweep(Shard *sh) {
  Entries *es = entries_of(sh);
  free_replaced(es);
  uint32_t after = 0; // the entry that follows the last one cyclically
  for (uint32_t i = es->mask + 1; i-- > 0; after = i) {
    Entry *e = &es->v[i];
    String *s = entry_string(e);
    if (s == NULL || (s != DROPPED && keep_string(s))) continue;
    bool ends = entry_string(&es->v[after]) == NULL;
    atomic_store_explicit(&e->s, ends ? NULL : DROPPED, memory_order_relaxed);
    if (ends) sh->used--;
  }
}

void strtab_sweep(Global *gl) {
  StrTab *st = gl->strtab;
  for (int i = 0; i < NSHARDS; i++) shard_sweep(&st->shard[i]);
  for (int i = 0; i < NCACHE; i++) {
    atomic_store_explicit(&st->cache[i][0], NULL, memory_order_relaxed);
    atomic_store_explicit(&st->cache[i][1], NULL, memory_order_relaxed);
  }
}

// ---- formatting ----------------------------------------------------------------------------------

// Counts what does not fit and goes on, so that a second run can have a buffer of the right size.
typedef struct Out {
  char *buf;
  size_t cap, n;
} Out;

static void out_bytes(Out *o, const char *s, size_t n) {
  if (o->n + n <= o->cap) memcpy(o->buf + o->n, s, n);
  o->n += n;
}

static void out_number(Out *o, const Value *v) {
  char buf[VALUE_NUMBUF];
  out_bytes(o, buf, value_num2str(v, buf, sizeof buf));
}

static void out_int(Out *o, int64_t i) {
  Value v;
  v_setint(&v, i);
  out_number(o, &v);
}

static void out_float(Out *o, double d) {
  Value v;
  v_setfloat(&v, d);
  out_number(o, &v);
}

// UTF-8 extended to 31 bits: n continuation bytes of 6 bits leave 6 - n bits for the first byte.
static void out_utf8(Out *o, unsigned long c) {
  char buf[8];
  if (c < 0x80) {
    buf[0] = (char)c;
    out_bytes(o, buf, 1);
    return;
  }
  int n = 1;
  while (n < 5 && c >> (5 * n + 6) != 0) n++;
  buf[0] = (char)(0xff80 >> n | c >> 6 * n);
  for (int i = 1; i <= n; i++) buf[i] = (char)(0x80 | (c >> 6 * (n - i) & 0x3f));
  out_bytes(o, buf, (size_t)n + 1);
}

static void out_pointer(Out *o, const void *p) {
  char buf[40];
  out_bytes(o, buf, (size_t)snprintf(buf, sizeof buf, "%p", p));
}

static void out_format(lua_State *L, Out *o, const char *fmt, va_list ap) {
  for (const char *p; (p = strchr(fmt, '%')) != NULL; fmt = p + 2) {
    out_bytes(o, fmt, (size_t)(p - fmt));
    switch (p[1]) {
    case 's': {
      const char *s = va_arg(ap, const char *);
      if (s == NULL) s = "(null)";
      out_bytes(o, s, strlen(s));
      break;
    }
    case 'c': {
      char c = (char)va_arg(ap, int);
      out_bytes(o, &c, 1);
      break;
    }
    case 'd': out_int(o, va_arg(ap, int)); break;
    case 'I': out_int(o, (int64_t)va_arg(ap, long long)); break;
    case 'f': out_float(o, va_arg(ap, double)); break;
    case 'p': out_pointer(o, va_arg(ap, void *)); break;
    case 'U': out_utf8(o, va_arg(ap, unsigned long)); break;
    case '%': out_bytes(o, "%", 1); break;
    default: dbg_runerror(L, "invalid option '%%%c' to 'lua_pushfstring'", p[1]);
    }
  }
  out_bytes(o, fmt, strlen(fmt));
}

String *str_vfmt(lua_State *L, const char *fmt, va_list ap) {
  char buf[256];
  Out o = {buf, sizeof buf, 0};
  va_list again;
  va_copy(again, ap);
  out_format(L, &o, fmt, ap);
  String *s = str_alloc(L, o.n);
  if (o.n <= sizeof buf) {
    memcpy(s->data, buf, o.n);
  } else {
    o = (Out){s->data, o.n, 0};
    out_format(L, &o, fmt, again);
  }
  va_end(again);
  return s;
}

String *str_fmt(lua_State *L, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  String *s = str_vfmt(L, fmt, ap);
  va_end(ap);
  return s;
}
