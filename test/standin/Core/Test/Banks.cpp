// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes of the banks of LDS, worked out by hand: bank = byte address / 4 % 32,
// and lanes go together as many as have 32 words.

#include "test/standin/Core/Test/Case.h"

namespace sparkle::standin {
namespace {

struct Passes {
  uint64_t taken, least;
  bool operator==(const Passes &other) const {
    return taken == other.taken && least == other.least;
  }
};
std::ostream &operator<<(std::ostream &to, const Passes &passes) {
  return to << passes.taken << " passes of " << passes.least;
}

class Banks : public EachGeneration {
protected:
  /// Of the load or store in `text`, where v3 is the lane, v5 the address and
  /// v6 to v9 data; 4096 bytes of zeros are in LDS.
  Passes count(const std::string &address, const std::string &text) {
    Bench bench(GetParam());
    BankUses uses;
    bench.banks = &uses;
    bench.dispatch.rsrc2 |= 8u << 15;
    std::string program = "v_and_b32 v3, 0x3ff, v0\nv_lshlrev_b32 v4, 4, v3\n";
    for (unsigned i = 6; i < 10; ++i)
      program += "v_mov_b32 v" + std::to_string(i) + ", 0\n";
    for (unsigned at = 0; at < 4096; at += 512)
      program += "ds_write_b128 v4, v[6:9] offset:" + std::to_string(at) + "\n";
    program += "s_waitcnt lgkmcnt(0)\n" + address + "\n" + text;
    Outcome outcome = bench.run(program + "\ns_endpgm");
    EXPECT_EQ(outcome.kind, Outcome::Kind::Done) << outcome.message;
    EXPECT_EQ(uses.size(), 9u);
    const BankUse &last = std::prev(uses.end())->second;
    return {last.passes, last.least};
  }
};

INSTANTIATE_TEST_SUITE_P(Standin, Banks, eachGeneration(), printGeneration);

const std::string load = "ds_read_b32 v16, v5",
                  load2 = "ds_read_b64 v[16:17], v5",
                  load4 = "ds_read_b128 v[16:19], v5";

std::string stride(unsigned bytes) {
  return "v_mul_u32_u24 v5, " + std::to_string(bytes) + ", v3";
}

TEST_P(Banks, OfWords) {
  // Words 0 to 31: each bank one.
  EXPECT_EQ(count(stride(4), load), (Passes{1, 1}));
  // Words 0, 2, ... 62: of the 16 even banks, each is asked for two.
  EXPECT_EQ(count(stride(8), load), (Passes{2, 1}));
  // Words 0, 3, ... 93: three has no divisor in common with 32.
  EXPECT_EQ(count(stride(12), load), (Passes{1, 1}));
  // Words 0, 32, ... 992: all of bank 0.
  EXPECT_EQ(count(stride(128), load), (Passes{32, 1}));
  // Words 0, 31, ...: one of each bank, downwards.
  EXPECT_EQ(count(stride(124), load), (Passes{1, 1}));
  // The offset is the same for all.
  EXPECT_EQ(count(stride(8), load + " offset:4"), (Passes{2, 1}));
}

TEST_P(Banks, GiveOneWordToAll) {
  EXPECT_EQ(count("v_mov_b32 v5, 64", load), (Passes{1, 1}));
  // Lanes 0 and 1 word 0, 2 and 3 word 1, ...
  EXPECT_EQ(count("v_lshlrev_b32 v5, 1, v3\nv_and_b32 v5, -4, v5", load),
            (Passes{1, 1}));
  // Four bytes are one word: words 0 to 7.
  EXPECT_EQ(count(stride(1), "ds_read_u8 v16, v5"), (Passes{1, 1}));
  // Even lanes word 0, odd ones word 32: both of bank 0.
  EXPECT_EQ(count("v_and_b32 v5, 1, v3\nv_lshlrev_b32 v5, 7, v5", load),
            (Passes{2, 1}));
  // Each eight lanes the same four words.
  EXPECT_EQ(count("v_mov_b32 v5, 64", load4), (Passes{4, 4}));
}

TEST_P(Banks, OfTwoWords) {
  // Lanes 0 to 15 words 0 to 31, the others words 32 to 63.
  EXPECT_EQ(count(stride(8), load2), (Passes{2, 2}));
  // Lane l words 4l and 4l + 1: of 16 lanes, l and l + 8 meet.
  EXPECT_EQ(count(stride(16), load2), (Passes{4, 2}));
}

TEST_P(Banks, OfFourWords) {
  // Eight lanes words 0 to 31, the next words 32 to 63, ...
  EXPECT_EQ(count(stride(16), load4), (Passes{4, 4}));
  // Rows of 32 words: eight lanes are all in banks 0 to 3.
  EXPECT_EQ(count(stride(128), load4), (Passes{32, 4}));
  // Rows of 16 words: even lanes are in banks 0 to 3, odd ones in 16 to 19.
  EXPECT_EQ(count(stride(64), load4), (Passes{16, 4}));
  // A quad of padding: rows of 20 words start in banks 0, 20, 8, 28, 16, 4, 24
  // and 12.
  EXPECT_EQ(count(stride(80), load4), (Passes{4, 4}));
  // Three words of rows of four leave every fourth bank alone.
  EXPECT_EQ(count(stride(16), "ds_read_b96 v[16:18], v5"), (Passes{4, 4}));
}

TEST_P(Banks, OfTwoElements) {
  // Words 0 to 31 and then words 32 to 63.
  EXPECT_EQ(count(stride(4), "ds_read2_b32 v[16:17], v5 offset1:32"),
            (Passes{2, 2}));
  // Words 0, 2, ... 62 and 1, 3, ... 63, one after the other.
  EXPECT_EQ(count(stride(8), "ds_read2_b32 v[16:17], v5 offset1:1"),
            (Passes{4, 2}));
}

TEST_P(Banks, OfLanesThatAreOn) {
  // Words 0 and 32 of bank 0.
  EXPECT_EQ(count(stride(128) + "\ns_mov_b32 exec_lo, 3", load),
            (Passes{2, 1}));
  // Lanes 8 to 15 only, which are one of the four groups.
  EXPECT_EQ(count(stride(16) + "\ns_mov_b32 exec_lo, 0xff00", load4),
            (Passes{1, 1}));
}

TEST_P(Banks, OfStores) {
  EXPECT_EQ(count(stride(4), "ds_write_b32 v5, v6"), (Passes{1, 1}));
  EXPECT_EQ(count(stride(8), "ds_write_b32 v5, v6"), (Passes{2, 1}));
  EXPECT_EQ(count(stride(64), "ds_write_b128 v5, v[6:9]"), (Passes{16, 4}));
}

TEST_P(Banks, AddUpByInstruction) {
  Bench bench(GetParam());
  BankUses uses;
  bench.banks = &uses;
  bench.dispatch.rsrc2 |= 1u << 15;
  bench.dispatch.end[0] = 3;
  Outcome outcome = bench.run("v_and_b32 v3, 0x3ff, v0\n"
                              "v_lshlrev_b32 v4, 3, v3\n"
                              "ds_write_b32 v4, v3\n"
                              "s_waitcnt lgkmcnt(0)\n"
                              "ds_read_b32 v5, v4\n"
                              "s_endpgm");
  ASSERT_EQ(outcome.kind, Outcome::Kind::Done) << outcome.message;
  ASSERT_EQ(uses.size(), 2u);
  const BankUse &store = uses.begin()->second, &load = uses.rbegin()->second;
  EXPECT_TRUE(store.isStore);
  EXPECT_FALSE(load.isStore);
  EXPECT_EQ(load.passes, 6u);
  EXPECT_EQ(load.least, 3u);
  EXPECT_EQ(load.instruction,
            isGfx11() ? "ds_load_b32 v5, v4" : "ds_read_b32 v5, v4");
}

} // namespace
} // namespace sparkle::standin
