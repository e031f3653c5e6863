// SPDX-License-Identifier: MIT
//
// A pool of workers written in Lua, called from many threads of the host. All threads share one channel of requests;
// each has a channel of its own for answers, which the workers know by the number it was registered under.
//   cc workers.c $(pkg-config --cflags --libs lungo) -pthread
#include <lungo.h>
#include <pthread.h>
#include <stdio.h>

#define CLIENTS 4
#define REQUESTS 25

static lungo_Runtime *rt;
static lungo_Chan *requests, *replies[CLIENTS];

static const char pool[] = "local requests, replies = ..., table.pack(select(2, ...))\n"
                           "for i = 1, 8 do\n"
                           "  go(function()\n"
                           "    for req in requests do\n"
                           "      local client, n = req:match('^(%d+) (%d+)$')\n"
                           "      replies[tonumber(client)]:send(n * n)\n"
                           "    end\n"
                           "  end)\n"
                           "end\n";

static void *client(void *arg) {
  int me = (int)(long)arg;
  long long sum = 0;
  for (int i = 1; i <= REQUESTS; i++) {
    char text[40];
    snprintf(text, sizeof text, "%d %d", me + 1, i);
    lungo_Value v = lungo_string(text);
    if (lungo_send(requests, &v, 10) != LUNGO_OK || lungo_recv(replies[me], &v, 10) != LUNGO_OK) return (void *)-1L;
    sum += v.u.i;
  }
  return (void *)(long)sum;
}

int main(void) {
  pthread_t threads[CLIENTS];
  lungo_Value args[1 + CLIENTS];
  rt = lungo_new(NULL, NULL, 0);
  requests = lungo_chan(rt, 0);
  args[0] = lungo_channel(requests);
  for (int i = 0; i < CLIENTS; i++) args[1 + i] = lungo_channel(replies[i] = lungo_chan(rt, 1));
  lungo_Job job = {.code = pool, .nargs = 1 + CLIENTS, .args = args};
  lungo_Task *t = lungo_start(rt, &job);
  if (lungo_wait(t, 10) != LUNGO_OK) fprintf(stderr, "%s\n", lungo_error(t));
  lungo_release(t); // its goroutines go on
  for (long i = 0; i < CLIENTS; i++) pthread_create(&threads[i], NULL, client, (void *)i);
  for (int i = 0; i < CLIENTS; i++) {
    void *sum;
    pthread_join(threads[i], &sum);
    printf("client %d: %ld\n", i + 1, (long)sum);
  }
  lungo_close(requests);
  lungo_chan_release(requests);
  for (int i = 0; i < CLIENTS; i++) lungo_chan_release(replies[i]);
  return lungo_free(rt, 1);
}
