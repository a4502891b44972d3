// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nothing is fatal: bad files are set aside, and where none can be written the
// process goes on from memory. Each says so once.

#include "test/runtime/Scheduler/HistoryFolder.h"

#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sparkle::runtime;

namespace {

struct BadHistories : HistoryFolder {
  /// What is there is set aside, with `reason`, as it was, and a new one begun.
  void expectSetAside(const std::string &reason) {
    SCOPED_TRACE(reason);
    const std::string before = read();
    Printed printed;
    {
      auto history = open();
      EXPECT_EQ(history->find(key).count(), 0u);
      history->add(key, 2000);
      EXPECT_TRUE(history->flush().isOk());
    }
    std::string text = printed.take();
    std::vector<std::string> aside = list();
    ASSERT_EQ(aside.size(), 1u);
    EXPECT_EQ(text.find("sparkle: " + reason), 0u) << text;
    EXPECT_NE(text.find("\nsparkle: it is now '" + aside[0] + "'\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(aside[0].find(path + "." + std::to_string(getpid()) + "-"), 0u);
    std::ifstream file(aside[0], std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), before);
    fs::remove(aside[0]);
    EXPECT_EQ(open()->find(key).mean(), 2000);
  }

  /// The process goes on from memory, and says why, once.
  void expectMemoryOnly(const std::string &reason) {
    SCOPED_TRACE(reason);
    Printed printed;
    {
      auto history = open();
      for (int i = 0; i < 3; ++i) {
        history->add(key, 2000);
        Status status = history->flush();
        EXPECT_FALSE(status.isOk());
        EXPECT_EQ(status.message(), reason);
      }
      EXPECT_GE(history->find(key).count(), 3u);
    }
    EXPECT_EQ(printed.take(),
              "sparkle: " + reason + "; the history goes on in memory\n");
  }
};

TEST_F(BadHistories, text) {
  write(std::string(5000, 'x'));
  expectSetAside("expected a file of SQLite's that is whole, but got '" + path +
                 "': file is not a database");
}

TEST_F(BadHistories, otherProgram) {
  run("CREATE TABLE bookmarks (name TEXT)");
  expectSetAside("expected '" + path +
                 "' to be a history, but got another file");
  fs::remove(path);
  run("PRAGMA user_version = 1");
  expectSetAside("expected '" + path +
                 "' to be a history, but got another file");
}

TEST_F(BadHistories, otherVersion) {
  writeGood();
  run("PRAGMA user_version = 7");
  expectSetAside("expected '" + path +
                 "' to be a history of version 1, but got version 7");
}

TEST_F(BadHistories, otherTables) {
  for (const char *change :
       {"DROP TABLE numbers", "CREATE TABLE more (name TEXT)",
        "ALTER TABLE runs RENAME COLUMN changed TO other"}) {
    fs::remove(path);
    writeGood();
    run(change);
    expectSetAside("expected '" + path +
                   "' to have the tables of a history, but got others");
  }
}

/// A file that is empty is a new one: a process that was killed leaves such. To
/// SQLite, one byte is none.
TEST_F(BadHistories, empty) {
  for (const char *bytes : {"", "S"}) {
    write(bytes);
    open()->add(key, 1000);
    EXPECT_EQ(countOf(key), 1u);
    EXPECT_TRUE(list().empty());
  }
}

/// At any length, the history is set aside or read; nothing crashes.
TEST_F(BadHistories, truncated) {
  const std::string good = writeGood();
  for (size_t size : {2, 15, 16, 50, 99, 100, 101, 512, 1000, 4095, 4096, 5000,
                      8192, 12288}) {
    ASSERT_LT(size, good.size());
    SCOPED_TRACE(size);
    write(good.substr(0, size));
    expectSetAside("expected a file of SQLite's that is whole, but got '" +
                   path + "': ");
  }
}

/// Bytes turned over anywhere: all is well, or it is set aside.
TEST_F(BadHistories, damaged) {
  {
    auto history = open();
    for (uint64_t i = 0; i < 200; ++i)
      history->add(makeKey(i), 1000);
    history->addPerformance("one", {1, 2, 3, 4, 5});
  }
  const std::string good = read();
  settings.logLevel = 0;
  size_t setAside = 0;
  for (uint32_t i = 0; i < 300; ++i) {
    std::string bad = good;
    for (uint32_t j = 0; j < 1 + i % 8; ++j)
      bad[(i * 8 + j) * 0x9e3779b9u % (i % 3 ? 4096 : bad.size())] ^=
          char(1 + (i + j) % 255);
    write(bad);
    {
      auto history = open();
      history->add(makeKey(1000), 1000);
      Status status = history->flush();
      EXPECT_TRUE(status.isOk()) << i << ": " << status.message();
    }
    EXPECT_EQ(countOf(makeKey(1000)), 1u);
    for (const std::string &name : list())
      setAside += fs::remove(name);
  }
  EXPECT_GT(setAside, 50u);
}

/// While it is in use: what this process knows is in the new file.
TEST_F(BadHistories, damagedLater) {
  writeGood();
  Printed printed;
  auto history = open();
  write(std::string(5000, 'x'));
  history->add(key, 1000);
  EXPECT_TRUE(history->flush().isOk());
  EXPECT_EQ(list().size(), 1u);
  EXPECT_EQ(countOf(key), 2u);
  // Once is enough: two versions at work would do so for ever.
  run("PRAGMA user_version = 7");
  const std::string reason =
      "expected '" + path + "' to be a history of version 1, but got version 7";
  history->add(key, 1000);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(history->flush().message(), reason);
  EXPECT_EQ(list().size(), 1u);
  EXPECT_EQ(history->find(key).count(), 3u);
  history.reset();
  EXPECT_EQ(printed.take(),
            "sparkle: expected a file of SQLite's that is whole, but got '" +
                path + "': file is not a database\nsparkle: it is now '" +
                list().at(0) + "'\nsparkle: " + reason +
                "; the history goes on in memory\n");
}

/// What belongs to a file goes with it: SQLite would apply it to the new one.
TEST_F(BadHistories, journal) {
  SqliteLibrary library;
  ASSERT_TRUE(library.open().isOk());
  Database other(library);
  other.open(path, Database::Mode::Create);
  other.run("PRAGMA journal_mode = WAL; CREATE TABLE bookmarks (name TEXT)");
  ASSERT_TRUE(fs::exists(path + "-wal"));
  settings.logLevel = 0;
  open()->add(key, 1000);
  EXPECT_FALSE(fs::exists(path + "-wal"));
  EXPECT_EQ(list().size(), 3u); // and its index
  EXPECT_EQ(countOf(key), 1u);
}

TEST_F(BadHistories, folder) {
  fs::create_directory(path);
  expectMemoryOnly("expected '" + path + "' to be a file, but got a folder");
  fs::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  expectMemoryOnly("expected '" + path +
                   "' to be a file, but got something else");
}

TEST_F(BadHistories, noPlace) {
  write("in the way");
  folder.path = path + "/inside";
  expectMemoryOnly("expected to make the folder '" + folder.path +
                   "', but got: Not a directory");
  folder.path = fs::path(path).parent_path();
}

/// Someone without rights, whoever runs the test.
struct ReadOnlyHistories : BadHistories {
  void SetUp() override {
    writeGood();
    chmod(path.c_str(), 0444);
    chmod(folder.path.c_str(), 0555);
    ASSERT_TRUE(geteuid() != 0 || seteuid(65534) == 0);
  }
  void TearDown() override {
    ASSERT_TRUE(getuid() != 0 || seteuid(0) == 0);
    chmod(folder.path.c_str(), 0755);
  }
};

TEST_F(ReadOnlyHistories, read) {
  EXPECT_EQ(open()->find(key).count(), 1u);
  expectMemoryOnly("expected to use '" + path +
                   "', but got: attempt to write a readonly database");
  EXPECT_EQ(open()->find(key).count(), 1u);
}

TEST_F(ReadOnlyHistories, noFile) {
  TearDown();
  fs::remove(path);
  chmod(folder.path.c_str(), 0555);
  ASSERT_TRUE(geteuid() != 0 || seteuid(65534) == 0);
  expectMemoryOnly("expected to use '" + path +
                   "', but got: unable to open database file");
}

/// A disk that is full, as far as this process is concerned.
TEST_F(BadHistories, noSpace) {
  const std::string good = writeGood();
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 4096;
  auto handler = signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  Printed printed;
  auto history = open();
  for (uint64_t i = 2; i < 100; ++i)
    history->add(makeKey(i), 1000);
  Status status = history->flush();
  Status again = history->flush();
  setrlimit(RLIMIT_FSIZE, &before);
  std::string text = printed.take();
  signal(SIGXFSZ, handler);
  EXPECT_EQ(status.code(), SPARKLE_FILE);
  EXPECT_EQ(std::string(status.message()).find("expected to use '" + path), 0u)
      << status.message();
  EXPECT_EQ(text, std::string("sparkle: ") + status.message() +
                      "; the history goes on in memory\n");
  // And once there is room, nothing is missing.
  EXPECT_FALSE(again.isOk());
  EXPECT_TRUE(history->flush().isOk());
  for (uint64_t i = 1; i < 100; ++i)
    EXPECT_EQ(countOf(makeKey(i)), 1u);
}

/// Another process keeps the file to itself: nothing is lost.
TEST_F(BadHistories, busy) {
  writeGood();
  auto history = open();
  history->add(key, 1000);
  {
    SqliteLibrary library;
    ASSERT_TRUE(library.open().isOk());
    Database other(library);
    other.open(path, Database::Mode::Existing);
    other.run("BEGIN EXCLUSIVE");
    Printed printed;
    Status status = history->flush();
    EXPECT_EQ(status.code(), SPARKLE_TIMEOUT);
    EXPECT_EQ(status.message(),
              "expected to use '" + path + "', but got: database is locked");
    EXPECT_EQ(printed.take(), std::string("sparkle: ") + status.message() +
                                  "; the history goes on in memory\n");
    history->add(key, 1000);
  }
  EXPECT_TRUE(history->flush().isOk());
  EXPECT_EQ(countOf(key), 3u);
}

TEST_F(BadHistories, noLibrary) {
  for (auto [library, reason] :
       {std::pair("/nowhere/libsqlite3.so",
                  "sparkle: expected libsqlite3, but got: "
                  "/nowhere/libsqlite3.so: cannot open shared object file: No "
                  "such file or directory; the history goes on in memory\n"),
        std::pair("libm.so.6",
                  "sparkle: expected libsqlite3, but got 'libm.so.6' without "
                  "sqlite3_bind_double; the history goes on in memory\n")}) {
    Variable path("SPARKLE_SQLITE_LIBRARY", library);
    Printed printed;
    auto history = open();
    for (int i = 0; i < 3; ++i)
      history->add(key, 2000);
    history->addPerformance("one", {1, 2, 3, 4, 5});
    sparkle_device_performance_t found;
    EXPECT_TRUE(history->findPerformance("one", found));
    EXPECT_EQ(history->find(key).count(), 3u);
    EXPECT_TRUE(history->flush().isOk());
    history.reset();
    EXPECT_EQ(printed.take(), reason);
  }
  EXPECT_FALSE(fs::exists(path));
}

/// Nothing is to be kept, and nothing is said.
TEST_F(BadHistories, noFolder) {
  Printed printed;
  auto history = History::open("", settings);
  history->add(key, 2000);
  EXPECT_EQ(history->find(key).count(), 1u);
  EXPECT_TRUE(history->flush().isOk());
  history.reset();
  EXPECT_EQ(printed.take(), "");
}

} // namespace
