// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers lie in a memfd, so that the program can map them by the real mmap.

#include "test/standin/Driver/Kernel/Memory.h"
#include "test/standin/Driver/Log.h"
#include "test/standin/Driver/Real.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <amdgpu_drm.h>

namespace sparkle::standin {

namespace {

/// Graphics memory is not cleared unless one asks. To fill more would cost more
/// than it finds.
constexpr uint64_t largestPoisoned = 64 << 20;

std::atomic<uint64_t> lastId{0};

constexpr uint64_t holeBegin = 0x0000800000000000, holeEnd = ~(holeBegin - 1);

} // namespace

// By the real functions: ours take the file for a node.
Storage::~Storage() { real().close(file); }

Buffer::Buffer(std::shared_ptr<Storage> in, uint64_t offset, uint64_t size,
               uint64_t domains, uint64_t flags)
    : offset(offset), size(size), domains(domains), flags(flags), id(++lastId),
      storage(std::move(in)) {
  struct stat now;
  if (real().fstat(storage->file, &now) ||
      (uint64_t(now.st_size) < offset + size &&
       ftruncate(storage->file, offset + size)))
    return;
  void *mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED,
                      storage->file, offset);
  if (mapped == MAP_FAILED)
    return;
  bytes = static_cast<uint8_t *>(mapped);
  if ((domains & AMDGPU_GEM_DOMAIN_VRAM) &&
      !(flags & AMDGPU_GEM_CREATE_VRAM_CLEARED))
    poison();
}

void Buffer::poison() {
  std::memset(bytes, 0xff, std::min(size, largestPoisoned));
}

bool Buffer::openWindow(uint64_t at) {
  window = std::make_unique<Window>(storage->file, at, bytes, size);
  if (!window->isOpen())
    window.reset();
  return window != nullptr;
}

Buffer::~Buffer() {
  window.reset();
  if (!bytes)
    return;
  munmap(bytes, size);
  fallocate(storage->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
            size);
}

bool canonicalize(uint64_t &address) {
  if (address >= holeBegin && address < holeEnd)
    return false;
  address &= 2 * holeBegin - 1;
  return true;
}

const Mapping *AddressSpace::find(uint64_t address, uint64_t &begin) const {
  auto next = mappings.upper_bound(address);
  if (next == mappings.begin())
    return nullptr;
  const auto &[start, mapping] = *--next;
  begin = start;
  return address - start < mapping.size ? &mapping : nullptr;
}

int AddressSpace::map(uint64_t address, Mapping mapping, std::string &why) {
  auto next = mappings.lower_bound(address + mapping.size);
  if (next != mappings.begin()) {
    --next;
    if (next->first + next->second.size > address) {
      why = format("0x%jx to 0x%jx overlaps what is mapped at 0x%jx",
                   uintmax_t(address), uintmax_t(address + mapping.size),
                   uintmax_t(next->first));
      return -EINVAL;
    }
  }
  mappings.emplace(address, std::move(mapping));
  return 0;
}

int AddressSpace::unmap(uint64_t address, std::string &why) {
  if (mappings.erase(address))
    return 0;
  why = format("no mapping begins at 0x%jx", uintmax_t(address));
  return -ENOENT;
}

void AddressSpace::clear(uint64_t address, uint64_t size) {
  uint64_t end = address + size;
  auto next = mappings.upper_bound(address);
  if (next != mappings.begin())
    --next;
  while (next != mappings.end() && next->first < end) {
    auto [begin, mapping] = *next;
    if (begin + mapping.size <= address) {
      ++next;
      continue;
    }
    next = mappings.erase(next);
    if (begin < address) {
      Mapping before = mapping;
      before.size = address - begin;
      mappings.emplace(begin, before);
    }
    if (begin + mapping.size > end) {
      Mapping behind = mapping;
      behind.offset += end - begin;
      behind.size = begin + mapping.size - end;
      mappings.emplace(end, behind);
    }
  }
}

void AddressSpace::remove(const Buffer *buffer) {
  for (auto next = mappings.begin(); next != mappings.end();)
    next = next->second.buffer.get() == buffer ? mappings.erase(next)
                                               : std::next(next);
}

} // namespace sparkle::standin
