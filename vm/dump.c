// SPDX-License-Identifier: MIT
//
// dump.c: binary chunks: string.dump and its way back.
//
// What:       a header, then the main function with all inner ones. The header starts with the bytes of a Lua 5.4
//             header, which programs (and Lua's own tests) look at; the MAGIC behind it tells lungo's chunks from those
//             of other implementations, and is written so that stock Lua, too, refuses the chunk: its first field there
//             is a size, which these bytes make overflow. FORMAT counts changes of what follows and of the
//             instruction set.
// Invariants: the whole chunk is read before anything is built: so every count is checked against the bytes that are
//             left before memory is allocated for it, and no reader (which may run Lua code, hence collect) is called
//             while unanchored objects exist.
//             The code of every function has passed opcodes_check. So any bytes can be loaded, listed, dumped and
//             collected safely. Running them cannot: the checker does not follow what registers hold, and code that
//             takes a number for a cell passes it. So untrusted code is loaded with mode "t".
//             Hints inside instructions are written by other workers at any time; they are dumped as 0.
// Callers:    lua_dump, compile_load (in protected mode).
// See also:   opcodes.c. Tests: tests/limit/binary_chunks.lua, tests/fuzz/binary.c.
#include "call.h"
#include "compile.h"
#include "func.h"
#include "heap.h"
#include "str.h"
#include <limits.h>

#define VERSION 0x54 // of Lua
#define LUA_FORMAT 0
#define DATA "\x19\x93\r\n\x1a\n"
#define INSTR_SIZE 4 // what stock Lua writes
#define CHECK_INT INT64_C(0x5678)
#define CHECK_NUM 370.5
#define MAGIC "lungo bytecode\n"
#define FORMAT 2
#define MAX_NESTING 250 // functions in functions; the compiler allows fewer

enum { K_NIL, K_FALSE, K_TRUE, K_INT, K_FLOAT, K_STRING };

// ---- writing --------------------------------------------------------------------------------------

typedef struct Out {
  lua_State *L;
  lua_Writer writer;
  void *data;
  bool strip;
  int status;
  size_t n;
  char buf[1024]; // collects small pieces for the writer
} Out;

static void flush(Out *o) {
  if (o->status == 0 && o->n > 0) o->status = o->writer(o->L, o->buf, o->n, o->data);
  o->n = 0;
}

static void put(Out *o, const void *p, size_t n) {
  if (n > sizeof(o->buf) - o->n) flush(o);
  if (n > sizeof(o->buf)) {
    if (o->status == 0) o->status = o->writer(o->L, p, n, o->data);
    return;
  }
  memcpy(o->buf + o->n, p, n);
  o->n += n;
}

static void put_byte(Out *o, int b) {
  char c = (char)b;
  put(o, &c, 1);
}

// Seven bits a byte, lowest first; all but the last have the top bit set.
static void put_size(Out *o, uint64_t n) {
  for (; n >= 0x80; n >>= 7) put_byte(o, (int)(n | 0x80));
  put_byte(o, (int)n);
}

static void put_string(Out *o, const String *s) {
  if (s == NULL) {
    put_byte(o, 0);
    return;
  }
  put_size(o, (uint64_t)s->len + 1);
  put(o, s->data, s->len);
}

static void put_const(Out *o, const Value *k) {
  switch (k->tag) {
  case TAG_NIL: put_byte(o, K_NIL); break;
  case TAG_FALSE: put_byte(o, K_FALSE); break;
  case TAG_TRUE: put_byte(o, K_TRUE); break;
  case TAG_INT:
    put_byte(o, K_INT);
    put(o, &k->u, sizeof(k->u));
    break;
  case TAG_FLOAT:
    put_byte(o, K_FLOAT);
    put(o, &k->u, sizeof(k->u));
    break;
  default:
    put_byte(o, K_STRING);
    put_string(o, v_str(k));
    break;
  }
}

