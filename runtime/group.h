// SPDX-License-Identifier: MIT
//
// group.h: a run that the host started: its goroutines, its limits, and how it is ended from outside.
//
// What:       a Group is shared by the goroutine that a host starts and all that it starts in turn (G.group). Ending it
//             has two levels: 1 raises an error that nothing can catch (goexit's) once in each goroutine, so that
//             deferred calls still run; 2, a grace time later, raises it at every safepoint.
//             A Hub is the runtime's side that host threads see (hub.h); it keeps the list of groups and the clock.
// Invariants: kill and why only grow; whoever raises kill afterwards sets POLL_KILL on every worker, and a worker that
//             starts or continues a goroutine looks at kill after it said that it runs it: so one of them sees the
//             other.
//             A Group lives as long as one of its goroutines or a handle of the host.
// See also:   group.c, hub.h, park.c (rt_safepoint). Tests: tests/unit/embed_limit_test.c.
#ifndef LUNGO_RUNTIME_GROUP_H
#define LUNGO_RUNTIME_GROUP_H

#include "sched.h"

typedef struct lungo_Runtime Hub;

#define GROUP_GRACE_NS INT64_C(10000000) // deferred calls may take that long
#define GROUP_STUCK_NS INT64_C(30000000) // then this long until the host is told that a goroutine does not end
#define GROUP_GRACE_REAPS 2              // each time the courier must have looked so often as well, the world stopped,
#define GROUP_STUCK_REAPS 6
#define GROUP_DEAF_NS INT64_C(1000000000) // unless it could not for so much longer
#define INSTR_STEP 1000                   // the count of instructions is looked at so often

typedef struct Group {
  struct Group *prev, *next;     // hub's list; guarded by the hub's lock
  Hub *hub;                      // kept by us
  _Atomic int refs;              // goroutines and handles
  _Atomic int live;              // goroutines that have not ended
  _Atomic uint32_t kill;         // 0, 1, 2: see above
  _Atomic int why;               // LUNGO_CANCELLED or LUNGO_LIMIT once kill is set
  _Atomic int64_t instr;         // instructions left
  bool counted;                  // instr means something
  bool told;                     // guarded by the hub's lock: `abandon` was called
  int maxlive;                   // 0: any number
  int64_t patient_until;         // guarded by the hub's lock, when kill is set: when to raise it, or to tell the host
  uint32_t patient_reaps;        // the same: not before Hub.reaps is that
  int64_t deadline;              // guarded by the hub's lock: when to raise kill to the next level; NS_FOREVER: never
  int64_t id;                    // for timers
  int64_t ns;                    // the time limit; 0: none
  struct Estate *_Atomic estate; // final.c; NULL until something is registered; then it stays
  G *_Atomic first;              // the goroutine the host started, until it ends
  bool internal;                 // a channel operation of the host, not a run
  // The host's handle. `first` has one of its references, as long as disowned (guarded by the hub's lock) is false.
  void *owner;
  _Atomic int *ownerrefs; // the count in it
  bool disowned;
  // Called, with a reference of its own to give back, if `first` will not end: LUNGO_STUCK when level 2 has not helped
  // (once), LUNGO_DEAD when the runtime is freed.
  void (*abandon)(void *owner, int status);
} Group;

// A group with one reference, in the hub's list. NULL: no memory. ns, instr, maxlive: limits, 0 or less for none.
Group *group_new(Hub *h, bool internal, int64_t instr, int maxlive, bool limited, void *owner, _Atomic int *ownerrefs,
                 void (*abandon)(void *, int));
// `first` ends: true if the reference is still its own. False: owner must not be touched.
bool group_disown(Group *gr);
void group_arm(Group *gr, int64_t ns); // the time starts now
bool group_tryref(Group *gr);          // a reference more, unless it is just being freed
void group_unref(Group *gr);
// Ends all its goroutines. Any thread. level: 1 or 2.
void group_kill(Group *gr, int why, uint32_t level);
// Before a goroutine of the group starts another: if there are too many, ends the group and raises.
bool group_room(Group *gr); // false: one more would be too many; then the group is ended
void group_admit(lua_State *L, Group *gr);
// A goroutine of the group begins, and ends.
void group_join(Group *gr, G *g);
void group_leave(Group *gr, const G *g);
void group_gone(Hub *h, bool freeing); // the runtime ends: tells owners; freeing: drops the goroutines' references
// The group of a timer made in goroutine g, and back: false if that group is gone or ended.
int64_t group_idof(const G *g);
bool group_byid(Runtime *rt, int64_t id, Group **out); // *out has a reference more, or is NULL (id 0)

// Whether g is to end, and how urgently: 0, 1, 2.
uint32_t g_killlevel(Runtime *rt, G *g);
void group_reap(lua_State *L); // on the courier: wakes goroutines of ended groups that wait
// The goroutine that m runs is to end: raises, or returns if it was told already and has time left. No lock held.
void g_checkkill(M *m, lua_State *L);
// Its two halves, for who has something to give back before the error: whether g, which m runs, must end now; raising.
bool g_mustend(M *m, G *g);
_Noreturn void g_raisekill(lua_State *L);

#endif
