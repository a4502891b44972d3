// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How much of one run each device does, so that all end together.

#ifndef SPARKLE_RUNTIME_SCHEDULER_SHARES_H
#define SPARKLE_RUNTIME_SCHEDULER_SHARES_H

#include <cstdint>
#include <vector>

namespace sparkle::runtime {

/// What one device does of a run. Times are nanoseconds.
struct Share {
  double start = 0; // from now until it could begin
  double whole = 0; // that all units would take it
  double least = 0; // a shorter part is not worth its start
  int64_t units = 0;
};

/// Fills in the units of each share, of `units` in all: each gets what it does,
/// at its rate, from its start until the time when all end. Those that would
/// start too late for a part that is long enough get none.
/// shares: not empty.
/// Returns when the last one ends.
double shareOut(std::vector<Share> &shares, int64_t units);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_SHARES_H
