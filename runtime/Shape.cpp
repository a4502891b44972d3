// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of sparkle_extent_t and sparkle_factor_t, with overflow
// looked for in every step.

#include "runtime/Shape.h"

#include <cinttypes>

namespace sparkle::runtime {

Status checkSizes(const sparkle_kernel_t &kernel, const int64_t *sizes,
                  uint32_t count) {
  if (count != kernel.size_count)
    return Status::failure(SPARKLE_WRONG_COUNT,
                           "expected %u sizes of kernel '%s', but got %u",
                           kernel.size_count, kernel.name, count);
  if (count && !sizes)
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "expected sizes, but got a null pointer");
  for (uint32_t i = 0; i < count; ++i)
    if (sizes[i] < 0)
      return Status::failure(
          SPARKLE_WRONG_SHAPE,
          "expected size '%s' of 0 or more, but got %" PRId64,
          kernel.size_names[i], sizes[i]);
  Extents extents;
  for (uint32_t i = 0; i < kernel.tensor_count; ++i)
    if (Status status = getExtents(kernel, kernel.tensors[i], sizes, extents);
        !status.isOk())
      return status;
  return {};
}

bool evaluate(const sparkle_extent_t &extent, const int64_t *sizes,
              uint32_t sizeCount, int64_t &value) {
  value = extent.constant;
  for (uint32_t i = 0; extent.coefficients && i < sizeCount; ++i) {
    int64_t term;
    if (__builtin_mul_overflow(extent.coefficients[i], sizes[i], &term) ||
        __builtin_add_overflow(value, term, &value))
      return false;
  }
  // Rounded down, also below 0.
  bool isInexact = value % extent.divisor < 0;
  value = value / extent.divisor - isInexact;
  return true;
}

Status getExtents(const sparkle_kernel_t &kernel,
                  const sparkle_tensor_t &tensor, const int64_t *sizes,
                  Extents &extents) {
  for (uint32_t i = 0; i < tensor.rank; ++i) {
    if (!evaluate(tensor.extents[i], sizes, kernel.size_count,
                  extents.values[i]))
      return Status::failure(
          SPARKLE_WRONG_SHAPE,
          "expected extent %u of tensor '%s' to fit in 64 bits", i,
          tensor.name);
    if (extents.values[i] < 0)
      return Status::failure(
          SPARKLE_WRONG_SHAPE,
          "expected extent %u of tensor '%s' of 0 or more, but got %" PRId64, i,
          tensor.name, extents.values[i]);
  }
  return {};
}

int64_t getPhysicalExtent(const sparkle_factor_t &factor,
                          const Extents &extents) {
  int64_t extent = extents.values[factor.dimension];
  if (factor.modulus)
    return factor.modulus;
  return extent / factor.divisor + (extent % factor.divisor != 0);
}

Status getBytes(const sparkle_tensor_t &tensor, const sparkle_factor_t *layout,
                uint32_t count, const Extents &extents, uint64_t &bytes) {
  // An extent of 0 makes it 0, however large the others are.
  int64_t product = getElementSize(tensor.element);
  bool fits = true;
  for (uint32_t i = 0; i < count; ++i) {
    int64_t extent = getPhysicalExtent(layout[i], extents);
    if (extent == 0) {
      bytes = 0;
      return {};
    }
    fits &= !__builtin_mul_overflow(product, extent, &product);
  }
  if (!fits)
    return Status::failure(SPARKLE_WRONG_SHAPE,
                           "expected the bytes of tensor '%s' to fit in 64 "
                           "bits",
                           tensor.name);
  bytes = static_cast<uint64_t>(product);
  return {};
}

uint32_t getElementSize(uint32_t element) {
  return element == SPARKLE_ELEMENT_F16 ? 2 : 4;
}

const char *getElementName(uint32_t element) {
  switch (element) {
  case SPARKLE_ELEMENT_F32:
    return "f32";
  case SPARKLE_ELEMENT_F16:
    return "f16";
  }
  return nullptr;
}

} // namespace sparkle::runtime
