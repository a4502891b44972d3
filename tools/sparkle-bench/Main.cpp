// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Times the layers of the project's speed goal against the machine's peak and
// against oneDNN, interleaved in one process, and checks what they compute.
//
// One OpenMP runtime. Our kernels call LLVM's; Debian's oneDNN calls GCC's.
// Two of them in one process would keep two teams spinning on the same cores.
// LLVM's also has the entry points of GCC's and is linked first, so that both
// sides run on the same team; this is checked, because it is only a matter of
// link order. Alone in a process, oneDNN takes the same time on either.

#include "tools/sparkle-bench/Measure.h"
#include "tools/sparkle-bench/Peer.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <unistd.h>
#include <utility>

extern "C" void omp_set_num_threads(int threads);

using namespace sparkle;

namespace {

struct Options {
  bool json = false;
  int rounds = 30;
  std::string compiler, sources = SPARKLE_BENCH_SOURCES;
};

/// One layer at one number of threads.
struct Figure {
  std::string title;
  int threads;
  Times ours, theirs;
  std::string peer, method; // Empty if there is none.
  double operations, nominal;
  double peak = 0; // GFLOPS
  int64_t outputsWrong = 0, outputsDifferent = 0;

  double getRate(double seconds) const { return operations / seconds * 1e-9; }
  /// A kernel above the peak did not do the work. The figure that is stated
  /// counts: the fastest of many calls may meet a faster moment than the peak.
  bool isAbovePeak() const { return getRate(ours.getMedian()) > peak; }
  bool isGood() const {
    return !isAbovePeak() && !outputsWrong && !outputsDifferent;
  }
  const char *getVerdict() const {
    return isAbovePeak()      ? "ABOVE PEAK"
           : outputsWrong     ? "WRONG"
           : outputsDifferent ? "DIFFERS"
                              : "ok";
  }
};

struct Report {
  std::string processor, target;
  double clock = 0;
  std::vector<Figure> figures;
  std::vector<std::pair<std::string, double>> compileSeconds;
};

} // namespace

static const char usage[] =
    "usage: sparkle-bench [options]\n"
    "  --json           print JSON\n"
    "  --rounds=N       interleaved rounds for each figure (default: 30)\n"
    "  --compiler=PATH  the sparkle-opt to time (default: beside this "
    "program)\n"
    "  --sources=PATH   where the layers' sources are\n";

static bool parseOptions(int count, char **words, Options &options) {
  for (int i = 1; i < count; ++i) {
    std::string word = words[i];
    std::string value =
        word.substr(std::min(word.find('='), word.size() - 1) + 1);
    if (word == "--json")
      options.json = true;
    else if (word.rfind("--rounds=", 0) == 0)
      options.rounds = std::atoi(value.c_str());
    else if (word.rfind("--compiler=", 0) == 0)
      options.compiler = value;
    else if (word.rfind("--sources=", 0) == 0)
      options.sources = value;
    else
      return false;
  }
  return options.rounds > 0;
}

/// sparkle-opt in the folder of this program.
static std::string findCompiler() {
  char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  std::string self(path, std::max<ssize_t>(length, 0));
  return self.substr(0, self.rfind('/') + 1) + "sparkle-opt";
}

/// Whether GCC's entry points lead to the runtime that our kernels use.
static bool hasOneRuntime() {
  Dl_info gcc, llvm;
  void *parallel = dlsym(RTLD_DEFAULT, "GOMP_parallel");
  return parallel && dladdr(parallel, &gcc) &&
         dladdr(dlsym(RTLD_DEFAULT, "__kmpc_fork_call"), &llvm) &&
         gcc.dli_fbase == llvm.dli_fbase;
}

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

static Figure measure(const Layer &layer, int threads, const Options &options) {
  Figure figure;
  figure.title = layer.getTitle();
  figure.threads = threads;
  figure.operations = layer.getOperations();
  figure.nominal = layer.getNominalOperations();
  omp_set_num_threads(threads);
  // oneDNN settles the number of threads when it makes the primitive.
  std::unique_ptr<Peer> peer = makePeer(layer);
  if (peer) {
    figure.peer = peer->getName();
    figure.method = peer->getMethod();
  }
  // A burst leaves each side its own data in the caches; its first call, which
  // brings them there, is not counted.
  const int burst = 5;
  auto time = [&](Times &times, auto run) {
    run();
    for (int i = 0; i < burst; ++i)
      times.measure(run);
  };
  for (int round = 0; round < options.rounds; ++round) {
    if (round % 10 == 0)
      figure.peak = std::max(figure.peak, measurePeak(threads));
    for (bool first : {true, false}) // Each side goes first in turn.
      if (first == (round % 2 == 0))
        time(figure.ours, [&] { layer.run(); });
      else if (peer)
        time(figure.theirs, [&] { peer->run(); });
  }
  figure.outputsWrong = layer.countWrong();
  if (peer)
    figure.outputsDifferent = layer.countDifferent(peer->getOutput());
  return figure;
}

