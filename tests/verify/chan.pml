// SPDX-License-Identifier: MIT
//
// chan.pml: channels, select, and how a goroutine parks on them and is readied (runtime/chan.c, chan.h, select.c, waitq.h,
// park.c).
//
// What:       each goroutine is a process G that runs one small program; a second process, Tail, is the worker that
//             parked it and is still unlocking: from the first unlock on the goroutine may run elsewhere.
// Checked:    a value is received exactly once and, per sender and channel, in order; g_ready finds a waiting goroutine
//             (no double wake, none before the park); a lock is released by who holds it, though the list of locks of a
//             select lies in memory that the next select overwrites; a woken goroutine's waiters are in no queue; nobody
//             waits for ever while a partner waits too (an invalid end state); the invariants of chan_check.
// Abstracted: a lock is one atomic step (lock.pml looks inside). What one lock guards is changed in one step where no
//             other step of the code between lock and unlock can matter; selectdone, which several locks see, is always
//             a step of its own. Sequential consistency: tests/verify/README.md says why that suffices.
//
// check: -DPLAIN -DCAP=0
// check: -DPLAIN -DCAP=1
// check: -DPLAIN -DCAP=2
// check: -DSELECTS -DCAP=0
// check: -DSELECTS -DCAP=1
// check: -DMIXED -DCAP=0
// check: -DMIXED -DCAP=1
// check: -DCROSSED -DCAP=0
// check: -DSAMECHAN -DCAP=0
// check: -DTIMEOUT -DCAP=1
// check: -DDRAIN -DCAP=0
// check: -DDRAIN -DCAP=1
// check: -DCLOSED -DCAP=0
// check: -DCLOSED -DCAP=1
// check: -DCLOSESELECT -DCAP=0
// mutant: -DTIMEOUT -DCAP=1 -DMUT_NO_CAS
// mutant: -DCLOSESELECT -DCAP=0 -DMUT_NO_CAS
// mutant: -DSELECTS -DCAP=0 -DMUT_NO_DEQUEUE
// mutant: -DCROSSED -DCAP=0 -DMUT_NO_ORDER
// mutant: -DSELECTS -DCAP=0 -DMUT_UNLOCK_BEFORE_ENQUEUE
// mutant: -DPLAIN -DCAP=0 -DMUT_LATE_STATUS
// mutant: -DPLAIN -DCAP=0 -DMUT_UNLOCK_BEFORE_ENQUEUE
// mutant: -DPLAIN -DCAP=1 -DMUT_NO_REFILL
// mutant: -DDRAIN -DCAP=0 -DMUT_CLOSE_WAKES_ONE

#define NG 4
#define NCH 2
#define NONE 255
#define SEL 2                       // cases of a select
#define W_OF(g, k) g * (SEL + 1) + k // k 0: the waiter inside G; 1, 2: those of its select
#define G_OF(w) ((w) / (SEL + 1))
#define K_OF(w) ((w) % (SEL + 1))
#define NW (NG * (SEL + 1))
#define VALUE(g, n) ((g) * 4 + (n)) // the n-th value (from 1) that g sends
#define RECV 0
#define SEND 1
#define QUEUE(c, d) (1 + 2 * (c) + (d))

mtype = { RUNNING, WAITING, RUNNABLE };
mtype status[NG] = RUNNING;
byte selectdone[NG];
byte order[NG * SEL]; // sel_order(g): the next select writes it again
byte nsel[NG];

byte holder[NCH]; // 0: the lock is free; 1 + g: g holds it; 1 + NG + g: the worker that parked g
bool closed[NCH];
chan ring[NCH] = [2] of { byte };
chan recvq[NCH] = [NW] of { byte };
chan sendq[NCH] = [NW] of { byte };
byte cap[NCH];

byte wval[NW];
bool wok[NW];
byte wobj[NW]; // the queue that holds the waiter, 0: none

byte left[NCH * NG]; // ghost: the number of the last value of each sender that left each channel
bool taken[NG * 4];  // ghost: the value was received
byte nsent, nreceived, ndone;
chan tail0 = [1] of { byte, byte };
chan tail1 = [1] of { byte, byte };
chan tail2 = [1] of { byte, byte };
chan tail3 = [1] of { byte, byte };

// ---- the lock, parking, readying ----

