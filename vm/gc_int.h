// SPDX-License-Identifier: MIT
//
// gc_int.h: what the files of the collector share with each other and with heap.c, and nobody else needs.
//
// See also:   gc.c (the cycle), gc_mark.c, gc_weak.c, gc_final.c, heap.c.
#ifndef LUNGO_VM_GC_INT_H
#define LUNGO_VM_GC_INT_H

#include "gc.h"
#include "heap.h"
#include "lgassert.h"
#include "seam.h"

// ---- heap.c: the collector's side of the allocator. All with the world stopped, unless said otherwise. ---------

// Takes every current span away from every cache, so that the sweep alone decides what is free.
void heap_flush_caches(Heap *h);
// The parallel halves of clearing all mark bits and of the sweep: any number of workers call them with one
// *cursor that starts at 0; each claims chunks until none is left.
void heap_clear_marks(Heap *h, _Atomic size_t *cursor);
void heap_sweep_part(Heap *h, _Atomic size_t *cursor);
// The serial rest of the sweep: free lists; memory beyond `keep` bytes goes back to the system. Returns live bytes.
size_t heap_sweep_finish(Heap *h);
void heap_trim(Heap *h, size_t keep);
// After the sweep, any worker: takes what is to be held back for the next time that memory is refused.
void heap_fill_reserve(Heap *h);
// Calls fn for every object whose mark bit is set.
void heap_each_marked(Heap *h, void (*fn)(void *arg, Obj *o), void *arg);
bool heap_owns(Heap *h, const void *p); // p lies in one of our chunks. Takes the lock.

bool heap_faults_pending(Heap *h); // LUNGODEBUG=failalloc has not struck yet

// Any time, any worker: POLL_GC is raised by allocations once `bytes` are in use.
void heap_set_threshold(Heap *h, size_t bytes);
// Whether a collection is due: over the threshold, or an allocation failed since the last one, or stress mode.
bool heap_wants_gc(Heap *h);
bool heap_is_pressed(Heap *h); // memory was refused since the last collection
// Acts as if it had been, unless all of the reserve is there. Returns whether it did.
bool heap_press_again(Heap *h);
// The host's allocator is asked for permission. And what would have been in use when memory was last refused (SIZE_MAX:
// never, or more has been obtained since): collections should come before that.
bool heap_is_limited(const Heap *h);
size_t heap_ceiling(Heap *h);

// Whether gc_rescue may collect at all: not while the universe is made or closed.
bool gc_mayrescue(Global *gl);
// The value of NAME in LUNGODEBUG=NAME=value,...; 1 for a bare NAME, 0 when absent.
int gc_debugswitch(const char *name);

// ---- the mark stack (gc_mark.c) -------------------------------------------------------------------------

// An entry is an object's address (16-aligned, 47 bits) with a part number for big table blocks in the bits that
// are left: low 4 and upper 16. One block is scanned MARK_PART elements at a time, by several workers if they are idle.
#define MARK_PART 4096u
#define MARKBUF_SIZE 1022

typedef struct MarkBuf {
  struct MarkBuf *next;
  uint32_t n;
  uint64_t e[MARKBUF_SIZE];
} MarkBuf;

// A growing array of blocks found during the mark that need work at its end.
typedef struct BlockList {
  Obj **v;
  size_t n, cap;
  size_t done; // weakv and allweak: entries before this one have had their values cleared
} BlockList;

typedef struct Marking Marking;
struct GcState;

#define MARK_RING 8

struct Marker {
  Marking *mk;
  MarkBuf *buf; // where pushes go; always present. A full one goes to Marking.shared
  bool solo;    // nobody else marks now: bits are set without atomic read-modify-write
  uint32_t ringpos;
  uint64_t ring[MARK_RING]; // popped, being prefetched, not scanned yet
  BlockList weakv;          // blocks with weak values and strong keys (hash blocks, array blocks)
  BlockList ephemeron;      // hash blocks with weak keys and strong values
  BlockList allweak;        // hash blocks with both
  BlockList pins;           // hash blocks that a running loop holds, to be looked at after their tables
  BlockList shrink;         // threads at rest that use little of a big stack
  GcAfter *after;           // objects that want to know who is dead
};

