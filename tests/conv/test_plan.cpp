// ConvPlan: the algorithm and number of threads that it chooses, what it refuses, and that it may be moved and reused.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "conv/engine/simd.h"
#include "conv/plan.h"
#include "core/parallel.h"
#include "support/convolve.h"
#include "support/instruction_sets.h"
#include "support/params.h"

namespace convtool {
namespace {

const ConvProblem& small() {
  static const ConvProblem problem = make_problem(DType::f32, {1, 1, 3, 3}, {1, 1, 2, 2}, {});
  return problem;
}

Kernel course_kernel() { return kernel_of({1, 1, 2, 2}, {0, 1, 2, 3}); }

TEST_CASE("names of algorithms are unique") {
  const auto names = algorithm_names();
  for (const std::string_view name : {"reference", "direct"})
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
  for (const std::string_view name : names) CHECK(std::count(names.begin(), names.end(), name) == 1);
}

TEST_CASE("auto never chooses reference; a named algorithm is the one that runs") {
  CHECK(ConvPlan(small(), course_kernel(), {}, {}).algorithm() != "reference");
  for (const std::string name : {"reference", "direct"})
    CHECK(ConvPlan(small(), course_kernel(), {}, {.algorithm = name}).algorithm() == name);
}

TEST_CASE("gigantic strides and pads need no more memory than their result") {
  // As strips of rows, the first problem would need 30 million floats, the second 8 GiB.
  const Kernel kernel = course_kernel();
  const Tensor input = counting({1, 1, 3, 3}, 1);
  const std::int64_t far = std::int64_t{1} << 20, farther = std::int64_t{1} << 30;
  for (const Params& params : {Params{.stride = {far, far}, .padding = kSame},
                               Params{.stride = {farther, farther}, .padding = pads(farther, farther, 0, 0)}}) {
    const ConvProblem problem = make_problem(DType::f32, {1, 1, 3, 3}, kernel.shape, params);
    const ConvPlan plan(problem, kernel, {}, {});
    CHECK(plan.algorithm() == "direct");
    Tensor output(DType::f32, plan.output_shape());
    plan.run(input.ref(), output.ref());
    const Tensor expected = convolve(input.ref(), kernel, params, "reference");
    CHECK(values_of(output.ref()) == values_of(expected.ref()));
    CHECK_THROWS_WITH_AS(ConvPlan(problem, kernel, {}, {.algorithm = "rows"}), doctest::Contains("16 MiB"), Error);
  }
}

TEST_CASE("weights are not copied with many more zeros, up to whole vectors") {
  constexpr std::int64_t kSide = 1100;
  Kernel kernel{.shape = {1, 1, kSide, kSide}, .weights = std::vector<float>(kSide * kSide), .bias = {0}};
  for (std::size_t i = 0; i < kernel.weights.size(); ++i) kernel.weights[i] = static_cast<float>(i % 7) - 2.5F;
  const ConvProblem problem = make_problem(DType::f32, {1, 1, 2, 2}, kernel.shape, {.padding = kSame});
  on_each_set([&] {
    for (const char* const name : {"packed", "depthwise"}) {
      const auto plan = [&] { return ConvPlan(problem, kernel, {}, {.algorithm = name}); };
      if (float_lanes() > 4)
        CHECK_THROWS_WITH_AS(plan(), doctest::Contains("filled up to whole vectors"), Error);
      else  // no copy is larger than four times the weights
        CHECK(plan().algorithm() == name);
    }
  });
  // As many weights of 16 outputs need no zeros.
  constexpr std::int64_t kQuarter = kSide / 4;
  kernel.shape = {16, 1, kQuarter, kQuarter};
  kernel.bias.assign(16, 0);
  const ConvProblem several = make_problem(DType::f32, {1, 1, 2, 2}, kernel.shape, {.padding = kSame});
  CHECK(ConvPlan(several, kernel, {}, {.algorithm = "packed"}).algorithm() == "packed");

  const auto plan = [](const Shape& input, const KernelShape& shape, std::int64_t groups, const char* name) {
    const Kernel equal{.shape = shape,
                       .weights = std::vector<float>(static_cast<std::size_t>(shape.count()), 0.3F),
                       .bias = std::vector<float>(static_cast<std::size_t>(shape.c_o))};
    const Params params{.padding = kSame, .groups = groups};
    return ConvPlan(make_problem(DType::f32, input, shape, params), equal, {}, {.algorithm = name}).algorithm();
  };
  // Many groups of one output each, in which winograd transforms its weights.
  constexpr std::int64_t kGroups = 20'000, kInputs = 8;
  CHECK_THROWS_WITH_AS(plan({1, kGroups * kInputs, 2, 2}, {kGroups, kInputs, 3, 3}, kGroups, "winograd"),
                       doctest::Contains("filled up to whole vectors"), Error);
  CHECK(plan({1, 600, 4, 4}, {500, 600, 3, 3}, 1, "winograd") == "winograd");
  // depthwise fills up all groups together.
  CHECK(plan({1, 768, 27, 27}, {768, 1, 27, 27}, 768, "depthwise") == "depthwise");
}

TEST_CASE("an unknown algorithm is refused, with a list of all names") {
  try {
    const ConvPlan plan(small(), course_kernel(), {}, {.algorithm = "directt"});
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    const std::string message = error.what();
    for (const std::string_view word : {"'directt'", "--algorithm", "auto", "reference", "direct"})
      CHECK(message.find(word) != std::string::npos);
  }
}

TEST_CASE("small problems run on one thread, large ones on the requested number, and reference always on one") {
  const auto threads = [](std::int64_t size, const std::string& algorithm, int asked) {
    const KernelShape kernel{1, 1, 7, 7};
    const ConvProblem problem = make_problem(DType::f32, {1, 1, size, size}, kernel, Params{.padding = kSame});
    const Kernel weights = kernel_of(kernel, std::vector<float>(49, 1.0F));
    return ConvPlan(problem, weights, {}, {.algorithm = algorithm, .threads = asked}).threads();
  };
  CHECK(threads(3, "direct", 8) == 1);
  CHECK(threads(1000, "direct", 8) == 8);
  CHECK(threads(1000, "direct", 1) == 1);
  CHECK(threads(1000, "direct", 0) == available_cores());
  CHECK(threads(1000, "reference", 8) == 1);
}

TEST_CASE("a plan may be moved, and run any number of times") {
  ConvPlan plan(small(), course_kernel(), {}, {});
  std::vector<ConvPlan> plans;
  plans.push_back(std::move(plan));
  plans.emplace_back(small(), course_kernel(), Epilogue{}, PlanOptions{});  // the vector grows and moves the first plan
  plans.front() = ConvPlan(small(), kernel_of({1, 1, 2, 2}, {1, 0, 0, 0}), {}, {});
  const Tensor x = counting({1, 1, 3, 3});
  Tensor y(DType::f32, {1, 1, 2, 2});
  for (int round = 0; round < 2; ++round) {
    plans.back().run(x.ref(), y.ref());
    CHECK(values_of(y.ref()) == std::vector<double>{19, 25, 37, 43});
    plans.front().run(x.ref(), y.ref());
    CHECK(values_of(y.ref()) == std::vector<double>{0, 1, 3, 4});
  }
  CHECK(to_string(plans.back().problem()) == to_string(small()));
}

TEST_CASE("the output shape counts combined channels once") {
  const ConvProblem problem = make_problem(DType::f32, {2, 1, 4, 5}, {6, 1, 2, 2}, {});
  const Kernel kernel = kernel_of({6, 1, 2, 2}, std::vector<float>(24, 1.0F));
  CHECK(ConvPlan(problem, kernel, {}, {}).output_shape() == Shape{2, 6, 3, 4});
  const Epilogue pairs{.activation = Activation::none, .combine = Combine::max, .combine_count = 2};
  CHECK(ConvPlan(problem, kernel, pairs, {}).output_shape() == Shape{2, 3, 3, 4});
}

TEST_CASE("measure() has the statistics of the responses of run()") {
  const Kernel kernel = kernel_of({1, 1, 2, 2}, {-1, 1, 0, 0});
  const ConvPlan plan(small(), kernel, {.activation = Activation::abs}, {});
  const Tensor x = tensor_of(DType::f32, {1, 1, 3, 3}, {0, -5, 4, 1, 1, 1, 9, 9, 9});
  const ResponseStats stats = plan.measure(x.ref(), x.ref().strides);
  CHECK(stats.min == 0);
  CHECK(stats.max == 9);
  CHECK(stats.nan_count == 0);
  CHECK(stats.clipped_low == 0);
  CHECK(stats.clipped_high == 0);
}

TEST_CASE("tensors and kernels that do not fit the plan are a bug") {
  const ConvPlan plan(small(), course_kernel(), {}, {});
  const Tensor x = counting({1, 1, 3, 3}), wrong_shape = counting({1, 1, 3, 4});
  const Tensor wrong_type = filled(DType::u8, {1, 1, 3, 3}, [] { return 0; });
  Tensor y(DType::f32, {1, 1, 2, 2}), wrong_y(DType::f32, {1, 1, 2, 3});
  CHECK_THROWS_AS(plan.run(wrong_shape.ref(), y.ref()), Error);
  CHECK_THROWS_AS(plan.run(wrong_type.ref(), y.ref()), Error);
  CHECK_THROWS_AS(plan.run(x.ref(), wrong_y.ref()), Error);
  CHECK_THROWS_AS(plan.run(x.ref(), TensorRef{nullptr, DType::f32, {1, 1, 2, 2}, {}}), Error);
  CHECK_THROWS_AS(plan.measure(wrong_shape.ref(), y.ref().strides), Error);

  Kernel short_kernel = course_kernel();
  short_kernel.weights.pop_back();
  CHECK_THROWS_AS(ConvPlan(small(), short_kernel, {}, {}), Error);
  Kernel no_bias = course_kernel();
  no_bias.bias.clear();
  CHECK_THROWS_AS(ConvPlan(small(), no_bias, {}, {}), Error);
  CHECK_THROWS_AS(ConvPlan(small(), kernel_of({1, 1, 1, 4}, {0, 1, 2, 3}), {}, {}), Error);
  CHECK_THROWS_AS(ConvPlan(small(), course_kernel(), {Activation::none, Combine::sum, 2}, {}), Error);
}

}  // namespace
}  // namespace convtool
