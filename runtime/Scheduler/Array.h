// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Data of the scheduler's: sparkle_array_t. The host's copy is the truth.

#ifndef SPARKLE_RUNTIME_SCHEDULER_ARRAY_H
#define SPARKLE_RUNTIME_SCHEDULER_ARRAY_H

#include "runtime/Scheduler/Scheduler.h"

#include <vector>

namespace sparkle::runtime {

class Run;

class Array final : public Counted {
public:
  static Status create(Scheduler &scheduler, uint64_t size, Ref<Array> &array);
  ~Array() override;

  Status map(sparkle_access_t access, uint64_t timeout, void *&pointer);

  Engine &engine() const { return owner->engine(); }
  const Ref<Buffer> &host() const { return bytes; }
  uint64_t size() const { return bytes->size(); }

  /// What a device keeps of it. The version and the generation are read and
  /// written under the engine's mutex, the rest by the device's lane only.
  struct Copy {
    uint64_t version = 0;    // of the array, when it was brought here
    uint64_t generation = 0; // of the lane: what an older one made is gone
    Ref<Buffer> device;
    Ref<Buffer> upload, readback; // null where the host sees `device`
  };

  // Under the engine's mutex.
  uint64_t version = 1;
  uint32_t reads = 0;         // submitted since it was last written
  Run *writer = nullptr;      // the last one submitted that is not done
  std::vector<Run *> readers; // submitted after it
  Status failure;             // why the last writer left nothing
  std::vector<Copy> copies;   // one for each device

  bool isIdle() const { return !writer && readers.empty(); }

private:
  Array(Scheduler &scheduler, Ref<Buffer> bytes);

  const Ref<Scheduler> owner;
  const Ref<Buffer> bytes;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_ARRAY_H
