// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random rows in the grammar of shapes.txt: what fails can be pasted there.

#include "test/end-to-end/Problem.h"

#include <algorithm>

using namespace sparkle;

namespace {

/// The generator "splitmix64" of Sebastiano Vigna.
class Random {
public:
  explicit Random(uint64_t &state) : state(state) {}

  /// A number in [low, high].
  int64_t pick(int64_t low, int64_t high) {
    uint64_t x = state += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return low + int64_t((x ^ (x >> 31)) % uint64_t(high - low + 1));
  }
  template <typename T, size_t n> T pick(const T (&choices)[n]) {
    return choices[pick(0, n - 1)];
  }
  bool oneIn(int64_t n) { return pick(1, n) == 1; }

private:
  uint64_t &state;
};

} // namespace

static const int64_t channels[] = {1,  2,  3,  5,  8,  15, 16, 17,
                                   19, 24, 31, 32, 33, 48, 64, 100};

static std::string spell(const char *name, int64_t value) {
  return name + std::to_string(value);
}

/// One spatial dimension: extent, kernel, stride, dilation, both paddings.
static std::string drawDimension(Random &random, char letter) {
  int64_t kernel =
      random.oneIn(3) ? 1 : random.pick(1, random.oneIn(5) ? 11 : 5);
  int64_t stride = random.oneIn(2) ? 1 : random.pick(1, 4);
  int64_t dilation = kernel > 1 && random.oneIn(4) ? random.pick(1, 3) : 0;
  int64_t span = (kernel - 1) * (dilation + 1) + 1;
  int64_t before = random.oneIn(3) ? 0 : random.pick(0, span - 1);
  int64_t after = random.oneIn(2) ? before : random.pick(0, span);
  int64_t in = std::max<int64_t>(random.pick(1, random.oneIn(3) ? 60 : 20),
                                 span - before - after);
  int64_t out = (in + before + after - span) / stride + 1;
  std::string text;
  for (auto [name, value] : {std::pair("i", in),
                             {"o", out},
                             {"k", kernel},
                             {"s", stride},
                             {"d", dilation},
                             {"p", before}})
    text += name + std::string(1, letter) + std::to_string(value);
  return text;
}

static std::string drawEpilogue(Random &random) {
  static const char *const words[] = {
      "bias",    "bias", "scale", "relu", "relu", "relu6",  "clamp",
      "sigmoid", "tanh", "silu",  "gelu", "add",  "hswish", "add",
      "mul",     "half", "neg",   "sub",  "div",  "max",    "min"};
  std::string text;
  for (int64_t i = random.pick(0, 3); i > 0; --i)
    text += (text.empty() ? "" : "+") + std::string(random.pick(words));
  return text.empty() ? "-" : text;
}

/// Sizes that suit each other: whole register tiles for each worker, whole
/// slices in each near step.
static std::string drawPattern(Random &random) {
  static const char *const stages[] = {"", "", ", stage w", ", stage x",
                                       ", stage x, w"};
  int64_t k = 1, c = 1;
  std::string text;
  auto add = [&](const std::string &line) {
    text += (text.empty() ? " | " : "; ") + line;
  };
  auto size = [&](int64_t factor) {
    return std::to_string(factor * random.pick(1, 5));
  };
  bool alongRows = random.oneIn(6); // Then a tile is few channels high.
  if (alongRows || random.oneIn(2)) {
    k = alongRows         ? random.pick(1, 5)
        : random.oneIn(3) ? random.pick(1, 40)
                          : 16 * random.pick(1, 3);
    add("registers " + spell("k: ", k) + ", q: " + size(alongRows ? 10 : 1));
    add(alongRows ? "lanes q" : "lanes k");
  }
  if (random.oneIn(3)) {
    c = random.pick(1, 4);
    add("unroll " + spell("c: ", c));
  }
  if (random.oneIn(2))
    add("workers n: 1, k: " + size(k) + ", p: " + size(1));
  if (random.oneIn(2))
    add("near c: " + size(c) + random.pick(stages));
  return text;
}

std::string sparkle::drawRow(uint64_t &state) {
  Random random(state);
  static const char *const layouts[] = {"nhwc", "nhwc", "nchw", "nchw16c"};
  int64_t groups = random.oneIn(6) ? random.pick(2, 5) : 1;
  int64_t ic = random.pick(channels), oc = random.pick(channels);
  bool depthwise = groups > 1 && random.oneIn(2);
  std::string text;
  if (depthwise)
    text = spell("g", ic), oc = ic;
  else if (groups > 1)
    text = spell("g", groups), ic = groups * (ic % 20 + 1),
    oc = groups * (oc % 20 + 1);
  text += random.oneIn(4) ? spell("mb?", random.pick(1, 3))
                          : spell("mb", random.pick(1, 3));
  text += spell("ic", ic) + spell("oc", oc) + drawDimension(random, 'h') +
          drawDimension(random, 'w');
  bool split = groups > 1 && !depthwise; // Their blocks have no spelling.
  for (int i = 0; i < 2; ++i)
    text += " " + std::string(layouts[random.pick(0, split ? 2 : 3)]) +
            (random.oneIn(4) ? ":f16" : "");
  text += " " + drawEpilogue(random) + (random.oneIn(4) ? " w:f16" : "");
  return text + (groups == 1 && random.oneIn(3) ? drawPattern(random) : "");
}
