// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two dimensions of a tensor as one, where one follows the other in memory.

#include "lib/Transforms/JoinDimensions.h"

using namespace mlir;
using namespace sparkle;

std::optional<unsigned> sparkle::findPair(AffineMap map, unsigned first) {
  std::optional<unsigned> found;
  for (unsigned i = 0; i + 1 < map.getNumResults(); ++i)
    if (map.getResult(i) == getAffineDimExpr(first, map.getContext()) &&
        map.getResult(i + 1) == getAffineDimExpr(first + 1, map.getContext()))
      found = i;
  for (auto [i, expr] : llvm::enumerate(map.getResults()))
    if (found && i != *found && i != *found + 1 &&
        (expr.isFunctionOfDim(first) || expr.isFunctionOfDim(first + 1)))
      return std::nullopt;
  return found;
}

AffineMap sparkle::joinResults(AffineMap map, unsigned first) {
  AffineExpr dim = getAffineDimExpr(first, map.getContext());
  unsigned at = std::distance(map.getResults().begin(),
                              llvm::find(map.getResults(), dim));
  return AffineMap::get(map.getNumDims(), map.getNumSymbols(),
                        joinTwo(map.getResults(), at, dim), map.getContext());
}

AffineMap sparkle::joinDims(AffineMap map, unsigned first, AffineExpr a,
                            AffineExpr b) {
  SmallVector<AffineExpr> dims;
  for (unsigned i = 0; i < map.getNumDims(); ++i)
    dims.push_back(getAffineDimExpr(i > first ? i - 1 : i, map.getContext()));
  dims[first] = a;
  if (first + 1 < dims.size())
    dims[first + 1] = b;
  return map.replaceDimsAndSymbols(dims, {}, map.getNumDims() - 1,
                                   map.getNumSymbols());
}

StoredTensorType sparkle::joinDimensions(StoredTensorType type,
                                         unsigned first) {
  ArrayRef<int64_t> shape = type.getShape();
  AffineExpr dim = getAffineDimExpr(first, type.getContext());
  bool isStatic = !ShapedType::isDynamicShape(shape.slice(first, 2));
  int64_t extent =
      isStatic ? shape[first] * shape[first + 1] : ShapedType::kDynamic;
  return StoredTensorType::get(
      type.getContext(), joinTwo(shape, first, extent), type.getElementType(),
      joinDims(joinResults(type.getLayout(), first), first, dim, dim));
}

/// Whether two coordinates are the quotient and the remainder by `divisor` of
/// the same: that; null if not.
static AffineExpr getDividend(AffineExpr a, AffineExpr b, int64_t divisor) {
  auto quotient = dyn_cast<AffineBinaryOpExpr>(a);
  if (!quotient || a.getKind() != AffineExprKind::FloorDiv ||
      quotient.getLHS().floorDiv(divisor) != a ||
      quotient.getLHS() % divisor != b)
    return {};
  return quotient.getLHS();
}

View sparkle::joinQuotients(StoredTensorType type, AffineMap map) {
  View view{type, map, {}};
  for (unsigned i = 0; i + 1 < view.map.getNumResults(); ++i) {
    int64_t group = view.type.getShape()[i + 1];
    AffineExpr dividend =
        getDividend(view.map.getResult(i), view.map.getResult(i + 1), group);
    if (!dividend || !findPair(view.type.getLayout(), i))
      continue;
    view.map = AffineMap::get(map.getNumDims(), map.getNumSymbols(),
                              joinTwo(view.map.getResults(), i, dividend),
                              map.getContext());
    view.type = joinDimensions(view.type, i);
    view.joined.push_back({i, group});
  }
  return view;
}

/// `layout` over two dimensions in place of `first`, the second of `group`.
static std::optional<AffineMap> splitDimension(AffineMap layout, unsigned first,
                                               int64_t group) {
  MLIRContext *context = layout.getContext();
  AffineExpr joined = getAffineDimExpr(first, context);
  AffineExpr outer = joined, inner = getAffineDimExpr(first + 1, context);
  SmallVector<AffineExpr> dims, results;
  for (unsigned i = 0; i < layout.getNumDims(); ++i)
    dims.push_back(getAffineDimExpr(i > first ? i + 1 : i, context));
  for (AffineExpr expr : layout.getResults()) {
    if (!expr.isFunctionOfDim(first)) {
      results.push_back(expr.replaceDims(dims));
      continue;
    }
    // `(joined floordiv divisor) mod modulus`; 0: no remainder.
    int64_t divisor = 1, modulus = 0;
    for (auto kind : {AffineExprKind::Mod, AffineExprKind::FloorDiv})
      if (expr.getKind() == kind) {
        auto binary = cast<AffineBinaryOpExpr>(expr);
        (kind == AffineExprKind::Mod ? modulus : divisor) =
            cast<AffineConstantExpr>(binary.getRHS()).getValue();
        expr = binary.getLHS();
      }
    auto part = [&](AffineExpr dim, int64_t by, int64_t of) {
      AffineExpr quotient = dim.floorDiv(by);
      results.push_back(of ? quotient % of : quotient);
    };
    int64_t end = divisor * modulus;
    if (expr != joined)
      return std::nullopt;
    if (divisor % group == 0)
      part(outer, divisor / group, modulus);
    else if (group % divisor != 0)
      return std::nullopt;
    else if (end && end <= group && group % end == 0)
      part(inner, divisor, end < group ? modulus : 0);
    else if (end % group != 0)
      return std::nullopt;
    else {
      part(outer, 1, end / group);
      part(inner, divisor, 0);
    }
  }
  return AffineMap::get(layout.getNumDims() + 1, 0, results, context);
}

std::optional<AffineMap> sparkle::splitJoined(AffineMap layout,
                                              const View &view) {
  std::optional<AffineMap> split = layout;
  for (auto [first, group] : llvm::reverse(view.joined))
    if (split)
      split = splitDimension(*split, first, group);
  return split;
}
