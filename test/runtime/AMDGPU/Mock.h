// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A libdrm_amdgpu that no kernel stands behind: it says what a test tells it to
// say, keeps memory and addresses, and carries out what is submitted as far as
// that is no machine code. The runtime opens it by SPARKLE_AMDGPU_LIBRARY.
// Misuse ends the process with a message.

#ifndef SPARKLE_TEST_RUNTIME_AMDGPU_MOCK_H
#define SPARKLE_TEST_RUNTIME_AMDGPU_MOCK_H

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

/// A number that every thread may change.
class MockCount {
public:
  MockCount(size_t value = 0) : value(value) {}
  MockCount(const MockCount &other) : value(other.value.load()) {}
  MockCount &operator=(const MockCount &other) {
    value = other.value.load();
    return *this;
  }
  operator size_t() const { return value; }
  void operator++() { ++value; }
  void operator--() { --value; }

private:
  std::atomic<size_t> value;
};

/// What becomes of work that is submitted.
enum class MockWork {
  Run,  ///< It is carried out at once.
  Hold, ///< It waits for `release`, in order.
  Skip, ///< It is over at once, and was never carried out.
};

struct MockSubmission {
  uint32_t context, ring;
  uint64_t sequence;
  std::vector<std::vector<uint32_t>> buffers;
  struct Wait {
    uint32_t ring;
    uint64_t sequence;
  };
  std::vector<Wait> waits;
  size_t objectCount;
};

/// What the library answers; a test may change it at any time between calls.
struct MockState {
  std::string driver = "amdgpu";
  int major = 3, minor = 57;
  bool hasVersion = true; ///< drmGetVersion gives something.
  std::string product = "AMD Radeon RX 7900 XTX";
  uint32_t family = 145, revision = 0x1, device = 0x744c;
  bool isIntegrated = false;
  uint32_t clock = 100000; ///< kHz
  uint32_t computeUnits = 96;
  uint32_t rings = 0xf, startAlignment = 32, sizeAlignment = 32;
  uint64_t vram = uint64_t(24) << 30, visibleVram = uint64_t(256) << 20;
  uint64_t gtt = uint64_t(16) << 30;
  MockWork work = MockWork::Run;
  bool writesFence = true; ///< That of the user, when work is over.
  int waitError = 0;       ///< Given by every wait for what is not over.
  uint64_t resetFlags = 0;
  uint64_t faultAddress = 0;
  uint32_t faultStatus = 0;
  std::vector<MockSubmission> submissions; ///< Accepted ones.
  MockCount submitted;                     ///< How many these are.
  MockCount objects, contexts, ranges, mappings, lists, devices; ///< Alive.
  /// Calls that make or free a device while another thread is in one: libdrm
  /// may give out what it is about to free.
  MockCount overlaps;
};

/// All that a test calls, by the name `amdgpuMock`.
struct AMDGPUMock {
  MockState &(*state)();
  /// As in the beginning. Nothing may be alive.
  void (*reset)();
  /// What is alive no longer counts.
  void (*forget)();
  uint32_t functionCount; ///< In the order of Functions.def.
  const char *(*getName)(uint32_t function);
  /// Whether it returns an error.
  bool (*canFail)(uint32_t function);
  /// From now on, calls number `first` to `first + count - 1` (from 1) of
  /// `function` are not made, and return `error`.
  void (*fail)(uint32_t function, uint32_t first, uint32_t count, int error);
  uint32_t (*countCalls)(uint32_t function);
  /// Inverts the word `distance` bytes behind the place where the memory of a
  /// mapped object holds these words.
  void (*damage)(const uint32_t *words, size_t count, int64_t distance);
  /// Of the object that is mapped highest.
  uint64_t (*getLastAddress)();
  /// Carries out work that is held.
  void (*release)(size_t count);
  /// As a reset: all contexts there are give `error` from now on, what is held
  /// is over, and with VRAMLOST in the flags the device's memory is junk.
  void (*lose)(uint64_t flags, int error);
};

#endif // SPARKLE_TEST_RUNTIME_AMDGPU_MOCK_H
