// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Variables and folders that end with a test.

#ifndef SPARKLE_TEST_RUNTIME_ENVIRONMENT_H
#define SPARKLE_TEST_RUNTIME_ENVIRONMENT_H

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <thread>

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
  /// A thread of what the test released may write a last file yet.
  ~Folder() {
    std::error_code error;
    for (int i = 0; i < 1000; ++i) {
      std::filesystem::remove_all(path, error);
      if (!error)
        return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ADD_FAILURE() << path << ": " << error.message();
  }

  std::string path;
};

#endif // SPARKLE_TEST_RUNTIME_ENVIRONMENT_H
