// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers and the page table: what the kernel refuses, and what a GPU that
// reaches beyond finds.

#include "test/standin/Session.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <sys/mman.h>

#include <xf86drm.h>

using namespace sparkle::standin;

namespace {

class Addresses : public testing::Test {
protected:
  /// By the ioctl itself: the library would find an address of its own.
  int map(const Memory &memory, uint64_t address, uint64_t size = 4096,
          uint64_t offset = 0, uint32_t operation = AMDGPU_VA_OP_MAP,
          uint64_t flags = AMDGPU_VM_PAGE_READABLE | AMDGPU_VM_PAGE_WRITEABLE |
                           AMDGPU_VM_PAGE_EXECUTABLE) {
    takeMessages();
    return amdgpu_bo_va_op_raw(session.device, memory.buffer, offset, size,
                               address, flags, operation);
  }
  /// Copies 16 dwords from one address to another one.
  Words copy(uint64_t from, uint64_t to) {
    Memory program = session.upload(std::vector<FakeInstruction>{
        {FakeInstruction::Copy, 0, 1, 16}, {FakeInstruction::End, 0, 0, 0}});
    return session.makeUsual(program,
                             session.upload(std::vector<uint64_t>{from, to}));
  }

  Session session{Generation::Gfx1100};
  Memory memory = session.allocate(16384);
  static constexpr uint64_t place = 0x700000000000;
};

TEST_F(Addresses, OfTheProgramOnly) {
  EXPECT_EQ(map(memory, 0x1000), -EINVAL);
  EXPECT_TRUE(says(takeMessages(),
                   "GEM_VA: 0x1000, 4096 bytes: addresses below "
                   "0x200000 are reserved"));
  EXPECT_EQ(map(memory, 0x800000000000), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "the address is in the hole"));
  EXPECT_EQ(map(memory, 0xfffffffffffff000), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "beyond the address space"));
  EXPECT_EQ(map(memory, 0xffff900000000000), 0);
}

TEST_F(Addresses, WholePages) {
  EXPECT_EQ(map(memory, place + 512), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "expected whole pages"));
  EXPECT_EQ(map(memory, place, 100), -EINVAL);
  EXPECT_EQ(map(memory, place, 4096, 100), -EINVAL);
  EXPECT_EQ(map(memory, place, 0), -EINVAL);
}

TEST_F(Addresses, WithinTheBuffer) {
  EXPECT_EQ(map(memory, place, 16384, 4096), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "GEM_VA: expected a part of the buffer's "
                                   "16384 bytes, but got 16384 at 4096"));
}

TEST_F(Addresses, OfOneBuffer) {
  EXPECT_EQ(map(memory, place, 8192), 0);
  EXPECT_EQ(map(memory, place + 4096), -EINVAL);
  EXPECT_TRUE(says(takeMessages(),
                   "GEM_VA: 0x700000001000 to 0x700000002000 overlaps what is "
                   "mapped at 0x700000000000"));
  EXPECT_EQ(map(memory, place + 4096, 4096, 0, AMDGPU_VA_OP_REPLACE), 0);
  EXPECT_EQ(map(memory, place, 4096, 0, AMDGPU_VA_OP_UNMAP), 0);
  EXPECT_EQ(map(memory, place, 4096, 0, AMDGPU_VA_OP_UNMAP), -ENOENT);
  EXPECT_TRUE(says(takeMessages(), "no mapping begins at 0x700000000000"));
}

TEST_F(Addresses, ClearedInTheMiddle) {
  EXPECT_EQ(map(memory, place, 16384), 0);
  EXPECT_EQ(map(memory, place + 4096, 4096, 0, AMDGPU_VA_OP_CLEAR), 0);
  memory.getWords()[2 * 1024] = 5;
  EXPECT_EQ(session.run(copy(place + 8192, place)), 0) << takeMessages();
  EXPECT_EQ(memory.getWords()[0], 6u);
  EXPECT_TRUE(says(session.hang(copy(place + 4096, place)),
                   "read of 4 bytes at 0x700000001000, which is not mapped"));
}

