// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weighs, in cycles of one core, what a lane multiplies, reads and copies, and
// how well the workers fill the machine.

#include "lib/Transforms/Pattern/GridResolver.h"
#include "lib/Transforms/Reach.h"

using namespace mlir;
using namespace sparkle;

namespace {
// Numbers of a core, which runs a few workers at once. They decide between
// shapes, which they do well within a factor of two.

/// Multiply-adds of a core in a cycle, and lanes that issue as one.
constexpr double kCoreLanes = 128;
constexpr int64_t kWarp = 32;
/// Registers of a core, and of a lane beside its sums.
constexpr int64_t kCoreRegisters = 65536, kLaneRegisters = 48;
/// Cycles of a lane: to read a vector from far memory; to copy one from far to
/// near; to write one with its epilogue; to begin a near step.
constexpr double kFarRead = 12, kCopy = 8, kWrite = 12, kStep = 40,
                 kWorker = 400;
/// Registers that fit, for each sum that a lane may hold; and cycles of a lane
/// for each that does not, and a step.
constexpr int64_t kHeld = 3;
constexpr double kSpill = 100;
/// Multiply-adds of a core in the time in which it gets one element from far.
constexpr double kFarElement = 20;
/// Elements of the shortest run that far memory gives whole.
constexpr int64_t kRun = 8;
} // namespace

/// Whether operand `number` may be treated so, as the pattern has it.
bool GridResolver::mayStage(unsigned number, bool wanted) {
  if (!stage)
    return true;
  return llvm::is_contained(stage, Attribute(operands[number].name)) == wanted;
}

/// What one near step costs a lane for one operand.
GridResolver::Step GridResolver::estimateOperand(const Grid &grid,
                                                 unsigned number,
                                                 int64_t laneCount) {
  const Operand &operand = operands[number];
  auto count = [&](unsigned i, int64_t size) {
    return double(operand.countSteps(i, size));
  };
  // The elements that a lane reads, the box that the worker reads, and what
  // that takes: lanes that overhang read beyond it, and rows are whole vectors.
  double reads = 1, box = 1, room = 1, most = 1;
  for (unsigned i = 0; i < extents.size(); ++i)
    if (operand.varies(i))
      reads *= count(i, i < outputs ? grid.cuts[i].each() : grid.near[i]);
  // Of no whole periods, lanes side by side read elements in different places,
  // one after the other.
  double turns = 1;
  for (auto [cut, course] : llvm::zip(grid.cuts, operand.courses))
    if (course.period && cut.lanes > 1 && cut.each() % course.period != 0)
      turns *= double(course.period);
  Sizes sizes(grid.near), divisors;
  for (auto [size, cut] : llvm::zip(sizes, grid.cuts))
    size = cut.worker;
  for (auto [i, size] : llvm::enumerate(sizes)) {
    bool isAnywhere = this->box && i < outputs && this->box->isCut[i];
    divisors.push_back(isAnywhere ? 1 : size < assumed[i] ? size : 0);
  }
  AffineMap layout = operand.type.getNearLayout();
  unsigned innermost = layout.getDimPosition(layout.getNumResults() - 1);
  for (auto [dim, expr, row] :
       llvm::enumerate(operand.map.getResults(), operand.coefficients)) {
    double size = double(getReach(expr, sizes, divisors).size), over = 0;
    for (auto [i, cut] : llvm::enumerate(grid.cuts))
      over += double(std::abs(row[i]) * cut.getOverhang());
    box *= size;
    auto whole = double(llvm::alignTo(uint64_t(size + over), kVector));
    bool isRow = contiguous[number] && row[*contiguous[number]];
    room *= isRow ? whole : size + over;
    most *= dim == innermost && size >= kVector ? whole : size + over;
  }
  double readVector = 1, copyVector = 1, run = 1;
  if (std::optional<unsigned> index = contiguous[number]) {
    bool isOutput = *index < outputs;
    int64_t inLane = isOutput ? grid.cuts[*index].each() : grid.near[*index];
    int64_t inBox = isOutput ? grid.cuts[*index].worker : grid.near[*index];
    readVector = inLane % kVector == 0 ? kVector : 1;
    copyVector = inBox % kVector == 0 ? kVector : 1;
    run = inBox >= assumed[*index] ? kRun : double(inBox);
  }
  Step step;
  step.reads = reads;
  // A row of padding for every eight, against conflicts of banks. Copies are
  // f32 whatever the tensor stores.
  step.bytes = int64_t(std::min(4 * std::max(box * 9 / 8, room), 1e9));
  step.room = std::max(step.bytes, int64_t(std::min(4 * most, 1e9)));
  step.isReused = reads * double(laneCount) > box;
  step.elements = box * std::max(1.0, kRun / run);
  double near = turns * reads / readVector * double(target.getNearRead());
  if (terms[number]) {
    // Nothing is far, but for what it is computed from.
    step.elements = box;
    step.copied =
        near + box * double(*terms[number]) / double(laneCount) + kStep;
    return step;
  }
  step.inPlace = turns * reads / readVector * kFarRead;
  step.copied = near + box / copyVector / double(laneCount) * kCopy;
  return step;
}

