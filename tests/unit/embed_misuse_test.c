// SPDX-License-Identifier: MIT
//
// embed_misuse_test.c: functions of lungo.h with wrong arguments, at the wrong time, twice: each says so and nothing
// breaks.
#include "lungo.h"
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))
#define PATIENCE 60

static lungo_Runtime *open_runtime(void) {
  lungo_Runtime *rt = lungo_new(NULL, NULL, 0);
  CHECK(rt != NULL);
  return rt;
}

static int bad_setup(lua_State *L) { return luaL_error(L, "no %s today", "setup"); }

static void test_options(void) {
  char err[8] = "";
  lungo_Options o;
  lungo_defaults(&o);
  o.setup = bad_setup;
  CHECK(lungo_new(&o, err, sizeof err) == NULL && strlen(err) == sizeof err - 1);
  CHECK(lungo_new(&o, NULL, 0) == NULL && lungo_new(&o, err, 0) == NULL);
  lungo_defaults(&o);
  o.memory = 1000;
  CHECK(lungo_new(&o, err, sizeof err) == NULL && err[0] != '\0');
  static const lungo_Options odd[] = {
      {.size = 0},
      {.size = sizeof o, .processors = -3, .time = -1, .instructions = -1, .goroutines = -1, .finalizer_time = -1},
      {.size = sizeof o,
       .time = INFINITY,
       .finalizer_time = INFINITY,
       .goroutines = INT_MAX,
       .instructions = LLONG_MAX},
      {.size = sizeof o, .time = 1e300, .finalizer_time = 1e300},
      {.size = sizeof o, .time = NAN, .finalizer_time = NAN},
  };
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    lungo_Runtime *rt = lungo_new(&odd[i], NULL, 0);
    CHECK(rt != NULL);
    lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = "setmetatable({}, {__gc = function() end}) collectgarbage() "
                                                         "return 7"});
    CHECK(t != NULL && lungo_wait(t, PATIENCE) == LUNGO_OK && lungo_result(t, 0)->u.i == 7);
    lungo_release(t);
    CHECK(lungo_free(rt, 1) == LUNGO_OK);
  }
}

static int cfunction(lua_State *L) { return luaL_error(L, "raised"); }

static void expect_error(lungo_Runtime *rt, const lungo_Job *job, const char *text) {
  lungo_Task *t = lungo_start(rt, job);
  CHECK(t != NULL && lungo_wait(t, PATIENCE) == LUNGO_ERROR);
  if (strstr(lungo_error(t), text) == NULL) fprintf(stderr, "not '%s' but '%s'\n", text, lungo_error(t));
  CHECK(strstr(lungo_error(t), text) != NULL && lungo_nresults(t) == 0 && lungo_result(t, 0)->type == LUNGO_TNIL);
  lungo_cancel(t); // it has ended
  CHECK(lungo_status(t) == LUNGO_ERROR);
  lungo_release(t);
}

static void test_jobs(lungo_Runtime *rt) {
  errno = 0;
  CHECK(lungo_start(rt, &(lungo_Job){0}) == NULL && errno == EINVAL);
  errno = 0;
  CHECK(lungo_start(rt, &(lungo_Job){.code = "", .global = "print"}) == NULL && errno == EINVAL);
  expect_error(rt, &(lungo_Job){.code = "return ("}, "unexpected symbol");
  expect_error(rt, &(lungo_Job){.file = "/nonexistent"}, "cannot open");
  expect_error(rt, &(lungo_Job){.file = "/"}, "");
  expect_error(rt, &(lungo_Job){.global = "nothing"}, "attempt to call a nil value");
  expect_error(rt, &(lungo_Job){.global = "nothing.there"}, "index");
  expect_error(rt, &(lungo_Job){.global = ""}, "attempt to call a nil value");
  expect_error(rt, &(lungo_Job){.global = "..."}, "");
  expect_error(rt, &(lungo_Job){.cfunction = cfunction}, "raised");
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = "return select('#', ...)", .nargs = -5, .time = NAN});
  CHECK(t != NULL && lungo_wait(t, PATIENCE) == LUNGO_OK && lungo_result(t, 0)->u.i == 0);
  CHECK(lungo_result(t, -1)->type == LUNGO_TNIL && lungo_result(t, INT_MAX)->type == LUNGO_TNIL);
  CHECK(lungo_error(t)[0] == '\0');
  lungo_release(t);
  t = lungo_start(rt, &(lungo_Job){.code = "chan():recv()"});
  CHECK(lungo_wait(t, 0) == LUNGO_TIMEOUT && lungo_nresults(t) == 0 && lungo_error(t)[0] == '\0');
  CHECK(lungo_result(t, 0)->type == LUNGO_TNIL);
  lungo_cancel(t);
  lungo_cancel(t);
  CHECK(lungo_wait(t, PATIENCE) == LUNGO_CANCELLED && lungo_wait(t, -1) == LUNGO_CANCELLED);
  lungo_release(t);
  CHECK(lungo_cancelall(rt, 1) == LUNGO_OK && lungo_cancelall(rt, 0) == LUNGO_OK);
}

