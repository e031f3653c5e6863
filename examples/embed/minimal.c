// SPDX-License-Identifier: MIT
//
// The smallest host: a runtime, a script with a goroutine, its result.
//   cc minimal.c $(pkg-config --cflags --libs lungo)
#include <lungo.h>
#include <stdio.h>

int main(void) {
  lungo_Runtime *rt = lungo_new(NULL, NULL, 0);
  lungo_Job job = {.code = "local c = chan() go(function() c:send(6 * 7) end) return c:recv()"};
  lungo_Task *t = lungo_start(rt, &job);
  if (lungo_wait(t, 5) == LUNGO_OK) printf("%lld\n", (long long)lungo_result(t, 0)->u.i);
  else fprintf(stderr, "%s\n", lungo_error(t));
  lungo_release(t);
  return lungo_free(rt, 1);
}
