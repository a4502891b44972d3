// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of a convolution; the tiles of a worker, by what they cost.

#include "lib/Transforms/WinogradPlan.h"
#include "lib/Transforms/Pattern/Workers.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sparkle;

/// Stands for an extent of a picture that only the call knows. Small, as a
/// weight that many results share costs little whatever is chosen, and one that
/// few share much.
static constexpr int64_t kUsualExtent = 16;

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

/// Coordinate `inputDim` of the input as output + tap + constant.
std::optional<WinogradPlan::Slide> WinogradPlan::findSlide(unsigned inputDim) {
  SmallVector<int64_t> row;
  if (failed(getFlattenedAffineExpr(input.getMap().getResult(inputDim),
                                    extents.size(), 0, &row)) ||
      row.size() != extents.size() + 1)
    return std::nullopt;
  std::optional<unsigned> output, tap;
  for (unsigned i = 0; i < extents.size(); ++i) {
    if (!row[i])
      continue;
    std::optional<unsigned> &place = i < outputs ? output : tap;
    if (row[i] != 1 || place)
      return std::nullopt;
    place = i;
  }
  if (!output || !tap)
    return std::nullopt;
  std::optional<unsigned> weightDim = weight.getMap().getResultPosition(
      getAffineDimExpr(*tap, define.getContext()));
  if (!weightDim)
    return std::nullopt;
  return Slide{*output, *tap, inputDim, *weightDim};
}

