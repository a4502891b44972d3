// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One submission of a task, from the call until its outcome is forgotten.

#ifndef SPARKLE_RUNTIME_SCHEDULER_RUN_H
#define SPARKLE_RUNTIME_SCHEDULER_RUN_H

#include "runtime/Scheduler/Array.h"
#include "runtime/Scheduler/Dispatcher.h"
#include "runtime/Scheduler/Task.h"

namespace sparkle::runtime {

/// Everything in it is under the engine's mutex, but what is constant from the
/// call on: the kernel, the task and the arrays, while it is not done.
class Run final : public Counted, public Request {
public:
  Run(Ref<Task> task, std::vector<Ref<Array>> arrays);

  double getUpload(uint32_t device) const override;
  double getReused() const override;
  bool isRead(uint32_t argument) const {
    return arrays[argument] &&
           owner->arguments()[argument]->role == SPARKLE_ROLE_INPUT;
  }
  bool isWritten(uint32_t argument) const {
    return owner->arguments()[argument]->role == SPARKLE_ROLE_OUTPUT;
  }

  const sparkle_kernel_t &kernel;
  Ref<Task> owner;                // let go when it has ended, as are the arrays
  std::vector<Ref<Array>> arrays; // one for each argument; null: a weight
  uint64_t ticket = 0;
  uint32_t waitsFor = 0; // runs
  std::vector<Run *> successors;
  std::vector<sparkle_part_t> parts; // in the order in which they began
  bool isEnded = false;
  uint64_t endedAt = 0;
  Status status;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_RUN_H
