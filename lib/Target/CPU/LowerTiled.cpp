// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lowers the tiled level to LLVM functions, in one walk over each kernel: index
// values become linear forms, tiles lists of vectors, workers OpenMP loops.
// In: tiled sparkle ops.   Out: LLVM and OpenMP dialects only.

#include "lib/Target/CPU/LowerTiled.h"
#include "lib/Target/CPU/CPU.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sparkle::cpu {

/// Multiply-adds below which a team of threads costs more than it saves: about
/// 10 us of one core.
static constexpr uint64_t kWorthwhile = 500000;

//===----------------------------------------------------------------------===//
// The nest
//===----------------------------------------------------------------------===//

LogicalResult KernelLowering::lowerBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(lower(op)))
      return failure();
  for (StageOp op : block.getOps<StageOp>())
    endBox(op);
  return success();
}

LogicalResult KernelLowering::lower(Operation &op) {
  using Result = LogicalResult;
  return llvm::TypeSwitch<Operation *, Result>(&op)
      .Case<WorkersOp, LoopOp, InitOp, AccumulateOp, StoreOp>(
          [&](auto tiled) { return lower(tiled); })
      .Case<StageOp, PrefetchOp>([&](auto tiled) {
        lower(tiled);
        return success();
      })
      .Case([&](ConstantOp constant) {
        memories[constant.getResult()] = describe(constant);
        return success();
      })
      // A worker is one thread: it never waits for itself.
      .Case([](BarrierOp) { return success(); })
      .Default([&](Operation *other) {
        return indices.evaluateOp(*other) ? success() : lowerCondition(*other);
      });
}

/// Values that are no index: conditions, and constants of the arithmetic.
LogicalResult KernelLowering::lowerCondition(Operation &op) {
  if (auto compare = dyn_cast<arith::CmpIOp>(op);
      compare && compare.getLhs().getType().isIndex()) {
    Point sides = indices.getPoint(op.getOperands());
    // Both enumerations list the predicates in the same order.
    scalars[compare] = code.compare(
        static_cast<LLVM::ICmpPredicate>(compare.getPredicate()),
        indices.materialise(sides[0]), indices.materialise(sides[1]));
    return success();
  }
  auto logical = [&](auto make) {
    scalars[op.getResult(0)] =
        make(getScalar(op.getOperand(0)), getScalar(op.getOperand(1)));
    return success();
  };
  if (op.getNumResults() == 1 && op.getResult(0).getType().isInteger(1)) {
    if (isa<arith::AndIOp>(op))
      return logical([&](Value a, Value b) { return code.both(a, b); });
    if (isa<arith::OrIOp>(op))
      return logical([&](Value a, Value b) { return code.any(a, b); });
    if (isa<arith::XOrIOp>(op))
      return logical([&](Value a, Value b) { return code.differ(a, b); });
  }
  if (isa<arith::ConstantOp>(op))
    return success();
  return op.emitError("expected the tiled level of the dialect, but got '")
         << op.getName() << "'";
}

/// A condition or a number as a scalar.
Value KernelLowering::getScalar(Value value) {
  if (Value scalar = scalars.lookup(value))
    return scalar;
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return code.i1(!constant.getValue().isZero());
  return {};
}

