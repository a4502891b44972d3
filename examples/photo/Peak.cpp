// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Measures the peak with chains of dependent FMAs, enough of them at once to
// hide their latency: two units of four cycles need eight.

#include "Peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <immintrin.h>
#include <thread>
#include <vector>

namespace {

constexpr int chains = 12;
constexpr long steps = 200000;

/// Where a chain starts; volatile, or the compiler computes it beforehand.
volatile float seed = 0.5f;

/// Runs `steps` FMAs in each chain. The sum depends on all of them.
__attribute__((target("avx512f"))) float run512() {
  __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(1e-3f), sum[chains];
  for (int i = 0; i < chains; ++i)
    sum[i] = _mm512_set1_ps(seed + i);
  for (long step = 0; step < steps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i)
      sum[i] = _mm512_fmadd_ps(sum[i], a, b);
  for (int i = 1; i < chains; ++i)
    sum[0] = _mm512_add_ps(sum[0], sum[i]);
  return _mm512_cvtss_f32(sum[0]);
}

__attribute__((target("avx2,fma"))) float run256() {
  __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(1e-3f), sum[chains];
  for (int i = 0; i < chains; ++i)
    sum[i] = _mm256_set1_ps(seed + i);
  for (long step = 0; step < steps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i)
      sum[i] = _mm256_fmadd_ps(sum[i], a, b);
  for (int i = 1; i < chains; ++i)
    sum[0] = _mm256_add_ps(sum[0], sum[i]);
  return _mm256_cvtss_f32(sum[0]);
}

} // namespace

double measurePeak(int threads) {
  bool wide = __builtin_cpu_supports("avx512f");
  std::atomic<int> waiting{threads};
  std::vector<double> rates(threads);
  auto work = [&](int thread) {
    volatile float sink;
    sink = wide ? run512() : run256(); // warms up
    --waiting;
    while (waiting > 0)
      std::this_thread::yield();
    for (int round = 0; round < 20; ++round) {
      auto start = std::chrono::steady_clock::now();
      sink = wide ? run512() : run256();
      std::chrono::duration<double> took =
          std::chrono::steady_clock::now() - start;
      rates[thread] = std::max(rates[thread], 2.0 * (wide ? 16 : 8) * chains *
                                                  steps / took.count());
    }
    (void)sink;
  };
  std::vector<std::thread> team;
  for (int thread = 0; thread < threads; ++thread)
    team.emplace_back(work, thread);
  double sum = 0;
  for (int thread = 0; thread < threads; ++thread) {
    team[thread].join();
    sum += rates[thread];
  }
  return sum;
}
