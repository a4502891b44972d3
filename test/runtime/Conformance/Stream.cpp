// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Streams: order, more than three in flight, readers that take their time, and
// tickets that do not exist.

#include "test/runtime/Conformance/Problem.h"
#include "test/runtime/Environment.h"

#include <thread>

namespace {

struct StreamTest : Conformance {
  Stream makeStream(sparkle_module_t *module, const std::vector<int64_t> &sizes,
                    const std::vector<const void *> &weights) {
    Stream stream;
    ok(sparkle_stream_create(
        module, sizes.data(), static_cast<uint32_t>(sizes.size()),
        weights.data(), static_cast<uint32_t>(weights.size()), stream.out(),
        &error));
    return stream;
  }
  /// add(x, z, y) of 100 elements.
  Stream makeAdd() {
    module = makeModule("add");
    return makeStream(module, {100}, {nullptr, nullptr, nullptr});
  }
  uint64_t send(sparkle_stream_t *stream, Floats &x, Floats &z, Floats &y) {
    void *arguments[] = {x.data(), z.data(), y.data()};
    uint64_t ticket = 0;
    ok(sparkle_stream_submit(stream, arguments, 3, &ticket, &error));
    return ticket;
  }
  void await(sparkle_stream_t *stream, uint64_t ticket) {
    ok(sparkle_stream_wait(stream, ticket, SPARKLE_FOREVER, &error));
  }
  Module module;
};

TEST_P(StreamTest, oneByOne) {
  Stream stream = makeAdd();
  for (int i = 1; i <= 20; ++i) {
    Floats x(100, i), z(100, 1), y(100, -1);
    EXPECT_EQ(send(stream, x, z, y), static_cast<uint64_t>(i));
    await(stream, i);
    EXPECT_EQ(y, Floats(100, 2 * i + 1));
  }
}

TEST_P(StreamTest, inputsMayBeReusedAtOnce) {
  Stream stream = makeAdd();
  Floats x(100), z(100);
  std::vector<Floats> outputs(30, Floats(100));
  for (int i = 0; i < 30; ++i) {
    x.assign(100, i);
    z.assign(100, 3 * i);
    send(stream, x, z, outputs[i]);
    x.assign(100, -77);
  }
  await(stream, 30);
  for (int i = 0; i < 30; ++i)
    EXPECT_EQ(outputs[i], Floats(100, 5 * i));
}

TEST_P(StreamTest, laterTicketMeansEarlierOnes) {
  Stream stream = makeAdd();
  std::vector<Floats> x(3, Floats(100, 1)), y(3, Floats(100));
  for (int i = 0; i < 3; ++i)
    send(stream, x[i], x[i], y[i]);
  await(stream, 3);
  for (const Floats &output : y)
    EXPECT_EQ(output, Floats(100, 3));
  for (uint64_t ticket : {1, 3, 2})
    ok(sparkle_stream_wait(stream, ticket, 0, &error));
}

TEST_P(StreamTest, slowReader) {
  Stream stream = makeAdd();
  std::vector<Floats> y(50, Floats(100));
  for (int i = 0; i < 50; ++i) {
    Floats x(100, i);
    send(stream, x, x, y[i]);
    if (i >= 10)
      await(stream, i - 9); // ten behind, though three are in flight
  }
  await(stream, 50);
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(y[i], Floats(100, 3 * i));
}

TEST_P(StreamTest, weights) {
  for (const char *name : {"product", "conv", "chain"}) {
    SCOPED_TRACE(name);
    Problem problem(*this, name, {6});
    size_t count = problem.values.size();
    std::vector<const void *> weights;
    for (const Floats &values : problem.values)
      weights.push_back(values.data());
    Stream stream = makeStream(problem.module, {6}, weights);
    // Outputs begin as what the reference leaves where no element is.
    std::vector<Floats> values = problem.values;
    std::fill(values.back().begin(), values.back().end(), -1e9f);
    std::vector<void *> arguments;
    for (Floats &value : values)
      arguments.push_back(value.data());
    for (uint64_t i = 1; i <= 7; ++i) {
      uint64_t ticket = 0;
      ok(sparkle_stream_submit(stream, arguments.data(),
                               static_cast<uint32_t>(count), &ticket, &error));
      EXPECT_EQ(ticket, i);
    }
    await(stream, 7);
    const Floats &expected = problem.values.back();
    for (size_t i = 0; i < expected.size(); ++i)
      if (expected[i] == expected[i]) // an element
        ASSERT_EQ(values.back()[i], expected[i]) << i;
  }
}

TEST_P(StreamTest, twoOutputs) {
  module = makeModule("split");
  Stream stream = makeStream(module, {}, {nullptr, nullptr, nullptr});
  Floats x(64, 10), y(64), z(64);
  send(stream, x, y, z);
  await(stream, 1);
  EXPECT_EQ(y, Floats(64, 11));
  EXPECT_EQ(z, Floats(64, -7));
}

TEST_P(StreamTest, emptyBatch) {
  module = makeModule("add");
  Stream stream = makeStream(module, {0}, {nullptr, nullptr, nullptr});
  void *arguments[] = {nullptr, nullptr, nullptr};
  uint64_t ticket = 0;
  for (int i = 0; i < 5; ++i)
    ok(sparkle_stream_submit(stream, arguments, 3, &ticket, &error));
  // Of no pointers at all there needs no list.
  ok(sparkle_stream_submit(stream, nullptr, 3, &ticket, &error));
  await(stream, 6);
}

TEST_P(StreamTest, twoStreams) {
  Stream first = makeAdd();
  Stream second = makeStream(module, {100}, {nullptr, nullptr, nullptr});
  std::vector<Floats> a(20, Floats(100)), b(20, Floats(100));
  for (int i = 0; i < 20; ++i) {
    Floats x(100, i), z(100, -i);
    send(first, x, x, a[i]);
    send(second, x, z, b[i]);
  }
  await(second, 20);
  await(first, 20);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(a[i], Floats(100, 3 * i));
    EXPECT_EQ(b[i], Floats(100, i));
  }
}

