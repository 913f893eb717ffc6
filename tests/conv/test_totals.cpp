// ResponseStats::total, the sum of all responses, which a plan computes on request.
#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <numeric>
#include <string>

#include "support/convolve.h"

namespace convtool {
namespace {

double sum_of(const ConstTensorRef& ref) {
  const std::vector<double> values = values_of(ref);
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST_CASE("the total is the sum of the responses, and computing it does not change them") {
  // Whole numbers: sums are exact in any order. Rows of several row spans, and work for several threads.
  struct Case {
    Shape input;
    KernelShape kernel;
    ConvParams params;
  };
  const Case cases[] = {{{1, 1, 150, 700}, {1, 1, 3, 3}, {}},
                        {{1, 1, 150, 700}, {1, 1, 9, 9}, {}},
                        {{1, 3, 90, 130}, {3, 1, 3, 3}, {.groups = 3}},
                        {{1, 16, 40, 40}, {32, 16, 3, 3}, {}},
                        {{2, 32, 20, 24}, {32, 1, 5, 5}, {.groups = 32}}};
  std::map<std::string, int> solved;
  for (const Case& one : cases)
    for (const bool last : {false, true})
      for (const std::string_view algorithm : algorithm_names()) {
        const ConvProblem problem = make_problem(DType::u8, one.input, one.kernel, one.params);
        const Kernel kernel =
            kernel_of(one.kernel, std::vector<float>(static_cast<std::size_t>(one.kernel.count()), 1.0F));
        if (!applies(algorithm, problem, kernel)) continue;
        CAPTURE(to_string(problem));
        CAPTURE(std::string(algorithm));
        CAPTURE(last);
        ++solved[std::string(algorithm)];
        Random random(5);
        const Tensor x = filled(DType::u8, one.input, [&] { return random.between(0, 255); });
        const ConvPlan plain(problem, kernel, {}, {.algorithm = std::string(algorithm)});
        const ConvPlan adding(problem, kernel, {}, {.algorithm = std::string(algorithm), .threads = 3, .totals = true});
        for (const DType dtype : {DType::f32, DType::u8}) {
          const Shape out = plain.output_shape();
          Tensor wanted(dtype, out), seen(dtype, out);
          const TensorRef seen_ref = last ? channels_last(seen) : seen.ref();
          const ResponseStats without = plain.run(x.ref(), wanted.ref());
          const ResponseStats stats = adding.run(x.ref(), seen_ref);
          CHECK(without.total_count == 0);
          CHECK_FALSE(without.mean().has_value());
          CHECK(values_of(seen_ref) == values_of(wanted.ref()));
          CHECK(stats.min == without.min);
          CHECK(stats.max == without.max);
          CHECK(stats.clipped_high == without.clipped_high);
          CHECK(stats.total_count == out.count());
          if (dtype == DType::f32) CHECK(stats.total == sum_of(wanted.ref()));
        }
        const ResponseStats measured = adding.measure(x.ref(), x.ref().strides);
        CHECK(measured.total_count == plain.output_shape().count());
      }
  // 5 cases in 2 layouts. One case sums over 16 channels, which `separable`, `box` and `depthwise` refuse.
  CHECK(solved == std::map<std::string, int>{{"reference", 10},
                                             {"direct", 10},
                                             {"rows", 10},
                                             {"integer", 10},
                                             {"separable", 8},
                                             {"box", 8},
                                             {"packed", 10},
                                             {"depthwise", 8},
                                             {"fft", 10}});
}

TEST_CASE("responses are added after divisor, bias, activation and combine, before the map") {
  const Tensor x = tensor_of(DType::f32, {1, 1, 1, 4}, {3, -6, 9, -30});
  Kernel kernel = kernel_of({2, 1, 1, 1}, {1, 4.0F / 3});
  kernel.divisor = {3, 1};
  kernel.bias = {0.5F, 0};
  const ConvProblem problem = make_problem(DType::f32, x.shape(), kernel.shape, {});
  const auto total = [&](const Epilogue& epilogue, const ValueMap& map) {
    const ConvPlan plan(problem, kernel, epilogue, {.totals = true});
    Tensor y(DType::u8, plan.output_shape());
    return plan.run(x.ref(), y.ref(), map).total;
  };
  // First channel 1.5, -1.5, 3.5, -9.5; second about 4, -8, 12, -40.
  const double second = static_cast<double>(4.0F / 3) * -24;
  CHECK(total({}, {}) == doctest::Approx(-6 + second).epsilon(1e-6));
  CHECK(total({}, {.absolute = true, .scale = 7}) == doctest::Approx(-6 + second).epsilon(1e-6));
  CHECK(total({.activation = Activation::relu}, {}) == doctest::Approx(5 + 16).epsilon(1e-6));
  CHECK(total({.combine = Combine::l1, .combine_count = 2}, {}) == doctest::Approx(16 + 64).epsilon(1e-6));
  CHECK(total({.combine = Combine::max, .combine_count = 2}, {}) == doctest::Approx(4 - 1.5 + 12 - 9.5).epsilon(1e-6));
}

TEST_CASE("the total leaves out NaN, but not infinity") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const Kernel identity = kernel_of({1, 1, 1, 1}, {1});
  const auto stats_of = [&](const std::vector<double>& values) {
    const Tensor x = tensor_of(DType::f32, {1, 1, 1, static_cast<std::int64_t>(values.size())}, values);
    const ConvPlan plan(make_problem(DType::f32, x.shape(), identity.shape, {}), identity, {}, {.totals = true});
    Tensor y(DType::f32, x.shape());
    return plan.run(x.ref(), y.ref());
  };
  CHECK(stats_of({1, nan, 5}).mean() == 3);
  CHECK(stats_of({1, nan, 5}).total_count == 2);
  CHECK_FALSE(stats_of({nan, nan}).mean().has_value());
  CHECK(stats_of({1, inf}).mean() == inf);
}

TEST_CASE("a mean is rounded to the digits that do not depend on the order of summation") {
  const double third = 1.0 / 3;
  const ResponseStats one{.min = -900, .max = 1000, .total = 3 * third, .total_count = 9};
  ResponseStats other = one;
  other.total = 3 * third + 0x1p-50;
  CHECK(one.mean() == other.mean());
  CHECK(*one.mean() == doctest::Approx(third / 3).epsilon(1e-8));
  CHECK(ResponseStats{.min = -1, .max = 1, .total = 1e-15, .total_count = 10}.mean() == 0);
  CHECK(ResponseStats{.min = 0, .max = 0, .total = 0, .total_count = 10}.mean() == 0);
}

}  // namespace
}  // namespace convtool
