// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides what runs where. It knows no clock, thread or driver: it is told what
// is ready, what ended and what time it is, so that a simulation drives it as
// the scheduler does. Nothing here is thread-safe.

#ifndef SPARKLE_RUNTIME_SCHEDULER_DISPATCHER_H
#define SPARKLE_RUNTIME_SCHEDULER_DISPATCHER_H

#include "runtime/Scheduler/Model.h"
#include "runtime/Scheduler/Shares.h"
#include "sparkle/scheduler.h"

#include <deque>
#include <utility>

namespace sparkle::runtime {

/// Why a device was chosen, in numbers; `describe` makes a sentence of them.
struct Reason {
  enum Kind : uint8_t {
    None,
    First,    // it ends first
    Only,     // no other can
    Hinted,   // the caller wants it
    Explored, // nothing is known of it, and it could be faster
    Moved,    // it does once the inputs are there, which are used often
    Divided,  // all together end first
  };
  Kind kind = None;
  bool isHintUnheard = false; // the device of the hint cannot
  uint32_t best = 0;          // the device chosen, or the best alone
  uint32_t second = 0;        // the next one, if it is another
  double bestTime = 0;        // from now to the end, nanoseconds
  double secondTime = 0;
  uint32_t parts = 1;
};

/// A submission whose inputs are there. Who submits it owns it, and keeps it
/// until it is done or lost.
class Request {
public:
  virtual ~Request() = default;
  /// Bytes to bring to a device before a run there.
  virtual double getUpload(uint32_t device) const = 0;
  /// Of its inputs, the bytes that others have read before, and nobody has
  /// written since: they are likely to be read again.
  virtual double getReused() const { return 0; }

  TaskModel *task = nullptr;
  uint64_t hint = 0; // a bit for each device; 0: any

  // The dispatcher's.
  uint64_t failedOnce = 0; // devices that may be tried once more
  uint64_t failed = 0;     // devices that may not
  uint32_t failures = 0;
  int64_t left = 0;      // units that are not done
  uint32_t inFlight = 0; // pieces
  bool isLost = false;   // no device could run all of it
  uint64_t chosenAt = 0;
  double predicted = 0; // from then to the end
  Reason reason;
  /// Why each device that failed did, in the order in which they failed.
  std::vector<std::pair<uint32_t, Status>> losses;
};

/// Units of a request on a device.
struct Piece {
  Request *request = nullptr;
  int64_t begin = 0, end = 0;
  uint32_t device = 0;
  double kernel = 0;   // predicted nanoseconds
  double transfer = 0; // predicted nanoseconds
  double launch = 0;   // predicted nanoseconds
  double least = 0;    // nanoseconds of the kernel, by the device's peak
  double extra = 0;    // predicted, that exploring costs
  bool isExploring = false;
  /// Who started it says so: its time tells nothing, as that of the first run
  /// of a program, or was not taken.
  bool isUntold = false;
  uint64_t startedAt = 0;
  uint32_t incidents = 0; // Device::incidents when it was started
  double getTime() const { return launch + transfer + kernel; }
  double getOperations() const {
    return request->task->devices[device].demand.operations *
           request->task->getFraction(begin, end);
  }
  bool isWhole() const { return begin == 0 && end == request->task->units; }
};

class Dispatcher {
public:
  static constexpr uint32_t inFlightLimit = 3; // pieces of a device

  struct Options {
    bool explores = true;
    bool splits = true;
  };

  /// What is known of a device, and happens on it.
  struct Device {
    DeviceModel model;
    std::deque<Piece> inFlight; // in order
    uint64_t since = 0;         // when the first of them began, or would have
    double load = 0;            // of them all, predicted nanoseconds
    bool isSetAside = false;
    uint32_t incidents = 0; // failures, together with what was in flight
    uint64_t retryAt = 0;   // then it may be tried again
    uint64_t delay = 0;     // that was waited last
    uint64_t worksSince = 0;
    Status reason; // of its last failure
    uint64_t parts = 0, failures = 0, suspects = 0, explorations = 0;
    double operations = 0, busy = 0, predicted = 0;

