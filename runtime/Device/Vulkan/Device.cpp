// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the devices, opens one with the features and queues that the runtime
// uses, and makes everything that lives on it.

#include "runtime/Device/Vulkan/Device.h"
#include "runtime/CacheFolder.h"
#include "runtime/Device/Registry.h"
#include "runtime/Device/Vulkan/Cache.h"
#include "runtime/Device/Vulkan/Program.h"
#include "runtime/Device/Vulkan/Queue.h"
#include "runtime/Device/Vulkan/Recording.h"

#include <algorithm>

namespace sparkle::runtime {

Status findVulkanDevices(const Settings &settings,
                         std::vector<Ref<Device>> &devices) {
  Ref<Instance> instance;
  if (Status status = Instance::create(settings, instance); !status.isOk())
    return status;
  std::vector<VkPhysicalDevice> handles;
  if (Status status = instance->enumerate(handles); !status.isOk())
    return status;
  Status reason = Status::failure(
      SPARKLE_UNAVAILABLE, "expected a Vulkan device, but the drivers have "
                           "none");
  uint32_t count = 0;
  for (VkPhysicalDevice handle : handles) {
    Adapter adapter;
    if (Status status = Adapter::inspect(*instance, handle, adapter);
        !status.isOk()) {
      settings.log(1, "%s", status.message());
      if (!count)
        reason = status;
      continue;
    }
    devices.push_back(Ref<Device>::adopt(new VulkanDevice(
        settings, instance, adapter, count++, getCacheFolder())));
  }
  return count ? instance->takeMessage() : reason;
}

//===----------------------------------------------------------------------===//
// Opening and closing
//===----------------------------------------------------------------------===//

VulkanDevice::VulkanDevice(const Settings &settings, Ref<Instance> instance,
                           const Adapter &adapter, uint32_t index,
                           std::string cacheFolder)
    : Device(settings), instance(std::move(instance)), physical(adapter),
      cache(std::move(cacheFolder)), vk(this->instance->functions()) {
  physical.describe(index, description);
}

VulkanDevice::~VulkanDevice() {
  if (!semaphores.empty())
    waitIdle();
  for (const Semaphore &semaphore : semaphores)
    vk.DestroySemaphore(device, semaphore.handle, nullptr);
  allocator.reset();
  if (device)
    vk.DestroyDevice(device, nullptr);
}

Status VulkanDevice::prepare() {
  if (!isOpen.load(std::memory_order_acquire)) {
    std::lock_guard<std::mutex> lock(openMutex);
    if (!isOpen.load(std::memory_order_relaxed))
      if (Status status = open(); !status.isOk())
        return status;
    isOpen.store(true, std::memory_order_release);
  }
  return verdict();
}

Status VulkanDevice::open() {
  if (Status status = createHandle(); !status.isOk())
    return status;
  if (const char *missing = vk.loadDevice(device)) {
    // Even vkDestroyDevice may be missing; the handle is lost then.
    if (vk.DestroyDevice)
      vk.DestroyDevice(device, nullptr);
    device = VK_NULL_HANDLE;
    return Status::failure(SPARKLE_DRIVER,
                           "expected '%s' to have %s, but got none",
                           description.description, missing);
  }
  allocator = std::make_unique<Memory>(vk, device, physical);
  findPorts(Lane::Compute, physical.compute.count);
  findPorts(Lane::Transfer, physical.transfer.count);
  return {};
}

Status VulkanDevice::createHandle() {
  const std::vector<float> priorities(
      std::max(physical.compute.count, physical.transfer.count), 1.0f);
  std::vector<VkDeviceQueueCreateInfo> queues;
  for (const Family &family : {physical.compute, physical.transfer}) {
    VkDeviceQueueCreateInfo queue = {};
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.queueFamilyIndex = family.index;
    queue.queueCount = family.count;
    queue.pQueuePriorities = priorities.data();
    if (family.count)
      queues.push_back(queue);
  }
  VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {};
  timeline.sType =
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES;
  timeline.timelineSemaphore = VK_TRUE;
  VkPhysicalDevice16BitStorageFeatures storage = {};
  storage.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES;
  storage.storageBuffer16BitAccess = physical.has16BitStorage;
  storage.pNext = &timeline;
  VkPhysicalDeviceHostQueryResetFeatures queryReset = {};
  queryReset.sType =
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_HOST_QUERY_RESET_FEATURES;
  queryReset.hostQueryReset = VK_TRUE;
  if (physical.hasTimestamps)
    timeline.pNext = &queryReset;

  VkDeviceCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  info.pNext = &storage;
  info.queueCreateInfoCount = static_cast<uint32_t>(queues.size());
  info.pQueueCreateInfos = queues.data();
  info.enabledExtensionCount =
      static_cast<uint32_t>(physical.extensions.size());
  info.ppEnabledExtensionNames = physical.extensions.data();
  VkDevice made = VK_NULL_HANDLE;
  VkResult result = vk.CreateDevice(physical.handle, &info, nullptr, &made);
  if (result == VK_SUCCESS)
    device = made;
  return check(result, "CreateDevice");
}

void VulkanDevice::findPorts(Lane lane, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    auto port = std::make_unique<Port>();
    vk.GetDeviceQueue(device, family(lane), i, &port->queue);
    ports[static_cast<int>(lane)].push_back(std::move(port));
  }
}

