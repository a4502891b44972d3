// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The short way through the compiler: what a kernel computes, straight from its
// equations to plain loops. It shares nothing with the tiled way, so that the
// one can check the other.

#ifndef SPARKLE_LIB_REFERENCE_REFERENCE_H
#define SPARKLE_LIB_REFERENCE_REFERENCE_H

#include "dialect/SparkleDialect.h"

#include "mlir/IR/BuiltinOps.h"

namespace sparkle {

/// For every kernel of `algorithm` that asks for it adds to `module`
///   int NAME_reference(inputs, weights, {values, bounds} of outputs, sizes):
/// the outputs in double and, for each element, a bound on the error of any
/// computation in float: of the equations as they are, and as the kernels of
/// the same name in `rewritings` have them. docs/artifact.md derives the bound.
/// Fails on an op that has no meaning at the algorithm level.
mlir::LogicalResult buildReferences(mlir::ModuleOp algorithm,
                                    llvm::ArrayRef<mlir::ModuleOp> rewritings,
                                    mlir::ModuleOp module);

/// For every kernel of `algorithm` adds to `module` the function
///   int64_t NAME.operation_count(sizes):
/// the operations of its sums, without the terms that read outside of a
/// tensor.
void buildOperationCounts(mlir::ModuleOp algorithm, mlir::ModuleOp module);

/// Adds to `module`, if a rewriting left `kernel` with other sums than it had,
/// the function
///   int64_t NAME.operation_count(sizes):
/// the operations of those sums, counted alike. Sums with constants are left
/// out: they change a basis, and a leaf adds up what their zeros and ones
/// leave.
void buildRewrittenCount(KernelOp kernel, llvm::StringRef name,
                         mlir::ModuleOp module);

/// What the above build -> the LLVM dialect.
mlir::LogicalResult lowerReferences(mlir::ModuleOp module);

/// The dialects of the above.
void registerReferenceDialects(mlir::DialectRegistry &registry);

} // namespace sparkle

#endif // SPARKLE_LIB_REFERENCE_REFERENCE_H
