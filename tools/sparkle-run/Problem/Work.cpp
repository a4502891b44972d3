// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files, descriptors and lists.

#include "tools/sparkle-run/Problem/Work.h"
#include "tools/sparkle-run/Problem/Source.h"

#include <algorithm>
#include <cstdio>
#include <dirent.h>
#include <filesystem>
#include <unistd.h>

using namespace sparkle;

//===----------------------------------------------------------------------===//
// One kernel
//===----------------------------------------------------------------------===//

/// Opens an object; says what is wrong otherwise.
static std::shared_ptr<sparkle_library_t> openLibrary(const std::string &path,
                                                      std::string &error) {
  sparkle_library_t *library = nullptr;
  sparkle_error_t failure;
  std::string place = path.find('/') == std::string::npos ? "./" + path : path;
  if (sparkle_library_open(place.c_str(), &library, &failure) != SPARKLE_OK)
    error = failure.message;
  return std::shared_ptr<sparkle_library_t>(library, ReleaseLibrary());
}

static int64_t getFileSize(const std::string &path) {
  std::error_code failure;
  auto size = std::filesystem::file_size(path, failure);
  return failure ? 0 : int64_t(size);
}

void Work::prepare(const Compiler &compiler, size_t number) {
  if (kernel || !unsupported.empty() || !error.empty())
    return;
  std::string stem = "k" + std::to_string(number);
  Compiler::Result result = compiler.compileText(
      text.empty() ? writeKernel(*asked, "problem") : text, stem);
  compileSeconds = result.seconds;
  error = result.error;
  if (result.object.empty())
    return;
  library = openLibrary(result.object, error);
  objectBytes = getFileSize(result.object);
  if (!result.isKept)
    unlink(result.object.c_str()); // It stays mapped.
  if (library)
    kernel = sparkle_library_find_kernel(library.get(), "problem");
}

void Work::close() {
  kernel = nullptr;
  library.reset();
}

std::map<std::string, int64_t> Work::getSizes(const Options &options) const {
  std::map<std::string, int64_t> sizes = options.sizes;
  if (asked && asked->conv.batchAtRunTime)
    sizes["N"] = asked->conv.batch;
  return sizes;
}

//===----------------------------------------------------------------------===//
// All of them
//===----------------------------------------------------------------------===//

namespace {

class Collector {
public:
  Collector(const Options &options, const Compiler &compiler)
      : options(options), compiler(compiler), reader(options.layout) {}

  bool collect();

  std::vector<Work> work;

private:
  bool fail(const std::string &message) {
    std::fprintf(stderr, "sparkle-run: error: %s\n", message.c_str());
    return false;
  }
  bool addFile(const std::string &path, size_t number);
  bool addFrom(const std::string &folder, const std::string &name);
  /// kind: "list" or "stack".
  bool addList(const std::string &kind, const std::string &name);
  void addCase(const Case &one);
  void filter();
  bool checkSizes();

  const Options &options;
  const Compiler &compiler;
  CaseReader reader;
};

} // namespace

static bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool Collector::addFile(const std::string &path, size_t number) {
  std::string object = path, error;
  double seconds = 0;
  if (endsWith(path, ".spk")) {
    Compiler::Result result =
        compiler.compileFile(path, "file" + std::to_string(number));
    bool isPlaced = result.messages.rfind(path + ":", 0) == 0;
    if (isPlaced)
      std::fputs(result.messages.c_str(), stderr);
    if (result.object.empty()) {
      if (isPlaced && result.messages.find(" error: ") != std::string::npos)
        return false; // That is said.
      return fail(path + ": " + result.error);
    }
    object = result.object;
    seconds = result.seconds;
  }
  std::shared_ptr<sparkle_library_t> library = openLibrary(object, error);
  if (!library)
    return fail(path + ": " + error);
  size_t before = work.size();
  for (size_t i = 0; i < sparkle_library_get_kernel_count(library.get()); ++i) {
    const sparkle_kernel_t *kernel =
        sparkle_library_get_kernel(library.get(), i);
    if (!options.kernel.empty() && options.kernel != kernel->name)
      continue;
    Work one;
    one.name = kernel->name;
    one.problem = path;
    one.library = library;
    one.kernel = kernel;
    one.compileSeconds = seconds;
    one.objectBytes = getFileSize(object);
    work.push_back(std::move(one));
  }
  return work.size() > before ||
         fail(path + ": expected a kernel '" + options.kernel + "'");
}

/// The lists and the stacks lie beside the sources' build or below the
/// installation's share.
static std::string findFolder(const std::string &kind) {
  for (const char *place : {"../share/sparkle/", "../../tools/sparkle-run/"})
    if (std::string folder = getProgramFolder() + place + kind;
        access(folder.c_str(), R_OK) == 0)
      return folder;
  return "";
}

