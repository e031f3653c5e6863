// SPDX-License-Identifier: MIT
//
// interp_race.c: the interpreter loop once more, for `lungo --race`: as interp_run_race, which tells the race detector
// of each access of a variable.
//
// What:       interp.c with RACE(...) switched on. A second copy of the loop leaves the first one as it is, to the
//             instruction; telling from instructions of their own would cost the code generator, the names in error
//             messages and binary chunks a case each.
// See also:   race.h, interp.c; call.c chooses.
#define LUNGO_RACE
#include "interp.c" // NOLINT
