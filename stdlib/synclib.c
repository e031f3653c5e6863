// SPDX-License-Identifier: MIT
//
// synclib.c: the `sync` library: objects of runtime/sync.c as Lua sees them.
//
// What:       each method tries the operation; if it has to wait it parks with a continuation, so that a waiting
//             goroutine holds no C stack. `lock` returns the mutex, whose __close unlocks.
// Invariants: each kind traces its queue of waiters (leaks.c).
//             A continuation gets the C object as its context; the Lua object at stack index 1 keeps it alive.
// See also:   runtime/sync.h; syncdata.c (pool, map); spec "sync". Tests: tests/runtime/sync_*.lua.
#include "sync.h"
#include "call.h"
#include "lungolib.h"
#include "quick.h"
#include "rwmutex.h"

static int return_self(lua_State *L) {
  L->top = L->ci->func + 2;
  return 1;
}

static int return_none(lua_State *L, int status, lua_KContext ctx) {
  (void)L;
  (void)status;
  (void)ctx;
  return 0;
}

// ---- sync.mutex ------------------------------------------------------------------------------------------

typedef struct MutexObj {
  ObjHead head;
  Mutex m;
} MutexObj;
static void mutex_trace(struct Marker *m, void *mem) { waitq_trace(m, &((MutexObj *)mem)->m.q); }
static const ObjKind mutex_kind = {"sync.mutex", mutex_trace};

static Mutex *check_mutex(lua_State *L) { return &((MutexObj *)obj_check(L, 1, &mutex_kind))->m; }

static int mutex_new(lua_State *L) {
  obj_new(L, &mutex_kind, sizeof(MutexObj), 0);
  return 1;
}

static int mutex_woken(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  Mutex *m = (Mutex *)ctx;
  if (mutex_again(L, m)) return return_self(L);
  return g_parkc(L, WAIT_MUTEX, &m->lk, ctx, mutex_woken);
}

static int mutex_lock(lua_State *L) {
  Mutex *m = check_mutex(L);
  if (mutex_begin(L, m)) return return_self(L);
  return g_parkc(L, WAIT_MUTEX, &m->lk, (lua_KContext)m, mutex_woken);
}

static int mutex_trylockm(lua_State *L) {
  lua_pushboolean(L, mutex_trylock(check_mutex(L)));
  return 1;
}

static int mutex_unlockm(lua_State *L) {
  if (!mutex_unlock(L->ctx, check_mutex(L))) luaL_error(L, "unlock of unlocked mutex");
  return 0;
}

static Mutex *quick_mutex(const Value *arg, int nargs) {
  MutexObj *o = nargs == 1 ? obj_memat(arg, &mutex_kind, 0) : NULL;
  return likely(o != NULL) ? &o->m : NULL;
}

static int mutex_lock_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  Mutex *m = quick_mutex(arg, nargs);
  if (unlikely(m == NULL) || unlikely(!mutex_quicklock(m))) return QUICK_DECLINED;
  v_copy(res, arg);
  return 1;
}

static int mutex_trylock_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  Mutex *m = quick_mutex(arg, nargs);
  if (unlikely(m == NULL)) return QUICK_DECLINED;
  v_setbool(res, mutex_trylock(m));
  return 1;
}

static int mutex_unlock_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  (void)res;
  Mutex *m = quick_mutex(arg, nargs);
  return likely(m != NULL) && mutex_quickunlock(m) ? 0 : QUICK_DECLINED;
}

// ---- sync.rwmutex ------------------------------------------------------------------------------------------
// rlock returns another object than lock, as its __close must do something else: the rlocker in user value 0.

// The state has a cache line of its own: readers on several processors may change it all the time, and each of them
// reads the head of the object at every call.
typedef struct RWObj {
  ObjHead head;
  char pad[64];
  RWMutex rw;
} RWObj;
_Static_assert(sizeof(RWObj) == 128, "with the head of its userdata it fills a size class");
static void rwobj_trace(struct Marker *m, void *mem) { rw_trace(m, &((RWObj *)mem)->rw); }
static const ObjKind rw_kind = {"sync.rwmutex", rwobj_trace};
static const ObjKind rlocker_kind = {"sync.rlocker", NULL}; // user value 0: the rwmutex

