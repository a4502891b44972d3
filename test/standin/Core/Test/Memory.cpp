// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory: "RDNA2" chapters 7 (scalar), 9 (flat, global), 10 (LDS) and 12.6,
// 12.13, 12.18; "RDNA3" 8, 11, 12 and 16.6, 16.15, 16.20.

#include "test/standin/Core/Test/Case.h"

namespace sparkle::standin {
namespace {

class MemoryAccess : public EachGeneration {
protected:
  /// With local memory, written by v4 at 4 * lane.
  Lanes32 runLocal(const std::string &text, const std::vector<Lanes32> &inputs,
                   unsigned result = 0) {
    Bench bench(GetParam());
    bench.dispatch.rsrc2 |= 4u << 15;
    return bench.compute("ds_write_b32 v3, v4\ns_waitcnt lgkmcnt(0)\n" + text +
                             "\ns_waitcnt lgkmcnt(0)",
                         inputs, result + 1)[result];
  }
  /// Runs `text` with s[0:1] at `bytes`; returns the lanes of v16.
  Lanes32 runOn(const std::vector<uint32_t> &words, const std::string &text) {
    Bench bench(GetParam());
    return bench.lanes(text + "\ns_waitcnt vmcnt(0) lgkmcnt(0)", {words});
  }
};

Lanes32 counting(uint32_t start) {
  Lanes32 values;
  for (uint32_t lane = 0; lane < 32; ++lane)
    values.push_back(start + lane);
  return values;
}

TEST_P(MemoryAccess, LoadsScalars) {
  auto first = [&](const std::string &text, const std::string &name) {
    return runOn(counting(10),
                 text + "\ns_waitcnt lgkmcnt(0)\nv_mov_b32 v16, " + name)[0];
  };
  EXPECT_EQ(first("s_load_dword s20, s[0:1], 0x8", "s20"), 12u);
  EXPECT_EQ(first("s_load_dwordx2 s[20:21], s[0:1], 0x8", "s21"), 13u);
  EXPECT_EQ(first("s_load_dwordx4 s[20:23], s[0:1], null", "s23"), 13u);
  EXPECT_EQ(first("s_load_dwordx8 s[20:27], s[0:1], 0x10", "s27"), 21u);
  EXPECT_EQ(first("s_load_dwordx16 s[20:35], s[0:1], 0x10", "s35"), 29u);
  EXPECT_EQ(first("s_mov_b32 s40, 12\ns_load_dword s20, s[0:1], s40", "s20"),
            13u);
}

TEST_P(MemoryAccess, LoadsGlobals) {
  // v3 is 4 * lane, the words are 10 + index.
  auto lane = [&](const std::string &text, unsigned which,
                  const Lanes32 &words) { return runOn(words, text)[which]; };
  EXPECT_EQ(lane("global_load_dword v16, v3, s[0:1]", 7, counting(10)), 17u);
  EXPECT_EQ(lane("v_mov_b32 v5, 16\nglobal_load_dword v16, v5, s[0:1] "
                 "offset:-8",
                 7, counting(10)),
            12u);
  const std::string full = "v_mov_b32 v6, s1\nv_add_co_u32 v5, vcc_lo, s0, v3\n"
                           "v_add_co_ci_u32 v6, vcc_lo, 0, v6, vcc_lo\n";
  EXPECT_EQ(lane(full + "global_load_dword v16, v[5:6], off offset:4", 7,
                 counting(10)),
            18u);
  EXPECT_EQ(lane(full + "flat_load_dword v16, v[5:6]", 7, counting(10)), 17u);
  const std::string wide = "v_lshlrev_b32 v5, 2, v3\nv_and_b32 v5, 0x70, v5\n";
  EXPECT_EQ(lane(wide + "global_load_dwordx4 v[20:23], v5, s[0:1]\n"
                        "s_waitcnt vmcnt(0)\nv_mov_b32 v16, v23",
                 1, counting(10)),
            17u);
  EXPECT_EQ(lane(wide + "global_load_dwordx3 v[20:22], v5, s[0:1]\n"
                        "s_waitcnt vmcnt(0)\nv_mov_b32 v16, v22",
                 2, counting(10)),
            20u);
  const Lanes32 bytes = {0x8081fffe};
  EXPECT_EQ(lane("global_load_ubyte v16, v3, s[0:1]", 0, bytes), 0xfeu);
  EXPECT_EQ(lane("global_load_sbyte v16, v3, s[0:1]", 0, bytes), 0xfffffffeu);
  EXPECT_EQ(lane("global_load_ushort v16, v3, s[0:1] offset:2", 0, bytes),
            0x8081u);
  EXPECT_EQ(lane("global_load_sshort v16, v3, s[0:1] offset:2", 0, bytes),
            0xffff8081u);
  const std::string ones = "v_mov_b32 v16, 0x11112222\n";
  EXPECT_EQ(lane(ones + "global_load_short_d16 v16, v3, s[0:1]", 0, bytes),
            0x1111fffeu);
  EXPECT_EQ(lane(ones + "global_load_short_d16_hi v16, v3, s[0:1]", 0, bytes),
            0xfffe2222u);
  EXPECT_EQ(lane(ones + "global_load_sbyte_d16_hi v16, v3, s[0:1]", 0, bytes),
            0xfffe2222u);
}

TEST_P(MemoryAccess, StoresGlobals) {
  Bench bench(GetParam());
  uint64_t to = bench.memory.allocate(4096);
  bench.dispatch.userData[4] = uint32_t(to);
  bench.dispatch.userData[5] = uint32_t(to >> 32);
  auto store = [&](const std::string &text) {
    std::memset(bench.memory.at(to), 0, 4096);
    bench.dispatch.userDataWritten = 0;
    Outcome outcome = bench.run(
        "s_mov_b32 s4, " + std::to_string(uint32_t(to)) + "\ns_mov_b32 s5, " +
        std::to_string(to >> 32) + "\nv_lshlrev_b32 v3, 4, v0\n" +
        "v_mov_b32 v4, 0x11223344\nv_mov_b32 v5, 0x55667788\n"
        "v_mov_b32 v6, 3\nv_mov_b32 v7, v0\n" +
        text + "\ns_endpgm");
    EXPECT_EQ(outcome.kind, Outcome::Kind::Done) << outcome.message;
    return bench.memory.take<uint32_t>(to, 128);
  };
  std::vector<uint32_t> found =
      store("global_store_dwordx4 v3, v[4:7], s[4:5]");
  EXPECT_EQ(found[4 * 9], 0x11223344u);
  EXPECT_EQ(found[4 * 9 + 3], 9u);
  found =
      store("s_mov_b32 exec_lo, 2\nglobal_store_dwordx2 v3, v[4:5], s[4:5]");
  EXPECT_EQ(found[4], 0x11223344u);
  EXPECT_EQ(found[5], 0x55667788u);
  EXPECT_EQ(found[8], 0u);
  EXPECT_EQ(store("global_store_byte v3, v4, s[4:5] offset:1")[4], 0x4400u);
  EXPECT_EQ(store("global_store_short v3, v4, s[4:5]")[4], 0x3344u);
  EXPECT_EQ(store("global_store_short_d16_hi v3, v4, s[4:5]")[4], 0x1122u);
  EXPECT_EQ(store("global_store_byte_d16_hi v3, v4, s[4:5]")[4], 0x22u);
}

TEST_P(MemoryAccess, CrossesPages) {
  // 16 bytes from 8 below the boundary of two pages.
  Bench bench(GetParam());
  std::vector<uint32_t> words(2048);
  for (uint32_t i = 0; i < 2048; ++i)
    words[i] = i;
  uint64_t at = bench.memory.place(words) + 4088;
  std::vector<Lanes32> found = bench.compute(
      "s_mov_b32 s4, " + std::to_string(uint32_t(at)) + "\ns_mov_b32 s5, " +
          std::to_string(at >> 32) +
          "\nv_mov_b32 v5, 0\nglobal_load_dwordx4 v[16:19], v5, s[4:5]\n"
          "s_load_dwordx4 s[20:23], s[4:5], null\n"
          "s_waitcnt vmcnt(0) lgkmcnt(0)\nv_mov_b32 v20, s23",
      {}, 5);
  for (uint32_t i = 0; i < 4; ++i)
    EXPECT_EQ(found[i][0], 1022 + i);
  EXPECT_EQ(found[4][0], 1025u);
}

TEST_P(MemoryAccess, LoadsLocals) {
  EXPECT_EQ(
      runLocal("v_xor_b32 v5, 4, v3\nds_read_b32 v16, v5", {counting(50)})[6],
      57u);
  EXPECT_EQ(runLocal("v_and_b32 v5, 0x78, v3\nds_read_b64 v[16:17], v5",
                     {counting(50)}, 1)[7],
            57u);
  EXPECT_EQ(runLocal("v_and_b32 v5, 0x70, v3\nds_read_b128 v[16:19], v5",
                     {counting(50)}, 3)[7],
            57u);
  EXPECT_EQ(runLocal("v_mov_b32 v5, 8\nds_read2_b32 v[16:17], v5 offset0:1 "
                     "offset1:4",
                     {counting(50)}, 1)[7],
            56u);
  EXPECT_EQ(runLocal("v_mov_b32 v5, 8\nds_read2_b64 v[16:19], v5 offset0:1 "
                     "offset1:4",
                     {counting(50)}, 2)[7],
            60u);
  // The sum of address and offset wraps.
  EXPECT_EQ(runLocal("v_add_nc_u32 v5, -16, v3\nds_read_b32 v16, v5 offset:16",
                     {counting(50)})[1],
            51u);
  // The address's own register is the first result.
  EXPECT_EQ(runLocal("v_mov_b32 v16, 8\nds_read2_b32 v[16:17], v16 offset1:1",
                     {counting(50)}, 1)[7],
            53u);
  EXPECT_EQ(runLocal("ds_read_u8 v16, v3 offset:3", {{0x80818283}})[0], 0x80u);
  EXPECT_EQ(runLocal("ds_read_i8 v16, v3", {{0x80818283}})[0], 0xffffff83u);
  EXPECT_EQ(runLocal("ds_read_u16 v16, v3 offset:2", {{0x80818283}})[0],
            0x8081u);
  EXPECT_EQ(runLocal("v_mov_b32 v16, -1\nds_read_u16_d16_hi v16, v3",
                     {{0x80818283}})[0],
            0x8283ffffu);
}

TEST_P(MemoryAccess, StoresLocals) {
  EXPECT_EQ(runLocal("ds_write_b8 v3, v5 offset:1\nds_read_b32 v16, v3",
                     {{0}, {0x1ff}})[0],
            0xff00u);
  EXPECT_EQ(runLocal("ds_write_b16_d16_hi v3, v5\nds_read_b32 v16, v3",
                     {{0}, {0x12345678}})[0],
            0x1234u);
  EXPECT_EQ(runLocal("v_lshlrev_b32 v7, 1, v3\nds_write_b64 v7, v[5:6] "
                     "offset:512\nds_read_b32 v16, v7 offset:516",
                     {{0}, {1}, counting(70)})[5],
            75u);
  EXPECT_EQ(runLocal("ds_write2st64_b32 v3, v5, v6 offset0:1 offset1:2\n"
                     "ds_read_b32 v16, v3 offset:512",
                     {{0}, {1}, counting(70)})[5],
            75u);
  EXPECT_EQ(runLocal("v_lshlrev_b32 v7, 1, v3\nds_write2_b64 v7, v[4:5], "
                     "v[5:6] offset0:32 offset1:96\n"
                     "ds_read_b32 v16, v7 offset:772",
                     {{0}, {1}, counting(70)})[5],
            75u);
}

TEST_P(MemoryAccess, ChangesAtomically) {
  // All lanes change one word.
  const std::string read = "\nv_mov_b32 v7, 0\nds_read_b32 v16, v7";
  const std::string zero = "v_mov_b32 v5, 0\n";
  EXPECT_EQ(runLocal(zero + "ds_add_u32 v5, v6" + read, {{1}, {0}, {2}})[0],
            65u);
  EXPECT_EQ(
      runLocal(zero + "ds_max_u32 v5, v6" + read, {{1}, {0}, counting(7)})[0],
      38u);
  EXPECT_EQ(runLocal(zero + "ds_min_i32 v5, v6" + read,
                     {{1}, {0}, {0xffffffff, 5}})[0],
            0xffffffffu);
  EXPECT_EQ(runLocal(zero + "ds_inc_u32 v5, v6" + read, {{0}, {0}, {9}})[0],
            2u);
  EXPECT_EQ(runLocal(zero + "ds_dec_u32 v5, v6" + read, {{0}, {0}, {9}})[0],
            8u);
  EXPECT_EQ(runLocal(zero + "ds_add_f32 v5, v6" + read,
                     {{bits(1)}, {0}, {bits(0.5f)}})[0],
            bits(17));
  // Lanes change it one by one, in order.
  EXPECT_EQ(runLocal(zero + "ds_add_rtn_u32 v16, v5, v6", {{1}, {0}, {2}})[3],
            7u);
  const char *exchange = isGfx11() ? "ds_storexchg_rtn_b32 v16, v5, v6"
                                   : "ds_wrxchg_rtn_b32 v16, v5, v6";
  EXPECT_EQ(runLocal(zero + exchange, {{1}, {0}, counting(7)})[3], 9u);
  // 1 becomes 7 once; the comparand is first on gfx10, last on gfx11.
  const std::string swap = isGfx11() ? "ds_cmpstore_rtn_b32 v16, v5, v6, v8"
                                     : "ds_cmpst_rtn_b32 v16, v5, v8, v6";
  Lanes32 found = runLocal(zero + swap, {{1}, {0}, {7}, {0}, {1}});
  EXPECT_EQ(found[0], 1u);
  EXPECT_EQ(found[1], 7u);
}

TEST_P(MemoryAccess, ChangesGlobalsAtomically) {
  const std::string zero = "v_mov_b32 v5, 0\nv_mov_b32 v6, 2\n";
  EXPECT_EQ(runOn({1}, zero + "global_atomic_add v16, v5, v6, s[0:1] glc")[3],
            7u);
  EXPECT_EQ(runOn({1}, zero + "global_atomic_add v5, v6, s[0:1]\n"
                              "s_waitcnt_vscnt null, 0x0\n"
                              "global_load_dword v16, v5, s[0:1]")[0],
            65u);
  EXPECT_EQ(runOn({9}, zero + "global_atomic_umin v5, v6, s[0:1]\n"
                              "global_load_dword v16, v5, s[0:1]")[0],
            2u);
  EXPECT_EQ(runOn({0xffffffff, 1},
                  zero + "v_mov_b32 v7, 0\ns_mov_b32 exec_lo, 1\n"
                         "global_atomic_add_x2 v5, v[6:7], s[0:1]\n"
                         "s_mov_b32 exec_lo, -1\n"
                         "global_load_dword v16, v5, s[0:1] offset:4")[0],
            2u);
  // 1 becomes 2 once.
  EXPECT_EQ(runOn({1}, zero + "v_mov_b32 v7, 1\nglobal_atomic_cmpswap v16, v5, "
                              "v[6:7], s[0:1] glc")[1],
            2u);
}

INSTANTIATE_TEST_SUITE_P(All, MemoryAccess, eachGeneration(), printGeneration);

} // namespace
} // namespace sparkle::standin
