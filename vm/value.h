// SPDX-License-Identifier: MIT
//
// value.h: the two shapes of a Lua value, and the header of every heap object.
//
// What:       Value (16 bytes) lives where one worker thread looks: stack registers, C locals, constants.
//             Slot (8 bytes, atomic, NaN-boxed) lives where several may look: table blocks, cells, C closure
//             upvalues, user values. The C compiler keeps the two apart.
// Invariants: a Slot is only read by slot_load and written by slot_store, so no value is ever torn. Its bit
//             pattern is a float when it is at most SLOT_MAXFLOAT; above, bits 48..51 are the tag and the low
//             48 bits the sign-extended payload. What has no such form (an integer or light pointer that needs
//             more than 48 bits, a negative NaN) is boxed in an immutable object (TAG_BOX, never seen in a
//             Value).
//             Tags of collectable things are those >= TAG_STRING.
// See also:   object.h, docs/architecture.md "Values".
#ifndef LUNGO_VM_VALUE_H
#define LUNGO_VM_VALUE_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define NOINLINE __attribute__((noinline))
#define ALWAYS_INLINE __attribute__((always_inline)) inline
#define COLD __attribute__((cold, noinline))

enum Tag {
  TAG_FLOAT = 0,
  TAG_NIL = 1, // nil and false stay adjacent: see v_isfalsy
  TAG_FALSE = 2,
  TAG_TRUE = 3,
  TAG_INT = 4,
  TAG_LIGHTUD = 5,
  TAG_LCF = 6,    // light C function
  TAG_EMPTY = 7,  // only in node keys: payload 0 = never used, else the address of a dead key
  TAG_STRING = 8, // from here on: payload is an Obj *
  TAG_TABLE = 9,
  TAG_LCL = 10, // Lua closure
  TAG_CCL = 11, // C closure
  TAG_USERDATA = 12,
  TAG_THREAD = 13,  // payload is the Thread (object.h), not the lua_State inside it
  TAG_BOX = 14,     // only in Slots
  TAG_INTERNAL = 15 // only in registers: a Cell or another object Lua code never sees
};

// Object kinds (Obj.type). The first ones equal the tag of the values that point to them.
enum ObjType {
  OBJ_STRING = TAG_STRING,
  OBJ_TABLE = TAG_TABLE,
  OBJ_LCL = TAG_LCL,
  OBJ_CCL = TAG_CCL,
  OBJ_USERDATA = TAG_USERDATA,
  OBJ_THREAD = TAG_THREAD,
  OBJ_BOX = TAG_BOX,
  OBJ_CELL = 16,
  OBJ_PROTO = 17,
  OBJ_ABLOCK = 18, // array part of a table
  OBJ_HBLOCK = 19, // hash part of a table
  OBJ_MEM = 20,    // memory without references, owned by one object (stack, code, call frames...)
  OBJ_TBC = 21     // an entry of the to-be-closed/defer list
};

// Obj.flags
#define OF_SHARED 0x01    // reachable from more than one goroutine (see share.h); never cleared
#define OF_INTERNED 0x02  // strings: in the intern table; two interned strings are equal iff same address
#define OF_CLASS 0x02     // tables, shared ones only: writers strike out remembered methods (method.h); never cleared
#define OF_FINALIZER 0x04 // has a __gc registered
#define OF_FIXED 0x08     // never collected
#define OF_WEAKK 0x10     // tables, set by the collector while it marks
#define OF_WEAKV 0x20
#define OF_PINNED                                                                                                      \
  0x40 // threads: somebody may still hold this goroutine's lua_State; do not reuse it;
       // hash blocks: an iterator may hold it; do not heap_release it

#define OF_FROZEN 0x80 // tables, shared ones only: read-only

typedef struct Obj {
  uint8_t type;
  _Atomic uint8_t flags;
  _Atomic uint8_t lock; // spin lock byte of shared tables, userdata
  uint8_t aux;
  _Atomic uint32_t aux32; // strings: hash (0 = not yet); tables: absent-metamethod bits; closures: nupvalues
} Obj;
_Static_assert(sizeof(Obj) == 8, "object header");

typedef struct Value {
  union {
    int64_t i;
    double n;
    void *p;
    Obj *o;
    lua_CFunction f;
    uint64_t u;
  };
  uint32_t tag; // the other 4 bytes are padding; copy with v_copy so that loads never straddle two stores
} Value;

