// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes for a worker that is one thread: a line of SIMD lanes, and register
// tiles in a loop. Searches the tiles that fit for the least cost.

#include "lib/Transforms/Pattern/Resolver.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sparkle;

namespace {
/// Stands for an extent that only the call knows.
constexpr int64_t kUnknown = 1 << 16;

/// Sizes of one register tile and its slice, with what they cost.
struct Choice {
  int64_t vectors = 1, thickness = 1, slide = 1;
  double cost = std::numeric_limits<double>::infinity();
};

class VectorResolver : public Resolver {
public:
  VectorResolver(DefineOp define, TargetAttr target)
      : Resolver(define, target) {}

private:
  void choose() override;

  int64_t getSpan(unsigned index);
  unsigned chooseLaneIndex();
  unsigned chooseThickIndex();
  std::optional<unsigned> chooseSlideIndex();
  double getTileCost(int64_t vectors, int64_t thickness, int64_t slide);
  double getCost(const Choice &choice);
  void chooseTile();
  void chooseUnroll();
  void chooseOrder();
  void chooseWorkers();
  void chooseNear();
  int64_t getTileBytes();
  int64_t getBytes(const Operand &operand);

  /// Where the lanes lie, where a register tile is thick besides, and which
  /// index of the sum slides along that, if any does.
  unsigned laneIndex = 0, thickIndex = 0;
  std::optional<unsigned> slideIndex;
};
} // namespace

std::unique_ptr<Resolver> sparkle::makeVectorResolver(DefineOp define,
                                                      TargetAttr target) {
  return std::make_unique<VectorResolver>(define, target);
}

void VectorResolver::choose() {
  if (lanes.empty()) {
    lanes.assign(extents.size(), 1);
    lanes[chooseLaneIndex()] = kAuto;
  }
  // The widest line of lanes is the one that a tile is built around.
  laneIndex = 0;
  for (unsigned i = 0; i < outputs; ++i) {
    if (lanes[i] == kAuto || lanes[i] == kAll)
      lanes[i] = target.getLanes();
    if (lanes[i] >= lanes[laneIndex])
      laneIndex = i;
  }
  if (llvm::all_of(lanes, [](int64_t count) { return count == 1; }))
    laneIndex = chooseLaneIndex();
  thickIndex = chooseThickIndex();
  slideIndex = chooseSlideIndex();

  chooseTile();
  chooseUnroll();
  chooseWorkers();
  chooseNear();
  if (order.empty())
    chooseOrder();
}

//===----------------------------------------------------------------------===//
// Lanes and register tiles
//===----------------------------------------------------------------------===//

/// What register tiles divide along an index of the left side: the size of a
/// worker's tile if that is given, else the extent.
int64_t VectorResolver::getSpan(unsigned index) {
  if (workers[index])
    return workers[index];
  return isStatic(index) ? extents[index] : kUnknown;
}

/// The index of the left side along which the lanes do most: full vectors,
/// operands that are either the same for all lanes or contiguous, and a
/// contiguous output.
unsigned VectorResolver::chooseLaneIndex() {
  SmallVector<SmallVector<int64_t>> identity;
  for (unsigned i = 0; i < outputs; ++i) {
    identity.emplace_back(extents.size(), 0);
    identity.back()[i] = 1;
  }
  unsigned best = 0;
  double bestScore = -1;
  for (unsigned i = 0; i < outputs; ++i) {
    int64_t extent = isStatic(i) ? extents[i] : 1;
    double score =
        double(extent) / double(llvm::alignTo(extent, target.getLanes()));
    for (const Operand &operand : operands)
      if (operand.varies(i) && !operand.isWeight &&
          !isContiguous(operand.type, operand.coefficients, i))
        score *= 0.2;
    if (!isContiguous(define.getTarget().getType(), identity, i))
      score *= 0.97; // Stored across lanes: a transpose in registers.
    if (score >= bestScore) {
      bestScore = score;
      best = i;
    }
  }
  return best;
}

