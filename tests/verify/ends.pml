// SPDX-License-Identifier: MIT
//
// ends.pml: wide rings (runtime/ring_ends.h, chan_lock and chan_settle in chan.[hc]): values go through the ends without
// the channel's lock until somebody waits, the channel is closed, or a select had it.
//
// Checked:    values come out in the order they went in, each once (ghosts: puts, takes; a place holds the number of its
//             put, or NONE); a place is free when it is filled and full when it is emptied; while the lock of the channel is
//             held and nobody is in an end, a waiting receiver means an empty ring, a waiting sender a full one; nobody
//             waits for ever (an invalid end state); in the end all that was put was taken.
// Abstracted: a select, which shuts the ends for some time, is that chan_settle may leave them shut at any time. Parking
//             is one step: a waiter is woken once. Trying again before parking (patience.h) is a second try at any time.
//             What happens under the channel's lock with the ends shut or held is one step, but for taking hold of them.
//
// check: -DNS=1 -DNR=1 -DCAP=1 -DROUNDS=3
// check: -DNS=1 -DNR=1 -DCAP=2 -DROUNDS=4
// check: -DNS=2 -DNR=1 -DCAP=2 -DROUNDS=2
// check: -DNS=1 -DNR=2 -DCAP=2 -DROUNDS=3
// check: -DNS=2 -DNR=2 -DCAP=1 -DROUNDS=1
// check: -DNS=2 -DNR=1 -DCAP=1 -DROUNDS=2 -DCLOSE_EARLY
// mutant: -DNS=1 -DNR=1 -DCAP=1 -DROUNDS=3 -DMUT_RECEIVER_SHUTS_NOT
// mutant: -DNS=1 -DNR=1 -DCAP=1 -DROUNDS=3 -DMUT_SENDER_SHUTS_NOT
// mutant: -DNS=1 -DNR=1 -DCAP=2 -DROUNDS=3 -DMUT_HOLD_ONE_END
// mutant: -DNS=1 -DNR=1 -DCAP=2 -DROUNDS=3 -DMUT_COUNT_BEFORE_HOLD
// mutant: -DNS=2 -DNR=1 -DCAP=2 -DROUNDS=2 -DMUT_NO_END_LOCK
// mutant: -DNS=1 -DNR=1 -DCAP=2 -DROUNDS=4 -DMUT_COUNT_BEFORE_COPY
// mutant: -DNS=2 -DNR=1 -DCAP=1 -DROUNDS=2 -DCLOSE_EARLY -DMUT_CLOSE_SHUTS_NOT

#define N (NS + NR + 1)
#define NONE 255

bool closed, shut;
byte head, count; // of the channel: they hold while the ends are shut or held
byte lk = NONE;
byte elk[2] = NONE; // of the ends: 0 is the senders', 1 the receivers'
bool eshut[2];
byte eleft[2], eat[2], en[2];
byte ring[CAP] = NONE;
chan recvq = [NR] of { byte };
chan sendq = [NS] of { byte };
bool woken[N], ok[N]; // ok: what the waker did for him
byte puts, takes, sending = NS;

inline fill(place) {
  assert(ring[place] == NONE);
  ring[place] = puts;
  puts++
}
inline drain(place) {
  assert(ring[place] == takes);
  ring[place] = NONE;
  takes++
}

// ends_put (e == 0), ends_take (e == 1)
inline quick(e) {
  done = false;
#ifndef MUT_NO_END_LOCK
  atomic { elk[e] == NONE -> elk[e] = me };
#else
  atomic { e == 0 || elk[e] == NONE -> elk[e] = me };
#endif
  if
  :: eleft[e] == 0 && !eshut[e] -> eleft[e] = (e == 0 -> CAP - (en[0] - en[1]) : en[0] - en[1])
  :: else -> skip
  fi;
  if
  :: eleft[e] > 0 ->
#ifdef MUT_COUNT_BEFORE_COPY
    en[e]++;
#endif
    if
    :: e == 0 -> atomic { fill(eat[0]) }
    :: else -> atomic { drain(eat[1]) }
    fi;
    eleft[e]--;
    eat[e] = (eat[e] + 1) % CAP;
#ifndef MUT_COUNT_BEFORE_COPY
    en[e]++;
#endif
    done = true
  :: else -> skip
  fi;
  elk[e] = NONE
}

