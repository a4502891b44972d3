// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/runtime/Scheduler/Flaky.h"
#include "runtime/Device/CPU/Device.h"
#include "runtime/Timeline.h"

#include <cstdio>
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

/// The CPU as it is, but for what it measures: what is chosen shall not depend
/// on the machine.
class SteadyCpu final : public CpuDevice {
public:
  SteadyCpu() : CpuDevice(readSettings()) {}
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

class FlakyDevice final : public CpuDevice {
public:
  FlakyDevice(Flaw &flaw, uint32_t index)
      : CpuDevice(readSettings()), flaw(flaw), dice(flaw.seed) {
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
    Status status = CpuDevice::createQueue(inner);
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

Ref<Context> makeFlakyContext(const std::vector<Flaw *> &flaws, bool hasCpu) {
  std::vector<Ref<Device>> devices;
  if (hasCpu)
    devices.push_back(Ref<Device>::adopt(new SteadyCpu));
  for (uint32_t i = 0; i < flaws.size(); ++i)
    devices.push_back(Ref<Device>::adopt(new FlakyDevice(*flaws[i], i)));
  return Context::make(std::move(devices));
}
