// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bounds of linear functions of the indices of tiled loops.

#include "lib/Transforms/Bounds.h"
#include "lib/Transforms/Passes.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace sparkle;

//===----------------------------------------------------------------------===//
// Linear functions
//===----------------------------------------------------------------------===//

void Linear::addValue(Value value, int64_t factor) {
  if ((values[value] += factor) == 0)
    values.erase(value);
}

Linear &Linear::add(const Linear &other, int64_t factor) {
  for (auto [value, coefficient] : llvm::to_vector(other.values))
    addValue(value, coefficient * factor);
  for (auto [size, coefficient] : llvm::to_vector(other.sizes))
    if ((sizes[size] += coefficient * factor) == 0)
      sizes.erase(size);
  constant += other.constant * factor;
  return *this;
}

int64_t Linear::getCoefficient(Value value) const {
  return values.lookup(value);
}

SmallVector<Value> Linear::getValues() const {
  return llvm::map_to_vector(values, [](auto &entry) { return entry.first; });
}

Linear Linear::without(Value value) const {
  Linear result = *this;
  result.values.erase(value);
  return result;
}

AffineExpr Linear::getSizes(MLIRContext *context) const {
  AffineExpr expr = getAffineConstantExpr(0, context);
  for (auto [size, coefficient] : sizes)
    expr = expr + size * coefficient;
  return expr;
}

Linear Linear::withoutSizes() const {
  Linear result = *this;
  result.sizes.clear();
  return result;
}

static bool isProductOfSizes(AffineExpr expr) {
  return expr.getKind() == AffineExprKind::Mul && expr.isSymbolicOrConstant() &&
         !isa<AffineConstantExpr>(cast<AffineBinaryOpExpr>(expr).getRHS());
}

std::optional<Linear> Linear::get(AffineExpr expr, ValueRange operands) {
  unsigned dims = operands.size();
  // A product of sizes is as good as a size.
  SmallVector<AffineExpr> parts;
  llvm::DenseMap<AffineExpr, AffineExpr> symbols;
  expr.walk([&](AffineExpr part) {
    AffineExpr symbol = getAffineSymbolExpr(parts.size(), expr.getContext());
    if ((isa<AffineSymbolExpr>(part) || isProductOfSizes(part)) &&
        symbols.try_emplace(part, symbol).second)
      parts.push_back(part);
  });
  SmallVector<int64_t> coefficients;
  // A function that is not linear flattens to one of more variables.
  if (failed(getFlattenedAffineExpr(expr.replace(symbols), dims, parts.size(),
                                    &coefficients)) ||
      coefficients.size() != dims + parts.size() + 1)
    return std::nullopt;
  Linear result(coefficients.back());
  for (auto [operand, coefficient] : llvm::zip(operands, coefficients))
    if (coefficient)
      result.add(get(operand), coefficient);
  for (auto [i, part] : llvm::enumerate(parts))
    if (coefficients[dims + i])
      result.sizes[part] = coefficients[dims + i];
  return result;
}

/// The results of an affine operation's map, whose operands are all dimensions.
static SmallVector<AffineExpr> getResults(AffineMap map) {
  SmallVector<AffineExpr> dims;
  for (unsigned i = 0; i < map.getNumSymbols(); ++i)
    dims.push_back(getAffineDimExpr(map.getNumDims() + i, map.getContext()));
  return llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) {
    return expr.replaceSymbols(dims);
  });
}

