// SPDX-License-Identifier: MIT
//
// gc_weak.c: weak tables and ephemerons.
//
// What:       while marking, a weak table's blocks are not scanned as others but put into a list of the Marker that met
//             them:  weakv      weak values; keys are marked at once
//                    ephemeron  weak keys: a value counts only when its key is alive
//                    allweak    both: nothing is marked
//             When all else is marked, ephemerons converge: values of live keys are marked, which may make more keys
//             alive, until nothing changes. Then the entries of dead objects are cleared, in Lua's order: values
//             before objects are resurrected for their finalizers, keys after, so that a finalizer still finds what a
//             weak-keyed table says about its object.
// Invariants: a listed block is marked and has OF_WEAKK/OF_WEAKV in its flags, which is how a loop's hold on the block
//             (gc_mark.c, pins) is told from an ordinary one, also when its table is gone.
//             Strings and boxes are values, never removed. The key of a removed entry becomes a dead key.
//             When memory for a list is missing, the block is scanned as a strong one, for this cycle.
// Callers:    the collector, world stopped. weak_mode and weak_scan_table from all marking workers, the rest from one.
// See also:   gc.c (the order), gc_mark.c.
#include "gc_int.h"
#include "meta.h"
#include "table.h"

int weak_mode(Marker *m, Table *mt) {
  Value v;
  if (!meta_fast(m->mk->L, mt, TM_MODE, &v) || !v_isstring(&v)) return 0;
  const char *s = v_str(&v)->data;
  return (strchr(s, 'k') != NULL ? OF_WEAKK : 0) | (strchr(s, 'v') != NULL ? OF_WEAKV : 0);
}

static void set_mode(Obj *block, int mode) {
  uint8_t flags = atomic_load_explicit(&block->flags, memory_order_relaxed) & (uint8_t) ~(OF_WEAKK | OF_WEAKV);
  atomic_store_explicit(&block->flags, (uint8_t)(flags | mode), memory_order_relaxed);
}

static void enlist(Marker *m, BlockList *l, Obj *block, int mode) {
  set_mode(block, mode);
  if (blocklist_add(l, block)) return;
  set_mode(block, 0);
  mark_push(m, block);
}

// Weak values, strong keys.
static void mark_keys(Marker *m, HBlock *h) {
  for (uint32_t i = 0; i <= h->mask; i++) {
    TNode *n = &h->node[i];
    if (bits_isnil(slot_load(&n->val)))
      mark_deadkey(m, n);
    else
      mark_slotbits(m, slot_load(&n->key));
  }
}

// h has just been marked.
static void scan_weak_hash(Marker *m, HBlock *h, int mode) {
  if (mode == OF_WEAKK) {
    enlist(m, &m->ephemeron, &h->hdr, mode);
  } else if (mode == OF_WEAKV) {
    mark_keys(m, h);
    enlist(m, &m->weakv, &h->hdr, mode);
  } else {
    enlist(m, &m->allweak, &h->hdr, mode);
  }
}

void weak_scan_table(Marker *m, Table *t, int mode) {
  ABlock *a = atomic_load_explicit(&t->arr, memory_order_relaxed);
  HBlock *h = atomic_load_explicit(&t->hash, memory_order_relaxed);
  if (a != &table_noarray && mark_set(m, &a->hdr)) {
    if (mode & OF_WEAKV)
      enlist(m, &m->weakv, &a->hdr, OF_WEAKV);
    else
      mark_push(m, &a->hdr);
  }
  if (h != &table_nohash && mark_set(m, &h->hdr)) scan_weak_hash(m, h, mode);
}

// ---- pins --------------------------------------------------------------------------------------------

static void look_at_pin(Marker *m, HBlock *h) {
  if (!mark_set(m, &h->hdr)) return;
  int mode = atomic_load_explicit(&h->hdr.flags, memory_order_relaxed) & (OF_WEAKK | OF_WEAKV);
  if (mode != 0)
    scan_weak_hash(m, h, mode);
  else
    mark_push(m, &h->hdr);
}

void weak_pins(Marking *mk) {
  for (bool any = true; any;) {
    any = false;
    for (int i = 0; i < mk->nmarkers; i++) {
      BlockList *l = &mk->m[i].pins;
      any |= l->n > 0;
      while (l->n > 0) look_at_pin(&mk->m[0], (HBlock *)l->v[--l->n]);
    }
    if (any) marking_drain(mk);
  }
}

