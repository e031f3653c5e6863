// SPDX-License-Identifier: MIT
//
// state.h: lua_State (a coroutine or goroutine stack), call frames, the worker's context, and the global state.
//
// What:       lua_State is the `L` of lua.h: a stack of Values and a list of call frames. It sits inside a heap
//             object, Thread. Ctx is what the VM knows of the worker thread (M) it runs on. Global is one Lua
//             universe: heap, registry, strings, metatables, runtime.
// Invariants: one worker at a time runs a lua_State (whoever set it running owns stack and frames); between, they
//             belong to whoever parked it, or to the collector while the world is stopped.
//             *Any Value in a stack block is safe to mark*: above the live part the collector clears to nil at each
//             collection, so whatever is left there was alive since the last one.
//             L->ctx is valid only while L runs.
//             Allocation never collects; collection happens only at safepoints (interp loop, API entry points that
//             allocate), where all live values are on stacks or in roots. (gc_new_obj and gc_rescue are safepoints.)
// See also:   call.h (frames), seam.h (what the runtime gives), share.h.
#ifndef LUNGO_VM_STATE_H
#define LUNGO_VM_STATE_H

#include "object.h"
#include <setjmp.h>

typedef struct Global Global;
typedef struct Ctx Ctx;
typedef struct G G; // runtime/sched.h

// CallInfo.status
#define CI_C 0x0001     // a C function's frame
#define CI_FRESH 0x0002 // entered from C (vm_call): its return leaves this interp_run
#define CI_META                                                                                                        \
  0x0004                  // called by an instruction of the previous frame (metamethod, iterator, __close):
                          // when it returns, the previous frame's instruction is finished by interp_finish
#define CI_TAIL 0x0008    // was tail called (debug information)
#define CI_PCALL 0x0010   // C frame that called vm_pcallk: an error inside stops here (status goes to k)
#define CI_CALLK 0x0020   // C frame waiting for a callee started by vm_callk/vm_pcallk/lua_callk/lua_yieldk: k is set
#define CI_RESUME 0x0040  // C frame that resumed a coroutine (L->resumed) through the loop
#define CI_VARARG 0x0080  // Lua frame whose func was shifted by u.l.nextra + 1 + nparams
#define CI_FIN 0x0100     // calls a finalizer
#define CI_HOOK 0x0200    // runs a debug hook
#define CI_CLOSING 0x0400 // frame is closing variables because of an error (value in u2/err slot; see call.c)
#define CI_PARKED 0x1000  // frame that parked its goroutine: on resumption k is called, or the instruction completed
#define CI_BASE 0x2000    // base frame of a lua_State
#define CI_FROMC                                                                                                       \
  0x4000 // called on behalf of the C frame below (vm_callk, a coroutine's base, closing): on its
         // return the loop goes on with that frame
#define CI_YIELDED                                                                                                     \
  0x8000                  // C frame: a yield went through its lua_callk/lua_pcallk, k gets LUA_YIELD.
                          // Lua frame: yielded inside a hook, which is not called again for this instruction
#define CI_CTBC CI_VARARG // C frame: lua_toclose was called in it
#define CI_LEQ CI_RESUME  // Lua frame: its a <= b is answered by __lt, as not (b < a)
#define CI_TRAN 0x0800    // a hook runs and u2.transfer tells which values are transferred

typedef struct CallInfo {
  Value *func; // function slot; arguments / registers start at func + 1
  Value *top;  // end of the registers this frame may use
  struct CallInfo *prev, *next;
  union {
    struct {
      const Instr *pc; // next instruction (saved at every point where others may look)
      int nextra;      // extra arguments of a vararg function
    } l;
    struct {
      lua_KFunction k;
      lua_KContext kctx;
      ptrdiff_t errfunc; // CI_PCALL: message handler of the surrounding protected call (stack offset, 0 none);
                         // bit 0: allowhook to restore
    } c;
  } u;
  union {
    int nyield, nres, funcidx;
    struct {
      uint16_t ftransfer, ntransfer;
    } transfer;
  } u2;
  int16_t nresults; // expected results, LUA_MULTRET = -1
  uint16_t status;
} CallInfo;

