// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Submissions as the kernel takes them: chunks, fences, synchronisation
// objects, and rings that only dependencies order.

#include "test/standin/Session.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include <xf86drm.h>

using namespace sparkle::standin;

namespace {

/// Chunks of one submission, for amdgpu_cs_submit_raw2.
class Chunks {
public:
  template <typename Value>
  Chunks &add(uint32_t id, const std::vector<Value> &values) {
    std::vector<uint32_t> words(values.size() * sizeof(Value) / 4);
    std::memcpy(words.data(), values.data(), 4 * words.size());
    data.push_back(std::make_unique<std::vector<uint32_t>>(words));
    chunks.push_back({id, uint32_t(words.size()),
                      reinterpret_cast<uintptr_t>(data.back()->data())});
    return *this;
  }
  int submit(Session &session, uint64_t &sequence, uint32_t list = 0) {
    takeMessages();
    return amdgpu_cs_submit_raw2(session.device, session.context, list,
                                 chunks.size(), chunks.data(), &sequence);
  }

private:
  std::vector<std::unique_ptr<std::vector<uint32_t>>> data;
  std::vector<drm_amdgpu_cs_chunk> chunks;
};

class Submission : public testing::Test {
protected:
  Submission() {
    Words words;
    words.pad();
    words.words.assign(8, 0xffff1000);
    nothing = makeBuffer(words);
  }

  Memory allocateAlways(uint64_t size) {
    return session.allocate(size, AMDGPU_GEM_DOMAIN_GTT,
                            AMDGPU_GEM_CREATE_VM_ALWAYS_VALID);
  }
  drm_amdgpu_cs_chunk_ib makeBuffer(const Words &words, uint32_t ring = 0) {
    Memory memory = allocateAlways(4 * words.words.size());
    std::copy(words.words.begin(), words.words.end(), memory.getWords());
    drm_amdgpu_cs_chunk_ib chunk = {};
    chunk.va_start = memory.address;
    chunk.ib_bytes = 4 * words.words.size();
    chunk.ip_type = AMDGPU_HW_IP_COMPUTE;
    chunk.ring = ring;
    return chunk;
  }
  /// Waits until the dword is not 0.
  drm_amdgpu_cs_chunk_ib makeWait(uint64_t address, uint32_t ring = 0) {
    Words words;
    words.packet(0x3c, {4 | 1 << 4, uint32_t(address), uint32_t(address >> 32),
                        0, ~0u, 4});
    return makeBuffer(words.pad(), ring);
  }
  drm_amdgpu_cs_chunk_ib makeWrite(uint64_t address, uint32_t value,
                                   uint32_t ring = 0) {
    Words words;
    return makeBuffer(words.writeData(address, {value}).pad(), ring);
  }
  uint32_t getHandle(const Memory &memory) {
    uint32_t handle = 0;
    EXPECT_EQ(
        amdgpu_bo_export(memory.buffer, amdgpu_bo_handle_type_kms, &handle), 0);
    return handle;
  }
  int submit(const drm_amdgpu_cs_chunk_ib &ib) {
    return Chunks()
        .add<drm_amdgpu_cs_chunk_ib>(AMDGPU_CHUNK_ID_IB, {ib})
        .submit(session, sequence);
  }

  Session session{Generation::Gfx1100};
  drm_amdgpu_cs_chunk_ib nothing;
  uint64_t sequence = 0;
};

TEST_F(Submission, NumbersGrowPerRing) {
  for (uint64_t i = 1; i <= 40; ++i) {
    ASSERT_EQ(submit(nothing), 0);
    EXPECT_EQ(sequence, i);
  }
  EXPECT_EQ(session.wait(40), 0);
  EXPECT_EQ(session.wait(1), 0); // long ago
  nothing.ring = 3;
  ASSERT_EQ(submit(nothing), 0);
  EXPECT_EQ(sequence, 1u);
  EXPECT_EQ(session.wait(1, 3), 0);
}

TEST_F(Submission, NobodyWaitsForWhatIsNotSubmitted) {
  EXPECT_EQ(session.wait(7), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "nobody has submitted number 7 of ring 0"));
}

TEST_F(Submission, OfComputeRingsOnly) {
  nothing.ip_type = AMDGPU_HW_IP_GFX;
  EXPECT_EQ(submit(nothing), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "CS: only compute rings are modelled, but "
                                   "got type 0"));
  nothing.ip_type = AMDGPU_HW_IP_COMPUTE;
  nothing.ring = 4;
  EXPECT_EQ(submit(nothing), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "CS: no compute ring 4 of instance 0"));
}

