// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps that Check.cpp calls, one file each, and the limits they share.

#ifndef SPARKLE_FRONTEND_CHECKSTEPS_H
#define SPARKLE_FRONTEND_CHECKSTEPS_H

#include "lib/Frontend/Check.h"
#include "lib/Frontend/Scope.h"

namespace sparkle {

/// Limits that keep every later computation with sizes within 64 bits.
constexpr int64_t maxExtent = INT32_MAX;
constexpr int64_t maxElements = int64_t(1) << 40; // of a tensor, of a sum
constexpr unsigned maxRank = 8;                   // of a tensor, of a sum
constexpr unsigned maxFactors = 16;               // of a layout
constexpr int64_t maxBlock = 4096;                // of a factor
constexpr unsigned maxRunTimeSizes = 16;

/// Fills in the layout of a tensor whose extents are known; false on error.
bool checkLayout(const TensorDecl &decl, CheckedTensor &tensor, Report &report);

/// Checks an equation of `kernel` for `tensor`, whose rank fits.
CheckedEquation checkEquation(const EquationDecl &decl, unsigned tensor,
                              const CheckedKernel &kernel, Scope &scope,
                              Report &report);

/// Checks all patterns and gives each equation the one that applies.
void checkPatterns(const Ast &ast, const FrontendOptions &options,
                   std::vector<CheckedKernel> &kernels, Report &report);

} // namespace sparkle

#endif // SPARKLE_FRONTEND_CHECKSTEPS_H
