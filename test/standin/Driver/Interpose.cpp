// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions of the C library that libdrm calls on a render node. All others
// work by themselves, because an opened node is a file.

// The variants for large files are the same functions on this machine, but have
// names of their own.
#undef _FILE_OFFSET_BITS

#include "test/standin/Driver/Control.h"
#include "test/standin/Driver/Fault.h"
#include "test/standin/Driver/Folder.h"
#include "test/standin/Driver/Log.h"
#include "test/standin/Driver/Nodes.h"
#include "test/standin/Driver/Real.h"
#include "test/standin/Driver/Settings.h"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>

using namespace sparkle::standin;

#define EXPORTED __attribute__((visibility("default")))

static_assert(sizeof(dirent) == sizeof(dirent64) &&
                  sizeof(struct stat) == sizeof(struct stat64) &&
                  offsetof(struct stat, st_rdev) ==
                      offsetof(struct stat64, st_rdev),
              "expected a 64-bit machine, where both are the same");

namespace sparkle::standin {

template <typename Function>
static void lookUp(Function &to, const char *name) {
  to = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

static Real lookUpAll() {
  Real real = {};
  lookUp(real.open, "open");
  lookUp(real.open64, "open64");
  lookUp(real.openat, "openat");
  lookUp(real.close, "close");
  lookUp(real.ioctl, "ioctl");
  lookUp(real.access, "access");
  lookUp(real.stat, "stat");
  lookUp(real.lstat, "lstat");
  lookUp(real.fstat, "fstat");
  lookUp(real.opendir, "opendir");
  lookUp(real.readdir, "readdir");
  lookUp(real.closedir, "closedir");
  return real;
}

const Real &real() {
  static const Real functions = lookUpAll();
  return functions;
}

} // namespace sparkle::standin

namespace {

int give(int result) {
  if (result >= 0)
    return result;
  errno = -result;
  return -1;
}

/// True if the path is a render node; `result` is then what open returns.
bool openOurs(const char *path, int flags, int &result) {
  unsigned index = 0;
  switch (findNode(path, index)) {
  case Owner::Nobody:
    return false;
  case Owner::Foreign:
    result = give(-ENOENT);
    return true;
  case Owner::Ours:
    result = give(openNode(index, flags));
    return true;
  }
  return false;
}

bool describePath(const char *path, struct stat *to, int &result) {
  unsigned index = 0;
  Owner owner = findNode(path, index);
  if (owner == Owner::Ours)
    describeNode(index, *to);
  if (owner == Owner::Nobody) {
    owner = findDevice(path, index);
    if (owner == Owner::Ours) {
      *to = {};
      to->st_mode = S_IFDIR | 0755;
    }
  }
  result = owner == Owner::Foreign ? give(-ENOENT) : 0;
  return owner != Owner::Nobody;
}

mode_t getMode(int flags, va_list arguments) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

bool setFaultsOrReport(const char *text) {
  std::string mistake = setFaults(text);
  if (!mistake.empty())
    report("faults on demand: " + mistake);
  return mistake.empty();
}

size_t takeMessagesInto(char *text, size_t size) {
  std::string taken = takeMessages();
  if (size) {
    size_t length = std::min(size - 1, taken.size());
    std::memcpy(text, taken.data(), length);
    text[length] = '\0';
  }
  return taken.size();
}

} // namespace

extern "C" {

EXPORTED extern const SparkleStandinControl sparkleStandinControl;
const SparkleStandinControl sparkleStandinControl = {
    setFaultsOrReport, takeMessagesInto,
    [](uint64_t instructions) { getSettings().budget = instructions; },
    [](uint64_t milliseconds) { getSettings().lockup = milliseconds; },
    [](bool counts) { getSettings().countsConflicts = counts; }};

EXPORTED int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = getMode(flags, arguments);
  va_end(arguments);
  int result = 0;
  return openOurs(path, flags, result) ? result
                                       : real().open(path, flags, mode);
}

EXPORTED int open64(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = getMode(flags, arguments);
  va_end(arguments);
  int result = 0;
  return openOurs(path, flags, result) ? result
                                       : real().open64(path, flags, mode);
}

EXPORTED int openat(int folder, const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = getMode(flags, arguments);
  va_end(arguments);
  int result = 0;
  return openOurs(path, flags, result)
             ? result
             : real().openat(folder, path, flags, mode);
}

EXPORTED int close(int descriptor) {
  std::shared_ptr<File> file = findFile(descriptor);
  int result = real().close(descriptor);
  int error = errno;
  if (file)
    forgetClosed(file);
  errno = error;
  return result;
}

EXPORTED int ioctl(int descriptor, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  std::shared_ptr<File> file = findFile(descriptor);
  return file ? give(file->ioctl(request, argument))
              : real().ioctl(descriptor, request, argument);
}

EXPORTED int access(const char *path, int mode) noexcept {
  unsigned index = 0;
  Owner owner = findNode(path, index);
  if (owner == Owner::Nobody)
    return real().access(path, mode);
  return owner == Owner::Ours ? 0 : give(-ENOENT);
}

EXPORTED int stat(const char *path, struct stat *to) noexcept {
  int result = 0;
  return describePath(path, to, result) ? result : real().stat(path, to);
}

EXPORTED int stat64(const char *path, struct stat64 *to) noexcept {
  return stat(path, reinterpret_cast<struct stat *>(to));
}

EXPORTED int lstat(const char *path, struct stat *to) noexcept {
  int result = 0;
  return describePath(path, to, result) ? result : real().lstat(path, to);
}

EXPORTED int fstat(int descriptor, struct stat *to) noexcept {
  return describeDescriptor(descriptor, *to) ? 0 : real().fstat(descriptor, to);
}

EXPORTED int fstat64(int descriptor, struct stat64 *to) noexcept {
  return fstat(descriptor, reinterpret_cast<struct stat *>(to));
}

EXPORTED DIR *opendir(const char *path) {
  unsigned index = 0;
  switch (findDevice(path, index)) {
  case Owner::Nobody:
    return real().opendir(path);
  case Owner::Ours:
    return openFolder(index);
  case Owner::Foreign:
    break;
  }
  errno = ENOENT;
  return nullptr;
}

EXPORTED dirent *readdir(DIR *folder) {
  return isOurs(folder) ? readFolder(folder) : real().readdir(folder);
}

EXPORTED dirent64 *readdir64(DIR *folder) {
  return reinterpret_cast<dirent64 *>(readdir(folder));
}

EXPORTED int closedir(DIR *folder) {
  if (!isOurs(folder))
    return real().closedir(folder);
  closeFolder(folder);
  return 0;
}
}
