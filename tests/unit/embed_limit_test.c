// SPDX-License-Identifier: MIT
//
// embed_limit_test.c: limits of runs: instructions, goroutines, memory. How soon they take effect, whatever the script
// does, is embed_hostile_test.c's question.
#include "lungo.h"
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

#define LIMIT 0.02 // seconds a script may take, unless its test says otherwise

static void discard(void *ud, const char *text, size_t len) {
  (void)ud;
  (void)text;
  (void)len;
}

static void ignore(void *ud, const char *text) {
  (void)ud;
  (void)text;
}

static lungo_Runtime *open_runtime(int procs) {
  lungo_Options o;
  char err[200] = "";
  lungo_defaults(&o);
  o.processors = procs;
  o.memory = 64 << 20;
  o.libs = LUNGO_LIB_SAFE;
  o.flags = LUNGO_SANDBOX;
  o.time = LIMIT;
  o.goroutines = 10000;
  o.finalizer_time = 0.02;
  o.output = discard;
  o.panic = ignore;
  lungo_Runtime *rt = lungo_new(&o, err, sizeof err);
  if (rt == NULL) fprintf(stderr, "%s\n", err);
  CHECK(rt != NULL);
  return rt;
}

// The host goes on: an honest run is served.
static void check_alive(lungo_Runtime *rt, const char *after) {
  lungo_Task *t = NULL;
  for (int i = 0; i < 100; i++) { // memory of the last run may still have to be collected
    t = lungo_start(rt,
                    &(lungo_Job){.code = "local c = chan() go(function() c:send(1) end) return c:recv()", .time = 5});
    CHECK(t != NULL);
    int r = lungo_wait(t, 20);
    if (r == LUNGO_OK) break;
    if (r != LUNGO_ERROR) fprintf(stderr, "after %s: %d %s\n", after, r, lungo_error(t));
    CHECK(r == LUNGO_ERROR && i < 99);
    lungo_release(t);
  }
  lungo_release(t);
}

static void test_instructions(void) {
  lungo_Runtime *rt = open_runtime(1);
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = "while true do pcall(function() while true do end end) end",
                                               .time = -1,
                                               .instructions = 1000000});
  CHECK(lungo_wait(t, 20) == LUNGO_LIMIT);
  lungo_release(t);
  t = lungo_start(rt, &(lungo_Job){.code = "for i = 1, 1000 do coroutine.wrap(function() go(function() for i = 1, "
                                           "10000 do end end) end)() end chan():recv()",
                                   .time = -1,
                                   .instructions = 1000000});
  CHECK(lungo_wait(t, 20) == LUNGO_LIMIT);
  lungo_release(t);
  t = lungo_start(rt, &(lungo_Job){.code = "for i = 1, 100000 do end return 1", .time = -1, .instructions = 1000000});
  CHECK(lungo_wait(t, 20) == LUNGO_OK);
  lungo_release(t);
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

static void test_goroutines(void) {
  lungo_Runtime *rt = open_runtime(2);
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = "for i = 1, 99 do go(function() chan():recv() end) end return 1",
                                               .time = -1,
                                               .goroutines = 100});
  CHECK(lungo_wait(t, 20) == LUNGO_OK);
  lungo_cancel(t);
  lungo_release(t);
  t = lungo_start(rt, &(lungo_Job){.code = "for i = 1, 100 do pcall(go, function() chan():recv() end) end return 1",
                                   .time = -1,
                                   .goroutines = 100});
  CHECK(lungo_wait(t, 20) == LUNGO_LIMIT);
  lungo_release(t);
  CHECK(lungo_cancelall(rt, 5) == LUNGO_OK);
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

// Who catches the error and lets go of what he has goes on.
static void test_memory_caught(void) {
  lungo_Options o;
  lungo_defaults(&o);
  o.memory = 16 << 20;
  lungo_Runtime *rt = lungo_new(&o, NULL, 0);
  lungo_Task *t = lungo_start(
      rt, &(lungo_Job){.code = "for i = 1, 5 do local t = {} local ok, msg = pcall(function() while true do "
                               "t = {t} end end) t = nil assert(not ok and msg == 'not enough memory') end",
                       .time = -1});
  int r = lungo_wait(t, 60);
  if (r != LUNGO_OK) fprintf(stderr, "%d %s\n", r, lungo_error(t));
  CHECK(r == LUNGO_OK);
  lungo_release(t);
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

// Who fills the memory gets the error, and not who holds next to nothing and makes a little garbage.
static void test_memory_innocent(void) {
  for (int i = 0; i < 2; i++) {
    lungo_Options o;
    lungo_defaults(&o);
    o.processors = 2;
    o.memory = 16 << 20;
    lungo_Runtime *rt = lungo_new(&o, NULL, 0);
    lungo_Task *innocent = lungo_start(rt, &(lungo_Job){.code = "local n = 0 while true do n = n + 1 if n % 1000 == 0 "
                                                                "then time.sleep(0) end local t = {n} end",
                                                        .time = -1});
    lungo_Task *hog = lungo_start(
        rt, &(lungo_Job){.code = "local keep = {} local ok, e = pcall(function() while true do local t = {} "
                                 "for i = 1, 100 do t[i] = {} end keep = {keep, t} end end) keep = nil return e",
                         .time = -1});
    CHECK(lungo_wait(hog, 60) == LUNGO_OK);
    CHECK(lungo_wait(innocent, 0.01) == LUNGO_TIMEOUT);
    CHECK(lungo_cancelall(rt, 20) == LUNGO_OK);
    lungo_release(hog);
    lungo_release(innocent);
    CHECK(lungo_free(rt, 5) == LUNGO_OK);
  }
}

static void no_panic(void *ud, const char *text) {
  (void)ud;
  fprintf(stderr, "%s\n", text);
  exit(1);
}

// Two megabytes that live, much garbage, and more processors than could have blocks of every size in hand.
static void test_memory_small(void) {
  for (int i = 0; i < 4; i++) {
    lungo_Options o;
    lungo_defaults(&o);
    o.processors = 16;
    o.memory = 4 << 20;
    o.panic = no_panic;
    lungo_Runtime *rt = lungo_new(&o, NULL, 0);
    lungo_Task *t = lungo_start(
        rt, &(lungo_Job){.code = "local keep = {} for i = 1, 14000 do keep[i] = {i} end local wg = sync.waitgroup() "
                                 "for g = 1, 32 do wg:go(function() for i = 1, 300 do local t = {i, tostring(i), {x = "
                                 "i, y = {}}, function() return i end, ('x'):rep(i)} table.concat{t[2], 'a', i} "
                                 "coroutine.wrap(function(a) coroutine.yield(a) end)(1) end end) end wg:wait()"});
    int r = lungo_wait(t, 60);
    if (r != LUNGO_OK) fprintf(stderr, "%d %s\n", r, lungo_error(t));
    CHECK(r == LUNGO_OK);
    lungo_release(t);
    CHECK(lungo_free(rt, 1) == LUNGO_OK);
  }
}

static void test_memory(void) {
  lungo_Runtime *rt = open_runtime(2);
  lungo_Task *t = lungo_start(
      rt, &(lungo_Job){.code = "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end", .time = -1});
  CHECK(lungo_wait(t, 60) == LUNGO_ERROR && strstr(lungo_error(t), "not enough memory") != NULL);
  lungo_release(t);
  check_alive(rt, "memory");
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
}

int main(void) {
  test_instructions();
  test_goroutines();
  test_memory();
  test_memory_caught();
  test_memory_small();
  test_memory_innocent();
  puts("embed limit ok");
  return 0;
}
