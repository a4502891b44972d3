// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Words between `+` and `:` -> steps.

#include "tools/sparkle-run/Problem/PostOp.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

using namespace sparkle;

/// Functions of a value that the language can say, and how many parameters they
/// take; what these are where they are left out.
static constexpr struct {
  const char *word;
  unsigned parameters;
  double alpha, beta;
} functions[] = {{"abs", 0, 0, 0},         {"bounded_relu", 1, 0, 0},
                 {"clip", 2, 0, 0},        {"clip_v2", 2, 0, 0},
                 {"elu", 1, 0, 0},         {"exp", 0, 0, 0},
                 {"gelu_erf", 0, 0, 0},    {"gelu_tanh", 0, 0, 0},
                 {"hardsigmoid", 2, 0, 0}, {"hardswish", 2, 1. / 6, 0.5},
                 {"linear", 2, 1, 0},      {"log", 0, 0, 0},
                 {"logistic", 0, 0, 0},    {"logsigmoid", 0, 0, 0},
                 {"mish", 0, 0, 0},        {"pow", 2, 1, 1},
                 {"relu", 1, 0, 0},        {"round", 0, 0, 0},
                 {"soft_relu", 1, 1, 0},   {"sqrt", 0, 0, 0},
                 {"square", 0, 0, 0},      {"swish", 1, 1, 0},
                 {"tanh", 0, 0, 0}};

/// Other words for the same: those of oneDNN's headers, those for which the
/// backward pass would take the output, and older ones.
static std::string normalise(std::string word) {
  auto drop = [&](const std::string &part, bool atEnd) {
    if (word.size() > part.size() &&
        word.compare(atEnd ? word.size() - part.size() : 0, part.size(),
                     part) == 0)
      word.erase(atEnd ? word.size() - part.size() : 0, part.size());
  };
  drop("eltwise_", false);
  drop("binary_", false);
  drop("_use_dst_for_bwd", true);
  drop("_dst", true);
  return word == "srelu" || word == "soft_relu_v2" ? "soft_relu" : word;
}

static constexpr const char *binaries[] = {"add", "div", "eq", "ge",
                                           "gt",  "le",  "lt", "max",
                                           "min", "mul", "ne", "sub"};

std::vector<std::string> sparkle::split(const std::string &text,
                                        char separator) {
  std::vector<std::string> parts(1);
  for (char letter : text)
    letter == separator ? parts.emplace_back() : parts.back() += letter;
  return parts;
}

std::optional<double> sparkle::readNumber(const std::string &text) {
  char *end;
  double number = std::strtod(text.c_str(), &end);
  if (text.empty() || *end)
    return std::nullopt;
  return number;
}

/// `common`, `per_oc`, `per_tensor`, `per_dim_01`, or the mask as a number.
static std::optional<unsigned> parseMask(const std::string &text,
                                         unsigned rank) {
  unsigned all = (1u << rank) - 1;
  if (text == "common")
    return 0;
  if (text == "per_oc")
    return 2;
  if (text == "per_tensor")
    return all;
  std::string digits = text.rfind("per_dim_", 0) == 0 ? text.substr(8) : "";
  unsigned mask = 0;
  for (char digit : digits)
    mask |= digit >= '0' && digit <= '9' ? 1u << (digit - '0') : all + 1;
  if (digits.empty()) {
    std::optional<double> number = readNumber(text);
    mask =
        number && *number >= 0 && *number <= all ? unsigned(*number) : all + 1;
  }
  if (mask > all)
    return std::nullopt;
  return mask;
}

/// `relu:0.1`, with a factor behind the two parameters.
static bool parseEltwise(const std::vector<std::string> &words, PostOp &step) {
  auto found = std::find_if(
      std::begin(functions), std::end(functions),
      [&](const auto &function) { return function.word == step.word; });
  if (found == std::end(functions) || words.size() > 4)
    return false;
  double *const numbers[] = {&step.alpha, &step.beta, &step.scale};
  step.alpha = found->alpha;
  step.beta = found->beta;
  for (size_t i = 1; i < words.size(); ++i) {
    std::optional<double> number = readNumber(words[i]);
    // A parameter that the function does not have is 0.
    if (!number || (i <= 2 && i > found->parameters && *number != 0))
      return false;
    *numbers[i - 1] = *number;
  }
  return step.word != "soft_relu" || step.alpha != 0; // It is a divisor.
}