#define ci_isLua(ci) (!((ci)->status & CI_C))

// An entry of L->tbc: a to-be-closed variable (register) or a deferred call. Newest first.
typedef struct Tbc {
  Obj hdr; // aux: 0 = variable, 1 = defer
  struct Tbc *prev;
  ptrdiff_t level; // variable: offset of the register in the stack; defer: offset of the frame's func + 1
  uint32_t nargs;  // defer: number of arguments
  uint32_t shape;  // pad
  Value v[];       // defer: function, arguments
} Tbc;

typedef struct LongJmp {
  struct LongJmp *prev;
  jmp_buf buf;
  volatile int status; // LUA_OK, LUA_ERR*, LUA_YIELD
} LongJmp;

#define CORO_RUNS 1
#define CORO_HELD 2

struct lua_State {
  Value *stack; // OBJ_MEM block; NULL for a goroutine that has not run yet
  Value *top;
  Value *stack_last; // stack_last + EXTRA_STACK is the end of the block
  CallInfo *ci;
  Tbc *tbc;
  Ctx *ctx; // worker that runs this state, valid only while it runs
  Global *gl;
  lua_State *from;        // who resumed this coroutine (running inside us), NULL at a goroutine's base
  G *g;                   // the goroutine it runs in now (or ran in last)
  _Atomic uint8_t status; // LUA_OK, LUA_YIELD or an error: as lua_status
  // CORO_RUNS: a goroutine runs it or it is a `normal` coroutine; CORO_HELD: somebody looks at its stack (coro_hold).
  // Claimed by compare-and-swap from 0, so that two resumers at once cannot both win.
  _Atomic uint8_t running;
  uint8_t allowhook;
  uint8_t hookmask;
  uint8_t nogc;     // > 0: code below holds what no root knows, or a lock: no rescue (gc.h) may collect here
  uint16_t nCcalls; // C levels in use (C stack overflow check)
  uint16_t nny;     // number of non-yieldable calls (C boundary) in the stack
  int basehookcount, hookcount;
  int npcalls; // protected calls under way (C stack overflow check, for those that need no C stack)
  int oldpc;   // line hook: pc of the last instruction traced; any value is safe, -1: the next is a new line
  lua_Hook hook;
  ptrdiff_t errfunc; // current message handler (stack offset, 0 none)
  Value scratch[2];  // API: decoded C upvalues (index2value)
  int scratch_turn;
  CallInfo base_ci;
};

typedef struct Thread {
  Obj hdr;
  void *extraspace; // lua_getextraspace(L) is L - LUA_EXTRASPACE
  lua_State L;
} Thread;
_Static_assert(offsetof(Thread, L) == 16, "extra space directly before lua_State");

static inline Thread *thread_of(lua_State *L) { return (Thread *)((char *)L - offsetof(Thread, L)); }
static inline lua_State *v_thread(const Value *v) { return &((Thread *)v->p)->L; }
static inline void v_setthread(Value *v, lua_State *L) { v_setobj(v, TAG_THREAD, thread_of(L)); }

#define EXTRA_STACK 5
#define STACK_MIN (2 * LUA_MINSTACK) // first stack of a coroutine; a goroutine's is sized for its function
#define MAX_CCALLS 200
// Protected calls in one another take no C stack here, so they need no limit as low as Lua's 200. But each may add a
// result to those that it passes on (`return pcall(f)`): with this many, that takes a fifth of a second.
#define MAX_PCALLS 20000

// ---- the worker ------------------------------------------------------------------------------------

// What the VM sees of a worker thread. It is the first member of the runtime's M (runtime/sched.h).
// Only the worker itself touches it, but for `poll`.
struct Ctx {
  _Atomic uint32_t poll; // POLL_* bits: something wants attention at the next safepoint. Set by anyone.
  struct Cache *cache;   // allocation cache of the processor (P) this worker holds; NULL when it holds none
  uint32_t proc;         // while it holds one: its number
  lua_State *L;          // the running state (innermost coroutine)
  LongJmp *errjmp;       // innermost C-level handler
  struct Module *module; // the C module whose lock this goroutine holds, or NULL (cmodule.h)
  int nlevels;           // interp_run invocations on this C stack; a goroutine can park without its worker iff 1
  Global *gl;
  uint64_t rng; // xorshift state, per worker
};

