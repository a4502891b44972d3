// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What was measured, kept between processes: the times of kernels and the
// numbers of devices, in an SQLite file that any number of processes share.

#ifndef SPARKLE_RUNTIME_SCHEDULER_HISTORY_H
#define SPARKLE_RUNTIME_SCHEDULER_HISTORY_H

#include "runtime/Scheduler/Statistics.h"
#include "runtime/Settings.h"
#include "runtime/Status.h"

#include <memory>
#include <string>

namespace sparkle::runtime {

/// Which runs belong together.
struct HistoryKey {
  std::string device;   // product, driver and its version, threads of a CPU
  uint64_t kernel = 0;  // algorithm_hash
  uint64_t pattern = 0; // pattern_hash of the code that ran
  uint64_t shape = 0;   // hash of the run-time sizes
  /// Runs of a part of it, scaled to the whole.
  bool isPart = false;

  bool operator==(const HistoryKey &other) const {
    return kernel == other.kernel && pattern == other.pattern &&
           shape == other.shape && isPart == other.isPart &&
           device == other.device;
  }
};

/// Nothing here is fatal: without a folder, a library or a right file there is
/// no history but this process's own, which is logged once. Thread-safe; a
/// process that was forked from this one keeps nothing.
class History {
public:
  /// folder: of the file `history.sqlite`; empty: nothing is kept.
  static std::unique_ptr<History> open(const std::string &folder,
                                       const Settings &settings);
  /// Writes what is new. Waits for other processes up to five seconds.
  virtual ~History() = default;

  /// What was known when the file was opened, and added since by this process;
  /// and by others, as of when this one's were last written. Does not wait for
  /// the file.
  virtual Statistics find(const HistoryKey &key) = 0;
  /// One more run, which reaches the file with the next flush: soon, in a
  /// thread of its own, and at the end. Does not wait for the file.
  virtual void add(const HistoryKey &key, double nanoseconds) = 0;

  /// False if the device has not been measured.
  virtual bool findPerformance(const std::string &device,
                               sparkle_device_performance_t &performance) = 0;
  virtual void
  addPerformance(const std::string &device,
                 const sparkle_device_performance_t &performance) = 0;

  /// Writes what is new, or says why that failed; OK if nothing is kept.
  virtual Status flush() = 0;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_HISTORY_H
