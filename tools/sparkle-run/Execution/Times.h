// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a clock said of one kernel, again and again.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_TIMES_H
#define SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_TIMES_H

#include <algorithm>
#include <vector>

namespace sparkle {

/// Times in seconds.
class Times {
public:
  void add(double time) { seconds.push_back(time); }
  bool isEmpty() const { return seconds.empty(); }
  double getBest() const {
    return *std::min_element(seconds.begin(), seconds.end());
  }
  double getMedian() const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }

private:
  std::vector<double> seconds;
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_TIMES_H
