// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain loops in double, and the running error analysis beside them (Higham,
// Accuracy and Stability of Numerical Algorithms, sections 3.1 and 3.3).

#include "test/end-to-end/Reference.h"

#include <algorithm>
#include <cmath>

using namespace sparkle;

double sparkle::gamma(int64_t n) {
  return n * unitRoundoff / (1 - n * unitRoundoff);
}

/// The result of one f32 operation whose exact operands give `value`, where
/// the operands' own errors may move it by `carried`.
static Bounded round(double value, double carried) {
  return {value, carried + unitRoundoff * (std::fabs(value) + carried)};
}

Bounded sparkle::operator+(Bounded a, Bounded b) {
  return round(a.value + b.value, a.error + b.error);
}

Bounded sparkle::operator-(Bounded a, Bounded b) { return a + -b; }

Bounded sparkle::operator-(Bounded a) { return {-a.value, a.error}; }

Bounded sparkle::operator*(Bounded a, Bounded b) {
  return round(a.value * b.value, std::fabs(a.value) * b.error +
                                      std::fabs(b.value) * a.error +
                                      a.error * b.error);
}

Bounded sparkle::operator/(Bounded a, Bounded b) {
  // |a'/b' - a/b| <= (ea + |a/b| eb) / (|b| - eb).
  double quotient = a.value / b.value;
  double carried = (a.error + std::fabs(quotient) * b.error) /
                   std::max(std::fabs(b.value) - b.error, 0.0);
  return round(quotient, carried);
}

Bounded sparkle::max(Bounded a, Bounded b) {
  return {std::fmax(a.value, b.value), std::max(a.error, b.error)};
}

Bounded sparkle::min(Bounded a, Bounded b) {
  return {std::fmin(a.value, b.value), std::max(a.error, b.error)};
}

Bounded sparkle::compare(const std::string &op, Bounded a, Bounded b) {
  double x = a.value, y = b.value, error = a.error + b.error;
  bool holds = op == "<"    ? x < y
               : op == "<=" ? x <= y
               : op == ">"  ? x > y
               : op == ">=" ? x >= y
               : op == "==" ? x == y
                            : x != y;
  bool unsure = error != 0 && std::fabs(x - y) <= error;
  return {double(holds), double(unsure)};
}

Bounded sparkle::select(Bounded condition, Bounded a, Bounded b) {
  Bounded taken = condition.value != 0 ? a : b;
  if (condition.error != 0)
    taken.error = std::fabs(a.value - b.value) + std::max(a.error, b.error);
  return taken;
}

Bounded sparkle::storeHalf(Bounded a) {
  const double overflow = 65520, infinity = INFINITY;
  double most = std::fabs(a.value) + a.error;
  if (std::fabs(a.value) - a.error >= overflow)
    return {std::copysign(infinity, a.value), 0};
  if (most >= overflow)
    return {a.value, infinity};
  return {a.value, a.error + std::max(most * 0x1p-11, 0x1p-25)};
}

/// The exact function of an exact argument.
static double evaluate(const std::string &function, double x) {
  if (function == "relu")
    return std::isnan(x) ? x : std::fmax(x, 0);
  if (function == "relu6")
    return std::isnan(x) ? x : std::fmin(std::fmax(x, 0), 6);
  if (function == "sigmoid")
    return 1 / (1 + std::exp(-x));
  if (function == "tanh")
    return std::tanh(x);
  if (function == "silu")
    return x / (1 + std::exp(-x));
  if (function == "gelu")
    return x * std::erfc(-x * M_SQRT1_2) / 2;
  if (function == "exp")
    return std::exp(x);
  if (function == "log")
    return std::log(x);
  if (function == "sqrt")
    return std::sqrt(x);
  if (function == "round")
    return std::nearbyint(x);
  if (function == "softplus")
    return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
  return x * std::fmin(std::fmax(x + 3, 0), 6) / 6; // hswish
}

/// How far a function may be moved by the error of its argument: for those that
/// have no largest slope, as far as at one of the ends.
static double carry(const std::string &function, Bounded a) {
  double low = a.value - a.error, high = a.value + a.error;
  if (function == "log" || function == "sqrt") {
    if (low < 0)
      return high < 0 ? 0 : INFINITY;    // Surely no number, or unknown.
    low = std::max(low - 0x1p-126, 0.0); // It may be taken for zero.
  }
  double value = evaluate(function, a.value);
  return std::max(std::fabs(value - evaluate(function, low)),
                  std::fabs(evaluate(function, high) - value));
}

