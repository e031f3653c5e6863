// SPDX-License-Identifier: MIT
//
// table.c: tables: an array part and a hash part, both read without locks.
//
// What:       the array part holds keys 1..size; everything else lives in the hash part, open addressing with linear
//             probing. Both are blocks that never change shape: a table that must grow gets new blocks.
// Invariants: a short string in a node key is interned, so a lookup with an interned string compares addresses only.
//             Entries never move or leave inside a block: a removed entry keeps its key and has a nil value; a key
//             the collector took away is TAG_EMPTY with the old address. Only SLOT_EMPTY ends a probe. So a reader
//             never misses a key that is there, and an iterator can walk a block that was replaced long ago.
//             A new node gets its value first, then its key (release): who sees the key sees the value.
//             Integer keys leave the hash part only when the hash block is replaced. The new array block is
//             published before the new hash block when the array grows, after it when it shrinks. So a reader that
//             missed an integer in both, with the same array block before and after, knows that it is absent.
//             A replaced block is frozen: what a late reader finds there was true when its read began.
//             Absence bits (aux32) are cleared after the store that makes a string key present.
//             Blocks of size 0 are the static table_noarray and table_nohash, never NULL.
// Locking:    writers of a shared table hold its lock byte. Values are shared and encoded, keys interned, and blocks
//             allocated before it is taken; what the blocks were made for is then checked again.
// Memory:     tables may be big, so whoever makes one or inserts is at a safepoint, or has set L->nogc: when memory is
//             refused, a collection runs with the table, the key and the value put on the stack (rescue_alloc).
// See also:   table.h, object.h, share.h, spin.h. Tests: tests/unit/table_test.c.
#include "table.h"
#include "call.h"
#include "gc.h"
#include "heap.h"
#include "lgassert.h"
#include "meta.h"
#include "method.h"
#include "spin.h"

#define MAXSIZE (UINT32_C(1) << 30) // slots of an array part, nodes of a hash part
#define MAXBITS 30
#define FIRST_ARRAY 4 // size of the array part that the first append makes

ABlock table_noarray = {.hdr = {.type = OBJ_ABLOCK, .flags = OF_FIXED | OF_SHARED}};
// Counts as full, so that no writer needs to know it.
HBlock table_nohash = {
    .hdr = {.type = OBJ_HBLOCK, .flags = OF_FIXED | OF_SHARED}, .used = 1, .node = {{{SLOT_EMPTY}, {SLOT_NIL}}}};

// ---- blocks --------------------------------------------------------------------------------------

static ALWAYS_INLINE ABlock *arr_of(const Table *t) {
  return atomic_load_explicit(&((Table *)t)->arr, memory_order_acquire);
}
static ALWAYS_INLINE HBlock *hash_of(const Table *t) {
  return atomic_load_explicit(&((Table *)t)->hash, memory_order_acquire);
}

// hdr.aux of a hash block: an integer key was put here. Set by writers while len and get may look.
static ALWAYS_INLINE bool has_ints(const HBlock *h) { return __atomic_load_n(&h->hdr.aux, __ATOMIC_ACQUIRE) != 0; }
static ALWAYS_INLINE void set_has_ints(HBlock *h) { __atomic_store_n(&h->hdr.aux, 1, __ATOMIC_RELEASE); }

// Small blocks may be full to the last node, as most objects have few fields; probes count their steps instead.
static ALWAYS_INLINE uint32_t hash_capacity(uint32_t size) { return size <= 8 ? size : size / 4 * 3; }

// Smallest power-of-two size that takes n entries.
static uint32_t hash_size_for(uint32_t n) {
  uint32_t size = 1;
  if (n == 0) return 0;
  while (hash_capacity(size) < n) size *= 2;
  return size;
}

static void fill_slots(Slot *s, size_t n, uint64_t bits) {
  for (size_t i = 0; i < n; i++) atomic_store_explicit(&s[i].bits, bits, memory_order_relaxed);
}

// Both return NULL without memory.
static ABlock *alloc_array(lua_State *L, uint32_t size) {
  if (size == 0) return &table_noarray;
  ABlock *a = heap_trynew(L->ctx, OBJ_ABLOCK, sizeof(ABlock) + (size_t)size * sizeof(Slot));
  if (unlikely(a == NULL)) return NULL;
  a->size = size;
  atomic_store_explicit(&a->hint, 0, memory_order_relaxed);
  fill_slots(a->v, size, SLOT_NIL);
  return a;
}

static HBlock *alloc_hash(lua_State *L, uint32_t size) {
  if (size == 0) return &table_nohash;
  HBlock *h = heap_trynew(L->ctx, OBJ_HBLOCK, sizeof(HBlock) + (size_t)size * sizeof(TNode));
  if (unlikely(h == NULL)) return NULL;
  h->hdr.aux = 0;
  h->mask = size - 1;
  atomic_store_explicit(&h->used, 0, memory_order_relaxed);
  for (uint32_t i = 0; i < size; i++) {
    atomic_store_explicit(&h->node[i].key.bits, SLOT_EMPTY, memory_order_relaxed);
    atomic_store_explicit(&h->node[i].val.bits, SLOT_NIL, memory_order_relaxed);
  }
  return h;
}

// Before any allocation, which cannot raise errors where it is tried again (gc_rescue).
static void check_sizes(lua_State *L, uint32_t narray, uint32_t hsize) {
  if (unlikely(narray > MAXSIZE || hsize > MAXSIZE)) dbg_runerror(L, "table overflow");
}

typedef struct NewTable {
  uint32_t narray, hsize;
  Table *t;
  ABlock *a;
  HBlock *h;
} NewTable;

static ALWAYS_INLINE bool try_table(lua_State *L, NewTable *n) {
  n->t = heap_trynew(L->ctx, OBJ_TABLE, sizeof(Table));
  n->a = alloc_array(L, n->narray);
  n->h = alloc_hash(L, n->hsize);
  return n->t != NULL && n->a != NULL && n->h != NULL;
}

static bool try_table_again(lua_State *L, void *arg) { return try_table(L, arg); }

static COLD NewTable rescue_table(lua_State *L, NewTable n) {
  if (!gc_rescue(L, try_table_again, &n)) call_memerror(L);
  return n;
}

Table *table_new(lua_State *L, uint32_t narray, uint32_t nhash) {
  NewTable n = {.narray = narray, .hsize = nhash > MAXSIZE / 2 ? MAXSIZE + 1 : hash_size_for(nhash)};
  check_sizes(L, n.narray, n.hsize);
  if (unlikely(!try_table(L, &n))) n = rescue_table(L, n);
  Table *t = n.t;
  atomic_store_explicit(&t->hdr.aux32, 0, memory_order_relaxed);
  atomic_store_explicit(&t->arr, n.a, memory_order_relaxed);
  atomic_store_explicit(&t->hash, n.h, memory_order_relaxed);
  atomic_store_explicit(&t->meta, NULL, memory_order_relaxed);
  return t;
}

