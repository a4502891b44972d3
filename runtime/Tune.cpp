// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers full of one number, one run that does not count, then the best of
// some.

#include "runtime/Tune.h"
#include "runtime/Shape.h"
#include "runtime/Thread.h"

#include <algorithm>
#include <cinttypes>

namespace sparkle::runtime {
namespace {

/// A normal number in either element: two of 0.5 in f16, 2^-15 or so in f32.
constexpr uint32_t halves = 0x38003800;

/// A queue, and the runs on it.
class Trial {
public:
  Trial(const Module &module, const int64_t *sizes, uint32_t sizeCount)
      : module(module), sizes(sizes), sizeCount(sizeCount) {}

  Status prepare() { return module.device().createQueue(queue); }
  /// Nanoseconds of the best of some rounds of a variant.
  Status measure(uint32_t variant, uint32_t rounds, uint64_t &best);

private:
  Status record(uint32_t variant, Ref<Recording> &fills,
                Ref<Recording> &kernel) const;
  Status run(Recording &recording, uint64_t &duration) const;

  const Module &module;
  const int64_t *const sizes;
  const uint32_t sizeCount;
  Ref<Queue> queue;
};

Status Trial::record(uint32_t variant, Ref<Recording> &fills,
                     Ref<Recording> &kernel) const {
  std::vector<Command> filling, running(1);
  Command &command = running[0];
  command.program = module.variant(variant).program;
  if (sizeCount)
    command.sizes.assign(sizes, sizes + sizeCount);
  if (Status status =
          module.getWorkspaceSize(variant, sizes, command.workspace);
      !status.isOk())
    return status;
  Device &device = module.device();
  for (uint32_t i = 0; i < module.argumentCount(); ++i) {
    uint64_t bytes = 0;
    if (Status status = module.getArgumentSize(i, variant, sizes, bytes);
        !status.isOk())
      return status;
    // A fill writes whole words.
    uint64_t rounded = (bytes + 3) / 4 * 4;
    Ref<Buffer> buffer;
    if (Status status =
            device.createBuffer(SPARKLE_MEMORY_DEVICE, rounded, buffer);
        !status.isOk())
      return status;
    Command fill;
    fill.kind = SPARKLE_COMMAND_FILL;
    fill.fill = halves;
    fill.arguments.push_back({buffer, 0, rounded});
    filling.push_back(std::move(fill));
    command.arguments.push_back({std::move(buffer), 0, bytes});
  }
  if (Status status = device.createRecording(std::move(filling), fills);
      !status.isOk())
    return status;
  return device.createRecording(std::move(running), kernel);
}

/// By the device's clock, or the host's if it has none.
Status Trial::run(Recording &recording, uint64_t &duration) const {
  bool isTimed = module.device().properties().has_timestamps;
  uint32_t flags = isTimed ? SPARKLE_SUBMIT_TIMED : 0;
  uint64_t value = 0, begin = getNanoseconds(), end = 0;
  Status status =
      queue->submit({recording, nullptr, nullptr, 0, 0, flags}, value);
  if (status.isOk())
    status = queue->timeline().wait(value, SPARKLE_FOREVER);
  end = getNanoseconds();
  if (status.isOk() && isTimed)
    status = queue->queryTimes(value, begin, end);
  duration = end - begin;
  return status;
}

Status Trial::measure(uint32_t variant, uint32_t rounds, uint64_t &best) {
  Ref<Recording> fills, kernel;
  Status status = record(variant, fills, kernel);
  uint64_t duration = 0;
  if (status.isOk())
    status = run(*fills, duration);
  if (status.isOk())
    status = run(*kernel, duration);
  best = UINT64_MAX;
  for (uint32_t round = 0; round < rounds && status.isOk(); ++round) {
    status = run(*kernel, duration);
    best = std::min(best, duration);
  }
  return status;
}

} // namespace

Status tune(Module &module, const int64_t *sizes, uint32_t sizeCount,
            uint32_t rounds) {
  if (Status status = checkSizes(module.kernel(), sizes, sizeCount);
      !status.isOk())
    return status;
  Trial trial(module, sizes, sizeCount);
  if (Status status = trial.prepare(); !status.isOk())
    return status;
  uint32_t fastest = 0;
  uint64_t least = UINT64_MAX;
  for (uint32_t variant = 0; variant < module.variantCount(); ++variant) {
    uint64_t best = 0;
    if (Status status = module.prepare(variant); !status.isOk())
      return status;
    if (Status status = trial.measure(variant, rounds ? rounds : 5, best);
        !status.isOk())
      return status;
    module.device().settings().log(
        2, "%s: variant %u of '%s' takes %" PRIu64 " ns",
        module.device().properties().name, variant, module.kernel().name, best);
    if (best < least) {
      least = best;
      fastest = variant;
    }
  }
  return module.select(fastest);
}

} // namespace sparkle::runtime