TEST_F(Submission, ChunksAreChecked) {
  using Ib = drm_amdgpu_cs_chunk_ib;
  EXPECT_EQ(Chunks().submit(session, sequence), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "CS: expected at least one IB"));
  Chunks unknown;
  unknown.add<Ib>(AMDGPU_CHUNK_ID_IB, {nothing}).add<uint32_t>(0x55, {1});
  EXPECT_EQ(unknown.submit(session, sequence), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "CS: chunk 85 is not modelled"));
  Chunks little;
  EXPECT_EQ(
      little.add<uint32_t>(AMDGPU_CHUNK_ID_IB, {1}).submit(session, sequence),
      -EINVAL);
  EXPECT_TRUE(says(takeMessages(),
                   "CS: expected at least 32 bytes in chunk 1, but got 4"));
  Chunks list;
  list.add<Ib>(AMDGPU_CHUNK_ID_IB, {nothing});
  EXPECT_EQ(list.submit(session, sequence, 77), -ENOENT);
  EXPECT_TRUE(says(takeMessages(), "CS: no list of buffers 77"));
}

TEST_F(Submission, UserFenceIsOnePage) {
  Memory page = session.allocate(4096), two = session.allocate(8192);
  auto fence = [&](const Memory &memory, uint32_t offset) {
    Chunks chunks;
    chunks.add<drm_amdgpu_cs_chunk_ib>(AMDGPU_CHUNK_ID_IB, {nothing});
    chunks.add<drm_amdgpu_cs_chunk_fence>(AMDGPU_CHUNK_ID_FENCE,
                                          {{getHandle(memory), offset}});
    return chunks.submit(session, sequence);
  };
  EXPECT_EQ(fence(two, 0), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "CS: expected a user fence in a buffer of "
                                   "one page, but got 8192 bytes"));
  EXPECT_EQ(fence(page, 4092), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "within its page, but got offset 4092"));
  EXPECT_EQ(fence(page, 4088), 0);
  EXPECT_EQ(session.wait(sequence), 0);
  EXPECT_EQ(reinterpret_cast<uint64_t *>(page.bytes)[511], sequence);
}

TEST_F(Submission, BringsItsListOfBuffers) {
  Memory to = session.allocate(4096);
  std::vector<drm_amdgpu_bo_list_entry> entries = {{getHandle(to), 0}};
  drm_amdgpu_bo_list_in list = {};
  list.operation = list.list_handle = ~0u;
  list.bo_number = 1;
  list.bo_info_size = sizeof entries[0];
  list.bo_info_ptr = reinterpret_cast<uintptr_t>(entries.data());
  Chunks chunks;
  chunks.add<drm_amdgpu_cs_chunk_ib>(AMDGPU_CHUNK_ID_IB,
                                     {makeWrite(to.address, 9)});
  chunks.add<drm_amdgpu_bo_list_in>(AMDGPU_CHUNK_ID_BO_HANDLES, {list});
  ASSERT_EQ(chunks.submit(session, sequence), 0);
  EXPECT_EQ(session.wait(sequence), 0) << takeMessages();
  EXPECT_EQ(to.getWords()[0], 9u);
  entries[0].bo_handle = 12345;
  EXPECT_EQ(chunks.submit(session, sequence), -ENOENT);
  EXPECT_TRUE(says(takeMessages(), "BO_LIST: no buffer 12345"));
}

// Ring 1 must not start before ring 0 has ended.
TEST_F(Submission, DependenciesOrderRings) {
  Memory to = allocateAlways(4096);
  ASSERT_EQ(submit(makeWait(to.address)), 0);
  uint64_t first = sequence;
  drm_amdgpu_cs_chunk_dep dependency = {};
  dependency.ip_type = AMDGPU_HW_IP_COMPUTE;
  dependency.ctx_id = 0;
  amdgpu_cs_fence fence = {};
  fence.context = session.context;
  fence.ip_type = AMDGPU_HW_IP_COMPUTE;
  fence.fence = first;
  amdgpu_cs_chunk_fence_to_dep(&fence, &dependency);
  Chunks chunks;
  chunks.add<drm_amdgpu_cs_chunk_ib>(AMDGPU_CHUNK_ID_IB,
                                     {makeWrite(to.address + 4, 1, 1)});
  chunks.add<drm_amdgpu_cs_chunk_dep>(AMDGPU_CHUNK_ID_DEPENDENCIES,
                                      {dependency});
  ASSERT_EQ(chunks.submit(session, sequence), 0);
  EXPECT_EQ(session.wait(sequence, 1, 20000000), 1);
  EXPECT_EQ(to.getWords()[1], 0u);
  __atomic_store_n(to.getWords(), 1, __ATOMIC_RELEASE);
  EXPECT_EQ(session.wait(sequence, 1), 0);
  EXPECT_EQ(to.getWords()[1], 1u);
}

