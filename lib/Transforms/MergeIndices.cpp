// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes neighbouring indices of an output as one where memory does.
// In: defines.   Out: the same with fewer indices, and tensors with fewer
// dimensions.

#include "lib/Transforms/JoinDimensions.h"
#include "lib/Transforms/Passes.h"
#include "lib/Transforms/Pattern/Lanes.h"
#include "lib/Transforms/Pattern/Resolver.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace sparkle {
#define GEN_PASS_DEF_MERGEINDICES
#include "lib/Transforms/Passes.h.inc"
} // namespace sparkle

using namespace mlir;
using namespace sparkle;

namespace {
/// Merges indices of one equation.
class Merger {
public:
  Merger(DefineOp define, TargetAttr target)
      : define(define), target(target), context(define.getContext()),
        pattern(define.getPatternAttr()) {}

  LogicalResult run();

private:
  StringRef getName(unsigned index) {
    return cast<StringAttr>(define.getIndices()[index]).getValue();
  }
  /// Whether only the call knows the extent of an index.
  bool isUnknown(unsigned index) {
    return ShapedType::isDynamic(define.getStaticExtents()[index]);
  }
  AffineMap getPlain(AffineMap map);
  void collectUses();
  std::optional<std::string> getObstacle(unsigned first);
  std::optional<std::string> getObstacle(TensorOp tensor, unsigned first);
  bool leavesSizes();
  bool fillsLanes(unsigned first);
  bool mergeGroups();
  LogicalResult mergeNamed();
  void mergeAll();
  void merge(unsigned first);
  void mergeTensor(TensorOp tensor, unsigned dimension);
  void mergePattern(unsigned first);

  DefineOp define;
  TargetAttr target;
  MLIRContext *context;
  PatternAttr pattern;
  /// The tensors of the equation, and at what it reads or writes each.
  llvm::MapVector<TensorOp, SmallVector<AffineMap>> uses;
  /// Of those that vary along the two indices that `getObstacle` was asked
  /// about: the first of the two dimensions.
  SmallVector<std::pair<TensorOp, unsigned>> varying;
  /// Those that keep their dimensions: weights, and what varies along the first
  /// index alone, as an input does along groups.
  SmallVector<TensorOp> divided;
};
} // namespace

//===----------------------------------------------------------------------===//
// Whether
//===----------------------------------------------------------------------===//

/// `map` without the indices of the sum that are always 0, as the taps of a
/// kernel of 1x1 are.
AffineMap Merger::getPlain(AffineMap map) {
  SmallVector<AffineExpr> dims;
  for (auto [i, extent] : llvm::enumerate(define.getStaticExtents())) {
    bool isZero = i >= define.getNumOutputs() && extent == 1;
    dims.push_back(isZero ? getAffineConstantExpr(0, context)
                          : getAffineDimExpr(i, context));
  }
  return map.replaceDimsAndSymbols(dims, {}, map.getNumDims(),
                                   map.getNumSymbols());
}

void Merger::collectUses() {
  uses.clear();
  auto note = [&](Value tensor, AffineMap map) {
    if (auto declared = tensor.getDefiningOp<TensorOp>())
      uses[declared].push_back(map);
  };
  note(define.getTarget(),
       AffineMap::getMultiDimIdentityMap(define.getNumOutputs(), context));
  define.walk(
      [&](ReadOp read) { note(read.getTensor(), getPlain(read.getMap())); });
}

/// Why `tensor` is in the way of merging; notes what it would lose.
std::optional<std::string> Merger::getObstacle(TensorOp tensor,
                                               unsigned first) {
  auto varies = [&](AffineMap map) {
    return map.isFunctionOfDim(first) ||
           (first + 1 < map.getNumDims() && map.isFunctionOfDim(first + 1));
  };
  ArrayRef<AffineMap> maps = uses[tensor];
  if (llvm::none_of(maps, varies))
    return std::nullopt;
  auto say = [&](const Twine &what) {
    return ("'" + tensor.getName() + "' " + what).str();
  };
  if (tensor.getRole() == Role::Temp)
    return say("is a temp");
  if (llvm::none_of(maps, [&](AffineMap map) {
        return first + 1 < map.getNumDims() && map.isFunctionOfDim(first + 1);
      })) {
    divided.push_back(tensor);
    return std::nullopt;
  }
  std::optional<unsigned> dimension;
  for (AffineMap map : maps) {
    std::optional<unsigned> found = findPair(map, first);
    if (!found || (dimension && dimension != found))
      return say("has another subscript");
    dimension = found;
  }
  for (Operation *user : tensor.getResult().getUsers())
    if (user != define && !define->isAncestor(user))
      return say("is read by another equation");
  if (tensor.getExtents().getResults().slice(*dimension, 2) !=
      define.getExtents().getResults().slice(first, 2))
    return say("has other extents");
  if (!findPair(tensor.getType().getLayout(), *dimension))
    return say("does not hold them one behind the other");
  // A weight is packed as it is declared.
  if (tensor.getRole() == Role::Weight)
    divided.push_back(tensor);
  else
    varying.push_back({tensor, *dimension});
  return std::nullopt;
}

