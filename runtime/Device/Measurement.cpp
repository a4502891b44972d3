// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a GPU's measuring kernels on the path that all kernels take.

#include "runtime/Device/Measurement.h"
#include "runtime/Thread.h"

#include <algorithm>

namespace sparkle::runtime {

/// Workgroups to begin with, and as many as fill the largest device some times
/// over.
static constexpr int64_t fewGroups = 512, manyGroups = 16384;
static constexpr uint64_t vectorSize = 16;
/// Of each of the bandwidth's two buffers: begin small, for slow devices, and
/// at most what is larger than the caches of fast ones. That is 256 MiB, but no
/// more than two whole rows of 65535 workgroups: in a third, most would be
/// idle.
static constexpr uint64_t minBandwidthSize = uint64_t(1) << 20;
static constexpr uint64_t maxBandwidthSize = uint64_t(2) * 65535 * 128 * 16;
/// Of what the host writes for the device to read. New pages of the host's
/// take longer than the copy.
static constexpr uint64_t maxCopySize = uint64_t(32) << 20;
/// Near memory: how large it is nobody says, so the best of these sizes counts.
static constexpr uint64_t minNearSize = uint64_t(256) << 10;
static constexpr uint64_t maxNearSize = uint64_t(16) << 20;
/// Outputs side by side, so that only every so many copies wait for others.
static constexpr uint64_t nearOutputs = 3;
static constexpr uint64_t maxNearCopies = 256;
/// What takes less is not measured well.
static constexpr uint64_t enough = 4000000;
/// The best of this many rounds counts, or of those that fit in this time.
static constexpr int maxRounds = 5;
static constexpr uint64_t maxRoundTime = 50000000;
static constexpr int launches = 101;

namespace {

/// A descriptor of one of the two kernels.
struct Description {
  Description(const char *name, const MeasuringKernels &kernels,
              const MeasuringKernel &given, const sparkle_extent_t &extent,
              uint32_t tensorCount) {
    grid = extent;
    launch.entry = given.entry;
    launch.grid = &grid;
    launch.grid_count = 1;
    launch.invocations = kernels.invocations;
    code.target = kernels.target;
    code.processor = kernels.processor;
    code.image = given.image;
    code.image_size = given.size;
    code.image_hash = given.hash;
    code.launches = &launch;
    code.launch_count = 1;
    tensors[0].name = "from";
    tensors[1].name = "to";
    for (sparkle_tensor_t &tensor : tensors)
      tensor.element = SPARKLE_ELEMENT_F32;
    tensors[tensorCount - 1].role = SPARKLE_ROLE_OUTPUT;
    kernel.name = name;
    kernel.size_count = 2;
    kernel.size_names = sizeNames;
    kernel.tensor_count = tensorCount;
    kernel.tensors = tensors;
    kernel.code_count = 1;
    kernel.codes = &code;
  }

  const char *sizeNames[2] = {"count", "groups"};
  sparkle_extent_t grid = {};
  sparkle_launch_t launch = {};
  sparkle_code_t code = {};
  sparkle_tensor_t tensors[2] = {};
  sparkle_kernel_t kernel = {};
};

/// Runs one command after the other.
class Measurement {
public:
  Measurement(Device &device, const MeasuringKernels &kernels)
      : device(device), kernels(kernels) {}

  Status start() { return device.createQueue(queue); }
  Status measurePeak(sparkle_device_performance_t &out);
  Status measureLaunch(sparkle_device_performance_t &out);
  Status measureBandwidth(sparkle_device_performance_t &out);
  Status measureNear(sparkle_device_performance_t &out);
  Status measureCopy(sparkle_device_performance_t &out);

private:
  Status createPeak();
  Status createBandwidth();
  Command describeFill(uint64_t size) const;
  Command describeBandwidth(uint64_t size, uint64_t offset) const;
  Command describePeak(int64_t count, int64_t groups) const;
  Status time(const std::vector<Command> &commands, uint64_t &nanoseconds);
  Status best(const std::vector<Command> &commands, uint64_t &nanoseconds);
  Status run(Recording &recording, uint64_t &nanoseconds);

