// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses every size of a pattern that is auto, from the target's numbers.
// In: defines.   Out: defines with resolved patterns.

#include "lib/Transforms/Passes.h"
#include "lib/Transforms/Pattern/Resolver.h"
#include "lib/Transforms/Reach.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

namespace sparkle {
#define GEN_PASS_DEF_RESOLVEPATTERN
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

//===----------------------------------------------------------------------===//
// What is given
//===----------------------------------------------------------------------===//

Resolver::Resolver(DefineOp define, TargetAttr target)
    : define(define), target(target), context(define.getContext()),
      outputs(define.getNumOutputs()), extents(define.getStaticExtents()),
      grains(extents.size(), 1) {
  if (SumOp sum = define.getSum())
    for (ReadOp read : sum.getBody().getOps<ReadOp>()) {
      if (read.getTensor().getDefiningOp<ConstantOp>())
        noteConstant(read);
      else
        operands.push_back(describe(read));
    }
}

static int64_t getUsual(AffineExpr extent, int64_t side) {
  if (auto constant = dyn_cast<AffineConstantExpr>(extent))
    return constant.getValue();
  if (extent.getKind() != AffineExprKind::Mul)
    return side;
  auto product = cast<AffineBinaryOpExpr>(extent);
  return getUsual(product.getLHS(), side) * getUsual(product.getRHS(), side);
}

int64_t Resolver::getUsualExtent(unsigned index, int64_t side) {
  return getUsual(define.getExtents().getResult(index), side);
}

/// Of an index that counts only up to a period, the periods; of any other that
/// an element depends on, all.
void Resolver::noteConstant(ReadOp read) {
  hasConstants = true;
  for (AffineExpr expr : read.getMap().getResults()) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    bool isPeriodic = expr.getKind() == AffineExprKind::Mod &&
                      isa<AffineDimExpr>(binary.getLHS());
    for (unsigned i = 0; i < extents.size(); ++i) {
      if (!expr.isFunctionOfDim(i) || grains[i] == kAll)
        continue;
      grains[i] =
          isPeriodic
              ? std::lcm(grains[i],
                         cast<AffineConstantExpr>(binary.getRHS()).getValue())
              : kAll;
    }
  }
}

/// The sizes of one line; `all` resolved, and nothing larger than its extent
/// unless tiles may overhang.
Resolver::Sizes Resolver::getGiven(DenseI64ArrayAttr list, bool ofOutputs) {
  bool overhangs = ofOutputs && target.getMasked();
  Sizes sizes;
  for (unsigned i = 0; i < extents.size(); ++i) {
    int64_t size = list ? list[i] : kAuto;
    if ((i < outputs) != ofOutputs)
      size = 1;
    else if (size == kAll && !isStatic(i))
      // What only the call knows is divided into single elements, or into
      // tiles like any other.
      size = overhangs ? kAuto : 1;
    else if (size == kAll)
      size = extents[i];
    else if (isStatic(i) && !overhangs)
      size = std::min(size, extents[i]);
    sizes.push_back(size);
  }
  return sizes;
}

/// What `workers` says of the indices of the sum. Left open where the whole
/// line is, or the entry, and the target may divide.
LogicalResult Resolver::readParts(DenseI64ArrayAttr list) {
  for (unsigned i = outputs; i < extents.size(); ++i) {
    int64_t part = list ? list[i] : kAuto;
    if (part == kAll || part >= extents[i] ||
        (part == kAuto && !target.getMasked()))
      part = 1;
    workers[i] = part;
    if (part <= 1)
      continue;
    if (!target.getMasked())
      return emitError(define.getPatternLoc("workers"), "expected all of '")
             << name(i) << "' in 'workers', as target '" << target.getWord()
             << "' does not divide a sum, but got " << part;
    if (box)
      return emitError(define.getPatternLoc("workers"), "expected all of '")
             << name(i)
             << "' in 'workers', as the equation is computed where its result "
                "is staged, but got "
             << part;
    if (extents[i] % part != 0) {
      int64_t divisor = part;
      while (extents[i] % divisor != 0)
        --divisor;
      return emitError(define.getPatternLoc("workers"), "expected a part of '")
             << name(i) << "' in 'workers' that divides " << extents[i]
             << ", but got " << part << " - use " << divisor;
    }
    extents[i] = part;
  }
  return success();
}

