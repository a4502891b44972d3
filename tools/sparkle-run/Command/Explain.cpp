// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sparkle-run explain: what the scheduler expects of a kernel on each device,
// where it runs it, and why there.

#include "tools/sparkle-run/Command/Auto.h"

#include <cstdio>

using namespace sparkle;

namespace {

struct Explanation {
  std::string sizes, error, unsupported;
  std::vector<sparkle_prediction_t> devices; ///< Before the run.
  bool hasRun = false;
  sparkle_decision_t decision = {};
  Comparison comparison;
  bool isChecked = false;

  /// "ok", or what is wrong; nothing if nothing ran.
  std::string getCheck() const {
    return !hasRun      ? ""
           : !isChecked ? "not checked: expected a kernel with reference"
           : comparison.isGood() ? "ok"
                                 : "WRONG: " + comparison.describe();
  }
  bool isGood() const {
    return error.empty() && (!hasRun || !isChecked || comparison.isGood());
  }
};

class Explainer {
public:
  Explainer(const Options &options, const Scheduler &scheduler,
            const Compiler &compiler, std::vector<Work> work)
      : options(options), scheduler(scheduler), devices(scheduler.getDevices()),
        compiler(compiler), work(std::move(work)) {}

  int run();

private:
  Explanation ask(Work &one, size_t number);
  bool submit(Explanation &found, Instance &instance, Task &task);
  void print(const Work &one, const Explanation &found) const;
  void printDecision(const Explanation &found) const;
  void write(const Work &one, const Explanation &found);
  void writeDecision(const Explanation &found);

  const Options &options;
  const Scheduler &scheduler;
  const std::vector<Device> &devices;
  const Compiler &compiler;
  std::vector<Work> work;
  Json json;
};

} // namespace

bool Explainer::submit(Explanation &found, Instance &instance, Task &task) {
  uint64_t ticket = 0;
  if (!task.poison() || !task.submit(nullptr, ticket) || !task.wait(ticket) ||
      !task.explain(ticket, found.decision))
    return false;
  found.hasRun = true;
  found.isChecked = instance.computeReference();
  return task.readOutputs([&](const Outputs &outputs) {
    if (found.isChecked)
      found.comparison = instance.compare(outputs);
  });
}

Explanation Explainer::ask(Work &one, size_t number) {
  Explanation found;
  one.prepare(compiler, number);
  found.error = one.error;
  found.unsupported = one.unsupported;
  if (!one.kernel)
    return found;
  Instance instance(*one.kernel, one.getSizes(options));
  found.sizes = instance.spellSizes();
  if (instance.getObstacle().empty())
    instance.fill();
  Task task(scheduler, instance, 1);
  Session::Status status = task.open();
  if (status != Session::Status::Ready) {
    (status == Session::Status::Unsupported ? found.unsupported : found.error) =
        task.getError();
    return found;
  }
  found.devices.resize(devices.size());
  for (size_t d = 0; d < devices.size(); ++d)
    if (!task.predict(d, found.devices[d]))
      found.error = task.getError();
  if (found.error.empty() && !options.isDry && !submit(found, instance, task))
    found.error = task.getError();
  return found;
}

//===----------------------------------------------------------------------===//
// Reporting
//===----------------------------------------------------------------------===//

void Explainer::printDecision(const Explanation &found) const {
  const sparkle_decision_t &decision = found.decision;
  std::printf("  ran on %s: %s\n", spellParts(decision, devices).c_str(),
              decision.reason);
  for (uint32_t i = 0; decision.part_count > 1 && i < decision.part_count;
       ++i) {
    const sparkle_part_t &part = decision.parts[i];
    std::printf("    %-10s %6lld to %6lld, predicted %9.4f ms, took %9.4f ms\n",
                devices[part.device].getName().c_str(),
                static_cast<long long>(part.begin),
                static_cast<long long>(part.end), part.predicted_ns * 1e-6,
                part.actual_ns * 1e-6);
  }
  std::printf("  predicted %.4f ms, took %.4f ms%s; values: %s\n",
              decision.predicted_ns * 1e-6, decision.actual_ns * 1e-6,
              decision.failures ? ", after a failure" : "",
              found.getCheck().c_str());
}

