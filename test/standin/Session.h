// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the driver's tests share: a device opened through the real
// libdrm_amdgpu, memory on it, and packets written word by word.

#ifndef SPARKLE_TEST_STANDIN_SESSION_H
#define SPARKLE_TEST_STANDIN_SESSION_H

#include "test/standin/Core/Core.h"
#include "test/standin/Driver/Control.h"
#include "test/standin/Fake.h"

#include <memory>
#include <string>
#include <vector>

#include <amdgpu.h>

#include <amdgpu_drm.h>

#include <gtest/gtest.h>

namespace sparkle::standin {

constexpr Generation allGenerations[] = {
    Generation::Gfx1030, Generation::Gfx1036, Generation::Gfx1100};

const SparkleStandinControl &getControl();
/// Does the text contain the part?
testing::AssertionResult says(const std::string &text, const std::string &part);

/// What the stand-in has said since the last call.
std::string takeMessages();

constexpr uint32_t invalidateAll = 0xc3b1;
/// COMPUTE_SHADER_EN, FORCE_START_AT_000, CS_W32_EN.
constexpr uint32_t usualInitiator = 0x8005;

/// The words of an IB.
class Words {
public:
  std::vector<uint32_t> words;

  Words &packet(uint32_t opcode, std::vector<uint32_t> body);
  Words &acquire(uint32_t gcr = invalidateAll);
  Words &set(uint32_t offset, std::vector<uint32_t> values);
  /// All registers of a dispatch of one-dimensional groups.
  Words &state(Generation generation, uint64_t program, uint64_t arguments);
  Words &dispatch(uint32_t x = 1, uint32_t y = 1, uint32_t z = 1,
                  uint32_t initiator = usualInitiator);
  Words &flush();
  Words &release(uint64_t address, uint32_t select, uint64_t value = 0,
                 uint32_t event = 0x00603514);
  Words &writeData(uint64_t address, std::vector<uint32_t> values);
  /// To a multiple of eight.
  Words &pad();
};

/// Memory that both sides see.
struct Memory {
  amdgpu_bo_handle buffer = nullptr;
  amdgpu_va_handle range = nullptr;
  uint64_t address = 0, size = 0;
  uint8_t *bytes = nullptr;

  uint32_t *getWords() const { return reinterpret_cast<uint32_t *>(bytes); }
};

class Session {
public:
  explicit Session(Generation generation);
  ~Session();
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  Memory allocate(uint64_t size, uint32_t heap = AMDGPU_GEM_DOMAIN_GTT,
                  uint64_t flags = 0);
  void free(const Memory &memory);
  Memory upload(const std::vector<FakeInstruction> &program);
  Memory upload(const std::vector<uint64_t> &arguments);

  /// Submits an IB with all memory in the list. 0 or a negative error.
  int submit(const Words &ib, uint64_t &sequence, unsigned ring = 0);
  int submit(amdgpu_cs_request &request);
  /// With all memory but this one in the list.
  void leaveOut(const Memory &memory) { leftOut = memory.buffer; }
  /// 0, a negative error, or 1: not within `timeout` nanoseconds.
  int wait(uint64_t sequence, unsigned ring = 0,
           uint64_t timeout = 10000000000);
  /// Both. What `wait` gives.
  int run(const Words &ib);
  /// Runs a program once, with everything as it should be.
  Words makeUsual(const Memory &program, const Memory &arguments) const;
  uint64_t getResetState();
  void renewContext();

  const Generation generation;
  int node = -1;
  amdgpu_device_handle device = nullptr;
  amdgpu_context_handle context = nullptr;

  /// Runs what hardware would hang on, and says why. Makes a new context.
  std::string hang(const Words &ib);

private:
  std::vector<Memory> all;
  amdgpu_bo_handle leftOut = nullptr;
};

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_SESSION_H
