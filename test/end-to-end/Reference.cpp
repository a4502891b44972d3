// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain loops in double, and the running error analysis beside them (Higham,
// Accuracy and Stability of Numerical Algorithms, sections 3.1 and 3.3). It
// finds the extremes of a function by other means than the emitted reference.

#include "test/end-to-end/Reference.h"

#include <algorithm>
#include <cmath>

using namespace sparkle;

double sparkle::gamma(int64_t n) {
  return n * unitRoundoff / (1 - n * unitRoundoff);
}

double Bounded::getError() const {
  if (std::isnan(value) || (least == value && most == value))
    return 0;
  double error = std::fmax(value - least, most - value);
  return std::isnan(least) || std::isnan(most) ? INFINITY : error;
}

/// An infinite value stays so.
static double move(double end, double by) {
  return std::isinf(end) ? end : end + by;
}

/// The result of one f32 operation: each end moves outwards by one rounding.
static Bounded round(double value, double least, double most) {
  return {value, move(least, -unitRoundoff * std::fabs(least)),
          move(most, unitRoundoff * std::fabs(most))};
}

/// The hull of `apply` at all ends of both; what is none at one of them may be
/// none. Between them it is no further out.
template <typename Apply>
static Bounded combine(Bounded a, Bounded b, Apply apply) {
  double least = INFINITY, most = -INFINITY;
  bool mayBeNone = false;
  for (double left : {a.least, a.most})
    for (double right : {b.least, b.most}) {
      double corner = apply(left, right);
      mayBeNone |= std::isnan(corner);
      least = std::fmin(least, corner);
      most = std::fmax(most, corner);
    }
  if (mayBeNone)
    least = most = NAN;
  return round(apply(a.value, b.value), least, most);
}

Bounded sparkle::operator+(Bounded a, Bounded b) {
  return combine(a, b, [](double x, double y) { return x + y; });
}

Bounded sparkle::operator-(Bounded a, Bounded b) { return a + -b; }

Bounded sparkle::operator-(Bounded a) { return {-a.value, -a.most, -a.least}; }

Bounded sparkle::operator*(Bounded a, Bounded b) {
  return combine(a, b, [](double x, double y) { return x * y; });
}

Bounded sparkle::operator/(Bounded a, Bounded b) {
  Bounded quotient = combine(a, b, [](double x, double y) { return x / y; });
  bool mayBePole = !b.isExact() && !(b.least > 0) && !(b.most < 0);
  bool mayBeNone = !(a.least > 0) && !(a.most < 0);
  if (mayBePole)
    quotient.most = mayBeNone ? NAN : INFINITY;
  if (mayBePole)
    quotient.least = -quotient.most;
  return quotient;
}

static double larger(double x, double y) {
  return std::isnan(x) || std::isnan(y) ? NAN : std::fmax(x, y);
}

Bounded sparkle::max(Bounded a, Bounded b) {
  return {larger(a.value, b.value), larger(a.least, b.least),
          larger(a.most, b.most)};
}

Bounded sparkle::min(Bounded a, Bounded b) { return -max(-a, -b); }

Bounded sparkle::compare(const std::string &op, Bounded a, Bounded b) {
  double x = a.value, y = b.value;
  bool holds = op == "<"    ? x < y
               : op == "<=" ? x <= y
               : op == ">"  ? x > y
               : op == ">=" ? x >= y
               : op == "==" ? x == y
                            : x != y;
  bool areExact = a.isExact() && b.isExact();
  bool areApart = a.most < b.least || b.most < a.least;
  if (areExact || areApart || std::isnan(x) || std::isnan(y))
    return {double(holds), 0};
  return {double(holds), 0, 1};
}

Bounded sparkle::select(Bounded condition, Bounded a, Bounded b) {
  Bounded taken = condition.value != 0 ? a : b;
  if (condition.isExact())
    return taken;
  return {taken.value, -larger(-a.least, -b.least), larger(a.most, b.most)};
}

/// An end of an interval, which moves outwards by `sign` half a unit.
static double storeHalf(double end, int sign) {
  const double overflow = 65520, infinity = INFINITY;
  double lost = std::fmax(std::fabs(end) * 0x1p-11, 0x1p-25);
  return std::fabs(end) >= overflow ? std::copysign(infinity, end)
                                    : end + sign * lost;
}

Bounded sparkle::storeHalf(Bounded a) {
  double least = ::storeHalf(a.least, -1), most = ::storeHalf(a.most, 1);
  return {least == most ? least : a.value, least, most};
}

std::optional<Function> sparkle::findFunction(const std::string &name) {
  static const std::pair<const char *, Function> functions[] = {
      {"relu", Function::Relu},       {"relu6", Function::Relu6},
      {"sigmoid", Function::Sigmoid}, {"tanh", Function::Tanh},
      {"silu", Function::Silu},       {"gelu", Function::Gelu},
      {"hswish", Function::Hswish},   {"exp", Function::Exp},
      {"log", Function::Log},         {"sqrt", Function::Sqrt},
      {"round", Function::Round},     {"softplus", Function::Softplus}};
  for (const auto &[spelled, function] : functions)
    if (name == spelled)
      return function;
  return std::nullopt;
}

