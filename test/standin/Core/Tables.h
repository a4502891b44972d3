// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tables of vector instructions, each once for every x86-64 and once for
// AVX2 with FMA. SPARKLE_STANDIN_AVX2 is defined where the second is compiled.

#ifndef SPARKLE_TEST_STANDIN_CORE_TABLES_H
#define SPARKLE_TEST_STANDIN_CORE_TABLES_H

#include "test/standin/Core/Lanes.h"

namespace sparkle::standin {

#define SPARKLE_STANDIN_TABLES(DO)                                             \
  DO(Float)                                                                    \
  DO(Double) DO(Integer) DO(Word) DO(Half) DO(Packed) DO(Convert) DO(Compare)

#define SPARKLE_STANDIN_DECLARE(Name)                                          \
  Operations list##Name##Baseline();                                           \
  Operations list##Name##Avx2();
SPARKLE_STANDIN_TABLES(SPARKLE_STANDIN_DECLARE)
#undef SPARKLE_STANDIN_DECLARE

#ifdef SPARKLE_STANDIN_AVX2
#define SPARKLE_STANDIN_TABLE(Name) list##Name##Avx2
#else
#define SPARKLE_STANDIN_TABLE(Name) list##Name##Baseline
#endif

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_TABLES_H
