// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Halide 14, as halide.so has it.
//
// Its threads are its own: they sleep where there is nothing to do. Those of
// our OpenMP runtime would spin for a while behind each kernel, on the cores
// that Halide's are to have next; Main.cpp tells them not to.

#include "tools/sparkle-run/Peer/Halide/Convolution.h"
#include "tools/sparkle-run/Peer/Peer.h"
#include "tools/sparkle-run/Problem/Compiler.h"

#include <chrono>
#include <cstring>
#include <dlfcn.h>
#include <unistd.h>

using namespace sparkle;

namespace {

/// The opened halide.so.
struct Module {
  HalideMaker *make = nullptr;
  std::string error;

  Module();
};

class HalidePeer : public Peer {
public:
  HalidePeer(HalideConvolution *convolution, const Instance &instance)
      : convolution(convolution), instance(instance) {}

  std::string getMethod() const override { return convolution->getMethod(); }
  bool time(double &seconds) override;
  bool computeOutputs(Outputs &outputs) override;

private:
  std::unique_ptr<HalideConvolution> convolution;
  const Instance &instance;
};

} // namespace

Module::Module() {
  std::string path;
  for (const char *place : {"halide.so", "../lib/sparkle/halide.so"})
    if (access((getProgramFolder() + place).c_str(), R_OK) == 0)
      path = getProgramFolder() + place;
  if (path.empty()) {
    error = "halide.so is neither beside this program nor in ../lib/sparkle; "
            "it is built where libhalide14-0-dev is installed";
    return;
  }
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    error = dlerror();
    return;
  }
  make = reinterpret_cast<HalideMaker *>(dlsym(library, "sparkle_halide_make"));
  if (!make)
    error = path + " is not what this program expects";
}

/// Opened by the first use.
static const Module &getModule() {
  static const Module module;
  return module;
}

bool HalidePeer::time(double &seconds) {
  auto start = std::chrono::steady_clock::now();
  bool good = convolution->run();
  std::chrono::duration<double> spent =
      std::chrono::steady_clock::now() - start;
  seconds = spent.count();
  return good;
}

bool HalidePeer::computeOutputs(Outputs &outputs) {
  double seconds;
  if (!time(seconds))
    return false;
  outputs = instance.makeOutputs();
  std::memcpy(outputs[0].get<char>(), convolution->getOutput(),
              outputs[0].getSize());
  return true;
}

/// What the pipeline cannot compute; empty if it can.
static std::string getObstacle(const Case &problem, const Device &device) {
  if (!device.isCpu())
    return "Halide is compared on the CPU only";
  if (std::string reason = getPlainObstacle(problem); !reason.empty())
    return reason;
  for (const PostOp &step : problem.postOps)
    if (problem.postOps.size() > 1 || step.word != "relu" || step.alpha != 0 ||
        step.scale != 1)
      return "only bias and relu are compared";
  return "";
}

static const Values *find(const Instance &instance, const std::string &name,
                          size_t &tensor) {
  const std::vector<Tensor> &tensors = instance.getTensors();
  for (tensor = 0; tensor < tensors.size(); ++tensor)
    if (tensors[tensor].getName() == name)
      return &instance.getInput(tensor);
  return nullptr;
}

/// The weights in row-major order.
static std::vector<float> unpackWeights(const Instance &instance) {
  size_t tensor;
  const Values *values = find(instance, "w", tensor);
  const Tensor &from = instance.getTensors()[tensor];
  std::vector<float> to(size_t(from.getCount()));
  from.visit([&](int64_t i, int64_t offset) {
    to[size_t(i)] = float(from.load(values->get<void>(), offset));
  });
  return to;
}

static HalideProblem describe(const Case &problem, const Instance &instance,
                              const float *weights) {
  const ConvProblem &conv = problem.conv;
  HalideProblem described = {};
  described.batch = conv.batch;
  described.inputs = conv.inputs;
  described.outputs = conv.outputs;
  for (int d = 0; d < 2; ++d) {
    described.in[d] = conv.in[d + 1];
    described.out[d] = conv.out[d + 1];
    described.kernel[d] = conv.kernel[d + 1];
    described.stride[d] = conv.stride[d + 1];
    described.pad[d] = conv.pad[d + 1];
    described.step[d] = conv.dilation[d + 1] + 1;
  }
  described.hasRelu = !problem.postOps.empty();
  size_t tensor;
  described.x = find(instance, "x", tensor)->get<float>();
  described.w = weights;
  const Values *bias = find(instance, "b", tensor);
  described.b = bias ? bias->get<float>() : nullptr;
  return described;
}

static std::unique_ptr<Peer> make(const Case &problem, const Device &device,
                                  const Instance &instance,
                                  HalideSchedule schedule, std::string &error) {
  error = getObstacle(problem, device);
  if (error.empty())
    error = getModule().error;
  if (!error.empty())
    return nullptr;
  std::vector<float> weights = unpackWeights(instance);
  HalideConvolution *convolution = getModule().make(
      describe(problem, instance, weights.data()), schedule, error);
  if (!convolution)
    return nullptr;
  return std::make_unique<HalidePeer>(convolution, instance);
}

std::unique_ptr<Peer> sparkle::makeHalide(const Case &problem,
                                          const Device &device,
                                          const Instance &instance,
                                          std::string &error) {
  return make(problem, device, instance, HalideSchedule::Published, error);
}

std::unique_ptr<Peer> sparkle::makeHalideTuned(const Case &problem,
                                               const Device &device,
                                               const Instance &instance,
                                               std::string &error) {
  return make(problem, device, instance, HalideSchedule::Tuned, error);
}

std::string sparkle::getHalideName() {
  return getModule().error.empty() ? "Halide 14" : "";
}
