// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A memory and dispatches for the tests of the shader cores.

#ifndef SPARKLE_TEST_STANDIN_CORE_TEST_BENCH_H
#define SPARKLE_TEST_STANDIN_CORE_TEST_BENCH_H

#include "test/standin/Core/Core.h"
#include "test/standin/Core/Test/Assemble.h"

#include <array>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace sparkle::standin {

/// Buffers at GPU addresses, without caches.
class Memory : public Port {
public:
  /// A buffer, zero filled; returns its address, a multiple of 4096.
  uint64_t allocate(size_t size);
  uint8_t *at(uint64_t address) { return find(address, 1); }
  template <class T> uint64_t place(const std::vector<T> &values) {
    uint64_t address = allocate(values.size() * sizeof(T) + 1);
    if (!values.empty())
      std::memcpy(at(address), values.data(), values.size() * sizeof(T));
    return address;
  }
  template <class T> std::vector<T> take(uint64_t address, size_t count) {
    std::vector<T> values(count);
    std::memcpy(values.data(), at(address), count * sizeof(T));
    return values;
  }

  const uint8_t *read(Client, uint64_t address, size_t size) override;
  bool write(uint64_t address, const void *bytes, size_t size) override;
  uint8_t *modify(uint64_t address, size_t size) override;
  const std::string &getFault() const override { return fault; }

private:
  uint8_t *find(uint64_t address, size_t size);
  uint8_t *access(const char *what, uint64_t address, size_t size);

  std::map<uint64_t, std::vector<uint8_t>> buffers;
  uint64_t next = 0x100000000;
  std::string fault;
};

/// One register of 32 lanes; shorter lists are repeated to fill it.
using Lanes32 = std::vector<uint32_t>;

constexpr uint32_t kFloatMode = 0xf0u << 12; ///< Denormals kept, nearest even.
constexpr uint32_t kIeee = 1u << 23, kDx10Clamp = 1u << 21;
constexpr uint32_t kRsrc1 = kFloatMode | kIeee | kDx10Clamp;

/// A dispatch of one workgroup of one wave; tests change what they are about.
struct Bench {
  explicit Bench(Generation generation);

  /// Puts code in place; returns its address.
  uint64_t load(const std::vector<uint8_t> &code);
  /// Assembles and runs a text as it stands.
  Outcome run(const std::string &text);
  /// Runs a compiled kernel on so many workgroups of `threads`, with its
  /// arguments' bytes.
  Outcome run(const Kernel &kernel, uint32_t groups, uint32_t threads,
              const std::vector<uint8_t> &arguments);
  /// Runs `text` between loads of `inputs` into v4, v5, ... and stores of
  /// v16, v17, ...: so many results. Fails the test if it does not end well.
  std::vector<Lanes32> compute(const std::string &text,
                               const std::vector<Lanes32> &inputs,
                               unsigned results);
  /// The first result.
  Lanes32 lanes(const std::string &text, const std::vector<Lanes32> &inputs) {
    return compute(text, inputs, 1)[0];
  }
  /// Of the first lane.
  uint32_t value(const std::string &text, const std::vector<uint32_t> &inputs);

  Generation generation;
  Memory memory;
  Dispatch dispatch;
  uint64_t seed = 1, budget = 1000000000;
  BankUses *banks = nullptr;
};

/// Bits of a float, and the float of bits.
uint32_t bits(float value);
float real(uint32_t bits);

/// Appends the bytes of a kernel's argument at its natural alignment.
template <class T> void append(std::vector<uint8_t> &arguments, T value) {
  arguments.resize((arguments.size() + sizeof(T) - 1) / sizeof(T) * sizeof(T));
  const auto *bytes = reinterpret_cast<const uint8_t *>(&value);
  arguments.insert(arguments.end(), bytes, bytes + sizeof(T));
}

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_TEST_BENCH_H
