// SPDX-License-Identifier: MIT
//
// embed.c: runtimes for host programs: lungo_new, lungo_free, and runs (lungo_start, lungo_wait, ...).
//
// What:       lungo_new makes a universe on the calling thread, opens libraries, and leaves it to its workers:
//             goroutine 1 stays in a blocking region until lungo_free comes back for it. A run is a Group whose first
//             goroutine the courier starts.
// Invariants: a Task has two owners, the host's handle and the run's first goroutine (or the request that is to start
//             it); its results are written before `done` is set, and never after.
//             What READONLY freezes is shared by all runs; what a run may write is its own table of globals.
// See also:   lungo.h, docs/embedding.md, runtime/hub.h, group.h. Tests: tests/unit/embed_*_test.c.
#include "embed.h"
#include "call.h"
#include "gc.h"
#include "table.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// ---- memory ---------------------------------------------------------------------------------------------------------
// The heap only asks for permission (HEAP_TOKEN): nothing but the sum is kept then. Real blocks are the universe
// itself, which keeps the hub as long as it lives, and buffers of luaL_Buffer.

static void *const TOKEN = (void *)16;

static bool count(Hub *h, size_t osize, size_t nsize) {
  size_t more = nsize > osize ? nsize - osize : 0;
  if (atomic_fetch_add(&h->memory_used, nsize - osize) + more <= h->memory_limit || more == 0) return true;
  atomic_fetch_sub(&h->memory_used, nsize - osize);
  return false;
}

static void *universe_alloc(Hub *h, void *ptr, size_t size) {
  if (ptr == NULL) {
    h->universe = malloc(size);
    if (h->universe != NULL) hub_ref(h);
    return h->universe;
  }
  free(ptr);
  hub_unref(h);
  return NULL;
}

static void *limited_alloc(void *ud, void *ptr, size_t osize, size_t nsize) {
  Hub *h = ud;
  if (h->universe == NULL || ptr == h->universe) return universe_alloc(h, ptr, nsize);
  if (ptr == NULL && osize == HEAP_TOKEN) return count(h, 0, nsize) ? TOKEN : NULL;
  if (ptr == NULL) osize = 0;
  if (!count(h, osize, nsize)) return NULL;
  if (ptr == TOKEN) return nsize > 0 ? TOKEN : NULL;
  void *p = nsize > 0 ? realloc(ptr, nsize) : NULL;
  if (nsize == 0)
    free(ptr);
  else if (p == NULL)
    count(h, nsize, osize);
  return p;
}

static void *plain_alloc(void *ud, void *ptr, size_t osize, size_t nsize) {
  (void)ud;
  (void)osize;
  if (nsize > 0) return realloc(ptr, nsize);
  free(ptr);
  return NULL;
}

// ---- output -------------------------------------------------------------------------------------------------------

// A goroutine that waits for its turn does so without its processor.
bool lib_hostoutput(lua_State *L, FILE *f, const char *s, size_t n) {
  Hub *h = L->gl->rt->hub;
  if (h == NULL || h->opt.output == NULL || f != stdout) return false;
  rt_block_enter(L->ctx);
  pthread_mutex_lock(&h->outlock);
  h->opt.output(h->opt.ud, s, n);
  pthread_mutex_unlock(&h->outlock);
  rt_block_leave(L->ctx);
  return true;
}

// ---- libraries and the sandbox ----------------------------------------------------------------------------------

static void remove_field(lua_State *L, const char *table, const char *name) {
  if (lua_getglobal(L, table) == LUA_TTABLE) {
    lua_pushnil(L);
    lua_setfield(L, -2, name);
  }
  lua_pop(L, 1);
}

static int no_exit(lua_State *L) { return luaL_error(L, "os.exit is for programs, not for scripts in a host"); }

static void restrict_libs(lua_State *L, const lungo_Options *o) {
  if (o->libs & LUNGO_LIB_OS) {
    lua_getglobal(L, "os");
    lua_pushcfunction(L, no_exit);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 1);
  }
  if (o->flags & LUNGO_NOBYTECODE) {
    L->gl->textonly = true;
    remove_field(L, "string", "dump");
  }
  if (o->flags & LUNGO_NOFILES) {
    remove_field(L, LUA_GNAME, "dofile");
    remove_field(L, LUA_GNAME, "loadfile");
  }
}

static void freeze_value(lua_State *L, int idx);

