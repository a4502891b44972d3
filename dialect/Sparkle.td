// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The aggregator: the only file that tablegen is pointed at.

#ifndef SPARKLE_TD
#define SPARKLE_TD

include "dialect/SparkleDialect.td"
include "dialect/SparkleAttrs.td"
include "dialect/SparkleTypes.td"
include "dialect/SparkleOps.td"

#endif // SPARKLE_TD
