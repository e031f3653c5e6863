// SPDX-License-Identifier: MIT
//
// sched_int.h: the private types of the scheduler: M, P and Runtime, and what its files call in each other.
//
// What:       P states and who moves them:
//
//               P_IDLE --p_acquire--> P_RUNNING --rt_block_enter--> P_SYSCALL --rt_block_leave--> P_RUNNING
//                 ^  ^                  |    |                        |    |
//                 |  +---- p_release ---+    +--- stw_wait, m_stop    |    +--- stop_world ---> P_GCSTOP
//                 +---- sysmon retakes it --------- for a stop -------+        (start_world: IDLE, or RUNNING
//                                                        |                      if its M stopped holding it)
//                                                        +--> P_GCSTOP
//               P_DEAD: above the current gomaxprocs. Its timers stay in its heap and are run by the others.
//
// Invariants: a P in P_IDLE is in rt->idlep, or in transit in the hands of exactly one thread (M.nextp included).
//             m->p == p and p->m == m while P_RUNNING. p->m is NULL while idle. In P_SYSCALL p->m names the thread that
//             blocks, which does not have it any more: m->p is NULL and whoever swaps the status away owns the P.
//             A thread without a P touches no Lua object.
//             An M in rt->idlem sleeps (or is about to) on its note, and is taken out by whoever sets its note.
// Locking:    rt->lock guards the fields marked [L]. Atomics say whom they pair with.
// See also:   sched.c (choosing what to run), proc.c (threads and processors), park.c, stw.c, sysmon.c, host.c.
#ifndef LUNGO_RUNTIME_SCHED_INT_H
#define LUNGO_RUNTIME_SCHED_INT_H

#include "futex.h"
#include "lockrank.h"
#include "runq.h"
#include "sched.h"
#include "heap.h"
#include <pthread.h>
#include <setjmp.h>

#define MAX_PROCS 1024
#define SLICE_NS INT64_C(10000000) // a goroutine computes that long before it must give way
#define GFREE_LOCAL 64             // dead Gs a P keeps for itself
#define BURST 128                  // goroutines that one may start before it lets them run (sched.c: g_launch)
#define CACHE_LINE 64
#define INTR_REQUESTS 8 // interrupts of different goroutines that may be asked for at once

typedef enum PStatus { P_IDLE, P_RUNNING, P_SYSCALL, P_GCSTOP, P_DEAD } PStatus;

typedef struct TimerEntry {
  int64_t when;
  Timer *t;
} TimerEntry;

struct P {
  // By the worker that holds the P; others read.
  _Alignas(CACHE_LINE) Runq runq;
  _Atomic uint32_t schedtick;   // goroutines started to run here, not counting those that inherited the slice
  _Atomic uint32_t overtick;    // schedtick of a slice that has had its time: nobody inherits it any more. By sysmon,
                                // or, where slices do not go by the clock, by the worker
  _Atomic uint32_t syscalltick; // blocking regions begun
  uint64_t rng;                 // of random choices: in the Ctx of the worker that holds the P, else here
  uint32_t nyield;              // schedyield: safepoints until the next forced yield
  Cache *cache;                 // NULL until the P is used first
  GList gfree;                  // dead Gs, their states kept if they may be reused
  int64_t idnext, idend;        // batch of goroutine ids
  _Atomic int64_t ngo;          // goroutines started minus ended here; only the sum over all Ps means something
  _Atomic uint64_t nsteals, npreempts, nparks, ngos, nspins;
  uint32_t burst;          // goroutines started here by the present turn; BURST asks it to give way
  uint64_t readytime;      // cycle counter when runnext was filled (see park.c)
  _Atomic uint32_t streak; // runnexts that were run here soon after, in a row; a thief resets it

  _Alignas(CACHE_LINE) _Atomic uint32_t status;
  _Atomic(M *) m;
  int id;
  struct TraceBuf *trace; // by the worker that holds the P; NULL until it notes an event (trace.c)
  P *idlelink;            // [L] next in rt->idlep
  // sysmon only
  uint32_t mon_schedtick, mon_syscalltick;
  int64_t mon_schedwhen, mon_syscallwhen;

