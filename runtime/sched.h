// SPDX-License-Identifier: MIT
//
// sched.h: goroutines (G), worker threads (M), processors (P) and how they meet. Read this first in runtime/.
//
// What:       a P is the right to run Lua: it has a run queue, an allocation cache and timers. An M is an OS thread; it
//             needs a P to run Lua. A G is a goroutine: a lua_State and this control block.
//
//             G states and who moves them:
//
//               G_IDLE --g_new--> G_RUNNABLE --g_execute--> G_RUNNING --g_exit--> G_DEAD --g_new--> G_RUNNABLE
//                                     ^  ^                    |   |  ^
//                                     |  +---- g_yield -------+   |  +--- rt_block_leave --- G_SYSCALL
//                                     +------- g_ready --- G_WAITING <-- g_park              ^
//                                                                     rt_block_enter (from G_RUNNING)
//
// Invariants: a G is in at most one run queue. Whoever moves it to G_WAITING has first made it findable by its waker
//             and holds the lock under which the waker looks; from the unlock on, the parking worker touches nothing of
//             it. g_ready is called once per park, after the waker has unlocked.
//             G blocks are never freed, only reused.
// See also:   docs/architecture.md, lock.h/lockrank.h (lock order), seam.h (what the VM calls).
#ifndef LUNGO_RUNTIME_SCHED_H
#define LUNGO_RUNTIME_SCHED_H

#include "lock.h"
#include "seam.h"
#include "state.h"

typedef struct M M;
typedef struct P P;
typedef struct Runtime Runtime;
typedef struct Waiter Waiter;
typedef struct Timer Timer;

typedef enum GStatus { G_IDLE, G_RUNNABLE, G_RUNNING, G_SYSCALL, G_WAITING, G_DEAD } GStatus;

// Every reason to park has its own name; wait_reason_text is what dumps print. None is reused.
typedef enum WaitReason {
  WAIT_NONE,
  WAIT_CHAN_SEND,
  WAIT_CHAN_RECV,
  WAIT_CHAN_SEND_NIL,
  WAIT_CHAN_RECV_NIL,
  WAIT_SELECT,
  WAIT_SELECT_NONE,
  WAIT_SLEEP,
  WAIT_MUTEX,
  WAIT_RW_LOCK,
  WAIT_RW_RLOCK,
  WAIT_WAITGROUP,
  WAIT_COND,
  WAIT_ONCE,
  WAIT_SEMAPHORE,
  WAIT_IO,
  WAIT_FINALIZERS,
  WAIT_MODULE,      // to enter a function of a C module
  WAIT_MODULE_BACK, // to go on in one: its frames lie on this thread, so nothing but the lock ends the wait
  WAIT_HOST,
  WAIT_COUNT
} WaitReason;
extern const char *const wait_reason_text[WAIT_COUNT];

// Bits of G.intr. Set while the world is stopped; taken by the goroutine itself.
#define INTR_RAISE 1u    // raise `interrupted!`
#define INTR_DEADLOCK 2u // raise `all goroutines are asleep - deadlock!`
#define INTR_END 4u      // end as by runtime.goexit
#define INTR_PARKED 8u   // its wait was called off: raise instead of finishing it, as it has not succeeded

#define INTR_WAKE 16u // it is to end or to stop, and finds out by itself: only the sleep of its thread is over

// One goroutine's place in one wait queue. A plain operation uses the one inside G; a select has several.
// Guarded by the lock of the object whose queue it is in; `v`, `ok` are written by the waker before g_ready and read
// by the goroutine after it runs again.
struct Waiter {
  G *g;
  Waiter *prev, *next;
  void *obj;      // the channel (or other object) it waits on
  Value v;        // value to send / value received (already published)
  uint32_t index; // select: case number
  bool ok;        // woken by a value (true) or by close (false)
  bool is_select;
};

