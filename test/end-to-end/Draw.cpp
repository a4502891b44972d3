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

static const int64_t channels[] = {1,  1,  2,  3,  3,  5,  8,  15, 16,
                                   17, 17, 19, 24, 31, 32, 33, 48, 64};

static std::string spell(const std::string &name, int64_t value) {
  return name + std::to_string(value);
}

namespace {

/// Draws one row, part by part.
class Drawing {
public:
  explicit Drawing(uint64_t &state) : random(state) {}

  std::string draw();
  /// Multiply-adds of what was drawn.
  int64_t getWork() const { return work; }

private:
  std::string drawChannels();
  std::string drawDimension(char letter, int64_t most);
  std::string drawLayout();
  std::string drawEpilogue();
  std::string drawPattern();
  std::string drawTransformed();
  int64_t drawExtent(int64_t most);

  bool hasSplitChannels() const { return groups > 1 && !isDepthwise; }

  Random random;
  unsigned rank = 2;
  int64_t groups = 1, work = 1;
  bool isDepthwise = false, isRagged = false;
};

} // namespace

/// Groups, batch, channels. A depthwise row has a filter or several for each
/// channel.
std::string Drawing::drawChannels() {
  auto channel = [&] {
    return random.oneIn(30) ? 1000 : random.pick(channels);
  };
  int64_t ic = channel(), oc = channel();
  int64_t batch = random.pick(1, rank ? 3 : 40);
  std::string text;
  if (random.oneIn(4)) {
    switch (random.pick(0, 2)) {
    case 0: // One filter for each channel.
      groups = oc = ic;
      break;
    case 1: // Several.
      groups = ic;
      oc = ic * random.pick(2, 4);
      break;
    default:
      groups = random.pick(2, 5);
      ic = groups * (ic % 20 + 1);
      oc = groups * (oc % 20 + 1);
    }
    // Whichever case it was drawn by: its sum has no index of channels.
    isDepthwise = rank && groups > 1 && groups == ic && groups == oc;
    text = spell("g", groups);
  }
  work = batch * ic * oc / groups;
  return text + spell(random.oneIn(4) ? "mb?" : "mb", batch) + spell("ic", ic) +
         spell("oc", oc);
}

int64_t Drawing::drawExtent(int64_t most) {
  if (random.oneIn(8))
    return 1;
  return random.pick(1, random.oneIn(3) ? most : std::min<int64_t>(most, 16));
}

/// One spatial dimension: extent, kernel, stride, dilation, both paddings (what
/// follows the last element is padding too).
std::string Drawing::drawDimension(char letter, int64_t most) {
  int64_t kernel =
      random.oneIn(3) ? 1 : random.pick(1, random.oneIn(5) ? 11 : 5);
  int64_t stride = random.oneIn(2) ? 1 : random.pick(1, 4);
  int64_t dilation = kernel > 1 && random.oneIn(4) ? random.pick(1, 3) : 0;
  int64_t span = (kernel - 1) * (dilation + 1) + 1;
  int64_t before = random.oneIn(3) ? 0 : random.pick(0, span - 1);
  int64_t after = random.oneIn(2) ? before : random.pick(0, span);
  int64_t in = std::max(drawExtent(most), span - before - after);
  int64_t out = (in + before + after - span) / stride + 1;
  bool atRunTime = isRagged && random.oneIn(2);
  work *= out * kernel;
  std::string text;
  for (auto [name, value] : {std::pair(atRunTime ? "i?" : "i", in),
                             {"o", out},
                             {"k", kernel},
                             {"s", stride},
                             {"d", dilation},
                             {"p", before}})
    text +=
        name[0] + std::string(1, letter) + (name + 1) + std::to_string(value);
  return text;
}

/// One of those that everybody uses, or the dimensions in any order.
std::string Drawing::drawLayout() {
  static const char *const orders[] = {"nc", "ncw", "nchw", "ncdhw"};
  static const char *const blocks[] = {"16c", "16c", "8c", "4c"};
  std::string layout = orders[rank];
  switch (random.pick(0, 7)) {
  case 0:
  case 1:
  case 2: // Channels last.
    layout = layout.substr(0, 1) + layout.substr(2) + "c";
    break;
  case 3:
  case 4:
    break;
  case 5:
  case 6:
    layout += random.pick(blocks);
    break;
  default:
    for (size_t i = layout.size(); i > 1; --i)
      std::swap(layout[i - 1], layout[random.pick(0, i - 1)]);
  }
  return layout;
}

std::string Drawing::drawEpilogue() {
  static const char *const words[] = {
      "bias",     "bias",   "bias",  "scale", "relu",    "relu", "relu6",
      "clamp",    "tanh",   "silu",  "gelu",  "sigmoid", "add",  "add",
      "hswish",   "half",   "mul",   "neg",   "sub",     "div",  "max",
      "min",      "scalar", "pixel", "exp",   "log",     "sqrt", "round",
      "softplus", "gate",   "lt",    "ge",    "ne"};
  std::string text;
  for (int64_t i = random.pick(0, 4); i > 0; --i) {
    std::string word = random.pick(words);
    if (word == "pixel" && rank == 0)
      continue;
    if (word == "add" && random.oneIn(3))
      word += "@" + drawLayout();
    text += (text.empty() ? "" : "+") + word;
  }
  return text.empty() ? "-" : text;
}

