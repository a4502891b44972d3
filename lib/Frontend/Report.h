// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The errors found in a text, in the order in which they were found. It knows
// nothing of MLIR, so that lexer, parser and checks build and run without it.

#ifndef SPARKLE_FRONTEND_REPORT_H
#define SPARKLE_FRONTEND_REPORT_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/SMLoc.h"
#include <string>
#include <vector>

namespace sparkle {

/// Every name and token that lexer, parser and checks handle is a slice of the
/// source buffer, so that its text is also its place.
inline llvm::SMLoc locOf(llvm::StringRef slice) {
  return llvm::SMLoc::getFromPointer(slice.data());
}

/// `text` in quotes for a message, cut where it gets long.
std::string quote(llvm::StringRef text);

class Report {
public:
  struct Note {
    llvm::SMLoc loc;
    std::string text;
  };
  struct Error : Note {
    std::vector<Note> notes;

    Error &note(llvm::StringRef at, const llvm::Twine &text) {
      notes.push_back({locOf(at), text.str()});
      return *this;
    }
  };

  /// Adds an error. Those beyond the limit are dropped behind one last error
  /// that says so. The result lives until the next call.
  Error &error(llvm::SMLoc loc, const llvm::Twine &text);
  Error &error(llvm::StringRef at, const llvm::Twine &text) {
    return error(locOf(at), text);
  }

  /// True once errors are dropped: there is no point in going on.
  bool isFull() const { return errors.size() > limit; }
  const std::vector<Error> &getErrors() const { return errors; }

private:
  static constexpr size_t limit = 20;
  std::vector<Error> errors;
  Error dropped;
};

} // namespace sparkle

#endif // SPARKLE_FRONTEND_REPORT_H
