// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Machine code on the whole stand-in, driver and shader cores: a dispatch that
// is right, and those mistakes that hardware answers with silence.

#include "test/standin/Session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

using namespace sparkle::standin;

namespace {

/// Each of 32 threads adds 1.0 to a float, by way of workgroup memory.
///   s_load_b128 s[8:11], s[0:1], 0x0      (gfx1030: s[4:5])
///   v_lshlrev_b32 v0, 2, v0
///   s_waitcnt lgkmcnt(0)
///   global_load_b32 v1, v0, s[8:9]
///   s_waitcnt vmcnt(0)
///   v_add_f32 v1, 1.0, v1
///   ds_store_b32 v0, v1
///   s_waitcnt lgkmcnt(0)
///   ds_load_b32 v2, v0
///   s_waitcnt lgkmcnt(0)
///   global_store_b32 v0, v2, s[10:11]
///   s_endpgm
const std::vector<uint32_t> codeOfGfx1100 = {
    0xf4080200, 0xf8000000, 0x30000082, 0xbf89fc07, 0xdc520000, 0x01080000,
    0xbf8903f7, 0x060202f2, 0xd8340000, 0x00000100, 0xbf89fc07, 0xd8d80000,
    0x02000000, 0xbf89fc07, 0xdc6a0000, 0x000a0200, 0xbfb00000};
const std::vector<uint32_t> codeOfGfx1030 = {
    0xf4080202, 0xfa000000, 0x34000082, 0xbf8cc07f, 0xdc308000, 0x01080000,
    0xbf8c3f70, 0x060202f2, 0xd8340000, 0x00000100, 0xbf8cc07f, 0xd8d80000,
    0x02000000, 0xbf8cc07f, 0xdc708000, 0x000a0200, 0xbf810000};

class Whole : public testing::TestWithParam<Generation> {
protected:
  Whole() {
    const std::vector<uint32_t> &words =
        isLater() ? codeOfGfx1100 : codeOfGfx1030;
    std::memcpy(code.bytes, words.data(), 4 * words.size());
    for (uint32_t i = 0; i < 32; ++i)
      getFloats(from)[i] = i / 4.0f;
    const uint64_t addresses[] = {from.address, to.address};
    std::memcpy(arguments.bytes, addresses, sizeof addresses);
  }

  bool isLater() const { return GetParam() == Generation::Gfx1100; }
  static float *getFloats(const Memory &memory) {
    return reinterpret_cast<float *>(memory.bytes);
  }
  /// All registers, to be changed.
  Words start() const {
    // USER_SGPR, TGID_X_EN, LDS_SIZE.
    uint32_t rsrc2 = (isLater() ? 15 : 6) << 1 | 1 << 7 | 1 << 15;
    Words words;
    words.acquire().state(GetParam(), code.address, arguments.address);
    return words.set(0x207, {32, 1, 1})
        .set(0x212, {0xc0af0000, rsrc2})
        .set(0x228, {0});
  }

  Session session{GetParam()};
  Memory code = session.allocate(4096), from = session.allocate(4096),
         to = session.allocate(4096), arguments = session.allocate(4096);
};

INSTANTIATE_TEST_SUITE_P(Standin, Whole,
                         testing::Values(Generation::Gfx1030,
                                         Generation::Gfx1036,
                                         Generation::Gfx1100));

TEST_P(Whole, RunsMachineCode) {
  ASSERT_EQ(session.run(start().dispatch().flush().pad()), 0) << takeMessages();
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(getFloats(to)[i], i / 4.0f + 1) << i;
  EXPECT_EQ(takeMessages(), "");
}

TEST_P(Whole, WorkgroupMemoryOfNoSize) {
  uint32_t rsrc2 = (isLater() ? 15 : 6) << 1 | 1 << 7;
  Words words = start().set(0x213, {rsrc2}).dispatch().pad();
  EXPECT_TRUE(says(session.hang(words),
                   "access of 4 bytes of LDS at 0x0, but the workgroup has 0 "
                   "(LDS_SIZE of rsrc2)"));
}

// A step of two words from lane to lane: each bank in use is asked for two.
TEST_P(Whole, ConflictsOfBanks) {
  code.getWords()[2] += 1;
  getControl().setConflicts(true);
  ASSERT_EQ(session.run(start().dispatch().flush().pad()), 0) << takeMessages();
  const char *const names[] = {"gfx1030", "gfx1036", "gfx1100"};
  std::string found = takeMessages(), card = names[int(GetParam())];
  auto name = [&](const char *later, const char *earlier) {
    return "bank conflicts on " + card + ": '" + (isLater() ? later : earlier);
  };
  const char *passes = "2 passes, least possible 1";
  EXPECT_EQ(found, name("ds_store_b32 v0, v1", "ds_write_b32 v0, v1") +
                       "' at 0x20 of the program: " + passes + "\n" +
                       name("ds_load_b32 v2, v0", "ds_read_b32 v2, v0") +
                       "' at 0x2c of the program: " + passes + "\nbanks on " +
                       card + ": loads " + passes + ", stores " + passes +
                       "\n");
  getControl().setConflicts(false);
  ASSERT_EQ(session.run(start().dispatch().flush().pad()), 0) << takeMessages();
  EXPECT_EQ(takeMessages(), "");
}

// Where the other generation has them. What an IB has not written is poison.
TEST_P(Whole, ArgumentsInTheWrongRegisters) {
  uint32_t low = arguments.address, high = arguments.address >> 32;
  Words right, wrong, all = start();
  right.set(0x240, isLater() ? std::vector<uint32_t>{low, high}
                             : std::vector<uint32_t>{0, 0, 0, 0, low, high});
  wrong.set(isLater() ? 0x244 : 0x240, {low, high});
  auto at = std::search(all.words.begin(), all.words.end(), right.words.begin(),
                        right.words.end());
  ASSERT_NE(at, all.words.end());
  at = all.words.erase(at, at + right.words.size());
  all.words.insert(at, wrong.words.begin(), wrong.words.end());
  EXPECT_TRUE(says(session.hang(all.dispatch().pad()),
                   isLater() ? "read of s0, which has not been written"
                             : "read of s4, which has not been written"));
}

TEST_P(Whole, APointerIntoNothing) {
  const uint64_t nowhere = 0x1234500000;
  std::memcpy(arguments.bytes + 8, &nowhere, 8);
  EXPECT_TRUE(says(session.hang(start().dispatch().pad()),
                   "at 0x1234500000, which is not mapped"));
}

TEST_P(Whole, CodeThatIsNone) {
  code.getWords()[2] = 0xffffffff;
  EXPECT_TRUE(says(session.hang(start().dispatch().pad()),
                   "unknown instruction 0xffffffff"));
}

} // namespace
