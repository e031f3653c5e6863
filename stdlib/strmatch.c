// SPDX-License-Identifier: MIT
//
// strmatch.c: string.find, match, gmatch and gsub: Lua's patterns, matched with safepoints.
//
// What:       a backtracking matcher over the pattern's text. One call of `match` follows a path through the pattern
//             until it must choose; each choice (a repetition's length, a capture's place) is a recursive call for the
//             rest of the pattern. There is no memory between choices, so a pattern can take time that is exponential
//             in its length: therefore every POLL_STEPS single steps the matcher looks whether somebody wants this
//             worker: to collect, to let others run, or to end the goroutine. That is why these are not the package's.
// Invariants: subject and pattern are arguments 1 and 2 of the running function, so they stay where they are whatever
//             happens at a safepoint. Where an error is raised nothing is held.
// See also:   strlib.c. Tests: tests/stdlib/string_match.lua, tests/diff/string_patterns.lua.
#include "lungolib.h"
#include "seam.h"
#include <ctype.h>
#include <lualib.h>
#include <string.h>

#define ESC '%'
#define SPECIALS "^$*+?.([%-"
#define MAX_CAPTURES 32
#define MAX_DEPTH 200 // nested choices
#define POLL_STEPS 1024
#define LONG_ITEM 64           // bytes that take about as long as a step
#define MEMORY_PIECE (1 << 20) // bytes that the C library searches at once

enum { CAP_OPEN = -1, CAP_POSITION = -2 }; // instead of a length

typedef struct Matcher {
  lua_State *L;
  const char *src, *end; // subject
  const char *pend;      // end of the pattern
  int depth;             // choices left
  int steps;             // until the next look around
  int ncap;
  struct {
    const char *at;
    ptrdiff_t len;
  } cap[MAX_CAPTURES];
} Matcher;

static const char *match(Matcher *m, const char *s, const char *p);

static NOINLINE void look_around(Matcher *m) {
  m->steps = POLL_STEPS;
  lib_poll(m->L);
}

static inline void step(Matcher *m) {
  if (unlikely(--m->steps <= 0)) look_around(m);
}

// For what takes as long as n bytes of pattern or text: counts so that the next step looks around in time.
static inline void charge(Matcher *m, ptrdiff_t n) {
  if (unlikely(n >= LONG_ITEM)) m->steps = n / LONG_ITEM < m->steps ? m->steps - (int)(n / LONG_ITEM) : 0;
}

// ---- one character --------------------------------------------------------------------------------------------

// Behind the item that begins at p: a character, a %class, or a [set].
static const char *item_end(Matcher *m, const char *p) {
  char first = *p++;
  if (first == ESC) {
    if (p == m->pend) luaL_error(m->L, "malformed pattern (ends with '%%')");
    return p + 1;
  }
  if (first != '[') return p;
  if (p < m->pend && *p == '^') p++;
  const char *start = p; // a ] there stands for itself
  while (p < m->pend && (*p != ']' || p == start)) p += *p == ESC ? 2 : 1;
  if (p >= m->pend) luaL_error(m->L, "malformed pattern (missing ']')");
  charge(m, p - start);
  return p + 1;
}

// A letter in lower case; what is none stays none. As letters of patterns are ASCII's, this needs no table.
static inline int lower(int letter) { return letter | 0x20; }
static inline bool is_negated(int letter) { return (letter & 0x20) == 0; }

static bool in_class(int c, int letter) {
  bool yes;
  switch (lower(letter)) {
  case 'a': yes = isalpha(c); break;
  case 'c': yes = iscntrl(c); break;
  case 'd': yes = isdigit(c); break;
  case 'g': yes = isgraph(c); break;
  case 'l': yes = islower(c); break;
  case 'p': yes = ispunct(c); break;
  case 's': yes = isspace(c); break;
  case 'u': yes = isupper(c); break;
  case 'w': yes = isalnum(c); break;
  case 'x': yes = isxdigit(c); break;
  case 'z': yes = c == 0; break; // as Lua still has it
  default: return letter == c;
  }
  return yes != is_negated(letter);
}

// The set whose text is p (behind the bracket) up to `last`, its closing bracket.
static bool in_set(int c, const char *p, const char *last) {
  bool negated = *p == '^';
  for (p += negated; p < last; p++) {
    if (*p == ESC) {
      if (in_class(c, (unsigned char)*++p)) return !negated;
    } else if (p[1] == '-' && p + 2 < last) {
      if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2]) return !negated;
      p += 2;
    } else if ((unsigned char)*p == c) {
      return !negated;
    }
  }
  return negated;
}

