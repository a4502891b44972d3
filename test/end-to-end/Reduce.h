// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a row that fails to a smaller one that still does.

#ifndef SPARKLE_TEST_END_TO_END_REDUCE_H
#define SPARKLE_TEST_END_TO_END_REDUCE_H

#include <functional>
#include <string>

namespace sparkle {

/// Drops lines of the pattern, steps of the epilogue, layouts, element types
/// and run-time sizes, and shrinks extents, as long as `fails` says true of
/// what is left; at most `attempts` calls of it.
std::string reduceRow(const std::string &row,
                      const std::function<bool(const std::string &)> &fails,
                      unsigned attempts);

} // namespace sparkle

#endif // SPARKLE_TEST_END_TO_END_REDUCE_H
