// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Clocks, the peak probe, and child processes.

#include "tools/sparkle-bench/Measure.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <immintrin.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
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

/// 16 independent chains of multiply-adds: enough for two units of latency 4.
__attribute__((target("avx512f"))) static void multiplyAdd(long rounds) {
  __m512 sums[16] = {}, factor = _mm512_set1_ps(0.9999F);
  for (long i = 0; i < rounds; ++i)
#pragma GCC unroll 16
    for (__m512 &sum : sums) {
      sum = _mm512_fmadd_ps(sum, factor, factor);
      asm volatile("" : "+v"(sum)); // Keeps the work.
    }
}

double sparkle::measurePeak(int threads) {
  const long rounds = 1000000;
  Times times;
  for (int repeat = 0; repeat < 5; ++repeat)
    times.measure([&] {
      std::vector<std::thread> others;
      for (int i = 1; i < threads; ++i)
        others.emplace_back([&] { multiplyAdd(rounds); });
      multiplyAdd(rounds);
      for (std::thread &other : others)
        other.join();
    });
  return threads * 16.0 * 16 * 2 * rounds / times.getBest() * 1e-9;
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
