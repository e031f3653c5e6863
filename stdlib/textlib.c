// SPDX-License-Identifier: MIT
//
// textlib.c: functions of string and utf8 that walk through one string, however long, with safepoints.
//
// What:       string.rep, reverse, format; utf8.len, offset; tonumber with a base. The package's do the same, but
//             a string of a hundred megabytes, or `("").rep("", 1 << 62)`, keeps them busy for long without a look
//             around: no collection could begin, no other goroutine run on that processor, and a run that a host has
//             ended would go on. Here each piece of PIECE bytes is followed by such a look.
// Invariants: what is being filled is on the stack, as a string that nobody else knows yet; a string refers to nothing,
//             so a collection that meets it half filled does not mind.
// See also:   strlib.c, strmatch.c, lungolib.h (lib_poll). Tests: tests/diff/string_long.lua,
// tests/unit/embed_hostile_test.c.
#include "lungolib.h"
#include "str.h"
#include <ctype.h>
#include <limits.h>
#include <lualib.h>
#include <string.h>

#define PIECE ((size_t)64 << 10)

// A new string of n bytes on top of the stack; the caller fills it.
static char *push_blank(lua_State *L, size_t n) {
  String *s = str_alloc_gc(L, n);
  v_setobj(L->top, TAG_STRING, s);
  L->top++;
  return s->data;
}

static size_t piece_from(size_t at, size_t len) { return len - at < PIECE ? len : at + PIECE; }

// ---- string ---------------------------------------------------------------------------------------------------------

static int s_reverse(lua_State *L) {
  size_t n;
  const char *s = luaL_checklstring(L, 1, &n);
  char *to = push_blank(L, n);
  for (size_t i = 0, end; i < n; lib_poll(L))
    for (end = piece_from(i, n); i < end; i++) to[i] = s[n - 1 - i];
  return 1;
}

// Makes the first `have` of n bytes repeat up to the end.
static void repeat(lua_State *L, char *to, size_t have, size_t n) {
  size_t unit = have;
  while (have < n) {
    size_t more = unit > PIECE ? unit : have < PIECE ? have : PIECE / unit * unit;
    if (more > n - have) more = n - have;
    str_copy(L, to + have, to, more);
    have += more;
    lib_poll(L);
  }
}

static int s_rep(lua_State *L) {
  size_t len, lsep;
  const char *s = luaL_checklstring(L, 1, &len);
  lua_Integer n = luaL_checkinteger(L, 2);
  const char *sep = luaL_optlstring(L, 3, "", &lsep);
  if (n <= 0 || len + lsep == 0) return lua_pushliteral(L, ""), 1;
  if (len + lsep > (size_t)INT_MAX / (size_t)n) return luaL_error(L, "resulting string too large");
  size_t total = (size_t)n * (len + lsep) - lsep, first = n > 1 ? len + lsep : len;
  char *to = push_blank(L, total);
  str_copy(L, to, s, len);
  if (n > 1) str_copy(L, to + len, sep, lsep);
  repeat(L, to, first, total);
  return 1;
}

// ---- string.format --------------------------------------------------------------------------------------------------
// The package's, upvalue 1, does the work. What takes long in it are a long format, which is given to it piece by piece
// here, and %q of a long string.

// The end of the conversion whose '%' is at s: behind its letter.
static const char *spec_end(const char *s, const char *end) {
  for (s++; s < end && !isalpha((unsigned char)*s) && *s != '%'; s++) continue;
  return s < end ? s + 1 : end;
}

// The string at index i as %q writes it: what follows the quote that opens it, piece by piece.
static void add_quoted(lua_State *L, luaL_Buffer *b, int i) {
  size_t n;
  const char *s = lua_tolstring(L, i, &n);
  luaL_addchar(b, '"');
  for (size_t at = 0, end; at < n; at = end) {
    end = piece_from(at, n);
    for (size_t j = at; j < end; j++) {
      unsigned char c = (unsigned char)s[j];
      if (c == '"' || c == '\\' || c == '\n') {
        luaL_addchar(b, '\\');
        luaL_addchar(b, (char)c);
      } else if (iscntrl(c)) {
        char code[8];
        bool digit_next = j + 1 < n && isdigit((unsigned char)s[j + 1]);
        luaL_addlstring(b, code, (size_t)snprintf(code, sizeof code, digit_next ? "\\%03d" : "\\%d", c));
      } else {
        luaL_addchar(b, (char)c);
      }
    }
    lib_poll(L);
  }
  luaL_addchar(b, '"');
}

