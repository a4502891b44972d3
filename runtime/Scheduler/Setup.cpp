// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an engine does once: picks devices, measures those that the history does
// not know, and starts their lanes.

#include "runtime/CacheFolder.h"
#include "runtime/Device/Registry.h"
#include "runtime/Scheduler/Engine.h"

#include <cstdlib>
#include <cstring>

namespace sparkle::runtime {
namespace {

/// Submissions that are not done, unless the caller says how many.
constexpr uint32_t usualPending = 64;
constexpr uint32_t mostPending = 1024;
/// Devices are bits of a number, of which one is left over.
constexpr size_t mostDevices = 63;

constexpr uint32_t knownFlags = SPARKLE_SCHEDULER_NO_EXPLORATION |
                                SPARKLE_SCHEDULER_NO_SPLIT |
                                SPARKLE_SCHEDULER_NO_HISTORY;

/// What its numbers depend on.
std::string makeKey(const sparkle_device_properties_t &properties) {
  std::string key = properties.description;
  key += '|';
  key += properties.driver;
  if (properties.target == SPARKLE_TARGET_CPU)
    key += '|' + std::to_string(properties.invocations) + " processors";
  return key;
}

/// Whether a name of sparkle_context_find_device's, or a target's word, means a
/// device. SPARKLE_INVALID_ARGUMENT if it can mean none.
Status matches(const Context &context, const std::string &name,
               const Device &device, bool &isMeant) {
  for (uint32_t i = 0; i < getDeviceKindCount(); ++i)
    if (name == getDeviceKinds()[i].word) {
      isMeant = getDeviceKinds()[i].target == device.properties().target;
      return {};
    }
  Device *found = nullptr;
  Status status = context.find(name.c_str(), found);
  isMeant = found == &device;
  return status.code() == SPARKLE_INVALID_ARGUMENT ? status : Status();
}

std::vector<std::string> splitNames(const char *names) {
  std::vector<std::string> parts(1);
  for (; *names; ++names)
    if (*names == ',')
      parts.emplace_back();
    else
      parts.back() += *names;
  return parts;
}

} // namespace

Status Engine::create(Context &context,
                      const sparkle_scheduler_options_t &options,
                      Ref<Engine> &engine) {
  if (options.flags & ~knownFlags)
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "expected known flags, but got 0x%x", options.flags);
  if (options.pending > mostPending)
    return Status::failure(
        SPARKLE_INVALID_ARGUMENT,
        "expected at most %u pending submissions, but got %u", mostPending,
        options.pending);
  auto made = Ref<Engine>::adopt(new Engine(context));
  made->environment = readSettings();
  made->pendingLimit = options.pending ? options.pending : usualPending;
  bool hasHistory = !(options.flags & SPARKLE_SCHEDULER_NO_HISTORY);
  made->memory =
      History::open(hasHistory ? getCacheFolder() : "", made->environment);
  made->tracer = Trace::open(std::getenv("SPARKLE_TRACE"), made->environment);
  Status status = made->selectDevices(options.devices);
  if (status.isOk())
    status = made->measureDevices();
  if (status.isOk())
    status = made->startLanes(options.flags);
  if (!status.isOk()) {
    made->close();
    return status;
  }
  engine = std::move(made);
  return {};
}

Status Engine::selectDevices(const char *names) {
  if (!names) {
    known = machine->devices();
    return {};
  }
  std::vector<bool> isSelected(machine->devices().size());
  for (const std::string &name : splitNames(names)) {
    bool isFound = false;
    for (size_t i = 0; i < isSelected.size(); ++i) {
      bool isMeant = false;
      if (Status status =
              matches(*machine, name, *machine->devices()[i], isMeant);
          !status.isOk())
        return status;
      isSelected[i] = isSelected[i] || isMeant;
      isFound |= isMeant;
    }
    Device *none = nullptr;
    if (!isFound)
      return machine->find(name.c_str(), none);
  }
  for (size_t i = 0; i < isSelected.size(); ++i)
    if (isSelected[i])
      known.push_back(machine->devices()[i]);
  return {};
}

/// Those that cannot be measured do not work.
Status Engine::measureDevices() {
  std::vector<Ref<Device>> working;
  std::string reasons;
  for (const Ref<Device> &device : known) {
    const sparkle_device_properties_t &properties = device->properties();
    std::string key = makeKey(properties);
    sparkle_device_performance_t performance = {};
    bool isKnown = memory->findPerformance(key, performance);
    if (!isKnown || !(performance.gflops > 0)) {
      if (Status status = device->measure(0, performance); !status.isOk()) {
        environment.log(1, "%s: %s", properties.name, status.message());
        reasons += reasons.empty() ? "" : "; ";
        reasons += std::string(properties.name) + ": " + status.message();
        continue;
      }
      memory->addPerformance(key, performance);
    }
    environment.log(2, "%s: %.1f GFLOPS, %.1f GB/s, launch %.1f us",
                    properties.name, performance.gflops,
                    performance.gbytes_per_second, performance.launch_ns / 1e3);
    working.push_back(device);
    deviceKeys.push_back(std::move(key));
    performances.push_back(performance);
    if (working.size() == mostDevices)
      break;
  }
  known = std::move(working);
  if (known.empty())
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected a device that works, but %s",
                           reasons.c_str());
  return {};
}

Status Engine::startLanes(uint32_t flags) {
  std::vector<DeviceModel> models;
  for (uint32_t i = 0; i < known.size(); ++i) {
    DeviceModel model;
    model.performance = performances[i];
    // All that run on the host's processors take turns.
    model.resource = known[i]->properties().runs_on_host ? 0 : i + 1;
    model.sharesMemory = sharesHostMemory(*known[i]);
    models.push_back(model);
  }
  Dispatcher::Options options;
  options.explores = !(flags & SPARKLE_SCHEDULER_NO_EXPLORATION);
  options.splits = !(flags & SPARKLE_SCHEDULER_NO_SPLIT);
  decisions = std::make_unique<Dispatcher>(options, std::move(models));
  runs.resize(keptRuns);
  for (uint32_t i = 0; i < known.size(); ++i)
    lanes.push_back(std::make_unique<Lane>(*this, i, known[i]));
  for (const std::unique_ptr<Lane> &lane : lanes)
    if (Status status = lane->start(); !status.isOk())
      return status;
  const char *hint = std::getenv("SPARKLE_DEVICE_HINT");
  if (Status status = parseHint(hint, defaultHint); !status.isOk())
    return Status::failure(status.code(), "SPARKLE_DEVICE_HINT: %s",
                           status.message());
  return {};
}

/// mask: a bit for each device that is meant; 0: any; the highest one alone: a
/// device that is not there.
Status Engine::parseHint(const char *hint, uint64_t &mask) const {
  mask = hint ? 0 : defaultHint;
  if (!hint || !*hint || std::strcmp(hint, "auto") == 0)
    return {};
  for (uint32_t i = 0; i < known.size(); ++i) {
    bool isMeant = false;
    if (Status status = matches(*machine, hint, *known[i], isMeant);
        !status.isOk())
      return status;
    mask |= uint64_t(isMeant) << i;
  }
  if (!mask)
    mask = uint64_t(1) << mostDevices;
  return {};
}

} // namespace sparkle::runtime
