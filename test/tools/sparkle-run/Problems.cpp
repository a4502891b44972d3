// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The grammar of problems and of the files that hold them, and the kernels
// that are written from them.

#include "tools/sparkle-run/Problem/Source.h"

#include <fstream>
#include <gtest/gtest.h>

using namespace sparkle;

static ConvProblem parse(const std::string &text) {
  TextError error;
  std::optional<ConvProblem> problem = ConvProblem::parse(text, error);
  EXPECT_TRUE(problem) << text << ": " << error.message;
  return problem.value_or(ConvProblem());
}

static CaseReader read(const std::string &text) {
  CaseReader reader((ChannelLayout()));
  reader.readText(text, "list");
  return reader;
}

TEST(ConvProblem, ImpliesWhatIsMissing) {
  // The arguments on the right say the same without anything implied.
  const char *const pairs[][2] = {
      {"ic8ih8oc8kh3", "mb2ic8ih8oc8oh6kh3ph0"},
      {"g1mb2_ic8ih8iw8_oc8oh8ow8_kh3kw3_sh1sw1_ph1pw1_dh0dw0_nname",
       "mb2ic8ih8oc8oh8kh3ph1n\"name\""},
      {"mb1ic8ih8oc8oh8kh3", "mb1ic8ih8oc8oh8kh3ph1"},
      {"mb1ic8ih8oc8oh4kh2sh2", "mb1ic8ih8oc8oh4kh2sh2ph0"},
      {"mb1ic8ih9oc8kh3ph1dh2", "mb1ic8ih9oc8oh5kh3ph1dh2"},
      {"mb1ic8iw9oc8kw3pw1", "mb1ic8iw9oc8ow9kw3pw1"},
      {"mb1ic8id9oc8kd3pd1", "mb1ic8id9oc8od9kd3pd1"},
      {"mb1ic8ih9iw7oc8kh3ph1", "mb1ic8ih9iw7oc8oh9ow7kh3kw3ph1pw1"},
      // With input and kernel of its own, the width takes no padding.
      {"mb1ic8ih9iw7oc8kh3kw3ph1", "mb1ic8ih9iw7oc8oh9ow5kh3kw3ph1pw0"},
      {"g4mb1ic8ih9oc12kh3ph1", "g4mb1ic8ih9oc12oh9kh3ph1"},
      {"mb?3ic8ih8oc8kh1", "mb?3ic8ih8oc8oh8kh1ph0"},
  };
  for (auto [text, spelled] : pairs) {
    EXPECT_EQ(parse(text).spell(), spelled);
    EXPECT_EQ(parse(spelled).spell(), spelled);
  }
}

TEST(ConvProblem, CountsOnlyTapsThatMeetTheInput) {
  ConvProblem problem = parse("mb2ic3ih4oc5kh3ph1");
  EXPECT_EQ(problem.countNominalMultiplyAdds(), 2 * 3 * 5 * 16 * 9);
  EXPECT_EQ(problem.countMultiplyAdds(), 2 * 3 * 5 * 10 * 10);
}

TEST(ConvProblem, CopiesWhatAnOutputGives) {
  EXPECT_EQ(parse("mb1ic16oc16_ih1oh1kh3ph0").spell(),
            "mb1ic16ih1oc16oh1kh3ph0");
}

TEST(ConvProblem, ShrinksThePictureAlone) {
  auto shrink = [](const std::string &text, double limit) {
    ConvProblem problem = parse(text);
    problem.shrink(limit);
    return problem.spell();
  };
  const std::string strided = "mb1ic4ih17iw9oc4oh8ow4kh3kw3sh2sw2ph0pw0";
  EXPECT_EQ(shrink(strided, 0), strided);
  EXPECT_EQ(shrink(strided, 16 * 9 * 32), strided);
  EXPECT_EQ(shrink(strided, 16 * 9 * 31),
            "mb1ic4ih9oc4oh4kh3sh2ph0"); // The longer side first.
  EXPECT_EQ(shrink(strided, 16 * 9 * 8),
            "mb1ic4ih9iw5oc4oh4ow2kh3kw3sh2sw2ph0pw0");
  // The filter alone is too large: as far as it goes.
  EXPECT_EQ(shrink("mb1ic4ih7oc4oh5kh3ph0", 1), "mb1ic4ih3oc4oh1kh3ph0");
}

