// SPDX-License-Identifier: MIT
//
// happens.h: the race detector's edges: what happens before what. Called by whatever lets goroutines synchronize.
//
// All but race_markroots and race_status are called only when race_on is set, as `if (unlikely(race_on)) race_...`.
// They take leaf locks of their own and may be called with any lock of the runtime held. "The caller" is the goroutine
// that runs on this worker, or the timer that fires on it; where neither is, they do nothing. See happens.c for what is
// kept. rt_race_acquire and rt_race_release (vm/race.h) are the edges most objects need.
#ifndef LUNGO_RUNTIME_HAPPENS_H
#define LUNGO_RUNTIME_HAPPENS_H

#include "race.h"
#include "sched.h"

// What the caller did happens before all that g, which waits or has not run yet, will do.
void race_wake(G *g);
// g, which waits, acquires obj.
void race_acquire_for(G *g, const void *obj);
// Through a place that holds one value at a time: whoever passes goes on after those who passed before. g: who passes,
// a goroutine that waits; NULL: the caller.
void race_pass(G *g, const void *place);
// A rendezvous of the caller with g, which waits.
void race_meet(G *g);

void race_go(G *g, bool alone);        // g starts: by the caller, unless `alone`
void race_end(G *g);                   // g has ended
void race_fire(Timer *t);              // from now on the caller is the timer t, whose start was released
void race_markroots(struct Marker *m); // prototypes that reports may name

// A process that ends in order with `status`: says how many races there were, and returns 66 in place of 0 if any.
int race_status(int status);

#endif
