// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the benchmark measures beside the kernels: the peak of the machine, its
// clock, and what compiling costs.

#ifndef SPARKLE_TOOLS_SPARKLE_BENCH_MEASURE_H
#define SPARKLE_TOOLS_SPARKLE_BENCH_MEASURE_H

#include <string>
#include <vector>

namespace sparkle {

/// The times of one side, in seconds.
class Times {
public:
  /// Runs `function` once and notes how long it took.
  template <typename Function> void measure(Function function) {
    double start = now();
    function();
    seconds.push_back(now() - start);
  }

  double getBest() const;
  double getMedian() const;

private:
  static double now();

  std::vector<double> seconds;
};

/// f32 multiply-adds, two operations each, from registers: GFLOPS.
double measurePeak(int threads);

/// GHz of one busy core.
double measureClock();

/// Seconds of CPU time, user and system, that `compiler` takes for an object
/// of `source`; negative if it fails.
double measureCompiler(const std::string &compiler, const std::string &source);

/// As the machine names itself.
std::string getProcessorName();

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_BENCH_MEASURE_H