// ---- ephemerons -----------------------------------------------------------------------------------------

static bool is_live(Marker *m, uint64_t bits) {
  uint32_t tag = bits_tag(bits);
  if (tag < TAG_STRING) return true;
  if (tag_isleaf(tag)) {
    mark_set(m, bits_obj(bits));
    return true;
  }
  return heap_ismarked(bits_obj(bits));
}

// Marks the value of a node if its key is alive. True: something was marked.
static bool converge_node(Marker *m, const TNode *n) {
  uint64_t v = slot_load(&n->val);
  if (v < SLOT_TAGGED(TAG_STRING, 0) || heap_ismarked(bits_obj(v))) return false;
  if (!is_live(m, slot_load(&n->key))) return false;
  mark_slotbits(m, v);
  return true;
}

// What a value marks is followed at once, so that a chain that runs along the block takes one pass; as a chain may
// run either way, passes alternate.
static bool converge_block(Marking *mk, HBlock *h, bool backwards) {
  bool changed = false;
  for (uint32_t i = 0; i <= h->mask; i++) {
    if (!converge_node(&mk->m[0], &h->node[backwards ? h->mask - i : i])) continue;
    changed = true;
    marking_drain(mk);
  }
  return changed;
}

void weak_converge(Marking *mk) {
  bool changed, backwards = false;
  do {
    changed = false;
    for (int i = 0; i < mk->nmarkers; i++) {
      BlockList *l = &mk->m[i].ephemeron; // may grow meanwhile
      for (size_t j = 0; j < l->n; j++) changed |= converge_block(mk, (HBlock *)l->v[j], backwards);
    }
    weak_pins(mk);
    backwards = !backwards;
  } while (changed);
}

// ---- clearing ---------------------------------------------------------------------------------------------

static void clear_array(Marker *m, ABlock *a) {
  for (uint32_t i = 0; i < a->size; i++)
    if (!is_live(m, slot_load(&a->v[i]))) slot_store(&a->v[i], SLOT_NIL);
}

static void clear_hash_values(Marker *m, HBlock *h) {
  for (uint32_t i = 0; i <= h->mask; i++)
    if (!is_live(m, slot_load(&h->node[i].val))) slot_store(&h->node[i].val, SLOT_NIL);
}

static void clear_list_values(Marker *m, BlockList *l) {
  for (; l->done < l->n; l->done++) {
    Obj *o = l->v[l->done];
    if (o->type == OBJ_ABLOCK)
      clear_array(m, (ABlock *)o);
    else
      clear_hash_values(m, (HBlock *)o);
  }
}

void weak_clear_values(Marking *mk) {
  for (int i = 0; i < mk->nmarkers; i++) {
    clear_list_values(&mk->m[0], &mk->m[i].weakv);
    clear_list_values(&mk->m[0], &mk->m[i].allweak);
  }
}

// The key of a removed entry. Unlike in a strong table, a string may go too: all marking is over, so if it is not
// marked nobody has it to go on from with `next`.
static void forget_key(TNode *n) {
  uint64_t k = slot_load(&n->key);
  uint32_t tag = bits_tag(k);
  if (tag < TAG_STRING || (tag_isleaf(tag) && heap_ismarked(bits_obj(k)))) return;
  slot_store(&n->key, SLOT_TAGGED(TAG_EMPTY, k));
}

static void clear_hash_keys(Marker *m, HBlock *h) {
  for (uint32_t i = 0; i <= h->mask; i++) {
    TNode *n = &h->node[i];
    bool removed = bits_isnil(slot_load(&n->val));
    if (!removed && !is_live(m, slot_load(&n->key))) {
      slot_store(&n->val, SLOT_NIL);
      removed = true;
    }
    if (removed) forget_key(n);
  }
}

static void clear_list_keys(Marker *m, const BlockList *l) {
  for (size_t i = 0; i < l->n; i++) clear_hash_keys(m, (HBlock *)l->v[i]);
}

void weak_clear_keys(Marking *mk) {
  for (int i = 0; i < mk->nmarkers; i++) {
    clear_list_keys(&mk->m[0], &mk->m[i].ephemeron);
    clear_list_keys(&mk->m[0], &mk->m[i].allweak);
  }
}
