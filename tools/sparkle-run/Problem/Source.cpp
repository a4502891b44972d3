// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Spells tensors, subscripts and the epilogue of one convolution.

#include "tools/sparkle-run/Problem/Source.h"

#include <cmath>
#include <cstdio>

using namespace sparkle;

/// Whether groups and their channels are one dimension. Winograd's transform
/// wants channels, also where each group has one.
static bool isOneDimension(const Case &problem) {
  return problem.conv.isDepthwise() && problem.algorithm != Algorithm::Winograd;
}

namespace {

using Words = std::vector<std::string>;

class Writer {
public:
  explicit Writer(const Case &problem)
      : problem(problem), conv(problem.conv), first(3 - conv.rank),
        hasSplitChannels(conv.isGrouped() && !isOneDimension(problem)),
        out{conv.out[0], conv.out[1], conv.out[2]} {}

  std::string write(const std::string &name);

private:
  void declare(const char *role, const std::string &name, const Words &extents,
               const std::string &layout = "", bool isHalf = false);
  /// Along each of `letters`, "ngchw".
  Words getExtents(const std::string &letters, int64_t channels,
                   const int64_t (&spatial)[3]) const;
  std::string getOutputLetters() const;
  std::optional<Tag> split(const Tag &tag) const;
  std::string spellOutputLayout() const;
  std::string spellShifted(unsigned d) const;
  std::string spellSubscript(unsigned d) const;
  std::string spellTap(unsigned d) const;
  std::string declareSource();
  std::string declareWeights();
  std::string spellSum();
  std::string spellBias();
  std::string spellOutput(const std::string &tensor) const;

  std::string multiply(const std::string &e, const std::optional<Scale> &scale,
                       const char *sign = " * ");
  std::string declareScale(const Scale &scale, int64_t channels,
                           const std::string &channel);
  std::string apply(const PostOp &step, std::string e);
  std::string applyFunction(const PostOp &step, const std::string &e);
  std::string raise(const std::string &e, double exponent);
  std::string declareOperand(const PostOp &step);
  std::string name(const std::string &e);
  std::string convolve(const PostOp &step, const std::string &e);
  std::string regroup(const std::string &e);
  std::string spellPattern(const std::string &kernel) const;

  const Case &problem;
  const ConvProblem &conv;
  unsigned first;
  bool hasSplitChannels;
  int64_t out[3];       ///< Extents of what the steps so far give.
  bool isFused = false; ///< Behind a depthwise convolution.
  Words outputs;
  std::string tensors, equations;
  unsigned operands = 0, scales = 0, temps = 0;
};

} // namespace

static std::string join(const Words &words) {
  std::string all;
  for (const std::string &word : words)
    all += (all.empty() ? "" : ", ") + word;
  return all;
}

static std::string spell(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", number);
  return text;
}

