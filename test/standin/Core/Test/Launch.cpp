// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a dispatch's registers mean, and what waves find in theirs.

#include "test/standin/Core/Test/Case.h"

#include <algorithm>

namespace sparkle::standin {
namespace {

class Launch : public EachGeneration {
protected:
  Bench bench{GetParam()};

  void refuse(const std::string &message) {
    Outcome outcome = bench.run("s_endpgm");
    EXPECT_EQ(outcome.kind, Outcome::Kind::Fault);
    EXPECT_EQ(outcome.message, message);
    bench = Bench(GetParam());
  }
  /// Runs a text that stores v1 at 4 * v2 of a buffer in s[0:1].
  std::vector<uint32_t> store(const std::string &text, size_t count) {
    uint64_t to = bench.memory.place(std::vector<uint32_t>(count, 0xdeadbeef));
    bench.dispatch.userData[0] = uint32_t(to);
    bench.dispatch.userData[1] = uint32_t(to >> 32);
    bench.dispatch.userDataWritten |= 3;
    Outcome outcome = bench.run(text + "\nv_lshlrev_b32 v2, 2, v2\n"
                                       "global_store_dword v2, v1, s[0:1]\n"
                                       "s_endpgm");
    EXPECT_EQ(outcome.kind, Outcome::Kind::Done) << outcome.message;
    return bench.memory.take<uint32_t>(to, count);
  }
};

TEST_P(Launch, ChecksTheInitiator) {
  bench.dispatch.initiator = 0x8004;
  refuse("dispatch without COMPUTE_SHADER_EN (bit 0 of the initiator)");
  bench.dispatch.initiator = 0x5;
  refuse("dispatch without CS_W32_EN (bit 15 of the initiator): the program is "
         "of wave32");
  bench.dispatch.initiator |= 2;
  refuse("dispatch with PARTIAL_TG_EN, which is not modelled");
  bench.dispatch.initiator |= 0x20;
  refuse("dispatch with USE_THREAD_DIMENSIONS, which is not modelled");
  bench.dispatch.start[1] = 3;
  refuse("dispatch from START (0, 3, 0) with FORCE_START_AT_000, which ignores "
         "it");
}

TEST_P(Launch, ChecksSizes) {
  bench.dispatch.threads[1] = 0;
  refuse("workgroup of 0 threads, expected 1 to 1024");
  bench.dispatch.threads[1] = 33;
  refuse("workgroup of 1056 threads, expected 1 to 1024");
  bench.dispatch.threads[0] |= 1 << 16;
  refuse("partial size of a workgroup in NUM_THREAD, which is not modelled");
  bench.dispatch.rsrc2 |= 129u << 15;
  refuse("LDS_SIZE of 66048 bytes, expected at most 65536");
}

TEST_P(Launch, ChecksResources) {
  bench.dispatch.rsrc2 |= 1;
  refuse("SCRATCH_EN of rsrc2, but there is no scratch");
  bench.dispatch.rsrc1 |= 1 << 20;
  refuse("PRIV of rsrc1, which a submission may not set");
  bench.dispatch.rsrc2 |= 31 << 1;
  refuse("USER_SGPR of 31, expected at most 16");
  if (isGfx11()) {
    bench.dispatch.rsrc2 = 6u << 1 | 1u << 7;
    refuse("USER_SGPR and workgroup ids of 7 registers, but gfx1100 starts "
           "waves with 16");
  } else {
    bench.dispatch.rsrc3 = 1;
    refuse("SHARED_VGPR_CNT of rsrc3, which waves of 32 have not");
  }
  bench.dispatch.program = 0x100000080;
  Outcome outcome =
      run(GetParam(), bench.dispatch, bench.memory, 1, bench.budget);
  EXPECT_EQ(outcome.message,
            "program at 0x100000080, which is not a multiple of 256");
}

TEST_P(Launch, GivesUserData) {
  bench.dispatch.userData[2] = 77;
  bench.dispatch.userDataWritten = 4;
  EXPECT_EQ(store("v_mov_b32 v1, s2\nv_mov_b32 v2, v0", 32)[5], 77u);
  Outcome outcome = bench.run("s_mov_b32 s20, s3\ns_endpgm");
  EXPECT_NE(outcome.message.find("read of s3, which has not been written"),
            std::string::npos)
      << outcome.message;
}

TEST_P(Launch, GivesWorkgroupIds) {
  // x, y and z behind the user data: s13 to s15, or s6 to s8.
  bool isGfx11 = GetParam() == Generation::Gfx1100;
  bench.dispatch.rsrc2 = (isGfx11 ? 13u : 6u) << 1 | 7u << 7;
  bench.dispatch.initiator = 0x8001;
  for (unsigned i = 0; i < 3; ++i) {
    bench.dispatch.start[i] = i;
    bench.dispatch.end[i] = i + 2;
  }
  std::string x = isGfx11 ? "s13" : "s6", y = isGfx11 ? "s14" : "s7",
              z = isGfx11 ? "s15" : "s8";
  std::vector<uint32_t> found =
      store("s_mul_i32 s20, " + x + ", 16\ns_add_u32 s20, s20, " + y +
                "\ns_mul_i32 s20, s20, 16\ns_add_u32 s20, s20, " + z +
                "\nv_mov_b32 v1, s20\nv_mov_b32 v2, s20\ns_mov_b32 exec_lo, 1",
            0x134);
  for (uint32_t i = 0; i < 0x134; ++i) {
    bool is = i >> 8 < 2 && (i >> 4 & 15) - 1 < 2 && (i & 15) - 2 < 2;
    EXPECT_EQ(found[i], is ? i : 0xdeadbeefu) << i;
  }
}

TEST_P(Launch, GivesThreadIds) {
  // 3 x 5 x 4 threads: the second wave is not full.
  bench.dispatch.rsrc2 |= 2u << 11;
  bench.dispatch.threads[0] = 3;
  bench.dispatch.threads[1] = 5;
  bench.dispatch.threads[2] = 4;
  const std::string unpack =
      GetParam() == Generation::Gfx1100
          ? "v_and_b32 v4, 0x3ff, v0\nv_bfe_u32 v5, v0, 10, 10\n"
            "v_bfe_u32 v6, v0, 20, 10\n"
          : "v_mov_b32 v4, v0\nv_mov_b32 v5, v1\nv_mov_b32 v6, v2\n";
  std::vector<uint32_t> found = store(
      unpack + "v_mad_u32_u24 v1, v6, 5, v5\nv_mad_u32_u24 v2, v1, 3, v4\n"
               "v_lshlrev_b32 v5, 8, v5\nv_lshlrev_b32 v6, 16, v6\n"
               "v_or3_b32 v1, v4, v5, v6",
      64);
  for (uint32_t i = 0; i < 64; ++i)
    EXPECT_EQ(found[i],
              i < 60 ? i % 3 | i / 3 % 5 << 8 | i / 15 << 16 : 0xdeadbeef)
        << i;
}

TEST_P(Launch, GivesOnlyTheIdsAskedFor) {
  if (GetParam() == Generation::Gfx1100) {
    // Packed, and the others are zero.
    bench.dispatch.threads[0] = 8;
    bench.dispatch.threads[1] = 4;
    std::vector<uint32_t> found =
        store("v_mov_b32 v1, v0\nv_mbcnt_lo_u32_b32 v2, -1, 0", 32);
    for (uint32_t i = 0; i < 32; ++i)
      EXPECT_EQ(found[i], i % 8);
    return;
  }
  Outcome outcome = bench.run("v_mov_b32 v2, v1\ns_endpgm");
  EXPECT_NE(outcome.message.find("read of v1, which has not been written"),
            std::string::npos);
}

/// The order in which workgroups draw numbers from a counter.
std::vector<uint32_t> drawOrder(Generation generation, uint64_t seed) {
  Bench bench(generation);
  bench.seed = seed;
  bench.dispatch.end[0] = 16;
  uint64_t counter = bench.memory.allocate(4096);
  bench.dispatch.userData[0] = uint32_t(counter);
  bench.dispatch.userData[1] = uint32_t(counter >> 32);
  bench.dispatch.userDataWritten = 3;
  std::string id = generation == Generation::Gfx1100 ? "s15" : "s6";
  Outcome outcome =
      bench.run("s_mov_b32 exec_lo, 1\nv_mov_b32 v1, 0\nv_mov_b32 v2, 1\n"
                "global_atomic_add v3, v1, v2, s[0:1] glc\ns_waitcnt vmcnt(0)\n"
                "v_lshlrev_b32 v3, 2, v3\nv_mov_b32 v4, " +
                id + "\nglobal_store_dword v3, v4, s[0:1] offset:64\ns_endpgm");
  EXPECT_EQ(outcome.kind, Outcome::Kind::Done) << outcome.message;
  return bench.memory.take<uint32_t>(counter + 64, 16);
}

TEST_P(Launch, TakesAnOrderFromTheSeed) {
  std::vector<uint32_t> one = drawOrder(GetParam(), 1);
  EXPECT_EQ(one, drawOrder(GetParam(), 1));
  EXPECT_NE(one, drawOrder(GetParam(), 2));
  std::sort(one.begin(), one.end());
  for (uint32_t i = 0; i < 16; ++i)
    EXPECT_EQ(one[i], i);
}

TEST_P(Launch, HoldsWavesAtBarriers) {
  // Each of 8 waves stores, and after the barrier reads its neighbour's.
  bench.dispatch.threads[0] = 256;
  bench.dispatch.rsrc2 |= 2u << 15;
  for (uint64_t seed = 1; seed < 6; ++seed) {
    bench.seed = seed;
    std::vector<uint32_t> found =
        store("v_lshlrev_b32 v3, 2, v0\nds_write_b32 v3, v0\n"
              "s_waitcnt lgkmcnt(0)\ns_barrier\nv_xor_b32 v3, 0x80, v3\n"
              "ds_read_b32 v1, v3\ns_waitcnt lgkmcnt(0)\nv_mov_b32 v2, v0",
              256);
    for (uint32_t i = 0; i < 256; ++i)
      ASSERT_EQ(found[i], i ^ 32);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Launch, eachGeneration(), printGeneration);

} // namespace
} // namespace sparkle::standin
