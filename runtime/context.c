// SPDX-License-Identifier: MIT
//
// context.c: the tree of contexts that can be cancelled.
//
// What:       a context points to the nearest one above it that can be cancelled, and is in its list of kids until
//             either is cancelled. context_cancel walks the tree below depth first, without recursion: contexts that
//             only carry values are no part of it.
// Invariants: err changes once, from live, under lk; cause is written before. A cancelled context has no kids and no
//             hooks, and its done channel, if it has one, is closed: this holds whenever its lk is free. So a second
//             canceller, who waits for lk, returns when the work is done, like the first.
//             A context is closed after all below it: who sees a done channel closed finds everything below cancelled.
//             The list of kids does not keep them alive: a context that nothing but its parent refers to can never be
//             observed again, so the collector takes it out (forget_dead). Its channel, its cancel function, contexts
//             below it and goroutines that wait all refer to it.
// Locking:    ancestors first: the walk holds the locks of the path from its root to where it is, so a parent's is held
//             when a kid's is taken; leaving a parent (detach) is done with no other lock held. Hooks lock one object
//             under them (RANK_OBJ), closing locks the channel (RANK_OBJ), stopping a timer the timer heap
//             (RANK_TIMERS). Goroutines are readied when all are released.
//             A deadline's fire takes lk, therefore timers are stopped without waiting for it.
// See also:   context.h, lockrank.h; stdlib/contextlib.c gives these to Lua. Tests: tests/stdlib/context_*.lua.
#include "context.h"
#include "heap.h"

const char *context_errtext(ContextErr err) {
  return err == CONTEXT_EXPIRED ? "context deadline exceeded" : "context canceled";
}

// ---- lists -------------------------------------------------------------------------------------------------------

static void kids_add_locked(Context *up, Context *c) {
  c->prev = NULL;
  c->next = up->kids;
  if (up->kids) up->kids->prev = c;
  up->kids = c;
  c->listed = true;
}

static void kids_remove_locked(Context *up, Context *c) {
  if (c->prev)
    c->prev->next = c->next;
  else
    up->kids = c->next;
  if (c->next) c->next->prev = c->prev;
  c->prev = c->next = NULL;
  c->listed = false;
}

void context_hook_locked(Context *c, ContextHook *hook) {
  lg_assert(context_err(c) == CONTEXT_LIVE);
  hook->prev = NULL;
  hook->next = c->hooks;
  if (c->hooks) c->hooks->prev = hook;
  c->hooks = hook;
  hook->hooked = true;
}

static void hooks_remove_locked(Context *c, ContextHook *hook) {
  if (hook->prev)
    hook->prev->next = hook->next;
  else
    c->hooks = hook->next;
  if (hook->next) hook->next->prev = hook->prev;
  hook->hooked = false;
}

void context_unhook(Context *c, ContextHook *hook) {
  lock(&c->lk);
  if (hook->hooked) hooks_remove_locked(c, hook);
  unlock(&c->lk);
}

// ---- cancelling --------------------------------------------------------------------------------------------------

static void mark_canceled(Context *c, ContextErr err, uint64_t cause) {
  if (unlikely(race_on)) rt_race_release(c);
  slot_store(&c->cause, cause);
  atomic_store_explicit(&c->err, (uint8_t)err, memory_order_release); // pairs with context_err
}

static Chan *chan_behind(Userdata *view) { return ud_mem(((ChanView *)ud_mem(view))->chan); }

// All below c are cancelled: tells those that wait for c itself.
static void finish_locked(Context *c, Waiter ***end) {
  Userdata *done = atomic_load_explicit(&c->done, memory_order_relaxed);
  if (done) chan_close_collect(chan_behind(done), end);
  for (ContextHook *hook; (hook = c->hooks) != NULL;) {
    hooks_remove_locked(c, hook);
    hook->fn(hook, end);
  }
  if (c->timer) timer_stop_nowait(c->timer);
}

// `root` is locked and was marked; everything below is cancelled, and all is unlocked on return.
static void cancel_tree_locked(Context *root, ContextErr err, uint64_t cause, Waiter ***end) {
  Context *c = root;
  for (;;) {
    Context *kid = c->kids;
    if (kid) {
      lock(&kid->lk);
      kids_remove_locked(c, kid);
      if (context_err(kid) != CONTEXT_LIVE) { // it cancels itself just now, and will find that it is not listed
        unlock(&kid->lk);
        continue;
      }
      mark_canceled(kid, err, cause);
      c = kid;
      continue;
    }
    finish_locked(c, end);
    Context *up = c->up;
    bool over = c == root;
    unlock(&c->lk);
    if (over) return;
    c = up;
  }
}

