// SPDX-License-Identifier: MIT
//
// table_test.c: tables: random operations against a model, borders, iteration, the shared bit, and a stress of readers
// without locks against several writers (run it under the thread sanitizer too).
// Protects: vm/table.c, vm/share.c, vm/func.c.
#include "objects_fixture.h"
#include <math.h>
#include <pthread.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define SCALE 10 // everything takes that much longer
#else
#define SCALE 1
#endif

static bool get_is(lua_State *L, Table *t, Value k, Value want) {
  Value v;
  bool found = table_get(L, t, &k, &v);
  return found == !v_isnil(&want) && (v_isnil(&want) ? v_isnil(&v) : value_rawequal(&v, &want));
}
static void set(lua_State *L, Table *t, Value k, Value v) { table_set(L, t, &k, &v); }
static void seti(lua_State *L, Table *t, int64_t k, int64_t v) {
  Value x = vint(v);
  table_setint(L, t, k, &x);
}
static void cleari(lua_State *L, Table *t, int64_t k) {
  Value x = vnil();
  table_setint(L, t, k, &x);
}
static Table *newtab(lua_State *L) { return table_new(L, 0, 0); }
static Table *shared(lua_State *L, Table *t) {
  share_obj(L, &t->hdr);
  return t;
}

// ---- keys ----------------------------------------------------------------------------------------

static void test_keys(lua_State *L, Table *t) {
  char longkey[100];
  memset(longkey, 'k', sizeof longkey);
  String *interned = str_intern(L, "name", 4);
  Table *obj = newtab(L);
  Value keys[] = {vint(0),
                  vint(-7),
                  vint(INT64_MAX),
                  vint(INT64_MIN),
                  vflt(1.5),
                  vflt(INFINITY),
                  vflt(-INFINITY),
                  vflt(0x1p70),
                  vbool(true),
                  vbool(false),
                  vlight(NULL),
                  vlight((void *)UINT64_C(0xfedcba9876543210)),
                  vtab(obj),
                  vstr(interned),
                  vstr(str_newz(L, "other")),
                  vstr(str_new(L, longkey, sizeof longkey)),
                  vstr(str_new(L, "a\0b", 3)),
                  vstr(str_newz(L, ""))};
  int n = sizeof keys / sizeof *keys;
  for (int i = 0; i < n; i++) CHECK(get_is(L, t, keys[i], vnil()));
  for (int i = 0; i < n; i++) set(L, t, keys[i], vint(i + 1));
  for (int i = 0; i < n; i++) CHECK(get_is(L, t, keys[i], vint(i + 1)));
  CHECK(get_is(L, t, vflt(-7.0), vint(2)) && get_is(L, t, vflt(-0.0), vint(1)));
  CHECK(get_is(L, t, vflt(-0x1p63), vint(4)) && get_is(L, t, vflt(0x1p63), vnil()));
  CHECK(get_is(L, t, vstr(str_newz(L, "name")), vint(14)) && get_is(L, t, vstr(str_intern(L, "other", 5)), vint(15)));
  CHECK(get_is(L, t, vstr(str_new(L, longkey, sizeof longkey)), vint(16)));
  CHECK(get_is(L, t, vlight(interned), vnil()) && get_is(L, t, vint(1), vnil()));
  double nan_like_table; // a NaN with the bits of a table key must find nothing
  uint64_t bits = SLOT_TAGGED(TAG_TABLE, (uintptr_t)obj);
  memcpy(&nan_like_table, &bits, 8);
  CHECK(get_is(L, t, vflt(nan_like_table), vnil()) && get_is(L, t, vnil(), vnil()));
  table_check(t);
  for (int i = 0; i < n; i++) set(L, t, keys[i], vnil());
  for (int i = 0; i < n; i++) CHECK(get_is(L, t, keys[i], vnil()));
  table_check(t);
}

