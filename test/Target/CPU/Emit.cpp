// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What no input of the compiler reaches: LLVM IR that is not valid, and the
// names of processors one by one.

#include "lib/Target/Registry.h"
#include "sparkle/kernel.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/IR/Function.h"
#include "gtest/gtest.h"

using namespace mlir;

namespace sparkle {
namespace {

/// Keeps the text of the last diagnostic.
struct Diagnostics {
  explicit Diagnostics(MLIRContext &context)
      : handler(&context, [this](Diagnostic &diagnostic) {
          text = diagnostic.str();
          return success();
        }) {}

  std::string text;
  ScopedDiagnosticHandler handler;
};

TEST(Emit, RefusesInvalidIR) {
  MLIRContext context;
  Diagnostics diagnostics(context);
  llvm::LLVMContext llvmContext;
  llvm::Module module("invalid", llvmContext);
  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(llvmContext), {});
  auto *function = llvm::Function::Create(
      type, llvm::GlobalValue::ExternalLinkage, "f", module);
  llvm::BasicBlock::Create(llvmContext, "", function);

  llvm::SmallString<0> bytes;
  LogicalResult result = getCPUTarget().emit(
      module, {"x86-64"}, CodeFormat::Object, bytes, UnknownLoc::get(&context));
  EXPECT_TRUE(failed(result));
  EXPECT_TRUE(bytes.empty());
  EXPECT_TRUE(llvm::StringRef(diagnostics.text)
                  .starts_with("expected valid LLVM IR, but got: "))
      << diagnostics.text;
}

TEST(Describe, KnowsProcessorsByName) {
  MLIRContext context;
  context.loadDialect<SparkleDialect>();
  auto describe = [&](std::string name) {
    return getCPUTarget().describe(&context, {std::move(name)});
  };
  FailureOr<TargetDescription> wide = describe("znver5");
  ASSERT_TRUE(succeeded(wide));
  EXPECT_EQ(wide->numbers.getLanes(), 16);
  EXPECT_EQ(wide->numbers.getVectors(), 32);
  EXPECT_EQ(wide->processor, "znver5");
  EXPECT_TRUE(wide->features & SPARKLE_CPU_AVX512F);

  FailureOr<TargetDescription> baseline = describe("x86-64");
  ASSERT_TRUE(succeeded(baseline));
  EXPECT_EQ(baseline->numbers.getLanes(), 4);
  EXPECT_EQ(baseline->features, 0u);

  FailureOr<TargetDescription> other = describe("neoverse-v1");
  ASSERT_TRUE(succeeded(other));
  EXPECT_EQ(other->numbers.getLanes(), 4);
  EXPECT_EQ(other->numbers.getVectors(), 32);
  EXPECT_EQ(other->numbers.getCloseBytes(), 64 * 1024);
  EXPECT_EQ(other->baseline, "neon");
  // Nothing that only some have.
  EXPECT_EQ(other->features, SPARKLE_CPU_NEON);

  // Both architectures have a processor of this name; the first one's is meant.
  FailureOr<TargetDescription> generic = describe("generic");
  ASSERT_TRUE(succeeded(generic));
  EXPECT_EQ(generic->baseline, "x86-64");

  FailureOr<TargetDescription> native = describe("native");
  ASSERT_TRUE(succeeded(native));
  EXPECT_NE(native->processor, "native");
}

TEST(Describe, RefusesOtherNames) {
  MLIRContext context;
  Diagnostics diagnostics(context);
  // Processors of 32 bits, one of another architecture, and none.
  for (std::string name : {"i686", "cortex-a15", "gfx1100", ""}) {
    EXPECT_TRUE(failed(getCPUTarget().describe(&context, {name})));
    EXPECT_EQ(diagnostics.text,
              "expected the name of an x86-64 or AArch64 processor, but got '" +
                  name + "'");
  }
}

} // namespace
} // namespace sparkle
