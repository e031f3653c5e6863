// SPDX-License-Identifier: MIT
//
// interp.c: the interpreter loop.
//
// What:       one function that runs frames, Lua's and C's, of one goroutine and all coroutines it resumes, without
//             recursion. Its locals (L, ci, base, k, pc) are a cache of the innermost frame; L->ci is always current,
//             ci->u.l.pc and L->top only where somebody may look (SAVE).
//
//             `enter` goes on with whatever frame is innermost; the frame says how (call.c lists it). `docall` makes a
//             call, `c_returned` and `do_return` end one; from there the frame below goes on: a Lua function behind its
//             call (back_in_lua), a Lua function whose instruction called a metamethod (op_finish), a C function's
//             continuation (back_in_c), or nobody: the level ends.
// Invariants: after anything that may call, grow the stack or reach a safepoint, base is computed anew; after an enter,
//             everything is.
//             Safepoints are LOOP, FORLOOP, TFORLOOP and the entry of a Lua function: one load and one branch. When
//             RUN_PARKED or RT_PARK is seen, the goroutine may already run elsewhere: the loop returns at once.
//             A LOOP is re-executed after a park (pc is saved before it), so that only a real entry of a function looks
//             like one (pc == code).
//             With a hook set, all instructions go through `hooked`. Hooks are noticed where functions return.
//             LUNGO_SWITCH builds the loop with a switch instead of computed goto; tests run both.
//             LUNGO_RACE builds the copy that tells the race detector what it accesses (interp_race.c).
// See also:   interp_slow.c (what is rare), call.c (levels, errors), opcodes.h.
#include "interp_int.h"
#include "cmodule.h"
#include "dbg.h"
#include "func.h"
#include "gc.h"
#include "lgassert.h"
#include "meta.h"
#include "method.h"
#include "quick.h"
#include "race.h"
#include "seam.h"
#include "share.h"
#include "str.h"
#include "table.h"
#include <math.h>

#define CI_SPECIAL                                                                                                     \
  (CI_FRESH | CI_META | CI_FROMC) // who returns from such a frame does not just go on in a Lua function

// ---- C frames --------------------------------------------------------------------------------------

// A continuation may push as much as a function may. What lack of memory ended is garbage now: the continuation, and
// the code that handles the error, should find memory.
static int continue_c(lua_State *L, CallInfo *ci, int status) {
  stack_ensure(L, LUA_MINSTACK);
  if (ci->top < L->top + LUA_MINSTACK) ci->top = L->top + LUA_MINSTACK;
  if (unlikely(status == LUA_ERRMEM)) gc_caught(L);
  if (unlikely(ci->func->tag == TAG_CCL && ccl_ismodule(v_ccl(ci->func)))) return cmodule_continue(L, ci, status);
  return ci->u.c.k(L, status, ci->u.c.kctx);
}

// The callee that vm_callk, vm_pcallk (or lua_callk before a yield) started has returned.
static NOINLINE int finish_callk(lua_State *L, CallInfo *ci) {
  unsigned st = ci->status;
  if (st & CI_PCALL) {
    L->errfunc = ci->u.c.errfunc & ~(ptrdiff_t)1;
    L->npcalls--;
  }
  ci->status = (uint16_t)(st & ~(CI_PCALL | CI_CALLK | CI_YIELDED));
  return continue_c(L, ci, st & CI_YIELDED ? LUA_YIELD : LUA_OK);
}

static NOINLINE int finish_resume(lua_State *L, CallInfo *ci) {
  ci->status &= (uint16_t)~CI_RESUME;
  return continue_c(L, ci, ci->u2.nres);
}

// It parked its goroutine, or yielded.
static NOINLINE int finish_parked(lua_State *L, CallInfo *ci) {
  ci->status &= (uint16_t)~CI_PARKED;
  return ci->u.c.k != NULL ? continue_c(L, ci, LUA_YIELD) : ci->u2.nres;
}

// A C function that used lua_toclose returns n results: each pending variable is closed above them.
static int close_c_frame(lua_State *L, int status, lua_KContext n) {
  (void)status;
  if (!tbc_pending(L, L->ci->func + 1)) {
    L->ci->status &= (uint16_t)~CI_CTBC;
    return (int)n;
  }
  int nargs = tbc_take(L, NULL);
  return vm_callk(L, nargs, 0, n, close_c_frame);
}

// Frame ci unwinds: pushes the next pending close. False when none is left.
static NOINLINE bool close_next(lua_State *L, CallInfo *ci) {
  const Value *low = ci->status & CI_BASE ? ci->func + 1 : stack_restore(L, ci->u2.funcidx);
  if (!tbc_pending(L, low)) return false;
  int nargs = tbc_take(L, L->top - 1);
  call_push(L, L->top - (nargs + 1), 0, CI_FROMC);
  return true;
}

// Everything is closed: the error value takes the place of the call that failed. Returns the status.
static NOINLINE int finish_unwind(lua_State *L, CallInfo *ci) {
  Value *low = ci->status & CI_BASE ? ci->func + 1 : stack_restore(L, ci->u2.funcidx);
  int status = (int)L->top[-2].i;
  v_copy(low, L->top - 1);
  L->top = low + 1;
  ci->status &= (uint16_t) ~(CI_CLOSING | CI_PCALL | CI_CALLK | CI_YIELDED | CI_RESUME | CI_PARKED);
  if (!(ci->status & CI_BASE)) {
    L->errfunc = ci->u.c.errfunc & ~(ptrdiff_t)1;
    L->npcalls--;
  }
  stack_unoverflow(L);
  return status;
}

// ---- the loop's shorthand --------------------------------------------------------------------------

static bool uses_top(Instr i) {
  switch (INSTR_OP(i)) {
  case OP_CALL:
  case OP_TAILCALL:
  case OP_RETURN:
  case OP_SETLIST:
  case OP_GO:
  case OP_DEFER: return INSTR_B(i) == 0;
  default: return false;
  }
}

// A hook that a call hook has just set starts with the first line.
// Values that a register held last must not look alive at a safepoint: a loop may wait for one of them to be collected.
static void forget_registers(CallInfo *ci, int live) {
  for (Value *v = ci->func + 1 + live; v < ci->top; v++) v_setnil(v);
}

static NOINLINE int loop_safepoint(lua_State *L, CallInfo *ci, const Instr *back, int live) {
  ci->u.l.pc = back;
  L->top = ci->top;
  forget_registers(ci, live);
  return rt_safepoint(L, L->ctx->nlevels == 1);
}

static NOINLINE void hook_entry(lua_State *L, CallInfo *ci) {
  dbg_hookcall(L, ci);
  L->oldpc = -1;
}

