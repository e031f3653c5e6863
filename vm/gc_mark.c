// SPDX-License-Identifier: MIT
//
// gc_mark.c: marking: from the roots to everything reachable, on as many workers as there are.
//
// What:       an object is marked (its bit set) when it is met and then pushed, to be scanned later; leaves are only
//             marked. Each worker has a Marker with a buffer of pushed objects. Full buffers go to a shared list, and
//             when somebody is out of work, workers give half of what they have. Popped objects pass through a small
//             ring while the processor fetches them: that hides most cache misses.
//             A drain begins on the collecting worker alone; only when there turns out to be much to do are the
//             others asked, so that collecting a small heap wakes nobody.
//             Blocks of tables are scanned in parts of MARK_PART elements.
// Invariants: who sets an object's bit scans it, so each object is scanned by one worker only and scanning may write
//             to it (dead keys, the unused part of stacks). Marking never recurses.
//             When memory for a buffer is missing, an object stays marked and not scanned, and `overflow` says so:
//             then all marked objects are scanned again, until nothing overflows.
//             In a leak pass hidden stacks are marked without having been pushed; who reveals one pushes it, once.
//             (Scanning one in spite of that, after an overflow, only means that more is found reachable.) Hash blocks
//             held by a running loop (TAG_INTERNAL registers) are looked at after everything else: by then their table,
//             if it lives, has said whether they are weak.
// Termination: `active` counts workers that have work or may take some. A worker leaves when it sees active = 0 and
//             the shared list empty; work exists only in buffers of active workers or in that list.
// See also:   gc.c, gc_weak.c, gc_final.c. Tests: tests/unit/gc_test.c.
#include "call.h"
#include "cmodule.h"
#include "gc_int.h"
#include "meta.h"
#include "opcodes.h"
#include "seam.h"
#include "spin.h"
#include "table.h"
#include <stdlib.h>
#include <sys/mman.h>

#define SOLO_BUDGET 20000                 // objects scanned alone before others are asked: about a millisecond
#define DONATE_MIN 32                     // entries worth sharing
#define RELEASE_BYTES ((size_t)256 << 10) // unused stack from which on pages go back to the system

int sched_yield(void); // not <sched.h>: runtime/ has a header of that name

// ---- buffers -----------------------------------------------------------------------------------------

static MarkBuf *buf_get(Marking *mk) {
  spin_lock(&mk->lock);
  MarkBuf *b = mk->spare;
  if (b != NULL) mk->spare = b->next;
  spin_unlock(&mk->lock);
  if (b == NULL) b = malloc(sizeof *b);
  if (b != NULL) b->n = 0;
  return b;
}

static void buf_share(Marking *mk, MarkBuf *b) {
  spin_lock(&mk->lock);
  b->next = mk->shared;
  mk->shared = b;
  atomic_fetch_add_explicit(&mk->nshared, 1, memory_order_relaxed);
  spin_unlock(&mk->lock);
}

// Exchanges m's empty buffer for a shared one.
static bool buf_take(Marker *m) {
  Marking *mk = m->mk;
  if (atomic_load_explicit(&mk->nshared, memory_order_relaxed) == 0) return false;
  spin_lock(&mk->lock);
  MarkBuf *b = mk->shared;
  if (b != NULL) {
    mk->shared = b->next;
    atomic_fetch_sub_explicit(&mk->nshared, 1, memory_order_relaxed);
    m->buf->next = mk->spare;
    mk->spare = m->buf;
    m->buf = b;
  }
  spin_unlock(&mk->lock);
  return b != NULL;
}

static NOINLINE bool push_full(Marker *m) {
  MarkBuf *fresh = buf_get(m->mk);
  if (fresh == NULL) {
    atomic_store_explicit(&m->mk->overflow, true, memory_order_relaxed);
    return false;
  }
  buf_share(m->mk, m->buf);
  m->buf = fresh;
  return true;
}

static ALWAYS_INLINE void push_entry(Marker *m, uint64_t e) {
  if (unlikely(m->buf->n == MARKBUF_SIZE) && !push_full(m)) return;
  m->buf->e[m->buf->n++] = e;
}

static ALWAYS_INLINE uint64_t entry_of(const Obj *o, uint32_t part) {
  return (uint64_t)(uintptr_t)o | (part & 15) | (uint64_t)(part >> 4) << 48;
}
static ALWAYS_INLINE Obj *entry_obj(uint64_t e) { return (Obj *)(uintptr_t)(e & UINT64_C(0x0000FFFFFFFFFFF0)); }
static ALWAYS_INLINE uint32_t entry_part(uint64_t e) { return (uint32_t)(e & 15) | (uint32_t)(e >> 48) << 4; }