static bool is_frozen(const Table *t) {
  return atomic_load_explicit(&((Table *)t)->hdr.flags, memory_order_relaxed) & OF_FROZEN;
}

static COLD _Noreturn void refuse_frozen(lua_State *L) {
  dbg_runerror(L, "attempt to modify a read-only table");
  __builtin_unreachable();
}

void table_freeze(lua_State *L, Table *t) {
  share_obj(L, &t->hdr);
  atomic_fetch_or_explicit(&t->hdr.flags, OF_FROZEN, memory_order_relaxed);
}

bool table_isfrozen(const Table *t) { return is_frozen(t); }

void table_setmeta(lua_State *L, Table *t, Table *mt) {
  if (unlikely(is_frozen(t))) refuse_frozen(L);
  if (mt != NULL && obj_isshared(t)) share_obj(L, &mt->hdr);
  atomic_store_explicit(&t->meta, mt, memory_order_release);
}

void table_lock(Table *t) {
  if (obj_isshared(t)) spin_lock(&t->hdr.lock);
}

void table_unlock(Table *t) {
  if (obj_isshared(t)) spin_unlock(&t->hdr.lock);
}

// ---- keys ----------------------------------------------------------------------------------------

// Where a key belongs in a hash part of any size: the upper half, as a fraction of 2^32, says which node (see home);
// the low three bits then choose among eight neighbours.
typedef uint64_t Place;

static ALWAYS_INLINE Place place_ofhash(uint32_t hash) { return (Place)hash << 32; }

// Multiplying by 2^64 over the golden ratio spreads any arithmetic progression evenly (Knuth 6.4). Eight neighbouring
// integers (two cache lines) stay together: dense keys outside of the array part, such as identifiers from a million on
// or negative indexes, are mostly used in order. (The whole run in order, as by the identity, would be better still,
// but two runs that overlap ruin linear probing; and a hash of full entropy costs a cache miss for each access.)
static ALWAYS_INLINE Place place_ofword(uint64_t u) {
  return ((u >> 3) * UINT64_C(0x9E3779B97F4A7C15) & ~UINT64_C(0xFFFFFFFF)) | (u & 7);
}

static ALWAYS_INLINE uint32_t home(const HBlock *h, Place p) {
  return (uint32_t)((p >> 32) * ((uint64_t)h->mask + 1) >> 32) ^ ((uint32_t)p & 7 & h->mask);
}

// A key, ready for search. Integers and light pointers too large for a Slot match by content of the Box, long strings
// and strings that are not interned by content of the string, all others by their bits.
enum Match { MATCH_BITS, MATCH_STR, MATCH_BOX };
typedef struct Key {
  uint64_t bits; // for MATCH_BOX valid only after key_settle
  uint64_t u;    // payload of the value
  Place place;
  uint8_t tag;
  uint8_t match;
} Key;

static ALWAYS_INLINE void key_ofword(Key *k, uint32_t tag, uint64_t u) {
  k->bits = SLOT_TAGGED(tag, u);
  k->u = u;
  k->place = place_ofword(u);
  k->tag = (uint8_t)tag;
  k->match = likely((uint64_t)bits_payload(k->bits) == u) ? MATCH_BITS : MATCH_BOX;
}

static ALWAYS_INLINE void key_ofstr(Key *k, Global *gl, String *s) {
  k->bits = SLOT_TAGGED(TAG_STRING, (uintptr_t)s);
  k->u = (uintptr_t)s;
  k->place = place_ofhash(str_hash(gl, s));
  k->tag = TAG_STRING;
  k->match = str_isinterned(s) ? MATCH_BITS : MATCH_STR;
}

static void key_offloat(Key *k, double n) {
  int64_t i;
  if (value_float2int(n, &i)) {
    key_ofword(k, TAG_INT, (uint64_t)i);
    return;
  }
  Value v;
  v_setfloat(&v, n);
  uint64_t b = n == n ? v.u : SLOT_CANONNAN; // other NaNs may look like tagged pointers
  *k = (Key){.bits = b, .u = b, .place = place_ofword(b), .tag = TAG_FLOAT, .match = MATCH_BITS};
}

static void key_of(Key *k, Global *gl, const Value *v) {
  switch (v->tag) {
  case TAG_STRING: key_ofstr(k, gl, v_str(v)); break;
  case TAG_FLOAT: key_offloat(k, v->n); break;
  case TAG_NIL:
  case TAG_FALSE:
  case TAG_TRUE: key_ofword(k, v->tag, 0); break; // the payload of these is undefined
  default: key_ofword(k, v->tag, v->u); break;
  }
}

// Gives a key the form that a node may hold: interns short strings, boxes large numbers.
static void key_settle(lua_State *L, Key *k) {
  if (k->match == MATCH_STR) {
    key_ofstr(k, L->gl, str_tointerned(L, (String *)(uintptr_t)k->u));
  } else if (k->match == MATCH_BOX) {
    Value v = {.u = k->u, .tag = k->tag};
    k->bits = value_encode_slow(L, &v);
  }
}

static ALWAYS_INLINE String *bits_str(uint64_t b) { return (String *)(intptr_t)bits_payload(b); }
static ALWAYS_INLINE bool bits_isint(uint64_t b) {
  if (bits_tag(b) == TAG_INT) return true;
  return bits_tag(b) == TAG_BOX && ((Box *)(intptr_t)bits_payload(b))->hdr.aux == TAG_INT;
}

// The place of a node key. Strings in nodes have their hash computed.
static Place place_ofbits(uint64_t b) {
  if (bits_tag(b) == TAG_STRING)
    return place_ofhash(atomic_load_explicit(&bits_str(b)->hdr.aux32, memory_order_relaxed));
  Value v;
  bits_decode(&v, b);
  return place_ofword(v.u);
}

// ---- search --------------------------------------------------------------------------------------
// All return the node, or NULL. Safe while a writer inserts. (const is dropped: only writers that may do so write.)

static ALWAYS_INLINE TNode *find_bits(const HBlock *h, uint64_t bits, Place place) {
  uint32_t first = home(h, place), i = first;
  do {
    const TNode *n = &h->node[i];
    uint64_t kb = slot_load(&n->key);
    if (kb == bits) return (TNode *)n;
    if (kb == SLOT_EMPTY) return NULL;
    i = (i + 1) & h->mask;
  } while (i != first);
  return NULL;
}

static bool str_matches(const String *a, const String *b, uint32_t hash) {
  return atomic_load_explicit(&a->hdr.aux32, memory_order_relaxed) == hash && a->len == b->len &&
         memcmp(a->data, b->data, b->len) == 0;
}

