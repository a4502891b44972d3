// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a wave may read and write, and when.

#include "test/standin/Core/Wave.h"

#include <algorithm>

namespace sparkle::standin {

std::string nameScalar(unsigned index) {
  switch (index) {
  case kVcc:
    return "vcc_lo";
  case kVcc + 1:
    return "vcc_hi";
  case kM0:
    return "m0";
  case kNull:
    return "null";
  case kExec:
    return "exec_lo";
  case kExec + 1:
    return "exec_hi";
  default:
    return "s" + std::to_string(index);
  }
}

void Wave::fail(std::string message) {
  if (state == State::Failed)
    return;
  state = State::Failed;
  failure = std::move(message);
}

void Wave::setActive() {
  uint32_t mask = exec();
  for (unsigned lane = 0; lane < kLanes; ++lane)
    active[lane] = 0u - (mask >> lane & 1);
}

const char *Wave::nameWait(unsigned index) const {
  auto covers = [index](const Flight &flight) {
    return index >= flight.first && index < flight.first + flight.count;
  };
  if (std::any_of(vectorFlights.begin(), vectorFlights.end(), covers))
    return "vmcnt";
  return "lgkmcnt";
}

bool Wave::refuseRead(unsigned first, unsigned count, uint32_t lanes) {
  for (unsigned index = first; index < first + count; ++index) {
    uint32_t missing = lanes & ~ready[index];
    if (!missing)
      continue;
    std::string name = "v" + std::to_string(index);
    if (flights[index])
      fail("read of " + name +
           ", which a load has yet to write: no s_waitcnt " + nameWait(index));
    else
      fail("read of " + name + ", which has not been written in lane " +
           std::to_string(__builtin_ctz(missing)));
    return false;
  }
  return true;
}

bool Wave::refuseWrite(unsigned first, unsigned count) {
  for (unsigned index = first; index < first + count; ++index) {
    if (!flights[index])
      continue;
    fail("write of v" + std::to_string(index) +
         ", which a load has yet to write: no s_waitcnt " + nameWait(index));
    return false;
  }
  return true;
}

bool Wave::refuseReadScalar(unsigned index) {
  if (scalarFlies[index])
    fail("read of " + nameScalar(index) +
         ", which a load has yet to write: no s_waitcnt lgkmcnt(0)");
  else if (scalarBits[index])
    fail("read of " + nameScalar(index) +
         ", of which some bits have not been written");
  else
    fail("read of " + nameScalar(index) + ", which has not been written");
  return false;
}

void Wave::refuseWriteScalar(unsigned index) {
  fail("write of " + nameScalar(index) +
       ", which a load has yet to write: no s_waitcnt lgkmcnt(0)");
}

void Wave::depart(Counter counter, unsigned first, unsigned count,
                  bool stores) {
  if (counter == Counter::Store) {
    ++storeFlights;
    return;
  }
  auto &queue = counter == Counter::Vector ? vectorFlights : localFlights;
  auto &other = counter == Counter::Vector ? localFlights : vectorFlights;
  // Loads of one counter land in order and may follow each other into a
  // register; those of another may not.
  for (const Flight &flight : other)
    if (first < unsigned(flight.first + flight.count) &&
        flight.first < first + count) {
      refuseWrite(first, count);
      return;
    }
  queue.push_back({uint16_t(first), uint8_t(count), stores});
  for (unsigned i = first; i < first + count; ++i) {
    landing[i] = (flights[i]++ ? landing[i] : ready[i]) | exec();
    ready[i] &= ~exec();
  }
}

void Wave::departScalar(unsigned first, unsigned count) {
  ++scalarFlights;
  for (unsigned i = first; i < first + count && first != kNull; ++i) {
    scalarBits[i] = 0;
    scalarFlies[i] = true;
  }
}

void Wave::land(const Flight &flight) {
  for (unsigned i = flight.first; i < unsigned(flight.first + flight.count);
       ++i)
    if (--flights[i] == 0)
      ready[i] |= landing[i];
}

void Wave::waitVector(unsigned most) {
  while (vectorFlights.size() > most) {
    land(vectorFlights.front());
    vectorFlights.pop_front();
  }
}

void Wave::waitLocalAndScalar(unsigned most) {
  // Scalar loads return in any order: none is known to be back before all are.
  if (most == 0 && scalarFlights) {
    for (unsigned i = 0; i < kScalars; ++i)
      if (scalarFlies[i])
        scalarBits[i] = ~0u;
    scalarFlies.reset();
    scalarFlights = 0;
  }
  while (localFlights.size() > most) {
    land(localFlights.front());
    localFlights.pop_front();
  }
}

} // namespace sparkle::standin
