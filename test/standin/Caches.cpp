// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Missing cache maintenance and missing waits: each must be caught by name, and
// the right packets must make it go away.

#include "test/standin/Session.h"

#include <gtest/gtest.h>

#include <cerrno>

using namespace sparkle::standin;

namespace {

using Opcode = FakeInstruction::Opcode;

class Caches : public testing::Test {
protected:
  /// Copies argument `from` to argument `to`.
  Memory makeCopy(uint32_t from, uint32_t to, Opcode how = Opcode::Copy) {
    return session.upload(std::vector<FakeInstruction>{
        {how, from, to, count}, {FakeInstruction::End, 0, 0, 0}});
  }
  Words &call(Words &words, const Memory &program) {
    return words.state(session.generation, program.address, arguments.address)
        .dispatch();
  }
  /// Two dispatches, the second reads what the first has written.
  Words chain(Words between, Opcode how = Opcode::Copy) {
    Words words;
    call(words.acquire(), makeCopy(0, 1));
    words.words.insert(words.words.end(), between.words.begin(),
                       between.words.end());
    return call(words, makeCopy(1, 2, how)).flush().pad();
  }

  static constexpr uint32_t count = 16;
  Session session{Generation::Gfx1100};
  Memory first = session.allocate(4096), second = session.allocate(4096),
         third = session.allocate(4096);
  Memory arguments = session.upload(
      std::vector<uint64_t>{first.address, second.address, third.address});
};

TEST_F(Caches, TheRightPacketsBetweenDispatches) {
  first.getWords()[0] = 40;
  EXPECT_EQ(session.run(chain(Words().flush().acquire(0x380))), 0)
      << takeMessages();
  EXPECT_EQ(third.getWords()[0], 42u);
}

TEST_F(Caches, MissingPartialFlush) {
  EXPECT_TRUE(says(session.hang(chain(Words())),
                   "which an earlier dispatch of this ring writes: "
                   "expected EVENT_WRITE CS_PARTIAL_FLUSH between"));
  EXPECT_TRUE(says(session.hang(chain(Words().acquire(0x380))),
                   "expected EVENT_WRITE CS_PARTIAL_FLUSH between"));
}

TEST_F(Caches, MissingPartialFlushBeforeAWrite) {
  Words words;
  call(words.acquire(), makeCopy(0, 1));
  call(words, makeCopy(2, 1)).flush().pad();
  EXPECT_TRUE(says(session.hang(words), "write of 4 bytes at 0x"));
  words = Words();
  call(words.acquire(), makeCopy(0, 1)).flush();
  call(words, makeCopy(2, 1)).flush().pad();
  EXPECT_EQ(session.run(words), 0) << takeMessages();
}

TEST_F(Caches, MissingPartialFlushBeforeOverwriting) {
  for (bool byPacket : {false, true}) {
    for (bool flushes : {false, true}) {
      Words words;
      call(words.acquire(), makeCopy(0, 1));
      if (flushes)
        words.flush();
      if (byPacket)
        words.writeData(first.address, {1}).pad();
      else
        call(words, makeCopy(2, 0)).flush().pad();
      if (flushes)
        EXPECT_EQ(session.run(words), 0) << takeMessages();
      else
        EXPECT_TRUE(says(session.hang(words),
                         "which an earlier dispatch of this ring reads: "
                         "expected EVENT_WRITE CS_PARTIAL_FLUSH between"));
    }
  }
}

TEST_F(Caches, IndependentDispatchesNeedNothingBetween) {
  Words words;
  call(words.acquire(), makeCopy(0, 1));
  call(words, makeCopy(0, 2)).flush().pad();
  EXPECT_EQ(session.run(words), 0) << takeMessages();
}

TEST_F(Caches, MissingInvalidationBetweenDispatches) {
  EXPECT_TRUE(says(session.hang(chain(Words().flush())),
                   "expected ACQUIRE_MEM with GLV_INV and GL1_INV between"));
  EXPECT_TRUE(
      says(session.hang(chain(Words().flush().acquire(0x180))), // no GL1
           "expected ACQUIRE_MEM with GLV_INV and GL1_INV between"));
  EXPECT_TRUE(says(
      session.hang(chain(Words().flush().acquire(0x300), Opcode::CopyByScalar)),
      "expected ACQUIRE_MEM with GLK_INV between"));
  EXPECT_EQ(
      session.run(chain(Words().flush().acquire(0x080), Opcode::CopyByScalar)),
      0)
      << takeMessages();
}

// Graphics memory through its window.
TEST_F(Caches, WhatIsPostedBySubmitting) {
  Memory video = session.allocate(4096, AMDGPU_GEM_DOMAIN_VRAM);
  Memory from = session.upload(
      std::vector<uint64_t>{video.address, second.address, video.address});
  video.getWords()[0] = 40;
  Words words = session.makeUsual(makeCopy(0, 1), from);
  EXPECT_EQ(session.run(words), 0);
  EXPECT_EQ(second.getWords()[0], 41u);
  EXPECT_EQ(session.run(session.makeUsual(makeCopy(1, 2), from)), 0);
  EXPECT_EQ(video.getWords()[0], 42u) << "what the card has written";
  EXPECT_EQ(takeMessages(), "");
}

TEST_F(Caches, WrittenThroughTheWindowAndNotPosted) {
  Memory video = session.allocate(4096, AMDGPU_GEM_DOMAIN_VRAM);
  Words nothing;
  nothing.packet(0x10, {0}).pad();
  for (bool submits : {false, true}) {
    video.getWords()[0] = 0;
    Words words;
    words.packet(0x3c, {3 | 1 << 4, uint32_t(video.address),
                        uint32_t(video.address >> 32), 1, ~0u, 4});
    uint64_t sequence = 0, behind = 0;
    ASSERT_EQ(session.submit(words.pad(), sequence), 0);
    video.getWords()[0] = 1;
    if (submits)
      ASSERT_EQ(session.submit(nothing, behind, 1), 0);
    EXPECT_EQ(session.wait(sequence), submits ? 0 : -ETIME);
    std::string messages = takeMessages();
    if (submits) {
      EXPECT_EQ(messages, "");
      EXPECT_EQ(session.wait(behind, 1), 0);
      continue;
    }
    EXPECT_TRUE(says(messages, "WAIT_REG_MEM waits for what never comes"));
    EXPECT_TRUE(says(
        messages, "byte 0 of 4096 of graphics memory was written through its "
                  "window while a submission that lists it ran: expected a "
                  "submission behind it, which posts it"));
    session.renewContext();
  }
}

// Code that a packet writes is data until it is invalidated.
TEST_F(Caches, MissingInvalidationOfCode) {
  Memory program = session.allocate(4096);
  for (bool invalidates : {false, true}) {
    Words words;
    words.acquire().writeData(program.address, {FakeInstruction::Copy, 0, 1, 1,
                                                FakeInstruction::End, 0, 0, 0});
    if (invalidates)
      words.acquire(1);
    call(words, program).flush().pad();
    if (invalidates)
      EXPECT_EQ(session.run(words), 0) << takeMessages();
    else
      EXPECT_TRUE(says(session.hang(words),
                       "expected ACQUIRE_MEM with GLI_INV between"));
  }
}

// The invalidation must come when the first dispatch is over.
TEST_F(Caches, InvalidationBeforeTheFlushIsTooEarly) {
  EXPECT_TRUE(says(session.hang(chain(Words().acquire(0x380).flush())),
                   "expected ACQUIRE_MEM with GLV_INV and GL1_INV between"));
}

TEST_F(Caches, MissingInvalidationAtTheStart) {
  struct {
    uint32_t gcr;
    const char *message;
  } const cases[] = {
      {0xc3b0, "through I$, which may hold old code: expected ACQUIRE_MEM with "
               "GLI_INV at the start of the IB"},
      {0xc331, "through K$, which may hold old data: expected ACQUIRE_MEM with "
               "GLK_INV at the start of the IB"},
      {0xc2b1, "through L0 and GL1, which may hold old data: expected "
               "ACQUIRE_MEM with GLV_INV and GL1_INV at the start of the IB"},
      {0x83b1,
       "through GL2, which may hold old data: expected ACQUIRE_MEM with "
       "GL2_INV at the start of the IB"},
  };
  for (const auto &missing : cases) {
    Words words;
    call(words.acquire(missing.gcr), makeCopy(0, 1)).flush().pad();
    EXPECT_TRUE(says(session.hang(words), missing.message));
  }
  Words words;
  EXPECT_TRUE(says(session.hang(call(words, makeCopy(0, 1)).flush().pad()),
                   "instruction fetch of 16 bytes at 0x"));
}

TEST_F(Caches, KernelInvalidatesIfAsked) {
  Words words;
  call(words, makeCopy(0, 1)).flush().pad();
  Memory ib = session.allocate(4096);
  std::copy(words.words.begin(), words.words.end(), ib.getWords());
  amdgpu_cs_ib_info info = {};
  info.flags = AMDGPU_IB_FLAG_EMIT_MEM_SYNC;
  info.ib_mc_address = ib.address;
  info.size = words.words.size();
  amdgpu_cs_request request = {};
  request.ip_type = AMDGPU_HW_IP_COMPUTE;
  request.number_of_ibs = 1;
  request.ibs = &info;
  ASSERT_EQ(session.submit(request), 0);
  EXPECT_EQ(session.wait(request.seq_no), 0) << takeMessages();
}

// GL2 is a cache: what the CPU writes while a submission runs is not seen.
TEST_F(Caches, SecondLevelKeepsWhatItHasRead) {
  Memory flags = session.allocate(4096);
  uint32_t low = flags.address, high = flags.address >> 32;
  for (bool invalidates : {false, true}) {
    Words words;
    call(words.acquire(), makeCopy(0, 1)).flush();
    words.release(flags.address, 1, 1);
    words.packet(0x3c, {3 | 1 << 4, low + 4, high, 1, ~0u, 4});
    words.acquire(invalidates ? 0xc3b1 : 0x380);
    call(words, makeCopy(0, 2)).flush().pad();
    first.getWords()[0] = 10;
    flags.getWords()[0] = flags.getWords()[1] = 0;
    uint64_t sequence = 0;
    ASSERT_EQ(session.submit(words, sequence), 0);
    while (!__atomic_load_n(flags.getWords(), __ATOMIC_ACQUIRE))
      ;
    first.getWords()[0] = 20;
    __atomic_store_n(flags.getWords() + 1, 1, __ATOMIC_RELEASE);
    ASSERT_EQ(session.wait(sequence), 0) << takeMessages();
    EXPECT_EQ(third.getWords()[0], invalidates ? 21u : 11u);
  }
}

// Within a submission only GL2_WB makes results visible; behind it the kernel
// writes back.
TEST_F(Caches, MissingWriteBackIsSeenByTheCpu) {
  Memory flags = session.allocate(4096);
  uint32_t low = flags.address, high = flags.address >> 32;
  for (bool writesBack : {false, true}) {
    Words words;
    call(words.acquire(), makeCopy(0, 1)).flush();
    words.release(flags.address, 1, 1, writesBack ? 0x00603514 : 0x00403514);
    words.packet(0x3c, {3 | 1 << 4, low + 4, high, 1, ~0u, 4}).pad();
    first.getWords()[0] = 30;
    second.getWords()[0] = 0;
    flags.getWords()[0] = flags.getWords()[1] = 0;
    uint64_t sequence = 0;
    ASSERT_EQ(session.submit(words, sequence), 0);
    while (!__atomic_load_n(flags.getWords(), __ATOMIC_ACQUIRE))
      ;
    EXPECT_EQ(second.getWords()[0], writesBack ? 31u : 0u);
    __atomic_store_n(flags.getWords() + 1, 1, __ATOMIC_RELEASE);
    ASSERT_EQ(session.wait(sequence), 0) << takeMessages();
    EXPECT_EQ(second.getWords()[0], 31u);
  }
}

TEST_F(Caches, InvalidationWithoutWriteBackLosesData) {
  Words words;
  call(words.acquire(), makeCopy(0, 1)).flush().acquire(0x4000).pad();
  EXPECT_TRUE(says(session.hang(words),
                   "ACQUIRE_MEM: GL2_INV without GL2_WB loses 64 bytes "
                   "that were written"));
}

TEST_F(Caches, AtomicsAreDoneInTheSecondLevel) {
  Memory add = session.upload(std::vector<FakeInstruction>{
      {FakeInstruction::Add, 0, 1, 5}, {FakeInstruction::End, 0, 0, 0}});
  Words words;
  call(words.acquire(), add).flush();
  call(words, add).flush().pad();
  EXPECT_EQ(session.run(words), 0) << takeMessages();
  EXPECT_EQ(second.getWords()[0], 10u);
}

// The next submission of the ring may start before the last one is over.
TEST_F(Caches, MissingFlushAtTheEndOfASubmission) {
  Memory flag = session.allocate(4096);
  uint32_t low = flag.address, high = flag.address >> 32;
  for (bool flushes : {false, true}) {
    Words before, behind;
    call(before.acquire(), makeCopy(0, 1));
    before.packet(0x3c, {3 | 1 << 4, low, high, 1, ~0u, 4});
    if (flushes)
      before.flush();
    call(behind.acquire(), makeCopy(1, 2)).flush().pad();
    uint64_t sequences[2];
    flag.getWords()[0] = 0;
    takeMessages();
    ASSERT_EQ(session.submit(before.pad(), sequences[0]), 0);
    ASSERT_EQ(session.submit(behind, sequences[1]), 0);
    __atomic_store_n(flag.getWords(), 1, __ATOMIC_RELEASE);
    EXPECT_EQ(session.wait(sequences[0]), 0);
    EXPECT_EQ(session.wait(sequences[1]), flushes ? 0 : -ETIME);
    EXPECT_TRUE(says(takeMessages(), flushes ? ""
                                             : "expected EVENT_WRITE "
                                               "CS_PARTIAL_FLUSH"));
    session.renewContext();
  }
}

// Who has waited for the fence needs no flush.
TEST_F(Caches, AFinishedSubmissionIsOver) {
  Words before, behind;
  EXPECT_EQ(session.run(call(before.acquire(), makeCopy(0, 1)).pad()), 0);
  EXPECT_EQ(session.run(call(behind.acquire(), makeCopy(1, 2)).pad()), 0)
      << takeMessages();
}

// Rings are not in order: what one writes, another one may only touch when a
// dependency orders them.
TEST_F(Caches, MissingDependencyBetweenRings) {
  Memory flags = session.allocate(4096);
  uint32_t low = flags.address, high = flags.address >> 32;
  Words before, reading, writing, apart;
  call(before.acquire(), makeCopy(0, 1)).flush().release(flags.address, 1, 1);
  before.packet(0x3c, {3 | 1 << 4, low + 4, high, 1, ~0u, 4}).pad();
  call(reading.acquire(), makeCopy(1, 2)).flush().pad();
  call(writing.acquire(), makeCopy(2, 1)).flush().pad();
  call(apart.acquire(), makeCopy(0, 2)).flush().pad();
  struct {
    const Words &words;
    const char *message;
  } const cases[] = {
      {apart, ""},
      {reading, "read of 4 bytes at 0x"},
      {writing, "write of 4 bytes at 0x"},
  };
  for (const auto &test : cases) {
    flags.getWords()[0] = flags.getWords()[1] = 0;
    uint64_t first = 0, second = 0;
    takeMessages();
    ASSERT_EQ(session.submit(before, first), 0);
    while (!__atomic_load_n(flags.getWords(), __ATOMIC_ACQUIRE))
      ;
    ASSERT_EQ(session.submit(test.words, second, 1), 0);
    EXPECT_EQ(session.wait(second, 1), *test.message ? -ETIME : 0);
    std::string said = takeMessages();
    EXPECT_TRUE(says(said, test.message));
    EXPECT_TRUE(says(said, *test.message
                               ? "which a submission on another ring writes: "
                                 "expected a dependency between"
                               : ""));
    __atomic_store_n(flags.getWords() + 1, 1, __ATOMIC_RELEASE);
    session.wait(first);
    session.renewContext();
  }
}

TEST_F(Caches, OwnWritesAreRead) {
  Memory program = session.upload(
      std::vector<FakeInstruction>{{FakeInstruction::Copy, 0, 1, count},
                                   {FakeInstruction::Copy, 1, 2, count},
                                   {FakeInstruction::End, 0, 0, 0}});
  Words words;
  EXPECT_EQ(session.run(call(words.acquire(), program).flush().pad()), 0)
      << takeMessages();
  EXPECT_EQ(third.getWords()[0], first.getWords()[0] + 2);
  Memory scalar = session.upload(
      std::vector<FakeInstruction>{{FakeInstruction::Copy, 0, 1, count},
                                   {FakeInstruction::CopyByScalar, 1, 2, count},
                                   {FakeInstruction::End, 0, 0, 0}});
  words = Words();
  EXPECT_TRUE(says(session.hang(call(words.acquire(), scalar).flush().pad()),
                   "which this very dispatch has written"));
}

} // namespace
