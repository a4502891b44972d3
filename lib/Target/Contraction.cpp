// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which dimensions each constant sums over, and partial sums by need.

#include "lib/Target/Contraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>

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

/// The dimensions of the slice of `op` that no variable varies along but
/// `operand`.
static SmallVector<bool> getOwnDims(AccumulateOp op, unsigned operand) {
  unsigned rank = op.getAt().size();
  SmallVector<bool> own(rank, false);
  for (unsigned dim = rank - op.getSlice().size(); dim < rank; ++dim)
    own[dim] = llvm::all_of(
        llvm::enumerate(op.getMaps().getAsValueRange<AffineMapAttr>()),
        [&](auto map) {
          return map.index() == operand ||
                 getConstant(op.getBoxes()[map.index()]) ||
                 !map.value().isFunctionOfDim(dim);
        });
  return own;
}

std::optional<unsigned> Contraction::findChanged(AccumulateOp op) {
  auto maps = llvm::to_vector(op.getMaps().getAsValueRange<AffineMapAttr>());
  unsigned rank = op.getAt().size(), count = 0;
  std::optional<unsigned> changed;
  for (auto [operand, box] : llvm::enumerate(op.getBoxes())) {
    if (getConstant(box))
      continue;
    ++count;
    SmallVector<bool> own = getOwnDims(op, operand);
    bool isChanged = true;
    for (auto [map, other] : llvm::zip(maps, op.getBoxes()))
      for (unsigned dim = rank - op.getSlice().size(); dim < rank; ++dim)
        isChanged &= !getConstant(other) || !map.isFunctionOfDim(dim) ||
                     (own[dim] && maps[operand].isFunctionOfDim(dim));
    if (isChanged && !changed)
      changed = operand;
  }
  return count > 1 ? changed : std::nullopt;
}

Contraction::Contraction(AccumulateOp op, std::optional<unsigned> changed)
    : rank(op.getAt().size()), tileRank(rank - op.getSlice().size()),
      extents(op.getType().getShape()) {
  llvm::append_range(extents, op.getSlice());
  auto maps = llvm::to_vector(op.getMaps().getAsValueRange<AffineMapAttr>());
  for (auto [i, box] : llvm::enumerate(op.getBoxes()))
    if (getConstant(box))
      constants.push_back(i);
    else if (!changed || i == *changed)
      variables.push_back(i);
  // Along the last dimension first, which is mostly that of memory.
  std::reverse(constants.begin(), constants.end());

  Level product{SmallVector<bool>(rank, false), {}, {}};
  for (unsigned operand : variables)
    for (unsigned dim = 0; dim < rank; ++dim)
      product.varies[dim] |= maps[operand].isFunctionOfDim(dim);
  // A sum over what the product does not vary along is there all the same.
  SmallVector<bool> isSummed(rank, true);
  if (changed)
    isSummed = getOwnDims(op, *changed);
  for (unsigned dim = tileRank; dim < rank; ++dim)
    product.varies[dim] |= isSummed[dim];
  levels.push_back(product);
  for (auto [i, operand] : llvm::enumerate(constants)) {
    Level level{levels.back().varies, {}, {}};
    for (unsigned dim = 0; dim < rank; ++dim) {
      bool isOwn = maps[operand].isFunctionOfDim(dim);
      bool isLater = false;
      for (unsigned later : ArrayRef(constants).drop_front(i + 1))
        isLater |= maps[later].isFunctionOfDim(dim);
      if (dim < tileRank) {
        level.varies[dim] |= isOwn;
        if (isOwn)
          level.rows.push_back(dim);
      } else if (level.varies[dim] && isSummed[dim] && !isLater &&
                 (isOwn || i + 1 == constants.size())) {
        level.varies[dim] = false;
        level.sums.push_back(dim);
      }
    }
    levels.push_back(level);
  }
}

SmallVector<Contraction::Offset> Contraction::getAlong(ArrayRef<unsigned> dims,
                                                       Offset offset) const {
  for (unsigned dim : dims)
    offset[dim] = 0;
  SmallVector<Offset> all;
  for (bool more = true; more;) {
    all.push_back(offset);
    more = false;
    for (unsigned i = dims.size(); i-- > 0 && !more;) {
      unsigned dim = dims[i];
      more = ++offset[dim] < extents[dim];
      if (!more)
        offset[dim] = 0;
    }
  }
  return all;
}

