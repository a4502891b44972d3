// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// benchdnn's words for places in memory: `nhwc`, `aBx16b`, `gOIhw4i16o4i`.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_TAG_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_TAG_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sparkle {

/// The parts of a word, outermost first. Each dimension is named by a letter;
/// once it stands alone, for what its blocks leave.
struct Tag {
  struct Part {
    char letter;
    int64_t block; ///< 0: what the blocks leave.
  };

  /// `letters` are those of the dimensions in their declared order, "nchw".
  /// Reads these, or `a`, `b`, ... for the first, the second, ..., with `x` for
  /// all behind the last that is named; of either case.
  static std::optional<Tag> parse(const std::string &word,
                                  const std::string &letters);
  /// In the declared order, without blocks.
  static Tag getPlain(const std::string &letters);

  /// Of elements that lie so many apart along each dimension; nothing if they
  /// lie upon each other or no blocks give that.
  static std::optional<Tag> fromStrides(const std::string &letters,
                                        const std::vector<int64_t> &extents,
                                        const std::vector<int64_t> &strides);

  bool operator==(const Tag &other) const;
  /// As the language spells it: `nchw16c`.
  std::string spell() const;
  /// Without the dimensions that are not among `letters`.
  Tag keep(const std::string &letters) const;
  /// Where `letter` runs over groups of `inner` elements each: those become the
  /// dimension `outer`, and `letter` runs within one. Nothing if a block holds
  /// a part of a group.
  std::optional<Tag> split(char letter, char outer, int64_t inner) const;

  std::vector<Part> parts;
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_TAG_H
