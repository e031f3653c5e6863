// SPDX-License-Identifier: MIT
//
// sync_nomem_test.c: what sync objects look like after memory ran out in one of their operations: as before it.
#include "lungo.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static _Atomic bool refusing;

// Accounts for nothing, but says no to every request while `refusing`.
static void *alloc(void *ud, void *p, size_t osize, size_t nsize) {
  (void)osize;
  if (nsize == 0) {
    free(p);
    return NULL;
  }
  return *(_Atomic bool *)ud ? NULL : realloc(p, nsize);
}

static int refuse(lua_State *L) {
  if (lua_toboolean(L, 1)) luaL_checkstack(L, 500, NULL); // the calls themselves should need no memory
  refusing = lua_toboolean(L, 1);
  return 0;
}

// Goroutines are started until there is no memory for another one. All that were made end, and nothing else is counted.
static const char code[] =
    "local function fill(start)\n"
    "  local n = 0\n"
    "  local function wait() end\n" // needs no memory either
    "  pcall(start, wait)\n"        // nor frames
    "  refuse(true)\n"
    "  local ok, err\n"
    "  repeat ok, err = pcall(start, wait) n = n + 1 until not ok or n > 1e6\n"
    "  refuse(false)\n"
    "  assert(not ok and err == 'not enough memory', err)\n"
    "end\n"
    "local wg = sync.waitgroup()\n"
    "fill(function(f) wg:go(f) end)\n"
    "wg:wait()\n"
    "local g = sync.errgroup()\n"
    "g:setlimit(1 << 40)\n"
    "fill(function(f) g:go(f) end)\n"
    "assert(g:wait())\n"
    "g:setlimit(1)\n" // an error if a unit was lost
    "g:go(function() end)\n"
    "assert(g:wait())\n"
    "local parent, cancel = context.withcancel(context.background())\n"
    "local kids = {}\n"
    "fill(function() local c = context.withtimeout(parent, 60) c:done() kids[#kids + 1] = c end)\n"
    "cancel()\n"
    "for _, c in ipairs(kids) do assert(c:err() == 'context canceled') end\n"
    "collectgarbage()\n";

int main(void) {
  lua_State *L = lua_newstate(alloc, &refusing); // an allocator without user data is not asked
  lungo_openlibs(L);
  lua_register(L, "refuse", refuse);
  lungo_maxprocs(L, 1); // so that the goroutines pile up
  if (luaL_loadstring(L, code) != LUA_OK || lungo_run(L, 0, 0, LUNGO_PANIC) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    return 1;
  }
  lua_close(L);
  return 0;
}