inline lock(c) { atomic { holder[c] == 0 -> holder[c] = 1 + me } }
inline unlock(c) { atomic { assert(holder[c] == 1 + me); holder[c] = 0 } }

inline g_ready(x) {
  atomic {
    assert(status[x] == WAITING);
    status[x] = RUNNABLE
  }
}

inline to_tail(n, c) {
  if
  :: me == 0 -> tail0!n,c
  :: me == 1 -> tail1!n,c
  :: me == 2 -> tail2!n,c
  :: me == 3 -> tail3!n,c
  fi
}

// g_park (n 0: the lock of c) and g_park_fn (the n locks in `order`). The locks go to the Tail.
inline park(n, c) {
  atomic {
#ifndef MUT_LATE_STATUS
    status[me] = WAITING;
#endif
    if
    :: n == 0 -> holder[c] = 1 + NG + me
    :: n >= 1 -> holder[order[me * SEL]] = 1 + NG + me
    fi;
    if
    :: n == 2 -> holder[order[me * SEL + 1]] = 1 + NG + me
    :: else
    fi;
    to_tail(n, c)
  }
#ifdef MUT_LATE_STATUS
  status[me] = WAITING;
#endif
  atomic { // m_execute, on whatever worker
    status[me] == RUNNABLE -> status[me] = RUNNING
  }
}

// The worker after the change of state: unlock_one, or select_unlock, which reads `order` as it goes.
proctype Tail(byte g; chan in) {
  byte n, c, i;
end:
  do
  :: in?n,c ->
    if
    :: n == 0 -> atomic { assert(holder[c] == 1 + NG + g); holder[c] = 0 }
    :: else ->
      for (i : 0 .. n - 1) {
        c = order[g * SEL + i];
        atomic { assert(holder[c] == 1 + NG + g); holder[c] = 0 }
      }
    fi;
    n = 0; c = 0; i = 0
  od
}

// ---- wait queues ----

inline waitq_push(c, d, x) {
  atomic {
    assert(wobj[x] == 0);
    wobj[x] = QUEUE(c, d);
    if
    :: d == SEND -> sendq[c]!x
    :: else -> recvq[c]!x
    fi
  }
}

// Result in `won`.
inline waiter_win(x) {
  if
  :: K_OF(x) == 0 -> won = true
  :: else ->
#ifdef MUT_NO_CAS
    won = (selectdone[G_OF(x)] == 0);
    if
    :: won -> selectdone[G_OF(x)] = K_OF(x)
    :: else
    fi
#else
    atomic {
      won = (selectdone[G_OF(x)] == 0);
      if
      :: won -> selectdone[G_OF(x)] = K_OF(x)
      :: else
      fi
    }
#endif
  fi
}

// Result in `w`, NONE if there is nobody.
inline waitq_popwin(q) {
  do
  :: atomic { nempty(q) -> q?w; assert(wobj[w] != 0); wobj[w] = 0 };
    waiter_win(w);
    if
    :: won -> break
    :: else
    fi
  :: atomic { empty(q) -> w = NONE; break }
  od
}

// Result in `won`.
inline waitq_haslive(q) {
  do
  :: atomic {
      nempty(q) -> q?<w>;
      won = (K_OF(w) == 0 || selectdone[G_OF(w)] == 0);
      if
      :: won -> break
      :: else -> q?w; wobj[w] = 0
      fi
    }
  :: atomic { empty(q) -> won = false; break }
  od
}

// ---- the operations under the lock (chan.h) ----

// Ghost: v leaves the channel for whoever receives it, under the lock.
inline leaves(c, x) {
  atomic {
    assert(x != 0 && left[(c) * NG + (x) / 4] < (x) % 4);
    left[(c) * NG + (x) / 4] = (x) % 4
  }
}

// A waiter of a select that somebody has won may stay in other queues until its goroutine comes to dequeue it.
#define LIVE(x) (K_OF(x) == 0 || selectdone[G_OF(x)] == 0)

inline check(c) { // chan_check
  d_step {
    assert(!closed[c] || (empty(recvq[c]) && empty(sendq[c])));
    assert(len(ring[c]) <= cap[c]);
    for (y : 0 .. NW - 1) {
      assert(len(ring[c]) == cap[c] || wobj[y] != QUEUE(c, SEND) || !LIVE(y));
      assert(len(ring[c]) == 0 || wobj[y] != QUEUE(c, RECV) || !LIVE(y))
    }
    y = 0
  }
}