TEST_F(Addresses, SeveralOfOnePage) {
  EXPECT_EQ(map(memory, place), 0);
  memory.getWords()[0] = 1;
  EXPECT_EQ(session.run(copy(memory.address, place + 64)), 0);
  EXPECT_EQ(memory.getWords()[16], 2u);
}

TEST_F(Addresses, OfTheUpperHalf) {
  EXPECT_EQ(map(memory, 0xffff900000000000), 0);
  memory.getWords()[0] = 8;
  EXPECT_EQ(session.run(copy(0xffff900000000000, memory.address + 4096)), 0)
      << takeMessages();
  EXPECT_EQ(memory.getWords()[1024], 9u);
}

TEST_F(Addresses, NotMapped) {
  EXPECT_TRUE(says(session.hang(copy(memory.address, 0x1234500000)),
                   "write of 4 bytes at 0x1234500000, which is not mapped"));
  struct {
    uint64_t address;
    uint32_t status, hub;
  } fault = {};
  ASSERT_EQ(amdgpu_query_info(session.device, 0x23, sizeof fault, &fault), 0);
  EXPECT_EQ(fault.address, 0x1234500000u);
  EXPECT_EQ(fault.status >> 18 & 1, 1u); // a write
  EXPECT_TRUE(says(session.hang(copy(0x900000000000, memory.address)),
                   "which is in the address hole"));
}

TEST_F(Addresses, WithPermissions) {
  EXPECT_EQ(
      map(memory, place, 4096, 0, AMDGPU_VA_OP_MAP, AMDGPU_VM_PAGE_READABLE),
      0);
  EXPECT_TRUE(says(session.hang(copy(memory.address, place)),
                   "write of 4 bytes at 0x700000000000, which is mapped "
                   "read-only"));
  EXPECT_EQ(map(memory, place + 4096, 4096, 0, AMDGPU_VA_OP_MAP,
                AMDGPU_VM_PAGE_WRITEABLE),
            0);
  EXPECT_TRUE(says(session.hang(copy(place + 4096, memory.address)),
                   "which is not mapped as readable"));
  Words words;
  words.acquire().state(session.generation, place, memory.address);
  EXPECT_TRUE(says(session.hang(words.dispatch().pad()),
                   "instruction fetch of 16 bytes at 0x700000000000, which is "
                   "not mapped as executable"));
}

TEST_F(Addresses, OfBuffersInTheList) {
  Memory other = session.allocate(4096);
  session.leaveOut(other);
  EXPECT_TRUE(says(session.hang(copy(memory.address, other.address)),
                   "whose buffer is not in the list of the submission"));
  Memory always = session.allocate(4096, AMDGPU_GEM_DOMAIN_GTT,
                                   AMDGPU_GEM_CREATE_VM_ALWAYS_VALID);
  session.leaveOut(always);
  EXPECT_EQ(session.run(copy(memory.address, always.address)), 0)
      << takeMessages();
}

TEST_F(Addresses, OfTheIndirectBuffer) {
  amdgpu_cs_ib_info info = {};
  info.size = 8;
  amdgpu_cs_request request = {};
  request.ip_type = AMDGPU_HW_IP_COMPUTE;
  request.number_of_ibs = 1;
  request.ibs = &info;
  struct {
    uint64_t address;
    const char *message;
  } const cases[] = {
      {memory.address + 16, "expected an IB at a multiple of 32 bytes"},
      {place, "gfx1100, IB at 0x700000000000, dword 0: read of 4 bytes at "
              "0x700000000000, which is not mapped"},
      {memory.address, "expected a packet of type 3, but got 0x00000000"},
  };
  for (const auto &wrong : cases) {
    info.ib_mc_address = wrong.address;
    takeMessages();
    ASSERT_EQ(session.submit(request), 0);
    EXPECT_EQ(session.wait(request.seq_no), -ETIME);
    EXPECT_TRUE(says(takeMessages(), wrong.message));
    session.renewContext();
  }
}

TEST_F(Addresses, GoWithTheirBuffer) {
  // The library gives its ends away again.
  Memory gone = session.allocate(3 * 4096);
  Words words = copy(memory.address, gone.address + 4096);
  session.free(gone);
  EXPECT_TRUE(says(session.hang(words), "which is not mapped"));
}

