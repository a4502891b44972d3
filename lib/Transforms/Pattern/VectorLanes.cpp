// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the lanes of a vector lie: along an index of the left side, as it is
// read or transposed, or along one of the sum.

#include "lib/Transforms/Pattern/VectorResolver.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sparkle;

/// Whether lanes along `index` read vectors of an operand that lie across them,
/// in rows along an index of the sum: these come as blocks, transposed, and
/// meet what is the same for all lanes. Rows that are only added up are not,
/// nor those that lanes along the sum read as they are.
bool VectorResolver::isReadAcross(const Operand &operand, unsigned index) {
  auto varies = [&](const Operand &other) { return other.varies(index); };
  if (summedLanes || operands.size() == 1 || !operand.varies(index) ||
      llvm::count_if(operands, varies) > 1 || isReadInRow(operand, index) ||
      operand.courses[index].period || operand.courses[index].repeats > 1)
    return false;
  for (unsigned i = outputs; i < extents.size(); ++i)
    if (extents[i] >= kAcross && isReadInRow(operand, i))
      return true;
  return false;
}

/// What transposed vectors leave of the speed, each of which serves the sums of
/// a register tile.
double VectorResolver::getTransposedShare(const Operand &operand,
                                          unsigned index) {
  // Registers that hold no sums.
  constexpr int64_t kOthers = 8;
  int64_t serves = 1;
  for (unsigned i = 0; i < outputs; ++i)
    if (i != index && !operand.varies(i))
      serves = llvm::SaturatingMultiply<uint64_t>(serves, getSpan(i));
  double sums = double(std::min(serves, target.getVectors() - kOthers));
  // Taps that slide along other lanes' tiles save loads, and few sums wait for
  // each other.
  bool hasTaps = false;
  for (unsigned i = outputs; i < extents.size(); ++i)
    hasTaps |= extents[i] > 1 && operand.slides(index, i);
  double spared = hasTaps && sums < double(target.getFmaLatency()) ? 0.9 : 1;
  return spared * sums / (sums + kTransposing);
}

/// How lanes along `index` read an operand of which neighbours read the same:
/// its coordinate is a quotient, which grows by one from group to group.
Groups VectorResolver::getGroups(const Operand &operand, unsigned index) {
  int64_t bytes = getStride(operand.type, operand.coefficients, index);
  bool liesInRows = false;
  for (unsigned i = outputs; i < extents.size(); ++i)
    liesInRows |= extents[i] >= Groups::kBlock && isReadInRow(operand, i);
  return {operand.courses[index].repeats,
          bytes / (kUneven * operand.getElementBytes()),
          countTaps(operand.map, extents, outputs), liesInRows};
}

/// Whether tiles of `size` along `index` begin where groups do, or never within
/// one: then it is known how their lanes read these.
bool VectorResolver::keepsGroups(unsigned index, int64_t size) {
  return llvm::all_of(operands, [&](const Operand &operand) {
    int64_t group = operand.courses[index].repeats;
    return size % group == 0 || group % size == 0 ||
           (isStatic(index) && size >= extents[index]);
  });
}

/// What vectors of `count` lanes do along `index` of the left side, as a share
/// of full ones: operands are best the same for all lanes or contiguous, or at
/// least few elements for all lanes or, where that is to count, transposed; and
/// the output is best contiguous.
double VectorResolver::getLaneScore(unsigned index, int64_t count,
                                    bool transposes) {
  double score = 0;
  if (isStatic(index))
    score = getFilledShare(extents[index], count);
  else if (getUsualExtent(index) == kUnknownExtent)
    score = 0.5; // Of a row of any length, half of the lanes may be empty.
  else
    for (int64_t side : kUsualSides)
      score += getFilledShare(getUsualExtent(index, side), count) /
               double(std::size(kUsualSides));
  for (const Operand &operand : operands) {
    if (!operand.varies(index) || isReadInRow(operand, index))
      continue;
    const Course &course = operand.courses[index];
    if (transposes && isReadAcross(operand, index))
      score *= getTransposedShare(operand, index);
    else if (course.repeats > 1 && !course.period)
      score *= getGroups(operand, index).getShare(count);
    else
      score *= course.period ? 0.5 : 0.2;
  }
  // Stored across lanes: a transpose in registers, which counts where there
  // is no sum.
  if (!isStoredInRow(index))
    score *= operands.empty() ? 0.2 : 0.97;
  // Read across lanes behind the sum: as long as so many of its terms take.
  constexpr double kReadAcross = 3;
  double terms = 1;
  for (int64_t extent : ArrayRef(extents).drop_front(outputs))
    terms *= double(extent);
  for (ReadOp read : define.getBody().getOps<ReadOp>()) {
    Operand operand = describe(read);
    if (operand.varies(index) && !isReadInRow(operand, index))
      score *= terms / (terms + kReadAcross);
  }
  return score;
}

