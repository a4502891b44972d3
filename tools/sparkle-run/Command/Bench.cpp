// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sparkle-run bench: times kernels against the peak of their device, measured
// in the same run, and against peers, in turns in one process; then checks
// what they computed. A kernel faster than the peak did not do the work.

#include "tools/sparkle-run/Command/Commands.h"
#include "tools/sparkle-run/Execution/Peaks.h"
#include "tools/sparkle-run/Execution/Times.h"
#include "tools/sparkle-run/Peer/Peer.h"
#include "tools/sparkle-run/Problem/Source.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <set>

using namespace sparkle;

namespace {

/// What a kernel is measured against.
struct Opponent {
  /// Before its keys in JSON, and in the head of the table.
  const char *prefix, *title;
  std::unique_ptr<Peer> (*make)(const Case &, const Device &, const Instance &,
                                std::string &);
  bool isForWinograd; ///< Only where ours is Winograd, too.
};

/// One kernel on one of them.
struct Counterpart {
  Times times;
  std::string method, missing; ///< Why there is none.
  Outputs outputs;
  double distance = 0; ///< As a share of the bound; at most 2.
};

/// One kernel on one device.
struct Figure {
  std::string name, problem, error, unsupported;
  size_t device = 0;
  std::string processor; ///< Of the variant that was chosen.
  Times ours;
  std::vector<Counterpart> theirs; ///< One for each opponent.
  /// Of the algorithm, and those that the code does.
  double operations = 0, done = 0;
  double nominal = 0, compileSeconds = 0;
  double creation = 0, warmCreation = 0; ///< Seconds.
  int64_t objectBytes = 0;
  int64_t farBytes = -1, nearBytes = -1;
  bool hasDeviceTimes = false;
  Outputs outputs;
  Comparison comparison;
  bool isChecked = false;
  /// It makes the results by other operations than the algorithm's, so that
  /// these over the time are no rate of any.
  bool isEffective = false;

  bool isTimed() const { return !ours.isEmpty(); }
  double getRate(double count) const { return count / ours.getMedian() * 1e-9; }
};

std::vector<Opponent> findOpponents(const std::string &peer) {
  if (peer == "glsl")
    return {{"", "peer", makeFloor, false}};
  if (peer == "onednn")
    return {{"", "peer", makeOneDnn, false}};
  if (peer == "halide")
    return {{"", "peer", makeHalide, false},
            {"tuned_", "tuned", makeHalideTuned, false}};
  if (peer == "onednn-winograd")
    return {{"", "peer", makeOneDnn, false},
            {"winograd_", "Winograd", makeOneDnnWinograd, true}};
  return {};
}

class Bench {
public:
  Bench(const Options &options, const std::vector<Device> &devices,
        const Compiler &compiler, std::vector<Work> work)
      : options(options), devices(devices), compiler(compiler),
        work(std::move(work)), opponents(findOpponents(options.peer)),
        peaks(devices, options.threads) {}

  int run();

private:
  void prepare(size_t i);
  Figure measure(size_t i, size_t device);
  static void addInPlace(Session &session, const Work &one);
  void meet(Figure &figure, Session &session, const Work &one,
            const Instance &instance);
  void time(Figure &figure, Session &session,
            const std::vector<std::unique_ptr<Peer>> &peers);
  void check(size_t i);
  bool isAbovePeak(const Figure &figure) const {
    return figure.isTimed() &&
           figure.getRate(figure.done) >
               Peaks::getLimit(peaks.getOperations(figure.device));
  }
  /// What it does beside what the device can do; never effective.
  double getPercent(const Figure &figure) const {
    return 100 * figure.getRate(figure.done) /
           peaks.getOperations(figure.device);
  }
  bool isGood(const Figure &figure) const;
  void printCounts() const;
  std::string getPeerName() const;
  std::string getVerdict(const Figure &figure) const;
  void print() const;
  void printNotes() const;
  void printFigure(const Figure &figure) const;
  void printSummary() const;
  void printMean(size_t opponent) const;
  void writeJson() const;
  void writeFigure(Json &json, const Figure &figure) const;

  const Options &options;
  const std::vector<Device> &devices;
  const Compiler &compiler;
  std::vector<Work> work;
  std::vector<Opponent> opponents;
  Peaks peaks;
  std::vector<std::unique_ptr<Instance>> instances;
  std::vector<std::vector<Figure>> figures; ///< Of each work, by device.
};

} // namespace

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

