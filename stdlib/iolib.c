// SPDX-License-Identifier: MIT
//
// iolib.c: what the package's io and os libraries need to live among goroutines.
//
// What:       the package's objects are linked with their calls of blocking C functions renamed to lungo_io_* (the list
//             is in scripts/blocking.syms, applied by objcopy in the Makefile). Each wrapper surrounds the C function
//             by a blocking region, so the thread that waits in the system has given its processor away. `io.write` and
//             `file:write` are replaced: one call is one fwrite, so output of goroutines never mixes. They include all
//             that take a stream's lock, however briefly: file:read holds that lock (flockfile) while it waits for its
//             processor after a blocking read, so nobody may wait for the lock with a processor in hand.
//             `os.exit` is replaced because other goroutines live (rt_exit).
// Invariants: a wrapper touches no Lua state between enter and leave; errno survives.
// See also:   ioclose.c (closing), vm/seam.h (rt_block_enter). Tests: tests/stdlib/io_*.lua.
#include "iolib.h"
#include "seam.h"
#include "state.h"
#include "lungolib.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

// ---- standard streams -----------------------------------------------------------------------------
// The package's objects address them in a way that a shared library cannot; variables of our own can be reached so.

extern FILE *lungo_io_stdin, *lungo_io_stdout, *lungo_io_stderr;
FILE *lungo_io_stdin, *lungo_io_stdout, *lungo_io_stderr;

__attribute__((constructor)) static void streams_init(void) {
  lungo_io_stdin = stdin;
  lungo_io_stdout = stdout;
  lungo_io_stderr = stderr;
}

// ---- blocking C functions, renamed in the package's objects --------------------------------------

int __uflow(FILE *);

// glibc's list of all open streams, and its lock.
typedef FILE *StreamIter;
void _IO_list_lock(void);
void _IO_list_unlock(void);
StreamIter _IO_iter_begin(void);
StreamIter _IO_iter_end(void);
StreamIter _IO_iter_next(StreamIter);
FILE *_IO_iter_file(StreamIter);

// Locks the streams that have something to write, but not those that somebody is in: he may wait there for long. Their
// number; *all is to be freed.
static size_t lock_pending(FILE ***all) {
  size_t n = 0, cap = 0;
  *all = NULL;
  _IO_list_lock();
  for (StreamIter i = _IO_iter_begin(); i != _IO_iter_end(); i = _IO_iter_next(i)) {
    FILE *f = _IO_iter_file(i);
    if (ftrylockfile(f) != 0) continue;
    if (n == cap && __fpending(f) > 0) {
      FILE **more = realloc(*all, (cap = 2 * cap + 8) * sizeof *more);
      if (more == NULL)
        cap = n;
      else
        *all = more;
    }
    if (n < cap && __fpending(f) > 0)
      (*all)[n++] = f;
    else
      funlockfile(f);
  }
  _IO_list_unlock();
  return n;
}

// fflush(NULL), which io.popen calls, would wait for each stream that somebody reads, holding a lock without which
// nobody opens or closes any file meanwhile.
static int flush_all(void) {
  FILE **all;
  size_t n = lock_pending(&all);
  int r = 0;
  for (size_t i = 0; i < n; i++) {
    if (fflush(all[i]) != 0) r = EOF;
    funlockfile(all[i]);
  }
  free(all);
  return r;
}

#define BLOCKING(type, name, params, call)                                                                             \
  type lungo_io_##name params;                                                                                         \
  type lungo_io_##name params {                                                                                        \
    Ctx *ctx = rt_current(NULL);                                                                                       \
    if (ctx == NULL || ctx->cache == NULL) return call;                                                                \
    rt_block_enter(ctx);                                                                                               \
    type result = call;                                                                                                \
    rt_block_leave(ctx);                                                                                               \
    return result;                                                                                                     \
  }

BLOCKING(size_t, fread, (void *p, size_t s, size_t n, FILE *f), fread(p, s, n, f))
BLOCKING(size_t, fwrite, (const void *p, size_t s, size_t n, FILE *f), fwrite(p, s, n, f))
BLOCKING(int, uflow, (FILE * f), __uflow(f))
BLOCKING(int, getc, (FILE * f), getc(f))
BLOCKING(char *, fgets, (char *s, int n, FILE *f), fgets(s, n, f))
BLOCKING(int, fflush, (FILE * f), f == NULL ? flush_all() : fflush(f))
BLOCKING(FILE *, fopen, (const char *name, const char *mode), fopen(name, mode))
BLOCKING(FILE *, popen, (const char *cmd, const char *mode), popen(cmd, mode))
BLOCKING(int, system, (const char *cmd), system(cmd))
BLOCKING(int, ungetc, (int c, FILE *f), ungetc(c, f))
BLOCKING(int, setvbuf, (FILE * f, char *buf, int mode, size_t n), setvbuf(f, buf, mode, n))
BLOCKING(int, fseeko, (FILE * f, off_t offset, int whence), fseeko(f, offset, whence))
BLOCKING(off_t, ftello, (FILE * f), ftello(f))
static int clear_error(FILE *f) { return clearerr(f), 0; }
BLOCKING(int, clearerr, (FILE * f), clear_error(f))
#undef BLOCKING