// Results in `done`, `wake`.
inline chan_send_locked(c, x) {
  done = false;
  wake = NONE;
  if
  :: closed[c] -> skip
  :: else ->
    waitq_popwin(recvq[c]);
    if
    :: w != NONE -> atomic { wval[w] = x; wok[w] = true; wake = G_OF(w); done = true; leaves(c, x) }
    :: else ->
      if
      :: len(ring[c]) < cap[c] -> ring[c]!x; done = true
      :: else
      fi
    fi
  fi
}

// Results in `done`, `v`, `ok`, `wake`.
inline chan_recv_locked(c) {
  done = true;
  ok = true;
  wake = NONE;
  if
  :: atomic { nempty(ring[c]) -> ring[c]?v; leaves(c, v) };
#ifndef MUT_NO_REFILL
    waitq_popwin(sendq[c]);
    if
    :: w != NONE -> atomic { ring[c]!wval[w]; wok[w] = true; wake = G_OF(w) }
    :: else
    fi
#endif
  :: empty(ring[c]) ->
    waitq_popwin(sendq[c]);
    if
    :: w != NONE -> atomic { v = wval[w]; wok[w] = true; wake = G_OF(w); leaves(c, v) }
    :: else -> v = 0; ok = false; done = closed[c]
    fi
  fi
}

inline ready_wake() {
  if
  :: wake != NONE -> g_ready(wake)
  :: else
  fi;
  wake = NONE; w = NONE; won = false
}

inline received() {
  atomic {
    if
    :: ok -> assert(!taken[v]); taken[v] = true; nreceived++
    :: else -> assert(v == 0)
    fi;
    v = 0
  }
}

// ---- send, receive, close ----

// chan_begin_send, chan_end_send. `ok` false: the channel was closed.
inline send(c, x) {
  lock(c);
  chan_send_locked(c, x);
  check(c);
  if
  :: done -> unlock(c); ready_wake(); ok = true
  :: !done && closed[c] -> unlock(c); ok = false
  :: else ->
#ifdef MUT_UNLOCK_BEFORE_ENQUEUE
    unlock(c); lock(c);
#endif
    atomic { wval[W_OF(me, 0)] = x; wok[W_OF(me, 0)] = false; waitq_push(c, SEND, W_OF(me, 0)) };
    park(0, c);
    assert(wobj[W_OF(me, 0)] == 0);
    atomic { ok = wok[W_OF(me, 0)]; wval[W_OF(me, 0)] = 0; wok[W_OF(me, 0)] = false }
  fi;
  atomic {
    done = false;
    if
    :: ok -> nsent++
    :: else
    fi
  }
}

// chan_begin_recv, chan_end_recv.
inline recv(c) {
  lock(c);
  chan_recv_locked(c);
  check(c);
  if
  :: done -> unlock(c); ready_wake()
  :: else ->
#ifdef MUT_UNLOCK_BEFORE_ENQUEUE
    unlock(c); lock(c);
#endif
    atomic { wval[W_OF(me, 0)] = 0; wok[W_OF(me, 0)] = false; waitq_push(c, RECV, W_OF(me, 0)) };
    park(0, c);
    assert(wobj[W_OF(me, 0)] == 0);
    atomic { v = wval[W_OF(me, 0)]; ok = wok[W_OF(me, 0)]; wval[W_OF(me, 0)] = 0; wok[W_OF(me, 0)] = false }
  fi;
  done = false;
  received()
}

inline collect(q) { // take_all
  do
  :: waitq_popwin(q);
    if
    :: w == NONE -> break
    :: else -> wok[w] = false; list!G_OF(w)
#ifdef MUT_CLOSE_WAKES_ONE
      break
#endif
    fi
  od
}

inline close(c) { // chan_close
  lock(c);
  assert(!closed[c]);
  closed[c] = true;
  collect(recvq[c]);
  collect(sendq[c]);
#ifndef MUT_CLOSE_WAKES_ONE
  check(c);
#endif
  unlock(c);
  do
  :: list?wake -> g_ready(wake)
  :: empty(list) -> break
  od;
  wake = NONE; w = NONE; won = false
}