/// What the partial sum at `offset` is of.
Contraction::Terms Contraction::getTerms(unsigned number,
                                         const Offset &offset) {
  Terms terms;
  for (const Offset &place : getAlong(levels[number].sums, offset)) {
    float factor = getNumber(constants[number - 1], place);
    if (factor != 0)
      terms.push_back({factor, place});
  }
  return terms;
}

/// Where the level has the same terms but for the signs of some; none if these
/// are so few that halves would cost as much.
std::optional<Contraction::Offset> Contraction::findTwin(unsigned number,
                                                         const Offset &offset,
                                                         const Terms &terms) {
  if (terms.size() < 3)
    return std::nullopt;
  for (const Offset &row : getAlong(levels[number].rows, offset)) {
    Terms others = getTerms(number, row);
    if (others.size() != terms.size())
      continue;
    size_t same = 0, opposite = 0;
    for (auto [term, other] : llvm::zip(terms, others)) {
      if (ArrayRef(term.offset).drop_front(tileRank) !=
          ArrayRef(other.offset).drop_front(tileRank))
        break;
      same += term.factor == other.factor;
      opposite += term.factor == -other.factor;
    }
    if (same > 0 && opposite > 0 && same + opposite == terms.size())
      return row;
  }
  return std::nullopt;
}

/// The sum at `offset`, of `terms`: the half that the sum at `twin` has as
/// well, and the one that it has with the other sign.
Value Contraction::emitHalves(unsigned number, const Offset &offset,
                              const Offset &twin, const Terms &terms) {
  Terms others = getTerms(number, twin);
  bool isFirst = offset < twin;
  Value sum;
  for (bool isOdd : {false, true}) {
    Terms half;
    for (auto [term, other] : llvm::zip(terms, others))
      if ((term.factor != other.factor) == isOdd)
        half.push_back(isFirst ? term : other);
    // A factor of all is left for later, unless one is 1 anyway.
    float common = half.front().factor;
    if (llvm::any_of(half, [&](const Term &term) {
          return std::abs(term.factor) == 1 ||
                 term.factor / common * common != term.factor;
        }))
      common = 1;
    for (Term &term : half)
      term.factor /= common;
    auto [place, isNew] = halves.try_emplace(
        {number, std::min(offset, twin), std::max(offset, twin), isOdd},
        Value());
    if (isNew)
      place->second = emitTerms(number, std::move(half));
    if (place->second)
      sum = emitTerm(sum, isOdd && !isFirst ? -common : common, place->second);
  }
  return sum;
}

/// The sum of `terms`, which begins with what need not be multiplied; null if
/// it is zero.
Value Contraction::emitTerms(unsigned number, Terms terms) {
  auto one = llvm::find_if(terms, [](auto &term) { return term.factor == 1; });
  if (one != terms.end())
    std::rotate(terms.begin(), one, one + 1);
  Value sum;
  for (const Term &term : terms)
    if (Value value = getPartial(number - 1, term.offset))
      sum = emitTerm(sum, term.factor, value);
  return sum;
}

/// Null if it is zero.
Value Contraction::getPartial(unsigned number, Offset offset) {
  for (unsigned dim = 0; dim < rank; ++dim)
    if (!levels[number].varies[dim])
      offset[dim] = 0;
  auto [place, isNew] = known.try_emplace({number, offset}, Value());
  if (!isNew)
    return place->second;
  if (number == 0)
    return place->second = emitProduct(variables, offset);
  Terms terms = getTerms(number, offset);
  if (std::optional<Offset> twin = findTwin(number, offset, terms))
    return place->second = emitHalves(number, offset, *twin, terms);
  return place->second = emitTerms(number, std::move(terms));
}

bool Contraction::sumsOver(unsigned dim) const {
  return llvm::any_of(levels, [&](const Level &level) {
    return llvm::is_contained(level.sums, dim);
  });
}

uint64_t Contraction::countTerms(ArrayRef<int64_t> counts) const {
  uint64_t terms = 0;
  for (const Level &level : ArrayRef(levels).drop_front()) {
    uint64_t ofLevel = 1;
    for (unsigned dim = 0; dim < rank; ++dim)
      if (level.varies[dim] || llvm::is_contained(level.sums, dim))
        ofLevel = llvm::SaturatingMultiply<uint64_t>(
            ofLevel, dim < tileRank ? counts[dim] : extents[dim]);
    terms = llvm::SaturatingAdd(terms, ofLevel);
  }
  return terms;
}

Value Contraction::getSum(ArrayRef<int64_t> given) {
  Offset offset(given);
  offset.resize(rank, 0);
  return getPartial(levels.size() - 1, offset);
}

} // namespace sparkle
