// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels whose temps are computed in near memory, in every way that their
// patterns have; and reads at quotients and remainders.

#include "test/end-to-end/Problem.h"

using namespace sparkle;

/// `problem` under another name, with a pattern for it that begins with
/// "pattern P for KERNEL".
static Problem withPattern(Problem problem, const std::string &suffix,
                           std::string pattern) {
  std::string old = problem.name, name = old + suffix;
  auto rename = [&](std::string &text) {
    for (size_t at = 0; (at = text.find(old, at)) != std::string::npos;
         at += name.size())
      text.replace(at, old.size(), name);
  };
  problem.text += pattern;
  rename(problem.text);
  problem.name = problem.title = name;
  return problem;
}

/// `separable` and `bottleneck`, of several equations, as patterns compute
/// them.
void sparkle::addNear(std::vector<Problem> &all) {
  Problem separable, bottleneck;
  for (const Problem &problem : all) {
    if (problem.name == "separable")
      separable = problem;
    if (problem.name == "bottleneck")
      bottleneck = problem;
  }
  static const char *const separablePatterns[] = {
      "near stage t",
      "workers n: 1, p: 2\n near c: 8, stage t",
      "workers n: 1, p: 4, q: 3, k: 16\n near c: 19, stage t, w",
      "workers n: 1\n near c: 5, stage t\n registers k: 8, q: 6\n lanes k",
      "workers n: 1, p: 1, k: 33\n near c: 4, stage t\n order n, p, q, k, c",
      "near c: 8, stage t: copy"};
  auto addAll = [&](const Problem &problem, const auto &patterns) {
    int number = 0;
    for (const char *lines : patterns)
      all.push_back(withPattern(problem, "_near" + std::to_string(number++),
                                "\npattern near for " + problem.name +
                                    ".y {\n " + lines + "\n}\n"));
  };
  addAll(separable, separablePatterns);
  // A temp within a temp: s with its halo within t, t within y.
  size_t copied = bottleneck.text.find("s: copy");
  bottleneck.text.replace(copied, 7, "s");
  size_t tile = bottleneck.text.find("registers k: 16, q: 5");
  bottleneck.text.replace(tile, 21, "registers k: 8, q: 5");
  static const char *const bottleneckPatterns[] = {
      "near stage t", "workers p: 3\n near stage t",
      "workers p: 1, k: 16\n near c: 24, stage t"};
  addAll(bottleneck, bottleneckPatterns);
}

/// A convolution transposed, of stride 2 or 3: the taps that meet an element of
/// the output are every second or third of the kernel.
static Problem makeTransposed(int64_t taps, int64_t stride, int64_t pad,
                              const std::string &pattern) {
  const int64_t height = 5, width = 7;
  int64_t rows = (height - 1) * stride + taps - 2 * pad;
  int64_t columns = (width - 1) * stride + taps - 2 * pad;
  Problem problem;
  problem.name = problem.title = "transposed" + std::to_string(taps) + "_" +
                                 std::to_string(stride) +
                                 (pattern.empty() ? "" : "_pattern");
  problem.text = "kernel " + problem.name + "(R = " + std::to_string(taps) +
                 ", stride = " + std::to_string(stride) +
                 ", pad = " + std::to_string(pad) + R"() {
  P = (5 - 1)*stride + R - 2*pad
  Q = (7 - 1)*stride + R - 2*pad
  T = (R + stride - 1) / stride
  input  x: f32[1, 6, 5, 7]  layout nhwc
  weight w: f32[6, 19, R, R]
  output y: f32[1, 19, P, Q] layout nhwc
  y[n, k, p, q] = sum(c, t < T, u < T:
      x[n, c, (p + pad)/stride - t, (q + pad)/stride - u] *
      w[c, k, (p + pad)%stride + stride*t, (q + pad)%stride + stride*u])
}
)";
  if (!pattern.empty())
    problem.text +=
        "pattern given for " + problem.name + " {\n " + pattern + "\n}\n";
  problem.arguments = {{"x", Role::Input, {1, 6, height, width}, "nhwc"},
                       {"w", Role::Weight, {6, 19, taps, taps}, ""},
                       {"y", Role::Output, {1, 19, rows, columns}, "nhwc"}};
  problem.looseness = 4 * 64;
  problem.reference = [=](const std::vector<Operand> &in,
                          std::vector<Result> &out) {
    out[0].define([&](const Index &i) {
      Sum sum;
      for (int64_t c = 0; c < 6; ++c)
        for (int64_t r = 0; r < taps; ++r)
          for (int64_t s = 0; s < taps; ++s) {
            int64_t p = i[2] + pad - r, q = i[3] + pad - s;
            if (p % stride == 0 && q % stride == 0)
              sum.add(in[0].at({i[0], c, p / stride, q / stride}) *
                      in[1].at({c, i[1], r, s}));
          }
      return sum.get();
    });
  };
  return problem;
}

void sparkle::addTransposed(std::vector<Problem> &all) {
  all.push_back(makeTransposed(3, 2, 1, ""));
  all.push_back(makeTransposed(4, 2, 1, ""));
  all.push_back(
      makeTransposed(2, 2, 0, "registers k: 8, p: 2, q: 2\n lanes k"));
  all.push_back(makeTransposed(5, 3, 2, "registers k: 8, q: 3\n lanes k"));
}
