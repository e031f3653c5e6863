// SPDX-License-Identifier: MIT
//
// binary.c: fuzz target: any bytes are loaded as a binary chunk.
//
// Promises:   the bytes are refused with a message, or the function passes the checker, can be listed and dumped, and
//             the collector can mark it. Running it is not promised to be safe (vm/dump.c), so nothing is run.
//             The input is what follows the header, unless it brings one: mutations of a header are soon exhausted.
#include "engine.h"
#include "roundtrip.h"
#include <stdlib.h>
#include <string.h>

#define HEADER_MAX 64
#define MAGIC "lungo bytecode\n"

static char header[HEADER_MAX];
static size_t nheader;

static int keep_header(lua_State *L, const void *p, size_t n, void *ud) {
  (void)L, (void)ud;
  if (nheader != 0) return 0;
  const char *magic = memmem(p, n, MAGIC, strlen(MAGIC));
  if (magic == NULL) abort();
  nheader = (size_t)(magic - (const char *)p) + strlen(MAGIC) + 1; // and the format's number
  if (nheader > HEADER_MAX) abort();
  memcpy(header, p, nheader);
  return 0;
}

static void learn_header(lua_State *L) {
  if (luaL_loadstring(L, "") != LUA_OK || lua_dump(L, keep_header, NULL, 1) != 0) abort();
  lua_settop(L, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *s, size_t n) {
  static int count;
  lua_State *L = engine_state();
  if (nheader == 0) learn_header(L);
  if (n > 0 && s[0] == 0x1b) {
    roundtrip(L, (const char *)s, n);
    return 0;
  }
  char *chunk = malloc(nheader + n);
  if (chunk == NULL) abort();
  memcpy(chunk, header, nheader);
  if (n > 0) memcpy(chunk + nheader, s, n);
  roundtrip(L, chunk, nheader + n);
  if (++count % 64 == 0) { // with the last function that was accepted on the stack
    if (luaL_loadbufferx(L, chunk, nheader + n, "=s", "b") != LUA_OK) lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    lua_settop(L, 0);
  }
  free(chunk);
  return 0;
}
