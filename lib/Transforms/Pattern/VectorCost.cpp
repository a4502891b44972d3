// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a register tile takes, in slots of a multiply-add: what it computes, and
// what it reads from close and near memory.

#include "lib/Transforms/Pattern/VectorResolver.h"

#include "mlir/IR/AffineExpr.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace sparkle;

namespace {
/// Stands for an extent that only the call knows.
constexpr int64_t kUnknown = 1 << 16;

/// Bytes of a line of close memory.
constexpr int64_t kLine = 64;
} // namespace

/// What register tiles divide along an index of the left side: the size of a
/// worker's tile if that is given, else the extent.
int64_t VectorResolver::getSpan(unsigned index) {
  if (workers[index])
    return workers[index];
  return isStatic(index) ? extents[index] : kUnknown;
}

/// Bytes of an element of the output.
int64_t VectorResolver::getOutputBytes() {
  Type element = define.getTarget().getType().getElementType();
  return element.getIntOrFloatBitWidth() / 8;
}

/// Whether `index` counts taps: it moves a coordinate that an index of the left
/// side moves as well, so that some of its steps may read outside.
bool VectorResolver::isTap(unsigned index) {
  for (const Operand &operand : operands)
    for (unsigned i = 0; i < outputs; ++i)
      if (operand.slides(i, index))
        return true;
  return false;
}

/// Bytes from one element of an operand to the next along `index`; 0 if only
/// the call knows.
static int64_t getStride(const Operand &operand, unsigned index) {
  SmallVector<AffineExpr> coordinates;
  MLIRContext *context = operand.type.getContext();
  for (auto &row : operand.coefficients)
    coordinates.push_back(getAffineConstantExpr(row[index], context));
  int64_t bytes = 0;
  for (auto [expr, stride] : llvm::zip(operand.type.getLayout().getResults(),
                                       operand.type.getPhysicalStrides())) {
    auto moved = dyn_cast<AffineConstantExpr>(
        simplifyAffineExpr(expr.replaceDims(coordinates), 0, 0));
    if (!moved || (ShapedType::isDynamic(stride) && moved.getValue() != 0))
      return 0;
    if (moved.getValue() != 0)
      bytes += moved.getValue() * stride * operand.getElementBytes();
  }
  return std::abs(bytes);
}

/// Whether the `thickness` lines that a tile reads of an operand meet in so few
/// sets of the close memory that they drive each other out. Its ways are a page
/// long, as on every processor that finds a set while it translates an address.
bool VectorResolver::collides(const Operand &operand, int64_t thickness) {
  constexpr int64_t kWay = 4096;
  int64_t stride = getStride(operand, thickIndex);
  int64_t sets = kWay / std::gcd(stride, kWay);
  int64_t ways = target.getCloseBytes() / kWay;
  int64_t lines = llvm::divideCeilSigned(thickness, sets);
  // A quarter of the ways stays for everything else.
  return stride >= kLine && lines * 4 > ways * 3;
}

/// Steps of the sum's indices that move an operand as taps do, beside the one
/// that slides along the tile.
int64_t VectorResolver::countOtherTaps(const Operand &operand) {
  int64_t count = 1;
  for (unsigned i = outputs; i < extents.size(); ++i)
    if (i != slideIndex && operand.varies(i) && isTap(i))
      count *= extents[i];
  return count;
}

