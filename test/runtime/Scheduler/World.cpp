// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random devices and work for them.

#include "test/runtime/Scheduler/Simulation.h"

#include <algorithm>
#include <cmath>

namespace sparkle::runtime {

Numbers::Numbers(const char *name, uint64_t index) : state(index) {
  // FNV-1a.
  uint64_t hash = 0xcbf29ce484222325;
  for (; *name; ++name)
    hash = (hash ^ static_cast<unsigned char>(*name)) * 0x100000001b3;
  state = hash + index * 0xd1342543de82ef95;
}

double Numbers::uniform() {
  // SplitMix64.
  state += 0x9e3779b97f4a7c15;
  uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  return static_cast<double>(mixed >> 11) * 0x1p-53;
}

double Numbers::between(double low, double high) {
  return low + (high - low) * uniform();
}

double Numbers::between10(double low, double high) {
  return low * std::pow(high / low, uniform());
}

int64_t Numbers::integer(int64_t low, int64_t high) {
  return low +
         static_cast<int64_t>(uniform() * static_cast<double>(high - low + 1));
}

double World::getKernelTime(size_t kernel, size_t device) const {
  const TrueKernel &what = kernels[kernel];
  const TrueDevice &where = devices[device];
  double bound =
      std::max(what.operations / where.operations, what.bytes / where.bytes);
  return bound / what.efficiency[device];
}

static TrueDevice makeDevice(Numbers &numbers, bool isHost, Faults faults) {
  TrueDevice device;
  device.operations =
      isHost ? numbers.between10(50, 3000) : numbers.between10(100, 20000);
  device.bytes =
      isHost ? numbers.between10(10, 200) : numbers.between10(20, 900);
  device.copied = numbers.between10(2, 25);
  device.launch =
      isHost ? numbers.between(1e3, 5e3) : numbers.between10(5e3, 8e4);
  device.noise = numbers.between(0.02, 0.1);
  device.outliers = numbers.chance(0.5) ? 0.01 : 0;
  device.tellsTime = numbers.chance(0.5);
  device.model.sharesMemory = isHost || numbers.chance(0.2);
  auto &measured = device.model.performance;
  measured.gflops = device.operations * numbers.between(0.95, 1.05);
  measured.gbytes_per_second = device.bytes * numbers.between(0.9, 1.1);
  measured.copy_gbytes_per_second = device.copied * numbers.between(0.8, 1.2);
  measured.launch_ns = device.launch * numbers.between(0.7, 1.4);
  if (faults == Faults::Some && numbers.chance(0.5)) {
    device.lost = numbers.between10(0.005, 0.3);
    if (numbers.chance(0.2))
      device.lost = 1;
  }
  if (faults == Faults::Some && numbers.chance(0.3)) {
    device.shiftAt = static_cast<uint64_t>(numbers.between10(1e6, 1e9));
    device.shift = numbers.between10(0.3, 4);
  }
  return device;
}

static TrueKernel makeKernel(Numbers &numbers, size_t devices, bool isLarge,
                             Faults faults) {
  TrueKernel kernel;
  kernel.operations = numbers.between10(isLarge ? 1e8 : 1e5, 1e10);
  double floats = kernel.operations / numbers.between10(20, 2000);
  kernel.inputBytes = 4 * floats * numbers.between(0.2, 0.8);
  kernel.outputBytes = 4 * floats - kernel.inputBytes;
  kernel.bytes = 4 * floats * numbers.between(1, 1.5);
  kernel.units = isLarge ? numbers.integer(2, 256) : 1;
  kernel.partCost = numbers.between(0, 0.05);
  for (size_t i = 0; i < devices; ++i) {
    kernel.efficiency.push_back(numbers.between(0.15, 1));
    bool isFaulty = faults == Faults::Some;
    kernel.lacks.push_back(i > 0 && numbers.chance(isFaulty ? 0.2 : 0.1));
    kernel.fails.push_back(isFaulty && numbers.chance(0.15));
  }
  return kernel;
}

/// What one submission waits for, and reads.
static void connect(World &world, Numbers &numbers, Work work, int64_t count) {
  int64_t between = work == Work::Stream   ? numbers.integer(4, 64)
                    : work == Work::Chains ? numbers.integer(2, 6)
                    : work == Work::Bursts ? 0
                                           : 1;
  bool isFresh = numbers.chance(0.5);
  int64_t burst = numbers.integer(2, 40);
  double pause = numbers.between10(1e5, 1e8);
  for (int64_t i = 0; i < count; ++i) {
    Submission submission;
    submission.kernel = static_cast<size_t>(
        numbers.integer(0, static_cast<int64_t>(world.kernels.size()) - 1));
    if (between && i >= between)
      submission.after = i - between;
    submission.input =
        isFresh ? -1 : -2 - static_cast<int64_t>(submission.kernel);
    if (work == Work::Chains && submission.after >= 0)
      submission.input = submission.after;
    if (work == Work::Bursts)
      submission.arrival =
          static_cast<uint64_t>(pause * static_cast<double>(i / burst));
    world.submissions.push_back(submission);
  }
}

World makeWorld(const char *name, uint64_t index, Work work, Faults faults,
                int64_t submissions) {
  Numbers numbers(name, index);
  World world;
  world.seed = index;
  int64_t devices = numbers.integer(work == Work::Divided ? 2 : 1, 5);
  for (int64_t i = 0; i < devices; ++i) {
    world.devices.push_back(makeDevice(numbers, i == 0, faults));
    // One that runs on the processors of the first, or is its own.
    bool takesTurns = i == 1 && numbers.chance(0.3);
    world.devices.back().model.resource =
        takesTurns ? 0 : static_cast<uint32_t>(i);
  }
  bool isOne = work == Work::Loop || work == Work::Divided;
  int64_t kernels = isOne ? 1 : numbers.integer(2, 12);
  for (int64_t i = 0; i < kernels; ++i) {
    bool isLarge = work == Work::Divided || numbers.chance(0.2);
    world.kernels.push_back(
        makeKernel(numbers, world.devices.size(), isLarge, faults));
    if (work == Work::Loop)
      world.kernels.back().units = 1;
    Numbers bands("bands", index * 16 + static_cast<uint64_t>(i));
    world.kernels.back().movesWhole = isLarge && bands.chance(0.3);
  }
  connect(world, numbers, work, submissions);
  if (faults == Faults::Some)
    for (Submission &submission : world.submissions)
      if (numbers.chance(0.1))
        submission.hint = uint64_t(1) << numbers.integer(0, devices - 1);
  return world;
}

} // namespace sparkle::runtime
