// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The way to one device and back: one thread brings inputs over and submits,
// another one waits and brings outputs back, so that what is next is brought
// while the device computes.

#ifndef SPARKLE_RUNTIME_SCHEDULER_LANE_H
#define SPARKLE_RUNTIME_SCHEDULER_LANE_H

#include "runtime/Pipeline.h"
#include "runtime/Scheduler/Run.h"

#include <condition_variable>
#include <mutex>

namespace sparkle::runtime {

/// Bytes that go to the host's copy of an array when a part is done.
struct Fetch {
  Ref<Buffer> from;
  Array *array;
  uint64_t offset, size; // in the array
  uint64_t fromOffset;
};

/// A piece on its way.
struct Part {
  Piece piece;
  Ref<Run> run;
  size_t index; // of the run's parts
  uint64_t submittedAt = 0;
  uint64_t kernel = 0, last = 0; // what the queues' timelines reach
  Ref<Queue> kernelQueue, lastQueue;
  std::vector<Fetch> fetches;
};

class Lane {
public:
  Lane(Engine &engine, uint32_t index, Ref<Device> device);
  Status start();

  // Under the engine's mutex.
  void push(Part *part);
  void close();
  uint64_t generation() const { return age; }
  const Device &device() const { return *current; }

  uint64_t uploaded = 0, downloaded = 0; // bytes; under the engine's mutex

private:
  void feed();
  void drain();
  Status send(Part &part);
  /// kernel: nanoseconds that it ran; 0: unknown. bytes: that were fetched.
  Status receive(const Part &part, double &kernel, uint64_t &bytes) const;
  Status open();
  Status bind(Part &part, uint32_t argument, const Task::Prepared &prepared,
              std::vector<Command> &uploads, Command &kernel,
              std::vector<Command> &readbacks);
  Status allocate(uint64_t size, sparkle_memory_t memory, Ref<Buffer> &buffer);
  Status renew(Array &array, Array::Copy &copy);
  Status bring(Array &array, std::vector<Command> &uploads);
  Status fetch(Part &part, Array &array, std::vector<Command> &readbacks);
  double getKernelTime(const Part &part) const;
  bool isHost() const;

  Engine &engine;
  const uint32_t index;
  Ref<Device> current; // one that is lost is looked for again
  Pipeline pipeline;
  std::condition_variable arrived, departed;
  std::deque<Part *> inbox, outbox; // under the engine's mutex, as the rest
  bool isBroken = true;             // its queues failed, or there are none yet
  bool isLost = true;               // and its memory may be, too
  bool isClosed = false;
  uint64_t age = 0; // grows when the device's memory may be lost
};

/// Whether a device's buffers are the arrays themselves.
bool sharesHostMemory(const Device &device);

/// Whether a failure is the device's, and not of what it was given.
bool isDeviceFault(sparkle_status_t status);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_LANE_H