LogicalResult KernelLowering::lower(LoopOp op) {
  LinearForm lower = indices.forms.lookup(op.getLower());
  LinearForm upper = indices.forms.lookup(op.getUpper());
  int64_t step = op.getStep();
  LogicalResult result = success();
  auto runBody = [&](const LinearForm &index, ValueRange carried) {
    Indices::Scope scope(indices);
    indices.forms[op.getInductionVar()] = index;
    unsigned next = 0;
    for (BlockArgument tile : op.getCarried()) {
      size_t count = TileVectors(cast<TileType>(tile.getType())).vectors.size();
      tiles[tile] = llvm::to_vector(carried.slice(next, count));
      next += count;
    }
    if (failed(lowerBlock(op.getBody().front())))
      result = failure();
    Code::Values yielded;
    for (Value tile : op.getBody().front().getTerminator()->getOperands())
      llvm::append_range(yielded, tiles[tile]);
    // After an error, anything of the right types.
    return failed(result) ? Code::Values(carried) : yielded;
  };

  Code::Values init, results;
  for (Value tile : op.getInit())
    llvm::append_range(init, tiles[tile]);
  LinearForm extent = upper - lower;
  bool once =
      extent.isConstant() && extent.constant > 0 && extent.constant <= step;
  if (once) {
    results = runBody(lower, init);
  } else {
    results = code.loop(indices.materialise(lower), indices.materialise(upper),
                        step, init, [&](Value value, ValueRange carried) {
                          return runBody(
                              indices.addInduction(value, lower, upper, step),
                              carried);
                        });
  }
  unsigned next = 0;
  for (auto [tile, from] : llvm::zip(op.getResults(), op.getInit())) {
    size_t count = tiles[from].size();
    tiles[tile] = llvm::to_vector(ValueRange(results).slice(next, count));
    next += count;
  }
  return result;
}

void KernelLowering::loopOver(const LinearForm &lower, const LinearForm &upper,
                              int64_t step,
                              function_ref<void(const LinearForm &)> body) {
  LinearForm trips = upper - lower;
  if (trips.isConstant() && trips.constant <= step) {
    if (trips.constant > 0)
      body(lower);
    return;
  }
  code.loop(indices.materialise(lower), indices.materialise(upper), step, {},
            [&](Value value, ValueRange) {
              Indices::Scope scope(indices);
              body(indices.addInduction(value, lower, upper, step));
              return Code::Values();
            });
}

//===----------------------------------------------------------------------===//
// Workers
//===----------------------------------------------------------------------===//

/// What a bound of a loop is made of, as values plus constants: null plus a
/// constant for a constant; the cases of a minimum or a maximum.
static SmallVector<std::pair<Value, int64_t>> getCases(Value bound) {
  IntegerAttr constant;
  if (matchPattern(bound, m_Constant(&constant)))
    return {{Value(), constant.getInt()}};
  SmallVector<std::pair<Value, int64_t>> cases{{bound, 0}};
  AffineMap map;
  Operation *op = bound.getDefiningOp();
  if (auto apply = dyn_cast_or_null<affine::AffineApplyOp>(op))
    map = apply.getAffineMap();
  else if (auto min = dyn_cast_or_null<affine::AffineMinOp>(op))
    map = min.getAffineMap();
  else if (auto max = dyn_cast_or_null<affine::AffineMaxOp>(op))
    map = max.getAffineMap();
  else
    return cases;
  for (AffineExpr expr : map.getResults()) {
    int64_t offset = 0;
    if (auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
        sum && expr.getKind() == AffineExprKind::Add)
      if (auto right = dyn_cast<AffineConstantExpr>(sum.getRHS())) {
        offset = right.getValue();
        expr = sum.getLHS();
      }
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      cases.emplace_back(op->getOperand(dim.getPosition()), offset);
    else if (auto number = dyn_cast<AffineConstantExpr>(expr))
      cases.emplace_back(Value(), number.getValue());
  }
  return cases;
}

/// The most trips that the bounds of a loop are seen to allow; 1 if nothing
/// can be seen.
static int64_t estimateTrips(LoopOp loop) {
  std::optional<int64_t> span;
  for (auto [upper, last] : getCases(loop.getUpper()))
    for (auto [lower, first] : getCases(loop.getLower()))
      if (upper == lower)
        span = std::min(span.value_or(last - first), last - first);
  return llvm::divideCeil(std::max<int64_t>(span.value_or(1), 0),
                          loop.getStep());
}

