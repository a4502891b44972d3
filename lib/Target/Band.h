// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether some workers of a kernel can run without the others, and what of the
// output each computes: `cuts` of sparkle/kernel.h.

#ifndef SPARKLE_LIB_TARGET_BAND_H
#define SPARKLE_LIB_TARGET_BAND_H

#include "dialect/SparkleDialect.h"

namespace sparkle {

/// Of a tiled kernel: the coordinates of the output that one worker computes,
/// along each index. Empty if workers only run all together.
llvm::ArrayRef<int64_t> findTile(KernelOp kernel);

} // namespace sparkle

#endif // SPARKLE_LIB_TARGET_BAND_H