TEST_F(Submission, NothingElseOrdersRings) {
  Memory to = allocateAlways(4096);
  ASSERT_EQ(submit(makeWait(to.address)), 0);
  ASSERT_EQ(submit(makeWrite(to.address, 1, 2)), 0);
  EXPECT_EQ(session.wait(1, 2), 0);
  EXPECT_EQ(session.wait(1, 0), 0);
}

TEST_F(Submission, SyncobjsCarryFences) {
  Memory to = allocateAlways(4096);
  uint32_t syncobj = 0;
  ASSERT_EQ(amdgpu_cs_create_syncobj(session.device, &syncobj), 0);
  using Sem = drm_amdgpu_cs_chunk_sem;
  Chunks early, signal, wait;
  early.add<drm_amdgpu_cs_chunk_ib>(AMDGPU_CHUNK_ID_IB, {nothing});
  early.add<Sem>(AMDGPU_CHUNK_ID_SYNCOBJ_IN, {{syncobj}});
  EXPECT_EQ(early.submit(session, sequence), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "CS: nobody has submitted what syncobj "));
  signal.add<drm_amdgpu_cs_chunk_ib>(AMDGPU_CHUNK_ID_IB,
                                     {makeWait(to.address)});
  signal.add<Sem>(AMDGPU_CHUNK_ID_SYNCOBJ_OUT, {{syncobj}});
  ASSERT_EQ(signal.submit(session, sequence), 0);
  wait.add<drm_amdgpu_cs_chunk_ib>(AMDGPU_CHUNK_ID_IB,
                                   {makeWrite(to.address + 4, 1, 1)});
  wait.add<Sem>(AMDGPU_CHUNK_ID_SYNCOBJ_IN, {{syncobj}});
  ASSERT_EQ(wait.submit(session, sequence), 0);
  EXPECT_EQ(amdgpu_cs_syncobj_wait(session.device, &syncobj, 1, 0, 0, nullptr),
            -ETIME);
  EXPECT_EQ(session.wait(sequence, 1, 20000000), 1);
  __atomic_store_n(to.getWords(), 1, __ATOMIC_RELEASE);
  EXPECT_EQ(session.wait(sequence, 1), 0);
  EXPECT_EQ(amdgpu_cs_syncobj_wait(session.device, &syncobj, 1, INT64_MAX, 0,
                                   nullptr),
            0);
  EXPECT_EQ(amdgpu_cs_syncobj_reset(session.device, &syncobj, 1), 0);
  EXPECT_EQ(amdgpu_cs_syncobj_wait(session.device, &syncobj, 1, 0, 0, nullptr),
            -EINVAL);
  EXPECT_EQ(amdgpu_cs_destroy_syncobj(session.device, syncobj), 0);
}

TEST_F(Submission, TimelinesGrow) {
  Memory to = allocateAlways(4096);
  uint32_t timeline = 0;
  ASSERT_EQ(amdgpu_cs_create_syncobj(session.device, &timeline), 0);
  using Ib = drm_amdgpu_cs_chunk_ib;
  using Point = drm_amdgpu_cs_chunk_syncobj;
  auto query = [&] {
    uint64_t value = ~0ull;
    EXPECT_EQ(amdgpu_cs_syncobj_query(session.device, &timeline, &value, 1), 0);
    return value;
  };
  uint64_t sequences[2];
  for (uint64_t i = 0; i < 2; ++i) {
    Chunks chunks;
    chunks.add<Ib>(AMDGPU_CHUNK_ID_IB, {makeWait(to.address + 4 * i, i)});
    chunks.add<Point>(AMDGPU_CHUNK_ID_SYNCOBJ_TIMELINE_SIGNAL,
                      {{timeline, 0, 10 * i + 5}});
    ASSERT_EQ(chunks.submit(session, sequences[i]), 0);
  }
  EXPECT_EQ(query(), 0u);
  Chunks wait;
  wait.add<Ib>(AMDGPU_CHUNK_ID_IB, {makeWrite(to.address + 64, 1, 2)});
  wait.add<Point>(AMDGPU_CHUNK_ID_SYNCOBJ_TIMELINE_WAIT, {{timeline, 0, 12}});
  ASSERT_EQ(wait.submit(session, sequence), 0);
  // The later point alone does not do.
  __atomic_store_n(to.getWords() + 1, 1, __ATOMIC_RELEASE);
  EXPECT_EQ(session.wait(sequences[1], 1), 0);
  EXPECT_EQ(query(), 0u);
  EXPECT_EQ(session.wait(sequence, 2, 20000000), 1);
  __atomic_store_n(to.getWords(), 1, __ATOMIC_RELEASE);
  EXPECT_EQ(session.wait(sequence, 2), 0);
  EXPECT_EQ(query(), 15u);

  uint64_t point = 20;
  std::thread later([&] {
    EXPECT_EQ(
        amdgpu_cs_syncobj_timeline_signal(session.device, &timeline, &point, 1),
        0);
  });
  EXPECT_EQ(amdgpu_cs_syncobj_timeline_wait(
                session.device, &timeline, &point, 1, INT64_MAX,
                DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT, nullptr),
            0);
  later.join();
  uint32_t other = 0;
  ASSERT_EQ(amdgpu_cs_create_syncobj(session.device, &other), 0);
  EXPECT_EQ(
      amdgpu_cs_syncobj_transfer(session.device, other, 3, timeline, 20, 0), 0);
  uint64_t value = 0;
  EXPECT_EQ(amdgpu_cs_syncobj_query(session.device, &other, &value, 1), 0);
  EXPECT_EQ(value, 3u);
  amdgpu_cs_destroy_syncobj(session.device, other);
  amdgpu_cs_destroy_syncobj(session.device, timeline);
}

