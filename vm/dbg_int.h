// SPDX-License-Identifier: MIT
//
// dbg_int.h: what dbg.c (functions of lua.h, hooks) and dbg_names.c (names, error messages) share.
#ifndef LUNGO_VM_DBG_INT_H
#define LUNGO_VM_DBG_INT_H

#include "state.h"

static inline const Proto *ci_proto(const CallInfo *ci) { return v_lcl(ci->func)->p; }

// What kind of thing the caller's frame called ("global", "method", "metamethod"...), its name in *name; NULL: unknown.
// ci is the frame that made the call.
const char *dbg_callname(lua_State *L, CallInfo *ci, const char **name);
// Target of the forward jump at pc, 0 if it is none.
int dbg_jumptarget(const Proto *p, int pc);

#endif