/// The same for the vectors that lanes along `index` would have: transposed, or
/// short where long ones would be empty.
double VectorResolver::getShare(unsigned index) {
  int64_t count = getShortLanes(countLanes(index), target);
  return getLaneScore(index, count, /*transposes=*/true);
}

/// The index of the left side along which lanes do most. Vectors that lie
/// across are worth their transposition only if others are not better when
/// short, and where the pattern leaves open how many there are.
unsigned VectorResolver::chooseLaneIndex(int64_t count) {
  unsigned best = 0;
  double bestScore = -1, bestShare = 0;
  for (unsigned i = 0; i < outputs; ++i) {
    double score = getLaneScore(i, count, /*transposes=*/false);
    if (!readsAcross(i))
      bestShare = std::max(bestShare, getShare(i));
    if (score >= bestScore) {
      bestScore = score;
      best = i;
    }
  }
  for (unsigned i = outputs; i-- > 0;)
    if (!registers[i] && readsAcross(i) && getShare(i) > bestShare) {
      bestShare = getShare(i);
      best = i;
    }
  return best;
}

/// The index of the sum along which lanes do more than along any of the left
/// side, as where that has few channels: the same partial sums for each lane,
/// which are then added up across them. Only what the pattern leaves open.
std::optional<unsigned> VectorResolver::findSummedLanes() {
  // Multiply-adds that take as long as adding up a sum's lanes; and what more
  // loads, of vectors on both sides, leave of the speed.
  constexpr double kAddingUp = 4.5, kLoading = 0.97;
  int64_t bytes = target.getLanes() * int64_t(sizeof(float));
  for (unsigned i = 0; i < outputs; ++i)
    bytes = llvm::SaturatingMultiply<uint64_t>(
        bytes, std::max<int64_t>(workers[i], 1));
  if (box || hasConstants || operands.empty() || (fuse && !fuse.empty()) ||
      !order.empty() || bytes > target.getNearBytes() ||
      llvm::any_of(registers, [](int64_t size) { return size > 1; }))
    return std::nullopt;
  std::optional<unsigned> best;
  double terms = 1, bestScore = 0;
  for (unsigned i = 0; i < outputs; ++i)
    bestScore = std::max(bestScore, getShare(i));
  for (unsigned i = outputs; i < extents.size(); ++i)
    terms *= double(extents[i]);
  for (unsigned i = outputs; i < extents.size(); ++i) {
    int64_t vectors = llvm::divideCeil(extents[i], target.getLanes());
    double perLane = terms / double(extents[i]) * double(vectors);
    double score =
        kLoading * terms / double(target.getLanes()) / (perLane + kAddingUp);
    bool isInRow = llvm::all_of(operands, [&](const Operand &operand) {
      return operand.varies(i) && isReadInRow(operand, i);
    });
    if (isInRow && takesLanes(i, target.getLanes()) && score > bestScore)
      bestScore = score, best = i;
  }
  return best;
}

int64_t VectorResolver::countLanes(unsigned index) {
  return isStatic(index)
             ? sparkle::countLanes(extents[index], target.getLanes())
             : target.getLanes();
}

/// Divides a worker's tile, where the pattern leaves it open, until close
/// memory holds the partial sums of all lanes: what serves the pixels of a tile
/// comes last.
void VectorResolver::keepSumsClose(const Sizes &given) {
  auto isClose = [&] {
    int64_t bytes = lanes[*summedLanes] * int64_t(sizeof(float));
    for (int64_t size : ArrayRef(workers).take_front(outputs))
      bytes = llvm::SaturatingMultiply<uint64_t>(bytes, size);
    return bytes <= target.getCloseBytes();
  };
  Sizes sequence;
  for (unsigned i = 0; i < outputs; ++i)
    if (i != thickIndex && i != laneIndex)
      sequence.push_back(i);
  sequence.append({thickIndex, laneIndex});
  for (int64_t i : sequence) {
    int64_t whole = workers[i];
    for (int64_t parts = 2;
         !given[i] && workers[i] > registers[i] && !isClose(); ++parts)
      workers[i] = llvm::alignTo(llvm::divideCeil(whole, parts), registers[i]);
  }
}