static void detach(Context *c) {
  Context *up = c->up;
  if (up == NULL) return;
  lock(&up->lk);
  if (c->listed) kids_remove_locked(up, c);
  unlock(&up->lk);
}

bool context_cancel(Ctx *ctx, Context *c, ContextErr err, uint64_t cause) {
  Waiter *list = NULL, **end = &list;
  lock(&c->lk);
  if (context_err(c) != CONTEXT_LIVE) {
    unlock(&c->lk);
    return false;
  }
  mark_canceled(c, err, cause);
  cancel_tree_locked(c, err, cause, &end);
  detach(c);
  waiters_ready(ctx, list);
  return true;
}

// ---- beginning ---------------------------------------------------------------------------------------------------

static void expire(Ctx *ctx, Timer *t, int64_t now) {
  (void)now;
  context_cancel(ctx, t->arg, CONTEXT_EXPIRED, SLOT_NIL);
}

void context_init(Context *c, Obj *owner, Context *up, Timer *timer, int64_t when, double wall) {
  c->owner = owner;
  c->up = up;
  c->timer = timer;
  c->when = when;
  c->wall = wall;
  slot_store(&c->cause, SLOT_NIL);
  if (timer) timer_init(timer, expire, c, owner);
}

// The deadline may have passed before we got into the list: nobody else will take us out again.
static void join(Ctx *ctx, Context *c) {
  Context *up = c->up;
  if (up == NULL) return;
  lock(&up->lk);
  ContextErr err = context_err(up);
  if (err == CONTEXT_LIVE) kids_add_locked(up, c);
  unlock(&up->lk);
  if (err != CONTEXT_LIVE)
    context_cancel(ctx, c, err, slot_load(&up->cause));
  else if (context_err(c) != CONTEXT_LIVE)
    detach(c);
}

void context_start(lua_State *L, Context *c) {
  bool past = c->timer && c->when <= timer_clock(L);
  if (c->timer && !past) timer_start(L, c->timer, c->when, 0);
  join(L->ctx, c);
  if (past) context_cancel(L->ctx, c, CONTEXT_EXPIRED, SLOT_NIL); // unless the parent was cancelled before
}

Userdata *context_setdone(Context *c, Userdata *view) {
  lock(&c->lk);
  Userdata *done = atomic_load_explicit(&c->done, memory_order_relaxed);
  if (done == NULL) {
    done = view;
    if (context_err(c) != CONTEXT_LIVE) { // nobody else has it yet
      chan_behind(view)->closed = true;
      if (unlikely(race_on)) rt_race_release(chan_behind(view));
    }
    atomic_store_explicit(&c->done, view, memory_order_release); // pairs with who asks for it without lock
  }
  unlock(&c->lk);
  return done;
}

// ---- the collector: world stopped, so nobody holds a context's lock -----------------------------------------------

static void forget_dead(GcAfter *a) {
  Context *c = (Context *)((char *)a - offsetof(Context, after));
  for (Context *kid = c->kids, *next; kid != NULL; kid = next) {
    next = kid->next;
    if (!heap_ismarked(kid->owner)) kids_remove_locked(c, kid);
  }
}

// In a leak pass, who reaches a context may cancel it: so he wakes those below it and those that wait with it.
static void trace_cancel(struct Marker *m, const Context *c) {
  for (const Context *kid = c->kids; kid != NULL; kid = kid->next) gc_mark_obj(m, kid->owner);
  for (const ContextHook *h = c->hooks; h != NULL; h = h->next) leaks_reach(m, h->g);
}

void context_trace(struct Marker *m, Context *c) {
  if (gc_isleakpass(m) && !c->root) trace_cancel(m, c);
  Userdata *done = atomic_load_explicit(&c->done, memory_order_relaxed);
  if (done) gc_mark_obj(m, &done->hdr);
  gc_mark_slot(m, &c->cause);
  if (c->up) gc_mark_obj(m, c->up->owner);
  if (c->kids) gc_mark_after(m, &c->after, forget_dead);
}
