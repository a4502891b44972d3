// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every function of SQLite's that can fail does, in every way and each time
// that the history calls it: what a flush says is what the file holds.

#include "runtime/Scheduler/HistoryFile.h"
#include "test/runtime/Scheduler/HistoryFolder.h"

using namespace sparkle::runtime;

namespace {

int failingFunction = -1, failingCall = 0, failingCode = 0, callCount = 0;

/// Puts one that fails on demand in place of a function; none in place of what
/// returns no status, or one that nobody looks at.
template <int index, typename... Arguments> struct Wrapper {
  static inline int (*real)(Arguments...) = nullptr;

  static int call(Arguments... arguments) {
    bool fails = failingFunction == index && ++callCount == failingCall;
    return fails ? failingCode : real(arguments...);
  }
};

template <int index, typename... Arguments>
void wrap(int (*&function)(Arguments...)) {
  Wrapper<index, Arguments...>::real = function;
  function = Wrapper<index, Arguments...>::call;
}

SqliteLibrary makeLibrary() {
  SqliteLibrary library;
  EXPECT_TRUE(library.open().isOk());
  wrap<0>(library.bind_double);
  wrap<1>(library.bind_int64);
  wrap<2>(library.bind_text);
  wrap<3>(library.busy_timeout);
  wrap<4>(library.exec);
  wrap<5>(library.open_v2);
  wrap<6>(library.prepare_v2);
  wrap<7>(library.step);
  return library;
}
constexpr int functionCount = 8;

using HistoryFaults = HistoryFolder;

/// Returns how often the function was called.
int runWithFault(const std::string &folder, const HistoryKey &key,
                 const SqliteLibrary &library, Status &read, Status &merged) {
  HistoryBatch contents, batch;
  batch.runs.push_back({key, {}, {}});
  batch.runs[0].times.add(1000);
  batch.runs[0].statistics.add(1000);
  batch.devices.push_back({"one", {1, 2, 3, 4, 5}});
  HistoryFile file(folder, Settings{true, 0}, library);
  callCount = 0;
  read = file.read(contents);
  merged = file.merge(batch);
  return callCount;
}

TEST_F(HistoryFaults, each) {
  const SqliteLibrary library = makeLibrary();
  const std::string good = writeGood();
  size_t refused = 0;
  for (int code : {SQLITE_IOERR, SQLITE_NOMEM, SQLITE_FULL, SQLITE_CORRUPT,
                   SQLITE_BUSY, SQLITE_ERROR})
    for (int function = 0; function < functionCount; ++function)
      for (int call = 1, calls = 1; call <= calls; ++call) {
        SCOPED_TRACE(testing::Message()
                     << function << ' ' << call << ' ' << code);
        write(good);
        failingFunction = function;
        failingCall = call;
        failingCode = code;
        Status read, merged;
        calls = std::max(calls,
                         runWithFault(folder.path, key, library, read, merged));
        failingFunction = -1;
        // It is a fault of the moment: nothing is set aside for it.
        ASSERT_TRUE(list().empty());
        ASSERT_TRUE(code != SQLITE_CORRUPT || (read.isOk() && merged.isOk()));
        ASSERT_EQ(countOf(key), merged.isOk() ? 2u : 1u) << merged.message();
        for (const Status &status : {read, merged})
          ASSERT_TRUE(status.isOk() ||
                      std::string(status.message()).find("expected to use '") ==
                          0)
              << status.message();
        refused += !read.isOk() + !merged.isOk();
      }
  EXPECT_GT(refused, 300u);
}

TEST_F(HistoryFaults, oneThread) {
  Variable library("SPARKLE_SQLITE_LIBRARY", SPARKLE_TEST_ONE_THREAD);
  Printed printed;
  open()->add(key, 1000);
  EXPECT_EQ(printed.take(),
            std::string("sparkle: expected libsqlite3, but got '") +
                SPARKLE_TEST_ONE_THREAD +
                "' for one thread; the history goes on in memory\n");
}

} // namespace
