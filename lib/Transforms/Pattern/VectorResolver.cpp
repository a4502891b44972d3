// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What there is to choose from, and the search for what costs least.

#include "lib/Transforms/Pattern/VectorResolver.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace sparkle;

std::unique_ptr<Resolver> sparkle::makeVectorResolver(DefineOp define,
                                                      TargetAttr target) {
  return std::make_unique<VectorResolver>(define, target);
}

void VectorResolver::choose() {
  if (lanes.empty()) {
    lanes.assign(extents.size(), 1);
    if (std::optional<unsigned> index = findSummedLanes())
      putLanesAlongSum(*index, target.getLanes());
    else
      lanes[chooseLaneIndex(target.getLanes())] = kAuto;
  }
  // The widest line of lanes is the one that a tile is built around.
  laneIndex = 0;
  for (unsigned i = 0; i < outputs; ++i) {
    if (lanes[i] == kAuto || lanes[i] == kAll)
      lanes[i] = countLanes(i);
    if (lanes[i] >= lanes[laneIndex])
      laneIndex = i;
  }
  if (lanes[laneIndex] == 1)
    laneIndex = chooseLaneIndex(summedLanes ? 1 : target.getLanes());
  thickIndex = chooseThickIndex();
  slideIndex = findSlideIndex(thickIndex);
  chooseRowIndex();
  lanesInside = goesAlongLanes();
  storesInRow = !summedLanes && isStoredInRow(laneIndex);

  copyPictures();
  cutTaps();
  chooseTile();
  chooseUnroll();
  Sizes given(workers), steps(near);
  for (unsigned i = outputs; i < extents.size(); ++i)
    steps[i] = near[i] ? near[i] : unroll[i];
  Nest nest = getNest();
  nest.workers = given;
  llvm::copy(divideWork(nest), workers.begin());
  fitWorkers(nest, stage, steps, workers);
  if (summedLanes)
    keepSumsClose(given);
  chooseNear();
  bool isOpen = order.empty();
  if (isOpen)
    chooseOrder();
  if (!prefetch)
    choosePrefetch();
  if (isOpen && prefetch.empty() && streamsAlongLanes()) {
    lanesInside = true;
    shareOutRows(given);
    // Of divided rows, one thread would go on into what another writes.
    lanesInside = !keepsRows() || workers[laneIndex] >= extents[laneIndex];
    chooseOrder();
  }
}

//===----------------------------------------------------------------------===//
// Register tiles
//===----------------------------------------------------------------------===//

/// The other index along which a register tile is thick: the operands that
/// vary along the lanes are read once for all of it.
unsigned VectorResolver::chooseThickIndex() {
  unsigned best = laneIndex;
  int64_t bestScore = -1;
  for (unsigned i = 0; i < outputs; ++i) {
    if (i == laneIndex || registers[i] == 1)
      continue;
    int64_t reused = llvm::count_if(operands, [&](const Operand &operand) {
      return operand.varies(laneIndex) && !operand.advances(i);
    });
    // Among equals, the innermost that is not trivial.
    int64_t score = 2 * reused + (getSpan(i) > 1 ? 1 : 0);
    if (score >= bestScore) {
      bestScore = score;
      best = i;
    }
  }
  return best;
}

/// Whether all that varies along the lanes is the same for all steps of an
/// index.
bool VectorResolver::servesAll(unsigned index) {
  bool serves = false;
  for (const Operand &operand : operands)
    if (operand.varies(laneIndex)) {
      if (operand.advances(index))
        return false;
      serves = true;
    }
  return serves;
}

/// The index of the sum that slides along one of the left side.
std::optional<unsigned> VectorResolver::findSlideIndex(unsigned index) {
  for (unsigned i = extents.size(); i-- > outputs;)
    for (const Operand &operand : operands)
      if (operand.slides(index, i))
        return i;
  return std::nullopt;
}

/// A third index of a register tile: one along which other taps slide, as what
/// is read for one row of pixels serves the next one, too, unless the pattern
/// divides the sum; or else the innermost other along which nothing varies that
/// varies along the lanes: two rows may divide a picture that one does not.
void VectorResolver::chooseRowIndex() {
  bool isDivided = false;
  for (unsigned i = outputs; i < extents.size(); ++i)
    for (int64_t size : {unroll[i], near[i]})
      isDivided |= size && size != extents[i];
  for (unsigned i = 0; i < outputs; ++i) {
    if (i == laneIndex || i == thickIndex || !isStatic(i) || extents[i] == 1)
      continue;
    std::optional<unsigned> tap = findSlideIndex(i);
    if (slideIndex && !isDivided && tap && tap != slideIndex)
      rowIndex = i, rowTapIndex = tap;
    else if (!rowTapIndex && servesAll(i))
      rowIndex = i;
  }
}

