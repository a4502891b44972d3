// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A code made ready: its image in the device's memory.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_PROGRAM_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_PROGRAM_H

#include "runtime/Device/AMDGPU/Device.h"
#include "runtime/Device/AMDGPU/Image.h"
#include "runtime/Device/GpuProgram.h"
#include "runtime/Mapping.h"

namespace sparkle::runtime {

class AMDGPUProgram : public GpuProgram {
public:
  /// The program of a command that runs a kernel of such a device.
  static const AMDGPUProgram &of(const Command &command) {
    return static_cast<const AMDGPUProgram &>(*command.program);
  }
  static Status create(AMDGPUDevice &device, const sparkle_kernel_t &kernel,
                       const sparkle_code_t &code, Ref<Program> &program);

  const sparkle_launch_t &launch(uint32_t index) const {
    return code.launches[index];
  }
  const ImageKernel &entry(uint32_t launch) const { return entries[launch]; }
  /// Of its first instruction.
  uint64_t address(uint32_t launch) const {
    return memory->address() + entries[launch].offset;
  }
  const Ref<BufferObject> &object() const { return memory; }

  /// The bytes of the arguments: an address for each binding, then the sizes as
  /// 32-bit numbers.
  uint64_t argumentSize() const {
    return bindings().size() * sizeof(uint64_t) +
           source.size_count * sizeof(int32_t);
  }
  /// The operations of all launches together, more rather than less.
  double countOperations(const std::vector<int64_t> &sizes,
                         double workgroups) const;

  /// Loads the image once more if the device's memory has lost it.
  void restore();

private:
  AMDGPUProgram(AMDGPUDevice &device, const sparkle_kernel_t &kernel,
                const sparkle_code_t &code);

  Status load();

  const Ref<AMDGPUDevice> device;
  const Mapping mapping; // of the image, which restore() reads
  Image image;
  std::vector<ImageKernel> entries; // by launch
  Ref<BufferObject> memory;
  std::mutex mutex; // of what follows
  uint64_t losses = 0;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_PROGRAM_H
