// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A folder with a history, and what to look at there.

#ifndef SPARKLE_TEST_RUNTIME_SCHEDULER_HISTORYFOLDER_H
#define SPARKLE_TEST_RUNTIME_SCHEDULER_HISTORYFOLDER_H

#include "runtime/Scheduler/History.h"
#include "runtime/Scheduler/Sqlite.h"
#include "test/runtime/Environment.h"

#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

namespace fs = std::filesystem;

struct HistoryFolder : testing::Test {
  Folder folder;
  const std::string path = folder.path + "/history.sqlite";
  sparkle::runtime::Settings settings{true, 1};
  const sparkle::runtime::HistoryKey key = makeKey(1);

  static sparkle::runtime::HistoryKey makeKey(uint64_t shape) {
    return {"Some device, driver 1.2", 0xfedcba9876543210, 7, shape, false};
  }
  std::unique_ptr<sparkle::runtime::History> open() {
    return sparkle::runtime::History::open(folder.path, settings);
  }
  uint64_t countOf(const sparkle::runtime::HistoryKey &key) {
    return open()->find(key).count();
  }
  /// A file with one run of `key`, and its bytes.
  std::string writeGood() {
    open()->add(key, 1000);
    return read();
  }

  std::string read() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string &bytes) const {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  /// Statements on the file, by the library itself.
  void run(const char *text) const {
    sparkle::runtime::SqliteLibrary library;
    ASSERT_TRUE(library.open().isOk());
    sparkle::runtime::Database database(library);
    database.open(path, sparkle::runtime::Database::Mode::Create);
    database.run(text);
    EXPECT_TRUE(database.isOk()) << database.status().message();
  }
  std::string ask(const char *text) const {
    sparkle::runtime::SqliteLibrary library;
    EXPECT_TRUE(library.open().isOk());
    sparkle::runtime::Database database(library);
    database.open(path, sparkle::runtime::Database::Mode::Existing);
    sparkle::runtime::Statement statement(database, text);
    bool hasRow = statement.next();
    EXPECT_TRUE(database.isOk()) << database.status().message();
    return hasRow ? statement.text(0) : "";
  }
  /// The files that were set aside.
  std::vector<std::string> list() const {
    std::vector<std::string> names;
    for (const auto &entry : fs::directory_iterator(folder.path))
      if (entry.path() != path)
        names.push_back(entry.path());
    return names;
  }
};

/// What is printed while it lives.
class Printed {
public:
  Printed() { testing::internal::CaptureStderr(); }
  Printed(const Printed &) = delete;
  ~Printed() {
    if (!isTaken)
      testing::internal::GetCapturedStderr();
  }
  std::string take() {
    isTaken = true;
    return testing::internal::GetCapturedStderr();
  }

private:
  bool isTaken = false;
};

#endif // SPARKLE_TEST_RUNTIME_SCHEDULER_HISTORYFOLDER_H
