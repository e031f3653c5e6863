// SPDX-License-Identifier: MIT
//
// mutex.pml: sync.mutex (runtime/sync.c, sync.h): normal mode, woken waiters that compete, hand-over to starving ones.
//
// Checked:    one holder at a time; nobody waits for ever while the mutex is free (an invalid end state); g_ready finds a
//             waiting goroutine; MUTEX_WAITERS is set exactly while the queue is not empty (looked at under lk); somebody
//             who asked for a hand-over gets the mutex at the next release that finds no other waiter woken. Under weak
//             fairness (`fair`): a goroutine that wants the mutex gets it, though the others never stop taking it.
// Abstracted: "waited for a millisecond" is any moment from the second wait on; in the fair check it is that moment, and
//             load and compare-and-swap are one step and lk is fair (an adversary could otherwise make a swap fail, or lk
//             be taken, for ever).
//
// check: -DN=3 -DROUNDS=2
// check: -DN=4 -DROUNDS=1
// check: -DN=3 -DROUNDS=2 -DTRY
// fair: -DN=3 -DFOREVER
// mutant: -DN=3 -DROUNDS=2 -DMUT_QUEUE_UNCHECKED
// mutant: -DN=3 -DROUNDS=2 -DMUT_KEEP_WOKEN
// mutant: -DN=3 -DROUNDS=2 -DMUT_FORGET_WAITERS
// mutant: -DN=3 -DROUNDS=2 -DMUT_HANDOVER_UNLOCKED
// mutant: -DN=3 -DROUNDS=2 -DMUT_LATE_STATUS
// fair mutant: -DN=3 -DFOREVER -DMUT_NEVER_STARVING

#define LOCKED 1
#define WAITERS 2
#define WOKEN 4
#define NONE 255

mtype = { RUNNING, WAITING, RUNNABLE };
mtype status[N] = RUNNING;
byte state;
byte lk = NONE;      // who holds the inner lock
byte q[N];           // the queue: q[0 .. nq-1]
byte nq;
bool asks[N], ok[N]; // Waiter.index, Waiter.ok
byte inside;
byte got; // fair check: goroutine 0 has it now

#ifdef FOREVER
#define TRYCAS atomic
#else
#define TRYCAS
#endif

inline check() { assert(lk == me && (nq > 0) == ((state & WAITERS) != 0)) }
#ifdef FOREVER
chan turns = [N] of { byte }; // first come, first served
inline lock_lk() { turns!me; atomic { turns?<eval(me)> -> lk = me } }
inline unlock_lk() { atomic { check(); turns?eval(me); lk = NONE } }
#else
inline lock_lk() { atomic { lk == NONE -> lk = me } }
inline unlock_lk() { atomic { check(); lk = NONE } }
#endif

// mutex_trylock, and the fast paths of mutex_begin and spin. Result in `took`.
inline trylock() {
  TRYCAS {
    s = state;
    do
    :: (s & LOCKED) -> took = false; break
    :: else ->
      atomic {
        if
        :: state == s -> state = s | LOCKED; took = true; break
        :: else -> s = state
        fi
      }
    od
  }
}

// mutex_enqueue. Result in `took`.
inline enqueue(woken) {
  lock_lk();
  TRYCAS {
    s = state;
    do
    :: atomic {
        if
        :: state == s ->
          took = ((s & LOCKED) == 0);
          state = s | (took -> LOCKED : WAITERS);
#ifndef MUT_KEEP_WOKEN
          if
          :: woken -> state = state & (LOCKED | WAITERS)
          :: else
          fi;
#endif
          break
        :: else -> s = state
        fi
      }
    od
  };
#ifdef MUT_QUEUE_UNCHECKED
  took = false;
#endif
  if
  :: took -> unlock_lk()
  :: else ->
    atomic {
      ok[me] = false;
      if
      :: woken -> // waitq_pushfront
        for (i : 1 .. nq) { q[nq + 1 - i] = q[nq - i] }
        q[0] = me;
#ifdef MUT_NEVER_STARVING
        asks[me] = false
#else
#ifdef FOREVER
        asks[me] = true
#else
        if
        :: asks[me] = true
        :: asks[me] = false
        fi
#endif
#endif
      :: else -> q[nq] = me; asks[me] = false
      fi;
      nq++;
      i = 0
    };
#ifdef MUT_LATE_STATUS
    unlock_lk();
    status[me] = WAITING;
#else
    status[me] = WAITING; // g_park
    unlock_lk();
#endif
    atomic { status[me] == RUNNABLE -> status[me] = RUNNING }
  fi
}

// mutex_begin, mutex_begin_slow, then mutex_again each time it runs again.
inline mutex_lock() {
  trylock();
  if
  :: took
  :: else ->
    enqueue(false);
    do
    :: took -> break
    :: !took && ok[me] -> took = true // handed over
    :: else -> enqueue(true)
    od
  fi
}

// mutex_release_locked: under lk. Whom to ready in `w`.
inline release_locked() {
  TRYCAS {
    s = state;
    do
    :: assert(s & LOCKED);
      atomic {
        w = ((s & WOKEN) || nq == 0 -> NONE : q[0]);
        if
        :: state == s ->
          if
          :: w == NONE -> state = s & (WAITERS | WOKEN)
          :: else ->
#ifdef MUT_FORGET_WAITERS
            state = 0;
#else
            state = (nq > 1 -> WAITERS : 0);
#endif
            if
#ifdef MUT_HANDOVER_UNLOCKED
            :: asks[w]
#else
            :: asks[w] -> state = state | LOCKED
#endif
            :: else -> state = state | WOKEN
            fi
          fi;
          break
        :: else -> s = state
        fi
      }
    od
  };
  atomic {
    if
    :: w != NONE ->
      for (i : 1 .. nq - 1) { q[i - 1] = q[i] }
      nq--;
      q[nq] = 0;
      i = 0;
      ok[w] = asks[w]
    :: else
    fi
  }
}

// mutex_unlock, mutex_unlock_slow.
inline mutex_unlock() {
  took = false;
  TRYCAS {
    s = state;
    do
    :: assert(s & LOCKED);
      if
      :: (s & WOKEN) || !(s & WAITERS) ->
        atomic {
          if
          :: state == s -> state = s & (WAITERS | WOKEN); took = true; break
          :: else -> s = state
          fi
        }
      :: else -> break
      fi
    od
  };
  if
  :: took
  :: else ->
    lock_lk();
    release_locked();
    unlock_lk();
    if
    :: w != NONE -> atomic { assert(status[w] == WAITING); status[w] = RUNNABLE } // g_ready
    :: else
    fi
  fi;
  w = NONE
}

inline critical() {
  inside++;
  assert(inside == 1);
  inside--
}

proctype G(byte me) {
  byte s, i, n, w = NONE;
  bool took;
#ifdef FOREVER
  do
  :: mutex_lock();
    got = (me == 0 -> 1 : 0);
    mutex_unlock()
  od
#else
  for (n : 1 .. ROUNDS) {
#ifdef TRY
    if
    :: me == 0 -> trylock()
    :: else -> mutex_lock()
    fi;
#else
    mutex_lock();
#endif
    if
    :: took -> critical(); s = 0; mutex_unlock(); s = 0
    :: else
    fi
  }
#endif
}

init {
  byte g;
  atomic {
    for (g : 0 .. N - 1) { run G(g) }
  }
}

#ifdef FOREVER
ltl served { []<> (got == 1) }
#endif
