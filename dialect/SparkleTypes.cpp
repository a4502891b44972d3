// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text form, verifiers and queries of the sparkle types.

#include "dialect/SparkleDialect.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sparkle;

namespace {
/// A result of a layout: (dimension floordiv `divisor`) mod `modulus`, where a
/// modulus of 0 stands for none.
struct Factor {
  unsigned dimension;
  int64_t divisor = 1;
  int64_t modulus = 0;
};
} // namespace

/// Takes a result of a layout apart; none if it has another form.
static std::optional<Factor> getFactor(AffineExpr expr) {
  Factor factor{0};
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
      binary && binary.getKind() == AffineExprKind::Mod) {
    auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (!constant || constant.getValue() <= 0)
      return std::nullopt;
    factor.modulus = constant.getValue();
    expr = binary.getLHS();
  }
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
      binary && binary.getKind() == AffineExprKind::FloorDiv) {
    auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (!constant || constant.getValue() <= 0)
      return std::nullopt;
    factor.divisor = constant.getValue();
    expr = binary.getLHS();
  }
  auto dim = dyn_cast<AffineDimExpr>(expr);
  if (!dim)
    return std::nullopt;
  factor.dimension = dim.getPosition();
  return factor;
}

/// Whether the factors of one dimension, finest first, tile it without gap: the
/// finest has divisor 1, each next divides by all below, the last has no
/// modulus.
static bool coversOnce(SmallVector<Factor> factors) {
  llvm::sort(factors, [](const Factor &a, const Factor &b) {
    return a.divisor < b.divisor;
  });
  int64_t below = 1;
  for (auto [i, factor] : llvm::enumerate(factors)) {
    bool last = i + 1 == factors.size();
    if (factor.divisor != below || last != (factor.modulus == 0))
      return false;
    if (!last && llvm::MulOverflow(below, factor.modulus, below))
      return false;
  }
  return !factors.empty();
}

//===----------------------------------------------------------------------===//
// StoredTensorType
//===----------------------------------------------------------------------===//

SmallVector<int64_t> StoredTensorType::getPhysicalShape() const {
  SmallVector<int64_t> physical;
  for (AffineExpr expr : getLayout().getResults()) {
    Factor factor = *getFactor(expr);
    int64_t extent = getShape()[factor.dimension];
    if (factor.modulus)
      extent = factor.modulus;
    else if (!ShapedType::isDynamic(extent))
      extent = llvm::divideCeil(extent, factor.divisor);
    physical.push_back(extent);
  }
  return physical;
}

SmallVector<int64_t> StoredTensorType::getPhysicalStrides() const {
  SmallVector<int64_t> extents = getPhysicalShape();
  SmallVector<int64_t> strides(extents.size(), 1);
  for (int64_t i = static_cast<int64_t>(extents.size()) - 2; i >= 0; --i)
    strides[i] = ShapedType::isDynamic(strides[i + 1]) ||
                         ShapedType::isDynamic(extents[i + 1])
                     ? ShapedType::kDynamic
                     : strides[i + 1] * extents[i + 1];
  return strides;
}

AffineMap StoredTensorType::getStaticExtents(unsigned symbols) const {
  SmallVector<AffineExpr> extents;
  for (int64_t extent : getShape())
    extents.push_back(getAffineConstantExpr(extent, getContext()));
  return AffineMap::get(0, symbols, extents, getContext());
}

AffineMap StoredTensorType::getNearLayout() const {
  llvm::SetVector<unsigned> innermostFirst;
  for (AffineExpr expr : llvm::reverse(getLayout().getResults()))
    innermostFirst.insert(getFactor(expr)->dimension);
  SmallVector<unsigned> order(innermostFirst.rbegin(), innermostFirst.rend());
  return AffineMap::getPermutationMap(order, getContext());
}

Type StoredTensorType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  AffineMap layout;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape) ||
      parser.parseType(element) || parser.parseComma() ||
      parser.parseAffineMap(layout) || parser.parseGreater())
    return {};
  return StoredTensorType::getChecked([&] { return parser.emitError(loc); },
                                      parser.getContext(), ArrayRef(shape),
                                      element, layout);
}

