// SPDX-License-Identifier: MIT
//
// embed_hostile_test.c: hostile scripts under limits: each is stopped soon after its limit, and the runtime goes on.
//
// Usage: embed_hostile_test [rounds [kind [text]]]   kind: small, big, instructions, memory, memory64; text: part of a
// script. With rounds it prints for each script the worst delay of so many runs, in milliseconds: by the clock until
// the host is told; of this, what the process can have worked (the difference is the load of the machine); and by the
// clock until the last goroutine of the run is gone. Without, each script runs once, and only seconds are too late,
// because the machine may be busy with anything.
#include "hub.h"
#include "hostile_scripts.h"
#include "lungo.h"
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))
#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define BAR 0.05    // seconds after its limit at which a run must be over
#define PATIENCE 60 // seconds: then it will never be
#define LOOK 0.0005 // seconds between looks for limits that have no time of their own

static double clock_of(clockid_t id) {
  struct timespec ts;
  clock_gettime(id, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static double now(void) { return clock_of(CLOCK_MONOTONIC); }
static double cpu(void) { return clock_of(CLOCK_PROCESS_CPUTIME_ID); }

static void discard(void *ud, const char *text, size_t len) {
  (void)ud;
  (void)text;
  (void)len;
}

static void ignore(void *ud, const char *text) {
  (void)ud;
  (void)text;
}

// ---- kinds of limits ----------------------------------------------------------------------------------------------

// Scripts that keep all they make, in one goroutine: it ends with an error when memory does. (Others may catch the
// error, or have it in other goroutines while the first goes on: then it is time that ends them.)
static const char *const greedy[] = {
    "local t = {} while true do t[#t + 1] = {} end",
    "local t = {} while true do t = {t} end",
    "local t = {} while true do t[#t + 1] = ('x'):rep(100) .. #t end",
    "local t = {} for i = 1, math.huge do t['k' .. i] = i end",
    "local t = {} for i = 1, math.huge do t[i] = i end",
    "local s = 'x' while true do s = s .. s end",
    "local t = {} while true do t[#t + 1] = function() return t end end",
    "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
    "local t = {} while true do t[#t + 1] = chan(1000) end",
    "local function f(n) local t = {n} return f(n + 1) .. t[1] end f(1)",
    "local t = {} while true do t[#t + 1] = assert(load('return ' .. ('x+'):rep(1000) .. '1')) end",
    "local t = {} for i = 1, 1e5 do t[i] = ('x'):rep(1000) end while true do t[#t + 1] = table.concat(t) end",
    "local m = sync.map() for i = 1, math.huge do m:store(i, i) end",
    "local c = context.background() while true do c = context.withvalue(c, 1, 1) end",
    "local t = {} while true do t[#t + 1] = time.after(1000) end",
    "load(('x = {1, 2, 3} '):rep(1 << 20))",
    "local t = {} for i = 1, 1e6 do t[i] = 'x' .. i end return ('x'):rep(1 << 22, table.concat(t))",
};

typedef struct Kind {
  const char *name;
  size_t memory;
  double time;
  long long instructions;
  int goroutines;
  const char *const *scripts;
  size_t n, every; // of a short test, only each such script
} Kind;

static const Kind kinds[] = {
    {"small", 64 << 20, 0.02, 0, 10000, hostile, COUNT(hostile), 1},
    {"big", 512 << 20, 0.1, 0, 0, hostile_big, COUNT(hostile_big), 8},
    {"instructions", 64 << 20, 1, 1000000, 10000, hostile, COUNT(hostile), 12},
    {"memory", 16 << 20, 0, 0, 0, greedy, COUNT(greedy), 1},
    {"memory64", 64 << 20, 0, 0, 0, greedy, COUNT(greedy), 4},
};

static lungo_Runtime *open_runtime(const Kind *k, int procs) {
  lungo_Options o;
  char err[200] = "";
  lungo_defaults(&o);
  o.processors = procs;
  o.memory = k->memory;
  o.libs = LUNGO_LIB_SAFE;
  o.flags = LUNGO_SANDBOX;
  o.time = k->time;
  o.instructions = k->instructions;
  o.goroutines = k->goroutines;
  o.finalizer_time = 0.02;
  o.output = discard;
  o.panic = ignore;
  lungo_Runtime *rt = lungo_new(&o, err, sizeof err);
  if (rt == NULL) fprintf(stderr, "%s\n", err);
  CHECK(rt != NULL);
  return rt;
}

// ---- one run ------------------------------------------------------------------------------------------------------

// The host goes on: an honest run is served.
static void check_alive(lungo_Runtime *rt, const char *after) {
  lungo_Task *t = NULL;
  for (int i = 0; i < 100; i++) { // memory of the last run may still have to be collected
    t = lungo_start(rt, &(lungo_Job){.code = "local c = chan() go(function() c:send(1) end) return c:recv()",
                                     .time = 5,
                                     .instructions = -1});
    CHECK(t != NULL);
    int r = lungo_wait(t, PATIENCE);
    if (r == LUNGO_OK) break;
    if (r != LUNGO_ERROR) fprintf(stderr, "after %s: %d %s\n", after, r, lungo_error(t));
    CHECK(r == LUNGO_ERROR && i < 99);
    lungo_release(t);
  }
  lungo_release(t);
}

typedef struct Late { // seconds from the limit
  double told;        // until the host knows
  double work;        // of this, what the process can have worked
  double gone;        // until no goroutine is left
} Late;

static bool has_hit(lungo_Runtime *rt, const Kind *k) {
  bool hit = k->time == 0 && atomic_load(&rt->memory_used) + (1 << 18) >= k->memory;
  lock(&rt->lk);
  for (Group *gr = rt->groups; gr != NULL; gr = gr->next) hit |= !gr->internal && atomic_load(&gr->kill) > 0;
  unlock(&rt->lk);
  return hit;
}

typedef struct Moment {
  double clock, work;
} Moment;

static Moment at(double clock) { return (Moment){.clock = clock, .work = cpu()}; }

// Until the run reaches its limit, or ends. Returns when that was. Memory may be at its limit because of garbage that a
// collection finds: the last time that it came there counts.
static Moment wait_limit(lungo_Runtime *rt, const Kind *k, lungo_Task *t, double begin) {
  if (k->time > 0 && k->instructions == 0) {
    lungo_wait(t, k->time);
    return at(begin + k->time);
  }
  Moment limit = at(now());
  while (lungo_wait(t, LOOK) == LUNGO_TIMEOUT) {
    bool hit = has_hit(rt, k);
    if (hit && k->time > 0) return at(now());
    if (!hit) limit = at(now());
    CHECK(now() - begin < PATIENCE);
  }
  return limit;
}

static Late one(lungo_Runtime *rt, const Kind *k, int procs, const char *code) {
  double begin = now();
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = code, .name = "=hostile"});
  CHECK(t != NULL);
  Moment limit = wait_limit(rt, k, t, begin);
  int r = lungo_wait(t, PATIENCE);
  Late late = {.told = now() - limit.clock, .work = (cpu() - limit.work) / procs};
  // On a busy machine a copy of many megabytes may outlast the patience for C functions; but it ends, too.
  bool ended = r == LUNGO_LIMIT || r == LUNGO_OK || r == LUNGO_ERROR || r == LUNGO_STUCK;
  if (!ended) fprintf(stderr, "%s: %d %s\n", code, r, lungo_error(t));
  CHECK(ended);
  lungo_cancel(t); // where memory was the limit, others of its goroutines may go on
  CHECK(lungo_cancelall(rt, PATIENCE) == LUNGO_OK);
  late.gone = now() - limit.clock;
  lungo_release(t);
  return late;
}