void mark_push(Marker *m, Obj *o) { push_entry(m, entry_of(o, 0)); }

// The older half of m's work, for those who have none. The older entries are nearer to the roots: more hangs on them.
static NOINLINE void donate(Marker *m) {
  MarkBuf *b = m->buf, *half = buf_get(m->mk);
  if (half == NULL) return;
  half->n = b->n / 2;
  memcpy(half->e, b->e, half->n * sizeof *b->e);
  memmove(b->e, b->e + half->n, (b->n - half->n) * sizeof *b->e);
  b->n -= half->n;
  buf_share(m->mk, half);
}

bool blocklist_add(BlockList *l, Obj *o) {
  if (l->n == l->cap) {
    size_t cap = l->cap ? l->cap * 2 : 64;
    Obj **v = realloc(l->v, cap * sizeof *v);
    if (v == NULL) return false;
    l->v = v;
    l->cap = cap;
  }
  l->v[l->n++] = o;
  return true;
}

// ---- marking references -----------------------------------------------------------------------------

static ALWAYS_INLINE void mark_tagged(Marker *m, uint32_t tag, Obj *o) {
  if (mark_set(m, o) && !tag_isleaf(tag)) mark_push(m, o);
}

static ALWAYS_INLINE void mark_bits(Marker *m, uint64_t b) {
  if (b < SLOT_TAGGED(TAG_STRING, 0)) return; // floats, nil, booleans, integers, dead and empty keys
  mark_tagged(m, (uint32_t)(b >> 48) & 15, bits_obj(b));
}

void mark_slotbits(Marker *m, uint64_t bits) { mark_bits(m, bits); }

// An object that is no leaf, of a type known to the caller; may be NULL.
static ALWAYS_INLINE void mark_ref(Marker *m, void *o) {
  if (o != NULL && mark_set(m, o)) mark_push(m, o);
}
static ALWAYS_INLINE void mark_leaf(Marker *m, void *o) {
  if (o != NULL) mark_set(m, o);
}
static ALWAYS_INLINE void mark_mem(Marker *m, const void *mem) {
  if (mem != NULL) mark_set(m, heap_mem_obj(mem));
}

static bool is_static_block(const Obj *o) { return o == &table_noarray.hdr || o == &table_nohash.hdr; }

static void mark_pin(Marker *m, Obj *o) {
  if (!blocklist_add(&m->pins, o)) mark_ref(m, o);
}

void gc_mark_obj(Marker *m, Obj *o) {
  if (o == NULL || is_static_block(o)) return;
  switch (o->type) {
  case OBJ_STRING:
  case OBJ_BOX:
  case OBJ_MEM: mark_leaf(m, o); break;
  case OBJ_HBLOCK: mark_pin(m, o); break;
  default: mark_ref(m, o);
  }
}

static ALWAYS_INLINE void mark_value(Marker *m, const Value *v) {
  uint32_t tag = v->tag;
  if (tag < TAG_STRING) return;
  if (unlikely(tag == TAG_INTERNAL))
    gc_mark_obj(m, v->o);
  else
    mark_tagged(m, tag, v->o);
}

void gc_mark_value(Marker *m, const Value *v) { mark_value(m, v); }
void gc_mark_slot(Marker *m, const Slot *s) { mark_bits(m, slot_load(s)); }

bool gc_isleakpass(const Marker *m) { return m->mk->leakpass; }
bool gc_isagain(const Marker *m) { return m->mk->again; }
void gc_hide(Marker *m, Obj *thread) { mark_set(m, thread); }
void gc_reveal(Marker *m, Obj *thread) { mark_push(m, thread); }

// ---- scanning: tables -----------------------------------------------------------------------------------

void mark_deadkey(Marker *m, TNode *n) {
  uint64_t k = slot_load(&n->key);
  uint32_t tag = bits_tag(k);
  if (tag < TAG_STRING) return;
  if (tag_isleaf(tag))
    mark_leaf(m, bits_obj(k)); // a lock-free reader may compare its bytes
  else
    slot_store(&n->key, SLOT_TAGGED(TAG_EMPTY, k));
}

