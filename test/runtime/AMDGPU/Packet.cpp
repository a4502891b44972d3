// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packets word by word, and the registers against a table that others wrote.

#include "runtime/Device/AMDGPU/Packet.h"
#include "runtime/Device/AMDGPU/Split.h"
#include "sparkle/kernel.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace sparkle::runtime;

namespace {

/// gc_11_0_0_offset.h of the kernel's driver, and gc_10_3_0_offset.h, which has
/// the same numbers but for what gfx10.3 does not have: offsets in words from
/// the base of the graphics block, 0x1260.
struct Known {
  const char *name;
  uint32_t offset;
  bool isOfGfx10;
};
const Known known[] = {
    {"COMPUTE_START_X", 0x1ba4, true},
    {"COMPUTE_START_Y", 0x1ba5, true},
    {"COMPUTE_START_Z", 0x1ba6, true},
    {"COMPUTE_NUM_THREAD_X", 0x1ba7, true},
    {"COMPUTE_NUM_THREAD_Y", 0x1ba8, true},
    {"COMPUTE_NUM_THREAD_Z", 0x1ba9, true},
    {"COMPUTE_PGM_LO", 0x1bac, true},
    {"COMPUTE_PGM_HI", 0x1bad, true},
    {"COMPUTE_PGM_RSRC1", 0x1bb2, true},
    {"COMPUTE_PGM_RSRC2", 0x1bb3, true},
    {"COMPUTE_RESOURCE_LIMITS", 0x1bb5, true},
    {"COMPUTE_STATIC_THREAD_MGMT_SE0", 0x1bb6, true},
    {"COMPUTE_STATIC_THREAD_MGMT_SE1", 0x1bb7, true},
    {"COMPUTE_TMPRING_SIZE", 0x1bb8, true},
    {"COMPUTE_STATIC_THREAD_MGMT_SE2", 0x1bb9, true},
    {"COMPUTE_STATIC_THREAD_MGMT_SE3", 0x1bba, true},
    {"COMPUTE_PGM_RSRC3", 0x1bc8, true},
    {"COMPUTE_STATIC_THREAD_MGMT_SE4", 0x1bcb, false},
    {"COMPUTE_STATIC_THREAD_MGMT_SE5", 0x1bcc, false},
    {"COMPUTE_STATIC_THREAD_MGMT_SE6", 0x1bcd, false},
    {"COMPUTE_STATIC_THREAD_MGMT_SE7", 0x1bce, false},
    {"COMPUTE_USER_DATA_0", 0x1be0, true},
    {"COMPUTE_USER_DATA_1", 0x1be1, true},
    {"COMPUTE_USER_DATA_2", 0x1be2, true},
    {"COMPUTE_USER_DATA_3", 0x1be3, true},
    {"COMPUTE_USER_DATA_4", 0x1be4, true},
    {"COMPUTE_USER_DATA_5", 0x1be5, true},
};

/// SET_SH_REG counts from this word on.
constexpr uint32_t shBase = 0x2c00, graphicsBase = 0x1260;

TEST(AMDGPURegisters, agreeWithTheKernel) {
  size_t found = 0;
  for (uint32_t offset = 0; offset < 0x400; ++offset) {
    const char *name = getRegisterName(GpuGeneration::Gfx11, offset);
    const Known *match = nullptr;
    for (const Known &one : known)
      if (one.offset + graphicsBase - shBase == offset)
        match = &one;
    ASSERT_EQ(name != nullptr, match != nullptr) << offset;
    if (!match)
      continue;
    ++found;
    EXPECT_STREQ(name, match->name);
    const char *older = getRegisterName(GpuGeneration::Gfx10, offset);
    EXPECT_STREQ(older, match->isOfGfx10 ? match->name : nullptr);
  }
  EXPECT_EQ(found, sizeof(known) / sizeof(known[0]));
}

/// What docs/amdgpu.md prints: the product of two matrices in near memory.
DispatchState makeProduct() {
  DispatchState state = {};
  state.groups = {0, 0, 2, 2};
  state.invocations = 256;
  state.program = 0x100001600;
  state.rsrc1 = 0xc0af000b;
  state.rsrc2 = 0x0008019c;
  state.rsrc3 = 0x130;
  state.kernarg = 0x100040000;
  state.isWave32 = true;
  return state;
}

TEST(AMDGPUPackets, wholeBuffer) {
  Words words;
  writeAcquire(words, Acquire::All);
  writeState(words, GpuGeneration::Gfx11, makeProduct());
  writeDispatch(words, makeProduct());
  writeFlush(words);
  writeRelease(words, 0x100050008, 0xabcd);
  writePadding(words);
  const Words expected = {
      0xc0065800, 0,          0xffffffff, 0x00ffffff, 0,          0,
      0x0000000a, 0x0000c3b1,                            // ACQUIRE_MEM
      0xc0037602, 0x204,      0,          0,          0, // START_X
      0xc0037602, 0x207,      0x100,      1,          1, // NUM_THREAD
      0xc0027602, 0x20c,      0x01000016, 0,             // PGM
      0xc0027602, 0x212,      0xc0af000b, 0x0008019c,    // RSRC1, 2
      0xc0017602, 0x228,      0x130,                     // RSRC3
      0xc0017602, 0x215,      0,                         // LIMITS
      0xc0027602, 0x216,      0xffffffff, 0xffffffff,    // SE0, SE1
      0xc0027602, 0x219,      0xffffffff, 0xffffffff,    // SE2, SE3
      0xc0047602, 0x22b,      0xffffffff, 0xffffffff, 0,          0, // SE4..7
      0xc0017602, 0x218,      0,                                     // TMPRING
      0xc0027602, 0x240,      0x00040000, 1,                      // USER_DATA
      0xc0031502, 2,          2,          1,          0x00008005, // DISPATCH
      0xc0004602, 0x407,                                          // FLUSH
      0xc0064902, 0x00603514, 0x40000000, 0x00050008, 1,          0xabcd,
      0,          0, // RELEASE_MEM
      0xffff1000, 0xffff1000, 0xffff1000, 0xffff1000};
  EXPECT_EQ(words.size(), expected.size());
  for (size_t i = 0; i < std::min(words.size(), expected.size()); ++i)
    EXPECT_EQ(words[i], expected[i]) << "word " << i;
}

/// The address of the arguments comes behind a buffer of scratch memory, and
/// SE4 to SE7 are other registers there.
TEST(AMDGPUPackets, gfx10) {
  DispatchState state = makeProduct();
  state.kernargRegister = 4;
  Words words;
  writeState(words, GpuGeneration::Gfx10, state);
  const Words tail = {0xc0017602, 0x218, 0, 0xc0067602, 0x240, 0,
                      0,          0,     0, 0x00040000, 1};
  ASSERT_GE(words.size(), tail.size());
  EXPECT_EQ(Words(words.end() - tail.size(), words.end()), tail);
  for (size_t i = 0; i + 1 < words.size(); ++i)
    EXPECT_FALSE((words[i] & 0xff00) == 0x7600 && words[i + 1] == 0x22b);
}

TEST(AMDGPUPackets, dispatchOfAPart) {
  DispatchState state = makeProduct();
  state.groups = {3, 4, 7, 5};
  Words words;
  writeState(words, GpuGeneration::Gfx11, state);
  EXPECT_EQ(Words(words.begin(), words.begin() + 5),
            (Words{0xc0037602, 0x204, 3, 4, 0}));
  words.clear();
  writeDispatch(words, state);
  // The ends, and no start at zero.
  EXPECT_EQ(words, (Words{0xc0031502, 7, 5, 1, 0x8001}));
  state.groups = {0, 0, 7, 5};
  state.isWave32 = false;
  words.clear();
  writeDispatch(words, state);
  EXPECT_EQ(words, (Words{0xc0031502, 7, 5, 1, 0x5}));
}

TEST(AMDGPUPackets, betweenCommands) {
  Words words;
  writeFlush(words);
  writeAcquire(words, Acquire::Shader);
  EXPECT_EQ(words, (Words{0xc0004602, 0x407, 0xc0065800, 0, 0xffffffff,
                          0x00ffffff, 0, 0, 0xa, 0x380}));
}

TEST(AMDGPUPackets, timestamp) {
  Words words;
  writeTimestamp(words, 0x123456788);
  EXPECT_EQ(words,
            (Words{0xc0064902, 0x528, 0x60000000, 0x23456788, 1, 0, 0, 0}));
}

TEST(AMDGPUPackets, copy) {
  Words words;
  writeCopy(words, 0x100000010, 0x200000020, 12345);
  EXPECT_EQ(words, (Words{0xc0055002, 0xe0300000, 0x10, 1, 0x20, 2, 12345}));
  words.clear();
  writeCopy(words, 0, 0, 0);
  EXPECT_TRUE(words.empty());
}

TEST(AMDGPUPackets, copyOfMoreThanAPacketTakes) {
  Words words;
  constexpr uint32_t most = 0x4000000 - 64;
  writeCopy(words, 0, 0x100000000, uint64_t(most) * 2 + 5);
  const Words expected = {
      0xc0055002, 0xe0300000, 0,        0, 0,        1, most,
      0xc0055002, 0xe0300000, most,     0, most,     1, most,
      0xc0055002, 0xe0300000, 2 * most, 0, 2 * most, 1, 5};
  EXPECT_EQ(words, expected);
}

TEST(AMDGPUPackets, fill) {
  Words words;
  writeFill(words, 0x100000000, 64, 0xdeadbeef);
  EXPECT_EQ(words, (Words{0xc0055002, 0xc0300000, 0xdeadbeef, 0, 0, 1, 64}));
  words.clear();
  writeFill(words, 0, 0x4000000, 1);
  EXPECT_EQ(words.size(), 14u);
}

TEST(AMDGPUPackets, padding) {
  for (size_t size : {0, 1, 7, 8, 9}) {
    Words words(size);
    writePadding(words);
    EXPECT_EQ(words.size(), (size + 7) / 8 * 8);
  }
}

//===----------------------------------------------------------------------===//
// Grids
//===----------------------------------------------------------------------===//

/// Every number below `count` is in one box, and none beyond the last row.
void expectCovered(uint64_t count, uint64_t most) {
  const std::vector<GroupBox> boxes = splitGrid(count, most);
  uint64_t width = std::min<uint64_t>(count, SPARKLE_GRID_WIDTH), sum = 0;
  uint64_t height = (count + width - 1) / width;
  for (const GroupBox &box : boxes) {
    ASSERT_LT(box.startX, box.endX);
    ASSERT_LT(box.startY, box.endY);
    ASSERT_LE(box.endX, width);
    ASSERT_LE(box.endY, height);
    EXPECT_LE(getCount(box), std::max<uint64_t>(most, 1));
    sum += getCount(box);
    for (const GroupBox &other : boxes)
      ASSERT_TRUE(&other == &box || other.endX <= box.startX ||
                  box.endX <= other.startX || other.endY <= box.startY ||
                  box.endY <= other.startY);
  }
  EXPECT_EQ(sum, width * height) << count << " by " << most;
}

TEST(AMDGPUSplit, coversTheGrid) {
  for (uint64_t count : {1, 2, 63, 65534, 65535, 65536, 131070, 131071, 300000})
    for (uint64_t most : {0, 1, 1000, 65534, 65535, 65536, 140000, 1000000}) {
      if (count / std::max<uint64_t>(most, 1) < 400)
        expectCovered(count, most);
    }
  EXPECT_TRUE(splitGrid(0, 10).empty());
}

TEST(AMDGPUSplit, wholeGridInOneBox) {
  const std::vector<GroupBox> boxes = splitGrid(200000, 1u << 30);
  ASSERT_EQ(boxes.size(), 1u);
  EXPECT_EQ(boxes[0].endX, 65535u);
  EXPECT_EQ(boxes[0].endY, 4u);
}

} // namespace
