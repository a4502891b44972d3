// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is checked and known of a task before any device is chosen, and what a
// device makes of it once it is.

#include "runtime/Scheduler/Task.h"
#include "runtime/Divide.h"
#include "runtime/Hash.h"
#include "runtime/Scheduler/Engine.h"
#include "runtime/Shape.h"
#include "runtime/Tune.h"
#include "runtime/Validate.h"

#include <algorithm>
#include <cstring>

namespace sparkle::runtime {
namespace {

double count(int64_t (*function)(const int64_t *), const int64_t *sizes) {
  return function ? std::max<double>(0, static_cast<double>(function(sizes)))
                  : 0;
}

} // namespace

Task::Task(Scheduler &scheduler, const sparkle_kernel_t &kernel)
    : prepared(scheduler.engine().devices().size()),
      owner(Ref<Scheduler>::share(&scheduler)), description(kernel),
      mapping(&kernel) {
  for (uint32_t i = 0; i < kernel.tensor_count; ++i)
    if (kernel.tensors[i].role != SPARKLE_ROLE_TEMP)
      tensors.push_back(&kernel.tensors[i]);
}

Status Task::create(Scheduler &scheduler, const sparkle_kernel_t &kernel,
                    const int64_t *sizes, uint32_t sizeCount,
                    const void *const *weights, uint32_t argumentCount,
                    Ref<Task> &task) {
  if (Status status = validate(kernel); !status.isOk())
    return status;
  if (Status status = checkSizes(kernel, sizes, sizeCount); !status.isOk())
    return status;
  auto made = Ref<Task>::adopt(new Task(scheduler, kernel));
  made->callSizes.assign(sizes, sizes + sizeCount);
  Status status = made->measureArguments();
  if (status.isOk())
    status = made->copyWeights(weights, argumentCount);
  if (!status.isOk())
    return status;
  status = made->describeDevices();
  if (status.isOk())
    task = std::move(made);
  return status;
}

Status Task::measureArguments() {
  argumentBytes.resize(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const sparkle_tensor_t &tensor = *tensors[i];
    Extents extents;
    Status status = getExtents(description, tensor, callSizes.data(), extents);
    if (status.isOk())
      status = getBytes(tensor, tensor.layout, tensor.layout_count, extents,
                        argumentBytes[i]);
    if (!status.isOk())
      return status;
    if (tensor.role == SPARKLE_ROLE_INPUT)
      model.inputBytes += static_cast<double>(argumentBytes[i]);
    if (tensor.role == SPARKLE_ROLE_OUTPUT)
      model.outputBytes += static_cast<double>(argumentBytes[i]);
  }
  return {};
}

Status Task::copyWeights(const void *const *weights, uint32_t count) {
  if (count != tensors.size())
    return Status::failure(SPARKLE_WRONG_COUNT,
                           "expected %zu arguments of kernel '%s', but got %u",
                           tensors.size(), description.name, count);
  weightBytes.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    if (tensors[i]->role != SPARKLE_ROLE_WEIGHT || !argumentBytes[i])
      continue;
    if (!weights || !weights[i])
      return Status::failure(
          SPARKLE_INVALID_ARGUMENT,
          "argument '%s': expected a pointer, but got a null pointer",
          tensors[i]->name);
    if (Status status =
            CpuMemory::allocate(argumentBytes[i], 64, weightBytes[i]);
        !status.isOk())
      return status;
    std::memcpy(weightBytes[i]->bytes, weights[i], argumentBytes[i]);
  }
  return {};
}

/// Along the first size that there is something to divide along, or else in
/// bands, of which each reads all inputs.
void Task::chooseDivision(const std::vector<const sparkle_code_t *> &codes) {
  for (uint32_t i = 0; i < description.split_count; ++i) {
    const sparkle_split_t &split = description.splits[i];
    int64_t units = countUnits(description, split, callSizes.data());
    if (units < 2)
      continue;
    division = &split;
    model.units = units;
    return;
  }
  bandsOfOutput = findBands(description, codes, callSizes.data());
  if (!bandsOfOutput.output)
    return;
  model.units = bandsOfOutput.countUnits();
  model.movesWhole = true;
}

