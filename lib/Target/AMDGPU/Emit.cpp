// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM dialect -> LLVM IR -> code object. What the runtime could not launch is
// not emitted.

#include "lib/Artifact/Link.h"
#include "lib/Target/AMDGPU/AMDGPU.h"
#include "lib/Target/AMDGPU/CodeObject.h"
#include "lib/Target/AMDGPU/PairSums.h"
#include "lib/Target/GPU/ImageBuilder.h"
#include "lib/Target/LLVMOption.h"
#include "lib/Target/Optimise.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"

using namespace mlir;

namespace sparkle::amdgpu {
namespace {

/// Waves of a SIMD that hide what each of them waits for.
constexpr unsigned kWaves = 8;

/// How an entry point is compiled: with as many registers as `kWaves` leave to
/// an invocation, or all that there are; and whether LLVM may move loads far,
/// or for nothing but to use few registers.
struct Attempt {
  enum class Registers { Few, All } registers;
  enum class Motion { Free, Little, Least } motion;
};

/// What is tried, in this order, until an entry point needs no scratch memory.
constexpr Attempt kAttempts[] = {
    {Attempt::Registers::Few, Attempt::Motion::Free},
    {Attempt::Registers::Few, Attempt::Motion::Little},
    {Attempt::Registers::Few, Attempt::Motion::Least},
    {Attempt::Registers::All, Attempt::Motion::Free},
    {Attempt::Registers::All, Attempt::Motion::Little},
    {Attempt::Registers::All, Attempt::Motion::Least},
};

/// Why what became of a kernel cannot be launched, and which entry point it is
/// about.
struct Refusal {
  std::string entry, reason;
};

/// One kernel on its way to a code object.
class Emission {
public:
  /// `attempts` numbers those of the entry points that are not at the first.
  Emission(ModuleOp kernel, const Processor &processor,
           const llvm::StringMap<size_t> &attempts)
      : kernel(kernel), processor(processor), attempts(attempts),
        machine(createTargetMachine(processor)) {}

  /// Fails if the kernel cannot be translated, with a report.
  FailureOr<Image> run(Refusal &refusal);

private:
  LogicalResult translate();
  void describe(const Launch &launch);
  void optimise();
  void assemble(SmallVectorImpl<char> &object);
  llvm::Error check(std::string &entry);
  Attempt getAttempt(StringRef entry) const {
    return kAttempts[attempts.lookup(entry)];
  }

  ModuleOp kernel;
  const Processor &processor;
  const llvm::StringMap<size_t> &attempts;
  std::unique_ptr<llvm::TargetMachine> machine;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module;
  Image image;
};

/// What the back end has to know about an entry point: how many lanes there are
/// decides how many registers each may have.
void Emission::describe(const Launch &launch) {
  llvm::Function *function = module->getFunction(launch.entry);
  Attempt attempt = getAttempt(launch.entry);
  std::string count = std::to_string(launch.invocations);
  function->addFnAttr("target-cpu", machine->getTargetCPU());
  function->addFnAttr("target-features", machine->getTargetFeatureString());
  function->addFnAttr("amdgpu-flat-work-group-size", count + "," + count);
  function->addFnAttr("uniform-work-group-size", "true");
  if (attempt.registers == Attempt::Registers::Few) {
    // More of them would only wait for workgroup memory.
    unsigned waves = std::min(
        kWaves, processor.countWaves(0, launch.localBytes, launch.invocations));
    function->addFnAttr("amdgpu-waves-per-eu",
                        std::to_string(std::max(waves, 1u)));
  }
  if (attempt.motion == Attempt::Motion::Least)
    function->addFnAttr("amdgpu-sched-strategy", "iterative-minreg");
  function->addFnAttr(llvm::Attribute::NoUnwind);
  auto number = [&](uint32_t value) {
    return llvm::ConstantAsMetadata::get(
        llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), value));
  };
  function->setMetadata("reqd_work_group_size",
                        llvm::MDNode::get(context, {number(launch.invocations),
                                                    number(1), number(1)}));
}

