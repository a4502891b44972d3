// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C header of an object's kernels.

#ifndef SPARKLE_LIB_ARTIFACT_HEADER_H
#define SPARKLE_LIB_ARTIFACT_HEADER_H

#include "lib/Artifact/Descriptor.h"

namespace sparkle {

/// A header that needs no other of ours, for C and C++.
std::string writeHeader(llvm::ArrayRef<KernelDescription> kernels);

/// True for the keywords of C and C++ and the names of <stdint.h>: no function
/// or parameter can have such a name.
bool isReservedWord(llvm::StringRef name);

/// True for the types and macros of <stdint.h>, which headers include.
bool isOfStdint(llvm::StringRef name);

} // namespace sparkle

#endif // SPARKLE_LIB_ARTIFACT_HEADER_H