typedef struct Slot {
  _Atomic uint64_t bits;
} Slot;

// ---- Value --------------------------------------------------------------------------------------

static ALWAYS_INLINE void v_copy(Value *d, const Value *s) {
  uint64_t u = s->u;
  uint32_t t = s->tag;
  d->u = u;
  d->tag = t;
}
static ALWAYS_INLINE void v_setnil(Value *v) { v->tag = TAG_NIL; }
static ALWAYS_INLINE void v_setbool(Value *v, bool b) { v->tag = TAG_FALSE + (b ? 1 : 0); }
static ALWAYS_INLINE void v_setint(Value *v, int64_t i) {
  v->i = i;
  v->tag = TAG_INT;
}
static ALWAYS_INLINE void v_setfloat(Value *v, double n) {
  v->n = n;
  v->tag = TAG_FLOAT;
}
static ALWAYS_INLINE void v_setobj(Value *v, uint32_t tag, void *o) {
  v->p = o;
  v->tag = tag;
}
static ALWAYS_INLINE bool v_isnil(const Value *v) { return v->tag == TAG_NIL; }
static ALWAYS_INLINE bool v_isfalsy(const Value *v) { return v->tag - 1u <= 1u; }
static ALWAYS_INLINE bool v_isint(const Value *v) { return v->tag == TAG_INT; }
static ALWAYS_INLINE bool v_isfloat(const Value *v) { return v->tag == TAG_FLOAT; }
static ALWAYS_INLINE bool v_isnumber(const Value *v) { return v->tag == TAG_INT || v->tag == TAG_FLOAT; }
static ALWAYS_INLINE bool v_isstring(const Value *v) { return v->tag == TAG_STRING; }
static ALWAYS_INLINE bool v_istable(const Value *v) { return v->tag == TAG_TABLE; }
static ALWAYS_INLINE bool v_isfunction(const Value *v) {
  return v->tag == TAG_LCL || v->tag == TAG_CCL || v->tag == TAG_LCF;
}
static ALWAYS_INLINE bool v_iscollectable(const Value *v) { return v->tag >= TAG_STRING; }

// LUA_T* type of a tag (value_typeof in value.c is the table behind it).
extern const int8_t value_types[16];
static ALWAYS_INLINE int v_type(const Value *v) { return value_types[v->tag]; }

// ---- Slot ---------------------------------------------------------------------------------------

#define SLOT_MAXFLOAT UINT64_C(0xFFF0000000000000) // -inf; every larger pattern is a tagged value
#define SLOT_TAGGED(tag, payload)                                                                                      \
  (SLOT_MAXFLOAT | (uint64_t)(tag) << 48 | ((uint64_t)(payload)&UINT64_C(0xFFFFFFFFFFFF)))
#define SLOT_OBJ(tag, o) (SLOT_MAXFLOAT | (uint64_t)(tag) << 48 | (uint64_t)(uintptr_t)(o)) // o is an address: 47 bits
#define SLOT_NIL SLOT_TAGGED(TAG_NIL, 0)
#define SLOT_EMPTY SLOT_TAGGED(TAG_EMPTY, 0)
#define SLOT_CANONNAN UINT64_C(0x7FF8000000000000)

static ALWAYS_INLINE uint32_t bits_tag(uint64_t b) { return b <= SLOT_MAXFLOAT ? TAG_FLOAT : (uint32_t)(b >> 48) & 15; }
static ALWAYS_INLINE int64_t bits_payload(uint64_t b) { return (int64_t)(b << 16) >> 16; }
static ALWAYS_INLINE bool bits_isnil(uint64_t b) { return b == SLOT_NIL; }

// Acquire pairs with the release in slot_store: who sees a pointer sees the object behind it initialized.
static ALWAYS_INLINE uint64_t slot_load(const Slot *s) {
  return atomic_load_explicit(&((Slot *)s)->bits, memory_order_acquire);
}
static ALWAYS_INLINE void slot_store(Slot *s, uint64_t b) { atomic_store_explicit(&s->bits, b, memory_order_release); }

typedef struct Box {
  Obj hdr; // hdr.aux: TAG_INT, TAG_LIGHTUD or TAG_FLOAT
  uint64_t u;
} Box;