/// What `lanes` says, of the left side or of one index of the sum.
LogicalResult Resolver::readLanes(DenseI64ArrayAttr list) {
  lanes.assign(extents.size(), 1);
  llvm::copy(list.asArrayRef().take_front(outputs), lanes.begin());
  bool ofLeft = llvm::any_of(lanes, [](int64_t count) { return count != 1; });
  for (unsigned i = outputs; i < extents.size(); ++i) {
    if (list[i] == 1)
      continue;
    auto fail = [&] { return emitError(define.getPatternLoc("lanes")); };
    // As many as there are and as suit the other sizes, if that is open.
    int64_t count = list[i];
    if (count <= 0)
      for (count = std::clamp<int64_t>(llvm::PowerOf2Ceil(extents[i]), 2,
                                       target.getLanes());
           count > 2 && !takesLanes(i, count);)
        count /= 2;
    if (box)
      return fail() << "expected lanes along the left side, as the equation is "
                    << "computed where its result is staged, but got '"
                    << name(i) << "' of the sum";
    if (ofLeft || summedLanes)
      return fail() << "expected lanes along the left side or along one index "
                    << "of the sum, but got '" << name(i) << "' besides";
    for (auto [line, size] :
         {std::pair("near", near[i]), {"unroll", unroll[i]}})
      if (failed(checkDivides(i, line, size, "lanes", count)))
        return failure();
    if (!fillsLanes(i, count))
      return fail() << "expected lanes along the left side, or that divide the "
                    << extents[i] << " steps of '" << name(i)
                    << "', as terms beyond may not be zero, but got " << count;
    putLanesAlongSum(i, count);
  }
  return success();
}

/// Whether a value is zero where `index` is beyond its extent, as what is read
/// beyond a tensor is.
static bool vanishesBeyond(Value value, unsigned index, int64_t extent) {
  return vanishes(value, [&](Value factor) {
    auto read = factor.getDefiningOp<ReadOp>();
    return read &&
           llvm::any_of(llvm::zip_equal(read.getMap().getResults(),
                                        read.getTensor().getType().getShape()),
                        [&](auto coordinate) {
                          auto dim =
                              dyn_cast<AffineDimExpr>(std::get<0>(coordinate));
                          return dim && dim.getPosition() == index &&
                                 std::get<1>(coordinate) == extent;
                        });
  });
}

/// Whether `count` lanes along an index of the sum add up the terms that there
/// are, and zeros.
bool Resolver::fillsLanes(unsigned index, int64_t count) {
  Value term = define.getSum().getBody().front().getTerminator()->getOperand(0);
  return (isStatic(index) && extents[index] % count == 0) ||
         vanishesBeyond(term, index, extents[index]);
}

/// Whether `count` lanes suit an index of the sum: its sizes, if they are
/// given, are whole vectors of so many.
bool Resolver::takesLanes(unsigned index, int64_t count) {
  return fillsLanes(index, count) &&
         llvm::all_of(ArrayRef{near[index], unroll[index]}, [&](int64_t size) {
           return size % count == 0 || size >= extents[index];
         });
}

/// Deals the steps of the sum along `index` out to lanes. From here on sizes
/// along it are of vectors.
void Resolver::putLanesAlongSum(unsigned index, int64_t count) {
  summedLanes = index;
  lanes[index] = count;
  for (Operand &operand : operands)
    if (operand.varies(index))
      operand.width = count;
  for (int64_t *size : {&extents[index], &near[index], &unroll[index]})
    *size = llvm::divideCeil(*size, count);
}

/// Whether pieces of `size` make up what the line further out gives.
bool Resolver::suits(unsigned index, int64_t size) {
  int64_t outer = index < outputs ? workers[index] : near[index];
  return outer % size == 0 || (isStatic(index) && outer >= extents[index]);
}

SmallVector<SmallVector<int64_t>> Resolver::getIdentity() {
  SmallVector<SmallVector<int64_t>> rows;
  for (unsigned i = 0; i < outputs; ++i)
    rows.emplace_back(extents.size(), 0)[i] = 1;
  return rows;
}

