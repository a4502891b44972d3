// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A Vulkan device: opened on first use, shared by all that is made on it.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_DEVICE_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_DEVICE_H

#include "runtime/Device/Device.h"
#include "runtime/Device/Vulkan/Memory.h"
#include "runtime/Device/Vulkan/Result.h"

#include <string>

namespace sparkle::runtime {

/// What a recording needs of the queue that runs it.
enum class Lane { Compute, Transfer };

/// A queue of the driver's, which one thread at a time may use.
struct Port {
  std::mutex mutex;
  VkQueue queue = VK_NULL_HANDLE;
};

/// A timeline semaphore that has reached `value`.
struct Semaphore {
  VkSemaphore handle = VK_NULL_HANDLE;
  uint64_t value = 0;
  bool isReusable = true; // false: it may have failed to reach it
};

class VulkanDevice : public Device {
public:
  VulkanDevice(const Settings &settings, Ref<Instance> instance,
               const Adapter &adapter, uint32_t index, std::string cacheFolder);

  Status measure(uint32_t threads,
                 sparkle_device_performance_t &performance) override;
  Status createBuffer(sparkle_memory_t memory, uint64_t size,
                      Ref<Buffer> &buffer) override;
  Status checkCode(const sparkle_code_t &code) override;
  Status createProgram(const sparkle_kernel_t &kernel,
                       const sparkle_code_t &code,
                       Ref<Program> &program) override;
  Status createRecording(std::vector<Command> commands,
                         Ref<Recording> &recording) override;
  Status createQueue(Ref<Queue> &queue) override;

  // What follows is for the objects made here; the device is open then.
  const Functions &functions() const { return vk; }
  VkDevice handle() const { return device; }
  const Adapter &adapter() const { return physical; }
  Memory &memory() { return *allocator; }
  /// Empty: pipelines are not kept.
  const std::string &cacheFolder() const { return cache; }

  /// Of a call of `function`; remembers that the device is lost.
  Status check(VkResult result, const char *function);
  /// Calls a function that creates something; `handle` stays as it is if that
  /// fails.
  template <typename Create, typename Info, typename Handle>
  Status make(Create create, const char *function, const Info &info,
              Handle &handle) {
    Handle made = VK_NULL_HANDLE;
    Status status = check(create(device, &info, nullptr, &made), function);
    if (status.isOk())
      handle = made;
    return status;
  }
  /// Why no new work is taken: the device is lost, or the validation layer has
  /// something to say.
  Status verdict();

  /// Whether there is a family of its own for copies.
  bool hasTransfer() const { return physical.transfer.count; }
  uint32_t family(Lane lane) const;
  /// Families that use buffers: one or two.
  std::vector<uint32_t> families() const;
  /// `turn` goes round the queues of the lane's family.
  Port &port(Lane lane, uint32_t turn) const;
  /// Until all that the device was given is done.
  void waitIdle();

  /// Semaphores are not destroyed before the device: a driver may touch those
  /// of a batch shortly after it has signalled that the batch is done (Mesa
  /// 22.3, vk_queue_submit_cleanup). They are used again.
  Status takeSemaphore(Semaphore &semaphore);
  void keepSemaphore(const Semaphore &semaphore);

private:
  ~VulkanDevice() override;
  /// Opens the device on the first call. Everything that makes an object on
  /// the device begins with it.
  Status prepare();
  Status open();
  Status createHandle();
  void findPorts(Lane lane, uint32_t count);

  Ref<Instance> instance;
  Adapter physical;
  std::string cache;
  Functions vk;
  std::mutex openMutex;
  std::atomic<bool> isOpen{false};
  std::atomic<bool> isLost{false};
  VkDevice device = VK_NULL_HANDLE;
  std::unique_ptr<Memory> allocator;
  std::vector<std::unique_ptr<Port>> ports[2]; // by lane
  std::atomic<uint32_t> nextTurn{0};
  std::mutex semaphoreMutex;
  std::vector<Semaphore> semaphores; // that nothing uses
};

/// Bytes that an empty buffer has for Vulkan, which knows no empty ones: a
/// kernel may read the first vector of an argument whose values it drops.
constexpr uint64_t emptySize = 16;

/// A buffer and its memory.
class VulkanBuffer : public Buffer {
public:
  static Status create(VulkanDevice &device, sparkle_memory_t memory,
                       uint64_t size, Ref<Buffer> &buffer);

  VkBuffer handle() const { return buffer; }

private:
  VulkanBuffer(VulkanDevice &device, uint64_t size, VkBuffer buffer,
               const MemoryPiece &piece);
  ~VulkanBuffer() override;

  VulkanDevice &vulkan;
  VkBuffer buffer;
  MemoryPiece piece;
};

inline VkBuffer getHandle(const View &view) {
  return static_cast<VulkanBuffer &>(*view.buffer).handle();
}

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_DEVICE_H
