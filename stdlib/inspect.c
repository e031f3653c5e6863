// SPDX-License-Identifier: MIT
//
// inspect.c: looking into values that Lua's own interface shows from outside only: channels and bytecode; and hints.
//
// What:       the functions of lungo.h that a prompt or a debugger asks for what is behind a value.
// See also:   lungo.h; cli/repl_value.c and cli/repl_command.c, which show it. Tests: tests/unit/interrupt_test.c.
#include "api_int.h"
#include "chan.h"
#include "hint.h"
#include "lungo.h"
#include "lungolib.h"
#include "compile.h"
#include <stdlib.h>

static size_t count_live(const WaitQ *q) {
  size_t n = 0;
  for (const Waiter *w = q->head; w != NULL; w = w->next)
    n += !w->is_select || atomic_load_explicit(&w->g->selectdone, memory_order_relaxed) == 0;
  return n;
}

LUA_API int lungo_chaninfo(lua_State *L, int idx, lungo_Chaninfo *out) {
  int dirs = 0;
  if (lua_type(L, idx) != LUA_TUSERDATA) return 0;
  Chan *c = chan_of(lib_arg(L, lua_absindex(L, idx)), &dirs);
  if (c == NULL) return 0;
  *out = (lungo_Chaninfo){.type = elem_names[c->elem], .cap = c->cap};
  out->cansend = (dirs & CHAN_CANSEND) != 0;
  out->canrecv = (dirs & CHAN_CANRECV) != 0;
  chan_lock(c);
  out->len = c->count;
  out->closed = c->closed;
  out->senders = count_live(&c->sendq);
  out->receivers = count_live(&c->recvq);
  chan_unlock(c);
  return 1;
}

LUA_API int lungo_hint(lua_State *L, const char *msg, char *buf, size_t size) {
  return hint_name(L, msg, strlen(msg), buf, size);
}

static int push_listing(lua_State *L) {
  lua_pushstring(L, *(char *const *)lua_touserdata(L, 1));
  return 1;
}

// The text is made outside of Lua's memory, so it must be freed whatever happens to its copy.
LUA_API int lungo_disassemble(lua_State *L, int idx) {
  char *text = NULL;
  size_t len;
  if (lua_type(L, idx) != LUA_TFUNCTION || lua_iscfunction(L, idx)) return 0;
  FILE *out = open_memstream(&text, &len);
  if (out == NULL) return luaL_error(L, "not enough memory");
  opcodes_print(out, v_lcl(lib_arg(L, lua_absindex(L, idx)))->p, true);
  fclose(out);
  lua_pushcfunction(L, push_listing);
  lua_pushlightuserdata(L, &text);
  int status = lua_pcall(L, 1, 1, 0);
  free(text);
  if (status != LUA_OK) lua_error(L);
  return 1;
}
