// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is found before anything is submitted: each way in which a buffer can be
// wrong that the device would accept in silence.

#include "runtime/Device/AMDGPU/Check.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

using namespace sparkle::runtime;

namespace {

struct AMDGPUCheck : testing::Test {
  AMDGPUCheck() {
    launch.entry = "affine";
    launch.descriptor.rsrc1 = 0xe0af000b;
    launch.descriptor.rsrc2 = 0x19c;
    launch.descriptor.rsrc3 = 0x130;
    launch.descriptor.localSize = 0x2000;
    launch.descriptor.kernargSize = 20;
    launch.descriptor.properties = 0x408;
    launch.code = 0x100001500;
    launch.kernarg = 0x100040000;
    launch.arguments = arguments;
    launch.argumentSize = 20;
    launch.invocations = 64;
    launch.names = {"x", "y"};
    launch.bindings = {{0x100050000, 400}, {0x100060010, 400}};
    setAddress(0, 0x100050000);
    setAddress(1, 0x100060010);
    mapped = {{0x100001000, 0x1000},
              {0x100040000, 0x2000},
              {0x100050000, 0x1000},
              {0x100060000, 0x1000}};
    state.groups = {0, 0, 2, 1};
    state.invocations = 64;
    state.program = launch.code;
    state.rsrc1 = launch.descriptor.rsrc1;
    state.rsrc2 = launch.descriptor.fullRsrc2();
    state.rsrc3 = launch.descriptor.rsrc3;
    state.kernarg = launch.kernarg;
    state.isWave32 = true;
  }

  void setAddress(size_t index, uint64_t address) {
    std::memcpy(arguments + 8 * index, &address, sizeof(address));
  }
  Words write() const {
    Words words;
    writeAcquire(words, Acquire::All);
    writeState(words, generation, state);
    writeDispatch(words, state);
    writeFlush(words);
    writeRelease(words, 0x100041008, 1);
    writePadding(words);
    return words;
  }
  std::string check(const Words &words, uint64_t address = 0x100040100,
                    std::vector<const CheckedLaunch *> launches = {}) {
    if (launches.empty())
      launches = {&launch};
    CheckedBuffer buffer = {words.data(), words.size(), address, 256,
                            std::move(launches)};
    Status status = checkBuffer(generation, buffer, mapped);
    EXPECT_EQ(status.code(), status.isOk() ? SPARKLE_OK : SPARKLE_DRIVER);
    return status.message();
  }
  /// With a word replaced: the `index`th after the first `before`.
  std::string damage(uint32_t before, size_t index, uint32_t value) {
    Words words = write();
    for (size_t i = 0; i < words.size(); ++i)
      if (words[i] == before) {
        words[i + index] = value;
        return check(words);
      }
    ADD_FAILURE() << "no such word";
    return "";
  }

