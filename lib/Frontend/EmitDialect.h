// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checked kernels -> algorithm-level sparkle ops.

#ifndef SPARKLE_FRONTEND_EMITDIALECT_H
#define SPARKLE_FRONTEND_EMITDIALECT_H

#include "lib/Frontend/Check.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace sparkle {

/// Adds an op for each of `kernels` to `module`. `getLoc` says where in the
/// text a slice of it stands.
void emitKernels(llvm::ArrayRef<CheckedKernel> kernels, mlir::ModuleOp module,
                 llvm::function_ref<mlir::Location(llvm::StringRef)> getLoc);

} // namespace sparkle

#endif // SPARKLE_FRONTEND_EMITDIALECT_H
