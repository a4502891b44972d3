// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the environment says to every kind of device, read once per context.
// docs/runtime.md documents each variable.

#ifndef SPARKLE_RUNTIME_SETTINGS_H
#define SPARKLE_RUNTIME_SETTINGS_H

namespace sparkle::runtime {

struct Settings {
  /// SPARKLE_GPU_ASYNC is not 0: submitting does not wait for the work.
  bool isAsynchronous = true;
  /// SPARKLE_LOG: 0 prints nothing, 1 what goes wrong, 2 what happens.
  int logLevel = 0;

  /// Prints a line to the standard error stream if `level` is asked for. As
  /// printf, without a line's end.
  [[gnu::format(printf, 3, 4)]] void log(int level, const char *format,
                                         ...) const;
};

Settings readSettings();

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SETTINGS_H
