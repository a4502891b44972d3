// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The seven commands, and what they share. Each returns the exit status.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_COMMAND_COMMANDS_H
#define SPARKLE_TOOLS_SPARKLE_RUN_COMMAND_COMMANDS_H

#include "tools/sparkle-run/Execution/Device.h"
#include "tools/sparkle-run/Json.h"
#include "tools/sparkle-run/Problem/Work.h"

#include <functional>

namespace sparkle {

int listDevices(const sparkle_context_t *context, const Options &options);
int runOnce(const sparkle_context_t *context, const Options &options);
int verify(const sparkle_context_t *context, const Options &options);
int bench(const sparkle_context_t *context, const Options &options);
int benchAuto(sparkle_context_t *context, const Options &options);
int explain(sparkle_context_t *context, const Options &options);
int sweep(const sparkle_context_t *context, const Options &options);
/// All layers of a network one after the other, as one.
int benchStack(const std::vector<Device> &devices, const Options &options);
/// Needs no device: those that the options name say for which targets.
int compile(const Options &options);

/// The words of the devices' targets, with commas between them.
std::string getTargets(const std::vector<Device> &devices);

/// Calls `function(i)` for i below `count` on `jobs` threads; 0 is one for each
/// processor.
void runParallel(size_t count, int64_t jobs,
                 const std::function<void(size_t)> &function);
/// What 0 jobs are.
size_t getJobs(int64_t jobs);

/// Tells on a terminal how far it is; nothing elsewhere.
class Progress {
public:
  explicit Progress(size_t count);
  ~Progress() { clear(); }

  void show(size_t done, const std::string &what);
  void clear();

private:
  size_t count;
  bool isShown = false, isTerminal;
};

/// "0.43" of a bound, "none" of no error.
std::string spellShare(double share);
/// "largest error 1e-05, 0.43 of its bound at y[0, 1]".
std::string spellError(const Comparison &comparison);

/// Begins `{"machine": {...}` with the processor and the devices; the caller
/// adds to the machine and closes it.
void writeMachine(Json &json, const std::vector<Device> &devices,
                  const Options &options);

/// As the machine names itself.
std::string getProcessorName();

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_COMMAND_COMMANDS_H
