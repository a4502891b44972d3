// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One kernel, all checks: values against the oracle; the same bits from any
// number of threads, at any alignment and in place; no byte touched outside of
// the buffers, none left unwritten in the outputs; bad arguments refused; the
// emitted reference equal to the oracle, and its bound honest.

#include "test/end-to-end/Run.h"
#include "sparkle/kernel.h"
#include "test/end-to-end/Guarded.h"
#include "tools/sparkle-run/Problem/Half.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <limits>
#include <memory>

using namespace sparkle;

namespace {

using Words = std::vector<int64_t>;
using Buffers = std::vector<std::unique_ptr<Guarded>>;

/// The kernel at one set of run-time sizes.
class Run {
public:
  Run(const Problem &problem, void *library, Problem::Sizes sizes)
      : problem(problem), library(library), sizes(std::move(sizes)),
        passed(this->sizes.begin(), this->sizes.end() - problem.derived) {}

  std::string check();

private:
  /// The buffers of one call, in the order of the function's parameters.
  using Call = Buffers;

  void *find(const std::string &suffix) const {
    return dlsym(library, (problem.name + suffix).c_str());
  }
  const Argument &argument(unsigned i) const { return problem.arguments[i]; }
  bool isOutput(unsigned i) const { return argument(i).role == Role::Output; }
  bool isEmpty() const;
  int64_t getElements(unsigned i) const {
    return layouts[i].getBufferSize(shapes[i]);
  }
  /// Calls `element(index, offset in the buffer, number in row-major order)`.
  template <typename Element> void forEach(unsigned i, Element element) const;

  std::string refuse() const;
  std::string setUp();
  std::unique_ptr<Guarded> makeDeclared(unsigned i, Placement placement) const;
  std::unique_ptr<Guarded> pack(unsigned i, Placement placement,
                                std::string &error) const;
  std::string makeWorkspace(Call &call, Placement placement) const;
  std::string makeBuffers(Call &call, Placement placement) const;
  Words getWords(const Call &call) const;
  std::string makeCall(Call &call, Placement placement, int threads) const;
  float get(const Call &call, unsigned i, int64_t offset) const;
  std::string compareValues(const Call &call) const;
  std::string compareBits(const Call &first, const Call &second) const;
  std::string checkReference(const Call &call) const;
  std::string compareReference(const Call &call, const Buffers &exact) const;
  std::string checkRefusals(const Call &call) const;
  unsigned findArgument(const char *name) const;
  std::string checkInPlace(const Call &separate) const;

  const Problem &problem;
  void *library;
  Problem::Sizes sizes;
  Words passed; // Those of the sizes that the function takes.
  std::vector<Shape> shapes;
  std::vector<Layout> layouts;
  std::vector<Operand> operands; // One for each argument; empty for outputs.
  std::vector<Result> results;   // Outputs only, in order.
};

} // namespace

//===----------------------------------------------------------------------===//
// Calling
//===----------------------------------------------------------------------===//

/// Calls `function` with as many words as there are. Pointers and 64-bit
/// integers are passed alike by the x86-64 and AArch64 conventions.
template <typename Return, typename... Passed>
static Return invoke(void *function, const Words &words, Passed... passed) {
  if constexpr (sizeof...(Passed) < 16) {
    if (sizeof...(Passed) < words.size())
      return invoke<Return>(function, words, passed...,
                            words[sizeof...(Passed)]);
  }
  return reinterpret_cast<Return (*)(Passed...)>(function)(passed...);
}

template <typename Pointer> static int64_t toWord(Pointer *pointer) {
  return reinterpret_cast<int64_t>(pointer);
}

