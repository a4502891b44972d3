// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the stand-in has to say: to stderr, to the file SPARKLE_STANDIN_LOG, and
// to the tests through Control.h.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_LOG_H
#define SPARKLE_TEST_STANDIN_DRIVER_LOG_H

#include <string>

namespace sparkle::standin {

/// As printf.
[[gnu::format(printf, 1, 2)]] std::string format(const char *pattern, ...);

/// From any thread. One line, without its end.
void report(const std::string &message);

/// Reports why a call of the kernel fails, and gives what it returns.
int refuse(int error, const std::string &message);

/// What has been reported since the last call, one message per line.
std::string takeMessages();

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_LOG_H
