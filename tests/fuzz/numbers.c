// SPDX-License-Identifier: MIT
//
// numbers.c: fuzz target: lua_stringtonumber, and back to text.
#include "engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *s, size_t n) {
  const char *stocks = stock_engine_number(s, n);
  same_result(engine_number(s, n), stocks, (const char *)s, n);
  return 0;
}