// Four cache lines of 64 bytes, which a goroutine that lives on two processors moves between them: the first two are
// all that starting, running and ending one touches, the third is for those that wait.
struct G {
  lua_State *L;                // the goroutine's base state (a Thread object; root of the collector while not dead)
  lua_State *cur;              // where it stopped: innermost coroutine
  _Atomic uint8_t status;      // GStatus
  uint8_t reason;              // WaitReason while waiting, and until it runs again if it was woken as it wished
  bool nested;                 // parked inside a nested interp_run: it must continue on the worker `wirem`
  bool is_main, is_system;     // goroutine 1; finalizer goroutine and the like (not counted, no deadlock hope)
  bool killseen;               // it was told to end (group.h)
  bool started;                // its function was entered: next time it is continued
  _Atomic bool reached;        // leak pass (leaks.c): something that can run may wake it. By marking workers
  _Atomic uint32_t intr;       // INTR_* bits: an error from outside that waits to be raised (interrupt.c)
  _Atomic uint32_t selectdone; // select: 0 until one waker won the goroutine by compare-and-swap
  int64_t id;
  M *m;                                                     // worker while running or syscall
  G *schednext;                                             // link in run queues and free lists
  void (*onend)(lua_State *L, G *g, void *arg, int status); // wg:go and the like: called when it ends, before exit

  void *onend_arg;
  M *wirem, *lockedm;      // must run on this worker (nested park; lockosthread)
  struct Group *group;     // the host's run it belongs to, or NULL (group.h); it keeps a reference
  int64_t created_by;      // goroutine id, and where: for dumps
  struct GTrace *in_trace; // what a trace knows of it (trace.c); made on first use, kept when the G is reused
  String *created_srcobj;
  int created_line;
  uint32_t nsel; // waiters in use: 0 unless parked in (or just woken from) a select

  Waiter w;      // for single-object waits
  int64_t since; // monotonic ns when it parked

  Waiter *sel;      // select: array of waiters (malloc'ed by select.c on first use, kept for reuse; NULL before)
  uint32_t selcap;  // room in sel (select.c only)
  uint32_t nlocked; // calls of lockosthread not taken back
  Timer *sleeper;   // for time.sleep; made on first use, kept when the G is reused
  G *listnext;      // link in a GCensus (report.c): while the world is stopped
  char *trace;      // traceback of the error that is ending it (report.c: text_keep)
  char *message;    // text of that error if it is no string, NULL otherwise
  void *wanted;     // by a wait that may be given something: what it waits on (sync.c: sync_giveback)
  int64_t units;    // the semaphore's, then
};

// ---- parking and waking ---------------------------------------------------------------------------
// The caller has filled a Waiter of L->g, put it into obj's queue and holds *lk. Not nested: sets the state, unlocks
// and returns RT_PARK: from the unlock on do not touch L. Nested: blocks this worker (P handed on), returns RT_DONE.
int g_park(lua_State *L, WaitReason why, Lock *lk);
// The same for a C function: `return g_parkc(L, why, lk, kctx, k);` k(L, LUA_YIELD, kctx) continues it.
int g_parkc(lua_State *L, WaitReason why, Lock *lk, lua_KContext kctx, lua_KFunction k);
// g_park / g_parkc for who holds several locks, or none: instead of unlocking one lock, calls
// unlockall(arg) after the change of state; from then on do not touch L, arg or the G. Used by select, and with an
// unlockall that does nothing by those who wait forever (nil channel, select without cases).
int g_park_fn(lua_State *L, WaitReason why, void (*unlockall)(void *arg), void *arg);
int g_parkc_fn(lua_State *L, WaitReason why, void (*unlockall)(void *arg), void *arg, lua_KContext kctx,
               lua_KFunction k);
// g_park for who must stay on this thread: it waits, with its P handed on, however deep C frames lie.
void g_park_thread(lua_State *L, WaitReason why, Lock *lk);
// Marking (rt_markroots): mark g->w.v of every live G whatever its status, and g->sel[0 .. g->nsel-1].v: a value handed
// over stays only there until the goroutine runs. chan.c and select.c keep w.v nil and nsel 0 otherwise.
// Makes a waiting goroutine runnable (into runnext of this worker's P, or the global queue when the caller has none).
// No lock of rank above RANK_SCHED held. The release of its status pairs with the acquire in g_execute.
void g_ready(Ctx *ctx, G *g);
// In place of finishing a wait that was called off (INTR_PARKED in G.intr): raises the error.
void rt_calledoff(lua_State *L);
// Gives way, behind all others, in a C function: `return g_yieldc(L, kctx, k);`. k NULL: no results.
int g_yieldc(lua_State *L, lua_KContext kctx, lua_KFunction k);
// time.sleep. Nested it is a blocking region, reported as `sleep`.
int g_sleepc(lua_State *L, int64_t ns, lua_KContext kctx, lua_KFunction k);

