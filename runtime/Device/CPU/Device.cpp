// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The device itself: what it is, its memory, and what it makes of kernels.

#include "runtime/Device/CPU/Device.h"
#include "runtime/Device/CPU/Bandwidth.h"
#include "runtime/Device/CPU/Features.h"
#include "runtime/Device/CPU/Peak.h"
#include "runtime/Device/CPU/Queue.h"
#include "runtime/Device/Registry.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace sparkle::runtime {
namespace {

/// Of buffers: a vector register, and a cache line.
constexpr uint32_t bufferAlignment = 64;

/// Of a page of the system's that is large, on x86-64 and with AArch64's usual
/// pages. Weights of a network are tens of thousands of small ones, more than a
/// core remembers the places of.
constexpr uint64_t largePage = UINT64_C(2) << 20;

uint64_t getMemorySize() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

} // namespace

CpuDevice::CpuDevice(const Settings &settings) : Device(settings) {
  // Where the processor is of an architecture that there is no code for, there
  // are no features.
  if (queryFeatures(codeFeatures).isOk())
    description.features = codeFeatures;
  std::strcpy(description.name, "cpu");
  queryProductName(description.description, sizeof(description.description));
  description.target = SPARKLE_TARGET_CPU;
  description.memory = getMemorySize();
  description.max_buffer = description.memory;
  description.alignment = bufferAlignment;
  description.invocations = countProcessors();
  description.queues = description.invocations;
  description.has_timestamps = true;
  description.is_unified = true;
  description.runs_on_host = true;
}

Status findCPUDevices(const Settings &settings,
                      std::vector<Ref<Device>> &devices) {
  devices.push_back(Ref<Device>::adopt(new CpuDevice(settings)));
  return {};
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Status CpuMemory::allocate(uint64_t size, uint64_t alignment,
                           Ref<CpuMemory> &memory) {
  // More than there is would be granted, here and there, and end the process
  // when it is used.
  uint64_t most = getMemorySize();
  if (size > most)
    return Status::failure(SPARKLE_OUT_OF_MEMORY,
                           "expected at most %" PRIu64
                           " bytes, which the machine has, but got %" PRIu64,
                           most, size);
  if (size >= largePage)
    alignment = std::max(alignment, largePage);
  void *bytes = nullptr;
  if (posix_memalign(&bytes, alignment, std::max<uint64_t>(size, 1)) != 0)
    return Status::failure(
        SPARKLE_OUT_OF_MEMORY,
        "expected %" PRIu64 " bytes of memory, but the system gave none", size);
  // Only whole ones, so that no memory is spent for it; it is a wish. What the
  // allocator had before would stay in small ones.
  if (uint64_t whole = size / largePage * largePage) {
    madvise(bytes, whole, MADV_DONTNEED);
    madvise(bytes, whole, MADV_HUGEPAGE);
  }
  memory = Ref<CpuMemory>::adopt(new CpuMemory(bytes, size));
  return {};
}

CpuMemory::~CpuMemory() { std::free(bytes); }

CpuBuffer::CpuBuffer(Device &device, Ref<CpuMemory> given)
    : Buffer(device, given->size, given->size ? given->bytes : nullptr),
      memory(std::move(given)) {}

Status CpuDevice::createBuffer(sparkle_memory_t, uint64_t size,
                               Ref<Buffer> &buffer) {
  Ref<CpuMemory> memory;
  if (Status status = CpuMemory::allocate(size, bufferAlignment, memory);
      !status.isOk())
    return status;
  buffer = Ref<Buffer>::adopt(new CpuBuffer(*this, std::move(memory)));
  return {};
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

Status CpuDevice::checkCode(const sparkle_code_t &code) {
  if (const char *other = getOtherArchitecture(code.features, codeFeatures))
    return Status::failure(SPARKLE_NO_IMAGE, "needs %s", other);
  if (uint64_t missing = code.features & ~codeFeatures)
    return Status::failure(SPARKLE_NO_IMAGE, "needs %s",
                           getFeatureName(missing));
  return {};
}

Status CpuDevice::createProgram(const sparkle_kernel_t &kernel,
                                const sparkle_code_t &code,
                                Ref<Program> &program) {
  program = Ref<Program>::adopt(new CpuProgram(kernel, code));
  return {};
}

CpuRecording::CpuRecording(Device &device, std::vector<Command> given)
    : Recording(device), commands(std::move(given)) {
  for (const Command &command : commands)
    workspaceBytes = std::max(workspaceBytes, command.workspace);
}

Status CpuDevice::createRecording(std::vector<Command> commands,
                                  Ref<Recording> &recording) {
  recording =
      Ref<Recording>::adopt(new CpuRecording(*this, std::move(commands)));
  return {};
}

static char *getBytes(const View &view) {
  return static_cast<const CpuBuffer &>(*view.buffer).bytes() + view.offset;
}

static Status invoke(const Command &command, void *workspace) {
  const auto &program = static_cast<const CpuProgram &>(*command.program);
  void *arguments[SPARKLE_MAX_COUNT + 1];
  size_t count = 0;
  for (const View &view : command.arguments)
    arguments[count++] = getBytes(view);
  arguments[count] = workspace;
  int result;
  if (const Band &band = command.band; band.isEmpty()) {
    result = program.code.invoke(arguments, command.sizes.data());
  } else {
    std::vector<int64_t> sizes = command.sizes;
    sizes.insert(sizes.end(), {findCut(program.code, band.dimension)->index,
                               band.begin, band.end});
    result = program.code.invoke_band(arguments, sizes.data());
  }
  if (result == 0)
    return {};
  return Status::failure(SPARKLE_KERNEL,
                         "kernel '%s': expected 0 from its code, but got %d",
                         program.name(), result);
}

static void fill(const Command &command) {
  char *bytes = getBytes(command.arguments[0]);
  for (uint64_t i = 0; i < command.arguments[0].size; i += 4)
    std::memcpy(bytes + i, &command.fill, 4);
}

Status CpuRecording::run(void *workspace) const {
  for (const Command &command : commands) {
    if (command.kind == SPARKLE_COMMAND_COPY) {
      std::memcpy(getBytes(command.arguments[1]),
                  getBytes(command.arguments[0]), command.arguments[0].size);
    } else if (command.kind == SPARKLE_COMMAND_FILL) {
      fill(command);
    } else if (Status status = invoke(command, workspace); !status.isOk()) {
      return status;
    }
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

Status CpuDevice::measure(uint32_t threads,
                          sparkle_device_performance_t &performance) {
  sparkle_cpu_peak_t peak;
  if (Status status = measurePeak(threads, fewRounds, peak); !status.isOk())
    return status;
  performance.gflops = peak.gflops;
  if (Status status =
          measureBandwidth(peak.threads, performance.gbytes_per_second,
                           performance.copy_gbytes_per_second);
      !status.isOk())
    return status;
  if (Status status = measureNearBandwidth(peak.threads,
                                           performance.near_gbytes_per_second);
      !status.isOk())
    return status;
  return measureLaunch(*this, performance.launch_ns);
}

} // namespace sparkle::runtime
