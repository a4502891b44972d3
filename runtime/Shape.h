// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the run-time sizes of a call make of a kernel's tensors.

#ifndef SPARKLE_RUNTIME_SHAPE_H
#define SPARKLE_RUNTIME_SHAPE_H

#include "runtime/Status.h"

namespace sparkle::runtime {

/// The extents of a tensor at some sizes; entries up to its rank count.
struct Extents {
  int64_t values[SPARKLE_MAX_RANK];
};

/// SPARKLE_WRONG_COUNT, SPARKLE_WRONG_SHAPE: whether the kernel takes sizes.
Status checkSizes(const sparkle_kernel_t &kernel, const int64_t *sizes,
                  uint32_t count);

/// Of sizes that passed. SPARKLE_WRONG_SHAPE if an extent is negative, or too
/// large.
Status getExtents(const sparkle_kernel_t &kernel,
                  const sparkle_tensor_t &tensor, const int64_t *sizes,
                  Extents &extents);

/// False if it does not fit in 64 bits.
bool evaluate(const sparkle_extent_t &extent, const int64_t *sizes,
              uint32_t sizeCount, int64_t &value);

/// The physical extent that a factor has.
int64_t getPhysicalExtent(const sparkle_factor_t &factor,
                          const Extents &extents);

/// The bytes of a tensor in a layout. SPARKLE_WRONG_SHAPE if they do not fit in
/// 64 bits.
Status getBytes(const sparkle_tensor_t &tensor, const sparkle_factor_t *layout,
                uint32_t count, const Extents &extents, uint64_t &bytes);

/// Of one element.
uint32_t getElementSize(uint32_t element);

/// "f32"; null if it is none of an element.
const char *getElementName(uint32_t element);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SHAPE_H
