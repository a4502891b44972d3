// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every kind of device implements. The objects of the C ABI
// (runtime/Api.cpp) are these. What comes here has passed the checks of
// runtime/Command.h, so a device only reports what it finds out itself: memory
// that runs out, a driver that fails, work that is lost.
//
// Every function may be called from any thread at any time. Nobody holds a lock
// while calling in here.

#ifndef SPARKLE_RUNTIME_DEVICE_DEVICE_H
#define SPARKLE_RUNTIME_DEVICE_DEVICE_H

#include "runtime/Reference.h"
#include "runtime/Settings.h"
#include "runtime/Status.h"

#include <vector>

namespace sparkle::runtime {

class Device;

/// sparkle_buffer_t. A device derives from it, and lets it go only when no work
/// in flight uses it any more: a recording owns its buffers, and a queue the
/// recordings in flight.
class Buffer : public Counted {
public:
  Device &device() const { return *owner; }
  uint64_t size() const { return bytes; }
  /// As the host sees it, aligned to 64, or null.
  void *pointer() const { return host; }

protected:
  Buffer(Device &device, uint64_t size, void *pointer);
  ~Buffer() override;

private:
  Device *owner; // one of its owners
  uint64_t bytes;
  void *host;
};

/// One code of a kernel, made ready on a device. Immutable; any number of
/// recordings use it at the same time.
class Program : public Counted {};

/// Bytes of a buffer of the device: inside of it, and aligned.
struct View {
  Ref<Buffer> buffer;
  uint64_t offset = 0;
  uint64_t size = 0;
};

/// Coordinates of a kernel's output along one dimension: sparkle_code_t,
/// `cuts`.
struct Band {
  uint32_t dimension = 0;
  int64_t begin = 0, end = 0;

  bool isEmpty() const { return begin == end; }
};

/// The cut of a code along a dimension; null if there is none.
const sparkle_cut_t *findCut(const sparkle_code_t &code, uint32_t dimension);

/// A checked command. Commands of a recording run in order, each seeing what
/// the ones before wrote.
struct Command {
  sparkle_command_kind_t kind = SPARKLE_COMMAND_KERNEL;
  uint32_t fill = 0; // of FILL
  Ref<Program> program;
  /// Of KERNEL: in the order of the tensors without temps, each as long as the
  /// kernel wants it. Of COPY: from, to, equally long, perhaps empty.
  std::vector<View> arguments;
  std::vector<int64_t> sizes;
  /// Of KERNEL: what alone of its output is computed; all of it if empty. The
  /// code has such a cut, and on a GPU single workgroups along what comes
  /// before.
  Band band;
  /// Bytes that the program wants beside its arguments; 0 if none. They are the
  /// device's affair: commands of one recording may share them.
  uint64_t workspace = 0;
};

/// sparkle_recording_t: commands in the device's own form, submitted any number
/// of times. It may be in flight several times on one queue, which runs it in
/// order; on several queues at once it would overwrite its own outputs, which
/// is the caller's mistake.
class Recording : public Counted {
public:
  Device &device() const { return *owner; }

protected:
  explicit Recording(Device &device);
  ~Recording() override;

private:
  Device *owner; // one of its owners
};

/// sparkle_timeline_t: the host's own (runtime/Timeline.h), or a queue's.
class Timeline : public Counted {
public:
  /// The device whose queue it belongs to; null for the host's. A device that
  /// finds itself here knows the derived class.
  virtual const Device *device() const = 0;
  /// The value reached, or why it never will reach more.
  virtual Status query(uint64_t &value) = 0;
  /// OK once `value` is reached, also if work failed after that;
  /// SPARKLE_TIMEOUT after `timeout` nanoseconds; or why it never will be.
  virtual Status wait(uint64_t value, uint64_t timeout) = 0;
  /// By the host. A queue's timeline refuses.
  virtual Status signal(uint64_t value) = 0;
  /// By a device, whose work is done: a value already reached is no error. Only
  /// of the host's timelines, as is `fail`.
  virtual void advance(uint64_t value) = 0;
  /// By a device: the work that was to signal it is lost. Only the first
  /// failure counts.
  virtual void fail(const Status &status) = 0;
};

// The answers that are the same for every timeline and queue.

/// SPARKLE_TIMEOUT: `value` is not reached when the time is up.
Status makeTimeOut(uint64_t value);
/// SPARKLE_INVALID_ARGUMENT: submission `value` has no times.
Status makeNotTimed(uint64_t value);

/// What is submitted. The pointers are the caller's; a queue that keeps a
/// timeline or the recording beyond the call becomes one of their owners.
struct Submission {
  Recording &recording;           // of this queue's device
  const sparkle_point_t *waits;   // any timelines
  const sparkle_point_t *signals; // timelines of the host
  uint32_t waitCount;
  uint32_t signalCount;
  uint32_t flags; // SPARKLE_SUBMIT_*
};

/// The timeline of a point that the C ABI was given.
inline Timeline &getTimeline(const sparkle_point_t &point) {
  return *reinterpret_cast<Timeline *>(point.timeline);
}

/// sparkle_queue_t. Three submissions in flight at most.
///
/// When the last owner lets it go, what was submitted still runs, and nobody
/// waits for that: a submission may be waiting for a signal that comes later.
///
/// It fails for good when its work fails, when a timeline that it waits for
/// fails, or when its device is lost: then its timeline gives the status, and
/// so does each host timeline that the work lost was to signal.
class Queue : public Counted {
public:
  Device &device() const { return *owner; }
  /// Lives as long as the queue's work; who keeps it owns it.
  virtual Timeline &timeline() = 0;
  /// value: what the timeline reaches, one more with each submission.
  virtual Status submit(const Submission &submission, uint64_t &value) = 0;
  virtual Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end) = 0;

protected:
  explicit Queue(Device &device);
  ~Queue() override;

private:
  Device *owner; // one of its owners
};

/// sparkle_device_t. Objects made here keep it alive.
class Device : public Counted {
public:
  const sparkle_device_properties_t &properties() const { return description; }
  const Settings &settings() const { return environment; }

  virtual Status measure(uint32_t threads,
                         sparkle_device_performance_t &performance) = 0;
  /// size: may be 0.
  virtual Status createBuffer(sparkle_memory_t memory, uint64_t size,
                              Ref<Buffer> &buffer) = 0;
  /// Whether it can run a code of its own target. If not, SPARKLE_NO_IMAGE and
  /// a clause that follows the processor's name: "needs avx2".
  virtual Status checkCode(const sparkle_code_t &code) = 0;
  /// Of a code that passed.
  virtual Status createProgram(const sparkle_kernel_t &kernel,
                               const sparkle_code_t &code,
                               Ref<Program> &program) = 0;
  virtual Status createRecording(std::vector<Command> commands,
                                 Ref<Recording> &recording) = 0;
  virtual Status createQueue(Ref<Queue> &queue) = 0;

protected:
  explicit Device(const Settings &settings) : environment(settings) {}

  /// The constructor, or the factory, fills it in; constant from then on.
  sparkle_device_properties_t description = {};

private:
  Settings environment;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_DEVICE_H
