// SPDX-License-Identifier: MIT
//
// strlib.c: the string library: the package's, with matching of our own (strmatch.c), and with upper and lower, which
// write into the new string at once (bench/lib/lib.lua: 0.6 of the time).
//
// Invariants: a new string is on the stack before the first safepoint; a long one has some while it is filled
// (textlib.c). See also:   quicklib.c, vm/str.h. Tests: tests/diff/string_basic.lua.
#include "gc.h"
#include "lungolib.h"
#include "str.h"
#include <ctype.h>
#include <lualib.h>

#define LOOK_BYTES ((size_t)64 << 10)

// Four at a time, as each store makes the compiler read again where the C library has its table.
static ALWAYS_INLINE int map_bytes(lua_State *L, int (*map)(int)) {
  size_t len, i = 0;
  const unsigned char *s = (const unsigned char *)luaL_checklstring(L, 1, &len);
  String *res = str_alloc_gc(L, len);
  v_setobj(L->top, TAG_STRING, res);
  L->top++;
  for (; i + 4 <= len; i += 4) {
    if (unlikely(i % LOOK_BYTES == LOOK_BYTES - 4)) lib_poll(L);
    int a = map(s[i]), b = map(s[i + 1]), c = map(s[i + 2]), d = map(s[i + 3]);
    char four[4] = {(char)a, (char)b, (char)c, (char)d};
    memcpy(res->data + i, four, 4);
  }
  for (; i < len; i++) res->data[i] = (char)map(s[i]);
  gc_check(L);
  return 1;
}

static int s_upper(lua_State *L) { return map_bytes(L, toupper); }

static int s_lower(lua_State *L) { return map_bytes(L, tolower); }

int lungo_openstring(lua_State *L) {
  static const luaL_Reg own[] = {{"upper", s_upper}, {"lower", s_lower}, {NULL, NULL}};
  luaopen_string(L);
  luaL_setfuncs(L, own, 0);
  lungo_openmatch(L);
  lungo_addtext(L);
  lib_addquick(L, LUA_STRLIBNAME);
  return 1;
}