/// As the convolution whose input and output it exchanges.
TEST(ConvProblem, TransposesIntoAnOutput) {
  const char *const triples[][3] = {
      {"mb1ic8ih5oc6kh4sh2ph1", "mb1ic8ih5oc6oh10kh4sh2ph1",
       "mb1ic6ih10oc8oh5kh4sh2ph1"},
      {"mb1ic8ih5oc6oh10kh3sh2", "mb1ic8ih5oc6oh10kh3sh2ph0",
       "mb1ic6ih10oc8oh5kh3sh2ph0"},
      {"mb1ic8ih5iw3oc6kh3dh1ph1", "mb1ic8ih5iw3oc6oh7ow5kh3kw3ph1pw1dh1dw1",
       "mb1ic6ih7iw5oc8oh5ow3kh3ph1dh1"},
      {"g2mb1ic8iw9oc6kw2sw2", "g2mb1ic8iw9oc6ow18kw2sw2pw0",
       "g2mb1ic6iw18oc8ow9kw2sw2pw0"}};
  for (auto [text, spelled, direct] : triples) {
    TextError error;
    auto parsed = ConvProblem::parseTransposed(text, error);
    ASSERT_TRUE(parsed) << text << ": " << error.message;
    ConvProblem problem = *parsed, other = parse(direct);
    EXPECT_EQ(problem.spell(), "--deconv " + std::string(spelled));
    EXPECT_EQ(problem.countMultiplyAdds(), other.countMultiplyAdds());
    EXPECT_EQ(problem.countNominalMultiplyAdds(),
              other.countNominalMultiplyAdds());
    EXPECT_FALSE(problem.hasWinograd());
    problem.shrink(300);
    other.shrink(300);
    EXPECT_EQ(problem.in[2], other.out[2]) << text;
    EXPECT_EQ(problem.out[2], other.in[2]) << text;
  }
  TextError error;
  EXPECT_FALSE(ConvProblem::parseTransposed("ic8ih2oc8kh1ph1", error));
  EXPECT_EQ(error.column, 15u);
  EXPECT_EQ(error.message,
            "expected 'ph' to leave some of 2 outputs, but it is 1");
}

TEST(ConvProblem, SaysWhereATextIsWrong) {
  struct {
    const char *text;
    size_t column;
    const char *message;
  } const rows[] = {
      {"ic8ih8oc8kx3", 9, "expected a field of a convolution, but got 'kx'"},
      {"ic8ih8oc8kh3!", 12, "expected a field of a convolution, but got '!'"},
      {"ic8ihoc8", 5, "expected a number after 'ih', but got 'o'"},
      {"ic8ih", 5, "expected a number after 'ih', but got the end"},
      {"ic8ih-1", 5, "expected a number after 'ih', but got '-'"},
      {"ic99999999999", 2,
       "expected a number up to 2147483647, but got 99999999999"},
      {"ic8ic9", 5, "expected 'ic' to stay 8, but got 9"},
      {"ih8oc8kh3", 9, "expected 'ic'"},
      {"ic8ih8kh3", 9, "expected 'oc'"},
      {"ic8oc8kh3", 9, "expected 'ih'"},
      {"ic8oc8ih3", 9, "expected 'kh'"},
      {"g0ic8oc8ih3kh1", 1, "expected 'g' to be positive, but got 0"},
      {"ic0oc8ih3kh1", 2, "expected 'ic' to be positive, but got 0"},
      {"ic8oc8ih3kh1sh0", 14, "expected 'sh' to be positive, but got 0"},
      {"ic8oc8ih3kh1oh0", 14, "expected 'oh' to be positive, but got 0"},
      {"g3ic9oc8ih3kh1", 7, "expected a multiple of the 3 groups, but got 8"},
      {"ic8oc8ih3kh5", 12,
       "expected 'kh' to fit into the padded input of 3, but it spans 5"},
      {"ic8oc8ih3kh1n\"a", 15, "expected '\"' to end the name and the problem"},
      {"ic8oc8ih3kh1n\"a\"b", 16,
       "expected '\"' to end the name and the problem"},
  };
  for (const auto &row : rows) {
    TextError error;
    EXPECT_FALSE(ConvProblem::parse(row.text, error)) << row.text;
    EXPECT_EQ(error.column, row.column) << row.text;
    EXPECT_EQ(error.message, row.message) << row.text;
  }
}

