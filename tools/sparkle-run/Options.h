// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line, read once and passed on.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_OPTIONS_H
#define SPARKLE_TOOLS_SPARKLE_RUN_OPTIONS_H

#include "tools/sparkle-run/Problem/Cases.h"

namespace sparkle {

struct Options {
  std::string command;
  std::vector<std::string> files;    ///< .spk and shared objects.
  std::vector<std::string> problems; ///< Descriptors.
  std::vector<std::string> problemFiles;
  std::vector<std::string> lists;
  std::string stack; ///< A network whose layers follow each other.
  std::vector<std::string> devices; ///< Names, words of targets, or `all`.
  std::map<std::string, int64_t> sizes;
  std::string kernel, filter, compiler, peer, artifacts;
  std::string output; ///< One file for all problems.
  std::string cpu;    ///< What CPUs to compile for; empty: this machine's.
  ChannelLayout layout;
  bool isJson = false, measures = false;
  bool isAuto = false; ///< The scheduler chooses among the devices; none: all.
  bool isStream = false, isTop = false, isDry = false;
  std::optional<int64_t> batch;
  /// 10^6 multiply-adds that a problem may have; larger ones get a smaller
  /// picture. 0: no limit.
  std::optional<int64_t> scale;
  int64_t threads = 0, jobs = 0, limit = 0, rounds = 30;
  /// Winograd's algorithm where it applies: "2x2" or "4x4" results of a tile,
  /// or "auto". Empty: where a problem asks for it.
  std::string winograd;

  /// Says on stderr what is wrong.
  static std::optional<Options> parse(int count, char **words);
  static void printUsage(std::FILE *file);
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_OPTIONS_H