// A hook wants to see the calls of iterators that the loop would do itself: TFORCALL at ra then calls the function that
// is returned. NULL: not that of a walk that is under way (op_iterstep).
static NOINLINE Value *hooked_iterator(lua_State *L, Value *ra) {
  if (!(L->hookmask & (LUA_MASKCALL | LUA_MASKRET))) return NULL;
  if (ra->tag == TAG_EMPTY && ra->u == 0) dbg_endwalk(ra);
  if (ra->tag == TAG_EMPTY) return NULL;
  for (int c = 0; c < 3; c++) v_copy(&ra[4 + c], &ra[c]);
  L->top = ra + 7;
  return ra + 4;
}

static ALWAYS_INLINE double as_float(const Value *v) { return v_isint(v) ? (double)v->i : v->n; }
static ALWAYS_INLINE bool both_int(const Value *a, const Value *b) { return a->tag == TAG_INT && b->tag == TAG_INT; }
static ALWAYS_INLINE bool both_float(const Value *a, const Value *b) { return (a->tag | b->tag) == TAG_FLOAT; }
static ALWAYS_INLINE bool both_number(const Value *a, const Value *b) { return v_isnumber(a) && v_isnumber(b); }
_Static_assert(TAG_FLOAT == 0, "both_float");

// Decided without looking far: 1, 0, or -1 for op_equal to find out.
static ALWAYS_INLINE int quick_equal(const Value *a, const Value *b) {
  if (a->tag != b->tag) return both_number(a, b) ? -1 : 0;
  switch (a->tag) {
  case TAG_FLOAT: return a->n == b->n;
  case TAG_NIL:
  case TAG_FALSE:
  case TAG_TRUE: return 1;
  case TAG_STRING: return str_eq(v_str(a), v_str(b));
  case TAG_TABLE:
  case TAG_USERDATA: return a->p == b->p ? 1 : -1;
  default: return a->u == b->u;
  }
}

// The value of field `key` if the hint finds it.
static ALWAYS_INLINE bool quick_field(const Table *t, const String *key, unsigned hint, Value *out) {
  const HBlock *h = atomic_load_explicit(&((Table *)t)->hash, memory_order_acquire);
  const TNode *n = hblock_hinted(h, hint);
  if (unlikely(slot_load(&n->key) != SLOT_OBJ(TAG_STRING, key))) return false;
  return likely(bits_decode_nonnil(out, slot_load(&n->val)));
}

// The metatable of a userdata or a string, NULL of anything else.
static ALWAYS_INLINE const Table *method_table(Global *gl, const Value *v) {
  if (likely(v->tag == TAG_USERDATA)) return atomic_load_explicit(&v_ud(v)->meta, memory_order_acquire);
  return v->tag == TAG_STRING ? atomic_load_explicit(&gl->mt[LUA_TSTRING], memory_order_acquire) : NULL;
}

// The method `key` of a value whose metatable is mt if the metatable's guess of its __index
// (table.c) and the hint both hold. bench/conc/uncontended.lua: a quarter of a lock and unlock.
static ALWAYS_INLINE bool quick_method(const Global *gl, const Table *mt, const String *key, unsigned hint,
                                       Value *out) {
  const HBlock *h = atomic_load_explicit(&((Table *)mt)->hash, memory_order_acquire);
  const TNode *n = hblock_hinted(h, __atomic_load_n(&mt->hdr.aux, __ATOMIC_RELAXED));
  if (unlikely(slot_load(&n->key) != SLOT_OBJ(TAG_STRING, gl->tmname[TM_INDEX]))) return false;
  uint64_t index = slot_load(&n->val);
  return likely(bits_tag(index) == TAG_TABLE) &&
         quick_field((const Table *)(intptr_t)bits_payload(index), key, hint, out);
}

// The remembered method `key` of a userdata, or NULL.
static ALWAYS_INLINE const Method *quick_hinted(const Global *gl, const Value *v, const String *key, unsigned hint) {
  if (unlikely(v->tag != TAG_USERDATA)) return NULL;
  return method_hinted(gl, atomic_load_explicit(&v_ud(v)->meta, memory_order_acquire), key, hint);
}

// What executes op while a hook is set: calls are instructions of their own then.
static int hooked_op(int op) {
  return op == OP_SELFCALL || op == OP_SELFCALLI ? OP_SELF : op == OP_UPSELFCALL ? OP_GETUPVAL : op;
}

// Replaces the value of a field of an unshared table if the hint finds it and it is not nil.
static ALWAYS_INLINE bool quick_setfield(Table *t, const String *key, unsigned hint, const Value *v) {
  uint64_t b;
  if (unlikely(obj_isshared(t))) return false;
  HBlock *h = atomic_load_explicit(&t->hash, memory_order_acquire);
  TNode *n = hblock_hinted(h, hint);
  if (unlikely(slot_load(&n->key) != SLOT_OBJ(TAG_STRING, key))) return false;
  if (unlikely(bits_isnil(slot_load(&n->val))) || unlikely(!v_encode_fast(v, &b))) return false;
  slot_store(&n->val, b);
  return true;
}

static ALWAYS_INLINE bool quick_geti(const Table *t, int64_t i, Value *out) {
  const ABlock *a = atomic_load_explicit(&((Table *)t)->arr, memory_order_acquire);
  if (unlikely((uint64_t)i - 1u >= a->size)) return false;
  return likely(bits_decode_nonnil(out, slot_load(&a->v[i - 1])));
}

// In the array part of an unshared table, if __newindex cannot matter.
static ALWAYS_INLINE bool quick_seti(Table *t, int64_t i, const Value *v) {
  uint64_t b;
  ABlock *a = atomic_load_explicit(&t->arr, memory_order_acquire);
  if (unlikely((uint64_t)i - 1u >= a->size) || unlikely(obj_isshared(t))) return false;
  Slot *s = &a->v[i - 1];
  if (atomic_load_explicit(&t->meta, memory_order_relaxed) != NULL && bits_isnil(slot_load(s))) return false;
  if (unlikely(!v_encode_fast(v, &b))) return false;
  slot_store(s, b);
  return true;
}

#define R(n) (base + (n))
#define RA (base + INSTR_A(i))
#define RB (base + INSTR_B(i))
#define RC (base + INSTR_C(i))
#define KB (k + INSTR_B(i))
#define KC (k + INSTR_C(i))
#define RKC (INSTR_C(i) < RK_CONST ? (const Value *)RC : k + (INSTR_C(i) - RK_CONST))
#define UPVAL(n) atomic_load_explicit(&v_lcl(base - 1)->upv[n], memory_order_acquire)
#define SAVE() (ci->u.l.pc = pc, L->top = ci->top)
#define RELOAD() (base = ci->func + 1)
#define JUMP() (pc += INSTR_J(i))

