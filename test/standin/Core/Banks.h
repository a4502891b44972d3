// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The banks of LDS: how many passes a load or a store takes, by its addresses.

#ifndef SPARKLE_TEST_STANDIN_CORE_BANKS_H
#define SPARKLE_TEST_STANDIN_CORE_BANKS_H

#include "test/standin/Core/Wave.h"

namespace sparkle::standin {

/// The addresses of 32 lanes; those of lanes that are off are that of one
/// that is on, so that loops need not ask.
struct Addresses {
  uint32_t of[kLanes];
};

enum class Access { Load, Store };

/// Adds the instruction that runs, for one element of a lane, to `wave.banks`.
void countPasses(Wave &wave, const Addresses &addresses, unsigned dwords,
                 Access access);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_BANKS_H
