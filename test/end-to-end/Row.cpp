// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A row of shapes.txt -> a problem. The convolution is spelled in the grammar
// of oneDNN's benchdnn, `mb1ic64ih56oc64oh56kh3ph1n"res2"`, which
// ConvProblem.h tells. `mb?3` is a batch that only the call knows, and is 3.
// `nhwc:f16` are elements of 16 bits, in that layout.

#include "test/end-to-end/Problem.h"
#include "tools/sparkle-run/Problem/ConvProblem.h"

#include <sstream>

using namespace sparkle;

namespace {

/// A row as it is spelled.
struct Row {
  Convolution conv;
  unsigned rank = 2;
  bool batchAtRunTime = false;
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
  struct Step {
    std::string word, tensor;
    unsigned operand = 0;
  };

  bool isGrouped() const { return row.conv.groups > 1; }
  bool isDepthwise() const {
    return isGrouped() && row.conv.groups == row.conv.inputs &&
           row.conv.groups == row.conv.outputs;
  }
  bool hasSplitChannels() const { return isGrouped() && !isDepthwise(); }

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
};

} // namespace

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

static void parseConvolution(const std::string &text, Row &row) {
  TextError error;
  std::optional<ConvProblem> parsed = ConvProblem::parse(text, error);
  if (!parsed) {
    row.error = error.message;
    return;
  }
  row.rank = parsed->rank;
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
  std::string problem, epilogue, extra;
  words >> problem >> row.source >> row.destination >> epilogue >> extra;
  if (epilogue.empty())
    row.error = "expected a problem, two layouts and an epilogue";
  else
    parseConvolution(problem, row);
  if (extra.rfind("w:", 0) == 0)
    row.weights = extra.substr(2);
  row.halfSource = takeHalf(row.source);
  row.halfDestination = takeHalf(row.destination);
  row.halfWeights = takeHalf(row.weights);
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

Shape Writer::withSpatial(Shape shape, const int64_t *extents) const {
  shape.insert(shape.end(), extents + 3 - row.rank, extents + 3);
  return shape;
}

/// A layout over [n, c, ...] as one over [n, group, c, ...], the shape of a
/// grouped tensor, whose letters are n c d h w.
std::string Writer::translate(const std::string &layout) const {
  if (!hasSplitChannels())
    return layout;
  return layout == "nchw" ? "ncdhw" : layout == "nhwc" ? "nhwcd" : layout;
}

void Writer::declare(std::string name, Role role, Shape shape,
                     std::string layout, bool isHalf, Fill fill) {
  problem.arguments.push_back({name, role, shape, layout, fill, isHalf});
}

std::string Writer::spell(const Argument &argument) const {
  static const char *const roles[] = {"input ", "weight", "output"};
  std::vector<std::string> extents;
  for (int64_t extent : argument.shape)
    extents.push_back(extent < 0 ? "N" : std::to_string(extent));
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
  std::string name = (perChannel ? "b" : "z") + std::to_string(step);
  int64_t n = row.batchAtRunTime ? runTime(0) : c.batch;
  Shape channels = hasSplitChannels() ? Shape{c.groups, c.outputs / c.groups}
                                      : Shape{c.outputs};
  Shape shape = channels;
  if (!perChannel) {
    shape.insert(shape.begin(), n);
    shape = withSpatial(shape, c.out);
  }
  steps[step].tensor = name;
  steps[step].operand = problem.arguments.size();
  Fill fill = word == "div" ? Fill::Divisor
              : perChannel  ? Fill::Wide
                            : Fill::Signed;
  declare(name, Role::Input, shape, perChannel ? "" : layout,
          !perChannel && row.halfDestination, fill);
  std::string index = hasSplitChannels() ? "g, k" : "k";
  return name + "[" + (perChannel ? index : outputs) + "]";
}

std::string Writer::writeEpilogue(std::string e, const std::string &outputs) {
  for (unsigned i = 0; i < row.epilogue.size(); ++i) {
    steps.push_back({row.epilogue[i], "", 0});
    std::string word = row.epilogue[i].substr(0, row.epilogue[i].find('@'));
    if (word == "clamp")
      e = "clamp(" + e + ", -0.75, 1.5)";
    else if (word == "half")
      e = "0.5 * (" + e + ")";
    else if (word == "neg")
      e = "-(" + e + ")";
    else if (word == "bias" || word == "add")
      e = read(i, outputs) + " + (" + e + ")";
    else if (word == "sub")
      e = e + " - " + read(i, outputs);
    else if (word == "scale" || word == "mul")
      e = "(" + e + ") * " + read(i, outputs);
    else if (word == "div")
      e = "(" + e + ") / " + read(i, outputs);
    else if (word == "max" || word == "min")
      e = word + "(" + e + ", " + read(i, outputs) + ")";
    else
      e = word + "(" + e + ")";
  }
  return e;
}

void Writer::write() {
  const Convolution &c = row.conv;
  int64_t n = row.batchAtRunTime ? runTime(0) : c.batch;
  std::vector<std::string> outputs = {"n"}, taps, source = {"n"}, filter;
  Shape x = {n}, w, y = {n};
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
    outputs.push_back(std::string(1, "opq"[d]));
    taps.push_back(std::string(1, "trs"[d]));
    filter.push_back(taps.back());
    source.push_back(spellSubscript(c, d));
  }
  declare("x", Role::Input, withSpatial(x, c.in), translate(row.source),
          row.halfSource);
  declare("w", Role::Weight, withSpatial(w, c.kernel), row.weights,
          row.halfWeights);
  std::string sum = "sum(" + join(taps) + ": x[" + join(source) + "] * w[" +
                    join(filter) + "])";
  std::string left = join(outputs);
  std::string right = writeEpilogue(sum, left);
  declare("y", Role::Output, withSpatial(y, c.out), translate(row.destination),
          row.halfDestination);

  problem.text = "kernel " + problem.name +
                 (row.batchAtRunTime ? "(N = ?)" : "()") + " {\n";
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
  if (row.batchAtRunTime)
    problem.calls = {{c.batch}, {1}, {0}};
  attachReference();
}