/// Why the indices `first` and the next one cannot be one; nothing if they can.
std::optional<std::string> Merger::getObstacle(unsigned first) {
  constexpr int64_t kMostPoints = std::numeric_limits<int32_t>::max();
  varying.clear();
  divided.clear();
  SmallVector<int64_t> extents = define.getStaticExtents();
  auto sayUnknown = [&](unsigned index) {
    return ("only the call knows the extent of '" + getName(index) + "'").str();
  };
  for (unsigned i : {first, first + 1})
    // A grid is counted by linear functions of the sizes.
    if (isUnknown(i) && target && target.getMasked())
      return sayUnknown(i);
  if (!isUnknown(first) && !isUnknown(first + 1) &&
      extents[first] > kMostPoints / std::max<int64_t>(extents[first + 1], 1))
    return "there are more than 2147483647 points";
  bool isConstantRead = false;
  define.walk([&](ReadOp read) {
    isConstantRead |= !read.getTensor().getDefiningOp<TensorOp>() &&
                      (read.getMap().isFunctionOfDim(first) ||
                       read.getMap().isFunctionOfDim(first + 1));
  });
  if (isConstantRead)
    return "a tensor of the compiler's varies along them";
  for (auto &[tensor, maps] : uses)
    if (std::optional<std::string> obstacle = getObstacle(tensor, first))
      return obstacle;
  if (!divided.empty() && isUnknown(first + 1))
    return sayUnknown(first + 1);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Merging
//===----------------------------------------------------------------------===//

static AffineMap multiplyResults(AffineMap extents, unsigned first) {
  AffineExpr both = extents.getResult(first) * extents.getResult(first + 1);
  return AffineMap::get(extents.getNumDims(), extents.getNumSymbols(),
                        joinTwo(extents.getResults(), first, both),
                        extents.getContext());
}

void Merger::mergeTensor(TensorOp tensor, unsigned dimension) {
  if (!tensor.getDeclaredType()) {
    tensor.setDeclaredExtents(tensor.getExtents());
    tensor.setDeclaredType(tensor.getType());
  }
  tensor.setExtents(multiplyResults(tensor.getExtents(), dimension));
  tensor.getResult().setType(joinDimensions(tensor.getType(), dimension));
}

/// The first of the two has no sizes: they are those of the second.
void Merger::mergePattern(unsigned first) {
  if (!pattern)
    pattern = PatternAttr::get(context, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                               {}, {});
  auto drop = [&](DenseI64ArrayAttr sizes) {
    if (!sizes)
      return sizes;
    SmallVector<int64_t> kept(sizes.asArrayRef());
    kept.erase(kept.begin() + first);
    return DenseI64ArrayAttr::get(context, kept);
  };
  DenseI64ArrayAttr order = pattern.getOrder();
  if (order) {
    SmallVector<int64_t> kept;
    for (int64_t index : order.asArrayRef())
      if (index != first)
        kept.push_back(index > first ? index - 1 : index);
    order = DenseI64ArrayAttr::get(context, kept);
  }
  SmallVector<Attribute> names;
  if (pattern.getMerge())
    names = llvm::to_vector(pattern.getMerge());
  Attribute one = define.getIndices()[first];
  if (names.empty())
    names.push_back(define.getIndices()[first + 1]);
  if (!llvm::is_contained(names, one))
    names.insert(names.begin(), one);
  pattern = PatternAttr::get(
      context, drop(pattern.getWorkers()), drop(pattern.getNear()),
      pattern.getStage(), drop(pattern.getRegisters()),
      drop(pattern.getLanes()), drop(pattern.getUnroll()), order,
      pattern.getPrefetch(), pattern.getOverlap(), pattern.getFuse(),
      pattern.getTransform(), ArrayAttr::get(context, names));
}

/// The index `first` becomes part of the next one. `getObstacle` found none.
void Merger::merge(unsigned first) {
  mergePattern(first);
  int64_t group = define.getStaticExtents()[first + 1];
  for (auto [tensor, dimension] : varying)
    mergeTensor(tensor, dimension);
  AffineExpr one = getAffineDimExpr(first, context);
  define.walk([&](ReadOp read) {
    AffineMap map = read.getMap();
    bool isMerged = llvm::any_of(varying, [&](auto &entry) {
      return entry.first.getResult() == read.getTensor();
    });
    read.setMap(
        isMerged ? joinDims(joinResults(getPlain(map), first), first, one, one)
                 : joinDims(map, first, one.floorDiv(group), one % group));
  });
  SmallVector<Attribute> names(define.getIndices().getValue());
  names.erase(names.begin() + first);
  define.setIndicesAttr(ArrayAttr::get(context, names));
  define.setExtents(multiplyResults(define.getExtents(), first));
  define.setPatternAttr(pattern);
  collectUses();
}

/// What the pattern names.
LogicalResult Merger::mergeNamed() {
  auto named =
      llvm::to_vector(pattern.getMerge().getAsValueRange<StringAttr>());
  for (unsigned i = named.size(); i-- > 1;) {
    unsigned first = 0;
    while (first + 1 < define.getNumOutputs() && getName(first) != named[i - 1])
      ++first;
    if (first + 1 >= define.getNumOutputs() ||
        getName(first + 1) != named.back())
      return emitError(define.getPatternLoc("merge"),
                       "expected neighbouring indices of the left side in "
                       "'merge', but got '")
             << named[i - 1] << "' and '" << named[i] << "'";
    if (std::optional<std::string> obstacle = getObstacle(first))
      return emitError(define.getPatternLoc("merge"),
                       "expected indices that are neighbours in memory in "
                       "'merge', but got '")
             << named[i - 1] << "' and '" << named[i] << "': " << *obstacle;
    merge(first);
  }
  return success();
}

/// Whether no line of the pattern has a size of an index: a size is of the
/// index that it names.
bool Merger::leavesSizes() {
  return !pattern ||
         (!pattern.getWorkers() && !pattern.getRegisters() &&
          !pattern.getLanes() && !pattern.getOrder() && !pattern.getMerge());
}

/// Whether the lanes of vectors do more along both indices than along the
/// second one alone, of which they would have few: an output that is contiguous
/// along both, of an input that is so along no other index.
bool Merger::fillsLanes(unsigned first) {
  SumOp sum = define.getSum();
  if (!target || target.getMasked() || !sum || isUnknown(first) ||
      getObstacle(first) || divided.empty())
    return false;
  AffineExpr stored =
      define.getTarget().getType().getLayout().getResults().back();
  SmallVector<int64_t> extents = define.getStaticExtents();
  int64_t most = target.getLanes(), group = extents[first + 1],
          points = extents[first] * group;
  if (stored != getAffineDimExpr(first + 1, context))
    return false;
  auto getShare = [&](int64_t extent) {
    return getFilledShare(extent,
                          getShortLanes(countLanes(extent, most), target));
  };
  double both = getShare(points), alone = getShare(group);
  bool isRead = false;
  for (ReadOp read : sum.getBody().getOps<ReadOp>()) {
    AffineMap map = read.getMap();
    if (!map.isFunctionOfDim(first) || map.isFunctionOfDim(first + 1))
      continue;
    StoredTensorType type = read.getTensor().getType();
    AffineExpr innermost = type.getLayout().getResults().back();
    SmallVector<SmallVector<int64_t>> rows;
    bool liesInRows = false;
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      rows.push_back({expr.isFunctionOfDim(first)});
      for (unsigned i = 0; i < extents.size(); ++i) {
        if (!innermost.isFunctionOfDim(dim) || !expr.isFunctionOfDim(i))
          continue;
        if (i != first && i < define.getNumOutputs())
          return false;
        liesInRows |= i != first && extents[i] >= Groups::kBlock;
      }
    }
    int64_t bytes = type.getElementType().getIntOrFloatBitWidth() / 8;
    Groups groups{group, getStride(type, rows, 0) / bytes,
                  countTaps(map, extents, define.getNumOutputs()), liesInRows};
    both *= groups.getShare(countLanes(points, most));
    isRead = true;
  }
  return isRead && both > alone;
}

