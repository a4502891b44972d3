// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Comparisons: "RDNA2" section 12.9, "RDNA3" 16.9. Lanes that are off give 0.

#include "test/standin/Core/Test/Case.h"

namespace sparkle::standin {
namespace {

constexpr uint32_t kNan = 0x7fc00000, kAll = 0xffffffff;

class Compare : public EachGeneration {
protected:
  /// The mask that a comparison of v4 and v5 gives.
  void checkMasks(const std::vector<Case> &cases) {
    for (const Case &each : cases) {
      std::string text = "v_cmp_" + std::string(each.text) +
                         " vcc_lo, v4, v5\nv_mov_b32 v16, vcc_lo";
      check({{text.c_str(), each.inputs, each.expected}});
    }
  }
};

TEST_P(Compare, Integers) {
  checkMasks({
      {"lt_i32", {0xffffffff, 0}, kAll},
      {"lt_u32", {0xffffffff, 0}, 0},
      {"le_i32", {5, 5}, kAll},
      {"eq_u32", {5, 5}, kAll},
      {"ne_u32", {5, 5}, 0},
      {"gt_u32", {0xffffffff, 0}, kAll},
      {"ge_i32", {0xffffffff, 0}, 0},
      {"lt_i16", {0xffff, 0xabcd0000}, kAll},
      {"lt_u16", {0xffff, 0xabcd0000}, 0},
  });
  check({
      {"v_cmp_lt_u64 vcc_lo, v[4:5], v[6:7]\nv_mov_b32 v16, vcc_lo",
       {5, 0, 0, 1},
       kAll},
      {"v_cmp_gt_i64 s20, 0, v[4:5]\nv_mov_b32 v16, s20",
       {0, 0x80000000},
       kAll},
  });
}

TEST_P(Compare, Floats) {
  uint32_t one = bits(1), two = bits(2);
  checkMasks({
      {"lt_f32", {one, two}, kAll},
      {"lt_f32", {kNan, two}, 0},
      {"eq_f32", {0, 0x80000000}, kAll},
      {"lg_f32", {kNan, two}, 0},
      {"neq_f32", {kNan, two}, kAll},
      {"o_f32", {one, kNan}, 0},
      {"u_f32", {one, kNan}, kAll},
      {"nge_f32", {one, kNan}, kAll},
      {"nge_f32", {two, one}, 0},
      {"nlt_f32", {one, two}, 0},
      {"ngt_f32", {one, two}, kAll},
      {"ge_f32", {two, two}, kAll},
      {"lt_f16", {0x3c00, 0x4000}, kAll},
      {"u_f16", {0x7e00, 0x4000}, kAll},
  });
}

TEST_P(Compare, Classes) {
  // Bits: signalling, quiet NaN, -inf, -normal, -denormal, -0, +0, +denormal,
  // +normal, +inf.
  const std::vector<std::pair<uint32_t, unsigned>> kinds = {
      {0x7f800001, 0}, {kNan, 1},       {0xff800000, 2}, {0xbf800000, 3},
      {0x80000001, 4}, {0x80000000, 5}, {0, 6},          {1, 7},
      {0x3f800000, 8}, {0x7f800000, 9}};
  for (auto [value, kind] : kinds)
    checkMasks({{"class_f32", {value, 1u << kind}, kAll},
                {"class_f32", {value, 0x3ffu & ~(1u << kind)}, 0}});
}

TEST_P(Compare, OnlyLanesThatAreOn) {
  check({{"s_mov_b32 s21, 0xff00ff\ns_mov_b32 exec_lo, s21\n"
          "v_cmp_eq_u32 vcc_lo, v4, v4\ns_mov_b32 exec_lo, -1\n"
          "v_mov_b32 v16, vcc_lo",
          {1},
          0x00ff00ff}});
}

TEST_P(Compare, IntoExec) {
  Lanes32 values;
  for (uint32_t lane = 0; lane < 32; ++lane)
    values.push_back(lane);
  Lanes32 found = Bench(GetParam())
                      .lanes("v_mov_b32 v16, 0\n"
                             "v_cmpx_gt_u32 7, v4\n"
                             "v_mov_b32 v16, 1",
                             {values});
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(found[lane], lane < 7);
}

INSTANTIATE_TEST_SUITE_P(All, Compare, eachGeneration(), printGeneration);

} // namespace
} // namespace sparkle::standin
