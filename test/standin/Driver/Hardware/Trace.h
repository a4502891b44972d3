// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who has written what since when, byte by byte: tells a reader whether it may
// see an old value on hardware.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_TRACE_H
#define SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_TRACE_H

#include "test/standin/Driver/Kernel/Memory.h"

#include <algorithm>
#include <memory>
#include <unordered_map>

namespace sparkle::standin {

/// A bit for each byte of a page.
class Mask {
public:
  void set(uint64_t offset, size_t size) {
    forEachWord(offset, size, [](uint64_t &word, uint64_t bits) {
      word |= bits;
      return false;
    });
  }
  void clear(uint64_t offset, size_t size) {
    forEachWord(offset, size, [](uint64_t &word, uint64_t bits) {
      word &= ~bits;
      return false;
    });
  }
  bool has(uint64_t offset, size_t size) const {
    return const_cast<Mask *>(this)->forEachWord(
        offset, size,
        [](uint64_t &word, uint64_t bits) { return (word & bits) != 0; });
  }
  bool test(uint64_t offset) const {
    return words[offset / 64] >> offset % 64 & 1;
  }
  /// The bits of 64 bytes.
  uint64_t getWord(size_t index) const { return words[index]; }
  bool any() const {
    for (uint64_t word : words)
      if (word)
        return true;
    return false;
  }
  void merge(const Mask &other) {
    for (size_t i = 0; i < pageSize / 64; ++i)
      words[i] |= other.words[i];
  }
  void reset() { *this = Mask(); }

private:
  template <typename Action>
  bool forEachWord(uint64_t offset, size_t size, Action action) {
    while (size) {
      uint64_t first = offset % 64,
               count = std::min<uint64_t>(64 - first, size);
      uint64_t bits = (count == 64 ? ~0ull : (1ull << count) - 1) << first;
      if (action(words[offset / 64], bits))
        return true;
      offset += count;
      size -= count;
    }
    return false;
  }

  uint64_t words[pageSize / 64] = {};
};

enum class Unit { Instruction, Scalar, Vector };
constexpr size_t unitCount = 3;

/// What one ring has done to a page.
struct Trace {
  Mask reading;           ///< By the dispatch that runs.
  Mask beingRead;         ///< By earlier ones that may still run.
  Mask current;           ///< By the dispatch that runs.
  Mask undrained;         ///< By earlier ones that may still run.
  Mask unseen[unitCount]; ///< Before them; the caches may hold what was there.
  Mask inFlight;          ///< By the submission that runs.

  bool any() const;
};

/// Of all pages that a ring has written, by their keys.
class Traces {
public:
  Trace *find(uint64_t page) const;
  /// The trace of a page that the running dispatch writes.
  Trace &open(uint64_t page);
  void endDispatch();
  void endJob();
  /// All earlier dispatches have ended.
  void drain();
  /// A cache has been invalidated.
  void see(Unit unit);
  void reset();

private:
  void prune();

  std::unordered_map<uint64_t, std::unique_ptr<Trace>> traces;
};

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_TRACE_H
