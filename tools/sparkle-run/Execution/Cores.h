// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cores that the program may use. A thread has those of the one that starts
// it, and OpenMP leaves a bound one, such as the main thread, only one of them.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_CORES_H
#define SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_CORES_H

#include <sched.h>
#include <thread>

namespace sparkle {

class Cores {
public:
  /// Those of the calling thread.
  Cores() {
    CPU_ZERO(&mask); // None are no cores to change to.
    sched_getaffinity(0, sizeof mask, &mask);
  }

  /// Calls `body` in a thread that has all of them, as have those it starts.
  template <typename Body> void run(Body body) const {
    std::thread([&] {
      sched_setaffinity(0, sizeof mask, &mask);
      body();
    }).join();
  }

private:
  cpu_set_t mask;
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_CORES_H
