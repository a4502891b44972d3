// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The variables of the environment, in programs of their own.

#include "test/standin/Session.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

using namespace sparkle::standin;

namespace {

/// What a command says, and as which status it ends, with the stand-in
/// preloaded.
std::string run(const std::string &command, int &status) {
  std::string said;
  FILE *pipe = popen(("{ " + command + "; } 2>&1").c_str(), "r");
  EXPECT_TRUE(pipe);
  for (int c; pipe && (c = std::fgetc(pipe)) != EOF;)
    said += char(c);
  status = pipe ? WEXITSTATUS(pclose(pipe)) : -1;
  return said;
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
      {"SPARKLE_STANDIN_FAULT=cs",
       "SPARKLE_STANDIN_FAULT: expected POINT:ERRNO, rings:N, hang, soft-hang "
       "or vram-lost, but got 'cs'"},
  };
  for (const auto &test : cases) {
    int status = 0;
    std::string said =
        run(test.variable + std::string(" cat /dev/dri/renderD128"), status);
    EXPECT_TRUE(says(said, test.message));
    EXPECT_EQ(status, 125) << test.variable;
  }
}

TEST(Environment, FaultsOnDemand) {
  int status = 0;
  std::string said =
      run("SPARKLE_STANDIN_FAULT=open:EACCES cat /dev/dri/renderD128", status);
  EXPECT_TRUE(says(said, "sparkle-standin: a fault on demand: open: Permission "
                         "denied"));
  EXPECT_NE(status, 0);
  said = run("cat /dev/dri/renderD128", status);
  EXPECT_EQ(said, "");
  EXPECT_EQ(status, 0);
}

TEST(Environment, NothingWithoutIt) {
  int status = 0;
  std::string said =
      run("SPARKLE_STANDIN= stat -c %n /dev/dri/renderD189", status);
  EXPECT_TRUE(says(said, "No such file"));
  EXPECT_NE(status, 0);
}

TEST(Environment, MessagesAreKeptInAFile) {
  char path[] = "/tmp/sparkle-standin-XXXXXX";
  int file = mkstemp(path);
  ASSERT_GE(file, 0);
  Session session(Generation::Gfx1100);
  setenv("SPARKLE_STANDIN_LOG", path, 1);
  uint32_t value = 0;
  EXPECT_NE(amdgpu_query_info(session.device, 0x78, 4, &value), 0);
  unsetenv("SPARKLE_STANDIN_LOG");
  char text[256] = {};
  EXPECT_GT(read(file, text, sizeof text - 1), 0);
  EXPECT_STREQ(text, "INFO: query 0x78 is not modelled: Invalid argument\n");
  close(file);
  unlink(path);
}

// Run by the next one.
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
  auto getSeed = [](int seed) {
    int status = 0;
    std::string said = run("SPARKLE_STANDIN_SEED=" + std::to_string(seed) +
                               " /proc/" + std::to_string(getpid()) +
                               "/exe --gtest_filter=Environment.PrintsItsSeed",
                           status);
    EXPECT_EQ(status, 0) << said;
    size_t begin = said.find("seed ");
    return said.substr(begin, said.find('.', begin) - begin);
  };
  EXPECT_EQ(getSeed(5), getSeed(5));
  EXPECT_NE(getSeed(5), getSeed(6));
}

} // namespace
