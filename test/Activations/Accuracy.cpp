// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How far the activation functions are off, on every device: over all floats
// by a stride that meets every binade some 30000 times, and over all floats
// around the points where a function goes another way.

#include "test/runtime/Conformance/Device.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace {

struct Function {
  const char *name;
  double (*exact)(double);
  double limit; // ulp
};

/// exp(-abs(x)) overflows nowhere.
double logistic(double x) {
  double e = std::exp(-std::fabs(x));
  return (x < 0 ? e : 1) / (1 + e);
}
double exactRelu(double x) { return x < 0 ? 0 : x; }
double exactRelu6(double x) { return x > 6 ? 6 : exactRelu(x); }
double exactTanh(double x) { return std::tanh(x); }
/// The limit where the formula would be infinity times zero.
double exactSilu(double x) { return x < -1000 ? 0 : x * logistic(x); }
double exactGelu(double x) {
  return x < -1000 ? 0 : x * std::erfc(-x * M_SQRT1_2) / 2;
}
/// At minus infinity the formula, which is no number.
double exactHswish(double x) { return x * (exactRelu6(x + 3) / 6); }
/// What a float cannot hold is infinite.
double exactExp(double x) {
  double e = std::exp(x);
  return e > std::numeric_limits<float>::max() ? HUGE_VAL : e;
}
double exactLog(double x) { return std::log(x); }
double exactSqrt(double x) { return std::sqrt(x); }
double exactRound(double x) { return std::nearbyint(x); }
double exactSoftplus(double x) {
  return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
}

const Function kFunctions[] = {
    {"relu", exactRelu, 0.1},   {"relu6", exactRelu6, 0.1},
    {"sigmoid", logistic, 4},   {"tanh", exactTanh, 4},
    {"silu", exactSilu, 4},     {"gelu", exactGelu, 6.5},
    {"hswish", exactHswish, 4}, {"exp", exactExp, 4},
    {"log", exactLog, 4},       {"sqrt", exactSqrt, 1.1},
    {"round", exactRound, 0.1}, {"softplus", exactSoftplus, 4},
};

float fromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
uint32_t toBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

/// All arguments, NaN among them.
const Floats &getArguments() {
  static const Floats arguments = [] {
    Floats values;
    for (uint64_t bits = 0; bits < uint64_t(1) << 32; bits += 257)
      values.push_back(fromBits(static_cast<uint32_t>(bits)));
    const float infinity = std::numeric_limits<float>::infinity();
    values.insert(values.end(), {infinity, -infinity});
    for (float point :
         {0.0f,        0x1p-126f, 0.3465736f,
          0.5f,        0.625f,    0.70710678f,
          0.88137359f, 1.0f,      1.41421356f,
          1.5f,        2.5f,      3.0f,
          6.0f,        10.0f,     14.5f,
          87.33655f,   88.72284f, 89.0f,
          103.97208f,  104.0f,    110.0f,
          0x1p22f,     0x1p23f,   std::numeric_limits<float>::max()})
      for (uint32_t bits = toBits(point), i = 0; i < 8192; ++i) {
        float near = fromBits(std::max<uint32_t>(bits + i, 4096) - 4096);
        values.insert(values.end(), {near, -near});
      }
    return values;
  }();
  return arguments;
}

/// In units of the last place of a float at `exact`.
double getError(float got, double exact) {
  if (std::isnan(exact) || std::isinf(exact))
    return got == exact || (std::isnan(exact) && std::isnan(got)) ? 0
                                                                  : INFINITY;
  int exponent = exact == 0 ? -126 : std::max(std::ilogb(exact), -126);
  double error = std::fabs(got - exact);
  return std::isnan(error) ? INFINITY : std::ldexp(error, 23 - exponent);
}

struct Activations : Conformance {
  /// Whether every device gives something like it: Vulkan promises neither NaN
  /// and infinities nor numbers below the normal ones.
  bool isPromised(const Function &function, float x, double exact,
                  float got) const {
    if (std::strcmp(GetParam(), "cpu") == 0)
      return true;
    bool flushed = std::fabs(exact) < 0x1p-126 && got == 0;
    bool takenForZero = std::fabs(x) < 0x1p-126f && got == function.exact(0);
    return std::isfinite(x) && std::isfinite(exact) && !flushed &&
           !takenForZero;
  }

  void measure(const Function &function) {
    constexpr size_t kChunk = size_t(1) << 22;
    const Floats &arguments = getArguments();
    Module module = makeModule((std::string("a_") + function.name).c_str());
    double worst = 0;
    float where = 0;
    for (size_t begin = 0; begin < arguments.size(); begin += kChunk) {
      size_t end = std::min(arguments.size(), begin + kChunk);
      Floats values(arguments.data() + begin, arguments.data() + end);
      Buffer x = upload(values), y = makeBuffer(values.size() * sizeof(float));
      std::vector<sparkle_view_t> views{all(x), all(y)};
      run({call(module, views, {static_cast<int64_t>(values.size())})});
      Floats results = download<float>(y);
      for (size_t i = 0; i < values.size(); ++i) {
        double exact = function.exact(values[i]);
        double error = getError(results[i], exact);
        if (error > worst && isPromised(function, values[i], exact, results[i]))
          worst = error, where = values[i];
      }
    }
    std::printf("%-8s %5.2f ulp at %a (%g)\n", function.name, worst,
                static_cast<double>(where), static_cast<double>(where));
    EXPECT_LT(worst, function.limit) << function.name << " at " << where;
  }
};

TEST_P(Activations, areWithinTheirLimits) {
  for (const Function &function : kFunctions)
    measure(function);
}

SPARKLE_ON_ALL_DEVICES(Activations);

} // namespace
