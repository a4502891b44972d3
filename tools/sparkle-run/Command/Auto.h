// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What sparkle-run bench --device auto finds out: kernels through the scheduler
// beside the same kernels on each device.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_COMMAND_AUTO_H
#define SPARKLE_TOOLS_SPARKLE_RUN_COMMAND_AUTO_H

#include "tools/sparkle-run/Command/Commands.h"
#include "tools/sparkle-run/Execution/Peaks.h"
#include "tools/sparkle-run/Execution/Scheduler.h"
#include "tools/sparkle-run/Execution/Times.h"

namespace sparkle {

/// What the scheduler decided in some runs, and what came of it.
struct Choice {
  std::string text;   ///< "cpu", or "cpu 0-3, WORD:0 3-4" of parts.
  std::string reason; ///< Of the last run.
  std::vector<double> predicted, actual; ///< Nanoseconds, of each run.
};

/// One way to run a layer: on a device or where the scheduler likes.
struct Side {
  /// Auto: what is measured. Waiting: the same, each run waited for, where the
  /// others are streams.
  enum Kind { Fixed, Waiting, Auto };

  Kind kind = Auto;
  size_t device = 0; ///< If it is fixed.
  Times times;       ///< Seconds of one run.
  std::vector<Choice> choices;
  Comparison comparison; ///< Of the run that is furthest off.
  size_t checked = 0;    ///< Runs that were compared.
  std::string missing;   ///< Why it has no times though nothing is wrong.
  std::string error;
  int64_t count = 0; ///< Runs of a stream.

  bool isTimed() const { return !times.isEmpty(); }
  /// Most of its runs; null if there are none.
  const Choice *getChoice() const;
  void add(const std::string &text, const sparkle_decision_t &decision);
};

/// What is known of a layer on a device.
struct OnDevice {
  /// Before anything ran, and before the times were taken.
  sparkle_prediction_t first = {}, last = {};
  double done = 0;       ///< Operations of its code.
  double seconds = 0;    ///< Of one run, roughly.
  uint64_t suspects = 0; ///< Runs above the peak that the scheduler knows.
};

struct AutoLayer {
  std::string name, problem, error, unsupported;
  double operations = 0;
  bool isChecked = false;
  std::vector<OnDevice> devices;
  std::vector<Side> sides; ///< One for each device, and the scheduler's.

  const Side &getAuto() const { return sides.back(); }
  const Side *getWaiting() const;
  /// The fastest device by itself; null if none was timed.
  const Side *getBest() const;
};

/// All layers on one side, as far as they were timed.
struct Total {
  size_t layers = 0;
  double seconds = 0, operations = 0;
};

struct AutoTotals {
  std::vector<Total> devices;
  Total waiting, automatic;
  /// The fastest of the devices that ran all that `automatic` ran, or none.
  std::optional<size_t> best;
};

/// Prints what came of all layers.
class AutoReport {
public:
  AutoReport(const Options &options, const Scheduler &scheduler,
             const Peaks &peaks, const std::vector<AutoLayer> &layers)
      : options(options), scheduler(scheduler), devices(scheduler.getDevices()),
        peaks(peaks), layers(layers) {}

  void print() const;
  void writeJson() const;
  bool isGood() const;

private:
  /// What the devices of a side can do at most, of the operations done.
  bool isAbovePeak(const AutoLayer &layer, const Side &side) const;
  std::string getName(const Side &side) const;
  std::string getProblem(const AutoLayer &layer, const Side &side) const;
  std::string getVerdict(const AutoLayer &layer) const;
  AutoTotals getTotals() const;
  std::string spellSource(const AutoLayer &layer) const;
  void printHead() const;
  void printLayer(const AutoLayer &layer) const;
  void printWait(const AutoLayer &layer) const;
  void printStream(const AutoLayer &layer) const;
  void printNotes() const;
  void printTotals() const;
  void writeLayer(Json &json, const AutoLayer &layer) const;
  void writeSide(Json &json, const AutoLayer &layer, const Side &side) const;
  void writeDevices(Json &json, const AutoLayer &layer) const;
  void writeTotals(Json &json) const;
  void writeCounters(Json &json) const;

  const Options &options;
  const Scheduler &scheduler;
  const std::vector<Device> &devices;
  const Peaks &peaks;
  const std::vector<AutoLayer> &layers;
};

/// "cpu", or "cpu 0-3, WORD:0 3-4" if it was divided.
std::string spellParts(const sparkle_decision_t &decision,
                       const std::vector<Device> &devices);

/// Adds what was predicted of a kernel on a device.
void writePrediction(Json &json, const sparkle_prediction_t &prediction);

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_COMMAND_AUTO_H
