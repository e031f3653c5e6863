// SPDX-License-Identifier: MIT
//
// lex.c: the lexer: Lua 5.4's tokens, read character by character from a Zio.
//
// What:       lex_next moves to the next token, lex_peek looks one further. lungo adds no token: its arrow is '<' and
//             '-' side by side, and only the parser knows whether that means "receive", "send" or "less than minus". So
//             '<' is a token that remembers whether an arrow's '-' follows (Token.tight_minus). To see that `<--` is a
//             comparison before a comment, the lexer reads past the '-' and notes that it did (minus_eaten).
// Invariants: `buf` holds the raw text of the token read last, because messages quote it ("near 'text'"). Escape
//             sequences are stored raw while being read, and replaced by what they mean when complete, so an
//             error inside one quotes it as written.
//             `cur` is a character not yet part of any token (but see minus_eaten).
// Callers:    parse.c, resolve.c. The reader behind the Zio may run Lua code, so every string goes through compile_str.
// See also:   compile.c (compile_error), parse.c. Tests: tests/vm/lex_*.lua.
#include "lex.h"
#include "seam.h"
#include "str.h"
#include <limits.h>

// In the order of enum TokenKind.
static const char *const spelling[] = {
    "and",   "break", "do",    "else",     "elseif",    "end",    "false",   "for",    "function", "goto",
    "if",    "in",    "local", "nil",      "not",       "or",     "repeat",  "return", "then",     "true",
    "until", "while", "//",    "..",       "...",       "==",     ">=",      "<=",     "~=",       "<<",
    ">>",    "::",    "<eof>", "<number>", "<integer>", "<name>", "<string>"};
#define NKEYWORDS (T_WHILE - T_AND + 1)

// ---- characters: Lua's classes, whatever the locale says ------------------------------------------

static ALWAYS_INLINE bool is_digit(int c) { return (unsigned)c - '0' < 10; }
static ALWAYS_INLINE bool is_letter(int c) { return ((unsigned)c | 32) - 'a' < 26 || c == '_'; }
static ALWAYS_INLINE bool is_alnum(int c) { return is_letter(c) || is_digit(c); }
static ALWAYS_INLINE bool is_hex(int c) { return is_digit(c) || ((unsigned)c | 32) - 'a' < 6; }
static ALWAYS_INLINE bool is_newline(int c) { return c == '\n' || c == '\r'; }
static ALWAYS_INLINE bool is_space(int c) { return c == ' ' || (unsigned)c - '\t' < 5; }

static ALWAYS_INLINE void advance(Lexer *lx) { lx->cur = zio_getc(lx->z); }

static NOINLINE void buffer_grow(Lexer *lx) {
  size_t cap = lx->cap ? lx->cap * 2 : 64;
  char *bigger = arena_alloc(lx->c, cap);
  if (lx->n > 0) memcpy(bigger, lx->buf, lx->n);
  lx->buf = bigger;
  lx->cap = cap;
}

static ALWAYS_INLINE void save(Lexer *lx, int c) {
  if (unlikely(lx->n == lx->cap)) buffer_grow(lx);
  lx->buf[lx->n++] = (char)c;
}

static ALWAYS_INLINE void save_advance(Lexer *lx) {
  save(lx, lx->cur);
  advance(lx);
}

static bool accept(Lexer *lx, int c) {
  if (lx->cur != c) return false;
  advance(lx);
  return true;
}

// ---- errors ---------------------------------------------------------------------------------------

const char *lex_kindtext(Lexer *lx, int kind) {
  lua_State *L = lx->c->L;
  if (kind >= T_EOS) return spelling[kind - T_AND];
  if (kind >= T_AND) return str_fmt(L, "'%s'", spelling[kind - T_AND])->data;
  if (kind >= ' ' && kind <= '~') return str_fmt(L, "'%c'", kind)->data;
  return str_fmt(L, "'<\\%d>'", kind)->data;
}

