// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A sentence for each reason.

#include "runtime/Scheduler/Dispatcher.h"

#include <cstdio>

namespace sparkle::runtime {

void describe(const Request &request, const char *const *names, char *text,
              size_t size) {
  const Reason &reason = request.reason;
  const char *best = names[reason.best], *second = names[reason.second];
  double bestTime = reason.bestTime / 1e3, secondTime = reason.secondTime / 1e3;
  const char *prefix =
      reason.isHintUnheard ? "the device of the hint cannot; " : "";
  const char *after = request.failures ? ", after a failure" : "";
  switch (reason.kind) {
  case Reason::None:
    std::snprintf(text, size, "nothing is chosen yet");
    return;
  case Reason::Only:
    std::snprintf(text, size, "%sonly %s can run it now%s", prefix, best,
                  after);
    return;
  case Reason::Hinted:
    std::snprintf(text, size, "%s is what the hint asks for%s", best, after);
    return;
  case Reason::Explored:
    std::snprintf(text, size,
                  "%s%s is tried, about which too little is known: %.0f us "
                  "expected, %s %.0f us",
                  prefix, best, bestTime, second, secondTime);
    return;
  case Reason::Moved:
    std::snprintf(text, size,
                  "%s%s is given the inputs, which are used often: %.0f us "
                  "this time, %s %.0f us",
                  prefix, best, bestTime, second, secondTime);
    return;
  case Reason::Divided:
    std::snprintf(text, size,
                  "%s%u devices together end first: %.0f us, before %s alone, "
                  "%.0f us",
                  prefix, reason.parts, request.predicted / 1e3, best,
                  bestTime);
    return;
  case Reason::First:
    std::snprintf(text, size, "%s%s ends first: %.0f us, before %s, %.0f us%s",
                  prefix, best, bestTime, second, secondTime, after);
    return;
  }
}

} // namespace sparkle::runtime