/// About how many multiply-adds the ops of `region` are.
static uint64_t estimateOperations(Region &region) {
  // Loads, an activation and a store take about as long.
  constexpr int64_t kStore = 16;
  uint64_t count = 0;
  auto countPoints = [&](uint64_t points, ArrayRef<int64_t> extents) {
    for (int64_t extent : extents)
      points = llvm::SaturatingMultiply<uint64_t>(points, extent);
    count = llvm::SaturatingAdd(count, points);
  };
  for (Operation &op : region.front()) {
    if (auto loop = dyn_cast<LoopOp>(op)) {
      countPoints(estimateOperations(loop.getBody()), estimateTrips(loop));
    } else if (auto sum = dyn_cast<AccumulateOp>(op)) {
      SmallVector<int64_t> extents(sum.getType().getShape());
      llvm::append_range(extents, sum.getSlice());
      countPoints(1, extents);
    } else if (auto store = dyn_cast<StoreOp>(op)) {
      countPoints(kStore, store.getSums().getType().getShape());
    }
  }
  return count;
}

LogicalResult KernelLowering::lower(WorkersOp op) {
  SmallVector<LinearForm> extents = indices.evaluateExtents(op.getExtents());
  SmallVector<unsigned> parallel;
  uint64_t operations = estimateOperations(op.getBody());
  // Work that depends on the call, in units of one tile.
  Value tileCount;
  for (auto [dim, step] : llvm::enumerate(op.getSteps())) {
    const LinearForm &extent = extents[dim];
    if (extent.isConstant() && extent.constant <= step)
      continue;
    parallel.push_back(dim);
    if (extent.isConstant()) {
      operations = llvm::SaturatingMultiply<uint64_t>(
          operations, llvm::divideCeil(extent.constant, step));
      continue;
    }
    Value count = indices.materialise(indices.evaluate(
        getAffineDimExpr(0, op.getContext()).ceilDiv(step), extent));
    tileCount = tileCount ? code.mul(tileCount, count) : count;
  }
  if (std::optional<uint64_t> innermost = op.getInnermost())
    if (auto found = llvm::find(parallel, *innermost); found != parallel.end())
      std::rotate(found, found + 1, parallel.end());

  LogicalResult result = success();
  auto body = [&](ValueRange values) {
    Indices::Scope scope(indices);
    for (BlockArgument argument : op.getBody().getArguments())
      indices.forms[argument] = 0;
    for (auto [dim, value] : llvm::zip(parallel, values))
      indices.forms[op.getBody().getArgument(dim)] =
          indices.addInduction(value, 0, extents[dim], op.getSteps()[dim]);
    result = lowerBlock(op.getBody().front());
  };
  bool small = operations < kWorthwhile;
  if (parallel.empty() || (small && !tileCount)) {
    scratch = &code.getInsertionBlock()->getParent()->front();
    runInOrder(op, parallel, extents, {}, body);
    return result;
  }
  Value worthwhile;
  if (small && operations)
    worthwhile =
        code.compare(LLVM::ICmpPredicate::sge, tileCount,
                     code.i64(llvm::divideCeil(kWorthwhile, operations)));
  runParallel(op, parallel, extents, worthwhile, body);
  return result;
}

/// What of a dimension the workers are to compute.
std::pair<Value, Value> KernelLowering::getBounds(unsigned dim,
                                                  const LinearForm &extent) {
  Value end = indices.materialise(extent);
  if (!band.index)
    return {code.i64(0), end};
  Value isBand =
      code.compare(LLVM::ICmpPredicate::eq, band.index, code.i64(dim));
  return {code.select(isBand, band.begin, code.i64(0)),
          code.select(isBand, code.min(band.end, end), end)};
}

/// Loops over the tiles along `dims` on one thread.
void KernelLowering::runInOrder(WorkersOp op, ArrayRef<unsigned> dims,
                                ArrayRef<LinearForm> extents, ValueRange outer,
                                function_ref<void(ValueRange)> body) {
  if (dims.empty())
    return body(outer);
  unsigned dim = dims.front();
  auto [begin, end] = getBounds(dim, extents[dim]);
  code.loop(begin, end, op.getSteps()[dim], {}, [&](Value value, ValueRange) {
    Indices::Scope scope(indices);
    Code::Values values(outer);
    values.push_back(value);
    runInOrder(op, dims.drop_front(), extents, values, body);
    return Code::Values();
  });
}

