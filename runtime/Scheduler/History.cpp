// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The history in memory, and the thread that brings it to the file. Two locks:
// one for the memory, held shortly, and one for the file, taken first.

#include "runtime/Scheduler/History.h"
#include "runtime/Scheduler/HistoryFile.h"
#include "runtime/Thread.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sparkle::runtime {
namespace {

using Duration = std::chrono::seconds;
/// How long new times stay in memory alone.
constexpr Duration flushDelay{2};
/// As long as the file cannot be written, at most.
constexpr Duration longestFlushDelay{256};

/// More than the file holds, so that dropping is rare.
constexpr size_t maxEntries = 2 * maxHistoryRows;

struct KeyHash {
  size_t operator()(const HistoryKey &key) const {
    size_t value = std::hash<std::string>()(key.device);
    for (uint64_t part : {key.kernel, key.pattern, key.shape,
                          static_cast<uint64_t>(key.isPart)})
      value = (value ^ part) * 0x9e3779b97f4a7c15 ^ (value >> 29);
    return value;
  }
};

struct Entry {
  Statistics statistics;
  NewTimes times;      // that the file lacks
  uint64_t change = 0; // the higher, the later it last changed
};

struct Performance {
  sparkle_device_performance_t performance;
  bool isNew;
};

class KeptHistory final : public History {
public:
  explicit KeptHistory(const Settings &settings) : settings(settings) {}
  ~KeptHistory() override;

  void open(const std::string &folder);

  Statistics find(const HistoryKey &key) override;
  void add(const HistoryKey &key, double nanoseconds) override;
  bool findPerformance(const std::string &device,
                       sparkle_device_performance_t &performance) override;
  void addPerformance(const std::string &device,
                      const sparkle_device_performance_t &performance) override;
  Status flush() override;

private:
  using Node = std::pair<const HistoryKey, Entry>;

  void markNew();
  void keepWriting();
  void trim();
  HistoryBatch takeNew();
  void accept(HistoryBatch &batch);
  void putBack(HistoryBatch &batch);
  void report(const Status &status);

  const Settings settings;
  const OwnerProcess owner;

  std::mutex fileMutex;
  std::unique_ptr<HistoryFile> file; // null: nothing is kept
  bool hasFailed = false;            // and that is logged

  std::mutex mutex; // of all below
  std::condition_variable changed;
  std::unordered_map<HistoryKey, Entry, KeyHash> entries;
  std::unordered_map<std::string, Performance> devices;
  std::vector<Node *> news; // entries that the file lacks times of
  uint64_t changeCount = 0;
  bool hasNews = false; // entries or devices
  bool hasStarted = false, isRunning = false, isClosing = false;
};

} // namespace

//===----------------------------------------------------------------------===//
// In memory
//===----------------------------------------------------------------------===//

Statistics KeptHistory::find(const HistoryKey &key) {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = entries.find(key);
  return found == entries.end() ? Statistics() : found->second.statistics;
}

void KeptHistory::add(const HistoryKey &key, double nanoseconds) {
  if (!Statistics::isTime(nanoseconds))
    return;
  std::lock_guard<std::mutex> lock(mutex);
  if (entries.size() >= maxEntries)
    trim();
  Node &node = *entries.try_emplace(key).first;
  Entry &entry = node.second;
  entry.change = ++changeCount;
  entry.statistics.add(nanoseconds);
  if (!file)
    return;
  if (entry.times.isEmpty())
    news.push_back(&node);
  entry.times.add(nanoseconds);
  markNew();
}

/// Drops the half that has not changed for longest.
void KeptHistory::trim() {
  std::vector<uint64_t> changes;
  for (const Node &node : entries)
    changes.push_back(node.second.change);
  auto middle =
      changes.begin() + static_cast<std::ptrdiff_t>(changes.size() / 2);
  std::nth_element(changes.begin(), middle, changes.end());
  auto isOld = [&](const Node *node) { return node->second.change < *middle; };
  news.erase(std::remove_if(news.begin(), news.end(), isOld), news.end());
  for (auto node = entries.begin(); node != entries.end();)
    node = isOld(&*node) ? entries.erase(node) : std::next(node);
}

bool KeptHistory::findPerformance(const std::string &device,
                                  sparkle_device_performance_t &performance) {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = devices.find(device);
  if (found == devices.end())
    return false;
  performance = found->second.performance;
  return true;
}

void KeptHistory::addPerformance(
    const std::string &device,
    const sparkle_device_performance_t &performance) {
  std::lock_guard<std::mutex> lock(mutex);
  bool isKept = file && canBeKept(performance);
  devices[device] = {performance, isKept};
  if (isKept)
    markNew();
}

//===----------------------------------------------------------------------===//
// To and from the file
//===----------------------------------------------------------------------===//

