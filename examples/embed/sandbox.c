// SPDX-License-Identifier: MIT
//
// A host of untrusted plug-ins: no files, nothing shared to spoil, and limits that a script cannot evade.
//   cc sandbox.c $(pkg-config --cflags --libs lungo)
#include <lungo.h>
#include <stdio.h>

static const char *const plugins[] = {
    "return 'honest'",
    "while true do pcall(function() while true do end end) end",
    "local function f() go(f) go(f) end f() chan():recv()",
    "return string.find(('a'):rep(40), ('a-'):rep(40) .. 'b')",
    "string.rep = function() return 'spoilt' end",
    "return io and 'can write files' or 'has no files'",
    "return ('x'):rep(3)",
    "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
};

int main(void) {
  static const char *const names[] = {"ok", "error", "timeout", "closed", "cancelled", "limit", "dead", "no memory", "stuck"};
  lungo_Options o;
  lungo_defaults(&o);
  o.libs = LUNGO_LIB_SAFE;
  o.flags = LUNGO_SANDBOX;
  o.memory = 16 << 20;
  o.time = 0.3;
  o.goroutines = 1000;
  o.finalizer_time = 0.01;
  char err[200];
  lungo_Runtime *rt = lungo_new(&o, err, sizeof err);
  if (rt == NULL) {
    fprintf(stderr, "%s\n", err);
    return 1;
  }
  for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++) {
    lungo_Job job = {.code = plugins[i], .name = "=plugin"};
    lungo_Task *t = lungo_start(rt, &job);
    int r = lungo_wait(t, 5);
    printf("%zu %s", i + 1, names[r]);
    if (lungo_result(t, 0)->type == LUNGO_TSTRING) printf(": %s", lungo_result(t, 0)->u.s.data);
    printf("\n");
    lungo_release(t);
    lungo_cancelall(rt, 5);
  }
  return lungo_free(rt, 1);
}