// chan_lock
inline lock_chan() {
  atomic { lk == NONE -> lk = me };
  if
  :: !shut ->
#ifdef MUT_COUNT_BEFORE_HOLD
    atomic { head = eat[1]; count = en[0] - en[1] };
#endif
    atomic { elk[0] == NONE -> elk[0] = me };
#ifndef MUT_HOLD_ONE_END
    atomic { elk[1] == NONE -> elk[1] = me };
#endif
#ifndef MUT_COUNT_BEFORE_HOLD
    atomic { head = eat[1]; count = en[0] - en[1] }
#endif
  :: else -> skip
  fi
}

inline set_ends(s) {
  eshut[0] = s;
  eshut[1] = s;
  eleft[0] = (s -> 0 : CAP - count);
  eleft[1] = (s -> 0 : count);
  eat[0] = (head + count) % CAP;
  eat[1] = head;
  en[0] = count;
  en[1] = 0
}

// chan_settle, then the unlock of the channel
inline unlock_chan() {
  atomic {
    assert(len(recvq) == 0 || count == 0);
    assert(len(sendq) == 0 || count == CAP);
    if
    :: must = false
    :: must = true // a select had it lately
    fi;
#ifndef MUT_RECEIVER_SHUTS_NOT
    must = must || len(recvq) > 0;
#endif
#ifndef MUT_SENDER_SHUTS_NOT
    must = must || len(sendq) > 0;
#endif
#ifndef MUT_CLOSE_SHUTS_NOT
    must = must || closed;
#endif
  };
  if
  :: !shut -> // ends_release
    atomic { set_ends(must); shut = must; elk[1] = NONE };
    elk[0] = NONE
  :: shut && !must -> // ends_open
    atomic { elk[0] == NONE -> elk[0] = me };
    atomic { elk[1] == NONE -> elk[1] = me };
    atomic { set_ends(false); shut = false; elk[1] = NONE };
    elk[0] = NONE
  :: else -> skip
  fi;
  atomic { must = false; lk = NONE }
}

inline wake(q, result) {
  q ? other;
  ok[other] = result;
  woken[other] = true;
  other = 0
}

inline park() {
  atomic { woken[me]; woken[me] = false; done = ok[me]; ok[me] = false }
}

// chan_begin_send, chan_end_send. done: sent; else the channel was closed.
inline send() {
  quick(0);
  if
  :: !done -> quick(0)
  :: true
  fi;
  if
  :: done
  :: else ->
    lock_chan();
    atomic {
      if
      :: closed -> waits = false
      :: !closed && len(recvq) > 0 -> // from hand to hand
        assert(puts == takes);
        puts++;
        takes++;
        wake(recvq, true);
        done = true
      :: !closed && len(recvq) == 0 && count < CAP ->
        fill((head + count) % CAP);
        count++;
        done = true
      :: else -> sendq ! me; waits = true
      fi
    };
    unlock_chan();
    if
    :: waits -> waits = false; park()
    :: else -> skip
    fi
  fi
}

// chan_begin_recv, chan_end_recv. done: received; else the channel is closed and empty.
inline recv() {
  quick(1);
  if
  :: !done -> quick(1)
  :: true
  fi;
  if
  :: done
  :: else ->
    lock_chan();
    atomic {
      if
      :: count > 0 ->
        drain(head);
        head = (head + 1) % CAP;
        count--;
        done = true;
        if
        :: len(sendq) > 0 -> fill((head + count) % CAP); count++; wake(sendq, true)
        :: else -> skip
        fi
      :: count == 0 && closed -> skip
      :: else -> recvq ! me; waits = true
      fi
    };
    unlock_chan();
    if
    :: waits -> waits = false; park()
    :: else -> skip
    fi
  fi
}

proctype sender(byte me) {
  bool done, waits, must;
  byte other, i;
  do
  :: i == ROUNDS -> break
  :: else ->
    send();
    i = (done -> i + 1 : ROUNDS)
  od;
  sending--
}

proctype receiver(byte me) {
  bool done, waits, must;
  byte other;
  do
  :: recv();
    if
    :: !done -> break
    :: else -> skip
    fi
  od
}

// chan_close
proctype closer(byte me) {
  bool must;
  byte other;
#ifndef CLOSE_EARLY
  sending == 0;
#endif
  lock_chan();
  atomic {
    closed = true;
    do
    :: len(recvq) > 0 -> wake(recvq, false)
    :: len(sendq) > 0 -> wake(sendq, false)
    :: else -> break
    od
  };
  unlock_chan()
}

init {
  byte i;
  atomic {
    eleft[0] = CAP;
    for (i : 0 .. NS - 1) { run sender(i) };
    for (i : NS .. NS + NR - 1) { run receiver(i) };
    run closer(NS + NR);
    i = 0
  };
  _nr_pr == 1;
  assert(puts == takes && len(recvq) == 0 && len(sendq) == 0)
}
