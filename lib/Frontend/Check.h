// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// AST -> program: resolves names and sizes, infers ranges, chooses patterns.
// What comes out is right; EmitDialect cannot fail on it.

#ifndef SPARKLE_FRONTEND_CHECK_H
#define SPARKLE_FRONTEND_CHECK_H

#include "llvm/ADT/StringMap.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sparkle {

struct FrontendOptions {
  /// Sizes set from outside, by `NAME` or `KERNEL.NAME`; nullopt makes one
  /// known only at run time.
  llvm::StringMap<std::optional<int64_t>> defines;
  /// The target that `pattern ... on TARGET` is chosen for.
  std::string target = "cpu";
  /// The words of all targets; a pattern for any other word is an error. All
  /// words are allowed if empty.
  std::vector<std::string> targets;
};

} // namespace sparkle

#endif // SPARKLE_FRONTEND_CHECK_H
