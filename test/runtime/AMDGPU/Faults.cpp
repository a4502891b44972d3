// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every function of the list that can fail does, in every way and each of the
// first times that the runtime calls it. The runtime says so, lets go of
// everything, and goes on in a new context.

#include "test/runtime/AMDGPU/Work.h"

#include <cerrno>

namespace {

/// Everything that the runtime does, until something fails.
class Scenario {
public:
  ~Scenario() {
    // What still waits behind the gate would wait for ever.
    if (isGated && sparkle_timeline_signal(gate, 1, nullptr) == SPARKLE_OK)
      sparkle_timeline_wait(done, 1, SPARKLE_FOREVER, nullptr);
    for (sparkle_queue_t *queue : queues)
      sparkle_queue_release(queue);
    for (sparkle_timeline_t *timeline : {gate, done})
      sparkle_timeline_release(timeline);
    sparkle_recording_release(recording);
    for (sparkle_buffer_t *buffer : buffers)
      sparkle_buffer_release(buffer);
    sparkle_module_release(module);
    sparkle_context_release(context);
  }

  sparkle_status_t run() {
    for (auto step : {&Scenario::create, &Scenario::record, &Scenario::submit,
                      &Scenario::finish})
      if (sparkle_status_t status = (this->*step)())
        return status;
    return SPARKLE_OK;
  }

  sparkle_error_t error = {};

private:
#define TRY(call)                                                              \
  if (sparkle_status_t status = call)                                          \
  return status

  sparkle_status_t create() {
    TRY(sparkle_context_create(&context, &error));
    TRY(sparkle_context_find_device(context, "amdgpu:0", &device, &error));
    TRY(sparkle_module_create(device, &affine.kernel, &module, &error));
    for (int memory = 0; memory < 3; ++memory) {
      buffers.push_back(nullptr);
      TRY(sparkle_buffer_create(device, static_cast<sparkle_memory_t>(memory),
                                400, &buffers.back(), &error));
    }
    TRY(sparkle_timeline_create(context, 0, &gate, &error));
    return sparkle_timeline_create(context, 0, &done, &error);
  }

  sparkle_status_t record() {
    const int64_t n = 100;
    sparkle_view_t views[2] = {};
    views[0].buffer = buffers[1];
    views[1].buffer = buffers[2];
    sparkle_command_t commands[3] = {};
    commands[0].kind = SPARKLE_COMMAND_FILL;
    commands[0].arguments = views;
    commands[0].argument_count = 1;
    commands[1].kind = SPARKLE_COMMAND_COPY;
    commands[1].arguments = views;
    commands[1].argument_count = 2;
    commands[2].module = module;
    commands[2].arguments = views;
    commands[2].argument_count = 2;
    commands[2].sizes = &n;
    commands[2].size_count = 1;
    return sparkle_recording_create(device, commands, 3, &recording, &error);
  }

  /// On the caller's thread, with times, more than there are slots; and on the
  /// queue's own, behind a gate.
  sparkle_status_t submit() {
    for (sparkle_queue_t *&queue : queues)
      TRY(sparkle_queue_create(device, &queue, &error));
    sparkle_submission_t submission = {};
    submission.recording = recording;
    submission.flags = SPARKLE_SUBMIT_TIMED;
    for (int i = 0; i < 5; ++i)
      TRY(sparkle_queue_submit(queues[0], &submission, nullptr, &error));
    sparkle_point_t wait = {gate, 1}, signal = {done, 1};
    submission.waits = &wait;
    submission.wait_count = 1;
    submission.signals = &signal;
    submission.signal_count = 1;
    TRY(sparkle_queue_submit(queues[1], &submission, nullptr, &error));
    isGated = true;
    return SPARKLE_OK;
  }

  sparkle_status_t finish() {
    sparkle_timeline_t *timeline = sparkle_queue_get_timeline(queues[0]);
    uint64_t value, begin, end;
    TRY(sparkle_timeline_query(timeline, &value, &error));
    TRY(sparkle_timeline_wait(timeline, 5, SPARKLE_FOREVER, &error));
    TRY(sparkle_queue_query_times(queues[0], 5, &begin, &end, &error));
    TRY(sparkle_timeline_signal(gate, 1, &error));
    return sparkle_timeline_wait(done, 1, SPARKLE_FOREVER, &error);
  }
#undef TRY