/// Shares the tiles along `dims` out to a team of threads, unless
/// `worthwhile` is given and false. From the last tile to the first: where they
/// do not divide evenly it is the first threads that get one more, and the last
/// tiles that are cut off.
void KernelLowering::runParallel(WorkersOp op, ArrayRef<unsigned> dims,
                                 ArrayRef<LinearForm> extents, Value worthwhile,
                                 function_ref<void(ValueRange)> body) {
  omp::LoopNestOperands nest;
  Code::Values sums; // Of a tile's begin and that of its mirror image.
  for (unsigned dim : dims) {
    auto [begin, end] = getBounds(dim, extents[dim]);
    int64_t step = op.getSteps()[dim];
    Value most = code.add(code.add(end, code.mul(begin, -1)), code.i64(-1));
    Value last = code.add(
        begin, code.mul(code.floorDiv(most, step, Code::Sign::Any), step));
    sums.push_back(code.add(begin, last));
    nest.loopLowerBounds.push_back(begin);
    nest.loopUpperBounds.push_back(end);
    nest.loopSteps.push_back(code.i64(step));
  }
  nest.collapseNumLoops = code.getI64IntegerAttr(dims.size());

  omp::ParallelOperands team;
  team.ifExpr = worthwhile;
  auto parallel = omp::ParallelOp::create(code, code.loc, team);
  scratch = code.createBlock(&parallel.getRegion());
  // The team meets at the end of the parallel region: no second barrier.
  omp::WsloopOperands schedule;
  schedule.nowait = code.getUnitAttr();
  schedule.scheduleKind = omp::ClauseScheduleKindAttr::get(
      code.getContext(), omp::ClauseScheduleKind::Static);
  auto share = omp::WsloopOp::create(code, code.loc, schedule);
  omp::TerminatorOp::create(code, code.loc);

  code.createBlock(&share.getRegion());
  auto loops = omp::LoopNestOp::create(code, code.loc, nest);
  SmallVector<Type> types(dims.size(), code.getI64Type());
  Block *tile = code.createBlock(&loops.getRegion(), {}, types,
                                 SmallVector<Location>(dims.size(), code.loc));
  Code::Values values;
  for (auto [sum, argument] : llvm::zip(sums, tile->getArguments()))
    values.push_back(code.add(sum, code.mul(argument, -1)));
  body(values);
  omp::YieldOp::create(code, code.loc);
  code.setInsertionPointAfter(parallel);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

KernelLowering::KernelLowering(KernelOp kernel, TargetAttr target)
    : kernel(kernel), width(target.getLanes()), registers(target.getVectors()),
      code(kernel.getContext(), kernel.getLoc()), indices(code) {
  code.setInsertionPoint(kernel);
}

namespace {
struct LowerTiled : PassWrapper<LowerTiled, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerTiled)

  explicit LowerTiled(Halves halves) : halves(halves) {}

  StringRef getArgument() const override { return "sparkle-cpu-lower-tiled"; }
  StringRef getDescription() const override {
    return "Lower the tiled level to LLVM functions and OpenMP";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<LLVM::LLVMDialect, omp::OpenMPDialect>();
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = module->getAttrOfType<TargetAttr>("sparkle.target");
    if (!target) {
      module.emitError("expected a 'sparkle.target', but got none");
      return signalPassFailure();
    }
    for (KernelOp kernel :
         llvm::make_early_inc_range(module.getOps<KernelOp>())) {
      if (failed(verify(kernel)) ||
          failed(KernelLowering(kernel, target).run()))
        return signalPassFailure();
      kernel.erase();
    }
    module->removeAttr("sparkle.target");
  }

private:
  LogicalResult verify(KernelOp kernel);

  Halves halves;
};
} // namespace

