// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Looks options up by their names.

#include "lib/Target/LLVMOption.h"

namespace sparkle {

LLVMOption::LLVMOption(llvm::StringRef name, llvm::StringRef value) {
  auto &options = llvm::cl::getRegisteredOptions();
  auto found = options.find(name);
  if (found == options.end() || found->second->getNumOccurrences())
    return;
  option = found->second;
  option->addOccurrence(0, option->ArgStr, value);
}

LLVMOption::~LLVMOption() {
  if (option)
    option->reset();
}

} // namespace sparkle
