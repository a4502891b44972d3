// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every Vulkan function that can fail does, in every way and each of the first
// times that the runtime calls it. The runtime says so, lets go of everything,
// and goes on: with the CPU, and with the device in a new context.

#include "test/runtime/Vulkan/Fault.h"
#include "test/runtime/Vulkan/Work.h"

#include <dlfcn.h>
#include <map>
#include <thread>
#include <vulkan/vulkan_core.h>

namespace {

const VulkanFault &getFault() {
  // Opened once, as the runtime's own opening of the same file must find it.
  static void *library = dlopen(SPARKLE_TEST_FAULT, RTLD_NOW | RTLD_LOCAL);
  return *static_cast<const VulkanFault *>(dlsym(library, "vulkanFault"));
}

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

  sparkle_status_t run(const char *name) {
    for (auto step : {&Scenario::create, &Scenario::record, &Scenario::submit,
                      &Scenario::finish})
      if (sparkle_status_t status = (this->*step)(name))
        return status;
    return SPARKLE_OK;
  }

  sparkle_error_t error = {};

private:
#define TRY(call)                                                              \
  if (sparkle_status_t status = call)                                          \
  return status

  sparkle_status_t create(const char *name) {
    TRY(sparkle_context_create(&context, &error));
    TRY(sparkle_context_find_device(context, name, &device, &error));
    sparkle_device_properties_t properties;
    sparkle_device_query_properties(device, &properties);
    isCpu = properties.target == SPARKLE_TARGET_CPU;
    if (!isCpu)
      TRY(sparkle_module_create(device, &affine.kernel, &module, &error));
    for (uint64_t size : {0, 400, 17 << 20})
      for (int memory = 0; memory < 3; ++memory) {
        buffers.push_back(nullptr);
        TRY(sparkle_buffer_create(device, static_cast<sparkle_memory_t>(memory),
                                  size, &buffers.back(), &error));
      }
    TRY(sparkle_timeline_create(context, 0, &gate, &error));
    return sparkle_timeline_create(context, 0, &done, &error);
  }

  sparkle_status_t record(const char *) {
    const int64_t n = 100;
    sparkle_view_t views[2] = {};
    views[0].buffer = buffers[4];
    views[1].buffer = buffers[5];
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
    return sparkle_recording_create(device, commands, isCpu ? 2 : 3, &recording,
                                    &error);
  }

  /// On the caller's thread, with times, more than there are slots; and on the
  /// queue's own, behind a gate.
  sparkle_status_t submit(const char *) {
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

  sparkle_status_t finish(const char *) {
    sparkle_timeline_t *timeline = sparkle_queue_get_timeline(queues[0]);
    uint64_t value, begin, end;
    TRY(sparkle_timeline_query(timeline, &value, &error));
    TRY(sparkle_timeline_wait(timeline, 5, SPARKLE_FOREVER, &error));
    if (!isCpu)
      TRY(sparkle_queue_query_times(queues[0], 5, &begin, &end, &error));
    TRY(sparkle_timeline_signal(gate, 1, &error));
    return sparkle_timeline_wait(done, 1, SPARKLE_FOREVER, &error);
  }
#undef TRY

  AffineKernel affine;
  bool isCpu = false;
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
  int32_t result;
  sparkle_status_t status;
};
constexpr Expectation expectations[] = {
    {VK_ERROR_OUT_OF_HOST_MEMORY, SPARKLE_OUT_OF_MEMORY},
    {VK_ERROR_OUT_OF_DEVICE_MEMORY, SPARKLE_OUT_OF_MEMORY},
    {VK_ERROR_DEVICE_LOST, SPARKLE_DEVICE_LOST},
    {VK_ERROR_INITIALIZATION_FAILED, SPARKLE_DRIVER},
    {VK_ERROR_TOO_MANY_OBJECTS, SPARKLE_OUT_OF_RESOURCES},
    {-1000999, SPARKLE_DRIVER}, // no result that anybody knows
};

/// What no work depends on: the cache of pipelines is an offer, as is a shared
/// block of memory where a smaller piece is still to be had; and closing the
/// device waits for it, but has nobody to tell.
bool isOptional(const std::string &name) {
  return name == "CreatePipelineCache" || name == "GetPipelineCacheData" ||
         name == "AllocateMemory" || name == "MapMemory" ||
         name == "DeviceWaitIdle";
}

struct VulkanFaults : testing::TestWithParam<uint32_t> {
  void SetUp() override {
    EXPECT_EQ(sparkle_context_create(&idle, nullptr), SPARKLE_OK);
  }
  void TearDown() override { sparkle_context_release(idle); }

  Silence silence;
  Environment environment;
  Variable library{"SPARKLE_VULKAN_LIBRARY", SPARKLE_TEST_FAULT};
  /// Keeps the driver loaded, which takes much longer than all the rest.
  sparkle_context_t *idle = nullptr;

  /// Whether the call was made.
  bool inject(uint32_t function, uint32_t call, const Expectation &expected) {
    const VulkanFault &fault = getFault();
    const std::string name = fault.getName(function);
    std::filesystem::remove_all(environment.cache.path);
    fault.set(function, call, expected.result);
    sparkle_status_t status;
    std::string message;
    {
      Scenario scenario;
      status = scenario.run("vulkan:0");
      message = scenario.error.message;
    }
    // A queue's own thread may outlive it. Its calls are of this scenario.
    while (fault.countDevices())
      std::this_thread::yield();
    bool wasCalled = fault.countCalls(function) >= call;
    fault.set(0, 0, 0);
    std::string where = name + ", call " + std::to_string(call) + ", result " +
                        std::to_string(expected.result) + ": " + message;
    if (!wasCalled || (status == SPARKLE_OK && isOptional(name))) {
      EXPECT_EQ(status, SPARKLE_OK) << where;
      return wasCalled;
    }
    EXPECT_EQ(status, expected.status) << where;
    return true;
  }
};

/// Every function of the list that can fail is one that the scenario calls.
TEST_P(VulkanFaults, isTold) {
  const uint32_t function = GetParam();
  uint32_t calls = 0;
  for (const Expectation &expected : expectations) {
    uint32_t call = 1;
    while (call <= 4 && inject(function, call, expected))
      ++call;
    calls = std::max(calls, call - 1);
    Scenario cpu;
    EXPECT_EQ(cpu.run("cpu"), SPARKLE_OK) << cpu.error.message;
  }
  EXPECT_GT(calls, 0u) << getFault().getName(function) << " is not called";
  Scenario device;
  EXPECT_EQ(device.run("vulkan:0"), SPARKLE_OK) << device.error.message;
}

std::vector<uint32_t> listFunctions() {
  std::vector<uint32_t> functions;
  for (uint32_t i = 0; i < getFault().functionCount; ++i)
    if (getFault().canFail(i))
      functions.push_back(i);
  return functions;
}

INSTANTIATE_TEST_SUITE_P(AllFunctions, VulkanFaults,
                         testing::ValuesIn(listFunctions()),
                         [](const auto &info) {
                           return getFault().getName(info.param);
                         });

} // namespace
