// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shared pipeline as one list.

#ifndef SPARKLE_LIB_TRANSFORMS_PIPELINE_H
#define SPARKLE_LIB_TRANSFORMS_PIPELINE_H

#include "mlir/Pass/PassManager.h"

namespace sparkle {

/// Algorithm level -> the same with every size of the pattern chosen. The
/// Algorithm level: equations as the patterns want them rewritten.
void buildAlgorithmPipeline(mlir::OpPassManager &manager);

/// module carries `sparkle.target`.
void buildPatternPipeline(mlir::OpPassManager &manager);

/// Algorithm level with resolved patterns -> tiled level.
void buildTiledPipeline(mlir::OpPassManager &manager);

/// Makes the passes and the pipelines above available by name.
void registerTransforms();

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_PIPELINE_H
