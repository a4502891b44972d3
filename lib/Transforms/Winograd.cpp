// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Polynomials through points: the coefficients of their products, and values of
// powers.

#include "lib/Transforms/Winograd.h"

#include <cassert>
#include <cmath>

using namespace sparkle;

/// The coefficients, from x^0 on, of the product of x - points[i] over all `i`
/// but `except`.
static std::vector<double> getProduct(const std::vector<double> &points,
                                      size_t except) {
  std::vector<double> product{1};
  for (size_t i = 0; i < points.size(); ++i) {
    if (i == except)
      continue;
    product.push_back(0);
    for (size_t power = product.size() - 1; power > 0; --power)
      product[power] = product[power - 1] - points[i] * product[power];
    product[0] *= -points[i];
  }
  return product;
}

WinogradMatrices sparkle::getWinogradMatrices(int64_t results, int64_t taps) {
  const double all[] = {0, 1, -1, 2, -2, 0.5, -0.5};
  WinogradMatrices matrices;
  size_t size = results + taps - 1;
  matrices.size = size;
  assert(size >= 2 && size <= 8 && "there are seven points and infinity");
  std::vector<double> points(all, all + (size - 1));

  for (int64_t a = 0; a < results; ++a) {
    for (double point : points)
      matrices.output.push_back(std::pow(point, a));
    matrices.output.push_back(a + 1 == results ? 1 : 0);
  }
  for (size_t i = 0; i < points.size(); ++i) {
    double scale = 1;
    for (size_t j = 0; j < points.size(); ++j)
      scale *= i == j ? 1 : points[i] - points[j];
    // The sign goes where most elements become positive.
    double sign = scale < 0 ? -1 : 1;
    for (int64_t r = 0; r < taps; ++r)
      matrices.weight.push_back(std::pow(points[i], r) / (scale * sign));
    std::vector<double> row = getProduct(points, i);
    row.resize(size, 0);
    for (double element : row)
      matrices.input.push_back(element == 0 ? 0 : element * sign);
  }
  for (int64_t r = 0; r < taps; ++r)
    matrices.weight.push_back(r + 1 == taps ? 1 : 0);
  for (double element : getProduct(points, points.size()))
    matrices.input.push_back(element == 0 ? 0 : element);
  return matrices;
}

WinogradMatrices sparkle::moveScales(WinogradMatrices matrices) {
  int64_t size = matrices.size, taps = matrices.weight.size() / size;
  for (int64_t i = 0; i + 1 < size; ++i) { // The last is 1 of infinity.
    double scale = matrices.weight[i * taps];
    for (int64_t r = 0; r < taps; ++r)
      matrices.weight[i * taps + r] /= scale;
    for (size_t a = i; a < matrices.output.size(); a += size)
      matrices.output[a] *= scale;
  }
  return matrices;
}
