// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rings of the mocked device: what is submitted to them, in order.

#ifndef SPARKLE_TEST_RUNTIME_AMDGPU_MOCK_RING_H
#define SPARKLE_TEST_RUNTIME_AMDGPU_MOCK_RING_H

#include "test/runtime/AMDGPU/Mock.h"

#include <amdgpu.h>
#include <amdgpu_drm.h>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

MockState &getMockState();

/// Ends the process.
[[noreturn]] void failMock(const char *what);

struct MockObject {
  char *bytes = nullptr;
  uint64_t size = 0;
  uint64_t address = 0; ///< 0: not mapped.
  bool isVram = false, isVisible = false;
};

struct MockList {
  std::vector<MockObject *> objects;
};

struct MockContext {
  uint32_t number;
  int error = 0; ///< It is lost.
  uint64_t lastSequence[8] = {};
  uint64_t lastOver[8] = {}; ///< By ring.
};

class MockRings {
public:
  MockContext *addContext();
  void removeContext(MockContext &context);
  /// 0: unmaps it.
  void map(MockObject &object, uint64_t address);
  int submit(MockContext &context, amdgpu_cs_request &request);
  int wait(const amdgpu_cs_fence &fence, uint64_t timeout, uint32_t &expired);
  void damage(const uint32_t *words, size_t count, int64_t distance);
  uint64_t getLastAddress();
  void release(size_t count);
  void lose(uint64_t flags, int error);
  void clear();
  void forget();

private:
  struct Job {
    MockContext *context;
    MockSubmission submission;
    std::vector<MockObject *> objects;
    MockObject *fence;
  };

  void finish(Job &job, bool isRun);
  void run(const Job &job);
  void dispatch(const Job &job, const std::map<uint32_t, uint32_t> &registers,
                const uint32_t *body);
  char *translate(const Job &job, uint64_t address, uint64_t size);

  std::mutex mutex; // of everything
  std::condition_variable changed;
  std::map<uint64_t, MockObject *> mapped; // by address
  std::vector<MockContext *> contexts;
  std::vector<MockContext *> forgotten;
  std::deque<Job> held;
  uint32_t lastContext = 0;
  uint64_t time = 1000;
};

#endif // SPARKLE_TEST_RUNTIME_AMDGPU_MOCK_RING_H
