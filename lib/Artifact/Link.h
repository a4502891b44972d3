// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Relocatable object -> shared object, through ld.lld.

#ifndef SPARKLE_LIB_ARTIFACT_LINK_H
#define SPARKLE_LIB_ARTIFACT_LINK_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace sparkle {

/// Links `object` into a shared object that names the libraries it needs. None
/// of them has to be on this machine, so the bytes do not depend on it.
llvm::Error linkShared(llvm::StringRef object,
                       llvm::SmallVectorImpl<char> &shared);

/// Links an object that needs no library, for the machine that linkers call
/// `emulation`.
llvm::Error linkAlone(llvm::StringRef object, llvm::StringRef emulation,
                      llvm::SmallVectorImpl<char> &shared);

} // namespace sparkle

#endif // SPARKLE_LIB_ARTIFACT_LINK_H
