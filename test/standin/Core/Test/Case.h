// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of the tests of single instructions.

#ifndef SPARKLE_TEST_STANDIN_CORE_TEST_CASE_H
#define SPARKLE_TEST_STANDIN_CORE_TEST_CASE_H

#include "test/standin/Core/Test/Bench.h"

#include <gtest/gtest.h>

namespace sparkle::standin {

/// A text that reads v4, v5, ... and writes v16, and what v16 must be.
struct Case {
  const char *text;
  std::vector<uint32_t> inputs;
  uint32_t expected;
};

/// A test that runs for RDNA2 and RDNA3.
class EachGeneration : public testing::TestWithParam<Generation> {
protected:
  void check(const std::vector<Case> &cases) {
    for (const Case &each : cases) {
      uint32_t found = Bench(GetParam()).value(each.text, each.inputs);
      EXPECT_EQ(found, each.expected)
          << each.text << ": got 0x" << std::hex << found << ", expected 0x"
          << each.expected;
    }
  }
  bool isGfx11() const { return GetParam() == Generation::Gfx1100; }
};

inline auto eachGeneration() {
  return testing::Values(Generation::Gfx1030, Generation::Gfx1100);
}
inline std::string
printGeneration(const testing::TestParamInfo<Generation> &info) {
  return nameOf(info.param);
}

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_TEST_CASE_H
