// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Words -> options. Every option takes its value as the next word, or behind
// `=`.

#include "tools/sparkle-run/Options.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

using namespace sparkle;

static const char usage[] =
    "usage: sparkle-run devices [--json] [--measure]\n"
    "       sparkle-run run FILE [--kernel NAME] [options]\n"
    "       sparkle-run verify WHAT... [options]\n"
    "       sparkle-run bench WHAT... [options]\n"
    "       sparkle-run explain WHAT... [options]\n"
    "       sparkle-run sweep WHAT... [options]\n"
    "       sparkle-run compile WHAT... --artifacts FOLDER [options]\n"
    "       sparkle-run compile WHAT... -o FILE [options]\n"
    "\n"
    "WHAT is any number of\n"
    "  FILE.spk, FILE.so    kernels; sparkle-opt compiles the text\n"
    "  --problem TEXT       a convolution as oneDNN's benchdnn spells it\n"
    "  --problems FILE      lines of them, with benchdnn's knobs\n"
    "  --list NAME,...      lists that come with Sparkle; all is all of them\n"
    "  --stack NAME         bench: all layers of a network, one after the "
    "other,\n"
    "                       beside oneDNN's\n"
    "\n"
    "options\n"
    "  --device NAME,...    devices, words of targets, or all (default: cpu);\n"
    "                       bench: auto is the scheduler, over all devices or\n"
    "                       those named beside it, beside each of them; "
    "explain:\n"
    "                       those of the scheduler (default: all)\n"
    "  --stream             bench --device auto: many independent runs at "
    "once\n"
    "  --top                bench --device auto: what the devices do "
    "meanwhile\n"
    "  --dry                explain: runs nothing\n"
    "  --kernel NAME        only this kernel of the files\n"
    "  --filter TEXT        only problems with TEXT in name or descriptor\n"
    "  --limit N            only the first N\n"
    "  --size NAME=N        a size that the kernel leaves to the call\n"
    "  --layout TAG         nhwc (default), nchw, nchw16c: where a problem\n"
    "                       leaves the layout open\n"
    "  --mb N               the batch of every problem; verify: 1, unless 0,\n"
    "                       which is as written\n"
    "  --scale N            at most N million multiply-adds for each problem,\n"
    "                       by a smaller picture; 0: no limit (bench), "
    "verify:\n"
    "                       500\n"
    "  --winograd TILE      2x2 or 4x4: Winograd's algorithm for all problems\n"
    "                       that it applies to; auto: the cheaper of these "
    "two\n"
    "                       for each, where it pays\n"
    "  --threads N          of the CPU's kernels, which are compiled for as "
    "many\n"
    "                       cores (default: all)\n"
    "  --jobs N             compilations and references at once\n"
    "  --rounds N           of bench and of sweep's last race (default: 30)\n"
    "  --peer NAME          bench: the same on oneDNN 2 (cpu): onednn, or\n"
    "                       onednn-winograd for its Winograd beside that; on\n"
    "                       Halide 14 (cpu), by its published schedule and by\n"
    "                       the best of a few: halide; or by the GLSL "
    "convolution\n"
    "                       written by hand (other devices): glsl\n"
    "  --artifacts FOLDER   of compiled problems: takes what it finds there, "
    "and\n"
    "                       adds what it has to compile\n"
    "  -o FILE              compile: all problems as one shared object (.so) "
    "or "
    "as\n"
    "                       text for sparkle-opt (.spk)\n"
    "  --cpu NAME,...       CPUs to compile for, as sparkle-opt has it "
    "(default:\n"
    "                       this machine's)\n"
    "  --compiler PATH      sparkle-opt (default: beside this program, or in\n"
    "                       PATH)\n"
    "  --json               print JSON\n"
    "\n"
    "Exit status: 0 if every value was right, 1 if one was wrong or something\n"
    "failed, 2 if this command line is.\n";

