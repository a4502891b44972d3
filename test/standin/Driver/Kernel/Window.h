// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the program maps of graphics memory. What it writes there is posted: it
// lies in buffers on the way until the kernel flushes them (HDP), which it does
// in front of each submission.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_KERNEL_WINDOW_H
#define SPARKLE_TEST_STANDIN_DRIVER_KERNEL_WINDOW_H

#include <cstdint>
#include <vector>

namespace sparkle::standin {

class Window {
public:
  /// A view, at `offset` of `file`, of the `size` bytes at `memory`.
  Window(int file, uint64_t offset, uint8_t *memory, uint64_t size);
  ~Window();
  Window(const Window &) = delete;
  Window &operator=(const Window &) = delete;

  bool isOpen() const { return view; }
  /// What the program has written reaches the memory.
  void post();
  /// What is in memory is seen, but where the program has written since.
  void show();
  /// Where the first byte lies that is not posted; the size if all are.
  uint64_t findUnposted() const;

  const uint64_t offset;

private:
  template <typename Visit> void forEachChange(const uint8_t *now, Visit visit);

  const int file;
  uint8_t *const memory;
  uint8_t *view = nullptr;
  std::vector<uint8_t> last; ///< When both were alike.
};

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_KERNEL_WINDOW_H
