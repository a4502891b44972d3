// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// FNV-1a, 64 bits: Fowler, Noll, Vo, draft-eastlake-fnv.

#ifndef SPARKLE_RUNTIME_HASH_H
#define SPARKLE_RUNTIME_HASH_H

#include <cstddef>
#include <cstdint>

namespace sparkle::runtime {

constexpr uint64_t hashOfNothing = UINT64_C(0xcbf29ce484222325);

/// hash: of what came before the bytes.
inline uint64_t hashBytes(const void *bytes, size_t size,
                          uint64_t hash = hashOfNothing) {
  for (size_t i = 0; i < size; ++i)
    hash = (hash ^ static_cast<const unsigned char *>(bytes)[i]) *
           UINT64_C(0x100000001b3);
  return hash;
}

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_HASH_H
