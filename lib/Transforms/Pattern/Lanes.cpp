// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the lanes of vectors do along one index, as a share of what they could.

#include "lib/Transforms/Pattern/Lanes.h"

#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace sparkle;

int64_t sparkle::countLanes(int64_t extent, int64_t most) {
  constexpr int64_t kFewest = 4;
  int64_t count = most;
  while (count > kFewest && extent * 2 <= count)
    count /= 2;
  return count;
}

double sparkle::getFilledShare(int64_t extent, int64_t count) {
  return double(extent) / double(llvm::alignTo(extent, count));
}

int64_t sparkle::getShortLanes(int64_t count, TargetAttr target) {
  return std::max(count, std::min(target.getLanes(), target.getUnitLanes()));
}

int64_t Groups::countVectors(int64_t lanes) const {
  return size / std::gcd(size, lanes);
}

bool Groups::comesInBlocks(int64_t lanes) const {
  int64_t others = (lanes - 1) / size;
  return liesInRows && size % kBlock == 0 && others > 1 &&
         distance > (lanes - 1) / others;
}

double Groups::getShare(int64_t lanes) const {
  // Lanes of the processors that blend while they load, and have registers for
  // tiles of many vectors; and the most vectors that others have them for.
  constexpr int64_t kWide = 16, kFewVectors = 3;
  bool isWide = lanes >= kWide;
  // Multiply-adds that take as long as to blend another element into a vector,
  // of few or many that it serves, to permute one that is loaded in a piece,
  // and to transpose one of blocks.
  const double kBlending = uses > 1 ? 0.5 : 1;
  constexpr double kPermuting = 0.4, kTransposing = 0.4;
  // What it leaves to put one together lane by lane.
  constexpr double kApart = 0.2;
  int64_t vectors = countVectors(lanes);
  if (vectors > (isWide ? kMostVectors : kFewVectors))
    return kApart;
  // Whether each block has its elements in the same one of what is loaded.
  bool keepsBlocks = size == distance && kBlock % size == 0;
  double slots = 0;
  for (int64_t vector = 0; vector < vectors; ++vector) {
    int64_t first = vector * lanes / size;
    int64_t others = ((vector + 1) * lanes - 1) / size - first;
    if (others == 0)
      continue;
    if (others == 1 && !keepsBlocks) {
      if (vectors > 1 && !isWide)
        return kApart;
      slots += kBlending;
    } else if (distance <= (lanes - 1) / others) {
      slots += kPermuting;
    } else if (liesInRows && size % kBlock == 0) {
      slots += kTransposing;
    } else {
      return kApart;
    }
  }
  return 1 / (1 + slots / (double(vectors) * double(uses)));
}

int64_t sparkle::countTaps(AffineMap map, ArrayRef<int64_t> extents,
                           unsigned outputs) {
  int64_t taps = 1;
  auto slides = [&](AffineExpr expr) {
    for (unsigned i = 0; i < outputs; ++i)
      if (expr.isFunctionOfDim(i))
        return true;
    return false;
  };
  for (AffineExpr expr : map.getResults())
    for (unsigned i = outputs; i < extents.size(); ++i)
      if (expr.isFunctionOfDim(i) && slides(expr))
        taps = std::max(taps, extents[i]);
  return taps;
}
