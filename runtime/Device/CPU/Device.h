// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The processor as a device: memory is the host's, and a queue is a thread that
// calls kernels, which run in parallel by themselves.

#ifndef SPARKLE_RUNTIME_DEVICE_CPU_DEVICE_H
#define SPARKLE_RUNTIME_DEVICE_CPU_DEVICE_H

#include "runtime/Device/Device.h"
#include "runtime/Mapping.h"

#include <string>

namespace sparkle::runtime {

class CpuDevice : public Device {
public:
  explicit CpuDevice(const Settings &settings);

  Status measure(uint32_t threads,
                 sparkle_device_performance_t &performance) override;
  Status createBuffer(sparkle_memory_t memory, uint64_t size,
                      Ref<Buffer> &buffer) override;
  Status checkCode(const sparkle_code_t &code) override;
  Status createProgram(const sparkle_kernel_t &kernel,
                       const sparkle_code_t &code,
                       Ref<Program> &program) override;
  Status createRecording(std::vector<Command> commands,
                         Ref<Recording> &recording) override;
  Status createQueue(Ref<Queue> &queue) override;

private:
  uint64_t codeFeatures = 0; // that a code may need
};

/// Memory of the host, for buffers and workspaces.
class CpuMemory : public Counted {
public:
  /// SPARKLE_OUT_OF_MEMORY. A size of 0 gives memory all the same.
  static Status allocate(uint64_t size, uint64_t alignment,
                         Ref<CpuMemory> &memory);
  ~CpuMemory() override;

  void *const bytes;
  const uint64_t size;

private:
  CpuMemory(void *bytes, uint64_t size) : bytes(bytes), size(size) {}
};

class CpuBuffer final : public Buffer {
public:
  CpuBuffer(Device &device, Ref<CpuMemory> memory);

  /// Never null.
  char *bytes() const { return static_cast<char *>(memory->bytes); }

private:
  Ref<CpuMemory> memory;
};

class CpuProgram final : public Program {
public:
  CpuProgram(const sparkle_kernel_t &kernel, const sparkle_code_t &code)
      : code(code), kernelName(kernel.name),
        mapping(reinterpret_cast<const void *>(code.invoke)) {}

  const char *name() const { return kernelName.c_str(); }

  const sparkle_code_t &code;

private:
  std::string kernelName;
  Mapping mapping;
};

class CpuRecording final : public Recording {
public:
  CpuRecording(Device &device, std::vector<Command> commands);

  /// Runs all of it, in this thread. workspace: at least `workspaceSize()`.
  Status run(void *workspace) const;
  /// Bytes; 0 if none is wanted.
  uint64_t workspaceSize() const { return workspaceBytes; }

private:
  std::vector<Command> commands;
  uint64_t workspaceBytes = 0;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_CPU_DEVICE_H
