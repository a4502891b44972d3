// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Divides a sum among workers, or among the lanes of one: partial sums in a
// temp, which is near memory if they are of lanes, and a second equation that
// adds them. In: defines with resolved patterns.   Out: the same, whole.

#include "lib/Transforms/Passes.h"
#include "lib/Transforms/Pattern/Resolver.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace sparkle {
#define GEN_PASS_DEF_SPLITSUM
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

namespace {
/// Writes the two equations of one define.
class Splitter {
public:
  Splitter(DefineOp define, TargetAttr target)
      : define(define), target(target), builder(define), loc(define.getLoc()),
        context(define.getContext()), outputs(define.getNumOutputs()),
        rank(define.getIndices().size()) {}

  /// Finds what is divided; false if nothing is.
  FailureOr<bool> find();
  LogicalResult run();

private:
  AffineExpr dim(unsigned index) { return getAffineDimExpr(index, context); }
  TensorOp declareTemp();
  void defineParts(TensorOp temp);
  PatternAttr getPartsPattern();
  PatternAttr getWholePattern(TensorOp temp);
  DefineOp defineWhole(TensorOp temp);
  DefineOp addDefine(Value tensor, ArrayRef<Attribute> indices,
                     ArrayRef<AffineExpr> extents, int64_t reductions,
                     PatternAttr pattern);

  DefineOp define;
  TargetAttr target;
  OpBuilder builder;
  Location loc;
  MLIRContext *context;
  unsigned outputs, rank;

  /// The indices that are divided, how often, and the names of their parts:
  /// those of workers lie one behind the other, those of lanes take turns.
  bool isOfLanes = false;
  SmallVector<unsigned> divided;
  SmallVector<int64_t> counts;
  SmallVector<Attribute> names;
};
} // namespace

FailureOr<bool> Splitter::find() {
  PatternAttr pattern = define.getPatternAttr();
  if (!pattern || !pattern.getWorkers())
    return false;
  SmallVector<int64_t> extents = define.getStaticExtents();
  for (unsigned i = outputs; i < rank; ++i) {
    StringRef name = cast<StringAttr>(define.getIndices()[i]).getValue();
    if (int64_t count = pattern.getLanes()[i]; count > 1) {
      isOfLanes = true;
      divided = {i};
      counts = {count};
      names = {builder.getStringAttr(name + ".lane")};
      return true;
    }
    int64_t part = pattern.getWorkers()[i];
    if (part == 1 || part == extents[i])
      continue;
    if (part <= 0 || extents[i] % part != 0)
      return define.emitOpError("expected a part that divides the sum - run "
                                "'sparkle-resolve-pattern' first");
    divided.push_back(i);
    counts.push_back(extents[i] / part);
    names.push_back(builder.getStringAttr(name + ".part"));
  }
  return !divided.empty();
}

/// One partial sum for each part and each element of the result. Parts are
/// outermost, each laid out like the result; lanes are innermost.
TensorOp Splitter::declareTemp() {
  auto result = define.getTarget().getDefiningOp<TensorOp>();
  StoredTensorType type = result.getType();
  unsigned added = divided.size(), inner = type.getRank();
  SmallVector<int64_t> shape(counts);
  llvm::append_range(shape, type.getShape());
  SmallVector<AffineExpr> extents, layout;
  for (unsigned i = 0; i < added; ++i)
    extents.push_back(getAffineConstantExpr(counts[i], context));
  llvm::append_range(extents, result.getExtents().getResults());
  for (AffineExpr expr : type.getLayout().getResults())
    layout.push_back(expr.shiftDims(inner, added));
  for (unsigned i = 0; i < added; ++i)
    layout.insert(isOfLanes ? layout.end() : layout.begin() + i, dim(i));
  auto stored = StoredTensorType::get(
      context, shape, getScalarType(type.getElementType()),
      AffineMap::get(inner + added, 0, layout, context));
  return TensorOp::create(
      builder, loc, stored, Role::Temp,
      builder.getStringAttr(result.getName() + ".parts"),
      AffineMap::get(0, result.getExtents().getNumSymbols(), extents, context));
}

DefineOp Splitter::addDefine(Value tensor, ArrayRef<Attribute> indices,
                             ArrayRef<AffineExpr> extents, int64_t reductions,
                             PatternAttr pattern) {
  auto map =
      AffineMap::get(0, define.getExtents().getNumSymbols(), extents, context);
  auto added =
      DefineOp::create(builder, loc, tensor, builder.getArrayAttr(indices),
                       reductions, map, pattern);
  added.getBody().emplaceBlock();
  return added;
}

/// The pattern with one more output index for each part, of which a worker has
/// one.
PatternAttr Splitter::getPartsPattern() {
  PatternAttr given = define.getPatternAttr();
  auto shift = [&](DenseI64ArrayAttr list, bool hasLanes = false) {
    SmallVector<int64_t> sizes(divided.size(), 1);
    if (isOfLanes && hasLanes)
      sizes = counts;
    llvm::append_range(sizes, list.asArrayRef());
    // What was one step of all lanes.
    for (auto [i, count] : llvm::zip_equal(divided, counts))
      if (int64_t &size = sizes[divided.size() + i]; isOfLanes)
        size = llvm::divideCeil(size, count);
    return sizes;
  };
  SmallVector<int64_t> workers = shift(given.getWorkers(), true);
  for (unsigned i : divided)
    workers[divided.size() + i] = 1;
  SmallVector<int64_t> order;
  for (unsigned i = 0; i < divided.size(); ++i)
    order.push_back(i);
  for (int64_t i : given.getOrder().asArrayRef())
    order.push_back(static_cast<int64_t>(divided.size()) + i);
  auto list = [&](ArrayRef<int64_t> sizes) {
    return builder.getDenseI64ArrayAttr(sizes);
  };
  return PatternAttr::get(
      context, list(workers), list(shift(given.getNear())), given.getStage(),
      list(shift(given.getRegisters(), true)),
      list(shift(given.getLanes(), true)), list(shift(given.getUnroll())),
      list(order), given.getPrefetch(), given.getOverlap(), given.getFuse(),
      given.getTransform(), given.getMerge());
}