TEST(Buffers, AreChecked) {
  Session session(Generation::Gfx1036);
  amdgpu_bo_handle buffer = nullptr;
  auto allocate = [&](uint64_t size, uint32_t heap, uint64_t flags) {
    amdgpu_bo_alloc_request request = {size, 4096, heap, flags};
    takeMessages();
    return amdgpu_bo_alloc(session.device, &request, &buffer);
  };
  EXPECT_EQ(allocate(4096, 0x40, 0), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "GEM_CREATE: expected domains CPU, GTT or "
                                   "VRAM, but got 0x40"));
  EXPECT_EQ(allocate(4096, AMDGPU_GEM_DOMAIN_GTT, 1 << 30), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "unknown flags 0x40000000"));
  EXPECT_EQ(allocate(0, AMDGPU_GEM_DOMAIN_GTT, 0), -EINVAL);
  EXPECT_TRUE(says(takeMessages(), "expected a size, but got 0"));
  EXPECT_EQ(allocate(1ull << 40, AMDGPU_GEM_DOMAIN_GTT, 0), -ENOMEM);
  EXPECT_TRUE(says(takeMessages(), "GEM_CREATE: 1099511627776 bytes of "));
  ASSERT_EQ(
      allocate(4096, AMDGPU_GEM_DOMAIN_VRAM, AMDGPU_GEM_CREATE_NO_CPU_ACCESS),
      0);
  void *bytes = nullptr;
  EXPECT_EQ(amdgpu_bo_cpu_map(buffer, &bytes), -EPERM);
  EXPECT_TRUE(says(takeMessages(), "made with NO_CPU_ACCESS"));
  EXPECT_EQ(amdgpu_bo_free(buffer), 0);
}

TEST(Buffers, OfGraphicsMemoryAreNotCleared) {
  Session session(Generation::Gfx1030);
  Memory memory = session.allocate(4096, AMDGPU_GEM_DOMAIN_VRAM,
                                   AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED);
  EXPECT_EQ(memory.getWords()[7], ~0u);
  memory = session.allocate(4096, AMDGPU_GEM_DOMAIN_VRAM,
                            AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED |
                                AMDGPU_GEM_CREATE_VRAM_CLEARED);
  EXPECT_EQ(memory.getWords()[7], 0u);
  EXPECT_EQ(session.allocate(4096).getWords()[7], 0u);
}

// As on a card without a resizable BAR.
TEST(Buffers, LittleGraphicsMemoryIsVisible) {
  Session session(Generation::Gfx1030);
  drm_amdgpu_memory_info info = {};
  ASSERT_EQ(
      amdgpu_query_info(session.device, AMDGPU_INFO_MEMORY, sizeof info, &info),
      0);
  EXPECT_EQ(info.cpu_accessible_vram.total_heap_size, 256u << 20);
  session.allocate(257u << 20, AMDGPU_GEM_DOMAIN_VRAM,
                   AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED);
  drm_amdgpu_memory_info after = {};
  ASSERT_EQ(amdgpu_query_info(session.device, AMDGPU_INFO_MEMORY, sizeof after,
                              &after),
            0);
  EXPECT_EQ(after.gtt.heap_usage - info.gtt.heap_usage, 257u << 20);
}

// The program's own mapping outlives the node.
TEST(Buffers, StayMapped) {
  uint8_t *bytes = nullptr;
  {
    Session session(Generation::Gfx1100);
    Memory memory = session.allocate(4096);
    uint64_t offset = 0;
    uint32_t handle = 0;
    ASSERT_EQ(
        amdgpu_bo_export(memory.buffer, amdgpu_bo_handle_type_kms, &handle), 0);
    drm_amdgpu_gem_mmap request = {};
    request.in.handle = handle;
    ASSERT_EQ(drmCommandWriteRead(session.node, DRM_AMDGPU_GEM_MMAP, &request,
                                  sizeof request),
              0);
    offset = request.out.addr_ptr;
    bytes = static_cast<uint8_t *>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                                        MAP_SHARED, session.node, offset));
    ASSERT_NE(bytes, MAP_FAILED);
    bytes[5] = 17;
    EXPECT_EQ(memory.bytes[5], 17);
  }
  bytes[6] = 1;
  munmap(bytes, 4096);
}

} // namespace
