// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What these tests need of the environment, so that `ctest` alone is enough.

#ifndef SPARKLE_TEST_RUNTIME_VULKAN_ENVIRONMENT_H
#define SPARKLE_TEST_RUNTIME_VULKAN_ENVIRONMENT_H

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

/// Sets a variable as long as it lives; null unsets it.
class Variable {
public:
  Variable(const char *name, const char *value) : name(name) {
    if (const char *old = std::getenv(name)) {
      before = old;
      wasSet = true;
    }
    set(value);
  }
  Variable(const Variable &) = delete;
  ~Variable() { set(wasSet ? before.c_str() : nullptr); }

private:
  void set(const char *value) {
    if (value)
      setenv(name, value, 1);
    else
      unsetenv(name);
  }

  const char *name;
  std::string before;
  bool wasSet = false;
};

/// A folder of the test's own.
class Folder {
public:
  Folder() {
    std::string pattern = testing::TempDir() + "sparkle.XXXXXX";
    path = mkdtemp(pattern.data());
  }
  Folder(const Folder &) = delete;
  ~Folder() { std::filesystem::remove_all(path); }

  std::string path;
};

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