TEST(Cases, KnobsHoldForTheLinesBelow) {
  CaseReader reader = read("# a comment\n"
                           "--dir=FWD_D,FWD_B --mb=0,7 --skip-impl=ref\n"
                           "ic8ih8oc8kh1  # and another\n"
                           "--reset --stag=nchw --dtag=aBx16b\n"
                           "--attr-post-ops=sum+clip:0:6\n"
                           "mb1ic8ih8oc8kh1\n"
                           "--match=kh3\n"
                           "ic8ih8oc8kh1 ic8ih8oc8kh3\n");
  EXPECT_TRUE(reader.getErrors().empty());
  EXPECT_EQ(reader.getIgnored(), std::set<std::string>{"--skip-impl"});
  const std::vector<Case> &cases = reader.getCases();
  ASSERT_EQ(cases.size(), 6u);
  EXPECT_FALSE(cases[0].hasBias);
  EXPECT_TRUE(cases[2].hasBias);
  EXPECT_EQ(cases[0].conv.batch, 2);
  EXPECT_EQ(cases[3].conv.batch, 7);
  EXPECT_EQ(cases[4].source.kind, ChannelLayout::Planar);
  EXPECT_EQ(cases[4].destination.block, 16);
  ASSERT_EQ(cases[4].postOps.size(), 2u);
  EXPECT_EQ(cases[4].postOps[1].beta, 6);
  EXPECT_EQ(cases[5].text, "ic8ih8oc8kh3");
  for (const Case &one : cases)
    EXPECT_EQ(one.unsupported, "") << one.text;
}

TEST(Cases, WordsGoOnBehindABackslash) {
  CaseReader reader = read("--attr-post-ops=relu, \\\n"
                           "  # between\n"
                           "  tanh,\\\n"
                           "ab\\ s\n"
                           "ic8ih8oc8kh1 ic8ih8 \\\n"
                           "oc8kh3\n"
                           " ic8 \\\n"
                           "ih8kx1\n"
                           "ic8ih8oc8kh5 \\\n");
  ASSERT_EQ(reader.getCases().size(), 9u);
  EXPECT_EQ(reader.getCases()[5].postOps[0].word, "abs");
  EXPECT_EQ(reader.getCases()[5].text, "ic8ih8oc8kh3");
  EXPECT_EQ(reader.getErrors(),
            std::vector<std::string>{
                "list:7:8: error: expected a field of a convolution, but got "
                "'kx'"});
}

TEST(Cases, NothingIsTheDefault) {
  CaseReader reader = read("--stag=axb --stag= --dir=,fwd_i --attr-scales=\n"
                           "--attr-zero-points=, ic8ih8oc8kh1");
  ASSERT_EQ(reader.getCases().size(), 4u);
  EXPECT_TRUE(reader.getCases()[0].hasBias);
  for (const Case &one : reader.getCases())
    EXPECT_EQ(one.unsupported, "");
}