Linear Linear::get(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return Linear(constant.getSExtValue());
  if (auto apply = value.getDefiningOp<affine::AffineApplyOp>())
    if (std::optional<Linear> linear =
            get(getResults(apply.getAffineMap()).front(), apply.getOperands()))
      return *linear;
  if (auto extent = value.getDefiningOp<ExtentOp>())
    if (std::optional<Linear> linear = get(extent.getMap().getResult(0), {}))
      return *linear;
  Linear result;
  result.addValue(value, 1);
  return result;
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

int64_t sparkle::getDivisor(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return std::abs(constant.getSExtValue());
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *parent = argument.getOwner()->getParentOp();
    if (auto workers = dyn_cast<WorkersOp>(parent))
      return workers.getSteps()[argument.getArgNumber()];
    if (auto loop = dyn_cast<LoopOp>(parent))
      return std::gcd(getDivisor(loop.getLower()),
                      static_cast<int64_t>(loop.getStep()));
    return 1;
  }
  // A maximum or a minimum is one of its results.
  AffineMap map;
  if (auto apply = value.getDefiningOp<affine::AffineApplyOp>())
    map = apply.getAffineMap();
  else if (auto max = value.getDefiningOp<affine::AffineMaxOp>())
    map = max.getMap();
  else if (auto min = value.getDefiningOp<affine::AffineMinOp>())
    map = min.getMap();
  else
    return 1;
  int64_t divisor = 0;
  for (AffineExpr expr : getResults(map)) {
    std::optional<Linear> linear =
        Linear::get(expr, value.getDefiningOp()->getOperands());
    if (!linear || linear->hasSizes())
      return 1;
    divisor = std::gcd(divisor, linear->getConstant());
    for (Value operand : linear->getValues())
      divisor = std::gcd(divisor,
                         getDivisor(operand) * linear->getCoefficient(operand));
  }
  return divisor;
}

/// One bound of a loop's index, as `numerator ceildiv denominator`.
namespace {
struct Bound {
  Linear numerator;
  int64_t denominator = 1;
};
} // namespace

/// The bounds that a value states: those in its maximum or minimum, or itself.
template <typename MinMaxOp> static SmallVector<Bound> getBounds(Value value) {
  SmallVector<Bound> bounds;
  auto op = value.getDefiningOp<MinMaxOp>();
  if (!op)
    return {{Linear::get(value), 1}};
  for (AffineExpr expr : getResults(op.getMap())) {
    int64_t denominator = 1;
    if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
        binary && binary.getKind() == AffineExprKind::CeilDiv)
      if (auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS())) {
        denominator = constant.getValue();
        expr = binary.getLHS();
      }
    if (std::optional<Linear> linear = Linear::get(expr, op.getOperands()))
      bounds.push_back({*linear, denominator});
  }
  return bounds;
}

/// Functions that `coefficient * value` never falls below, in terms of values
/// further out.
static SmallVector<Linear> getLowerBounds(Value value, int64_t coefficient) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument)
    return {};
  Operation *parent = argument.getOwner()->getParentOp();
  SmallVector<Bound> bounds;
  if (auto workers = dyn_cast<WorkersOp>(parent)) {
    AffineExpr extent = workers.getExtents().getResult(argument.getArgNumber());
    std::optional<Linear> linear = Linear::get(extent, {});
    bounds = {{coefficient > 0 ? Linear(0) : linear.value_or(Linear(0)), 1}};
    if (!linear && coefficient < 0)
      return {};
  } else if (auto loop = dyn_cast<LoopOp>(parent);
             loop && argument.getArgNumber() == 0) {
    bounds = coefficient > 0 ? getBounds<affine::AffineMaxOp>(loop.getLower())
                             : getBounds<affine::AffineMinOp>(loop.getUpper());
  }
  SmallVector<Linear> results;
  int64_t divisor = std::max<int64_t>(getDivisor(value), 1);
  for (Bound bound : bounds) {
    if (coefficient % bound.denominator)
      continue;
    // value < ceil(n / d) is d * value <= n - 1; if the bound is a number,
    // the value is at most the last multiple of its divisor below that.
    if (coefficient < 0 && bound.numerator.isConstant()) {
      int64_t last = llvm::divideCeilSigned(bound.numerator.getConstant(),
                                            bound.denominator) -
                     1;
      bound = {Linear(llvm::divideFloorSigned(last, divisor) * divisor), 1};
    } else if (coefficient < 0) {
      bound.numerator.add(Linear(-1));
    }
    Linear result;
    result.add(bound.numerator, coefficient / bound.denominator);
    results.push_back(result);
  }
  return results;
}

/// How deep in the nest a value is defined.
static unsigned getDepth(Value value) {
  unsigned depth = 0;
  for (Operation *op = value.getParentBlock()->getParentOp(); op;
       op = op->getParentOp())
    ++depth;
  return depth;
}

