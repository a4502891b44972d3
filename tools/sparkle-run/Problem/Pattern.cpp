// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text of a pattern -> sizes -> the sizes around them.

#include "tools/sparkle-run/Problem/Pattern.h"

#include <algorithm>
#include <set>
#include <sstream>

using namespace sparkle;

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// `k: 16, p: 2` or `k, p`, which have the size 0.
static std::optional<Pattern::Sizes> parseSizes(const std::string &text) {
  Pattern::Sizes sizes;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    std::istringstream words(part);
    std::string name, size;
    words >> name >> size;
    if (!name.empty() && name.back() == ':')
      name.pop_back();
    if (size.find_first_not_of("0123456789") != std::string::npos)
      return std::nullopt;
    sizes.emplace_back(name, size.empty() ? 0 : std::stoll(size));
  }
  return sizes;
}

static std::string spellSizes(const Pattern::Sizes &sizes) {
  std::string text;
  for (const auto &[name, size] : sizes)
    text += (text.empty() ? "" : ", ") + name + ": " + std::to_string(size);
  return text;
}

static std::string join(const std::vector<std::string> &names) {
  std::string text;
  for (const std::string &name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::optional<Pattern> Pattern::parse(const std::string &text) {
  static const std::set<std::string> sized = {"workers", "registers", "lanes",
                                              "unroll"};
  Pattern pattern;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string keyword, rest;
    words >> keyword;
    std::getline(words, rest);
    if (keyword == "pattern")
      pattern.head = line;
    else if (keyword == "}")
      return pattern.head.empty() ? std::nullopt : std::optional(pattern);
    else if (keyword == "order" || sized.count(keyword)) {
      std::optional<Sizes> parsed = parseSizes(rest);
      if (!parsed)
        return std::nullopt;
      if (keyword != "order")
        pattern.sizes[keyword] = *parsed;
      else
        for (const auto &[name, size] : *parsed)
          pattern.order.push_back(name);
    } else if (!keyword.empty() && keyword.compare(0, 2, "//") != 0)
      pattern.others.push_back(line);
  }
  return std::nullopt;
}

std::string Pattern::spell() const {
  std::string text = head + "\n";
  for (const auto &[keyword, line] : sizes)
    text += "  " + keyword + " " + spellSizes(line) + "\n";
  text += "  order " + join(order) + "\n";
  for (const std::string &line : others)
    text += line + "\n";
  return text + "}\n";
}

std::string Pattern::summarise() const {
  std::string text;
  for (const char *keyword : {"registers", "unroll", "workers"}) {
    Sizes thick;
    for (const auto &size : get(keyword))
      if (size.second > 1)
        thick.push_back(size);
    text += std::string(text.empty() ? "" : "; ") + keyword + " " +
            (thick.empty() ? "1" : spellSizes(thick));
  }
  return text + "; order " + join(order);
}

const Pattern::Sizes &Pattern::get(const std::string &line) const {
  static const Sizes none;
  auto found = sizes.find(line);
  return found == sizes.end() ? none : found->second;
}

int64_t Pattern::get(const std::string &line, const std::string &index) const {
  for (const auto &[name, size] : get(line))
    if (name == index)
      return size;
  return 1;
}

void Pattern::set(const std::string &line, const std::string &index,
                  int64_t size) {
  for (auto &[name, old] : sizes[line])
    if (name == index)
      old = size;
}

//===----------------------------------------------------------------------===//
// Grid
//===----------------------------------------------------------------------===//

std::map<std::string, int64_t> sparkle::getExtents(const ConvProblem &conv) {
  std::map<std::string, int64_t> extents = {{"n", conv.batch},
                                            {"g", conv.groups}};
  int64_t groups = conv.isDepthwise() ? 1 : conv.groups;
  extents["k"] = conv.outputs / groups;
  extents["c"] = conv.inputs / groups;
  for (unsigned d = 0; d < 3; ++d) {
    extents[std::string(1, "opq"[d])] = conv.out[d];
    extents[std::string(1, "trs"[d])] = conv.getTaps(d);
  }
  return extents;
}

PatternGrid::PatternGrid(const Pattern &automatic,
                         const std::map<std::string, int64_t> &extents)
    : automatic(automatic), extents(extents) {
  for (const auto &[name, count] : automatic.get("lanes"))
    if (count > 1 || lanes.empty())
      lanes = name;
}

bool PatternGrid::isOutput(const std::string &index) const {
  for (const auto &[name, size] : automatic.get("registers"))
    if (name == index)
      return true;
  return false;
}

/// The tap that slides along an index of the left side; none if there is none.
static std::string getTap(const std::string &index) {
  size_t place = std::string("opq").find(index);
  return place < 3 ? std::string(1, "trs"[place]) : "";
}

static bool isTap(const std::string &index) {
  return index == "t" || index == "r" || index == "s";
}

/// A worker's tile consists of whole register tiles.
void PatternGrid::fitWorkers(Pattern &pattern) const {
  for (const auto &[name, tile] : pattern.get("registers")) {
    int64_t size = pattern.get("workers", name), extent = extents.at(name);
    size = (size + tile - 1) / tile * tile;
    pattern.set("workers", name, size >= extent ? extent : size);
  }
}

Pattern PatternGrid::makeTile(int64_t vectors, const std::string &thick,
                              int64_t size) const {
  Pattern tile = automatic;
  for (const auto &[index, old] : automatic.get("registers"))
    tile.set("registers", index, 1);
  int64_t width = vectors * automatic.get("lanes", lanes);
  tile.set("registers", lanes, std::min(width, extents.at(lanes)));
  tile.set("registers", thick, size);
  for (const auto &[index, old] : automatic.get("unroll"))
    if (isTap(index))
      tile.set("unroll", index, 1);
  fitWorkers(tile);
  return tile;
}

std::vector<Pattern> PatternGrid::getTiles() const {
  constexpr int64_t fewest = 4, most = 30;
  int64_t full = extents.at(lanes) / automatic.get("lanes", lanes);
  std::vector<Pattern> all;
  for (const auto &[thick, old] : automatic.get("registers"))
    for (int64_t size = 1; size <= extents.at(thick); ++size)
      for (int64_t vectors = 1; vectors <= std::min<int64_t>(4, full + 1);
           ++vectors) {
        int64_t sums = vectors * size;
        bool isSmall = sums < fewest && size < extents.at(thick);
        if (thick == lanes || extents.at(thick) == 1 || sums > most || isSmall)
          continue;
        all.push_back(makeTile(vectors, thick, size));
        std::string tap = getTap(thick);
        if (tap.empty() || extents.at(tap) == 1)
          continue;
        all.push_back(all.back());
        all.back().set("unroll", tap, extents.at(tap));
        const Pattern row = all.back();
        for (const auto &[rows, before] : automatic.get("registers")) {
          std::string across = getTap(rows);
          if (rows == thick || rows == lanes || across.empty() ||
              extents.at(across) == 1 || extents.at(rows) == 1 ||
              2 * sums > most)
            continue;
          all.push_back(row);
          all.back().set("registers", rows, 2);
          all.back().set("unroll", across, extents.at(across));
          fitWorkers(all.back());
        }
      }
  return all;
}

std::vector<Pattern> PatternGrid::getSlices(const Pattern &tile) const {
  std::vector<Pattern> all = {tile};
  for (const auto &[index, old] : tile.get("unroll")) {
    std::set<int64_t> sizes = {1, extents.at(index)};
    if (!isTap(index))
      sizes = {1, 2, 4, 8};
    std::vector<Pattern> wider;
    for (const Pattern &pattern : all)
      for (int64_t size : sizes)
        if (size <= extents.at(index)) {
          wider.push_back(pattern);
          wider.back().set("unroll", index, size);
        }
    all = std::move(wider);
  }
  return all;
}

std::vector<Pattern> PatternGrid::getNests(const Pattern &tile) const {
  std::string rows;
  for (const std::string &index : tile.order)
    if (isOutput(index) && index != lanes && index != "n" &&
        extents.at(index) > 1 && (rows.empty() || index < rows))
      rows = index;
  std::set<int64_t> widths, heights = {1};
  int64_t width = tile.get("registers", lanes), extent = extents.at(lanes);
  for (int64_t size = width; size < extent; size *= 2)
    widths.insert(size);
  widths.insert(extent);
  if (!rows.empty()) {
    int64_t height = tile.get("registers", rows), all = extents.at(rows);
    heights.clear();
    for (int64_t size = height; size < all; size *= 2)
      heights.insert(size);
    heights.insert(all);
  }
  std::vector<Pattern> nests;
  auto outputs =
      std::count_if(tile.order.begin(), tile.order.end(),
                    [&](const std::string &index) { return isOutput(index); });
  for (long place = 0; place < outputs; ++place) {
    Pattern nest = tile;
    nest.order.erase(std::find(nest.order.begin(), nest.order.end(), lanes));
    nest.order.insert(nest.order.begin() + place, lanes);
    for (int64_t w : widths)
      for (int64_t h : heights) {
        nest.set("workers", lanes, w);
        if (!rows.empty())
          nest.set("workers", rows, h);
        nests.push_back(nest);
      }
  }
  return nests;
}
