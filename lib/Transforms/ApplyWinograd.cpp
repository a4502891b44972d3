// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions of 3 or 5 taps along two indices -> the input in another basis,
// products there, and back. In: defines.   Out: three for each rewritten one.

#include "lib/Transforms/Passes.h"
#include "lib/Transforms/Winograd.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/MathExtras.h"

namespace sparkle {
#define GEN_PASS_DEF_APPLYWINOGRAD
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

namespace {
/// An index of the output along which taps slide over the input.
struct Slide {
  unsigned output, tap;
  /// The dimension of the input, and of the weight, that they move along.
  unsigned inputDim, weightDim;
};

/// One equation that may be rewritten.
class Rewriter {
public:
  Rewriter(DefineOp define, TargetAttr target)
      : define(define), target(target), builder(define), loc(define.getLoc()),
        context(define.getContext()), outputs(define.getNumOutputs()),
        extents(define.getStaticExtents()) {}

  /// Finds the parts of the convolution; says why there is none.
  std::optional<std::string> match();
  /// The results of a tile along each slide.
  void setTile(int64_t size) { tile = size; }
  std::optional<std::string> plan();
  bool pays();
  void run();

private:
  AffineExpr dim(unsigned index) { return getAffineDimExpr(index, context); }
  AffineExpr number(int64_t value) {
    return getAffineConstantExpr(value, context);
  }
  std::optional<Slide> findSlide(unsigned inputDim);
  int64_t count(ArrayRef<unsigned> indices);
  double getCost(int64_t tiles, int64_t parts);
  int64_t getTiles(unsigned slide) {
    return llvm::divideCeil(extents[slides[slide].output], tile);
  }
  StringAttr getName(unsigned index) {
    return cast<StringAttr>(define.getIndices()[index]);
  }

  /// Indices of an equation that is added: names, extents, and what each is.
  struct Space {
    SmallVector<Attribute> names;
    SmallVector<AffineExpr> extents;
    unsigned add(Attribute name, AffineExpr extent) {
      names.push_back(name);
      extents.push_back(extent);
      return names.size() - 1;
    }
  };
  /// A number of the matrices' rows, or of tiles, beside the given indices.
  struct Placed {
    Value tensor;
    /// Where each index of the equation stands among the dimensions; and the
    /// four that are added: tiles along both slides, and rows of both.
    SmallVector<std::optional<unsigned>> places;
    unsigned tiles[2], rows[2];
  };
  Placed declareTemp(StringRef suffix, ArrayRef<unsigned> kept,
                     unsigned innermost);
  Value addConstant(ArrayRef<double> values, int64_t rows);
  DefineOp addDefine(Value tensor, const Space &space, unsigned reductions,
                     PatternAttr pattern);
  Value addSum(DefineOp define,
               llvm::function_ref<Value(OpBuilder &)> makeTerm);
  Value read(OpBuilder &at, Value tensor, ArrayRef<AffineExpr> map,
             unsigned count);
  Space getSpace(const Placed &placed);
  PatternAttr getPattern(ArrayRef<int64_t> workers, ArrayRef<int64_t> registers,
                         ArrayRef<int64_t> lanes, ArrayRef<int64_t> unroll,
                         ArrayRef<int64_t> order, ArrayRef<StringRef> fuse,
                         StringAttr transform);

  PatternAttr getInputPattern(unsigned count, unsigned channel);
  SmallVector<int64_t> getProductTile(unsigned count);
  PatternAttr getProductPattern(unsigned count);
  PatternAttr getOutputPattern(unsigned count);
  void defineInput();
  void defineProduct();
  void defineOutput();

  DefineOp define;
  TargetAttr target;
  OpBuilder builder;
  Location loc;
  MLIRContext *context;
  unsigned outputs;
  SmallVector<int64_t> extents;

  ReadOp input, weight;
  SmallVector<Slide, 2> slides;
  /// Indices of the sum beside the taps; of the output, those that the weight
  /// varies along and the input does not.
  SmallVector<unsigned> channels, features;
  int64_t taps = 0, tile = 2;
  /// Whether temps are computed in near memory; then, tiles of a worker along
  /// both slides, and parts of the features.
  bool isFused = false;
  int64_t rows = 1, columns = 1, parts = 1;

