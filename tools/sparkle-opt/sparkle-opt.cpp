// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler's command line: the ladder of --emit, or single passes as in any
// *-opt tool.

#include "lib/Artifact/OutputFile.h"
#include "lib/Compiler/Compile.h"
#include "lib/Target/Registry.h"
#include "lib/Transforms/Pipeline.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Support/Timing.h"
#include "mlir/Support/ToolUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include <map>

using namespace mlir;
using namespace sparkle;
namespace cl = llvm::cl;

namespace {

constexpr int exitWrongInput = 1;
constexpr int exitUsage = 2;

constexpr llvm::StringLiteral overview =
    "the Sparkle kernel compiler\n\n"
    "  sparkle-opt conv.spk -o conv.o         object, and header conv.h\n"
    "  sparkle-opt conv.spk -o conv.so        shared object, and conv.h\n"
    "  sparkle-opt conv.spk --emit=pattern    the sizes that were chosen\n"
    "  sparkle-opt conv.spk --emit=tiled      what every target lowers\n"
    "  sparkle-opt conv.mlir --sparkle-tile   one pass, as in any *-opt\n\n"
    "Exit status: 0; 1 if the input is wrong or a file cannot be read or "
    "written;\n2 if this command line is.\n";

cl::OptionCategory category("Sparkle options");
cl::OptionCategory passCategory("Tests and single passes");

/// "a, b or c"
std::string list(ArrayRef<std::string> names) {
  if (names.size() == 1)
    return names.front();
  return llvm::join(names.drop_back(), ", ") + " or " + names.back();
}

/// What flags take, as far as it depends on the targets.
struct Choices {
  Choices();
  std::vector<std::string> words, stages;
  // Help.
  std::string emit, targets, gpus;
};

Choices::Choices() {
  stages = {"ast", "sparkle", "pattern", "tiled"};
  for (const Target *target : getTargets()) {
    words.push_back(target->word.str());
    if (!llvm::is_contained(stages, target->format))
      stages.push_back(target->format.str());
    for (StringRef processor : target->processors)
      gpus += (gpus.empty() ? "" : ", ") + processor.str();
  }
  for (StringRef stage : {"asm", "obj", "shared", "header"})
    stages.push_back(stage.str());
  emit = llvm::join(stages, ", ");
  targets = "What to compile for, one or more: " + llvm::join(words, ", ") +
            "; " + words.front() + " by default";
  gpus = "The GPUs' processors: " + gpus + "; all by default";
}

/// The flags of this tool; MLIR's own come on top.
struct Flags {
  Choices choices;
  cl::opt<std::string> input{cl::Positional, cl::desc("FILE.spk|FILE.mlir|-"),
                             cl::init("-"), cl::cat(category)};
  cl::opt<std::string> output{
      "o", cl::value_desc("FILE"), cl::cat(category),
      cl::desc("Where to write; - is standard output. Without --emit, what is "
               "written follows from the name: .o .so .s .ll .spvasm .h")};
  cl::opt<std::string> emit{"emit", cl::value_desc("STAGE"), cl::cat(category),
                            cl::desc(choices.emit)};
  cl::list<std::string> targets{"target", cl::value_desc("WORD,..."),
                                cl::CommaSeparated, cl::cat(category),
                                cl::desc(choices.targets)};
  cl::list<std::string> gpus{"gpu", cl::value_desc("NAME,..."),
                             cl::CommaSeparated, cl::cat(category),
                             cl::desc(choices.gpus)};
  cl::list<std::string> cpus{
      "cpu", cl::value_desc("NAME,..."), cl::CommaSeparated, cl::cat(category),
      cl::desc("The CPUs, as LLVM names them (znver4, cortex-a76, ...), or "
               "avx512, avx2, baseline of x86-64, neon of AArch64; native "
               "(default) is this machine's. Of several, each kernel calls the "
               "best that the machine runs")};
  cl::opt<unsigned> cores{
      "cores", cl::value_desc("N"), cl::cat(category),
      cl::desc("For how many cores of a CPU the compiler's choice divides a "
               "kernel's work, which any number of threads may run: those of "
               "this machine if the CPU is native, and else 8 by default")};
  cl::list<std::string> defines{
      "D", cl::Prefix, cl::value_desc("[KERNEL.]NAME=VALUE"), cl::cat(category),
      cl::desc("Set a size: a number, or ? to leave it to the call")};
  cl::opt<std::string> pattern{
      "pattern", cl::value_desc("FILE"), cl::cat(category),
      cl::desc("Patterns that win over those of the input")};
  cl::opt<bool> withReference{
      "with-reference", cl::cat(category),
      cl::desc("Add NAME_reference to every kernel, not only to those that ask "
               "for it: the algorithm alone, in double, with its error bound")};
  cl::opt<std::string> language{
      "input", cl::value_desc("spk|mlir"), cl::cat(category),
      cl::desc("What the input is; by default mlir if its name says so, or if "
               "it is standard input and passes are named")};
};

/// Reports what is wrong with the command line.
int usageError(const llvm::Twine &message) {
  llvm::errs() << "sparkle-opt: error: " << message << "\n"
               << "try 'sparkle-opt --help'\n";
  return exitUsage;
}

int inputError(const llvm::Twine &message) {
  llvm::errs() << "sparkle-opt: error: " << message << "\n";
  return exitWrongInput;
}

//===----------------------------------------------------------------------===//
// From flags to options
//===----------------------------------------------------------------------===//

/// What a file name stands for, or else `name` itself.
StringRef getStageName(StringRef name) {
  return llvm::StringSwitch<StringRef>(name)
      .Case(".ll", "llvm")
      .Case(".spvasm", "spirv")
      .Case(".s", "asm")
      .Case(".o", "obj")
      .Case(".so", "shared")
      .Case(".h", "header")
      .Default(name);
}

/// None if unknown.
std::optional<Emit> getStage(StringRef name) {
  for (const Target *target : getTargets())
    if (name == target->format)
      return target->isGpu() ? Emit::Images : Emit::HostCode;
  return llvm::StringSwitch<std::optional<Emit>>(name)
      .Case("ast", Emit::Ast)
      .Case("sparkle", Emit::Sparkle)
      .Case("pattern", Emit::Pattern)
      .Case("tiled", Emit::Tiled)
      .Case("asm", Emit::Assembly)
      .Case("obj", Emit::Object)
      .Case("shared", Emit::Shared)
      .Case("header", Emit::Header)
      .Default(std::nullopt);
}

/// `[KERNEL.]NAME=VALUE`
bool addDefine(StringRef text, FrontendOptions &options) {
  auto [name, value] = text.split('=');
  int64_t number;
  bool isNumber = !value.getAsInteger(10, number);
  if (name.empty() || (!isNumber && value != "?"))
    return false;
  options.defines[name] = isNumber ? std::optional(number) : std::nullopt;
  return true;
}

/// Printing and timing, as MLIR's own flags say.
LogicalResult configurePasses(PassManager &manager) {
  applyDefaultTimingPassManagerCLOptions(manager);
  return applyPassManagerCLOptions(manager);
}

bool writesCode(Emit emit) {
  return emit == Emit::Object || emit == Emit::Shared;
}

/// One run of the tool.
class Driver {
public:
  Driver(const Flags &flags, DialectRegistry &registry)
      : flags(flags), registry(registry),
        config(MlirOptMainConfig::createFromCLOptions()) {}