/// `sum:0.5`, and a zero point and a type that change nothing.
static bool parseSum(const std::vector<std::string> &words, PostOp &step) {
  step.alpha = 1;
  if (words.size() > 1) {
    std::optional<double> number = readNumber(words[1]);
    if (!number)
      return false;
    step.alpha = *number;
  }
  return words.size() <= 4 && (words.size() < 3 || words[2] == "0") &&
         (words.size() < 4 || words[3] == "f32");
}

/// `add:f32:per_oc:axb`, where mask and tag may be missing.
static bool parseBinary(const std::vector<std::string> &words, unsigned rank,
                        PostOp &step) {
  if (words.size() < 2 || words.size() > 4 ||
      (words[1] != "f32" && words[1] != "f16"))
    return false;
  step.isHalf = words[1] == "f16";
  std::optional<unsigned> mask =
      words.size() < 3 ? 0 : parseMask(words[2], rank);
  step.mask = mask.value_or(0);
  step.tag = words.size() < 4 || words[3] == "any" ? "" : words[3];
  return mask.has_value();
}

/// `prelu:per_oc`
static bool parsePrelu(const std::vector<std::string> &words, unsigned rank,
                       PostOp &step) {
  std::optional<unsigned> mask =
      words.size() < 2 ? 0 : parseMask(words[1], rank);
  step.mask = mask.value_or(0);
  return mask && words.size() <= 2;
}

/// `dw:k3s1p1`, or `dw_k3s1p1` as oneDNN 2 has it; then the type of its output.
static bool parseDepthwise(const std::vector<std::string> &words,
                           PostOp &step) {
  bool isOld = step.word != "dw";
  if (words.size() < (isOld ? 1 : 2) || words.size() > (isOld ? 2 : 3) ||
      (words.size() == (isOld ? 2 : 3) && words.back() != "f32"))
    return false;
  int end = 0;
  std::string form = isOld ? step.word.substr(3) : words[1];
  step.word = "dw";
  return std::sscanf(form.c_str(), "k%4" SCNd64 "s%4" SCNd64 "p%4" SCNd64 "%n",
                     &step.kernel, &step.stride, &step.pad, &end) == 3 &&
         end == int(form.size()) && step.kernel > 0 && step.stride > 0 &&
         step.pad >= 0;
}

static bool parse(const std::vector<std::string> &words, unsigned rank,
                  PostOp &step) {
  bool isBinary = std::find(std::begin(binaries), std::end(binaries),
                            step.word) != std::end(binaries);
  bool isDepthwise = step.word == "dw" || step.word.rfind("dw_", 0) == 0;
  step.kind = step.word == "sum"     ? PostOp::Sum
              : isDepthwise          ? PostOp::Depthwise
              : step.word == "prelu" ? PostOp::Prelu
              : isBinary             ? PostOp::Binary
                                     : PostOp::Eltwise;
  switch (step.kind) {
  case PostOp::Sum:
    return parseSum(words, step);
  case PostOp::Prelu:
    return parsePrelu(words, rank, step);
  case PostOp::Binary:
    return parseBinary(words, rank, step);
  case PostOp::Depthwise:
    return parseDepthwise(words, step);
  case PostOp::Eltwise:
    return parseEltwise(words, step);
  }
  return false;
}

/// Why a step cannot be read.
static std::string explain(const std::vector<std::string> &words,
                           const PostOp &step) {
  bool isType = words.size() > 1 && step.kind == PostOp::Binary;
  if (isType && words[1] != "f32" && words[1] != "f16")
    return ": only tensors of f32 or f16";
  if (step.kind == PostOp::Depthwise)
    return ": only of f32, with kernel, stride and padding as in k3s1p1";
  if (step.kind == PostOp::Sum && words.size() > 2)
    return ": only a tensor of f32 without a zero point";
  return "";
}

std::string sparkle::parsePostOps(const std::string &text, unsigned rank,
                                  std::vector<PostOp> &steps) {
  std::string chain = text;
  std::replace(chain.begin(), chain.end(), ';', '+'); // as oneDNN 1 has it
  for (std::string part : split(chain, '+')) {
    part.erase(std::remove(part.begin(), part.end(), '\''), part.end());
    if (part.empty())
      continue;
    std::vector<std::string> words = split(part, ':');
    PostOp step;
    step.word = normalise(words[0]);
    if (!parse(words, rank, step))
      return "post-op '" + part + "'" + explain(words, step);
    steps.push_back(step);
  }
  return "";
}