std::optional<std::string> WinogradPlan::match() {
  SumOp sum = define.getSum();
  if (!sum)
    return "an equation without a sum";
  auto term =
      sum.getBody().front().getTerminator()->getOperand(0).getDefiningOp();
  auto product = dyn_cast_or_null<arith::MulFOp>(term);
  if (!product)
    return "a sum of what is no product";
  for (Value factor : product->getOperands()) {
    auto read = factor.getDefiningOp<ReadOp>();
    auto tensor =
        read ? read.getTensor().getDefiningOp<TensorOp>() : TensorOp();
    if (!tensor)
      return "a product of what is no element";
    (tensor.getRole() == Role::Weight ? weight : input) = read;
  }
  if (!input || !weight)
    return "no product of an element and one of a weight";
  if (!weight.getMap().isProjectedPermutation() ||
      !weight.getTensor().getType().getElementType().isF32())
    return "a weight that is not of f32, or is not read element by element";
  // A second reader would need the weight as it is.
  if (!weight.getTensor().hasOneUse())
    return "a weight that is read elsewhere, too";

  for (unsigned i = 0; i < input.getMap().getNumResults(); ++i) {
    if (isa<AffineDimExpr>(input.getMap().getResult(i)))
      continue;
    std::optional<Slide> slide = findSlide(i);
    if (!slide)
      return "an input whose coordinates are not an index, or the sum of one "
             "and a tap";
    slides.push_back(*slide);
  }
  if (slides.size() != 2)
    return "taps along " + std::to_string(slides.size()) + " indices";
  // Tiles and transforms take their place everywhere.
  for (const Slide &slide : slides)
    for (unsigned index : {slide.output, slide.tap})
      if (llvm::count_if(input.getMap().getResults(), [&](AffineExpr expr) {
            return expr.isFunctionOfDim(index);
          }) != 1)
        return "an index that slides, or a tap, in two coordinates of the "
               "input";
  if (llvm::any_of(slides, [&](const Slide &slide) {
        return weight.getMap().isFunctionOfDim(slide.output);
      }))
    return "a weight that varies along an index that slides";
  taps = extents[slides[0].tap];
  if (taps != extents[slides[1].tap] || (taps != 3 && taps != 5))
    return "taps of " + std::to_string(taps) + " by " +
           std::to_string(extents[slides[1].tap]);
  for (const Slide &slide : slides)
    if (ShapedType::isDynamic(extents[slide.output])) {
      extents[slide.output] = kUsualExtent;
      isSized = false;
    }
  auto isTap = [&](unsigned i) {
    return i == slides[0].tap || i == slides[1].tap;
  };
  for (unsigned i = 0; i < extents.size(); ++i) {
    bool ofInput = input.getMap().isFunctionOfDim(i);
    bool ofWeight = weight.getMap().isFunctionOfDim(i);
    if (i < outputs && ofWeight && !ofInput)
      features.push_back(i);
    if (i < outputs && !ofWeight && i != slides[0].output &&
        i != slides[1].output)
      image = i;
    if (i >= outputs && !isTap(i) && ofInput && ofWeight)
      channels.push_back(i);
    else if (i >= outputs && !isTap(i))
      return "an index of the sum that one factor does not vary along";
  }
  if (features.empty() || channels.empty())
    return "no channels to multiply with each other";
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// What it costs
//===----------------------------------------------------------------------===//

/// How often a row of the matrix multiplies or adds, on average.
static double getDensity(ArrayRef<double> matrix, int64_t rows) {
  return double(llvm::count_if(matrix, [](double x) { return x != 0; })) /
         double(rows);
}

int64_t WinogradPlan::count(ArrayRef<unsigned> indices) const {
  int64_t product = 1;
  for (unsigned i : indices)
    product *= extents[i];
  return product;
}

int64_t WinogradPlan::getTiles(unsigned slide) const {
  return llvm::divideCeil(extents[slides[slide].output], tile);
}

double WinogradPlan::getWeightBytes(bool isHalf) const {
  return double(matrices.size * (isHalf ? taps : matrices.size)) *
         double(count(channels)) * double(count(features)) *
         double(sizeof(float));
}

/// Tiles whose products, of a row of the matrix each, are summed up at once
/// where the weight is packed as half transformed: beside them are the taps,
/// what they have in common, and what is made of them.
int64_t WinogradPlan::getHalfTiles() const {
  return (target.getVectors() - taps - 4) / matrices.size;
}

/// Of a row, where a worker has at most `most`: all, or parts as alike as sizes
/// are that register tiles of four or six divide.
int64_t WinogradPlan::getTilesAcross(int64_t most) const {
  int64_t all = getTiles(1);
  if (all <= most)
    return all;
  uint64_t part = llvm::divideCeil(all, llvm::divideCeil(all, most));
  uint64_t size = std::min(llvm::alignTo(part, 6), llvm::alignTo(part, 4));
  return std::min(most, int64_t(size));
}

/// Bytes of the temps of one tile.
int64_t WinogradPlan::getTempBytes(int64_t parts) const {
  return matrices.size * matrices.size * int64_t(sizeof(float)) *
         (count(channels) + count(features) / parts);
}

/// Bytes of weights that a cache of all cores keeps from worker to worker.
static constexpr double kShared = 12 << 20;

/// Whether products wait for the weight, as two vectors of 16 lanes are
/// multiplied and added in a cycle: a weight whose transform no cache keeps, or
/// one that near memory does not hold and that serves few results.
bool WinogradPlan::waitsForWeight() const {
  constexpr double kFew = 256;
  double weight = double(taps * taps) * double(count(channels)) *
                  double(count(features)) * double(sizeof(float));
  double results = double(getImages()) * double(extents[slides[0].output] *
                                                extents[slides[1].output]);
  return target.getLanes() >= 16 && target.getNearWidth() >= 64 &&
         (weight > kShared / 4 ||
          (weight > double(target.getNearBytes()) && results <= kFew));
}

/// Whether packing the weight as half transformed may pay. Each product takes
/// an element of its own, which has to come out of memory as it is multiplied,
/// as with 16 lanes.
bool WinogradPlan::mayPackHalf() const {
  return target.getLanes() >= 16 && 2 * taps <= matrices.size &&
         (getWeightBytes(false) > kShared || waitsForWeight());
}

/// Vectors that are multiplied and added in a cycle.
double WinogradPlan::getRate() const {
  return target.getLanes() < 16 || waitsForWeight() ? 2 : 1;
}

/// How many images share the weights; two if only the call knows, as a worker
/// of two computes one as fast.
int64_t WinogradPlan::getImages() const {
  if (!image)
    return 1;
  return ShapedType::isDynamic(extents[*image]) ? 2 : extents[*image];
}

/// Cycles in which `products` of a channel and a feature are added up for all
/// channels and whole vectors of features.
double WinogradPlan::getMultiplyCost(double products) const {
  return products * double(count(channels)) *
         double(llvm::divideCeil(count(features), target.getLanes())) /
         getRate();
}

/// Cycles for one tile and all its channels where a worker has `down` rows of
/// `across` tiles of each of `images` and a part of the features. Weights come
/// from near memory if that holds them; else the first worker brings a part's
/// from afar, and where they are few the others find them in a cache that cores
/// share. Temps that near memory does not hold go there and come back. A weight
/// that is packed as half transformed takes some more for each product. Of many
/// cores those that have no worker cost as much.
double WinogradPlan::getCost(int64_t images, int64_t down, int64_t across,
                             int64_t parts, bool isHalf) const {
  // Bytes of a cycle.
  bool waits = waitsForWeight();
  double kNearBytes = waits ? 64 : 32, kSharedBytes = waits ? 24 : 16;
  constexpr double kFarBytes = 8;
  double size = double(matrices.size), lanes = double(target.getLanes());
  double inputs = double(count(channels)), outputs = double(count(features));
  double tiles = double(images * down * across);
  double near = double(target.getNearBytes());
  constexpr double kHalf = 1.2;
  double multiply = getMultiplyCost(size * size) * (isHalf ? kHalf : 1);
  double weights = getWeightBytes(isHalf);
  double passes = 1 / tiles;
  double all = double(images * getTiles(0) * getTiles(1));
  // Threads that bring all weights wait longer than those that share them out.
  double first = (parts == 1 ? 1.15 : 1.0) / all;
  double again = std::max(passes - 1 / all, 0.0);
  double stream = weights * 2 < near ? passes / kNearBytes
                  : weights / double(parts) <= kShared
                      ? first / kFarBytes + again / kSharedBytes
                      : passes / kFarBytes;
  // Of the register tiles that read a block of weights, the first waits for it.
  int64_t summed = isHalf                     ? getHalfTiles()
                   : target.getVectors() > 16 ? 6
                                              : 4; // tiles
  double each =
      multiply / double(images * down * llvm::divideCeil(across, summed));
  double temps = double(getTempBytes(parts)), spill = 0;
  if (temps * tiles > near)
    spill = 2 * temps * double(parts) / kNearBytes;
  // Along one side of the tile, then along the other.
  double in = 2 * size * size * getDensity(matrices.input, matrices.size);
  double out =
      (size + double(tile)) * double(tile) * getDensity(matrices.output, tile);
  int64_t workers = getImages() / images * parts *
                    llvm::divideCeil(getTiles(0), down) *
                    llvm::divideCeil(getTiles(1), across);
  double busy = hasManyCores(target) ? getBusyPart(target, workers) : 1;
  return (multiply - each + std::max(each, weights * stream) + spill +
          (in * inputs * double(parts) + out * outputs) / lanes) /
         busy;
}

/// Chooses the tiles of a worker, and the parts among which the features are
/// divided: the input is transformed anew for each, but near memory holds more
/// tiles, and so weights serve more of them. Says why there are none.
///
/// A grid of lanes has near memory for hardly a tile, and is busy with many at
/// a time: there the temps go far, and each equation has workers and lanes of
/// its own.
std::optional<std::string> WinogradPlan::choose(int64_t size) {
  tile = size;
  matrices = getWinogradMatrices(tile, taps);
  isFused = !target.getMasked();
  if (!isFused)
    return std::nullopt;
  SmallVector<int64_t> rooms = {target.getNearBytes(), target.getTempBytes()};
  // Smaller workers keep many cores busy.
  if (hasManyCores(target))
    for (int64_t room = rooms[0] / 2; room > 0; room /= 2)
      rooms.push_back(room);
  int64_t last = extents[features.back()];
  double best = std::numeric_limits<double>::infinity();
  int64_t least = 0;
  for (int64_t divided = 1; divided <= last; divided *= 2) {
    if (divided > 1 &&
        (last % divided != 0 || last / divided % (2 * target.getLanes()) != 0))
      break;
    least = getTempBytes(divided);
    for (int64_t room : rooms) {
      int64_t most = room / least;
      if (most < 1)
        continue;
      int64_t across = getTilesAcross(most);
      int64_t down = std::clamp<int64_t>(most / across, 1, getTiles(0));
      // Work for two threads at least.
      if (divided == 1 && across == getTiles(1) && down > 1)
        down = std::min<int64_t>(down, llvm::divideCeil(getTiles(0), 2));
      // Several images where no cache keeps the weights from one to the next;
      // no fewer workers than there are images.
      int64_t whole = 1;
      if (across == getTiles(1) && down == getTiles(0) &&
          getWeightBytes(false) > kShared)
        whole = std::clamp<int64_t>(most / (across * down), 1, divided);
      while (getImages() % whole != 0)
        --whole;
      for (bool isHalf : {false, true}) {
        if (isHalf && !mayPackHalf())
          continue;
        double cost = getCost(whole, down, across, divided, isHalf);
        if (cost >= best)
          continue;
        best = cost;
        images = whole;
        columns = across;
        rows = down;
        parts = divided;
        isHalfPacked = isHalf;
      }
    }
  }
  if (best < std::numeric_limits<double>::infinity())
    return std::nullopt;
  return std::to_string(least) + " bytes for one tile";
}

double WinogradPlan::getChosenCost() const {
  return getCost(images, rows, columns, parts, isHalfPacked);
}

/// The costs are those of one worker that computes all three equations.
bool WinogradPlan::pays() const {
  if (!isFused)
    return false;
  double sums = double(tile * tile * taps * taps);
  return getChosenCost() < 0.8 * getMultiplyCost(sums);
}

bool WinogradPlan::chooseCheapest(int64_t most) {
  double least = std::numeric_limits<double>::infinity();
  std::optional<int64_t> best;
  for (int64_t size = 2; size <= most; size *= 2) {
    if (choose(size) || !pays())
      continue;
    double cost = getChosenCost() * double(getTiles(0) * getTiles(1));
    if (cost < least) {
      least = cost;
      best = size;
    }
  }
  return best && !choose(*best);
}

/// Weights come from far for these few tiles, and are read once for each
/// register tile: as few of these as leave room for enough sums. Rows one by
/// one are the resolver's, but for weights that no cache keeps.
std::optional<WinogradPlan::ProductTile> WinogradPlan::getProductTile() const {
  if (isHalfPacked) {
    int64_t across = std::min(columns, getHalfTiles());
    return ProductTile{1, std::min(rows, getHalfTiles() / across), across, 1};
  }
  if (!isSized || columns < getTiles(1))
    return std::nullopt;
  // One tile's element in flight; of 32 registers two to spare, and one for the
  // product where it is not added at once.
  bool isLarge = target.getVectors() > 16;
  int64_t spare = isLarge ? 2 : target.keepsProducts() ? 1 : 0;
  int64_t room = target.getVectors() - 1 - spare;
  int64_t last = extents[features.back()] / parts;
  int64_t least = getWeightBytes(false) > kShared ? 1 : 2;
  int64_t most = rows < getTiles(0) ? 1 : rows;
  for (int64_t pictures = images; pictures > 0; --pictures)
    for (int64_t down = most; down >= (pictures > 1 ? rows : least); --down)
      for (int64_t vectors : {4, 3, 2})
        if (images % pictures == 0 && rows % down == 0 &&
            (isLarge || vectors > 2) &&
            vectors * (pictures * down * columns + 1) <= room &&
            last % (vectors * target.getLanes()) == 0)
          return ProductTile{vectors, down, columns, pictures};
  return std::nullopt;
}