static Value bad_key;
static void set_bad_key(lua_State *L, void *ud) { set(L, ud, bad_key, vint(1)); }
static void next_bad_key(lua_State *L, void *ud) {
  Value k, v;
  table_next(L, ud, &bad_key, &k, &v);
}
static void raises(lua_State *L, void (*f)(lua_State *, void *), Table *t, Value key, const char *msg) {
  bad_key = key;
  CHECK(vm_rawprotected(L, f, t) == LUA_ERRRUN && strstr(v_str(L->top - 1)->data, msg) != NULL);
  L->top--;
}
static void test_errors(lua_State *L) {
  Table *t = newtab(L);
  raises(L, set_bad_key, t, vnil(), "table index is nil");
  raises(L, set_bad_key, t, vflt(NAN), "table index is NaN");
  raises(L, next_bad_key, t, vint(5), "invalid key to 'next'");
  raises(L, next_bad_key, t, vstr(str_newz(L, "x")), "invalid key to 'next'");
  raises(L, set_bad_key, shared(L, t), vnil(), "table index is nil");
}

static void test_fields(lua_State *L, Table *t) {
  _Atomic uint16_t hint = 12345;
  char name[16];
  Value v;
  for (int i = 0; i < 100; i++) {
    snprintf(name, sizeof name, "f%d", i);
    String *s = str_internz(L, name);
    v = vint(i);
    CHECK(!table_getfield(L, t, s, &hint, &v) && !table_setfield_existing(L, t, s, &hint, &v));
    v = vint(i);
    table_setstr(L, t, s, &v);
    CHECK(table_getfield(L, t, s, &hint, &v) && v.i == i);
    v = vint(-i);
    CHECK(table_setfield_existing(L, t, s, &hint, &v) && table_getstr(L, t, str_newz(L, name), &v) && v.i == -i);
  }
  String *f = str_internz(L, "f7");
  v = vnil();
  CHECK(table_setfield_existing(L, t, f, &hint, &v)); // nil removes
  v = vint(1);
  CHECK(!table_setfield_existing(L, t, f, &hint, &v) && !table_getfield(L, t, f, &hint, &v));
  CHECK(!table_setint_existing(L, t, 1, &v) && !table_getint(L, t, 1, &v));
  table_check(t);
}

static void test_absence_bits(lua_State *L, Table *t) {
  String *s = str_internz(L, "__index");
  Value v = vint(1), nil = vnil();
  atomic_store(&t->hdr.aux32, 0xff);
  seti(L, t, 1, 1);
  CHECK(atomic_load(&t->hdr.aux32) == 0xff);
  table_setstr(L, t, s, &v);
  CHECK(atomic_load(&t->hdr.aux32) == 0);
  table_setstr(L, t, s, &nil);
  atomic_store(&t->hdr.aux32, 0xff);
  table_setstr(L, t, s, &v); // the node is still there: presence counts
  CHECK(atomic_load(&t->hdr.aux32) == 0);
}

// ---- against a model -----------------------------------------------------------------------------

enum { NKEYS = 400 };
static Value model_key[NKEYS];
static int64_t model_val[NKEYS]; // 0: absent

static void model_init(lua_State *L) {
  for (int i = 0; i < NKEYS; i++) {
    model_val[i] = 0;
    if (i < 200) {
      model_key[i] = vint(i - 20);
    } else if (i < 300) {
      model_key[i] = vstr(i % 2 ? str_fmt(L, "key%d", i) : str_internz(L, str_fmt(L, "key%d", i)->data));
    } else if (i < 330) {
      model_key[i] = vflt(i + 0.5);
    } else if (i < 360) {
      model_key[i] = vtab(newtab(L));
    } else {
      model_key[i] = vint((INT64_C(1) << (i - 350 + 10)) + 1);
    }
  }
}

static int model_index(const Value *k) {
  for (int i = 0; i < NKEYS; i++)
    if (value_rawequal(&model_key[i], k)) return i;
  return -1;
}

static void model_verify(lua_State *L, Table *t) {
  static int seen[NKEYS], round;
  int n = 0, live = 0;
  Value k = vnil(), v;
  table_check(t);
  round++;
  for (int i = 0; i < NKEYS; i++) {
    live += model_val[i] != 0;
    CHECK(get_is(L, t, model_key[i], model_val[i] ? vint(model_val[i]) : vnil()));
  }
  for (; table_next(L, t, &k, &k, &v); n++) {
    int i = model_index(&k);
    CHECK(i >= 0 && seen[i] != round && v.i == model_val[i]);
    seen[i] = round;
  }
  CHECK(n == live);
  Obj *pin = NULL;
  uint64_t pos = 0;
  for (n = 0, round++; table_iter(L, t, &pin, &pos, &k, &v); n++) {
    int i = model_index(&k);
    CHECK(i >= 0 && seen[i] != round && v.i == model_val[i]);
    seen[i] = round;
  }
  CHECK(n == live && !table_iter(L, t, &pin, &pos, &k, &v));
  int64_t len = table_len(L, t);
  CHECK((len == 0 || table_getint(L, t, len, &v)) && !table_getint(L, t, len + 1, &v));
}