static bool has_hint(int op) {
  return op == OP_GETTABUP || op == OP_SETTABUP || op == OP_GETFIELD || op == OP_SETFIELD ||
         (op >= OP_SELF && op <= OP_SELFCALLI) || op == OP_CALL;
}

static void put_code(Out *o, const Proto *p) {
  put_size(o, (uint64_t)p->ncode);
  for (int pc = 0; pc < p->ncode; pc++) {
    Instr i = __atomic_load_n(&p->code[pc], __ATOMIC_RELAXED);
    if (has_hint(INSTR_OP(i))) i &= UINT64_C(0x0000FFFFFFFFFFFF);
    put(o, &i, sizeof(i));
  }
}

static void put_debug(Out *o, const Proto *p) {
  put_byte(o, !o->strip && p->lines != NULL);
  if (o->strip || p->lines == NULL) return;
  put(o, p->lines, (size_t)p->ncode * sizeof(p->lines[0]));
  put_size(o, (uint64_t)p->nlocvars);
  for (int i = 0; i < p->nlocvars; i++) {
    const LocVar *v = &p->locvars[i];
    put_string(o, v->name);
    put_size(o, (uint64_t)v->startpc);
    put_size(o, (uint64_t)v->endpc);
    put_size(o, (uint64_t)v->reg);
  }
  for (int i = 0; i < p->nupvals; i++) put_string(o, p->upvals[i].name);
}

// The source's name is written where it differs from the enclosing function's.
static void put_function(Out *o, const Proto *p, const String *outer_source) {
  bool own_source = !o->strip && p->source != outer_source;
  put_byte(o, own_source);
  if (own_source) put_string(o, p->source);
  put_size(o, (uint64_t)p->line);
  put_size(o, (uint64_t)p->endline);
  put_byte(o, p->nparams);
  put_byte(o, (p->is_vararg ? 1 : 0) | (p->may_close ? 2 : 0));
  put_byte(o, p->maxstack);
  put_code(o, p);
  put_size(o, (uint64_t)p->nk);
  for (int i = 0; i < p->nk; i++) put_const(o, &p->k[i]);
  put_size(o, (uint64_t)p->nupvals);
  for (int i = 0; i < p->nupvals; i++) {
    put_byte(o, p->upvals[i].instack);
    put_byte(o, p->upvals[i].kind);
    put_size(o, p->upvals[i].index);
  }
  put_size(o, (uint64_t)p->np);
  for (int i = 0; i < p->np; i++) put_function(o, p->p[i], p->source);
  put_debug(o, p);
}

static void put_header(Out *o) {
  int64_t i = CHECK_INT;
  double n = CHECK_NUM;
  put(o, LUA_SIGNATURE, 4);
  put_byte(o, VERSION);
  put_byte(o, LUA_FORMAT);
  put(o, DATA, 6);
  put_byte(o, INSTR_SIZE);
  put_byte(o, sizeof(lua_Integer));
  put_byte(o, sizeof(lua_Number));
  put(o, &i, sizeof(i));
  put(o, &n, sizeof(n));
  put(o, MAGIC, sizeof(MAGIC) - 1);
  put_byte(o, FORMAT);
}

// The function must be on L's stack: the writer may run Lua code.
int dump_proto(lua_State *L, const Proto *p, lua_Writer w, void *data, bool strip) {
  Out o = {.L = L, .writer = w, .data = data, .strip = strip};
  put_header(&o);
  put_function(&o, p, NULL);
  flush(&o);
  return o.status;
}

// ---- reading --------------------------------------------------------------------------------------

typedef struct In {
  lua_State *L;
  const char *p, *end;
  const char *name; // of the chunk, for messages
  int depth;
} In;

static _Noreturn void bad_chunk(In *in, const char *why) {
  String *msg = str_fmt(in->L, "%s: bad binary format (%s)", in->name, why);
  stack_ensure(in->L, 1);
  v_setobj(in->L->top++, TAG_STRING, msg);
  call_throw(in->L, LUA_ERRSYNTAX);
}

static void need(In *in, uint64_t n) {
  if (n > (uint64_t)(in->end - in->p)) bad_chunk(in, "truncated chunk");
}