// The table on top, and all tables that are reached from it. `package.loaded` and `package.preload` stay writable.
static void freeze_table(lua_State *L) {
  Table *t = v_table(L->top - 1);
  if (table_isfrozen(t)) return;
  luaL_checkstack(L, 6, "tables nested too deeply");
  if (lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE), lua_rawequal(L, -1, -2)) {
    lua_pop(L, 1);
    return;
  }
  lua_pop(L, 1);
  if (lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE), lua_rawequal(L, -1, -2)) {
    lua_pop(L, 1);
    return;
  }
  lua_pop(L, 1);
  table_freeze(L, t);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) freeze_value(L, -1);
  if (lua_getmetatable(L, -1)) {
    freeze_table(L);
    lua_pop(L, 1);
  }
}

static void freeze_value(lua_State *L, int idx) {
  lua_pushvalue(L, idx);
  if (lua_istable(L, -1)) {
    freeze_table(L);
  } else if (lua_getmetatable(L, -1)) {
    freeze_table(L);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

// Also metatables of objects that scripts will make: those that luaL_newmetatable has put into the registry.
static void freeze_all(lua_State *L) {
  lua_newtable(L); // the metatable of each run's globals
  lua_pushglobaltable(L);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setfield(L, LUA_REGISTRYINDEX, RUNENV);
  lua_pushglobaltable(L);
  freeze_table(L);
  lua_pop(L, 1);
  lua_pushliteral(L, "");
  freeze_value(L, -1);
  lua_pop(L, 1);
  lua_pushvalue(L, LUA_REGISTRYINDEX);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (!lua_istable(L, -1) || lua_type(L, -2) != LUA_TSTRING) continue;
    if (lua_getfield(L, -1, "__name") == LUA_TSTRING) {
      lua_pop(L, 1);
      freeze_value(L, -1);
    } else {
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
}

static int open_all(lua_State *L) {
  const lungo_Options *o = lua_touserdata(L, 1);
  lua_settop(L, 0);
  lua_newtable(L);
  lua_setfield(L, LUA_REGISTRYINDEX, REFS);
  lib_openlibs(L, o->libs | LUNGO_LIB_BASE);
  restrict_libs(L, o);
  if (o->setup != NULL) {
    lua_pushcfunction(L, o->setup);
    lua_pushlightuserdata(L, o->ud);
    lua_call(L, 1, 0);
  }
  share_universe(L);
  if (o->flags & LUNGO_READONLY) freeze_all(L);
  return 0;
}

// ---- runtimes -------------------------------------------------------------------------------------------------------

LUA_API void lungo_defaults(lungo_Options *o) {
  memset(o, 0, sizeof *o);
  o->size = sizeof *o;
  o->libs = LUNGO_LIB_ALL;
}

static Hub *hub_make(const lungo_Options *o) {
  Hub *h = hub_new();
  if (h == NULL) return NULL;
  lungo_defaults(&h->opt);
  if (o != NULL) memcpy(&h->opt, o, o->size < sizeof *o ? o->size : sizeof *o);
  pthread_mutex_init(&h->outlock, NULL);
  h->memory_limit = h->opt.memory;
  h->fin_ns = host_ns(h->opt.finalizer_time);
  return h;
}

static void say(char *err, size_t errlen, const char *msg) {
  if (err != NULL && errlen > 0) snprintf(err, errlen, "%s", msg);
}

// Each processor allocates from blocks of its own, some 64 KB for each size of object: a small heap would be full of
// what sixteen of them have in hand.
#define MEMORY_EACH ((size_t)1 << 20)

static void set_processors(const Hub *h, lua_State *L) {
  int n = h->opt.processors > 0 ? h->opt.processors : lungo_maxprocs(L, 0);
  size_t most = h->memory_limit / MEMORY_EACH;
  if (h->memory_limit > 0 && (size_t)n > most) n = most > 0 ? (int)most : 1;
  lungo_maxprocs(L, n);
}

static bool set_up(Hub *h, lua_State *L, char *err, size_t errlen) {
  set_processors(h, L);
  lua_pushcfunction(L, open_all);
  lua_pushlightuserdata(L, &h->opt);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    const char *msg = lua_tostring(L, -1);
    say(err, errlen, msg != NULL ? msg : "error in setup");
    return false;
  }
  L->gl->rt->detached = true;
  if (rt_start(L->gl->rt, L->gl->rt->m0) != 0 || !hub_startcourier(L) || !host_detach(L)) {
    say(err, errlen, "cannot start threads");
    return false;
  }
  return true;
}

LUA_API lungo_Runtime *lungo_new(const lungo_Options *o, char *err, size_t errlen) {
  M *outer = m_current;
  Hub *h = hub_make(o);
  lua_State *L = NULL;
  if (h != NULL) L = h->memory_limit > 0 ? lua_newstate(limited_alloc, h) : lua_newstate(plain_alloc, NULL);
  if (L == NULL) {
    say(err, errlen, "not enough memory");
    if (h != NULL) hub_unref(h);
    return NULL;
  }
  h->L = L;
  hub_attach(h, L->gl->rt);
  if (!set_up(h, L, err, errlen)) {
    lua_close(L);
    hub_unref(h);
    h = NULL;
  }
  m_setcurrent(outer);
  return h;
}

// How long goroutines and finalizers have: most of the time for ending well.
LUA_API int lungo_free(lungo_Runtime *h, double timeout) {
  if (h == NULL) return LUNGO_OK; // as free: lungo_new may have failed
  Runtime *rt = h->rt;
  lua_State *L = h->L;
  M *outer = m_current;
  int64_t deadline = host_deadline(timeout < 0 ? 0 : timeout);
  lock(&h->lk);
  h->closing = true;
  atomic_store(&h->killall, 2);
  atomic_store(&h->deadline, 0); // sysmon repeats the request until the end
  hub_poll_locked(h);
  sysmon_wake(rt);
  unlock(&h->lk);
  bool back = host_attach(rt, deadline);
  atomic_store(&h->close_by, deadline);
  bool clean = vm_close(L, back && host_alone(rt, deadline));
  m_setcurrent(outer);
  hub_unref(h);
  return clean ? LUNGO_OK : LUNGO_STUCK;
}

LUA_API lungo_Runtime *lungo_runtime(lua_State *L) {
  Hub *h = L->gl->rt->hub;
  return h != NULL && h->L != NULL ? h : NULL;
}

LUA_API void *lungo_userdata(lungo_Runtime *h) { return h->opt.ud; }

// ---- runs -----------------------------------------------------------------------------------------------------------

struct lungo_Task {
  Req req;
  _Atomic int refs;
  _Atomic uint32_t done; // host threads sleep on it
  _Atomic bool ended;
  Group *group;
  lungo_Job job; // strings, values and handles are copies
  int64_t ns;    // time limit
  int status;
  char *error;
  lungo_Value *results;
  int nresults;
};

static void task_unref(lungo_Task *t) {
  if (atomic_fetch_sub(&t->refs, 1) != 1) return;
  if (t->group != NULL) group_unref(t->group);
  values_free(t->results, t->nresults);
  values_free((lungo_Value *)t->job.args, t->job.nargs);
  lungo_ref_release(t->job.function);
  free((char *)t->job.code);
  free((char *)t->job.name);
  free((char *)t->job.file);
  free((char *)t->job.global);
  free(t->error);
  free(t);
}

// Claims the task: only the first who ends it writes results. Then task_end.
static bool task_claim(lungo_Task *t) { return !atomic_exchange(&t->ended, true); }

static void task_end(lungo_Task *t, int status) {
  void (*done)(void *, lungo_Task *) = t->job.done;
  t->status = status;
  if (done != NULL) atomic_fetch_add(&t->refs, 1);
  host_signal(&t->done);
  if (done == NULL) return;
  done(t->job.done_ud, t);
  task_unref(t);
}

#define FREED_TEXT "cancelled: the runtime was freed"

static void task_fail(lungo_Task *t, int status, const char *msg) {
  if (!task_claim(t)) return;
  t->error = strdup(msg != NULL ? msg : FREED_TEXT);
  task_end(t, status);
}

static void task_abandon(void *owner, int status) {
  lungo_Task *t = owner; // with a reference
  if (status == LUNGO_STUCK)
    task_fail(t, LUNGO_STUCK, "ended, but does not return from a C function");
  else
    task_fail(t, LUNGO_CANCELLED, FREED_TEXT);
  task_unref(t);
}

static void task_failed(Req *req, int status, const char *msg) {
  lungo_Task *t = (lungo_Task *)req;
  hub_expected(t->group->hub);
  task_fail(t, msg == NULL ? LUNGO_CANCELLED : status == LUNGO_DEAD ? LUNGO_DEAD : LUNGO_ERROR, msg);
  task_unref(t);
}

// ---- runs: how they begin ----

static void own_globals(lua_State *L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, RUNENV) != LUA_TTABLE) {
    lua_pop(L, 1);
    return;
  }
  lua_newtable(L);
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
  lua_setupvalue(L, -2, 1);
}

