// SPDX-License-Identifier: MIT
//
// func.h: making cells, closures, prototypes, userdata and threads (coroutine states).
#ifndef LUNGO_VM_FUNC_H
#define LUNGO_VM_FUNC_H

#include "state.h"

Cell *cell_new(lua_State *L, const Value *v);
LClosure *lcl_new(lua_State *L, Proto *p);                 // upvalues NULL; the caller fills them before any safepoint
LClosure *lcl_new_withcells(lua_State *L, Proto *p);       // each upvalue a fresh nil cell (load, undump)
CClosure *ccl_new(lua_State *L, lua_CFunction f, int nup); // upvalues nil
Proto *proto_new(lua_State *L);                            // all zero
Userdata *ud_new(lua_State *L, size_t len, int nuv);       // user values nil, memory undefined
lua_State *thread_new(lua_State *L); // a coroutine: stack of STACK_MIN, base frame, hooks inherited
// A goroutine's state: stack of `nstack` values (at least), no hooks inherited, OF_PINNED off. NULL without memory.
lua_State *thread_try_small(lua_State *L, int nstack);
// Fresh stack and base frame for a state whose goroutine ended (reuse).
void thread_reset_stack(lua_State *L);
const char *proto_locname(const Proto *p, int reg, int pc); // name of the local active in reg at pc, or NULL

#endif
