// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar instructions, SCC and EXEC: "RDNA2" chapter 5 and sections 12.1 to
// 12.5, "RDNA3" chapter 6 and 16.1 to 16.5.

#include "test/standin/Core/Test/Case.h"

namespace sparkle::standin {
namespace {

class Scalar : public EachGeneration {
protected:
  /// The inputs in s20, s21, ...; the result of s30, and SCC above it.
  void checkScalar(const std::vector<Case> &cases) {
    for (const Case &each : cases) {
      std::string text;
      for (size_t i = 0; i < each.inputs.size(); ++i)
        text += "v_readfirstlane_b32 s" + std::to_string(20 + i) + ", v" +
                std::to_string(4 + i) + "\n";
      text += std::string(each.text) + "\nv_mov_b32 v16, s30";
      check({{text.c_str(), each.inputs, each.expected}});
    }
  }
  /// SCC as 1 or 0 in s30.
  void checkScc(const std::vector<Case> &cases) {
    for (const Case &each : cases) {
      std::string text = std::string(each.text) + "\ns_cselect_b32 s30, 1, 0";
      checkScalar({{text.c_str(), each.inputs, each.expected}});
    }
  }
};

TEST_P(Scalar, Computes) {
  checkScalar({
      {"s_add_u32 s30, s20, s21", {0xffffffff, 2}, 1},
      {"s_sub_u32 s30, s20, s21", {1, 2}, 0xffffffff},
      {"s_add_u32 s31, s20, s21\ns_addc_u32 s30, s22, s23",
       {0xffffffff, 2, 5, 6},
       12},
      {"s_sub_u32 s31, s20, s21\ns_subb_u32 s30, s22, s23", {0, 1, 6, 5}, 0},
      {"s_mul_i32 s30, s20, s21", {0x10001, 0x10001}, 0x20001},
      {"s_mul_hi_u32 s30, s20, s21", {0xffffffff, 0xffffffff}, 0xfffffffe},
      {"s_mul_hi_i32 s30, s20, s21", {0xffffffff, 5}, 0xffffffff},
      {"s_min_i32 s30, s20, s21", {0xffffffff, 1}, 0xffffffff},
      {"s_max_u32 s30, s20, s21", {0xffffffff, 1}, 0xffffffff},
      {"s_lshl_b32 s30, s20, s21", {1, 33}, 2},
      {"s_ashr_i32 s30, s20, s21", {0x80000000, 4}, 0xf8000000},
      {"s_lshr_b64 s[30:31], s[20:21], s22", {0, 1, 64 + 32}, 1},
      {"s_bfe_u32 s30, s20, 0x80008", {0xabcd1234}, 0x12},
      {"s_bfe_i32 s30, s20, 0x4000c", {0xf000}, 0xffffffff},
      {"s_bfm_b32 s30, 4, 8", {}, 0xf00},
      {"s_lshl2_add_u32 s30, s20, s21", {3, 5}, 17},
      {"s_pack_ll_b32_b16 s30, s20, s21", {0x11112222, 0x33334444}, 0x44442222},
      {"s_pack_hh_b32_b16 s30, s20, s21", {0x11112222, 0x33334444}, 0x33331111},
      {"s_abs_i32 s30, s20", {0xfffffffe}, 2},
      {"s_absdiff_i32 s30, s20, s21", {3, 5}, 2},
      {"s_brev_b32 s30, s20", {1}, 0x80000000},
      {"s_bcnt1_i32_b32 s30, s20", {0xf0f0}, 8},
      {"s_ff1_i32_b32 s30, s20", {0x10000}, 16},
      {"s_ff1_i32_b32 s30, s20", {0}, 0xffffffff},
      {"s_flbit_i32_b32 s30, s20", {0x10000}, 15},
      {"s_sext_i32_i8 s30, s20", {0x80}, 0xffffff80},
      {"s_sext_i32_i16 s30, s20", {0x8000}, 0xffff8000},
      {"s_mov_b32 s30, s20\ns_bitset1_b32 s30, 5", {0}, 32},
      {"s_mov_b32 s30, s20\ns_bitset0_b32 s30, 5", {0xff}, 0xdf},
      {"s_movk_i32 s30, 0xff9c", {}, 0xffffff9c},
      {"s_mov_b32 s30, s20\ns_addk_i32 s30, 0xffff", {5}, 4},
      {"s_mov_b32 s30, s20\ns_mulk_i32 s30, 3", {5}, 15},
      {"s_mov_b64 s[30:31], s[20:21]\ns_mov_b32 s30, s31", {1, 2}, 2},
      {"s_andn2_b32 s30, s20, s21", {0xff, 0x0f}, 0xf0},
      {"s_orn2_b32 s30, s20, s21", {0, 0xfffffff0}, 0x0f},
      {"s_nand_b32 s30, s20, s21", {0xff, 0x0f}, 0xfffffff0},
      {"s_xnor_b32 s30, s20, s21", {3, 5}, 0xfffffff9},
      {"s_cmp_eq_u32 s20, 5\ns_mov_b32 s30, 1\ns_cmov_b32 s30, 7", {5}, 7},
      {"s_cmp_eq_u32 s20, 5\ns_mov_b32 s30, 1\ns_cmov_b32 s30, 7", {6}, 1},
  });
}

TEST_P(Scalar, SetsScc) {
  checkScc({
      {"s_add_u32 s30, s20, s21", {0xffffffff, 1}, 1},
      {"s_add_i32 s30, s20, s21", {0x7fffffff, 1}, 1},
      {"s_add_i32 s30, s20, s21", {0xffffffff, 1}, 0},
      {"s_sub_i32 s30, s20, s21", {0x80000000, 1}, 1},
      {"s_sub_u32 s30, s20, s21", {1, 2}, 1},
      {"s_and_b32 s30, s20, s21", {1, 2}, 0},
      {"s_or_b64 s[30:31], s[20:21], s[22:23]", {0, 0, 0, 1}, 1},
      {"s_min_u32 s30, s20, s21", {1, 2}, 1},
      {"s_max_u32 s30, s20, s21", {1, 2}, 0},
      {"s_cmp_lt_i32 s20, s21", {0xffffffff, 0}, 1},
      {"s_cmp_lt_u32 s20, s21", {0xffffffff, 0}, 0},
      {"s_cmp_lg_u64 s[20:21], s[22:23]", {0, 1, 0, 2}, 1},
      {"s_cmpk_eq_i32 s20, 0xffff", {0xffffffff}, 1},
      {"s_cmpk_eq_u32 s20, 0xffff", {0xffff}, 1},
      {"s_bitcmp1_b32 s20, 35", {8}, 1},
      {"s_bitcmp0_b32 s20, 3", {8}, 0},
      {"s_lshl1_add_u32 s30, s20, s21", {0x80000000, 0}, 1},
  });
}

TEST_P(Scalar, SavesExec) {
  check({
      {"s_mov_b32 s20, 0xff\ns_and_saveexec_b32 s21, s20\ns_mov_b32 s22, "
       "exec_lo\ns_mov_b32 exec_lo, s21\nv_mov_b32 v16, s22",
       {},
       0xff},
      {"s_mov_b32 exec_lo, 0xf0\ns_mov_b32 s20, 0xff\n"
       "s_andn2_saveexec_b32 s21, s20\ns_mov_b32 s22, exec_lo\n"
       "s_mov_b32 exec_lo, -1\nv_mov_b32 v16, s22",
       {},
       0x0f},
      {"s_mov_b32 exec_lo, 0xf0\ns_mov_b32 s20, 0xf\n"
       "s_or_saveexec_b32 s21, s20\ns_mov_b32 s22, exec_lo\n"
       "s_mov_b32 exec_lo, -1\nv_mov_b32 v16, s21",
       {},
       0xf0},
  });
}

TEST_P(Scalar, Branches) {
  check({
      // The sum of 1 to 10.
      {"s_mov_b32 s20, 0\ns_mov_b32 s21, 10\n1:\ns_add_u32 s20, s20, s21\n"
       "s_sub_u32 s21, s21, 1\ns_cmp_lg_u32 s21, 0\ns_cbranch_scc1 1b\n"
       "v_mov_b32 v16, s20",
       {},
       55},
      {"v_mov_b32 v16, 1\nv_cmp_eq_u32 vcc_lo, v4, v4\ns_cbranch_vccnz 1f\n"
       "v_mov_b32 v16, 2\n1:",
       {7},
       1},
      {"v_mov_b32 v16, 1\ns_mov_b32 exec_lo, 0\ns_cbranch_execz 1f\n"
       "s_mov_b32 exec_lo, -1\nv_mov_b32 v16, 2\n1:",
       {},
       1},
      {"v_mov_b32 v16, 1\ns_branch 1f\nv_mov_b32 v16, 2\n1:", {}, 1},
      {"s_getpc_b64 s[20:21]\ns_add_u32 s20, s20, 16\ns_addc_u32 s21, s21, 0\n"
       "s_swappc_b64 s[22:23], s[20:21]\ns_branch 1f\nv_mov_b32 v16, 3\n"
       "s_setpc_b64 s[22:23]\n1:",
       {},
       3},
  });
}

TEST_P(Scalar, ReadsLanes) {
  Lanes32 values;
  for (uint32_t lane = 0; lane < 32; ++lane)
    values.push_back(100 + lane);
  Bench bench(GetParam());
  EXPECT_EQ(bench.lanes("s_mov_b32 exec_lo, 0xf0\n"
                        "v_readfirstlane_b32 s20, v4\n"
                        "s_mov_b32 exec_lo, -1\nv_mov_b32 v16, s20",
                        {values})[0],
            104u);
  EXPECT_EQ(
      bench.lanes("v_readlane_b32 s20, v4, 9\nv_mov_b32 v16, s20", {values})[0],
      109u);
  Lanes32 found = bench.lanes("v_mov_b32 v16, 0\ns_mov_b32 s20, 7\n"
                              "v_writelane_b32 v16, s20, 3",
                              {});
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(found[lane], lane == 3 ? 7u : 0u);
}

TEST_P(Scalar, ReadsAndWritesMode) {
  check({
      // Denormals kept, DX10_CLAMP and IEEE.
      {"s_getreg_b32 s20, hwreg(HW_REG_MODE)\nv_mov_b32 v16, s20", {}, 0x3f0},
      {"s_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 2), 0\n"
       "s_getreg_b32 s20, hwreg(HW_REG_MODE, 0, 8)\nv_mov_b32 v16, s20",
       {},
       0xc0},
      {"s_denorm_mode 12\ns_getreg_b32 s20, hwreg(HW_REG_MODE, 4, 4)\n"
       "v_mov_b32 v16, s20",
       {},
       12},
  });
}

INSTANTIATE_TEST_SUITE_P(All, Scalar, eachGeneration(), printGeneration);

} // namespace
} // namespace sparkle::standin