/// One step of the sum of a register tile of `vectors` by `thickness`, with
/// `slide` steps of the index that slides along it at a time.
VectorResolver::Step VectorResolver::getStep(int64_t vectors, int64_t thickness,
                                             int64_t slide) {
  Step step;
  step.sums = vectors * thickness;
  step.slide = slide;
  for (const Operand &operand : operands) {
    bool alongLanes = operand.varies(laneIndex);
    bool alongTile = operand.varies(thickIndex);
    bool alongSlide = slideIndex && operand.varies(*slideIndex);
    int64_t points = (alongTile ? thickness : 1) * (alongSlide ? slide : 1);
    for (auto &row : operand.coefficients)
      if (slideIndex && row[thickIndex] && row[*slideIndex])
        points =
            std::min(points, std::abs(row[thickIndex]) * (thickness - 1) +
                                 std::abs(row[*slideIndex]) * (slide - 1) + 1);
    int64_t loads = points * (alongLanes ? vectors : 1);
    step.loads += loads;
    if (alongLanes && !alongTile) {
      step.kept += loads;
      step.streamedBytes +=
          loads * target.getLanes() * operand.getElementBytes();
    }
    if (alongTile && collides(operand, points))
      step.collisions += loads;
    // Half of a line now, the other half for the next tile along the lanes,
    // when it is gone.
    int64_t bytes = vectors * target.getLanes() * operand.getElementBytes();
    if (!alongTile || !alongLanes || bytes % kLine == 0)
      continue;
    if (collides(operand, points * countOtherTaps(operand)))
      step.collisions += loads;
    Sizes tile(extents);
    std::fill_n(tile.begin(), outputs, 1);
    tile[thickIndex] = thickness;
    step.broken += operand.countBox(tile);
  }
  // One element in flight. Of 32 registers the allocator does best with two to
  // spare; of 16 each counts, but what slices share wants one.
  int64_t spare =
      std::max<int64_t>(slide > 1 ? 1 : 0, target.getVectors() / 8 - 2);
  step.fits = step.sums + step.kept + 1 + spare <= target.getVectors();
  return step;
}

/// Whether all terms of `sums` sums, which slide along taps, make a body that
/// is short enough to need no loop.
bool VectorResolver::isStraight(int64_t sums, int64_t slide) {
  int64_t body = sums;
  for (unsigned i = outputs; i < extents.size() && body <= kMaxBody; ++i)
    body *= extents[i];
  return slide > 1 && slide == extents[*slideIndex] && body <= kMaxBody;
}

/// What one register tile takes, in slots of a multiply-add. Infinite if it
/// does not fit into the registers.
double VectorResolver::getTileCost(int64_t vectors, int64_t thickness,
                                   int64_t slide) {
  Step step = getStep(vectors, thickness, slide);
  if (!step.fits)
    return std::numeric_limits<double>::infinity();
  double steps = 1.0 / double(slide);
  for (int64_t extent : ArrayRef(extents).drop_front(outputs))
    steps *= double(extent);
  double tile = double(step.sums), loads = double(step.loads);
  // Too few independent sums wait for each other; more are too few where each
  // element serves several taps, as the same sums come shortly one after the
  // other. Where all of them are short, those of the next tile have begun.
  constexpr double kWindow = 32;
  bool straight = isStraight(step.sums, slide);
  double latency = double(target.getFmaLatency()) * (slide > 1 ? 1.15 : 1);
  if (straight)
    latency /= 1 + kWindow / (steps * double(slide) * tile);
  double sums = double(slide) * std::max(tile, latency);
  // A load takes a little longer than a multiply-add. What does not stay close
  // streams from near memory, some 24 bytes a slot.
  double slots =
      std::max({sums, 1.15 * loads, double(step.streamedBytes) / 24}) +
      0.02 * loads;
  slots += double(step.collisions);
  // Lines of the output of which tiles write parts are fetched for each, unless
  // the other parts follow at once.
  int64_t bytes = vectors * target.getLanes() * getOutputBytes();
  double parts = 0;
  if (storesInRow && bytes % kLine)
    parts = (lanesInside ? 3 : 16) * double(thickness);
  // A loop of a few steps ends where the processor does not foresee it.
  double loop = straight ? 8 : 20;
  // So many places to read from, of which each gives little, take their time.
  constexpr double kBrokenSlots = 5;
  return std::max(steps * slots + 2 * tile + parts + loop,
                  lanesInside ? kBrokenSlots * double(step.broken) : 0);
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
