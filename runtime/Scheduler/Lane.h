// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The way to one device and back: one thread brings inputs over and submits,
// another one waits and brings outputs back, so that what is next is brought
// while the device computes. Who submits, or waits, does it in the thread's
// place where that is quick: to wake another thread takes longer than a small
// kernel.

#ifndef SPARKLE_RUNTIME_SCHEDULER_LANE_H
#define SPARKLE_RUNTIME_SCHEDULER_LANE_H

#include "runtime/Pipeline.h"
#include "runtime/Scheduler/Run.h"
#include "runtime/Scheduler/Slab.h"

#include <condition_variable>
#include <mutex>

namespace sparkle::runtime {

/// Whether a device's buffers are the arrays themselves.
bool sharesHostMemory(const Device &device);

/// Bytes that go to the host's copy of an array when a parcel is done.
struct Fetch {
  Ref<Buffer> from;
  uint64_t fromOffset;
  Array *array;
  uint64_t offset, size; // in the array
};

/// A piece on its way.
struct Parcel {
  Piece piece;
  Ref<Run> run;
  size_t index;                  // of the run's parts
  bool isTimed = true;           // by the device, if it can
  uint64_t kernel = 0, last = 0; // what the queues' timelines reach
  Ref<Queue> kernelQueue, lastQueue;
  std::vector<Fetch> fetches;
  // Times of the host's clock.
  uint64_t taken = 0, submitted = 0; // into hand, and to the device
  uint64_t computed = 0;             // when it was known to have ended
};

/// What a parcel is to do, as it is put together.
struct Work {
  std::vector<Command> uploads, readbacks;
  Command kernel;
};

class Lane {
public:
  Lane(Engine &engine, uint32_t index, Ref<Device> device);
  Status start();

  // Under the engine's mutex.
  void push(Parcel *parcel) { inbox.push_back(parcel); }
  /// Has what was pushed sent, by the lane's thread; or by this one, if it
  /// submits and nothing has to be made ready first.
  void awake() { arrived.notify_all(); }
  void sendHere(std::unique_lock<std::mutex> &lock);
  /// Waits for the oldest parcel in the place of the lane's thread, if it is
  /// one of `run`. False if it is not, or the time is up.
  bool awaitHere(const Run &run, uint64_t timeout,
                 std::unique_lock<std::mutex> &lock);
  void close();
  /// Has the device measured once more when it has nothing to do.
  void doubt() { isDoubted = true; }
  uint64_t generation() const { return age; }
  bool isHost() const { return ofHost; }

  uint64_t uploaded = 0, downloaded = 0; // bytes; under the engine's mutex

private:
  void feed();
  void sendFirst(std::unique_lock<std::mutex> &lock);
  void measure(std::unique_lock<std::mutex> &lock);
  void drain();
  bool awaitFirst(uint64_t timeout, std::unique_lock<std::mutex> &lock);
  void take(Parcel *parcel, std::unique_lock<std::mutex> &lock);
  Status send(Parcel &parcel);
  /// kernel: nanoseconds that it ran; 0: unknown. bytes: that were fetched.
  void receive(Parcel &parcel, double &kernel, uint64_t &bytes) const;
  Status open();
  Status bindWhole(Parcel &parcel, uint32_t argument, Work &work);
  Status bindSlice(Parcel &parcel, uint32_t argument, const Slab &slab,
                   Work &work);
  Status allocate(uint64_t size, sparkle_memory_t memory, Ref<Buffer> &buffer);
  template <typename Make> Status withRoom(Make make);
  Status renew(Array &array, Array::Copy &copy);
  Status bring(Array &array, Work &work);
  Status fetch(Parcel &parcel, Array &array, Work &work);
  void trace(const Parcel &parcel, double kernel, uint64_t fetched) const;
  double getKernelTime(const Parcel &parcel) const;

  Engine &engine;
  const uint32_t index;
  const bool ofHost;
  uint32_t bringing = 0, computing = 0, fetching = 0; // tracks of the trace
  Ref<Device> current; // one that is lost is looked for again
  Pipeline pipeline;
  std::condition_variable arrived, departed;
  std::deque<Parcel *> inbox, outbox; // under the engine's mutex, as the rest
  uint64_t taken = 0;                 // parcels
  bool isSending = false;             // some thread does, or measures
  bool isTaking = false;              // some thread fetches the oldest parcel
  bool isBroken = true;               // its queues failed, or there are none
  bool isClosed = false;
  bool isDoubted = false; // a kernel was faster than what was measured
  /// Of its queues. What older ones brought may never have come, or be lost.
  uint64_t age = 0;
};

/// Whether a failure is the device's, and not of what it was given.
bool isDeviceFault(sparkle_status_t status);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_LANE_H
