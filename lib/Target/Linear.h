// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Index arithmetic with what is known about it: linear forms over SSA values,
// their divisors and bounds. This is how a leaf that walks the tiled level
// tells constant offsets from run-time ones, and shows that a read cannot leave
// its tensor. The leaf says in what ops the values are computed: IndexCode.

#ifndef SPARKLE_LIB_TARGET_LINEAR_H
#define SPARKLE_LIB_TARGET_LINEAR_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"

namespace sparkle {

/// A leaf's builder, as index arithmetic sees it: integers of the width that
/// the leaf counts elements in.
class IndexCode : public mlir::OpBuilder {
public:
  using Value = mlir::Value;
  using OpBuilder::OpBuilder;
  virtual ~IndexCode() = default;

  virtual Value number(int64_t value) = 0;
  virtual Value add(Value a, Value b) = 0;
  virtual Value mul(Value a, Value b) = 0;
  virtual Value mul(Value a, int64_t b) = 0;
  virtual Value min(Value a, Value b) = 0;
  virtual Value max(Value a, Value b) = 0;
  /// What is known of a dividend.
  enum class Sign { Any, NonNegative };
  /// Towards minus infinity, for a positive divisor.
  virtual Value floorDiv(Value a, int64_t b, Sign sign) = 0;
  /// Not negative, for a positive divisor.
  virtual Value mod(Value a, int64_t b, Sign sign) = 0;

  /// How many loops and selections are around what is built now, of those that
  /// `moveTo` can leave.
  virtual unsigned depth() const { return 0; }
  /// Goes in front of the loop or selection at a smaller depth.
  virtual void moveTo(unsigned /*depth*/) {}
};

/// The sum of coefficient * atom, plus a constant. An atom is a number that
/// `Indices` gave to an SSA value.
struct LinearForm {
  /// Sorted by atom, which is the order of definition; no coefficient is 0.
  llvm::SmallVector<std::pair<unsigned, int64_t>, 2> terms;
  int64_t constant = 0;

  LinearForm(int64_t constant = 0) : constant(constant) {}
  bool isConstant() const { return terms.empty(); }
  LinearForm operator+(const LinearForm &other) const;
  LinearForm operator-(const LinearForm &other) const {
    return *this + other * -1;
  }
  LinearForm operator*(int64_t factor) const;
  bool operator==(const LinearForm &other) const {
    return constant == other.constant && terms == other.terms;
  }
  bool operator<(const LinearForm &other) const {
    return std::tie(constant, terms) < std::tie(other.constant, other.terms);
  }
};

/// The index values of one function, as linear forms.
class Indices {
public:
  explicit Indices(IndexCode &code) : code(code) {}

  /// What is known about an atom.
  struct Atom {
    mlir::Value value;
    /// The loops and selections around its definition.
    unsigned depth = 0;
    /// Divides it.
    int64_t divisor = 1;
    /// It is at least each of `lower` and at most each of `upper`.
    llvm::SmallVector<LinearForm, 2> lower, upper;
    /// Unless 0, it is `dividend` divided by this, towards minus infinity.
    int64_t denominator = 0;
    LinearForm dividend;
    /// Unless empty, it is one of these.
    llvm::SmallVector<LinearForm, 2> cases;
  };
  LinearForm addAtom(Atom atom);

  /// The largest number known to divide `form`; 0 for zero.
  int64_t getDivisor(const LinearForm &form) const;
  /// Whether `form >= 0` can be shown.
  bool isNonNegative(const LinearForm &form) const;
  /// The least constant shown not to be exceeded; none if there is none.
  std::optional<int64_t> getMaximum(const LinearForm &form) const;

  /// The value of `form`. What does not change in an inner loop comes first,
  /// outside of it if the leaf can go there; the constant is added last, for
  /// addresses to absorb.
  mlir::Value materialise(const LinearForm &form);
  /// What `make` computes from `origin`, which is to nothing else, and the
  /// value of `form`: once in a scope. `origin` does not change in any loop.
  mlir::Value getOnce(mlir::Value origin, const LinearForm &form,
                      llvm::function_ref<mlir::Value(mlir::Value)> make);

  /// The value of `expr`: pure affine, or with products of symbols, which do
  /// not change in any loop.
  LinearForm evaluate(mlir::AffineExpr expr, llvm::ArrayRef<LinearForm> dims,
                      llvm::ArrayRef<LinearForm> symbols = {});
  llvm::SmallVector<LinearForm>
  evaluate(mlir::AffineMap map, llvm::ArrayRef<LinearForm> dims,
           llvm::ArrayRef<LinearForm> symbols = {});
  LinearForm minimum(llvm::ArrayRef<LinearForm> cases);
  LinearForm maximum(llvm::ArrayRef<LinearForm> cases);
  /// `form * factor`, where `factor` is known at run time only and does not
  /// change in any loop.
  LinearForm multiply(const LinearForm &form, mlir::Value factor);
  LinearForm multiply(const LinearForm &form, const LinearForm &factor);
  LinearForm floorDiv(const LinearForm &form, int64_t divisor);
  LinearForm mod(const LinearForm &form, int64_t divisor);

  /// Opened in a loop or selection: what is computed in there is not reused
  /// behind it, unless it stands in front of it.
  class Scope {
  public:
    explicit Scope(Indices &indices)
        : indices(indices), depth(indices.code.depth()),
          size(indices.computed.size()) {}
    ~Scope() {
      auto &computed = indices.computed;
      computed.erase(std::remove_if(computed.begin() + size, computed.end(),
                                    [&](const Computed &value) {
                                      return value.depth >= depth;
                                    }),
                     computed.end());
    }

  private:
    Indices &indices;
    unsigned depth;
    size_t size;
  };

protected:
  IndexCode &code;

private:
  enum class Kind { FloorDiv, Mod, Multiply, Made };
  /// The atom of a kind, of `form`, new unless computed before.
  LinearForm compute(Kind kind, const LinearForm &form, int64_t constant,
                     mlir::Value factor = {},
                     llvm::function_ref<mlir::Value(mlir::Value)> make = {});
  /// Splits `form` into a part that `divisor` divides, the rest, and a constant
  /// in [0, gcd(rest, divisor)) that cannot carry. The rest's constant is less
  /// than the divisor, what it lacks a `quotient` of it.
  struct Split {
    LinearForm multiple, rest;
    int64_t remainder, quotient;
  };
  unsigned getDepth(const LinearForm &form) const;
  Split split(const LinearForm &form, int64_t divisor) const;
  LinearForm choose(llvm::ArrayRef<LinearForm> cases, bool larger);
  bool prove(const LinearForm &form, int depth, int &budget) const;
  std::optional<int64_t> bound(const LinearForm &form, int depth) const;

  struct Computed {
    Kind kind;
    LinearForm form;
    int64_t constant;
    mlir::Value factor;
    unsigned depth;
    LinearForm result;
  };

  std::vector<Atom> atoms;
  std::vector<Computed> computed;
};

} // namespace sparkle

#endif // SPARKLE_LIB_TARGET_LINEAR_H