static RWMutex *check_rwat(lua_State *L, int arg) { return &((RWObj *)obj_check(L, arg, &rw_kind))->rw; }
static RWMutex *check_rw(lua_State *L) { return check_rwat(L, 1); }

static int rw_new(lua_State *L) {
  obj_new(L, &rw_kind, sizeof(RWObj), 1);
  Value rw, rl;
  v_copy(&rw, L->top - 1);
  obj_new(L, &rlocker_kind, sizeof(ObjHead), 1);
  v_copy(&rl, L->top - 1);
  obj_setuv(L, v_ud(&rl), 0, &rw);
  obj_setuv(L, v_ud(&rw), 0, &rl);
  lua_pop(L, 1);
  return 1;
}

static int rw_locked(lua_State *L, int status, lua_KContext ctx) { // woken: the lock was handed over
  (void)status;
  (void)ctx;
  return return_self(L);
}

static int rw_lock(lua_State *L) {
  RWMutex *rw = check_rw(L);
  if (rw_begin_lock(L, rw)) return return_self(L);
  return g_parkc(L, WAIT_RW_LOCK, &rw->lk, 0, rw_locked);
}

static int rw_rlocked(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  Userdata *u = obj_checkud(L, 1, &rw_kind);
  L->top = L->ci->func + 2;
  bits_decode(L->top - 1, slot_load(&u->uv[0])); // in place of the rwmutex, which it refers to
  return 1;
}

static int rw_rlock(lua_State *L) {
  RWMutex *rw = check_rw(L);
  if (rw_begin_rlock(L, rw)) return rw_rlocked(L, LUA_OK, 0);
  return g_parkc(L, WAIT_RW_RLOCK, &rw->lk, 0, rw_rlocked);
}

static int rw_trylockm(lua_State *L) {
  lua_pushboolean(L, rw_trylock(check_rw(L)));
  return 1;
}

static int rw_tryrlockm(lua_State *L) {
  lua_pushboolean(L, rw_tryrlock(L->ctx, check_rw(L)));
  return 1;
}

static int rw_unlockm(lua_State *L) {
  if (!rw_unlock(L->ctx, check_rw(L))) luaL_error(L, "unlock of unlocked rwmutex");
  return 0;
}

static int rw_runlockm(lua_State *L) {
  if (!rw_runlock(L->ctx, check_rw(L))) luaL_error(L, "unlock of unlocked rwmutex");
  return 0;
}

static RWMutex *quick_rw(const Value *arg, int nargs) {
  RWObj *o = nargs == 1 ? obj_memat(arg, &rw_kind, 1) : NULL;
  return likely(o != NULL) ? &o->rw : NULL;
}

static int rw_lock_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)L;
  RWMutex *rw = quick_rw(arg, nargs);
  if (unlikely(rw == NULL) || unlikely(!rw_trylock(rw))) return QUICK_DECLINED;
  v_copy(res, arg);
  return 1;
}

static int push_rlocker(Value *res, const Value *rw) {
  v_setobj(res, TAG_USERDATA, (void *)(intptr_t)bits_payload(slot_load(&v_ud(rw)->uv[0])));
  return 1;
}

// Out of line and called last, so that the usual case saves no registers. (bench/conc/rlock.lua)
static NOINLINE int rlock_again(lua_State *L, Value *res, const Value *arg, RWMutex *rw) {
  return rw_tryrlock_again(L->ctx, rw) ? push_rlocker(res, arg) : QUICK_DECLINED;
}
static NOINLINE int runlock_again(lua_State *L, RWMutex *rw) {
  return rw_runlock_again(L->ctx, rw) ? 0 : QUICK_DECLINED;
}

