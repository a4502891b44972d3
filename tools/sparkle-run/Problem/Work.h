// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the command line names -> the kernels to run, one by one.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_WORK_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_WORK_H

#include "sparkle/runtime.h"
#include "tools/sparkle-run/Options.h"
#include "tools/sparkle-run/Problem/Compiler.h"

#include <memory>

namespace sparkle {

struct ReleaseLibrary {
  void operator()(sparkle_library_t *library) const {
    sparkle_library_release(library);
  }
};

/// One kernel. Its library is open from `prepare` on.
struct Work {
  std::string name;
  /// The problem that is run, in benchdnn's grammar; of a kernel of a file,
  /// that file.
  std::string problem;
  std::optional<Case> asked; ///< None for a kernel of a file.
  std::string text;          ///< Of the kernel; empty: as the problem says.
  std::string unsupported;   ///< Why it is not run.
  std::string error;         ///< Why it cannot be run though it should.
  std::shared_ptr<sparkle_library_t> library;
  const sparkle_kernel_t *kernel = nullptr;
  double compileSeconds = 0;
  int64_t objectBytes = 0; ///< Of the shared object, with all that is in it.

  /// Compiles it and opens the object, unless that is done.
  void prepare(const Compiler &compiler, size_t number);
  void close();
  /// The sizes of its calls: those that the command line gives, and the batch
  /// that the problem leaves to the call.
  std::map<std::string, int64_t> getSizes(const Options &options) const;
};

/// Everything that the options name, filtered and cut off. Says on stderr what
/// cannot be read; then there is nothing.
std::optional<std::vector<Work>> collectWork(const Options &options,
                                             const Compiler &compiler);

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_WORK_H
