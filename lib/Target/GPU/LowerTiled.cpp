// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lowers the tiled level for a GPU, in one walk over each worker: index values
// become linear forms, tiles lists of vectors, workers entry points.
// In: tiled sparkle ops.   Out: what an ImageBuilder makes of each kernel.

#include "lib/Target/GPU/LowerTiled.h"
#include "lib/Target/Contraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sparkle::gpu {

//===----------------------------------------------------------------------===//
// The nest
//===----------------------------------------------------------------------===//

LogicalResult WorkersLowering::lowerBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(lower(op)))
      return failure();
  return success();
}

LogicalResult WorkersLowering::lower(Operation &op) {
  using Result = LogicalResult;
  return llvm::TypeSwitch<Operation *, Result>(&op)
      .Case<LoopOp, InitOp, AccumulateOp, StoreOp>(
          [&](auto tiled) { return lower(tiled); })
      .Case([&](StageOp stage) {
        lower(stage);
        return success();
      })
      .Case([&](BarrierOp) {
        code.barrier();
        return success();
      })
      // There are no instructions for it.
      .Case([](PrefetchOp) { return success(); })
      .Default([&](Operation *other) {
        return indices.evaluateOp(*other) ? success() : lowerCondition(*other);
      });
}

static LogicalResult emitUnexpected(Operation &op) {
  return op.emitError("expected the tiled level of the dialect, but got '")
         << op.getName() << "'";
}

/// Values that are no index: conditions, and constants of the arithmetic.
LogicalResult WorkersLowering::lowerCondition(Operation &op) {
  if (auto compare = dyn_cast<arith::CmpIOp>(op);
      compare && compare.getLhs().getType().isIndex()) {
    using P = arith::CmpIPredicate;
    Point sides = indices.getPoint(op.getOperands());
    Value a = indices.materialise(sides[0]), b = indices.materialise(sides[1]);
    P predicate = compare.getPredicate();
    if (predicate == P::eq)
      scalars[compare] = code.compare(P::eq, a, b);
    else if (predicate == P::ne)
      scalars[compare] = code.compare(P::ne, a, b);
    else if (predicate == P::slt)
      scalars[compare] = code.isLess(a, b);
    else if (predicate == P::sgt)
      scalars[compare] = code.isLess(b, a);
    else if (predicate == P::sle)
      scalars[compare] = code.compare(P::sle, a, b);
    else if (predicate == P::sge)
      scalars[compare] = code.compare(P::sle, b, a);
    else
      return op.emitError("expected a comparison of signed indices, but got '")
             << arith::stringifyCmpIPredicate(predicate) << "'";
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
      return logical([&](Value a, Value b) -> Value {
        return code.logic(Logic::Or, a, b);
      });
    if (isa<arith::XOrIOp>(op))
      return logical([&](Value a, Value b) -> Value {
        return code.logic(Logic::Xor, a, b);
      });
  }
  if (isa<arith::ConstantOp>(op))
    return success();
  return emitUnexpected(op);
}

/// A condition or a number as a scalar.
Value WorkersLowering::getScalar(Value value) {
  if (Value scalar = scalars.lookup(value))
    return scalar;
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return code.boolean(!constant.getValue().isZero());
  return {};
}

LogicalResult WorkersLowering::lower(LoopOp op) {
  if (std::optional<NearNest> nest = matchNest(op))
    if (llvm::any_of(nest->stages,
                     [&](StageOp stage) { return plans[stage].isDouble; }))
      return lowerOverlapped(*nest);
  LinearForm lower = indices.forms.lookup(op.getLower());
  LinearForm upper = indices.forms.lookup(op.getUpper());
  int64_t step = op.getStep();
  LogicalResult result = success();
  auto runBody = [&](const LinearForm &index, ValueRange carried) {
    Indices::Scope scope(indices);
    indices.forms[op.getInductionVar()] = index;
    setTiles(op.getCarried(), carried);
    if (failed(lowerBlock(op.getBody().front())))
      result = failure();
    // After an error, anything of the right types.
    return failed(result)
               ? Code::Values(carried)
               : getTiles(op.getBody().front().getTerminator()->getOperands());
  };

  Code::Values init = getTiles(op.getInit()), results;
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
  setTiles(op.getResults(), results);
  return result;
}

/// The vectors of all of `values`, which are tiles.
Code::Values WorkersLowering::getTiles(ValueRange values) {
  Code::Values vectors;
  for (Value tile : values)
    llvm::append_range(vectors, tiles[tile]);
  return vectors;
}