static TNode *find_str(const HBlock *h, const String *s, uint32_t hash) {
  uint32_t first = home(h, place_ofhash(hash)), i = first;
  do {
    const TNode *n = &h->node[i];
    uint64_t kb = slot_load(&n->key);
    if (bits_tag(kb) == TAG_STRING) {
      const String *ks = bits_str(kb);
      if (ks == s || str_matches(ks, s, hash)) return (TNode *)n;
    } else if (kb == SLOT_EMPTY) {
      return NULL;
    }
    i = (i + 1) & h->mask;
  } while (i != first);
  return NULL;
}

static COLD TNode *find_box(const HBlock *h, const Key *k) {
  uint32_t first = home(h, k->place), i = first;
  do {
    const TNode *n = &h->node[i];
    uint64_t kb = slot_load(&n->key);
    if (kb == SLOT_EMPTY) return NULL;
    if (bits_tag(kb) == TAG_BOX) {
      const Box *b = (const Box *)(intptr_t)bits_payload(kb);
      if (b->hdr.aux == k->tag && b->u == k->u) return (TNode *)n;
    }
    i = (i + 1) & h->mask;
  } while (i != first);
  return NULL;
}

static ALWAYS_INLINE TNode *find_key(const HBlock *h, const Key *k) {
  if (likely(k->match == MATCH_BITS)) return find_bits(h, k->bits, k->place);
  if (k->match == MATCH_STR) return find_str(h, (const String *)(uintptr_t)k->u, (uint32_t)(k->place >> 32));
  return find_box(h, k);
}

// Interned strings have their hash computed.
static ALWAYS_INLINE Place place_ofinterned(const String *s) {
  lg_assert(str_isinterned(s));
  return place_ofhash(atomic_load_explicit(&((String *)s)->hdr.aux32, memory_order_relaxed));
}

static ALWAYS_INLINE TNode *find_string(Global *gl, const HBlock *h, String *s) {
  if (likely(str_isinterned(s))) return find_bits(h, SLOT_OBJ(TAG_STRING, s), place_ofinterned(s));
  return find_str(h, s, str_hash(gl, s));
}

static NOINLINE TNode *find_field_slow(Global *gl, const HBlock *h, String *s, _Atomic uint16_t *hint) {
  TNode *n = find_string(gl, h, s);
  if (n == NULL) return NULL;
  uint16_t i = (uint16_t)(n - h->node);
  if (atomic_load_explicit(hint, memory_order_relaxed) != i) atomic_store_explicit(hint, i, memory_order_relaxed);
  return n;
}

static ALWAYS_INLINE TNode *find_field(Global *gl, const HBlock *h, String *s, _Atomic uint16_t *hint) {
  TNode *n = hblock_hinted(h, atomic_load_explicit(hint, memory_order_relaxed));
  if (likely(slot_load(&n->key) == SLOT_OBJ(TAG_STRING, s))) return n;
  return find_field_slow(gl, h, s, hint);
}

#define MEMBER_DEPTH 8 // classes that table_getmember climbs by itself

// Where the value of k is: in the array part, in a node, or nowhere (NULL). Writers only (lock held, or unshared).
static Slot *find_slot(const Table *t, const Key *k) {
  ABlock *a = arr_of(t);
  if (k->tag == TAG_INT && k->u - 1u < a->size) return &a->v[k->u - 1];
  TNode *n = find_key(hash_of(t), k);
  return n != NULL ? &n->val : NULL;
}

// ---- get -----------------------------------------------------------------------------------------

static ALWAYS_INLINE bool read_node(const TNode *n, Value *out) {
  if (n == NULL) {
    v_setnil(out);
    return false;
  }
  bits_decode(out, slot_load(&n->val));
  return !v_isnil(out);
}

bool table_getint_slow(lua_State *L, const Table *t, int64_t k, Value *out) {
  (void)L;
  for (;;) {
    const ABlock *a = arr_of(t);
    if ((uint64_t)k - 1u < a->size) {
      bits_decode(out, slot_load(&a->v[k - 1]));
      return !v_isnil(out);
    }
    const HBlock *h = hash_of(t);
    if (has_ints(h)) {
      Key key;
      key_ofword(&key, TAG_INT, (uint64_t)k);
      if (read_node(find_key(h, &key), out)) return true;
    }
    if (likely(arr_of(t) == a)) break; // otherwise it may have moved from hash to array between our two looks
  }
  v_setnil(out);
  return false;
}

bool table_getstr(lua_State *L, const Table *t, String *k, Value *out) {
  return read_node(find_string(L->gl, hash_of(t), k), out);
}

bool table_getfield(lua_State *L, const Table *t, String *k, _Atomic uint16_t *hint, Value *out) {
  return read_node(find_field(L->gl, hash_of(t), k, hint), out);
}

// The node of `__index` in a metatable. hdr.aux remembers where it was last: any value is harmless, it is verified.
static ALWAYS_INLINE TNode *find_index_event(Global *gl, Table *mt) {
  HBlock *h = hash_of(mt);
  uint64_t bits = SLOT_OBJ(TAG_STRING, gl->tmname[TM_INDEX]);
  TNode *n = &h->node[__atomic_load_n(&mt->hdr.aux, __ATOMIC_RELAXED) & h->mask];
  if (likely(slot_load(&n->key) == bits)) return n;
  n = find_bits(h, bits, place_ofhash(str_hash(gl, gl->tmname[TM_INDEX])));
  if (n != NULL) __atomic_store_n(&mt->hdr.aux, (uint8_t)(n - h->node), __ATOMIC_RELAXED);
  return n;
}

// The table that is `__index` in mt, or NULL: something else, or nothing, which the caller then remembers.
static ALWAYS_INLINE const Table *index_table(Global *gl, Table *mt) {
  TNode *n = find_index_event(gl, mt);
  if (n == NULL) return NULL;
  uint64_t b = slot_load(&n->val);
  return bits_tag(b) == TAG_TABLE ? (const Table *)(intptr_t)bits_payload(b) : NULL;
}

bool table_getmember(lua_State *L, const Table *t, String *k, _Atomic uint16_t *hint, Value *out) {
  Global *gl = L->gl;
  for (int depth = 0; depth < MEMBER_DEPTH && t != NULL; depth++) {
    if (read_node(find_field(gl, hash_of(t), k, hint), out)) return true;
    Table *mt = atomic_load_explicit(&((Table *)t)->meta, memory_order_acquire);
    if (mt == NULL) return true;
    if (atomic_load_explicit(&mt->hdr.aux32, memory_order_acquire) & (1u << TM_INDEX)) return true;
    t = index_table(gl, mt);
  }
  return false;
}

bool table_getmethod(lua_State *L, Table *mt, String *k, _Atomic uint16_t *hint, Value *out) {
  const Table *t = index_table(L->gl, mt);
  return t != NULL && table_getmember(L, t, k, hint, out);
}

