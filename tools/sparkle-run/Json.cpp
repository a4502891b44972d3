// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Commas, quotation marks and indentation.

#include "tools/sparkle-run/Json.h"

#include <cmath>
#include <cstdio>

using namespace sparkle;

Json &Json::add(const std::string &token) {
  if (!isFirst)
    text += ", ";
  text += token;
  isFirst = false;
  return *this;
}

Json &Json::open(char bracket) {
  if (!isFirst)
    text += ",";
  if (!brackets.empty() && (!isFirst || brackets.back() == '['))
    text += "\n" + std::string(brackets.size(), ' ');
  text += bracket;
  brackets += bracket;
  isFirst = true;
  return *this;
}

Json &Json::close() {
  text += brackets.back() == '{' ? '}' : ']';
  brackets.pop_back();
  isFirst = false;
  return *this;
}

Json &Json::key(const std::string &name) {
  add(quote(name) + ": ");
  isFirst = true;
  return *this;
}

Json &Json::value(const std::string &content) { return add(quote(content)); }

Json &Json::value(double number) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.6g", number);
  return add(std::isfinite(number) ? digits : "null");
}

std::string Json::quote(const std::string &content) {
  std::string quoted = "\"";
  for (unsigned char letter : content) {
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\u%04x", letter);
    if (letter == '"' || letter == '\\')
      quoted += '\\';
    quoted += letter < ' ' ? std::string(escape) : std::string(1, letter);
  }
  return quoted + "\"";
}