// One mark phase. Lives on the collecting worker's C stack.
struct Marking {
  Global *gl;
  lua_State *L; // the collecting state: for read-only lookups of __mode
  Marker *m;    // one for each possible worker
  int nmarkers;
  _Atomic(uint32_t) active; // workers that may still produce work
  _Atomic(uint32_t) hungry; // workers waiting for some
  _Atomic uint8_t lock;     // spin lock, guards shared and spare
  MarkBuf *shared;
  _Atomic(uint32_t) nshared;
  MarkBuf *spare;
  _Atomic bool overflow; // an object was marked but found no room on a stack
  bool leakpass;         // some stacks are hidden (gc.h). Written while one worker marks
  bool again;            // the second marking of a cycle. Written as leakpass is
  MarkBuf *kept;         // m is GcState.spare, and this the buffer that came with it; else NULL
};

bool marking_new_spare(struct GcState *gc); // false: no memory
// Without memory, for one worker. False: another cycle still has what is kept for that.
bool marking_init(Marking *mk, Global *gl, lua_State *L, int nworkers);
void marking_free(Marking *mk);
void marking_again(Marking *mk);   // the mark bits were cleared: as after marking_init
void marking_roots(Marking *mk);   // pushes all roots onto marker 0
void marking_drain(Marking *mk);   // until nothing is left to scan; in parallel if there is much
void marking_after(Marking *mk);   // all marking is over: answers gc_mark_after
void mark_push(Marker *m, Obj *o); // o is marked: scan it later
void mark_slotbits(Marker *m, uint64_t bits);
void mark_deadkey(Marker *m, TNode *n);   // n's value is nil: forget its key, but for strings
bool blocklist_add(BlockList *l, Obj *o); // false: out of memory

static ALWAYS_INLINE bool mark_set(Marker *m, const Obj *o) {
  lg_assert_slow(heap_owns(m->mk->gl->heap, o));
  uint64_t bit;
  _Atomic uint64_t *w = heap_markword(o, &bit);
  uint64_t old = atomic_load_explicit(w, memory_order_relaxed);
  if (old & bit) return false;
  if (m->solo) {
    atomic_store_explicit(w, old | bit, memory_order_relaxed);
    return true;
  }
  return !(atomic_fetch_or_explicit(w, bit, memory_order_relaxed) & bit);
}

static ALWAYS_INLINE Obj *bits_obj(uint64_t b) { return (Obj *)(intptr_t)bits_payload(b); }
// Strings and boxes are values: they refer to nothing and are never removed from weak tables.
static ALWAYS_INLINE bool tag_isleaf(uint32_t tag) { return tag == TAG_STRING || tag == TAG_BOX; }

// ---- weak tables (gc_weak.c) ----------------------------------------------------------------------------

int weak_mode(Marker *m, Table *mt);                 // OF_WEAKK | OF_WEAKV bits of a metatable
void weak_scan_table(Marker *m, Table *t, int mode); // while marking
void weak_pins(Marking *mk);                         // after the first drain; may leave work
void weak_converge(Marking *mk);                     // ephemerons, drains
// Removes the entries whose value is dead. The second call, after objects were kept for their finalizers, looks only
// at tables that came up since the first.
void weak_clear_values(Marking *mk);
void weak_clear_keys(Marking *mk);

// ---- finalizers (gc_final.c) ----------------------------------------------------------------------------

typedef struct FinNode {
  struct FinNode *next;
  Obj *o;
  Estate *estate; // of whose run it is (seam.h), kept; NULL: of none
} FinNode;

typedef struct FinState {
  _Atomic(FinNode *) registered; // newest first; pushed without a lock, walked only while the world is stopped
  _Atomic uint8_t lock;          // spin lock, guards the pending queue
  FinNode *head, **tail;         // dead objects waiting for their finalizer, in the order to run them
  _Atomic size_t npending;
  _Atomic uint32_t nrunning; // finalizers being run now
} FinState;

void final_init(FinState *f);
void final_free(FinState *f);
void final_separate(Marking *mk); // moves unmarked registered objects to the pending queue
void final_mark_pending(Marking *mk);
bool final_is_inside(lua_State *L); // L runs a finalizer, at any depth

// ---- the collector's state (gc.c) -----------------------------------------------------------------------

struct GcState {
  FinState fin;
  _Atomic bool stopped; // collectgarbage("stop")
  _Atomic bool closing; // lua_close has begun: no automatic collections
  _Atomic int pause, stepmul, stepsize;
  _Atomic bool generational; // remembered only
  _Atomic bool owed;         // a rescue's finalizers have not run yet
  Marker *_Atomic spare;     // for marking without malloc; taken by the cycle that uses it
  _Atomic size_t stepped;    // bytes of collectgarbage("step") work towards the next full cycle
  bool trace;                // LUNGODEBUG=gctrace=1
  uint64_t born_ns;
  _Atomic uint64_t ncycles, pause_total_ns, pause_max_ns, pause_last_ns;
  _Atomic size_t live, threshold;
};

#endif
