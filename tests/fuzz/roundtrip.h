// SPDX-License-Identifier: MIT
//
// roundtrip.h: what must hold for every function that load has made: for text.c and binary.c.
#ifndef LUNGO_FUZZ_ROUNDTRIP_H
#define LUNGO_FUZZ_ROUNDTRIP_H

#include <lauxlib.h>

// Loads the chunk and checks it; nothing if it is refused. The stack of L is as before.
void roundtrip(lua_State *L, const char *chunk, size_t n);

#endif