  AffineKernel affine;
  bool isGated = false; // there is work behind the gate
  sparkle_context_t *context = nullptr;
  sparkle_device_t *device = nullptr;
  sparkle_module_t *module = nullptr;
  std::vector<sparkle_buffer_t *> buffers;
  sparkle_recording_t *recording = nullptr;
  sparkle_queue_t *queues[2] = {};
  sparkle_timeline_t *gate = nullptr, *done = nullptr;
};

struct Expectation {
  int error;
  sparkle_status_t status;
};
constexpr Expectation expectations[] = {
    {-ENOMEM, SPARKLE_OUT_OF_MEMORY},
    {-ENOSPC, SPARKLE_OUT_OF_MEMORY},
    {-EMFILE, SPARKLE_OUT_OF_RESOURCES},
    {-ENFILE, SPARKLE_OUT_OF_RESOURCES},
    {-ENODEV, SPARKLE_DEVICE_LOST},
    {-EIO, SPARKLE_DEVICE_LOST},
    {-ETIMEDOUT, SPARKLE_DEVICE_LOST},
    {-ECANCELED, SPARKLE_DEVICE_LOST},
    {-EINVAL, SPARKLE_DRIVER},
    {-EACCES, SPARKLE_DRIVER},
    {-EPERM, SPARKLE_DRIVER},
    {-EFAULT, SPARKLE_DRIVER},
    {-EAGAIN, SPARKLE_DRIVER},
    {-EBADF, SPARKLE_DRIVER},
    {-EBUSY, SPARKLE_DRIVER},
    {-ENOENT, SPARKLE_DRIVER},
    {-ENOTTY, SPARKLE_DRIVER},
    {-4321, SPARKLE_DRIVER},
};

/// Nobody can be told of these: they let go of something.
bool isRelease(const std::string &name) {
  return name == "amdgpu_bo_cpu_unmap" || name == "amdgpu_bo_free" ||
         name == "amdgpu_bo_list_destroy" || name == "amdgpu_cs_ctx_free" ||
         name == "amdgpu_device_deinitialize" || name == "amdgpu_va_range_free";
}

struct AMDGPUFaults : testing::TestWithParam<uint32_t> {
  /// Whether the call was made.
  bool inject(uint32_t function, uint32_t call, const Expectation &expected) {
    getMock().reset();
    // So that every wait asks.
    getMock().state().writesFence = false;
    getMock().fail(function, call, 1, expected.error);
    const std::string name = getMock().getName(function);
    sparkle_status_t status;
    std::string message;
    {
      Scenario scenario;
      status = scenario.run();
      message = scenario.error.message;
    }
    for (int i = 0; i < 5000 && getMock().state().devices; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    bool wasCalled = getMock().countCalls(function) >= call;
    std::string where = name + ", call " + std::to_string(call) + ", error " +
                        std::to_string(expected.error) + ": " + message;
    expectStatus(status, wasCalled, name, expected, where);
    return wasCalled;
  }

  void expectStatus(sparkle_status_t status, bool wasCalled,
                    const std::string &name, const Expectation &expected,
                    const std::string &where) {
    // Memory that is short may be there again, or elsewhere.
    bool isShort = expected.status == SPARKLE_OUT_OF_MEMORY;
    if (!wasCalled || isRelease(name) ||
        (status == SPARKLE_OK && isShort &&
         (name == "amdgpu_cs_submit" || name == "amdgpu_bo_alloc" ||
          name == "amdgpu_bo_cpu_map" || name == "amdgpu_va_range_alloc" ||
          name == "amdgpu_bo_va_op")))
      EXPECT_EQ(status, SPARKLE_OK) << where;
    else if (name == "drmGetVersion")
      EXPECT_EQ(status, SPARKLE_UNAVAILABLE) << where;
    else
      EXPECT_EQ(status, expected.status) << where;
  }

  MockedMachine machine;
};

TEST_P(AMDGPUFaults, isTold) {
  const uint32_t function = GetParam();
  uint32_t calls = 0;
  for (const Expectation &expected : expectations) {
    uint32_t call = 1;
    while (call <= 5 && inject(function, call, expected))
      ++call;
    calls = std::max(calls, call - 1);
  }
  EXPECT_GT(calls, 0u) << getMock().getName(function) << " is not called";
  getMock().reset();
  Scenario device;
  EXPECT_EQ(device.run(), SPARKLE_OK) << device.error.message;
}

std::vector<uint32_t> listFunctions() {
  std::vector<uint32_t> functions;
  for (uint32_t i = 0; i < getMock().functionCount; ++i)
    // The last one is asked after a loss only: Loss.cpp.
    if (getMock().canFail(i) &&
        getMock().getName(i) != std::string("amdgpu_cs_query_reset_state2"))
      functions.push_back(i);
  return functions;
}

INSTANTIATE_TEST_SUITE_P(AllFunctions, AMDGPUFaults,
                         testing::ValuesIn(listFunctions()),
                         [](const auto &info) {
                           return getMock().getName(info.param);
                         });

} // namespace
