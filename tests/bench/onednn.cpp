// oneDNN at its best: weights are packed beforehand, and input and output have the blocked layout that it chooses, so
// no reordering is timed. If it does not support a workload's border, its input is padded beforehand.

#include <omp.h>

#include <dnnl.hpp>
#include <memory>

#include "conv/padding.h"
#include "peer.h"

namespace convtool {
namespace {

using dnnl::memory;

constexpr auto kFloat = memory::data_type::f32;

/// The input with its border, for borders other than zeros.
Tensor padded(const Workload& workload, const ConstTensorRef& input) {
  const ConvProblem& p = workload.problem;
  Tensor tensor(DType::f32, {.n = 1,
                             .c = p.input.c,
                             .h = p.input.h + p.pads.top + p.pads.bottom,
                             .w = p.input.w + p.pads.left + p.pads.right});
  const TensorView<float> to = channels_last(tensor).view<float>();
  const TensorView<const float> from = input.view<float>();
  for (std::int64_t y = 0; y < to.shape.h; ++y) {
    const std::int64_t row = pad_index(p.padding_mode, y - p.pads.top, from.shape.h);
    for (std::int64_t x = 0; x < to.shape.w; ++x) {
      const std::int64_t column = pad_index(p.padding_mode, x - p.pads.left, from.shape.w);
      for (std::int64_t c = 0; c < to.shape.c; ++c) to.at(0, c, y, x) = from.at(0, c, row, column);
    }
  }
  return tensor;
}

/// Everything that a run needs. It lives as long as the functions that refer to it.
struct Convolution {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::convolution_forward primitive;
  memory src, weights, dst, user_dst;

  Convolution(const Workload& workload, const ConstTensorRef& input, const TensorRef& output);

 private:
  /// Returns `user` in the layout `wanted`.
  memory reordered(memory& user, const memory::desc& wanted) {
    if (user.get_desc() == wanted) return user;
    memory result(wanted, engine);
    dnnl::reorder(user, result).execute(stream, user, result);
    stream.wait();
    return result;
  }
};

memory::dims dims_of(const Shape& s) { return {s.n, s.c, s.h, s.w}; }

Convolution::Convolution(const Workload& workload, const ConstTensorRef& input, const TensorRef& output) {
  const ConvProblem& p = workload.problem;
  const KernelShape& k = p.kernel;
  const memory::dims weight_dims = {p.groups, k.c_o / p.groups, k.c_i_per_group, k.kh, k.kw};
  const auto any = [](const memory::dims& dims) { return memory::desc(dims, kFloat, memory::format_tag::any); };
  const bool zeros = p.padding_mode == PaddingMode::zeros;
  Tensor bordered;
  if (!zeros) bordered = padded(workload, input);
  const ConstTensorRef from = zeros ? input : ConstTensorRef(bordered.ref());
  const Pads pads = zeros ? p.pads : Pads{};

  const dnnl::convolution_forward::primitive_desc description({dnnl::prop_kind::forward_inference,
                                                               dnnl::algorithm::convolution_auto,
                                                               any(dims_of(from.shape)),
                                                               any(weight_dims),
                                                               any(dims_of(output.shape)),
                                                               {p.stride.h, p.stride.w},
                                                               {p.dilation.h - 1, p.dilation.w - 1},
                                                               {pads.top, pads.left},
                                                               {pads.bottom, pads.right}},
                                                              engine);
  const auto last = memory::format_tag::nhwc;
  memory user_src({dims_of(from.shape), kFloat, last}, engine, const_cast<void*>(from.data));
  memory user_weights({weight_dims, kFloat, memory::format_tag::goihw}, engine,
                      const_cast<float*>(workload.kernel.weights.data()));
  user_dst = memory({dims_of(output.shape), kFloat, last}, engine, output.data);
  src = reordered(user_src, description.src_desc());
  if (!zeros && src == user_src) {  // copied, since `bordered` ends here
    src = memory(description.src_desc(), engine);
    dnnl::reorder(user_src, src).execute(stream, user_src, src);
    stream.wait();
  }
  weights = reordered(user_weights, description.weights_desc());
  dst = description.dst_desc() == user_dst.get_desc() ? user_dst : memory(description.dst_desc(), engine);
  primitive = dnnl::convolution_forward(description);
}

PeerRun prepare(const Workload& workload, const ConstTensorRef& input, const TensorRef& output, int threads) {
  omp_set_num_threads(threads);
  const auto conv = std::make_shared<Convolution>(workload, input, output);
  return {.run =
              [conv] {
                conv->primitive.execute(
                    conv->stream,
                    {{DNNL_ARG_SRC, conv->src}, {DNNL_ARG_WEIGHTS, conv->weights}, {DNNL_ARG_DST, conv->dst}});
                conv->stream.wait();
              },
          .fetch =
              [conv] {
                if (conv->dst == conv->user_dst) return;
                dnnl::reorder(conv->dst, conv->user_dst).execute(conv->stream, conv->dst, conv->user_dst);
                conv->stream.wait();
              }};
}

/// oneDNN takes part in layers, small kernels on f32 pictures, and dilated kernels.
bool applies(const Workload& workload) {
  return workload.problem.input_dtype == DType::f32 &&
         (workload.id.front() == 'C' || workload.id == "I3" || workload.id == "T1");
}

}  // namespace

std::vector<Peer> onednn_peers() { return {{"oneDNN", applies, prepare}}; }

}  // namespace convtool
