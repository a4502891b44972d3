// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The descriptor's text -> its fields -> the values that they imply.

#include "tools/sparkle-run/Problem/ConvProblem.h"

#include <algorithm>
#include <cctype>
#include <map>

using namespace sparkle;

namespace {

struct Field {
  int64_t value;
  size_t column;
};

class Parser {
public:
  Parser(const std::string &text, TextError &error)
      : text(text), error(error) {}

  void transpose() { problem.isTransposed = true; }
  std::optional<ConvProblem> parse();

private:
  bool fail(size_t column, std::string message) {
    error = {column, std::move(message)};
    return false;
  }
  bool has(const std::string &key) const { return fields.count(key); }
  int64_t get(const std::string &key, int64_t otherwise) const;

  bool parseFields();
  bool parseField();
  bool parseNumber(const std::string &key);
  bool setChannels();
  bool setDimension(unsigned d, int like);
  bool setOutput(unsigned d, int like);

  const std::string &text;
  TextError &error;
  size_t at = 0;
  std::map<std::string, Field> fields;
  ConvProblem problem;
};

} // namespace

static const char *const keys[] = {
    "g",  "mb", "ic", "id", "ih", "iw", "oc", "od", "oh", "ow", "kd",
    "kh", "kw", "sd", "sh", "sw", "pd", "ph", "pw", "dd", "dh", "dw"};
/// Index arithmetic is done in 32 bits by some devices.
static constexpr int64_t largest = 2147483647;
static const char letters[] = "dhw";

static std::string quote(const std::string &text) { return "'" + text + "'"; }

int64_t Parser::get(const std::string &key, int64_t otherwise) const {
  auto found = fields.find(key);
  return found == fields.end() ? otherwise : found->second.value;
}

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

bool Parser::parseNumber(const std::string &key) {
  size_t begin = at;
  int64_t value = 0;
  for (; at < text.size() && std::isdigit(text[at]); ++at)
    value = std::min(value * 10 + (text[at] - '0'), largest + 1);
  if (at == begin)
    return fail(at, "expected a number after " + quote(key) +
                        (at == text.size()
                             ? ", but got the end"
                             : ", but got " + quote(text.substr(at, 1))));
  if (value > largest)
    return fail(begin, "expected a number up to " + std::to_string(largest) +
                           ", but got " + text.substr(begin, at - begin));
  // benchdnn lets the last one win; two that agree are no mistake.
  auto [known, isNew] = fields.insert({key, {value, begin}});
  if (!isNew && known->second.value != value)
    return fail(begin, "expected " + quote(key) + " to stay " +
                           std::to_string(known->second.value) + ", but got " +
                           std::to_string(value));
  return true;
}

bool Parser::parseField() {
  auto key = std::find_if(std::begin(keys), std::end(keys),
                          [&](const std::string &key) {
                            return text.compare(at, key.size(), key) == 0;
                          });
  if (key == std::end(keys)) {
    size_t end = at;
    while (end < text.size() && std::isalpha(text[end]))
      ++end;
    return fail(at, "expected a field of a convolution, but got " +
                        quote(text.substr(at, std::max(end - at, size_t(1)))));
  }
  std::string word = *key;
  at += word.size();
  if (word == "mb" && at < text.size() && text[at] == '?') {
    problem.batchAtRunTime = true;
    ++at;
  }
  return parseNumber(word);
}

