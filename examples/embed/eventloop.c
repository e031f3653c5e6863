// SPDX-License-Identifier: MIT
//
// A host with an event loop of its own (libuv): goroutines work meanwhile, and what they send arrives as an event. The
// loop's thread never waits for Lua.
//   cc eventloop.c $(pkg-config --cflags --libs lungo libuv)
#include <lungo.h>
#include <stdio.h>
#include <uv.h>

static lungo_Chan *results;
static int ticks;

// The descriptor is readable: take all there is.
static void on_result(uv_poll_t *handle, int status, int events) {
  lungo_Value v;
  int r;
  (void)status;
  (void)events;
  while ((r = lungo_recv(results, &v, 0)) == LUNGO_OK) {
    printf("%s\n", v.u.s.data);
    lungo_clear(&v);
  }
  if (r != LUNGO_TIMEOUT) uv_stop(handle->loop); // closed
}

static void on_tick(uv_timer_t *t) {
  (void)t;
  ticks++;
}

int main(void) {
  lungo_Runtime *rt = lungo_new(NULL, NULL, 0);
  results = lungo_chan(rt, 0);
  lungo_Value arg = lungo_channel(results);
  lungo_Job job = {.code = "local out = ...\n"
                           "for i = 1, 3 do\n"
                           "  time.sleep(0.02)\n"
                           "  out:send('result ' .. i)\n"
                           "end\n"
                           "out:close()",
                   .nargs = 1,
                   .args = &arg};
  uv_loop_t *loop = uv_default_loop();
  uv_poll_t poll;
  uv_timer_t timer;
  uv_poll_init(loop, &poll, lungo_chan_fd(results));
  uv_poll_start(&poll, UV_READABLE, on_result);
  uv_timer_init(loop, &timer);
  uv_timer_start(&timer, on_tick, 1, 1);
  lungo_Task *t = lungo_start(rt, &job);
  uv_run(loop, UV_RUN_DEFAULT);
  printf("%s\n", ticks > 5 ? "the loop went on" : "the loop stood still");
  uv_poll_stop(&poll);
  lungo_release(t);
  lungo_chan_release(results);
  return lungo_free(rt, 1);
}
