// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A row of shapes.txt -> a problem. The convolution is spelled in the grammar
// of oneDNN's benchdnn, `mb1ic64ih56oc64oh56kh3ph1n"res2"`, which
// ConvProblem.h tells, or, without an input extent, a matrix product. `mb?3` is
// a batch that only the call knows, and is 3; so are `id?6`, `ih?7` and `iw?8`.
// `nhwc:f16` are elements of 16 bits, in that layout; `-` is no layout.

#include "test/end-to-end/Problem.h"
#include "tools/sparkle-run/Problem/ConvProblem.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

using namespace sparkle;

namespace {

/// A row as it is spelled.
struct Row {
  Convolution conv;
  unsigned rank = 2;
  bool batchAtRunTime = false, inAtRunTime[3] = {false, false, false};
  bool weightsAreInput = false;
  bool halfSource = false, halfDestination = false, halfWeights = false;
  std::string source, destination, weights, pattern;
  std::vector<std::string> epilogue;
  std::string error;
};

/// Builds the text of the kernel and its arguments from a row.
class Writer {
public:
  Writer(const Row &row, Problem &problem) : row(row), problem(problem) {}

  void write();

private:
  /// Which element of its tensor a step reads.
  enum class Read { None, Scalar, Pixel, Channel, Element };
  struct Step {
    std::string word;
    Read read = Read::None;
    unsigned operand = 0;
  };

  bool isGrouped() const { return row.conv.groups > 1; }
  bool isDepthwise() const {
    return row.rank && isGrouped() && row.conv.groups == row.conv.inputs &&
           row.conv.groups == row.conv.outputs;
  }
  bool hasSplitChannels() const { return isGrouped() && !isDepthwise(); }

  bool hasSizes() const { return !names.empty(); }
  int64_t addSize(const std::string &spelling);
  void addSizes();
  void makeCalls();
  Shape withSpatial(Shape shape, const int64_t *extents) const;
  std::string translate(const std::string &layout) const;
  std::string read(unsigned step, const std::string &outputs);
  std::string writeEpilogue(std::string expression, const std::string &outputs);
  void declare(std::string name, Role role, Shape shape, std::string layout,
               bool isHalf, Fill fill = Fill::Signed);
  std::string spell(const Argument &argument) const;
  std::string writeSource() const;
  void attachReference();

  const Row &row;
  Problem &problem;
  std::vector<Step> steps;
  std::vector<std::string> pixel; ///< The spatial indices of the output.
  /// Extents that the call gives, and how they are spelled.
  std::vector<std::string> names;
  int64_t batch = 0, in[3] = {}, out[3] = {};
  Transform transform;
  /// An output runs up to floor((input + offset) / stride) + 1.
  int64_t offset[3] = {};
};

} // namespace

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

static void parseConvolution(std::string text, Row &row) {
  TextError error;
  bool isProduct = true;
  for (int d = 0; d < 3; ++d) {
    std::string key = {'i', "dhw"[d]};
    isProduct &= text.find(key) == std::string::npos;
    if (size_t at = text.find(key + "?"); at != std::string::npos) {
      row.inAtRunTime[d] = true;
      text.erase(at + 2, 1);
    }
  }
  if (isProduct)
    text = "iw1kw1" + text;
  std::optional<ConvProblem> parsed = ConvProblem::parse(text, error);
  if (!parsed) {
    row.error = error.message;
    return;
  }
  row.rank = isProduct ? 0 : parsed->rank;
  row.batchAtRunTime = parsed->batchAtRunTime;
  Convolution &c = row.conv;
  c.batch = parsed->batch;
  c.groups = parsed->groups;
  c.inputs = parsed->inputs;
  c.outputs = parsed->outputs;
  for (unsigned d = 0; d < 3; ++d) {
    c.in[d] = parsed->in[d];
    c.out[d] = parsed->out[d];
    c.kernel[d] = parsed->kernel[d];
    c.stride[d] = parsed->stride[d];
    c.pad[d] = parsed->pad[d];
    c.dilation[d] = parsed->dilation[d];
  }
}

/// Takes `:f16` from the end of a layout, or `f16` alone.
static bool takeHalf(std::string &layout) {
  const std::string word = "f16";
  size_t size = layout.size();
  if (size < word.size() || layout.substr(size - word.size()) != word)
    return false;
  layout.erase(size - std::min(size, word.size() + 1));
  return true;
}

