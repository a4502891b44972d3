// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared objects by path: good ones, damaged ones, and other files.

#include "sparkle/runtime.h"

#include <gtest/gtest.h>

#include <cstring>
#include <elf.h>
#include <fstream>
#include <string>
#include <unistd.h>

namespace {

struct LibraryTest : testing::Test {
  void SetUp() override {
    std::ifstream file(SPARKLE_TEST_KERNELS, std::ios::binary);
    good.assign(std::istreambuf_iterator<char>(file), {});
    ASSERT_GT(good.size(), 4096u);
    path = testing::TempDir() + "sparkle-library-" + std::to_string(getpid()) +
           ".so";
  }
  void TearDown() override { unlink(path.c_str()); }

  sparkle_status_t open(const std::string &where) {
    sparkle_library_t *library = nullptr;
    sparkle_status_t status =
        sparkle_library_open(where.c_str(), &library, &error);
    EXPECT_EQ(status == SPARKLE_OK, library != nullptr);
    sparkle_library_release(library);
    return status;
  }
  sparkle_status_t openBytes(const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    return open(path);
  }
  /// Where a number lies in the file, in the machine's order of bytes.
  size_t find(uint32_t number) const {
    char bytes[4];
    std::memcpy(bytes, &number, 4);
    return good.find(std::string(bytes, 4));
  }

  std::string good, path;
  sparkle_error_t error = {};
};

TEST_F(LibraryTest, kernels) {
  sparkle_library_t *library = nullptr;
  ASSERT_EQ(sparkle_library_open(SPARKLE_TEST_KERNELS, &library, &error),
            SPARKLE_OK)
      << error.message;
  ASSERT_EQ(sparkle_library_get_kernel_count(library), 17u);
  const char *names[] = {
      "add",      "product",       "conv",    "residual", "chain",   "split",
      "rows1_0",  "rows1_1",       "rows1_2", "rows2_0",  "rows2_1", "rows2_2",
      "channels", "channelsFirst", "pixels",  "tall",     "wide"};
  for (size_t i = 0; i < 17; ++i) {
    const sparkle_kernel_t *kernel = sparkle_library_get_kernel(library, i);
    EXPECT_STREQ(kernel->name, names[i]);
    EXPECT_EQ(sparkle_library_find_kernel(library, names[i]), kernel);
  }
  EXPECT_EQ(sparkle_library_get_kernel(library, 17), nullptr);
  EXPECT_EQ(sparkle_library_find_kernel(library, "ad"), nullptr);
  EXPECT_EQ(sparkle_library_find_kernel(library, nullptr), nullptr);
  sparkle_library_release(library);
}

TEST_F(LibraryTest, openedAgainAndAgain) {
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(open(SPARKLE_TEST_KERNELS), SPARKLE_OK);
}

TEST_F(LibraryTest, nullPointers) {
  sparkle_library_t *library = nullptr;
  EXPECT_EQ(sparkle_library_open(nullptr, &library, &error),
            SPARKLE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "expected a path, but got a null pointer");
  EXPECT_EQ(sparkle_library_open("x", nullptr, &error),
            SPARKLE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "expected out_library, but got a null pointer");
  EXPECT_EQ(sparkle_library_get_kernel_count(nullptr), 0u);
  EXPECT_EQ(sparkle_library_get_kernel(nullptr, 0), nullptr);
}

TEST_F(LibraryTest, noFile) {
  EXPECT_EQ(open("./no such file.so"), SPARKLE_FILE);
  EXPECT_STREQ(error.message, "expected a file './no such file.so', but it "
                              "cannot be opened: No such file or directory");
}

TEST_F(LibraryTest, notFoundByTheLoader) {
  EXPECT_EQ(open("no-such-kernels.so"), SPARKLE_FILE);
  EXPECT_STREQ(error.message,
               "expected a shared object 'no-such-kernels.so', but the loader "
               "says: no-such-kernels.so: cannot open shared object file: No "
               "such file or directory");
}

TEST_F(LibraryTest, folder) {
  EXPECT_EQ(open("/"), SPARKLE_FILE);
  EXPECT_STREQ(error.message, "expected a file '/', but got something else");
}

TEST_F(LibraryTest, otherFile) {
  for (const char *bytes : {"", "kernel conv {}", "\177ELF"}) {
    EXPECT_EQ(openBytes(bytes), SPARKLE_FILE);
    EXPECT_EQ(error.message,
              "expected a shared object '" + path + "', but got another file");
  }
}

TEST_F(LibraryTest, objectThatIsNotShared) {
  std::string bytes = good;
  bytes[16] = 1; // e_type: ET_REL
  EXPECT_EQ(openBytes(bytes), SPARKLE_FILE);
  EXPECT_EQ(error.message,
            "expected a shared object '" + path + "', but got another file");
}

TEST_F(LibraryTest, otherProcessor) {
  uint16_t own;
  std::memcpy(&own, &good[18], 2); // e_machine
  const std::pair<uint16_t, std::string> machines[] = {
      {EM_X86_64, "x86-64"},
      {EM_AARCH64, "AArch64"},
      {EM_S390, "another processor"}};
  std::string here = own == EM_X86_64 ? "x86-64" : "AArch64";
  for (const auto &[machine, name] : machines) {
    if (machine == own)
      continue;
    std::string bytes = good;
    std::memcpy(&bytes[18], &machine, 2);
    EXPECT_EQ(openBytes(bytes), SPARKLE_FILE);
    EXPECT_EQ(error.message, "expected a shared object '" + path + "' for " +
                                 here + ", but it is for " + name);
  }
}

TEST_F(LibraryTest, withoutKernels) {
  EXPECT_EQ(open("libc.so.6"), SPARKLE_FILE);
  EXPECT_STREQ(error.message,
               "expected a table of kernels in 'libc.so.6', but got none");
}

TEST_F(LibraryTest, cutOff) {
  for (size_t size = 64; size < good.size(); size += 1 + size / 16) {
    EXPECT_EQ(openBytes(good.substr(0, size)), SPARKLE_FILE) << size;
    EXPECT_EQ(error.message, "expected a whole shared object '" + path +
                                 "', but it is cut off");
  }
  EXPECT_EQ(openBytes(good.substr(0, good.size() - 1)), SPARKLE_FILE);
  EXPECT_EQ(openBytes(good), SPARKLE_OK);
}

TEST_F(LibraryTest, otherVersion) {
  size_t place = find(SPARKLE_KERNEL_MAGIC);
  ASSERT_NE(place, std::string::npos);
  std::string bytes = good;
  bytes[place + 4] = 9;
  EXPECT_EQ(openBytes(bytes), SPARKLE_INVALID_ARTIFACT);
  EXPECT_STREQ(error.message,
               "expected kernel descriptor version 6, but got 9");
}

TEST_F(LibraryTest, damagedImage) {
  size_t place = find(0x07230203); // SPIR-V's first word
  if (place == std::string::npos)
    GTEST_SKIP() << "no image in " << SPARKLE_TEST_KERNELS;
  std::string bytes = good;
  bytes[place + 100] ^= 1;
  EXPECT_EQ(openBytes(bytes), SPARKLE_INVALID_ARTIFACT);
  EXPECT_NE(std::string(error.message).find(": expected an image with hash "),
            std::string::npos)
      << error.message;
}

} // namespace
