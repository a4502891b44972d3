// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes for a worker that is one thread: a line of SIMD lanes, and register
// tiles in a loop. Searches the tiles that fit for the least cost.

#include "lib/Transforms/Pattern/Resolver.h"
#include "lib/Transforms/Pattern/Workers.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace sparkle;

namespace {
/// Stands for an extent that only the call knows.
constexpr int64_t kUnknown = 1 << 16;

/// Bytes of a line of close memory.
constexpr int64_t kLine = 64;

/// What one step of a register tile takes.
struct Step {
  int64_t sums = 0, slide = 1;
  int64_t loads = 0;
  /// Vectors of what the whole tile shares, which stay in registers.
  int64_t kept = 0;
  /// Bytes of these.
  int64_t streamedBytes = 0;
  /// Loads of lines that drive each other out of the close memory.
  int64_t collisions = 0;
  /// Lines of which all steps together read a part.
  int64_t broken = 0;
  bool fits = true;
};

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
  SmallVector<std::string> explain() override;
  std::string explainRegisters();
  std::string explainBytes();
  std::string explainWorkers();

  int64_t getSpan(unsigned index);
  unsigned chooseLaneIndex();
  unsigned chooseThickIndex();
  std::optional<unsigned> chooseSlideIndex();
  bool isTap(unsigned index);
  bool collides(const Operand &operand, int64_t thickness);
  int64_t countOtherTaps(const Operand &operand);
  Step getStep(int64_t vectors, int64_t thickness, int64_t slide);
  double getTileCost(int64_t vectors, int64_t thickness, int64_t slide);
  double getCost(const Choice &choice);
  void chooseTile();
  void chooseUnroll();
  bool goesAlongLanes();
  bool streamsAlongLanes();
  bool isStoredInRow(unsigned index);
  int64_t getOutputBytes();
  void chooseOrder();
  void chooseNear();
  Nest getNest() {
    return {operands,  extents,    registers,   workers, outputs,
            laneIndex, thickIndex, lanesInside, target};
  }
  void choosePrefetch();
  int64_t getTileBytes();
  int64_t getBytes(const Operand &operand);

  /// Where the lanes lie, where a register tile is thick besides, and which
  /// index of the sum slides along that, if any does.
  unsigned laneIndex = 0, thickIndex = 0;
  std::optional<unsigned> slideIndex;
  /// Whether the loop along the lanes is innermost, and whether the output is
  /// contiguous along them.
  bool lanesInside = false, storesInRow = false;
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
  lanesInside = goesAlongLanes();
  storesInRow = isStoredInRow(laneIndex);