static Row split(const std::string &text) {
  Row row;
  size_t bar = text.find('|');
  std::istringstream words(text.substr(0, bar));
  std::string problem, epilogue;
  words >> problem >> row.source >> row.destination >> epilogue;
  if (epilogue.empty())
    row.error = "expected a problem, two layouts and an epilogue";
  else
    parseConvolution(problem, row);
  for (std::string extra; words >> extra;)
    if (extra == "w=input")
      row.weightsAreInput = true;
    else if (extra.rfind("w:", 0) == 0)
      row.weights = extra.substr(2);
    else
      row.error = "expected 'w:' and a layout, or 'w=input'";
  row.halfSource = takeHalf(row.source);
  row.halfDestination = takeHalf(row.destination);
  row.halfWeights = takeHalf(row.weights);
  for (std::string *layout : {&row.source, &row.destination})
    if (*layout == "-")
      layout->clear();
  std::istringstream steps(epilogue == "-" ? "" : epilogue);
  for (std::string step; std::getline(steps, step, '+');)
    row.epilogue.push_back(step);
  if (bar != std::string::npos)
    row.pattern = text.substr(bar + 1);
  return row;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static std::string join(const std::vector<std::string> &words) {
  std::string all;
  for (const std::string &word : words)
    all += (all.empty() ? "" : ", ") + word;
  return all;
}

/// `p*2 + r*3 - 1`
static std::string spellSubscript(const Convolution &c, int d) {
  std::string out(1, "opq"[d]), tap(1, "trs"[d]);
  std::string text = out;
  if (c.stride[d] != 1)
    text += "*" + std::to_string(c.stride[d]);
  text += " + " + tap;
  if (c.dilation[d] != 0)
    text += "*" + std::to_string(c.dilation[d] + 1);
  return c.pad[d] ? text + " - " + std::to_string(c.pad[d]) : text;
}

int64_t Writer::addSize(const std::string &spelling) {
  names.push_back(spelling);
  return runTime(names.size() - 1);
}

/// The extents; sizes that are passed come first, then what follows from them.
void Writer::addSizes() {
  const Convolution &c = row.conv;
  batch = row.batchAtRunTime ? addSize("N") : c.batch;
  for (int d = 0; d < 3; ++d)
    in[d] = row.inAtRunTime[d] ? addSize(std::string(1, "DHW"[d])) : c.in[d];
  for (int d = 0; d < 3; ++d) {
    out[d] = c.out[d];
    if (!row.inAtRunTime[d])
      continue;
    // Any rest below the stride will do: some columns at the end are not read.
    offset[d] = (c.out[d] - 1) * c.stride[d] - c.in[d] + c.in[d] % c.stride[d];
    out[d] = addSize("(" + names[-1 - in[d]] + (offset[d] < 0 ? " - " : " + ") +
                     std::to_string(std::abs(offset[d])) + ")/" +
                     std::to_string(c.stride[d]) + " + 1");
    ++problem.derived;
  }
}

/// As the row says; a single point; some more points; an empty batch; inputs
/// without any element, whose outputs may have some, or less than none.
void Writer::makeCalls() {
  const Convolution &c = row.conv;
  problem.calls.clear();
  auto call = [&](int64_t n, auto choose) {
    Problem::Sizes sizes, derived;
    if (row.batchAtRunTime)
      sizes.push_back(n);
    for (int d = 0; d < 3; ++d)
      if (row.inAtRunTime[d]) {
        sizes.push_back(choose(d));
        int64_t last = sizes.back() + offset[d], s = c.stride[d];
        derived.push_back((last < 0 ? -((s - 1 - last) / s) : last / s) + 1);
      }
    sizes.insert(sizes.end(), derived.begin(), derived.end());
    problem.calls.push_back(sizes);
  };
  auto asGiven = [&](int d) { return c.in[d]; };
  call(c.batch, asGiven);
  call(1, [&](int d) { return std::max<int64_t>(1, -offset[d]); });
  if (row.batchAtRunTime)
    call(0, asGiven);
  if (problem.derived == 0)
    return;
  call(2, [&](int d) { return c.in[d] + 3 + d; });
  call(c.batch, [&](int d) { return std::max<int64_t>(0, -offset[d] - 1); });
  call(1, [](int) { return 0; });
}

Shape Writer::withSpatial(Shape shape, const int64_t *extents) const {
  shape.insert(shape.end(), extents + 3 - row.rank, extents + 3);
  return shape;
}

/// A layout over [n, c, ...] as one over [n, g, c, ...], the shape of a grouped
/// tensor. The letters of one with three dimensions are n c w.
std::string Writer::translate(const std::string &layout) const {
  size_t at = layout.find('c');
  if (!hasSplitChannels() || at == std::string::npos)
    return layout;
  return layout.substr(0, at) + (row.rank ? "gc" : "cw") +
         layout.substr(at + 1);
}

void Writer::declare(std::string name, Role role, Shape shape,
                     std::string layout, bool isHalf, Fill fill) {
  problem.arguments.push_back({name, role, shape, layout, fill, isHalf});
}

std::string Writer::spell(const Argument &argument) const {
  static const char *const roles[] = {"input ", "weight", "output"};
  std::vector<std::string> extents;
  for (int64_t extent : argument.shape)
    extents.push_back(extent < 0 ? names[-1 - extent] : std::to_string(extent));
  std::string text = "  " + std::string(roles[int(argument.role)]) + " " +
                     argument.name + (argument.isHalf ? ": f16[" : ": f32[") +
                     join(extents) + "]";
  if (!argument.layout.empty())
    text += " layout " + argument.layout;
  return text + "\n";
}

/// Declares the tensor that a step reads, and spells the read.
std::string Writer::read(unsigned step, const std::string &outputs) {
  const Convolution &c = row.conv;
  std::string word = steps[step].word, layout = translate(row.destination);
  if (size_t at = word.find('@'); at != std::string::npos) {
    layout = translate(word.substr(at + 1));
    steps[step].word = word = word.substr(0, at);
  }
  bool perChannel = word == "bias" || word == "scale" || word == "div";
  bool isScalar = word == "scalar", perPixel = word == "pixel";
  bool isLikeOutput = !perChannel && !isScalar && !perPixel;
  std::string name = (isLikeOutput ? "z" : "b") + std::to_string(step);
  Shape shape = hasSplitChannels() && !isScalar && !perPixel
                    ? Shape{c.groups, c.outputs / c.groups}
                    : Shape{c.outputs};
  std::string index = hasSplitChannels() ? "g, k" : "k";
  if (isScalar) {
    shape = {1};
    index = "0";
  } else if (perPixel) {
    shape = withSpatial({}, out);
    index = join({pixel.begin(), pixel.end()});
  } else if (isLikeOutput) {
    shape.insert(shape.begin(), batch);
    shape = withSpatial(shape, out);
    index = outputs;
  }
  steps[step].read = isScalar     ? Read::Scalar
                     : perPixel   ? Read::Pixel
                     : perChannel ? Read::Channel
                                  : Read::Element;
  steps[step].operand = problem.arguments.size();
  Fill fill = word == "div"  ? Fill::Divisor
              : isLikeOutput ? Fill::Signed
                             : Fill::Wide;
  declare(name, Role::Input, shape, isLikeOutput ? layout : "",
          isLikeOutput && row.halfDestination, fill);
  return name + "[" + index + "]";
}

/// `lt` -> `<`; null if it is none.
static const char *findComparison(const std::string &word) {
  static const char *const comparisons[][2] = {{"eq", "=="}, {"ge", ">="},
                                               {"gt", ">"},  {"le", "<="},
                                               {"lt", "<"},  {"ne", "!="}};
  for (const auto &[name, op] : comparisons)
    if (word == name)
      return op;
  return nullptr;
}

std::string Writer::writeEpilogue(std::string e, const std::string &outputs) {
  for (unsigned i = 0; i < row.epilogue.size(); ++i) {
    steps.push_back({row.epilogue[i]});
    std::string word = row.epilogue[i].substr(0, row.epilogue[i].find('@'));
    if (word == "clamp")
      e = "clamp(" + e + ", -0.75, 1.5)";
    else if (word == "half")
      e = "0.5 * (" + e + ")";
    else if (word == "neg")
      e = "-(" + e + ")";
    else if (word == "bias" || word == "add" || word == "pixel" ||
             word == "scalar")
      e = read(i, outputs) + " + (" + e + ")";
    else if (word == "sub")
      e = e + " - " + read(i, outputs);
    else if (word == "scale" || word == "mul")
      e = "(" + e + ") * " + read(i, outputs);
    else if (word == "div")
      e = "(" + e + ") / " + read(i, outputs);
    else if (word == "exp" || word == "log" || word == "sqrt")
      e = word + "(clamp(" + e + ", 0.5, 4))"; // Where they are no cliffs.
    else if (const char *op = findComparison(word))
      e = "(" + e + " " + op + " " + read(i, outputs) + ")";
    else if (word == "gate") // Each side is taken somewhere.
      e = "select(" + e + " > 0.25, " + read(i, outputs) + ", -0.5)";
    else if (word == "max" || word == "min")
      e = word + "(" + e + ", " + read(i, outputs) + ")";
    else
      e = word + "(" + e + ")";
  }
  return e;
}

/// The growth is the greatest over i of sum(k: |A[i, k]| * sum(j: |G[k, j]|) *
/// sum(l: |B[l, k]|)) for the transforms A, G and B of Lavin and Gray ("Fast
/// Algorithms for Convolutional Neural Networks", section 4), here with the
/// points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity.
static Transform getTransform(const std::string &pattern, int64_t taps) {
  if (pattern.find("4x4") != std::string::npos)
    return {4, taps == 3 ? 48.0 : 87.0};
  return {2, taps == 3 ? 8.0 : 58.0};
}

void Writer::write() {
  const Convolution &c = row.conv;
  addSizes();
  std::vector<std::string> outputs = {"n"}, taps, source = {"n"}, filter;
  Shape x = {batch}, w, y = {batch};
  if (isGrouped()) {
    outputs.push_back(hasSplitChannels() ? "g" : "k");
    source.push_back(outputs.back());
    filter.push_back(outputs.back());
    for (Shape *shape : {&x, &w, &y})
      shape->push_back(c.groups);
  }
  if (!isDepthwise()) {
    outputs.push_back("k");
    filter.insert(filter.end(), {"k", "c"});
    source.push_back("c");
    taps.push_back("c");
    x.push_back(c.inputs / c.groups);
    w.insert(w.end(), {c.outputs / c.groups, c.inputs / c.groups});
    y.push_back(c.outputs / c.groups);
  }
  for (int d = 3 - row.rank; d < 3; ++d) {
    pixel.push_back(std::string(1, "opq"[d]));
    outputs.push_back(pixel.back());
    taps.push_back(std::string(1, "trs"[d]));
    filter.push_back(taps.back());
    source.push_back(spellSubscript(c, d));
  }
  declare("x", Role::Input, withSpatial(x, in), translate(row.source),
          row.halfSource);
  declare("w", row.weightsAreInput ? Role::Input : Role::Weight,
          withSpatial(w, c.kernel), row.weights, row.halfWeights);
  std::string sum = "sum(" + join(taps) + ": x[" + join(source) + "] * w[" +
                    join(filter) + "])";
  std::string left = join(outputs);
  std::string right = writeEpilogue(sum, left);
  declare("y", Role::Output, withSpatial(y, out), translate(row.destination),
          row.halfDestination);

  std::vector<std::string> parameters(names.begin(),
                                      names.end() - problem.derived);
  for (std::string &name : parameters)
    name += " = ?";
  problem.text = "kernel " + problem.name + "(" + join(parameters) + ") {\n";
  for (const Argument &argument : problem.arguments)
    problem.text += spell(argument);
  problem.text += "\n  y[" + left + "] = " + right + "\n}\n";
  if (!row.pattern.empty()) {
    problem.text += "\npattern given for " + problem.name + " {\n ";
    for (char letter : row.pattern)
      problem.text +=
          letter == ';' ? std::string("\n ") : std::string(1, letter);
    problem.text += "\n}\n";
  }
  int64_t tapCount = c.kernel[0] * c.kernel[1] * c.kernel[2];
  problem.products = double(c.batch * c.outputs) * double(c.inputs / c.groups) *
                     double(c.out[0] * c.out[1] * c.out[2] * tapCount);
  problem.looseness = std::max<int64_t>(problem.looseness, 2 * tapCount);
  // The bound of a transform counts what cancels in it.
  problem.isTransformed = row.pattern.find("transform") != std::string::npos;
  if (problem.isTransformed)
    transform = getTransform(row.pattern, c.kernel[1]);
  if (hasSizes())
    makeCalls();
  attachReference();
}

/// A step of the epilogue of a value and of what it reads, if anything: looked
/// up once, not for each element.
using Apply = std::function<Bounded(Bounded, Bounded)>;

static Apply findStep(const std::string &word) {
  if (word == "clamp")
    return [](Bounded e, Bounded) { return min(max(e, {-0.75, 0}), {1.5, 0}); };
  if (word == "half")
    return [](Bounded e, Bounded) { return Bounded{0.5, 0} * e; };
  if (word == "neg")
    return [](Bounded e, Bounded) { return -e; };
  if (word == "bias" || word == "add" || word == "pixel" || word == "scalar")
    return [](Bounded e, Bounded operand) { return e + operand; };
  if (word == "sub")
    return [](Bounded e, Bounded operand) { return e - operand; };
  if (word == "scale" || word == "mul")
    return [](Bounded e, Bounded operand) { return e * operand; };
  if (word == "div")
    return [](Bounded e, Bounded operand) { return e / operand; };
  if (word == "max")
    return [](Bounded e, Bounded operand) { return max(e, operand); };
  if (word == "min")
    return [](Bounded e, Bounded operand) { return min(e, operand); };
  if (const char *op = findComparison(word))
    return [op = std::string(op)](Bounded e, Bounded operand) {
      return compare(op, e, operand);
    };
  if (word == "gate")
    return [](Bounded e, Bounded operand) {
      return select(compare(">", e, {0.25, 0}), operand, {-0.5, 0});
    };
  std::optional<Function> found = findFunction(word);
  if (!found)
    return {}; // It does not compile.
  Function function = *found;
  if (word == "exp" || word == "log" || word == "sqrt")
    return [function](Bounded e, Bounded) {
      return activate(function, min(max(e, {0.5, 0}), {4, 0}));
    };
  return [function](Bounded e, Bounded) { return activate(function, e); };
}

void Writer::attachReference() {
  std::vector<Apply> applies;
  for (const Step &step : steps)
    applies.push_back(findStep(step.word));
  problem.reference = [conv = row.conv, rank = row.rank, steps = steps, applies,
                       looseness = problem.looseness, transform = transform](
                          const std::vector<Operand> &in,
                          std::vector<Result> &out) mutable {
    conv.batch = out[0].shape[0];
    for (unsigned d = 0; d < rank; ++d) {
      conv.in[2 - d] = in[0].shape.rbegin()[d];
      conv.out[2 - d] = out[0].shape.rbegin()[d];
    }
    Result sums{out[0].shape, conv.compute(in[0].values, in[1].values)};
    std::vector<double> transformed;
    if (transform.results)
      transformed =
          conv.boundTransformed(in[0].values, in[1].values, transform);
    int64_t image = conv.out[0] * conv.out[1] * conv.out[2], at = 0;
    auto finish = [&](Bounded e, const Index &index) {
      int64_t channel = at / image % conv.outputs, pixel = at % image;
      for (size_t i = 0; i < steps.size(); ++i) {
        const Operand &read = in[steps[i].operand];
        switch (steps[i].read) {
        case Read::None:
          e = applies[i](e, {});
          break;
        case Read::Scalar:
          e = applies[i](e, {read.values[0], 0});
          break;
        case Read::Pixel:
          e = applies[i](e, {read.values[pixel], 0});
          break;
        case Read::Channel:
          e = applies[i](e, {read.values[channel], 0});
          break;
        case Read::Element:
          e = applies[i](e, read.at(index));
          break;
        }
      }
      return e;
    };
    // An interval within another leads to one within that of the other, over
    // whatever jumps, so this holds for any epilogue.
    out[0].widest.clear();
    out[0].define([&](const Index &index) {
      Bounded sum = sums.values[at];
      double error = looseness * sum.getError();
      if (transform.results)
        error = std::max(error, transformed[at]);
      Bounded wide(sum.value, error);
      out[0].widest.push_back(finish(wide, index));
      Bounded result = finish(sum, index);
      ++at;
      return result;
    });
  };
}

Problem sparkle::parseRow(const std::string &text, const std::string &name) {
  Row row = split(text);
  Problem problem;
  problem.name = name;
  problem.title = row.error.empty() ? text : row.error + ": " + text;
  if (!row.error.empty())
    return problem;
  problem.row = text;
  Writer(row, problem).write();
  return problem;
}
