// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Computes what two constants make of a tile, one constant after the other.
// In: the tiled level.   Out: the same with a box between them.

#include "lib/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

namespace sparkle {
#define GEN_PASS_DEF_SPLITTRANSFORM
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

namespace {
/// An index of the tile, which tells the row of a matrix, and one of the slice,
/// along which it sums.
struct Side {
  unsigned operand, row, column;
};

/// sum(r, s: a[i, r] * b[j, s] * x[..., r, s])
class Splitter {
public:
  explicit Splitter(AccumulateOp op)
      : op(op), builder(op), loc(op.getLoc()),
        rank(op.getType().getShape().size()) {}

  /// Whether `op` is such a sum, of vectors that are transposed from memory, or
  /// of so many that most would be spilled in between anyway: twice as many as
  /// there are registers.
  bool matches(int64_t registers);
  void run();

private:
  bool isProduct();
  bool readsRows();
  std::optional<Side> getSide(unsigned operand);
  AffineMap getMap(unsigned operand) {
    return cast<AffineMapAttr>(op.getMaps()[operand]).getValue();
  }
  TensorOp getTemp(TensorOp result);
  StageOp makeBox();
  void addLoop(const Side &along, int64_t count, const Side &summed,
               Value values, AffineMap map, Value target);

  AccumulateOp op;
  OpBuilder builder;
  Location loc;
  /// Of the tile.
  unsigned rank;
  SmallVector<Side, 2> sides;
  unsigned variable = 0;
};
} // namespace

/// Whether each term is the product of all operands.
bool Splitter::isProduct() {
  Block &body = op.getBody().front();
  return llvm::all_of(body.without_terminator(),
                      [](Operation &mul) {
                        return isa<arith::MulFOp>(mul) && mul.hasOneUse();
                      }) &&
         llvm::all_of(body.getArguments(),
                      [](Value argument) { return argument.hasOneUse(); });
}

/// The side that `operand` is the matrix of.
std::optional<Side> Splitter::getSide(unsigned operand) {
  AffineMap map = getMap(operand);
  if (map.getNumResults() != 2)
    return std::nullopt;
  auto row = dyn_cast<AffineDimExpr>(map.getResult(0));
  auto column = dyn_cast<AffineDimExpr>(map.getResult(1));
  if (!row || !column || row.getPosition() >= rank ||
      column.getPosition() < rank ||
      op.getType().getLanes()[row.getPosition()] != 1)
    return std::nullopt;
  Side side{operand, row.getPosition(), column.getPosition()};
  for (unsigned dim : {side.row, side.column})
    if (getConstantIntValue(op.getAt()[dim]) != 0)
      return std::nullopt;
  return side;
}

/// Whether lanes lie side by side in the memory of what the matrices change.
bool Splitter::readsRows() {
  auto stage = op.getBoxes()[variable].getDefiningOp<StageOp>();
  AffineMap places =
      stage.getTensor().getType().getLayout().compose(getMap(variable));
  ArrayRef<int64_t> lanes = op.getType().getLanes();
  for (unsigned dim = 0; dim < rank; ++dim)
    if (lanes[dim] > 1 && !places.getResults().back().isFunctionOfDim(dim))
      return false;
  return true;
}

bool Splitter::matches(int64_t registers) {
  auto init = op.getSums().getDefiningOp<InitOp>();
  auto store = op->hasOneUse() ? dyn_cast<StoreOp>(*op->user_begin()) : nullptr;
  if (op.getBoxes().size() != 3 || op.getSlice().size() != 2 || !isProduct() ||
      !init || init.getResume() || !init->hasOneUse() || !store ||
      store.getLast() || !store.getReads().empty())
    return false;
  auto target = store.getTensor().getDefiningOp<StageOp>();
  if (!target || target.getRealisation() != Realisation::Compute)
    return false;
  for (auto [operand, box] : llvm::enumerate(op.getBoxes())) {
    auto stage = box.getDefiningOp<StageOp>();
    if (!stage.getTensor().getDefiningOp<ConstantOp>())
      variable = operand;
    else if (std::optional<Side> side = getSide(operand))
      sides.push_back(*side);
  }
  AffineMap map = getMap(variable);
  if (sides.size() != 2 || sides[0].row == sides[1].row ||
      sides[0].column == sides[1].column ||
      llvm::any_of(sides, [&](const Side &side) {
        return map.isFunctionOfDim(side.row);
      }))
    return false;
  TileType tile = op.getType();
  int64_t vectors = 1;
  for (auto [size, lanes] : llvm::zip(tile.getShape(), tile.getLanes()))
    vectors *= llvm::divideCeil(size, lanes);
  return !readsRows() || vectors >= 2 * registers;
}

/// The temp of what the inner matrix makes of each column of the outer one: as
/// `result`, with columns in place of rows. Tiles of all sizes share it.
TensorOp Splitter::getTemp(TensorOp result) {
  std::string name = (result.getName() + ".half").str();
  for (TensorOp known : op->getParentOfType<KernelOp>().getTensors())
    if (known.getName() == name)
      return known;
  unsigned row = sides[0].row;
  int64_t columns = op.getSlice()[sides[0].column - rank];
  MLIRContext *context = builder.getContext();
  StoredTensorType type = result.getType();
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<AffineExpr> extents(result.getExtents().getResults());
  shape[row] = columns;
  extents[row] = builder.getAffineConstantExpr(columns);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfter(result);
  return TensorOp::create(
      builder, loc,
      StoredTensorType::get(context, shape, type.getElementType(),
                            type.getLayout()),
      Role::Temp, builder.getStringAttr(name),
      AffineMap::get(0, result.getExtents().getNumSymbols(), extents, context));
}

/// A tile's box of it, laid out as that of the result.
StageOp Splitter::makeBox() {
  auto store = cast<StoreOp>(*op->user_begin());
  auto target = store.getTensor().getDefiningOp<StageOp>();
  TensorOp temp = getTemp(target.getTensor().getDefiningOp<TensorOp>());
  SmallVector<int64_t> shape(op.getType().getShape());
  shape[sides[0].row] = op.getSlice()[sides[0].column - rank];
  return StageOp::create(builder, loc,
                         BoxType::get(builder.getContext(), shape,
                                      temp.getType().getElementType()),
                         Realisation::Compute, temp.getResult(),
                         op.getAt().take_front(rank), target.getLayoutAttr(),
                         /*overlap=*/false);
}

/// For each of `count` steps along the tile's index of `along`: the sum of
/// what the matrix of `summed` makes of `values`, at `map` of the tile's
/// indices and the one that is summed over.
void Splitter::addLoop(const Side &along, int64_t count, const Side &summed,
                       Value values, AffineMap map, Value target) {
  OpBuilder::InsertionGuard guard(builder);
  auto index = [&](int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value).getResult();
  };
  auto loop = LoopOp::create(builder, loc, TypeRange(), Level::Registers,
                             index(0), index(count), 1, ValueRange());
  Block *block = builder.createBlock(&loop.getBody());
  Value iv = block->addArgument(builder.getIndexType(), loc);