  // Timers: timerlock guards heap, ntimers, captimers, firing*, and every Timer whose p is this P.
  _Alignas(CACHE_LINE) Lock timerlock;
  TimerEntry *heap;
  uint32_t captimers;
  _Atomic uint32_t ntimers;
  _Atomic int64_t timer0; // when the first is due, NS_FOREVER if none; written under timerlock, read by anyone
  M *firing;              // the worker that runs timers of this heap now: one at a time
  Timer *firing_timer;    // the one whose fire is being called
};

typedef enum MWhere { M_BUSY, M_IDLE, M_NESTED, M_LOCKED } MWhere;

struct M {
  Ctx ctx; // first: what the VM sees
  Runtime *rt;
  P *p;                      // held, or NULL
  P *oldp;                   // the P a blocking region began with
  G *g;                      // running
  bool spinning;             // looks for work; counted in rt->nspinning
  bool insched;              // a goroutine entered by m_execute runs: it may park flat when ctx.nlevels is 1
  bool infire;               // calls a timer's fire
  bool is_host;              // M0: a thread of the host program
  bool helper;               // [L] woken to help a stopped world, without a P
  _Atomic uint32_t syscalls; // blocking regions entered and left: odd inside one
  _Atomic bool sleeps;       // in park.c: sleep_nested, on G.intr
  _Atomic uint32_t note;     // sleeping: 0; set to 1 by the waker
  _Atomic uint8_t where;     // MWhere, changed under rt->lock
  P *nextp;                  // [L] given by the waker
  G *lockedg;                // lockosthread: runs only this one
  M *idlenext, *idleprev;    // [L] rt->idlem
  M *allnext;                // rt->allm, push only
  int id;
  jmp_buf quit; // where the thread's loop unwinds to
};

#define SLAB_GS 64
typedef struct GSlab {
  struct GSlab *next;
  _Alignas(CACHE_LINE) G g[SLAB_GS];
} GSlab;

// A job of rt_stw_parallel. state: JOB_OPEN while workers may join, and the number of those inside.
#define JOB_OPEN 0x80000000u
typedef struct StwJob {
  void (*fn)(void *arg, int worker);
  void *arg;
  _Atomic uint32_t state;
  _Atomic uint32_t nextindex; // worker numbers given out
} StwJob;

typedef enum StopKind { STOP_NONE, STOP_GC, STOP_OTHER } StopKind;

// Text of a dying goroutine when there is no memory to keep it: of the first one, cut.
typedef struct SpareText {
  _Atomic bool taken;
  char text[2048];
} SpareText;

struct Runtime {
  Global *gl;
  M *m0;
  G *g1;
  P *allp[MAX_PROCS]; // [0, nallp): never freed before rt_free
  _Atomic int nallp;
  _Atomic int nprocs;   // gomaxprocs; allp[nprocs..] are dead
  _Atomic bool started; // sysmon runs, all Ps exist
  int wantprocs;        // what rt_start makes nprocs
  SpareText sparetext;

  _Alignas(CACHE_LINE) Lock lock;
  GList globq;  // [L]
  P *idlep;     // [L]
  M *idlem;     // [L]
  int nblocked; // [L] threads that will come back for a P: in blocking regions, or theirs was abolished
  M *sleeper;   // [L] idle M that waits for the next timer
  int nextmid;  // [L]

  _Alignas(CACHE_LINE) _Atomic uint32_t globn; // globq.n, for a look without the lock
  _Atomic bool globfirst;                      // its first has not to wait for its turn; written under lock
  _Atomic int npidle;
  _Atomic int nspinning;
  _Atomic int64_t sleep_until; // when the sleeper wakes; NS_FOREVER if there is none
  _Atomic(M *) allm;
  _Atomic int nthreads; // started by us and not ended
  _Atomic uint64_t nhandoffs;

