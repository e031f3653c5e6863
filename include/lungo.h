// SPDX-License-Identifier: MIT
//
// lungo.h: what lungo adds to lua.h for host programs. See docs/embedding notes in docs/manual.md.
#ifndef LUNGO_H
#define LUNGO_H

#include <lua.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LUNGO_VERSION "0.1.0"

// Opens Lua's standard libraries and lungo's (go, defer, chan, select, sync, atomic, time, context,
// runtime). Errors as luaL_openlibs.
LUA_API void lungo_openlibs(lua_State *L);

// Like lua_pcall(L, nargs, nresults, 0) at the outermost level, but the calling OS thread becomes a worker of the
// scheduler until the function (goroutine 1) has ended, so that goroutine switches cost no thread switch.
// L must be the state that lua_newstate returned, and not be running. Returns LUA_OK or an error status with the error
// value (and no traceback) on the stack. flags: LUNGO_PANIC reports an uncaught error as lungo's command does and
// exits.
//
// With LUNGO_PANIC the thread runs any goroutine, so that switching between main and others costs no thread switch; if
// another goroutine occupies it (in a blocking call, or waiting below a C function) when main has ended, that goroutine
// is abandoned, or the process ends with status 0. Without it, the thread runs goroutine 1 only and nothing is lost:
// after lungo_run has returned the other goroutines are stopped; they go on when the host enters L again in a way that
// waits (lungo_run, lungo_blocking, a call that blocks) or starts a goroutine.
// LUNGO_KEEP (without LUNGO_PANIC): an uncaught error in another goroutine is reported on stderr and ends only that
// goroutine, and a deadlock does not end the process. For a REPL.
// LUNGO_LAST (with LUNGO_PANIC): nothing is run after this but lua_close. Then other goroutines that are inside C code
// that does not return (a module's blocking call) hold up the end of the process half a second at most: it ends with
// status 0, without the last finalizers.
// LUNGO_LEAKS: if the process ends in order inside the call (os.exit, or as said above), lungo_leaks is called before.
#define LUNGO_PANIC 1
#define LUNGO_KEEP 2
#define LUNGO_LAST 4
#define LUNGO_LEAKS 8
LUA_API int lungo_run(lua_State *L, int nargs, int nresults, int flags);

// Before the program ends: looks for goroutines that nothing can ever wake (docs/manual.md, runtime.leaks), taking L's
// own goroutine as ended, so that what only its stack refers to does not count, and prints them on stderr. Returns how
// many there are, -1 if there was no memory to look. A full collection; stops the world, may run finalizers. Call it
// from a C function or, between calls, from the host thread. Never raises.
LUA_API int lungo_leaks(lua_State *L);

// Runs f(arg) in a blocking region: f may wait in the system (read, poll, sleep) while other goroutines go on, and
// must not touch any lua_State. Call it from a C function or, between calls, from a host thread. Never raises.
LUA_API void lungo_blocking(lua_State *L, void (*f)(void *), void *arg);

// For a C module, in its luaopen_ function: all code of its shared object may be called by several threads at once, so
// it needs no lock. Without this call, the functions of a shared object that was loaded by `require` or package.loadlib
// run one at a time, under a lock of that object which is released while they call Lua functions, wait for something in
// lua_* functions, or are in lungo_blocking. L is the state that luaopen_ was given. No effect elsewhere. Cannot be
// taken back. Never raises. To load into Lua 5.4 as well, declare it weak and test its address.
LUA_API void lungo_modulesafe(lua_State *L);

// Makes scheduling reproducible (use one processor too): seeds every random choice of the scheduler and of select.
LUA_API void lungo_setseed(lua_State *L, unsigned long long seed);

// Processors (threads that run Lua at once). n < 1 only asks. Returns the previous number.
LUA_API int lungo_maxprocs(lua_State *L, int n);

#ifdef __cplusplus
}
#endif
#endif