/// Sizes that suit each other: whole register tiles for each worker, whole
/// slices in each near step.
std::string Drawing::drawPattern() {
  static const char *const stages[] = {"", "", ", stage w", ", stage x",
                                       ", stage x, w"};
  int64_t k = 1, c = 1, q = 1;
  std::string text, row = rank ? "q: " : "n: ";
  auto add = [&](const std::string &line) {
    text += (text.empty() ? " | " : "; ") + line;
  };
  auto size = [&](int64_t factor) {
    return std::to_string(factor * random.pick(1, 5));
  };
  // Then a tile is few channels high.
  bool alongSum = !isDepthwise && random.oneIn(8), alongRows = random.oneIn(6);
  if (alongSum) {
    k = random.pick(1, 5), q = random.pick(1, 5);
    add("registers " + spell("k: ", k) + ", " + spell(row, q));
    add("lanes c" + std::string(random.oneIn(2) ? "" : ": 4"));
  } else if (alongRows || random.oneIn(2)) {
    k = alongRows         ? random.pick(1, 5)
        : random.oneIn(3) ? random.pick(1, 40)
                          : 16 * random.pick(1, 3);
    q = random.pick(1, 5) * (alongRows ? 10 : 1);
    add("registers " + spell("k: ", k) + ", " + spell(row, q));
    add("lanes " + (alongRows ? row.substr(0, 1) : std::string("k")));
  }
  if (!isDepthwise && random.oneIn(3)) {
    c = random.pick(1, 4);
    add(spell("unroll c: ", alongSum ? 16 * c : c));
  }
  // Along a run-time extent `all` is no size; of lanes along the sum it may be
  // more partial sums than near memory holds.
  if (rank && !alongSum && random.oneIn(2))
    add("workers n: 1, k: " + size(k) + (rank > 1 ? ", p: " + size(1) : "") +
        (isRagged ? ", q: " + size(q) : ""));
  if (!isDepthwise && random.oneIn(2))
    add("near c: " + size(alongSum ? 16 * c : c) + random.pick(stages));
  return text;
}

/// A convolution that Winograd's transform rewrites.
std::string Drawing::drawTransformed() {
  int64_t taps = random.oneIn(3) ? 5 : 3;
  int64_t ic = random.pick(channels), oc = random.pick(channels);
  int64_t batch = random.pick(1, 3);
  int64_t parts = random.oneIn(4) ? random.pick(2, 4) : 1;
  std::string text = (parts > 1 ? spell("g", parts) : "") +
                     spell(random.oneIn(4) ? "mb?" : "mb", batch) +
                     spell("ic", parts * ic) +
                     spell("oc", parts * (oc + (ic == 1 && parts > 1)));
  work = batch * parts * ic * (oc + 1);
  bool atRunTime = random.oneIn(4);
  for (char letter : {'h', 'w'}) {
    int64_t before = random.pick(0, taps - 1), after = random.pick(0, taps - 1);
    int64_t in = std::max(drawExtent(40), taps - before - after);
    int64_t out = in + before + after - taps + 1;
    work *= out * taps;
    for (auto [name, value] : {std::pair(atRunTime ? "i?" : "i", in),
                               {"o", out},
                               {"k", taps},
                               {"p", before}})
      text +=
          name[0] + std::string(1, letter) + (name + 1) + std::to_string(value);
  }
  for (int i = 0; i < 2; ++i)
    text += " " + drawLayout() + (random.oneIn(6) ? ":f16" : "");
  return text + " " + drawEpilogue() + " | transform winograd " +
         (random.oneIn(2) ? "2x2" : "4x4");
}

std::string Drawing::draw() {
  if (random.oneIn(12))
    return drawTransformed();
  static const unsigned ranks[] = {2, 2, 2, 2, 2, 2, 1, 1, 3, 3, 0};
  rank = random.pick(ranks);
  isRagged = random.oneIn(4);
  std::string text = drawChannels();
  for (unsigned d = 3 - rank; d < 3; ++d)
    text += drawDimension("dhw"[d], rank == 1 ? 200 : rank == 2 ? 60 : 12);
  for (int i = 0; i < 2; ++i)
    text += " " + drawLayout() + (random.oneIn(4) ? ":f16" : "");
  text += " " + drawEpilogue() + (random.oneIn(4) ? " w:f16" : "") +
          (random.oneIn(10) ? " w=input" : "");
  return text + (random.oneIn(3) ? drawPattern() : "");
}

std::string sparkle::drawRow(uint64_t &state) {
  const int64_t most = 2000000; // The oracle takes its time.
  for (;;) {
    Drawing drawing(state);
    std::string row = drawing.draw();
    if (drawing.getWork() <= most)
      return row;
  }
}
