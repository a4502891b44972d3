// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tries some ways to divide the work, and counts what each brings from far.

#include "lib/Transforms/Pattern/Workers.h"

#include "llvm/Support/MathExtras.h"
#include <utility>

using namespace mlir;
using namespace sparkle;

namespace {
/// Bytes that one core may hope to keep in the cache that all share, and how
/// much longer it takes to get one from beyond that.
constexpr double kShared = 2 << 20, kBeyond = 6;
/// Bytes that come in the time that a worker's tile takes to begin.
constexpr double kTile = 20000;
/// Bytes that come in the time that a row costs for each thread but one that
/// has a part of it: some 15 ns. Where their parts meet, each core fetches
/// lines ahead that are the other's to write, which come back in 64 to 330 ns.
constexpr double kSeam = 1000;
/// Elements of a worker's tile along an extent that only the call knows.
constexpr int64_t kRow = 64;
/// Tiles that are enough for few cores, or for as many as there may be.
constexpr int64_t kEnough = 16;

using Sizes = SmallVector<int64_t>;

class Division {
public:
  explicit Division(const Nest &nest)
      : nest(nest), areMany(hasManyCores(nest.target)),
        enough(std::max(nest.target.getCores(), kEnough)) {}

  Sizes choose();

private:
  bool isStatic(unsigned index) const {
    return !ShapedType::isDynamic(nest.extents[index]);
  }
  int64_t divide(ArrayRef<unsigned> sequence, int64_t enough, Sizes &sizes);
  SmallVector<int64_t> getWanted() const;
  double getBusy(int64_t tiles) const;
  bool isUneven(unsigned index, const Sizes &sizes);
  bool sharesFewRows(const Sizes &sizes);
  double countFar(const Sizes &sizes);
  double countWork(const Sizes &sizes);
  Sizes chooseRows(ArrayRef<unsigned> others, ArrayRef<unsigned> thick);

  const Nest &nest;
  const bool areMany;
  const int64_t enough;
};
} // namespace

bool sparkle::hasManyCores(TargetAttr target) { return target.getCores() > 2; }

double sparkle::getBusyPart(TargetAttr target, int64_t workers) {
  int64_t cores = target.getCores();
  return double(workers) / double(cores * llvm::divideCeil(workers, cores));
}

Sizes sparkle::divideWork(const Nest &nest) { return Division(nest).choose(); }

/// The size of `wanted` parts of an extent, two or more, or of a few more: a
/// multiple of `grain`, and the same for all parts if that can be, else about
/// the same.
static int64_t getPartSize(int64_t extent, int64_t grain, int64_t wanted) {
  // Of so many parts, one that is smaller is little.
  constexpr int64_t kMost = 4096;
  int64_t largest =
      std::max<int64_t>((extent - 1) / (wanted - 1) / grain, 1) * grain;
  int64_t count = llvm::divideCeil(extent, largest);
  int64_t units = extent / grain;
  if (extent % grain == 0)
    for (int64_t parts = count; parts <= std::min(units, kMost); ++parts)
      if (units % parts == 0)
        return extent / parts;
  return std::min<int64_t>(
      llvm::alignTo(llvm::divideCeil(extent, count), grain), extent);
}

/// Divides the indices, one after the other, until there are `enough` tiles,
/// into multiples of the register tile. What is given stays.
int64_t Division::divide(ArrayRef<unsigned> sequence, int64_t enough,
                         Sizes &sizes) {
  int64_t tiles = 1;
  for (unsigned index : sequence) {
    int64_t grain = nest.registers[index], extent = nest.extents[index];
    if (nest.workers[index] || nest.target.getCopies()) {
      sizes[index] = nest.workers[index] ? nest.workers[index] : grain;
      continue;
    }
    if (!isStatic(index)) {
      // Rows lie along the lanes, or else along the tile.
      unsigned row =
          isStatic(nest.laneIndex) ? nest.thickIndex : nest.laneIndex;
      sizes[index] = index == row ? llvm::alignTo(kRow, grain) : grain;
      // Where they have any length there is any number of them: enough.
      if (index != row && !isStatic(row))
        tiles = enough;
      continue;
    }
    sizes[index] =
        tiles >= enough
            ? extent
            : getPartSize(extent, grain, llvm::divideCeil(enough, tiles));
    tiles *= llvm::divideCeil(extent, sizes[index]);
  }
  return tiles;
}

/// Numbers of tiles to try: few cores share any well that are enough, many some
/// better than others.
SmallVector<int64_t> Division::getWanted() const {
  if (!areMany)
    return {kEnough, 2 * kEnough, 4 * kEnough};
  SmallVector<int64_t> wanted;
  int64_t tiles = std::max(enough / 2, kEnough);
  for (; tiles <= 4 * enough; tiles += tiles / 8)
    wanted.push_back(tiles);
  return wanted;
}

