// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is added is found again: at once, in the next process, by another one.

#include "test/runtime/Scheduler/HistoryFolder.h"

#include "runtime/CacheFolder.h"

#include <chrono>
#include <cmath>
#include <thread>

using namespace sparkle::runtime;

namespace {

using Histories = HistoryFolder;

TEST_F(Histories, roundTrip) {
  Statistics expected;
  for (double time : {1000.5, 1100.25, 900.0, 5000.0})
    expected.add(time);
  {
    auto history = open();
    EXPECT_EQ(history->find(key).count(), 0u);
    for (double time : {1000.5, 1100.25, 900.0, 5000.0})
      history->add(key, time);
    EXPECT_EQ(history->find(key).mean(), expected.mean());
  }
  Statistics found = open()->find(key);
  EXPECT_EQ(found.count(), expected.count());
  EXPECT_EQ(found.mean(), expected.mean());
  EXPECT_EQ(found.deviation(), expected.deviation());
  EXPECT_EQ(found.last(), 5000);
  EXPECT_EQ(found.strayCount(), 1u);
  EXPECT_EQ(found.strayMean(), 5000);
  EXPECT_TRUE(list().empty()); // neither a journal nor a lock is left
}

/// Runs that differ in one field are kept apart.
TEST_F(Histories, keys) {
  std::vector<HistoryKey> keys(6, key);
  keys[1].device += "3";
  keys[2].kernel ^= uint64_t(1) << 63;
  keys[3].pattern = UINT64_MAX;
  keys[4].shape = 0;
  keys[5].isPart = true;
  {
    auto history = open();
    for (size_t i = 0; i < keys.size(); ++i)
      history->add(keys[i], 1000.0 * double(i + 1));
  }
  auto history = open();
  for (size_t i = 0; i < keys.size(); ++i)
    EXPECT_EQ(history->find(keys[i]).mean(), 1000.0 * double(i + 1)) << i;
}

/// A shift is noticed even if every process runs the kernel once.
TEST_F(Histories, shift) {
  for (int i = 0; i < 20; ++i)
    open()->add(key, 1000);
  for (int i = 0; i < 3; ++i)
    open()->add(key, 3000);
  EXPECT_EQ(open()->find(key).mean(), 3000);
}

/// Both write the same row, and each learns of the other then.
TEST_F(Histories, twoHandles) {
  auto first = open(), second = open();
  for (int i = 0; i < 10; ++i) {
    first->add(key, 1000);
    second->add(key, 1000);
  }
  EXPECT_EQ(second->find(key).count(), 10u);
  EXPECT_TRUE(first->flush().isOk());
  EXPECT_TRUE(second->flush().isOk());
  EXPECT_EQ(first->find(key).count(), 10u);
  EXPECT_EQ(second->find(key).count(), 20u);
  first->add(key, 1000);
  first.reset();
  second.reset();
  EXPECT_EQ(countOf(key), 21u);
}

/// Far more times than are carried to the file count all the same.
TEST_F(Histories, manyTimes) {
  {
    auto history = open();
    for (int i = 0; i < 10000; ++i)
      history->add(key, 1000 + i % 7);
    EXPECT_EQ(history->find(key).count(), 10000u);
    EXPECT_TRUE(history->flush().isOk());
    for (int i = 0; i < 10000; ++i)
      history->add(key, 1000 + i % 7);
  }
  Statistics found = open()->find(key);
  EXPECT_EQ(found.count(), 20000u);
  EXPECT_NEAR(found.mean(), 1003, 1);
}

TEST_F(Histories, performance) {
  const sparkle_device_performance_t given = {1500.5, 300.25, 12, 7000, 900};
  sparkle_device_performance_t found = {};
  {
    auto history = open();
    EXPECT_FALSE(history->findPerformance("one", found));
    history->addPerformance("one", {1, 2, 3, 4, 5});
    history->addPerformance("one", given);
    EXPECT_TRUE(history->findPerformance("one", found));
    EXPECT_EQ(found.gflops, 1500.5);
  }
  auto history = open();
  EXPECT_FALSE(history->findPerformance("another", found));
  found = {};
  ASSERT_TRUE(history->findPerformance("one", found));
  EXPECT_EQ(found.gflops, given.gflops);
  EXPECT_EQ(found.gbytes_per_second, given.gbytes_per_second);
  EXPECT_EQ(found.copy_gbytes_per_second, given.copy_gbytes_per_second);
  EXPECT_EQ(found.launch_ns, given.launch_ns);
  EXPECT_EQ(found.near_gbytes_per_second, given.near_gbytes_per_second);
}

/// A number that an earlier program did not measure yet, or a wrong one, and
/// the device is measured again; what a later one measures besides is ignored.
TEST_F(Histories, numbers) {
  sparkle_device_performance_t found;
  open()->addPerformance("one", {1, 2, 3, 4, 5});
  run("INSERT INTO numbers VALUES ('one', 'later', 5, 0)");
  EXPECT_TRUE(open()->findPerformance("one", found));
  run("UPDATE numbers SET value = -1 WHERE name = 'gflops'");
  EXPECT_FALSE(open()->findPerformance("one", found));
  run("DELETE FROM numbers WHERE name = 'gflops'");
  EXPECT_FALSE(open()->findPerformance("one", found));
}

/// What cannot be is not believed, and written over.
TEST_F(Histories, values) {
  for (const char *change :
       {"mean_ns = -1", "mean_ns = 1e300", "count = -5", "deviation_ns = -1",
        "mean_ns = 'text'", "count = x'00ff'"}) {
    fs::remove(path);
    writeGood();
    run((std::string("UPDATE runs SET ") + change).c_str());
    EXPECT_EQ(countOf(key), 0u) << change;
    open()->add(key, 2000);
    EXPECT_EQ(open()->find(key).mean(), 2000) << change;
  }
}

/// What cannot have been measured is not written, and keeps nothing else back.
TEST_F(Histories, noNumbers) {
  sparkle_device_performance_t found;
  {
    auto history = open();
    history->add(key, NAN);
    history->add(makeKey(2), 0);
    EXPECT_TRUE(history->flush().isOk());
    EXPECT_FALSE(fs::exists(path));
    history->addPerformance("one", {NAN, 2, 3, 4, 5});
    history->addPerformance("two", {1, INFINITY, 3, 4, 5});
    history->addPerformance("three", {1, 2, 3, -4, 5});
    EXPECT_TRUE(history->findPerformance("one", found));
    history->add(key, 1000);
    EXPECT_TRUE(history->flush().isOk());
  }
  EXPECT_EQ(countOf(key), 1u);
  EXPECT_EQ(ask("SELECT count(*) FROM runs"), "1");
  EXPECT_EQ(ask("SELECT count(*) FROM numbers"), "0");
}

/// Written by the thread, without an end and without asking.
TEST_F(Histories, soon) {
  auto history = open();
  for (int round = 1; round <= 2; ++round) {
    history->add(key, 1000);
    for (int i = 0; i < 100 && countOf(key) < uint64_t(round); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_EQ(countOf(key), uint64_t(round));
  }
}

/// The rows that have not changed for longest go.
TEST_F(Histories, bounded) {
  {
    auto history = open();
    for (uint64_t i = 0; i < 3000; ++i)
      history->add(makeKey(i), 1000);
    EXPECT_TRUE(history->flush().isOk());
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    for (uint64_t i = 3000; i < 5000; ++i)
      history->add(makeKey(i), 1000);
    history->add(makeKey(17), 1000);
  }
  EXPECT_EQ(ask("SELECT count(*) FROM runs"), "4096");
  auto history = open();
  for (uint64_t i = 3000; i < 5000; ++i)
    ASSERT_EQ(history->find(makeKey(i)).count(), 1u) << i;
  EXPECT_EQ(history->find(makeKey(17)).count(), 2u);
}

/// Neither does memory grow without end, with a file or without one.
TEST_F(Histories, boundedInMemory) {
  for (const std::string &where : {folder.path, std::string()}) {
    auto history = History::open(where, settings);
    for (uint64_t i = 0; i < 50000; ++i)
      history->add(makeKey(i), 1000);
    uint64_t found = 0;
    for (uint64_t i = 0; i < 50000; ++i)
      found += history->find(makeKey(i)).count();
    EXPECT_GE(found, 4096u);
    EXPECT_LE(found, 8192u);
    for (uint64_t i = 46000; i < 50000; ++i)
      ASSERT_EQ(history->find(makeKey(i)).count(), 1u) << i;
    EXPECT_TRUE(history->flush().isOk());
  }
}

TEST_F(Histories, nothingNew) {
  { auto history = open(); }
  EXPECT_FALSE(fs::exists(path));
  std::string good = writeGood();
  { auto history = open(); }
  EXPECT_EQ(read(), good);
}

/// The folder is made when there is something to write.
TEST_F(Histories, newFolder) {
  std::string inside = folder.path + "/a/b";
  History::open(inside, settings)->add(key, 1000);
  EXPECT_TRUE(fs::exists(inside + "/history.sqlite"));
}

/// It was deleted meanwhile: what this process knows is written anew.
TEST_F(Histories, deleted) {
  writeGood();
  auto history = open();
  fs::remove_all(folder.path);
  history->add(key, 1000);
  EXPECT_TRUE(history->flush().isOk());
  EXPECT_EQ(countOf(key), 2u);
}

/// Adding from many threads, beside flushes.
TEST_F(Histories, threads) {
  {
    auto history = open();
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 2000; ++i) {
          history->add(makeKey(uint64_t(i % 5)), 1000);
          EXPECT_TRUE(i % 500 != 0 || history->flush().isOk());
        }
      });
    for (std::thread &thread : threads)
      thread.join();
  }
  for (uint64_t i = 0; i < 5; ++i)
    EXPECT_EQ(countOf(makeKey(i)), 3200u);
}

TEST(CacheFolder, environment) {
  Variable cacheDir("SPARKLE_CACHE_DIR", "/a");
  Variable xdg("XDG_CACHE_HOME", "/b");
  Variable home("HOME", "/c");
  EXPECT_EQ(getCacheFolder(), "/a");
  Variable relative("SPARKLE_CACHE_DIR", "a");
  EXPECT_EQ(getCacheFolder(), fs::current_path().string() + "/a");
  Variable empty("SPARKLE_CACHE_DIR", "");
  EXPECT_EQ(getCacheFolder(), "");
  Variable none("SPARKLE_CACHE_DIR", nullptr);
  EXPECT_EQ(getCacheFolder(), "/b/sparkle");
  for (const char *ignored : {"", "b", "./b"}) {
    Variable xdg("XDG_CACHE_HOME", ignored);
    EXPECT_EQ(getCacheFolder(), "/c/.cache/sparkle");
    Variable home("HOME", ignored);
    EXPECT_EQ(getCacheFolder(), "");
  }
}

} // namespace
