// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Letters and blocks -> parts, and back.

#include "tools/sparkle-run/Problem/Tag.h"

#include <algorithm>
#include <cctype>

using namespace sparkle;

/// `a`, `b`, ... and `x` -> the letters of the dimensions.
static std::string nameDimensions(const std::string &word,
                                  const std::string &letters) {
  // Only then is `c` the third dimension, not the channels.
  if (word.find('a') == std::string::npos)
    return word;
  size_t rest = 0;
  for (char letter : word)
    if (letter >= 'a' && letter < 'x')
      rest = std::max(rest, size_t(letter - 'a') + 1);
  std::string named;
  for (char letter : word)
    if (letter == 'x')
      named += letters.substr(std::min(rest, letters.size()));
    else if (letter >= 'a' && size_t(letter - 'a') < letters.size())
      named += letters[letter - 'a'];
    else
      named += std::isdigit(letter) ? letter : '?';
  return named;
}

std::optional<Tag> Tag::parse(const std::string &word,
                              const std::string &letters) {
  std::string lower;
  for (char letter : word)
    lower += char(std::tolower(letter));
  Tag tag;
  int64_t block = 0;
  for (char letter : nameDimensions(lower, letters)) {
    if (std::isdigit(letter)) {
      block = std::min<int64_t>(block * 10 + (letter - '0'), 4097);
      if (block == 0)
        return std::nullopt;
      continue;
    }
    bool isKnown = letters.find(letter) != std::string::npos;
    bool isPlain =
        std::any_of(tag.parts.begin(), tag.parts.end(),
                    [&](const Part &part) { return part.letter == letter; });
    // First what its blocks leave, once; then blocks of 2 to 4096.
    if (!isKnown || isPlain != (block != 0) || block == 1 || block > 4096)
      return std::nullopt;
    tag.parts.push_back({letter, block});
    block = 0;
  }
  size_t plain = std::count_if(tag.parts.begin(), tag.parts.end(),
                               [](const Part &part) { return !part.block; });
  if (block || plain != letters.size())
    return std::nullopt;
  return tag;
}

Tag Tag::getPlain(const std::string &letters) {
  Tag tag;
  for (char letter : letters)
    tag.parts.push_back({letter, 0});
  return tag;
}

/// A dimension that holds less than the next larger stride takes is a block of
/// what it would hold, of which there is one.
std::optional<Tag> Tag::fromStrides(const std::string &letters,
                                    const std::vector<int64_t> &extents,
                                    const std::vector<int64_t> &strides) {
  if (strides.size() != letters.size())
    return std::nullopt;
  Tag tag;
  std::vector<size_t> order; // from the smallest stride
  for (size_t d = 0; d < letters.size(); ++d)
    if (extents[d] > 1)
      order.push_back(d);
    else
      tag.parts.push_back({letters[d], 0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return strides[a] < strides[b]; });
  std::vector<Part> inner;
  for (size_t i = 0; i < order.size(); ++i) {
    size_t d = order[i];
    bool isLast = i + 1 == order.size();
    int64_t next = isLast ? strides[d] * extents[d] : strides[order[i + 1]];
    if (strides[d] < 1 || (i == 0 && strides[d] != 1) || next % strides[d] != 0)
      return std::nullopt;
    int64_t room = next / strides[d];
    if (room < extents[d])
      return std::nullopt; // They overlap.
    if (room == extents[d]) {
      inner.push_back({letters[d], 0});
      continue;
    }
    tag.parts.push_back({letters[d], 0});
    while (room > 1) { // A block has at most 4096, and blocks may nest.
      int64_t block = std::min<int64_t>(room, 4096);
      while (block > 1 && room % block != 0)
        --block;
      if (block == 1)
        return std::nullopt;
      inner.push_back({letters[d], block});
      room /= block;
    }
  }
  tag.parts.insert(tag.parts.end(), inner.rbegin(), inner.rend());
  return tag;
}

bool Tag::operator==(const Tag &other) const {
  return spell() == other.spell();
}

std::string Tag::spell() const {
  std::string word;
  for (const Part &part : parts)
    word += (part.block ? std::to_string(part.block) : "") + part.letter;
  return word;
}

Tag Tag::keep(const std::string &letters) const {
  Tag kept;
  for (const Part &part : parts)
    if (letters.find(part.letter) != std::string::npos)
      kept.parts.push_back(part);
  return kept;
}

std::optional<Tag> Tag::split(char letter, char outer, int64_t inner) const {
  // A part of `letter` runs from multiples of `low` to below `high`.
  int64_t high = 0, low = 1;
  for (const Part &part : parts)
    low *= part.letter == letter && part.block ? part.block : 1;
  Tag result;
  bool hasPlain = false;
  auto addInner = [&](int64_t block) {
    result.parts.push_back({letter, hasPlain ? block : 0});
    hasPlain = true; // The outermost block is what the others leave.
  };
  for (const Part &part : parts) {
    if (part.letter != letter) {
      result.parts.push_back(part);
      continue;
    }
    if (high)
      low = high / part.block;
    bool isOuter = low >= inner, isInner = high && high <= inner;
    if (!isOuter && !isInner && (inner % low || (high && high % inner)))
      return std::nullopt;
    if (!isInner && (!high || high / std::max(low, inner) > 1))
      result.parts.push_back({outer, high / std::max(low, inner)});
    if (!isOuter)
      addInner((isInner ? high : inner) / low);
    high = low;
  }
  if (!hasPlain)
    addInner(0);
  return result;
}
