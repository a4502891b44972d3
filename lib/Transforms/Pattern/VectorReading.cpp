// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a register tile waits for because of where in memory lies what it reads:
// lines that meet in a set of the close memory, and those from beyond near
// memory.

#include "lib/Transforms/Pattern/VectorResolver.h"

#include "llvm/Support/MathExtras.h"
#include <array>
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace sparkle;

/// Sets of the close memory that the elements of an operand along a tile lie
/// in; 0 if neighbours share a line.
int64_t VectorResolver::countSets(const Operand &operand) {
  int64_t stride = getStride(operand.type, operand.coefficients, thickIndex);
  if (slideIndex)
    stride = std::gcd(
        stride, getStride(operand.type, operand.coefficients, *slideIndex));
  return stride < kLineBytes ? 0 : kWay / std::gcd(stride, kWay);
}

/// Whether the `thickness` lines that a tile reads of an operand meet in so few
/// of these sets that they drive each other out.
bool VectorResolver::collides(const Operand &operand, int64_t thickness) {
  int64_t sets = countSets(operand), ways = target.getCloseBytes() / kWay;
  // A quarter of the ways stays for everything else.
  return sets && llvm::divideCeilSigned(thickness, sets) * 4 > ways * 3;
}

/// Whether taps read every pixel of an operand over and over, one step further
/// for each pixel of the output.
bool VectorResolver::rereadsPixels(const Operand &operand) {
  auto isSlow = [&](ArrayRef<int64_t> row) {
    return std::abs(row[thickIndex]) <= 1 && std::abs(row[*rowIndex]) <= 1;
  };
  return operand.slides(thickIndex, *slideIndex) &&
         operand.slides(*rowIndex, *rowTapIndex) &&
         llvm::all_of(operand.coefficients, isSlow);
}

/// Lets whole pictures be copied, a few lines of lanes at a time, if their
/// pixels meet in one set of the close memory: each is read for many taps, and
/// comes from near memory for nearly every one. Of a copy the pixels lie in a
/// row. Two sets are too few as well where a line holds several vectors, and is
/// read for each. Only what the pattern leaves open. Cores that have no picture
/// each share its rows out, not the lines of a pixel.
void VectorResolver::copyPictures() {
  constexpr int64_t kLines = 4;
  if (stage || box || !slideIndex || !rowTapIndex || !isStatic(thickIndex) ||
      !isApart() || target.getNearWidth() >= kLineBytes)
    return;
  for (unsigned i : {laneIndex, thickIndex, *rowIndex})
    if (workers[i] || registers[i])
      return;
  auto picture = llvm::find_if(operands, [&](const Operand &operand) {
    return isContiguous(operand.type, operand.coefficients, laneIndex) &&
           rereadsPixels(operand);
  });
  if (picture == operands.end())
    return;
  int64_t pixels = extents[thickIndex] * extents[*rowIndex];
  int64_t line = kLineBytes / picture->getElementBytes();
  int64_t sets = target.getLanes() < line ? 2 : 1;
  int64_t pictures = 1;
  Sizes sizes(extents);
  for (unsigned i = 0; i < outputs; ++i) {
    if (i == laneIndex) {
      sizes[i] = std::min(kLines * line, extents[i]);
    } else if (i != thickIndex && i != *rowIndex) {
      pictures *= isStatic(i) ? extents[i] : 1;
      sizes[i] = 1;
    }
  }
  if (pictures < target.getCores())
    sizes[*rowIndex] = llvm::divideCeil(extents[*rowIndex], 2);
  if (countSets(*picture) > sets || !collides(*picture, pixels) ||
      2 * picture->getCopiedBytes(sizes) > double(target.getNearBytes()))
    return;
  stage = ArrayAttr::get(context, {picture->name});
  std::copy_n(sizes.begin(), outputs, workers.begin());
  // What a tile writes meets in a set, too: it writes little.
  registers[laneIndex] = lanes[laneIndex];
  registers[*rowIndex] = 1;
}

/// Where elements lie, in lines and each line once, for all combinations of so
/// many steps of some indices.
static SmallVector<int64_t>
getPlaces(StoredTensorType type, ArrayRef<SmallVector<int64_t>> coefficients,
          ArrayRef<std::pair<unsigned, int64_t>> box, int64_t lineBytes) {
  SmallVector<int64_t> places{0};
  auto dropEqual = [&] {
    llvm::sort(places);
    places.erase(llvm::unique(places), places.end());
  };
  for (auto [index, count] : box) {
    int64_t stride = getStride(type, coefficients, index);
    for (size_t i = 0, few = places.size(); i < few; ++i)
      for (int64_t step = 1; step < count; ++step)
        places.push_back(places[i] + step * stride);
    dropEqual();
  }
  for (int64_t &place : places)
    place /= lineBytes;
  dropEqual();
  return places;
}

