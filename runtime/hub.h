// SPDX-License-Identifier: MIT
//
// hub.h: where host threads and goroutines meet.
//
// What:       a host thread never touches the Lua heap. It puts a request into the hub's queue and wakes the *courier*,
//             a system goroutine that does what is asked (starts a goroutine, tries a channel) and lets the host know.
//             So all that crosses is plain C memory, and the one lock involved guards a queue.
//             The hub also holds what the embedding API needs to know of its runtime: groups, limits, handlers. A
//             state made by lua_newstate gets a hub when lungo_async first needs one.
// Invariants: Hub.rt is NULL once the runtime is gone; it is read, and everything of the runtime that is reached
//             through it, under Hub.lk. A request is run or dropped exactly once.
//             Requests run on the courier, protected: an error ends that request only. They must not park.
// Locking:    Hub.lk ranks before the scheduler's locks (as a channel's does).
// See also:   group.h, lungo.h, stdlib/embed*.c.
#ifndef LUNGO_RUNTIME_HUB_H
#define LUNGO_RUNTIME_HUB_H

#include "group.h"
#include "lungo.h"
#include "seam.h"
#include <pthread.h>

typedef struct Req {
  struct Req *next;
  void (*run)(lua_State *L, struct Req *r);                   // may raise; then failed is called
  void (*failed)(struct Req *r, int status, const char *msg); // msg NULL: the runtime is gone (LUNGO_DEAD)
} Req;

struct lungo_Runtime {
  _Atomic int refs;
  Lock lk;
  // guarded by lk
  Runtime *rt;
  Req *head, **tail;
  bool closing; // no new requests
  bool parked;  // the courier waits
  bool reap;    // waiting goroutines of ended groups are to be woken
  Group *groups;
  int64_t nextid;
  _Atomic int64_t deadline; // the next thing for hub_tick to do; NS_FOREVER
  _Atomic uint32_t nlive;   // goroutines in groups, and runs yet to begin; waited for by cancelall
  _Atomic uint32_t reaps;   // how often group_reap stopped the world and looked
  _Atomic uint32_t killall; // level for every goroutine but the system's: the runtime ends
  _Atomic int64_t close_by; // when the last finalizers are cut short
  _Atomic int64_t fin_by;   // when the finalizer that runs now has had its time; NS_FOREVER
  _Atomic bool fin_kill;    // it has
  Estate *fin_estate;       // whose it is; written by its goroutine, lk held
  Group *fin_group;         // and the run, if it is there still, for G.group; of that goroutine, as
  int64_t fin_began;        // when it began
  bool fin_bereft;          // the run is gone, and had limits
  _Atomic int64_t nextref;  // numbers of kept objects
  G *_Atomic courier;       // NULL until it runs
  // constant after lungo_new
  int64_t fin_ns; // what one finalizer may take, 0: no limit
  lungo_Options opt;
  size_t memory_limit;
  _Atomic size_t memory_used;
  void *universe;          // the block of Global, if memory is limited
  lua_State *L;            // the main state
  pthread_mutex_t outlock; // one call of opt.output at a time
};

Hub *hub_new(void);
void hub_attach(Hub *h, Runtime *rt); // takes a reference for rt
void hub_detach(Runtime *rt);         // rt ends: requests are dropped, those who wait are told
void hub_release(Runtime *rt);        // rt is freed: gives the reference back
Hub *hub_of(lua_State *L);            // made if there is none; raises `not enough memory`
void hub_ref(Hub *h);
void hub_unref(Hub *h);
void hub_cancelall(Hub *h); // all runs: level 1
// Hands r to the courier. False: the runtime is gone or closing, and r was not touched.
bool hub_post(Hub *h, Req *r);
// A run was asked for: its first goroutine counts as live until hub_expected, when it does itself, or never will.
void hub_expect(Hub *h);
void hub_expected(Hub *h);
bool hub_startcourier(lua_State *L); // false: no memory
void hub_poll_locked(Hub *h);        // asks all workers to look at kill levels
void hub_wake_locked(Hub *h);
void hub_earlier_locked(Hub *h, int64_t when); // hub_tick is wanted then
int64_t hub_tick(Runtime *rt, int64_t now);    // sysmon: limits; returns when to come again
bool hub_failed(lua_State *L, G *g);           // an uncaught error, on top of L: did the host take it?
void hub_ready(Hub *h, G *g);                  // h->lk held: g waits for the host and is to run

#endif
