// SPDX-License-Identifier: MIT
//
// same.c: what the fuzz targets say when lungo and stock Lua differ.
#include "engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void same_result(const char *ours, const char *stocks, const char *what, size_t n) {
  if (strcmp(ours, ENGINE_LIMIT) == 0 || strcmp(stocks, ENGINE_LIMIT) == 0 || strcmp(ours, stocks) == 0) return;
  fprintf(stderr, "---- input\n%.*s\n---- lungo\n%s\n---- lua5.4\n%s\n", (int)n, what, ours, stocks);
  abort();
}

// What lungo_openlibs becomes in the stock engine.
void stock_luaL_openlibs(void *L);
void stock_openlibs(void *L);
void stock_openlibs(void *L) { stock_luaL_openlibs(L); }
