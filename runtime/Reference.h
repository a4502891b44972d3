// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Objects that count their owners, which is what `retain` and `release` of the
// C ABI do, and the pointers that own them inside.

#ifndef SPARKLE_RUNTIME_REFERENCE_H
#define SPARKLE_RUNTIME_REFERENCE_H

#include <atomic>
#include <cstdint>
#include <utility>

namespace sparkle::runtime {

/// Begins with one owner; the last one's release deletes it. Thread-safe.
class Counted {
public:
  Counted() = default;
  Counted(const Counted &) = delete;
  Counted &operator=(const Counted &) = delete;

  void retain() const { owners.fetch_add(1, std::memory_order_relaxed); }
  void release() const {
    if (owners.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

protected:
  virtual ~Counted() = default;

private:
  mutable std::atomic<uint32_t> owners{1};
};

/// Owns a Counted, or nothing.
template <typename T> class Ref {
public:
  Ref() = default;
  Ref(const Ref &other) : object(other.object) {
    if (object)
      object->retain();
  }
  Ref(Ref &&other) noexcept : object(other.take()) {}
  template <typename U>
  Ref(Ref<U> &&other) noexcept // of a derived class
      : object(other.take()) {}
  Ref &operator=(Ref other) noexcept {
    std::swap(object, other.object);
    return *this;
  }
  ~Ref() {
    if (object)
      object->release();
  }

  /// Takes over one owner's part: that of `new`, or of a handle.
  static Ref adopt(T *object) {
    Ref ref;
    ref.object = object;
    return ref;
  }
  /// Becomes one more owner.
  static Ref share(T *object) {
    if (object)
      object->retain();
    return adopt(object);
  }

  /// Gives its part away; what is left owns nothing.
  T *take() { return std::exchange(object, nullptr); }

  T *get() const { return object; }
  T *operator->() const { return object; }
  T &operator*() const { return *object; }
  explicit operator bool() const { return object != nullptr; }

private:
  T *object = nullptr;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_REFERENCE_H