/// t[c.part, ...] = sum(c: ... at c.part * part + c), or
/// t[c.lane, ...] = sum(c: ... at c.lane + c * lanes)
void Splitter::defineParts(TensorOp temp) {
  unsigned added = divided.size();
  SmallVector<Attribute> indices(names);
  llvm::append_range(indices, define.getIndices().getValue());
  SmallVector<AffineExpr> extents, moved;
  for (int64_t count : counts)
    extents.push_back(getAffineConstantExpr(count, context));
  llvm::append_range(extents, define.getExtents().getResults());
  for (unsigned i = 0; i < rank; ++i)
    moved.push_back(dim(added + i));
  for (auto [i, index] : llvm::enumerate(divided)) {
    int64_t extent = define.getStaticExtents()[index];
    int64_t part = llvm::divideCeil(extent, counts[i]);
    extents[added + index] = getAffineConstantExpr(part, context);
    moved[index] = isOfLanes ? dim(i) + dim(added + index) * counts[i]
                             : dim(i) * part + dim(added + index);
  }
  DefineOp parts = addDefine(temp.getResult(), indices, extents,
                             define.getReductions(), getPartsPattern());

  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&parts.getBody().front());
  auto sum = cast<SumOp>(builder.clone(*define.getSum()));
  for (ReadOp read : sum.getBody().getOps<ReadOp>())
    read.setMap(
        read.getMap().replaceDimsAndSymbols(moved, {}, added + rank, 0));
  YieldOp::create(builder, loc, sum->getResults());
}

/// The pattern of what adds up lanes: for a worker's tile when that is there.
PatternAttr Splitter::getWholePattern(TensorOp temp) {
  SmallVector<int64_t> workers(
      define.getPatternAttr().getWorkers().asArrayRef().take_front(outputs));
  workers.append(divided.size(), 1);
  // All lanes of a vector at once, so that they can be added up across it.
  SmallVector<int64_t> slice(outputs, 1);
  llvm::append_range(slice, counts);
  auto unroll = target.getMasked() ? DenseI64ArrayAttr()
                                   : builder.getDenseI64ArrayAttr(slice);
  return PatternAttr::get(context, builder.getDenseI64ArrayAttr(workers), {},
                          builder.getArrayAttr({}), {}, {}, unroll, {}, {}, {},
                          builder.getArrayAttr(temp.getNameAttr()), {}, {});
}

/// y[...] = f(sum(c.part: t[c.part, ...]))
DefineOp Splitter::defineWhole(TensorOp temp) {
  unsigned added = divided.size();
  ArrayRef<Attribute> left = define.getIndices().getValue().take_front(outputs);
  SmallVector<Attribute> indices(left);
  llvm::append_range(indices, names);
  SmallVector<AffineExpr> extents(
      define.getExtents().getResults().take_front(outputs));
  SmallVector<AffineExpr> coordinates;
  for (unsigned i = 0; i < added; ++i) {
    extents.push_back(getAffineConstantExpr(counts[i], context));
    coordinates.push_back(dim(outputs + i));
  }
  for (unsigned i = 0; i < outputs; ++i)
    coordinates.push_back(dim(i));
  DefineOp whole =
      addDefine(define.getTarget(), indices, extents, added, PatternAttr());

  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&whole.getBody().front());
  Type element = temp.getType().getElementType();
  auto sum = SumOp::create(builder, loc, element);
  {
    OpBuilder::InsertionGuard inner(builder);
    builder.createBlock(&sum.getBody());
    Value read = ReadOp::create(
        builder, loc, element, temp.getResult(),
        AffineMap::get(outputs + added, 0, coordinates, context));
    YieldOp::create(builder, loc, read);
  }
  IRMapping mapping;
  mapping.map(define.getSum().getResult(), sum.getResult());
  for (Operation &op : define.getBody().front()) {
    if (isa<SumOp>(op))
      continue;
    Operation *clone = builder.clone(op, mapping);
    // Reads beside the sum are at the left side's indices (read_c3).
    if (auto read = dyn_cast<ReadOp>(clone))
      read.setMap(AffineMap::get(outputs + added, 0, read.getMap().getResults(),
                                 context));
  }
  return whole;
}

LogicalResult Splitter::run() {
  TensorOp temp = declareTemp();
  defineParts(temp);
  DefineOp whole = defineWhole(temp);
  if (isOfLanes)
    whole.setPatternAttr(getWholePattern(temp));
  FailureOr<PatternAttr> pattern = resolvePattern(whole, target);
  if (failed(pattern))
    return failure();
  whole.setPatternAttr(*pattern);
  define.erase();
  return success();
}

namespace {
struct SplitSum : sparkle::impl::SplitSumBase<SplitSum> {
  using Base::Base;

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTargetAttr);
    SmallVector<DefineOp> defines;
    getOperation().walk([&](DefineOp define) { defines.push_back(define); });
    for (DefineOp define : defines) {
      Splitter splitter(define, target);
      FailureOr<bool> found = splitter.find();
      if (succeeded(found) && *found && !target) {
        getOperation().emitError("expected the attribute '")
            << kTargetAttr << "' on the module";
        return signalPassFailure();
      }
      if (failed(found) || (*found && failed(splitter.run())))
        return signalPassFailure();
    }
  }
};
} // namespace
