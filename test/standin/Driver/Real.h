// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C library's functions behind those that the stand-in takes over.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_REAL_H
#define SPARKLE_TEST_STANDIN_DRIVER_REAL_H

#include <dirent.h>
#include <sys/stat.h>

namespace sparkle::standin {

struct Real {
  int (*open)(const char *path, int flags, ...);
  int (*open64)(const char *path, int flags, ...);
  int (*openat)(int folder, const char *path, int flags, ...);
  int (*close)(int descriptor);
  int (*ioctl)(int descriptor, unsigned long request, ...);
  int (*access)(const char *path, int mode);
  int (*stat)(const char *path, struct stat *result);
  int (*lstat)(const char *path, struct stat *result);
  int (*fstat)(int descriptor, struct stat *result);
  DIR *(*opendir)(const char *path);
  dirent *(*readdir)(DIR *folder);
  int (*closedir)(DIR *folder);
};

/// Looked up at the first call.
const Real &real();

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_REAL_H
