// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files appear complete or not at all.

#include "lib/Artifact/OutputFile.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <csignal>
#include <gtest/gtest.h>
#include <sys/resource.h>

using namespace llvm;
using namespace sparkle;

namespace {

/// A directory of each test's own.
struct OutputFileTest : testing::Test {
  void SetUp() override {
    ASSERT_FALSE(sys::fs::createUniqueDirectory("sparkle-test", directory));
  }
  void TearDown() override { sys::fs::remove_directories(directory); }

  std::string path(const Twine &name) {
    SmallString<128> result(directory);
    sys::path::append(result, name);
    return result.str().str();
  }
  std::string read(const Twine &name) {
    auto buffer = MemoryBuffer::getFile(path(name));
    return buffer ? (*buffer)->getBuffer().str() : "none";
  }
  std::string write(ArrayRef<OutputFile> files) {
    return toString(writeFiles(files));
  }
  unsigned countFiles() {
    std::error_code error;
    unsigned count = 0;
    for (sys::fs::directory_iterator i(directory, error), end; i != end;
         i.increment(error))
      ++count;
    return count;
  }

  SmallString<128> directory;
};

TEST_F(OutputFileTest, writesAll) {
  EXPECT_EQ(write({{path("a.o"), "object"}, {path("a.h"), "header"}}), "");
  EXPECT_EQ(read("a.o"), "object");
  EXPECT_EQ(read("a.h"), "header");
  EXPECT_EQ(countFiles(), 2u);
}

TEST_F(OutputFileTest, replaces) {
  EXPECT_EQ(write({{path("a.o"), "a longer object"}}), "");
  EXPECT_EQ(write({{path("a.o"), "object"}}), "");
  EXPECT_EQ(read("a.o"), "object");
}

/// The link stays, and what it points to is replaced.
TEST_F(OutputFileTest, followsLinks) {
  EXPECT_EQ(write({{path("a.o"), "old"}}), "");
  ASSERT_FALSE(sys::fs::create_link(path("a.o"), path("link.o")));
  EXPECT_EQ(write({{path("link.o"), "new"}}), "");
  EXPECT_EQ(read("a.o"), "new");
  EXPECT_TRUE(sys::fs::is_symlink_file(path("link.o")));
}

TEST_F(OutputFileTest, noDirectory) {
  EXPECT_EQ(write({{path("none/a.o"), "object"}}),
            "cannot write '" + path("none/a.o") +
                "': No such file or directory");
  EXPECT_EQ(countFiles(), 0u);
}

TEST_F(OutputFileTest, isDirectory) {
  EXPECT_EQ(write({{directory.str().str(), "object"}}),
            "cannot write '" + directory.str().str() + "': Is a directory");
  EXPECT_EQ(countFiles(), 0u);
}

/// The second of two cannot be written: the first does not appear either.
TEST_F(OutputFileTest, allOrNothing) {
  ASSERT_FALSE(sys::fs::create_directory(path("a.h")));
  EXPECT_EQ(write({{path("a.o"), "object"}, {path("a.h"), "header"}}),
            "cannot write '" + path("a.h") + "': Is a directory");
  EXPECT_EQ(read("a.o"), "none");
  EXPECT_EQ(countFiles(), 1u);
}

TEST_F(OutputFileTest, fullDevice) {
  EXPECT_EQ(write({{"/dev/full", "object"}}),
            "cannot write '/dev/full': No space left on device");
}

/// A device is written, not replaced.
TEST_F(OutputFileTest, nullDevice) {
  EXPECT_EQ(write({{"/dev/null", "object"}}), "");
  sys::fs::file_status status;
  ASSERT_FALSE(sys::fs::status("/dev/null", status));
  EXPECT_EQ(status.type(), sys::fs::file_type::character_file);
}

/// A limit on the size of files stands for a disk that fills up half way.
TEST_F(OutputFileTest, fullDisk) {
  EXPECT_EQ(write({{path("a.o"), "old"}}), "");
  rlimit old, small;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  small = {4096, old.rlim_max};
  auto *handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string large(1 << 16, 'x');
  std::string message = write({{path("a.o"), large}, {path("a.h"), "header"}});
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(message, "cannot write '" + path("a.o") + "': File too large");
  EXPECT_EQ(read("a.o"), "old");
  EXPECT_EQ(countFiles(), 1u);
}

} // namespace
