// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the runtime keeps between processes what it need not find out twice.

#ifndef SPARKLE_RUNTIME_CACHEFOLDER_H
#define SPARKLE_RUNTIME_CACHEFOLDER_H

#include <string>

namespace sparkle::runtime {

/// SPARKLE_CACHE_DIR, or else `sparkle` in XDG_CACHE_HOME, or else
/// `.cache/sparkle` in HOME. Empty if nothing is to be kept.
std::string getCacheFolder();

/// Makes the folders that a file of this path lies in, for this user alone.
/// False, with errno, if one cannot be made.
bool makeFolders(const std::string &path);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_CACHEFOLDER_H
