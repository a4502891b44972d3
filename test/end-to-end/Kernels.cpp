// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels beyond the grammar of shapes.txt: products, pooling, reads that leave
// their tensor in every way, arithmetic inside of the sum, activations over
// their whole range. Each stands beside the loops that say what it means.

#include "test/end-to-end/Kernels.h"

using namespace sparkle;

static void addProducts(std::vector<Problem> &all) {
  all.push_back(make("matmul", R"(
kernel matmul(M = 37, N = 53, K = 29) {
  input  a: f32[M, K]
  weight b: f32[K, N]
  output c: f32[M, N]
  c[m, n] = sum(k: a[m, k] * b[k, n])
}
)",
                     {{"a", Role::Input, {37, 29}, ""},
                      {"b", Role::Weight, {29, 53}, ""},
                      {"c", Role::Output, {37, 53}, ""}},
                     [](const Operands &in, Results &out) {
                       out[0].define([&](const Index &i) {
                         return sumOver(29, [&](int64_t k) {
                           return in[0].at({i[0], k}) * in[1].at({k, i[1]});
                         });
                       });
                     }));

  all.push_back(make("matmul_rows", R"(
kernel matmul_rows(M = ?) {
  input  a: f32[M, 100]
  weight b: f32[64, 100]
  input  r: f32[64]
  output c: f32[M, 64]
  c[m, n] = gelu(sum(k: a[m, k] * b[n, k]) + r[n])
}
)",
                     {{"a", Role::Input, {runTime(0), 100}, ""},
                      {"b", Role::Weight, {64, 100}, ""},
                      {"r", Role::Input, {64}, ""},
                      {"c", Role::Output, {runTime(0), 64}, ""}},
                     [](const Operands &in, Results &out) {
                       out[0].define([&](const Index &i) {
                         Bounded sum = sumOver(100, [&](int64_t k) {
                           return in[0].at({i[0], k}) * in[1].at({i[1], k});
                         });
                         return activate(Function::Gelu,
                                         sum + in[2].at({i[1]}));
                       });
                     }));
  all.back().calls = {{1}, {7}, {33}, {0}};

  all.push_back(
      make("matmul_inputs", R"(
// Both factors change from call to call, one of them column major.
kernel matmul_inputs() {
  input  a: f32[3, 20, 31]
  input  b: f32[3, 31, 40]  layout cnw
  output c: f32[3, 20, 40]
  c[b0, m, n] = sum(k: a[b0, m, k] * b[b0, k, n])
}
)",
           {{"a", Role::Input, {3, 20, 31}, ""},
            {"b", Role::Input, {3, 31, 40}, "cnw"},
            {"c", Role::Output, {3, 20, 40}, ""}},
           [](const Operands &in, Results &out) {
             out[0].define([&](const Index &i) {
               return sumOver(31, [&](int64_t k) {
                 return in[0].at({i[0], i[1], k}) * in[1].at({i[0], k, i[2]});
               });
             });
           }));

  all.push_back(make("matvec", R"(
kernel matvec() {
  weight a: f32[70, 129]
  input  x: f32[129]
  output y: f32[70]
  y[i] = sum(k: a[i, k] * x[k])
}
)",
                     {{"a", Role::Weight, {70, 129}, ""},
                      {"x", Role::Input, {129}, ""},
                      {"y", Role::Output, {70}, ""}},
                     [](const Operands &in, Results &out) {
                       out[0].define([&](const Index &i) {
                         return sumOver(129, [&](int64_t k) {
                           return in[0].at({i[0], k}) * in[1].at({k});
                         });
                       });
                     }));
}

