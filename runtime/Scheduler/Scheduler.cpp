// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/Scheduler/Scheduler.h"
#include "runtime/Scheduler/Engine.h"

namespace sparkle::runtime {

Status Scheduler::create(Context &context,
                         const sparkle_scheduler_options_t &options,
                         Ref<Scheduler> &scheduler) {
  auto made = Ref<Scheduler>::adopt(new Scheduler);
  if (Status status = Engine::create(context, options, made->owned);
      !status.isOk())
    return status;
  scheduler = std::move(made);
  return {};
}

Scheduler::~Scheduler() {
  if (owned)
    owned->close();
}

} // namespace sparkle::runtime