//===----------------------------------------------------------------------===//
// For the objects made on it
//===----------------------------------------------------------------------===//

Status VulkanDevice::check(VkResult result, const char *function) {
  if (result == VK_ERROR_DEVICE_LOST)
    isLost.store(true, std::memory_order_release);
  return toStatus(result, function);
}

Status VulkanDevice::verdict() {
  if (isLost.load(std::memory_order_acquire))
    return Status::failure(SPARKLE_DEVICE_LOST,
                           "expected device '%s' to work, but it is lost",
                           description.name);
  return instance->takeMessage();
}

uint32_t VulkanDevice::family(Lane lane) const {
  return lane == Lane::Compute ? physical.compute.index
                               : physical.transfer.index;
}

std::vector<uint32_t> VulkanDevice::families() const {
  if (hasTransfer())
    return {physical.compute.index, physical.transfer.index};
  return {physical.compute.index};
}

Port &VulkanDevice::port(Lane lane, uint32_t turn) const {
  const auto &candidates = ports[static_cast<int>(lane)];
  return *candidates[turn % candidates.size()];
}

void VulkanDevice::waitIdle() {
  std::vector<std::unique_lock<std::mutex>> locks; // always in this order
  for (const auto &lane : ports)
    for (const auto &port : lane)
      locks.emplace_back(port->mutex);
  Status status = check(vk.DeviceWaitIdle(device), "DeviceWaitIdle");
  if (!status.isOk())
    settings().log(1, "%s", status.message());
}

Status VulkanDevice::takeSemaphore(Semaphore &semaphore) {
  {
    std::lock_guard<std::mutex> lock(semaphoreMutex);
    for (Semaphore &kept : semaphores)
      if (kept.isReusable) {
        semaphore = kept;
        kept = semaphores.back();
        semaphores.pop_back();
        return {};
      }
  }
  VkSemaphoreTypeCreateInfo type = {};
  type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  VkSemaphoreCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
  info.pNext = &type;
  return make(vk.CreateSemaphore, "CreateSemaphore", info, semaphore.handle);
}

void VulkanDevice::keepSemaphore(const Semaphore &semaphore) {
  std::lock_guard<std::mutex> lock(semaphoreMutex);
  semaphores.push_back(semaphore);
}

//===----------------------------------------------------------------------===//
// What it makes
//===----------------------------------------------------------------------===//

Status VulkanDevice::createBuffer(sparkle_memory_t memory, uint64_t size,
                                  Ref<Buffer> &buffer) {
  if (Status status = prepare(); !status.isOk())
    return status;
  return VulkanBuffer::create(*this, memory, size, buffer);
}

Status VulkanDevice::createProgram(const sparkle_kernel_t &kernel,
                                   const sparkle_code_t &code,
                                   Ref<Program> &program) {
  if (Status status = prepare(); !status.isOk())
    return status;
  Status status = VulkanProgram::create(*this, kernel, code, program);
  return status.isOk() ? verdict() : status;
}