static void scan_table(Marker *m, Table *t) {
  Table *mt = atomic_load_explicit(&t->meta, memory_order_relaxed);
  if (mt != NULL) {
    mark_ref(m, mt);
    int mode = weak_mode(m, mt);
    if (mode != 0) {
      weak_scan_table(m, t, mode);
      return;
    }
  }
  ABlock *a = atomic_load_explicit(&t->arr, memory_order_relaxed);
  HBlock *h = atomic_load_explicit(&t->hash, memory_order_relaxed);
  if (a != &table_noarray) mark_ref(m, a);
  if (h != &table_nohash) mark_ref(m, h);
}

// The end of a part of n elements that starts at `from`; what lies behind is pushed as the next part.
static uint32_t part_end(Marker *m, Obj *o, uint32_t part, uint32_t from, uint32_t n) {
  if (likely(n - from <= MARK_PART)) return n;
  push_entry(m, entry_of(o, part + 1));
  return from + MARK_PART;
}

static void scan_ablock(Marker *m, ABlock *a, uint32_t part) {
  uint32_t i = part * MARK_PART, end = part_end(m, &a->hdr, part, i, a->size);
  for (; i < end; i++) mark_bits(m, slot_load(&a->v[i]));
}

static void scan_hblock(Marker *m, HBlock *h, uint32_t part) {
  uint32_t i = part * MARK_PART, end = part_end(m, &h->hdr, part, i, h->mask + 1);
  if (part == 0 && (atomic_load_explicit(&h->hdr.flags, memory_order_relaxed) & (OF_WEAKK | OF_WEAKV)))
    atomic_fetch_and_explicit(&h->hdr.flags, (uint8_t) ~(OF_WEAKK | OF_WEAKV), memory_order_relaxed);
  for (; i < end; i++) {
    TNode *n = &h->node[i];
    uint64_t v = slot_load(&n->val);
    if (bits_isnil(v)) {
      mark_deadkey(m, n);
    } else {
      mark_bits(m, slot_load(&n->key));
      mark_bits(m, v);
    }
  }
}

// ---- scanning: functions, userdata ---------------------------------------------------------------------

static void scan_proto(Marker *m, Proto *p) {
  mark_leaf(m, p->source);
  mark_mem(m, p->code);
  mark_mem(m, p->k);
  mark_mem(m, p->p);
  mark_mem(m, p->upvals);
  mark_mem(m, p->locvars);
  mark_mem(m, p->lines);
  for (int i = 0; p->k != NULL && i < p->nk; i++) mark_value(m, &p->k[i]);
  for (int i = 0; p->p != NULL && i < p->np; i++) mark_ref(m, p->p[i]);
  for (int i = 0; p->upvals != NULL && i < p->nupvals; i++) mark_leaf(m, p->upvals[i].name);
  for (int i = 0; p->locvars != NULL && i < p->nlocvars; i++) mark_leaf(m, p->locvars[i].name);
}

static void scan_lcl(Marker *m, LClosure *c) {
  uint32_t n = atomic_load_explicit(&c->hdr.aux32, memory_order_relaxed);
  mark_ref(m, c->p);
  for (uint32_t i = 0; i < n; i++) mark_ref(m, atomic_load_explicit(&c->upv[i], memory_order_relaxed));
}

static void scan_ccl(Marker *m, CClosure *c) {
  uint32_t n = atomic_load_explicit(&c->hdr.aux32, memory_order_relaxed);
  for (uint32_t i = 0; i < n; i++) gc_mark_slot(m, &c->upv[i]);
}

static void scan_userdata(Marker *m, Userdata *u) {
  mark_ref(m, atomic_load_explicit(&u->meta, memory_order_relaxed));
  for (uint32_t i = 0; i < u->nuv; i++) gc_mark_slot(m, &u->uv[i]);
  if (u->trace != NULL) u->trace(m, ud_mem(u));
}

// ---- scanning: threads ------------------------------------------------------------------------------------

// The end of what L may still use. A Lua frame's registers reach up to ci->top; L->top may lie above them (open calls).
// But of one that waits in `for v in ch` only the loop's own live: what the last step left must not look alive. (Not so
// while its thread waits with it. A frame that an error has ended is not parked, and its error lies among them.)
static Value *live_end(lua_State *L) {
  const CallInfo *ci = L->ci;
  if (!ci_isLua(ci) || L->top > ci->top) return L->top;
  if (likely(!(ci->status & CI_PARKED))) return ci->top;
  Instr i = ci->u.l.pc[-1];
  return INSTR_OP(i) == OP_TFORCALL ? ci->func + 1 + INSTR_A(i) + 4 : ci->top;
}