// Whether the character at s is one of the item p up to ep.
static inline bool item_has(const Matcher *m, const char *s, const char *p, const char *ep) {
  if (s >= m->end) return false;
  int c = (unsigned char)*s;
  switch (*p) {
  case '.': return true;
  case ESC: return in_class(c, (unsigned char)p[1]);
  case '[': return in_set(c, p + 1, ep - 1);
  default: return (unsigned char)*p == c;
  }
}

// ---- captures -------------------------------------------------------------------------------------------------

static const char *open_capture(Matcher *m, const char *s, const char *p, ptrdiff_t kind) {
  int n = m->ncap;
  if (n >= MAX_CAPTURES) luaL_error(m->L, "too many captures");
  m->cap[n].at = s;
  m->cap[n].len = kind;
  m->ncap = n + 1;
  const char *e = match(m, s, p);
  if (e == NULL) m->ncap--;
  return e;
}

static const char *close_capture(Matcher *m, const char *s, const char *p) {
  int n = m->ncap;
  do
    if (--n < 0) luaL_error(m->L, "invalid pattern capture");
  while (m->cap[n].len != CAP_OPEN);
  m->cap[n].len = s - m->cap[n].at;
  const char *e = match(m, s, p);
  if (e == NULL) m->cap[n].len = CAP_OPEN;
  return e;
}

// %1 .. %9: the same text again. NULL: it is not there.
static const char *same_again(Matcher *m, const char *s, char digit) {
  int n = digit - '1';
  if (n < 0 || n >= m->ncap || m->cap[n].len == CAP_OPEN) luaL_error(m->L, "invalid capture index %%%d", n + 1);
  size_t len = (size_t)m->cap[n].len; // that of a position is beyond any subject
  charge(m, m->cap[n].len);
  return (size_t)(m->end - s) >= len && memcmp(m->cap[n].at, s, len) == 0 ? s + len : NULL;
}

// ---- items of several characters --------------------------------------------------------------------------------

// %bxy at s, p at x.
static const char *balanced(Matcher *m, const char *s, const char *p) {
  if (m->pend - p < 2) luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
  if (s >= m->end || *s != p[0]) return NULL;
  int open = 1;
  while (++s < m->end) {
    step(m);
    if (*s == p[1]) {
      if (--open == 0) return s + 1;
    } else if (*s == p[0]) {
      open++;
    }
  }
  return NULL;
}

// %f[set] at s, p at the set.
static bool at_frontier(Matcher *m, const char *s, const char *p, const char *ep) {
  int before = s == m->src ? '\0' : (unsigned char)s[-1], here = s < m->end ? (unsigned char)*s : '\0';
  return !in_set(before, p + 1, ep - 1) && in_set(here, p + 1, ep - 1);
}

// The first of s .. lim that is not of the class. One loop for each, so that nothing is decided per character: this is
// where most patterns spend their time (bench/lib/lib.lua: string.gmatch).
#define SPAN(is)                                                                                                       \
  while (s < lim && (is((unsigned char)*s) != 0) != negated) s++;                                                      \
  break
static const char *span_class(const char *s, const char *lim, int letter) {
  bool negated = is_negated(letter);
  switch (lower(letter)) {
  case 'a': SPAN(isalpha);
  case 'd': SPAN(isdigit);
  case 's': SPAN(isspace);
  case 'w': SPAN(isalnum);
  default:
    while (s < lim && in_class((unsigned char)*s, letter)) s++;
  }
  return s;
}
#undef SPAN

// The first of s .. lim that the item p up to ep does not have.
static const char *span(const Matcher *m, const char *s, const char *lim, const char *p, const char *ep) {
  switch (*p) {
  case '.': return lim;
  case ESC: return span_class(s, lim, (unsigned char)p[1]);
  default:
    while (s < lim && item_has(m, s, p, ep)) s++;
    return s;
  }
}

// As many as there are, then fewer; at least `least`.
static const char *longest(Matcher *m, const char *s, const char *p, const char *ep, ptrdiff_t least) {
  const char *at = s, *lim;
  ptrdiff_t each = 1 + (ep - p) / LONG_ITEM; // steps for a character
  do {
    ptrdiff_t most = m->steps / each + 1;
    lim = m->end - at > most ? at + most : m->end;
    const char *from = at;
    at = span(m, from, lim, p, ep);
    m->steps -= (int)((at - from) * each);
    step(m);
  } while (at == lim && at < m->end);
  ptrdiff_t n = at - s;
  for (; n >= least; n--) {
    const char *e = match(m, s + n, ep + 1);
    if (e != NULL) return e;
  }
  return NULL;
}