/// Takes all taps of a tile at once where some are not there: of three with
/// stride two, a transposed convolution has one or two for a pixel along each
/// side. The body of a tile of whole periods leaves out the others: those along
/// a row, and with rows of a period the rest, too. Only of few, in few phases,
/// since each weight that is loaded serves the pixels of one alone. Only what
/// the pattern leaves open.
void VectorResolver::cutTaps() {
  constexpr int64_t kFewPhases = 9;
  auto weight = llvm::find_if(
      operands, [](const Operand &operand) { return operand.surplus > 1; });
  if (weight == operands.end() || !slideIndex ||
      !weight->courses[thickIndex].period || unroll[*slideIndex] ||
      !suits(*slideIndex, extents[*slideIndex]))
    return;
  unroll[*slideIndex] = extents[*slideIndex];
  if (!rowTapIndex || unroll[*rowTapIndex] || registers[*rowIndex])
    return;
  int64_t period = weight->courses[*rowIndex].period,
          taps = extents[*rowTapIndex];
  int64_t phases = weight->courses[thickIndex].period * period;
  int64_t weights = phases * extents[*slideIndex] * taps;
  if (!period || phases > kFewPhases || weights > 2 * target.getVectors() ||
      !suits(*rowTapIndex, taps) || !suits(*rowIndex, period))
    return;
  unroll[*rowTapIndex] = taps;
  registers[*rowIndex] = period;
}

/// Whether what varies along the lanes serves several rows of pixels, and near
/// memory holds all that these read, which serves taps, or other lanes, again.
/// Not of pixels that share lines, of which two rows have twice as many; nor
/// where taps have few terms each, as those at the border are told apart for
/// each row. With 32 registers tiles of one row are of sizes enough.
bool VectorResolver::keepsPixels(const RegisterTile &tile) {
  constexpr int64_t kTerms = 32;
  if (target.getVectors() >= 32 || !servesAll(*rowIndex))
    return false;
  int64_t terms = 1;
  for (unsigned i = outputs; i < extents.size() && terms < kTerms; ++i)
    terms *= isTap(i) ? 1 : extents[i];
  if (terms < kTerms)
    return false;
  Sizes sizes(extents);
  std::fill_n(sizes.begin(), outputs, 1);
  sizes[thickIndex] = getSpan(thickIndex);
  sizes[*rowIndex] = tile.rows;
  int64_t bytes = 0;
  for (const Operand &operand : operands) {
    if (operand.varies(laneIndex))
      continue;
    if (operand.advances(thickIndex) &&
        getStride(operand.type, operand.coefficients, thickIndex) <
            kLineBytes / 4)
      return false;
    bytes += operand.countBox(sizes) * operand.getElementBytes();
  }
  return bytes <= target.getNearBytes();
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
  // Groups that lanes read in common may need more to begin with a tile.
  int64_t mostVectors = 4;
  for (const Operand &operand : operands)
    if (int64_t v = getGroups(operand, laneIndex).countVectors(count);
        v <= Groups::kMostVectors)
      mostVectors = std::max(mostVectors, v);
  auto [minV, maxV] = range(
      givenVectors,
      std::min<int64_t>(mostVectors, llvm::divideCeil(laneExtent, count)));
  bool isThick = thickIndex != laneIndex;
  auto [minT, maxT] = range(
      isThick ? registers[thickIndex] : 1,
      isThick ? std::min<int64_t>(target.getVectors(), getSpan(thickIndex))
              : 1);
  // Of vectors that are transposed there are four at a time.
  if (readsAcross(laneIndex))
    maxV = std::max<int64_t>(minV, 1);
  // Along two extents that only the call knows, each of the sizes that are left
  // over along one meets each along the other, in a body of its own.
  if (isThick && !isStatic(laneIndex) && !isStatic(thickIndex)) {
    maxV = std::max<int64_t>(minV, 1);
    maxT = std::max<int64_t>(minT, std::min<int64_t>(maxT, 4));
  }
  SmallVector<int64_t> slides{1};
  if (slideIndex && unroll[*slideIndex])
    slides = {unroll[*slideIndex]};
  else if (slideIndex && extents[*slideIndex] > 1 &&
           suits(*slideIndex, extents[*slideIndex]))
    slides.push_back(extents[*slideIndex]);

  // More rows than two would keep more taps than there are registers.
  auto [minR, maxR] = range(rowIndex ? registers[*rowIndex] : 1, 2);

  bool areKept = false;
  for (int64_t v = minV; v <= maxV; ++v)
    areKept |= keepsGroups(laneIndex, v * count);
  RegisterTile best{minV, minT, slides.front(), minR};
  double bestCost = std::numeric_limits<double>::infinity();
  for (int64_t slide : slides)
    for (int64_t v = minV; v <= maxV; ++v)
      for (int64_t t = minT; t <= maxT; ++t)
        for (int64_t rows = minR; rows <= maxR; ++rows) {
          // A worker's tile that is given consists of whole register tiles.
          if (!registers[laneIndex] &&
              !suits(laneIndex, std::min(v * count, laneExtent)))
            continue;
          if (areKept && !keepsGroups(laneIndex, v * count))
            continue;
          if (isThick && !registers[thickIndex] && !suits(thickIndex, t))
            continue;
          RegisterTile tile{v, t, slide, rows};
          // Not even where no usual picture has a whole one.
          if (!hasConstants && tile.getSums() > target.getVectors())
            continue;
          bool addsRows = rows > 1 && !registers[*rowIndex];
          if (addsRows &&
              !(suits(*rowIndex, rows) &&
                (isStraight(tile) || (slide == 1 && keepsPixels(tile)))))
            continue;
          double cost = getCost(tile);
          if (cost < bestCost)
            best = tile, bestCost = cost;
        }
  if (!registers[laneIndex]) {
    int64_t size = std::min(best.vectors * count, laneExtent);
    while (!suits(laneIndex, size)) // No number of whole vectors does.
      --size;
    registers[laneIndex] = size;
  }
  if (isThick && !registers[thickIndex])
    registers[thickIndex] = best.thickness;
  if (rowIndex && !registers[*rowIndex])
    registers[*rowIndex] = best.rows;
  if (slideIndex && !unroll[*slideIndex])
    unroll[*slideIndex] = best.slide;
  for (int64_t &size : registers)
    if (!size)
      size = 1;
}

