// SPDX-License-Identifier: MIT
//
// lock.pml: the small lock of the runtime (runtime/lock.h, lock.c): three states and a futex.
//
// Checked:    one holder at a time; nobody sleeps for ever while the lock is free (an invalid end state).
// Abstracted: spinning is one more try. A sleeper may wake up for no reason; futex_wake wakes any one sleeper.
//
// check: -DN=3 -DROUNDS=2
// mutant: -DN=3 -DROUNDS=2 -DMUT_TAKE_AS_ONE
// mutant: -DN=2 -DROUNDS=2 -DMUT_BLIND_SLEEP
// mutant: -DN=2 -DROUNDS=1 -DMUT_STORE_UNLOCK
// mutant: -DN=2 -DROUNDS=1 -DMUT_TRY_NO_CAS

byte state; // 0 free, 1 held, 2 held and somebody sleeps
byte inside;
bool asleep[N];

inline lock_try() { // result in `took`
#ifdef MUT_TRY_NO_CAS
  took = (state == 0);
  if
  :: took -> state = 1
  :: else
  fi
#else
  atomic {
    took = (state == 0);
    if
    :: took -> state = 1
    :: else
    fi
  }
#endif
}

inline futex_wait() { // sleeps if the word is 2
#ifdef MUT_BLIND_SLEEP
  asleep[me] = true;
#else
  atomic {
    if
    :: state == 2 -> asleep[me] = true
    :: else
    fi
  };
#endif
  !asleep[me]
}

inline futex_wake() {
  atomic {
    if
    :: asleep[0] -> asleep[0] = false
    :: asleep[1] -> asleep[1] = false
#if N > 2
    :: asleep[2] -> asleep[2] = false
#endif
    :: else
    fi
  }
}

inline lock_slow() {
  if
  :: lock_try() // spun
  :: took = false
  fi;
  do
  :: took -> break
  :: else ->
    atomic { // exchange
      took = (state == 0);
#ifdef MUT_TAKE_AS_ONE
      state = (took -> 1 : 2)
#else
      state = 2
#endif
    };
    if
    :: took
    :: else -> futex_wait()
    fi
  od
}

inline unlock() {
#ifdef MUT_STORE_UNLOCK
  old = state;
  state = 0;
#else
  atomic { old = state; state = 0 };
#endif
  if
  :: old == 2 -> futex_wake() // unlock_slow
  :: else
  fi
}

proctype Thread(byte me) {
  byte old, n;
  bool took;
  for (n : 1 .. ROUNDS) {
    lock_try();
    if
    :: took
    :: else -> lock_slow()
    fi;
    inside++;
    assert(inside == 1);
    inside--;
    unlock()
  }
}

// Spurious wake-ups: at most two, or a thread could be saved from a lost one by them.
proctype Spurious() {
  byte n;
  for (n : 1 .. 2) {
    if
    :: asleep[0] -> asleep[0] = false
    :: true
    fi
  }
}

init {
  atomic {
    run Thread(0);
    run Thread(1);
#if N > 2
    run Thread(2);
#endif
    run Spurious()
  }
}