static const char *shortest(Matcher *m, const char *s, const char *p, const char *ep) {
  for (;; s++) {
    const char *e = match(m, s, ep + 1);
    if (e != NULL) return e;
    charge(m, ep - p);
    if (!item_has(m, s, p, ep)) return NULL;
  }
}

// An item that begins with the escape and is more than a class: sets *s (NULL: no match) and *p behind it.
static bool special_escape(Matcher *m, const char **s, const char **p) {
  const char *q = *p + 1;
  if (q >= m->pend) return false;
  if (*q == 'b') {
    *s = balanced(m, *s, q + 1);
    *p = q + 3;
  } else if (*q == 'f') {
    if (++q >= m->pend || *q != '[') luaL_error(m->L, "missing '[' after '%%f' in pattern");
    *p = item_end(m, q);
    if (!at_frontier(m, *s, q, *p)) *s = NULL;
  } else if (*q >= '0' && *q <= '9') {
    *s = same_again(m, *s, *q);
    *p = q + 1;
  } else {
    return false;
  }
  return true;
}

// The end of what the pattern from p on matches at s, or NULL.
static const char *walk(Matcher *m, const char *s, const char *p) {
  while (p < m->pend) {
    step(m);
    if (*p == '(')
      return p + 1 < m->pend && p[1] == ')' ? open_capture(m, s, p + 2, CAP_POSITION)
                                            : open_capture(m, s, p + 1, CAP_OPEN);
    if (*p == ')') return close_capture(m, s, p + 1);
    if (*p == '$' && p + 1 == m->pend) return s == m->end ? s : NULL;
    if (*p == ESC && special_escape(m, &s, &p)) {
      if (s == NULL) return NULL;
      continue;
    }
    const char *ep = item_end(m, p);
    switch (ep < m->pend ? *ep : '\0') {
    case '*': return longest(m, s, p, ep, 0);
    case '+': return longest(m, s, p, ep, 1);
    case '-': return shortest(m, s, p, ep);
    case '?': {
      const char *e = item_has(m, s, p, ep) ? match(m, s + 1, ep + 1) : NULL;
      if (e != NULL) return e;
      p = ep + 1;
      break;
    }
    default:
      if (!item_has(m, s, p, ep)) return NULL;
      s++;
      p = ep;
    }
  }
  return s;
}

static const char *match(Matcher *m, const char *s, const char *p) {
  if (m->depth-- == 0) luaL_error(m->L, "pattern too complex");
  const char *e = walk(m, s, p);
  m->depth++;
  return e;
}

// ---- results --------------------------------------------------------------------------------------------------

static void begin(Matcher *m, lua_State *L, const char *s, size_t ls, const char *p, size_t lp) {
  m->L = L;
  m->src = s;
  m->end = s + ls;
  m->pend = p + lp;
  m->steps = POLL_STEPS;
}

static const char *try_at(Matcher *m, const char *s, const char *p) {
  m->ncap = 0;
  m->depth = MAX_DEPTH;
  return match(m, s, p);
}

// Pushes capture i of the match from s to e; without captures the whole match is number 0.
static void push_capture(Matcher *m, int i, const char *s, const char *e) {
  if (i >= m->ncap) {
    if (i != 0) luaL_error(m->L, "invalid capture index %%%d", i + 1);
    lua_pushlstring(m->L, s, (size_t)(e - s));
  } else if (m->cap[i].len == CAP_POSITION) {
    lua_pushinteger(m->L, m->cap[i].at - m->src + 1);
  } else {
    if (m->cap[i].len == CAP_OPEN) luaL_error(m->L, "unfinished capture");
    lua_pushlstring(m->L, m->cap[i].at, (size_t)m->cap[i].len);
  }
}

// s == NULL: only real captures.
static int push_captures(Matcher *m, const char *s, const char *e) {
  int n = m->ncap == 0 && s != NULL ? 1 : m->ncap;
  luaL_checkstack(m->L, n, "too many captures");
  for (int i = 0; i < n; i++) push_capture(m, i, s, e);
  return n;
}