static void push_global(lua_State *L, const char *name) {
  lua_pushglobaltable(L);
  for (const char *dot; (dot = strchr(name, '.')) != NULL; name = dot + 1) {
    lua_pushlstring(L, name, (size_t)(dot - name));
    lua_gettable(L, -2);
    lua_remove(L, -2);
  }
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
}

static void push_function(lua_State *L, const lungo_Job *job) {
  const char *mode = L->gl->textonly ? "t" : NULL;
  if (job->code != NULL) {
    if (luaL_loadbufferx(L, job->code, job->codelen, job->name, mode) != LUA_OK) lua_error(L);
    own_globals(L);
  } else if (job->file != NULL) {
    if (luaL_loadfilex(L, job->file, mode) != LUA_OK) lua_error(L);
    own_globals(L);
  } else if (job->global != NULL) {
    push_global(L, job->global);
  } else if (job->function != NULL) {
    ref_push(L, job->function);
  } else {
    lua_pushcfunction(L, job->cfunction);
    lua_pushlightuserdata(L, job->cud);
  }
}

// The first goroutine. Loading is part of the run, and of its limits. 1: the task.
static int task_done(lua_State *L, int status, lua_KContext base) {
  (void)status;
  return lua_gettop(L) - (int)base;
}

static int task_main(lua_State *L) {
  lungo_Task *t = lua_touserdata(L, 1);
  const lungo_Job *job = &t->job;
  luaL_checkstack(L, job->nargs + 4, "too many arguments");
  push_function(L, job);
  for (int i = 0; i < job->nargs; i++) lungo_push(L, &job->args[i]);
  atomic_fetch_add(&t->refs, 0); // that was the last look at t: before whatever frees it (should we not come back)
  return vm_callk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, task_done);
}

