// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sparkle-run bench --stack: the layers of a network in a row, as one call
// after the other, beside the same row of oneDNN. Each layer's values are
// checked first, by itself; then what a layer reads is what one before it
// wrote, wherever that has the same shape.

#include "tools/sparkle-run/Command/Commands.h"
#include "tools/sparkle-run/Execution/Times.h"
#include "tools/sparkle-run/Peer/Peer.h"
#include "tools/sparkle-run/Problem/Source.h"

#include <cmath>
#include <cstdio>

using namespace sparkle;

namespace {

/// A layer on both sides.
struct Layer {
  Work work;
  std::unique_ptr<Instance> instance;
  std::unique_ptr<Session> session;
  std::unique_ptr<Peer> peer;
  std::string error;
  Times ours, theirs;
};

class Stack {
public:
  Stack(const Options &options, const std::vector<Device> &devices,
        const Compiler &compiler, std::vector<Work> work)
      : options(options), devices(devices), compiler(compiler) {
    for (Work &one : work)
      layers.emplace_back().work = std::move(one);
  }

  int run();

private:
  void compile();
  void fill(Layer &layer);
  std::string open(Layer &layer);
  std::string check(Layer &layer);
  const Layer *findSource(size_t i, const Tensor &tensor) const;
  std::string link(size_t i);
  bool pass(bool isOurs, bool counts);
  bool time();
  double compareEnds();
  void print() const;

  const Options &options;
  const std::vector<Device> &devices; ///< The CPU.
  const Compiler &compiler;
  std::vector<Layer> layers;
  Times ours, theirs;
  /// Inputs that are what another layer wrote, of all that activations are.
  size_t flowing = 0, inputs = 0;
  double difference = 0; ///< Of the last outputs, of the largest value.
};

} // namespace

static size_t findTensor(const Instance &instance, const std::string &name) {
  size_t t = 0;
  while (instance.getTensors()[t].getName() != name)
    ++t;
  return t;
}

static size_t findOutput(const Instance &instance) {
  return findTensor(instance, "y");
}

//===----------------------------------------------------------------------===//
// Each layer by itself
//===----------------------------------------------------------------------===//

/// Values of a variance of one stay so: those of the hash have one of a third,
/// so that a sum of `count` products wants weights times sqrt(3 / count).
static float getWeightScale(const ConvProblem &conv) {
  double count = double(conv.inputs / conv.groups);
  for (int64_t extent : conv.kernel)
    count *= double(extent);
  return float(std::sqrt(3 / count));
}

/// Compiles what differs in more than its name, once.
void Stack::compile() {
  std::map<std::string, size_t> first;
  std::vector<size_t> same, distinct;
  for (size_t i = 0; i < layers.size(); ++i) {
    auto [place, isNew] =
        first.insert({writeKernel(*layers[i].work.asked, "problem"), i});
    same.push_back(place->second);
    if (isNew)
      distinct.push_back(i);
  }
  runParallel(distinct.size(), options.jobs, [&](size_t i) {
    layers[distinct[i]].work.prepare(compiler, distinct[i]);
  });
  for (size_t i = 0; i < layers.size(); ++i) {
    layers[i].work.library = layers[same[i]].work.library;
    layers[i].work.kernel = layers[same[i]].work.kernel;
    layers[i].work.error = layers[same[i]].work.error;
  }
}

void Stack::fill(Layer &layer) {
  const Work &work = layer.work;
  layer.error = work.error.empty() ? work.unsupported : work.error;
  if (!work.kernel)
    return;
  layer.instance =
      std::make_unique<Instance>(*work.kernel, work.getSizes(options));
  layer.instance->fill(getWeightScale(work.asked->conv));
}

std::string Stack::open(Layer &layer) {
  layer.session = std::make_unique<Session>(devices[0], *layer.instance);
  if (layer.session->open() != Session::Status::Ready ||
      !layer.session->tune() || !layer.session->prepareTiming())
    return layer.session->getError();
  std::string error;
  layer.peer =
      makeOneDnn(*layer.work.asked, devices[0], *layer.instance, error);
  return error;
}

/// Both sides against the reference.
std::string Stack::check(Layer &layer) {
  double seconds;
  Outputs outputs, others;
  if (!layer.session->time(seconds) || !layer.session->readOutputs(outputs))
    return layer.session->getError();
  if (!layer.peer->computeOutputs(others))
    return "oneDNN failed";
  if (!layer.instance->computeReference())
    return "the reference failed";
  Comparison comparison = layer.instance->compare(outputs);
  double distance = layer.instance->compare(others).largestShare;
  layer.instance->releaseReference();
  if (!comparison.isGood())
    return comparison.describe();
  return distance <= 2
             ? ""
             : "oneDNN is off by " + spellShare(distance) + " of the bound";
}

//===----------------------------------------------------------------------===//
// In a row
//===----------------------------------------------------------------------===//

/// The last layer before this one that wrote such a tensor, or null.
const Layer *Stack::findSource(size_t i, const Tensor &tensor) const {
  while (i-- > 0) {
    const Instance &instance = *layers[i].instance;
    const Tensor &written = instance.getTensors()[findOutput(instance)];
    if (written.getShape() == tensor.getShape() &&
        written.getMemoryCount() == tensor.getMemoryCount())
      return &layers[i];
  }
  return nullptr;
}

