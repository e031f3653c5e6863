// SPDX-License-Identifier: MIT
//
// sched.pml: how workers look for goroutines, go to sleep and are woken, and how the end of hope is found (runtime/sched.c,
// proc.c, park.c, block.c, sysmon.c).
//
// What:       a process M is a worker thread with its loop find_work, m_execute; goroutines are little programs (prog)
//             that the Ms interpret. BUSY is a goroutine that computes, with its P, until another one ended: so that
//             one must get a worker of its own. Monitor is the system monitor's part: it retakes Ps of blocking regions
//             and looks for work that nobody was woken for (check_idle).
// Checked:    when nothing can move any more, the program has ended as it must: goroutine 0 ended, or (DEAD) the
//             deadlock was reported. It is never reported while a goroutine is runnable, running or in a blocking
//             region. P states change along the arrows of sched_int.h; each P has one owner; a goroutine is in one
//             queue; one that is nested continues on its thread only; counters never go below zero.
// Abstracted: a run queue is a FIFO with atomic put and take (runq.pml looks inside), a thief takes one. Heuristics
//             (worth_waking, when sysmon looks) are free choices; sysmon acts only if it finds something. Critical
//             sections of rt->lock are one step where only one of their effects can be seen without the lock.
//             Stopping the world, timers, and threads that cannot be started are left out.
//
// pan: -E
// check: -DSPAWN -DNP=2
// check: -DBUSYWAIT -DNP=2
// check: -DBUSYWAIT -DNP=3 -DSYSMON -DEXTRA=1
// check: -DREADY_BUSY -DNP=2 -DSYSMON
// sample: -DREADY_AFTER -DNP=2 -DSYSMON
// check: -DSYSCALLS -DNP=1 -DSYSMON -DEXTRA=3
// check: -DSYSCALLS -DNP=1 -DSYSMON -DRETAKES_ONLY -DEXTRA=3
// sample: -DSYSCALLS -DNP=2 -DSYSMON
// check: -DYIELDS -DNP=2
// check: -DNESTED -DNP=2
// check: -DNESTED -DNP=1
// check: -DNESTED_SYSCALL -DNP=1 -DSYSMON
// check: -DDEAD -DNP=2
// check: -DDEAD_SYSCALL -DNP=1 -DSYSMON
// sample: -DDEAD_SYSCALL -DNP=2 -DSYSMON
// mutant: -DBUSYWAIT -DNP=2 -DMUT_NO_RECHECK
// mutant: -DBUSYWAIT -DNP=2 -DMUT_LOOK_FIRST
// mutant: -DBUSYWAIT -DNP=2 -DMUT_SPIN_END_LATE
// mutant: -DREADY_BUSY -DNP=2
// mutant: -DREADY_AFTER -DNP=2 -DSYSMON -DMUT_MON_NOT_WOKEN
// mutant: -DSYSCALLS -DNP=1 -DSYSMON -DRETAKES_ONLY -DEXTRA=3 -DMUT_IDLE_UNCHECKED
// mutant: -DNESTED -DNP=1 -DMUT_HANDOFF_UNCHECKED
// mutant: -DDEAD_SYSCALL -DNP=2 -DSYSMON -DMUT_DEAD_BLOCKED
// mutant: -DNESTED -DNP=2 -DMUT_NO_NOTE

#ifndef EXTRA
#define EXTRA 2
#endif
#define NM (NP + EXTRA) // workers; when they are all in use, starting one more waits until one is idle
#define NG 4
#define LEN 5 // of a program, END included
#define NONE 255

mtype = { IDLE, RUNNABLE, RUNNING, WAITING, INSYSCALL, ENDED };  // of goroutines
mtype = { P_IDLE, P_RUNNING, P_SYSCALL };                        // of Ps
mtype = { M_BUSY, M_IDLE, M_WAITS };                             // of workers
mtype = { END, GO, READY, PARK, PARKNESTED, SYSCALL, YIELD, BUSY, FOREVER };