static Report measureAll(const Options &options) {
  Report report;
  report.processor = getProcessorName();
  report.clock = measureClock();
  std::vector<Layer> layers = makeLayers();
  report.target = layers.front().getProcessor();
  for (int threads : {1, 2})
    for (const Layer &layer : layers)
      report.figures.push_back(measure(layer, threads, options));
  // The machine's peak is the best that was seen in the whole run.
  for (Figure &figure : report.figures)
    for (const Figure &other : report.figures)
      if (other.threads == figure.threads)
        figure.peak = std::max(figure.peak, other.peak);
  for (const Layer &layer : layers)
    report.compileSeconds.emplace_back(
        layer.getTitle(),
        measureCompiler(options.compiler,
                        options.sources + "/" + layer.getName() + ".spk"));
  return report;
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

/// The figure of the same layer on one thread.
static const Figure &findSingle(const Report &report, const Figure &figure) {
  return *std::find_if(
      report.figures.begin(), report.figures.end(), [&](const Figure &other) {
        return other.title == figure.title && other.threads == 1;
      });
}

static void printFigure(const Report &report, const Figure &figure) {
  double median = figure.ours.getMedian();
  std::printf("%-16s %7d %8.1f %8.1f %7.1f (%6.1f) %6.1f%%",
              figure.title.c_str(), figure.threads, figure.ours.getBest() * 1e6,
              median * 1e6, figure.getRate(median),
              figure.nominal / median * 1e-9,
              100 * figure.getRate(median) / figure.peak);
  if (!figure.peer.empty())
    std::printf(" %8.1f %8.1f %5.2f %6.2f", figure.theirs.getBest() * 1e6,
                figure.theirs.getMedian() * 1e6,
                figure.theirs.getBest() / figure.ours.getBest(),
                figure.theirs.getMedian() / median);
  else
    std::printf(" %8s %8s %5s %6s", "-", "-", "-", "-");
  std::printf(" %7.2f  %s\n",
              findSingle(report, figure).ours.getMedian() / median,
              figure.getVerdict());
}

static void printTable(const Report &report) {
  std::printf("%s at %.2f GHz; f32, NHWC, batch 1, bias and ReLU fused\n"
              "ours: for %s, automatic pattern; peer: %s\n",
              report.processor.c_str(), report.clock, report.target.c_str(),
              report.figures.front().peer.empty()
                  ? "none"
                  : report.figures.front().peer.c_str());
  int threads = 0;
  for (const Figure &figure : report.figures)
    if (figure.threads != std::exchange(threads, figure.threads))
      std::printf("peak on %d thread%s: %.1f GFLOPS\n", figure.threads,
                  figure.threads > 1 ? "s" : "", figure.peak);
  std::printf("\n%-24s %17s %16s %7s %17s %12s %7s\n"
              "%-16s %7s %8s %8s %16s %7s %8s %8s %5s %6s %7s  %s\n",
              "", "ours, us", "GFLOPS, real", "of the", "peer, us", "speed-up",
              "from 1", "layer", "threads", "best", "median", "work (nominal)",
              "peak", "best", "median", "best", "median", "thread", "check");
  for (const Figure &figure : report.figures)
    printFigure(report, figure);
  std::printf("\n%-16s  CPU seconds to compile\n", "layer");
  for (auto &[title, seconds] : report.compileSeconds)
    std::printf("%-16s  %.2f\n", title.c_str(), seconds);
}

static void printJson(const Report &report) {
  std::printf("{\"processor\": \"%s\", \"ghz\": %.3f, \"target\": \"%s\", "
              "\"peer\": \"%s\",\n \"figures\": [",
              report.processor.c_str(), report.clock, report.target.c_str(),
              report.figures.front().peer.c_str());
  const char *separator = "\n";
  for (const Figure &figure : report.figures) {
    std::printf("%s  {\"layer\": \"%s\", \"threads\": %d, "
                "\"best_seconds\": %.9f, \"median_seconds\": %.9f, "
                "\"operations\": %.0f, \"nominal_operations\": %.0f, "
                "\"peak_gflops\": %.2f, \"check\": \"%s\"",
                separator, figure.title.c_str(), figure.threads,
                figure.ours.getBest(), figure.ours.getMedian(),
                figure.operations, figure.nominal, figure.peak,
                figure.getVerdict());
    if (!figure.peer.empty())
      std::printf(", \"peer_method\": \"%s\", \"peer_best_seconds\": %.9f, "
                  "\"peer_median_seconds\": %.9f",
                  figure.method.c_str(), figure.theirs.getBest(),
                  figure.theirs.getMedian());
    std::printf("}");
    separator = ",\n";
  }
  std::printf("],\n \"compile_cpu_seconds\": {");
  separator = "";
  for (auto &[title, seconds] : report.compileSeconds) {
    std::printf("%s\"%s\": %.3f", separator, title.c_str(), seconds);
    separator = ", ";
  }
  std::printf("}}\n");
}

int main(int count, char **words) {
  Options options;
  if (!parseOptions(count, words, options)) {
    std::fputs(usage, stderr);
    return 2;
  }
  if (options.compiler.empty())
    options.compiler = findCompiler();
  if (!hasOneRuntime()) {
    std::fprintf(stderr, "sparkle-bench: expected one OpenMP runtime, but "
                         "oneDNN and the kernels have different ones\n");
    return 1;
  }
  Report report = measureAll(options);
  options.json ? printJson(report) : printTable(report);
  bool good = std::all_of(report.figures.begin(), report.figures.end(),
                          [](const Figure &figure) { return figure.isGood(); });
  for (auto &[title, seconds] : report.compileSeconds)
    good &= seconds >= 0;
  return good ? 0 : 1;
}
