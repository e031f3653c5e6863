// SPDX-License-Identifier: MIT
//
// debugvars.c: reading LUNGODEBUG. The environment is only read, and callers ask once and keep the answer.
#include "debugvars.h"
#include <stdlib.h>
#include <string.h>

int debug_var(const char *name) {
  const char *s = getenv("LUNGODEBUG");
  size_t n = strlen(name);
  while (s != NULL && *s != '\0') {
    size_t len = strcspn(s, ",");
    if (len >= n && memcmp(s, name, n) == 0) {
      if (len == n) return 1;
      if (s[n] == '=') return atoi(s + n + 1);
    }
    s += len;
    if (*s == ',') s++;
  }
  return 0;
}