static void model_step(lua_State *L, Table *t, uint64_t *seed) {
  int i = (int)(rnd(seed) % NKEYS);
  Value k = model_key[i], v = vint(1 + (int64_t)(rnd(seed) % 1000));
  if (v_isstring(&k) && rnd(seed) % 2) k = vstr(str_new(L, v_str(&k)->data, v_str(&k)->len)); // equal, not same
  if (rnd(seed) % 3 == 0) v = vnil();
  int64_t want = v_isnil(&v) ? 0 : v.i;
  if (rnd(seed) % 4 == 0) {
    bool had = model_val[i] != 0;
    CHECK(table_set_existing(L, t, &k, &v) == had);
    if (!had) return;
  } else {
    table_set(L, t, &k, &v);
  }
  model_val[i] = want;
}

static void test_model(lua_State *L, bool is_shared) {
  uint64_t seed = 7 + is_shared;
  for (int round = 0; round < 20 / SCALE + 1; round++) {
    Table *t = table_new(L, (uint32_t)(rnd(&seed) % 20), (uint32_t)(rnd(&seed) % 20));
    if (is_shared) shared(L, t);
    model_init(L);
    for (int i = 0; i < 3000; i++) {
      model_step(L, t, &seed);
      if (i % 100 == 0) model_verify(L, t);
      if (i % 500 == 0) table_resize(L, t, (uint32_t)(rnd(&seed) % 100), (uint32_t)(rnd(&seed) % 100));
    }
    model_verify(L, t);
  }
}

// ---- arrays --------------------------------------------------------------------------------------

static void test_append(lua_State *L, Table *t) {
  Value v;
  for (int64_t i = 1; i <= 10000; i++) {
    seti(L, t, table_len(L, t) + 1, i);
    CHECK(table_len(L, t) == i);
  }
  CHECK(atomic_load(&t->arr)->size >= 10000 && atomic_load(&t->hash) == &table_nohash);
  for (int64_t i = 10000; i > 0; i--) {
    CHECK(table_getint(L, t, table_len(L, t), &v) && v.i == i);
    cleari(L, t, i);
  }
  CHECK(table_len(L, t) == 0);
  table_check(t);
}

// A queue: indexes move up, memory must not.
static void test_queue(lua_State *L, Table *t) {
  int64_t head = 1, tail = 1;
  Value v;
  for (int i = 0; i < 100000 / SCALE; i++) {
    seti(L, t, tail, tail);
    tail++;
    if (tail - head > 50) {
      CHECK(table_getint(L, t, head, &v) && v.i == head);
      cleari(L, t, head++);
    }
  }
  CHECK(atomic_load(&t->arr)->size <= 1024 && atomic_load(&t->hash)->mask < 1024);
  table_check(t);
}

static void test_reverse_fill(lua_State *L, Table *t) {
  Value v;
  for (int64_t i = 1000; i > 0; i--) seti(L, t, i, i);
  CHECK(table_len(L, t) == 1000);
  for (int64_t i = 1; i <= 1000; i++) CHECK(table_getint(L, t, i, &v) && v.i == i);
  for (int64_t i = 1001; i <= 5000; i++) seti(L, t, i, i);
  CHECK(table_len(L, t) == 5000 && atomic_load(&t->arr)->size >= 4096);
  table_check(t);
}

static void test_sparse(lua_State *L) {
  Table *t = newtab(L);
  for (int b = 0; b < 62; b++) seti(L, t, INT64_C(1) << b, b);
  CHECK(atomic_load(&t->arr)->size <= 8);
  int64_t n = table_len(L, t);
  Value v;
  CHECK(table_getint(L, t, n, &v) && !table_getint(L, t, n + 1, &v));
  t = newtab(L);
  seti(L, t, INT64_MAX, 1);
  CHECK(table_len(L, t) == 0);
}

