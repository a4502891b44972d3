// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the files of this leaf share: its parts as functions, which Pipeline.cpp
// puts into the `Target`.

#ifndef SPARKLE_LIB_TARGET_VULKAN_VULKAN_H
#define SPARKLE_LIB_TARGET_VULKAN_VULKAN_H

#include "lib/Target/Target.h"

namespace sparkle::vulkan {

/// On each spirv.module: SPARKLE_GPU_* bits.
constexpr llvm::StringLiteral kFeatures = "sparkle.features";

// Describe.cpp
llvm::ArrayRef<llvm::StringLiteral> getProcessors();
mlir::FailureOr<TargetDescription> describe(mlir::MLIRContext *context,
                                            const TargetOptions &options);

// LowerTiled.cpp
std::unique_ptr<mlir::Pass> createLowerTiled();

// Emit.cpp
mlir::FailureOr<std::vector<Image>> emitImages(mlir::ModuleOp module,
                                               const TargetOptions &options);
mlir::LogicalResult disassemble(llvm::ArrayRef<char> image,
                                llvm::raw_ostream &out, mlir::Location loc);

} // namespace sparkle::vulkan

#endif // SPARKLE_LIB_TARGET_VULKAN_VULKAN_H
