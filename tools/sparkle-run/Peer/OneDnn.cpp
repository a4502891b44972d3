// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A problem on oneDNN 2.

#include "tools/sparkle-run/Peer/OneDnnLibrary.h"
#include "tools/sparkle-run/Peer/Peer.h"
#include "tools/sparkle-run/Problem/Source.h"

#include <chrono>
#include <cstring>

using namespace sparkle;
using namespace sparkle::onednn;

namespace {

/// Steps of the epilogue as dnnl_alg_kind_t.
constexpr struct {
  const char *word;
  int algorithm;
} algorithms[] = {
    {"abs", 0x5f},      {"bounded_relu", 0x8f}, {"clip", 0xff},
    {"clip_v2", 0x10},  {"elu", 0x3f},          {"exp", 0xbf},
    {"gelu_erf", 0x30}, {"gelu_tanh", 0xcf},    {"hardswish", 0x70},
    {"linear", 0x7f},   {"logistic", 0xaf},     {"mish", 0x60},
    {"relu", 0x1f},     {"square", 0x4f},       {"swish", 0xdf},
    {"tanh", 0x2f},     {"add", 0x1fff0},       {"mul", 0x1fff1},
    {"max", 0x1fff2},   {"min", 0x1fff3},       {"div", 0x1fff4},
    {"sub", 0x1fff5}};

class OneDnn : public Peer {
public:
  OneDnn(const Library &library, const Case &problem, const Instance &instance,
         int algorithm)
      : library(library), problem(problem), conv(problem.conv),
        instance(instance), algorithm(algorithm) {}
  ~OneDnn() override;

  /// False if oneDNN cannot do it.
  bool create();

  std::string getMethod() const override { return method; }
  bool time(double &seconds) override;
  bool computeOutputs(Outputs &outputs) override;
  void *getData(const std::string &name) const override;
  void setData(const std::string &name, void *data) override;

private:
  void describe(Description &description, int64_t channels,
                const int64_t (&spatial)[3], const ChannelLayout &layout) const;
  void describeOperand(Description &description, const PostOp &step,
                       bool isPlain) const;
  bool describeConvolution();
  bool appendStep(void *steps, const PostOp &step);
  bool createEpilogue();
  /// Memory of the peer's own for what a query tells, filled with `data` that
  /// lies as `description` says.
  void *makeMemory(const void *what, void *data);
  void *adopt(int query, const void *declared, void *data);
  bool reorder(const void *fromLayout, void *from, const void *toLayout,
               void *to);
  bool addOperands();
  bool addBias();
  /// The tensor of that name.
  size_t find(const std::string &name) const;
  void *getInput(const std::string &name) const {
    return instance.getInput(find(name)).get<void>();
  }
  /// Its elements in row-major order.
  Values &makePlain(const std::string &name);
  bool resetOutput();

  const Library &library;
  const Case &problem;
  const ConvProblem &conv;
  const Instance &instance;
  int algorithm;
  std::string method;
  Description source, destination, declaredWeights, convolution;
  void *attributes = nullptr, *description = nullptr, *primitive = nullptr;
  std::vector<std::unique_ptr<Values>> values;
  void *input = nullptr, *output = nullptr; ///< Memories of x and y.
  void *inputData = nullptr, *outputData = nullptr;
  std::vector<void *> memories;
  std::vector<ExecutionArgument> arguments;
};

} // namespace

OneDnn::~OneDnn() {
  for (void *memory : memories)
    library.memory_destroy(memory);
  if (primitive)
    library.primitive_destroy(primitive);
  if (description)
    library.primitive_desc_destroy(description);
  if (attributes)
    library.primitive_attr_destroy(attributes);
}

size_t OneDnn::find(const std::string &name) const {
  size_t t = 0;
  while (t < instance.getTensors().size() &&
         instance.getTensors()[t].getName() != name)
    ++t;
  return t;
}

//===----------------------------------------------------------------------===//
// Describing
//===----------------------------------------------------------------------===//

void OneDnn::describe(Description &description, int64_t channels,
                      const int64_t (&spatial)[3],
                      const ChannelLayout &layout) const {
  int rank = int(conv.rank) + 2;
  Dims dims = {conv.batch, channels}, strides;
  for (int d = 2; d < rank; ++d)
    dims[d] = spatial[3 - conv.rank + d - 2];
  bool isLast = layout.kind == ChannelLayout::Last;
  int64_t stride = isLast ? channels : 1;
  for (int d = rank - 1; d >= 2; stride *= dims[d--])
    strides[d] = stride;
  strides[1] = isLast ? 1 : stride;
  strides[0] = isLast ? stride : stride * channels;
  library.memory_desc_init_by_strides(&description, rank, dims, float32,
                                      strides);
}

