// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What code objects say, and what no kernel reaches: functions that ask for
// what the runtime does not pass, and images that are none.

#include "lib/Target/AMDGPU/CodeObject.h"
#include "lib/Target/AMDGPU/AMDGPU.h"
#include "lib/Target/Registry.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;

namespace sparkle {
namespace {

class CodeObject : public ::testing::Test {
protected:
  CodeObject()
      : handler(&context, [this](Diagnostic &diagnostic) {
          text = diagnostic.str();
          return success();
        }) {
    DialectRegistry registry;
    getAMDGPUTarget().registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// A kernel of one entry point @f_0 with this body, of 64 invocations, that
  /// takes a binding and a size.
  FailureOr<std::vector<Image>>
  emit(StringRef body, std::string processor = "gfx1100",
       StringRef arguments = "%p: !llvm.ptr<1>, %n: i32",
       StringRef entry = "f_0", StringRef attributes = kAttributes) {
    std::string source = ("module { module @f attributes {" + attributes +
                          "} { llvm.func amdgpu_kernelcc @" + entry + "(" +
                          arguments + ") {\n" + body + "\nllvm.return } } }")
                             .str();
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(source, &context);
    EXPECT_TRUE(module) << text;
    return getAMDGPUTarget().emitImages(*module, {processor});
  }

  void expectRefusal(StringRef body, StringRef message) {
    EXPECT_TRUE(failed(emit(body)));
    EXPECT_EQ(text, message.str());
  }

  static constexpr llvm::StringLiteral kAttributes =
      "sparkle.arguments = array<i64: 1, 1>, sparkle.launches = [{"
      "entry = \"f_0\", grid = affine_map<() -> (1)>, "
      "invocations = 64 : i64, local_bytes = 0 : i64}]";

  MLIRContext context;
  std::string text;
  ScopedDiagnosticHandler handler;
};

constexpr llvm::StringLiteral kStore = "llvm.store %n, %p : i32, !llvm.ptr<1>";

/// The numbers of the notes on kernel descriptors: RDNA 2 asks for registers
/// for scratch memory that it does not use.
TEST_F(CodeObject, DescribesEntryPoints) {
  for (auto [processor, properties] :
       {std::pair("gfx1100", 0x408), std::pair("gfx1030", 0x409),
        std::pair("gfx1036", 0x409)}) {
    FailureOr<std::vector<Image>> images = emit(kStore, processor);
    ASSERT_TRUE(succeeded(images)) << text;
    ASSERT_EQ(images->size(), 1u);
    const Image &image = images->front();
    EXPECT_EQ(image.kernel, "f");
    ASSERT_EQ(image.launches.size(), 1u);
    EXPECT_EQ(image.launches[0].localBytes, 0u);
    auto object =
        amdgpu::readCodeObject({image.bytes.data(), image.bytes.size()});
    ASSERT_TRUE(bool(object)) << llvm::toString(object.takeError());
    EXPECT_EQ(object->processor, processor);
    const amdgpu::EntryPoint *entry = object->find("f_0");
    ASSERT_TRUE(entry);
    EXPECT_EQ(object->find("f"), nullptr);
    EXPECT_EQ(entry->descriptor.kernel_code_properties, properties);
    EXPECT_EQ(entry->descriptor.kernarg_size, 12u);
    EXPECT_EQ(entry->descriptor.private_segment_fixed_size, 0u);
    EXPECT_EQ(entry->invocations, 64u);
    // Where the hardware begins: 256 bytes apart.
    EXPECT_EQ(entry->address % 256, 0u);
    EXPECT_FALSE(entry->code.empty());
  }
}

TEST_F(CodeObject, IsTheSameEachTime) {
  FailureOr<std::vector<Image>> one = emit(kStore), other = emit(kStore);
  ASSERT_TRUE(succeeded(one) && succeeded(other));
  EXPECT_EQ(one->front().bytes, other->front().bytes);
}

TEST_F(CodeObject, RefusesHiddenArguments) {
  expectRefusal("%0 = llvm.call_intrinsic \"llvm.amdgcn.implicitarg.ptr\"() : "
                "() -> !llvm.ptr<4>\n"
                "%1 = llvm.load %0 : !llvm.ptr<4> -> i32\n"
                "llvm.store %1, %p : i32, !llvm.ptr<1>",
                "expected no hidden arguments, but got 'hidden_block_count_x' "
                "of 'f_0'");
}

TEST_F(CodeObject, RefusesUnknownProperties) {
  expectRefusal("%0 = llvm.call_intrinsic \"llvm.amdgcn.dispatch.id\"() : () "
                "-> i64\n"
                "llvm.store %0, %p : i64, !llvm.ptr<1>",
                "expected kernel code properties 0x408 or 0x409, but got 0x418 "
                "of 'f_0'");
}

TEST_F(CodeObject, RefusesScratch) {
  expectRefusal("%c = llvm.mlir.constant(64 : i32) : i32\n"
                "%0 = llvm.alloca %c x i32 : (i32) -> !llvm.ptr<5>\n"
                "llvm.store volatile %n, %0 : i32, !llvm.ptr<5>",
                "expected no scratch memory, but got 8 bytes for each lane "
                "of 'f_0' - use smaller sizes in 'registers', or more 'lanes'");
}

TEST_F(CodeObject, RefusesADynamicStack) {
  expectRefusal("%0 = llvm.alloca %n x i32 : (i32) -> !llvm.ptr<5>\n"
                "llvm.store volatile %n, %0 : i32, !llvm.ptr<5>",
                "expected no scratch memory, but got 16 bytes for each lane "
                "of 'f_0' - use smaller sizes in 'registers', or more 'lanes'");
}

TEST_F(CodeObject, RefusesOtherArguments) {
  EXPECT_TRUE(
      failed(emit(kStore, "gfx1100", "%p: !llvm.ptr<1>, %n: i32, %m: i64")));
  EXPECT_EQ(text, "expected 12 bytes of arguments, but got 24 of 'f_0'");
}

TEST_F(CodeObject, RefusesModulesWithoutAttributes) {
  EXPECT_TRUE(
      failed(emit(kStore, "gfx1100", "%p: !llvm.ptr<1>, %n: i32", "f_0", "")));
  EXPECT_EQ(text, "expected the attributes 'sparkle.launches' and "
                  "'sparkle.arguments'");
}

/// The message of reading `bytes`.
std::string read(StringRef bytes) {
  auto object = amdgpu::readCodeObject(bytes);
  return object ? "" : llvm::toString(object.takeError());
}

TEST_F(CodeObject, RefusesOtherFiles) {
  EXPECT_NE(read(""), "");
  EXPECT_NE(read("no code object"), "");
  FailureOr<std::vector<Image>> images = emit(kStore);
  ASSERT_TRUE(succeeded(images));
  std::string bytes(images->front().bytes.data(), images->front().bytes.size());
  EXPECT_EQ(read(bytes), "");
  // The machine of the header is x86-64.
  std::string other = bytes;
  other[18] = 62, other[19] = 0;
  EXPECT_EQ(read(other), "expected a code object for AMD's GPUs");
  // The note is another's.
  other = bytes;
  other[other.find("AMDGPU")] = 'B';
  EXPECT_EQ(read(other), "expected a note with metadata, but got none");
  // Its kernels have another name.
  other = bytes;
  other.replace(other.find("amdhsa.kernels"), 14, "amdhsa.kernel0");
  EXPECT_EQ(read(other), "expected metadata with 'amdhsa.kernels'");
  // It is no map.
  other = bytes;
  other[other.find("amdhsa.kernels") - 2] = '\xc1';
  EXPECT_EQ(read(other), "expected metadata as a map of msgpack");
  // The descriptor is another's.
  other = bytes;
  for (size_t at = 0; (at = other.find("f_0.kd", at)) != std::string::npos;)
    other[at + 5] = 'e';
  EXPECT_EQ(read(other), "expected a symbol 'f_0.kd', but got none");
  // Cut off anywhere, it is refused, or what is left says the same.
  for (size_t size = 0; size < bytes.size(); size += 13)
    (void)read(StringRef(bytes).take_front(size));
}

/// Symbols of the descriptor, which are its 64 bytes long, with another size or
/// section.
TEST_F(CodeObject, RefusesOtherSymbols) {
  FailureOr<std::vector<Image>> images = emit(kStore);
  ASSERT_TRUE(succeeded(images));
  const std::string bytes(images->front().bytes.data(),
                          images->front().bytes.size());
  auto expectOneOf = [&](StringRef message, auto change) {
    const std::string size("\x40\0\0\0\0\0\0\0", 8);
    bool found = false;
    for (size_t at = 0; (at = bytes.find(size, at)) != std::string::npos;
         ++at) {
      std::string other = bytes;
      change(other, at);
      found |= read(other) == message;
    }
    EXPECT_TRUE(found) << message.str();
  };
  expectOneOf("expected a kernel descriptor of 64 bytes, but got 63",
              [](std::string &other, size_t at) { other[at] = 63; });
  expectOneOf("expected a symbol within its section",
              [](std::string &other, size_t at) { other[at + 6] = 1; });
  // Absolute: no section.
  expectOneOf("expected a symbol in a section",
              [](std::string &other, size_t at) {
                if (at >= 10)
                  other.replace(at - 10, 2, "\xf1\xff");
              });
}

TEST_F(CodeObject, DisassemblesInstructionsOnly) {
  FailureOr<std::vector<Image>> images = emit(kStore);
  ASSERT_TRUE(succeeded(images));
  auto bytes = images->front().bytes;
  std::string out;
  llvm::raw_string_ostream stream(out);
  Location loc = UnknownLoc::get(&context);
  EXPECT_TRUE(succeeded(getAMDGPUTarget().disassemble(bytes, stream, loc)));
  EXPECT_NE(out.find("; f_0: 64 invocations"), std::string::npos) << out;
  EXPECT_NE(out.find("s_endpgm"), std::string::npos) << out;
  // In place of s_endpgm, what is no instruction.
  size_t at =
      StringRef(bytes.data(), bytes.size()).find(StringRef("\0\0\xb0\xbf", 4));
  ASSERT_NE(at, StringRef::npos);
  std::fill_n(bytes.begin() + at, 4, '\xff');
  EXPECT_TRUE(failed(getAMDGPUTarget().disassemble(bytes, stream, loc)));
  EXPECT_TRUE(StringRef(text).starts_with("expected an instruction at L"))
      << text;
}

TEST(EntryPoint, WantsNoPreloadedArguments) {
  amdgpu::EntryPoint entry;
  entry.name = "f_0";
  entry.descriptor.kernel_code_properties = 0x408;
  entry.descriptor.kernarg_size = 12;
  EXPECT_EQ(llvm::toString(amdgpu::checkEntryPoint(entry, 12)), "");
  entry.descriptor.kernarg_preload = 1;
  EXPECT_EQ(llvm::toString(amdgpu::checkEntryPoint(entry, 12)),
            "expected no preloaded arguments, but got 1 of 'f_0'");
}

TEST(Describe, RefusesOtherNames) {
  MLIRContext context;
  std::string text;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    text = diagnostic.str();
    return success();
  });
  EXPECT_TRUE(failed(getAMDGPUTarget().describe(&context, {"gfx900"})));
  EXPECT_EQ(text, "expected the name of a processor, 'gfx1100', 'gfx1030' or "
                  "'gfx1036', but got 'gfx900'");
}

TEST(Processor, CountsWaves) {
  const amdgpu::Processor &navi31 = *amdgpu::findProcessor("gfx1100"),
                          &navi21 = *amdgpu::findProcessor("gfx1030");
  EXPECT_EQ(navi31.countWaves(192, 0, 128), 8u);
  EXPECT_EQ(navi31.countWaves(193, 0, 128), 7u);
  EXPECT_EQ(navi31.countWaves(24, 0, 128), 16u);
  EXPECT_EQ(navi21.countWaves(128, 0, 128), 8u);
  EXPECT_EQ(navi21.countWaves(129, 0, 128), 7u);
  // Two workgroups of eight waves on two SIMDs.
  EXPECT_EQ(navi31.countWaves(24, 32 * 1024, 256), 8u);
  EXPECT_EQ(navi31.countWaves(24, 16 * 1024, 128), 8u);
  EXPECT_EQ(amdgpu::findProcessor("gfx900"), nullptr);
}

} // namespace
} // namespace sparkle
