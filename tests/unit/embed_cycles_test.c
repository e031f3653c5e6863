// SPDX-License-Identifier: MIT
//
// embed_cycles_test.c: runtimes made, used and freed ten thousand times: nothing is left behind, neither in the eyes of
// the system (resident memory) nor, under the address sanitizer, in those of its leak detection.
// Usage: embed_cycles_test [cycles]   prints how long lungo_new and lungo_free take
#include "lungo.h"
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))
#define WARM 500       // cycles until the C library's caches and arenas are what they will be
#define GROWTH_KB 2048 // what a leak of 200 bytes a cycle would come to

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#define CYCLES 10000
#elif defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#define CYCLES 300
#else
#define SANITIZED 0
#define CYCLES 10000
#endif

static double now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static long resident_kb(void) {
  long all, resident;
  FILE *f = fopen("/proc/self/statm", "r");
  CHECK(f != NULL && fscanf(f, "%ld %ld", &all, &resident) == 2);
  fclose(f);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void use(lungo_Runtime *rt, int i) {
  static const char *const scripts[] = {"local c = chan() go(function() c:send({}) end) return c:recv()", "error('x')",
                                        "go(function() chan():recv() end) time.sleep(100)",
                                        "return ('x'):rep(100), chan(), print"};
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = scripts[i % 4]});
  lungo_Chan *ch = lungo_chan(rt, 1);
  lungo_Value v = lungo_string("left in the channel");
  CHECK(t != NULL && ch != NULL && lungo_send(ch, &v, 10) == LUNGO_OK);
  if (i % 4 != 2) CHECK(lungo_wait(t, 20) != LUNGO_TIMEOUT);
  if (i % 3 == 0) CHECK(lungo_chan_fd(ch) >= 0);
  lungo_chan_release(ch);
  lungo_release(t);
}

static int larger(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  int n = argc > 1 ? atoi(argv[1]) : CYCLES;
  double *made = calloc((size_t)n, sizeof *made), *freed = calloc((size_t)n, sizeof *freed);
  long before = 0;
  lungo_Options o;
  lungo_defaults(&o);
  o.processors = 2;
  CHECK(made != NULL && freed != NULL);
  for (int i = 0; i < n; i++) {
    if (i == WARM) before = resident_kb();
    o.memory = i % 2 ? 64 << 20 : 0;
    o.flags = i % 2 ? LUNGO_SANDBOX : 0;
    double begin = now();
    lungo_Runtime *rt = lungo_new(&o, NULL, 0);
    CHECK(rt != NULL);
    made[i] = now() - begin;
    if (i % 8 < 4) use(rt, i);
    begin = now();
    CHECK(lungo_free(rt, 20) == LUNGO_OK);
    freed[i] = now() - begin;
  }
  long grown = n > WARM ? resident_kb() - before : 0;
  qsort(made, (size_t)n, sizeof *made, larger);
  qsort(freed, (size_t)n, sizeof *freed, larger);
  if (argc > 1)
    printf("lungo_new: half within %.3f ms, 99%% within %.3f; lungo_free: %.3f, %.3f; resident memory grew by %ld KB\n",
           made[n / 2] * 1e3, made[n * 99 / 100] * 1e3, freed[n / 2] * 1e3, freed[n * 99 / 100] * 1e3, grown);
  free(made);
  free(freed);
  if (!SANITIZED && grown > GROWTH_KB) fprintf(stderr, "resident memory grew by %ld KB\n", grown);
  CHECK(SANITIZED || grown <= GROWTH_KB);
  puts("embed cycles ok");
  return 0;
}