void WorkersLowering::setTiles(ValueRange values, ValueRange vectors) {
  for (Value tile : values) {
    size_t count = getPoints(cast<TileType>(tile.getType())).vectors.size();
    tiles[tile] = llvm::to_vector(vectors.take_front(count));
    vectors = vectors.drop_front(count);
  }
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

static LogicalResult verifyType(Operation *op, Type type) {
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

/// What is unrolled takes time and code: no kernel is better for more.
LogicalResult verifyTerms(AccumulateOp op, uint64_t terms) {
  constexpr uint64_t kMostTerms = 4096;
  if (terms > kMostTerms)
    return op.emitError("expected at most ")
           << kMostTerms
           << " terms of one invocation in an accumulate, but got " << terms
           << " - use smaller sizes in 'unroll', or more 'lanes'";
  return success();
}

static LogicalResult verifyTerms(AccumulateOp op) {
  // Of those with constants, what they have in common counts once.
  if (Contraction::applies(op))
    return success();
  uint64_t terms = 1;
  auto multiply = [&](int64_t count) {
    terms = llvm::SaturatingMultiply<uint64_t>(terms, count);
  };
  TileType tile = op.getType();
  for (auto [extent, lanes] : llvm::zip(tile.getShape(), tile.getLanes()))
    multiply(llvm::divideCeil(extent, lanes));
  llvm::for_each(op.getSlice(), multiply);
  return verifyTerms(op, terms);
}

static LogicalResult verifyMap(Operation *op, AffineMapAttr map) {
  auto isPure = [](AffineExpr expr) { return expr.isPureAffine(); };
  if (llvm::all_of(map.getValue().getResults(), isPure))
    return success();
  return op->emitError("expected a pure affine map, but got ") << map;
}

/// The kernel takes a packed weight only as it is packed.
static LogicalResult verifyPack(PackOp pack) {
  auto transform = pack.getSource().getDefiningOp<TransformOp>();
  for (Value source :
       {Value(pack.getSource()), Value(pack.getWeight().getResult())})
    for (Operation *user : source.getUsers())
      if (user != pack && user != transform)
        return user->emitError("expected a tensor that the kernel takes, but "
                               "got one that is packed");
  return success();
}

/// A weight is transformed where it is packed.
static LogicalResult verifyTransform(TransformOp transform) {
  for (Operation *user : transform.getResult().getUsers())
    if (!isa<PackOp>(user))
      return user->emitError("expected a transform that is packed, but got "
                             "one that is not");
  return success();
}

/// No element of a constant is in memory.
static LogicalResult verifyConstant(ConstantOp constant) {
  for (Operation *user : constant.getResult().getUsers()) {
    auto stage = dyn_cast<StageOp>(user);
    bool isFactor = stage && stage.getRealisation() == Realisation::InPlace &&
                    llvm::all_of(stage.getResult().getUsers(), [](auto *use) {
                      auto sum = dyn_cast<AccumulateOp>(use);
                      return sum && Contraction::applies(sum);
                    });
    if (!isFactor)
      return user->emitError("expected a constant in place, as a factor in a "
                             "sum of products");
  }
  return success();
}

static LogicalResult verifySizes(KernelOp kernel) {
  // 128 bytes of push constants are what every device has.
  constexpr size_t kMostSizes = 32;
  size_t count = kernel.getSizes().size();
  if (count <= kMostSizes)
    return success();
  return kernel.emitError("expected at most ")
         << kMostSizes << " run-time sizes, but got " << count;
}

/// What the dialect allows and this target does not.
static LogicalResult verify(KernelOp kernel) {
  if (failed(verifySizes(kernel)))
    return failure();
  auto verifyOp = [](Operation *op) -> LogicalResult {
    if (isa<DefineOp>(op))
      return emitUnexpected(*op);
    for (Type type : op->getResultTypes())
      if (failed(verifyType(op, type)))
        return failure();
    for (NamedAttribute attr : op->getAttrs())
      if (auto map = dyn_cast<AffineMapAttr>(attr.getValue());
          map && failed(verifyMap(op, map)))
        return failure();
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([](PackOp pack) { return verifyPack(pack); })
        .Case([](TransformOp transform) { return verifyTransform(transform); })
        .Case([](ConstantOp constant) { return verifyConstant(constant); })
        .Case([](AccumulateOp sum) { return verifyTerms(sum); })
        .Default(success());
  };
  return failure(
      kernel.walk([&](Operation *op) { return WalkResult(verifyOp(op)); })
          .wasInterrupted());
}

/// One module for the kernel, one entry point for each of its workers.
static LogicalResult lower(KernelOp kernel, TargetAttr target,
                           ImageBuilder &image) {
  unsigned number = 0;
  for (WorkersOp workers : kernel.getBody().getOps<WorkersOp>()) {
    std::string name = (kernel.getSymName() + "_" + Twine(number++)).str();
    std::unique_ptr<Code> code = image.addEntryPoint(name, workers.getLoc());
    if (failed(WorkersLowering(workers, target, image, *code).run(name)))
      return failure();
  }
  image.finish();
  return success();
}

LogicalResult
lowerTiled(ModuleOp module,
           function_ref<std::unique_ptr<ImageBuilder>(KernelOp)> create) {
  auto target = module->getAttrOfType<TargetAttr>("sparkle.target");
  if (!target)
    return module.emitError("expected a 'sparkle.target', but got none");
  for (KernelOp kernel :
       llvm::make_early_inc_range(module.getOps<KernelOp>())) {
    if (failed(verify(kernel)) ||
        failed(lower(kernel, target, *create(kernel))))
      return failure();
    kernel.erase();
  }
  module->removeAttr("sparkle.target");
  return success();
}

} // namespace sparkle::gpu
