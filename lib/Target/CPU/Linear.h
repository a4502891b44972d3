// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Index arithmetic with what is known about it: linear forms over SSA values,
// their divisors and bounds. This is how LowerTiled tells constant offsets
// from run-time ones, and shows that a read cannot leave its tensor.

#ifndef SPARKLE_LIB_TARGET_CPU_LINEAR_H
#define SPARKLE_LIB_TARGET_CPU_LINEAR_H

#include "lib/Target/CPU/Code.h"
#include "mlir/IR/AffineExpr.h"

namespace sparkle::cpu {

/// The sum of coefficient * atom, plus a constant. An atom is a number that
/// `Indices` gave to an SSA value.
struct Linear {
  /// Sorted by atom, which is the order of definition; no coefficient is 0.
  llvm::SmallVector<std::pair<unsigned, int64_t>, 2> terms;
  int64_t constant = 0;

  Linear(int64_t constant = 0) : constant(constant) {}
  bool isConstant() const { return terms.empty(); }
  Linear operator+(const Linear &other) const;
  Linear operator-(const Linear &other) const { return *this + other * -1; }
  Linear operator*(int64_t factor) const;
  bool operator==(const Linear &other) const {
    return constant == other.constant && terms == other.terms;
  }
  bool operator<(const Linear &other) const {
    return std::tie(constant, terms) < std::tie(other.constant, other.terms);
  }
};

/// The index values of one function, as linear forms.
class Indices {
public:
  explicit Indices(Code &code) : code(code) {}

  /// What is known about an atom.
  struct Atom {
    mlir::Value value;
    /// Divides it.
    int64_t divisor = 1;
    /// It is at least each of `lower` and at most each of `upper`.
    llvm::SmallVector<Linear, 2> lower, upper;
    /// Unless 0, it is `dividend` divided by this, towards minus infinity.
    int64_t denominator = 0;
    Linear dividend;
    /// Unless empty, it is one of these.
    llvm::SmallVector<Linear, 2> cases;
  };
  Linear addAtom(Atom atom);

  /// The largest number known to divide `form`; 0 for zero.
  int64_t getDivisor(const Linear &form) const;
  /// Whether `form >= 0` can be shown.
  bool isNonNegative(const Linear &form) const;

  /// The value of `form`, terms in the order of definition so that what does
  /// not change in an inner loop is a prefix of the sum.
  mlir::Value materialise(const Linear &form);
  /// `offset` elements behind `pointer`, which is to nothing else; constants
  /// stay constants of the address.
  mlir::Value getAddress(mlir::Type element, mlir::Value pointer,
                         const Linear &offset);

  /// The value of a pure affine `expr`.
  Linear evaluate(mlir::AffineExpr expr, llvm::ArrayRef<Linear> dims,
                  llvm::ArrayRef<Linear> symbols = {});
  llvm::SmallVector<Linear> evaluate(mlir::AffineMap map,
                                     llvm::ArrayRef<Linear> dims,
                                     llvm::ArrayRef<Linear> symbols = {});
  Linear minimum(llvm::ArrayRef<Linear> cases);
  Linear maximum(llvm::ArrayRef<Linear> cases);
  /// `form * factor`, where `factor` is known at run time only.
  Linear multiply(const Linear &form, mlir::Value factor);

  /// Values computed while a scope is open are reused in it, not behind it.
  class Scope {
  public:
    explicit Scope(Indices &indices)
        : indices(indices), size(indices.computed.size()) {}
    ~Scope() { indices.computed.resize(size); }

  private:
    Indices &indices;
    size_t size;
  };

private:
  enum class Operation { FloorDiv, Mod, Multiply, Address };
  /// The atom for `operation` on `form`, new unless computed before.
  Linear compute(Operation operation, const Linear &form, int64_t constant,
                 mlir::Value factor = {}, mlir::Type element = {});
  Linear floorDiv(const Linear &form, int64_t divisor);
  Linear mod(const Linear &form, int64_t divisor);
  /// Splits `form` into a part that `divisor` divides, the rest, and a constant
  /// in [0, gcd(rest, divisor)) that cannot carry.
  struct Split {
    Linear multiple, rest;
    int64_t remainder;
  };
  Split split(const Linear &form, int64_t divisor) const;
  Linear choose(llvm::ArrayRef<Linear> cases, bool larger);
  bool prove(const Linear &form, int depth, int &budget) const;

  struct Computed {
    Operation operation;
    Linear form;
    int64_t constant;
    mlir::Value factor;
    Linear result;
  };

  Code &code;
  std::vector<Atom> atoms;
  std::vector<Computed> computed;
};

} // namespace sparkle::cpu

#endif // SPARKLE_LIB_TARGET_CPU_LINEAR_H
