// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A running mean of times that forgets slowly.

#ifndef SPARKLE_RUNTIME_SCHEDULER_STATISTICS_H
#define SPARKLE_RUNTIME_SCHEDULER_STATISTICS_H

#include <cstdint>

namespace sparkle::runtime {

/// Mean and deviation of the runs of one kernel at one shape on one device. A
/// time far from all others is left out, until a few in a row say that the
/// device has changed.
class Statistics {
public:
  Statistics() = default;
  /// As they were kept; what no times could have led to is as good as nothing.
  /// strays, stray: how many were left out at the end, and their mean.
  Statistics(uint64_t count, double mean, double deviation, double last,
             uint32_t strays = 0, double stray = 0);

  /// What is no time at all, such as 0, changes nothing.
  void add(double nanoseconds);

  /// Runs that count; 0: nothing is known.
  uint64_t count() const { return samples; }
  double mean() const { return average; }
  /// The mean absolute distance from the mean.
  double deviation() const { return spread; }
  /// The last one, also if it was left out.
  double last() const { return latest; }

  uint32_t strayCount() const { return strays; }
  double strayMean() const { return stray; }

private:
  double limitAround(double center) const;
  void addStray(double nanoseconds);

  uint64_t samples = 0;
  double average = 0, spread = 0, latest = 0;
  uint32_t strays = 0; // left out, one after the other
  double stray = 0;    // their mean
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_STATISTICS_H