static void test_nothing(void) { // as free(NULL)
  lungo_Value v = lungo_nil();
  lungo_release(NULL);
  lungo_chan_release(NULL);
  lungo_ref_release(NULL);
  lungo_clear(&v);
  lungo_clear(&v);
  CHECK(lungo_free(NULL, 1) == LUNGO_OK);
}

static void test_values(lungo_Runtime *rt) {
  lungo_Runtime *other = open_runtime();
  lungo_Chan *ch = lungo_chan(rt, 5), *foreign = lungo_chan(other, 1);
  lungo_Value v = lungo_nil(), got;
  CHECK(lungo_chan(rt, -1) == NULL);
  CHECK(lungo_send(ch, &v, 1) == LUNGO_ERROR);
  v = lungo_channel(foreign);
  CHECK(lungo_send(ch, &v, 1) == LUNGO_ERROR);
  v = lungo_string(NULL);
  CHECK(lungo_send(ch, &v, 1) == LUNGO_ERROR); // nil
  v = lungo_lstring(NULL, 0);
  CHECK(lungo_send(ch, &v, 1) == LUNGO_OK && lungo_recv(ch, &got, 1) == LUNGO_OK);
  CHECK(got.type == LUNGO_TSTRING && got.u.s.len == 0 && got.u.s.data[0] == '\0');
  lungo_clear(&got);
  lungo_clear(&got);
  v.type = (lungo_Type)77;
  CHECK(lungo_send(ch, &v, 1) == LUNGO_ERROR);
  CHECK(lungo_recv(ch, &got, 0) == LUNGO_TIMEOUT && got.type == LUNGO_TNIL);
  CHECK(lungo_recv(ch, &got, NAN) == LUNGO_TIMEOUT && got.type == LUNGO_TNIL);
  CHECK(lungo_close(ch) == LUNGO_OK && lungo_close(ch) == LUNGO_CLOSED);
  v = lungo_integer(1);
  CHECK(lungo_send(ch, &v, 1) == LUNGO_CLOSED && lungo_recv(ch, &got, 1) == LUNGO_CLOSED);
  lungo_chan_release(ch);
  lungo_chan_release(foreign);
  CHECK(lungo_free(other, 1) == LUNGO_OK);
}

static void notify(void *ud) { *(bool *)ud = true; }

static void test_after_free(void) {
  bool told = false;
  lungo_Runtime *rt = open_runtime();
  lungo_Chan *ch = lungo_chan(rt, 1);
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = "return print, chan()"});
  CHECK(lungo_wait(t, PATIENCE) == LUNGO_OK);
  lungo_Ref *ref = lungo_ref_retain(lungo_result(t, 0)->u.ref);
  lungo_Task *waits = lungo_start(rt, &(lungo_Job){.code = "chan():recv()"});
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
  lungo_Value v = lungo_integer(1);
  int r = lungo_wait(waits, -1);
  if (r != LUNGO_CANCELLED) fprintf(stderr, "%d %s\n", r, lungo_error(waits));
  CHECK(r == LUNGO_CANCELLED && strstr(lungo_error(waits), "cancelled") != NULL);
  CHECK(lungo_send(ch, &v, 1) == LUNGO_DEAD && lungo_recv(ch, &v, 1) == LUNGO_DEAD && lungo_close(ch) == LUNGO_DEAD);
  // An event loop is told that there is something to hear.
  struct pollfd fd = {.fd = lungo_chan_fd(ch), .events = POLLIN};
  CHECK(fd.fd >= 0 && poll(&fd, 1, 0) == 1);
  CHECK(lungo_chan_notify(ch, notify, &told) == LUNGO_OK && told);
  CHECK(lungo_recv(ch, &v, 0) == LUNGO_DEAD);
  lungo_cancel(t);
  lungo_cancel(waits);
  lungo_Chan *again = lungo_chan_retain(ch);
  lungo_chan_release(again);
  lungo_chan_release(ch);
  lungo_ref_release(ref);
  lungo_release(t);
  lungo_release(waits);
}

int main(void) {
  test_options();
  test_nothing();
  lungo_Runtime *rt = open_runtime();
  test_jobs(rt);
  test_values(rt);
  CHECK(lungo_free(rt, 1) == LUNGO_OK);
  test_after_free();
  puts("embed misuse ok");
  return 0;
}
