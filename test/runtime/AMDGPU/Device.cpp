// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finding AMD GPUs or why there are none, what one is, and what it refuses.
// What all devices have in common is in test/runtime/Conformance.

#include "test/runtime/AMDGPU/Work.h"

#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace {

/// The sentence for which there is no device.
std::string findReason() {
  sparkle_error_t error;
  sparkle_context_t *context;
  sparkle_device_t *device;
  EXPECT_OK(sparkle_context_create(&context, &error));
  EXPECT_OK(sparkle_context_find_device(context, "cpu", &device, &error));
  EXPECT_NE(sparkle_context_find_device(context, "amdgpu:0", &device, &error),
            SPARKLE_OK);
  EXPECT_EQ(device, nullptr);
  sparkle_context_release(context);
  return error.message;
}

struct AMDGPUMissing : testing::Test {
  MockedMachine machine;
  MockState &state = machine.state;
};

/// Threads with contexts of their own.
TEST_F(AMDGPUMissing, nothingWhereThreadsComeAndGo) {
  auto comeAndGo = [] {
    for (int round = 0; round < 100; ++round) {
      sparkle_context_t *context;
      EXPECT_EQ(sparkle_context_create(&context, nullptr), SPARKLE_OK);
      sparkle_context_release(context);
    }
  };
  std::thread first(comeAndGo), second(comeAndGo);
  first.join();
  second.join();
  EXPECT_EQ(state.overlaps, 0u);
  EXPECT_EQ(state.devices, 0u);
}

TEST_F(AMDGPUMissing, library) {
  Variable library("SPARKLE_AMDGPU_LIBRARY", "/nowhere/libdrm_amdgpu.so.1");
  EXPECT_EQ(findReason(),
            "device 'amdgpu:0': expected libdrm_amdgpu, but got: "
            "/nowhere/libdrm_amdgpu.so.1: cannot open shared object file: No "
            "such file or directory");
}

TEST_F(AMDGPUMissing, function) {
  Variable library("SPARKLE_AMDGPU_LIBRARY", "libm.so.6");
  EXPECT_EQ(findReason(), "device 'amdgpu:0': expected libdrm_amdgpu, but got "
                          "'libm.so.6' without drmFreeVersion");
}

TEST_F(AMDGPUMissing, node) {
  Variable nodes("SPARKLE_AMDGPU_NODES", "/nowhere");
  EXPECT_EQ(findReason(), "device 'amdgpu:0': expected a render node in "
                          "'/nowhere', but got none");
}

/// The node, its group, and what to do.
TEST_F(AMDGPUMissing, permission) {
  chmod(machine.folder.path.c_str(), 0755);
  chmod(machine.path(128).c_str(), 0);
  bool isRoot = geteuid() == 0;
  ASSERT_TRUE(!isRoot || seteuid(65534) == 0);
  std::string reason = findReason();
  ASSERT_TRUE(!isRoot || seteuid(0) == 0);
  EXPECT_EQ(reason.find("device 'amdgpu:0': expected to open '" +
                        machine.path(128) +
                        "', but got no permission - it is for group '"),
            0u)
      << reason;
  std::string remedy = "root': usermod -aG root USER, or pass the node to the "
                       "container";
  EXPECT_TRUE(!isRoot || reason.find(remedy) != std::string::npos) << reason;
}

TEST_F(AMDGPUMissing, noFile) {
  std::filesystem::remove(machine.path(128));
  std::filesystem::create_directory(machine.path(128));
  EXPECT_EQ(findReason(), "device 'amdgpu:0': expected to open '" +
                              machine.path(128) + "', but got: Is a directory");
}

TEST_F(AMDGPUMissing, driver) {
  state.hasVersion = false;
  EXPECT_EQ(findReason(),
            "device 'amdgpu:0': expected a driver of graphics behind '" +
                machine.path(128) + "', but got none");
  state.hasVersion = true;
  state.driver = "i915";
  state.major = 1;
  state.minor = 6;
  EXPECT_EQ(findReason(), "device 'amdgpu:0': expected driver amdgpu 3 behind "
                          "'" +
                              machine.path(128) + "', but got 'i915' 1.6");
}

