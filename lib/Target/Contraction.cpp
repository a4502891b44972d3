// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which dimensions each constant sums over, and partial sums by need.

#include "lib/Target/Contraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sparkle {

ConstantOp getConstant(Value box) {
  auto stage = box.getDefiningOp<StageOp>();
  return stage ? stage.getTensor().getDefiningOp<ConstantOp>() : ConstantOp();
}

/// Counts how often each argument of `body` is a factor of `value`; false if
/// anything else takes part.
static bool countFactors(Value value, Block &body,
                         MutableArrayRef<unsigned> counts) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() != &body)
      return false;
    ++counts[argument.getArgNumber()];
    return true;
  }
  auto product = value.getDefiningOp<arith::MulFOp>();
  return product && countFactors(product.getLhs(), body, counts) &&
         countFactors(product.getRhs(), body, counts);
}

bool Contraction::applies(AccumulateOp op) {
  if (llvm::none_of(op.getBoxes(), [](Value box) { return getConstant(box); }))
    return false;
  Block &body = op.getBody().front();
  SmallVector<unsigned> counts(op.getBoxes().size(), 0);
  return countFactors(body.getTerminator()->getOperand(0), body, counts) &&
         llvm::all_of(counts, [](unsigned count) { return count == 1; });
}

Contraction::Contraction(AccumulateOp op)
    : rank(op.getAt().size()), tileRank(rank - op.getSlice().size()),
      slice(op.getSlice()) {
  auto maps = llvm::to_vector(op.getMaps().getAsValueRange<AffineMapAttr>());
  for (auto [i, box] : llvm::enumerate(op.getBoxes()))
    (getConstant(box) ? constants : variables).push_back(i);
  // Along the last dimension first, which is mostly that of memory.
  std::reverse(constants.begin(), constants.end());

  Level product{SmallVector<bool>(rank, false), {}};
  for (unsigned operand : variables)
    for (unsigned dim = 0; dim < rank; ++dim)
      product.varies[dim] |= maps[operand].isFunctionOfDim(dim);
  // A sum over what the product does not vary along is there all the same.
  for (unsigned dim = tileRank; dim < rank; ++dim)
    product.varies[dim] = true;
  levels.push_back(product);
  for (auto [i, operand] : llvm::enumerate(constants)) {
    Level level{levels.back().varies, {}};
    for (unsigned dim = 0; dim < rank; ++dim) {
      bool isOwn = maps[operand].isFunctionOfDim(dim);
      bool isLater = false;
      for (unsigned later : ArrayRef(constants).drop_front(i + 1))
        isLater |= maps[later].isFunctionOfDim(dim);
      if (dim < tileRank) {
        level.varies[dim] |= isOwn;
      } else if (level.varies[dim] && !isLater &&
                 (isOwn || i + 1 == constants.size())) {
        level.varies[dim] = false;
        level.sums.push_back(dim);
      }
    }
    levels.push_back(level);
  }
}

Value Contraction::getPartial(unsigned number, Offset offset) {
  const Level &level = levels[number];
  for (unsigned dim = 0; dim < rank; ++dim)
    if (!level.varies[dim])
      offset[dim] = 0;
  auto [place, isNew] = known.try_emplace({number, offset}, Value());
  if (!isNew)
    return place->second;
  if (number == 0)
    return place->second = emitProduct(variables, offset);

  Value sum;
  for (bool more = true; more;) {
    // The level before may not vary along all that this one does.
    float factor = getNumber(constants[number - 1], offset);
    if (factor != 0)
      if (Value value = getPartial(number - 1, offset))
        sum = emitTerm(sum, factor, value);
    more = false;
    for (unsigned i = level.sums.size(); i-- > 0 && !more;) {
      unsigned dim = level.sums[i];
      more = ++offset[dim] < slice[dim - tileRank];
      if (!more)
        offset[dim] = 0;
    }
  }
  return place->second = sum;
}

uint64_t Contraction::countTerms(ArrayRef<int64_t> counts) const {
  uint64_t terms = 0;
  for (const Level &level : ArrayRef(levels).drop_front()) {
    uint64_t ofLevel = 1;
    for (unsigned dim = 0; dim < rank; ++dim)
      if (level.varies[dim] || llvm::is_contained(level.sums, dim))
        ofLevel = llvm::SaturatingMultiply<uint64_t>(
            ofLevel, dim < tileRank ? counts[dim] : slice[dim - tileRank]);
    terms = llvm::SaturatingAdd(terms, ofLevel);
  }
  return terms;
}

Value Contraction::getSum(ArrayRef<int64_t> tileOffset) {
  Offset offset(tileOffset);
  offset.resize(rank, 0);
  return getPartial(levels.size() - 1, offset);
}

} // namespace sparkle
