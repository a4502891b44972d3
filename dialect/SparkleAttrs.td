// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attributes: the role of a tensor, the memory pattern, the target's numbers.

#ifndef SPARKLE_ATTRS_TD
#define SPARKLE_ATTRS_TD

include "dialect/SparkleDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class SparkleAttr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Sparkle_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Sparkle_Role : I32EnumAttr<"Role", "what a tensor is to the caller", [
      I32EnumAttrCase<"Input", 0, "input">,
      I32EnumAttrCase<"Weight", 1, "weight">,
      I32EnumAttrCase<"Output", 2, "output">,
      I32EnumAttrCase<"Temp", 3, "temp">]> {
  let cppNamespace = "::sparkle";
}

def Sparkle_Level : I32EnumAttr<"Level", "the memory level a loop is bound to", [
      I32EnumAttrCase<"Near", 0, "near">,
      I32EnumAttrCase<"Registers", 1, "registers">]> {
  let cppNamespace = "::sparkle";
}

def Sparkle_Realisation : I32EnumAttr<"Realisation",
      "how the elements of a box come to be there", [
      I32EnumAttrCase<"InPlace", 0, "in_place">,
      I32EnumAttrCase<"Copy", 1, "copy">,
      I32EnumAttrCase<"Compute", 2, "compute">]> {
  let cppNamespace = "::sparkle";
}

def Sparkle_Function : I32EnumAttr<"Function",
      "a function of one element in an epilogue", [
      I32EnumAttrCase<"Relu", 0, "relu">,
      I32EnumAttrCase<"Relu6", 1, "relu6">,
      I32EnumAttrCase<"Sigmoid", 2, "sigmoid">,
      I32EnumAttrCase<"Tanh", 3, "tanh">,
      I32EnumAttrCase<"Silu", 4, "silu">,
      I32EnumAttrCase<"Gelu", 5, "gelu">,
      I32EnumAttrCase<"Hswish", 6, "hswish">,
      I32EnumAttrCase<"Exp", 7, "exp">,
      I32EnumAttrCase<"Log", 8, "log">,
      I32EnumAttrCase<"Sqrt", 9, "sqrt">,
      I32EnumAttrCase<"Round", 10, "round">,
      I32EnumAttrCase<"Softplus", 11, "softplus">]> {
  let cppNamespace = "::sparkle";
}