mtype prog[NG * LEN]; // END (0) at the end
byte arg[NG * LEN];
byte pc[NG];
mtype status[NG] = IDLE;
byte event[NG]; // how many READY came before PARK
byte wirem[NG] = NONE;
byte nended;

chan runq[NP] = [NG] of { byte };
chan globq = [NG] of { byte };
mtype pstat[NP] = P_IDLE;
bool pidle[NP]; // in rt->idlep
short npidle, nspinning;
short nblocked;
byte rtlock = NONE;

bool spinning[NM], note[NM];
byte nextp[NM] = NONE;
mtype where[NM] = M_BUSY;

bool monasleep, monnote;
bool dead, over; // reported; goroutine 0 ended

inline sched_lock() { atomic { rtlock == NONE && !over && !dead -> rtlock = me } } // the end freezes all
inline sched_unlock() { atomic { assert(rtlock == me); rtlock = NONE } }
inline setp(x, from, to) { assert(pstat[x] == from); pstat[x] = to }

// ---- processors: under rt->lock ----

inline pidle_get() { // result in `x`
  atomic {
    if
    :: pidle[0] -> x = 0
#if NP > 1
    :: !pidle[0] && pidle[1] -> x = 1
#endif
#if NP > 2
    :: !pidle[0] && !pidle[1] && pidle[2] -> x = 2
#endif
    :: else -> x = NONE
    fi;
    if
    :: x != NONE ->
      pidle[x] = false;
      npidle--;
      assert(npidle >= 0);
#ifndef MUT_MON_NOT_WOKEN
      if
      :: monasleep -> monnote = true // sysmon_wake
      :: else
      fi
#endif
    :: else
    fi
  }
}

inline pidle_put(y) {
  atomic {
    assert(pstat[y] == P_IDLE && !pidle[y]);
    pidle[y] = true;
    npidle++
  }
}

#define QUEUED(y) (len(runq[y]) > 0)
#if NP == 1
#define ANY_BLOCKS (pstat[0] == P_SYSCALL)
#define ANY_QUEUED QUEUED(0)
#elif NP == 2
#define ANY_BLOCKS (pstat[0] == P_SYSCALL || pstat[1] == P_SYSCALL)
#define ANY_QUEUED (QUEUED(0) || QUEUED(1))
#else
#define ANY_BLOCKS (pstat[0] == P_SYSCALL || pstat[1] == P_SYSCALL || pstat[2] == P_SYSCALL)
#define ANY_QUEUED (QUEUED(0) || QUEUED(1) || QUEUED(2))
#endif
#define ALIVE(y) (status[y] == RUNNABLE || status[y] == RUNNING || status[y] == INSYSCALL)

#ifdef MUT_DEAD_BLOCKED
#define NONE_BLOCKED true
#else
#define NONE_BLOCKED (nblocked == 0)
#endif

inline checkdead() { // rt_checkdead_locked
  atomic {
    if
    :: npidle == NP && len(globq) == 0 && !ANY_QUEUED && !over && NONE_BLOCKED ->
      assert(!ALIVE(0) && !ALIVE(1) && !ALIVE(2) && !ALIVE(3));
      dead = true
    :: else
    fi
  }
}

// ---- starting workers ----

#if NM == 3
#define ANY_IDLE (where[1] == M_IDLE || where[2] == M_IDLE || where[0] == M_IDLE)
#elif NM == 4
#define ANY_IDLE (where[1] == M_IDLE || where[2] == M_IDLE || where[3] == M_IDLE || where[0] == M_IDLE)
#else
#define ANY_IDLE \
  (where[1] == M_IDLE || where[2] == M_IDLE || where[3] == M_IDLE || where[4] == M_IDLE || where[0] == M_IDLE)
#endif

