// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear forms over SSA values: arithmetic, divisors, and proofs of sign.

#include "lib/Target/CPU/Linear.h"

#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;

namespace sparkle::cpu {

// Forms wrap. What is read lies within 2^40 elements; what is not read may be
// anywhere.
static int64_t addWrapping(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + b);
}
static int64_t multiplyWrapping(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * b);
}

Linear Linear::operator+(const Linear &other) const {
  Linear sum(addWrapping(constant, other.constant));
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

Linear Linear::operator*(int64_t factor) const {
  Linear product(multiplyWrapping(constant, factor));
  for (auto [atom, coefficient] : terms)
    if (int64_t scaled = multiplyWrapping(coefficient, factor))
      product.terms.emplace_back(atom, scaled);
  return product;
}

Linear Indices::addAtom(Atom atom) {
  Linear form;
  form.terms.emplace_back(atoms.size(), 1);
  atoms.push_back(std::move(atom));
  return form;
}

int64_t Indices::getDivisor(const Linear &form) const {
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

bool Indices::isNonNegative(const Linear &form) const {
  int budget = 256;
  return prove(form, 8, budget);
}

/// Replaces the innermost atom by what bounds it from the side that matters,
/// until only a constant is left.
bool Indices::prove(const Linear &form, int depth, int &budget) const {
  if (form.isConstant())
    return form.constant >= 0;
  if (!depth || --budget < 0)
    return false;
  int64_t coefficient = form.terms.back().second;
  const Atom &known = atoms[form.terms.back().first];
  Linear others = form;
  others.terms.pop_back();
  auto holds = [&](const Linear &bound) {
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

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

Value Indices::materialise(const Linear &form) {
  Value sum;
  auto add = [&](Value value) { sum = sum ? code.add(sum, value) : value; };
  for (auto [atom, coefficient] : form.terms)
    add(code.mul(atoms[atom].value, coefficient));
  if (form.constant || !sum)
    add(code.i64(form.constant));
  return sum;
}

SmallVector<Linear> Indices::evaluate(AffineMap map, ArrayRef<Linear> dims,
                                      ArrayRef<Linear> symbols) {
  return llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) {
    return evaluate(expr, dims, symbols);
  });
}

Linear Indices::evaluate(AffineExpr expr, ArrayRef<Linear> dims,
                         ArrayRef<Linear> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Linear left = evaluate(binary.getLHS(), dims, symbols);
  if (expr.getKind() == AffineExprKind::Add)
    return left + evaluate(binary.getRHS(), dims, symbols);
  // Pure affine: the caller checked.
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

Indices::Split Indices::split(const Linear &form, int64_t divisor) const {
  Split parts{0, 0, 0};
  for (auto term : form.terms) {
    bool divides =
        multiplyWrapping(term.second, atoms[term.first].divisor) % divisor == 0;
    (divides ? parts.multiple : parts.rest).terms.push_back(term);
  }
  int64_t grain = std::gcd(getDivisor(parts.rest), divisor);
  parts.remainder = llvm::mod(form.constant, grain);
  parts.rest.constant = form.constant - parts.remainder;
  return parts;
}

Linear Indices::floorDiv(const Linear &form, int64_t divisor) {
  Split parts = split(form, divisor);
  Linear quotient =
      parts.rest.isConstant()
          ? Linear(llvm::divideFloorSigned(parts.rest.constant, divisor))
          : compute(Operation::FloorDiv, parts.rest, divisor);
  for (auto term : parts.multiple.terms) {
    Linear one;
    one.terms.push_back(term);
    if (term.second % divisor == 0)
      one.terms.front().second /= divisor;
    else
      one = compute(Operation::FloorDiv, one, divisor);
    quotient = quotient + one;
  }
  return quotient;
}

Linear Indices::mod(const Linear &form, int64_t divisor) {
  Split parts = split(form, divisor);
  if (parts.rest.isConstant())
    return llvm::mod(parts.rest.constant, divisor) + parts.remainder;
  return compute(Operation::Mod, parts.rest, divisor) + parts.remainder;
}

Linear Indices::multiply(const Linear &form, Value factor) {
  Linear product;
  for (auto term : form.terms) {
    Linear one;
    one.terms.emplace_back(term.first, 1);
    product =
        product + compute(Operation::Multiply, one, 1, factor) * term.second;
  }
  if (form.constant)
    product =
        product + compute(Operation::Multiply, 1, 1, factor) * form.constant;
  return product;
}

Linear Indices::compute(Operation operation, const Linear &form,
                        int64_t constant, Value factor, Type element) {
  for (const Computed &known : computed)
    if (known.operation == operation && known.form == form &&
        known.constant == constant && known.factor == factor)
      return known.result;
  Atom atom;
  Value value = materialise(form);
  int64_t grain = getDivisor(form);
  if (operation == Operation::Address) {
    atom.value = code.offset(element, factor, value);
  } else if (operation == Operation::Multiply) {
    atom.value = code.mul(value, factor);
    atom.divisor = grain;
  } else if (operation == Operation::Mod) {
    atom.value = code.mod(value, constant);
    atom.divisor = std::gcd(grain, constant);
    atom.lower.push_back(0);
    atom.upper.push_back(constant - atom.divisor);
  } else {
    atom.value = code.floorDiv(value, constant);
    atom.denominator = constant;
    atom.dividend = form;
    if (isNonNegative(form))
      atom.lower.push_back(0);
    atom.divisor = grain % constant ? 1 : grain / constant;
  }
  Linear result = addAtom(std::move(atom));
  computed.push_back({operation, form, constant, factor, result});
  return result;
}

Value Indices::getAddress(Type element, Value pointer, const Linear &offset) {
  Linear moving = offset;
  moving.constant = 0;
  if (!moving.isConstant()) {
    Linear address = compute(Operation::Address, moving, 1, pointer, element);
    pointer = atoms[address.terms.front().first].value;
  }
  return code.offset(element, pointer, offset.constant);
}

Linear Indices::choose(ArrayRef<Linear> cases, bool larger) {
  // What is known to lose is dropped: often only one case is left.
  SmallVector<Linear, 2> kept;
  for (const Linear &candidate : cases) {
    auto wins = [&](const Linear &other) {
      return isNonNegative(larger ? other - candidate : candidate - other);
    };
    if (llvm::any_of(kept, wins))
      continue;
    llvm::erase_if(kept, [&](const Linear &other) {
      return isNonNegative(larger ? candidate - other : other - candidate);
    });
    kept.push_back(candidate);
  }
  if (kept.size() == 1)
    return kept.front();
  Atom atom;
  atom.divisor = 0;
  for (const Linear &candidate : kept) {
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

Linear Indices::minimum(ArrayRef<Linear> cases) { return choose(cases, false); }
Linear Indices::maximum(ArrayRef<Linear> cases) { return choose(cases, true); }

} // namespace sparkle::cpu
