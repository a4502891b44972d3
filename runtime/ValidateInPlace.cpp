// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which outputs may be written over an input: only what lies alike in memory.

#include "runtime/Validate.h"

namespace sparkle::runtime {

static bool isSame(const sparkle_extent_t &left, const sparkle_extent_t &right,
                   uint32_t sizeCount) {
  auto get = [](const sparkle_extent_t &extent, uint32_t size) {
    return extent.coefficients ? extent.coefficients[size] : 0;
  };
  for (uint32_t size = 0; size < sizeCount; ++size)
    if (get(left, size) != get(right, size))
      return false;
  return left.constant == right.constant && left.divisor == right.divisor;
}

/// Whether they lie alike in memory.
static bool isSame(const sparkle_tensor_t &left, const sparkle_tensor_t &right,
                   uint32_t sizeCount) {
  if (left.element != right.element || left.rank != right.rank ||
      left.layout_count != right.layout_count)
    return false;
  for (uint32_t i = 0; i < left.rank; ++i)
    if (!isSame(left.extents[i], right.extents[i], sizeCount))
      return false;
  for (uint32_t i = 0; i < left.layout_count; ++i) {
    const sparkle_factor_t &a = left.layout[i], &b = right.layout[i];
    if (a.dimension != b.dimension || a.divisor != b.divisor ||
        a.modulus != b.modulus)
      return false;
  }
  return true;
}

Status validateInPlace(const sparkle_kernel_t &kernel) {
  for (uint32_t i = 0; i < kernel.tensor_count; ++i) {
    const sparkle_tensor_t &tensor = kernel.tensors[i];
    uint32_t number = tensor.in_place;
    if (tensor.reserved == 0 &&
        (number == 0 ||
         (tensor.role == SPARKLE_ROLE_INPUT && number <= kernel.tensor_count &&
          kernel.tensors[number - 1].role == SPARKLE_ROLE_OUTPUT &&
          isSame(tensor, kernel.tensors[number - 1], kernel.size_count))))
      continue;
    return Status::invalidArtifact(
        "tensor '%s': expected 0 in place, or of an input 1 + the number of an "
        "output like it, but got %u",
        tensor.name, number);
  }
  return {};
}

} // namespace sparkle::runtime
