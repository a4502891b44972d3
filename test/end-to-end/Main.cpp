// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the table of problems: text -> sparkle-opt -> shared object -> calls.
// Two processes at a time; the verdict of each problem does not depend on it.

#include "test/end-to-end/Batch.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <poll.h>
#include <sys/stat.h>

using namespace sparkle;

namespace {

struct Options {
  std::string compiler, table, folder = "end-to-end.work", only;
  uint64_t random = 0, seed = 1;
  bool writesOnly = false;
};

} // namespace

static const char usage[] =
    "usage: end-to-end --compiler=SPARKLE-OPT --table=SHAPES.TXT [options]\n"
    "  --folder=PATH  where files go (default: end-to-end.work)\n"
    "  --only=TEXT    the problems with this name, or with this in their row\n"
    "  --random=N     N random rows in place of the table\n"
    "  --seed=N       what they are drawn from (default: 1)\n"
    "  --texts=PATH   write the problems to this folder and stop\n";

static bool parseOptions(int count, char **words, Options &options) {
  for (int i = 1; i < count; ++i) {
    std::string word = words[i], value;
    size_t equals = word.find('=');
    if (equals == std::string::npos)
      return false;
    value = word.substr(equals + 1);
    word.resize(equals);
    if (word == "--compiler")
      options.compiler = value;
    else if (word == "--table")
      options.table = value;
    else if (word == "--folder")
      options.folder = value;
    else if (word == "--only")
      options.only = value;
    else if (word == "--random")
      options.random = std::strtoull(value.c_str(), nullptr, 10);
    else if (word == "--seed")
      options.seed = std::strtoull(value.c_str(), nullptr, 10);
    else if (word == "--texts") {
      options.folder = value;
      options.writesOnly = true;
    } else
      return false;
  }
  if (options.writesOnly)
    options.compiler = "none";
  return !options.compiler.empty() &&
         !(options.table.empty() && !options.random);
}

/// The rows of the table as problems `rowLINE`, then the other kernels.
static std::vector<Problem> readTable(const std::string &path) {
  std::vector<Problem> problems;
  std::ifstream file(path);
  if (!file)
    std::perror(path.c_str());
  std::string line;
  for (unsigned number = 1; std::getline(file, line); ++number)
    if (!line.empty() && line[0] != '#')
      problems.push_back(parseRow(line, "row" + std::to_string(number)));
  for (Problem &problem : makeKernels())
    problems.push_back(std::move(problem));
  return problems;
}

static std::vector<Problem> makeProblems(const Options &options) {
  std::vector<Problem> all, kept;
  if (options.random == 0)
    all = readTable(options.table);
  uint64_t state = options.seed;
  for (uint64_t i = 0; i < options.random; ++i)
    all.push_back(parseRow(drawRow(state), "random" + std::to_string(i)));
  for (Problem &problem : all)
    if (options.only.empty() || problem.name == options.only ||
        problem.title.find(options.only) != std::string::npos)
      kept.push_back(std::move(problem));
  return kept;
}

/// Runs all batches, at most `limit` of them at once.
static void runBatches(std::vector<Batch> &batches, size_t limit) {
  size_t started = 0;
  for (;;) {
    std::vector<Batch *> running;
    std::vector<pollfd> descriptors;
    for (Batch &batch : batches)
      if (batch.isRunning())
        running.push_back(&batch);
    while (running.size() < limit && started < batches.size()) {
      batches[started].start();
      running.push_back(&batches[started++]);
    }
    if (running.empty())
      return;
    for (Batch *batch : running)
      descriptors.push_back({batch->getDescriptor(), POLLIN, 0});
    poll(descriptors.data(), descriptors.size(), -1);
    for (size_t i = 0; i < running.size(); ++i)
      if (descriptors[i].revents)
        running[i]->receive();
  }
}

static void report(const Problem &problem, const std::string &error,
                   const Workshop &workshop) {
  std::printf("FAILED: %s: %s\n  %s\n", problem.name.c_str(),
              problem.title.c_str(), error.c_str());
  std::ofstream(workshop.getPath(problem.name, ".spk")) << problem.text;
  std::printf("%s ", problem.text.c_str());
  for (const std::string &word : workshop.getCommand(problem.name))
    std::printf(" %s", word.c_str());
  std::printf("\n\n");
}

int main(int count, char **words) {
  Options options;
  if (!parseOptions(count, words, options)) {
    std::fputs(usage, stderr);
    return 2;
  }
  Workshop workshop{options.compiler, options.folder};
  mkdir(options.folder.c_str(), 0777);
  std::vector<Problem> problems = makeProblems(options);
  if (options.writesOnly) {
    for (const Problem &problem : problems)
      std::ofstream(workshop.getPath(problem.name, ".spk")) << problem.text;
    return problems.empty();
  }
  const size_t perBatch = 8;
  std::vector<Batch> batches;
  for (size_t i = 0; i < problems.size(); i += perBatch) {
    std::vector<const Problem *> some;
    for (size_t j = i; j < std::min(i + perBatch, problems.size()); ++j)
      some.push_back(&problems[j]);
    batches.emplace_back(workshop, "batch" + std::to_string(i / perBatch),
                         some);
  }
  runBatches(batches, 2);

  unsigned passed = 0, failed = 0;
  for (const Batch &batch : batches)
    for (size_t i = 0; i < batch.size(); ++i) {
      bool good = batch.getError(i).empty();
      ++(good ? passed : failed);
      if (!good)
        report(batch.getProblem(i), batch.getError(i), workshop);
    }
  std::printf("%u passed, %u failed\n", passed, failed);
  return failed || !passed;
}
