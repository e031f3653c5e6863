// SPDX-License-Identifier: MIT
//
// compile.c: from a chunk, text or binary, to a closure; and what all phases of a compilation share.
//
// What:       Zio reads a chunk piece by piece through a lua_Reader. A Compiler owns an arena, where tree and tables of
//             names live, and a Lua table that anchors every string. compile_load runs the phases: parse_chunk, then
//             codegen_chunk.
// Invariants: the arena is released whatever happens: the phases run under call_tryall, and an error is thrown on
//             only after compile_close.
//             A reader may run Lua code, and so collect: every String the compiler holds is in `consts`, which is on
//             L's stack. After the last read nothing collects until the closure is on the stack (no safepoint).
//             Within one Compiler, equal strings are the same object, the long ones too.
// Callers:    lua_load (api.c), in protected mode. One goroutine; nothing here is shared.
// See also:   lex.c, parse.c, resolve.c, codegen.c, dump.c. Tests: tests/vm/load_*.lua.
#include "compile.h"
#include "call.h"
#include "dbg.h"
#include "func.h"
#include "heap.h"
#include "seam.h"
#include "str.h"
#include "table.h"
#include <stdlib.h>

// ---- input ----------------------------------------------------------------------------------------

#define ZIO_PIECE                                                                                                      \
  ((size_t)64 << 10) // so often the compiler looks whether its goroutine is to end, in a long string say

int zio_fill(Zio *z) {
  const char *piece = z->p;
  size_t size = z->rest;
  rt_checkend(z->L);
  if (size == 0) piece = z->reader(z->L, z->data, &size);
  if (piece == NULL || size == 0) {
    z->n = 0; // zio_getc has counted below zero
    return ZIO_EOF;
  }
  z->p = piece + 1;
  z->n = (size < ZIO_PIECE ? size : ZIO_PIECE) - 1;
  z->rest = size - 1 - z->n;
  return (unsigned char)*piece;
}

// ---- arena ----------------------------------------------------------------------------------------

#define ARENA_FIRST ((size_t)2048) // most chunks given to load() are a line or two
#define ARENA_MAX ((size_t)256 << 10)

struct ArenaBlock {
  struct ArenaBlock *next;
  size_t used, cap;
  _Alignas(8) char data[];
};

// From the host's allocator: what a compilation takes is many times its text, and counts where memory is limited.
// A block of its own for what is large, behind the current one, which goes on being filled.
static struct ArenaBlock *new_block(Compiler *c, size_t cap) {
  size_t size = sizeof(struct ArenaBlock) + cap;
  struct ArenaBlock *b = heap_hostalloc(c->L->gl->heap, NULL, 0, size);
  if (b == NULL) call_memerror(c->L);
  memset(b, 0, size);
  b->cap = cap;
  return b;
}

static NOINLINE void *alloc_slow(Compiler *c, size_t n) {
  struct ArenaBlock *head = c->arena;
  size_t cap = head == NULL ? ARENA_FIRST : head->cap < ARENA_MAX ? head->cap * 2 : ARENA_MAX;
  bool large = n > cap / 4;
  struct ArenaBlock *b = new_block(c, large ? n : cap);
  b->used = n;
  if (large && head != NULL) {
    b->next = head->next;
    head->next = b;
  } else {
    b->next = head;
    c->arena = b;
  }
  return b->data;
}

void *arena_alloc(Compiler *c, size_t n) {
  struct ArenaBlock *b = c->arena;
  if (unlikely(n > PTRDIFF_MAX)) call_memerror(c->L);
  n = (n + 7) & ~(size_t)7;
  if (unlikely(b == NULL || b->cap - b->used < n)) return alloc_slow(c, n);
  void *mem = b->data + b->used;
  b->used += n;
  return mem;
}

void *arena_grow(Compiler *c, void *array, int n, int *cap, size_t size) {
  if (likely(n < *cap)) return array;
  if (unlikely(n > INT32_MAX / 2)) call_memerror(c->L);
  int bigger = n < 4 ? 4 : n * 2;
  void *mem = arena_alloc(c, (size_t)bigger * size);
  if (n > 0) memcpy(mem, array, (size_t)n * size);
  *cap = bigger;
  return mem;
}

void compile_close(Compiler *c) {
  while (c->arena != NULL) {
    struct ArenaBlock *b = c->arena;
    c->arena = b->next;
    heap_hostalloc(c->L->gl->heap, b, sizeof *b + b->cap, 0);
  }
}

// ---- strings and errors ---------------------------------------------------------------------------

String *compile_str(Compiler *c, const char *s, size_t n) {
  String *str = n <= STR_MAXINTERN ? str_intern(c->L, s, n) : str_new(c->L, s, n);
  Value known;
  if (table_getstr(c->L, c->consts, str, &known)) return v_str(&known);
  v_setobj(&known, TAG_STRING, str);
  table_setstr(c->L, c->consts, str, &known);
  return str;
}

_Noreturn void compile_error(Compiler *c, int line, const char *near, const char *fmt, ...) {
  lua_State *L = c->L;
  va_list ap;
  va_start(ap, fmt);
  String *msg = str_vfmt(L, fmt, ap);
  va_end(ap);
  char chunk[LUA_IDSIZE];
  dbg_chunkid(chunk, c->source->data, c->source->len);
  msg = str_fmt(L, "%s:%d: %s", chunk, line, msg->data);
  if (near != NULL) msg = str_fmt(L, "%s near %s", msg->data, near);
  stack_ensure(L, 1);
  v_setobj(L->top++, TAG_STRING, msg);
  call_throw(L, LUA_ERRSYNTAX);
}

// ---- loading --------------------------------------------------------------------------------------

typedef struct Load {
  Compiler c;
  Zio *z;
  const char *chunkname, *mode;
} Load;

static void check_mode(lua_State *L, const char *mode, const char *kind) {
  if (mode == NULL || strchr(mode, kind[0]) != NULL) return;
  stack_ensure(L, 1);
  String *msg = str_fmt(L, "attempt to load a %s chunk (mode is '%s')", kind, mode);
  v_setobj(L->top++, TAG_STRING, msg);
  call_throw(L, LUA_ERRSYNTAX);
}

static void load_text(lua_State *L, Load *ld, int firstchar) {
  Compiler *c = &ld->c;
  stack_ensure(L, 1);
  c->consts = table_new(L, 0, 0);
  v_setobj(L->top++, TAG_TABLE, c->consts);
  c->source = compile_str(c, ld->chunkname, strlen(ld->chunkname));
  Func *tree = parse_chunk(c, ld->z, firstchar);
  LClosure *cl = lcl_new_withcells(L, codegen_chunk(c, tree));
  v_setobj(L->top - 1, TAG_LCL, cl); // takes the anchor's place
}

static void load_any(lua_State *L, void *ud) {
  Load *ld = ud;
  int first = zio_getc(ld->z);
  if (first == LUA_SIGNATURE[0]) {
    check_mode(L, L->gl->textonly ? "t" : ld->mode, "binary");
    undump_chunk(L, ld->z, ld->chunkname);
  } else {
    check_mode(L, ld->mode, "text");
    load_text(L, ld, first);
  }
}

void compile_load(lua_State *L, Zio *z, const char *chunkname, const char *mode) {
  Load ld = {.c = {.L = L}, .z = z, .chunkname = chunkname, .mode = mode};
  int status = call_tryall(L, load_any, &ld);
  compile_close(&ld.c);
  if (status != LUA_OK) call_throw(L, status);
}
