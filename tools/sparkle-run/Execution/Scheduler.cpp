// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays and submissions of one kernel, through the scheduler.

#include "tools/sparkle-run/Execution/Scheduler.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

using namespace sparkle;

//===----------------------------------------------------------------------===//
// The scheduler
//===----------------------------------------------------------------------===//

static bool fail(const std::string &message) {
  std::fprintf(stderr, "sparkle-run: error: %s\n", message.c_str());
  return false;
}

/// Whether the scheduler was to have a device.
static bool isMeant(const std::string &device,
                    const std::vector<std::string> &names) {
  std::string target = device.substr(0, device.find(':'));
  return names.empty() ||
         std::any_of(names.begin(), names.end(), [&](const std::string &name) {
           return name == device || name == target;
         });
}

/// The scheduler goes on without a device that does not work.
void Scheduler::reportMissing(const sparkle_context_t *context,
                              const std::vector<std::string> &names) const {
  for (size_t i = 0; i < sparkle_context_get_device_count(context); ++i) {
    sparkle_device_properties_t properties;
    sparkle_device_query_properties(sparkle_context_get_device(context, i),
                                    &properties);
    std::string name = properties.name;
    if (isMeant(name, names) &&
        std::none_of(devices.begin(), devices.end(),
                     [&](const Device &one) { return one.getName() == name; }))
      std::fprintf(stderr,
                   "sparkle-run: note: %s could not be measured and is left "
                   "out - SPARKLE_LOG=1 tells why\n",
                   name.c_str());
  }
}

bool Scheduler::open(sparkle_context_t *context,
                     const std::vector<std::string> &names) {
  std::string all;
  for (const std::string &name : names)
    all += (all.empty() ? "" : ",") + name;
  pending = inFlightLimit * uint32_t(sparkle_context_get_device_count(context));
  sparkle_scheduler_options_t options = {};
  options.devices = names.empty() ? nullptr : all.c_str();
  options.pending = pending;
  sparkle_scheduler_t *made = nullptr;
  sparkle_error_t failure;
  if (sparkle_scheduler_create(context, &options, &made, &failure) !=
      SPARKLE_OK)
    return fail(failure.message);
  scheduler.reset(made);
  for (size_t i = 0; i < sparkle_scheduler_get_device_count(made); ++i) {
    std::string error;
    devices.emplace_back(sparkle_scheduler_get_device(made, i), error);
    if (!error.empty())
      return fail(devices.back().getName() + ": " + error);
  }
  reportMissing(context, names);
  return true;
}

std::unique_ptr<Scheduler>
Scheduler::create(sparkle_context_t *context,
                  const std::vector<std::string> &names) {
  auto made = std::make_unique<Scheduler>();
  return made->open(context, names) ? std::move(made) : nullptr;
}

sparkle_device_counters_t Scheduler::getCounters(size_t device) const {
  sparkle_device_counters_t counters = {};
  sparkle_scheduler_query_counters(scheduler.get(), device, &counters, nullptr);
  return counters;
}

const char *sparkle::getWord(const sparkle_prediction_t &prediction) {
  return prediction.source == SPARKLE_SOURCE_HISTORY    ? "history"
         : prediction.source == SPARKLE_SOURCE_ROOFLINE ? "roofline"
                                                        : "none";
}

//===----------------------------------------------------------------------===//
// A task and its arrays
//===----------------------------------------------------------------------===//

bool Task::check(sparkle_status_t status, const sparkle_error_t &failure) {
  if (status == SPARKLE_OK)
    return true;
  isLacking = status == SPARKLE_NO_IMAGE;
  error = isLacking ? failure.message
                    : std::string(sparkle_status_name(status)) + ": " +
                          failure.message;
  return false;
}

Session::Status Task::open() {
  error = instance.getObstacle();
  if (!error.empty())
    return Session::Status::Unsupported;
  for (size_t t = 0; t < instance.getTensors().size(); ++t)
    if (instance.getTensors()[t].getRole() != SPARKLE_ROLE_TEMP)
      arguments.push_back(t);
  if (createTask() && std::all_of(sets.begin(), sets.end(),
                                  [&](Set &set) { return createArrays(set); }))
    return Session::Status::Ready;
  return isLacking ? Session::Status::Unsupported : Session::Status::Failed;
}

bool Task::createTask() {
  std::vector<const void *> weights;
  for (size_t t : arguments)
    weights.push_back(instance.getTensors()[t].getRole() == SPARKLE_ROLE_WEIGHT
                          ? instance.getInput(t).get<void>()
                          : nullptr);
  const std::vector<int64_t> &sizes = instance.getSizes();
  sparkle_task_t *made = nullptr;
  sparkle_error_t failure;
  sparkle_status_t status =
      sparkle_task_create(scheduler.get(), &instance.getKernel(), sizes.data(),
                          uint32_t(sizes.size()), weights.data(),
                          uint32_t(weights.size()), &made, &failure);
  task.reset(made);
  return check(status, failure);
}