void KeptHistory::report(const Status &status) {
  if (!status.isOk() && !hasFailed)
    settings.log(1, "%s; the history goes on in memory", status.message());
  hasFailed = !status.isOk();
}

void KeptHistory::open(const std::string &folder) {
  SqliteLibrary library;
  if (Status status = library.open(); !status.isOk())
    return report(status);
  auto opened = std::make_unique<HistoryFile>(folder, settings, library);
  HistoryBatch contents;
  report(opened->read(contents));
  file = std::move(opened);
  changeCount = contents.runs.size();
  uint64_t change = changeCount; // the latest comes first
  for (HistoryBatch::Run &run : contents.runs)
    entries[run.key] = {run.statistics, {}, change--};
  for (DeviceNumbers &device : contents.devices)
    devices[device.device] = {device.performance, false};
}

HistoryBatch KeptHistory::takeNew() {
  std::lock_guard<std::mutex> lock(mutex);
  HistoryBatch batch;
  hasNews = false;
  for (Node *node : news)
    batch.runs.push_back({node->first, node->second.statistics,
                          std::exchange(node->second.times, NewTimes())});
  news.clear();
  for (auto &[name, device] : devices)
    if (std::exchange(device.isNew, false))
      batch.devices.push_back({name, device.performance});
  return batch;
}

/// The file's statistics, and those times on top that came meanwhile.
void KeptHistory::accept(HistoryBatch &batch) {
  std::lock_guard<std::mutex> lock(mutex);
  for (HistoryBatch::Run &run : batch.runs) {
    auto found = entries.find(run.key);
    if (found == entries.end())
      continue;
    found->second.times.applyTo(run.statistics);
    found->second.statistics = run.statistics;
  }
}

void KeptHistory::putBack(HistoryBatch &batch) {
  std::lock_guard<std::mutex> lock(mutex);
  for (HistoryBatch::Run &run : batch.runs) {
    auto found = entries.find(run.key);
    if (found == entries.end())
      continue;
    NewTimes &later = found->second.times;
    if (later.isEmpty())
      news.push_back(&*found);
    run.times.append(later);
    later = std::move(run.times);
  }
  for (DeviceNumbers &device : batch.devices)
    devices[device.device].isNew = true;
  hasNews = true;
  changed.notify_all();
}

Status KeptHistory::flush() {
  if (owner.isForked()) // of whose mutex another thread may have had the lock
    return {};
  std::lock_guard<std::mutex> lock(fileMutex);
  if (!file)
    return {};
  HistoryBatch batch = takeNew();
  if (batch.isEmpty())
    return {};
  Status status = file->merge(batch);
  if (status.isOk())
    accept(batch);
  else
    putBack(batch);
  report(status);
  return status;
}

//===----------------------------------------------------------------------===//
// The thread
//===----------------------------------------------------------------------===//

/// There is one only once it has something to do, and it sleeps otherwise.
void KeptHistory::markNew() {
  if (hasNews)
    return;
  hasNews = true;
  if (isRunning)
    changed.notify_all();
  if (hasStarted || owner.isForked())
    return;
  hasStarted = true;
  Status status = startThread(
      [](void *history) { static_cast<KeptHistory *>(history)->keepWriting(); },
      this);
  isRunning = status.isOk();
  if (!status.isOk())
    settings.log(1, "%s; the history is written at its end", status.message());
}

void KeptHistory::keepWriting() {
  std::unique_lock<std::mutex> lock(mutex);
  Duration delay = flushDelay;
  auto wait = [&](auto until, auto isDone) {
    changed.wait_until(lock, std::chrono::steady_clock::now() + until, isDone);
  };
  while (!isClosing) {
    changed.wait(lock, [&] { return hasNews || isClosing; });
    wait(delay, [&] { return isClosing; });
    if (isClosing || !DriverCall::tryBegin())
      continue;
    lock.unlock();
    bool isWritten = flush().isOk();
    DriverCall::end();
    lock.lock();
    delay = isWritten ? flushDelay : std::min(2 * delay, longestFlushDelay);
  }
  isRunning = false;
  changed.notify_all();
}

KeptHistory::~KeptHistory() {
  if (owner.isForked())
    return; // the thread and the times are the parent's
  {
    std::unique_lock<std::mutex> lock(mutex);
    isClosing = true;
    changed.notify_all();
    changed.wait(lock, [&] { return !isRunning; });
  }
  static_cast<void>(flush()); // which says what went wrong
}

std::unique_ptr<History> History::open(const std::string &folder,
                                       const Settings &settings) {
  auto history = std::make_unique<KeptHistory>(settings);
  if (!folder.empty())
    history->open(folder);
  return history;
}

} // namespace sparkle::runtime
