// SPDX-License-Identifier: MIT
//
// compile.h: source text or binary chunk -> closure.
#ifndef LUNGO_VM_COMPILE_H
#define LUNGO_VM_COMPILE_H

#include "ast.h"
#include "state.h"

// Buffered reader over a lua_Reader (lua_load).
typedef struct Zio {
  lua_State *L;
  lua_Reader reader;
  void *data;
  const char *p;
  size_t n;
  size_t rest; // bytes behind p[n] that the reader gave: they are handed out piece by piece
} Zio;
#define ZIO_EOF (-1)
int zio_fill(Zio *z); // next byte or ZIO_EOF
static inline int zio_getc(Zio *z) { return z->n-- > 0 ? (unsigned char)*z->p++ : zio_fill(z); }

// One compilation. Arena memory is the host's; compile_close frees it whatever happened.
typedef struct Compiler {
  lua_State *L;
  String *source; // chunk name
  Table *consts;  // anchors every string of this compilation (string -> itself)
  struct ArenaBlock *arena;
  int depth; // nesting of C calls in the parser (limit LUAI_MAXCCALLS 200: "C stack overflow")
} Compiler;
void *arena_alloc(Compiler *c, size_t n); // zeroed, 8-aligned; raises LUA_ERRMEM
void compile_close(Compiler *c);
// Room for one more element of `size` bytes in an arena array of n (capacity *cap): the array, moved if it was full.
void *arena_grow(Compiler *c, void *array, int n, int *cap, size_t size);
String *compile_str(Compiler *c, const char *s, size_t n); // interned if short, else made once; anchored

// parse.c: the whole chunk as the main function's tree (vararg, upvalue 0 = _ENV). Raises LUA_ERRSYNTAX.
Func *parse_chunk(Compiler *c, Zio *z, int firstchar);
// codegen.c: code for the tree. Raises LUA_ERRSYNTAX for limits. The prototype is not anchored: no safepoint inside.
Proto *codegen_chunk(Compiler *c, Func *main);
// _Noreturn error with "source:line: msg [near token]" (near may be NULL).
_Noreturn void compile_error(Compiler *c, int line, const char *near, const char *fmt, ...);

// lua_load's heart (compile.c), called in protected mode: pushes the closure (with fresh nil cells as upvalues).
// mode as in lua_load; checks the first byte for a binary chunk.
void compile_load(lua_State *L, Zio *z, const char *chunkname, const char *mode);

// dump.c: lungo's own binary format. dump writes through the writer and returns its status.
int dump_proto(lua_State *L, const Proto *p, lua_Writer w, void *data, bool strip);
// (The first byte, LUA_SIGNATURE[0], was read already.)
LClosure *undump_chunk(lua_State *L, Zio *z, const char *name); // raises `bad binary format (…)`; pushes and returns it

// Readable listing for LUNGODEBUG=dis=1 and tests (opcodes.c); writes to a FILE (void * here to spare stdio).
void opcodes_print(void *file, const Proto *p, bool recursive);
// What is wrong with the code of p alone (not of inner functions): registers, constants and jumps out of bounds,
// backward jumps that are no safepoints... NULL if nothing. It cannot tell whether a register holds a cell where it
// must.
const char *opcodes_check(const Proto *p);

#endif