// chan_offer: from a timer. A full or closed channel drops the value.
inline offer(c, x) {
  lock(c);
  chan_send_locked(c, x);
  check(c);
  unlock(c);
  ready_wake();
  atomic {
    if
    :: done -> nsent++
    :: else
    fi;
    done = false
  }
}

// ---- select ----

// Result in `won`.
inline is_ready(c, d) {
  if
  :: closed[c] -> won = true
  :: !closed[c] && d == SEND ->
    if
    :: len(ring[c]) < cap[c] -> won = true
    :: else -> waitq_haslive(recvq[c])
    fi
  :: !closed[c] && d == RECV ->
    if
    :: nempty(ring[c]) -> won = true
    :: empty(ring[c]) -> waitq_haslive(sendq[c])
    fi
  fi
}

// Result in `i`: the case that was done, from 1, or 0.
inline poll_cases(c1, d1, c2, d2, x) {
  do
  :: is_ready(c1, d1);
    r = won;
    is_ready(c2, d2);
    if
    :: r -> i = 1
    :: won -> i = 2
    :: !r && !won -> i = 0; done = false; break
    fi;
    at = (i == 1 -> c1 : c2);
    if
    :: (i == 1 && d1 == SEND) || (i == 2 && d2 == SEND) ->
      chan_send_locked(at, x);
      ok = true; v = 0;
      if
      :: done -> break
      :: !done && closed[at] -> ok = false; done = true; break
      :: else
      fi
    :: else ->
      chan_recv_locked(at);
      if
      :: done -> break
      :: else
      fi
    fi
  od
}

inline dequeue_one(k, c, d) {
#ifndef MUT_NO_DEQUEUE
  lock(c);
  if
  :: wobj[W_OF(me, k)] != 0 -> atomic {
      if
      :: d == SEND -> sendq[c]??eval(W_OF(me, k))
      :: else -> recvq[c]??eval(W_OF(me, k))
      fi;
      wobj[W_OF(me, k)] = 0
    }
  :: else
  fi;
  check(c);
  unlock(c);
#endif
  wval[W_OF(me, k)] = 0
}

inline enqueue_one(k, c, d, x) {
  atomic {
    wok[W_OF(me, k)] = false;
    wval[W_OF(me, k)] = (d == SEND -> x : 0);
    waitq_push(c, d, W_OF(me, k))
  }
}

#ifdef MUT_NO_ORDER
#define FIRST(a, b) (a)
#define SECOND(a, b) (b)
#else
#define FIRST(a, b) ((a) < (b) -> (a) : (b))
#define SECOND(a, b) ((a) < (b) -> (b) : (a))
#endif

inline select_unlock(n) {
  for (r : 0 .. n - 1) { unlock(order[me * SEL + r]) }
  r = 0
}

// Two cases, x the value of those that send. `i`: which; `ok`, `v`.
inline sel(c1, d1, c2, d2, x) {
  order[me * SEL] = FIRST(c1, c2);
  order[me * SEL + 1] = SECOND(c1, c2);
  nsel[me] = (c1 == c2 -> 1 : 2);
  lock(order[me * SEL]);
  if
  :: nsel[me] == 2 -> lock(order[me * SEL + 1])
  :: else
  fi;
  poll_cases(c1, d1, c2, d2, x);
  if
  :: done -> select_unlock(nsel[me]); ready_wake()
  :: else ->
#ifdef MUT_UNLOCK_BEFORE_ENQUEUE
    select_unlock(nsel[me]);
    lock(order[me * SEL]);
    if
    :: nsel[me] == 2 -> lock(order[me * SEL + 1])
    :: else
    fi;
#endif
    selectdone[me] = 0;
    enqueue_one(1, c1, d1, x);
    enqueue_one(2, c2, d2, x);
    park(nsel[me], 0);
    i = selectdone[me]; // select_end
    assert(i == 1 || i == 2);
    assert(wobj[W_OF(me, i)] == 0);
    ok = wok[W_OF(me, i)];
    v = wval[W_OF(me, i)];
    dequeue_one(1, c1, d1);
    dequeue_one(2, c2, d2);
    assert(wobj[W_OF(me, 1)] == 0 && wobj[W_OF(me, 2)] == 0)
  fi;
  r = 0; at = 0; done = false;
  if
  :: (i == 1 -> d1 : d2) == SEND -> atomic {
      v = 0;
      if
      :: ok -> nsent++
      :: else
      fi
    }
  :: else -> received()
  fi
}