// ---- many ---------------------------------------------------------------------------------------------------------

static double larger(double a, double b) { return a > b ? a : b; }

// The first run is on `procs` processors, 1 or 2; the next on the other number, and so on.
static void run_script(const Kind *k, const char *code, int procs, int rounds, double most) {
  Late worst = {0, 0, 0};
  int late = 0, ours = 0, stay = 0;
  lungo_Runtime *rt[3] = {NULL};
  for (int i = 0; i < rounds; i++, procs = 3 - procs) {
    if (rt[procs] == NULL) rt[procs] = open_runtime(k, procs);
    Late l = one(rt[procs], k, procs, code);
    worst = (Late){larger(worst.told, l.told), larger(worst.work, l.work), larger(worst.gone, l.gone)};
    late += l.told > BAR;
    ours += l.work > BAR;
    stay += l.gone > BAR;
    if (i >= rounds - 2) check_alive(rt[procs], code);
  }
  if (rounds > 2)
    printf("%-12s told %6.1f, %3d late; work %6.1f, %3d; gone %6.1f, %3d of %d: %s\n", k->name, worst.told * 1e3, late,
           worst.work * 1e3, ours, worst.gone * 1e3, stay, rounds, code);
  fflush(stdout);
  if (worst.told > most) fprintf(stderr, "%s: stopped %.1f ms late\n", code, worst.told * 1e3);
  CHECK(worst.told <= most);
  for (int i = 1; i < 3; i++) CHECK(rt[i] == NULL || lungo_free(rt[i], 5) == LUNGO_OK);
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 0;
  for (size_t i = 0; i < COUNT(kinds); i++) {
    const Kind *k = &kinds[i];
    if (argc > 2 && strcmp(argv[2], k->name) != 0) continue;
    for (size_t j = 0; j<k->n; j += rounds> 0 ? 1 : k->every)
      if (argc <= 3 || strstr(k->scripts[j], argv[3]) != NULL)
        run_script(k, k->scripts[j], 1 + (int)(j % 2), rounds > 0 ? rounds : 1, rounds > 0 ? 1e9 : 10);
  }
  puts("embed hostile ok");
  return 0;
}
