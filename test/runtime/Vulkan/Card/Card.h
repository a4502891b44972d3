// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lavapipe in the guise of a discrete card, which no machine without a GPU has:
// a loader that the runtime opens by SPARKLE_VULKAN_LIBRARY. Adapter.cpp says
// what the card is, Device.cpp and Command.cpp translate what is made on it,
// Queue.cpp gives each queue a life of its own. What the card could not do ends
// the process, even where a real one would say nothing.

#ifndef SPARKLE_TEST_RUNTIME_VULKAN_CARD_CARD_H
#define SPARKLE_TEST_RUNTIME_VULKAN_CARD_CARD_H

#include "test/runtime/Vulkan/Between.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace card {

/// The functions of the real loader.
struct Real {
#define VULKAN_FUNCTION(name, isNeeded) PFN_vk##name name;
#include "runtime/Device/Vulkan/Functions.def"
};
const Real &real();

/// Says on the standard error stream what the runtime may not do, and aborts.
[[noreturn]] void refuse(const char *rule);

/// Of the card; lavapipe has one family with one queue, and one type of memory.
enum Family : uint32_t { drawing, computing, video, copying, familyCount };
constexpr uint32_t queueCounts[familyCount] = {1, 2, 1, 2};
enum MemoryType : uint32_t { local, incoherent, coherent, cached, typeCount };
constexpr VkDeviceSize heapSizes[] = {512 << 20, 1024 << 20};
constexpr uint32_t maxAllocations = 24;
constexpr uint32_t alignment = 256;           // of bindings
constexpr VkDeviceSize maxBinding = 1 << 27;  // bytes
constexpr uint32_t maxInvocations = 128;      // of a workgroup
constexpr uint32_t maxLocalMemory = 16 << 10; // bytes
constexpr uint32_t maxGroups = 65535;         // in each direction

inline uint32_t getHeap(uint32_t type) { return type == local ? 0 : 1; }

struct Device;

/// Submits to lavapipe in a thread of its own, when what a batch waits for is
/// there and some time later: a wait that is missing shows.
class Queue {
public:
  Queue(Device &device, uint32_t family, uint32_t number);
  ~Queue();

  const uint32_t family;
  void submit(const VkSubmitInfo &info);
  /// Until lavapipe has everything.
  void drain();

private:
  struct Batch {
    std::vector<VkSemaphore> waits, signals;
    std::vector<uint64_t> waitValues, signalValues;
    std::vector<VkCommandBuffer> buffers;
  };

  void run();
  void execute(const Batch &batch);

  Device &device;
  uint64_t hash; // of the next delay
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Batch> batches; // the first one may be under way
  bool isClosing = false;
  std::thread thread;
};

struct Device {
  VkDevice handle = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE; // lavapipe's
  std::mutex submitting;          // to it
  std::vector<std::unique_ptr<Queue>> queues[familyCount];
  uint32_t allocations = 0;
  VkDeviceSize used[2] = {}; // of the heaps
};

struct Memory {
  uint32_t type;
  VkDeviceSize size;
};

struct Buffer {
  std::vector<uint32_t> families; // empty: the first one that uses it
  VkDeviceSize size;              // that it needs
};

struct CommandBuffer {
  uint32_t family;
  VkCommandPool pool;
};

/// All that was made and not destroyed. Its mutex guards everything but the
/// insides of queues.
struct State {
  std::mutex mutex;
  std::unordered_map<VkDevice, std::unique_ptr<Device>> devices;
  std::unordered_map<VkDeviceMemory, Memory> memories;
  std::unordered_map<VkBuffer, Buffer> buffers;
  std::unordered_map<VkCommandPool, uint32_t> pools; // family
  std::unordered_map<VkCommandBuffer, CommandBuffer> commands;
};
State &state();

/// A queue of this family uses the buffer, with the state's mutex held.
void use(VkBuffer buffer, uint32_t family);

/// What takes the place of a function of this name, or null.
PFN_vkVoidFunction findAdapter(const char *name);
PFN_vkVoidFunction findDevice(const char *name);
PFN_vkVoidFunction findCommand(const char *name);
PFN_vkVoidFunction findQueue(const char *name);

/// Compares a name with that of one of the functions of namespace card.
#define CARD_FUNCTION(function)                                                \
  if (std::strcmp(name, "vk" #function) == 0)                                  \
  return reinterpret_cast<PFN_vkVoidFunction>(                                 \
      static_cast<PFN_vk##function>(function))

} // namespace card

#endif // SPARKLE_TEST_RUNTIME_VULKAN_CARD_CARD_H
