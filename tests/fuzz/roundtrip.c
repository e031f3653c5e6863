// SPDX-License-Identifier: MIT
//
// roundtrip.c: a loaded function passes the checker of code, can be listed, and its binary chunk loads and is written
// again byte by byte the same, stripped or not.
#include "roundtrip.h"
#include "compile.h"
#include "state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Bytes {
  char *p;
  size_t n, cap;
} Bytes;

static int collect(lua_State *L, const void *p, size_t n, void *ud) {
  Bytes *b = ud;
  (void)L;
  if (n > b->cap - b->n) {
    b->cap = 2 * b->cap + n;
    b->p = realloc(b->p, b->cap);
    if (b->p == NULL) abort();
  }
  memcpy(b->p + b->n, p, n);
  b->n += n;
  return 0;
}

// Pushes the dump of the function at the top.
static void push_dump(lua_State *L, int strip) {
  Bytes b = {0};
  if (lua_dump(L, collect, &b, strip) != 0) abort();
  lua_pushlstring(L, b.p, b.n);
  free(b.p);
}

static void die(const char *what) {
  fprintf(stderr, "%s\n", what);
  abort();
}

static void check_code(lua_State *L) {
  static FILE *nowhere;
  const Proto *p = v_lcl(L->top - 1)->p;
  if (opcodes_check(p) != NULL) die(opcodes_check(p));
  if (nowhere == NULL) nowhere = fopen("/dev/null", "w");
  opcodes_print(nowhere, p, true);
}

void roundtrip(lua_State *L, const char *chunk, size_t n) {
  if (luaL_loadbufferx(L, chunk, n, "=s", NULL) != LUA_OK) {
    lua_settop(L, 0);
    return;
  }
  for (int strip = 0; strip < 2; strip++) {
    size_t n1, n2;
    lua_settop(L, 1);
    check_code(L);
    push_dump(L, strip);
    const char *d1 = lua_tolstring(L, 2, &n1);
    if (luaL_loadbufferx(L, d1, n1, "=s", "b") != LUA_OK) die(lua_tostring(L, -1));
    push_dump(L, strip);
    const char *d2 = lua_tolstring(L, 4, &n2);
    if (n1 != n2 || memcmp(d1, d2, n1) != 0) die("the second dump differs");
  }
  lua_settop(L, 0);
}
