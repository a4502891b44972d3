// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A queue whose work a driver does: three submissions in flight, in order.
//
// A submission that depends only on what the driver can wait for by itself is
// given to it by the thread that submits. One that waits for the host, for
// another device or for work not submitted yet stays here, and so do all after
// it, until a thread of the queue's has seen what it waits for: handing it over
// earlier could block work that it depends on. A second thread signals
// timelines of the host. Both are started when they are first needed.

#ifndef SPARKLE_RUNTIME_DEVICE_DRIVERQUEUE_H
#define SPARKLE_RUNTIME_DEVICE_DRIVERQUEUE_H

#include "runtime/Device/DriverTimeline.h"

#include <deque>

namespace sparkle::runtime {

/// An event that work waits for or signals, and one of its owners.
struct OwnedPoint {
  Ref<Timeline> timeline;
  uint64_t value;
};

/// What a queue is made of; it outlives the handle while work is left.
class DriverQueueState : public Counted {
public:
  DriverTimeline &timeline() const { return *line; }
  Status submit(const Submission &submission, uint64_t &value);
  virtual Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end) = 0;
  /// The handle is gone. Does not wait for work.
  void close();

protected:
  static constexpr uint32_t slotCount = 3;

  DriverQueueState(Device &device, Ref<DriverTimeline> timeline);

  // A device's own part, with `order` held.

  /// OK, or why the device takes no more work.
  virtual Status getVerdict() = 0;
  /// Forgets for what the next work is to wait.
  virtual void clearWaits() = 0;
  /// Whether the driver will wait for `value` of `timeline` by itself, or need
  /// not; notes it for the next work then.
  virtual bool addWait(Timeline &timeline, uint64_t value) = 0;
  /// Gives work to the driver, behind what was noted. Where it fails for good,
  /// so does the timeline.
  virtual Status give(Recording &recording, uint32_t flags, uint64_t value) = 0;

  // Without it.

  /// For what the driver cannot wait for by itself.
  virtual Status waitOnHost(Timeline &timeline, uint64_t value) = 0;

  /// Why submission `value` has no times (yet).
  Status explainNoTimes(uint64_t value);
  Status checkTimestamps() const;

  /// Who holds it gives work to the driver. Taken before `mutex`.
  std::mutex order;

private:
  /// Accepted, but not yet with the driver.
  struct Deferred {
    Ref<Recording> recording;
    std::vector<OwnedPoint> waits, signals;
    uint32_t flags;
    uint64_t value;
  };
  /// The host's timelines to be signalled at a value of the queue's.
  struct Finishing {
    uint64_t value;
    std::vector<OwnedPoint> signals;
  };

  // On the thread that submits, with `order` held.
  Status check(const Submission &submission);
  bool mustDefer(const Submission &submission);
  Status defer(const Submission &submission);

  // On the queue's threads.
  Status start(bool &isRunning, void (*run)(void *state));
  void runDeferred();
  Status waitFor(const Deferred &work);
  Status run(const Deferred &work);
  void drop(const Status &status);
  void runFinishing();
  void finish(uint64_t value, std::vector<OwnedPoint> signals);
  void leave(bool &isRunning, std::unique_lock<std::mutex> lock);
  void leaveIdle(bool &isRunning, std::unique_lock<std::mutex> lock);

  const Ref<Device> owner;
  const Ref<DriverTimeline> line;
  uint64_t assigned = 0; // the last value promised; guarded by `order`

  std::mutex mutex; // of what follows
  std::condition_variable changed;
  std::deque<Deferred> deferred;   // the first one may be in the works
  std::deque<Finishing> finishing; // so here
  bool isDeferring = false, isFinishing = false; // there is a thread
  bool isClosing = false;
  bool isAwaited = false; // close() waits for the threads
};

class DriverQueue : public Queue {
public:
  DriverQueue(Device &device, Ref<DriverQueueState> state)
      : Queue(device), state(std::move(state)) {}

  Timeline &timeline() override { return state->timeline(); }
  Status submit(const Submission &submission, uint64_t &value) override {
    return state->submit(submission, value);
  }
  Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end) override {
    return state->queryTimes(value, begin, end);
  }

private:
  ~DriverQueue() override { state->close(); }

  const Ref<DriverQueueState> state;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_DRIVERQUEUE_H
