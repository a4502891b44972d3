// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a scheduler's threads share: who waits for what, and the dispatcher,
// which is told of it. One mutex guards all of that; nobody holds it while
// calling a device.

#ifndef SPARKLE_RUNTIME_SCHEDULER_ENGINE_H
#define SPARKLE_RUNTIME_SCHEDULER_ENGINE_H

#include "runtime/Scheduler/Lane.h"
#include "runtime/Scheduler/Trace.h"
#include "runtime/Thread.h"
#include "runtime/Wait.h"

#include <memory>

namespace sparkle::runtime {

class Engine final : public Counted {
public:
  static Status create(Context &context,
                       const sparkle_scheduler_options_t &options,
                       Ref<Engine> &engine);
  /// Nobody submits any more, and nothing is pending.
  void close();

  // The program's side.
  Status submit(Task &task, Array *const *arrays, uint32_t count,
                const char *hint, uint64_t &ticket);
  Status wait(uint64_t ticket, uint64_t timeout);
  Status explain(uint64_t ticket, sparkle_decision_t &decision);
  Status queryCounters(size_t device, sparkle_device_counters_t &counters);
  const std::vector<Ref<Device>> &devices() const { return known; }
  Context &context() const { return *machine; }

  // Of arrays and tasks.
  std::mutex mutex;
  std::condition_variable changed; // something ended
  /// Waits for a run, which the caller keeps, under the mutex. False if the
  /// time is up.
  bool await(const Run &run, const Deadline &deadline,
             std::unique_lock<std::mutex> &lock);
  void addArray(Array &array);
  void removeArray(Array &array);
  Dispatcher &dispatcher() { return *decisions; }
  History &history() { return *memory; }
  Trace *trace() const { return tracer.get(); } // null: nobody wants one
  const std::string &getDeviceKey(uint32_t device) const {
    return deviceKeys[device];
  }
  /// SPARKLE_INVALID_ARGUMENT unless there is such a device.
  Status checkDevice(size_t device) const;

  // Of lanes; the first two under the mutex.
  /// kernel: nanoseconds, 0 if unknown.
  void finish(Parcel &parcel, double kernel);
  void fail(Parcel &parcel, const Status &status);
  Status startThread(void (*run)(void *argument), void *argument);
  /// Which cannot wait for its own end.
  static thread_local bool isLaneThread;
  void endThread();
  /// Frees what runs that have ended held, in the calling thread, which does
  /// not hold the mutex.
  void letGo();
  uint64_t getGeneration(uint32_t device) const {
    return lanes[device]->generation();
  }
  /// Frees copies of arrays on a device that no run uses.
  void evict(uint32_t device);
  /// A device was measured once more. Under the mutex.
  void renewPeak(uint32_t device,
                 const sparkle_device_performance_t &performance);

private:
  Engine(Context &context) : machine(Ref<Context>::share(&context)) {}
  Status selectDevices(const char *names);
  Status measureDevices();
  Status startLanes(uint32_t flags);
  Status parseHint(const char *hint, uint64_t &mask) const;
  Status check(const Task &task, Array *const *arrays, uint32_t count) const;
  void link(Run &run);
  void activate(Run &run);
  bool isWorthTiming(const Piece &piece);
  uint64_t pump();
  void pumpAndWake();
  void doubtPeak(uint32_t device);
  void end(Run &run);
  void unlink(Run &run);
  Status makeLoss(const Run &run) const;
  Status find(uint64_t ticket, Run *&run);

  /// Outcomes that are kept.
  static constexpr uint64_t keptRuns = 4096;

  const Ref<Context> machine;
  const OwnerProcess owner;
  Settings environment;
  uint32_t pendingLimit = 0;
  uint64_t defaultHint = 0;
  std::unique_ptr<History> memory;
  std::unique_ptr<Trace> tracer;
  std::vector<Ref<Device>> known;
  std::vector<std::string> deviceKeys;
  std::vector<sparkle_device_performance_t> performances;
  std::unique_ptr<Dispatcher> decisions;
  std::vector<std::unique_ptr<Lane>> lanes;

  // Under the mutex.
  uint32_t threads = 0;       // of lanes
  uint32_t pending = 0;       // runs
  uint64_t tickets = 0;       // given
  std::vector<Ref<Run>> runs; // the last ones, by ticket
  std::vector<Array *> arrays;
  std::vector<Ref<Run>> ended; // what they hold is let go without the mutex
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_ENGINE_H
