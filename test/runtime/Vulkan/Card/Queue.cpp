// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Queues that know nothing of each other: lavapipe's only one would keep an
// order that a card does not.

#include "test/runtime/Vulkan/Card/Card.h"

#include <chrono>
#include <cstring>

namespace card {

Queue::Queue(Device &device, uint32_t family, uint32_t number)
    : family(family), device(device), hash(family * 16 + number) {
  thread = std::thread([this] { run(); });
}

Queue::~Queue() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    isClosing = true;
    changed.notify_all();
  }
  thread.join();
}

void Queue::submit(const VkSubmitInfo &info) {
  auto *timeline =
      static_cast<const VkTimelineSemaphoreSubmitInfo *>(info.pNext);
  Batch batch;
  batch.buffers.assign(info.pCommandBuffers,
                       info.pCommandBuffers + info.commandBufferCount);
  for (uint32_t i = 0; i < info.waitSemaphoreCount; ++i) {
    if (info.pWaitDstStageMask[i] != VK_PIPELINE_STAGE_ALL_COMMANDS_BIT)
      refuse("a batch waits with less than all that it does");
    batch.waits.push_back(info.pWaitSemaphores[i]);
    batch.waitValues.push_back(timeline->pWaitSemaphoreValues[i]);
  }
  for (uint32_t i = 0; i < info.signalSemaphoreCount; ++i) {
    batch.signals.push_back(info.pSignalSemaphores[i]);
    batch.signalValues.push_back(timeline->pSignalSemaphoreValues[i]);
  }
  std::lock_guard<std::mutex> lock(mutex);
  batches.push_back(std::move(batch));
  changed.notify_all();
}

void Queue::drain() {
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] { return batches.empty(); });
}

void Queue::run() {
  std::unique_lock<std::mutex> lock(mutex);
  while (true) {
    changed.wait(lock, [&] { return !batches.empty() || isClosing; });
    if (batches.empty())
      return;
    const Batch &batch = batches.front(); // only removed here
    lock.unlock();
    execute(batch);
    lock.lock();
    batches.pop_front();
    changed.notify_all();
  }
}

void Queue::execute(const Batch &batch) {
  VkSemaphoreWaitInfo waits = {};
  waits.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
  waits.semaphoreCount = static_cast<uint32_t>(batch.waits.size());
  waits.pSemaphores = batch.waits.data();
  waits.pValues = batch.waitValues.data();
  if (!batch.waits.empty() &&
      real().WaitSemaphores(device.handle, &waits, UINT64_MAX) != VK_SUCCESS)
    refuse("a wait failed");
  // None for most, so that the others come in between.
  hash = hash * 6364136223846793005 + 1442695040888963407;
  std::this_thread::sleep_for(
      std::chrono::microseconds(hash >> 62 ? 0 : hash >> 51 & 1023));

  VkTimelineSemaphoreSubmitInfo timeline = {};
  timeline.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
  timeline.signalSemaphoreValueCount =
      static_cast<uint32_t>(batch.signals.size());
  timeline.pSignalSemaphoreValues = batch.signalValues.data();
  VkSubmitInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  info.pNext = &timeline;
  info.commandBufferCount = static_cast<uint32_t>(batch.buffers.size());
  info.pCommandBuffers = batch.buffers.data();
  info.signalSemaphoreCount = static_cast<uint32_t>(batch.signals.size());
  info.pSignalSemaphores = batch.signals.data();
  std::lock_guard<std::mutex> lock(device.submitting);
  if (real().QueueSubmit(device.queue, 1, &info, VK_NULL_HANDLE) != VK_SUCCESS)
    refuse("a batch that was taken failed");
}

static VkResult QueueSubmit(VkQueue handle, uint32_t count,
                            const VkSubmitInfo *infos, VkFence fence) {
  auto &queue = *reinterpret_cast<Queue *>(handle);
  if (fence)
    refuse("fences are not looked at");
  for (uint32_t i = 0; i < count; ++i) {
    {
      std::lock_guard<std::mutex> lock(state().mutex);
      for (uint32_t j = 0; j < infos[i].commandBufferCount; ++j)
        if (state().commands.at(infos[i].pCommandBuffers[j]).family !=
            queue.family)
          refuse("a queue is given commands of another family");
    }
    queue.submit(infos[i]);
  }
  return VK_SUCCESS;
}

PFN_vkVoidFunction findQueue(const char *name) {
  CARD_FUNCTION(QueueSubmit);
  return nullptr;
}

} // namespace card
