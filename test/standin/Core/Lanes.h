// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A vector instruction as a C++ function of one lane, applied to 32 lanes. The
// files that hold such functions are compiled once for every x86-64 and once
// for AVX2, so all that they instantiate has internal linkage: the linker must
// not give the one the code of the other.

#ifndef SPARKLE_TEST_STANDIN_CORE_LANES_H
#define SPARKLE_TEST_STANDIN_CORE_LANES_H

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace sparkle::standin {

constexpr unsigned kLanes = 32;

/// The MODE register: how a wave computes with floats.
struct Mode {
  bool ieee = true;       ///< A signalling NaN comes out of min and max quiet.
  bool clampsNan = true;  ///< DX10_CLAMP: `clamp` makes a NaN zero.
  uint8_t round32 = 0;    ///< 0 nearest even, 1 up, 2 down, 3 to zero.
  uint8_t round64 = 0;    ///< Of f64 and f16.
  uint8_t denormal32 = 3; ///< Bit 0: inputs are kept, bit 1: results are.
  uint8_t denormal64 = 3; ///< Of f64 and f16.
};

struct Half {
  uint16_t bits;
};
/// Two integers or two halves of one register.
struct Words {
  uint16_t low, high;
};
struct Halves {
  Half low, high;
};
/// A source that is f32 or either half of a register, as op_sel_hi says.
struct Mixed {
  float value;
};
/// The number of the lane.
struct Lane {
  uint32_t index;
};

/// How a source is read and a result written.
enum class Type : uint8_t {
  None,
  Mask,
  B16,
  F16,
  B32,
  F32,
  B64,
  F64,
  Words,
  Halves,
  Mixed
};

/// 32 elements of each source and of the result, in the C++ types above.
struct Lanes {
  void *to;
  bool *carry; ///< The second result.
  const void *from[4];
  const Mode *mode;
};

/// A vector instruction of the table.
struct Operation {
  const char *name; ///< Without the suffix of its encoding.
  void (*lanes)(const Lanes &);
  Type to;
  bool carries;
  uint8_t sources;
  Type from[4];
  uint8_t flags;
};

/// Reads its destination as the last source.
constexpr uint8_t kAccumulates = 1;
/// Writes the high half of its destination.
constexpr uint8_t kWritesHigh = 2;

/// The instructions of one file.
struct Operations {
  const Operation *first;
  size_t count;
};

namespace {

template <class T> constexpr Type typeOf() {
  using U = std::decay_t<T>;
  if (std::is_same_v<U, bool>)
    return Type::Mask;
  if (std::is_same_v<U, Half>)
    return Type::F16;
  if (std::is_same_v<U, Words>)
    return Type::Words;
  if (std::is_same_v<U, Halves>)
    return Type::Halves;
  if (std::is_same_v<U, Mixed>)
    return Type::Mixed;
  if (std::is_same_v<U, float>)
    return Type::F32;
  if (std::is_same_v<U, double>)
    return Type::F64;
  if (std::is_integral_v<U>)
    return sizeof(U) == 2 ? Type::B16 : sizeof(U) == 4 ? Type::B32 : Type::B64;
  return Type::None;
}

/// A parameter that is a source.
template <class A> struct Parameter {
  static constexpr bool kSource = true;
  static A get(const Lanes &, const void *from, bool *, unsigned lane) {
    return static_cast<const A *>(from)[lane];
  }
};
template <> struct Parameter<const Mode &> {
  static constexpr bool kSource = false;
  static const Mode &get(const Lanes &lanes, const void *, bool *, unsigned) {
    return *lanes.mode;
  }
};
template <> struct Parameter<Lane> {
  static constexpr bool kSource = false;
  static Lane get(const Lanes &, const void *, bool *, unsigned lane) {
    return {lane};
  }
};
template <> struct Parameter<bool &> {
  static constexpr bool kSource = false;
  static bool &get(const Lanes &, const void *, bool *carry, unsigned lane) {
    return carry[lane];
  }
};

/// Which source the parameter at `position` is.
template <class... A> constexpr unsigned slotOf(unsigned position) {
  constexpr bool sources[] = {Parameter<A>::kSource..., false};
  unsigned slot = 0;
  for (unsigned i = 0; i < position; ++i)
    slot += sources[i];
  return slot;
}

template <auto Function> struct Each;
template <class R, class... A, R (*Function)(A...)> struct Each<Function> {
  template <size_t... I>
  static void loop(const Lanes &lanes, std::integer_sequence<size_t, I...>) {
    const void *const from[] = {lanes.from[0], lanes.from[1], lanes.from[2],
                                lanes.from[3]};
    bool *carry = lanes.carry;
    R *__restrict to = static_cast<R *>(lanes.to);
#pragma clang loop vectorize(assume_safety)
    for (unsigned lane = 0; lane < kLanes; ++lane)
      to[lane] = Function(
          Parameter<A>::get(lanes, from[slotOf<A...>(I)], carry, lane)...);
  }

  static void run(const Lanes &lanes) {
    loop(lanes, std::make_index_sequence<sizeof...(A)>());
  }

  static constexpr Operation describe(const char *name, uint8_t flags) {
    Operation operation = {
        name,        run,
        typeOf<R>(), (std::is_same_v<A, bool &> || ...),
        0,           {Type::None, Type::None, Type::None, Type::None},
        flags};
    constexpr bool sources[] = {Parameter<A>::kSource...};
    constexpr Type types[] = {typeOf<A>()...};
    for (unsigned i = 0; i < sizeof...(A); ++i)
      if (sources[i])
        operation.from[operation.sources++] = types[i];
    return operation;
  }
};

/// The entry of an instruction that `Function` computes.
template <auto Function>
constexpr Operation operation(const char *name, uint8_t flags = 0) {
  return Each<Function>::describe(name, flags);
}

template <class To, class From> inline To bitsAs(From from) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, from);
}

} // namespace
} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_LANES_H
