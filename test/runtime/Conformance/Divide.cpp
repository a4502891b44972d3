// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs that are divided as their kernels say they may be: the parts, put
// together, are the whole.

#include "runtime/Bands.h"
#include "runtime/Handle.h"
#include "runtime/Module.h"
#include "runtime/Shape.h"
#include "test/runtime/Conformance/Problem.h"

#include <algorithm>
#include <limits>

namespace {

namespace rt = sparkle::runtime;

/// Where nothing was written. Compared by its bits, as everything is.
constexpr float poison = std::numeric_limits<float>::quiet_NaN();

/// The arguments of one run in their declared layout.
using Arguments = std::vector<Floats>;

struct DivideTest : Conformance {
  /// Sets the kernel; how inputs are drawn, whole numbers times `scale`.
  void begin(const char *name, float scale);
  /// Inputs and weights of a run, and outputs of poison.
  Arguments drawArguments(const std::vector<int64_t> &sizes);
  uint64_t countElements(uint32_t argument, const std::vector<int64_t> &sizes);
  /// What the device makes of it; of a band alone, if it is not empty.
  Arguments compute(const std::vector<int64_t> &sizes, Arguments arguments,
                    const rt::Band &band = {});
  void runBand(const std::vector<sparkle_view_t> &views,
               const std::vector<int64_t> &sizes, const rt::Band &band);

  Arguments takePart(const sparkle_split_t &split, const rt::Part &part,
                     const std::vector<int64_t> &sizes,
                     const Arguments &whole) const;
  void putPart(const sparkle_split_t &split, const rt::Part &part,
               const std::vector<int64_t> &sizes, const Arguments &results,
               int64_t unit, Arguments &whole) const;
  /// Computes a run in parts of some units, but for the rest in the last.
  Arguments computeParts(const sparkle_split_t &split,
                         const std::vector<int64_t> &sizes,
                         const Arguments &arguments, int64_t units);
  void checkSplits(const char *name, const std::vector<int64_t> &sizes);
  void checkBands(const char *name, const std::vector<int64_t> &sizes,
                  uint32_t dimension);

  uint32_t findArgument(uint32_t tensor) const;
  bool isOutput(uint32_t argument) const {
    return tensors[argument]->role == SPARKLE_ROLE_OUTPUT;
  }