/// The other index along which a register tile is thick: the operands that
/// vary along the lanes are read once for all of it.
unsigned VectorResolver::chooseThickIndex() {
  unsigned best = laneIndex;
  int64_t bestScore = -1;
  for (unsigned i = 0; i < outputs; ++i) {
    if (i == laneIndex || !isStatic(i) || registers[i] == 1)
      continue;
    int64_t reused = llvm::count_if(operands, [&](const Operand &operand) {
      return operand.varies(laneIndex) && !operand.varies(i);
    });
    // Among equals, the innermost that is not trivial.
    int64_t score = 2 * reused + (extents[i] > 1 ? 1 : 0);
    if (score >= bestScore) {
      bestScore = score;
      best = i;
    }
  }
  return best;
}

std::optional<unsigned> VectorResolver::chooseSlideIndex() {
  for (unsigned i = extents.size(); i-- > outputs;)
    for (const Operand &operand : operands)
      if (operand.slides(thickIndex, i))
        return i;
  return std::nullopt;
}

/// Cycles that one register tile of `vectors` by `thickness` takes, up to a
/// factor: one multiply-add or one load each. Infinite if it does not fit into
/// the registers.
double VectorResolver::getTileCost(int64_t vectors, int64_t thickness,
                                   int64_t slide) {
  double loads = 0, bytes = 0;
  int64_t live = vectors * thickness + 1;
  for (const Operand &operand : operands) {
    bool alongLanes = operand.varies(laneIndex);
    bool alongTile = operand.varies(thickIndex);
    bool alongSlide = slideIndex && operand.varies(*slideIndex);
    int64_t points = (alongTile ? thickness : 1) * (alongSlide ? slide : 1);
    if (slideIndex && operand.slides(thickIndex, *slideIndex))
      points = std::min(points, thickness + slide - 1);
    loads += double(points * (alongLanes ? vectors : 1));
    if (alongLanes && !alongTile) {
      live += vectors * points;
      bytes += double(vectors * target.getLanes() * operand.getElementBytes() *
                      points);
    }
  }
  if (live + 2 > target.getVectors())
    return std::numeric_limits<double>::infinity();
  double steps = 1.0 / double(slide);
  for (int64_t extent : ArrayRef(extents).drop_front(outputs))
    steps *= double(extent);
  // Too few independent sums wait for each other.
  double tile = double(vectors * thickness);
  double sums = double(slide) * std::max(tile, double(target.getFmaLatency()));
  // What does not stay close streams from near memory, some 24 bytes a cycle.
  double step = std::max({sums, loads, bytes / 24}) + 0.02 * loads;
  return steps * step + 2 * tile + 20;
}

/// Cycles for all tiles of the two indices, those at the ends of the extents
/// included.
double VectorResolver::getCost(const Choice &choice) {
  int64_t lanesExtent = getSpan(laneIndex);
  int64_t thickExtent = thickIndex == laneIndex ? 1 : getSpan(thickIndex);
  int64_t lineLanes = choice.vectors * lanes[laneIndex];
  int64_t restVectors =
      llvm::divideCeil(lanesExtent % lineLanes, lanes[laneIndex]);
  int64_t restThickness = thickExtent % choice.thickness;
  auto line = [&](int64_t vectors) {
    double cost = double(thickExtent / choice.thickness) *
                  getTileCost(vectors, choice.thickness, choice.slide);
    if (restThickness)
      cost += getTileCost(vectors, restThickness, choice.slide);
    return cost;
  };
  double cost = 0;
  if (int64_t whole = lanesExtent / lineLanes)
    cost += double(whole) * line(choice.vectors);
  if (restVectors)
    cost += line(restVectors);
  return cost;
}

