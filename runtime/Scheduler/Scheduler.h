// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sparkle_scheduler_t: what the program holds of an engine. Arrays and tasks
// hold it too, and work in flight these, so its end is that of all work.

#ifndef SPARKLE_RUNTIME_SCHEDULER_SCHEDULER_H
#define SPARKLE_RUNTIME_SCHEDULER_SCHEDULER_H

#include "runtime/Context.h"
#include "sparkle/scheduler.h"

namespace sparkle::runtime {

class Engine;

class Scheduler final : public Counted {
public:
  static Status create(Context &context,
                       const sparkle_scheduler_options_t &options,
                       Ref<Scheduler> &scheduler);
  ~Scheduler() override;

  Engine &engine() const { return *owned; }

private:
  Scheduler() = default;

  Ref<Engine> owned;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_SCHEDULER_H
