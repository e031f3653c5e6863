// SPDX-License-Identifier: MIT
//
// embed_giveback_test.c: a goroutine that is ended while it waits, or between its waking and its running, takes nothing
// with it: what it was given goes to the next who waits for it, and it leaves every queue that it stood in.
// Protects: sync.c (sync_giveback), select.c (select_leave), interrupt.c (calloff), synclib.c (cond_wait).
#include "lungo.h"
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), exit(1)))

static lungo_Task *victim;

// Called by a goroutine that has just woken the victim's: on one processor that has not run since.
static int cancel_victim(lua_State *L) {
  (void)L;
  lungo_cancel(victim);
  return 0;
}

static int setup(lua_State *L) {
  lua_register(L, "cancel_victim", cancel_victim);
  return 0;
}

static lungo_Runtime *open_runtime(int procs) {
  lungo_Options o;
  lungo_defaults(&o);
  o.processors = procs;
  o.setup = setup;
  lungo_Runtime *rt = lungo_new(&o, NULL, 0);
  CHECK(rt != NULL);
  return rt;
}

static lungo_Task *start(lungo_Runtime *rt, const char *code) {
  lungo_Task *t = lungo_start(rt, &(lungo_Job){.code = code});
  CHECK(t != NULL);
  return t;
}

static void end(lungo_Task *t, int status, const char *what) {
  int r = lungo_wait(t, 20);
  if (r != status) fprintf(stderr, "%s: %d %s\n", what, r, lungo_error(t));
  CHECK(r == status);
  lungo_release(t);
}

// `hold` and `wake` are one run; `victim` waits in another, and `next` in a third behind it.
static const struct Case {
  const char *name, *hold, *victim, *next, *wake;
} cases[] = {
    {"mutex", "o = sync.mutex() o:lock()", "o:lock()", "o:lock() o:unlock()", "o:unlock()"},
    {"mutex, handed over", "o = sync.mutex() o:lock()", "o:lock()", "o:lock() o:unlock()",
     "o:unlock() o:lock() time.sleep(0.003) o:unlock()"},
    {"mutex, nested", "o = sync.mutex() o:lock()", "table.sort({2, 1}, function() o:lock() end)", "o:lock() o:unlock()",
     "o:unlock()"},
    {"writer", "o = sync.rwmutex() o:lock()", "o:lock()", "o:lock() o:unlock()", "o:unlock()"},
    {"reader", "o = sync.rwmutex() o:lock()", "o:rlock()", "o:lock() o:unlock()", "o:unlock()"},
    {"semaphore", "o = sync.semaphore(3) o:acquire(3)", "o:acquire(2)", "o:acquire(3)", "o:release(3)"},
    {"semaphore and context", "ctx, stop = context.withcancel(context.background()) o = sync.semaphore(3) o:acquire(3)",
     "o:acquire(2, ctx)", "o:acquire(3)", "o:release(3)"},
    {"condition", "m = sync.mutex() o = sync.cond(m)", "m:lock() o:wait()", "m:lock() o:wait() m:unlock()",
     "m:lock() o:signal() m:unlock()"},
};

static void test_case(const struct Case *c) {
  lungo_Runtime *rt = open_runtime(1);
  char code[600];
  snprintf(code, sizeof code,
           "%s waiting = 0 while waiting < 2 do time.sleep(0.001) end time.sleep(0.002) %s "
           "cancel_victim()",
           c->hold, c->wake);
  lungo_Task *holder = start(rt, code);
  snprintf(code, sizeof code, "while not waiting do time.sleep(0.001) end waiting = 1 %s", c->victim);
  victim = start(rt, code);
  snprintf(code, sizeof code, "while waiting ~= 1 do time.sleep(0.001) end time.sleep(0.001) waiting = 2 %s return 1",
           c->next);
  lungo_Task *next = start(rt, code);
  end(holder, LUNGO_OK, c->name);
  end(victim, LUNGO_CANCELLED, c->name);
  end(next, LUNGO_OK, c->name);
  end(start(rt, "if stop then stop() end collectgarbage() collectgarbage()"), LUNGO_OK, c->name);
  CHECK(lungo_free(rt, 5) == LUNGO_OK);
}

