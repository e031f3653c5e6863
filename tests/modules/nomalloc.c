// SPDX-License-Identifier: MIT
//
// nomalloc.c: preloaded, and then also a module: after refuse(), malloc and its kin have no memory for anybody.
// See tests/cli/report_without_memory.sh.
#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

static atomic_bool refusing;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n) { return refusing ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return refusing ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return refusing ? NULL : __libc_realloc(p, n); }

int refuse(lua_State *L) {
  (void)L;
  refusing = true;
  return 0;
}
