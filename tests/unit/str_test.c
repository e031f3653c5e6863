// SPDX-License-Identifier: MIT
//
// str_test.c: hashes, interning (also from several threads), comparison, formatting, the weak string table.
// Protects: vm/str.c.
#include "objects_fixture.h"
#include <pthread.h>

static void test_hash(lua_State *L) {
  Global *gl = L->gl;
  char buf[300];
  for (size_t n = 0; n < sizeof buf; n++) {
    memset(buf, 'a', sizeof buf);
    String *s = str_new(L, buf, n), *same = str_new(L, buf, n);
    uint32_t h = str_hash(gl, s);
    CHECK(h != 0 && h == str_hash(gl, same));
    if (n == 0) continue;
    for (size_t i = 0; i < n; i++) { // each byte counts
      buf[i] ^= 1;
      CHECK(str_hash(gl, str_new(L, buf, n)) != h);
      buf[i] ^= 1;
    }
  }
}

// Similar keys must spread over the low bits (table index) and the high ones (shards).
static void test_spread(lua_State *L) {
  enum { N = 4096 };
  static int low[N], high[64];
  for (int i = 0; i < N; i++) {
    uint32_t h = str_hash(L->gl, str_fmt(L, "key%d", i));
    low[h % N]++;
    high[h >> 26]++;
  }
  int empty = 0, worst = 0;
  for (int i = 0; i < N; i++) empty += low[i] == 0;
  for (int i = 0; i < 64; i++) worst = high[i] > worst ? high[i] : worst;
  CHECK(empty > N * 30 / 100 && empty < N * 44 / 100); // 1/e of them when random
  CHECK(worst < 128);
}

static void test_intern(lua_State *L) {
  String *a = str_intern(L, "hello", 5), *b = str_intern(L, "hello", 5);
  CHECK(a == b && str_isinterned(a) && a->len == 5 && a->data[5] == '\0');
  CHECK(str_internz(L, "hello") == a && str_internz(L, "hello") == a);
  String *f = str_new(L, "hello", 5);
  CHECK(f != a && !str_isinterned(f) && str_eq(f, a) && str_tointerned(L, f) == a);
  static const char literal[] = "from one place";
  String *first = str_newz(L, literal), *second = str_newz(L, literal);
  CHECK(str_newz(L, literal) == second && str_isinterned(second) && str_eq(first, second));
  String *fresh = str_new(L, "never seen", 10);
  CHECK(str_tointerned(L, fresh) == fresh && str_isinterned(fresh) && str_intern(L, "never seen", 10) == fresh);
  CHECK(str_intern(L, "a\0b", 3) != str_intern(L, "a\0c", 3) && str_intern(L, "", 0) == str_internz(L, ""));
  char big[STR_MAXINTERN + 1];
  memset(big, 'x', sizeof big);
  CHECK(!str_isinterned(str_intern(L, big, sizeof big)) && str_isinterned(str_intern(L, big, sizeof big - 1)));
  String *l = str_new(L, big, sizeof big);
  CHECK(str_tointerned(L, l) == l && str_eq(l, str_new(L, big, sizeof big)));
}

static void test_cmp(lua_State *L) {
  struct {
    const char *a;
    size_t na;
    const char *b;
    size_t nb;
    int want;
  } t[] = {
      {"", 0, "", 0, 0},         {"a", 1, "", 0, 1},         {"a", 1, "b", 1, -1},   {"ab", 2, "a", 1, 1},
      {"a\0b", 3, "a\0b", 3, 0}, {"a\0b", 3, "a\0c", 3, -1}, {"a\0", 2, "a", 1, 1},  {"a", 1, "a\0", 2, -1},
      {"a\0b", 3, "a\0", 2, 1},  {"\0", 1, "\0\0", 2, -1},   {"b", 1, "a\0z", 3, 1},
  };
  for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
    int c = str_cmp(str_new(L, t[i].a, t[i].na), str_new(L, t[i].b, t[i].nb));
    CHECK((c > 0) - (c < 0) == t[i].want);
  }
}

static void fmt_is(String *s, const char *want) {
  if (strcmp(s->data, want) != 0) printf("# got %s\n", s->data);
  CHECK(s->len == strlen(want) && strcmp(s->data, want) == 0);
}

static void bad_format(lua_State *L, void *ud) {
  (void)ud;
  str_fmt(L, "%i", 1);
}