/// The tile that the pattern has, whoever chose it: indices of the left side
/// that are thick besides count as one.
VectorResolver::RegisterTile VectorResolver::getTile() {
  RegisterTile tile;
  tile.slide = slideIndex ? unroll[*slideIndex] : 1;
  tile.vectors = llvm::divideCeil(registers[laneIndex], lanes[laneIndex]);
  for (unsigned i = 0; i < outputs; ++i)
    if (i != laneIndex)
      (i == rowIndex ? tile.rows : tile.thickness) *= registers[i];
  return tile;
}

/// Unrolls all of a sum that makes a short body; else a few steps of its
/// largest index, but no taps: where each is a step, those outside are left
/// out.
void VectorResolver::chooseUnroll() {
  RegisterTile tile = getTile();
  bool isWhole = isStraight(tile);
  int64_t body = tile.getSums();
  std::optional<unsigned> largest;
  for (unsigned i = outputs; i < extents.size(); ++i) {
    isWhole &= unroll[i] || !near[i] || near[i] == extents[i];
    body *= std::max<int64_t>(unroll[i], 1);
    if (!unroll[i] && !isTap(i) && extents[i] > 1 &&
        (!largest || extents[i] >= extents[*largest]))
      largest = i;
  }
  for (unsigned i = outputs; i < extents.size(); ++i)
    if (isWhole && !unroll[i] && suits(i, extents[i]))
      unroll[i] = extents[i];
  if (largest && !unroll[*largest]) {
    int64_t most = std::clamp<int64_t>(kMaxBody / body, 1, getStep(tile).block);
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

std::string VectorResolver::explainRegisters() {
  RegisterTile tile = getTile();
  Step step = getStep(tile);
  int64_t steps = tile.rows > 1 && rowTapIndex ? unroll[*rowTapIndex] : 1;
  return llvm::formatv(
             "registers: {0} sums, {1} vectors kept and 1 in flight, of {2}; "
             "{3} loads for {4} multiply-adds",
             tile.getSums(), step.kept, target.getVectors(),
             std::llround(step.loads * double(steps)),
             tile.getSums() * tile.slide * steps)
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
  SmallVector<std::string> lines{explainRegisters(), explainBytes(),
                                 explainWorkers()};
  // Of few, in place, what is read for a tap would be gone for the next one.
  for (const Operand &operand : operands)
    if (isCopied(operand) && countSets(operand))
      lines.push_back(llvm::formatv("copies: neighbours in {0} lie in {1} of "
                                    "{2} sets of close memory",
                                    operand.name.getValue(), countSets(operand),
                                    kSets)
                          .str());
  return lines;
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
    if (operand.varies(laneIndex) && !operand.advances(thickIndex))
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
    if (operand.varies(laneIndex) && operand.advances(thickIndex))
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
    if (operand.varies(laneIndex) == operand.advances(thickIndex))
      return false;
    bool isShared = operand.varies(laneIndex);
    (isShared ? stream : rows) +=
        operand.countBox(isShared ? worker : tile) * operand.getElementBytes();
  }
  return terms >= kFewTerms && stream * 2 <= target.getNearBytes() &&
         rows * 2 <= target.getCloseBytes();
}

/// Divides rows among workers instead of the lanes, whose loop is inside, so
/// that threads do not share what lies in a row. Not where near memory does not
/// hold all of what then streams, and the rows besides if it is so fast that
/// what is further is waited for; nor where rows are too few to divide evenly.
/// What is in `given` stays.
void VectorResolver::shareOutRows(const Sizes &given) {
  constexpr int64_t kEnough = 8;
  int64_t room = target.getNearBytes();
  if (target.getNearWidth() >= kLineBytes)
    room = room * 2 / 3;
  if (workers[laneIndex] >= extents[laneIndex] || !storesInRow ||
      getTileBytes() > room)
    return;
  Nest nest = getNest();
  nest.workers = given;
  Sizes rows = divideWork(nest);
  int64_t tiles = 1;
  for (unsigned i = 0; i < outputs; ++i)
    tiles *= isStatic(i) ? llvm::divideCeil(extents[i], rows[i]) : kEnough;
  if (tiles >= kEnough && rows[laneIndex] == extents[laneIndex])
    llvm::copy(rows, workers.begin());
}

/// Whether near memory holds what a worker reads for a row of register tiles,
/// with all that varies along the lanes, but not the pixels of all its rows:
/// the loop along the lanes then goes around a row, so that pixels come from
/// far once instead of once for each step of that loop.
bool VectorResolver::keepsRowNear() {
  Sizes row(registers), worker(workers);
  row[laneIndex] = workers[laneIndex];
  row[thickIndex] = workers[thickIndex];
  for (unsigned i = outputs; i < extents.size(); ++i)
    row[i] = worker[i] = near[i];
  int64_t ofRow = 0, pixels = 0;
  for (const Operand &operand : operands) {
    ofRow += operand.countBox(row) * operand.getElementBytes();
    if (!operand.varies(laneIndex))
      pixels += operand.countBox(worker) * operand.getElementBytes();
  }
  return workers[laneIndex] > registers[laneIndex] &&
         ofRow <= target.getNearBytes() && pixels > target.getNearBytes();
}

/// Output indices: the lanes' outside, around a row of tiles, or inside. Sum
/// indices: those of single steps outside, so that the weights of each slice
/// lie in a row; that which slides inside.
void VectorResolver::chooseOrder() {
  int lanesRank = lanesInside ? 4 : keepsRowNear() ? 2 : 0;
  auto rank = [&](int64_t index) {
    if (index < static_cast<int64_t>(outputs)) {
      if (index == static_cast<int64_t>(laneIndex))
        return lanesRank;
      if (index == static_cast<int64_t>(thickIndex))
        return 3;
      return isStatic(index) ? 1 : -1;
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
    bool isFar = operand.isPackedAlong(laneIndex) &&
                 getBytes(operand) > 2 * target.getNearBytes();
    double passes = isFar ? countPasses(getNest(), near, order, operand) : 0;
    if (passes > 1 && passes <= kMany)
      names.push_back(
          builder.getNamedAttr(operand.name, builder.getI64IntegerAttr(kAll)));
  }
  prefetch = DictionaryAttr::get(context, names);
}
