// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime's scheduler, and a kernel that it runs where it likes.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_SCHEDULER_H
#define SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_SCHEDULER_H

#include "tools/sparkle-run/Execution/Device.h"

namespace sparkle {

/// What the runtime keeps in flight on a device.
constexpr uint32_t inFlightLimit = 3;

class Scheduler {
public:
  /// names: as sparkle_scheduler_create takes them; none: all devices. Says on
  /// stderr why there is none.
  static std::unique_ptr<Scheduler>
  create(sparkle_context_t *context, const std::vector<std::string> &names);

  sparkle_scheduler_t *get() const { return scheduler.get(); }
  /// In the scheduler's order.
  const std::vector<Device> &getDevices() const { return devices; }
  sparkle_device_counters_t getCounters(size_t device) const;
  /// Submissions that are not done, at most: one more waits.
  uint32_t getPending() const { return pending; }

private:
  bool open(sparkle_context_t *context, const std::vector<std::string> &names);
  void reportMissing(const sparkle_context_t *context,
                     const std::vector<std::string> &names) const;

  uint32_t pending = 0;
  Owned<sparkle_scheduler_t> scheduler;
  std::vector<Device> devices;
};

/// An instance as a task, with some sets of arrays for its arguments, so that
/// several runs are under way at once.
class Task {
public:
  /// setCount: how many sets, at least 1.
  Task(const Scheduler &scheduler, const Instance &instance, size_t setCount)
      : scheduler(scheduler), instance(instance), sets(setCount) {}

  /// Makes the task and its arrays; `getError` tells what is in the way.
  Session::Status open();
  const std::string &getError() const { return error; }

  /// The outputs become poison.
  bool poison();
  /// Submits a run whose inputs are new, in that they have to be brought to the
  /// device again, and returns; waits only for room.
  /// hint: of a device, or null.
  bool submit(const char *hint, uint64_t &ticket);
  bool wait(uint64_t ticket);
  bool explain(uint64_t ticket, sparkle_decision_t &decision);
  bool predict(size_t device, sparkle_prediction_t &prediction);
  /// Calls `visit(outputs)` for each set that ran since `poison`.
  template <typename Visitor> bool readOutputs(Visitor visit) {
    for (const Set &set : sets) {
      Outputs outputs;
      if (set.ticket && !read(set, outputs))
        return false;
      if (set.ticket)
        visit(outputs);
    }
    return true;
  }

private:
  struct Set {
    std::vector<Owned<sparkle_array_t>> arrays; ///< Null for weights.
    uint64_t ticket = 0; ///< Of its last run since `poison`.
  };

  bool check(sparkle_status_t status, const sparkle_error_t &failure);
  bool createTask();
  bool createArrays(Set &set);
  bool findIdle(size_t &set);
  bool map(const Set &set, size_t argument, sparkle_access_t access,
           void *&bytes);
  bool read(const Set &set, Outputs &outputs);

  const Scheduler &scheduler;
  const Instance &instance;
  std::string error;
  bool isLacking = false;
  Owned<sparkle_task_t> task;
  std::vector<size_t> arguments; ///< The tensor of each.
  std::vector<Set> sets;
  size_t latest = 0; ///< Of these, where a submission was made last.
};

/// "roofline" or "history"; "none" where the device cannot run it.
const char *getWord(const sparkle_prediction_t &prediction);

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_SCHEDULER_H
