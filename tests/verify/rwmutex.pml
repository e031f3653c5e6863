// SPDX-License-Identifier: MIT
//
// rwmutex.pml: sync.rwmutex (runtime/rwmutex.c): readers counted in slots, opening and gathering them, the queue.
//
// Checked:    a writer is alone; who holds a read lock can always give it back, wherever the count of it is by then, and
//             whoever holds none is refused only if nobody holds one (ghost: readers, all who are in); each time lk is
//             released: the parts add up to that number, an open slot means RW_SPREAD, and RW_SPREAD means no writer and
//             nobody waiting; nobody waits for ever (an invalid end state); in the end nobody is counted anywhere.
// Abstracted: a goroutine may be on another processor at each operation, so each chooses its slot anew. "Met often enough"
//             is any moment at which a reader has come in by the state word. Parking is one step: a waiter is woken once.
//             load and compare-and-swap of one word are one step where nothing else was looked at in between.
//
// check: -DN=2 -DROUNDS=4
// check: -DN=3 -DROUNDS=2
// check: -DN=4 -DROUNDS=1
// check: -DN=3 -DROUNDS=2 -DSTRAY
// mutant: -DN=3 -DROUNDS=2 -DMUT_SLOTS_FIRST
// mutant: -DN=2 -DROUNDS=2 -DMUT_BIT_FIRST
// mutant: -DN=2 -DROUNDS=2 -DMUT_READ_THEN_CLOSE
// mutant: -DN=2 -DROUNDS=2 -DMUT_OPEN_WHILE_QUEUED
// mutant: -DN=2 -DROUNDS=2 -DMUT_NO_GATHER
// mutant: -DN=2 -DROUNDS=2 -DMUT_TRUST_SCAN

#define READERS 7
#define SPREAD 8
#define QUEUED 16
#define WRITER 32
#define CLOSED 15
#define SLOTS 2
#define NONE 255

#ifdef STRAY
#define STRAYED true
#else
#define STRAYED false
#endif

byte state;
byte slot[SLOTS] = CLOSED;
byte lk = NONE;
bool wantr[N], wantw[N]; // in the queues (their order does not matter here)
byte nr, nw;
bool woken[N];
byte readers, writers; // ghosts: who is in
byte done;

inline check() {
  assert(lk == me && ((nr > 0 || nw > 0) == ((state & QUEUED) != 0)));
  assert(!(state & SPREAD) || !(state & (WRITER | QUEUED)));
  assert((slot[0] == CLOSED && slot[1] == CLOSED) || (state & SPREAD));
  assert(readers == (state & READERS) + (slot[0] == CLOSED -> 0 : slot[0]) + (slot[1] == CLOSED -> 0 : slot[1]))
}
inline lock_lk() { atomic { lk == NONE -> lk = me } }
inline unlock_lk() { atomic { check(); lk = NONE } }

// spread, by a reader who is in. Opens the slots after the bit is set.
inline open_slots() {
  lock_lk();
  atomic {
    if
#ifdef MUT_OPEN_WHILE_QUEUED
    :: !(state & (SPREAD | WRITER)) -> ok = true
#else
    :: !(state & (SPREAD | WRITER | QUEUED)) -> ok = true
#endif
    :: else -> ok = false
    fi;
#ifndef MUT_SLOTS_FIRST
    if
    :: ok -> state = state | SPREAD
    :: else -> skip
    fi
#endif
  };
  if
  :: ok ->
    slot[0] = 0;
    slot[1] = 0;
#ifdef MUT_SLOTS_FIRST
    state = state | SPREAD
#endif
  :: else -> skip
  fi;
  ok = false;
  unlock_lk()
}

// gather_locked
inline gather() {
#ifdef MUT_BIT_FIRST
  atomic { spread = state & SPREAD; state = state & (READERS | QUEUED | WRITER) };
#else
  spread = state & SPREAD;
#endif
  if
  :: spread ->
    sum = 0;
    for (i : 0 .. SLOTS - 1) {
#ifdef MUT_READ_THEN_CLOSE
      c = slot[i];
      sum = sum + c;
      slot[i] = CLOSED
#else
      atomic { sum = sum + slot[i]; slot[i] = CLOSED }
#endif
    }
#ifdef MUT_BIT_FIRST
    state = state + sum;
#else
    state = state - SPREAD + sum;
#endif
    atomic { i = 0; sum = 0; c = 0 }
  :: else -> skip
  fi;
  spread = 0
}

// rw_begin_rlock: tryrlock, then the queue
inline rlock() {
  ok = false;
  s = state;
  if
  :: s & SPREAD ->
    atomic { // slot_enter
      if
      :: p = 0
      :: p = 1
      fi;
      if
      :: slot[p] != CLOSED -> slot[p] = slot[p] + 1; ok = true; readers++
      :: else -> skip
      fi;
      p = 0
    }
  :: else -> skip
  fi;
  do
  :: ok || (s & (WRITER | QUEUED)) -> break
  :: else ->
    atomic {
      if
      :: state == s -> state = s + 1; ok = true; readers++
      :: else -> s = state
      fi
    };
    if
    :: ok -> open_slots(); ok = true
    :: ok -> skip
    :: else -> skip
    fi
  od;
  if
  :: ok -> skip
  :: else ->
    lock_lk();
    atomic {
      if
      :: !(state & (WRITER | QUEUED)) -> state = state + 1; ok = true; readers++
      :: else -> state = state | QUEUED; wantr[me] = true; nr++
      fi
    };
    unlock_lk();
    if
    :: ok -> skip
    :: else -> atomic { woken[me] -> woken[me] = false }
    fi
  fi;
  atomic { ok = false; s = 0 }
}