TEST_F(AMDGPUMissing, knownChip) {
  state.family = 148;
  state.product = "AMD Radeon 780M";
  state.device = 0x15bf;
  EXPECT_EQ(findReason(),
            "device 'amdgpu:0': expected 'AMD Radeon 780M' to run code for "
            "gfx1030, gfx1036 or gfx1100, but got device 0x15bf of family 148, "
            "revision 0x1");
}

TEST_F(AMDGPUMissing, rings) {
  state.rings = 0;
  EXPECT_EQ(findReason(), "device 'amdgpu:0': expected 'AMD Radeon RX 7900 "
                          "XTX' to have compute rings, but its driver has none "
                          "enabled");
  state.rings = 1;
  state.startAlignment = 512;
  EXPECT_EQ(findReason(),
            "device 'amdgpu:0': expected 'AMD Radeon RX 7900 XTX' to take "
            "indirect buffers of whole 32 bytes at multiples of 256, but it "
            "wants 32 at 512");
}

//===----------------------------------------------------------------------===//
// What it is
//===----------------------------------------------------------------------===//

using AMDGPUDevice = AMDGPUTest;

TEST_F(AMDGPUDevice, properties) {
  open();
  sparkle_device_properties_t properties;
  sparkle_device_query_properties(device, &properties);
  EXPECT_STREQ(properties.name, "amdgpu:0");
  EXPECT_STREQ(properties.description, "AMD Radeon RX 7900 XTX (gfx1100)");
  EXPECT_EQ(properties.driver, "amdgpu 3.57.0, " + machine.path(128));
  EXPECT_EQ(properties.target, uint32_t(SPARKLE_TARGET_AMDGPU));
  EXPECT_EQ(properties.features, SPARKLE_GPU_STORAGE_16BIT);
  EXPECT_EQ(properties.memory, state.vram);
  EXPECT_EQ(properties.max_buffer, uint64_t(4) << 30);
  EXPECT_EQ(properties.alignment, 16u);
  EXPECT_EQ(properties.invocations, 1024u);
  EXPECT_EQ(properties.local_memory, 65536u);
  EXPECT_EQ(properties.queues, 4u);
  EXPECT_FALSE(properties.has_copy_engine);
  EXPECT_TRUE(properties.has_timestamps);
  EXPECT_FALSE(properties.is_unified);
  EXPECT_FALSE(properties.runs_on_host);
}

TEST_F(AMDGPUDevice, integrated) {
  state.family = 149;
  state.isIntegrated = true;
  state.product.clear();
  state.clock = 0;
  open();
  sparkle_device_properties_t properties;
  sparkle_device_query_properties(device, &properties);
  EXPECT_STREQ(properties.description, "AMD GPU (gfx1036)");
  EXPECT_EQ(properties.memory, state.gtt);
  EXPECT_FALSE(properties.has_timestamps);
  EXPECT_TRUE(properties.is_unified);
  EXPECT_FALSE(properties.runs_on_host);
}

/// The node of another driver comes first, and one has no permission.
TEST_F(AMDGPUDevice, severalNodes) {
  machine.addNode(130);
  machine.addNode(191);
  std::filesystem::create_directory(machine.path(129));
  open();
  EXPECT_EQ(sparkle_context_get_device_count(context), 4u); // with the CPU
  sparkle_device_t *last = nullptr;
  ASSERT_OK(sparkle_context_find_device(context, "amdgpu:2", &last, &error));
  sparkle_device_properties_t properties;
  sparkle_device_query_properties(last, &properties);
  EXPECT_EQ(properties.driver, "amdgpu 3.57.0, " + machine.path(191));
}

