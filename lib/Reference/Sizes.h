// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on a kernel's run-time sizes, shared by the functions of this
// room.

#ifndef SPARKLE_LIB_REFERENCE_SIZES_H
#define SPARKLE_LIB_REFERENCE_SIZES_H

#include "dialect/SparkleDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace sparkle {

/// The value of `expr` at index values.
mlir::Value expand(mlir::ImplicitLocOpBuilder &b, mlir::AffineExpr expr,
                   mlir::ValueRange dims, mlir::ValueRange symbols);

/// The extent of a result of a layout, as a function of the logical extents.
mlir::AffineExpr getPhysicalExtent(mlir::AffineExpr factor);

/// True if every size is 0 or more, no extent is negative, no tensor has more
/// bytes than a buffer may have, and nothing that is computed from the sizes
/// overflows 64 bits.
mlir::Value areSizesValid(mlir::ImplicitLocOpBuilder &b, KernelOp kernel,
                          mlir::ValueRange sizes);

/// Adds `int64_t name(sizes)`, which returns the index that `count` builds from
/// the sizes, or -1 if one is invalid.
void buildCount(mlir::ImplicitLocOpBuilder &b, KernelOp kernel,
                llvm::StringRef name,
                llvm::function_ref<mlir::Value(mlir::ValueRange sizes)> count);

/// Calls a function of the C library.
mlir::Value callLibrary(mlir::ImplicitLocOpBuilder &b, llvm::StringRef function,
                        mlir::Type result, mlir::Value argument);

} // namespace sparkle

#endif // SPARKLE_LIB_REFERENCE_SIZES_H