// How "near" shows a token of this kind: names, strings and numbers by their text, which `buf` still has.
static const char *near_text(Lexer *lx, int kind) {
  if (kind <= T_EOS) return lex_kindtext(lx, kind);
  save(lx, '\0');
  return str_fmt(lx->c->L, "'%s'", lx->buf)->data;
}

// The same for the current token, which `buf` no longer has if a further token was read (always a name before it).
static const char *near_current(Lexer *lx) {
  if (lx->has_ahead && lx->t.kind == T_NAME) return str_fmt(lx->c->L, "'%s'", lx->t.s->data)->data;
  return near_text(lx, lx->t.kind);
}

// An error inside a token: at the line reached, near a token of `kind` made of what was read so far.
static _Noreturn void scan_error(Lexer *lx, const char *msg, int kind) {
  compile_error(lx->c, lx->line, near_text(lx, kind), "%s", msg);
}

_Noreturn void lex_error(Lexer *lx, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  String *msg = str_vfmt(lx->c->L, fmt, ap);
  va_end(ap);
  compile_error(lx->c, lx->t.line, near_current(lx), "%s", msg->data);
}

_Noreturn void lex_semerror(Lexer *lx, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  String *msg = str_vfmt(lx->c->L, fmt, ap);
  va_end(ap);
  compile_error(lx->c, lx->t.line, NULL, "%s", msg->data);
}

// ---- lines, comments, long brackets ---------------------------------------------------------------

// Steps over one line break, of any of the four kinds (\n, \r, \r\n, \n\r).
static void skip_newline(Lexer *lx) {
  int first = lx->cur;
  advance(lx);
  if (is_newline(lx->cur) && lx->cur != first) advance(lx);
  if (++lx->line == INT_MAX) compile_error(lx->c, lx->line, NULL, "chunk has too many lines");
}

// At a bracket: saves it and the '=' signs after it. Number of '=' if the same bracket comes next, else -1 for a
// single bracket without '=' and -2 for one with some.
static ptrdiff_t long_bracket(Lexer *lx) {
  int bracket = lx->cur;
  ptrdiff_t level = 0;
  save_advance(lx);
  for (; lx->cur == '='; level++) save_advance(lx);
  if (lx->cur == bracket) return level;
  return level == 0 ? -1 : -2;
}

static _Noreturn void unfinished_long(Lexer *lx, const char *what, int startline) {
  String *msg = str_fmt(lx->c->L, "unfinished long %s (starting at line %d)", what, startline);
  scan_error(lx, msg->data, T_EOS);
}

// Reads the rest of a long string whose opening bracket is in `buf`, but for its last character, which is current.
static void long_string(Lexer *lx, ptrdiff_t level, Token *t) {
  int startline = lx->line;
  save_advance(lx);
  if (is_newline(lx->cur)) skip_newline(lx); // a first line break is not part of the string
  for (;;) {
    if (lx->cur == ZIO_EOF) unfinished_long(lx, "string", startline);
    if (is_newline(lx->cur)) {
      save(lx, '\n');
      skip_newline(lx);
    } else if (lx->cur != ']') {
      save_advance(lx);
    } else if (long_bracket(lx) == level) {
      save_advance(lx);
      break;
    }
  }
  size_t delim = (size_t)level + 2;
  t->s = compile_str(lx->c, lx->buf + delim, lx->n - 2 * delim);
}

static void long_comment(Lexer *lx, ptrdiff_t level) {
  int startline = lx->line;
  for (;;) {
    if (lx->cur == ZIO_EOF) unfinished_long(lx, "comment", startline);
    if (is_newline(lx->cur)) {
      skip_newline(lx);
    } else if (lx->cur != ']') {
      advance(lx);
    } else {
      lx->n = 0;
      if (long_bracket(lx) == level) break;
    }
  }
  advance(lx);
}

