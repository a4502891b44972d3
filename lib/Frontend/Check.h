// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// AST -> program: resolves names and sizes, infers ranges, chooses patterns.
// What comes out is right: EmitDialect cannot fail on it.

#ifndef SPARKLE_FRONTEND_CHECK_H
#define SPARKLE_FRONTEND_CHECK_H

#include "lib/Frontend/Affine.h"
#include "lib/Frontend/Ast.h"
#include "lib/Frontend/Report.h"
#include "llvm/ADT/StringMap.h"
#include <array>
#include <optional>
#include <string>

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

/// One physical dimension: coordinate / divisor % modulus along `dimension`.
struct LayoutFactor {
  unsigned dimension;
  int64_t divisor = 1;
  int64_t modulus = 0; // 0: no remainder is taken
};

struct CheckedTensor {
  llvm::StringRef role;
  llvm::StringRef name;
  bool isHalf = false;         // elements are f16, not f32
  std::vector<Affine> extents; // over the run-time sizes
  std::vector<LayoutFactor> layout;
  llvm::StringRef definedAt; // its equation; empty for inputs and weights
  bool isBroken = false;     // its declaration is wrong
};

/// One node of the value of an equation.
struct Element {
  enum Kind {
    Constant,
    Read,
    Sum,
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,
    Maximum,
    Minimum,
    Compare,
    Select,
    Activate
  };

  Kind kind;
  llvm::StringRef text;              // where; the function, or the comparison
  float value = 0;                   // of a Constant
  unsigned tensor = 0;               // of a Read
  std::vector<Subscript> subscripts; // of a Read, over the equation's indices
  std::vector<std::unique_ptr<Element>> operands;
};

struct CheckedIndex {
  llvm::StringRef name;
  Affine extent; // over the run-time sizes
};

/// One line of a pattern over all indices of an equation, or over tensors.
struct CheckedLine {
  llvm::StringRef keyword;    // where
  std::vector<int64_t> sizes; // 0: auto, -1: all; positions for `order`
  std::vector<llvm::StringRef> tensors; // of stage, prefetch and overlap;
                                        // or the indices of merge
  std::vector<llvm::StringRef> fused;   // of stage: temps computed there
  std::string transform;                // "none", or as the pattern has it
};

/// The lines that are not auto, by kind.
using CheckedPattern =
    std::array<std::optional<CheckedLine>, PatternLine::numKinds>;

struct CheckedEquation {
  llvm::StringRef target; // where
  unsigned tensor;
  std::vector<CheckedIndex> indices; // of the left side, then of the sum
  unsigned reductions = 0;           // indices of the sum
  std::unique_ptr<Element> value;
  std::optional<CheckedPattern> pattern;
};

struct CheckedKernel {
  llvm::StringRef name;
  std::vector<llvm::StringRef> sizes; // known only at run time
  std::vector<CheckedTensor> tensors;
  std::vector<CheckedEquation> equations;
  bool withReference = false;
  bool isBroken = false; // an error is reported for it
};

/// The kernels of `ast`, each equation with the pattern that applies to it.
/// They are right unless something is reported.
std::vector<CheckedKernel> check(const Ast &ast, const FrontendOptions &options,
                                 Report &report);

} // namespace sparkle

#endif // SPARKLE_FRONTEND_CHECK_H
