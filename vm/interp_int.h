// SPDX-License-Identifier: MIT
//
// interp_int.h: the out-of-line halves of instructions (interp_slow.c, interp_close.c), for interp.c and interp_api.c.
//
// What:       functions that return bool say whether they pushed a frame (a metamethod's) that the loop must now enter;
//             its result goes where op_finish puts it. Before calling one the loop has saved pc and set L->top to
//             ci->top. Comparisons return 0 or 1, or OP_PUSHED.
// See also:   interp.c.
#ifndef LUNGO_VM_INTERP_INT_H
#define LUNGO_VM_INTERP_INT_H

#include "interp.h"

#define OP_PUSHED (-1)
typedef _Atomic uint16_t Hint;

// The hint in the X field of the instruction at pc.
static ALWAYS_INLINE Hint *instr_hint(const Instr *pc) { return (Hint *)((char *)(uintptr_t)pc + 6); }
static ALWAYS_INLINE Instr instr_fetch(const Instr *pc) { return __atomic_load_n(pc, __ATOMIC_RELAXED); }

// Lookup through __index. True: *out is the value; false: it is the function to call with (*obj, key). hint may be
// NULL, and key is an interned string if it is not. Raises for values that cannot be indexed.
bool index_find(lua_State *L, const Value *o, const Value *key, Hint *hint, Value *obj, Value *out);
// Store through __newindex. True: done; false: *fn is to be called with (*obj, key, v).
bool index_store(lua_State *L, const Value *o, const Value *key, Hint *hint, const Value *v, Value *obj, Value *fn);
// -1: neither numbers nor strings; else whether a < b (a <= b).
int raw_less(const Value *a, const Value *b);
int raw_lesseq(const Value *a, const Value *b);
// The metamethod e of a or, failing that, of b.
bool binary_meta(lua_State *L, const Value *a, const Value *b, enum Tm e, Value *out);
_Noreturn void arith_error(lua_State *L, int op, const Value *a, const Value *b);
// The __eq to try for two values that are not raw equal.
bool equal_meta(lua_State *L, const Value *a, const Value *b, Value *out);
// Joins as many values at the end of v[0..n-1] as are strings and numbers, at least two, into one that takes the place
// of the first of them; returns how many values are left, or n if the last two need a metamethod.
int concat_tail(lua_State *L, Value *v, int n);

bool op_index(lua_State *L, CallInfo *ci, const Value *o, const Value *key, Hint *hint, unsigned a);
bool op_self(lua_State *L, CallInfo *ci, const Value *o, const Value *key, Hint *hint, unsigned a);
bool op_setindex(lua_State *L, const Value *o, const Value *key, Hint *hint, const Value *v);
bool op_arith(lua_State *L, CallInfo *ci, Instr i);
bool op_unary(lua_State *L, CallInfo *ci, Instr i); // UNM, BNOT
bool op_len(lua_State *L, CallInfo *ci, Instr i);
bool op_concat(lua_State *L, CallInfo *ci, Instr i);
int op_less(lua_State *L, const Value *a, const Value *b);
int op_lesseq(lua_State *L, const Value *a, const Value *b);
int op_compareimm(lua_State *L, CallInfo *ci, Instr i);
int op_equal(lua_State *L, const Value *a, const Value *b);
bool op_forprep(lua_State *L, Value *ra); // true: no iteration
void op_closure(lua_State *L, CallInfo *ci, Value *ra, Proto *p);
void op_varargprep(lua_State *L, CallInfo *ci, int nfixed);
bool op_iterstep(lua_State *L, Value *ra, int nresults);             // `next` mode of a generic for; false: at the end
int op_select(lua_State *L, CallInfo *ci, const Instr *pc, Instr i); // RT_*; on RT_DONE ci->u.l.pc is the case chosen
// A step of `for v in ch`, the iterator at ra being a userdata. RT_*, or OP_NORECEIVE: it must be called like any
// other.
#define OP_NORECEIVE (-1)
int op_forreceive(lua_State *L, Value *ra, int nresults);
void op_unpark(lua_State *L, CallInfo *ci);                        // result of the channel instruction that parked
bool op_close(lua_State *L, CallInfo *ci, unsigned a);             // CLOSE: pushed the call of a __close
bool op_closereturn(lua_State *L, CallInfo *ci, Value *ra, int n); // RETURN: the same, its n results at ra are kept

// A metamethod that instruction pc[-1] of ci called has returned; its result, if any, is on top.
enum Finish { FINISH_NEXT, FINISH_PUSHED, FINISH_RETURN };
enum Finish op_finish(lua_State *L, CallInfo *ci);

#endif
