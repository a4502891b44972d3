// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Spells tensors, subscripts and the epilogue of one convolution.

#include "tools/sparkle-run/Problem/Source.h"

#include <cstdio>

using namespace sparkle;

namespace {

using Words = std::vector<std::string>;

class Writer {
public:
  explicit Writer(const Case &problem)
      : problem(problem), conv(problem.conv), first(3 - conv.rank),
        hasSplitChannels(conv.isGrouped() && !conv.isDepthwise()) {}

  std::string write(const std::string &name);

private:
  void declare(const char *role, const std::string &name, const Words &extents,
               const std::string &layout = "");
  Words getActivation(int64_t channels, const int64_t (&spatial)[3]) const;
  std::string spell(const ChannelLayout &layout) const;
  std::string spellSubscript(unsigned d) const;
  std::string spellSum();
  std::string apply(const PostOp &step, std::string e);

  const Case &problem;
  const ConvProblem &conv;
  unsigned first;
  bool hasSplitChannels;
  Words outputs;
  std::string tensors;
  unsigned operands = 0;
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
                     const Words &extents, const std::string &layout) {
  tensors += "  " + std::string(role) + " " + name + ": f32[" + join(extents) +
             "]" + (layout.empty() ? "" : " layout " + layout) + "\n";
}

Words Writer::getActivation(int64_t channels,
                            const int64_t (&spatial)[3]) const {
  Words extents = {conv.batchAtRunTime ? "N" : std::to_string(conv.batch)};
  if (hasSplitChannels) {
    extents.push_back(std::to_string(conv.groups));
    channels /= conv.groups;
  }
  extents.push_back(std::to_string(channels));
  for (unsigned d = first; d < 3; ++d)
    extents.push_back(std::to_string(spatial[d]));
  return extents;
}

std::string Writer::spell(const ChannelLayout &layout) const {
  std::string spatial = std::string("dhw").substr(first);
  std::string channels = hasSplitChannels ? "gc" : "c";
  if (layout.kind == ChannelLayout::Last)
    return "n" + spatial + channels;
  std::string word = "n" + channels + spatial;
  return layout.kind == ChannelLayout::Planar
             ? word
             : word + std::to_string(layout.block) + "c";
}

/// `p*2 + r*3 - 1`
std::string Writer::spellSubscript(unsigned d) const {
  std::string text(1, "opq"[d]);
  if (conv.stride[d] != 1)
    text += "*" + std::to_string(conv.stride[d]);
  text += std::string(" + ") + "trs"[d];
  if (conv.dilation[d] != 0)
    text += "*" + std::to_string(conv.dilation[d] + 1);
  return conv.pad[d] ? text + " - " + std::to_string(conv.pad[d]) : text;
}

/// Declares what the sum reads, and spells it.
std::string Writer::spellSum() {
  Words source = {"n"}, filter, taps, extents;
  outputs = {"n"};
  if (conv.isGrouped()) {
    outputs.push_back(hasSplitChannels ? "g" : "k");
    source.push_back(outputs.back());
    filter.push_back(outputs.back());
    extents.push_back(std::to_string(conv.groups));
  }
  if (!conv.isDepthwise()) {
    outputs.push_back("k");
    source.push_back("c");
    taps.push_back("c");
    filter.insert(filter.end(), {"k", "c"});
    extents.push_back(std::to_string(conv.outputs / conv.groups));
    extents.push_back(std::to_string(conv.inputs / conv.groups));
  }
  for (unsigned d = first; d < 3; ++d) {
    outputs.push_back(std::string(1, "opq"[d]));
    taps.push_back(std::string(1, "trs"[d]));
    filter.push_back(taps.back());
    source.push_back(spellSubscript(d));
    extents.push_back(std::to_string(conv.kernel[d]));
  }
  declare("input ", "x", getActivation(conv.inputs, conv.in),
          spell(problem.source));
  declare("weight", "w", extents);
  return "sum(" + join(taps) + ": x[" + join(source) + "] * w[" + join(filter) +
         "])";
}

std::string Writer::apply(const PostOp &step, std::string e) {
  static const char *const functions[][2] = {
      {"relu", "relu"},     {"tanh", "tanh"},  {"logistic", "sigmoid"},
      {"gelu_erf", "gelu"}, {"swish", "silu"}, {"hardswish", "hswish"}};
  for (const auto &[word, function] : functions)
    if (step.word == word)
      return std::string(function) + "(" + e + ")";
  if (step.word == "clip")
    return "clamp(" + e + ", " + ::spell(step.alpha) + ", " +
           ::spell(step.beta) + ")";
  if (step.word == "linear")
    return ::spell(step.alpha) + " * (" + e + ") + " + ::spell(step.beta);
  std::string name = "z" + std::to_string(operands++); // A sum.
  declare("input ", name, getActivation(conv.outputs, conv.out),
          spell(problem.destination));
  return e + " + " + name + "[" + join(outputs) + "]";
}

std::string Writer::write(const std::string &name) {
  std::string right = spellSum();
  if (problem.hasBias) {
    int64_t each = conv.outputs / (hasSplitChannels ? conv.groups : 1);
    Words extents = {std::to_string(each)};
    if (hasSplitChannels)
      extents.insert(extents.begin(), std::to_string(conv.groups));
    declare("input ", "b", extents);
    right = std::string(hasSplitChannels ? "b[g, k]" : "b[k]") + " + " + right;
  }
  for (const PostOp &step : problem.postOps)
    right = apply(step, right);
  declare("output", "y", getActivation(conv.outputs, conv.out),
          spell(problem.destination));
  return "kernel " + name + (conv.batchAtRunTime ? "(N = ?)" : "()") +
         " with reference {\n" + tensors + "\n  y[" + join(outputs) +
         "] = " + right + "\n}\n";
}

std::string sparkle::writeKernel(const Case &problem, const std::string &name) {
  return Writer(problem).write(name);
}
