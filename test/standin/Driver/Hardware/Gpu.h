// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One card: its rings, what is queued on them, and what a hang does to all.
// Guarded by the monitor, but for what the card's own thread executes.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_GPU_H
#define SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_GPU_H

#include "test/standin/Driver/Hardware/Card.h"
#include "test/standin/Driver/Hardware/Processor.h"
#include "test/standin/Driver/Kernel/Fence.h"

#include <atomic>
#include <deque>
#include <random>

namespace sparkle::standin {

constexpr unsigned ringCount = 4;
/// Submissions that may wait on one ring of a context; the next one blocks.
constexpr size_t jobsInFlight = 32;

/// A context of a program, with one queue for each compute ring.
struct Context {
  struct Queue {
    uint64_t next = 1;                         ///< Sequence number.
    std::deque<std::shared_ptr<Fence>> fences; ///< Of the last numbers.
  };
  Queue queues[ringCount];
  bool isGuilty = false;
  uint64_t resets, seenResets, losses; ///< Of the card when it was made.
  uint32_t hangs = 0;
};

/// A submission.
struct Job {
  std::shared_ptr<AddressSpace> space;
  std::shared_ptr<Context> context;
  unsigned ring = 0;
  std::vector<IndirectBuffer> buffers;
  std::unordered_set<const Buffer *> resident;
  std::vector<std::shared_ptr<Buffer>> kept; ///< Those of `resident`.
  Fences dependencies;
  std::shared_ptr<Fence> fence = std::make_shared<Fence>();
  std::shared_ptr<Buffer> userFence;
  uint64_t userFenceOffset = 0, sequence = 0;
  /// What the ring has run before may still run: nobody has waited for it.
  bool mayOverlap = false;
};

class Gpu {
public:
  explicit Gpu(Generation generation, uint64_t seed);

  void submit(std::shared_ptr<Job> job);
  /// The fence of what was last queued on a ring; null if that is over.
  std::shared_ptr<Fence> getLast(unsigned ring) const {
    return rings[ring].jobs.empty() ? nullptr : rings[ring].jobs.back()->fence;
  }
  /// The fences of all that uses a buffer.
  Fences getUsers(const Buffer *buffer) const;
  /// Graphics memory that a reset may lose.
  void watch(const std::shared_ptr<Buffer> &buffer);

  const Card &card;
  uint64_t resets = 0, losses = 0;
  std::atomic<uint64_t> usedVideo{0}, usedVisible{0}, usedSystem{0};
  uint64_t faultAddress = 0;
  uint32_t faultStatus = 0;

private:
  enum class State { Idle, Running, Polling, Hung };
  struct Ring {
    Ring(Generation generation, SecondLevel &second)
        : processor(generation, second) {}

    std::deque<std::shared_ptr<Job>> jobs;
    Processor processor;
    State state = State::Idle;
    int64_t since = 0; ///< It polls or hangs.
    int error = 0;     ///< Of a hang: what its fence will say.
    bool losesMemory = false;
  };

  void work();
  Ring *pick();
  bool isReady(const Ring &ring) const;
  void sleep(Lock &lock);
  void start(Ring &ring);
  bool takeHang(Ring &ring);
  void advance(Ring &ring, Lock &lock);
  void finish(Ring &ring);
  void checkWindows(const Job &job) const;
  void hang(Ring &ring, int error);
  void keepFault(const Caches::PageFault &fault);
  void recover(Ring &ring);
  void cancelOthers(const Ring &guilty, const Context *context,
                    bool losesMemory);
  void loseMemory();

  SecondLevel second;
  std::deque<Ring> rings;
  std::vector<std::weak_ptr<Buffer>> buffers;
  std::mt19937_64 random;
  bool isWorking = false;
};

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_GPU_H