// m_start(rt, x, spin), x NONE: any idle P. If `spin`, the caller counted it in nspinning.
inline m_start(spin) {
  atomic { rtlock == NONE && !over && !dead && ANY_IDLE -> rtlock = me }; // a new thread takes its time
  atomic {
    if
    :: x == NONE -> pidle_get()
    :: else
    fi;
    if
    :: x != NONE -> // m_takeidle_locked, m_give_locked
      y = 0;
      do
      :: where[y] == M_IDLE -> break
      :: else -> y++
      od;
      where[y] = M_BUSY;
      spinning[y] = spin;
      assert(nextp[y] == NONE);
      nextp[y] = x;
      note[y] = true
    :: else
    fi;
    y = 0
  };
  sched_unlock();
  if
  :: x == NONE && spin -> nspinning--
  :: else
  fi;
  x = NONE
}

inline p_wake() {
  if
  :: npidle == 0 -> skip
  :: else ->
    if
    :: nspinning != 0 -> skip
    :: else ->
      atomic {
        took = (nspinning == 0);
        if
        :: took -> nspinning++
        :: else
        fi
      };
      if
      :: took -> took = false; x = NONE; m_start(true)
      :: else
      fi
    fi
  fi
}

// h belongs to nobody.
inline p_handoff(h) {
  x = h;
  if
#ifdef MUT_HANDOFF_UNCHECKED
  :: false
#else
  :: QUEUED(x) || len(globq) > 0 -> m_start(false)
#endif
  :: else ->
    took = (NP > 1 && npidle == 0); // should_spin
    if
    :: took -> atomic {
        took = (nspinning == 0);
        if
        :: took -> nspinning++
        :: else
        fi
      }
    :: else
    fi;
    if
    :: took -> took = false; m_start(true)
    :: else ->
      sched_lock();
      if
#ifndef MUT_HANDOFF_UNCHECKED
      :: len(globq) > 0 -> sched_unlock(); m_start(false)
#endif
      :: else -> pidle_put(x); checkdead(); sched_unlock(); x = NONE
      fi
    fi
  fi
}

// ---- a worker ----

inline p_acquire() { // x
  atomic {
    assert(p == NONE);
    p = x;
    setp(p, P_IDLE, P_RUNNING);
    x = NONE
  }
}

inline p_release(to) {
  atomic {
    setp(p, P_RUNNING, P_IDLE);
    to = p;
    p = NONE
  }
}

inline spin_begin() { atomic { assert(!spinning[me]); spinning[me] = true; nspinning++ } }
inline spin_end() { atomic { assert(spinning[me]); spinning[me] = false; nspinning--; assert(nspinning >= 0) } }

inline rejoin() {
  sched_lock();
  pidle_get();
  sched_unlock();
  if
  :: x != NONE -> p_acquire(); spin_begin()
  :: else
  fi
}

inline note_sleep() { atomic { note[me] -> note[me] = false } }

inline sleep_idle() { // result in `x`
  note_sleep();
  sched_lock();
  atomic {
    where[me] = M_BUSY;
    x = nextp[me];
    nextp[me] = NONE;
    note[me] = false
  };
  sched_unlock()
}

inline idle_until_p() {
  do
  :: sched_lock();
    where[me] = M_IDLE;
    sched_unlock();
    sleep_idle();
    if
    :: x != NONE -> p_acquire(); break
    :: else ->
      rejoin();
      if
      :: p != NONE -> break
      :: else
      fi
    fi
  od
}

inline m_waitp() {
  do
  :: sched_lock();
    atomic {
      x = nextp[me];
      nextp[me] = NONE;
      note[me] = false;
      where[me] = (x != NONE -> M_BUSY : M_WAITS)
    };
    sched_unlock();
    if
    :: x != NONE -> p_acquire(); break
    :: else -> note_sleep()
    fi
  od
}

inline globq_get() { // result in `g`
  atomic {
    rtlock == NONE;
    if
    :: globq?g
    :: empty(globq) -> g = NONE
    fi
  }
}

inline find_local() { // result in `g`
  if
  :: runq[p]?g
  :: empty(runq[p]) ->
    if
    :: len(globq) > 0 -> globq_get()
    :: len(globq) == 0 -> g = NONE
    fi
  fi
}

