// SPDX-License-Identifier: MIT
//
// ioclose.c: closing a file that other goroutines may be using.
//
// What:       the package's functions take the FILE out of a handle and go on with it, while another goroutine closes
//             the handle. So what ends at `close` is the open file only: its C stream stays behind, of which every use
//             fails with EBADF, until the collector has found that nobody can be in a function that was given the
//             handle. Closing takes the stream's lock, so it waits for an operation that is under way (in the system,
//             without a processor). Of several that close one handle the first wins; for the others it is closed
//             already.
// Invariants: Userdata.aux32 of a handle is its HandleState. Only who moved it from HANDLE_OPEN calls the package's
//             function that closes, which reads `closef` without a look at whether it is there still.
//             A stream is freed by the second finalizer call of its handle: since the first, which found the handle
//             closed or closed it, no operation on it can begin, and one under way would have kept the handle from the
//             second.
// Callers:    the package's io library (the functions named in scripts/blocking.syms), Lua.
// See also:   iolib.c. Tests: tests/stdlib/io_close_races.lua.
#include "iolib.h"
#include "seam.h"
#include "state.h"
#include "lungolib.h"
#include <errno.h>
#include <stdio_ext.h>

// The thread sanitizer does not know the lock of a stream, under which its buffer was made and is freed.
#ifdef __SANITIZE_THREAD__
void AnnotateIgnoreWritesBegin(const char *, int), AnnotateIgnoreWritesEnd(const char *, int);
#define RACE_IGNORE(what) AnnotateIgnoreWrites##what(__FILE__, __LINE__)
#else
#define RACE_IGNORE(what) (void)0
#endif

typedef enum HandleState {
  HANDLE_OPEN,
  HANDLE_CLOSING, // claimed; or closed, with no stream left
  HANDLE_KEPT,    // closed, its stream stays
  HANDLE_ENDING   // the same, and its finalizer has run once
} HandleState;

// Functions of the package's library, the same for every universe.
static _Atomic(lua_CFunction) package_close, package_gc, package_lines, package_readline, package_noclose;

// The parts of glibc's fclose: the stream leaves the list of all; its file is closed. What is left is its memory.
void _IO_un_link(FILE *);
int _IO_file_close_it(FILE *);
// In _flags, since the days when getc was a macro: neither reads nor writes. (Guarded by the stream's lock; atomic only
// because the thread sanitizer does not know that lock.)
#define SHUT (4 | 8)

// ---- closing the stream ----------------------------------------------------------------------------------------

// Waits for who is inside, and sees to it that he fails should he come in again, with `a` of a pipe, say. False: he did
// not get out what was in the buffer.
static bool shut(FILE *f) {
  flockfile(f);
  bool flushed = __fpending(f) == 0 || fflush(f) == 0;
  __atomic_fetch_or(&f->_flags, SHUT, __ATOMIC_RELAXED);
  funlockfile(f);
  return flushed;
}

// The list's lock comes before a stream's: so the stream leaves the list first, and before that nobody is left in it
// who waits in the system, as the opening of any other file would wait with him.
static int close_stream(FILE *f) {
  bool flushed = shut(f);
  int saved = errno;
  _IO_un_link(f);
  flockfile(f);
  RACE_IGNORE(Begin);
  int r = _IO_file_close_it(f);
  RACE_IGNORE(End);
  funlockfile(f);
  if (flushed || r != 0) return r;
  errno = saved;
  return EOF;
}

// The handle that a function of the package is closing: it is its first argument.
static Userdata *handle_of(const lua_State *L, const FILE *f) {
  const Value *v = L->ci->func + 1;
  if (v >= L->top || v->tag != TAG_USERDATA || v_ud(v)->len != sizeof(luaL_Stream)) return NULL;
  const luaL_Stream *p = ud_mem(v_ud(v));
  return p->f == f && p->closef == NULL ? v_ud(v) : NULL;
}

// The last finalizers close streams that other goroutines may be using, in blocking regions: then a stream stays open
// until the process has ended, and is only written out, unless somebody is in it.
static bool left_open(FILE *f) {
  Ctx *ctx = rt_current(NULL);
  if (ctx == NULL || !ctx->gl->closing || !rt_threadsaway(ctx->gl)) return false;
  if (ftrylockfile(f) != 0) return true;
  fflush(f);
  funlockfile(f);
  return true;
}

static int close_file(FILE *f, int (*end)(FILE *)) {
  Ctx *ctx = rt_current(NULL);
  if (ctx == NULL || ctx->cache == NULL || ctx->L == NULL) return end(f);
  Userdata *u = handle_of(ctx->L, f);
  if (u != NULL) atomic_store_explicit(&u->hdr.aux32, HANDLE_KEPT, memory_order_relaxed);
  rt_block_enter(ctx);
  int r = u != NULL ? close_stream(f) : end(f);
  rt_block_leave(ctx);
  return r;
}

int lungo_io_fclose(FILE *f);
int lungo_io_fclose(FILE *f) { return left_open(f) ? 0 : close_file(f, fclose); }

int lungo_io_pclose(FILE *f);
int lungo_io_pclose(FILE *f) { return left_open(f) ? 0 : close_file(f, pclose); }

