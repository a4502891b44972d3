// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What kernels are measured against: on the CPU oneDNN 2 and Halide 14, on a
// GPU the convolution that test/ writes by hand. All are opened at run time, so
// that nothing links them.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PEER_PEER_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PEER_PEER_H

#include "tools/sparkle-run/Execution/Device.h"
#include "tools/sparkle-run/Problem/Cases.h"

namespace sparkle {

/// One problem on the peer: activations in the layouts of ours, weights in the
/// layout that it likes best and packed beforehand, the epilogue fused.
/// oneDNN's Winograd is asked for activations in the layouts that it likes
/// best, too, between which and ours they are moved outside of the times;
/// Halide reads an input to which the padding was added beforehand.
class Peer {
public:
  virtual ~Peer() = default;

  /// What it runs the problem with: "brgconv:avx512_core".
  virtual std::string getMethod() const = 0;
  /// Runs it once, in seconds; false if it fails.
  virtual bool time(double &seconds) = 0;
  /// The outputs of one run of their own; a sum adds to what they hold.
  virtual bool computeOutputs(Outputs &outputs) = 0;
  /// The memory of an argument, "x" or "y", if it lies there as in ours; else
  /// null. What it adds to lies in that of "y".
  virtual void *getData(const std::string &) const { return nullptr; }
  virtual void setData(const std::string &, void *) {}
};

/// The peer of a problem, whose inputs are those of `instance`. Null if there
/// is none; `error` says why. A kernel has to be loaded by then: oneDNN is to
/// run on the OpenMP runtime of our kernels.
std::unique_ptr<Peer> makeOneDnn(const Case &problem, const Device &device,
                                 const Instance &instance, std::string &error);
std::unique_ptr<Peer> makeOneDnnWinograd(const Case &problem,
                                         const Device &device,
                                         const Instance &instance,
                                         std::string &error);
std::unique_ptr<Peer> makeFloor(const Case &problem, const Device &device,
                                const Instance &instance, std::string &error);

/// By the schedule that Halide publishes, and by the fastest of a few.
std::unique_ptr<Peer> makeHalide(const Case &problem, const Device &device,
                                 const Instance &instance, std::string &error);
std::unique_ptr<Peer> makeHalideTuned(const Case &problem, const Device &device,
                                      const Instance &instance,
                                      std::string &error);

/// Why a peer cannot have a problem that is written for plain convolutions:
/// NHWC, up to two dimensions, one group, no scales. Empty if it can.
std::string getPlainObstacle(const Case &problem);

/// "oneDNN 2.6.3", or nothing.
std::string getOneDnnName();
/// "Halide 14", or nothing.
std::string getHalideName();

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PEER_PEER_H