  Device &device;
  const MeasuringKernels &kernels;
  Ref<Queue> queue;
  const int64_t second[2] = {0, 1};
  const Description peakDescription{
      "peak", kernels, kernels.peak, {0, 1, second}, 1};
  const int64_t first[2] = {1, 0};
  const Description bandwidthDescription{
      "bandwidth",
      kernels,
      kernels.bandwidth,
      {int64_t(kernels.invocations) - 1, int64_t(kernels.invocations), first},
      2};
  Ref<Program> peak, bandwidth;
  Ref<Buffer> result, from, to;
};

} // namespace

/// By the device's clock if it has one.
Status Measurement::run(Recording &recording, uint64_t &nanoseconds) {
  Submission submission = {recording, nullptr, nullptr,
                           0,         0,       SPARKLE_SUBMIT_TIMED};
  uint64_t begin = getNanoseconds(), value = 0;
  if (Status status = queue->submit(submission, value); !status.isOk())
    return status;
  if (Status status = queue->timeline().wait(value, SPARKLE_FOREVER);
      !status.isOk())
    return status;
  nanoseconds = getNanoseconds() - begin;
  if (!device.properties().has_timestamps)
    return {};
  uint64_t end = 0;
  if (Status status = queue->queryTimes(value, begin, end); !status.isOk())
    return status;
  if (end > begin)
    nanoseconds = end - begin;
  return {};
}

Status Measurement::time(const std::vector<Command> &commands,
                         uint64_t &nanoseconds) {
  Ref<Recording> recording;
  if (Status status = device.createRecording(commands, recording);
      !status.isOk())
    return status;
  return run(*recording, nanoseconds);
}

Status Measurement::best(const std::vector<Command> &commands,
                         uint64_t &nanoseconds) {
  nanoseconds = UINT64_MAX;
  uint64_t begin = getNanoseconds();
  for (int i = 0; i < maxRounds; ++i) {
    if (i > 0 && getNanoseconds() - begin > maxRoundTime)
      break;
    uint64_t once = 0;
    if (Status status = time(commands, once); !status.isOk())
      return status;
    nanoseconds = std::max<uint64_t>(std::min(nanoseconds, once), 1);
  }
  return {};
}

Status Measurement::createPeak() {
  if (Status status = device.createProgram(peakDescription.kernel,
                                           peakDescription.code, peak);
      !status.isOk())
    return status;
  return device.createBuffer(SPARKLE_MEMORY_DEVICE, sizeof(float), result);
}

Command Measurement::describePeak(int64_t count, int64_t groups) const {
  Command command;
  command.program = peak;
  command.arguments = {{result, 0, result->size()}};
  command.sizes = {count, groups};
  return command;
}

Status Measurement::measurePeak(sparkle_device_performance_t &out) {
  if (Status status = createPeak(); !status.isOk())
    return status;
  uint64_t nanoseconds = 0;
  int64_t count = 1, groups = fewGroups;
  while (count < (1 << 16)) {
    if (Status status = time({describePeak(count, groups)}, nanoseconds);
        !status.isOk())
      return status;
    if (nanoseconds >= enough)
      break;
    (groups < manyGroups ? groups : count) *= 2;
  }
  if (Status status = best({describePeak(count, groups)}, nanoseconds);
      !status.isOk())
    return status;
  out.gflops = kernels.peakOperations * static_cast<double>(count) *
               static_cast<double>(groups) * kernels.invocations /
               static_cast<double>(nanoseconds);
  return {};
}

Status Measurement::measureLaunch(sparkle_device_performance_t &out) {
  Ref<Recording> recording;
  if (Status status = device.createRecording({}, recording); !status.isOk())
    return status;
  std::vector<uint64_t> times(launches);
  for (uint64_t &nanoseconds : times) {
    Submission submission = {*recording, nullptr, nullptr, 0, 0, 0};
    uint64_t begin = getNanoseconds(), value = 0;
    if (Status status = queue->submit(submission, value); !status.isOk())
      return status;
    if (Status status = queue->timeline().wait(value, SPARKLE_FOREVER);
        !status.isOk())
      return status;
    nanoseconds = getNanoseconds() - begin;
  }
  std::nth_element(times.begin(), times.begin() + launches / 2, times.end());
  out.launch_ns = static_cast<double>(times[launches / 2]);
  return {};
}

Status Measurement::createBandwidth() {
  if (Status status = device.createProgram(
          bandwidthDescription.kernel, bandwidthDescription.code, bandwidth);
      !status.isOk())
    return status;
  uint64_t size = std::min({maxBandwidthSize, device.properties().max_buffer,
                            device.properties().memory / 8}) /
                  vectorSize * vectorSize;
  for (Ref<Buffer> *buffer : {&from, &to})
    if (Status status =
            device.createBuffer(SPARKLE_MEMORY_DEVICE, size, *buffer);
        !status.isOk())
      return status;
  return {};
}

/// Pages that nobody wrote may not be there.
Command Measurement::describeFill(uint64_t size) const {
  Command command;
  command.kind = SPARKLE_COMMAND_FILL;
  command.fill = 0x3f800000u;
  command.arguments = {{from, 0, size}};
  return command;
}

Command Measurement::describeBandwidth(uint64_t size, uint64_t offset) const {
  Command command;
  command.program = bandwidth;
  command.arguments = {{from, 0, size}, {to, offset, size}};
  command.sizes = {static_cast<int64_t>(size / vectorSize), 0};
  return command;
}

Status Measurement::measureBandwidth(sparkle_device_performance_t &out) {
  if (Status status = createBandwidth(); !status.isOk())
    return status;
  uint64_t nanoseconds = 0, size = std::min(minBandwidthSize, from->size());
  for (;; size = std::min(size * 2, from->size())) {
    if (Status status =
            time({describeFill(size), describeBandwidth(size, 0)}, nanoseconds);
        !status.isOk())
      return status;
    if (nanoseconds >= 2 * enough || size == from->size())
      break;
  }
  if (Status status = best({describeBandwidth(size, 0)}, nanoseconds);
      !status.isOk())
    return status;
  out.gbytes_per_second =
      2 * static_cast<double>(size) / static_cast<double>(nanoseconds);
  return {};
}

/// Copies of the same bytes, so many that the launch does not count. Behind
/// measureBandwidth, whose result is the least that this one is.
Status Measurement::measureNear(sparkle_device_performance_t &out) {
  out.near_gbytes_per_second = out.gbytes_per_second;
  for (uint64_t size = minNearSize;
       size <= std::min(maxNearSize, to->size() / nearOutputs); size *= 2) {
    uint64_t nanoseconds = 0;
    if (Status status = time({describeBandwidth(size, 0)}, nanoseconds);
        !status.isOk())
      return status;
    bool isSlow = nanoseconds >= enough;
    uint64_t count = std::clamp<uint64_t>(
        enough / 4 / std::max<uint64_t>(nanoseconds, 1), 1, maxNearCopies);
    std::vector<Command> copies;
    for (uint64_t i = 0; i < count; ++i)
      copies.push_back(describeBandwidth(size, i % nearOutputs * size));
    if (Status status = best(copies, nanoseconds); !status.isOk())
      return status;
    out.near_gbytes_per_second = std::max(
        out.near_gbytes_per_second, 2 * static_cast<double>(size * count) /
                                        static_cast<double>(nanoseconds));
    // The launch counts for less the larger it is, and not at all any more.
    if (isSlow)
      break;
  }
  return {};
}

Status Measurement::measureCopy(sparkle_device_performance_t &out) {
  uint64_t size = std::min(maxCopySize, from->size());
  Ref<Buffer> host;
  if (Status status = device.createBuffer(SPARKLE_MEMORY_UPLOAD, size, host);
      !status.isOk())
    return status;
  std::fill_n(static_cast<uint32_t *>(host->pointer()), size / 4, 0x3f800000u);
  Command copy;
  copy.kind = SPARKLE_COMMAND_COPY;
  copy.arguments = {{host, 0, size}, {from, 0, size}};
  uint64_t nanoseconds = 0;
  if (Status status = best({copy}, nanoseconds); !status.isOk())
    return status;
  out.copy_gbytes_per_second =
      static_cast<double>(size) / static_cast<double>(nanoseconds);
  return {};
}

Status measureDevice(Device &device, const MeasuringKernels &kernels,
                     sparkle_device_performance_t &performance) {
  performance = {};
  Measurement measurement(device, kernels);
  if (Status status = measurement.start(); !status.isOk())
    return status;
  if (Status status = measurement.measurePeak(performance); !status.isOk())
    return status;
  if (Status status = measurement.measureLaunch(performance); !status.isOk())
    return status;
  if (Status status = measurement.measureBandwidth(performance); !status.isOk())
    return status;
  if (Status status = measurement.measureNear(performance); !status.isOk())
    return status;
  return measurement.measureCopy(performance);
}

} // namespace sparkle::runtime