bool Collector::addFrom(const std::string &folder, const std::string &name) {
  CaseReader list(options.layout);
  list.readFile(folder + "/" + name + ".txt");
  for (const std::string &error : list.getErrors())
    return fail(error);
  for (const Case &one : list.getCases())
    addCase(one);
  return true;
}

bool Collector::addList(const std::string &kind, const std::string &name) {
  std::string folder = findFolder(kind + "s");
  bool isAll = kind == "list" && name == "all";
  std::vector<std::string> names;
  if (DIR *files = folder.empty() ? nullptr : opendir(folder.c_str())) {
    while (dirent *entry = readdir(files))
      if (std::string file = entry->d_name; endsWith(file, ".txt"))
        names.push_back(file.substr(0, file.size() - 4));
    closedir(files);
  }
  std::sort(names.begin(), names.end());
  if (!isAll && std::find(names.begin(), names.end(), name) == names.end()) {
    std::string all = kind == "list" ? "all" : "";
    for (const std::string &known : names)
      all += (all.empty() ? "" : ", ") + known;
    return fail("expected a " + kind + " (" + all + "), but got '" + name +
                "'");
  }
  for (const std::string &known : names)
    if ((isAll || name == known) && !addFrom(folder, known))
      return false;
  return true;
}

void Collector::addCase(const Case &one) {
  Work added;
  added.asked = one;
  ConvProblem &conv = added.asked->conv;
  bool isVerify = options.command == "verify";
  // A batch of 0 is what such a problem is about.
  if (int64_t batch = options.batch.value_or(isVerify); batch && conv.batch)
    conv.batch = batch;
  // Without channels to sum over it saves nothing; --alg=wino asks for it.
  if (!options.winograd.empty() && conv.hasWinograd() && !conv.isDepthwise() &&
      one.algorithm != Algorithm::Direct)
    added.asked->algorithm = Algorithm::Winograd;
  if (!options.winograd.empty())
    added.asked->winograd = options.winograd;
  conv.shrink(1e6 * double(options.scale.value_or(isVerify ? 500 : 0)));
  added.problem = conv.spell();
  added.name = conv.name.empty() ? added.problem : conv.name;
  added.unsupported = one.unsupported;
  work.push_back(std::move(added));
}

void Collector::filter() {
  work.erase(std::remove_if(work.begin(), work.end(),
                            [&](const Work &one) {
                              return one.name.find(options.filter) ==
                                         std::string::npos &&
                                     one.problem.find(options.filter) ==
                                         std::string::npos;
                            }),
             work.end());
  if (options.limit && size_t(options.limit) < work.size())
    work.resize(options.limit);
}

static bool hasSize(const Work &one, const std::string &name) {
  if (one.asked)
    return one.asked->conv.batchAtRunTime && name == "N";
  for (uint32_t i = 0; i < one.kernel->size_count; ++i)
    if (name == one.kernel->size_names[i])
      return true;
  return false;
}

/// A size that no kernel has was meant otherwise.
bool Collector::checkSizes() {
  for (const auto &size : options.sizes)
    if (std::none_of(work.begin(), work.end(),
                     [&](const Work &one) { return hasSize(one, size.first); }))
      return fail("expected a size of the kernels for --size, but got '" +
                  size.first + "'");
  return true;
}

bool Collector::collect() {
  for (size_t i = 0; i < options.files.size(); ++i)
    if (!addFile(options.files[i], i))
      return false;
  for (const std::string &problem : options.problems)
    reader.readText(problem, "--problem");
  for (const std::string &path : options.problemFiles)
    reader.readFile(path);
  bool isFile = options.stack.find('/') != std::string::npos;
  if (isFile)
    reader.readFile(options.stack);
  for (const std::string &error : reader.getErrors())
    std::fprintf(stderr, "%s\n", error.c_str());
  for (const std::string &knob : reader.getIgnored())
    std::fprintf(stderr, "sparkle-run: note: %s changes no problem\n",
                 knob.c_str());
  if (size_t count = reader.countWithoutTransform())
    std::fprintf(stderr,
                 "sparkle-run: note: %zu problems of --alg=wino have no "
                 "transform and are computed as they stand (only %s)\n",
                 count, ConvProblem::winogradForm);
  for (const Case &one : reader.getCases())
    addCase(one);
  for (const std::string &name : options.lists)
    if (!addList("list", name))
      return false;
  if (!options.stack.empty() && !isFile && !addList("stack", options.stack))
    return false;
  filter();
  if (!reader.getErrors().empty())
    return false;
  if (work.empty())
    return fail("expected a problem, but none is left");
  return checkSizes();
}

std::optional<std::vector<Work>>
sparkle::collectWork(const Options &options, const Compiler &compiler) {
  Collector collector(options, compiler);
  if (!collector.collect())
    return std::nullopt;
  return std::move(collector.work);
}