  int run();

private:
  int readFlags();
  int readPlatforms();
  int checkNames(StringRef flag, ArrayRef<std::string> names,
                 ArrayRef<std::string> known);
  static std::string getSuffix(StringRef cpu);
  void addPlatforms(const Target &target);
  int readStage(bool passes);
  int readFormat(StringRef format);
  int readLanguage(bool passes);
  int checkOutput();
  int readFiles();
  int checkProcessors();
  int checkArchitecture(ArrayRef<std::string> cpus, MLIRContext &context);
  bool hasPasses();
  LogicalResult process(std::unique_ptr<llvm::MemoryBuffer> chunk,
                        llvm::raw_ostream &out);
  LogicalResult compileChunk(const llvm::SourceMgr &source,
                             MLIRContext &context, llvm::raw_ostream &out);
  LogicalResult runPasses(const llvm::SourceMgr &source, MLIRContext &context,
                          llvm::raw_ostream &out);
  LogicalResult verifyRoundTrip(ModuleOp module);
  std::string getOutputPath();
  int write(StringRef bytes);

  const Flags &flags;
  DialectRegistry &registry;
  const MlirOptMainConfig config;
  CompileOptions options;
  bool compiles = false;
  std::unique_ptr<llvm::MemoryBuffer> input, pattern;
  std::string header;
};

bool Driver::hasPasses() {
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  PassManager manager(&context);
  return failed(config.setupPassPipeline(manager)) || !manager.empty();
}

int Driver::readFlags() {
  options.frontend.targets = flags.choices.words;
  if (int status = readPlatforms())
    return status;
  for (StringRef define : flags.defines)
    if (!addDefine(define, options.frontend))
      return usageError(
          "expected -D [KERNEL.]NAME=NUMBER or NAME=?, but got '" + define +
          "'");
  options.withReferences = flags.withReference;
  bool passes = hasPasses();
  if (int status = readStage(passes))
    return status;
  if (int status = readLanguage(passes))
    return status;
  return compiles && writesCode(options.emit) ? checkOutput() : 0;
}

/// What to compile for: the targets in the order of their numbers, whatever
/// their order here.
int Driver::readPlatforms() {
  SmallVector<std::string> wanted(flags.targets.begin(), flags.targets.end());
  if (wanted.empty())
    wanted.push_back(flags.choices.words.front());
  if (int status = checkNames("--target", wanted, flags.choices.words))
    return status;
  std::vector<std::string> known;
  for (const Target *target : getTargets())
    if (llvm::is_contained(wanted, target->word))
      for (StringRef processor : target->processors)
        known.push_back(processor.str());
  if (!flags.gpus.empty() && known.empty())
    return usageError("expected --gpu with a --target that is one, but got '" +
                      llvm::join(wanted, ",") + "'");
  if (int status = checkNames("--gpu", flags.gpus, known))
    return status;
  constexpr unsigned mostCores = 1024;
  if (flags.cores.getNumOccurrences() &&
      (flags.cores < 1 || flags.cores > mostCores))
    return usageError("expected --cores to be from 1 to " +
                      llvm::Twine(mostCores) + ", but got '" +
                      llvm::Twine(flags.cores) + "'");
  for (const Target *target : getTargets())
    if (llvm::is_contained(wanted, target->word))
      addPlatforms(*target);
  options.frontend.target = options.platforms.front().target->word;
  return 0;
}

/// A list of names, each known and there once.
int Driver::checkNames(StringRef flag, ArrayRef<std::string> names,
                       ArrayRef<std::string> known) {
  llvm::StringSet<> seen;
  for (const std::string &name : names) {
    if (!llvm::is_contained(known, name))
      return usageError("expected " + flag + " to be " + list(known) +
                        ", but got '" + name + "'");
    if (!seen.insert(name).second)
      return usageError("expected " + flag + " to name each once, but got '" +
                        name + "' twice");
  }
  return 0;
}

/// "x86-64-v3" -> "_x86_64_v3"
std::string Driver::getSuffix(StringRef cpu) {
  std::string suffix = "_" + cpu.str();
  for (char &c : suffix)
    c = llvm::isAlnum(c) ? c : '_';
  return suffix;
}

/// One for each processor that --cpu or --gpu names, or for all of a GPU if it
/// names none of this target's.
void Driver::addPlatforms(const Target &target) {
  if (!target.isGpu()) {
    for (const std::string &cpu : flags.cpus)
      options.platforms.push_back(
          {&target, {cpu, flags.cores}, getSuffix(cpu)});
    if (flags.cpus.empty())
      options.platforms.push_back({&target, {"native", flags.cores}});
    else if (flags.cpus.size() == 1)
      options.platforms.back().suffix.clear();
    return;
  }
  bool isNamed = llvm::any_of(target.processors, [&](StringRef processor) {
    return llvm::is_contained(flags.gpus, processor);
  });
  for (StringRef processor : target.processors)
    if (!isNamed || llvm::is_contained(flags.gpus, processor))
      options.platforms.push_back({&target, {processor.str()}});
}

/// What is to come out: IR after passes, or a stage.
int Driver::readStage(bool passes) {
  StringRef name = flags.emit;
  if (!name.empty() && passes)
    return usageError("expected --emit or passes, but got both");
  StringRef output = flags.output,
            extension = llvm::sys::path::extension(output);
  if (name.empty())
    name = getStageName(extension);
  std::optional<Emit> emit = getStage(name);
  if (!emit && flags.emit.empty() && !passes && !output.empty() &&
      output != "-" && extension != ".mlir")
    return usageError("expected --emit, or -o to end in .o, .so, .s, .ll, "
                      ".spvasm, .h or .mlir, but got '" +
                      output + "'");
  if (!flags.emit.empty() && !emit)
    return usageError("expected --emit to be " + list(flags.choices.stages) +
                      ", but got '" + name + "'");
  compiles = emit && !passes;
  options.emit = emit.value_or(Emit::Sparkle);
  return emit == Emit::Images ? readFormat(name) : 0;
}

/// Images are printed for the targets that have them.
int Driver::readFormat(StringRef format) {
  llvm::erase_if(options.platforms, [&](const Platform &platform) {
    return platform.target->format != format;
  });
  if (!options.platforms.empty())
    return 0;
  std::vector<std::string> words;
  for (const Target *target : getTargets())
    if (target->format == format)
      words.push_back(target->word.str());
  return usageError("expected --target=" + list(words) +
                    " for --emit=" + format + ", but got none");
}

/// What comes in.
int Driver::readLanguage(bool passes) {
  StringRef name = flags.language;
  StringRef extension = llvm::sys::path::extension(flags.input);
  bool isIr = flags.input == "-"
                  ? passes
                  : extension == ".mlir" || extension == ".mlirbc";
  if (name.empty())
    name = isIr ? "mlir" : "spk";
  if (name != "spk" && name != "mlir")
    return usageError("expected --input to be spk or mlir, but got '" + name +
                      "'");
  if (name == "spk")
    return 0;
  options.language = Language::Ir;
  if (compiles && options.emit == Emit::Ast)
    return usageError("expected a .spk file for --emit=ast, but got IR");
  if (!flags.defines.empty() || !flags.pattern.empty())
    return usageError("expected a .spk file for -D and --pattern, but got IR");
  return 0;
}

/// An object needs a name of its own, and so does the header beside it.
int Driver::checkOutput() {
  if (!config.inputSplitMarker().empty())
    return usageError("expected one object, but --split-input-file makes "
                      "several");
  if (flags.output.empty() && flags.input == "-")
    return usageError("expected -o for what comes from standard input");
  if (llvm::sys::path::extension(flags.output) == ".h")
    return usageError("expected another name for the object, but its header "
                      "is '" +
                      flags.output + "'");
  return 0;
}

int Driver::readFiles() {
  if (flags.input == "-" && flags.pattern == "-")
    return usageError("expected kernels or patterns from standard input, but "
                      "got both");
  for (StringRef file : {StringRef(flags.input), StringRef(flags.pattern)})
    if (file != "-" && llvm::sys::fs::equivalent(file, flags.output))
      return usageError("expected -o to name no file that is read, but got '" +
                        flags.output + "'");
  std::string message;
  input = openInputFile(flags.input, &message);
  if (input && !flags.pattern.empty())
    pattern = openInputFile(flags.pattern, &message);
  return message.empty() ? 0 : inputError(message);
}

/// An object is for one architecture, that of all CPUs.
int Driver::checkArchitecture(ArrayRef<std::string> cpus,
                              MLIRContext &context) {
  const Target *target = *llvm::find_if(
      getTargets(), [](const Target *each) { return !each->isGpu(); });
  std::string message;
  ScopedDiagnosticHandler handler(
      &context, [&](Diagnostic &diagnostic) { message = diagnostic.str(); });
  for (const std::string &cpu : cpus) {
    FailureOr<TargetDescription> described = target->describe(&context, {cpu});
    if (failed(described))
      return usageError(message);
    if (&cpu == cpus.begin())
      options.baseline = described->baseline;
    if (options.baseline != described->baseline)
      return usageError("expected --cpu to name processors of one "
                        "architecture, but got '" +
                        cpus.front() + "' and '" + cpu + "'");
  }
  return 0;
}

/// A wrong --cpu is found before anything is compiled. Of several, what needs
/// more instruction sets stands first; of equals, what was named first.
int Driver::checkProcessors() {
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  // --cpu counts also where there is code for GPUs only.
  std::vector<std::string> cpus(flags.cpus.begin(), flags.cpus.end());
  if (cpus.empty() && !options.platforms.front().target->isGpu())
    cpus.push_back("native");
  if (int status = checkArchitecture(cpus, context))
    return status;
  std::string message;
  ScopedDiagnosticHandler handler(
      &context, [&](Diagnostic &diagnostic) { message = diagnostic.str(); });
  llvm::StringSet<> seen;
  // By the instruction sets that they do without; the GPUs follow.
  std::multimap<int, Platform> ranked;
  for (const Platform &platform : options.platforms) {
    FailureOr<TargetDescription> described =
        platform.target->describe(&context, platform.options);
    if (failed(described))
      return usageError(message);
    bool isCpu = !platform.target->isGpu();
    // LLVM knows some by two spellings, native by its own name.
    if (isCpu && !seen.insert(getSuffix(described->processor)).second)
      return usageError("expected --cpu to name each once, but got '" +
                        described->processor + "' twice");
    int rank = isCpu ? llvm::popcount(~described->features) : 65;
    ranked.emplace(rank, platform);
  }
  options.platforms.clear();
  for (const auto &[rank, platform] : ranked)
    options.platforms.push_back(platform);
  return 0;
}

//===----------------------------------------------------------------------===//
// The work
//===----------------------------------------------------------------------===//

int Driver::run() {
  if (int status = readFlags())
    return status;
  if (int status = checkProcessors())
    return status;
  if (int status = readFiles())
    return status;

  std::string bytes;
  llvm::raw_string_ostream out(bytes);
  LogicalResult result = success();
  if (!compiles && options.language == Language::Ir)
    result = MlirOptMain(out, std::move(input), registry, config);
  else
    result = splitAndProcessBuffer(
        std::move(input),
        [&](std::unique_ptr<llvm::MemoryBuffer> chunk, llvm::raw_ostream &out) {
          return process(std::move(chunk), out);
        },
        out, config.inputSplitMarker(), config.outputSplitMarker());
  if (failed(result))
    return exitWrongInput;
  // Where errors are expected there may be no object.
  bool isTest = config.shouldVerifyDiagnostics();
  return isTest && writesCode(options.emit) ? 0 : write(bytes);
}

/// One chunk, with its diagnostics printed or compared.
LogicalResult Driver::process(std::unique_ptr<llvm::MemoryBuffer> chunk,
                              llvm::raw_ostream &out) {
  llvm::SourceMgr source;
  source.AddNewSourceBuffer(std::move(chunk), {});
  if (pattern)
    source.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBuffer(*pattern), {});
  // What is done in parallel here is not worth the threads.
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  // A place in the source says more than the IR made from it.
  context.printOpOnDiagnostic(false);
  auto work = [&] {
    return compiles ? compileChunk(source, context, out)
                    : runPasses(source, context, out);
  };
  if (!config.shouldVerifyDiagnostics()) {
    SourceMgrDiagnosticHandler handler(source, &context);
    // What has no place in a file is about the command line: a -D, say.
    ScopedDiagnosticHandler placeless(&context, [](Diagnostic &diagnostic) {
      if (!isa<UnknownLoc>(diagnostic.getLocation()))
        return failure();
      inputError(diagnostic.str());
      return success();
    });
    return work();
  }
  SourceMgrDiagnosticVerifierHandler handler(source, &context,
                                             config.verifyDiagnosticsLevel());
  // That the work fails is often what is expected.
  (void)work();
  return handler.verify();
}

