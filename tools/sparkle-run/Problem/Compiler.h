// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs sparkle-opt: text of kernels -> a shared object.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_COMPILER_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_COMPILER_H

#include "tools/sparkle-run/Options.h"

#include <string>
#include <vector>

namespace sparkle {

/// The folder of this program, with a slash behind it.
std::string getProgramFolder();

class Compiler {
public:
  /// Of the options: where sparkle-opt is, if not beside this program, or else
  /// in PATH; what the code for CPUs is for; and a folder of objects, one for
  /// each text, targets and CPUs: those that it holds are not compiled again,
  /// those that it lacks are added. Empty: none.
  /// targets: words, with commas between them.
  Compiler(const Options &options, std::string targets);
  /// Removes the files.
  ~Compiler();
  Compiler(const Compiler &) = delete;
  Compiler &operator=(const Compiler &) = delete;

  struct Result {
    std::string object; ///< Empty if it failed.
    bool isKept = false;
    std::string error;  ///< The compiler's first error, or why it has none.
    double seconds = 0; ///< Of CPU time, user and system.
    std::string messages = {}; ///< All that the compiler says, with places.
  };

  /// May be called from several threads.
  Result compileFile(const std::string &source, const std::string &stem) const;
  Result compileText(const std::string &text, const std::string &stem) const;
  /// The text, or its object, into this file, in place of what it was. Returns
  /// what is wrong, if anything.
  std::string writeTo(const std::string &text, const std::string &output) const;
  std::string compileTo(const std::string &text,
                        const std::string &output) const;
  /// The pattern that the compiler chooses; empty with an error if it fails.
  std::string printPattern(const std::string &text, const std::string &stem,
                           std::string &error) const;

private:
  Result run(const std::string &source, const std::string &stem,
             const std::string &output,
             std::initializer_list<const char *> flags) const;
  std::string write(const std::string &text, const std::string &stem,
                    std::string &error) const;

  std::string path, targets, cpu, cores, kept, folder;
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_COMPILER_H