static void test_fmt(lua_State *L) {
  fmt_is(str_fmt(L, "plain"), "plain");
  fmt_is(str_fmt(L, "%s|%d|%%|%c", "str", -5, 'x'), "str|-5|%|x");
  fmt_is(str_fmt(L, "%I %f %f", (long long)INT64_MIN, 1.0, 0.5), "-9223372036854775808 1.0 0.5");
  fmt_is(str_fmt(L, "%s", (char *)NULL), "(null)");
  fmt_is(str_fmt(L, "%U%U%U%U", 0x41ul, 0xe9ul, 0x20acul, 0x1f600ul), "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  fmt_is(str_fmt(L, "%U%U", 0x3fffffful, 0x7ffffffful), "\xfb\xbf\xbf\xbf\xbf\xfd\xbf\xbf\xbf\xbf\xbf");
  char want[64];
  snprintf(want, sizeof want, "%p", (void *)want);
  fmt_is(str_fmt(L, "%p", (void *)want), want);
  char big[1000];
  memset(big, 'y', sizeof big - 1);
  big[sizeof big - 1] = '\0';
  String *s = str_fmt(L, "<%s%d>", big, 42);
  CHECK(s->len == 1003 && s->data[0] == '<' && strcmp(s->data + 1000, "42>") == 0);
  CHECK(vm_rawprotected(L, bad_format, NULL) == LUA_ERRRUN);
  CHECK(strstr(v_str(L->top - 1)->data, "invalid option '%i' to 'lua_pushfstring'") != NULL);
  L->top--;
}

// Several threads intern the same names at once: each name must have one string.
enum { NTHREADS = 4, NNAMES = 5000 };
static lua_State *mainL;
static String *seen[NTHREADS][NNAMES];

static void *intern_all(void *arg) {
  int id = (int)(intptr_t)arg;
  Worker w;
  worker_init(&w, mainL);
  for (int i = 0; i < NNAMES; i++) {
    int k = id % 2 ? i : NNAMES - 1 - i;
    char buf[32];
    int n = snprintf(buf, sizeof buf, "name%d", k);
    seen[id][k] = i % 3 ? str_intern(w.L, buf, (size_t)n) : str_tointerned(w.L, str_new(w.L, buf, (size_t)n));
    CHECK_QUIET(str_internz(w.L, "common") == str_internz(w.L, "common"));
  }
  worker_end(&w);
  return NULL;
}

static void test_threads(void) {
  pthread_t th[NTHREADS];
  for (intptr_t i = 0; i < NTHREADS; i++) pthread_create(&th[i], NULL, intern_all, (void *)i);
  for (int i = 0; i < NTHREADS; i++) pthread_join(th[i], NULL);
  for (int i = 0; i < NTHREADS; i++)
    for (int k = 0; k < NNAMES; k++) CHECK(seen[i][k] == seen[0][k]);
}

static void mark(Obj *o) {
  uint64_t bit;
  _Atomic uint64_t *word = heap_markword(o, &bit);
  atomic_fetch_or(word, bit);
}

// As the collector does it: mark some, sweep. Last test: it drops names that the universe uses.
static void test_sweep(lua_State *L) {
  enum { N = 3000 };
  static String *s[N];
  for (int i = 0; i < N; i++) s[i] = str_tointerned(L, str_fmt(L, "sweep%d", i));
  for (int i = 0; i < N; i += 3) mark(&s[i]->hdr);
  atomic_fetch_or(&s[1]->hdr.flags, OF_FIXED);
  strtab_sweep(L->gl);
  CHECK(heap_ismarked(&s[1]->hdr));
  for (int i = 0; i < N; i++) {
    String *again = str_tointerned(L, str_fmt(L, "sweep%d", i));
    CHECK((again == s[i]) == (i % 3 == 0 || i == 1));
  }
  for (int round = 0; round < 50; round++) { // dropped entries must not fill the table up
    for (int i = 0; i < 1000; i++) str_tointerned(L, str_fmt(L, "round%d.%d", round, i));
    strtab_sweep(L->gl);
  }
  CHECK(str_intern(L, "sweep0", 6) == s[0]);
}

int main(void) {
  lua_State *L = mainL = universe();
  test_hash(L);
  test_spread(L);
  test_intern(L);
  test_cmp(L);
  test_fmt(L);
  test_threads();
  test_sweep(L);
  printf("ok %d\n", nchecks);
  fflush(stdout);
  _Exit(0); // strings that the universe needs are gone: no lua_close
}
