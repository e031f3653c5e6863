// SPDX-License-Identifier: MIT
//
// rwmutex_test.c: the states of a read-write mutex, spread and not, one after the other on the host's thread: which of
// the parts counts a reader, who gathers, what is exact, when it is spread again. Protects: runtime/rwmutex.c.
#include "gc.h"
#include "heap.h"
#include "lungo.h"
#include "rwmutex.h"
#include "sched_int.h"
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

static bool is_spread(RWMutex *rw) { return atomic_load(&rw->state) & RW_SPREAD; }
static uint64_t in_state(RWMutex *rw) { return atomic_load(&rw->state) & RW_READERS; }

// A mutex that is spread and that nobody holds. (The reader that has it spread is counted by the state word.)
static void make_spread(Ctx *ctx, RWMutex *rw) {
  *rw = (RWMutex){0};
  CHECK(rw_tryrlock(ctx, rw) && is_spread(rw) && in_state(rw) == 1);
  CHECK(rw_runlock(ctx, rw) && is_spread(rw) && in_state(rw) == 0);
}

static void test_counts(Ctx *ctx) {
  RWMutex rw;
  make_spread(ctx, &rw);
  CHECK(rw_tryrlock(ctx, &rw) && rw_tryrlock(ctx, &rw) && in_state(&rw) == 0); // both in the slot
  CHECK(rw_isrlocked(&rw) && !rw_iswlocked(&rw) && is_spread(&rw));
  CHECK(!rw_trylock(&rw) && is_spread(&rw)); // a reader was seen: nothing is gathered
  CHECK(!rw_unlock(ctx, &rw));
  CHECK(rw_runlock(ctx, &rw) && rw_runlock(ctx, &rw) && is_spread(&rw));
  CHECK(!rw_runlock(ctx, &rw) && !is_spread(&rw)); // only a gathered sum says so
  CHECK(!rw_runlock(ctx, &rw) && !rw_isrlocked(&rw));
  make_spread(ctx, &rw);
  CHECK(!rw_isrlocked(&rw) && !is_spread(&rw));
}

static void test_writer(Ctx *ctx) {
  RWMutex rw;
  make_spread(ctx, &rw);
  CHECK(rw_trylock(&rw) && !is_spread(&rw) && rw_iswlocked(&rw));
  CHECK(!rw_tryrlock(ctx, &rw) && !rw_trylock(&rw) && !rw_runlock(ctx, &rw));
  CHECK(rw_unlock(ctx, &rw) && atomic_load(&rw.state) == 0);
  CHECK(rw_tryrlock(ctx, &rw) && is_spread(&rw)); // again
  CHECK(rw_tryrlock(ctx, &rw) && in_state(&rw) == 1);
  CHECK(rw_runlock(ctx, &rw) && rw_runlock(ctx, &rw) && rw_trylock(&rw));
  CHECK(rw_unlock(ctx, &rw));
}

// The lock moves: taken on one processor, given back on another.
static void test_elsewhere(Ctx *ctx) {
  RWMutex rw;
  uint32_t proc = ctx->proc;
  make_spread(ctx, &rw);
  CHECK(rw_tryrlock(ctx, &rw) && in_state(&rw) == 0);
  ctx->proc = proc + 1;
  CHECK(!rw_trylock(&rw) && rw_isrlocked(&rw) && rw_runlock(ctx, &rw) && is_spread(&rw)); // from the other slot
  ctx->proc = 1001; // beyond the block: shares one
  CHECK(rw_tryrlock(ctx, &rw) && in_state(&rw) == 0 && is_spread(&rw));
  ctx->proc = proc;
  CHECK(rw_runlock(ctx, &rw) && is_spread(&rw) && rw_trylock(&rw) && rw_unlock(ctx, &rw));
}

// More processors than the block has lines for: the next time it is spread it gets a larger one.
static void test_grows(lua_State *L) {
  RWMutex rw;
  make_spread(L->ctx, &rw);
  RWSlots *small = atomic_load(&rw.slots);
  CHECK(rw_trylock(&rw) && rw_unlock(L->ctx, &rw));
  CHECK(rw_tryrlock(L->ctx, &rw) && is_spread(&rw) && atomic_load(&rw.slots) == small);
  CHECK(rw_runlock(L->ctx, &rw) && rw_trylock(&rw) && rw_unlock(L->ctx, &rw));
  Runtime *rt = m_of(L->ctx)->rt;
  int before = atomic_exchange(&rt->nprocs, 9);
  CHECK(rw_tryrlock(L->ctx, &rw) && is_spread(&rw) && atomic_load(&rw.slots) != small);
  atomic_store(&rt->nprocs, before);
  CHECK(rw_runlock(L->ctx, &rw) && rw_trylock(&rw));
}

// A writer ends a spread: what it notes of how long that was. (LUNGODEBUG=rwspread does not look at it.)
static void write_after(Ctx *ctx, RWMutex *rw, int64_t since) {
  atomic_load(&rw->slots)->since = since;
  CHECK(rw_trylock(rw) && !is_spread(rw) && rw_unlock(ctx, rw));
  CHECK(rw_tryrlock(ctx, rw) && rw_runlock(ctx, rw) && is_spread(rw));
}

static void test_backoff(Ctx *ctx) {
  RWMutex rw;
  make_spread(ctx, &rw);
  for (unsigned i = 1, last = 0; i < 20; i++) {
    write_after(ctx, &rw, INT64_MAX / 2); // not even yet
    unsigned now = atomic_load(&rw.backoff);
    CHECK(now == last + 1 || (now == last && i > 5));
    last = now;
  }
  write_after(ctx, &rw, 0); // long ago
  CHECK(atomic_load(&rw.backoff) == 0);
}

// A mutex that one goroutine has to itself stays one word.
static void test_alone(Ctx *ctx) {
  RWMutex rw = {0};
  for (int i = 0; i < 10000; i++) CHECK(rw_tryrlock(ctx, &rw) && rw_runlock(ctx, &rw));
  CHECK(!is_spread(&rw) && atomic_load(&rw.slots) == NULL && atomic_load(&rw.met) == 0);
  CHECK(rw_trylock(&rw) && rw_unlock(ctx, &rw) && atomic_load(&rw.backoff) == 0);
}

int main(void) {
  unsetenv("LUNGODEBUG");
  lua_State *L = luaL_newstate();
  CHECK(L != NULL);
  test_alone(L->ctx);
  lua_close(L);
  setenv("LUNGODEBUG", "rwspread", 1);
  L = luaL_newstate();
  CHECK(L != NULL);
  test_counts(L->ctx);
  test_writer(L->ctx);
  test_elsewhere(L->ctx);
  test_grows(L);
  test_backoff(L->ctx);
  lua_close(L);
  puts("ok");
  return 0;
}