    /// For one more piece; one that is tried again shows first that it works.
    bool hasPlace() const {
      return inFlight.size() < (isSetAside ? 1 : inFlightLimit);
    }
  };

  Dispatcher(const Options &options, std::vector<DeviceModel> models);

  std::vector<Device> &devices() { return all; }
  const std::vector<Device> &devices() const { return all; }

  /// A request becomes ready. False if no device can run it at all.
  bool add(Request &request);
  /// The next piece to start at `now`, which is in flight from then on; false
  /// if there is none until something ends, or is added, or a device may be
  /// tried again.
  bool next(uint64_t now, Piece &piece);

  /// A piece that was started ended.
  /// kernel: nanoseconds that it ran, or 0, which is unknown: then it is taken
  /// from `now`, and filled in. Negative after the call if it is impossible.
  /// Returns whether the request has ended, done or lost.
  bool finish(const Piece &piece, uint64_t now, double &kernel);
  /// A piece that was started failed. Its units wait to be started elsewhere,
  /// unless nothing is left that could: then the request is lost.
  /// isDevice: the device is at fault, and is set aside for a while; else it is
  /// this task that it cannot run.
  /// Returns whether the request has ended, done or lost.
  bool fail(const Piece &piece, uint64_t now, const Status &status,
            bool isDevice);

private:
  struct Candidate {
    uint32_t device;
    double kernel, transfer, launch;
    double moved; // of the transfer, what would not have to be done again
    double end;   // from now, all that comes before included
  };
  struct Waiting {
    Request *request;
    int64_t begin, end;
  };

  static uint64_t bit(uint32_t device) { return uint64_t(1) << device; }
  double getOwnBacklog(const Device &device, uint64_t now) const;
  uint64_t getAble(const Request &request, uint64_t now) const;
  bool isDue(uint64_t now) const;
  void look(uint64_t now);
  void collect(const Waiting &waiting, uint64_t devices);
  bool choose(const Waiting &waiting, uint64_t now, Piece &piece);
  std::pair<const Candidate *, const Candidate *> findFirst() const;
  void wait(const Candidate &best);
  const Candidate *findUnknown(const TaskModel &task,
                               const Candidate &best) const;
  const Candidate *findMove(TaskModel &task, const Candidate &best) const;
  bool isBestOfResource(const Candidate &candidate) const;
  bool divide(const Waiting &waiting, const Candidate &best);
  void start(Piece &piece, uint64_t now);
  void take(const Piece &piece, uint64_t now);
  double getKernelTime(const Piece &piece, uint64_t now, double told);
  void learn(const Piece &piece, double kernel);
  void learnExplored(const Piece &piece, double took);
  void learnGain(Request &request, uint64_t now);
  void lose(Request &request);
  void setAside(Device &device, uint64_t now, const Status &status);

  const Options options;
  std::vector<Device> all;
  std::deque<Waiting> ready;
  std::deque<Piece> divided; // of the request divided last, to be started

  /// What looking for the next piece has to know of a device, at hand.
  struct Place {
    double backlog;  // of what is in flight, and of what waits for it
    double promised; // of what waits for it
    double launch, nanosecondsPerByte;
    uint64_t turns; // a bit for each device of its resource
  };
  std::vector<Place> places;
  uint64_t startable = 0; // a bit for each device that can start a piece
  uint64_t reserved = 0;  // the same: something waits for its turn there
  /// So many of `ready` wait until something ends, as long as there is nothing
  /// new: they are not looked at again.
  size_t looked = 0, waitingFreely = 0; // the second: without a hint
  uint64_t lookedAt = 0;
  std::vector<Candidate> candidates; // of the request looked at
  std::vector<Share> shares;
  std::vector<uint32_t> sharers; // the device of each share
};

/// "cpu ends first: 120 us, before WORD:0, 340 us". names: of the devices.
void describe(const Request &request, const char *const *names, char *text,
              size_t size);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_DISPATCHER_H
