// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Write, then rename. A signal in between removes the temporary files.

#include "lib/Artifact/OutputFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace sparkle {
namespace {

Error failure(StringRef path, std::error_code error) {
  return createStringError(error,
                           "cannot write '" + path + "': " + error.message());
}

/// Writes to the end, and asks whether it got there.
std::error_code writeAll(raw_fd_ostream &out, StringRef bytes) {
  out << bytes;
  out.flush();
  std::error_code error = out.error();
  out.clear_error();
  return error;
}

Error writeInPlace(const OutputFile &file) {
  std::error_code error;
  raw_fd_ostream out(file.path, error);
  if (!error)
    error = writeAll(out, file.bytes);
  return error ? failure(file.path, error) : Error::success();
}

/// Files on their way. Destruction without `keep` removes them.
class Pending {
public:
  ~Pending() {
    for (auto &[file, path] : temporaries)
      consumeError(file.discard());
  }

  Error add(const OutputFile &file) {
    // A link stays a link: what it points to is replaced.
    SmallString<128> path;
    if (sys::fs::real_path(file.path, path))
      path = file.path;
    Expected<sys::fs::TempFile> created =
        sys::fs::TempFile::create(path + ".%%%%%%%%");
    if (!created)
      return failure(file.path, errorToErrorCode(created.takeError()));
    temporaries.emplace_back(std::move(*created), path.str().str());
    raw_fd_ostream out(temporaries.back().first.FD, /*shouldClose=*/false);
    if (std::error_code error = writeAll(out, file.bytes))
      return failure(file.path, error);
    return Error::success();
  }

  /// Should one of the moves fail, those before it are undone.
  Error keep() {
    for (size_t index = 0; index < temporaries.size(); ++index) {
      auto &[file, path] = temporaries[index];
      Error error = file.keep(path);
      if (!error)
        continue;
      for (auto &moved : ArrayRef(temporaries).take_front(index))
        sys::fs::remove(moved.second);
      return failure(path, errorToErrorCode(std::move(error)));
    }
    return Error::success();
  }

private:
  SmallVector<std::pair<sys::fs::TempFile, std::string>, 2> temporaries;
};

} // namespace

bool isRegular(StringRef path) {
  sys::fs::file_status status;
  return path != "-" &&
         (sys::fs::status(path, status) || sys::fs::is_regular_file(status));
}

Error writeFiles(ArrayRef<OutputFile> files) {
  Pending pending;
  for (const OutputFile &file : files)
    if (Error error =
            isRegular(file.path) ? pending.add(file) : Error::success())
      return error;
  for (const OutputFile &file : files)
    if (!isRegular(file.path))
      if (Error error = writeInPlace(file))
        return error;
  return pending.keep();
}

} // namespace sparkle
