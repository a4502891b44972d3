// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What happened when, as a file of Chrome's trace events, which Perfetto and
// chrome://tracing open: the Trace Event Format, complete events and counters.

#ifndef SPARKLE_RUNTIME_SCHEDULER_TRACE_H
#define SPARKLE_RUNTIME_SCHEDULER_TRACE_H

#include "runtime/Settings.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sparkle::runtime {

/// Times are those of getNanoseconds(). Thread-safe. A file that takes nothing
/// more is logged once; nothing is traced from then on.
class Trace {
public:
  /// Null if there is no path, or the file cannot be written, which is logged.
  /// An existing file is replaced.
  static std::unique_ptr<Trace> open(const char *path,
                                     const Settings &settings);
  Trace(const Trace &) = delete;
  /// Completes the file.
  ~Trace();

  /// A row of the picture, `name` of the group `process`. Groups of the same
  /// name are one.
  uint32_t addTrack(const char *process, const char *name);
  /// arguments: a JSON object that is shown with it, or null.
  void add(uint32_t track, const char *name, uint64_t beginNs, uint64_t endNs,
           const char *argumentsJson);
  /// A curve through its values, shown with the track's group. Not finite: it
  /// is left out.
  void addCounter(uint32_t track, const char *name, uint64_t ns, double value);

private:
  struct Track {
    uint32_t process, thread;
  };

  Trace(int file, const char *path, const Settings &settings);
  void addName(const char *kind, Track track, const char *name);
  void beginEvent(char phase, Track track, const char *name);
  void endEvent();
  void write();

  const int file;
  const std::string path;
  const Settings settings;
  std::mutex mutex;
  std::string buffer; // whole events that are not written yet
  std::vector<std::string> processes;
  std::vector<Track> tracks;
  bool hasEvents = false, isBroken = false;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_TRACE_H