static void get(In *in, void *to, size_t n) {
  need(in, n);
  if (n > 0) memcpy(to, in->p, n);
  in->p += n;
}

static int get_byte(In *in) {
  need(in, 1);
  return (unsigned char)*in->p++;
}

static uint64_t get_size(In *in, uint64_t limit) {
  uint64_t n = 0;
  for (int shift = 0;; shift += 7) {
    uint64_t b = (uint64_t)get_byte(in);
    if (shift > 56) bad_chunk(in, "integer overflow");
    n |= (b & 0x7F) << shift;
    if (b < 0x80) break;
  }
  if (n > limit) bad_chunk(in, "integer overflow");
  return n;
}

static int get_int(In *in) { return (int)get_size(in, INT_MAX); }

// The number of elements that follow, each of which takes at least `size` bytes.
static int get_count(In *in, size_t size) {
  int n = get_int(in);
  need(in, (uint64_t)n * size);
  return n;
}

static void *new_array(In *in, int n, size_t size) {
  if (n == 0) return NULL;
  void *a = heap_mem(in->L, (size_t)n * size);
  memset(a, 0, (size_t)n * size);
  return a;
}

static String *get_string(In *in) {
  uint64_t n = get_size(in, PTRDIFF_MAX);
  if (n == 0) return NULL;
  need(in, --n);
  String *s = str_intern(in->L, in->p, n);
  in->p += n;
  return s;
}

static void get_const(In *in, Value *k) {
  int kind = get_byte(in);
  switch (kind) {
  case K_NIL: v_setnil(k); break;
  case K_FALSE:
  case K_TRUE: v_setbool(k, kind == K_TRUE); break;
  case K_INT:
  case K_FLOAT:
    get(in, &k->u, sizeof(k->u));
    k->tag = kind == K_INT ? TAG_INT : TAG_FLOAT;
    break;
  case K_STRING: {
    String *s = get_string(in);
    if (s == NULL) bad_chunk(in, "bad format for constant string");
    v_setobj(k, TAG_STRING, s);
    break;
  }
  default: bad_chunk(in, "unknown constant");
  }
}

static void get_upvalues(In *in, Proto *p) {
  p->nupvals = get_count(in, 3);
  p->upvals = new_array(in, p->nupvals, sizeof(UpvalDesc));
  for (int i = 0; i < p->nupvals; i++) {
    p->upvals[i].instack = get_byte(in) != 0;
    p->upvals[i].kind = (uint8_t)get_byte(in);
    p->upvals[i].index = (uint16_t)get_size(in, UINT16_MAX);
  }
}

static void get_debug(In *in, Proto *p) {
  if (get_byte(in) == 0) return;
  need(in, (uint64_t)p->ncode * sizeof(p->lines[0]));
  p->lines = new_array(in, p->ncode, sizeof(p->lines[0]));
  get(in, p->lines, (size_t)p->ncode * sizeof(p->lines[0]));
  p->nlocvars = get_count(in, 4);
  p->locvars = new_array(in, p->nlocvars, sizeof(LocVar));
  for (int i = 0; i < p->nlocvars; i++) {
    LocVar *v = &p->locvars[i];
    v->name = get_string(in);
    v->startpc = get_int(in);
    v->endpc = get_int(in);
    v->reg = get_int(in);
    if (v->name == NULL) bad_chunk(in, "corrupted chunk");
  }
  for (int i = 0; i < p->nupvals; i++) p->upvals[i].name = get_string(in);
}

