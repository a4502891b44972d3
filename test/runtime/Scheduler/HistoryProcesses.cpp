// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Many processes on one file, also if they are killed.

#include "test/runtime/Scheduler/HistoryFolder.h"

#include <chrono>
#include <csignal>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace sparkle::runtime;

namespace {

struct HistoryProcesses : HistoryFolder {
  Variable variable{"SPARKLE_TEST_HISTORY", folder.path.c_str()};

  /// This program again, with one case of HistoryChild.
  static pid_t start(const std::string &name) {
    std::string filter = "--gtest_filter=HistoryChild." + name;
    pid_t child = fork();
    if (child == 0) {
      execl("/proc/self/exe", "self", filter.c_str(), "--gtest_brief=1",
            nullptr);
      _exit(99);
    }
    return child;
  }
  static void expectEnd(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
};

/// The folder that the parent has given, or one of its own.
struct HistoryChild : HistoryFolder {
  const char *given = std::getenv("SPARKLE_TEST_HISTORY");
  std::unique_ptr<History> open() {
    return History::open(given ? given : folder.path, settings);
  }
};

/// Adds to the same rows, a little at a time.
TEST_F(HistoryChild, adds) {
  auto history = open();
  for (int i = 0; i < 200; ++i) {
    history->add(makeKey(uint64_t(i % 4)), 1000);
    EXPECT_TRUE(i % 10 != 9 || history->flush().isOk());
  }
}

TEST_F(HistoryProcesses, together) {
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i)
    children.push_back(start("adds"));
  for (pid_t child : children)
    expectEnd(child);
  for (uint64_t i = 0; i < 4; ++i)
    EXPECT_EQ(countOf(makeKey(i)), 400u);
  EXPECT_TRUE(list().empty());
}

/// One of them sets a bad file aside; what all of them add is in the new one.
TEST_F(HistoryProcesses, badFile) {
  for (int round = 0; round < 3; ++round) {
    write(std::string(5000, 'x'));
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i)
      children.push_back(start("adds"));
    for (pid_t child : children)
      expectEnd(child);
    for (uint64_t i = 0; i < 4; ++i)
      EXPECT_EQ(countOf(makeKey(i)), 400u);
    ASSERT_EQ(list().size(), 1u);
    fs::remove(list()[0]);
  }
}

/// Writes until it is killed, or ten seconds at most.
TEST_F(HistoryChild, addsForLong) {
  if (!given)
    return;
  auto history = open();
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (uint64_t i = 0; std::chrono::steady_clock::now() < end; ++i) {
    for (uint64_t j = 0; j < 50; ++j)
      history->add(makeKey(j * (i % 7)), 1000);
    EXPECT_TRUE(history->flush().isOk());
  }
}

/// At whatever moment: the file is whole and nothing goes back.
TEST_F(HistoryProcesses, killed) {
  const HistoryKey written = makeKey(0);
  uint64_t before = 0;
  for (int i = 0; i < 40; ++i) {
    pid_t children[] = {start("addsForLong"), start("addsForLong")};
    for (int j = 0; j < 1000 && countOf(written) <= before; ++j)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::microseconds(i * 7919 % 50000));
    for (pid_t child : children) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    Printed printed;
    auto history = open();
    history->add(key, 1000);
    EXPECT_TRUE(history->flush().isOk());
    EXPECT_EQ(printed.take(), "");
    EXPECT_EQ(history->find(key).mean(), 1000);
    EXPECT_GT(history->find(written).count(), before);
    before = history->find(written).count();
    EXPECT_EQ(ask("PRAGMA integrity_check"), "ok");
  }
  EXPECT_TRUE(list().empty());
}

/// One that ends without releasing anything loses two seconds at most.
TEST_F(HistoryChild, ends) {
  if (!given)
    return;
  History *history = open().release();
  history->add(key, 1000);
  std::this_thread::sleep_for(std::chrono::seconds(3));
  history->add(key, 1000);
  std::exit(0);
}

TEST_F(HistoryProcesses, ends) {
  expectEnd(start("ends"));
  uint64_t count = countOf(key);
  EXPECT_GE(count, 1u);
  EXPECT_LE(count, 2u);
}

/// What was forked leaves the history to its parent, and ends as it likes.
TEST_F(HistoryProcesses, forked) {
  auto history = open();
  history->add(key, 1000);
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    history->add(key, 1000);
    bool isRight = history->flush().isOk() && history->find(key).count() == 2;
    history.reset();
    _exit(isRight ? 0 : 1);
  }
  expectEnd(child);
  history.reset();
  EXPECT_EQ(countOf(key), 1u);
}

} // namespace
