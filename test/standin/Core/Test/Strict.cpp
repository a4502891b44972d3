// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What hardware lets pass and the stand-in does not, with its messages.

#include "test/standin/Core/Test/Case.h"

namespace sparkle::standin {
namespace {

class Strict : public EachGeneration {
protected:
  Bench bench{GetParam()};

  /// The text ends with this fault.
  void refuse(const std::string &text, const std::string &message) {
    Outcome outcome = bench.run(text + "\ns_endpgm");
    EXPECT_EQ(outcome.kind, Outcome::Kind::Fault) << text;
    EXPECT_NE(outcome.message.find(message), std::string::npos)
        << text << ": got '" << outcome.message << "', expected '" << message
        << "'";
  }
  void accept(const std::string &text) {
    Outcome outcome = bench.run(text + "\ns_endpgm");
    EXPECT_EQ(outcome.kind, Outcome::Kind::Done)
        << text << ": " << outcome.message;
  }
  /// s[0:1] points to a buffer.
  uint64_t giveBuffer() {
    uint64_t address = bench.memory.allocate(4096);
    bench.dispatch.userData[0] = uint32_t(address);
    bench.dispatch.userData[1] = uint32_t(address >> 32);
    bench.dispatch.userDataWritten = 3;
    return address;
  }
};

TEST_P(Strict, ReadsOfWhatWasNotWritten) {
  refuse("v_add_f32 v1, v2, v2",
         "read of v2, which has not been written in lane 0 at pc 0x");
  refuse("s_add_u32 s20, s21, 1", "read of s21, which has not been written");
  refuse("v_mov_b32 v1, s21", "read of s21, which has not been written");
  refuse("v_cndmask_b32 v1, 0, 1, vcc_lo",
         "read of vcc_lo, which has not been written");
  refuse("s_cbranch_vccz 0", "read of vcc_lo, which has not been written");
  refuse("s_cbranch_scc0 0", "read of SCC, which has not been written");
  refuse("s_mov_b32 s20, m0", "read of m0, which has not been written");
  refuse("v_mov_b32 v2, 0\nv_lshlrev_b64 v[4:5], 1, v[2:3]",
         "read of v3, which has not been written");
  // One lane only.
  refuse("s_mov_b32 exec_lo, 0xffff\nv_mov_b32 v1, 0\ns_mov_b32 exec_lo, -1\n"
         "v_mov_b32 v2, v1",
         "read of v1, which has not been written in lane 16");
  accept("s_mov_b32 exec_lo, 0xffff\nv_mov_b32 v1, 0\nv_mov_b32 v2, v1");
}

TEST_P(Strict, ReadsOfSomeBits) {
  // How loops with several ends merge masks: the bits that were not written
  // are dropped with EXEC.
  const std::string half = "s_mov_b32 exec_lo, 0xffff\n"
                           "s_andn2_b32 s20, s21, exec_lo\n";
  accept(half + "s_andn2_b32 s21, exec_lo, s20\ns_and_b32 s22, s20, exec_lo\n"
                "v_cndmask_b32 v1, 0, 1, s20\ns_and_saveexec_b32 s23, s20\n"
                "s_cbranch_scc0 0\ns_mov_b32 s24, s20\n"
                "s_or_b32 s25, s24, 0xffff0000\ns_add_u32 s25, s25, 1");
  refuse(half + "s_add_u32 s21, s20, 1",
         "read of s20, of which some bits have not been written");
  refuse(half + "s_mov_b32 s24, s20\ns_add_u32 s21, s24, 1",
         "read of s24, of which some bits have not been written");
  refuse(half + "s_mov_b32 exec_lo, -1\nv_cndmask_b32 v1, 0, 1, s20",
         "read of s20, of which some bits have not been written");
  refuse(half + "s_mov_b32 exec_lo, s20",
         "write of exec_lo with bits that have not been written");
  refuse(half + "s_cbranch_scc0 0", "read of SCC, which has not been written");
}

TEST_P(Strict, SaysWhere) {
  bench.dispatch.end[0] = 3;
  bench.dispatch.threads[0] = 64;
  std::string id = GetParam() == Generation::Gfx1100 ? "s15" : "s6";
  std::string thread = "v_and_b32 v0, 0x3ff, v0\n";
  refuse(thread +
             "v_readfirstlane_b32 s30, v0\ns_lshr_b32 s30, s30, 5\n"
             "s_cmp_eq_u32 s30, 1\ns_cbranch_scc0 1f\ns_cmp_eq_u32 " +
             id + ", 2\ns_cbranch_scc0 1f\nv_mov_b32 v1, v9\n1:",
         "'v_mov_b32_e32 v1, v9', workgroup (2, 0, 0), wave 1");
}

TEST_P(Strict, ReadsBeforeTheWait) {
  giveBuffer();
  const std::string load = "v_mov_b32 v1, 0\n"
                           "global_load_dword v2, v1, s[0:1]\n"
                           "global_load_dword v3, v1, s[0:1] offset:4\n";
  refuse(load + "v_mov_b32 v4, v2",
         "read of v2, which a load has yet to write: no s_waitcnt vmcnt");
  refuse(load + "v_mov_b32 v2, 0",
         "write of v2, which a load has yet to write: no s_waitcnt vmcnt");
  accept(load + "s_waitcnt vmcnt(1)\nv_mov_b32 v4, v2");
  refuse(load + "s_waitcnt vmcnt(1)\nv_mov_b32 v4, v3", "read of v3");
  refuse(load + "s_waitcnt lgkmcnt(0)\nv_mov_b32 v4, v2", "read of v2");
  accept(load + "s_waitcnt vmcnt(0)\nv_add_nc_u32 v4, v2, v3");
  accept(load + "s_waitcnt_vmcnt null, 0x0\nv_add_nc_u32 v4, v2, v3");
  refuse("s_load_dword s20, s[0:1], 0x0\ns_mov_b32 s21, s20",
         "read of s20, which a load has yet to write: no s_waitcnt lgkmcnt(0)");
  refuse("s_load_dword s20, s[0:1], 0x0\ns_mov_b32 s20, 0",
         "write of s20, which a load has yet to write: no s_waitcnt "
         "lgkmcnt(0)");
  // Scalar loads come back in any order.
  refuse("s_load_dword s20, s[0:1], 0x0\ns_load_dword s21, s[0:1], 0x4\n"
         "s_waitcnt lgkmcnt(1)\ns_mov_b32 s22, s20",
         "read of s20");
  accept("s_load_dword s20, s[0:1], 0x0\ns_waitcnt lgkmcnt(0)\n"
         "s_mov_b32 s21, s20");
}

TEST_P(Strict, LocalReadsBeforeTheWait) {
  bench.dispatch.rsrc2 |= 1u << 15;
  const std::string store = "v_mov_b32 v1, 0\nv_mov_b32 v2, 7\n"
                            "ds_write_b32 v1, v2\n";
  refuse(store + "ds_read_b32 v3, v1\nv_mov_b32 v4, v3",
         "read of v3, which a load has yet to write: no s_waitcnt lgkmcnt");
  accept(store + "ds_read_b32 v3, v1\ns_waitcnt lgkmcnt(0)\nv_mov_b32 v4, v3");
  refuse(store + "s_barrier",
         "s_barrier while a store to LDS is under way: no s_waitcnt lgkmcnt");
  accept(store + "s_waitcnt lgkmcnt(0)\ns_barrier");
  refuse(store + "ds_bpermute_b32 v3, v1, v2\nv_mov_b32 v4, v3", "read of v3");
}

TEST_P(Strict, LocalMemoryThatIsNotThere) {
  const std::string address = "v_mov_b32 v1, 0\nv_mov_b32 v2, 7\n"
                              "v_mov_b32 v3, 7\n";
  refuse(address + "ds_write_b32 v1, v2",
         "access of 4 bytes of LDS at 0x0, but the workgroup has 0 (LDS_SIZE "
         "of rsrc2)");
  bench.dispatch.rsrc2 |= 1u << 15;
  accept(address + "ds_write_b32 v1, v2 offset:508");
  refuse(address + "ds_write_b32 v1, v2 offset:512",
         "access of 4 bytes of LDS at 0x200, but the workgroup has 512");
  refuse(address + "ds_read_b32 v2, v1",
         "read of LDS at 0x0, which has not been written");
  const std::string partly = address + "ds_write_b32 v1, v2\n"
                                       "ds_read_b64 v[4:5], v1\n"
                                       "s_waitcnt lgkmcnt(0)\n";
  accept(partly + "v_mov_b32 v6, v4");
  refuse(partly + "v_mov_b32 v6, v5",
         "read of v5, which has not been written in lane 0");
  refuse(address + "ds_add_u32 v1, v2",
         "read of LDS at 0x0, which has not been written");
  refuse(address + "ds_write_b32 v1, v2 offset:2",
         "access of 4 bytes of LDS at 0x2, which is not a multiple of 4");
  refuse(address + "ds_write_b64 v1, v[2:3] offset:4",
         "access of 8 bytes of LDS at 0x4, which is not a multiple of 8");
  refuse("v_mov_b32 v4, 0\nv_mov_b32 v5, 0\n" + address +
             "ds_write_b128 v1, v[2:5] offset:8",
         "access of 16 bytes of LDS at 0x8, which is not a multiple of 16");
}

TEST_P(Strict, MemoryThatIsNotThere) {
  uint64_t address = giveBuffer();
  Outcome outcome =
      bench.run("v_mov_b32 v1, 0x1000\nglobal_load_dword v2, v1, s[0:1]\n"
                "s_endpgm");
  EXPECT_EQ(outcome.kind, Outcome::Kind::Fault);
  EXPECT_EQ(outcome.address, address + 4096);
  EXPECT_NE(outcome.message.find("which is not mapped at pc 0x"),
            std::string::npos)
      << outcome.message;
  refuse("v_mov_b32 v1, 0x1000\nglobal_store_dword v1, v1, s[0:1]",
         "write of 4 bytes at 0x");
  refuse("v_mov_b32 v1, 0x1000\nglobal_atomic_add v1, v1, s[0:1]",
         "atomic operation of 4 bytes at 0x");
  refuse("s_load_dword s20, s[0:1], 0x1000", "read of 4 bytes at 0x");
  refuse("s_load_dword s20, s[0:1], 0x2", "which is not a multiple of 4");
  refuse("v_mov_b32 v1, 2\nglobal_atomic_add v1, v1, s[0:1]",
         "which is not a multiple of 4");
}

TEST_P(Strict, RegistersThatAreNotThere) {
  refuse("v_mov_b32 v64, 0",
         "use of v64, but the wave has 64 vector registers (VGPRS of rsrc1)");
  accept("v_mov_b32 v63, 0");
  bench.dispatch.rsrc1 = kRsrc1;
  refuse("v_mov_b32 v1, 0\nv_mov_b32 v7, 0\nv_add_f64 v[2:3], v[7:8], v[7:8]",
         "use of v8, but the wave has 8 vector registers");
}

TEST_P(Strict, WhatIsNotKnown) {
  refuse("v_cubeid_f32 v1, v2, v3, v4", "unknown opcode 'v_cubeid_f32'");
  refuse("s_getreg_b32 s20, hwreg(HW_REG_HW_ID1)",
         "unknown hardware register 'hwreg(HW_REG_HW_ID1)'");
  refuse("s_sendmsg sendmsg(MSG_INTERRUPT)",
         "unknown message 'sendmsg(MSG_INTERRUPT)'");
  refuse("v_mad_u32_u24 v1, v2, v3, v4 clamp",
         "unknown modifier clamp of 'v_mad_u32_u24'");
  refuse(".long 0xffffffff", "unknown instruction 0xffffffff");
  refuse("s_trap 2", "unknown opcode 's_trap'");
  refuse("s_code_end", "unknown opcode 's_code_end'");
  refuse("v_mov_b32 v1, src_shared_base", "unknown operand 'src_shared_base'");
  refuse("s_mov_b32 ttmp0, 0", "unknown destination 'ttmp0'");
  refuse("v_mov_b32 v1, 0\nds_swizzle_b32 v2, v1 offset:swizzle(FFT,3)",
         "unknown swizzle 'swizzle(FFT,3)'");
}

TEST_P(Strict, CodeThatIsNotThere) {
  bench.dispatch.program =
      bench.load(assemble(GetParam(), "s_branch 0x4000\ns_endpgm"));
  Outcome outcome =
      run(GetParam(), bench.dispatch, bench.memory, 1, bench.budget);
  EXPECT_EQ(outcome.kind, Outcome::Kind::Fault);
  EXPECT_NE(outcome.message.find("instruction fetch: read of"),
            std::string::npos)
      << outcome.message;
  refuse("s_getpc_b64 s[20:21]\ns_add_u32 s20, s20, 2\n"
         "s_setpc_b64 s[20:21]",
         "program counter that is not a multiple of 4");
}

TEST_P(Strict, CodeAcrossPages) {
  // 8 bytes of one instruction, of which 4 are in the first page.
  std::string text;
  for (size_t i = 0; i < Port::kPage / 4 - 1; ++i)
    text += "s_nop 0\n";
  std::vector<uint8_t> code =
      assemble(GetParam(), text + "s_mov_b32 s20, 0x12345678\ns_endpgm");
  bench.dispatch.program = bench.load(code);
  Outcome outcome =
      run(GetParam(), bench.dispatch, bench.memory, 1, bench.budget);
  EXPECT_EQ(outcome.kind, Outcome::Kind::Done) << outcome.message;
  code.resize(Port::kPage);
  bench.dispatch.program = bench.memory.allocate(code.size());
  std::memcpy(bench.memory.at(bench.dispatch.program), code.data(),
              code.size());
  outcome = run(GetParam(), bench.dispatch, bench.memory, 1, bench.budget);
  EXPECT_EQ(outcome.kind, Outcome::Kind::Fault);
}

TEST_P(Strict, HalfOfAnAddend) {
  const char sum[] = "v_mov_b32 v6, 5\nv_mov_b32 v4, 3\n"
                     "v_mad_u64_u32 v[16:17], vcc_lo, v4, v4, v[6:7]\n";
  Outcome outcome = bench.run(sum + std::string("v_mov_b32 v8, v16\ns_endpgm"));
  EXPECT_EQ(outcome.kind, Outcome::Kind::Done) << outcome.message;
  refuse(sum + std::string("v_mov_b32 v8, v17"),
         "read of v17, which has not been written");
}

TEST_P(Strict, EndlessLoops) {
  bench.budget = 1000;
  Outcome outcome = bench.run("1: s_branch 1b");
  EXPECT_EQ(outcome.kind, Outcome::Kind::Hang);
  EXPECT_EQ(outcome.instructions, 1000u);
  EXPECT_NE(outcome.message.find("budget of 1000 instructions used up at pc"),
            std::string::npos)
      << outcome.message;
}

INSTANTIATE_TEST_SUITE_P(All, Strict, eachGeneration(), printGeneration);

/// The message of a text on gfx1100; empty if it ends well.
std::string runGfx11(const std::string &text) {
  return Bench(Generation::Gfx1100).run(text + "\ns_endpgm").message;
}

TEST(Gfx11, RefusesPairsThatCannotBe) {
  // The assembler refuses them too: VOPD words with the fields changed.
  auto refuses = [](uint32_t first, uint32_t second, const char *message) {
    char words[64];
    std::snprintf(words, sizeof(words), ".long 0x%x, 0x%x", first, second);
    std::string found = runGfx11(words);
    EXPECT_NE(found.find(message), std::string::npos) << found;
  };
  std::vector<uint8_t> code =
      assemble(Generation::Gfx1100,
               "v_dual_add_f32 v8, v0, v2 :: v_dual_mul_f32 v9, v1, v3");
  uint32_t words[2];
  std::memcpy(words, code.data(), 8);
  // Y's source 0 in bits 40:32, its source 1 in 48:41, half its target in
  // 55:49; X's target in 63:56.
  refuses(words[0], (words[1] & ~0x1ffu) | 0x104,
          "expected sources 0 of a pair in different banks, but got v0 and v4");
  refuses(words[0], (words[1] & ~(0xffu << 9)) | 6u << 9,
          "expected sources 1 of a pair in different banks, but got v2 and v6");
  // What fmamk adds is a third source, of two banks, in the field of source 1.
  code = assemble(Generation::Gfx1100,
                  "v_dual_fmamk_f32 v8, v0, 0x41000000, v2 :: "
                  "v_dual_fmamk_f32 v9, v1, 0x41000000, v3");
  std::memcpy(words, code.data(), 8);
  refuses(words[0], (words[1] & ~(0xffu << 9)) | 4u << 9,
          "expected sources 2 of a pair in different banks, but got v2 and v4");
  EXPECT_EQ(runGfx11("v_mov_b32 v1, 1.0\nv_mov_b32 v2, 1.0\n"
                     "v_mov_b32 v3, 1.0\nv_mov_b32 v4, 1.0\n"
                     "v_dual_add_f32 v8, v1, v4 :: "
                     "v_dual_fmamk_f32 v9, v2, 0x41000000, v0"),
            "");
}

TEST(Gfx11, RefusesMatricesThatCannotBe) {
  std::string zeros;
  for (int i = 1; i < 40; ++i)
    zeros += "v_mov_b32 v" + std::to_string(i) + ", 0\n";
  const std::string product =
      "v_wmma_f32_16x16x16_f16 v[32:39], v[8:15], v[16:23], v[24:31]";
  EXPECT_EQ(runGfx11(zeros + product), "");
  EXPECT_NE(runGfx11(zeros + "s_mov_b32 exec_lo, 1\n" + product)
                .find("matrix product with some lanes off in EXEC"),
            std::string::npos);
  EXPECT_NE(runGfx11(zeros + product + " neg_lo:[1,0,0]")
                .find("unknown modifier neg_lo of 'v_wmma_f32_16x16x16_f16'"),
            std::string::npos);
  EXPECT_NE(runGfx11(zeros + "v_mov_b32 v9, v0\n" + product)
                .find("matrix in v8 that differs between lanes 0 and 16"),
            std::string::npos);
}

} // namespace
} // namespace sparkle::standin
