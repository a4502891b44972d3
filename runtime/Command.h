// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Commands are checked here and nowhere else: what passes, a device trusts.

#ifndef SPARKLE_RUNTIME_COMMAND_H
#define SPARKLE_RUNTIME_COMMAND_H

#include "runtime/Device/Device.h"

namespace sparkle::runtime {

/// Checks commands for a device, and makes them its recording.
Status record(Device &device, const sparkle_command_t *commands, uint32_t count,
              Ref<Recording> &recording);

/// Checks a submission, records its commands if it has any, and submits it.
/// value: what the queue's timeline reaches.
Status submit(Queue &queue, const sparkle_submission_t &submission,
              uint64_t &value);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_COMMAND_H
