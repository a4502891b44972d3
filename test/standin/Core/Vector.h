// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs vector instructions: reads the sources of 32 lanes, applies the function
// of the table, writes the results of the lanes that EXEC has on.

#ifndef SPARKLE_TEST_STANDIN_CORE_VECTOR_H
#define SPARKLE_TEST_STANDIN_CORE_VECTOR_H

#include "test/standin/Core/Wave.h"

namespace sparkle::standin {

/// Any vector instruction of the table.
void executeVector(Wave &wave, const Instruction &instruction);
/// One whose operands are whole registers of 32 bits without modifiers.
void executePlain(Wave &wave, const Instruction &instruction);
/// Two at once: both read before either writes.
void executePair(Wave &wave, const Instruction &instruction);

/// The 32 values of a source in the C++ type of `source.type`: in place, or in
/// `buffer`, which has room for 32 times 8 bytes.
const void *fetch(Wave &wave, const Source &source, void *buffer);

/// Fills in `source.constant` from its value and modifiers.
void makeConstant(Source &source);

/// Bit i: element i is true.
uint32_t maskOf(const bool *lanes);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_VECTOR_H
