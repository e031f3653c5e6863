// SPDX-License-Identifier: MIT
//
// str.h: strings. Immutable; made at run time without any global table; interned only for names and constants.
#ifndef LUNGO_VM_STR_H
#define LUNGO_VM_STR_H

#include "state.h"
#include <stdarg.h>

#define STR_MAXINTERN 40 // longer strings are never interned

int strtab_new(Global *gl); // 0 or -ENOMEM
void strtab_free(Global *gl);
// World stopped, after marking: drop unmarked strings. (OF_FIXED ones stay; the marker treats the table as weak.)
void strtab_sweep(Global *gl);

String *str_new(lua_State *L, const char *s, size_t n); // fresh, not interned
// Of a C string: interned if short and made from this address before; a long one as str_alloc_gc does it.
String *str_newz(lua_State *L, const char *s);
String *str_alloc(lua_State *L, size_t n); // data undefined but NUL-terminated; caller fills it at once
void str_copy(lua_State *L, char *to, const char *s, size_t n); // memcpy; raises if the goroutine is to end meanwhile
String *str_alloc_gc(lua_State *L, size_t n); // the same as gc_new_obj (gc.h): the caller is at a safepoint
String *str_intern(lua_State *L, const char *s, size_t n); // interned if short enough; thread safe, sharded
// Interned string of a C string that is likely a literal: a per-worker cache by address (verified by content).
String *str_internz(lua_State *L, const char *s);
// The interned string of these bytes (n <= STR_MAXINTERN), or NULL. Sets their hash. Takes no lock.
String *str_find(Global *gl, const char *s, size_t n, uint32_t *hash);
String *str_tointerned(lua_State *L, String *s);     // s itself if interned or too long, else its interned twin
String *str_fmt(lua_State *L, const char *fmt, ...); // as lua_pushfstring; pushes nothing
String *str_vfmt(lua_State *L, const char *fmt, va_list ap);

uint32_t str_hash_slow(Global *gl, String *s); // computes and caches; never 0
static ALWAYS_INLINE uint32_t str_hash(Global *gl, String *s) {
  uint32_t h = atomic_load_explicit(&s->hdr.aux32, memory_order_relaxed);
  return likely(h != 0) ? h : str_hash_slow(gl, s);
}
#define str_isinterned(s) (atomic_load_explicit(&(s)->hdr.flags, memory_order_relaxed) & OF_INTERNED)
bool str_eq_slow(const String *a, const String *b); // different addresses
static ALWAYS_INLINE bool str_eq(const String *a, const String *b) {
  return a == b || (a->len == b->len && !(str_isinterned(a) && str_isinterned(b)) && str_eq_slow(a, b));
}
int str_cmp(const String *a, const String *b); // strcoll over embedded zeros, as Lua's l_strcmp

#endif