static void addSumsWithoutWeights(std::vector<Problem> &all) {
  all.push_back(make(
      "average_pool", R"(
kernel average_pool() {
  input  x: f32[2, 17, 15, 13]  layout nhwc
  output y: f32[2, 17, 7, 6]    layout nhwc
  y[n, c, p, q] = 0.25 * sum(r < 2, s < 2: x[n, c, p*2 + r, q*2 + s])
}
)",
      {{"x", Role::Input, {2, 17, 15, 13}, "nhwc"},
       {"y", Role::Output, {2, 17, 7, 6}, "nhwc"}},
      [](const Operands &in, Results &out) {
        out[0].define([&](const Index &i) {
          return Bounded{0.25, 0} * sumOver(2, 2, [&](int64_t r, int64_t s) {
                   return in[0].at({i[0], i[1], i[2] * 2 + r, i[3] * 2 + s});
                 });
        });
      }));

  all.push_back(make(
      "global_pool", R"(
kernel global_pool() {
  input  x: f32[3, 40, 7, 7]
  output y: f32[3, 40]
  y[n, c] = sum(p, q: x[n, c, p, q]) / 49
}
)",
      {{"x", Role::Input, {3, 40, 7, 7}, ""}, {"y", Role::Output, {3, 40}, ""}},
      [](const Operands &in, Results &out) {
        out[0].define([&](const Index &i) {
          return sumOver(7, 7,
                         [&](int64_t p, int64_t q) {
                           return in[0].at({i[0], i[1], p, q});
                         }) /
                 Bounded{49, 0};
        });
      }));

  all.push_back(
      make("sum_of_squares", R"(
kernel sum_of_squares() {
  input  x: f32[5, 33]
  output y: f32[5]
  y[i] = sum(k: x[i, k] * x[i, k])
}
)",
           {{"x", Role::Input, {5, 33}, ""}, {"y", Role::Output, {5}, ""}},
           [](const Operands &in, Results &out) {
             out[0].define([&](const Index &i) {
               return sumOver(33, [&](int64_t k) {
                 return in[0].at({i[0], k}) * in[0].at({i[0], k});
               });
             });
           }));

  // Of the last lanes of sixteen there are seven, and of the last steps
  // thirteen.
  all.push_back(make(
      "rows_across", R"(
kernel rows_across() {
  input  x: f16[23, 45]
  output y: f32[23]
  y[i] = sum(k: x[i, k])
}

pattern across for rows_across on cpu {
  registers i: 16
  lanes     i
  unroll    k: 16
}
)",
      {{"x", Role::Input, {23, 45}, "", Fill::Signed, /*isHalf=*/true},
       {"y", Role::Output, {23}, ""}},
      [](const Operands &in, Results &out) {
        out[0].define([&](const Index &i) {
          return sumOver(45, [&](int64_t k) { return in[0].at({i[0], k}); });
        });
      }));

  // Vectors that begin with the same row, of which they have more or fewer
  // lanes; and taps that read the same first element, but not the same others.
  all.push_back(
      make("repeated_rows", R"(
kernel repeated_rows() {
  input  x: f32[5, 7]
  weight w: f32[100, 7]
  output y: f32[100]
  y[i] = sum(k: x[i/20, k] * w[i, k])
}

pattern repeated for repeated_rows on cpu {
  registers i: 40
  lanes     i
}
)",
           {{"x", Role::Input, {5, 7}, ""},
            {"w", Role::Weight, {100, 7}, ""},
            {"y", Role::Output, {100}, ""}},
           [](const Operands &in, Results &out) {
             out[0].define([&](const Index &i) {
               return sumOver(7, [&](int64_t k) {
                 return in[0].at({i[0] / 20, k}) * in[1].at({i[0], k});
               });
             });
           }));
  all.push_back(
      make("repeated_taps", R"(
kernel repeated_taps() {
  input  x: f32[30]
  output y: f32[48]
  y[i] = sum(s < 5: x[(i + s)/2])
}

pattern repeated for repeated_taps on cpu {
  registers i: 16
  lanes     i
  unroll    s: 5
}
)",
           {{"x", Role::Input, {30}, ""}, {"y", Role::Output, {48}, ""}},
           [](const Operands &in, Results &out) {
             out[0].define([&](const Index &i) {
               return sumOver(
                   5, [&](int64_t s) { return in[0].at({(i[0] + s) / 2}); });
             });
           }));

  // Terms beyond the end of a sum, which are there and are not zero.
  all.push_back(make("beyond_sum", R"(
kernel beyond_sum() {
  input  x: f32[17, 40]
  input  z: f32[40]
  output y: f32[17]
  y[i] = sum(k < 37: x[i, k + 0] * z[k + 0])
}
)",
                     {{"x", Role::Input, {17, 40}, ""},
                      {"z", Role::Input, {40}, ""},
                      {"y", Role::Output, {17}, ""}},
                     [](const Operands &in, Results &out) {
                       out[0].define([&](const Index &i) {
                         return sumOver(37, [&](int64_t k) {
                           return in[0].at({i[0], k}) * in[1].at({k});
                         });
                       });
                     }));

  all.push_back(make(
      "three_factors", R"(
kernel three_factors() {
  input  a: f32[9, 21]
  input  b: f32[21, 19]
  input  s: f32[21]
  output y: f32[9, 19]
  y[i, j] = sum(k: a[i, k] * s[k] * b[k, j])
}
)",
      {{"a", Role::Input, {9, 21}, ""},
       {"b", Role::Input, {21, 19}, ""},
       {"s", Role::Input, {21}, ""},
       {"y", Role::Output, {9, 19}, ""}},
      [](const Operands &in, Results &out) {
        out[0].define([&](const Index &i) {
          return sumOver(21, [&](int64_t k) {
            return in[0].at({i[0], k}) * in[2].at({k}) * in[1].at({k, i[1]});
          });
        });
      }));
}

