// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sparkle-run compile: problems -> a folder of objects, for machines that have
// no compiler; or one file of them all.

#include "tools/sparkle-run/Command/Commands.h"
#include "tools/sparkle-run/Problem/Source.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <dlfcn.h>
#include <filesystem>
#include <mutex>
#include <set>

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

static bool isText(const std::string &output) {
  return std::filesystem::path(output).extension() == ".spk";
}

/// "a.b*2" as the name of a kernel: a_b_2, or a_b_2_ if that is taken, by the C
/// library or by one before.
static std::string findName(const std::string &name,
                            std::set<std::string> &taken) {
  std::string identifier = std::isalpha((unsigned char)name[0]) ? "" : "k";
  for (unsigned char letter : name)
    identifier += std::isalnum(letter) ? char(letter) : '_';
  // Kernels have 64 characters at most; some are left for underscores.
  identifier.resize(std::min<size_t>(identifier.size(), 56));
  while (identifier == "main" || dlsym(RTLD_DEFAULT, identifier.c_str()) ||
         !taken.insert(identifier).second)
    identifier += "_";
  return identifier;
}

/// Puts what is supported into one file. Returns what is wrong, if anything.
static std::string writeOne(const std::vector<Work> &work,
                            const Compiler &compiler,
                            const std::string &output) {
  std::string text;
  std::set<std::string> taken;
  for (const Work &one : work)
    if (one.unsupported.empty())
      text += writeKernel(*one.asked, findName(one.name, taken)) + "\n";
  if (taken.empty())
    return "";
  return isText(output) ? compiler.writeTo(text, output)
                        : compiler.compileTo(text, output);
}

/// One object for each problem, in the compiler's folder.
static void fillFolder(std::vector<Work> &work, const Compiler &compiler,
                       int64_t jobs) {
  Progress progress(work.size());
  size_t done = 0;
  std::mutex mutex;
  runParallel(work.size(), jobs, [&](size_t i) {
    work[i].prepare(compiler, i);
    work[i].close();
    std::lock_guard<std::mutex> lock(mutex);
    progress.show(++done, work[i].name);
  });
  progress.clear();
}

int sparkle::compile(const Options &options) {
  Compiler compiler(options, ::getTargets(options.devices));
  auto work = collectWork(options, compiler);
  if (!work)
    return 1;
  if (options.output.empty()) {
    fillFolder(*work, compiler, options.jobs);
  } else if (std::string error = writeOne(*work, compiler, options.output);
             !error.empty()) {
    std::fprintf(stderr, "sparkle-run: error: %s\n", error.c_str());
    return 1;
  }
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
  std::printf("%zu %s, %zu failed, %zu unsupported\n",
              work->size() - failed - unsupported,
              isText(options.output) ? "written" : "compiled", failed,
              unsupported);
  return failed == 0 && unsupported < work->size() ? 0 : 1;
}