TEST(Cases, WhatTheLanguageLacksIsUnsupported) {
  const char *const rows[][2] = {
      {"--dir=BWD_D ic8ih8oc8kh1", "direction 'bwd_d': only forward"},
      {"--dt=f32:f32:f32,bf16 ic8ih8oc8kh1", "type 'bf16': only f32"},
      {"--cfg=u8s8f32 ic8ih8oc8kh1", "type 'u8s8f32': only f32"},
      {"--alg=fast ic8ih8oc8kh1", "algorithm 'fast'"},
      {"--deconv ic8ih8oc8kh3sh2dh1",
       "a transposed convolution with strides and dilation"},
      {"--stag=nChw5 ic8ih8oc8kh1", "layout 'nchw5'"},
      {"--stag=nhww ic8ih8oc8kh1", "layout 'nhww'"},
      {"--wtag=hwi ic8ih8oc8kh1", "layout 'hwi' of the weights"},
      {"--wtag=hwigo ic8iw8oc8kw1", "layout 'hwigo' of the weights"},
      {"--attr-scales=wei:per_oc:bf16 ic8ih8oc8kh1",
       "scale 'wei:per_oc:bf16': only numbers of f32, one for all or one for "
       "each channel"},
      {"--attr-scales=wei:per_ocic ic8ih8oc8kh1",
       "scale 'wei:per_ocic': only numbers of f32, one for all or one for each "
       "channel"},
      {"--attr-oscale=per_dim_0 ic8ih8oc8kh1",
       "scale 'per_dim_0': only numbers of f32, one for all or one for each "
       "channel"},
      {"--attr-zero-points=src:common:2 ic8ih8oc8kh1",
       "knob '--attr-zero-points=src:common:2': only integers have them"},
      {"--attr-dropout=0.5 ic8ih8oc8kh1",
       "knob '--attr-dropout=0.5': a kernel has no random numbers"},
      {"--attr-rounding-mode=dst:stochastic ic8ih8oc8kh1",
       "knob '--attr-rounding-mode=dst:stochastic': a kernel rounds to the "
       "nearest"},
      {"--strides=128x2x16x16:: ic8iw8oc8kw1",
       "strides '128x2x16x16': only where each is a multiple of the next "
       "smaller one that holds all of its elements, and the smallest is 1"},
      {"--strides=:::64x8x1 ic8iw8oc8kw1",
       "strides ':::64x8x1': only of source, weights and destination"},
      {"--strides=::64x4x1 ic8iw8oc8kw1",
       "strides '64x4x1': only where each is a multiple of the next smaller "
       "one "
       "that holds all of its elements, and the smallest is 1"},
      {"--attr-post-ops=abs+sine ic8ih8oc8kh1", "post-op 'sine'"},
      {"--attr-post-ops=soft_relu:0 ic8ih8oc8kh1", "post-op 'soft_relu:0'"},
      {"--attr-post-ops=tanh:1 ic8ih8oc8kh1", "post-op 'tanh:1'"},
      {"--attr-post-ops=relu:x ic8ih8oc8kh1", "post-op 'relu:x'"},
      {"--attr-post-ops=sum:1:3 ic8ih8oc8kh1",
       "post-op 'sum:1:3': only a tensor of f32 without a zero point"},
      {"--attr-post-ops=sum:1:0:s8 ic8ih8oc8kh1",
       "post-op 'sum:1:0:s8': only a tensor of f32 without a zero point"},
      {"--attr-post-ops=add:s8 ic8ih8oc8kh1",
       "post-op 'add:s8': only tensors of f32 or f16"},
      {"--attr-post-ops=add:f32:per_dim_4 ic8ih8oc8kh1",
       "post-op 'add:f32:per_dim_4'"},
      {"--attr-post-ops=mul:f32:16 ic8ih8oc8kh1", "post-op 'mul:f32:16'"},
      {"--attr-post-ops=add:f32:per_oc:oihw ic8ih8oc8kh1", "layout 'oihw'"},
      {"--attr-post-ops=prelu:row ic8ih8oc8kh1", "post-op 'prelu:row'"},
      {"--bia-dt=bf16 ic8ih8oc8kh1", "type 'bf16' of the bias: only f32"},
      {"--attr-post-ops=dw:k3s1 ic8ih8oc8kh1",
       "post-op 'dw:k3s1': only of f32, with kernel, stride and padding as in "
       "k3s1p1"},
      {"--attr-post-ops=dw_k3s1p1:s8 ic8ih8oc8kh1",
       "post-op 'dw_k3s1p1:s8': only of f32, with kernel, stride and padding "
       "as "
       "in k3s1p1"},
  };
  for (auto [text, reason] : rows) {
    CaseReader reader = read(text);
    EXPECT_TRUE(reader.getErrors().empty()) << text;
    ASSERT_FALSE(reader.getCases().empty()) << text;
    EXPECT_EQ(reader.getCases().back().unsupported, reason);
  }
}

