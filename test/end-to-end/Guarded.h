// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A buffer between two pages that nobody may touch.

#ifndef SPARKLE_TEST_END_TO_END_GUARDED_H
#define SPARKLE_TEST_END_TO_END_GUARDED_H

#include <cstdint>
#include <string>

namespace sparkle {

/// Which page the buffer touches; `Unaligned` is `Start`, an element later.
enum class Placement { End, Start, Unaligned };

class Guarded {
public:
  /// A buffer filled with a pattern that is a not-a-number to f16, f32 and
  /// double.
  Guarded(std::string name, int64_t bytes, Placement placement,
          int64_t element = 4);
  ~Guarded();
  Guarded(const Guarded &) = delete;
  Guarded &operator=(const Guarded &) = delete;

  template <typename Element> Element *get() const {
    return reinterpret_cast<Element *>(data);
  }
  int64_t size() const { return bytes; }
  const std::string &getName() const { return name; }

  /// From here on, a write is a fault.
  void protect();

  /// True if the bytes around the buffer, within its pages, are untouched.
  bool isIntact() const;
  /// True if `count` bytes at `offset` still hold the pattern.
  bool isPoison(int64_t offset, int64_t count) const;

  /// Names the buffer at or near a faulting address; for a signal handler.
  static const char *describeFault(const void *address, char *text,
                                   size_t length);

private:
  bool isPoison(const char *at) const;

  std::string name;
  int64_t bytes;
  char *map, *data;
  int64_t mapped;
  Guarded *next;
};

} // namespace sparkle

#endif // SPARKLE_TEST_END_TO_END_GUARDED_H
