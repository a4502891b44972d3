// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// oneDNN 2 through its C interface.
//
// One OpenMP runtime. Our kernels call LLVM's; Debian's oneDNN calls GCC's. Two
// of them in one process would keep two teams spinning on the same cores.
// LLVM's also has the entry points of GCC's and is made global before oneDNN is
// opened, so that both sides run on the same team; this is checked, because it
// is only a matter of order. Alone in a process, oneDNN takes the same time on
// either.

#include "tools/sparkle-run/Peer/Peer.h"

#include <chrono>
#include <cstring>
#include <dlfcn.h>

using namespace sparkle;

namespace {

//===----------------------------------------------------------------------===//
// The interface of oneDNN 2
//===----------------------------------------------------------------------===//

// From dnnl_types.h of oneDNN 2: numbers of its enumerations.
enum {
  cpuEngine = 1,
  inOrder = 1,
  float32 = 3,
  anyTag = 1,
  forwardInference = 96,
  directConvolution = 1,
  querySource = 129,
  queryWeights = 131,
  queryDestination = 133,
  queryMethod = 8,
  argumentSource = 1,
  argumentDestination = 17,
  argumentWeights = 33,
  argumentBias = 41
};

/// Steps of the epilogue as dnnl_alg_kind_t.
constexpr struct {
  const char *word;
  int algorithm;
} eltwise[] = {{"relu", 0x1f},  {"tanh", 0x2f},     {"logistic", 0xaf},
               {"swish", 0xdf}, {"gelu_erf", 0x30}, {"hardswish", 0x70},
               {"clip", 0xff},  {"linear", 0x7f}};

/// dnnl_memory_desc_t and dnnl_convolution_desc_t: filled in and read by oneDNN
/// alone, and smaller than this.
struct Description {
  alignas(16) char bytes[8192] = {};
};

struct Version {
  int major, minor, patch;
};

struct ExecutionArgument {
  int index;
  void *memory;
};

using Dims = int64_t[12];

/// FUNCTION(result, name, parameters)
#define FUNCTIONS(FUNCTION)                                                    \
  FUNCTION(const Version *, version, (void))                                   \
  FUNCTION(int, engine_create, (void **, int, size_t))                         \
  FUNCTION(int, stream_create, (void **, void *, unsigned))                    \
  FUNCTION(int, stream_wait, (void *))                                         \
  FUNCTION(int, memory_desc_init_by_strides,                                   \
           (void *, int, const int64_t *, int, const int64_t *))               \
  FUNCTION(int, memory_desc_init_by_tag,                                       \
           (void *, int, const int64_t *, int, int))                           \
  FUNCTION(size_t, memory_desc_get_size, (const void *))                       \
  FUNCTION(int, dilated_convolution_forward_desc_init,                         \
           (void *, int, int, const void *, const void *, const void *,        \
            const void *, const int64_t *, const int64_t *, const int64_t *,   \
            const int64_t *))                                                  \
  FUNCTION(int, primitive_attr_create, (void **))                              \
  FUNCTION(int, primitive_attr_destroy, (void *))                              \
  FUNCTION(int, primitive_attr_set_post_ops, (void *, void *))                 \
  FUNCTION(int, post_ops_create, (void **))                                    \
  FUNCTION(int, post_ops_destroy, (void *))                                    \
  FUNCTION(int, post_ops_append_sum, (void *, float))                          \
  FUNCTION(int, post_ops_append_eltwise, (void *, float, int, float, float))   \
  FUNCTION(int, primitive_desc_create,                                         \
           (void **, const void *, const void *, void *, const void *))        \
  FUNCTION(int, primitive_desc_destroy, (void *))                              \
  FUNCTION(int, primitive_desc_query, (const void *, int, int, void *))        \
  FUNCTION(const void *, primitive_desc_query_md, (const void *, int, int))    \
  FUNCTION(int, primitive_create, (void **, const void *))                     \
  FUNCTION(int, primitive_destroy, (void *))                                   \
  FUNCTION(int, primitive_execute,                                             \
           (const void *, void *, int, const ExecutionArgument *))             \
  FUNCTION(int, memory_create, (void **, const void *, void *, void *))        \
  FUNCTION(int, memory_destroy, (void *))                                      \
  FUNCTION(                                                                    \
      int, reorder_primitive_desc_create,                                      \
      (void **, const void *, void *, const void *, void *, const void *))

/// The opened library, its engine and its stream.
struct Library {
#define MEMBER(result, name, parameters) result(*name) parameters = nullptr;
  FUNCTIONS(MEMBER)
#undef MEMBER
  void *engine = nullptr, *stream = nullptr;
  std::string error;