bool table_get(lua_State *L, const Table *t, const Value *k, Value *out) {
  int64_t i;
  switch (k->tag) {
  case TAG_STRING: return table_getstr(L, t, v_str(k), out);
  case TAG_INT: return table_getint(L, t, k->i, out);
  case TAG_FLOAT:
    if (value_float2int(k->n, &i)) return table_getint(L, t, i, out);
    break;
  default: break;
  }
  Key key;
  key_of(&key, L->gl, k);
  return read_node(find_key(hash_of(t), &key), out); // nil and NaN are in no node
}

// ---- growing -------------------------------------------------------------------------------------

// The shape a table is to get. A block that stays keeps its contents.
typedef struct Plan {
  uint32_t asize, hsize; // valid when newarr / newhash
  bool newarr, newhash;
} Plan;

typedef struct Blocks {
  ABlock *arr;
  HBlock *hash;
} Blocks;

// How the integer keys of a table are spread: slice[b] counts those with 2^(b-1) < key <= 2^b.
typedef struct Census {
  uint32_t slice[MAXBITS + 1];
  uint32_t total;
  uint32_t live; // entries in the hash part, whatever their keys
} Census;

static void census_add(Census *c, uint64_t key, uint32_t n) {
  if (key - 1u >= MAXSIZE || n == 0) return;
  c->slice[key == 1 ? 0 : 64 - __builtin_clzll(key - 1)] += n;
  c->total += n;
}

// Non-nil slots among indexes [from, to).
static uint32_t count_slots(const ABlock *a, uint32_t from, uint32_t to) {
  uint32_t n = 0;
  for (uint32_t i = from; i < to; i++)
    n += !bits_isnil(atomic_load_explicit(&((ABlock *)a)->v[i].bits, memory_order_relaxed));
  return n;
}

static void census_array(Census *c, const ABlock *a) {
  for (uint32_t from = 0, to = 1; from < a->size; from = to, to *= 2) {
    uint32_t end = to < a->size ? to : a->size;
    census_add(c, end, count_slots(a, from, end));
  }
}

static ALWAYS_INLINE bool node_islive(const TNode *n) {
  return !bits_isnil(slot_load(&n->val)) && bits_tag(slot_load(&n->key)) != TAG_EMPTY;
}

static void census_hash(Census *c, const HBlock *h) {
  for (uint32_t i = 0; i <= h->mask; i++) {
    if (!node_islive(&h->node[i])) continue;
    uint64_t kb = slot_load(&h->node[i].key);
    c->live++;
    if (bits_tag(kb) == TAG_INT) census_add(c, (uint64_t)bits_payload(kb), 1);
  }
}

// The largest power of two n such that more than half of 1..n is in use.
static uint32_t census_best(const Census *c) {
  uint32_t sum = 0, best = 0;
  for (int b = 0; b <= MAXBITS && c->total > (UINT32_C(1) << b) / 2; b++) {
    sum += c->slice[b];
    if (sum > (UINT32_C(1) << b) / 2) best = UINT32_C(1) << b;
  }
  return best;
}

// An array size of at least n that fills its size class.
static uint32_t array_size_for(uint32_t n) {
  if (n > MAXSIZE) return n;
  size_t size = (heap_goodsize(sizeof(ABlock) + (size_t)n * sizeof(Slot)) - sizeof(ABlock)) / sizeof(Slot);
  return size < MAXSIZE ? (uint32_t)size : MAXSIZE;
}

// Twice the bytes, header included, so that sizes walk along the size classes.
static uint32_t array_size_after(uint32_t size) {
  return array_size_for(size < FIRST_ARRAY ? FIRST_ARRAY : size * 2 + (uint32_t)(sizeof(ABlock) / sizeof(Slot)));
}

static bool key_inarray(uint64_t kb, uint32_t asize) {
  return bits_tag(kb) == TAG_INT && (uint64_t)bits_payload(kb) - 1u < asize;
}

// Entries that the hash part must hold once the array part has asize slots. k (may be NULL) is about to be added.
static uint32_t count_forhash(const Table *t, const Key *k, uint32_t asize) {
  const ABlock *a = arr_of(t);
  const HBlock *h = hash_of(t);
  uint32_t n = k != NULL && !key_inarray(k->bits, asize);
  for (uint32_t i = 0; i <= h->mask; i++)
    n += node_islive(&h->node[i]) && !key_inarray(slot_load(&h->node[i].key), asize);
  return asize < a->size ? n + count_slots(a, asize, a->size) : n;
}

// Some slack beyond the n entries: a table where keys come and go must not be rebuilt at every insertion.
static void plan_hash(Plan *p, uint32_t n) {
  p->newhash = true;
  p->hsize = hash_size_for(n <= 8 ? n : n + n / 8);
}

// Returns how many entries the hash part is to hold then.
static uint32_t plan_array(Plan *p, const Table *t, const Key *k, bool may_shrink) {
  const ABlock *a = arr_of(t);
  Census c = {.live = 0};
  census_array(&c, a);
  uint32_t inarray = c.total;
  census_hash(&c, hash_of(t));
  census_add(&c, k->tag == TAG_INT ? k->u : 0, 1);
  uint32_t best = census_best(&c);
  bool keep = best < a->size && (!may_shrink || inarray > a->size / 2);
  if (best == a->size || keep) return c.live + 1;
  p->newarr = true;
  p->asize = best > a->size ? array_size_for(best) : best;
  return count_forhash(t, k, p->asize);
}

// What must change before the absent key k can be added: false if nothing. Appending to a dense array doubles it
// without a look at the hash part as long as no integers are there. Array parts shrink only when the hash part is
// rebuilt anyway and integers are involved: a table created with a size keeps it while its named fields are set.
static bool plan_insert(Plan *p, const Table *t, const Key *k) {
  const ABlock *a = arr_of(t);
  const HBlock *h = hash_of(t);
  bool isint = k->tag == TAG_INT, append = isint && k->u == (uint64_t)a->size + 1;
  bool full = atomic_load_explicit(&h->used, memory_order_relaxed) >= hash_capacity(h->mask + 1);
  *p = (Plan){.newarr = false};
  if (!append && !full) return false;
  if (append && !has_ints(h) && (a->size < FIRST_ARRAY || count_slots(a, 0, a->size) > a->size / 2)) {
    p->newarr = true;
    p->asize = array_size_after(a->size);
    return true;
  }
  uint32_t n = isint || has_ints(h) ? plan_array(p, t, k, full) : count_forhash(t, k, a->size);
  if (!full && !p->newarr) return false;
  plan_hash(p, n);
  return true;
}

