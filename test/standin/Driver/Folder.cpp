// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A folder of one entry, `card0` of the first card.

#include "test/standin/Driver/Folder.h"

#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace sparkle::standin {

namespace {

struct Folder {
  dirent entry = {};
  bool isRead = false;
};

struct Folders {
  std::atomic<size_t> count{0};
  std::mutex mutex;
  std::unordered_map<DIR *, std::unique_ptr<Folder>> open;
};

Folders &getFolders() {
  static auto *folders = new Folders;
  return *folders;
}

} // namespace

DIR *openFolder(unsigned index) {
  auto folder = std::make_unique<Folder>();
  folder->entry.d_type = DT_DIR;
  std::snprintf(folder->entry.d_name, sizeof folder->entry.d_name, "card%u",
                index);
  auto *handle = reinterpret_cast<DIR *>(folder.get());
  Folders &folders = getFolders();
  std::lock_guard<std::mutex> lock(folders.mutex);
  folders.open.emplace(handle, std::move(folder));
  ++folders.count;
  return handle;
}

bool isOurs(DIR *folder) {
  Folders &folders = getFolders();
  if (!folders.count)
    return false;
  std::lock_guard<std::mutex> lock(folders.mutex);
  return folders.open.count(folder);
}

dirent *readFolder(DIR *handle) {
  Folders &folders = getFolders();
  std::lock_guard<std::mutex> lock(folders.mutex);
  Folder &folder = *folders.open[handle];
  if (folder.isRead)
    return nullptr;
  folder.isRead = true;
  return &folder.entry;
}

void closeFolder(DIR *handle) {
  Folders &folders = getFolders();
  std::lock_guard<std::mutex> lock(folders.mutex);
  folders.open.erase(handle);
  --folders.count;
}

} // namespace sparkle::standin