static void add_conversion(lua_State *L, luaL_Buffer *b, const char *spec, size_t n, int arg) {
  size_t len = 0;
  if (n == 2 && spec[1] == '%') {
    luaL_addchar(b, '%');
  } else if (n == 2 && spec[1] == 'q' && lua_type(L, arg) == LUA_TSTRING &&
             (lua_tolstring(L, arg, &len), len > PIECE)) {
    add_quoted(L, b, arg);
  } else {
    v_copy(L->top++, L->ci->func); // ourselves: so errors name the function as always
    lua_pushlstring(L, spec, n);
    bool given = arg <= lua_tointeger(L, 1);
    if (given) lua_pushvalue(L, arg);
    lua_call(L, 1 + given, 1);
    luaL_addvalue(b);
  }
}

// 1: how many values there are, this included; 2: the format; then what it formats.
static int format_pieces(lua_State *L) {
  size_t n;
  const char *s = lua_tolstring(L, 2, &n), *end = s + n;
  int arg = 2;
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  while (s < end) {
    const char *stop = s + piece_from(0, (size_t)(end - s)), *p = memchr(s, '%', (size_t)(stop - s));
    luaL_addlstring(&b, s, (size_t)((p != NULL ? p : stop) - s));
    s = p != NULL ? spec_end(p, end) : stop;
    if (p != NULL) {
      if (p[1] != '%' || s - p != 2) arg++;
      add_conversion(L, &b, p, (size_t)(s - p), arg);
    }
    lib_poll(L);
  }
  luaL_pushresult(&b);
  return 1;
}

static bool is_long(lua_State *L, int i) {
  const Value *v = lib_arg(L, i);
  return v_isstring(v) && v_str(v)->len > PIECE;
}

// A long value is no matter but for %q.
static bool takes_long(lua_State *L, int n) {
  if (n > 0 && is_long(L, 1)) return true;
  for (int i = 2; i <= n; i++)
    if (is_long(L, i)) return lua_type(L, 1) == LUA_TSTRING && strstr(lua_tostring(L, 1), "%q") != NULL;
  return false;
}

static int s_format(lua_State *L) {
  int n = lua_gettop(L);
  if (likely(!takes_long(L, n))) return lua_tocfunction(L, lua_upvalueindex(1))(L);
  luaL_checkstack(L, 4, "too many arguments");
  lua_pushinteger(L, n + 1);
  lua_insert(L, 1);
  return format_pieces(L);
}

void lungo_addtext(lua_State *L) {
  static const luaL_Reg fs[] = {{"rep", s_rep}, {"reverse", s_reverse}, {NULL, NULL}};
  luaL_setfuncs(L, fs, 0);
  lua_getfield(L, -1, "format");
  lua_pushcclosure(L, s_format, 1);
  lua_setfield(L, -2, "format");
}

// ---- utf8 -------------------------------------------------------------------------------------------------------

static bool is_cont(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

// Argument `arg`, a position from 1 on; negative ones count from the end, and what is before the beginning is 0.
static lua_Integer position(lua_State *L, int arg, lua_Integer def, size_t len) {
  lua_Integer i = luaL_optinteger(L, arg, def);
  if (i >= 0) return i;
  return (size_t) - (lua_Unsigned)i > len ? 0 : (lua_Integer)len + i + 1;
}

// Bytes of the character at s (strings end in a zero byte, which continues nothing); 0: it is none. Unless lax, only
// what Unicode allows is one.
static int char_bytes(const char *s, bool lax) {
  static const uint32_t least[] = {0, 0x80, 0x800, 0x10000, 0x200000, 0x4000000}; // with so many more bytes
  unsigned c = (unsigned char)*s;
  if (c < 0x80) return 1;
  int more = c < 0xC0 || c >= 0xFE ? 0 : __builtin_clz(~c << 24) - 1;
  uint32_t code = c & (0x3Fu >> more);
  for (int i = 1; i <= more; i++) {
    if (!is_cont(s[i])) return 0;
    code = code << 6 | ((unsigned char)s[i] & 0x3F);
  }
  if (more == 0 || code < least[more]) return 0;
  if (!lax && (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))) return 0;
  return more + 1;
}

