// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LinearForm forms over SSA values: arithmetic, divisors, and proofs of sign.

#include "lib/Target/Linear.h"

#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;

namespace sparkle {

namespace {
/// Builds at a smaller depth, if the leaf can.
class AtDepth {
public:
  AtDepth(IndexCode &code, unsigned depth) : guard(code) {
    if (depth < code.depth())
      code.moveTo(depth);
  }

private:
  OpBuilder::InsertionGuard guard;
};
} // namespace

// Forms wrap. What is read lies within 2^40 elements; what is not read may be
// anywhere.
static int64_t addWrapping(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + b);
}
static int64_t multiplyWrapping(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * b);
}

LinearForm LinearForm::operator+(const LinearForm &other) const {
  LinearForm sum(addWrapping(constant, other.constant));
  const auto *a = terms.begin(), *b = other.terms.begin();
  while (a != terms.end() || b != other.terms.end()) {
    if (b == other.terms.end() || (a != terms.end() && a->first < b->first)) {
      sum.terms.push_back(*a++);
    } else if (a == terms.end() || b->first < a->first) {
      sum.terms.push_back(*b++);
    } else {
      if (int64_t coefficient = addWrapping(a->second, b->second))
        sum.terms.emplace_back(a->first, coefficient);
      ++a, ++b;
    }
  }
  return sum;
}

LinearForm LinearForm::operator*(int64_t factor) const {
  LinearForm product(multiplyWrapping(constant, factor));
  for (auto [atom, coefficient] : terms)
    if (int64_t scaled = multiplyWrapping(coefficient, factor))
      product.terms.emplace_back(atom, scaled);
  return product;
}

LinearForm Indices::addAtom(Atom atom) {
  LinearForm form;
  form.terms.emplace_back(atoms.size(), 1);
  atoms.push_back(std::move(atom));
  return form;
}

int64_t Indices::getDivisor(const LinearForm &form) const {
  // Of magnitudes, so that the least integer has one.
  uint64_t divisor = llvm::AbsoluteValue(form.constant);
  for (auto [atom, coefficient] : form.terms)
    divisor = std::gcd<uint64_t, uint64_t>(
        divisor, llvm::AbsoluteValue(
                     multiplyWrapping(coefficient, atoms[atom].divisor)));
  return divisor & std::numeric_limits<int64_t>::max();
}

//===----------------------------------------------------------------------===//
// Proofs
//===----------------------------------------------------------------------===//

bool Indices::isNonNegative(const LinearForm &form) const {
  int budget = 256;
  return prove(form, 8, budget);
}

/// Replaces the innermost atom by what bounds it from the side that matters,
/// until only a constant is left.
bool Indices::prove(const LinearForm &form, int depth, int &budget) const {
  if (form.isConstant())
    return form.constant >= 0;
  if (!depth || --budget < 0)
    return false;
  int64_t coefficient = form.terms.back().second;
  const Atom &known = atoms[form.terms.back().first];
  LinearForm others = form;
  others.terms.pop_back();
  auto holds = [&](const LinearForm &bound) {
    return prove(others + bound * coefficient, depth - 1, budget);
  };
  if (known.denominator && coefficient % known.denominator == 0 &&
      (coefficient < 0 ||
       getDivisor(known.dividend) % known.denominator == 0) &&
      prove(others + known.dividend * (coefficient / known.denominator),
            depth - 1, budget))
    return true;
  return llvm::any_of(coefficient > 0 ? known.lower : known.upper, holds) ||
         (!known.cases.empty() && llvm::all_of(known.cases, holds));
}

std::optional<int64_t> Indices::getMaximum(const LinearForm &form) const {
  return bound(form, 8);
}

