// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptors are checked here and nowhere else: what passes is trusted.

#ifndef SPARKLE_RUNTIME_VALIDATE_H
#define SPARKLE_RUNTIME_VALIDATE_H

#include "runtime/Status.h"

namespace sparkle::runtime {

/// Checks every field of `kernel` and all that it points to.
Status validate(const sparkle_kernel_t &kernel);

// Parts of it, for a kernel whose tensors are right.
/// What may be written over an input is an output like it.
Status validateInPlace(const sparkle_kernel_t &kernel);
Status validateSplits(const sparkle_kernel_t &kernel);

/// A list and its length go together.
Status checkList(const char *what, const void *list, uint64_t count,
                 uint64_t most);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_VALIDATE_H
