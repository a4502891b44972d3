// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every function inside the runtime that can fail returns.

#ifndef SPARKLE_RUNTIME_STATUS_H
#define SPARKLE_RUNTIME_STATUS_H

#include "sparkle/runtime.h"
#include <cstdarg>

namespace sparkle::runtime {

/// A status and, unless it is OK, its sentence.
class [[nodiscard]] Status {
public:
  Status() : error{SPARKLE_OK, ""} {}

  /// As printf: lower case, no full stop, "expected X, but got Y".
  [[gnu::format(printf, 2, 3)]] static Status failure(sparkle_status_t status,
                                                      const char *format, ...);

  /// The same with SPARKLE_INVALID_ARTIFACT.
  [[gnu::format(printf, 1, 2)]] static Status
  invalidArtifact(const char *format, ...);

  bool isOk() const { return error.status == SPARKLE_OK; }
  sparkle_status_t code() const { return error.status; }
  const char *message() const { return error.message; }

  /// Hands the result over to C.
  sparkle_status_t report(sparkle_error_t *out) const {
    if (out)
      *out = error;
    return error.status;
  }

private:
  void print(sparkle_status_t status, const char *format, va_list arguments);

  sparkle_error_t error;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_STATUS_H