static void setThreads(void *library, int threads) {
  // The kernel's own OpenMP runtime; none where nothing runs in parallel.
  if (void *set = dlsym(library, "omp_set_num_threads"))
    reinterpret_cast<void (*)(int)>(set)(threads);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// The integer hash "lowbias32" of Chris Wellons.
static uint32_t hash(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352dU;
  x = (x ^ (x >> 15)) * 0x846ca68bU;
  return x ^ (x >> 16);
}

static float drawSpecial(uint32_t bits, float uniform) {
  static const float values[] = {std::numeric_limits<float>::quiet_NaN(),
                                 std::numeric_limits<float>::infinity(),
                                 0.0F,
                                 -0.0F,
                                 1e30F,
                                 -1e30F,
                                 1e-38F,
                                 -1e-38F,
                                 1e-45F,
                                 -1e-45F,
                                 88.5F,
                                 -88.5F,
                                 104.0F,
                                 -104.0F,
                                 17.0F,
                                 -17.0F,
                                 -std::numeric_limits<float>::infinity()};
  return bits % 16 == 0 ? values[bits / 16 % std::size(values)] : 20 * uniform;
}

/// Element `i` of tensor `seed`.
static float draw(Fill fill, uint32_t seed, uint32_t i) {
  uint32_t bits = hash(hash(seed) ^ i);
  float uniform = (bits >> 8) * 0x1p-23F - 1;
  if (fill == Fill::Wide)
    return 8 * uniform;
  if (fill == Fill::Divisor)
    return 2 + uniform;
  if (fill == Fill::Halves)
    return fromHalf(uint16_t(i));
  return fill == Fill::Special ? drawSpecial(bits, uniform) : uniform;
}

static bool isWithin(double got, Bounded expected) {
  if (std::isnan(expected.value))
    return std::isnan(got);
  if (std::isinf(expected.getError()))
    return true; // It may be anything.
  return got == expected.value ||
         std::fabs(got - expected.value) <= expected.getError();
}

static std::string spell(const Index &index) {
  std::string text = "[";
  for (size_t d = 0; d < index.size(); ++d)
    text += (d ? ", " : "") + std::to_string(index[d]);
  return text + "]";
}

static std::string spell(const char *format, double a, double b, double c) {
  char text[200];
  std::snprintf(text, sizeof text, format, a, b, c);
  return text;
}

//===----------------------------------------------------------------------===//
// Setting up
//===----------------------------------------------------------------------===//

template <typename Element>
void Run::forEach(unsigned i, Element element) const {
  if (countElements(shapes[i]) == 0)
    return;
  Index index(shapes[i].size(), 0);
  int64_t number = 0;
  do
    element(index, layouts[i].getOffset(index, shapes[i]), number++);
  while (advance(index, shapes[i]));
}

bool Run::isEmpty() const {
  return std::all_of(results.begin(), results.end(), [](const Result &result) {
    return countElements(result.shape) == 0;
  });
}

std::string Run::setUp() {
  std::vector<Operand> read;
  for (const Argument &argument : problem.arguments) {
    Shape shape = argument.shape;
    for (int64_t &extent : shape)
      extent = extent < 0 ? sizes[-1 - extent] : extent;
    auto layout = Layout::parse(argument.layout, shape.size());
    if (!layout)
      return "no such layout: '" + argument.layout + "'";
    shapes.push_back(shape);
    layouts.push_back(*layout);
    operands.push_back({shape, {}});
    if (argument.role == Role::Output) {
      results.push_back({shape, {}});
      continue;
    }
    int64_t count = countElements(shape);
    for (int64_t n = 0; n < count; ++n) {
      float value = draw(argument.fill, shapes.size(), n);
      operands.back().values.push_back(argument.isHalf ? fromHalf(toHalf(value))
                                                       : value);
    }
    read.push_back(operands.back());
  }
  problem.reference(read, results);
  auto result = results.begin();
  for (const Argument &argument : problem.arguments)
    if (argument.role == Role::Output) {
      for (std::vector<Bounded> *values : {&result->values, &result->widest})
        for (Bounded &value : *values)
          value = argument.isHalf ? storeHalf(value) : value;
      ++result;
    }
  return "";
}

/// An argument as declared, filled if it is read.
std::unique_ptr<Guarded> Run::makeDeclared(unsigned i,
                                           Placement placement) const {
  int64_t size = argument(i).getElementSize();
  auto buffer = std::make_unique<Guarded>(
      argument(i).name, getElements(i) * size, placement, size);
  if (isOutput(i))
    return buffer;
  // What lies beyond the extents stays poisoned: nothing reads it.
  forEach(i, [&](const Index &, int64_t offset, int64_t number) {
    float value = operands[i].values[number];
    if (argument(i).isHalf)
      buffer->get<uint16_t>()[offset] = toHalf(value);
    else
      buffer->get<float>()[offset] = value;
  });
  buffer->protect();
  return buffer;
}

std::unique_ptr<Guarded> Run::pack(unsigned i, Placement placement,
                                   std::string &error) const {
  std::string name = argument(i).name;
  void *size = find("_packed_" + name + "_size");
  void *function = find("_pack_" + name);
  if (!size || !function) {
    error = "no function packs '" + name + "'";
    return nullptr;
  }
  auto declared = makeDeclared(i, placement);
  int64_t bytes = invoke<int64_t>(size, {});
  int64_t element = argument(i).getElementSize();
  auto packed =
      std::make_unique<Guarded>("packed " + name, bytes, placement, element);
  int64_t from = toWord(declared->get<char>());
  int64_t to = toWord(packed->get<char>());
  if (bytes < declared->size())
    error = "the packed size of '" + name + "' is too small";
  else if (invoke<int>(function, {0, to}) != 1 ||
           invoke<int>(function, {from, 0}) != 1)
    error = "packing '" + name + "' took NULL";
  else if (invoke<int>(function, {from, to}) != 0)
    error = "packing '" + name + "' failed";
  else if (!packed->isIntact())
    error = "packing '" + name + "' wrote outside";
  for (int64_t at = 0; at < bytes && error.empty(); at += element)
    if (packed->isPoison(at, element))
      error = "packing '" + name + "' left byte " + std::to_string(at);
  packed->protect();
  return packed;
}

std::string Run::makeWorkspace(Call &call, Placement placement) const {
  void *size = find("_workspace_size");
  if (!size)
    return "no function gives the size of the workspace";
  if (!passed.empty() && invoke<int64_t>(size, {-1}) != -1)
    return "the workspace of a negative size is not -1";
  call.push_back(std::make_unique<Guarded>(
      "workspace", invoke<int64_t>(size, passed), placement));
  return "";
}

std::string Run::makeBuffers(Call &call, Placement placement) const {
  std::string error;
  for (unsigned i = 0; i < problem.arguments.size() && error.empty(); ++i)
    call.push_back(argument(i).role == Role::Weight
                       ? pack(i, placement, error)
                       : makeDeclared(i, placement));
  if (error.empty() && problem.hasTemps)
    error = makeWorkspace(call, placement);
  return error;
}

Words Run::getWords(const Call &call) const {
  Words words;
  for (const auto &buffer : call)
    words.push_back(toWord(buffer->get<char>()));
  words.insert(words.end(), passed.begin(), passed.end());
  return words;
}

std::string Run::makeCall(Call &call, Placement placement, int threads) const {
  if (auto error = makeBuffers(call, placement); !error.empty())
    return error;
  setThreads(library, threads);
  if (int status = invoke<int>(find(""), getWords(call)))
    return "returned " + std::to_string(status);
  for (const auto &buffer : call)
    if (!buffer->isIntact())
      return "wrote outside of '" + buffer->getName() + "'";
  return "";
}

//===----------------------------------------------------------------------===//
// Checking
//===----------------------------------------------------------------------===//

/// The element at `offset` of an output.
float Run::get(const Call &call, unsigned i, int64_t offset) const {
  return argument(i).isHalf ? fromHalf(call[i]->get<uint16_t>()[offset])
                            : call[i]->get<float>()[offset];
}

std::string Run::compareValues(const Call &call) const {
  std::string error;
  auto result = results.begin();
  for (unsigned i = 0; i < problem.arguments.size(); ++i) {
    if (!isOutput(i))
      continue;
    std::vector<bool> isElement(getElements(i));
    auto isPoison = [&](int64_t offset) {
      int64_t size = argument(i).getElementSize();
      return call[i]->isPoison(offset * size, size);
    };
    forEach(i, [&](const Index &index, int64_t offset, int64_t number) {
      isElement[offset] = true;
      float got = get(call, i, offset);
      Bounded want = result->values[number];
      // What a transform may be off by, only the emitted reference tells.
      bool isGood = problem.isTransformed || isWithin(got, want);
      if (!error.empty() || (isGood && !isPoison(offset)))
        return;
      error = argument(i).name + spell(index) +
              (isPoison(offset) ? " was not written"
                                : spell(" is %.9g, expected %.9g within %.2g",
                                        got, want.value, want.getError()));
    });
    for (int64_t offset = 0; offset < getElements(i); ++offset)
      if (!isElement[offset] && !isPoison(offset))
        error = "wrote beyond the extents of '" + argument(i).name + "'";
    ++result;
  }
  return error;
}

std::string Run::compareBits(const Call &first, const Call &second) const {
  for (unsigned i = 0; i < problem.arguments.size(); ++i)
    if (isOutput(i) && std::memcmp(first[i]->get<char>(),
                                   second[i]->get<char>(), first[i]->size()))
      return "has other bits in '" + argument(i).name + "'";
  return "";
}

/// What is wrong with one element of the emitted reference, given ours, the
/// kernel's, and how wide a bound may be.
static std::string checkElement(Bounded expected, double value, double bound,
                                float got, double widest) {
  if (std::isnan(bound))
    return " has a bound that is not a number";
  double error = expected.getError();
  if (std::isnan(expected.value) ||
      (std::isinf(expected.value) && !std::isinf(error)))
    return isWithin(value, expected)
               ? ""
               : spell(" is %g, expected %g", value, expected.value, 0);
  if (std::isinf(error))
    return std::isinf(bound)
               ? ""
               : spell(" has bound %g, expected none", bound, 0, 0);
  // Both compute in double: 2^-53 in place of 2^-24.
  double slack = 4 * error * 0x1p-29 + 0x1p-1000;
  if (!(std::fabs(value - expected.value) <= slack))
    return spell(" is %.17g, expected %.17g within %.2g", value, expected.value,
                 slack);
  if (!(std::fabs(got - value) <= bound))
    return spell(" is %.9g, but the kernel's %.9g is not within %.2g", value,
                 got, bound);
  // A bound that is much wider than needed would prove nothing. Ours knows how
  // many terms lie inside; theirs may count those in the padding as well.
  if (!(bound <= widest))
    return spell(" has bound %.2g, expected at most %.2g, about %.2g", bound,
                 widest, error);
  return "";
}

/// How wide the emitted bound of one element may be. The rules are the same on
/// both sides, but for their constants' last digits.
static double getWidest(const Problem &problem, const Result &result,
                        int64_t number) {
  double widest = result.widest.empty()
                      ? problem.looseness * result.values[number].getError()
                      : 1.001 * result.widest[number].getError();
  return widest + 0x1p-100;
}

std::string Run::compareReference(const Call &call,
                                  const Buffers &exact) const {
  std::string error;
  auto result = results.begin();
  auto buffer = exact.begin();
  for (unsigned i = 0; i < problem.arguments.size(); ++i, ++buffer) {
    if (!isOutput(i))
      continue;
    const double *values = (*buffer++)->get<double>();
    const double *bounds = (*buffer)->get<double>();
    forEach(i, [&](const Index &index, int64_t offset, int64_t number) {
      if (!error.empty())
        return;
      error = checkElement(result->values[number], values[offset],
                           bounds[offset], get(call, i, offset),
                           getWidest(problem, *result, number));
      if (!error.empty())
        error = "reference: " + argument(i).name + spell(index) + error;
    });
    ++result;
  }
  return error;
}

std::string Run::checkReference(const Call &call) const {
  void *reference = find("_reference");
  if (!reference)
    return "no reference was emitted";
  Buffers exact;
  for (unsigned i = 0; i < problem.arguments.size(); ++i) {
    if (!isOutput(i)) {
      exact.push_back(makeDeclared(i, Placement::End));
      continue;
    }
    for (const char *suffix : {" in double", "'s bound"})
      exact.push_back(std::make_unique<Guarded>(argument(i).name + suffix,
                                                getElements(i) * sizeof(double),
                                                Placement::End));
  }
  if (int status = invoke<int>(reference, getWords(exact)))
    return "the reference returned " + std::to_string(status);
  return compareReference(call, exact);
}

unsigned Run::findArgument(const char *name) const {
  unsigned i = 0;
  while (argument(i).name != name)
    ++i;
  return i;
}

/// Over each input over which an output may be written: the same bits.
std::string Run::checkInPlace(const Call &separate) const {
  auto *kernel = static_cast<const sparkle_kernel_t *>(find("_kernel"));
  if (!kernel)
    return "no descriptor was emitted";
  for (uint32_t t = 0; t < kernel->tensor_count; ++t) {
    const sparkle_tensor_t &tensor = kernel->tensors[t];
    if (!tensor.in_place)
      continue;
    unsigned input = findArgument(tensor.name);
    unsigned output = findArgument(kernel->tensors[tensor.in_place - 1].name);
    Call call;
    if (auto error = makeBuffers(call, Placement::End); !error.empty())
      return error;
    std::memcpy(call[output]->get<char>(), call[input]->get<char>(),
                call[output]->size());
    Words words = getWords(call);
    words[input] = words[output];
    if (int status = invoke<int>(find(""), words))
      return "returned " + std::to_string(status);
    for (const auto &buffer : call)
      if (!buffer->isIntact())
        return "wrote outside of '" + buffer->getName() + "'";
    if (auto error = compareBits(separate, call); !error.empty())
      return error;
  }
  return "";
}

/// Every pointer NULL in turn, then every size negative or huge.
std::string Run::checkRefusals(const Call &call) const {
  const Words good = getWords(call);
  for (unsigned i = 0; i < good.size(); ++i) {
    bool isSize = i >= call.size();
    // A workspace without a temp in it may be null.
    if (!isSize && call[i]->getName() == "workspace" && !call[i]->size())
      continue;
    for (int64_t bad : {int64_t(-1), std::numeric_limits<int64_t>::max()}) {
      Words words = good;
      words[i] = isSize ? bad : 0;
      int status = invoke<int>(find(""), words);
      if (status != 1)
        return "returned " + std::to_string(status) + " for " +
               (isSize ? "size " + std::to_string(bad)
                       : "NULL in place of '" + call[i]->getName() + "'");
    }
  }
  return "";
}

/// Sizes that give an extent below 0, with pointers that nobody may use.
std::string Run::refuse() const {
  Guarded none("what has no extent", 64, Placement::End);
  none.protect();
  Words words(problem.arguments.size() + problem.hasTemps,
              toWord(none.get<char>()));
  words.insert(words.end(), passed.begin(), passed.end());
  int status = invoke<int>(find(""), words);
  return status == 1
             ? ""
             : "returned " + std::to_string(status) + " for an extent below 0";
}

std::string Run::check() {
  if (!find(""))
    return "no such function";
  if (std::any_of(sizes.begin(), sizes.end(),
                  [](int64_t size) { return size < 0; }))
    return refuse();
  if (auto error = setUp(); !error.empty())
    return error;
  if (isEmpty()) { // Nothing to do, so nothing needs to be there.
    Words words(problem.arguments.size() + problem.hasTemps, 0);
    words.insert(words.end(), passed.begin(), passed.end());
    int status = invoke<int>(find(""), words);
    return status ? "returned " + std::to_string(status) + " for size 0" : "";
  }
  Call first, second, third;
  if (auto error = makeCall(first, Placement::End, 1); !error.empty())
    return error;
  if (auto error = compareValues(first); !error.empty())
    return error;
  if (problem.runsReference)
    if (auto error = checkReference(first); !error.empty())
      return error;
  if (auto error = makeCall(second, Placement::Start, 2); !error.empty())
    return "on 2 threads: " + error;
  if (auto error = compareBits(first, second); !error.empty())
    return "on 2 threads: " + error;
  if (auto error = makeCall(third, Placement::Unaligned, 3); !error.empty())
    return "on 3 threads, unaligned: " + error;
  if (auto error = compareBits(first, third); !error.empty())
    return "on 3 threads, unaligned: " + error;
  if (auto error = checkInPlace(first); !error.empty())
    return "in place: " + error;
  return checkRefusals(first);
}

std::string sparkle::runProblem(const Problem &problem, void *library) {
  for (const Problem::Sizes &sizes : problem.calls)
    if (auto error = Run(problem, library, sizes).check(); !error.empty()) {
      for (int64_t size : sizes)
        error += ", size " + std::to_string(size);
      return error;
    }
  return "";
}