/// The largest slope anywhere.
static double getSlope(const std::string &function) {
  if (function == "sigmoid")
    return 0.25;
  if (function == "silu")
    return 1.1;
  if (function == "gelu")
    return 1.13;
  return function == "hswish" ? 1.5 : 1;
}

Bounded sparkle::activate(const std::string &function, Bounded a) {
  double value = evaluate(function, a.value);
  bool isSteep = function == "exp" || function == "log" || function == "sqrt";
  double carried = isSteep || function == "round"
                       ? carry(function, a)
                       : getSlope(function) * a.error;
  if (function == "round")
    return {value, carried};
  if (function == "exp" && value + carried > 0x1.fffffep127)
    return {value, INFINITY};
  if (function == "relu" || function == "relu6")
    return {value, carried};
  // What an implementation may add: 4 ulp (8 u) of the result; 1 + erf loses
  // the digits of a small result, so for gelu 4 ulp of the argument; four
  // roundings for hswish. Results below the normal numbers may be flushed.
  double scale = std::fabs(function == "gelu" ? a.value : value);
  return {value, carried + 8 * unitRoundoff * scale + 0x1p-120};
}

void Sum::add(Bounded term) {
  ++terms;
  value += term.value;
  magnitude += std::fabs(term.value);
  error += term.error;
}

Bounded Sum::get() const {
  return {value, error + gamma(terms) * (magnitude + error)};
}

/// Row-major offset of an index, or -1 outside of the shape.
static int64_t findElement(const Index &index, const Shape &shape) {
  int64_t offset = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (index[d] < 0 || index[d] >= shape[d])
      return -1;
    offset = offset * shape[d] + index[d];
  }
  return offset;
}

Bounded Operand::at(const Index &index) const {
  int64_t offset = findElement(index, shape);
  return {offset < 0 ? 0.0 : values[offset], 0};
}

void Result::define(const std::function<Bounded(const Index &)> &element) {
  values.clear();
  if (countElements(shape) == 0)
    return;
  Index index(shape.size(), 0);
  do
    values.push_back(element(index));
  while (advance(index, shape));
}

Bounded Result::at(const Index &index) const {
  int64_t offset = findElement(index, shape);
  return offset < 0 ? Bounded() : values[offset];
}

std::vector<Bounded> Convolution::compute(const std::vector<float> &x,
                                          const std::vector<float> &w) const {
  std::vector<Bounded> y;
  int64_t c = inputs / groups, k = outputs / groups, at[3];
  int64_t image = c * in[0] * in[1] * in[2];
  int64_t filter = c * kernel[0] * kernel[1] * kernel[2];
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t g = 0; g < groups; ++g)
      for (int64_t o = g * k; o < (g + 1) * k; ++o)
        for (at[0] = 0; at[0] < out[0]; ++at[0])
          for (at[1] = 0; at[1] < out[1]; ++at[1])
            for (at[2] = 0; at[2] < out[2]; ++at[2])
              y.push_back(computeElement(x.data() + (n * groups + g) * image,
                                         w.data() + o * filter, at));
  return y;
}

Bounded Convolution::computeElement(const float *x, const float *w,
                                    const int64_t at[3]) const {
  double value = 0, magnitude = 0;
  int64_t terms = 0;
  auto find = [&](int d, int64_t tap) { // Input coordinate of a tap.
    return at[d] * stride[d] + tap * (dilation[d] + 1) - pad[d];
  };
  for (int64_t c = 0; c < inputs / groups; ++c)
    for (int64_t t = 0; t < kernel[0]; ++t)
      for (int64_t r = 0; r < kernel[1]; ++r)
        for (int64_t s = 0; s < kernel[2]; ++s, ++w) {
          int64_t d = find(0, t), h = find(1, r), v = find(2, s);
          if (d < 0 || d >= in[0] || h < 0 || h >= in[1] || v < 0 || v >= in[2])
            continue;
          double term =
              double(*w) * x[((c * in[0] + d) * in[1] + h) * in[2] + v];
          value += term;
          magnitude += std::fabs(term);
          ++terms;
        }
  // Each product rounds once and passes through at most `terms` additions.
  return {value, gamma(terms + 1) * magnitude};
}