inline steal_work() { // result in `g`
  g = NONE;
  for (y : 0 .. NP - 1) {
    atomic {
      if
      :: g == NONE && y != p && QUEUED(y) -> runq[y]?g
      :: g != NONE || y == p || !QUEUED(y)
      fi
    }
  }
  y = 0
}

inline recheck() {
  y = 0;
  do
  :: y < NP && !QUEUED(y) -> y++
  :: y < NP && QUEUED(y) -> rejoin(); break
  :: y == NP ->
    if
    :: len(globq) > 0 -> rejoin()
    :: len(globq) == 0
    fi;
    break
  od;
  y = 0
}

inline go_idle() { // result in `g`
  sched_lock();
#ifdef MUT_IDLE_UNCHECKED
  g = NONE;
#else
  atomic {
    if
    :: globq?g
    :: empty(globq) -> g = NONE
    fi
  };
#endif
  if
  :: g != NONE -> sched_unlock()
  :: else ->
    atomic { p_release(x); pidle_put(x); x = NONE };
    checkdead();
    sched_unlock();
    if
    :: spinning[me] ->
#ifdef MUT_SPIN_END_LATE
      recheck();
      spin_end()
#else
      spin_end();
#ifndef MUT_NO_RECHECK
      recheck()
#endif
#endif
    :: else
    fi;
    if
    :: p == NONE -> idle_until_p()
    :: else
    fi
  fi
}

inline find_work() { // result in `g`
  do
  :: !over && !dead;
    find_local();
    if
    :: g != NONE -> break
    :: else
    fi;
    if // may_spin
    :: NP == 1 -> took = false
    :: NP > 1 && spinning[me] -> took = true
    :: else -> y = nspinning; atomic { took = (2 * y < NP - npidle); y = 0 }
    fi;
    if
    :: took ->
      took = false;
      if
      :: !spinning[me] -> spin_begin()
      :: else
      fi;
      steal_work()
    :: else
    fi;
    if
    :: g == NONE -> go_idle()
    :: else
    fi;
    if
    :: g != NONE -> break
    :: else
    fi
  od
}

inline publish(z) { // runq_ready
  atomic { assert(status[z] == RUNNABLE); runq[p]!z }
}

inline op_go(z) {
  atomic { assert(status[z] == IDLE); status[z] = RUNNABLE };
#ifdef MUT_LOOK_FIRST
  p_wake();
  publish(z)
#else
  publish(z);
  p_wake()
#endif
}

inline op_ready(z) { // the object's lock makes park and ready meet (chan.pml); then g_ready
  atomic {
    took = (status[z] == WAITING);
    if
    :: took -> status[z] = RUNNABLE
    :: else -> event[z]++
    fi
  };
  if
  :: took ->
    took = QUEUED(p);
    publish(z);
    if
    :: npidle > 0 ->
      if
      :: p_wake()
      :: !took -> skip // alone, and worth_waking says no
      fi
    :: else
    fi;
    took = false
  :: else
  fi
}

// Sets `left` if the goroutine gave up this worker.
inline op_park(nested) {
  atomic {
    if
    :: event[g] > 0 -> event[g]--; took = true
    :: else ->
      status[g] = WAITING;
      if
      :: nested -> wirem[g] = me
      :: else
      fi
    fi
  };
  if
  :: took -> took = false
  :: !took && !nested -> left = true
  :: else -> m_blockg()
  fi
}

inline m_blockg() {
  p_release(x);
  y = x;
  p_handoff(y);
  y = 0;
  m_waitp();
  atomic { // m_regain
    assert(status[g] == RUNNABLE && wirem[g] == me);
    wirem[g] = NONE;
    status[g] = RUNNING
  }
}