/// With an extent of 1 for each dimension along which it does not vary. A whole
/// tensor has to lie as the output does: oneDNN 2 takes another one, and reads
/// it as if it did.
void OneDnn::describeOperand(Description &description, const PostOp &step,
                             bool isPlain) const {
  int rank = int(conv.rank) + 2;
  Dims dims = {conv.batch, conv.outputs}, strides;
  for (int d = 2; d < rank; ++d)
    dims[d] = conv.out[3 - conv.rank + d - 2];
  for (int d = 0; d < rank; ++d)
    dims[d] = step.mask >> d & 1 ? dims[d] : 1;
  bool isLast = !isPlain && problem.destination.kind == ChannelLayout::Last;
  int64_t stride = isLast ? dims[1] : 1;
  for (int d = rank; d-- > 0;) {
    strides[d] = isLast && d == 1 ? 1 : stride;
    stride *= isLast && d == 1 ? 1 : dims[d];
  }
  library.memory_desc_init_by_strides(&description, rank, dims, float32,
                                      strides);
}

bool OneDnn::describeConvolution() {
  Description bias, weightsLiked, sourceLiked, destinationLiked;
  describe(source, conv.inputs, conv.in, problem.source);
  describe(destination, conv.outputs, conv.out, problem.destination);
  sourceLiked = source;
  destinationLiked = destination;
  if (algorithm == winogradConvolution) {
    Dims dims = {conv.batch, conv.inputs, conv.in[1], conv.in[2]};
    library.memory_desc_init_by_tag(&sourceLiked, 4, dims, float32, anyTag);
    Dims results = {conv.batch, conv.outputs, conv.out[1], conv.out[2]};
    library.memory_desc_init_by_tag(&destinationLiked, 4, results, float32,
                                    anyTag);
  }
  Dims filter, filterStrides, stride, dilation, front, behind;
  int rank = 0;
  if (conv.isGrouped())
    filter[rank++] = conv.groups;
  filter[rank++] = conv.outputs / conv.groups;
  filter[rank++] = conv.inputs / conv.groups;
  for (unsigned d = 3 - conv.rank, i = 0; d < 3; ++d, ++i) {
    filter[rank++] = conv.kernel[d];
    stride[i] = conv.stride[d];
    dilation[i] = conv.dilation[d];
    front[i] = conv.pad[d];
    int64_t most = conv.isTransposed ? conv.in[d] : conv.out[d];
    behind[i] = (most - 1) * conv.stride[d] + conv.getSpan(d) -
                (conv.isTransposed ? conv.out[d] : conv.in[d]) - conv.pad[d];
  }
  int64_t elements = 1;
  for (int d = rank; d-- > 0; elements *= filter[d])
    filterStrides[d] = elements;
  library.memory_desc_init_by_strides(&declaredWeights, rank, filter, float32,
                                      filterStrides);
  library.memory_desc_init_by_tag(&weightsLiked, rank, filter, float32, anyTag);
  const int64_t one = 1;
  library.memory_desc_init_by_strides(&bias, 1, &conv.outputs, float32, &one);
  auto initialize = conv.isTransposed
                        ? library.dilated_deconvolution_forward_desc_init
                        : library.dilated_convolution_forward_desc_init;
  return initialize(&convolution, forwardInference,
                    algorithm + (conv.isTransposed ? transposed : 0),
                    &sourceLiked, &weightsLiked,
                    problem.hasBias ? &bias : nullptr, &destinationLiked,
                    stride, dilation, front, behind) == 0;
}

bool OneDnn::appendStep(void *steps, const PostOp &step) {
  int known = 0;
  for (const auto &[word, algorithm] : algorithms)
    if (step.word == word)
      known = algorithm;
  switch (step.kind) {
  case PostOp::Sum:
    return library.post_ops_append_sum(steps, float(step.alpha)) == 0;
  case PostOp::Prelu:
    return library.post_ops_append_prelu(steps, int(step.mask)) == 0;
  case PostOp::Binary: {
    Description operand;
    describeOperand(operand, step, false);
    return library.post_ops_append_binary(steps, known, &operand) == 0;
  }
  case PostOp::Depthwise:
    return false; // Refused before.
  case PostOp::Eltwise:
    break;
  }
  return known && library.post_ops_append_eltwise(steps, float(step.scale),
                                                  known, float(step.alpha),
                                                  float(step.beta)) == 0;
}