static bool plan_resize(Plan *p, const Table *t, uint32_t narray, uint32_t nhash) {
  const ABlock *a = arr_of(t);
  const HBlock *h = hash_of(t);
  *p = (Plan){.newarr = narray > a->size, .asize = narray};
  uint32_t n = count_forhash(t, NULL, p->newarr ? narray : a->size);
  uint32_t size = hash_size_for(nhash > n ? nhash : n);
  p->newhash = (p->newarr && has_ints(h)) || (h == &table_nohash ? size > 0 : size > h->mask + 1);
  p->hsize = size;
  return p->newarr || p->newhash;
}

static bool try_alloc(lua_State *L, const Plan *p, Blocks *b) {
  *b = (Blocks){NULL, NULL};
  if (p->newarr && (b->arr = alloc_array(L, p->asize)) == NULL) return false;
  return !p->newhash || (b->hash = alloc_hash(L, p->hsize)) != NULL;
}

// What an insertion under way refers to, and perhaps nobody else: the settled forms of key and value too.
typedef struct Pending {
  const Value *v;
  uint64_t key, val;
} Pending;

static void keep_bits(lua_State *L, uint64_t b) {
  if (bits_tag(b) < TAG_STRING) return;
  v_setobj(L->top, TAG_INTERNAL, bits_str(b));
  L->top++;
}

typedef struct NewBlocks {
  const Table *t;
  const Key *k; // what is to be inserted, or NULL
  Plan *p;
  Blocks *b;
} NewBlocks;

// After a collection. What it took out of a weak table needs no room: less than planned may do. When it was somebody
// else's, the world is not stopped: then a shared table may change under the look, which set_shared finds out.
static bool try_blocks(lua_State *L, void *arg) {
  const NewBlocks *n = arg;
  if (n->k != NULL) plan_insert(n->p, n->t, n->k);
  return try_alloc(L, n->p, n->b);
}

// Four values on the stack: EXTRA_STACK has room for them.
static COLD void rescue_alloc(lua_State *L, Table *t, const Key *k, Plan *p, const Pending *pending, Blocks *b) {
  ptrdiff_t top = stack_save(L, L->top);
  if (ci_isLua(L->ci) && L->top < L->ci->top) L->top = L->ci->top;
  v_setobj(L->top, TAG_TABLE, t);
  L->top++;
  if (pending != NULL) {
    v_copy(L->top++, pending->v);
    keep_bits(L, pending->key);
    keep_bits(L, pending->val);
  }
  bool rescued = gc_rescue(L, try_blocks, &(NewBlocks){t, k, p, b});
  L->top = stack_restore(L, top);
  if (!rescued) call_memerror(L);
}

static Blocks plan_alloc(lua_State *L, Table *t, const Key *k, Plan *p, const Pending *pending) {
  Blocks b;
  check_sizes(L, p->newarr ? p->asize : 0, p->newhash ? p->hsize : 0);
  if (unlikely(!try_alloc(L, p, &b))) rescue_alloc(L, t, k, p, pending, &b);
  return b;
}

static bool plan_matches(const Plan *p, const Blocks *b) {
  if (p->newarr && (b->arr == NULL || b->arr->size != p->asize)) return false;
  if (!p->newhash) return true;
  return b->hash != NULL && (b->hash == &table_nohash ? p->hsize == 0 : b->hash->mask + 1 == p->hsize);
}

// Adds an absent key to a block with room. Value first: a reader that sees the key sees the value.
static TNode *put_node(HBlock *h, uint64_t kb, Place place, uint64_t val) {
  uint32_t i = home(h, place);
  while (slot_load(&h->node[i].key) != SLOT_EMPTY) i = (i + 1) & h->mask;
  if (bits_isint(kb)) set_has_ints(h);
  slot_store(&h->node[i].val, val);
  slot_store(&h->node[i].key, kb);
  uint32_t used = atomic_load_explicit(&h->used, memory_order_relaxed);
  atomic_store_explicit(&h->used, used + 1, memory_order_relaxed);
  return &h->node[i];
}

static void move_array(ABlock *to, const ABlock *from, HBlock *rest) {
  uint32_t common = to->size < from->size ? to->size : from->size;
  for (uint32_t i = 0; i < common; i++) {
    uint64_t b = atomic_load_explicit(&((ABlock *)from)->v[i].bits, memory_order_relaxed);
    atomic_store_explicit(&to->v[i].bits, b, memory_order_relaxed);
  }
  for (uint32_t i = common; i < from->size; i++) {
    uint64_t b = slot_load(&from->v[i]);
    if (!bits_isnil(b)) put_node(rest, SLOT_TAGGED(TAG_INT, (uint64_t)i + 1), place_ofword((uint64_t)i + 1), b);
  }
  uint32_t hint = atomic_load_explicit(&((ABlock *)from)->hint, memory_order_relaxed);
  if (to->size > 0) atomic_store_explicit(&to->hint, hint < to->size ? hint : to->size, memory_order_relaxed);
}

static void move_hash(HBlock *to, ABlock *arr, const HBlock *from) {
  for (uint32_t i = 0; i <= from->mask; i++) {
    const TNode *n = &from->node[i];
    uint64_t kb = slot_load(&n->key), vb = slot_load(&n->val);
    if (bits_isnil(vb) || bits_tag(kb) == TAG_EMPTY) continue;
    if (key_inarray(kb, arr->size)) {
      slot_store(&arr->v[bits_payload(kb) - 1], vb);
    } else {
      put_node(to, kb, place_ofbits(kb), vb);
    }
  }
}

// Not the static ones, nor what an iterator still walks.
static void release_block(lua_State *L, Obj *old) {
  if (!(atomic_load_explicit(&old->flags, memory_order_relaxed) & (OF_FIXED | OF_PINNED))) heap_release(L, old);
}

// Moves t into new blocks and publishes them, in the order that lock-free readers rely on (see the top).
static void plan_apply(lua_State *L, Table *t, const Plan *p, const Blocks *b) {
  ABlock *olda = arr_of(t), *a = p->newarr ? b->arr : olda;
  HBlock *oldh = hash_of(t), *h = p->newhash ? b->hash : oldh;
  if (p->newarr) move_array(a, olda, h);
  if (p->newhash) move_hash(h, a, oldh);
  if (a->size >= olda->size) {
    atomic_store_explicit(&t->arr, a, memory_order_release);
    atomic_store_explicit(&t->hash, h, memory_order_release);
  } else {
    atomic_store_explicit(&t->hash, h, memory_order_release);
    atomic_store_explicit(&t->arr, a, memory_order_release);
  }
  if (obj_isshared(t)) return; // somebody may be reading the old ones
  if (a != olda) release_block(L, &olda->hdr);
  if (h != oldh) release_block(L, &oldh->hdr);
}

