// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exact arithmetic on sizes and subscripts: what a size that the call gives,
// or an index, may take part in.

#ifndef SPARKLE_FRONTEND_AFFINE_H
#define SPARKLE_FRONTEND_AFFINE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <string>

namespace sparkle {

/// floor((constant + sum of coefficients[i] * v[i]) / divisor) in lowest terms,
/// where v are the run-time sizes of a kernel, or the indices of an equation.
/// Equal forms compare equal.
class Affine {
public:
  enum class Fault {
    None,
    Overflow,      // beyond 64 bits
    BadDivisor,    // zero or negative
    Unexpressible, // a product of variables, a sum of quotients, ...
  };

  /*implicit*/ Affine(int64_t constant = 0) : constant(constant) {}
  static Affine variable(unsigned number);

  bool isConstant() const { return coefficients.empty(); }
  int64_t getConstant() const { return constant; }
  int64_t getDivisor() const { return divisor; }
  /// Ends with the last that is not zero.
  llvm::ArrayRef<int64_t> getCoefficients() const { return coefficients; }
  int64_t getCoefficient(unsigned number) const {
    return number < coefficients.size() ? coefficients[number] : 0;
  }

  /// Replaces this by `this op rhs`, where `op` is one of + - * / %, the latter
  /// two rounding towards minus infinity. After a fault it holds no value.
  Fault apply(char op, const Affine &rhs);

  bool operator==(const Affine &rhs) const;
  bool operator!=(const Affine &rhs) const { return !(*this == rhs); }

  /// As one would write it, such as `(2*N + 1)/4`.
  std::string str(llvm::ArrayRef<llvm::StringRef> names) const;

private:
  Fault add(const Affine &rhs);
  Fault multiply(int64_t factor);
  Fault divide(int64_t by);
  Fault remainder(int64_t by);
  void reduce();

  int64_t constant;
  llvm::SmallVector<int64_t, 2> coefficients;
  int64_t divisor = 1;
};

/// An affine form of the indices, and remainders of others: what is no affine
/// form by itself, as a remainder of an index is.
struct Subscript {
  struct Remainder {
    int64_t factor;
    Affine dividend; // no quotient
    int64_t divisor; // positive
  };

  Affine affine;
  llvm::SmallVector<Remainder, 0> remainders;

  bool isConstant() const { return affine.isConstant() && remainders.empty(); }
  /// As Affine::apply.
  Affine::Fault apply(char op, const Subscript &rhs);
};

} // namespace sparkle

#endif // SPARKLE_FRONTEND_AFFINE_H