namespace {

const char *const commands[] = {"devices", "run",   "verify", "bench",
                                "explain", "sweep", "compile"};
const char allCommands[] =
    "devices, run, verify, bench, explain, sweep or compile";

/// An option without a value.
struct Flag {
  const char *name;
  bool Options::*option;
};

const Flag flags[] = {{"--json", &Options::isJson},
                      {"--measure", &Options::measures},
                      {"--stream", &Options::isStream},
                      {"--top", &Options::isTop},
                      {"--dry", &Options::isDry}};

class Parser {
public:
  Parser(int count, char **words) : words(words + 1, words + count) {}

  std::optional<Options> parse();

private:
  bool fail(const std::string &message) {
    std::fprintf(stderr, "sparkle-run: error: %s\n", message.c_str());
    return false;
  }
  bool parseOption(const std::string &name, const std::string &value);
  bool parseFlag(const std::string &name);
  bool parseNumber(const std::string &name, const std::string &value,
                   int64_t least, int64_t &number);
  bool parseSize(const std::string &value);
  void takeAuto();
  bool checkAuto();
  bool checkOutput();
  bool check();

  std::vector<std::string> words;
  Options options;
};

} // namespace

static void append(std::vector<std::string> &all, const std::string &text) {
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');)
    all.push_back(part);
}

bool Parser::parseNumber(const std::string &name, const std::string &value,
                         int64_t least, int64_t &number) {
  char *end;
  number = std::strtoll(value.c_str(), &end, 10);
  if (!value.empty() && !*end && number >= least && number <= 2147483647)
    return true;
  return fail("expected a number from " + std::to_string(least) + " for " +
              name + ", but got '" + value + "'");
}

bool Parser::parseSize(const std::string &value) {
  size_t equals = value.find('=');
  if (equals == std::string::npos)
    return fail("expected NAME=N for --size, but got '" + value + "'");
  return parseNumber("--size", value.substr(equals + 1), 0,
                     options.sizes[value.substr(0, equals)]);
}

bool Parser::parseFlag(const std::string &name) {
  for (const Flag &flag : flags)
    if (name == flag.name)
      return options.*flag.option = true;
  return false;
}

bool Parser::parseOption(const std::string &name, const std::string &value) {
  Options &o = options;
  int64_t number = 0;
  if (name == "--problem")
    o.problems.push_back(value);
  else if (name == "--problems")
    o.problemFiles.push_back(value);
  else if (name == "--list")
    append(o.lists, value);
  else if (name == "--stack")
    o.stack = value;
  else if (name == "--device")
    append(o.devices, value);
  else if (name == "--kernel")
    o.kernel = value;
  else if (name == "--filter")
    o.filter = value;
  else if (name == "--artifacts")
    o.artifacts = value;
  else if (name == "-o")
    o.output = value;
  else if (name == "--cpu")
    o.cpu = value;
  else if (name == "--compiler")
    o.compiler = value;
  else if (name == "--size")
    return parseSize(value);
  else if (name == "--limit")
    return parseNumber(name, value, 1, o.limit);
  else if (name == "--threads")
    return parseNumber(name, value, 1, o.threads);
  else if (name == "--jobs")
    return parseNumber(name, value, 1, o.jobs);
  else if (name == "--rounds")
    return parseNumber(name, value, 1, o.rounds);
  else if (name == "--mb" && parseNumber(name, value, 0, number))
    o.batch = number;
  else if (name == "--scale" && parseNumber(name, value, 0, number))
    o.scale = number;
  else if (name == "--winograd") {
    return (o.winograd = value) == "2x2" || value == "4x4" || value == "auto" ||
           fail("expected '2x2', '4x4' or 'auto' for --winograd, but got '" +
                value + "'");
  } else if (name == "--peer")
    return (o.peer = value) == "onednn" || value == "onednn-winograd" ||
           value == "halide" || value == "glsl" ||
           fail("expected 'onednn', 'onednn-winograd', 'halide' or 'glsl' for "
                "--peer, but got '" +
                value + "'");
  else if (name == "--layout") {
    std::optional<ChannelLayout> layout = ChannelLayout::parse(value);
    if (!layout)
      return fail("expected a layout as nhwc, nchw or nchw16c, but got '" +
                  value + "'");
    o.layout = *layout;
  } else
    return name == "--mb" || name == "--scale"
               ? false
               : fail("unknown option '" + name + "'");
  return true;
}

