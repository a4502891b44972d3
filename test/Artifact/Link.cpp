// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What cannot be linked, and where. Objects that can be are linked in link.spk.

#include "lib/Artifact/Link.h"

#include "llvm/ADT/SmallString.h"
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>

using namespace llvm;
using namespace sparkle;

namespace {

std::string link(StringRef object) {
  SmallString<0> shared;
  std::string message = toString(linkShared(object, shared));
  EXPECT_TRUE(shared.empty());
  return message;
}

TEST(Link, noObject) {
  EXPECT_EQ(link("garbage"),
            "The file was not recognized as a valid object file");
}

/// An ELF header alone passes for an object; the linker knows better.
TEST(Link, linkerFails) {
  std::string header(64, '\0');
  std::memcpy(header.data(), "\177ELF\2\1\1", 7);
  header[16] = 1;    // relocatable
  header[18] = 0x28; // for another machine
  header[20] = 1;
  header[52] = 64;
  EXPECT_EQ(link(header).rfind("the linker failed: ", 0), 0u) << link(header);
}

TEST(Link, noTemporaryDirectory) {
  setenv("TMPDIR", "/none", 1);
  EXPECT_EQ(link("garbage"), "cannot create a temporary directory: No such "
                             "file or directory");
  unsetenv("TMPDIR");
}

} // namespace
