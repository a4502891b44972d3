// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sparkle-run compile: fills a folder with compiled problems, for machines that
// have no compiler.

#include "tools/sparkle-run/Command/Commands.h"

#include <cstdio>
#include <mutex>

using namespace sparkle;

/// "cpu,npu" of cpu, npu:0 and npu:1.
static std::string getTargets(const std::vector<std::string> &devices) {
  std::string all;
  for (const std::string &device : devices) {
    std::string word = device.substr(0, device.find(':'));
    if (("," + all + ",").find("," + word + ",") == std::string::npos)
      all += (all.empty() ? "" : ",") + word;
  }
  return all;
}

int sparkle::compile(const Options &options) {
  Compiler compiler(options, ::getTargets(options.devices));
  auto work = collectWork(options, compiler);
  if (!work)
    return 1;
  Progress progress(work->size());
  size_t done = 0;
  std::mutex mutex;
  runParallel(work->size(), options.jobs, [&](size_t i) {
    (*work)[i].prepare(compiler, i);
    (*work)[i].close();
    std::lock_guard<std::mutex> lock(mutex);
    progress.show(++done, (*work)[i].name);
  });
  progress.clear();
  size_t failed = 0, unsupported = 0;
  for (const Work &one : *work) {
    failed += !one.error.empty();
    unsupported += !one.unsupported.empty();
    if (!one.error.empty() || !one.unsupported.empty())
      std::printf("%-11s %s: %s\n",
                  one.error.empty() ? "unsupported" : "FAILED",
                  one.name.c_str(),
                  (one.error.empty() ? one.unsupported : one.error).c_str());
  }
  std::printf("%zu compiled, %zu failed, %zu unsupported\n",
              work->size() - failed - unsupported, failed, unsupported);
  return failed == 0 && unsupported < work->size() ? 0 : 1;
}
