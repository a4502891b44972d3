// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Machine code for the tests: from assembly, or from LLVM IR as the compiler
// would make it.

#ifndef SPARKLE_TEST_STANDIN_CORE_TEST_ASSEMBLE_H
#define SPARKLE_TEST_STANDIN_CORE_TEST_ASSEMBLE_H

#include "test/standin/Core/Core.h"

#include <string>
#include <vector>

namespace sparkle::standin {

/// What a code object says of a kernel.
struct Kernel {
  std::vector<uint8_t> code; ///< From the entry on.
  uint32_t localBytes = 0;
  uint32_t rsrc1 = 0, rsrc2 = 0, rsrc3 = 0;
};

/// "gfx1030", "gfx1100".
const char *nameOf(Generation generation);

/// The bytes of an assembly text; ends the program on an error.
std::vector<uint8_t> assemble(Generation generation, const std::string &text);

/// The kernel `k` of an IR text, optimised with the target's own pipeline.
/// `features` are LLVM's, besides `+cumode`.
Kernel compile(Generation generation, const std::string &ir,
               const std::string &features = "-real-true16");

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_TEST_ASSEMBLE_H
