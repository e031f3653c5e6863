// SPDX-License-Identifier: MIT
//
// text.c: fuzz target: any bytes are loaded as text, and checked against stock Lua.
//
// Promises:   what plain Lua accepts, lungo accepts; what has none of lungo's forms is refused with Lua's message. A
//             program that was accepted passes the checker of code, can be listed, and its binary chunk loads and is
//             written again byte by byte the same.
#include "engine.h"
#include "roundtrip.h"
#include <string.h>

static int has(const uint8_t *s, size_t n, const char *what) { return memmem(s, n, what, strlen(what)) != NULL; }

static int may_use_forms(const uint8_t *s, size_t n) {
  return has(s, n, "<-") || has(s, n, "go") || has(s, n, "defer") || has(s, n, "select") || has(s, n, "case");
}

// A zero byte where no token can be: stock Lua takes it for no token at all, and names none; lungo names it.
static int has_zero(const uint8_t *s, size_t n) { return memchr(s, 0, n) != NULL; }

// Limits that lungo words differently or meets elsewhere (tests/diff/error_limits.lua).
static int is_limit(const char *m) { return strstr(m, "registers") != NULL || strstr(m, "too many") != NULL; }

int LLVMFuzzerTestOneInput(const uint8_t *s, size_t n) {
  if (n > 0 && s[0] == 0x1b) return -1;
  const char *stocks = stock_engine_load((const char *)s, n), *ours = engine_load((const char *)s, n);
  if (ours == NULL) roundtrip(engine_state(), (const char *)s, n);
  if (stocks == NULL && ours == NULL) return 0;
  if (stocks != NULL && (may_use_forms(s, n) || is_limit(stocks))) return 0;
  if (stocks != NULL && ours != NULL && has_zero(s, n)) return 0;
  same_result(ours != NULL ? ours : "a program", stocks != NULL ? stocks : "a program", (const char *)s, n);
  return 0;
}
