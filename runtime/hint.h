// SPDX-License-Identifier: MIT
//
// hint.h: what a report may add about a likely mistake. See hint.c.
#ifndef LUNGO_RUNTIME_HINT_H
#define LUNGO_RUNTIME_HINT_H

#include "sched_int.h"

#define HINT_MAX 256
#define ALL_ASLEEP "all goroutines are asleep - deadlock!"

// Why all goroutines are asleep. World stopped. False: nothing to say; else buf holds a line without its end.
bool hint_deadlock(Runtime *rt, char *buf, size_t size);
// The same for an uncaught error of L's goroutine: the nearest name, if msg says that a global is nil.
bool hint_name(lua_State *L, const char *msg, size_t len, char *buf, size_t size);

#endif