// ---- find and match ----------------------------------------------------------------------------------------------

// Argument `arg`, a position from 1 on, as an offset; negative ones count from the end. May be beyond the end.
static size_t start_offset(lua_State *L, int arg, size_t len) {
  lua_Integer i = luaL_optinteger(L, arg, 1);
  if (i > 0) return (size_t)i - 1;
  if (i == 0 || i < -(lua_Integer)len) return 0;
  return len - (size_t)-i;
}

static bool is_plain(lua_State *L, const char *p, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (p[i] != '\0' && strchr(SPECIALS, p[i]) != NULL) return false;
    if (unlikely(i % MEMORY_PIECE == MEMORY_PIECE - 1)) lib_poll(L);
  }
  return true;
}

#define CANDIDATES 16
#define SHORT_TEXT 64

// memmem takes linear time whatever the text, but longer to begin than most searches take; so the first few places
// where the text may be are looked at one by one. NULL: none.
static const char *find_text(const char *s, const char *end, const char *p, size_t lp) {
  if (lp == 0) return s;
  for (int i = 0; i < CANDIDATES && lp <= SHORT_TEXT; i++, s++) {
    if ((size_t)(end - s) < lp) return NULL;
    s = memchr(s, *p, (size_t)(end - s) - lp + 1);
    if (s == NULL || memcmp(s, p, lp) == 0) return s;
  }
  return memmem(s, (size_t)(end - s), p, lp);
}

// The text is longer than a piece: in each, places where p may begin, but as many at least as p has bytes, or memmem
// would look at p again and again.
static const char *find_far(lua_State *L, const char *s, const char *end, const char *p, size_t lp) {
  size_t piece = lp > MEMORY_PIECE ? lp : MEMORY_PIECE;
  for (; (size_t)(end - s) >= piece + lp; s += piece) {
    const char *at = find_text(s, s + piece + lp - 1, p, lp);
    if (at != NULL) return at;
    lib_poll(L);
  }
  return find_text(s, end, p, lp);
}

static int find_plain(lua_State *L, const char *s, size_t ls, const char *p, size_t lp, size_t init) {
  const char *at =
      lp > 0 && ls - init > MEMORY_PIECE ? find_far(L, s + init, s + ls, p, lp) : find_text(s + init, s + ls, p, lp);
  if (at == NULL) return luaL_pushfail(L), 1;
  lua_pushinteger(L, at - s + 1);
  lua_pushinteger(L, at - s + (lua_Integer)lp);
  return 2;
}

static int search(lua_State *L, bool find) {
  size_t ls, lp;
  const char *s = luaL_checklstring(L, 1, &ls), *p = luaL_checklstring(L, 2, &lp);
  size_t init = start_offset(L, 3, ls);
  if (init > ls) return luaL_pushfail(L), 1;
  if (find && (lua_toboolean(L, 4) || is_plain(L, p, lp))) return find_plain(L, s, ls, p, lp, init);
  Matcher m;
  begin(&m, L, s, ls, p, lp);
  bool anchored = lp > 0 && *p == '^';
  p += anchored;
  for (const char *at = s + init; at <= m.end; at++) {
    const char *e = try_at(&m, at, p);
    if (e != NULL) {
      if (!find) return push_captures(&m, at, e);
      lua_pushinteger(L, at - s + 1);
      lua_pushinteger(L, e - s);
      return push_captures(&m, NULL, NULL) + 2;
    }
    if (anchored) break;
  }
  return luaL_pushfail(L), 1;
}

static int s_find(lua_State *L) { return search(L, true); }
static int s_match(lua_State *L) { return search(L, false); }

// ---- gmatch -------------------------------------------------------------------------------------------------------

typedef struct Gmatch {
  size_t at;   // where to look next
  size_t last; // end of the last match: the same empty place is not matched twice; SIZE_MAX: none yet
} Gmatch;

// Upvalues: subject, pattern, state. Several goroutines may share an iterator; each then sees some matches.
static int gmatch_next(lua_State *L) {
  size_t ls, lp;
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1)); // the two strings as arguments: upvalues are decoded, not anchored
  lua_pushvalue(L, lua_upvalueindex(2));
  const char *s = lua_tolstring(L, 1, &ls), *p = lua_tolstring(L, 2, &lp);
  Gmatch *g = lua_touserdata(L, lua_upvalueindex(3));
  Matcher m;
  begin(&m, L, s, ls, p, lp);
  size_t last = __atomic_load_n(&g->last, __ATOMIC_RELAXED);
  for (size_t at = __atomic_load_n(&g->at, __ATOMIC_RELAXED); at <= ls; at++) {
    const char *e = try_at(&m, s + at, p);
    if (e == NULL || (size_t)(e - s) == last) continue;
    __atomic_store_n(&g->at, (size_t)(e - s), __ATOMIC_RELAXED);
    __atomic_store_n(&g->last, (size_t)(e - s), __ATOMIC_RELAXED);
    return push_captures(&m, s + at, e);
  }
  return 0;
}

