// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// oneDNN 2: activations NHWC as ours, weights in the format it likes best and
// packed beforehand, bias and ReLU fused.

#include "tools/sparkle-bench/Peer.h"

#include <dnnl.hpp>

using namespace sparkle;

namespace {

class OneDnn : public Peer {
public:
  explicit OneDnn(const Layer &layer);

  std::string getName() const override;
  std::string getMethod() const override { return description.impl_info_str(); }
  void run() override;
  const float *getOutput() const override {
    return static_cast<const float *>(output.get_data_handle());
  }

private:
  using Descriptor = dnnl::convolution_forward::primitive_desc;

  static Descriptor describe(const Layer &layer, const dnnl::engine &engine);

  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  Descriptor description;
  dnnl::convolution_forward convolution;
  dnnl::memory input, weights, bias, output;
};

} // namespace

OneDnn::Descriptor OneDnn::describe(const Layer &layer,
                                    const dnnl::engine &engine) {
  using dnnl::memory;
  auto dims = [&](int tensor, int rank) {
    memory::dims all;
    for (int d = 0; d < rank; ++d)
      all.push_back(layer.getExtent(tensor, d));
    return all;
  };
  const auto f32 = memory::data_type::f32;
  memory::desc x(dims(0, 4), f32, memory::format_tag::nhwc);
  memory::desc w(dims(1, 4), f32, memory::format_tag::any);
  memory::desc b(dims(2, 1), f32, memory::format_tag::a);
  memory::desc y(dims(3, 4), f32, memory::format_tag::nhwc);
  memory::dims stride = {1, 1};
  memory::dims pad = {layer.getExtent(1, 2) / 2, layer.getExtent(1, 3) / 2};
  dnnl::post_ops relu;
  relu.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(relu);
  dnnl::convolution_forward::desc what(dnnl::prop_kind::forward_inference,
                                       dnnl::algorithm::convolution_direct, x,
                                       w, b, y, stride, pad, pad);
  return Descriptor(what, attributes, engine);
}

OneDnn::OneDnn(const Layer &layer)
    : description(describe(layer, engine)), convolution(description),
      input(description.src_desc(), engine, layer.getInput().data()),
      weights(description.weights_desc(), engine),
      bias(description.bias_desc(), engine, layer.getBias().data()),
      output(description.dst_desc(), engine) {
  dnnl::memory::desc declared(description.weights_desc().dims(),
                              dnnl::memory::data_type::f32,
                              dnnl::memory::format_tag::oihw);
  dnnl::memory from(declared, engine, layer.getWeights().data());
  dnnl::reorder(from, weights).execute(stream, from, weights);
  stream.wait();
}

std::string OneDnn::getName() const {
  const dnnl_version_t *version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." +
         std::to_string(version->minor) + "." + std::to_string(version->patch);
}

void OneDnn::run() {
  convolution.execute(stream, {{DNNL_ARG_SRC, input},
                               {DNNL_ARG_WEIGHTS, weights},
                               {DNNL_ARG_BIAS, bias},
                               {DNNL_ARG_DST, output}});
  stream.wait();
}

std::unique_ptr<Peer> sparkle::makePeer(const Layer &layer) {
  return std::make_unique<OneDnn>(layer);
}
