// SPDX-License-Identifier: MIT
//
// engine.h: one Lua, as the fuzz targets use it: lungo's (engine_*) or the package's (stock_engine_*).
//
// What:       engine.c is compiled once; the Makefile makes a second object of it in which every lua_*, luaL_* and
//             engine_* name has the prefix stock_, as in a copy of liblua5.4.a. So both run the same code in one
//             process and must give the same text.
//             A result is text that lives until the next call of the same engine. What the manual leaves open is made
//             equal: addresses, the sign of NaN.
// Limits:     16 MB, ENGINE_BUDGET instructions. A result that depends on a limit is ENGINE_LIMIT; it says nothing.
#ifndef LUNGO_FUZZ_ENGINE_H
#define LUNGO_FUZZ_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#define ENGINE_BUDGET 20000
#define ENGINE_LIMIT "(limit)"

// Loads text; NULL if it is a program, else the message.
const char *engine_load(const char *s, size_t n);
const char *stock_engine_load(const char *s, size_t n);
// Loads and runs text: its results or its error.
const char *engine_run(const char *s, size_t n);
const char *stock_engine_run(const char *s, size_t n);
// Calls the library function `string.NAME` with arguments made of the bytes (engine.c says how).
const char *engine_string(const char *name, const uint8_t *s, size_t n);
const char *stock_engine_string(const char *name, const uint8_t *s, size_t n);
// What the bytes, without zeros, are as a number, and as what they come back.
const char *engine_number(const uint8_t *s, size_t n);
const char *stock_engine_number(const uint8_t *s, size_t n);
// The current lua_State of the engine, made anew every thousand calls. Only one pair of values is ever left on it.
void *engine_state(void);

// Prints both results and aborts unless they are the same or one of them met a limit.
void same_result(const char *ours, const char *stocks, const char *what, size_t n);

#endif
