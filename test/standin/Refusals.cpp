// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ioctls and packets that are wrong, and by which words each is refused. No
// library stands between, which would not ask such things.

#include "test/standin/Session.h"

#include <gtest/gtest.h>

#include <cerrno>

#include <xf86drm.h>

using namespace sparkle::standin;

namespace {

class Refusals : public testing::Test {
protected:
  template <typename Request>
  void refuse(unsigned long number, Request request, int error,
              const char *message) {
    takeMessages();
    EXPECT_NE(drmIoctl(session.node, number, &request), 0) << message;
    EXPECT_EQ(errno, error) << message;
    EXPECT_TRUE(says(takeMessages(), message));
  }
  uint32_t getHandle(const Memory &memory) {
    uint32_t handle = 0;
    EXPECT_EQ(
        amdgpu_bo_export(memory.buffer, amdgpu_bo_handle_type_kms, &handle), 0);
    return handle;
  }
  uint32_t makeContext() {
    drm_amdgpu_ctx request = {};
    request.in.op = AMDGPU_CTX_OP_ALLOC_CTX;
    EXPECT_EQ(drmIoctl(session.node, DRM_IOCTL_AMDGPU_CTX, &request), 0);
    return request.out.alloc.ctx_id;
  }

  Session session{Generation::Gfx1100};
  static constexpr uint32_t nobody = 4242;
};

TEST_F(Refusals, OfQuestions) {
  drm_get_cap capability = {};
  capability.capability = DRM_CAP_ASYNC_PAGE_FLIP;
  refuse(DRM_IOCTL_GET_CAP, capability, EINVAL,
         "GET_CAP: capability 7 is not modelled");
  drm_amdgpu_info info = {};
  info.query = AMDGPU_INFO_HW_IP_INFO;
  info.query_hw_ip.type = 77;
  refuse(DRM_IOCTL_AMDGPU_INFO, info, EINVAL, "INFO_HW_IP_INFO: no type 77");
  info.query = AMDGPU_INFO_READ_MMR_REG;
  info.read_mmr_reg.dword_offset = 0x1234;
  refuse(DRM_IOCTL_AMDGPU_INFO, info, EINVAL,
         "INFO_READ_MMR_REG: register 0x1234 is not modelled");
  info.query = AMDGPU_INFO_FW_VERSION;
  info.query_fw.fw_type = AMDGPU_INFO_FW_VCN;
  refuse(DRM_IOCTL_AMDGPU_INFO, info, EINVAL,
         "INFO_FW_VERSION: type 14 is not modelled");
  info.query = AMDGPU_INFO_SENSOR;
  info.sensor_info.type = AMDGPU_INFO_SENSOR_GPU_TEMP;
  refuse(DRM_IOCTL_AMDGPU_INFO, info, EINVAL,
         "INFO_SENSOR: type 3 is not modelled");
}

TEST_F(Refusals, OfBuffers) {
  drm_gem_close close = {};
  close.handle = nobody;
  refuse(DRM_IOCTL_GEM_CLOSE, close, EINVAL, "GEM_CLOSE: no buffer 4242");
  drm_amdgpu_gem_mmap map = {};
  map.in.handle = nobody;
  refuse(DRM_IOCTL_AMDGPU_GEM_MMAP, map, ENOENT, "GEM_MMAP: no buffer 4242");
  drm_amdgpu_gem_wait_idle idle = {};
  idle.in.handle = nobody;
  refuse(DRM_IOCTL_AMDGPU_GEM_WAIT_IDLE, idle, ENOENT,
         "GEM_WAIT_IDLE: no buffer 4242");
  drm_amdgpu_gem_va address = {};
  address.handle = nobody;
  address.operation = AMDGPU_VA_OP_MAP;
  address.va_address = 0x700000000000;
  address.map_size = 4096;
  refuse(DRM_IOCTL_AMDGPU_GEM_VA, address, ENOENT, "GEM_VA: no buffer 4242");
  address.flags = 1 << 20;
  refuse(DRM_IOCTL_AMDGPU_GEM_VA, address, EINVAL, "unknown flags 0x100000");
  address.flags = 0;
  address.operation = 9;
  refuse(DRM_IOCTL_AMDGPU_GEM_VA, address, EINVAL, "unknown operation 9");
  drm_amdgpu_gem_userptr user = {};
  refuse(DRM_IOCTL_AMDGPU_GEM_USERPTR, user, EINVAL,
         "ioctl gem-userptr is not modelled");
  // The kernel of a small card, asked for all of it and a little more.
  Session small(Generation::Gfx1036);
  std::vector<amdgpu_bo_handle> taken;
  amdgpu_bo_alloc_request request = {1ull << 34, 4096, AMDGPU_GEM_DOMAIN_GTT,
                                     0};
  int error = 0;
  while (!error) {
    taken.push_back(nullptr);
    error = amdgpu_bo_alloc(small.device, &request, &taken.back());
  }
  EXPECT_EQ(error, -ENOMEM);
  EXPECT_TRUE(says(takeMessages(), "GEM_CREATE: 17179869184 bytes do not fit"));
  taken.pop_back();
  EXPECT_EQ(taken.size(), 1u);
  for (amdgpu_bo_handle buffer : taken)
    amdgpu_bo_free(buffer);
}

TEST_F(Refusals, OfContextsAndLists) {
  drm_amdgpu_ctx context = {};
  context.in.op = AMDGPU_CTX_OP_ALLOC_CTX;
  context.in.priority = AMDGPU_CTX_PRIORITY_HIGH;
  refuse(DRM_IOCTL_AMDGPU_CTX, context, EACCES,
         "CTX: a high priority needs CAP_SYS_NICE");
  context.in.priority = 0;
  context.in.op = AMDGPU_CTX_OP_FREE_CTX;
  context.in.ctx_id = nobody;
  refuse(DRM_IOCTL_AMDGPU_CTX, context, EINVAL, "CTX: no context 4242");
  context.in.op = AMDGPU_CTX_OP_GET_STABLE_PSTATE;
  context.in.ctx_id = makeContext();
  refuse(DRM_IOCTL_AMDGPU_CTX, context, EINVAL,
         "CTX: operation 5 is not modelled");
  drm_amdgpu_bo_list list = {};
  list.in.operation = 7;
  refuse(DRM_IOCTL_AMDGPU_BO_LIST, list, EINVAL,
         "BO_LIST: unknown operation 7");
  list.in.operation = AMDGPU_BO_LIST_OP_UPDATE;
  list.in.list_handle = nobody;
  refuse(DRM_IOCTL_AMDGPU_BO_LIST, list, ENOENT, "BO_LIST: no list 4242");
}

TEST_F(Refusals, OfSyncobjs) {
  uint32_t handle = nobody, known = 0;
  uint64_t point = 5;
  drm_syncobj_create create = {};
  create.flags = 8;
  refuse(DRM_IOCTL_SYNCOBJ_CREATE, create, EINVAL,
         "SYNCOBJ_CREATE: unknown flags 0x8");
  drm_syncobj_destroy destroy = {};
  destroy.handle = nobody;
  refuse(DRM_IOCTL_SYNCOBJ_DESTROY, destroy, EINVAL,
         "SYNCOBJ_DESTROY: no syncobj 4242");
  drm_syncobj_array array = {};
  array.handles = reinterpret_cast<uintptr_t>(&handle);
  array.count_handles = 1;
  refuse(DRM_IOCTL_SYNCOBJ_RESET, array, ENOENT,
         "SYNCOBJ_RESET: no syncobj 4242");
  refuse(DRM_IOCTL_SYNCOBJ_SIGNAL, array, ENOENT,
         "SYNCOBJ_SIGNAL: no syncobj 4242");
  drm_syncobj_wait wait = {};
  wait.handles = array.handles;
  wait.count_handles = 1;
  refuse(DRM_IOCTL_SYNCOBJ_WAIT, wait, ENOENT, "SYNCOBJ_WAIT: no syncobj 4242");
  drm_syncobj_timeline_array points = {};
  points.handles = array.handles;
  points.points = reinterpret_cast<uintptr_t>(&point);
  points.count_handles = 1;
  refuse(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, points, ENOENT,
         "TIMELINE_SIGNAL: no syncobj 4242");
  refuse(DRM_IOCTL_SYNCOBJ_QUERY, points, ENOENT,
         "TIMELINE_QUERY: no syncobj 4242");
  drm_syncobj_transfer transfer = {};
  transfer.src_handle = transfer.dst_handle = nobody;
  refuse(DRM_IOCTL_SYNCOBJ_TRANSFER, transfer, ENOENT,
         "SYNCOBJ_TRANSFER: no syncobj 4242");

  ASSERT_EQ(drmSyncobjCreate(session.node, 0, &known), 0);
  handle = known;
  refuse(DRM_IOCTL_SYNCOBJ_WAIT, wait, EINVAL,
         "SYNCOBJ_WAIT: nobody has submitted what syncobj ");
  transfer.src_handle = transfer.dst_handle = known;
  refuse(DRM_IOCTL_SYNCOBJ_TRANSFER, transfer, EINVAL,
         "SYNCOBJ_TRANSFER: nobody has submitted point 0 of syncobj ");
  ASSERT_EQ(drmSyncobjTimelineSignal(session.node, &known, &point, 1), 0);
  refuse(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, points, EINVAL,
         "TIMELINE_SIGNAL: expected a point behind 5, but got 5");
  transfer.src_point = 5;
  transfer.dst_point = 3;
  refuse(DRM_IOCTL_SYNCOBJ_TRANSFER, transfer, EINVAL,
         "SYNCOBJ_TRANSFER: expected a point behind 5, but got 3");
}

/// A submission of an empty IB and one more chunk.
class RefusedChunks : public Refusals {
protected:
  RefusedChunks() {
    ib.va_start = session.allocate(4096).address;
    ib.ib_bytes = 32;
    ib.ip_type = AMDGPU_HW_IP_COMPUTE;
  }