#define MANY_BYTES ((size_t)1 << 20)

// The same string may be there a thousand times; as results they are so many copies, and take so long. So many have the
// run's time, and as much memory as Lua has. What is less is a result even if the run has been ended meanwhile.
static void collect_results(lua_State *L, void *ud) {
  lungo_Task *t = ud;
  Hub *h = t->group->hub;
  int n = lua_gettop(L);
  size_t bytes = (size_t)n * sizeof *t->results;
  t->results = n > 0 ? calloc((size_t)n, sizeof *t->results) : NULL;
  if (n > 0 && t->results == NULL) call_memerror(L);
  for (int i = 0; i < n; i++, t->nresults++) {
    if (bytes > MANY_BYTES && atomic_load(&t->group->why) != 0) luaL_error(L, "ended");
    lungo_get(L, i + 1, &t->results[i]);
    if (t->results[i].type == LUNGO_TSTRING) bytes += t->results[i].u.s.len;
    if (h->memory_limit > 0 && bytes > h->memory_limit) luaL_error(L, "results are larger than the memory limit");
  }
}

static const char *why_text(int why) { return why == LUNGO_LIMIT ? "limit exceeded" : "cancelled"; }

static void end_with_results(lua_State *L, lungo_Task *t) {
  int status = vm_rawprotected(L, collect_results, t), why = atomic_load(&t->group->why);
  if (status == LUA_OK) {
    task_end(t, LUNGO_OK);
    return;
  }
  values_free(t->results, t->nresults);
  t->results = NULL;
  t->nresults = 0;
  if (why != 0) {
    t->error = strdup(why_text(why));
    task_end(t, why);
    return;
  }
  t->error = strdup(lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "cannot copy the results");
  task_end(t, LUNGO_ERROR);
}

static void task_ended(lua_State *L, G *g, void *arg, int status) {
  Group *gr = g->group;
  lungo_Task *t = gr->owner;
  int why = atomic_load(&gr->why);
  (void)arg;
  if (!group_disown(gr)) return;
  if (!task_claim(t)) {
    task_unref(t);
    return;
  }
  if (status == LUA_OK) {
    end_with_results(L, t);
  } else if (why != 0) {
    t->error = strdup(why_text(why));
    task_end(t, why);
  } else if (status == STATUS_GOEXIT) {
    bool freed = atomic_load(&gr->hub->killall) > 0;
    if (freed) t->error = strdup(FREED_TEXT);
    task_end(t, freed ? LUNGO_CANCELLED : LUNGO_OK);
  } else {
    t->error = error_text(L, g, false);
    task_end(t, LUNGO_ERROR);
  }
  task_unref(t);
}

static void task_start(lua_State *L, Req *req) {
  lungo_Task *t = (lungo_Task *)req;
  lua_pushcfunction(L, task_main);
  lua_pushlightuserdata(L, t);
  Hub *h = t->group->hub;
  group_arm(t->group, t->ns);
  g_go_group(L, 1, t->group, task_ended); // from here on the goroutine has our reference
  hub_expected(h);
}

// ---- runs: the host's side ----

