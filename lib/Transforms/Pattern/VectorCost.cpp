// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a register tile takes, in slots of a multiply-add. VectorReading.cpp is
// the part that depends on where in memory lies what it reads.

#include "lib/Transforms/Pattern/VectorResolver.h"

#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace sparkle;

/// What register tiles divide along an index of the left side: the size of a
/// worker's tile if that is given, else the extent.
int64_t VectorResolver::getSpan(unsigned index, int64_t side) {
  return workers[index] ? workers[index] : getUsualExtent(index, side);
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

/// Points of an operand for `size` steps of an index of the left side and
/// `taps` of the one that slides along it, if one does.
static int64_t countPoints(const Operand &operand, unsigned index, int64_t size,
                           std::optional<unsigned> tap, int64_t taps) {
  int64_t steps = operand.countSteps(index, size);
  int64_t points = steps * (tap && operand.varies(*tap) ? taps : 1);
  for (auto &row : operand.coefficients)
    if (tap && row[index] && row[*tap])
      points = std::min(points, operand.getStep(row, index) * (steps - 1) +
                                    std::abs(row[*tap]) * (taps - 1) + 1);
  return points;
}

/// Whether vectors of an operand are put together from blocks of many groups.
bool VectorResolver::comesInBlocks(const Operand &operand) {
  const Course &course = operand.courses[laneIndex];
  return course.repeats > 1 && !course.period &&
         getGroups(operand, laneIndex).comesInBlocks(lanes[laneIndex]);
}

/// One step of the sum of a register tile, with `slide` steps of the index that
/// slides along it at a time. What serves several rows of a tile counts in part
/// for each of the steps.
VectorResolver::Step VectorResolver::getStep(const RegisterTile &tile) {
  Step step;
  double ofPhases = 0; // loads of weights that remainders tell
  bool straight = isStraight(tile);
  double ofGroups = 0; // loads of what comes in blocks
  int64_t keptOfBlock = 0;
  for (const Operand &operand : operands) {
    bool alongLanes = operand.varies(laneIndex);
    bool alongTile = operand.advances(thickIndex);
    int64_t points = countPoints(operand, thickIndex, tile.thickness,
                                 slideIndex, tile.slide);
    double rows = 1;
    if (rowIndex) {
      bool hasTaps = straight && rowTapIndex && operand.varies(*rowTapIndex);
      int64_t taps = hasTaps ? extents[*rowTapIndex] : 1;
      rows = double(countPoints(operand, *rowIndex, tile.rows, rowTapIndex,
                                taps)) /
             double(taps);
    }
    double loads = double(points * (alongLanes ? tile.vectors : 1)) * rows;
    step.loads += loads;
    if (alongLanes && operand.courses[thickIndex].period)
      ofPhases += loads;
    bool isAcross = !isCopied(operand) && isReadAcross(operand, laneIndex);
    if (isAcross)
      step.shuffles += kTransposing * loads;
    else if (comesInBlocks(operand))
      ofGroups += loads;
    if (alongLanes && !alongTile) {
      // Where all taps are there, a row that is read meets those of as many
      // rows as the tile has. Vectors that share nothing take turns then.
      bool rolls = straight && tile.rows > 1;
      int64_t kept = points * (rolls ? tile.rows : 1) *
                     (takesTurns(tile) ? 1 : tile.vectors);
      step.kept += kept * (isAcross ? kAcross : 1);
      keptOfBlock += kept;
      step.streamedBytes += loads * double(lanes[laneIndex] * operand.width *
                                           operand.getElementBytes());
    }
    // `getReading` counts what is read once.
    bool isReadOnce = lanesInside && alongLanes && tile.slide > 1;
    if (alongTile && !isReadOnce && !isCopied(operand) &&
        collides(operand, points))
      step.collisions += loads;
  }
  // One element in flight. Of 32 registers the allocator does best with two to
  // spare, unless vectors take turns; of 16 each counts, but what slices share,
  // or is transposed, or a product before it is added, wants one.
  int64_t spare =
      straight && isApart() && tile.vectors > 1
          ? 1
          : std::max<int64_t>(tile.slide > 1 || readsAcross(laneIndex) ||
                                  target.keepsProducts(),
                              target.getVectors() / 8 - 2);
  int64_t room = target.getVectors() - tile.getSums() - 1 - spare - step.kept;
  step.fits = room >= 0;
  // What blocks are put together for is kept for as many steps.
  if (ofGroups > 0 && step.fits) {
    int64_t most = kMaxBody / (tile.getSums() * tile.slide);
    if (keptOfBlock)
      most = std::min(most, 1 + room / keptOfBlock);
    step.block =
        llvm::bit_floor<uint64_t>(std::clamp<int64_t>(most, 1, step.block));
    step.kept += keptOfBlock * (step.block - 1);
    // Multiply-adds that take as long as to load a vector's groups one by one.
    constexpr double kGathering = 1.2;
    step.shuffles += kGathering * ofGroups / double(step.block);
  }
  // Or one vector of weights after the other, where each serves the sums of one
  // phase alone, and what it meets is loaded for each of these.
  if (!step.fits && ofPhases > 0 && tile.slide > 1 && tile.vectors == 1) {
    step.loads = ofPhases + double(tile.slide * tile.getSums());
    step.kept = 1;
    step.fits = tile.getSums() + 3 <= target.getVectors();
  }
  // Or of one row all taps in turn: of each, one vector is kept at a time, and
  // what it meets is an operand from memory.
  if (!step.fits && straight && isApart() && tile.rows == 1 && isServedFast()) {
    step.loads = double(tile.slide * (tile.getSums() + tile.vectors));
    step.kept = 1;
    step.fits = tile.getSums() + 3 <= target.getVectors();
  }
  return step;
}

/// Whether near memory is known not to hold what is written: an extent that
/// only the call knows counts as one.
bool VectorResolver::isOutputFar() {
  double bytes = double(getOutputBytes());
  for (int64_t extent : ArrayRef(extents).take_front(outputs))
    bytes *= double(std::max<int64_t>(extent, 1));
  return bytes > double(target.getNearBytes());
}

/// Whether the output lies in rows along the lanes that stay near, so that a
/// line that two threads want goes back and forth between their cores.
bool VectorResolver::keepsRows() { return storesInRow && !isOutputFar(); }

/// Whether all that is read and written is known to be in near memory, with an
/// eighth to spare, in whole lines, one of which comes in a cycle; and the sums
/// are so short that all taps of as many as fill the registers are straight.
/// Functions that are polynomials want registers beside the sums.
bool VectorResolver::isServedFast() {
  if (target.getNearWidth() < kLineBytes)
    return false;
  int64_t terms = 1;
  for (unsigned i = outputs; i < extents.size() && terms <= kMaxBody; ++i)
    terms *= extents[i];
  if (terms * (target.getVectors() - 4) > kMaxBody || !isStatic(laneIndex) ||
      extents[laneIndex] * getOutputBytes() % kLineBytes != 0)
    return false;
  auto isPolynomial = [](ActivateOp op) {
    bool isShort = op.getFunction() == Function::Relu ||
                   op.getFunction() == Function::Relu6;
    return isShort ? WalkResult::advance() : WalkResult::interrupt();
  };
  if (define->walk(isPolynomial).wasInterrupted())
    return false;
  double bytes = double(getOutputBytes());
  for (unsigned i = 0; i < outputs; ++i)
    bytes *= isStatic(i) ? double(extents[i])
                         : std::numeric_limits<double>::infinity();
  for (const Operand &operand : operands)
    bytes += double(getBytes(operand));
  return bytes * 8 <= double(target.getNearBytes()) * 7;
}

/// Whether the vectors of a tile share nothing.
bool VectorResolver::isApart() {
  return llvm::all_of(operands, [&](const Operand &operand) {
    return operand.varies(laneIndex);
  });
}

/// Whether all terms of a tile, whose sums slide along taps, make a body that
/// is short enough to need no loop.
bool VectorResolver::isStraight(const RegisterTile &tile) {
  int64_t body = tile.getSums();
  for (unsigned i = outputs; i < extents.size() && body <= kMaxBody; ++i)
    body *= extents[i];
  return tile.slide > 1 && tile.slide == extents[*slideIndex] &&
         body <= kMaxBody;
}

/// Whether the vectors of a tile are summed up one behind the other: those of
/// several rows that share nothing.
bool VectorResolver::takesTurns(const RegisterTile &tile) {
  return tile.vectors > 1 && tile.rows > 1 && isStraight(tile) && isApart();
}

/// What one register tile takes, in slots of a multiply-add. Infinite if it
/// does not fit into the registers.
double VectorResolver::getTileCost(const RegisterTile &tile) {
  Step step = getStep(tile);
  if (!step.fits)
    return std::numeric_limits<double>::infinity();
  bool straight = isStraight(tile);
  double steps = 1.0 / double(tile.slide);
  for (int64_t extent : ArrayRef(extents).drop_front(outputs))
    steps *= double(extent);
  double sums = double(tile.getSums());
  // Too few independent sums wait for each other; more are too few where each
  // element serves several taps, as the same sums come shortly one after the
  // other. Where all of them are short, those of the next tile have begun, or
  // those of the next vector; fewer of these, as they have loads of their own.
  double window = isApart() ? 20 : 32;
  double independent = sums / double(isApart() ? tile.vectors : 1);
  double latency = double(target.getFmaLatency()) * (tile.slide > 1 ? 1.15 : 1);
  // Where sums have fewer terms than the indices count, some have them all.
  for (const Operand &operand : operands)
    latency *= operand.surplus;
  if (straight)
    latency /= 1 + window / (steps * double(tile.slide) * independent);
  // Of 16 registers sums have hardly more than the latency takes: some wait.
  double waits = latency / independent;
  if (!straight && target.getVectors() < 32)
    waits = std::max(waits, std::min(0.75 + 0.4 * waits, 1.15));
  double adds = double(tile.slide) * sums * std::max(1.0, waits);
  // A load takes a little longer than a multiply-add. What does not stay close
  // streams from near memory, some 24 bytes a slot.
  double slots = std::max({adds, 1.15 * step.loads, step.streamedBytes / 24}) +
                 0.02 * step.loads;
  slots += step.collisions + step.shuffles;
  // Lines of the output of which tiles write parts are fetched for each, unless
  // the other parts follow at once.
  int64_t bytes = tile.vectors * lanes[laneIndex] * getOutputBytes();
  double points = double(tile.thickness * tile.rows), parts = 0, far = 0;
  if (storesInRow && bytes % kLineBytes)
    parts = (lanesInside ? 3 : 16) * points;
  // Lines of more than eight points wait for each other where they come from
  // afar.
  if (storesInRow && lanesInside && points > 8 && isOutputFar()) {
    double lines = double(bytes) / kLineBytes * (points - 8);
    far = 0.5 * lines * lines;
  }
  // Across lanes, four points of one are stored at once, or two, or one.
  if (!summedLanes && !storesInRow && isStoredInRow(thickIndex))
    parts = 0.6 * double(tile.vectors * lanes[laneIndex] * tile.rows) *
            double(tile.thickness / 4 +
                   llvm::popcount(uint64_t(tile.thickness % 4)));
  // A loop of a few steps ends where the processor does not foresee it.
  double loop = straight ? 8 : 20;
  double computing = steps * slots + 2 * sums + parts + far + loop;
  if (takesTurns(tile))
    computing *= 1.1;
  if (!lanesInside)
    return computing;
  double reading = 0;
  for (const Operand &operand : operands)
    if (operand.varies(laneIndex) && operand.advances(thickIndex) &&
        !isCopied(operand))
      reading += getReading(operand, tile);
  // Most of what is shorter passes meanwhile, unless the same lines are loaded
  // again for each tap.
  double overlap = slideIndex && tile.slide == 1 ? 0 : 0.6;
  return computing + reading - overlap * std::min(computing, reading);
}

/// Slots for each point of a picture with such sides where only the call knows
/// them, in all its tiles, those at the ends of the extents included.
double VectorResolver::getCost(const RegisterTile &tile, int64_t side) {
  int64_t lanesExtent = getSpan(laneIndex, side);
  int64_t thickExtent = thickIndex == laneIndex ? 1 : getSpan(thickIndex, side);
  int64_t rowExtent = rowIndex ? getSpan(*rowIndex, side) : 1;
  // A worker's tile that is given holds no larger one.
  int64_t lineLanes =
      std::min(tile.vectors * lanes[laneIndex], getSpan(laneIndex));
  // How many tiles there are along an index, and how large those are for what
  // is left over: one, or such of half the size, and so on.
  auto divide = [&](unsigned index, int64_t extent, int64_t size) {
    SmallVector<std::pair<int64_t, int64_t>> tiles;
    for (; extent > 0;
         extent %= size, size = isStatic(index) ? extent : size / 2)
      tiles.push_back({extent / size, size});
    return tiles;
  };
  double cost = 0;
  for (auto [lines, lineExtent] : divide(laneIndex, lanesExtent, lineLanes))
    for (auto [columns, thickness] :
         divide(thickIndex, thickExtent, tile.thickness))
      for (auto [stripes, rows] :
           divide(rowIndex.value_or(0), rowExtent, tile.rows))
        if (int64_t count = lines * columns * stripes) {
          int64_t vectors = llvm::divideCeil(lineExtent, lanes[laneIndex]);
          cost += double(count) *
                  getTileCost({vectors, thickness, tile.slide, rows});
        }
  return cost / double(lanesExtent * thickExtent * rowExtent);
}

/// Of usual pictures: what is left over of tiles counts for most where they are
/// small.
double VectorResolver::getCost(const RegisterTile &tile) {
  bool isKnown = isStatic(laneIndex) && isStatic(thickIndex) &&
                 (!rowIndex || isStatic(*rowIndex));
  if (isKnown)
    return getCost(tile, kUnknownExtent);
  double cost = 0;
  for (int64_t side : kUsualSides)
    cost += getCost(tile, side);
  return cost;
}