#ifdef LUNGO_RACE
#define interp_run interp_run_race
#define RACE(tell) (SAVE(), (tell))
#else
#define RACE(tell) ((void)0)
#endif

// A slow half that may have pushed a frame.
#define SLOW(pushed)                                                                                                   \
  {                                                                                                                    \
    SAVE();                                                                                                            \
    if (unlikely(pushed)) goto enter;                                                                                  \
    RELOAD();                                                                                                          \
  }

// `back` is where the loop goes on after a park, `live` the number of registers that mean something there.
#define SAFEPOINT(back, live)                                                                                          \
  if (unlikely(atomic_load_explicit(&ctx->poll, memory_order_relaxed) != 0)) {                                         \
    if (loop_safepoint(L, ci, back, live) == RT_PARK) return RUN_PARKED;                                               \
    RELOAD();                                                                                                          \
    REHOOK();                                                                                                          \
  }

// A quick half has left n results at RA, for itself and the `ahead` instructions that follow, the last of which is
// CALL.
#define QUICK_RESULTS(ahead)                                                                                           \
  {                                                                                                                    \
    nres = INSTR_C(instr_fetch(pc + (ahead)-1)) - 1;                                                                   \
    pc += (ahead);                                                                                                     \
    if (nres != 0 && unlikely(n != nres)) call_results(L, RA, RA, n, nres);                                            \
    NEXT();                                                                                                            \
  }

#ifdef LUNGO_SWITCH
#define OP(name) case OP_##name:
#define NEXT() goto fetch
#define REHOOK() (trap = L->hookmask != 0)
#define DISPATCH_PLAIN(op)                                                                                             \
  {                                                                                                                    \
    plain = (op);                                                                                                      \
    goto execute;                                                                                                      \
  }
#else
#define OP(name) L_##name:
#define NEXT()                                                                                                         \
  {                                                                                                                    \
    i = instr_fetch(pc++);                                                                                             \
    goto *table[INSTR_OP(i)];                                                                                          \
  }
#define REHOOK() (table = L->hookmask != 0 ? hooked_table : plain_table)
#define DISPATCH_PLAIN(op) goto *plain_table[op]
#endif

#define ARITH(name, b_, c_, iexpr, fexpr)                                                                              \
  OP(name) {                                                                                                           \
    const Value *b = (b_), *c = (c_);                                                                                  \
    if (likely(both_int(b, c))) {                                                                                      \
      int64_t x = b->i, y = c->i;                                                                                      \
      v_setint(RA, iexpr);                                                                                             \
      NEXT();                                                                                                          \
    }                                                                                                                  \
    double x, y;                                                                                                       \
    if (likely(both_float(b, c))) {                                                                                    \
      x = b->n;                                                                                                        \
      y = c->n;                                                                                                        \
    } else if (likely(both_number(b, c))) {                                                                            \
      x = as_float(b);                                                                                                 \
      y = as_float(c);                                                                                                 \
    } else {                                                                                                           \
      SLOW(op_arith(L, ci, i))                                                                                         \
      NEXT();                                                                                                          \
    }                                                                                                                  \
    v_setfloat(RA, fexpr);                                                                                             \
    NEXT();                                                                                                            \
  }

#define ARITH_DIV(name, b_, c_, iexpr, fexpr)                                                                          \
  OP(name) {                                                                                                           \
    const Value *b = (b_), *c = (c_);                                                                                  \
    if (likely(both_int(b, c) && c->i != 0)) {                                                                         \
      int64_t x = b->i, y = c->i;                                                                                      \
      v_setint(RA, iexpr);                                                                                             \
    } else if (likely(both_number(b, c) && !both_int(b, c))) {                                                         \
      double x = as_float(b), y = as_float(c);                                                                         \
      v_setfloat(RA, fexpr);                                                                                           \
    } else                                                                                                             \
      SLOW(op_arith(L, ci, i))                                                                                         \
    NEXT();                                                                                                            \
  }

#define ARITH_FLOAT(name, b_, c_, fexpr)                                                                               \
  OP(name) {                                                                                                           \
    const Value *b = (b_), *c = (c_);                                                                                  \
    if (likely(both_float(b, c))) {                                                                                    \
      double x = b->n, y = c->n;                                                                                       \
      v_setfloat(RA, fexpr);                                                                                           \
    } else if (likely(both_number(b, c))) {                                                                            \
      double x = as_float(b), y = as_float(c);                                                                         \
      v_setfloat(RA, fexpr);                                                                                           \
    } else                                                                                                             \
      SLOW(op_arith(L, ci, i))                                                                                         \
    NEXT();                                                                                                            \
  }

#define BITWISE(name, b_, c_, iexpr)                                                                                   \
  OP(name) {                                                                                                           \
    const Value *b = (b_), *c = (c_);                                                                                  \
    if (likely(both_int(b, c))) {                                                                                      \
      int64_t x = b->i, y = c->i;                                                                                      \
      v_setint(RA, iexpr);                                                                                             \
    } else                                                                                                             \
      SLOW(op_arith(L, ci, i))                                                                                         \
    NEXT();                                                                                                            \
  }

#define WRAP(op) (int64_t)((uint64_t)x op(uint64_t) y)
#define POWER (y == 2 ? x * x : pow(x, y))
#define SHIFT_RIGHT int_shl(x, (int64_t)(0u - (uint64_t)y))

