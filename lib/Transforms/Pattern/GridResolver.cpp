// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What there is to choose from, and the search for what costs least.

#include "lib/Transforms/Pattern/GridResolver.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sparkle;

namespace {
/// Multiply-adds that one accumulate unrolls to at most.
constexpr int64_t kMostUnrolled = 1024;
/// And along an index whose last near step is not whole, and has a body of its
/// own beside the others': more in both need scratch memory on AMD's cards.
constexpr int64_t kMostBesideRest = 16;
/// Cycles until another launch begins, elements that the machine moves in one,
/// and the sums that are worth to be divided.
constexpr double kLaunch = 6000, kMoved = 800;
constexpr int64_t kLongSum = 256, kShortPart = 64;
/// Stands for an extent that only the call knows and that nothing shares.
constexpr int64_t kTypical = 1 << 14;
} // namespace

std::unique_ptr<Resolver> sparkle::makeGridResolver(DefineOp define,
                                                    TargetAttr target) {
  return std::make_unique<GridResolver>(define, target);
}

//===----------------------------------------------------------------------===//
// What there is to choose from
//===----------------------------------------------------------------------===//

/// An extent that only the call knows counts as 1 if there is another index
/// along which the same operands vary, as there is beside a batch. Else it is
/// what the lanes have to lie along.
void GridResolver::assumeExtents() {
  assumed = extents;
  for (unsigned i = 0; i < outputs; ++i) {
    if (isStatic(i))
      continue;
    isAllStatic = false;
    assumed[i] = kTypical;
    for (unsigned j = 0; j < outputs; ++j)
      if (isStatic(j) && extents[j] > 1 &&
          llvm::all_of(operands, [&](const Operand &operand) {
            return operand.varies(i) == operand.varies(j);
          }))
        assumed[i] = 1;
  }
}

std::optional<unsigned> GridResolver::findContiguous(const Operand &operand) {
  for (unsigned i = 0; i < extents.size(); ++i)
    if (operand.isWeight ? i < outputs && operand.isPackedAlong(i)
                         : isContiguous(operand.type, operand.coefficients, i))
      return i;
  return std::nullopt;
}

std::optional<int64_t> GridResolver::countTerms(const Operand &operand) {
  for (DefineOp producer : define.getProducers()) {
    if (producer.getTarget().getDefiningOp<TensorOp>().getNameAttr() !=
        operand.name)
      continue;
    uint64_t count = 1;
    SmallVector<int64_t> all = producer.getStaticExtents();
    for (int64_t extent : ArrayRef(all).drop_front(producer.getNumOutputs()))
      count = llvm::SaturatingMultiply<uint64_t>(count, extent);
    return count;
  }
  return std::nullopt;
}

/// The ways to divide an output index that agree with what is given.
std::vector<Cut> GridResolver::listCuts(unsigned index) {
  int64_t extent = assumed[index], most = target.getLanes();
  int64_t givenLanes = lanes.empty() ? kAuto : lanes[index];
  int64_t grain = grains[index] == kAll ? extent : grains[index];
  std::vector<Cut> list;
  auto add = [&](int64_t tile, int64_t count) {
    int64_t worker = workers[index] ? workers[index] : tile;
    bool fits = worker % tile == 0 || (isStatic(index) && worker >= extent);
    // Lanes without a sum only multiply the ways to divide other indices.
    bool isWorthwhile = givenLanes > 0 || count / 2 < tile;
    bool isKnown = llvm::divideCeil(tile, count) % grain == 0 &&
                   (grains[index] != kAll || (tile == extent && count == 1));
    if (fits && tile <= worker && isWorthwhile && isKnown)
      list.push_back({worker, tile, count});
  };
  for (int64_t count = 1; count <= most; count *= 2) {
    int64_t lane = givenLanes > 0 ? givenLanes : count;
    if (registers[index]) {
      add(registers[index], lane);
    } else {
      for (int64_t number : {1, 2, 3, 4, 5, 6, 7, 8}) {
        int64_t each = number * grain;
        bool divides = extent % each == 0 && each <= extent;
        // Powers of two at any rate; the others where nothing is left over.
        if ((llvm::isPowerOf2_64(number) || divides) &&
            (number == 1 || each <= extent) && lane / 2 * each < extent)
          add(lane * each, lane);
      }
      if (workers[index])
        add(workers[index], lane);
    }
    if (givenLanes > 0)
      break;
  }
  // What is given leaves no choice, and may be refused later.
  if (list.empty()) {
    int64_t tile = registers[index] ? registers[index]
                                    : std::max<int64_t>(workers[index], 1);
    list.push_back({workers[index] ? workers[index] : tile, tile,
                    std::max<int64_t>(givenLanes, 1)});
  }
  return list;
}