std::optional<int64_t> Indices::bound(const LinearForm &form, int depth) const {
  if (form.isConstant())
    return form.constant;
  if (!depth)
    return std::nullopt;
  int64_t coefficient = form.terms.back().second;
  const Atom &known = atoms[form.terms.back().first];
  LinearForm others = form;
  others.terms.pop_back();
  std::optional<int64_t> least;
  for (const LinearForm &limit : coefficient > 0 ? known.upper : known.lower)
    if (auto most = bound(others + limit * coefficient, depth - 1))
      least = std::min(least.value_or(*most), *most);
  return least;
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

unsigned Indices::getDepth(const LinearForm &form) const {
  unsigned depth = 0;
  for (auto [atom, coefficient] : form.terms)
    depth = std::max(depth, atoms[atom].depth);
  return depth;
}

Value Indices::materialise(const LinearForm &form) {
  auto terms = llvm::to_vector(form.terms);
  llvm::sort(terms, [&](auto a, auto b) {
    return std::pair(atoms[a.first].depth, a.first) <
           std::pair(atoms[b.first].depth, b.first);
  });
  Value sum;
  for (auto [atom, coefficient] : terms) {
    AtDepth at(code, atoms[atom].depth);
    Value term = code.mul(atoms[atom].value, coefficient);
    sum = sum ? code.add(sum, term) : term;
  }
  if (sum && !form.constant)
    return sum;
  Value constant = code.number(form.constant);
  return sum ? code.add(sum, constant) : constant;
}

SmallVector<LinearForm> Indices::evaluate(AffineMap map,
                                          ArrayRef<LinearForm> dims,
                                          ArrayRef<LinearForm> symbols) {
  return llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) {
    return evaluate(expr, dims, symbols);
  });
}

LinearForm Indices::evaluate(AffineExpr expr, ArrayRef<LinearForm> dims,
                             ArrayRef<LinearForm> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  LinearForm left = evaluate(binary.getLHS(), dims, symbols);
  if (expr.getKind() == AffineExprKind::Add)
    return left + evaluate(binary.getRHS(), dims, symbols);
  if (auto right = binary.getRHS(); !isa<AffineConstantExpr>(right))
    return multiply(left, evaluate(right, dims, symbols));
  // Pure affine otherwise: the caller checked.
  int64_t right = cast<AffineConstantExpr>(binary.getRHS()).getValue();
  switch (expr.getKind()) {
  case AffineExprKind::Mul:
    return left * right;
  case AffineExprKind::FloorDiv:
    return floorDiv(left, right);
  case AffineExprKind::CeilDiv:
    return floorDiv(left + (right - 1), right);
  default:
    return mod(left, right);
  }
}

Indices::Split Indices::split(const LinearForm &form, int64_t divisor) const {
  Split parts{0, 0, 0, 0};
  for (auto term : form.terms) {
    bool divides =
        multiplyWrapping(term.second, atoms[term.first].divisor) % divisor == 0;
    (divides ? parts.multiple : parts.rest).terms.push_back(term);
  }
  int64_t grain = std::gcd(getDivisor(parts.rest), divisor);
  parts.remainder = llvm::mod(form.constant, grain);
  int64_t constant = form.constant - parts.remainder;
  parts.quotient = llvm::divideFloorSigned(constant, divisor);
  parts.rest.constant = constant - parts.quotient * divisor;
  return parts;
}

LinearForm Indices::floorDiv(const LinearForm &form, int64_t divisor) {
  Split parts = split(form, divisor);
  LinearForm quotient =
      parts.rest.isConstant()
          ? LinearForm(llvm::divideFloorSigned(parts.rest.constant, divisor))
          : compute(Kind::FloorDiv, parts.rest, divisor);
  quotient = quotient + parts.quotient;
  for (auto term : parts.multiple.terms) {
    LinearForm one;
    one.terms.push_back(term);
    if (term.second % divisor == 0)
      one.terms.front().second /= divisor;
    else
      one = compute(Kind::FloorDiv, one, divisor);
    quotient = quotient + one;
  }
  return quotient;
}

LinearForm Indices::mod(const LinearForm &form, int64_t divisor) {
  Split parts = split(form, divisor);
  if (parts.rest.isConstant())
    return llvm::mod(parts.rest.constant, divisor) + parts.remainder;
  return compute(Kind::Mod, parts.rest, divisor) + parts.remainder;
}

