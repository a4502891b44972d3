// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of several equations with temps, beside the loops that say what they
// mean.

#include "test/end-to-end/Kernels.h"

using namespace sparkle;

static const char bottleneckText[] = R"(
kernel bottleneck() {
  input  x: f32[1, 32, 14, 14]  layout nhwc
  weight u: f32[24, 32]
  weight v: f32[24, 24, 3, 3]
  weight w: f32[32, 24]
  input  b: f32[24]
  temp   s: f32[1, 24, 14, 14]  layout nhwc
  temp   t: f32[1, 24, 14, 14]  layout nhwc
  output y: f32[1, 32, 14, 14]  layout nhwc

  s[n, k, p, q] = relu(sum(c: x[n, c, p, q] * u[k, c]) + b[k])
  t[n, k, p, q] = relu(sum(c, r, s0: s[n, c, p + r - 1, q + s0 - 1] * v[k, c, r, s0]))
  y[n, k, p, q] = relu(sum(c: t[n, c, p, q] * w[k, c]) + x[n, k, p, q])
}

pattern narrow for bottleneck.s {
  workers   p: 3
  registers k: 16, q: 5
}

pattern blocks for bottleneck.t on cpu {
  near      c: 8, stage s: copy, v
  registers k: 24, q: 3
}
)";

static const char separableText[] = R"(
kernel separable(N = ?) {
  input  x: f32[N, 19, 12, 12]  layout nhwc
  weight d: f32[19, 3, 3]
  weight w: f32[33, 19]
  temp   t: f32[N, 19, 6, 6]    layout nhwc
  output y: f32[N, 33, 6, 6]    layout nhwc

  t[n, c, p, q] = relu6(sum(r, s: x[n, c, p*2 + r - 1, q*2 + s - 1] * d[c, r, s]))
  y[n, k, p, q] = sum(c: t[n, c, p, q] * w[k, c])
}
)";

static void defineBottleneck(const Operands &in, Results &out) {
  Result s{{1, 24, 14, 14}, {}}, t = s;
  s.define([&](const Index &i) {
    Bounded sum = sumOver(32, [&](int64_t c) {
      return in[0].at({i[0], c, i[2], i[3]}) * in[1].at({i[1], c});
    });
    return activate(Function::Relu, sum + in[4].at({i[1]}));
  });
  t.define([&](const Index &i) {
    return activate(Function::Relu,
                    sumOver(24, 3, 3, [&](int64_t c, int64_t r, int64_t q) {
                      return s.at({i[0], c, i[2] + r - 1, i[3] + q - 1}) *
                             in[2].at({i[1], c, r, q});
                    }));
  });
  out[0].define([&](const Index &i) {
    Bounded sum = sumOver(24, [&](int64_t c) {
      return t.at({i[0], c, i[2], i[3]}) * in[3].at({i[1], c});
    });
    return activate(Function::Relu, sum + in[0].at(i));
  });
}

static void defineSeparable(const Operands &in, Results &out) {
  Result t{{out[0].shape[0], 19, 6, 6}, {}};
  t.define([&](const Index &i) {
    return activate(
        Function::Relu6, sumOver(3, 3, [&](int64_t r, int64_t s) {
          return in[0].at({i[0], i[1], i[2] * 2 + r - 1, i[3] * 2 + s - 1}) *
                 in[1].at({i[1], r, s});
        }));
  });
  out[0].define([&](const Index &i) {
    return sumOver(19, [&](int64_t c) {
      return t.at({i[0], c, i[2], i[3]}) * in[2].at({i[1], c});
    });
  });
}

/// Two equations that are one kernel's loop, and a third that is not.
static const char gatedText[] = R"(
kernel gated(N = ?) {
  input  x: f32[N, 20, 9, 7]    layout nhwc
  weight w: f32[24, 20, 3, 3]
  temp   t: f32[N, 24, 9, 7]    layout nhwc
  temp   u: f32[N, 24, 9, 7]    layout nhwc
  output y: f32[N, 24, 9, 7]    layout nchw

  t[n, k, p, q] = sum(c, r, s: x[n, c, p + r - 1, q + s - 1] * w[k, c, r, s])
  u[n, k, p, q] = t[n, k, p, q] * sigmoid(t[n, k, p, q])
  y[n, k, p, q] = u[n, k, p, q] - u[n, k, p, q + 1]
}
)";

static void defineGated(const Operands &in, Results &out) {
  Result u{out[0].shape, {}};
  u.define([&](const Index &i) {
    Bounded sum = sumOver(20, 3, 3, [&](int64_t c, int64_t r, int64_t s) {
      return in[0].at({i[0], c, i[2] + r - 1, i[3] + s - 1}) *
             in[1].at({i[1], c, r, s});
    });
    return sum * activate(Function::Sigmoid, sum);
  });
  out[0].define([&](const Index &i) {
    return u.at(i) - u.at({i[0], i[1], i[2], i[3] + 1});
  });
}

void sparkle::addTemps(std::vector<Problem> &all) {
  all.push_back(make("gated", gatedText,
                     {{"x", Role::Input, {runTime(0), 20, 9, 7}, "nhwc"},
                      {"w", Role::Weight, {24, 20, 3, 3}, ""},
                      {"y", Role::Output, {runTime(0), 24, 9, 7}, "nchw"}},
                     defineGated));
  all.back().hasTemps = true;
  all.back().calls = {{3}, {1}, {0}};

  all.push_back(make("bottleneck", bottleneckText,
                     {{"x", Role::Input, {1, 32, 14, 14}, "nhwc"},
                      {"u", Role::Weight, {24, 32}, ""},
                      {"v", Role::Weight, {24, 24, 3, 3}, ""},
                      {"w", Role::Weight, {32, 24}, ""},
                      {"b", Role::Input, {24}, ""},
                      {"y", Role::Output, {1, 32, 14, 14}, "nhwc"}},
                     defineBottleneck));
  all.back().hasTemps = true;

  all.push_back(make("separable", separableText,
                     {{"x", Role::Input, {runTime(0), 19, 12, 12}, "nhwc"},
                      {"d", Role::Weight, {19, 3, 3}, ""},
                      {"w", Role::Weight, {33, 19}, ""},
                      {"y", Role::Output, {runTime(0), 33, 6, 6}, "nhwc"}},
                     defineSeparable));
  all.back().hasTemps = true;
  all.back().calls = {{2}, {5}, {0}};

  all.push_back(
      make("two_outputs", R"(
// The output stands first, a run-time size in the middle of an extent.
kernel two_outputs(W = ?) {
  output y: f32[4, W]
  input  x: f32[4, W + 2]
  weight w: f32[3]
  output e: f32[4, W]
  y[c, q] = sum(s: x[c, q + s] * w[s])
  e[c, q] = x[c, q + 2] - x[c, q + 0]
}
)",
           {{"y", Role::Output, {4, runTime(0)}, ""},
            {"x", Role::Input, {4, runTime(1)}, ""},
            {"w", Role::Weight, {3}, ""},
            {"e", Role::Output, {4, runTime(0)}, ""}},
           [](const Operands &in, Results &out) {
             out[0].define([&](const Index &i) {
               return sumOver(3, [&](int64_t s) {
                 return in[0].at({i[0], i[1] + s}) * in[1].at({s});
               });
             });
             out[1].define([&](const Index &i) {
               return in[0].at({i[0], i[1] + 2}) - in[0].at({i[0], i[1]});
             });
           }));
  all.back().calls = {{31, 33}, {1, 3}, {16, 18}};
  all.back().derived = 1;
}