  // stop the world (stw.c)
  _Atomic bool stopping;     // written under lock
  StopKind stopkind;         // [L]
  M *stopper;                // [L] NULL for sysmon
  int64_t stopbegan;         // for the trace, by the stopper
  _Atomic int stopwait;      // Ps still running; written under lock
  _Atomic uint32_t stopnote; // the stopper sleeps on it
  _Atomic uint32_t stopseq;  // ++ at the end of each stop
  _Atomic uint32_t stwevent; // ++ for each job and end: stopped workers sleep on it
  _Atomic uint32_t jobnote;  // the stopper sleeps on it until its job is done
  StwJob job;
  bool frozen;        // M0 stopped the world and went back to the host
  _Atomic bool dying; // rt_free: threads must end

  // sysmon
  _Atomic uint32_t monnote;
  _Atomic bool monasleep;    // deep sleep: everything is idle. Set under lock
  _Atomic int64_t mon_until; // when its present nap ends
  int schedtrace;

  // goroutines
  Lock glock; // guards slabs, gfree, nextid
  GSlab *slabs;
  GList gfree;
  int64_t nextid;
  uint32_t slabcount;
  _Atomic int64_t ngo; // ends and starts not tied to a P

  // finalizers
  _Atomic bool fin_wanted, fin_running;

  // lungo_run
  struct lungo_Runtime *hub; // host threads and goroutines meet there (hub.h); NULL: not needed yet
  _Atomic int nhost;         // goroutines that wait for the host (lungo_await)
  bool detached;             // made by lungo_new: no thread of the host belongs to it
  bool orphaned;             // [L] rt_free left the rest to the last thread that ends
  _Atomic int runflags;      // atomic: goroutines of an earlier run look at it while the next one begins (os.exit)
  _Atomic bool main_done;    // goroutine 1 ended; its status:
  int main_status;
  _Atomic int64_t exit_at; // when sysmon ends the process, unless the others stop before; or NS_FOREVER
  _Atomic bool exiting;    // os.exit was called; with this status:
  _Atomic int exit_status;
  _Atomic(M *) closer;         // runs lua_close: the first that wanted to
  _Atomic bool no_main;        // a goroutine closes the universe: goroutine 1 never runs again
  bool main_goexit;            // [L] it ended by goexit: the others run on
  _Atomic uint32_t main_claim; // who ends the run: 0 nobody, 1 M0, 2 another worker, by ending the process
  _Atomic bool quit_wanted;    // SIGQUIT arrived

  // interrupts (interrupt.c)
  _Atomic bool intr_wanted;                 // sysmon must look
  _Atomic uint64_t intr_req[INTR_REQUESTS]; // what was asked for and not yet served; 0: free

  uint64_t seed;
  int schedyield;
  bool seeded;           // by --seed: in lockstep, with one processor (lockstep.c)
  _Atomic bool lockstep; //
  _Atomic int64_t clock; // then: the time that timers go by
  _Atomic int64_t ahead; // how much mono_ns() was ahead of it when the P became idle
};

// The world order of bits that another thread may want M to see.
static inline void m_poll(M *m, uint32_t bits) { atomic_fetch_or_explicit(&m->ctx.poll, bits, memory_order_seq_cst); }
static inline M *m_of(Ctx *ctx) { return (M *)ctx; }
static inline void m_setp(M *m, P *p) { // and p->m: by who knows what it was
  m->p = p;
  m->ctx.cache = p->cache;
  m->ctx.proc = (uint32_t)p->id;
}
static inline void sched_lock(Runtime *rt) { lock_ranked(&rt->lock, RANK_SCHED); }
static inline void sched_unlock(Runtime *rt) { unlock_ranked(&rt->lock, RANK_SCHED); }
static inline PStatus p_status(P *p) { return (PStatus)atomic_load_explicit(&p->status, memory_order_acquire); }
static inline void p_setstatus(P *p, PStatus s) { atomic_store_explicit(&p->status, s, memory_order_release); }
static inline bool p_swapstatus(P *p, PStatus from, PStatus to) {
  uint32_t want = from;
  return atomic_compare_exchange_strong_explicit(&p->status, &want, to, memory_order_seq_cst, memory_order_acquire);
}
static inline GStatus g_status(G *g) { return (GStatus)atomic_load_explicit(&g->status, memory_order_acquire); }

