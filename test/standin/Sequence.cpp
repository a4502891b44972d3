// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shortest correct way from open to a finished fence, on every generation.

#include "test/standin/Session.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xf86drm.h>

using namespace sparkle::standin;

namespace {

class Sequence : public testing::TestWithParam<Generation> {};

INSTANTIATE_TEST_SUITE_P(Standin, Sequence, testing::ValuesIn(allGenerations));

uint32_t getDeviceId(Generation generation) {
  switch (generation) {
  case Generation::Gfx1030:
    return 0x73bf;
  case Generation::Gfx1036:
    return 0x164e;
  case Generation::Gfx1100:
    return 0x744c;
  }
  return 0;
}

TEST_P(Sequence, SaysWhatTheCardIs) {
  Session session(GetParam());
  amdgpu_gpu_info info = {};
  ASSERT_EQ(amdgpu_query_gpu_info(session.device, &info), 0);
  EXPECT_EQ(info.asic_id, getDeviceId(GetParam()));
  EXPECT_EQ(info.gpu_counter_freq, 100000u);
  drm_amdgpu_info_device device = {};
  ASSERT_EQ(amdgpu_query_info(session.device, AMDGPU_INFO_DEV_INFO,
                              sizeof device, &device),
            0);
  EXPECT_EQ(device.device_id, getDeviceId(GetParam()));
  EXPECT_EQ(device.wave_front_size, 32u);
  uint32_t units = 0;
  for (const auto &row : device.cu_bitmap)
    for (uint32_t mask : row)
      units += __builtin_popcount(mask);
  EXPECT_EQ(device.cu_active_number, units);
  drm_amdgpu_info_hw_ip rings = {};
  ASSERT_EQ(
      amdgpu_query_hw_ip_info(session.device, AMDGPU_HW_IP_COMPUTE, 0, &rings),
      0);
  EXPECT_EQ(rings.available_rings, 0xfu);
  EXPECT_EQ(rings.ib_start_alignment, 32u);
  EXPECT_EQ(rings.ib_size_alignment, 32u);
  EXPECT_EQ(takeMessages(), "");
}

TEST_P(Sequence, SaysWhatMemoryThereIs) {
  Session session(GetParam());
  drm_amdgpu_memory_info before = {}, after = {};
  auto query = [&](drm_amdgpu_memory_info &info) {
    return amdgpu_query_info(session.device, AMDGPU_INFO_MEMORY, sizeof info,
                             &info);
  };
  ASSERT_EQ(query(before), 0);
  Memory memory = session.allocate(1 << 20, AMDGPU_GEM_DOMAIN_VRAM,
                                   AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED);
  ASSERT_EQ(query(after), 0);
  EXPECT_EQ(after.vram.heap_usage - before.vram.heap_usage, 1u << 20);
  EXPECT_EQ(after.cpu_accessible_vram.heap_usage -
                before.cpu_accessible_vram.heap_usage,
            1u << 20);
  session.free(memory);
  ASSERT_EQ(query(after), 0);
  EXPECT_EQ(after.vram.heap_usage, before.vram.heap_usage);
  amdgpu_heap_info heap = {};
  ASSERT_EQ(
      amdgpu_query_heap_info(session.device, AMDGPU_GEM_DOMAIN_GTT, 0, &heap),
      0);
  EXPECT_EQ(heap.heap_size, before.gtt.total_heap_size);
}

TEST_P(Sequence, RunsADispatchToItsFence) {
  Session session(GetParam());
  Memory program = session.upload(std::vector<FakeInstruction>{
      {FakeInstruction::Copy, 0, 1, 2000}, {FakeInstruction::End, 0, 0, 0}});
  Memory from = session.allocate(8192);
  Memory to = session.allocate(8192, AMDGPU_GEM_DOMAIN_VRAM,
                               AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED);
  Memory fence = session.allocate(4096);
  Memory arguments =
      session.upload(std::vector<uint64_t>{from.address, to.address});
  for (uint32_t i = 0; i < 2000; ++i)
    from.getWords()[i] = 3 * i;

  Words words;
  words.acquire().state(GetParam(), program.address, arguments.address);
  words.dispatch(2, 2, 1).flush().release(fence.address + 16, 2, 0xabcd).pad();
  Memory ib = session.allocate(4096);
  std::memcpy(ib.bytes, words.words.data(), 4 * words.words.size());
  amdgpu_cs_ib_info info = {};
  info.ib_mc_address = ib.address;
  info.size = words.words.size();
  amdgpu_cs_request request = {};
  request.ip_type = AMDGPU_HW_IP_COMPUTE;
  request.number_of_ibs = 1;
  request.ibs = &info;
  request.fence_info = {fence.buffer, 1};
  ASSERT_EQ(session.submit(request), 0);
  EXPECT_EQ(request.seq_no, 1u);
  EXPECT_EQ(session.wait(request.seq_no), 0);
  for (uint32_t i = 0; i < 2000; ++i)
    ASSERT_EQ(to.getWords()[i], 3 * i + 1) << i;
  const auto *fences = reinterpret_cast<const uint64_t *>(fence.bytes);
  EXPECT_EQ(fences[1], 1u); // the kernel's
  EXPECT_EQ(fences[2], 0xabcdu);
  EXPECT_EQ(session.getResetState(), 0u);
  EXPECT_EQ(takeMessages(), "");
}

TEST_P(Sequence, WritesTimestamps) {
  Session session(GetParam());
  Memory times = session.allocate(4096);
  Words words;
  words.release(times.address, 3).release(times.address + 8, 3).pad();
  uint64_t before = 0;
  ASSERT_EQ(
      amdgpu_query_info(session.device, AMDGPU_INFO_TIMESTAMP, 8, &before), 0);
  ASSERT_EQ(session.run(words), 0);
  const auto *values = reinterpret_cast<const uint64_t *>(times.bytes);
  EXPECT_GE(values[0], before);
  EXPECT_GE(values[1], values[0]);
  EXPECT_LT(values[1] - before, 10u * 100000000);
}

// The words of the notes, for the generation that they are for.
TEST(Notes, IndirectBufferIsAccepted) {
  Session session(Generation::Gfx1100);
  Memory program = session.upload(std::vector<FakeInstruction>{
      {FakeInstruction::Describe, 0, 0, 0}, {FakeInstruction::End, 0, 0, 0}});
  Memory to = session.allocate(4096), fence = session.allocate(4096);
  Memory arguments = session.upload(std::vector<uint64_t>{to.address});
  uint32_t pgmLow = program.address >> 8, pgmHigh = program.address >> 40;
  uint32_t low = arguments.address, high = arguments.address >> 32;
  uint32_t fenceLow = fence.address + 8, fenceHigh = fence.address >> 32;
  Words words;
  words.words = {
      0xc0065800, 0,          0xffffffff, 0x00ffffff, 0,          0,
      10,         0x0000c3b1, 0xc0037602, 0x204,      0,          0,
      0,          0xc0037602, 0x207,      0x100,      1,          1,
      0xc0027602, 0x20c,      pgmLow,     pgmHigh,    0xc0027602, 0x212,
      0xc0af000b, 0x0008019c, 0xc0017602, 0x228,      0x130,      0xc0017602,
      0x215,      0,          0xc0027602, 0x216,      ~0u,        ~0u,
      0xc0027602, 0x219,      ~0u,        ~0u,        0xc0047602, 0x22b,
      ~0u,        ~0u,        0,          0,          0xc0017602, 0x218,
      0,          0xc0027602, 0x240,      low,        high,       0xc0031502,
      2,          2,          1,          0x8005,     0xc0004602, 0x407,
      0xc0064902, 0x00603514, 0x40000000, fenceLow,   fenceHigh,  0xabcd,
      0,          0};
  ASSERT_EQ(words.words.size(), 68u);
  ASSERT_EQ(session.run(words.pad()), 0) << takeMessages();
  EXPECT_EQ(reinterpret_cast<uint64_t *>(fence.bytes)[1], 0xabcdu);
  const auto &seen = *reinterpret_cast<const FakeDispatch *>(to.bytes);
  EXPECT_EQ(seen.rsrc1, 0xc0af000bu);
  EXPECT_EQ(seen.rsrc2, 0x0008019cu);
  EXPECT_EQ(seen.rsrc3, 0x130u);
  EXPECT_EQ(seen.threads[0], 256u);
  EXPECT_EQ(seen.end[0], 2u);
  EXPECT_EQ(seen.end[1], 2u);
  EXPECT_EQ(seen.end[2], 1u);
  EXPECT_EQ(seen.userDataWritten, 3u);
}

TEST(Nodes, AreTheCardsAndNoOthers) {
  EXPECT_GE(access("/dev/dri/renderD130", R_OK), 0);
  EXPECT_LT(open("/dev/dri/renderD131", O_RDWR), 0);
  EXPECT_EQ(errno, ENOENT);
  int node = open("/dev/dri/renderD130", O_RDWR | O_CLOEXEC);
  ASSERT_GE(node, 0);
  drmVersionPtr version = drmGetVersion(node);
  ASSERT_TRUE(version);
  EXPECT_STREQ(version->name, "amdgpu");
  EXPECT_EQ(version->version_major, 3);
  drmFreeVersion(version);
  EXPECT_EQ(drmGetNodeTypeFromFd(node), int(DRM_NODE_RENDER));
  EXPECT_EQ(close(node), 0);
  struct stat result;
  EXPECT_EQ(stat("/dev/dri/renderD130", &result), 0);
  EXPECT_TRUE(S_ISCHR(result.st_mode));
}

// libdrm looks into sysfs for that.
TEST(Nodes, AreCardsOfTheirOwn) {
  Session first(Generation::Gfx1100), second(Generation::Gfx1030),
      again(Generation::Gfx1100);
  EXPECT_NE(first.device, second.device);
  EXPECT_EQ(first.device, again.device);
  amdgpu_gpu_info info = {};
  ASSERT_EQ(amdgpu_query_gpu_info(second.device, &info), 0);
  EXPECT_EQ(info.asic_id, 0x73bfu);
}

TEST(Nodes, FreeWhatTheyHoldWhenClosed) {
  Session session(Generation::Gfx1100);
  auto getUsed = [&] {
    uint64_t used = 0;
    EXPECT_EQ(amdgpu_query_info(session.device, AMDGPU_INFO_VRAM_USAGE,
                                sizeof used, &used),
              0);
    return used;
  };
  uint64_t before = getUsed();
  int node = open("/dev/dri/renderD130", O_RDWR | O_CLOEXEC);
  int copy = fcntl(node, F_DUPFD_CLOEXEC, 0);
  ASSERT_GE(copy, 0);
  drm_amdgpu_gem_create request = {};
  request.in.bo_size = 8192;
  request.in.domains = AMDGPU_GEM_DOMAIN_VRAM;
  ASSERT_EQ(drmIoctl(copy, DRM_IOCTL_AMDGPU_GEM_CREATE, &request), 0);
  EXPECT_EQ(getUsed(), before + 8192);
  EXPECT_EQ(close(node), 0);
  EXPECT_EQ(getUsed(), before + 8192);
  EXPECT_EQ(close(copy), 0);
  EXPECT_EQ(getUsed(), before);
}

TEST(Nodes, OtherFilesAreLeftAlone) {
  int file = open("/proc/self/exe", O_RDONLY);
  ASSERT_GE(file, 0);
  struct stat result;
  EXPECT_EQ(fstat(file, &result), 0);
  EXPECT_TRUE(S_ISREG(result.st_mode));
  EXPECT_GT(result.st_size, 0);
  EXPECT_EQ(close(file), 0);
}

TEST(Nodes, WhatIsNotModelledIsNamed) {
  Session session(Generation::Gfx1100);
  uint32_t value = 0;
  EXPECT_EQ(amdgpu_query_info(session.device, 0x77, 4, &value), -EINVAL);
  EXPECT_EQ(takeMessages(), "INFO: query 0x77 is not modelled: Invalid "
                            "argument\n");
  EXPECT_NE(drmIoctl(session.node, DRM_IOWR(0x99, uint32_t), &value), 0);
  EXPECT_EQ(takeMessages(), "ioctl 0x99 is not modelled: Invalid argument\n");
  drm_gem_flink flink = {};
  EXPECT_NE(drmIoctl(session.node, DRM_IOCTL_GEM_FLINK, &flink), 0);
  EXPECT_EQ(takeMessages(),
            "ioctl gem-flink is not modelled: Invalid argument\n");
}

} // namespace