/// One step of the epilogue; `operand` is what it reads, if anything.
static Bounded apply(const std::string &word, Bounded e, Bounded operand) {
  if (word == "clamp")
    return min(max(e, {-0.75, 0}), {1.5, 0});
  if (word == "half")
    return Bounded{0.5, 0} * e;
  if (word == "neg")
    return -e;
  if (word == "bias" || word == "add")
    return e + operand;
  if (word == "sub")
    return e - operand;
  if (word == "scale" || word == "mul")
    return e * operand;
  if (word == "div")
    return e / operand;
  if (word == "max")
    return max(e, operand);
  return word == "min" ? min(e, operand) : activate(word, e);
}

void Writer::attachReference() {
  problem.reference = [conv = row.conv,
                       steps = steps](const std::vector<Operand> &in,
                                      std::vector<Result> &out) mutable {
    conv.batch = out[0].shape[0];
    Result sums{out[0].shape, conv.compute(in[0].values, in[1].values)};
    int64_t image = conv.out[0] * conv.out[1] * conv.out[2], at = 0;
    out[0].define([&](const Index &index) {
      int64_t channel = at / image % conv.outputs;
      Bounded e = sums.values[at++];
      for (const Step &step : steps) {
        const Operand *read = step.tensor.empty() ? nullptr : &in[step.operand];
        bool perChannel = read && read->shape.size() < index.size() - 1;
        e = apply(step.word, e,
                  !read        ? Bounded()
                  : perChannel ? Bounded{read->values[channel], 0}
                               : read->at(index));
      }
      return e;
    });
  };
}

Problem sparkle::parseRow(const std::string &text, const std::string &name) {
  Row row = split(text);
  Problem problem;
  problem.name = name;
  problem.title = row.error.empty() ? text : row.error + ": " + text;
  if (row.error.empty())
    Writer(row, problem).write();
  return problem;
}
