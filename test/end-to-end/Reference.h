// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The oracle: arithmetic in double that carries the interval in which the same
// computation in f32 lies, whatever its order.

#ifndef SPARKLE_TEST_END_TO_END_REFERENCE_H
#define SPARKLE_TEST_END_TO_END_REFERENCE_H

#include "test/end-to-end/Layout.h"

#include <functional>
#include <optional>

namespace sparkle {

/// Half the distance from 1 to the next f32: the relative error of a rounding.
constexpr double unitRoundoff = 0x1p-24;

/// n roundings in a row: n u / (1 - n u).
double gamma(int64_t n);

/// A value, and the least and the most that an f32 evaluation may give; two
/// that are not numbers where it may give none.
struct Bounded {
  Bounded() = default;
  Bounded(double value, double error)
      : value(value), least(value - error), most(value + error) {}
  Bounded(double value, double least, double most)
      : value(value), least(least), most(most) {}

  bool isExact() const { return least == most; }
  /// How far an evaluation may lie from the value: never not a number.
  double getError() const;

  double value = 0, least = 0, most = 0;
};

Bounded operator+(Bounded a, Bounded b);
Bounded operator-(Bounded a, Bounded b);
Bounded operator-(Bounded a);
Bounded operator*(Bounded a, Bounded b);
Bounded operator/(Bounded a, Bounded b);
Bounded max(Bounded a, Bounded b);
Bounded min(Bounded a, Bounded b);

/// 1 where `a OPERATOR b` holds, else 0; unknown where their intervals meet.
/// `select` takes `a` where the condition is not 0.
Bounded compare(const std::string &op, Bounded a, Bounded b);
Bounded select(Bounded condition, Bounded a, Bounded b);

/// What an f16 of it is: the rounding goes into the interval, what overflows
/// for sure is infinite.
Bounded storeHalf(Bounded a);

/// The functions of the language.
enum class Function {
  Relu,
  Relu6,
  Sigmoid,
  Tanh,
  Silu,
  Gelu,
  Hswish,
  Exp,
  Log,
  Sqrt,
  Round,
  Softplus
};

/// By its name in the language, if it is one.
std::optional<Function> findFunction(const std::string &name);

Bounded activate(Function function, Bounded a);

/// A sum in an unknown order: gamma(n) * sum |t| on top of the terms' own
/// intervals.
class Sum {
public:
  void add(Bounded term);
  Bounded get() const;

private:
  int64_t terms = 0;
  double value = 0, least = 0, most = 0, magnitude = 0;
};

/// An operand in row-major order. A read outside of it is zero.
struct Operand {
  Bounded at(const Index &index) const;

  Shape shape;
  std::vector<float> values;
};

/// An output in row-major order.
struct Result {
  void define(const std::function<Bounded(const Index &)> &element);
  Bounded at(const Index &index) const;

  Shape shape;
  std::vector<Bounded> values;
  /// The same of sums that are as wide as the emitted reference may have them.
  std::vector<Bounded> widest = {};
};

/// What Winograd's transform makes of the bound of a sum: with |w| and |x| at
/// most 1, the absolute values of all that it adds up for one result come along
/// one dimension to at most `growth`.
struct Transform {
  int64_t results = 0; ///< Along one side of a tile; 0 is no transform.
  double growth = 0;
};

/// A convolution of up to three spatial dimensions (depth, height, width);
/// those that a problem lacks have extent 1.
struct Convolution {
  int64_t batch = 1, groups = 1, inputs = 1, outputs = 1; // Channels in all.
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1}, pad[3] = {0, 0, 0}, dilation[3] = {0, 0, 0};

  /// The sums, with x as [n, c, d, h, w] and w as [g, k, c, d, h, w].
  std::vector<Bounded> compute(const std::vector<float> &x,
                               const std::vector<float> &w) const;
  /// How far the same sums may be off where a transform of height and width
  /// computes them; a tile rounds all that it reads into each of its results.
  std::vector<double> boundTransformed(const std::vector<float> &x,
                                       const std::vector<float> &w,
                                       Transform transform) const;

private:
  Bounded computeElement(const float *x, const float *w,
                         const int64_t at[3]) const;
};

} // namespace sparkle

#endif // SPARKLE_TEST_END_TO_END_REFERENCE_H
