// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs sparkle-opt: text of kernels -> a shared object.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_COMPILER_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_COMPILER_H

#include <string>
#include <vector>

namespace sparkle {

/// The folder of this program, with a slash behind it.
std::string getProgramFolder();

class Compiler {
public:
  /// path: of sparkle-opt; empty: beside this program, or else in PATH.
  /// targets: words, with commas between them.
  /// kept: a folder of objects, one for each text and targets; those that it
  /// holds are not compiled again, those that it lacks are added. Empty: none.
  Compiler(std::string path, std::string targets, std::string kept);
  /// Removes the files.
  ~Compiler();
  Compiler(const Compiler &) = delete;
  Compiler &operator=(const Compiler &) = delete;

  struct Result {
    std::string object; ///< Empty if it failed.
    bool isKept = false;
    std::string error;  ///< What the compiler says, from its first error on.
    double seconds = 0; ///< Of CPU time, user and system.
  };

  /// May be called from several threads.
  Result compileFile(const std::string &source, const std::string &stem) const;
  Result compileText(const std::string &text, const std::string &stem) const;
  /// The pattern that the compiler chooses; empty with an error if it fails.
  std::string printPattern(const std::string &text, const std::string &stem,
                           std::string &error) const;

private:
  Result run(const std::string &source, const std::string &stem,
             const std::string &output,
             std::initializer_list<const char *> flags) const;
  std::string write(const std::string &text, const std::string &stem,
                    std::string &error) const;

  std::string path, targets, kept, folder;
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_COMPILER_H
