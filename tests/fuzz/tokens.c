// SPDX-License-Identifier: MIT
//
// tokens.c: fuzz target: each byte is a token of tokens.dict, so that most inputs are nearly programs; those that plain
// Lua accepts run under lungo and stock Lua and must give the same results or the same error.
//
// See also:   text.c for what is checked of all others. tokens.dict says what is left out, and why.
#include "engine.h"
#include "roundtrip.h"
#include <string.h>

static const char *const tokens[] = {
#include "tokens.inc"
};

#define NTOKENS (sizeof tokens / sizeof *tokens)
#define SOURCE_MAX 4096

static int is_comparison(const char *t) {
  return strcmp(t, "==") == 0 || strcmp(t, "~=") == 0 || t[0] == '<' || t[0] == '>';
}

// Stock Lua 5.4.4 makes wrong code of an upvalue that is indexed with a comparison: `_ENV[0 == 0]`.
static int meets_stock_bug(const uint8_t *s, size_t n) {
  int depth = 0;
  for (size_t i = 0; i < n; i++) {
    const char *t = tokens[s[i] % NTOKENS];
    depth += (t[0] == '[') - (t[0] == ']');
    if (depth > 0 && is_comparison(t)) return 1;
  }
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *s, size_t n) {
  static char source[SOURCE_MAX];
  size_t len = 0;
  for (size_t i = 0; i < n; i++) {
    const char *t = tokens[s[i] % NTOKENS];
    size_t nt = strlen(t);
    if (len + nt + 1 > SOURCE_MAX) break;
    memcpy(source + len, t, nt);
    len += nt;
    source[len++] = ' ';
  }
  const char *refused = stock_engine_load(source, len);
  if (refused != NULL || meets_stock_bug(s, n)) {
    roundtrip(engine_state(), source, len);
    return -1;
  }
  const char *stocks = stock_engine_run(source, len);
  same_result(engine_run(source, len), stocks, source, len);
  return 0;
}
