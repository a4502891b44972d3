// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The two sides are compared with what they had in common, a page at a time.

#include "test/standin/Driver/Kernel/Window.h"
#include "test/standin/Driver/Kernel/Memory.h"
#include "test/standin/Driver/Real.h"

#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace sparkle::standin {

Window::Window(int file, uint64_t offset, uint8_t *memory, uint64_t size)
    : offset(offset), file(file), memory(memory), last(memory, memory + size) {
  if (ftruncate(file, offset + size))
    return;
  void *mapped =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, offset);
  if (mapped == MAP_FAILED)
    return;
  view = static_cast<uint8_t *>(mapped);
  std::memcpy(view, memory, size);
}

Window::~Window() {
  if (!view)
    return;
  munmap(view, last.size());
  fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
            last.size());
}

template <typename Visit>
void Window::forEachChange(const uint8_t *now, Visit visit) {
  for (uint64_t page = 0; page < last.size(); page += pageSize)
    if (std::memcmp(now + page, &last[page], pageSize))
      for (uint64_t i = page; i < page + pageSize; ++i)
        if (now[i] != last[i])
          visit(i);
}

void Window::post() {
  forEachChange(view, [&](uint64_t i) { memory[i] = last[i] = view[i]; });
}

void Window::show() {
  forEachChange(memory, [&](uint64_t i) {
    if (view[i] == last[i])
      view[i] = last[i] = memory[i];
  });
}

uint64_t Window::findUnposted() const {
  uint64_t i = 0;
  while (i < last.size() && view[i] == last[i])
    ++i;
  return i;
}

} // namespace sparkle::standin