void Bench::prepare(size_t i) {
  work[i].prepare(compiler, i);
  if (!work[i].kernel)
    return;
  instances[i] =
      std::make_unique<Instance>(*work[i].kernel, work[i].getSizes(options));
  if (instances[i]->getObstacle().empty())
    instances[i]->fill();
}

/// A burst leaves each side its own data in the caches; its first call, which
/// brings them there, is not counted.
void Bench::time(Figure &figure, Session &session,
                 const std::vector<std::unique_ptr<Peer>> &peers) {
  using Clock = std::chrono::steady_clock;
  const int burst = 5;
  auto begin = Clock::now();
  auto timeOurs = [&] {
    figure.ours.beginRound();
    for (int i = 0; i <= burst; ++i) {
      double seconds = 0;
      if (!session.time(seconds)) {
        figure.error = session.getError();
        return;
      }
      if (i)
        figure.ours.add(seconds);
    }
  };
  auto timeTheirs = [&](size_t which) {
    if (!peers[which])
      return;
    figure.theirs[which].times.beginRound();
    for (int i = 0; i <= burst; ++i) {
      double seconds = 0;
      if (!peers[which]->time(seconds))
        figure.theirs[which].missing = "it failed";
      else if (i)
        figure.theirs[which].times.add(seconds);
    }
  };
  size_t sides = peers.size() + 1;
  for (int64_t round = 0; round < options.rounds; ++round) {
    for (size_t i = 0; i < sides; ++i) // Each side goes first in turn.
      if (size_t side = (i + size_t(round)) % sides)
        timeTheirs(side - 1);
      else
        timeOurs();
    std::chrono::duration<double> spent = Clock::now() - begin;
    if (!figure.error.empty() || (round >= 2 && spent.count() > 2))
      return; // Long kernels need no more.
  }
}

/// Lets a peer read and write where ours does: which pages a tensor got, and so
/// what meets in a cache, may be a fifth of a short layer's time.
static void shareData(const Session &session, const Instance &instance,
                      Peer &peer) {
  for (size_t t = 0; t < instance.getTensors().size(); ++t) {
    std::string name = instance.getTensors()[t].getName();
    if (peer.getData(name))
      peer.setData(name, session.getData(t));
  }
}

/// Times it against its opponents.
void Bench::meet(Figure &figure, Session &session, const Work &one,
                 const Instance &instance) {
  std::vector<std::unique_ptr<Peer>> peers(opponents.size());
  figure.theirs.resize(opponents.size());
  for (size_t i = 0; i < opponents.size(); ++i) {
    if (!one.asked || (opponents[i].isForWinograd && !figure.isEffective))
      continue;
    peers[i] = opponents[i].make(*one.asked, devices[figure.device], instance,
                                 figure.theirs[i].missing);
    if (!peers[i])
      continue;
    figure.theirs[i].method = peers[i]->getMethod();
    shareData(session, instance, *peers[i]);
  }
  time(figure, session, peers);
  for (size_t i = 0; i < peers.size(); ++i)
    if (peers[i] && !peers[i]->computeOutputs(figure.theirs[i].outputs))
      figure.theirs[i].missing = "it failed";
}

/// Adds a residual as the CPU's peer does: the output is what it is added to.
void Bench::addInPlace(Session &session, const Work &one) {
  std::string summand = one.asked ? getSummand(*one.asked) : "";
  for (uint32_t t = 0; t < one.kernel->tensor_count; ++t)
    if (one.kernel->tensors[t].in_place &&
        summand == one.kernel->tensors[t].name)
      session.writeOver(t);
}