static int rw_rlock_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  RWMutex *rw = quick_rw(arg, nargs);
  if (unlikely(rw == NULL)) return QUICK_DECLINED;
  return likely(rw_quickrlock(L->ctx, rw)) ? push_rlocker(res, arg) : rlock_again(L, res, arg, rw);
}

static int rw_unlock_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)res;
  RWMutex *rw = quick_rw(arg, nargs);
  return likely(rw != NULL) && likely(rw_unlock(L->ctx, rw)) ? 0 : QUICK_DECLINED;
}

static int rw_runlock_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)res;
  RWMutex *rw = quick_rw(arg, nargs);
  if (unlikely(rw == NULL)) return QUICK_DECLINED;
  return likely(rw_quickrunlock(L->ctx, rw)) ? 0 : runlock_again(L, rw);
}

static RWMutex *check_rlocker(lua_State *L, int arg) {
  Userdata *u = obj_checkud(L, arg, &rlocker_kind);
  Value rw;
  bits_decode(&rw, slot_load(&u->uv[0]));
  return &((RWObj *)ud_mem(v_ud(&rw)))->rw;
}

static int rlocker_lock(lua_State *L) {
  RWMutex *rw = check_rlocker(L, 1);
  if (rw_begin_rlock(L, rw)) return return_self(L);
  return g_parkc(L, WAIT_RW_RLOCK, &rw->lk, 0, rw_locked);
}

static int rlocker_unlock(lua_State *L) {
  if (!rw_runlock(L->ctx, check_rlocker(L, 1))) luaL_error(L, "unlock of unlocked rwmutex");
  return 0;
}

// ---- sync.waitgroup --------------------------------------------------------------------------------------------

typedef struct WgObj {
  ObjHead head;
  char pad[64]; // as in RWObj
  WaitGroup wg;
} WgObj;
static void wg_trace(struct Marker *m, void *mem) { waitq_trace(m, &((WgObj *)mem)->wg.q); }
static const ObjKind wg_kind = {"sync.waitgroup", wg_trace};

static WaitGroup *check_wg(lua_State *L) { return &((WgObj *)obj_check(L, 1, &wg_kind))->wg; }

static int wg_new(lua_State *L) {
  obj_new(L, &wg_kind, sizeof(WgObj), 0);
  return 1;
}

static void add_or_raise(lua_State *L, WaitGroup *wg, lua_Integer d) {
  if (!wg_add(L->ctx, wg, d)) luaL_error(L, d < 0 ? "negative WaitGroup counter" : "WaitGroup counter too large");
}

static int wg_addm(lua_State *L) {
  WaitGroup *wg = check_wg(L);
  add_or_raise(L, wg, luaL_optinteger(L, 2, 1));
  return 0;
}

static int wg_done(lua_State *L) {
  add_or_raise(L, check_wg(L), -1);
  return 0;
}

static int wg_add_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)res;
  WgObj *o = nargs == 1 || (nargs == 2 && v_isint(arg + 1)) ? obj_memat(arg, &wg_kind, 0) : NULL;
  int64_t d = nargs == 2 ? arg[1].i : 1;
  return likely(o != NULL) && likely(wg_add(L->ctx, &o->wg, d)) ? 0 : QUICK_DECLINED;
}

static int wg_done_quick(lua_State *L, Value *res, const Value *arg, int nargs) {
  (void)res;
  WgObj *o = nargs == 1 ? obj_memat(arg, &wg_kind, 0) : NULL;
  return likely(o != NULL) && likely(wg_add(L->ctx, &o->wg, -1)) ? 0 : QUICK_DECLINED;
}

// Runs in the goroutine that ends, however it ends. Counting below zero would mean that somebody called done for it:
// there is no Lua code left that could be told.
static void wg_ended(lua_State *L, G *g, void *arg, int status) {
  (void)g;
  (void)status;
  wg_add(L->ctx, &((WgObj *)ud_mem((Userdata *)arg))->wg, -1);
}

static void start_counted(lua_State *L, void *u) { g_go(L, lua_gettop(L) - 2, wg_ended, u); }

