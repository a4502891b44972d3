// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Extents and layouts of descriptors -> places in memory.

#include "tools/sparkle-run/Execution/Tensor.h"
#include "tools/sparkle-run/Problem/Half.h"

#include <algorithm>
#include <cstring>

using namespace sparkle;

int64_t sparkle::evaluate(const sparkle_extent_t &extent,
                          const std::vector<int64_t> &sizes) {
  int64_t value = extent.constant;
  for (size_t i = 0; extent.coefficients && i < sizes.size(); ++i)
    value += extent.coefficients[i] * sizes[i];
  int64_t quotient = value / extent.divisor;
  return quotient - (value % extent.divisor < 0);
}

float sparkle::hash(uint32_t seed, uint32_t i) {
  uint32_t x = i + seed * 0x9e3779b9U;
  x = (x ^ (x >> 16)) * 0x7feb352dU;
  x = (x ^ (x >> 15)) * 0x846ca68bU;
  x ^= x >> 16;
  return float(x >> 8) * 0x1p-23F - 1;
}

Tensor::Tensor(const sparkle_tensor_t &tensor,
               const std::vector<int64_t> &sizes)
    : tensor(&tensor) {
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    shape.push_back(evaluate(tensor.extents[d], sizes));
    count *= std::max<int64_t>(shape[d], 0);
    offsets.emplace_back(std::max<int64_t>(shape[d], 0), 0);
  }
  for (uint32_t f = tensor.layout_count; f-- > 0;) { // The innermost first.
    const sparkle_factor_t &factor = tensor.layout[f];
    int64_t extent = std::max<int64_t>(shape[factor.dimension], 0);
    std::vector<int64_t> &places = offsets[factor.dimension];
    for (int64_t x = 0; x < extent; ++x) {
      int64_t coordinate = x / factor.divisor;
      places[x] += (factor.modulus ? coordinate % factor.modulus : coordinate) *
                   memoryCount;
    }
    memoryCount *= factor.modulus
                       ? factor.modulus
                       : (extent + factor.divisor - 1) / factor.divisor;
  }
}

bool Tensor::isValid() const {
  return std::all_of(shape.begin(), shape.end(),
                     [](int64_t extent) { return extent >= 0; });
}

double Tensor::load(const void *elements, int64_t offset) const {
  return isHalf() ? fromHalf(static_cast<const uint16_t *>(elements)[offset])
                  : static_cast<const float *>(elements)[offset];
}

void Tensor::store(void *elements, int64_t offset, float value) const {
  if (isHalf())
    static_cast<uint16_t *>(elements)[offset] = toHalf(value);
  else
    static_cast<float *>(elements)[offset] = value;
}

bool Tensor::isPoison(const void *elements, int64_t offset) const {
  const char *bytes = static_cast<const char *>(elements);
  return std::memcmp(bytes + offset * getElementSize(), &poison,
                     getElementSize()) == 0;
}

std::string Tensor::spell(int64_t i) const {
  std::string text;
  for (size_t d = shape.size(); d-- > 0; i /= shape[d])
    text = std::to_string(i % shape[d]) + (text.empty() ? "" : ", ") + text;
  return std::string(tensor->name) + "[" + text + "]";
}
