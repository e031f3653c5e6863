// SPDX-License-Identifier: MIT
//
// iolib.h: what iolib.c and ioclose.c share.
#ifndef LUNGO_STDLIB_IOLIB_H
#define LUNGO_STDLIB_IOLIB_H

#include <lua.h>

// Replaces the functions that close files in the io library on top of the stack and in the metatable of handles.
void ioclose_open(lua_State *L);

#endif
