// Receptive fields: the pixels that an output depends on, told by the recurrences and by NaN in the picture.
#include <doctest/doctest.h>

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

TEST_CASE("one 2x2 layer sees 2x2 pixels: the 19 of the course comes from 0, 1, 3 and 4") {
  const NetworkPlan plan(network_of({bank_of({plane(2, 2, {0, 1, 2, 3})})}), DType::f32, {1, 1, 3, 3}, false, {});
  const ReceptiveField field = field_of(plan);
  for (const ReceptiveAxis& axis : {field.h, field.w}) {
    CHECK(axis.size == 2);
    CHECK(axis.jump == 1);
    CHECK(axis.start == 0);
  }
}

TEST_CASE("through layers: size grows by (extent - 1) * jump, jumps multiply") {
  const auto layer = [](std::int64_t k, std::int64_t stride, std::int64_t pad) {
    const Params params{.stride = {stride, 1}, .padding = pads(pad, 0, pad, 0)};
    return make_problem(DType::f32, {1, 1, 100, 1}, {1, 1, k, 1}, params);
  };
  ReceptiveField field;
  const ReceptiveAxis& axis = field.h;
  field.append({{layer(3, 2, 1)}});  // 3 pixels, 2 apart, from -1
  CHECK(axis.size == 3);
  CHECK(axis.jump == 2);
  CHECK(axis.start == -1);
  field.append({{layer(5, 3, 2)}});  // 3 + 4 * 2, 6 apart, from -1 - 2 * 2
  CHECK(axis.size == 11);
  CHECK(axis.jump == 6);
  CHECK(axis.start == -5);
  CHECK(axis.centre(0) == 0);
  CHECK(axis.centre(3) == 18);
  const ReceptiveAxis even{.size = 4, .jump = 1, .start = -1};
  CHECK(even.centre(0) == 0);  // of -1 0 1 2, the first of the two middles
}

TEST_CASE("kernels side by side: an output sees what any of them sees") {
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
}

TEST_CASE("a NaN in the picture reaches the outputs whose field holds it, and no other") {
  // No dilation: with it, a field has holes.
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

}  // namespace
}  // namespace convtool
