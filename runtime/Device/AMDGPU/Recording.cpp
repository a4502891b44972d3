// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks commands against what the ABI of kernels can say, gives them their
// memory, and lists what they use. Recorder.cpp writes the packets.

#include "runtime/Device/AMDGPU/Recording.h"
#include "runtime/Device/AMDGPU/Recorder.h"

#include <algorithm>
#include <cstring>

namespace sparkle::runtime {

Status AMDGPURecording::create(AMDGPUDevice &device,
                               std::vector<Command> commands,
                               Ref<Recording> &result) {
  auto recording = Ref<AMDGPURecording>::adopt(
      new AMDGPURecording(device, std::move(commands)));
  if (Status status = recording->check(); !status.isOk())
    return status;
  if (Status status = recording->createWorkspace(); !status.isOk())
    return status;
  if (Status status = recording->write(); !status.isOk())
    return status;
  recording->collectObjects();
  result = std::move(recording);
  return {};
}

AMDGPURecording::~AMDGPURecording() {
  for (const List &list : lists)
    amdgpu.node()->functions().amdgpu_bo_list_destroy(list.handle);
  used.clear();
  amdgpu.commandMemory().give(std::move(object));
}

//===----------------------------------------------------------------------===//
// What is too large
//===----------------------------------------------------------------------===//

Status AMDGPURecording::check() const {
  for (size_t i = 0; i < commands.size(); ++i)
    if (commands[i].kind == SPARKLE_COMMAND_KERNEL)
      if (Status status = AMDGPUProgram::of(commands[i])
                              .checkCommand(amdgpu, i, commands[i]);
          !status.isOk())
        return status;
  return {};
}

//===----------------------------------------------------------------------===//
// What the commands use
//===----------------------------------------------------------------------===//

Status AMDGPURecording::createWorkspace() {
  uint64_t size = 0;
  for (const Command &command : commands)
    size = std::max(size, command.workspace);
  if (!size)
    return {};
  return BufferObject::create(amdgpu.node(), amdgpu.farPlacement(), size,
                              workspace);
}

/// Writes everything twice: the first time only to see how much it is, since
/// packets contain the address of what they are written to.
Status AMDGPURecording::write() {
  AMDGPURecorder sizes(*this, 0, nullptr);
  if (Status status = sizes.record(); !status.isOk())
    return status;
  if (!sizes.size())
    return {};
  if (Status status = amdgpu.commandMemory().take(sizes.size(), object);
      !status.isOk())
    return status;
  AMDGPURecorder recorder(*this, object->address(), object->host());
  if (Status status = recorder.record(); !status.isOk())
    return status;
  buffers = recorder.takeParts();
  checked = recorder.takeLaunches();
  for (const Part &part : buffers)
    std::memcpy(object->host() + part.offset, part.words.data(),
                part.words.size() * sizeof(uint32_t));
  return {};
}

void AMDGPURecording::collectObjects() {
  for (const Command &command : commands) {
    for (const View &view : command.arguments)
      used.push_back(getObject(view));
    if (command.program)
      used.push_back(AMDGPUProgram::of(command).object());
  }
  if (workspace)
    used.push_back(workspace);
  if (object)
    used.push_back(object);
  std::sort(used.begin(), used.end(), [](const auto &left, const auto &right) {
    return left->address() < right->address();
  });
  used.erase(std::unique(used.begin(), used.end(),
                         [](const auto &left, const auto &right) {
                           return left.get() == right.get();
                         }),
             used.end());
}

CheckedBuffer AMDGPURecording::describe(size_t index) const {
  const Part &part = buffers[index];
  // What lies in memory, not what was meant to.
  CheckedBuffer buffer = {
      reinterpret_cast<const uint32_t *>(object->host() + part.offset),
      part.words.size(),
      object->address() + part.offset,
      Node::ibAlignment(),
      {}};
  for (uint32_t launch : part.launches)
    buffer.launches.push_back(&checked[launch]);
  return buffer;
}

void AMDGPURecording::restorePrograms() const {
  for (const Command &command : commands)
    if (command.program)
      static_cast<AMDGPUProgram &>(*command.program).restore();
}

Status AMDGPURecording::getList(uint64_t queue, const BufferObject &page,
                                amdgpu_bo_list_handle &list) {
  std::lock_guard<std::mutex> lock(mutex);
  for (const List &known : lists)
    if (known.queue == queue) {
      list = known.handle;
      return {};
    }
  std::vector<amdgpu_bo_handle> handles;
  for (const Ref<BufferObject> &one : used)
    handles.push_back(one->handle());
  handles.push_back(page.handle());
  amdgpu_bo_list_handle made = nullptr;
  int error = amdgpu.node()->functions().amdgpu_bo_list_create(
      amdgpu.node()->handle(), static_cast<uint32_t>(handles.size()),
      handles.data(), nullptr, &made);
  if (error < 0)
    return toStatus(error, "amdgpu_bo_list_create");
  lists.push_back({queue, made});
  list = made;
  return {};
}

} // namespace sparkle::runtime
