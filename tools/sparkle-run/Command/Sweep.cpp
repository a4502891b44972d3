// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sparkle-run sweep: tries the patterns around the automatic one, in turns with
// it in one process, and says how far from the best it is.

#include "tools/sparkle-run/Command/Commands.h"
#include "tools/sparkle-run/Execution/Times.h"
#include "tools/sparkle-run/Problem/Pattern.h"
#include "tools/sparkle-run/Problem/Source.h"

#include <chrono>
#include <cstdio>
#include <set>

using namespace sparkle;

namespace {

/// One pattern of a layer.
struct Contender {
  explicit Contender(Pattern pattern) : pattern(std::move(pattern)) {}

  Pattern pattern;
  Work work; ///< Its code.
  std::unique_ptr<Instance> instance;
  std::unique_ptr<Session> session;
  Times times;
  double score = 0; ///< Its time over that of `auto` beside it.
  std::string error;
};

using Contenders = std::vector<std::unique_ptr<Contender>>;

/// What was found for one layer.
struct Found {
  std::string name, problem, error;
  std::string winner; ///< Its pattern.
  double ms = 0, bestMs = 0;
  double ratio = 1; ///< Of the automatic pattern's time to the winner's.
  size_t tried = 0, refused = 0;
};

class Sweep {
public:
  Sweep(const Options &options, const Device &device, const Compiler &compiler,
        const Work &layer)
      : options(options), device(device), compiler(compiler), layer(layer) {}

  Found run();

private:
  bool fail(const std::string &message) {
    found.error = message;
    return false;
  }
  bool compileAutomatic();
  void build(Contender &contender, size_t number);
  bool open(Contender &contender);
  bool check(Contender &contender);
  void tryAll(const std::vector<Pattern> &patterns);
  bool race(const std::vector<Contender *> &group, int64_t rounds);
  std::vector<Contender *> getBest(size_t count) const;
  bool runFinal();

  const Options &options;
  const Device &device;
  const Compiler &compiler;
  const Work &layer;
  Found found;
  std::string text; ///< The kernel without a pattern.
  std::unique_ptr<Contender> automatic;
  Contenders contenders;
  std::set<std::string> known; ///< Patterns that were tried.
};

} // namespace

//===----------------------------------------------------------------------===//
// Contenders
//===----------------------------------------------------------------------===//

void Sweep::build(Contender &contender, size_t number) {
  contender.work = layer;
  contender.work.text = text + contender.pattern.spell();
  contender.work.prepare(compiler, number);
  contender.error = contender.work.error;
}

bool Sweep::compileAutomatic() {
  text = writeKernel(*layer.asked, "problem");
  std::string error;
  std::string printed = compiler.printPattern(text, "automatic", error);
  std::optional<Pattern> pattern = Pattern::parse(printed);
  if (!pattern)
    return fail(error.empty() ? "expected one pattern, but got\n" + printed
                              : error);
  known.insert(pattern->spell());
  automatic = std::make_unique<Contender>(*pattern);
  build(*automatic, 0);
  return automatic->error.empty() || fail(automatic->error);
}

/// Brings its data into memory; on the CPU inputs and outputs are those of
/// `auto`, as it makes a difference which pages they got.
bool Sweep::open(Contender &contender) {
  if (contender.session)
    return true;
  contender.instance = std::make_unique<Instance>(
      *contender.work.kernel, contender.work.getSizes(options));
  if (!contender.instance->getObstacle().empty())
    return fail(contender.instance->getObstacle());
  contender.instance->fill();
  contender.session = std::make_unique<Session>(device, *contender.instance);
  Session &session = *contender.session;
  if (session.open() != Session::Status::Ready || !session.prepareTiming())
    return fail(session.getError());
  const std::vector<Tensor> &tensors = contender.instance->getTensors();
  for (size_t t = 0; device.isCpu() && t < tensors.size(); ++t)
    if (tensors[t].getRole() == SPARKLE_ROLE_INPUT ||
        tensors[t].getRole() == SPARKLE_ROLE_OUTPUT)
      session.setData(t, automatic->session->getData(t));
  return true;
}

bool Sweep::check(Contender &contender) {
  Outputs outputs;
  if (!contender.session->readOutputs(outputs) ||
      !contender.instance->computeReference())
    return fail("expected outputs and a reference");
  Comparison comparison = contender.instance->compare(outputs);
  return comparison.isGood() ||
         fail(comparison.describe() + " with\n" + contender.pattern.spell());
}

//===----------------------------------------------------------------------===//
// Races
//===----------------------------------------------------------------------===//

/// Bursts in turn; the first call of each brings data into the caches and is
/// not counted.
bool Sweep::race(const std::vector<Contender *> &group, int64_t rounds) {
  constexpr int burst = 3;
  if (!open(*automatic))
    return false;
  for (Contender *one : group) {
    one->times = Times();
    if (!open(*one))
      return false;
  }
  auto begin = std::chrono::steady_clock::now();
  for (int64_t round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < group.size(); ++i) {
      Contender &one = *group[(i + size_t(round)) % group.size()];
      one.times.beginRound();
      for (int call = 0; call <= burst; ++call) {
        double seconds = 0;
        if (!one.session->time(seconds))
          return fail(one.session->getError());
        if (call)
          one.times.add(seconds);
      }
    }
    std::chrono::duration<double> spent =
        std::chrono::steady_clock::now() - begin;
    if (round >= 2 && spent.count() > double(group.size()))
      break; // Long kernels need no more.
  }
  return true;
}