// errno then tells which error it was; the step that failed is long past, if it is that the file was closed.
int lungo_io_ferror(FILE *f);
int lungo_io_ferror(FILE *f) {
  Ctx *ctx = rt_current(NULL);
  bool region = ctx != NULL && ctx->cache != NULL;
  int saved = errno;
  if (region) rt_block_enter(ctx);
  flockfile(f);
  int r = ferror(f);
  if ((__atomic_load_n(&f->_flags, __ATOMIC_RELAXED) & SHUT) == SHUT) saved = EBADF;
  funlockfile(f);
  if (region) rt_block_leave(ctx);
  errno = saved;
  return r;
}

// ---- closing the handle ----------------------------------------------------------------------------------------

static luaL_Stream *check_handle(lua_State *L) { return luaL_checkudata(L, 1, LUA_FILEHANDLE); }

// Whether the caller is to close the handle at index 1.
static bool claim(lua_State *L, const luaL_Stream *p) {
  uint32_t open = HANDLE_OPEN;
  if (p->closef == NULL) return false;
  return atomic_compare_exchange_strong_explicit(&v_ud(lib_arg(L, 1))->hdr.aux32, &open, HANDLE_CLOSING,
                                                 memory_order_relaxed, memory_order_relaxed);
}

static int f_close(lua_State *L) {
  luaL_Stream *p = check_handle(L);
  if (p->closef == package_noclose) return package_noclose(L); // a standard stream: refuses
  if (!claim(L, p)) return luaL_error(L, "attempt to use a closed file");
  return package_close(L);
}

static int io_close(lua_State *L) {
  if (lua_isnone(L, 1)) lua_getfield(L, LUA_REGISTRYINDEX, "_IO_output");
  return f_close(L);
}

static void close_quietly(lua_State *L) {
  luaL_Stream *p = check_handle(L);
  if (p->closef != package_noclose && claim(L, p)) package_gc(L);
}

static int f_closemeta(lua_State *L) {
  close_quietly(L);
  return 0;
}

// Not if Lua code calls it: then somebody may be in the middle of something.
static int f_gc(lua_State *L) {
  close_quietly(L);
  Userdata *u = v_ud(lib_arg(L, 1));
  uint32_t state = atomic_load_explicit(&u->hdr.aux32, memory_order_relaxed);
  if (!(L->ci->prev->status & CI_FIN) || (state != HANDLE_KEPT && state != HANDLE_ENDING)) return 0;
  if (L->gl->closing ? !rt_threadsaway(L->gl) : state == HANDLE_ENDING) {
    atomic_store_explicit(&u->hdr.aux32, HANDLE_CLOSING, memory_order_relaxed);
    fclose(((luaL_Stream *)ud_mem(u))->f);
  } else {
    atomic_store_explicit(&u->hdr.aux32, HANDLE_ENDING, memory_order_relaxed);
    lua_getmetatable(L, 1); // asks for another call
    lua_setmetatable(L, 1);
  }
  return 0;
}

// ---- io.lines of a file that it opened: closes it at its end -------------------------------------------------------
// The package's iterator would close without asking. It is told not to close, and called inside another one that does.

#define UP_FILE 1
#define UP_TOCLOSE 3

static int read_line(lua_State *L) {
  int n = atomic_load_explicit(&package_readline, memory_order_relaxed)(L);
  if (n > 0) return n;
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(UP_FILE));
  close_quietly(L);
  return 0;
}

static int io_lines(lua_State *L) {
  int results = package_lines(L);
  if (results != 4) return results; // of a file that stays open
  int at = lua_absindex(L, -4), n = 0;
  atomic_store_explicit(&package_readline, lua_tocfunction(L, at), memory_order_relaxed);
  luaL_checkstack(L, 255, NULL);
  while (lua_getupvalue(L, at, n + 1) != NULL) n++;
  lua_pushboolean(L, 0);
  lua_replace(L, -(n - UP_TOCLOSE + 2));
  lua_pushcclosure(L, read_line, n);
  lua_replace(L, at);
  return results;
}

// ---- opening -----------------------------------------------------------------------------------------------------

static void take_over(lua_State *L, const char *name, lua_CFunction ours, _Atomic(lua_CFunction) *theirs) {
  lua_getfield(L, -1, name);
  if (theirs != NULL) atomic_store_explicit(theirs, lua_tocfunction(L, -1), memory_order_relaxed);
  lua_pop(L, 1);
  lua_pushcfunction(L, ours);
  lua_setfield(L, -2, name);
}

void ioclose_open(lua_State *L) {
  lua_getfield(L, -1, "stdout");
  atomic_store_explicit(&package_noclose, ((luaL_Stream *)lua_touserdata(L, -1))->closef, memory_order_relaxed);
  lua_pop(L, 1);
  take_over(L, "close", io_close, NULL);
  take_over(L, "lines", io_lines, &package_lines);
  luaL_getmetatable(L, LUA_FILEHANDLE);
  take_over(L, "__gc", f_gc, &package_gc);
  take_over(L, "__close", f_closemeta, NULL);
  lua_getfield(L, -1, "__index");
  take_over(L, "close", f_close, &package_close);
  lua_pop(L, 2);
}