LogicalResult Emission::translate() {
  FailureOr<std::vector<Launch>> launches = gpu::readLaunches(kernel);
  if (failed(launches) || !kernel->hasAttr(kArguments))
    return kernel.emitError("expected the attributes '")
           << gpu::kLaunches << "' and '" << kArguments << "'";
  image.kernel = kernel.getSymName().value_or("").str();
  image.launches = std::move(*launches);
  module = translateModuleToLLVMIR(kernel, context, "sparkle");
  if (!module)
    return failure();
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  for (const Launch &launch : image.launches)
    describe(launch);
  assert(!llvm::verifyModule(*module, &llvm::errs()) &&
         "the LLVM dialect was verified");
  return success();
}

/// With the passes of the back end, without which kernels ask for arguments
/// that nobody passes.
void Emission::optimise() {
  for (llvm::Function &function : *module)
    keepSums(function);
  sparkle::optimise(*module, *machine, llvm::OptimizationLevel::O3);
  for (llvm::Function &function : *module) {
    pairSums(function);
    if (getAttempt(function.getName()).motion == Attempt::Motion::Little)
      boundMotion(function);
  }
}

void Emission::assemble(SmallVectorImpl<char> &object) {
  SourceOrder order;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  bool refused = machine->addPassesToEmitFile(
      passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile);
  assert(!refused && "the back end writes objects");
  (void)refused;
  passes.run(*module);
}

/// Takes the size of workgroup memory from what was emitted. `entry` is the
/// entry point that it looked at last.
llvm::Error Emission::check(std::string &entry) {
  llvm::Expected<CodeObject> object =
      readCodeObject({image.bytes.data(), image.bytes.size()});
  if (!object)
    return object.takeError();
  ArrayRef<int64_t> counts =
      kernel->getAttrOfType<DenseI64ArrayAttr>(kArguments).asArrayRef();
  unsigned bytes = counts[0] * sizeof(uint64_t) + counts[1] * sizeof(int32_t);
  for (Launch &launch : image.launches) {
    entry = launch.entry;
    const EntryPoint *entryPoint = object->find(entry);
    assert(entryPoint && "a function of the module is in its code object");
    if (llvm::Error refused = checkEntryPoint(*entryPoint, bytes))
      return refused;
    launch.localBytes = entryPoint->descriptor.group_segment_fixed_size;
  }
  return llvm::Error::success();
}

FailureOr<Image> Emission::run(Refusal &refusal) {
  if (failed(translate()))
    return failure();
  optimise();
  llvm::SmallString<0> object;
  assemble(object);
  llvm::Error error = linkAlone(object, "elf64_amdgpu", image.bytes);
  if (!error)
    error = check(refusal.entry);
  if (error)
    refusal.reason = llvm::toString(std::move(error));
  return std::move(image);
}

/// Of each entry point the first attempt that is not refused, or the last
/// refusal as an error.
FailureOr<Image> emitImage(ModuleOp kernel, const Processor &processor) {
  llvm::StringMap<size_t> attempts;
  for (;;) {
    Refusal refusal;
    FailureOr<Image> image = Emission(kernel, processor, attempts).run(refusal);
    if (failed(image) || refusal.reason.empty())
      return image;
    if (++attempts[refusal.entry] == std::size(kAttempts))
      return kernel.emitError(refusal.reason);
  }
}

} // namespace

FailureOr<std::vector<Image>> emitImages(ModuleOp module,
                                         const TargetOptions &options) {
  std::vector<Image> images;
  // The caller has described the processor, and so knows the name.
  const Processor &processor = *findProcessor(options.processor);
  for (auto kernel : module.getOps<ModuleOp>()) {
    FailureOr<Image> image = emitImage(kernel, processor);
    if (failed(image))
      return failure();
    images.push_back(std::move(*image));
  }
  return images;
}

} // namespace sparkle::amdgpu