Figure Bench::measure(size_t i, size_t device) {
  const Instance &instance = *instances[i];
  Figure figure;
  figure.device = device;
  Session cold(devices[device], instance), session(devices[device], instance);
  for (Session *one : {&cold, &session}) {
    Session::Status status = one->open();
    if (status != Session::Status::Ready) {
      (status == Session::Status::Unsupported ? figure.unsupported
                                              : figure.error) = one->getError();
      return figure;
    }
    (one == &cold ? figure.creation : figure.warmCreation) =
        double(one->getProperties().creation_ns) * 1e-9;
  }
  figure.operations = instance.countOperations();
  figure.nominal = work[i].asked ? 2 * work[i].asked->countNominalMultiplyAdds()
                                 : figure.operations;
  peaks.update(device);
  if (devices[device].isCpu())
    addInPlace(session, work[i]);
  if (!session.tune() || !session.prepareTiming()) {
    figure.error = session.getError();
    return figure;
  }
  const sparkle_code_t &code = *session.getProperties().code;
  figure.processor = code.processor;
  const int64_t *sizes = instance.getSizes().data();
  figure.farBytes = code.far_bytes ? code.far_bytes(sizes) : -1;
  figure.nearBytes = code.near_bytes ? code.near_bytes(sizes) : -1;
  figure.isEffective = code.operation_count != nullptr;
  figure.done = figure.isEffective ? double(code.operation_count(sizes))
                                   : figure.operations;
  meet(figure, session, work[i], instance);
  if (figure.isTimed())
    peaks.update(device, figure.getRate(figure.done));
  figure.hasDeviceTimes = session.hasDeviceTimes();
  if (figure.error.empty() && !session.readOutputs(figure.outputs))
    figure.error = session.getError();
  return figure;
}

void Bench::check(size_t i) {
  if (!instances[i] || !instances[i]->getObstacle().empty() ||
      !instances[i]->computeReference())
    return;
  for (Figure &figure : figures[i]) {
    if (figure.outputs.empty())
      continue;
    figure.isChecked = true;
    figure.comparison = instances[i]->compare(figure.outputs);
    for (Counterpart &one : figure.theirs)
      if (!one.outputs.empty()) {
        one.distance = instances[i]->compare(one.outputs).largestShare;
        one.outputs.clear();
      }
    figure.outputs.clear();
  }
}

//===----------------------------------------------------------------------===//
// Reporting
//===----------------------------------------------------------------------===//

/// Of the opponent that is furthest off.
static double getDistance(const Figure &figure) {
  double distance = 0;
  for (const Counterpart &one : figure.theirs)
    distance = std::max(distance, one.distance);
  return distance;
}

bool Bench::isGood(const Figure &figure) const {
  return figure.unsupported.empty()
             ? figure.error.empty() && figure.isChecked &&
                   figure.comparison.isGood() && getDistance(figure) <= 2 &&
                   !isAbovePeak(figure)
             : true;
}

std::string Bench::getVerdict(const Figure &figure) const {
  if (!figure.unsupported.empty())
    return "unsupported: " + figure.unsupported;
  if (!figure.error.empty())
    return "FAILED: " + figure.error;
  if (!figure.isChecked)
    return "NOT CHECKED: expected a kernel with reference";
  if (!figure.comparison.isGood())
    return "WRONG: " + figure.comparison.describe();
  if (getDistance(figure) > 2)
    return "PEER WRONG: " + spellShare(getDistance(figure)) + " of the bound";
  return isAbovePeak(figure) ? "ABOVE PEAK" : "ok";
}

std::string Bench::getPeerName() const {
  if (options.peer.empty())
    return "";
  if (options.peer == "glsl")
    return "GLSL by hand";
  std::string name =
      options.peer == "halide" ? getHalideName() : getOneDnnName();
  return name.empty() ? "none" : name;
}

void Bench::printFigure(const Figure &figure) const {
  std::printf("%-34s %-9s", figure.name.c_str(),
              devices[figure.device].getName().c_str());
  if (figure.isTimed()) {
    std::printf(" %9.4f %9.4f %8.1f%c(%8.1f)", figure.ours.getBest() * 1e3,
                figure.ours.getMedian() * 1e3,
                figure.getRate(figure.operations),
                figure.isEffective ? 'e' : ' ', figure.getRate(figure.nominal));
    std::printf(" %5.1f%% %9.2f %9.2f", getPercent(figure),
                double(figure.farBytes) * 1e-6,
                double(figure.nearBytes) * 1e-6);
    std::printf(" %7.2f %7.2f", figure.creation * 1e3,
                figure.warmCreation * 1e3);
    for (const Counterpart &one : figure.theirs)
      if (one.times.isEmpty())
        std::printf(" %9s %6s", "-", "-");
      else
        std::printf(" %9.4f %6.2f", one.times.getMedian() * 1e3,
                    one.times.getRatioTo(figure.ours));
  }
  std::printf("  %s\n", getVerdict(figure).c_str());
}

