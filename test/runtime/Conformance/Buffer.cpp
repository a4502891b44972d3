// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers, copies and fills.

#include "test/runtime/Conformance/Device.h"

namespace {

using BufferTest = Conformance;

const sparkle_memory_t kinds[] = {SPARKLE_MEMORY_DEVICE, SPARKLE_MEMORY_UPLOAD,
                                  SPARKLE_MEMORY_READBACK};
using Words = std::vector<uint32_t>;

TEST_P(BufferTest, sizes) {
  for (sparkle_memory_t kind : kinds)
    for (uint64_t size : {1, 3, 4, 64, 65, 4096, 1 << 20}) {
      Buffer buffer = makeBuffer(size, kind);
      EXPECT_EQ(sparkle_buffer_get_size(buffer), size);
    }
}

TEST_P(BufferTest, empty) {
  for (sparkle_memory_t kind : kinds) {
    Buffer buffer = makeBuffer(0, kind);
    ASSERT_NE(buffer, nullptr);
    EXPECT_EQ(sparkle_buffer_get_size(buffer), 0u);
    EXPECT_EQ(sparkle_buffer_get_pointer(buffer), nullptr);
  }
}

TEST_P(BufferTest, hostSeesStaging) {
  for (sparkle_memory_t kind : {SPARKLE_MEMORY_UPLOAD, SPARKLE_MEMORY_READBACK})
    for (uint64_t size : {1, 100, 1 << 16}) {
      Buffer buffer = makeBuffer(size, kind);
      void *pointer = sparkle_buffer_get_pointer(buffer);
      ASSERT_NE(pointer, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(pointer) % 64, 0u);
      std::memset(pointer, 0x5a, size);
      EXPECT_EQ(static_cast<unsigned char *>(pointer)[size - 1], 0x5a);
    }
}

TEST_P(BufferTest, pointerStays) {
  Buffer buffer = makeBuffer(256, SPARKLE_MEMORY_READBACK);
  void *before = sparkle_buffer_get_pointer(buffer);
  sparkle_view_t view = all(buffer);
  run({fill(view, 7)});
  EXPECT_EQ(sparkle_buffer_get_pointer(buffer), before);
  EXPECT_EQ(static_cast<uint32_t *>(before)[63], 7u);
}

TEST_P(BufferTest, absurdSizes) {
  for (sparkle_memory_t kind : kinds)
    for (uint64_t size : {UINT64_MAX, UINT64_MAX - 63, UINT64_C(1) << 63,
                          UINT64_C(1) << 62, UINT64_C(1) << 50}) {
      sparkle_buffer_t *buffer = nullptr;
      EXPECT_EQ(sparkle_buffer_create(device, kind, size, &buffer, &error),
                SPARKLE_OUT_OF_MEMORY);
      EXPECT_EQ(buffer, nullptr);
      EXPECT_STRNE(error.message, "");
      release(buffer);
    }
  // And the device goes on.
  EXPECT_EQ(download<uint32_t>(upload(Words{1, 2, 3})), (Words{1, 2, 3}));
}

TEST_P(BufferTest, unknownMemory) {
  sparkle_buffer_t *buffer = nullptr;
  expect(sparkle_buffer_create(device, static_cast<sparkle_memory_t>(3), 4,
                               &buffer, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected a kind of memory from 0 to 2, but got 3");
}

TEST_P(BufferTest, retain) {
  Buffer buffer = makeBuffer(64, SPARKLE_MEMORY_UPLOAD);
  sparkle_buffer_retain(buffer);
  sparkle_buffer_retain(buffer);
  sparkle_buffer_release(buffer);
  sparkle_buffer_release(buffer);
  std::memset(sparkle_buffer_get_pointer(buffer), 1, 64);
}

TEST_P(BufferTest, many) {
  std::vector<Buffer> buffers;
  for (int i = 0; i < 500; ++i)
    buffers.push_back(makeBuffer(64 + i));
  EXPECT_EQ(sparkle_buffer_get_size(buffers.back()), 563u);
}

TEST_P(BufferTest, roundTrip) {
  for (size_t size : {1, 3, 64, 1001, 1 << 18}) {
    std::vector<unsigned char> bytes(size);
    for (size_t i = 0; i < size; ++i)
      bytes[i] = static_cast<unsigned char>(i * 37 + size);
    EXPECT_EQ(download<unsigned char>(upload(bytes)), bytes) << size;
  }
}

TEST_P(BufferTest, largeRoundTrip) {
  Words words(16 << 20);
  for (size_t i = 0; i < words.size(); ++i)
    words[i] = static_cast<uint32_t>(i * 2654435761u);
  EXPECT_TRUE(download<uint32_t>(upload(words)) == words);
}

TEST_P(BufferTest, fillAll) {
  Buffer buffer = makeBuffer(4096);
  sparkle_view_t view = all(buffer);
  run({fill(view, 0xdeadbeef)});
  EXPECT_EQ(download<uint32_t>(buffer), Words(1024, 0xdeadbeef));
}

TEST_P(BufferTest, fillPart) {
  Buffer buffer = upload(Words(64, 1));
  sparkle_view_t view = part(buffer, 12, 20);
  run({fill(view, 9)});
  Words expected(64, 1);
  for (int i = 3; i < 8; ++i)
    expected[i] = 9;
  EXPECT_EQ(download<uint32_t>(buffer), expected);
}

TEST_P(BufferTest, fillToTheEnd) {
  Buffer buffer = upload(Words(8, 1));
  sparkle_view_t view = part(buffer, 24, 0);
  run({fill(view, 2)});
  EXPECT_EQ(download<uint32_t>(buffer), (Words{1, 1, 1, 1, 1, 1, 2, 2}));
}

TEST_P(BufferTest, fillNothing) {
  Buffer buffer = upload(Words(4, 1)), empty = makeBuffer(0);
  sparkle_view_t end = part(buffer, 16, 0), none = all(empty);
  run({fill(end, 2), fill(none, 2)});
  EXPECT_EQ(download<uint32_t>(buffer), Words(4, 1));
}

TEST_P(BufferTest, copyNothing) {
  Buffer buffer = upload(Words(4, 1)), empty = makeBuffer(0);
  sparkle_view_t fromTo[] = {all(empty), part(buffer, 16, 0)};
  run({copy(fromTo)});
  EXPECT_EQ(download<uint32_t>(buffer), Words(4, 1));
}

TEST_P(BufferTest, copyAtOddOffsets) {
  std::vector<unsigned char> from(100), to(100, 0xee);
  for (size_t i = 0; i < from.size(); ++i)
    from[i] = static_cast<unsigned char>(i);
  Buffer source = upload(from), target = upload(to);
  sparkle_view_t fromTo[] = {part(source, 13, 31), part(target, 57, 31)};
  run({copy(fromTo)});
  std::memcpy(&to[57], &from[13], 31);
  EXPECT_EQ(download<unsigned char>(target), to);
  EXPECT_EQ(download<unsigned char>(source), from);
}

TEST_P(BufferTest, copyInside) {
  Words words{1, 2, 3, 4, 5, 6, 7, 8};
  Buffer buffer = upload(words);
  sparkle_view_t fromTo[] = {part(buffer, 0, 16), part(buffer, 16, 16)};
  run({copy(fromTo)});
  EXPECT_EQ(download<uint32_t>(buffer), (Words{1, 2, 3, 4, 1, 2, 3, 4}));
}

TEST_P(BufferTest, commandsRunInOrder) {
  Buffer a = makeBuffer(256), b = makeBuffer(256), c = makeBuffer(256);
  sparkle_view_t wholeA = all(a), head = part(a, 0, 64);
  sparkle_view_t aToB[] = {all(a), all(b)}, bToC[] = {all(b), all(c)};
  run({fill(wholeA, 1), copy(aToB), fill(wholeA, 2), fill(head, 3), copy(bToC),
       copy(aToB)});
  EXPECT_EQ(download<uint32_t>(c), Words(64, 1));
  Words expected(64, 2);
  std::fill_n(expected.begin(), 16, 3);
  EXPECT_EQ(download<uint32_t>(b), expected);
}

TEST_P(BufferTest, betweenAllKinds) {
  Words words{5, 6, 7, 8};
  for (sparkle_memory_t from : kinds)
    for (sparkle_memory_t to : kinds) {
      Buffer source = makeBuffer(16, from), target = makeBuffer(16, to);
      Buffer first = upload(words);
      sparkle_view_t in[] = {all(first), all(source)};
      sparkle_view_t over[] = {all(source), all(target)};
      run({copy(in), copy(over)});
      EXPECT_EQ(download<uint32_t>(target), words) << from << " to " << to;
    }
}

SPARKLE_ON_ALL_DEVICES(BufferTest);

} // namespace