// Two goroutines that read one file: the second waits for the stream's lock in the system, without its processor.
void lungo_io_flockfile(FILE *f);
void lungo_io_flockfile(FILE *f) {
  Ctx *ctx = rt_current(NULL);
  if (ftrylockfile(f) == 0) return;
  if (ctx != NULL && ctx->cache != NULL) {
    rt_block_enter(ctx);
    flockfile(f);
    rt_block_leave(ctx);
  } else {
    flockfile(f);
  }
}

// ---- write ----------------------------------------------------------------------------------------

static void check_writable(lua_State *L, int first) {
  for (int i = first; i <= lua_gettop(L); i++)
    if (lua_type(L, i) != LUA_TNUMBER) luaL_checkstring(L, i);
}

// One piece into the stream. What only fills its buffer cannot block and does without a region.
static bool write_piece(const char *s, size_t n, FILE *f) {
  if (ftrylockfile(f) == 0) {
    bool fits = !__flbf(f) && n < __fbufsize(f) - __fpending(f);
    if (fits) fits = fwrite_unlocked(s, 1, n, f) == n;
    funlockfile(f);
    if (fits) return true;
  }
  return lungo_io_fwrite(s, 1, n, f) == n;
}

// Text of the string or number at index i; a number's is put into buf. A float's is C's: unlike tostring, Lua's io
// library marks no float as such (`io.write(1.0)` writes 1).
static const char *text_of(lua_State *L, int i, size_t *n, char buf[VALUE_NUMBUF]) {
  const Value *v = lib_arg(L, i);
  if (!v_isnumber(v)) return lua_tolstring(L, i, n);
  *n = v_isfloat(v) ? (size_t)snprintf(buf, VALUE_NUMBUF, LUA_NUMBER_FMT, v->n) : value_num2str(v, buf, VALUE_NUMBUF);
  return buf;
}

// Joins arguments first..last in buf, or above them on the stack if they are too long for it.
static const char *join(lua_State *L, int first, int last, char *buf, size_t size, size_t *len) {
  char num[VALUE_NUMBUF];
  size_t used = 0, n;
  for (int i = first; i <= last; i++, used += n) {
    const char *s = text_of(L, i, &n, num);
    if (n > size - used) {
      luaL_Buffer b;
      luaL_buffinit(L, &b);
      luaL_addlstring(&b, buf, used);
      for (; i <= last; i++) {
        s = text_of(L, i, &n, num);
        luaL_addlstring(&b, s, n);
      }
      luaL_pushresult(&b);
      return lua_tolstring(L, -1, len);
    }
    memcpy(buf + used, s, n);
  }
  *len = used;
  return buf;
}

// Writes arguments first.. as one piece; the file handle is on top of the stack and is the result.
static int write_values(lua_State *L, FILE *f, int first) {
  int last = lua_gettop(L) - 1;
  char buf[512];
  size_t len;
  const char *s = last == first && lua_type(L, first) == LUA_TSTRING ? lua_tolstring(L, first, &len)
                                                                     : join(L, first, last, buf, sizeof buf, &len);
  bool ok = lib_hostoutput(L, f, s, len) || write_piece(s, len, f);
  lua_settop(L, last + 1);
  return ok ? 1 : luaL_fileresult(L, 0, NULL);
}

static int f_write(lua_State *L) {
  luaL_Stream *p = (luaL_Stream *)luaL_checkudata(L, 1, LUA_FILEHANDLE);
  if (p->closef == NULL) return luaL_error(L, "attempt to use a closed file");
  check_writable(L, 2);
  lua_pushvalue(L, 1);
  return write_values(L, p->f, 2);
}

static int io_write(lua_State *L) {
  check_writable(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, "_IO_output");
  luaL_Stream *p = (luaL_Stream *)lua_touserdata(L, -1);
  if (p == NULL || p->closef == NULL) return luaL_error(L, "default output file is closed");
  return write_values(L, p->f, 1);
}

// ---- exit -------------------------------------------------------------------------------------------

static int os_exit(lua_State *L) {
  lua_Integer status;
  if (lua_isboolean(L, 1))
    status = lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
  else
    status = luaL_optinteger(L, 1, EXIT_SUCCESS);
  rt_exit(L, (int)status, lua_toboolean(L, 2));
}

int lungo_openos(lua_State *L) {
  luaopen_os(L);
  lua_pushcfunction(L, os_exit);
  lua_setfield(L, -2, "exit");
  return 1;
}

int lungo_openio(lua_State *L) {
  luaopen_io(L);
  lua_pushcfunction(L, io_write);
  lua_setfield(L, -2, "write");
  luaL_getmetatable(L, LUA_FILEHANDLE);
  lua_getfield(L, -1, "__index");
  lua_pushcfunction(L, f_write);
  lua_setfield(L, -2, "write");
  lua_pop(L, 2);
  ioclose_open(L);
  return 1;
}