static int wg_go(lua_State *L) {
  Userdata *u = obj_checkud(L, 1, &wg_kind);
  WaitGroup *wg = &((WgObj *)ud_mem(u))->wg;
  lib_checkcallable(L, 2);
  add_or_raise(L, wg, 1);
  share_obj(L, &u->hdr);
  if (vm_rawprotected(L, start_counted, u) != LUA_OK) { // out of memory: nobody will count down
    wg_add(L->ctx, wg, -1);
    lua_error(L);
  }
  return 0;
}

static int wg_wait(lua_State *L) {
  WaitGroup *wg = check_wg(L);
  if (wg_begin_wait(L, wg)) return 0;
  return g_parkc(L, WAIT_WAITGROUP, &wg->lk, 0, return_none);
}

// ---- sync.once ----------------------------------------------------------------------------------------------------
// The object is a to-be-closed value in the frame of its own call: so it is marked done, and those who wait go on, on
// return, on error and on runtime.goexit alike.

typedef struct OnceObj {
  ObjHead head;
  Once once;
  _Atomic uint32_t joined; // singleflight: callers beside the first
} OnceObj;
static void once_trace(struct Marker *m, void *mem) { waitq_trace(m, &((OnceObj *)mem)->once.q); }
static const ObjKind once_kind = {"sync.once", once_trace};

static Once *check_once(lua_State *L) { return &((OnceObj *)obj_check(L, 1, &once_kind))->once; }

static int once_new(lua_State *L) {
  obj_new(L, &once_kind, sizeof(OnceObj), 0);
  return 1;
}

static int once_close(lua_State *L) {
  Once *o = check_once(L);
  if (atomic_load_explicit(&o->state, memory_order_relaxed) == ONCE_RUNNING && o->runner == L) once_finish(L->ctx, o);
  return 0;
}

static int once_call(lua_State *L) {
  Once *o = check_once(L);
  bool mine;
  if (!lib_iscallable(L, 2)) {
    lua_remove(L, 1); // the argument counts as its caller counts
    lib_checkcallable(L, 1);
  }
  if (!once_begin(L, o, &mine)) return g_parkc(L, WAIT_ONCE, &o->lk, 0, return_none);
  if (!mine) return 0;
  lua_toclose(L, 1);
  return vm_callk(L, lua_gettop(L) - 2, 0, 0, return_none);
}

// sync.oncevalue(f): a function with the object as upvalue. User value 0 is f, then what came of it: a table of the
// results, or of the error (field `failed`).
static const ObjKind oncevalue_kind = {"sync.oncevalue", once_trace};

static Userdata *oncevalue_self(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  Userdata *u = v_ud(L->top - 1);
  lua_pop(L, 1);
  return u;
}

static int oncevalue_result(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  lua_settop(L, 0);
  obj_pushuv(L, oncevalue_self(L), 0);
  if (!lua_istable(L, 1)) luaL_error(L, "the function to be called once did not return");
  lua_getfield(L, 1, "n");
  int n = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (lua_getfield(L, 1, "failed") == LUA_TBOOLEAN) {
    lua_rawgeti(L, 1, 1);
    return lua_error(L);
  }
  lua_pop(L, 1);
  luaL_checkstack(L, n, "too many results");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, 1, i);
  return n;
}

// The function's results, or the error value, are above index 1, which is the object.
static int oncevalue_ran(lua_State *L, int status, lua_KContext ctx) {
  bool failed = status != LUA_OK && status != LUA_YIELD;
  int n = lua_gettop(L) - 1;
  lua_createtable(L, n, 2);
  lua_insert(L, 2);
  for (int i = n; i >= 1; i--) lua_rawseti(L, 2, i);
  lua_pushinteger(L, n);
  lua_setfield(L, 2, "n");
  if (failed) {
    lua_pushboolean(L, 1);
    lua_setfield(L, 2, "failed");
  }
  obj_setuv(L, obj_checkud(L, 1, &oncevalue_kind), 0, lib_arg(L, 2));
  lua_closeslot(L, 1); // done: those who wait go on
  return oncevalue_result(L, LUA_OK, ctx);
}