bool Task::createArrays(Set &set) {
  set.arrays.resize(arguments.size());
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Tensor &tensor = instance.getTensors()[arguments[i]];
    if (tensor.getRole() == SPARKLE_ROLE_WEIGHT)
      continue;
    uint64_t size =
        uint64_t(tensor.getMemoryCount()) * uint64_t(tensor.getElementSize());
    sparkle_array_t *made = nullptr;
    sparkle_error_t failure;
    if (!check(sparkle_array_create(scheduler.get(), size, &made, &failure),
               failure))
      return false;
    set.arrays[i].reset(made);
    void *bytes = nullptr;
    if (!map(set, i, SPARKLE_ACCESS_WRITE, bytes))
      return false;
    if (size && tensor.getRole() == SPARKLE_ROLE_INPUT)
      std::memcpy(bytes, instance.getInput(arguments[i]).get<char>(), size);
  }
  return true;
}

bool Task::map(const Set &set, size_t argument, sparkle_access_t access,
               void *&bytes) {
  sparkle_error_t failure;
  return check(sparkle_array_map(set.arrays[argument].get(), access,
                                 SPARKLE_FOREVER, &bytes, &failure),
               failure);
}

bool Task::poison() {
  for (Set &set : sets) {
    set.ticket = 0;
    for (size_t i = 0; i < arguments.size(); ++i) {
      void *bytes = nullptr;
      if (instance.getTensors()[arguments[i]].getRole() != SPARKLE_ROLE_OUTPUT)
        continue;
      if (!map(set, i, SPARKLE_ACCESS_WRITE, bytes))
        return false;
      if (bytes)
        std::memset(bytes, 0xff, sparkle_array_get_size(set.arrays[i].get()));
    }
  }
  return true;
}

/// What lies beyond the extents comes with what the device wrote and means
/// nothing: verify looks at that.
bool Task::read(const Set &set, Outputs &outputs) {
  outputs = instance.makeOutputs();
  size_t output = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Tensor &tensor = instance.getTensors()[arguments[i]];
    if (tensor.getRole() != SPARKLE_ROLE_OUTPUT)
      continue;
    void *bytes = nullptr;
    if (!map(set, i, SPARKLE_ACCESS_READ, bytes))
      return false;
    char *to = outputs[output++].get<char>();
    int64_t size = tensor.getElementSize();
    tensor.visit([&](int64_t, int64_t at) {
      std::memcpy(to + at * size, static_cast<char *>(bytes) + at * size,
                  size_t(size));
    });
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

/// The next set that no submission is under way with: in turn, so that what
/// lies in the processor's caches does not tell runs that are waited for from
/// those of a stream. Where there is one more than may be pending, one is idle.
bool Task::findIdle(size_t &set) {
  sparkle_error_t failure;
  for (size_t i = 1; i <= sets.size(); ++i) {
    set = (latest + i) % sets.size();
    if (!sets[set].ticket ||
        sparkle_scheduler_wait(scheduler.get(), sets[set].ticket, 0, nullptr) !=
            SPARKLE_TIMEOUT)
      return true;
  }
  set = (latest + 1) % sets.size();
  return check(sparkle_scheduler_wait(scheduler.get(), sets[set].ticket,
                                      SPARKLE_FOREVER, &failure),
               failure);
}

bool Task::submit(const char *hint, uint64_t &ticket) {
  size_t which = 0;
  if (!findIdle(which))
    return false;
  latest = which;
  Set &set = sets[which];
  std::vector<sparkle_array_t *> given;
  for (size_t i = 0; i < arguments.size(); ++i) {
    given.push_back(set.arrays[i].get());
    void *bytes = nullptr;
    if (instance.getTensors()[arguments[i]].getRole() == SPARKLE_ROLE_INPUT &&
        !map(set, i, SPARKLE_ACCESS_WRITE, bytes))
      return false;
  }
  sparkle_error_t failure;
  bool good = check(sparkle_task_submit(task.get(), given.data(),
                                        uint32_t(given.size()), hint, &ticket,
                                        &failure),
                    failure);
  set.ticket = ticket;
  return good;
}

bool Task::wait(uint64_t ticket) {
  sparkle_error_t failure;
  return check(sparkle_scheduler_wait(scheduler.get(), ticket, SPARKLE_FOREVER,
                                      &failure),
               failure);
}

bool Task::explain(uint64_t ticket, sparkle_decision_t &decision) {
  sparkle_error_t failure;
  return check(
      sparkle_scheduler_explain(scheduler.get(), ticket, &decision, &failure),
      failure);
}

bool Task::predict(size_t device, sparkle_prediction_t &prediction) {
  sparkle_error_t failure;
  return check(sparkle_task_predict(task.get(), device, &prediction, &failure),
               failure);
}