/// `auto` is no device, but what chooses among those that are left.
void Parser::takeAuto() {
  auto &devices = options.devices;
  auto it = std::remove(devices.begin(), devices.end(), "auto");
  options.isAuto = it != devices.end() || options.command == "explain";
  devices.erase(it, devices.end());
  if (devices.empty() && !options.isAuto)
    devices = {"cpu"};
  // To the scheduler no names are all.
  if (options.isAuto &&
      std::find(devices.begin(), devices.end(), "all") != devices.end())
    devices.clear();
}

bool Parser::checkAuto() {
  const std::string &command = options.command;
  if (options.isDry && command != "explain")
    return fail("expected explain for --dry");
  if (!options.isAuto || command == "explain") {
    for (auto [isGiven, name] : {std::pair(options.isStream, "--stream"),
                                 std::pair(options.isTop, "--top")})
      if (isGiven)
        return fail(std::string("expected bench --device auto for ") + name);
    return true;
  }
  if (command != "bench")
    return fail("expected bench for --device auto");
  if (!options.stack.empty())
    return fail("expected no --stack for --device auto");
  return options.peer.empty() || fail("expected no --peer for --device auto");
}

bool Parser::checkOutput() {
  if (options.command != "compile")
    return fail("expected compile for -o");
  if (!options.files.empty())
    return fail("expected problems or lists for -o, but got '" +
                options.files.front() + "' - sparkle-opt compiles a file");
  std::string end = std::filesystem::path(options.output).extension();
  return end == ".so" || end == ".spk" ||
         fail("expected a name that ends in .so or .spk for -o, but got '" +
              options.output + "'");
}

bool Parser::check() {
  const std::string &command = options.command;
  bool hasWork = !options.files.empty() || !options.problems.empty() ||
                 !options.problemFiles.empty() || !options.lists.empty();
  if (std::find(std::begin(commands), std::end(commands), command) ==
      std::end(commands))
    return fail(std::string("expected ") + allCommands + ", but got '" +
                command + "'");
  if (!checkAuto())
    return false;
  if (!options.stack.empty())
    return (command == "bench" && !hasWork) ||
           fail("expected bench and nothing else for --stack");
  if (command == "devices")
    return !hasWork || fail("expected no kernels for devices");
  if (command == "sweep" &&
      (!options.files.empty() ||
       options.devices != std::vector<std::string>{"cpu"}))
    return fail("expected problems or lists for sweep, and the device cpu");
  if (command == "compile" && options.artifacts.empty() &&
      options.output.empty())
    return fail("expected --artifacts or -o for compile");
  if (!options.output.empty() && !checkOutput())
    return false;
  if (options.isJson && (command == "compile" || command == "run"))
    return fail("expected no --json for " + command);
  if (!hasWork)
    return fail("expected a file, --problem, --problems or --list");
  return command != "run" || options.files.size() == 1 ||
         fail("expected one file for run");
}

std::optional<Options> Parser::parse() {
  if (words.empty()) {
    fail(std::string("expected ") + allCommands);
    return std::nullopt;
  }
  options.command = words[0];
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string &word = words[i];
    if (word[0] != '-') {
      options.files.push_back(word);
      continue;
    }
    size_t equals = word.find('=');
    std::string name = word.substr(0, equals);
    bool isFlag =
        std::any_of(std::begin(flags), std::end(flags),
                    [&](const Flag &flag) { return name == flag.name; });
    if (isFlag && equals == std::string::npos) {
      parseFlag(name);
      continue;
    }
    if (isFlag) {
      fail("expected no value for " + name);
      return std::nullopt;
    }
    if (equals == std::string::npos && i + 1 == words.size()) {
      fail("expected a value after '" + name + "'");
      return std::nullopt;
    }
    if (!parseOption(name, equals == std::string::npos
                               ? words[++i]
                               : word.substr(equals + 1)))
      return std::nullopt;
  }
  takeAuto();
  if (!check())
    return std::nullopt;
  return options;
}

std::optional<Options> Options::parse(int count, char **words) {
  return Parser(count, words).parse();
}

void Options::printUsage(std::FILE *file) { std::fputs(usage, file); }