/// Fills in the register tile, and the slice of the index that slides along it.
void VectorResolver::chooseTile() {
  int64_t laneExtent = getSpan(laneIndex);
  int64_t count = lanes[laneIndex];
  auto range = [](int64_t given, int64_t most) {
    return given ? std::pair(given, given)
                 : std::pair<int64_t, int64_t>(1, most);
  };
  int64_t givenVectors = llvm::divideCeil(registers[laneIndex], count);
  auto [minV, maxV] = range(
      givenVectors, std::min<int64_t>(4, llvm::divideCeil(laneExtent, count)));
  bool isThick = thickIndex != laneIndex;
  auto [minT, maxT] = range(
      isThick ? registers[thickIndex] : 1,
      isThick ? std::min<int64_t>(target.getVectors(), getSpan(thickIndex))
              : 1);
  SmallVector<int64_t> slides{1};
  if (slideIndex && unroll[*slideIndex])
    slides = {unroll[*slideIndex]};
  else if (slideIndex && extents[*slideIndex] > 1 &&
           suits(*slideIndex, extents[*slideIndex]))
    slides.push_back(extents[*slideIndex]);

  Choice best{minV, minT, slides.front()};
  for (int64_t slide : slides)
    for (int64_t v = minV; v <= maxV; ++v)
      for (int64_t t = minT; t <= maxT; ++t) {
        // A worker's tile that is given consists of whole register tiles.
        if (!registers[laneIndex] &&
            !suits(laneIndex, std::min(v * count, laneExtent)))
          continue;
        if (isThick && !registers[thickIndex] && !suits(thickIndex, t))
          continue;
        Choice choice{v, t, slide};
        choice.cost = getCost(choice);
        if (choice.cost < best.cost)
          best = choice;
      }
  if (!registers[laneIndex]) {
    int64_t size = std::min(best.vectors * count, laneExtent);
    while (!suits(laneIndex, size)) // No number of whole vectors does.
      --size;
    registers[laneIndex] = size;
  }
  if (isThick && !registers[thickIndex])
    registers[thickIndex] = best.thickness;
  if (slideIndex && !unroll[*slideIndex])
    unroll[*slideIndex] = best.slide;
  for (int64_t &size : registers)
    if (!size)
      size = 1;
}

/// Unrolls a few steps of the largest index of the sum besides, as long as the
/// body stays small: a long one is slow to compile and spills.
void VectorResolver::chooseUnroll() {
  constexpr int64_t kMaxBody = 256;
  int64_t body = 1;
  for (unsigned i = 0; i < outputs; ++i)
    body *= llvm::divideCeil(registers[i], lanes[i]);
  std::optional<unsigned> largest;
  for (unsigned i = outputs; i < extents.size(); ++i) {
    body *= std::max<int64_t>(unroll[i], 1);
    if (!unroll[i] && (!largest || extents[i] >= extents[*largest]))
      largest = i;
  }
  if (largest) {
    int64_t most = std::clamp<int64_t>(kMaxBody / body, 1, 4);
    int64_t limit = near[*largest] ? near[*largest] : extents[*largest];
    unroll[*largest] = std::min(most, limit);
    // A divisor leaves no second body for the rest.
    for (int64_t size = most; size > 1; --size)
      if (limit % size == 0) {
        unroll[*largest] = size;
        break;
      }
    if (!suits(*largest, unroll[*largest]))
      unroll[*largest] = 1;
  }
  for (int64_t &size : unroll)
    if (!size)
      size = 1;
}

//===----------------------------------------------------------------------===//
// Loops and workers
//===----------------------------------------------------------------------===//

int64_t VectorResolver::getBytes(const Operand &operand) {
  int64_t bytes = operand.getElementBytes();
  for (int64_t extent : operand.type.getShape())
    if (llvm::MulOverflow(bytes, ShapedType::isDynamic(extent) ? 1 : extent,
                          bytes))
      return std::numeric_limits<int64_t>::max() / 64;
  return bytes;
}

/// Bytes of the operands that a register tile reads along its lanes only.
int64_t VectorResolver::getTileBytes() {
  int64_t bytes = 0;
  for (const Operand &operand : operands)
    if (operand.varies(laneIndex) && !operand.varies(thickIndex))
      bytes += getBytes(operand);
  return bytes;
}

