// SPDX-License-Identifier: MIT
//
// lex.h: source characters -> tokens, with one token of lookahead. For parse.c and resolve.c only.
#ifndef LUNGO_VM_LEX_H
#define LUNGO_VM_LEX_H

#include "compile.h"

// A token kind is the character itself for single-character tokens, or one of these. Reserved words come first, in
// alphabetical order, then fixed symbols; from T_EOS on a kind has no spelling of its own (see lex_kindtext).
enum TokenKind {
  T_AND = 257,
  T_BREAK,
  T_DO,
  T_ELSE,
  T_ELSEIF,
  T_END,
  T_FALSE,
  T_FOR,
  T_FUNCTION,
  T_GOTO,
  T_IF,
  T_IN,
  T_LOCAL,
  T_NIL,
  T_NOT,
  T_OR,
  T_REPEAT,
  T_RETURN,
  T_THEN,
  T_TRUE,
  T_UNTIL,
  T_WHILE,
  T_IDIV,
  T_CONCAT,
  T_DOTS,
  T_EQ,
  T_GE,
  T_LE,
  T_NE,
  T_SHL,
  T_SHR,
  T_DBCOLON,
  T_EOS,
  T_FLOAT,
  T_INT,
  T_NAME,
  T_STRING
};

typedef struct Token {
  int kind;
  int line;         // where the token ends
  bool newline;     // a line break stands between the previous token and this one
  bool tight_minus; // kind '<' only: a '-' (which starts no comment) follows without a gap, so this may be an arrow
  union {
    int64_t i; // T_INT
    double n;  // T_FLOAT
    String *s; // T_NAME, T_STRING; anchored by compile_str
  };
} Token;

typedef struct Lexer {
  Compiler *c;
  Zio *z;
  int cur;          // current character, or ZIO_EOF
  int line;         // line of `cur`
  bool minus_eaten; // the '-' of an arrow was read with its '<': the next token starts one character before `cur`
  char *buf;        // text of the token read last, as error messages quote it
  size_t n, cap;
  Token t;     // current token
  Token ahead; // the one after, if has_ahead
  bool has_ahead;
  int lastline; // line where the token before `t` ended
} Lexer;

void lex_init(Lexer *lx, Compiler *c, Zio *z, int firstchar); // `t` is undefined until the first lex_next
void lex_next(Lexer *lx);
const Token *lex_peek(Lexer *lx); // the token after the current one
// "'='", "'while'", "<name>": a kind as messages name it.
const char *lex_kindtext(Lexer *lx, int kind);
// Syntax error at the current token: "source:line: message near token".
_Noreturn void lex_error(Lexer *lx, const char *fmt, ...);
// An error of meaning: the same, without "near".
_Noreturn void lex_semerror(Lexer *lx, const char *fmt, ...);

#endif