static int u_len(lua_State *L) {
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  lua_Integer at = position(L, 2, 1, len), last = position(L, 3, -1, len), n = 0;
  bool lax = lua_toboolean(L, 4);
  luaL_argcheck(L, 1 <= at && at <= (lua_Integer)len + 1, 2, "initial position out of bounds");
  luaL_argcheck(L, last <= (lua_Integer)len, 3, "final position out of bounds");
  for (; at <= last; n++) {
    int bytes = char_bytes(s + at - 1, lax);
    if (bytes == 0) {
      luaL_pushfail(L);
      lua_pushinteger(L, at);
      return 2;
    }
    at += bytes;
    if (unlikely(n % (lua_Integer)PIECE == 0)) lib_poll(L);
  }
  lua_pushinteger(L, n);
  return 1;
}

// From the offset *at, where a character begins, n characters on or back. Returns how many of them there were not.
static lua_Integer step_chars(lua_State *L, const char *s, size_t len, size_t *at, lua_Integer n) {
  size_t i = *at, looks = 0;
  for (; n > 0 && i < len; n--) {
    do i++;
    while (is_cont(s[i]));
    if (unlikely(++looks % PIECE == 0)) lib_poll(L);
  }
  for (; n < 0 && i > 0; n++) {
    do i--;
    while (i > 0 && is_cont(s[i]));
    if (unlikely(++looks % PIECE == 0)) lib_poll(L);
  }
  *at = i;
  return n;
}

static int u_offset(lua_State *L) {
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  lua_Integer n = luaL_checkinteger(L, 2), i = position(L, 3, n >= 0 ? 1 : (lua_Integer)len + 1, len);
  luaL_argcheck(L, 1 <= i && i <= (lua_Integer)len + 1, 3, "position out of bounds");
  size_t at = (size_t)i - 1;
  if (n == 0) {
    while (at > 0 && is_cont(s[at])) at--;
  } else {
    if (is_cont(s[at])) return luaL_error(L, "initial position is a continuation byte");
    n = step_chars(L, s, len, &at, n > 0 ? n - 1 : n);
  }
  if (n != 0) return luaL_pushfail(L), 1;
  lua_pushinteger(L, (lua_Integer)at + 1);
  return 1;
}

int lungo_openutf8(lua_State *L) {
  static const luaL_Reg fs[] = {{"len", u_len}, {"offset", u_offset}, {NULL, NULL}};
  luaopen_utf8(L);
  luaL_setfuncs(L, fs, 0);
  return 1;
}

// ---- tonumber -----------------------------------------------------------------------------------------------------

static int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  int letter = tolower((unsigned char)c);
  return letter >= 'a' && letter <= 'z' ? letter - 'a' + 10 : INT32_MAX;
}

static const char *skip_space(const char *s, const char *end) {
  while (s < end && (*s == ' ' || (*s >= '\t' && *s <= '\r'))) s++;
  return s;
}

// Argument 1 as a numeral in that base, to the bits that an integer has. False: it is none.
static bool read_based(lua_State *L, int base, lua_Unsigned *out) {
  size_t n;
  const char *s = lua_tolstring(L, 1, &n), *end = s + n;
  s = skip_space(s, end);
  bool negative = s < end && *s == '-';
  if (s < end && (*s == '-' || *s == '+')) s++;
  const char *first = s;
  lua_Unsigned value = 0;
  for (; s < end && digit_of(*s) < base; s++) {
    value = value * (lua_Unsigned)base + (lua_Unsigned)digit_of(*s);
    if (unlikely((size_t)(s - first) % PIECE == PIECE - 1)) lib_poll(L);
  }
  *out = negative ? 0u - value : value;
  return s > first && skip_space(s, end) == end;
}

static int tonumber_based(lua_State *L) {
  lua_Unsigned value;
  lua_Integer base = luaL_checkinteger(L, 2);
  luaL_checktype(L, 1, LUA_TSTRING); // no number, which would have lost its base
  luaL_argcheck(L, 2 <= base && base <= 36, 2, "base out of range");
  if (read_based(L, (int)base, &value))
    lua_pushinteger(L, (lua_Integer)value);
  else
    luaL_pushfail(L);
  return 1;
}

int lungo_tonumber(lua_State *L) {
  size_t n;
  if (!lua_isnoneornil(L, 2)) return tonumber_based(L);
  if (lua_type(L, 1) == LUA_TNUMBER) return lua_settop(L, 1), 1;
  luaL_checkany(L, 1);
  const char *s = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &n) : NULL;
  if (s == NULL || lua_stringtonumber(L, s) != n + 1) luaL_pushfail(L);
  return 1;
}
