// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The problem lists hold what their networks are made of: every line reads, and
// the multiply-adds add up to what was published.

#include "tools/sparkle-run/Problem/Cases.h"

#include <cstdlib>
#include <gtest/gtest.h>

using namespace sparkle;

namespace {

struct List {
  const char *name;
  size_t problems, unsupported;
  /// 10^9 multiply-adds of one picture, and where they are stated: by the
  /// paper, or by torchvision 0.15, "GFLOPS" of the weights. 0: nowhere.
  double published;
  double tolerance; ///< Relative.
};

/// U-Net's and Conv-TasNet's papers give no count; DeepLab's list is a part.
const List lists[] = {
    {"conv-tasnet", 14, 0, 0, 0},
    {"convnext-t", 16, 0, 4.5, 0.02}, // the paper
    {"deeplab-v3", 11, 0, 0, 0},
    {"densenet121", 66, 0, 2.83, 0.01},     // torchvision
    {"efficientnet-b0", 46, 0, 0.39, 0.02}, // the paper
    {"googlenet", 49, 0, 1.5, 0.06},        // the paper, "a budget of"
    {"inception-v3", 43, 0, 5.71, 0.01},    // torchvision
    {"mnasnet", 33, 0, 0.314, 0.01},        // torchvision
    {"mobilenet-v1", 19, 0, 0.569, 0.01},   // the paper
    {"mobilenet-v2", 30, 0, 0.3, 0.01},     // the paper
    {"mobilenet-v3", 44, 0, 0.217, 0.02},   // torchvision
    {"r3d18", 15, 0, 40.7, 0.01},           // torchvision
    {"regnet-y-800mf", 37, 0, 0.834, 0.01}, // torchvision
    {"resnet18", 15, 0, 1.81, 0.01},        // torchvision
    {"resnet50", 21, 0, 3.8, 0.02},         // the paper
    {"resnet50-v1.5", 24, 0, 4.09, 0.01},   // torchvision
    {"resnext50", 24, 0, 4.23, 0.01},       // torchvision
    {"shufflenet-v2", 16, 0, 0.145, 0.01},  // torchvision
    {"squeezenet", 22, 0, 0.82, 0.01},      // torchvision
    {"unet", 23, 0, 0, 0},
    {"vgg16", 9, 0, 15.3, 0.01},        // the paper of ResNet
    {"yolov3", 23, 0, 65.86 / 2, 0.01}, // the paper counts twice as many
    {"yolov5s", 29, 0, 16.5 / 2, 0.01}, // the release counts twice as many
};

} // namespace

/// `name*3` is three layers.
static double getCount(const std::string &name) {
  size_t star = name.rfind('*');
  return star == std::string::npos ? 1 : std::atof(name.c_str() + star + 1);
}

TEST(Lists, AddUpToWhatWasPublished) {
  size_t total = 0;
  for (const List &list : lists) {
    CaseReader reader((ChannelLayout()));
    reader.readFile(std::string(SPARKLE_LISTS "/") + list.name + ".txt");
    for (const std::string &error : reader.getErrors())
      ADD_FAILURE() << error;
    size_t unsupported = 0;
    double sum = 0;
    for (const Case &one : reader.getCases()) {
      EXPECT_EQ(one.conv.name.rfind(std::string(list.name) + ":", 0), 0u)
          << one.text;
      unsupported += !one.unsupported.empty();
      if (one.unsupported.empty())
        sum += getCount(one.conv.name) * one.conv.countNominalMultiplyAdds();
    }
    EXPECT_EQ(reader.getCases().size(), list.problems) << list.name;
    EXPECT_EQ(unsupported, list.unsupported) << list.name;
    if (list.published) {
      EXPECT_NEAR(sum * 1e-9 / list.published, 1, list.tolerance) << list.name;
    }
    total += list.problems - list.unsupported;
  }
  EXPECT_EQ(total, 629u);
}

TEST(Lists, OutputsFollowFromTheRest) {
  for (const List &list : lists) {
    CaseReader reader((ChannelLayout()));
    reader.readFile(std::string(SPARKLE_LISTS "/") + list.name + ".txt");
    for (const Case &one : reader.getCases())
      for (unsigned d = 3 - one.conv.rank; d < 3; ++d) {
        const ConvProblem &conv = one.conv;
        int64_t span = conv.getSpan(d), stride = conv.stride[d];
        EXPECT_EQ(conv.out[d],
                  conv.isTransposed
                      ? (conv.in[d] - 1) * stride + span - 2 * conv.pad[d]
                      : (conv.in[d] + 2 * conv.pad[d] - span) / stride + 1)
            << one.text;
      }
  }
}
