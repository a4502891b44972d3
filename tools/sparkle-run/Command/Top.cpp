// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/sparkle-run/Command/Top.h"

#include <chrono>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

using namespace sparkle;

/// Between two tables on a terminal, and two groups of lines elsewhere.
static constexpr std::chrono::milliseconds often{250}, seldom{10000};

static const char head[] =
    "device     in flight     done   GFLOPS  of peak predicted   up, MB "
    "down, MB failures suspects";

Top::Top(const Scheduler &scheduler)
    : scheduler(scheduler), isTerminal(isatty(2)),
      watcher([this] { watch(); }) {}

Top::~Top() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    isOver = true;
  }
  changed.notify_all();
  watcher.join();
}

void Top::setTitle(size_t done, size_t count, const std::string &what) {
  std::lock_guard<std::mutex> lock(mutex);
  title = "[" + std::to_string(done) + "/" + std::to_string(count) + "] " +
          what.substr(0, 60);
}

void Top::watch() {
  for (bool isLast = false; !isLast;) {
    std::string now;
    {
      std::unique_lock<std::mutex> lock(mutex);
      isLast = changed.wait_for(lock, isTerminal ? often : seldom,
                                [&] { return isOver; });
      now = isLast ? "done" : title;
    }
    show(now);
  }
}

static std::string spell(const std::string &name,
                         const sparkle_device_counters_t &counters) {
  double busy = counters.busy_ns, peak = counters.performance.gflops;
  double rate = busy > 0 ? counters.operations / busy : 0;
  char text[160], predicted[32] = "-";
  if (busy > 0)
    std::snprintf(predicted, sizeof predicted, "%.2f",
                  counters.predicted_ns / busy);
  std::snprintf(
      text, sizeof text,
      "%-10s %9u %8llu %8.1f %7.1f%% %9s %8.1f %8.1f %8llu %8llu", name.c_str(),
      counters.in_flight, static_cast<unsigned long long>(counters.parts), rate,
      peak > 0 ? 100 * rate / peak : 0, predicted,
      double(counters.uploaded) * 1e-6, double(counters.downloaded) * 1e-6,
      static_cast<unsigned long long>(counters.failures),
      static_cast<unsigned long long>(counters.suspects));
  return text;
}

static std::string spellAside(const sparkle_device_counters_t &counters) {
  char text[64];
  std::snprintf(text, sizeof text, "  set aside, tried again in %.1f s: ",
                double(counters.retry_ns) * 1e-9);
  return std::string(text) + counters.reason.message;
}

/// A line that the terminal breaks would be two.
static size_t getWidth() {
  winsize size = {};
  return ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 1000;
}

/// The whole table in one write, over the one before.
void Top::show(const std::string &now) {
  std::string text;
  if (isTerminal && lines)
    text += "\033[" + std::to_string(lines) + "A";
  lines = 0;
  size_t width = getWidth();
  auto add = [&](const std::string &line) {
    text +=
        isTerminal ? "\r\033[K" + line.substr(0, width) + "\r\n" : line + "\n";
    ++lines;
  };
  add(now);
  add(head);
  for (size_t d = 0; d < scheduler.getDevices().size(); ++d) {
    sparkle_device_counters_t counters = scheduler.getCounters(d);
    add(spell(scheduler.getDevices()[d].getName(), counters));
    if (counters.is_set_aside)
      add(spellAside(counters));
  }
  // Of a table that had more lines nothing is to stay.
  if (isTerminal)
    text += "\033[J";
  std::fputs(text.c_str(), stderr);
}
