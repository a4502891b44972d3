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
  /// What work took besides kernels and copies, on an idle device.
  Statistics launches;
  /// The same behind other work, which hides most of it.
  Statistics gaps;
  /// By how much copies took longer than by the measured bandwidth.
  Statistics copies;

  /// nanoseconds: of the kernel; bound: at least, by the roofline.
  void learnEfficiency(double bound, double nanoseconds);
  /// transfer: as it was predicted; nanoseconds: from the start of work on an
  /// idle device to its end, without the kernel.
  void learnOverhead(double transfer, double nanoseconds);

  double getLaunch() const {
    return launches.count() ? launches.mean() : performance.launch_ns;
  }
  double getGap() const {
    return gaps.count() ? gaps.mean() : performance.launch_ns / 4;
  }
  double getTransfer(double bytes) const {
    if (sharesMemory || !(bytes > 0))
      return 0;
    double factor = copies.count() ? copies.mean() : 1;
    return factor * bytes / performance.copy_gbytes_per_second;
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
  bool isTried = false; // a run that only explores is in flight
  /// What runs would have gained here if their inputs had been here, since
  /// inputs were brought here for that; it is done again when that is worth
  /// the cost so many times.
  double missed = 0;
  double patience = 1;

  bool isKnown() const { return whole.count() || part.count(); }
  /// The kernel by itself.
  double predict(const DeviceModel &device) const {
    return whole.count()  ? whole.mean()
           : part.count() ? part.mean()
                          : bound / device.efficiency;
  }
  /// The same for the rate at which parts get on.
  double predictPart(const DeviceModel &device) const {
    return part.count() ? part.mean() : predict(device);
  }
};

/// A task as the scheduler counts with it.
struct TaskModel {
  std::vector<Behaviour> devices;
  double inputBytes = 0, outputBytes = 0;
  /// Parts that a run can be divided into; 1: it cannot.
  int64_t units = 1;
  /// Each part takes all inputs there, and the whole output back.
  bool movesWhole = false;
  /// Time that all runs took, whatever the device.
  double spent = 0;
  /// Of it, what runs that only explored took longer than on the best device.
  double explored = 0;
  /// By how much divided runs were faster than the best device was expected to
  /// be: below 1 they did not pay.
  Statistics gain;
  uint32_t runsUntilDivided = 0; // because it did not pay
  uint32_t runsBetween = 8;      // grows each time it still does not

  double getFraction(int64_t begin, int64_t end) const {
    return static_cast<double>(end - begin) / static_cast<double>(units);
  }
  /// Of what a whole run moves, what such a part does.
  double getMoved(int64_t begin, int64_t end) const {
    return movesWhole ? 1 : getFraction(begin, end);
  }
};

/// The roofline.
double getBound(const Demand &demand,
                const sparkle_device_performance_t &performance);

/// What a kernel takes at least: less is above the measured peak, by more than
/// that moves from one measurement to the next.
double getLeastTime(double operations,
                    const sparkle_device_performance_t &performance);

/// What the kernel took of a time in which there were copies and a launch, too,
/// for which only a prediction is known. least: what the kernel takes at least.
double getKernelPart(double time, double others, double least);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_MODEL_H
