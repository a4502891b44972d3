// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers about one code that depend on the run-time sizes, as functions of
// them: its workspace, and the bytes that its tiles move.

#ifndef SPARKLE_LIB_COMPILER_TRAFFIC_H
#define SPARKLE_LIB_COMPILER_TRAFFIC_H

#include "dialect/SparkleDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace sparkle {

/// Adds to `functions`, if the tiled `kernel` has temps,
///   int64_t NAME.workspace_size(sizes):
/// the bytes of all of them, each beginning at a multiple of
/// SPARKLE_WORKSPACE_ALIGNMENT.
void buildWorkspaceSize(KernelOp kernel, llvm::StringRef name,
                        mlir::ModuleOp functions);

/// Adds to `functions`, for the tiled `kernel`,
///   int64_t NAME.far_bytes(sizes) and NAME.near_bytes(sizes),
/// as sparkle/kernel.h says.
void buildTraffic(KernelOp kernel, llvm::StringRef name,
                  mlir::ModuleOp functions);

} // namespace sparkle

#endif // SPARKLE_LIB_COMPILER_TRAFFIC_H