/// The steps to try along an index of the sum.
SmallVector<int64_t> GridResolver::listSteps(unsigned index) {
  int64_t extent = extents[index];
  if (near[index])
    return {near[index]};
  if (grains[index] == kAll)
    return {extent};
  bool isPart = workers[index] > 1;
  int64_t grain = std::max<int64_t>(unroll[index], 1);
  // Taps: one at a time, or all.
  if (extent <= kVector)
    return grain >= extent ? SmallVector<int64_t>{extent}
                           : SmallVector<int64_t>{grain, extent};
  SmallVector<int64_t> steps;
  for (int64_t size : {8, 16, 4, 32, 1}) {
    // A divisor, if there is one of some size; else what is left over at the
    // end is a step of its own.
    int64_t step = size;
    for (int64_t divisor = size; divisor * 2 > size; --divisor)
      if (extent % divisor == 0 && (divisor % kVector == 0 || step == size))
        step = extent % step == 0 ? step : divisor;
    step = std::min<int64_t>(llvm::alignTo(step, grain), extent);
    if (isPart && extent % step != 0)
      continue;
    if (!llvm::is_contained(steps, step))
      steps.push_back(step);
  }
  if ((extent <= 16 || steps.empty()) && !llvm::is_contained(steps, extent))
    steps.push_back(extent);
  return steps;
}

/// All combinations of steps. The first has a middling step along the longest
/// index and single taps.
void GridResolver::listNears() {
  nears = {Sizes(outputs, 1)};
  for (unsigned i = outputs; i < extents.size(); ++i) {
    std::vector<Sizes> longer;
    for (const Sizes &shorter : nears)
      for (int64_t step : listSteps(i)) {
        longer.push_back(shorter);
        longer.back().push_back(step);
      }
    nears = std::move(longer);
  }
}

//===----------------------------------------------------------------------===//
// Search
//===----------------------------------------------------------------------===//

void GridResolver::keep(const Grid &grid) {
  constexpr size_t kKept = 64;
  if (kept.size() == kKept && grid.cost >= kept.back().cost)
    return;
  auto place = llvm::upper_bound(
      kept, grid, [](const Grid &a, const Grid &b) { return a.cost < b.cost; });
  kept.insert(place, grid);
  if (kept.size() > kKept)
    kept.pop_back();
}

/// Tries all cuts of the output indices from `index` on.
void GridResolver::searchCuts(unsigned index, int64_t lanesLeft,
                              int64_t sumsLeft) {
  if (index == outputs) {
    estimate(current);
    keep(current);
    return;
  }
  for (const Cut &cut : cuts[index]) {
    if (cut.lanes > lanesLeft || cut.each() > sumsLeft)
      continue;
    current.cuts.push_back(cut);
    searchCuts(index + 1, lanesLeft / cut.lanes, sumsLeft / cut.each());
    current.cuts.pop_back();
  }
}

/// Fills `kept` for the extents as they are.
void GridResolver::search() {
  kept.clear();
  current = Grid();
  cuts.clear();
  for (unsigned i = 0; i < outputs; ++i)
    cuts.push_back(listCuts(i));
  listNears();
  current.near = nears.front();
  // What a lane holds of constants is there at any rate.
  int64_t sums = 1;
  for (unsigned i = 0; i < outputs; ++i)
    sums *= grains[i] == kAll ? assumed[i] : grains[i];
  searchCuts(0,
             (box ? box->lanes : target.getLanes()) /
                 (summedLanes ? lanes[*summedLanes] : 1),
             std::max(target.getVectors(), sums));
  std::vector<Grid> grids = kept;
  for (const Grid &grid : grids)
    for (const Sizes &steps : nears) {
      Grid other = grid;
      other.near = steps;
      estimate(other);
      keep(other);
    }
  if (kept.empty()) {
    // Nothing fits what is given; the checks say why.
    for (const std::vector<Cut> &list : cuts)
      current.cuts.push_back(list.back());
    current.staged.assign(operands.size(), false);
    kept.push_back(current);
  }
}