static ALWAYS_INLINE void bits_decode(Value *v, uint64_t b) {
  uint32_t tag = (uint32_t)(b >> 48);
  if (tag <= SLOT_MAXFLOAT >>
      48) { // negative NaNs being boxed, the upper 16 bits tell; a small constant to compare with
    v->u = b;
    v->tag = TAG_FLOAT;
    return;
  }
  tag &= 15;
  int64_t p = bits_payload(b);
  if (unlikely(tag == TAG_BOX)) {
    const Box *box = (const Box *)(intptr_t)p;
    tag = box->hdr.aux;
    p = (int64_t)box->u;
  }
  v->i = p;
  v->tag = tag;
}

// The same for a value that must not be nil: false, and *v untouched, if it is. Numbers first.
static ALWAYS_INLINE bool bits_decode_nonnil(Value *v, uint64_t b) {
  uint32_t tag = (uint32_t)(b >> 48);
  if (tag <= SLOT_MAXFLOAT >> 48) {
    v->u = b;
    v->tag = TAG_FLOAT;
    return true;
  }
  tag &= 15;
  if (tag == TAG_INT) {
    v->i = bits_payload(b);
    v->tag = TAG_INT;
    return true;
  }
  if (unlikely(tag == TAG_NIL)) return false;
  bits_decode(v, b);
  return true;
}

// The bits of a value, or 0 with *boxed set if it needs a Box (value_encode_slow allocates it).
static ALWAYS_INLINE bool v_encode_fast(const Value *v, uint64_t *out) {
  uint32_t tag = v->tag;
  uint64_t u = v->u;
  if (tag == TAG_FLOAT) {
    *out = u;
    return likely(u <= SLOT_MAXFLOAT);
  }
  if (tag == TAG_INT || tag == TAG_LIGHTUD) {
    if (unlikely((int64_t)(u << 16) >> 16 != (int64_t)u)) return false;
  } else if (tag <= TAG_TRUE) {
    u = 0; // nil and booleans have one pattern each
  }
  *out = SLOT_TAGGED(tag, u);
  return true;
}
uint64_t value_encode_slow(lua_State *L, const Value *v); // allocates a Box; may raise out of memory
static ALWAYS_INLINE uint64_t v_encode(lua_State *L, const Value *v) {
  uint64_t b;
  return likely(v_encode_fast(v, &b)) ? b : value_encode_slow(L, v);
}

// ---- numbers and text (value.c) -----------------------------------------------------------------

bool value_float2int(double n, int64_t *out); // exact only
bool value_floorint(double n, int64_t *out);  // floor, then exact
bool value_ceilint(double n, int64_t *out);
bool value_tointeger(const Value *v, int64_t *out); // int, exact float, or numeral string
bool value_tointeger_nostr(const Value *v, int64_t *out);
bool value_tonumber(const Value *v, Value *out);             // number or numeral string -> number
bool value_todouble(const Value *v, double *out);            // same, as float
size_t value_str2number(const char *s, Value *out);          // 0 if no numeral, else length + 1 (as lua_stringtonumber)
size_t value_num2str(const Value *num, char *buf, size_t n); // "%.14g", ".0" added; buf of >= 64 bytes
#define VALUE_NUMBUF 64

// raw equality (no metamethods), as lua_rawequal. Ints and floats compare by mathematical value.
bool value_rawequal(const Value *a, const Value *b);

// integer arithmetic with Lua's wrap-around and rounding; b != 0 is checked by the caller for mod and idiv
static inline int64_t int_mod(int64_t a, int64_t b) {
  if (unlikely((uint64_t)b + 1u <= 1u)) return 0; // b is -1 (0 never comes here)
  int64_t r = a % b;
  return (r != 0 && (r ^ b) < 0) ? r + b : r;
}
static inline int64_t int_idiv(int64_t a, int64_t b) {
  if (unlikely((uint64_t)b + 1u <= 1u)) return (int64_t)(0u - (uint64_t)a);
  int64_t q = a / b;
  return ((a ^ b) < 0 && q * b != a) ? q - 1 : q;
}
static inline int64_t int_shl(int64_t x, int64_t y) {
  if (y <= -64 || y >= 64) return 0;
  return y >= 0 ? (int64_t)((uint64_t)x << y) : (int64_t)((uint64_t)x >> -y);
}
double float_mod(double a, double b);

#endif
