// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements of 16 bits in the reference: what their bits are worth, and what a
// store of one may lose.

#ifndef SPARKLE_LIB_REFERENCE_HALF_H
#define SPARKLE_LIB_REFERENCE_HALF_H

#include "lib/Reference/ErrorBound.h"

namespace sparkle {

/// The value, in double, of the f16 whose bits are the i16 `bits`. By integer
/// arithmetic: the reference runs on processors that know no f16.
mlir::Value expandHalf(mlir::ImplicitLocOpBuilder &b, mlir::Value bits);

/// `x`, which an f32 computation has within its interval, as an f16 of it is.
/// The value is not rounded: the rounding is in the interval, unless the result
/// is infinite for sure.
Bounded storeHalf(mlir::ImplicitLocOpBuilder &b, Bounded x);

} // namespace sparkle

#endif // SPARKLE_LIB_REFERENCE_HALF_H