void table_resize(lua_State *L, Table *t, uint32_t narray, uint32_t nhash) {
  Blocks b = {NULL, NULL};
  if (unlikely(narray > MAXSIZE || nhash > MAXSIZE / 2)) dbg_runerror(L, "table overflow");
  for (Plan p;;) {
    table_lock(t);
    bool change = plan_resize(&p, t, narray, nhash);
    bool ready = plan_matches(&p, &b);
    if (change && ready) plan_apply(L, t, &p, &b);
    table_unlock(t);
    if (!change || ready) return;
    b = plan_alloc(L, t, NULL, &p, NULL);
  }
}

// ---- set -----------------------------------------------------------------------------------------

// A string key became present: metamethods noted as absent may be there now. After the store (release): a reader that
// still sees a bit read it before.
static ALWAYS_INLINE void clear_absent(Table *t) {
  if (atomic_load_explicit(&t->hdr.aux32, memory_order_relaxed) != 0)
    atomic_store_explicit(&t->hdr.aux32, 0, memory_order_release);
}

// Stores over an entry that is in t, even if its value is nil now.
static ALWAYS_INLINE void store_over(Table *t, Slot *s, uint64_t val, bool isstr) {
  bool wasnil = bits_isnil(slot_load(s));
  slot_store(s, val);
  if (unlikely(isstr && wasnil)) clear_absent(t);
}

// Adds an absent key; there is room.
static void store_new(Table *t, const Key *k, uint64_t val) {
  ABlock *a = arr_of(t);
  if (k->tag == TAG_INT && k->u - 1u < a->size) {
    slot_store(&a->v[k->u - 1], val);
    return;
  }
  put_node(hash_of(t), k->bits, k->place, val);
  if (k->tag == TAG_STRING) clear_absent(t);
}

static ALWAYS_INLINE void unlock_written(lua_State *L, Table *t) {
  bool isclass = atomic_load_explicit(&t->hdr.flags, memory_order_relaxed) & OF_CLASS; // set under the lock
  spin_unlock(&t->hdr.lock);
  if (unlikely(isclass)) methods_strike(L->gl);
}

// Looks, and if need be grows, until the key is in. Blocks are allocated with the lock released; when others changed
// the table meanwhile so that they do not fit, they are dropped and made anew.
static NOINLINE void set_shared(lua_State *L, Table *t, Key *k, const Value *v) {
  if (unlikely(is_frozen(t))) refuse_frozen(L);
  share_value(L, v);
  uint64_t val = v_encode(L, v);
  Blocks b = {NULL, NULL};
  bool settled = k->match == MATCH_BITS;
  for (Plan p;;) {
    spin_lock(&t->hdr.lock);
    Slot *s = find_slot(t, k);
    if (s != NULL || bits_isnil(val)) {
      if (s != NULL) store_over(t, s, val, k->tag == TAG_STRING);
      break;
    }
    if (!settled) {
      spin_unlock(&t->hdr.lock);
      key_settle(L, k);
      settled = true;
      continue;
    }
    bool grow = plan_insert(&p, t, k);
    if (!grow || plan_matches(&p, &b)) {
      if (grow) plan_apply(L, t, &p, &b);
      store_new(t, k, val);
      break;
    }
    spin_unlock(&t->hdr.lock);
    b = plan_alloc(L, t, k, &p, &(Pending){v, k->bits, val});
  }
  unlock_written(L, t);
}

// t was unshared, until the collection that an insertion of k needed gave it to the goroutine of finalizers, because a
// dead object referred to it. (vm/gc_final.c)
static COLD void insert_givenaway(lua_State *L, Table *t, Key *k, const Value *v) {
  Value key;
  bits_decode(&key, k->bits);
  share_value(L, &key);
  set_shared(L, t, k, v);
}

// Unshared, k absent.
static NOINLINE void insert_unshared(lua_State *L, Table *t, Key *k, const Value *v) {
  Plan p;
  if (v_isnil(v)) return;
  uint64_t val = v_encode(L, v);
  key_settle(L, k);
  if (plan_insert(&p, t, k)) {
    Blocks b = plan_alloc(L, t, k, &p, &(Pending){v, k->bits, val});
    if (unlikely(obj_isshared(t))) {
      insert_givenaway(L, t, k, v);
      return;
    }
    plan_apply(L, t, &p, &b);
  }
  store_new(t, k, val);
}

// The entry is present with a value, or false.
static NOINLINE bool set_shared_existing(lua_State *L, Table *t, const Key *k, const Value *v) {
  if (unlikely(is_frozen(t))) refuse_frozen(L);
  share_value(L, v);
  uint64_t val = v_encode(L, v);
  spin_lock(&t->hdr.lock);
  Slot *s = find_slot(t, k);
  bool present = s != NULL && !bits_isnil(slot_load(s));
  if (present) slot_store(s, val);
  unlock_written(L, t);
  return present;
}

static NOINLINE void set_key(lua_State *L, Table *t, Key *k, const Value *v) {
  if (unlikely(obj_isshared(t))) {
    set_shared(L, t, k, v);
    return;
  }
  Slot *s = find_slot(t, k);
  if (likely(s != NULL)) {
    store_over(t, s, v_encode(L, v), k->tag == TAG_STRING);
  } else {
    insert_unshared(L, t, k, v);
  }
}

static NOINLINE void setint_slow(lua_State *L, Table *t, int64_t i, const Value *v) {
  Key k;
  key_ofword(&k, TAG_INT, (uint64_t)i);
  if (!obj_isshared(t) && !has_ints(hash_of(t)) && (uint64_t)i - 1u >= arr_of(t)->size) {
    insert_unshared(L, t, &k, v); // an append, mostly
  } else {
    set_key(L, t, &k, v);
  }
}

void table_setint(lua_State *L, Table *t, int64_t i, const Value *v) {
  ABlock *a = arr_of(t);
  if (likely((uint64_t)i - 1u < a->size && !obj_isshared(t))) {
    slot_store(&a->v[i - 1], v_encode(L, v));
  } else {
    setint_slow(L, t, i, v);
  }
}

static NOINLINE void setstr_slow(lua_State *L, Table *t, String *s, const Value *v) {
  Key k;
  TNode *n = unlikely(obj_isshared(t)) ? NULL : find_string(L->gl, hash_of(t), s);
  if (n != NULL) {
    store_over(t, &n->val, v_encode(L, v), true);
    return;
  }
  key_ofstr(&k, L->gl, s);
  if (obj_isshared(t)) {
    set_shared(L, t, &k, v);
  } else {
    insert_unshared(L, t, &k, v);
  }
}

void table_setstr(lua_State *L, Table *t, String *s, const Value *v) {
  uint64_t val;
  if (likely(!obj_isshared(t) && str_isinterned(s) && v_encode_fast(v, &val))) {
    TNode *n = find_bits(hash_of(t), SLOT_OBJ(TAG_STRING, s), place_ofinterned(s));
    if (likely(n != NULL)) {
      store_over(t, &n->val, val, true);
      return;
    }
  }
  setstr_slow(L, t, s, v);
}

