// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Problems that are compiled into one shared object and run by one process,
// so that a kernel that crashes takes nothing else with it.

#ifndef SPARKLE_TEST_END_TO_END_BATCH_H
#define SPARKLE_TEST_END_TO_END_BATCH_H

#include "test/end-to-end/Problem.h"

#include <sys/types.h>

namespace sparkle {

/// Where the compiler is, and where files go.
struct Workshop {
  std::string compiler;
  std::vector<std::string> target; ///< What the compiler is told of it.
  std::string folder;

  std::string getPath(const std::string &stem, const char *extension) const {
    return folder + "/" + stem + extension;
  }
  /// The arguments that compile `stem`.spk to `stem`.so.
  std::vector<std::string> getCommand(const std::string &stem) const;
};

class Batch {
public:
  Batch(const Workshop &workshop, std::string stem,
        std::vector<const Problem *> problems)
      : workshop(workshop), stem(std::move(stem)),
        problems(std::move(problems)), errors(this->problems.size()) {}

  /// Starts a process for the problems that have no verdict yet.
  void start();
  bool isRunning() const { return child > 0; }
  int getDescriptor() const { return descriptor; }
  /// Takes what the process has to say; at its end, starts another one if it
  /// died in a problem with others behind that.
  void receive();

  const std::string &getStem() const { return stem; }
  size_t size() const { return problems.size(); }
  const Problem &getProblem(size_t i) const { return *problems[i]; }
  const std::string &getError(size_t i) const { return errors[i]; }

private:
  [[noreturn]] void runChild(int to) const;
  bool compile(const std::string &name, const std::string &text) const;
  std::string runOne(const Problem &problem) const;

  const Workshop &workshop;
  std::string stem;
  std::vector<const Problem *> problems;
  std::vector<std::string> errors;
  size_t done = 0;
  std::string received;
  pid_t child = 0;
  int descriptor = -1;
};

} // namespace sparkle

#endif // SPARKLE_TEST_END_TO_END_BATCH_H
