// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a sum reads an operand, and where in memory that lies.

#include "lib/Transforms/JoinDimensions.h"
#include "lib/Transforms/Pattern/Resolver.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace sparkle;

/// The coefficients of a linear function; none if it is none.
static std::optional<SmallVector<int64_t>> getLinear(AffineExpr expr,
                                                     unsigned count) {
  SmallVector<int64_t> row;
  if (failed(getFlattenedAffineExpr(expr, count, 0, &row)) ||
      row.size() != count + 1)
    return std::nullopt;
  row.resize(count);
  return row;
}

/// What a coordinate grows by with each index; `kUneven` where it does not grow
/// evenly: what is added to a quotient or remainder may, and so may whole
/// divisors in a quotient.
static SmallVector<int64_t> getCoefficients(AffineExpr expr, unsigned count) {
  if (std::optional<SmallVector<int64_t>> row = getLinear(expr, count))
    return *row;
  auto binary = cast<AffineBinaryOpExpr>(expr); // others are linear
  AffineExpr left = binary.getLHS(), right = binary.getRHS();
  SmallVector<int64_t> row;
  for (unsigned i = 0; i < count; ++i)
    row.push_back(expr.isFunctionOfDim(i) ? kUneven : 0);
  if (expr.getKind() == AffineExprKind::Add) {
    SmallVector<int64_t> a = getCoefficients(left, count),
                         b = getCoefficients(right, count);
    for (unsigned i = 0; i < count; ++i)
      if (!a[i] || !b[i])
        row[i] = a[i] + b[i];
  }
  auto divisor = dyn_cast<AffineConstantExpr>(right);
  if (expr.getKind() == AffineExprKind::FloorDiv && divisor)
    if (std::optional<SmallVector<int64_t>> dividend = getLinear(left, count))
      for (unsigned i = 0; i < count; ++i)
        if ((*dividend)[i] % divisor.getValue() == 0)
          row[i] = (*dividend)[i] / divisor.getValue();
  return row;
}

namespace {
/// A quotient or remainder, and the remainder where all indices are 0.
struct Division {
  AffineExpr expr;
  int64_t divisor, start;
};
} // namespace

/// The quotient or remainder in `expr`, of `count` indices, under which alone
/// it has `index`, so that neighbours have the same quotient, and remainders
/// come again. None if it has it elsewhere, or if others move it less evenly.
static std::optional<Division> findDivision(AffineExpr expr, unsigned index,
                                            AffineExprKind kind,
                                            unsigned count) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary || !expr.isFunctionOfDim(index))
    return std::nullopt;
  AffineExpr left = binary.getLHS(), right = binary.getRHS();
  if (expr.getKind() == AffineExprKind::Add) {
    if (left.isFunctionOfDim(index) && right.isFunctionOfDim(index))
      return std::nullopt;
    return findDivision(left.isFunctionOfDim(index) ? left : right, index, kind,
                        count);
  }
  SmallVector<int64_t> row;
  if (expr.getKind() != kind ||
      failed(getFlattenedAffineExpr(left, count, 0, &row)) ||
      row.size() != count + 1 || row[index] != 1)
    return std::nullopt;
  int64_t divisor = cast<AffineConstantExpr>(right).getValue();
  for (unsigned i = 0; i < count; ++i)
    if (i != index && row[i] % divisor != 0)
      return std::nullopt;
  return Division{expr, divisor, llvm::mod(row.back(), divisor)};
}

