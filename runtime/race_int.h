// SPDX-License-Identifier: MIT
//
// race_int.h: what the files of the race detector share: clocks (happens.c), shadow memory (shadow.c), reports
// (races.c).
#ifndef LUNGO_RUNTIME_RACE_INT_H
#define LUNGO_RUNTIME_RACE_INT_H

#include "happens.h"

// A moment of one goroutine: its slot in the upper 20 bits, its clock in the others. 0: none.
typedef uint64_t Epoch;
#define EPOCH_CLOCK_BITS 44
#define EPOCH_MAXSLOT ((UINT32_C(1) << (64 - EPOCH_CLOCK_BITS)) - 1)
static inline uint32_t epoch_slot(Epoch e) { return (uint32_t)(e >> EPOCH_CLOCK_BITS); }

// How far each goroutine was when it last happened before something: one epoch for each slot, sorted.
typedef struct Clock {
  uint32_t n, cap;
  Epoch *e;
} Clock;

// A goroutine as the detector sees it. By the worker that runs it, or by the one that is about to ready it.
typedef struct Racer {
  struct Racer *next; // in its bucket
  const G *g;
  Epoch epoch; // now; 0: a timer, which accesses nothing
  Clock clock; // of the others
} Racer;

// Where in the program: frames, the innermost first. Interned, never freed.
typedef struct Frame {
  const void *code; // Proto, or lua_CFunction if pc is -1
  int32_t pc;
} Frame;

#define SITE_FRAMES 8 // of an access that lies back, and of a creation
typedef struct Site {
  struct Site *next; // in its bucket
  uint32_t hash;
  uint32_t n;
  Frame f[];
} Site;

typedef struct Access {
  Epoch at;
  const Site *site;
} Access;

// ---- happens.c ----
Racer *racer_self(void); // of the caller, or NULL
static inline bool racer_owns(const Racer *r, Epoch e) { return epoch_slot(e) == epoch_slot(r->epoch); }
bool racer_knows(const Racer *r, Epoch e); // what was done at e happened before

typedef struct Life { // of one goroutine, which had a slot from `first` on
  Epoch first;
  int64_t id;
  const Site *created; // NULL: not known
  bool over;
} Life;
Life life_at(Epoch e);

void *race_alloc(void *old, size_t size); // realloc; ends the process without memory

// ---- shadow.c ----
void shadow_sweep(void);

// ---- races.c ----
uint32_t site_capture(lua_State *L, Frame *f, uint32_t max);
const Site *site_here(lua_State *L);
void sites_mark(struct Marker *m);
// L's goroutine, at r's epoch, does op on var; `before` did `earlier` and is not known to r. Once for each pair of
// lines.
void race_report(lua_State *L, const Racer *r, const RaceVar *var, const Value *key, RaceOp op, const Access *before,
                 RaceOp earlier);

#endif
