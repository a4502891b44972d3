// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the environment. A mistake there ends the program: a test that goes on
// without the stand-in that it asked for would tell nothing.

#include "test/standin/Driver/Settings.h"
#include "test/standin/Driver/Log.h"

#include <cerrno>
#include <cstdlib>
#include <unistd.h>

namespace sparkle::standin {

namespace {

constexpr Generation generations[] = {Generation::Gfx1030, Generation::Gfx1036,
                                      Generation::Gfx1100};

[[noreturn]] void reject(const std::string &message) {
  report(message);
  _exit(125);
}

void readCards(Settings &settings) {
  const char *text = std::getenv("SPARKLE_STANDIN");
  std::string rest = text ? text : "";
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    std::string word = rest.substr(0, comma);
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
    size_t count = settings.cards.size();
    for (Generation generation : generations)
      if (word == getName(generation))
        settings.cards.push_back(generation);
    if (settings.cards.size() == count)
      reject(
          "SPARKLE_STANDIN: expected gfx1030, gfx1036 or gfx1100, but got '" +
          word + "'");
  }
}

uint64_t readNumber(const char *name, uint64_t otherwise) {
  const char *text = std::getenv(name);
  if (!text || !*text)
    return otherwise;
  char *end = nullptr;
  errno = 0;
  uint64_t value = std::strtoull(text, &end, 0);
  if (errno || *end || *text == '-')
    reject(format("%s: expected a number, but got '%s'", name, text));
  return value;
}

Settings *readSettings() {
  auto *settings = new Settings;
  readCards(*settings);
  settings->seed = readNumber("SPARKLE_STANDIN_SEED", settings->seed);
  settings->budget = readNumber("SPARKLE_STANDIN_BUDGET", settings->budget);
  settings->lockup = readNumber("SPARKLE_STANDIN_LOCKUP", settings->lockup);
  settings->countsConflicts = readNumber("SPARKLE_STANDIN_CONFLICTS", 0) != 0;
  return settings;
}

} // namespace

Settings &getSettings() {
  static Settings *settings = readSettings();
  return *settings;
}

const char *getName(Generation generation) {
  switch (generation) {
  case Generation::Gfx1030:
    return "gfx1030";
  case Generation::Gfx1036:
    return "gfx1036";
  case Generation::Gfx1100:
    return "gfx1100";
  }
  return "";
}

} // namespace sparkle::standin