void Bench::printCounts() const {
  size_t right = 0, unsupported = 0, all = 0;
  for (const auto &ofWork : figures)
    for (const Figure &figure : ofWork) {
      ++all;
      unsupported += !figure.unsupported.empty();
      right += figure.unsupported.empty() && isGood(figure);
    }
  std::printf("%zu passed, %zu failed, %zu unsupported\n", right,
              all - right - unsupported, unsupported);
}

/// What holds for several lines, once.
void Bench::printNotes() const {
  bool isEffective = false;
  std::vector<std::set<std::string>> reasons(opponents.size());
  for (const auto &ofWork : figures)
    for (const Figure &figure : ofWork) {
      isEffective |= figure.isTimed() && figure.isEffective;
      for (size_t i = 0; i < figure.theirs.size(); ++i)
        if (!figure.theirs[i].missing.empty())
          reasons[i].insert(figure.theirs[i].missing);
    }
  if (isEffective)
    std::printf(
        "e: effective, the direct algorithm's operations over the time; "
        "the share of the\npeak is that of what Winograd's multiplies\n");
  for (size_t i = 0; i < opponents.size(); ++i)
    for (const std::string &reason : reasons[i])
      std::printf("%s -: %s\n", opponents[i].title, reason.c_str());
}

void Bench::print() const {
  std::printf("%s; f32%s%s\n", getProcessorName().c_str(),
              options.peer.empty() ? "" : "; peer: ", getPeerName().c_str());
  peaks.print();
  std::printf("\n%-34s %-9s %19s %19s %6s %19s %15s", "", "", "milliseconds",
              "GFLOPS", "of the", "megabytes", "to create, ms");
  for (const Opponent &opponent : opponents)
    std::printf(" %9s %6s", opponent.title, "/ ours");
  std::printf("\n%-34s %-9s %9s %9s %8s %10s %6s %9s %9s %7s %7s", "layer",
              "device", "best", "median", "real", "(nominal)", "peak", "far",
              "near", "first", "again");
  for (size_t i = 0; i < opponents.size(); ++i)
    std::printf(" %9s %6s", "median ms", "");
  std::printf("  check\n");
  for (const auto &ofWork : figures)
    for (const Figure &figure : ofWork)
      printFigure(figure);
  printNotes();
  printSummary();
  printCounts();
}

/// What all layers have in common: the ratio to the peer, and what the compiler
/// took.
void Bench::printSummary() const {
  double seconds = 0;
  int64_t bytes = 0;
  for (const auto &ofWork : figures)
    for (const Figure &figure : ofWork) {
      seconds = std::max(seconds, figure.compileSeconds);
      bytes = std::max(bytes, figure.objectBytes);
    }
  std::printf("\n");
  for (size_t i = 0; i < opponents.size(); ++i)
    printMean(i);
  std::printf("at most %.2f s of CPU to compile, %.1f KiB of shared object\n",
              seconds, double(bytes) / 1024);
}

/// The geometric mean over all layers that met this opponent.
void Bench::printMean(size_t opponent) const {
  double logMedian = 0, logBest = 0;
  int64_t count = 0;
  for (const auto &ofWork : figures)
    for (const Figure &figure : ofWork) {
      if (figure.theirs.empty() || figure.theirs[opponent].times.isEmpty())
        continue;
      const Times &theirs = figure.theirs[opponent].times;
      ++count;
      logMedian += std::log(theirs.getRatioTo(figure.ours));
      logBest += std::log(theirs.getBest() / figure.ours.getBest());
    }
  if (count)
    std::printf("geometric mean of %s / ours: %.3f by rounds, %.3f of best "
                "times\n",
                opponents[opponent].title, std::exp(logMedian / double(count)),
                std::exp(logBest / double(count)));
}

static void writeCounterpart(Json &json, const std::string &prefix,
                             const Figure &figure, const Counterpart &one) {
  if (!one.times.isEmpty()) {
    if (!prefix.empty()) // The first one's stands in every result.
      json.field(prefix + "ratio", one.times.getRatioTo(figure.ours));
    json.field(prefix + "peer_ms", one.times.getMedian() * 1e3)
        .field(prefix + "peer_best_ms", one.times.getBest() * 1e3)
        .field(prefix + "peer_method", one.method)
        .field(prefix + "peer_error_of_bound", one.distance);
  }
  if (!one.missing.empty())
    json.field(prefix + "no_peer", one.missing);
}

