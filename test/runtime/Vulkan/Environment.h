// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What these tests need of the environment, so that `ctest` alone is enough.

#ifndef SPARKLE_TEST_RUNTIME_VULKAN_ENVIRONMENT_H
#define SPARKLE_TEST_RUNTIME_VULKAN_ENVIRONMENT_H

#include "test/runtime/Environment.h"

#include <unistd.h>

/// The validation layer is on, what it says is printed, and pipelines are kept
/// in a folder that goes away.
struct Environment {
  Folder cache;
  Variable cacheFolder{"SPARKLE_CACHE_DIR", cache.path.c_str()};
  Variable validation{"SPARKLE_VULKAN_VALIDATION", "1"};
  Variable log{"SPARKLE_LOG", "1"};
};

/// Fails the test if `text` was printed until its end, such as what the layer
/// says about objects that nobody destroyed.
class Silence {
public:
  explicit Silence(const char *text = "Vulkan validation") : text(text) {
    testing::internal::CaptureStderr();
  }
  Silence(const Silence &) = delete;
  ~Silence() {
    std::string printed = testing::internal::GetCapturedStderr();
    EXPECT_EQ(printed.find(text), std::string::npos) << printed;
  }

private:
  const char *text;
};

#endif // SPARKLE_TEST_RUNTIME_VULKAN_ENVIRONMENT_H