static void printShape(AsmPrinter &printer, ArrayRef<int64_t> shape) {
  for (int64_t extent : shape) {
    if (ShapedType::isDynamic(extent))
      printer << '?';
    else
      printer << extent;
    printer << 'x';
  }
}

void StoredTensorType::print(AsmPrinter &printer) const {
  printer << '<';
  printShape(printer, getShape());
  printer << getElementType() << ", " << getLayout() << '>';
}

/// Checks what all three types share: a non-empty shape of positive extents
/// and a float element type.
static LogicalResult verifyShape(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> shape, Type element) {
  if (shape.empty())
    return emitError() << "expected at least one dimension, but got none";
  for (int64_t extent : shape)
    if (!ShapedType::isDynamic(extent) && extent <= 0)
      return emitError() << "expected positive extents, but got " << extent;
  if (!isa<FloatType>(element))
    return emitError() << "expected a float element type, but got " << element;
  return success();
}

LogicalResult
StoredTensorType::verify(function_ref<InFlightDiagnostic()> emitError,
                         ArrayRef<int64_t> shape, Type element,
                         AffineMap layout) {
  if (failed(verifyShape(emitError, shape, element)))
    return failure();
  if (layout.getNumDims() != shape.size() || layout.getNumSymbols())
    return emitError() << "expected a layout of " << shape.size()
                       << " dimensions and no symbols, but got "
                       << AffineMapAttr::get(layout);
  SmallVector<SmallVector<Factor>> factors(shape.size());
  for (AffineExpr expr : layout.getResults()) {
    std::optional<Factor> factor = getFactor(expr);
    if (!factor)
      return emitError() << "expected each result of the layout to be 'd', 'd "
                            "floordiv b', 'd mod b' or '(d floordiv a) mod b', "
                            "but got "
                         << AffineMapAttr::get(layout);
    factors[factor->dimension].push_back(*factor);
  }
  for (auto [i, list] : llvm::enumerate(factors))
    if (!coversOnce(list))
      return emitError() << "expected the layout to cover dimension d" << i
                         << " exactly once, but got "
                         << AffineMapAttr::get(layout);
  return success();
}

//===----------------------------------------------------------------------===//
// BoxType
//===----------------------------------------------------------------------===//

Type BoxType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape) ||
      parser.parseType(element) || parser.parseGreater())
    return {};
  return BoxType::getChecked([&] { return parser.emitError(loc); },
                             parser.getContext(), ArrayRef(shape), element);
}

void BoxType::print(AsmPrinter &printer) const {
  printer << '<';
  printShape(printer, getShape());
  printer << getElementType() << '>';
}

LogicalResult BoxType::verify(function_ref<InFlightDiagnostic()> emitError,
                              ArrayRef<int64_t> shape, Type element) {
  return verifyShape(emitError, shape, element);
}

//===----------------------------------------------------------------------===//
// TileType
//===----------------------------------------------------------------------===//

Type TileType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape, lanes;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(element) || parser.parseComma() ||
      parser.parseDimensionList(lanes, /*allowDynamic=*/false,
                                /*withTrailingX=*/false) ||
      parser.parseGreater())
    return {};
  return TileType::getChecked([&] { return parser.emitError(loc); },
                              parser.getContext(), ArrayRef(shape), element,
                              ArrayRef(lanes));
}

void TileType::print(AsmPrinter &printer) const {
  printer << '<';
  printShape(printer, getShape());
  printer << getElementType() << ", ";
  llvm::interleave(getLanes(), printer.getStream(), "x");
  printer << '>';
}

LogicalResult TileType::verify(function_ref<InFlightDiagnostic()> emitError,
                               ArrayRef<int64_t> shape, Type element,
                               ArrayRef<int64_t> lanes) {
  if (failed(verifyShape(emitError, shape, element)))
    return failure();
  if (lanes.size() != shape.size())
    return emitError() << "expected lanes for " << shape.size()
                       << " dimensions, but got " << lanes.size();
  for (int64_t count : lanes)
    if (count <= 0)
      return emitError() << "expected positive lanes, but got " << count;
  return success();
}