void Bench::writeFigure(Json &json, const Figure &figure) const {
  json.open('{')
      .field("name", figure.name)
      .field("problem", figure.problem)
      .field("device", devices[figure.device].getName())
      .field("check", getVerdict(figure));
  if (figure.isTimed()) {
    json.field("ms", figure.ours.getMedian() * 1e3)
        .field("best_ms", figure.ours.getBest() * 1e3)
        .field("gflops", figure.getRate(figure.operations))
        .field("nominal_gflops", figure.getRate(figure.nominal))
        .field("percent_of_peak", getPercent(figure))
        .field("max_error", figure.comparison.largest)
        .field("max_error_of_bound", figure.comparison.largestShare)
        .field("operations", figure.operations)
        .field("far_bytes", figure.farBytes)
        .field("near_bytes", figure.nearBytes)
        .field("clock", figure.hasDeviceTimes ? "device" : "host")
        .field("processor", figure.processor)
        .field("creation_ms", figure.creation * 1e3)
        .field("creation_again_ms", figure.warmCreation * 1e3)
        .field("compile_cpu_seconds", figure.compileSeconds)
        .field("object_bytes", figure.objectBytes)
        .field("effective", figure.isEffective)
        .field("operations_done", figure.done);
    json.key("ratio");
    if (figure.theirs.empty() || figure.theirs[0].times.isEmpty())
      json.null();
    else
      json.value(figure.theirs[0].times.getRatioTo(figure.ours));
    for (size_t i = 0; i < figure.theirs.size(); ++i)
      writeCounterpart(json, opponents[i].prefix, figure, figure.theirs[i]);
  } else {
    // Every result has these, so that a reader need not ask.
    for (const char *key :
         {"ms", "gflops", "percent_of_peak", "max_error", "ratio"})
      json.key(key).null();
  }
  json.close();
}

void Bench::writeJson() const {
  Json json;
  writeMachine(json, devices, options);
  if (!options.peer.empty())
    json.field("peer", getPeerName());
  peaks.write(json);
  json.close().key("results").open('[');
  for (const auto &ofWork : figures)
    for (const Figure &figure : ofWork)
      writeFigure(json, figure);
  json.close().close();
  std::printf("%s\n", json.getText().c_str());
}

int Bench::run() {
  if (!peaks.measure())
    return 1;
  instances.resize(work.size());
  figures.resize(work.size());
  Progress progress(work.size());
  size_t step = 2 * getJobs(options.jobs);
  for (size_t begin = 0; begin < work.size(); begin += step) {
    size_t end = std::min(begin + step, work.size());
    progress.show(begin, work[begin].name);
    runParallel(end - begin, options.jobs,
                [&](size_t i) { prepare(begin + i); });
    for (size_t i = begin; i < end; ++i)
      for (size_t device = 0; device < devices.size(); ++device) {
        progress.show(i, work[i].name);
        Figure figure;
        if (instances[i])
          figure = measure(i, device);
        else
          (work[i].error.empty() ? figure.unsupported : figure.error) =
              work[i].error.empty() ? work[i].unsupported : work[i].error;
        figure.name = work[i].name;
        figure.problem = work[i].problem;
        figure.compileSeconds = work[i].compileSeconds;
        figure.objectBytes = work[i].objectBytes;
        figure.device = device;
        figures[i].push_back(std::move(figure));
      }
    runParallel(end - begin, options.jobs, [&](size_t i) { check(begin + i); });
    for (size_t i = begin; i < end; ++i) {
      instances[i].reset();
      work[i].close();
    }
  }
  progress.clear();
  options.isJson ? writeJson() : print();
  bool good = true, hasTimes = false;
  for (const auto &ofWork : figures)
    for (const Figure &figure : ofWork) {
      good &= isGood(figure);
      hasTimes |= figure.isTimed();
    }
  return good && hasTimes ? 0 : 1;
}

int sparkle::bench(const sparkle_context_t *context, const Options &options) {
  auto devices = findDevices(context, options.devices);
  if (!devices)
    return 1;
  if (!options.stack.empty())
    return benchStack(*devices, options);
  Compiler compiler(options, getTargets(*devices));
  auto work = collectWork(options, compiler);
  if (!work)
    return 1;
  return Bench(options, *devices, compiler, std::move(*work)).run();
}
