// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions of 3 or 5 taps along two indices -> the input in another basis,
// products there, and back. In: defines.   Out: three for each rewritten one.

#include "lib/Transforms/Passes.h"
#include "lib/Transforms/WinogradPlan.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace sparkle {
#define GEN_PASS_DEF_APPLYWINOGRAD
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

namespace {
/// Writes the three equations in place of the one of a plan.
class Rewriter {
public:
  explicit Rewriter(WinogradPlan &plan)
      : plan(plan), define(plan.define), builder(define), loc(define.getLoc()),
        context(define.getContext()) {}

  void run();

private:
  AffineExpr dim(unsigned index) { return getAffineDimExpr(index, context); }
  AffineExpr number(int64_t value) {
    return getAffineConstantExpr(value, context);
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
                         StringAttr transform, DictionaryAttr prefetch = {});

  PatternAttr getInputPattern(unsigned count, unsigned channel);
  PatternAttr getProductPattern(unsigned count);
  PatternAttr getOutputPattern(unsigned count);
  void defineInput();
  void defineProduct();
  void defineOutput();

  WinogradPlan &plan;
  DefineOp define;
  OpBuilder builder;
  Location loc;
  MLIRContext *context;

  Placed inputs, products;
};
} // namespace

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
  placed.places.resize(plan.extents.size());
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
    sizes.push_back(given.getResult(plan.slides[i].output).ceilDiv(plan.tile));
  }
  for (unsigned i : {0, 1}) {
    placed.rows[i] = sizes.size();
    sizes.push_back(number(plan.matrices.size));
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
  for (unsigned i = 0; i < plan.extents.size(); ++i)
    if (placed.places[i])
      space.names[*placed.places[i]] = getName(i);
  for (unsigned i : {0, 1}) {
    StringRef name = getName(plan.slides[i].output);
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
                     StringAttr transform, DictionaryAttr prefetch) {
  auto list = [&](ArrayRef<int64_t> sizes) {
    return sizes.empty() ? DenseI64ArrayAttr()
                         : builder.getDenseI64ArrayAttr(sizes);
  };
  return PatternAttr::get(
      context, list(workers), {}, {}, list(registers), list(lanes),
      list(unroll), list(order), prefetch, {},
      fuse.empty() ? ArrayAttr() : builder.getStrArrayAttr(fuse), transform,
      /*merge=*/{});
}

//===----------------------------------------------------------------------===//
// The equations
//===----------------------------------------------------------------------===//

/// One line of lanes along the channels, and all rows of a tile at once. Of
/// half the lanes if the channels are not whole ones and the body is long: so
/// there is one.
PatternAttr Rewriter::getInputPattern(unsigned count, unsigned channel) {
  SmallVector<int64_t> registers(count, 1), lanes(count, 1), unroll(count, 1);
  unsigned rank = count - 2;
  int64_t channels = plan.extents[plan.channels.back()];
  int64_t most = std::min(plan.target.getLanes(), channels);
  bool isHalf = plan.matrices.size > 6 && channels % most != 0 &&
                channels % (most / 2) == 0;
  lanes[channel] = isHalf ? most / 2 : most;
  registers[channel] = lanes[channel];
  SmallVector<int64_t> order;
  for (unsigned i = 0; i < rank; ++i)
    if (i != channel)
      order.push_back(i);
  order.push_back(channel);
  for (unsigned i : {0, 1}) {
    registers[inputs.rows[i]] = plan.matrices.size;
    unroll[rank + i] = plan.matrices.size;
    order.push_back(rank + i);
  }
  return getPattern({}, registers, lanes, unroll, order, {}, {});
}

/// input[n, c, tile.., row..] = sum(r, s: B[row, r] * B[row, s] * x[tile +
/// r..])
void Rewriter::defineInput() {
  SmallVector<unsigned> kept;
  for (unsigned i = 0; i < plan.extents.size(); ++i)
    if (plan.input.getMap().isFunctionOfDim(i) &&
        llvm::none_of(plan.slides, [&](const WinogradPlan::Slide &slide) {
          return i == slide.output || i == slide.tap;
        }))
      kept.push_back(i);
  unsigned innermost = plan.channels.back();
  inputs = declareTemp(".input", kept, innermost);
  Value basis = addConstant(plan.matrices.input, plan.matrices.size);

  Space space = getSpace(inputs);
  unsigned rank = space.names.size(), count = rank + 2;
  for (const WinogradPlan::Slide &slide : plan.slides)
    space.add(getName(slide.tap), number(plan.matrices.size));
  SmallVector<AffineExpr> moved(plan.extents.size(), number(0));
  for (unsigned i : kept)
    moved[i] = dim(*inputs.places[i]);
  for (unsigned i : {0, 1}) {
    moved[plan.slides[i].output] = dim(inputs.tiles[i]) * plan.tile;
    moved[plan.slides[i].tap] = dim(rank + i);
  }

  PatternAttr pattern;
  if (plan.isFused)
    pattern = getInputPattern(count, *inputs.places[innermost]);
  DefineOp added = addDefine(inputs.tensor, space, 2, pattern);
  Value sum = addSum(added, [&](OpBuilder &at) {
    Value factors[2];
    for (unsigned i : {0, 1})
      factors[i] = read(at, basis, {dim(inputs.rows[i]), dim(rank + i)}, count);
    Value element = ReadOp::create(
        at, plan.input.getLoc(), plan.input.getType(), plan.input.getTensor(),
        plan.input.getMap().replaceDimsAndSymbols(moved, {}, count, 0));
    Value both = arith::MulFOp::create(at, loc, factors[0], factors[1]);
    return arith::MulFOp::create(at, loc, both, element).getResult();
  });
  OpBuilder end = OpBuilder::atBlockEnd(&added.getBody().front());
  YieldOp::create(end, loc, sum);
}

/// The rows outside: of each, a product of matrices.
PatternAttr Rewriter::getProductPattern(unsigned count) {
  unsigned rank = count - plan.channels.size() - plan.isHalfPacked;
  SmallVector<int64_t> order, inner;
  for (unsigned i : plan.features)
    inner.push_back(*products.places[i]);
  if (plan.image)
    inner.push_back(*products.places[*plan.image]);
  llvm::append_range(inner, products.tiles);
  for (unsigned i = 0; i < rank; ++i)
    if (!llvm::is_contained(products.rows, i) && !llvm::is_contained(inner, i))
      order.push_back(i);
  llvm::append_range(order, products.rows);
  llvm::append_range(order, inner);
  for (unsigned i = rank; i < count; ++i)
    order.push_back(i);
  // The other sizes are the resolver's, or all are.
  SmallVector<int64_t> registers, unroll;
  DictionaryAttr prefetch;
  if (std::optional<WinogradPlan::ProductTile> tile = plan.getProductTile()) {
    registers.assign(count, 1);
    registers[*products.places[plan.features.back()]] =
        tile->vectors * plan.target.getLanes();
    registers[products.tiles[0]] = tile->rows;
    registers[products.tiles[1]] = tile->columns;
    if (plan.image)
      registers[*products.places[*plan.image]] = tile->images;
  }
  if (plan.isHalfPacked) {
    registers[products.rows[1]] = plan.matrices.size;
    unroll.assign(count, 1);
    unroll[count - 1] = plan.taps;
    // What comes next is next in memory, which takes some 250 ns to send it.
    constexpr int64_t kAhead = 8 << 10; // bytes
    auto weight = plan.weight.getTensor().getDefiningOp<TensorOp>();
    int64_t step = plan.taps * plan.target.getLanes() * int64_t(sizeof(float));
    prefetch = builder.getDictionaryAttr(builder.getNamedAttr(
        weight.getName(), builder.getI64IntegerAttr(kAhead / step)));
  }
  StringRef name = inputs.tensor.getDefiningOp<TensorOp>().getName();
  return getPattern({}, registers, {}, unroll, order, {name}, {}, prefetch);
}

/// product[n, k, tile.., row..] = sum(c: input[n, c, ..] * (G w)[k, c, row..]),
/// or, where G w is that along the first slide alone, with factors of the
/// other: sum(c, s: H[row, s] * input[n, c, ..] * (G w)[k, c, row, s]).
void Rewriter::defineProduct() {
  auto source = plan.weight.getTensor();
  StoredTensorType from = source.getType();
  SmallVector<int64_t> shape(from.getShape()), dims;
  for (const WinogradPlan::Slide &slide : plan.slides) {
    dims.push_back(slide.weightDim);
    shape[slide.weightDim] = plan.matrices.size;
    if (plan.isHalfPacked)
      break;
  }
  llvm::sort(dims);
  auto type = RankedTensorType::get({plan.matrices.size, plan.taps},
                                    builder.getF64Type());
  Value changed = TransformOp::create(
      builder, loc,
      StoredTensorType::get(
          context, shape, from.getElementType(),
          AffineMap::getMultiDimIdentityMap(shape.size(), context)),
      source, builder.getDenseI64ArrayAttr(dims),
      DenseElementsAttr::get(type, ArrayRef<double>(plan.matrices.weight)));
  Value basis;
  if (plan.isHalfPacked)
    basis = addConstant(moveScales(plan.matrices).weight, plan.matrices.size);

  SmallVector<unsigned> kept;
  for (unsigned i = 0; i < plan.outputs; ++i)
    if (i != plan.slides[0].output && i != plan.slides[1].output)
      kept.push_back(i);
  products = declareTemp(".product", kept, plan.features.back());
  Space space = getSpace(products);
  unsigned rank = space.names.size();
  SmallVector<AffineExpr> moved(plan.extents.size(), number(0));
  for (unsigned i : kept)
    moved[i] = dim(*products.places[i]);
  for (unsigned i : plan.channels)
    moved[i] = dim(space.add(getName(i), define.getExtents().getResult(i)));
  std::optional<unsigned> tap;
  if (plan.isHalfPacked)
    tap = space.add(getName(plan.slides[1].tap), number(plan.taps));
  unsigned count = space.names.size();

  DefineOp added =
      addDefine(products.tensor, space, count - rank,
                plan.isFused ? getProductPattern(count) : PatternAttr());
  Value sum = addSum(added, [&](OpBuilder &at) {
    SmallVector<AffineExpr> element(
        inputs.tensor.getDefiningOp<TensorOp>().getType().getRank());
    for (auto [i, place] : llvm::enumerate(inputs.places))
      if (place)
        element[*place] = moved[i];
    SmallVector<AffineExpr> factor;
    for (AffineExpr expr : plan.weight.getMap().getResults())
      factor.push_back(expr.replaceDims(moved));
    for (unsigned i : {0, 1}) {
      element[inputs.tiles[i]] = dim(products.tiles[i]);
      element[inputs.rows[i]] = dim(products.rows[i]);
      factor[plan.slides[i].weightDim] = dim(products.rows[i]);
    }
    Value x = read(at, inputs.tensor, element, count);
    if (tap) {
      factor[plan.slides[1].weightDim] = dim(*tap);
      Value h = read(at, basis, {dim(products.rows[1]), dim(*tap)}, count);
      x = arith::MulFOp::create(at, loc, h, x);
    }
    Value w = read(at, changed, factor, count);
    return arith::MulFOp::create(at, loc, x, w).getResult();
  });
  OpBuilder end = OpBuilder::atBlockEnd(&added.getBody().front());
  YieldOp::create(end, loc, sum);
}

/// As many tiles of a worker as was planned, one line of lanes along the
/// features; or what was asked for alone.
PatternAttr Rewriter::getOutputPattern(unsigned count) {
  auto asked = builder.getStringAttr("winograd " + Twine(plan.tile) + "x" +
                                     Twine(plan.tile));
  if (!plan.isFused)
    return getPattern({}, {}, {}, {}, {}, {}, asked);
  SmallVector<int64_t> workers(count, 1), registers(count, 1), lanes(count, 1),
      unroll(count, 1), order;
  // One group; all features but for the parts of the last.
  if (plan.image)
    workers[*plan.image] = plan.images;
  for (unsigned i : plan.features)
    workers[i] = plan.extents[i];
  int64_t tiles[] = {plan.rows, plan.columns};
  unsigned feature = plan.features.back();
  workers[feature] = plan.extents[feature] / plan.parts;
  lanes[feature] = std::min(plan.target.getLanes(), plan.extents[feature]);
  registers[feature] = lanes[feature];
  for (unsigned i = 0; i < plan.outputs; ++i)
    if (i != feature)
      order.push_back(i);
  order.push_back(feature);
  for (unsigned i : {0, 1}) {
    workers[plan.slides[i].output] = tiles[i] * plan.tile;
    registers[plan.slides[i].output] = plan.tile;
    unroll[plan.outputs + i] = plan.matrices.size;
    order.push_back(plan.outputs + i);
  }
  StringRef name = products.tensor.getDefiningOp<TensorOp>().getName();
  return getPattern(workers, registers, lanes, unroll, order, {name}, asked);
}

/// y[n, k, p, q] = f(sum(row..: A[p % m, row] * A[q % m, row] * product[...]))
void Rewriter::defineOutput() {
  Value basis = addConstant(plan.matrices.output, plan.tile), late = basis;
  if (plan.isHalfPacked)
    late = addConstant(moveScales(plan.matrices).output, plan.tile);
  Space space;
  for (unsigned i = 0; i < plan.outputs; ++i)
    space.add(getName(i), define.getExtents().getResult(i));
  unsigned count = plan.outputs + 2;
  for (const WinogradPlan::Slide &slide : plan.slides)
    space.add(builder.getStringAttr(getName(slide.output).getValue() + ".row"),
              number(plan.matrices.size));

  DefineOp added =
      addDefine(define.getTarget(), space, 2, getOutputPattern(count));
  added->setDiscardableAttrs(define->getDiscardableAttrDictionary());
  Value sum = addSum(added, [&](OpBuilder &at) {
    SmallVector<AffineExpr> element(
        products.tensor.getDefiningOp<TensorOp>().getType().getRank());
    for (auto [i, place] : llvm::enumerate(products.places))
      if (place)
        element[*place] = dim(i);
    Value factors[2];
    for (unsigned i : {0, 1}) {
      AffineExpr at2 = dim(plan.slides[i].output);
      element[products.tiles[i]] = at2.floorDiv(plan.tile);
      element[products.rows[i]] = dim(plan.outputs + i);
      factors[i] = read(at, i == 0 ? basis : late,
                        {at2 % plan.tile, dim(plan.outputs + i)}, count);
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
  WinogradPlan plan(define, target);
  std::optional<std::string> reason = plan.match();
  int64_t size = asked.ends_with("4x4") ? 4 : 2;
  if (asked.starts_with("auto")) {
    if (!reason && plan.chooseCheapest(size))
      Rewriter(plan).run();
    else
      define.removePatternAttr();
    return success();
  }
  if (reason)
    return emitError(loc) << "expected a convolution of 3x3 or 5x5 taps, each "
                             "element by the next one, for '"
                          << asked << "', but got " << *reason;
  reason = plan.choose(size);
  if (reason)
    return emitError(loc) << "expected tiles of at most "
                          << target.getTempBytes() << " bytes for '" << asked
                          << "', but got " << *reason;
  Rewriter(plan).run();
  return success();
}
