// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads, progress and the head of a report.

#include "tools/sparkle-run/Command/Commands.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <thread>
#include <unistd.h>

using namespace sparkle;

std::string sparkle::getTargets(const std::vector<Device> &devices) {
  std::string all;
  for (const Device &device : devices)
    if (("," + all + ",").find("," + device.getTarget() + ",") ==
        std::string::npos)
      all += (all.empty() ? "" : ",") + device.getTarget();
  return all;
}

size_t sparkle::getJobs(int64_t jobs) {
  return jobs ? size_t(jobs)
              : std::max(std::thread::hardware_concurrency(), 1U);
}

void sparkle::runParallel(size_t count, int64_t jobs,
                          const std::function<void(size_t)> &function) {
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i = next++; i < count; i = next++)
      function(i);
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(getJobs(jobs), count); ++i)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
}

Progress::Progress(size_t count) : count(count), isTerminal(isatty(2)) {}

void Progress::show(size_t done, const std::string &what) {
  if (!isTerminal)
    return;
  std::fprintf(stderr, "\r\033[K[%zu/%zu] %.60s", done, count, what.c_str());
  isShown = true;
}

void Progress::clear() {
  if (isShown)
    std::fprintf(stderr, "\r\033[K");
  isShown = false;
}

std::string sparkle::spellShare(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", share);
  return share == 0 ? "none" : text;
}

std::string sparkle::spellError(const Comparison &comparison) {
  if (comparison.count == 0)
    return "no values at these sizes";
  char text[64];
  std::snprintf(text, sizeof text, "largest error %.3g, %s of its bound at ",
                comparison.largest,
                spellShare(comparison.largestShare).c_str());
  std::string all = text + comparison.where;
  if (comparison.unbounded)
    all += "; " + std::to_string(comparison.unbounded) + " of " +
           std::to_string(comparison.count) + " values without a bound";
  return all;
}

std::string sparkle::getProcessorName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0)
      return line.substr(line.find(':') + 2);
  return "unknown";
}

void sparkle::writeMachine(Json &json, const std::vector<Device> &devices,
                           const Options &options) {
  json.open('{').key("machine").open('{');
  json.field("processor", getProcessorName())
      .field("processors", std::thread::hardware_concurrency())
      .field("threads", options.threads ? unsigned(options.threads)
                                        : std::thread::hardware_concurrency());
  json.key("devices").open('[');
  for (const Device &device : devices)
    json.open('{')
        .field("name", device.getName())
        .field("description", device.getProperties().description)
        .field("driver", device.getProperties().driver)
        .close();
  json.close();
}