TEST_P(StreamTest, releasedInFlight) {
  Floats x(100, 1), y(100);
  for (int i = 0; i < 10; ++i) {
    Stream stream = makeAdd();
    for (int j = 0; j < 3; ++j)
      send(stream, x, x, y);
  }
}

/// What kernels run on, OpenMP among it, is still there while they run.
TEST_P(StreamTest, processEndsInFlight) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto end = [&] {
    Floats x(100, 1), y(100);
    for (int i = 0; i < 20; ++i) {
      Stream stream = makeAdd();
      send(stream, x, x, y);
    }
    std::exit(0);
  };
  // What a driver still works with when it ends is no leak. The process that
  // ends is a new one, which reads this when it starts.
  Variable lenient("LSAN_OPTIONS", "detect_leaks=0");
  for (int i = 0; i < 5; ++i)
    EXPECT_EXIT(end(), testing::ExitedWithCode(0), "");
}

TEST_P(StreamTest, keepsItsModule) {
  Stream stream = makeAdd();
  module = {};
  library = {};
  context = {};
  Floats x(100, 1), y(100);
  await(stream, send(stream, x, x, y));
  EXPECT_EQ(y, Floats(100, 3));
}

TEST_P(StreamTest, manyThreads) {
  Stream stream = makeAdd();
  std::vector<std::thread> threads;
  std::vector<std::vector<Floats>> y(4,
                                     std::vector<Floats>(25, Floats(100, -1)));
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int j = 0; j < 25; ++j) {
        Floats x(100, 25 * i + j);
        void *arguments[] = {x.data(), x.data(), y[i][j].data()};
        uint64_t ticket = 0;
        EXPECT_EQ(sparkle_stream_submit(stream, arguments, 3, &ticket, nullptr),
                  SPARKLE_OK);
        if (j % 3 == 0)
          EXPECT_EQ(
              sparkle_stream_wait(stream, ticket, SPARKLE_FOREVER, nullptr),
              SPARKLE_OK);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  await(stream, 100);
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 25; ++j)
      EXPECT_EQ(y[i][j], Floats(100, 3 * (25 * i + j)));
}

//===----------------------------------------------------------------------===//
// Refused
//===----------------------------------------------------------------------===//

TEST_P(StreamTest, wrongTickets) {
  Stream stream = makeAdd();
  expect(sparkle_stream_wait(stream, 1, 0, &error), SPARKLE_INVALID_ARGUMENT,
         "expected one of 0 tickets given, but got 1");
  Floats x(100, 1), y(100);
  send(stream, x, x, y);
  for (uint64_t ticket : {UINT64_C(0), UINT64_C(2), UINT64_MAX})
    expect(sparkle_stream_wait(stream, ticket, SPARKLE_FOREVER, &error),
           SPARKLE_INVALID_ARGUMENT,
           "expected one of 1 tickets given, but got " +
               std::to_string(ticket));
  await(stream, 1);
}

TEST_P(StreamTest, wrongArguments) {
  Stream stream = makeAdd();
  Floats x(100, 1), y(100);
  void *arguments[] = {x.data(), nullptr, y.data()};
  uint64_t ticket = 9;
  expect(sparkle_stream_submit(stream, arguments, 3, &ticket, &error),
         SPARKLE_INVALID_ARGUMENT,
         "argument 'z': expected a pointer, but got a null pointer");
  EXPECT_EQ(ticket, 0u);
  expect(sparkle_stream_submit(stream, arguments, 2, &ticket, &error),
         SPARKLE_WRONG_COUNT,
         "expected 3 arguments of kernel 'add', but got 2");
  expect(sparkle_stream_submit(stream, nullptr, 3, &ticket, &error),
         SPARKLE_INVALID_ARGUMENT,
         "argument 'x': expected a pointer, but got a null pointer");
  await(stream, send(stream, x, x, y));
}

TEST_P(StreamTest, wrongCreation) {
  module = makeModule("product");
  Floats weight(20 * 24);
  const void *weights[] = {nullptr, weight.data(), nullptr, nullptr};
  int64_t sizes[] = {4}, negative[] = {-4};
  Stream stream;
  expect(sparkle_stream_create(module, negative, 1, weights, 4, stream.out(),
                               &error),
         SPARKLE_WRONG_SHAPE, "expected size 'N' of 0 or more, but got -4");
  EXPECT_EQ(stream, nullptr);
  expect(
      sparkle_stream_create(module, sizes, 1, weights, 3, stream.out(), &error),
      SPARKLE_WRONG_COUNT,
      "expected 4 arguments of kernel 'product', but got 3");
  weights[1] = nullptr;
  expect(
      sparkle_stream_create(module, sizes, 1, weights, 4, stream.out(), &error),
      SPARKLE_INVALID_ARGUMENT,
      "argument 'w': expected a pointer, but got a null pointer");
  expect(sparkle_stream_create(nullptr, sizes, 1, weights, 4, stream.out(),
                               &error),
         SPARKLE_INVALID_ARGUMENT, "expected a module, but got a null pointer");
}

SPARKLE_ON_ALL_DEVICES(StreamTest);

} // namespace
