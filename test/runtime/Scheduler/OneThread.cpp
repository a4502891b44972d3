// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An SQLite that was built for programs with one thread; all else is there.

#define SQLITE_ENTRY(name)                                                     \
  extern "C" int sqlite3_##name() { return 0; }
#include "runtime/Scheduler/Sqlite.def"
