// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the elements of a tensor lie in memory: the suite's own reading of the
// language's layouts, shared with nothing in the compiler.

#ifndef SPARKLE_TEST_END_TO_END_LAYOUT_H
#define SPARKLE_TEST_END_TO_END_LAYOUT_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sparkle {

using Shape = std::vector<int64_t>;
using Index = std::vector<int64_t>;

/// The number of elements of a tensor of this shape.
int64_t countElements(const Shape &shape);

/// Steps `index` through `shape` in row-major order; false after the last.
bool advance(Index &index, const Shape &shape);

/// A list of factors, outermost first: dimension `dim` divided by `divisor`,
/// or, where `modulus` is not 0, its remainder.
class Layout {
public:
  /// `nhwc`, `nchw16c`, or factors as in `n c/16 h w c%16`; empty is row major.
  static std::optional<Layout> parse(const std::string &text, unsigned rank);

  /// Elements of the buffer, those beyond the logical extents included.
  int64_t getBufferSize(const Shape &shape) const;
  int64_t getOffset(const Index &index, const Shape &shape) const;

private:
  struct Factor {
    unsigned dim;
    int64_t divisor;
    int64_t modulus;
  };

  static int64_t getExtent(const Factor &factor, const Shape &shape);

  std::vector<Factor> factors;
};

} // namespace sparkle

#endif // SPARKLE_TEST_END_TO_END_LAYOUT_H