LogicalResult Driver::compileChunk(const llvm::SourceMgr &source,
                                   MLIRContext &context,
                                   llvm::raw_ostream &out) {
  options.configurePasses = configurePasses;
  FailureOr<Artifact> artifact = compile(source, &context, options);
  if (failed(artifact))
    return failure();
  out << artifact->bytes;
  header = std::move(artifact->header);
  return success();
}

LogicalResult Driver::runPasses(const llvm::SourceMgr &source,
                                MLIRContext &context, llvm::raw_ostream &out) {
  OwningOpRef<ModuleOp> module = parse(source, &context, options);
  if (!module)
    return failure();
  if (config.shouldVerifyRoundtrip() && failed(verifyRoundTrip(*module)))
    return failure();
  PassManager manager(&context);
  if (failed(configurePasses(manager)) ||
      failed(config.setupPassPipeline(manager)) || failed(manager.run(*module)))
    return failure();
  module->print(out);
  return success();
}

/// Prints, parses, prints again: the same text comes out.
LogicalResult Driver::verifyRoundTrip(ModuleOp module) {
  std::string first, second;
  llvm::raw_string_ostream(first) << module;
  OwningOpRef<ModuleOp> again =
      parseSourceString<ModuleOp>(first, module.getContext());
  if (!again)
    return module.emitError("expected the printed module to parse");
  llvm::raw_string_ostream(second) << *again;
  if (first == second)
    return success();
  return module.emitError("expected the printed module to parse to itself");
}

