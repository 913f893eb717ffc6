// Receptive fields, the pixels that an output depends on: computed by recurrences and found by NaN in the picture.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "network/layers.h"
#include "network/receptive_field.h"

namespace convtool {
namespace {

ReceptiveField field_of(const NetworkPlan& plan) {
  ReceptiveField field;
  for (const BankPlan& bank : plan.banks()) field.append(bank.geometry().problems);
  return field;
}

TEST_CASE("one 2x2 layer sees 2x2 pixels: the course's 19 depends on 0, 1, 3 and 4") {
  const NetworkPlan plan(network_of({bank_of({plane(2, 2, {0, 1, 2, 3})})}), DType::f32, {1, 1, 3, 3}, false, {});
  const ReceptiveField field = field_of(plan);
  for (const ReceptiveAxis& axis : {field.h, field.w}) {
    CHECK(axis.size == 2);
    CHECK(axis.jump == 1);
    CHECK(axis.start == 0);
  }
}

TEST_CASE("with each layer the size grows by (extent - 1) * jump, and the jump is multiplied by the stride") {
  const auto layer = [](std::int64_t k, std::int64_t stride, std::int64_t pad) {
    const Params params{.stride = {stride, 1}, .padding = pads(pad, 0, pad, 0)};
    return make_problem(DType::f32, {1, 1, 100, 1}, {1, 1, k, 1}, params);
  };
  ReceptiveField field;
  const ReceptiveAxis& axis = field.h;
  field.append({{layer(3, 2, 1)}});  // size 3, jump 2, starts at -1
  CHECK(axis.size == 3);
  CHECK(axis.jump == 2);
  CHECK(axis.start == -1);
  field.append({{layer(5, 3, 2)}});  // size 3 + 4 * 2, jump 6, starts at -1 - 2 * 2
  CHECK(axis.size == 11);
  CHECK(axis.jump == 6);
  CHECK(axis.start == -5);
  CHECK(axis.centre(0) == 0);
  CHECK(axis.centre(3) == 18);
  const ReceptiveAxis even{.size = 4, .jump = 1, .start = -1};
  CHECK(even.centre(0) == 0);  // of -1 0 1 2, the first of the two middles
}

TEST_CASE("with parallel kernels, an output sees every pixel that any of them sees") {
  const auto same = [](std::int64_t kh, std::int64_t kw) {
    return make_problem(DType::f32, {1, 1, 20, 20}, {1, 1, kh, kw}, Params{.padding = kSame});
  };
  for (const bool swapped : {false, true}) {
    const ConvProblem tall = same(5, 1), wide = same(2, 4);  // rows -2..2 and 0..1, columns 0 and -1..2
    ReceptiveField field;
    field.append(swapped ? std::vector{wide, tall} : std::vector{tall, wide});
    CHECK(field.h.start == -2);
    CHECK(field.h.size == 5);
    CHECK(field.w.start == -1);
    CHECK(field.w.size == 4);
  }
}

TEST_CASE("a receptive field beyond 64 bits is an error, not a wrapped number") {
  const ConvProblem halving =
      make_problem(DType::f32, {1, 1, 1, 1}, {1, 1, 3, 3}, Params{.stride = {2, 2}, .padding = kSame});
  ReceptiveField field;
  CHECK_THROWS_AS(for (int i = 0; i < 100; ++i) field.append({{halving}}), Error);
  // After 58 strides of 2, an output that padding leaves room for may be further away than that.
  ReceptiveField deep;
  for (int i = 0; i < 58; ++i) deep.append({{halving}});
  CHECK(deep.h.jump == std::int64_t{1} << 58);
  CHECK(deep.h.first(3) == deep.h.start + 3 * deep.h.jump);
  CHECK(deep.h.centre(-3) < 0);
  CHECK_THROWS_AS(deep.h.first(1000), Error);
  CHECK_THROWS_AS(deep.h.centre(1000), Error);
}

TEST_CASE("a NaN in the picture reaches exactly the outputs whose field contains it") {
  // Without dilation, since it leaves holes in a field.
  const auto ones = [](std::int64_t kh, std::int64_t kw, const Params& params) {
    return bank_of({plane(kh, kw, std::vector<float>(static_cast<std::size_t>(kh * kw), 1.0F), params)});
  };
  const Network network = network_of({ones(3, 2, {.stride = {2, 1}, .padding = pads(1, 0, 2, 1)}),
                                      ones(2, 4, {.stride = {1, 3}, .padding = pads(0, 2, 1, 1)}),
                                      ones(3, 1, {.padding = pads(2, 0, 0, 0)})});
  const Shape shape{1, 1, 11, 13};
  const NetworkPlan plan(network, DType::f32, shape, false, {});
  const ReceptiveField field = field_of(plan);
  const Shape out = plan.output_shape();
  for (std::int64_t y = 0; y < shape.h; ++y)
    for (std::int64_t x = 0; x < shape.w; ++x) {
      std::vector<double> pixels(static_cast<std::size_t>(shape.count()), 1.0);
      pixels[static_cast<std::size_t>(y * shape.w + x)] = std::nan("");
      const Tensor result = run_network(network, tensor_of(DType::f32, shape, pixels).ref());
      for (std::int64_t i = 0; i < out.h; ++i)
        for (std::int64_t j = 0; j < out.w; ++j) {
          const std::int64_t top = field.h.start + i * field.h.jump, left = field.w.start + j * field.w.jump;
          const bool sees = y >= top && y < top + field.h.size && x >= left && x < left + field.w.size;
          CAPTURE(y);
          CAPTURE(x);
          CAPTURE(i);
          CAPTURE(j);
          CHECK(std::isnan(result.data<float>()[i * out.w + j]) == sees);
        }
    }
}

/// Every layer of the stack enlarges, or is a kernel of ones of stride 1 or 2.
Network random_enlarging_stack(Random& random) {
  std::vector<Bank> banks;
  for (std::int64_t i = random.between(1, 3); i > 0; --i) {
    const auto kind = static_cast<Enlarging>(random.between(0, 3));
    const std::int64_t k = random.between(1, 4), stride = random.between(1, 3);
    Layer layer = plane(k, k, std::vector<float>(static_cast<std::size_t>(k * k), 1.0F),
                        {.stride = {stride, stride}, .padding = pads(k / 2, k / 2, k / 2, k / 2)});
    layer.enlarging = kind;
    if (kind == Enlarging::transposed) layer.rank = 4;
    if (kind == Enlarging::nearest || kind == Enlarging::bilinear) {
      layer.shape = {};
      layer.weights = {};
      layer.params.padding = {};
    }
    banks.push_back(bank_of({layer}));
  }
  return network_of(std::move(banks));
}

TEST_CASE("in stacks that enlarge, a NaN in the picture reaches no output whose field does not contain it") {
  Random random(17);
  std::int64_t seen = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const Network network = random_enlarging_stack(random);
    const Shape shape{1, 1, 1 + random.between(5, 8), 1 + random.between(5, 8)};
    std::vector<BankGeometry> banks;
    Shape out = shape;
    for (const Bank& bank : network.banks) {
      banks.push_back(bank_geometry(bank, DType::f32, out));
      out = banks.back().output;
    }
    CAPTURE(trial);
    const ReceptiveField field = receptive_field_of(network, banks);
    for (std::int64_t y = 0; y < shape.h; ++y) {
      const std::int64_t x = random.between(0, shape.w - 1);
      std::vector<double> pixels(static_cast<std::size_t>(shape.count()), 1.0);
      pixels[static_cast<std::size_t>(y * shape.w + x)] = std::nan("");
      const Tensor result = run_network(network, tensor_of(DType::f32, shape, pixels).ref());
      for (std::int64_t i = 0; i < out.h; ++i)
        for (std::int64_t j = 0; j < out.w; ++j) {
          const std::int64_t top = field.h.first(i), left = field.w.first(j);
          const bool contains = y >= top && y < top + field.h.size && x >= left && x < left + field.w.size;
          // With the outermost pixels repeated, upsampling sees them beyond the border.
          if (y == 0 || y == shape.h - 1 || x == 0 || x == shape.w - 1) continue;
          const bool sees = std::isnan(result.data<float>()[i * out.w + j]);
          CHECK((!sees || contains));
          seen += sees ? 1 : 0;
        }
    }
  }
  CHECK(seen > 1000);
}

TEST_CASE("the fields of single layers that enlarge") {
  const auto field_of_layer = [](Enlarging kind, std::int64_t k, std::int64_t stride, std::int64_t pad) {
    Layer layer = make_layer(kind == Enlarging::transposed ? 4 : 2, {1, 1, k, 1},
                             std::vector<float>(static_cast<std::size_t>(k), 1),
                             {.stride = {stride, 1}, .padding = pads(pad, 0, pad, 0)});
    layer.enlarging = kind;
    ReceptiveField field;
    field.append_bank(bank_geometry(bank_of({layer}), DType::f32, {1, 1, 9, 9}));
    return field.h;
  };
  const ReceptiveAxis nearest = field_of_layer(Enlarging::nearest, 1, 3, 0);
  CHECK(nearest.jump_text() == "1/3");
  CHECK(nearest.size == 1);
  CHECK(nearest.centre(0) == 0);
  CHECK(nearest.centre(2) == 0);
  CHECK(nearest.centre(3) == 1);
  const ReceptiveAxis bilinear = field_of_layer(Enlarging::bilinear, 1, 2, 0);
  CHECK(bilinear.jump_text() == "1/2");
  CHECK(bilinear.size == 2);
  CHECK(bilinear.first(0) == -1);
  CHECK(bilinear.first(1) == 0);
  CHECK(bilinear.first(2) == 0);
  CHECK(bilinear.centre(1) == 0);  // at 0.25
  CHECK(bilinear.centre(2) == 1);  // at 0.75
  const ReceptiveAxis transposed = field_of_layer(Enlarging::transposed, 4, 2, 1);
  CHECK(transposed.jump_text() == "1/2");
  CHECK(transposed.size == 2);
  CHECK(transposed.first(0) == -1);  // inputs -1 and 0, by rows 3 and 1 of the kernel
  CHECK(transposed.first(1) == 0);
}

TEST_CASE("dilation widens the field") {
  ReceptiveField field;
  field.append({{make_problem(DType::f32, {1, 1, 20, 20}, {1, 1, 3, 2},
                              Params{.stride = {1, 2}, .dilation = {4, 3}, .padding = pads(5, 1, 0, 0)})}});
  CHECK(field.h.size == 9);
  CHECK(field.h.start == -5);
  CHECK(field.w.size == 4);
  CHECK(field.w.start == -1);
  CHECK(field.w.jump == 2);
}

/// A stack of 1 to 4 banks, each of 1 or 2 kernels of ones that are combined by their sum.
Network random_stack(Random& random) {
  std::vector<Bank> banks;
  for (std::int64_t i = random.between(1, 4); i > 0; --i) {
    const Extent stride{random.between(1, 3), random.between(1, 3)};
    const std::int64_t kh = random.between(1, 4), kw = random.between(1, 4);
    Params params{
        .stride = stride,
        .dilation = {random.between(1, 3), random.between(1, 3)},
        .padding = {Padding::Rule::fixed,
                    {random.between(0, 3), random.between(0, 3), random.between(0, 3), random.between(0, 3)}}};
    const std::vector<float> ones(static_cast<std::size_t>(kh * kw), 1.0F);
    std::vector<Layer> layers(static_cast<std::size_t>(random.between(1, 2)), plane(kh, kw, ones, params));
    banks.push_back(bank_of(std::move(layers), Combine::sum));
  }
  return network_of(std::move(banks));
}

TEST_CASE("in random stacks, an impulse reaches an output from the first to the last pixel of its field") {
  Random random(3);
  int whole_fields = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const Network network = random_stack(random);
    const Shape shape{1, 1, 40, 44};
    CAPTURE(trial);
    ReceptiveField field;
    Shape out = shape;
    try {
      for (const Bank& bank : network.banks) {
        const BankGeometry geometry = bank_geometry(bank, DType::f32, out);
        field.append(geometry.problems);
        out = geometry.output;
      }
    } catch (const Error&) {
      continue;  // shrunk to zero size
    }
    // One axis at a time: a line of ones along the other axis reaches every output that any of its pixels reaches.
    for (const bool down : {true, false}) {
      const ReceptiveAxis& axis = down ? field.h : field.w;
      const std::int64_t length = down ? shape.h : shape.w, outputs = down ? out.h : out.w;
      std::vector<std::int64_t> first(static_cast<std::size_t>(outputs), length), last(first.size(), -1);
      for (std::int64_t at = 0; at < length; ++at) {
        const Tensor impulse = filled(DType::f32, shape, [&, i = std::int64_t{0}]() mutable {
          const std::int64_t place = down ? i / shape.w : i % shape.w;
          ++i;
          return place == at ? 1 : 0;
        });
        const Tensor result = run_network(network, impulse.ref());
        for (std::int64_t i = 0; i < out.h * out.w; ++i) {
          if (result.data<float>()[i] == 0) continue;
          const auto j = static_cast<std::size_t>(down ? i / out.w : i % out.w);
          first[j] = std::min(first[j], at);
          last[j] = std::max(last[j], at);
        }
      }
      for (std::int64_t j = 0; j < outputs; ++j) {
        const std::int64_t begin = axis.start + j * axis.jump, end = begin + axis.size - 1;
        const auto i = static_cast<std::size_t>(j);
        CAPTURE(j);
        if (last[i] < 0) continue;  // its field contains only padding
        CHECK(first[i] >= begin);
        CHECK(last[i] <= end);
        if (begin < 0 || end >= length) continue;  // padding may hide an end of the field
        ++whole_fields;
        CHECK(first[i] == begin);
        CHECK(last[i] == end);
      }
    }
  }
  CHECK(whole_fields > 200);
}

}  // namespace
}  // namespace convtool
