// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The MODE register of a wave and the processor's own.

#ifndef SPARKLE_TEST_STANDIN_CORE_FLOW_H
#define SPARKLE_TEST_STANDIN_CORE_FLOW_H

#include <cstdint>

namespace sparkle::standin {

struct Wave;

/// MODE at the start of a program: FLOAT_MODE, DX10_CLAMP and IEEE of rsrc1.
void resetMode(Wave &wave, uint32_t rsrc1);
/// Makes the processor round as the wave does, until `leaveMode`.
void enterMode(Wave &wave);
void leaveMode();

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_FLOW_H
