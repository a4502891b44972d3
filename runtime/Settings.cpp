// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the environment, and prints what it asks for.

#include "runtime/Settings.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sparkle::runtime {

Settings readSettings() {
  Settings settings;
  if (const char *value = std::getenv("SPARKLE_GPU_ASYNC"))
    settings.isAsynchronous = std::strcmp(value, "0") != 0;
  if (const char *value = std::getenv("SPARKLE_LOG"))
    settings.logLevel =
        *value >= '0' && *value <= '2' && !value[1] ? *value - '0' : 0;
  return settings;
}

void Settings::log(int level, const char *format, ...) const {
  if (level > logLevel)
    return;
  // One call, so that the lines of several threads do not mix.
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  std::fprintf(stderr, "sparkle: %s\n", line);
}

} // namespace sparkle::runtime