Operand Resolver::describe(ReadOp read) {
  Value declared = read.getTensor();
  if (auto transform = declared.getDefiningOp<TransformOp>())
    declared = transform.getSource();
  auto tensor = declared.getDefiningOp<TensorOp>();
  Operand operand;
  operand.name = StringAttr::get(context, "");
  View view{read.getTensor().getType(), read.getMap(), {}};
  // A box in a grid's near memory has both dimensions.
  if (!target.getMasked())
    view = joinQuotients(view.type, view.map);
  operand.type = view.type;
  operand.map = view.map;
  if (tensor)
    operand.name = tensor.getNameAttr();
  operand.isWeight = tensor && tensor.getRole() == Role::Weight;
  for (AffineExpr expr : view.map.getResults())
    operand.coefficients.push_back(getCoefficients(expr, extents.size()));
  SmallVector<std::optional<int64_t>> least(extents.size(), 0), most;
  for (unsigned i = 0; i < extents.size(); ++i)
    most.push_back(isStatic(i) ? std::optional(extents[i] - 1) : std::nullopt);
  for (unsigned i = 0; i < extents.size(); ++i) {
    Course course{std::numeric_limits<int64_t>::max(), 0, 1};
    for (auto [expr, extent] :
         llvm::zip_equal(view.map.getResults(), operand.type.getShape())) {
      if (!expr.isFunctionOfDim(i))
        continue;
      auto quotient =
          findDivision(expr, i, AffineExprKind::FloorDiv, extents.size());
      auto remainder =
          findDivision(expr, i, AffineExprKind::Mod, extents.size());
      course.repeats =
          std::min<int64_t>(course.repeats, quotient ? quotient->divisor : 1);
      course.start = course.repeats > 1 ? quotient->start : 0;
      course.period =
          remainder ? std::lcm(course.period, remainder->divisor) : 0;
      if (!remainder || ShapedType::isDynamic(extent))
        continue;
      AffineExpr last = getAffineConstantExpr(remainder->divisor - 1, context);
      std::optional<int64_t> bound = getBoundForAffineExpr(
          expr.replace(remainder->expr, last), extents.size(), 0, least, most,
          /*isUpper=*/true);
      if (bound && *bound >= extent)
        operand.surplus *= double(*bound + 1) / double(extent);
    }
    operand.courses.push_back(operand.varies(i) ? course : Course());
  }
  return operand;
}

int64_t Operand::countBox(ArrayRef<int64_t> sizes) const {
  int64_t count = width;
  for (auto &row : coefficients) {
    int64_t reach = 1, steps = 1;
    for (auto [index, coefficient] : llvm::enumerate(row)) {
      int64_t size = coefficient ? countSteps(index, sizes[index]) : 1;
      reach += getStep(row, index) * (size - 1);
      steps = llvm::SaturatingMultiply<uint64_t>(steps, size);
    }
    if (llvm::MulOverflow(count, std::min(reach, steps), count))
      return std::numeric_limits<int64_t>::max() / 64;
  }
  return count;
}

double Operand::getCopiedBytes(ArrayRef<int64_t> sizes) const {
  double box = 4 * double(width); // Copies are f32.
  for (auto &row : coefficients) {
    double size = 1;
    for (auto [coefficient, extent] : llvm::zip(row, sizes))
      size += double(std::abs(coefficient)) * double(extent - 1);
    box *= size;
  }
  return box;
}

/// Whether neighbours along `index` are neighbours in memory. `rows` are the
/// coefficients of the tensor's coordinates.
bool sparkle::isContiguous(StoredTensorType type,
                           ArrayRef<SmallVector<int64_t>> rows,
                           unsigned index) {
  AffineExpr innermost = type.getLayout().getResults().back();
  for (auto [dim, row] : llvm::enumerate(rows)) {
    bool isInnermost = innermost.isFunctionOfDim(dim);
    if (row[index] != (isInnermost ? 1 : 0))
      return false;
  }
  return true;
}

int64_t sparkle::getStride(StoredTensorType type,
                           ArrayRef<SmallVector<int64_t>> rows,
                           unsigned index) {
  SmallVector<AffineExpr> coordinates;
  for (auto &row : rows)
    coordinates.push_back(getAffineConstantExpr(row[index], type.getContext()));
  int64_t elements = 0, stride = 1;
  // Named: a reversed range refers to what it reverses.
  SmallVector<int64_t> shape = type.getPhysicalShape();
  auto dims = llvm::zip_equal(type.getLayout().getResults(), shape);
  for (auto [expr, extent] : llvm::reverse(dims)) {
    auto moved = dyn_cast<AffineConstantExpr>(
        simplifyAffineExpr(expr.replaceDims(coordinates), 0, 0));
    elements += moved ? moved.getValue() * stride : 0;
    // Odd, so that what only the call knows lets no rows meet.
    stride *= ShapedType::isDynamic(extent) ? kUnknownExtent + 1 : extent;
  }
  return std::abs(elements) *
         (type.getElementType().getIntOrFloatBitWidth() / 8);
}