Status VulkanDevice::createRecording(std::vector<Command> commands,
                                     Ref<Recording> &recording) {
  if (Status status = prepare(); !status.isOk())
    return status;
  Status status =
      VulkanRecording::create(*this, std::move(commands), recording);
  return status.isOk() ? verdict() : status;
}

Status VulkanDevice::createQueue(Ref<Queue> &queue) {
  if (Status status = prepare(); !status.isOk())
    return status;
  return VulkanQueueState::create(*this, nextTurn.fetch_add(1), queue);
}

Status VulkanDevice::checkCode(const sparkle_code_t &code) {
  uint64_t missing = code.features & ~description.features;
#define SPARKLE_GPU_FEATURE(name, meaning, bit)                                \
  if (missing & SPARKLE_GPU_##name)                                            \
    return Status::failure(SPARKLE_NO_IMAGE, "needs " meaning);
  SPARKLE_GPU_FEATURES(SPARKLE_GPU_FEATURE)
#undef SPARKLE_GPU_FEATURE
  if (missing)
    return Status::failure(SPARKLE_NO_IMAGE, "needs feature %#llx",
                           static_cast<unsigned long long>(missing));
  for (uint32_t i = 0; i < code.launch_count; ++i) {
    const sparkle_launch_t &launch = code.launches[i];
    if (launch.invocations > description.invocations)
      return Status::failure(SPARKLE_NO_IMAGE,
                             "needs %u invocations of a workgroup, but the "
                             "device has %u",
                             launch.invocations, description.invocations);
    if (launch.local_size > description.local_memory)
      return Status::failure(SPARKLE_NO_IMAGE,
                             "needs %u bytes of workgroup memory, but the "
                             "device has %u",
                             launch.local_size, description.local_memory);
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

/// Fills write whole words.
static constexpr uint64_t word = 4;

static Status createHandle(VulkanDevice &device, uint64_t size,
                           VkBuffer &buffer) {
  uint64_t most = device.adapter().maxAllocation;
  if (size > most)
    return Status::failure(SPARKLE_OUT_OF_MEMORY,
                           "expected %llu bytes of memory, but the device "
                           "gives at most %llu in one piece",
                           static_cast<unsigned long long>(size),
                           static_cast<unsigned long long>(most));
  std::vector<uint32_t> families = device.families();
  VkBufferCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.size = (std::max(size, emptySize) + word - 1) / word * word;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
               VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
               VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  info.sharingMode = families.size() > 1 ? VK_SHARING_MODE_CONCURRENT
                                         : VK_SHARING_MODE_EXCLUSIVE;
  info.queueFamilyIndexCount = static_cast<uint32_t>(families.size());
  info.pQueueFamilyIndices = families.data();
  return device.make(device.functions().CreateBuffer, "CreateBuffer", info,
                     buffer);
}

Status VulkanBuffer::create(VulkanDevice &device, sparkle_memory_t memory,
                            uint64_t size, Ref<Buffer> &result) {
  const Functions &vk = device.functions();
  VkBuffer handle = VK_NULL_HANDLE;
  MemoryPiece piece;
  Status status = createHandle(device, size, handle);
  if (status.isOk()) {
    VkMemoryRequirements needs;
    vk.GetBufferMemoryRequirements(device.handle(), handle, &needs);
    status = device.memory().allocate(memory, needs, piece);
  }
  if (status.isOk())
    status =
        device.check(vk.BindBufferMemory(device.handle(), handle,
                                         piece.block->handle, piece.offset),
                     "BindBufferMemory");
  if (status.isOk()) {
    result = Ref<Buffer>::adopt(new VulkanBuffer(device, size, handle, piece));
    return {};
  }
  vk.DestroyBuffer(device.handle(), handle, nullptr);
  device.memory().free(piece);
  return status;
}

VulkanBuffer::VulkanBuffer(VulkanDevice &device, uint64_t size, VkBuffer buffer,
                           const MemoryPiece &piece)
    : Buffer(device, size, size ? piece.host() : nullptr), vulkan(device),
      buffer(buffer), piece(piece) {}

VulkanBuffer::~VulkanBuffer() {
  vulkan.functions().DestroyBuffer(vulkan.handle(), buffer, nullptr);
  vulkan.memory().free(piece);
}

} // namespace sparkle::runtime
