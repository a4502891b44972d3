// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the slice of an array that a part of a run takes lies, in the array and
// in a buffer of its own.

#ifndef SPARKLE_RUNTIME_SCHEDULER_SLAB_H
#define SPARKLE_RUNTIME_SCHEDULER_SLAB_H

#include "runtime/Bands.h"

namespace sparkle::runtime {

/// `runs` pieces of `size` bytes: the first at `offset` and the next ones
/// `stride` further each in the array; at `partOffset` and `partStride` in the
/// part's buffer, which has `partBytes`.
struct Slab {
  uint64_t runs = 0, size = 0;
  uint64_t offset = 0, stride = 0;
  uint64_t partOffset = 0, partStride = 0, partBytes = 0;

  /// Whether the part's buffer can be bytes of the array itself.
  bool isContiguous() const { return runs == 1 && size == partBytes; }
};

/// Of the output, which the part's buffer is as long as.
Slab makeSlab(const sparkle_kernel_t &kernel, const Bands &bands,
              const Band &band, const int64_t *sizes);

/// Of slice `index` of a split. part: by makePart; sizes: of the whole run.
Slab makeSlab(const sparkle_kernel_t &kernel, const sparkle_split_t &split,
              uint32_t index, const Part &part, const int64_t *sizes);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_SLAB_H
