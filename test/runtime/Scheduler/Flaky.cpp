// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/runtime/Scheduler/Flaky.h"
#include "runtime/Device/CPU/Device.h"
#include "runtime/Shape.h"
#include "runtime/Timeline.h"

#include <cstdio>
#include <map>
#include <mutex>

using namespace sparkle::runtime;

namespace {

/// A number below a million, by a generator of its own (xorshift, Marsaglia).
class Dice {
public:
  explicit Dice(uint32_t seed) : state(seed * 2654435761u | 1) {}
  uint32_t roll() {
    std::lock_guard<std::mutex> lock(mutex);
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % 1000000;
  }

private:
  std::mutex mutex;
  uint32_t state;
};

sparkle_device_performance_t pretend(double gflops, double launch) {
  sparkle_device_performance_t performance = {};
  performance.gflops = gflops;
  performance.gbytes_per_second = 100;
  performance.copy_gbytes_per_second = 5;
  performance.launch_ns = launch;
  return performance;
}

/// The CPU as it is, but for what it says its kernels took, if there is a pace.
class PacedDevice : public CpuDevice {
public:
  explicit PacedDevice(double pace) : CpuDevice(readSettings()), pace(pace) {}

  Status createProgram(const sparkle_kernel_t &kernel,
                       const sparkle_code_t &code,
                       Ref<Program> &program) override {
    Status status = CpuDevice::createProgram(kernel, code, program);
    std::lock_guard<std::mutex> lock(mutex);
    kernels[program.get()] = &kernel;
    return status;
  }
  Status createRecording(std::vector<Command> commands,
                         Ref<Recording> &recording) override {
    std::lock_guard<std::mutex> lock(mutex);
    double results = 0;
    for (const Command &command : commands)
      if (command.kind == SPARKLE_COMMAND_KERNEL)
        results += countResults(*kernels.at(command.program.get()), command);
    Status status = CpuDevice::createRecording(std::move(commands), recording);
    times[recording.get()] = static_cast<uint64_t>(pace * results);
    return status;
  }
  Status createQueue(Ref<Queue> &queue) override;

  uint64_t getTime(const Recording &recording) {
    std::lock_guard<std::mutex> lock(mutex);
    return times.at(&recording);
  }

private:
  static double countResults(const sparkle_kernel_t &kernel,
                             const Command &command) {
    double count = 0;
    for (uint32_t i = 0; i < kernel.tensor_count; ++i) {
      const sparkle_tensor_t &tensor = kernel.tensors[i];
      Extents extents;
      if (tensor.role != SPARKLE_ROLE_OUTPUT ||
          !getExtents(kernel, tensor, command.sizes.data(), extents).isOk())
        continue;
      if (!command.band.isEmpty())
        extents.values[command.band.dimension] =
            command.band.end - command.band.begin;
      double product = 1;
      for (uint32_t j = 0; j < tensor.rank; ++j)
        product *= static_cast<double>(extents.values[j]);
      count += product;
    }
    return count;
  }

  const double pace;
  std::mutex mutex;
  std::map<const Program *, const sparkle_kernel_t *> kernels;
  std::map<const Recording *, uint64_t> times; // nanoseconds
};

class PacedQueue final : public Queue {
public:
  PacedQueue(PacedDevice &device, Ref<Queue> inner)
      : Queue(device), paced(device), inner(std::move(inner)) {}

  Timeline &timeline() override { return inner->timeline(); }
  Status submit(const Submission &submission, uint64_t &value) override {
    std::lock_guard<std::mutex> lock(mutex);
    Status status = inner->submit(submission, value);
    if (status.isOk())
      times[value] = paced.getTime(submission.recording);
    return status;
  }
  Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end) override {
    std::lock_guard<std::mutex> lock(mutex);
    Status status = inner->queryTimes(value, begin, end);
    if (status.isOk())
      end = begin + times.at(value);
    return status;
  }

private:
  PacedDevice &paced;
  const Ref<Queue> inner;
  std::mutex mutex;
  std::map<uint64_t, uint64_t> times; // by submission, nanoseconds
};

Status PacedDevice::createQueue(Ref<Queue> &queue) {
  Status status = CpuDevice::createQueue(queue);
  if (status.isOk() && pace > 0)
    queue = Ref<Queue>::adopt(new PacedQueue(*this, std::move(queue)));
  return status;
}

