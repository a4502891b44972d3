// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exact sizes: every operation that does not fault gives, for all values of
// the variables, what the operation gives on numbers.

#include "lib/Frontend/Affine.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MathExtras.h"
#include "gtest/gtest.h"
#include <vector>

using namespace sparkle;

namespace {

using Fault = Affine::Fault;

const Affine n = Affine::variable(0), m = Affine::variable(1);
constexpr llvm::StringRef names[] = {"N", "M"};

/// `lhs op rhs`, which does not fault.
Affine calculate(Affine lhs, char op, const Affine &rhs) {
  EXPECT_EQ(lhs.apply(op, rhs), Fault::None);
  return lhs;
}

Fault findFault(Affine lhs, char op, const Affine &rhs) {
  return lhs.apply(op, rhs);
}

int64_t evaluate(const Affine &affine, int64_t nValue, int64_t mValue) {
  return llvm::divideFloorSigned(affine.getConstant() +
                                     affine.getCoefficient(0) * nValue +
                                     affine.getCoefficient(1) * mValue,
                                 affine.getDivisor());
}

int64_t evaluate(int64_t lhs, char op, int64_t rhs) {
  switch (op) {
  case '+':
    return lhs + rhs;
  case '-':
    return lhs - rhs;
  case '*':
    return lhs * rhs;
  case '/':
    return llvm::divideFloorSigned(lhs, rhs);
  default:
    return llvm::mod(lhs, rhs);
  }
}

TEST(Affine, AgreesWithNumbers) {
  std::vector<Affine> forms{0, 1, -3, 4, n, m};
  unsigned compared = 0;
  for (unsigned round = 0; round < 2; ++round)
    for (size_t i = 0, end = forms.size(); i < end; ++i)
      for (size_t j = 0; j < end; ++j)
        for (char op : {'+', '-', '*', '/', '%'}) {
          Affine lhs = forms[i], rhs = forms[j], result = lhs;
          if (result.apply(op, rhs) != Fault::None)
            continue;
          for (int64_t nValue = -5; nValue <= 5; ++nValue)
            for (int64_t mValue : {-7, 0, 12})
              ASSERT_EQ(evaluate(result, nValue, mValue),
                        evaluate(evaluate(lhs, nValue, mValue), op,
                                 evaluate(rhs, nValue, mValue)))
                  << lhs.str(names) << ' ' << op << ' ' << rhs.str(names);
          ++compared;
          if (round == 0 && !llvm::is_contained(forms, result))
            forms.push_back(result);
        }
  EXPECT_GT(compared, 1000u);
}

// Two ways to write a size are the same: ranges are compared by it.
TEST(Affine, IsInLowestTerms) {
  Affine even = calculate(calculate(n, '*', 4), '+', 6);
  EXPECT_EQ(calculate(even, '/', 4), calculate(n, '+', 1));
  EXPECT_EQ(calculate(calculate(n, '/', 2), '/', 3), calculate(n, '/', 6));
  EXPECT_EQ(calculate(calculate(n, '+', m), '-', m), n);
  EXPECT_EQ(calculate(even, '%', 4), Affine(2));
  EXPECT_EQ(calculate(calculate(n, '/', 2), '*', 0), Affine(0));
}

TEST(Affine, Prints) {
  EXPECT_EQ(Affine(0).str(names), "0");
  EXPECT_EQ(Affine(INT64_MIN).str(names), "-9223372036854775808");
  EXPECT_EQ(calculate(2, '-', n).str(names), "-N + 2");
  Affine form = calculate(calculate(calculate(n, '*', 2), '-', m), '-', 1);
  EXPECT_EQ(calculate(form, '/', 4).str(names), "(2*N - M - 1)/4");
}

TEST(Affine, FaultsOnOverflow) {
  constexpr int64_t large = INT64_MAX;
  EXPECT_EQ(findFault(large, '+', 1), Fault::Overflow);
  EXPECT_EQ(findFault(-large, '-', 2), Fault::Overflow);
  EXPECT_EQ(findFault(0, '-', INT64_MIN), Fault::Overflow);
  EXPECT_EQ(findFault(large, '*', 2), Fault::Overflow);
  EXPECT_EQ(findFault(calculate(n, '*', large), '+', n), Fault::Overflow);
  Affine quotient = calculate(n, '/', large);
  EXPECT_EQ(findFault(quotient, '/', 2), Fault::Overflow);
  EXPECT_EQ(findFault(quotient, '+', 2), Fault::Overflow);
}

TEST(Affine, FaultsOnWhatItCannotHold) {
  Affine half = calculate(n, '/', 2);
  EXPECT_EQ(findFault(n, '*', m), Fault::Unexpressible);
  EXPECT_EQ(findFault(4, '/', n), Fault::Unexpressible);
  EXPECT_EQ(findFault(n, '%', 2), Fault::Unexpressible);
  EXPECT_EQ(findFault(half, '+', half), Fault::Unexpressible);
  EXPECT_EQ(findFault(n, '-', half), Fault::Unexpressible);
  EXPECT_EQ(findFault(half, '*', 2), Fault::Unexpressible);
  EXPECT_EQ(findFault(n, '/', 0), Fault::BadDivisor);
  EXPECT_EQ(findFault(n, '%', -2), Fault::BadDivisor);
}

} // namespace
