// Upsampling and transposed convolutions against their definitions, on every type and layout. The results of PyTorch
// are in tests/kernels/test_golden_layers.cpp.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "network/enlarging.h"
#include "network/layers.h"
#include "support/placed_tensor.h"

namespace convtool {
namespace {

Layer transposed(const KernelShape& shape, std::vector<float> weights, const ConvParams& params,
                 const Extent& output_padding = {0, 0}) {
  Layer layer = make_layer(4, shape, std::move(weights), params);
  layer.enlarging = Enlarging::transposed;
  layer.output_padding = output_padding;
  return layer;
}

Layer upsampling(Enlarging kind, const Extent& scale) {
  Layer layer = make_layer(2, {}, {});
  layer.enlarging = kind;
  layer.params.stride = scale;
  return layer;
}

/// The definition: each input adds its product with the kernel to the outputs below it.
std::vector<double> scattered(const ConstTensorRef& input, const Layer& layer, const Shape& out, bool flip) {
  const std::vector<double> x = values_of(input);
  const Shape& in = input.shape;
  const KernelShape& k = layer.shape;
  const ConvParams& p = layer.params;
  std::vector<double> y(static_cast<std::size_t>(out.count()));
  const std::int64_t c_i = k.c_o / p.groups;
  for (std::int64_t n = 0; n < in.n; ++n)
    for (std::int64_t c = 0; c < in.c; ++c)
      for (std::int64_t i = 0; i < in.h; ++i)
        for (std::int64_t j = 0; j < in.w; ++j)
          for (std::int64_t o = 0; o < k.c_i_per_group; ++o)
            for (std::int64_t u = 0; u < k.kh; ++u)
              for (std::int64_t v = 0; v < k.kw; ++v) {
                const std::int64_t row = i * p.stride.h + u * p.dilation.h - p.padding.pads.top,
                                   column = j * p.stride.w + v * p.dilation.w - p.padding.pads.left;
                if (row < 0 || row >= out.h || column < 0 || column >= out.w) continue;
                const std::int64_t a = flip ? k.kh - 1 - u : u, b = flip ? k.kw - 1 - v : v;
                const float weight =
                    layer.weights[static_cast<std::size_t>(((c * k.c_i_per_group + o) * k.kh + a) * k.kw + b)];
                const std::int64_t channel = c / c_i * k.c_i_per_group + o;
                y[static_cast<std::size_t>(((n * out.c + channel) * out.h + row) * out.w + column)] +=
                    static_cast<double>(weight) * x[static_cast<std::size_t>(((n * in.c + c) * in.h + i) * in.w + j)];
              }
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto channel = static_cast<std::size_t>(static_cast<std::int64_t>(i) / (out.h * out.w) % out.c);
    if (!layer.bias.empty()) y[i] += static_cast<double>(layer.bias[channel]);
    if (layer.activation == Activation::relu) y[i] = std::max(y[i], 0.0);
  }
  return y;
}

std::int64_t size_of_output(std::int64_t in, std::int64_t stride, std::int64_t begin, std::int64_t end,
                            std::int64_t dilation, std::int64_t k, std::int64_t extra) {
  return (in - 1) * stride - begin - end + dilation * (k - 1) + extra + 1;
}

TEST_CASE("transposed convolutions scatter their inputs, in every layout and type") {
  Random random(701);
  int zero_phases = 0;
  for (int round = 0; round < 120; ++round) {
    const DType dtype = random.pick(std::vector{DType::u8, DType::u16, DType::f32});
    const auto extent = [&](std::int64_t least, std::int64_t most) {
      return Extent{random.between(least, most), random.between(least, most)};
    };
    const std::int64_t groups = random.between(1, 3);
    ConvParams params{.stride = extent(1, 5), .dilation = extent(1, 3), .groups = groups};
    params.padding = pads(random.between(0, 3), random.between(0, 3), random.between(0, 3), random.between(0, 3));
    const KernelShape kernel{groups * random.between(1, 3), random.between(1, 3), random.between(1, 4),
                             random.between(1, 4)};
    const Extent extra{random.between(0, params.stride.h - 1), random.between(0, params.stride.w - 1)};
    const Shape shape{random.between(1, 2), kernel.c_o, random.between(1, 6), random.between(1, 9)};
    const Pads& p = params.padding.pads;
    Shape out{shape.n, kernel.c_i_per_group * groups,
              size_of_output(shape.h, params.stride.h, p.top, p.bottom, params.dilation.h, kernel.kh, extra.h),
              size_of_output(shape.w, params.stride.w, p.left, p.right, params.dilation.w, kernel.kw, extra.w)};
    if (out.h < 1 || out.w < 1) continue;
    Layer layer = transposed(kernel, random_weights(kernel.count(), random), params, extra);
    if (random.chance(2)) layer.bias = random_weights(out.c, random);
    if (random.chance(2)) layer.activation = Activation::relu;
    const bool flip = random.chance(3);
    const Tensor x = random_picture(dtype, shape, random);
    PlacedTensor input(dtype, shape, random.pick(kLayouts), 64);
    input.copy_from(x);
    const BankPlan plan(bank_of({layer}), dtype, shape, flip, {.threads = static_cast<int>(random.between(1, 3))});
    CHECK(plan.output_shape() == out);
    for (const Phase& phase : phases_of(layer, dtype, shape)) zero_phases += phase.sees_zeros() ? 1 : 0;
    PlacedTensor output(DType::f32, out, random.pick(kLayouts), 64);
    const ResponseStats stats = plan.run(input.ref(), output.ref(), {});
    CAPTURE(to_string(plan.problem()));
    const std::vector<double> expected = scattered(x.ref(), layer, out, flip);
    CHECK(values_of(output.to_planar().ref()) == expected);  // whole numbers below 2^24: exact
    CHECK(output.guard_intact());
    CHECK(stats.min == *std::min_element(expected.begin(), expected.end()));
    CHECK(stats.max == *std::max_element(expected.begin(), expected.end()));
    const ResponseStats measured = plan.measure(input.ref(), output.ref().strides);
    CHECK(measured.min == stats.min);
    CHECK(measured.max == stats.max);
    // As from f32, where the values fit: rounded and saturated as any response.
    Tensor stored(DType::u8, out);
    run_mapped(plan, input.ref(), dtype, stored.ref(), OutputMap::normalize);
    CHECK(*std::max_element(stored.data<std::uint8_t>(), stored.data<std::uint8_t>() + out.count()) ==
          (stats.max > stats.min ? 255 : 0));
  }
  CHECK(zero_phases > 100);  // outputs that no input reaches
}

TEST_CASE("outputs that no input reaches have the bias alone, even beside infinities") {
  Layer layer = transposed({1, 1, 1, 1}, {2}, {.stride = {3, 2}});
  layer.bias = {5};
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor result = run_bank(bank_of({layer}), tensor_of(DType::f32, {1, 1, 1, 2}, {inf, 1}).ref());
  CHECK(values_of(result.ref()) == std::vector<double>{inf, 5, 7});
}

TEST_CASE("nearest repeats each pixel, and keeps integers as they are") {
  Random random(702);
  for (const DType dtype : {DType::u8, DType::u16, DType::f32})
    for (const Extent scale : {Extent{1, 1}, Extent{2, 2}, Extent{3, 1}, Extent{1, 5}}) {
      const Shape shape{2, 3, 4, 5};
      const Tensor x = random_picture(dtype, shape, random);
      const BankPlan plan(bank_of({upsampling(Enlarging::nearest, scale)}), dtype, shape, false, {});
      Tensor output(dtype, plan.output_shape());
      plan.run(x.ref(), output.ref(), {});
      const std::vector<double> from = values_of(x.ref()), got = values_of(output.ref());
      std::size_t wrong = 0, k = 0;
      for (std::int64_t plane = 0; plane < 6; ++plane)
        for (std::int64_t i = 0; i < shape.h * scale.h; ++i)
          for (std::int64_t j = 0; j < shape.w * scale.w; ++j)
            wrong += got[k++] == from[static_cast<std::size_t>((plane * 4 + i / scale.h) * 5 + j / scale.w)] ? 0 : 1;
      CHECK(wrong == 0);
    }
}

TEST_CASE("bilinear blends the two nearest pixels of an integer picture without rounding before the end") {
  // Between 10 and 20, by 4: eighths of 1, 3, 5 and 7; beyond the outermost centres, the outermost pixel.
  const Layer layer = upsampling(Enlarging::bilinear, {1, 4});
  const Tensor x = tensor_of(DType::u8, {1, 1, 1, 2}, {10, 20});
  const std::vector<double> expected = {10, 10, 11.25, 13.75, 16.25, 18.75, 20, 20};
  CHECK(values_of(run_bank(bank_of({layer}), x.ref()).ref()) == expected);
  Tensor stored(DType::u8, {1, 1, 1, 8});
  const BankPlan plan(bank_of({layer}), DType::u8, x.shape(), false, {});
  plan.run(x.ref(), stored.ref(), {});
  CHECK(values_of(stored.ref()) == std::vector<double>{10, 10, 11, 14, 16, 19, 20, 20});
}

TEST_CASE("the sizes and phases of a kernel of any size take no memory") {
  constexpr std::int64_t kRows = 1'000'000'000;
  Layer layer = transposed({1, 1, kRows, 1}, {}, {.stride = {6, 64}, .dilation = {4, 1}});
  layer.outline = Outline::kernel;
  const Shape input{1, 1, 8, 9};
  CHECK(bank_geometry(bank_of({layer}), DType::f32, input).output == Shape{1, 1, 7 * 6 + 4 * (kRows - 1) + 1, 513});
  // A row of the kernel is seen by the outputs of one remainder, 4u mod 6, which is even: 0, 4 and 2 for u = 0, 1, 2.
  std::vector<std::int64_t> taps;
  for (const Phase& phase : phases_of(layer, DType::f32, input))
    if (phase.columns.first == 0) taps.push_back(phase.rows.taps);
  CHECK(taps == std::vector<std::int64_t>{kRows / 3 + 1, 0, kRows / 3, 0, kRows / 3, 0});
}

TEST_CASE("sizes beyond 64 bits are refused before they are computed") {
  const auto refusal = [](const Layer& layer, const Shape& input) {
    return error_of([&] { bank_geometry(bank_of({layer}), DType::f32, input); });
  };
  const Shape large{1, 1, std::int64_t{1} << 52, 1};
  CHECK(contains(refusal(upsampling(Enlarging::nearest, {4096, 1}), large), "larger than 64-bit numbers"));
  CHECK(contains(refusal(transposed({1, 1, 1, 1}, {1}, {.stride = {4096, 1}}), large), "larger than 64-bit numbers"));
  const std::int64_t most = kLargestParameter;
  CHECK(contains(refusal(transposed({1, most, most, 2}, {}, {}), {1, 1, 8, 8}), "more weights than fit"));
}

TEST_CASE("layers that enlarge and do not fit say so with numbers") {
  const Layer layer = transposed({2, 1, 2, 2}, std::vector<float>(8, 1.0F), {.padding = pads(2, 0, 2, 0)});
  const auto refusal = [&](const Shape& input) {
    return error_of([&] { bank_geometry(bank_of({layer}), DType::f32, input); });
  };
  CHECK(contains(refusal({1, 3, 9, 9}), "(expected 2 channels, got 3)"));
  CHECK(contains(refusal({1, 2, 3, 9}), "h = (3 - 1)*1 - 2 - 2 + 1*(2-1) + 0 + 1 = 0"));
  CHECK(bank_geometry(bank_of({layer}), DType::f32, {1, 2, 4, 9}).output == Shape{1, 1, 1, 10});
  Layer biased = layer;
  biased.bias = {1, 2};
  CHECK(contains(error_of([&] {
                   bank_geometry(bank_of({biased}), DType::f32, {1, 2, 4, 9});
                 }),
                 "the bias does not match the output channels (expected one number, got 2)"));
}

}  // namespace
}  // namespace convtool