def Sparkle_PatternAttr : SparkleAttr<"Pattern", "pattern"> {
  let summary = "the memory pattern of one equation";
  let description = [{
    One size per index of the equation, output indices first, then the indices
    of its sum, for each memory level. `0` is `auto`: chosen by
    `sparkle-resolve-pattern` from the target's numbers; `-1` is `all`: the
    whole extent. A pattern without an `auto` is *resolved*.

    * `workers`: the box of the output that one worker computes (one thread, or
      one workgroup). An entry of a sum index is the part of the sum that one
      worker adds up, or 1 where the sum is not divided.
    * `near`: the step of the sum for which operands are brought into near
      memory; entries of output indices are 1.
    * `registers`: the box of the output whose sums are held in registers.
    * `unroll`: the slice of the sum that one accumulate covers.
    * `lanes`: how many SIMD lanes or invocations lie along each output index.
      An entry of a sum index is the number of lanes among which its steps are
      dealt out, or 1.
    * `order`: the positions of the output indices, then those of the sum's,
      from the outermost loop to the innermost.
    * `stage`: the tensors copied into near memory (by name).
    * `fuse`: the temps computed in near memory, box by box (by name).
    * `transform`: "none", or the rewriting of the algorithm that is asked for:
      "winograd 2x2" or "winograd 4x4"; "auto" and "auto 4x4" allow those up to
      2x2 or 4x4.
    * `overlap`: the staged tensors whose copy runs one step ahead.
    * `prefetch`: steps ahead that a tensor is prefetched, by name; all: what
      the loop outside of those that read the same again reads next.
    * `merge`: neighbouring indices of the left side that are taken as one, under
      the name of the last; its sizes are those of both. Empty: none are.

    An absent parameter is `auto` altogether.
  }];
  let parameters = (ins
    OptionalParameter<"::mlir::DenseI64ArrayAttr">:$workers,
    OptionalParameter<"::mlir::DenseI64ArrayAttr">:$near,
    OptionalParameter<"::mlir::ArrayAttr">:$stage,
    OptionalParameter<"::mlir::DenseI64ArrayAttr">:$registers,
    OptionalParameter<"::mlir::DenseI64ArrayAttr">:$lanes,
    OptionalParameter<"::mlir::DenseI64ArrayAttr">:$unroll,
    OptionalParameter<"::mlir::DenseI64ArrayAttr">:$order,
    OptionalParameter<"::mlir::DictionaryAttr">:$prefetch,
    OptionalParameter<"::mlir::ArrayAttr">:$overlap,
    OptionalParameter<"::mlir::ArrayAttr">:$fuse,
    OptionalParameter<"::mlir::StringAttr">:$transform,
    OptionalParameter<"::mlir::ArrayAttr">:$merge
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let extraClassDeclaration = [{
    /// The same with other workers.
    PatternAttr withWorkers(::llvm::ArrayRef<int64_t> workers) const;
  }];
}

def Sparkle_TargetAttr : SparkleAttr<"Target", "target"> {
  let summary = "the numbers of a target that the shared passes read";
  let description = [{
    Made by `Target::describe`; the shared passes ask it for numbers and never
    which target it is.

    * `word`: the target's one word, for messages and the printed pattern.
    * `lanes`: f32 SIMD lanes of a vector, or invocations of a workgroup.
    * `vectors`: vector registers of one core, or f32 registers an invocation
      may hold.
    * `fma_latency`: independent sums needed to keep the multiply-add units
      busy, in vectors.
    * `near_bytes`: bytes of near memory of one worker (L2, or workgroup memory).
    * `close_bytes`: bytes of the memory next to the registers (L1); 0 if none.
    * `copies`: true where near memory must be filled by explicit copies.
    * `masked`: true where lanes are masked one by one, so that a tile that
      reaches beyond the output costs no more than a whole one. Tiles of such a
      target may overhang.
    * `cores`: how many cores run workers, which a choice of sizes keeps busy; for
      one or two there are some workers more than that, whichever cores run them;
    * `near_read`: of a target whose lanes lie in a grid: multiply-adds of a lane
      that a core does in the time in which it reads a vector of near memory for
      one; and
    * `near_width`: of a target with a close memory, bytes that come there from
      near memory in a cycle.
    * `unit_lanes`: lanes that a multiply-add unit computes at once: a shorter
      vector takes as long, and of a longer one each part.
  }];
  let parameters = (ins
    StringRefParameter<>:$word,
    "int64_t":$lanes,
    "int64_t":$vectors,
    "int64_t":$fma_latency,
    "int64_t":$near_bytes,
    "int64_t":$close_bytes,
    "bool":$copies,
    DefaultValuedParameter<"bool", "false">:$masked,
    DefaultValuedParameter<"int64_t", "1">:$cores,
    DefaultValuedParameter<"int64_t", "1">:$near_read,
    DefaultValuedParameter<"int64_t", "32">:$near_width,
    DefaultValuedParameter<"int64_t", "8">:$unit_lanes
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Whether no operation multiplies and adds, and products are in registers
    /// until they are added: x86-64 without AVX2.
    bool keepsProducts() const { return getLanes() < 8 && getVectors() <= 16; }
    /// Bytes that the temps of one worker may fill. On a CPU that is more than
    /// near memory holds, where a thread's stack, of some MiB, has room for it.
    int64_t getTempBytes() const {
      constexpr int64_t kStackBytes = 2 << 20;
      return getCopies() ? getNearBytes()
                         : ::std::max(getNearBytes(), kStackBytes);
    }
  }];
}

#endif // SPARKLE_ATTRS_TD
