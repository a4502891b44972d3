// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Starts the test once more with the stand-in preloaded, and talks to it.

#include "test/standin/Session.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

namespace sparkle::standin {

/// Before main, which is GoogleTest's own.
__attribute__((constructor)) static void preload(int, char **arguments,
                                                 char **) {
  if (std::getenv("SPARKLE_STANDIN"))
    return;
  setenv("SPARKLE_STANDIN", "gfx1030,gfx1036,gfx1100", 1);
  setenv("SPARKLE_STANDIN_LOCKUP", "20", 0);
  setenv("LD_PRELOAD", SPARKLE_TEST_STANDIN, 1);
  execv("/proc/self/exe", arguments);
  _exit(125);
}

const SparkleStandinControl &getControl() {
  static const auto *control = static_cast<const SparkleStandinControl *>(
      dlsym(RTLD_DEFAULT, "sparkleStandinControl"));
  return *control;
}

testing::AssertionResult says(const std::string &text,
                              const std::string &part) {
  if (text.find(part) != std::string::npos)
    return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "expected '" << part << "', but got '" << text << "'";
}

std::string takeMessages() {
  char text[8192];
  getControl().takeMessages(text, sizeof text);
  return text;
}

Words &Words::packet(uint32_t opcode, std::vector<uint32_t> body) {
  words.push_back(3u << 30 | uint32_t(body.size() - 1) << 16 | opcode << 8 | 2);
  words.insert(words.end(), body.begin(), body.end());
  return *this;
}

Words &Words::acquire(uint32_t gcr) {
  return packet(0x58, {0, 0xffffffff, 0x00ffffff, 0, 0, 10, gcr});
}

Words &Words::set(uint32_t offset, std::vector<uint32_t> values) {
  values.insert(values.begin(), offset);
  return packet(0x76, values);
}

Words &Words::state(Generation generation, uint64_t program,
                    uint64_t arguments) {
  bool isLater = generation == Generation::Gfx1100;
  uint32_t low = arguments, high = arguments >> 32;
  set(0x204, {0, 0, 0}).set(0x207, {256, 1, 1});
  set(0x20c, {uint32_t(program >> 8), uint32_t(program >> 40)});
  set(0x212, {0xc0af000b, 0x0008019c}).set(0x228, {0x130}).set(0x215, {0});
  set(0x216, {~0u, ~0u}).set(0x219, {~0u, ~0u});
  if (isLater)
    set(0x22b, {~0u, ~0u, 0, 0});
  set(0x218, {0});
  return isLater ? set(0x240, {low, high})
                 : set(0x240, {0, 0, 0, 0, low, high});
}

Words &Words::dispatch(uint32_t x, uint32_t y, uint32_t z, uint32_t initiator) {
  return packet(0x15, {x, y, z, initiator});
}

Words &Words::flush() { return packet(0x46, {0x407}); }

Words &Words::release(uint64_t address, uint32_t select, uint64_t value,
                      uint32_t event) {
  return packet(0x49, {event, select << 29, uint32_t(address),
                       uint32_t(address >> 32), uint32_t(value),
                       uint32_t(value >> 32), 0});
}

Words &Words::writeData(uint64_t address, std::vector<uint32_t> values) {
  values.insert(values.begin(),
                {5 << 8, uint32_t(address), uint32_t(address >> 32)});
  return packet(0x37, values);
}

Words &Words::pad() {
  while (words.size() % 8)
    words.push_back(0xffff1000);
  return *this;
}

Session::Session(Generation generation) : generation(generation) {
  getControl().setFaults("");
  takeMessages();
  std::string path = "/dev/dri/renderD" + std::to_string(128 + int(generation));
  node = open(path.c_str(), O_RDWR | O_CLOEXEC);
  EXPECT_GE(node, 0) << path;
  uint32_t major = 0, minor = 0;
  EXPECT_EQ(amdgpu_device_initialize(node, &major, &minor, &device), 0);
  EXPECT_EQ(amdgpu_cs_ctx_create(device, &context), 0);
}

Session::~Session() {
  for (const Memory &memory : std::vector<Memory>(all))
    free(memory);
  amdgpu_cs_ctx_free(context);
  amdgpu_device_deinitialize(device);
  close(node);
}

Memory Session::allocate(uint64_t size, uint32_t heap, uint64_t flags) {
  Memory memory;
  memory.size = (size + 4095) & ~uint64_t(4095);
  amdgpu_bo_alloc_request request = {memory.size, 4096, heap, flags};
  EXPECT_EQ(amdgpu_bo_alloc(device, &request, &memory.buffer), 0);
  EXPECT_EQ(amdgpu_va_range_alloc(device, amdgpu_gpu_va_range_general,
                                  memory.size, 4096, 0, &memory.address,
                                  &memory.range, 0),
            0);
  EXPECT_EQ(amdgpu_bo_va_op(memory.buffer, 0, memory.size, memory.address, 0,
                            AMDGPU_VA_OP_MAP),
            0);
  void *bytes = nullptr;
  EXPECT_EQ(amdgpu_bo_cpu_map(memory.buffer, &bytes), 0);
  memory.bytes = static_cast<uint8_t *>(bytes);
  all.push_back(memory);
  return memory;
}

void Session::free(const Memory &memory) {
  amdgpu_bo_cpu_unmap(memory.buffer);
  amdgpu_bo_va_op(memory.buffer, 0, memory.size, memory.address, 0,
                  AMDGPU_VA_OP_UNMAP);
  amdgpu_va_range_free(memory.range);
  amdgpu_bo_free(memory.buffer);
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i].buffer == memory.buffer)
      all.erase(all.begin() + i--);
}