// A new goroutine running the function and nargs arguments on top of L's stack (popped, shared). Starts the workers
// and the monitor on first use. The new G is runnable on return. onend may be NULL.
// `arg` of onend is NULL or a heap object (Obj *): rt_markroots marks g->onend_arg while the goroutine
// lives, so that a wait group that nobody else refers to outlives its goroutines.
G *g_go(lua_State *L, int nargs, void (*onend)(lua_State *, G *, void *, int), void *arg);
// A new goroutine that calls fn without arguments, started by a worker that holds a P and runs no
// goroutine (a timer's fire). fn is shared already, share_universe was called. NULL: out of memory.
// group: number of the host's run it belongs to (group_idof); if that has ended, nothing is started.
G *g_go_value(Ctx *ctx, const Value *fn, int64_t group);
// The same, for the runtime's own: not counted, not shown.
G *g_go_system(Ctx *ctx, const Value *fn);
// A goroutine of group gr (NULL: none), whoever starts it; as g_go.
G *g_go_group(lua_State *L, int nargs, struct Group *gr, void (*onend)(lua_State *, G *, void *, int));

// ---- timers (timer.c) -----------------------------------------------------------------------------
// fire runs on a worker that holds a P, outside any goroutine, with no lock held: it may call g_ready, non-blocking
// channel operations, g_go_value; never Lua code.
struct Timer {
  int64_t when, period; // monotonic ns; period 0: once
  void (*fire)(Ctx *ctx, Timer *t, int64_t now);
  void *arg;
  Obj *owner; // heap object that contains or keeps this timer, marked while the timer is armed
              // and `keep`; otherwise an unreferenced one is stopped by the collector
  P *p;       // heap it is in, guarded by p->timerlock
  int idx;    // position in the heap, -1: not armed
  bool keep;
};
void timer_init(Timer *t, void (*fire)(Ctx *, Timer *, int64_t), void *arg, Obj *owner);
void timer_start(lua_State *L, Timer *t, int64_t when, int64_t period); // (re)arms; may raise out of memory
bool timer_stop(Runtime *rt, Timer *t); // true: it was armed. After return fire is not running unless by this worker.
// The same for a fire that takes a lock which the caller holds: fire may still be running on return.
bool timer_stop_nowait(Timer *t);
int64_t mono_ns(void);
int64_t timer_clock(lua_State *L); // the time that timers go by: mono_ns(), unless it is made reproducible (lockstep.c)
// Seconds (integer or float Lua value at arg) to ns, Go's nearest: NaN is an argument error; negative 0; huge
// INT64_MAX.
int64_t time_checkduration(lua_State *L, int arg);

// ---- the runtime of one Global ---------------------------------------------------------------------
Runtime *rt_of(Global *gl);
int rt_gomaxprocs(lua_State *L, int n); // n < 1: only asks. May stop the world.
int rt_numcpu(void);                    // CPUs this process may use (affinity, cgroup quota)
int rt_numgoroutine(Runtime *rt);
void rt_setseed(lua_State *L, uint64_t seed); // --seed: every random choice of the scheduler follows from it
struct SchedStats {
  uint64_t steals, handoffs, preemptions, parks, gos, spins;
};
void rt_stats(Runtime *rt, struct SchedStats *out);
void rt_lockosthread(lua_State *L);
void rt_unlockosthread(lua_State *L);
int rt_goexitc(lua_State *L); // runtime.goexit: runs deferred calls and ends; `return rt_goexitc(L)`
// Text of one goroutine (g == L->g) or of all, as Go's dumps; pushes a string.
void rt_pushdump(lua_State *L, bool all);
// runtime.leaks: a collection, then pushes the list of goroutines that nothing can ever wake.
void rt_pushleaks(lua_State *L);
// os.exit. close: closes the universe before, as lua_close does. Other goroutines stop where they are.
_Noreturn void rt_exit(lua_State *L, int status, bool close);
void leaks_at_exit(lua_State *L); // L's goroutine ends the process, in order: the report of LUNGO_LEAKS, if wanted
_Noreturn void rt_fatal(Runtime *rt, const char *msg); // "fatal error: msg", dump of all goroutines, exit status 2

#endif
