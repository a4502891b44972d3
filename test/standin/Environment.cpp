// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The variables of the environment, in programs of their own, and how a process
// comes to start one.

#include "test/standin/Session.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace sparkle::standin;

namespace {

/// What one case of this program says in a process of its own, with a variable
/// set, and as which status it ends.
std::string run(const char *test, const std::string &variable, int &status) {
  int pipe[2] = {-1, -1};
  EXPECT_EQ(::pipe(pipe), 0);
  size_t sign = variable.find('=');
  pid_t child = fork();
  if (!child) {
    dup2(pipe[1], 1);
    dup2(pipe[1], 2);
    setenv(variable.substr(0, sign).c_str(), variable.c_str() + sign + 1, 1);
    std::string filter = std::string("--gtest_filter=Environment.") + test;
    execl("/proc/self/exe", "test", filter.c_str(), nullptr);
    _exit(126);
  }
  close(pipe[1]);
  std::string said;
  char part[256];
  for (ssize_t size; (size = read(pipe[0], part, sizeof part)) > 0;)
    said.append(part, size);
  close(pipe[0]);
  EXPECT_EQ(waitpid(child, &status, 0), child);
  status = WEXITSTATUS(status);
  return said;
}

// Run by the others.
TEST(Environment, OpensANode) {
  int node = open("/dev/dri/renderD128", O_RDWR);
  std::printf("renderD128: %s.\n", node < 0 ? std::strerror(errno) : "opened");
  if (node >= 0)
    close(node);
}

TEST(Environment, MistakesEndTheProgram) {
  struct {
    const char *variable, *message;
  } const cases[] = {
      {"SPARKLE_STANDIN=gfx900",
       "SPARKLE_STANDIN: expected gfx1030, gfx1036 or gfx1100, but got "
       "'gfx900'"},
      {"SPARKLE_STANDIN_SEED=x",
       "SPARKLE_STANDIN_SEED: expected a number, but got 'x'"},
      {"SPARKLE_STANDIN_BUDGET=-1",
       "SPARKLE_STANDIN_BUDGET: expected a number, but got '-1'"},
      {"SPARKLE_STANDIN_LOCKUP=1s",
       "SPARKLE_STANDIN_LOCKUP: expected a number, but got '1s'"},
      {"SPARKLE_STANDIN_CONFLICTS=yes",
       "SPARKLE_STANDIN_CONFLICTS: expected a number, but got 'yes'"},
      {"SPARKLE_STANDIN_FAULT=cs",
       "SPARKLE_STANDIN_FAULT: expected POINT:ERRNO, rings:N, hang, soft-hang "
       "or vram-lost, but got 'cs'"},
  };
  for (const auto &test : cases) {
    int status = 0;
    EXPECT_TRUE(says(run("OpensANode", test.variable, status), test.message));
    EXPECT_EQ(status, 125) << test.variable;
  }
}

TEST(Environment, FaultsOnDemand) {
  int status = 0;
  std::string said =
      run("OpensANode", "SPARKLE_STANDIN_FAULT=open:EACCES", status);
  EXPECT_TRUE(says(said, "sparkle-standin: a fault on demand: open: Permission "
                         "denied"));
  EXPECT_TRUE(says(said, "renderD128: Permission denied."));
  said = run("OpensANode", "SPARKLE_STANDIN_FAULT=", status);
  EXPECT_TRUE(says(said, "renderD128: opened."));
}

TEST(Environment, MessagesAreKeptInAFile) {
  std::string path = testing::TempDir() + "sparkle-standin-XXXXXX";
  int file = mkstemp(path.data());
  ASSERT_GE(file, 0);
  Session session(Generation::Gfx1100);
  setenv("SPARKLE_STANDIN_LOG", path.c_str(), 1);
  uint32_t value = 0;
  EXPECT_NE(amdgpu_query_info(session.device, 0x78, 4, &value), 0);
  unsetenv("SPARKLE_STANDIN_LOG");
  char text[256] = {};
  EXPECT_GT(read(file, text, sizeof text - 1), 0);
  EXPECT_STREQ(text, "INFO: query 0x78 is not modelled: Invalid argument\n");
  close(file);
  unlink(path.c_str());
}

// Run by the next one, too.
TEST(Environment, PrintsItsSeed) {
  Session session(Generation::Gfx1100);
  Memory program = session.upload(std::vector<FakeInstruction>{
      {FakeInstruction::Describe, 0, 0, 0}, {FakeInstruction::End, 0, 0, 0}});
  Memory to = session.allocate(4096);
  Memory arguments = session.upload(std::vector<uint64_t>{to.address});
  EXPECT_EQ(session.run(session.makeUsual(program, arguments)), 0);
  const auto &seen = *reinterpret_cast<const FakeDispatch *>(to.bytes);
  std::printf("seed %ju.\n", uintmax_t(seen.seed));
}

TEST(Environment, SeedDecides) {
  auto getSeed = [](const char *variable) {
    int status = 0;
    std::string said = run("PrintsItsSeed", variable, status);
    EXPECT_EQ(status, 0) << said;
    size_t begin = said.find("seed ");
    return begin == said.npos
               ? ""
               : said.substr(begin, said.find('.', begin) - begin);
  };
  std::string five = getSeed("SPARKLE_STANDIN_SEED=5");
  EXPECT_NE(five, "");
  EXPECT_EQ(five, getSeed("SPARKLE_STANDIN_SEED=5"));
  EXPECT_NE(five, getSeed("SPARKLE_STANDIN_SEED=6"));
}

/// As googletest does: a forked process closes a pipe before it becomes another
/// program, whatever the threads that it left behind were at.
TEST(Environment, ForksWhileThreadsUseANode) {
  int node = open("/dev/dri/renderD128", O_RDWR);
  ASSERT_GE(node, 0);
  std::atomic<bool> isOver{false};
  auto use = [&] {
    struct stat result;
    while (!isOver)
      fstat(node, &result);
  };
  std::thread threads[] = {std::thread(use), std::thread(use)};
  int status = 0;
  for (int i = 0; i < 100 && !status; ++i) {
    int pipe[2] = {-1, -1};
    EXPECT_EQ(::pipe(pipe), 0);
    pid_t child = fork();
    if (!child) {
      alarm(20);
      close(pipe[0]);
      _exit(0);
    }
    EXPECT_EQ(waitpid(child, &status, 0), child);
    close(pipe[0]);
    close(pipe[1]);
  }
  EXPECT_EQ(status, 0);
  isOver = true;
  for (std::thread &thread : threads)
    thread.join();
  close(node);
}

} // namespace