// After "--": skips the comment.
static void comment(Lexer *lx) {
  if (lx->cur == '[') {
    ptrdiff_t level = long_bracket(lx);
    lx->n = 0;
    if (level >= 0) {
      advance(lx);
      long_comment(lx, level);
      lx->n = 0;
      return;
    }
  }
  while (!is_newline(lx->cur) && lx->cur != ZIO_EOF) advance(lx);
}

// ---- numbers --------------------------------------------------------------------------------------

static bool accept_save2(Lexer *lx, int a, int b) {
  if (lx->cur != a && lx->cur != b) return false;
  save_advance(lx);
  return true;
}

// Collects everything that could belong to a numeral and lets value_str2number judge it. A sign is taken only right
// after an exponent mark, so that `3-4` is three tokens and `0xe+1` too.
static int numeral(Lexer *lx, Token *t) {
  char mark = 'e';
  if (lx->cur == '0') {
    save_advance(lx);
    if (accept_save2(lx, 'x', 'X')) mark = 'p';
  }
  for (;;) {
    if (accept_save2(lx, mark, mark - 'a' + 'A')) {
      accept_save2(lx, '+', '-');
    } else if (is_hex(lx->cur) || lx->cur == '.') {
      save_advance(lx);
    } else {
      break;
    }
  }
  if (is_letter(lx->cur)) save_advance(lx); // `3x`: the letter makes it malformed
  save(lx, '\0');
  Value v;
  if (value_str2number(lx->buf, &v) == 0) scan_error(lx, "malformed number", T_FLOAT);
  if (v_isint(&v)) {
    t->i = v.i;
    return T_INT;
  }
  t->n = v.n;
  return T_FLOAT;
}

// ---- quoted strings -------------------------------------------------------------------------------

// Inside an escape sequence: unless ok, an error that quotes the string up to the offending character.
static void escape_check(Lexer *lx, bool ok, const char *msg) {
  if (likely(ok)) return;
  if (lx->cur != ZIO_EOF) save_advance(lx);
  scan_error(lx, msg, T_STRING);
}

// Moves one character on, which must be a hexadecimal digit; its value. The digit stays current.
static unsigned next_hexdigit(Lexer *lx) {
  save_advance(lx);
  escape_check(lx, is_hex(lx->cur), "hexadecimal digit expected");
  return is_digit(lx->cur) ? (unsigned)lx->cur - '0' : ((unsigned)lx->cur | 32) - 'a' + 10;
}

static int hex_escape(Lexer *lx) {
  unsigned high = next_hexdigit(lx);
  unsigned low = next_hexdigit(lx);
  advance(lx);
  return (int)(high * 16 + low);
}

// UTF-8 as first defined: up to six bytes, 31 bits.
static void save_utf8(Lexer *lx, uint32_t x) {
  if (x < 0x80) {
    save(lx, (int)x);
    return;
  }
  int n = x < 0x800 ? 2 : x < 0x10000 ? 3 : x < 0x200000 ? 4 : x < 0x4000000 ? 5 : 6;
  int shift = 6 * (n - 1);
  save(lx, (int)((0xFF00u >> n & 0xFF) | x >> shift));
  while ((shift -= 6) >= 0) save(lx, (int)(0x80 | (x >> shift & 0x3F)));
}

static uint32_t utf8_escape(Lexer *lx) {
  save_advance(lx);
  escape_check(lx, lx->cur == '{', "missing '{'");
  uint32_t x = next_hexdigit(lx);
  for (;;) {
    save_advance(lx);
    if (!is_hex(lx->cur)) break;
    escape_check(lx, x <= 0x7FFFFFFFu >> 4, "UTF-8 value too large");
    x = x << 4 | (is_digit(lx->cur) ? (uint32_t)lx->cur - '0' : ((uint32_t)lx->cur | 32) - 'a' + 10);
  }
  escape_check(lx, lx->cur == '}', "missing '}'");
  advance(lx);
  return x;
}

static int decimal_escape(Lexer *lx) {
  int x = 0;
  for (int i = 0; i < 3 && is_digit(lx->cur); i++) {
    x = x * 10 + (lx->cur - '0');
    save_advance(lx);
  }
  escape_check(lx, x <= UCHAR_MAX, "decimal escape too large");
  return x;
}

