// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What devices reach at best. A kernel that is faster did not do its work.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_PEAKS_H
#define SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_PEAKS_H

#include "tools/sparkle-run/Execution/Cores.h"
#include "tools/sparkle-run/Execution/Device.h"
#include "tools/sparkle-run/Json.h"

namespace sparkle {

class Peaks {
public:
  /// threads: of the CPU; 0: all. Made before a kernel runs.
  Peaks(const std::vector<Device> &devices, int64_t threads)
      : devices(devices), threads(uint32_t(threads)),
        performances(devices.size()) {}

  /// Says on stderr what cannot be measured.
  bool measure();
  /// The CPU's is the best that is seen in the whole run.
  void update(size_t device);
  /// Again, a few times, until it is no less than a rate that a kernel had: it
  /// is measured low where something else runs.
  void update(size_t device, double rate);

  /// 10^9 operations and bytes a second.
  double getOperations(size_t device) const {
    return performances[device].gflops;
  }
  /// What no kernel can be above. Clocks of shared machines are not held still,
  /// and a peak is measured at another time than the kernel.
  static double getLimit(double operations) { return 1.03 * operations; }
  double getBandwidth(size_t device) const {
    return performances[device].gbytes_per_second;
  }
  /// "cpu: DESCRIPTION, peak 100.0 GFLOPS, 20.0 GB/s", a line for each.
  void print() const;
  void write(Json &json) const;

private:
  const std::vector<Device> &devices;
  const uint32_t threads;
  const Cores cores;
  std::vector<sparkle_device_performance_t> performances;
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_PEAKS_H