/// Output indices: the lanes' outside, so that what varies along them is read
/// again and again from close by; inside where all of it is close anyway. Sum
/// indices: those that slide inside, before them the one that is unrolled.
void VectorResolver::chooseOrder() {
  bool lanesInside = getTileBytes() * 2 <= target.getCloseBytes();
  auto rank = [&](int64_t index) {
    if (index < static_cast<int64_t>(outputs)) {
      if (index == static_cast<int64_t>(laneIndex))
        return lanesInside ? 3 : 0;
      if (!isStatic(index))
        return -1;
      return index == static_cast<int64_t>(thickIndex) ? 2 : 1;
    }
    if (slideIndex && index == static_cast<int64_t>(*slideIndex))
      return 12;
    return unroll[index] > 1 ? 11 : 10;
  };
  for (unsigned i = 0; i < extents.size(); ++i)
    order.push_back(i);
  llvm::sort(order, [&](int64_t a, int64_t b) {
    return std::pair(rank(a), a) < std::pair(rank(b), b);
  });
}

/// One tile of the output for each worker. Where the operands along the lanes
/// fit into near memory, workers share them and divide the other indices; where
/// they do not, each worker keeps its own part of them.
void VectorResolver::chooseWorkers() {
  constexpr int64_t kEnoughTiles = 16;
  bool divideLanes = getTileBytes() * 2 > target.getNearBytes();
  int64_t tiles = 1;
  auto divide = [&](unsigned index) {
    int64_t grain = registers[index], extent = extents[index];
    if (tiles >= kEnoughTiles || target.getCopies() || !isStatic(index)) {
      workers[index] = isStatic(index) && !target.getCopies() ? extent : grain;
      return;
    }
    // The largest multiple of the register tile that divides the work into
    // enough tiles, without a smaller one at the end if that can be.
    int64_t chosen = grain;
    for (int64_t size = grain; size < extent; size += grain)
      if (extent % size == 0 && tiles * (extent / size) >= kEnoughTiles)
        chosen = size;
    workers[index] = chosen;
    tiles *= llvm::divideCeil(extent, chosen);
  };
  auto isOther = [&](unsigned i) { return i != laneIndex && i != thickIndex; };
  SmallVector<unsigned> sequence;
  if (divideLanes)
    sequence.push_back(laneIndex);
  for (unsigned i = 0; i < outputs; ++i)
    if (isOther(i))
      sequence.push_back(i);
  if (!divideLanes)
    sequence.push_back(laneIndex);
  if (thickIndex != laneIndex)
    sequence.push_back(thickIndex);
  for (unsigned index : sequence)
    if (!workers[index])
      divide(index);
}

/// Blocks of the sum: all of it in place, or as much as near memory holds
/// twice where boxes are copied.
void VectorResolver::chooseNear() {
  if (!stage) {
    SmallVector<Attribute> names;
    if (target.getCopies())
      for (const Operand &operand : operands)
        if (!llvm::is_contained(names, Attribute(operand.name)))
          names.push_back(operand.name);
    stage = ArrayAttr::get(context, names);
  }
  auto boxBytes = [&](ArrayRef<int64_t> sizes) {
    double bytes = 0;
    for (const Operand &operand : operands) {
      double box = 4; // Copies are f32.
      for (auto &row : operand.coefficients) {
        double size = 1;
        for (auto [i, coefficient] : llvm::enumerate(row))
          if (i < sizes.size())
            size += double(std::abs(coefficient)) * double(sizes[i] - 1);
        box *= size;
      }
      bytes += box;
    }
    return bytes;
  };
  Sizes sizes;
  for (unsigned i = 0; i < extents.size(); ++i)
    sizes.push_back(i < outputs ? workers[i] : near[i] ? near[i] : extents[i]);
  for (unsigned i = outputs; i < extents.size(); ++i)
    while (!near[i] && !stage.empty() && sizes[i] > unroll[i] &&
           2 * boxBytes(sizes) > double(target.getNearBytes()))
      sizes[i] = std::max<int64_t>(unroll[i],
                                   llvm::alignDown(sizes[i] / 2, unroll[i]));
  for (unsigned i = outputs; i < extents.size(); ++i)
    near[i] = sizes[i];
}