  void refuseIb(const char *message) {
    drm_amdgpu_cs_chunk chunk = {AMDGPU_CHUNK_ID_IB, sizeof ib / 4,
                                 reinterpret_cast<uintptr_t>(&ib)};
    submit({chunk}, EINVAL, message);
  }
  template <typename Value>
  void refuseChunk(uint32_t id, Value value, int error, const char *message) {
    drm_amdgpu_cs_chunk first = {AMDGPU_CHUNK_ID_IB, sizeof ib / 4,
                                 reinterpret_cast<uintptr_t>(&ib)};
    drm_amdgpu_cs_chunk second = {id, sizeof value / 4,
                                  reinterpret_cast<uintptr_t>(&value)};
    submit({first, second}, error, message);
  }
  void submit(std::vector<drm_amdgpu_cs_chunk> chunks, int error,
              const char *message) {
    std::vector<uint64_t> pointers;
    for (drm_amdgpu_cs_chunk &chunk : chunks)
      pointers.push_back(reinterpret_cast<uintptr_t>(&chunk));
    drm_amdgpu_cs request = {};
    request.in.ctx_id = context;
    request.in.num_chunks = pointers.size();
    request.in.chunks = reinterpret_cast<uintptr_t>(pointers.data());
    refuse(DRM_IOCTL_AMDGPU_CS, request, error, message);
  }