double Division::getBusy(int64_t tiles) const {
  return areMany ? getBusyPart(nest.target, tiles)
                 : std::min(1.0, double(tiles) / double(enough));
}

/// Whether the last tile along an index is so small that one of two threads has
/// a tenth more to do than half, as it gets no part of that one; or, of two or
/// three tiles, that one of many threads has little to do.
bool Division::isUneven(unsigned index, const Sizes &sizes) {
  int64_t extent = nest.extents[index], size = sizes[index];
  if (!isStatic(index) || nest.workers[index] || extent <= size)
    return false;
  int64_t tiles = llvm::divideCeilSigned(extent, size);
  int64_t missing = tiles * size - extent;
  return areMany ? tiles <= 3 && missing * 4 > size : missing * 10 > extent;
}

/// Whether tiles divide rows that stay near, and have so few of them that the
/// processor tells one from the other, and fetches lines ahead in each: at the
/// end of a tile's those of another thread.
bool Division::sharesFewRows(const Sizes &sizes) {
  constexpr int64_t kStreams = 32;
  int64_t rows = 1;
  for (unsigned i = 0; i < nest.outputs; ++i)
    if (i != nest.laneIndex)
      rows *= isStatic(i) ? sizes[i] : kStreams;
  return nest.keepsRows && rows < kStreams &&
         sizes[nest.laneIndex] < nest.extents[nest.laneIndex];
}

/// What it costs to bring the operands into near memory if workers have tiles
/// of these sizes: bytes, weighted by where they come from. In a tile, and from
/// one to the next, the loop along the lanes is the outer one: what varies
/// along them alone is read once, the rest in each pass, if it does not fit.
double Division::countFar(const Sizes &sizes) {
  double lanesTiles = 1, otherTiles = 1, lanesSteps = 1, rows = 1;
  Sizes box(nest.extents), whole(nest.extents);
  for (unsigned i = 0; i < nest.outputs; ++i) {
    if (!isStatic(i))
      whole[i] = sizes[i];
    box[i] = std::min(sizes[i], whole[i]);
    (i == nest.laneIndex ? lanesTiles : otherTiles) *=
        double(llvm::divideCeil(whole[i], box[i]));
    if (i != nest.laneIndex)
      rows *= double(whole[i]);
    else
      lanesSteps = double(llvm::divideCeil(box[i], nest.registers[i]));
  }
  auto countBytes = [](const Operand &operand, const Sizes &sizes) {
    return double(operand.countBox(sizes) * operand.getElementBytes());
  };
  // The rest is for what streams through.
  double room = double(nest.target.getNearBytes()) * 2 / 3, all = 0;
  for (const Operand &operand : nest.operands)
    all += countBytes(operand, box);
  double far = lanesTiles * otherTiles * kTile;
  // Threads go through lanes one after the other.
  if (nest.storesInRow)
    far += (std::min(lanesTiles, double(nest.target.getCores())) - 1) * rows *
           kSeam;
  for (const Operand &operand : nest.operands) {
    bool alongLanes = operand.varies(nest.laneIndex), alongOthers = false;
    for (unsigned i = 0; i < nest.outputs; ++i)
      alongOthers |= i != nest.laneIndex && operand.varies(i);
    double bytes = countBytes(operand, box);
    // Each tile reads its own box, unless the one before has left it.
    double times = lanesTiles * otherTiles;
    if (!alongOthers && all <= room)
      times = lanesTiles;
    if (!alongLanes && bytes * otherTiles <= room)
      times = otherTiles;
    // A tile goes through it once for each step of the lanes.
    if (!alongLanes && bytes > room)
      times *= lanesSteps;
    bool isShared = countBytes(operand, whole) <= kShared;
    far += bytes * times * (isShared ? 1 : kBeyond);
  }
  return far;
}

/// What it costs to compute, as bytes: one comes from the cache that all share
/// in about the time of a multiply-add.
double Division::countWork(const Sizes &sizes) {
  double work = 1;
  for (unsigned i = 0; i < nest.extents.size(); ++i)
    work *= double(isStatic(i)        ? nest.extents[i]
                   : i < nest.outputs ? sizes[i]
                                      : 1);
  return work;
}

/// What the lanes write lies in rows, which are left whole unless there are
/// very few, or many cores that this would keep busy: of a row that two threads
/// share, each processor fetches lines ahead that are the other's to write.
Sizes Division::chooseRows(ArrayRef<unsigned> others,
                           ArrayRef<unsigned> thick) {
  constexpr double kWhole = 1.3;
  Sizes best, sizes(nest.outputs, 1);
  double most = 0;
  for (int64_t wanted : getWanted())
    for (bool areWhole : {true, false}) {
      auto missing = [&](int64_t tiles) {
        return llvm::divideCeilSigned(wanted, tiles);
      };
      int64_t few = wanted / 8, tiles = divide(others, wanted, sizes);
      tiles *= divide(thick, tiles < wanted - few ? missing(tiles) : 1, sizes);
      bool divides = areMany ? !areWhole : tiles < few;
      tiles *= divide({nest.laneIndex}, divides ? missing(tiles) : 1, sizes);
      double busy = getBusy(tiles) * (areWhole ? kWhole : 1);
      if (busy <= most)
        continue;
      best = sizes;
      most = busy;
      if (!areMany)
        return best;
    }
  return best;
}

