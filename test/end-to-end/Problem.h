// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One kernel to compile, run and check: its text, its arguments as the caller
// sees them, and its oracle.

#ifndef SPARKLE_TEST_END_TO_END_PROBLEM_H
#define SPARKLE_TEST_END_TO_END_PROBLEM_H

#include "test/end-to-end/Reference.h"

namespace sparkle {

enum class Role { Input, Weight, Output };

/// What the elements of an operand are drawn from.
enum class Fill {
  Signed,  ///< [-1, 1)
  Wide,    ///< [-8, 8), so that activations see their whole range.
  Divisor, ///< [1, 3)
  Special, ///< Large, tiny and infinite values, signed zeros, not-a-number.
  Halves,  ///< Every f16 in turn.
};

struct Argument {
  std::string name;
  Role role;
  /// The extents; `runTime(i)` stands for the call's size `i`.
  Shape shape;
  std::string layout;
  Fill fill = Fill::Signed;
  bool isHalf = false; ///< The elements are f16, not f32.

  int64_t getElementSize() const { return isHalf ? 2 : 4; }
};

/// The extent that the i-th run-time size gives.
constexpr int64_t runTime(int64_t i) { return -1 - i; }

struct Problem {
  using Sizes = std::vector<int64_t>;

  std::string name;
  std::string title;
  std::string row; ///< That it was made of; empty if none.
  std::string text;
  std::vector<Argument> arguments;
  bool hasTemps = false;
  double products = 0; ///< Of a row: multiply-adds, as it is written.
  /// Whether the reference that the compiler emits is run, too.
  bool runsReference = true;
  bool isTransformed = false; ///< Other sums than those of the text are added.
  /// How many times wider than needed the emitted reference's bound may be: it
  /// may count the terms in the padding, too.
  int64_t looseness = 64;
  /// The run-time sizes of each call to make; the last `derived` of them are
  /// extents only and not passed.
  std::vector<Sizes> calls = {{}};
  unsigned derived = 0;
  /// Computes the outputs, whose shapes are set, from inputs and weights.
  std::function<void(const std::vector<Operand> &, std::vector<Result> &)>
      reference;
};

/// Makes a problem of a row: `PROBLEM SOURCE DESTINATION EPILOGUE [w:LAYOUT]
/// [| PATTERN]`, where `:f16` may follow a layout. On error the problem has no
/// text and `title` says why.
Problem parseRow(const std::string &row, const std::string &name);

/// A row drawn from `state`, which it advances.
std::string drawRow(uint64_t &state);

/// The kernels that are no plain convolution.
std::vector<Problem> makeKernels();

/// Adds kernels of several equations.
void addTemps(std::vector<Problem> &all);
/// Adds kernels to those of several equations that `all` has; others.
void addNear(std::vector<Problem> &all);
void addTransposed(std::vector<Problem> &all);

} // namespace sparkle

#endif // SPARKLE_TEST_END_TO_END_PROBLEM_H
