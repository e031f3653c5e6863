// SPDX-License-Identifier: MIT
//
// gc.h: the collector: stop-the-world mark on all processors, lazy sweep by span, weak tables, finalizers.
//
// Callers:    gc_step from safepoints and API entry points; gc_full from collectgarbage. Both only where every live
//             value is on a stack below L->top / ci->top, or in a root.
#ifndef LUNGO_VM_GC_H
#define LUNGO_VM_GC_H

#include "state.h"

typedef struct Marker Marker; // one marking worker's stack

int gc_new(Global *gl); // 0 or -ENOMEM
void gc_free(Global *gl);

// Collect if the heap has grown past its threshold (POLL_GC was set) and the collector is not stopped.
void gc_step(lua_State *L);
// Memory was refused at a safepoint: collects, also after collectgarbage("stop"), as much as can be, gives it back, and
// calls `again` with L and arg before the world goes on, so that what was freed is the asker's first. `again` allocates
// without raising errors and says whether it has all it wants; it may be called more than once. Finalizers run later.
// False: what lives leaves no room for it.
typedef bool GcAttempt(lua_State *L, void *arg);
bool gc_rescue(lua_State *L, GcAttempt *again, void *arg);
// As heap_new_obj, for callers at a safepoint (every live value is on a stack or in a root, no lock is held): before it
// raises LUA_ERRMEM it collects and tries again.
void *gc_new_obj(lua_State *L, uint8_t type, size_t size);
// A full collection now. Runs finalizers afterwards in the caller when `finalizers`.
void gc_full(lua_State *L, bool finalizers);
// Poll for API entry points that allocate: cheap when nothing is wanted. L->top must cover all live values.
static ALWAYS_INLINE void gc_check(lua_State *L) {
  if (unlikely(atomic_load_explicit(&L->ctx->poll, memory_order_relaxed) & (POLL_GC | POLL_STW | POLL_KILL))) {
    void gc_check_slow(lua_State *);
    gc_check_slow(L);
  }
}
void gc_check_slow(lua_State *L);
// gc_check of who has caught LUA_ERRMEM and should find memory. If what lives leaves too little, it collects once more
// at the next safepoint, because the catcher may let go of what he held.
void gc_caught(lua_State *L);

// lua_gc's options on this collector. Returns as lua_gc.
int gc_control(lua_State *L, int what, int a, int b, int c);

// Called by setmetatable when the metatable has __gc: registers o for finalization (publishes it: finalizers run in
// another goroutine once there is more than one). Idempotent.
void gc_register_finalizer(lua_State *L, Obj *o, Table *mt);
// Runs up to n pending finalizers (n < 0: all). Errors become warnings. Returns how many ran. May run Lua code.
int gc_run_finalizers(lua_State *L, int n);
bool gc_finalizers_pending(Global *gl);
// lua_close: run every finalizer there is, in reverse order of registration.
void gc_close(lua_State *L);

// ---- marking, for objects with references of their own (Userdata.trace, rt_markroots) --------------
void gc_mark_value(Marker *m, const Value *v);
void gc_mark_slot(Marker *m, const Slot *s);
void gc_mark_obj(Marker *m, Obj *o); // NULL is allowed

// For an object that refers to others weakly: its trace function asks to be called again when all marking is over, to
// forget those that heap_ismarked (heap.h) says are dead. The request is part of the object, zeroed at first. Asking
// twice in one cycle is the same as once.
typedef struct GcAfter {
  struct GcAfter *next;
  void (*fn)(struct GcAfter *self); // world stopped, one worker
  _Atomic bool asked;
} GcAfter;
void gc_mark_after(Marker *m, GcAfter *a, void (*fn)(GcAfter *self));

// ---- finding goroutines that leak (runtime/leaks.c) ------------------------------------------------
// A full collection in which marking takes place twice: as always, so that it is known which finalizers will run; and
// again in a *leak pass*. That begins with `hide`, which hides the stacks of some goroutines, so that rt_markroots can
// leave them out. When all that is reachable without them is marked, `found` is called. It must reveal every stack that
// is still hidden, so that in the end as much is alive as ever. Both are called with the world stopped. False: no
// memory to mark with, neither was called.
typedef struct LeakPass {
  void (*hide)(Marker *m, void *arg);
  void (*found)(Marker *m, void *arg);
  void *arg;
} LeakPass;
bool gc_leakpass(lua_State *L, const LeakPass *pass);
bool gc_isleakpass(const Marker *m);
// The cycle's second marking: what was left out or forgotten by the first is gone, and all else must be marked again.
bool gc_isagain(const Marker *m);
// A hidden stack counts as marked, so that whoever refers to it does not scan it.
void gc_hide(Marker *m, Obj *thread);
void gc_reveal(Marker *m, Obj *thread); // once for each that was hidden

struct GcStats {
  uint64_t ncycles;
  uint64_t pause_total_ns, pause_max_ns, pause_last_ns;
  size_t live, threshold;
};
void gc_stats(Global *gl, struct GcStats *out);

#endif