bool Parser::parseFields() {
  while (at < text.size()) {
    if (text[at] == '_') {
      ++at;
    } else if (text[at] == 'n') {
      problem.name = text.substr(at + 1);
      if (problem.name.empty() || problem.name[0] != '"')
        return true;
      size_t end = problem.name.find('"', 1);
      if (end == std::string::npos || end + 1 != problem.name.size())
        return fail(end == std::string::npos ? text.size() : at + end + 2,
                    "expected '\"' to end the name and the problem");
      problem.name = problem.name.substr(1, end - 1);
      return true;
    } else if (!parseField()) {
      return false;
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

bool Parser::setChannels() {
  problem.batch = get("mb", 2);
  problem.groups = get("g", 1);
  problem.inputs = get("ic", 0);
  problem.outputs = get("oc", 0);
  for (const char *key : {"g", "ic", "oc"})
    if (get(key, *key == 'g') <= 0)
      return has(key)
                 ? fail(fields[key].column,
                        "expected " + quote(key) + " to be positive, but got 0")
                 : fail(text.size(), "expected " + quote(key));
  for (const char *key : {"ic", "oc"})
    if (get(key, 0) % problem.groups)
      return fail(fields[key].column, "expected a multiple of the " +
                                          std::to_string(problem.groups) +
                                          " groups, but got " +
                                          std::to_string(get(key, 0)));
  return true;
}

/// `like` is the dimension before this one, or -1.
bool Parser::setDimension(unsigned d, int like) {
  // With input and kernel of its own, a dimension takes nothing from another.
  if (has({'i', letters[d]}) && has({'k', letters[d]}))
    like = -1;
  struct {
    char letter;
    int64_t (&values)[3];
    int64_t otherwise, least;
  } const rows[] = {{'i', problem.in, 0, 1},
                    {'k', problem.kernel, 0, 1},
                    {'s', problem.stride, 1, 1},
                    {'d', problem.dilation, 0, 0}};
  for (const auto &row : rows) {
    std::string key = {row.letter, letters[d]};
    if (!has(key) && like < 0 && row.otherwise < row.least)
      return fail(text.size(), "expected " + quote(key));
    row.values[d] = get(key, like < 0 ? row.otherwise : row.values[like]);
    if (row.values[d] < row.least)
      return fail(fields[key].column,
                  "expected " + quote(key) + " to be positive, but got 0");
  }
  return setOutput(d, like);
}

bool Parser::setOutput(unsigned d, int like) {
  std::string outKey = {'o', letters[d]}, padKey = {'p', letters[d]};
  bool isCopy = like >= 0 && !has({'i', letters[d]});
  int64_t span = problem.getSpan(d), stride = problem.stride[d];
  problem.pad[d] = get(padKey, like >= 0 ? problem.pad[like] : 0);
  // What all taps of all inputs make.
  int64_t spread = (problem.in[d] - 1) * stride + span;
  if (!has(outKey) && problem.isTransposed) {
    problem.out[d] = isCopy ? problem.out[like] : spread - 2 * problem.pad[d];
    if (problem.out[d] > 0)
      return true;
    return fail(text.size(), "expected " + quote(padKey) +
                                 " to leave some of " + std::to_string(spread) +
                                 " outputs, but it is " +
                                 std::to_string(problem.pad[d]));
  }
  if (!has(outKey)) {
    problem.out[d] =
        isCopy ? problem.out[like]
               : (problem.in[d] + 2 * problem.pad[d] - span) / stride + 1;
    // A copy fits if that which it copies does.
    bool isSame = isCopy && span == problem.getSpan(like) &&
                  stride == problem.stride[like] &&
                  problem.pad[d] == problem.pad[like];
    bool fits = problem.in[d] + 2 * problem.pad[d] >= span;
    if (isSame || (fits && problem.out[d] > 0))
      return true;
    return fail(text.size(),
                "expected " + quote({'k', letters[d]}) +
                    " to fit into the padded input of " +
                    std::to_string(problem.in[d] + 2 * problem.pad[d]) +
                    ", but it spans " + std::to_string(span));
  }
  problem.out[d] = fields[outKey].value;
  if (problem.out[d] <= 0)
    return fail(fields[outKey].column,
                "expected " + quote(outKey) + " to be positive, but got 0");
  int64_t padding = problem.isTransposed
                        ? spread - problem.out[d]
                        : (problem.out[d] - 1) * stride + span - problem.in[d];
  if (!has(padKey) && !isCopy)
    problem.pad[d] = std::max<int64_t>(0, padding / 2);
  return true;
}

std::optional<ConvProblem> Parser::parse() {
  if (!parseFields() || !setChannels())
    return std::nullopt;
  auto hasDimension = [&](char letter) {
    for (char what : {'i', 'o', 'k', 's', 'p', 'd'})
      if (auto found = fields.find({what, letter});
          found != fields.end() && found->second.value != (what == 's'))
        return true;
    return false;
  };
  problem.rank = hasDimension('d') ? 3 : hasDimension('h') ? 2 : 1;
  unsigned first = 3 - problem.rank;
  for (unsigned d = first; d < 3; ++d)
    if (!setDimension(d, d == first ? -1 : int(d) - 1))
      return std::nullopt;
  return problem;
}

std::optional<ConvProblem> ConvProblem::parse(const std::string &text,
                                              TextError &error) {
  return Parser(text, error).parse();
}

std::optional<ConvProblem> ConvProblem::parseTransposed(const std::string &text,
                                                        TextError &error) {
  Parser parser(text, error);
  parser.transpose();
  return parser.parse();
}

//===----------------------------------------------------------------------===//
// What follows
//===----------------------------------------------------------------------===//

std::string ConvProblem::spell() const {
  const int64_t(*const all[])[3] = {&in,     &out, &kernel,
                                    &stride, &pad, &dilation};
  unsigned first = 3 - rank;
  bool isCube = true; // Then one dimension tells the others.
  for (unsigned d = first + 1; d < 3; ++d)
    for (const auto *values : all)
      isCube &= (*values)[d] == (*values)[d - 1];
  std::string text = isTransposed ? "--deconv " : "";
  auto add = [&](char what, const int64_t(&values)[3], int64_t neutral) {
    if (std::all_of(values + first, values + 3,
                    [&](int64_t value) { return value == neutral; }))
      return;
    for (unsigned d = first; d < (isCube ? first + 1 : 3); ++d)
      text += std::string{what, letters[d]} + std::to_string(values[d]);
  };
  if (isGrouped())
    text += "g" + std::to_string(groups);
  text += (batchAtRunTime ? "mb?" : "mb") + std::to_string(batch) + "ic" +
          std::to_string(inputs);
  add('i', in, -1);
  text += "oc" + std::to_string(outputs);
  add('o', out, -1);
  add('k', kernel, -1);
  add('s', stride, 1);
  add('p', pad, -1);
  add('d', dilation, 0);
  return name.empty() ? text : text + "n\"" + name + "\"";
}

bool ConvProblem::hasWinograd() const {
  bool has = rank == 2 && !isTransposed && kernel[1] == kernel[2] &&
             (kernel[1] == 3 || kernel[1] == 5);
  for (unsigned d = 1; d < 3; ++d)
    has &= stride[d] == 1 && dilation[d] == 0;
  return has;
}

double ConvProblem::countMultiplyAdds() const {
  double taps = 1;
  for (unsigned d = 0; d < 3; ++d) {
    double inside = 0;
    auto [from, to] =
        isTransposed ? std::pair(in[d], out[d]) : std::pair(out[d], in[d]);
    for (int64_t o = 0; o < from; ++o)
      for (int64_t k = 0; k < kernel[d]; ++k) {
        int64_t i = o * stride[d] - pad[d] + k * (dilation[d] + 1);
        inside += i >= 0 && i < to;
      }
    taps *= inside;
  }
  return taps * double(batch) * double(outputs) * double(inputs / groups);
}

double ConvProblem::countNominalMultiplyAdds() const {
  double taps = double(batch) * double(outputs) * double(inputs / groups);
  for (unsigned d = 0; d < 3; ++d)
    taps *= double((isTransposed ? in : out)[d]) * double(kernel[d]);
  return taps;
}

void ConvProblem::shrink(double limit) {
  auto &few = isTransposed ? in : out, &many = isTransposed ? out : in;
  while (limit > 0 && countNominalMultiplyAdds() > limit) {
    unsigned largest = 2;
    for (unsigned d : {1u, 0u})
      if (few[d] > few[largest])
        largest = d;
    int64_t fewer = few[largest] / 2;
    int64_t left = many[largest] - fewer * stride[largest];
    if (fewer == 0 || left < 1)
      return;
    few[largest] -= fewer;
    many[largest] = left;
  }
}