static bool copy_text(const char **to, size_t n) {
  if (*to == NULL) return true;
  char *copy = malloc(n + 1);
  if (copy != NULL) {
    memcpy(copy, *to, n);
    copy[n] = '\0';
  }
  *to = copy;
  return copy != NULL;
}

// Copies what job points to. False: no memory; what was copied is t's, the rest NULL.
static bool copy_job(lungo_Job *job) {
  const lungo_Value *args = job->args;
  const char *named = job->name;
  int nargs = job->nargs > 0 ? job->nargs : 0;
  if (job->code != NULL && job->codelen == 0) job->codelen = strlen(job->code);
  if (job->name == NULL && job->code != NULL) job->name = job->code;
  bool has_name = job->name != NULL;
  const char *name = has_name ? job->name : "";
  size_t namelen = job->code != NULL && named == NULL ? strnlen(name, job->codelen) : strlen(name);
  bool ok = copy_text(&job->code, job->codelen);
  ok &= copy_text(&job->name, namelen);
  ok &= copy_text(&job->file, job->file != NULL ? strlen(job->file) : 0);
  ok &= copy_text(&job->global, job->global != NULL ? strlen(job->global) : 0);
  if (job->function != NULL) lungo_ref_retain(job->function);
  job->nargs = nargs;
  job->args = values_copy(nargs, args);
  if (nargs > 0 && job->args == NULL) {
    job->nargs = 0;
    ok = false;
  }
  return ok;
}

static long long limit_of(long long own, long long def) { return own > 0 ? own : own < 0 || def < 0 ? 0 : def; }

static double time_of(double own, double def) { return own > 0 ? own : own < 0 || def < 0 ? 0 : def; }

LUA_API lungo_Task *lungo_start(lungo_Runtime *h, const lungo_Job *job) {
  int what = (job->code != NULL) + (job->file != NULL) + (job->global != NULL) + (job->function != NULL) +
             (job->cfunction != NULL);
  if (what != 1) {
    errno = EINVAL;
    return NULL;
  }
  lungo_Task *t = calloc(1, sizeof *t);
  if (t == NULL) return NULL;
  double seconds = time_of(job->time, h->opt.time);
  long long instr = limit_of(job->instructions, h->opt.instructions),
            gos = limit_of(job->goroutines, h->opt.goroutines);
  atomic_init(&t->refs, 2);
  t->req.run = task_start;
  t->req.failed = task_failed;
  t->ns = host_ns(seconds);
  t->job = *job;
  bool ok = copy_job(&t->job);
  t->group = group_new(h, false, instr, (int)(gos < 1000000000 ? gos : 0), t->ns > 0 || instr > 0 || gos > 0, t,
                       &t->refs, task_abandon);
  ok &= t->group != NULL;
  hub_expect(h);
  if (ok && hub_post(h, &t->req)) return t;
  hub_expected(h);
  atomic_store(&t->refs, 1);
  task_unref(t);
  errno = ok ? ESHUTDOWN : ENOMEM;
  return NULL;
}

LUA_API int lungo_wait(lungo_Task *t, double timeout) {
  return host_wait(&t->done, timeout == 0 ? 0 : host_deadline(timeout)) ? t->status : LUNGO_TIMEOUT;
}

LUA_API int lungo_status(lungo_Task *t) { return lungo_wait(t, 0); }

static bool is_done(lungo_Task *t) { return atomic_load_explicit(&t->done, memory_order_acquire) != 0; }

LUA_API int lungo_nresults(lungo_Task *t) { return is_done(t) ? t->nresults : 0; }

LUA_API const lungo_Value *lungo_result(lungo_Task *t, int i) {
  static const lungo_Value nil = {LUNGO_TNIL, {0}};
  return is_done(t) && i >= 0 && i < t->nresults ? &t->results[i] : &nil;
}

LUA_API const char *lungo_error(lungo_Task *t) { return is_done(t) && t->error != NULL ? t->error : ""; }

LUA_API void lungo_cancel(lungo_Task *t) { group_kill(t->group, LUNGO_CANCELLED, 1); }

LUA_API int lungo_cancelall(lungo_Runtime *h, double timeout) {
  int64_t deadline = host_deadline(timeout);
  hub_cancelall(h);
  for (uint32_t n; (n = atomic_load(&h->nlive)) > 0;)
    if (!futex_wait(&h->nlive, n, deadline) && atomic_load(&h->nlive) > 0) return LUNGO_TIMEOUT;
  return LUNGO_OK;
}

LUA_API void lungo_release(lungo_Task *t) {
  if (t != NULL) task_unref(t);
}
