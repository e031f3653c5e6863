// SPDX-License-Identifier: MIT
//
// embed_attack_test.c: many host threads use runtimes at once, cancel at random moments, and release handles in any
// order; and what a careless host does (NULL, too late, twice what may be done twice) has an answer instead of a crash.
// Usage: embed_attack_test [seconds]
#include "lungo.h"
#include <errno.h>
#include <lauxlib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))
#define HOSTS 6
#define PATIENCE 60

static const char *const scripts[] = {
    "return ...",
    "while true do end",
    "chan():recv()",
    "local c = chan() go(function() for i = 1, 100 do c:send(i) end c:close() end) local s = 0 for v in c do s = s + v "
    "end "
    "return s",
    "for i = 1, 50 do go(function() while true do time.sleep(0.0001) end end) end return 1",
    "while true do pcall(go, function() chan():recv() end) end",
    "table.sort({3, 2, 1}, function() shared:recv() end)",
    "local _ <close> = defer(function() while true do end end) error('x')",
    "for i = 1, 20 do go(function() while true do shared:send(i) end end) end while true do shared:recv() end",
    "local m = sync.mutex() for i = 1, 20 do go(function() while true do m:lock() m:unlock() end end) end select{}",
    "select{{recv = shared}, {recv = time.after(0.001)}}",
    "local t = {} for i = 1, 2000 do t[i] = ('x'):rep(100) .. i end return table.unpack(t, 1, 100)",
    "setmetatable({}, {__gc = function() shared:trysend(1) end}) collectgarbage()",
    "while true do coroutine.wrap(function() pcall(error, 'x') end)() end",
    "return chan(), {}, print, 'x', 1.5",
};

static atomic_llong deadline_ns;
static lungo_Runtime *shared;
static lungo_Chan *channel;

static long long now_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (long long)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int setup(lua_State *L) {
  lua_getglobal(L, "chan");
  lua_pushinteger(L, 5);
  lua_call(L, 1, 1);
  lua_setglobal(L, "shared");
  return 0;
}

static lungo_Runtime *open_runtime(void) {
  lungo_Options o;
  char err[200] = "";
  lungo_defaults(&o);
  o.processors = 2;
  o.memory = 64 << 20;
  o.flags = LUNGO_SANDBOX;
  o.libs = LUNGO_LIB_SAFE;
  o.goroutines = 1000;
  o.finalizer_time = 0.01;
  o.setup = setup;
  lungo_Runtime *rt = lungo_new(&o, err, sizeof err);
  if (rt == NULL) fprintf(stderr, "%s\n", err);
  CHECK(rt != NULL);
  return rt;
}

// ---- many threads ---------------------------------------------------------------------------------------------------

static void done(void *ud, lungo_Task *t) {
  CHECK(lungo_status(t) != LUNGO_TIMEOUT);
  atomic_fetch_add((atomic_int *)ud, 1);
}

static void use_channel(unsigned *seed) {
  lungo_Value v = lungo_integer(1);
  int r = rand_r(seed) % 2 ? lungo_send(channel, &v, 0.0005) : lungo_recv(channel, &v, 0.0005);
  CHECK(r == LUNGO_OK || r == LUNGO_TIMEOUT);
  lungo_clear(&v);
}

static void use_task(lungo_Task *t, unsigned *seed) {
  if (rand_r(seed) % 3 == 0) usleep(rand_r(seed) % 3000);
  if (rand_r(seed) % 4 != 0) lungo_cancel(t);
  if (rand_r(seed) % 4 == 0) lungo_cancel(t);
  if (rand_r(seed) % 2 == 0) {
    lungo_cancel(t);
    CHECK(lungo_wait(t, PATIENCE) != LUNGO_TIMEOUT);
    for (int i = -1; i <= lungo_nresults(t); i++) CHECK(lungo_result(t, i) != NULL);
    CHECK(lungo_error(t) != NULL);
  } else if (rand_r(seed) % 2 == 0) {
    lungo_wait(t, 0.001);
  }
}

static void *host(void *arg) {
  unsigned seed = (unsigned)(size_t)arg;
  static atomic_int ended;
  while (now_ns() < atomic_load(&deadline_ns)) {
    lungo_Value args[2] = {lungo_string("text"), lungo_channel(channel)};
    const char *code = scripts[(unsigned)rand_r(&seed) % (sizeof scripts / sizeof *scripts)];
    lungo_Task *t = lungo_start(
        shared, &(lungo_Job){.code = code, .nargs = 2, .args = args, .time = 0.05, .done = done, .done_ud = &ended});
    CHECK(t != NULL);
    use_task(t, &seed);
    lungo_release(t);
    if (rand_r(&seed) % 8 == 0) use_channel(&seed);
    if (rand_r(&seed) % 64 == 0) {
      int r = lungo_cancelall(shared, 0.01);
      CHECK(r == LUNGO_OK || r == LUNGO_TIMEOUT);
    }
  }
  return NULL;
}

static void test_threads(double seconds) {
  pthread_t th[HOSTS];
  shared = open_runtime();
  channel = lungo_chan(shared, 3);
  CHECK(channel != NULL);
  atomic_store(&deadline_ns, now_ns() + (long long)(seconds * 1e9));
  for (size_t i = 0; i < HOSTS; i++) CHECK(pthread_create(&th[i], NULL, host, (void *)(i + 1)) == 0);
  for (size_t i = 0; i < HOSTS; i++) pthread_join(th[i], NULL);
  CHECK(lungo_cancelall(shared, PATIENCE) == LUNGO_OK);
  CHECK(lungo_free(shared, PATIENCE) == LUNGO_OK);
  lungo_chan_release(channel);
}

