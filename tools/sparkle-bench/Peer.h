// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The library that we are measured against. Where it was not found when the
// benchmark was configured there is none, and its columns stay empty.

#ifndef SPARKLE_TOOLS_SPARKLE_BENCH_PEER_H
#define SPARKLE_TOOLS_SPARKLE_BENCH_PEER_H

#include "tools/sparkle-bench/Layer.h"

namespace sparkle {

class Peer {
public:
  virtual ~Peer() = default;

  /// "oneDNN 2.6.3"
  virtual std::string getName() const = 0;
  /// What it runs the layer with.
  virtual std::string getMethod() const = 0;
  virtual void run() = 0;
  virtual const float *getOutput() const = 0;
};

/// The same layer, or null if there is no peer.
std::unique_ptr<Peer> makePeer(const Layer &layer);

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_BENCH_PEER_H