bool OneDnn::createEpilogue() {
  void *steps;
  bool good = library.primitive_attr_create(&attributes) == 0 &&
              library.post_ops_create(&steps) == 0;
  if (!good)
    return false;
  for (const PostOp &step : problem.postOps)
    good = good && appendStep(steps, step);
  good = good && library.primitive_attr_set_post_ops(attributes, steps) == 0;
  library.post_ops_destroy(steps);
  return good;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Values &OneDnn::makePlain(const std::string &name) {
  size_t tensor = find(name);
  const Tensor &from = instance.getTensors()[tensor];
  const Values &elements = instance.getInput(tensor);
  values.push_back(
      std::make_unique<Values>(from.getCount() * int64_t(sizeof(float))));
  float *to = values.back()->get<float>();
  from.visit([&](int64_t i, int64_t offset) {
    to[i] = float(from.load(elements.get<void>(), offset));
  });
  return *values.back();
}

void *OneDnn::makeMemory(const void *what, void *data) {
  void *memory = nullptr;
  library.memory_create(&memory, what, library.engine, data);
  memories.push_back(memory);
  return memory;
}

bool OneDnn::reorder(const void *fromLayout, void *from, const void *toLayout,
                     void *to) {
  void *how = nullptr, *primitive = nullptr;
  ExecutionArgument both[] = {{argumentSource, from},
                              {argumentDestination, to}};
  bool good =
      library.reorder_primitive_desc_create(&how, fromLayout, library.engine,
                                            toLayout, library.engine,
                                            nullptr) == 0 &&
      library.primitive_create(&primitive, how) == 0 &&
      library.primitive_execute(primitive, library.stream, 2, both) == 0 &&
      library.stream_wait(library.stream) == 0;
  if (primitive)
    library.primitive_destroy(primitive);
  if (how)
    library.primitive_desc_destroy(how);
  return good;
}

/// Moves `data` into memory in the layout that the query tells; the memory, or
/// null.
void *OneDnn::adopt(int query, const void *declared, void *data) {
  const void *liked = library.primitive_desc_query_md(description, query, 0);
  values.push_back(
      std::make_unique<Values>(int64_t(library.memory_desc_get_size(liked))));
  void *from = makeMemory(declared, data);
  void *to = makeMemory(liked, values.back()->get<void>());
  return reorder(declared, from, liked, to) ? to : nullptr;
}

/// oneDNN adds to the output: lets it hold z.
bool OneDnn::resetOutput() {
  std::string z = getSummand(problem);
  return z.empty() ||
         reorder(
             &destination, makeMemory(&destination, getInput(z)),
             library.primitive_desc_query_md(description, queryDestination, 0),
             output);
}

bool OneDnn::addBias() {
  if (!problem.hasBias)
    return true;
  Description bias;
  const int64_t one = 1;
  library.memory_desc_init_by_strides(&bias, 1, &conv.outputs, float32, &one);
  arguments.push_back({argumentBias, makeMemory(&bias, getInput("b"))});
  return true;
}

bool OneDnn::addOperands() {
  size_t operand = 0;
  for (size_t i = 0; i < problem.postOps.size(); ++i) {
    const PostOp &step = problem.postOps[i];
    if (step.kind == PostOp::Eltwise)
      continue;
    std::string name = "z" + std::to_string(operand++);
    if (step.kind == PostOp::Sum)
      continue;
    Description plain, described;
    describeOperand(plain, step, true);
    describeOperand(described, step, false);
    Values &elements = makePlain(name);
    values.push_back(std::make_unique<Values>(elements.getSize()));
    void *memory = makeMemory(&described, values.back()->get<void>());
    if (!reorder(&plain, makeMemory(&plain, elements.get<void>()), &described,
                 memory))
      return false;
    int place = argumentPostOp * (int(i) + 1);
    arguments.push_back(
        {place | (step.kind == PostOp::Prelu ? argumentPrelu : argumentOperand),
         memory});
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

bool OneDnn::create() {
  if (!describeConvolution() || !createEpilogue() ||
      library.primitive_desc_create(&description, &convolution, attributes,
                                    library.engine, nullptr) != 0 ||
      library.primitive_create(&primitive, description) != 0)
    return false;
  const char *info = nullptr;
  library.primitive_desc_query(description, queryMethod, 0, &info);
  method = info ? info : "";
  void *weights =
      adopt(queryWeights, &declaredWeights, makePlain("w").get<void>());
  input = adopt(querySource, &source, getInput("x"));
  inputData = values.back()->get<void>();
  const void *results =
      library.primitive_desc_query_md(description, queryDestination, 0);
  values.push_back(
      std::make_unique<Values>(int64_t(library.memory_desc_get_size(results))));
  outputData = values.back()->get<void>();
  output = makeMemory(results, outputData);
  if (!weights || !input)
    return false;
  arguments.push_back({argumentWeights, weights});
  arguments.push_back({argumentSource, input});
  arguments.push_back({argumentDestination, output});
  return addBias() && addOperands() && resetOutput();
}

bool OneDnn::time(double &seconds) {
  auto start = std::chrono::steady_clock::now();
  bool good =
      library.primitive_execute(primitive, library.stream,
                                int(arguments.size()), arguments.data()) == 0 &&
      library.stream_wait(library.stream) == 0;
  std::chrono::duration<double> spent =
      std::chrono::steady_clock::now() - start;
  seconds = spent.count();
  return good;
}

bool OneDnn::computeOutputs(Outputs &outputs) {
  double seconds;
  if (!resetOutput() || !time(seconds))
    return false;
  outputs = instance.makeOutputs();
  return reorder(
      library.primitive_desc_query_md(description, queryDestination, 0), output,
      &destination, makeMemory(&destination, outputs[0].get<void>()));
}

void *OneDnn::getData(const std::string &name) const {
  if (algorithm == winogradConvolution)
    return nullptr; // Its layouts are its own.
  return name == "x" ? inputData : name == "y" ? outputData : nullptr;
}

void OneDnn::setData(const std::string &name, void *data) {
  (name == "x" ? inputData : outputData) = data;
  library.memory_set_data_handle(name == "x" ? input : output, data);
}

/// oneDNN 2 has `hardswish` without parameters, takes any and ignores them; and
/// its operands vary along channels, everything or nothing: others it takes,
/// and some of its methods read them wrong.
static bool isCompared(const PostOp &step, const ConvProblem &conv) {
  unsigned all = (1u << (conv.rank + 2)) - 1;
  if (step.isHalf || step.kind == PostOp::Depthwise)
    return false;
  if (step.word == "hardswish")
    return step.alpha == 1. / 6 && step.beta == 0.5;
  return step.kind == PostOp::Eltwise || step.kind == PostOp::Sum ||
         step.mask == 0 || step.mask == 2 || step.mask == all;
}

static std::unique_ptr<Peer> make(const Case &problem, const Device &device,
                                  const Instance &instance, int algorithm,
                                  std::string &error) {
  if (!device.isCpu()) {
    error = "oneDNN is compared on the CPU only";
    return nullptr;
  }
  const Library &library = getLibrary();
  size_t sums = 0;
  bool isOrdinary = true;
  for (const PostOp &step : problem.postOps) {
    sums += step.kind == PostOp::Sum;
    isOrdinary &= isCompared(step, problem.conv);
  }
  for (ChannelLayout::Kind kind :
       {problem.source.kind, problem.destination.kind})
    isOrdinary &= kind == ChannelLayout::Last || kind == ChannelLayout::Planar;
  error = library.error;
  isOrdinary &= !problem.scales.hasAny();
  if (error.empty() && (sums > 1 || !isOrdinary))
    error = "blocks of channels, unusual layouts, scales, several sums, and "
            "steps that oneDNN 2 does otherwise are not compared";
  if (!error.empty())
    return nullptr;
  auto peer = std::make_unique<OneDnn>(library, problem, instance, algorithm);
  if (peer->create())
    return peer;
  error = algorithm == winogradConvolution
              ? "oneDNN has no Winograd for the problem on this processor"
              : "oneDNN refuses the problem";
  return nullptr;
}

std::unique_ptr<Peer> sparkle::makeOneDnn(const Case &problem,
                                          const Device &device,
                                          const Instance &instance,
                                          std::string &error) {
  return make(problem, device, instance, directConvolution, error);
}

std::unique_ptr<Peer> sparkle::makeOneDnnWinograd(const Case &problem,
                                                  const Device &device,
                                                  const Instance &instance,
                                                  std::string &error) {
  return make(problem, device, instance, winogradConvolution, error);
}

std::string sparkle::getOneDnnName() {
  const Library &library = getLibrary();
  if (!library.error.empty())
    return "";
  const Version *version = library.version();
  return "oneDNN " + std::to_string(version->major) + "." +
         std::to_string(version->minor) + "." + std::to_string(version->patch);
}