  drm_amdgpu_cs_chunk_ib ib = {};
  uint32_t context = makeContext();
};

TEST_F(RefusedChunks, AreNamed) {
  uint32_t known = 0;
  ASSERT_EQ(drmSyncobjCreate(session.node, 0, &known), 0);
  using Point = drm_amdgpu_cs_chunk_syncobj;
  ib.flags = AMDGPU_IB_FLAG_CE;
  refuseIb("CS: IB flags 0x1 are not modelled");
  ib.flags = 0;
  drm_amdgpu_cs_chunk_ib other = ib;
  other.ring = 1;
  refuseChunk(AMDGPU_CHUNK_ID_IB, other, EINVAL,
              "CS: several rings in one submission are not modelled");
  refuseChunk(AMDGPU_CHUNK_ID_FENCE, drm_amdgpu_cs_chunk_fence{nobody, 0},
              EINVAL, "CS: no buffer 4242 for the user fence");
  refuseChunk(AMDGPU_CHUNK_ID_SYNCOBJ_IN, drm_amdgpu_cs_chunk_sem{nobody},
              ENOENT, "CS: no syncobj 4242 to wait for");
  refuseChunk(AMDGPU_CHUNK_ID_SYNCOBJ_OUT, drm_amdgpu_cs_chunk_sem{nobody},
              EINVAL, "CS: no syncobj 4242 to signal");
  refuseChunk(AMDGPU_CHUNK_ID_SYNCOBJ_TIMELINE_WAIT, Point{known, 2, 1}, EINVAL,
              "CS: to wait for a submission to come is not modelled");
  uint64_t point = 5;
  ASSERT_EQ(drmSyncobjTimelineSignal(session.node, &known, &point, 1), 0);
  refuseChunk(AMDGPU_CHUNK_ID_SYNCOBJ_TIMELINE_SIGNAL, Point{known, 0, 4},
              EINVAL, "CS: expected a point behind 5, but got 4");
  struct {
    drm_amdgpu_bo_list_in first, second;
  } lists = {};
  refuseChunk(AMDGPU_CHUNK_ID_BO_HANDLES, lists, EINVAL,
              "CS: expected one list of buffers, but got two");
  drm_amdgpu_cs_chunk_dep dependency = {};
  dependency.ctx_id = nobody;
  refuseChunk(AMDGPU_CHUNK_ID_DEPENDENCIES, dependency, EINVAL,
              "no context 4242");
  dependency.ctx_id = context;
  refuseChunk(AMDGPU_CHUNK_ID_DEPENDENCIES, dependency, EINVAL,
              "no compute ring 0 of instance 0 (type 0)");
  context = nobody;
  refuseIb("CS: no context 4242");
}

TEST_F(Refusals, OfPackets) {
  Memory memory = session.allocate(4096);
  uint32_t low = memory.address, high = memory.address >> 32;
  struct {
    uint32_t opcode;
    std::vector<uint32_t> body;
    const char *message;
  } const cases[] = {
      {0x76,
       {0x3000020c, 0},
       "SET_SH_REG: expected an offset alone, but got "
       "0x3000020c"},
      {0x58,
       {1, ~0u, 0xffffff, 0, 0, 10, 0xc3b1},
       "ACQUIRE_MEM: expected 0 in dword 1, but got 0x1"},
      {0x49,
       {0x00603514, 0x40000000, low, high, 0, 0, 1},
       "RELEASE_MEM: expected context 0, but got 0x1"},
      {0x49,
       {0x00603514, 0x40000001, low, high, 0, 0, 0},
       "unknown bits in dword 2: 0x40000001"},
      {0x49,
       {0x10603514, 0x40000000, low, high, 0, 0, 0},
       "unknown bits 0x10000000 in dword 1"},
      {0x49,
       {0x00603514, 0x41000000, low, high, 0, 0, 0},
       "expected INT_SEL 0, 2 or 3, but got 1"},
      {0x37,
       {0x10500, low, high, 0},
       "WRITE_DATA: WR_ONE_ADDR is not modelled"},
      {0x37,
       {0x500, low + 2, high, 0},
       "WRITE_DATA: expected an address that is a multiple of 4, but got 0x"},
      {0x40,
       {0x005, 0, 0, low, high},
       "COPY_DATA: expected DST_SEL 2 or 5, but got 0"},
      {0x40,
       {0x10505, 0, 0, low + 4, high},
       "COPY_DATA: expected an address that is a multiple of 8, but got 0x"},
      {0x50,
       {0x80100000, low, high, low, high, 4},
       "DMA_DATA: expected DST_SEL 0 or 3 and SRC_SEL 0, 2 or 3, but got 1 and "
       "0"},
      {0x50,
       {0x80000000, low, high, low, high, 0x08000004},
       "DMA_DATA: unknown bits in the command 0x8000004"},
      {0x3c,
       {3, low, high, 0, 0, 4},
       "WAIT_REG_MEM: expected to wait for memory: registers are not modelled"},
      {0x3c,
       {0x13, low + 1, high, 0, 0, 4},
       "WAIT_REG_MEM: expected an address that is a multiple of 4, but got 0x"},
      {0x3c,
       {0x17, low, high, 0, 0, 4},
       "WAIT_REG_MEM: expected a function below 7"},
      {0x3f, {low, high, 0x01100008}, "unknown bits in dword 3: 0x1100008"},
  };
  for (const auto &wrong : cases) {
    Words words;
    words.packet(wrong.opcode, wrong.body).pad();
    EXPECT_TRUE(says(session.hang(words), wrong.message));
  }
}

TEST_F(Refusals, OfProgramsFarAway) {
  Memory memory = session.allocate(4096);
  Words words;
  words.acquire().state(session.generation, memory.address, memory.address);
  EXPECT_TRUE(says(session.hang(words.set(0x20d, {0x100}).dispatch().pad()),
                   "COMPUTE_PGM_HI: expected 8 bits, but got 0x100"));
}

} // namespace
