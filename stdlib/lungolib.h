// SPDX-License-Identifier: MIT
//
// lungolib.h: what the files of stdlib/ share: the library openers, and objects (userdata) of lungo's own kinds.
//
// Invariants: an object of ours is a userdata whose trace is obj_trace and whose memory starts with an ObjHead that
//             names its kind. So checking an argument is two comparisons and never asks the registry.
#ifndef LUNGO_STDLIB_LUNGOLIB_H
#define LUNGO_STDLIB_LUNGOLIB_H

#include "chan.h"
#include "context.h"
#include "seam.h"
#include "share.h"
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>

int lungo_openbase(lua_State *L); // baselib.c
int lungo_openio(lua_State *L);
int lungo_openos(lua_State *L);        // iolib.c
int lungo_opencoroutine(lua_State *L); // corolib.c
int lungo_opengo(lua_State *L);        // golib.c: sets the globals go, defer, select
int lungo_openstring(lua_State *L);    // strlib.c: the package's, some functions replaced
void lungo_openmatch(lua_State *L);    // strmatch.c: adds find, match, gmatch, gsub to the table on top
void lungo_addtext(lua_State *L);      // textlib.c: adds the package's other long loops to the table of string on top
int lungo_openutf8(lua_State *L);      // and those of utf8
int lungo_tonumber(lua_State *L);      // the global tonumber
int lungo_openchan(lua_State *L);      // chanlib.c: leaves the value of the global chan
int lungo_opensync(lua_State *L);
void lungo_opensyncdata(lua_State *L); // syncdata.c: adds pool and map to the table on top
int lungo_openatomic(lua_State *L);
int lungo_opentime(lua_State *L);
int lungo_openruntime(lua_State *L);
int lungo_opencontext(lua_State *L);
void lungo_openerrgroup(lua_State *L); // errgroup.c: adds errgroup to the table on top

// ---- objects (object.c) --------------------------------------------------------------------------------

typedef struct ObjKind {
  const char *name;                           // __name, and the registry key of the metatable
  void (*trace)(struct Marker *m, void *mem); // marks what the memory refers to; NULL: nothing
} ObjKind;

typedef struct ObjHead {
  const ObjKind *kind;
} ObjHead;

void obj_trace(struct Marker *m, void *mem);
// What aux32 of a userdata is exactly if it is an object of the kind: kinds are aligned variables of this library,
// which is smaller than 4 GB, and a HandleState is no multiple of 8.
static inline uint32_t obj_kindmark(const ObjKind *kind) { return (uint32_t)(uintptr_t)kind; }
// Makes the metatable of a kind: methods become its __index (NULL: none), metas its metamethods.
void obj_class(lua_State *L, const ObjKind *kind, const luaL_Reg *methods, const luaL_Reg *metas);
// Pushes a new object: `size` zeroed bytes (an ObjHead first), nuv nil user values. Returns its memory.
void *obj_new(lua_State *L, const ObjKind *kind, size_t size, int nuv);

static inline Userdata *obj_ud(const Value *v, const ObjKind *kind) {
  if (v->tag != TAG_USERDATA) return NULL;
  Userdata *u = v_ud(v);
  return u->trace == obj_trace && ((ObjHead *)ud_mem(u))->kind == kind ? u : NULL;
}
// The same for quick halves, by one comparison: the memory of v if it is an object of the kind, all of which have nuv
// user values; NULL: it is not. (bench/conc/uncontended.lua)
static ALWAYS_INLINE void *obj_memat(const Value *v, const ObjKind *kind, uint32_t nuv) {
  if (unlikely(v->tag != TAG_USERDATA)) return NULL;
  Userdata *u = v_ud(v);
  bool same = atomic_load_explicit(&u->hdr.aux32, memory_order_relaxed) == obj_kindmark(kind);
  return likely(same) ? (char *)u + ud_headsize(nuv) : NULL;
}
// Argument `arg` as an object of the kind, or the usual error.
static inline Userdata *obj_checkud(lua_State *L, int arg, const ObjKind *kind) {
  const Value *v = L->ci->func + arg;
  Userdata *u = likely(v < L->top) ? obj_ud(v, kind) : NULL;
  if (unlikely(!u)) luaL_typeerror(L, arg, kind->name);
  return u;
}
static inline void *obj_check(lua_State *L, int arg, const ObjKind *kind) { return ud_mem(obj_checkud(L, arg, kind)); }

