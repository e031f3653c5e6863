// SPDX-License-Identifier: MIT
//
// strings.c: fuzz target: the functions of the string library that read a little language: formats and patterns.
// The first byte chooses the function, engine_string makes the arguments of the rest.
#include "engine.h"

static const char *const functions[] = {"format", "pack", "unpack", "packsize", "find",
                                        "match",  "gsub", "rep",    "sub",      "byte"};

int LLVMFuzzerTestOneInput(const uint8_t *s, size_t n) {
  if (n < 2) return -1;
  const char *name = functions[s[0] % (sizeof functions / sizeof *functions)];
  const char *stocks = stock_engine_string(name, s + 1, n - 1);
  same_result(engine_string(name, s + 1, n - 1), stocks, (const char *)s + 1, n - 1);
  return 0;
}
