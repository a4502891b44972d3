// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the devices that are to be used.

#include "tools/sparkle-run/Execution/Device.h"

#include <algorithm>
#include <cstdio>

using namespace sparkle;

Device::Device(sparkle_device_t *device, std::string &error) : device(device) {
  sparkle_device_query_properties(device, &properties);
  error = renewQueue();
}

std::string Device::renewQueue() const {
  sparkle_error_t failure;
  uint64_t reached = 0;
  if (queue && sparkle_timeline_query(sparkle_queue_get_timeline(queue.get()),
                                      &reached, &failure) == SPARKLE_OK)
    return "";
  sparkle_queue_t *made = nullptr;
  if (sparkle_queue_create(device, &made, &failure) != SPARKLE_OK)
    return failure.message;
  queue.reset(made);
  return "";
}

std::string Device::getTarget() const {
  std::string name = properties.name;
  return name.substr(0, name.find(':'));
}

std::optional<std::vector<Device>>
sparkle::findDevices(const sparkle_context_t *context,
                     const std::vector<std::string> &names) {
  std::vector<sparkle_device_t *> found;
  auto add = [&](sparkle_device_t *device) {
    if (std::find(found.begin(), found.end(), device) == found.end())
      found.push_back(device);
  };
  for (const std::string &name : names) {
    sparkle_device_t *device = nullptr;
    sparkle_error_t failure;
    if (name == "all") {
      for (size_t i = 0; i < sparkle_context_get_device_count(context); ++i)
        add(sparkle_context_get_device(context, i));
    } else if (sparkle_context_find_device(context, name.c_str(), &device,
                                           &failure) == SPARKLE_OK) {
      add(device);
    } else {
      std::fprintf(stderr, "sparkle-run: error: %s\n", failure.message);
      return std::nullopt;
    }
  }
  std::vector<Device> devices;
  for (sparkle_device_t *device : found) {
    std::string error;
    devices.emplace_back(device, error);
    if (!error.empty()) {
      std::fprintf(stderr, "sparkle-run: error: %s: %s\n",
                   devices.back().getName().c_str(), error.c_str());
      return std::nullopt;
    }
  }
  return devices;
}
