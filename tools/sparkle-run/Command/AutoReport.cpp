// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tables and the JSON of sparkle-run bench --device auto.

#include "tools/sparkle-run/Command/Auto.h"

#include <algorithm>
#include <cstdio>
#include <set>

using namespace sparkle;

//===----------------------------------------------------------------------===//
// What follows from the times
//===----------------------------------------------------------------------===//

const Choice *Side::getChoice() const {
  const Choice *most = nullptr;
  for (const Choice &choice : choices)
    if (!most || choice.actual.size() > most->actual.size())
      most = &choice;
  return most;
}

const Side *AutoLayer::getWaiting() const {
  for (const Side &side : sides)
    if (side.kind == Side::Waiting)
      return &side;
  return nullptr;
}

const Side *AutoLayer::getBest() const {
  const Side *best = nullptr;
  for (const Side &side : sides)
    if (side.kind == Side::Fixed && side.isTimed() && side.error.empty() &&
        (!best || side.times.getMedian() < best->times.getMedian()))
      best = &side;
  return best;
}

std::string AutoReport::getName(const Side &side) const {
  return side.kind == Side::Fixed     ? devices[side.device].getName()
         : side.kind == Side::Waiting ? "auto, waiting"
                                      : "auto";
}

bool AutoReport::isAbovePeak(const AutoLayer &layer, const Side &side) const {
  if (!side.isTimed())
    return false;
  double peak = 0, done = layer.operations;
  for (size_t d = 0; d < devices.size(); ++d)
    if (side.kind != Side::Fixed || side.device == d) {
      peak += peaks.getOperations(d);
      done = std::min(done, layer.devices[d].done);
    }
  return done / side.times.getMedian() * 1e-9 > Peaks::getLimit(peak);
}

/// What makes a side's time worth nothing.
std::string AutoReport::getProblem(const AutoLayer &layer,
                                   const Side &side) const {
  if (!side.error.empty())
    return "FAILED: " + side.error;
  if (!side.isTimed())
    return "";
  if (!layer.isChecked)
    return "NOT CHECKED: expected a kernel with reference";
  if (!side.comparison.isGood())
    return "WRONG: " + side.comparison.describe();
  return isAbovePeak(layer, side) ? "ABOVE PEAK" : "";
}

std::string AutoReport::getVerdict(const AutoLayer &layer) const {
  if (!layer.unsupported.empty())
    return "unsupported: " + layer.unsupported;
  if (!layer.error.empty())
    return "FAILED: " + layer.error;
  for (const Side &side : layer.sides)
    if (std::string problem = getProblem(layer, side); !problem.empty())
      return getName(side) + ": " + problem;
  return "ok";
}

bool AutoReport::isGood() const {
  bool hasTimes = false;
  for (const AutoLayer &layer : layers) {
    if (layer.unsupported.empty() && getVerdict(layer) != "ok")
      return false;
    hasTimes |= !layer.sides.empty() && layer.getAuto().isTimed();
  }
  return hasTimes;
}

