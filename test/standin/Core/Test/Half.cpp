// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f16, one and two in a register, and sums of their products: "RDNA2" sections
// 6.7 (packed math), 12.7, 12.8, 12.10, 12.12; "RDNA3" 7.5 and 16.7, 16.8,
// 16.10, 16.12.

#include "test/standin/Core/Test/Case.h"

namespace sparkle::standin {
namespace {

// In f16 1 is 3c00, 2 is 4000, 3 is 4200, 0.5 is 3800.
class HalfTest : public EachGeneration {
protected:
  /// A text whose result is 16 bits, above zeros.
  static std::string low(const std::string &text) {
    return "v_mov_b32 v16, 0\n" + text;
  }
  void checkLow(const std::vector<Case> &cases) {
    for (const Case &each : cases) {
      std::string text = low(each.text);
      check({{text.c_str(), each.inputs, each.expected}});
    }
  }
};

TEST_P(HalfTest, Computes) {
  checkLow({
      {"v_add_f16 v16, v4, v5", {0x3c00, 0x4000}, 0x4200},
      {"v_sub_f16 v16, v4, v5", {0x3c00, 0x4000}, 0xbc00},
      {"v_mul_f16 v16, v4, v5", {0x4000, 0x4200}, 0x4600},
      // 2048 + 1 ties to even, 2048 + 3 too.
      {"v_add_f16 v16, v4, v5", {0x6800, 0x3c00}, 0x6800},
      {"v_add_f16 v16, v4, v5", {0x6800, 0x4200}, 0x6802},
      {"v_mul_f16 v16, v4, v5", {0x7bff, 0x4000}, 0x7c00},
      // Denormals are kept.
      {"v_mul_f16 v16, v4, v5", {0x0400, 0x3800}, 0x0200},
      {"v_add_f16 v16, 1.0, v4", {0x4000}, 0x4200},
      {"v_add_f16_e64 v16, -v4, |v5|", {0x3c00, 0xc200}, 0x4000},
      {"v_add_f16_e64 v16, v4, v5 clamp", {0x3c00, 0x4000}, 0x3c00},
      {"v_fma_f16 v16, v4, v5, v6", {0x4000, 0x4200, 0x3c00}, 0x4700},
      {"v_max_f16 v16, v4, v5", {0x7e00, 0x3c00}, 0x3c00},
      {"v_max_f16 v16, v4, v5", {0x7c01, 0x3c00}, 0x7e01},
      {"v_min_f16 v16, v4, v5", {0x0000, 0x8000}, 0x8000},
      {"v_rcp_f16 v16, v4", {0x4000}, 0x3800},
      {"v_sqrt_f16 v16, v4", {0x4400}, 0x4000},
      {"v_exp_f16 v16, v4", {0x4000}, 0x4400},
      {"v_floor_f16 v16, v4", {0xb800}, 0xbc00},
      {"v_rndne_f16 v16, v4", {0x4100}, 0x4000},
      {"v_ldexp_f16 v16, v4, v5", {0x3c00, 1}, 0x4000},
      {"v_frexp_exp_i16_f16 v16, v4", {0x4000}, 2},
      {"v_med3_f16 v16, v4, v5, v6", {0x3c00, 0x4200, 0x4000}, 0x4000},
  });
  check({{"v_mov_b32 v16, v6\nv_fmac_f16 v16, v4, v5",
          {0x4000, 0x4200, 0xabcd3c00},
          0xabcd4700}});
}

TEST_P(HalfTest, Converts) {
  checkLow({
      {"v_cvt_f16_f32 v16, v4", {bits(1.0f / 3)}, 0x3555},
      {"v_cvt_f16_f32 v16, v4", {bits(65520)}, 0x7c00},
      {"v_cvt_f16_f32 v16, v4", {bits(65519)}, 0x7bff},
      {"v_cvt_f16_f32 v16, v4", {bits(6e-8f)}, 0x0001},
      {"v_cvt_f16_f32 v16, v4", {bits(2e-8f)}, 0},
      {"v_cvt_f16_f32 v16, v4", {0x7fc00000}, 0x7e00},
      {"v_cvt_f16_f32 v16, -v4", {0}, 0x8000},
      {"v_cvt_f16_u16 v16, v4", {3}, 0x4200},
      {"v_cvt_f16_i16 v16, v4", {0xffff}, 0xbc00},
      {"v_cvt_u16_f16 v16, v4", {0x4200}, 3},
      {"v_cvt_i16_f16 v16, v4", {0xfc00}, 0x8000},
      {"v_cvt_i16_f16 v16, v4", {0x7e00}, 0},
  });
  check({
      {"v_cvt_f32_f16 v16, v4", {0xffff3c00}, bits(1)},
      {"v_cvt_f32_f16 v16, v4", {0x0001}, bits(5.9604644775390625e-8f)},
      {"v_cvt_f32_f16 v16, v4", {0xfc00}, 0xff800000},
      // To zero, whatever the mode.
      {"v_cvt_pkrtz_f16_f32 v16, v4, v5",
       {bits(65519), bits(2049.9f)},
       0x68007bff},
      {"v_pack_b32_f16 v16, v4, v5", {0x1111, 0x2222}, 0x22221111},
  });
}

TEST_P(HalfTest, ComputesInPairs) {
  check({
      {"v_pk_add_f16 v16, v4, v5", {0x40003c00, 0x3c004000}, 0x42004200},
      {"v_pk_mul_f16 v16, v4, v5", {0x40003c00, 0x42004000}, 0x46004000},
      {"v_pk_fma_f16 v16, v4, v5, v6",
       {0x40003c00, 0x42004000, 0x3c003c00},
       0x47004200},
      {"v_pk_min_f16 v16, v4, v5", {0x40003c00, 0x3c004000}, 0x3c003c00},
      {"v_pk_max_f16 v16, v4, v5", {0x40007e00, 0x3c004000}, 0x40004000},
      // The high half of an inline constant is zero unless op_sel_hi is 0.
      {"v_pk_add_f16 v16, v4, 1.0", {0x3c003c00}, 0x3c004000},
      {"v_pk_add_f16 v16, v4, 1.0 op_sel_hi:[1,0]", {0x3c003c00}, 0x40004000},
      {"v_pk_add_f16 v16, v4, v5 op_sel:[0,1] op_sel_hi:[1,0]",
       {0x40003c00, 0x42003c00},
       0x42004400},
      {"v_pk_add_f16 v16, v4, v5 neg_lo:[0,1] neg_hi:[1,0]",
       {0x40003c00, 0x42003800},
       0x3c003800},
      {"v_pk_add_f16 v16, v4, v5 clamp", {0x40003c00, 0xc0004000}, 0x00003c00},
  });
}

TEST_P(HalfTest, MixesSizes) {
  check({
      // Sources with op_sel_hi are f16, of the half that op_sel says.
      {"v_fma_mix_f32 v16, v4, v5, v6 op_sel_hi:[1,1,0]",
       {0x4000, 0x4200, bits(0.5f)},
       bits(6.5f)},
      {"v_fma_mix_f32 v16, v4, v5, v6 op_sel:[1,0,0] op_sel_hi:[1,0,0]",
       {0x40003c00, bits(3), bits(1)},
       bits(7)},
      {"v_fma_mix_f32 v16, -v4, |v5|, v6",
       {bits(2), bits(-3), bits(1)},
       bits(-5)},
      {"v_mov_b32 v16, -1\nv_fma_mixlo_f16 v16, v4, v5, v6",
       {bits(2), bits(3), bits(1)},
       0xffff4700},
      {"v_mov_b32 v16, 0\nv_fma_mixhi_f16 v16, v4, v5, v6",
       {bits(2), bits(3), bits(1)},
       0x47000000},
      {"v_dot2_f32_f16 v16, v4, v5, v6",
       {0x40003c00, 0x42003c00, bits(0.5f)},
       bits(7.5f)},
      {isGfx11() ? "v_mov_b32 v16, v6\nv_dot2acc_f32_f16 v16, v4, v5"
                 : "v_mov_b32 v16, v6\nv_dot2c_f32_f16 v16, v4, v5",
       {0x40003c00, 0x42003c00, bits(0.5f)},
       bits(7.5f)},
  });
}

TEST_P(HalfTest, SelectsHalves) {
  check({
      {"v_mov_b32 v16, 0\nv_mad_u16 v16, v4, v5, v6 op_sel:[1,0,0,1]",
       {0x00050003, 2, 1},
       0x000b0000},
  });
}

INSTANTIATE_TEST_SUITE_P(All, HalfTest, eachGeneration(), printGeneration);

} // namespace
} // namespace sparkle::standin