// ---- the end, while others use it -------------------------------------------------------------------------------

static void *wait_for(void *arg) {
  int r = lungo_wait(arg, PATIENCE);
  CHECK(r == LUNGO_CANCELLED || r == LUNGO_OK || r == LUNGO_ERROR || r == LUNGO_LIMIT);
  return NULL;
}

static void *receive(void *arg) {
  lungo_Value v;
  CHECK(lungo_recv(arg, &v, PATIENCE) == LUNGO_DEAD && v.type == LUNGO_TNIL);
  return NULL;
}

static void test_end(void) {
  for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
    lungo_Runtime *rt = open_runtime();
    lungo_Chan *ch = lungo_chan(rt, 0);
    lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = scripts[i]});
    pthread_t th[3];
    CHECK(ch != NULL && t != NULL);
    CHECK(pthread_create(&th[0], NULL, wait_for, t) == 0 && pthread_create(&th[1], NULL, wait_for, t) == 0 &&
          pthread_create(&th[2], NULL, receive, ch) == 0);
    if (i % 2 == 0) usleep(2000);
    CHECK(lungo_free(rt, PATIENCE) == LUNGO_OK);
    for (int k = 0; k < 3; k++) pthread_join(th[k], NULL);
    // Handles outlive their runtime.
    lungo_Value v = lungo_integer(1);
    CHECK(lungo_send(ch, &v, 1) == LUNGO_DEAD && lungo_close(ch) == LUNGO_DEAD);
    CHECK(lungo_recv(ch, &v, -1) == LUNGO_DEAD);
    lungo_cancel(t);
    CHECK(lungo_wait(t, -1) == lungo_status(t) && lungo_error(t) != NULL);
    for (int k = 0; k < lungo_nresults(t); k++) CHECK(lungo_result(t, k) != NULL);
    lungo_Chan *again = lungo_chan_retain(ch);
    lungo_chan_release(ch);
    lungo_chan_release(again);
    lungo_release(t);
  }
}

// ---- carelessness ---------------------------------------------------------------------------------------------------

static int wants_foreign(lua_State *L) {
  lungo_push(L, lua_touserdata(L, 1));
  return 1;
}

static void test_careless(void) {
  lungo_Runtime *rt = open_runtime(), *other = open_runtime();
  errno = 0;
  CHECK(lungo_start(rt, &(lungo_Job){.code = NULL}) == NULL && errno == EINVAL);
  errno = 0;
  CHECK(lungo_start(rt, &(lungo_Job){.code = "x = 1", .global = "print"}) == NULL && errno == EINVAL);
  lungo_release(NULL);
  lungo_chan_release(NULL);
  lungo_ref_release(NULL);
  lungo_Value nil = lungo_nil();
  lungo_clear(&nil);
  lungo_clear(&nil);
  CHECK(lungo_chan(rt, -1) == NULL);

  lungo_Chan *ch = lungo_chan(rt, 1);
  CHECK(lungo_send(ch, &nil, 1) == LUNGO_ERROR);
  lungo_Value v = lungo_channel(ch), got;
  lungo_Task *t = lungo_start(other, &(lungo_Job){.code = "return ...", .nargs = 1, .args = &v});
  CHECK(lungo_wait(t, PATIENCE) == LUNGO_ERROR); // a handle of another runtime
  lungo_release(t);
  t = lungo_start(other, &(lungo_Job){.cfunction = wants_foreign, .cud = &v});
  CHECK(lungo_wait(t, PATIENCE) == LUNGO_ERROR);
  lungo_release(t);
  lungo_Chan *theirs = lungo_chan(other, 1);
  v = lungo_channel(theirs);
  CHECK(lungo_send(ch, &v, 1) == LUNGO_ERROR);
  v = lungo_integer(3);
  CHECK(lungo_send(ch, &v, 1) == LUNGO_OK && lungo_send(ch, &v, 0) == LUNGO_TIMEOUT);
  CHECK(lungo_close(ch) == LUNGO_OK && lungo_close(ch) == LUNGO_CLOSED && lungo_send(ch, &v, 1) == LUNGO_CLOSED);
  CHECK(lungo_recv(ch, &got, 0) == LUNGO_OK && got.u.i == 3 && lungo_recv(ch, &got, 1) == LUNGO_CLOSED);
  CHECK(got.type == LUNGO_TNIL);
  lungo_chan_release(ch);

  for (int i = 0; i < 2; i++) { // unfinished, then finished
    t = lungo_start(rt, &(lungo_Job){.code = "chan():recv()"});
    if (i == 0) CHECK(lungo_nresults(t) == 0 && *lungo_error(t) == '\0' && lungo_result(t, 5)->type == LUNGO_TNIL);
    lungo_cancel(t);
    lungo_cancel(t);
    if (i == 1) CHECK(lungo_wait(t, PATIENCE) != LUNGO_TIMEOUT);
    lungo_release(t);
  }
  t = lungo_start(rt, &(lungo_Job){.global = "no.such.thing"});
  CHECK(lungo_wait(t, PATIENCE) == LUNGO_ERROR);
  lungo_release(t);
  t = lungo_start(rt, &(lungo_Job){.file = "/no/such/file"});
  CHECK(lungo_wait(t, PATIENCE) == LUNGO_ERROR && strstr(lungo_error(t), "/no/such/file") != NULL);
  lungo_release(t);
  CHECK(lungo_free(other, 5) == LUNGO_OK && lungo_free(rt, 5) == LUNGO_OK);
  lungo_chan_release(theirs);
}

int main(int argc, char **argv) {
  test_careless();
  test_end();
  test_threads(argc > 1 ? atof(argv[1]) : 1);
  puts("embed attack ok");
  return 0;
}
