// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opens the loader, makes the instance and listens to the validation layer.

#include "runtime/Device/Vulkan/Loader.h"
#include "runtime/Device/Vulkan/Result.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <string>

namespace sparkle::runtime {

static constexpr const char *layerName = "VK_LAYER_KHRONOS_validation";

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {

template <typename Load> struct Loading {
  Load load;
  const char *missing = nullptr;

  template <typename Function>
  void set(Function &function, const char *name, bool isNeeded) {
    function = reinterpret_cast<Function>(load(name));
    if (!function && isNeeded && !missing)
      missing = name;
  }
};

template <typename Load> Loading<Load> loading(Load load) { return {load}; }

} // namespace

const char *Functions::loadGlobal(PFN_vkGetInstanceProcAddr get) {
  auto from = loading([&](const char *name) { return get(nullptr, name); });
#define VULKAN_GLOBAL(name, isNeeded) from.set(name, "vk" #name, isNeeded);
#include "runtime/Device/Vulkan/Functions.def"
  return from.missing;
}

const char *Functions::loadInstance(PFN_vkGetInstanceProcAddr get,
                                    VkInstance instance) {
  auto from = loading([&](const char *name) { return get(instance, name); });
#define VULKAN_INSTANCE(name, isNeeded) from.set(name, "vk" #name, isNeeded);
#include "runtime/Device/Vulkan/Functions.def"
  return from.missing;
}

const char *Functions::loadDevice(VkDevice device) {
  // What became part of a later version has a suffix in drivers before it.
  auto from = loading([&](const char *name) {
    PFN_vkVoidFunction function = nullptr;
    for (const char *suffix : {"", "KHR", "EXT"}) {
      char full[64];
      std::snprintf(full, sizeof(full), "%s%s", name, suffix);
      if (!function)
        function = GetDeviceProcAddr(device, full);
    }
    return function;
  });
#define VULKAN_DEVICE(name, isNeeded) from.set(name, "vk" #name, isNeeded);
#include "runtime/Device/Vulkan/Functions.def"
  return from.missing;
}

//===----------------------------------------------------------------------===//
// The instance
//===----------------------------------------------------------------------===//

Status Instance::create(const Settings &settings, Ref<Instance> &result) {
  auto instance = Ref<Instance>::adopt(new Instance(settings));
  if (Status status = instance->open(); !status.isOk())
    return status;
  if (Status status = instance->createHandle(); !status.isOk())
    return status;
  if (Status status = instance->createMessenger(); !status.isOk())
    return status;
  result = std::move(instance);
  return {};
}

Instance::~Instance() {
  if (messenger)
    vk.DestroyDebugUtilsMessengerEXT(instance, messenger, nullptr);
  if (instance)
    vk.DestroyInstance(instance, nullptr);
  if (library)
    dlclose(library);
}

Status Instance::open() {
  const char *path = std::getenv("SPARKLE_VULKAN_LIBRARY");
  if (!path || !*path)
    path = "libvulkan.so.1";
  const char *validation = std::getenv("SPARKLE_VULKAN_VALIDATION");
  isValidating = validation && std::strcmp(validation, "1") == 0;

  // Once loaded it stays: the last owner may go in any thread at any time, and
  // drivers leave things behind in threads.
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) {
    const char *reason = dlerror();
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected the Vulkan loader, but got: %s",
                           reason ? reason : path);
  }
  getInstanceProcAddr = reinterpret_cast<PFN_vkGetInstanceProcAddr>(
      dlsym(library, "vkGetInstanceProcAddr"));
  if (!getInstanceProcAddr)
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected the Vulkan loader, but got '%s' without "
                           "vkGetInstanceProcAddr",
                           path);
  if (const char *missing = vk.loadGlobal(getInstanceProcAddr))
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected a loader of Vulkan 1.1, but got '%s' "
                           "without %s",
                           path, missing);
  return {};
}

Status Instance::checkLayer() const {
  uint32_t count = 0;
  std::vector<VkLayerProperties> layers;
  VkResult result = VK_INCOMPLETE;
  while (result == VK_INCOMPLETE) {
    result = vk.EnumerateInstanceLayerProperties(&count, nullptr);
    layers.resize(count);
    if (result == VK_SUCCESS)
      result = vk.EnumerateInstanceLayerProperties(&count, layers.data());
  }
  if (result != VK_SUCCESS)
    return toStatus(result, "EnumerateInstanceLayerProperties");
  for (uint32_t i = 0; i < count; ++i)
    if (std::strcmp(layers[i].layerName, layerName) == 0)
      return {};
  return Status::failure(SPARKLE_UNAVAILABLE,
                         "expected %s, but the loader does not know it",
                         layerName);
}

