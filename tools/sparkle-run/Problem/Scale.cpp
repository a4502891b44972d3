// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Words between `+` and `:` -> factors.

#include "tools/sparkle-run/Problem/Scale.h"
#include "tools/sparkle-run/Problem/PostOp.h"

using namespace sparkle;

/// The words behind the tensor: `common:0.5`, `per_oc`, each with a type.
static std::optional<Scale> parse(const std::vector<std::string> &words,
                                  const std::string &perChannel) {
  Scale scale;
  size_t at = 1;
  scale.perChannel = words[0] == "per_oc" || words[0] == perChannel;
  if (!scale.perChannel && words[0] != "common")
    return std::nullopt;
  if (at < words.size() && words[at] != "f32") {
    std::string text = words[at++];
    if (!text.empty() && text.back() == '*')
      text.pop_back(); // The call gives it, and it is the same.
    std::optional<double> value = readNumber(text);
    if (!value)
      return std::nullopt;
    scale.value = *value;
  }
  if (at < words.size() && words[at++] != "f32")
    return std::nullopt;
  return at < words.size() ? std::nullopt : std::optional(scale);
}

std::string sparkle::parseScales(const std::string &text, bool isGrouped,
                                 Scales &scales) {
  const std::string perFilter = isGrouped ? "per_dim_01" : "per_dim_0";
  for (const std::string &part : split(text, '+')) {
    if (part.empty())
      continue;
    std::vector<std::string> words = split(part, ':');
    std::string tensor = words[0];
    words.erase(words.begin());
    bool isWeights = tensor == "wei" || tensor == "attr_post_op_dw_wei";
    std::optional<Scale> *const place =
        tensor == "src" || tensor == "src0" ? &scales.source
        : tensor == "wei"                   ? &scales.weights
        : tensor == "dst"                   ? &scales.destination
        : tensor == "attr_post_op_dw_wei"   ? &scales.depthwiseWeights
        : tensor == "attr_post_op_dw_dst"   ? &scales.depthwiseDestination
                                            : nullptr;
    std::optional<Scale> scale;
    if (place && !words.empty())
      scale = parse(words, isWeights ? perFilter : "per_dim_1");
    if (!scale)
      return "scale '" + part +
             "': only numbers of f32, one for all or one for each channel";
    *place = scale;
  }
  return "";
}

std::string sparkle::parseOutputScale(const std::string &text, Scales &scales) {
  if (text.empty())
    return "";
  scales.output = parse(split(text, ':'), "per_dim_1");
  return scales.output ? ""
                       : "scale '" + text +
                             "': only numbers of f32, one for all or one for "
                             "each channel";
}
