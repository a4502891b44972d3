// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The environment of the stand-in: SPARKLE_STANDIN and the variables beside it.
// README.md says what each means.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_SETTINGS_H
#define SPARKLE_TEST_STANDIN_DRIVER_SETTINGS_H

#include "test/standin/Core/Core.h"

#include <atomic>
#include <vector>

namespace sparkle::standin {

struct Settings {
  /// One per render node, in the order of the nodes. Empty: no stand-in.
  std::vector<Generation> cards;
  uint64_t seed = 1;
  /// Wave-instructions that one submission may take.
  std::atomic<uint64_t> budget{1000000000};
  /// From a hang to the reset, in milliseconds.
  std::atomic<uint64_t> lockup{200};
  /// Whether to say how each dispatch meets the banks of workgroup memory.
  std::atomic<bool> countsConflicts{false};
};

/// Read once. A value that cannot be read ends the program with a message.
Settings &getSettings();

const char *getName(Generation generation);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_SETTINGS_H