#define POLL_PREEMPT 1u    // give way: the goroutine ran its 10 ms
#define POLL_STW 2u        // somebody wants to stop the world
#define POLL_GC 4u         // this worker's allocations say: collect
#define POLL_HOOK 8u       // a debug hook was set from outside
#define POLL_KILL 32u      // somebody ends goroutines: is the one that runs here among them?
#define POLL_INTERRUPT 16u // raise the pending asynchronous error (Ctrl-C)

// ---- the universe ----------------------------------------------------------------------------------

enum Tm { // order: fast ones first (cached absence bits in Table.aux32)
  TM_INDEX,
  TM_NEWINDEX,
  TM_GC,
  TM_MODE,
  TM_LEN,
  TM_EQ,
  TM_LT,
  TM_LE,
  TM_CALL,
  TM_CLOSE,
  TM_CONCAT,
  TM_UNM,
  TM_BNOT,
  TM_ADD,
  TM_SUB,
  TM_MUL,
  TM_MOD,
  TM_POW,
  TM_DIV,
  TM_IDIV,
  TM_BAND,
  TM_BOR,
  TM_BXOR,
  TM_SHL,
  TM_SHR,
  TM_NAME,
  TM_TOSTRING,
  TM_PAIRS,
  TM_METATABLE,
  TM_COUNT // <= 32
};

// Remembered methods (method.h).
#define METHOD_MAX 128
typedef int (*QuickFn)(lua_State *L, Value *res, const Value *arg, int nargs); // quick.h
typedef struct Method {
  _Atomic(Table *) mt; // METHOD_STRUCK: nobody's yet, or any more
  String *key;
  Value fn;
  QuickFn run; // the quick half of fn, or one that declines
  char pad[64 - 2 * sizeof(void *) - sizeof(Value) - sizeof(QuickFn)];
} Method;
_Static_assert(sizeof(Method) == 64, "hints are masked offsets (method.h)");
#define METHOD_STRUCK ((Table *)1)
struct Methods {
  _Atomic uint8_t lock;
  _Atomic bool live;         // false: all entries are struck out
  _Atomic unsigned last;     // the last entry written since the last collection; entry 0 is never used
  _Atomic(Table *) receives; // the metatable whose __call is known to be `receive`, or NULL
  lua_CFunction receive;     // the __call of channels
  Method v[METHOD_MAX];
};

struct Global {
  struct Heap *heap;
  struct Runtime *rt;                // runtime/sched.h; owned by the runtime
  Value registry;                    // table
  lua_State *mainL;                  // the main thread's state, goroutine 1
  _Atomic(Table *) mt[LUA_NUMTYPES]; // metatables of basic types
  String *tmname[TM_COUNT];
  String *memerrmsg; // preallocated "not enough memory"
  String *errerrmsg;
  struct StrTab *strtab; // interned strings (str.c)
  _Atomic bool multi;    // a second goroutine was ever started: registry, type metatables are shared from then on
  lua_CFunction panic;
  lua_WarnFunction warnf;
  void *warn_ud;
  lua_Alloc frealloc; // of lua_newstate: accounts, and may refuse
  void *alloc_ud;
  uint32_t seed;                    // of string hashes
  struct GcState *gc;               // gc.h
  _Atomic(struct Module *) modules; // C modules (cmodule.c)
  _Atomic uint8_t modlock;          // guards additions to modules and to their functions
  _Atomic(Ctx *) closer;            // the worker that closes the universe: it has the locks of all modules
  bool closing;
  bool textonly;                                   // binary chunks are refused
  void (*outf)(void *ud, const char *s, size_t n); // the host's, instead of standard output; NULL: none
  void *out_ud;
  struct Methods methods;
};

#define G_OF(L) ((L)->gl)

#endif
