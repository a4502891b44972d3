// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C functions of a kernel that has several codes for the CPU: each asks the
// machine what it runs, once, and calls that variant's.

#ifndef SPARKLE_LIB_ARTIFACT_DISPATCH_H
#define SPARKLE_LIB_ARTIFACT_DISPATCH_H

#include "lib/Artifact/Descriptor.h"

namespace sparkle {

/// Adds NAME, NAME_pack_W and so on to `module`, which holds those of the
/// variants: NAME_avx2, NAME_avx2_pack_W. Where one code is for the CPU, or
/// none, there is nothing to add.
///
/// All kernels of a module have code for the same processors, best first, so
/// that one choice does for all.
void addDispatch(llvm::Module &module, const KernelDescription &kernel);

} // namespace sparkle

#endif // SPARKLE_LIB_ARTIFACT_DISPATCH_H