// What lies above the live part is forgotten: as nil, or, a great deal of it, by giving the pages back (a zero is a
// float).
static void clear_unused(Value *from, Value *end) {
  if ((size_t)((char *)end - (char *)from) >= RELEASE_BYTES) {
    char *lo = (char *)(((uintptr_t)from + 4095) & ~(uintptr_t)4095), *hi = (char *)((uintptr_t)end & ~(uintptr_t)4095);
    if (madvise(lo, (size_t)(hi - lo), MADV_DONTNEED) == 0) {
      for (; (char *)from < lo; from++) v_setnil(from);
      from = (Value *)hi;
    }
  }
  for (; from < end; from++) v_setnil(from);
}

static void scan_stack(Marker *m, lua_State *L) {
  Value *end = live_end(L), *last = L->stack_last + EXTRA_STACK;
  mark_mem(m, L->stack);
  for (Value *v = L->stack; v < end; v++) mark_value(m, v);
  clear_unused(end, last);
  bool rests = atomic_load_explicit(&L->running, memory_order_relaxed) == 0;
  if (rests && L->stack_last - L->stack > 4 * STACK_MIN && end - L->stack < (L->stack_last - L->stack) / 8)
    blocklist_add(&m->shrink, &thread_of(L)->hdr);
}

// Frames beyond the current one wait for the next call. Half of a long tail of them is let go.
static void scan_frames(Marker *m, lua_State *L) {
  int unused = 0;
  for (CallInfo *ci = L->base_ci.next; ci != NULL; ci = ci->next) mark_mem(m, ci);
  for (CallInfo *ci = L->ci->next; ci != NULL; ci = ci->next) unused++;
  if (unused < 8) return;
  CallInfo *last = L->ci;
  for (int i = 0; i < unused / 2; i++) last = last->next;
  last->next = NULL;
}

static void scan_tbc(Marker *m, Tbc *t) {
  mark_ref(m, t->prev);
  if (t->hdr.aux == 0) return; // a variable: its value is in the stack
  for (uint32_t i = 0; i <= t->nargs; i++) mark_value(m, &t->v[i]);
}

static void scan_thread(Marker *m, Thread *th) {
  lua_State *L = &th->L;
  if (L->stack == NULL) return;
  scan_stack(m, L);
  scan_frames(m, L);
  mark_ref(m, L->tbc);
  for (int i = 0; i < 2; i++) // lua_tolstring may have made it from a number in an upvalue
    if (L->scratch[i].tag == TAG_STRING) mark_leaf(m, L->scratch[i].p);
}

// ---- draining -------------------------------------------------------------------------------------------------

static void scan_entry(Marker *m, uint64_t e) {
  Obj *o = entry_obj(e);
  switch (o->type) {
  case OBJ_TABLE: scan_table(m, (Table *)o); break;
  case OBJ_ABLOCK: scan_ablock(m, (ABlock *)o, entry_part(e)); break;
  case OBJ_HBLOCK: scan_hblock(m, (HBlock *)o, entry_part(e)); break;
  case OBJ_LCL: scan_lcl(m, (LClosure *)o); break;
  case OBJ_CCL: scan_ccl(m, (CClosure *)o); break;
  case OBJ_CELL: gc_mark_slot(m, &((Cell *)o)->v); break;
  case OBJ_USERDATA: scan_userdata(m, (Userdata *)o); break;
  case OBJ_THREAD: scan_thread(m, (Thread *)o); break;
  case OBJ_PROTO: scan_proto(m, (Proto *)o); break;
  case OBJ_TBC: scan_tbc(m, (Tbc *)o); break;
  default: lg_fatal("collector: an object of unknown kind is reachable");
  }
}

// The next object to scan: a popped one goes into the ring, and the oldest of the ring, fetched by now, comes out.
static ALWAYS_INLINE uint64_t next_entry(Marker *m) {
  while (likely(m->buf->n > 0)) {
    uint64_t in = m->buf->e[--m->buf->n], *place = &m->ring[m->ringpos++ % MARK_RING], out = *place;
    __builtin_prefetch(entry_obj(in));
    *place = in;
    if (likely(out != 0)) return out;
  }
  for (int i = 0; i < MARK_RING; i++) {
    uint64_t *place = &m->ring[m->ringpos++ % MARK_RING], out = *place;
    *place = 0;
    if (out != 0) return out;
  }
  return 0;
}