/// Cycles of a lane for one near step; decides what is copied.
double GridResolver::estimateStep(Grid &grid, int64_t laneCount, double sums) {
  // Products with constants are summed along one index after the other.
  double slice = 1, known = 0, elements = 0;
  for (unsigned i = outputs; i < extents.size(); ++i)
    if (grains[i] == kAll)
      known += double(grid.near[i]);
    else
      slice *= double(grid.near[i]);
  double cycles = sums * slice * std::max(known, 1.0) + kStep;
  // Twice, for the step that computes and the one that is copied. What need not
  // be copied is where fewer lanes take less, so that more workers share a
  // core.
  int64_t most = box ? box->room : target.getNearBytes(), free = most / 2;
  int64_t fair = free * std::max(laneCount, kWarp) /
                 std::max(target.getLanes(), laneCount);
  grid.staged.assign(operands.size(), false);
  double held = sums; // in registers: loads from far begin early
  for (unsigned i = 0; i < operands.size(); ++i) {
    Step step = estimateOperand(grid, i, laneCount);
    bool copy =
        terms[i] ||
        (mayStage(i, true) &&
         (!mayStage(i, false) || (step.isReused && step.copied < step.inPlace &&
                                  step.bytes <= std::min(free, fair))));
    if (copy && (step.bytes > free || step.room > most))
      return std::numeric_limits<double>::infinity();
    most -= copy ? step.room : 0;
    free -= copy ? step.bytes : 0;
    fair -= copy ? step.bytes : 0;
    grid.staged[i] = copy;
    cycles += copy ? step.copied : step.inPlace;
    elements += step.elements;
    held += copy ? 0 : step.reads;
  }
  cycles += kSpill * std::max(0.0, held - double(kHeld * target.getVectors()));
  double far = elements * kFarElement / double(laneCount);
  return std::max(cycles, far) + 0.3 * std::min(cycles, far);
}

/// Cycles of a lane to write its sums.
double GridResolver::estimateWrite(const Grid &grid, double sums) {
  int64_t vector = 1, run = 1;
  if (written) {
    vector = grid.cuts[*written].each() % kVector == 0 ? kVector : 1;
    run = std::min(grid.cuts[*written].worker, assumed[*written]);
  }
  double scatter = std::max(1.0, double(kRun) / double(run));
  return sums / double(vector) * kWrite * scatter + kWorker;
}

/// Cycles until all workers are done.
void GridResolver::estimate(Grid &grid) {
  int64_t laneCount = summedLanes ? lanes[*summedLanes] : 1;
  double sums = 1, workerCount = double(parts), tiles = 1, steps = 1;
  for (auto [i, cut] : llvm::enumerate(grid.cuts)) {
    laneCount *= cut.lanes;
    sums *= double(cut.each());
    workerCount *= double(llvm::divideCeil(assumed[i], cut.worker));
    tiles *=
        double(llvm::divideCeil(std::min(cut.worker, assumed[i]), cut.tile));
  }
  for (unsigned i = outputs; i < extents.size(); ++i)
    steps *= double(llvm::divideCeil(extents[i], grid.near[i]));
  double lane = estimateWrite(grid, sums);
  if (extents.size() > outputs || !operands.empty())
    lane += steps * estimateStep(grid, laneCount, sums);
  int64_t issued = llvm::alignTo(laneCount, kWarp);
  double worker = double(issued) * lane * tiles;

  double share = std::ceil(workerCount / double(target.getCores()));
  double atOnce = std::clamp(double(kCoreRegisters) /
                                 (double(issued) * (sums + kLaneRegisters)),
                             1.0, 8.0);
  // The more lanes a core has to choose from, the less it waits.
  auto cyclesOf = [&](double share) {
    double warps = std::min(share, std::floor(atOnce)) * double(issued / kWarp);
    return share * worker / (kCoreLanes * warps / (warps + 2));
  };
  // Other work may fill what these workers leave idle; more so where the call
  // brings more of them.
  double often = isAllStatic ? 0.1 : 0.5;
  grid.cost = cyclesOf(share) + often * cyclesOf(atOnce) / atOnce *
                                    workerCount / double(target.getCores());
}