extern _Atomic bool trace_on; // trace.h
void trace_state(G *g, GStatus from, GStatus to);
bool g_arrowexists(GStatus from, GStatus to); // debug builds: is it drawn in sched.h? (sched.c)
static inline void g_setstatus(G *g, GStatus from, GStatus to) {
  lg_assert(g_status(g) == from && g_arrowexists(from, to));
  if (unlikely(atomic_load_explicit(&trace_on, memory_order_relaxed))) trace_state(g, from, to);
  atomic_store_explicit(&g->status, (uint8_t)to, memory_order_release);
}
static inline bool rt_stopping(Runtime *rt) { return atomic_load_explicit(&rt->stopping, memory_order_acquire); }

// m comes back to a goroutine that must not go on.
static inline bool m_isover(const M *m) {
  return unlikely(atomic_load_explicit(&m->rt->no_main, memory_order_relaxed)) && m->g == m->rt->g1;
}

// A counter that one worker writes and others read.
#define stat_add(field, n)                                                                                             \
  atomic_store_explicit(&(field), atomic_load_explicit(&(field), memory_order_relaxed) + (n), memory_order_relaxed)
#define stat_get(field) atomic_load_explicit(&(field), memory_order_relaxed)

// xorshift64*: never 0 once seeded.
static inline uint64_t rng_next(uint64_t *s) {
  uint64_t x = *s;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *s = x;
  return x * UINT64_C(0x2545F4914F6CDD1D);
}
uint64_t rng_seed(uint64_t seed, uint64_t stream);

// ---- sched.c: the loop of a worker ----
void m_run(M *m); // runs goroutines until the thread must stop (dying; M0: main is done)
void m_execute(M *m, G *g, int nargs);
void begin_endcall(M *m, G *g); // g has ended on m, but may call Lua
void stop_for_world(M *m);      // the world is being stopped: m gives its P to that and sleeps until it has one again
void idle_until_p(M *m);        // m has no P: sleeps until it has one
void globq_put(Runtime *rt, G *g); // takes rt->lock
void globq_put_locked(Runtime *rt, G *g);
void globq_putfirst(Runtime *rt, G *g);
void runq_ready(M *m, G *g, bool next); // own P's queue, or the overflow into the global one
G *g_alloc(M *m);                       // a dead G to fill, NULL: no memory. Its L may be there for reuse
void g_free(M *m, G *g);
void slab_free(GSlab *s); // with what its Gs own
static inline void slice_setover(P *p, uint32_t tick) {
  atomic_store_explicit(&p->overtick, tick, memory_order_relaxed);
}
static inline bool slice_isover(P *p) { return stat_get(p->schedtick) == stat_get(p->overtick); }
void slice_end(M *m); // what would inherit the slice goes behind all others instead
int64_t g_nextid(M *m);
void g_each(Runtime *rt, void (*fn)(G *g, void *arg), void *arg); // every G that is not dead
void p_drainqueues(Runtime *rt, P *p); // a P that dies: what it holds goes to the shared lists. rt->lock held

