// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Devices whose true speeds the dispatcher does not know, work for them, and
// time that only passes when something happens: what the dispatcher decides is
// run and checked without a clock or a thread.

#ifndef SPARKLE_TEST_RUNTIME_SCHEDULER_SIMULATION_H
#define SPARKLE_TEST_RUNTIME_SCHEDULER_SIMULATION_H

#include "runtime/Scheduler/Dispatcher.h"

#include <string>

namespace sparkle::runtime {

/// Numbers that depend on nothing but a name and an index.
class Numbers {
public:
  Numbers(const char *name, uint64_t index);
  double uniform(); // from 0 up to 1
  double between(double low, double high);
  double between10(double low, double high);  // their logarithms are even
  int64_t integer(int64_t low, int64_t high); // both included
  bool chance(double probability) { return uniform() < probability; }

private:
  uint64_t state;
};

/// What a device really does. Times are nanoseconds, rates per nanosecond.
struct TrueDevice {
  DeviceModel model; // as it was measured
  double operations = 1, bytes = 1, copied = 1;
  double launch = 0;
  double noise = 0;    // relative
  double outliers = 0; // probability of each run
  double lost = 0;     // the same: the device fails, with all in flight
  uint64_t shiftAt = UINT64_MAX;
  double shift = 1;      // by how much it is slower from then on
  bool tellsTime = true; // of the kernel
};

struct TrueKernel {
  double operations = 0, bytes = 0, inputBytes = 0, outputBytes = 0;
  int64_t units = 1;
  bool movesWhole = false;        // each part, all that a whole run does
  double partCost = 0;            // by how much parts are slower
  std::vector<double> efficiency; // of each device
  std::vector<bool> lacks, fails; // the device never can; it fails
};

struct Submission {
  size_t kernel = 0;
  int64_t after = -1;   // another one, that has to end first
  uint64_t arrival = 0; // and not before
  int64_t input = 0;    // array; the output is the array of its own number
  uint64_t hint = 0;
};

struct World {
  std::vector<TrueDevice> devices;
  std::vector<TrueKernel> kernels;
  std::vector<Submission> submissions;
  uint64_t seed = 0;

  double getKernelTime(size_t kernel, size_t device) const;
};

enum class Work { Loop, Mixed, Stream, Chains, Bursts, Divided };
constexpr int workCount = 6;

enum class Faults { None, Some };

/// A random world; the same for the same arguments.
World makeWorld(const char *name, uint64_t index, Work work, Faults faults,
                int64_t submissions);

struct Outcome {
  std::string violation; // the first one of what must not happen
  std::vector<uint64_t> ends;
  uint64_t end = 0;
  size_t lost = 0, divided = 0, failures = 0, retries = 0, pieces = 0;
  std::vector<Reason> reasons;
};

/// Runs everything. hint: for all submissions; 0: their own.
Outcome simulate(const World &world, const Dispatcher::Options &options,
                 uint64_t hint = 0);

} // namespace sparkle::runtime

#endif // SPARKLE_TEST_RUNTIME_SCHEDULER_SIMULATION_H
