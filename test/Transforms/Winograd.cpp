// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrices against the sum that they stand for.

#include "lib/Transforms/Winograd.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace sparkle;

namespace {

/// Numbers between -1 and 1, the same in every run.
double getNumber(unsigned index) {
  return std::fmod(std::sin(index * 12.9898 + 1) * 43758.5453, 1);
}

std::vector<double> multiply(const std::vector<double> &matrix,
                             const std::vector<double> &vector) {
  std::vector<double> result(matrix.size() / vector.size(), 0);
  for (size_t i = 0; i < matrix.size(); ++i)
    result[i / vector.size()] += matrix[i] * vector[i % vector.size()];
  return result;
}

void expectSum(const WinogradMatrices &matrices, int64_t results,
               int64_t taps) {
  ASSERT_EQ(matrices.size, results + taps - 1);
  std::vector<double> x, w;
  for (int64_t i = 0; i < matrices.size; ++i)
    x.push_back(getNumber(i));
  for (int64_t i = 0; i < taps; ++i)
    w.push_back(getNumber(100 + i));
  std::vector<double> products = multiply(matrices.weight, w);
  std::vector<double> inputs = multiply(matrices.input, x);
  for (size_t i = 0; i < products.size(); ++i)
    products[i] *= inputs[i];
  std::vector<double> y = multiply(matrices.output, products);
  for (int64_t a = 0; a < results; ++a) {
    double sum = 0;
    for (int64_t r = 0; r < taps; ++r)
      sum += x[a + r] * w[r];
    EXPECT_NEAR(y[a], sum, 1e-13)
        << results << " results of " << taps << " taps, number " << a;
  }
}

TEST(Winograd, sums) {
  for (int64_t results : {2, 4})
    for (int64_t taps : {3, 5}) {
      WinogradMatrices matrices = getWinogradMatrices(results, taps);
      expectSum(matrices, results, taps);
      expectSum(moveScales(matrices), results, taps);
    }
}

/// F(2, 3) as it is printed everywhere.
TEST(Winograd, small) {
  WinogradMatrices matrices = getWinogradMatrices(2, 3);
  EXPECT_EQ(matrices.input, (std::vector<double>{1, 0, -1, 0, 0, 1, 1, 0, 0, -1,
                                                 1, 0, 0, -1, 0, 1}));
  EXPECT_EQ(matrices.weight, (std::vector<double>{1, 0, 0, 0.5, 0.5, 0.5, 0.5,
                                                  -0.5, 0.5, 0, 0, 1}));
  EXPECT_EQ(matrices.output, (std::vector<double>{1, 1, 1, 0, 0, 1, -1, 1}));
}

/// What multiplies values while the kernel runs is exact in float.
TEST(Winograd, exact) {
  for (int64_t results : {2, 4})
    for (int64_t taps : {3, 5}) {
      WinogradMatrices matrices = getWinogradMatrices(results, taps);
      for (double element : matrices.input)
        EXPECT_EQ(element, static_cast<float>(element));
      for (double element : matrices.output)
        EXPECT_EQ(element, static_cast<float>(element));
      for (double element : moveScales(matrices).weight)
        EXPECT_EQ(element, static_cast<float>(element));
    }
}

} // namespace