// ---- proc.c ----
int rt_start(Runtime *rt, M *m); // all Ps and sysmon; 0 or -errno. Idempotent
P *p_new(Runtime *rt, int id);
void p_free(Runtime *rt, P *p);
P *pidle_get_locked(Runtime *rt);
void pidle_put_locked(Runtime *rt, P *p);
void p_acquire(M *m, P *p);
P *p_release(M *m);
void p_wake(Runtime *rt);          // one more worker, if a P is idle and nobody is looking for work already
void p_handoff(Runtime *rt, P *p); // p belongs to nobody: find it a worker, or make it idle
void m_start(Runtime *rt, P *p, bool spinning); // a worker for p (NULL: any idle one)
bool m_start_locked_g(M *m, G *g);              // g must run on another thread: give it our P. False: not done, P kept
void m_waitp(M *m, MWhere where);               // no P: sleep until somebody hands one over. May not return (dying)
void m_reacquire(M *m, G *g);                   // m runs g but has no P: an idle one, or queue and wait
_Noreturn void m_stayaway(M *m);                // what m runs never goes on: its P, if it has one, is handed on
bool m_sleepidle(M *m, int64_t until);          // in rt->idlem, rt->lock held on entry, not on return. True: has a P
bool note_sleep(M *m, int64_t deadline);
void m_give_locked(M *m, P *p); // sets m's next P and its note; the caller calls m_wake(m) after unlocking
void m_wake(M *m);
void m_wakeall(Runtime *rt); // rt_free: everybody looks at rt->dying
M *m_takeidle_locked(Runtime *rt);
void m_unidle_locked(M *m);
void stop_count(Runtime *rt); // rt->lock held: one more P is stopped; wakes the stopper at the last
_Noreturn void m_quit(M *m);
bool rt_isquiet_locked(Runtime *rt);   // nothing will ever happen again by itself
void rt_checkdead_locked(Runtime *rt); // all Ps are idle: is there hope? May not return
M *m_new(Runtime *rt);
bool m_spawn(M *m);                                           // starts the OS thread
int thread_start(Runtime *rt, void *(*f)(void *), void *arg); // detached, signals blocked; counted. 0 or -errno
void m_setcurrent(M *m);

// ---- park.c ----
void g_readyfirst(Runtime *rt, G *g); // as g_ready; g runs before all that are runnable
bool sleeper_wake(G *g);              // world stopped: if g's thread sleeps for it, that is over. Was it so?
void m_blockg(M *m, G *g);            // nested wait: P handed on, until g is to run again
void m_regain(M *m, G *g);            // after m_waitp(M_NESTED)
int yield_now(lua_State *L, bool flat, bool near);

// ---- timer.c ----
int64_t timers_run(M *m, P *p, int64_t now); // fires what is due; returns when the next one is
int64_t timers_earliest(Runtime *rt, P **whose);
void timers_shift(Runtime *rt, int64_t ns); // world stopped: all are due so much later
void timers_rundue_slow(M *m);
int timer_insert_locked(Runtime *rt, P *p, Timer *t, int64_t when, int64_t period); // 0 or -ENOMEM; wakes nobody
P *timer_lock(M *m, Timer *t);              // the P that has or gets t, its timerlock held
void timer_poke(Runtime *rt, int64_t when); // after an insert, nothing locked: somebody must wake up in time
void timers_markroots(Runtime *rt, struct Marker *mk);
void timers_aftermark(Runtime *rt);
void timers_free(P *p);
// Fires what is due on any P; a P is held.
static inline void timers_rundue(M *m) {
  int n = atomic_load_explicit(&m->rt->nallp, memory_order_acquire);
  for (int i = 0; i < n; i++) {
    if (likely(atomic_load_explicit(&m->rt->allp[i]->timer0, memory_order_relaxed) == NS_FOREVER)) continue;
    timers_rundue_slow(m);
    return;
  }
}

// ---- stw.c ----
bool stop_world_within(M *m, int64_t ns); // for STOP_OTHER; false: not possible in that time, nothing is stopped
bool stop_world(M *m, StopKind kind);     // false: another stop of that kind took place instead
void start_world(M *m);
void stw_wait(M *m); // at a safepoint, P held: until the stop is over
void stw_help(M *m); // idle M woken as helper
void stw_blockenter(Runtime *rt, P *p);
int stop_world_for_good(Runtime *rt, int64_t deadline);
void rt_freeze(M *m);
void rt_unfreeze(M *m);
void stop_world_monitor(Runtime *rt, int64_t timeout_ns); // for a last dump, from a thread that is no M; best effort
bool try_stop_world_monitor(Runtime *rt); // from sysmon; false: somebody else has stopped it, nothing was done
void start_world_monitor(Runtime *rt);

// ---- sysmon.c ----
int sysmon_start(Runtime *rt);
void sysmon_wake(Runtime *rt);
void rt_signals(Runtime *rt); // SIGQUIT: for the lungo command
void rt_nosignals(Runtime *rt);
void rt_quit_poll(M *m); // SIGQUIT arrived: prints all goroutines and ends the process, unless sysmon will