bool Resolver::isStoredInRow(unsigned index) {
  return isContiguous(define.getTarget().getType(), getIdentity(), index);
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

LogicalResult Resolver::checkDivides(unsigned index, StringRef line,
                                     int64_t outer, StringRef innerLine,
                                     int64_t inner) {
  if (outer % inner == 0 || (isStatic(index) && outer >= extents[index]))
    return success();
  return emitError(define.getPatternLoc(line), "expected a size of '")
         << name(index) << "' in '" << line << "' that is a multiple of its "
         << inner << " in '" << innerLine << "', but got " << outer;
}

/// Names of a line that copies or prefetches are tensors that the sum reads.
LogicalResult Resolver::checkNames(ArrayAttr names, StringRef line) {
  for (Attribute attr : names ? names.getValue() : ArrayRef<Attribute>()) {
    StringRef wanted = cast<StringAttr>(attr);
    if (llvm::none_of(operands, [&](const Operand &operand) {
          return operand.name.getValue() == wanted;
        }))
      return emitError(define.getPatternLoc(line),
                       "expected a tensor that the sum reads in '")
             << line << "', but got '" << wanted << "'";
  }
  return success();
}

/// A temp that is computed in near memory is nowhere else: one place reads it.
LogicalResult Resolver::checkFused() {
  for (DefineOp producer : define.getProducers()) {
    StringRef name = producer.getTarget().getDefiningOp<TensorOp>().getName();
    Location loc = define.getPatternLoc("stage");
    if (!producer.getTarget().getType().getElementType().isF32())
      return emitError(loc, "expected a temp of f32 to compute where it is "
                            "staged, but got '")
             << name << "' - write '" << name << ": copy'";
    ReadOp only;
    for (Operation *user : producer.getTarget().getUsers()) {
      auto read = dyn_cast<ReadOp>(user);
      if (!read || (read->getParentOp() == define.getSum() &&
                    (!only || only.getMap() == read.getMap()))) {
        only = read ? read : only;
        continue;
      }
      InFlightDiagnostic diag =
          emitError(loc, "expected one place that reads '")
          << name << "', which is computed where it is staged, but got more "
          << "- write '" << name << ": copy'";
      diag.attachNote(read.getLoc()) << "read here as well";
      return diag;
    }
  }
  return success();
}

/// The sizes of the box take the place of a worker's. Along a dimension where
/// it begins anywhere, a register tile is one element.
LogicalResult Resolver::takeBox() {
  for (unsigned i = 0; i < outputs; ++i) {
    workers[i] = box->shape[i];
    if (!box->isCut[i] || target.getMasked())
      continue;
    if (registers[i] > 1 && hasConstants)
      return emitError(define.getPatternLoc("transform"),
                       "expected no transform where '")
             << define.getTarget().getDefiningOp<TensorOp>().getName()
             << "' is staged in boxes that are cut along '" << name(i)
             << "', but got one with tiles of " << registers[i];
    if (registers[i] > 1)
      return emitError(define.getPatternLoc("registers"), "expected 1 of '")
             << name(i) << "' in 'registers', along which the staged box is "
             << "cut, but got " << registers[i];
    registers[i] = 1;
  }
  return success();
}

/// Whether sums of products with constants are in no register for longer than
/// they take.
bool Resolver::isSummedAtOnce() {
  for (unsigned i = outputs; i < extents.size(); ++i)
    if (unroll[i] < extents[i])
      return false;
  return hasConstants;
}

LogicalResult Resolver::check() {
  int64_t vectors = 1, laneCount = summedLanes ? lanes[*summedLanes] : 1;
  std::optional<unsigned> line;
  for (unsigned i = 0; i < outputs; ++i) {
    vectors *= llvm::divideCeil(registers[i], lanes[i]);
    laneCount *= lanes[i];
    if (vectors > target.getVectors() && !isSummedAtOnce())
      return emitError(define.getPatternLoc("registers"),
                       "expected a register tile of at most ")
             << target.getVectors() << " vectors, but got " << vectors
             << " or more - use smaller sizes in 'registers'";
    if (laneCount > target.getLanes())
      return emitError(define.getPatternLoc("lanes"), "expected at most ")
             << target.getLanes() << " lanes, but got " << laneCount;
    if (line && lanes[i] > 1)
      return emitError(define.getPatternLoc("lanes"),
                       "expected lanes along one index, as target '")
             << target.getWord() << "' has vectors, but got '" << name(*line)
             << "' and '" << name(i) << "'";
    if (lanes[i] > 1 && !target.getMasked())
      line = i;
    if (failed(
            checkDivides(i, "workers", workers[i], "registers", registers[i])))
      return failure();
  }
  for (unsigned i = outputs; i < extents.size(); ++i) {
    if (failed(checkDivides(i, "near", near[i], "unroll", unroll[i])))
      return failure();
    // A part begins where a block of a packed weight does.
    if (workers[i] > 1 && workers[i] % near[i] != 0)
      return emitError(define.getPatternLoc("workers"), "expected a part of '")
             << name(i) << "' in 'workers' that is a multiple of its "
             << near[i] << " in 'near', but got " << workers[i];
  }
  PatternAttr pattern = define.getPatternAttr();
  if (failed(checkNames(stage, "stage")) || failed(checkNames(fuse, "stage")) ||
      failed(checkFused()))
    return failure();
  if (!pattern)
    return success();
  SmallVector<Attribute> prefetched;
  if (DictionaryAttr prefetch = pattern.getPrefetch())
    for (NamedAttribute entry : prefetch)
      prefetched.push_back(entry.getName());
  if (failed(checkNames(ArrayAttr::get(context, prefetched), "prefetch")))
    return failure();
  for (Attribute attr : pattern.getOverlap() ? pattern.getOverlap().getValue()
                                             : ArrayRef<Attribute>())
    if (!llvm::is_contained(stage, attr))
      return emitError(define.getPatternLoc("overlap"),
                       "expected a staged tensor in 'overlap', but got ")
             << "'" << cast<StringAttr>(attr).getValue() << "'";
  return success();
}

/// Steps that are left open are all there are.
static DictionaryAttr resolveSteps(DictionaryAttr prefetch) {
  if (!prefetch)
    return {};
  Builder builder(prefetch.getContext());
  SmallVector<NamedAttribute> steps;
  for (NamedAttribute entry : prefetch)
    steps.push_back(cast<IntegerAttr>(entry.getValue()).getInt() == kAuto
                        ? builder.getNamedAttr(entry.getName(),
                                               builder.getI64IntegerAttr(kAll))
                        : entry);
  return builder.getDictionaryAttr(steps);
}

FailureOr<PatternAttr> Resolver::run() {
  PatternAttr given = define.getPatternAttr();
  if (!given)
    given = PatternAttr::get(context, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                             {}, {});
  workers = getGiven(given.getWorkers(), true);
  if (failed(readParts(given.getWorkers())))
    return failure();
  registers = getGiven(given.getRegisters(), true);
  // The smallest part of a run-time extent that a given tile divides.
  for (unsigned i = 0; i < outputs; ++i)
    if (!isStatic(i) && given.getWorkers() && given.getWorkers()[i] == kAll &&
        workers[i] == 1)
      workers[i] = std::max<int64_t>(registers[i], 1);
  near = getGiven(given.getNear(), false);
  unroll = getGiven(given.getUnroll(), false);
  stage = given.getStage();
  fuse = given.getFuse();
  prefetch = resolveSteps(given.getPrefetch());
  if (box && failed(takeBox()))
    return failure();

  if (given.getLanes() && failed(readLanes(given.getLanes())))
    return failure();
  if (given.getOrder())
    order = Sizes(given.getOrder().asArrayRef());
  choose();
  if (failed(check()))
    return failure();

  auto list = [&](ArrayRef<int64_t> sizes) {
    return DenseI64ArrayAttr::get(context, sizes);
  };
  Sizes steps(near), slice(unroll);
  if (summedLanes)
    for (Sizes *sizes : {&steps, &slice})
      (*sizes)[*summedLanes] *= lanes[*summedLanes];
  ArrayAttr overlap = given.getOverlap();
  if (!overlap)
    overlap = target.getCopies() ? stage : ArrayAttr::get(context, {});
  return PatternAttr::get(
      context, list(workers), list(steps), stage, list(registers), list(lanes),
      list(slice), list(order),
      prefetch ? prefetch : DictionaryAttr::get(context, {}), overlap, fuse,
      given.getTransform(), given.getMerge());
}

static std::unique_ptr<Resolver> makeResolver(DefineOp define,
                                              TargetAttr target) {
  return target.getMasked() ? makeGridResolver(define, target)
                            : makeVectorResolver(define, target);
}

FailureOr<PatternAttr> sparkle::resolvePattern(DefineOp define,
                                               TargetAttr target) {
  return makeResolver(define, target)->run();
}

static bool lists(ArrayAttr names, StringRef name) {
  return names &&
         llvm::is_contained(names, StringAttr::get(names.getContext(), name));
}

/// The box of `read` that a worker of `define`, whose pattern is resolved,
/// computes; `room` bytes of near memory are there for what the worker has.
static NearBox getNearBox(DefineOp define, ReadOp read, int64_t room) {
  PatternAttr pattern = define.getPatternAttr();
  SmallVector<int64_t> extents = define.getStaticExtents(), sizes, divisors;
  for (unsigned i = 0; i < extents.size(); ++i) {
    bool isOutput = i < define.getNumOutputs();
    sizes.push_back(isOutput ? pattern.getWorkers()[i] : pattern.getNear()[i]);
    divisors.push_back(!ShapedType::isDynamic(extents[i]) &&
                               sizes[i] >= extents[i]
                           ? 0
                           : sizes[i]);
  }
  NearBox box;
  box.lanes = 1;
  for (int64_t count : pattern.getLanes().asArrayRef())
    box.lanes *= count;
  box.room = room;
  for (ReadOp other : define.getSum().getBody().getOps<ReadOp>()) {
    auto tensor = other.getTensor().getDefiningOp<TensorOp>();
    if (!tensor || (!lists(pattern.getStage(), tensor.getName()) &&
                    !lists(pattern.getFuse(), tensor.getName())))
      continue;
    int64_t bytes = sizeof(float);
    for (AffineExpr expr : other.getMap().getResults())
      bytes *= getReach(expr, sizes, divisors).size;
    box.room = std::max<int64_t>(box.room - bytes, 0);
  }
  for (AffineExpr expr : read.getMap().getResults()) {
    bool moves = false;
    for (unsigned i = 0; i < extents.size(); ++i)
      moves |= divisors[i] != 0 && expr.isFunctionOfDim(i);
    Reach reach = getReach(expr, sizes, divisors);
    box.shape.push_back(reach.size);
    box.isCut.push_back(moves && !isAligned(reach, divisors));
  }
  return box;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct ResolvePattern : sparkle::impl::ResolvePatternBase<ResolvePattern> {
  using Base::Base;

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTargetAttr);
    if (!target) {
      getOperation().emitError("expected the attribute '")
          << kTargetAttr << "' on the module";
      return signalPassFailure();
    }
    // Every equation is tried, so that one run reports all that is wrong; those
    // that are computed within another one after that.
    llvm::SmallPtrSet<Operation *, 4> within;
    getOperation().walk([&](DefineOp define) {
      for (DefineOp producer : define.getProducers())
        within.insert(producer);
    });
    getOperation().walk([&](DefineOp define) {
      if (!within.contains(define) && failed(resolve(define, target, nullptr)))
        signalPassFailure();
    });
  }

private:
  LogicalResult resolve(DefineOp define, TargetAttr target,
                        const NearBox *box) {
    std::unique_ptr<Resolver> resolver = makeResolver(define, target);
    if (box)
      resolver->setBox(*box);
    FailureOr<PatternAttr> pattern = resolver->run();
    if (failed(pattern))
      return failure();
    define.setPatternAttr(*pattern);
    SmallVector<Attribute> notes;
    for (const std::string &line : resolver->explain())
      notes.push_back(StringAttr::get(&getContext(), line));
    if (!notes.empty())
      define->setAttr(kNotesAttr, ArrayAttr::get(&getContext(), notes));
    std::vector<DefineOp> producers = define.getProducers();
    int64_t room = box ? box->room : target.getNearBytes();
    for (DefineOp producer : producers)
      for (Operation *user : producer.getTarget().getUsers())
        if (auto read = dyn_cast<ReadOp>(user)) {
          NearBox within = getNearBox(define, read, room);
          within.room /= static_cast<int64_t>(producers.size());
          if (failed(resolve(producer, target, &within)))
            return failure();
          break;
        }
    return success();
  }
};
} // namespace
