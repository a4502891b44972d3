// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/Scheduler/Model.h"

#include <algorithm>

namespace sparkle::runtime {
namespace {

/// Of a device's efficiency, the weight of one more kernel.
constexpr double efficiencyWeight = 0.125;
/// A kernel that reaches less than this tells nothing about others.
constexpr double leastEfficiency = 0.02;
/// Kernels that are shorter than a launch tell little of longer ones, and
/// copies of launches; beyond this many launches they do.
constexpr double fewLaunches = 4;
/// Clocks differ between the measurement of a peak and a kernel's run.
constexpr double suspectFactor = 1.15;
/// Of a time that is not the kernel's alone, what the kernel took at least.
constexpr double leastKernelPart = 1.0 / 16;

} // namespace

void DeviceModel::learnEfficiency(double bound, double nanoseconds) {
  if (bound * fewLaunches < performance.launch_ns)
    return;
  double reached = std::clamp(bound / nanoseconds, leastEfficiency, 1.0);
  efficiency = isEfficiencyKnown
                   ? efficiency + efficiencyWeight * (reached - efficiency)
                   : reached;
  isEfficiencyKnown = true;
}

/// Where neither stands out, both are taken to be wrong by as much.
void DeviceModel::learnOverhead(double transfer, double nanoseconds) {
  double launch = getLaunch();
  double copy = copies.count() ? copies.mean() : 1;
  if (transfer * fewLaunches < launch)
    return launches.add(nanoseconds - transfer);
  if (transfer > fewLaunches * launch)
    return copies.add(copy * (nanoseconds - launch) / transfer);
  double factor = nanoseconds / (launch + transfer);
  launches.add(launch * factor);
  copies.add(copy * factor);
}

double getBound(const Demand &demand,
                const sparkle_device_performance_t &performance) {
  // 10^9 a second is one a nanosecond.
  double bound = 1;
  auto consider = [&](double amount, double rate) {
    if (rate > 0)
      bound = std::max(bound, amount / rate);
  };
  consider(demand.operations, performance.gflops);
  consider(demand.farBytes, performance.gbytes_per_second);
  consider(demand.nearBytes, performance.near_gbytes_per_second);
  return bound;
}

double getLeastTime(double operations,
                    const sparkle_device_performance_t &performance) {
  return operations > 0 ? operations / (performance.gflops * suspectFactor) : 0;
}

double getKernelPart(double time, double others, double least) {
  double part = std::max(least, time * leastKernelPart);
  return std::max(time - others, std::min(part, time));
}

} // namespace sparkle::runtime