TEST_F(AMDGPUDevice, chips) {
  const struct {
    uint32_t family, revision;
    const char *processor;
  } chips[] = {{143, 0x28, "gfx1030"}, {143, 0x32, "gfx1030"},
               {143, 0x4f, "gfx1030"}, {144, 0x01, "gfx1036"},
               {145, 0x01, "gfx1100"}, {145, 0x10, "gfx1100"},
               {145, 0x20, "gfx1100"}, {146, 0x01, "gfx1036"},
               {149, 0x01, "gfx1036"}, {151, 0x01, "gfx1036"}};
  for (const auto &chip : chips) {
    state.family = chip.family;
    state.revision = chip.revision;
    open();
    sparkle_device_properties_t properties;
    sparkle_device_query_properties(device, &properties);
    EXPECT_EQ(properties.description,
              state.product + " (" + chip.processor + ")");
    close();
  }
  for (auto [family, revision] : {std::pair<uint32_t, uint32_t>{143, 0x27},
                                  {143, 0x50},
                                  {141, 0x01},
                                  {150, 0x01},
                                  {152, 0x01}}) {
    state.family = family;
    state.revision = revision;
    findReason();
  }
}

//===----------------------------------------------------------------------===//
// What it cannot run
//===----------------------------------------------------------------------===//

struct AMDGPURefusal : AMDGPUTest {
  std::string refuse(sparkle_status_t status) {
    sparkle_module_t *module;
    EXPECT_EQ(sparkle_module_create(device, &affine.kernel, &module, &error),
              status);
    EXPECT_EQ(module, nullptr);
    sparkle_module_release(module);
    return error.message;
  }
};

TEST_F(AMDGPURefusal, codes) {
  open();
  affine.code.processor = "gfx1030";
  EXPECT_EQ(refuse(SPARKLE_NO_IMAGE),
            "kernel 'affine': expected code that amdgpu:0 runs, but gfx1030 is "
            "not for its gfx1100");
  affine.code.processor = "gfx1100";
  affine.launch.invocations = 1025;
  EXPECT_EQ(refuse(SPARKLE_NO_IMAGE),
            "kernel 'affine': expected code that amdgpu:0 runs, but gfx1100 "
            "needs 1025 invocations of a workgroup, but the device has 1024");
  affine.launch.invocations = 64;
  affine.launch.local_size = 65540;
  EXPECT_EQ(refuse(SPARKLE_NO_IMAGE),
            "kernel 'affine': expected code that amdgpu:0 runs, but gfx1100 "
            "needs 65540 bytes of workgroup memory, but the device has 65536");
}

TEST_F(AMDGPURefusal, images) {
  open();
  ImageFile file;
  file.privateSize = 8;
  affine.setImage(file);
  EXPECT_EQ(refuse(SPARKLE_INVALID_ARTIFACT),
            "kernel 'affine': entry 'affine': expected no scratch memory, but "
            "got 8 bytes of a lane");
  file = ImageFile();
  file.kernargSize = 25; // there are two addresses and a size: 20 bytes
  affine.setImage(file);
  EXPECT_EQ(refuse(SPARKLE_INVALID_ARTIFACT),
            "kernel 'affine': entry 'affine': expected 24 bytes of "
            "arguments, but got 25 - hidden ones are not supported");
}

struct AMDGPURecording : AMDGPUTest {
  std::string refuse(int64_t n, sparkle_status_t status) {
    sparkle_module_t *module;
    EXPECT_OK(sparkle_module_create(device, &affine.kernel, &module, &error));
    sparkle_buffer_t *buffers[2];
    sparkle_view_t views[2] = {};
    for (int i = 0; i < 2; ++i) {
      EXPECT_OK(sparkle_buffer_create(device, SPARKLE_MEMORY_DEVICE, 4096,
                                      &buffers[i], &error));
      views[i].buffer = buffers[i];
    }
    sparkle_command_t command = {};
    command.module = module;
    command.arguments = views;
    command.argument_count = 2;
    command.sizes = &n;
    command.size_count = 1;
    sparkle_recording_t *recording;
    EXPECT_EQ(sparkle_recording_create(device, &command, 1, &recording, &error),
              status);
    std::string message = error.message;
    sparkle_recording_release(recording);
    for (sparkle_buffer_t *buffer : buffers)
      sparkle_buffer_release(buffer);
    sparkle_module_release(module);
    return message;
  }
};

