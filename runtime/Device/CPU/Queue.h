// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A queue of the processor's: a thread that runs submissions in their order.

#ifndef SPARKLE_RUNTIME_DEVICE_CPU_QUEUE_H
#define SPARKLE_RUNTIME_DEVICE_CPU_QUEUE_H

#include "runtime/Device/CPU/Device.h"
#include "runtime/Timeline.h"

namespace sparkle::runtime {

/// What the thread works on. It owns itself until the queue is closed and all
/// is done, so that releasing a queue waits for nothing.
class CpuWorker final : public Counted {
public:
  explicit CpuWorker(Device &device);

  /// Lets the thread begin.
  Status start();
  /// No submissions come any more.
  void close();

  Timeline &timeline() const { return *done; }
  Status submit(const Submission &submission, uint64_t &value);
  Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end);

private:
  static constexpr uint64_t slotCount = 3;

  struct Point {
    Ref<Timeline> timeline;
    uint64_t value;
  };

  struct Slot {
    Ref<CpuRecording> recording;
    Ref<CpuMemory> workspace;
    std::vector<Point> waits, signals;
    bool isTimed = false;
    uint64_t begin = 0, end = 0;
  };

  void work();
  bool awaitNext();
  static Status await(const Slot &slot);
  Status run(Slot &slot);
  void finish(Slot &slot, Status status);
  Status growWorkspace(uint64_t size);

  const Settings settings;
  const Ref<HostTimeline> done;
  std::mutex mutex;
  std::condition_variable changed;
  // Under the mutex. Submission n lies in slot n % slotCount, which belongs to
  // the thread while it is in flight.
  Slot slots[slotCount];
  uint64_t submitted = 0, finished = 0;
  bool isClosed = false;
  Status failure;
  Ref<CpuMemory> workspace; // of the last submission that wanted one
};

class CpuQueue final : public Queue {
public:
  CpuQueue(Device &device, Ref<CpuWorker> worker)
      : Queue(device), worker(std::move(worker)) {}
  ~CpuQueue() override { worker->close(); }

  Timeline &timeline() override { return worker->timeline(); }
  Status submit(const Submission &submission, uint64_t &value) override {
    return worker->submit(submission, value);
  }
  Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end) override {
    return worker->queryTimes(value, begin, end);
  }

private:
  Ref<CpuWorker> worker;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_CPU_QUEUE_H
