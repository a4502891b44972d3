// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Python's reader of JSON says whether a trace is one.

#include "runtime/Scheduler/Trace.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace sparkle::runtime;

namespace {

struct SchedulerTrace : testing::Test {
  SchedulerTrace() {
    char name[] = "/tmp/sparkle-trace-XXXXXX";
    close(mkstemp(name));
    path = name;
  }
  ~SchedulerTrace() override { unlink(path.c_str()); }

  std::string read() const {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  /// Whether the expression in Python, of the events `e`, is true. An end
  /// that is missing is added before.
  void expect(const std::string &expression, const char *end = "") const {
    std::string command = "python3 -c \"import json, sys; e = "
                          "json.loads(open('" +
                          path + "').read() + '" + end + "'); sys.exit(0 if " +
                          expression + " else 3)\"";
    EXPECT_EQ(std::system(command.c_str()), 0) << command << "\n" << read();
  }

  Settings settings;
  std::string path;
};

TEST_F(SchedulerTrace, noPath) {
  EXPECT_EQ(Trace::open(nullptr, settings), nullptr);
  EXPECT_EQ(Trace::open("", settings), nullptr);
}

TEST_F(SchedulerTrace, empty) {
  Trace::open(path.c_str(), settings);
  expect("e == []");
}

TEST_F(SchedulerTrace, text) {
  {
    auto trace = Trace::open(path.c_str(), settings);
    ASSERT_NE(trace, nullptr);
    uint32_t host = trace->addTrack("host", "choice");
    uint32_t device = trace->addTrack("cpu", "kernels");
    EXPECT_EQ(trace->addTrack("cpu", "copies"), 2u);
    trace->add(device, "conv", 1234567, 1239067, "{\"ticket\": 7}");
    trace->add(host, "a \"b\" \\ \n\xff", 5, 4, nullptr);
    trace->addCounter(device, "depth", 1000, 2.5);
    trace->addCounter(device, "depth", 2000, 0.0 / 0.0);
  }
  EXPECT_EQ(read(), R"([
{"ph":"M","pid":1,"tid":1,"name":"process_name","args":{"name":"host"}},
{"ph":"M","pid":1,"tid":1,"name":"thread_name","args":{"name":"choice"}},
{"ph":"M","pid":2,"tid":2,"name":"process_name","args":{"name":"cpu"}},
{"ph":"M","pid":2,"tid":2,"name":"thread_name","args":{"name":"kernels"}},
{"ph":"M","pid":2,"tid":3,"name":"thread_name","args":{"name":"copies"}},
{"ph":"X","pid":2,"tid":2,"name":"conv","ts":1234.567,"dur":4.500,"args":{"ticket": 7}},
{"ph":"X","pid":1,"tid":1,"name":"a \"b\" \\ \u000a\u00ff","ts":0.005,"dur":0.000},
{"ph":"C","pid":2,"tid":2,"name":"depth","ts":1.000,"args":{"value":2.5}}
]
)");
  expect("len(e) == 8 and e[5]['args'] == {'ticket': 7}");
}

TEST_F(SchedulerTrace, threads) {
  {
    auto trace = Trace::open(path.c_str(), settings);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        uint32_t track = trace->addTrack("host", "thread");
        for (uint64_t at = 0; at < 5000; ++at)
          trace->add(track, "work", at, at + 1, nullptr);
      });
    for (std::thread &thread : threads)
      thread.join();
  }
  expect("len([x for x in e if x['ph'] == 'X']) == 20000 and len({x['tid'] "
         "for x in e}) == 4");
}

/// Only the end is missing: what was written are whole events.
TEST_F(SchedulerTrace, killed) {
  pid_t child = fork();
  if (child == 0) {
    auto trace = Trace::open(path.c_str(), settings);
    uint32_t track = trace->addTrack("host", "thread");
    for (uint64_t at = 0; at < 5000; ++at)
      trace->add(track, "work", at, at + 1, nullptr);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  expect("len(e) > 3000", "]");
}

TEST_F(SchedulerTrace, cannotBeWritten) {
  settings.logLevel = 1;
  testing::internal::CaptureStderr();
  EXPECT_EQ(Trace::open("/nowhere/trace.json", settings), nullptr);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "sparkle: expected to write the trace '/nowhere/trace.json', but "
            "got: No such file or directory\n");
}

/// Said once, however much is added.
TEST_F(SchedulerTrace, full) {
  settings.logLevel = 1;
  testing::internal::CaptureStderr();
  {
    auto trace = Trace::open("/dev/full", settings);
    ASSERT_NE(trace, nullptr);
    uint32_t track = trace->addTrack("host", "thread");
    for (uint64_t at = 0; at < 5000; ++at)
      trace->add(track, "work", at, at + 1, nullptr);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "sparkle: expected to write the trace '/dev/full', but got: No "
            "space left on device\n");
}

} // namespace
