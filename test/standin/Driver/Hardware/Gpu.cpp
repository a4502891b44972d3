// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One thread runs all rings of a card, a packet of one, then a packet of
// another, in an order drawn from the seed. So runs can be repeated, and rings
// that nobody orders are not in order.

#include "test/standin/Driver/Hardware/Gpu.h"
#include "test/standin/Driver/Fault.h"
#include "test/standin/Driver/Log.h"
#include "test/standin/Driver/Settings.h"

#include <algorithm>
#include <cerrno>
#include <thread>

namespace sparkle::standin {

namespace {

constexpr int64_t millisecond = 1000000;
/// How long a packet may poll before it is a hang.
constexpr int64_t longestPoll = 2000 * millisecond;
constexpr int64_t pollInterval = millisecond / 20;

int64_t getLockup() { return getSettings().lockup * millisecond; }

} // namespace

Gpu::Gpu(Generation generation, uint64_t seed)
    : card(getCard(generation)), random(seed) {
  for (unsigned i = 0; i < ringCount; ++i)
    rings.emplace_back(generation, second);
  for (Ring &ring : rings) {
    std::vector<const Caches *> peers;
    for (Ring &other : rings)
      if (&other != &ring)
        peers.push_back(&other.processor.getCaches());
    ring.processor.getCaches().setPeers(peers);
  }
}

void Gpu::submit(std::shared_ptr<Job> job) {
  rings[job->ring].jobs.push_back(std::move(job));
  if (!isWorking) {
    isWorking = true;
    std::thread([this] { work(); }).detach();
  }
  Monitor::get().notify();
}

Fences Gpu::getUsers(const Buffer *buffer) const {
  Fences fences;
  for (const Ring &ring : rings)
    for (const std::shared_ptr<Job> &job : ring.jobs)
      if (job->resident.count(buffer))
        fences.push_back(job->fence);
  return fences;
}

void Gpu::watch(const std::shared_ptr<Buffer> &buffer) {
  buffers.erase(std::remove_if(buffers.begin(), buffers.end(),
                               [](const auto &old) { return old.expired(); }),
                buffers.end());
  buffers.push_back(buffer);
}

bool Gpu::isReady(const Ring &ring) const {
  if (ring.jobs.empty() || ring.state == State::Hung)
    return false;
  return ring.state != State::Idle ||
         areSignaled(ring.jobs.front()->dependencies);
}

Gpu::Ring *Gpu::pick() {
  std::vector<Ring *> ready, polling;
  for (Ring &ring : rings)
    if (isReady(ring))
      (ring.state == State::Polling ? polling : ready).push_back(&ring);
  // Those that poll take turns with the others only when these are done.
  std::vector<Ring *> &from = ready.empty() ? polling : ready;
  return from.empty() ? nullptr : from[random() % from.size()];
}

void Gpu::sleep(Lock &lock) {
  int64_t until = INT64_MAX;
  for (const Ring &ring : rings)
    if (ring.state == State::Hung)
      until = std::min(until, ring.since + getLockup());
  Monitor::get().wait(lock, until, [&] {
    return std::any_of(rings.begin(), rings.end(),
                       [&](const Ring &ring) { return isReady(ring); });
  });
}

void Gpu::work() {
  Lock lock = Monitor::get().lock();
  for (;;) {
    for (Ring &ring : rings)
      if (ring.state == State::Hung && getNow() >= ring.since + getLockup())
        recover(ring);
    Ring *ring = pick();
    if (!ring) {
      sleep(lock);
      continue;
    }
    if (ring->state == State::Polling)
      Monitor::get().wait(lock, getNow() + pollInterval, [] { return false; });
    if (ring->state == State::Idle)
      start(*ring);
    else
      advance(*ring, lock);
  }
}

bool Gpu::takeHang(Ring &ring) {
  struct {
    const char *point;
    int error;
    bool losesMemory;
  } const plans[] = {{"hang", -ETIME, false},
                     {"soft-hang", -ENODATA, false},
                     {"vram-lost", -ETIME, true}};
  for (const auto &plan : plans)
    if (takeFault(plan.point)) {
      report(std::string("a hang on demand: ") + plan.point);
      hang(ring, plan.error);
      ring.losesMemory = plan.losesMemory;
      return true;
    }
  return false;
}

void Gpu::start(Ring &ring) {
  const Job &job = *ring.jobs.front();
  if (takeHang(ring))
    return;
  ring.state = State::Running;
  ring.processor.begin({job.space.get(), &job.resident}, job.buffers, random(),
                       getSettings().budget,
                       job.mayOverlap ? Processor::Before::Unknown
                                      : Processor::Before::Drained);
}

void Gpu::advance(Ring &ring, Lock &lock) {
  lock.unlock();
  Processor::Step step = ring.processor.step();
  // The kernel's own fence behind the IBs writes back and invalidates nothing.
  if (step == Processor::Step::Done) {
    second.writeBack();
    ring.processor.getCaches().endJob();
  }
  lock.lock();
  switch (step) {
  case Processor::Step::More:
    ring.state = State::Running;
    break;
  case Processor::Step::Done:
    finish(ring);
    break;
  case Processor::Step::Wait:
    if (ring.state != State::Polling)
      ring.since = getNow();
    ring.state = State::Polling;
    if (getNow() - ring.since > longestPoll) {
      report("hang: WAIT_REG_MEM waits for what never comes");
      hang(ring, -ETIME);
    }
    break;
  case Processor::Step::Error:
    report(ring.processor.getError());
    keepFault(ring.processor.getCaches().getPageFault());
    hang(ring, -ETIME);
    break;
  }
}

void Gpu::finish(Ring &ring) {
  std::shared_ptr<Job> job = ring.jobs.front();
  ring.jobs.pop_front();
  ring.state = State::Idle;
  if (job->userFence)
    __atomic_store_n(reinterpret_cast<uint64_t *>(job->userFence->bytes +
                                                  job->userFenceOffset),
                     job->sequence, __ATOMIC_RELEASE);
  checkWindows(*job);
  job->fence->signal();
}

/// What has been written through a window since the submission, which posted
/// what was there before.
void Gpu::checkWindows(const Job &job) const {
  for (const std::shared_ptr<Buffer> &buffer : job.kept)
    if (Window *window = buffer->getWindow()) {
      uint64_t at = window->findUnposted();
      if (at < buffer->size)
        report(format("byte %ju of %ju of graphics memory was written through "
                      "its window while a submission that lists it ran: "
                      "expected a submission behind it, which posts it",
                      uintmax_t(at), uintmax_t(buffer->size)));
      window->show();
    }
}

void Gpu::hang(Ring &ring, int error) {
  checkWindows(*ring.jobs.front());
  ring.state = State::Hung;
  ring.since = getNow();
  ring.error = error;
  ring.losesMemory = false;
}

void Gpu::keepFault(const Caches::PageFault &fault) {
  if (!fault.isSet)
    return;
  // GCVM_L2_PROTECTION_FAULT_STATUS: all permissions are missing, and who
  // asked.
  constexpr uint32_t missing = 0xf << 4, isWrite = 1 << 18;
  faultAddress = fault.address;
  faultStatus = missing | (fault.isWrite ? isWrite : 0);
}

void Gpu::recover(Ring &ring) {
  std::shared_ptr<Job> job = ring.jobs.front();
  ring.jobs.pop_front();
  bool isSoft = ring.error == -ENODATA;
  int error = ring.error;
  report(format("ring %zu: %s", size_t(job->ring),
                isSoft             ? "soft recovery"
                : ring.losesMemory ? "reset, and graphics memory is lost"
                                   : "reset"));
  ring.state = State::Idle;
  ring.processor.getCaches().reset();
  ++resets;
  ++job->context->hangs;
  if (!isSoft) {
    job->context->isGuilty = true;
    cancelOthers(ring, job->context.get(), ring.losesMemory);
    second.invalidate();
    for (Ring &other : rings)
      other.processor.getCaches().reset();
    if (ring.losesMemory)
      loseMemory();
  }
  job->fence->signal(error);
}

void Gpu::cancelOthers(const Ring &guilty, const Context *context,
                       bool losesMemory) {
  for (Ring &ring : rings) {
    std::deque<std::shared_ptr<Job>> left;
    for (size_t i = 0; i < ring.jobs.size(); ++i) {
      std::shared_ptr<Job> &job = ring.jobs[i];
      bool hasStarted = !i && &ring != &guilty && ring.state != State::Idle;
      if (hasStarted || losesMemory || job->context.get() == context)
        job->fence->signal(-ECANCELED);
      else
        left.push_back(job);
    }
    if (&ring != &guilty)
      ring.state = State::Idle;
    ring.jobs.swap(left);
  }
}

void Gpu::loseMemory() {
  ++losses;
  for (const std::weak_ptr<Buffer> &watched : buffers)
    if (std::shared_ptr<Buffer> buffer = watched.lock()) {
      buffer->poison();
      if (Window *window = buffer->getWindow())
        window->show();
    }
}

} // namespace sparkle::standin
