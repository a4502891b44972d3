// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Faults on demand: which call fails next, how often and with what.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_FAULT_H
#define SPARKLE_TEST_STANDIN_DRIVER_FAULT_H

#include <string>

namespace sparkle::standin {

/// Replaces what is planned. `POINT:ERRNO`, `rings:N`, `hang`, `soft-hang` or
/// `vram-lost`, each with `@SKIP` and `*COUNT` behind it, several by commas.
/// Empty if it was taken, else what is wrong with it.
std::string setFaults(const std::string &text);

/// The error of this call of `point`, negative; 0 if none is planned.
int takeFault(const std::string &point);

/// The mask of compute rings that the card admits to have.
unsigned getRings(unsigned real);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_FAULT_H
