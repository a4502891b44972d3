// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Collects errors, and quotes text that may be anything.

#include "lib/Frontend/Report.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace sparkle;

std::string sparkle::quote(llvm::StringRef text) {
  constexpr size_t longest = 40;
  std::string quoted = "'";
  llvm::raw_string_ostream out(quoted);
  llvm::printEscapedString(text.take_front(longest), out);
  out << (text.size() > longest ? "...'" : "'");
  return quoted;
}

Report::Error &Report::error(llvm::SMLoc loc, const llvm::Twine &text) {
  if (isFull())
    return dropped = Error();
  bool last = errors.size() == limit;
  Error &error = errors.emplace_back();
  error.loc = loc;
  error.text = last ? "too many errors, giving up here" : text.str();
  return last ? dropped = Error() : error;
}
