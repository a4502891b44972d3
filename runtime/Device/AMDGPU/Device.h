// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An AMD GPU behind the kernel's own driver: opened on first use, shared by all
// that is made on it.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_DEVICE_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_DEVICE_H

#include "runtime/Device/AMDGPU/Context.h"
#include "runtime/Device/AMDGPU/Options.h"
#include "runtime/Device/Device.h"

namespace sparkle::runtime {

class AMDGPUDevice : public Device {
public:
  AMDGPUDevice(const Settings &settings, const AMDGPUOptions &options,
               Ref<Node> node, uint32_t index);

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

  // What follows is for the objects made here.
  const Ref<Node> &node() const { return renderNode; }
  const AMDGPUOptions &options() const { return given; }
  CommandMemory &commandMemory() { return commands; }
  /// The kernel's context for new queues: another one after one was lost.
  Status takeContext(Ref<GpuContext> &context);
  /// How often the device's own memory has lost what it held.
  uint64_t memoryLosses() const { return losses.load(); }
  /// Where buffers that the host need not see lie.
  Placement farPlacement() const;
  /// Of dumped submissions, from 0 on.
  uint64_t nextDump() { return dumps.fetch_add(1); }

private:
  const Ref<Node> renderNode;
  const AMDGPUOptions given;
  CommandMemory commands;
  std::mutex mutex; // of the context
  Ref<GpuContext> current;
  std::atomic<uint64_t> losses{0};
  std::atomic<uint32_t> nextTurn{0};
  std::atomic<uint64_t> dumps{0};
};

/// A buffer, which is an object of the kernel's of its own.
class AMDGPUBuffer : public Buffer {
public:
  AMDGPUBuffer(AMDGPUDevice &device, uint64_t size, void *pointer,
               Ref<BufferObject> object)
      : Buffer(device, size, pointer), memory(std::move(object)) {}

  const Ref<BufferObject> &object() const { return memory; }

private:
  const Ref<BufferObject> memory;
};

/// The memory of a view.
inline const Ref<BufferObject> &getObject(const View &view) {
  return static_cast<const AMDGPUBuffer &>(*view.buffer).object();
}

/// Where a view begins for the GPU.
inline uint64_t getAddress(const View &view) {
  return getObject(view)->address() + view.offset;
}

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_DEVICE_H
