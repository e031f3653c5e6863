// SPDX-License-Identifier: MIT
//
// section.h: what breaks in a C module that two threads run at once: a static counter that is changed slowly, by plain
// reads and writes, and a flag that says that somebody is in the middle of it.
#ifndef LUNGO_TESTS_SECTION_H
#define LUNGO_TESTS_SECTION_H

#include <lauxlib.h>
#include <lua.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

static int inside;
static long long counter;

static void enter(const char *where) {
  if (inside) {
    fprintf(stderr, "two threads are inside the module (%s)\n", where);
    abort();
  }
  inside = 1;
}

static void leave(void) { inside = 0; }

// counter += n, so slowly that another thread would come in between. Gives the CPU away every now and then, as a test
// may have only one.
static void slowly_add(const char *where, long long n) {
  static unsigned calls;
  enter(where);
  long long old = counter;
  for (volatile int i = 0; i < 200; i++) {
  }
  if (++calls % 16 == 0) sched_yield();
  counter = old + n;
  leave();
}

#endif
