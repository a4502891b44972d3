// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which bands of a kernel's output a run is divided into, where none of its
// sizes can be divided: along channels, say. sparkle/kernel.h states of cuts
// what codes can do of that.

#ifndef SPARKLE_RUNTIME_BANDS_H
#define SPARKLE_RUNTIME_BANDS_H

#include "runtime/Device/Device.h"
#include "runtime/Divide.h"

#include <algorithm>

namespace sparkle::runtime {

struct Bands {
  const sparkle_tensor_t *output = nullptr; ///< Null: it is not divided.
  uint32_t dimension = 0;
  int64_t extent = 0;
  int64_t unit = 1; ///< Coordinates of a band of one unit.

  /// One unit or more. The last band may be shorter.
  int64_t countUnits() const { return (extent + unit - 1) / unit; }
  /// Of units [begin, end).
  Band get(int64_t begin, int64_t end) const {
    return {dimension, begin * unit, std::min(end * unit, extent)};
  }
  /// How the output's memory is cut along the dimension.
  Cut getCut(const sparkle_kernel_t &kernel, const int64_t *sizes) const;
};

/// Along the first dimension in which all of these codes have two bands or
/// more. kernel: validated; sizes: such that getBytes passed for its output.
Bands findBands(const sparkle_kernel_t &kernel,
                const std::vector<const sparkle_code_t *> &codes,
                const int64_t *sizes);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_BANDS_H
