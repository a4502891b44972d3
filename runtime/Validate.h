// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptors are checked here and nowhere else: what passes is trusted.

#ifndef SPARKLE_RUNTIME_VALIDATE_H
#define SPARKLE_RUNTIME_VALIDATE_H

#include "runtime/Status.h"

namespace sparkle::runtime {

/// Checks every field of `kernel` and all that it points to.
Status validate(const sparkle_kernel_t &kernel);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_VALIDATE_H
