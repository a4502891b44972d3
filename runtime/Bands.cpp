// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/Bands.h"
#include "runtime/Shape.h"

#include <numeric>

namespace sparkle::runtime {
namespace {

/// A band of what the caller passes is a cut through its memory.
bool hasOneFactor(const sparkle_tensor_t &tensor, uint32_t dimension) {
  return 1 == std::count_if(tensor.layout, tensor.layout + tensor.layout_count,
                            [&](const sparkle_factor_t &factor) {
                              return factor.dimension == dimension;
                            });
}

/// Whether the workgroups of a band have numbers in a row, all in the first row
/// of the grid.
bool isNumbered(const sparkle_kernel_t &kernel, const sparkle_code_t &code,
                const sparkle_cut_t &cut, const int64_t *sizes) {
  if (code.target == SPARKLE_TARGET_CPU)
    return true;
  const sparkle_launch_t &launch = code.launches[0];
  int64_t count = 1, along = 0;
  for (uint32_t i = 0; i < launch.grid_count; ++i)
    if (!evaluate(launch.grid[i], sizes, kernel.size_count, along) ||
        (i < cut.index && along != 1) ||
        __builtin_mul_overflow(count, along, &count))
      return false;
  return count <= SPARKLE_GRID_WIDTH;
}

} // namespace

Cut Bands::getCut(const sparkle_kernel_t &kernel, const int64_t *sizes) const {
  auto number = static_cast<uint32_t>(output - kernel.tensors);
  return runtime::getCut(kernel, {number, dimension, 1, 0, 0}, sizes);
}

Bands findBands(const sparkle_kernel_t &kernel,
                const std::vector<const sparkle_code_t *> &codes,
                const int64_t *sizes) {
  const sparkle_tensor_t *output =
      std::find_if(kernel.tensors, kernel.tensors + kernel.tensor_count,
                   [](const sparkle_tensor_t &tensor) {
                     return tensor.role == SPARKLE_ROLE_OUTPUT;
                   });
  Extents extents;
  (void)getExtents(kernel, *output, sizes, extents);
  for (uint32_t i = 0; i < output->rank; ++i) {
    int64_t extent = extents.values[i], unit = 1;
    bool isPossible = hasOneFactor(*output, i);
    for (const sparkle_code_t *code : codes) {
      const sparkle_cut_t *cut = findCut(*code, i);
      isPossible = isPossible && cut && cut->tile < extent &&
                   isNumbered(kernel, *code, *cut, sizes);
      // The least common multiple.
      isPossible = isPossible &&
                   !__builtin_mul_overflow(unit / std::gcd(unit, cut->tile),
                                           cut->tile, &unit) &&
                   unit < extent;
    }
    if (isPossible)
      return {output, i, extent, unit};
  }
  return {};
}

} // namespace sparkle::runtime
