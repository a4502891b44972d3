// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Follows the packets of a submission: moves bytes, writes values and times,
// and knows one kernel. What a job touches has to be in its list.

#include "test/runtime/AMDGPU/MockRing.h"
#include "test/runtime/AMDGPU/Kernels.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

MockContext *MockRings::addContext() {
  std::lock_guard<std::mutex> lock(mutex);
  contexts.push_back(new MockContext{++lastContext});
  return contexts.back();
}

void MockRings::removeContext(MockContext &context) {
  std::lock_guard<std::mutex> lock(mutex);
  for (const Job &job : held)
    if (job.context == &context)
      failMock("expected no work of a context that is freed");
  contexts.erase(std::find(contexts.begin(), contexts.end(), &context));
  delete &context;
}

void MockRings::map(MockObject &object, uint64_t address) {
  std::lock_guard<std::mutex> lock(mutex);
  for (const Job &job : held)
    if (std::count(job.objects.begin(), job.objects.end(), &object))
      failMock("expected no object to be unmapped that work uses");
  if (object.address)
    mapped.erase(object.address);
  object.address = address;
  if (address)
    mapped[address] = &object;
}

void MockRings::clear() {
  std::lock_guard<std::mutex> lock(mutex);
  held.clear();
  lastContext = 0;
}

void MockRings::forget() {
  clear();
  std::lock_guard<std::mutex> lock(mutex);
  forgotten.insert(forgotten.end(), contexts.begin(), contexts.end());
  contexts.clear();
}

//===----------------------------------------------------------------------===//
// Submitting and waiting
//===----------------------------------------------------------------------===//

int MockRings::submit(MockContext &context, amdgpu_cs_request &request) {
  std::lock_guard<std::mutex> lock(mutex);
  if (context.error)
    return context.error;
  MockState &state = getMockState();
  Job job = {};
  job.context = &context;
  job.objects = reinterpret_cast<MockList *>(request.resources)->objects;
  job.fence = reinterpret_cast<MockObject *>(request.fence_info.handle);
  // What the kernel refuses.
  if (!job.fence || job.fence->size != 4096 || request.fence_info.offset)
    failMock("expected a fence in a page of its own");
  if (!request.number_of_ibs || request.number_of_ibs > 4)
    failMock("expected 1 to 4 indirect buffers");
  job.submission.context = context.number;
  job.submission.ring = request.ring;
  job.submission.objectCount = job.objects.size();
  job.submission.sequence = ++context.lastSequence[request.ring];
  for (uint32_t i = 0; i < request.number_of_dependencies; ++i)
    job.submission.waits.push_back(
        {request.dependencies[i].ring, request.dependencies[i].fence});
  for (uint32_t i = 0; i < request.number_of_ibs; ++i) {
    const amdgpu_cs_ib_info &buffer = request.ibs[i];
    if (buffer.ib_mc_address % 32 || buffer.size % 8 || !buffer.size)
      failMock("expected an aligned indirect buffer");
    auto *words = reinterpret_cast<uint32_t *>(
        translate(job, buffer.ib_mc_address, buffer.size * 4));
    job.submission.buffers.emplace_back(words, words + buffer.size);
  }
  request.seq_no = job.submission.sequence;
  state.submissions.push_back(job.submission);
  held.push_back(std::move(job));
  bool isHeld = state.work == MockWork::Hold,
       isRun = state.work == MockWork::Run;
  ++state.submitted;
  if (isHeld)
    return 0;
  while (!held.empty()) {
    finish(held.front(), isRun);
    held.pop_front();
  }
  return 0;
}

/// With `mutex` held.
void MockRings::finish(Job &job, bool isRun) {
  if (isRun)
    run(job);
  uint64_t sequence = job.submission.sequence;
  job.context->lastOver[job.submission.ring] = sequence;
  if (getMockState().writesFence)
    __atomic_store_n(reinterpret_cast<uint64_t *>(job.fence->bytes), sequence,
                     __ATOMIC_RELEASE);
  changed.notify_all();
}

int MockRings::wait(const amdgpu_cs_fence &fence, uint64_t timeout,
                    uint32_t &expired) {
  std::unique_lock<std::mutex> lock(mutex);
  auto &context = *reinterpret_cast<MockContext *>(fence.context);
  auto isOver = [&] {
    return context.lastOver[fence.ring] >= fence.fence || context.error ||
           getMockState().waitError;
  };
  changed.wait_for(lock, std::chrono::nanoseconds(timeout), isOver);
  expired = context.lastOver[fence.ring] >= fence.fence;
  if (context.error)
    return context.error;
  return expired ? 0 : getMockState().waitError;
}

