// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on floor((constant + coefficients * variables) / divisor). The
// form is closed under all that sizes of tiled kernels need; the rest is a
// fault, not an approximation.

#include "lib/Frontend/Affine.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <numeric>

using namespace sparkle;

/// Through unsigned, since the smallest integer has no negative.
static uint64_t magnitude(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : value;
}

Affine Affine::variable(unsigned number) {
  Affine result;
  result.coefficients.assign(number, 0);
  result.coefficients.push_back(1);
  return result;
}

bool Affine::operator==(const Affine &rhs) const {
  return constant == rhs.constant && divisor == rhs.divisor &&
         coefficients == rhs.coefficients;
}

/// Brings the form into lowest terms:
/// floor((g*a + c) / (g*d)) = floor((a + floor(c/g)) / d).
void Affine::reduce() {
  while (!coefficients.empty() && coefficients.back() == 0)
    coefficients.pop_back();
  uint64_t divides = divisor;
  for (int64_t coefficient : coefficients)
    divides = std::gcd(divides, magnitude(coefficient));
  int64_t common = divides;
  if (common <= 1)
    return;
  for (int64_t &coefficient : coefficients)
    coefficient /= common;
  constant = llvm::divideFloorSigned(constant, common);
  divisor /= common;
}

/// Only one side may be a quotient: a + floor(b/d) = floor((d*a + b) / d).
Affine::Fault Affine::add(const Affine &rhs) {
  if (divisor > 1 && rhs.divisor > 1)
    return Fault::Unexpressible;
  int64_t scale = rhs.divisor, rhsScale = divisor;
  coefficients.resize(std::max(coefficients.size(), rhs.coefficients.size()));
  auto addScaled = [&](int64_t &to, int64_t from) {
    std::optional<int64_t> scaled = llvm::checkedMul(to, scale);
    if (scaled)
      scaled = llvm::checkedMulAdd(from, rhsScale, *scaled);
    to = scaled.value_or(0);
    return scaled.has_value();
  };
  bool fits = addScaled(constant, rhs.constant);
  for (auto [number, coefficient] : llvm::enumerate(coefficients))
    fits &= addScaled(coefficient, rhs.getCoefficient(number));
  divisor = scale * rhsScale; // one of them is 1
  reduce();
  return fits ? Fault::None : Fault::Overflow;
}

Affine::Fault Affine::multiply(int64_t factor) {
  if (divisor > 1 && factor != 0 && factor != 1)
    return Fault::Unexpressible;
  if (factor == 0)
    *this = Affine(0);
  bool fits = true;
  auto scale = [&](int64_t &value) {
    std::optional<int64_t> scaled = llvm::checkedMul(value, factor);
    fits &= scaled.has_value();
    value = scaled.value_or(0);
  };
  scale(constant);
  llvm::for_each(coefficients, scale);
  reduce();
  return fits ? Fault::None : Fault::Overflow;
}

/// floor(floor(a/d) / e) = floor(a / (d*e)) for positive d and e.
Affine::Fault Affine::divide(int64_t by) {
  if (by <= 0)
    return Fault::BadDivisor;
  std::optional<int64_t> product = llvm::checkedMul(divisor, by);
  if (!product)
    return Fault::Overflow;
  divisor = *product;
  reduce();
  return Fault::None;
}

Affine::Fault Affine::remainder(int64_t by) {
  if (by <= 0)
    return Fault::BadDivisor;
  if (divisor > 1 || llvm::any_of(coefficients, [&](int64_t coefficient) {
        return coefficient % by != 0;
      }))
    return Fault::Unexpressible;
  *this = Affine(llvm::mod(constant, by));
  return Fault::None;
}

Affine::Fault Affine::apply(char op, const Affine &rhs) {
  switch (op) {
  case '+':
    return add(rhs);
  case '-': {
    Affine negative = rhs;
    Fault fault = negative.multiply(-1);
    return fault == Fault::None ? add(negative) : fault;
  }
  case '*': {
    if (rhs.isConstant())
      return multiply(rhs.constant);
    if (!isConstant())
      return Fault::Unexpressible;
    int64_t factor = constant;
    *this = rhs;
    return multiply(factor);
  }
  default:
    if (!rhs.isConstant())
      return Fault::Unexpressible;
    return op == '/' ? divide(rhs.constant) : remainder(rhs.constant);
  }
}

Affine::Fault Subscript::apply(char op, const Subscript &rhs) {
  using Fault = Affine::Fault;
  switch (op) {
  case '+':
  case '-':
    for (Remainder remainder : rhs.remainders) {
      remainder.factor *= op == '-' ? -1 : 1;
      remainders.push_back(remainder);
    }
    return affine.apply(op, rhs.affine);
  case '*': {
    if (!isConstant() && !rhs.isConstant())
      return Fault::Unexpressible;
    int64_t factor = (isConstant() ? affine : rhs.affine).getConstant();
    if (isConstant())
      remainders = rhs.remainders;
    for (Remainder &remainder : remainders) {
      std::optional<int64_t> scaled =
          llvm::checkedMul(remainder.factor, factor);
      if (!scaled)
        return Fault::Overflow;
      remainder.factor = *scaled;
    }
    return affine.apply(op, rhs.affine);
  }
  default:
    break;
  }
  if (!remainders.empty() || !rhs.isConstant())
    return Fault::Unexpressible;
  Affine before = affine;
  Fault fault = affine.apply(op, rhs.affine);
  if (op != '%' || fault != Fault::Unexpressible || before.getDivisor() != 1)
    return fault;
  affine = Affine(0);
  remainders.push_back({1, before, rhs.affine.getConstant()});
  return Fault::None;
}

std::string Affine::str(llvm::ArrayRef<llvm::StringRef> names) const {
  std::string text;
  llvm::raw_string_ostream out(text);
  bool isQuotient = divisor > 1, empty = true;
  out << (isQuotient ? "(" : "");
  auto print = [&](int64_t value, llvm::StringRef name) {
    if (value == 0)
      return;
    uint64_t size = magnitude(value);
    out << (empty ? (value < 0 ? "-" : "") : (value < 0 ? " - " : " + "));
    if (size != 1 || name.empty())
      out << size << (name.empty() ? "" : "*");
    out << name;
    empty = false;
  };
  for (auto [number, coefficient] : llvm::enumerate(coefficients))
    print(coefficient, names[number]);
  print(constant, "");
  if (empty)
    out << '0';
  if (isQuotient)
    out << ")/" << divisor;
  return text;
}
