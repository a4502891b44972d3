// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrices of Winograd's convolution F(m, t): m results of a sum of t taps
// by m + t - 1 products.

#ifndef SPARKLE_LIB_TRANSFORMS_WINOGRAD_H
#define SPARKLE_LIB_TRANSFORMS_WINOGRAD_H

#include <cstdint>
#include <vector>

namespace sparkle {

/// y = output * ((weight * w) . (input * x)) is y[a] = sum(r: x[a + r] * w[r]),
/// where `.` multiplies element by element. Rows of doubles, which f32 holds
/// exactly but for those of `weight`.
struct WinogradMatrices {
  /// Products: results + taps - 1.
  int64_t size;
  std::vector<double> output; // results x size
  std::vector<double> weight; // size x taps
  std::vector<double> input;  // size x size
};

/// By interpolation at 0, 1, -1, 2, -2, 1/2, -1/2 and infinity, the first of
/// them: Toom and Cook, transposed (S. Winograd, Arithmetic Complexity of
/// Computations, 1980; A. Lavin, S. Gray, CVPR 2016). At most 8 products.
WinogradMatrices getWinogradMatrices(int64_t results, int64_t taps);

/// The same sum with factors of the rows of `weight` in the columns of
/// `output`: f32 holds exactly what is left, and not those.
WinogradMatrices moveScales(WinogradMatrices matrices);

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_WINOGRAD_H
