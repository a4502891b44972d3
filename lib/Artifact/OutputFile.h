// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files that appear complete or not at all.

#ifndef SPARKLE_LIB_ARTIFACT_OUTPUTFILE_H
#define SPARKLE_LIB_ARTIFACT_OUTPUTFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace sparkle {

struct OutputFile {
  std::string path; // `-` is standard output
  llvm::StringRef bytes;
};

/// False for `-` and for what exists and is no regular file: a pipe, a device.
bool isRegular(llvm::StringRef path);

/// Writes all of `files`, or none: each goes beside its place under another
/// name first, and moves there once all are on disk. What is not regular
/// is written where it stands.
llvm::Error writeFiles(llvm::ArrayRef<OutputFile> files);

} // namespace sparkle

#endif // SPARKLE_LIB_ARTIFACT_OUTPUTFILE_H
