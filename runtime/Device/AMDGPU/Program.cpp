// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks an image and brings it to the device. There is nothing to compile.

#include "runtime/Device/AMDGPU/Program.h"

namespace sparkle::runtime {

/// What follows the last instruction stays mapped: instructions are fetched
/// ahead (LLVM pads with s_code_end for that, but a bound is cheap).
static constexpr uint64_t prefetched = 512;

Status AMDGPUProgram::create(AMDGPUDevice &device,
                             const sparkle_kernel_t &kernel,
                             const sparkle_code_t &code, Ref<Program> &result) {
  auto program =
      Ref<AMDGPUProgram>::adopt(new AMDGPUProgram(device, kernel, code));
  if (Status status = program->load(); !status.isOk())
    return Status::failure(status.code(), "kernel '%s': %s", kernel.name,
                           status.message());
  result = std::move(program);
  return {};
}

AMDGPUProgram::AMDGPUProgram(AMDGPUDevice &device,
                             const sparkle_kernel_t &kernel,
                             const sparkle_code_t &code)
    : GpuProgram(kernel, code), device(Ref<AMDGPUDevice>::share(&device)),
      mapping(&kernel) {}

Status AMDGPUProgram::load() {
  if (Status status =
          Image::parse(code.image, code.image_size, code.processor, image);
      !status.isOk())
    return status;
  entries.resize(code.launch_count);
  // Compilers pad what the arguments take to whole words of 8 bytes.
  uint64_t size = (argumentSize() + 7) / 8 * 8;
  for (uint32_t i = 0; i < code.launch_count; ++i)
    if (Status status = image.findKernel(code.launches[i], size, entries[i]);
        !status.isOk())
      return status;
  // Code is read again and again, so it lies where the device is fast; where
  // the host's window to that is full, or there is none, it is read from the
  // host's memory.
  const Ref<Node> &node = device->node();
  Placement placement =
      node->isUnified() ? Placement::Host : Placement::VisibleVram;
  losses = device->memoryLosses();
  Status status =
      BufferObject::create(node, placement, image.span() + prefetched, memory);
  if (status.code() == SPARKLE_OUT_OF_MEMORY && placement != Placement::Host)
    status = BufferObject::create(node, Placement::Host,
                                  image.span() + prefetched, memory);
  if (!status.isOk())
    return status;
  image.load(memory->host());
  return {};
}

void AMDGPUProgram::restore() {
  uint64_t now = device->memoryLosses();
  std::lock_guard<std::mutex> lock(mutex);
  if (losses == now)
    return;
  image.load(memory->host());
  losses = now;
}

//===----------------------------------------------------------------------===//
// How much it does
//===----------------------------------------------------------------------===//

double AMDGPUProgram::countOperations(const std::vector<int64_t> &sizes,
                                      double workgroups) const {
  // Where a kernel does not say, more than a usual one does.
  constexpr double ofInvocation = 65536;
  auto count =
      code.operation_count ? code.operation_count : source.operation_count;
  int64_t known = count ? count(sizes.data()) : -1;
  if (known >= 0)
    return static_cast<double>(known);
  double invocations = 0;
  for (uint32_t i = 0; i < launchCount(); ++i)
    invocations = launch(i).invocations > invocations ? launch(i).invocations
                                                      : invocations;
  return workgroups * invocations * ofInvocation;
}

} // namespace sparkle::runtime
