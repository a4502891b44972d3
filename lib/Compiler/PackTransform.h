// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions that pack weights which a kernel takes in another basis.

#ifndef SPARKLE_LIB_COMPILER_PACKTRANSFORM_H
#define SPARKLE_LIB_COMPILER_PACKTRANSFORM_H

#include "dialect/SparkleDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace sparkle {

/// Adds to `functions`, for each weight W that the tiled `kernel` transforms,
///   int PREFIXW(const float *source, float *packed):
/// the weight in the declared layout to its transform in the packed one, each
/// element computed in double and rounded once. Returns 1 if a pointer is null,
/// else 0.
void buildTransformedPacks(KernelOp kernel, llvm::StringRef prefix,
                           mlir::ModuleOp functions);

} // namespace sparkle

#endif // SPARKLE_LIB_COMPILER_PACKTRANSFORM_H