static void test_setlist(lua_State *L) {
  Value v[120], out;
  for (int i = 0; i < 120; i++) v[i] = vint(i);
  Table *t = table_new(L, 60, 0);
  table_setlist(L, t, 1, v, 50);
  table_setlist(L, t, 51, v + 50, 70); // more than announced: open call at the end
  CHECK(table_len(L, t) == 120 && atomic_load(&t->arr)->size == 120);
  CHECK(table_getint(L, t, 120, &out) && out.i == 119);
  t = table_new(L, 5, 0);
  v[3] = vnil();
  table_setlist(L, t, 1, v, 5); // {0, 1, 2, nil, 4}: Lua finds 5
  CHECK(table_len(L, t) == 5);
  table_setlist(L, shared(L, newtab(L)), 1, v, 5);
  t = table_new(L, 1000, 0); // named fields do not cost a table the size it was made with
  for (int i = 0; i < 20; i++) set(L, t, vstr(str_fmt(L, "n%d", i)), vint(i));
  CHECK(atomic_load(&t->arr)->size == 1000);
}

static void test_churn(lua_State *L, Table *t) {
  for (int i = 0; i < 100000 / SCALE; i++) {
    Value k = vflt(i + 0.5);
    set(L, t, k, vint(i));
    if (i >= 20) set(L, t, vflt(i - 20 + 0.5), vnil());
  }
  CHECK(atomic_load(&t->hash)->mask < 256);
  table_check(t);
}

// ---- iteration -----------------------------------------------------------------------------------

// The table is rebuilt again and again under the loop: untouched entries come exactly once, removed ones never.
static void test_iter_rebuild(lua_State *L) {
  for (int when = 0; when < 60; when += 7) {
    static int seen[60];
    Table *t = newtab(L);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 30; i++) seti(L, t, i + 1, i);
    for (int i = 30; i < 60; i++) set(L, t, i % 2 ? vint(i * 1000) : vstr(str_fmt(L, "k%d", i)), vint(i));
    Obj *pin = NULL;
    uint64_t pos = 0;
    Value k, v;
    int n = 0, extra = 0, removed = 0;
    while (table_iter(L, t, &pin, &pos, &k, &v)) {
      if (v.i < 60) CHECK(seen[v.i]++ == 0);
      if (n++ != when) continue;
      for (int i = 31; i <= 3000; i++) seti(L, t, i, 1000 + i); // moves everything, 31000 and 33000... stay
      for (; extra < 500; extra++) set(L, t, vstr(str_fmt(L, "x%d", extra)), vint(2000));
      table_resize(L, t, 10000, 10);
      for (removed = 58; removed > 30 && seen[removed]; removed -= 2) continue; // one that is still to come
      if (removed > 30) set(L, t, vstr(str_fmt(L, "k%d", removed)), vnil());
    }
    for (int i = 0; i < 60; i++) CHECK(seen[i] == (i == removed && i > 30 ? 0 : 1));
  }
}

static void test_next_clear(lua_State *L) {
  Table *t = newtab(L);
  Value k = vnil(), v;
  int n = 0;
  for (int i = 0; i < 100; i++) set(L, t, vtab(newtab(L)), vint(i));
  for (int i = 1; i <= 100; i++) seti(L, t, i, i);
  while (table_next(L, t, &k, &k, &v)) {
    set(L, t, k, vnil()); // allowed by Lua
    HBlock *h = atomic_load(&t->hash);
    for (uint32_t i = 0; n == 150 && i <= h->mask; i++) { // as the collector does it to dead keys
      uint64_t kb = slot_load(&h->node[i].key);
      if (bits_tag(kb) == TAG_TABLE && bits_isnil(slot_load(&h->node[i].val)))
        slot_store(&h->node[i].key, SLOT_TAGGED(TAG_EMPTY, bits_payload(kb)));
    }
    n++;
  }
  CHECK(n == 200);
  table_check(t);
  set(L, t, vtab(newtab(L)), vint(1));
  table_check(t);
}

// ---- the shared bit ------------------------------------------------------------------------------

