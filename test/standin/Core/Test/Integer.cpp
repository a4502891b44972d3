// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector integer instructions against values worked out from the manuals:
// "RDNA2" Instruction Set Architecture, chapter 12 (12.7 VOP2, 12.8 VOP1, 12.9
// VOPC, 12.12 VOP3), "RDNA3" chapter 16 (16.7, 16.8, 16.9, 16.12).

#include "test/standin/Core/Test/Bench.h"

#include <gtest/gtest.h>

namespace sparkle::standin {
namespace {

class Integer : public testing::TestWithParam<Generation> {
protected:
  uint32_t value(const std::string &text, const std::vector<uint32_t> &inputs) {
    return Bench(GetParam()).value(text, inputs);
  }
};

TEST_P(Integer, AddsWithCarry) {
  EXPECT_EQ(value("v_add_nc_u32 v16, v4, v5", {0xffffffff, 2}), 1u);
}

INSTANTIATE_TEST_SUITE_P(All, Integer,
                         testing::Values(Generation::Gfx1030,
                                         Generation::Gfx1100),
                         [](const auto &info) { return nameOf(info.param); });

} // namespace
} // namespace sparkle::standin
