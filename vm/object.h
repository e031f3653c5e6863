// SPDX-License-Identifier: MIT
//
// object.h: the heap objects of the VM: strings, tables, cells, closures, prototypes, userdata, coroutine states.
//
// Invariants: every object starts with Obj. The heap never moves an object. No object needs a destructor: whatever
//             an object owns (table blocks, stacks, code) is itself a heap object that the owner marks, so that
//             sweeping never touches dead memory (heap.h).
//             *Shared bit*: an object whose OF_SHARED is off can be reached from one goroutine only; see share.h.
// See also:   value.h, state.h, share.h, table.h.
#ifndef LUNGO_VM_OBJECT_H
#define LUNGO_VM_OBJECT_H

#include "opcodes.h"
#include "value.h"

struct Marker;

typedef struct String {
  Obj hdr; // aux32: hash, 0 = not computed yet (a racy but idempotent cache); aux: 1 + index of a reserved word
  size_t len;
  char data[]; // NUL-terminated
} String;

typedef struct Cell { // a captured local variable
  Obj hdr;
  Slot v;
} Cell;

// Array part: keys 1..size. Replaced whole; `hint` is a guess of the border, any value is harmless.
typedef struct ABlock {
  Obj hdr;
  uint32_t size;
  _Atomic uint32_t hint;
  Slot v[];
} ABlock;

typedef struct TNode {
  Slot key, val;
} TNode;

// Hash part: open addressing, linear probing, power-of-two size, entries never move inside a block.
// A removed entry keeps its key with a nil value until the next rehash.
typedef struct HBlock {
  Obj hdr;               // aux: 1 if some integer key was ever put here
  uint32_t mask;         // size - 1
  _Atomic uint32_t used; // nodes whose key is not TAG_EMPTY/0
  TNode node[];
} HBlock;

// The node that a hint names, whatever the hint. A branch, not an AND: the load of the node then need not wait for that
// of the mask (bench/lang/objects.lua).
static ALWAYS_INLINE TNode *hblock_hinted(const HBlock *h, uint32_t hint) {
  if (unlikely(hint > h->mask)) {
    __asm__ volatile("" : "+r"(hint)); // so that it stays a branch
    hint &= h->mask;
  }
  return (TNode *)&h->node[hint];
}

typedef struct Table {
  Obj hdr; // lock: guards writers of a shared table. aux32: bit e set = "no metamethod e in this table" (meta.h)
  _Atomic(ABlock *) arr; // never NULL: an empty table points to table_noarray / table_nohash
  _Atomic(HBlock *) hash;
  _Atomic(struct Table *) meta;
} Table;
_Static_assert(sizeof(Table) == 32, "table size");

typedef struct UpvalDesc {
  String *name; // may be NULL (stripped)
  uint8_t instack;
  uint8_t kind;
  uint16_t index;
} UpvalDesc;

typedef struct LocVar {
  String *name;
  int startpc, endpc;
  int reg;
} LocVar;

typedef struct Proto {
  Obj hdr;
  uint8_t nparams;
  bool is_vararg;
  uint8_t maxstack; // registers needed
  bool may_close;   // has tbc variables or defers
  int ncode, nk, np, nupvals, nlocvars;
  int line, endline;
  Instr *code; // all arrays are OBJ_MEM blocks (heap_mem), or NULL when empty
  Value *k;
  struct Proto **p;
  UpvalDesc *upvals;
  LocVar *locvars;
  int32_t *lines; // line of each instruction; NULL if stripped
  String *source;
  _Atomic uint32_t tracesrc; // number of its source in a trace (runtime/trace.c), 0: none yet
} Proto;

typedef struct LClosure {
  Obj hdr; // aux32: number of upvalues
  Proto *p;
  _Atomic(Cell *) upv[];
} LClosure;

typedef struct CClosure {
  Obj hdr; // aux32: number of upvalues
  lua_CFunction f;
  Slot upv[];
} CClosure;

typedef struct Userdata {
  Obj hdr; // aux: 1 if it is one of lungo's own objects with inner references (then trace is not NULL).
           // aux32: lungo's own objects: the mark of their kind (lungolib.h); files: their HandleState
           // (ioclose.c); otherwise 0
  _Atomic(Table *) meta;
  size_t len;
  // Called by the collector (world stopped, any worker) to mark what the memory refers to; see gc.h. May be NULL.
  void (*trace)(struct Marker *m, void *mem);
  uint32_t nuv;
  Slot uv[]; // then, 16-aligned, `len` bytes: ud_mem
} Userdata;

static inline size_t ud_headsize(uint32_t nuv) {
  return (offsetof(Userdata, uv) + nuv * sizeof(Slot) + 15) & ~(size_t)15;
}
static inline void *ud_mem(Userdata *u) { return (char *)u + ud_headsize(u->nuv); }

#define obj_isshared(o) (atomic_load_explicit(&((Obj *)(o))->flags, memory_order_relaxed) & OF_SHARED)

#define v_str(v) ((String *)(v)->p)
#define v_table(v) ((Table *)(v)->p)
#define v_lcl(v) ((LClosure *)(v)->p)
#define v_ccl(v) ((CClosure *)(v)->p)
#define v_ud(v) ((Userdata *)(v)->p)

#endif