// User values, i >= 0. Storing publishes: these objects are made to be given to other goroutines.
static inline void obj_setuv(lua_State *L, Userdata *u, int i, const Value *v) {
  share_value(L, v);
  slot_store(&u->uv[i], v_encode(L, v));
}
static inline void obj_pushuv(lua_State *L, Userdata *u, int i) {
  luaL_checkstack(L, 1, NULL);
  bits_decode(L->top, slot_load(&u->uv[i]));
  L->top++;
}

// ---- arguments -----------------------------------------------------------------------------------------------

// The argument can be called: a function or something with __call. Otherwise `function expected, got X`.
void lib_checkcallable(lua_State *L, int arg);
bool lib_iscallable(lua_State *L, int arg);
static inline const Value *lib_arg(lua_State *L, int arg) { return L->ci->func + arg; }
// luaL_checkinteger with the usual case in line.
static inline lua_Integer lib_checkinteger(lua_State *L, int arg) {
  const Value *v = lib_arg(L, arg);
  return likely(v < L->top && v_isint(v)) ? v->i : luaL_checkinteger(L, arg);
}
// For loops in C that may take long: a safepoint, where the running function's arguments stay what and where they are.
static inline void lib_poll(lua_State *L) {
  if (unlikely(atomic_load_explicit(&L->ctx->poll, memory_order_relaxed) != 0)) rt_safepoint(L, false);
}
// Pushes a value that perhaps nothing else holds. Whoever got it made room before: a check in between could collect.
void lib_push(lua_State *L, const Value *v);

// ---- channels (chanlib.c) ---------------------------------------------------------------------------------------

Chan *lib_pushchan(lua_State *L, ElemType elem, uint32_t cap); // a new channel with its metatable
Userdata *lib_pushview(lua_State *L, Chan *c, int dirs);       // and a view of one

// ---- time (timelib.c) ---------------------------------------------------------------------------------------------

double lib_wallclock(void); // seconds since 1970
// Writes ns as Go prints a Duration into buf of at least 64 bytes; the end of the text, which ends in NUL.
char *lib_formatduration(char *buf, int64_t ns);

// ---- context (contextlib.c) ---------------------------------------------------------------------------------------

void lib_pushbackground(lua_State *L);
Context *lib_checkcontext(lua_State *L,
                          int arg);             // the node that the context at arg, which keeps it alive, answers with
Context *lib_newcontext(lua_State *L, int arg); // pushes a context to be cancelled, below the one at arg
// Cancels, with a value on the stack as cause; nil: none.
void lib_cancelcontext(lua_State *L, Context *c, const Value *cause);
void lib_pushcontexterr(lua_State *L, Context *c); // what ctx:err() returns

void lib_pushafter(lua_State *L, int64_t ns); // time.after (timelib.c)

// If the host wants standard output for itself (lungo_Options.output) and f is it: hands it the text, true (embed.c).
bool lib_hostoutput(lua_State *L, FILE *f, const char *s, size_t n);
void lib_openlibs(lua_State *L, unsigned libs); // LUNGO_LIB_* (openlibs.c)
// The library `lib` of Lua, just opened, is on top: its functions get their quick halves (quicklib.c).
void lib_addquick(lua_State *L, const char *lib);

// ---- sync.map (syncdata.c) ----------------------------------------------------------------------------------------

void lib_pushmap(lua_State *L);
// Stores val under key if the value there equals *expect (nil: none). Returns whether it did; *old is what was there.
// All values are on the stack.
bool lib_mapcas(lua_State *L, Userdata *map, const Value *key, const Value *expect, const Value *val, Value *old);

#endif
