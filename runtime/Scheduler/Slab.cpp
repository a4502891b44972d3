// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/Scheduler/Slab.h"
#include "runtime/Shape.h"

namespace sparkle::runtime {

Slab makeSlab(const sparkle_kernel_t &kernel, const Bands &bands,
              const Band &band, const int64_t *sizes) {
  Cut cut = bands.getCut(kernel, sizes);
  Slab slab;
  slab.runs = cut.runs;
  slab.size = static_cast<uint64_t>(band.end - band.begin) * cut.bytes;
  slab.offset = slab.partOffset = static_cast<uint64_t>(band.begin) * cut.bytes;
  slab.stride = slab.partStride =
      static_cast<uint64_t>(bands.extent) * cut.bytes;
  slab.partBytes = slab.runs * slab.stride;
  return slab;
}

Slab makeSlab(const sparkle_kernel_t &kernel, const sparkle_split_t &split,
              uint32_t index, const Part &part, const int64_t *sizes) {
  const PartSlice &slice = part.slices[index];
  Cut cut = getCut(kernel, split.slices[index], sizes);
  Extents whole;
  // They were found when the task was made.
  (void)getExtents(kernel, kernel.tensors[slice.tensor], sizes, whole);
  auto bytes = [&](int64_t count) {
    return static_cast<uint64_t>(count) * cut.bytes;
  };
  Slab slab;
  slab.runs = cut.runs;
  slab.size = bytes(slice.count);
  slab.offset = bytes(slice.first + slice.begin);
  slab.stride = bytes(whole.values[slice.dimension]);
  slab.partOffset = bytes(slice.begin);
  slab.partStride = bytes(slice.length);
  slab.partBytes = cut.runs * slab.partStride;
  return slab;
}

} // namespace sparkle::runtime