// ---- the programs ----

#define LOCALS \
  byte v = 0, w = NONE, wake = NONE, i = 0, n = 0, r = 0, at = 0, y = 0; \
  bool done = false, ok = false, won = false; \
  chan list = [NG] of { byte }

proctype Sender(byte me, c, k) {
  LOCALS;
  for (n : 1 .. k) { send(c, VALUE(me, n)) }
  ndone++
}

proctype Receiver(byte me, c, k) {
  LOCALS;
  for (n : 1 .. k) { recv(c) }
  ndone++
}

proctype Drainer(byte me, c) {
  LOCALS;
  do
  :: recv(c);
    if
    :: !ok -> break
    :: else
    fi
  od;
  ndone++
}

proctype Selector(byte me, c1, d1, c2, d2, k) {
  LOCALS;
  for (n : 1 .. k) { sel(c1, d1, c2, d2, VALUE(me, n)) }
  ndone++
}

// Receives from both until both said that they are closed (one that did is not asked again).
proctype SelectDrainer(byte me) {
  LOCALS;
  bool closed0 = false;
  bool closed1 = false;
  do
  :: closed0 && closed1 -> break
  :: closed0 && !closed1 -> recv(1); closed1 = !ok
  :: !closed0 && closed1 -> recv(0); closed0 = !ok
  :: else ->
    sel(0, RECV, 1, RECV, 0);
    if
    :: !ok && i == 1 -> closed0 = true
    :: !ok && i == 2 -> closed1 = true
    :: else
    fi
  od;
  ndone++
}

proctype TimerFires(byte me, c) {
  LOCALS;
  offer(c, VALUE(me, 1));
  ndone++
}

// Closes c when `after` goroutines are done.
proctype Closer(byte me, c, after) {
  LOCALS;
  ndone >= after;
  close(c);
  ndone++
}

init {
  atomic {
    cap[0] = CAP;
    cap[1] = CAP;
    run Tail(0, tail0);
    run Tail(1, tail1);
    run Tail(2, tail2);
    run Tail(3, tail3);
#ifdef PLAIN
    run Sender(0, 0, 2); run Sender(1, 0, 2); run Receiver(2, 0, 2); run Receiver(3, 0, 2);
#endif
#ifdef SELECTS // two selects in a row against two, on both channels
    run Selector(0, 0, SEND, 1, SEND, 2); run Selector(1, 1, RECV, 0, RECV, 1); run Selector(2, 0, RECV, 1, RECV, 1);
    ndone = 1;
#endif
#ifdef MIXED // and plain operations beside them
    run Selector(0, 0, SEND, 1, SEND, 1); run Selector(1, 1, RECV, 0, RECV, 1);
    run Sender(2, 0, 1); run Selector(3, 0, RECV, 1, RECV, 1);
#endif
#ifdef CROSSED // each offers what the other wants: exactly one of two pairs meets, in rounds
    run Selector(0, 0, SEND, 1, RECV, 2); run Selector(1, 1, SEND, 0, RECV, 2);
    ndone = 2;
#endif
#ifdef SAMECHAN // both cases on one channel: never with itself
    run Selector(0, 0, SEND, 0, RECV, 1); run Selector(1, 0, RECV, 0, SEND, 1);
    run Sender(2, 0, 1); run Receiver(3, 0, 1);
#endif
#ifdef TIMEOUT
    run TimerFires(0, 1); run Sender(1, 0, 2); run Selector(2, 0, RECV, 1, RECV, 3);
    ndone = 1;
#endif
#ifdef DRAIN
    run Sender(0, 0, 2); run Drainer(1, 0); run Drainer(2, 0); run Closer(3, 0, 1);
#endif
#ifdef CLOSED // closed while senders wait: they are told, and what was sent is received
    run Sender(0, 0, 2); run Sender(1, 0, 1); run Drainer(2, 0); run Closer(3, 0, 0);
#endif
#ifdef CLOSESELECT
    run Selector(0, 0, SEND, 1, SEND, 2); run SelectDrainer(1); run Closer(2, 0, 0); run Closer(3, 1, 1);
#endif
  };
  ndone == NG;
  assert(nsent == nreceived)
}
