// SPDX-License-Identifier: MIT
//
// objects_fixture.h: what the unit tests of values, strings and tables share: checks, a universe, and states for
// worker threads that know nothing of the scheduler (each has an allocation cache; nothing collects).
#ifndef LUNGO_TESTS_OBJECTS_FIXTURE_H
#define LUNGO_TESTS_OBJECTS_FIXTURE_H

#include "call.h"
#include "func.h"
#include "heap.h"
#include "share.h"
#include "str.h"
#include "table.h"
#include <stdio.h>
#include <stdlib.h>

static int nchecks;
static inline void check(int ok, const char *what, const char *file, int line) {
  if (ok) return;
  printf("not ok: %s:%d: %s\n", file, line, what);
  exit(1);
}
#define CHECK(c) (nchecks++, check((c), #c, __FILE__, __LINE__))
#define CHECK_QUIET(c) check((c), #c, __FILE__, __LINE__) // from several threads

static inline void *fixture_alloc(void *ud, void *p, size_t osize, size_t nsize) {
  (void)ud, (void)osize;
  if (nsize != 0) return realloc(p, nsize);
  free(p);
  return NULL;
}
static inline lua_State *universe(void) {
  lua_State *L = lua_newstate(fixture_alloc, NULL);
  CHECK(L != NULL);
  return L;
}

typedef struct Worker {
  Ctx ctx;
  lua_State *L;
} Worker;

static inline void worker_init(Worker *w, lua_State *L) {
  memset(w, 0, sizeof *w);
  w->ctx.gl = L->gl;
  w->ctx.cache = cache_new(L->gl->heap);
  w->L = thread_new(L);
  w->ctx.L = w->L;
  w->L->ctx = &w->ctx;
}
static inline void worker_end(Worker *w) { cache_free(w->L->gl->heap, w->ctx.cache); }

static inline Value vint(int64_t i) {
  Value v;
  v_setint(&v, i);
  return v;
}
static inline Value vflt(double n) {
  Value v;
  v_setfloat(&v, n);
  return v;
}
static inline Value vnil(void) {
  Value v;
  v_setnil(&v);
  return v;
}
static inline Value vbool(bool b) {
  Value v;
  v_setbool(&v, b);
  return v;
}
static inline Value vstr(String *s) {
  Value v;
  v_setobj(&v, TAG_STRING, s);
  return v;
}
static inline Value vtab(Table *t) {
  Value v;
  v_setobj(&v, TAG_TABLE, t);
  return v;
}
static inline Value vlight(void *p) {
  Value v;
  v_setobj(&v, TAG_LIGHTUD, p);
  return v;
}

// xorshift: repeatable, one per thread.
static inline uint64_t rnd(uint64_t *s) {
  *s ^= *s << 13;
  *s ^= *s >> 7;
  *s ^= *s << 17;
  return *s;
}

#endif
