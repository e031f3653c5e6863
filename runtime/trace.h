// SPDX-License-Identifier: MIT
//
// trace.h: what the scheduler tells the trace of `lungo --trace FILE`. Every call is behind trace_ison(), a load and a
// branch, and none stands in the interpreter loop or in a channel operation that does not park. See trace.c.
#ifndef LUNGO_RUNTIME_TRACE_H
#define LUNGO_RUNTIME_TRACE_H

#include "sched_int.h"

typedef enum TraceInstant { INSTANT_PREEMPT, INSTANT_STEAL, INSTANT_HANDOFF } TraceInstant;
typedef enum TraceSpan { SPAN_TIMER, SPAN_STOPPED, SPAN_WORLD } TraceSpan;

static inline bool trace_ison(void) { return unlikely(atomic_load_explicit(&trace_on, memory_order_relaxed)); }

// trace_state (sched_int.h): g goes from one state to another; by whoever may change its status, before it does. What
// g_setstatus calls; others only where a goroutine loses or changes its P and its status says nothing about it.
// Something happened on p, to which `n` (a goroutine or a processor) belongs.
void trace_instant(const P *p, TraceInstant what, int64_t n);
// The beginning of a span: its time, 0 if nothing is traced; and its end. p: where it took place, NULL: not on one.
static inline int64_t trace_begin(void) { return trace_ison() ? mono_ns() : 0; }
void trace_end(const P *p, TraceSpan what, int64_t begin);
// Between two goroutines, no lock held, m may hold a P: writes that P's events to the file if there are many.
void trace_drain(const M *m);
// The monitor's look: a signal that ends the process has arrived. Does not return then.
void trace_killpoll(void);
// Completes the file; later calls do nothing. rt == NULL: whatever runtime is traced. Any thread that holds no lock.
void trace_close(const Runtime *rt);
void trace_freep(P *p);

#endif