inline op_syscall() {
  atomic { status[g] = INSYSCALL; oldp = p; p = NONE }; // rt_block_enter
  setp(oldp, P_RUNNING, P_SYSCALL);
  atomic { // rt_block_leave
    took = (pstat[oldp] == P_SYSCALL);
    if
    :: took -> pstat[oldp] = P_RUNNING; p = oldp; status[g] = RUNNING
    :: else
    fi
  };
  oldp = NONE;
  if
  :: took -> took = false
  :: else -> // m_reacquire
    sched_lock();
    nblocked--;
    assert(nblocked >= 0);
    pidle_get();
    if
    :: x != NONE -> sched_unlock(); p_acquire(); status[g] = RUNNING
    :: else ->
      atomic { wirem[g] = me; status[g] = RUNNABLE; globq!g };
      sched_unlock();
      m_waitp();
      atomic { assert(status[g] == RUNNABLE && wirem[g] == me); wirem[g] = NONE; status[g] = RUNNING }
    fi
  fi
}

inline execute() { // m_execute
  atomic { assert(status[g] == RUNNABLE && p != NONE); status[g] = RUNNING };
  left = false;
  do
  :: left -> break
  :: else ->
    atomic {
      op = prog[g * LEN + pc[g]];
      a = arg[g * LEN + pc[g]];
      pc[g]++
    };
    if
    :: op == GO -> op_go(a)
    :: op == READY -> op_ready(a)
    :: op == PARK -> op_park(false)
    :: op == PARKNESTED -> op_park(true)
    :: op == SYSCALL -> op_syscall()
    :: op == BUSY -> status[a] == ENDED
    :: op == YIELD ->
      status[g] = RUNNABLE;
      sched_lock();
      globq!g;
      sched_unlock();
      left = true
    :: op == FOREVER -> status[g] = WAITING; left = true
    :: else -> atomic {
        status[g] = ENDED;
        nended++;
        left = true;
        if
        :: g == 0 -> over = true
        :: else
        fi
      }
    fi;
    atomic { op = 0; a = 0 }
  od;
  atomic { left = false; g = NONE }
}

inline start_locked_g() { // m_start_locked_g: g must run on another thread, which gets our P
  sched_lock();
  atomic {
    y = wirem[g];
    g = NONE;
    assert(nextp[y] == NONE);
    p_release(x);
    nextp[y] = x;
#ifndef MUT_NO_NOTE
    note[y] = true;
#endif
    x = NONE;
    y = 0
  };
  sched_unlock();
  idle_until_p()
}

proctype M(byte me) {
  byte p = NONE, oldp = NONE, g = NONE, x = NONE, y = 0, a = 0;
  mtype op = 0;
  bool took = false, left = false;
  if
  :: me == 0 -> p = 0; g = 0; execute() // M0 runs main
  :: else -> sleep_idle(); p_acquire() // a new thread begins with its P
  fi;
  do
  :: !over && !dead ->
    find_work();
    if
    :: spinning[me] -> spin_end(); p_wake() // found_work
    :: else
    fi;
    if
    :: wirem[g] != NONE && wirem[g] != me -> start_locked_g()
    :: else -> execute()
    fi
  od
}

proctype Monitor(byte me) {
  byte x = NONE, y = 0, h = NONE;
  bool took = false;
  do
  :: atomic { npidle == NP && rtlock == NONE && !monasleep -> monasleep = true }; // sleep_while_idle
    atomic { monnote -> monnote = false };
    monasleep = false
#ifndef RETAKES_ONLY // what nobody was woken for it would find, and with it many an error of the workers
  :: atomic { npidle > 0 && nspinning == 0 && (ANY_QUEUED || len(globq) > 0) }; // check_idle
    p_wake()
#endif
  :: atomic { // retake_blocked
      rtlock == NONE && ANY_BLOCKS ->
      if
      :: pstat[0] == P_SYSCALL -> h = 0
#if NP > 1
      :: pstat[1] == P_SYSCALL -> h = 1
#endif
      fi
    };
    sched_lock();
    atomic {
      took = (pstat[h] == P_SYSCALL);
      if
      :: took -> pstat[h] = P_IDLE; nblocked++
      :: else
      fi
    };
    sched_unlock();
    if
    :: took -> took = false; p_handoff(h)
    :: else
    fi;
    h = NONE
  od
}

