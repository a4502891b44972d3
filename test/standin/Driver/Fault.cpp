// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The plan of faults is a list; the first entry of a point that has calls left
// decides.

#include "test/standin/Driver/Fault.h"
#include "test/standin/Driver/Log.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unistd.h>
#include <vector>

namespace sparkle::standin {

namespace {

struct Fault {
  std::string point;
  int value = 1;
  long skip = 0, count = LONG_MAX;
};

struct Plan {
  std::mutex mutex;
  std::vector<Fault> faults;
};

constexpr struct {
  const char *name;
  int value;
} errors[] = {
    {"EACCES", EACCES},   {"EAGAIN", EAGAIN}, {"ECANCELED", ECANCELED},
    {"EDEADLK", EDEADLK}, {"EINTR", EINTR},   {"EINVAL", EINVAL},
    {"ENODATA", ENODATA}, {"ENODEV", ENODEV}, {"ENOENT", ENOENT},
    {"ENOMEM", ENOMEM},   {"ENOSPC", ENOSPC}, {"EPERM", EPERM},
    {"ETIME", ETIME}};

constexpr const char *words[] = {"hang", "soft-hang", "vram-lost"};

/// Cuts `mark` and the number behind it off the end of `text`.
bool takeNumber(std::string &text, char mark, long &number) {
  size_t position = text.rfind(mark);
  if (position == std::string::npos)
    return true;
  char *end = nullptr;
  number = std::strtol(text.c_str() + position + 1, &end, 10);
  bool isNumber = end != text.c_str() + position + 1 && !*end && number >= 0;
  text.resize(position);
  return isNumber;
}

bool parseValue(const std::string &text, Fault &fault) {
  if (fault.point == "rings") {
    fault.value = std::atoi(text.c_str());
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  }
  for (const auto &error : errors)
    if (text == error.name) {
      fault.value = -error.value;
      return true;
    }
  return false;
}

bool parse(std::string text, Fault &fault) {
  bool isCounted = text.find('*') != std::string::npos;
  if (!takeNumber(text, '*', fault.count) || !takeNumber(text, '@', fault.skip))
    return false;
  size_t colon = text.find(':');
  fault.point = text.substr(0, colon);
  if (colon != std::string::npos)
    return parseValue(text.substr(colon + 1), fault);
  // The program is to get a chance to recover.
  if (!isCounted)
    fault.count = 1;
  for (const char *word : words)
    if (fault.point == word)
      return true;
  return false;
}

Plan *makePlan();

Plan &getPlan() {
  static Plan *plan = makePlan();
  return *plan;
}

std::string parseAll(const std::string &text, std::vector<Fault> &faults) {
  size_t begin = 0;
  while (begin < text.size()) {
    size_t end = std::min(text.find(',', begin), text.size());
    std::string item = text.substr(begin, end - begin);
    begin = end + 1;
    Fault fault;
    if (!parse(item, fault))
      return "expected POINT:ERRNO, rings:N, hang, soft-hang or vram-lost, but "
             "got '" +
             item + "'";
    faults.push_back(fault);
  }
  return "";
}

Plan *makePlan() {
  auto *plan = new Plan;
  const char *text = std::getenv("SPARKLE_STANDIN_FAULT");
  std::string mistake = text ? parseAll(text, plan->faults) : "";
  if (!mistake.empty()) {
    report("SPARKLE_STANDIN_FAULT: " + mistake);
    _exit(125);
  }
  return plan;
}

} // namespace

std::string setFaults(const std::string &text) {
  std::vector<Fault> faults;
  std::string mistake = parseAll(text, faults);
  if (!mistake.empty())
    return mistake;
  Plan &plan = getPlan();
  std::lock_guard<std::mutex> lock(plan.mutex);
  plan.faults.swap(faults);
  return "";
}

int takeFault(const std::string &point) {
  Plan &plan = getPlan();
  std::lock_guard<std::mutex> lock(plan.mutex);
  for (Fault &fault : plan.faults) {
    if (fault.point != point || !fault.count)
      continue;
    if (fault.skip) {
      --fault.skip;
      return 0;
    }
    --fault.count;
    return fault.value;
  }
  return 0;
}

unsigned getRings(unsigned real) {
  Plan &plan = getPlan();
  std::lock_guard<std::mutex> lock(plan.mutex);
  for (const Fault &fault : plan.faults)
    if (fault.point == "rings")
      return (1u << fault.value) - 1;
  return real;
}

} // namespace sparkle::standin
