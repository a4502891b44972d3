// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Works on the text of a row: all that it knows of it is what separates the
// parts. A candidate that means nothing is one that does not fail.

#include "test/end-to-end/Reduce.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <vector>

using namespace sparkle;

namespace {

using Words = std::vector<std::string>;

/// `g` or `ic` or ... and what follows it.
struct Field {
  std::string key;
  bool atRunTime;
  int64_t value;
};

/// The parts of a row.
struct Parts {
  std::vector<Field> fields;
  std::string layouts[2];
  Words epilogue, extras, pattern;

  explicit Parts(const std::string &row);
  std::string spell() const;
  Field *find(const std::string &key);
};

class Reducer {
public:
  Reducer(const std::string &row,
          const std::function<bool(const std::string &)> &fails,
          unsigned attempts)
      : best(row), fails(fails), attempts(attempts) {}

  std::string reduce();

private:
  template <typename Edit> bool attempt(Edit edit);
  bool dropFrom(Words Parts::*words);
  bool dropLayouts();
  bool dropGroups();
  bool shrinkFields();

  Parts best;
  const std::function<bool(const std::string &)> &fails;
  unsigned attempts;
};

} // namespace

static Words split(const std::string &text, char separator) {
  Words words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, separator);)
    if (word.find_first_not_of(' ') != std::string::npos)
      words.push_back(word);
  return words;
}

static std::string join(const Words &words, const char *separator) {
  std::string text;
  for (const std::string &word : words)
    text += (text.empty() ? "" : separator) + word;
  return text;
}

Parts::Parts(const std::string &row) {
  size_t bar = row.find('|');
  Words words = split(row.substr(0, bar), ' ');
  words.resize(std::max<size_t>(words.size(), 4));
  const std::string conv = words[0].substr(0, words[0].find('n'));
  for (size_t at = 0; at < conv.size();) {
    Field field{"", false, 0};
    while (at < conv.size() && std::isalpha(conv[at]))
      field.key += conv[at++];
    while (at < conv.size() && !std::isdigit(conv[at]))
      field.atRunTime |= conv[at++] == '?';
    while (at < conv.size() && std::isdigit(conv[at]))
      field.value = field.value * 10 + (conv[at++] - '0');
    fields.push_back(field);
  }
  layouts[0] = words[1];
  layouts[1] = words[2];
  epilogue = words[3] == "-" ? Words() : split(words[3], '+');
  extras.assign(words.begin() + 4, words.end());
  if (bar != std::string::npos)
    pattern = split(row.substr(bar + 1), ';');
}

std::string Parts::spell() const {
  std::string text;
  for (const Field &field : fields)
    text +=
        field.key + (field.atRunTime ? "?" : "") + std::to_string(field.value);
  for (const std::string &layout : layouts)
    text += " " + layout;
  text += " " + (epilogue.empty() ? "-" : join(epilogue, "+"));
  for (const std::string &extra : extras)
    text += " " + extra;
  return pattern.empty() ? text : text + " |" + join(pattern, ";");
}

Field *Parts::find(const std::string &key) {
  for (Field &field : fields)
    if (field.key == key)
      return &field;
  return nullptr;
}

/// Keeps what `edit` makes of the best row if that fails too.
template <typename Edit> bool Reducer::attempt(Edit edit) {
  Parts candidate = best;
  edit(candidate);
  std::string text = candidate.spell();
  if (attempts == 0 || text == best.spell())
    return false;
  --attempts;
  if (!fails(text))
    return false;
  best = candidate;
  return true;
}

bool Reducer::dropFrom(Words Parts::*words) {
  bool changed = attempt([&](Parts &parts) { (parts.*words).clear(); });
  for (size_t i = (best.*words).size(); i-- > 0;)
    changed |= attempt([&](Parts &parts) {
      (parts.*words).erase((parts.*words).begin() + i);
    });
  return changed;
}

bool Reducer::dropLayouts() {
  bool changed = false;
  for (unsigned i : {0, 1}) {
    changed |= attempt([&](Parts &parts) { parts.layouts[i] = "-"; });
    changed |= attempt([&](Parts &parts) {
      std::string &layout = parts.layouts[i];
      layout = layout.substr(0, layout.find(':'));
    });
    changed |= attempt([&](Parts &parts) {
      std::string &layout = parts.layouts[i];
      layout = "-" + layout.substr(std::min(layout.find(':'), layout.size()));
    });
  }
  return changed;
}

/// Leaves one group of them.
bool Reducer::dropGroups() {
  return attempt([](Parts &parts) {
    Field *g = parts.find("g"), *ic = parts.find("ic"), *oc = parts.find("oc");
    if (!g || !ic || !oc || g->value < 2)
      return;
    ic->value /= g->value;
    oc->value /= g->value;
    g->value = 1;
  });
}

bool Reducer::shrinkFields() {
  bool changed = false;
  for (size_t i = 0; i < best.fields.size(); ++i) {
    const Field &field = best.fields[i];
    changed |=
        attempt([&](Parts &parts) { parts.fields[i].atRunTime = false; });
    // Padding and dilation; `d` is the depth of `id`, too.
    int64_t least = field.key[0] == 'p' || field.key[0] == 'd' ? 0 : 1;
    auto set = [&](int64_t value) {
      return attempt([&](Parts &parts) {
        parts.fields[i].value =
            std::max(least, std::min(value, parts.fields[i].value));
      });
    };
    bool smaller = set(least);
    while (set(field.value / 2) || set(field.value - 1))
      smaller = true;
    changed |= smaller;
  }
  return changed;
}

std::string Reducer::reduce() {
  bool changed = true;
  while (changed) {
    changed = dropFrom(&Parts::pattern);
    changed |= dropFrom(&Parts::epilogue);
    changed |= dropFrom(&Parts::extras);
    changed |= dropLayouts();
    changed |= dropGroups();
    changed |= shrinkFields();
  }
  return best.spell();
}

std::string
sparkle::reduceRow(const std::string &row,
                   const std::function<bool(const std::string &)> &fails,
                   unsigned attempts) {
  return Reducer(row, fails, attempts).reduce();
}
