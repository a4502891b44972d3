// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Modules, and what kernels compute, at many sizes and places in memory.

#include "test/runtime/Conformance/Problem.h"

namespace {

struct KernelTest : Conformance {
  /// At some sizes, with guards around every argument and without.
  void compute(const char *name, const std::vector<int64_t> &each) {
    for (int64_t size : each)
      for (uint64_t guard : {0u, 4 * properties.alignment}) {
        SCOPED_TRACE(testing::Message() << name << " at " << size);
        Problem problem(*this, name, {size}, static_cast<uint64_t>(size),
                        guard);
        run({problem.command()});
        problem.check();
      }
  }
};

TEST_P(KernelTest, elementwise) { compute("add", {1, 2, 3, 4, 5, 31, 64}); }
TEST_P(KernelTest, elementwiseLonger) { compute("add", {255, 256, 1001}); }
TEST_P(KernelTest, elementwiseLarge) { compute("add", {1 << 20, 1234567}); }
TEST_P(KernelTest, product) { compute("product", {1, 2, 7, 16, 33, 64}); }
TEST_P(KernelTest, productLarge) { compute("product", {1000, 4099}); }
TEST_P(KernelTest, convolution) { compute("conv", {1, 2, 5}); }
TEST_P(KernelTest, temp) { compute("chain", {1, 2, 9, 40}); }
TEST_P(KernelTest, tempLarge) { compute("chain", {3001}); }

TEST_P(KernelTest, emptyBatch) {
  for (const char *name : {"add", "product", "conv", "chain"}) {
    Problem problem(*this, name, {0});
    run({problem.command()});
    problem.check();
  }
}

TEST_P(KernelTest, withoutSizes) {
  Problem problem(*this, "split", {});
  run({problem.command()});
  problem.check();
}

TEST_P(KernelTest, twoOutputsInOneBuffer) {
  Module module = makeModule("split");
  Buffer x = upload(Floats(64, 5)), both = makeBuffer(512);
  std::vector<sparkle_view_t> views{all(x), part(both, 256, 256),
                                    part(both, 0, 256)};
  run({call(module, views, {})});
  Floats expected(64, -2);
  expected.resize(128, 6);
  EXPECT_EQ(download<float>(both), expected);
}

TEST_P(KernelTest, inputsMayBeTheSame) {
  Module module = makeModule("add");
  Buffer x = upload(Floats(100, 2)), y = makeBuffer(400);
  std::vector<sparkle_view_t> views{all(x), all(x), all(y)};
  run({call(module, views, {100})});
  EXPECT_EQ(download<float>(y), Floats(100, 6));
}

TEST_P(KernelTest, inPlace) {
  const struct {
    const char *name;
    size_t input, output;
  } kernels[] = {{"add", 0, 2}, {"add", 1, 2}, {"residual", 2, 3}};
  for (int64_t size : {1, 7, 64, 333})
    for (uint64_t guard : {0u, 4 * properties.alignment})
      for (auto [name, input, output] : kernels) {
        SCOPED_TRACE(testing::Message() << name << " at " << size);
        Problem problem(*this, name, {size}, 1, guard);
        problem.views[output] = problem.views[input];
        run({problem.command()});
        std::swap(problem.buffers[output], problem.buffers[input]);
        problem.check();
      }
}

TEST_P(KernelTest, statedShapesAndElements) {
  Module module = makeModule("product");
  Problem problem(*this, "product", {6});
  int64_t x[] = {6, 24}, w[] = {20, 24}, b[] = {20}, y[] = {6, 20};
  const int64_t *shapes[] = {x, w, b, y};
  uint32_t ranks[] = {2, 2, 1, 2};
  for (size_t i = 0; i < 4; ++i) {
    problem.views[i].element = SPARKLE_ELEMENT_F32;
    problem.views[i].rank = ranks[i];
    problem.views[i].shape = shapes[i];
  }
  run({problem.command()});
  problem.check();
}

TEST_P(KernelTest, buffersMayBeLonger) {
  Module module = makeModule("add");
  Buffer x = upload(Floats(64, 1)), z = upload(Floats(64, 1)),
         y = upload(Floats(64, 9));
  std::vector<sparkle_view_t> views{all(x), all(z), all(y)};
  run({call(module, views, {10})});
  Floats expected(64, 9);
  std::fill_n(expected.begin(), 10, 3);
  EXPECT_EQ(download<float>(y), expected);
}

TEST_P(KernelTest, oneReadsWhatTheOtherWrote) {
  Module module = makeModule("add");
  Buffer a = upload(Floats(999, 1)), b = makeBuffer(999 * 4),
         c = makeBuffer(999 * 4);
  std::vector<sparkle_view_t> first{all(a), all(a), all(b)},
      second{all(b), all(a), all(c)};
  run({call(module, first, {999}), call(module, second, {999})});
  EXPECT_EQ(download<float>(c), Floats(999, 7));
}

TEST_P(KernelTest, oneOverwritesWhatTheOtherRead) {
  Module module = makeModule("add");
  Buffer a = upload(Floats(999, 1)), b = makeBuffer(999 * 4);
  std::vector<sparkle_view_t> first{all(a), all(a), all(b)},
      second{all(b), all(b), all(a)};
  run({call(module, first, {999}), call(module, second, {999})});
  EXPECT_EQ(download<float>(a), Floats(999, 9));
}

TEST_P(KernelTest, kernelBetweenCopies) {
  Module module = makeModule("add");
  Buffer host = makeBuffer(400, SPARKLE_MEMORY_UPLOAD),
         back = makeBuffer(400, SPARKLE_MEMORY_READBACK), x = makeBuffer(400),
         y = makeBuffer(400);
  auto *in = static_cast<float *>(sparkle_buffer_get_pointer(host));
  for (int i = 0; i < 100; ++i)
    in[i] = static_cast<float>(i);
  sparkle_view_t up[] = {all(host), all(x)}, down[] = {all(y), all(back)};
  std::vector<sparkle_view_t> views{all(x), all(x), all(y)};
  run({copy(up), call(module, views, {100}), copy(down)});
  auto *out = static_cast<float *>(sparkle_buffer_get_pointer(back));
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(out[i], 3 * i);
}

TEST_P(KernelTest, manyKindsInOneSubmission) {
  std::vector<Problem> problems;
  std::vector<sparkle_command_t> commands;
  for (uint64_t i = 0; i < 5; ++i)
    for (const char *name : {"add", "product", "conv", "chain"})
      problems.emplace_back(*this, name,
                            std::vector<int64_t>{int64_t(1 + 3 * i)}, i);
  for (const Problem &problem : problems)
    commands.push_back(problem.command());
  run(commands);
  for (Problem &problem : problems)
    problem.check();
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

TEST_P(KernelTest, moduleProperties) {
  Module module = makeModule("chain");
  sparkle_module_properties_t seen;
  sparkle_module_query_properties(module, &seen);
  EXPECT_EQ(seen.kernel, kernel("chain"));
  EXPECT_EQ(seen.device, device);
  EXPECT_GE(seen.variant_count, 1u);
  EXPECT_EQ(seen.variant, 0u);
  ASSERT_NE(seen.code, nullptr);
  EXPECT_EQ(seen.code->target, properties.target);
  EXPECT_EQ(seen.argument_count, 4u); // x, v, w and y; t is a temp
  EXPECT_GT(seen.creation_ns, 0u);
}

TEST_P(KernelTest, everyVariant) {
  for (const char *name : {"product", "conv", "chain"}) {
    Module module = makeModule(name);
    sparkle_module_properties_t seen;
    sparkle_module_query_properties(module, &seen);
    for (uint32_t i = 0; i < seen.variant_count; ++i) {
      Problem problem(*this, name, {13}, i, 0, i);
      sparkle_module_properties_t now;
      sparkle_module_query_properties(problem.module, &now);
      EXPECT_EQ(now.variant, i);
      run({problem.command()});
      problem.check();
    }
    expect(sparkle_module_select_variant(module, seen.variant_count, &error),
           SPARKLE_INVALID_ARGUMENT,
           "expected a variant below " + std::to_string(seen.variant_count) +
               ", but got " + std::to_string(seen.variant_count));
  }
}

TEST_P(KernelTest, tune) {
  for (const char *name : {"add", "product", "conv", "chain"}) {
    Module module = makeModule(name);
    int64_t sizes[] = {8};
    ok(sparkle_module_tune(module, sizes, 1, 2, &error));
    ok(sparkle_module_tune(module, sizes, 1, 0, &error));
    Problem problem(*this, name, {8});
    run({problem.command()});
    problem.check();
  }
}

TEST_P(KernelTest, tuneChecksSizes) {
  Module module = makeModule("add");
  int64_t sizes[] = {-3};
  expect(sparkle_module_tune(module, sizes, 1, 0, &error), SPARKLE_WRONG_SHAPE,
         "expected size 'N' of 0 or more, but got -3");
  expect(sparkle_module_tune(module, sizes, 0, 0, &error), SPARKLE_WRONG_COUNT,
         "expected 1 sizes of kernel 'add', but got 0");
}

TEST_P(KernelTest, argumentSizes) {
  Module module = makeModule("conv");
  int64_t sizes[] = {2};
  uint64_t size = 0;
  ok(sparkle_module_query_argument_size(module, 0, sizes, 1, &size, &error));
  EXPECT_EQ(size, 2u * 5 * 9 * 9 * 4);
  ok(sparkle_module_query_argument_size(module, 1, sizes, 1, &size, &error));
  EXPECT_GE(size, 20u * 5 * 3 * 3 * 4);
  // 20 channels take two blocks of 16.
  ok(sparkle_module_query_argument_size(module, 2, sizes, 1, &size, &error));
  EXPECT_EQ(size, 2u * 32 * 9 * 9 * 4);
}

TEST_P(KernelTest, argumentSizeErrors) {
  Module module = makeModule("conv");
  int64_t sizes[] = {2}, huge[] = {INT64_MAX};
  uint64_t size = 1;
  expect(sparkle_module_query_argument_size(module, 3, sizes, 1, &size, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected an argument of kernel 'conv' below 3, but got 3");
  EXPECT_EQ(size, 0u);
  expect(
      sparkle_module_query_argument_size(module, 0, nullptr, 1, &size, &error),
      SPARKLE_INVALID_ARGUMENT, "expected sizes, but got a null pointer");
  expect(sparkle_module_query_argument_size(module, 0, huge, 1, &size, &error),
         SPARKLE_WRONG_SHAPE,
         "expected the bytes of tensor 'x' to fit in 64 bits");
}

TEST_P(KernelTest, packErrors) {
  Module module = makeModule("conv");
  float weight[20 * 5 * 9] = {}, packed[2 * 32 * 81];
  expect(sparkle_module_pack(module, 0, weight, packed, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected a weight of kernel 'conv', but got 'x'");
  expect(sparkle_module_pack(module, 1, nullptr, packed, &error),
         SPARKLE_INVALID_ARGUMENT, "expected a weight, but got a null pointer");
  expect(sparkle_module_pack(module, 1, weight, nullptr, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected memory for the packed weight, but got a null pointer");
}

TEST_P(KernelTest, deviceProperties) {
  EXPECT_EQ(name().substr(0, std::strlen(GetParam())), GetParam());
  EXPECT_EQ(properties.index, 0u);
  EXPECT_GT(properties.memory, 0u);
  EXPECT_GT(properties.max_buffer, 1u << 20);
  EXPECT_GE(properties.alignment, 4u);
  EXPECT_GE(properties.invocations, 1u);
  EXPECT_GE(properties.queues, 1u);
  EXPECT_STRNE(properties.description, "");
  EXPECT_TRUE(properties.runs_on_host ||
              properties.target != SPARKLE_TARGET_CPU);
  EXPECT_TRUE(properties.is_unified || !properties.runs_on_host);
}

TEST_P(KernelTest, measure) {
  sparkle_device_performance_t performance;
  ok(sparkle_device_measure(device, 1, &performance, &error));
  EXPECT_GT(performance.gflops, 0);
  EXPECT_GT(performance.gbytes_per_second, 0);
  EXPECT_GT(performance.copy_gbytes_per_second, 0);
  EXPECT_GT(performance.launch_ns, 0);
  EXPECT_GT(performance.near_gbytes_per_second, 0);
}

SPARKLE_ON_ALL_DEVICES(KernelTest);

} // namespace
