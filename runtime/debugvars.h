// SPDX-License-Identifier: MIT
//
// debugvars.h: LUNGODEBUG=name=value,name,...: switches for debugging lungo itself. Known here: schedyield=N (give way
// at every N-th safepoint on average), seed=N (of the scheduler's random choices), schedtrace=MS (a line of scheduler
// state on stderr every MS milliseconds), widering=N (buffers of N values and more have two ends), rwspread
// (rwmutex.c).
#ifndef LUNGO_RUNTIME_DEBUGVARS_H
#define LUNGO_RUNTIME_DEBUGVARS_H

// The value of `name`: 0 if absent, 1 if it has none.
int debug_var(const char *name);

#endif
