// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The stand-in of a build without LLVM.

#include "test/standin/Session.h"

#include <gtest/gtest.h>

using namespace sparkle::standin;

TEST(Absent, DispatchesSayThatTheShaderCoresAre) {
  Session session(Generation::Gfx1100);
  Memory memory = session.allocate(4096);
  Words words;
  words.acquire().state(session.generation, memory.address, memory.address);
  EXPECT_TRUE(says(session.hang(words.dispatch().pad()),
                   "this stand-in was built without its shader cores, which "
                   "need LLVM"));
}

TEST(Absent, AllElseWorks) {
  Session session(Generation::Gfx1100);
  Memory memory = session.allocate(4096);
  Words words;
  ASSERT_EQ(session.run(words.writeData(memory.address, {5}).pad()), 0);
  EXPECT_EQ(memory.getWords()[0], 5u);
}