static void skip_spaces(Lexer *lx) {
  while (is_space(lx->cur)) {
    if (is_newline(lx->cur))
      skip_newline(lx);
    else
      advance(lx);
  }
}

// What the letter after a backslash stands for, or 0.
static int simple_escape(int c) {
  switch (c) {
  case 'a': return '\a';
  case 'b': return '\b';
  case 'f': return '\f';
  case 'n': return '\n';
  case 'r': return '\r';
  case 't': return '\t';
  case 'v': return '\v';
  case '\\':
  case '"':
  case '\'': return c;
  default: return 0;
  }
}

// At a backslash: replaces the escape sequence by what it means.
static void escape(Lexer *lx) {
  size_t start = lx->n;
  save_advance(lx);
  int c = simple_escape(lx->cur);
  if (c != 0) {
    advance(lx);
  } else if (lx->cur == 'x') {
    c = hex_escape(lx);
  } else if (lx->cur == 'u') {
    uint32_t x = utf8_escape(lx);
    lx->n = start;
    save_utf8(lx, x);
    return;
  } else if (is_newline(lx->cur)) {
    skip_newline(lx);
    c = '\n';
  } else if (lx->cur == 'z') {
    lx->n = start;
    advance(lx);
    skip_spaces(lx);
    return;
  } else if (lx->cur == ZIO_EOF) {
    return; // quoted_string reports it
  } else {
    escape_check(lx, is_digit(lx->cur), "invalid escape sequence");
    c = decimal_escape(lx);
  }
  lx->n = start;
  save(lx, c);
}

static void quoted_string(Lexer *lx, Token *t) {
  int quote = lx->cur;
  save_advance(lx);
  while (lx->cur != quote) {
    if (lx->cur == '\\')
      escape(lx);
    else if (lx->cur == ZIO_EOF)
      scan_error(lx, "unfinished string", T_EOS);
    else if (is_newline(lx->cur))
      scan_error(lx, "unfinished string", T_STRING);
    else
      save_advance(lx);
  }
  save_advance(lx);
  t->s = compile_str(lx->c, lx->buf + 1, lx->n - 2);
}

// ---- names ----------------------------------------------------------------------------------------

// The reserved word of these n characters, or 0.
static int keyword(const char *s, size_t n) {
  // Index of the first reserved word with each initial letter; a letter that has none points behind the last word.
  static const uint8_t initial[26] = {
      ['a' - 'a'] = 0,  ['b' - 'a'] = 1,  ['c' - 'a'] = 22, ['d' - 'a'] = 2,  ['e' - 'a'] = 3,  ['f' - 'a'] = 6,
      ['g' - 'a'] = 9,  ['h' - 'a'] = 22, ['i' - 'a'] = 10, ['j' - 'a'] = 22, ['k' - 'a'] = 22, ['l' - 'a'] = 12,
      ['m' - 'a'] = 22, ['n' - 'a'] = 13, ['o' - 'a'] = 15, ['p' - 'a'] = 22, ['q' - 'a'] = 22, ['r' - 'a'] = 16,
      ['s' - 'a'] = 22, ['t' - 'a'] = 18, ['u' - 'a'] = 20, ['v' - 'a'] = 22, ['w' - 'a'] = 21, ['x' - 'a'] = 22,
      ['y' - 'a'] = 22, ['z' - 'a'] = 22};
  unsigned letter = (unsigned char)s[0] - (unsigned)'a';
  if (letter >= 26 || n < 2 || n > 8) return 0;
  for (int i = initial[letter]; i < NKEYWORDS && spelling[i][0] == s[0]; i++) {
    if (strlen(spelling[i]) == n && memcmp(spelling[i], s, n) == 0) return T_AND + i;
  }
  return 0;
}

