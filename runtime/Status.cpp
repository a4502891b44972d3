// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Formats the sentence of a failure into memory that nobody has to free.

#include "runtime/Status.h"

#include <cstdio>

namespace sparkle::runtime {

void Status::print(sparkle_status_t status, const char *format,
                   va_list arguments) {
  error.status = status;
  std::vsnprintf(error.message, sizeof(error.message), format, arguments);
}

Status Status::failure(sparkle_status_t status, const char *format, ...) {
  Status result;
  va_list arguments;
  va_start(arguments, format);
  result.print(status, format, arguments);
  va_end(arguments);
  return result;
}

Status Status::invalidArtifact(const char *format, ...) {
  Status result;
  va_list arguments;
  va_start(arguments, format);
  result.print(SPARKLE_INVALID_ARTIFACT, format, arguments);
  va_end(arguments);
  return result;
}

} // namespace sparkle::runtime