void Explainer::print(const Work &one, const Explanation &found) const {
  std::printf("%s", one.name.c_str());
  if (one.problem != one.name)
    std::printf("  %s", one.problem.c_str());
  if (!found.sizes.empty())
    std::printf(", %s", found.sizes.c_str());
  std::printf("\n");
  if (!found.devices.empty())
    std::printf("  %-10s %-9s %6s %10s %10s %10s %10s %10s\n", "device",
                "source", "runs", "kernel, ms", "transfer", "bound", "last",
                "deviation");
  for (size_t d = 0; d < found.devices.size(); ++d) {
    const sparkle_prediction_t &on = found.devices[d];
    if (on.source == SPARKLE_SOURCE_NONE) {
      std::printf("  %-10s cannot: %s\n", devices[d].getName().c_str(),
                  on.lack.message);
      continue;
    }
    std::printf("  %-10s %-9s %6u %10.4f %10.4f %10.4f",
                devices[d].getName().c_str(), getWord(on), on.runs,
                on.kernel_ns * 1e-6, on.transfer_ns * 1e-6, on.bound_ns * 1e-6);
    if (on.runs)
      std::printf(" %10.4f %10.4f\n", on.last_ns * 1e-6,
                  on.deviation_ns * 1e-6);
    else
      std::printf(" %10s %10s\n", "-", "-");
  }
  if (found.hasRun)
    printDecision(found);
  if (!found.unsupported.empty())
    std::printf("  unsupported: %s\n", found.unsupported.c_str());
  if (!found.error.empty())
    std::printf("  FAILED: %s\n", found.error.c_str());
  std::fflush(stdout);
}

void Explainer::writeDecision(const Explanation &found) {
  const sparkle_decision_t &decision = found.decision;
  json.key("decision");
  if (!found.hasRun) {
    json.null();
    return;
  }
  json.open('{')
      .field("choice", spellParts(decision, devices))
      .field("reason", decision.reason)
      .field("predicted_ms", decision.predicted_ns * 1e-6)
      .field("actual_ms", decision.actual_ns * 1e-6)
      .field("failures", decision.failures);
  json.key("parts").open('[');
  for (uint32_t i = 0; i < decision.part_count; ++i) {
    const sparkle_part_t &part = decision.parts[i];
    json.open('{')
        .field("device", devices[part.device].getName())
        .field("begin", part.begin)
        .field("end", part.end)
        .field("predicted_ms", part.predicted_ns * 1e-6)
        .field("actual_ms", part.actual_ns * 1e-6)
        .close();
  }
  json.close().close();
}

void Explainer::write(const Work &one, const Explanation &found) {
  json.open('{')
      .field("name", one.name)
      .field("problem", one.problem)
      .field("sizes", found.sizes)
      .field("error", found.error)
      .field("unsupported", found.unsupported)
      .field("check", found.getCheck());
  json.key("devices").open('[');
  for (size_t d = 0; d < found.devices.size(); ++d) {
    json.open('{').field("device", devices[d].getName());
    writePrediction(json, found.devices[d]);
    json.close();
  }
  json.close();
  writeDecision(found);
  json.close();
}

int Explainer::run() {
  writeMachine(json, devices, options);
  json.close().key("results").open('[');
  bool isGood = true, isAny = false;
  for (size_t i = 0; i < work.size(); ++i) {
    Explanation found = ask(work[i], i);
    options.isJson ? write(work[i], found) : print(work[i], found);
    isGood &= found.isGood();
    isAny |= found.unsupported.empty();
    work[i].close();
  }
  if (options.isJson)
    std::printf("%s\n", json.close().close().getText().c_str());
  return isGood && isAny ? 0 : 1;
}

int sparkle::explain(sparkle_context_t *context, const Options &options) {
  auto scheduler = Scheduler::create(context, options.devices);
  if (!scheduler)
    return 1;
  Compiler compiler(options, getTargets(scheduler->getDevices()));
  auto work = collectWork(options, compiler);
  if (!work)
    return 1;
  return Explainer(options, *scheduler, compiler, std::move(*work)).run();
}