/// What is chosen shall not depend on the machine.
class SteadyCpu final : public PacedDevice {
public:
  using PacedDevice::PacedDevice;
  Status measure(uint32_t, sparkle_device_performance_t &result) override {
    result = pretend(100000, 5000);
    return {};
  }
};

class FlakyDevice;

/// Hands work to a queue of the CPU's, or loses it: then, as the work of a card
/// that hangs, it may have been done in part.
class FlakyQueue final : public Queue {
public:
  FlakyQueue(FlakyDevice &device, Ref<Queue> inner);

  Timeline &timeline() override { return *reported; }
  Status submit(const Submission &submission, uint64_t &value) override;
  Status queryTimes(uint64_t value, uint64_t &begin, uint64_t &end) override {
    return inner->queryTimes(value, begin, end);
  }

private:
  FlakyDevice &flaky;
  const Ref<Queue> inner;
  const Ref<HostTimeline> reported;
  std::mutex mutex;
  Status failure;
  uint64_t count = 0;
};

class FlakyDevice final : public PacedDevice {
public:
  FlakyDevice(Flaw &flaw, uint32_t index, double pace)
      : PacedDevice(pace), flaw(flaw), dice(flaw.seed) {
    std::snprintf(description.name, sizeof(description.name), "flaky:%u",
                  index);
    std::snprintf(description.description, sizeof(description.description),
                  "flaky device %u", index);
    description.index = index + 1;
    description.is_unified = false;
    description.runs_on_host = false;
    description.has_copy_engine = flaw.hasCopyEngine;
  }

  Status measure(uint32_t, sparkle_device_performance_t &result) override {
    if (flaw.isDead)
      return Status::failure(SPARKLE_DRIVER, "flaky: dead");
    result = pretend(flaw.gflops, flaw.launch);
    return {};
  }
  Status createBuffer(sparkle_memory_t memory, uint64_t size,
                      Ref<Buffer> &buffer) override {
    if (dice.roll() < flaw.refusals)
      return Status::failure(SPARKLE_OUT_OF_MEMORY, "flaky: no memory");
    return CpuDevice::createBuffer(memory, size, buffer);
  }
  Status createQueue(Ref<Queue> &queue) override {
    if (flaw.isDead)
      return Status::failure(SPARKLE_DRIVER, "flaky: dead");
    Ref<Queue> inner;
    Status status = PacedDevice::createQueue(inner);
    if (status.isOk())
      queue = Ref<Queue>::adopt(new FlakyQueue(*this, std::move(inner)));
    return status;
  }

  Flaw &flaw;
  Dice dice;
};

FlakyQueue::FlakyQueue(FlakyDevice &device, Ref<Queue> inner)
    : Queue(device), flaky(device), inner(std::move(inner)),
      reported(Ref<HostTimeline>::adopt(
          new HostTimeline(0, Ref<Device>::share(&device)))) {}

Status FlakyQueue::submit(const Submission &submission, uint64_t &value) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!failure.isOk())
    return failure;
  value = ++count;
  Submission inside = submission;
  sparkle_point_t done = {
      reinterpret_cast<sparkle_timeline_t *>(reported.get()), value};
  bool isLost = flaky.flaw.isDead || flaky.dice.roll() < flaky.flaw.losses;
  if (!isLost) {
    inside.signals = &done;
    inside.signalCount = 1;
  }
  if (flaky.flaw.refuses) {
    failure = Status::failure(SPARKLE_KERNEL, "flaky: refused");
    reported->fail(failure);
    return {};
  }
  uint64_t innerValue = 0;
  if (Status status = inner->submit(inside, innerValue); !status.isOk())
    return status;
  if (isLost) {
    ++flaky.flaw.lost;
    failure = Status::failure(SPARKLE_DEVICE_LOST, "flaky: lost");
    reported->fail(failure);
  }
  return {};
}

} // namespace

Ref<Context> makeFlakyContext(const std::vector<Flaw *> &flaws, bool hasCpu,
                              double pace) {
  std::vector<Ref<Device>> devices;
  if (hasCpu)
    devices.push_back(Ref<Device>::adopt(new SteadyCpu(pace)));
  for (uint32_t i = 0; i < flaws.size(); ++i)
    devices.push_back(Ref<Device>::adopt(new FlakyDevice(*flaws[i], i, pace)));
  return Context::make(std::move(devices));
}