TEST_F(Submission, BinaryAndTimelineDoNotMix) {
  uint32_t syncobj = 0;
  ASSERT_EQ(amdgpu_cs_create_syncobj(session.device, &syncobj), 0);
  Chunks chunks;
  chunks.add<drm_amdgpu_cs_chunk_ib>(AMDGPU_CHUNK_ID_IB, {nothing});
  chunks.add<drm_amdgpu_cs_chunk_sem>(AMDGPU_CHUNK_ID_SYNCOBJ_OUT, {{syncobj}});
  chunks.add<drm_amdgpu_cs_chunk_syncobj>(
      AMDGPU_CHUNK_ID_SYNCOBJ_TIMELINE_SIGNAL, {{syncobj, 0, 1}});
  EXPECT_EQ(chunks.submit(session, sequence), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "CS: expected SYNCOBJ_OUT or "
                                   "TIMELINE_SIGNAL, but got both"));
  amdgpu_cs_destroy_syncobj(session.device, syncobj);
}

TEST_F(Submission, WaitsForSeveralFences) {
  Memory to = allocateAlways(4096);
  amdgpu_cs_fence fences[2] = {};
  for (uint32_t i = 0; i < 2; ++i) {
    ASSERT_EQ(submit(makeWait(to.address + 4 * i, i)), 0);
    fences[i].context = session.context;
    fences[i].ip_type = AMDGPU_HW_IP_COMPUTE;
    fences[i].ring = i;
    fences[i].fence = sequence;
  }
  uint32_t status = 1, first = 0;
  EXPECT_EQ(amdgpu_cs_wait_fences(fences, 2, false, 1000000, &status, &first),
            0);
  EXPECT_EQ(status, 0u);
  __atomic_store_n(to.getWords() + 1, 1, __ATOMIC_RELEASE);
  EXPECT_EQ(
      amdgpu_cs_wait_fences(fences, 2, false, 10000000000, &status, &first), 0);
  EXPECT_EQ(status, 1u);
  EXPECT_EQ(first, 1u);
  EXPECT_EQ(amdgpu_cs_wait_fences(fences, 2, true, 1000000, &status, nullptr),
            0);
  EXPECT_EQ(status, 0u);
  __atomic_store_n(to.getWords(), 1, __ATOMIC_RELEASE);
  EXPECT_EQ(
      amdgpu_cs_wait_fences(fences, 2, true, 10000000000, &status, nullptr), 0);
  EXPECT_EQ(status, 1u);
}

TEST_F(Submission, WaitsForABufferToBeIdle) {
  Memory to = session.allocate(4096);
  Words words;
  words.packet(0x3c, {4 | 1 << 4, uint32_t(to.address),
                      uint32_t(to.address >> 32), 0, ~0u, 4});
  ASSERT_EQ(session.submit(words.pad(), sequence), 0);
  bool isBusy = false;
  EXPECT_EQ(amdgpu_bo_wait_for_idle(to.buffer, 1000000, &isBusy), 0);
  EXPECT_TRUE(isBusy);
  __atomic_store_n(to.getWords(), 1, __ATOMIC_RELEASE);
  EXPECT_EQ(amdgpu_bo_wait_for_idle(to.buffer, 10000000000, &isBusy), 0);
  EXPECT_FALSE(isBusy);
}

// The thirty-third waits for the first.
TEST_F(Submission, OnlySoManyAreInFlight) {
  Memory to = allocateAlways(4096);
  ASSERT_EQ(submit(makeWait(to.address)), 0);
  for (int i = 1; i < 32; ++i)
    ASSERT_EQ(submit(nothing), 0);
  std::atomic<bool> isTaken{false};
  std::thread another([&] {
    EXPECT_EQ(submit(nothing), 0);
    isTaken = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(isTaken);
  __atomic_store_n(to.getWords(), 1, __ATOMIC_RELEASE);
  another.join();
  EXPECT_EQ(session.wait(33), 0);
}

} // namespace