void table_set(lua_State *L, Table *t, const Value *k, const Value *v) {
  Key key;
  switch (k->tag) {
  case TAG_STRING: table_setstr(L, t, v_str(k), v); return;
  case TAG_INT: table_setint(L, t, k->i, v); return;
  case TAG_NIL: dbg_runerror(L, "table index is nil");
  case TAG_FLOAT:
    if (unlikely(k->n != k->n)) dbg_runerror(L, "table index is NaN");
    break;
  default: break;
  }
  share_into(L, t, k);
  key_of(&key, L->gl, k);
  set_key(L, t, &key, v);
}

static NOINLINE bool setkey_existing(lua_State *L, Table *t, const Key *k, const Value *v) {
  if (unlikely(obj_isshared(t))) return set_shared_existing(L, t, k, v);
  Slot *s = find_slot(t, k);
  if (s == NULL || bits_isnil(slot_load(s))) return false;
  slot_store(s, v_encode(L, v));
  return true;
}

bool table_setint_existing(lua_State *L, Table *t, int64_t i, const Value *v) {
  ABlock *a = arr_of(t);
  if (likely((uint64_t)i - 1u < a->size && !obj_isshared(t))) {
    Slot *s = &a->v[i - 1];
    if (bits_isnil(slot_load(s))) return false;
    slot_store(s, v_encode(L, v));
    return true;
  }
  if (!has_ints(hash_of(t)) && !obj_isshared(t)) return false;
  Key k;
  key_ofword(&k, TAG_INT, (uint64_t)i);
  return setkey_existing(L, t, &k, v);
}

bool table_set_existing(lua_State *L, Table *t, const Value *k, const Value *v) {
  if (likely(v_isint(k))) return table_setint_existing(L, t, k->i, v);
  Key key;
  key_of(&key, L->gl, k);
  return setkey_existing(L, t, &key, v);
}

bool table_setfield_existing(lua_State *L, Table *t, String *s, _Atomic uint16_t *hint, const Value *v) {
  TNode *n = find_field(L->gl, hash_of(t), s, hint);
  if (n == NULL || bits_isnil(slot_load(&n->val))) return false;
  if (likely(!obj_isshared(t))) {
    slot_store(&n->val, v_encode(L, v));
    return true;
  }
  Key k;
  key_ofstr(&k, L->gl, s);
  return set_shared_existing(L, t, &k, v);
}

void table_setlist(lua_State *L, Table *t, int64_t first, const Value *v, uint32_t n) {
  if (n == 0) return;
  uint64_t last = (uint64_t)first + n - 1;
  if (unlikely(obj_isshared(t) || first < 1 || last > MAXSIZE)) {
    for (uint32_t i = 0; i < n; i++) table_setint(L, t, first + i, &v[i]);
    return;
  }
  if (last > arr_of(t)->size) table_resize(L, t, (uint32_t)last, 0);
  ABlock *a = arr_of(t);
  for (uint32_t i = 0; i < n; i++) slot_store(&a->v[first - 1 + i], v_encode(L, &v[i]));
  atomic_store_explicit(&a->hint, (uint32_t)last, memory_order_relaxed);
}

// ---- length --------------------------------------------------------------------------------------

static ALWAYS_INLINE bool slot_full(const ABlock *a, uint32_t key) { return !bits_isnil(slot_load(&a->v[key - 1])); }

// A border in [lo, hi]: key lo is present (or 0), key hi is not.
static uint32_t array_search(const ABlock *a, uint32_t lo, uint32_t hi) {
  while (hi - lo > 1) {
    uint32_t mid = lo + (hi - lo) / 2;
    if (slot_full(a, mid)) {
      lo = mid;
    } else {
      hi = mid;
    }
  }
  return lo;
}

// Key lo is present, key hi is not; looks near lo first: the array was probably appended to since the last time.
static uint32_t array_gallop(const ABlock *a, uint32_t lo, uint32_t hi) {
  for (uint32_t step = 1; hi - lo > step; step *= 2) {
    if (!slot_full(a, lo + step)) return array_search(a, lo, lo + step);
    lo += step;
  }
  return array_search(a, lo, hi);
}

// A border of the array part; its size when the last slot is full.
static uint32_t array_border(const ABlock *a, uint32_t hint) {
  uint32_t size = a->size;
  if (hint > size) hint = size;
  if (hint > 0 && !slot_full(a, hint)) {
    if (hint == 1 || slot_full(a, hint - 1)) return hint - 1; // an element was popped
    return array_search(a, 0, hint);
  }
  if (hint == size || !slot_full(a, hint + 1)) return hint;
  if (slot_full(a, size)) return size;
  return array_gallop(a, hint + 1, size);
}

static bool int_present(lua_State *L, const Table *t, uint64_t k) {
  Value v;
  return table_getint(L, t, (int64_t)k, &v);
}

// Key lo is present. Doubles until an absent key is found, then halves. A table made to defeat the doubling (all powers
// of two present) has its border at the largest integer.
static int64_t hash_search(lua_State *L, const Table *t, uint64_t lo) {
  uint64_t hi = lo + 1;
  while (int_present(L, t, hi)) {
    lo = hi;
    if (hi == INT64_MAX) return INT64_MAX;
    hi = hi > INT64_MAX / 2 ? INT64_MAX : hi * 2;
  }
  while (hi - lo > 1) {
    uint64_t mid = lo + (hi - lo) / 2;
    if (int_present(L, t, mid)) {
      lo = mid;
    } else {
      hi = mid;
    }
  }
  return (int64_t)lo;
}

int64_t table_len(lua_State *L, Table *t) {
  ABlock *a = arr_of(t);
  uint32_t n = 0;
  if (a->size > 0) {
    uint32_t hint = atomic_load_explicit(&a->hint, memory_order_relaxed);
    n = array_border(a, hint);
    if (n != hint) atomic_store_explicit(&a->hint, n, memory_order_relaxed);
    if (n < a->size) return n;
  }
  if (!has_ints(hash_of(t)) || !int_present(L, t, (uint64_t)n + 1)) return n;
  return hash_search(L, t, (uint64_t)n + 1);
}

// ---- iteration -----------------------------------------------------------------------------------

// A pair of blocks that belong together: every integer key is in at least one of them.
static void snapshot(const Table *t, ABlock **a, HBlock **h) {
  do {
    *a = arr_of(t);
    *h = hash_of(t);
  } while (unlikely(arr_of(t) != *a));
}

// A key whose object died keeps its place as TAG_EMPTY with the address.
static TNode *find_dead(const HBlock *h, const Value *k) {
  if (!v_iscollectable(k)) return NULL;
  return find_bits(h, SLOT_TAGGED(TAG_EMPTY, (uintptr_t)k->p), place_ofword(k->u));
}

