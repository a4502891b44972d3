// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lines -> words -> knobs and descriptors -> cases.

#include "tools/sparkle-run/Problem/Cases.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <regex.h>
#include <sstream>

using namespace sparkle;

static std::string toLower(std::string text) {
  for (char &letter : text)
    letter = char(std::tolower(letter));
  return text;
}

static bool startsWith(const std::string &text, const std::string &prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

std::optional<ChannelLayout> ChannelLayout::parse(const std::string &tag) {
  std::string word = toLower(tag);
  for (const char *last :
       {"nwc", "nhwc", "ndhwc", "axb", "acb", "acdb", "acdeb"})
    if (word == last)
      return ChannelLayout{Last, 1, {}};
  for (const char *planar :
       {"ncw", "nchw", "ncdhw", "abx", "abc", "abcd", "abcde"})
    if (word == planar)
      return ChannelLayout{Planar, 1, {}};
  size_t digit = word.find_first_of("123456789");
  if (digit == std::string::npos)
    return std::nullopt;
  std::optional<ChannelLayout> outer = parse(word.substr(0, digit));
  char *end;
  long block = std::strtol(word.c_str() + digit, &end, 10);
  std::string letter = word[0] == 'a' ? "b" : "c";
  if (!outer || outer->kind != Planar || end != letter || block < 2 ||
      block > 64)
    return std::nullopt;
  return ChannelLayout{Blocked, block, {}};
}

Tag ChannelLayout::getTag(const std::string &letters) const {
  if (kind == Other)
    return other;
  Tag tag = Tag::getPlain(letters);
  if (kind == Last)
    std::rotate(tag.parts.begin() + 1, tag.parts.begin() + 2, tag.parts.end());
  if (kind == Blocked)
    tag.parts.push_back({'c', block});
  return tag;
}

std::string Case::getActivationLetters() const {
  return "nc" + std::string("dhw").substr(3 - conv.rank);
}

std::string Case::getWeightLetters() const {
  return (conv.isGrouped() ? "goi" : "oi") +
         std::string("dhw").substr(3 - conv.rank);
}

double Case::countNominalMultiplyAdds() const {
  double all = conv.countNominalMultiplyAdds();
  int64_t out[] = {conv.out[0], conv.out[1], conv.out[2]};
  for (const PostOp &step : postOps) {
    if (step.kind != PostOp::Depthwise)
      continue;
    double taps = double(conv.batch) * double(conv.outputs);
    for (unsigned d = 3 - conv.rank; d < 3; ++d) {
      out[d] = (out[d] + step.stride - 1) / step.stride;
      taps *= double(out[d]) * double(step.kernel);
    }
    all += taps;
  }
  return all;
}

//===----------------------------------------------------------------------===//
// Files, lines, words
//===----------------------------------------------------------------------===//

/// What every knob is where it is not written, or empty.
static const std::map<std::string, std::vector<std::string>> defaults = {
    {"alg", {"auto"}},
    {"attr-dropout", {""}},
    {"attr-oscale", {""}},
    {"attr-post-ops", {""}},
    {"attr-rounding-mode", {""}},
    {"attr-scales", {""}},
    {"attr-zero-points", {""}},
    {"bia-dt", {"undef"}},
    {"cfg", {"f32"}},
    {"dir", {"fwd_b"}},
    {"driver", {"conv"}},
    {"dt", {"f32"}},
    {"dtag", {"any"}},
    {"mb", {"0"}},
    {"stag", {"any"}},
    {"strides", {""}},
    {"wtag", {"any"}}};

void CaseReader::reset() {
  values = defaults;
  unknown.clear();
  match.clear();
}

void CaseReader::fail(size_t at, const std::string &message) {
  errors.push_back(where + ":" + std::to_string(line) + ":" +
                   std::to_string(at + 1) + ": error: " + message);
}

void CaseReader::readText(const std::string &text, const std::string &name) {
  where = name;
  size_t number = 0;
  std::string word; // One behind: a '\\' may stand alone behind it.
  bool isContinued = false;
  std::istringstream lines(text);
  for (std::string all; std::getline(lines, all);) {
    ++number;
    for (size_t at = 0; at < all.size();) {
      size_t begin = all.find_first_not_of(" \t\r", at);
      if (begin == std::string::npos || all[begin] == '#')
        break;
      at = std::min(all.find_first_of(" \t\r", begin), all.size());
      std::string next = all.substr(begin, at - begin);
      if (!isContinued && next != "\\") {
        if (!word.empty())
          readWord(word);
        word.clear();
        line = number;
        column = begin;
      }
      word += next;
      isContinued = word.back() == '\\';
      if (isContinued)
        word.pop_back();
    }
  }
  if (!word.empty())
    readWord(word);
}

void CaseReader::readFile(const std::string &path) {
  std::FILE *file = std::fopen(path.c_str(), "r");
  std::string text;
  char block[4096];
  for (size_t size = 0;
       file && (size = std::fread(block, 1, sizeof block, file)) > 0;)
    text.append(block, size);
  // A folder opens, but cannot be read.
  bool isGood = file && !std::ferror(file);
  if (!isGood)
    errors.push_back(path + ": error: " + std::strerror(errno));
  if (file)
    std::fclose(file);
  if (isGood)
    readText(text, path);
}

void CaseReader::readBatch(const std::string &path, size_t at) {
  if (depth >= 16)
    return fail(at, "expected at most 16 files within each other");
  // Beside the file that names it, or as it is.
  size_t slash = where.rfind('/');
  std::string beside =
      slash == std::string::npos ? path : where.substr(0, slash + 1) + path;
  CaseReader inner(*this);
  ++inner.depth;
  inner.readFile(std::ifstream(beside) ? beside : path);
  cases = std::move(inner.cases);
  errors = std::move(inner.errors);
  ignored = std::move(inner.ignored);
  withoutTransform = inner.withoutTransform;
}

void CaseReader::readWord(const std::string &word) {
  if (word == "--conv" || word == "--deconv") {
    values["driver"] = {word.substr(2)};
  } else if (word == "--reset") {
    std::string driver = values["driver"][0];
    reset();
    values["driver"] = {driver};
  } else if (startsWith(word, "-v")) {
    ignored.insert("-v");
  } else if (startsWith(word, "--")) {
    size_t equals = word.find('=');
    if (equals == std::string::npos)
      return fail(column + word.size(),
                  "expected '=' and a value after '" + word + "'");
    readKnob(word.substr(2, equals - 2), word.substr(equals + 1),
             column + equals + 1);
  } else {
    readProblem(word);
  }
}

//===----------------------------------------------------------------------===//
// Knobs
//===----------------------------------------------------------------------===//

void CaseReader::readKnob(const std::string &knob, const std::string &value,
                          size_t at) {
  static const std::set<std::string> harmless = {
      "mode", "mode-modifier", "impl", "skip-impl", "verbose", "summary",
      "perf-template", "max-ms-per-prb", "fix-times-per-prb", "cold-cache",
      "fast-ref", "check-ref-impl", "attr-same-pd-check", "mem-check",
      "repeats-per-prb", "canonical", "cpu-isa-hints", "engine", "memory-kind",
      "allow-enum-tags-only", "stream-kind", "num-streams", "ctx-init",
      "ctx-exe", "execution-mode", "attr-scratchpad", "attr-deterministic",
      // These allow less than f32,
      // and ask for nothing.
      "attr-fpmath", "attr-acc-mode"};
  if (knob == "batch")
    return readBatch(value, at);
  if (harmless.count(knob)) {
    ignored.insert("--" + knob);
    return;
  }
  if (knob == "match") {
    match = value;
    regex_t regex;
    if (regcomp(&regex, match.c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
      match.clear();
      return fail(at, "expected a regular expression, but got '" + value + "'");
    }
    regfree(&regex);
    return;
  }
  if (knob == "driver" || !values.count(knob)) {
    unknown["--" + knob] = value;
    if (value.empty())
      unknown.erase("--" + knob); // As if it had not been written.
    return;
  }
  std::vector<std::string> all = split(toLower(value), ',');
  for (std::string &one : all)
    if (knob == "mb" &&
        (one.empty() || one.size() > 9 ||
         one.find_first_not_of("0123456789") != std::string::npos))
      return fail(at, "expected a batch, but got '" + one + "'");
    else if (one.empty())
      one = defaults.at(knob)[0];
  values[knob] = std::move(all);
}

static bool isFloat(const std::string &types) {
  std::vector<std::string> all = split(types, ':');
  return std::all_of(all.begin(), all.end(), [](const std::string &type) {
    // The others of oneDNN 1 differ in the data only.
    return type == "f32" || type == "f32_full" || type == "f32_no_limits" ||
           type == "f32_wino";
  });
}

/// What the language lacks of a choice, or nothing.
static std::string findObstacle(const std::map<std::string, std::string> &at) {
  auto get = [&](const char *knob) { return at.find(knob)->second; };
  std::string direction = get("dir");
  if (direction != "fwd_b" && direction != "fwd_d" && direction != "fwd_i")
    return "direction '" + direction + "': only forward";
  for (const char *knob : {"dt", "cfg"})
    if (!isFloat(get(knob)))
      return "type '" + get(knob) + "': only f32";
  if (get("bia-dt") != "undef" && get("bia-dt") != "f32")
    return "type '" + get("bia-dt") + "' of the bias: only f32";
  static constexpr const char *lacks[][2] = {
      {"attr-dropout", "a kernel has no random numbers"},
      {"attr-rounding-mode", "a kernel rounds to the nearest"},
      {"attr-zero-points", "only integers have them"}};
  for (const auto &[knob, reason] : lacks)
    if (!get(knob).empty())
      return "knob '--" + std::string(knob) + "=" + get(knob) + "': " + reason;
  return "";
}

//===----------------------------------------------------------------------===//
// Descriptors
//===----------------------------------------------------------------------===//

void CaseReader::readProblem(const std::string &text) {
  TextError error;
  std::optional<ConvProblem> conv =
      values["driver"][0] == "deconv"
          ? ConvProblem::parseTransposed(text, error)
          : ConvProblem::parse(text, error);
  if (!conv)
    return fail(column + error.column, error.message);
  regex_t regex;
  if (!match.empty() &&
      regcomp(&regex, match.c_str(), REG_EXTENDED | REG_NOSUB) == 0) {
    bool fits = regexec(&regex, text.c_str(), 0, nullptr, 0) == 0;
    regfree(&regex);
    if (!fits)
      return;
  }
  Case base;
  base.conv = *conv;
  base.text = text;
  Choice choice;
  addCases(base, choice, values.begin());
}

void CaseReader::addCases(const Case &base, Choice &choice,
                          Values::const_iterator knob) {
  if (knob == values.end())
    return addCase(base, choice);
  for (const std::string &value : knob->second) {
    choice[knob->first] = value;
    addCases(base, choice, std::next(knob));
  }
}

void CaseReader::addCase(Case one, const Choice &choice) {
  auto get = [&](const char *knob) { return choice.find(knob)->second; };
  auto refuse = [&](const std::string &reason) {
    if (one.unsupported.empty())
      one.unsupported = reason;
  };
  refuse(findObstacle(choice));
  for (unsigned d = 0; d < 3; ++d)
    if (one.conv.isTransposed && one.conv.stride[d] != 1 &&
        one.conv.dilation[d] != 0)
      refuse("a transposed convolution with strides and dilation");
  for (const auto &[knob, value] : unknown)
    refuse("knob '" + knob + "=" + value + "'");
  if (int64_t batch = std::atoll(get("mb").c_str()))
    one.conv.batch = batch;
  // Extents that are written are from 1, those of a call from 0.
  one.conv.batchAtRunTime |= one.conv.batch == 0;
  one.hasBias = get("dir") == "fwd_b" || get("bia-dt") == "f32";
  refuse(setAlgorithm(one, get("alg")));
  refuse(setLayouts(one, choice));
  refuse(setStrides(one, get("strides")));
  refuse(parsePostOps(get("attr-post-ops"), one.conv.rank + 2, one.postOps));
  refuse(parseScales(get("attr-scales"), one.conv.isGrouped(), one.scales));
  refuse(parseOutputScale(get("attr-oscale"), one.scales));
  for (const PostOp &step : one.postOps)
    if (!step.tag.empty() && !Tag::parse(step.tag, one.getActivationLetters()))
      refuse("layout '" + step.tag + "'");
  cases.push_back(std::move(one));
}

std::string CaseReader::setAlgorithm(Case &one, const std::string &word) {
  std::string name = startsWith(word, "convolution_") ? word.substr(12) : word;
  if (name == "auto")
    return "";
  one.algorithm = Algorithm::Direct;
  if (name == "direct")
    return "";
  if (name != "wino" && name != "winograd")
    return "algorithm '" + word + "'";
  if (one.conv.hasWinograd())
    one.algorithm = Algorithm::Winograd;
  else
    ++withoutTransform;
  return "";
}

/// `SRC:WEI:DST`, each `9600x1x480x48` or empty: where a step along each
/// dimension leads.
std::string CaseReader::setStrides(Case &one, const std::string &text) {
  std::vector<std::string> parts = split(text, ':');
  if (parts.size() > 3)
    return "strides '" + text + "': only of source, weights and destination";
  parts.resize(3);
  const ConvProblem &conv = one.conv;
  for (size_t i = 0; i < 3; ++i) {
    if (parts[i].empty())
      continue;
    bool isWeights = i == 1;
    std::string letters =
        isWeights ? one.getWeightLetters() : one.getActivationLetters();
    std::vector<int64_t> extents = {conv.batch,
                                    i == 0 ? conv.inputs : conv.outputs};
    const int64_t(&spatial)[3] = isWeights ? conv.kernel
                                 : i == 0  ? conv.in
                                           : conv.out;
    if (isWeights)
      extents = {conv.outputs / conv.groups, conv.inputs / conv.groups};
    if (isWeights && conv.isGrouped())
      extents.insert(extents.begin(), conv.groups);
    extents.insert(extents.end(), spatial + 3 - conv.rank, spatial + 3);
    std::vector<int64_t> strides;
    for (const std::string &word : split(parts[i], 'x'))
      strides.push_back(std::atoll(word.c_str()));
    std::optional<Tag> tag = Tag::fromStrides(letters, extents, strides);
    if (!tag)
      return "strides '" + parts[i] +
             "': only where each is a multiple of the next smaller one that "
             "holds all of its elements, and the smallest is 1";
    if (isWeights)
      one.weights = tag;
    else
      (i == 0 ? one.source : one.destination) = {ChannelLayout::Other, 1, *tag};
  }
  return "";
}

/// Says what the language cannot.
std::string CaseReader::setLayouts(Case &one, const Choice &choice) {
  auto get = [&](const char *knob) { return choice.find(knob)->second; };
  std::string letters = one.getActivationLetters();
  for (auto [knob, place] :
       {std::pair("stag", &one.source), std::pair("dtag", &one.destination)}) {
    std::string tag = get(knob);
    auto parsed = tag == "any" ? layout : ChannelLayout::parse(tag);
    std::optional<Tag> other = Tag::parse(tag, letters);
    if (!parsed && !other)
      return "layout '" + tag + "'";
    *place = parsed ? *parsed : ChannelLayout{ChannelLayout::Other, 1, *other};
  }
  std::string weights = get("wtag"), own = one.getWeightLetters();
  if (weights == "any")
    return "";
  one.weights = Tag::parse(weights, own);
  if (!one.weights && !one.conv.isGrouped()) // One group may be written out.
    if (auto grouped = Tag::parse(weights, "g" + own))
      one.weights = grouped->keep(own);
  if (!one.weights)
    return "layout '" + weights + "' of the weights";
  if (*one.weights == Tag::getPlain(own))
    one.weights.reset();
  return "";
}