/// Terms that do not vanish where a read falls outside.
static void addPaddedTerms(std::vector<Problem> &all) {
  all.push_back(
      make("shifted_input", R"(
// A tap outside of x still adds w.
kernel shifted_input() {
  input  x: f32[1, 5, 9, 11]  layout nhwc
  weight w: f32[18, 5, 3, 3]
  output y: f32[1, 18, 9, 11] layout nhwc
  y[n, k, p, q] = sum(c, r, s: (x[n, c, p + r - 1, q + s - 1] + 1) * w[k, c, r, s])
}
)",
           {{"x", Role::Input, {1, 5, 9, 11}, "nhwc"},
            {"w", Role::Weight, {18, 5, 3, 3}, ""},
            {"y", Role::Output, {1, 18, 9, 11}, "nhwc"}},
           [](const Operands &in, Results &out) {
             out[0].define([&](const Index &i) {
               return sumOver(5, 3, 3, [&](int64_t c, int64_t r, int64_t s) {
                 return (in[0].at({i[0], c, i[2] + r - 1, i[3] + s - 1}) +
                         Bounded{1, 0}) *
                        in[1].at({i[1], c, r, s});
               });
             });
           }));

  all.push_back(make("rectified_window", R"(
kernel rectified_window() {
  input  x: f32[50]
  input  b: f32[3]
  output y: f32[54]
  y[i] = sum(r: max(x[i + r - 3], b[r]))
}
)",
                     {{"x", Role::Input, {50}, ""},
                      {"b", Role::Input, {3}, ""},
                      {"y", Role::Output, {54}, ""}},
                     [](const Operands &in, Results &out) {
                       out[0].define([&](const Index &i) {
                         return sumOver(3, [&](int64_t r) {
                           return max(in[0].at({i[0] + r - 3}), in[1].at({r}));
                         });
                       });
                     }));

  all.push_back(
      make("count_inside", R"(
// No operand at all inside of the sum.
kernel count_inside() {
  input  x: f32[4]
  output y: f32[4]
  y[i] = x[i] + sum(r < 7: 1.5)
}
)",
           {{"x", Role::Input, {4}, ""}, {"y", Role::Output, {4}, ""}},
           [](const Operands &in, Results &out) {
             out[0].define([&](const Index &i) {
               return in[0].at(i) + Bounded{10.5, 10.5 * gamma(7)};
             });
           }));
}