  const sparkle_kernel_t *tested = nullptr;
  Module module;
  float scale = 1;
  std::vector<const sparkle_tensor_t *> tensors; // of the arguments
};

void DivideTest::begin(const char *name, float scaleOfInputs) {
  tested = kernel(name);
  scale = scaleOfInputs;
  module = makeModule(name);
  tensors.clear();
  for (uint32_t i = 0; i < tested->tensor_count; ++i)
    if (tested->tensors[i].role != SPARKLE_ROLE_TEMP)
      tensors.push_back(&tested->tensors[i]);
}

uint32_t DivideTest::findArgument(uint32_t tensor) const {
  auto at = std::find(tensors.begin(), tensors.end(), &tested->tensors[tensor]);
  return static_cast<uint32_t>(at - tensors.begin());
}

/// In the declared layout.
uint64_t DivideTest::countElements(uint32_t argument,
                                   const std::vector<int64_t> &sizes) {
  const sparkle_tensor_t &tensor = *tensors[argument];
  rt::Extents extents;
  uint64_t bytes = 0;
  EXPECT_TRUE(rt::getExtents(*tested, tensor, sizes.data(), extents).isOk());
  EXPECT_TRUE(
      rt::getBytes(tensor, tensor.layout, tensor.layout_count, extents, bytes)
          .isOk());
  return bytes / sizeof(float);
}

Arguments DivideTest::drawArguments(const std::vector<int64_t> &sizes) {
  Arguments arguments;
  for (uint32_t i = 0; i < tensors.size(); ++i) {
    Floats values = drawAll(countElements(i, sizes), i + 1);
    for (float &value : values)
      value = isOutput(i) ? poison : value * scale;
    arguments.push_back(std::move(values));
  }
  return arguments;
}

/// The C ABI has no bands: as the scheduler does it.
void DivideTest::runBand(const std::vector<sparkle_view_t> &views,
                         const std::vector<int64_t> &sizes,
                         const rt::Band &band) {
  const rt::Module &made = rt::unwrap(static_cast<sparkle_module_t *>(module));
  std::vector<rt::Command> commands(1);
  rt::Command &command = commands[0];
  command.program = made.variant(made.current()).program;
  for (const sparkle_view_t &view : views) {
    rt::Buffer &buffer = rt::unwrap(view.buffer);
    command.arguments.push_back(
        {rt::Ref<rt::Buffer>::share(&buffer), view.offset, buffer.size()});
  }
  command.sizes = sizes;
  command.band = band;
  rt::Ref<rt::Queue> queue;
  rt::Ref<rt::Recording> recording;
  uint64_t value = 0;
  rt::Status status = made.device().createQueue(queue);
  if (status.isOk())
    status = made.device().createRecording(std::move(commands), recording);
  if (status.isOk())
    status = queue->submit({*recording, nullptr, nullptr, 0, 0, 0}, value);
  if (status.isOk())
    status = queue->timeline().wait(value, SPARKLE_FOREVER);
  EXPECT_TRUE(status.isOk()) << status.message();
}

Arguments DivideTest::compute(const std::vector<int64_t> &sizes,
                              Arguments arguments, const rt::Band &band) {
  std::vector<Buffer> buffers;
  std::vector<sparkle_view_t> views;
  for (uint32_t i = 0; i < tensors.size(); ++i) {
    uint64_t bytes = 0;
    ok(sparkle_module_query_argument_size(module, i, sizes.data(),
                                          static_cast<uint32_t>(sizes.size()),
                                          &bytes, &error));
    Floats packed(bytes / sizeof(float));
    bool isWeight = tensors[i]->role == SPARKLE_ROLE_WEIGHT;
    if (isWeight)
      ok(sparkle_module_pack(module, i, arguments[i].data(), packed.data(),
                             &error));
    buffers.push_back(upload(isWeight ? packed : arguments[i]));
    views.push_back(all(buffers.back()));
  }
  if (band.isEmpty())
    run({call(module, views, sizes)});
  else
    runBand(views, sizes, band);
  for (uint32_t i = 0; i < tensors.size(); ++i)
    if (isOutput(i))
      arguments[i] = download<float>(buffers[i]);
  return arguments;
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

/// `count` coordinates from `first` on to those from `start` on, of each run.
void copyCut(const rt::Cut &cut, const Floats &from, int64_t first,
             int64_t fromExtent, Floats &to, int64_t start, int64_t toExtent,
             int64_t count) {
  auto unit = static_cast<int64_t>(cut.bytes / sizeof(float));
  for (int64_t i = 0; i < static_cast<int64_t>(cut.runs); ++i)
    std::copy_n(from.begin() + (i * fromExtent + first) * unit, count * unit,
                to.begin() + (i * toExtent + start) * unit);
}

/// The extent of a slice at some sizes.
int64_t getExtent(const sparkle_kernel_t &kernel, const sparkle_slice_t &slice,
                  const std::vector<int64_t> &sizes) {
  rt::Extents extents;
  EXPECT_TRUE(rt::getExtents(kernel, kernel.tensors[slice.tensor], sizes.data(),
                             extents)
                  .isOk());
  return extents.values[slice.dimension];
}

Arguments DivideTest::takePart(const sparkle_split_t &split,
                               const rt::Part &part,
                               const std::vector<int64_t> &sizes,
                               const Arguments &whole) const {
  Arguments own = whole;
  for (uint32_t i = 0; i < split.slice_count; ++i) {
    const sparkle_slice_t &slice = split.slices[i];
    uint32_t argument = findArgument(slice.tensor);
    if (argument == tensors.size())
      continue; // a temp
    rt::Cut cut = rt::getCut(*tested, slice, sizes.data());
    const rt::PartSlice &place = part.slices[i];
    uint64_t bytes = cut.runs * cut.bytes * static_cast<uint64_t>(place.length);
    own[argument].assign(bytes / sizeof(float), poison);
    if (!isOutput(argument))
      copyCut(cut, whole[argument], place.first,
              getExtent(*tested, slice, sizes), own[argument], 0, place.length,
              place.length);
  }
  return own;
}

void DivideTest::putPart(const sparkle_split_t &split, const rt::Part &part,
                         const std::vector<int64_t> &sizes,
                         const Arguments &results, int64_t unit,
                         Arguments &whole) const {
  for (uint32_t i = 0; i < split.slice_count; ++i) {
    const sparkle_slice_t &slice = split.slices[i];
    uint32_t argument = findArgument(slice.tensor);
    if (argument == tensors.size() || !isOutput(argument))
      continue;
    const rt::PartSlice &place = part.slices[i];
    copyCut(rt::getCut(*tested, slice, sizes.data()), results[argument],
            place.begin, place.length, whole[argument], unit,
            getExtent(*tested, slice, sizes), place.count);
  }
}

Arguments DivideTest::computeParts(const sparkle_split_t &split,
                                   const std::vector<int64_t> &sizes,
                                   const Arguments &arguments, int64_t units) {
  Arguments result = arguments;
  int64_t all = rt::countUnits(*tested, split, sizes.data());
  for (int64_t unit = 0; unit < all; unit += units) {
    rt::Part part = rt::makePart(*tested, split, sizes.data(), unit,
                                 std::min(unit + units, all));
    putPart(split, part, sizes,
            compute(part.sizes, takePart(split, part, sizes, arguments)), unit,
            result);
  }
  return result;
}

/// Bit by bit, along every split, in parts of one unit, of some and of all. The
/// whole is right.
void DivideTest::checkSplits(const char *name,
                             const std::vector<int64_t> &sizes) {
  Problem problem(*this, name, sizes);
  run({problem.command()});
  problem.check();
  // Sums of whole numbers are exact, those of thirds depend on their order,
  // which a GPU's driver may change.
  std::vector<float> scales{1};
  if (properties.target == SPARKLE_TARGET_CPU)
    scales.push_back(1.0f / 3);
  for (float scaleOfInputs : scales) {
    begin(name, scaleOfInputs);
    Arguments arguments = drawArguments(sizes);
    Arguments whole = compute(sizes, arguments);
    ASSERT_NE(tested->split_count, 0u);
    for (uint32_t i = 0; i < tested->split_count; ++i)
      for (int64_t units : {1, 2, 5, 1000}) {
        SCOPED_TRACE(testing::Message()
                     << name << " along "
                     << tested->size_names[tested->splits[i].size] << " by "
                     << units << ", inputs times " << scaleOfInputs);
        Arguments parts =
            computeParts(tested->splits[i], sizes, arguments, units);
        for (uint32_t j = 0; j < tensors.size(); ++j) {
          ASSERT_EQ(parts[j].size(), whole[j].size());
          for (size_t k = 0; k < whole[j].size(); ++k)
            ASSERT_EQ(std::memcmp(&parts[j][k], &whole[j][k], sizeof(float)), 0)
                << tensors[j]->name << "[" << k << "]: " << parts[j][k]
                << " and " << whole[j][k];
        }
      }
  }
}

TEST_P(DivideTest, batch) {
  checkSplits("add", {37});
  checkSplits("product", {13});
  checkSplits("conv", {4});
}

TEST_P(DivideTest, batchWithTemp) { checkSplits("chain", {9}); }

TEST_P(DivideTest, rows) {
  for (const char *name : {"rows1_0", "rows1_1", "rows1_2"}) {
    checkSplits(name, {2, 13});
    checkSplits(name, {1, 3});
  }
}

TEST_P(DivideTest, rowsOfStride2) {
  for (const char *name : {"rows2_0", "rows2_1", "rows2_2"}) {
    checkSplits(name, {2, 13});
    checkSplits(name, {1, 14});
  }
}

//===----------------------------------------------------------------------===//
// Bands
//===----------------------------------------------------------------------===//

/// Bit by bit, in bands of one unit, of some and of all; nothing else is
/// written.
void DivideTest::checkBands(const char *name, const std::vector<int64_t> &sizes,
                            uint32_t dimension) {
  begin(name, 1);
  const rt::Module &made = rt::unwrap(static_cast<sparkle_module_t *>(module));
  rt::Bands bands =
      rt::findBands(*tested, {made.variant(made.current()).code}, sizes.data());
  ASSERT_NE(bands.output, nullptr);
  EXPECT_EQ(bands.dimension, dimension);
  EXPECT_GT(bands.countUnits(), 1);
  uint32_t output =
      findArgument(static_cast<uint32_t>(bands.output - tested->tensors));
  rt::Cut cut = bands.getCut(*tested, sizes.data());
  Arguments arguments = drawArguments(sizes);
  Floats whole = compute(sizes, arguments)[output];
  for (int64_t units : {int64_t(1), int64_t(2), bands.countUnits()})
    for (int64_t unit = 0; unit < bands.countUnits(); unit += units) {
      rt::Band band =
          bands.get(unit, std::min(unit + units, bands.countUnits()));
      SCOPED_TRACE(testing::Message()
                   << name << ", from " << band.begin << " up to " << band.end);
      Floats part = compute(sizes, arguments, band)[output];
      ASSERT_EQ(part.size(), whole.size());
      for (size_t i = 0; i < whole.size(); ++i) {
        auto at = static_cast<int64_t>(i / (cut.bytes / sizeof(float))) %
                  bands.extent;
        bool isIn = at >= band.begin && at < band.end;
        const float &wanted = isIn ? whole[i] : poison;
        ASSERT_EQ(std::memcmp(&part[i], &wanted, sizeof(float)), 0)
            << i << ": " << part[i] << " and " << wanted;
      }
    }
}

TEST_P(DivideTest, bandsOfTheBatch) { checkBands("product", {300}, 0); }

/// Packed weights and a bias; a block is as long as no band.
TEST_P(DivideTest, bandsOfChannels) {
  checkBands("channels", {}, 1);
  checkBands("channelsFirst", {}, 1);
}

/// Rows and columns are one index.
TEST_P(DivideTest, bandsBesideMergedIndices) { checkBands("pixels", {}, 1); }

/// What comes before has one worker, if the channels are few.
TEST_P(DivideTest, bandsOfRows) { checkBands("tall", {}, 2); }

/// Two outputs, and two launches.
TEST_P(DivideTest, noBands) {
  for (const char *name : {"split", "chain"}) {
    begin(name, 1);
    const rt::Module &made =
        rt::unwrap(static_cast<sparkle_module_t *>(module));
    EXPECT_EQ(made.variant(made.current()).code->cuts, nullptr);
  }
}

TEST_P(DivideTest, fixed) { EXPECT_EQ(kernel("split")->split_count, 0u); }

SPARKLE_ON_ALL_DEVICES(DivideTest);

} // namespace
