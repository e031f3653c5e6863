// SPDX-License-Identifier: MIT
//
// quick.h: quick halves of C functions: what a call instruction runs in place of a whole C call.
//
// What:       a C function may be given a *quick half*, which does the usual case on the caller's registers, without a
//             frame. A call instruction that meets a light C function keeps in its hint where the function stands in
//             quick_list; the next time it compares the function with that entry and runs the quick half.
//             (bench/conc/atomicadd.lua: half the time of x:add(1); `bench/run.sh build/lungo lib`.)
//             A method call without arguments, or with one integer constant, finds the quick half where it finds the
//             method (method.h), and is then a single instruction: SELFCALL, SELFCALLI.
// Invariants: a quick half does what its function does, or nothing: it returns QUICK_DECLINED before it has changed
//             anything, and the ordinary call follows. So all errors are raised by the ordinary function, from a frame
//             of its own, and a traceback never shows the difference. It neither calls Lua, parks, collects nor moves
//             the stack; the only error it may raise is lack of memory. It is not run while a hook is set. An entry's
//             `run` is written before its `f` (release; call instructions read with acquire) and neither changes again,
//             whatever universes the process makes and closes.
// Callers:    the library openers (quick_add), CALL, SELFCALL, SELFCALLI, UPSELFCALL in interp.c. Under --race there
//             are none.
// See also:   stdlib/quicklib.c, stdlib/synclib.c, stdlib/atomiclib.c, stdlib/chanlib.c. Tests:
//             tests/vm/quick_calls.lua, method_calls.lua.
#ifndef LUNGO_VM_QUICK_H
#define LUNGO_VM_QUICK_H

#include "call.h"

// The arguments are arg[0] .. arg[nargs-1]; results go to res[0], res[1], ... Returns their number, at most
// EXTRA_STACK, or QUICK_DECLINED. Arguments may lie where results go, at res or at res + 1. L->top is above all
// of them: an error may be pushed there. (The type is QuickFn, in state.h.)
#define QUICK_DECLINED (-1)

typedef struct Quick {
  _Atomic lua_CFunction f; // NULL: free
  QuickFn run;
} Quick;

// Hints are indexes: 0, nobody has looked yet; QUICK_NONE, the function has no quick half. Both entries stay free.
#define QUICK_MAX 256
#define QUICK_NONE 1
extern Quick quick_list[QUICK_MAX];

// Gives f a quick half, unless it has one. Any thread.
void quick_add(lua_CFunction f, QuickFn run);
// The hint for calls of f.
uint16_t quick_find(lua_CFunction f);
// The quick half of fn; if it has none, one that declines.
QuickFn quick_half(const Value *fn);

#endif