static ALWAYS_INLINE bool wants_donation(Marker *m) {
  Marking *mk = m->mk;
  return atomic_load_explicit(&mk->hungry, memory_order_relaxed) > 0 && m->buf->n >= DONATE_MIN &&
         atomic_load_explicit(&mk->nshared, memory_order_relaxed) == 0;
}

// Scans until m has nothing left and nothing is shared; false when `budget` objects were not enough.
static bool drain_local(Marker *m, size_t budget) {
  for (;; budget--) {
    if (budget == 0) return false;
    uint64_t e = next_entry(m);
    if (e == 0) {
      if (!buf_take(m)) return true;
      continue;
    }
    scan_entry(m, e);
    if (unlikely(wants_donation(m))) donate(m);
  }
}

static void pause_briefly(unsigned round) {
  if (round % 64 == 63) sched_yield();
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

// Waits until m has taken work (true) or nobody has any (false). m counts as active on entry and when true comes back.
static bool wait_for_work(Marker *m) {
  Marking *mk = m->mk;
  bool got = false;
  atomic_fetch_sub(&mk->active, 1);
  atomic_fetch_add(&mk->hungry, 1);
  for (unsigned round = 0; !got; round++) {
    if (atomic_load(&mk->active) == 0 && atomic_load(&mk->nshared) == 0) break;
    if (atomic_load(&mk->nshared) > 0) {
      atomic_fetch_add(&mk->active, 1);
      got = buf_take(m);
      if (!got) atomic_fetch_sub(&mk->active, 1);
    }
    pause_briefly(round);
  }
  atomic_fetch_sub(&mk->hungry, 1);
  return got;
}

static void drain_worker(void *arg, int worker) {
  Marking *mk = arg;
  lg_assert(worker < mk->nmarkers);
  Marker *m = &mk->m[worker];
  atomic_fetch_add(&mk->active, 1);
  do drain_local(m, SIZE_MAX);
  while (wait_for_work(m));
}

// Everything marker 0 has not scanned yet, where others find it: in pieces, so that there is one for each.
static void share_all(Marker *m) {
  for (int i = 0; i < MARK_RING; i++) {
    if (m->ring[i] != 0) push_entry(m, m->ring[i]);
    m->ring[i] = 0;
  }
  while (m->buf->n >= 2 * DONATE_MIN) {
    uint32_t before = m->buf->n;
    donate(m);
    if (m->buf->n == before) break;
  }
}

static void drain_once(Marking *mk) {
  Marker *m = &mk->m[0];
  m->solo = true;
  bool done = drain_local(m, mk->nmarkers > 1 ? SOLO_BUDGET : SIZE_MAX);
  if (done) return;
  m->solo = false;
  share_all(m);
  rt_stw_parallel(mk->L, drain_worker, mk);
  m->solo = true;
  drain_local(m, SIZE_MAX); // marker 0 may not have taken part
}

// Weak blocks are not scanned again: those that are marked are in their list.
static void rescan(void *arg, Obj *o) {
  Marker *m = arg;
  uint8_t flags = atomic_load_explicit(&o->flags, memory_order_relaxed);
  switch (o->type) {
  case OBJ_STRING:
  case OBJ_BOX:
  case OBJ_MEM: return;
  case OBJ_HBLOCK:
  case OBJ_ABLOCK:
    if (flags & (OF_WEAKK | OF_WEAKV)) return;
    break;
  default: break;
  }
  mark_push(m, o);
  drain_local(m, SIZE_MAX);
}

void marking_drain(Marking *mk) {
  drain_once(mk);
  while (atomic_exchange(&mk->overflow, false)) heap_each_marked(mk->gl->heap, rescan, &mk->m[0]);
}

// ---- roots ------------------------------------------------------------------------------------------------------

void marking_roots(Marking *mk) {
  Marker *m = &mk->m[0];
  Global *gl = mk->gl;
  mark_value(m, &gl->registry);
  for (int i = 0; i < LUA_NUMTYPES; i++) mark_ref(m, atomic_load_explicit(&gl->mt[i], memory_order_relaxed));
  for (int i = 0; i < TM_COUNT; i++) mark_leaf(m, gl->tmname[i]);
  mark_leaf(m, gl->memerrmsg);
  mark_leaf(m, gl->errerrmsg);
  mark_ref(m, thread_of(gl->mainL));
  mark_ref(m, thread_of(mk->L)); // and who resumed whom; other goroutines come from the runtime
  for (lua_State *l = mk->L->ctx->L; l != NULL; l = l->from) mark_ref(m, thread_of(l));
  final_mark_pending(mk);
  cmodule_markroots(gl, m);
  rt_markroots(gl, m);
}

// ---- weak references of userdata -----------------------------------------------------------------------------

void gc_mark_after(Marker *m, GcAfter *a, void (*fn)(GcAfter *self)) {
  if (atomic_exchange_explicit(&a->asked, true, memory_order_relaxed)) return; // an overflow had it scanned again
  a->fn = fn;
  a->next = m->after;
  m->after = a;
}

void marking_after(Marking *mk) {
  for (int i = 0; i < mk->nmarkers; i++) {
    for (GcAfter *a = mk->m[i].after, *next; a != NULL; a = next) {
      next = a->next;
      atomic_store_explicit(&a->asked, false, memory_order_relaxed);
      a->fn(a);
    }
    mk->m[i].after = NULL;
  }
}

// ---- set-up ----------------------------------------------------------------------------------------------------

static bool marker_init(Marking *mk, Marker *m, MarkBuf *buf) {
  memset(m, 0, sizeof *m);
  m->mk = mk;
  m->solo = true;
  m->buf = buf;
  if (buf != NULL) buf->n = 0;
  return buf != NULL;
}

typedef struct SpareMarker {
  Marker m;
  MarkBuf buf;
} SpareMarker;

bool marking_new_spare(struct GcState *gc) {
  SpareMarker *spare = malloc(sizeof *spare);
  atomic_store_explicit(&gc->spare, &spare->m, memory_order_relaxed);
  return spare != NULL;
}

// Without memory one worker marks, with the marker kept for that. While another cycle has not given it back: false.
static bool init_spare(Marking *mk) {
  mk->m = atomic_exchange_explicit(&mk->gl->gc->spare, NULL, memory_order_acquire);
  if (mk->m == NULL) return false;
  mk->kept = &((SpareMarker *)mk->m)->buf;
  mk->nmarkers = 1;
  return marker_init(mk, mk->m, mk->kept);
}

bool marking_init(Marking *mk, Global *gl, lua_State *L, int nworkers) {
  memset(mk, 0, sizeof *mk);
  mk->gl = gl;
  mk->L = L;
  mk->m = malloc((size_t)nworkers * sizeof *mk->m);
  for (int i = 0; mk->m != NULL && i < nworkers; i++) {
    if (!marker_init(mk, &mk->m[i], malloc(sizeof(MarkBuf)))) break;
    mk->nmarkers++;
  }
  if (mk->nmarkers == nworkers) {
    for (int i = 1; i < nworkers; i++) mk->m[i].solo = false;
    return true;
  }
  marking_free(mk);
  return init_spare(mk);
}

static void list_empty(BlockList *l) { l->n = l->done = 0; }

void marking_again(Marking *mk) {
  mk->again = true;
  for (int i = 0; i < mk->nmarkers; i++) {
    Marker *m = &mk->m[i];
    lg_assert(m->buf->n == 0);
    list_empty(&m->weakv);
    list_empty(&m->ephemeron);
    list_empty(&m->allweak);
    list_empty(&m->pins);
    list_empty(&m->shrink);
  }
}

// The kept buffer has gone through the lists as any other.
static void buf_free(const Marking *mk, MarkBuf *b) {
  if (b != mk->kept) free(b);
}

static void marker_free(Marking *mk, Marker *m) {
  buf_free(mk, m->buf);
  free(m->weakv.v);
  free(m->ephemeron.v);
  free(m->allweak.v);
  free(m->pins.v);
  free(m->shrink.v);
}

static void bufs_free(const Marking *mk, MarkBuf *b) {
  while (b != NULL) {
    MarkBuf *next = b->next;
    buf_free(mk, b);
    b = next;
  }
}

void marking_free(Marking *mk) {
  for (int i = 0; i < mk->nmarkers; i++) marker_free(mk, &mk->m[i]);
  bufs_free(mk, mk->shared);
  bufs_free(mk, mk->spare);
  if (mk->kept == NULL)
    free(mk->m);
  else
    atomic_store_explicit(&mk->gl->gc->spare, mk->m, memory_order_release);
}