//===----------------------------------------------------------------------===//
// What comes out
//===----------------------------------------------------------------------===//

/// Text goes to standard output unless -o says otherwise, code beside the
/// working directory's other files, named after the input.
std::string Driver::getOutputPath() {
  if (!flags.output.empty())
    return flags.output;
  if (!compiles || !writesCode(options.emit))
    return "-";
  StringRef suffix = options.emit == Emit::Object ? ".o" : ".so";
  return (llvm::sys::path::stem(flags.input) + suffix).str();
}

int Driver::write(StringRef bytes) {
  SmallVector<OutputFile> files{{getOutputPath(), bytes}};
  if (compiles && writesCode(options.emit) && isRegular(files[0].path)) {
    llvm::SmallString<128> path(files[0].path);
    llvm::sys::path::replace_extension(path, ".h");
    files.push_back({path.str().str(), header});
  }
  if (llvm::Error error = writeFiles(files))
    return inputError(llvm::toString(std::move(error)));
  return 0;
}

/// Shows this tool's options and the passes, and moves the hundreds of LLVM's
/// to --help-hidden.
void sortOptions() {
  auto &options = cl::getRegisteredOptions();
  for (StringRef name : {"sparkle-tile", "pass-pipeline", "verify-diagnostics",
                         "verify-roundtrip", "split-input-file",
                         "mlir-print-ir-after-all", "mlir-timing"})
    if (auto option = options.find(name); option != options.end()) {
      option->second->addCategory(passCategory);
      option->second->setHiddenFlag(cl::NotHidden);
    }
  for (auto &entry : options) {
    cl::Option *option = entry.second;
    bool isOurs = llvm::any_of(option->Categories, [](auto *each) {
      return each == &category || each == &passCategory;
    });
    if (!isOurs && option->ArgStr != "help" && option->ArgStr != "version" &&
        option->ArgStr != "help-hidden")
      option->setHiddenFlag(cl::Hidden);
  }
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  DialectRegistry registry;
  registerDialects(registry);
  registry.insert<func::FuncDialect>(); // for tests of ops outside of kernels
  registerTransforms();
  registerCanonicalizerPass();
  registerCSEPass();
  for (const Target *target : getTargets())
    target->registerPasses();

  Flags flags;
  MlirOptMainConfig::registerCLOptions(registry);
  registerAsmPrinterCLOptions();
  registerMLIRContextCLOptions();
  registerPassManagerCLOptions();
  registerDefaultTimingManagerCLOptions();
  sortOptions();
  cl::SetVersionPrinter(
      [](llvm::raw_ostream &out) { out << getCompilerVersion() << "\n"; });
  if (!cl::ParseCommandLineOptions(argc, argv, overview, &llvm::errs()))
    return exitUsage;
  return Driver(flags, registry).run();
}