/// Sizes are 32-bit numbers for kernels.
TEST_F(AMDGPURecording, sizes) {
  open();
  affine.extent = {16, 1, nullptr};
  affine.groups = {1, 1, nullptr};
  EXPECT_EQ(refuse(int64_t(INT32_MAX) + 1, SPARKLE_WRONG_SHAPE),
            "command 0, size 'N': expected at most 2147483647, but got "
            "2147483648");
  EXPECT_EQ(refuse(INT32_MAX, SPARKLE_OK), "");
}

TEST_F(AMDGPURecording, workgroups) {
  open();
  affine.extent = {16, 1, nullptr};
  affine.groups = {int64_t(65535) * 65535 + 1, 1, nullptr};
  EXPECT_EQ(refuse(1, SPARKLE_WRONG_SHAPE),
            "kernel 'affine': expected at most 4294836225 workgroups, but got "
            "more");
}

TEST_F(AMDGPURecording, elements) {
  open();
  // Blocks of half floats: more elements than 31 bits hold, in fewer bytes than
  // a buffer may have.
  affine.tensors[0].element = SPARKLE_ELEMENT_F16;
  affine.extent = {int64_t(INT32_MAX) + 1, 1, nullptr};
  affine.tensors[1].extents = &affine.groups;
  std::string message = refuse(64, SPARKLE_WRONG_SHAPE);
  EXPECT_NE(message.find("argument 'x'"), std::string::npos) << message;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

TEST_F(AMDGPUDevice, memory) {
  open();
  for (int kind = 0; kind < 3; ++kind)
    for (uint64_t size : {0, 1, 4096, 4097, 3 << 20}) {
      sparkle_buffer_t *buffer;
      ASSERT_OK(sparkle_buffer_create(
          device, static_cast<sparkle_memory_t>(kind), size, &buffer, &error));
      bool isSeen = size && kind != SPARKLE_MEMORY_DEVICE;
      EXPECT_EQ(sparkle_buffer_get_pointer(buffer) != nullptr, isSeen);
      sparkle_buffer_release(buffer);
    }
  EXPECT_EQ(state.objects, 0u);
}

TEST_F(AMDGPUDevice, unifiedMemory) {
  state.isIntegrated = true;
  open();
  sparkle_buffer_t *buffer;
  ASSERT_OK(sparkle_buffer_create(device, SPARKLE_MEMORY_DEVICE, 100, &buffer,
                                  &error));
  EXPECT_NE(sparkle_buffer_get_pointer(buffer), nullptr);
  sparkle_buffer_release(buffer);
}

TEST_F(AMDGPUDevice, moreMemoryThanThereIs) {
  open();
  sparkle_buffer_t *buffer;
  EXPECT_EQ(sparkle_buffer_create(device, SPARKLE_MEMORY_DEVICE, state.vram + 1,
                                  &buffer, &error),
            SPARKLE_OUT_OF_MEMORY);
  EXPECT_STREQ(error.message, "expected 25769803777 bytes of memory, but the "
                              "device has 25769803776");
}

/// Code lies in the host's memory where the window to the device's is too
/// small.
TEST_F(AMDGPUDevice, smallWindow) {
  state.visibleVram = 0;
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 100);
  wait(queue, submit(queue, work.recording));
  work.expectOutput();
  sparkle_queue_release(queue);
}

/// With the kernels that the runtime brings along.
TEST_F(AMDGPUDevice, measure) {
  for (auto [family, processor] :
       {std::pair<uint32_t, const char *>{145, "gfx1100"},
        {143, "gfx1030"},
        {149, "gfx1036"}}) {
    state.family = family;
    state.revision = family == 143 ? 0x28 : 1;
    state.vram = uint64_t(8) << 20;
    open();
    sparkle_device_performance_t performance;
    ASSERT_OK(sparkle_device_measure(device, 0, &performance, &error))
        << processor;
    EXPECT_GT(performance.gflops, 0);
    EXPECT_GT(performance.gbytes_per_second, 0);
    EXPECT_GT(performance.copy_gbytes_per_second, 0);
    EXPECT_GT(performance.launch_ns, 0);
    EXPECT_GT(performance.near_gbytes_per_second, 0);
    close();
  }
}

} // namespace