Memory Session::upload(const std::vector<FakeInstruction> &program) {
  Memory memory = allocate(program.size() * sizeof program[0]);
  std::memcpy(memory.bytes, program.data(), program.size() * sizeof program[0]);
  return memory;
}

Memory Session::upload(const std::vector<uint64_t> &arguments) {
  Memory memory = allocate(8 * arguments.size());
  std::memcpy(memory.bytes, arguments.data(), 8 * arguments.size());
  return memory;
}

int Session::submit(amdgpu_cs_request &request) {
  std::vector<amdgpu_bo_handle> buffers;
  for (const Memory &memory : all)
    if (memory.buffer != leftOut)
      buffers.push_back(memory.buffer);
  int error = amdgpu_bo_list_create(device, buffers.size(), buffers.data(),
                                    nullptr, &request.resources);
  if (error)
    return error;
  error = amdgpu_cs_submit(context, 0, &request, 1);
  amdgpu_bo_list_destroy(request.resources);
  return error;
}

int Session::submit(const Words &ib, uint64_t &sequence, unsigned ring) {
  Memory memory = allocate(4 * ib.words.size());
  std::memcpy(memory.bytes, ib.words.data(), 4 * ib.words.size());
  amdgpu_cs_ib_info info = {};
  info.ib_mc_address = memory.address;
  info.size = ib.words.size();
  amdgpu_cs_request request = {};
  request.ip_type = AMDGPU_HW_IP_COMPUTE;
  request.ring = ring;
  request.number_of_ibs = 1;
  request.ibs = &info;
  int error = submit(request);
  sequence = request.seq_no;
  return error;
}

int Session::wait(uint64_t sequence, unsigned ring, uint64_t timeout) {
  amdgpu_cs_fence fence = {};
  fence.context = context;
  fence.ip_type = AMDGPU_HW_IP_COMPUTE;
  fence.ring = ring;
  fence.fence = sequence;
  uint32_t isExpired = 0;
  int error = amdgpu_cs_query_fence_status(&fence, timeout, 0, &isExpired);
  return error ? error : !isExpired;
}

int Session::run(const Words &ib) {
  uint64_t sequence = 0;
  int error = submit(ib, sequence);
  return error ? error : wait(sequence);
}

Words Session::makeUsual(const Memory &program, const Memory &arguments) const {
  Words words;
  words.acquire().state(generation, program.address, arguments.address);
  return words.dispatch().flush().pad();
}

uint64_t Session::getResetState() {
  uint64_t flags = 0;
  EXPECT_EQ(amdgpu_cs_query_reset_state2(context, &flags), 0);
  return flags;
}

std::string Session::hang(const Words &ib) {
  takeMessages();
  EXPECT_EQ(run(ib), -ETIME);
  EXPECT_EQ(getResetState(), uint64_t(AMDGPU_CTX_QUERY2_FLAGS_RESET |
                                      AMDGPU_CTX_QUERY2_FLAGS_GUILTY));
  renewContext();
  return takeMessages();
}

void Session::renewContext() {
  amdgpu_cs_ctx_free(context);
  EXPECT_EQ(amdgpu_cs_ctx_create(device, &context), 0);
}

} // namespace sparkle::standin
