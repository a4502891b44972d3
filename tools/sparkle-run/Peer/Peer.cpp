// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What more than one peer is too plain for.

#include "tools/sparkle-run/Peer/Peer.h"

using namespace sparkle;

std::string sparkle::getPlainObstacle(const Case &problem) {
  const ConvProblem &conv = problem.conv;
  if (conv.isTransposed)
    return "transposed convolutions are not compared";
  if (conv.isGrouped() || conv.in[0] * conv.kernel[0] * conv.out[0] != 1)
    return "groups and depth are not compared";
  if (problem.source.kind != ChannelLayout::Last ||
      problem.destination.kind != ChannelLayout::Last)
    return "only channels that lie last are compared";
  return problem.scales.hasAny() ? "scales are not compared" : "";
}
