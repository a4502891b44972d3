// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A slot goes round: inputs are copied in, work is submitted, outputs are
// copied out by whoever first waits for them or needs the slot.

#include "runtime/Stream.h"
#include "runtime/Shape.h"

#include <cinttypes>
#include <cstring>

namespace sparkle::runtime {
namespace {

Command makeCopy(const Ref<Buffer> &from, const Ref<Buffer> &to) {
  Command command;
  command.kind = SPARKLE_COMMAND_COPY;
  command.arguments = {{from, 0, from->size()}, {to, 0, to->size()}};
  return command;
}

} // namespace

//===----------------------------------------------------------------------===//
// Creation
//===----------------------------------------------------------------------===//

Status Stream::create(Module &module, const int64_t *sizes, uint32_t sizeCount,
                      const void *const *weights, uint32_t argumentCount,
                      Ref<Stream> &stream) {
  auto made = Ref<Stream>::adopt(new Stream(module));
  Status status = made->measureArguments(sizes, sizeCount);
  if (status.isOk())
    status = made->checkPointers(weights, argumentCount, true);
  if (status.isOk())
    status = made->createQueues();
  if (status.isOk())
    status = made->addWeights(weights);
  for (Slot &slot : made->slots)
    if (status.isOk())
      status = made->createSlot(slot);
  if (status.isOk())
    stream = std::move(made);
  return status;
}

Status Stream::measureArguments(const int64_t *given, uint32_t count) {
  if (Status status = checkSizes(module->kernel(), given, count);
      !status.isOk())
    return status;
  if (count)
    sizes.assign(given, given + count);
  bytes.resize(module->argumentCount());
  for (uint32_t i = 0; i < bytes.size(); ++i)
    if (Status status = module->getArgumentSize(i, variant, given, bytes[i]);
        !status.isOk())
      return status;
  return module->getWorkspaceSize(variant, given, workspace);
}

/// Of the weights, or of the others: each one that is used and has bytes has a
/// pointer.
Status Stream::checkPointers(const void *const *pointers, uint32_t count,
                             bool areWeights) const {
  if (count != bytes.size())
    return Status::failure(
        SPARKLE_WRONG_COUNT, "expected %u arguments of kernel '%s', but got %u",
        module->argumentCount(), module->kernel().name, count);
  for (uint32_t i = 0; i < count; ++i)
    if (isWeight(i) == areWeights && bytes[i] && (!pointers || !pointers[i]))
      return Status::failure(
          SPARKLE_INVALID_ARGUMENT,
          "argument '%s': expected a pointer, but got a null pointer",
          module->argument(i).name);
  return {};
}

Status Stream::createQueues() {
  Device &device = module->device();
  if (Status status = device.createQueue(kernels); !status.isOk())
    return status;
  if (!device.properties().has_copy_engine) {
    uploads = readbacks = kernels;
    return {};
  }
  if (Status status = device.createQueue(uploads); !status.isOk())
    return status;
  return device.createQueue(readbacks);
}

/// memory: of the staging buffer, where one is needed.
Status Stream::createPlace(uint32_t argument, sparkle_memory_t memory,
                           Place &place) const {
  Device &device = module->device();
  uint64_t size = bytes[argument];
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

Status Stream::addWeights(const void *const *sources) {
  weights.resize(bytes.size());
  std::vector<Command> copies;
  for (uint32_t i = 0; i < bytes.size(); ++i) {
    if (!isWeight(i))
      continue;
    Place &place = weights[i];
    Status status = createPlace(i, SPARKLE_MEMORY_UPLOAD, place);
    if (status.isOk() && bytes[i])
      status = module->pack(i, variant, sources[i], place.host->pointer());
    if (!status.isOk())
      return status;
    if (place.host.get() != place.device.get())
      copies.push_back(makeCopy(place.host, place.device));
  }
  Ref<Recording> recording;
  uint64_t value = 0;
  Status status =
      module->device().createRecording(std::move(copies), recording);
  if (status.isOk())
    status = kernels->submit({*recording, nullptr, nullptr, 0, 0, 0}, value);
  if (status.isOk())
    status = kernels->timeline().wait(value, SPARKLE_FOREVER);
  for (Place &place : weights)
    place.host = {};
  return status;
}

Status Stream::createSlot(Slot &slot) {
  slot.places = weights;
  for (uint32_t i = 0; i < bytes.size(); ++i) {
    if (isWeight(i))
      continue;
    sparkle_memory_t memory =
        isOutput(i) ? SPARKLE_MEMORY_READBACK : SPARKLE_MEMORY_UPLOAD;
    if (Status status = createPlace(i, memory, slot.places[i]); !status.isOk())
      return status;
  }
  slot.outputs.resize(bytes.size());
  return createRecordings(slot);
}

/// Three recordings where there are three queues, or else one of everything.
Status Stream::createRecordings(Slot &slot) {
  std::vector<Command> upload, compute(1), readback;
  Command &kernel = compute[0];
  kernel.program = module->variant(variant).program;
  kernel.sizes = sizes;
  kernel.workspace = workspace;
  for (uint32_t i = 0; i < bytes.size(); ++i) {
    const Place &place = slot.places[i];
    kernel.arguments.push_back({place.device, 0, bytes[i]});
    if (isWeight(i) || place.host.get() == place.device.get())
      continue;
    if (isOutput(i))
      readback.push_back(makeCopy(place.device, place.host));
    else
      upload.push_back(makeCopy(place.host, place.device));
  }
  Device &device = module->device();
  if (device.properties().has_copy_engine) {
    if (Status status = device.createRecording(std::move(upload), slot.upload);
        !status.isOk())
      return status;
    if (Status status =
            device.createRecording(std::move(readback), slot.readback);
        !status.isOk())
      return status;
    return device.createRecording(std::move(compute), slot.compute);
  }
  std::vector<Command> all = std::move(upload);
  all.push_back(std::move(kernel));
  for (Command &copy : readback)
    all.push_back(std::move(copy));
  return device.createRecording(std::move(all), slot.compute);
}

//===----------------------------------------------------------------------===//
// Use
//===----------------------------------------------------------------------===//

/// Submits a slot whose inputs are in place.
Status Stream::start(Slot &slot, uint64_t &value) {
  if (!slot.upload)
    return kernels->submit({*slot.compute, nullptr, nullptr, 0, 0, 0}, value);
  auto wrapped = [](Queue &queue) {
    return reinterpret_cast<sparkle_timeline_t *>(&queue.timeline());
  };
  sparkle_point_t uploaded = {wrapped(*uploads), 0};
  if (Status status = uploads->submit({*slot.upload, nullptr, nullptr, 0, 0, 0},
                                      uploaded.value);
      !status.isOk())
    return status;
  sparkle_point_t computed = {wrapped(*kernels), 0};
  if (Status status = kernels->submit(
          {*slot.compute, &uploaded, nullptr, 1, 0, 0}, computed.value);
      !status.isOk())
    return status;
  return readbacks->submit({*slot.readback, &computed, nullptr, 1, 0, 0},
                           value);
}

Status Stream::submit(void *const *arguments, uint32_t argumentCount,
                      uint64_t &ticket) {
  if (Status status = checkPointers(arguments, argumentCount, false);
      !status.isOk())
    return status;
  std::lock_guard<std::mutex> lock(submitting);
  uint64_t next; // `given` changes under `submitting` only
  {
    std::lock_guard<std::mutex> state(mutex);
    next = given + 1;
  }
  if (next > slotCount)
    if (Status status = wait(next - slotCount, SPARKLE_FOREVER); !status.isOk())
      return status;
  Slot &slot = slots[next % slotCount];
  for (uint32_t i = 0; i < bytes.size(); ++i) {
    if (isOutput(i))
      slot.outputs[i] = arguments[i];
    else if (!isWeight(i) && bytes[i])
      std::memcpy(slot.places[i].host->pointer(), arguments[i], bytes[i]);
  }
  if (Status status = start(slot, slot.value); !status.isOk())
    return status;
  std::lock_guard<std::mutex> state(mutex);
  ticket = given = next;
  return {};
}

Status Stream::wait(uint64_t ticket, uint64_t timeout) {
  uint64_t value;
  {
    std::lock_guard<std::mutex> state(mutex);
    if (ticket == 0 || ticket > given)
      return Status::failure(SPARKLE_INVALID_ARGUMENT,
                             "expected one of %" PRIu64
                             " tickets given, but got %" PRIu64,
                             given, ticket);
    if (ticket <= drained)
      return {};
    value = slots[ticket % slotCount].value;
  }
  // Not under the lock: others may wait for less, or for a shorter time.
  if (Status status = readbacks->timeline().wait(value, timeout);
      !status.isOk())
    return status;
  std::lock_guard<std::mutex> state(mutex);
  while (drained < ticket)
    drain(++drained);
  return {};
}

/// Copies what a finished ticket computed to where its caller wants it.
void Stream::drain(uint64_t ticket) {
  const Slot &slot = slots[ticket % slotCount];
  for (uint32_t i = 0; i < bytes.size(); ++i)
    if (isOutput(i) && bytes[i])
      std::memcpy(slot.outputs[i], slot.places[i].host->pointer(), bytes[i]);
}

} // namespace sparkle::runtime