// Position behind key k: 0 before everything, then array indexes, then nodes.
static ALWAYS_INLINE bool position_after(lua_State *L, const ABlock *a, const HBlock *h, const Value *k,
                                         uint64_t *pos) {
  const TNode *n;
  *pos = 0;
  if (likely(k->tag == TAG_STRING)) {
    n = find_string(L->gl, h, v_str(k));
  } else {
    Key key;
    if (v_isnil(k)) return true;
    key_of(&key, L->gl, k);
    if (key.tag == TAG_INT && key.u - 1u < a->size) {
      *pos = key.u;
      return true;
    }
    n = find_key(h, &key);
  }
  if (unlikely(n == NULL)) n = find_dead(h, k);
  if (unlikely(n == NULL)) return false;
  *pos = (uint64_t)a->size + (uint64_t)(n - h->node) + 1;
  return true;
}

// The key is not in these blocks: in others, which have replaced them meanwhile, or nowhere.
static NOINLINE uint64_t position_again(lua_State *L, Table *t, ABlock **a, HBlock **h, const Value *k) {
  uint64_t pos;
  do {
    const ABlock *a0 = *a;
    const HBlock *h0 = *h;
    snapshot(t, a, h);
    if (*a == a0 && *h == h0) dbg_runerror(L, "invalid key to 'next'");
  } while (!position_after(L, *a, *h, k, &pos));
  return pos;
}

int table_next(lua_State *L, Table *t, const Value *k, Value *key, Value *val) {
  ABlock *a;
  HBlock *h;
  uint64_t pos;
  snapshot(t, &a, &h);
  if (unlikely(!position_after(L, a, h, k, &pos))) {
    ABlock *a2 = a; // others, whose address is taken: a and h stay in registers
    HBlock *h2 = h;
    pos = position_again(L, t, &a2, &h2, k);
    a = a2;
    h = h2;
  }
  for (; pos < a->size; pos++) {
    bits_decode(val, slot_load(&a->v[pos]));
    if (v_isnil(val)) continue;
    v_setint(key, (int64_t)pos + 1);
    return 1;
  }
  for (pos -= a->size; pos <= h->mask; pos++) {
    const TNode *n = &h->node[pos];
    uint64_t kb = slot_load(&n->key);
    if (bits_tag(kb) == TAG_EMPTY) continue;
    bits_decode(val, slot_load(&n->val));
    if (v_isnil(val)) continue;
    bits_decode(key, kb);
    return 1;
  }
  return 0;
}

// One node of the walked block. In a block that was replaced the key counts, not the value.
static bool iter_node(lua_State *L, const Table *t, const TNode *n, bool current, uint32_t asize, Value *key,
                      Value *val) {
  uint64_t kb = slot_load(&n->key);
  if (bits_tag(kb) == TAG_EMPTY || key_inarray(kb, asize)) return false; // in the array when we began: visited there
  bits_decode(key, kb);
  if (unlikely(!current)) return table_get(L, t, key, val);
  bits_decode(val, slot_load(&n->val));
  return !v_isnil(val);
}

// The block must outlive its replacement. (An array block is read anew at each step.)
static void pin_block(HBlock *h) {
  if (!(atomic_load_explicit(&h->hdr.flags, memory_order_relaxed) & OF_PINNED))
    atomic_fetch_or_explicit(&h->hdr.flags, OF_PINNED, memory_order_relaxed);
}

// *pos: the size of the array part at the start in the upper half, the position (indexes, then nodes) in the lower.
bool table_iter(lua_State *L, Table *t, Obj **pin, uint64_t *pos, Value *key, Value *val) {
  ABlock *a;
  HBlock *h = (HBlock *)*pin;
  if (h == NULL) {
    snapshot(t, &a, &h);
    pin_block(h);
    *pin = &h->hdr;
    *pos = (uint64_t)a->size << 32;
  } else {
    a = arr_of(t);
  }
  uint32_t asize = (uint32_t)(*pos >> 32), i = (uint32_t)*pos;
  for (; i < asize; i++) {
    if (likely(i < a->size)) {
      bits_decode(val, slot_load(&a->v[i]));
    } else {
      table_getint_slow(L, t, (int64_t)i + 1, val); // the array part shrank
    }
    if (v_isnil(val)) continue;
    v_setint(key, (int64_t)i + 1);
    *pos = (uint64_t)asize << 32 | (i + 1);
    return true;
  }
  bool current = hash_of(t) == h;
  for (; i - asize <= h->mask; i++) {
    if (!iter_node(L, t, &h->node[i - asize], current, asize, key, val)) continue;
    *pos = (uint64_t)asize << 32 | (i + 1);
    return true;
  }
  *pos = (uint64_t)asize << 32 | i;
  return false;
}

// ---- check ---------------------------------------------------------------------------------------

static void check_node(const Table *t, const HBlock *h, const TNode *n) {
  uint64_t kb = slot_load(&n->key);
  uint32_t tag = bits_tag(kb);
  if (tag == TAG_EMPTY) {
    if (!bits_isnil(slot_load(&n->val))) lg_fatal("table: value without a key");
    return;
  }
  if (tag == TAG_NIL || bits_tag(slot_load(&n->val)) == TAG_EMPTY) lg_fatal("table: impossible node");
  if (tag == TAG_STRING && bits_str(kb)->len <= STR_MAXINTERN && !str_isinterned(bits_str(kb)))
    lg_fatal("table: short key is not interned");
  if (key_inarray(kb, arr_of(t)->size)) lg_fatal("table: integer key in the wrong part");
  if (bits_isint(kb) && !has_ints(h)) lg_fatal("table: integer keys not announced");
  if (find_bits(h, kb, place_ofbits(kb)) != n) lg_fatal("table: key cannot be found");
}

// The table must be unshared or locked.
void table_check(const Table *t) {
  const ABlock *a = arr_of(t);
  const HBlock *h = hash_of(t);
  uint32_t used = 0;
  if (a->hdr.type != OBJ_ABLOCK || h->hdr.type != OBJ_HBLOCK) lg_fatal("table: wrong blocks");
  if ((a->size == 0) != (a == &table_noarray)) lg_fatal("table: empty array block");
  if ((h->mask & (h->mask + 1)) != 0) lg_fatal("table: hash size is no power of two");
  for (uint32_t i = 0; i <= h->mask; i++) {
    used += slot_load(&h->node[i].key) != SLOT_EMPTY;
    check_node(t, h, &h->node[i]);
  }
  if (h == &table_nohash) return;
  if (used != atomic_load_explicit(&((HBlock *)h)->used, memory_order_relaxed)) lg_fatal("table: wrong node count");
  if (used > hash_capacity(h->mask + 1)) lg_fatal("table: hash part too full");
}
