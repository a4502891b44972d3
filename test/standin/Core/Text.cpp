// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Splits the disassembler's lines.

#include "test/standin/Core/Text.h"
#include "test/standin/Core/Instruction.h"

#include <cstdlib>

namespace sparkle::standin {
namespace {

constexpr std::string_view kSpaces = " \t";

std::string_view trim(std::string_view text) {
  size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

/// Pieces between separators that stand outside of brackets.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  size_t start = 0;
  int depth = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    char at = i < text.size() ? text[i] : separator;
    depth += at == '[' || at == '(';
    depth -= at == ']' || at == ')';
    if (at != separator || depth != 0)
      continue;
    std::string_view piece = trim(text.substr(start, i - start));
    if (!piece.empty())
      pieces.push_back(piece);
    start = i + 1;
  }
  return pieces;
}

bool endsWith(std::string_view text, std::string_view end) {
  return text.size() > end.size() &&
         text.substr(text.size() - end.size()) == end;
}

void splitEncoding(Line &line) {
  for (std::string_view suffix :
       {"e64_dpp", "e64", "e32", "dpp8", "dpp", "sdwa"}) {
    if (!endsWith(line.mnemonic, "_" + std::string(suffix)))
      continue;
    line.encoding = suffix;
    line.mnemonic.resize(line.mnemonic.size() - suffix.size() - 1);
    break;
  }
  constexpr std::string_view kDual = "v_dual_";
  if (line.mnemonic.compare(0, kDual.size(), kDual) == 0)
    line.mnemonic = "v_" + line.mnemonic.substr(kDual.size());
}

void addModifier(Line &line, std::string_view text) {
  size_t colon = text.find(':');
  if (colon == std::string_view::npos)
    line.modifiers[std::string(text)];
  else
    line.modifiers[std::string(text.substr(0, colon))] = text.substr(colon + 1);
}

Line parseLine(std::string_view text) {
  Line line;
  size_t end = text.find_first_of(kSpaces);
  line.mnemonic = text.substr(0, end);
  splitEncoding(line);
  if (end == std::string_view::npos)
    return line;
  line.tail = trim(text.substr(end));
  std::string_view tail = line.tail;
  for (std::string_view piece : split(tail, ',')) {
    std::vector<std::string_view> words = split(piece, ' ');
    line.operands.emplace_back(words[0]);
    for (size_t i = 1; i < words.size(); ++i)
      addModifier(line, words[i]);
  }
  return line;
}

std::optional<Register> range(std::string_view text, Register::File file) {
  if (text.empty())
    return std::nullopt;
  if (text[0] != '[') {
    std::optional<int64_t> index = parseNumber(text);
    if (!index || text[0] == '-' || text[0] == '+')
      return std::nullopt;
    return Register{file, unsigned(*index), 1};
  }
  size_t colon = text.find(':');
  size_t last = text.find(']');
  std::optional<int64_t> from =
      parseNumber(text.substr(1, std::min(colon, last) - 1));
  if (!from || last != text.size() - 1)
    return std::nullopt;
  if (colon == std::string_view::npos)
    return Register{file, unsigned(*from), 1};
  std::optional<int64_t> to =
      parseNumber(text.substr(colon + 1, last - colon - 1));
  if (!to || *to < *from)
    return std::nullopt;
  return Register{file, unsigned(*from), unsigned(*to - *from + 1)};
}

} // namespace

int64_t Line::number(const std::string &modifier, int64_t otherwise) const {
  auto found = modifiers.find(modifier);
  if (found == modifiers.end())
    return otherwise;
  return parseNumber(found->second).value_or(otherwise);
}

std::vector<int64_t> Line::list(const std::string &modifier) const {
  std::vector<int64_t> numbers;
  auto found = modifiers.find(modifier);
  if (found == modifiers.end() || found->second.size() < 2)
    return numbers;
  std::string_view text = found->second;
  for (std::string_view piece : split(text.substr(1, text.size() - 2), ','))
    numbers.push_back(parseNumber(piece).value_or(0));
  return numbers;
}

std::vector<Line> parseText(std::string_view text) {
  text = trim(text);
  size_t comment = text.find("//");
  if (comment != std::string_view::npos)
    text = trim(text.substr(0, comment));
  size_t pair = text.find(" :: ");
  if (pair == std::string_view::npos)
    return {parseLine(text)};
  return {parseLine(trim(text.substr(0, pair))),
          parseLine(trim(text.substr(pair + 4)))};
}

std::optional<int64_t> parseNumber(std::string_view text) {
  std::string copy(text);
  char *end = nullptr;
  int64_t value =
      int64_t(copy[0] == '-' ? std::strtoll(copy.c_str(), &end, 0)
                             : std::strtoull(copy.c_str(), &end, 0));
  if (copy.empty() || *end)
    return std::nullopt;
  return value;
}

std::optional<Register> parseRegister(std::string_view text) {
  struct Named {
    std::string_view name;
    unsigned index, count;
  };
  constexpr Named kNamed[] = {
      {"vcc_lo", kVcc, 1},   {"vcc_hi", kVcc + 1, 1},   {"vcc", kVcc, 2},
      {"exec_lo", kExec, 1}, {"exec_hi", kExec + 1, 1}, {"exec", kExec, 2},
      {"m0", kM0, 1},        {"null", kNull, 1}};
  for (const Named &named : kNamed)
    if (text == named.name)
      return Register{Register::File::Scalar, named.index, named.count};
  if (text.size() < 2)
    return std::nullopt;
  if (text[0] == 's')
    return range(text.substr(1), Register::File::Scalar);
  if (text[0] != 'v')
    return std::nullopt;
  bool upper = endsWith(text, ".h"), lower = endsWith(text, ".l");
  if (upper || lower)
    text.remove_suffix(2);
  std::optional<Register> found = range(text.substr(1), Register::File::Vector);
  if (found) {
    found->upper = upper;
    found->half = upper || lower;
  }
  return found;
}

} // namespace sparkle::standin