#define DO(g, n, o, a) prog[(g) * LEN + (n)] = o; arg[(g) * LEN + (n)] = a

init {
  byte m;
  atomic {
#ifdef SPAWN // a tree; main waits for the last leaf
    DO(0, 0, GO, 1); DO(0, 1, GO, 2); DO(0, 2, PARK, 0);
    DO(1, 0, GO, 3); DO(3, 0, READY, 0);
#endif
#ifdef BUSYWAIT // main computes until both ended
    DO(0, 0, GO, 1); DO(0, 1, GO, 2); DO(0, 2, BUSY, 1); DO(0, 3, BUSY, 2);
#if NP > 2
    DO(1, 0, BUSY, 2);
#endif
#endif
#ifdef READY_BUSY // main readies one that waits, and computes until that ended
    DO(0, 0, GO, 1); DO(0, 1, READY, 1); DO(0, 2, BUSY, 1);
    DO(1, 0, PARK, 0);
#endif
#ifdef READY_AFTER // the same after all processors were idle, so that the monitor may sleep
    DO(0, 0, GO, 1); DO(0, 1, SYSCALL, 0); DO(0, 2, READY, 1); DO(0, 3, BUSY, 1);
    DO(1, 0, PARK, 0);
#endif
#ifdef SYSCALLS
    DO(0, 0, GO, 1); DO(0, 1, GO, 2); DO(0, 2, SYSCALL, 0); DO(0, 3, PARK, 0);
    DO(1, 0, SYSCALL, 0); DO(1, 1, READY, 0); DO(2, 0, SYSCALL, 0);
#endif
#ifdef YIELDS
    DO(0, 0, GO, 1); DO(0, 1, YIELD, 0); DO(0, 2, YIELD, 0); DO(0, 3, BUSY, 1);
    DO(1, 0, YIELD, 0); DO(1, 1, YIELD, 0);
#endif
#ifdef NESTED
    DO(0, 0, GO, 1); DO(0, 1, PARKNESTED, 0); DO(0, 2, PARKNESTED, 0);
    DO(1, 0, GO, 2); DO(1, 1, READY, 0); DO(2, 0, PARK, 0); DO(2, 1, READY, 0);
    event[2] = 1;
#endif
#ifdef NESTED_SYSCALL
    DO(0, 0, GO, 1); DO(0, 1, SYSCALL, 0); DO(0, 2, PARKNESTED, 0);
    DO(1, 0, SYSCALL, 0); DO(1, 1, READY, 0);
#endif
#ifdef DEAD // they wait for ever, all but one that ends
    DO(0, 0, GO, 1); DO(0, 1, GO, 2); DO(0, 2, FOREVER, 0);
    DO(1, 0, PARK, 0); DO(1, 1, FOREVER, 0); DO(2, 0, READY, 1);
#endif
#ifdef DEAD_SYSCALL
    DO(0, 0, GO, 1); DO(0, 1, FOREVER, 0);
    DO(1, 0, SYSCALL, 0); DO(1, 1, GO, 2); DO(1, 2, FOREVER, 0);
#endif
    for (m : 0 .. NP - 1) {
      pidle[m] = (m > 0);
      pstat[m] = (m > 0 -> P_IDLE : P_RUNNING)
    }
    npidle = NP - 1;
    status[0] = RUNNABLE;
    for (m : 1 .. NM - 1) { where[m] = M_IDLE } // those that are not started yet are as good as idle
    for (m : 0 .. NM - 1) { run M(m) }
#ifdef SYSMON
    run Monitor(NM)
#endif
  };
  timeout;
#if defined(DEAD) || defined(DEAD_SYSCALL)
  assert(dead && !over)
#else
  assert(over && !dead)
#endif
end:
  false
}
