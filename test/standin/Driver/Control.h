// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a test may say to the stand-in that is preloaded into it:
//   auto *control = static_cast<const SparkleStandinControl *>(
//       dlsym(RTLD_DEFAULT, "sparkleStandinControl"));
// Null: no stand-in is loaded.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_CONTROL_H
#define SPARKLE_TEST_STANDIN_DRIVER_CONTROL_H

#include <cstddef>
#include <cstdint>

struct SparkleStandinControl {
  /// Replaces what SPARKLE_STANDIN_FAULT said. False: it cannot be read, and a
  /// message has been reported.
  bool (*setFaults)(const char *faults);
  /// Copies what has been reported since the last call, a message per line,
  /// closed by a zero; gives the length of all.
  size_t (*takeMessages)(char *text, size_t size);
  /// As SPARKLE_STANDIN_BUDGET and SPARKLE_STANDIN_LOCKUP.
  void (*setBudget)(uint64_t instructions);
  void (*setLockup)(uint64_t milliseconds);
  /// As SPARKLE_STANDIN_CONFLICTS.
  void (*setConflicts)(bool counts);
};

#endif // SPARKLE_TEST_STANDIN_DRIVER_CONTROL_H
