// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the table of problems: text -> sparkle-opt -> shared object -> calls.
// Two processes at a time; the verdict of each problem does not depend on it.

#include "test/end-to-end/Batch.h"
#include "test/end-to-end/Reduce.h"
#include "test/end-to-end/Remember.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sparkle;

namespace {

struct Options {
  std::string program, compiler, table, folder = "end-to-end.work", only, row,
                                        results;
  std::vector<std::string> target; ///< `--cpu` and `--cores`, as they came.
  uint64_t random = 0, seed = 1;
  double mostReferred = INFINITY;
  bool writesOnly = false;
};

/// Runs the problems and says what came of them.
class Session {
public:
  Session(const Options &options, const std::vector<Problem> &problems)
      : options(options),
        problems(problems), workshop{options.compiler, options.target,
                                     options.folder} {}

  /// True if all is well.
  bool run();

private:
  void makeBatches();
  void runBatches(size_t limit);
  void finish(const Batch &batch);
  void report(const Problem &problem, const std::string &error);
  void reduce(const Problem &problem, const std::string &error);
  std::string check(const std::string &row, Problem &problem) const;

  const Options &options;
  const std::vector<Problem> &problems;
  Workshop workshop;
  std::vector<Batch> batches;
  size_t passed = 0, failed = 0, unfit = 0;
};

} // namespace

static const char usage[] =
    "usage: end-to-end --compiler=SPARKLE-OPT --table=SHAPES.TXT [options]\n"
    "  --cpu=NAME     what to compile for (default: this machine's)\n"
    "  --cores=N      for how many cores, as the compiler's option\n"
    "  --row=TEXT     this row, as in a table, in place of the table\n"
    "  --folder=PATH  where files go (default: end-to-end.work)\n"
    "  --only=TEXT    the problems with this name, or with this in their row\n"
    "  --random=N     N random rows in place of the table\n"
    "  --seed=N       what they are drawn from (default: 1)\n"
    "  --most-referred=N  run the emitted references of problems of up to N\n"
    "                 multiply-adds only, where an emulator takes long\n"
    "  --results=PATH where to find what was expected of the same problems\n"
    "                 before, and to leave what was not found there\n"
    "  --texts=PATH   write the problems to this folder and stop\n";

