// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/Pipeline.h"

namespace sparkle::runtime {

Status createPlace(Device &device, uint64_t size, sparkle_memory_t memory,
                   Place &place) {
  if (Status status =
          device.createBuffer(SPARKLE_MEMORY_DEVICE, size, place.device);
      !status.isOk())
    return status;
  if (size == 0 ||
      (device.properties().is_unified && place.device->pointer())) {
    place.host = place.device;
    return {};
  }
  return device.createBuffer(memory, size, place.host);
}

Command makeCopy(const Ref<Buffer> &from, const Ref<Buffer> &to) {
  Command command;
  command.kind = SPARKLE_COMMAND_COPY;
  command.arguments = {{from, 0, from->size()}, {to, 0, to->size()}};
  return command;
}

Status Pipeline::create(Device &device) {
  if (Status status = device.createQueue(computing); !status.isOk())
    return status;
  uploading = readingBack = computing;
  if (!device.properties().has_copy_engine)
    return {};
  if (Status status = device.createQueue(uploading); !status.isOk())
    return status;
  return device.createQueue(readingBack);
}

Status Pipeline::record(std::vector<Command> uploads, Command kernel,
                        std::vector<Command> readbacks, Steps &steps) const {
  Device &device = computing->device();
  if (uploading.get() == computing.get()) {
    std::vector<Command> all = std::move(uploads);
    all.push_back(std::move(kernel));
    for (Command &copy : readbacks)
      all.push_back(std::move(copy));
    return device.createRecording(std::move(all), steps.compute);
  }
  std::vector<Command> compute;
  compute.push_back(std::move(kernel));
  if (Status status = device.createRecording(std::move(uploads), steps.upload);
      !status.isOk())
    return status;
  if (Status status =
          device.createRecording(std::move(readbacks), steps.readback);
      !status.isOk())
    return status;
  return device.createRecording(std::move(compute), steps.compute);
}

Status Pipeline::submit(const Steps &steps, uint32_t flags, uint64_t &kernel,
                        uint64_t &last) const {
  if (!steps.upload) {
    Status status = computing->submit(
        {*steps.compute, nullptr, nullptr, 0, 0, flags}, kernel);
    last = kernel;
    return status;
  }
  auto wrapped = [](Queue &queue) {
    return reinterpret_cast<sparkle_timeline_t *>(&queue.timeline());
  };
  sparkle_point_t uploaded = {wrapped(*uploading), 0};
  if (Status status = uploading->submit(
          {*steps.upload, nullptr, nullptr, 0, 0, 0}, uploaded.value);
      !status.isOk())
    return status;
  sparkle_point_t computed = {wrapped(*computing), 0};
  if (Status status = computing->submit(
          {*steps.compute, &uploaded, nullptr, 1, 0, flags}, computed.value);
      !status.isOk())
    return status;
  kernel = computed.value;
  return readingBack->submit({*steps.readback, &computed, nullptr, 1, 0, 0},
                             last);
}

Status placeWeights(Module &module, uint32_t variant, const int64_t *sizes,
                    const void *const *sources, Queue &queue,
                    std::vector<Ref<Buffer>> &buffers) {
  Device &device = module.device();
  buffers.assign(module.argumentCount(), {});
  std::vector<Command> copies;
  for (uint32_t i = 0; i < buffers.size(); ++i) {
    if (module.argument(i).role != SPARKLE_ROLE_WEIGHT)
      continue;
    uint64_t size = 0;
    Place place;
    Status status = module.getArgumentSize(i, variant, sizes, size);
    if (status.isOk())
      status = createPlace(device, size, SPARKLE_MEMORY_UPLOAD, place);
    if (status.isOk() && size)
      status = module.pack(i, variant, sources[i], place.host->pointer());
    if (!status.isOk())
      return status;
    if (!place.isShared())
      copies.push_back(makeCopy(place.host, place.device));
    buffers[i] = std::move(place.device);
  }
  if (copies.empty())
    return {};
  Ref<Recording> recording;
  uint64_t value = 0;
  Status status = device.createRecording(std::move(copies), recording);
  if (status.isOk())
    status = queue.submit({*recording, nullptr, nullptr, 0, 0, 0}, value);
  if (status.isOk())
    status = queue.timeline().wait(value, SPARKLE_FOREVER);
  return status;
}

} // namespace sparkle::runtime