// A waiter stands in two queues; it leaves both.
static void test_context(void) {
  lungo_Runtime *rt = open_runtime(1);
  end(start(rt, "ctx, stop = context.withcancel(context.background()) o = sync.semaphore(1) o:acquire(1)"), LUNGO_OK,
      "context");
  for (int i = 0; i < 20; i++) {
    victim = start(rt, "n = (n or 0) + 1 o:acquire(1, ctx)");
    char code[100];
    snprintf(code, sizeof code, "while (n or 0) <= %d do time.sleep(0.0005) end time.sleep(0.0005)", i);
    end(start(rt, code), LUNGO_OK, "context");
    lungo_cancel(victim);
    end(victim, LUNGO_CANCELLED, "context");
  }
  end(start(rt, "collectgarbage() collectgarbage() local t = {} for i = 1, 5000 do t[i] = ('x'):rep(i % 200) .. i end "
                "stop() o:release(1) o:acquire(1)"),
      LUNGO_OK, "context");
  CHECK(lungo_free(rt, 5) == LUNGO_OK);
}

// A wait that never came to be, because unlock failed or was ended, does not swallow a signal.
static void test_locker(void) {
  lungo_Runtime *rt = open_runtime(1);
  end(start(rt, "locked = {lock = function() end, unlock = function() if fail then error('no') end end} "
                "o = sync.cond(locked) fail = true assert(not pcall(o.wait, o)) fail = false"),
      LUNGO_OK, "locker");
  lungo_Task *next = start(rt, "waiting = true o:wait()");
  end(start(rt, "while not waiting do time.sleep(0.001) end time.sleep(0.001) o:signal()"), LUNGO_OK, "locker");
  end(next, LUNGO_OK, "locker");
  CHECK(lungo_free(rt, 5) == LUNGO_OK);
}

// Woken by one of its channels, it leaves the queues of the others; and nothing of it is left that the collector, or
// the next goroutine in its place, could stumble over.
static void test_select(bool nested) {
  lungo_Runtime *rt = open_runtime(1);
  end(start(rt, "a, b, c, d = chan(), chan(), chan(), chan()"), LUNGO_OK, "select");
  for (int i = 0; i < 10; i++) {
    end(start(rt, "waiting = false"), LUNGO_OK, "select");
    victim =
        start(rt, nested ? "waiting = true table.sort({2, 1}, function() select{{recv = a}, {send = c, value = {}}, "
                           "{recv = b}} end)"
                         : "waiting = true select{{recv = a}, {send = c, value = {}}, {recv = b}}");
    end(start(rt, "while not waiting do time.sleep(0.0005) end time.sleep(0.0005) a:send({}) cancel_victim()"),
        LUNGO_OK, "select");
    end(victim, LUNGO_CANCELLED, "select");
    lungo_Task *heir = start(rt, "select{{recv = d}, {recv = d}, {recv = d}}"); // has the victim's place
    end(start(rt, "time.sleep(0.001) assert(not a:trysend(1) and not b:trysend(1)) local v, ok, ready = c:tryrecv() "
                  "assert(not ready) d:send(1)"),
        LUNGO_OK, "select");
    end(heir, LUNGO_OK, "select");
  }
  end(start(rt,
            "local n, wg = 0, sync.waitgroup() for i = 1, 60 do wg:go(function() select{{recv = a}, {recv = b}} n = n "
            "+ 1 end) end time.sleep(0.002) collectgarbage() for i = 1, 30 do a:send({}) b:send({}) end wg:wait() "
            "assert(n == 60)"),
      LUNGO_OK, "select");
  CHECK(lungo_free(rt, 5) == LUNGO_OK);
}

int main(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) test_case(&cases[i]);
  test_context();
  test_locker();
  test_select(false);
  test_select(true);
  puts("embed giveback ok");
  return 0;
}