/// Divides the longest index of the sum where there are too few workers, if
/// that pays for the second launch, which adds up the parts.
void GridResolver::chooseParts() {
  double elements = 1, workerCount = 1;
  for (unsigned i = 0; i < outputs; ++i) {
    elements *= double(assumed[i]);
    workerCount *=
        double(llvm::divideCeil(assumed[i], kept.front().cuts[i].worker));
  }
  std::optional<unsigned> longest;
  int64_t sum = 1;
  for (unsigned i = outputs; i < extents.size(); ++i) {
    sum = llvm::SaturatingMultiply<uint64_t>(sum, extents[i]);
    if (workers[i] == kAuto && (!longest || extents[i] > extents[*longest]))
      longest = i;
  }
  // Neither what another equation computes nor what is computed for this one is
  // divided, and no lane has a part of the constants.
  if (box || (fuse && !fuse.empty()) || hasConstants)
    longest.reset();
  for (unsigned i = outputs; i < extents.size(); ++i)
    workers[i] = std::max<int64_t>(workers[i], 1);
  if (!longest || sum < kLongSum ||
      workerCount >= double(2 * target.getCores()) ||
      std::isinf(kept.front().cost))
    return;
  std::vector<Grid> best = kept;
  double bestCost = kept.front().cost;
  int64_t extent = extents[*longest], bestPart = extent;
  for (int64_t count : {2, 3, 4, 6, 8, 12, 16, 32}) {
    if (extent % count != 0 || extent == count || sum / count < kShortPart)
      continue;
    // A step that is given has to fit.
    if (near[*longest] && extent / count % near[*longest] != 0)
      continue;
    parts = count;
    workers[*longest] = extents[*longest] = extent / count;
    search();
    double cost =
        kept.front().cost + kLaunch + elements * double(2 * count) / kMoved;
    if (cost < bestCost) {
      bestCost = cost;
      bestPart = extent / count;
      best = kept;
    }
  }
  kept = best;
  extents[*longest] = bestPart;
  workers[*longest] = bestPart == extent ? 1 : bestPart;
}

/// Unrolls the near step, or as much of it as a body may hold: taps are left to
/// loops first, from the outermost on.
void GridResolver::chooseUnroll() {
  int64_t body = 1;
  for (unsigned i = 0; i < outputs; ++i)
    body *= llvm::divideCeil(registers[i], lanes[i]);
  std::vector<unsigned> open;
  for (unsigned i = outputs; i < extents.size(); ++i) {
    if (!unroll[i]) {
      unroll[i] = near[i];
      if (extents[i] % near[i] != 0)
        while (unroll[i] > kMostBesideRest || near[i] % unroll[i] != 0)
          --unroll[i];
      if (grains[i] != kAll)
        open.push_back(i);
    }
    body *= unroll[i];
  }
  llvm::sort(open, [&](unsigned a, unsigned b) {
    return std::pair(extents[a], a) < std::pair(extents[b], b);
  });
  for (unsigned i : open)
    while (body > kMostUnrolled && unroll[i] > 1) {
      body /= unroll[i];
      int64_t size = unroll[i] - 1;
      while (near[i] % size != 0)
        --size;
      unroll[i] = size;
      body *= size;
    }
}

void GridResolver::take(const Grid &grid) {
  lanes.resize(extents.size(), 1);
  for (auto [i, cut] : llvm::enumerate(grid.cuts)) {
    workers[i] = cut.worker;
    registers[i] = cut.tile;
    lanes[i] = cut.lanes;
  }
  near = grid.near;
  if (stage)
    return;
  SmallVector<Attribute> names;
  for (auto [i, operand] : llvm::enumerate(operands))
    if (grid.staged[i] && !terms[i] &&
        !llvm::is_contained(names, Attribute(operand.name)))
      names.push_back(operand.name);
  stage = ArrayAttr::get(context, names);
}

void GridResolver::choose() {
  assumeExtents();
  for (auto [whole, part] : llvm::zip(define.getStaticExtents(), extents))
    parts *= whole == part ? 1 : whole / part;
  for (const Operand &operand : operands) {
    contiguous.push_back(findContiguous(operand));
    terms.push_back(countTerms(operand));
  }
  for (unsigned i = 0; i < outputs; ++i)
    if (isStoredInRow(i))
      written = i;

  search();
  chooseParts();
  take(kept.front());
  chooseUnroll();
  if (!order.empty())
    return;
  for (unsigned i = 0; i < extents.size(); ++i)
    order.push_back(i);
  // Taps inside: neighbours read almost the same elements.
  std::sort(order.begin() + outputs, order.end(), [&](int64_t a, int64_t b) {
    return std::pair(-extents[a], a) < std::pair(-extents[b], b);
  });
}
