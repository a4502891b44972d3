// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What kernels and the loops that say what they mean are written with.

#ifndef SPARKLE_TEST_END_TO_END_KERNELS_H
#define SPARKLE_TEST_END_TO_END_KERNELS_H

#include "test/end-to-end/Problem.h"

namespace sparkle {

using Operands = std::vector<Operand>;
using Results = std::vector<Result>;

inline Problem make(std::string name, std::string text,
                    std::vector<Argument> arguments,
                    void (*reference)(const Operands &, Results &)) {
  Problem problem;
  problem.name = problem.title = name;
  problem.text = text;
  problem.arguments = arguments;
  problem.reference = reference;
  return problem;
}

/// For n below `extent`: the sum of what `term` gives.
template <typename Term> Bounded sumOver(int64_t extent, Term term) {
  Sum sum;
  for (int64_t n = 0; n < extent; ++n)
    sum.add(term(n));
  return sum.get();
}

template <typename Term>
Bounded sumOver(int64_t outer, int64_t inner, Term term) {
  return sumOver(outer * inner,
                 [&](int64_t n) { return term(n / inner, n % inner); });
}

template <typename Term>
Bounded sumOver(int64_t outer, int64_t rows, int64_t columns, Term term) {
  return sumOver(outer * rows, columns, [&](int64_t n, int64_t s) {
    return term(n / rows, n % rows, s);
  });
}

} // namespace sparkle

#endif // SPARKLE_TEST_END_TO_END_KERNELS_H
