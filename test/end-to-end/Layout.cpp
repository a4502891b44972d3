// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parses layouts and finds elements in them.

#include "test/end-to-end/Layout.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

using namespace sparkle;

int64_t sparkle::countElements(const Shape &shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

bool sparkle::advance(Index &index, const Shape &shape) {
  for (size_t d = shape.size(); d-- > 0;) {
    if (++index[d] < shape[d])
      return true;
    index[d] = 0;
  }
  return false;
}

/// The letters of the dimensions: the set of this rank that has all letters
/// of the layout.
static std::string findLetters(const std::string &layout, unsigned rank) {
  static const char *const all[] = {"c",    "nc",    "ncw",   "nchw",  "oihw",
                                    "ngcw", "ncdhw", "ngchw", "ngcdhw"};
  for (std::string letters : all)
    if (letters.size() == rank &&
        std::all_of(layout.begin(), layout.end(), [&](char letter) {
          return !std::isalpha(letter) ||
                 letters.find(letter) != std::string::npos;
        }))
      return letters;
  return "";
}

std::optional<Layout> Layout::parse(const std::string &text, unsigned rank) {
  Layout layout;
  std::vector<int64_t> block(rank, 0);
  const std::string letters = findLetters(text, rank);
  const char *at = text.c_str();
  while (*at) {
    if (*at == ' ' && at++)
      continue;
    char *end = const_cast<char *>(at);
    int64_t inner = std::isdigit(*at) ? std::strtoll(at, &end, 10) : 0;
    size_t dim = letters.find(*end);
    if (dim == std::string::npos)
      return std::nullopt;
    at = end + 1;
    Factor factor{unsigned(dim), 1, inner};
    if (*at == '/')
      factor.divisor = std::strtoll(at + 1, &end, 10), at = end;
    else if (*at == '%')
      factor.modulus = std::strtoll(at + 1, &end, 10), at = end;
    block[dim] = inner ? inner : block[dim];
    layout.factors.push_back(factor);
  }
  for (unsigned d = 0; d < rank && text.empty(); ++d)
    layout.factors.push_back({d, 1, 0});
  for (Factor &factor : layout.factors) // The `c` of nchw16c is c/16.
    if (!factor.modulus && block[factor.dim])
      factor.divisor = block[factor.dim];
  return layout;
}

int64_t Layout::getExtent(const Factor &factor, const Shape &shape) {
  return factor.modulus
             ? factor.modulus
             : (shape[factor.dim] + factor.divisor - 1) / factor.divisor;
}

int64_t Layout::getBufferSize(const Shape &shape) const {
  int64_t size = 1;
  for (const Factor &factor : factors)
    size *= getExtent(factor, shape);
  return size;
}

int64_t Layout::getOffset(const Index &index, const Shape &shape) const {
  int64_t offset = 0;
  for (const Factor &factor : factors) {
    int64_t at = factor.modulus ? index[factor.dim] % factor.modulus
                                : index[factor.dim] / factor.divisor;
    offset = offset * getExtent(factor, shape) + at;
  }
  return offset;
}
