// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Asks each kind for its devices, and remembers why there are none.

#include "runtime/Context.h"
#include "runtime/Device/Registry.h"

#include <cstdlib>
#include <cstring>

namespace sparkle::runtime {

Status Context::create(Ref<Context> &context) {
  Settings settings = readSettings();
  auto made = Ref<Context>::adopt(new Context);
  for (uint32_t i = 0; i < getDeviceKindCount(); ++i) {
    const DeviceKind &kind = getDeviceKinds()[i];
    Status status = kind.find(settings, made->found);
    if (!status.isOk())
      settings.log(1, "%s: %s", kind.word, status.message());
    made->results.push_back(status);
  }
  for (const Ref<Device> &device : made->found)
    settings.log(2, "%s: %s", device->properties().name,
                 device->properties().description);
  context = std::move(made);
  return {};
}

Ref<Context> Context::make(std::vector<Ref<Device>> devices) {
  auto made = Ref<Context>::adopt(new Context);
  made->found = std::move(devices);
  made->results.resize(getDeviceKindCount());
  return made;
}

/// "word", which is index 0, or "word:index". False if it is neither.
static bool parseIndex(const char *rest, uint32_t &index) {
  index = 0;
  if (*rest == 0)
    return true;
  if (*rest != ':' || rest[1] < '0' || rest[1] > '9')
    return false;
  char *end;
  unsigned long number = std::strtoul(rest + 1, &end, 10);
  index = number < UINT32_MAX ? static_cast<uint32_t>(number) : UINT32_MAX;
  return *end == 0;
}

Status Context::find(const char *name, Device *&device) const {
  for (uint32_t i = 0; i < getDeviceKindCount(); ++i) {
    const DeviceKind &kind = getDeviceKinds()[i];
    size_t length = std::strlen(kind.word);
    uint32_t index;
    if (std::strncmp(name, kind.word, length) != 0 ||
        !parseIndex(name + length, index))
      continue;
    uint32_t count = 0;
    for (const Ref<Device> &candidate : found) {
      const sparkle_device_properties_t &properties = candidate->properties();
      if (properties.target != kind.target)
        continue;
      ++count;
      if (properties.index == index) {
        device = candidate.get();
        return {};
      }
    }
    if (!results[i].isOk())
      return Status::failure(results[i].code(), "device '%s': %s", name,
                             results[i].message());
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected one of %u devices of '%s', but got '%s'",
                           count, kind.word, name);
  }
  return Status::failure(SPARKLE_INVALID_ARGUMENT,
                         "expected the name of a device, but got '%s'", name);
}

} // namespace sparkle::runtime