static int name(Lexer *lx, Token *t) {
  do save_advance(lx);
  while (is_alnum(lx->cur));
  int word = keyword(lx->buf, lx->n);
  if (word != 0) return word;
  t->s = compile_str(lx->c, lx->buf, lx->n);
  return T_NAME;
}

// ---- tokens ---------------------------------------------------------------------------------------

// Skips what is no token. True if a '-' was read that is one.
static bool skip_blanks(Lexer *lx) {
  for (;;) {
    if (lx->minus_eaten) {
      lx->minus_eaten = false;
      return true;
    }
    if (lx->cur == '-') {
      advance(lx);
      if (!accept(lx, '-')) return true;
      comment(lx);
    } else if (is_space(lx->cur)) {
      skip_spaces(lx);
    } else {
      return false;
    }
  }
}

// After '<'. For an arrow the '-' must be read too, as only the character behind it tells `<-x` from `<--comment`.
static int less(Lexer *lx, Token *t) {
  if (accept(lx, '=')) return T_LE;
  if (accept(lx, '<')) return T_SHL;
  if (accept(lx, '-')) {
    if (accept(lx, '-')) {
      comment(lx);
    } else {
      lx->minus_eaten = true;
      t->tight_minus = true;
    }
  }
  return '<';
}

// After '.', which is saved.
static int dots(Lexer *lx, Token *t) {
  if (is_digit(lx->cur)) return numeral(lx, t);
  if (!accept(lx, '.')) return '.';
  return accept(lx, '.') ? T_DOTS : T_CONCAT;
}

static int open_bracket(Lexer *lx, Token *t) {
  ptrdiff_t level = long_bracket(lx);
  if (level == -1) return '[';
  if (level == -2) scan_error(lx, "invalid long string delimiter", T_STRING);
  long_string(lx, level, t);
  return T_STRING;
}

static int token(Lexer *lx, Token *t) {
  int c = lx->cur;
  if (is_letter(c)) return name(lx, t);
  if (is_digit(c)) return numeral(lx, t);
  switch (c) {
  case ZIO_EOF: return T_EOS;
  case '"':
  case '\'': quoted_string(lx, t); return T_STRING;
  case '[': return open_bracket(lx, t);
  case '.': save_advance(lx); return dots(lx, t);
  default: break;
  }
  advance(lx);
  switch (c) {
  case '=': return accept(lx, '=') ? T_EQ : '=';
  case '<': return less(lx, t);
  case '>': return accept(lx, '=') ? T_GE : accept(lx, '>') ? T_SHR : '>';
  case '/': return accept(lx, '/') ? T_IDIV : '/';
  case '~': return accept(lx, '=') ? T_NE : '~';
  case ':': return accept(lx, ':') ? T_DBCOLON : ':';
  default: return c;
  }
}

static void scan(Lexer *lx, int prevline, Token *t) {
  lx->n = 0;
  t->tight_minus = false;
  bool minus = skip_blanks(lx);
  t->newline = lx->line != prevline;
  int startline = lx->line;
  t->kind = minus ? '-' : token(lx, t);
  // A comment read behind '<' may have ended lines; they belong to the next token.
  t->line = t->kind == '<' ? startline : lx->line;
}

// Every phase of a compilation asks somewhere whether its goroutine is to end (rt_checkend); lexer and parser do here.
void lex_next(Lexer *lx) {
  rt_checkend(lx->c->L);
  lx->lastline = lx->t.line;
  if (lx->has_ahead) {
    lx->t = lx->ahead;
    lx->has_ahead = false;
  } else {
    scan(lx, lx->t.line, &lx->t);
  }
}

const Token *lex_peek(Lexer *lx) {
  if (!lx->has_ahead) {
    scan(lx, lx->t.line, &lx->ahead);
    lx->has_ahead = true;
  }
  return &lx->ahead;
}

void lex_init(Lexer *lx, Compiler *c, Zio *z, int firstchar) {
  *lx = (Lexer){.c = c, .z = z, .cur = firstchar, .line = 1};
  lx->t.line = lx->lastline = 1;
}