static Proto *get_function(In *in, String *outer_source) {
  if (++in->depth > MAX_NESTING) bad_chunk(in, "functions nested too deeply");
  Proto *p = proto_new(in->L);
  p->source = get_byte(in) != 0 ? get_string(in) : outer_source;
  p->line = get_int(in);
  p->endline = get_int(in);
  p->nparams = (uint8_t)get_byte(in);
  int flags = get_byte(in);
  p->is_vararg = flags & 1;
  p->may_close = flags & 2;
  p->maxstack = (uint8_t)get_byte(in);
  p->ncode = get_count(in, sizeof(Instr));
  p->code = new_array(in, p->ncode, sizeof(Instr));
  get(in, p->code, (size_t)p->ncode * sizeof(Instr));
  p->nk = get_count(in, 1);
  p->k = new_array(in, p->nk, sizeof(Value));
  for (int i = 0; i < p->nk; i++) get_const(in, &p->k[i]);
  get_upvalues(in, p);
  p->np = get_count(in, 1);
  p->p = new_array(in, p->np, sizeof(Proto *));
  for (int i = 0; i < p->np; i++) p->p[i] = get_function(in, p->source);
  get_debug(in, p);
  const char *wrong = opcodes_check(p);
  if (wrong != NULL) bad_chunk(in, wrong);
  in->depth--;
  return p;
}

static void check_bytes(In *in, const char *want, size_t n, const char *why) {
  need(in, n);
  if (memcmp(in->p, want, n) != 0) bad_chunk(in, why);
  in->p += n;
}

static void check_byte(In *in, int want, const char *why) {
  if (get_byte(in) != want) bad_chunk(in, why);
}

static void check_header(In *in) {
  int64_t i;
  double n;
  check_bytes(in, &LUA_SIGNATURE[1], 3, "not a binary chunk");
  check_byte(in, VERSION, "version mismatch");
  check_byte(in, LUA_FORMAT, "format mismatch");
  check_bytes(in, DATA, 6, "corrupted chunk");
  check_byte(in, INSTR_SIZE, "Instruction size mismatch");
  check_byte(in, sizeof(lua_Integer), "lua_Integer size mismatch");
  check_byte(in, sizeof(lua_Number), "lua_Number size mismatch");
  get(in, &i, sizeof(i));
  if (i != CHECK_INT) bad_chunk(in, "integer format mismatch");
  get(in, &n, sizeof(n));
  if (n != CHECK_NUM) bad_chunk(in, "float format mismatch");
  check_bytes(in, MAGIC, sizeof(MAGIC) - 1, "not a chunk of lungo");
  check_byte(in, FORMAT, "version mismatch");
}

// Reads the rest of the chunk into a buffer, a userdata at stack offset `at`. Returns its length.
static size_t read_all(lua_State *L, Zio *z, ptrdiff_t at) {
  size_t n = 0;
  int c;
  while ((c = zio_getc(z)) != ZIO_EOF) {
    size_t piece = 1 + z->n;
    Userdata *u = v_ud(stack_restore(L, at));
    if (piece > u->len - n) {
      Userdata *bigger = ud_new(L, 2 * u->len + piece, 0);
      memcpy(ud_mem(bigger), ud_mem(u), n);
      v_setobj(stack_restore(L, at), TAG_USERDATA, bigger);
      u = bigger;
    }
    char *to = (char *)ud_mem(u) + n;
    to[0] = (char)c;
    if (z->n > 0) memcpy(to + 1, z->p, z->n);
    z->p += z->n;
    z->n = 0;
    n += piece;
  }
  return n;
}

static const char *display_name(const char *name) {
  if (*name == '@' || *name == '=') return name + 1;
  return *name == LUA_SIGNATURE[0] ? "binary string" : name;
}

LClosure *undump_chunk(lua_State *L, Zio *z, const char *name) {
  stack_ensure(L, 1);
  ptrdiff_t at = stack_save(L, L->top);
  Userdata *buffer = ud_new(L, 2000, 0);
  v_setobj(L->top++, TAG_USERDATA, buffer);
  size_t n = read_all(L, z, at);
  const char *bytes = ud_mem(v_ud(stack_restore(L, at)));
  In in = {.L = L, .p = bytes, .end = bytes + n, .name = display_name(name)};
  check_header(&in);
  LClosure *cl = lcl_new_withcells(L, get_function(&in, NULL));
  v_setobj(stack_restore(L, at), TAG_LCL, cl);
  return cl;
}
