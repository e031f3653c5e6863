// SPDX-License-Identifier: MIT
//
// lgassert.h: assertions. lg_assert documents invariants and is on in debug and sanitizer builds; lg_assert_slow in
// stress builds; lg_fatal is for what must never pass, even in release.
#ifndef LUNGO_VM_LGASSERT_H
#define LUNGO_VM_LGASSERT_H

#include <stdio.h>
#include <stdlib.h>

#define lg_fatal(msg) (fprintf(stderr, "fatal error: %s (%s:%d)\n", (msg), __FILE__, __LINE__), abort())

#ifdef LUNGO_DEBUG
#define lg_assert(c) ((c) ? (void)0 : lg_fatal("assertion failed: " #c))
#else
#define lg_assert(c) ((void)0)
#endif

#ifdef LUNGO_STRESS
#define lg_assert_slow(c) ((c) ? (void)0 : lg_fatal("assertion failed: " #c))
#else
#define lg_assert_slow(c) ((void)0)
#endif

#endif
