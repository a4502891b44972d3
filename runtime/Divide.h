// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which run of a kernel computes some units of a larger one, and what of whose
// tensors it takes. sparkle/kernel.h states why that is right.

#ifndef SPARKLE_RUNTIME_DIVIDE_H
#define SPARKLE_RUNTIME_DIVIDE_H

#include "runtime/Status.h"

#include <vector>

namespace sparkle::runtime {

/// What a part has of one sliced tensor, along the slice's dimension.
struct PartSlice {
  uint32_t tensor;
  uint32_t dimension;
  int64_t first;  // coordinate in the whole tensor of the part's first
  int64_t length; // the extent of the part's tensor
  /// Of an output, those of the part's coordinates that are right, counted from
  /// its first; of other tensors all.
  int64_t begin, count;
};

struct Part {
  std::vector<int64_t> sizes;
  std::vector<PartSlice> slices; // as in the split; other tensors are whole
};

/// How the memory of a tensor is cut along a dimension of which its layout has
/// one factor: `runs` times the extent times `bytes`, outermost first. So
/// coordinates [i, j) are `runs` pieces of (j - i) * bytes, extent * bytes from
/// one to the next, the first at i * bytes.
struct Cut {
  uint64_t runs;
  uint64_t bytes;
};

/// The units that a whole run has. sizes: such that checkSizes passed.
int64_t countUnits(const sparkle_kernel_t &kernel, const sparkle_split_t &split,
                   const int64_t *sizes);

/// The part that computes units [begin, end) of a run, 0 <= begin < end <=
/// units. kernel: validated; sizes: such that checkSizes passed.
Part makePart(const sparkle_kernel_t &kernel, const sparkle_split_t &split,
              const int64_t *sizes, int64_t begin, int64_t end);

/// Of a whole run or of a part. sizes: such that getBytes passed.
Cut getCut(const sparkle_kernel_t &kernel, const sparkle_slice_t &slice,
           const int64_t *sizes);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DIVIDE_H