static void test_share(lua_State *L) {
  Table *a = newtab(L), *b = newtab(L), *c = newtab(L), *mt = newtab(L), *key = newtab(L), *later = newtab(L);
  seti(L, a, 1, 1);
  set(L, a, vint(2), vtab(b));
  set(L, a, vtab(key), vbool(true));
  Value vc = vtab(c), v;
  Cell *cell = cell_new(L, &vc);
  v_setobj(&v, TAG_INTERNAL, cell);
  CClosure *f = ccl_new(L, NULL, 1);
  slot_store(&f->upv[0], v_encode(L, &vc));
  v_setobj(&v, TAG_CCL, f);
  set(L, b, vstr(str_newz(L, "f")), v);
  table_setmeta(L, b, mt);
  set(L, mt, vint(1), vtab(a)); // a cycle
  lua_State *co = thread_new(L);
  Table *onstack = newtab(L);
  v = vtab(onstack);
  v_copy(co->top++, &v);
  v_setthread(&v, co);
  set(L, a, vint(3), v);
  CHECK(!obj_isshared(a) && !obj_isshared(c));
  share_obj(L, &a->hdr);
  CHECK(obj_isshared(a) && obj_isshared(b) && obj_isshared(c) && obj_isshared(mt) && obj_isshared(key));
  CHECK(obj_isshared(thread_of(co)) && obj_isshared(onstack) && obj_isshared(f) && !obj_isshared(later));
  set(L, a, vint(100), vtab(later));
  CHECK(obj_isshared(later));
  Table *deep = newtab(L), *top = deep;
  for (int i = 0; i < 100000 / SCALE; i++) { // deeper than any C stack
    Table *t = newtab(L);
    set(L, t, vint(1), vtab(top));
    top = t;
  }
  share_obj(L, &top->hdr);
  CHECK(obj_isshared(deep));
  share_universe(L);
  CHECK(atomic_load(&L->gl->multi) && obj_isshared(L->gl->registry.o));
}

// ---- several threads -----------------------------------------------------------------------------
// Every value tells which key it belongs to. Permanent entries (2000 integers, 200 strings, 50 large integers) are
// there before the threads start and are only overwritten: a reader must find them at every moment, through all the
// growing and shrinking that the writers cause with other keys. Iterators must see each of them exactly once.

enum { PERM = 2000, PERMSTR = 200, PERMBIG = 50, WRITERS = 3, READERS = 3 };
static lua_State *mainL;
static Table *arena;
static String *perm_str[PERMSTR];
static _Atomic bool done;
#define BIG(i) ((INT64_C(1) << 60) + (i))

static int64_t stamp(int64_t key, uint64_t r) { return key * 4096 + (int64_t)(r & 4095); }
static bool stamped(const Value *v, int64_t key) { return v_isint(v) && (v->i >> 12) == key; }

static void write_perm(lua_State *L, uint64_t *seed) {
  uint64_t r = rnd(seed);
  int64_t i = (int64_t)(r >> 20);
  Value v;
  switch (r & 3) {
  case 0:
  case 1:
    i = 1 + i % PERM;
    v = vint(stamp(i, r >> 5));
    table_setint(L, arena, i, &v);
    break;
  case 2:
    i = i % PERMSTR;
    v = vint(stamp(i, r >> 5));
    table_setstr(L, arena, perm_str[i], &v);
    break;
  default: {
    Value k = vint(BIG(i % PERMBIG));
    v = vint(stamp(i % PERMBIG, r >> 5));
    CHECK_QUIET(table_set_existing(L, arena, &k, &v));
  }
  }
}

