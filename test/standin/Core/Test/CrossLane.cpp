// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between lanes, and parts of registers: DPP ("RDNA2" 6.8, "RDNA3" 7.7), SDWA
// ("RDNA2" 6.9, gone in RDNA3), permlane ("RDNA2" 12.12), LDS's crossbar
// ("RDNA2" 10.3, 12.13; "RDNA3" 12.5, 16.15), true16 ("RDNA3" 7.4).

#include "test/standin/Core/Test/Case.h"

namespace sparkle::standin {
namespace {

class CrossLane : public EachGeneration {
protected:
  /// v4 holds 100 + lane.
  Lanes32 run(const std::string &text) {
    Lanes32 values;
    for (uint32_t lane = 0; lane < 32; ++lane)
      values.push_back(100 + lane);
    return Bench(GetParam()).lanes(text, {values});
  }
  template <class F> void expect(const std::string &text, F wanted) {
    Lanes32 found = run(text);
    for (uint32_t lane = 0; lane < 32; ++lane)
      EXPECT_EQ(found[lane], wanted(lane)) << text << ", lane " << lane;
  }
};

const std::string kMov = "v_mov_b32 v16, 1\nv_mov_b32_dpp v16, v4 ";

TEST_P(CrossLane, PermutesRows) {
  const std::string full = " row_mask:0xf bank_mask:0xf";
  expect(kMov + "quad_perm:[3,2,1,0]" + full,
         [](uint32_t lane) { return 100 + (lane ^ 3); });
  expect(kMov + "row_shl:1" + full,
         [](uint32_t lane) { return lane % 16 == 15 ? 1 : 101 + lane; });
  expect(kMov + "row_shr:1" + full + " bound_ctrl:1",
         [](uint32_t lane) { return lane % 16 == 0 ? 0 : 99 + lane; });
  expect(kMov + "row_ror:4" + full,
         [](uint32_t lane) { return 100 + lane / 16 * 16 + (lane + 12) % 16; });
  expect(kMov + "row_mirror" + full,
         [](uint32_t lane) { return 100 + (lane ^ 15); });
  expect(kMov + "row_half_mirror" + full,
         [](uint32_t lane) { return 100 + (lane ^ 7); });
  expect(kMov + "row_share:5" + full,
         [](uint32_t lane) { return 105 + lane / 16 * 16; });
  expect(kMov + "row_xmask:6" + full,
         [](uint32_t lane) { return 100 + (lane ^ 6); });
}

TEST_P(CrossLane, MasksRowsAndBanks) {
  expect(kMov + "row_xmask:1 row_mask:0x1 bank_mask:0x5", [](uint32_t lane) {
    bool on = lane < 16 && lane / 4 % 2 == 0;
    return on ? 100 + (lane ^ 1) : 1;
  });
}

TEST_P(CrossLane, ReadsLanesThatAreOff) {
  const std::string off = "v_mov_b32 v16, 1\ns_mov_b32 exec_lo, 0x55555555\n"
                          "v_mov_b32_dpp v16, v4 row_xmask:1 row_mask:0xf "
                          "bank_mask:0xf";
  expect(off, [](uint32_t) { return 1u; });
  expect(off + " bound_ctrl:1",
         [](uint32_t lane) { return lane % 2 ? 1u : 0u; });
  expect(off + " fi:1",
         [](uint32_t lane) { return lane % 2 ? 1 : 100 + (lane ^ 1); });
}

TEST_P(CrossLane, PermutesByEight) {
  expect("v_mov_b32_dpp v16, v4 dpp8:[7,6,5,4,3,2,1,0]",
         [](uint32_t lane) { return 100 + (lane ^ 7); });
}

TEST_P(CrossLane, ComputesWithPermutedSource) {
  expect("v_add_nc_u32_dpp v16, v4, v4 row_xmask:1 row_mask:0xf bank_mask:0xf",
         [](uint32_t lane) { return 200 + lane + (lane ^ 1); });
}

TEST_P(CrossLane, PermutesThroughLocal) {
  const std::string wait = "\ns_waitcnt lgkmcnt(0)";
  const std::string address = "v_xor_b32 v5, 0x7c, v3\n";
  expect(address + "ds_bpermute_b32 v16, v5, v4" + wait,
         [](uint32_t lane) { return 131 - lane; });
  expect(address + "ds_permute_b32 v16, v5, v4" + wait,
         [](uint32_t lane) { return 131 - lane; });
  expect("ds_swizzle_b32 v16, v4 offset:swizzle(SWAP,16)" + wait,
         [](uint32_t lane) { return 100 + (lane ^ 16); });
  expect("ds_swizzle_b32 v16, v4 offset:swizzle(BROADCAST,8,2)" + wait,
         [](uint32_t lane) { return 102 + (lane & ~7u); });
  expect("ds_swizzle_b32 v16, v4 offset:swizzle(REVERSE,4)" + wait,
         [](uint32_t lane) { return 100 + (lane ^ 3); });
  expect("ds_swizzle_b32 v16, v4 offset:swizzle(QUAD_PERM,1,0,3,2)" + wait,
         [](uint32_t lane) { return 100 + (lane ^ 1); });
  expect("ds_swizzle_b32 v16, v4 offset:swizzle(BITMASK_PERM,\"01pip\")" + wait,
         [](uint32_t lane) { return 100 + (((lane & 7) | 8) ^ 2); });
  // A lane that is off gives zero.
  expect("v_mov_b32 v16, 1\nv_xor_b32 v5, 4, v3\ns_mov_b32 exec_lo, 0x7\n"
         "ds_bpermute_b32 v16, v5, v4\ns_waitcnt lgkmcnt(0)",
         [](uint32_t lane) {
           return lane < 2 ? 100 + (lane ^ 1) : lane == 2 ? 0 : 1;
         });
}

TEST_P(CrossLane, PermutesThroughRegisters) {
  const std::string selects = "s_mov_b32 s20, 0x76543210\n"
                              "s_mov_b32 s21, 0xfedcba98\n";
  expect(selects + "v_permlanex16_b32 v16, v4, s20, s21",
         [](uint32_t lane) { return 100 + (lane ^ 16); });
  expect(selects + "v_permlane16_b32 v16, v4, s21, s20",
         [](uint32_t lane) { return 100 + (lane ^ 8); });
  expect("v_mov_b32 v16, 1\nv_mov_b32 v5, v4\nv_swap_b32 v16, v5",
         [](uint32_t lane) { return 100 + lane; });
}

INSTANTIATE_TEST_SUITE_P(All, CrossLane, eachGeneration(), printGeneration);

TEST(Gfx10, SelectsParts) {
  const std::vector<Case> cases = {
      {"v_add_nc_u32_sdwa v16, v4, v5 dst_sel:DWORD dst_unused:UNUSED_PAD "
       "src0_sel:BYTE_1 src1_sel:WORD_1",
       {0x00001200, 0x00340000},
       0x46},
      {"v_add_nc_u32_sdwa v16, sext(v4), v5 dst_sel:DWORD "
       "dst_unused:UNUSED_PAD src0_sel:BYTE_0 src1_sel:DWORD",
       {0xff, 5},
       4},
      {"v_mov_b32_sdwa v16, v4 dst_sel:BYTE_2 dst_unused:UNUSED_PAD "
       "src0_sel:BYTE_0",
       {0xab},
       0x00ab0000},
      {"v_mov_b32 v16, -1\nv_mov_b32_sdwa v16, v4 dst_sel:WORD_1 "
       "dst_unused:UNUSED_PRESERVE src0_sel:WORD_0",
       {0x1234},
       0x1234ffff},
      {"v_mov_b32_sdwa v16, v4 dst_sel:BYTE_0 dst_unused:UNUSED_SEXT "
       "src0_sel:BYTE_0",
       {0x80},
       0xffffff80},
      {"v_cmp_eq_u32_sdwa vcc_lo, v4, v5 src0_sel:BYTE_0 src1_sel:BYTE_1\n"
       "v_mov_b32 v16, vcc_lo",
       {0xab12, 0x12cd},
       0xffffffff},
  };
  for (const Case &each : cases)
    EXPECT_EQ(Bench(Generation::Gfx1030).value(each.text, each.inputs),
              each.expected)
        << each.text;
}

// Two at once: "RDNA3" 7.6, and halves of registers.
TEST(Gfx11, RunsPairs) {
  Bench bench(Generation::Gfx1100);
  std::vector<Lanes32> found =
      bench.compute("v_mov_b32 v16, v4\nv_mov_b32 v17, v5\n"
                    // Each reads what the other writes.
                    "v_dual_mov_b32 v16, v17 :: v_dual_add_f32 v17, v16, v6",
                    {{bits(1)}, {bits(2)}, {bits(4)}}, 2);
  EXPECT_EQ(found[0][0], bits(2));
  EXPECT_EQ(found[1][0], bits(5));
  found = bench.compute(
      "v_mov_b32 v16, 0\nv_mov_b32 v17, 1.0\ns_mov_b32 vcc_lo, 1\n"
      "v_dual_fmac_f32 v17, v4, v5 :: v_dual_cndmask_b32 v16, v5, v6",
      {{bits(3)}, {bits(2)}, {bits(4)}}, 2);
  EXPECT_EQ(found[1][0], bits(7));
  EXPECT_EQ(found[0][0], bits(4));
  EXPECT_EQ(found[0][1], bits(2));
}

TEST(Gfx11, SumsProductsOfEitherSign) {
  // 255 or -1 times 2, and 1 times 254 or -2.
  const std::vector<uint32_t> inputs = {0x000001ff, 0x0000fe02, 1000};
  auto value = [&](const std::string &signs) {
    return Bench(Generation::Gfx1100)
        .value("v_dot4_i32_iu8 v16, v4, v5, v6" + signs, inputs);
  };
  EXPECT_EQ(value(""), 1764u);
  EXPECT_EQ(value(" neg_lo:[1,0,0]"), 1252u);
  EXPECT_EQ(value(" neg_lo:[0,1,0]"), 1508u);
  EXPECT_EQ(value(" neg_lo:[1,1,0]"), 996u);
}

} // namespace
} // namespace sparkle::standin