// ---- roots.c, leaks.c ----
void g_mark(G *g, struct Marker *mk); // all that g holds
bool leaks_ishidden(const G *g);      // leak pass: g's stack is hidden

// ---- host.c ----
// Calls its first argument with the others: a script's main function. Lua's own command does that by a C function too,
// which a script sees as the last level of a traceback and of debug.getinfo.
int rt_script(lua_State *L);

// ---- report.c ----
typedef struct GCensus { // needs no memory; one at a time, while the world is stopped
  G *first;
  size_t n;
} GCensus;
void census_add(GCensus *l, G *g);
void census_sort(GCensus *l); // by number

void text_drop(Runtime *rt, G *g); // frees trace and message

typedef struct GInfo {
  int64_t id, waited; // ns
  int64_t created_by; // 0: nobody
  const char *state;
  char *frames;                  // malloc'ed traceback without heading
  char created[LUA_IDSIZE + 16]; // "file:line", empty if not known
} GInfo;
bool report_describe(G *g, GInfo *out);                  // false: out of memory, nothing to free
void report_leaks(const GCensus *leaked);                // on stderr
_Noreturn void dump_exit(Runtime *rt, const char *head); // everything stopped: prints head and all goroutines, exits 2
void dump_raw(Runtime *rt, const char *head);            // the same in a signal handler, without exit
char *error_text(lua_State *L, G *g, bool panic);        // malloc'ed text for the error value on top; NULL: no memory
void panic_report(lua_State *L, G *g);                   // prints `panic: ...` for the error value on top
_Noreturn void process_exit(int status);

// ---- modlock.c ----
void modlock_reap(M *m); // goroutines of ended groups that wait to enter a module run again

// ---- final.c ----
void final_maybe(M *m);                          // finalizers wait: start their goroutine
void final_ended(Runtime *rt, G *g, int status); // a system goroutine ends: is it that?
void final_kill_locked(struct lungo_Runtime *h, struct Group *gr, int64_t now); // gr was told to end; h->lk held
void final_alone(struct Group *gr);                                             // no goroutine of it is left
void final_gone_locked(struct Group *gr);                                       // gr is about to be freed; h->lk held
bool final_isbereft(const G *g);             // it runs what a run with limits left that is gone
void final_release(struct lungo_Runtime *h); // the runtime is freed

// ---- interrupt.c ----
void interrupt_clear(Runtime *rt);           // a new run begins: what was asked for the last one does not concern it
void interrupt_serve(Runtime *rt);           // sysmon, when rt->intr_wanted
void interrupt_again(Runtime *rt);           // a goroutine with an interrupt pending waits: asks sysmon to look
void interrupt_deadlock_locked(Runtime *rt); // all is quiet: goroutine 1 gets an error, if it is still so
// L's goroutine has something pending (G.intr): raises it. Returns if there is nothing to raise.
void interrupt_raise(lua_State *L);
// Calling a wait off (world stopped, g is G_WAITING): takes g out of what it waits in, as if it had never come; the
// caller readies g and then *woken, others who go on now. False: it cannot be, and nothing has changed.
bool calloff(Runtime *rt, G *g, Waiter **woken);
// Where g has something to do before it can end: makes it runnable. False: nothing done, use calloff.
bool calloff_gently(G *g);

// ---- host.c / sched.c ----
void end_patience(Runtime *rt, bool on); // LUNGO_LAST, os.exit: from now on the others have only so long to let go
void host_notify(M *m);                  // goroutine 1 ended on another worker than M0
bool host_detach(lua_State *L);          // the calling thread leaves L to the workers; false: they cannot be started
bool host_attach(Runtime *rt, int64_t deadline); // and comes back; false: no P became free
bool host_alone(Runtime *rt, int64_t deadline);
void rt_threadends(Runtime *rt);
void block_giveup(M *m, P *p); // m blocks, having left p in P_SYSCALL: others may have it at once (block.c)

#endif
