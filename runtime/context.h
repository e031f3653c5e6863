// SPDX-License-Identifier: MIT
//
// context.h: the tree of contexts that can be cancelled, and how other objects learn of it. See context.c.
//
// (A `Ctx` is a worker's context, the VM's word; what Lua programs call a context is always spelled out.)
#ifndef LUNGO_RUNTIME_CONTEXT_H
#define LUNGO_RUNTIME_CONTEXT_H

#include "chan.h"
#include "gc.h"

typedef enum ContextErr { CONTEXT_LIVE, CONTEXT_CANCELED, CONTEXT_EXPIRED } ContextErr;

typedef struct Context Context;

// Somebody who wants to know when a context is cancelled: a goroutine that waits for something else meanwhile. The hook
// belongs to the waiting goroutine, which must take it off before it goes on.
typedef struct ContextHook {
  struct ContextHook *prev, *next;
  G *g;        // who waits, for leak passes; constant
  bool hooked; // guarded by the context's lk, as the links
  // Called once, with the lock of the context held: may lock an object, and appends the waiters it took out there to a
  // list for waiters_ready.
  void (*fn)(struct ContextHook *hook, Waiter ***end);
} ContextHook;

struct Context { // all zero: a live context without parent
  Lock lk;       // guards kids, hooks and their links, and every change of err, done
  bool listed;   // in up->kids; guarded by up->lk, as prev and next
  bool root;     // nobody ever cancels it: contexts made from it have no `up`; constant
  _Atomic uint8_t err;
  Context *up;          // the nearest above that can be cancelled, or NULL; constant
  Context *prev, *next; // brothers
  Context *kids;        // the newest first; weak: see context_trace
  ContextHook *hooks;
  Obj *owner;               // the object it is part of; constant
  Slot cause;               // what cancel was given, nil: nothing; written before err
  _Atomic(Userdata *) done; // the channel's receive-only view, made when first asked for; or NULL
  Timer *timer;             // of the context's own deadline; NULL: none; constant
  int64_t when;             // monotonic ns of the deadline, its own or inherited; INT64_MAX: none; constant
  double wall;              // the same as seconds since 1970
  GcAfter after;
};

static inline ContextErr context_err(Context *c) {
  ContextErr err = (ContextErr)atomic_load_explicit(&c->err, memory_order_acquire); // pairs with mark_canceled
  if (unlikely(race_on) && err != CONTEXT_LIVE) rt_race_acquire(c);
  return err;
}
const char *context_errtext(ContextErr err); // not for CONTEXT_LIVE

// Sets up a context in zeroed, published memory of `owner`. timer (with room for one, or NULL) and when: its own
// deadline. The caller then calls context_start.
void context_init(Context *c, Obj *owner, Context *up, Timer *timer, int64_t when, double wall);
// Arms the timer and joins the parent; cancelled at once if the parent is, or the deadline is past. May raise (out of
// memory, no thread); then nothing happened.
void context_start(lua_State *L, Context *c);
// Cancels c and all below it; false: it was cancelled before. When it returns, by whomever they were cancelled, c and
// all below it are, and their channels are closed. `cause`: published bits.
bool context_cancel(Ctx *ctx, Context *c, ContextErr err, uint64_t cause);
// Makes `view` (of a new channel that keeps the owner) the context's done channel, unless it has one. Returns the one
// it has.
Userdata *context_setdone(Context *c, Userdata *view);
// Marks what the context refers to.
void context_trace(struct Marker *m, Context *c);

// With c->lk held and c alive.
void context_hook_locked(Context *c, ContextHook *hook);
// After return fn is over or will never be called.
void context_unhook(Context *c, ContextHook *hook);

#endif
