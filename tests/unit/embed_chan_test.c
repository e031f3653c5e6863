// SPDX-License-Identifier: MIT
//
// embed_chan_test.c: channels, asynchronous functions and blocking regions as host threads use them.
#include "lungo.h"
#include <lauxlib.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

static lungo_Runtime *rt;

static double now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static lungo_Task *start(const char *code, int n, const lungo_Value *args) {
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = code, .name = "=test", .nargs = n, .args = args});
  CHECK(t != NULL);
  return t;
}

static void finish(lungo_Task *t, int status) {
  int r = lungo_wait(t, 20);
  if (r != status) fprintf(stderr, "status %d: %s\n", r, lungo_error(t));
  CHECK(r == status);
  lungo_release(t);
}

static void test_basics(void) {
  lungo_Chan *a = lungo_chan(rt, 0), *b = lungo_chan(rt, 2);
  lungo_Value v, args[2] = {lungo_channel(a), lungo_channel(b)};
  CHECK(a != NULL && b != NULL && lungo_chan(rt, -1) == NULL);
  CHECK(lungo_recv(a, &v, 0) == LUNGO_TIMEOUT && v.type == LUNGO_TNIL);
  v = lungo_integer(1);
  CHECK(lungo_send(a, &v, 0) == LUNGO_TIMEOUT);
  double begin = now();
  CHECK(lungo_send(a, &v, 0.02) == LUNGO_TIMEOUT && now() - begin >= 0.02);
  CHECK(lungo_send(b, &v, 0) == LUNGO_OK && lungo_send(b, &v, -1) == LUNGO_OK && lungo_send(b, &v, 0) == LUNGO_TIMEOUT);
  lungo_Value nil = lungo_nil();
  CHECK(lungo_send(b, &nil, 0) == LUNGO_ERROR);
  lungo_Task *t = start("local a, b = ... assert(b:recv() == 1 and b:recv() == 1) for v in a do b:send(v .. '!') end "
                        "b:close() return b:cap()",
                        2, args);
  for (int i = 0; i < 50; i++) {
    char text[20];
    snprintf(text, sizeof text, "%d", i);
    v = lungo_string(text);
    CHECK(lungo_send(a, &v, 20) == LUNGO_OK && lungo_recv(b, &v, 20) == LUNGO_OK);
    strcat(text, "!");
    CHECK(v.type == LUNGO_TSTRING && strcmp(v.u.s.data, text) == 0);
    lungo_clear(&v);
  }
  CHECK(lungo_close(a) == LUNGO_OK && lungo_close(a) == LUNGO_CLOSED && lungo_recv(b, &v, -1) == LUNGO_CLOSED);
  CHECK(lungo_send(a, &args[0], 1) == LUNGO_CLOSED);
  finish(t, LUNGO_OK);
  lungo_chan_release(a);
  lungo_chan_release(b);
  // Closed while a host waits; directions; channels that Lua made.
  t = lungo_start(rt, &(lungo_Job){.code = "local c = chan() go(function() time.sleep(0.02) c:close() end) return c, "
                                           "c:sender(), c:receiver(), chan('integer', 1)"});
  CHECK(lungo_wait(t, 20) == LUNGO_OK && lungo_result(t, 0)->type == LUNGO_TCHAN);
  v = lungo_integer(3);
  CHECK(lungo_send(lungo_result(t, 0)->u.chan, &v, 20) == LUNGO_CLOSED);
  CHECK(lungo_recv(lungo_result(t, 1)->u.chan, &v, 0) == LUNGO_ERROR &&
        lungo_close(lungo_result(t, 2)->u.chan) == LUNGO_ERROR);
  v = lungo_string("x");
  CHECK(lungo_send(lungo_result(t, 3)->u.chan, &v, 0) == LUNGO_ERROR);
  lungo_release(t);
}

// Many threads, one channel: nothing is lost or doubled.
#define THREADS 6
#define EACH 50
static lungo_Chan *jobs, *results;