#define ARITH_FAMILY(suffix, c_)                                                                                       \
  ARITH(ADD##suffix, RB, c_, WRAP(+), x + y)                                                                           \
  ARITH(SUB##suffix, RB, c_, WRAP(-), x - y)                                                                           \
  ARITH(MUL##suffix, RB, c_, WRAP(*), x *y)                                                                            \
  ARITH_DIV(MOD##suffix, RB, c_, int_mod(x, y), float_mod(x, y))                                                       \
  ARITH_FLOAT(POW##suffix, RB, c_, POWER)                                                                              \
  ARITH_FLOAT(DIV##suffix, RB, c_, x / y)                                                                              \
  ARITH_DIV(IDIV##suffix, RB, c_, int_idiv(x, y), floor(x / y))                                                        \
  BITWISE(BAND##suffix, RB, c_, x &y)                                                                                  \
  BITWISE(BOR##suffix, RB, c_, x | y)                                                                                  \
  BITWISE(BXOR##suffix, RB, c_, x ^ y)                                                                                 \
  BITWISE(SHL##suffix, RB, c_, int_shl(x, y))                                                                          \
  BITWISE(SHR##suffix, RB, c_, SHIFT_RIGHT)

#define COMPARE(name, negate, cmp, slow)                                                                               \
  OP(name) {                                                                                                           \
    const Value *a = RA, *b = RB;                                                                                      \
    int r;                                                                                                             \
    if (likely(both_int(a, b))) {                                                                                      \
      r = a->i cmp b->i;                                                                                               \
    } else if (likely(both_float(a, b))) {                                                                             \
      r = a->n cmp b->n;                                                                                               \
    } else                                                                                                             \
      SLOW((r = slow(L, a, b)) < 0)                                                                                    \
    if (r != (negate)) JUMP();                                                                                         \
    NEXT();                                                                                                            \
  }

#define COMPARE_IMM(name, negate, cmp)                                                                                 \
  OP(name) {                                                                                                           \
    const Value *a = RA;                                                                                               \
    int r;                                                                                                             \
    if (likely(v_isint(a))) {                                                                                          \
      r = a->i cmp INSTR_SB(i);                                                                                        \
    } else if (likely(v_isfloat(a))) {                                                                                 \
      r = a->n cmp(double) INSTR_SB(i);                                                                                \
    } else                                                                                                             \
      SLOW((r = op_compareimm(L, ci, i)) < 0)                                                                          \
    if (r != (negate)) JUMP();                                                                                         \
    NEXT();                                                                                                            \
  }

#define EQUAL(name, negate)                                                                                            \
  OP(name) {                                                                                                           \
    int r = quick_equal(RA, RB);                                                                                       \
    if (unlikely(r < 0)) SLOW((r = op_equal(L, RA, RB)) < 0)                                                           \
    if (r != (negate)) JUMP();                                                                                         \
    NEXT();                                                                                                            \
  }

#define EQUAL_K(name, negate)                                                                                          \
  OP(name) {                                                                                                           \
    int r = quick_equal(RA, KB);                                                                                       \
    if (unlikely(r < 0)) r = value_rawequal(RA, KB);                                                                   \
    if (r != (negate)) JUMP();                                                                                         \
    NEXT();                                                                                                            \
  }

__attribute__((hot)) int interp_run(Ctx *ctx, Level *lv) {
#ifdef LUNGO_SWITCH
  bool trap;
  uint8_t plain;
#else
  static const void *const plain_table[256] = {
#define X(name, format) [OP_##name] = &&L_##name,
      LG_OPCODES(X)
#undef X
  };
  static const void *const hooked_table[256] = {[0 ... 255] = &&hooked};
  const void *const *table;
#endif
  lua_State *L;
  CallInfo *ci;
  Value *base, *func;   // func: of docall and call_lua
  const Value *k, *ret; // ret, n: what c_returned and do_return return
  const Instr *pc;
  Instr i;
  int n, nargs, nres; // nargs: of call_lua; nres: results wanted by docall
  unsigned st;        // status of the frame that has returned

enter:
  L = ctx->L;
  ci = L->ci;
  REHOOK();
  if (likely(ci_isLua(ci))) {
    const Proto *p = v_lcl(ci->func)->p;
    if (unlikely(ci->status & CI_PARKED)) op_unpark(L, ci);
    base = ci->func + 1;
    k = p->k;
    pc = ci->u.l.pc;
    if (pc == p->code) goto entered;
    NEXT();
  }
  if (unlikely(lv->returned >= 0)) { // here, as a way round `enter` would cost every instruction a move of `base`
    n = lv->returned;
    lv->returned = -1;
    goto c_returned;
  }
  st = ci->status;
  if (unlikely(st & CI_CLOSING)) goto closing;
  if (st & CI_PARKED) {
    n = finish_parked(L, ci);
    goto c_returned;
  }
  if (st & CI_RESUME) {
    n = finish_resume(L, ci);
    goto c_returned;
  }
  if (st & CI_BASE) {
    call_push(L, L->top - (ci->u2.nres + 1), LUA_MULTRET, CI_FROMC);
    goto enter;
  }
  if (unlikely(L->hookmask)) dbg_hookcall(L, ci);
  n = call_cfunction(ci->func)(L);

c_returned:                          // a C function, or a continuation of one: n results on top, or a command
  if (unlikely(n < 0)) goto command; // first: after VM_PARK not even L->ci is ours
  ci = L->ci;
  if (unlikely(ci->status & CI_CTBC)) {
    n = close_c_frame(L, LUA_OK, n);
    if (n < 0) goto command;
  }
  if (unlikely(L->hookmask)) dbg_hookret(L, ci, n);
  st = ci->status;
  nres = ci->nresults;
  func = ci->func;
  ret = L->top - n;
  goto returned;

command:
  if (n == VM_CALL) {
    if (unlikely(!lv->armed)) return RUN_ARM;
    goto enter;
  }
  if (n == VM_PARK) return RUN_PARKED;
  lg_assert(n == VM_YIELD);

do_yield: // u2.nyield values on top go to the resumer
  if (level_ishome(lv, L)) {
    if (lv->kind == LEVEL_CALL) call_throw(L, LUA_YIELD);
    return LUA_YIELD;
  }
  coro_leave(ctx, L, LUA_YIELD);
  goto enter;

do_return: // of Lua function ci: n results at ret
  if (unlikely(L->hookmask)) {
    L->top = (Value *)ret + n;
    ci->u.l.pc = pc;
    dbg_hookret(L, ci, n);
    ret = L->top - n;
  }
  st = ci->status;
  nres = ci->nresults;
  func = ci->func;
  if (st & CI_VARARG) func -= ci->u.l.nextra + 1 + v_lcl(func)->p->nparams;

returned: // frame ci is over: its n results at ret go to func
  ci = L->ci = ci->prev;
  call_results(L, func, ret, n, nres);
  if (likely(!(st & CI_SPECIAL))) {
    REHOOK();
    goto back_in_lua;
  }
  if (nres >= 0) L->top = func + nres;
  if (st & CI_FRESH) return LUA_OK;
  if (st & CI_META) {
    switch (op_finish(L, ci)) {
    case FINISH_PUSHED: goto enter;
    case FINISH_RETURN:
      RELOAD();
      pc = ci->u.l.pc;
      ret = R(INSTR_A(instr_fetch(pc - 1)));
      n = (int)(L->top - ret);
      goto do_return;
    default: REHOOK(); goto back_in_lua;
    }
  }

  // back in a C function that called through the loop, or at the base
  if (unlikely(ci->status & CI_CLOSING)) goto closing;
  if (ci->status & CI_BASE) {
    if (level_ishome(lv, L)) return LUA_OK;
    coro_leave(ctx, L, LUA_OK);
    goto enter;
  }
  n = finish_callk(L, ci);
  goto c_returned;

closing: // an error is under way to frame ci
  if (close_next(L, ci)) goto enter;
  n = finish_unwind(L, ci);
  if (!(ci->status & CI_BASE)) {
    n = continue_c(L, ci, n);
    goto c_returned;
  }
  if (level_ishome(lv, L)) return n;
  coro_leave(ctx, L, n); // only a goexit comes here: it goes on in whoever resumed
  v_setnil(ctx->L->top++);
  call_throw(ctx->L, n);

back_in_lua:
  RELOAD();
  k = v_lcl(ci->func)->p->k;
  pc = ci->u.l.pc;
  NEXT();

docall: // func with arguments up to L->top; nres results wanted; pc is saved
  if (unlikely(!v_isfunction(func))) func = call_callable(L, func);
  if (func->tag == TAG_LCL) {
    nargs = (int)(L->top - func) - 1;
    goto call_lua;
  }
  if (unlikely(L->stack_last - L->top <= LUA_MINSTACK)) {
    ptrdiff_t off = stack_save(L, func);
    stack_grow(L, LUA_MINSTACK);
    func = stack_restore(L, off);
  }
  {
    CallInfo *nci = ci->next;
    if (unlikely(nci == NULL)) nci = ci_extend(L);
    nci->func = func;
    nci->top = L->top + LUA_MINSTACK;
    nci->nresults = (int16_t)nres;
    nci->status = CI_C;
    L->ci = nci;
    if (unlikely(L->hookmask)) dbg_hookcall(L, nci);
    n = call_cfunction(nci->func)(L);
    if (unlikely(n < 0 || nci->status != CI_C || L->hookmask)) goto c_returned;
    L->ci = ci;
    call_results(L, nci->func, L->top - n, n, nres);
    RELOAD();
    NEXT();
  }

call_lua : // Lua function func with nargs arguments above it
{
  const Proto *p = v_lcl(func)->p;
  CallInfo *nci = ci->next;
  if (unlikely(L->stack_last - func <= p->maxstack + 1) || unlikely(nci == NULL)) {
    L->top = func + 1 + nargs;
    call_push(L, func, nres, 0);
    goto enter;
  }
  nci->func = func;
  base = func + 1;
  nci->top = base + p->maxstack;
  nci->u.l.nextra = nargs;
  nci->nresults = (int16_t)nres;
  nci->status = 0;
  if (unlikely(nargs < p->nparams)) {
    int np = p->nparams;
    nci->u.l.nextra = np;
    do v_setnil(&base[nargs]);
    while (++nargs < np);
  }
  L->ci = ci = nci;
  k = p->k;
  pc = p->code;
}

entered: // at the first instruction of a Lua function
  if (unlikely((atomic_load_explicit(&ctx->poll, memory_order_relaxed) | L->hookmask) != 0)) goto entered_slow;
  NEXT();

entered_slow : {
  const Proto *p = v_lcl(ci->func)->p;
  ci->u.l.pc = pc;
  L->top = ci->top;
  if (!p->is_vararg)
    forget_registers(ci, p->nparams);
  else if (L->top < base + ci->u.l.nextra)
    L->top = base + ci->u.l.nextra;
  if (atomic_load_explicit(&ctx->poll, memory_order_relaxed) != 0) {
    if (rt_safepoint(L, ctx->nlevels == 1) == RT_PARK) return RUN_PARKED;
  }
  if (L->hookmask && !p->is_vararg) hook_entry(L, ci); // else after VARARGPREP
  RELOAD();
  REHOOK();
  NEXT();
}

hooked:
  if (L->hookmask == 0) {
    REHOOK();
    DISPATCH_PLAIN(INSTR_OP(i));
  }
  ci->u.l.pc = pc;
  if (!uses_top(i)) L->top = ci->top;
  if (ci->status & CI_YIELDED) {
    ci->status &= (uint16_t)~CI_YIELDED;
  } else {
    dbg_traceexec(L, pc - 1);
    RELOAD();
    if (unlikely(lua_status(L) == LUA_YIELD)) {
      ci->u.l.pc = pc - 1;
      ci->status |= CI_YIELDED;
      ci->u2.nyield = 0;
      goto do_yield;
    }
  }
  if (INSTR_OP(i) == OP_RETURN0 || INSTR_OP(i) == OP_RETURN1) {
    ret = RA;
    n = INSTR_OP(i) == OP_RETURN1;
    goto do_return;
  }
  if (INSTR_OP(i) == OP_TFORCALL && (func = hooked_iterator(L, RA)) != NULL) {
    nres = INSTR_C(i);
    goto docall;
  }
  DISPATCH_PLAIN(hooked_op(INSTR_OP(i)));

#ifdef LUNGO_SWITCH
fetch:
  i = instr_fetch(pc++);
  if (unlikely(trap)) goto hooked;
  plain = INSTR_OP(i);
execute:
  switch (plain) {
#endif

    OP(MOVE) {
      v_copy(RA, RB);
      NEXT();
    }
    OP(LOADK) {
      v_copy(RA, k + INSTR_J(i));
      NEXT();
    }
    OP(LOADI) {
      v_setint(RA, INSTR_J(i));
      NEXT();
    }
    OP(LOADF) {
      v_setfloat(RA, INSTR_J(i));
      NEXT();
    }
    OP(LOADNIL) {
      Value *ra = RA;
      for (int c = INSTR_B(i); c >= 0; c--) v_setnil(ra++);
      NEXT();
    }
    OP(LOADFALSE) {
      v_setbool(RA, false);
      NEXT();
    }
    OP(LOADTRUE) {
      v_setbool(RA, true);
      NEXT();
    }

    // ---- variables
    OP(GETUPVAL) {
      RACE(race_cell(L, UPVAL(INSTR_B(i)), RACE_READ));
      cell_get(UPVAL(INSTR_B(i)), RA);
      NEXT();
    }
    OP(SETUPVAL) {
      RACE(race_cell(L, UPVAL(INSTR_B(i)), RACE_WRITE));
      const Value *v = RA;
      uint64_t bits;
      if (likely(v->tag < TAG_STRING) && likely(v_encode_fast(v, &bits))) { // nobody needs to know
        slot_store(&UPVAL(INSTR_B(i))->v, bits);
        NEXT();
      }
      SAVE();
      cell_set(L, UPVAL(INSTR_B(i)), v);
      NEXT();
    }
    OP(NEWCELL) {
      SAVE();
      v_setobj(RA, TAG_INTERNAL, cell_new(L, RA));
      NEXT();
    }
    OP(GETCELL) {
      RACE(race_cell(L, (Cell *)RB->o, RACE_READ));
      cell_get((Cell *)RB->o, RA);
      NEXT();
    }
    OP(SETCELL) {
      RACE(race_cell(L, (Cell *)RA->o, RACE_WRITE));
      SAVE();
      cell_set(L, (Cell *)RA->o, RB);
      NEXT();
    }

    // ---- tables
    OP(GETTABUP) {
      Value env;
      const Value *key = KC;
      cell_get(UPVAL(INSTR_B(i)), &env);
      RACE(race_index(L, &env, key));
      if (likely(v_istable(&env)) && likely(quick_field(v_table(&env), v_str(key), INSTR_X(i), RA))) NEXT();
      SLOW(op_index(L, ci, &env, key, instr_hint(pc - 1), INSTR_A(i)))
      NEXT();
    }
    OP(GETFIELD) {
      const Value *b = RB, *key = KC;
      RACE(race_index(L, b, key));
      if (likely(v_istable(b)) && likely(quick_field(v_table(b), v_str(key), INSTR_X(i), RA))) NEXT();
      SLOW(op_index(L, ci, b, key, instr_hint(pc - 1), INSTR_A(i)))
      NEXT();
    }
    // The quick half does all, or nothing: then the instructions that follow do it. If it lacks memory, the error is
    // pushed above all registers, and stands at this instruction.
    OP(SELFCALL) {
      const Value *b = RB;
      const Method *m = quick_hinted(L->gl, b, v_str(KC), INSTR_X(i));
      if (unlikely(m == NULL)) goto self;
      SAVE();
      if (unlikely((n = m->run(L, RA, b, 1)) < 0)) goto self;
      QUICK_RESULTS(1)
    }
    OP(SELFCALLI) {
      const Value *b = RB;
      const Method *m = quick_hinted(L->gl, b, v_str(KC), INSTR_X(i));
      if (unlikely(m == NULL)) goto self;
      Value *arg = RA + 1;
      v_copy(arg, b);
      v_setint(arg + 1, INSTR_J(instr_fetch(pc)));
      SAVE();
      if (unlikely((n = m->run(L, RA, arg, 2)) < 0)) goto self;
      QUICK_RESULTS(2)
    }
    OP(UPSELFCALL) {
      uint64_t bits = slot_load(&UPVAL(INSTR_B(i))->v);
      Instr self = instr_fetch(pc);
      RACE(race_cell(L, UPVAL(INSTR_B(i)), RACE_READ));
      if (likely(bits >> 48 == SLOT_TAGGED(TAG_USERDATA, 0) >> 48)) {
        Value *arg = RA + 1;
        v_setobj(arg, TAG_USERDATA, (void *)(intptr_t)bits_payload(bits));
        const Method *m = quick_hinted(L->gl, arg, v_str(k + INSTR_C(self)), INSTR_X(self));
        SAVE();
        if (likely(m != NULL) && likely((n = m->run(L, RA, arg, 1)) >= 0)) QUICK_RESULTS(2)
        v_copy(RA, arg);
        NEXT();
      }
      bits_decode(RA, bits);
      NEXT();
    }
    OP(SELF)
  self : {
    const Value *b = RB, *key = KC;
    v_copy(RA + 1, b);
    RACE(race_index(L, b, key));
    if (likely(v_istable(b))) {
      if (likely(quick_field(v_table(b), v_str(key), INSTR_X(i), RA))) NEXT();
    } else {
      const Table *mt = method_table(L->gl, b);
      if (likely(mt != NULL)) {
        const Method *m = method_hinted(L->gl, mt, v_str(key), INSTR_X(i));
        if (likely(m != NULL)) {
          v_copy(RA, &m->fn);
          NEXT();
        }
        if (likely(quick_method(L->gl, mt, v_str(key), INSTR_X(i), RA))) NEXT();
      }
    }
    SLOW(op_self(L, ci, b, key, instr_hint(pc - 1), INSTR_A(i)))
    NEXT();
  }
    OP(GETTABLE) {
      const Value *b = RB, *key = RC;
      RACE(race_index(L, b, key));
      if (likely(v_istable(b))) {
        if (likely(v_isint(key))) {
          if (likely(quick_geti(v_table(b), key->i, RA))) NEXT();
        } else if (v_isstring(key)) {
          Value v;
          if (likely(table_getstr(L, v_table(b), v_str(key), &v))) {
            v_copy(RA, &v);
            NEXT();
          }
        }
      }
      SLOW(op_index(L, ci, b, key, NULL, INSTR_A(i)))
      NEXT();
    }
    OP(GETI) {
      const Value *b = RB;
      RACE(race_indexint(L, b, INSTR_C(i)));
      if (likely(v_istable(b)) && likely(quick_geti(v_table(b), INSTR_C(i), RA))) NEXT();
      Value key;
      v_setint(&key, INSTR_C(i));
      SLOW(op_index(L, ci, b, &key, NULL, INSTR_A(i)))
      NEXT();
    }
    OP(SETTABUP) {
      Value env;
      const Value *key = KB, *v = RKC;
      cell_get(UPVAL(INSTR_A(i)), &env);
      RACE(race_setindex(L, &env, key, v));
      if (likely(v_istable(&env)) && likely(quick_setfield(v_table(&env), v_str(key), INSTR_X(i), v))) NEXT();
      SLOW(op_setindex(L, &env, key, instr_hint(pc - 1), v))
      NEXT();
    }
    OP(SETFIELD) {
      const Value *a = RA, *key = KB, *v = RKC;
      RACE(race_setindex(L, a, key, v));
      if (likely(v_istable(a)) && likely(quick_setfield(v_table(a), v_str(key), INSTR_X(i), v))) NEXT();
      SLOW(op_setindex(L, a, key, instr_hint(pc - 1), v))
      NEXT();
    }
    OP(SETTABLE) {
      const Value *a = RA, *key = RB, *v = RKC;
      RACE(race_setindex(L, a, key, v));
      if (likely(v_istable(a)) && likely(v_isint(key)) && likely(quick_seti(v_table(a), key->i, v))) NEXT();
      SLOW(op_setindex(L, a, key, NULL, v))
      NEXT();
    }
    OP(SETI) {
      const Value *a = RA, *v = RKC;
      RACE(race_setindexint(L, a, INSTR_B(i), v));
      if (likely(v_istable(a)) && likely(quick_seti(v_table(a), INSTR_B(i), v))) NEXT();
      Value key;
      v_setint(&key, INSTR_B(i));
      SLOW(op_setindex(L, a, &key, NULL, v))
      NEXT();
    }
    OP(NEWTABLE) {
      unsigned b = INSTR_B(i);
      SAVE();
      v_setobj(RA, TAG_TABLE, table_new(L, (uint32_t)INSTR_J(i), b > 0 ? 1u << (b - 1) : 0));
      NEXT();
    }
    OP(SETLIST) {
      Value *ra = RA;
      int count = INSTR_B(i);
      ci->u.l.pc = pc;
      if (count == 0) count = (int)(L->top - ra) - 1; // they may reach beyond ci->top
      if (INSTR_B(i) != 0 || L->top < ci->top) L->top = ci->top;
      table_setlist(L, v_table(ra), (int64_t)INSTR_J(i) + 1, ra + 1, (uint32_t)count);
      NEXT();
    }

    // ---- operators
    ARITH_FAMILY(, RC)
    ARITH_FAMILY(K, KC)
    OP(ADDI) {
      const Value *b = RB;
      if (likely(v_isint(b))) {
        v_setint(RA, (int64_t)((uint64_t)b->i + (uint64_t)(int64_t)INSTR_SC(i)));
      } else if (likely(v_isfloat(b))) {
        v_setfloat(RA, b->n + INSTR_SC(i));
      } else
        SLOW(op_arith(L, ci, i))
      NEXT();
    }
    OP(UNM) {
      const Value *b = RB;
      if (likely(v_isint(b))) {
        v_setint(RA, (int64_t)(0u - (uint64_t)b->i));
      } else if (likely(v_isfloat(b))) {
        v_setfloat(RA, -b->n);
      } else
        SLOW(op_unary(L, ci, i))
      NEXT();
    }
    OP(BNOT) {
      const Value *b = RB;
      if (likely(v_isint(b))) {
        v_setint(RA, ~b->i);
      } else
        SLOW(op_unary(L, ci, i))
      NEXT();
    }
    OP(NOT) {
      v_setbool(RA, v_isfalsy(RB));
      NEXT();
    }
    OP(LEN) {
      const Value *b = RB;
      RACE(race_length(L, b));
      if (likely(v_istable(b)) && atomic_load_explicit(&v_table(b)->meta, memory_order_relaxed) == NULL) {
        v_setint(RA, table_len(L, v_table(b)));
      } else
        SLOW(op_len(L, ci, i))
      NEXT();
    }
    OP(CONCAT) {
      SLOW(op_concat(L, ci, i))
      NEXT();
    }

    // ---- jumps
    OP(JMP) {
      JUMP();
      NEXT();
    }
    OP(LOOP) {
      SAFEPOINT(pc - 1, INSTR_A(i))
      JUMP();
      NEXT();
    }
    OP(JT) {
      if (!v_isfalsy(RA)) JUMP();
      NEXT();
    }
    OP(JF) {
      if (v_isfalsy(RA)) JUMP();
      NEXT();
    }
    OP(JTSET) {
      const Value *b = RB;
      if (!v_isfalsy(b)) {
        v_copy(RA, b);
        JUMP();
      }
      NEXT();
    }
    OP(JFSET) {
      const Value *b = RB;
      if (v_isfalsy(b)) {
        v_copy(RA, b);
        JUMP();
      }
      NEXT();
    }
    EQUAL(JEQ, 0)
    EQUAL(JNE, 1)
    EQUAL_K(JEQK, 0)
    EQUAL_K(JNEK, 1)
    COMPARE(JLT, 0, <, op_less)
    COMPARE(JNLT, 1, <, op_less)
    COMPARE(JLE, 0, <=, op_lesseq)
    COMPARE(JNLE, 1, <=, op_lesseq)
    COMPARE_IMM(JLTI, 0, <)
    COMPARE_IMM(JNLTI, 1, <)
    COMPARE_IMM(JLEI, 0, <=)
    COMPARE_IMM(JNLEI, 1, <=)
    COMPARE_IMM(JGTI, 0, >)
    COMPARE_IMM(JNGTI, 1, >)
    COMPARE_IMM(JGEI, 0, >=)
    COMPARE_IMM(JNGEI, 1, >=)

    // ---- calls
    OP(CALL) {
      func = RA;
      nres = (int)INSTR_C(i) - 1;
      nargs = (int)INSTR_B(i) - 1;
      ci->u.l.pc = pc;
      if (likely(func->tag == TAG_LCL)) {
        if (unlikely(nargs < 0)) nargs = (int)(L->top - func) - 1;
        goto call_lua;
      }
      if (likely(nargs >= 0)) L->top = func + 1 + nargs;
      if (func->tag == TAG_LCF) {
        const Quick *quick = &quick_list[INSTR_X(i) % QUICK_MAX];
        if (atomic_load_explicit(&((Quick *)quick)->f, memory_order_acquire) == func->f) {
          if (likely(L->hookmask == 0) && likely((n = quick->run(L, func, func + 1, (int)(L->top - func) - 1)) >= 0)) {
            if (unlikely(n != nres)) call_results(L, func, func, n, nres);
            NEXT();
          }
        } else if (unlikely(INSTR_X(i) == 0)) {
          atomic_store_explicit(instr_hint(pc - 1), quick_find(func->f), memory_order_relaxed);
        }
      }
      goto docall;
    }
    OP(TAILCALL) {
      func = RA;
      if (INSTR_B(i) != 0) L->top = func + INSTR_B(i);
      ci->u.l.pc = pc;
      if (unlikely(!v_isfunction(func))) func = call_callable(L, func);
      if (unlikely(func->tag != TAG_LCL)) { // the frame stays, so that errors in the callee name this place
        call_push(L, func, LUA_MULTRET, CI_META);
        goto enter;
      }
      Value *dst = ci->func;
      if (ci->status & CI_VARARG) dst -= ci->u.l.nextra + 1 + v_lcl(dst)->p->nparams;
      int count = (int)(L->top - func);
      for (int c = 0; c < count; c++) v_copy(&dst[c], &func[c]);
      L->top = dst + count;
      L->ci = ci->prev;
      call_push(L, dst, ci->nresults, (ci->status & CI_SPECIAL) | CI_TAIL);
      goto enter;
    }
    OP(RETURN) {
      ret = RA;
      n = (int)INSTR_B(i) - 1;
      if (unlikely(n < 0)) n = ci->status & CI_CLOSING ? ci->u2.nres : (int)(L->top - ret);
      if (INSTR_X(i) & 1) {
        ci->u.l.pc = pc;
        if (op_closereturn(L, ci, RA, n)) goto enter;
      }
      goto do_return;
    }
    OP(RETURN0) {
      if (unlikely(ci->status & CI_SPECIAL)) {
        ret = base;
        n = 0;
        goto do_return;
      }
      nres = ci->nresults;
      ci = L->ci = ci->prev;
      if (unlikely(nres != 0)) call_results(L, base - 1, base, 0, nres);
      goto back_in_lua;
    }
    OP(RETURN1) {
      const Value *ra = RA;
      if (unlikely(ci->status & CI_SPECIAL)) {
        if (likely(ci->status == CI_FRESH && L->hookmask == 0)) { // back to the C function that called
          func = ci->func;
          nres = ci->nresults;
          L->ci = ci->prev;
          call_results(L, func, ra, 1, nres);
          if (likely(nres >= 0)) L->top = func + nres;
          return LUA_OK;
        }
        ret = ra;
        n = 1;
        goto do_return;
      }
      nres = ci->nresults;
      ci = L->ci = ci->prev;
      if (likely(nres == 1)) {
        v_copy(base - 1, ra);
      } else {
        call_results(L, base - 1, ra, 1, nres);
      }
      RELOAD();
      k = v_lcl(ci->func)->p->k;
      pc = ci->u.l.pc;
      NEXT();
    }

    // ---- loops
    OP(FORPREP) {
      SAVE();
      if (op_forprep(L, RA)) JUMP();
      NEXT();
    }
    OP(FORLOOP) {
      Value *ra = RA;
      if (likely(v_isint(ra + 2))) {
        if (ra[1].u == 0) NEXT();
        ra[1].u--;
        ra[0].u += ra[2].u;
        v_setint(ra + 3, ra[0].i);
      } else {
        double step = ra[2].n, x = ra[0].n + step;
        if (!(step > 0 ? x <= ra[1].n : ra[1].n <= x)) NEXT();
        ra[0].n = x;
        v_setfloat(ra + 3, x);
      }
      JUMP();
      SAFEPOINT(pc, INSTR_A(i) + 4)
      NEXT();
    }
    OP(TFORPREP) {
      Value *ra = RA;
      SAVE();
      tbc_new_var(L, ra + 3);
      if (ra->tag == TAG_LCF && ra->f == vm_next && v_istable(ra + 1) && v_isnil(ra + 2)) {
        ra->tag = TAG_EMPTY; // from now on R[A] is the position in the walk that op_iterstep does
        ra->u = 0;
      }
      JUMP();
      NEXT();
    }
    OP(TFORCALL) {
      Value *ra = RA;
      nres = INSTR_C(i);
      if (ra->tag == TAG_EMPTY) {
        bool more = op_iterstep(L, ra, nres);
        RACE(v_istable(ra + 1) ? race_next(L, v_table(ra + 1), more ? ra + 4 : NULL) : (void)0);
        i = instr_fetch(pc++); // the TFORLOOP
        if (!more) NEXT();
        JUMP();
        SAFEPOINT(pc, INSTR_A(i) + 4 + INSTR_B(i))
        NEXT();
      }
      if (ra->tag == TAG_LCF && ra->f == vm_ipairsaux && v_istable(ra + 1) && v_isint(ra + 2) && nres <= 2) {
        int64_t at = (int64_t)(ra[2].u + 1);
        RACE(race_indexint(L, ra + 1, at));
        if (likely(quick_geti(v_table(ra + 1), at, ra + 5))) {
          v_setint(ra + 4, at);
          v_setint(ra + 2, at);
          i = instr_fetch(pc++);
          JUMP();
          SAFEPOINT(pc, INSTR_A(i) + 4 + INSTR_B(i))
          NEXT();
        }
      }
      if (ra->tag == TAG_USERDATA) {
        SAVE();
        int r = op_forreceive(L, ra, nres);
        if (r == RT_PARK) return RUN_PARKED;
        RELOAD();
        if (likely(r == RT_DONE)) NEXT();
        ra = RA;
      }
      func = ra + 4;
      v_copy(func, ra);
      v_copy(func + 1, ra + 1);
      v_copy(func + 2, ra + 2);
      L->top = func + 3;
      ci->u.l.pc = pc;
      goto docall;
    }
    OP(TFORLOOP) {
      Value *ra = RA;
      if (v_isnil(ra + 4)) NEXT();
      v_copy(ra + 2, ra + 4);
      JUMP();
      SAFEPOINT(pc, INSTR_A(i) + 4 + INSTR_B(i))
      NEXT();
    }

    // ---- functions
    OP(CLOSURE) {
      SAVE();
      op_closure(L, ci, RA, v_lcl(base - 1)->p->p[INSTR_J(i)]);
      NEXT();
    }
    OP(VARARG) {
      int extra = ci->u.l.nextra, want = (int)INSTR_C(i) - 1;
      if (want < 0) {
        want = extra;
        if (unlikely(L->stack_last - RA <= want)) {
          SAVE();
          stack_grow(L, want);
          RELOAD();
        }
        L->top = RA + want;
      }
      Value *ra = RA;
      const Value *src = ci->func - extra;
      int c = 0;
      for (; c < want && c < extra; c++) v_copy(&ra[c], &src[c]);
      for (; c < want; c++) v_setnil(&ra[c]);
      NEXT();
    }
    OP(VARARGPREP) {
      ci->u.l.pc = pc;
      op_varargprep(L, ci, INSTR_A(i));
      if (unlikely(L->hookmask)) hook_entry(L, ci);
      RELOAD();
      NEXT();
    }
    OP(CLOSE) {
      SLOW(op_close(L, ci, INSTR_A(i)))
      NEXT();
    }
    OP(TBC) {
      SAVE();
      tbc_new_var(L, RA);
      NEXT();
    }
    OP(DEFER) {
      Value *ra = RA;
      int count = INSTR_B(i) != 0 ? (int)INSTR_B(i) : (int)(L->top - ra);
      SAVE();
      tbc_new_defer(L, ra, count - 1);
      NEXT();
    }

    // ---- goroutines and channels
    OP(GO) {
      Value *ra = RA;
      if (INSTR_B(i) != 0) L->top = ra + INSTR_B(i);
      ci->u.l.pc = pc;
      rt_go(L, (int)(L->top - ra) - 1);
      RELOAD();
      NEXT();
    }
    OP(SEND) {
      SAVE();
      ci->status |= CI_PARKED;
      if (rt_send(L, RA, RKC) == RT_PARK) return RUN_PARKED;
      ci->status &= (uint16_t)~CI_PARKED;
      RELOAD();
      NEXT();
    }
    OP(RECV2)
    OP(RECV) {
      Value res[2];
      SAVE();
      ci->status |= CI_PARKED;
      if (rt_recv(L, RB, res) == RT_PARK) return RUN_PARKED;
      ci->status &= (uint16_t)~CI_PARKED;
      RELOAD();
      v_copy(RA, &res[0]);
      if (INSTR_OP(i) == OP_RECV2) v_copy(RA + 1, &res[1]);
      NEXT();
    }
    OP(SELECT) {
      SAVE();
      ci->status |= CI_PARKED;
      if (op_select(L, ci, pc, i) == RT_PARK) return RUN_PARKED;
      ci->status &= (uint16_t)~CI_PARKED;
      RELOAD();
      pc = ci->u.l.pc;
      NEXT();
    }
    OP(SELCASE) {
      JUMP();
      NEXT();
    }

#ifdef LUNGO_SWITCH
  default: __builtin_unreachable();
  }
#endif
}
