// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Keeps a shared object loaded: work in flight may outlive the library that its
// code came from.

#ifndef SPARKLE_RUNTIME_MAPPING_H
#define SPARKLE_RUNTIME_MAPPING_H

namespace sparkle::runtime {

/// One more owner of the shared object that holds an address; nothing if that
/// is the program itself, which stays.
class Mapping {
public:
  explicit Mapping(const void *address);
  Mapping(const Mapping &) = delete;
  Mapping &operator=(const Mapping &) = delete;
  ~Mapping();

private:
  void *object = nullptr;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_MAPPING_H
