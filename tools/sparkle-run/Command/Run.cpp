// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sparkle-run run: one kernel once, on made-up inputs.

#include "tools/sparkle-run/Command/Commands.h"

#include <cinttypes>
#include <cstdio>

using namespace sparkle;

static bool report(const Device &device, const std::string &error) {
  std::printf("%s: error: %s\n", device.getName().c_str(), error.c_str());
  return false;
}

static bool runOn(const Device &device, const Instance &instance) {
  Session session(device, instance);
  Outputs outputs;
  double seconds = 0;
  if (session.open() != Session::Status::Ready || !session.run(outputs))
    return report(device, session.getError());
  Session timed(device, instance);
  if (timed.open() != Session::Status::Ready || !timed.prepareTiming() ||
      !timed.time(seconds) || !timed.time(seconds))
    return report(device, timed.getError());
  std::printf("%s: code for %s, %.3f ms, checksum %016" PRIx64 ", ",
              device.getName().c_str(), session.getProperties().code->processor,
              seconds * 1e3, instance.getChecksum(outputs));
  if (!instance.hasReference()) {
    std::printf("no reference\n");
    return true;
  }
  Comparison comparison = instance.compare(outputs);
  if (comparison.isGood())
    std::printf("right; %s\n", spellError(comparison).c_str());
  else
    std::printf("WRONG: %s\n", comparison.describe().c_str());
  return comparison.isGood();
}

int sparkle::runOnce(const sparkle_context_t *context, const Options &options) {
  auto devices = findDevices(context, options.devices);
  if (!devices)
    return 1;
  Compiler compiler(options, getTargets(*devices));
  auto work = collectWork(options, compiler);
  if (!work)
    return 1;
  bool good = true;
  for (Work &one : *work) {
    Instance instance(*one.kernel, options.sizes);
    std::string sizes = instance.spellSizes();
    std::printf("%s%s%s\n", one.name.c_str(), sizes.empty() ? "" : ": ",
                sizes.c_str());
    if (instance.getObstacle().empty()) {
      instance.fill();
      instance.computeReference();
    }
    for (const Device &device : *devices)
      good &= runOn(device, instance);
  }
  return good ? 0 : 1;
}
