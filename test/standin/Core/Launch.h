// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a dispatch's registers mean: what of them cannot be, and what a wave
// finds in its registers at the start.

#ifndef SPARKLE_TEST_STANDIN_CORE_LAUNCH_H
#define SPARKLE_TEST_STANDIN_CORE_LAUNCH_H

#include "test/standin/Core/Wave.h"

#include <string>

namespace sparkle::standin {

/// Why the dispatch cannot be started; empty if it can.
std::string checkDispatch(Generation generation, const Dispatch &dispatch);

unsigned countVectors(const Dispatch &dispatch);
unsigned countWaves(const Dispatch &dispatch);

/// Local memory of the size that rsrc2 says, never written.
void prepareGroup(const Dispatch &dispatch, Workgroup &group);
/// A wave at its first instruction.
void prepareWave(Generation generation, const Dispatch &dispatch,
                 Workgroup &group, unsigned number, Wave &wave);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_LAUNCH_H
