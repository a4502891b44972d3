// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A slot goes round: inputs are copied in, work is submitted, outputs are
// copied out by whoever first waits for them or needs the slot.

#include "runtime/Stream.h"
#include "runtime/Shape.h"

#include <cinttypes>
#include <cstring>

namespace sparkle::runtime {

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
    status = made->pipeline.create(module.device());
  if (status.isOk())
    status = placeWeights(module, made->variant, sizes, weights,
                          made->pipeline.kernels(), made->weights);
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

Status Stream::createSlot(Slot &slot) {
  slot.places.resize(bytes.size());
  for (uint32_t i = 0; i < bytes.size(); ++i) {
    if (isWeight(i))
      continue;
    sparkle_memory_t memory =
        isOutput(i) ? SPARKLE_MEMORY_READBACK : SPARKLE_MEMORY_UPLOAD;
    if (Status status =
            createPlace(module->device(), bytes[i], memory, slot.places[i]);
        !status.isOk())
      return status;
  }
  slot.outputs.resize(bytes.size());
  return record(slot);
}

Status Stream::record(Slot &slot) {
  std::vector<Command> uploads, readbacks;
  Command kernel;
  kernel.program = module->variant(variant).program;
  kernel.sizes = sizes;
  kernel.workspace = workspace;
  for (uint32_t i = 0; i < bytes.size(); ++i) {
    const Place &place = slot.places[i];
    kernel.arguments.push_back(
        {isWeight(i) ? weights[i] : place.device, 0, bytes[i]});
    if (isWeight(i) || place.isShared())
      continue;
    if (isOutput(i))
      readbacks.push_back(makeCopy(place.device, place.host));
    else
      uploads.push_back(makeCopy(place.host, place.device));
  }
  return pipeline.record(std::move(uploads), std::move(kernel),
                         std::move(readbacks), slot.steps);
}

//===----------------------------------------------------------------------===//
// Use
//===----------------------------------------------------------------------===//

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
      slot.outputs[i] = bytes[i] ? arguments[i] : nullptr;
    else if (!isWeight(i) && bytes[i])
      std::memcpy(slot.places[i].host->pointer(), arguments[i], bytes[i]);
  }
  uint64_t kernel = 0;
  if (Status status = pipeline.submit(slot.steps, 0, kernel, slot.value);
      !status.isOk())
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
  if (Status status = pipeline.last().timeline().wait(value, timeout);
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