static LogicalResult verifyType(Operation *op, Type type) {
  if (auto tile = dyn_cast<TileType>(type)) {
    auto isLine = [](int64_t lanes) { return lanes > 1; };
    if (llvm::count_if(tile.getLanes(), isLine) > 1)
      return op->emitError("expected lanes along one dimension, but got ")
             << tile;
  }
  Type element = llvm::TypeSwitch<Type, Type>(type)
                     .Case<TileType, BoxType, StoredTensorType>(
                         [](auto type) { return type.getElementType(); })
                     .Default(Type());
  bool isTile = isa<TileType>(type);
  if (!element || element.isF32() || (element.isF16() && !isTile))
    return success();
  return op->emitError("expected elements of type ")
         << (isTile ? "f32" : "f32 or f16") << ", but got " << type;
}

static LogicalResult verifyHalves(TensorOp tensor, Halves halves) {
  if (halves == Halves::Convert || !tensor.getType().getElementType().isF16())
    return success();
  return tensor.emitError("expected a processor with F16C for the f16 elements "
                          "of '")
         << tensor.getName() << "' - choose another one with --cpu";
}

/// What is unrolled takes time and code: no kernel is better for more.
static LogicalResult verifyTerms(AccumulateOp op) {
  constexpr uint64_t kMostTerms = 4096;
  uint64_t terms = 1;
  auto multiply = [&](int64_t count) {
    terms = llvm::SaturatingMultiply<uint64_t>(terms, count);
  };
  TileType tile = op.getType();
  for (auto [extent, lanes] : llvm::zip(tile.getShape(), tile.getLanes()))
    multiply(llvm::divideCeil(extent, lanes));
  llvm::for_each(op.getSlice(), multiply);
  if (terms > kMostTerms)
    return op.emitError("expected at most ")
           << kMostTerms << " vectors of terms in an accumulate, but got "
           << terms << " - use smaller sizes in 'unroll'";
  return success();
}

/// Whether `expr` has no product of anything but sizes, and no quotient by one.
static bool isEvaluated(AffineExpr expr) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return true;
  bool isPure = expr.getKind() == AffineExprKind::Add ||
                isa<AffineConstantExpr>(binary.getRHS());
  bool isProduct =
      expr.getKind() == AffineExprKind::Mul && expr.isSymbolicOrConstant();
  return (isPure || isProduct) && isEvaluated(binary.getLHS()) &&
         isEvaluated(binary.getRHS());
}

static LogicalResult verifyMap(Operation *op, AffineMapAttr map) {
  if (llvm::all_of(map.getValue().getResults(), isEvaluated))
    return success();
  return op->emitError(
             "expected a pure affine map or products of sizes, but got ")
         << map;
}

/// The kernel takes a packed weight only as it is packed.
static LogicalResult verifyPack(PackOp pack) {
  for (Operation *user : pack.getSource().getUsers())
    if (user != pack)
      return user->emitError("expected a tensor that the kernel takes, but got "
                             "one that is packed");
  return success();
}

/// What the dialect allows and this target does not.
LogicalResult LowerTiled::verify(KernelOp kernel) {
  auto verifyOp = [&](Operation *op) -> LogicalResult {
    for (Type type : op->getResultTypes())
      if (failed(verifyType(op, type)))
        return failure();
    for (NamedAttribute attr : op->getAttrs())
      if (auto map = dyn_cast<AffineMapAttr>(attr.getValue());
          map && failed(verifyMap(op, map)))
        return failure();
    if (auto pack = dyn_cast<PackOp>(op))
      return verifyPack(pack);
    if (auto tensor = dyn_cast<TensorOp>(op))
      return verifyHalves(tensor, halves);
    auto sum = dyn_cast<AccumulateOp>(op);
    return sum ? verifyTerms(sum) : success();
  };
  return failure(
      kernel.walk([&](Operation *op) { return WalkResult(verifyOp(op)); })
          .wasInterrupted());
}

std::unique_ptr<Pass> createLowerTiled(Halves halves) {
  return std::make_unique<LowerTiled>(halves);
}

} // namespace sparkle::cpu