TEST(Cases, SaysWhereALineIsWrong) {
  CaseReader reader = read("ic8ih8oc8kh1\n"
                           "  ic8ih8oc8kx1\n"
                           "--dir ic8ih8oc8kh1\n"
                           "--mb=x\n"
                           "--match=(\n");
  EXPECT_EQ(reader.getErrors(),
            (std::vector<std::string>{
                "list:2:12: error: expected a field of a convolution, but got "
                "'kx'",
                "list:3:6: error: expected '=' and a value after '--dir'",
                "list:4:6: error: expected a batch, but got 'x'",
                "list:5:9: error: expected a regular expression, but got "
                "'('"}));
  EXPECT_EQ(reader.getCases().size(), 2u);
  CaseReader missing((ChannelLayout()));
  missing.readFile("/nowhere");
  EXPECT_EQ(
      missing.getErrors(),
      std::vector<std::string>{"/nowhere: error: No such file or directory"});
}

TEST(Cases, FilesNameOtherFiles) {
  std::string folder = testing::TempDir();
  std::ofstream(folder + "/outer") << "--mb=3 ic8ih8oc8kh1 --batch=inner\n"
                                   << "ic8ih8oc8kh3\n";
  std::ofstream(folder + "/inner") << "\n--mb=4 ic8ih8oc8kh2 x\n";
  std::ofstream(folder + "/itself") << "--batch=itself\n";
  CaseReader reader((ChannelLayout()));
  reader.readFile(folder + "/outer");
  ASSERT_EQ(reader.getCases().size(), 3u);
  // What the inner file sets ends with it.
  EXPECT_EQ(reader.getCases()[1].conv.batch, 4);
  EXPECT_EQ(reader.getCases()[2].conv.batch, 3);
  EXPECT_EQ(reader.getErrors(),
            std::vector<std::string>{
                folder + "/inner:2:21: error: expected a field of a "
                         "convolution, but got 'x'"});
  CaseReader endless((ChannelLayout()));
  endless.readFile(folder + "/itself");
  EXPECT_EQ(endless.getErrors(),
            std::vector<std::string>{
                folder + "/itself:1:9: error: expected at most 16 files within "
                         "each other"});
  CaseReader ofFolder((ChannelLayout()));
  ofFolder.readFile(folder);
  EXPECT_EQ(ofFolder.getErrors(),
            std::vector<std::string>{folder + ": error: Is a directory"});
}

/// The kernel of the first problem.
static std::string write(const std::string &text) {
  CaseReader reader = read(text);
  EXPECT_EQ(reader.getCases().at(0).unsupported, "");
  return writeKernel(reader.getCases().at(0), "k");
}

TEST(Source, SpellsEveryForm) {
  EXPECT_EQ(write("--attr-post-ops=sum+relu mb1ic8ih8oc6oh4kh3sh2ph1dh1"),
            "kernel k() with reference {\n"
            "  input  x: f32[1, 8, 8, 8] layout nhwc\n"
            "  weight w: f32[6, 8, 3, 3]\n"
            "  input  b: f32[6]\n"
            "  input  z0: f32[1, 6, 4, 4] layout nhwc\n"
            "  output y: f32[1, 6, 4, 4] layout nhwc\n"
            "\n"
            "  y[n, k, p, q] = relu(b[k] + sum(c, r, s: x[n, c, p*2 + r*2 - 1,"
            " q*2 + s*2 - 1] * w[k, c, r, s]) + z0[n, k, p, q])\n"
            "}\n");
  EXPECT_EQ(write("--dir=FWD_D --dtag=ncw g2mb?1ic8iw8oc6ow8kw1"),
            "kernel k(N = ?) with reference {\n"
            "  input  x: f32[N, 2, 4, 8] layout nwgc\n"
            "  weight w: f32[2, 3, 4, 1]\n"
            "  output y: f32[N, 2, 3, 8] layout ngcw\n"
            "\n"
            "  y[n, g, k, q] = sum(c, s: x[n, g, c, q + s] * w[g, k, c, s])\n"
            "}\n");
  EXPECT_EQ(write("--stag=nCdhw8c --attr-post-ops=clip:0:6,linear:2:-1 "
                  "g8mb1ic8id4oc8kd3pd1"),
            "kernel k() with reference {\n"
            "  input  x: f32[1, 8, 4, 4, 4] layout ncdhw8c\n"
            "  weight w: f32[8, 3, 3, 3]\n"
            "  input  b: f32[8]\n"
            "  output y: f32[1, 8, 4, 4, 4] layout ndhwc\n"
            "\n"
            "  y[n, k, o, p, q] = clamp(b[k] + sum(t, r, s: x[n, k, o + t - 1,"
            " p + r - 1, q + s - 1] * w[k, t, r, s]), 0, 6)\n"
            "}\n");
  EXPECT_EQ(write("--deconv --dir=FWD_D mb1ic8ih8iw8oc6kh3kw4sh1sw2ph0pw1"),
            "kernel k() with reference {\n"
            "  input  x: f32[1, 8, 8, 8] layout nhwc\n"
            "  weight w: f32[6, 8, 3, 4]\n"
            "  output y: f32[1, 6, 10, 16] layout nhwc\n"
            "\n"
            "  y[n, k, p, q] = sum(c, r, s < 2: x[n, c, p - r, (q + 1)/2 - s] "
            "* w[k, c, r, (q + 1)%2 + s*2])\n"
            "}\n");
}