inline enter_writer() { writers++; assert(writers == 1 && readers == 0 && slot[0] == CLOSED && slot[1] == CLOSED) }

// rw_begin_lock
inline wlock() {
  atomic {
    if
    :: state == 0 -> state = WRITER; ok = true; enter_writer()
    :: else -> ok = false
    fi
  };
  if
  :: ok -> skip
  :: else ->
    lock_lk();
#ifndef MUT_NO_GATHER
    gather();
#endif
    atomic {
      if
#ifdef MUT_NO_GATHER
      :: (state & (READERS | WRITER | QUEUED)) == 0 -> state = state | WRITER; ok = true; enter_writer()
#else
      :: state == 0 -> state = WRITER; ok = true; enter_writer()
#endif
      :: else -> state = state | QUEUED; wantw[me] = true; nw++
      fi
    };
    unlock_lk();
    if
    :: ok -> skip
    :: else -> atomic { woken[me] -> woken[me] = false }
    fi
  fi;
  ok = false
}

// rw_trylock of a spread mutex (the other case is the first step of wlock). Result in ok.
inline trylock() {
  s = state;
  ok = ((s & SPREAD) && !(s & READERS));
  for (i : 0 .. SLOTS - 1) { // sees_reader
    if
    :: ok && slot[i] != CLOSED && slot[i] > 0 -> ok = false
    :: else -> skip
    fi
  }
  i = 0;
  if
  :: ok ->
    lock_lk();
    gather();
    atomic {
      ok = (state == 0);
      if
      :: ok -> state = WRITER; enter_writer()
      :: else -> skip
      fi
    };
    unlock_lk()
  :: else -> skip
  fi;
  s = 0
}

// hand_over
inline hand_over(readers_first) {
  lock_lk();
  atomic {
    sum = 0;
    if
    :: readers_first || nw == 0 ->
      for (i : 0 .. N - 1) {
        if
        :: wantr[i] -> wantr[i] = false; nr--; woken[i] = true; sum++; readers++
        :: else -> skip
        fi
      }
    :: else -> skip
    fi;
    if
    :: sum == 0 && nw > 0 ->
      i = 0;
      do
      :: wantw[i] -> break
      :: else -> i++
      od;
      wantw[i] = false; nw--; woken[i] = true; sum = WRITER; enter_writer()
    :: else -> skip
    fi;
    state = sum | ((nr > 0 || nw > 0) -> QUEUED : 0);
    sum = 0; i = 0
  };
  unlock_lk()
}

inline wunlock() {
  atomic { writers--; assert(state & WRITER); s = state; state = s & QUEUED };
  if
  :: s & QUEUED -> hand_over(true)
  :: else -> skip
  fi;
  s = 0
}

inline slot_leave(which) {
  atomic {
    if
    :: slot[which] != CLOSED && slot[which] > 0 -> slot[which] = slot[which] - 1; ok = true; readers--
    :: else -> skip
    fi
  }
}

// rw_runlock. Result in ok. The ghost is counted down where the count is; by whom does not matter.
inline runlock() {
  ok = false;
  s = state;
  if
  :: s & SPREAD ->
    if
    :: p = 0
    :: p = 1
    fi;
    slot_leave(p);
    p = 0
  :: else -> skip
  fi;
  do
  :: ok || !(s & READERS) -> break
  :: else ->
    atomic {
      if
      :: state == s -> state = s - 1; ok = true; readers--
      :: else -> s = state
      fi
    };
    if
    :: ok && s == (QUEUED | 1) -> hand_over(false); ok = true; s = 1
    :: else -> skip
    fi
  od;
  if
  :: !ok && (s & SPREAD) -> // leave_elsewhere
    slot_leave(0);
    if
    :: ok -> skip
    :: else -> slot_leave(1)
    fi;
#ifndef MUT_TRUST_SCAN
    if
    :: ok -> skip
    :: else ->
      lock_lk();
      gather();
      do
      :: s = state;
        if
        :: !(s & READERS) ->
          atomic { assert(readers == 0 || state != s); s = 0 };
          break
        :: else ->
          atomic {
            if
            :: state == s -> state = s - 1; ok = true; readers--; break
            :: else -> skip
            fi
          }
        fi
      od;
      unlock_lk();
      if
      :: ok && s == (QUEUED | 1) -> hand_over(false); ok = true
      :: else -> skip
      fi
    fi
#endif
  :: else -> skip
  fi;
  s = 0
}

proctype G(byte me) {
  byte s, i, n, p, c, sum, spread;
  bool ok;
#ifdef STRAY
  if
  :: me == 0 -> // has locked nothing: may take somebody's lock away, or is refused
    runlock();
    goto end
  :: else -> skip
  fi;
#endif
  for (n : 1 .. ROUNDS) {
    if
    :: true ->
      rlock();
      assert(writers == 0 || STRAYED);
      runlock();
      assert(ok || STRAYED)
    :: true ->
      wlock();
      assert(writers == 1 && readers == 0);
      wunlock()
    :: true ->
      trylock();
      if
      :: ok -> assert(writers == 1 && readers == 0); wunlock()
      :: else -> skip
      fi
    fi;
    ok = false
  }
end:
  done++
}

init {
  byte g;
  atomic {
    for (g : 0 .. N - 1) { run G(g) }
  }
  atomic {
    done == N ->
    assert(readers == 0 && writers == 0);
    assert(!(state & (READERS | WRITER | QUEUED)));
    assert(slot[0] == CLOSED || slot[0] == 0);
    assert(slot[1] == CLOSED || slot[1] == 0)
  }
}
