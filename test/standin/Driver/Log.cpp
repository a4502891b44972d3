// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Messages are kept until a test takes them, and written at once.

#include "test/standin/Driver/Log.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace sparkle::standin {

namespace {

std::mutex mutex;

// Never destroyed: threads of the stand-in outlive the program's own objects.
std::string &getPending() {
  static auto *pending = new std::string;
  return *pending;
}

} // namespace

std::string format(const char *pattern, ...) {
  va_list arguments, again;
  va_start(arguments, pattern);
  va_copy(again, arguments);
  int size = std::vsnprintf(nullptr, 0, pattern, arguments);
  va_end(arguments);
  std::string text(size > 0 ? size : 0, '\0');
  std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  return text;
}

void report(const std::string &message) {
  std::lock_guard<std::mutex> lock(mutex);
  getPending() += message + '\n';
  std::fprintf(stderr, "sparkle-standin: %s\n", message.c_str());
  const char *path = std::getenv("SPARKLE_STANDIN_LOG");
  if (!path || !*path)
    return;
  if (FILE *file = std::fopen(path, "a")) {
    std::fprintf(file, "%s\n", message.c_str());
    std::fclose(file);
  }
}

int refuse(int error, const std::string &message) {
  report(message + ": " + std::strerror(error));
  return -error;
}

std::string takeMessages() {
  std::lock_guard<std::mutex> lock(mutex);
  std::string taken;
  taken.swap(getPending());
  return taken;
}

} // namespace sparkle::standin
