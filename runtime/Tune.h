// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which variant of a module is the fastest, by running them.

#ifndef SPARKLE_RUNTIME_TUNE_H
#define SPARKLE_RUNTIME_TUNE_H

#include "runtime/Module.h"

namespace sparkle::runtime {

/// Makes the fastest variant current. rounds: 0 is five.
Status tune(Module &module, const int64_t *sizes, uint32_t sizeCount,
            uint32_t rounds);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_TUNE_H
