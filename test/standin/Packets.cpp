// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the command processor takes, and by which name it refuses the rest.

#include "test/standin/Session.h"

#include <gtest/gtest.h>

using namespace sparkle::standin;

namespace {

/// A session with a program that tells what it was dispatched with.
class Packets : public testing::TestWithParam<Generation> {
protected:
  Packets()
      : session(GetParam()),
        program(session.upload(
            std::vector<FakeInstruction>{{FakeInstruction::Describe, 0, 0, 0},
                                         {FakeInstruction::End, 0, 0, 0}})),
        to(session.allocate(4096)),
        arguments(session.upload(std::vector<uint64_t>{to.address})) {}

  Words start() const {
    Words words;
    words.acquire().state(GetParam(), program.address, arguments.address);
    return words;
  }
  const FakeDispatch &getSeen() const {
    return *reinterpret_cast<const FakeDispatch *>(to.bytes);
  }
  bool isLater() const { return GetParam() == Generation::Gfx1100; }

  Session session;
  Memory program, to, arguments;
};

INSTANTIATE_TEST_SUITE_P(Standin, Packets, testing::ValuesIn(allGenerations));

TEST_P(Packets, DimensionsAreWhereItEnds) {
  Words words = start().set(0x204, {1, 2, 0});
  words.dispatch(4, 3, 1, usualInitiator & ~4u).flush().pad();
  ASSERT_EQ(session.run(words), 0);
  EXPECT_EQ(getSeen().start[0], 1u);
  EXPECT_EQ(getSeen().start[1], 2u);
  EXPECT_EQ(getSeen().end[0], 4u);
  EXPECT_EQ(getSeen().end[1], 3u);
}

TEST_P(Packets, DimensionsAreCountsIfForcedToStartAtZero) {
  Words words = start().set(0x204, {1, 2, 0});
  words.dispatch(4, 3, 1).flush().pad();
  ASSERT_EQ(session.run(words), 0);
  EXPECT_EQ(getSeen().start[0], 0u);
  EXPECT_EQ(getSeen().end[0], 4u);
}

TEST_P(Packets, NothingToRunIsAnError) {
  Words words = start().set(0x204, {4, 0, 0});
  words.dispatch(4, 1, 1, usualInitiator & ~4u).pad();
  EXPECT_TRUE(says(session.hang(words),
                   "DISPATCH_DIRECT: expected workgroups, but X runs from "
                   "4 to 4 (without FORCE_START_AT_000 the dimensions are "
                   "where it ends)"));
}

TEST_P(Packets, InitiatorIsChecked) {
  EXPECT_TRUE(says(session.hang(start().dispatch(1, 1, 1, 0x8004).pad()),
                   "expected COMPUTE_SHADER_EN in the initiator"));
  EXPECT_TRUE(says(session.hang(start().dispatch(1, 1, 1, 5).pad()),
                   "expected CS_W32_EN in the initiator"));
  EXPECT_TRUE(says(session.hang(start().dispatch(1, 1, 1, 0x8007).pad()),
                   "PARTIAL_TG_EN is not modelled"));
  EXPECT_TRUE(says(session.hang(start().dispatch(1, 1, 1, 0x8025).pad()),
                   "USE_THREAD_DIMENSIONS is not modelled"));
  EXPECT_TRUE(says(session.hang(start().dispatch(1, 1, 1, 0x8805).pad()),
                   "unknown bits 0x800 in the initiator"));
}

// Registers are poisoned: what one IB has written, the next one has not.
TEST_P(Packets, RegistersDoNotOutliveTheirBuffer) {
  ASSERT_EQ(session.run(start().dispatch().flush().pad()), 0);
  Words words;
  EXPECT_TRUE(says(session.hang(words.acquire().dispatch().pad()),
                   "DISPATCH_DIRECT: COMPUTE_START_X has not been written "
                   "by this IB"));
}

TEST_P(Packets, EachNeededRegisterIsMissed) {
  Words words;
  words.acquire().set(0x204, {0, 0, 0}).set(0x207, {256, 1}).dispatch().pad();
  EXPECT_TRUE(
      says(session.hang(words), "COMPUTE_NUM_THREAD_Z has not been written"));
}

// Where a program of others had it: a fence, and no wave has run.
TEST_P(Packets, ProgramIsWrittenWhereStartLies) {
  Words words = start();
  for (uint32_t &word : words.words)
    if (word == 0x20c)
      word = 0x204;
  EXPECT_TRUE(says(session.hang(words.dispatch().pad()),
                   "DISPATCH_DIRECT: COMPUTE_PGM_LO has not been written by "
                   "this IB"));
}

TEST_P(Packets, GroupsHaveThreads) {
  EXPECT_TRUE(says(session.hang(start().set(0x208, {0}).dispatch().pad()),
                   "COMPUTE_NUM_THREAD_Y: expected 1 to 1024, but got 0"));
  EXPECT_TRUE(says(session.hang(start().set(0x207, {64, 32}).dispatch().pad()),
                   "COMPUTE_NUM_THREAD: expected at most 1024 threads, but "
                   "got 2048"));
}

TEST_P(Packets, GroupsHaveUnitsToRunOn) {
  Words words = start().set(0x216, {0, 0}).set(0x219, {0, 0});
  if (isLater())
    words.set(0x22b, {0, 0, 0, 0});
  EXPECT_TRUE(says(session.hang(words.dispatch().pad()),
                   "COMPUTE_STATIC_THREAD_MGMT_SE*: expected compute units "
                   "to run on, but all masks are 0"));
}

TEST_P(Packets, MasksMayBeWrittenByIndex) {
  Words words = start().packet(0x9b, {0x30000216, ~0u, ~0u});
  EXPECT_EQ(session.run(words.dispatch().flush().pad()), 0);
  EXPECT_TRUE(says(session.hang(start().packet(0x9b, {0x3000020c, 0}).pad()),
                   "SET_SH_REG_INDEX: expected masks of compute units, but "
                   "got COMPUTE_PGM_LO"));
  EXPECT_TRUE(says(session.hang(start().packet(0x9b, {0x216, 0}).pad()),
                   "expected index 3, but got 0x00000216"));
}

TEST_P(Packets, LaterEnginesAreOnlyOnTheLaterGeneration) {
  Words words = start().set(0x22b, {~0u});
  if (isLater())
    EXPECT_EQ(session.run(words.dispatch().flush().pad()), 0);
  else
    EXPECT_TRUE(says(session.hang(words.pad()),
                     "SET_SH_REG: 0xB8AC is COMPUTE_RELAUNCH on " +
                         std::string(int(GetParam()) ? "gfx1036" : "gfx1030") +
                         ", which no program may write"));
}

TEST_P(Packets, UnknownRegistersAreNamed) {
  EXPECT_TRUE(says(session.hang(start().set(0x20a, {1}).pad()),
                   "SET_SH_REG: 0xB828 is no compute register of gfx1"));
  EXPECT_TRUE(says(session.hang(start().set(0x2c00, {1}).pad()),
                   "0x16000 is no compute register"));
  EXPECT_TRUE(says(session.hang(start().set(0x200, {1}).pad()),
                   "0xB800 is COMPUTE_DISPATCH_INITIATOR on gfx1"));
  EXPECT_TRUE(says(session.hang(start().packet(0x79, {0x40, 1}).pad()),
                   "SET_UCONFIG_REG: 0x30100 is no register that a compute "
                   "ring may write"));
}

// What sparkle's namesake wrote for SET_SH_REG.
TEST_P(Packets, UnknownPacketsAreNamed) {
  EXPECT_TRUE(says(session.hang(start().packet(0x25, {0x20c, 1}).pad()),
                   "unknown packet 0x25 (header 0xc0012502)"));
  Words words = start();
  words.words.push_back(0x80000000);
  EXPECT_TRUE(says(session.hang(words.pad()),
                   "expected a packet of type 3, but got 0x80000000"));
}

TEST_P(Packets, HeadersAreChecked) {
  Words words = start();
  words.words.insert(words.words.end(), {0xc0017600, 0x204, 0});
  EXPECT_TRUE(says(session.hang(words.pad()),
                   "SET_SH_REG: expected SHADER_TYPE to say compute"));
  words = start();
  words.words.insert(words.words.end(), {0xc0017603, 0x204, 0});
  EXPECT_TRUE(says(session.hang(words.pad()), "expected no predicate"));
  EXPECT_TRUE(says(session.hang(start().packet(0x15, {1, 1, 1}).pad()),
                   "DISPATCH_DIRECT: expected 4 to 4 dwords behind the "
                   "header, but got 3"));
}

TEST_P(Packets, PacketsEndWithinTheirBuffer) {
  Words words;
  words.words = std::vector<uint32_t>(8, 0xffff1000);
  words.words[7] = 0xc0017602;
  EXPECT_TRUE(says(session.hang(words),
                   "dword 7: expected a packet within the IB's 8 dwords, "
                   "but 0xc0017602 is 3 long"));
}

TEST_P(Packets, LengthIsAMultiple) {
  Words words;
  words.words = std::vector<uint32_t>(7, 0xffff1000);
  EXPECT_TRUE(says(session.hang(words),
                   "expected an IB of a multiple of 32 bytes, but got 28"));
}

TEST_P(Packets, EventsAreChecked) {
  EXPECT_TRUE(says(session.hang(start().packet(0x46, {0x416}).pad()),
                   "EVENT_WRITE: expected CS_PARTIAL_FLUSH (0x407), but "
                   "got 0x416"));
}

TEST_P(Packets, AcquireIsChecked) {
  EXPECT_TRUE(says(session.hang(start().acquire(0x1c3b1 | 8).pad()),
                   "ACQUIRE_MEM: unknown bits 0x8 in GCR_CNTL"));
  EXPECT_TRUE(says(session.hang(start().acquire(0x10).pad()),
                   "expected GLM_INV with GLM_WB in GCR_CNTL"));
  Words words = start().packet(0x58, {0, 16, 0, 0, 0, 10, 0xc3b1});
  EXPECT_TRUE(
      says(session.hang(words.pad()), "expected the whole address range"));
}

TEST_P(Packets, ReleaseIsChecked) {
  EXPECT_TRUE(
      says(session.hang(start().release(to.address, 2, 0, 0x00603507).pad()),
           "RELEASE_MEM: expected event 0x14 or 0x28 with index 5, "
           "but got 0x7 with 5"));
  EXPECT_TRUE(
      says(session.hang(start().release(to.address, 2, 0, 0x00601514).pad()),
           "expected GLM_INV with GLM_WB"));
  EXPECT_TRUE(says(session.hang(start().release(to.address + 4, 2).pad()),
                   "expected an address that is a multiple of 8"));
  EXPECT_TRUE(says(session.hang(start().release(to.address, 5).pad()),
                   "expected DATA_SEL 0 to 3, but got 5"));
  EXPECT_TRUE(says(session.hang(start().release(0x1234500000, 2).pad()),
                   "write of 8 bytes at 0x1234500000, which is not mapped"));
}

TEST_P(Packets, DataIsWrittenCopiedAndMoved) {
  uint32_t low = to.address, high = to.address >> 32;
  Words words = start().writeData(to.address, {7, 8});
  words.packet(0x40, {1 | 5 << 8, low, high, low + 8, high});       // memory
  words.packet(0x40, {5 | 5 << 8, 42, 0, low + 12, high});          // a value
  words.packet(0x40, {9 | 5 << 8 | 1 << 16, 0, 0, low + 16, high}); // the clock
  words.packet(0x50, {1u << 31, low, high, low + 64, high, 16});    // memory
  words.packet(0x50, {1u << 31 | 2u << 29, 3, 0, low + 80, high, 8}); // a value
  words.packet(0x50, {1u << 31, low, high, low + 127, high, 1});      // a byte
  ASSERT_EQ(session.run(words.pad()), 0);
  const uint32_t *values = to.getWords();
  EXPECT_EQ(values[0], 7u);
  EXPECT_EQ(values[1], 8u);
  EXPECT_EQ(values[2], 7u);
  EXPECT_EQ(values[3], 42u);
  EXPECT_NE(values[4], 0u);
  EXPECT_EQ(values[16], 7u);
  EXPECT_EQ(values[19], 42u);
  EXPECT_EQ(values[20], 3u);
  EXPECT_EQ(values[21], 3u);
  EXPECT_EQ(values[31], 7u << 24);
}

TEST_P(Packets, DataPacketsAreChecked) {
  uint32_t low = to.address, high = to.address >> 32;
  EXPECT_TRUE(says(session.hang(start().packet(0x37, {0, low, high, 1}).pad()),
                   "WRITE_DATA: expected DST_SEL 2 or 5, but got 0"));
  EXPECT_TRUE(
      says(session.hang(start().packet(0x40, {5 << 8, 0, 0, low, high}).pad()),
           "COPY_DATA: expected SRC_SEL 1, 2, 5 or 9, but got 0"));
  EXPECT_TRUE(
      says(session.hang(
               start().packet(0x50, {0, low, high, low + 64, high, 16}).pad()),
           "DMA_DATA: expected CP_SYNC"));
}

TEST_P(Packets, WaitsForMemory) {
  uint32_t low = to.address, high = to.address >> 32;
  Words words = start().packet(0x3c, {3 | 1 << 4, low, high, 5, 0xff, 4});
  words.writeData(to.address + 4, {1});
  uint64_t sequence = 0;
  ASSERT_EQ(session.submit(words.pad(), sequence), 0);
  EXPECT_EQ(session.wait(sequence, 0, 20000000), 1);
  EXPECT_EQ(to.getWords()[1], 0u);
  __atomic_store_n(to.getWords(), 0x305, __ATOMIC_RELEASE);
  EXPECT_EQ(session.wait(sequence), 0);
  EXPECT_EQ(to.getWords()[1], 1u);
}

TEST_P(Packets, ChainsButDoesNotCall) {
  Memory next = session.allocate(4096);
  Words rest;
  rest.writeData(to.address, {77}).pad();
  std::copy(rest.words.begin(), rest.words.end(), next.getWords());
  uint32_t low = next.address, high = next.address >> 32;
  uint32_t size = rest.words.size();
  Words words;
  words.packet(0x3f, {low, high, size | 1 << 20 | 1 << 23}).pad();
  ASSERT_EQ(session.run(words), 0);
  EXPECT_EQ(to.getWords()[0], 77u);
  words = Words();
  EXPECT_TRUE(says(session.hang(words.packet(0x3f, {low, high, size}).pad()),
                   "INDIRECT_BUFFER: expected CHAIN: compute rings do not "
                   "return from an IB"));
}

TEST_P(Packets, ALoopIsAHang) {
  getControl().setBudget(1000);
  Memory loop = session.upload(
      std::vector<FakeInstruction>{{FakeInstruction::Loop, 0, 0, 0}});
  std::string said = session.hang(session.makeUsual(loop, arguments));
  EXPECT_TRUE(says(said, "DISPATCH_DIRECT: hang: the budget of "
                         "instructions is used up, a loop"));
  EXPECT_TRUE(says(said, "ring 0: reset"));
  getControl().setBudget(1000000000);
}

} // namespace
