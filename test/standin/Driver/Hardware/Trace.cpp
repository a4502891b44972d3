// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A write moves from `current` to `undrained` when its dispatch is over for the
// packets, to `unseen` when it is over for the shader cores, and is forgotten
// when all caches are invalidated.

#include "test/standin/Driver/Hardware/Trace.h"

#include <algorithm>

namespace sparkle::standin {

bool Trace::any() const {
  return reading.any() || beingRead.any() || current.any() || undrained.any() ||
         inFlight.any() ||
         std::any_of(std::begin(unseen), std::end(unseen),
                     [](const Mask &mask) { return mask.any(); });
}

Trace *Traces::find(uint64_t page) const {
  auto found = traces.find(page);
  return found == traces.end() ? nullptr : found->second.get();
}

Trace &Traces::open(uint64_t page) {
  std::unique_ptr<Trace> &trace = traces[page];
  if (!trace)
    trace = std::make_unique<Trace>();
  return *trace;
}

void Traces::endDispatch() {
  for (auto &[page, trace] : traces) {
    trace->beingRead.merge(trace->reading);
    trace->reading.reset();
    trace->undrained.merge(trace->current);
    trace->inFlight.merge(trace->current);
    trace->current.reset();
  }
}

void Traces::endJob() {
  for (auto &[page, trace] : traces)
    trace->inFlight.reset();
  prune();
}

void Traces::drain() {
  for (auto &[page, trace] : traces) {
    for (Mask &mask : trace->unseen)
      mask.merge(trace->undrained);
    trace->undrained.reset();
    trace->beingRead.reset();
  }
}

void Traces::see(Unit unit) {
  for (auto &[page, trace] : traces)
    trace->unseen[size_t(unit)].reset();
  prune();
}

void Traces::reset() { traces.clear(); }

void Traces::prune() {
  for (auto next = traces.begin(); next != traces.end();)
    next = next->second->any() ? std::next(next) : traces.erase(next);
}

} // namespace sparkle::standin