/// Fills vectors with groups of few points.
bool Merger::mergeGroups() {
  for (unsigned first = define.getNumOutputs() - 1; first-- > 0;)
    if (fillsLanes(first)) {
      merge(first);
      return true;
    }
  return false;
}

/// All that can be: one run of indices, the last that there is. What is known
/// of an extent is not given up for more points.
void Merger::mergeAll() {
  bool isRun = false;
  for (unsigned first = define.getNumOutputs() - 1; first-- > 0;) {
    bool losesExtent = isUnknown(first) && !isUnknown(first + 1);
    if (!losesExtent && !getObstacle(first) && divided.empty()) {
      // In front, an extent of 1 is nothing to divide.
      bool isNeeded = llvm::any_of(
          ArrayRef(define.getStaticExtents()).take_front(first + 1),
          [](int64_t extent) { return extent != 1; });
      if (!isNeeded)
        return;
      merge(first);
      isRun = true;
    } else if (isRun) {
      return;
    }
  }
}

LogicalResult Merger::run() {
  collectUses();
  if (leavesSizes()) {
    if (!mergeGroups())
      mergeAll();
    return success();
  }
  return pattern.getMerge() ? mergeNamed() : success();
}

namespace {
struct MergeIndices : sparkle::impl::MergeIndicesBase<MergeIndices> {
  using Base::Base;

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>("sparkle.target");
    getOperation().walk([&](DefineOp define) {
      if (failed(Merger(define, target).run()))
        signalPassFailure();
    });
  }
};
} // namespace