static bool parseOptions(int count, char **words, Options &options) {
  options.program = words[0];
  for (int i = 1; i < count; ++i) {
    std::string word = words[i], value;
    size_t equals = word.find('=');
    if (equals == std::string::npos)
      return false;
    value = word.substr(equals + 1);
    word.resize(equals);
    if (word == "--compiler")
      options.compiler = value;
    else if (word == "--cpu" || word == "--cores")
      options.target.push_back(word + "=" + value);
    else if (word == "--table")
      options.table = value;
    else if (word == "--folder")
      options.folder = value;
    else if (word == "--row")
      options.row = value;
    else if (word == "--only")
      options.only = value;
    else if (word == "--results")
      options.results = value;
    else if (word == "--random")
      options.random = std::strtoull(value.c_str(), nullptr, 10);
    else if (word == "--seed")
      options.seed = std::strtoull(value.c_str(), nullptr, 10);
    else if (word == "--most-referred")
      options.mostReferred = std::strtod(value.c_str(), nullptr);
    else if (word == "--texts") {
      options.folder = value;
      options.writesOnly = true;
    } else
      return false;
  }
  if (options.writesOnly)
    options.compiler = "none";
  return !options.compiler.empty() &&
         !(options.table.empty() && options.row.empty() && !options.random);
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
  if (!options.row.empty())
    all.push_back(parseRow(options.row, "row"));
  else if (options.random == 0)
    all = readTable(options.table);
  uint64_t state = options.seed;
  for (uint64_t i = 0; i < options.random; ++i)
    all.push_back(parseRow(drawRow(state), "random" + std::to_string(i)));
  for (Problem &problem : all)
    if (options.only.empty() || problem.name == options.only ||
        problem.title.find(options.only) != std::string::npos)
      kept.push_back(std::move(problem));
  if (!options.results.empty())
    mkdir(options.results.c_str(), 0777);
  for (Problem &problem : kept) {
    problem.runsReference = problem.products <= options.mostReferred;
    if (!options.results.empty() && problem.reference)
      rememberResults(problem, options.results);
  }
  return kept;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

void Session::makeBatches() {
  const size_t perBatch = 8;
  for (size_t i = 0; i < problems.size(); i += perBatch) {
    std::vector<const Problem *> some;
    for (size_t j = i; j < std::min(i + perBatch, problems.size()); ++j)
      some.push_back(&problems[j]);
    batches.emplace_back(workshop, "batch" + std::to_string(i / perBatch),
                         some);
  }
}

/// Whether a pattern written for a larger processor asks for more than the one
/// has that is compiled for: the compiler says so, and there is nothing to run.
static bool isUnfit(const Problem &problem, const std::string &error) {
  auto has = [&](const char *words) {
    return error.find(words) != std::string::npos;
  };
  size_t pattern = problem.row.find('|');
  if (pattern == std::string::npos || error.rfind("does not compile: ", 0) != 0)
    return false;
  return (has(" error: expected a register tile of at most ") &&
          problem.row.find("registers ", pattern) != std::string::npos) ||
         (has(" error: expected at most ") && has(" lanes, but got ") &&
          problem.row.find("lanes ", pattern) != std::string::npos) ||
         (has(" error: expected staged boxes of at most ") &&
          problem.row.find("stage ", pattern) != std::string::npos &&
          problem.row.find("workers ", pattern) != std::string::npos);
}

/// Runs all batches, at most `limit` of them at once; their verdicts come in
/// their order.
void Session::runBatches(size_t limit) {
  size_t started = 0, finished = 0;
  for (;;) {
    std::vector<Batch *> running;
    std::vector<pollfd> descriptors;
    for (size_t i = finished; i < started; ++i)
      if (batches[i].isRunning())
        running.push_back(&batches[i]);
    while (running.size() < limit && started < batches.size()) {
      batches[started].start();
      running.push_back(&batches[started++]);
    }
    if (running.empty() && finished == started)
      return;
    for (Batch *batch : running)
      descriptors.push_back({batch->getDescriptor(), POLLIN, 0});
    poll(descriptors.data(), descriptors.size(), -1);
    for (size_t i = 0; i < running.size(); ++i)
      if (descriptors[i].revents)
        running[i]->receive();
    for (; finished < started && !batches[finished].isRunning(); ++finished)
      finish(batches[finished]);
  }
}

void Session::finish(const Batch &batch) {
  const size_t perLine = 1000; // Of a run that takes long.
  size_t before = passed + failed + unfit;
  for (size_t i = 0; i < batch.size(); ++i) {
    const std::string &error = batch.getError(i);
    if (isUnfit(batch.getProblem(i), error)) {
      ++unfit;
      std::printf("does not fit the processor: %s: %s\n",
                  batch.getProblem(i).name.c_str(),
                  batch.getProblem(i).title.c_str());
      continue;
    }
    ++(error.empty() ? passed : failed);
    if (!error.empty())
      report(batch.getProblem(i), error);
  }
  for (const char *extension : {".spk", ".so", ".log"})
    unlink(workshop.getPath(batch.getStem(), extension).c_str());
  size_t count = passed + failed + unfit;
  if (count / perLine != before / perLine && count < problems.size())
    std::printf("%zu of %zu, %zu failed\n", count, problems.size(), failed);
  std::fflush(stdout);
}

bool Session::run() {
  mkdir(options.folder.c_str(), 0777);
  makeBatches();
  runBatches(2);
  if (size_t left = std::count_if(
          problems.begin(), problems.end(),
          [](const Problem &problem) { return !problem.runsReference; }))
    std::printf("%zu emitted references were not run\n", left);
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return passed && !failed;
}

//===----------------------------------------------------------------------===//
// Failing
//===----------------------------------------------------------------------===//

/// What kind of failure it is, so that a case does not turn into another one
/// while it shrinks: what the compiler says, without numbers, or that the
/// kernel is wrong.
static std::string classify(const std::string &error) {
  if (error.rfind("does not compile: ", 0) != 0)
    return error.empty() ? "" : "wrong";
  size_t at = error.find(" error: ");
  std::string words = at == std::string::npos ? "crash" : error.substr(at, 60);
  words.erase(std::remove_if(words.begin(), words.end(),
                             [](char letter) { return std::isdigit(letter); }),
              words.end());
  return words;
}

/// The verdict on a row alone, empty if it is none.
std::string Session::check(const std::string &row, Problem &problem) const {
  problem = parseRow(row, "reduced" + std::to_string(failed));
  if (problem.text.empty())
    return "";
  Batch batch(workshop, problem.name, {&problem});
  batch.start();
  while (batch.isRunning())
    batch.receive();
  return batch.getError(0);
}

void Session::reduce(const Problem &problem, const std::string &error) {
  Problem reduced = problem;
  const unsigned attempts = 400;
  const std::string kind = classify(error);
  std::string row = reduceRow(
      problem.row,
      [&](const std::string &row) {
        return classify(check(row, reduced)) == kind;
      },
      attempts);
  std::string last = check(row, reduced);
  std::ofstream(workshop.getPath(reduced.name, ".spk")) << reduced.text;
  std::printf("reduced: %s\n  %s\n%s ", row.c_str(), last.c_str(),
              reduced.text.c_str());
  for (const std::string &word : workshop.getCommand(reduced.name))
    std::printf(" %s", word.c_str());
  std::printf("\n  %s --compiler=%s", options.program.c_str(),
              options.compiler.c_str());
  for (const std::string &word : options.target)
    std::printf(" %s", word.c_str());
  std::printf(" --row='%s'\n", row.c_str());
}

/// The first few cases are reduced: they tend to have the same cause. So is
/// none that hangs, for each attempt would.
void Session::report(const Problem &problem, const std::string &error) {
  const size_t mostReduced = 10;
  std::printf("FAILED: %s: %s\n  %s\n", problem.name.c_str(),
              problem.title.c_str(), error.c_str());
  bool hangs = error.find("ran for too long") != std::string::npos;
  if (!problem.row.empty() && !hangs && failed <= mostReduced) {
    reduce(problem, error);
  } else {
    std::ofstream(workshop.getPath(problem.name, ".spk")) << problem.text;
    std::printf("%s ", problem.text.c_str());
    for (const std::string &word : workshop.getCommand(problem.name))
      std::printf(" %s", word.c_str());
  }
  std::printf("\n\n");
}

int main(int count, char **words) {
  Options options;
  if (!parseOptions(count, words, options)) {
    std::fputs(usage, stderr);
    return 2;
  }
  std::vector<Problem> problems = makeProblems(options);
  if (!options.writesOnly)
    return !Session(options, problems).run();
  mkdir(options.folder.c_str(), 0777);
  for (const Problem &problem : problems)
    std::ofstream(options.folder + "/" + problem.name + ".spk") << problem.text;
  return problems.empty();
}