static void *client(void *arg) {
  long long sum = 0;
  for (int i = 0; i < EACH; i++) {
    lungo_Value v = lungo_integer(i);
    CHECK(lungo_send(jobs, &v, 30) == LUNGO_OK && lungo_recv(results, &v, 30) == LUNGO_OK);
    sum += v.u.i;
  }
  *(long long *)arg = sum;
  return NULL;
}

static void test_threads(void) {
  pthread_t th[THREADS];
  long long sums[THREADS], all = 0;
  jobs = lungo_chan(rt, 0);
  results = lungo_chan(rt, 3);
  lungo_Value args[2] = {lungo_channel(jobs), lungo_channel(results)};
  lungo_Task *t = start("local j, r = ... local wg = sync.waitgroup() for i = 1, 8 do wg:go(function() for v in j do "
                        "r:send(2 * v) end end) end wg:wait()",
                        2, args);
  for (int i = 0; i < THREADS; i++) pthread_create(&th[i], NULL, client, &sums[i]);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(th[i], NULL);
    all += sums[i];
  }
  CHECK(all == (long long)THREADS * EACH * (EACH - 1));
  CHECK(lungo_close(jobs) == LUNGO_OK);
  finish(t, LUNGO_OK);
  lungo_chan_release(jobs);
  lungo_chan_release(results);
}

static _Atomic int notified;
static void count(void *ud) { atomic_fetch_add((_Atomic int *)ud, 1); }

static void test_events(void) {
  lungo_Chan *c = lungo_chan(rt, 0);
  lungo_Value arg = lungo_channel(c), v;
  int fd = lungo_chan_fd(c), got = 0, r = LUNGO_OK;
  CHECK(fd >= 0 && lungo_chan_fd(c) == fd);
  struct pollfd p = {.fd = fd, .events = POLLIN};
  CHECK(poll(&p, 1, 0) == 0 && lungo_recv(c, &v, 0) == LUNGO_TIMEOUT && lungo_recv(c, &v, 0.005) == LUNGO_TIMEOUT);
  lungo_Task *t = start("local c = ... for i = 1, 300 do c:send(i) end c:close()", 1, &arg);
  while (r != LUNGO_CLOSED) {
    CHECK(poll(&p, 1, 20000) == 1);
    while ((r = lungo_recv(c, &v, 0)) == LUNGO_OK) CHECK(v.u.i == ++got);
  }
  CHECK(got == 300 && poll(&p, 1, 0) == 1);
  finish(t, LUNGO_OK);
  lungo_chan_release(c);
  c = lungo_chan(rt, 4);
  CHECK(lungo_chan_notify(c, count, &notified) == LUNGO_OK);
  v = lungo_integer(5);
  CHECK(lungo_send(c, &v, 10) == LUNGO_OK && lungo_recv(c, &v, 10) == LUNGO_OK && v.u.i == 5);
  CHECK(atomic_load(&notified) == 1);
  lungo_chan_release(c);
}

// ---- asynchronous functions ----

typedef struct Request {
  lungo_Async *a;
  lua_Integer n;
} Request;

static void *answer(void *arg) {
  Request *r = arg;
  if (r->n % 3 == 0) usleep(500);
  lungo_Value v[2] = {lungo_integer(r->n * 2), lungo_string("ok")};
  if (r->n < 0)
    lungo_fail(r->a, "negative");
  else
    lungo_complete(r->a, 2, v);
  free(r);
  return NULL;
}

static int twice(lua_State *L) {
  Request *r = malloc(sizeof *r);
  pthread_t th;
  r->n = luaL_checkinteger(L, 1);
  lungo_Async *a = r->a = lungo_async(L);
  if (pthread_create(&th, NULL, answer, r) != 0) return luaL_error(L, "no thread");
  pthread_detach(th);
  return lungo_await(L, a);
}

static lungo_Async *_Atomic kept[4];

