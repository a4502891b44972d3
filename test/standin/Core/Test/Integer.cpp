// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector integer instructions against values worked out from the manuals:
// "RDNA2" Instruction Set Architecture, chapter 12 (12.7 VOP2, 12.8 VOP1, 12.12
// VOP3), "RDNA3" chapter 16 (16.7, 16.8, 16.12).

#include "test/standin/Core/Test/Case.h"

namespace sparkle::standin {
namespace {

class Integer : public EachGeneration {};

TEST_P(Integer, AddsAndSubtracts) {
  check({
      {"v_add_nc_u32 v16, v4, v5", {0xffffffff, 2}, 1},
      {"v_sub_nc_u32 v16, v4, v5", {1, 2}, 0xffffffff},
      {"v_subrev_nc_u32 v16, v4, v5", {1, 5}, 4},
      {"v_add_nc_u32 v16, v4, v5 clamp", {0xfffffff0, 0x20}, 0xffffffff},
      {"v_sub_nc_u32 v16, v4, v5 clamp", {3, 5}, 0},
      {"v_add_nc_i32 v16, v4, v5 clamp", {0x7fffffff, 1}, 0x7fffffff},
      {"v_sub_nc_i32 v16, v4, v5 clamp", {0x80000000, 1}, 0x80000000},
      {"v_add3_u32 v16, v4, v5, v6", {0xffffffff, 2, 3}, 4},
      {"v_lshl_add_u32 v16, v4, v5, v6", {3, 33, 5}, 11},
      {"v_add_lshl_u32 v16, v4, v5, v6", {3, 4, 34}, 28},
      {"v_xad_u32 v16, v4, v5, v6", {0xff, 0x0f, 1}, 0xf1},
      {"v_sad_u32 v16, v4, v5, v6", {3, 10, 100}, 107},
      {"v_sad_u8 v16, v4, v5, v6", {0x01ff0210, 0x02000410, 1}, 259},
  });
}

TEST_P(Integer, CarriesThroughChains) {
  // 0x1ffffffff + 0x2 in two steps, and its borrow back.
  check({
      {"v_add_co_u32 v17, vcc_lo, v4, v5\n"
       "v_add_co_ci_u32 v16, vcc_lo, v6, v7, vcc_lo",
       {0xffffffff, 2, 1, 0},
       2},
      {"v_sub_co_u32 v17, vcc_lo, v4, v5\n"
       "v_sub_co_ci_u32 v16, vcc_lo, v6, v7, vcc_lo",
       {0, 1, 5, 2},
       2},
      {"v_subrev_co_u32 v17, vcc_lo, v4, v5\n"
       "v_subrev_co_ci_u32 v16, vcc_lo, v6, v7, vcc_lo",
       {1, 0, 2, 5},
       2},
      // The carry of every lane.
      {"v_add_co_u32 v17, s20, v4, v5\nv_mov_b32 v16, s20",
       {0xffffffff, 1},
       0xffffffff},
      {"v_mad_u64_u32 v[16:17], s20, v4, v5, v[6:7]\nv_mov_b32 v16, v17",
       {0xffffffff, 0xffffffff, 1, 0},
       0xfffffffe},
      {"v_mad_u64_u32 v[16:17], s20, v4, v5, v[6:7]\nv_mov_b32 v16, s20",
       {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       0xffffffff},
      {"v_mad_i64_i32 v[16:17], s20, v4, v5, v[6:7]",
       {0xffffffff, 5, 1, 0},
       0xfffffffc},
  });
}

TEST_P(Integer, ShiftsByTheLowBits) {
  check({
      {"v_lshlrev_b32 v16, v4, v5", {33, 1}, 2},
      {"v_lshrrev_b32 v16, v4, v5", {63, 0x80000000}, 1},
      {"v_ashrrev_i32 v16, v4, v5", {32 + 4, 0x80000000}, 0xf8000000},
      {"v_lshlrev_b64 v[16:17], v4, v[6:7]\nv_mov_b32 v16, v17",
       {33, 0, 1, 0},
       2},
      {"v_lshrrev_b64 v[16:17], v4, v[6:7]", {64 + 32, 0, 1, 9}, 9},
      {"v_ashrrev_i64 v[16:17], v4, v[6:7]\nv_mov_b32 v16, v17",
       {40, 0, 0, 0x80000000},
       0xffffffff},
      {"v_lshl_or_b32 v16, v4, v5, v6", {1, 35, 1}, 9},
      {"v_alignbit_b32 v16, v4, v5, v6", {0x1, 0x80000000, 31}, 3},
      {"v_alignbit_b32 v16, v4, v5, v6", {0x1, 0x80000001, 32}, 0x80000001},
      {"v_alignbyte_b32 v16, v4, v5, v6",
       {0xaabbccdd, 0x11223344, 5},
       0xdd112233},
  });
}

TEST_P(Integer, Multiplies) {
  check({
      {"v_mul_lo_u32 v16, v4, v5", {0x10001, 0x10001}, 0x20001},
      {"v_mul_hi_u32 v16, v4, v5", {0xffffffff, 0xffffffff}, 0xfffffffe},
      {"v_mul_hi_i32 v16, v4, v5", {0xffffffff, 5}, 0xffffffff},
      {"v_mul_u32_u24 v16, v4, v5", {0xff000003, 0xff000005}, 15},
      {"v_mul_i32_i24 v16, v4, v5", {0x00ffffff, 5}, 0xfffffffb},
      {"v_mul_hi_u32_u24 v16, v4, v5", {0xffffff, 0xffffff}, 0xffff},
      {"v_mad_u32_u24 v16, v4, v5, v6", {0xff000003, 5, 0xffffffff}, 14},
      {"v_mad_i32_i24 v16, v4, v5, v6", {0x00ffffff, 5, 6}, 1},
      {"v_mad_u32_u16 v16, v4, v5, v6", {0xffff0002, 0xffff0003, 1}, 7},
      {"v_mad_i32_i16 v16, v4, v5, v6", {0xffff, 3, 1}, 0xfffffffe},
  });
}

TEST_P(Integer, WorksOnBits) {
  check({
      {"v_and_b32 v16, v4, v5", {0xff00ff00, 0x0ff00ff0}, 0x0f000f00},
      {"v_or_b32 v16, v4, v5", {1, 2}, 3},
      {"v_xor_b32 v16, v4, v5", {3, 5}, 6},
      {"v_xnor_b32 v16, v4, v5", {3, 5}, 0xfffffff9},
      {"v_not_b32 v16, v4", {0xf0}, 0xffffff0f},
      {"v_or3_b32 v16, v4, v5, v6", {1, 2, 4}, 7},
      {"v_xor3_b32 v16, v4, v5, v6", {1, 3, 4}, 6},
      {"v_and_or_b32 v16, v4, v5, v6", {0xff, 0x0f, 0x100}, 0x10f},
      {"v_bfe_u32 v16, v4, v5, v6", {0xabcd1234, 8, 8}, 0x12},
      {"v_bfe_u32 v16, v4, v5, v6", {0xabcd1234, 40, 0}, 0},
      {"v_bfe_i32 v16, v4, v5, v6", {0x0000f000, 12, 4}, 0xffffffff},
      {"v_bfe_i32 v16, v4, v5, v6", {0x80000000, 28, 8}, 0xfffffff8},
      {"v_bfi_b32 v16, v4, v5, v6", {0x00ff0000, 0xffffffff, 0}, 0x00ff0000},
      {"v_bfm_b32 v16, v4, v5", {4, 8}, 0xf00},
      {"v_bfm_b32 v16, v4, v5", {32, 8}, 0},
      {"v_bfrev_b32 v16, v4", {1}, 0x80000000},
      {"v_ffbh_u32 v16, v4", {0x00010000}, 15},
      {"v_ffbh_u32 v16, v4", {0}, 0xffffffff},
      {"v_ffbl_b32 v16, v4", {0x00010000}, 16},
      {"v_ffbl_b32 v16, v4", {0}, 0xffffffff},
      {"v_ffbh_i32 v16, v4", {0xfffffffe}, 31},
      {"v_ffbh_i32 v16, v4", {0xffffffff}, 0xffffffff},
      {"v_ffbh_i32 v16, v4", {0x40000000}, 1},
      {"v_bcnt_u32_b32 v16, v4, v5", {0xf0f0, 100}, 108},
      // Selectors 0 to 3 are bytes of the second source, 4 to 7 of the first,
      // 8 a sign, 12 zero, 13 ones.
      {"v_perm_b32 v16, v4, v5, v6",
       {0x88776655, 0x44332211, 0x07040300},
       0x88554411},
      {"v_perm_b32 v16, v4, v5, v6",
       {0x88776655, 0x44338011, 0x0d0c080b},
       0xff00ffff},
  });
}

TEST_P(Integer, FindsExtremes) {
  check({
      {"v_min_u32 v16, v4, v5", {0xffffffff, 1}, 1},
      {"v_max_u32 v16, v4, v5", {0xffffffff, 1}, 0xffffffff},
      {"v_min_i32 v16, v4, v5", {0xffffffff, 1}, 0xffffffff},
      {"v_max_i32 v16, v4, v5", {0xffffffff, 1}, 1},
      {"v_min3_u32 v16, v4, v5, v6", {3, 1, 2}, 1},
      {"v_max3_i32 v16, v4, v5, v6", {3, 0xffffffff, 2}, 3},
      {"v_med3_u32 v16, v4, v5, v6", {3, 1, 2}, 2},
      {"v_med3_i32 v16, v4, v5, v6", {0xffffffff, 7, 2}, 2},
  });
}

TEST_P(Integer, CountsLanesBelow) {
  Lanes32 found = Bench(GetParam())
                      .lanes("v_mbcnt_lo_u32_b32 v16, -1, 0\n"
                             "v_mbcnt_hi_u32_b32 v16, -1, v16",
                             {});
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(found[lane], lane);
}

TEST_P(Integer, SelectsByMask) {
  Lanes32 found = Bench(GetParam())
                      .lanes("s_mov_b32 vcc_lo, 0x0000ffff\n"
                             "v_cndmask_b32 v16, v4, v5, vcc_lo",
                             {{1}, {2}});
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(found[lane], lane < 16 ? 2u : 1u);
}

TEST_P(Integer, KeepsLanesThatAreOff) {
  Lanes32 found = Bench(GetParam())
                      .lanes("v_mov_b32 v16, v4\n"
                             "s_mov_b32 exec_lo, 0x00ff00ff\n"
                             "v_add_nc_u32 v16, v16, v5",
                             {{10}, {5}});
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(found[lane], lane % 16 < 8 ? 15u : 10u);
}

TEST_P(Integer, TakesConstants) {
  check({
      {"v_add_nc_u32 v16, -16, v4", {20}, 4},
      {"v_add_nc_u32 v16, 64, v4", {1}, 65},
      {"v_add_nc_u32 v16, 0x12345678, v4", {1}, 0x12345679},
      {"v_mov_b32 v16, 1.0", {}, 0x3f800000},
      {"v_mov_b32 v16, -4.0", {}, 0xc0800000},
      {"v_mov_b32 v16, 0.15915494", {}, 0x3e22f983},
      {"v_lshlrev_b64 v[16:17], 0, -1\nv_mov_b32 v16, v17", {}, 0xffffffff},
  });
}

TEST_P(Integer, WorksOnWords) {
  // 16 bits are written, the other 16 kept: here those of the input.
  check({
      {"v_mov_b32 v16, v6\nv_add_nc_u16 v16, v4, v5",
       {0xffff, 2, 0xabcd0000},
       0xabcd0001},
      {"v_mov_b32 v16, 0\nv_sub_nc_u16 v16, v4, v5", {1, 2}, 0xffff},
      {"v_mov_b32 v16, 0\nv_add_nc_u16 v16, v4, v5 clamp", {0xffff, 2}, 0xffff},
      {"v_mov_b32 v16, 0\nv_add_nc_i16 v16, v4, v5 clamp", {0x7fff, 2}, 0x7fff},
      {"v_mov_b32 v16, 0\nv_mul_lo_u16 v16, v4, v5", {0x101, 0x101}, 0x0201},
      {"v_mov_b32 v16, 0\nv_lshlrev_b16 v16, v4, v5", {17, 1}, 2},
      {"v_mov_b32 v16, 0\nv_lshrrev_b16 v16, v4, v5", {1, 0xffff8000}, 0x4000},
      {"v_mov_b32 v16, 0\nv_ashrrev_i16 v16, v4, v5", {1, 0x8000}, 0xc000},
      {"v_mov_b32 v16, 0\nv_min_i16 v16, v4, v5", {0xffff, 1}, 0xffff},
      {"v_mov_b32 v16, 0\nv_max_u16 v16, v4, v5", {0xffff, 1}, 0xffff},
      {"v_mov_b32 v16, 0\nv_mad_u16 v16, v4, v5, v6", {300, 300, 1}, 0x5f91},
      {"v_pk_add_u16 v16, v4, v5", {0xffff0001, 0x00020003}, 0x00010004},
      {"v_pk_sub_i16 v16, v4, v5", {0x00010001, 0x00020000}, 0xffff0001},
      {"v_pk_add_i16 v16, v4, v5 clamp", {0x7fff8000, 0x0001ffff}, 0x7fff8000},
      {"v_pk_mul_lo_u16 v16, v4, v5", {0x00030100, 0x00050100}, 0x000f0000},
      {"v_pk_mad_u16 v16, v4, v5, v6",
       {0x00030002, 0x00050004, 0x00010001},
       0x00100009},
      {"v_pk_lshlrev_b16 v16, v4, v5", {0x00110001, 0x00010001}, 0x00020002},
      {"v_pk_ashrrev_i16 v16, v4, v5", {0x00010001, 0x80000002}, 0xc0000001},
      {"v_pk_max_i16 v16, v4, v5", {0xffff0005, 0x00010002}, 0x00010005},
      {"v_pk_min_u16 v16, v4, v5", {0xffff0005, 0x00010002}, 0x00010002},
      // Halves crossed.
      {"v_pk_add_u16 v16, v4, v5 op_sel:[1,0] op_sel_hi:[0,1]",
       {0x00010002, 0x00100020},
       0x00120021},
  });
}

TEST_P(Integer, SumsProducts) {
  check({
      {"v_dot4_u32_u8 v16, v4, v5, v6", {0x01020304, 0x01010101, 5}, 15},
  });
  if (isGfx11())
    return;
  check({
      {"v_dot2_u32_u16 v16, v4, v5, v6", {0x00020003, 0x00040005, 1}, 24},
      {"v_dot2_i32_i16 v16, v4, v5, v6", {0xffff0003, 0x00040005, 1}, 12},
      {"v_dot4_i32_i8 v16, v4, v5, v6", {0xff020304, 0x01010101, 5}, 13},
  });
}

INSTANTIATE_TEST_SUITE_P(All, Integer, eachGeneration(), printGeneration);

} // namespace
} // namespace sparkle::standin