  WinogradMatrices matrices;
  Placed inputs, products;
};
} // namespace

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

/// Coordinate `inputDim` of the input as output + tap + constant.
std::optional<Slide> Rewriter::findSlide(unsigned inputDim) {
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
  std::optional<unsigned> weightDim =
      weight.getMap().getResultPosition(dim(*tap));
  if (!weightDim)
    return std::nullopt;
  return Slide{*output, *tap, inputDim, *weightDim};
}

std::optional<std::string> Rewriter::match() {
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
  taps = extents[slides[0].tap];
  if (taps != extents[slides[1].tap] || (taps != 3 && taps != 5))
    return "taps of " + std::to_string(taps) + " by " +
           std::to_string(extents[slides[1].tap]);
  for (const Slide &slide : slides)
    if (ShapedType::isDynamic(extents[slide.output]))
      return "taps along an index that only the call knows";
  auto isTap = [&](unsigned i) {
    return i == slides[0].tap || i == slides[1].tap;
  };
  for (unsigned i = 0; i < extents.size(); ++i) {
    bool ofInput = input.getMap().isFunctionOfDim(i);
    bool ofWeight = weight.getMap().isFunctionOfDim(i);
    if (i < outputs && ofWeight && !ofInput)
      features.push_back(i);
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

int64_t Rewriter::count(ArrayRef<unsigned> indices) {
  int64_t product = 1;
  for (unsigned i : indices)
    product *= extents[i];
  return product;
}

/// Cycles for one tile and all its channels where a worker has `tiles` of them,
/// and a part of the features: two multiply-adds a cycle; transformed weights
/// come from beyond near memory unless it holds them.
double Rewriter::getCost(int64_t tiles, int64_t parts) {
  constexpr double kNearBytes = 24, kFarBytes = 8; // a cycle
  double size = double(matrices.size), lanes = double(target.getLanes());
  double inputs = double(count(channels)), outputs = double(count(features));
  double weights = size * size * inputs * outputs * double(sizeof(float));
  bool isNear = weights * 2 < double(target.getNearBytes());
  double multiply = size * size * inputs * outputs / (2 * lanes);
  double stream = weights / double(tiles) / (isNear ? kNearBytes : kFarBytes);
  // Along one side of the tile, then along the other; half as fast as what only
  // multiplies.
  double in = 2 * size * size * getDensity(matrices.input, matrices.size);
  double out =
      (size + double(tile)) * double(tile) * getDensity(matrices.output, tile);
  return std::max(multiply, stream) +
         (in * inputs * double(parts) + out * outputs) / lanes;
}

/// Chooses the tiles of a worker, and the parts among which the features are
/// divided: the input is transformed anew for each, but near memory holds more
/// tiles, and so weights serve more of them. Says why there are none.
///
/// A grid of lanes has near memory for hardly a tile, and is busy with many at
/// a time: there the temps go far, and each equation has workers and lanes of
/// its own.
std::optional<std::string> Rewriter::plan() {
  matrices = getWinogradMatrices(tile, taps);
  isFused = !target.getMasked();
  if (!isFused)
    return std::nullopt;
  int64_t each = matrices.size * matrices.size * int64_t(sizeof(float));
  int64_t last = extents[features.back()];
  double best = std::numeric_limits<double>::infinity();
  int64_t least = 0;
  for (int64_t divided = 1; divided <= last; divided *= 2) {
    if (divided > 1 &&
        (last % divided != 0 || last / divided % (2 * target.getLanes()) != 0))
      break;
    least = each * (count(channels) + count(features) / divided);
    int64_t most = target.getNearBytes() / least;
    if (most < 1)
      continue;
    int64_t across = std::min(most, getTiles(1));
    int64_t down = std::clamp<int64_t>(most / across, 1, getTiles(0));
    // Work for two threads at least.
    if (divided == 1 && across == getTiles(1) && down > 1)
      down = std::min<int64_t>(down, llvm::divideCeil(getTiles(0), 2));
    double cost = getCost(across * down, divided);
    if (cost >= best)
      continue;
    best = cost;
    columns = across;
    rows = down;
    parts = divided;
  }
  if (best < std::numeric_limits<double>::infinity())
    return std::nullopt;
  return std::to_string(least) + " bytes for one tile";
}

/// Whether it saves a fifth of the time, as the costs have it. They are those
/// of one worker that computes all three equations.
bool Rewriter::pays() {
  if (!isFused)
    return false;
  double sums = double(tile * tile * taps * taps);
  double direct = sums * double(count(channels)) * double(count(features)) /
                  (2 * double(target.getLanes()));
  return getCost(rows * columns, parts) < 0.8 * direct;
}

//===----------------------------------------------------------------------===//
// Parts of the equations
//===----------------------------------------------------------------------===//

/// A temp with the indices `kept`, tiles and rows of the matrices. In memory
/// the rows stand outside of the tiles, so that the products of one row are a
/// product of matrices, and `innermost` inside.
Rewriter::Placed Rewriter::declareTemp(StringRef suffix,
                                       ArrayRef<unsigned> kept,
                                       unsigned innermost) {
  Placed placed;
  placed.places.resize(extents.size());
  SmallVector<AffineExpr> sizes, layout;
  AffineMap given = define.getExtents();
  for (unsigned i : kept) {
    placed.places[i] = sizes.size();
    sizes.push_back(given.getResult(i));
    if (i != innermost)
      layout.push_back(dim(*placed.places[i]));
  }
  for (unsigned i : {0, 1}) {
    placed.tiles[i] = sizes.size();
    sizes.push_back(number(getTiles(i)));
  }
  for (unsigned i : {0, 1}) {
    placed.rows[i] = sizes.size();
    sizes.push_back(number(matrices.size));
  }
  for (unsigned place : {placed.rows[0], placed.rows[1], placed.tiles[0],
                         placed.tiles[1], *placed.places[innermost]})
    layout.push_back(dim(place));
  AffineMap map = AffineMap::get(0, given.getNumSymbols(), sizes, context);
  auto result = define.getTarget().getDefiningOp<TensorOp>();
  auto type =
      StoredTensorType::get(context, staticExtents(map), builder.getF32Type(),
                            AffineMap::get(sizes.size(), 0, layout, context));
  placed.tensor =
      TensorOp::create(builder, loc, type, Role::Temp,
                       builder.getStringAttr(result.getName() + suffix), map);
  return placed;
}

/// The indices of an equation that defines a temp.
Rewriter::Space Rewriter::getSpace(const Placed &placed) {
  AffineMap sizes = placed.tensor.getDefiningOp<TensorOp>().getExtents();
  Space space;
  space.extents.assign(sizes.getResults().begin(), sizes.getResults().end());
  space.names.resize(space.extents.size());
  for (unsigned i = 0; i < extents.size(); ++i)
    if (placed.places[i])
      space.names[*placed.places[i]] = getName(i);
  for (unsigned i : {0, 1}) {
    StringRef name = getName(slides[i].output);
    space.names[placed.tiles[i]] = builder.getStringAttr(name + ".tile");
    space.names[placed.rows[i]] = builder.getStringAttr(name + ".row");
  }
  return space;
}

Value Rewriter::addConstant(ArrayRef<double> values, int64_t rows) {
  int64_t columns = static_cast<int64_t>(values.size()) / rows;
  SmallVector<float> numbers(values.begin(), values.end());
  auto type = RankedTensorType::get({rows, columns}, builder.getF32Type());
  auto stored =
      StoredTensorType::get(context, {rows, columns}, builder.getF32Type(),
                            AffineMap::getMultiDimIdentityMap(2, context));
  return ConstantOp::create(
      builder, loc, stored,
      DenseElementsAttr::get(type, ArrayRef<float>(numbers)));
}

DefineOp Rewriter::addDefine(Value tensor, const Space &space,
                             unsigned reductions, PatternAttr pattern) {
  AffineMap map = AffineMap::get(0, define.getExtents().getNumSymbols(),
                                 space.extents, context);
  auto added =
      DefineOp::create(builder, loc, tensor, builder.getArrayAttr(space.names),
                       reductions, map, pattern);
  added.getBody().emplaceBlock();
  return added;
}

/// A sum of one term at the end of the body.
Value Rewriter::addSum(DefineOp define,
                       llvm::function_ref<Value(OpBuilder &)> makeTerm) {
  OpBuilder at = OpBuilder::atBlockEnd(&define.getBody().front());
  auto sum = SumOp::create(at, loc, at.getF32Type());
  at.createBlock(&sum.getBody());
  Value term = makeTerm(at);
  YieldOp::create(at, loc, term);
  return sum.getResult();
}

Value Rewriter::read(OpBuilder &at, Value tensor, ArrayRef<AffineExpr> map,
                     unsigned count) {
  return ReadOp::create(at, loc, at.getF32Type(), tensor,
                        AffineMap::get(count, 0, map, context));
}

PatternAttr
Rewriter::getPattern(ArrayRef<int64_t> workers, ArrayRef<int64_t> registers,
                     ArrayRef<int64_t> lanes, ArrayRef<int64_t> unroll,
                     ArrayRef<int64_t> order, ArrayRef<StringRef> fuse,
                     StringAttr transform) {
  auto list = [&](ArrayRef<int64_t> sizes) {
    return sizes.empty() ? DenseI64ArrayAttr()
                         : builder.getDenseI64ArrayAttr(sizes);
  };
  return PatternAttr::get(
      context, list(workers), {}, {}, list(registers), list(lanes),
      list(unroll), list(order), {}, {},
      fuse.empty() ? ArrayAttr() : builder.getStrArrayAttr(fuse), transform,
      /*merge=*/{});
}

//===----------------------------------------------------------------------===//
// The equations
//===----------------------------------------------------------------------===//

/// One line of lanes along the channels, and all rows of a tile at once.
PatternAttr Rewriter::getInputPattern(unsigned count, unsigned channel) {
  SmallVector<int64_t> registers(count, 1), lanes(count, 1), unroll(count, 1);
  unsigned rank = count - 2;
  lanes[channel] = std::min(target.getLanes(), extents[channels.back()]);
  registers[channel] = lanes[channel];
  SmallVector<int64_t> order;
  for (unsigned i = 0; i < rank; ++i)
    if (i != channel)
      order.push_back(i);
  order.push_back(channel);
  for (unsigned i : {0, 1}) {
    registers[inputs.rows[i]] = matrices.size;
    unroll[rank + i] = matrices.size;
    order.push_back(rank + i);
  }
  return getPattern({}, registers, lanes, unroll, order, {}, {});
}

/// input[n, c, tile.., row..] = sum(r, s: B[row, r] * B[row, s] * x[tile +
/// r..])
void Rewriter::defineInput() {
  SmallVector<unsigned> kept;
  for (unsigned i = 0; i < extents.size(); ++i)
    if (input.getMap().isFunctionOfDim(i) &&
        llvm::none_of(slides, [&](const Slide &slide) {
          return i == slide.output || i == slide.tap;
        }))
      kept.push_back(i);
  unsigned innermost = channels.back();
  inputs = declareTemp(".input", kept, innermost);
  Value basis = addConstant(matrices.input, matrices.size);

  Space space = getSpace(inputs);
  unsigned rank = space.names.size(), count = rank + 2;
  for (const Slide &slide : slides)
    space.add(getName(slide.tap), number(matrices.size));
  SmallVector<AffineExpr> moved(extents.size(), number(0));
  for (unsigned i : kept)
    moved[i] = dim(*inputs.places[i]);
  for (unsigned i : {0, 1}) {
    moved[slides[i].output] = dim(inputs.tiles[i]) * tile;
    moved[slides[i].tap] = dim(rank + i);
  }

  PatternAttr pattern;
  if (isFused)
    pattern = getInputPattern(count, *inputs.places[innermost]);
  DefineOp added = addDefine(inputs.tensor, space, 2, pattern);
  Value sum = addSum(added, [&](OpBuilder &at) {
    Value factors[2];
    for (unsigned i : {0, 1})
      factors[i] = read(at, basis, {dim(inputs.rows[i]), dim(rank + i)}, count);
    Value element = ReadOp::create(
        at, input.getLoc(), input.getType(), input.getTensor(),
        input.getMap().replaceDimsAndSymbols(moved, {}, count, 0));
    Value both = arith::MulFOp::create(at, loc, factors[0], factors[1]);
    return arith::MulFOp::create(at, loc, both, element).getResult();
  });
  OpBuilder end = OpBuilder::atBlockEnd(&added.getBody().front());
  YieldOp::create(end, loc, sum);
}

/// A register tile that holds all tiles of the picture, so that weights, which
/// come from far for these few, are read once. None if one row holds them
/// anyhow, if they are too many, or leave no room for enough sums.
SmallVector<int64_t> Rewriter::getProductTile(unsigned count) {
  if (rows == 1 || rows < getTiles(0) || columns < getTiles(1))
    return {};
  unsigned feature = features.back();
  // One tile's element in flight; of 32 registers two to spare.
  int64_t room = target.getVectors() - 1 - (target.getVectors() > 16 ? 2 : 0);
  for (int64_t vectors : {4, 3}) {
    int64_t size = vectors * target.getLanes();
    if (vectors * (rows * columns + 1) > room ||
        extents[feature] / parts % size != 0)
      continue;
    SmallVector<int64_t> registers(count, 1);
    registers[*products.places[feature]] = size;
    registers[products.tiles[0]] = rows;
    registers[products.tiles[1]] = columns;
    return registers;
  }
  return {};
}

/// The rows outside: of each, a product of matrices.
PatternAttr Rewriter::getProductPattern(unsigned count) {
  unsigned rank = count - channels.size();
  SmallVector<int64_t> order;
  for (unsigned i = 0; i < rank; ++i)
    if (!llvm::is_contained(products.rows, i) &&
        !llvm::is_contained(products.tiles, i) &&
        llvm::none_of(features,
                      [&](unsigned f) { return products.places[f] == i; }))
      order.push_back(i);
  llvm::append_range(order, products.rows);
  for (unsigned i : features)
    order.push_back(*products.places[i]);
  llvm::append_range(order, products.tiles);
  for (unsigned i = rank; i < count; ++i)
    order.push_back(i);
  StringRef name = inputs.tensor.getDefiningOp<TensorOp>().getName();
  return getPattern({}, getProductTile(count), {}, {}, order, {name}, {});
}

/// product[n, k, tile.., row..] = sum(c: input[n, c, ..] * (G w)[k, c, row..])
void Rewriter::defineProduct() {
  auto source = weight.getTensor();
  StoredTensorType from = source.getType();
  SmallVector<int64_t> shape(from.getShape()), dims;
  for (const Slide &slide : slides) {
    dims.push_back(slide.weightDim);
    shape[slide.weightDim] = matrices.size;
  }
  llvm::sort(dims);
  auto type =
      RankedTensorType::get({matrices.size, taps}, builder.getF64Type());
  Value changed = TransformOp::create(
      builder, loc,
      StoredTensorType::get(
          context, shape, from.getElementType(),
          AffineMap::getMultiDimIdentityMap(shape.size(), context)),
      source, builder.getDenseI64ArrayAttr(dims),
      DenseElementsAttr::get(type, ArrayRef<double>(matrices.weight)));

  SmallVector<unsigned> kept;
  for (unsigned i = 0; i < outputs; ++i)
    if (i != slides[0].output && i != slides[1].output)
      kept.push_back(i);
  products = declareTemp(".product", kept, features.back());
  Space space = getSpace(products);
  unsigned rank = space.names.size();
  unsigned count = rank + channels.size();
  SmallVector<AffineExpr> moved(extents.size(), number(0));
  for (unsigned i : kept)
    moved[i] = dim(*products.places[i]);
  for (unsigned i : channels)
    moved[i] = dim(space.add(getName(i), define.getExtents().getResult(i)));

  DefineOp added =
      addDefine(products.tensor, space, channels.size(),
                isFused ? getProductPattern(count) : PatternAttr());
  Value sum = addSum(added, [&](OpBuilder &at) {
    SmallVector<AffineExpr> element(
        inputs.tensor.getDefiningOp<TensorOp>().getType().getRank());
    for (auto [i, place] : llvm::enumerate(inputs.places))
      if (place)
        element[*place] = moved[i];
    SmallVector<AffineExpr> factor;
    for (AffineExpr expr : weight.getMap().getResults())
      factor.push_back(expr.replaceDims(moved));
    for (unsigned i : {0, 1}) {
      element[inputs.tiles[i]] = dim(products.tiles[i]);
      element[inputs.rows[i]] = dim(products.rows[i]);
      factor[slides[i].weightDim] = dim(products.rows[i]);
    }
    Value x = read(at, inputs.tensor, element, count);
    Value w = read(at, changed, factor, count);
    return arith::MulFOp::create(at, loc, x, w).getResult();
  });
  OpBuilder end = OpBuilder::atBlockEnd(&added.getBody().front());
  YieldOp::create(end, loc, sum);
}

/// As many tiles of a worker as was planned, one line of lanes along the
/// features; or what was asked for alone.
PatternAttr Rewriter::getOutputPattern(unsigned count) {
  auto asked =
      builder.getStringAttr("winograd " + Twine(tile) + "x" + Twine(tile));
  if (!isFused)
    return getPattern({}, {}, {}, {}, {}, {}, asked);
  SmallVector<int64_t> workers(count, 1), registers(count, 1), lanes(count, 1),
      unroll(count, 1), order;
  // One image, one group; all features but for the parts of the last.
  for (unsigned i : features)
    workers[i] = extents[i];
  int64_t tiles[] = {rows, columns};
  unsigned feature = features.back();
  workers[feature] = extents[feature] / parts;
  lanes[feature] = std::min(target.getLanes(), extents[feature]);
  registers[feature] = lanes[feature];
  for (unsigned i = 0; i < outputs; ++i)
    if (i != feature)
      order.push_back(i);
  order.push_back(feature);
  for (unsigned i : {0, 1}) {
    workers[slides[i].output] = tiles[i] * tile;
    registers[slides[i].output] = tile;
    unroll[outputs + i] = matrices.size;
    order.push_back(outputs + i);
  }
  StringRef name = products.tensor.getDefiningOp<TensorOp>().getName();
  return getPattern(workers, registers, lanes, unroll, order, {name}, asked);
}

/// y[n, k, p, q] = f(sum(row..: A[p % m, row] * A[q % m, row] * product[...]))
void Rewriter::defineOutput() {
  Value basis = addConstant(matrices.output, tile);
  Space space;
  for (unsigned i = 0; i < outputs; ++i)
    space.add(getName(i), define.getExtents().getResult(i));
  unsigned count = outputs + 2;
  for (const Slide &slide : slides)
    space.add(builder.getStringAttr(getName(slide.output).getValue() + ".row"),
              number(matrices.size));

  DefineOp added =
      addDefine(define.getTarget(), space, 2, getOutputPattern(count));
  Value sum = addSum(added, [&](OpBuilder &at) {
    SmallVector<AffineExpr> element(
        products.tensor.getDefiningOp<TensorOp>().getType().getRank());
    for (auto [i, place] : llvm::enumerate(products.places))
      if (place)
        element[*place] = dim(i);
    Value factors[2];
    for (unsigned i : {0, 1}) {
      AffineExpr at2 = dim(slides[i].output);
      element[products.tiles[i]] = at2.floorDiv(tile);
      element[products.rows[i]] = dim(outputs + i);
      factors[i] = read(at, basis, {at2 % tile, dim(outputs + i)}, count);
    }
    Value both = arith::MulFOp::create(at, loc, factors[0], factors[1]);
    Value product = read(at, products.tensor, element, count);
    return arith::MulFOp::create(at, loc, both, product).getResult();
  });
  // What the equation does besides.
  IRMapping mapping;
  mapping.map(define.getSum().getResult(), sum);
  OpBuilder end = OpBuilder::atBlockEnd(&added.getBody().front());
  for (Operation &op : define.getBody().front()) {
    if (isa<SumOp>(op))
      continue;
    Operation *clone = end.clone(op, mapping);
    if (auto epilogue = dyn_cast<ReadOp>(clone))
      epilogue.setMap(
          AffineMap::get(count, 0, epilogue.getMap().getResults(), context));
  }
}

void Rewriter::run() {
  defineInput();
  defineProduct();
  defineOutput();
  define.erase();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct ApplyWinograd : sparkle::impl::ApplyWinogradBase<ApplyWinograd> {
  using Base::Base;

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTargetAttr);
    SmallVector<DefineOp> defines;
    getOperation().walk([&](DefineOp define) { defines.push_back(define); });
    for (DefineOp define : defines)
      if (failed(rewrite(define, target)))
        signalPassFailure();
  }

private:
  LogicalResult rewrite(DefineOp define, TargetAttr target);
};
} // namespace

LogicalResult ApplyWinograd::rewrite(DefineOp define, TargetAttr target) {
  PatternAttr pattern = define.getPatternAttr();
  StringRef asked = pattern && pattern.getTransform()
                        ? pattern.getTransform().getValue()
                        : StringRef();
  if (asked.empty() || asked == "none")
    return success();
  if (!target)
    return getOperation().emitError("expected the attribute '")
           << kTargetAttr << "' on the module";
  Location loc = define.getPatternLoc("transform");
  Rewriter rewriter(define, target);
  std::optional<std::string> reason = rewriter.match();
  if (asked == "auto") {
    // As accurate as the sum, unlike 4x4.
    rewriter.setTile(2);
    if (!reason && !rewriter.plan() && rewriter.pays())
      rewriter.run();
    else
      define.removePatternAttr();
    return success();
  }
  if (reason)
    return emitError(loc) << "expected a convolution of 3x3 or 5x5 taps, each "
                             "element by the next one, for '"
                          << asked << "', but got " << *reason;
  rewriter.setTile(asked == "winograd 4x4" ? 4 : 2);
  reason = rewriter.plan();
  if (reason)
    return emitError(loc) << "expected tiles of at most "
                          << target.getNearBytes()
                          << " bytes of near memory for '" << asked
                          << "', but got " << *reason;
  rewriter.run();
  return success();
}
