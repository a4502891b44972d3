// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/Scheduler/Model.h"

#include <algorithm>

namespace sparkle::runtime {
namespace {

/// Of a device's efficiency, the weight of one more kernel.
constexpr double efficiencyWeight = 0.125;
/// A kernel that reaches less than this tells nothing about others.
constexpr double leastEfficiency = 0.02;
/// Clocks differ between the measurement of a peak and a kernel's run.
constexpr double suspectFactor = 1.15;

} // namespace

void DeviceModel::learnEfficiency(double bound, double nanoseconds) {
  double reached = std::clamp(bound / nanoseconds, leastEfficiency, 1.0);
  efficiency = isEfficiencyKnown
                   ? efficiency + efficiencyWeight * (reached - efficiency)
                   : reached;
  isEfficiencyKnown = true;
}

double Behaviour::predict(const DeviceModel &device) const {
  return whole.count() ? whole.mean() : bound / device.efficiency;
}

double Behaviour::predictPart(const DeviceModel &device) const {
  return part.count() ? part.mean() : predict(device);
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
  return bound;
}

bool isSuspect(double operations, double nanoseconds,
               const sparkle_device_performance_t &performance) {
  return operations > performance.gflops * suspectFactor * nanoseconds;
}

} // namespace sparkle::runtime