TEST(Source, NamesWhatAFormulaWantsTwice) {
  EXPECT_EQ(
      writeKernel(read("--alg=WINO --attr-post-ops=relu:0.5+mul:f32:per_oc "
                       "mb0ic8ih8oc6kh3ph1")
                      .getCases()
                      .at(0),
                  "k"),
      "kernel k(N = ?) with reference {\n"
      "  input  x: f32[N, 8, 8, 8] layout nhwc\n"
      "  weight w: f32[6, 8, 3, 3]\n"
      "  input  b: f32[6]\n"
      "  temp   t0: f32[N, 6, 8, 8] layout nhwc\n"
      "  input  z0: f32[6]\n"
      "  output y: f32[N, 6, 8, 8] layout nhwc\n"
      "\n"
      "  t0[n, k, p, q] = b[k] + sum(c, r, s: x[n, c, p + r - 1, q + s - 1] * "
      "w[k, c, r, s])\n"
      "  y[n, k, p, q] = ((max(t0[n, k, p, q], 0) + 0.5 * min(t0[n, k, p, q], "
      "0)) * z0[k])\n"
      "}\n"
      "\npattern chosen for k.t0 {\n  transform winograd 2x2\n}\n");
}

TEST(Source, SpellsPowersByWhatSuitsTheExponent) {
  auto apply = [](const std::string &step) {
    std::string text =
        write("--dir=FWD_D --attr-post-ops=" + step + " mb1ic8iw8oc6kw1");
    size_t begin = text.rfind(" = ") + 3;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  const std::string sum = "sum(c, s: x[n, c, q + s] * w[k, c, s])";
  EXPECT_EQ(apply("pow:1:0.5"), "sqrt(" + sum + ")");
  EXPECT_EQ(apply("pow:3:0"), "3 * (0 * (" + sum + ") + 1)");
  EXPECT_EQ(apply("pow:0.5:0.33"), "0.5 * (exp(0.33 * log(" + sum + ")))");
  EXPECT_EQ(apply("pow:1:3"), "t0[n, k, q] * t0[n, k, q] * t0[n, k, q]");
  EXPECT_EQ(apply("pow:1:7"),
            "t0[n, k, q] * exp(6 * log(max(t0[n, k, q], -t0[n, k, q])))");
  EXPECT_EQ(apply("eltwise_pow:1:-1"), "1 / (" + sum + ")");
}

TEST(Source, MultipliesByScales) {
  EXPECT_EQ(write("--attr-scales=src:common:0.25+wei:per_oc+dst:common:2 "
                  "--attr-post-ops=relu mb1ic8iw8oc6kw1"),
            "kernel k() with reference {\n"
            "  input  x: f32[1, 8, 8] layout nwc\n"
            "  weight w: f32[6, 8, 1]\n"
            "  input  s0: f32[6]\n"
            "  input  b: f32[6]\n"
            "  output y: f32[1, 6, 8] layout nwc\n"
            "\n"
            "  y[n, k, q] = (relu(b[k] + ((sum(c, s: x[n, c, q + s] * "
            "w[k, c, s])) * 0.25) * s0[k])) / 2\n"
            "}\n");
  EXPECT_EQ(write("--attr-scales=src:per_dim_1,src:common:1 "
                  "--attr-oscale=per_oc:2* g2mb1ic8iw8oc6kw1"),
            "kernel k() with reference {\n"
            "  input  x: f32[1, 2, 4, 8] layout nwgc\n"
            "  weight w: f32[2, 3, 4, 1]\n"
            "  input  s0: f32[2, 4]\n"
            "  input  b: f32[2, 3]\n"
            "  input  s1: f32[2, 3]\n"
            "  output y: f32[1, 2, 3, 8] layout nwgc\n"
            "\n"
            "  y[n, g, k, q] = (b[g, k] + sum(c, s: x[n, g, c, q + s] * "
            "w[g, k, c, s] * s0[g, c])) * s1[g, k]\n"
            "}\n");
}

TEST(Source, LaysBlocksAcrossGroups) {
  // Four groups of the output in a block, and parts of groups of the input.
  EXPECT_EQ(write("--dir=FWD_D --stag=nCw16c --dtag=nCw16c --wtag=gOIw4i16o4i "
                  "g8mb1ic48iw8oc32kw1"),
            "kernel k() with reference {\n"
            "  input  x: f32[1, 48, 8] layout ncw16c\n"
            "  weight w: f32[8, 4, 6, 1] layout goiw4i16o4i\n"
            "  output y: f32[1, 8, 4, 8] layout ngw4gc\n"
            "\n"
            "  y[n, g, k, q] = sum(c, s: x[n, g*6 + c, q + s] * "
            "w[g, k, c, s])\n"
            "}\n");
  EXPECT_EQ(write("--dir=FWD_D --wtag=hwigo g4mb1ic4ih8oc4kh1"),
            "kernel k() with reference {\n"
            "  input  x: f32[1, 4, 8, 8] layout nhwc\n"
            "  weight w: f32[4, 1, 1, 1, 1] layout hwigo\n"
            "  output y: f32[1, 4, 8, 8] layout nhwc\n"
            "\n"
            "  y[n, k, p, q] = sum(r, s: x[n, k, p + r, q + s] * "
            "w[k, 0, 0, r, s])\n"
            "}\n");
}

TEST(Source, LaysBlocksAcrossPartsOfGroups) {
  // The equation has groups; another one lays the result out.
  EXPECT_EQ(writeKernel(read("--dir=FWD_D --dtag=nCw8c "
                             "--attr-post-ops=add:f32:per_tensor "
                             "g2mb1ic8iw8oc12kw1")
                            .getCases()
                            .at(0),
                        "k"),
            "kernel k() with reference {\n"
            "  input  x: f32[1, 2, 4, 8] layout nwgc\n"
            "  weight w: f32[2, 6, 4, 1]\n"
            "  input  z0: f32[1, 12, 8] layout ncw8c\n"
            "  temp   t0: f32[1, 2, 6, 8] layout nwgc\n"
            "  output y: f32[1, 12, 8] layout ncw8c\n"
            "\n"
            "  t0[n, g, k, q] = ((sum(c, s: x[n, g, c, q + s] * w[g, k, c, s]))"
            " + z0[n, g*6 + k, q])\n"
            "  y[n, k, q] = t0[n, k / 6, k % 6, q]\n"
            "}\n");
}

TEST(Source, ConvolvesChannelByChannelBehind) {
  EXPECT_EQ(
      writeKernel(read("--attr-scales=dst:common:2+attr_post_op_dw_wei:per_oc+"
                       "attr_post_op_dw_dst:common:4 "
                       "--attr-post-ops=relu+dw:k3s2p1+tanh "
                       "mb1ic8ih7oc6kh1")
                      .getCases()
                      .at(0),
                  "k"),
      "kernel k() with reference {\n"
      "  input  x: f32[1, 8, 7, 7] layout nhwc\n"
      "  weight w: f32[6, 8, 1, 1]\n"
      "  input  b: f32[6]\n"
      "  temp   t0: f32[1, 6, 7, 7] layout nhwc\n"
      "  weight w1: f32[6, 3, 3]\n"
      "  input  s0: f32[6]\n"
      "  input  b1: f32[6]\n"
      "  output y: f32[1, 6, 4, 4] layout nhwc\n"
      "\n"
      "  t0[n, k, p, q] = (relu(b[k] + sum(c, r, s: x[n, c, p + r, q + s] * "
      "w[k, c, r, s]))) / 2\n"
      "  y[n, k, p, q] = (tanh(b1[k] + ((sum(r, s: t0[n, k, p*2 + r - 1, "
      "q*2 + s - 1] * w1[k, r, s])) * 2) * s0[k])) / 4\n"
      "}\n");
}

TEST(Tag, IsWhatStridesGive) {
  auto spell = [](const std::vector<int64_t> &extents,
                  const std::vector<int64_t> &strides) -> std::string {
    std::optional<Tag> tag = Tag::fromStrides("nchw", extents, strides);
    return tag ? tag->spell() : "none";
  };
  EXPECT_EQ(spell({2, 8, 5, 6}, {240, 1, 48, 8}), "nhwc");
  EXPECT_EQ(spell({2, 8, 5, 6}, {240, 30, 6, 1}), "nchw");
  // Room for 12 channels and for 7 rows.
  EXPECT_EQ(spell({2, 8, 5, 6}, {504, 1, 72, 12}), "chn7hw12c");
  EXPECT_EQ(spell({2, 8, 5, 6}, {5 * 30000, 1, 30000, 5000}), "cnhw2c2500c");
  EXPECT_EQ(spell({2, 8, 5, 6}, {5 * 60014, 1, 30007, 5001}), "none");
  EXPECT_EQ(spell({1, 8, 5, 6}, {7, 1, 48, 8}), "nhwc");
  EXPECT_EQ(spell({2, 8, 5, 6}, {240, 1, 48, 7}), "none");
  EXPECT_EQ(spell({2, 8, 5, 6}, {240, 2, 96, 16}), "none");
  EXPECT_EQ(spell({2, 8, 5, 6}, {250, 1, 48, 8}), "none");
  EXPECT_EQ(spell({2, 8, 5, 6}, {0, 1, 48, 8}), "none");
  EXPECT_EQ(spell({2, 8, 5, 6}, {240, 1, 48, 1}), "none");
  EXPECT_EQ(spell({2, 8, 5, 6}, {240, 1, 8, 8}), "none");
  EXPECT_EQ(spell({2, 8, 5, 6}, {240, 1, 48}), "none");
}

TEST(Tag, LeavesTheRestToX) {
  auto spell = [](const std::string &word, const std::string &letters) {
    std::optional<Tag> tag = Tag::parse(word, letters);
    return tag ? tag->spell() : std::string("none");
  };
  EXPECT_EQ(spell("axb", "ncdhw"), "ndhwc");
  EXPECT_EQ(spell("xba", "oihw"), "hwio");
  EXPECT_EQ(spell("xba", "goihw"), "ihwog");
  EXPECT_EQ(spell("xcab", "goihw"), "hwigo");
  EXPECT_EQ(spell("aBx8b", "ncw"), "ncw8c");
}

TEST(Tag, SplitsBlocksBetweenGroupsAndChannels) {
  auto split = [](const std::string &word, int64_t inner) -> std::string {
    std::optional<Tag> tag = Tag::parse(word, "nchw");
    std::optional<Tag> parts = tag->split('c', 'g', inner);
    return parts ? parts->spell() : "none";
  };
  EXPECT_EQ(split("nhwc", 6), "nhwgc");
  EXPECT_EQ(split("nChw16c", 32), "ngchw16c");
  EXPECT_EQ(split("nChw16c", 16), "nghwc");
  EXPECT_EQ(split("nChw16c", 4), "nghw4gc");
  EXPECT_EQ(split("nChw4c16n4c", 8), "nghw2gc16n4c");
  EXPECT_EQ(split("nChw16c", 6), "none");
  EXPECT_EQ(split("nChw16c", 24), "none");
}