void MockRings::damage(const uint32_t *words, size_t count, int64_t distance) {
  std::lock_guard<std::mutex> lock(mutex);
  for (auto &entry : mapped)
    for (uint64_t at = 0; at + count * 4 <= entry.second->size; at += 32) {
      char *bytes = entry.second->bytes + at;
      if (std::memcmp(bytes, words, count * 4) != 0)
        continue;
      auto *word = reinterpret_cast<uint32_t *>(bytes + distance);
      *word = ~*word;
      return;
    }
  failMock("expected memory with these words");
}

uint64_t MockRings::getLastAddress() {
  std::lock_guard<std::mutex> lock(mutex);
  return mapped.rbegin()->first;
}

void MockRings::release(size_t count) {
  std::lock_guard<std::mutex> lock(mutex);
  for (; count && !held.empty(); --count) {
    finish(held.front(), true);
    held.pop_front();
  }
}

void MockRings::lose(uint64_t flags, int error) {
  std::lock_guard<std::mutex> lock(mutex);
  getMockState().resetFlags = flags;
  for (MockContext *context : contexts)
    context->error = error;
  held.clear();
  if (flags & AMDGPU_CTX_QUERY2_FLAGS_VRAMLOST)
    for (auto &entry : mapped)
      if (entry.second->isVram)
        std::memset(entry.second->bytes, 0xdd, entry.second->size);
  changed.notify_all();
}

//===----------------------------------------------------------------------===//
// Carrying out
//===----------------------------------------------------------------------===//

char *MockRings::translate(const Job &job, uint64_t address, uint64_t size) {
  auto next = mapped.upper_bound(address);
  if (next == mapped.begin())
    failMock("page fault");
  MockObject &object = *std::prev(next)->second;
  if (address + size > object.address + object.size)
    failMock("page fault");
  if (!std::count(job.objects.begin(), job.objects.end(), &object))
    failMock("expected an object in the list of the submission");
  return object.bytes + (address - object.address);
}

static uint64_t join(uint32_t low, uint32_t high) {
  return uint64_t(high) << 32 | low;
}

void MockRings::run(const Job &job) {
  std::map<uint32_t, uint32_t> registers;
  for (const std::vector<uint32_t> &words : job.submission.buffers)
    for (size_t at = 0; at < words.size();) {
      uint32_t op = words[at] >> 8 & 0xff;
      const uint32_t *body = &words[at] + 1;
      if (words[at] == 0xffff1000) {
        ++at;
        continue;
      }
      size_t count = (words[at] >> 16 & 0x3fff) + 1;
      at += 1 + count;
      if (op == 0x76)
        for (size_t i = 1; i < count; ++i)
          registers[body[0] + i - 1] = body[i];
      if (op == 0x15)
        dispatch(job, registers, body);
      if (op == 0x49) {
        uint64_t value =
            body[1] >> 29 == 3 ? time += 1000 : join(body[4], body[5]);
        __atomic_store_n(reinterpret_cast<uint64_t *>(
                             translate(job, join(body[2], body[3]), 8)),
                         value, __ATOMIC_RELEASE);
      }
      if (op == 0x50) {
        char *to = translate(job, join(body[3], body[4]), body[5]);
        if ((body[0] >> 29 & 3) == 2)
          for (uint32_t i = 0; i < body[5]; ++i)
            to[i] = static_cast<char>(body[1] >> i % 4 * 8);
        else
          std::memcpy(to, translate(job, join(body[1], body[2]), body[5]),
                      body[5]);
      }
    }
}

void MockRings::dispatch(const Job &job,
                         const std::map<uint32_t, uint32_t> &registers,
                         const uint32_t *body) {
  uint64_t program = join(registers.at(0x20c), registers.at(0x20d)) << 8;
  uint32_t mark;
  std::memcpy(&mark, translate(job, program, 4), 4);
  if (mark != affineMark)
    return; // the measuring kernels: nobody looks at what they wrote
  bool isOld = registers.count(0x244);
  uint64_t kernarg = join(registers.at(isOld ? 0x244 : 0x240),
                          registers.at(isOld ? 0x245 : 0x241));
  uint64_t addresses[2];
  int32_t count;
  std::memcpy(addresses, translate(job, kernarg, 20), 16);
  std::memcpy(&count, translate(job, kernarg + 16, 4), 4);
  if (!count)
    return;
  auto *x = reinterpret_cast<float *>(translate(job, addresses[0], count * 4));
  auto *y = reinterpret_cast<float *>(translate(job, addresses[1], count * 4));
  bool isForced = body[3] & 4;
  for (uint64_t row = isForced ? 0 : registers.at(0x205); row < body[1]; ++row)
    for (uint64_t column = isForced ? 0 : registers.at(0x204); column < body[0];
         ++column)
      for (uint64_t lane = 0; lane < registers.at(0x207); ++lane) {
        uint64_t i =
            (column + SPARKLE_GRID_WIDTH * row) * affineInvocations + lane;
        if (i < static_cast<uint64_t>(count))
          y[i] = 2 * x[i] + 1;
      }
}