/// Reads in odd places: beyond both ends, backwards, along a diagonal.
static void addReads(std::vector<Problem> &all) {
  all.push_back(make("far_outside", R"(
// Whole register tiles read nothing but zeros.
kernel far_outside() {
  input  x: f32[2, 16, 6]  layout nwc
  weight w: f32[20, 16, 3]
  output y: f32[2, 20, 45] layout nwc
  y[n, k, q] = 1 + sum(c, s: x[n, c, q + s*2 - 20] * w[k, c, s])
}
)",
                     {{"x", Role::Input, {2, 16, 6}, "nwc"},
                      {"w", Role::Weight, {20, 16, 3}, ""},
                      {"y", Role::Output, {2, 20, 45}, "nwc"}},
                     [](const Operands &in, Results &out) {
                       out[0].define([&](const Index &i) {
                         Bounded sum =
                             sumOver(16, 3, [&](int64_t c, int64_t s) {
                               return in[0].at({i[0], c, i[2] + s * 2 - 20}) *
                                      in[1].at({i[1], c, s});
                             });
                         return Bounded{1, 0} + sum;
                       });
                     }));

  all.push_back(make("flipped", R"(
// A true convolution: the filter runs backwards.
kernel flipped() {
  input  x: f32[3, 30, 30]
  weight w: f32[3, 4, 4]
  output y: f32[3, 33, 33]
  y[c, p, q] = sum(r, s: x[c, p - r, q - s] * w[c, r, s])
}
)",
                     {{"x", Role::Input, {3, 30, 30}, ""},
                      {"w", Role::Weight, {3, 4, 4}, ""},
                      {"y", Role::Output, {3, 33, 33}, ""}},
                     [](const Operands &in, Results &out) {
                       out[0].define([&](const Index &i) {
                         return sumOver(4, 4, [&](int64_t r, int64_t s) {
                           return in[0].at({i[0], i[1] - r, i[2] - s}) *
                                  in[1].at({i[0], r, s});
                         });
                       });
                     }));

  all.push_back(
      make("two_taps", R"(
// Two indices of the sum move one coordinate, in opposite directions.
kernel two_taps() {
  input  d: f32[9]
  output y: f32[2]
  y[n] = sum(c < 5, r < 2: d[2*r - c + 2])
}
)",
           {{"d", Role::Input, {9}, ""}, {"y", Role::Output, {2}, ""}},
           [](const Operands &in, Results &out) {
             out[0].define([&](const Index &) {
               return sumOver(5, 2, [&](int64_t c, int64_t r) {
                 return in[0].at({2 * r - c + 2});
               });
             });
           }));

  all.push_back(make(
      "mirror", R"(
kernel mirror(N = 41) {
  input  x: f32[N]
  output y: f32[N]
  y[i] = x[N - 1 - i] - 2 * x[i + 1] + x[i*3 - 7]
}
)",
      {{"x", Role::Input, {41}, ""}, {"y", Role::Output, {41}, ""}},
      [](const Operands &in, Results &out) {
        out[0].define([&](const Index &i) {
          return in[0].at({40 - i[0]}) - Bounded{2, 0} * in[0].at({i[0] + 1}) +
                 in[0].at({i[0] * 3 - 7});
        });
      }));

  all.push_back(make("diagonal", R"(
kernel diagonal() {
  input  a: f32[23, 23]
  input  v: f32[5, 23]
  output y: f32[23]
  y[i] = a[i, i] * v[3, i]
}
)",
                     {{"a", Role::Input, {23, 23}, ""},
                      {"v", Role::Input, {5, 23}, ""},
                      {"y", Role::Output, {23}, ""}},
                     [](const Operands &in, Results &out) {
                       out[0].define([&](const Index &i) {
                         return in[0].at({i[0], i[0]}) * in[1].at({3, i[0]});
                       });
                     }));

  all.push_back(
      make("relayout", R"(
kernel relayout() {
  input  x: f32[2, 19, 6, 5]
  output y: f32[2, 19, 6, 5]  layout nhwc
  output z: f32[2, 19, 6, 5]  layout nchw16c
  y[n, c, h, w] = x[n, c, h, w]
  z[n, c, h, w] = -x[n, c, h, w]
}
)",
           {{"x", Role::Input, {2, 19, 6, 5}, ""},
            {"y", Role::Output, {2, 19, 6, 5}, "nhwc"},
            {"z", Role::Output, {2, 19, 6, 5}, "nchw16c"}},
           [](const Operands &in, Results &out) {
             out[0].define([&](const Index &i) { return in[0].at(i); });
             out[1].define([&](const Index &i) { return -in[0].at(i); });
           }));
}

static void addActivations(std::vector<Problem> &all) {
  static const char *const functions[] = {
      "relu",   "relu6", "sigmoid", "tanh", "silu",  "gelu",
      "hswish", "exp",   "log",     "sqrt", "round", "softplus"};
  for (std::string function : functions) {
    all.push_back(make("range_" + function,
                       "kernel range_" + function +
                           "() {\n  input  x: f32[20000]\n"
                           "  output y: f32[20000]\n  y[i] = " +
                           function + "(x[i])\n}\n",
                       {{"x", Role::Input, {20000}, "", Fill::Special},
                        {"y", Role::Output, {20000}, ""}},
                       nullptr));
    all.back().reference = [found = *findFunction(function)](const Operands &in,
                                                             Results &out) {
      out[0].define(
          [&](const Index &i) { return activate(found, in[0].at(i)); });
    };
  }
}