LinearForm Indices::multiply(const LinearForm &form, Value factor) {
  LinearForm product;
  for (auto term : form.terms) {
    LinearForm one;
    one.terms.emplace_back(term.first, 1);
    product = product + compute(Kind::Multiply, one, 1, factor) * term.second;
  }
  if (form.constant)
    product = product + compute(Kind::Multiply, 1, 1, factor) * form.constant;
  return product;
}

LinearForm Indices::multiply(const LinearForm &form, const LinearForm &factor) {
  LinearForm product = form * factor.constant;
  for (auto [atom, coefficient] : factor.terms)
    product = product + multiply(form, atoms[atom].value) * coefficient;
  return product;
}

LinearForm Indices::compute(Kind kind, const LinearForm &form, int64_t constant,
                            Value factor, function_ref<Value(Value)> make) {
  for (const Computed &known : computed)
    if (known.kind == kind && known.form == form &&
        known.constant == constant && known.factor == factor)
      return known.result;
  Atom atom;
  atom.depth = getDepth(form);
  AtDepth at(code, atom.depth);
  Value value = materialise(form);
  int64_t grain = getDivisor(form);
  bool hasSign = !isNonNegative(form);
  auto sign = hasSign ? IndexCode::Sign::Any : IndexCode::Sign::NonNegative;
  if (kind == Kind::Made) {
    atom.value = make(value);
  } else if (kind == Kind::Multiply) {
    atom.value = code.mul(value, factor);
    atom.divisor = grain;
  } else if (kind == Kind::Mod) {
    atom.value = code.mod(value, constant, sign);
    atom.divisor = std::gcd(grain, constant);
    atom.lower.push_back(0);
    atom.upper.push_back(constant - atom.divisor);
  } else {
    atom.value = code.floorDiv(value, constant, sign);
    atom.denominator = constant;
    atom.dividend = form;
    atom.divisor = grain % constant ? 1 : grain / constant;
    if (!hasSign)
      atom.lower.push_back(0);
    if (std::optional<int64_t> most = getMaximum(form))
      atom.upper.push_back(llvm::divideFloorSigned(*most, constant));
  }
  LinearForm result = addAtom(std::move(atom));
  computed.push_back({kind, form, constant, factor, getDepth(form), result});
  return result;
}

Value Indices::getOnce(Value origin, const LinearForm &form,
                       function_ref<Value(Value)> make) {
  LinearForm made = compute(Kind::Made, form, 1, origin, make);
  return atoms[made.terms.front().first].value;
}

LinearForm Indices::choose(ArrayRef<LinearForm> cases, bool larger) {
  // What is known to lose is dropped: often only one case is left.
  SmallVector<LinearForm, 2> kept;
  for (const LinearForm &candidate : cases) {
    auto wins = [&](const LinearForm &other) {
      return isNonNegative(larger ? other - candidate : candidate - other);
    };
    if (llvm::any_of(kept, wins))
      continue;
    llvm::erase_if(kept, [&](const LinearForm &other) {
      return isNonNegative(larger ? candidate - other : other - candidate);
    });
    kept.push_back(candidate);
  }
  if (kept.size() == 1)
    return kept.front();
  Atom atom;
  atom.divisor = 0;
  for (const LinearForm &candidate : kept)
    atom.depth = std::max(atom.depth, getDepth(candidate));
  AtDepth at(code, atom.depth);
  for (const LinearForm &candidate : kept) {
    Value value = materialise(candidate);
    atom.value = !atom.value ? value
                 : larger    ? code.max(atom.value, value)
                             : code.min(atom.value, value);
    atom.divisor = std::gcd(atom.divisor, getDivisor(candidate));
  }
  atom.divisor = std::max<int64_t>(atom.divisor, 1);
  (larger ? atom.lower : atom.upper) = kept;
  atom.cases = kept;
  return addAtom(std::move(atom));
}

LinearForm Indices::minimum(ArrayRef<LinearForm> cases) {
  return choose(cases, false);
}
LinearForm Indices::maximum(ArrayRef<LinearForm> cases) {
  return choose(cases, true);
}

} // namespace sparkle