static lungo_Async *take_kept(int i) {
  lungo_Async *a;
  while ((a = atomic_exchange(&kept[i], NULL)) == NULL) usleep(1000);
  return a;
}

static int never(lua_State *L) {
  lungo_Async *a = lungo_async(L);
  atomic_store(&kept[luaL_checkinteger(L, 1)], a);
  return lungo_await(L, a);
}

static void sleep_a_bit(void *arg) { usleep(*(useconds_t *)arg); }

static int nap(lua_State *L) {
  useconds_t us = 20000;
  lungo_blocking(L, sleep_a_bit, &us);
  return 0;
}

static int setup(lua_State *L) {
  lua_register(L, "twice", twice);
  lua_register(L, "never", never);
  lua_register(L, "nap", nap);
  return 0;
}

static void test_async(void) {
  finish(start("local wg, sum = sync.waitgroup(), atomic.int() for i = 1, 60 do wg:go(function() local n, s = twice(i)"
               " assert(s == 'ok') sum:add(n) end) end wg:wait() assert(sum:load() == 60 * 61)",
               0, NULL),
         LUNGO_OK);
  finish(start("local ok, e = pcall(twice, -1) assert(not ok and e:find('negative')) "
               "table.sort({3, 2, 1}, function(a, b) return twice(a) < twice(b) end)",
               0, NULL),
         LUNGO_OK);
  lungo_Task *t = start("pcall(never, 0)", 0, NULL);
  lungo_Async *a = take_kept(0);
  lungo_cancel(t);
  finish(t, LUNGO_CANCELLED);
  lungo_complete(a, 0, NULL); // nobody waits any more
  double begin = now();
  finish(start("local wg = sync.waitgroup() for i = 1, 8 do wg:go(nap) end wg:wait()", 0, NULL), LUNGO_OK);
  CHECK(now() - begin < 10);
}

// Handles outlive the runtime.
static void *late_recv(void *arg) {
  lungo_Value v;
  CHECK(lungo_recv(arg, &v, -1) == LUNGO_DEAD);
  return NULL;
}

static void test_end(void) {
  lungo_Chan *c = lungo_chan(rt, 0), *w = lungo_chan(rt, 0);
  lungo_Value v = lungo_integer(1);
  pthread_t th[2];
  lungo_Task *t = start("never(1)", 0, NULL);
  CHECK(lungo_chan_fd(w) >= 0);
  pthread_create(&th[0], NULL, late_recv, c);
  pthread_create(&th[1], NULL, late_recv, w);
  lungo_Async *a = take_kept(1);
  CHECK(lungo_free(rt, 5) == LUNGO_OK);
  for (int i = 0; i < 2; i++) pthread_join(th[i], NULL);
  CHECK(lungo_send(c, &v, -1) == LUNGO_DEAD && lungo_close(c) == LUNGO_DEAD);
  CHECK(lungo_wait(t, 0) == LUNGO_CANCELLED);
  lungo_release(t);
  lungo_complete(a, 1, &v);
  lungo_chan_release(c);
  lungo_chan_release(w);
}

int main(void) {
  for (int procs = 1; procs <= 2; procs++) {
    lungo_Options o;
    lungo_defaults(&o);
    o.setup = setup;
    o.processors = procs;
    CHECK((rt = lungo_new(&o, NULL, 0)) != NULL);
    test_basics();
    test_threads();
    test_events();
    test_async();
    test_end();
    atomic_store(&notified, 0);
  }
  // A state made as for Lua, too: the deadlock detector knows that an answer may come.
  lua_State *L = luaL_newstate();
  lungo_openlibs(L);
  setup(L);
  CHECK(luaL_loadstring(L, "local c = chan() go(function() c:send((twice(21))) end) return c:recv()") == LUA_OK);
  CHECK(lungo_run(L, 0, 1, 0) == LUA_OK && lua_tointeger(L, -1) == 42);
  lua_close(L);
  puts("embed chan ok");
  return 0;
}