static const char halvesText[] = R"(
// Stored in 16 bits: some inputs, a weight, a temp, an output.
kernel halves(N = ?) {
  input  x: f32[N, 19, 10, 9]  layout nhwc
  weight d: f16[19, 3, 3]
  weight w: f16[33, 19]
  input  b: f16[33]
  temp   t: f16[N, 19, 10, 9]  layout nchw8c
  output y: f16[N, 33, 10, 9]  layout nhwc

  t[n, c, p, q] = silu(sum(r, s: x[n, c, p + r - 1, q + s - 1] * d[c, r, s]))
  y[n, k, p, q] = sum(c: t[n, c, p, q] * w[k, c]) + b[k]
}

pattern parts for halves.y {
  near      c: 8, stage t: copy
  registers k: 16, q: 4
}
)";

static void defineHalves(const Operands &in, Results &out) {
  Result t{{out[0].shape[0], 19, 10, 9}, {}};
  t.define([&](const Index &i) {
    return storeHalf(
        activate(Function::Silu, sumOver(3, 3, [&](int64_t r, int64_t s) {
                   return in[0].at({i[0], i[1], i[2] + r - 1, i[3] + s - 1}) *
                          in[1].at({i[1], r, s});
                 })));
  });
  out[0].define([&](const Index &i) {
    Bounded sum = sumOver(19, [&](int64_t c) {
      return t.at({i[0], c, i[2], i[3]}) * in[2].at({i[1], c});
    });
    return sum + in[3].at({i[1]});
  });
}

static void addHalves(std::vector<Problem> &all) {
  const bool half = true;
  all.push_back(make("halves", halvesText,
                     {{"x", Role::Input, {runTime(0), 19, 10, 9}, "nhwc"},
                      {"d", Role::Weight, {19, 3, 3}, "", Fill::Signed, half},
                      {"w", Role::Weight, {33, 19}, "", Fill::Signed, half},
                      {"b", Role::Input, {33}, "", Fill::Wide, half},
                      {"y",
                       Role::Output,
                       {runTime(0), 33, 10, 9},
                       "nhwc",
                       Fill::Signed,
                       half}},
                     defineHalves));
  all.back().hasTemps = true;
  all.back().calls = {{2}, {1}, {0}};

  all.push_back(
      make("every_half", R"(
kernel every_half() {
  input  x: f16[65536]
  output y: f32[65536]
  output z: f16[65536]
  y[i] = x[i]
  z[i] = -x[i]
}
)",
           {{"x", Role::Input, {65536}, "", Fill::Halves, half},
            {"y", Role::Output, {65536}, ""},
            {"z", Role::Output, {65536}, "", Fill::Signed, half}},
           [](const Operands &in, Results &out) {
             out[0].define([&](const Index &i) { return in[0].at(i); });
             out[1].define([&](const Index &i) { return -in[0].at(i); });
           }));

  all.push_back(make("round_half", R"(
// Rounded, infinite, and below the normal range.
kernel round_half() {
  input  x: f32[20000]
  output y: f16[20000]
  output z: f16[20000]
  output s: f16[20000]
  y[i] = x[i]
  z[i] = 4000 * x[i]
  s[i] = x[i] / 500000
}
)",
                     {{"x", Role::Input, {20000}, "", Fill::Special},
                      {"y", Role::Output, {20000}, "", Fill::Signed, half},
                      {"z", Role::Output, {20000}, "", Fill::Signed, half},
                      {"s", Role::Output, {20000}, "", Fill::Signed, half}},
                     [](const Operands &in, Results &out) {
                       out[0].define(
                           [&](const Index &i) { return in[0].at(i); });
                       out[1].define([&](const Index &i) {
                         return Bounded{4000, 0} * in[0].at(i);
                       });
                       out[2].define([&](const Index &i) {
                         return in[0].at(i) / Bounded{500000, 0};
                       });
                     }));
}

std::vector<Problem> sparkle::makeKernels() {
  std::vector<Problem> all;
  addProducts(all);
  addSumsWithoutWeights(all);
  addPaddedTerms(all);
  addReads(all);
  addActivations(all);
  addTemps(all);
  addHalves(all);
  addNear(all);
  addTransposed(all);
  return all;
}
