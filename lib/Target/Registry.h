// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All targets, read from include/sparkle/targets.def. Adding a target does not
// touch this room's files: the linker asks for the missing get<Folder>Target().

#ifndef SPARKLE_LIB_TARGET_REGISTRY_H
#define SPARKLE_LIB_TARGET_REGISTRY_H

#include "lib/Target/Target.h"
#include "sparkle/kernel.h"

namespace sparkle {

// Each leaf defines its own.
#define SPARKLE_TARGET(folder, word, number)                                   \
  const Target &get##folder##Target();
#include "sparkle/targets.def"
#undef SPARKLE_TARGET

/// The targets in the order of their numbers.
llvm::ArrayRef<const Target *> getTargets();

/// The target of that word, or null.
const Target *findTarget(llvm::StringRef word);

/// What stands for a target in a descriptor.
sparkle_target_t getNumber(const Target &target);

} // namespace sparkle

#endif // SPARKLE_LIB_TARGET_REGISTRY_H