AutoTotals AutoReport::getTotals() const {
  AutoTotals totals;
  totals.devices.resize(devices.size());
  for (const AutoLayer &layer : layers)
    for (const Side &side : layer.sides) {
      if (!side.isTimed() || !layer.getAuto().isTimed())
        continue;
      Total &total = side.kind == Side::Fixed     ? totals.devices[side.device]
                     : side.kind == Side::Waiting ? totals.waiting
                                                  : totals.automatic;
      ++total.layers;
      total.seconds += side.times.getMedian();
      total.operations += layer.operations;
    }
  for (size_t d = 0; d < devices.size(); ++d)
    if (totals.devices[d].layers == totals.automatic.layers &&
        totals.automatic.layers &&
        (!totals.best ||
         totals.devices[d].seconds < totals.devices[*totals.best].seconds))
      totals.best = d;
  return totals;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

/// "cpu", and how many of the runs were so, if not all.
static std::string spellChoice(const Side &side) {
  const Choice *choice = side.getChoice();
  if (!choice)
    return "-";
  size_t all = 0;
  for (const Choice &each : side.choices)
    all += each.actual.size();
  if (side.choices.size() == 1)
    return choice->text;
  return choice->text + " (" + std::to_string(choice->actual.size()) + " of " +
         std::to_string(all) + ")";
}

/// Of the device that was chosen, or of the first of several.
std::string AutoReport::spellSource(const AutoLayer &layer) const {
  const Choice *choice = layer.getAuto().getChoice();
  for (size_t d = 0; choice && d < devices.size(); ++d)
    if (choice->text.rfind(devices[d].getName(), 0) == 0) {
      const sparkle_prediction_t &prediction = layer.devices[d].last;
      std::string word = getWord(prediction);
      return prediction.runs ? word + ", " + std::to_string(prediction.runs)
                             : word;
    }
  return "-";
}

void AutoReport::printHead() const {
  std::printf("%s; f32; every time from host memory to host memory\n",
              getProcessorName().c_str());
  peaks.print();
  const char *side = "best device by itself";
  if (options.isStream)
    std::printf("\n%-34s %-24s %19s %-13s %31s %10s %9s %7s %7s %8s\n"
                "%-34s %-24s %9s %9s %-13s %-20s %10s %10s %9s %7s %7s %8s"
                "  check\n",
                "", "", "milliseconds in all", "", side, "waiting", "auto",
                "auto /", "auto /", "", "layer", "choice", "predicted",
                "actual", "source, runs", "device", "runs/s", "runs/s",
                "runs/s", "device", "waiting", "GFLOPS");
  else
    std::printf("\n%-34s %-24s %19s %-13s %30s %9s %7s %8s\n"
                "%-34s %-24s %9s %9s %-13s %-20s %9s %9s %7s %8s  check\n",
                "", "", "milliseconds", "", side, "auto", "device", "", "layer",
                "choice", "predicted", "actual", "source, runs", "device", "ms",
                "ms", "/ auto", "GFLOPS");
}

void AutoReport::printWait(const AutoLayer &layer) const {
  const Side &automatic = layer.getAuto();
  const Side *best = layer.getBest();
  std::printf(" %-20s", best ? getName(*best).c_str() : "-");
  if (best)
    std::printf(" %9.4f", best->times.getMedian() * 1e3);
  else
    std::printf(" %9s", "-");
  std::printf(" %9.4f", automatic.times.getMedian() * 1e3);
  if (best)
    std::printf(" %7.3f", best->times.getRatioTo(automatic.times));
  else
    std::printf(" %7s", "-");
}

void AutoReport::printStream(const AutoLayer &layer) const {
  const Side &automatic = layer.getAuto();
  const Side *best = layer.getBest(), *waiting = layer.getWaiting();
  auto printRate = [](const Side *side) {
    if (side && side->isTimed())
      std::printf(" %10.1f", 1 / side->times.getMedian());
    else
      std::printf(" %10s", "-");
  };
  auto printRatio = [&](const Side *side) {
    if (side && side->isTimed())
      std::printf(" %7.3f", side->times.getRatioTo(automatic.times));
    else
      std::printf(" %7s", "-");
  };
  std::printf(" %-20s", best ? getName(*best).c_str() : "-");
  printRate(best);
  printRate(waiting);
  std::printf(" %9.1f", 1 / automatic.times.getMedian());
  printRatio(best);
  printRatio(waiting);
}

void AutoReport::printLayer(const AutoLayer &layer) const {
  std::printf("%-34s", layer.name.c_str());
  const Choice *choice =
      layer.sides.empty() ? nullptr : layer.getAuto().getChoice();
  if (choice) {
    std::printf(" %-24s %9.4f %9.4f %-13s",
                spellChoice(layer.getAuto()).c_str(),
                getMedian(choice->predicted) * 1e-6,
                getMedian(choice->actual) * 1e-6, spellSource(layer).c_str());
    options.isStream ? printStream(layer) : printWait(layer);
    std::printf(" %8.1f",
                layer.operations / layer.getAuto().times.getMedian() * 1e-9);
  }
  std::printf("  %s\n", getVerdict(layer).c_str());
}

/// What holds for several lines, once.
void AutoReport::printNotes() const {
  std::set<std::string> notes;
  std::vector<uint64_t> suspects(devices.size());
  for (const AutoLayer &layer : layers) {
    for (const Side &side : layer.sides)
      if (!side.missing.empty())
        notes.insert(getName(side) + " -: " + side.missing);
    for (size_t d = 0; d < layer.devices.size(); ++d)
      suspects[d] += layer.devices[d].suspects;
  }
  for (const std::string &note : notes)
    std::printf("%s\n", note.c_str());
  for (size_t d = 0; d < devices.size(); ++d)
    if (suspects[d])
      std::printf("%s: %llu runs were above the peak that the scheduler "
                  "measured; its predictions leave them out\n",
                  devices[d].getName().c_str(),
                  static_cast<unsigned long long>(suspects[d]));
}

void AutoReport::printTotals() const {
  AutoTotals totals = getTotals();
  std::printf("\n");
  auto print = [&](const std::string &name, const Total &total) {
    std::printf("%-14s %2zu of %2zu layers, one run of each: %10.3f ms, "
                "%8.1f GFLOPS\n",
                name.c_str(), total.layers, layers.size(), total.seconds * 1e3,
                total.seconds > 0 ? total.operations / total.seconds * 1e-9
                                  : 0);
  };
  for (size_t d = 0; d < devices.size(); ++d)
    print(devices[d].getName(), totals.devices[d]);
  if (options.isStream)
    print("auto, waiting", totals.waiting);
  print("auto", totals.automatic);
  if (!totals.automatic.layers)
    return;
  std::string all;
  auto add = [&](const Total &total, const std::string &name) {
    char text[64];
    std::snprintf(text, sizeof text, "%s%.3f times as fast as ",
                  all.empty() ? "" : ", ",
                  total.seconds / totals.automatic.seconds);
    all += text + name;
  };
  if (totals.best)
    add(totals.devices[*totals.best],
        devices[*totals.best].getName() +
            ", the best device by itself for all layers");
  if (totals.waiting.layers == totals.automatic.layers)
    add(totals.waiting, "waiting for each run");
  if (!all.empty())
    std::printf("auto is %s\n", all.c_str());
}

void AutoReport::print() const {
  printHead();
  for (const AutoLayer &layer : layers)
    printLayer(layer);
  printNotes();
  printTotals();
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

void sparkle::writePrediction(Json &json,
                              const sparkle_prediction_t &prediction) {
  json.field("source", getWord(prediction))
      .field("runs", prediction.runs)
      .field("kernel_ms", prediction.kernel_ns * 1e-6)
      .field("transfer_ms", prediction.transfer_ns * 1e-6)
      .field("bound_ms", prediction.bound_ns * 1e-6)
      .field("last_ms", prediction.last_ns * 1e-6)
      .field("deviation_ms", prediction.deviation_ns * 1e-6)
      .field("lack", prediction.lack.message);
}

void AutoReport::writeDevices(Json &json, const AutoLayer &layer) const {
  json.key("predictions").open('[');
  for (size_t d = 0; d < layer.devices.size(); ++d) {
    const OnDevice &device = layer.devices[d];
    json.open('{').field("device", devices[d].getName());
    writePrediction(json, device.last);
    json.field("first_source", getWord(device.first))
        .field("first_kernel_ms", device.first.kernel_ns * 1e-6)
        .field("suspects", device.suspects)
        .close();
  }
  json.close();
}

void AutoReport::writeSide(Json &json, const AutoLayer &layer,
                           const Side &side) const {
  json.open('{').field("side", getName(side));
  if (side.isTimed()) {
    double seconds = side.times.getMedian();
    json.field("ms", seconds * 1e3)
        .field("best_ms", side.times.getBest() * 1e3)
        .field("per_second", 1 / seconds)
        .field("gflops", layer.operations / seconds * 1e-9);
  }
  json.field("checked", uint64_t(side.checked))
      .field("max_error", side.comparison.largest)
      .field("max_error_of_bound", side.comparison.largestShare)
      .field("missing", side.missing)
      .field("problem", getProblem(layer, side));
  json.key("choices").open('[');
  for (const Choice &choice : side.choices)
    json.open('{')
        .field("choice", choice.text)
        .field("runs", uint64_t(choice.actual.size()))
        .field("predicted_ms", getMedian(choice.predicted) * 1e-6)
        .field("actual_ms", getMedian(choice.actual) * 1e-6)
        .field("reason", choice.reason)
        .close();
  json.close().close();
}

void AutoReport::writeLayer(Json &json, const AutoLayer &layer) const {
  json.open('{')
      .field("name", layer.name)
      .field("problem", layer.problem)
      .field("check", getVerdict(layer))
      .field("operations", layer.operations);
  const Side *automatic = layer.sides.empty() ? nullptr : &layer.getAuto();
  bool isTimed = automatic && automatic->isTimed();
  const Side *best = isTimed ? layer.getBest() : nullptr;
  const Side *waiting = isTimed ? layer.getWaiting() : nullptr;
  const Choice *choice = isTimed ? automatic->getChoice() : nullptr;
  // Every result has these, so that a reader need not ask.
  json.key("choice");
  choice ? json.value(choice->text) : json.null();
  json.key("best_device");
  best ? json.value(getName(*best)) : json.null();
  json.key("ratio");
  best ? json.value(best->times.getRatioTo(automatic->times)) : json.null();
  if (options.isStream) {
    json.key("waiting_ratio");
    waiting && waiting->isTimed()
        ? json.value(waiting->times.getRatioTo(automatic->times))
        : json.null();
  }
  writeDevices(json, layer);
  json.key("sides").open('[');
  for (const Side &side : layer.sides)
    writeSide(json, layer, side);
  json.close().close();
}

void AutoReport::writeTotals(Json &json) const {
  AutoTotals totals = getTotals();
  json.key("totals").open('{');
  auto write = [&](const std::string &name, const Total &total) {
    json.open('{')
        .field("side", name)
        .field("layers", uint64_t(total.layers))
        .field("ms", total.seconds * 1e3)
        .close();
  };
  json.key("sides").open('[');
  for (size_t d = 0; d < devices.size(); ++d)
    write(devices[d].getName(), totals.devices[d]);
  if (options.isStream)
    write("auto, waiting", totals.waiting);
  write("auto", totals.automatic);
  json.close().key("best_device");
  totals.best ? json.value(devices[*totals.best].getName()) : json.null();
  json.key("ratio");
  totals.best ? json.value(totals.devices[*totals.best].seconds /
                           totals.automatic.seconds)
              : json.null();
  json.close();
}

void AutoReport::writeCounters(Json &json) const {
  json.key("counters").open('[');
  for (size_t d = 0; d < devices.size(); ++d) {
    sparkle_device_counters_t counters = scheduler.getCounters(d);
    json.open('{')
        .field("device", devices[d].getName())
        .field("gflops", counters.performance.gflops)
        .field("parts", counters.parts)
        .field("failures", counters.failures)
        .field("suspects", counters.suspects)
        .field("explorations", counters.explorations)
        .field("uploaded", counters.uploaded)
        .field("downloaded", counters.downloaded)
        .field("operations", counters.operations)
        .field("busy_ms", counters.busy_ns * 1e-6)
        .field("predicted_ms", counters.predicted_ns * 1e-6)
        .field("is_set_aside", counters.is_set_aside != 0)
        .field("reason", counters.reason.message)
        .close();
  }
  json.close();
}

void AutoReport::writeJson() const {
  Json json;
  writeMachine(json, devices, options);
  peaks.write(json);
  json.close().field("stream", options.isStream);
  json.key("results").open('[');
  for (const AutoLayer &layer : layers)
    writeLayer(json, layer);
  json.close();
  writeTotals(json);
  writeCounters(json);
  json.close();
  std::printf("%s\n", json.getText().c_str());
}