/// Compiles and times what was not tried before. A few are in memory at a time,
/// with `auto` among them, so that what else the machine does meets all alike.
void Sweep::tryAll(const std::vector<Pattern> &patterns) {
  constexpr size_t together = 6;
  constexpr int64_t rounds = 4;
  Contenders added;
  for (const Pattern &pattern : patterns)
    if (known.insert(pattern.spell()).second)
      added.push_back(std::make_unique<Contender>(pattern));
  for (size_t begin = 0; begin < added.size(); begin += together) {
    size_t count = std::min(together, added.size() - begin);
    runParallel(count, options.jobs,
                [&](size_t i) { build(*added[begin + i], i + 1); });
    std::vector<Contender *> group = {automatic.get()};
    for (size_t i = 0; i < count; ++i)
      if (added[begin + i]->error.empty())
        group.push_back(added[begin + i].get());
    found.tried += group.size() - 1;
    found.refused += count + 1 - group.size();
    if (!race(group, rounds))
      return;
    for (Contender *one : group) {
      one->score = one->times.getRatioTo(automatic->times);
      if (one != automatic.get()) {
        one->session.reset();
        one->instance.reset();
      }
    }
  }
  for (std::unique_ptr<Contender> &one : added)
    if (one->error.empty())
      contenders.push_back(std::move(one));
}

std::vector<Contender *> Sweep::getBest(size_t count) const {
  std::vector<Contender *> best;
  for (const std::unique_ptr<Contender> &one : contenders)
    best.push_back(one.get());
  std::sort(best.begin(), best.end(),
            [](Contender *a, Contender *b) { return a->score < b->score; });
  best.resize(std::min(count, best.size()));
  return best;
}

/// The best few once more, longer, for many of one kind make a lucky one.
bool Sweep::runFinal() {
  std::vector<Contender *> finalists = getBest(4);
  finalists.push_back(automatic.get());
  if (!race(finalists, options.rounds))
    return false;
  const Contender *best = automatic.get();
  for (Contender *one : finalists) {
    if (!check(*one))
      return false;
    one->score = one->times.getRatioTo(automatic->times);
    if (one->score < best->score)
      best = one;
  }
  found.ms = automatic->times.getMedian() * 1e3;
  found.bestMs = best->times.getMedian() * 1e3;
  found.ratio = automatic->times.getRatioTo(best->times);
  found.winner = best->pattern.summarise();
  return true;
}

Found Sweep::run() {
  found.name = layer.name;
  found.problem = layer.problem;
  if (!layer.unsupported.empty() || !layer.asked) {
    fail(layer.asked ? layer.unsupported : "expected a problem or a list");
    return found;
  }
  if (!compileAutomatic())
    return found;
  std::map<std::string, int64_t> extents = getExtents(layer.asked->conv);
  PatternGrid grid(automatic->pattern, extents);
  tryAll(grid.getTiles());
  constexpr size_t kept = 3;
  auto widen = [&](auto getAround) {
    std::vector<Pattern> around = getAround(automatic->pattern);
    for (const Contender *one : getBest(kept))
      for (const Pattern &pattern : getAround(one->pattern))
        around.push_back(pattern);
    if (found.error.empty())
      tryAll(around);
  };
  widen([&](const Pattern &tile) { return grid.getSlices(tile); });
  widen([&](const Pattern &tile) { return grid.getNests(tile); });
  if (found.error.empty())
    runFinal();
  return found;
}

//===----------------------------------------------------------------------===//
// Reporting
//===----------------------------------------------------------------------===//

static void print(const Found &found) {
  if (!found.error.empty()) {
    std::printf("%-34s FAILED: %s\n", found.name.c_str(), found.error.c_str());
    return;
  }
  std::printf("%-34s %9.4f %9.4f %6.3f %6zu  %s\n", found.name.c_str(),
              found.ms, found.bestMs, found.ratio, found.tried,
              found.winner.c_str());
  std::fflush(stdout);
}

static void write(Json &json, const Found &found) {
  json.open('{').field("name", found.name).field("problem", found.problem);
  if (!found.error.empty())
    json.field("error", found.error);
  else
    json.field("auto_ms", found.ms)
        .field("best_ms", found.bestMs)
        .field("ratio", found.ratio)
        .field("tried", uint64_t(found.tried))
        .field("refused", uint64_t(found.refused))
        .field("winner", found.winner);
  json.close();
}

int sparkle::sweep(const sparkle_context_t *context, const Options &options) {
  auto devices = findDevices(context, options.devices);
  if (!devices)
    return 1;
  Compiler compiler(options, getTargets(*devices));
  auto work = collectWork(options, compiler);
  if (!work)
    return 1;
  Json json;
  writeMachine(json, *devices, options);
  json.close().key("results").open('[');
  if (!options.isJson)
    std::printf("%s\n%-34s %9s %9s %6s %6s  %s\n", getProcessorName().c_str(),
                "layer", "auto, ms", "best, ms", "ratio", "tried", "the best");
  Progress progress(work->size());
  bool isGood = true;
  for (size_t i = 0; i < work->size(); ++i) {
    progress.show(i, (*work)[i].name);
    Found found = Sweep(options, devices->front(), compiler, (*work)[i]).run();
    progress.clear();
    isGood &= found.error.empty();
    write(json, found);
    if (!options.isJson)
      print(found);
  }
  if (options.isJson)
    std::printf("%s\n", json.close().close().getText().c_str());
  return isGood ? 0 : 1;
}