static int oncevalue_close(lua_State *L) {
  OnceObj *obj = obj_check(L, 1, &oncevalue_kind);
  if (!once_isdone(&obj->once)) once_finish(L->ctx, &obj->once);
  return 0;
}

static int oncevalue_call(lua_State *L) {
  Userdata *u = oncevalue_self(L);
  Once *o = &((OnceObj *)ud_mem(u))->once;
  bool mine;
  lua_settop(L, 0);
  if (!once_begin(L, o, &mine)) return g_parkc(L, WAIT_ONCE, &o->lk, 0, oncevalue_result);
  if (!mine) return oncevalue_result(L, LUA_OK, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_toclose(L, 1);
  obj_pushuv(L, u, 0);
  return vm_pcallk(L, 0, LUA_MULTRET, 0, 0, oncevalue_ran);
}

// Pushes the function that calls the one at `arg` once.
static void push_oncevalue(lua_State *L, int arg) {
  obj_new(L, &oncevalue_kind, sizeof(OnceObj), 1);
  obj_setuv(L, v_ud(L->top - 1), 0, lib_arg(L, arg));
  lua_pushcclosure(L, oncevalue_call, 1);
}

static int oncevalue_new(lua_State *L) {
  lib_checkcallable(L, 1);
  push_oncevalue(L, 1);
  return 1;
}

// ---- sync.cond ----------------------------------------------------------------------------------------------------
// The locker (user value 0) is a mutex, an rwmutex, or any value with methods lock and unlock. Mutexes go the short
// way; everything else is called as Lua would.

typedef struct CondObj {
  ObjHead head;
  Cond c;
  MutexObj *mutex; // the locker if it is a mutex; else NULL
} CondObj;
static void cond_trace(struct Marker *m, void *mem) { waitq_trace(m, &((CondObj *)mem)->c.q); }
static const ObjKind cond_kind = {"sync.cond", cond_trace};

static bool has_method(lua_State *L, int arg, const char *name) {
  bool yes = lua_getfield(L, arg, name) == LUA_TFUNCTION;
  lua_pop(L, 1);
  return yes;
}

static bool is_locker(lua_State *L, int arg) {
  int t = lua_type(L, arg);
  bool indexed = t == LUA_TUSERDATA && luaL_getmetafield(L, arg, "__index") != LUA_TNIL;
  if (indexed) lua_pop(L, 1);
  return (t == LUA_TTABLE || indexed) && has_method(L, arg, "lock") && has_method(L, arg, "unlock");
}

static int cond_new(lua_State *L) {
  if (!is_locker(L, 1)) luaL_typeerror(L, 1, "locker");
  CondObj *obj = obj_new(L, &cond_kind, sizeof(CondObj), 1);
  Userdata *m = obj_ud(lib_arg(L, 1), &mutex_kind);
  obj->mutex = m ? ud_mem(m) : NULL;
  obj_setuv(L, v_ud(L->top - 1), 0, lib_arg(L, 1));
  return 1;
}

static CondObj *check_cond(lua_State *L) { return obj_check(L, 1, &cond_kind); }

static int call_locker(lua_State *L, const char *method, lua_KContext ctx, lua_KFunction k) {
  obj_pushuv(L, obj_checkud(L, 1, &cond_kind), 0);
  lua_getfield(L, -1, method);
  lua_insert(L, -2);
  return vm_callk(L, 1, 0, ctx, k);
}

static int cond_relocked(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  Mutex *m = (Mutex *)ctx;
  if (mutex_again(L, m)) return 0;
  return g_parkc(L, WAIT_MUTEX, &m->lk, ctx, cond_relocked);
}

static int cond_notified(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  CondObj *obj = check_cond(L);
  if (!obj->mutex) return call_locker(L, "lock", 0, return_none);
  Mutex *m = &obj->mutex->m;
  if (mutex_begin(L, m)) return 0;
  return g_parkc(L, WAIT_MUTEX, &m->lk, (lua_KContext)m, cond_relocked);
}

// The locker's unlock has returned; `seen` signals had been sent when it was called.
static int cond_unlocked(lua_State *L, int status, lua_KContext seen) {
  (void)status;
  CondObj *obj = check_cond(L);
  if (cond_begin_wait_since(L, &obj->c, (uint32_t)seen)) return cond_notified(L, LUA_OK, 0);
  return g_parkc(L, WAIT_COND, &obj->c.lk, 0, cond_notified);
}

// Whether the locker's unlock would raise, as far as can be told: it may be an object of the program's own.
static const char *cond_cannotunlock(lua_State *L, const CondObj *obj) {
  if (obj->mutex) return mutex_islocked(&obj->mutex->m) ? NULL : "unlock of unlocked mutex";
  obj_pushuv(L, obj_checkud(L, 1, &cond_kind), 0);
  bool locked = true;
  if (obj_ud(L->top - 1, &rw_kind))
    locked = rw_iswlocked(check_rwat(L, 2));
  else if (obj_ud(L->top - 1, &rlocker_kind))
    locked = rw_isrlocked(check_rlocker(L, 2));
  lua_pop(L, 1);
  return locked ? NULL : "unlock of unlocked rwmutex";
}

static int cond_wait(lua_State *L) {
  CondObj *obj = check_cond(L);
  lua_settop(L, 1);
  // Asked before the ticket is taken, because a ticket that nobody waits with would swallow a signal.
  const char *why = cond_cannotunlock(L, obj);
  if (why) luaL_error(L, "%s", why);
  if (!obj->mutex) return call_locker(L, "unlock", cond_signals(&obj->c), cond_unlocked);
  uint32_t ticket = cond_ticket(&obj->c);
  mutex_unlock(L->ctx, &obj->mutex->m); // if somebody else has unlocked it meanwhile, that is as good
  if (cond_begin_wait(L, &obj->c, ticket)) return cond_notified(L, LUA_OK, 0);
  return g_parkc(L, WAIT_COND, &obj->c.lk, 0, cond_notified);
}

static int cond_signalm(lua_State *L) {
  cond_signal(L->ctx, &check_cond(L)->c);
  return 0;
}

static int cond_broadcastm(lua_State *L) {
  cond_broadcast(L->ctx, &check_cond(L)->c);
  return 0;
}

// ---- sync.semaphore -----------------------------------------------------------------------------------------------

typedef struct SemObj {
  ObjHead head;
  Semaphore s;
} SemObj;
static void sem_trace(struct Marker *m, void *mem) { waitq_trace(m, &((SemObj *)mem)->s.q); }
static const ObjKind sem_kind = {"sync.semaphore", sem_trace};

static Semaphore *check_sem(lua_State *L) { return &((SemObj *)obj_check(L, 1, &sem_kind))->s; }

static int sem_new(lua_State *L) {
  lua_Integer n = luaL_checkinteger(L, 1);
  luaL_argcheck(L, n >= 0, 1, "size out of range");
  SemObj *obj = obj_new(L, &sem_kind, sizeof(SemObj), 0);
  obj->s.size = n;
  return 1;
}

static lua_Integer check_weight(lua_State *L) {
  lua_Integer k = luaL_optinteger(L, 2, 1);
  luaL_argcheck(L, k >= 0, 2, "weight out of range");
  return k;
}

static int sem_acquired(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  lua_pushboolean(L, 1);
  return 1;
}

static int sem_gaveup(lua_State *L, Context *c) {
  luaL_pushfail(L);
  lib_pushcontexterr(L, c);
  return 2;
}

// Stack: semaphore, weight, context, SemWait.
static int sem_woken(lua_State *L, int status, lua_KContext k) {
  Context *c = lib_checkcontext(L, 3);
  bool acquired = sem_end_acquire_context(L, check_sem(L), k, c, lua_touserdata(L, 4));
  return acquired ? sem_acquired(L, status, k) : sem_gaveup(L, c);
}

static int sem_acquire_context(lua_State *L, Semaphore *s, lua_Integer k) {
  Context *c = lib_checkcontext(L, 3);
  lua_settop(L, 3);
  switch (sem_begin_acquire_context(L, s, k, c, lua_newuserdatauv(L, sizeof(SemWait), 0))) {
  case SEM_ACQUIRED: return sem_acquired(L, LUA_OK, 0);
  case SEM_CANCELED: return sem_gaveup(L, c);
  default: return g_parkc(L, WAIT_SEMAPHORE, &s->lk, (lua_KContext)k, sem_woken);
  }
}

static int sem_acquire(lua_State *L) {
  Semaphore *s = check_sem(L);
  lua_Integer k = check_weight(L);
  if (!lua_isnoneornil(L, 3)) return sem_acquire_context(L, s, k);
  if (sem_begin_acquire(L, s, k)) return sem_acquired(L, LUA_OK, 0);
  return g_parkc(L, WAIT_SEMAPHORE, &s->lk, 0, sem_acquired);
}

static int sem_tryacquirem(lua_State *L) {
  Semaphore *s = check_sem(L);
  lua_pushboolean(L, sem_tryacquire(s, check_weight(L)));
  return 1;
}

static int sem_releasem(lua_State *L) {
  Semaphore *s = check_sem(L);
  if (!sem_release(L->ctx, s, check_weight(L))) luaL_error(L, "semaphore released more than acquired");
  return 0;
}

// ---- sync.singleflight ------------------------------------------------------------------------------------------
// A sync.map (user value 0) of the calls under way: each is a function as sync.oncevalue makes, which the first caller
// and those who join him all call. The first one takes it out of the map again; if he cannot (runtime.goexit), the
// next caller sees that it is done and replaces it.

static const ObjKind sf_kind = {"sync.singleflight", NULL};

static int sf_new(lua_State *L) {
  obj_new(L, &sf_kind, sizeof(ObjHead), 1);
  lib_pushmap(L);
  obj_setuv(L, v_ud(L->top - 2), 0, L->top - 1);
  lua_pop(L, 1);
  return 1;
}

static OnceObj *call_of(const Value *fn) {
  Value u;
  bits_decode(&u, slot_load(&v_ccl(fn)->upv[0]));
  return ud_mem(v_ud(&u));
}

// Stack: self, key, f, call, map. Leaves in `call` the call to join; true: it is ours, nobody had one.
static bool join_call(lua_State *L) {
  Userdata *map = v_ud(lib_arg(L, 5));
  const Value *key = lib_arg(L, 2);
  Value expect = {.tag = TAG_NIL}, old;
  while (!lib_mapcas(L, map, key, &expect, lib_arg(L, 4), &old)) {
    v_copy(&expect, &old);
    if (v_isnil(&old) || once_isdone(&call_of(&old)->once)) continue;
    v_copy(L->ci->func + 4, &old);
    atomic_fetch_add_explicit(&call_of(&old)->joined, 1, memory_order_relaxed);
    return false;
  }
  return true;
}

static int sf_ran(lua_State *L, int status, lua_KContext mine) {
  static const Value nil = {.tag = TAG_NIL};
  Value old;
  const Value *call = lib_arg(L, 4);
  if (mine) lib_mapcas(L, v_ud(lib_arg(L, 5)), lib_arg(L, 2), call, &nil, &old);
  if (status != LUA_OK && status != LUA_YIELD) return lua_error(L);
  lua_pushboolean(L, atomic_load_explicit(&call_of(lib_arg(L, 4))->joined, memory_order_relaxed) > 0);
  return 2;
}

static int sf_run(lua_State *L) {
  Userdata *u = obj_checkud(L, 1, &sf_kind);
  luaL_argcheck(L, !lua_isnoneornil(L, 2), 2, "key expected");
  luaL_argcheck(L, lua_rawequal(L, 2, 2), 2, "key is NaN");
  lib_checkcallable(L, 3);
  lua_settop(L, 3);
  push_oncevalue(L, 3);
  obj_pushuv(L, u, 0);
  bool mine = join_call(L);
  lua_pushvalue(L, 4);
  return vm_pcallk(L, 0, 1, 0, mine, sf_ran);
}

// ---- opening ------------------------------------------------------------------------------------------------------

static void open_locks(lua_State *L) {
  static const luaL_Reg mutex_m[] = {
      {"lock", mutex_lock}, {"unlock", mutex_unlockm}, {"trylock", mutex_trylockm}, {NULL, NULL}};
  static const luaL_Reg mutex_mt[] = {{"__close", mutex_unlockm}, {NULL, NULL}};
  static const luaL_Reg rw_m[] = {{"lock", rw_lock},   {"unlock", rw_unlockm},   {"trylock", rw_trylockm},
                                  {"rlock", rw_rlock}, {"runlock", rw_runlockm}, {"tryrlock", rw_tryrlockm},
                                  {NULL, NULL}};
  static const luaL_Reg rw_mt[] = {{"__close", rw_unlockm}, {NULL, NULL}};
  static const luaL_Reg rlocker_m[] = {{"lock", rlocker_lock}, {"unlock", rlocker_unlock}, {NULL, NULL}};
  static const luaL_Reg rlocker_mt[] = {{"__close", rlocker_unlock}, {NULL, NULL}};
  obj_class(L, &mutex_kind, mutex_m, mutex_mt);
  obj_class(L, &rw_kind, rw_m, rw_mt);
  obj_class(L, &rlocker_kind, rlocker_m, rlocker_mt);
}

static void open_waiting(lua_State *L) {
  static const luaL_Reg wg_m[] = {{"add", wg_addm}, {"done", wg_done}, {"go", wg_go}, {"wait", wg_wait}, {NULL, NULL}};
  static const luaL_Reg once_mt[] = {{"__call", once_call}, {"__close", once_close}, {NULL, NULL}};
  static const luaL_Reg oncevalue_mt[] = {{"__close", oncevalue_close}, {NULL, NULL}};
  static const luaL_Reg cond_m[] = {
      {"wait", cond_wait}, {"signal", cond_signalm}, {"broadcast", cond_broadcastm}, {NULL, NULL}};
  static const luaL_Reg sf_m[] = {{"run", sf_run}, {NULL, NULL}};
  static const luaL_Reg sem_m[] = {
      {"acquire", sem_acquire}, {"tryacquire", sem_tryacquirem}, {"release", sem_releasem}, {NULL, NULL}};
  obj_class(L, &wg_kind, wg_m, NULL);
  obj_class(L, &once_kind, NULL, once_mt);
  obj_class(L, &oncevalue_kind, NULL, oncevalue_mt);
  obj_class(L, &cond_kind, cond_m, NULL);
  obj_class(L, &sem_kind, sem_m, NULL);
  obj_class(L, &sf_kind, sf_m, NULL);
}

static void add_quick_halves(void) {
  quick_add(mutex_lock, mutex_lock_quick);
  quick_add(mutex_trylockm, mutex_trylock_quick);
  quick_add(mutex_unlockm, mutex_unlock_quick);
  quick_add(rw_lock, rw_lock_quick);
  quick_add(rw_unlockm, rw_unlock_quick);
  quick_add(rw_rlock, rw_rlock_quick);
  quick_add(rw_runlockm, rw_runlock_quick);
  quick_add(wg_addm, wg_add_quick);
  quick_add(wg_done, wg_done_quick);
}

int lungo_opensync(lua_State *L) {
  static const luaL_Reg funcs[] = {{"mutex", mutex_new},   {"rwmutex", rw_new},      {"waitgroup", wg_new},
                                   {"once", once_new},     {"cond", cond_new},       {"oncevalue", oncevalue_new},
                                   {"semaphore", sem_new}, {"singleflight", sf_new}, {NULL, NULL}};
  add_quick_halves();
  open_locks(L);
  open_waiting(L);
  luaL_newlib(L, funcs);
  lungo_opensyncdata(L);
  lungo_openerrgroup(L);
  return 1;
}
