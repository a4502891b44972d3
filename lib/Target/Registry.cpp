// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expands the list of targets into a table.

#include "lib/Target/Registry.h"

namespace sparkle {

llvm::ArrayRef<const Target *> getTargets() {
  static const Target *const targets[] = {
#define SPARKLE_TARGET(folder, word, number) &get##folder##Target(),
#include "sparkle/targets.def"
#undef SPARKLE_TARGET
  };
  return targets;
}

const Target *findTarget(llvm::StringRef word) {
  for (const Target *target : getTargets())
    if (target->word == word)
      return target;
  return nullptr;
}

sparkle_target_t getNumber(const Target &target) {
#define SPARKLE_TARGET(folder, word, number)                                   \
  if (&target == &get##folder##Target())                                       \
    return SPARKLE_TARGET_##folder;
#include "sparkle/targets.def"
#undef SPARKLE_TARGET
  llvm_unreachable("targets.def lists every target");
}

} // namespace sparkle
