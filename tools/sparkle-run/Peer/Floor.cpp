// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The convolution written by hand in GLSL, of which test/ makes floor.so: the
// least that kernels for a GPU have to reach. It runs on the same device, and
// the same clock tells its times.

#include "tools/sparkle-run/Peer/Peer.h"
#include "tools/sparkle-run/Problem/Compiler.h"

#include <cstring>
#include <unistd.h>

using namespace sparkle;

namespace {

class Floor : public Peer {
public:
  Floor(const sparkle_kernel_t &kernel, const Case &problem,
        const Device &device, const Instance &instance)
      : conv(problem.conv), ours(instance), instance(kernel, getSizes(problem)),
        session(device, this->instance) {}

  bool create(std::string &error);

  std::string getMethod() const override { return "floor_convolution"; }
  bool time(double &seconds) override { return session.time(seconds); }
  bool computeOutputs(Outputs &outputs) override;

private:
  static std::map<std::string, int64_t> getSizes(const Case &problem);
  const Values *find(const std::string &name) const;
  Values copy(const std::string &name, size_t tensor) const;
  Values transposeFilters() const;

  const ConvProblem &conv;
  const Instance &ours;
  Instance instance;
  Session session;
};

} // namespace

static bool hasStep(const Case &problem, const char *word) {
  for (const PostOp &step : problem.postOps)
    if (step.word == word)
      return true;
  return false;
}

std::map<std::string, int64_t> Floor::getSizes(const Case &problem) {
  const ConvProblem &conv = problem.conv;
  int64_t pixels = conv.batch * conv.out[1] * conv.out[2];
  return {{"n", conv.batch},
          {"h", conv.in[1]},
          {"w", conv.in[2]},
          {"c", conv.inputs},
          {"k", conv.outputs},
          {"r", conv.kernel[1]},
          {"s", conv.kernel[2]},
          {"p", conv.out[1]},
          {"q", conv.out[2]},
          {"pixels", pixels},
          {"stride_h", conv.stride[1]},
          {"stride_w", conv.stride[2]},
          {"pad_h", conv.pad[1]},
          {"pad_w", conv.pad[2]},
          {"dilation_h", conv.dilation[1] + 1},
          {"dilation_w", conv.dilation[2] + 1},
          {"added", hasStep(problem, "sum") ? pixels : 1},
          {"sum", hasStep(problem, "sum")},
          {"relu", hasStep(problem, "relu")}};
}

const Values *Floor::find(const std::string &name) const {
  for (size_t t = 0; t < ours.getTensors().size(); ++t)
    if (ours.getTensors()[t].getName() == name)
      return &ours.getInput(t);
  return nullptr;
}

/// Zeros if we have no such tensor.
Values Floor::copy(const std::string &name, size_t tensor) const {
  Values values(instance.getTensors()[tensor].getMemoryCount() * sizeof(float));
  if (const Values *from = find(name))
    std::memcpy(values.get<char>(), from->get<char>(), values.getSize());
  else
    std::memset(values.get<char>(), 0, values.getSize());
  return values;
}

/// KCRS -> RSCK.
Values Floor::transposeFilters() const {
  int64_t taps = conv.kernel[1] * conv.kernel[2];
  Values values(conv.outputs * conv.inputs * taps * int64_t(sizeof(float)));
  const float *from = find("w")->get<float>();
  float *to = values.get<float>();
  for (int64_t k = 0; k < conv.outputs; ++k)
    for (int64_t c = 0; c < conv.inputs; ++c)
      for (int64_t tap = 0; tap < taps; ++tap)
        to[(tap * conv.inputs + c) * conv.outputs + k] = *from++;
  return values;
}

bool Floor::create(std::string &error) {
  std::vector<Values> inputs;
  inputs.push_back(copy("x", 0));
  inputs.push_back(transposeFilters());
  inputs.push_back(copy("b", 2));
  inputs.push_back(copy("z0", 3));
  inputs.emplace_back(0);
  instance.setInputs(std::move(inputs));
  if (session.open() == Session::Status::Ready && session.prepareTiming())
    return true;
  error = session.getError();
  return false;
}

bool Floor::computeOutputs(Outputs &outputs) {
  Outputs flat;
  if (!session.readOutputs(flat))
    return false;
  outputs = ours.makeOutputs();
  std::memcpy(outputs[0].get<char>(), flat[0].get<char>(),
              outputs[0].getSize());
  return true;
}

/// What it cannot compute; empty if it can.
static std::string getObstacle(const Case &problem) {
  if (std::string reason = getPlainObstacle(problem); !reason.empty())
    return reason;
  if (problem.weights)
    return "only weights as declared are compared";
  std::string steps;
  for (const PostOp &step : problem.postOps) {
    bool isPlain = step.alpha == (step.kind == PostOp::Sum) && step.scale == 1;
    steps += step.word + (isPlain ? " " : " with parameters ");
  }
  if (steps != "" && steps != "sum " && steps != "relu " &&
      steps != "sum relu ")
    return "only sum, relu, and sum before relu are compared";
  return "";
}

/// The opened object and its kernel.
static const sparkle_kernel_t *getKernel(std::string &error) {
  static sparkle_library_t *library = nullptr;
  for (const char *place : {"../lib/sparkle/floor.so", "floor.so"}) {
    std::string path = getProgramFolder() + place;
    sparkle_error_t failure = {};
    if (!library && access(path.c_str(), R_OK) == 0 &&
        sparkle_library_open(path.c_str(), &library, &failure) != SPARKLE_OK)
      error = failure.message;
  }
  if (library)
    return sparkle_library_find_kernel(library, "floor_convolution");
  if (error.empty())
    error = "floor.so is neither beside this program nor in ../lib/sparkle";
  return nullptr;
}

std::unique_ptr<Peer> sparkle::makeFloor(const Case &problem,
                                         const Device &device,
                                         const Instance &instance,
                                         std::string &error) {
  error = getObstacle(problem);
  const sparkle_kernel_t *kernel = error.empty() ? getKernel(error) : nullptr;
  if (!kernel)
    return nullptr;
  auto peer = std::make_unique<Floor>(*kernel, problem, device, instance);
  return peer->create(error) ? std::move(peer) : nullptr;
}