  Library();

private:
  bool joinRuntimes();
  void open();
};

} // namespace

/// Makes the OpenMP runtime of our kernels the one that oneDNN finds.
bool Library::joinRuntimes() {
  Dl_info gcc, llvm;
  dlopen("libomp.so.5", RTLD_NOW | RTLD_GLOBAL);
  void *parallel = dlsym(RTLD_DEFAULT, "GOMP_parallel");
  void *fork = dlsym(RTLD_DEFAULT, "__kmpc_fork_call");
  return parallel && fork && dladdr(parallel, &gcc) && dladdr(fork, &llvm) &&
         gcc.dli_fbase == llvm.dli_fbase;
}

void Library::open() {
  if (!joinRuntimes()) {
    error = "expected one OpenMP runtime, but oneDNN and the kernels would "
            "have different ones";
    return;
  }
  void *library = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    error = "libdnnl.so.2 is not there";
    return;
  }
  bool isWhole = true;
#define LOAD(result, name, parameters)                                         \
  name =                                                                       \
      reinterpret_cast<result(*) parameters>(dlsym(library, "dnnl_" #name));   \
  isWhole &= name != nullptr;
  FUNCTIONS(LOAD)
#undef LOAD
  if (!isWhole || version()->major != 2)
    error = "libdnnl.so.2 is not oneDNN 2";
  else if (engine_create(&engine, cpuEngine, 0) != 0 ||
           stream_create(&stream, engine, inOrder) != 0)
    error = "oneDNN has no engine for the CPU";
}

Library::Library() { open(); }

/// Opened by the first use.
static const Library &getLibrary() {
  static const Library library;
  return library;
}

namespace {

class OneDnn : public Peer {
public:
  OneDnn(const Library &library, const Case &problem, const Instance &instance)
      : library(library), problem(problem), conv(problem.conv),
        instance(instance), output(0) {}
  ~OneDnn() override;

  /// False if oneDNN cannot do it.
  bool create();

  std::string getMethod() const override { return method; }
  bool time(double &seconds) override;
  bool computeOutputs(Outputs &outputs) override;

private:
  void describe(Description &description, int64_t channels,
                const int64_t (&spatial)[3], const ChannelLayout &layout) const;
  bool describeConvolution();
  bool createEpilogue();
  bool packWeights();
  void *makeMemory(int query, void *data);
  /// The tensor of that name.
  size_t find(const std::string &name) const;
  void *getData(const std::string &name) const {
    return instance.getInput(find(name)).get<void>();
  }
  void resetOutput();

  const Library &library;
  const Case &problem;
  const ConvProblem &conv;
  const Instance &instance;
  std::string method;
  Description declaredWeights, convolution;
  void *attributes = nullptr, *description = nullptr, *primitive = nullptr;
  std::unique_ptr<Values> weights;
  Values output;
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

bool OneDnn::describeConvolution() {
  Description source, bias, destination, weightsLiked;
  describe(source, conv.inputs, conv.in, problem.source);
  describe(destination, conv.outputs, conv.out, problem.destination);
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
    behind[i] = (conv.out[d] - 1) * conv.stride[d] + conv.getSpan(d) -
                conv.in[d] - conv.pad[d];
  }
  int64_t elements = 1;
  for (int d = rank; d-- > 0; elements *= filter[d])
    filterStrides[d] = elements;
  library.memory_desc_init_by_strides(&declaredWeights, rank, filter, float32,
                                      filterStrides);
  library.memory_desc_init_by_tag(&weightsLiked, rank, filter, float32, anyTag);
  const int64_t one = 1;
  library.memory_desc_init_by_strides(&bias, 1, &conv.outputs, float32, &one);
  return library.dilated_convolution_forward_desc_init(
             &convolution, forwardInference, directConvolution, &source,
             &weightsLiked, problem.hasBias ? &bias : nullptr, &destination,
             stride, dilation, front, behind) == 0;
}

bool OneDnn::createEpilogue() {
  void *steps;
  bool good = library.primitive_attr_create(&attributes) == 0 &&
              library.post_ops_create(&steps) == 0;
  if (!good)
    return false;
  for (const PostOp &step : problem.postOps) {
    if (step.word == "sum")
      good &= library.post_ops_append_sum(steps, 1) == 0;
    for (const auto &[word, algorithm] : eltwise)
      if (step.word == word)
        good &= library.post_ops_append_eltwise(steps, 1, algorithm,
                                                float(step.alpha),
                                                float(step.beta)) == 0;
  }
  good &= library.primitive_attr_set_post_ops(attributes, steps) == 0;
  library.post_ops_destroy(steps);
  return good;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

void *OneDnn::makeMemory(int query, void *data) {
  void *memory = nullptr;
  const void *what =
      query ? library.primitive_desc_query_md(description, query, 0)
            : &declaredWeights;
  library.memory_create(&memory, what, library.engine, data);
  memories.push_back(memory);
  return memory;
}

bool OneDnn::packWeights() {
  const void *liked =
      library.primitive_desc_query_md(description, queryWeights, 0);
  weights = std::make_unique<Values>(library.memory_desc_get_size(liked));
  void *from = makeMemory(0, getData("w"));
  void *to = makeMemory(queryWeights, weights->get<void>());
  void *how = nullptr, *reorder = nullptr;
  ExecutionArgument both[] = {{argumentSource, from},
                              {argumentDestination, to}};
  bool good =
      library.reorder_primitive_desc_create(&how, &declaredWeights,
                                            library.engine, liked,
                                            library.engine, nullptr) == 0 &&
      library.primitive_create(&reorder, how) == 0 &&
      library.primitive_execute(reorder, library.stream, 2, both) == 0 &&
      library.stream_wait(library.stream) == 0;
  if (reorder)
    library.primitive_destroy(reorder);
  if (how)
    library.primitive_desc_destroy(how);
  arguments.push_back({argumentWeights, to});
  return good;
}

void OneDnn::resetOutput() {
  for (const PostOp &step : problem.postOps)
    if (step.word == "sum") // oneDNN adds to the output: let it hold z.
      std::memcpy(output.get<char>(), getData("z0"), output.getSize());
}

bool OneDnn::create() {
  if (!describeConvolution() || !createEpilogue() ||
      library.primitive_desc_create(&description, &convolution, attributes,
                                    library.engine, nullptr) != 0 ||
      library.primitive_create(&primitive, description) != 0 || !packWeights())
    return false;
  const char *info = nullptr;
  library.primitive_desc_query(description, queryMethod, 0, &info);
  method = info ? info : "";
  const Tensor &y = instance.getTensors()[find("y")];
  output = Values(y.getMemoryCount() * sizeof(float));
  arguments.push_back({argumentSource, makeMemory(querySource, getData("x"))});
  arguments.push_back(
      {argumentDestination, makeMemory(queryDestination, output.get<void>())});
  if (problem.hasBias) {
    Description bias;
    const int64_t one = 1;
    library.memory_desc_init_by_strides(&bias, 1, &conv.outputs, float32, &one);
    void *memory = nullptr;
    library.memory_create(&memory, &bias, library.engine, getData("b"));
    memories.push_back(memory);
    arguments.push_back({argumentBias, memory});
  }
  resetOutput();
  return true;
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
  resetOutput();
  double seconds;
  if (!time(seconds))
    return false;
  outputs = instance.makeOutputs();
  std::memcpy(outputs[0].get<char>(), output.get<char>(), output.getSize());
  return true;
}

std::unique_ptr<Peer> sparkle::makeOneDnn(const Case &problem,
                                          const Device &device,
                                          const Instance &instance,
                                          std::string &error) {
  if (!device.isCpu()) {
    error = "oneDNN is compared on the CPU only";
    return nullptr;
  }
  const Library &library = getLibrary();
  size_t sums = 0;
  for (const PostOp &step : problem.postOps)
    sums += step.word == "sum";
  error = library.error;
  if (error.empty() &&
      (sums > 1 || problem.source.kind == ChannelLayout::Blocked ||
       problem.destination.kind == ChannelLayout::Blocked))
    error = "blocks of channels and several sums are not compared";
  if (!error.empty())
    return nullptr;
  auto peer = std::make_unique<OneDnn>(library, problem, instance);
  if (peer->create())
    return peer;
  error = "oneDNN refuses the problem";
  return nullptr;
}

std::string sparkle::getOneDnnName() {
  const Library &library = getLibrary();
  if (!library.error.empty())
    return "";
  const Version *version = library.version();
  return "oneDNN " + std::to_string(version->major) + "." +
         std::to_string(version->minor) + "." + std::to_string(version->patch);
}