  GpuGeneration generation = GpuGeneration::Gfx11;
  CheckedLaunch launch = {};
  uint8_t arguments[64] = {};
  std::vector<MappedRange> mapped;
  DispatchState state = {};
};

TEST_F(AMDGPUCheck, good) {
  EXPECT_EQ(check(write()), "");
  state.groups = {2, 1, 4, 3};
  EXPECT_EQ(check(write()), "");
  generation = GpuGeneration::Gfx10;
  launch.descriptor.properties = 0x409;
  state.kernargRegister = 4;
  EXPECT_EQ(check(write()), "");
}

TEST_F(AMDGPUCheck, placeOfTheBuffer) {
  EXPECT_EQ(check(write(), 0x100040020),
            "expected an indirect buffer at a multiple of 256 and of whole 8 "
            "words, but got 72 at 0x100040020");
  Words words = write();
  words.push_back(nopPad);
  EXPECT_EQ(check(words), "expected an indirect buffer at a multiple of 256 "
                          "and of whole 8 words, but got 73 at 0x100040100");
  EXPECT_EQ(check(write(), 0x100041f00), "indirect buffer: expected 288 mapped "
                                         "bytes, but got address 0x100041f00");
}

TEST_F(AMDGPUCheck, packets) {
  EXPECT_EQ(damage(0xc0065800, 0, 0x80000000),
            "word 0: expected a packet of type 3 for a compute ring, but got "
            "0x80000000");
  EXPECT_EQ(damage(0xc0004602, 0, 0xc0404602),
            "word 58: expected a packet of 65 words to end inside of the "
            "buffer, but got 13 words");
  EXPECT_EQ(damage(0xc0004602, 0, 0xc0003702),
            "expected a packet that the runtime writes, but got opcode 0x37");
  EXPECT_EQ(damage(0xc0004602, 1, 0x40f),
            "expected EVENT_WRITE of CS_PARTIAL_FLUSH, but got 0x40f");
  EXPECT_EQ(damage(0xc0065800, 0, 0xc0045800),
            "expected ACQUIRE_MEM of 7 words, but got 5");
  EXPECT_EQ(damage(0xc0031502, 0, 0xc0021502),
            "expected DISPATCH_DIRECT of 4 words, but got 3");
  EXPECT_EQ(damage(0xc0064902, 0, 0xc0054902),
            "expected RELEASE_MEM of 7 words, but got 6");
}

TEST_F(AMDGPUCheck, numberOfDispatches) {
  EXPECT_EQ(check(write(), 0x100040100, {&launch, &launch}),
            "expected 2 dispatches, but got 1");
  Words words = write();
  writeDispatch(words, state);
  writePadding(words);
  EXPECT_EQ(check(words), "expected 1 dispatches, but got more");
}

/// Hazards of the caches: stale code, arguments or data.
TEST_F(AMDGPUCheck, caches) {
  EXPECT_EQ(damage(0xc0065800, 7, 0x380),
            "entry 'affine': expected ACQUIRE_MEM of all caches before, but "
            "got none");
}

/// On gfx10.3 they are RELAUNCH and WAVE_RESTORE.
TEST_F(AMDGPUCheck, registersOfAnotherGeneration) {
  Words words = write();
  generation = GpuGeneration::Gfx10;
  EXPECT_EQ(check(words), "expected a register that this generation may be "
                          "given, but got offset 0x22b");
}

/// 0x204 and 0x2c00 in place of 0x20c: the device accepts them, and no wave
/// runs.
TEST_F(AMDGPUCheck, wrongOffset) {
  EXPECT_EQ(damage(0x20c, 0, 0x2c00), "expected a register that this "
                                      "generation may be given, but got offset "
                                      "0x2c00");
  EXPECT_EQ(damage(0x20c, 0, 0x204),
            "entry 'affine': expected workgroups from 0x1000015 up to at most "
            "65535, but got 0x2");
}

TEST_F(AMDGPUCheck, program) {
  EXPECT_EQ(damage(0x20c, 1, 0x17), "entry 'affine': expected 0x1000015 in "
                                    "COMPUTE_PGM_LO, but got 0x17");
  EXPECT_EQ(damage(0x20c, 2, 7),
            "entry 'affine': expected 0x0 in COMPUTE_PGM_HI, but got 0x7");
  EXPECT_EQ(damage(0x212, 1, 0), "entry 'affine': expected 0xe0af000b in "
                                 "COMPUTE_PGM_RSRC1, but got 0x0");
  EXPECT_EQ(damage(0x228, 1, 0), "entry 'affine': expected 0x130 in "
                                 "COMPUTE_PGM_RSRC3, but got 0x0");
  EXPECT_EQ(damage(0x218, 1, 9), "entry 'affine': expected 0x0 in "
                                 "COMPUTE_TMPRING_SIZE, but got 0x9");
  EXPECT_EQ(damage(0x216, 1, 1), "entry 'affine': expected 0xffffffff in "
                                 "COMPUTE_STATIC_THREAD_MGMT_SE0, but got 0x1");
  launch.code = state.program = 0x100001540;
  EXPECT_EQ(check(write()), "entry 'affine': expected code at a multiple of "
                            "256, but got 0x100001540");
  launch.code = state.program = 0x100002000;
  EXPECT_EQ(check(write()),
            "affine: expected 256 mapped bytes, but got address 0x100002000");
}

/// The compiler leaves LDS_SIZE to us.
TEST_F(AMDGPUCheck, localSize) {
  state.rsrc2 = launch.descriptor.rsrc2;
  EXPECT_EQ(check(write()), "entry 'affine': expected 0x8019c in "
                            "COMPUTE_PGM_RSRC2, but got 0x19c");
}

/// CS_W32_EN has to be bit 10 of the descriptor's properties.
TEST_F(AMDGPUCheck, waves) {
  state.isWave32 = false;
  EXPECT_EQ(check(write()), "entry 'affine': expected dispatch initiator "
                            "0x8005, but got 0x5");
}

TEST_F(AMDGPUCheck, geometry) {
  EXPECT_EQ(damage(0x207, 1, 63), "entry 'affine': expected 0x40 in "
                                  "COMPUTE_NUM_THREAD_X, but got 0x3f");
  EXPECT_EQ(damage(0xc0031502, 1, 0), "entry 'affine': expected workgroups "
                                      "from 0x0 up to at most 65535, but got "
                                      "0x0");
  EXPECT_EQ(damage(0xc0031502, 2, 65536), "entry 'affine': expected workgroups "
                                          "from 0x0 up to at most 65535, but "
                                          "got 0x10000");
  // A start that FORCE_START_AT_000 would ignore.
  EXPECT_EQ(damage(0x204, 1, 1), "entry 'affine': expected dispatch initiator "
                                 "0x8001, but got 0x8005");
  launch.invocations = 1025;
  EXPECT_EQ(check(write()),
            "entry 'affine': expected 1 to 1024 invocations, but got 1025");
}

/// The arguments' address in the wrong user SGPRs.
TEST_F(AMDGPUCheck, kernarg) {
  launch.descriptor.properties = 0x409;
  EXPECT_EQ(check(write()), "entry 'affine': expected 0x40000 in "
                            "COMPUTE_USER_DATA_4, but got nothing");
  launch.descriptor.properties = 0x408;
  EXPECT_EQ(damage(0x240, 2, 2), "entry 'affine': expected 0x1 in "
                                 "COMPUTE_USER_DATA_1, but got 0x2");
  launch.kernarg = state.kernarg = 0x100040010;
  EXPECT_EQ(check(write()), "entry 'affine': expected arguments at a multiple "
                            "of 64, but got 0x100040010");
  launch.kernarg = state.kernarg = 0x200000000;
  EXPECT_EQ(check(write()),
            "affine: expected 20 mapped bytes, but got address 0x200000000");
  launch.descriptor.kernargSize = 280;
  EXPECT_EQ(check(write()),
            "entry 'affine': expected 280 bytes of arguments, but got 20");
}

TEST_F(AMDGPUCheck, bindings) {
  setAddress(1, 0x100060020);
  EXPECT_EQ(check(write()), "entry 'affine', argument 'y': expected address "
                            "0x100060010, but got 0x100060020");
  launch.bindings[1].address = 0x100060018;
  setAddress(1, 0x100060018);
  EXPECT_EQ(check(write()), "entry 'affine', argument 'y': expected a multiple "
                            "of 16, but got address 0x100060018");
  launch.bindings[1] = {0x100060010, 0xff1};
  setAddress(1, 0x100060010);
  EXPECT_EQ(check(write()),
            "y: expected 4081 mapped bytes, but got address 0x100060010");
  launch.bindings[1] = {0x1234500000, 4};
  setAddress(1, 0x1234500000);
  EXPECT_EQ(check(write()),
            "y: expected 4 mapped bytes, but got address 0x1234500000");
}

TEST_F(AMDGPUCheck, end) {
  EXPECT_EQ(damage(0xc0064902, 3, 0x4100c),
            "expected RELEASE_MEM to write to a multiple of 8, but got "
            "0x10004100c");
  EXPECT_EQ(damage(0xc0064902, 4, 9),
            "RELEASE_MEM: expected 8 mapped bytes, but got address "
            "0x900041008");
}

TEST_F(AMDGPUCheck, moves) {
  auto move = [&](uint64_t from, uint64_t to, uint64_t size) {
    Words words;
    writeCopy(words, from, to, size);
    writePadding(words);
    CheckedBuffer buffer = {words.data(), words.size(), 0x100040100, 256, {}};
    return std::string(checkBuffer(generation, buffer, mapped).message());
  };
  EXPECT_EQ(move(0x100050000, 0x100060000, 4096), "");
  EXPECT_EQ(move(0x100050001, 0x100060000, 4096),
            "DMA_DATA's source: expected 4096 mapped bytes, but got address "
            "0x100050001");
  EXPECT_EQ(move(0x100050000, 0x100061000, 1),
            "DMA_DATA's destination: expected 1 mapped bytes, but got address "
            "0x100061000");
  Words words;
  writeFill(words, 0x100060000, 4096, 1);
  words[0] = 0xc0045002;
  writePadding(words);
  CheckedBuffer buffer = {words.data(), words.size(), 0x100040100, 256, {}};
  EXPECT_STREQ(checkBuffer(generation, buffer, mapped).message(),
               "expected DMA_DATA of 6 words, but got 5");
}

} // namespace
