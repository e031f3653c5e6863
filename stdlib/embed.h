// SPDX-License-Identifier: MIT
//
// embed.h: what the files of the embedding API share: kept objects, values, channel handles. See lungo.h,
// runtime/hub.h.
//
// Invariants: an object that a host holds stands in the table REFS of the registry under a number that is never used
//             again; the handle knows the number. Handles are plain memory with a count, good on any thread, and
//             outlive the runtime.
#ifndef LUNGO_STDLIB_EMBED_H
#define LUNGO_STDLIB_EMBED_H

#include "hub.h"
#include "lungolib.h"
#include "sched_int.h"

#define REFS "lungo.refs"
#define RUNENV "lungo.runenv" // metatable of a run's own globals; absent: runs share them

struct lungo_Ref {
  Req req; // to give the object up
  _Atomic int refs;
  Hub *hub;
  int64_t id;
};

// embed_value.c. These run in goroutines.
lungo_Ref *ref_new(lua_State *L, int idx); // keeps the value at idx; raises `not enough memory`
void ref_push(lua_State *L, const lungo_Ref *r);
// Between host memory and host memory. False: no memory, *to is nil.
bool value_copy(lungo_Value *to, const lungo_Value *from);
lungo_Value *values_copy(int n, const lungo_Value *v); // malloc'ed; NULL: no memory (or n == 0)
void values_free(lungo_Value *v, int n);

// embed_chan.c
lungo_Chan *chan_handle(lua_State *L, int idx); // NULL: no channel. Raises `not enough memory`
void chan_push(lua_State *L, const lungo_Chan *ch);

// Sleeps until *word is not 0 or the time is over (NS_FOREVER: never). False: it is over.
bool host_wait(_Atomic uint32_t *word, int64_t deadline);
int64_t host_ns(double seconds);       // 0: no time, or no number
int64_t host_deadline(double seconds); // negative: NS_FOREVER
void host_signal(_Atomic uint32_t *word);

#endif
