// SPDX-License-Identifier: MIT
//
// strlib.c: the string library: the package's, with matching of our own (strmatch.c), and with upper and lower, which
// write into the new string at once (bench/lib/lib.lua: half the time).
//
// Invariants: a new string is on the stack before the first safepoint; a long one has some while it is filled
// (textlib.c). See also:   quicklib.c, vm/str.h. Tests: tests/diff/string_basic.lua.
#include "gc.h"
#include "lungolib.h"
#include "str.h"
#include <ctype.h>
#include <lualib.h>

#define LOOK_BYTES ((size_t)64 << 10)

// Four bytes a store. table: what the C library's toupper or tolower look into, which belongs to the thread's locale;
// fetched once, as the compiler would read again where it is after each store.
static ALWAYS_INLINE int map_bytes(lua_State *L, const __int32_t *table) {
  size_t len;
  const unsigned char *s = (const unsigned char *)luaL_checklstring(L, 1, &len);
  String *res = str_alloc_gc(L, len);
  v_setobj(L->top, TAG_STRING, res);
  L->top++;
  for (size_t from = 0; from < len; from += LOOK_BYTES) {
    size_t end = len - from < LOOK_BYTES ? len : from + LOOK_BYTES;
    size_t i = from;
    for (; i + 4 <= end; i += 4) {
      char four[4] = {(char)table[s[i]], (char)table[s[i + 1]], (char)table[s[i + 2]], (char)table[s[i + 3]]};
      memcpy(res->data + i, four, 4);
    }
    for (; i < end; i++) res->data[i] = (char)table[s[i]];
    if (unlikely(end < len)) lib_poll(L);
  }
  gc_check(L);
  return 1;
}

static int s_upper(lua_State *L) { return map_bytes(L, *__ctype_toupper_loc()); }

static int s_lower(lua_State *L) { return map_bytes(L, *__ctype_tolower_loc()); }

int lungo_openstring(lua_State *L) {
  static const luaL_Reg own[] = {{"upper", s_upper}, {"lower", s_lower}, {NULL, NULL}};
  luaopen_string(L);
  luaL_setfuncs(L, own, 0);
  lungo_openmatch(L);
  lungo_addtext(L);
  lib_addquick(L, LUA_STRLIBNAME);
  return 1;
}