std::optional<int64_t> Linear::getMinimum(unsigned budget) const {
  if (isConstant())
    return constant;
  if (!budget || values.empty())
    return std::nullopt;
  // Innermost first: its bounds are functions of those further out.
  auto entry = *llvm::max_element(values, [](auto &a, auto &b) {
    return getDepth(a.first) < getDepth(b.first);
  });
  std::optional<int64_t> best;
  for (const Linear &bound : getLowerBounds(entry.first, entry.second)) {
    Linear rest = without(entry.first);
    rest.add(bound);
    if (std::optional<int64_t> minimum = rest.getMinimum(budget - 1))
      best = std::max(best.value_or(*minimum), *minimum);
  }
  return best;
}

std::optional<int64_t> Linear::getMinimum() const {
  // Each step removes one value; bounds bring in those of outer loops.
  return getMinimum(/*budget=*/16);
}

std::optional<int64_t> Linear::getMaximum() const {
  Linear negated;
  negated.add(*this, -1);
  std::optional<int64_t> minimum = negated.getMinimum();
  return minimum ? std::optional(-*minimum) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

/// The extent along `dimension` of the tensor behind a box; none if it is no
/// linear function of the run-time sizes.
static std::optional<Linear> getTensorExtent(StageOp stage,
                                             unsigned dimension) {
  int64_t extent = stage.getTensor().getType().getShape()[dimension];
  if (!ShapedType::isDynamic(extent))
    return Linear(extent);
  Value tensor = stage.getTensor();
  if (auto pack = tensor.getDefiningOp<PackOp>())
    tensor = pack.getSource();
  auto declaration = tensor.getDefiningOp<TensorOp>();
  if (!declaration)
    return std::nullopt;
  return Linear::get(declaration.getExtents().getResult(dimension), {});
}

/// `expr` as one quotient of a dividend and a constant; of 1 if it has none.
static std::pair<AffineExpr, int64_t> getQuotient(AffineExpr expr) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return {expr, 1};
  AffineExpr left = binary.getLHS(), right = binary.getRHS();
  auto constant = dyn_cast<AffineConstantExpr>(right);
  if (expr.getKind() == AffineExprKind::FloorDiv && constant)
    return {left, constant.getValue()};
  if (expr.getKind() == AffineExprKind::Add) {
    auto [a, divisor] = getQuotient(left);
    auto [b, other] = getQuotient(right);
    if (divisor == 1 || other == 1)
      return {a * other + b * divisor, divisor * other};
  }
  return {expr, 1};
}

std::optional<Access> sparkle::getAccess(AccumulateOp op, unsigned operand,
                                         unsigned dimension) {
  AffineMap map = cast<AffineMapAttr>(op.getMaps()[operand]).getValue();
  auto [expr, divisor] = getQuotient(map.getResult(dimension));
  auto stage = op.getBoxes()[operand].getDefiningOp<StageOp>();
  std::optional<Linear> extent =
      stage ? getTensorExtent(stage, dimension) : std::nullopt;
  if (!extent)
    return std::nullopt;
  Access access;
  access.extent.add(*extent, divisor);
  std::optional<Linear> first = Linear::get(expr, op.getAt());
  if (!first)
    return std::nullopt;
  access.first = *first;
  SmallVector<int64_t> coefficients;
  (void)getFlattenedAffineExpr(expr, map.getNumDims(), 0, &coefficients);
  SmallVector<int64_t> sizes(op.getSums().getType().getShape());
  llvm::append_range(sizes, op.getSlice());
  for (auto [size, coefficient] : llvm::zip(sizes, coefficients)) {
    int64_t reach = coefficient * (size - 1);
    (reach < 0 ? access.below : access.above) += reach;
  }
  return access;
}

bool sparkle::holdsZeros(StageOp stage) {
  if (stage.getRealisation() != Realisation::Copy)
    return false;
  auto target = stage->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(
      kTargetAttr);
  auto loop = stage->getParentOfType<LoopOp>();
  return (target && target.getMasked()) || (loop && !loop.getInit().empty());
}

bool sparkle::isProvedInside(AccumulateOp op, unsigned operand,
                             unsigned dimension) {
  std::optional<Access> access = getAccess(op, operand, dimension);
  if (!access)
    return false;
  Linear low = access->first;
  std::optional<int64_t> least = low.add(access->below).getMinimum();
  Linear room = access->extent;
  room.add(access->first, -1).add(Linear(-1 - access->above));
  std::optional<int64_t> spare = room.getMinimum();
  return least && *least >= 0 && spare && *spare >= 0;
}