  TileType whole = op.getType();
  SmallVector<int64_t> shape(whole.getShape());
  shape[along.row] = 1;
  auto tile = TileType::get(builder.getContext(), shape, whole.getElementType(),
                            whole.getLanes());
  SmallVector<Value> at(op.getAt().take_front(rank));
  at[along.row] = iv;
  Value sums =
      InitOp::create(builder, loc, tile, Value(), ValueRange(), Value());
  AffineExpr dims[] = {builder.getAffineDimExpr(summed.row),
                       builder.getAffineDimExpr(rank)};
  AffineMap matrix = AffineMap::get(rank + 1, 0, dims, builder.getContext());
  SmallVector<Value> place(at);
  place.push_back(op.getAt()[summed.column]);
  auto half = AccumulateOp::create(
      builder, loc, tile, sums, place, op.getSlice()[summed.column - rank],
      ValueRange{op.getBoxes()[summed.operand], values},
      builder.getAffineMapArrayAttr({matrix, map}), SmallVector<int64_t>{0, 0});
  {
    OpBuilder::InsertionGuard inner(builder);
    Type element = whole.getElementType();
    Block *body = builder.createBlock(&half.getBody(), {}, {element, element},
                                      {loc, loc});
    Value product = arith::MulFOp::create(builder, loc, body->getArgument(0),
                                          body->getArgument(1));
    YieldOp::create(builder, loc, product);
  }
  auto store =
      StoreOp::create(builder, loc, half.getResult(), target, at, ValueRange(),
                      builder.getAffineMapArrayAttr({}), Value());
  {
    OpBuilder::InsertionGuard inner(builder);
    Block *body = builder.createBlock(&store.getBody(), {},
                                      {whole.getElementType()}, {loc});
    YieldOp::create(builder, loc, body->getArgument(0));
  }
  YieldOp::create(builder, loc);
}

void Splitter::run() {
  auto store = cast<StoreOp>(*op->user_begin());
  builder.setInsertionPoint(store);
  const Side &outer = sides[0], &inner = sides[1];
  StageOp box = makeBox();
  MLIRContext *context = builder.getContext();
  auto dim = [&](unsigned i) { return getAffineDimExpr(i, context); };

  // The column of the outer matrix stands where its row will.
  SmallVector<AffineExpr> dims;
  for (unsigned i = 0; i < rank; ++i)
    dims.push_back(dim(i));
  dims.resize(rank + 2);
  dims[outer.column] = dim(outer.row);
  dims[inner.column] = dim(rank);
  addLoop(outer, op.getSlice()[outer.column - rank], inner,
          op.getBoxes()[variable],
          getMap(variable).replaceDimsAndSymbols(dims, {}, rank + 1, 0), box);

  dims.resize(rank);
  dims[outer.row] = dim(rank);
  addLoop(inner, op.getType().getShape()[inner.row], outer, box,
          AffineMap::get(rank + 1, 0, dims, context), store.getTensor());
  auto init = op.getSums().getDefiningOp<InitOp>();
  store.erase();
  op.erase();
  init.erase();
}

namespace {
struct SplitTransform : sparkle::impl::SplitTransformBase<SplitTransform> {
  using Base::Base;

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTargetAttr);
    if (!target || target.getMasked())
      return;
    SmallVector<AccumulateOp> ops;
    getOperation().walk([&](AccumulateOp op) { ops.push_back(op); });
    for (AccumulateOp op : ops)
      if (Splitter splitter(op); splitter.matches(target.getVectors()))
        splitter.run();
  }
};
} // namespace
