// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sparkle-run: lists devices, and runs, checks and times kernels on them.

#include "tools/sparkle-run/Command/Commands.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace sparkle;

static int runCommand(const Options &options) {
  if (options.command == "compile")
    return compile(options);
  sparkle_context_t *context = nullptr;
  sparkle_error_t failure;
  if (sparkle_context_create(&context, &failure) != SPARKLE_OK) {
    std::fprintf(stderr, "sparkle-run: error: %s\n", failure.message);
    return 1;
  }
  Owned<sparkle_context_t> owned(context);
  if (options.command == "devices")
    return listDevices(context, options);
  if (options.command == "run")
    return runOnce(context, options);
  if (options.command == "sweep")
    return sweep(context, options);
  if (options.command == "explain")
    return explain(context, options);
  if (options.command == "verify")
    return verify(context, options);
  return options.isAuto ? benchAuto(context, options) : bench(context, options);
}

int main(int count, char **words) {
  for (int i = 1; i < count; ++i)
    if (!std::strcmp(words[i], "--help") || !std::strcmp(words[i], "-h")) {
      Options::printUsage(stdout);
      return 0;
    }
  std::optional<Options> options = Options::parse(count, words);
  if (!options) {
    std::fputs("sparkle-run: --help tells the usage\n", stderr);
    return 2;
  }
  // The runtimes of the kernels and of the peer, which are not loaded yet, read
  // these.
  if (options->threads)
    for (const char *name : {"OMP_NUM_THREADS", "HL_NUM_THREADS"})
      setenv(name, std::to_string(options->threads).c_str(), 1);
  bool isHalide = options->peer == "halide";
  if (isHalide) // See Peer/Halide.cpp.
    setenv("KMP_BLOCKTIME", "0", 1);
  // Left to the system, two threads of a team at times share one core for as
  // long as a layer is measured. What other threads the main one starts would
  // share its core, though: those of Halide, and of other devices.
  bool isCpu = options->devices == std::vector<std::string>{"cpu"};
  if (isCpu && !isHalide)
    setenv("OMP_PROC_BIND", "true", 0);
  return runCommand(*options);
}
