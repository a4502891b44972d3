// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sparkle-run bench --device auto: each kernel on every device that can run it
// and where the scheduler puts it, in turns, all through the scheduler and from
// host memory to host memory; one run after the other, or as a stream.

#include "tools/sparkle-run/Command/Auto.h"
#include "tools/sparkle-run/Command/Top.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

using namespace sparkle;

namespace {

using Clock = std::chrono::steady_clock;

double getSeconds(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

class AutoBench {
public:
  AutoBench(const Options &options, const Scheduler &scheduler,
            const Compiler &compiler, std::vector<Work> work)
      : options(options), scheduler(scheduler), devices(scheduler.getDevices()),
        compiler(compiler), work(std::move(work)),
        peaks(devices, options.threads) {}

  int run();

private:
  void prepare(size_t i);
  AutoLayer measure(size_t i);
  void describe(AutoLayer &layer, const Instance &instance, Task &task);
  void warmUp(AutoLayer &layer, Task &task);
  void addSides(AutoLayer &layer);
  void time(AutoLayer &layer, Task &task);
  bool isStream(const Side &side) const {
    return options.isStream && side.kind != Side::Waiting;
  }
  const char *getHint(const Side &side) const;
  bool runBurst(Side &side, Task &task, bool isTimed);
  bool runAll(Side &side, Task &task, bool isTimed);
  bool learn(Side &side, Task &task, const std::vector<uint64_t> &tickets,
             bool isTimed);
  void check(AutoLayer &layer, const Instance &instance, Task &task);

  const Options &options;
  const Scheduler &scheduler;
  const std::vector<Device> &devices;
  const Compiler &compiler;
  std::vector<Work> work;
  Peaks peaks;
  std::vector<std::unique_ptr<Instance>> instances;
  std::vector<AutoLayer> layers;
};

} // namespace

std::string sparkle::spellParts(const sparkle_decision_t &decision,
                                const std::vector<Device> &devices) {
  std::string all;
  for (uint32_t i = 0; i < decision.part_count; ++i) {
    const sparkle_part_t &part = decision.parts[i];
    all += (i ? ", " : "") + devices[part.device].getName();
    if (decision.part_count > 1)
      all += " " + std::to_string(part.begin) + "-" + std::to_string(part.end);
  }
  return all;
}

void Side::add(const std::string &text, const sparkle_decision_t &decision) {
  auto found =
      std::find_if(choices.begin(), choices.end(),
                   [&](const Choice &choice) { return choice.text == text; });
  if (found == choices.end())
    found = choices.insert(found, {text, "", {}, {}});
  found->reason = decision.reason;
  found->predicted.push_back(decision.predicted_ns);
  found->actual.push_back(decision.actual_ns);
}

//===----------------------------------------------------------------------===//
// Before the times are taken
//===----------------------------------------------------------------------===//

void AutoBench::prepare(size_t i) {
  work[i].prepare(compiler, i);
  if (!work[i].kernel)
    return;
  instances[i] =
      std::make_unique<Instance>(*work[i].kernel, work[i].getSizes(options));
  if (!instances[i]->getObstacle().empty())
    return;
  instances[i]->fill();
  instances[i]->computeReference();
}

/// The operations that the code for a device does, of several the fewest.
static double countDone(const Instance &instance, const Device &device) {
  const sparkle_kernel_t &kernel = instance.getKernel();
  double least = instance.countOperations();
  for (uint32_t i = 0; i < kernel.code_count; ++i) {
    const sparkle_code_t &code = kernel.codes[i];
    if (code.target == device.getProperties().target && code.operation_count)
      least = std::min(
          least, double(code.operation_count(instance.getSizes().data())));
  }
  return least;
}

void AutoBench::describe(AutoLayer &layer, const Instance &instance,
                         Task &task) {
  layer.operations = instance.countOperations();
  layer.isChecked = instance.hasReference();
  for (size_t d = 0; d < devices.size(); ++d) {
    OnDevice &device = layer.devices.emplace_back();
    device.done = countDone(instance, devices[d]);
    if (!task.predict(d, device.first))
      layer.error = task.getError();
  }
}

void AutoBench::addSides(AutoLayer &layer) {
  for (size_t d = 0; d < devices.size(); ++d) {
    Side &side = layer.sides.emplace_back();
    side.kind = Side::Fixed;
    side.device = d;
    if (layer.devices[d].first.source == SPARKLE_SOURCE_NONE)
      side.missing = layer.devices[d].first.lack.message;
  }
  if (options.isStream)
    layer.sides.emplace_back().kind = Side::Waiting;
  layer.sides.emplace_back().kind = Side::Auto;
}

/// A device's first run compiles, packs and starts threads: it tells nothing.
void AutoBench::warmUp(AutoLayer &layer, Task &task) {
  for (Side &side : layer.sides) {
    if (side.kind != Side::Fixed || !side.missing.empty())
      continue;
    peaks.update(side.device);
    // The second run counts; unless it passes the peak, which is measured
    // again.
    sparkle_prediction_t known = {};
    for (int i = 0; (i < 2 || (i < 8 && known.runs == 0)) &&
                    side.missing.empty() && side.error.empty();
         ++i) {
      auto begin = Clock::now();
      uint64_t ticket = 0;
      if (!task.submit(getHint(side), ticket) || !task.wait(ticket)) {
        side.error = task.getError();
        continue;
      }
      layer.devices[side.device].seconds = getSeconds(begin);
      learn(side, task, {ticket}, false);
      task.predict(side.device, known);
    }
  }
}

//===----------------------------------------------------------------------===//
// Times
//===----------------------------------------------------------------------===//

const char *AutoBench::getHint(const Side &side) const {
  return side.kind == Side::Fixed ? devices[side.device].getProperties().name
                                  : nullptr;
}

/// Looks at what became of some runs. False if a device that was asked for did
/// not do them.
bool AutoBench::learn(Side &side, Task &task,
                      const std::vector<uint64_t> &tickets, bool isTimed) {
  for (uint64_t ticket : tickets) {
    sparkle_decision_t decision;
    if (!task.explain(ticket, decision)) {
      side.error = task.getError();
      return false;
    }
    std::string text = spellParts(decision, devices);
    if (side.kind == Side::Fixed && text != devices[side.device].getName()) {
      side.missing = "expected it to run on " + devices[side.device].getName() +
                     ", but it ran on " + text;
      const sparkle_error_t reason = scheduler.getCounters(side.device).reason;
      if (reason.status != SPARKLE_OK)
        side.missing += std::string(": ") + reason.message;
      return false;
    }
    if (isTimed)
      side.add(text, decision);
  }
  return true;
}

/// Some runs, each waited for. The first one brings data into caches, and does
/// not count.
bool AutoBench::runBurst(Side &side, Task &task, bool isTimed) {
  const int burst = 3;
  std::vector<uint64_t> tickets;
  if (isTimed)
    side.times.beginRound();
  for (int i = 0; i <= burst; ++i) {
    auto begin = Clock::now();
    uint64_t ticket = 0;
    if (!task.submit(getHint(side), ticket) || !task.wait(ticket)) {
      side.error = task.getError();
      return false;
    }
    if (isTimed && i)
      side.times.add(getSeconds(begin));
    if (i)
      tickets.push_back(ticket);
  }
  return learn(side, task, tickets, isTimed);
}

/// Many runs, as fast as the scheduler takes them, or one by one; the time is
/// that of all, over their number. One run before wakes the device up.
bool AutoBench::runAll(Side &side, Task &task, bool isTimed) {
  uint64_t first = 0;
  if (!task.submit(getHint(side), first) || !task.wait(first)) {
    side.error = task.getError();
    return false;
  }
  std::vector<uint64_t> tickets(size_t(side.count), 0);
  auto begin = Clock::now();
  for (uint64_t &ticket : tickets)
    if (!task.submit(getHint(side), ticket) ||
        (!isStream(side) && !task.wait(ticket))) {
      side.error = task.getError();
      return false;
    }
  for (uint64_t ticket : tickets)
    if (!task.wait(ticket)) {
      side.error = task.getError();
      return false;
    }
  double seconds = getSeconds(begin);
  if (isTimed) {
    side.times.beginRound();
    side.times.add(seconds / double(side.count));
  }
  return learn(side, task, tickets, isTimed);
}

/// The sides in turns, each first in its turn.
void AutoBench::time(AutoLayer &layer, Task &task) {
  double least = INFINITY;
  for (const OnDevice &device : layer.devices)
    if (device.seconds > 0)
      least = std::min(least, device.seconds);
  // What ends a stream, when not all devices have work, has to be small in it.
  for (Side &side : layer.sides) {
    bool isFixed = side.kind == Side::Fixed;
    double one = isFixed ? layer.devices[side.device].seconds : least;
    double fewest = isFixed ? 2 * inFlightLimit : 4 * inFlightLimit;
    // A device that has not run has no time.
    side.count = int64_t(std::clamp(0.2 / one, fewest, 256.0));
  }
  auto begin = Clock::now();
  for (int64_t round = 0; round < options.rounds; ++round) {
    for (size_t i = 0; i < layer.sides.size(); ++i) {
      Side &side = layer.sides[(i + size_t(round)) % layer.sides.size()];
      if (side.missing.empty() && side.error.empty())
        options.isStream ? runAll(side, task, true)
                         : runBurst(side, task, true);
    }
    if (round >= 2 && getSeconds(begin) > 2)
      return; // Long kernels need no more.
  }
}

/// Each side once more as it was timed, and what it computes.
void AutoBench::check(AutoLayer &layer, const Instance &instance, Task &task) {
  for (Side &side : layer.sides) {
    if (!layer.isChecked || !side.missing.empty() || !side.error.empty())
      continue;
    bool good =
        task.poison() && (options.isStream ? runAll(side, task, false)
                                           : runBurst(side, task, false));
    good = good && task.readOutputs([&](const Outputs &outputs) {
      Comparison comparison = instance.compare(outputs);
      bool isWorse = comparison.wrong > side.comparison.wrong ||
                     comparison.largestShare > side.comparison.largestShare;
      if (!side.checked++ || isWorse)
        side.comparison = comparison;
    });
    if (!good && side.error.empty() && side.missing.empty())
      side.error = task.getError();
    if (side.kind == Side::Fixed && side.isTimed())
      peaks.update(side.device, layer.devices[side.device].done /
                                    side.times.getMedian() * 1e-9);
  }
}

AutoLayer AutoBench::measure(size_t i) {
  AutoLayer layer;
  const Instance &instance = *instances[i];
  Task task(scheduler, instance,
            options.isStream ? scheduler.getPending() + 1 : 1);
  Session::Status status = task.open();
  if (status != Session::Status::Ready) {
    (status == Session::Status::Unsupported ? layer.unsupported : layer.error) =
        task.getError();
    return layer;
  }
  std::vector<uint64_t> suspects;
  for (size_t d = 0; d < devices.size(); ++d)
    suspects.push_back(scheduler.getCounters(d).suspects);
  describe(layer, instance, task);
  addSides(layer);
  warmUp(layer, task);
  for (size_t d = 0; d < devices.size(); ++d)
    task.predict(d, layer.devices[d].last);
  time(layer, task);
  check(layer, instance, task);
  for (size_t d = 0; d < devices.size(); ++d)
    layer.devices[d].suspects = scheduler.getCounters(d).suspects - suspects[d];
  return layer;
}

int AutoBench::run() {
  if (!peaks.measure())
    return 1;
  instances.resize(work.size());
  Progress progress(options.isTop ? 0 : work.size());
  std::unique_ptr<Top> top;
  if (options.isTop)
    top = std::make_unique<Top>(scheduler);
  size_t step = 2 * getJobs(options.jobs);
  for (size_t begin = 0; begin < work.size(); begin += step) {
    size_t end = std::min(begin + step, work.size());
    auto show = [&](size_t i) {
      top ? top->setTitle(i, work.size(), work[i].name)
          : progress.show(i, work[i].name);
    };
    show(begin);
    runParallel(end - begin, options.jobs,
                [&](size_t i) { prepare(begin + i); });
    for (size_t i = begin; i < end; ++i) {
      show(i);
      AutoLayer layer;
      if (instances[i])
        layer = measure(i);
      else
        (work[i].error.empty() ? layer.unsupported : layer.error) =
            work[i].error.empty() ? work[i].unsupported : work[i].error;
      layer.name = work[i].name;
      layer.problem = work[i].problem;
      layers.push_back(std::move(layer));
      instances[i].reset();
      work[i].close();
    }
  }
  progress.clear();
  top.reset();
  AutoReport report(options, scheduler, peaks, layers);
  options.isJson ? report.writeJson() : report.print();
  return report.isGood() ? 0 : 1;
}

int sparkle::benchAuto(sparkle_context_t *context, const Options &options) {
  auto scheduler = Scheduler::create(context, options.devices);
  if (!scheduler)
    return 1;
  Compiler compiler(options, getTargets(scheduler->getDevices()));
  auto work = collectWork(options, compiler);
  if (!work)
    return 1;
  return AutoBench(options, *scheduler, compiler, std::move(*work)).run();
}