static void *writer(void *arg) {
  Worker w;
  worker_init(&w, mainL);
  lua_State *L = w.L;
  uint64_t seed = 1000 + (uintptr_t)arg;
  int64_t base = PERM + 1 + (int64_t)(intptr_t)arg * 100000;
  for (int round = 0; round < 60 / SCALE + 2; round++) {
    for (int i = 0; i < 3000; i++) {
      write_perm(L, &seed);
      uint64_t r = rnd(&seed);
      int64_t k = r % 3 == 0 ? table_len(L, arena) + 1 : base + (int64_t)(r >> 10) % 3000;
      Value v = vint(stamp(k, r >> 40)), f;
      if (k > PERM) table_setint(L, arena, k, &v);
      if (r % 5 == 0) {
        f = vstr(str_fmt(L, "temp%d", (int)(r >> 30) % 500));
        table_set(L, arena, &f, &v);
      }
    }
    Value nil = vnil();
    for (int64_t k = base; k < base + 3000; k++) table_setint(L, arena, k, &nil);
    for (int64_t k = table_len(L, arena); k > PERM; k--) table_setint(L, arena, k, &nil);
    for (int i = 0; i < 500; i++) {
      Value f = vstr(str_fmt(L, "temp%d", i));
      table_set(L, arena, &f, &nil);
    }
  }
  worker_end(&w);
  return NULL;
}

static void read_perm(lua_State *L, uint64_t *seed, _Atomic uint16_t *hint) {
  uint64_t r = rnd(seed);
  int64_t i = 1 + (int64_t)((r >> 8) % PERM);
  Value v, k;
  CHECK_QUIET(table_getint(L, arena, i, &v) && stamped(&v, i));
  i = (int64_t)((r >> 20) % PERMSTR);
  CHECK_QUIET(table_getfield(L, arena, perm_str[i], hint, &v) && stamped(&v, i));
  i = (int64_t)((r >> 30) % PERMBIG);
  k = vint(BIG(i));
  CHECK_QUIET(table_get(L, arena, &k, &v) && stamped(&v, i));
  i = PERM + 1 + (int64_t)((r >> 33) % 300000);
  CHECK_QUIET(!table_getint(L, arena, i, &v) || stamped(&v, i));
  CHECK_QUIET(table_len(L, arena) >= 0);
}

static void read_all(lua_State *L) {
  static _Thread_local uint8_t seen[PERM + 1];
  int n = 0, nstr = 0, nbig = 0;
  Obj *pin = NULL;
  uint64_t pos = 0;
  Value k, v;
  memset(seen, 0, sizeof seen);
  while (table_iter(L, arena, &pin, &pos, &k, &v)) {
    if (v_isint(&k) && k.i <= PERM) {
      CHECK_QUIET(k.i >= 1 && stamped(&v, k.i) && seen[k.i]++ == 0);
      n++;
    } else if (v_isint(&k)) {
      nbig += k.i >= BIG(0);
    } else {
      nstr += v_str(&k)->data[0] == 'p';
    }
  }
  CHECK_QUIET(n == PERM && nstr == PERMSTR && nbig == PERMBIG);
}

static void *reader(void *arg) {
  Worker w;
  worker_init(&w, mainL);
  uint64_t seed = 5000 + (uintptr_t)arg;
  static _Atomic uint16_t hint;
  while (!atomic_load(&done)) {
    for (int i = 0; i < 500; i++) read_perm(w.L, &seed, &hint);
    read_all(w.L);
  }
  worker_end(&w);
  return NULL;
}

static void test_threads(lua_State *L) {
  pthread_t wt[WRITERS], rt[READERS];
  Value v;
  mainL = L;
  arena = shared(L, newtab(L));
  for (int i = 1; i <= PERM; i++) seti(L, arena, i, stamp(i, 0));
  for (int i = 0; i < PERMBIG; i++) seti(L, arena, BIG(i), stamp(i, 0));
  for (int i = 0; i < PERMSTR; i++) {
    perm_str[i] = str_internz(L, str_fmt(L, "perm%d", i)->data);
    v = vint(stamp(i, 0));
    table_setstr(L, arena, perm_str[i], &v);
  }
  for (intptr_t i = 0; i < READERS; i++) pthread_create(&rt[i], NULL, reader, (void *)i);
  for (intptr_t i = 0; i < WRITERS; i++) pthread_create(&wt[i], NULL, writer, (void *)i);
  for (int i = 0; i < WRITERS; i++) pthread_join(wt[i], NULL);
  atomic_store(&done, true);
  for (int i = 0; i < READERS; i++) pthread_join(rt[i], NULL);
  table_check(arena);
  read_all(L);
}

// Permanent entries that move between the hash part and the array part, back and forth, while others read and iterate:
// 1..600 are in the array; 1500..1600 join them when 601..1499 are there, and leave again when these are gone and the
// hash part is rebuilt.
enum { BASE = 600, MOVE0 = 1500, MOVE1 = 1600 };