  chooseTile();
  chooseUnroll();
  Sizes given(workers), steps(near);
  for (unsigned i = outputs; i < extents.size(); ++i)
    steps[i] = near[i] ? near[i] : unroll[i];
  Nest nest = getNest();
  nest.workers = given;
  llvm::copy(divideWork(nest), workers.begin());
  fitWorkers(nest, stage, steps, workers);
  chooseNear();
  bool isOpen = order.empty();
  if (isOpen)
    chooseOrder();
  if (!prefetch)
    choosePrefetch();
  if (isOpen && prefetch.empty() && streamsAlongLanes()) {
    lanesInside = true;
    chooseOrder();
  }
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

/// Bytes of an element of the output.
int64_t VectorResolver::getOutputBytes() {
  Type element = define.getTarget().getType().getElementType();
  return element.getIntOrFloatBitWidth() / 8;
}

/// Whether the output is contiguous along `index`.
bool VectorResolver::isStoredInRow(unsigned index) {
  SmallVector<SmallVector<int64_t>> identity;
  for (unsigned i = 0; i < outputs; ++i) {
    identity.emplace_back(extents.size(), 0);
    identity.back()[i] = 1;
  }
  return isContiguous(define.getTarget().getType(), identity, index);
}

/// The index of the left side along which the lanes do most: full vectors,
/// operands that are either the same for all lanes or contiguous, and a
/// contiguous output.
unsigned VectorResolver::chooseLaneIndex() {
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
    if (!isStoredInRow(i))
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
Step VectorResolver::getStep(int64_t vectors, int64_t thickness,
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
  // Too few independent sums wait for each other; more are too few where each
  // element serves several taps, as the same sums come shortly one after the
  // other.
  double latency = double(target.getFmaLatency()) * (slide > 1 ? 1.15 : 1);
  double tile = double(step.sums), loads = double(step.loads);
  double sums = double(slide) * std::max(tile, latency);
  // A load takes a little longer than a multiply-add. What does not stay close
  // streams from near memory, some 24 bytes a slot.
  double slots =
      std::max({sums, 1.15 * loads, double(step.streamedBytes) / 24}) +
      0.02 * loads;
  slots += double(step.collisions);
  // Lines of the output of which tiles write parts are fetched for each.
  int64_t bytes = vectors * target.getLanes() * getOutputBytes();
  double parts = 0;
  if (storesInRow && !lanesInside && bytes % kLine)
    parts = 16 * double(thickness);
  // So many places to read from, of which each gives little, take their time.
  constexpr double kBrokenSlots = 5;
  return std::max(steps * slots + 2 * tile + parts + 20,
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
/// body stays small: a long one is slow to compile and spills. Of taps only
/// where the sum has no other index, and then all or none: where each is a
/// step, those outside are left out.
void VectorResolver::chooseUnroll() {
  constexpr int64_t kMaxBody = 256, kMaxTaps = 128;
  int64_t body = 1, taps = 1;
  bool areAll = true;
  for (unsigned i = 0; i < outputs; ++i)
    body *= llvm::divideCeil(registers[i], lanes[i]);
  std::optional<unsigned> largest;
  for (unsigned i = outputs; i < extents.size(); ++i) {
    body *= std::max<int64_t>(unroll[i], 1);
    int64_t step = unroll[i] ? unroll[i] : near[i] ? near[i] : extents[i];
    areAll &= step == extents[i];
    if (!unroll[i] && isTap(i))
      taps *= extents[i];
    else if (!unroll[i] && extents[i] > 1 &&
             (!largest || extents[i] >= extents[*largest]))
      largest = i;
  }
  for (unsigned i = outputs; i < extents.size(); ++i)
    if (!largest && areAll && !unroll[i] && body * taps <= kMaxTaps)
      unroll[i] = extents[i];
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
// Why
//===----------------------------------------------------------------------===//

/// Of the tile that the pattern has, whoever chose it: several indices of the
/// left side that are thick count as one.
std::string VectorResolver::explainRegisters() {
  int64_t vectors = llvm::divideCeil(registers[laneIndex], lanes[laneIndex]);
  int64_t thickness = 1;
  for (unsigned i = 0; i < outputs; ++i)
    if (i != laneIndex)
      thickness *= registers[i];
  int64_t slide = slideIndex ? unroll[*slideIndex] : 1;
  Step step = getStep(vectors, thickness, slide);
  return llvm::formatv(
             "registers: {0} sums, {1} vectors kept and 1 in flight, of {2}; "
             "{3} loads for {4} multiply-adds",
             step.sums, step.kept, target.getVectors(), step.loads,
             step.sums * slide)
      .str();
}

std::string VectorResolver::explainBytes() {
  std::string line = "bytes for a register tile, for a worker's tile:";
  for (const Operand &operand : operands) {
    Sizes tile(registers), worker(workers);
    for (unsigned i = outputs; i < extents.size(); ++i)
      tile[i] = worker[i] = near[i];
    int64_t bytes = operand.getElementBytes();
    line += llvm::formatv(" {0} {1}, {2};", operand.name.getValue(),
                          operand.countBox(tile) * bytes,
                          operand.countBox(worker) * bytes);
  }
  return line + llvm::formatv(" close memory has {0}, near memory {1}",
                              target.getCloseBytes(), target.getNearBytes())
                    .str();
}

std::string VectorResolver::explainWorkers() {
  int64_t tiles = 1;
  std::string unknown;
  for (unsigned i = 0; i < outputs; ++i)
    if (isStatic(i))
      tiles *= llvm::divideCeil(extents[i], workers[i]);
    else
      unknown += " for each " + std::to_string(workers[i]) + " of " + name(i);
  return "workers: " + std::to_string(tiles) +
         (tiles == 1 ? " tile" : " tiles") + unknown;
}

SmallVector<std::string> VectorResolver::explain() {
  if (operands.empty())
    return {explainWorkers()};
  return {explainRegisters(), explainBytes(), explainWorkers()};
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

/// Whether the loop along the lanes is innermost. It is outermost where what
/// varies along them alone is then read again and again from close by; not
/// where all of it is close anyway, or where most of what is read varies along
/// them and along the tile, so that it comes in a row.
bool VectorResolver::goesAlongLanes() {
  int64_t shared = getTileBytes(), streamed = 0;
  for (const Operand &operand : operands)
    if (operand.varies(laneIndex) && operand.varies(thickIndex))
      streamed += getBytes(operand);
  return shared * 2 <= target.getCloseBytes() || streamed > shared;
}

/// Whether it goes inside although what varies along the lanes alone is not
/// close: it then comes from near memory in one stream, which processors
/// foresee, where the few rows of a tile are streams that end soon. These are
/// close for all of the lanes instead. Not where few terms stand between the
/// stores, nor where taps read the rows of a tile before.
bool VectorResolver::streamsAlongLanes() {
  constexpr int64_t kFewTerms = 128;
  Sizes tile(registers), worker(workers);
  int64_t terms = 1, stream = 0, rows = 0;
  for (unsigned i = outputs; i < extents.size(); ++i) {
    terms *= extents[i];
    tile[i] = worker[i] = near[i];
    if ((extents[i] > 1 && isTap(i)) || near[i] < extents[i])
      return false;
  }
  for (const Operand &operand : operands) {
    if (operand.varies(laneIndex) == operand.varies(thickIndex))
      return false;
    bool isShared = operand.varies(laneIndex);
    (isShared ? stream : rows) +=
        operand.countBox(isShared ? worker : tile) * operand.getElementBytes();
  }
  return terms >= kFewTerms && stream * 2 <= target.getNearBytes() &&
         rows * 2 <= target.getCloseBytes();
}

/// Output indices: the lanes' outside or inside. Sum indices: those of single
/// steps outside, so that the weights of each slice lie in a row; that which
/// slides inside.
void VectorResolver::chooseOrder() {
  auto rank = [&](int64_t index) {
    if (index < static_cast<int64_t>(outputs)) {
      if (index == static_cast<int64_t>(laneIndex))
        return lanesInside ? 3 : 0;
      if (!isStatic(index))
        return -1;
      return index == static_cast<int64_t>(thickIndex) ? 2 : 1;
    }
    if (unroll[index] == 1)
      return 10;
    return slideIndex && index == static_cast<int64_t>(*slideIndex) ? 12 : 11;
  };
  order.clear();
  for (unsigned i = 0; i < extents.size(); ++i)
    order.push_back(i);
  llvm::sort(order, [&](int64_t a, int64_t b) {
    return std::pair(rank(a), a) < std::pair(rank(b), b);
  });
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
    for (const Operand &operand : operands)
      bytes += operand.getCopiedBytes(sizes);
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

/// Weights of which the tiles of a worker go over the same block a few times:
/// the next one comes from far meanwhile. By itself the processor brings a
/// block only as the first pass reads it, which counts where there are not
/// many.
void VectorResolver::choosePrefetch() {
  constexpr double kMany = 16;
  Builder builder(context);
  SmallVector<NamedAttribute> names;
  for (const Operand &operand : operands) {
    bool isFar = operand.isWeight && operand.varies(laneIndex) &&
                 getBytes(operand) > 2 * target.getNearBytes();
    double passes = isFar ? countPasses(getNest(), near, order, operand) : 0;
    if (passes > 1 && passes <= kMany)
      names.push_back(
          builder.getNamedAttr(operand.name, builder.getI64IntegerAttr(kAll)));
  }
  prefetch = DictionaryAttr::get(context, names);
}
