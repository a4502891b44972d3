// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What LLVM's code generators let nobody choose but by a command line.

#ifndef SPARKLE_LIB_TARGET_LLVMOPTION_H
#define SPARKLE_LIB_TARGET_LLVMOPTION_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CommandLine.h"

namespace sparkle {

/// Gives an option of LLVM a value for as long as it lives, so that the code of
/// one leaf does not depend on what another one has generated before. A value
/// from the command line wins.
class LLVMOption {
public:
  LLVMOption(llvm::StringRef name, llvm::StringRef value);
  ~LLVMOption();
  LLVMOption(const LLVMOption &) = delete;
  LLVMOption &operator=(const LLVMOption &) = delete;

private:
  llvm::cl::Option *option = nullptr;
};

/// The order of the selected instructions is that of the IR. LLVM takes what
/// holds for the first function of a process for all that follow: every leaf
/// has to have it.
struct SourceOrder : LLVMOption {
  SourceOrder() : LLVMOption("pre-RA-sched", "source") {}
};

} // namespace sparkle

#endif // SPARKLE_LIB_TARGET_LLVMOPTION_H
