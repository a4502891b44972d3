// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Asks the environment, as the XDG Base Directory Specification says.

#include "runtime/CacheFolder.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

namespace sparkle::runtime {

/// What is there stays there, wherever the program changes to.
static std::string makeAbsolute(const char *folder) {
  char here[PATH_MAX];
  if (!*folder || *folder == '/')
    return folder;
  return getcwd(here, sizeof(here)) ? std::string(here) + "/" + folder : "";
}

std::string getCacheFolder() {
  if (const char *folder = std::getenv("SPARKLE_CACHE_DIR"))
    return makeAbsolute(folder);
  // "If an implementation encounters a relative path in any of these variables
  // it should consider the path invalid and ignore it."
  const char *cache = std::getenv("XDG_CACHE_HOME");
  if (cache && *cache == '/')
    return std::string(cache) + "/sparkle";
  const char *home = std::getenv("HOME");
  return home && *home == '/' ? std::string(home) + "/.cache/sparkle" : "";
}

bool makeFolders(const std::string &path) {
  for (size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1))
    if (mkdir(path.substr(0, end).c_str(), 0700) != 0 && errno != EEXIST)
      return false;
  return true;
}

} // namespace sparkle::runtime
