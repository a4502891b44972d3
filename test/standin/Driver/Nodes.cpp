// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An opened node is a memfd, so that mmap, dup, fcntl and poll work by
// themselves; its inode tells whose it is.

#include "test/standin/Driver/Nodes.h"
#include "test/standin/Driver/Fault.h"
#include "test/standin/Driver/Log.h"
#include "test/standin/Driver/Real.h"
#include "test/standin/Driver/Settings.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <optional>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace sparkle::standin {

namespace {

constexpr unsigned major = 226, firstMinor = 128, lastMinor = 191;
constexpr char nodePrefix[] = "/dev/dri/renderD";
constexpr char devicePrefix[] = "/sys/dev/char/226:";

struct OpenFile {
  std::shared_ptr<File> file;
  unsigned index;
};

struct Nodes {
  /// Of all files in memory, ours among them; 0 while there are none.
  std::atomic<dev_t> device{0};
  std::mutex mutex;
  std::map<unsigned, Gpu *> gpus;
  std::map<ino_t, OpenFile> files;
};

// Never destroyed: the cards' threads may still run.
Nodes &getNodes() {
  static auto *nodes = new Nodes;
  return *nodes;
}

Owner findMinor(const char *digits, const char *behind, unsigned &index) {
  char *end = nullptr;
  unsigned long minor = std::strtoul(digits, &end, 10);
  if (end == digits || std::strncmp(end, behind, std::strlen(behind)) != 0 ||
      minor < firstMinor || minor > lastMinor)
    return Owner::Nobody;
  index = minor - firstMinor;
  return index < getSettings().cards.size() ? Owner::Ours : Owner::Foreign;
}

Owner findAfter(const char *path, const char *prefix, const char *behind,
                unsigned &index) {
  size_t length = std::strlen(prefix);
  if (!path || std::strncmp(path, prefix, length) != 0 ||
      getSettings().cards.empty())
    return Owner::Nobody;
  return findMinor(path + length, behind, index);
}

/// Takes no lock for what lies elsewhere: between fork and exec a process
/// closes its pipes, and a thread that held the lock is not in it.
std::optional<OpenFile> lookUp(int descriptor) {
  Nodes &nodes = getNodes();
  struct stat result;
  if (!nodes.device || real().fstat(descriptor, &result) ||
      result.st_dev != nodes.device)
    return {};
  std::lock_guard<std::mutex> lock(nodes.mutex);
  auto found = nodes.files.find(result.st_ino);
  if (found == nodes.files.end())
    return {};
  return found->second;
}

Gpu &getGpu(unsigned index) {
  Gpu *&gpu = getNodes().gpus[index];
  if (!gpu)
    gpu = new Gpu(getSettings().cards[index], getSettings().seed + index);
  return *gpu;
}

} // namespace

Owner findNode(const char *path, unsigned &index) {
  Owner owner = findAfter(path, nodePrefix, "", index);
  if (owner == Owner::Nobody)
    return owner;
  const char *digits = path + std::strlen(nodePrefix);
  return digits[std::strspn(digits, "0123456789")] ? Owner::Nobody : owner;
}

Owner findDevice(const char *path, unsigned &index) {
  return findAfter(path, devicePrefix, "/device/drm", index);
}

int openNode(unsigned index, int flags) {
  if (int error = takeFault("open")) {
    report(format("a fault on demand: open: %s", std::strerror(-error)));
    return error;
  }
  int descriptor = memfd_create("sparkle-standin",
                                flags & O_CLOEXEC ? unsigned(MFD_CLOEXEC) : 0u);
  if (descriptor < 0)
    return -errno;
  int kept = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  struct stat result;
  if (kept < 0 || real().fstat(descriptor, &result)) {
    int error = errno;
    real().close(descriptor);
    return -error;
  }
  std::lock_guard<std::mutex> lock(getNodes().mutex);
  auto file =
      std::make_shared<File>(getGpu(index), std::make_shared<Storage>(kept));
  getNodes().files[result.st_ino] = {file, index};
  getNodes().device = result.st_dev;
  return descriptor;
}

std::shared_ptr<File> findFile(int descriptor) {
  std::optional<OpenFile> found = lookUp(descriptor);
  return found ? found->file : nullptr;
}

void forgetClosed(const std::shared_ptr<File> &file) {
  std::lock_guard<std::mutex> lock(getNodes().mutex);
  struct stat ours, other;
  if (real().fstat(file->getStorage(), &ours))
    return;
  DIR *folder = opendir("/proc/self/fd");
  if (!folder)
    return;
  bool isOpen = false;
  while (dirent *entry = readdir(folder)) {
    int descriptor = std::atoi(entry->d_name);
    isOpen |= entry->d_name[0] != '.' && descriptor != file->getStorage() &&
              !real().fstat(descriptor, &other) &&
              other.st_ino == ours.st_ino && other.st_dev == ours.st_dev;
  }
  closedir(folder);
  if (!isOpen)
    getNodes().files.erase(ours.st_ino);
}

void describeNode(unsigned index, struct stat &result) {
  result = {};
  result.st_mode = S_IFCHR | 0660;
  result.st_rdev = makedev(major, firstMinor + index);
  result.st_nlink = 1;
}

bool describeDescriptor(int descriptor, struct stat &result) {
  std::optional<OpenFile> found = lookUp(descriptor);
  if (found)
    describeNode(found->index, result);
  return found.has_value();
}

} // namespace sparkle::standin