/// One tile of the output for each worker, and enough of these. Where the loop
/// along the lanes is outside, they are divided so often, and the other indices
/// for the rest, that the least comes from far.
Sizes Division::choose() {
  // Where rows are divided, tiles along them are better left whole.
  SmallVector<unsigned> others, thick;
  bool hasOthers = false;
  for (unsigned i = 0; i < nest.outputs; ++i)
    if (i != nest.laneIndex && i != nest.thickIndex) {
      others.push_back(i);
      hasOthers |= nest.extents[i] != 1;
    }
  if (nest.thickIndex != nest.laneIndex)
    (hasOthers ? thick : others).push_back(nest.thickIndex);
  if (nest.lanesInside)
    return chooseRows(others, thick);

  Sizes best, sizes(nest.outputs, 1);
  double most = 0, least = 0;
  for (int64_t parts = 1; parts <= enough; parts *= 2)
    for (int64_t wanted : getWanted()) {
      int64_t tiles =
          divide(others, llvm::divideCeilSigned(wanted, parts), sizes);
      int64_t along = divide({nest.laneIndex}, parts, sizes);
      tiles *= divide(
          thick,
          llvm::divideCeilSigned(std::min(wanted, enough), tiles * along),
          sizes);
      // Where nothing else divides, uneven tiles are better than one.
      if (tiles > 1 && isUneven(nest.laneIndex, sizes))
        continue;
      double busy = getBusy(tiles * along), cost = countFar(sizes);
      // Many cores need not all be busy where that costs more than it brings.
      if (areMany)
        cost = (cost + countWork(sizes)) / std::exchange(busy, 1);
      // The model is not that good: others have to be better by a tenth, or a
      // little if they have more rows where these are too few.
      bool isLonger = busy == most && sharesFewRows(best) &&
                      sizes[nest.thickIndex] >= best[nest.thickIndex];
      double enoughBetter = isLonger ? 1 : areMany ? 0.97 : 0.9;
      if (busy < most || (busy == most && cost >= enoughBetter * least))
        continue;
      best = sizes;
      most = busy;
      least = cost;
    }
  return best;
}

void sparkle::fitWorkers(const Nest &nest, ArrayAttr staged,
                         ArrayRef<int64_t> steps,
                         MutableArrayRef<int64_t> workers) {
  for (;;) {
    Sizes sizes(steps);
    std::optional<unsigned> largest;
    for (unsigned i = 0; i < nest.outputs; ++i) {
      sizes[i] = workers[i];
      if (!nest.workers[i] && workers[i] > nest.registers[i] &&
          (!largest || workers[i] > workers[*largest]))
        largest = i;
    }
    double bytes = 0;
    for (const Operand &operand : nest.operands)
      if (staged && llvm::is_contained(staged, Attribute(operand.name)))
        bytes += operand.getCopiedBytes(sizes);
    if (!largest || bytes <= double(nest.target.getNearBytes()))
      return;
    workers[*largest] = llvm::alignTo(llvm::divideCeil(workers[*largest], 2),
                                      nest.registers[*largest]);
  }
}

double sparkle::countPasses(const Nest &nest, ArrayRef<int64_t> near,
                            ArrayRef<int64_t> order, const Operand &operand) {
  double passes = 1, visits = 1, room = double(nest.target.getNearBytes());
  for (int64_t index : llvm::reverse(order)) {
    if (index == static_cast<int64_t>(nest.laneIndex))
      break;
    if (index < static_cast<int64_t>(nest.outputs))
      passes *=
          double(llvm::divideCeil(nest.workers[index], nest.registers[index]));
  }
  for (unsigned i = 0; i < nest.outputs; ++i)
    if (!ShapedType::isDynamic(nest.extents[i]) && !operand.varies(i))
      visits *= double(llvm::divideCeil(nest.extents[i], nest.workers[i]));
  auto countBytes = [&](const Operand &operand, ArrayRef<int64_t> outputSizes) {
    Sizes sizes(near);
    llvm::copy(outputSizes.take_front(nest.outputs), sizes.begin());
    return double(operand.countBox(sizes) * operand.getElementBytes());
  };
  for (const Operand &other : nest.operands)
    if (&other != &operand)
      room -= countBytes(other, nest.workers);
  if (room < 0 || 2 * countBytes(operand, nest.registers) >
                      double(nest.target.getNearBytes()))
    return 0;
  return countBytes(operand, nest.workers) > room ? passes : passes * visits;
}
