// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reaches against all values that an expression takes.

#include "lib/Transforms/Reach.h"

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/MLIRContext.h"
#include <algorithm>
#include <gtest/gtest.h>

using namespace mlir;
using namespace sparkle;

namespace {

/// Index `i` runs through sizes[i] values from multiples of steps[i] on.
void expectCovered(AffineExpr expr, ArrayRef<int64_t> sizes,
                   ArrayRef<int64_t> steps) {
  Reach reach = getReach(expr, sizes, steps);
  MLIRContext *context = expr.getContext();
  auto evaluate = [&](AffineExpr e, ArrayRef<int64_t> at) {
    return AffineMap::get(2, 0, e, context).compose(at).front();
  };
  for (int64_t a = 0; a < 5; ++a)
    for (int64_t b = 0; b < 5; ++b) {
      int64_t first[] = {a * steps[0], b * steps[1]};
      int64_t least = evaluate(reach.first, first);
      if (isAligned(reach, steps)) {
        EXPECT_EQ(least % reach.size, 0);
      }
      for (int64_t i = 0; i < sizes[0]; ++i)
        for (int64_t j = 0; j < sizes[1]; ++j) {
          int64_t at[] = {first[0] + i, first[1] + j};
          int64_t value = evaluate(expr, at);
          EXPECT_GE(value, least);
          EXPECT_LT(value, least + reach.size);
        }
    }
}

class ReachTest : public testing::Test {
protected:
  MLIRContext context;
  AffineExpr p = getAffineDimExpr(0, &context),
             r = getAffineDimExpr(1, &context);
};

TEST_F(ReachTest, covers) {
  const AffineExpr exprs[] = {p,
                              p * 2 + r - 1,
                              r - p * 3,
                              p.floorDiv(4),
                              p % 4,
                              (p + 1).floorDiv(2) - r,
                              (p + 1) % 2 + r * 2,
                              (p * 2 + r).floorDiv(3),
                              p.ceilDiv(4),
                              (p % 6).floorDiv(2)};
  for (AffineExpr expr : exprs)
    for (int64_t size : {1, 2, 3, 4, 8})
      for (int64_t step : {0, 1, 4, 6})
        expectCovered(expr, {size, 3}, {step, 0});
}

/// Where the tile and the divisor agree, no more than there is.
TEST_F(ReachTest, aligned) {
  EXPECT_EQ(getReach(p.floorDiv(4), {8, 1}, {8, 0}).size, 2);
  EXPECT_EQ(getReach(p.floorDiv(4), {8, 1}, {2, 0}).size, 3);
  EXPECT_EQ(getReach(p % 4, {4, 1}, {4, 0}).size, 4);
  EXPECT_EQ(getReach(p % 8, {4, 1}, {8, 0}).size, 4);
  EXPECT_EQ(getReach(p + r, {4, 3}, {1, 0}).size, 6);
}

} // namespace
