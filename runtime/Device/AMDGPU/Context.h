// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel's context: what is submitted and waited for goes through it. One
// that has lost work stays lost; the device makes another one.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_CONTEXT_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_CONTEXT_H

#include "runtime/Device/AMDGPU/Memory.h"

#include <atomic>

namespace sparkle::runtime {

/// The words that a queue shares with the device, at the beginning of its page.
/// Both only grow. Work is over when `fence` says so, and it ran to its end if
/// `value` does, too: work that the kernel ends has a fence as well.
struct QueueWords {
  uint64_t fence; ///< The kernel's number of the last submission that is over.
  uint64_t value; ///< Of the timeline, written by the work itself.
};

/// Reads or writes what the device reads and writes at the same time.
inline uint64_t readWord(const uint64_t &word) {
  return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}
inline void writeWord(uint64_t &word, uint64_t value) {
  __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}

/// One submission of the kernel's: indirect buffers that run one after the
/// other.
struct Batch {
  uint32_t ring = 0;
  amdgpu_bo_list_handle objects = nullptr;
  amdgpu_cs_ib_info *buffers = nullptr;
  uint32_t bufferCount = 0;
  std::vector<amdgpu_cs_fence> *waits = nullptr; ///< Or null.
  amdgpu_bo_handle fence = nullptr; ///< Whose first word is QueueWords::fence.
};

class GpuContext : public Counted {
public:
  /// name: of the device, for messages. timeout: nanoseconds without progress
  /// after which it hangs.
  static Status create(const Ref<Node> &node, const char *name,
                       uint64_t timeout, Ref<GpuContext> &result);

  /// sequence: the kernel's number of it, on its ring.
  /// SPARKLE_DEVICE_LOST; SPARKLE_OUT_OF_MEMORY after a second of that.
  Status submit(const Batch &batch, uint64_t &sequence);
  /// Asks the kernel, for at most `timeout` nanoseconds, whether the submission
  /// is over. SPARKLE_DEVICE_LOST if it failed, or if the device hangs.
  Status wait(uint32_t ring, uint64_t sequence, uint64_t timeout, bool &isOver);
  amdgpu_cs_fence describe(uint32_t ring, uint64_t sequence) const;

  /// Nanoseconds since work was last seen to go on, on any queue.
  uint64_t idleTime();
  void addQueue(const QueueWords &words);
  void removeQueue(const QueueWords &words);

  /// Gives it up. what: "nothing on it went on". The first call asks the kernel
  /// why; all give what the first one found.
  Status lose(const char *what) { return lose(what, false); }
  /// OK, or why it is lost.
  Status verdict();
  /// Whether what lay in the device's own memory was lost with it.
  bool isMemoryLost() const { return memoryLost.load(); }

private:
  GpuContext(Ref<Node> node, const char *name, uint64_t timeout)
      : node(std::move(node)), name(name), timeout(timeout) {}
  ~GpuContext() override;

  Status lose(const char *function, int error);
  Status lose(const char *what, bool isOthers);
  std::string askWhy(bool isOthers);

  const Ref<Node> node;
  const char *const name;
  const uint64_t timeout;
  amdgpu_context_handle context = nullptr;
  std::atomic<bool> isLost{false}, memoryLost{false};
  std::atomic<uint64_t> submissions{0};
  std::mutex mutex; // of what follows
  Status reason;
  std::vector<const QueueWords *> queues;
  uint64_t lastProgress = 0, progressTime = 0;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_CONTEXT_H
