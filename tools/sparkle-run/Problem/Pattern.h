// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A resolved pattern as the compiler prints it, taken apart, and the patterns
// around it that a sweep tries.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_PATTERN_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_PATTERN_H

#include "tools/sparkle-run/Problem/ConvProblem.h"

#include <map>
#include <vector>

namespace sparkle {

class Pattern {
public:
  using Sizes = std::vector<std::pair<std::string, int64_t>>;

  /// Reads the first pattern of a text; the sizes have to be numbers.
  static std::optional<Pattern> parse(const std::string &text);
  /// As the compiler reads it.
  std::string spell() const;
  /// The sizes that differ from one tile to another, in one line.
  std::string summarise() const;

  const Sizes &get(const std::string &line) const;
  int64_t get(const std::string &line, const std::string &index) const;
  void set(const std::string &line, const std::string &index, int64_t size);

  std::vector<std::string> order; ///< Indices, from the outermost loop.

private:
  std::string head;
  std::map<std::string, Sizes> sizes;
  /// Lines that stay as they are.
  std::vector<std::string> others;
};

/// The extents of the indices of a convolution's kernel, as `writeKernel` names
/// them.
std::map<std::string, int64_t> getExtents(const ConvProblem &conv);

/// What a sweep tries in the place of `automatic`.
class PatternGrid {
public:
  PatternGrid(const Pattern &automatic,
              const std::map<std::string, int64_t> &extents);

  /// All register tiles: one to four vectors along the lanes by so many
  /// elements along one other index. Each with one tap at a time, with all of
  /// the taps that slide along it, and in two rows with all taps.
  std::vector<Pattern> getTiles() const;
  /// All small slices of the sum for a tile.
  std::vector<Pattern> getSlices(const Pattern &tile) const;
  /// All places of the lanes' loop, by splits of the work along the lanes and
  /// along the rows.
  std::vector<Pattern> getNests(const Pattern &tile) const;

private:
  bool isOutput(const std::string &index) const;
  Pattern makeTile(int64_t vectors, const std::string &thick,
                   int64_t size) const;
  void fitWorkers(Pattern &pattern) const;

  const Pattern &automatic;
  const std::map<std::string, int64_t> &extents;
  std::string lanes; ///< The index along which they lie.
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_PATTERN_H
