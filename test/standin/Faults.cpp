// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Faults on demand, hangs, and what is left of contexts and memory afterwards.

#include "test/standin/Session.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <fcntl.h>

using namespace sparkle::standin;

namespace {

constexpr uint64_t reset = AMDGPU_CTX_QUERY2_FLAGS_RESET,
                   guilty = AMDGPU_CTX_QUERY2_FLAGS_GUILTY,
                   lost = AMDGPU_CTX_QUERY2_FLAGS_VRAMLOST;

class Faults : public testing::Test {
protected:
  Faults() { nothing.words.assign(8, 0xffff1000); }
  ~Faults() override {
    getControl().setFaults("");
    getControl().setLockup(20);
  }

  void plan(const char *faults) {
    takeMessages();
    EXPECT_TRUE(getControl().setFaults(faults)) << faults;
  }

  Session session{Generation::Gfx1100};
  Words nothing;
};

TEST_F(Faults, AreChecked) {
  for (const char *wrong :
       {"cs", "cs:EBANANA", "hang:EIO", "rings:x", "cs:ENOMEM*x", ","}) {
    takeMessages();
    EXPECT_FALSE(getControl().setFaults(wrong)) << wrong;
    EXPECT_TRUE(says(takeMessages(), "expected POINT:ERRNO, rings:N, hang, "
                                     "soft-hang or vram-lost, but got '"));
  }
}

TEST_F(Faults, NodesThatCannotBeOpened) {
  plan("open:EACCES*1");
  EXPECT_LT(open("/dev/dri/renderD128", O_RDWR), 0);
  EXPECT_EQ(errno, EACCES);
  EXPECT_TRUE(
      says(takeMessages(), "a fault on demand: open: Permission denied"));
  int node = open("/dev/dri/renderD128", O_RDWR);
  EXPECT_GE(node, 0);
  close(node);
}

TEST_F(Faults, CountedAndSkipped) {
  uint64_t sequence = 0;
  plan("cs:ENOMEM@1*2");
  EXPECT_EQ(session.submit(nothing, sequence), 0);
  EXPECT_EQ(session.submit(nothing, sequence), -ENOMEM);
  EXPECT_EQ(session.submit(nothing, sequence), -ENOMEM);
  EXPECT_EQ(session.submit(nothing, sequence), 0);
  EXPECT_EQ(session.wait(sequence), 0);
}

TEST_F(Faults, OfWaitsAndMemory) {
  uint64_t sequence = 0;
  ASSERT_EQ(session.submit(nothing, sequence), 0);
  plan("wait:ETIME*1,gem-create:ENOMEM*1");
  EXPECT_EQ(session.wait(sequence), -ETIME);
  EXPECT_EQ(session.wait(sequence), 0);
  amdgpu_bo_handle buffer = nullptr;
  amdgpu_bo_alloc_request request = {4096, 4096, AMDGPU_GEM_DOMAIN_GTT, 0};
  EXPECT_EQ(amdgpu_bo_alloc(session.device, &request, &buffer), -ENOMEM);
}

TEST_F(Faults, NoComputeRings) {
  plan("rings:0");
  drm_amdgpu_info_hw_ip rings = {};
  ASSERT_EQ(
      amdgpu_query_hw_ip_info(session.device, AMDGPU_HW_IP_COMPUTE, 0, &rings),
      0);
  EXPECT_EQ(rings.available_rings, 0u);
}

TEST_F(Faults, AHangIsGuilty) {
  getControl().setLockup(300);
  plan("hang");
  uint64_t sequence = 0;
  ASSERT_EQ(session.submit(nothing, sequence), 0);
  EXPECT_EQ(session.wait(sequence, 0, 1000000), 1); // not found out yet
  EXPECT_EQ(session.wait(sequence), -ETIME);
  EXPECT_EQ(session.getResetState(), reset | guilty);
  takeMessages();
  EXPECT_EQ(session.submit(nothing, sequence), -ECANCELED);
  EXPECT_TRUE(says(takeMessages(), "CS: the context has hung the card"));
  session.renewContext();
  EXPECT_EQ(session.getResetState(), 0u);
  EXPECT_EQ(session.run(nothing), 0);
}

TEST_F(Faults, QueuedBehindAHangIsCancelled) {
  getControl().setLockup(300);
  plan("hang");
  uint64_t first = 0, second = 0;
  ASSERT_EQ(session.submit(nothing, first), 0);
  ASSERT_EQ(session.submit(nothing, second), 0);
  EXPECT_EQ(session.wait(second), -ECANCELED);
  EXPECT_EQ(session.wait(first), -ETIME);
}

TEST_F(Faults, OthersAreInnocent) {
  Session other(Generation::Gfx1100);
  Memory to = other.allocate(4096);
  plan("hang");
  uint64_t first = 0, second = 0;
  ASSERT_EQ(session.submit(nothing, first), 0);
  Words words;
  ASSERT_EQ(other.submit(words.writeData(to.address, {6}).pad(), second), 0);
  EXPECT_EQ(session.wait(first), -ETIME);
  EXPECT_EQ(other.wait(second), 0);
  EXPECT_EQ(to.getWords()[0], 6u);
  EXPECT_EQ(other.getResetState(), reset);
  EXPECT_EQ(other.run(nothing), 0);
}

TEST_F(Faults, OtherCardsAreNotTouched) {
  Session other(Generation::Gfx1030);
  plan("hang");
  uint64_t sequence = 0;
  ASSERT_EQ(session.submit(nothing, sequence), 0);
  EXPECT_EQ(session.wait(sequence), -ETIME);
  EXPECT_EQ(other.getResetState(), 0u);
  EXPECT_EQ(other.run(nothing), 0);
}

// What has started on another ring dies with the one that hangs.
TEST_F(Faults, WhatRunsIsCancelled) {
  Session other(Generation::Gfx1100);
  Memory to = other.allocate(4096);
  Words words;
  words.release(to.address + 4, 1, 1);
  words.packet(0x3c, {4 | 1 << 4, uint32_t(to.address),
                      uint32_t(to.address >> 32), 0, ~0u, 4});
  uint64_t first = 0, second = 0;
  ASSERT_EQ(other.submit(words.pad(), second, 1), 0);
  while (!__atomic_load_n(to.getWords() + 1, __ATOMIC_ACQUIRE))
    ;
  plan("hang");
  ASSERT_EQ(session.submit(nothing, first), 0);
  EXPECT_EQ(session.wait(first), -ETIME);
  EXPECT_EQ(other.wait(second, 1), -ECANCELED);
  EXPECT_EQ(other.getResetState(), reset);
}

TEST_F(Faults, SoftRecoveryKeepsTheContext) {
  plan("soft-hang");
  uint64_t sequence = 0;
  ASSERT_EQ(session.submit(nothing, sequence), 0);
  EXPECT_EQ(session.wait(sequence), -ENODATA);
  EXPECT_TRUE(says(takeMessages(), "ring 0: soft recovery"));
  EXPECT_EQ(session.getResetState(), reset);
  EXPECT_EQ(session.run(nothing), 0);
}

TEST_F(Faults, GraphicsMemoryIsLost) {
  Session other(Generation::Gfx1100);
  Memory video = other.allocate(4096, AMDGPU_GEM_DOMAIN_VRAM,
                                AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED);
  Memory system = other.allocate(4096);
  video.getWords()[0] = system.getWords()[0] = 3;
  plan("vram-lost");
  uint64_t sequence = 0;
  ASSERT_EQ(session.submit(nothing, sequence), 0);
  EXPECT_EQ(session.wait(sequence), -ETIME);
  std::string said = takeMessages();
  EXPECT_TRUE(says(said, "a hang on demand: vram-lost"));
  EXPECT_TRUE(says(said, "ring 0: reset, and graphics memory is lost"));
  EXPECT_EQ(session.getResetState(), reset | guilty | lost);
  EXPECT_EQ(other.getResetState(), reset | lost);
  EXPECT_NE(video.getWords()[0], 3u);
  EXPECT_EQ(system.getWords()[0], 3u);
  takeMessages();
  EXPECT_EQ(other.submit(nothing, sequence), -ECANCELED);
  EXPECT_TRUE(says(takeMessages(), "CS: graphics memory was lost after the "
                                   "context was made"));
  other.renewContext();
  EXPECT_EQ(other.run(nothing), 0);
  uint32_t losses = 0;
  ASSERT_EQ(amdgpu_query_info(other.device, AMDGPU_INFO_VRAM_LOST_COUNTER, 4,
                              &losses),
            0);
  EXPECT_EQ(losses, 1u);
}

// Nobody writes the user fence of what has hung.
TEST_F(Faults, UserFenceIsNotWritten) {
  Memory fence = session.allocate(4096), ib = session.allocate(4096);
  std::copy(nothing.words.begin(), nothing.words.end(), ib.getWords());
  amdgpu_cs_ib_info info = {};
  info.ib_mc_address = ib.address;
  info.size = 8;
  amdgpu_cs_request request = {};
  request.ip_type = AMDGPU_HW_IP_COMPUTE;
  request.number_of_ibs = 1;
  request.ibs = &info;
  request.fence_info = {fence.buffer, 0};
  plan("hang");
  ASSERT_EQ(session.submit(request), 0);
  EXPECT_EQ(session.wait(request.seq_no), -ETIME);
  EXPECT_EQ(*reinterpret_cast<uint64_t *>(fence.bytes), 0u);
}

// A poll that never ends is a hang like any other.
TEST_F(Faults, AWaitInARingEnds) {
  Memory to = session.allocate(4096);
  Words words;
  words.packet(0x3c, {4 | 1 << 4, uint32_t(to.address),
                      uint32_t(to.address >> 32), 0, ~0u, 4});
  EXPECT_TRUE(says(session.hang(words.pad()),
                   "hang: WAIT_REG_MEM waits for what never comes"));
}

} // namespace
