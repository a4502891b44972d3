// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the devices, and makes everything that lives on one.

#include "runtime/Device/AMDGPU/Device.h"
#include "runtime/Device/AMDGPU/Program.h"
#include "runtime/Device/AMDGPU/Queue.h"
#include "runtime/Device/AMDGPU/Recording.h"
#include "runtime/Device/Registry.h"

#include <cstring>

namespace sparkle::runtime {

Status findAMDGPUDevices(const Settings &settings,
                         std::vector<Ref<Device>> &devices) {
  Ref<DrmLibrary> library;
  if (Status status = DrmLibrary::open(library); !status.isOk())
    return status;
  std::vector<Ref<Node>> nodes;
  std::vector<Status> reasons;
  if (Status status = Node::findAll(library, nodes, reasons); !status.isOk())
    return status;
  AMDGPUOptions options = AMDGPUOptions::read();
  for (const Status &reason : reasons)
    settings.log(1, "%s", reason.message());
  uint32_t count = 0;
  for (Ref<Node> &node : nodes)
    devices.push_back(Ref<Device>::adopt(
        new AMDGPUDevice(settings, options, std::move(node), count++)));
  return count ? Status() : reasons.front();
}

AMDGPUDevice::AMDGPUDevice(const Settings &settings,
                           const AMDGPUOptions &options, Ref<Node> node,
                           uint32_t index)
    : Device(settings), renderNode(std::move(node)), given(options),
      commands(renderNode) {
  renderNode->describe(index, description);
}

Status AMDGPUDevice::takeContext(Ref<GpuContext> &context) {
  std::lock_guard<std::mutex> lock(mutex);
  if (current && current->verdict().isOk()) {
    context = current;
    return {};
  }
  if (current) {
    settings().log(1, "%s: begins anew after: %s", description.name,
                   current->verdict().message());
    if (current->isMemoryLost())
      losses.fetch_add(1);
    current = {};
  }
  if (Status status = GpuContext::create(renderNode, description.name,
                                         given.timeout, current);
      !status.isOk())
    return status;
  context = current;
  return {};
}

/// What is dumped has to be read.
Placement AMDGPUDevice::farPlacement() const {
  return renderNode->isUnified() || !given.dumpFolder.empty() ? Placement::Host
                                                              : Placement::Vram;
}

//===----------------------------------------------------------------------===//
// What it makes
//===----------------------------------------------------------------------===//

Status AMDGPUDevice::createBuffer(sparkle_memory_t memory, uint64_t size,
                                  Ref<Buffer> &buffer) {
  bool isFar = memory == SPARKLE_MEMORY_DEVICE;
  Ref<BufferObject> object;
  if (Status status = BufferObject::create(
          renderNode, isFar ? farPlacement() : Placement::Host, size, object);
      !status.isOk())
    return status;
  bool isSeen = size && (!isFar || renderNode->isUnified());
  void *pointer = isSeen ? object->host() : nullptr;
  buffer = Ref<Buffer>::adopt(
      new AMDGPUBuffer(*this, size, pointer, std::move(object)));
  return {};
}

Status AMDGPUDevice::checkCode(const sparkle_code_t &code) {
  if (std::strcmp(code.processor, renderNode->processor()) != 0)
    return Status::failure(SPARKLE_NO_IMAGE, "is not for its %s",
                           renderNode->processor());
  // Every GPU here has all SPARKLE_GPU_FEATURES.
  for (uint32_t i = 0; i < code.launch_count; ++i) {
    const sparkle_launch_t &launch = code.launches[i];
    if (launch.invocations > description.invocations)
      return Status::failure(SPARKLE_NO_IMAGE,
                             "needs %u invocations of a workgroup, but the "
                             "device has %u",
                             launch.invocations, description.invocations);
    if (launch.local_size > description.local_memory)
      return Status::failure(SPARKLE_NO_IMAGE,
                             "needs %u bytes of workgroup memory, but the "
                             "device has %u",
                             launch.local_size, description.local_memory);
  }
  return {};
}

Status AMDGPUDevice::createProgram(const sparkle_kernel_t &kernel,
                                   const sparkle_code_t &code,
                                   Ref<Program> &program) {
  return AMDGPUProgram::create(*this, kernel, code, program);
}

Status AMDGPUDevice::createRecording(std::vector<Command> commands,
                                     Ref<Recording> &recording) {
  return AMDGPURecording::create(*this, std::move(commands), recording);
}

Status AMDGPUDevice::createQueue(Ref<Queue> &queue) {
  return AMDGPUQueueState::create(*this, nextTurn.fetch_add(1), queue);
}

} // namespace sparkle::runtime