static int s_gmatch(lua_State *L) {
  size_t ls;
  luaL_checklstring(L, 1, &ls);
  luaL_checkstring(L, 2);
  size_t init = start_offset(L, 3, ls);
  lua_settop(L, 2);
  Gmatch *g = lua_newuserdatauv(L, sizeof *g, 0);
  g->at = init > ls ? ls + 1 : init;
  g->last = SIZE_MAX;
  lua_pushcclosure(L, gmatch_next, 3);
  return 1;
}

// ---- gsub ----------------------------------------------------------------------------------------------------------

// The replacement string (argument 3) with its %0 .. %9 filled in.
static void add_string(Matcher *m, luaL_Buffer *b, const char *s, const char *e) {
  lua_State *L = m->L;
  size_t len;
  const char *r = lua_tolstring(L, 3, &len), *rend = r + len, *esc;
  for (; (esc = memchr(r, ESC, (size_t)(rend - r))) != NULL; r = esc + 2) {
    step(m);
    luaL_addlstring(b, r, (size_t)(esc - r));
    char c = esc + 1 < rend ? esc[1] : '\0';
    if (c == ESC) {
      luaL_addchar(b, ESC);
    } else if (c == '0') {
      luaL_addlstring(b, s, (size_t)(e - s));
    } else if (c >= '1' && c <= '9') {
      int n = c - '1';
      push_capture(m, n, s, e);
      luaL_tolstring(L, -1, NULL);
      lua_remove(L, -2);
      luaL_addvalue(b);
    } else {
      luaL_error(L, "invalid use of '%c' in replacement string", ESC);
    }
  }
  luaL_addlstring(b, r, (size_t)(rend - r));
}

// What replaces the match from s to e. False: nothing does, the text stays.
static bool add_replacement(Matcher *m, luaL_Buffer *b, const char *s, const char *e, int type) {
  lua_State *L = m->L;
  if (type == LUA_TFUNCTION) {
    lua_pushvalue(L, 3);
    lua_call(L, push_captures(m, s, e), 1);
  } else if (type == LUA_TTABLE) {
    push_capture(m, 0, s, e);
    lua_gettable(L, 3);
  } else {
    add_string(m, b, s, e);
    return true;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(b, s, (size_t)(e - s));
    return false;
  }
  if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  luaL_addvalue(b);
  return true;
}

static int s_gsub(lua_State *L) {
  size_t ls, lp;
  const char *s = luaL_checklstring(L, 1, &ls), *p = luaL_checklstring(L, 2, &lp);
  int type = lua_type(L, 3);
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)ls + 1), n = 0;
  if (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TFUNCTION && type != LUA_TTABLE)
    luaL_typeerror(L, 3, "string/function/table");
  bool anchored = lp > 0 && *p == '^', changed = false;
  const char *at = s, *last = NULL;
  Matcher m;
  luaL_Buffer b;
  begin(&m, L, s, ls, p, lp);
  p += anchored;
  luaL_buffinit(L, &b);
  while (n < most) {
    const char *e = try_at(&m, at, p);
    if (e != NULL && e != last) {
      n++;
      changed |= add_replacement(&m, &b, at, e, type);
      at = last = e;
    } else if (at < m.end) {
      luaL_addchar(&b, *at++);
    } else {
      break;
    }
    if (anchored) break;
  }
  if (!changed) {
    lua_pushvalue(L, 1);
  } else {
    luaL_addlstring(&b, at, (size_t)(m.end - at));
    luaL_pushresult(&b);
  }
  lua_pushinteger(L, n);
  return 2;
}

void lungo_openmatch(lua_State *L) {
  static const luaL_Reg own[] = {
      {"find", s_find}, {"match", s_match}, {"gmatch", s_gmatch}, {"gsub", s_gsub}, {NULL, NULL}};
  luaL_setfuncs(L, own, 0);
}