namespace {

/// The shared objects that are loaded.
std::vector<std::string> listObjects() {
  std::vector<std::string> names;
  dl_iterate_phdr(
      [](dl_phdr_info *object, size_t, void *names) {
        static_cast<std::vector<std::string> *>(names)->push_back(
            object->dlpi_name);
        return 0;
      },
      &names);
  return names;
}

/// Keeps those loaded that were not there `before`: drivers and layers, which
/// the loader would unload with the last instance. That may go in a thread of
/// ours while the process ends, and runs what they left for its end.
void keepObjects(const std::vector<std::string> &before) {
  for (const std::string &name : listObjects())
    if (std::find(before.begin(), before.end(), name) == before.end())
      if (void *object =
              dlopen(name.c_str(), RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE))
        dlclose(object);
}

} // namespace

Status Instance::createHandle() {
  uint32_t available = 0;
  VkResult result = vk.EnumerateInstanceVersion(&available);
  if (result != VK_SUCCESS)
    return toStatus(result, "EnumerateInstanceVersion");
  if (available < VK_API_VERSION_1_1)
    return Status::failure(
        SPARKLE_UNAVAILABLE, "expected a loader of Vulkan 1.1, but got %u.%u",
        VK_API_VERSION_MAJOR(available), VK_API_VERSION_MINOR(available));
  apiVersion =
      available < VK_API_VERSION_1_2 ? VK_API_VERSION_1_1 : VK_API_VERSION_1_2;

  VkApplicationInfo application = {};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = application.pEngineName = "Sparkle";
  application.apiVersion = apiVersion;
  VkInstanceCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;
  const char *extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  VkDebugUtilsMessengerCreateInfoEXT listener = describeMessenger();
  if (isValidating) {
    if (Status status = checkLayer(); !status.isOk())
      return status;
    info.pNext = &listener; // hears what is said before there is a messenger
    info.enabledLayerCount = info.enabledExtensionCount = 1;
    info.ppEnabledLayerNames = &layerName;
    info.ppEnabledExtensionNames = &extension;
  }
  const std::vector<std::string> before = listObjects();
  result = vk.CreateInstance(&info, nullptr, &instance);
  keepObjects(before);
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER)
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected a Vulkan driver, but the loader found "
                           "none");
  if (result != VK_SUCCESS) {
    instance = VK_NULL_HANDLE;
    return toStatus(result, "CreateInstance");
  }
  if (const char *missing = vk.loadInstance(getInstanceProcAddr, instance))
    return Status::failure(
        SPARKLE_DRIVER, "expected an instance with %s, but got none", missing);
  return {};
}

Status Instance::enumerate(std::vector<VkPhysicalDevice> &devices) const {
  VkResult result = VK_INCOMPLETE;
  while (result == VK_INCOMPLETE) {
    uint32_t count = 0;
    result = vk.EnumeratePhysicalDevices(instance, &count, nullptr);
    if (result != VK_SUCCESS)
      break;
    devices.resize(count);
    result = vk.EnumeratePhysicalDevices(instance, &count, devices.data());
    devices.resize(count);
  }
  return toStatus(result, "EnumeratePhysicalDevices");
}

//===----------------------------------------------------------------------===//
// The validation layer
//===----------------------------------------------------------------------===//

VkDebugUtilsMessengerCreateInfoEXT Instance::describeMessenger() {
  VkDebugUtilsMessengerCreateInfoEXT info = {};
  info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
  info.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                         VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  // The loader's own remarks, about drivers of other devices, are GENERAL.
  info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
                     VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;
  info.pfnUserCallback = receive;
  info.pUserData = this;
  return info;
}

Status Instance::createMessenger() {
  if (!isValidating)
    return {};
  if (!vk.CreateDebugUtilsMessengerEXT || !vk.DestroyDebugUtilsMessengerEXT)
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected %s to bring VK_EXT_debug_utils, but got "
                           "none",
                           layerName);
  VkDebugUtilsMessengerCreateInfoEXT info = describeMessenger();
  VkResult result =
      vk.CreateDebugUtilsMessengerEXT(instance, &info, nullptr, &messenger);
  if (result == VK_SUCCESS)
    return {};
  messenger = VK_NULL_HANDLE;
  return toStatus(result, "CreateDebugUtilsMessengerEXT");
}

VkBool32 VKAPI_PTR Instance::receive(
    VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
    const VkDebugUtilsMessengerCallbackDataEXT *data, void *instance) {
  Instance &self = *static_cast<Instance *>(instance);
  const char *text = data->pMessage ? data->pMessage : "";
  self.settings.log(1, "Vulkan validation: %s", text);
  std::lock_guard<std::mutex> lock(self.messageMutex);
  if (self.message.isOk())
    self.message = Status::failure(SPARKLE_DRIVER, "%s", text);
  self.hasMessage.store(true, std::memory_order_release);
  return VK_FALSE;
}

Status Instance::takeMessage() {
  if (!hasMessage.load(std::memory_order_acquire))
    return {};
  std::lock_guard<std::mutex> lock(messageMutex);
  hasMessage.store(false, std::memory_order_relaxed);
  return std::exchange(message, Status());
}

} // namespace sparkle::runtime
