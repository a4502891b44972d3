// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shared passes: algorithm level -> tiled level.

#ifndef SPARKLE_LIB_TRANSFORMS_PASSES_H
#define SPARKLE_LIB_TRANSFORMS_PASSES_H

#include "dialect/SparkleDialect.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace sparkle {

/// The module's attribute that holds the target's numbers.
inline constexpr llvm::StringLiteral kTargetAttr = "sparkle.target";

/// The pattern of an equation on its `sparkle.workers`, for sparkle-stage.
inline constexpr llvm::StringLiteral kPatternAttr = "sparkle.pattern";

#define GEN_PASS_DECL
#include "lib/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Passes.h.inc"

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_PASSES_H