/// The exact function of an exact argument.
static double evaluate(Function function, double x) {
  switch (function) {
  case Function::Relu:
    return std::isnan(x) ? x : std::fmax(x, 0);
  case Function::Relu6:
    return std::isnan(x) ? x : std::fmin(std::fmax(x, 0), 6);
  case Function::Sigmoid:
    return 1 / (1 + std::exp(-x));
  case Function::Tanh:
    return std::tanh(x);
  case Function::Silu:
    return std::isinf(x) ? std::fmax(x, 0) : x / (1 + std::exp(-x));
  case Function::Gelu:
    return std::isinf(x) ? std::fmax(x, 0) : x * std::erfc(-x * M_SQRT1_2) / 2;
  case Function::Hswish:
    return x * std::fmin(std::fmax(x + 3, 0), 6) / 6;
  case Function::Exp:
    return std::exp(x);
  case Function::Log:
    return std::log(x);
  case Function::Sqrt:
    return std::sqrt(x);
  case Function::Round:
    return std::nearbyint(x);
  case Function::Softplus:
    return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
  }
  return NAN;
}

/// The least that a function reaches between `low` and `high`: at an end, or in
/// the one valley that some have, to where the slope leads downhill.
static double findLeast(Function function, double low, double high) {
  double least = std::fmin(evaluate(function, low), evaluate(function, high));
  if (function != Function::Silu && function != Function::Gelu &&
      function != Function::Hswish)
    return least;
  double from = std::fmax(low, -3), to = std::fmin(high, 0);
  for (int i = 0; i < 100 && from < to; ++i) {
    double left = from + (to - from) / 3, right = to - (to - from) / 3;
    (evaluate(function, left) < evaluate(function, right) ? to : from) =
        evaluate(function, left) < evaluate(function, right) ? right : left;
  }
  return from <= to ? std::fmin(least, evaluate(function, from)) : least;
}

Bounded sparkle::activate(Function function, Bounded a) {
  double value = evaluate(function, a.value), low = a.least, high = a.most;
  if (function == Function::Log || function == Function::Sqrt) {
    if (high < 0)
      return {NAN, NAN, NAN};
    if (low < 0)
      return {evaluate(function, std::fmax(a.value, 0)), NAN, NAN};
    low = std::fmax(low - 0x1p-126, 0); // It may be taken for zero.
  }
  if (std::isnan(low) || std::isnan(high))
    return {value, NAN, NAN};
  double least = findLeast(function, low, high);
  double most = std::fmax(evaluate(function, low), evaluate(function, high));
  if (function == Function::Round || function == Function::Relu ||
      function == Function::Relu6)
    return {value, least, most};
  // What an implementation may add: 4 ulp (8 u) of the result; 1 + erf loses
  // the digits of a small result, so for gelu 4 ulp of the argument; four
  // roundings for hswish. Results below the normal numbers may be flushed.
  auto slack = [&](double end) {
    double argument = std::fmax(std::fabs(low), std::fabs(high));
    double scale = function == Function::Gelu
                       ? std::fmin(argument, 0x1.fffffep127)
                       : std::fabs(end);
    return 8 * unitRoundoff * scale + 0x1p-120;
  };
  Bounded result = {value, move(least, -slack(least)), move(most, slack(most))};
  if (function == Function::Exp && result.most > 0x1.fffffep127)
    result.most = INFINITY;
  return result;
}

void Sum::add(Bounded term) {
  ++terms;
  value += term.value;
  least += term.least;
  most += term.most;
  magnitude += std::fmax(std::fabs(term.least), std::fabs(term.most));
}

Bounded Sum::get() const {
  double roundings = gamma(terms) * magnitude;
  return {value, least - roundings, most + roundings};
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

/// The greatest absolute value in a window of an image, cut to what there is.
static double findGreatest(const float *image, const int64_t extents[3],
                           int64_t top, int64_t left, int64_t size) {
  float greatest = 0;
  for (int64_t h = std::max<int64_t>(top, 0);
       h < std::min(top + size, extents[1]); ++h)
    for (int64_t v = std::max<int64_t>(left, 0);
         v < std::min(left + size, extents[2]); ++v)
      greatest = std::max(greatest, std::fabs(image[h * extents[2] + v]));
  return greatest;
}

std::vector<double> Convolution::boundTransformed(const std::vector<float> &x,
                                                  const std::vector<float> &w,
                                                  Transform transform) const {
  int64_t c = inputs / groups, k = outputs / groups, m = transform.results;
  int64_t size = m + kernel[1] - 1;
  int64_t rows = (out[1] + m - 1) / m, columns = (out[2] + m - 1) / m;
  std::vector<double> sources, filters;
  for (int64_t i = 0; i < batch * inputs; ++i)
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < columns; ++column)
        sources.push_back(findGreatest(x.data() + i * in[1] * in[2], in,
                                       row * m - pad[1], column * m - pad[2],
                                       size));
  for (int64_t i = 0; i < outputs * c; ++i)
    filters.push_back(findGreatest(w.data() + i * kernel[1] * kernel[2], kernel,
                                   0, 0, kernel[1]));

  // Each of three transforms, along two dimensions, rounds its constants and
  // its products once and passes them through the additions of a tile.
  double factor =
      transform.growth * transform.growth * gamma(c + 1 + 6 * (size + 1));
  std::vector<double> bounds;
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t o = 0; o < outputs; ++o)
      for (int64_t p = 0; p < out[1]; ++p)
        for (int64_t q = 0; q < out[2]; ++q) {
          double magnitude = 0;
          for (int64_t i = 0; i < c; ++i) {
            int64_t source = (n * groups + o / k) * c + i;
            magnitude += sources[(source * rows + p / m) * columns + q / m] *
                         filters[o * c + i];
          }
          bounds.push_back(factor * magnitude);
        }
  return bounds;
}
