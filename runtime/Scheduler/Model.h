// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a task takes on a device: by the roofline before it has run there, by
// its own history afterwards. Williams, Waterman, Patterson, "Roofline: an
// insightful visual performance model", CACM 2009.

#ifndef SPARKLE_RUNTIME_SCHEDULER_MODEL_H
#define SPARKLE_RUNTIME_SCHEDULER_MODEL_H

#include "runtime/Scheduler/Statistics.h"
#include "runtime/Status.h"

#include <vector>

namespace sparkle::runtime {

/// A device as the scheduler counts with it. Times are nanoseconds.
struct DeviceModel {
  sparkle_device_performance_t performance = {};
  /// Devices with the same number take turns: they run on the same processors.
  uint32_t resource = 0;
  /// The host's memory is its own: nothing is copied for it.
  bool sharesMemory = false;
  /// What kernels reached of their bounds, on the average.
  double efficiency = 0.5;
  bool isEfficiencyKnown = false;

  void learnEfficiency(double bound, double nanoseconds);
  double getTransfer(double bytes) const {
    return sharesMemory || !bytes ? 0
                                  : bytes / performance.copy_gbytes_per_second;
  }
};

/// One run of a task, as the code for a device does it.
struct Demand {
  double operations = 0;
  double farBytes = 0;
  double nearBytes = 0;
};

/// A task on one device.
struct Behaviour {
  bool isPossible = false;
  Status lack; // why not
  Demand demand;
  /// The least that the kernel takes, if the device reaches all of its peaks.
  double bound = 0;
  Statistics whole; // the kernel's times
  Statistics part;  // of parts, scaled to the whole
  /// TaskModel::spent when it last ran there.
  double spentAtRun = 0;

  /// The kernel by itself.
  double predict(const DeviceModel &device) const;
  /// The same for the rate at which parts get on.
  double predictPart(const DeviceModel &device) const;
};

/// A task as the scheduler counts with it.
struct TaskModel {
  std::vector<Behaviour> devices;
  double inputBytes = 0, outputBytes = 0;
  /// Parts that a run can be divided into; 1: it cannot.
  int64_t units = 1;
  /// Time that all runs took, whatever the device.
  double spent = 0;
  /// By how much divided runs were faster than the best device was expected to
  /// be: below 1 they did not pay.
  Statistics gain;
  uint32_t runsUntilDivided = 0; // because it did not pay
  uint32_t runsBetween = 8;      // grows each time it still does not
};

/// The roofline.
double getBound(const Demand &demand,
                const sparkle_device_performance_t &performance);

/// Whether a time is impossible: more than the measured peak, by more than the
/// peak itself moves from one measurement to the next.
bool isSuspect(double operations, double nanoseconds,
               const sparkle_device_performance_t &performance);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_MODEL_H
