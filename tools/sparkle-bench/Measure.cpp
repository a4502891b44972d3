// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Clocks and child processes; the peak is measured by the runtime.

#include "tools/sparkle-bench/Measure.h"

#include "sparkle/runtime.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sparkle;

double Times::now() {
  std::chrono::duration<double> time =
      std::chrono::steady_clock::now().time_since_epoch();
  return time.count();
}

double Times::getBest() const {
  return *std::min_element(seconds.begin(), seconds.end());
}

double Times::getMedian() const {
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  return sorted[sorted.size() / 2];
}

double sparkle::measurePeak(int threads) {
  sparkle_cpu_peak_t peak;
  sparkle_error_t error;
  if (sparkle_cpu_measure_peak(threads, &peak, &error) != SPARKLE_OK) {
    std::fprintf(stderr, "sparkle-bench: %s\n", error.message);
    std::exit(1);
  }
  return peak.gflops;
}

double sparkle::measureClock() {
  // An addition to the result of the one before takes one cycle.
  const long rounds = 1000000;
  Times times;
  for (int repeat = 0; repeat < 5; ++repeat)
    times.measure([&] {
      long x = 0;
      for (long i = 0; i < rounds; ++i)
        asm volatile("add $1, %0\n add $1, %0\n add $1, %0\n add $1, %0\n"
                     "add $1, %0\n add $1, %0\n add $1, %0\n add $1, %0"
                     : "+r"(x));
    });
  return 8.0 * rounds / times.getBest() * 1e-9;
}

static double toSeconds(const timeval &time) {
  return double(time.tv_sec) + 1e-6 * double(time.tv_usec);
}

double sparkle::measureCompiler(const std::string &compiler,
                                const std::string &source) {
  char folder[] = "/tmp/sparkle-bench-XXXXXX";
  if (!mkdtemp(folder))
    return -1;
  std::string object = std::string(folder) + "/kernel.o";
  pid_t child = fork();
  if (child == 0) {
    execl(compiler.c_str(), compiler.c_str(), source.c_str(), "-o",
          object.c_str(), nullptr);
    std::perror(compiler.c_str());
    _exit(127);
  }
  int status = 0;
  rusage usage = {};
  bool good = wait4(child, &status, 0, &usage) == child && WIFEXITED(status) &&
              WEXITSTATUS(status) == 0;
  unlink(object.c_str());
  unlink((std::string(folder) + "/kernel.h").c_str());
  rmdir(folder);
  return good ? toSeconds(usage.ru_utime) + toSeconds(usage.ru_stime) : -1;
}

std::string sparkle::getProcessorName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0)
      return line.substr(line.find(':') + 2);
  return "unknown";
}
