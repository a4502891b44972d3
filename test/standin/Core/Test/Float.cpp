// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f32 and f64 against values worked out from the manuals: "RDNA2" sections 6.3
// to 6.6 (modifiers, MODE), 12.7, 12.8, 12.12; "RDNA3" 7.2 and 16.7, 16.8,
// 16.12.

#include "test/standin/Core/Test/Case.h"

#include <cmath>

namespace sparkle::standin {
namespace {

constexpr uint32_t kOne = 0x3f800000, kTwo = 0x40000000, kThree = 0x40400000;
constexpr uint32_t kHalfOne = 0x3f000000, kMinus = 0x80000000;
constexpr uint32_t kInfinity = 0x7f800000, kNan = 0x7fc00000;
constexpr uint32_t kSignalling = 0x7f800001;

class Float : public EachGeneration {
protected:
  /// With these bits of FLOAT_MODE, IEEE and DX10_CLAMP.
  uint32_t under(uint32_t rsrc1, const std::string &text,
                 const std::vector<uint32_t> &inputs) {
    Bench bench(GetParam());
    bench.dispatch.rsrc1 = 7 | rsrc1;
    return bench.value(text, inputs);
  }
};

TEST_P(Float, Computes) {
  check({
      {"v_add_f32 v16, v4, v5", {kOne, kTwo}, kThree},
      {"v_sub_f32 v16, v4, v5", {kOne, kTwo}, kOne | kMinus},
      {"v_subrev_f32 v16, v4, v5", {kOne, kTwo}, kOne},
      {"v_mul_f32 v16, v4, v5", {kTwo, kInfinity}, kInfinity},
      {"v_mul_legacy_f32 v16, v4, v5", {0, kInfinity}, 0},
      {"v_add_f32 v16, v4, v5", {kSignalling, kOne}, 0x7fc00001},
      // Denormals are kept: half of the least normal number.
      {"v_mul_f32 v16, v4, v5", {0x00800000, kHalfOne}, 0x00400000},
      // (1 + 2^-12)^2 - 1 needs the one rounding of a fused sum.
      {"v_fma_f32 v16, v4, v5, v6",
       {0x3f800800, 0x3f800800, kOne | kMinus},
       0x3a000400},
      {"v_mov_b32 v16, v6\nv_fmac_f32 v16, v4, v5",
       {0x3f800800, 0x3f800800, kOne | kMinus},
       0x3a000400},
      {"v_fmamk_f32 v16, v4, 0x40400000, v5", {kTwo, kOne}, bits(7)},
      {"v_fmaak_f32 v16, v4, v5, 0x40400000", {kTwo, kTwo}, bits(7)},
  });
}

TEST_P(Float, Modifies) {
  check({
      {"v_add_f32_e64 v16, -v4, |v5|", {kOne, kThree | kMinus}, kTwo},
      {"v_add_f32_e64 v16, -|v4|, v5", {kOne | kMinus, kThree}, kTwo},
      {"v_mul_f32_e64 v16, v4, v5 mul:2", {kOne, kTwo}, bits(4)},
      {"v_mul_f32_e64 v16, v4, v5 mul:4", {kOne, kTwo}, bits(8)},
      {"v_mul_f32_e64 v16, v4, v5 div:2", {kOne, kTwo}, kOne},
      {"v_mul_f32_e64 v16, v4, v5 clamp", {kOne, kTwo}, kOne},
      {"v_mul_f32_e64 v16, v4, v5 clamp", {kOne | kMinus, kTwo}, 0},
      {"v_max_f32_e64 v16, -1.0, -1.0 clamp", {}, 0},
  });
  // A NaN is clamped to zero under DX10_CLAMP alone.
  EXPECT_EQ(under(kFloatMode | kIeee | kDx10Clamp,
                  "v_mul_f32_e64 v16, v4, v5 clamp", {kNan, kTwo}),
            0u);
  EXPECT_EQ(under(kFloatMode | kIeee, "v_mul_f32_e64 v16, v4, v5 clamp",
                  {kNan, kTwo}),
            kNan);
}

TEST_P(Float, FindsExtremes) {
  check({
      {"v_min_f32 v16, v4, v5", {kOne, kTwo}, kOne},
      {"v_max_f32 v16, v4, v5", {kOne, kTwo}, kTwo},
      {"v_min_f32 v16, v4, v5", {0, kMinus}, kMinus},
      {"v_min_f32 v16, v4, v5", {kMinus, 0}, kMinus},
      {"v_max_f32 v16, v4, v5", {kMinus, 0}, 0},
      {"v_max_f32 v16, v4, v5", {kNan, kOne}, kOne},
      {"v_min_f32 v16, v4, v5", {kOne, kNan}, kOne},
      {"v_max_f32 v16, v4, v5", {kSignalling, kOne}, 0x7fc00001},
      {"v_min3_f32 v16, v4, v5, v6", {kThree, kOne, kTwo}, kOne},
      {"v_max3_f32 v16, v4, v5, v6", {kThree, kOne, kTwo}, kThree},
      {"v_med3_f32 v16, v4, v5, v6", {kThree, kOne, kTwo}, kTwo},
      {"v_med3_f32 v16, v4, v5, v6", {kNan, kThree, kTwo}, kTwo},
  });
  // Without IEEE a signalling NaN is a NaN like others.
  EXPECT_EQ(under(kFloatMode, "v_max_f32 v16, v4, v5", {kSignalling, kOne}),
            kOne);
}

TEST_P(Float, Rounds) {
  check({
      {"v_trunc_f32 v16, v4", {bits(-1.5f)}, bits(-1)},
      {"v_ceil_f32 v16, v4", {bits(-0.5f)}, kMinus},
      {"v_floor_f32 v16, v4", {bits(-0.5f)}, bits(-1)},
      {"v_rndne_f32 v16, v4", {bits(2.5f)}, bits(2)},
      {"v_rndne_f32 v16, v4", {bits(-3.5f)}, bits(-4)},
      {"v_rndne_f32 v16, v4", {bits(-0.25f)}, kMinus},
      {"v_fract_f32 v16, v4", {bits(-0.25f)}, bits(0.75f)},
      {"v_fract_f32 v16, v4", {bits(-1e-10f)}, 0x3f7fffff},
      {"v_frexp_exp_i32_f32 v16, v4", {bits(8)}, 4},
      {"v_frexp_exp_i32_f32 v16, v4", {kInfinity}, 0},
      {"v_frexp_mant_f32 v16, v4", {bits(-12)}, bits(-0.75f)},
      {"v_ldexp_f32 v16, v4, v5", {bits(3), uint32_t(-2)}, bits(0.75f)},
      {"v_ldexp_f32 v16, v4, v5", {bits(3), 100000}, kInfinity},
  });
}

TEST_P(Float, RoundsAsModeSays) {
  // 1 + 2^-25: nearest is 1, up is the next float.
  const char *text = "v_add_f32 v16, v4, v5";
  const std::vector<uint32_t> inputs = {kOne, 0x33000000};
  EXPECT_EQ(under(kRsrc1, text, inputs), kOne);
  EXPECT_EQ(under(kRsrc1 | 1 << 12, text, inputs), kOne + 1);
  EXPECT_EQ(under(kRsrc1 | 2 << 12, text, inputs), kOne);
  EXPECT_EQ(under(kRsrc1 | 3 << 12, "v_sub_f32 v16, v4, v5", inputs),
            0x3f7fffffu);
  EXPECT_EQ(
      Bench(GetParam()).value("s_round_mode 1\n" + std::string(text), inputs),
      kOne + 1);
}

TEST_P(Float, FlushesAsModeSays) {
  constexpr uint32_t kFlushAll = kIeee | kDx10Clamp | 0xc0u << 12;
  constexpr uint32_t kFlushIn = kIeee | kDx10Clamp | 0xe0u << 12;
  constexpr uint32_t kFlushOut = kIeee | kDx10Clamp | 0xd0u << 12;
  const char *text = "v_add_f32 v16, v4, v5";
  EXPECT_EQ(under(kFlushAll, text, {0x80400000, 0}), 0u);
  EXPECT_EQ(under(kFlushIn, text, {0x00400000, kOne}), kOne);
  EXPECT_EQ(under(kFlushOut, text, {0x00400000, 0x00200000}), 0u);
  // 0x00400000 + 0x00600000 is normal, but one input is not.
  EXPECT_EQ(under(kFlushOut, text, {0x00400000, 0x00600000}), 0x00a00000u);
  EXPECT_EQ(under(kFlushIn, text, {0x00400000, 0x00900000}), 0x00900000u);
}

TEST_P(Float, ApproximatesFunctions) {
  check({
      {"v_rcp_f32 v16, v4", {bits(4)}, bits(0.25f)},
      {"v_rcp_f32 v16, v4", {0}, kInfinity},
      {"v_rcp_f32 v16, v4", {kMinus}, kInfinity | kMinus},
      // Denormals are zeros to these.
      {"v_rcp_f32 v16, v4", {0x00400000}, kInfinity},
      {"v_rcp_f32 v16, v4", {0x7f000000}, 0},
      {"v_rsq_f32 v16, v4", {bits(16)}, bits(0.25f)},
      {"v_sqrt_f32 v16, v4", {bits(9)}, bits(3)},
      {"v_sqrt_f32 v16, v4", {kMinus}, kMinus},
      {"v_exp_f32 v16, v4", {bits(-3)}, bits(0.125f)},
      {"v_exp_f32 v16, v4", {bits(-130)}, 0},
      {"v_log_f32 v16, v4", {bits(8)}, bits(3)},
      {"v_log_f32 v16, v4", {0}, kInfinity | kMinus},
      {"v_sin_f32 v16, v4", {bits(0.25f)}, kOne},
      {"v_cos_f32 v16, v4", {bits(0.5f)}, kOne | kMinus},
      {"v_sin_f32 v16, v4", {bits(300.25f)}, kOne},
      {"v_sin_f32 v16, v4", {kInfinity}, kNan},
  });
}

TEST_P(Float, Divides) {
  // The sequence that LLVM emits for a / b, a in v4.
  const std::string divide = "v_div_scale_f32 v20, null, v5, v5, v4\n"
                             "v_div_scale_f32 v21, vcc_lo, v4, v5, v4\n"
                             "v_rcp_f32 v22, v20\n"
                             "v_fma_f32 v23, -v20, v22, 1.0\n"
                             "v_fmac_f32 v22, v23, v22\n"
                             "v_mul_f32 v23, v21, v22\n"
                             "v_fma_f32 v24, -v20, v23, v21\n"
                             "v_fmac_f32 v23, v24, v22\n"
                             "v_fma_f32 v20, -v20, v23, v21\n"
                             "v_div_fmas_f32 v20, v20, v22, v23\n"
                             "v_div_fixup_f32 v16, v20, v5, v4";
  Lanes32 a, b;
  uint32_t seed = 7;
  auto next = [&seed] { return seed = seed * 1664525 + 1013904223; };
  for (unsigned i = 0; i < 24; ++i) {
    a.push_back(next());
    b.push_back(next());
  }
  for (uint32_t special : {kInfinity, kMinus, 0x00000001u, 0x7f7fffffu}) {
    a.push_back(special);
    b.push_back(kThree);
    a.push_back(kThree);
    b.push_back(special);
  }
  Lanes32 found = Bench(GetParam()).lanes(divide, {a, b});
  for (unsigned i = 0; i < 32; ++i) {
    float expected = real(a[i]) / real(b[i]);
    if (std::isnan(expected))
      EXPECT_TRUE(std::isnan(real(found[i])));
    else
      EXPECT_EQ(found[i], bits(expected))
          << real(a[i]) << " / " << real(b[i]) << " = " << real(found[i]);
  }
}

TEST_P(Float, Converts) {
  check({
      {"v_cvt_f32_i32 v16, v4", {0xffffffff}, bits(-1)},
      {"v_cvt_f32_u32 v16, v4", {0xffffffff}, 0x4f800000},
      {"v_cvt_f32_ubyte2 v16, v4", {0x00120000}, bits(18)},
      {"v_cvt_u32_f32 v16, v4", {bits(-1)}, 0},
      {"v_cvt_u32_f32 v16, v4", {bits(5e9f)}, 0xffffffff},
      {"v_cvt_u32_f32 v16, v4", {kNan}, 0},
      {"v_cvt_i32_f32 v16, v4", {bits(-1.9f)}, 0xffffffff},
      {"v_cvt_i32_f32 v16, v4", {bits(3e9f)}, 0x7fffffff},
      {"v_cvt_i32_f32 v16, v4", {bits(-3e9f)}, 0x80000000},
      {"v_cvt_i32_f32 v16, v4", {kNan}, 0},
      {"v_cvt_flr_i32_f32 v16, v4", {bits(-1.5f)}, 0xfffffffe},
      {"v_cvt_rpi_i32_f32 v16, v4", {bits(1.5f)}, 2},
      {"v_cvt_pk_u16_u32 v16, v4, v5", {0x12345, 7}, 0x0007ffff},
      {"v_cvt_pk_i16_i32 v16, v4, v5", {0x12345, 0xfff00000}, 0x80007fff},
  });
}

TEST_P(Float, WorksOnDoubles) {
  // 1.5 is 0x3ff80000 in its upper half.
  check({
      {"v_add_f64 v[16:17], v[4:5], v[6:7]\nv_mov_b32 v16, v17",
       {0, 0x3ff80000, 0, 0x3ff80000},
       0x40080000},
      {"v_mul_f64 v[16:17], v[4:5], -v[6:7]\nv_mov_b32 v16, v17",
       {0, 0x3ff80000, 0, 0x40000000},
       0xc0080000},
      {"v_fma_f64 v[16:17], v[4:5], v[6:7], 1.0\nv_mov_b32 v16, v17",
       {0, 0x3ff80000, 0, 0x40000000},
       0x40100000},
      {"v_add_f64 v[16:17], v[4:5], 0x40100000\nv_mov_b32 v16, v17",
       {0, 0x3ff00000},
       0x40140000},
      {"v_max_f64 v[16:17], v[4:5], v[6:7]\nv_mov_b32 v16, v17",
       {1, 0x7ff80000, 0, 0x40000000},
       0x40000000},
      {"v_cvt_f32_f64 v16, v[4:5]", {0, 0x3ff80000}, bits(1.5f)},
      {"v_cvt_f64_f32 v[16:17], v4\nv_mov_b32 v16, v17",
       {bits(1.5f)},
       0x3ff80000},
      {"v_cvt_f64_i32 v[16:17], v4\nv_mov_b32 v16, v17",
       {0xffffffff},
       0xbff00000},
      {"v_cvt_u32_f64 v16, v[4:5]", {0, 0x40100000}, 4},
      {"v_rcp_f64 v[16:17], v[4:5]\nv_mov_b32 v16, v17",
       {0, 0x40000000},
       0x3fe00000},
      {"v_floor_f64 v[16:17], v[4:5]\nv_mov_b32 v16, v17",
       {0, 0xbfe00000},
       0xbff00000},
      {"v_ldexp_f64 v[16:17], v[4:5], 1\nv_mov_b32 v16, v17",
       {0, 0x3ff00000},
       0x40000000},
      {"v_frexp_exp_i32_f64 v16, v[4:5]", {0, 0x40200000}, 4},
  });
  // 1 + 2^-54 rounded up, in f64 alone.
  EXPECT_EQ(under(kRsrc1 | 4 << 12, "v_add_f64 v[16:17], v[4:5], v[6:7]",
                  {0, 0x3ff00000, 0, 0x3c900000}),
            1u);
}

INSTANTIATE_TEST_SUITE_P(All, Float, eachGeneration(), printGeneration);

} // namespace
} // namespace sparkle::standin
