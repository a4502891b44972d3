// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maps buffers between guard pages, and tells which one a fault belongs to.

#include "test/end-to-end/Guarded.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

using namespace sparkle;

/// All live buffers: the signal handler has no other way to find them.
static Guarded *buffers = nullptr;

// Two equal f16 with an exponent of all ones: so it is in f32 and in double.
static const uint32_t poison = 0x7fc17fc1;

static int64_t getPageSize() { return sysconf(_SC_PAGESIZE); }

Guarded::Guarded(std::string name, int64_t bytes, Placement placement,
                 int64_t element)
    : name(std::move(name)), bytes(bytes), next(buffers) {
  int64_t page = getPageSize();
  int64_t shift = placement == Placement::Unaligned ? element : 0;
  int64_t inner = (bytes + shift + page - 1) / page * page;
  mapped = inner + 2 * page;
  void *pages = mmap(nullptr, mapped, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) {
    std::perror("mmap");
    std::exit(2);
  }
  map = static_cast<char *>(pages);
  data = placement == Placement::End ? map + page + inner - bytes
                                     : map + page + shift;
  if (inner)
    mprotect(map + page, inner, PROT_READ | PROT_WRITE);
  for (int64_t at = 0; at < inner; at += sizeof poison)
    std::memcpy(map + page + at, &poison, sizeof poison);
  buffers = this;
}

Guarded::~Guarded() {
  for (Guarded **link = &buffers; *link; link = &(*link)->next)
    if (*link == this) {
      *link = next;
      break;
    }
  munmap(map, mapped);
}

void Guarded::protect() {
  int64_t page = getPageSize();
  if (mapped > 2 * page)
    mprotect(map + page, mapped - 2 * page, PROT_READ);
}

/// The byte at `at`; the pattern begins anew every 4 bytes of the pages.
bool Guarded::isPoison(const char *at) const {
  return *at == reinterpret_cast<const char *>(&poison)[(at - map) % 4];
}

bool Guarded::isPoison(int64_t offset, int64_t count) const {
  return std::all_of(data + offset, data + offset + count,
                     [&](const char &at) { return isPoison(&at); });
}

bool Guarded::isIntact() const {
  int64_t page = getPageSize();
  for (char *at = map + page; at < map + mapped - page; ++at)
    if ((at < data || at >= data + bytes) && !isPoison(at))
      return false;
  return true;
}

const char *Guarded::describeFault(const void *address, char *text,
                                   size_t length) {
  const char *at = static_cast<const char *>(address);
  for (Guarded *buffer = buffers; buffer; buffer = buffer->next) {
    if (at < buffer->map || at >= buffer->map + buffer->mapped)
      continue;
    long long offset = at - buffer->data;
    if (offset < 0)
      std::snprintf(text, length, "touched '%s' %lld bytes before its start",
                    buffer->name.c_str(), -offset);
    else if (offset >= buffer->bytes)
      std::snprintf(text, length, "touched '%s' %lld bytes past its end",
                    buffer->name.c_str(), offset - (long long)buffer->bytes);
    else
      std::snprintf(text, length, "wrote to '%s', which is read only",
                    buffer->name.c_str());
    return text;
  }
  std::snprintf(text, length, "segmentation fault at %p", address);
  return text;
}