/// How many lines meet in each set, of `lines` from each place.
static std::array<int64_t, kSets> countInSets(ArrayRef<int64_t> places,
                                              int64_t lines) {
  std::array<int64_t, kSets> counts{};
  for (int64_t place : places)
    for (int64_t line = place; line < place + lines; ++line)
      ++counts[line % kSets];
  return counts;
}

/// Slots that all steps of a tile together take to read an operand that varies
/// along it and along the lanes, from a place for each of its points.
double VectorResolver::getReading(const Operand &operand,
                                  const RegisterTile &tile) {
  SmallVector<std::pair<unsigned, int64_t>> box{{thickIndex, tile.thickness}};
  if (rowIndex)
    box.push_back({*rowIndex, tile.rows});
  // What is written meets what is read, wherever that may begin.
  int64_t written = 0;
  if (storesInRow)
    written = *llvm::max_element(countInSets(
        getPlaces(define.getTarget().getType(), getIdentity(), box, kLineBytes),
        1));
  // So many taps stand for more: that takes long to list, and says the same.
  constexpr int64_t kTaps = 64;
  double adds = double(tile.getSums()), repeats = 1;
  for (unsigned i = outputs; i < extents.size(); ++i) {
    int64_t taps = isTap(i) ? std::min(extents[i], kTaps) : 1;
    adds *= double(extents[i]);
    if (operand.varies(i)) {
      box.push_back({i, taps});
      repeats *= double(extents[i]) / double(taps);
    }
  }
  bool inRow = isContiguous(operand.type, operand.coefficients, laneIndex);
  SmallVector<int64_t> places =
      getPlaces(operand.type, operand.coefficients, box,
                inRow ? kLineBytes : operand.getElementBytes());
  double loads = double(places.size()) * repeats * double(tile.vectors);

  // Cycles in which a line comes, or a part of one.
  constexpr double kLineCycles = 3.5, kPartCycles = 2;
  // Of lanes that lie apart each vector is put together, and costs as much.
  if (!inRow)
    return loads * kLineCycles * getSlotsPerCycle();
  double lines =
      double(tile.vectors * lanes[laneIndex] * operand.getElementBytes()) /
      double(kLineBytes);
  // From near memory to find a place takes longer than a line of it, and what
  // L1 has lost is there again at once. Vectors that take turns come back.
  if (isServedFast()) {
    double visits = takesTurns(tile) ? double(1 + tile.vectors) / 2 : 1;
    return double(places.size()) * repeats * (lines + 4 * visits) *
           getSlotsPerCycle();
  }
  double touched = std::ceil(lines);
  double cycles =
      double(places.size()) * std::max(kLineCycles * lines, kPartCycles);
  std::array<int64_t, kSets> read = countInSets(places, int64_t(touched));
  // A quarter of the ways stays for everything else.
  int64_t room = target.getCloseBytes() / kWay * 3 / 4 - written;
  for (int64_t place : places) {
    double beyond = double(read[place % kSets] - room);
    if (beyond <= 0)
      continue;
    // What the processor fetches ahead for the next tile along the lanes is
    // gone the more surely, the more lines meet. Vectors that take turns lose
    // the lines behind the first one, too, and a line in which one tile ends
    // and the next one begins comes twice.
    cycles += 0.3 * beyond +
              1.5 * touched * (takesTurns(tile) ? 1 + 0.15 * beyond : 1);
    if (lines > 1)
      cycles += kLineCycles * (touched - lines);
  }
  double slots = cycles * repeats * getSlotsPerCycle();

  // What is read next is asked for when this much is left to do. If it comes
  // from beyond near memory, a tile that is longer waits for it.
  constexpr double kWindow = 100, kWait = 120;
  double turns = takesTurns(tile) ? double(tile.vectors) : 1;
  double operations = (adds + 2.5 * loads) / turns;
  if (getBytes(operand) > target.getNearBytes())
    slots += turns * std::clamp(operations - kWindow, 0.0, kWait);
  return slots;
}
