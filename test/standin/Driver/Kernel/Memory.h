// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffer objects, and the page table of one opened node.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_KERNEL_MEMORY_H
#define SPARKLE_TEST_STANDIN_DRIVER_KERNEL_MEMORY_H

#include "test/standin/Driver/Kernel/Window.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace sparkle::standin {

constexpr uint64_t pageSize = 4096;

struct Mapping;

/// A memfd, which stands for an opened node.
class Storage {
public:
  explicit Storage(int file) : file(file) {}
  ~Storage();
  Storage(const Storage &) = delete;
  Storage &operator=(const Storage &) = delete;

  const int file;
};

/// A buffer object: a range of the memfd that stands for its node, as the
/// program maps it too. Kept while a handle, a mapping or a job uses it.
class Buffer {
public:
  /// Makes the file long enough and maps the range; without `bytes` if it could
  /// not.
  Buffer(std::shared_ptr<Storage> storage, uint64_t offset, uint64_t size,
         uint64_t domains, uint64_t flags);
  /// Gives the memory back.
  ~Buffer();
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;

  /// Of a page, by its offset: never that of another one, before or after.
  uint64_t getKey(uint64_t offset) const {
    return (id << 28) + offset / pageSize;
  }

  const uint64_t offset, size, domains, flags;
  /// As the graphics memory sees it; a cache may know better.
  uint8_t *bytes = nullptr;

  void poison();
  /// Lets the program see graphics memory, at this offset of the file. False if
  /// this machine has no memory left.
  bool openWindow(uint64_t at);
  /// Null where the program sees the memory itself, or has not asked.
  Window *getWindow() const { return window.get(); }

private:
  const uint64_t id;
  std::shared_ptr<Storage> storage;
  std::unique_ptr<Window> window;
};

/// Part of a buffer at an address.
struct Mapping {
  std::shared_ptr<Buffer> buffer;
  uint64_t offset = 0, size = 0;
  uint32_t flags = 0; ///< AMDGPU_VM_PAGE_*
};

/// The page table. Addresses are without the sign extension of their upper
/// half. Guarded by the monitor.
class AddressSpace {
public:
  /// Errors of the kernel, negative; `why` says what is wrong.
  int map(uint64_t address, Mapping mapping, std::string &why);
  int unmap(uint64_t address, std::string &why);
  /// Unmaps what lies there, of mappings that reach beyond only the part.
  void clear(uint64_t address, uint64_t size);
  /// Unmaps everything of a buffer.
  void remove(const Buffer *buffer);
  /// What is mapped at an address and where it begins, or null.
  const Mapping *find(uint64_t address, uint64_t &begin) const;

private:
  std::map<uint64_t, Mapping> mappings;
};

/// The address that the page table knows, or false: within the hole.
bool canonicalize(uint64_t &address);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_KERNEL_MEMORY_H
