// SPDX-License-Identifier: MIT
//
// hint.c: the line `hint: ...` after a report, when a common mistake is recognised.
//
// What:       at a deadlock, what the goroutines wait for tells some mistakes from others: a send that nobody is left
// to
//             receive, a loop over a channel that nobody is left to close, and so on. After `attempt to call a nil
//             value (global 'pirnt')`, the global name that is nearest.
// Invariants: a hint is certain or there is none: where goroutines wait for things of different kinds, we say nothing.
//             Needs no memory of its own.
// Locking:    hint_deadlock: the world is stopped. hint_name: as any reader of the table of globals.
// Callers:    report.c, stdlib/inspect.c.
#include "hint.h"
#include "call.h"
#include "chan.h"
#include "dbg.h"
#include "meta.h"
#include "opcodes.h"
#include "sync.h"
#include "table.h"
#include <lauxlib.h>

// ---- deadlocks ---------------------------------------------------------------------------------------------------

typedef struct Survey {
  int n;                   // goroutines
  int sends, recvs, waits; // of them in a send, in a receive, in WaitGroup.Wait
  const G *any, *loop;     // one of them; one that waits in `for v in ch`
  const G *nil;            // the main one, if it waits on a nil channel
} Survey;

// Whether the goroutine is in a generic for that receives: called by the loop, not by code of its body.
static bool is_loop(const G *g) {
  const CallInfo *ci = g->cur->ci;
  if (!ci_isLua(ci)) ci = ci->prev;
  if (ci == NULL || !ci_isLua(ci) || ci->func->tag != TAG_LCL) return false;
  return INSTR_OP(ci->u.l.pc[-1]) == OP_TFORCALL;
}

static void survey(G *g, void *arg) {
  Survey *s = arg;
  if (g->is_system) return;
  s->n++;
  s->any = g;
  switch (g->reason) {
  case WAIT_CHAN_SEND: s->sends++; break;
  case WAIT_CHAN_RECV:
    s->recvs++;
    if (is_loop(g)) s->loop = g;
    break;
  case WAIT_WAITGROUP: s->waits++; break;
  case WAIT_CHAN_SEND_NIL:
  case WAIT_CHAN_RECV_NIL:
    if (g->is_main) s->nil = g;
    break;
  default: break;
  }
}

static bool hint_send(const Survey *s, char *buf, size_t size) {
  const Chan *c = s->any->w.obj;
  if (s->n > 1)
    snprintf(buf, size, "every goroutine that is left sends, and none is left to receive");
  else if (c->cap > 0)
    snprintf(buf, size, "the channel's buffer of %u is full, and no other goroutine is left to receive",
             (unsigned)c->cap);
  else
    snprintf(buf, size,
             "a send on an unbuffered channel waits until another goroutine receives, and none is left; "
             "start the receiver with go before, or give the channel a buffer");
  return true;
}

static bool hint_alone(const G *g, char *buf, size_t size) {
  switch (g->reason) {
  case WAIT_CHAN_RECV:
    snprintf(buf, size, "no goroutine is left that could send on this channel or close it");
    return true;
  case WAIT_WAITGROUP:
    snprintf(buf, size,
             "the WaitGroup's counter is %u, and no goroutine is left that could call done; wg:go(f) counts by itself",
             (unsigned)(atomic_load(&((WaitGroup *)g->w.obj)->state) >> 32));
    return true;
  case WAIT_MUTEX:
    snprintf(
        buf, size,
        "the mutex is locked already, and no other goroutine is left to unlock it; a goroutine cannot lock it twice");
    return true;
  default: return false;
  }
}

bool hint_deadlock(Runtime *rt, char *buf, size_t size) {
  Survey s = {0};
  g_each(rt, survey, &s);
  if (s.n == 0) return false;
  if (s.nil != NULL) {
    snprintf(buf, size, "goroutine %lld uses a channel that is nil, which blocks for ever", (long long)s.nil->id);
    return true;
  }
  if (s.sends == s.n) return hint_send(&s, buf, size);
  if (s.loop != NULL && s.recvs + s.waits == s.n) {
    snprintf(buf, size,
             "the loop of goroutine %lld ends when its channel is closed, and no goroutine is left to send or close",
             (long long)s.loop->id);
    return true;
  }
  return s.n == 1 && hint_alone(s.any, buf, size);
}

// ---- names that do not exist ---------------------------------------------------------------------------------------

#define NAME_MAX_LEN 40

static int least(int a, int b) { return a < b ? a : b; }

// Insertions, deletions, changes and swaps of neighbours that make b of a (restricted Damerau-Levenshtein).
static int distance(const char *a, int la, const char *b, int lb) {
  int d[3][NAME_MAX_LEN + 1]; // three rows, used in turn
  for (int j = 0; j <= lb; j++) d[0][j] = j;
  for (int i = 1; i <= la; i++) {
    int *row = d[i % 3], *above = d[(i + 2) % 3], *before = d[(i + 1) % 3];
    row[0] = i;
    for (int j = 1; j <= lb; j++) {
      row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = least(row[j], before[j - 2] + 1);
    }
  }
  return d[la % 3][lb];
}

typedef struct Search {
  const char *name;
  int len;
  bool call; // else it was indexed
  int best;
  char found[NAME_MAX_LEN + 1];
} Search;

// Equally near ones: the first in the alphabet, so that the report is always the same.
static void consider(Search *s, const String *key) {
  if (key->len == 0 || key->len > NAME_MAX_LEN) return;
  int d = distance(s->name, s->len, key->data, (int)key->len);
  if (d > s->best || (d == s->best && s->found[0] != '\0' && strcmp(key->data, s->found) > 0)) return;
  s->best = d;
  memcpy(s->found, key->data, key->len + 1);
}

static void search_globals(lua_State *L, void *arg) {
  Search *s = arg;
  Value key, val, at = {.tag = TAG_NIL};
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  Table *globals = v_table(L->top - 1);
  while (table_next(L, globals, &at, &key, &val) > 0) {
    v_copy(&at, &key);
    if (v_isstring(&key) && (s->call ? v_isfunction(&val) : v_istable(&val))) consider(s, v_str(&key));
  }
}

bool hint_name(lua_State *L, const char *msg, size_t len, char *buf, size_t size) {
  static const char call[] = "attempt to call a nil value (global '",
                    index[] = "attempt to index a nil value (global '";
  char name[NAME_MAX_LEN + 1];
  const char *at = memmem(msg, len, call, sizeof call - 1), *end = msg + len;
  Search s = {.name = name, .call = at != NULL};
  if (at == NULL) at = memmem(msg, len, index, sizeof index - 1);
  if (at == NULL) return false;
  at += s.call ? sizeof call - 1 : sizeof index - 1;
  while (at + s.len < end && at[s.len] != '\'' && s.len < NAME_MAX_LEN) s.len++;
  if (at + s.len + 2 != end || memcmp(at + s.len, "')", 2) != 0 || s.len < 3) return false;
  memcpy(name, at, (size_t)s.len);
  s.best = s.len <= 4 ? 1 : 2;
  ptrdiff_t top = stack_save(L, L->top);
  if (stack_trygrow(L, LUA_MINSTACK)) vm_rawprotected(L, search_globals, &s);
  L->top = stack_restore(L, top);
  if (s.found[0] == '\0') return false;
  snprintf(buf, size, "did you mean '%s'?", s.found);
  return true;
}
