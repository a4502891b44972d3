// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The machine code of the driver's own tests: what Fake.cpp runs in place of
// the shader cores. A program is a list of instructions of four dwords; its
// first argument pointer is that of the kernel arguments, as on the real ones.

#ifndef SPARKLE_TEST_STANDIN_FAKE_H
#define SPARKLE_TEST_STANDIN_FAKE_H

#include <cstdint>

namespace sparkle::standin {

struct FakeInstruction {
  enum Opcode : uint32_t {
    End,
    /// Argument `from` to argument `to`, both addresses, `count` dwords, each
    /// one more than it was; by the vector client.
    Copy,
    CopyByScalar, ///< Reads by the scalar client.
    Add,          ///< `count` to the dword at argument `to`, atomically.
    Describe,     ///< The dispatch to argument `to`, as a FakeDispatch.
    Loop,         ///< For ever.
  } opcode;
  uint32_t from, to, count;
};

struct FakeDispatch {
  uint32_t rsrc1, rsrc2, rsrc3, initiator;
  uint32_t threads[3], start[3], end[3];
  uint32_t userData[16], userDataWritten;
  uint64_t seed;
};

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_FAKE_H
