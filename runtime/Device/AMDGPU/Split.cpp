// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole rows of the grid where they are short enough, else parts of one row.

#include "runtime/Device/AMDGPU/Split.h"

#include "sparkle/kernel.h"

#include <algorithm>

namespace sparkle::runtime {

std::vector<GroupBox> splitGrid(uint64_t count, uint64_t most) {
  std::vector<GroupBox> boxes;
  if (!count)
    return boxes;
  auto width =
      static_cast<uint32_t>(std::min<uint64_t>(count, SPARKLE_GRID_WIDTH));
  auto height = static_cast<uint32_t>((count + width - 1) / width);
  auto rows =
      static_cast<uint32_t>(std::clamp<uint64_t>(most / width, 1, height));
  auto columns = static_cast<uint32_t>(std::clamp<uint64_t>(most, 1, width));
  for (uint32_t y = 0; y < height; y += rows)
    for (uint32_t x = 0; x < width; x += columns)
      boxes.push_back(
          {x, y, std::min(x + columns, width), std::min(y + rows, height)});
  return boxes;
}

} // namespace sparkle::runtime
