// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which outputs may be written over an input: `in_place` of sparkle/kernel.h.

#ifndef SPARKLE_LIB_TARGET_INPLACE_H
#define SPARKLE_LIB_TARGET_INPLACE_H

#include "dialect/SparkleDialect.h"

namespace sparkle {

/// Of a tiled kernel: the output that may lie in the buffer of `input`, because
/// each element is read for nothing but what is written in its place. Null if
/// there is none.
TensorOp findInPlace(TensorOp input);

} // namespace sparkle

#endif // SPARKLE_LIB_TARGET_INPLACE_H