/// Which devices can run it, and what they are expected to take.
Status Task::describeDevices() {
  const std::vector<Ref<Device>> &devices = engine().devices();
  model.devices.resize(devices.size());
  keys.resize(devices.size());
  std::string lacks;
  std::vector<const sparkle_code_t *> all;
  for (uint32_t i = 0; i < devices.size(); ++i) {
    std::vector<const sparkle_code_t *> codes;
    Status status = Module::findCodes(*devices[i], description, codes);
    if (status.isOk()) {
      describeDevice(i, codes);
      all.insert(all.end(), codes.begin(), codes.end());
      continue;
    }
    if (status.code() != SPARKLE_NO_IMAGE)
      return status;
    model.devices[i].lack = status;
    lacks += lacks.empty() ? "" : "; ";
    lacks += status.message();
  }
  if (all.empty())
    return Status::failure(SPARKLE_NO_IMAGE, "%s", lacks.c_str());
  chooseDivision(all);
  return {};
}

void Task::describeDevice(uint32_t index,
                          const std::vector<const sparkle_code_t *> &codes) {
  Behaviour &behaviour = model.devices[index];
  const int64_t *sizes = callSizes.data();
  const sparkle_code_t &code = *codes[0];
  behaviour.isPossible = true;
  behaviour.demand.operations = count(
      code.operation_count ? code.operation_count : description.operation_count,
      sizes);
  behaviour.demand.farBytes = model.inputBytes + model.outputBytes;
  for (const Ref<CpuMemory> &weight : weightBytes)
    behaviour.demand.farBytes += weight ? double(weight->size) : 0;
  behaviour.demand.nearBytes = count(code.near_bytes, sizes);
  HistoryKey &key = keys[index];
  key.device = engine().getDeviceKey(index);
  key.kernel = description.algorithm_hash;
  key.pattern = hashOfNothing;
  for (const sparkle_code_t *each : codes)
    key.pattern =
        hashBytes(&each->pattern_hash, sizeof(each->pattern_hash), key.pattern);
  key.shape = hashBytes(sizes, callSizes.size() * sizeof(int64_t));
  HistoryKey part = key;
  part.isPart = true;
  behaviour.whole = engine().history().find(key);
  behaviour.part = engine().history().find(part);
  std::lock_guard<std::mutex> lock(engine().mutex);
  const DeviceModel &known = engine().dispatcher().devices()[index].model;
  behaviour.bound = getBound(behaviour.demand, known.performance);
}

Status Task::prepare(Device &device, Queue &queue, uint64_t generation,
                     Prepared &made) const {
  if (made.module && made.generation == generation)
    return {};
  Prepared fresh;
  fresh.generation = generation;
  Status status = Module::create(device, description, fresh.module);
  // Of several codes for a GPU the fastest is found by trying.
  if (status.isOk() && fresh.module->variantCount() > 1 &&
      device.properties().target != SPARKLE_TARGET_CPU)
    status = tune(*fresh.module, callSizes.data(),
                  static_cast<uint32_t>(callSizes.size()), 2);
  if (!status.isOk())
    return status;
  fresh.variant = fresh.module->current();
  std::vector<const void *> sources;
  for (const Ref<CpuMemory> &weight : weightBytes)
    sources.push_back(weight ? weight->bytes : nullptr);
  status = placeWeights(*fresh.module, fresh.variant, callSizes.data(),
                        sources.data(), queue, fresh.weights);
  if (status.isOk())
    made = std::move(fresh);
  return status;
}

Status Task::predict(size_t device, sparkle_prediction_t &prediction) {
  if (Status status = engine().checkDevice(device); !status.isOk())
    return status;
  std::lock_guard<std::mutex> lock(engine().mutex);
  const Behaviour &behaviour = model.devices[device];
  const DeviceModel &known = engine().dispatcher().devices()[device].model;
  behaviour.lack.report(&prediction.lack);
  if (!behaviour.isPossible)
    return {};
  // Where it has only run in parts, these tell.
  const Statistics &times =
      behaviour.whole.count() ? behaviour.whole : behaviour.part;
  prediction.source =
      times.count() ? SPARKLE_SOURCE_HISTORY : SPARKLE_SOURCE_ROOFLINE;
  prediction.runs = static_cast<uint32_t>(times.count());
  prediction.kernel_ns = behaviour.predict(known);
  prediction.transfer_ns =
      known.getTransfer(model.inputBytes + model.outputBytes);
  prediction.bound_ns = behaviour.bound;
  prediction.last_ns = times.last();
  prediction.deviation_ns = times.deviation();
  return {};
}

} // namespace sparkle::runtime