/// Lets it read what others wrote. oneDNN adds in place, and so do ours: what
/// it adds to becomes the result.
std::string Stack::link(size_t i) {
  Layer &layer = layers[i];
  const Layer *read = nullptr;
  for (size_t t = 0; t < layer.instance->getTensors().size(); ++t) {
    const Tensor &tensor = layer.instance->getTensors()[t];
    std::string name = tensor.getName();
    if (name != "x" && name != "z0")
      continue;
    ++inputs;
    const Layer *source = findSource(i, tensor);
    if (name == "z0" && !source)
      return "expected a layer before it that writes what it adds";
    if (name == "z0" && source == read)
      return "expected what it reads and what it adds to be of two layers, as "
             "the sum is written over the latter";
    read = source;
    if (!source)
      continue;
    ++flowing;
    size_t y = findOutput(*source->instance);
    layer.session->setData(t, source->session->getData(y));
    if (uint32_t output = layer.work.kernel->tensors[t].in_place)
      layer.session->setData(output - 1, source->session->getData(y));
    layer.peer->setData(name == "x" ? "x" : "y", source->peer->getData("y"));
  }
  return "";
}

bool Stack::pass(bool isOurs, bool counts) {
  double all = 0;
  auto add = [&](Times &times, double seconds) {
    if (!counts)
      return;
    times.beginRound();
    times.add(seconds);
  };
  for (Layer &layer : layers) {
    double one = 0;
    if (isOurs ? !layer.session->time(one) : !layer.peer->time(one))
      return false;
    add(isOurs ? layer.ours : layer.theirs, one);
    all += one;
  }
  add(isOurs ? ours : theirs, all);
  return true;
}

/// The first round, which brings everything to where it stays, does not count.
bool Stack::time() {
  for (int64_t round = 0; round <= options.rounds; ++round)
    for (bool isFirst : {true, false}) // Each side goes first in turn.
      if (!pass(isFirst == (round % 2 == 0), round > 0))
        return false;
  return true;
}

/// What came of the whole row on both sides; not finite if the values are not.
double Stack::compareEnds() {
  const Layer &last = layers.back();
  size_t y = findOutput(*last.instance);
  const float *a = static_cast<const float *>(last.session->getData(y));
  const float *b = static_cast<const float *>(last.peer->getData("y"));
  double largest = 0, most = 0;
  for (int64_t i = 0; i < last.instance->getTensors()[y].getMemoryCount();
       ++i) {
    double apart = std::fabs(double(a[i]) - double(b[i]));
    if (!std::isfinite(apart))
      return apart;
    most = std::max(most, apart);
    largest = std::max(largest, std::fabs(double(b[i])));
  }
  return largest > 0 ? most / largest : INFINITY;
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

void Stack::print() const {
  double mine = ours.getMedian() * 1e3, other = theirs.getMedian() * 1e3;
  double ratio = theirs.getRatioTo(ours);
  if (options.isJson) {
    Json json;
    writeMachine(json, devices, options);
    json.field("peer", getOneDnnName()).close();
    json.key("stack")
        .open('{')
        .field("name", options.stack)
        .field("layers", uint64_t(layers.size()))
        .field("ms", mine)
        .field("best_ms", ours.getBest() * 1e3)
        .field("peer_ms", other)
        .field("peer_best_ms", theirs.getBest() * 1e3)
        .field("ratio", ratio)
        .field("flowing_inputs", uint64_t(flowing))
        .field("inputs", uint64_t(inputs))
        .field("difference", difference)
        .key("each")
        .open('[');
    for (const Layer &layer : layers)
      json.open('{')
          .field("name", layer.work.name)
          .field("ms", layer.ours.getMedian() * 1e3)
          .field("peer_ms", layer.theirs.getMedian() * 1e3)
          .close();
    json.close().close().close();
    std::printf("%s\n", json.getText().c_str());
    return;
  }
  std::printf("%s: %zu layers, right one by one; %.3f ms (best %.3f), %s %.3f "
              "ms (best %.3f), ratio %.3f\n",
              options.stack.c_str(), layers.size(), mine, ours.getBest() * 1e3,
              getOneDnnName().c_str(), other, theirs.getBest() * 1e3, ratio);
  std::printf("%zu of %zu inputs are what a layer before wrote; the last "
              "outputs differ by %.2g of the largest value\n",
              flowing, inputs, difference);
}

int Stack::run() {
  auto fail = [](const std::string &name, const std::string &error) {
    std::fprintf(stderr, "sparkle-run: error: %s: %s\n", name.c_str(),
                 error.c_str());
    return 1;
  };
  Progress progress(layers.size());
  compile();
  for (size_t i = 0; i < layers.size(); ++i) {
    Layer &layer = layers[i];
    progress.show(i, layer.work.name);
    fill(layer);
    if (layer.error.empty())
      layer.error = open(layer);
    if (layer.error.empty())
      layer.error = check(layer);
    if (!layer.error.empty()) {
      progress.clear();
      return fail(layer.work.name, layer.error);
    }
  }
  progress.clear();
  for (size_t i = 0; i < layers.size(); ++i)
    if (std::string error = link(i); !error.empty())
      return fail(layers[i].work.name, error);
  if (!time())
    return fail(options.stack, "a call failed");
  difference = compareEnds();
  print();
  return std::isfinite(difference)
             ? 0
             : fail(options.stack, "expected finite values at the end");
}

int sparkle::benchStack(const std::vector<Device> &devices,
                        const Options &options) {
  if (devices.size() != 1 || !devices[0].isCpu()) {
    std::fprintf(stderr,
                 "sparkle-run: error: expected the device cpu for --stack\n");
    return 1;
  }
  Compiler compiler(options, getTargets(devices));
  auto work = collectWork(options, compiler);
  if (!work)
    return 1;
  return Stack(options, devices, compiler, std::move(*work)).run();
}