static void *mover_reader(void *arg) {
  Worker w;
  worker_init(&w, mainL);
  bool iterate = arg != NULL;
  Value k, v;
  while (!atomic_load(&done)) {
    for (int64_t i = MOVE0; i <= MOVE1 && !iterate; i++) CHECK_QUIET(table_getint(w.L, arena, i, &v) && v.i == i);
    int seen = 0, base = 0;
    Obj *pin = NULL;
    uint64_t pos = 0;
    while (iterate && table_iter(w.L, arena, &pin, &pos, &k, &v)) {
      seen += k.i >= MOVE0 && k.i <= MOVE1;
      base += k.i <= BASE;
    }
    CHECK_QUIET(!iterate || (seen == MOVE1 - MOVE0 + 1 && base == BASE));
  }
  worker_end(&w);
  return NULL;
}

static void test_movers(lua_State *L) {
  pthread_t th[2];
  int grown = 0, shrunk = 0;
  arena = shared(L, newtab(L));
  atomic_store(&done, false);
  for (int i = 1; i <= BASE; i++) seti(L, arena, i, i);
  for (int i = MOVE0; i <= MOVE1; i++) seti(L, arena, i, i);
  for (intptr_t i = 0; i < 2; i++) pthread_create(&th[i], NULL, mover_reader, (void *)i);
  for (int round = 0; round < 4000 / SCALE; round++) {
    for (int i = MOVE0 - 1; i > BASE; i--) seti(L, arena, i, i);
    grown += atomic_load(&arena->arr)->size >= MOVE1;
    for (int i = BASE + 1; i < MOVE0; i++) cleari(L, arena, i);
    for (int i = 0; i < 1000; i++) seti(L, arena, BIG(i), i);
    for (int i = 0; i < 1000; i++) cleari(L, arena, BIG(i));
    shrunk += atomic_load(&arena->arr)->size < MOVE0;
  }
  atomic_store(&done, true);
  for (int i = 0; i < 2; i++) pthread_join(th[i], NULL);
  CHECK(grown > 0 && shrunk > 0);
  table_check(arena);
}

// No insertion is lost when all threads insert different keys into one table.
enum { EACH = 20000 / SCALE };
static void *inserter(void *arg) {
  Worker w;
  worker_init(&w, mainL);
  int64_t id = (int64_t)(intptr_t)arg;
  for (int64_t i = 0; i < EACH; i++) {
    seti(w.L, arena, 1 + i * WRITERS + id, i);
    Value k = vstr(str_fmt(w.L, "s%d.%d", (int)id, (int)i));
    set(w.L, arena, k, vint(i));
  }
  worker_end(&w);
  return NULL;
}

static void test_inserts(lua_State *L) {
  pthread_t th[WRITERS];
  arena = shared(L, newtab(L));
  for (intptr_t i = 0; i < WRITERS; i++) pthread_create(&th[i], NULL, inserter, (void *)i);
  for (int i = 0; i < WRITERS; i++) pthread_join(th[i], NULL);
  table_check(arena);
  CHECK(table_len(L, arena) == (int64_t)EACH * WRITERS);
  for (int id = 0; id < WRITERS; id++)
    for (int i = 0; i < EACH; i++) CHECK(get_is(L, arena, vstr(str_fmt(L, "s%d.%d", id, i)), vint(i)));
}

static void test_both(lua_State *L, void (*f)(lua_State *, Table *)) {
  f(L, newtab(L));
  f(L, shared(L, newtab(L)));
}

int main(void) {
  lua_State *L = universe();
  test_both(L, test_keys);
  test_errors(L);
  test_both(L, test_fields);
  test_both(L, test_absence_bits);
  test_model(L, false);
  test_model(L, true);
  test_both(L, test_append);
  test_both(L, test_queue);
  test_both(L, test_reverse_fill);
  test_sparse(L);
  test_setlist(L);
  test_both(L, test_churn);
  test_iter_rebuild(L);
  test_next_clear(L);
  test_share(L);
  test_threads(L);
  test_inserts(L);
  test_movers(L);
  printf("ok %d\n", nchecks);
  lua_close(L);
  return 0;
}
