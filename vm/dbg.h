// SPDX-License-Identifier: MIT
//
// dbg.h: debug information: lines, hooks. (Error messages with names are declared in meta.h; lua_getinfo and the
// other lua_* debug functions live in dbg.c too.)
#ifndef LUNGO_VM_DBG_H
#define LUNGO_VM_DBG_H

#include "state.h"

int dbg_line(const Proto *p, int pc); // -1 if stripped
static inline int ci_pcrel(const CallInfo *ci, const Proto *p) { return (int)(ci->u.l.pc - p->code) - 1; }
int dbg_currentline(CallInfo *ci);
// What kind of thing the instruction at pc calls ("global", "method", "metamethod"...), its name in *name; NULL:
// unknown.
const char *dbg_calledname(lua_State *L, const Proto *p, int pc, const char **name);
// lua_getstack for a state that another goroutine runs (lua_getstack itself then says: no such level). The caller
// sees to it that it does not run now: parked and claimed, or the world is stopped.
bool dbg_getstack(lua_State *L, int level, lua_Debug *ar);
// Hooks; L->hookmask is not 0. dbg_hook calls the hook (nests); traceexec is called before each instruction.
void dbg_hook(lua_State *L, int event, int line, int ftransfer, int ntransfer);
void dbg_traceexec(lua_State *L, const Instr *pc);
void dbg_hookcall(lua_State *L, CallInfo *ci);
void dbg_hookret(lua_State *L, CallInfo *ci, int nres);
// The generic `for` whose iterator is at `walk` (TAG_EMPTY: the loop does it itself) calls its iterator from here on.
void dbg_endwalk(Value *walk);
const char *dbg_chunkid(char *out, const char *source, size_t srclen); // out of LUA_IDSIZE; as luaO_chunkid
// Pushes "src:line: msg" (src may be NULL: "?") and returns the string.
String *dbg_addinfo(lua_State *L, const char *msg, String *src, int line);

#endif
