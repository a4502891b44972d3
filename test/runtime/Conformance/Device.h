// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every case of the conformance suite starts from: one device, the kernels
// of kernels.spk, and short words for what cases do all the time. The suite
// runs unchanged on every device; where there is none (SPARKLE_UNAVAILABLE) its
// cases are skipped, and anything else is a failure.

#ifndef SPARKLE_TEST_RUNTIME_CONFORMANCE_DEVICE_H
#define SPARKLE_TEST_RUNTIME_CONFORMANCE_DEVICE_H

#include "test/runtime/Owned.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

using Floats = std::vector<float>;

/// A small whole number out of the place and the name of what it fills.
float draw(uint64_t place, uint64_t salt);
Floats drawAll(size_t count, uint64_t salt);

/// A command that calls a kernel; it points to what it is given.
sparkle_command_t call(sparkle_module_t *module,
                       const std::vector<sparkle_view_t> &arguments,
                       const std::vector<int64_t> &sizes);
sparkle_command_t copy(const sparkle_view_t (&fromTo)[2]);
sparkle_command_t fill(const sparkle_view_t &to, uint32_t word);
/// All of a buffer, or from an offset on.
sparkle_view_t all(sparkle_buffer_t *buffer);
sparkle_view_t part(sparkle_buffer_t *buffer, uint64_t offset, uint64_t size);

class Conformance : public testing::TestWithParam<const char *> {
public:
  void SetUp() override;

  // What succeeds, or fails the case.
  Buffer makeBuffer(uint64_t size,
                    sparkle_memory_t memory = SPARKLE_MEMORY_DEVICE);
  Queue makeQueue();
  Timeline makeTimeline(uint64_t initial = 0);
  Module makeModule(const char *kernel);
  Recording makeRecording(const std::vector<sparkle_command_t> &commands);
  /// A buffer of the device with these bytes.
  template <typename T> Buffer upload(const std::vector<T> &values) {
    return uploadBytes(values.data(), values.size() * sizeof(T));
  }
  Buffer uploadBytes(const void *bytes, size_t size);
  template <typename T> std::vector<T> download(sparkle_buffer_t *buffer) {
    std::vector<T> values(sparkle_buffer_get_size(buffer) / sizeof(T));
    downloadBytes(buffer, values.data());
    return values;
  }
  void downloadBytes(sparkle_buffer_t *buffer, void *bytes);
  uint64_t submit(sparkle_queue_t *queue, const sparkle_submission_t &what);
  uint64_t submit(sparkle_queue_t *queue,
                  const std::vector<sparkle_command_t> &commands);
  void wait(sparkle_queue_t *queue, uint64_t value);
  /// On a queue of its own, to the end.
  void run(const std::vector<sparkle_command_t> &commands);

  /// The status and its sentence, of the call that filled in `error`.
  void expect(sparkle_status_t got, sparkle_status_t status,
              const std::string &sentence);
  void ok(sparkle_status_t got) { EXPECT_EQ(got, SPARKLE_OK) << error.message; }

  const sparkle_kernel_t *kernel(const char *name) const {
    return sparkle_library_find_kernel(library, name);
  }
  /// "cpu": as messages name the device.
  std::string name() const { return properties.name; }

  Owned<sparkle_context_t> context;
  sparkle_device_t *device = nullptr;
  sparkle_device_properties_t properties = {};
  Library library;
  sparkle_error_t error = {};
};

/// The words of all targets.
std::vector<const char *> getDeviceNames();

#define SPARKLE_ON_ALL_DEVICES(suite)                                          \
  INSTANTIATE_TEST_SUITE_P(                                                    \
      Devices, suite, testing::ValuesIn(getDeviceNames()),                     \
      [](const testing::TestParamInfo<const char *> &info) {                   \
        return std::string(info.param);                                        \
      })

#endif // SPARKLE_TEST_RUNTIME_CONFORMANCE_DEVICE_H
