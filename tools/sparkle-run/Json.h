// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JSON, written as it comes.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_JSON_H
#define SPARKLE_TOOLS_SPARKLE_RUN_JSON_H

#include <cstdint>
#include <string>

namespace sparkle {

/// Builds one text: `json.open('{').key("a").value(1).close()`.
class Json {
public:
  /// '{' or '['.
  Json &open(char bracket);
  Json &close();
  Json &key(const std::string &name);
  Json &value(const std::string &text);
  Json &value(const char *text) { return value(std::string(text)); }
  /// What is not finite is null: JSON has no word for it.
  Json &value(double number);
  Json &value(int64_t number) { return add(std::to_string(number)); }
  Json &value(uint64_t number) { return add(std::to_string(number)); }
  Json &value(unsigned number) { return add(std::to_string(number)); }
  Json &value(bool truth) { return add(truth ? "true" : "false"); }
  Json &null() { return add("null"); }

  template <typename T> Json &field(const std::string &name, const T &content) {
    return key(name).value(content);
  }
  const std::string &getText() const { return text; }

private:
  Json &add(const std::string &token);
  static std::string quote(const std::string &text);

  std::string text, brackets;
  bool isFirst = true;
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_JSON_H