void Writer::declare(const char *role, const std::string &name,
                     const Words &extents, const std::string &layout,
                     bool isHalf) {
  tensors += "  " + std::string(role) + " " + name +
             (isHalf ? ": f16[" : ": f32[") + join(extents) + "]" +
             (layout.empty() ? "" : " layout " + layout) + "\n";
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Words Writer::getExtents(const std::string &letters, int64_t channels,
                         const int64_t (&spatial)[3]) const {
  Words extents;
  bool isSplit = letters.find('g') != std::string::npos;
  for (char letter : letters)
    switch (letter) {
    case 'n':
      extents.push_back(conv.batchAtRunTime ? "N" : std::to_string(conv.batch));
      break;
    case 'g':
      extents.push_back(std::to_string(conv.groups));
      break;
    case 'c':
      extents.push_back(
          std::to_string(isSplit ? channels / conv.groups : channels));
      break;
    default:
      extents.push_back(
          std::to_string(spatial[std::string("dhw").find(letter)]));
    }
  return extents;
}

std::string Writer::getOutputLetters() const {
  std::string letters = problem.getActivationLetters();
  return hasSplitChannels ? "ngc" + letters.substr(2) : letters;
}

/// As a layout of groups and their channels; none if a block of channels holds
/// a part of a group.
std::optional<Tag> Writer::split(const Tag &tag) const {
  if (!hasSplitChannels)
    return tag;
  return tag.split('c', 'g', conv.outputs / conv.groups);
}

/// Of temps and the output: as the problem has it, or channels last.
std::string Writer::spellOutputLayout() const {
  std::string letters = problem.getActivationLetters();
  std::optional<Tag> tag = split(problem.destination.getTag(letters));
  return (tag ? *tag : *split(ChannelLayout().getTag(letters))).spell();
}

/// What stands before the taps of a transposed convolution are counted: `p +
/// 1`.
std::string Writer::spellShifted(unsigned d) const {
  std::string text(1, "opq"[d]);
  return conv.pad[d] ? "(" + text + " + " + std::to_string(conv.pad[d]) + ")"
                     : text;
}

/// `p*2 + r*3 - 1`; transposed, `(p + 1)/2 - r`.
std::string Writer::spellSubscript(unsigned d) const {
  std::string text(1, "opq"[d]);
  if (conv.isTransposed) {
    text = spellShifted(d);
    if (conv.stride[d] != 1)
      text += "/" + std::to_string(conv.stride[d]);
    text += std::string(" - ") + "trs"[d];
    return conv.dilation[d] == 0
               ? text
               : text + "*" + std::to_string(conv.dilation[d] + 1);
  }
  if (conv.stride[d] != 1)
    text += "*" + std::to_string(conv.stride[d]);
  text += std::string(" + ") + "trs"[d];
  if (conv.dilation[d] != 0)
    text += "*" + std::to_string(conv.dilation[d] + 1);
  return conv.pad[d] ? text + " - " + std::to_string(conv.pad[d]) : text;
}

/// Groups are a dimension of the input, unless a block of its channels holds
/// parts of several of them.
std::string Writer::declareSource() {
  std::string letters = problem.getActivationLetters();
  Tag tag = problem.source.getTag(letters);
  Words subscripts = {"n"};
  int64_t each = conv.inputs / conv.groups;
  std::optional<Tag> split = tag.split('c', 'g', each);
  if (hasSplitChannels && split) {
    tag = *split;
    letters = "ngc" + letters.substr(2);
    subscripts.insert(subscripts.end(), {"g", "c"});
  } else {
    subscripts.push_back(isOneDimension(problem) ? "k"
                         : !hasSplitChannels     ? "c"
                         : each == 1             ? "g + c"
                                     : "g*" + std::to_string(each) + " + c");
  }
  for (unsigned d = first; d < 3; ++d)
    subscripts.push_back(spellSubscript(d));
  declare("input ", "x", getExtents(letters, conv.inputs, conv.in),
          tag.spell());
  return "x[" + join(subscripts) + "]";
}

/// `r`; transposed with a stride, every other tap, `(p + 1)%2 + r*2`.
std::string Writer::spellTap(unsigned d) const {
  std::string tap(1, "trs"[d]), stride = std::to_string(conv.stride[d]);
  if (!conv.isTransposed || conv.stride[d] == 1)
    return tap;
  return spellShifted(d) + "%" + stride + " + " + tap + "*" + stride;
}

/// A depthwise filter has no channels of its own, unless its layout has.
std::string Writer::declareWeights() {
  Words subscripts, extents;
  bool hasAll = problem.weights.has_value();
  if (conv.isGrouped()) {
    subscripts.push_back(hasSplitChannels ? "g" : "k");
    extents.push_back(std::to_string(conv.groups));
  }
  if (!isOneDimension(problem) || hasAll) {
    bool isOne = isOneDimension(problem);
    subscripts.push_back(isOne ? "0" : "k");
    subscripts.push_back(isOne ? "0" : "c");
    extents.push_back(std::to_string(conv.outputs / conv.groups));
    extents.push_back(std::to_string(conv.inputs / conv.groups));
  }
  for (unsigned d = first; d < 3; ++d) {
    subscripts.push_back(spellTap(d));
    extents.push_back(std::to_string(conv.kernel[d]));
  }
  declare("weight", "w", extents, hasAll ? problem.weights->spell() : "");
  return "w[" + join(subscripts) + "]";
}

/// Declares what the sum reads, and spells it.
std::string Writer::spellSum() {
  Words taps;
  outputs = {"n"};
  if (conv.isGrouped())
    outputs.push_back(hasSplitChannels ? "g" : "k");
  if (!isOneDimension(problem)) {
    outputs.push_back("k");
    taps.push_back("c");
  }
  for (unsigned d = first; d < 3; ++d) {
    outputs.push_back(std::string(1, "opq"[d]));
    taps.push_back(std::string(1, "trs"[d]));
    if (conv.isTransposed && conv.stride[d] != 1)
      taps.back() += " < " + std::to_string(conv.getTaps(d));
  }
  std::string term = declareSource();
  term += " * " + declareWeights();
  // Along the channels of the input a factor is one of the terms.
  const std::optional<Scale> &source = problem.scales.source;
  if (source && source->perChannel)
    term += " * " + declareScale(*source, conv.inputs,
                                 isOneDimension(problem) ? "k" : "c");
  std::string sum = "sum(" + join(taps) + ": " + term + ")";
  if (source && !source->perChannel)
    sum = multiply(sum, source);
  return multiply(sum, problem.scales.weights);
}

/// One number for each channel, of all groups.
std::string Writer::declareScale(const Scale &scale, int64_t channels,
                                 const std::string &channel) {
  if (!scale.perChannel)
    return ::spell(scale.value);
  std::string tensor = "s" + std::to_string(scales++);
  Words extents = getExtents(hasSplitChannels ? "gc" : "c", channels, conv.out);
  declare("input ", tensor, extents);
  return tensor + (hasSplitChannels ? "[g, " : "[") + channel + "]";
}

/// Times a number, or a tensor that varies along the channels of the output.
std::string Writer::multiply(const std::string &e,
                             const std::optional<Scale> &scale,
                             const char *sign) {
  if (!scale)
    return e;
  return "(" + e + ")" + sign + declareScale(*scale, conv.outputs, "k");
}

std::string Writer::spellBias() {
  int64_t each = conv.outputs / (hasSplitChannels ? conv.groups : 1);
  Words extents = {std::to_string(each)};
  if (hasSplitChannels)
    extents.insert(extents.begin(), std::to_string(conv.groups));
  std::string bias = isFused ? "b" + std::to_string(temps) : "b";
  declare("input ", bias, extents);
  return bias + (hasSplitChannels ? "[g, k]" : "[k]");
}

std::string Writer::spellOutput(const std::string &tensor) const {
  return tensor + "[" + join(outputs) + "]";
}

//===----------------------------------------------------------------------===//
// The epilogue
//===----------------------------------------------------------------------===//

/// Makes a value that a formula wants more than once an element of a temp.
std::string Writer::name(const std::string &e) {
  std::string temp = "t" + std::to_string(temps++);
  declare("temp  ", temp, getExtents(getOutputLetters(), conv.outputs, out),
          spellOutputLayout());
  equations += "  " + spellOutput(temp) + " = " + e + "\n";
  return spellOutput(temp);
}

static std::string callClamp(const std::string &e, double low, double high) {
  return "clamp(" + e + ", " + spell(low) + ", " + spell(high) + ")";
}

static std::string scale(double factor, const std::string &e) {
  return factor == 1 ? e : spell(factor) + " * (" + e + ")";
}

static bool isWhole(double number) { return std::floor(number) == number; }

/// `e` to a power. What is negative has one only if the exponent is whole.
std::string Writer::raise(const std::string &e, double exponent) {
  if (exponent == 0)
    return "0 * (" + e + ") + 1";
  if (exponent == 1)
    return e;
  if (exponent == 0.5)
    return "sqrt(" + e + ")";
  if (!isWhole(exponent))
    return "exp(" + ::spell(exponent) + " * log(" + e + "))";
  if (exponent < 0)
    return "1 / (" + raise(e, -exponent) + ")";
  std::string x = name(e);
  // A few products; then by the magnitude, which cannot overflow on the way.
  bool isOdd = !isWhole(exponent / 2);
  if (exponent > 4)
    return (isOdd ? x + " * " : "") + "exp(" + ::spell(exponent - isOdd) +
           " * log(max(" + x + ", -" + x + ")))";
  std::string product = x;
  for (int i = 1; i < exponent; ++i)
    product += " * " + x;
  return product;
}

std::string Writer::applyFunction(const PostOp &step, const std::string &e) {
  static const char *const same[][2] = {
      {"exp", "exp"},          {"gelu_erf", "gelu"}, {"log", "log"},
      {"logistic", "sigmoid"}, {"round", "round"},   {"sqrt", "sqrt"},
      {"tanh", "tanh"}};
  const std::string &word = step.word;
  double alpha = step.alpha, beta = step.beta;
  for (const auto &[known, function] : same)
    if (word == known)
      return std::string(function) + "(" + e + ")";
  if (word == "relu" && alpha == 0)
    return "relu(" + e + ")";
  if (word == "clip" || word == "clip_v2")
    return callClamp(e, alpha, beta);
  if (word == "bounded_relu")
    return callClamp(e, 0, alpha);
  if (word == "linear")
    return ::spell(alpha) + " * (" + e + ") + " + ::spell(beta);
  if (word == "hardsigmoid")
    return callClamp(::spell(alpha) + " * (" + e + ") + " + ::spell(beta), 0,
                     1);
  if (word == "hardswish" && alpha == 1. / 6 && beta == 0.5)
    return "hswish(" + e + ")";
  if (word == "swish" && alpha == 0)
    return "0.5 * (" + e + ")";
  if (word == "swish") // x * sigmoid(a * x)
    return scale(1 / alpha, "silu(" + scale(alpha, e) + ")");
  if (word == "soft_relu") // log(1 + exp(a * x)) / a
    return scale(1 / alpha, "softplus(" + scale(alpha, e) + ")");
  if (word == "logsigmoid")
    return "-softplus(-(" + e + "))";
  if (word == "pow")
    return scale(alpha, raise(e, beta));

  std::string x = name(e);
  if (word == "elu")
    return "max(" + x + ", 0) + " + ::spell(alpha) + " * (exp(min(" + x +
           ", 0)) - 1)";
  if (word == "relu")
    return "max(" + x + ", 0) + " + ::spell(alpha) + " * min(" + x + ", 0)";
  if (word == "abs")
    return "max(" + x + ", -" + x + ")";
  if (word == "square")
    return x + " * " + x;
  if (word == "hardswish")
    return x + " * " +
           callClamp(::spell(alpha) + " * " + x + " + " + ::spell(beta), 0, 1);
  if (word == "gelu_tanh") // 0.797... is the square root of 2 / pi.
    return "0.5 * " + x + " * (1 + tanh(0.797884561 * " + x +
           " * (1 + 0.044715 * " + x + " * " + x + ")))";
  return x + " * tanh(softplus(" + x + "))"; // mish
}

/// A tensor of the step, and its element. Dimensions along which it does not
/// vary are left out.
std::string Writer::declareOperand(const PostOp &step) {
  std::string letters = problem.getActivationLetters(), kept, all;
  Tag tag = problem.destination.getTag(letters);
  if (!step.tag.empty())
    tag = *Tag::parse(step.tag, letters);
  // The letters of the output's dimensions, and those of the operand's.
  for (size_t d = 0; d < letters.size(); ++d)
    if (step.kind == PostOp::Sum || step.mask >> d & 1)
      kept += letters[d];
  bool isLikeOutput = kept == letters;
  // Blocks that hold parts of groups leave the channels as they are.
  bool isFlat = isLikeOutput && !split(tag);
  if (!isFlat && isLikeOutput)
    tag = *split(tag);
  if (size_t c = kept.find('c');
      hasSplitChannels && !isFlat && c != std::string::npos)
    kept.replace(c, 1, "gc");
  all = getOutputLetters();
  std::string element = "z" + std::to_string(operands++);
  Words extents, subscripts;
  for (size_t i = 0; i < all.size(); ++i)
    if (isFlat && all[i] == 'g')
      continue;
    else if (isFlat && all[i] == 'c')
      subscripts.push_back("g*" + std::to_string(conv.outputs / conv.groups) +
                           " + k");
    else if (kept.find(all[i]) != std::string::npos)
      subscripts.push_back(outputs[i]);
  extents = getExtents(kept, conv.outputs, out);
  if (kept.empty()) { // One value for all.
    extents = {"1"};
    subscripts = {"0"};
  }
  declare("input ", element, extents, isLikeOutput ? tag.spell() : "",
          step.isHalf);
  return element + "[" + join(subscripts) + "]";
}

/// A convolution of each channel of `e`, an equation of its own. Its padding
/// behind is what the output needs: one element for each step that begins.
std::string Writer::convolve(const PostOp &step, const std::string &e) {
  const Scales &scales = problem.scales;
  // It multiplies by what the first convolution divides by.
  std::string source = name(multiply(e, scales.destination, " / "));
  Words taps, subscripts = outputs;
  size_t place = outputs.size() - conv.rank;
  Words filter(outputs.begin() + 1, outputs.begin() + place);
  Words extents = getExtents(hasSplitChannels ? "gc" : "c", conv.outputs, out);
  for (unsigned d = first; d < 3; ++d, ++place) {
    std::string tap(1, "trs"[d]);
    subscripts[place] += "*" + std::to_string(step.stride) + " + " + tap +
                         " - " + std::to_string(step.pad);
    taps.push_back(tap);
    filter.push_back(tap);
    extents.push_back(std::to_string(step.kernel));
    out[d] = (out[d] + step.stride - 1) / step.stride;
  }
  std::string weights = "w" + std::to_string(temps);
  declare("weight", weights, extents);
  source = source.substr(0, source.find('[')) + "[" + join(subscripts) + "]";
  std::string sum = "sum(" + join(taps) + ": " + source + " * " + weights +
                    "[" + join(filter) + "])";
  if (!isFused)
    sum = multiply(sum, scales.destination);
  isFused = true;
  sum = multiply(sum, scales.depthwiseWeights);
  return problem.hasBias ? spellBias() + " + " + sum : sum;
}

/// Elements by the channels of all groups: another pass over memory.
std::string Writer::regroup(const std::string &e) {
  std::string temp = name(e), each = std::to_string(conv.outputs / conv.groups);
  outputs.erase(outputs.begin() + 1); // g
  Words subscripts = outputs;
  subscripts[1] = "k / " + each + ", k % " + each;
  return temp.substr(0, temp.find('[')) + "[" + join(subscripts) + "]";
}

std::string Writer::apply(const PostOp &step, std::string e) {
  std::string z;
  switch (step.kind) {
  case PostOp::Eltwise:
    return scale(step.scale, applyFunction(step, e));
  case PostOp::Sum:
    z = declareOperand(step);
    return e + " + " + (step.alpha == 1 ? z : ::spell(step.alpha) + " * " + z);
  case PostOp::Prelu:
    e = name(e);
    return "max(" + e + ", 0) + " + declareOperand(step) + " * min(" + e +
           ", 0)";
  case PostOp::Depthwise:
    return convolve(step, e);
  case PostOp::Binary:
    break;
  }
  z = declareOperand(step);
  static const char *const operators[][2] = {
      {"add", " + "}, {"sub", " - "}, {"mul", " * "}, {"div", " / "},
      {"eq", " == "}, {"ge", " >= "}, {"gt", " > "},  {"le", " <= "},
      {"lt", " < "},  {"ne", " != "}};
  for (const auto &[word, sign] : operators)
    if (step.word == word)
      return "((" + e + ")" + sign + z + ")";
  return step.word + "(" + e + ", " + z + ")"; // max or min
}

//===----------------------------------------------------------------------===//
// All of it
//===----------------------------------------------------------------------===//

/// Of the equation with the sum: the first one.
std::string Writer::spellPattern(const std::string &kernel) const {
  if (problem.algorithm == Algorithm::Auto)
    return "";
  std::string transform = "none";
  if (problem.algorithm == Algorithm::Winograd)
    transform = problem.winograd == "auto" ? "auto 4x4"
                                           : "winograd " + problem.winograd;
  return "\npattern chosen for " + kernel + (temps ? ".t0" : "") +
         " {\n  transform " + transform + "\n}\n";
}

std::string Writer::write(const std::string &kernel) {
  std::string right = spellSum();
  if (problem.hasBias)
    right = spellBias() + " + " + right;
  right = multiply(right, problem.scales.output);
  for (const PostOp &step : problem.postOps)
    right = apply(step, right);
  right = multiply(right,
                   isFused ? problem.scales.depthwiseDestination
                           : problem.scales.destination,
                   " / ");
  std::string letters = getOutputLetters(), layout = spellOutputLayout();
  Tag tag = problem.destination.getTag(problem.getActivationLetters());
  if (!split(tag)) {
    right = regroup(right);
    letters = problem.getActivationLetters();
    layout = tag.spell();
  }
  declare("output", "y", getExtents(letters, conv.outputs, out), layout);
  return "kernel " + kernel + (conv.batchAtRunTime ? "(N = ?)" : "()") +
         " with reference {\n" + tensors + "\n" + equations + "  " +
         spellOutput("y") + " = " + right + "\n}\n" + spellPattern(kernel);
}

std::string sparkle::getSummand(const Case &problem) {
  size_t operands = 0;
  for (const PostOp &step : problem.postOps) {
    if (step.kind == PostOp::Sum)
      return "z" + std::to_string(operands);
    operands += step.kind != PostOp::Eltwise;
  }
  return "";
}

std::string sparkle::writeKernel(const Case &problem, const std::string &name) {
  return Writer(problem).write(name);
}
