// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fences of submissions, and the synchronisation objects that hold them.
// All guarded by the monitor.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_KERNEL_FENCE_H
#define SPARKLE_TEST_STANDIN_DRIVER_KERNEL_FENCE_H

#include "test/standin/Driver/Kernel/Monitor.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace sparkle::standin {

/// Signalled once, with an error of the kernel or without.
struct Fence {
  bool isSignaled = false;
  int error = 0; ///< Negative.

  void signal(int with = 0) {
    isSignaled = true;
    error = with;
    Monitor::get().notify();
  }
};

using Fences = std::vector<std::shared_ptr<Fence>>;

bool areSignaled(const Fences &fences);

/// Binary: one point, 0, that is replaced. Timeline: points that grow.
class Syncobj {
public:
  void reset();
  /// False if the point does not come after the last one.
  bool attach(uint64_t point, Fences fences);
  /// Adds what has to be signalled until `point` is. False if nobody has
  /// submitted it yet.
  bool collect(uint64_t point, Fences &fences) const;
  uint64_t getSignaled() const;
  uint64_t getSubmitted() const {
    return points.empty() ? passed : points.back().value;
  }

private:
  struct Point {
    uint64_t value;
    Fences fences;
  };
  std::vector<Point> points;
  /// Until here all is signalled and forgotten.
  uint64_t passed = 0;
  bool hasPassed = false;
};

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_KERNEL_FENCE_H
